"""Forecasts of several days together, against closed forms, samples and known truth; and test weeks cut from a past."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from casebook.contracts import ContractError
from casebook.demand.path_forecasts import (
    QuantileGrid,
    SamplePaths,
    count_quantile,
    day_correlation,
    sum_variance,
    window,
)
from casebook.demand.recent_moments import RecentMoments
from casebook.demand.simulate import simulate
from casebook.demand.trial import LEAD_IN, cut_trial, model_forecast
from casebook.demand.world import World

# A tabulated quantile function of 19 levels is straight between them: its mean and spread are off by a few percent,
# which is a unit or two in a sum of about 30.
GRID = 2.0
# Sampling error of a mean, and of an estimated correlation, over the draws used here.
SAMPLED = 0.03
LEVELS = np.arange(0.05, 0.96, 0.05).round(2)


def rng(seed=7):
    return np.random.default_rng(seed)


def small_world(seed):
    history = simulate(World(), 3, 28, rng(seed), days=168)
    return cut_trial(history, 105, LEAD_IN + 56)


# --- quantiles of counts and of sums


@settings(deadline=None)
@given(st.floats(0.1, 200), st.floats(1.01, 8), st.floats(0.01, 0.99))
def test_count_quantiles_are_the_negative_binomials(mean, ratio, tau):
    n, p = mean / (ratio - 1), 1 / ratio
    found = float(count_quantile(mean, mean * ratio, tau))
    law = stats.nbinom(n, p)
    assert law.cdf(found) >= tau - 1e-9 and (found == 0 or law.cdf(found - 1) < tau + 1e-9)


def test_count_quantiles_without_spread():
    assert count_quantile([3.0, 3.0, 2.5], [3.0, 0.0, 0.0], 0.5).tolist() == [stats.poisson(3).ppf(0.5), 3.0, 3.0]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_the_variance_of_a_sum_is_that_of_its_covariance_matrix(seed, correlation):
    variance, inside = rng(seed).uniform(0, 9, (3, 5)), rng(seed).random((3, 5)) < 0.6
    found = sum_variance(variance, inside, correlation)
    for row in range(3):
        sd = np.sqrt(variance[row, inside[row]])
        matrix = np.outer(sd, sd) * (correlation + (1 - correlation) * np.eye(len(sd)))
        assert found[row] == pytest.approx(matrix.sum())


def test_a_window_by_cell():
    assert window(0, (2, 4), np.array([0, 3]), 2).tolist() == [[True, True, False, False], [False, False, False, True]]


@pytest.mark.parametrize("tau", [0.5, 0.833, 0.95])
def test_a_grid_of_independent_days_gives_the_sums_quantile(tau):
    """Seven negative binomials of one p add up to one: the closed form against the grid's moments."""
    daily, week = stats.nbinom(2, 1 / 3), stats.nbinom(14, 1 / 3)
    grid = QuantileGrid(0, np.tile(daily.ppf(LEVELS), (1, 7, 1)), LEVELS.tolist(), 0.0)
    assert abs(float(grid.quantile(0, 7, tau)[0]) - week.ppf(tau)) <= GRID
    assert abs(float(grid.mean(0, 7)[0]) - week.mean()) <= GRID


def test_a_grid_that_moves_as_one_day_has_the_sum_of_quantiles():
    daily = stats.nbinom(2, 1 / 12)
    grid = QuantileGrid(0, np.tile(daily.ppf(LEVELS), (1, 7, 1)), LEVELS.tolist(), 1.0)
    assert float(grid.quantile(0, 7, 0.8)[0]) == pytest.approx(float(grid.sum_of_quantiles(0, 7, 0.8)[0]), rel=0.05)


def test_one_day_of_a_grid_is_its_own_quantile():
    grid = QuantileGrid(0, [[[1.0, 3.0, 9.0], [2.0, 2.0, 2.0]]], [0.1, 0.5, 0.9], 0.3)
    assert grid.quantile(0, 1, [0.5]).tolist() == [3.0]
    assert grid.quantile(0, 1, [0.7]).tolist() == pytest.approx([6.0])
    assert grid.sum_of_quantiles(0, 2, 0.99).tolist() == [11.0]
    assert grid.mean(2, 5).tolist() == [0.0]


@pytest.mark.parametrize("tau", [0.2, 0.5, 0.9])
def test_paths_give_the_samples_quantile(tau):
    paths = rng().poisson([[3.0], [8.0]], (501, 2, 12)).transpose(0, 1, 2)
    found = SamplePaths(5, paths).quantile(np.array([5, 7]), np.array([2, 10]), tau)
    expected = [np.quantile(paths[:, 0, :2].sum(axis=1), tau, method="inverted_cdf")]
    expected += [np.quantile(paths[:, 1, 2:12].sum(axis=1), tau, method="inverted_cdf")]
    assert found.tolist() == expected
    each = np.quantile(paths[:, :, :2], tau, axis=0, method="inverted_cdf").sum(axis=1)
    assert SamplePaths(5, paths).sum_of_quantiles(5, 2, tau).tolist() == each.tolist()


def test_recent_moments_recover_means_weekdays_and_dispersion():
    truth = 4 * np.array([0.8, 0.8, 0.8, 0.9, 1.1, 1.4, 1.2])
    sold = rng().negative_binomial(2, 2 / (2 + np.tile(truth, 8)), (3_000, 56))
    recent = RecentMoments(56, sold)
    for day in range(7):
        assert recent.mean(56 + day, 1).mean() == pytest.approx(truth[day], rel=SAMPLED)
    assert recent.correlation < SAMPLED
    week = stats.nbinom(14, 2 / (2 + 4)).ppf(0.9)  # of seven days of the mean rate
    assert np.median(recent.quantile(56, 7, 0.9)) == pytest.approx(week, rel=0.1)


def test_recent_moments_recover_the_correlation():
    """Gamma levels by week make days of a week hang together: the share of variance that is shared."""
    level = rng().gamma(4, 1 / 4, (2_000, 8, 1))
    sold = rng(8).poisson(np.broadcast_to(6 * level, (2_000, 8, 7))).reshape(2_000, 56)
    shared, own = 36 / 4, 6
    assert RecentMoments(56, sold).correlation == pytest.approx(shared / (shared + own), abs=SAMPLED)


def test_recent_moments_roll_on_and_forget():
    recent = RecentMoments(14, np.zeros((1, 14)))
    for day in range(14, 28):
        recent.watch(day, np.array([5]))
    assert recent.mean(28, 7).tolist() == [35.0]


def test_what_is_ordered_ahead_is_certain():
    wanted = rng().poisson(5, (4, 28))
    recent = RecentMoments(14, wanted[:, :14], wanted)
    want = wanted[:, 15:18].sum(axis=1).tolist()
    for found in (recent.mean(15, 3), recent.quantile(15, 3, 0.01), recent.sum_of_quantiles(15, 3, 0.99)):
        assert found.tolist() == want


# --- test weeks cut from a past


def test_a_trial_is_what_the_tables_say():
    history = simulate(World(), 3, 28, rng(), days=168)
    trial = cut_trial(history, 105, 59)
    sales, truth = history.tables["sales"], history.truth
    for cell in (0, len(trial.supply) - 1):
        store, sku = trial.keys[["store_id", "sku_id"]].iloc[cell]
        mine = (sales["store_id"] == store) & (sales["sku_id"] == sku)
        days = sales.loc[mine, "day"]
        test = mine & sales["day"].between(105, 163)
        before = mine & sales["day"].between(49, 104)
        assert days.min() <= 49 and days.max() >= 163
        assert trial.wanted[cell].tolist() == truth.loc[test, "demand"].tolist()
        assert trial.sold[cell].tolist() == sales.loc[before, "sold"].tolist()
        assert trial.before[cell].tolist() == truth.loc[before, "demand"].tolist()
        assert trial.price[cell].tolist() == (sales.loc[test, "price_cents"] / 100).tolist()
        assert trial.stock[cell] == truth.loc[mine & (sales["day"] == 104), "stock_close"].item()


def test_a_models_rows_become_its_grid():
    """In any order, and with rows of other cells and days among them."""
    trial = small_world(0)
    days = np.arange(trial.first_day - 7, trial.first_day + 60)
    rows = trial.keys.loc[trial.keys.index.repeat(len(days))].assign(day=np.tile(days, len(trial.keys)))
    value = rows["store_id"] + rows["sku_id"] / 100 + rows["day"] / 1_000
    shuffled = rng().permutation(len(rows))
    forecasts = pd.DataFrame({0.2: value, 0.8: value}).iloc[shuffled]
    forecast = model_forecast(trial, rows.iloc[shuffled], forecasts, 0.0)
    ids = trial.keys["store_id"] + trial.keys["sku_id"] / 100
    for day in (trial.first_day, trial.first_day + 58):
        np.testing.assert_allclose(forecast.quantile(day, 1, 0.5), ids + day / 1_000)


@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_the_correlation_of_days_is_recovered_whatever_the_scale(factor):
    level, own = rng(1).standard_normal((20_000, 1)), rng(2).standard_normal((20_000, 7))
    sd = rng(3).uniform(1, 4, (20_000, 7))
    y = 9 + sd * (np.sqrt(0.2) * level + np.sqrt(0.8) * own)
    assert day_correlation(y, np.full_like(y, 9.0), factor * sd) == pytest.approx(0.2, abs=SAMPLED)


def missing_day():
    trial = small_world(0)
    rows = trial.keys.loc[trial.keys.index.repeat(58)].assign(day=np.tile(106 + np.arange(58), len(trial.keys)))
    return trial, rows, pd.DataFrame({0.2: 1.0, 0.8: 2.0}, index=rows.index)


def test_a_model_without_the_first_days_is_refused():
    with pytest.raises(ContractError) as error:
        model_forecast(*missing_day(), 0.0)
    first = small_world(0).keys.iloc[0]
    assert str(error.value) == (
        f"rows must be one for each cell and day played, got none for store {first['store_id']}, product "
        f"{first['sku_id']}, day 105; roll from the Sunday eight days before the first day."
    )


def test_a_models_row_twice_is_refused():
    trial, rows, forecasts = missing_day()
    twice = rows.assign(day=106)
    with pytest.raises(ContractError) as error:
        model_forecast(trial, twice, forecasts, 0.0)
    first = trial.keys.iloc[0]
    assert str(error.value) == (
        f"rows must be one for each cell and day, got two of store {first['store_id']}, product {first['sku_id']}, "
        "day 106; keep one origin."
    )


# --- what is refused

PATHS = np.ones((2, 1, 7))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: SamplePaths(0, np.ones((2, 7))),
            "paths must be of shape (draws, cells, days), got shape (2, 7); put draws first.",
        ),
        (lambda: SamplePaths(7, PATHS).mean(6, 2), "day must be 7 or later, got 6; forecast from an earlier day on."),
        (
            lambda: QuantileGrid(0, np.ones((1, 7, 2)), [0.1, 0.5, 0.9], 0.0),
            "quantiles must be of shape (cells, days, 3), got shape (1, 7, 2); put levels last.",
        ),
        (
            lambda: QuantileGrid(0, np.ones((1, 7, 2)), [0.1, 0.5], 20.0),
            "correlation must be in [0, 1], got 20; divide percentages by 100.",
        ),
        (
            lambda: day_correlation(np.ones(7), np.ones(7), np.ones(7)),
            "y must be of shape (weeks, days), two or more of both, got shape (7,); put each week in a row.",
        ),
        (
            lambda: RecentMoments(56, np.ones((2, 13))),
            "sold must be of shape (cells, whole weeks, two or more), got shape (2, 13); pass 56 days.",
        ),
        (
            lambda: cut_trial(simulate(World(), 1, 4, rng(), days=84), 58, 7),
            "first_day must be a Monday, a multiple of 7, got 58; start on an order day.",
        ),
        (
            lambda: cut_trial(simulate(World(), 1, 4, rng(), days=84), 63, 22),
            "the trial must be within days 0 to 83, got days 7 to 84; simulate more days or play fewer.",
        ),
    ],
)
def test_what_is_refused(call, text):
    with pytest.raises(ContractError) as error:
        call()
    assert str(error.value) == text
