"""The graph of cards and of what they share, as a bank has it at a midnight, and three measures of it."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from casebook.contracts import refuse
from casebook.fraud.entities import KEYS, WINDOW, Log
from casebook.fraud.stream import Ids

HUB = 50
"""Cards from which on what they share is a carrier's network or a parcel shop, and links nobody to anybody."""

CHANCE = 500.0
"""Cards at which chance alone would explain a community's edges; it makes communities of ten to thirty cards, as rings
have, in small banks and in larger ones."""

DAMPING = 0.85
_TOLERANCE, _ROUNDS = 1e-9, 200
Floats = NDArray[np.float64]
Links: TypeAlias = Any  # scipy.sparse.csr_array, of which scipy tells no types


@dataclass(frozen=True)
class CardGraph:
    """A graph with cards on one side and what they share on the other; an edge says that the two were seen together.

    Nodes are numbered cards first, then the ids of each of :data:`casebook.fraud.entities.KEYS` in turn.

    Attributes
    ----------
    cards : array of int, shape (c,)
        Card ids, rising.
    entities : dict of str to array of int
        Ids by kind, rising; e in all.
    links : scipy.sparse.csr_array, shape (c, e)
        1 where there is an edge.
    told : array of int, shape (c + e,)
        Reports that came in within the window, at the card of the reported event and at all it was seen with.
    """

    cards: Ids
    entities: dict[str, Ids]
    links: Links
    told: Ids

    @property
    def degree(self) -> Ids:
        """Neighbours of each node, shape (c + e,)."""
        return np.concatenate([self.links.sum(axis=1), self.links.sum(axis=0)]).astype(np.int64)

    def find(self, kind: str, ids: Ids) -> Ids:
        """Return the nodes of some ids, -1 for those that are not in the graph.

        Parameters
        ----------
        kind : str
            "card" or one of :data:`casebook.fraud.entities.KEYS`.
        ids : array of int, shape (n,)

        Returns
        -------
        array of int, shape (n,)
        """
        nodes = {"card": self.cards} | self.entities
        known = nodes[kind]
        before = sum(len(nodes[name]) for name in list(nodes)[: list(nodes).index(kind)])
        if not len(known):
            return np.full(len(ids), -1)
        place = np.minimum(np.searchsorted(known, ids), len(known) - 1)
        return np.where(known[place] == ids, before + place, -1)

    def without_hubs(self, most: int = HUB) -> CardGraph:
        """Return the same nodes; what more than ``most`` cards share has no edges and no reports.

        Raises
        ------
        ContractError
            If ``most`` is below 2, for then nothing would be shared.
        """
        if most < 2:
            refuse("most", "2 or more cards", str(most), "50 leaves offices in and takes carriers out")
        small = self.links.sum(axis=0) <= most
        told = self.told * np.append(np.ones(len(self.cards), bool), small)
        return replace(self, links=_columns(self.links, small), told=told)

    def only(self, kind: str) -> CardGraph:
        """Return the same nodes with the edges of one of :data:`casebook.fraud.entities.KEYS` alone."""
        kinds = np.repeat(list(self.entities), [len(ids) for ids in self.entities.values()])
        return replace(self, links=_columns(self.links, kinds == kind))


def _columns(links: Links, kept: NDArray[np.bool_]) -> Links:
    left = sparse.csr_array(links @ sparse.diags_array(kept.astype(np.float64)))
    left.eliminate_zeros()
    return left


def graph_at(log: Log, day: int, window: int = WINDOW) -> CardGraph:
    """Return the graph at the midnight with which a day begins.

    Only events of the ``window`` days before it make edges, and only reports that came in on those days count, however
    old the event. A reported event whose card or device has left the graph counts at what is still there.

    Parameters
    ----------
    log : Log
    day, window : int
        Days; the window at least 1.

    Returns
    -------
    CardGraph

    Raises
    ------
    ContractError
        A window below 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from casebook.fraud.entities import read_log
    >>> events = pd.DataFrame({"event_id": [0, 1, 2], "at": [10, 20, 90_000], "card_id": [7, 8, 9]})
    >>> events = events.assign(channel="online", device_id=5, ip_id=[1, 2, 3], address_id=-1, merchant_id=30)
    >>> log = read_log(events, pd.DataFrame({"event_id": [0], "reported_at": [70_000]}))
    >>> graph = graph_at(log, day=1)  # the third card comes later that day
    >>> graph.cards.tolist(), graph.entities["device"].tolist(), graph.told.tolist()
    ([7, 8], [5], [1, 0, 1, 1, 0])
    """
    if window < 1:
        refuse("window", "1 day or more", str(window), "28 is the longest of the other features")
    rows = log.rows(day - window, day - 1)
    edges = [(kind, rows.start + np.flatnonzero(log.ids[kind][rows] >= 0)) for kind in KEYS]
    cards = np.unique(np.concatenate([log.card[which] for _, which in edges]))
    entities = {kind: np.unique(log.ids[kind][which]) for kind, which in edges}
    size = sum(map(len, entities.values()))
    blank = CardGraph(cards, entities, sparse.csr_array((len(cards), size)), np.zeros(len(cards) + size, np.int64))
    low = np.concatenate([blank.find("card", log.card[which]) for _, which in edges])
    high = np.concatenate([blank.find(kind, log.ids[kind][which]) for kind, which in edges]) - len(cards)
    pair = np.unique(low * max(size, 1) + high)
    links = sparse.csr_array((np.ones(len(pair)), np.divmod(pair, max(size, 1))), shape=(len(cards), size))
    return replace(blank, links=links, told=_told(log, blank, day, window))


def _told(log: Log, graph: CardGraph, day: int, window: int) -> Ids:
    heard = log.told_row[(log.told_day >= day - window) & (log.told_day < day)]
    nodes = [graph.find("card", log.card[heard]), *(graph.find(kind, log.ids[kind][heard]) for kind in KEYS)]
    at = np.concatenate(nodes)
    return np.bincount(at[at >= 0], minlength=len(graph.told))


def components(links: Links) -> Ids:
    """Return the connected component of each node, shape (c + e,).

    Examples
    --------
    >>> components(sparse.csr_array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])).tolist()
    [0, 0, 1, 0, 1]
    """
    return np.asarray(connected_components(_square(links), directed=False)[1]).astype(np.int64)


def communities(links: Links, rng: np.random.Generator, size: float = CHANCE) -> Ids:
    """Return the Leiden community of each node, shape (c + e,).

    It maximises modularity with the chance term c / size times as heavy, for modularity itself merges groups as small
    as rings in a large graph. What only one card uses joins nobody; it is left out of the search and put to its card
    afterwards.

    Parameters
    ----------
    links : scipy.sparse.csr_array, shape (c, e)
    rng : numpy.random.Generator
    size : float
        Cards at which chance alone would explain a community's edges; communities stay well below it.

    References
    ----------
    Traag, Waltman and van Eck (2019), From Louvain to Leiden, Scientific Reports 9; igraph has it in C, some twenty
    times as fast as the authors' leidenalg. Fortunato and Barthelemy (2007), Resolution limit in community detection,
    PNAS 104(1).

    Examples
    --------
    >>> links = sparse.csr_array([[1.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 1]])
    >>> found = communities(links, np.random.default_rng(0), size=4)
    >>> bool(found[0] == found[1] == found[4]), bool(found[3] == found[5] == found[6]), bool(found[0] == found[3])
    (True, True, False)
    """
    import igraph  # an extra: only a graph needs it

    cards = links.shape[0]
    low, high = (np.asarray(ends, np.int64) for ends in links.tocoo().coords)
    shared = np.bincount(high, minlength=links.shape[1])[high] > 1
    group = np.arange(sum(links.shape))
    nodes, ends = np.unique(np.stack([low, high + cards])[:, shared], return_inverse=True)
    if len(nodes):
        graph = igraph.Graph(len(nodes), ends.reshape(2, -1).T)
        igraph.set_random_number_generator(random.Random(int(rng.integers(2**62))))
        try:
            found = graph.community_leiden("modularity", resolution=max(1.0, cards / size), n_iterations=2)
        finally:
            igraph.set_random_number_generator(random)
        group[nodes] = sum(links.shape) + np.asarray(found.membership)
    group[high[~shared] + cards] = group[low[~shared]]
    return np.unique(group, return_inverse=True)[1].astype(np.int64)


def pagerank(links: Links, restart: NDArray[Any], damping: float = DAMPING) -> Floats:
    r"""Return the personalised PageRank of each node, summed over the places of restart, shape (c + e,).

    :math:`p = (1 - \alpha) r + \alpha A D^{-1} p`: a walk goes to a random neighbour with chance
    :math:`\alpha`, and else starts again. Each unit of :math:`r` counts as a walk of its own, so that another report
    elsewhere does not make a node less suspicious. What comes to a node without neighbours goes no further.

    Parameters
    ----------
    links : scipy.sparse.csr_array, shape (c, e)
    restart : array, shape (c + e,)
        How many walks begin at each node, 0 or more.
    damping : float
        Alpha, in (0, 1).

    Raises
    ------
    ContractError
        A damping outside (0, 1), or a restart of another length.

    References
    ----------
    Page, Brin, Motwani and Winograd (1999), The PageRank citation ranking. Van Vlasselaer et al. (2015), APATE: a novel
    approach for automated credit card transaction fraud detection using network-based extensions, Decision Support
    Systems 75 (walks that restart at reported transactions).

    Examples
    --------
    >>> shared = sparse.csr_array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])  # two cards on one device, a third apart
    >>> pagerank(shared, [1, 0, 0, 0, 0]).round(3).tolist()
    [0.345, 0.195, 0.0, 0.459, 0.0]
    """
    if not 0 < damping < 1:
        refuse("damping", "above 0 and below 1", f"{damping:g}", "0.85 is the usual one")
    start = np.asarray(restart, np.float64)
    if start.shape != (sum(links.shape),):
        refuse("restart", f"of shape ({sum(links.shape)},)", f"{start.shape}", "give one number a node, cards first")
    square = _square(links)
    step = damping * square @ sparse.diags_array(1 / np.maximum(square.sum(axis=0), 1))
    rank = start = (1 - damping) * start
    for _ in range(_ROUNDS):
        last, rank = rank, start + step @ rank
        if np.abs(rank - last).max(initial=0) < _TOLERANCE:
            break
    return np.asarray(rank)


def _square(links: Links) -> Links:
    return sparse.csr_array(sparse.block_array([[None, links], [links.T, None]]))
