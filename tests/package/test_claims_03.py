"""Every claim of section 3 has values that confirm it and values that turn the verdict: no figure is a rubber stamp."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from casebook.claims import Bounds, Verdict, load_claims, record, record_moral
from casebook.contracts import ContractError
from casebook.screening.morals import MORALS
from casebook.worlds import share_holding

SECTION = {name: claim for name, claim in load_claims().items() if claim.section == 3}


class Turn(NamedTuple):
    """Values that confirm a claim, values just outside of it, and what those make of it."""

    confirms: Any
    turns: Any
    verdict: Verdict


class Worlds(NamedTuple):
    """Drawn worlds in which a moral holds and null worlds in which it does, each out of a hundred."""

    drawn: int
    null: int


CORRECTED, DEPENDS = Verdict.CORRECTED, Verdict.DEPENDS

VALUES = {
    "3.not-one-half": Turn([0.49, 0.4, 0.02], [0.49, 0.0], DEPENDS),  # one row at equal costs is enough
    "3.fraud-threshold": Turn(1 / 101, 0.01, CORRECTED),  # the ratio read as odds, not as the cost of one side
    "3.spam-threshold": Turn(10 / 11, 0.9, CORRECTED),
    "3.disease-range": Turn([1 / 11, 1 / 1001], [1 / 6, 1 / 1001], DEPENDS),
    "3.loan-columns": Turn([1.0, 1.0], [1.0, 0.0], DEPENDS),
    "3.loan-segment": Turn(1.51, 1.49, CORRECTED),
    "3.ads-low": Turn([1.0, 3.0], [49.0, 99.0], CORRECTED),
    "3.moderation-policy": Turn(17.5, 0.9, CORRECTED),
    "3.every-case": Turn([100.0, 2.5], [100.0, 1.0], DEPENDS),
    "3.fraud-one-ratio": Turn(Bounds(0.3, 0.9), Bounds(0.01, 0.9), DEPENDS),
    "3.cheapest-cut": Turn([1.0, 1.09], [1.0, 1.2], DEPENDS),
    "3.calibrated-formula": Turn([1.0, 1.09], [1.15, 1.2], CORRECTED),
    "3.formula-as-delivered": Turn([1.0, 1.09], [1.0, 2.4], DEPENDS),
}  # fmt: skip

MORALS_TURN = {
    "3.costs-beat-half": Turn(Worlds(90, 0), Worlds(60, 0), CORRECTED),
    "3.calibration-pays": Turn(Worlds(50, 0), Worlds(90, 0), CORRECTED),
    "3.amounts-pay": Turn(Worlds(35, 0), Worlds(35, 30), CORRECTED),
    "3.weights-idle": Turn(Worlds(10, 0), Worlds(60, 0), CORRECTED),
    "3.risk-misleads": Turn(Worlds(80, 0), Worlds(55, 0), DEPENDS),
    "3.uplift-beats-risk": Turn(Worlds(85, 0), Worlds(55, 0), CORRECTED),
    "3.correct-label-shift": Turn(Worlds(50, 0), Worlds(10, 0), CORRECTED),
    "3.correction-harms": Turn(Worlds(70, 0), Worlds(20, 0), CORRECTED),
    "3.kept-beats-risk": Turn(Worlds(70, 0), Worlds(48, 0), DEPENDS),
}  # fmt: skip

UNTESTABLE = {"3.scores-points"}


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
        assert verdict(name, turn.turns) is turn.verdict
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
def test_no_moral_survives_its_null_worlds(name):
    confirming = MORALS_TURN[name].confirms
    assert verdict(name, Worlds(confirming.drawn, 30)) is CORRECTED
