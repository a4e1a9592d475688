"""The contract of the grocer's tables: what is sold where, what is known when, and what the shelf's records say."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pandera.pandas as pa

from casebook.contracts import check_frame, refuse
from casebook.demand.world import BRANDS, CATEGORIES, CLOSES, HOLIDAYS, NEVER_OUT, REGIONS

Tables = dict[str, pd.DataFrame]

#: The fixed categories of every column of words, in the order of their codes.
WORDS: Mapping[str, tuple[str, ...]] = {
    "region": REGIONS,
    "category": tuple(CATEGORIES),
    "brand": BRANDS,
    "holiday": HOLIDAYS,
}
KEY = ["store_id", "sku_id", "day"]


def _whole(meaning: str, least: int | None = 0, unique: bool = False) -> pa.Column:
    check = None if least is None else pa.Check.ge(least, error=f"{least} or more")
    return pa.Column("int64", check, coerce=True, unique=unique, description=meaning)


def _number(meaning: str, low: float | None = None, high: float | None = None, nullable: bool = False) -> pa.Column:
    checks = [] if low is None else [pa.Check.ge(low, error=f"{low:g} or more")]
    checks += [] if high is None else [pa.Check.le(high, error=f"at most {high:g}")]
    return pa.Column(float, checks, coerce=True, nullable=nullable, description=meaning)


def _word(name: str, meaning: str) -> pa.Column:
    allowed = list(WORDS[name])
    return pa.Column(checks=pa.Check.isin(allowed, error="one of " + ", ".join(allowed)), description=meaning)


def _flag(meaning: str) -> pa.Column:
    return pa.Column(bool, coerce=True, description=meaning)


def _table(name: str, **columns: pa.Column) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(dict(columns), strict=False, name=f"table '{name}'")


TABLES: dict[str, pa.DataFrameSchema] = {
    "stores": _table(
        "stores",
        store_id=_whole("key", unique=True),
        region=_word("region", "where promotions and weather are shared"),
        size_m2=_number("selling space, square metres", 1),
        income=_number("income of the neighbourhood, 1 is the average", 0),
        opened_on=_whole("first day; below 0 before the data begin", None),
        closed_on=_number("first day on which it is closed; missing if it is open", nullable=True),
    ),
    "products": _table(
        "products",
        sku_id=_whole("key", unique=True),
        category=_word("category", "its shelf"),
        brand=_word("brand", "whose it is"),
        group_id=_whole("products that replace each other share it"),
        price_cents=_whole("list price of a unit, cents", 1),
        cost_cents=_whole("what a unit costs the grocer, cents"),
        salvage_cents=_whole("what is had back for a unit that nobody bought, cents"),
        shelf_life_days=_whole("days for which a delivered unit can be sold", 1),
        case_pack=_whole("units in a case; orders are in whole cases", 1),
        review_days=_whole("days between two orders: 1 or 7", 1),
        lead_days=_whole("days from the order to the opening at which it is on the shelf"),
        launched_on=_whole("first day anywhere; below 0 before the data begin", None),
    ),
    "cells": _table(
        "cells",
        store_id=_whole("store"),
        sku_id=_whole("product"),
        listed_on=_whole("first day on sale in the store", None),
        delisted_on=_number("first day on which it no longer is; missing if it is", nullable=True),
    ),
    "calendar": _table(
        "calendar",
        day=_whole("days since the first Monday", unique=True),
        date=pa.Column("datetime64[ns]", coerce=True, description="the same as a date"),
        weekday=_whole("0 is Monday"),
        holiday=_word("holiday", "the holiday on that day"),
        payday=_flag("wages come on that day"),
    ),
    "weather": _table(
        "weather",
        region=_word("region", "where"),
        day=_whole("when; known at the close of that day"),
        temperature_c=_number("highest of the day, degrees Celsius", -60, 60),
        rain_mm=_number("rain, millimetres", 0),
    ),
    "weather_forecasts": _table(
        "weather_forecasts",
        region=_word("region", "where"),
        made_on=_whole("the Sunday on which it was made", -7),
        day=_whole("the day that it is about"),
        temperature_c=_number("forecast of the highest of the day, degrees Celsius", -60, 60),
    ),
    "promotions": _table(
        "promotions",
        promotion_id=_whole("key", unique=True),
        sku_id=_whole("product"),
        region=_word("region", "where it runs"),
        first_day=_whole("first day"),
        last_day=_whole("last day"),
        announced_on=_whole("day at whose close it was known", None),
        discount=_number("share off the list price", 0, 0.9),
        display=_flag("it stood at the head of the app's page"),
    ),
    "sales": _table(
        "sales",
        store_id=_whole("store"),
        sku_id=_whole("product"),
        day=_whole("days since the first Monday"),
        sold=_whole("units"),
        price_cents=_whole("price asked, cents"),
        stock_open=_whole("units at the opening, as recorded"),
        stock_close=_whole("units at the close, as recorded"),
        stocked_out=_flag("the shelf ran empty, as recorded"),
        stockout_hour=pa.Column(
            "int8", pa.Check.between(0, NEVER_OUT, error="an hour, or 24 for never"), coerce=True,
            description="hour in which it ran empty, as recorded; 24: it did not",
        ),
        searches=_whole("people who looked for it in the app"),
        failed_adds=_whole("tries to add it when it was gone"),
        substitutions=_whole("other products accepted in its place"),
    ),
    "hours": _table(
        "hours",
        category=_word("category", "shelf"),
        hour=pa.Column("int64", pa.Check.between(0, CLOSES, error="an hour of the day"), coerce=True,
                       description="hour of the day"),
        orders=_whole("units ordered in that hour on days on which nothing of the shelf ran out"),
    ),
}  # fmt: skip


def check_tables(tables: Mapping[str, pd.DataFrame]) -> Tables:
    """Hold every table against its contract and against the others, and return them with the contract's types.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        All of :data:`TABLES`; ``hours`` may be missing.

    Returns
    -------
    dict of str to pandas.DataFrame

    Raises
    ------
    ContractError
        A missing table, column, key or type; or what :func:`check_sales` and :func:`check_promotions` refuse.
    """
    missing = [name for name in TABLES if name not in tables and name != "hours"]
    if missing:
        refuse("tables", f"at least {', '.join(n for n in TABLES if n != 'hours')}", f"no {missing[0]}", "add it")
    checked = {name: check_frame(tables[name], schema) for name, schema in TABLES.items() if name in tables}
    check_promotions(checked["promotions"])
    check_sales(checked["sales"])
    return checked


def check_promotions(promotions: pd.DataFrame) -> None:
    """Refuse a promotion that ends before it starts.

    Raises
    ------
    ContractError
        With the first such promotion.
    """
    wrong = (promotions["last_day"] < promotions["first_day"]).to_numpy()
    if wrong.any():
        row = promotions.iloc[int(np.argmax(wrong))]
        refuse(
            f"promotion {row['promotion_id']}, last_day",
            f"{row['first_day']} (its first day) or later",
            str(row["last_day"]),
            "swap the two days",
        )


def check_sales(sales: pd.DataFrame) -> None:
    """Refuse a (store, product, day) twice, a gap in a cell's days, and a stock-out with stock left.

    Raises
    ------
    ContractError
        With the first such row; rows are counted from 0 as they stand.
    """
    where = sales[KEY].to_numpy()
    order = np.lexsort(where.T[::-1])
    ordered = where[order]
    step = np.diff(ordered, axis=0)
    same = (step[:, :2] == 0).all(axis=1)
    _refuse_row(same & (step[:, 2] == 0), ordered, "one row", "two", "drop or add up the duplicates")
    gap = same & (step[:, 2] > 1)
    if gap.any():
        at = int(np.argmax(gap))
        store, sku, day = ordered[at]
        refuse(
            f"sales of store {store}, product {sku}",
            "a row for every day from its first to its last",
            f"none from day {day + 1} to {ordered[at + 1, 2] - 1}",
            "write the days without a sale as 0 and leave a cell that ended out",
        )
    left = (sales["stocked_out"] & (sales["stock_close"] > 0)).to_numpy()
    if left.any():
        row = sales.iloc[int(np.argmax(left))]
        refuse(
            f"sales of store {row['store_id']}, product {row['sku_id']}, day {row['day']}, stocked_out",
            "False where stock is left at the close",
            f"True with {row['stock_close']} units",
            "find out which of the two is wrong; a delivery after the close belongs to the next day",
        )


def _refuse_row(wrong: np.ndarray, ordered: np.ndarray, must: str, got: str, mend: str) -> None:
    if wrong.any():
        store, sku, day = ordered[int(np.argmax(wrong))]
        refuse(f"sales of store {store}, product {sku}, day {day}", must, got, mend)
