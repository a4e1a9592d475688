"""Creators: who posts, who is seen, and how posting answers to being seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebook.feed.world import World

SHARE = 0.02  # of the users
POSTS = 0.5  # posts a day of the average creator
_POPULARITY_SPREAD = 1.5  # sd of the log of a creator's audience
_ROUNDS = 60  # of the loop from more to see to more posts, which shrinks each time
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Creators:
    """Those who post, each an array of shape (m,).

    Attributes
    ----------
    row : position among the users.
    popularity : share of all impressions on the old ranker; the shares sum to 1.
    posts : posts a day before the test.
    tilt : by what share the new ranker changes the creator's exposure, at ``reallocation`` 1; exposure in all
        stays as it is.
    """

    row: NDArray[np.int64]
    popularity: Floats
    posts: Floats
    tilt: Floats

    def exposure(self, world: World, share_new: float, lift: float) -> Floats:
        """Return each creator's exposure against that on the old ranker, which is 1.

        Parameters
        ----------
        world : World
        share_new : float
            Share of the users who are on the new ranker.
        lift : float
            What all users see more, as a share.
        """
        return (1 + lift) * (1 + share_new * world.reallocation * self.tilt)

    def supply(self, world: World, share_new: float, lift: float) -> float:
        """Return what more posts add to everybody's impressions in the end, as a share.

        More to see brings more impressions, these bring more exposure, and so on: the loop is run to its end.

        Examples
        --------
        >>> one = Creators(np.array([0]), np.ones(1), np.ones(1), np.zeros(1))
        >>> round(one.supply(World(creators=0.5, response=0.5), 1.0, 0.02), 5)
        0.00661
        """
        gain = 0.0
        for _ in range(_ROUNDS if world.creators else 0):
            posts = self.exposure(world, share_new, lift + gain) ** world.response
            gain = world.creators * (float(self.popularity @ posts) - 1)
        return gain


def draw_creators(n: int, rng: np.random.Generator) -> Creators:
    """Draw the creators among ``n`` users: two in a hundred, with audiences as unequal as incomes."""
    row = np.sort(rng.choice(n, max(1, round(SHARE * n)), replace=False))
    audience = rng.lognormal(0, _POPULARITY_SPREAD, len(row))
    popularity = audience / audience.sum()
    rank = np.empty(len(row))
    rank[np.argsort(popularity)] = np.linspace(1, -1, len(row))
    posts = POSTS * rng.gamma(2.0, 0.5, len(row))
    return Creators(row, popularity, posts, rank - popularity @ rank)
