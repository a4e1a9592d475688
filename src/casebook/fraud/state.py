"""Features online: a state that every event updates, in a store of bytes under string keys.

The numbers are those of :func:`casebook.fraud.features.build`, from the same definition
(:mod:`casebook.fraud.feature_spec`) and other code; tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan, sqrt
from struct import Struct
from typing import Any

import pandas as pd

from casebook.contracts import refuse
from casebook.fraud.feature_event import Event, read_event, read_whole
from casebook.fraud.feature_spec import (
    EVENT_COLUMNS,
    FEATURES,
    HOUR,
    RISK_WINDOWS,
    SINCE_CAP,
    SPEED_CAP,
    WINDOWS,
    Spec,
)
from casebook.fraud.state_records import (
    LATENESS,
    CardPast,
    card_newest,
    card_past,
    card_with,
    first_sights,
    log_windows,
    log_with,
    sights_with,
)
from casebook.fraud.state_store import MemoryStore, Store
from casebook.fraud.world import CHANNELS, DAY, ENTRIES

__all__ = ["FeatureState", "MemoryStore", "Store", "replay"]

_VELOCITY = tuple(WINDOWS.values())
_RISK = tuple(RISK_WINDOWS.values())
_SHORT = max(_VELOCITY) + LATENESS
_LONG = max(_VELOCITY + _RISK) + LATENESS
_SEEN = Struct("qqqq")  # second, merchant, terminal, second of the report
_UNREPORTED = -(2**62)
_CHANNEL_CODES = {word: code for code, word in enumerate(CHANNELS)}
_ENTRY_CODES = {word: code for code, word in enumerate(ENTRIES)}
_NAMES = tuple(FEATURES)


class _Records:
    """The stored bytes that one event touches, fetched in one trip."""

    __slots__ = ("card", "device", "keys", "merchant", "merchant_told", "seen", "sights", "terminal", "terminal_told")

    def __init__(self, event: Event, store: Store) -> None:
        keys = [
            *(f"event:{event.event_id}", f"card:{event.card_id}", f"sights:{event.card_id}"),
            *(f"merchant:{event.merchant_id}", f"merchant_told:{event.merchant_id}"),
        ]
        self.device = self.terminal = self.terminal_told = None
        if event.device_id >= 0:
            keys.append(f"device:{event.device_id}")
        if event.terminal_id >= 0:
            keys += [f"terminal:{event.terminal_id}", f"terminal_told:{event.terminal_id}"]
        got = store.get(keys)
        self.keys = keys
        self.seen, self.card, self.sights, self.merchant, self.merchant_told = got[:5]
        if event.device_id >= 0:
            self.device = got[5]
        if event.terminal_id >= 0:
            self.terminal, self.terminal_told = got[-2:]


class FeatureState:
    """What is known of every card, merchant, terminal and device, and the features of the next event.

    An event's features count what has *arrived* and lies strictly before its second. So they equal those of
    :func:`casebook.fraud.features.build` wherever nothing earlier arrives afterwards; ties may come in any order. An
    event up to ``LATENESS`` seconds earlier than its card's last is taken and sorted in: all later answers are as if
    it had come in time, the answers already given are not. A later one is refused. A report must come by its own time.

    Parameters
    ----------
    store : Store
        Kept between calls; nothing else is.
    spec : Spec, optional

    Examples
    --------
    >>> state = FeatureState(MemoryStore())
    >>> event = {"event_id": 1, "at": 0, "card_id": 5, "merchant_id": 7, "amount_cents": 900, "currency": "USD"}
    >>> event |= {"channel": "online", "entry": "typed", "country": "US", "category": "digital"}
    >>> state.update(event), state.update(event)
    (True, False)
    >>> answer = state.features(event | {"event_id": 2, "at": 60, "amount_cents": 1_800})
    >>> answer["card_count_10m"], answer["amount_to_mean"], answer["new_merchant"]
    (1, 2.0, 0)
    >>> state.update(event | {"event_id": 3, "amount_cents": -5})
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: amount_cents must be a whole number from 1 to 2^50, got -5; mend it.
    """

    def __init__(self, store: Store, spec: Spec | None = None) -> None:
        self.store = store
        self.spec = spec or Spec()
        self._category_codes = {word: code for code, word in enumerate(self.spec.categories)}

    def features(self, event: Mapping[str, Any]) -> dict[str, float]:
        """Return the features of an event; the state stays as it is.

        Parameters
        ----------
        event : mapping of str
            As in :func:`casebook.fraud.feature_event.read_event`, and so are the refusals.

        Returns
        -------
        dict of str to float
            In the order of :data:`casebook.fraud.feature_spec.FEATURES`.

        Raises
        ------
        ContractError
            Also if the event is more than ``LATENESS`` seconds earlier than its card's last.
        """
        read = read_event(event, self.spec)
        records = _Records(read, self.store)
        _check_lateness(read, records)
        past = card_past(records.card, read.at, _VELOCITY)
        merchant = log_windows(records.merchant, read.at, _VELOCITY + _RISK)
        values = [
            *self._own(read),
            *past.velocity,
            *merchant[: 2 * len(_VELOCITY)],
            *log_windows(records.device, read.at, _VELOCITY),
            *_history(read, past, records.sights),
            *self._risk(merchant[2 * len(_VELOCITY) :], log_windows(records.merchant_told, read.at, _RISK)),
            *self._risk(
                log_windows(records.terminal, read.at, _RISK), log_windows(records.terminal_told, read.at, _RISK)
            ),
        ]
        return dict(zip(_NAMES, values, strict=True))

    def update(self, event: Mapping[str, Any]) -> bool:
        """Take an event into the state, or refuse it and leave the state as it is.

        Parameters
        ----------
        event : mapping of str
            As in :meth:`features`, and so are the refusals.

        Returns
        -------
        bool
            False if an event of this ``event_id`` was taken before; then nothing changes, whatever else it says.
        """
        read = read_event(event, self.spec)
        records = _Records(read, self.store)
        if records.seen is not None:
            return False
        _check_lateness(read, records)
        at, cents, keys = read.at, read.amount_cents, records.keys
        new = {
            keys[0]: _SEEN.pack(at, read.merchant_id, read.terminal_id, _UNREPORTED),
            keys[1]: card_with(records.card, read, _SHORT),
            keys[3]: log_with(records.merchant, at, cents, _LONG),
        }
        sights = sights_with(records.sights, _sights_of(read), at)
        if sights is not records.sights:
            new[keys[2]] = sights
        if read.device_id >= 0:
            new[keys[5]] = log_with(records.device, at, cents, _SHORT)
        if read.terminal_id >= 0:
            new[keys[-2]] = log_with(records.terminal, at, cents, _LONG)
        self.store.put(new)
        return True

    def report(self, event_id: int, reported_at: int) -> bool:
        """Take a report of an event that was taken before.

        Parameters
        ----------
        event_id : int
        reported_at : int
            Seconds.

        Returns
        -------
        bool
            False if this event was reported before; then nothing changes.

        Raises
        ------
        ContractError
            An event that never came, or a report before its event.
        """
        key = f"event:{read_whole('event_id', event_id)}"
        told_at = read_whole("reported_at", reported_at)
        (seen,) = self.store.get([key])
        if seen is None:
            refuse("event_id", "of an event taken before", str(event_id), "send the event first")
        at, merchant, terminal, reported = _SEEN.unpack(seen)
        if reported != _UNREPORTED:
            return False
        if told_at < at:
            refuse("reported_at", f"at or after its event's second {at}", str(told_at), "mend the time")
        logs = [f"merchant_told:{merchant}"] + [f"terminal_told:{terminal}"] * (terminal >= 0)
        new = {name: log_with(log, told_at, 0, _LONG) for name, log in zip(logs, self.store.get(logs), strict=True)}
        self.store.put({key: _SEEN.pack(at, merchant, terminal, told_at), **new})
        return True

    def _own(self, event: Event) -> tuple[int, ...]:
        return (
            event.amount_cents,
            event.at % DAY // HOUR,
            event.at // DAY % 7,
            _CHANNEL_CODES[event.channel],
            _ENTRY_CODES[event.entry],
            int(event.country == self.spec.home),
            self._category_codes.get(event.category, -1),
        )

    def _risk(self, events: list[int], told: list[int]) -> list[float]:
        prior = self.spec.prior
        known = prior * self.spec.prior_rate
        return [(told[row] + known) / (events[row] + prior) for row in range(0, len(events), 2)]


def replay(state: FeatureState, events: pd.DataFrame, reports: pd.DataFrame, since: int | None = None) -> pd.DataFrame:
    """Send a log through the state, each event scored and then taken, each report in its second.

    Reports that come after the last event are not sent.

    Parameters
    ----------
    state : FeatureState
    events, reports, since
        As in :func:`casebook.fraud.features.build`.

    Returns
    -------
    pandas.DataFrame
        What :func:`casebook.fraud.features.build` returns, to rounding.
    """
    ordered = events.sort_values(["at", "event_id"])
    told = reports.loc[reports["event_id"].isin(events["event_id"])].sort_values("reported_at", kind="stable")
    waiting = list(zip(told["event_id"].tolist(), told["reported_at"].tolist(), strict=True))[::-1]
    answers, ids = [], []
    for row in zip(*(ordered[name].tolist() for name in EVENT_COLUMNS), strict=True):
        event = dict(zip(EVENT_COLUMNS, row, strict=True))
        while waiting and waiting[-1][1] < event["at"]:
            state.report(*waiting.pop())
        if since is None or event["at"] >= since:
            answers.append(tuple(state.features(event).values()))
            ids.append(event["event_id"])
        state.update(event)
    return pd.DataFrame(answers, index=pd.Index(ids, name="event_id"), columns=list(FEATURES), dtype=float)


def _check_lateness(event: Event, records: _Records) -> None:
    newest = card_newest(records.card)
    if newest is not None and event.at < newest - LATENESS and records.seen is None:
        must = f"at most {LATENESS} seconds before the card's last event (second {newest})"
        refuse("at", must, str(event.at), "send a card's events in order")


def _sights_of(event: Event) -> list[int]:
    country = int.from_bytes(event.country.encode(), "big")
    return [3 * event.merchant_id, 3 * country + 1] + [3 * event.device_id + 2] * (event.device_id >= 0)


def _history(event: Event, past: CardPast, sights: bytes | None) -> list[float]:
    mean = past.cents / past.number if past.number else 0
    new = [0, 0, 0]
    for place, first in enumerate(first_sights(sights, _sights_of(event))):
        new[place] = int(first is None or first >= event.at)
    since = SINCE_CAP if past.last is None else min(event.at - past.last, SINCE_CAP)
    ratio = event.amount_cents / mean if past.number else 1
    return [past.number, mean, past.largest, ratio, *new, since, _speed(event, past.place)]


def _speed(event: Event, place: tuple[int, float, float] | None) -> float:
    if place is None or isnan(event.x_km):
        return 0.0
    then, x, y = place
    across, along = event.x_km - x, event.y_km - y
    return min(sqrt(across * across + along * along) / ((event.at - then) / HOUR), SPEED_CAP)
