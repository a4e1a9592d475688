"""The contract of the grocer's tables: each bad table gets one sentence."""

import numpy as np
import pytest

from casebook.contracts import ContractError
from casebook.demand.simulate import simulate
from casebook.demand.tables import check_promotions, check_sales, check_tables
from casebook.demand.world import World


@pytest.fixture(scope="module")
def tables():
    return simulate(World(), 2, 28, np.random.default_rng(3), days=84).tables


def refused(work, *what):
    with pytest.raises(ContractError) as sentence:
        work(*what)
    return str(sentence.value)


def test_the_simulators_own_tables_pass(tables):
    checked = check_tables(tables)
    assert set(checked) == set(tables)
    assert all(len(checked[name]) == len(tables[name]) for name in tables)


def test_hours_may_be_missing_and_others_not(tables):
    check_tables({name: table for name, table in tables.items() if name != "hours"})
    some = {name: table for name, table in tables.items() if name != "weather"}
    assert refused(check_tables, some) == (
        "tables must be at least stores, products, cells, calendar, weather, weather_forecasts, promotions, sales, got "
        "no weather; add it."
    )


def test_a_gap_in_the_calendar(tables):
    sales = tables["sales"]
    first = sales.iloc[0]
    cell = (sales["store_id"] == first["store_id"]) & (sales["sku_id"] == first["sku_id"])
    holed = sales[~(cell & sales["day"].between(30, 32))]
    assert refused(check_sales, holed) == (
        f"sales of store {first['store_id']}, product {first['sku_id']} must be a row for every day from its first to "
        "its last, got none from day 30 to 32; write the days without a sale as 0 and leave a cell that ended out."
    )


def test_a_row_twice(tables):
    sales = tables["sales"]
    twice = sales.iloc[[*range(20), 5]]
    assert refused(check_sales, twice) == (
        f"sales of store {sales['store_id'][5]}, product {sales['sku_id'][5]}, day 5 must be one row, got two; drop or "
        "add up the duplicates."
    )


def test_negative_sales(tables):
    sales = tables["sales"].copy()
    sales.loc[3, "sold"] = -2
    bad = {**tables, "sales": sales}
    assert (
        refused(check_tables, bad) == "table 'sales', column 'sold', row 3 must be at least 0, got -2; mend or drop it."
    )


def test_a_stock_out_with_stock_left(tables):
    sales = tables["sales"].copy()
    sales.loc[4, ["stocked_out", "stock_close"]] = [True, 6]
    assert refused(check_sales, sales) == (
        f"sales of store {sales['store_id'][4]}, product {sales['sku_id'][4]}, day 4, stocked_out must be False where "
        "stock is left at the close, got True with 6 units; find out which of the two is wrong; a delivery after the "
        "close belongs to the next day."
    )


def test_a_promotion_that_ends_before_it_starts(tables):
    plan = tables["promotions"].copy()
    plan.loc[1, "last_day"] = plan.loc[1, "first_day"] - 1
    first, last = plan.loc[1, ["first_day", "last_day"]]
    assert refused(check_promotions, plan) == (
        f"promotion 1, last_day must be {first} (its first day) or later, got {last}; swap the two days."
    )


def test_an_unknown_category(tables):
    products = tables["products"].astype({"category": str})
    products.loc[0, "category"] = "toys"
    assert refused(check_tables, {**tables, "products": products}) == (
        "table 'products', column 'category', row 0 must be one of ['produce', 'bakery', 'dairy', 'drinks', 'frozen', "
        "'pantry', 'household'], got 'toys'; mend or drop it."
    )
