"""The features of a whole day at once, for a policy that is asked every morning.

:func:`casebook.fraud.features.build` reads a whole log, :class:`casebook.fraud.state.FeatureState` one event at a
time; here a day's events meet sorted arrays of what was before. The definition
(:mod:`casebook.fraud.feature_spec`) and the numbers are the same, and tests hold the three together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.contracts import refuse
from casebook.fraud.day_past import Numbers, Pairs, Pasts, Trail, find
from casebook.fraud.day_rows import Rows, read_reports, read_rows
from casebook.fraud.feature_spec import (
    FEATURES,
    HOUR,
    KEYS,
    RISK_KEYS,
    RISK_WINDOWS,
    SINCE_CAP,
    SPEED_CAP,
    WINDOWS,
    Spec,
)
from casebook.fraud.morning import Morning
from casebook.fraud.stream import Ids
from casebook.fraud.world import DAY

Values = dict[str, NDArray[Any]]
Decide = Callable[[Morning, pd.DataFrame], NDArray[Any]]

_KEYS = tuple(KEYS | RISK_KEYS)
_PAIRED = ("merchant", "country", "device")
_LONGEST = max(RISK_WINDOWS.values())


def _windows(key: str) -> dict[str, int]:
    return (WINDOWS if key in KEYS else {}) | (RISK_WINDOWS if key in RISK_KEYS else {})


class DayFeatures:
    """What is known of every card, merchant, terminal and device, and the features of the next day's events.

    A day is any number of events that follow those added before by (at, event_id). An event counts all that lies
    strictly before its second, be it added or earlier in the same table; a report counts from the second after it
    came. So the numbers are those of :func:`casebook.fraud.features.build` on the whole log, as long as no report is
    older than its event.

    Parameters
    ----------
    spec : Spec, optional

    Examples
    --------
    >>> event = {"event_id": 1, "at": 0, "card_id": 5, "merchant_id": 7, "terminal_id": -1, "device_id": -1}
    >>> event |= {"amount_cents": 900, "channel": "online", "entry": "typed", "currency": "USD", "country": "US"}
    >>> event |= {"category": "digital", "x_km": float("nan"), "y_km": float("nan")}
    >>> past = DayFeatures()
    >>> past.add(pd.DataFrame([event]))
    >>> past.add_reports(pd.DataFrame({"event_id": [1], "reported_at": [30]}))
    >>> day = pd.DataFrame([event | {"event_id": 2, "at": 60}, event | {"event_id": 3, "at": 60}])
    >>> past.features(day)[["card_count_10m", "merchant_risk_7d"]]
              card_count_10m  merchant_risk_7d
    event_id
    2                    1.0          0.010891
    3                    1.0          0.010891
    >>> past.add(day.iloc[::-1])
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: events, row 1 must be later by (at, event_id) than the event before it, (60, 3),
    got (60, 2); pass the days in order and each day sorted.
    """

    def __init__(self, spec: Spec | None = None) -> None:
        self.spec = spec or Spec()
        self._held = Rows.none()  # the newest second's events: they do not count for another of the same second
        self._numbers = {key: Numbers() for key in _KEYS}
        self._trails = {key: Trail() for key in _KEYS}
        self._told = {key: Trail() for key in RISK_KEYS}
        self._pairs = {key: Pairs() for key in _PAIRED}
        self._pasts = Pasts()
        self._where: list[tuple[Ids, Ids, Ids]] = []  # ids, merchants and terminals of the events of each table
        self._reported = np.empty(0, np.int64)
        self._waiting = np.empty((2, 0), np.int64)  # ids and seconds of reports whose event has not been counted

    def features(self, events: pd.DataFrame) -> pd.DataFrame:
        """Return the features of events that follow those added; nothing that is known changes.

        Parameters
        ----------
        events : pandas.DataFrame, n rows
            As in :func:`casebook.fraud.day_rows.read_rows`, and so are the refusals; not changed.

        Returns
        -------
        pandas.DataFrame, shape (n, len(FEATURES))
            Floats, indexed by ``event_id``.
        """
        new = read_rows(events, self.spec, self._held)
        rows = self._held.join(new)
        numbers = {key: self._numbers[key].of(getattr(rows, key))[0] for key in _KEYS}
        found = _own(rows) | self._counted(rows, numbers) | self._history(rows, numbers)
        values = np.empty((len(FEATURES), len(new)))
        for row, name in enumerate(FEATURES):
            values[row] = found[name][len(self._held) :]
        return pd.DataFrame(values.T, index=pd.Index(new.event_id, name="event_id"), columns=list(FEATURES))

    def add(self, events: pd.DataFrame) -> None:
        """Take events in that follow those added before, or refuse them all and leave what is known as it is.

        Parameters
        ----------
        events : pandas.DataFrame
            As in :meth:`features`, and so are the refusals.
        """
        new = read_rows(events, self.spec, self._held)
        if len(new) == 0:
            return
        rows = self._held.join(new)
        now = int(rows.at[-1])
        end = int(np.searchsorted(rows.at, now))
        self._held = rows.take(slice(end, None))
        self._settle(rows.take(slice(0, end)), now)

    def add_reports(self, reports: pd.DataFrame) -> None:
        """Take reports in; a second one of the same event changes nothing, so that a growing table may be passed.

        A report whose event was not added yet waits for it, for as long as the longest window.

        Parameters
        ----------
        reports : pandas.DataFrame
            ``event_id`` and ``reported_at`` (seconds), in any order; not changed.

        Raises
        ------
        ContractError
            A missing column, or a time that is no whole number or out of range.
        """
        ids, when = read_reports(reports)
        fresh = ~np.isin(ids, self._reported)
        self._reported = np.union1d(self._reported, ids)
        self._waiting = np.concatenate([self._waiting, np.stack([ids[fresh], when[fresh]])], axis=1)
        for where in self._where:
            self._deliver(*where)

    def _settle(self, rows: Rows, now: int) -> None:
        """Count rows that lie before second ``now``, with which or after which all later ones come."""
        numbers: dict[str, Ids] = {}
        for key in _KEYS:
            numbers[key], self._numbers[key] = self._numbers[key].of(getattr(rows, key))
            oldest = now - max(_windows(key).values())
            self._trails[key] = self._trails[key].with_rows(numbers[key], rows.at, rows.cents, oldest)
        for key in RISK_KEYS:
            none = np.empty(0, np.int64)
            self._told[key] = self._told[key].with_rows(none, none, none, now - _LONGEST)
        for key in _PAIRED:
            self._pairs[key] = self._pairs[key].with_pairs(numbers["card"], _second(rows, numbers, key))
        self._pasts = self._pasts.with_rows(numbers["card"], rows.at, rows.cents, rows.x_km, rows.y_km)
        self._waiting = self._waiting[:, self._waiting[1] >= now - _LONGEST]
        if len(rows):
            order = np.argsort(rows.event_id)
            self._where.append((rows.event_id[order], numbers["merchant"][order], numbers["terminal"][order]))
            self._deliver(*self._where[-1])

    def _deliver(self, ids: Ids, merchant: Ids, terminal: Ids) -> None:
        """Hold the waiting reports of events against where these happened."""
        here, place = find(ids, self._waiting[0])
        if here.any():
            when = self._waiting[1, here]
            for key, number in (("merchant", merchant), ("terminal", terminal)):
                self._told[key] = self._told[key].with_rows(number[place[here]], when, np.zeros_like(when))
            self._waiting = self._waiting[:, ~here]

    def _counted(self, rows: Rows, numbers: dict[str, Ids]) -> Values:
        """Return the columns that count in windows."""
        order = np.argsort(rows.event_id)
        here, place = find(rows.event_id[order], self._waiting[0])
        told_rows, when = order[place[here]], self._waiting[1, here]
        found: Values = {}
        for key in _KEYS:
            number, windows = numbers[key], list(_windows(key).values())
            today = Trail().with_rows(number, rows.at, rows.cents)
            counts = _both(self._trails[key], today, number, rows.at, windows)
            for row, name in enumerate(WINDOWS if key in KEYS else ()):
                found |= {f"{key}_count_{name}": counts[2 * row], f"{key}_cents_{name}": counts[2 * row + 1]}
            if key in RISK_KEYS:
                today = Trail().with_rows(number[told_rows], when, np.zeros_like(when))
                spans = list(RISK_WINDOWS.values())
                told = _both(self._told[key], today, number, rows.at, spans)[::2]
                happened = counts[-2 * len(spans) :: 2]
                risks = (told + self.spec.prior * self.spec.prior_rate) / (happened + self.spec.prior)
                found |= {f"{key}_risk_{name}": risk for name, risk in zip(RISK_WINDOWS, risks, strict=True)}
        return found

    def _history(self, rows: Rows, numbers: dict[str, Ids]) -> Values:
        """Return the columns of the card's own past."""
        card = numbers["card"]
        past = self._pasts.before(card, rows.at, rows.cents, rows.x_km, rows.y_km)
        mean = past.cents / np.maximum(past.count, 1)
        return {
            "card_count": past.count,
            "card_mean_cents": mean,
            "card_max_cents": past.largest,
            "amount_to_mean": np.where(past.count > 0, rows.cents / np.where(past.count > 0, mean, 1), 1),
            "card_since": np.where(past.count > 0, np.minimum(rows.at - past.last, SINCE_CAP), SINCE_CAP),
            "travel_kmh": _speed(rows, past),
            **{f"new_{key}": self._pairs[key].new(card, _second(rows, numbers, key), rows.at) for key in _PAIRED},
        }


class Featured:
    """A policy that hands each morning's features to a function; made by :func:`with_features`."""

    def __init__(self, decide: Decide, spec: Spec | None = None) -> None:
        self._decide = decide
        self._past = DayFeatures(spec)
        self._added = 0

    def __call__(self, morning: Morning) -> NDArray[Any]:
        """Return an action for each event of the day.

        Raises
        ------
        ContractError
            If the morning knows less than one before it did.
        """
        log = morning.log
        if len(log) < self._added:
            got = f"day {morning.day} with {len(log)}"
            refuse("morning", f"of a day with {self._added} earlier events or more", got, "make a policy for each run")
        self._past.add(log.iloc[self._added :])
        self._added = len(log)
        self._past.add_reports(morning.reports)
        return self._decide(morning, self._past.features(morning.events))


def with_features(decide: Decide, spec: Spec | None = None) -> Featured:
    """Make a policy of a function that wants the features of the day's events.

    The features are :func:`casebook.fraud.features.build` of the log and the day with the reports the bank has at
    midnight. The policy remembers what it has seen, so that a run needs one of its own.

    Parameters
    ----------
    decide : callable
        ``decide(morning, features)`` gives an array of actions; row i of the features is event i of the morning.
    spec : Spec, optional

    Returns
    -------
    Featured

    Examples
    --------
    >>> from casebook.fraud.simulate import simulate
    >>> from casebook.fraud.world import World
    >>> policy = with_features(lambda morning, features: np.where(features["card_count_1h"] > 3, 3, 0))
    >>> run = simulate(World(prevalence=0.01), 500, 20, np.random.default_rng(0), policy)
    >>> bool((run.tables["decisions"]["action"] == 3).any())
    True
    """
    return Featured(decide, spec)


def _own(rows: Rows) -> Values:
    return {
        "amount_cents": rows.cents,
        "hour": rows.at % DAY // HOUR,
        "weekday": rows.at // DAY % 7,
        "channel": rows.channel,
        "entry": rows.entry,
        "country_home": rows.home,
        "category": rows.category,
    }


def _second(rows: Rows, numbers: dict[str, Ids], key: str) -> Ids:
    return rows.country if key == "country" else numbers[key]


def _both(past: Trail, today: Trail, number: Ids, at: Ids, windows: list[int]) -> Ids:
    return past.windows(number, at, windows) + today.windows(number, at, windows)


def _speed(rows: Rows, past: Pasts) -> NDArray[np.float64]:
    moved = np.isfinite(rows.x_km) & (past.placed_at >= 0)
    across, along = np.where(moved, rows.x_km - past.x_km, 0), np.where(moved, rows.y_km - past.y_km, 0)
    hours = np.where(moved, rows.at - past.placed_at, 1) / HOUR
    return np.minimum(np.sqrt(across * across + along * along) / hours, SPEED_CAP)
