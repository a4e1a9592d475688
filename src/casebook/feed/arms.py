"""Who is on which ranker, since when, and whose assignment was lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebook.feed.people import People
from casebook.feed.world import ARMS, PLATFORMS, WEEK, Design, World

NEW, CONTROL, REST = range(len(ARMS))
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Arms:
    """The assignment, each an array of shape (n,).

    Attributes
    ----------
    arm : code into ``ARMS``, as it was drawn.
    entry : day of the test from which on the user is in that arm.
    lost : crashed before anything was logged.
    crash : chance of that on the new ranker.
    """

    arm: NDArray[np.int8]
    entry: NDArray[np.int32]
    lost: NDArray[np.bool_]
    crash: Floats

    @property
    def on_new(self) -> NDArray[np.bool_]:
        """Who sees the new ranker's feed."""
        return (self.arm == NEW) & ~self.lost


def draw_arms(
    world: World, design: Design, people: People, cluster: NDArray[np.int32] | None, rng: np.random.Generator
) -> Arms:
    """Draw the arm of each user or, if there are clusters, of each cluster; and whom the crash loses."""
    n = len(people)
    unit = np.arange(n) if cluster is None else cluster
    draw = rng.random(int(unit.max()) + 1)[unit]
    arm = np.where(draw < design.new, NEW, np.where(draw < design.new + design.control, CONTROL, REST)).astype(np.int8)
    late = (arm == NEW) & (draw >= design.new * design.ramp_from)
    entry = np.maximum(people.joined, np.where(late, design.ramp_day, 0)).astype(np.int32)
    crash = crash_chance(world, people)
    return Arms(arm, entry, (arm == NEW) & (rng.random(n) < crash), crash)


def crash_chance(world: World, people: People) -> Floats:
    """Return the chance that the new client crashes at once: slow phones only, the least active most, shape (n,)."""
    slow = people.platform == PLATFORMS.index("slow_phone")
    rank = np.zeros(len(people))
    rank[np.flatnonzero(slow)[np.argsort(people.visits[slow])]] = (np.arange(slow.sum()) + 0.5) / max(slow.sum(), 1)
    return np.where(slow, np.clip(world.crash * (1.5 - rank), 0, 1), 0.0)


def day_factors(world: World, days: int, incidents: bool = True) -> dict[str, Floats]:
    """Return sessions of each day against the mean day, on the new and the old ranker, shape (days,) each.

    Everybody's blackout is always in; the new service's outage only with ``incidents``.
    """
    old = np.resize(WEEK, days).astype(float)
    if world.blackout and world.blackout_day < days:
        old[int(world.blackout_day)] *= 1 - world.blackout
    new = old.copy()
    if incidents and world.outage and world.outage_day < days:
        new[int(world.outage_day)] *= 1 - world.outage
    return {"new": new, "old": old}
