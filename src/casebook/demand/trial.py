"""Test weeks cut out of a simulated past: who wants what, what lay on the shelves, and what had been sold before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import refuse
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
    day = sales["day"].to_numpy()
    last = int(day.max())
    if first_day % WEEK:
        refuse("first_day", "a Monday, a multiple of 7", str(first_day), "start on an order day")
    if first_day < past or first_day + days - 1 > last:
        got = f"days {first_day - past} to {first_day + days - 1}"
        refuse("the trial", f"within days 0 to {last}", got, "simulate more days or play fewer")
    near = np.flatnonzero((day >= first_day - past) & (day < first_day + days))
    keys, first, count = np.unique(
        sales[["store_id", "sku_id"]].to_numpy()[near], axis=0, return_index=True, return_counts=True
    )
    whole = count == past + days
    if not whole.any():
        refuse("the trial", "of products on sale throughout", "none", "simulate more stores and products")
    rows = near[first[whole][:, None] + np.arange(past + days)]  # rows are sorted by cell, then day
    cells = pd.DataFrame(keys[whole], columns=["store_id", "sku_id"])
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
