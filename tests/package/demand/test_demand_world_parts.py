"""Calendar, weather, promotions, means and the planner of the past do what their docstrings say."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.demand.assortment import GROUP, draw_cells, draw_products, draw_stores
from casebook.demand.intensity import draw_counts, holiday_pull
from casebook.demand.planner import Planner, Records, in_packs
from casebook.demand.promo_plan import CANNIBAL, DIP, HALO, plan_promotions, promotion_effects
from casebook.demand.season import ERROR_A_DAY, REACH, holidays_of, make_calendar, make_weather
from casebook.demand.shelf import Supply
from casebook.demand.world import CATEGORIES, REGIONS, WEEK, World

DAYS = 364
SIGMAS = 5  # of Monte Carlo noise


def test_holidays_fall_on_the_days_that_calendars_print():
    assert holidays_of(2025) == {
        date(2025, 4, 20): "easter",
        date(2025, 9, 1): "labour",
        date(2025, 7, 4): "summer",
        date(2025, 11, 27): "thanks",
        date(2025, 12, 25): "christmas",
        date(2025, 1, 1): "newyear",
    }
    assert date(2024, 9, 2) in holidays_of(2024) and date(2024, 11, 28) in holidays_of(2024)


def test_the_calendar_begins_on_a_monday_and_pays_twice_a_month():
    calendar = make_calendar(DAYS)
    assert (
        (calendar["date"].dt.day_of_week if hasattr(calendar["date"].dt, "day_of_week") else None)
        .eq(calendar["weekday"])
        .all()
    )
    months = calendar.iloc[:360].groupby(calendar["date"].dt.month)["payday"].sum()
    assert (months.loc[1:11] == 2).all()


def test_a_holiday_pulls_on_the_days_before_it_only():
    calendar = make_calendar(DAYS)
    pull, at = holiday_pull(calendar), int(np.flatnonzero(calendar["holiday"] == "easter")[0])
    assert (np.diff(pull[at - 5 : at]) > 0).all() and pull[at] == pull[at + 1] == 0


def test_forecasts_of_the_weather_get_worse_with_the_days_ahead():
    seen, told = make_weather(np.random.default_rng(0), 20 * DAYS)
    assert (told["day"] > told["made_on"]).all() and (told["made_on"] % WEEK == 6).all()
    both = told.merge(seen, on=["region", "day"], suffixes=("", "_seen"))
    error = both["temperature_c"] - both["temperature_c_seen"]
    spread = error.groupby(both["day"] - both["made_on"]).std()
    assert np.allclose(spread, ERROR_A_DAY * np.arange(1, REACH + 1), rtol=0.06)


def planned(placement, promo_share=0.1, seed=0, **dials):
    world = World(placement=placement, promo_share=promo_share, **dials)
    products = draw_products(56, np.random.default_rng(1), DAYS)
    expected = np.random.default_rng(2).normal(size=(56, 51)).astype(np.float32)
    plan = plan_promotions(world, products, expected, np.random.default_rng(seed), DAYS)
    weeks = (plan["first_day"].to_numpy() - 3) // WEEK
    return world, products, plan, expected[plan["sku_id"], weeks]


def test_promotions_stand_where_much_was_expected_or_anywhere():
    random, best = planned(0.0)[3], planned(1.0)[3]
    assert abs(random.mean()) < SIGMAS / np.sqrt(len(random))
    assert best.mean() > 1.2  # the mean of the best tenth of a normal is 1.75; launches take some weeks away


def test_a_promotion_runs_thursday_to_wednesday_and_most_are_known_weeks_before():
    _, products, plan, _ = planned(0.5, late_promos=0.2)
    assert (plan["first_day"] % WEEK == 3).all() and (plan["last_day"] - plan["first_day"] == 6).all()
    notice = plan["first_day"] - plan["announced_on"]
    late = notice < 4
    assert abs(late.mean() - 0.2) < SIGMAS * np.sqrt(0.16 / len(plan)) and (notice[~late] >= 14).all()
    assert (plan["first_day"] > products["launched_on"].to_numpy()[plan["sku_id"]] + 28).all()


def test_nothing_is_stacked_before_its_day():
    _, _, plan, _ = planned(0.5, stacked_from=200)
    keys = ["sku_id", "region", "first_day"]
    twice = plan[plan.duplicated(keys, keep=False)]
    assert len(twice) and (twice["first_day"] >= 200).all()


def one_promotion(sku=0, discount=0.2, display=False):
    region = pd.Categorical(["north"], list(REGIONS))
    return pd.DataFrame({"promotion_id": [0], "sku_id": [sku], "region": region, "first_day": [10], "last_day": [16],
                         "announced_on": [0], "discount": [discount], "display": [display]})  # fmt: skip


def test_one_promotion_has_the_effects_of_its_definition():
    products = draw_products(56, np.random.default_rng(1), DAYS)
    sku = int(products.index[products["category"] == "pantry"][0])
    effects = promotion_effects(World(), products, one_promotion(sku, display=True), 60)
    lift = CATEGORIES["pantry"].elasticity * np.log(0.8) + World().promo_lift
    north = effects.log_effect[:, 0]
    assert np.allclose(north[sku, 10:17], lift) and np.allclose(effects.price_share[sku, 0, 10:17], 0.8)
    mates = (products["group_id"] == products["group_id"][sku]) & (products["sku_id"] != sku)
    assert np.allclose(north[mates][:, 12], -CANNIBAL * lift / (GROUP - 1))
    others = (products["category"] == "pantry") & (products["group_id"] != products["group_id"][sku])
    assert np.allclose(north[others][:, 12], HALO * lift)
    assert north[sku, 17] == pytest.approx(-DIP * lift) and -0.5 * DIP * lift < north[sku, 30] < 0
    assert (effects.log_effect[:, 1:] == 0).all() and (north[:, :10] == 0).all()


def test_what_does_not_keep_has_no_dip():
    products = draw_products(56, np.random.default_rng(1), DAYS)
    sku = int(products.index[products["category"] == "produce"][0])
    effects = promotion_effects(World(), products, one_promotion(sku), 60)
    assert (effects.log_effect[sku, 0, 17:] == 0).all()


@pytest.mark.parametrize("dispersion", [0.0, 0.8])
@pytest.mark.parametrize("share", [0.0, 0.2])
def test_counts_have_the_mean_and_the_variance_of_their_definition(dispersion, share):
    mean, draws = 2.5, 200_000
    counts = draw_counts(World(dispersion=dispersion), np.full((1, draws), mean, np.float32), np.array([share]),
                         np.random.default_rng(0))  # fmt: skip
    baskets = mean / (1 + 3 * share)
    basket = share * 16 + (1 - share) + share * 2  # mean square of a basket: one unit, or three and a geometric more
    variance = baskets * basket + dispersion * baskets * (1 + 3 * share) ** 2
    assert counts.mean() == pytest.approx(mean, abs=SIGMAS * np.sqrt(variance / draws))
    assert counts.var() == pytest.approx(variance, rel=0.04)


@given(st.floats(-50, 500), st.integers(1, 24))
def test_an_order_is_whole_cases_and_never_one_too_many(units, pack):
    order = int(in_packs(np.array([units]), np.array([pack]))[0])
    assert order % pack == 0 and order >= min(max(units, 0), order + 1) - 1e-6
    assert order - pack < max(units, 0) or order == 0


def a_planner(level=1.0):
    both = np.array([1, 7])
    one = np.ones(2)
    supply = Supply(np.arange(2), both * 30, both * 0 + 1, both, np.array([1, 3]), one, one, one)
    return Planner(World(stock_level=level), supply, np.zeros((2, 60), bool), np.array([2.0, 2.0]))


def test_the_planner_orders_weekly_goods_on_mondays_and_others_daily():
    ordered = np.array([a_planner().order(day, np.zeros(2, int)) for day in range(14)])
    assert (ordered[:, 0] > 0).all()
    assert (np.flatnonzero(ordered[:, 1]) == [0, 7]).all()


def test_the_planner_orders_up_to_what_he_saw_sold():
    planner = a_planner()
    for day in range(28):
        planner.watch(day, np.array([0, 5]))
    full, some = (planner.order(28, np.array([0, stock]))[1] for stock in (0, 10))
    assert full - some == 10 and 40 < full < 60


def test_a_share_of_the_records_is_wrong():
    records = Records(World(record_error=0.2), np.full(4_000, 3.0), np.random.default_rng(0))
    shares = []
    for _ in range(60):
        records.tonight()
        shares.append((records.offset != 0).mean())
    assert np.mean(shares) == pytest.approx(0.2, abs=0.02)
    assert (records.of(np.zeros(4_000, int)) >= 0).all()


@pytest.mark.parametrize(("draw", "what"), [(draw_stores, "stores"), (draw_products, "skus")])
def test_an_empty_world_is_refused(draw, what):
    with pytest.raises(ContractError) as refused:
        draw(0, np.random.default_rng(0))
    assert str(refused.value) == f"{what} must be 1 or more, got 0; ask for at least one."


def test_stores_list_about_the_share_they_should():
    rng = np.random.default_rng(0)
    stores, products = draw_stores(40, rng), draw_products(112, rng)
    cells = draw_cells(stores, products, rng, share=0.5)
    assert 0.4 < len(cells) / (40 * 112) < 0.6
    assert not cells.duplicated(["store_id", "sku_id"]).any()
    with pytest.raises(ContractError) as refused:
        draw_cells(stores, products, rng, share=50)
    assert str(refused.value) == "share must be in (0, 1], got 50; divide percentages by 100."
