"""Chapter 5's replicated banks: what is drawn, from which ranges, and what each null bank switches off."""

from __future__ import annotations

from dataclasses import replace

from casebook.fraud.dials import ASKING, BANK
from casebook.fraud.plays_tiers import play_tiers
from casebook.studies import Study

DIAL = {dial.name: dial for dial in (*BANK, *ASKING)}
PREVALENCE = replace(
    DIAL["prevalence"], low=0.002,
    source="a quarter of what the handbook's generator has (Le Borgne, Siblini, Lebichot and Bontempi 2022) to all "
    "of it; a bank of two thousand cards with less has too few frauds to count",
)  # fmt: skip

STUDIES = (
    Study(
        "05_tiers", play_tiers, (PREVALENCE, replace(DIAL["push_pass"], null=1.0)),
        n=24, seed=5001, null_n=20, title="Actions chosen by costs, played; null: fraudsters pass every push",
    ),
)  # fmt: skip
