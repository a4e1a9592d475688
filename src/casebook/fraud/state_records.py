"""Records of the feature state as bytes: logs with running sums, first sights, and a card's past.

Every function takes the stored bytes, or ``None`` for a key that is not there, and returns new bytes or numbers; none
changes what it is given. Numbers are 8 bytes each in the order of the machine.

A record is a function of *which* events came, apart from the order of ties: one that arrives late is sorted in. What is
older than a record's newest row by more than its longest window and ``LATENESS`` is summed up or let go.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from math import isnan, nan
from struct import Struct
from typing import NamedTuple

from casebook.fraud.feature_event import Event

#: Seconds by which an event may be earlier than the card's last.
LATENESS = 300

_ONE = Struct("q")
_PAIR = _ORDER = Struct("qq")
_THREE = Struct("qqq")
_OLD = Struct("qqqqqqdd")  # number, cents, largest, last second; the last place: second, event_id, x, y
_ROW = Struct("qqqdd")  # second, event_id, cents, x, y
_NOTHING = (0, 0, 0, 0, 0, -1, nan, nan)


def log_windows(log: bytes | None, at: int, windows: Sequence[int]) -> list[int]:
    """Count a log's rows and their cents in [at - w, at) for each window w.

    Parameters
    ----------
    log : bytes or None
        From :func:`log_with`.
    at : int
        Seconds.
    windows : sequence of int
        Seconds.

    Returns
    -------
    list of int, length 2 * len(windows)
        Rows and cents by turns.

    Examples
    --------
    >>> log = log_with(log_with(None, 100, 250, 3_600), 160, 50, 3_600)
    >>> log_windows(log, 160, (60, 10)), log_windows(log, 161, (60, 10))
    ([1, 250, 0, 0], [1, 50, 1, 50])
    """
    if log is None:
        return [0] * (2 * len(windows))
    numbers = memoryview(log).cast("q")
    times, before = numbers[1::2], numbers[2::2]
    stop = bisect_left(times, at)
    upto = before[stop] if stop < len(times) else numbers[0]
    found: list[int] = []
    for window in windows:
        start = bisect_left(times, at - window, 0, stop)
        found += (stop - start, upto - before[start]) if start < stop else (0, 0)
    return found


def log_with(log: bytes | None, at: int, cents: int, horizon: int) -> bytes:
    """Add a row to a log and let go of rows more than ``horizon`` before its newest.

    The log is the sum of all cents ever, then a row an event by time: its second and the cents of all before it.
    """
    if log is None:
        return _THREE.pack(cents, at, 0)
    numbers = memoryview(log).cast("q")
    times, total = numbers[1::2], numbers[0]
    newest = times[-1]
    if at >= newest:
        gone = bisect_left(times, at - horizon)
        return _ONE.pack(total + cents) + log[8 + 16 * gone :] + _PAIR.pack(at, total)
    if at < newest - horizon:
        return log
    rows, row = array("q", log), 1 + 2 * bisect_right(times, at)
    late = array("q", [at, rows[row + 1]])
    for place in (0, *range(row + 1, len(rows), 2)):
        rows[place] += cents
    return (rows[:row] + late + rows[row:]).tobytes()


def first_sights(pairs: bytes | None, codes: Sequence[int]) -> list[int | None]:
    """Return the second in which each code was first seen, None for one that was not."""
    if pairs is None:
        return [None] * len(codes)
    numbers = memoryview(pairs).cast("q")
    known = numbers[::2]
    places = [bisect_left(known, code) for code in codes]
    return [
        numbers[2 * place + 1] if place < len(known) and known[place] == code else None
        for place, code in zip(places, codes, strict=True)
    ]


def sights_with(pairs: bytes | None, codes: Sequence[int], at: int) -> bytes:
    """Note that each code was seen at ``at``; the earliest second stands.

    Examples
    --------
    >>> pairs = sights_with(sights_with(None, [7, 3], 50), [7], 20)
    >>> first_sights(pairs, [7, 3, 4])
    [20, 50, None]
    """
    kept = pairs or b""
    for code, seen in zip(codes, first_sights(pairs, codes), strict=True):
        if seen is None or seen > at:
            place = 16 * bisect_left(memoryview(kept).cast("q")[::2], code)
            kept = kept[:place] + _PAIR.pack(code, at) + kept[place + (0 if seen is None else 16) :]
    return kept


class CardPast(NamedTuple):
    """A card's events strictly before a second: ``velocity`` as of a log, sums, the last place as (second, x, y)."""

    velocity: list[int]
    number: int
    cents: int
    largest: int
    last: int | None
    place: tuple[int, float, float] | None


def card_past(card: bytes | None, at: int, windows: Sequence[int]) -> CardPast:
    """Read a card's past before second ``at``.

    Parameters
    ----------
    card : bytes or None
        From :func:`card_with`.
    at : int
        Seconds; not more than ``LATENESS`` before the card's last event.
    windows : sequence of int
        Seconds, none longer than the horizon with which the record was made.

    Examples
    --------
    >>> event = Event(1, 100, 5, 7, -1, -1, 250, "online", "typed", "US", "digital", nan, nan)
    >>> card_past(card_with(None, event, 3_600), 160, (60, 10))
    CardPast(velocity=[1, 250, 0, 0], number=1, cents=250, largest=250, last=100, place=None)
    """
    if card is None:
        return CardPast([0] * (2 * len(windows)), 0, 0, 0, None, None)
    number, cents, largest, last, place_at, place_id, x, y = _OLD.unpack_from(card)
    times, before = [], []
    for then, event_id, spent, row_x, row_y in _ROW.iter_unpack(memoryview(card)[_OLD.size :]):
        if then >= at:
            break
        times.append(then)
        before.append(cents)
        cents += spent
        largest = max(largest, spent)
        last = then
        if not isnan(row_x):
            place_at, place_id, x, y = then, event_id, row_x, row_y
    velocity: list[int] = []
    for window in windows:
        start = bisect_left(times, at - window)
        velocity += (len(times) - start, cents - before[start]) if start < len(times) else (0, 0)
    number += len(times)
    place = (place_at, x, y) if place_id >= 0 else None
    return CardPast(velocity, number, cents, largest, last if number else None, place)


def card_newest(card: bytes | None) -> int | None:
    """Return the second of a card's last event; its record always holds that one as a row."""
    return None if card is None else int(_ONE.unpack_from(card, len(card) - _ROW.size)[0])


def card_with(card: bytes | None, event: Event, horizon: int) -> bytes:
    """Add an event to a card's record; rows more than ``horizon`` before its newest are summed up in the head."""
    row = _ROW.pack(event.at, event.event_id, event.amount_cents, event.x_km, event.y_km)
    if card is None:
        return _OLD.pack(*_NOTHING) + row
    place = len(card)
    while place > _OLD.size and _ORDER.unpack_from(card, place - _ROW.size) > (event.at, event.event_id):
        place -= _ROW.size
    card = card[:place] + row + card[place:]
    edge, oldest = _OLD.size, _ONE.unpack_from(card, len(card) - _ROW.size)[0] - horizon
    while _ONE.unpack_from(card, edge)[0] < oldest:
        edge += _ROW.size
    if edge == _OLD.size:
        return card
    gone = _ROW.iter_unpack(card[_OLD.size : edge])
    return _OLD.pack(*_summed(_OLD.unpack_from(card), gone)) + card[edge:]


def _summed(old: tuple[float, ...], rows: Iterable[tuple[float, ...]]) -> tuple[float, ...]:
    number, cents, largest, last, *place = old
    for at, event_id, spent, x, y in rows:
        number, cents, largest, last = number + 1, cents + spent, max(largest, spent), at
        if not isnan(x):
            place = [at, event_id, x, y]
    return (number, cents, largest, last, *place)
