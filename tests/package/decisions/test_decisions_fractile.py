"""The fractile, the pinball loss and the money of an order: against scikit-learn, brute force and closed forms."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import mean_pinball_loss

from casebook import arithmetic
from casebook.contracts import ContractError
from casebook.decisions.fractile import (
    best_order,
    critical_fractile,
    implied_ratio,
    money_by_quantile,
    money_of_orders,
    newsvendor_cost,
    pinball_loss,
)

# Sums of up to thirty products in double precision.
ROUNDING = 1e-9
# A frozen distribution is cut off where less than 1e-12 lies beyond; times at most a thousand units and dollars.
TAIL = 1e-8

price = st.floats(0.01, 1e4)
level = st.floats(0.01, 0.99)
units = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=30)
drawn = st.lists(st.integers(0, 20), min_size=1, max_size=25)


@pytest.mark.parametrize(("under", "over", "expected"), [(10, 2, 0.833), (5, 2, 0.714), (1, 1, 0.5), (19, 1, 0.95)])
def test_known_fractiles(under, over, expected):
    assert round(critical_fractile(under, over), 3) == expected


@given(price, price)
def test_a_fractile_is_a_probability_that_only_the_ratio_decides(under, over):
    tau = critical_fractile(under, over)
    assert 0 < tau < 1
    assert critical_fractile(4 * under, 4 * over) == tau
    assert critical_fractile(over, under) == pytest.approx(1 - tau, abs=ROUNDING)
    assert critical_fractile(2 * under, over) > tau
    assert tau == arithmetic.critical_fractile(under, over)


@given(st.floats(0.001, 1e3))
def test_ratio_and_fractile_undo_each_other(ratio):
    assert implied_ratio(critical_fractile(ratio, 1)) == pytest.approx(ratio, rel=1e-9)


def test_costs_per_sku_give_a_fractile_per_sku():
    under, over = np.array([10.0, 5, 1]), np.array([2.0, 2, 9])
    one_by_one = [critical_fractile(*pair) for pair in zip(under, over, strict=True)]
    assert critical_fractile(under, over).tolist() == one_by_one
    assert implied_ratio([0.5, 0.95]) == pytest.approx([1, 19], rel=ROUNDING)


@given(units, level)
def test_pinball_is_scikit_learns(rows, tau):
    y, q = map(np.array, zip(*rows, strict=True))
    assert pinball_loss(y, q, tau).mean() == pytest.approx(mean_pinball_loss(y, q, alpha=tau), abs=ROUNDING)


@given(units, price, price)
def test_the_newsvendors_cost_is_the_pinball_loss_at_the_fractile_in_money(rows, under, over):
    demand, order = map(np.array, zip(*rows, strict=True))
    money = newsvendor_cost(demand, order, under, over)
    loss = pinball_loss(demand, order, critical_fractile(under, over))
    np.testing.assert_allclose(money, (under + over) * loss, rtol=ROUNDING, atol=ROUNDING)


def test_rows_have_their_own_costs_and_levels():
    demand, order, under, over = np.array([3, 8.0]), np.array([5, 5.0]), np.array([9, 1.0]), np.array([2, 4.0])
    assert newsvendor_cost(demand, order, under, over).tolist() == [4, 3]
    assert pinball_loss(demand, order, [0.25, 0.75]).tolist() == [1.5, 2.25]
    assert isinstance(newsvendor_cost(3, 5, 9, 2), float) and isinstance(pinball_loss(3, 5, 0.5), float)


@given(drawn, st.integers(1, 20), st.integers(1, 20))
def test_no_whole_order_costs_less_than_the_best(samples, under, over):
    order = best_order(samples, under, over)
    costs = [newsvendor_cost(samples, one, under, over).sum() for one in range(22)]
    assert costs[int(order)] == pytest.approx(min(costs), rel=ROUNDING)
    assert order in samples


@given(st.integers(1, 200), st.integers(1, 199))
def test_the_best_order_is_numpys_inverted_cdf(n, step):
    """Such levels times n are never whole; where they are, numpy's floats may pick the next sample."""
    tau = (step - 0.37) / 200
    samples = np.random.default_rng(n).permutation(n).astype(float)
    assert best_order(samples, tau, 1 - tau) == np.quantile(samples, tau, method="inverted_cdf")


def test_at_a_step_the_smaller_of_two_equal_orders_is_taken():
    samples = np.arange(1, 101)
    assert [best_order(samples, k, 100 - k) for k in (7, 14, 28, 29, 57, 83)] == [7, 14, 28, 29, 57, 83]


def test_cells_have_their_own_samples_and_costs():
    rng = np.random.default_rng(5)
    samples, under = rng.poisson([1, 5, 30], (500, 3)), np.array([1.0, 10, 3])
    each = [best_order(samples[:, cell], under[cell], 2) for cell in range(3)]
    assert best_order(samples, under, 2).tolist() == each
    assert best_order(samples, 10, 2).tolist() == [best_order(samples[:, cell], 10, 2) for cell in range(3)]


@pytest.mark.parametrize(
    "demand", [stats.poisson(4), stats.nbinom(0.5, 0.1), stats.nbinom(3, 0.5), stats.poisson(0.05)]
)
@pytest.mark.parametrize(("under", "over"), [(10, 2), (1, 3), (19, 1)])
def test_the_fractile_of_a_distribution_costs_least_of_all_orders(demand, under, over):
    table = money_by_quantile(demand, under, over)
    support = np.arange(3_000)
    chance = demand.pmf(support)
    brute = np.array([chance @ newsvendor_cost(support, order, under, over) for order in range(200)])
    assert table.loc["fractile", "order"] == demand.ppf(under / (under + over)) == np.argmin(brute)
    assert table.loc["fractile", "cost"] == pytest.approx(brute.min(), abs=TAIL)
    for rule, row in table.iterrows():
        assert row["cost"] == pytest.approx(brute[int(row["order"])], abs=TAIL), rule
        assert row["service_level"] == pytest.approx(demand.cdf(row["order"]), abs=TAIL), rule
    assert table.loc["fractile", "cost_above_best"] == 0 and (table["cost_above_best"] >= 0).all()


@pytest.mark.parametrize("mean", [0.5, 4, 60])
def test_units_over_of_a_poisson_are_those_of_its_closed_form(mean):
    """E max(q - D, 0) = q F(q) - mean F(q - 1)."""
    demand = stats.poisson(mean)
    row = money_by_quantile(demand, 10, 2).loc["quantile 0.95"]
    closed = row["order"] * demand.cdf(row["order"]) - mean * demand.cdf(row["order"] - 1)
    assert row["units_over"] == pytest.approx(closed, abs=TAIL)
    assert row["units_short"] - row["units_over"] == pytest.approx(mean - row["order"], abs=TAIL)


def test_samples_and_their_distribution_agree():
    demand = stats.nbinom(2, 0.1)
    samples = demand.rvs(200_000, random_state=np.random.default_rng(3))
    exact, drawn_table = money_by_quantile(demand, 10, 2), money_by_quantile(samples, 10, 2)
    # Five standard errors of a mean whose rows have a standard deviation below 100 dollars.
    assert np.abs(exact["cost"] - drawn_table["cost"]).max() < 5 * 100 / np.sqrt(200_000)


def test_the_median_is_best_where_costs_are_equal_and_the_mean_where_nothing_is_skewed():
    flat = np.arange(0, 11)
    table = money_by_quantile(flat, 1, 1, taus=[0.5])
    assert table["order"].tolist() == [5, 5, 5] and (table["cost_above_best"] == 0).all()


def test_the_mean_is_a_whole_number_of_units_unless_one_asks():
    samples = [0, 0, 0, 1, 1]
    assert money_by_quantile(samples, 10, 2).loc["mean", "order"] == 0
    assert money_by_quantile([0, 1], 10, 2).loc["mean", "order"] == 1
    assert money_by_quantile(samples, 10, 2, whole=False).loc["mean", "order"] == pytest.approx(0.4)


def test_where_stock_is_left_over_the_best_order_is_none():
    table = money_of_orders([-5, -4, -3], {"none": 0, "two": 2}, 10, 2)
    assert table["cost_above_best"].tolist() == [0, 4]
    assert table["units_over"].tolist() == [4, 6]


def test_the_input_is_not_changed():
    samples = np.array([3, 1, 2])
    best_order(samples, 1, 1)
    money_by_quantile(samples, 1, 1)
    assert samples.tolist() == [3, 1, 2]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: critical_fractile(0, 2),
            "cost_under must be above 0, got 0; leave out what costs nothing to be short of or to keep.",
        ),
        (
            lambda: critical_fractile([10, 5], [2, -1]),
            "cost_over must be above 0, got -1; leave out what costs nothing to be short of or to keep.",
        ),
        (
            lambda: critical_fractile([1, 2], [1, 2, 3]),
            "cost_under and cost_over must be of shapes that fit, got (2,), (3,); take all arguments from one table.",
        ),
        (lambda: implied_ratio(95), "tau must be above 0 and below 1, got 95; divide percentages by 100."),
        (
            lambda: pinball_loss([1, 2], [1, 2], 1.0),
            "tau must be above 0 and below 1, got 1; divide percentages by 100.",
        ),
        (lambda: pinball_loss([1, np.nan], 1, 0.5), "y must be finite numbers, got nan; fill it in or drop the row."),
        (
            lambda: pinball_loss([], 1, 0.5),
            "y must be at least one number, got none; check the filter or the join that made it.",
        ),
        (
            lambda: pinball_loss(["1"], 1, 0.5),
            "y must be numbers, got values of type <U1; convert it, and fill what is missing.",
        ),
        (
            lambda: pinball_loss([1, 2, 3], [1, 2], 0.5),
            "y and q and tau must be of shapes that fit, got (3,), (2,), (); take all arguments from one table.",
        ),
        (
            lambda: pinball_loss(pd.Series([1, 2]), pd.Series([1, 2], index=[1, 0]), 0.5),
            "y and q must be in one row order, got the same index labels in two orders; "
            "reindex one, or pass .to_numpy() if positions match.",
        ),
        (lambda: newsvendor_cost(1, 1, -1, 2), "cost_under must be numbers of 0 or more, got -1; check its sign."),
        (
            lambda: best_order(np.zeros((2, 2, 2)), 1, 1),
            "samples must be of shape (draws,) or (draws, cells), got shape (2, 2, 2); put draws in rows.",
        ),
        (
            lambda: best_order(np.zeros((5, 2)), [1, 2, 3], 1),
            "costs must be one number or of shape (2,), got shape (3,); give one for each cell.",
        ),
        (
            lambda: money_by_quantile(stats.norm(), 1, 1),
            "demand must be a discrete distribution, got a continuous one; pass samples, demand.rvs(...).",
        ),
        (
            lambda: money_by_quantile(np.zeros((3, 2)), 1, 1),
            "demand must be of shape (draws,), got shape (3, 2); pass one cell's samples.",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(make, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        make()
