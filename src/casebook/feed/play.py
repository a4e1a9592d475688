"""The two weeks as they happen: sessions, impressions and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casebook.feed.arms import NEW, REST, Arms, day_factors
from casebook.feed.lifts import Lifts, fading, passing_gain
from casebook.feed.people import PACE_SHAPE, SESSION_SHAPE, People
from casebook.feed.world import METRICS, Design, World

CARRY_HALF_LIFE = 7.0  # days until half of an earlier test's effect is gone
_LOAD_SHAPE = 8.0  # gamma shape of one session's load time
_LEAST = -0.95  # a lift below it would leave nothing to see
Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Played:
    """What happened.

    Attributes
    ----------
    totals : dict of str to numpy.ndarray, shape (n,)
        By metric, over the test; ``load_ms`` is summed over sessions.
    first : numpy.ndarray of int, shape (n,)
        Day of the first session in the test; -1 if there was none.
    cells : dict of str to numpy.ndarray, shape (cells,)
        The two arms' user-days with a session: ``row``, ``day``, ``days_since_exposure`` and the metrics.
    """

    totals: Columns
    first: NDArray[np.int32]
    cells: Columns


def outcomes(
    world: World, people: People, row: NDArray[Any], sessions: NDArray[Any], lift: NDArray[Any], new: NDArray[Any],
    rng: np.random.Generator,
) -> Columns:  # fmt: skip
    """Draw what follows from sessions, whether they are a day's or two weeks': every part adds up over days.

    Parameters
    ----------
    row : numpy.ndarray of int, shape (k,)
        Whose sessions they are.
    sessions, lift, new : numpy.ndarray, shape (k,)
        How many, what is seen more in them, and whether they were on the new ranker.
    """
    depth = people.depth[row] * (1 + np.maximum(lift, _LEAST))
    seen = rng.poisson(rng.gamma(SESSION_SHAPE * sessions, depth / SESSION_SHAPE))
    drawn = {"sessions": sessions, "impressions": seen}
    for name, effect in (("click", world.click_effect), ("like", world.like_effect), ("hide", world.hide_effect)):
        chance = np.clip(getattr(people, name)[row] * (1 + effect * new), 0, 1)
        drawn[f"{name}s"] = rng.binomial(seen, chance)
    drawn["minutes"] = rng.gamma(PACE_SHAPE * seen, people.pace[row] / PACE_SHAPE)
    load = people.load[row] * (1 + world.load_effect * new)
    drawn["load_ms"] = rng.gamma(_LOAD_SHAPE * sessions, load / _LOAD_SHAPE)
    return drawn


def play_before(world: World, people: People, arms: Arms, rng: np.random.Generator) -> Columns:
    """Draw the 14 days before the test; an earlier test's effect is in them where there was one."""
    row = np.arange(len(people))
    lift = world.carry_over * ((arms.arm == NEW) & ~people.bot)
    sessions = rng.poisson(people.visits_before * people.days_before())
    return outcomes(world, people, row, sessions, lift, np.zeros(len(people), bool), rng)


def play_test(
    world: World, design: Design, people: People, arms: Arms, lifts: Lifts, rng: np.random.Generator
) -> Played:
    """Draw the test: user-days for the two arms, totals for the rest; the lost do nothing."""
    in_arms = np.flatnonzero((arms.arm != REST) & ~arms.lost)
    rest = np.flatnonzero(arms.arm == REST)
    first = np.full(len(people), -1, np.int32)
    cells = _arms_days(world, design, people, arms, lifts, in_arms, rng)
    starts = cells["days_since_exposure"] == 0
    first[cells["row"][starts]] = cells["day"][starts]
    others, first[rest] = _rest(world, design, people, lifts, rest, rng)
    totals = {}
    for name in METRICS:
        totals[name] = np.bincount(cells["row"], weights=cells[name], minlength=len(people))
        totals[name][rest] = others[name]
        if name not in ("minutes", "load_ms"):
            totals[name] = totals[name].astype(np.int32)
    return Played(totals, first, cells)


def _arms_days(
    world: World, design: Design, people: People, arms: Arms, lifts: Lifts, who: NDArray[Any], rng: np.random.Generator
) -> Columns:
    factors = day_factors(world, design.days)
    new = arms.arm[who] == NEW
    factor = np.where(new[:, None], factors["new"], factors["old"])
    here = np.arange(design.days) >= arms.entry[who, None]
    sessions = rng.poisson(people.visits[who, None] * factor * here)
    at, day = np.nonzero(sessions)
    row, age = who[at], day - (sessions > 0).argmax(axis=1)[at]
    steady = np.where(arms.arm == NEW, lifts.steady["test_new"], lifts.steady["test_old"])[row]
    lift = steady + new[at] * passing_gain(world, age) + lifts.supply["test_new"] * lifts.grown(day)
    carried = world.carry_over * new[at] * fading(day, CARRY_HALF_LIFE)
    lift = np.where(people.bot[row], 0.0, (1 + lift) * (1 + carried) - 1)
    drawn = outcomes(world, people, row, sessions[at, day], lift, new[at], rng)
    return {"row": row, "day": day, "days_since_exposure": age, **drawn}


def _rest(
    world: World, design: Design, people: People, lifts: Lifts, who: NDArray[Any], rng: np.random.Generator
) -> tuple[Columns, NDArray[np.int32]]:
    """Draw the totals of those outside the test, and the day of each one's first session."""
    factor = day_factors(world, design.days)["old"]
    until = np.concatenate([[0.0], np.cumsum(factor)])
    start = until[np.maximum(people.joined[who], 0)]
    sessions = rng.poisson(people.visits[who] * (until[-1] - start))
    # The earliest of k sessions that are spread over the days left: the least of k uniforms.
    with np.errstate(divide="ignore"):
        least = -np.expm1(np.log1p(-rng.random(len(who))) / sessions)
    first = np.searchsorted(until, start + least * (until[-1] - start), side="right") - 1
    first = np.where(sessions > 0, np.minimum(first, design.days - 1), -1)
    grown = float(factor @ lifts.grown(np.arange(design.days)) / factor.sum())
    lift = (1 + lifts.steady["test_old"][who] + lifts.supply["test_old"] * grown) * (1 + world.code_path) - 1
    lift = np.where(people.bot[who], 0.0, lift)
    return outcomes(world, people, who, sessions, lift, np.zeros(len(who), bool), rng), first.astype(np.int32)
