"""Chapter 7's replicated shops: what is drawn, from which ranges, and what each null shop switches off."""

from __future__ import annotations

from casebook.demand.planners import PLANNERS, play_planner
from casebook.demand.plays_failures import (
    DIALS_LIFT,
    DIALS_NEW,
    DIALS_STACKED,
    play_lift,
    play_new,
    play_stacked,
)
from casebook.demand.plays_money import DIALS as MONEY
from casebook.demand.plays_money import play_money
from casebook.demand.plays_refit import DIALS as REFIT
from casebook.demand.plays_refit import play_refit
from casebook.demand.reconcile_worlds import DIALS as RECONCILED
from casebook.demand.reconcile_worlds import play_reconcile
from casebook.studies import Study

STUDIES = (
    Study(
        "07_reconcile", play_reconcile, RECONCILED,
        n=200, seed=7_001, null_n=20, title="Base forecasts made coherent; null: every node is smoothed alike",
    ),
    Study(
        "07_planners", play_planner, PLANNERS,
        n=120, seed=7_002, null_n=20, title="A planner's overrides against the model; null: he sees nothing, no events",
    ),
    Study(
        "07_money", play_money, MONEY,
        n=24, seed=7_003, null_n=20, title="Policies played in drawn shops; null: everything is ordered ahead",
    ),
    Study(
        "07_lift", play_lift, DIALS_LIFT,
        n=24, seed=7_004, null_n=20, title="What promotions bring; null: they stand in random weeks",
    ),
    Study(
        "07_new", play_new, DIALS_NEW,
        n=24, seed=7_005, null_n=20, title="First weeks of new products; null: categories are mixed up",
    ),
    Study(
        "07_stacked", play_stacked, DIALS_STACKED,
        n=24, seed=7_006, null_n=20, title="Two promotions at once, never seen before; null: price does nothing",
    ),
    Study(
        "07_refit", play_refit, REFIT,
        n=24, seed=7_007, null_n=20, title="One fit rolled, or refitted; null: no drift, shock or promotion",
    ),
)  # fmt: skip
