"""Dates as the room computes with them: one naive array in microseconds, or a refusal in one sentence."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, refuse

DateArray = npt.NDArray[np.datetime64]
Moment = str | date | pd.Timestamp | np.datetime64

# Nanoseconds end in 2262, and 9999-12-31 is many a table's word for "never".
_UNIT = "datetime64[us]"
_MICROSECONDS_PER_DAY = 86_400_000_000
_SHORTEST_DAYS = 1 / _MICROSECONDS_PER_DAY


def moment(value: Moment, what: str) -> np.datetime64:
    """Return one date or time; a bare date is its midnight."""
    mend = "pass a date such as '2025-12-31'"
    if isinstance(value, (bool, int, float)) or not isinstance(value, (str, date, pd.Timestamp, np.datetime64)):
        refuse(what, "one date", type(value).__name__, mend)
    try:
        stamp = pd.Timestamp(value)
    except ValueError:
        refuse(what, "one date", repr(value), mend)
    if pd.isna(stamp):
        refuse(what, "one date", "a missing date", mend)
    if stamp.tzinfo is not None:
        refuse(what, "a date without a time zone", str(stamp), "call .tz_convert('UTC').tz_localize(None)")
    return stamp.to_datetime64().astype(_UNIT)


def date_column(values: Any, what: str) -> DateArray:
    """Return a column of dates as a fresh array; ISO text is read, a missing date is refused."""
    series = values.reset_index(drop=True) if isinstance(values, pd.Series) else pd.Series(_flat(values, what))
    if len(series) == 0:
        return np.empty(0, dtype=_UNIT)
    missing = series.isna().to_numpy()
    if missing.any():
        row = int(np.argmax(missing))
        refuse(f"{what}, row {row}", "a date", "a missing value", "drop the rows without a date")
    return _read(series, what).to_numpy().astype(_UNIT)


def _flat(values: Any, what: str) -> npt.NDArray[Any]:
    array = np.asarray(values)
    if array.ndim != 1:
        refuse(what, "a column of dates", f"shape {array.shape}", "pass one column")
    return array


def _read(series: pd.Series, what: str) -> pd.Series:
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        mend = "call .dt.tz_convert('UTC').dt.tz_localize(None)"
        refuse(what, "dates without a time zone", f"type {series.dtype}", mend)
    if isinstance(series.dtype, pd.PeriodDtype):
        refuse(what, "a column of dates", f"type {series.dtype}", "call .dt.to_timestamp()")
    if series.dtype.kind == "M":
        return series
    if series.dtype.kind in "iufbcm":
        refuse(what, "a column of dates", f"type {series.dtype}", "convert it with pd.to_datetime")
    read = pd.to_datetime(series.astype(object), errors="coerce", format="ISO8601")
    if read.dtype.kind != "M" or isinstance(read.dtype, pd.DatetimeTZDtype):
        refuse(what, "dates without a time zone", repr(series.iloc[0]), "convert it with pd.to_datetime")
    wrong = read.isna().to_numpy()
    if wrong.any():
        row = int(np.argmax(wrong))
        refuse(f"{what}, row {row}", "a date", repr(series.iloc[row]), "convert the column with pd.to_datetime")
    return read


def days(value: float, what: str) -> np.timedelta64:
    """Return a number of days above 0 as a span of time."""
    is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not is_number or not np.isfinite(value) or value < _SHORTEST_DAYS:
        refuse(what, "a number of days above 0", repr(value), "give it in days, such as 30")
    return np.timedelta64(round(float(value) * _MICROSECONDS_PER_DAY), "us")


def in_days(span: npt.NDArray[np.timedelta64]) -> FloatArray:
    """Return spans of time as numbers of days."""
    return span.astype(np.int64) / _MICROSECONDS_PER_DAY


def shown_date(value: np.datetime64) -> str:
    """Return a date as a sentence shows it: midnight is left out."""
    text = str(value.astype("datetime64[s]")).replace("T", " ")
    return text.removesuffix(" 00:00:00")


def require_by(dates: DateArray, limit: np.datetime64, what: str, limit_name: str, mend: str) -> None:
    """Refuse the first date after a limit."""
    late = dates > limit
    if late.any():
        row = int(np.argmax(late))
        must = f"on or before {shown_date(limit)} ({limit_name})"
        refuse(f"{what}, row {row}", must, shown_date(dates[row]), mend)
