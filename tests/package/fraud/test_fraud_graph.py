"""The graph and its measures against networkx and plain loops on tiny logs."""

import random

import leidenalg
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from casebook.contracts import ContractError
from casebook.fraud.entities import KEYS, read_log
from casebook.fraud.graph import communities, components, graph_at, pagerank
from casebook.fraud.world import DAY

POWER = 1e-7  # power iterations stop at 1e-9 a step, of which at most seven are still to come at damping 0.85


def sharing_log(rng, n=120, days=12, cards=15, ids=8):
    """Draw events of which a third shows no id, and late reports of an eighth of them."""
    channel = rng.choice(["terminal", "online", "app"], n)
    seen = channel != "terminal"
    frame = pd.DataFrame({"event_id": np.arange(n) + 5, "at": np.sort(rng.integers(0, days * DAY, n))})
    frame["card_id"], frame["channel"] = rng.integers(0, cards, n), channel
    for column, shown in (("device_id", seen), ("ip_id", seen), ("address_id", channel == "online")):
        frame[column] = np.where(shown, rng.integers(0, ids, n), -1)
    frame["merchant_id"] = rng.integers(0, ids, n)
    told = rng.choice(n, n // 8, replace=False)
    delay = rng.integers(0, 5 * DAY, len(told))
    reports = pd.DataFrame({"event_id": told + 5, "reported_at": frame["at"].to_numpy()[told] + delay})
    return frame, reports


def visible(event):
    """Return what one event shows, as (kind, id)."""
    named = [(kind, event[column]) for kind, column in KEYS.items() if kind != "payee" or event["channel"] == "app"]
    return [(kind, int(value)) for kind, value in named if value >= 0]


def slow_graph(events, reports, day, window):
    """Build the same graph event by event, with the reports at each node."""
    graph, told = nx.Graph(), {}
    for event in events.to_dict("records"):
        if (day - window) * DAY <= event["at"] < day * DAY:
            graph.add_edges_from((("card", event["card_id"]), node) for node in visible(event))
    by_id = events.set_index("event_id")
    for report in reports.to_dict("records"):
        if (day - window) * DAY <= report["reported_at"] < day * DAY:
            event = by_id.loc[report["event_id"]]
            for node in [("card", event["card_id"]), *visible(event)]:
                told[node] = told.get(node, 0) + 1
    return graph, told


def names_of(graph):
    """Return the nodes of a graph as (kind, id), in the order of their numbers."""
    named = [("card", int(card)) for card in graph.cards]
    return named + [(kind, int(value)) for kind, ids in graph.entities.items() for value in ids]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("day", "window"), [(8, 28), (9, 3), (0, 5)])
def test_graph_is_that_of_a_loop_over_events(seed, day, window):
    events, reports = sharing_log(np.random.default_rng(seed))
    graph = graph_at(read_log(events, reports), day, window)
    slow, told = slow_graph(events, reports, day, window)
    names = names_of(graph)
    low, high = graph.links.tocoo().coords
    assert {frozenset((names[a], names[b + len(graph.cards)])) for a, b in zip(low, high, strict=True)} == {
        frozenset(edge) for edge in slow.edges
    }
    assert graph.degree.tolist() == [slow.degree[name] for name in names]
    assert graph.told.tolist() == [told.get(name, 0) for name in names]
    if names:
        parts = components(graph.links)
        found = {frozenset(names[node] for node in np.flatnonzero(parts == part)) for part in set(parts)}
        assert found == {frozenset(part) for part in nx.connected_components(slow)}


def test_find_gives_the_numbers_of_nodes_and_none_for_strangers():
    events, reports = sharing_log(np.random.default_rng(9))
    graph = graph_at(read_log(events, reports), 8)
    for number, (kind, value) in enumerate(names_of(graph)):
        assert graph.find(kind, np.array([value, -1, 999])).tolist() == [number, -1, -1]


def test_days_end_at_midnight():
    at = [2 * DAY - 1, 2 * DAY, 5 * DAY - 1, 5 * DAY]
    events = pd.DataFrame({"event_id": range(4), "at": at, "card_id": range(4), "channel": "online"})
    events = events.assign(device_id=1, ip_id=-1, address_id=-1, merchant_id=0)
    reports = pd.DataFrame({"event_id": [1, 2], "reported_at": [5 * DAY - 1, 5 * DAY]})
    graph = graph_at(read_log(events, reports), day=5, window=3)
    assert graph.cards.tolist() == [1, 2]
    assert graph.told.tolist() == [1, 0, 1]
    assert graph_at(read_log(events, reports), day=6, window=3).told.tolist() == [1, 0, 2]  # card 1 has left it


@pytest.mark.parametrize("seed", range(3))
def test_pagerank_is_that_of_networkx(seed):
    rng = np.random.default_rng(seed)
    links = sparse.csr_array(np.vstack([rng.random((12, 7)) < 0.25, np.eye(7, dtype=bool)]).astype(float))
    links = links[links.sum(axis=1) > 0]
    cards = links.shape[0]
    restart = rng.integers(0, 3, cards + 7)
    graph = nx.Graph()
    graph.add_nodes_from(range(cards + 7))
    graph.add_edges_from(zip(links.tocoo().coords[0], links.tocoo().coords[1] + cards, strict=True))
    theirs = nx.pagerank(graph, 0.85, dict(enumerate(restart)), tol=1e-13, max_iter=500)
    ours = pagerank(links, restart)
    np.testing.assert_allclose(ours / restart.sum(), [theirs[node] for node in range(cards + 7)], atol=POWER)
    np.testing.assert_allclose(ours.sum(), restart.sum(), atol=1e-6)


def test_pagerank_adds_up_over_reports_and_is_the_same_both_ways_per_neighbour():
    rng = np.random.default_rng(3)
    links = sparse.csr_array((rng.random((9, 9)) < 0.3).astype(float) + np.eye(9) > 0, dtype=float)
    degree = np.concatenate([links.sum(axis=1), links.sum(axis=0)])
    alone = np.array([pagerank(links, one) for one in np.eye(18)])
    np.testing.assert_allclose(pagerank(links, np.arange(18)), np.arange(18) @ alone, atol=1e-5)
    per_neighbour = alone / degree
    np.testing.assert_allclose(per_neighbour, per_neighbour.T, atol=POWER)


def test_pagerank_of_a_pair_has_a_closed_form_and_stays_in_its_component():
    links = sparse.csr_array([[1.0, 0.0], [0.0, 1.0]])
    at_card, at_device = 1 / 1.85, 0.85 / 1.85  # a = 0.15 + 0.85 b, b = 0.85 a
    np.testing.assert_allclose(pagerank(links, [1, 0, 0, 0]), [at_card, 0, at_device, 0], atol=POWER)


def test_hubs_lose_their_edges_and_their_reports():
    cards = np.arange(6)
    events = pd.DataFrame({"event_id": cards, "at": cards, "card_id": cards, "channel": "online"})
    events = events.assign(device_id=[1, 1, 2, 3, 4, 5], ip_id=7, address_id=-1, merchant_id=0)
    reports = pd.DataFrame({"event_id": [0], "reported_at": [50]})
    graph = graph_at(read_log(events, reports), 1)
    assert len(set(components(graph.links))) == 1
    cut = graph.without_hubs(5)
    assert len(set(components(cut.links)[:6])) == 5
    hub = cut.find("ip", np.array([7]))[0]
    assert (graph.told[hub], cut.told[hub], cut.degree[hub]) == (1, 0, 0)
    assert graph.without_hubs(6).degree.tolist() == graph.degree.tolist()
    assert graph.only("device").degree.tolist() == cut.degree.tolist()


def test_communities_find_planted_groups_and_keep_what_one_card_has_with_it():
    groups, rng = np.repeat(np.arange(5), 12), np.random.default_rng(0)
    shared = (groups[:, None] == np.repeat(np.arange(5), 4)[None]) & (rng.random((60, 20)) < 0.7)
    shared[0, 19] = True  # one gift to a friend of another group
    links = sparse.csr_array(np.hstack([shared, np.eye(60, dtype=bool)]).astype(float))
    found = communities(links, np.random.default_rng(1), size=60)
    assert len(set(found[:60])) == 5
    assert all(len(set(found[:60][groups == group])) == 1 for group in range(5))
    assert (found[80:] == found[:60]).all()


def test_communities_are_as_good_as_those_of_leidenalg_and_leave_the_global_generator_alone():
    igraph = pytest.importorskip("igraph")
    rng = np.random.default_rng(4)
    links = sparse.csr_array((rng.random((150, 90)) < 0.02).astype(float))
    links = links[:, links.sum(axis=0) > 1]
    links = links[links.sum(axis=1) > 0]
    before = random.getstate()
    found = communities(links, np.random.default_rng(5), size=links.shape[0])
    assert random.getstate() == before
    assert (communities(links, np.random.default_rng(5), size=links.shape[0]) == found).all()
    low, high = links.tocoo().coords
    graph = igraph.Graph(sum(links.shape), np.stack([low, high + links.shape[0]]).T)
    theirs = leidenalg.find_partition(graph, leidenalg.ModularityVertexPartition, seed=1, n_iterations=5).modularity
    assert graph.modularity(found.tolist()) > theirs - 0.02


def test_an_empty_graph_has_empty_measures():
    events, reports = sharing_log(np.random.default_rng(0))
    graph = graph_at(read_log(events, reports), 0)
    assert len(pagerank(graph.links, graph.told)) == len(communities(graph.links, np.random.default_rng(0))) == 0


def test_refusals_say_what_to_do():
    log = read_log(*sharing_log(np.random.default_rng(0)))
    graph = graph_at(log, 5)
    with pytest.raises(ContractError, match=r"^window must be 1 day or more, got 0; 28 is the longest of the other"):
        graph_at(log, 5, window=0)
    with pytest.raises(ContractError, match=r"^most must be 2 or more cards, got 1; 50 leaves offices in and takes"):
        graph.without_hubs(1)
    with pytest.raises(ContractError, match=r"^damping must be above 0 and below 1, got 1; 0.85 is the usual one.$"):
        pagerank(graph.links, graph.told, damping=1.0)
    with pytest.raises(ContractError, match=r"^restart must be of shape \(\d+,\), got \(2,\); give one number a node"):
        pagerank(graph.links, [1, 2])
