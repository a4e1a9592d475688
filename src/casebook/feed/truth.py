"""What no company knows: what the new ranker does to everybody, against what a test of it can see."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.contracts import refuse
from casebook.feed.arms import CONTROL, NEW, Arms, day_factors
from casebook.feed.lifts import REGIMES, Lifts, expected_fading, passing_gain
from casebook.feed.people import People
from casebook.feed.world import COHORTS, METRICS, WEEK, Design, World

_GRID = 400  # points of visits at which the wait for a first session is worked out
_WEEK = len(WEEK)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """A mean per person on the old ranker and on the new one.

    Examples
    --------
    >>> round(Change(50.0, 51.0).relative, 3)
    0.02
    """

    old: float
    new: float

    @property
    def absolute(self) -> float:
        """New less old, in the metric's unit."""
        return self.new - self.old

    @property
    def relative(self) -> float:
        """New less old, as a share of old."""
        return self.new / self.old - 1


@dataclass(frozen=True)
class Truth:
    """Expected outcomes of every person under each regime, with nothing left to luck but the traits.

    Persons are all accounts that are no bots, whether or not they ever come; crashes, outages, another code path and
    an earlier test are no part of a ranker's effect and left out, everybody's blackout is in.

    Attributes
    ----------
    world, design : what was played.
    people : People
        Traits, in the order of the ids.
    arms : Arms
        The assignment as drawn, with those who were lost.
    lifts : Lifts
    community : numpy.ndarray of int, shape (n,)
        The planted communities, which are not the clusters of an analyst.
    """

    world: World
    design: Design
    people: People
    arms: Arms
    lifts: Lifts
    community: NDArray[np.int32]

    def total(self, metric: str = "minutes", cohort: str | None = None) -> Change:
        """Return the effect of putting everybody on the new ranker, over the test's days."""
        return self._change("all_old", "all_new", metric, cohort)

    def direct(self, metric: str = "minutes", cohort: str | None = None) -> Change:
        """Return what a person's own ranker does while the test runs as designed: what the arms' difference aims at."""
        return self._change("test_old", "test_new", metric, cohort)

    def contrast(self, metric: str = "minutes") -> float:
        """Return the relative difference of the two arms that the test shows but for luck.

        Each arm's expected outcome in the test is taken against the same people's on the old ranker, so that who fell
        into which arm plays no part. Friends are in it: where clusters were randomised, more of them are on one side.
        """
        now, logged = {}, self._person & ~self.arms.lost
        for arm, regime in ((NEW, "test_new"), (CONTROL, "test_old")):
            rows = logged & (self.arms.arm == arm)
            now[arm] = self.potential(regime, metric)[rows].sum() / self.potential("all_old", metric)[rows].sum()
        return float(now[NEW] / now[CONTROL] - 1)

    def potential(self, regime: str, metric: str = "minutes") -> Floats:
        """Return each account's expected outcome over the test's days, shape (n,); 0 for bots.

        Parameters
        ----------
        regime : str
            One of ``REGIMES``.
        metric : str
            One of ``METRICS``; ``load_ms`` is the mean of a session and not a sum.
        """
        self._check(regime, metric)
        scale = self._per_visit(regime, metric)
        if metric == "load_ms":
            return scale
        return scale * sum(self._visits(day) * self._seen(regime, day, metric) for day in range(self.design.days))

    def by_cohort(self, metric: str = "minutes") -> pd.DataFrame:
        """Return a row a cohort: persons, and the relative effects ``total`` and ``direct``."""
        count = np.bincount(self.people.cohort[self._person], minlength=len(COHORTS))
        here = [cohort for cohort, persons in zip(COHORTS, count, strict=True) if persons]
        effects = {
            name: [effect(metric, cohort).relative for cohort in here]
            for name, effect in (("total", self.total), ("direct", self.direct))
        }
        return pd.DataFrame({"cohort": here, "persons": count[count > 0], **effects})

    def by_day(self) -> pd.DataFrame:
        """Return a row a day of the test: the relative effects ``total`` and ``direct`` on minutes."""
        sums = {
            regime: np.array([
                float(self._per_visit(regime, "minutes") @ (self._visits(day) * self._seen(regime, day, "minutes")))
                for day in range(self.design.days)
            ])
            for regime in REGIMES
        }  # fmt: skip
        total = sums["all_new"] / sums["all_old"] - 1
        return pd.DataFrame(
            {"day": np.arange(len(total)), "total": total, "direct": sums["test_new"] / sums["test_old"] - 1}
        )

    def by_age(self, days: int = 28) -> pd.DataFrame:
        """Return the own lift of a person on the new ranker in the test, by days since the first one on it."""
        age = np.arange(days)
        gap = self.lifts.steady["test_new"] - self.lifts.steady["test_old"]
        lasting = float(self.people.use(self.design.days) @ gap)
        return pd.DataFrame({"days_since_exposure": age, "lift": lasting + passing_gain(self.world, age)})

    def launch(self, day: int = 180, metric: str = "minutes", mended: bool = True) -> Change:
        """Return the effect of a launch to everybody after so many days, per person and day of the week that ends then.

        Parameters
        ----------
        day : int
            Days since the launch, 6 or more.
        metric : str
            One of ``METRICS``.
        mended : bool
            With False the client is launched as it was tested, and those on whose phones it crashes are gone.
        """
        self._check("all_new", metric)
        if day < _WEEK - 1:
            refuse("day", f"{_WEEK - 1} or more, for a whole week", str(day), "read shorter times from by_day")
        stay = 1.0 if mended else 1 - self.arms.crash
        if metric == "load_ms":
            return self._mean(self._per_visit("all_old", metric), self._per_visit("all_new", metric))
        week = np.arange(day - _WEEK + 1, day + 1)
        lift = self.lifts.steady["all_new"] + self.lifts.supply["all_new"] * self.lifts.grown(week).mean()
        lift = lift + self._passing_after(day, week)
        use = self._person * self.people.visits
        seen = 1.0 if metric == "sessions" else 1 + lift
        return self._mean(
            use * self._per_visit("all_old", metric), use * self._per_visit("all_new", metric) * seen * stay
        )

    @property
    def _person(self) -> NDArray[np.bool_]:
        return ~self.people.bot

    @cached_property
    def _factors(self) -> Floats:
        return day_factors(self.world, self.design.days, incidents=False)["old"]

    @cached_property
    def _novelty(self) -> Floats:
        """What novelty and primacy are expected to do on each day of the test, shape (n, days)."""
        return self._passing(self.people.visits, self._factors, np.maximum(self.people.joined, 0))

    def _passing(self, visits: NDArray[np.floating], factors: Floats, start: NDArray[np.integer]) -> Floats:
        gains = ((self.world.novelty, self.world.half_life), (-self.world.primacy, self.world.primacy_half_life))
        parts = [size * expected_fading(visits, factors, start, half_life) for size, half_life in gains if size]
        return np.asarray(sum(parts)) if parts else np.zeros((1, len(factors)))

    def _passing_after(self, day: int, week: NDArray[np.integer]) -> Floats:
        factors = np.resize(WEEK, day + 1).astype(float)
        visits = np.maximum(self.people.visits, 1e-6)
        grid = np.geomspace(visits.min(), visits.max() * 1.001, _GRID)
        gain = self._passing(grid, factors, np.zeros(_GRID, int))[:, week] @ factors[week] / factors[week].sum()
        return np.interp(np.log(visits), np.log(grid), np.broadcast_to(gain, _GRID))

    def _visits(self, day: int) -> Floats:
        return np.asarray(self._person * self.people.visits * self._factors[day] * (self.people.joined <= day))

    def _seen(self, regime: str, day: int, metric: str) -> Floats | float:
        if metric == "sessions":
            return 1.0
        lift = 1 + self.lifts.steady[regime] + self.lifts.supply[regime] * float(self.lifts.grown(np.array(day)))
        return lift + self._novelty[:, day] if regime.endswith("new") else lift

    def _per_visit(self, regime: str, metric: str) -> Floats:
        world, people = self.world, self.people
        rate, effect = {
            "clicks": (people.click, world.click_effect),
            "likes": (people.like, world.like_effect),
            "hides": (people.hide, world.hide_effect),
            "minutes": (people.pace, 0.0),
            "impressions": (1.0, 0.0),
            "load_ms": (people.load, world.load_effect),
            "sessions": (1.0, 0.0),
        }[metric]
        depth = 1.0 if metric in ("load_ms", "sessions") else people.depth.astype(float)
        return np.asarray(self._person * depth * np.asarray(rate, float) * (1 + effect * regime.endswith("new")))

    def _change(self, old: str, new: str, metric: str, cohort: str | None) -> Change:
        if cohort is not None and cohort not in COHORTS:
            refuse("cohort", "one of " + ", ".join(COHORTS), repr(cohort), "name one of them")
        rows = None if cohort is None else self.people.cohort == COHORTS.index(cohort)
        return self._mean(self.potential(old, metric), self.potential(new, metric), rows)

    def _mean(self, old: Floats, new: Floats, rows: NDArray[np.bool_] | None = None) -> Change:
        here = self._person if rows is None else self._person & rows
        return Change(float(old[here].mean()), float(new[here].mean()))

    def _check(self, regime: str, metric: str) -> None:
        for what, value, allowed in (("regime", regime, REGIMES), ("metric", metric, METRICS)):
            if value not in allowed:
                refuse(what, "one of " + ", ".join(allowed), repr(value), "name one of them")
