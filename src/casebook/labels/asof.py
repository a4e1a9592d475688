"""What was known at the prediction time: the last value before it, and sums over the days before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook._columns import is_numeric, raw_column
from casebook._schema_words import missing_column, shown
from casebook.contracts import FloatArray, refuse
from casebook.labels._dates import days as span_of
from casebook.labels._timeline import IntArray, match

How = Literal["count", "sum", "mean", "max"]


def as_of(
    cases: pd.DataFrame, events: pd.DataFrame, *, key: str, at: str, happened: str, columns: Sequence[str]
) -> pd.DataFrame:
    """Return, for each case, its unit's last event row strictly before ``at``.

    A row dated ``at`` itself is not used: on a table of days it may have been written after the prediction. Put
    ``happened`` among the columns to learn how old the value is.

    Parameters
    ----------
    cases, events, key, at, happened
        As in :func:`casebook.labels.outcome`; the same unit and time may occur twice, events may have no rows.
    columns : sequence of str
        Columns of ``events`` to bring over. Of rows with equal times the later one in the table counts.

    Returns
    -------
    pandas.DataFrame, shape (cases, columns)
        Indexed as ``cases``; missing where no row came before.

    Raises
    ------
    ContractError
        A missing column, key or date, text that is no date, keys of two types, cases without rows.

    Examples
    --------
    >>> cases = pd.DataFrame({"unit_id": [1, 2], "at": ["2025-02-01", "2025-02-01"]})
    >>> events = pd.DataFrame({"unit_id": [1, 1, 2], "on": ["2025-01-05", "2025-01-20", "2025-02-01"],
    ...                        "plan": ["basic", "plus", "pro"]})
    >>> as_of(cases, events, key="unit_id", at="at", happened="on", columns=["plan"])["plan"].tolist()
    ['plus', nan]
    """
    matched = match(cases, events, key=key, at=at, happened=happened)
    wanted = [columns] if isinstance(columns, str) else list(columns)
    _require_here(events, wanted)
    stop = matched.timeline.before(matched.units, matched.at)
    found = stop > matched.timeline.first(matched.units)
    rows = np.full(len(cases), -1)
    rows[found] = matched.timeline.order[stop[found] - 1]
    return events[wanted].reset_index(drop=True).reindex(rows).set_axis(cases.index)


def window(
    cases: pd.DataFrame,
    events: pd.DataFrame,
    *,
    key: str,
    at: str,
    happened: str,
    days: float,
    column: str | None = None,
    how: How = "count",
) -> pd.Series:
    """Return a count, sum, mean or maximum over each unit's events in [at - days, at).

    Parameters
    ----------
    cases, events, key, at, happened
        As in :func:`as_of`.
    days : float
        Length of the window.
    column : str, optional
        Numbers to be summed up; needed unless ``how`` is ``"count"``.
    how : {"count", "sum", "mean", "max"}
        Without events the count and the sum are 0, the mean and the maximum missing.

    Returns
    -------
    pandas.Series, shape (cases,)
        Indexed as ``cases``, named such as ``"amount_sum_30d"``. Counts, and sums of integers, are exact integers.
        A window's result depends on its own rows alone, to the last bit.

    Raises
    ------
    ContractError
        As :func:`as_of`; a ``how`` that is not offered; a column that is absent, not numeric or has gaps.

    Examples
    --------
    >>> cases = pd.DataFrame({"unit_id": [1, 2], "at": ["2025-02-01", "2025-02-01"]})
    >>> events = pd.DataFrame({"unit_id": [1, 1, 2], "on": ["2025-01-05", "2025-01-20", "2025-02-01"],
    ...                        "amount": [10, 5, 7]})
    >>> names = {"key": "unit_id", "at": "at", "happened": "on"}
    >>> window(cases, events, **names, days=30, column="amount", how="sum").tolist()
    [15, 0]
    """
    matched = match(cases, events, key=key, at=at, happened=happened)
    span = span_of(days, "days")
    values = _numbers(events, column, how)
    start = matched.timeline.before(matched.units, matched.at - span)
    stop = matched.timeline.before(matched.units, matched.at)
    label = f"{days:g}d" if column is None or how == "count" else f"{column}_{how}_{days:g}d"
    result = _reduced(values[matched.timeline.order], start, stop, how)
    return pd.Series(result, index=cases.index, name=f"count_{label}" if how == "count" else label)


def _reduced(values: npt.NDArray[Any], start: IntArray, stop: IntArray, how: How) -> npt.NDArray[Any]:
    count = stop - start
    if how == "count":
        return count
    if how == "max":
        return np.where(count > 0, _each(np.maximum, values, start, stop), np.nan)
    total = np.where(count > 0, _each(np.add, values, start, stop), values.dtype.type(0))
    if how == "sum":
        return total
    mean: FloatArray = np.full(len(count), np.nan)
    return np.divide(total, count, out=mean, where=count > 0)


def _each(operation: np.ufunc, values: npt.NDArray[Any], start: IntArray, stop: IntArray) -> npt.NDArray[Any]:
    """Reduce values[start:stop] for each pair; what stands for an empty slice has no meaning.

    Differences of one running sum would be faster, and would carry other units' rounding into this one's sum.
    """
    by_start = np.argsort(start, kind="stable")  # so that the stretches between windows add up to one pass at most
    padded = np.append(values, values.dtype.type(0))
    edges = np.column_stack([start[by_start], stop[by_start]]).ravel()
    result = np.empty(len(start), dtype=padded.dtype)
    result[by_start] = operation.reduceat(padded, edges)[::2]
    return result


def _numbers(events: pd.DataFrame, column: str | None, how: str) -> npt.NDArray[Any]:
    if how not in get_args(How):
        refuse("how", f"one of {', '.join(repr(word) for word in get_args(How))}", repr(how), "take one of these")
    if how == "count":
        return np.empty(len(events))
    if column is None:
        refuse("column", f"a column of events for how={how!r}", "None", "name the column to be summed up")
    _require_here(events, [column])
    if len(events) == 0:
        is_integer = events[column].dtype.kind in "iub"
        return np.empty(0, dtype=np.int64 if is_integer else float)
    raw = raw_column(events[column], f"column {column!r}")
    if raw.dtype.kind in "iub":
        return raw.astype(np.int64)
    if not is_numeric(raw):
        refuse(f"column {column!r}", "numbers", f"{shown(raw[0])} in row 0", "convert it with pd.to_numeric")
    wrong = ~np.isfinite(raw)
    if wrong.any():
        row = int(np.argmax(wrong))
        got = "a missing value" if np.isnan(raw[row]) else repr(float(raw[row]))
        refuse(f"column {column!r}, row {row}", "a finite number", got, "fill it in or drop the row")
    return raw.astype(float)


def _require_here(events: pd.DataFrame, columns: list[str]) -> None:
    missing = next((column for column in columns if column not in events.columns), None)
    if missing is not None:
        refuse(*missing_column(events, missing, "events", columns))
