"""Every claim of section 4 has values that confirm it and values that turn the verdict: no figure is a rubber stamp."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from casebook.churn.morals import MORALS
from casebook.claims import Bounds, Verdict, load_claims, record, record_moral
from casebook.contracts import ContractError
from casebook.worlds import share_holding

SECTION = {name: claim for name, claim in load_claims().items() if claim.section == 4}


class Turn(NamedTuple):
    """Values that confirm a claim, values just outside of it, and what those make of it."""

    confirms: Any
    turns: Any
    verdict: Verdict


class Worlds(NamedTuple):
    """Drawn worlds in which a moral holds and null worlds in which it does, each out of a hundred."""

    drawn: int
    null: int


class MoralTurn(NamedTuple):
    """Worlds that confirm a moral, worlds that refuse it, and null worlds (of a hundred) in which it must not hold."""

    confirms: Worlds
    turns: Worlds
    null: int


CORRECTED, DEPENDS = Verdict.CORRECTED, Verdict.DEPENDS

VALUES = {
    "4.calls-a-day": Turn(200, 150, CORRECTED),
    "4.calls-a-month": Turn([5_800.0, 6_200.0], [4_000.0, 4_200.0, 4_600.0], CORRECTED),
    "4.six-percent": Turn(0.06, 0.042, CORRECTED),
    "4.top-decile": Turn(0.1, 0.06, CORRECTED),
    "4.day-fills": Turn(0.9, 0.21, CORRECTED),
    "4.call-cost": Turn([10.0, 11.5], [10.0, 48.0], DEPENDS),
    "4.order-only": Turn([0.0, 0.01], [0.0, 0.18], DEPENDS),
    "4.precision-ceiling": Turn([1.0, 1.0], [0.5, 0.83], CORRECTED),  # as many leave as are called, and fewer
    "4.yearly-churn": Turn([0.47, 0.49], [0.39, 0.31], CORRECTED),
    "4.cac-comes-back": Turn([0.25, 0.96], [0.25, 1.1], DEPENDS),
    "4.save-from-price": Turn([2_400.0, 4_000.0], [4_000.0, 6_667.0], DEPENDS),
    "4.save-value": Turn([2_300.0, 4_100.0], [1_200.0, 1_900.0], CORRECTED),
    "4.raw-retention": Turn([3.0, 20.0], [1.0, 1.1], CORRECTED),
    "4.complaints-guard": Turn([1.1, 2.0], [1.1, 0.6], DEPENDS),
    "4.nps-guard": Turn([4.0, 3.0], [9.8, 16.9, 5.5], CORRECTED),
    "4.framings-differ": Turn([0.4, 0.5], [0.5, 0.95], DEPENDS),
    "4.responders-elsewhere": Turn([0.2, 0.4], [0.93, 1.0], CORRECTED),
    "4.uplift-is-right": Turn([0.2, 0.3], [0.3, 0.0], DEPENDS),
    "4.moveable-churn": Turn([0.1, 0.12], [0.7, 0.8], CORRECTED),
    "4.versions-agree": Turn([1, 1], [1, 2], DEPENDS),
    "4.label-decided": Turn(0.97, 0.83, CORRECTED),
    "4.time-split": Turn(0.07, 0.001, CORRECTED),
    "4.downgrade-leaks": Turn(0.02, -0.003, CORRECTED),
    "4.timeline-leaks": Turn(0.05, 0.0, CORRECTED),
    "4.downgrade-leads": Turn(3.7, 1.1, CORRECTED),
    "4.trajectory-best": Turn(Bounds(0.6, 0.8), Bounds(0.0, 0.06), CORRECTED),
    "4.trajectory-alone": Turn(Bounds(0.6, 0.8), Bounds(0.4, 0.6), DEPENDS),
    "4.logistic-minutes": Turn(0.2, 45.0, CORRECTED),
    "4.logistic-serves": Turn([1.2, 0.01], [9.0, 0.01], DEPENDS),
    "4.missing-values": Turn(0.001, -0.02, CORRECTED),
    "4.interactions": Turn([0.15, 0.02], [0.15, -0.007], DEPENDS),
    "4.boosted-by-rows": Turn([0.0, 0.01], [-0.03, -0.006], CORRECTED),
    "4.boosted-stronger": Turn(Bounds(0.55, 0.75), Bounds(0.23, 0.46), CORRECTED),
    "4.weights-help": Turn([0.01, 0.02], [0.003, -0.03], CORRECTED),
    "4.weights-calibrated": Turn([0.95, 1.05], [7.0, 9.0], CORRECTED),
    "4.calibrated": Turn([0.95, 1.05], [1.0, 1.2], DEPENDS),
    "4.auprc-over-auc": Turn(Bounds(0.03, 0.05), Bounds(-0.007, 0.008), CORRECTED),
    "4.mde": Turn([0.009, 0.011], [0.0146, 0.0166, 0.031], CORRECTED),
    "4.list-base-rate": Turn([0.05, 0.055], [0.26, 0.17], CORRECTED),
    "4.half-is-control": Turn([1.0, 1.0], [0.5, 0.71], CORRECTED),
    "4.thirty-days": Turn([0.9, 1.1], [0.7, 0.92, 1.5], DEPENDS),
    "4.holdout-true": Turn(Bounds(0.91, 0.97), Bounds(0.7, 0.85), CORRECTED),
    "4.cut": Turn([0.005, 0.005], [0.005, 0.002], DEPENDS),
    "4.cut-with-save-rate": Turn([0.005, 0.006], [0.02, 0.07], CORRECTED),  # nearly every leaver kept, and one in ten
    "4.calls-at-the-cut": Turn(3.0, -8.2, CORRECTED),
    "4.wider-group": Turn([0.5, 0.9], [0.05, 0.9], DEPENDS),
    "4.wider-with-save-rate": Turn([0.13, 0.37], [0.1, 0.05], CORRECTED),
    "4.nightly": Turn(0.01, 12.0, CORRECTED),
    "4.list-precision": Turn([0.99, 1.01], [0.93, 0.81], CORRECTED),
    "4.drift-quiet": Turn([0.05, 0.04], [0.54, 0.04], DEPENDS),
    "4.drift-sees": Turn([0.9, 0.85], [0.0, 0.8], DEPENDS),
    "4.retrain": Turn([0.03, 0.05], [0.006, 0.05], DEPENDS),
    "4.personal-messages": Turn([0.07, 0.03], [0.07, -0.16], DEPENDS),
    "4.attribution": Turn([0.8, 1.2], [-8.5, -7.2], CORRECTED),
    "4.self-fulfilling": Turn([1.09, 1.5], [1.0, 0.98], CORRECTED),
    "4.survivors": Turn([0.5, 0.5], [1.0, 0.98], CORRECTED),
    "4.drop-signals": Turn(1.5, 1.0, CORRECTED),
    "4.drop-elsewhere": Turn(-19.0, 20.0, CORRECTED),
    "4.fatigue": Turn([-0.09, -0.3], [0.15, -0.09], DEPENDS),
}  # fmt: skip

MORALS_TURN = {
    "4.uplift-beats-risk": MoralTurn(Worlds(45, 0), Worlds(90, 0), 30),
    "4.risk-beats-uplift": MoralTurn(Worlds(40, 80), Worlds(85, 80), 0),
    "4.worth-beats-risk-value": MoralTurn(Worlds(35, 0), Worlds(80, 0), 30),
    "4.risk-value-beats-worth": MoralTurn(Worlds(45, 80), Worlds(90, 80), 0),
    "4.value-pays": MoralTurn(Worlds(90, 22), Worlds(45, 22), 60),
    "4.everybody-loses": MoralTurn(Worlds(38, 0), Worlds(85, 0), 30),
    "4.source-loses": MoralTurn(Worlds(32, 0), Worlds(80, 0), 30),
    "4.pilot-shows-effect": MoralTurn(Worlds(45, 0), Worlds(95, 0), 30),
    "4.pilot-covers": MoralTurn(Worlds(95, 95), Worlds(55, 95), 0),
    "4.trajectory-matters-most": MoralTurn(Worlds(2, 0), Worlds(40, 0), 30),
    "4.trajectory-matters-most-due": MoralTurn(Worlds(8, 0), Worlds(50, 0), 30),
    "4.trajectory-pays": MoralTurn(Worlds(25, 0), Worlds(75, 0), 30),
    "4.boosted-beats-logistic": MoralTurn(Worlds(32, 0), Worlds(80, 0), 30),
    "4.weights-move-ranking": MoralTurn(Worlds(2, 0), Worlds(40, 0), 30),
    "4.naive-wrong-sign": MoralTurn(Worlds(90, 0), Worlds(45, 0), 30),
    "4.adjusted-wrong-sign": MoralTurn(Worlds(85, 0), Worlds(35, 0), 30),
    "4.adjusted-covers": MoralTurn(Worlds(5, 92), Worlds(45, 92), 0),
    "4.psi-misses": MoralTurn(Worlds(57, 0), Worlds(5, 0), 30),
    "4.psi-cries-wolf": MoralTurn(Worlds(98, 98), Worlds(60, 98), 0),
    "4.retraining-pays": MoralTurn(Worlds(68, 0), Worlds(20, 0), 30),
    "4.trajectory-best-alone": MoralTurn(Worlds(25, 0), Worlds(75, 0), 30),
    "4.logistic-beats-boosted": MoralTurn(Worlds(32, 0), Worlds(80, 0), 30),
    "4.auprc-misleads": MoralTurn(Worlds(32, 0), Worlds(80, 0), 30),
    "4.auc-misleads": MoralTurn(Worlds(32, 0), Worlds(80, 0), 30),
    "4.precision-misleads": MoralTurn(Worlds(32, 0), Worlds(80, 0), 30),
}  # fmt: skip

UNTESTABLE = {"4.ship-times", "4.trajectory-real"}


def verdict(name: str, values: Any) -> Verdict:
    if isinstance(values, Worlds):
        drawn, null = (share_holding([True] * holds + [False] * (100 - holds)) for holds in values)
        return record_moral(name, drawn, null).verdict
    return record(name, values).verdict


@pytest.mark.parametrize("name", SECTION)
def test_every_claim_can_be_confirmed_and_can_be_refused(name):
    rows = {**VALUES, **MORALS_TURN}
    assert name in rows or name in UNTESTABLE, f"{name} must have a row in this file, got none; add what would turn it."
    if name in rows:
        turn = rows[name]
        assert verdict(name, turn.confirms) is Verdict.CONFIRMED
        assert verdict(name, turn.turns) is getattr(turn, "verdict", CORRECTED)
    else:
        assert record(name).verdict is Verdict.NOT_TESTABLE
        with pytest.raises(ContractError, match=r"^values must be None for a claim without a figure, got 0\.5; "):
            record(name, 0.5)


def test_no_row_is_left_of_a_claim_that_is_gone():
    assert {*VALUES, *MORALS_TURN, *UNTESTABLE} == set(SECTION)


def test_the_rows_are_of_the_right_kind():
    assert {name for name, claim in SECTION.items() if claim.kind == "moral"} == set(MORALS_TURN) == set(MORALS)
    assert all(claim.figure is None and claim.reason for name, claim in SECTION.items() if name in UNTESTABLE)


@pytest.mark.parametrize("name", MORALS_TURN)
def test_no_moral_survives_other_null_worlds(name):
    turn = MORALS_TURN[name]
    assert verdict(name, Worlds(turn.confirms.drawn, turn.null)) is CORRECTED
