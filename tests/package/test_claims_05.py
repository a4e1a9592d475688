"""Every claim of section 5 has values that confirm it and values that turn the verdict: no figure is a rubber stamp."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from casebook.claims import Bounds, Verdict, load_claims, record, record_moral
from casebook.fraud.morals import MORALS
from casebook.worlds import share_holding

#: What the chapter's claims page judges: its own section, and what section 2 says of fraud.
SECTION = {name: claim for name, claim in load_claims().items() if claim.section == 5 or name.startswith("2.fraud-")}


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
    "5.one-card": Turn(1, 2, CORRECTED),
    "5.smaller-scale": Turn(0.01, 0.39, CORRECTED),
    "5.per-second": Turn(578.7, 694.4, CORRECTED),  # a day of twenty hours
    "5.mean-is-enough": Turn(1.05, 1.84, CORRECTED),
    "5.per-holder": Turn(1.3, 6.6, CORRECTED),
    "5.fraud-rate": Turn([0.001, 0.0008], [0.001, 0.0032], DEPENDS),
    "5.frauds-a-year": Turn([0.18, 0.08], [1.8, 0.08], DEPENDS),
    "5.two-actions": Turn(2, 3, CORRECTED),
    "5.push-oftener": Turn([1_300.0, 40.0], [1_300.0, 2.0], DEPENDS),
    "5.push-milder": Turn(88.0, 1.5, CORRECTED),
    "5.fp-alike": Turn([0.6, 0.9], [0.011, 0.32], CORRECTED),
    "5.ratio-chooses": Turn(0.95, 0.4, CORRECTED),
    "5.ratio-cut": Turn(1.0, 10.0, CORRECTED),
    "5.no-guardrail": Turn(0.03, 7e-6, CORRECTED),
    "5.ten-alarms": Turn(9.99, 1.0, CORRECTED),  # at one in a thousand
    "5.guardrail-precision": Turn(0.5, 0.09, CORRECTED),
    "5.guardrail-calls": Turn([0.012, 0.02], [0.00005, 0.0006], CORRECTED),
    "5.guardrail-pushes": Turn(18.0, 37.0, CORRECTED),
    "5.guardrail-trade": Turn(0.012, 0.001, CORRECTED),
    "5.reviews-guard": Turn([0.03, 0.09], [0.22, 3.1], CORRECTED),
    "2.fraud-recall-at-1": Turn(0.5, 0.058, CORRECTED),
    "5.rules-in-front": Turn([5.0, 80.0], [-190.0, -13.0], CORRECTED),
    "5.features-carry": Turn([0.04, 0.1], [0.04, -0.002], DEPENDS),
    "5.real-time": Turn(10, 1_000, CORRECTED),
    "5.gbdt": Turn(Bounds(0.64, 0.95), Bounds(0.2, 0.45), CORRECTED),
    "5.p-fraud": Turn([0.95, 1.05], [0.25, 4.3], CORRECTED),
    "5.rebalance": Turn([0.01, 0.02], [-0.05, -0.16], CORRECTED),
    "5.cut-push": Turn(Bounds(0.006, 0.014), Bounds(0.0007, 0.0054), DEPENDS),
    "5.cut-call": Turn(Bounds(0.42, 0.58), Bounds(0.03, 0.32), CORRECTED),
    "5.cut-block": Turn(Bounds(0.86, 0.94), Bounds(0.1, 0.6), CORRECTED),
    "5.cuts-fit-costs": Turn([1.0, 1.5, 0.6], [7.5, 3.6, 24.5], CORRECTED),
    "5.above-cuts": Turn([1.0, 1.0, 0.992], [1.0, 1.0, 0.89], DEPENDS),  # 50,000 typed for 56,000
    "5.push-frequent": Turn([0.016, 0.015], [0.016, 0.0027], DEPENDS),
    "5.block-rare": Turn(4e-6, 0.01, CORRECTED),
    "5.call-tier": Turn([3_900.0, 151.0, 14_000.0], [3_900.0, 151.0, 100_000.0], DEPENDS),
    "5.block-stops": Turn([0.4, 0.131], [0.006, 0.131], DEPENDS),
    "5.cut-keeps-guardrail": Turn([0.002, 0.009], [0.002, 0.015], DEPENDS),
    "5.two-thresholds": Turn(2, 3, CORRECTED),
    "5.single-loses": Turn(Bounds(0.69, 0.96), Bounds(0.05, 0.3), CORRECTED),
    "5.block-at-03": Turn(Bounds(1.2, 3.2), Bounds(0.37, 3.2), DEPENDS),
    "5.allow-at-03": Turn(Bounds(3.0, 11.0), Bounds(0.5, 0.9), CORRECTED),
    "5.ratio-and-03": Turn(100.0, 2.3, CORRECTED),
    "5.fixed-cuts": Turn(Bounds(0.1, 0.4), Bounds(0.69, 0.96), CORRECTED),
    "5.push-share": Turn(Bounds(0.55, 0.8), Bounds(0.02, 0.17), CORRECTED),
    "5.third-tier": Turn(Bounds(0.07, 0.36), Bounds(0.0, 0.01), CORRECTED),
    "5.fourth-tier": Turn(Bounds(0.03, 0.1), Bounds(0.0, 0.0), CORRECTED),
    "5.deployed-thoughtfully": Turn(Bounds(20.0, 200.0), Bounds(-21.0, 199.0), DEPENDS),
    "5.graph-nodes": Turn([1.0, 1.0, 0.95], [1.0, 1.0, 0.13], DEPENDS),
    "5.graph-catches": Turn(Bounds(0.87, 1.0), Bounds(0.1, 0.4), CORRECTED),
    "5.graph-beyond-counts": Turn(Bounds(0.55, 0.9), Bounds(0.1, 0.35), CORRECTED),
    "5.gnn": Turn([0.05, 0.1], [-0.05, -0.36, -0.16], CORRECTED),
    "5.clusters-are-rings": Turn([0.6, 0.8], [0.29, 0.06], CORRECTED),
    "5.sharing-spoils": Turn(Bounds(-0.6, -0.1), Bounds(-0.28, 0.32), DEPENDS),
    "5.adapting-wears-out": Turn(Bounds(0.35, 0.8), Bounds(-0.52, 0.21), CORRECTED),
    "5.daily": Turn(Bounds(0.55, 0.9), Bounds(0.21, 0.57), DEPENDS),
    "5.labels-in-time": Turn([0.6, 0.7], [0.76, 0.43, 0.03, 0.0], DEPENDS),
    "5.drift-watch": Turn(Bounds(0.88, 1.0), Bounds(0.3, 0.7), CORRECTED),
    "5.novel-or-decay": Turn(Bounds(0.82, 0.97), Bounds(0.73, 0.95), DEPENDS),
    "5.quiet-kept": Turn(Bounds(0.91, 1.0), Bounds(0.58, 0.92), DEPENDS),
    "5.holdback-days": Turn([9.0, 13.0], [61.0, 164.0, 16.0], CORRECTED),
    "5.holdback-detects": Turn(Bounds(0.85, 1.0), Bounds(0.21, 0.62), CORRECTED),
    "5.explore": Turn(Bounds(0.55, 0.9), Bounds(0.09, 0.41), CORRECTED),
}  # fmt: skip

MORALS_TURN = {
    "5.own-beat-source": MoralTurn(Worlds(85, 100), Worlds(23, 100), 0),
    "5.amount-pays": MoralTurn(Worlds(75, 100), Worlds(17, 100), 0),
    "5.entry-pays": MoralTurn(Worlds(75, 0), Worlds(17, 0), 80),
    "5.push-gains": MoralTurn(Worlds(95, 0), Worlds(30, 0), 40),
    "5.push-most": MoralTurn(Worlds(75, 0), Worlds(17, 0), 40),
    "5.second-cut": MoralTurn(Worlds(95, 0), Worlds(30, 0), 40),
    "5.third-cut": MoralTurn(Worlds(20, 100), Worlds(75, 100), 0),
    "5.call-never": MoralTurn(Worlds(75, 0), Worlds(17, 0), 80),
    "5.junior-beats-source": MoralTurn(Worlds(15, 100), Worlds(65, 100), 0),
    "5.source-below-nothing": MoralTurn(Worlds(10, 100), Worlds(55, 100), 0),
    "5.push-beats-block": MoralTurn(Worlds(55, 0), Worlds(98, 0), 40),
    "5.push-beside-block": MoralTurn(Worlds(90, 0), Worlds(27, 0), 40),
    "5.push-mistaken": MoralTurn(Worlds(35, 100), Worlds(95, 100), 0),
    "5.wrong-level-costs": MoralTurn(Worlds(90, 0), Worlds(27, 0), 35),
    "5.mending-pays": MoralTurn(Worlds(90, 0), Worlds(27, 0), 60),
    "5.wrong-level-ruins": MoralTurn(Worlds(30, 0), Worlds(85, 0), 40),
    "5.counts-find-rings": MoralTurn(Worlds(85, 0), Worlds(23, 0), 35),
    "5.graph-finds-rings": MoralTurn(Worlds(80, 0), Worlds(20, 0), 35),
    "5.graph-leads": MoralTurn(Worlds(10, 0), Worlds(55, 0), 35),
    "5.counts-lead": MoralTurn(Worlds(70, 0), Worlds(3, 0), 35),
    "5.graph-adds": MoralTurn(Worlds(45, 0), Worlds(98, 0), 35),
    "5.walks-beat-counts": MoralTurn(Worlds(30, 0), Worlds(85, 0), 35),
    "5.boosted-beats-logistic": MoralTurn(Worlds(80, 0), Worlds(20, 0), 40),
    "5.boosted-beats-rules": MoralTurn(Worlds(95, 0), Worlds(30, 0), 40),
    "5.random-flatters": MoralTurn(Worlds(75, 0), Worlds(17, 0), 40),
    "5.cards-flatter": MoralTurn(Worlds(20, 0), Worlds(75, 0), 40),
    "5.leak-flatters": MoralTurn(Worlds(90, 0), Worlds(27, 0), 40),
    "5.whole-table-hurts": MoralTurn(Worlds(75, 0), Worlds(17, 0), 40),
    "5.forest-sees-new": MoralTurn(Worlds(75, 0), Worlds(17, 0), 40),
    "5.refit-sees-new": MoralTurn(Worlds(75, 0), Worlds(17, 0), 40),
    "5.labels-see-known": MoralTurn(Worlds(95, 0), Worlds(30, 0), 40),
    "5.forgets": MoralTurn(Worlds(90, 0), Worlds(27, 0), 40),
    "5.forgets-though-kept": MoralTurn(Worlds(75, 0), Worlds(17, 0), 40),
    "5.keeping-mends": MoralTurn(Worlds(80, 0), Worlds(20, 0), 40),
    "5.looks-worse": MoralTurn(Worlds(85, 0), Worlds(23, 0), 40),
    "5.weighing-mends": MoralTurn(Worlds(75, 0), Worlds(17, 0), 40),
    "5.exploration-mends": MoralTurn(Worlds(80, 0), Worlds(20, 0), 40),
    "5.weights-help": MoralTurn(Worlds(75, 0), Worlds(17, 0), 40),
    "5.blocked-labels-pay": MoralTurn(Worlds(80, 0), Worlds(20, 0), 40),
    "5.exploration-pays": MoralTurn(Worlds(40, 0), Worlds(95, 0), 40),
    "5.answers-help": MoralTurn(Worlds(90, 0), Worlds(27, 0), 40),
    "5.trusting-hurts": MoralTurn(Worlds(75, 0), Worlds(17, 0), 40),
    "5.answers-beat-prompt": MoralTurn(Worlds(45, 0), Worlds(98, 0), 40),
    "5.answers-pay": MoralTurn(Worlds(80, 0), Worlds(20, 0), 40),
    "5.daily-pays": MoralTurn(Worlds(15, 0), Worlds(65, 0), 40),
    "5.weekly-pays": MoralTurn(Worlds(80, 0), Worlds(20, 0), 70),
    "5.holdback-one": MoralTurn(Worlds(15, 0), Worlds(65, 0), 40),
    "5.holdback-five": MoralTurn(Worlds(30, 0), Worlds(85, 0), 40),
    "5.holdback-half": MoralTurn(Worlds(75, 0), Worlds(17, 0), 50),
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
    assert verdict(name, turn.turns) is getattr(turn, "verdict", CORRECTED)


def test_no_row_is_left_of_a_claim_that_is_gone():
    assert {*VALUES, *MORALS_TURN} == set(SECTION)


def test_the_rows_are_of_the_right_kind():
    assert {name for name, claim in SECTION.items() if claim.kind == "moral"} == set(MORALS_TURN) == set(MORALS)
    assert all(claim.figure is not None for claim in SECTION.values())


@pytest.mark.parametrize("name", MORALS_TURN)
def test_no_moral_survives_other_null_worlds(name):
    turn = MORALS_TURN[name]
    assert verdict(name, Worlds(turn.confirms.drawn, turn.null)) is CORRECTED
