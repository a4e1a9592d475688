"""A reader's checked tables as the room's own: whole-number keys, days from a Monday on, and what features ask for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import refuse
from casebook.demand.own_table_contract import CELL, Own
from casebook.demand.tables import Tables
from casebook.demand.world import NEVER_OUT

AHEAD = 14  # days of the calendar beyond the origin
KNOWN_BEFORE = 14  # days before its start by which a promotion is known unless the table says when
SUNDAY = 6


@dataclass(frozen=True, eq=False)
class Room:
    """The tables that the chapter's functions read, and the way back to the reader's keys.

    Attributes
    ----------
    tables : dict of str to pandas.DataFrame
        Those of :data:`casebook.demand.feature_spec.READ`; ``sales`` up to the origin.
    origin : int
        The Sunday as of which is read.
    monday : pandas.Timestamp
        The date of day 0.
    stores, skus : pandas.Index
        The reader's keys at the places of the room's.
    flagged : bool
        Whether there was a stock-out flag.
    stock : pandas.Series
        Units at the close of the origin of the cells that are still sold, by the room's keys; 0 if not given.
    """

    tables: Tables
    origin: int
    monday: pd.Timestamp
    stores: pd.Index
    skus: pd.Index
    flagged: bool
    stock: pd.Series

    @property
    def sales(self) -> pd.DataFrame:
        """Sales up to the origin."""
        return self.tables["sales"]

    @property
    def weeks(self) -> int:
        """Whole weeks up to the origin."""
        return int(self.origin + 1 - self.sales["day"].min()) // 7

    def date(self, day: int) -> pd.Timestamp:
        """Return the date of a day."""
        return self.monday + pd.Timedelta(days=day)

    def by_sku(self, values: pd.DataFrame) -> pd.DataFrame:
        """Return what is indexed by the reader's products by the room's."""
        return values.loc[self.skus].reset_index(drop=True)


def room_of(own: Own, at: str | pd.Timestamp | None = None) -> Room:
    """Turn checked tables into the room's.

    There is one region, no weather and no holiday; every store has size and income 1.

    Parameters
    ----------
    own : Own
    at : str or pandas.Timestamp, optional
        A Sunday; by default the last one on or before the last sale.

    Returns
    -------
    Room

    Raises
    ------
    ContractError
        A day that is none, no Sunday, or not within the sales.

    Examples
    --------
    >>> from casebook.demand.own_table_checks import check_own
    >>> from casebook.demand.own_table_example import example_products, example_sales
    >>> rng = np.random.default_rng(0)
    >>> room = room_of(check_own(example_sales(30, rng), example_products(rng)))
    >>> str(room.date(room.origin).date()), room.weeks, room.date(room.origin).day_name()
    ('2025-02-02', 4, 'Sunday')
    """
    first, last = own.sales["date"].min(), own.sales["date"].max()
    monday = first - pd.Timedelta(days=first.weekday())
    sunday = _sunday(at, first, last)
    origin = (sunday - monday).days
    skus, stores = pd.Index(own.products["sku_id"]), pd.Index(own.sales["store_id"].unique())
    rows = own.sales.assign(
        store_id=stores.get_indexer(pd.Index(own.sales["store_id"])),
        sku_id=skus.get_indexer(pd.Index(own.sales["sku_id"])),
        day=(own.sales["date"] - monday).dt.days.astype("int64"),
    )
    rows = rows[rows["day"] <= origin].sort_values([*CELL, "day"], ignore_index=True)
    tables = {
        "cells": _cells(rows, origin),
        "products": _products(own.products, rows),
        "stores": _stores(rows),
        "calendar": _calendar(monday, origin),
        "promotions": _promotions(own.promotions, skus, monday),
        "sales": _sales(rows, own.products),
        "weather": pd.DataFrame({"region": [], "day": [], "temperature_c": []}),
        "weather_forecasts": pd.DataFrame({"region": [], "made_on": [], "day": [], "temperature_c": []}),
    }
    now = rows[rows["day"] == origin].set_index(CELL)
    stock = now["stock_close"] if "stock_close" in now else pd.Series(0.0, now.index)
    return Room(tables, origin, monday, stores, skus, "stocked_out" in rows, stock)


def _sunday(at: str | pd.Timestamp | None, first: pd.Timestamp, last: pd.Timestamp) -> pd.Timestamp:
    if at is None:
        return last - pd.Timedelta(days=(last.weekday() - SUNDAY) % 7)
    try:
        day = pd.Timestamp(at)
    except (TypeError, ValueError):
        refuse("at", "a date", repr(at), f"write it as '{last:%Y-%m-%d}'")
    if pd.isna(day) or day.tzinfo is not None or day.weekday() != SUNDAY or not first < day <= last:
        must = f"a Sunday within the sales, {first:%Y-%m-%d} to {last:%Y-%m-%d}"
        refuse("at", must, str(at), "leave it out for the last one")
    return day.normalize()


def _cells(rows: pd.DataFrame, origin: int) -> pd.DataFrame:
    by = rows.groupby(CELL)["day"].agg(["min", "max"]).reset_index()
    ends = (by["max"] + 1.0).where(by["max"] < origin)
    return by[CELL].assign(listed_on=by["min"], delisted_on=ends)


def _products(products: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    began = pd.Series(0, range(len(products)))
    began.update(rows.groupby("sku_id")["day"].min())
    return pd.DataFrame(
        {
            "sku_id": np.arange(len(products)),
            "category": products["category"].astype(str).to_numpy() if "category" in products else "all",
            "group_id": np.arange(len(products)),
            "brand": "own",
            "price_cents": _cents(products["price"]),
            "shelf_life_days": 1,
            "launched_on": began.to_numpy(),
        }
    )


def _cents(price: pd.Series) -> npt.NDArray[np.int64]:
    return np.asarray(np.maximum((100 * price).round(), 1), dtype=np.int64)


def _stores(rows: pd.DataFrame) -> pd.DataFrame:
    opened = rows.groupby("store_id")["day"].min()
    columns = {"store_id": opened.index, "opened_on": opened.to_numpy(), "closed_on": np.nan}
    return pd.DataFrame(columns).assign(region="all", size_m2=1.0, income=1.0)


def _calendar(monday: pd.Timestamp, origin: int) -> pd.DataFrame:
    day = np.arange(origin + AHEAD + 1)
    date = (monday + pd.to_timedelta(day, unit="D")).astype("datetime64[ns]")
    return pd.DataFrame({"day": day, "date": date, "weekday": day % 7, "holiday": "none", "payday": False})


def _promotions(promotions: pd.DataFrame, skus: pd.Index, monday: pd.Timestamp) -> pd.DataFrame:
    def days(name: str) -> pd.Series:
        return (pd.to_datetime(promotions[name]) - monday).dt.days.astype("int64")

    known = days("announced_on") if "announced_on" in promotions else days("first_day") - KNOWN_BEFORE
    columns = {"first_day": days("first_day"), "last_day": days("last_day"), "announced_on": known}
    return pd.DataFrame(columns).assign(
        promotion_id=np.arange(len(promotions)),
        sku_id=skus.get_indexer(pd.Index(promotions["sku_id"])),
        region="all",
        discount=promotions["discount"].astype(float),
        display=False,
    )


def _sales(rows: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    out = rows["stocked_out"] if "stocked_out" in rows else pd.Series(False, rows.index)
    return rows[[*CELL, "day"]].assign(
        sold=rows["sold"].astype("int64"),
        price_cents=_cents(products["price"])[rows["sku_id"].to_numpy()],
        stocked_out=out,
        stockout_hour=np.where(out, NEVER_OUT - 1, NEVER_OUT),
    )
