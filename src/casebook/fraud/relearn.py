"""A policy that fits its model anew every few weeks, to the labels that it has got by then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.contracts import BoolArray, FloatArray, refuse
from casebook.decisions import undo_undersampling
from casebook.fraud.boosted import Fit, Predict, fit_boosted
from casebook.fraud.branch import Past, play_until
from casebook.fraud.in_force import COLUMNS
from casebook.fraud.lessons import Teach, remember
from casebook.fraud.morning import Morning
from casebook.fraud.outcomes import PASSED, STOPPED
from casebook.fraud.recorder import Recorded
from casebook.fraud.simulate import Run
from casebook.fraud.stream import Codes
from casebook.fraud.world import World

KEEP = 0.2  # of the rows that are no known fraud
Features = NDArray[np.float32]


@dataclass(frozen=True)
class Start:
    """A bank that has allowed all, with the features of what it saw; made by :func:`allow_until`.

    Attributes
    ----------
    past : Past
    features : array of float32, shape (n, k)
    seed : int
    """

    past: Past
    features: Features
    seed: int


def allow_until(world: World, cards: int, days: int, seed: int, *, day: int) -> Start:
    """Play a bank without a model up to a day, from where several banks go on with one.

    Parameters
    ----------
    world : World
    cards, days : int
        ``days`` counts the later days too.
    seed : int
        One seed is one world, and one set of draws for those who go on.
    day : int
        The first day with a model, from 1 to ``days`` - 1.

    Returns
    -------
    Start

    Raises
    ------
    ContractError
        As :func:`casebook.fraud.branch.play_until`.
    """
    recorder = Recorded()
    past = play_until(world, cards, days, np.random.default_rng(seed), recorder, day=day)
    return Start(past, recorder.features.to_numpy()[:, COLUMNS], seed)


class Decision(NamedTuple):
    """What is done about a day's events; arrays of shape (n,).

    Attributes
    ----------
    action : codes into ``ACTIONS``.
    chance : with which each event was to pass, before any coin was thrown.
    """

    action: Codes
    chance: FloatArray


Decide = Callable[[Morning, FloatArray], Decision]


@dataclass(frozen=True)
class Learned:
    """A run in which models were fitted anew, and what each of them said.

    Attributes
    ----------
    run : Run
        ``money`` is of the days with a model.
    first, every : int
        The first day with a model, and the days between fits.
    scores : pandas.DataFrame
        One row an event from the first fit on: ``event_id``, ``day``, ``chance``, and of each teacher's model the
        probability, as it was on the day. The first teacher's model decided.
    """

    run: Run
    first: int
    every: int
    scores: pd.DataFrame

    @property
    def teachers(self) -> list[str]:
        """Names of the teachers, that of the model which decided first."""
        return list(self.scores.columns[3:])

    def judged(self) -> pd.DataFrame:
        """Return the scores with what became of the events and the truth about them.

        Returns
        -------
        pandas.DataFrame
            ``scores`` with ``round`` (number of the fit), ``card_id``, ``fraud``, ``kind``, ``loss`` (dollars if it
            passes), ``passed`` and ``live``: false for events on cards that were stopped already, about which no model
            decides.
        """
        ids = self.scores["event_id"].to_numpy()
        truth = self.run.truth.events
        outcome = self.run.tables["decisions"]["outcome"].cat.codes.to_numpy()[ids]
        return self.scores.assign(
            round=(self.scores["day"].to_numpy() - self.first) // self.every,
            card_id=self.run.tables["events"]["card_id"].to_numpy()[ids],
            fraud=truth["fraud"].to_numpy()[ids],
            kind=truth["kind"].iloc[ids].to_numpy(),
            loss=truth["loss_dollars"].to_numpy()[ids],
            passed=outcome == PASSED,
            live=outcome != STOPPED,
        )


@dataclass
class _Diary:
    """What the policy has seen and said, a list entry a day but for the first, which is all before."""

    features: list[Features]
    chance: list[FloatArray]
    draws: list[FloatArray]
    fraud: list[BoolArray]
    scores: list[pd.DataFrame] = field(default_factory=list)


class Relearner:
    """What decides, with a model that is fitted anew; the models of other teachers are scored beside it.

    All models of a day are fitted to the same draw of the rows without a known fraud, so that they differ by their
    labels alone: teachers who say the same make the same model.

    Parameters
    ----------
    start : Start
    decide : callable
        ``decide(morning, p)`` returns a :class:`Decision`; p, shape (n,), is the first teacher's model.
    teachers : mapping of str to callable
        ``teach(memory)`` returns a :class:`casebook.fraud.lessons.Lesson`.
    every : int
        Days from one fit to the next.
    fit : callable
        ``fit(X, y, weight)`` returns a function from rows to probabilities.
    """

    def __init__(self, start: Start, decide: Decide, teachers: Mapping[str, Teach], every: int, fit: Fit) -> None:
        self._first, self._decide, self._teachers, self._every, self._fit = start.past.day, decide, teachers, every, fit
        self._rng = np.random.default_rng([start.seed, 1])
        self._models: dict[str, Predict] = {}
        n = len(start.features)
        fraud = start.past.truth.events["fraud"].to_numpy()
        self.diary = _Diary([start.features], [np.ones(n)], [self._rng.random(n)], [fraud])

    def __call__(self, morning: Morning, features: pd.DataFrame) -> Codes:
        """Return an action for each event of the day."""
        if (morning.day - self._first) % self._every == 0:
            self._learn(morning)
        rows = features.to_numpy(np.float32)[:, COLUMNS]
        found = {name: predict(rows) for name, predict in self._models.items()}
        decided = self._decide(morning, next(iter(found.values())))
        self.diary.features.append(rows)
        self.diary.chance.append(decided.chance)
        self.diary.draws.append(self._rng.random(len(rows)))
        if morning.fraud is not None:
            self.diary.fraud.append(morning.fraud)
        told = {"event_id": features.index.to_numpy(), "day": morning.day, "chance": decided.chance}
        self.diary.scores.append(pd.DataFrame(told | found))
        return decided.action

    def _learn(self, morning: Morning) -> None:
        diary = self.diary
        features = np.concatenate(diary.features)
        draws, chance = (np.concatenate(part) for part in (diary.draws, diary.chance))
        memory = remember(morning, chance, np.concatenate(diary.fraud) if morning.fraud is not None else None)
        for name, teach in self._teachers.items():
            rows, y, weight = teach(memory)
            rare = chance < 1  # the few that the bank wanted to block are all kept
            taken = np.flatnonzero(rows & (y | rare | (draws < KEEP)))
            stands_for = weight[taken] * np.where(rare[taken] & ~y[taken], KEEP, 1.0)
            self._models[name] = _undone(self._fit(features[taken], y[taken], stands_for))


def _undone(predict: Predict) -> Predict:
    """Return the probabilities as they would be had no rows been left out."""
    return lambda rows: undo_undersampling(np.clip(predict(rows), 0, 1), KEEP)


def learn(
    start: Start,
    decide: Decide,
    teachers: Mapping[str, Teach],
    every: int,
    *,
    sees_truth: bool = False,
    fit: Fit = fit_boosted,
) -> Learned:
    """Play the days that are left with a model that is fitted anew, see :class:`Relearner`.

    Parameters
    ----------
    start : Start
    decide, teachers, every, fit
        As in :class:`Relearner`.
    sees_truth : bool
        Whether teachers see the truth: for oracles.

    Returns
    -------
    Learned

    Raises
    ------
    ContractError
        No teacher, days between fits below 1, or a teacher who wants a truth that is not shown.

    Examples
    --------
    >>> from casebook.fraud.lessons import Lesson
    >>> allow = lambda morning, p: Decision(np.zeros(len(p), np.int8), np.ones(len(p)))
    >>> reports = lambda memory: Lesson(memory.passed, memory.reported, np.ones(len(memory.age)))
    >>> start = allow_until(World(prevalence=0.02), 300, 12, 0, day=10)
    >>> found = learn(start, allow, {"reports": reports}, every=10)
    >>> found.scores.columns.tolist(), found.scores["day"].unique().tolist()
    (['event_id', 'day', 'chance', 'reports'], [10, 11])
    """
    if not teachers:
        refuse("teachers", "one or more", "none", "give a dict of functions")
    if every < 1:
        refuse("every", "1 or more", str(every), "count in days")
    relearner = Relearner(start, decide, teachers, every, fit)
    run = start.past.go_on(start.past.featured(relearner), sees_truth=sees_truth)
    return Learned(run, start.past.day, every, pd.concat(relearner.diary.scores, ignore_index=True))
