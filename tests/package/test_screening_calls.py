"""Accounts that a call may save: the gain's formula, the best list, and where risk alone finds it."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit

from casebook.screening.actions import called_gain, simulate_calls

N = 20_000
Z = 4.5  # standard errors: one sound test in a hundred thousand would fail
ROUNDING = 1e-9  # sums of a few thousand products in float64
MEAN_VALUE = 3_000  # dollars, as in simulate_calls

alignments = st.floats(-1, 1)
save_rates = st.floats(0, 0.5)
spreads = st.floats(0, 1.5)
seeds = st.integers(0, 2**32)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(alignments, save_rates, spreads, seeds)
def test_the_gain_is_what_a_call_changes_in_dollars(alignment, save_rate, spread, seed):
    accounts = simulate_calls(50, alignment, save_rate, spread, rng(seed))
    called = accounts["risk"] * (1 - accounts["kept"])
    np.testing.assert_allclose(accounts["gain"], (accounts["risk"] - called) * accounts["value"], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(accounts["uplift"], accounts["risk"] - called, rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(accounts["risk_value"], accounts["risk"] * accounts["value"])
    assert accounts["kept"].between(0, 1).all()
    assert accounts["risk"].between(0, 1).all()
    assert (accounts["value"] > 0).all()


@given(save_rates, seeds)
def test_the_mean_share_kept_is_the_save_rate(save_rate, seed):
    accounts = simulate_calls(200, 0.3, save_rate, 0.5, rng(seed))
    assert accounts["kept"].mean() == pytest.approx(save_rate, rel=ROUNDING)


def test_risk_is_a_logit_of_a_normal_score_and_values_have_their_mean():
    accounts = simulate_calls(N, 0.0, 0.1, 1.0, rng(1))
    score = (np.log(accounts["risk"] / (1 - accounts["risk"])) + 3) / 1.2
    assert stats.kstest(score, "norm").pvalue > 1e-5
    expected = stats.norm.expect(lambda z: expit(-3 + 1.2 * z))
    assert accounts["risk"].mean() == pytest.approx(expected, abs=Z * accounts["risk"].std() / np.sqrt(N))
    error = np.sqrt((np.e - 1) / N)  # of the mean of a log-normal with log standard deviation one
    assert accounts["value"].mean() == pytest.approx(MEAN_VALUE, rel=Z * error)


@pytest.mark.parametrize("alignment", [-1.0, -0.4, 0.0, 0.6, 1.0])
def test_alignment_is_the_correlation_of_risk_and_persuadability(alignment):
    accounts = simulate_calls(N, alignment, 0.1, 0.0, rng(2))
    # Spearman's of a normal pair: 6 / pi * arcsin(rho / 2) (Pearson 1907).
    expected = 6 / np.pi * np.arcsin(alignment / 2)
    got = stats.spearmanr(accounts["risk"], accounts["kept"]).statistic
    assert got == pytest.approx(expected, abs=Z * 1.1 / np.sqrt(N))


def test_the_same_seed_gives_the_same_accounts():
    pd.testing.assert_frame_equal(*(simulate_calls(100, 0.2, 0.1, 0.5, rng(3)) for _ in range(2)))


@given(alignments, spreads, st.integers(1, 5), seeds)
def test_the_best_list_is_the_best_of_all_lists(alignment, spread, capacity, seed):
    accounts = simulate_calls(9, alignment, 0.2, spread, rng(seed))
    every = [accounts["gain"].to_numpy()[list(rows)].sum() for rows in combinations(range(9), capacity)]
    assert called_gain(accounts, "gain", capacity) == pytest.approx(max(every), rel=ROUNDING)
    for other in ("risk", "kept", "value", "risk_value", "uplift"):
        assert called_gain(accounts, other, capacity) <= max(every) * (1 + ROUNDING)


@given(st.integers(1, 400), seeds)
def test_risk_finds_the_best_list_where_the_riskiest_are_the_most_persuadable_and_worth_the_same(capacity, seed):
    accounts = simulate_calls(400, 1.0, 0.2, 0.0, rng(seed))
    best = called_gain(accounts, "gain", capacity)
    assert called_gain(accounts, "risk", capacity) == pytest.approx(best, rel=ROUNDING)
    assert called_gain(accounts, "kept", capacity) == pytest.approx(best, rel=ROUNDING)


@given(alignments, st.integers(1, 400), seeds)
def test_known_uplift_finds_the_best_list_where_all_are_worth_the_same(alignment, capacity, seed):
    accounts = simulate_calls(400, alignment, 0.2, 0.0, rng(seed))
    best = called_gain(accounts, "gain", capacity)
    assert called_gain(accounts, "uplift", capacity) == pytest.approx(best, rel=ROUNDING)


def test_risk_misses_on_the_chapters_list_by_about_half():
    """The docstring's promise, on the settings of the chapter: risk is not what a call saves."""
    for seed in range(5):
        accounts = simulate_calls(N, -0.4, 0.1, 0.7, rng(seed))
        left = 1 - called_gain(accounts, "risk", 1_200) / called_gain(accounts, "gain", 1_200)
        assert 0.4 < left < 0.6, left  # 0.48 to 0.51 at these seeds


def test_calling_everyone_gains_the_same_by_any_ranking():
    accounts = simulate_calls(300, -0.5, 0.2, 0.8, rng(4))
    whole = accounts["gain"].sum()
    assert all(called_gain(accounts, name, 300) == pytest.approx(whole, rel=ROUNDING) for name in accounts)
    assert called_gain(accounts, "risk", 0) == 0
