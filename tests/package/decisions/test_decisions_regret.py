"""Regret over a range of cost ratios, and the ratio at which two policies change places."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.decisions import (
    Costs,
    best_cut,
    decide,
    flip_ratio,
    minimax_regret_cut,
    money,
    regret_table,
    threshold,
    threshold_range,
)

scored = st.lists(st.tuples(st.booleans(), st.integers(0, 10).map(lambda k: k / 10)), min_size=2, max_size=25)
ratio = st.integers(1, 50)
ROUNDING = 1e-9


@given(ratio, ratio)
def test_a_threshold_range_is_the_threshold_of_each_end(one, other):
    low, high = min(one, other), max(one, other)
    assert threshold_range(low, high) == pytest.approx((threshold(1, high), threshold(1, low)), rel=ROUNDING)


@given(scored, st.lists(ratio, min_size=1, max_size=4), st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_regret_is_money_less_that_of_the_best_cut(rows, ratios, thresholds):
    y, p = map(np.array, zip(*rows, strict=True))
    table = regret_table(y, p, ratios, thresholds).to_numpy()
    assert (table >= 0).all()
    for i, r in enumerate(ratios):
        costs = Costs.from_ratio(r)
        for j, at in enumerate(thresholds):
            regret = money(y, p > at, costs) - best_cut(y, p, costs).cost
            assert table[i, j] == pytest.approx(regret, abs=ROUNDING)


@given(scored, ratio, ratio)
def test_no_cut_has_a_smaller_worst_regret_and_the_ends_of_a_range_suffice(rows, one, other):
    y, p = map(np.array, zip(*rows, strict=True))
    low, high = min(one, other), max(one, other)
    chosen = minimax_regret_cut(y, p, [low, high])
    every_cut = regret_table(y, p, [low, high], np.append(np.unique(p), -1.0))
    assert chosen.regret == pytest.approx(every_cut.max(axis=0).min(), abs=ROUNDING)
    dense = minimax_regret_cut(y, p, np.linspace(low, high, 20))
    assert dense.regret == pytest.approx(chosen.regret, abs=1e-7)
    at = max(chosen.threshold, -1.0)
    assert regret_table(y, p, [chosen.worst_ratio], [at]).to_numpy()[0, 0] == pytest.approx(chosen.regret, abs=ROUNDING)


@given(scored, ratio)
def test_with_one_ratio_minimax_regret_is_the_best_cut(rows, r):
    y, p = map(np.array, zip(*rows, strict=True))
    chosen = minimax_regret_cut(y, p, [r])
    assert (chosen.threshold, chosen.regret) == (best_cut(y, p, Costs.from_ratio(r)).threshold, 0)


policies = st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=25)


@given(policies)
def test_below_the_flip_one_policy_is_cheaper_and_above_it_the_other(rows):
    y, a, b = map(np.array, zip(*rows, strict=True))
    flip = flip_ratio(y, a, b)

    def lead_of_a(r):
        return money(y, b, Costs.from_ratio(r)) - money(y, a, Costs.from_ratio(r))

    if math.isnan(flip):
        signs = {np.sign(lead_of_a(r)) for r in (1e-3, 0.1, 1, 10, 1e3)}
        assert not {-1.0, 1.0} <= signs
    else:
        assert lead_of_a(flip) == pytest.approx(0, abs=ROUNDING)
        assert lead_of_a(flip * 0.99) * lead_of_a(flip * 1.01) < 0
        misses_less = b if (~b & y).sum() < (~a & y).sum() else a
        cheaper_above = a if lead_of_a(flip * 1.01) > 0 else b
        np.testing.assert_array_equal(cheaper_above, misses_less)


def test_known_flips():
    y = [0, 0, 0, 1, 1]
    # b raises three more false alarms and misses one less: it pays from a ratio of three.
    assert flip_ratio(y, [0, 0, 0, 0, 1], [1, 1, 1, 1, 1]) == 3.0
    assert flip_ratio(y, [1, 1, 1, 1, 1], [0, 0, 0, 0, 1]) == 3.0
    assert math.isnan(flip_ratio(y, [0, 0, 0, 1, 1], [1, 0, 0, 0, 1]))
    assert math.isnan(flip_ratio(y, y, y))


def test_two_thresholds_change_places_between_the_ratios_that_imply_them():
    rng = np.random.default_rng(3)
    p = rng.beta(1, 4, 100_000)
    y = rng.random(len(p)) < p
    flip = flip_ratio(y, decide(p, Costs.from_ratio(1)), decide(p, Costs.from_ratio(9)))
    assert 1 < flip < 9


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: threshold_range(20, 5), "ratio_low must be at most ratio_high, got 20 against 5; swap the two."),
        (lambda: threshold_range(0, 5), "ratios, row 0 must be above 0, got 0; divide cost_fn by cost_fp."),
        (
            lambda: minimax_regret_cut([0, 1], [0.1, 0.2], [3, -1]),
            "ratios, row 1 must be above 0, got -1; divide cost_fn by cost_fp.",
        ),
        (
            lambda: flip_ratio([0, 1], [0, 1], [1]),
            "act_b must be 2 long, got 1 rows; take all arguments from one table.",
        ),
        (
            lambda: regret_table([0, 1], pd.Series([0.1]), [1], [0.5]),
            "p must be 2 long, got 1 rows; take all arguments from one table.",
        ),
    ],
)
def test_refusals(call, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        call()
