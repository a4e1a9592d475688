"""Every claim of section 8 has values that confirm it and values that turn the verdict: no figure is a rubber stamp."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from casebook.claims import Bounds, Verdict, load_claims, record, record_moral
from casebook.claims.verdicts import edges
from casebook.feed.morals import MORALS
from casebook.worlds import share_holding

SECTION = {name: claim for name, claim in load_claims().items() if claim.section == 8}


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
    "8.two-weeks-see": Turn([0.82, 1.0], [0.15, 0.55, 1.0], DEPENDS),
    "8.unit": Turn([0.04, 0.06], [0.7, 0.56, 0.09], CORRECTED),
    "8.ninety-idle": Turn(0.03, 0.29, CORRECTED),
    "8.srm-shares": Turn([0.0099, 2e-6], [0.27, 0.02, 2e-6], DEPENDS),  # from 35,274 users on, and below
    "8.srm-lot": Turn(Bounds(0.95, 1.0), Bounds(0.005, 0.013), CORRECTED),
    "8.srm-distrust": Turn([0.036, 0.015], [0.036, 0.004], DEPENDS),
    "8.interval-covers": Turn([0.94, 0.96], [0.95, 0.9], DEPENDS),
    "8.star-covers": Turn([0.94, 0.96], [0.33, 0.6, 0.78], CORRECTED),
    "8.tiny-win": Turn([0.6, 0.03], [0.6, 5.8], DEPENDS),
    "8.huge-win": Turn([0.03, 0.04], [0.005, 0.009], CORRECTED),
    "8.star-returns": Turn([0.85, 0.9], [0.54, 0.06], CORRECTED),
    "8.guard-sees": Turn([0.02, 0.0], [0.22, 0.02], DEPENDS),
    "8.guard-spares": Turn([0.02, 0.0], [0.48, 0.02], DEPENDS),
    "8.many-metrics": Turn([0.23, 0.64], [0.05, 0.06], CORRECTED),
    "8.bonferroni-holds": Turn([0.048, 0.03], [0.08, 0.64], CORRECTED),
    "8.bonferroni-or-plan": Turn([0.02, 0.04], [0.21, 0.39], CORRECTED),
    "8.secondary-leads": Turn([0.12, 0.64], [0.05, 0.64], DEPENDS),
    "8.peeking-grows": Turn([0.083, 0.37], [0.05, 0.06], CORRECTED),
    "8.sequential-holds": Turn([0.05, 0.01], [0.05, 0.22], DEPENDS),
    "8.sequential-or-fixed": Turn([0.01, 0.02], [0.01, 0.32], DEPENDS),
    "8.boundaries-leak": Turn([0.2, 0.3], [0.0, 0.04], CORRECTED),
    "8.cluster-mends": Turn(Bounds(0.6, 0.8), Bounds(0.02, 0.12), CORRECTED),
    "8.cluster-pays": Turn([0.55, 0.74], [0.29, 0.74], DEPENDS),
    "8.novelty-first-days": Turn(Bounds(0.96, 1.0), Bounds(0.1, 0.3), CORRECTED),
    "8.week2-clean": Turn([0.8, 0.6], [0.44, 0.12, 0.0], CORRECTED),
    "8.week2-half": Turn(1.9, 1.23, CORRECTED),
    "8.average-hides": Turn([0.004, 0.005], [0.031, 0.004], DEPENDS),
    "8.segments-find": Turn([0.85, 0.9], [0.01, 0.98], DEPENDS),
    "8.segments-hunt": Turn([0.04, 0.06], [0.4, 0.8], CORRECTED),
    "8.power-noisy": Turn([3.0, 1.1], [0.7, 0.5], CORRECTED),
    "8.power-negatives": Turn([0.95, 0.85], [0.85, 0.2], DEPENDS),
    "8.power-positives": Turn([0.08, 0.1], [0.054, 0.048], CORRECTED),
    "8.wins-false": Turn([0.78, 0.57], [0.78, 0.37], DEPENDS),
    "8.star-sign": Turn([0.045, 0.0], [0.045, 0.2], DEPENDS),
    "8.star-not-enough": Turn(Bounds(0.75, 0.91), Bounds(0.05, 0.2), CORRECTED),
    "8.cost-bar": Turn([0.0, 0.01], [0.0, 0.88], DEPENDS),
    "8.practical": Turn([0.11, 0.06], [0.11, 0.03], DEPENDS),
    "8.holdback-30": Turn([0.85, 0.9], [0.43, 0.08], CORRECTED),
    "8.holdback-long": Turn(Bounds(0.85, 0.95), Bounds(0.61, 0.74), CORRECTED),
}  # fmt: skip

MORALS_TURN = {
    "8.spillover-understates": Turn(Worlds(98, 0), Worlds(70, 0), CORRECTED),
    "8.clusters-mend": Turn(Worlds(96, 0), Worlds(70, 0), CORRECTED),
    "8.clusters-pay-small": Turn(Worlds(29, 0), Worlds(70, 0), CORRECTED),
    "8.clusters-pay-large": Turn(Worlds(74, 0), Worlds(55, 0), DEPENDS),
    "8.novelty-inflates": Turn(Worlds(99, 0), Worlds(60, 0), CORRECTED),
    "8.week2-still-inflated": Turn(Worlds(80, 0), Worlds(20, 0), CORRECTED),
    "8.week2-closer": Turn(Worlds(96, 0), Worlds(50, 0), CORRECTED),
    "8.decay-closest-small": Turn(Worlds(15, 0), Worlds(60, 0), CORRECTED),
    "8.decay-closest-large": Turn(Worlds(91, 0), Worlds(50, 0), CORRECTED),
    "8.novelty-launches-loser": Turn(Worlds(22, 0), Worlds(60, 0), CORRECTED),
    "8.holdback-misses": Turn(Worlds(76, 0), Worlds(30, 0), CORRECTED),
    "8.holdback-nearer": Turn(Worlds(67, 0), Worlds(50, 0), DEPENDS),
    "8.holdback-wrong-sign": Turn(Worlds(9, 0), Worlds(45, 0), CORRECTED),
    "8.standing-holdback-misses": Turn(Worlds(32, 0), Worlds(80, 0), CORRECTED),
    "8.report-launches-harm": Turn(Worlds(1, 0), Worlds(25, 0), CORRECTED),
    "8.report-holds-worthwhile": Turn(Worlds(31, 0), Worlds(70, 0), CORRECTED),
    "8.report-false-alarm": Turn(Worlds(2, 2), Worlds(30, 2), CORRECTED),
}  # fmt: skip


def verdict(name: str, values: Any) -> Verdict:
    if isinstance(values, Worlds):
        drawn, null = (share_holding([True] * holds + [False] * (100 - holds)) for holds in values)
        return record_moral(name, drawn, null).verdict
    return record(name, values).verdict


@pytest.mark.parametrize("name", SECTION)
def test_every_claim_can_be_confirmed_and_can_be_refused(name):
    rows = {**VALUES, **MORALS_TURN}
    assert name in rows, f"{name} must have a row in this file, got none; add what would turn it."
    turn = rows[name]
    assert verdict(name, turn.confirms) is Verdict.CONFIRMED
    assert verdict(name, turn.turns) is turn.verdict


def test_no_row_is_left_of_a_claim_that_is_gone():
    assert {*VALUES, *MORALS_TURN} == set(SECTION)


def test_the_rows_are_of_the_right_kind():
    assert {name for name, claim in SECTION.items() if claim.kind == "moral"} == set(MORALS_TURN) == set(MORALS)
    assert all(claim.figure is not None for claim in SECTION.values())


@pytest.mark.parametrize("name", MORALS_TURN)
def test_no_moral_survives_its_null_worlds(name):
    assert verdict(name, Worlds(MORALS_TURN[name].confirms.drawn, 30)) is CORRECTED


@pytest.mark.parametrize("name", MORALS)
def test_the_committed_worlds_lie_inside_what_the_moral_states(name):
    stated, (drawn, null) = SECTION[name], MORALS[name].shares()
    for share, figure, which in ((drawn, stated.figure, "drawn"), (null, stated.null_figure, "null")):
        low, high = edges(figure)
        assert low <= share.share <= high, f"{name} must hold in {figure} of {which} worlds, got {share}; restate it."
        assert share.n >= 20
