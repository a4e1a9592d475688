"""Whom the company called in the warehouse's two years: the reps' own choice, the pilot, and calls off the list."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from casebook.churn.latent import Flags, Months, People, risk
from casebook.churn.play import State
from casebook.churn.world import MONTHS, MONTHS_BEFORE, World

PILOT_ENDS = MONTHS - 2  # the first month after the pilot; nobody is called from there until today
REPS_SHARE = 0.7  # share of the capacity that the reps used before there was a list
OFF_LIST = 0.003  # share of the base called a month though no list says so


class History:
    """The rule of the two years; after the play it holds the pilot's arms.

    Attributes
    ----------
    arm : numpy.ndarray of int, shape (n,)
        1 for a call, 0 for the control group, -1 outside the pilot.
    enrolled : numpy.ndarray of int, shape (n,)
        Month of enrolment, -1 outside.
    listed : numpy.ndarray of int8, shape (n, months played)
        Why somebody was called: 0 not, 1 the reps' choice, 2 the pilot, 3 off the list.
    """

    def __init__(self, world: World, people: People, months: Months, base: int, rng: np.random.Generator) -> None:
        self.world, self.people, self.months, self.rng = world, people, months, rng
        self.calls = round(world.capacity * base)
        self.arm = np.full(len(people), -1)
        self.enrolled = np.full(len(people), -1)
        self.listed = np.zeros(months.p.shape, dtype=np.int8)
        self.companies = int(people.account.max()) + 1
        self.queue = rng.permutation(self.companies)

    def __call__(self, state: State) -> Flags:
        """Return who is called in this month; nobody before the warehouse begins."""
        month = state.month - MONTHS_BEFORE
        if month < 0 or month >= PILOT_ENDS:
            return np.zeros_like(state.here)
        here = state.here & (self.people.start < state.month)
        pilot = month >= PILOT_ENDS - self.world.pilot_months
        chosen = self._enrol(state.month, here) if pilot else self._top(here, state.month, self.calls * REPS_SHARE)
        off_list = self._top(here & ~chosen, state.month, OFF_LIST * here.sum())
        self.listed[:, state.month] = np.where(chosen, 2 if pilot else 1, np.where(off_list, 3, 0))
        return chosen | off_list

    def _top(self, here: Flags, month: int, calls: float) -> Flags:
        """Reps see who uses the product less, and hear who grumbles, which no table holds."""
        seen = -self.months.health[:, month] + self.rng.normal(size=len(here))
        heard = risk(self.world, self.people, self.months.health[:, month]) + 0.5 * self.rng.normal(size=len(here))
        rank = np.where(here, (1 - self.world.gut) * seen + self.world.gut * heard, -np.inf)
        chosen = np.zeros_like(here)
        chosen[np.argsort(-rank)[: round(calls)]] = True
        return chosen & here

    def _enrol(self, month: int, here: Flags) -> Flags:
        members = np.bincount(self.people.account[here], minlength=self.companies)
        waiting = self.queue[members[self.queue] > 0]
        taken = waiting[: int(np.searchsorted(np.cumsum(members[waiting]), 2 * self.calls)) + 1]
        self.queue = self.queue[~np.isin(self.queue, taken)]
        arms = np.full(self.companies, -1)
        arms[taken] = _alternate(len(taken), self.rng)
        mine = np.where(here, arms[self.people.account], -1)
        self.arm[mine >= 0], self.enrolled[mine >= 0] = mine[mine >= 0], month
        return np.asarray(mine == 1)


def _alternate(n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Split ``n`` companies into two arms whose sizes differ by one at most."""
    return rng.permutation(np.arange(n) % 2)
