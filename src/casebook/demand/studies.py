"""Chapter 7's replicated shops: what is drawn, from which ranges, and what each null shop switches off."""

from __future__ import annotations

from casebook.demand.reconcile_worlds import DIALS as RECONCILED
from casebook.demand.reconcile_worlds import play_reconcile
from casebook.studies import Study

STUDIES = (
    Study(
        "07_reconcile", play_reconcile, RECONCILED,
        n=200, seed=7_001, null_n=20, title="Base forecasts made coherent; null: every node is smoothed alike",
    ),
)  # fmt: skip
