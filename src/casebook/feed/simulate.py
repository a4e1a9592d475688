"""A home feed and its test: what the company sees and, apart from it, the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from casebook.contracts import refuse
from casebook.feed import frames
from casebook.feed.arms import draw_arms
from casebook.feed.creators import draw_creators
from casebook.feed.graph import draw_communities, draw_friends, find_clusters
from casebook.feed.lifts import find_lifts
from casebook.feed.people import draw_people
from casebook.feed.play import play_before, play_test
from casebook.feed.truth import Truth
from casebook.feed.world import Design, World


@dataclass(frozen=True)
class Feed:
    """What the company sees (tables) and what it does not (truth)."""

    world: World
    design: Design
    tables: dict[str, pd.DataFrame]
    truth: Truth


def simulate(world: World, n: int, rng: np.random.Generator, design: Design | None = None) -> Feed:
    r"""Draw ``n`` users, assign them, and play the test.

    User i has :math:`\lambda_i` expected sessions a day, log-normal over users and correlated with those of the
    time before. On day d the sessions are Poisson with mean :math:`\lambda_i w_d`; each shows a gamma-Poisson
    number of impressions with mean :math:`m_i (1 + \mathrm{lift}_{id})`, of which shares :math:`p_i` are clicked,
    liked and hidden, and which take gamma minutes. The lift is the user's own ranker's (``effect``, by cohort, what
    the ranker has learnt, novelty and primacy by days since the first session), plus the friends' and the creators'.

    Naive readers err here by as much as the dials say: spillover and creators reach both arms, so the difference
    falls short of a launch; one log lends the old ranker what the new one knows; novelty adds what does not last;
    a crash on slow phones leaves the new arm its more active users; impressions of one user are alike.

    Parameters
    ----------
    world : World
    n : int
        Users, bots among them.
    rng : numpy.random.Generator
    design : Design, optional
        Two weeks, 5 / 5 / 90 percent of the users, one log.

    Returns
    -------
    Feed

    Raises
    ------
    ContractError
        If there are fewer than 100 users, or a dial cannot be reached.

    Examples
    --------
    >>> feed = simulate(World(), 20_000, np.random.default_rng(0))
    >>> sorted(feed.tables)
    ['assignment', 'before', 'creators', 'daily', 'friendships', 'totals', 'users']
    >>> round(feed.truth.total().relative, 4), round(feed.truth.direct().relative, 4)
    (0.02, 0.02)
    """
    return _simulate(world, n, rng, design or Design(), 0)


def simulate_in_chunks(
    world: World, n: int, rng: np.random.Generator, design: Design | None = None, chunk: int = 200_000
) -> Iterator[Feed]:
    """Yield feeds of at most ``chunk`` users each, ``n`` in all, with ids that run on.

    Each chunk is a market of its own: friends and creators are within it.

    Examples
    --------
    >>> parts = simulate_in_chunks(World(), 2_500, np.random.default_rng(0), chunk=1_000)
    >>> [(len(part.tables["users"]), int(part.tables["users"]["user_id"].iloc[0])) for part in parts]
    [(834, 0), (833, 834), (833, 1667)]
    """
    count = max(1, -(-n // chunk))
    sizes = [n // count + (part < n % count) for part in range(count)]
    first = 0
    for size, own in zip(sizes, rng.spawn(count), strict=True):
        yield _simulate(world, size, own, design or Design(), first)
        first += size


def _simulate(world: World, n: int, rng: np.random.Generator, design: Design, first_id: int) -> Feed:
    if n < 100:
        refuse("n", "100 or more users", str(n), "draw more")
    # A stream for each part: a fault that is switched on leaves the draws of the other parts alone.
    for_groups, for_people, for_friends, for_creators, for_arms, for_before, for_test, for_posts = rng.spawn(8)
    community = draw_communities(n, for_groups)
    people = draw_people(world, community, design.days, for_people)
    friends = draw_friends(community, world.modularity, world.friends, for_friends)
    creators = draw_creators(n, for_creators)
    cluster = find_clusters(friends, for_arms, design.cluster_size) if design.unit == "cluster" else None
    arms = draw_arms(world, design, people, cluster, for_arms)
    lifts = find_lifts(world, design, people, arms, friends, creators)
    before = play_before(world, people, arms, for_before)
    played = play_test(world, design, people, arms, lifts, for_test)
    ids = np.arange(first_id, first_id + n, dtype=np.int32)
    tables = {
        "users": frames.users(ids, people),
        "assignment": frames.assignment(ids, arms, played, cluster),
        "before": frames.before(ids, before),
        "totals": frames.totals(ids, arms, played),
        "daily": frames.daily(ids, arms, played),
        "creators": frames.creators(ids, design.days, creators, arms, lifts, played, before, for_posts),
        "friendships": frames.friendships(ids, friends),
    }
    return Feed(world, design, tables, Truth(world, design, people, arms, lifts, community))
