"""What the app's own log says of demand that the shelf did not serve; it asks no stock record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from casebook.contracts import FloatArray, as_costs, refuse, require_columns, require_length

FEWEST = 50  # searches on each side of a cell's median stock, so that a ratio of sums is no lottery
WIDTH = 1.96  # standard errors of a 95% interval
_LOG = ["store_id", "sku_id", "day", "sold", "failed_adds", "substitutions"]


@dataclass(frozen=True)
class ShareSeen:
    """Failed adds for each unit of demand that was not served.

    Attributes
    ----------
    value, low, high : float
        Estimate and 95% interval over cells; `high` is infinite if no failed adds at all are within the interval.
    cells : int
        Cells that had enough searches to count.
    """

    value: float
    low: float
    high: float
    cells: int


def received_units(sales: pd.DataFrame, products: pd.DataFrame) -> pd.Series:
    """Return the units of each row that went, by estimate, to people who had wanted another product.

    The log says whose customers accepted another product, not which. Accepted substitutions of a store, a group and a
    day are shared out over the group's other products in proportion to what these sold, among those that turned nobody
    away where there are any. Sums over the group are exact; a single product's share is a guess.

    Parameters
    ----------
    sales : pandas.DataFrame
        ``store_id, sku_id, day, sold, failed_adds, substitutions``.
    products : pandas.DataFrame
        ``sku_id, group_id``.

    Returns
    -------
    pandas.Series of float
        Units, named ``received``, index as `sales`; never more than `sold`.

    Raises
    ------
    ContractError
        A missing column, or a product that `products` does not know.

    Examples
    --------
    >>> sales = pd.DataFrame({"store_id": 0, "sku_id": [0, 1, 2], "day": 0, "sold": [2, 6, 3],
    ...                       "failed_adds": [4, 0, 0], "substitutions": [3, 0, 0]})
    >>> received_units(sales, pd.DataFrame({"sku_id": [0, 1, 2], "group_id": [7, 7, 7]})).tolist()
    [0.0, 2.0, 1.0]
    """
    require_columns(sales, _LOG, "sales")
    require_columns(products, ["sku_id", "group_id"], "products")
    group = sales["sku_id"].map(products.set_index("sku_id")["group_id"])
    if group.isna().any():
        sku = sales["sku_id"].to_numpy()[int(np.argmax(group.isna()))]
        refuse("sales, sku_id", "a product of 'products'", str(sku), "add it, or leave its sales out")
    place = pd.MultiIndex.from_arrays([sales["store_id"], group, sales["day"]])
    code = pd.factorize(place)[0]
    moved, sold = sales["substitutions"].to_numpy(float), sales["sold"].to_numpy(float)
    gives = np.where(sales["failed_adds"].to_numpy() + moved > 0, 0.0, sold)
    no_giver = (np.bincount(code, gives) == 0)[code]
    gives = np.where(no_giver, np.where(moved > 0, 0.0, sold), gives)
    total, taken = np.bincount(code, gives)[code], np.bincount(code, moved)[code]
    received = np.divide(gives * taken, total, out=np.zeros(len(sales)), where=total > 0)
    return pd.Series(np.minimum(received, sold), sales.index, name="received")


def learn_share_seen(sales: pd.DataFrame, received: pd.Series | None = None) -> ShareSeen:
    """Learn which share of the unserved try to add a product that is gone, without knowing the unserved.

    A cell's days are split at its median opening stock. If a search asks for as many units on both sides, then what
    sales lack on the low side for each search, against the high side, was not served; failed adds over that is the
    share. Both sides may contain stock-outs: their failed adds are counted in. The split does not look at what was
    demanded that day, as a split by stock-out or by failed adds would (days of high demand run out), and a wrong stock
    record makes it less sharp, not biased.

    It assumes that a stock-out does not change how many search, and that units for each search do not hang together
    with the opening stock otherwise: days with a reduced price, on which more buy of those who search and the planner
    orders more, are left out where ``price_cents`` is given.

    Parameters
    ----------
    sales : pandas.DataFrame
        ``store_id, sku_id, day, sold, stock_open, searches, failed_adds, substitutions``, and ``price_cents``.
    received : pandas.Series, optional
        As :func:`received_units` returns it; sales to another product's customers are no demand for this one.

    Returns
    -------
    ShareSeen

    Raises
    ------
    ContractError
        A missing column, too few searches, or failed adds that do not go with missing sales.

    References
    ----------
    A ratio estimator with a grouping instrument: Wald (1940), The fitting of straight lines if both variables are
    subject to error, Annals of Mathematical Statistics 11.

    Examples
    --------
    >>> low = {"sold": 60, "stock_open": 70, "searches": 200, "failed_adds": 20}
    >>> high = {"sold": 100, "stock_open": 300, "searches": 200, "failed_adds": 0}
    >>> sales = pd.DataFrame([low, high] * 2).assign(store_id=0, sku_id=0, day=range(4), substitutions=0)
    >>> learn_share_seen(sales).value
    0.5
    """
    require_columns(sales, [*_LOG, "stock_open", "searches"], "sales")
    own = _own(sales, received)
    usual = _usual_price(sales)
    rows, own = sales[usual], own[usual]
    cell, names = pd.factorize(pd.MultiIndex.from_frame(rows[["store_id", "sku_id"]]))
    stock = rows["stock_open"].to_numpy(float)
    low = stock <= pd.Series(stock).groupby(cell).transform("median").to_numpy()

    def sums(values: FloatArray) -> tuple[FloatArray, ...]:
        return tuple(np.bincount(cell[side], values[side], len(names)).astype(float) for side in (low, ~low))

    searches, sold, failed = (sums(v) for v in (rows["searches"].to_numpy(float), own, rows["failed_adds"].to_numpy()))
    counts = (searches[0] >= FEWEST) & (searches[1] >= FEWEST)
    if not counts.any():
        refuse("sales", f"cells with {FEWEST} searches on either side of their median stock", "none", "take more days")
    scale = (searches[0] / np.maximum(searches[1], 1))[counts]
    lacking = scale * sold[1][counts] - sold[0][counts]
    tried = failed[0][counts] - scale * failed[1][counts]
    return _ratio(tried, lacking)


def _ratio(tried: FloatArray, lacking: FloatArray) -> ShareSeen:
    """Ratio of sums over cells, with the interval of its inverse (units for each failed add), which is the nicer."""
    if tried.sum() <= 0 or lacking.sum() <= 0:
        got = f"{tried.sum():.0f} more failed adds where sales lack {lacking.sum():.0f} units"
        refuse("sales", "such that failed adds go with missing sales", got, "take more days, or look at the log")
    units = lacking.sum() / tried.sum()
    error = np.sqrt(((lacking - units * tried) ** 2).sum()) / tried.sum()
    fewest = units - WIDTH * error
    high = float(1 / fewest) if fewest > 0 else float("inf")
    return ShareSeen(float(1 / units), float(1 / (units + WIDTH * error)), high, len(tried))


def _own(sales: pd.DataFrame, received: pd.Series | None) -> FloatArray:
    own = sales["sold"].to_numpy(float)
    if received is None:
        return own
    require_length(received.to_numpy(), len(sales), "received")
    return own - np.asarray(as_costs(received, "received"))


def _usual_price(sales: pd.DataFrame) -> np.ndarray:
    if "price_cents" not in sales:
        return np.ones(len(sales), bool)
    usual = sales.groupby(["store_id", "sku_id"])["price_cents"].transform("median")
    return (sales["price_cents"] >= usual).to_numpy()


def demand_from_app(sales: pd.DataFrame, share: float | ShareSeen, received: pd.Series | None = None) -> pd.Series:
    """Return demand as sales to those who wanted it, and failed adds over the share of the unserved that try.

    No stock record enters, so none can spoil it. A day's estimate is rough (three failed adds may be two unserved units
    or nine); sums are not. Failed adds of one person at two products count twice.

    Parameters
    ----------
    sales : pandas.DataFrame
        ``store_id, sku_id, day, sold, failed_adds, substitutions``.
    share : float or ShareSeen
        Failed adds for each unserved unit.
    received : pandas.Series, optional
        Units sold to customers of other products, which are taken off.

    Returns
    -------
    pandas.Series of float
        Units, named ``demand``, index as `sales`.

    Raises
    ------
    ContractError
        A missing column, or a share that is not above 0.

    Examples
    --------
    >>> sales = pd.DataFrame({"store_id": 0, "sku_id": 0, "day": [0, 1], "sold": [4, 9], "failed_adds": [3, 0],
    ...                       "substitutions": [1, 0]})
    >>> demand_from_app(sales, share=0.5).tolist()
    [10.0, 9.0]
    """
    require_columns(sales, _LOG, "sales")
    unserved = sales["failed_adds"].to_numpy(float) / _value(share)
    return pd.Series(_own(sales, received) + unserved, sales.index, name="demand")


def lost_units(sales: pd.DataFrame, share: float | ShareSeen) -> pd.Series:
    """Return the units that left the store unserved: those who accepted another product are taken off.

    Parameters
    ----------
    sales, share
        As in :func:`demand_from_app`.

    Returns
    -------
    pandas.Series of float
        Named ``lost``, index as `sales`; below 0 on single days, since both parts are estimates: sum before you judge.

    Raises
    ------
    ContractError
        As :func:`demand_from_app`.

    Examples
    --------
    >>> sales = pd.DataFrame({"store_id": 0, "sku_id": 0, "day": [0, 1], "sold": [4, 9], "failed_adds": [3, 0],
    ...                       "substitutions": [1, 0]})
    >>> lost_units(sales, share=0.5).tolist()
    [5.0, 0.0]
    """
    require_columns(sales, _LOG, "sales")
    unserved = sales["failed_adds"].to_numpy(float) / _value(share)
    return pd.Series(unserved - sales["substitutions"].to_numpy(float), sales.index, name="lost")


def _value(share: float | ShareSeen) -> float:
    value = share.value if isinstance(share, ShareSeen) else float(share)
    if not value > 0 or not np.isfinite(value):
        refuse("share", "above 0", f"{value:g}", "learn it with learn_share_seen")
    return value
