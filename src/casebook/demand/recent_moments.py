"""A cheap forecast from what was sold lately: mean, variance and correlation of the days, rolled on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from casebook.contracts import FloatArray, refuse
from casebook.decisions._numbers import levels
from casebook.demand.path_forecasts import Days, Whole, count_quantile, sum_variance, window
from casebook.demand.world import WEEK


class RecentMoments:
    """A cheap forecast: mean and variance of recent sales, as they were recorded, rolled on day by day.

    A weekday's mean is half its own and half what the cell sells a day times the weekday's factor over all cells. The
    variance over the mean is shared in the same halves. One correlation of the days is estimated over all cells from
    how much more whole weeks vary than seven independent days would. Stock-outs cut the sales it learns from.

    Parameters
    ----------
    first_day : int
        A Monday.
    sold : array_like, shape (cells, days)
        Units sold on the days before it; whole weeks, at least two. As many stay in view.
    ahead : numpy.ndarray of int, shape (cells, days), optional
        Of the units wanted, those ordered ahead: known beforehand, from the first of the days sold to the last one
        played.

    Raises
    ------
    ContractError
        Fewer than two weeks, or days that are no whole weeks.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> recent = RecentMoments(56, rng.poisson(4.0, (200, 56)))
    >>> float(recent.mean(56, 7).mean().round(1)), round(recent.correlation, 2)
    (28.1, 0.0)
    """

    def __init__(self, first_day: int, sold: npt.ArrayLike, ahead: Whole | None = None) -> None:
        seen = np.asarray(sold, float)
        if seen.ndim != 2 or seen.shape[1] < 2 * WEEK or seen.shape[1] % WEEK:
            refuse("sold", "of shape (cells, whole weeks, two or more)", f"shape {seen.shape}", "pass 56 days")
        self._start = first_day - seen.shape[1]
        self._ahead = ahead
        self._seen = np.maximum(seen - self._known(np.arange(self._start, first_day)), 0)
        self._fitted_on = -1
        self._next = first_day
        self._fit()

    def watch(self, day: int, sold: Whole) -> None:
        """Let the oldest day go and take in this one."""
        self._seen[:, (day - self._start) % self._seen.shape[1]] = np.maximum(
            sold - self._known(np.array([day]))[:, 0], 0
        )
        self._next = day + 1

    def mean(self, day: Days, reach: Days) -> FloatArray:
        """See :class:`Forecast`."""
        mean, _, known = self._days(day, reach)
        return np.asarray((mean + known).sum(axis=1))

    def quantile(self, day: Days, reach: Days, tau: npt.ArrayLike) -> FloatArray:
        """See :class:`Forecast`."""
        mean, variance, known = self._days(day, reach)
        whole = sum_variance(variance, mean > 0, self.correlation)
        return np.asarray(known.sum(axis=1) + count_quantile(mean.sum(axis=1), whole, tau))

    def sum_of_quantiles(self, day: Days, reach: Days, tau: npt.ArrayLike) -> FloatArray:
        """See :class:`Forecast`."""
        mean, variance, known = self._days(day, reach)
        level = np.broadcast_to(levels(tau), len(mean))[:, None]
        return np.asarray((known + count_quantile(mean, variance, level)).sum(axis=1))

    def _days(self, day: Days, reach: Days) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return mean and variance of the unknown part and the known one by cell and day; 0 outside the window."""
        if self._fitted_on != self._next:
            self._fit()
        first, last = int(np.min(day)), int(np.max(np.add(day, reach)))
        shape = (len(self._seen), last - first)
        inside = window(first, shape, day, reach)
        ahead = np.arange(first, last)
        mean = self._weekday[:, ahead % WEEK] * inside
        return mean, mean * self._ratio[:, None], self._known(ahead) * inside

    def _known(self, days: Whole) -> FloatArray:
        if self._ahead is None:
            return np.zeros((1, len(days)))
        at = days - self._start
        there = (at >= 0) & (at < self._ahead.shape[1])
        return np.where(there, self._ahead[:, np.where(there, at, 0)], 0.0)

    def _fit(self) -> None:
        weeks = self._seen.reshape(len(self._seen), -1, WEEK)  # a Monday starts the ring, so columns stay weekdays
        count, rate = weeks.shape[1], self._seen.mean(axis=1)
        by_day = weeks.mean(axis=1)
        factor = by_day.sum(axis=0) / max(rate.sum(), 1e-9)
        self._weekday = (by_day + rate[:, None] * factor) / 2
        rest = weeks - by_day[:, None, :]
        daily = (rest**2).sum(axis=(1, 2)) / ((count - 1) * WEEK)
        pooled = daily.sum() / max(rate.sum(), 1e-9)
        own = np.divide(daily, rate, out=np.full(len(rate), pooled), where=rate > 0)
        self._ratio = np.maximum((own + pooled) / 2, 1e-9)
        weekly = (rest.sum(axis=2) ** 2).sum(axis=1) / (count - 1)
        excess = weekly.sum() / max(WEEK * daily.sum(), 1e-9) - 1
        self.correlation = float(np.clip(excess / (WEEK - 1), 0, 1))
        self._fitted_on = self._next
