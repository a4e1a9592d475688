"""Case packs: an order is a whole number of packs, and for a slow seller the pack decides more than the forecast.

Arrays have one entry, or one row, for each cell (a product in a store). ``stock`` is what the cell has already.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import BoolArray, FloatArray, refuse
from casebook.decisions._numbers import as_numbers
from casebook.decisions.fractile import best_order, newsvendor_cost

Packs = npt.NDArray[np.int64]
HOW = ("up", "nearest", "down")
TAUS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
CHANGES = (-0.2, 0.0, 0.2)
_ULP = 1e-9  # 12.000000001 units are a dozen


def packs(levels: npt.ArrayLike, case_pack: npt.ArrayLike, how: str = "up", stock: npt.ArrayLike = 0.0) -> Packs:
    """Return how many packs bring each cell from its stock to its level.

    Parameters
    ----------
    levels : array_like, shape (cells,) or (cells, k)
        Units wanted on the shelf, such as k quantiles of demand.
    case_pack : int or array_like, shape (cells,)
        Units a pack, 1 or more.
    how : {"up", "nearest", "down"}
        Where the need lies between two numbers of packs; half a pack is rounded up by "nearest".
    stock : float or array_like, shape (cells,)
        Units already there.

    Returns
    -------
    numpy.ndarray of int, shaped as ``levels``
        0 or more.

    Raises
    ------
    ContractError
        Another ``how``, a pack below one unit, or cells of another number.

    Examples
    --------
    >>> packs([0, 1, 12, 13, 18], 12).tolist(), packs([0, 1, 12, 13, 18], 12, "nearest").tolist()
    ([0, 1, 1, 2, 2], [0, 0, 1, 1, 2])
    """
    if how not in HOW:
        refuse("how", f"one of {', '.join(HOW)}", repr(how), "use best_packs for the number that costs least")
    wanted = as_numbers(levels, "levels")
    size, there = (_by_cell(part, name, wanted) for part, name in ((case_pack, "case_pack"), (stock, "stock")))
    if size.min() < 1:
        refuse("case_pack", "1 unit or more", f"{size.min():g}", "put 1 where a product comes singly")
    need = np.maximum(wanted - there, 0) / size
    whole = {"up": np.ceil(need - _ULP), "nearest": np.floor(need + 0.5 + _ULP), "down": np.floor(need + _ULP)}[how]
    return np.asarray(whole.astype(np.int64))


def best_packs(
    samples: npt.ArrayLike,
    case_pack: npt.ArrayLike,
    cost_under: npt.ArrayLike,
    cost_over: npt.ArrayLike,
    stock: npt.ArrayLike = 0.0,
) -> Packs:
    """Return the number of packs with the least mean cost over samples of demand.

    The expected cost is convex in the order, so the best number of packs is one of the two around the best order in
    units, and both are tried. Of two that cost the same, the smaller is taken.

    Parameters
    ----------
    samples : array_like, shape (draws, cells)
        Units demanded of each cell.
    case_pack, cost_under, cost_over, stock : float or array_like, shape (cells,)
        Units a pack, money per unit short and too many, units already there.

    Returns
    -------
    numpy.ndarray of int, shape (cells,)

    Raises
    ------
    ContractError
        As :func:`packs` and :func:`casebook.decisions.fractile.best_order`.

    Examples
    --------
    >>> demand = np.array([[0], [1], [2], [3], [9]])
    >>> best_packs(demand, 6, 10, 2).tolist(), best_packs(demand, 6, 2, 2).tolist()
    ([1], [0])
    """
    drawn = _samples(samples)
    level = np.asarray(best_order(drawn, cost_under, cost_over))
    low, high = (packs(level, case_pack, how, stock) for how in ("down", "up"))
    cost_low, cost_high = (
        _mean_cost(drawn, stock, np.asarray(case_pack) * number, cost_under, cost_over) for number in (low, high)
    )
    return np.where(cost_high < cost_low * (1 - _ULP), high, low)


def rounding_table(
    samples: npt.ArrayLike,
    case_pack: npt.ArrayLike,
    cost_under: npt.ArrayLike,
    cost_over: npt.ArrayLike,
    stock: npt.ArrayLike = 0.0,
) -> pd.DataFrame:
    """Return what each way of rounding the best order to packs is expected to cost.

    Parameters
    ----------
    samples, case_pack, cost_under, cost_over, stock
        As in :func:`best_packs`.

    Returns
    -------
    pandas.DataFrame
        By rounding (``units``: no packs; ``up``, ``nearest``, ``down``, ``least cost``): ``units`` ordered and
        ``cost``, both summed over cells, and ``cost_of_packs``, what is lost against ordering single units.

    Examples
    --------
    >>> demand = np.random.default_rng(0).poisson([0.5, 3, 20], (5_000, 3))
    >>> rounding_table(demand, 12, 10, 2).round(1)
                units  cost  cost_of_packs
    rounding
    units        30.0  21.7            0.0
    up           48.0  54.9           33.2
    nearest      24.0  48.8           27.1
    down         24.0  48.8           27.1
    least cost   36.0  36.9           15.2
    """
    drawn = _samples(samples)
    level = np.asarray(best_order(drawn, cost_under, cost_over))
    size = np.asarray(case_pack)
    orders = {"units": np.maximum(level - stock, 0)}
    orders |= {how: size * packs(level, size, how, stock) for how in HOW}
    orders["least cost"] = size * best_packs(drawn, size, cost_under, cost_over, stock)
    cost = [_mean_cost(drawn, stock, order, cost_under, cost_over).sum() for order in orders.values()]
    columns = {"units": [float(order.sum()) for order in orders.values()], "cost": cost}
    table = pd.DataFrame(columns, index=pd.Index(list(orders), name="rounding"))
    return table.assign(cost_of_packs=table["cost"] - table["cost"].iloc[0])


def quantiles(samples: npt.ArrayLike, taus: Sequence[float] = TAUS) -> pd.DataFrame:
    """Return each cell's quantiles of its samples: a row a cell, a column a tau.

    Examples
    --------
    >>> quantiles([[1, 0], [2, 0], [3, 0], [4, 8]], [0.5, 0.95])
       0.50  0.95
    0   2.0   4.0
    1   0.0   8.0
    """
    drawn = _samples(samples)
    return pd.DataFrame({tau: best_order(drawn, tau, 1 - tau) for tau in taus})


def fixed_by_tau(
    levels: npt.ArrayLike, case_pack: npt.ArrayLike, how: str = "up", stock: npt.ArrayLike = 0.0
) -> BoolArray:
    """Return in which cells the pack fixes the order: the same number of packs at every quantile.

    Parameters
    ----------
    levels : array_like or pandas.DataFrame, shape (cells, taus)
        Quantiles of demand, such as :func:`quantiles` or a model's forecasts give.
    case_pack, how, stock
        As in :func:`packs`.

    Returns
    -------
    numpy.ndarray of bool, shape (cells,)
        Its mean is the share of cells in which no choice of tau matters.

    Raises
    ------
    ContractError
        As :func:`packs`, and levels of fewer than two quantiles.

    Examples
    --------
    >>> fixed_by_tau([[1, 5], [10, 14]], 12).tolist()
    [True, False]
    """
    wanted = as_numbers(levels, "levels")
    if wanted.ndim != 2 or wanted.shape[1] < 2:
        refuse("levels", "of shape (cells, 2 or more quantiles)", f"shape {wanted.shape}", "pass a column for each tau")
    number = packs(wanted, case_pack, how, stock)
    return np.asarray((number == number[:, :1]).all(axis=1))


def fixed_by_change(
    levels: npt.ArrayLike,
    case_pack: npt.ArrayLike,
    changes: Sequence[float] = CHANGES,
    how: str = "up",
    stock: npt.ArrayLike = 0.0,
) -> BoolArray:
    """Return in which cells the order stays the same when the forecast is off by each of several shares.

    Parameters
    ----------
    levels : array_like, shape (cells,)
        Units wanted on the shelf.
    changes : sequence of float
        -0.2 is a forecast 20% lower.

    Returns
    -------
    numpy.ndarray of bool, shape (cells,)

    Examples
    --------
    >>> fixed_by_change([5, 11], 12).tolist()
    [True, False]
    """
    factors = 1 + as_numbers(list(changes), "changes", -1)
    return fixed_by_tau(np.outer(as_numbers(levels, "levels"), factors), case_pack, how, stock)


def fixed_share(
    levels: npt.ArrayLike,
    case_pack: npt.ArrayLike,
    by: npt.ArrayLike,
    how: str = "up",
    stock: npt.ArrayLike = 0.0,
) -> pd.DataFrame:
    """Return by group how often the pack fixes the order whatever the quantile.

    Parameters
    ----------
    levels, case_pack, how, stock
        As in :func:`fixed_by_tau`.
    by : array_like, shape (cells,)
        Group of each cell, such as its category.

    Returns
    -------
    pandas.DataFrame
        By group, with ``all`` last: ``cells``, ``fixed`` (share), ``fixed_at_none`` (share: no pack at any quantile)
        and ``fixed_at_one`` (share: one pack at every quantile).

    Examples
    --------
    >>> fixed_share([[1, 5], [10, 14], [0, 0]], 12, ["dairy", "dairy", "pantry"]).round(2)
            cells  fixed  fixed_at_none  fixed_at_one
    group
    dairy       2   0.50           0.00          0.50
    pantry      1   1.00           1.00          0.00
    all         3   0.67           0.33          0.33
    """
    fixed, first = fixed_by_tau(levels, case_pack, how, stock), packs(np.asarray(levels), case_pack, how, stock)[:, 0]
    columns = {"fixed": fixed, "fixed_at_none": fixed & (first == 0), "fixed_at_one": fixed & (first == 1)}
    cells = pd.DataFrame(columns)
    groups = {**{str(name): part for name, part in cells.groupby(np.asarray(by))}, "all": cells}
    rows = {name: {"cells": len(part), **part.mean().to_dict()} for name, part in groups.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("group").astype({"cells": int})


def _mean_cost(
    samples: FloatArray,
    stock: npt.ArrayLike,
    order: npt.ArrayLike,
    cost_under: npt.ArrayLike,
    cost_over: npt.ArrayLike,
) -> FloatArray:
    position = np.asarray(stock) + np.asarray(order)
    return np.asarray(newsvendor_cost(samples, position, cost_under, cost_over)).mean(axis=0)


def _samples(samples: npt.ArrayLike) -> FloatArray:
    drawn = as_numbers(samples, "samples", 0)
    if drawn.ndim != 2:
        refuse("samples", "of shape (draws, cells)", f"shape {drawn.shape}", "put draws in rows, cells in columns")
    return drawn


def _by_cell(values: npt.ArrayLike, what: str, levels: FloatArray) -> FloatArray:
    """Return one number a cell, shaped so that it broadcasts against levels."""
    part = as_numbers(values, what, 0)
    if part.ndim == 0:
        return part
    if part.shape != levels.shape[:1]:
        refuse(what, f"one number or {len(levels)} long", f"shape {part.shape}", "give one for each cell")
    return part.reshape(-1, *([1] * (levels.ndim - 1)))
