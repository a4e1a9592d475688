"""A reader's own sales: what comes out against a truth that is known, and one sentence for each bad table."""

from __future__ import annotations

from io import StringIO

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from casebook.contracts import ContractError
from casebook.demand.own_table import GRID, Reading, _score, read_sales
from casebook.demand.own_table_checks import check_own
from casebook.demand.own_table_contract import CONTRACTS
from casebook.demand.own_table_example import example_products, example_sales
from casebook.demand.own_table_rooms import room_of
from casebook.demand.rolling import Rolled

DAYS = 210  # thirty weeks
QUICK = {"weeks": 2, "trees": 10}
REPAIRED, CUT = 0.01, 0.05  # of mean demand, over 3,000 rows with known dispersion; unrepaired it is 0.1 off or more
COVERED = 0.05  # of 840 rows: three binomial standard errors
LEVELS = 1.15  # all cells' levels over the true ones: the days are independent and a correlation of 0.1 is assumed


@pytest.fixture(scope="module")
def sales():
    return example_sales(DAYS, np.random.default_rng(0))


@pytest.fixture(scope="module")
def products():
    return example_products(np.random.default_rng(1))


@pytest.fixture(scope="module")
def reading(sales, products):
    return read_sales(sales, products, weeks=8, trees=30)


def one_cell(days=DAYS):
    table = pd.DataFrame({"store_id": "a", "sku_id": "x", "date": pd.date_range("2025-01-06", periods=days), "sold": 3})
    return table.assign(stocked_out=False, stock_close=2)


def one_price(**columns):
    row = {"sku_id": ["x"], "price": 3.0, "cost": 1.8, "salvage": 0.3, "case_pack": 6}
    return pd.DataFrame(row | columns)


def promotion(**columns):
    row = {"sku_id": ["x"], "first_day": ["2025-03-03"], "last_day": ["2025-03-09"], "discount": 0.25}
    return pd.DataFrame(row | columns)


def override(**columns):
    row = {"store_id": ["a"], "first_day": ["2025-08-07"], "last_day": ["2025-08-13"], "factor": 2.0}
    return pd.DataFrame(row | columns)


def test_the_share_of_empty_shelves_is_that_of_the_flag(sales, reading):
    assert reading.stockouts == sales["stocked_out"].mean()
    assert reading.at == pd.Timestamp("2025-08-03")


def test_censored_counts_find_the_demand_that_dropping_days_does_not(sales, reading):
    against = reading.ways["units"] / sales["wanted"].mean() - 1
    assert abs(against["tobit"]) < REPAIRED
    assert against["as is"] < -CUT and against["drop"] < -CUT
    assert reading.ways["off"]["tobit"] == 0


def test_what_the_shelf_cut_off_is_ordered_again(sales, products):
    told = {
        name: read_sales(table, products, **QUICK).orders["level"].sum()
        for name, table in {"flag": sales, "none": sales.drop(columns="stocked_out")}.items()
    }
    assert told["flag"] > (1 + CUT) * told["none"]


def test_where_no_shelf_ever_ran_empty_sales_are_demand(products):
    ample = example_sales(DAYS, np.random.default_rng(2), stock=50.0)
    told = read_sales(ample, products, **QUICK)
    assert told.stockouts == 0
    assert told.ways.index.tolist() == ["as is"]
    assert told.ways.loc["as is", "units"] == pytest.approx(ample["wanted"].mean())


def test_each_products_fractile_is_its_own_costs(products, reading):
    row = products.set_index("sku_id").loc["A3"]
    short, over = row["price"] - row["cost"] + 1.0, row["cost"] - row["salvage"]
    assert reading.fractiles.loc["A3"].tolist() == pytest.approx([short, over, short / (short + over)])


def test_the_boosted_quantile_covers_what_was_asked(reading):
    told = reading.scores.loc["boosted quantiles"]
    assert told["coverage"] > told["asked"] - COVERED
    assert reading.best == reading.scores["money"].idxmin()


def test_the_measures_are_what_an_adding_up_by_hand_gives():
    wanted = {0: [5, 5, 5, 5, 5, 5, 8], 1: [5, 5, 5, 5, 5, 5, 0], 2: [9, np.nan, 9, 9, 9, 9, 9]}
    rows = [
        {"store_id": 0, "sku_id": sku, "origin": 6, "day": 10 + at, "y": units}
        for sku, week in wanted.items()
        for at, units in enumerate(week)
    ]
    frame = pd.DataFrame(rows)
    flat = pd.DataFrame({tau: np.full(len(frame), 5.0) for tau in GRID})
    costs = pd.DataFrame({"short": [4.0, 9.0, 1.0], "over": [1.0, 1.0, 1.0], "tau": [0.8, 0.9, 0.5]})
    told = _score(frame, Rolled(flat, np.arange(len(frame)), pd.DataFrame(), None), 20, costs, 0.1)
    # 35 are ordered of each: three short of the first, five too many of the second; the third was not sold all week.
    assert told["money"] == 3 * 4.0 + 5 * 1.0
    assert told["pinball"] == pytest.approx((0.8 * 3 + 0.1 * 5) / 14)
    assert told["coverage"] == pytest.approx(13 / 14) and told["asked"] == pytest.approx(0.85)


def test_an_order_fills_up_to_ten_days_and_no_further(products, reading):
    orders = reading.orders
    size = products.set_index("sku_id")["case_pack"].loc[orders.index.get_level_values("sku_id")].to_numpy()
    need = orders["level"] - orders["stock"]
    assert (orders["units"] >= need - 1e-9).all()
    assert (orders["units"] - need < size)[need > 0].all()
    assert (orders["units"][need <= 0] == 0).all()
    assert (orders["units"] == orders["cases"] * size).all()


def test_the_levels_are_near_the_true_quantiles_of_ten_days(reading):
    rates = dict(zip(("A1", "A2", "A3", "A4", "A5"), (0.4, 1.5, 3.0, 6.0, 12.0), strict=True))
    shops = {"harbour": 0.8, "station": 1.0, "mill": 1.2}
    exact = []
    for (store, sku), row in reading.orders.iterrows():
        mean = rates[sku] * shops[store] * np.array([1.5 if day in (5, 6) else 1.0 for day in range(10)])
        spread = np.sqrt((mean + mean**2 / 3).sum())
        exact.append(stats.norm.ppf(row["fractile"]) * spread + mean.sum())
    ratio = reading.orders["level"].sum() / np.sum(exact)
    assert 1 / LEVELS < ratio < LEVELS


def test_the_stock_is_that_of_the_last_evening_and_comes_off(sales, products, reading):
    last = sales[sales["date"] == reading.at].set_index(["store_id", "sku_id"])["stock_close"]
    assert (reading.orders["stock"] == last.reindex(reading.orders.index)).all()
    none = read_sales(sales.drop(columns="stock_close"), products, weeks=8, trees=30)
    assert (none.orders["stock"] == 0).all()
    pd.testing.assert_series_equal(none.orders["level"], reading.orders["level"])
    assert "as if all shelves were empty" in none.warning and "all shelves" not in reading.warning


def test_without_a_flag_sales_stand_for_demand_and_the_warning_says_so(sales, products):
    told = read_sales(sales.drop(columns="stocked_out"), products, **QUICK)
    assert np.isnan(told.stockouts) and told.ways.index.tolist() == ["as is"]
    assert told.warning.startswith("Without a stock-out flag sales stand for demand. 2 weeks tell two models apart")


def test_an_override_changes_its_store_on_its_days_and_nothing_else(sales, products):
    plain = read_sales(sales, products, **QUICK).orders
    fair = override(store_id=["mill"], factor=3.0)
    told = read_sales(sales, products, overrides=fair, **QUICK).orders
    there = told.index.get_level_values("store_id") == "mill"
    assert told["changed"].tolist() == there.tolist()
    assert (told["level"][there] > 2 * plain["level"][there]).all()
    pd.testing.assert_frame_equal(told[~there], plain[~there])
    past = read_sales(sales, products, overrides=fair.assign(first_day="2025-01-06", last_day="2025-08-03"), **QUICK)
    pd.testing.assert_frame_equal(past.orders, plain)


def test_what_comes_after_the_sunday_changes_nothing(sales, products):
    at = "2025-07-27"
    first = read_sales(sales, products, at=at, **QUICK)
    later = sales["sold"].where(sales["date"] <= pd.Timestamp(at), 99)
    second = read_sales(sales.assign(sold=later), products, at=at, **QUICK)
    pd.testing.assert_frame_equal(first.orders, second.orders)
    pd.testing.assert_frame_equal(first.scores, second.scores)
    assert first.at == pd.Timestamp(at)


def test_a_product_that_is_no_longer_sold_is_not_ordered(sales, products):
    gone = (sales["sku_id"] == "A2") & (sales["date"] > "2025-07-15")
    told = read_sales(sales[~gone], products, **QUICK)
    assert set(told.orders.index.get_level_values("sku_id")) == {"A1", "A3", "A4", "A5"}


def test_a_promotion_that_is_announced_raises_what_is_ordered_for_it(products):
    rng = np.random.default_rng(3)
    sales = example_sales(DAYS, rng, stock=50.0)
    starts = pd.date_range("2025-01-16", periods=8, freq="28D")  # a Thursday every fourth week, the last one ahead
    runs = [sales["date"].between(first, first + pd.Timedelta(days=6)) for first in starts]
    sold = sales["sold"].mask(np.any(runs, axis=0) & (sales["sku_id"] == "A5"), 3 * sales["sold"])
    promoted = pd.DataFrame({"sku_id": "A5", "first_day": starts, "last_day": starts + pd.Timedelta(days=6)})
    promoted = promoted.assign(discount=0.3)
    at = "2025-07-27"  # the last run begins on the Thursday after
    told = {
        name: read_sales(sales.assign(sold=sold), products, table, at=at, weeks=2, trees=40).orders["level"]
        for name, table in {"known": promoted, "last unknown": promoted.iloc[:-1]}.items()
    }
    fives = told["known"].index.get_level_values("sku_id") == "A5"
    assert (told["known"][fives] > 1.3 * told["last unknown"][fives]).all()


def test_the_order_of_rows_and_the_names_of_columns_change_nothing(sales, products):
    plain = read_sales(sales, products, **QUICK)
    names = {"store_id": "filiale", "sku_id": "artikel", "sold": "menge", "case_pack": "karton"}
    turned = sales.sample(frac=1, random_state=0).rename(columns=names)
    given = turned.copy()
    told = read_sales(turned, products.rename(columns=names), columns=names, **QUICK)
    pd.testing.assert_frame_equal(told.orders.sort_index(), plain.orders.sort_index())
    pd.testing.assert_frame_equal(turned, given)


@pytest.mark.parametrize(
    "typed",
    [
        lambda table: pd.read_csv(StringIO(table.to_csv(index=False))),
        lambda table: table.convert_dtypes(),
        lambda table: table.assign(store_id=table["store_id"].astype("category"), stocked_out=1 * table["stocked_out"]),
    ],
    ids=["csv", "nullable", "categories"],
)
def test_the_same_table_in_other_types_is_read_alike(sales, products, typed):
    plain, told = (check_own(table, products).sales for table in (sales, typed(sales)))
    pd.testing.assert_frame_equal(told.astype(object), plain.astype(object))
    assert room_of(check_own(typed(sales), products)).weeks == 30


def test_one_cell_is_enough():
    table = one_cell().assign(sold=np.random.default_rng(0).poisson(4, DAYS))
    told = read_sales(table, one_price(), weeks=2, trees=5)
    assert told.orders.index.tolist() == [("a", "x")]
    assert told.orders["units"].iloc[0] % 6 == 0


def test_a_fractile_beyond_the_levels_that_are_forecast_is_read_at_the_last(sales, products):
    keeps = read_sales(sales, products.assign(salvage=products["cost"] - 0.01), **QUICK)
    assert (keeps.fractiles["fractile"] > GRID[-1]).all()
    assert (keeps.orders["fractile"] == GRID[-1]).all()


def test_the_contract_names_every_table_with_its_meanings():
    assert list(CONTRACTS) == ["sales", "products", "promotions", "overrides"]
    assert all(column.description for contract in CONTRACTS.values() for column in contract.columns.values())
    assert "weeks" in Reading.__annotations__


S, P, D, V = ("table 'sales'", "table 'products'", "table 'promotions'", "table 'overrides'")
CELL_A = f"{S}, store 'a', product 'x'"
LESS = one_cell()
BROKEN = {
    "no table": ({"sales": [1, 2]}, f"{S} must be a pandas DataFrame, got list; wrap it in pd.DataFrame(...)."),
    "empty": (
        {"sales": LESS.iloc[:0]},
        f"{S} must be a table with at least one row, got no rows; check the filter or the join that made it.",
    ),
    "another name": (
        {"sales": LESS.rename(columns={"sold": "Sold"})},
        f"{S} must be a table with a column 'sold', got 'store_id', 'sku_id', 'date', 'Sold', 'stocked_out', "
        "'stock_close'; rename 'Sold' to 'sold'.",
    ),
    "another separator": (
        {"sales": pd.DataFrame({"store_id;sku_id;date": ["a;x;1"]})},
        f"{S} must be a table of several columns, got one column 'store_id;sku_id;date'; read it with sep=';'.",
    ),
    "column twice": (
        {"sales": pd.concat([LESS, LESS[["sold"]]], axis=1)},
        f"{S}, column 'sold' must be there once, got it 2 times; drop all but one.",
    ),
    "a gap": (
        {"sales": LESS.drop(index=3)},
        f"{CELL_A} must be there on every day from its first to its last, got no row from 2025-01-09 to 2025-01-09; "
        "write days without a sale as 0.",
    ),
    "a day twice": (
        {"sales": pd.concat([LESS, LESS.iloc[[5]]])},
        f"{CELL_A}, 2025-01-11 must be one row, got more than one; drop the copies, or add them up with "
        "groupby(...).sum().",
    ),
    "negative": (
        {"sales": LESS.assign(sold=LESS["sold"].where(LESS.index != 2, -2))},
        f"{S}, column 'sold', row 2 must be at least 0, got -2.0; put returns into a column of their own.",
    ),
    "kilograms": (
        {"sales": LESS.assign(sold=1.5)},
        f"{S}, column 'sold', row 0 must be a whole number, got 1.5; count units, or choose a smaller one, such as 100 "
        "grams.",
    ),
    "text": (
        {"sales": LESS.assign(sold="n/a")},
        f"{S}, column 'sold' must be of type float64, got text; convert it with .astype(...) or pd.to_numeric.",
    ),
    "missing": (
        {"sales": LESS.assign(sold=LESS["sold"].where(LESS.index != 2))},
        f"{S}, column 'sold', row 2 must be filled in, got a missing value; fill it in or drop the row.",
    ),
    "empty with stock": (
        {"sales": LESS.assign(stocked_out=LESS.index == 4)},
        f"{S}, column 'stocked_out', row 4 must be false where 'stock_close' is above 0, got true with 2 left; find "
        "out which of the two is wrong.",
    ),
    "other words": (
        {"sales": LESS.assign(stocked_out="yes")},
        "stocked_out, row 0 must be 0 or 1, got 'yes'; map it with (stocked_out == 'yes').",
    ),
    "day first": (
        {"sales": LESS.assign(date="31.03.2025")},
        f"{S}, column 'date', row 0 must be a day without a time, got '31.03.2025'; write it as 2026-03-31.",
    ),
    "numbers as dates": (
        {"sales": LESS.assign(date=20250331)},
        f"{S}, column 'date' must be a day without a time, got the number 20250331; convert it with "
        "pd.to_datetime(..., format='%Y%m%d').",
    ),
    "hours": (
        {"sales": LESS.assign(date=LESS["date"] + pd.Timedelta(hours=9))},
        f"{S}, column 'date', row 0 must be a day without a time, got 2025-01-06 09:00:00; add up each day's rows, or "
        "cut the time off.",
    ),
    "time zone": (
        {"sales": LESS.assign(date=LESS["date"].dt.tz_localize("UTC"))},
        f"{S}, column 'date' must be a day without a time, got the zone UTC; drop it: "
        ".dt.tz_localize(None).dt.normalize().",
    ),
    "no date": (
        {"sales": LESS.assign(date=LESS["date"].where(LESS.index != 2))},
        f"{S}, column 'date', row 2 must be filled in, got a missing value; fill it in or drop the row.",
    ),
    "too few weeks": (
        {"sales": LESS.head(90)},
        f"{S} must be of 22 whole weeks or more, got 12 up to 2025-03-30; bring more, or test on fewer with weeks=.",
    ),
    "a stranger": (
        {"sales": LESS.assign(sku_id="y")},
        f"{S}, column 'sku_id' must be a product of table 'products', got 'y'; add it there, and read both keys as one "
        "type.",
    ),
    "cents": (
        {"products": one_price(price=300, cost=180, salvage=30)},
        f"{P}, column 'price' must be in dollars, got whole numbers with a median of 300; divide cents by 100, or pass "
        ".astype(float) if these are dollars.",
    ),
    "a sign": (
        {"products": one_price(price="$3.00")},
        f"{P}, column 'price' must be of type float64, got text; convert it with .astype(...) or pd.to_numeric.",
    ),
    "no margin": (
        {"products": one_price(cost=3.0)},
        f"{P}, column 'cost', row 0 must be below what a sale brings (3), got 3; correct it, or leave the product out.",
    ),
    "salvage above cost": (
        {"products": one_price(salvage=1.8)},
        f"{P}, column 'salvage', row 0 must be below 'cost' (1.8), got 1.8; take holding, space and doubt off; else no "
        "order is too large.",
    ),
    "half a case": (
        {"products": one_price(case_pack=0.5)},
        f"{P}, column 'case_pack', row 0 must be at least 1, got 0.5; mend or drop it.",
    ),
    "product twice": (
        {"products": pd.concat([one_price(), one_price()], ignore_index=True)},
        f"{P}, column 'sku_id', row 0 must be unique, got 'x' more than once; drop the duplicate rows or aggregate "
        "them.",
    ),
    "ends before it starts": (
        {"promotions": promotion(last_day=["2025-03-01"])},
        f"{D}, column 'last_day', row 0 must be 2025-03-03 (its first day) or later, got 2025-03-01; swap them.",
    ),
    "percent": (
        {"promotions": promotion(discount=25.0)},
        f"{D}, column 'discount', row 0 must be between 0 and 0.9, got 25.0; divide percentages by 100.",
    ),
    "promoted stranger": (
        {"promotions": promotion(sku_id=["z"])},
        f"{D}, column 'sku_id' must be a product of table 'products', got 'z'; add it there, and read both keys as one "
        "type.",
    ),
    "closed store": (
        {"sales": pd.concat([LESS, LESS.head(30).assign(store_id="b")]), "overrides": override(store_id=["b"])},
        f"{V}, column 'store_id', row 0 must be a store that is open, got store 'b', whose sales end on 2025-02-04; "
        "drop it.",
    ),
    "no such store": (
        {"overrides": override(store_id=["q"])},
        f"{V}, column 'store_id', row 0 must be a store of table 'sales', got 'q'; correct it.",
    ),
    "override turned": (
        {"overrides": override(last_day=["2025-08-01"])},
        f"{V}, column 'last_day', row 0 must be 2025-08-07 (its first day) or later, got 2025-08-01; swap them.",
    ),
    "negative factor": (
        {"overrides": override(factor=-1.0)},
        f"{V}, column 'factor', row 0 must be at least 0, got -1.0; mend or drop it.",
    ),
    "mapping turned": (
        {"columns": {"units": "sold"}},
        "columns must be from names of the contract to yours, got 'units'; turn the pair round or correct it.",
    ),
    "mapping to nothing": (
        {"columns": {"sold": "units"}},
        "columns['sold'] must be a column of your tables, got 'units'; copy its spelling.",
    ),
    "a Saturday": (
        {"at": "2025-08-02"},
        "at must be a Sunday within the sales, 2025-01-06 to 2025-08-03, got 2025-08-02; leave it out for the last "
        "one.",
    ),
    "a later Sunday": (
        {"at": "2025-08-10"},
        "at must be a Sunday within the sales, 2025-01-06 to 2025-08-03, got 2025-08-10; leave it out for the last "
        "one.",
    ),
    "no day": ({"at": "soon"}, "at must be a date, got 'soon'; write it as '2025-08-03'."),
    "one test week": ({"weeks": 1}, "weeks must be 2 or more, got 1; one week says nothing of the next."),
    "correlation in percent": (
        {"correlation": 10.0},
        "correlation must be in [0, 1], got 10; divide percentages by 100.",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_broken_table_gets_its_one_sentence(name):
    changed, sentence = BROKEN[name]
    with pytest.raises(ContractError) as caught:
        read_sales(**({"sales": LESS, "products": one_price()} | QUICK | changed))
    assert str(caught.value) == sentence
