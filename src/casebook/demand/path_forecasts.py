"""Forecasts of what several days want together: from quantiles of single days, or from sample paths.

A window starts on ``day`` and has ``reach`` days; both may differ from cell to cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import stats

from casebook.contracts import BoolArray, FloatArray, refuse
from casebook.decisions._numbers import levels
from casebook.decisions.fractile import best_order
from casebook.demand.week_orders import day_moments

Whole = npt.NDArray[np.int64]
Days = int | Whole


class Forecast(Protocol):
    """What is expected of the days from `day` on, with what is known on the evening before it."""

    def quantile(self, day: Days, reach: Days, tau: npt.ArrayLike) -> FloatArray:
        """Return the tau-quantile of the sum of `reach` days, shape (cells,)."""

    def mean(self, day: Days, reach: Days) -> FloatArray:
        """Return the mean of that sum, shape (cells,)."""

    def sum_of_quantiles(self, day: Days, reach: Days, tau: npt.ArrayLike) -> FloatArray:
        """Return the sum of each day's own tau-quantile, shape (cells,)."""

    def watch(self, day: int, sold: Whole) -> None:
        """Take note of what was sold on a day; a forecast that was made beforehand does not."""


def count_quantile(mean: npt.ArrayLike, variance: npt.ArrayLike, tau: npt.ArrayLike) -> FloatArray:
    """Return quantiles of counts by their mean and variance.

    A negative binomial where the variance is above the mean, a Poisson where it is not; and the mean itself, rounded
    up, where nothing varies.

    Parameters
    ----------
    mean, variance, tau : array_like, of shapes that fit

    Returns
    -------
    numpy.ndarray of float
        Whole units.

    Examples
    --------
    >>> count_quantile([4, 4, 3.2], [4, 12, 0], 0.9).tolist()
    [7.0, 9.0, 4.0]
    """
    centre, spread, level = np.broadcast_arrays(np.asarray(mean, float), np.asarray(variance, float), levels(tau))
    wide = (spread > centre * (1 + 1e-9)) & (centre > 0)
    result, extra = np.zeros(centre.shape), (spread - centre)[wide]
    result[wide] = stats.nbinom.ppf(level[wide], centre[wide] ** 2 / extra, centre[wide] / spread[wide])
    narrow = ~wide & (spread > 0) & (centre > 0)
    result[narrow] = stats.poisson.ppf(level[narrow], centre[narrow])
    still = ~wide & ~narrow
    result[still] = np.maximum(np.ceil(centre[still] - 1e-9), 0.0)
    return result


def sum_variance(variance: FloatArray, inside: BoolArray, correlation: float) -> FloatArray:
    """Return the variance of the sum of some days, of which any two have one correlation.

    Parameters
    ----------
    variance : numpy.ndarray, shape (cells, days)
    inside : numpy.ndarray of bool, shape (cells, days)
        Which days are summed.

    Examples
    --------
    >>> sum_variance(np.array([[4.0, 4.0, 9.0]]), np.array([[True, True, False]]), 0.5).tolist()
    [12.0]
    """
    own = (variance * inside).sum(axis=1)
    both = (np.sqrt(variance) * inside).sum(axis=1) ** 2
    return np.asarray((1 - correlation) * own + correlation * both)


class QuantileGrid:
    """A forecast from quantiles of single days, as a quantile model gives them, and a stated correlation.

    The sum of days has the sum of their means and the variance that the correlation implies; its quantiles are those of
    a negative binomial with the two. One day's quantile is read off between its neighbours in the grid.

    Parameters
    ----------
    first_day : int
        The day of the grid's first column.
    quantiles : array_like, shape (cells, days, taus)
        Units. Each day's as of the last origin that may be used for it; days after the last column count as 0, which
        concerns only orders that arrive after the end.
    taus : sequence of float
        Rising, two or more.
    correlation : float
        Between what any two days have more than expected, in [0, 1].

    Raises
    ------
    ContractError
        Other shapes, levels or correlations, or a window that starts before the grid.

    Examples
    --------
    >>> taus = [0.1, 0.3, 0.5, 0.7, 0.9]
    >>> days = np.tile(stats.nbinom(2, 0.2).ppf(taus), (1, 14, 1))
    >>> week = QuantileGrid(0, days, taus, correlation=0.1)
    >>> week.quantile(0, 7, 0.9).tolist(), week.sum_of_quantiles(0, 7, 0.9).tolist()
    ([85.0], [112.0])
    """

    def __init__(self, first_day: int, quantiles: npt.ArrayLike, taus: Sequence[float], correlation: float) -> None:
        grid = np.asarray(quantiles, float)
        if grid.ndim != 3 or grid.shape[2] != len(taus):
            refuse("quantiles", f"of shape (cells, days, {len(taus)})", f"shape {grid.shape}", "put levels last")
        _require_correlation(correlation)
        self._first, self._taus, self._correlation = first_day, np.asarray(taus, float), correlation
        self._grid = np.sort(np.maximum(grid, 0), axis=2)
        mean, sd = day_moments(grid.reshape(-1, len(taus)), taus)
        self._mean, self._variance = mean.reshape(grid.shape[:2]), (sd**2).reshape(grid.shape[:2])

    def watch(self, day: int, sold: Whole) -> None:
        """Do nothing: it was made beforehand."""

    def mean(self, day: Days, reach: Days) -> FloatArray:
        """See :class:`Forecast`."""
        return np.asarray((self._mean * self._inside(day, reach)).sum(axis=1))

    def quantile(self, day: Days, reach: Days, tau: npt.ArrayLike) -> FloatArray:
        """See :class:`Forecast`."""
        inside = self._inside(day, reach)
        variance = sum_variance(self._variance, inside, self._correlation)
        many = count_quantile((self._mean * inside).sum(axis=1), variance, tau)
        return np.where(inside.sum(axis=1) == 1, self.sum_of_quantiles(day, reach, tau), many)

    def sum_of_quantiles(self, day: Days, reach: Days, tau: npt.ArrayLike) -> FloatArray:
        """See :class:`Forecast`."""
        level = np.broadcast_to(levels(tau), self._grid.shape[:1])
        return np.asarray((self._at(level) * self._inside(day, reach)).sum(axis=1))

    def _at(self, level: FloatArray) -> FloatArray:
        """Return each day's quantile at each cell's level: straight between two levels, flat beyond the last."""
        right = np.clip(np.searchsorted(self._taus, level), 1, len(self._taus) - 1)
        low, high = self._taus[right - 1], self._taus[right]
        share = np.clip((level - low) / (high - low), 0, 1)[:, None]
        row = np.arange(len(level))
        return np.asarray((1 - share) * self._grid[row, :, right - 1] + share * self._grid[row, :, right])

    def _inside(self, day: Days, reach: Days) -> BoolArray:
        return window(self._first, self._mean.shape, day, reach)


class SamplePaths:
    """A forecast from draws of the days to come, with whatever correlation they have.

    Parameters
    ----------
    first_day : int
        The day of the paths' first column.
    paths : array_like, shape (draws, cells, days)
        Units; one draw is a forecast without doubt. Days after the last count as 0.

    Raises
    ------
    ContractError
        Another shape, or a window that starts before the paths.

    Examples
    --------
    >>> sure = SamplePaths(0, np.arange(14).reshape(1, 2, 7))
    >>> sure.quantile(0, np.array([1, 7]), 0.9).tolist(), sure.mean(5, 9).tolist()
    ([0.0, 70.0], [11.0, 25.0])
    """

    def __init__(self, first_day: int, paths: npt.ArrayLike) -> None:
        drawn = np.asarray(paths, float)
        if drawn.ndim != 3:
            refuse("paths", "of shape (draws, cells, days)", f"shape {drawn.shape}", "put draws first")
        self._first, self._paths = first_day, drawn

    def watch(self, day: int, sold: Whole) -> None:
        """Do nothing: it was made beforehand."""

    def mean(self, day: Days, reach: Days) -> FloatArray:
        """See :class:`Forecast`."""
        return np.asarray(self._sums(day, reach).mean(axis=0))

    def quantile(self, day: Days, reach: Days, tau: npt.ArrayLike) -> FloatArray:
        """See :class:`Forecast`."""
        sums = self._sums(day, reach)
        level = np.broadcast_to(levels(tau), sums.shape[1:])
        return np.asarray(best_order(sums, level, 1 - level))

    def sum_of_quantiles(self, day: Days, reach: Days, tau: npt.ArrayLike) -> FloatArray:
        """See :class:`Forecast`."""
        draws, cells, days = self._paths.shape
        level = np.repeat(np.broadcast_to(levels(tau), cells), days)
        each = np.asarray(best_order(self._paths.reshape(draws, -1), level, 1 - level)).reshape(cells, days)
        return np.asarray((each * window(self._first, (cells, days), day, reach)).sum(axis=1))

    def _sums(self, day: Days, reach: Days) -> FloatArray:
        inside = window(self._first, self._paths.shape[1:], day, reach)
        return np.asarray(np.einsum("kcd,cd->kc", self._paths, inside))


def day_correlation(y: npt.ArrayLike, mean: npt.ArrayLike, sd: npt.ArrayLike) -> float:
    """Return how much the days of a week hang together beyond their forecasts, in [0, 1].

    By moments: n standardised errors of one correlation have a sum with the variance n + n (n - 1) correlation, if
    each has the variance 1. Their own variance is measured, so that spreads that are all off by one factor do no harm.

    Parameters
    ----------
    y, mean, sd : array_like, shape (weeks, days)
        What came, and the forecasts' means and standard deviations; a row is a cell's week, from days before the test.

    Raises
    ------
    ContractError
        Fewer than two weeks or days.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> errors = np.sqrt(0.3) * rng.standard_normal((9_000, 1)) + np.sqrt(0.7) * rng.standard_normal((9_000, 7))
    >>> round(day_correlation(5 + 2 * errors, np.full((9_000, 7), 5), np.full((9_000, 7), 2)), 2)
    0.3
    """
    came, centre, spread = (np.asarray(part, float) for part in (y, mean, sd))
    if came.ndim != 2 or min(came.shape) < 2:
        refuse("y", "of shape (weeks, days), two or more of both", f"shape {came.shape}", "put each week in a row")
    error = np.divide(came - centre, spread, out=np.zeros_like(came), where=spread > 0)
    days, own = came.shape[1], (error**2).mean()
    excess = (error.sum(axis=1) ** 2).mean() / max(days * own, 1e-12) - 1
    return float(np.clip(excess / (days - 1), 0, 1))


def window(first_day: int, shape: tuple[int, ...], day: Days, reach: Days) -> BoolArray:
    """Return which of the days from `first_day` on lie in each cell's window, shape (cells, days).

    Raises
    ------
    ContractError
        A window that starts before the first day.

    Examples
    --------
    >>> window(7, (2, 4), 8, np.array([1, 2])).astype(int).tolist()
    [[0, 1, 0, 0], [0, 1, 1, 0]]
    """
    start = np.broadcast_to(day, shape[0])
    if (start < first_day).any():
        refuse("day", f"{first_day} or later", str(start.min()), "forecast from an earlier day on")
    days = first_day + np.arange(shape[1])
    ends = (start + reach)[:, None]
    return np.asarray((days >= start[:, None]) & (days < ends))


def _require_correlation(correlation: float) -> None:
    if not 0 <= correlation <= 1:
        refuse("correlation", "in [0, 1]", f"{correlation:g}", "divide percentages by 100")
