"""Test weeks cut out of a simulated past: who wants what, what lay on the shelves, and what had been sold before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import refuse, require_columns, require_length
from casebook.demand.path_forecasts import QuantileGrid
from casebook.demand.shelf import Supply
from casebook.demand.simulate import History
from casebook.demand.world import WEEK

Whole = npt.NDArray[np.int64]
LEAD_IN, PAST = 3, 56  # Monday to Wednesday, until the first delivery; days of sales kept from before


@dataclass(frozen=True, eq=False)
class Trial:
    """What policies are played on.

    Attributes
    ----------
    keys : pandas.DataFrame
        ``store_id``, ``sku_id``, ``category`` of each cell: those on sale from the first day of `sold` to the last
        day played.
    supply : Supply
    first_day : int
        A Monday.
    wanted : numpy.ndarray of int, shape (cells, days)
        Truth; from `first_day` on.
    price : numpy.ndarray of float, shape (cells, days)
        Dollars asked.
    stock : numpy.ndarray of int, shape (cells,)
        Truth; on the shelves at the first opening. Lorries under way are left out.
    sold : numpy.ndarray of int, shape (cells, past)
        As recorded on the days before.
    before : numpy.ndarray of int, shape (cells, past)
        Truth; what was wanted on those days.
    """

    keys: pd.DataFrame
    supply: Supply
    first_day: int
    wanted: Whole
    price: npt.NDArray[np.float64]
    stock: Whole
    sold: Whole
    before: Whole


def cut_trial(history: History, first_day: int, days: int, past: int = PAST) -> Trial:
    """Cut test days out of a past.

    Parameters
    ----------
    history : History
    first_day : int
        A Monday.
    days : int
        Days to be played, the lead-in among them.
    past : int
        Days of sales before the first day.

    Returns
    -------
    Trial

    Raises
    ------
    ContractError
        A first day that is no Monday, days that the history does not have, or no product on sale for so long.

    Examples
    --------
    >>> from casebook.demand.simulate import simulate
    >>> from casebook.demand.world import World
    >>> trial = cut_trial(simulate(World(), 2, 28, np.random.default_rng(0), days=126), 70, LEAD_IN + 28)
    >>> trial.wanted.shape == (len(trial.supply), 31), trial.sold.shape[1]
    (True, 56)
    """
    sales = history.tables["sales"]
    last = int(sales["day"].max())
    if first_day % WEEK:
        refuse("first_day", "a Monday, a multiple of 7", str(first_day), "start on an order day")
    if first_day < past or first_day + days - 1 > last:
        got = f"days {first_day - past} to {first_day + days - 1}"
        refuse("the trial", f"within days 0 to {last}", got, "simulate more days or play fewer")
    keys, rows = _whole_cells(sales, first_day - past, past + days)
    cells = pd.DataFrame(keys, columns=["store_id", "sku_id"])
    products = history.tables["products"]
    words = products.set_index("sku_id")["category"].loc[cells["sku_id"]].to_numpy()
    demand = history.truth["demand"].to_numpy()[rows].astype(np.int64)
    return Trial(
        cells.assign(category=words),
        Supply.of(cells, products),
        first_day,
        demand[:, past:],
        sales["price_cents"].to_numpy()[rows[:, past:]] / 100,
        history.truth["stock_close"].to_numpy()[rows[:, past - 1]].astype(np.int64),
        sales["sold"].to_numpy()[rows[:, :past]].astype(np.int64),
        demand[:, :past],
    )


def _whole_cells(sales: pd.DataFrame, first_day: int, days: int) -> tuple[Whole, Whole]:
    """Return the keys of the cells on sale on all of some days, and the places of their rows, shape (cells, days)."""
    day = sales["day"].to_numpy()
    near = np.flatnonzero((day >= first_day) & (day < first_day + days))
    keys, first, count = np.unique(
        sales[["store_id", "sku_id"]].to_numpy()[near], axis=0, return_index=True, return_counts=True
    )
    whole = count == days
    if not whole.any():
        refuse("the trial", "of products on sale throughout", "none", "simulate more stores and products")
    return keys[whole], near[first[whole][:, None] + np.arange(days)]  # rows are sorted by cell, then day


def model_forecast(trial: Trial, rows: pd.DataFrame, forecasts: pd.DataFrame, correlation: float) -> QuantileGrid:
    """Turn a model's rows into a forecast that policies can order by.

    Every day is the target of one weekly origin, at a horizon of 4 to 10 days. So an order of a Monday goes by this
    Sunday's forecasts for the days that it covers, and by those of the Sunday before for the three days until then.

    Parameters
    ----------
    trial : Trial
    rows : pandas.DataFrame, shape (n, ...)
        ``store_id``, ``sku_id``, ``day`` of each forecast; cells and days that are not played do no harm.
    forecasts : pandas.DataFrame, shape (n, t)
        Row by row as `rows`; one column a tau.
    correlation : float
        Of the days, :func:`casebook.demand.path_forecasts.day_correlation`.

    Returns
    -------
    casebook.demand.path_forecasts.QuantileGrid

    Raises
    ------
    ContractError
        Another number of rows, a row twice, or a cell's day without one.

    Examples
    --------
    >>> from casebook.demand.simulate import simulate
    >>> from casebook.demand.world import World
    >>> trial = cut_trial(simulate(World(), 2, 28, np.random.default_rng(0), days=126), 70, LEAD_IN + 28)
    >>> rows = trial.keys.loc[trial.keys.index.repeat(31)].assign(day=np.tile(np.arange(70, 101), len(trial.supply)))
    >>> same = pd.DataFrame({0.1: 1.0, 0.5: 2.0, 0.9: 4.0}, index=rows.index)
    >>> model_forecast(trial, rows, same, 0.2).sum_of_quantiles(70, 7, 0.5)[:3].tolist()
    [14.0, 14.0, 14.0]
    """
    require_columns(rows, ["store_id", "sku_id", "day"], "rows")
    require_length(forecasts.to_numpy(), len(rows), "forecasts")
    days = trial.first_day + np.arange(trial.wanted.shape[1])
    table = pd.DataFrame(forecasts.to_numpy(float), pd.MultiIndex.from_frame(rows[["store_id", "sku_id", "day"]]))
    if table.index.has_duplicates:
        store, sku, day = table.index[table.index.duplicated()][0]
        refuse(
            "rows", "one for each cell and day", f"two of store {store}, product {sku}, day {day}", "keep one origin"
        )
    keys = (np.repeat(trial.keys[name].to_numpy(), len(days)) for name in ("store_id", "sku_id"))
    grid = table.reindex(pd.MultiIndex.from_arrays([*keys, np.tile(days, len(trial.keys))]))
    missing = grid.isna().any(axis=1).to_numpy()
    if missing.any():
        store, sku, day = grid.index[int(np.argmax(missing))]
        got = f"none for store {store}, product {sku}, day {day}"
        refuse("rows", "one for each cell and day played", got, "roll from the Sunday eight days before the first day")
    quantiles = grid.to_numpy().reshape(len(trial.keys), len(days), -1)
    return QuantileGrid(trial.first_day, quantiles, [float(tau) for tau in forecasts.columns], correlation)
