"""What the claims page of chapter 7 measures of costs and orders: money lost at a quantile, service, case by case."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from casebook.claims import Bounds
from casebook.contracts import refuse, require_length
from casebook.decisions.fractile import money_by_quantile
from casebook.demand.order_up_to import WEEKLY, Calendar, play_level
from casebook.demand.wape_points import count_probabilities, points_compared

COSTS = (10.0, 2.0)
"""Dollars a unit short and a unit too many, as section 7 has them in its context."""
DISPERSIONS = (0.3, 1.0, 3.0)


def counts(mean: float, dispersion: float) -> stats.rv_discrete:
    """Return a negative binomial whose variance is its mean times one more than the dispersion.

    Parameters
    ----------
    mean : float
        Units, above 0.
    dispersion : float
        Above 0.

    Raises
    ------
    ContractError
        A mean or dispersion of 0 or less.

    Examples
    --------
    >>> one = counts(5, 0.6)
    >>> round(float(one.mean()), 6), round(float(one.var()), 6)
    (5.0, 8.0)
    """
    for name, value in (("mean", mean), ("dispersion", dispersion)):
        if not value > 0:
            refuse(name, "above 0", f"{value:g}", "give units, or a small dispersion")
    return stats.nbinom(mean / dispersion, 1 / (1 + dispersion))


def lost_by_order(
    tau: float | None,
    costs: tuple[float, float] = COSTS,
    mean: float = 50.0,
    dispersions: Sequence[float] = DISPERSIONS,
) -> pd.Series:
    """Return what an order costs above the best one, as a share of that, by the dispersion of demand.

    Parameters
    ----------
    tau : float or None
        Quantile that is ordered; None is the mean, rounded to a unit.
    costs : tuple of float
        Dollars a unit short and a unit too many.
    mean : float
        Units.
    dispersions : sequence of float
        As in :func:`counts`.

    Returns
    -------
    pandas.Series
        Index ``dispersion``.

    Examples
    --------
    >>> lost_by_order(0.95).round(2).tolist(), lost_by_order(10 / 12).round(2).tolist()
    ([0.21, 0.19, 0.2], [0.0, 0.0, 0.0])
    """
    found = {}
    for dispersion in dispersions:
        money = money_by_quantile(counts(mean, dispersion), *costs, taus=(0.5 if tau is None else tau,))
        found[dispersion] = float(money["cost_above_best"].iloc[0 if tau is None else 1] / money["cost"].min())
    return pd.Series(found, name="lost").rename_axis("dispersion")


def best_by_wape(
    means: Sequence[float] = (0.3, 1.0, 5.0, 20.0), dispersion: float = 0.6, costs: tuple[float, float] = COSTS
) -> pd.DataFrame:
    """Return what the forecast with the least WAPE says and costs, by how fast a product sells.

    Parameters
    ----------
    means : sequence of float
        Units a day.
    dispersion : float
        As in :func:`counts`.
    costs : tuple of float

    Returns
    -------
    pandas.DataFrame
        Index ``mean``: ``units``, ``over_nothing`` (its WAPE over that of forecasting nothing) and ``lost`` (its cost
        above that of the best order, as a share).

    Examples
    --------
    >>> best_by_wape((0.3, 20.0)).round(2)
          units  over_nothing  lost
    mean
    0.3     0.0          1.00  0.21
    20.0   20.0          0.22  0.50
    """
    rows = {}
    for mean in means:
        points = points_compared(count_probabilities(counts(mean, dispersion)), *costs)
        least = points.iloc[int(points["wape"].to_numpy().argmin())]
        rows[mean] = {
            "units": least["units"],
            "over_nothing": least["wape"] / points.loc["zero", "wape"],
            "lost": least["money"] / points.loc["fractile", "money"] - 1,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("mean")


def least_squares_point(y: npt.ArrayLike, steps: int = 2_001) -> float:
    """Return the number with the least squared error by trying many between the least and the largest of y.

    Examples
    --------
    >>> round(least_squares_point([0, 0, 3, 9]), 2)
    3.0
    """
    units = np.asarray(y, float)
    tried = np.linspace(units.min(), units.max(), steps)
    error = [float(np.square(units - point).mean()) for point in tried]
    return float(tried[int(np.argmin(error))])


def day_correlation(y: npt.ArrayLike, mean: npt.ArrayLike, group: npt.ArrayLike) -> float:
    """Return the mean correlation of the forecast errors of any two rows of a group, such as the days of one order.

    Errors are divided by the root of the forecast and centred; what all groups share is no correlation.

    Parameters
    ----------
    y, mean : array_like, shape (n,)
        Units that came and were forecast; the forecast above 0.
    group : array_like, shape (n,)

    Raises
    ------
    ContractError
        Unequal lengths, a forecast of 0 or less, or no group of two rows.

    Examples
    --------
    >>> day_correlation([1, 1, 3, 3], [2, 2, 2, 2], ["a", "a", "b", "b"])
    1.0
    """
    units, said, code = np.asarray(y, float), np.asarray(mean, float), pd.factorize(np.asarray(group))[0]
    for name, part in (("mean", said), ("group", code)):
        require_length(part, len(units), name)
    if not (said > 0).all():
        refuse("mean", "above 0", f"{said.min():g}", "leave out what is not expected to sell")
    error = (units - said) / np.sqrt(said)
    error = error - error.mean()
    size, total, squares = (np.bincount(code, part) for part in (np.ones(len(error)), error, error**2))
    pairs = float((size * (size - 1)).sum())
    if not pairs:
        refuse("group", "labels that two rows or more share", "none", "group the days of one order")
    return float((total**2 - squares).sum() / pairs / np.mean(error**2))


def cycle_service(
    daily: float, dispersion: float, tau: float, rng: np.random.Generator, calendar: Calendar = WEEKLY
) -> pd.Series:
    """Return how often nothing is short between two deliveries, for levels that last for fewer or more days.

    Parameters
    ----------
    daily : float
        Mean units a day; days are independent.
    dispersion : float
        As in :func:`counts`.
    tau : float
        Quantile of the sum of the days to which the order brings the stock.
    rng : numpy.random.Generator
    calendar : Calendar

    Returns
    -------
    pandas.Series
        ``covered`` (level for the days that the order covers) and ``protected`` (for all days until the next delivery):
        share of deliveries. Demand that finds no stock waits.

    Examples
    --------
    >>> cycle_service(5.0, 0.6, 10 / 12, np.random.default_rng(0)).round(2).to_dict()
    {'covered': 0.21, 'protected': 0.86}
    """
    demand = counts(daily, dispersion).rvs((300, 350), random_state=rng)
    days = {"covered": len(calendar.covered), "protected": len(calendar.protected)}
    levels = {name: counts(daily * reach, dispersion).ppf(tau) for name, reach in days.items()}
    found = {name: play_level(demand, level, calendar, lost=False)["cycle_service"] for name, level in levels.items()}
    return pd.Series(found, dtype=float)


def rank_interval(x: npt.ArrayLike, y: npt.ArrayLike, level: float = 0.95) -> Bounds:
    """Return the interval of the rank correlation of two columns, on Fisher's scale.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        At least ten pairs.
    level : float

    Raises
    ------
    ContractError
        Unequal lengths or fewer than ten pairs.

    References
    ----------
    Fieller, Hartley and Pearson (1957), Tests for rank correlation coefficients I, Biometrika 44: the variance of the
    transformed correlation is 1.06 / (n - 3).

    Examples
    --------
    >>> found = rank_interval(np.arange(40), np.resize([0, 3, 1, 2], 40))
    >>> bool(found.low < 0 < found.high)
    True
    """
    first, second = np.asarray(x, float), np.asarray(y, float)
    require_length(second, len(first), "y")
    if len(first) < 10:
        refuse("x", "ten or more", str(len(first)), "draw more worlds")
    found = np.clip(stats.spearmanr(first, second).statistic, -1 + 1e-9, 1 - 1e-9)
    half = stats.norm.ppf((1 + level) / 2) * np.sqrt(1.06 / (len(first) - 3))
    low, high = np.tanh(np.arctanh(found) + np.array([-half, half]))
    return Bounds(float(low), float(high))


def mean_interval(values: npt.ArrayLike, cluster: npt.ArrayLike) -> Bounds:
    """Return the 95% interval of a mean of rows that are not independent within a cluster, by Student's t.

    Parameters
    ----------
    values, cluster : array_like, shape (n,)

    Raises
    ------
    ContractError
        Unequal lengths, or fewer than two clusters.

    Examples
    --------
    >>> [round(end, 2) for end in mean_interval([0, 0, 1, 1, 2, 2], [1, 1, 2, 2, 3, 3])]
    [-1.48, 3.48]
    """
    rows, code = np.asarray(values, float), pd.factorize(np.asarray(cluster))[0]
    require_length(code, len(rows), "cluster")
    groups = int(code.max()) + 1
    if groups < 2:
        refuse("cluster", "at least two labels", "one", "take more weeks")
    centre = float(rows.mean())
    parts = np.bincount(code, rows - centre)
    spread = np.sqrt(groups / (groups - 1) * (parts**2).sum()) / len(rows)
    half = float(stats.t.ppf(0.975, groups - 1) * spread)
    return Bounds(centre - half, centre + half)
