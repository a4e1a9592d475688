"""One past and several futures: a world is played to a day, and each policy goes on from there on the same draws."""

from __future__ import annotations

from copy import copy, deepcopy
from functools import cached_property

import numpy as np
import pandas as pd

from casebook.contracts import refuse
from casebook.fraud.attacks_plan import Bank
from casebook.fraud.day_features import DayFeatures, Decide, Featured
from casebook.fraud.frames import card_table, merchant_table
from casebook.fraud.morning import Morning, Policy
from casebook.fraud.play import Play
from casebook.fraud.simulate import Run, as_run, open_bank
from casebook.fraud.truth import Truth
from casebook.fraud.world import World


class Past:
    """A world that has been played to a day's first second; made by :func:`play_until`.

    A branch copies the log and what fraudsters and holders have in hand, and shares the bank. Honest events, luck and
    plans of later days are those of the world, so that branches are paired: they differ by what policies do, and by
    what fraudsters learn from it.

    Attributes
    ----------
    world : World
    day : int
        First day that a branch plays.
    days : int
        Days of the whole world.
    """

    def __init__(self, bank: Bank, play: Play, day: int, policy: Policy | None) -> None:
        self.world, self.day, self.days = bank.world, day, bank.days
        self._bank, self._play = bank, play
        self._policy = _apart(policy) if isinstance(policy, Featured) else policy

    def go_on(self, policy: Policy | None, *, sees_truth: bool = False) -> Run:
        """Play the days that are left under a policy.

        Parameters
        ----------
        policy : callable, optional
            None allows all. A policy that remembers must be new or come from :meth:`featured` or :meth:`in_force`.
        sees_truth : bool
            As in :func:`casebook.fraud.simulate.simulate`.

        Returns
        -------
        Run
            Its tables and truth are of all days; its ``money`` is of the later days alone.
        """
        play = self._play.copy(sees_truth)
        for day in range(self.day, self.days):
            play.one_day(day, policy)
        return as_run(play, self._bank, self.day)

    def in_force(self) -> Policy | None:
        """Return a copy of the policy that was in force, with all that it remembers."""
        return _apart(self._policy) if isinstance(self._policy, Featured) else deepcopy(self._policy)

    def featured(self, decide: Decide) -> Featured:
        """Return a policy that hands each morning's features to a function and has seen all of the past.

        As :func:`casebook.fraud.day_features.with_features`, but that the past is read once for all branches.
        """
        return _Continued(decide, self._known, len(self.morning.log))

    @cached_property
    def morning(self) -> Morning:
        """What the bank knows at the day's first second: log, decisions, reports and answers."""
        return self._play.morning(self.day)

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The same as the tables of a run, so that nothing of a later day is in them."""
        now = self.morning
        known = {"events": now.log, "decisions": now.decisions, "reports": now.reports, "answers": now.answers}
        return known | {"cards": card_table(self._bank.people), "merchants": merchant_table(self._bank.market)}

    @cached_property
    def truth(self) -> Truth:
        """What the bank does not know of the past; for judges and for stand-ins of an investigator."""
        return self._play.truth()

    @cached_property
    def _known(self) -> DayFeatures:
        known = DayFeatures()
        known.add(self.morning.log)
        known.add_reports(self.morning.reports)
        return known


class _Continued(Featured):
    """A policy with features that begins with what is known of some rows."""

    def __init__(self, decide: Decide, known: DayFeatures, rows: int) -> None:
        super().__init__(decide)
        self._past, self._added = _forked(known), rows


def play_until(
    world: World,
    cards: int,
    days: int,
    rng: np.random.Generator | None = None,
    policy: Policy | None = None,
    *,
    day: int,
) -> Past:
    """Play a bank under a policy up to a day, from where several policies go on.

    Parameters
    ----------
    world : World
    cards, days : int
        As in :func:`casebook.fraud.simulate.simulate`; ``days`` counts the later days too.
    rng : numpy.random.Generator
    policy : callable, optional
        In force until the day; None allows all.
    day : int
        First day that is not played yet, from 1 to ``days`` - 1.

    Returns
    -------
    Past

    Raises
    ------
    ContractError
        As ``simulate``, or if no day is left on one of the two sides.

    Examples
    --------
    >>> past = play_until(World(prevalence=0.01), 300, 12, np.random.default_rng(0), day=8)
    >>> free, blocked = past.go_on(None), past.go_on(lambda morning: np.full(len(morning.events), 3))
    >>> free.money["day"].tolist(), float(blocked.money["loss"].sum())
    ([8, 9, 10, 11], 0.0)
    """
    if not 1 <= day < days:
        refuse("day", f"from 1 to days - 1 = {days - 1}", str(day), "leave days on both sides")
    bank, for_fraud = open_bank(world, cards, days, rng)
    play = Play(bank, for_fraud, sees_truth=False)
    for number in range(day):
        play.one_day(number, policy)
    return Past(bank, play, day, policy)


def _apart(policy: Featured) -> Featured:
    """Return a policy with the same memory, which no longer shares what is written in place."""
    new = copy(policy)
    for name, value in vars(policy).items():
        if isinstance(value, DayFeatures):
            setattr(new, name, _forked(value))
    return new


def _forked(known: DayFeatures) -> DayFeatures:
    """Return a copy whose lists and dicts are its own; arrays and what holds them are replaced and never written."""
    new = copy(known)
    for name, value in vars(known).items():
        if isinstance(value, list | dict):
            setattr(new, name, value.copy())
    return new
