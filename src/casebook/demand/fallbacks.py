"""Which stores' data have come by an origin, and what stands in for a forecast where they have not.

A store is *late* if its newest complete day is before the origin. Its stock is then not known either, so that what
is ordered for it is what it is expected to sell, not what would bring its shelf up to a level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from casebook.contracts import refuse

Tables = Mapping[str, pd.DataFrame]

MODEL = "model"
LAST_WEEK = "last_week_same_store"
LAST_ORDER = "last_order"
CATEGORY_MEAN = "category_mean"
#: In the order in which they are tried.
FALLBACKS = (LAST_WEEK, LAST_ORDER, CATEGORY_MEAN)

WEEK = 7
WINDOW = 56  # days before the origin that are looked at
CELL = ["store_id", "sku_id"]
#: Column by whose day a row is known.
KNOWN_BY = {"sales": "day", "weather": "day", "weather_forecasts": "made_on", "promotions": "announced_on"}


def as_known(tables: Tables, origin: int) -> dict[str, pd.DataFrame]:
    """Return the tables without the rows that were not known at the close of a day.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
    origin : int
        Day; the rows of that very day are kept.

    Returns
    -------
    dict of str to pandas.DataFrame
        Sales, weather, weather forecasts and promotions are cut; plans (calendar, listings, closings) are not.

    Examples
    --------
    >>> sales = pd.DataFrame({"store_id": 1, "sku_id": 1, "day": [5, 6, 7], "sold": [1, 2, 3]})
    >>> as_known({"sales": sales}, 6)["sales"]["day"].tolist()
    [5, 6]
    """
    cut = {name: frame for name, frame in tables.items() if name in KNOWN_BY}
    known = {name: frame[frame[KNOWN_BY[name]] <= origin].reset_index(drop=True) for name, frame in cut.items()}
    return {**tables, **known}


def received(tables: Tables, origin: int, complete: float = 0.9) -> pd.DataFrame:
    """Return how far each open store's sales have come.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        ``stores``, ``products``, ``cells``, ``sales``.
    origin : int
        Day up to whose close the sales should be there.
    complete : float
        Share of a store's listed products that must have a row for its day to count: half a file is a late one.

    Returns
    -------
    pandas.DataFrame
        One row a store that is open on the origin, by ``store_id``: ``last_day`` (newest complete day of the last
        eight weeks; missing if there is none), ``late_days`` (int; days of the origin's eight weeks since).

    Raises
    ------
    ContractError
        `complete` is not in (0, 1]; no store is open.
    """
    if not 0 < complete <= 1:
        refuse("complete", "a share in (0, 1]", f"{complete:g}", "divide percentages by 100")
    stores = tables["stores"]
    is_open = (stores["opened_on"] <= origin) & ~(stores["closed_on"] <= origin)
    if not is_open.any():
        refuse("table 'stores'", f"one with a store that is open on day {origin}", "none", "mend its days")
    stores = stores[is_open].sort_values("store_id").set_index("store_id")
    days = np.arange(origin - WINDOW + 1, origin + 1)
    sales = _window(tables, origin, WINDOW)
    counts = sales.groupby(["store_id", "day"]).size().unstack(fill_value=0)
    came = counts.reindex(index=stores.index, columns=days, fill_value=0).to_numpy()
    due = _due(_first_and_end(tables), stores.index, days)
    whole = (came >= complete * due) & (due > 0)
    last = np.where(whole.any(axis=1), days[-1] - np.argmax(whole[:, ::-1], axis=1), np.nan)
    ever_due = due > 0
    before = days[np.argmax(ever_due, axis=1)] - 1  # the day before the first on which something was due
    late = np.where(np.isnan(last), np.where(ever_due.any(axis=1), origin - before, 0), origin - last)
    return pd.DataFrame({"store_id": stores.index, "last_day": last, "late_days": late.astype("int64")})


def active_cells(tables: Tables, origin: int, days: Sequence[int], stores: pd.DataFrame) -> pd.DataFrame:
    """Return the cells that are on sale on some of the days, with how far their data have come.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        As known at the origin (:func:`as_known`).
    origin : int
    days : sequence of int
        The days that are to be covered.
    stores : pandas.DataFrame
        From :func:`received`.

    Returns
    -------
    pandas.DataFrame
        One row a cell, by store and product: ``region``, ``category``, ``first_day``, ``end_day`` (first and first
        no longer on sale; ``end_day`` may be infinite), ``late_days`` (0 if its row of the origin is there, or if it
        is new), ``last_day`` (newest row not after its store's; missing if none), ``week`` (whether the seven days up
        to that row are there), ``stock`` (units at the close of the origin as recorded; 0 for a new cell, missing
        for a late one).
    """
    cells = _first_and_end(tables)
    cells = cells[(cells["first_day"] <= max(days)) & (cells["end_day"] > min(days))].sort_values(CELL)
    cells = cells.merge(stores, on="store_id", how="left")
    sales = _window(tables, origin, WINDOW).merge(stores[["store_id", "last_day"]], on="store_id")
    sales = sales[sales["day"] <= sales["last_day"]]
    newest = sales.groupby(CELL)["day"].max().rename("last_day")
    cells = cells.drop(columns="last_day").merge(newest, on=CELL, how="left")
    recent = sales.merge(newest.rename("newest").reset_index(), on=CELL)
    rows = recent[recent["day"] > recent["newest"] - WEEK].groupby(CELL).size().rename("rows")
    stock = sales.loc[sales["day"] == origin].set_index(CELL)["stock_close"].rename("stock")
    cells = cells.merge(rows, on=CELL, how="left").merge(stock, on=CELL, how="left")
    new = cells["first_day"] > origin
    own = np.minimum(origin - cells["last_day"].fillna(-np.inf), np.minimum(origin - cells["first_day"] + 1, WINDOW))
    cells["late_days"] = np.where(new, cells["late_days"].fillna(0), own).astype("int64")
    cells["stock"] = np.where(new, 0.0, cells["stock"].astype(float))
    cells["week"] = (cells["rows"] == WEEK).to_numpy()
    columns = [*CELL, "region", "category", "first_day", "end_day", "late_days", "last_day", "week", "stock"]
    return cells[columns].reset_index(drop=True)


def choose(cells: pd.DataFrame, forecastable: np.ndarray, ordered: np.ndarray, max_late_days: int) -> np.ndarray:
    """Name for each cell what its forecast comes from.

    Parameters
    ----------
    cells : pandas.DataFrame, n rows
        From :func:`active_cells`.
    forecastable : numpy.ndarray of bool, shape (n,)
        The model gives a finite forecast.
    ordered : numpy.ndarray of bool, shape (n,)
        An earlier order is known.
    max_late_days : int
        Days by which the last week that came may be old.

    Returns
    -------
    numpy.ndarray of str, shape (n,)
        ``model`` where the data have come; else ``last_week_same_store`` where a whole week is young enough, else
        ``last_order``, else ``category_mean``.

    Examples
    --------
    >>> cells = pd.DataFrame({"late_days": [0, 0, 3, 40, 40], "week": [True, True, True, True, False]})
    >>> choose(cells, np.array([1, 0, 1, 1, 1], bool), np.array([1, 1, 1, 1, 0], bool), 14).tolist()
    ['model', 'last_week_same_store', 'last_week_same_store', 'last_order', 'category_mean']
    """
    conditions = [
        (cells["late_days"] == 0).to_numpy() & forecastable,
        (cells["week"] & (cells["late_days"] <= max_late_days)).to_numpy(),
        ordered,
    ]
    return np.select(conditions, [MODEL, LAST_WEEK, LAST_ORDER], CATEGORY_MEAN)


def last_week(tables: Tables, cells: pd.DataFrame, days: Sequence[int]) -> np.ndarray:
    """Return what each cell sold on the same weekday of the last week that came.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        ``sales`` as known at the origin.
    cells : pandas.DataFrame, n rows
        From :func:`active_cells`, all with ``week``.
    days : sequence of int

    Returns
    -------
    numpy.ndarray of float, shape (n, len(days))
        Units a day. Sales on a day with an empty shelf count as they are, which is too little.

    Examples
    --------
    >>> sales = pd.DataFrame({"store_id": 1, "sku_id": 1, "day": range(7, 14), "sold": range(7)})
    >>> last_week({"sales": sales}, pd.DataFrame({"store_id": [1], "sku_id": 1, "last_day": 12}), [17, 18])
    array([[3., 4.]])
    """
    target = np.asarray(days)
    newest = cells["last_day"].to_numpy(float)[:, None]
    day = (newest - (newest - target) % WEEK).astype("int64")
    asked = cells.loc[:, CELL].loc[cells.index.repeat(len(target))].assign(day=day.ravel())
    oldest = int(day.min()) if day.size else 0
    sales = tables["sales"].loc[tables["sales"]["day"] >= oldest, [*CELL, "day", "sold"]]
    return asked.merge(sales, on=[*CELL, "day"], how="left")["sold"].to_numpy(float).reshape(day.shape)


def category_mean(tables: Tables, cells: pd.DataFrame, days: Sequence[int], origin: int) -> np.ndarray:
    """Return the mean of four weeks of a category's products on that weekday, in the region or else everywhere.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        ``stores``, ``products`` and ``sales`` as known at the origin.
    cells : pandas.DataFrame, n rows
        With ``region`` and ``category``.
    days : sequence of int
    origin : int

    Returns
    -------
    numpy.ndarray of float, shape (n, len(days))
        Units a day; 0 for a category that sold nothing anywhere.
    """
    sales = _window(tables, origin, 4 * WEEK, "sold")
    sales = sales.merge(tables["stores"][["store_id", "region"]], on="store_id")
    sales = sales.merge(tables["products"][["sku_id", "category"]], on="sku_id")
    sales = sales.astype({"region": str, "category": str}).assign(weekday=sales["day"] % WEEK)
    near = sales.groupby(["region", "category", "weekday"])["sold"].mean().rename("near").reset_index()
    far = sales.groupby(["category", "weekday"])["sold"].mean().rename("far").reset_index()
    asked = cells[["region", "category"]].astype(str)
    asked = asked.loc[asked.index.repeat(len(days))].assign(weekday=np.tile(np.asarray(days) % WEEK, len(cells)))
    asked = asked.merge(near, on=["region", "category", "weekday"], how="left")
    asked = asked.merge(far, on=["category", "weekday"], how="left")
    return asked["near"].fillna(asked["far"]).fillna(0.0).to_numpy(float).reshape(len(cells), len(days))


def _window(tables: Tables, origin: int, days: int, *more: str) -> pd.DataFrame:
    sales = tables["sales"]
    columns = [*CELL, "day", *(more or ("stock_close",))]
    return sales.loc[(sales["day"] > origin - days) & (sales["day"] <= origin), columns]


def _first_and_end(tables: Tables) -> pd.DataFrame:
    stores = tables["stores"][["store_id", "region", "opened_on", "closed_on"]]
    products = tables["products"][["sku_id", "category", "launched_on"]]
    cells = tables["cells"].merge(stores, on="store_id").merge(products, on="sku_id")
    first = cells[["listed_on", "opened_on", "launched_on"]].max(axis=1)
    end = cells[["delisted_on", "closed_on"]].astype(float).min(axis=1).fillna(np.inf)
    return cells[[*CELL, "region", "category"]].assign(first_day=first, end_day=end)


def _due(cells: pd.DataFrame, stores: pd.Index, days: np.ndarray) -> np.ndarray:
    """Return how many cells of each store are on sale on each day, shape (stores, days)."""
    row = stores.get_indexer(pd.Index(cells["store_id"]))
    count = np.zeros((len(stores), len(days) + 1))
    for column, step in (("first_day", 1), ("end_day", -1)):
        day = np.clip(cells[column].to_numpy(float) - days[0], 0, len(days)).astype("int64")
        np.add.at(count, (row[row >= 0], day[row >= 0]), step)
    return np.cumsum(count[:, :-1], axis=1)
