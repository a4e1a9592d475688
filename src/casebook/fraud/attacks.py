"""Episodes day by day: how many of which kind begin, with which tactic, and all that each is to attempt."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy, deepcopy
from dataclasses import replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from casebook.fraud.attacks_online import card_not_present, card_testing
from casebook.fraud.attacks_plan import Array, Bank, Victims
from casebook.fraud.attacks_rings import account_takeover, ring
from casebook.fraud.attacks_terminal import compromised_merchant, stolen_card, wallet
from casebook.fraud.stream import Attempts
from casebook.fraud.world import ALL_KINDS, DAY, TACTICS

Planner = Callable[[Bank, Victims, int, Array, np.random.Generator], Attempts]
PLANNERS: dict[str, Planner] = {
    "card_testing": card_testing,
    "stolen_card": stolen_card,
    "card_not_present": card_not_present,
    "compromised_merchant": compromised_merchant,
    "account_takeover": account_takeover,
    "ring": ring,
    "wallet": wallet,
}
WARM_UP = 40  # days of episodes before the first, so that the first day has as many attempts as any other
TRIALS = 80  # episodes of each kind from which its usual number of attempts is found


class Underworld:
    """All that fraudsters plan in one world.

    Episodes of a kind begin as a Poisson process. Its rate is such that the kind makes its share of the attempts,
    and all kinds together ``prevalence`` of the events, while nothing is stopped. A day's draws are its own: they
    depend on the tactics' weights, and on nothing else that a policy could change.

    Parameters
    ----------
    bank : Bank
    rng : numpy.random.Generator
    """

    def __init__(self, bank: Bank, rng: np.random.Generator) -> None:
        for_trials, self._rng = rng.spawn(2)
        self._bank = bank
        self._victims = Victims(len(bank.people))
        self._days = self._rng.spawn(WARM_UP + bank.days)
        self._episodes, self._threads = 0, 0
        self.size = usual_sizes(bank, for_trials)
        share = bank.world.prevalence
        self._attempts = share / (1 - share) * bank.daily_events

    def copy(self) -> Self:
        """Return the same plans with draws of their own, so that two branches of a world plan alike."""
        new = copy(self)
        new._victims, new._days = self._victims.copy(), deepcopy(self._days)
        return new

    def rates(self, day: int) -> NDArray[np.float64]:
        """Return the expected number of episodes of each kind that begin on a day, shape (7,)."""
        return self._attempts * self._bank.world.shares(max(day, 0)) / self.size

    def plan(self, day: int, weights: NDArray[np.float64]) -> Attempts:
        """Return all attempts of the episodes that begin on a day, with numbers of their own.

        Parameters
        ----------
        day : int
            From ``-WARM_UP`` on.
        weights : array, shape (7, 5)
            Shares of the tactics of each kind.
        """
        parts = []
        for kind, own in enumerate(self._days[day + WARM_UP].spawn(len(ALL_KINDS))):
            begins = int(own.poisson(self.rates(day)[kind]))
            if begins:
                edges = np.cumsum(weights[kind])
                tactic = np.searchsorted(edges / edges[-1], own.random(begins), side="right")
                parts.append(self._numbered(PLANNERS[ALL_KINDS[kind]](self._bank, self._victims, day, tactic, own)))
        found = Attempts.join(parts) if parts else none_planned()
        self._victims.release(found.card, found.at)
        return found

    def before(self, weights: NDArray[np.float64]) -> Attempts:
        """Return what the episodes that began before the first day still attempt."""
        parts = [self.plan(day, weights) for day in range(-WARM_UP, 0)]
        found = Attempts.join(parts)
        return found.take(unnoticed(found) & (found.at >= 0))

    def _numbered(self, part: Attempts) -> Attempts:
        if len(part) == 0:
            return part
        moved = replace(part, episode=part.episode + self._episodes, thread=part.thread + self._threads)
        self._episodes, self._threads = int(moved.episode.max()) + 1, int(moved.thread.max()) + 1
        return moved


def none_planned() -> Attempts:
    """Return no attempts.

    Examples
    --------
    >>> len(none_planned())
    0
    """
    wide, short, code = np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int8)
    luck = np.zeros(0, np.float32)
    first = (wide, short, short, short, code, code, short, wide, wide, wide, luck, luck)
    return Attempts(*first, code, code, wide, wide, wide)


def unnoticed(attempts: Attempts) -> NDArray[np.bool_]:
    """Return which attempts are made if all pass: a thread ends when it is noticed, from the next midnight on."""
    if len(attempts) == 0:
        return np.zeros(0, bool)
    thread = attempts.thread - attempts.thread.min()
    first = np.full(int(thread.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, thread, attempts.at)
    begun = first[thread]
    return (attempts.at < begun + attempts.notice) | (attempts.at // DAY == begun // DAY)


def usual_sizes(bank: Bank, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the mean number of attempts of an episode of each kind while nothing is stopped, shape (7,)."""
    victims = Victims(len(bank.people), hold=False)
    day = 0
    sizes = []
    for name, own in zip(ALL_KINDS, rng.spawn(len(ALL_KINDS)), strict=True):
        tactic = np.arange(TRIALS) % len(TACTICS)
        made = unnoticed(PLANNERS[name](bank, victims, day, tactic, own))
        sizes.append(max(int(made.sum()) / TRIALS, 1.0))
    return np.array(sizes)
