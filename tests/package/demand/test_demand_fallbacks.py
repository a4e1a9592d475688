"""Late stores are found as they are by hand, and each fallback is what its name says."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.demand.fallbacks import (
    CATEGORY_MEAN,
    LAST_ORDER,
    LAST_WEEK,
    MODEL,
    active_cells,
    as_known,
    category_mean,
    choose,
    last_week,
    received,
)

ORIGIN = 69
DAYS = [ORIGIN + ahead for ahead in range(4, 11)]
EXACT = 1e-12  # sums of the same whole numbers


def tables(stores=3, skus=4, seed=0, last=ORIGIN):
    """Three stores in two regions with four products of two categories, all on sale since day 0."""
    rng = np.random.default_rng(seed)
    cells = pd.MultiIndex.from_product([range(stores), range(skus)], names=["store_id", "sku_id"]).to_frame(index=False)
    sales = cells.merge(pd.DataFrame({"day": range(last + 1)}), how="cross")
    return {
        "stores": pd.DataFrame(
            {
                "store_id": range(stores),
                "region": ["north", "south", "north"][:stores],
                "opened_on": -100,
                "closed_on": np.nan,
            }
        ),
        "products": pd.DataFrame({"sku_id": range(skus), "category": ["dairy", "pantry"] * 2, "launched_on": -100}),
        "cells": cells.assign(listed_on=0, delisted_on=np.nan),
        "sales": sales.assign(sold=rng.poisson(5, len(sales)), stock_close=rng.poisson(9, len(sales))),
    }


def without(data, query):
    return {**data, "sales": data["sales"].query(f"not ({query})")}


def test_a_store_is_late_by_the_days_since_its_last_whole_day():
    data = without(tables(), "store_id == 1 and day > 60")
    data = without(data, "store_id == 2 and sku_id in [0, 1] and day > 66")  # half a file is no file
    found = received(data, ORIGIN)
    assert found["last_day"].tolist() == [69, 60, 66]
    assert found["late_days"].tolist() == [0, 9, 3]
    assert received(data, ORIGIN, complete=0.5)["late_days"].tolist() == [0, 9, 0]


@given(st.lists(st.integers(0, 50), min_size=3, max_size=3))
def test_whatever_is_missing_at_the_end_is_counted(missing):
    data = tables()
    for store, days in enumerate(missing):
        data = without(data, f"store_id == {store} and day > {ORIGIN - days}")
    assert received(data, ORIGIN)["late_days"].tolist() == missing


def test_a_store_that_never_sent_is_late_since_it_opened_or_for_eight_weeks():
    data = without(tables(), "store_id in [0, 1]")
    data["stores"].loc[0, "opened_on"] = 60
    found = received(data, ORIGIN)
    assert found["late_days"].tolist() == [10, 56, 0]
    assert found["last_day"].isna().tolist() == [True, True, False]


def test_closed_and_unopened_stores_are_not_awaited():
    data = tables()
    data["stores"].loc[0, "closed_on"] = 40.0
    data["stores"].loc[1, "opened_on"] = ORIGIN + 1
    assert received(without(data, "store_id != 2"), ORIGIN)["store_id"].tolist() == [2]


def test_what_came_after_the_origin_changes_nothing():
    data = tables(last=ORIGIN + 14)
    wild = data["sales"].assign(
        sold=np.where(data["sales"]["day"] > ORIGIN, 999, data["sales"]["sold"]),
        stock_close=np.where(data["sales"]["day"] > ORIGIN, 999, data["sales"]["stock_close"]),
    )
    results = []
    for sales in (data["sales"], wild):
        known = as_known({**data, "sales": sales}, ORIGIN)
        stores = received(known, ORIGIN)
        cells = active_cells(known, ORIGIN, DAYS, stores)
        results.append(
            (stores, cells, last_week(known, cells, DAYS), category_mean(known, cells, DAYS, ORIGIN)),
        )
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_as_known_cuts_each_table_by_the_day_on_which_its_rows_are_known():
    frames = {
        "sales": pd.DataFrame({"day": [1, 2]}),
        "weather": pd.DataFrame({"day": [2, 3]}),
        "weather_forecasts": pd.DataFrame({"made_on": [1, 8], "day": [9, 9]}),
        "promotions": pd.DataFrame({"announced_on": [0, 5], "first_day": [9, 3]}),
        "calendar": pd.DataFrame({"day": [0, 99]}),
    }
    known = as_known(frames, 2)
    assert {name: len(frame) for name, frame in known.items()} == {
        "sales": 2, "weather": 1, "weather_forecasts": 1, "promotions": 1, "calendar": 2,
    }  # fmt: skip
    assert len(frames["promotions"]) == 2


def test_stock_is_known_of_cells_on_time_and_zero_of_new_ones():
    data = without(tables(), "store_id == 1 and day > 60")
    data["cells"].loc[0, "listed_on"] = DAYS[2]  # store 0, product 0 starts within the week
    data = without(data, "store_id == 0 and sku_id == 0")
    stores = received(data, ORIGIN)
    cells = active_cells(data, ORIGIN, DAYS, stores).set_index(["store_id", "sku_id"])
    last = data["sales"].query("day == @ORIGIN").set_index(["store_id", "sku_id"])["stock_close"]
    assert cells.loc[(0, 0), "stock"] == 0
    assert cells.loc[(0, 0), "late_days"] == 0
    assert cells.loc[1, "stock"].isna().all()
    assert (cells.loc[1, "late_days"] == 9).all()
    assert (cells.loc[2, "stock"] == last.loc[2]).all()


def test_one_product_of_a_store_on_time_can_be_late_by_itself():
    data = without(tables(), "store_id == 0 and sku_id == 3 and day > 64")
    stores = received(data, ORIGIN, complete=0.7)
    assert stores["late_days"].tolist() == [0, 0, 0]
    cells = active_cells(data, ORIGIN, DAYS, stores).set_index(["store_id", "sku_id"])
    assert cells["late_days"].to_dict() == {key: 5 * (key == (0, 3)) for key in cells.index}


def test_cells_that_end_before_the_week_or_start_after_it_are_not_ordered():
    data = tables()
    data["cells"]["delisted_on"] = data["cells"]["delisted_on"].astype(float)
    data["cells"].loc[0, "delisted_on"] = DAYS[0]
    data["cells"].loc[1, "listed_on"] = DAYS[-1] + 1
    data["cells"].loc[2, "delisted_on"] = DAYS[0] + 1
    cells = active_cells(data, ORIGIN, DAYS, received(data, ORIGIN))
    assert len(cells) == 10
    assert cells["sku_id"].tolist()[:2] == [2, 3]
    assert cells["end_day"].tolist()[:2] == [DAYS[0] + 1, np.inf]


def test_the_ladder_of_names():
    late = [0, 0, 0, 14, 15, 15]
    cells = pd.DataFrame({"late_days": late, "week": [True, True, False, True, True, False]})
    forecastable = np.array([1, 0, 0, 1, 1, 1], bool)
    ordered = np.array([1, 1, 0, 1, 1, 0], bool)
    expected = [MODEL, LAST_WEEK, CATEGORY_MEAN, LAST_WEEK, LAST_ORDER, CATEGORY_MEAN]
    assert choose(cells, forecastable, ordered, 14).tolist() == expected


@pytest.mark.parametrize("late", [0, 1, 6, 7, 9])
def test_last_week_is_the_newest_same_weekday_by_brute_force(late):
    data = without(tables(seed=4), f"day > {ORIGIN - late}")
    cells = active_cells(data, ORIGIN, DAYS, received(data, ORIGIN))
    found = last_week(data, cells, DAYS)
    sold = data["sales"].set_index(["store_id", "sku_id", "day"])["sold"]
    for row, (store, sku) in enumerate(zip(cells["store_id"], cells["sku_id"], strict=True)):
        for column, day in enumerate(DAYS):
            past = [d for d in range(ORIGIN - late + 1) if d % 7 == day % 7]
            assert found[row, column] == sold[store, sku, max(past)]


def test_the_category_mean_is_that_of_the_region_or_else_of_all():
    data = without(tables(seed=5), "store_id == 1")  # nothing came from the south
    cells = active_cells(data, ORIGIN, DAYS, received(data, ORIGIN))
    found = category_mean(data, cells, DAYS, ORIGIN)
    window = data["sales"].query("day > @ORIGIN - 28")
    for row in range(len(cells)):
        sku = cells.loc[row, "sku_id"]
        same = window[window["sku_id"].isin([sku % 2, sku % 2 + 2])]  # both stores that sent are in the north
        for column, day in enumerate(DAYS):
            assert abs(found[row, column] - same.loc[same["day"] % 7 == day % 7, "sold"].mean()) < EXACT
    south = data["sales"].query("store_id == 0").assign(store_id=1, sold=1000)
    both = {**data, "sales": pd.concat([data["sales"], south])}
    assert (category_mean(both, cells[cells["store_id"] == 1], DAYS, ORIGIN) == 1000).all()


def test_a_category_without_any_sales_gets_nothing():
    data = without(tables(), "sku_id in [1, 3]")
    cells = active_cells(tables(), ORIGIN, DAYS, received(tables(), ORIGIN))
    found = category_mean(data, cells, DAYS, ORIGIN)
    assert (found[(cells["category"] == "pantry").to_numpy()] == 0).all()


def test_inputs_stay_as_they_were():
    data = tables()
    copies = {name: frame.copy() for name, frame in data.items()}
    cells = active_cells(as_known(data, ORIGIN), ORIGIN, DAYS, received(data, ORIGIN))
    last_week(data, cells, DAYS), category_mean(data, cells, DAYS, ORIGIN)
    for name, frame in data.items():
        pd.testing.assert_frame_equal(frame, copies[name])


def test_refusals():
    data = tables()
    with pytest.raises(ContractError) as refusal:
        received(data, ORIGIN, complete=90)
    assert str(refusal.value) == "complete must be a share in (0, 1], got 90; divide percentages by 100."
    data["stores"]["closed_on"] = 1.0
    with pytest.raises(ContractError) as refusal:
        received(data, ORIGIN)
    assert str(refusal.value) == (
        "table 'stores' must be one with a store that is open on day 69, got none; mend its days."
    )
