"""Cost curves, the picture of the money, and the calculator's binormal model."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from casebook.contracts import ContractError
from casebook.decisions import Costs, best_cut, cost_curve, decide, money, operating_point, where_money_goes

scored = st.lists(st.tuples(st.booleans(), st.integers(0, 10).map(lambda k: k / 10)), min_size=2, max_size=25).filter(
    lambda rows: 0 < sum(label for label, _ in rows) < len(rows)
)
ROUNDING = 1e-9


@given(scored, st.floats(0.1, 30))
def test_a_point_of_the_cost_curve_is_the_cost_of_the_best_cut(rows, ratio):
    y, p = map(np.array, zip(*rows, strict=True))
    worst = y.sum() * ratio + (~y).sum()
    curve = cost_curve(y, p, n_points=2001)
    x = y.sum() * ratio / worst
    here = np.interp(x, curve["probability_cost"], curve["model"])
    # Slopes are at most 1, so between grid points the curve leaves its chord by less than a step, 1 / 2000.
    assert here == pytest.approx(best_cut(y, p, Costs.from_ratio(ratio)).cost / worst, abs=5e-4)


@given(scored)
def test_a_cost_curve_is_below_both_trivial_policies_and_concave(rows):
    y, p = map(np.array, zip(*rows, strict=True))
    curve = cost_curve(y, p)
    assert (curve["model"] <= curve[["act_on_none", "act_on_all"]].min(axis=1) + ROUNDING).all()
    assert (np.diff(curve["model"], 2) <= ROUNDING).all()
    share = curve["probability_cost"]
    for row in curve.iloc[::10].itertuples():
        act = p > row.threshold
        miss, alarm = (~act & y).sum() / y.sum(), (act & ~y).sum() / (~y).sum()
        own = miss * row.probability_cost + alarm * (1 - row.probability_cost)
        assert row.model == pytest.approx(own, abs=ROUNDING)
    assert (share.iloc[0], share.iloc[-1]) == (0, 1)


def test_a_perfect_score_costs_nothing_anywhere():
    assert cost_curve([0, 0, 1], [0.1, 0.2, 0.3])["model"].tolist() == [0] * 101


@given(scored, st.lists(st.floats(0, 1), min_size=1, max_size=5), st.booleans())
def test_where_money_goes_adds_up_to_money(rows, thresholds, by_case):
    y, p = map(np.array, zip(*rows, strict=True))
    fn = np.arange(5.0, 5 + len(y)) if by_case else 95.0
    costs = Costs(5, fn, tp=-2, tn=1)
    table = where_money_goes(y, p, costs, thresholds)
    for row, at in zip(table.itertuples(), thresholds, strict=True):
        act = p > at
        assert row.total == pytest.approx(money(y, act, costs), abs=1e-8)
        assert row.cost_fp_part == pytest.approx(5 * (act & ~y).sum(), abs=1e-8)
        assert row.cost_fn_part == pytest.approx(np.where(~act & y, fn, 0).sum(), abs=1e-8)


def test_a_rising_threshold_moves_money_from_false_alarms_to_misses():
    rng = np.random.default_rng(0)
    p = rng.random(500)
    table = where_money_goes(rng.random(500) < p, p, Costs(5, 95), np.linspace(0, 1, 21))
    assert (np.diff(table["cost_fp_part"]) <= 0).all()
    assert (np.diff(table["cost_fn_part"]) >= 0).all()
    assert (table["cost_right_part"] == 0).all()


@pytest.mark.parametrize(("base_rate", "auc"), [(0.02, 0.9), (0.2, 0.75), (0.5, 0.6)])
def test_the_calculator_agrees_with_drawn_cases(base_rate, auc):
    rng, n = np.random.default_rng(5), 400_000
    y = rng.random(n) < base_rate
    distance = math.sqrt(2) * norm.ppf(auc)
    score = rng.normal(distance * y, 1)
    odds = base_rate / (1 - base_rate) * norm.pdf(score, distance) / norm.pdf(score)
    p, costs = odds / (1 + odds), Costs(5, 95)
    act = decide(p, costs)
    point = operating_point(5, 95, base_rate, auc)
    noise = 5 / math.sqrt(n)  # five standard errors of a share, at most half as large each
    assert roc_auc_score(y, score) == pytest.approx(auc, abs=0.01)
    assert act.mean() == pytest.approx(point.acted_per_1000 / 1000, abs=noise)
    assert act[y].mean() == pytest.approx(point.recall, abs=5 / (2 * math.sqrt(y.sum())))
    assert act[~y].mean() == pytest.approx(point.fpr, abs=5 / (2 * math.sqrt((~y).sum())))
    assert y[act].mean() == pytest.approx(point.precision, abs=5 / (2 * math.sqrt(act.sum())))
    for decisions, cost in ((act, point.cost_per_1000), (p > 0.5, point.cost_per_1000_at_half)):
        per_case = np.where(decisions, ~y * 5.0, y * 95.0)
        assert per_case.mean() * 1000 == pytest.approx(cost, abs=5 * 1000 * per_case.std() / math.sqrt(n))


rate = st.floats(0.001, 0.999)


@given(st.floats(0.1, 100), st.floats(0.1, 100), rate, st.floats(0.5, 0.999), st.floats(0, 1))
def test_the_implied_threshold_is_never_dearer_than_another(cost_fp, cost_fn, base_rate, auc, other):
    best = operating_point(cost_fp, cost_fn, base_rate, auc)
    rival = operating_point(cost_fp, cost_fn, base_rate, auc, threshold=other)
    rivals = [rival.cost_per_1000, best.cost_per_1000_at_half, best.cost_per_1000_do_nothing]
    assert best.cost_per_1000 <= min(*rivals, best.cost_per_1000_act_on_all) + 1e-6


def test_the_ends_of_the_calculator():
    none, everyone = operating_point(5, 95, 0.02, 0.9, threshold=1), operating_point(5, 95, 0.02, 0.9, threshold=0)
    assert (none.recall, none.fpr, none.cost_per_1000) == (0, 0, none.cost_per_1000_do_nothing)
    assert math.isnan(none.precision)
    assert (everyone.recall, everyone.fpr, everyone.precision) == (1, 1, 0.02)
    assert everyone.cost_per_1000 == everyone.cost_per_1000_act_on_all
    assert none.cost_per_1000_do_nothing == pytest.approx(0.02 * 95 * 1000)
    assert everyone.cost_per_1000_act_on_all == pytest.approx(0.98 * 5 * 1000)
    useless = operating_point(5, 95, 0.02, 0.5)
    assert useless.cost_per_1000 == min(useless.cost_per_1000_do_nothing, useless.cost_per_1000_act_on_all)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: operating_point(5, 95, 2, 0.9),
            "base_rate must be above 0 and below 1, got 2; give it as a share, such as 0.02.",
        ),
        (
            lambda: operating_point(5, 95, 0.1, 0.4),
            "auc must be at least 0.5 and below 1, got 0.4; turn the score round if it is below 0.5.",
        ),
        (lambda: operating_point(5, 95, 0.1, 0.9, 5), "threshold must be in [0, 1], got 5; give it on the scale of p."),
        (
            lambda: operating_point(0, 95, 0.1, 0.9),
            "cost_fp must be above cost_tn, got 0 against 0; make the mistake dearer than the right decision.",
        ),
        (lambda: cost_curve([1, 1], [0.1, 0.2]), "y must be labels of both classes, got only 1; take cases of both."),
    ],
)
def test_refusals(call, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        call()
