"""The protection interval: against distributions that are known, normal days, and a replay of one shelf by hand."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from casebook.contracts import ContractError
from casebook.decisions.fractile import newsvendor_cost
from casebook.demand.order_up_to import WEEKLY, Calendar, orders_from_stock, play_level
from casebook.demand.protection import (
    daily_paths,
    quantile_of_sum,
    shuffle_days,
    sum_of_quantiles,
    week_by_correlation,
    week_table,
)

DRAWS = 40_000
# Five standard errors of a share in that many draws.
SHARE = 5 * 0.5 / np.sqrt(DRAWS)
# Standard error of a quantile in units of a day's standard deviation, times five, for seven days' sums.
NORMAL = 0.2
FRACTILE = 10 / 12

seeds = st.integers(0, 2**32 - 1)
levels = st.floats(0.05, 0.95)


def test_the_calendar_is_the_sources():
    table = WEEKLY.table(origin=6)
    assert table["weekday"].tolist() == ["Sunday", "Monday", "Wednesday", "Thursday", "Wednesday"]
    assert table["day"].tolist() == [6, 7, 9, 10, 16]
    assert WEEKLY.covered == tuple(range(4, 11))
    assert WEEKLY.protected == tuple(range(1, 11)) and len(WEEKLY.protected) == 3 + 7


def test_daily_orders_protect_two_days():
    daily = Calendar(order_day=1, lead_days=1, review_days=1)
    assert daily.covered == (2,) and daily.protected == (1, 2)


@pytest.mark.parametrize("dispersion", [0.0, 0.4])
def test_each_day_has_its_own_distribution_whatever_the_correlation(dispersion):
    means = [0.2, 3.0, 40.0]
    for correlation in (0.0, 0.6, 1.0):
        paths = daily_paths(means, dispersion, correlation, DRAWS, np.random.default_rng(1))
        for day, mean in enumerate(means):
            law = stats.nbinom(1 / dispersion, 1 / (1 + dispersion * mean)) if dispersion else stats.poisson(mean)
            for count in (0, int(mean), int(2 * mean)):
                assert abs((paths[:, day] <= count).mean() - law.cdf(count)) < SHARE


def test_correlation_is_what_was_asked_where_counts_are_nearly_normal():
    paths = daily_paths([400, 400, 400], 0.01, 0.5, DRAWS, np.random.default_rng(2))
    found = np.corrcoef(paths.T)[np.triu_indices(3, 1)]
    np.testing.assert_allclose(found, 0.5, atol=0.03)
    apart = np.corrcoef(shuffle_days(paths, np.random.default_rng(3)).T)[np.triu_indices(3, 1)]
    np.testing.assert_allclose(apart, 0.0, atol=0.03)


@given(seeds, levels)
def test_days_at_one_quantile_add_up(seed, tau):
    paths = daily_paths([1, 4, 9], 0.5, 1.0, 50, np.random.default_rng(seed))
    assert sum_of_quantiles(paths, tau) == quantile_of_sum(paths, tau)


@given(seeds, levels)
def test_no_draw_is_changed_or_lost_when_days_are_shuffled(seed, tau):
    rng = np.random.default_rng(seed)
    paths = rng.poisson(3, (40, 5)).astype(float)
    before = paths.copy()
    apart = shuffle_days(paths, rng)
    assert (paths == before).all()
    assert (np.sort(apart, axis=0) == np.sort(paths, axis=0)).all()
    assert sum_of_quantiles(apart, tau) == sum_of_quantiles(paths, tau)


def test_independent_normal_days_follow_the_square_root_rule():
    """Seven days N(50, 5): the sum's quantile is 350 + z 5 sqrt(7), that of seven quantiles 350 + 7 z 5."""
    paths = np.random.default_rng(4).normal(50, 5, (200_000, 7))
    table = week_table(paths, 10, 2, np.random.default_rng(5))
    z = stats.norm.ppf(FRACTILE)
    expected = {
        "sum of quantiles": 350 + 7 * z * 5,
        "days as independent": 350 + z * 5 * np.sqrt(7),
        "square-root rule": 350 + z * 5 * np.sqrt(7),
        "quantile of the sum": 350 + z * 5 * np.sqrt(7),
    }
    for rule, order in expected.items():
        assert table.loc[rule, "order"] == pytest.approx(order, abs=NORMAL), rule
    service = stats.norm.cdf(z * np.sqrt(7))  # of the sum of seven quantiles: 0.995 where 0.833 was meant
    assert table.loc["sum of quantiles", "service_level"] == pytest.approx(service, abs=0.001)


def test_poisson_days_add_up_to_a_poisson_week():
    paths = daily_paths([0.7] * 7, 0.0, 0.0, DRAWS, np.random.default_rng(6))
    assert quantile_of_sum(paths, 0.95) == stats.poisson(4.9).ppf(0.95)
    assert sum_of_quantiles(paths, 0.95) == 7 * stats.poisson(0.7).ppf(0.95)


def test_quantiles_of_slow_days_add_up_to_too_little():
    """A day sells nothing in three of four cases, so its 0.7-quantile is 0; the week almost always sells."""
    paths = daily_paths([0.25] * 7, 0.0, 0.0, DRAWS, np.random.default_rng(7))
    assert sum_of_quantiles(paths, 0.7) == 0
    assert quantile_of_sum(paths, 0.7) == stats.poisson(1.75).ppf(0.7) > 0


def test_the_table_is_the_cost_of_each_order_on_the_paths():
    rng = np.random.default_rng(8)
    paths = daily_paths([2, 3, 5, 8], 0.5, 0.4, 2_000, rng)
    table = week_table(paths, 10, 2, rng)
    for rule, row in table.iterrows():
        money = newsvendor_cost(paths.sum(axis=1), row["order"], 10, 2)
        assert row["cost"] == pytest.approx(money.mean()), rule
    assert table.loc["quantile of the sum", "cost_above_best"] == pytest.approx(0, abs=1e-9)
    assert (table["cost_above_best"] >= -1e-9).all()


def test_the_more_the_days_go_together_the_less_the_sum_of_quantiles_overshoots():
    table = week_by_correlation([5] * 7, 0.5, [0.0, 0.3, 0.7, 1.0], 10, 2, np.random.default_rng(9), DRAWS)
    service = table["service_level"].unstack()
    assert service["sum of quantiles"].is_monotonic_decreasing
    assert service.loc[1.0, "sum of quantiles"] == service.loc[1.0, "quantile of the sum"]
    assert service["days as independent"].is_monotonic_decreasing  # correlation forgotten: too little is ordered
    assert service.loc[0.0, "days as independent"] == pytest.approx(FRACTILE, abs=0.03)
    assert (service["quantile of the sum"] >= FRACTILE).all()


def brute_order(lead, week, stock, under, over):
    """Try every whole order on every draw, by a shelf that loses what it cannot sell."""
    costs = []
    for order in range(120):
        left = np.array([max(stock - one, 0) for one in lead]) + order
        short, unsold = np.maximum(week - left, 0), np.maximum(left - week, 0)
        costs.append((under * short + over * unsold).mean())
    return int(np.argmin(costs)), min(costs)


@pytest.mark.parametrize("stock", [0, 6, 15, 40, 90])
def test_the_order_after_what_is_left_costs_least_of_all_orders(stock):
    paths = daily_paths([4] * 10, 0.4, 0.2, 1_500, np.random.default_rng(10))
    table = orders_from_stock(paths, stock, 10, 2)
    order, cost = brute_order(paths[:, :3].sum(axis=1), paths[:, 3:].sum(axis=1), stock, 10, 2)
    assert table.loc["week less leftover", "order"] == order
    assert table.loc["week less leftover", "cost"] == pytest.approx(cost)
    assert table.loc["lead time + review", "order"] >= order


def test_with_plenty_of_stock_the_level_of_all_protected_days_is_exact():
    """Where nothing can be lost before the delivery, both rules ask the same question."""
    paths = daily_paths([4] * 10, 0.4, 0.2, 2_000, np.random.default_rng(11))
    stock = paths[:, :3].sum(axis=1).max()
    orders = orders_from_stock(paths, stock, 50, 1)["order"]
    assert orders["lead time + review"] == orders["week less leftover"]
    assert orders["week alone"] > orders["week less leftover"]  # what is on the shelf is ordered again


def test_without_stock_the_week_alone_is_all_there_is():
    paths = daily_paths([4] * 10, 0.4, 0.2, 2_000, np.random.default_rng(12))
    orders = orders_from_stock(paths, 0, 10, 2)["order"]
    assert orders["week alone"] == orders["week less leftover"] < orders["lead time + review"]


@pytest.mark.parametrize("tau", [0.5, 0.9])
def test_a_level_for_lead_time_and_review_serves_the_share_it_says(tau):
    """With demand that waits, a cycle is short if and only if ten days demand more than the level: a known share."""
    days = np.random.default_rng(13).poisson(4, (400, 70 * 7 + 4))
    ten, seven = stats.poisson(40), stats.poisson(28)
    both, week = ten.ppf(tau), seven.ppf(tau)
    played = play_level(days, both, lost=False)["cycle_service"]
    assert played == pytest.approx(ten.cdf(both), abs=0.02)
    assert play_level(days, week, lost=False)["cycle_service"] == pytest.approx(ten.cdf(week), abs=0.02)


def play_by_hand(days, level, review=7, lead=3):
    """One shelf, day by day, as a clerk would keep it."""
    stock, on_order, short = level, {}, []
    for day, wanted in enumerate(days):
        if day in on_order:
            stock += on_order.pop(day)
        if day % review == 0:
            on_order[day + lead] = level - stock
        short.append(wanted > stock)
        stock = max(stock - wanted, 0)
    return short


def test_a_shelf_that_loses_sales_is_played_as_by_hand():
    days = np.random.default_rng(14).poisson(4, (1, 7 * 40 + 4))
    for level in (20, 30, 40, 50):
        short = play_by_hand(days[0], level)
        cycles = [not any(short[first : first + 7]) for first in range(4 * 7 + 3, 7 * 40 + 3, 7)]
        assert play_level(days, level)["cycle_service"] == pytest.approx(np.mean(cycles)), level


def test_lost_sales_leave_more_for_the_others():
    days = np.random.default_rng(15).poisson(4, (100, 7 * 60))
    lost, waits = (play_level(days, 38, lost=kind) for kind in (True, False))
    assert lost["cycle_service"] > waits["cycle_service"]
    assert lost["fill_rate"] > waits["fill_rate"]


def test_a_level_that_is_never_reached_serves_all():
    played = play_level(np.full((3, 70), 2.0), 25)
    assert played["cycle_service"] == 1 and played["fill_rate"] == 1 and played["stock_at_delivery"] == 5


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Calendar(lead_days=0), "Calendar, lead_days must be 1 or more, got 0; count whole days."),
        (
            lambda: quantile_of_sum([1, 2, 3], 0.5),
            "paths must be of shape (draws, days) with at least 2 days, got shape (3,); put draws in rows.",
        ),
        (
            lambda: daily_paths([1, 2], 0.3, 50, 10, np.random.default_rng(0)),
            "correlation must be in [0, 1], got 50; divide percentages by 100.",
        ),
        (
            lambda: daily_paths([1, -2], 0.3, 0.5, 10, np.random.default_rng(0)),
            "means must be numbers of 0 or more, got -2; check its sign.",
        ),
        (
            lambda: orders_from_stock(np.ones((5, 7)), 0, 10, 2),
            "paths must be the 10 days of lead time and review, got 7 days; start on the order day.",
        ),
        (
            lambda: orders_from_stock(np.ones((5, 10)), -3, 10, 2),
            "stock must be numbers of 0 or more, got -3; check its sign.",
        ),
        (
            lambda: play_level(np.ones((5, 70)), 10, Calendar(lead_days=8)),
            "calendar, lead_days must be at most the 7 days of a review period, got 8 days; review less often.",
        ),
        (
            lambda: play_level(np.ones((5, 38)), 10),
            "demand must be of shape (draws, more than 38 days), got shape (5, 38); draw more days.",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(make, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        make()
