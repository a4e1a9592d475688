"""A day's events and reports as arrays, and the sentences with which bad ones are refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.contracts import refuse, require_columns
from casebook.fraud.day_past import HALF, Places
from casebook.fraud.feature_spec import EVENT_COLUMNS, Spec
from casebook.fraud.stream import Ids
from casebook.fraud.world import CHANNELS, ENTRIES

_WHOLE = {
    **{"event_id": "event_id", "at": "at", "card": "card_id", "merchant": "merchant_id"},
    **{"terminal": "terminal_id", "device": "device_id", "cents": "amount_cents"},
}
_REPORTED = ("event_id", "reported_at")


@dataclass(frozen=True)
class Rows:
    """Events in (at, event_id) order, each field an array of shape (n,).

    Attributes
    ----------
    event_id, at, card, merchant, terminal, device, cents : as in table ``events``.
    country : the two letters as one whole number.
    home : 1 at home, 0 abroad.
    channel, entry, category : places in ``CHANNELS``, ``ENTRIES`` and ``Spec.categories``; -1 for another word.
    x_km, y_km : place; both NaN without one.
    """

    event_id: Ids
    at: Ids
    card: Ids
    merchant: Ids
    terminal: Ids
    device: Ids
    cents: Ids
    country: Ids
    home: Ids
    channel: Ids
    entry: Ids
    category: Ids
    x_km: Places
    y_km: Places

    def __len__(self) -> int:
        return len(self.at)

    def take(self, rows: slice) -> Self:
        """Return a run of rows."""
        return type(self)(*(getattr(self, one.name)[rows] for one in fields(self)))

    def join(self, later: Self) -> Self:
        """Return these rows and then the later ones."""
        return type(self)(
            *(np.concatenate([getattr(part, one.name) for part in (self, later)]) for one in fields(self))
        )

    @classmethod
    def none(cls) -> Self:
        """Return no rows."""
        none, nowhere = np.empty(0, np.int64), np.empty(0)
        return cls(none, none, none, none, none, none, none, none, none, none, none, none, nowhere, nowhere)


def read_rows(events: pd.DataFrame, spec: Spec, past: Rows) -> Rows:
    """Read a table of events that follow others.

    Parameters
    ----------
    events : pandas.DataFrame, n rows
        Columns :data:`casebook.fraud.feature_spec.EVENT_COLUMNS`; n may be 0.
    spec : Spec
        Holds the home country and the categories.
    past : Rows
        The newest event taken so far at its end, if there is one.

    Returns
    -------
    Rows of n rows

    Raises
    ------
    ContractError
        A missing column, an id, time or amount that is no whole number or out of range, a country that is no code of
        two letters, a row that is not later than the one before it, or an id twice.

    Examples
    --------
    >>> read_rows(pd.DataFrame({"event_id": [1]}), Spec(), Rows.none())
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: events must be a table with a column 'at', got 'event_id'; add 'at' or
    rename one of yours.
    """
    if _is_empty(events):
        return Rows.none()
    require_columns(events, list(EVENT_COLUMNS), "events")
    whole = {own: _whole(events, name, "events") for own, name in _WHOLE.items()}
    for own, end in (("at", HALF), ("card", None), ("merchant", None)):
        _in_range(whole[own], end, f"events, column {_WHOLE[own]!r}")
    x_km, y_km = (events[name].to_numpy(dtype=np.float64) for name in ("x_km", "y_km"))
    placed = np.isfinite(x_km) & np.isfinite(y_km)
    rows = Rows(
        **whole,
        country=_of_words(events["country"], [_letters(word) for word in _words(events["country"])], "country"),
        home=_of_words(events["country"], [int(word == spec.home) for word in _words(events["country"])]),
        channel=_codes(events["channel"], CHANNELS),
        entry=_codes(events["entry"], ENTRIES),
        category=_codes(events["category"], spec.categories),
        x_km=np.where(placed, x_km, np.nan),
        y_km=np.where(placed, y_km, np.nan),
    )
    _check_order(rows, past)
    _check_once(rows.event_id)
    return rows


def read_reports(reports: pd.DataFrame) -> tuple[Ids, Ids]:
    """Read ids and seconds of reports, each event once: its first row counts."""
    if _is_empty(reports):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    require_columns(reports, list(_REPORTED), "reports")
    ids, when = (_whole(reports, name, "reports") for name in _REPORTED)
    _in_range(when, HALF, "reports, column 'reported_at'")
    once, rows = np.unique(ids, return_index=True)
    return once, when[rows]


def _is_empty(table: Any) -> bool:
    return isinstance(table, pd.DataFrame) and len(table) == 0


def _whole(table: pd.DataFrame, name: str, what: str) -> Ids:
    if not pd.api.types.is_integer_dtype(table[name].dtype):
        mend = "pass whole seconds, cents and ids"
        refuse(f"{what}, column {name!r}", "of whole numbers", str(table[name].dtype), mend)
    return table[name].to_numpy(dtype=np.int64)


def _in_range(values: Ids, end: int | None, what: str) -> None:
    wrong = values < 0 if end is None else (values < 0) | (values >= end)
    if wrong.any():
        row = int(np.argmax(wrong))
        must = "0 or more" if end is None else f"from 0 to {end - 1}"
        refuse(f"{what}, row {row}", must, str(values[row]), "mend it")


def _check_order(rows: Rows, past: Rows) -> None:
    both = past.take(slice(-1, None)).join(rows)
    later = np.diff(both.at)
    wrong = (later < 0) | ((later == 0) & (np.diff(both.event_id) <= 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        before, here = ((int(both.at[place]), int(both.event_id[place])) for place in (row, row + 1))
        refuse(
            f"events, row {row + 1 - (len(both) - len(rows))}",
            f"later by (at, event_id) than the event before it, {before}",
            str(here),
            "pass the days in order and each day sorted",
        )


def _check_once(ids: Ids) -> None:
    row = int(np.argmax(pd.Series(ids).duplicated().to_numpy()))
    if row:  # the first row is nobody's copy
        refuse(f"events, row {row}: event_id", "of no other row", str(ids[row]), "drop the copy")


def _words(column: pd.Series) -> list[Any]:
    """Return the words of a column in the order of :func:`_of_words`."""
    return list(_categorical(column).cat.categories)


def _categorical(column: pd.Series) -> pd.Series:
    return column if isinstance(column.dtype, pd.CategoricalDtype) else column.astype("category")


def _of_words(column: pd.Series, values: Sequence[int], what: str | None = None) -> Ids:
    """Return each row's word's value, -1 without a word; if ``what`` is given, refuse a row of value -1."""
    found: NDArray[np.int64] = np.array([*values, -1])[_categorical(column).cat.codes.to_numpy()]
    if what and (found < 0).any():
        row = int(np.argmax(found < 0))
        refuse(f"events, column {what!r}, row {row}", "a code of two letters", repr(column.iloc[row]), "mend it")
    return found


def _codes(column: pd.Series, words: tuple[str, ...]) -> Ids:
    return _of_words(column, [words.index(word) if word in words else -1 for word in _words(column)])


def _letters(word: Any) -> int:
    two = isinstance(word, str) and len(word) == 2 and word.isascii()
    return int.from_bytes(word.encode(), "big") if two else -1
