"""The bank's own log, and what it knows as it decides about a day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.contracts import refuse
from casebook.fraud.mail import Mail
from casebook.fraud.merchants import Market
from casebook.fraud.stream import Codes, Stream
from casebook.fraud.tables import WORDS, words
from casebook.fraud.world import ACTIONS, COUNTRIES, CURRENCIES, DAY

EVENT_COLUMNS = {
    "event_id": np.int64,
    "at": np.int64,
    "card_id": np.int64,
    "merchant_id": np.int64,
    "terminal_id": np.int64,
    "channel": np.int8,
    "entry": np.int8,
    "amount_cents": np.int64,
    "currency": np.int8,
    "country": np.int8,
    "category": np.int8,
    "x_km": np.float64,
    "y_km": np.float64,
    "device_id": np.int64,
    "ip_id": np.int64,
    "address_id": np.int64,
}
DECISION_COLUMNS = {"event_id": np.int64, "action": np.int8, "outcome": np.int8}
_OWN = {
    "at": "at",
    "card_id": "card",
    "merchant_id": "merchant",
    "terminal_id": "terminal",
    "channel": "channel",
    "entry": "entry",
    "amount_cents": "cents",
    "device_id": "device",
    "ip_id": "ip",
    "address_id": "address",
}
_CURRENCY = np.array([WORDS["currency"].index(CURRENCIES[name]) for name in COUNTRIES], np.int8)


class Columns:
    """Columns that grow by rows at their end and are read as tables without a copy.

    Parameters
    ----------
    types : mapping of str to type
        A column of words holds codes; :data:`casebook.fraud.tables.WORDS` has the words.
    capacity : int
        Rows for which there is room at first.
    """

    def __init__(self, types: dict[str, Any], capacity: int) -> None:
        self._columns = {name: np.empty(max(capacity, 16), kind) for name, kind in types.items()}
        self.rows = 0

    def copy(self) -> Columns:
        """Return the same rows with as much room, to which others may be added."""
        new = Columns({}, 0)
        room = len(next(iter(self._columns.values())))
        new._columns = {name: _longer(old, self.rows, room) for name, old in self._columns.items()}
        new.rows = self.rows
        return new

    def extend(self, count: int) -> dict[str, NDArray[Any]]:
        """Add so many rows and return their columns to be filled."""
        end = self.rows + count
        if end > len(next(iter(self._columns.values()))):
            self._columns = {name: _longer(old, self.rows, 2 * end) for name, old in self._columns.items()}
        part = {name: column[self.rows : end] for name, column in self._columns.items()}
        self.rows = end
        return part

    def read(self, low: int = 0, high: int | None = None) -> pd.DataFrame:
        """Return rows as a table that cannot be written to; its index is the rows' numbers."""
        high = self.rows if high is None else high
        data: dict[str, Any] = {}
        for name, column in self._columns.items():
            part = column[low:high]
            part.flags.writeable = False  # pandas before its third version would write through
            data[name] = words(name, part) if name in WORDS else part
        return pd.DataFrame(data, index=pd.RangeIndex(low, high), copy=False)


def _longer(old: NDArray[Any], rows: int, capacity: int) -> NDArray[Any]:
    new = np.empty(capacity, old.dtype)
    new[:rows] = old[:rows]
    return new


def fill_events(columns: dict[str, NDArray[Any]], rows: NDArray[np.int64], stream: Stream) -> None:
    """Write a stream's events into some rows of a log's new part."""
    for name, own in _OWN.items():
        columns[name][rows] = getattr(stream, own)


def fill_merchants(columns: dict[str, NDArray[Any]], market: Market) -> None:
    """Write what is known of the merchants of all rows of a log's new part."""
    merchant = columns["merchant_id"]
    for name in ("country", "category", "x_km", "y_km"):
        np.take(getattr(market, name), merchant, out=columns[name])
    np.take(_CURRENCY, columns["country"], out=columns["currency"])


@dataclass(frozen=True)
class Morning:
    """What the bank knows as it decides about a day's events. Tables cannot be written to.

    A row of ``log`` and of ``decisions`` has its event's id as its number: ``log["card_id"].to_numpy()[ids]`` are
    the cards of events.

    Attributes
    ----------
    day : int
        Days since the world's first.
    events : pandas.DataFrame
        The events to decide about, in the order of time; the columns of table ``events``.
    fraud, loss_dollars : array, shape (n,), or None
        The truth, for a policy that may see it; else None.
    """

    day: int
    events: pd.DataFrame
    _events: Columns
    _decisions: Columns
    _mail: Mail
    _before: int
    fraud: NDArray[np.bool_] | None = None
    loss_dollars: NDArray[np.float64] | None = None

    @cached_property
    def log(self) -> pd.DataFrame:
        """All earlier events; the columns of table ``events``."""
        return self._events.read(0, self._before)

    @cached_property
    def decisions(self) -> pd.DataFrame:
        """What was decided about them, and what came of it; the columns of table ``decisions``."""
        return self._decisions.read(0, self._before)

    @cached_property
    def reports(self) -> pd.DataFrame:
        """Reports that came in before the day's first second; table ``reports``."""
        return self._mail.reports(self.day * DAY)

    @cached_property
    def answers(self) -> pd.DataFrame:
        """Answers to what was asked before it; table ``answers``."""
        return self._mail.answers(self.day * DAY)


Policy = Callable[[Morning], NDArray[Any]]


def checked_actions(actions: Any, count: int) -> Codes:
    """Return a policy's actions as int8, or say what is wrong with them.

    Raises
    ------
    ContractError
        If there is not one action an event, or one is none of the four.

    Examples
    --------
    >>> checked_actions(np.array([0, 4]), 2)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: policy, row 1 must be one of 0, 1, 2, 3, got 4; use the positions of ACTIONS.
    """
    array = np.asarray(actions)
    mend = "return one action an event"
    if array.shape != (count,):
        refuse("policy", f"a function that returns an array of shape ({count},)", f"shape {array.shape}", mend)
    if not np.issubdtype(array.dtype, np.integer):
        refuse("policy", "a function that returns whole numbers", f"type {array.dtype}", "use .astype(np.int8)")
    wrong = (array < 0) | (array >= len(ACTIONS))
    if wrong.any():
        row = int(np.argmax(wrong))
        must = "one of " + ", ".join(str(code) for code in range(len(ACTIONS)))
        refuse(f"policy, row {row}", must, str(array[row]), "use the positions of ACTIONS")
    return array.astype(np.int8)
