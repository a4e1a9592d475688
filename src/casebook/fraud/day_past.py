"""What the features of a day need of the days before it, as sorted arrays.

Nothing here changes in place: taking rows in returns a new object, so that a question leaves no trace. Ids are
numbered by :class:`Numbers`; a *mark* holds two numbers below 2^32 in eight bytes, the key in the upper half and a
second (or another number) in the lower, so that one binary search finds a key's rows before a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from casebook.fraud.stream import Ids

#: Both halves of a mark are below it; of seconds it is 136 years.
HALF = 2**32

Places = NDArray[np.float64]
Flags = NDArray[np.bool_]


def find(ids: Ids, asked: Ids) -> tuple[Flags, Ids]:
    """Tell which asked ids are among sorted ones, and the place of each there or where it would stand.

    Examples
    --------
    >>> find(np.array([3, 5]), np.array([5, 4]))
    (array([ True, False]), array([1, 1]))
    """
    place = np.searchsorted(ids, asked)
    return np.searchsorted(ids, asked, side="right") > place, place


def _none() -> Ids:
    return np.empty(0, np.int64)


def _marks(upper: Ids, lower: Ids) -> Ids:
    return upper * HALF + lower


@dataclass(frozen=True)
class Numbers:
    """Ids, sorted, and the number of each: its place in the order in which they were taken in.

    Examples
    --------
    >>> numbers, known = Numbers().of(np.array([70, -1, 50, 70]))
    >>> numbers, known.of(np.array([60, 70]))[0]
    (array([ 1, -1,  0,  1]), array([2, 1]))
    """

    ids: Ids = field(default_factory=_none)
    numbers: Ids = field(default_factory=_none)

    def of(self, ids: Ids) -> tuple[Ids, Numbers]:
        """Return the numbers of ids (a new id gets the next one, a negative id -1) and the numbers with these."""
        asked, rows = np.unique(ids, return_inverse=True)
        known, place = find(self.ids, asked)
        new = ~known & (asked >= 0)
        number = np.full(len(asked), -1)
        number[known] = self.numbers[place[known]]
        number[new] = len(self.ids) + np.arange(np.count_nonzero(new))
        grown = Numbers(np.insert(self.ids, place[new], asked[new]), np.insert(self.numbers, place[new], number[new]))
        return number[rows], grown


@dataclass(frozen=True)
class Trail:
    """Rows of keys over time.

    Parameters
    ----------
    marks : array, shape (n,)
        Key and second of each row, sorted.
    before : array, shape (n + 1,)
        Cents of all rows before each, and of all.
    """

    marks: Ids = field(default_factory=_none)
    before: Ids = field(default_factory=lambda: np.zeros(1, np.int64))

    def windows(self, key: Ids, at: Ids, windows: Sequence[int]) -> Ids:
        """Count a key's rows and their cents in [at - w, at) for each window w; those of key -1 are 0.

        Parameters
        ----------
        key, at : array, shape (m,)
        windows : sequence of int
            Seconds.

        Returns
        -------
        array, shape (2 * len(windows), m)
            Rows and cents by turns.

        Examples
        --------
        >>> trail = Trail().with_rows(np.array([0, 0]), np.array([100, 160]), np.array([250, 50]))
        >>> trail.windows(np.array([0, 1]), np.array([161, 161]), (61, 10)).tolist()
        [[2, 0], [300, 0], [1, 0], [50, 0]]
        """
        order = np.argsort(_marks(key, at))  # a search for sorted values stays in the processor's cache
        key, at = key[order], at[order]
        stop = np.searchsorted(self.marks, _marks(key, at))
        found = np.empty((2 * len(windows), len(at)), np.int64)
        for row, window in enumerate(windows):
            start = np.searchsorted(self.marks, _marks(key, np.maximum(at - window, 0)))
            found[2 * row, order] = stop - start
            found[2 * row + 1, order] = self.before[stop] - self.before[start]
        return found

    def with_rows(self, key: Ids, at: Ids, cents: Ids, oldest: int = 0) -> Trail:
        """Take rows in, but for those of key -1, and let go of what was there before second ``oldest``."""
        kept = self.marks % HALF >= oldest
        marks, spent = self.marks[kept], np.diff(self.before)[kept]
        seen = np.flatnonzero(key >= 0)
        new = _marks(key[seen], at[seen])
        order = np.argsort(new)
        place = np.searchsorted(marks, new[order])
        spent = np.insert(spent, place, cents[seen[order]])
        return Trail(np.insert(marks, place, new[order]), np.concatenate([[0], np.cumsum(spent)]))


@dataclass(frozen=True)
class Pairs:
    """Pairs that were seen, as sorted marks."""

    marks: Ids = field(default_factory=_none)

    def new(self, first: Ids, second: Ids, at: Ids) -> Flags:
        """Tell where a pair was seen neither here nor in an earlier second of the same rows.

        Parameters
        ----------
        first, second, at : array, shape (n,)
            In the order of ``at``. A pair with -1 is never new.

        Examples
        --------
        >>> pairs = Pairs().with_pairs(np.array([0]), np.array([8]))
        >>> pairs.new(np.array([0, 0, 0, 0]), np.array([8, 9, 9, 9]), np.array([5, 5, 5, 6]))
        array([False,  True,  True, False])
        """
        pair, earliest, rows = np.unique(_marks(first, second), return_index=True, return_inverse=True)
        seen, _ = find(self.marks, pair)
        return (second >= 0) & ~seen[rows] & (at[earliest][rows] == at)

    def with_pairs(self, first: Ids, second: Ids) -> Pairs:
        """Take pairs in, but for those with -1."""
        pair = np.unique(_marks(first, second)[second >= 0])
        seen, place = find(self.marks, pair)
        return Pairs(np.insert(self.marks, place[~seen], pair[~seen]))


@dataclass(frozen=True)
class Pasts:
    """What happened on a card: one element a card, or an event and then all that its card had strictly before it.

    Parameters
    ----------
    count, cents, largest : array, shape (n,)
        Events, the sum of their cents, and the most of one.
    last, placed_at : array, shape (n,)
        Seconds of the last event and of the last with a place; -1 without one.
    x_km, y_km : array, shape (n,)
        That place; NaN without one.
    """

    count: Ids = field(default_factory=_none)
    cents: Ids = field(default_factory=_none)
    largest: Ids = field(default_factory=_none)
    last: Ids = field(default_factory=_none)
    placed_at: Ids = field(default_factory=_none)
    x_km: Places = field(default_factory=lambda: np.empty(0))
    y_km: Places = field(default_factory=lambda: np.empty(0))

    def take(self, cards: Ids) -> Self:
        """Return the pasts of cards by their numbers; a number that is not there has none."""
        more = int(cards.max(initial=-1)) + 1 - len(self.count)
        if more > 0:
            fill = (0, 0, 0, -1, -1, np.nan, np.nan)
            grown = zip(fields(self), fill, strict=True)
            return type(self)(
                *(np.concatenate([getattr(self, own.name), np.full(more, empty)])[cards] for own, empty in grown)
            )
        return type(self)(*(getattr(self, own.name)[cards] for own in fields(self)))

    def with_rows(self, card: Ids, at: Ids, cents: Ids, x_km: Places, y_km: Places) -> Self:
        """Take events in, which come in the order of time; of a repeated index the last assignment stands."""
        cards = max(len(self.count), int(card.max(initial=-1)) + 1)
        new = self.take(np.arange(cards))
        np.add.at(new.count, card, 1)
        np.add.at(new.cents, card, cents)
        np.maximum.at(new.largest, card, cents)
        new.last[card] = at
        rows = np.flatnonzero(np.isfinite(x_km))
        new.placed_at[card[rows]] = at[rows]
        new.x_km[card[rows]], new.y_km[card[rows]] = x_km[rows], y_km[rows]
        return new

    def before(self, card: Ids, at: Ids, cents: Ids, x_km: Places, y_km: Places) -> Self:
        """Return the past of each of a few later events, of which the earlier ones belong to it.

        Parameters
        ----------
        card, at, cents, x_km, y_km : array, shape (n,)
            In the order of time.

        Returns
        -------
        Pasts of n rows

        Examples
        --------
        >>> none = np.full(3, np.nan)
        >>> Pasts().before(np.array([0, 0, 0]), np.array([7, 9, 9]), np.array([50, 20, 30]), none, none).cents
        array([ 0, 50, 50])
        """
        order = np.argsort(card, kind="stable")
        card, at, cents, x_km, y_km = card[order], at[order], cents[order], x_km[order], y_km[order]
        begins = np.diff(card, prepend=-1) > 0
        group, tie = _starts(begins), _starts(begins | (np.diff(at, prepend=-1) > 0))
        old, any_here = self.take(card), tie > group
        place = np.maximum.accumulate(np.where(np.isfinite(x_km), np.arange(len(at)), -1))[tie - 1]
        here = any_here & (place >= group)
        spent = np.concatenate([[0], np.cumsum(cents)])
        known = type(self)(
            old.count + tie - group,
            old.cents + spent[tie] - spent[group],
            np.maximum(old.largest, np.where(any_here, _largest(card, cents)[tie - 1], 0)),
            np.where(any_here, at[tie - 1], old.last),
            np.where(here, at[place], old.placed_at),
            np.where(here, x_km[place], old.x_km),
            np.where(here, y_km[place], old.y_km),
        )
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return known.take(back)


def _starts(begins: Flags) -> Ids:
    """Return for each row the last one at or before it at which something begins."""
    return np.maximum.accumulate(np.where(begins, np.arange(len(begins)), 0))


def _largest(card: Ids, cents: Ids) -> Ids:
    """Return each row's largest amount so far on its card; rows are sorted by card."""
    amounts, rank = np.unique(cents, return_inverse=True)
    return amounts[np.maximum.accumulate(_marks(card, rank)) % HALF]
