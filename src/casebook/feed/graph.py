"""The friendship graph: planted communities that nobody is told, and the clusters that an analyst finds in it."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebook.contracts import refuse

MEAN_COMMUNITY = 150
_COMMUNITY_SPREAD = 0.6  # sd of the log of a community's size
_FRIEND_SPREAD = 0.7  # sd of the log of how many friends one makes
Ints = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Friends:
    """An undirected graph without loops or double edges.

    Attributes
    ----------
    a, b : numpy.ndarray of int, shape (edges,)
        The two ends of each friendship, ``a < b``, counted from 0.
    n : int
        Users.
    """

    a: Ints
    b: Ints
    n: int

    @property
    def degree(self) -> NDArray[np.int64]:
        """Friends of each user, shape (n,)."""
        return np.bincount(self.a, minlength=self.n) + np.bincount(self.b, minlength=self.n)

    def mean_of(self, values: NDArray[np.floating]) -> Floats:
        """Mean of a value over each user's friends, shape (n,); 0 for users without friends.

        Examples
        --------
        >>> line = Friends(np.array([0, 1]), np.array([1, 2]), 4)
        >>> line.mean_of(np.array([1.0, 0.0, 0.5, 9.0])).tolist()
        [0.0, 0.75, 0.0, 0.0]
        """
        sums = np.bincount(self.a, weights=values[self.b], minlength=self.n)
        sums += np.bincount(self.b, weights=values[self.a], minlength=self.n)
        return np.asarray(sums / np.maximum(self.degree, 1))


def draw_communities(n: int, rng: np.random.Generator) -> Ints:
    """Draw the community of each of ``n`` users: log-normal sizes with mean ``MEAN_COMMUNITY``, shape (n,)."""
    count = max(1, round(n / MEAN_COMMUNITY))
    size = rng.lognormal(0, _COMMUNITY_SPREAD, count)
    return np.searchsorted(np.cumsum(size / size.sum())[:-1], rng.random(n)).astype(np.int32)


def draw_friends(community: Ints, modularity: float, mean: float, rng: np.random.Generator) -> Friends:
    """Draw friendships by a degree-corrected planted partition.

    Each user gets half-edges, Poisson about a log-normal propensity. A share q of them is paired within the
    community, the others at random over all; with q = Q / (1 - sum of squared community shares) the planted
    communities have modularity Q. It says how much the communities hold, not which clusters an algorithm finds.

    Parameters
    ----------
    community : numpy.ndarray of int, shape (n,)
    modularity : float
        Q, at most 1 less the sum of squared shares.
    mean : float
        Mean number of friends.
    rng : numpy.random.Generator

    Raises
    ------
    ContractError
        If so few communities cannot reach that modularity.

    References
    ----------
    Newman and Girvan (2004), Finding and evaluating community structure in networks, Physical Review E 69.
    Karrer and Newman (2011), Stochastic blockmodels and community structure in networks, Physical Review E 83.

    Examples
    --------
    >>> friends = draw_friends(np.repeat(np.arange(40), 100), 0.5, 10, np.random.default_rng(0))
    >>> round(modularity_of(friends, np.repeat(np.arange(40), 100)), 2)
    0.48
    """
    n = len(community)
    propensity = rng.lognormal(-(_FRIEND_SPREAD**2) / 2, _FRIEND_SPREAD, n)
    ends = np.repeat(np.arange(n, dtype=np.int32), rng.poisson(mean * propensity))
    share = np.bincount(community[ends]) / max(1, len(ends))
    most = 1 - float(share @ share)
    if modularity > most:
        must = f"at most {most:.2f} with {len(share)} communities"
        refuse("World, modularity", must, str(modularity), "lower it or draw more users")
    near = rng.random(len(ends)) < (modularity / most if modularity else 0.0)
    close, far = rng.permutation(ends[near]), rng.permutation(ends[~near])
    close = close[np.argsort(community[close], kind="stable")]
    pairs = np.vstack([part[: len(part) // 2 * 2].reshape(-1, 2) for part in (close, far)])
    return _simple(pairs, n)


def _simple(pairs: Ints, n: int) -> Friends:
    low, high = pairs.min(axis=1).astype(np.int64), pairs.max(axis=1)
    keys = np.unique((low * n + high)[low != high])
    return Friends((keys // n).astype(np.int32), (keys % n).astype(np.int32), n)


def modularity_of(friends: Friends, group: Ints) -> float:
    """Newman's modularity of a partition: share of friendships inside, less what chance would put there."""
    if not len(friends.a):
        return 0.0
    share = np.bincount(group, weights=friends.degree) / (2 * len(friends.a))
    return float((group[friends.a] == group[friends.b]).mean() - share @ share)


def find_clusters(friends: Friends, rng: np.random.Generator, size: float = 1_000.0) -> Ints:
    """Find clusters to randomise by Leiden's algorithm, which knows the friendships and not the communities.

    It maximises modularity with the chance term n / size times as heavy, for modularity itself merges small
    communities in a large graph. Users without friends are clusters of their own.

    Parameters
    ----------
    friends : Friends
    rng : numpy.random.Generator
    size : float
        Users at which chance alone would explain all friendships of a cluster's members: clusters stay well below it.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        Cluster of each user, counted from 0.

    References
    ----------
    Traag, Waltman and van Eck (2019), From Louvain to Leiden, Scientific Reports 9.
    Fortunato and Barthelemy (2007), Resolution limit in community detection, PNAS 104(1).

    Examples
    --------
    >>> two = Friends(np.array([0, 0, 1, 3, 3, 4]), np.array([1, 2, 2, 4, 5, 5]), 6)
    >>> find_clusters(two, np.random.default_rng(0), size=6).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    import igraph  # an extra: only tests that randomise clusters need it

    graph = igraph.Graph(n=friends.n, edges=np.column_stack([friends.a, friends.b]))
    weight = max(1.0, friends.n / size)
    igraph.set_random_number_generator(random.Random(int(rng.integers(2**62))))
    try:
        found = graph.community_leiden(objective_function="modularity", resolution=weight, n_iterations=2)
    finally:
        igraph.set_random_number_generator(random)
    return np.asarray(found.membership, dtype=np.int32)
