"""One feed whose friends pass a gain on: what tests of users and of clusters show of a launch, and at what price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd

from casebook.experiments import cuped, difference
from casebook.feed.graph import Friends, modularity_of
from casebook.feed.simulate import Feed, simulate
from casebook.feed.tables import user_table
from casebook.feed.world import Design, World

USERS = 20_000  # half of them on each ranker: as many in an arm as 5 percent of SMALL
SMALL, LARGE = 200_000, 10_000_000  # users of a company that gives each arm 5 percent
SHARE = 0.05
MATERIAL = 0.05  # a bias counts from a twentieth of the launch's effect on
WIDER = 1.1  # and a standard error from a tenth more on
Row = dict[str, float | bool]


def world_of(dials: dict[str, float]) -> World:
    """Return the world with these dials; what is no setting of a world is left for the play."""
    settings: dict[str, Any] = {field.name: dials[field.name] for field in fields(World) if field.name in dials}
    return World(**settings)


def relative_se(feed: Feed) -> float:
    """Return the standard error of the relative lift of minutes per user, adjusted for the time before (CUPED).

    Clusters are the units where they were randomised.
    """
    users = user_table(feed.tables)
    users = users[users["arm"] != "rest"]
    new = users["arm"] == "new"
    minutes = cuped(users["minutes"], users["minutes_before"], new)
    read = difference(minutes, new, cluster=users.get("cluster_id"))
    return read.se / read.control_mean


def both_designs(world: World, users: int, seed: int) -> dict[str, Feed]:
    """Test the same people twice, half of them on each ranker: once by user, once by cluster of friends."""
    return {
        unit: simulate(world, users, np.random.default_rng(seed), Design(new=0.5, control=0.5, unit=unit))
        for unit in ("user", "cluster")
    }


def error_at(bias: float, se: float, users: int, share: float = SHARE) -> float:
    """Return the root mean squared error of a test that gives each arm a share of so many users.

    Parameters
    ----------
    bias, se : float
        Of a test with ``USERS / 2`` in an arm, in one unit.
    users : int
    share : float

    Examples
    --------
    >>> round(error_at(0.003, 0.004, SMALL), 4), round(error_at(0.003, 0.004, LARGE), 4)
    (0.005, 0.0031)
    """
    return float(np.hypot(bias, se * np.sqrt(USERS / 2 / (share * users))))


def play_spillover(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Test one ranker by user and by cluster on the same people, and hold both against a launch to all.

    Biases are those of the test's expectation given who fell into which arm, so that luck has no part in them;
    standard errors are read from the tables.

    Parameters
    ----------
    dials : dict
        ``effect``, ``spillover``, ``modularity``, ``friends``, ``alike``.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``total`` (a launch's relative effect), ``naive`` and ``clustered`` (what the two tests aim at), ``naive_bias``
        and ``cluster_bias`` (over ``total``, less 1), ``naive_se`` and ``cluster_se`` (relative lift, 10,000 users in
        an arm), ``inside`` (friendships within a cluster), ``found_modularity`` (of the clusters), ``clusters``,
        ``gain_small`` and ``gain_large`` (share of the naive test's error that clusters save, with 5% of 200,000 and
        of 10 million users in an arm), and the findings:

        ``naive_understates`` : the naive test falls short of the launch by more than a twentieth.
        ``clusters_less_biased`` : clusters take off more than a twentieth of the launch's effect.
        ``clusters_unbiased`` : what is left of the bias is below a twentieth.
        ``clusters_wider`` : their standard error is more than a tenth larger.
        ``clusters_pay_small``, ``clusters_pay_large`` : their root mean squared error is smaller by a twentieth.
    """
    feeds = both_designs(world_of(dials), USERS, int(rng.integers(2**62)))
    total = feeds["user"].truth.total().relative
    aims = {unit: feed.truth.contrast() for unit, feed in feeds.items()}
    se = {unit: relative_se(feed) for unit, feed in feeds.items()}
    friends, clusters = _graph(feeds["cluster"])
    row: Row = {
        "total": total,
        "naive": aims["user"],
        "clustered": aims["cluster"],
        "naive_bias": aims["user"] / total - 1,
        "cluster_bias": aims["cluster"] / total - 1,
        "naive_se": se["user"],
        "cluster_se": se["cluster"],
        "inside": float((clusters[friends[0]] == clusters[friends[1]]).mean()),
        "found_modularity": _modularity(friends, clusters),
        "clusters": float(clusters.max() + 1),
    }
    for size, users in (("small", SMALL), ("large", LARGE)):
        naive, clustered = (error_at(aims[unit] - total, se[unit], users) for unit in ("user", "cluster"))
        row[f"gain_{size}"] = 1 - clustered / naive
    return row | _findings(row)


def _graph(feed: Feed) -> tuple[np.ndarray, np.ndarray]:
    edges = feed.tables["friendships"][["user_a", "user_b"]].to_numpy().T
    clusters = feed.tables["assignment"].sort_values("user_id")["cluster_id"].to_numpy()
    return edges, clusters


def _modularity(edges: np.ndarray, clusters: np.ndarray) -> float:
    return modularity_of(Friends(edges[0], edges[1], len(clusters)), clusters)


def _findings(row: Row) -> Row:
    naive, clustered = float(row["naive_bias"]), float(row["cluster_bias"])
    return {
        "naive_understates": bool(naive < -MATERIAL),
        "clusters_less_biased": bool(abs(clustered) < abs(naive) - MATERIAL),
        "clusters_unbiased": bool(abs(clustered) < MATERIAL),
        "clusters_wider": bool(row["cluster_se"] > WIDER * row["naive_se"]),
        "clusters_pay_small": bool(row["gain_small"] > MATERIAL),
        "clusters_pay_large": bool(row["gain_large"] > MATERIAL),
    }


def by_modularity(world: World, levels: Sequence[float], seed: int, users: int = USERS) -> pd.DataFrame:
    """Test the same people by user and by cluster on friendship graphs of several modularities.

    Parameters
    ----------
    world : World
    levels : sequence of float
        Newman's modularity of the planted communities.
    seed : int
    users : int

    Returns
    -------
    pandas.DataFrame
        A row a level: ``modularity``, ``launch`` (relative effect of a launch to all), ``user`` and ``cluster`` (what
        the tests aim at), ``user_se`` and ``cluster_se`` (relative lift), ``clusters`` (how many), ``pays_from``
        (users of a company with 5% in each arm from which on clusters have the smaller root mean squared error).
    """
    rows = []
    for level in levels:
        feeds = both_designs(replace(world, modularity=level), users, seed)
        row = {"modularity": level, "launch": feeds["user"].truth.total().relative}
        row |= {unit: feed.truth.contrast() for unit, feed in feeds.items()}
        row |= {f"{unit}_se": relative_se(feed) for unit, feed in feeds.items()}
        row["clusters"] = feeds["cluster"].tables["assignment"]["cluster_id"].nunique()
        rows.append(row | {"pays_from": pays_from(row, users / 2)})
    return pd.DataFrame(rows)


def pays_from(row: Mapping[str, float], arm: float, share: float = SHARE) -> float:
    """Return the users from which on clusters have the smaller root mean squared error; infinite if never.

    Parameters
    ----------
    row : mapping
        ``launch``, ``user``, ``cluster`` and the two standard errors with ``arm`` users in an arm.
    arm : float
    share : float
        Of all users that an arm gets.

    Examples
    --------
    >>> row = {"launch": 0.03, "user": 0.02, "cluster": 0.03, "user_se": 0.01, "cluster_se": 0.02}
    >>> round(pays_from(row, 10_000))
    600000
    """
    squares = [(row[unit] - row["launch"]) ** 2 for unit in ("user", "cluster")]
    dearer = row["cluster_se"] ** 2 - row["user_se"] ** 2
    if dearer <= 0:
        return 0.0
    return arm * dearer / (squares[0] - squares[1]) / share if squares[0] > squares[1] else float("inf")
