"""By how much each user sees more than on the old ranker: the one model behind the play and the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casebook.feed.arms import Arms
from casebook.feed.creators import Creators
from casebook.feed.graph import Friends
from casebook.feed.people import People
from casebook.feed.world import Design, World

REGIMES = ("all_old", "all_new", "test_old", "test_new")
"""Everybody on one ranker; or the test as designed, with the user on one ranker."""
Floats = NDArray[np.float64]


def learnt(world: World, design: Design) -> dict[str, float]:
    """Return the share of ``effect`` that a ranker of each regime shows, by the log from which it learns.

    With a shared log the test's share of new users decides; each arm's own log removes the exchange and costs the
    new ranker its ``appetite``.

    Examples
    --------
    >>> learnt(World(symbiosis=0.5), Design())
    {'all_old': 0.0, 'all_new': 1.0, 'test_old': 0.025, 'test_new': 0.525}
    >>> learnt(World(symbiosis=0.5, appetite=0.1), Design(log="diverted"))
    {'all_old': 0.0, 'all_new': 1.0, 'test_old': 0.0, 'test_new': 0.9}
    """
    if design.log == "diverted":
        old, new = 0.0, 1 - world.appetite
    else:
        old, new = world.symbiosis * design.new, 1 - world.symbiosis * (1 - design.new)
    return {"all_old": 0.0, "all_new": 1.0, "test_old": old, "test_new": new}


def lasting_gain(world: World, people: People, use: Floats) -> Floats:
    """Return what the new ranker adds for good to each user, shape (n,); bots do not care for rankers.

    ``use`` are the users' shares of all minutes, over which the mean is ``effect`` whatever the gap.
    """
    new = people.cohort == 0
    share = float(use[new].sum())
    gap = world.cohort_gap if 0 < share < 1 else 0.0
    gain = world.effect + np.where(new, gap, -gap * share / (1 - share) if gap else 0.0)
    return np.where(people.bot, 0.0, gain)


def fading(age: NDArray[Any], half_life: float) -> Floats:
    """Return what is left after ``age`` days of something that halves every ``half_life`` days.

    Examples
    --------
    >>> fading(np.array([0, 4, 8]), 4.0).tolist()
    [1.0, 0.5, 0.25]
    """
    return np.asarray(0.5 ** (age / half_life))


def passing_gain(world: World, age: NDArray[Any]) -> Floats:
    """Return what novelty adds and primacy takes, by days since the first day on the new ranker."""
    shown = world.novelty * fading(age, world.half_life)
    return np.asarray(shown - world.primacy * fading(age, world.primacy_half_life))


def expected_fading(visits: NDArray[Any], factors: Floats, start: NDArray[Any], half_life: float) -> Floats:
    """Return the expectation of :func:`fading` over the sessions of each day, shape (n, days).

    A user's age on a day counts from the first day with a session, which is itself drawn: sessions are Poisson with
    mean ``visits * factors`` from day ``start`` on.

    Examples
    --------
    >>> often, seldom = 50.0, 0.001
    >>> expected_fading(np.array([often, seldom]), np.ones(3), np.zeros(2), 1.0).round(2).tolist()
    [[1.0, 0.5, 0.25], [1.0, 1.0, 1.0]]
    """
    waiting, left = np.ones(len(visits)), np.zeros(len(visits))
    days = np.empty((len(visits), len(factors)))
    for day, factor in enumerate(factors):
        days[:, day] = waiting + left
        first = waiting * -np.expm1(-visits * factor * (start <= day))
        waiting = waiting - first
        left = (left + first) * 0.5 ** (1 / half_life)
    return days


@dataclass(frozen=True)
class Lifts:
    """What each user sees more in each regime, as shares of the old ranker's.

    Attributes
    ----------
    world : World
    steady : dict of str to numpy.ndarray, shape (n,)
        By regime: the lasting part, from the user's own ranker and from friends.
    supply : dict of str to float
        By regime: what creators' answer adds in the end, for everybody.
    share_new, mean : float
        Share of what is seen in the test that the new ranker serves, and the mean lasting lift there.
    """

    world: World
    steady: dict[str, Floats]
    supply: dict[str, float]
    share_new: float
    mean: float

    def grown(self, day: NDArray[Any]) -> Floats:
        """Return the share of the creators' answer that has come by a day."""
        return 1 - fading(day, self.world.creator_half_life)


def find_lifts(world: World, design: Design, people: People, arms: Arms, friends: Friends, creators: Creators) -> Lifts:
    """Work out the lasting lifts of all four regimes."""
    use = people.use(design.days)
    gain, share = lasting_gain(world, people, use), learnt(world, design)
    in_test = gain * np.where(arms.on_new, share["test_new"], share["test_old"])
    served = {"all_old": 0.0, "all_new": 1.0, "test": float(use @ arms.on_new)}
    heard, mean, supply = {}, {}, {}
    for key, own in (("all_old", np.zeros_like(gain)), ("all_new", gain), ("test", in_test)):
        heard[key] = np.where(people.bot, 0.0, world.spillover * friends.mean_of(own)) if world.spillover else 0.0
        mean[key] = float(use @ (own + heard[key]))
        supply[key] = creators.supply(world, served[key], mean[key])
    kind = {regime: regime if regime in heard else "test" for regime in REGIMES}
    steady = {regime: gain * share[regime] + heard[kind[regime]] for regime in REGIMES}
    in_all = {regime: supply[kind[regime]] for regime in REGIMES}
    return Lifts(world, steady, in_all, served["test"], mean["test"] + supply["test"])
