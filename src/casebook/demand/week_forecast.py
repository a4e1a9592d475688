"""A week's forecast by cell and day: the model's where the data have come, a named fallback elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from casebook.contracts import FloatArray
from casebook.demand.fallbacks import (
    CELL,
    LAST_ORDER,
    LAST_WEEK,
    MODEL,
    WEEK,
    active_cells,
    category_mean,
    choose,
    last_week,
)
from casebook.demand.order_up_to import WEEKLY
from casebook.demand.quantile_fix import TAUS
from casebook.demand.week_orders import day_moments

Tables = Mapping[str, pd.DataFrame]

#: Horizons of the forecast of the Sunday before, for the days between this origin and the delivery.
BRIDGE = tuple(day + WEEK for day in range(1, WEEKLY.covered[0]))


@dataclass(frozen=True)
class Settings:
    """What the weekly job can be told.

    Parameters
    ----------
    tau : float, optional
        One quantile for all products; by default each product's critical fractile.
    correlation : float
        Between the errors of two days of a week; measure it on your own errors.
    max_late_days : int
        Days by which the last week that came may be old and still stand in for a forecast.
    complete : float
        Share of a store's products that must have a row for its day to count.
    max_late_share : float
        Share of stores that may be late; if there are more, it is the load that is late.
    taus : tuple of float
        Levels that the model is asked for.
    """

    tau: float | None = None
    correlation: float = 0.2
    max_late_days: int = 14
    complete: float = 0.9
    max_late_share: float = 0.5
    taus: tuple[float, ...] = TAUS


def week_features(build: Callable[..., pd.DataFrame], tables: Tables, origin: int) -> pd.DataFrame:
    """Return the features of the week and, from the origin before, those of the days until the delivery.

    Parameters
    ----------
    build : callable
        ``build(tables, origins, horizons)``, as :func:`casebook.demand.features.build`.
    tables : mapping of str to pandas.DataFrame
        As known at the origin.
    origin : int

    Returns
    -------
    pandas.DataFrame
    """
    found = build(tables, [origin - WEEK, origin], WEEKLY.covered)
    keep = (found["origin"] == origin) | found["horizon"].isin(BRIDGE)
    return found[keep].reset_index(drop=True)


def week_forecast(
    tables: Tables,
    stores: pd.DataFrame,
    X: pd.DataFrame,
    model: Any,
    last_orders: pd.DataFrame | None,
    origin: int,
    settings: Settings,
) -> pd.DataFrame:
    """Return the forecast of each cell that is ordered weekly, for each day that the order covers.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        As known at the origin.
    stores : pandas.DataFrame
        From :func:`casebook.demand.fallbacks.received`.
    X : pandas.DataFrame
        From :func:`week_features`; without a model it is not looked at.
    model : object or None
        With ``predict(X, taus)``.
    last_orders : pandas.DataFrame or None
        ``store_id``, ``sku_id``, ``order_units`` of an earlier week.
    origin : int
    settings : Settings
        Its ``taus`` and ``max_late_days`` are read.

    Returns
    -------
    pandas.DataFrame
        ``store_id``, ``sku_id``, ``day``, ``mean``, ``sd`` (units; 0 on days off sale), ``source``, ``left`` (units
        expected on the shelf when the goods come: the stock at the close of the origin less what the last forecast
        said of the days between; missing for a cell whose data are late). Sorted by store, product and day.
    """
    days = [origin + ahead for ahead in WEEKLY.covered]
    cells = active_cells(tables, origin, days, stores)
    weekly = tables["products"].loc[tables["products"]["review_days"] > 1, "sku_id"]
    cells = cells[cells["sku_id"].isin(weekly)].reset_index(drop=True)
    first, end = (cells[name].to_numpy(float)[:, None] for name in ("first_day", "end_day"))
    on_sale = (first <= np.array(days)) & (end > np.array(days))
    mean, sd, bridge = _by_model(X, model, cells, origin, settings.taus)
    mean, sd = np.where(on_sale, mean, 0.0), np.where(on_sale, sd, 0.0)
    ordered = _ordered(last_orders, cells)
    source = choose(cells, np.asarray(np.isfinite(mean).all(axis=1)), np.isfinite(ordered), settings.max_late_days)
    other = np.where(on_sale, _other(tables, cells, days, origin, source, ordered), 0.0)
    own = (source == MODEL)[:, None]
    mean = np.where(own, mean, other)
    sd = np.where(
        own, sd, np.sqrt(2 * other)
    )  # one Poisson count as the forecast of the next errs by twice its variance
    sold = np.where(np.isnan(bridge), mean.mean(axis=1) * len(BRIDGE), bridge)
    left = np.maximum(cells["stock"].to_numpy(float) - sold, 0.0)
    rows = cells[CELL].loc[cells.index.repeat(len(days))].reset_index(drop=True)
    once = {"source": np.repeat(source, len(days)), "left": np.repeat(left, len(days))}
    return rows.assign(day=np.tile(days, len(cells)), mean=mean.ravel(), sd=sd.ravel(), **once)


def _by_model(
    X: pd.DataFrame, model: Any, cells: pd.DataFrame, origin: int, taus: Sequence[float]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the model's mean and spread by cell and day, and the units expected until the delivery, or missing."""
    shape = (len(cells), len(WEEKLY.covered))
    if model is None or not len(X):
        return np.full(shape, np.nan), np.full(shape, np.nan), np.full(len(cells), np.nan)
    mean, sd = day_moments(model.predict(X, list(taus)).to_numpy(float), taus)
    values = X[[*CELL, "origin", "horizon"]].assign(mean=mean, sd=sd)
    now = _wide(values[values["origin"] == origin], cells, WEEKLY.covered)
    before = _wide(values[values["origin"] == origin - WEEK], cells, BRIDGE)
    return now["mean"], now["sd"], before["mean"].sum(axis=1)


def _wide(values: pd.DataFrame, cells: pd.DataFrame, horizons: Sequence[int]) -> dict[str, FloatArray]:
    keys = pd.MultiIndex.from_arrays(
        [*(np.repeat(cells[name].to_numpy(), len(horizons)) for name in CELL), np.tile(horizons, len(cells))]
    )
    found = values.set_index([*CELL, "horizon"])[["mean", "sd"]].reindex(keys)
    return {name: found[name].to_numpy(float).reshape(len(cells), len(horizons)) for name in ("mean", "sd")}


def _ordered(last_orders: pd.DataFrame | None, cells: pd.DataFrame) -> FloatArray:
    if last_orders is None or not len(last_orders):
        return np.full(len(cells), np.nan)
    units = last_orders.set_index(CELL)["order_units"]
    return np.asarray(units.reindex(pd.MultiIndex.from_frame(cells[CELL])), dtype=float)


def _other(
    tables: Tables, cells: pd.DataFrame, days: Sequence[int], origin: int, source: np.ndarray, ordered: FloatArray
) -> FloatArray:
    found = category_mean(tables, cells, days, origin).copy()
    late, again = source == LAST_WEEK, source == LAST_ORDER
    found[late] = last_week(tables, cells[late], days)
    found[again] = ordered[again, None] / len(days)
    return found
