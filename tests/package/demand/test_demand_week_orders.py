"""From daily quantiles to an order: moments, the level of a week and packs, against samples and closed forms."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from casebook.contracts import ContractError
from casebook.decisions.fractile import critical_fractile
from casebook.demand.fallbacks import LAST_ORDER
from casebook.demand.path_forecasts import QuantileGrid
from casebook.demand.week_orders import day_moments, sku_taus, week_level, week_orders

MOMENTS = 0.06  # relative; eight quantiles do not tell a distribution
FINE = 0.005  # relative; what straight lines between 160 levels leave
EXACT = 1e-9  # the same sums in another order


def test_a_products_tau_is_its_critical_fractile_within_bounds():
    cents = {
        "price_cents": [400, 300, 300, 500],
        "cost_cents": [300, 300, 200, 100],
        "salvage_cents": [280, 10, 200, 99],
    }
    found = sku_taus(pd.DataFrame({"sku_id": [7, 8, 9, 10], **cents}))
    assert found[7] == pytest.approx(critical_fractile(100, 20))
    assert (found[8], found[9], found[10]) == (0.05, 0.99, 0.99)  # no margin; no loss; almost none


TAUS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


@pytest.mark.parametrize("shape", [1.0, 4.0, 30.0])
def test_moments_of_quantiles_are_those_of_the_gamma_they_come_from(shape):
    mean, sd = day_moments(stats.gamma.ppf([TAUS], shape, scale=5 / shape), TAUS)
    assert mean[0] == pytest.approx(5, rel=MOMENTS)
    assert sd[0] == pytest.approx(5 / np.sqrt(shape), rel=MOMENTS)


@given(st.lists(st.floats(0, 100), min_size=3, max_size=3), st.floats(0.1, 10))
def test_moments_scale_with_the_units_and_crossing_does_no_harm(values, factor):
    taus = (0.2, 0.5, 0.8)
    one, other = (day_moments([scale * np.array(values)], taus) for scale in (1.0, factor))
    np.testing.assert_allclose(other, np.array(one) * factor, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(one, day_moments([sorted(values)], taus))


def test_beyond_the_last_level_the_tail_is_exponential():
    taus = np.linspace(0.005, 0.8, 160)  # a fifth of the probability is left to the tail
    mean, sd = day_moments([stats.expon.ppf(taus, scale=5)], taus)
    assert mean[0] == pytest.approx(5, rel=FINE) and sd[0] == pytest.approx(5, rel=FINE)


@pytest.mark.parametrize("units", [0.0, 0.3, 1 / 3, 5.0, 71.7, 4_321.9])
def test_a_certain_day_has_no_spread_and_a_certain_week_is_ordered_rounded_up(units):
    taus = (0.1, 0.3, 0.5, 5 / 7, 10 / 12, 0.95)
    flat = np.full((1, 7, len(taus)), units)
    mean, sd = day_moments(flat[0], taus)
    np.testing.assert_allclose(mean, units, rtol=EXACT)
    assert not sd.any()
    for correlation in (0.0, 0.3):
        week = QuantileGrid(0, flat, taus, correlation)
        assert week.quantile(0, 7, 0.83).tolist() == [np.ceil(7 * units - 1e-9)]


def test_a_small_spread_is_no_rounding():
    assert day_moments([[1_000.0, 1_000.0, 1_000.001]], (0.1, 0.5, 0.9))[1][0] > 1e-4


@pytest.mark.parametrize("correlation", [0.0, 0.3, 1.0])
def test_the_weeks_level_is_that_of_sampled_weeks(correlation):
    rng = np.random.default_rng(0)
    n, days = 200_000, np.array([3.0, 4, 5, 6, 8, 9, 4])
    shape = 3.0
    normal = np.sqrt(correlation) * rng.standard_normal((n, 1)) + np.sqrt(1 - correlation) * rng.standard_normal((n, 7))
    draws = stats.gamma.ppf(stats.norm.cdf(normal), shape) * days / shape
    found = week_level(days[None], days[None] / np.sqrt(shape), 0.833, correlation)[0]
    assert found == pytest.approx(np.quantile(draws.sum(axis=1), 0.833), rel=0.02)  # the copula's correlation is lower


def test_a_week_of_zeros_orders_nothing_and_more_tau_never_less():
    zeros = np.zeros((2, 7))
    assert week_level(zeros, zeros, 0.9, 0.2).tolist() == [0, 0]
    days = np.full((5, 7), 4.0)
    levels = week_level(days, days, np.array([0.1, 0.5, 0.7, 0.9, 0.99]), 0.2)
    assert np.all(np.diff(levels) > 0)


def one_cell(mean, left=np.nan):
    days = {"store_id": 1, "sku_id": 2, "day": range(7), "mean": mean, "sd": 1.0, "source": LAST_ORDER, "left": left}
    return pd.DataFrame(days).assign(override_id="")


@pytest.mark.parametrize("packs", [1, 2, 3, 7, 11, 49, 1000])
def test_an_order_that_is_repeated_by_sevenths_is_the_same_order(packs):
    orders = week_orders(one_cell(12 * packs / 7), pd.Series({2: 0.8}), pd.Series({2: 12}), 0.2)
    assert orders["packs"].tolist() == [packs]
    assert orders["tau"].isna().all()


def test_a_known_stock_is_taken_off_the_level_and_an_unknown_one_is_not():
    arguments = (pd.Series({2: 0.8}), pd.Series({2: 1}), 0.2)
    unknown, empty, some = (week_orders(one_cell(4.0, left), *arguments) for left in (np.nan, 0.0, 10.0))
    assert unknown["forecast"][0] == 28
    assert empty["forecast"][0] == some["forecast"][0] > 28
    assert empty["order_units"][0] - some["order_units"][0] == 10
    assert week_orders(one_cell(4.0, 99.0), *arguments)["order_units"][0] == 0


def test_refusals_of_the_order():
    for call, sentence in (
        (
            lambda: day_moments([[1.0, 2.0]], (0.5,)),
            "taus must be two or more, one a column, got 1 for 2 columns; name the level of each column.",
        ),
        (
            lambda: week_level([[1.0]], [[1.0]], 0.5, 20),
            "correlation must be in [0, 1], got 20; divide percentages by 100.",
        ),
    ):
        with pytest.raises(ContractError) as refusal:
            call()
        assert str(refusal.value) == sentence
