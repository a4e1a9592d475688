"""Alarms against loops, and a CUSUM's run length against tables and a Markov chain."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from casebook.contracts import ContractError
from casebook.monitoring import average_run_length, cusum, days_to_detect, false_alarm_rate, first_alarm

readings = st.lists(st.floats(-5, 5), min_size=1, max_size=40)
ROUNDING = 1e-9


@given(readings, st.floats(-3, 3), st.integers(1, 5))
def test_first_alarm_is_the_loop(values, threshold, patience):
    streak, expected = 0, None
    for day, value in enumerate(values):
        streak = streak + 1 if value > threshold else 0
        if streak == patience:
            expected = day
            break
    assert first_alarm(values, threshold, patience=patience) == expected


@given(readings, st.floats(-1, 1), st.floats(0, 1), st.floats(0.1, 5))
def test_cusum_is_pages_recursion(values, target, slack, limit):
    path, total = [], 0.0
    for value in values:
        total = max(0.0, total + value - target - slack)
        path.append(total)
    found = cusum(values, target, slack=slack, limit=limit)
    np.testing.assert_allclose(found.path, path, atol=ROUNDING)
    assert found.alarm == first_alarm(found.path, limit)


def run_length_by_markov_chain(shift, slack, limit, states=200):
    """Brook and Evans (1972): the sum moves between small cells below the limit."""
    width = 2 * limit / (2 * states - 1)
    centres = np.arange(states) * width
    high = norm.cdf(centres[None, :] + width / 2 - centres[:, None] + slack - shift)
    low = norm.cdf(centres[None, :] - width / 2 - centres[:, None] + slack - shift)
    low[:, 0] = 0
    return np.linalg.solve(np.eye(states) - (high - low), np.ones(states))[0]


@pytest.mark.parametrize(("shift", "published"), [(1.0, 8.38), (2.0, 3.34), (0.0, None)])
def test_run_length_is_the_published_one_and_the_markov_chains(shift, published):
    twin = run_length_by_markov_chain(shift, slack=0.5, limit=4)
    if published is not None:  # Montgomery (2013), table 9.3: k = 0.5, h = 4; far from 0 one side decides
        assert twin == pytest.approx(published, abs=0.02)
    sample = norm.ppf((np.arange(20_000) + 0.5) / 20_000) + shift
    found = average_run_length(sample, 0.0, slack=0.5, limit=4, rng=np.random.default_rng(0), runs=4000)
    assert found.cut_off == 0
    assert abs(found.mean - twin) < 4 * found.standard_error
    assert found.standard_error < 0.03 * twin


def test_run_length_says_what_it_cut_off():
    found = average_run_length([0.0, -1.0], 0.0, slack=0.1, limit=1, rng=np.random.default_rng(0), runs=7, longest=20)
    assert (found.mean, found.cut_off) == (20, 7)


def test_a_small_lasting_shift_is_found_by_the_sum_and_not_by_a_single_reading():
    rng = np.random.default_rng(1)
    runs = rng.normal(0, 1, (300, 60))
    runs[:, 20:] += 0.75
    sums = np.array([cusum(run, 0, slack=0.375, limit=5).path > 5 for run in runs])
    single = runs > np.quantile(rng.normal(0, 1, 100_000), 0.998)
    assert np.nanmedian(days_to_detect(sums, 20)) < np.nanmedian(days_to_detect(single, 20))
    assert (~np.isnan(days_to_detect(sums, 20))).mean() > (~np.isnan(days_to_detect(single, 20))).mean()


def test_days_to_detect_ignores_what_rang_before_and_tells_what_never_rang():
    alarms = np.zeros((3, 6), dtype=bool)
    alarms[0, [0, 4]] = alarms[1, 2] = True
    alarms[2, 1] = True
    np.testing.assert_array_equal(days_to_detect(alarms, 2), [2, 0, np.nan])
    assert days_to_detect(alarms[0], 2) == 2
    assert np.isnan(days_to_detect(alarms[2], 2))


def test_false_alarm_rate_of_a_quantile_is_its_tail():
    values = np.random.default_rng(2).normal(size=10_000)
    assert false_alarm_rate(values, np.quantile(values, 0.95)) == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: first_alarm([1, 2], 1, patience=0),
            "patience must be 1 or more, got 0; give the readings in a row that ring the alarm.",
        ),
        (
            lambda: first_alarm([1, np.nan], 1),
            "values, row 1 must be a finite number, got a missing value; fill it in or drop the day.",
        ),
        (
            lambda: false_alarm_rate(["a"], 1),
            "null_values must be numbers, got 'a' in row 0; pass one reading per day.",
        ),
        (
            lambda: days_to_detect([0.1, 0.2], 1),
            "alarms must be bools of shape (days,) or (runs, days), got float64 of shape (2,); compare first.",
        ),
        (lambda: days_to_detect([True], 1), "started must be in 0 to 0, got 1; give the day by its position."),
        (
            lambda: cusum([1], 0, slack=-1, limit=1),
            "slack must be 0 or more, got -1; take half of the shift that matters.",
        ),
        (
            lambda: cusum([1], 0, slack=1, limit=0),
            "limit must be above 0, got 0; take a few standard deviations of a reading.",
        ),
        (
            lambda: average_run_length([1], 0, slack=0, limit=1, rng=np.random.default_rng(0), runs=1),
            "runs must be 2 or more, with longest 1 or more, got 1 and 10000; take about a thousand runs.",
        ),
    ],
)
def test_refusals(call, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        call()
