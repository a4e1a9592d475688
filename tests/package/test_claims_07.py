"""Every claim of section 7 has values that confirm it and values that turn the verdict: no figure is a rubber stamp."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from casebook.claims import Bounds, Verdict, load_claims, record, record_moral
from casebook.demand.morals import MORALS
from casebook.worlds import share_holding

SECTION = {name: claim for name, claim in load_claims().items() if claim.section == 7}


class Turn(NamedTuple):
    """Values that confirm a claim, values that turn it, and what those make of it."""

    confirms: Any
    turns: Any
    verdict: Verdict


class Worlds(NamedTuple):
    """Drawn worlds in which a moral holds and null worlds in which it does, each out of a hundred."""

    drawn: int
    null: int


class MoralTurn(NamedTuple):
    """Worlds that confirm a moral, worlds that refuse it, and null worlds (of a hundred) that refuse it too."""

    confirms: Worlds
    turns: Worlds
    null: int


CORRECTED, DEPENDS = Verdict.CORRECTED, Verdict.DEPENDS

VALUES = {
    "7.cells": Turn(1e9, 3e7, CORRECTED),
    "7.cells-exist": Turn([0.95, 0.91], [0.66, 0.65], CORRECTED),
    "7.forecasts": Turn(7e9, 1e9, CORRECTED),
    "7.horizon": Turn(7, 10, CORRECTED),
    "7.tau": Turn(10 / 12, 5 / 7, CORRECTED),
    "7.fractile-sum": Turn(10 / 12, 5 / 7, CORRECTED),
    "7.raw-ratio": Turn(5.0, 2.5, CORRECTED),
    "7.metric-costs": Turn(5.0, 2.5, CORRECTED),
    "7.trust": Turn([2.0, 2.4], [5.0, 6.0, 20.0], CORRECTED),
    "7.one-ratio": Turn(0.95, 0.0, CORRECTED),
    "7.p95": Turn([0.94, 0.96], [10 / 12, 5 / 7], CORRECTED),
    "7.p95-costs": Turn([0.01, 0.0], [0.21, 0.19, 0.2], CORRECTED),
    "7.sum-costs": Turn([0.01, 0.02], [0.11, 0.1], CORRECTED),
    "7.wape-chooses": Turn([0.0, 0.09], [0.0, 0.21, 0.5], DEPENDS),
    "7.wape-slow": Turn([0.6, 0.8], [1.0, 1.0], CORRECTED),
    "7.mse-mean": Turn(1.001, 0.9, CORRECTED),
    "7.mse-costs": Turn([0.55, 0.48], [0.01, 0.02], CORRECTED),
    "7.quantile-optimal": Turn([1.0, 1.0], [1.0, 1.01], DEPENDS),
    "7.quantile-regression": Turn(Bounds(0.06, 0.09), Bounds(0.03, 0.06), DEPENDS),
    "7.daily-sum": Turn([0.84, 0.83], [0.98, 0.91], CORRECTED),
    "7.daily-sum-costs": Turn([0.0, 0.01], [0.44, 0.06], CORRECTED),
    "7.too-many": Turn([182.0, 120.0], [182.0, 120.0, 5.0], DEPENDS),
    "7.share-cells": Turn(Bounds(0.03, 0.2), Bounds(-0.2, 0.01), CORRECTED),
    "7.two-years": Turn(Bounds(0.03, 0.1), Bounds(-0.014, 0.003), CORRECTED),
    "7.truncated-keep": Turn([-0.2, -0.03], [-0.2, -0.01], DEPENDS),
    "7.truncated-drop": Turn([0.004, -0.009], [-0.14, -0.05, -0.03], CORRECTED),
    "7.stockout-flags": Turn([1.0, 0.96], [1.0, 0.91, 0.8], DEPENDS),
    "7.next-seven": Turn(1.0, 4 / 7, CORRECTED),
    "7.promotions-known": Turn([0.97, 0.95], [0.86, 0.86], CORRECTED),
    "7.features-carry": Turn([0.04, 0.01], [0.04, -0.001], DEPENDS),
    "7.naive-adjusted": Turn(Bounds(0.001, 0.02), Bounds(-0.01, 0.02), DEPENDS),
    "7.boosted-beats": Turn(Bounds(0.26, 0.33), Bounds(-0.02, 0.05), CORRECTED),
    "7.lags-known": Turn([1.0, 1.0], [4 / 7, 1.0, 1.0], DEPENDS),
    "7.leak-delivers": Turn(Bounds(0.6, 1.1), Bounds(-0.4, 0.1), CORRECTED),
    "7.one-model-rows": Turn([1e9, 2e9], [7.3e11, 2.2e10], CORRECTED),
    "7.id-encoding": Turn(0.98, 0.15, CORRECTED),
    "7.id-gain": Turn(Bounds(0.02, 0.04), Bounds(-0.01, 0.004), CORRECTED),
    "7.id-target": Turn(Bounds(-0.004, 0.008), Bounds(-0.002, 0.019), DEPENDS),
    "7.covers": Turn(Bounds(0.822, 0.838), Bounds(0.7, 0.78), CORRECTED),
    "7.covers-sales": Turn(Bounds(-0.008, 0.002), Bounds(-0.035, -0.018), CORRECTED),
    "7.hierarchical-names": Turn([0.0, 0.0005], [0.002, 0.17], CORRECTED),
    "7.sparse-better": Turn(Bounds(0.1, 0.4), Bounds(-0.39, -0.12), CORRECTED),
    "7.levels-disagree": Turn([0.01, 0.13], [0.0, 0.13], DEPENDS),
    "7.consistent": Turn([0.0, 1e-12], [0.0, 0.01], DEPENDS),
    "7.mint-leaves": Turn(Bounds(0.6, 0.8), Bounds(0.1, 0.4), CORRECTED),
    "7.mint-total": Turn(Bounds(0.0, 0.04), Bounds(0.16, 0.28), CORRECTED),
    "7.quantiles-add": Turn([0.84, 0.83], [1.0, 0.95, 0.88], CORRECTED),
    "7.cost-simulation": Turn(Bounds(0.55, 0.9), Bounds(0.05, 0.3), CORRECTED),
    "7.fresh-day": Turn([0.0, 0.04], [0.0, 0.5], DEPENDS),
    "7.calendar": Turn([1, 1], [0, 1], DEPENDS),
    "7.protection": Turn(0.85, 0.2, CORRECTED),
    "7.six-hours": Turn([0.5, 1.0], [0.04, 0.25], CORRECTED),
    "7.six-hours-pay": Turn([0.02, 0.1], [0.0, 0.02], DEPENDS),
    "7.category-prior": Turn(Bounds(0.6, 0.9), Bounds(0.1, 0.4), CORRECTED),
    "7.content-features": Turn(Bounds(0.6, 0.9), Bounds(0.1, 0.4), CORRECTED),
    "7.openings": Turn([0.2, 0.06], [0.2, 0.01], DEPENDS),
    "7.black-swan": Turn([0.57, 0.26], [0.05, 0.02], CORRECTED),
    "7.shock-lasts": Turn([1.0, 1.0], [0.5, 0.25], CORRECTED),
    "7.override-shock": Turn([0.2, 0.1], [0.2, -0.4], DEPENDS),
    "7.override-tool": Turn(Bounds(0.55, 0.7), Bounds(0.26, 0.43), CORRECTED),
    "7.stacked-fails": Turn(Bounds(0.55, 0.9), Bounds(0.1, 0.4), CORRECTED),
    "7.limit-extrapolation": Turn(Bounds(0.55, 0.9), Bounds(0.1, 0.4), CORRECTED),
}  # fmt: skip

MORALS_TURN = {
    "7.mint-helps-leaves": MoralTurn(Worlds(75, 0), Worlds(25, 0), 40),
    "7.mint-hurts-leaves": MoralTurn(Worlds(8, 0), Worlds(50, 0), 40),
    "7.mint-helps-total": MoralTurn(Worlds(48, 0), Worlds(0, 0), 40),
    "7.mint-hurts-total": MoralTurn(Worlds(18, 0), Worlds(65, 0), 40),
    "7.ols-hurts-leaves": MoralTurn(Worlds(25, 0), Worlds(75, 0), 40),
    "7.shrink-beats-ols": MoralTurn(Worlds(60, 0), Worlds(5, 0), 40),
    "7.bottom-up-hurts-total": MoralTurn(Worlds(50, 0), Worlds(0, 0), 40),
    "7.bottom-up-helps-total": MoralTurn(Worlds(35, 0), Worlds(85, 0), 40),
    "7.nothing-to-reconcile": MoralTurn(Worlds(2, 100), Worlds(40, 100), 60),
    "7.planner-helps": MoralTurn(Worlds(50, 0), Worlds(0, 0), 55),
    "7.planner-disagree": MoralTurn(Worlds(25, 0), Worlds(75, 0), 75),
    "7.trust-safe": MoralTurn(Worlds(92, 100), Worlds(50, 100), 50),
    "7.trust-beats": MoralTurn(Worlds(92, 100), Worlds(50, 100), 50),
    "7.per-sku-pays": MoralTurn(Worlds(80, 0), Worlds(25, 0), 40),
    "7.per-sku-beats-all": MoralTurn(Worlds(75, 0), Worlds(15, 0), 40),
    "7.shelf-life-pays": MoralTurn(Worlds(80, 0), Worlds(25, 0), 40),
    "7.fractile-beats-mean": MoralTurn(Worlds(75, 0), Worlds(15, 0), 40),
    "7.p95-loses": MoralTurn(Worlds(40, 0), Worlds(95, 0), 40),
    "7.daily-overorders": MoralTurn(Worlds(98, 0), Worlds(60, 0), 40),
    "7.daily-loses": MoralTurn(Worlds(55, 0), Worlds(0, 0), 40),
    "7.mean-beats-last-week": MoralTurn(Worlds(90, 100), Worlds(45, 100), 60),
    "7.source-count-picks": MoralTurn(Worlds(15, 100), Worlds(65, 100), 55),
    "7.own-count-picks": MoralTurn(Worlds(30, 100), Worlds(85, 100), 55),
    "7.naive-lift-overstates": MoralTurn(Worlds(50, 0), Worlds(0, 0), 45),
    "7.adjusted-lift-closer": MoralTurn(Worlds(50, 0), Worlds(0, 0), 45),
    "7.regions-lift-closer": MoralTurn(Worlds(50, 0), Worlds(0, 0), 45),
    "7.net-lift-smaller": MoralTurn(Worlds(80, 100), Worlds(25, 100), 25),
    "7.stock-hides-lift": MoralTurn(Worlds(45, 45), Worlds(100, 45), 0),
    "7.promotions-cost": MoralTurn(Worlds(40, 40), Worlds(95, 40), 95),
    "7.category-beats-global": MoralTurn(Worlds(85, 0), Worlds(35, 0), 55),
    "7.shrunk-beats-own": MoralTurn(Worlds(90, 100), Worlds(45, 100), 5),
    "7.late-alike": MoralTurn(Worlds(90, 100), Worlds(45, 100), 15),
    "7.content-helps": MoralTurn(Worlds(40, 40), Worlds(95, 40), 0),
    "7.product-helps": MoralTurn(Worlds(70, 100), Worlds(15, 100), 5),
    "7.trees-short": MoralTurn(Worlds(77, 0), Worlds(25, 0), 40),
    "7.cascade-closer": MoralTurn(Worlds(60, 0), Worlds(5, 0), 40),
    "7.cascade-over": MoralTurn(Worlds(30, 0), Worlds(80, 0), 45),
    "7.capped-closer": MoralTurn(Worlds(60, 0), Worlds(5, 0), 40),
    "7.cap-helps": MoralTurn(Worlds(20, 0), Worlds(70, 0), 40),
    "7.refit-weekly": MoralTurn(Worlds(80, 30), Worlds(20, 30), 55),
    "7.refit-monthly-does": MoralTurn(Worlds(75, 85), Worlds(10, 85), 20),
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
