"""The friendship graph: its moments are the dials', and clusters are found without knowing the communities."""

import random

import igraph
import numpy as np
import pytest
from scipy.sparse import coo_array
from sklearn.metrics import adjusted_rand_score

from casebook.feed.graph import (
    MEAN_COMMUNITY,
    Friends,
    draw_communities,
    draw_friends,
    find_clusters,
    modularity_of,
)

N = 12_000
MODULARITY = 0.025  # double edges, which are dropped, lie within communities mostly


def graph(modularity, seed=0, mean=10.0, n=N):
    rng = np.random.default_rng(seed)
    community = draw_communities(n, rng)
    return community, draw_friends(community, modularity, mean, rng)


@pytest.mark.parametrize("dial", [0.0, 0.2, 0.5, 0.8])
def test_the_planted_communities_have_the_dials_modularity(dial):
    community, friends = graph(dial)
    assert modularity_of(friends, community) == pytest.approx(dial, abs=MODULARITY)


def test_a_few_large_communities_reach_the_dial_too():
    community = np.repeat(np.arange(4, dtype=np.int32), 2_000)
    friends = draw_friends(community, 0.5, 10.0, np.random.default_rng(1))
    assert modularity_of(friends, community) == pytest.approx(0.5, abs=MODULARITY)


def test_modularity_agrees_with_igraph():
    community, friends = graph(0.4)
    twin = igraph.Graph(n=N, edges=np.column_stack([friends.a, friends.b])).modularity(community)
    assert modularity_of(friends, community) == pytest.approx(twin, rel=1e-12)


@pytest.mark.parametrize("mean", [5.0, 20.0])
def test_friends_number_as_asked_and_unequally(mean):
    _, friends = graph(0.3, mean=mean)
    assert friends.degree.mean() == pytest.approx(mean, rel=0.05)
    assert friends.degree.var() > 3 * mean  # a Poisson number would have the mean as variance


def test_the_graph_is_simple():
    _, friends = graph(0.6)
    assert (friends.a < friends.b).all()
    assert len(np.unique(friends.a.astype(np.int64) * N + friends.b)) == len(friends.a)
    assert friends.b.max() < N


def test_communities_have_the_mean_size_and_unequal_ones():
    size = np.bincount(draw_communities(60_000, np.random.default_rng(1)))
    assert size.mean() == pytest.approx(MEAN_COMMUNITY, rel=0.01)
    assert size.std() > 0.4 * MEAN_COMMUNITY


def test_the_mean_over_friends_agrees_with_a_matrix():
    _, friends = graph(0.3, n=500)
    values = np.random.default_rng(2).normal(size=500)
    half = coo_array((np.ones(len(friends.a)), (friends.a, friends.b)), shape=(500, 500)).toarray()
    both = half + half.T
    degree = both.sum(axis=1)
    twin = np.divide(both @ values, degree, out=np.zeros(500), where=degree > 0)
    np.testing.assert_allclose(friends.mean_of(values), twin, atol=1e-12)


def test_a_graph_without_friendships_has_means_and_modularity():
    empty = Friends(np.empty(0, np.int32), np.empty(0, np.int32), 3)
    assert empty.mean_of(np.ones(3)).tolist() == [0, 0, 0]
    assert modularity_of(empty, np.zeros(3, np.int32)) == 0


def test_clusters_come_from_the_friendships_and_are_not_the_communities():
    community, friends = graph(0.5)
    found = find_clusters(friends, np.random.default_rng(3))
    likeness = adjusted_rand_score(community, found)
    assert 0.2 < likeness < 0.95
    assert modularity_of(friends, found) > 0.7 * 0.5
    shuffled = np.random.default_rng(4).permutation(found)
    assert abs(modularity_of(friends, shuffled)) < 0.01


@pytest.mark.slow
def test_looser_graphs_have_looser_clusters():
    inside = []
    for dial in (0.2, 0.5, 0.8):
        _, friends = graph(dial)
        found = find_clusters(friends, np.random.default_rng(3))
        inside.append((found[friends.a] == found[friends.b]).mean())
    assert inside == sorted(inside)
    assert inside[0] < 0.35 < 0.6 < inside[2]


@pytest.mark.slow
def test_clusters_stay_below_the_size_and_split_as_it_falls():
    _, friends = graph(0.5, n=6_000)
    counts = []
    for size in (3_000, 1_000, 200):
        members = np.bincount(find_clusters(friends, np.random.default_rng(3), size))
        assert members.max() < size
        counts.append(len(members))
    assert counts == sorted(counts)


@pytest.mark.slow
def test_clusters_hold_as_much_in_a_larger_graph():
    inside = []
    for n in (5_000, 20_000):
        _, friends = graph(0.5, n=n)
        found = find_clusters(friends, np.random.default_rng(3))
        inside.append((found[friends.a] == found[friends.b]).mean())
    assert inside[1] == pytest.approx(inside[0], abs=0.1)


def test_the_same_generator_finds_the_same_clusters_and_global_state_is_left_alone():
    _, friends = graph(0.3, n=3_000)
    random.seed(7)
    first = find_clusters(friends, np.random.default_rng(5))
    drawn = random.random()
    random.seed(8)
    again = find_clusters(friends, np.random.default_rng(5))
    random.seed(7)
    assert drawn == random.random()
    assert (first == again).all()
