"""What all kinds of fraud share: the bank they prey on, choice of cards, timing, and the making of attempts."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from casebook.fraud.adversary import ORDINARY
from casebook.fraud.merchants import Market
from casebook.fraud.people import BLOCK, People, second_of_day
from casebook.fraud.stream import Attempts, Ids, Ints, Stream
from casebook.fraud.world import CHANNELS, DAY, ENTRIES, World

LEAST_CENTS, MOST_CENTS = 20, 1_500_000
Array = NDArray[Any]


@dataclass(frozen=True)
class Bank:
    """What a fraudster finds: holders, merchants, and what the holders do on each of the world's days."""

    world: World
    people: People
    market: Market
    honest: Stream
    days: int

    @cached_property
    def daily_events(self) -> float:
        """Honest events a day, from the first days alone, so that a longer world has the same fraud in them."""
        return len(self._first_days) / min(self.days, BLOCK)

    @cached_property
    def online_share(self) -> float:
        """Share of the honest events that are online, from the first days alone."""
        return float((self._first_days == CHANNELS.index("online")).mean())

    @cached_property
    def _first_days(self) -> NDArray[np.int8]:
        end = np.searchsorted(self.honest.at, min(self.days, BLOCK) * DAY)
        return self.honest.channel[:end]


class Victims:
    """Cards that take part in no episode at present.

    Parameters
    ----------
    cards : int
    hold : bool
        Whether a card that was drawn is taken until its episode ends; False for trials.
    """

    def __init__(self, cards: int, hold: bool = True) -> None:
        self.free_on = np.full(cards, -(10**6), np.int64)
        self._hold = hold

    def copy(self) -> Self:
        """Return the same victims, of whom others may be drawn."""
        new = copy(self)
        new.free_on = self.free_on.copy()
        return new

    def draw(self, size: int, day: int, rng: np.random.Generator, among: Array | None = None) -> Ints:
        """Return at most so many different free cards, and take them for the day.

        Parameters
        ----------
        among : array of int, optional
            The cards from which to choose, repeated as often as they are to be likelier; all cards by default.
        """
        end = len(self.free_on) if among is None else len(among)
        tries = rng.integers(end, size=3 * size + 8) if end else np.zeros(0, np.int64)
        found = self._free(tries if among is None else among[tries], day)
        if len(found) < size:
            rest = self._free(rng.permutation(end if among is None else np.asarray(among)), day)
            found = np.concatenate([found, rest[~np.isin(rest, found)]])
        cards = found[:size].astype(np.int32)
        if self._hold:
            self.free_on[cards] = day + 1
        return cards

    def release(self, card: Ints, at: Ids) -> None:
        """Let cards go on the day after their last attempt."""
        if self._hold:
            np.maximum.at(self.free_on, card, at // DAY + 1)

    def _free(self, cards: Array, day: int) -> Array:
        _, first = np.unique(cards, return_index=True)
        once = cards[np.sort(first)]
        return once[self.free_on[once] <= day]


def several(low: int, high: int, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return ``size`` whole numbers from ``low`` to ``high``, both included."""
    return rng.integers(low, high + 1, size)


def draw_groups(
    victims: Victims, sizes: Array, day: int, rng: np.random.Generator, among: Array | None = None
) -> tuple[NDArray[np.int64], Ints]:
    """Return the episode's number and the card of every card that takes part, episode by episode."""
    groups = [victims.draw(int(size), day, rng, among) for size in sizes]
    number = np.repeat(np.arange(len(sizes)), [len(group) for group in groups])
    return number, np.concatenate([*groups, np.zeros(0, np.int32)]).astype(np.int32)


def running(count: Array, gaps: Array) -> NDArray[np.int64]:
    """Return the sums of gaps within groups of ``count`` rows each; the first of a group is 0.

    Examples
    --------
    >>> running(np.array([2, 3]), np.array([9, 5, 9, 1, 2])).tolist()
    [0, 5, 0, 1, 3]
    """
    total = np.cumsum(gaps)
    starts = (np.cumsum(count) - count)[count > 0]
    return np.asarray(total - np.repeat(total[starts], count[count > 0])).astype(np.int64)


def start_second(people: People, card: Ints, tactic: Array, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return a second of the day: the holder's hours for those who mimic him, any hour for others."""
    luck, other = rng.random((2, len(card)))
    usual = second_of_day(people.hours[card], luck)
    return np.where(ORDINARY[tactic], usual, other * DAY).astype(np.int64)


@dataclass
class Sketch:
    """Attempts before their details are filled in; arrays of shape (n,), and the kind's code.

    ``tactic`` and ``episode`` are per row; devices, networks and addresses may be given for all rows, for what an
    issuer does not see is taken out.
    """

    kind: int
    episode: NDArray[np.int64]
    tactic: Array
    card: Ints
    at: Ids
    merchant: Ints
    entry: Array
    dollars: Array
    device: Ids
    ip: Ids
    address: Ids

    def finish(self, bank: Bank, rng: np.random.Generator) -> Attempts:
        """Return the attempts, in no order of time."""
        n = len(self.card)
        code = np.asarray(self.entry).astype(np.int8)
        app, threeds = code == ENTRIES.index("app"), code == ENTRIES.index("threeds")
        pairs = self.episode * len(bank.people) + self.card
        _, thread = np.unique(pairs, return_inverse=True)
        notice = rng.exponential(bank.world.notice_days * DAY / np.log(2), n)
        return Attempts(
            at=self.at.astype(np.int64),
            card=self.card.astype(np.int32),
            merchant=self.merchant.astype(np.int32),
            terminal=bank.market.terminal_of(self.merchant, rng.random(n)),
            channel=bank.market.channel[self.merchant],
            entry=code,
            cents=np.clip(np.rint(100 * self.dollars), LEAST_CENTS, MOST_CENTS).astype(np.int32),
            device=np.where(app | threeds, self.device, -1),
            ip=np.where(app | threeds, self.ip, -1),
            address=np.where(threeds, self.address, -1),
            luck=rng.random(n, np.float32),
            claim=rng.random(n, np.float32),
            kind=np.full(n, self.kind, np.int8),
            tactic=np.asarray(self.tactic).astype(np.int8),
            episode=self.episode.astype(np.int64),
            thread=thread.astype(np.int64),
            notice=notice[thread].astype(np.int64) if n else np.zeros(0, np.int64),
        )


def hidden(n: int) -> Ids:
    """Return -1 for each of n rows: no device, network or address is seen."""
    return np.full(n, -1, np.int64)
