"""The protection interval: one order must last for several days, and quantiles of days do not add up to theirs.

``paths`` are draws of daily demand, shape (draws, days): a row is one possible course of the days, with the correlation
between them as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from casebook.contracts import FloatArray, refuse
from casebook.decisions._numbers import as_numbers
from casebook.decisions.fractile import best_order, critical_fractile, money_of_orders


def daily_paths(
    means: npt.ArrayLike, dispersion: float, correlation: float, draws: int, rng: np.random.Generator
) -> FloatArray:
    """Return draws of daily demand: negative binomial days, correlated by a Gaussian copula.

    Parameters
    ----------
    means : array_like, shape (days,)
        Units a day, above 0.
    dispersion : float
        A day's variance is mean + dispersion * mean^2; 0 is Poisson.
    correlation : float
        In [0, 1], between the copula's normals of any two days; that of the counts is somewhat lower, except that at 1
        all days stand at the same quantile.
    draws : int

    Returns
    -------
    numpy.ndarray of float, shape (draws, days)

    Raises
    ------
    ContractError
        A correlation outside [0, 1], a negative dispersion or mean.

    Examples
    --------
    >>> daily_paths([2, 2, 9], 0.3, 1.0, 2, np.random.default_rng(0))
    array([[2., 2., 9.],
           [1., 1., 7.]])
    """
    daily, spread = as_numbers(means, "means", 0), float(as_numbers(dispersion, "dispersion", 0))
    if not 0 <= correlation <= 1:
        refuse("correlation", "in [0, 1]", f"{correlation:g}", "divide percentages by 100")
    shared, own = rng.standard_normal((draws, 1)), rng.standard_normal((draws, len(daily)))
    level = stats.norm.cdf(np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own)
    return np.column_stack([_at_level(level[:, day], mean, spread) for day, mean in enumerate(daily)])


def sum_of_quantiles(paths: npt.ArrayLike, tau: float) -> float:
    """Return the sum over days of each day's own tau-quantile.

    Examples
    --------
    >>> sum_of_quantiles([[0, 4], [4, 0], [0, 0], [0, 0]], 0.75)
    0.0
    >>> quantile_of_sum([[0, 4], [4, 0], [0, 0], [0, 0]], 0.75)
    4.0
    """
    return float(np.sum(best_order(require_paths(paths), tau, 1 - tau)))


def quantile_of_sum(paths: npt.ArrayLike, tau: float) -> float:
    """Return the tau-quantile of the sum of the days, which is what one order must reach."""
    return float(best_order(require_paths(paths).sum(axis=1), tau, 1 - tau))


def shuffle_days(paths: npt.ArrayLike, rng: np.random.Generator) -> FloatArray:
    """Return the paths with each day's draws shuffled on their own: the same days, without correlation."""
    return rng.permuted(require_paths(paths), axis=0)


def week_table(paths: npt.ArrayLike, cost_under: float, cost_over: float, rng: np.random.Generator) -> pd.DataFrame:
    """Return four ways to turn daily demand into one order, each judged on the sum of the days.

    Parameters
    ----------
    paths : array_like, shape (draws, days)
        Units of the days covered.
    cost_under, cost_over : float
        Money per unit, once for all days together.
    rng : numpy.random.Generator
        Shuffles days for the rule that takes them as independent.

    Returns
    -------
    pandas.DataFrame
        As :func:`casebook.decisions.fractile.money_of_orders`. ``quantile of the sum`` is the best on these draws by
        construction, and flattered where draws are few. ``square-root rule`` is the sum of the means and the
        root of the summed squares of the quantiles' distances from them, exact for independent normal days.

    Raises
    ------
    ContractError
        Paths of one day or of another shape.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> paths = daily_paths([5] * 7, 0.5, 0.0, 20_000, rng)
    >>> week_table(paths, 10, 2, rng)["service_level"].round(2).to_dict()
    {'sum of quantiles': 0.99, 'days as independent': 0.86, 'square-root rule': 0.84, 'quantile of the sum': 0.84}
    """
    daily = require_paths(paths)
    tau = float(critical_fractile(cost_under, cost_over))
    means, quantiles = daily.mean(axis=0), np.asarray(best_order(daily, cost_under, cost_over))
    orders = {
        "sum of quantiles": float(quantiles.sum()),
        "days as independent": quantile_of_sum(shuffle_days(daily, rng), tau),
        "square-root rule": float(means.sum() + np.sqrt(((quantiles - means) ** 2).sum())),
        "quantile of the sum": quantile_of_sum(daily, tau),
    }
    return money_of_orders(daily.sum(axis=1), orders, cost_under, cost_over)


def week_by_correlation(
    means: npt.ArrayLike,
    dispersion: float,
    correlations: Sequence[float],
    cost_under: float,
    cost_over: float,
    rng: np.random.Generator,
    draws: int = 20_000,
) -> pd.DataFrame:
    """Return :func:`week_table` for days of :func:`daily_paths`, at each correlation.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``correlation`` and ``rule``.
    """
    tables = {
        rho: week_table(daily_paths(means, dispersion, rho, draws, rng), cost_under, cost_over, rng)
        for rho in correlations
    }
    return pd.concat(tables, names=["correlation"])


def _at_level(level: FloatArray, mean: float, dispersion: float) -> FloatArray:
    """Return quantiles of one day; its distribution is tabulated once, as ppf is slow draw by draw."""
    demand = stats.nbinom(1 / dispersion, 1 / (1 + dispersion * mean)) if dispersion else stats.poisson(mean)
    reached = demand.cdf(np.arange(demand.ppf(level.max()) + 1))
    return np.searchsorted(reached, level).astype(float)


def require_paths(paths: npt.ArrayLike) -> FloatArray:
    """Return paths as floats, or refuse what is not (draws, days) of two days or more."""
    daily = as_numbers(paths, "paths")
    if daily.ndim != 2 or daily.shape[1] < 2:
        refuse("paths", "of shape (draws, days) with at least 2 days", f"shape {daily.shape}", "put draws in rows")
    return daily
