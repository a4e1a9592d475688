"""Capped means: scipy's winsorising, caps of both arms together, what they hide, and Kohavi's table."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats.mstats import winsorize

from casebook.contracts import ContractError
from casebook.experiments import capped_difference, difference, units_for_skew, winsorise

SUMS = 1e-8
# 2,000 repetitions: three standard errors of 0.0049.
BAND, REPEATS = 0.0146, 2_000

seeds = st.integers(0, 2**32)


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def spend(rng, n=400, more=0.0):
    arms = rng.permutation(n) < n // 2
    return rng.lognormal(0, 1.5, n) * (1 + more * arms), arms


@given(seeds, st.sampled_from([(0.0, 0.99), (0.05, 0.9), (0.1, 1.0)]))
def test_winsorising_is_scipys(seed, ends):
    lower, upper = ends
    y, _ = spend(np.random.default_rng(seed))
    got = winsorise(y, lower=lower, upper=upper)
    # 400 rows: each share is a whole number of them. The caps are rows too, so one fewer moves up than lie at or below.
    below, above = max(round(400 * lower) - 1, 0), 400 - round(400 * upper)
    theirs = winsorize(y, limits=((below + 0.5) / 400, (above + 0.5) / 400))
    np.testing.assert_array_equal(got, np.asarray(theirs))
    assert (got != y).sum() == below + above


@given(seeds)
def test_what_is_seen_and_what_is_hidden_add_up_to_the_plain_difference(seed):
    y, arms = spend(np.random.default_rng(seed))
    got, plain = capped_difference(y, arms, upper=0.95), difference(y, arms)
    assert got.effect.estimate + got.hidden.estimate == pytest.approx(plain.estimate, abs=SUMS)
    assert got.effect == difference(winsorise(y, upper=0.95), arms)
    assert got.share == pytest.approx(0.05) and got.high in y
    assert got.effect.se < plain.se


@given(seeds)
def test_arms_scale_and_order(seed):
    rng = np.random.default_rng(seed)
    y, arms = spend(rng)
    there, back, wide = (capped_difference(a * y, b) for a, b in ((1, arms), (1, ~arms), (7, arms)))
    assert (back.effect.estimate, back.hidden.estimate) == pytest.approx(
        (-there.effect.estimate, -there.hidden.estimate), abs=SUMS
    )
    assert (wide.effect.low, wide.hidden.low, wide.high) == pytest.approx(
        (7 * there.effect.low, 7 * there.hidden.low, 7 * there.high), rel=1e-7
    )
    turn = rng.permutation(400)
    assert capped_difference(y[turn], arms[turn]).effect.estimate == pytest.approx(there.effect.estimate, abs=SUMS)


def test_a_cap_beyond_all_leaves_nothing_hidden():
    y, arms = spend(np.random.default_rng(1))
    got = capped_difference(y, arms, upper=1)
    assert (got.share, got.hidden.estimate) == (0, 0) and np.isnan(got.hidden.low)
    assert got.effect == difference(y, arms)


@pytest.mark.slow
def test_the_interval_keeps_its_level_and_the_bias_is_what_is_hidden():
    rng = np.random.default_rng(2)
    alarms, seen = 0, []
    for _ in range(REPEATS):
        y, arms = spend(rng)
        alarms += capped_difference(y, arms, upper=0.95).effect.p < 0.05
        more, arms = spend(rng, more=0.2)
        got = capped_difference(more, arms, upper=0.95)
        seen.append((got.effect.estimate, got.hidden.estimate))
    assert alarms / REPEATS == pytest.approx(0.05, abs=BAND)
    effect, hidden = np.mean(seen, axis=0)
    truth = 0.2 * np.exp(1.5**2 / 2)
    error = np.std(np.sum(seen, axis=1)) / np.sqrt(REPEATS)
    assert effect + hidden == pytest.approx(truth, abs=3 * error)
    # A lift of a fifth for all is understated by more than ten standard errors of the mean capped effect.
    assert effect < truth - 10 * np.std([one for one, _ in seen]) / np.sqrt(REPEATS)


@pytest.mark.slow
def test_the_capped_interval_covers_the_effect_on_the_capped_mean():
    rng = np.random.default_rng(3)
    # The caps of a large sample of both arms stand for the population's.
    y, arms = spend(rng, 2_000_000, more=0.2)
    truth = capped_difference(y, arms, upper=0.95).effect.estimate
    hits = 0
    for _ in range(REPEATS):
        y, arms = spend(rng, 1_000, more=0.2)
        got = capped_difference(y, arms, upper=0.95).effect
        hits += got.low < truth < got.high
    assert hits / REPEATS == pytest.approx(0.95, abs=BAND)


def test_the_rule_for_skew_gives_the_sizes_of_bings_revenue():
    # Capped at 10 dollars a user and week, its skewness fell from 18 (17.9) to 5 (5.2) and the least sample tenfold,
    # from 114,000 to 10,000 (Kohavi, Tang and Xu 2020, chapter 17).
    assert units_for_skew(17.9) == pytest.approx(114_000, abs=500)
    assert units_for_skew(5.2) == pytest.approx(10_000, abs=500)
    assert units_for_skew(-17.9) == units_for_skew(17.9)


@pytest.mark.slow
def test_below_the_rules_size_the_interval_misses_on_one_side_and_at_it_about_alike():
    rng = np.random.default_rng(4)
    # Exponential: skewness 2, so 1,420 units.
    assert units_for_skew(2) == 1420
    sides = {}
    for n in (20, units_for_skew(2)):
        y = rng.exponential(size=(REPEATS, n))
        score = (y.mean(axis=1) - 1) / (y.std(axis=1, ddof=1) / np.sqrt(n))
        sides[n] = np.mean(score < -1.96), np.mean(score > 1.96)
    assert sides[20][0] > 5 * sides[20][1]
    # The rule's promise: a nominal 0.025 on each side is between 0.02 and 0.03; three standard errors of 0.0035.
    assert max(abs(share - 0.025) for share in sides[1420]) < 0.005 + 3 * 0.0035


def test_a_constant_has_no_need_of_more_than_two():
    assert units_for_skew(0) == 2


Y, T = [0.0, 0, 0, 0, 0, 0, 0, 9], [0, 1] * 4


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: winsorise(Y, upper=0.5),
            "the caps must be apart, got 0 for both; take an upper quantile beyond the share of equal values.",
        ),
        (
            lambda: winsorise(Y, upper=99),
            "lower and upper must be quantiles in [0, 1] in this order, got 0.0 and 99; pass 0 and 0.99, for one.",
        ),
        (
            lambda: capped_difference(Y, T, lower=0.9, upper=0.1),
            "lower and upper must be quantiles in [0, 1] in this order, got 0.9 and 0.1; pass 0 and 0.99, for one.",
        ),
        (
            lambda: capped_difference([1, None, 2, 3], [0, 0, 1, 1]),
            "y, row 1 must be a finite number, got a missing value; "
            "give every randomised unit one, for dropping some undoes the randomisation.",
        ),
        (lambda: units_for_skew(float("nan")), "skewness must be a finite number, got nan; fill it in."),
        (lambda: units_for_skew([1, 2]), "skewness must be one number, got list; pass a single number."),
    ],
)
def test_bad_caps_are_refused_in_one_sentence(call, text):
    with says(text):
        call()
