"""How late events become known, from a table that holds only those that are known already."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, refuse, require_length
from casebook.labels._dates import DateArray, Moment, date_column, in_days, moment, require_by, shown_date
from casebook.labels._dates import days as span_of


def delay_curve(
    happened: npt.ArrayLike,
    recorded: npt.ArrayLike,
    observed_until: Moment,
    *,
    longest_days: float | None = None,
) -> pd.DataFrame:
    """Return the share of events that are known d days after they happened, corrected for right truncation.

    The table of today lacks the events that are not recorded yet, and of young events it holds the fast ones
    only. The naive share, mean(delay <= d), is therefore too high. The correction runs time backwards: at delay u
    the events that could have shown it, and had come by then, are those with delay <= u <= age, and the share
    known by d is the product over u > d of 1 - (events with delay u) / (events with delay <= u <= age).

    Nothing in the table tells of delays longer than its oldest event is old: both shares are of the events that
    are recorded within ``longest_days``.

    Parameters
    ----------
    happened, recorded : array_like of dates, shape (n,)
        When each event happened and when it entered the table.
    observed_until : str, date or Timestamp
        When the table was drawn.
    longest_days : float, optional
        Delays longer than this are left out. By default the longest delay seen. Take less if ``at_risk`` is small
        near the end: one old, slow event can carry the whole curve there.

    Returns
    -------
    pandas.DataFrame
        ``days`` (0, 1, ... until all are known), ``at_risk`` (events with delay <= days <= age), ``naive``,
        ``known`` (the corrected share).

    Raises
    ------
    ContractError
        Bad or missing dates, unequal lengths, a record before its event or after ``observed_until``, no delay
        within ``longest_days``.

    References
    ----------
    Lagakos, Barraj and De Gruttola (1988), Nonparametric analysis of truncated survival data, with application to
    AIDS, Biometrika 75.

    Examples
    --------
    >>> happened = ["2025-01-01", "2025-01-01", "2025-01-03", "2025-01-03", "2025-01-04"]
    >>> recorded = ["2025-01-01", "2025-01-03", "2025-01-03", "2025-01-03", "2025-01-04"]
    >>> delay_curve(happened, recorded, "2025-01-04")
       days  at_risk  naive  known
    0     0        4    0.8    0.5
    1     1        3    0.8    0.5
    2     2        2    1.0    1.0
    """
    events, records = date_column(happened, "happened"), date_column(recorded, "recorded")
    until = moment(observed_until, "observed_until")
    _check(events, records, until)
    delay, age = in_days(records - events), in_days(until - events)
    if longest_days is not None:
        span_of(longest_days, "longest_days")
    inside = delay <= (np.inf if longest_days is None else longest_days)
    if not inside.any():
        refuse("longest_days", f"at least {delay.min():g}, the shortest delay", f"{longest_days:g}", "take more")
    delay, age = delay[inside], age[inside]
    grid = np.arange(int(np.ceil(delay.max())) + 1)
    naive = np.searchsorted(np.sort(delay), grid, side="right") / len(delay)
    table = {"days": grid, "at_risk": _at_risk(delay, age, grid.astype(float)), "naive": naive}
    return pd.DataFrame({**table, "known": _known(delay, age, grid)})


def _check(events: DateArray, records: DateArray, until: np.datetime64) -> None:
    if len(events) == 0:
        refuse("happened", "at least one row long", "no rows", "check the filter or the join that made it")
    require_length(records, len(events), "recorded")
    early = records < events
    if early.any():
        row = int(np.argmax(early))
        must = f"on or after {shown_date(events[row])} (happened)"
        refuse(f"recorded, row {row}", must, shown_date(records[row]), "mend the clock or drop the row")
    mend = "drop what was not known then, or move observed_until on"
    require_by(records, until, "recorded", "observed_until", mend)


def _at_risk(delay: FloatArray, age: FloatArray, at: FloatArray) -> npt.NDArray[np.int64]:
    """Events with delay <= u <= age; delay <= age holds for each, so that two counts suffice."""
    come = np.searchsorted(np.sort(delay), at, side="right")
    too_young = np.searchsorted(np.sort(age), at, side="left")
    return come - too_young


def _known(delay: FloatArray, age: FloatArray, grid: npt.NDArray[np.int64]) -> FloatArray:
    values, counts = np.unique(delay, return_counts=True)
    stays = 1 - counts / _at_risk(delay, age, values)
    later = np.append(np.cumprod(stays[::-1])[::-1], 1.0)  # later[k]: the product over values[k:]
    known = later[np.searchsorted(values, grid, side="right")]
    return np.where(grid < values[0], 0.0, known)
