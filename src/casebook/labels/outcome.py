"""Labels with a date: whether the event came within the horizon, and whether that can be known yet."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import BoolArray, refuse, require_columns
from casebook.labels._dates import DateArray, Moment, date_column, days, moment, require_by, shown_date
from casebook.labels._timeline import IntArray, match

_CUT = "cut both tables at observed_until, or move it to the last day that the export covers"


def outcome(
    cases: pd.DataFrame,
    events: pd.DataFrame,
    *,
    key: str,
    at: str,
    happened: str,
    horizon_days: float,
    observed_until: Moment,
    count_early: bool = False,
) -> pd.Series:
    """Return 1 if a case's unit has an event in (at, at + horizon], 0 if not, missing if that is not known yet.

    A window that is still open at ``observed_until`` gives a missing label, even if its event has been seen
    already. An early positive has no early negative beside it: a case can become a 1 on any day, but a 0 only on
    the last. Counting the early ones fills the youngest cases with 1s alone, so that the rate among known labels
    rises towards 1 there, and a model learns that young cases are the bad ones.

    Parameters
    ----------
    cases : pandas.DataFrame
        One row per unit and prediction time; other columns are ignored.
    events : pandas.DataFrame
        One row per event.
    key : str
        The unit's column, in both tables.
    at : str
        The prediction time's column in ``cases``: dates, times, or ISO text, without a time zone.
    happened : str
        The event time's column in ``events``.
    horizon_days : float
        Length of the window, in days.
    observed_until : str, date or Timestamp
        The last moment that both tables cover; a bare date is its midnight.
    count_early : bool
        Whether an event seen in a window that is still open makes a 1. Leave it False for training and for rates.

    Returns
    -------
    pandas.Series of Int8, shape (cases,)
        Named ``y``, indexed as ``cases``.

    Raises
    ------
    ContractError
        No rows, a missing column, a missing key or date, text that is no date, a date after ``observed_until``,
        keys of two types, a unit twice at one time, or a horizon that is not above 0.

    References
    ----------
    Kalbfleisch and Prentice (2002), The statistical analysis of failure time data, on right censoring.

    Examples
    --------
    >>> cases = pd.DataFrame({"unit_id": ["a", "b", "c"], "at": ["2025-01-01", "2025-01-01", "2025-03-20"]})
    >>> events = pd.DataFrame({"unit_id": ["a", "c"], "left_on": ["2025-01-31", "2025-03-25"]})
    >>> names = {"key": "unit_id", "at": "at", "happened": "left_on"}
    >>> outcome(cases, events, **names, horizon_days=30, observed_until="2025-03-31").tolist()
    [1, 0, <NA>]
    >>> outcome(cases, events, **names, horizon_days=30, observed_until="2025-01-31")
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: column 'at', row 2 must be on or before 2025-01-31 (observed_until), got
    2025-03-20; cut both tables at observed_until, or move it to the last day that the export covers.
    """
    require_columns(events, [key, happened], "events")
    matched = match(cases, events, key=key, at=at, happened=happened)
    until, horizon = moment(observed_until, "observed_until"), days(horizon_days, "horizon_days")
    require_by(matched.at, until, f"column {at!r}", "observed_until", _CUT)
    require_by(matched.happened, until, f"column {happened!r}", "observed_until", _CUT)
    _refuse_twice(cases, matched.units, matched.at, key, at)
    line = matched.timeline
    after, through = (line.before(matched.units, edge, or_at=True) for edge in (matched.at, matched.at + horizon))
    seen, closed = through > after, matched.at + horizon <= until
    known = closed | (seen & count_early)
    return pd.Series(np.where(seen, 1, 0), index=cases.index, name="y").astype("Int8").where(known)


def mature(at: npt.ArrayLike, horizon_days: float, observed_until: Moment) -> BoolArray:
    """Return whether each label's window has closed: at + horizon <= observed_until.

    Parameters
    ----------
    at : array_like of dates, shape (n,)
    horizon_days : float
    observed_until : str, date or Timestamp

    Returns
    -------
    numpy.ndarray of bool, shape (n,)

    Raises
    ------
    ContractError
        As :func:`outcome`, for dates and the horizon.

    Examples
    --------
    >>> mature(["2025-01-01", "2025-03-02"], 30, "2025-03-31")
    array([ True, False])
    """
    until, horizon = moment(observed_until, "observed_until"), days(horizon_days, "horizon_days")
    return date_column(at, "at") + horizon <= until


def _refuse_twice(cases: pd.DataFrame, units: IntArray, at: DateArray, key: str, at_name: str) -> None:
    pairs = pd.DataFrame({"unit": units, "at": at})
    twice = pairs.duplicated().to_numpy()
    if not twice.any():
        return
    row = int(np.argmax(twice))
    first = int(np.argmax((units == units[row]) & (at == at[row])))
    name = cases[key].iloc[row]
    name = name.item() if isinstance(name, np.generic) else name
    must = f"the only row of {name!r} at {shown_date(at[row])}"
    refuse(f"cases, row {row}", must, f"row {first} as well", f"call .drop_duplicates([{key!r}, {at_name!r}])")
