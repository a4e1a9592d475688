"""A model in force: fitted to what the bank knows by a midnight, refitted by a schedule, its scores written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import refuse
from casebook.decisions import undo_undersampling
from casebook.fraud.feature_spec import FEATURES
from casebook.fraud.labelled import known_labels, report_delays, sample_rows
from casebook.fraud.morning import Morning
from casebook.fraud.outcomes import ALLOW, BLOCK, PUSH
from casebook.fraud.recorder import Recorded
from casebook.fraud.world import DAY

Floats = npt.NDArray[np.floating[Any]]
Score = Callable[[Floats], npt.NDArray[np.float64]]
Fit = Callable[[Floats, npt.NDArray[np.bool_], npt.NDArray[np.float64], np.random.Generator], Score]

AGEING = ("card_count", "card_max_cents")  # they grow with the log, so that a model has never seen tomorrow's values
COLUMNS = tuple(place for place, name in enumerate(FEATURES) if name not in AGEING)
CUT_DAYS = 7  # days before a fit whose scores set the cuts
MOST_WEIGHT = 5.0  # that one fraud may stand for those of its age which are not reported yet
_TREES: dict[str, Any] = {
    **{"n_estimators": 50, "learning_rate": 0.1, "num_leaves": 12, "min_child_samples": 20, "max_bin": 63},
    **{"verbose": -1, "n_jobs": 1, "deterministic": True, "force_row_wise": True},
}


def fit_light(x: Floats, y: npt.NDArray[np.bool_], weight: npt.NDArray[np.float64], rng: np.random.Generator) -> Score:
    """Fit a few boosted trees on one thread.

    Parameters
    ----------
    x : array, shape (n, k)
    y : array of bool, shape (n,)
        Both classes present.
    weight : array, shape (n,)
    rng : numpy.random.Generator
        For the library's seed.

    Returns
    -------
    callable
        From an array of shape (m, k) to probabilities, shape (m,).

    Examples
    --------
    >>> x = np.arange(200.0)[:, None]
    >>> score = fit_light(x, x[:, 0] > 150, np.ones(200), np.random.default_rng(0))
    >>> bool(score(np.array([[190.0]]))[0] > score(np.array([[10.0]]))[0])
    True
    """
    booster = lightgbm.LGBMClassifier(**_TREES, random_state=int(rng.integers(2**31)))
    trees = booster.fit(x, y, sample_weight=weight).booster_
    return lambda values: np.asarray(trees.predict(values, num_threads=1), dtype=np.float64)


@dataclass(frozen=True)
class Schedule:
    """When a model is fitted, to what, and how many events it may touch.

    Parameters
    ----------
    start : int
        First day in force, and day of the first fit; all passes before.
    every : int
        Days between fits; 0: never again.
    window : int
        Days before a fit whose events it is fitted to.
    push, block : float
        Share of the last week's events whose scores would be pushed or more, and blocked.

    Raises
    ------
    ContractError
        A day or a share out of its range, or more blocks than pushes.

    Examples
    --------
    >>> Schedule(start=0)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: Schedule, start must be 1 or more, got 0; leave days from which to learn.
    """

    start: int = 42
    every: int = 0
    window: int = 28
    push: float = 0.01
    block: float = 0.001

    def __post_init__(self) -> None:
        least = {"start": 1, "every": 0, "window": CUT_DAYS}
        for part in fields(self):
            value = getattr(self, part.name)
            if part.name in least and value < least[part.name]:
                mend = "leave days from which to learn"
                refuse(f"Schedule, {part.name}", f"{least[part.name]} or more", str(value), mend)
        if not 0 <= self.block <= self.push <= 1:
            got = f"{self.block:g} and {self.push:g}"
            refuse("Schedule, block and push", "shares with block at most push", got, "give shares such as 0.001")

    def fits(self, day: int) -> bool:
        """Return whether a model is fitted on a day's first second.

        Examples
        --------
        >>> [day for day in range(40) if Schedule(start=20, every=7).fits(day)]
        [20, 27, 34]
        """
        since = day - self.start
        return since == 0 or (since > 0 and self.every > 0 and since % self.every == 0)


@dataclass(frozen=True)
class Fitted:
    """A model of one midnight with its cuts; scores above them are pushed, and blocked.

    Attributes
    ----------
    score : callable
        From features, shape (m, len(FEATURES)), to the probability that an event will be disputed, shape (m,).
    push, block : float
    rows, frauds : int
        What it was fitted to.
    """

    score: Score
    push: float
    block: float
    rows: int
    frauds: int

    def actions(self, p: npt.NDArray[np.float64]) -> npt.NDArray[np.int8]:
        """Return the action for each score."""
        return np.where(p > self.block, BLOCK, np.where(p > self.push, PUSH, ALLOW)).astype(np.int8)


def fit_known(
    morning: Morning, features: pd.DataFrame, schedule: Schedule, rng: np.random.Generator, fit: Fit = fit_light
) -> Fitted:
    """Fit a model to the window's events and what is known of them by the morning.

    Known frauds are those disputed or denied by then. One of an age at which a third of the reports have come
    counts for three, so that the model promises what will be reported in the end. One in twenty of the other rows is
    kept, which the score undoes.

    Parameters
    ----------
    morning : Morning
    features : pandas.DataFrame
        Of all events of the log, in its order, and perhaps more.
    schedule : Schedule
    rng : numpy.random.Generator
    fit : callable, optional

    Returns
    -------
    Fitted
    """
    now, log = morning.day * DAY, morning.log
    tables = {"events": log, "decisions": morning.decisions, "reports": morning.reports, "answers": morning.answers}
    first = max(morning.day - schedule.window, 0)
    y = known_labels(tables, now, first_day=first, answers=True)
    sample = sample_rows(y, rng)
    ids, fraud = y.index.to_numpy()[sample.rows], (y.iloc[sample.rows] == 1).to_numpy(dtype=bool)
    weight = np.where(fraud, standing_for(tables, now, ids), 1.0)
    inner = fit(features.to_numpy()[ids][:, COLUMNS], fraud, weight, rng)

    def score(values: Floats) -> npt.NDArray[np.float64]:
        return np.asarray(undo_undersampling(np.clip(inner(values[:, COLUMNS]), 0, 1), sample.kept))

    late = int(np.searchsorted(log["at"].to_numpy(), now - CUT_DAYS * DAY))
    push, block = np.quantile(score(features.to_numpy()[late : len(log)]), [1 - schedule.push, 1 - schedule.block])
    return Fitted(score, float(push), float(block), len(ids), int(fraud.sum()))


def standing_for(tables: Mapping[str, pd.DataFrame], now: int, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return how many frauds of its age a reported one stands for, at most ``MOST_WEIGHT``; shape (n,).

    Denials are known at once, but those who deny are not those whose frauds pass; they are weighted alike.
    """
    curve = report_delays(tables, now)
    age = (now - tables["events"]["at"].to_numpy()[ids]) / DAY
    return np.asarray(1 / np.maximum(np.interp(age, curve["days"], curve["known"]), 1 / MOST_WEIGHT))


class InForce:
    """A policy that allows all until its start and follows its own models from there on; one for each run.

    Parameters
    ----------
    schedule : Schedule
    rng : numpy.random.Generator
    fit : callable, optional

    Examples
    --------
    >>> from casebook.fraud.simulate import simulate
    >>> from casebook.fraud.world import World
    >>> policy = InForce(Schedule(start=20, every=7), np.random.default_rng(1))
    >>> run = simulate(World(prevalence=0.02), 600, 30, np.random.default_rng(0), policy)
    >>> [day for day, _ in policy.models]
    [20, 27]
    >>> bool((run.tables["decisions"]["action"] > 0).any())
    True
    """

    def __init__(self, schedule: Schedule, rng: np.random.Generator, fit: Fit = fit_light) -> None:
        self._schedule, self._rng, self._fit = schedule, rng, fit
        self._recorder = Recorded(self._decide)
        self._scores: list[npt.NDArray[np.float64]] = []
        self.models: list[tuple[int, Fitted]] = []

    def __call__(self, morning: Morning) -> npt.NDArray[Any]:
        """Return an action for each event of the day."""
        return self._recorder(morning)

    @property
    def features(self) -> pd.DataFrame:
        """Features of all events so far, as :attr:`casebook.fraud.recorder.Recorded.features`."""
        return self._recorder.features

    def _decide(self, morning: Morning, features: pd.DataFrame) -> npt.NDArray[np.int8]:
        if self._schedule.fits(morning.day):
            fitted = fit_known(morning, self.features, self._schedule, self._rng, self._fit)
            self.models.append((morning.day, fitted))
        if not self.models:
            self._scores.append(np.full(len(features), np.nan))
            return np.zeros(len(features), np.int8)
        model = self.models[-1][1]
        self._scores.append(model.score(features.to_numpy()))
        return model.actions(self._scores[-1])

    def scored(self, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """Return the log with what was decided: events, ``action``, ``outcome`` and ``p``, missing before the start.

        Parameters
        ----------
        tables : mapping of str to pandas.DataFrame
            Of the run that this policy was in force in.
        """
        events = tables["events"]
        p = np.concatenate([*self._scores, np.zeros(0)])
        if len(p) != len(events):
            refuse("tables", f"of the policy's own run of {len(p)} events", str(len(events)), "pass that run's")
        decided = tables["decisions"]
        return events.assign(action=decided["action"].to_numpy(), outcome=decided["outcome"].to_numpy(), p=p)
