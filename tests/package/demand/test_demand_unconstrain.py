"""Five ways against known demand, with right and with wrong records; what each believes; bias by hand; refusals."""

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.demand.app_signals import received_units
from casebook.demand.hour_profile import learn_profile
from casebook.demand.unconstrain import WAYS, bias, speed, unconstrain, usual_covariates

CELLS, DAYS = 90, 364
HOURS = np.arange(8, 22)
SHARES = np.array([1, 2, 3, 4, 4, 3, 2, 2, 3, 5, 6, 5, 3, 1.0]) / 44
PRODUCTS = pd.DataFrame({"sku_id": range(9), "category": ["dairy", "frozen", "pantry"] * 3, "group_id": range(9)})
PROFILE = learn_profile(
    pd.DataFrame({"category": np.repeat(["dairy", "frozen", "pantry"], 14), "hour": np.tile(HOURS, 3),
                  "orders": np.tile(SHARES * 4400, 3)})
)  # fmt: skip


def draw(seed, missed=0.0):
    """Negative binomial days, arrival by the profile, stock that does not know the day; a share of flags missed."""
    rng = np.random.default_rng(seed)
    cell, day = np.repeat(np.arange(CELLS), DAYS), np.tile(np.arange(DAYS), CELLS)
    level = np.exp(rng.normal(1.1, 0.8, CELLS))[cell]
    demand = rng.poisson(level * np.exp(0.4 * (day % 7 == 5)) * rng.gamma(2.5, 0.4, len(cell)))
    stock = rng.poisson(1.5 * level)
    out = demand >= stock
    when = np.zeros(len(cell))
    some = out & (stock > 0)
    when[some] = rng.beta(stock[some], demand[some] - stock[some] + 1)
    hour = HOURS[np.minimum(np.searchsorted(np.cumsum(SHARES), when), 13)]
    hour[stock == 0] = 0
    flagged = out & (rng.random(len(cell)) >= missed)
    sold = np.minimum(demand, stock)
    sales = pd.DataFrame({
        "store_id": cell // 9, "sku_id": cell % 9, "day": day, "sold": sold, "price_cents": 300,
        "stock_open": stock, "stocked_out": flagged, "stockout_hour": np.where(flagged, hour, 24).astype(np.int8),
        "searches": demand + rng.poisson(0.5 * level), "failed_adds": rng.binomial(demand - sold, 0.6),
        "substitutions": 0,
    })  # fmt: skip
    return sales, pd.DataFrame({"demand": demand, "stocked_out": out})


def all_ways(sales):
    return {way: unconstrain(sales, way, products=PRODUCTS, profile=PROFILE) for way in WAYS}


def measured(missed):
    sales, truth = draw(0, missed)
    cell = sales["store_id"] * 9 + sales["sku_id"]
    return pd.concat({way: bias(e, truth, cell).loc["all"] for way, e in all_ways(sales).items()}, axis=1).T


@pytest.fixture(scope="module")
def right():
    return measured(0.0)


@pytest.fixture(scope="module")
def wrong():
    return measured(0.4)


def test_with_right_records_three_ways_find_the_demand_and_two_do_not(right):
    assert (right.loc[["hours", "tobit", "app"], "bias"].abs() < 0.015).all()
    assert (right.loc[["hours", "tobit", "app"], "bias_stockout"].abs() < 0.03).all()
    assert right.loc["as is", "bias"] < -0.10
    assert right.loc["drop", "bias"] < right.loc["as is", "bias"]  # days of high demand are those that are dropped


def test_with_missed_flags_only_the_app_is_as_good_as_before(right, wrong):
    assert wrong.loc["app", "bias"] == right.loc["app", "bias"]
    assert wrong.loc["as is", "bias"] == right.loc["as is", "bias"]
    for way in ("hours", "tobit"):
        assert wrong.loc[way, "bias"] < right.loc[way, "bias"] - 0.04
        assert wrong.loc[way, "bias"] > wrong.loc["as is", "bias"]


def test_the_hour_makes_the_better_guess_of_a_day(right):
    assert right.loc["hours", "error"] < right.loc["tobit", "error"] < right.loc["as is", "error"]


def test_without_a_stock_out_every_way_is_the_sales():
    sales, _ = draw(1)
    calm = sales.assign(stocked_out=False, stockout_hour=24, failed_adds=0, substitutions=0)
    for way in WAYS:
        estimate = unconstrain(calm, way, products=PRODUCTS, profile=PROFILE, share=0.6)
        np.testing.assert_allclose(estimate, calm["sold"], atol=1e-9)
        assert estimate.name == way


def test_estimates_keep_the_index_and_never_fall_below_sales():
    sales, _ = draw(2)
    mixed = sales.sample(frac=0.2, random_state=0)
    for estimate in all_ways(mixed).values():
        assert estimate.index.equals(mixed.index)
        assert (estimate.dropna() >= mixed["sold"][estimate.notna()] - 1e-9).all()


def test_drop_is_missing_exactly_on_flagged_days():
    sales, _ = draw(3, missed=0.3)
    assert (unconstrain(sales, "drop").isna() == sales["stocked_out"]).all()


def test_an_hour_without_the_flag_counts_for_nothing():
    sales, _ = draw(3)
    unflagged = sales.assign(stocked_out=False)
    assert (unconstrain(unflagged, "hours", products=PRODUCTS, profile=PROFILE) == sales["sold"]).all()


def test_the_app_takes_off_what_was_sold_in_another_s_place():
    sales, _ = draw(4)
    same = PRODUCTS.assign(group_id=0)
    moved = sales.assign(substitutions=sales["failed_adds"] // 2)
    alone = unconstrain(moved, "app", share=0.6)
    net = unconstrain(moved, "app", share=0.6, products=same)
    np.testing.assert_allclose(alone - net, received_units(moved, same), atol=1e-9)
    assert 0.9 < (alone.sum() - net.sum()) / moved["substitutions"].sum() <= 1  # some groups sold less than was moved


def test_usual_covariates_are_what_they_say():
    sales = pd.DataFrame({"store_id": 0, "sku_id": 0, "day": range(728), "price_cents": 300})
    sales.loc[10:12, "price_cents"] = 150
    table = usual_covariates(sales)
    assert list(table) == [*(f"weekday_{k}" for k in range(1, 7)), "log_price", "reduced",
                           *(f"month_{k}" for k in range(1, 13))]  # fmt: skip
    assert table["log_price"].to_numpy()[[9, 10]] == pytest.approx([0, -np.log(2)])
    assert table["reduced"].sum() == 3
    assert table.filter(like="month").sum().tolist() == [56.0] * 12
    assert table.loc[[0, 6, 28], ["weekday_6", "month_1"]].to_numpy().tolist() == [[0, 0], [1, 0], [0, 1]]


def test_bias_by_hand():
    truth = pd.DataFrame({"demand": [2, 4, 10, 5], "stocked_out": [False, False, True, True]})
    table = bias(pd.Series([2.0, 4.0, np.nan, 4.0]), truth, ["a", "a", "a", "b"], by=["x", "x", "x", "y"])
    columns = ["days", "stockout_days", "bias", "bias_stockout", "error"]
    assert table.loc["x", columns].tolist() == pytest.approx([3, 1, 9 / 16 - 1, -0.7, 7 / 16])
    assert table.loc["y", columns].tolist() == pytest.approx([1, 1, -0.2, -0.2, 0.2])
    assert table.loc["all", columns].tolist() == pytest.approx([4, 2, 13 / 21 - 1, 7 / 15 - 1, 8 / 21])


def test_cells_without_any_estimate_are_left_out():
    truth = pd.DataFrame({"demand": [2, 4], "stocked_out": [False, True]})
    assert bias(pd.Series([2.0, np.nan]), truth, ["a", "b"]).loc["all", "days"] == 1


def test_speed_goes_by_the_cell_s_mean():
    sales = pd.DataFrame({"store_id": [0, 0, 0, 0, 1, 1], "sku_id": [0, 0, 1, 1, 0, 0], "sold": [1, 0, 3, 4, 5, 5]})
    assert speed(sales).tolist() == ["slow", "slow", "medium", "medium", "fast", "fast"]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda s: unconstrain(s, "magic"),
            "way must be one of as is, drop, hours, tobit, app, got 'magic'; choose one of these.",
        ),
        (
            lambda s: unconstrain(s, "hours", products=PRODUCTS),
            "profile must be given for the way 'hours', got None; pass it as profile=.",
        ),
        (
            lambda s: unconstrain(s, "tobit"),
            "products must be given for the way 'tobit', got None; pass it as products=.",
        ),
        (
            lambda s: unconstrain(s.assign(sku_id=77), "tobit", products=PRODUCTS),
            "sales, sku_id must be a product of 'products', got 77; add it, or leave its sales out.",
        ),
        (
            lambda s: bias(s["sold"], pd.DataFrame({"demand": [1], "stocked_out": [True]}), s["sku_id"]),
            f"truth must be {CELLS * DAYS} long, got 1 rows; take all arguments from one table.",
        ),
    ],
)
def test_what_is_refused(call, text):
    with pytest.raises(ContractError) as error:
        call(draw(0)[0])
    assert str(error.value) == text
