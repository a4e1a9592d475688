"""From a table of forecasts, a row a cell and day, to arrays by cell and day that policies read."""

from __future__ import annotations

import numpy as np
import pandas as pd

from casebook.contracts import FloatArray, refuse, require_columns, require_length

KEY = ["store_id", "sku_id"]


def by_cell_and_day(
    forecasts: pd.DataFrame, rows: pd.DataFrame, cells: pd.DataFrame, first_day: int, days: int
) -> FloatArray:
    """Put forecasts into the places of their cell and day.

    Parameters
    ----------
    forecasts : pandas.DataFrame, shape (n, taus)
    rows : pandas.DataFrame, shape (n, at least 3)
        ``store_id``, ``sku_id``, ``day`` of each forecast, row by row.
    cells : pandas.DataFrame
        ``store_id``, ``sku_id``: the cells wanted, in their order.
    first_day, days : int
        The span wanted.

    Returns
    -------
    numpy.ndarray of float, shape (cells, days, taus)

    Raises
    ------
    ContractError
        A missing column, tables of other lengths, a forecast twice, or none for a cell's day.

    Examples
    --------
    >>> rows = pd.DataFrame({"store_id": 0, "sku_id": [1, 1, 2, 2], "day": [7, 8, 7, 8]})
    >>> told = pd.DataFrame({0.5: [1.0, 2.0, 3.0, 4.0]})
    >>> by_cell_and_day(told, rows, rows[["store_id", "sku_id"]].drop_duplicates(), 7, 2)[:, :, 0].tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    require_columns(rows, [*KEY, "day"], "rows")
    require_columns(cells, KEY, "cells")
    require_length(rows["day"].to_numpy(), len(forecasts), "rows")
    place = pd.MultiIndex.from_frame(cells[KEY]).get_indexer(pd.MultiIndex.from_frame(rows[KEY]))
    at = rows["day"].to_numpy() - first_day
    inside = (place >= 0) & (at >= 0) & (at < days)
    seen = np.zeros((len(cells), days), np.int64)
    np.add.at(seen, (place[inside], at[inside]), 1)
    if (seen != 1).any():
        cell, day = np.argwhere(seen != 1)[0]
        store, sku = cells[KEY].iloc[cell]
        got = "none" if seen[cell, day] == 0 else str(seen[cell, day])
        refuse(
            f"forecasts of store {store}, product {sku}, day {first_day + day}", "one", got,
            "forecast every day of the span once, from one origin",
        )  # fmt: skip
    grid = np.empty((len(cells), days, forecasts.shape[1]))
    grid[place[inside], at[inside]] = forecasts.to_numpy(float)[inside]
    return grid
