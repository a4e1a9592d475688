"""Policies and their forecasts: against known distributions, brute force, the newsvendor, and the oracle."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.decisions.fractile import best_order, critical_fractile
from casebook.demand.ledger import Costs
from casebook.demand.oracle import Knowing, Oracle
from casebook.demand.path_forecasts import (
    SamplePaths,
)
from casebook.demand.play import play
from casebook.demand.policies import (
    P95,
    ForecastIsOrder,
    GlobalFractile,
    LastWeek,
    Level,
    MeanForecast,
    Nothing,
    PerSkuFractile,
    SumOfDaily,
    UpTo,
    sku_fractiles,
    unit_costs,
)
from casebook.demand.recent_moments import RecentMoments
from casebook.demand.shelf import Supply
from casebook.demand.shelf_life import TAUS, ShelfLifeFractile
from casebook.demand.simulate import simulate
from casebook.demand.trial import LEAD_IN, cut_trial
from casebook.demand.world import World


def shop(cells=1, life=30, pack=1, review=7, lead=3, price=4.0, cost=2.5, salvage=0.5):
    one = np.ones(cells, np.int64)
    money = (one * float(price), one * float(cost), one * float(salvage))
    return Supply(np.arange(cells), one * life, one * pack, one * review, one * lead, *money)


def rng(seed=7):
    return np.random.default_rng(seed)


def net(policy, wanted, supply, stock, costs=None):
    return play(wanted, supply, policy, 0, stock, rng(), 0.0, costs).cells["net"].to_numpy()


# --- policies


def test_costs_of_what_spoils_and_of_what_keeps():
    supply = replace(shop(2), shelf_life=np.array([5, 365]), review_days=np.array([1, 7]))
    under, over = unit_costs(supply, Costs(goodwill=0.5, holding=0.002))
    assert under.tolist() == [2.0, 2.0]
    assert over.tolist() == pytest.approx([2.0, 2.5 * 0.002 * 7])
    assert sku_fractiles(supply, Costs(0.5, 0.002)).tolist() == pytest.approx([0.5, 2 / 2.035])
    free = sku_fractiles(supply, Costs(0.5, 0.0))
    assert free.tolist() == [0.5, 0.995]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 5), st.floats(0.1, 5))
def test_one_cell_and_one_period_is_the_newsvendor(seed, under, over):
    """No stock, a life of a week: the order for the days covered is decisions.fractile's best order."""
    paths = rng(seed).negative_binomial(2, 0.2, (400, 1, 14))
    supply = shop(life=7, price=3 + under, cost=3.0, salvage=3 - over if over < 3 else 0.0)
    over = min(over, 3.0)
    policy = PerSkuFractile(SamplePaths(0, paths), supply, Costs(0.0, 0.0))
    week = paths[:, 0, 3:10].sum(axis=1)
    assert float(policy.alone(0)[0]) == best_order(week, float(supply.price[0] - 3.0), over)


def test_up_to_covers_ten_days_and_the_two_of_daily_orders():
    supply = replace(shop(2), review_days=np.array([1, 7]), lead_days=np.array([1, 3]))
    days = np.arange(28.0).reshape(1, 2, 14)
    policy = UpTo(SamplePaths(0, days), supply)
    assert policy.order(0, np.array([0, 5])).tolist() == [0 + 1, sum(range(14, 24)) - 5]
    assert policy.alone(0).tolist() == [1, sum(range(17, 24))]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_a_higher_quantile_never_orders_less(seed):
    paths = rng(seed).poisson(rng(seed).uniform(0, 9, (1, 4, 1)), (200, 4, 14))
    forecast, supply, none = SamplePaths(0, paths), shop(4), np.zeros(4, int)
    orders = [GlobalFractile(forecast, supply, tau).order(0, none) for tau in (0.1, 0.5, 0.8, 0.95)]
    assert all((low <= high).all() for low, high in itertools.pairwise(orders))
    assert (P95(forecast, supply).order(0, none) == orders[-1]).all()


def test_the_sum_of_daily_quantiles_orders_more_than_the_quantile_of_the_sum():
    paths = rng().negative_binomial(1, 0.2, (2_000, 1, 14))
    forecast, supply, none = SamplePaths(0, paths), shop(), np.zeros(1, int)
    up_to, daily = GlobalFractile(forecast, supply).order(0, none), SumOfDaily(forecast, supply).order(0, none)
    assert daily[0] > 1.2 * up_to[0]
    assert ForecastIsOrder(forecast, supply).order(0, none + 1_000) == forecast.sum_of_quantiles(3, 7, 10 / 12)


def test_last_week_goes_by_its_own_sales():
    policy = LastWeek(shop(), [[1, 2, 3, 4, 5, 6, 7]])
    assert policy.order(7, np.array([3])).tolist() == [28 + 6 - 3]
    assert policy.alone(7).tolist() == [28]
    policy.watch(7, np.array([11]))
    assert policy.order(14, np.array([0])).tolist() == [28 + 6 + 2 * 10]


def test_low_orders_make_low_orders():
    """Steady demand and nothing random: last week's sales never make a stock-out good, a forecast does."""
    wanted, sold, stock = np.full((1, 70), 10), np.full((1, 7), 4), np.array([12])
    supply = shop(life=365)
    policies = [LastWeek(supply, sold), MeanForecast(SamplePaths(0, wanted[None]), supply)]
    served = [play(wanted, supply, one, 0, stock, rng(), 0.0).course["sold"][0, -14:].sum() for one in policies]
    assert served[0] < 0.6 * 140 and served[1] == 140


# --- shelf life


def test_with_a_life_of_one_period_the_shelf_life_rule_is_the_newsvendor():
    """To within the tried levels: the smallest of them at or above the fractile."""
    paths = rng().negative_binomial(2, 0.1, (4_000, 3, 14))
    supply = replace(shop(3, life=7), cost=np.array([1.0, 2.5, 3.5]))
    costs = Costs(goodwill=0.25, holding=0.0)
    fractile = critical_fractile(supply.price - supply.cost + 0.25, supply.cost - supply.salvage)
    tried = TAUS[np.searchsorted(TAUS, fractile)]
    expected = SamplePaths(0, paths).quantile(0, 10, tried)
    assert ShelfLifeFractile(SamplePaths(0, paths), supply, costs).levels(0).tolist() == expected.tolist()


def test_the_longer_it_keeps_the_more_is_ordered():
    paths = rng().negative_binomial(2, 0.1, (2_000, 6, 14))
    supply = replace(shop(6), shelf_life=np.array([7, 8, 10, 14, 21, 365]))
    same = SamplePaths(0, np.repeat(paths[:, :1], 6, axis=1))
    levels = ShelfLifeFractile(same, supply, Costs(0.25, 0.001)).levels(0)
    assert (np.diff(levels) >= 0).all() and levels[-1] > 1.3 * levels[0]


def test_the_shelf_life_rule_is_near_the_best_level_in_hindsight():
    """Demand is known and steady: its net against the best of all levels, by brute force, per life."""
    for life in (7, 14):
        supply, costs = shop(40, life=life), Costs(0.5, 0.001)
        wanted = rng(life).negative_binomial(1, 1 / 4, (40, 3 + 7 * 16))
        paths = rng(99).negative_binomial(1, 1 / 4, (1_000, 1, 14))
        forecast = SamplePaths(0, np.broadcast_to(paths, (1_000, 40, 14)))
        level = float(ShelfLifeFractile(forecast, supply, costs).levels(0)[0])
        earned = {units: net(Level(np.full(40, units)), wanted, supply, np.full(40, 20), costs).sum()
                  for units in [level, *range(16, 64, 6)]}  # fmt: skip
        assert earned[level] > 0.93 * max(earned.values())


# --- the oracle


def small_world(seed):
    history = simulate(World(), 3, 28, rng(seed), days=168)
    return cut_trial(history, 105, LEAD_IN + 56)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_oracle_is_not_beaten(seed):
    trial = small_world(seed)
    supply, costs, first = trial.supply, Costs(), trial.first_day
    forecast = [RecentMoments(first, trial.sold) for _ in range(6)]
    policies = {
        "nothing": Nothing(),
        "last week": LastWeek(supply, trial.sold[:, -7:]),
        "mean": MeanForecast(forecast[0], supply),
        "global": GlobalFractile(forecast[1], supply),
        "per sku": PerSkuFractile(forecast[2], supply, costs),
        "shelf life": ShelfLifeFractile(forecast[3], supply, costs),
        "p95": P95(forecast[4], supply),
        "sum": SumOfDaily(forecast[5], supply),
        "sure": UpTo(SamplePaths(first, trial.wanted[None]), supply, 0.5),  # knows it all too, but not about cases
    }
    oracle = Oracle(trial.wanted, supply, first, trial.stock, costs)
    best = play(trial.wanted, supply, oracle, first, trial.stock, rng(), 0.4, costs).totals["net"]
    for name, policy in policies.items():
        assert play(trial.wanted, supply, policy, first, trial.stock, rng(), 0.4, costs).totals["net"] < best, name


@pytest.mark.parametrize("seed", range(6))
def test_the_oracle_is_near_the_best_of_all_orders(seed):
    """Seven days, orders of 0 to 2 cases on six of them: every sequence of orders is played."""
    draw = rng(seed)
    supply = shop(life=int(draw.integers(2, 5)), pack=int(draw.integers(2, 6)), review=1, lead=1)
    wanted = draw.poisson(1.5, (1, 7))
    stock, costs = np.array([1]), Costs(goodwill=float(draw.uniform(0, 2)), holding=0.001)
    sequences = np.array(list(itertools.product(range(3), repeat=6)))
    many = replace(shop(len(sequences), int(supply.shelf_life[0]), int(supply.case_pack[0]), 1, 1))
    cells = len(sequences)

    class Sequence:
        def order(self, day, position):
            return sequences[:, day] * many.case_pack if day < 6 else np.zeros(cells)

        def watch(self, day, sold):
            pass

    every = play(np.repeat(wanted, cells, axis=0), many, Sequence(), 0, np.repeat(stock, cells), rng(), 0.0, costs)
    best, floor = every.cells["net"].max(), every.cells["net"][0]
    mine = net(Oracle(wanted, supply, 0, stock, costs), wanted, supply, stock, costs)[0]
    assert mine <= best + 1e-9
    assert mine - floor >= 0.85 * (best - floor)


def test_knowing_keeps_count_of_its_shelf():
    """With single units, no life limit and full knowledge nobody is turned away after the first delivery."""
    wanted = rng().poisson(4, (5, 31))
    supply = shop(5, life=365)
    course = play(wanted, supply, Knowing(wanted, supply, 0, np.zeros(5, int)), 0, np.zeros(5, int), rng(), 0.0).course
    assert course["lost"][:, 3:].sum() == 0
    assert (course["stock"][:, [9, 16, 23, 30]] == 0).all()  # nothing is left when the next delivery comes


# --- what is refused

PATHS = np.ones((2, 1, 7))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: LastWeek(shop(), np.ones((1, 6))),
            "sold must be of shape (1, 7), got shape (1, 6); pass the week before the first day.",
        ),
        (
            lambda: UpTo(SamplePaths(0, PATHS), shop(), [0.5, 0.5]),
            "tau must be one number or 1, got shape (2,); give one for each cell.",
        ),
        (
            lambda: GlobalFractile(SamplePaths(0, PATHS), shop(), 95),
            "tau must be above 0 and below 1, got 95; divide percentages by 100.",
        ),
        (
            lambda: ShelfLifeFractile(SamplePaths(0, PATHS), shop(), Costs(), 2.0),
            "shared must be a share in [0, 1], got 2; divide percentages by 100.",
        ),
    ],
)
def test_what_is_refused(call, text):
    with pytest.raises(ContractError) as error:
        call()
    assert str(error.value) == text
