"""From daily quantiles to one order a week: moments of the days, a level for their sum, whole packs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from casebook.contracts import FloatArray, refuse
from casebook.demand.case_packs import packs
from casebook.demand.quantile_fix import checked_taus

LEAST, MOST = 0.05, 0.99  # a margin or a loss of almost nothing would ask for no stock, or for stock without end
CERTAIN = 1e-9  # a spread of so small a share of the mean is rounding: a flat grid leaves some 1e-15


def day_moments(quantiles: npt.ArrayLike, taus: Sequence[float]) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of days of which a few quantiles are forecast.

    Between the levels the quantile function is taken as straight; below the first it falls on in the same line, at
    lowest to 0; above the last the tail is exponential, with the slope of the last two. One number at every level has a
    standard deviation of 0, and not of what rounding leaves.

    Parameters
    ----------
    quantiles : array_like, shape (n, t)
        Units; sorted here, so that crossing quantiles do no harm.
    taus : sequence of float, length t
        Rising, two or more.

    Returns
    -------
    mean, sd : numpy.ndarray of float, shape (n,)

    Raises
    ------
    ContractError
        Levels outside (0, 1) or not rising, fewer than two, or another number than columns.

    Examples
    --------
    >>> taus = [0.1, 0.3, 0.5, 0.7, 0.9]
    >>> mean, sd = day_moments([stats.gamma(4, scale=2).ppf(taus)], taus)  # mean 8, standard deviation 4
    >>> mean.round(1).tolist(), sd.round(1).tolist()
    ([8.1], [4.2])
    """
    levels = np.array(checked_taus(taus))
    values = np.sort(np.maximum(np.asarray(quantiles, dtype=float), 0.0), axis=1)
    if len(levels) < 2 or values.shape[1] != len(levels):
        got = f"{len(levels)} for {values.shape[1]} columns"
        refuse("taus", "two or more, one a column", got, "name the level of each column")
    slope = (values[:, 1] - values[:, 0]) / (levels[1] - levels[0])
    low = np.maximum(values[:, 0] - slope * levels[0], 0.0)
    ends = np.column_stack([low, values])
    width = np.diff(np.concatenate([[0.0], levels]))
    rest, last = 1 - levels[-1], values[:, -1]
    step = (last - values[:, -2]) / np.log((1 - levels[-2]) / rest)
    mean = ((ends[:, :-1] + ends[:, 1:]) / 2) @ width + rest * (last + step)
    a, b = ends[:, :-1] - mean[:, None], ends[:, 1:] - mean[:, None]
    far = last - mean
    variance = ((a**2 + a * b + b**2) / 3) @ width + rest * (far**2 + 2 * far * step + 2 * step**2)
    return mean, np.sqrt(np.where(variance > (CERTAIN * mean) ** 2, variance, 0.0))


def week_level(mean: npt.ArrayLike, sd: npt.ArrayLike, tau: npt.ArrayLike, correlation: float) -> FloatArray:
    """Return the quantile of the sum of a week's days, by a gamma with the sum's mean and variance.

    Parameters
    ----------
    mean, sd : array_like, shape (n, days)
        Units.
    tau : float or array_like, shape (n,)
    correlation : float
        Between any two days' errors, 0 to 1. A week in which the level was misjudged is misjudged on all its days.

    Returns
    -------
    numpy.ndarray of float, shape (n,)

    Raises
    ------
    ContractError
        A correlation outside [0, 1].

    Examples
    --------
    >>> days = np.full((1, 7), 5.0)
    >>> [float(week_level(days, days / 2, 0.833, correlation)[0].round(1)) for correlation in (0, 0.2, 1)]
    [41.3, 44.3, 51.0]
    """
    if not 0 <= correlation <= 1:
        refuse("correlation", "in [0, 1]", f"{correlation:g}", "divide percentages by 100")
    days, spread = np.asarray(mean, dtype=float), np.asarray(sd, dtype=float)
    total = days.sum(axis=1)
    variance = (1 - correlation) * (spread**2).sum(axis=1) + correlation * spread.sum(axis=1) ** 2
    some = (total > 0) & (variance > 0)
    level = total.copy()
    shape, scale = total[some] ** 2 / variance[some], variance[some] / total[some]
    level[some] = stats.gamma.ppf(np.broadcast_to(tau, total.shape)[some], shape, scale=scale)
    return level


def sku_taus(products: pd.DataFrame) -> pd.Series:
    """Return each product's critical fractile: margin over margin plus what an unsold unit loses.

    Parameters
    ----------
    products : pandas.DataFrame
        ``sku_id``, ``price_cents``, ``cost_cents``, ``salvage_cents``.

    Returns
    -------
    pandas.Series
        By ``sku_id``, kept within 0.05 and 0.99.

    Examples
    --------
    >>> sku_taus(pd.DataFrame({"sku_id": [7], "price_cents": 400, "cost_cents": 300, "salvage_cents": 280})).to_dict()
    {7: 0.8333333333333334}
    """
    price, cost, salvage = (products[f"{name}_cents"].to_numpy(float) for name in ("price", "cost", "salvage"))
    short, left = np.maximum(price - cost, 0), np.maximum(cost - salvage, 0)
    tau = np.divide(short, short + left, out=np.full(len(short), MOST), where=short + left > 0)
    return pd.Series(np.clip(tau, LEAST, MOST), index=products["sku_id"].to_numpy(), name="tau")


def week_orders(days: pd.DataFrame, taus: pd.Series, case_pack: pd.Series, correlation: float) -> pd.DataFrame:
    """Return one order a cell.

    Where the stock is known, the order fills up to the week's quantile; where it is not, it replaces what the week
    is expected to sell, since a store whose records are late has been selling too.

    Parameters
    ----------
    days : pandas.DataFrame
        One row a cell and day, by ``store_id``, ``sku_id``, ``day``, the same number of days each: ``mean``, ``sd``
        (units), ``source``, ``override_id``, ``left`` (units expected on the shelf when the goods come; missing if the
        stock is not known).
    taus, case_pack : pandas.Series
        By ``sku_id``.
    correlation : float
        As in :func:`week_level`.

    Returns
    -------
    pandas.DataFrame
        One row a cell: ``store_id``, ``sku_id``, ``order_units``, ``packs`` (int), ``forecast`` (units of the week at
        `tau`; the mean where the stock is not known), ``tau`` (missing there), ``source`` (override if any of its days
        was overridden).
    """
    cells = days.drop_duplicates(["store_id", "sku_id"])
    mean, sd = (days[name].to_numpy(float).reshape(len(cells), -1) for name in ("mean", "sd"))
    touched = (days["override_id"] != "").to_numpy().reshape(len(cells), -1).any(axis=1)
    left = cells["left"].to_numpy(float)
    tau = np.where(np.isnan(left), np.nan, taus.reindex(cells["sku_id"]).to_numpy(float))
    size = case_pack.reindex(cells["sku_id"]).to_numpy("int64")
    level = np.where(np.isnan(left), mean.sum(axis=1), week_level(mean, sd, np.nan_to_num(tau, nan=0.5), correlation))
    number = packs(level, size, stock=np.nan_to_num(left))
    return pd.DataFrame(
        {
            "store_id": cells["store_id"].to_numpy(),
            "sku_id": cells["sku_id"].to_numpy(),
            "order_units": number * size,
            "packs": number,
            "forecast": level,
            "tau": tau,
            "source": np.where(touched, "override", cells["source"].to_numpy()),
        }
    )
