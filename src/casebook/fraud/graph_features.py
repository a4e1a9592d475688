"""What the graph of shared devices says of an event: component, community, and walks from what was reported."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.contracts import refuse
from casebook.fraud.entities import KEYS, WINDOW, Log, read_log, require_rows
from casebook.fraud.graph import HUB, CardGraph, communities, components, graph_at, pagerank
from casebook.fraud.stream import Ids

_NODES = ("card", *KEYS)
_SEEDS = 2**62

#: Every feature -> what it says; all as of a midnight before the event, and 0 for what is not in the graph then.
GRAPH_FEATURES: dict[str, str] = {
    **{f"graph_cards_{key}": f"cards seen with the event's {key} within the window, hubs too" for key in KEYS},
    "graph_component": "cards in the largest component of shared devices that the event's card or device is in",
    "graph_community": "cards in the largest Leiden community that its card or ids are in, hubs taken out",
    "graph_community_reported": "highest share of reported cards in a community that they are in",
    **{f"graph_rank_{node}": f"walks from reported events that are at its {node}, per neighbour" for node in _NODES},
}


def graph_features(
    events: pd.DataFrame,
    reports: pd.DataFrame,
    first_day: int,
    last_day: int,
    rng: np.random.Generator,
    *,
    every: int = 1,
    window: int = WINDOW,
    most: int = HUB,
) -> pd.DataFrame:
    """Return what the graph says of every event of some days.

    The graph is built anew every night by default: reports come in daily, rings change two of their devices every
    week, and a bank has the night for it. With ``every`` 7 all events of a week see the graph of the week's beginning,
    at a seventh of the time. Nothing of an event's own day is in it, not the event either, so that a card on its first
    day with a ring is found by the ids that it comes with: hence the largest value over the card and its ids.

    What more than ``most`` cards share links nobody: it has no part in components, communities and walks. Components
    are those of devices alone, for a single edge merges two of them: with payees, or with a gift sent to a friend's
    home, nearly all cards are in one. Walks are divided by the number of a node's neighbours, for a busy node is
    passed by more of them; on an undirected graph the ratio is proportional to the chance of the way back, of a walk
    from this node to end at a reported one.

    Parameters
    ----------
    events, reports : pandas.DataFrame
        As in :func:`casebook.fraud.entities.read_log`; all that is earlier serves as the past.
    first_day, last_day : int
        Both included.
    rng : numpy.random.Generator
        For the seed of the communities.
    every : int
        Days from one graph to the next, 1 or more.
    window : int
        Days of events and reports that a graph holds.
    most : int
        Cards that may share a thing before it counts as a hub.

    Returns
    -------
    pandas.DataFrame, shape (events of these days, len(GRAPH_FEATURES))
        Floats, indexed by ``event_id``.

    Raises
    ------
    ContractError
        As ``read_log`` and :func:`casebook.fraud.graph.graph_at`, days without events, or ``every`` below 1.

    Examples
    --------
    >>> events = pd.DataFrame({"event_id": [0, 1, 2], "at": [10, 20, 90_000], "card_id": [7, 8, 9]})
    >>> events = events.assign(channel="online", device_id=5, ip_id=[1, 2, -1], address_id=-1, merchant_id=30)
    >>> told = pd.DataFrame({"event_id": [0], "reported_at": [70_000]})
    >>> found = graph_features(events, told, 1, 1, np.random.default_rng(0))
    >>> found[["graph_cards_device", "graph_component", "graph_community_reported"]]
              graph_cards_device  graph_component  graph_community_reported
    event_id
    2                        2.0              2.0                       0.5
    """
    if every < 1:
        refuse("every", "1 day or more", str(every), "7 builds a graph a week")
    log = read_log(events, reports)
    rows = require_rows(log.rows(first_day, last_day), first_day, last_day)
    seed = int(rng.integers(_SEEDS))
    parts = [np.empty((0, len(GRAPH_FEATURES)))]
    for day in range(first_day, last_day + 1, every):
        graph = graph_at(log, day, window)
        own = log.rows(day, min(day + every - 1, last_day))
        measures = _measures(graph, np.random.default_rng([seed, day]), most)
        parts.append(_looked_up(graph, measures, log, own))
    index = pd.Index(log.event_id[rows], name="event_id")
    return pd.DataFrame(np.concatenate(parts), index=index, columns=list(GRAPH_FEATURES))


def _measures(graph: CardGraph, rng: np.random.Generator, most: int) -> dict[str, NDArray[Any]]:
    """Return the measures of each node, and at the end a 0 for what is no node, shape (c + e + 1,)."""
    kept = graph.without_hubs(most)
    cards = len(graph.cards)
    group = communities(kept.links, rng)
    size, reported = _cards_in(group, cards), _cards_in(group, cards, kept.told[:cards] > 0)
    part = components(kept.only("device").links)
    found = {
        "cards": graph.degree,
        "component": _cards_in(part, cards)[part],
        "community": size[group],
        "community_reported": (reported / np.maximum(size, 1))[group],
        "rank": pagerank(kept.links, kept.told) / np.maximum(kept.degree, 1),
    }
    return {name: np.append(values, 0) for name, values in found.items()}


def _cards_in(group: Ids, cards: int, which: NDArray[np.bool_] | None = None) -> NDArray[Any]:
    return np.bincount(group[:cards], weights=which, minlength=int(group.max(initial=-1)) + 1)


def _looked_up(graph: CardGraph, measures: dict[str, NDArray[Any]], log: Log, rows: slice) -> NDArray[np.float64]:
    nodes = {"card": graph.find("card", log.card[rows])}
    nodes |= {key: graph.find(key, log.ids[key][rows]) for key in KEYS}
    touched = np.stack(list(nodes.values()))
    found = {f"graph_cards_{key}": measures["cards"][nodes[key]] for key in KEYS}
    for name in ("component", "community", "community_reported"):
        found[f"graph_{name}"] = measures[name][touched].max(axis=0)
    found |= {f"graph_rank_{node}": measures["rank"][where] for node, where in nodes.items()}
    return np.column_stack([found[name] for name in GRAPH_FEATURES]).astype(np.float64)
