"""A grocer's years: what the company sees of them, and apart from it what was really wanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.contracts import refuse
from casebook.demand.assortment import draw_cells, draw_products, draw_stores
from casebook.demand.clock import hours_table
from casebook.demand.intensity import Common, cell_terms, common_terms, draw_counts, means
from casebook.demand.past import Stage, run_past
from casebook.demand.promo_plan import PromoEffects, plan_promotions, promotion_effects
from casebook.demand.season import make_calendar, make_weather
from casebook.demand.shelf import Supply
from casebook.demand.tables import Tables
from casebook.demand.world import CATEGORIES, DAYS, WEEK, World

STORES_AT_ONCE = 8  # bounds the memory of a large world; the draws of each lot of stores are its own
_THURSDAY = 3
_SEEN = ("sold", "price_cents", "stock_open", "stock_close", "stocked_out", "stockout_hour", "searches",
         "failed_adds", "substitutions")  # fmt: skip


@dataclass(frozen=True, eq=False)
class History:
    """A simulated past.

    Attributes
    ----------
    tables : what the company has, as contracted in :data:`casebook.demand.tables.TABLES`
    truth : row by row as ``tables["sales"]``: ``demand`` (units wanted as first choice), ``mean`` (its expectation),
        ``base`` (its expectation had there been no promotion at all), ``stocked_out`` (somebody was turned away),
        ``stockout_hour``, ``stock_close`` (on the shelf), ``lost`` (units neither served nor replaced)
    world : the dials it was drawn with
    """

    tables: Tables
    truth: pd.DataFrame
    world: World


@dataclass(frozen=True, eq=False)
class _Setting:
    world: World
    tables: Tables
    products: pd.DataFrame
    common: Common
    promos: PromoEffects
    days: int


def simulate(world: World, stores: int, skus: int, rng: np.random.Generator, days: int = DAYS) -> History:
    """Simulate a grocer's past.

    Parameters
    ----------
    world : World
    stores, skus : int
        Numbers of stores and products; about three quarters of the pairs are sold.
    rng : numpy.random.Generator
    days : int
        A whole number of weeks, at least 12.

    Returns
    -------
    History

    Raises
    ------
    ContractError
        Too few stores, products or days, or days that are no whole weeks.

    Notes
    -----
    The log of mean demand adds level, trend, season, weekday, holidays, paydays, weather, price, promotions of the
    product and of others, level shifts, openings, a slow movement nobody sees, and one shock. Baskets are a gamma
    mixture of Poissons and some take several units. An order is for the next delivery; what is wanted beyond the stock
    is lost or moves to another product, and neither shows in what was sold.

    Examples
    --------
    >>> past = simulate(World(), 4, 28, np.random.default_rng(0), days=182)
    >>> sales, wanted = past.tables["sales"], past.truth["demand"]
    >>> len(sales) == len(wanted), bool(sales["sold"].sum() < wanted.sum())
    (True, True)
    """
    setting = _setting(world, stores, skus, rng, days)
    parts = [_of_stores(setting, cells, one) for cells, one in _lots(setting.tables["cells"], rng)]
    sales = pd.concat([seen for seen, _ in parts], ignore_index=True)
    truth = pd.concat([hidden for _, hidden in parts], ignore_index=True)
    whole = {name: np.int64 for name in sales if name not in ("stocked_out", "stockout_hour")}
    tables = {**setting.tables, "sales": sales.astype(whole)}
    tables["hours"] = hours_table(_units_when_full(sales, setting.products), rng)
    return History(tables, truth, world)


def write_parquet(
    world: World, folder: Path, stores: int, skus: int, rng: np.random.Generator, days: int = DAYS
) -> int:
    """Simulate lot by lot, and write each table as Parquet; return the number of rows of sales.

    ``sales/`` and ``truth/`` hold a file for each lot of stores, in the smallest integers that hold the values. Row
    for row it is what :func:`simulate` returns for the same generator.

    Raises
    ------
    ContractError
        As :func:`simulate`, or a folder that holds something.
    """
    if folder.exists() and any(folder.iterdir()):
        refuse("folder", "empty", f"{len(list(folder.iterdir()))} files", "remove them or name another")
    setting = _setting(world, stores, skus, rng, days)
    for name in ("sales", "truth"):
        (folder / name).mkdir(parents=True)
    units, rows = np.zeros(len(CATEGORIES), np.int64), 0
    for lot, (cells, one) in enumerate(_lots(setting.tables["cells"], rng)):
        seen, hidden = _of_stores(setting, cells, one)
        units, rows = units + _units_when_full(seen, setting.products), rows + len(seen)
        seen.to_parquet(folder / "sales" / f"{lot:04}.parquet", index=False)
        hidden.to_parquet(folder / "truth" / f"{lot:04}.parquet", index=False)
    for name, table in {**setting.tables, "hours": hours_table(units, rng)}.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
    return rows


def _setting(world: World, stores: int, skus: int, rng: np.random.Generator, days: int) -> _Setting:
    if days < 12 * WEEK or days % WEEK:
        refuse("days", "whole weeks, at least 84", str(days), "take a multiple of 7")
    for_stores, for_products, for_weather, for_terms, for_plan, for_cells = rng.spawn(6)  # so that one dial moves one
    shops, products = draw_stores(stores, for_stores, days), draw_products(skus, for_products, days)
    calendar = make_calendar(days)
    weather, forecasts = make_weather(for_weather, days)
    common = common_terms(world, products, calendar, weather, for_terms)
    plan = plan_promotions(world, products, _expected(common, products, days), for_plan, days)
    tables = {
        "stores": shops,
        "products": products.drop(columns="level"),
        "cells": draw_cells(shops, products, for_cells, days=days),
        "calendar": calendar,
        "weather": weather,
        "weather_forecasts": forecasts,
        "promotions": plan,
    }
    return _Setting(world, tables, products, common, promotion_effects(world, products, plan, days), days)


def _expected(common: Common, products: pd.DataFrame, days: int) -> NDArray[np.float32]:
    """Return log of what the buyer expects of each product in each promotion week (Thursday to Wednesday)."""
    daily = common.by_category.mean(axis=1)[products["category"].cat.codes.to_numpy()]
    weeks = (days - _THURSDAY) // WEEK
    span = daily[:, _THURSDAY : _THURSDAY + weeks * WEEK]
    result: NDArray[np.float32] = span.reshape(len(products), weeks, WEEK).mean(axis=2)
    return result


def _lots(cells: pd.DataFrame, rng: np.random.Generator) -> Iterator[tuple[pd.DataFrame, np.random.Generator]]:
    lot = cells["store_id"].to_numpy() // STORES_AT_ONCE
    for number in range(int(lot.max()) + 1):
        part = cells[lot == number].reset_index(drop=True)
        (child,) = rng.spawn(1)
        if len(part):
            yield part, child


def _of_stores(
    setting: _Setting, cells: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    world, days, shops, products = setting.world, setting.days, setting.tables["stores"], setting.products
    day = np.arange(days)
    listed, dropped = (cells[name].to_numpy()[:, None] for name in ("listed_on", "delisted_on"))
    on_sale = (day >= listed) & ~(day >= dropped)  # a missing day is never reached
    own = cell_terms(world, cells, shops, products, days, rng)
    mean, base = means(setting.common, setting.promos, own, cells, shops, products)
    mean, base = np.where(on_sale, mean, 0), np.where(on_sale, base, 0)
    sku, code = cells["sku_id"].to_numpy(), products["category"].cat.codes.to_numpy()[cells["sku_id"]]
    bulk = np.array([kind.bulk for kind in CATEGORIES.values()])[code]
    wanted = draw_counts(world, mean, bulk, rng)
    region = shops["region"].cat.codes.to_numpy()[cells["store_id"]]
    promoted = setting.promos.active[sku, region] > 0
    stage = Stage(Supply.of(cells, products), code.astype(np.int64), wanted, mean, on_sale, promoted)
    written = run_past(world, stage, rng)
    price = np.rint(products["price_cents"].to_numpy()[sku][:, None] * setting.promos.price_share[sku, region])
    written |= {"price_cents": price.astype(np.int32), "demand": wanted, "mean": mean, "base": base}
    return _frames(cells, on_sale, written)


def _frames(
    cells: pd.DataFrame, on_sale: NDArray[np.bool_], written: dict[str, NDArray[np.generic]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    cell, day = np.nonzero(on_sale)
    keys = {name: cells[name].to_numpy(np.int32)[cell] for name in ("store_id", "sku_id")}
    seen = pd.DataFrame({**keys, "day": day.astype(np.int32), **{name: written[name][on_sale] for name in _SEEN}})
    names = {"demand": "demand", "mean": "mean", "base": "base", "stocked_out": "true_out",
             "stockout_hour": "true_hour", "stock_close": "true_close", "lost": "lost"}  # fmt: skip
    return seen, pd.DataFrame({name: written[column][on_sale] for name, column in names.items()})


def _units_when_full(sales: pd.DataFrame, products: pd.DataFrame) -> NDArray[np.int64]:
    full = ~sales["stocked_out"].to_numpy()
    code = products["category"].cat.codes.to_numpy()[sales["sku_id"].to_numpy()[full]]
    units = np.bincount(code, sales["sold"].to_numpy()[full], minlength=len(CATEGORIES))
    return units.astype(np.int64)
