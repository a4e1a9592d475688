"""Events sorted by unit and time, so that "before this moment, of this unit" is one binary search."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook._schema_words import missing_column
from casebook.contracts import refuse, require_columns
from casebook.labels._dates import DateArray, date_column

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Timeline:
    """Events in order of unit and time.

    Attributes
    ----------
    order : numpy.ndarray of int, shape (events,)
        Positions in the event table; of equal times the later row stands later.
    ranks : numpy.ndarray of int, shape (events,)
        One rising number per event that orders by unit, then by time.
    times : numpy.ndarray of datetime64, shape (distinct times,)
    """

    order: IntArray
    ranks: IntArray
    times: DateArray

    def before(self, units: IntArray, at: DateArray, *, or_at: bool = False) -> IntArray:
        """Return how many events, in order, lie ahead of each (unit, moment); shape (cases,)."""
        place = np.searchsorted(self.times, at, side="right" if or_at else "left")
        return np.searchsorted(self.ranks, units * (len(self.times) + 1) + place)

    def first(self, units: IntArray) -> IntArray:
        """Return where each unit's events begin; shape (cases,)."""
        return np.searchsorted(self.ranks, units * (len(self.times) + 1))


@dataclass(frozen=True, eq=False)
class Matched:
    """Cases and events on one footing: unit numbers, moments, and the events' timeline."""

    units: IntArray
    at: DateArray
    happened: DateArray
    timeline: Timeline


def match(cases: pd.DataFrame, events: pd.DataFrame, *, key: str, at: str, happened: str) -> Matched:
    """Check both tables and number their units; an event table may be empty."""
    require_columns(cases, [key, at], "cases")
    _require_event_columns(events, [key, happened])
    moments = date_column(cases[at], f"column {at!r}")
    times = date_column(events[happened], f"column {happened!r}")
    units, event_units = _numbered(cases[key], events[key], key)
    return Matched(units, moments, times, _timeline(event_units, times))


def _require_event_columns(events: pd.DataFrame, columns: list[str]) -> None:
    if isinstance(events, pd.DataFrame) and len(events) == 0:
        missing = next((column for column in columns if column not in events.columns), None)
        if missing is not None:
            refuse(*missing_column(events, missing, "events", columns))
        return
    require_columns(events, columns, "events")


def _numbered(of_cases: pd.Series, of_events: pd.Series, key: str) -> tuple[IntArray, IntArray]:
    for table, values in (("cases", of_cases), ("events", of_events)):
        missing = values.isna().to_numpy()
        if missing.any():
            row = int(np.argmax(missing))
            refuse(f"{table}, column {key!r}, row {row}", "a unit's name or number", "a missing value", "drop the row")
    if len(of_events) == 0:  # pandas warns where an empty column takes part in a type's choice
        return pd.factorize(of_cases)[0].astype(np.int64), np.empty(0, dtype=np.int64)
    numeric = [pd.api.types.is_numeric_dtype(values) for values in (of_cases, of_events)]
    if numeric[0] != numeric[1]:
        kinds = ["numbers" if is_number else "text" for is_number in numeric]
        got = f"{kinds[0]} in cases and {kinds[1]} in events"
        refuse(f"column {key!r}", "of one type in both tables", got, "convert one with .astype")
    together = pd.concat([of_cases, of_events], ignore_index=True)
    numbers = pd.factorize(together)[0].astype(np.int64)
    return numbers[: len(of_cases)], numbers[len(of_cases) :]


def _timeline(units: IntArray, times: DateArray) -> Timeline:
    distinct, place = np.unique(times, return_inverse=True)
    ranks = units * (len(distinct) + 1) + place
    order = np.argsort(ranks, kind="stable")
    return Timeline(order=order, ranks=ranks[order], times=distinct)
