"""When an order is decided, which days it covers, and what was known by then.

A day is a whole number, and day 0 is a Monday. An origin is a Sunday, known whole at its close. The order of Monday
arrives on Wednesday evening and covers the seven days from Thursday to Wednesday.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import refuse

SUNDAY = 6
#: Days from the origin to the days that its order covers: Thursday to Wednesday.
HORIZONS = range(4, 11)
#: The farthest horizon that the features are defined for: ``lag_14`` is known up to it.
FARTHEST = 14

Days = npt.NDArray[np.int64]


class Split(NamedTuple):
    """Origins of three purposes, each rising.

    Attributes
    ----------
    fit, calibrate, test : array of int
    """

    fit: Days
    calibrate: Days
    test: Days


def weekly_origins(first: int, last: int) -> Days:
    """Return the Sundays from day ``first`` to day ``last``, both included.

    Parameters
    ----------
    first, last : int
        Days; they need not be Sundays.

    Returns
    -------
    numpy.ndarray of int64

    Raises
    ------
    ContractError
        No Sunday between the two.

    Examples
    --------
    >>> weekly_origins(0, 30)
    array([ 6, 13, 20, 27])
    """
    found = np.arange(first + (SUNDAY - first) % 7, last + 1, 7, dtype=np.int64)
    if not len(found):
        refuse("first and last", "days with a Sunday between them", f"{first} and {last}", "take a whole week or more")
    return found


def as_origins(origins: Iterable[int]) -> Days:
    """Return origins as a rising array, or refuse what is none.

    Raises
    ------
    ContractError
        No origin, one that is no whole number or no Sunday, or one that stands twice.

    Examples
    --------
    >>> as_origins([13, 6])
    array([ 6, 13])
    >>> as_origins([7])
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: origins must be Sundays (day % 7 == 6), got 7; take weekly_origins(first, last).
    """
    found = _whole(origins, "origins", "take weekly_origins(first, last)")
    wrong = found[found % 7 != SUNDAY]
    if len(wrong):
        refuse("origins", "Sundays (day % 7 == 6)", str(wrong[0]), "take weekly_origins(first, last)")
    return found


def as_horizons(horizons: Iterable[int]) -> Days:
    """Return horizons as a rising array, or refuse what is none.

    Raises
    ------
    ContractError
        No horizon, one that is no whole number from 1 to 14, or one that stands twice.

    Examples
    --------
    >>> as_horizons(range(4, 7))
    array([4, 5, 6])
    """
    found = _whole(horizons, "horizons", "range(4, 11) is what an order covers")
    wrong = found[(found < 1) | (found > FARTHEST)]
    if len(wrong):
        refuse("horizons", f"from 1 to {FARTHEST}", str(wrong[0]), "range(4, 11) is what an order covers")
    return found


def split(origins: Iterable[int], test: int, calibrate: int = 0, horizons: Sequence[int] = HORIZONS) -> Split:
    """Split origins by time so that every outcome is known before it is used.

    At origin ``t`` the days up to ``t`` are known. Another origin's row serves for a fit only if its last target day
    lies at or before ``t``: with horizons up to 10, origins that are two weeks older. The origin between is left out,
    once before the calibration and once before the test.

    Parameters
    ----------
    origins : iterable of int
        Sundays.
    test, calibrate : int
        How many of the last origins are for the test, and how many before them for calibration.
    horizons : sequence of int

    Returns
    -------
    Split

    Raises
    ------
    ContractError
        No test origin is asked for, or no origin is left to fit to.

    Examples
    --------
    >>> split(weekly_origins(0, 62), test=2, calibrate=2)
    Split(fit=array([ 6, 13, 20]), calibrate=array([34, 41]), test=array([55, 62]))
    """
    days, last = as_origins(origins), int(max(as_horizons(horizons)))
    if test < 1 or calibrate < 0:
        got = f"test={test}, calibrate={calibrate}"
        refuse("test and calibrate", "at least 1 and at least 0", got, "8 test origins are a start")
    known, tested = _older(days, test, last)
    fit, held = _older(known, calibrate, last) if calibrate else (known, known[:0])
    if not len(fit):
        got = f"{len(days)} origins"
        refuse("origins", "enough for a fit before the test", got, "pass more origins, or test on fewer")
    return Split(fit, held, tested)


def _older(days: Days, count: int, last: int) -> tuple[Days, Days]:
    later = days[-count:]
    return days[days + last <= later[0]] if len(later) else days, later


def legal_lags(horizons: Iterable[int] = HORIZONS, lags: Sequence[int] = (7, 14, 28)) -> pd.DataFrame:
    """Tell for each horizon which lag of the target day is known at the origin.

    The sales of ``lag`` days before the target are known at the origin if ``lag >= horizon``. A feature table that is
    made without asking has all of them.

    Parameters
    ----------
    horizons : iterable of int
        Days from the origin to the target.
    lags : sequence of int
        Days before the target; by default those that the source lists.

    Returns
    -------
    pandas.DataFrame
        Index ``horizon``; one column a lag with ``"legal"`` or ``"leak"``.

    Raises
    ------
    ContractError
        As :func:`as_horizons`.

    Examples
    --------
    >>> legal_lags()
             lag_7 lag_14 lag_28
    horizon
    4        legal  legal  legal
    5        legal  legal  legal
    6        legal  legal  legal
    7        legal  legal  legal
    8         leak  legal  legal
    9         leak  legal  legal
    10        leak  legal  legal
    """
    days = as_horizons(horizons)
    told = {f"lag_{lag}": np.where(days <= lag, "legal", "leak") for lag in lags}
    return pd.DataFrame(told, index=pd.Index(days, name="horizon"))


def _whole(values: Iterable[int], what: str, mend: str) -> Days:
    array = np.asarray(list(values))
    if array.ndim != 1 or not len(array):
        refuse(what, "at least one day", "none", mend)
    if not np.issubdtype(array.dtype, np.integer):
        refuse(what, "whole numbers", str(array.dtype), mend)
    found = np.unique(array).astype(np.int64)
    if len(found) != len(array):
        refuse(what, "without a copy", f"{len(array) - len(found)} that stand twice", "drop the copies")
    return found
