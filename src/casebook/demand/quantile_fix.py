"""Quantile forecasts that cross or that lack the level you need, and what mends each; coverage: ``conformal``."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, as_amounts, refuse, require_columns

#: Quantile levels that a forecast states unless told otherwise; the fractiles of 5:2 and 10:2 are among them.
TAUS = (0.1, 0.3, 0.5, 5 / 7, 10 / 12, 0.95)

_SAME = 1e-6  # levels closer than this are one: 0.8333333 is 10/12


def checked_taus(taus: Iterable[Any], what: str = "taus") -> list[float]:
    """Return quantile levels as floats, or refuse those that are none or do not rise.

    Raises
    ------
    ContractError
        No level, one outside (0, 1), or two that do not rise.

    Examples
    --------
    >>> checked_taus([0.5, 95])
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: taus must be between 0 and 1, got 95; divide percentages by 100.
    """
    levels = [float(tau) for tau in taus]
    if not levels:
        refuse(what, "at least one level", "none", "0.5 is the median")
    for tau in levels:
        if not 0 < tau < 1:
            refuse(what, "between 0 and 1", f"{tau:g}", "divide percentages by 100")
    if any(later - earlier < _SAME for earlier, later in pairwise(levels)):
        refuse(what, "rising", ", ".join(f"{tau:g}" for tau in levels), "sort them and drop what is twice there")
    return levels


def column_of(levels: Iterable[Any], tau: float, what: str = "forecasts") -> int:
    """Return the place of a level among levels, or refuse if it is not there.

    Raises
    ------
    ContractError
        A tau that is not among them.

    Examples
    --------
    >>> column_of([0.5, 10 / 12], 0.8333333)
    1
    >>> column_of([0.5, 10 / 12], 0.9)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: forecasts must be at tau 0.9, got 0.5, 0.833333; fit it or call at_fractile.
    """
    known = np.array([float(level) for level in levels])
    place = int(np.argmin(np.abs(known - tau)))
    if abs(known[place] - tau) > _SAME:
        got = ", ".join(f"{level:g}" for level in known)
        refuse(what, f"at tau {tau:g}", got, "fit it or call at_fractile")
    return place


class Crossing(NamedTuple):
    """How far quantile forecasts contradict each other.

    Attributes
    ----------
    share : float
        Of rows in which a higher tau has a lower forecast.
    largest : float
        The largest such gap, units.
    """

    share: float
    largest: float


def crossing(forecasts: pd.DataFrame) -> Crossing:
    """Return the share of rows whose quantiles cross, and the largest gap.

    Parameters
    ----------
    forecasts : pandas.DataFrame, shape (n, t)
        One column a tau, units.

    Raises
    ------
    ContractError
        No rows, or columns that are no taus.

    Examples
    --------
    >>> crossing(pd.DataFrame({0.5: [3.0, 3.0], 0.9: [2.0, 7.0]}))
    Crossing(share=0.5, largest=1.0)
    """
    fall = -np.diff(by_rising_tau(forecasts).to_numpy(), axis=1)
    if fall.size == 0:
        return Crossing(0.0, 0.0)
    return Crossing(float((fall > 0).any(axis=1).mean()), float(np.maximum(fall, 0.0).max()))


def rearrange(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Return the forecasts with each row's values sorted by tau, so that they no longer cross.

    The sum of a row's pinball losses over its taus is never higher than before, whatever the taus and whatever comes;
    the loss at a single tau may be.

    Parameters
    ----------
    forecasts : pandas.DataFrame, shape (n, t)
        One column a tau, units.

    Returns
    -------
    pandas.DataFrame, shape (n, t)
        Columns by rising tau.

    References
    ----------
    Chernozhukov, Fernandez-Val and Galichon (2010), Quantile and probability curves without crossing, Econometrica 78.

    Examples
    --------
    >>> rearrange(pd.DataFrame({0.5: [3.0, 3.0], 0.9: [2.0, 7.0]}))
       0.5  0.9
    0  2.0  3.0
    1  3.0  7.0
    """
    rising = by_rising_tau(forecasts)
    return pd.DataFrame(np.sort(rising.to_numpy(), axis=1), index=rising.index, columns=rising.columns)


def whole(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Return the forecasts rounded to whole units, halves up: the quantile of a count is a count.

    A forecast of 0.02 covers what 0 covers, but it is no possible quantile: nothing lies between 0 and it. Ordering it
    is rounding it, up for who orders at least the quantile; rounding to the nearest keeps the bias small.

    Examples
    --------
    >>> whole(pd.DataFrame({0.5: [0.02, 2.5], 0.9: [1.7, 3.0]}))
       0.5  0.9
    0  0.0  2.0
    1  3.0  3.0
    """
    return pd.DataFrame(np.floor(forecasts.to_numpy() + 0.5), index=forecasts.index, columns=forecasts.columns)


def at_fractile(forecasts: pd.DataFrame, tau: float | npt.ArrayLike) -> FloatArray:
    """Return each row's forecast at its own level, by a straight line between the levels that are there.

    Parameters
    ----------
    forecasts : pandas.DataFrame, shape (n, t)
        One column a tau, units; values that cross are rearranged first.
    tau : float or array_like, shape (n,)
        Within the lowest and the highest column: what lies beyond is not known.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        Units.

    Raises
    ------
    ContractError
        A level outside the columns, unequal lengths, columns that are no taus.

    Examples
    --------
    >>> at_fractile(pd.DataFrame({0.5: [3.0, 3.0], 0.9: [5.0, 7.0]}), [0.5, 0.8])
    array([3., 6.])
    >>> at_fractile(pd.DataFrame({0.5: [3.0], 0.9: [5.0]}), 0.95)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: tau, row 0 must be in [0.5, 0.9], got 0.95; fit a level beyond it.
    """
    values = rearrange(forecasts)
    levels = np.array([float(level) for level in values.columns])
    want = np.broadcast_to(np.asarray(as_amounts(tau, "tau", len(values)), dtype=float), len(values))
    outside = (want < levels[0] - _SAME) | (want > levels[-1] + _SAME)
    if outside.any():
        row = int(np.argmax(outside))
        refuse(f"tau, row {row}", f"in [{levels[0]:g}, {levels[-1]:g}]", f"{want[row]:g}", "fit a level beyond it")
    table = values.to_numpy()
    right = np.clip(np.searchsorted(levels, want), 1, max(len(levels) - 1, 1))
    if len(levels) == 1:
        return table[:, 0].copy()
    rows, left = np.arange(len(want)), right - 1
    share = np.clip((want - levels[left]) / (levels[right] - levels[left]), 0.0, 1.0)
    low = table[rows, left]
    return np.asarray(low + share * (table[rows, right] - low))


def by_rising_tau(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Return the forecasts with their columns by rising tau, or refuse columns that are no taus.

    Raises
    ------
    ContractError
        No rows, or columns outside (0, 1).

    Examples
    --------
    >>> list(by_rising_tau(pd.DataFrame({0.9: [7.0], 0.5: [3.0]})))
    [0.5, 0.9]
    """
    require_columns(forecasts, [], "forecasts")
    order = np.argsort([float(level) for level in forecasts.columns])
    rising = forecasts.iloc[:, order]
    checked_taus(rising.columns, "columns of forecasts")
    return rising
