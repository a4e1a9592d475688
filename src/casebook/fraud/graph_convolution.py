"""A graph convolution in ten lines: features passed along shared devices, then a logistic regression."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from casebook.contracts import refuse
from casebook.fraud.entities import KEYS, WINDOW, Log
from casebook.fraud.graph import HUB, CardGraph, Links, graph_at
from casebook.fraud.stream import Ids

HOPS = 2  # from an event to what it shares, and on to the other events there
CODES = ("channel", "entry", "category")  # columns whose numbers are names
Floats = NDArray[np.float64]


def propagate(links: Links, features: NDArray[Any], hops: int) -> Floats:
    r"""Return :math:`S^K X` with :math:`S = D^{-1/2} (A + I) D^{-1/2}`: each hop takes a mean over the neighbours.

    Parameters
    ----------
    links : scipy.sparse array, shape (n, n)
        A: row i has a 1 where node i listens. An edge that is heard in one direction only is in one row only.
    features : array, shape (n, p)
    hops : int
        K; 0 leaves the features as they are.

    Returns
    -------
    array of float, shape (n, p)

    References
    ----------
    Wu, Souza, Zhang, Fifty, Yu and Weinberger (2019), Simplifying graph convolutional networks, ICML. It drops the
    nonlinearities of Kipf and Welling (2017), so that what is learnt is one logistic regression.

    Examples
    --------
    >>> pair_and_one = sparse.csr_array([[0.0, 1, 0], [1, 0, 0], [0, 0, 0]])
    >>> propagate(pair_and_one, np.array([[4.0], [0.0], [7.0]]), hops=1).round(9).tolist()
    [[2.0], [2.0], [7.0]]
    """
    heard = links + sparse.eye_array(links.shape[0])
    root = sparse.diags_array(1 / np.sqrt(heard.sum(axis=1)))
    step = sparse.csr_array(root @ heard @ root)
    passed = np.asarray(features, np.float64)
    for _ in range(hops):
        passed = step @ passed
    return passed


class GraphConvolution:
    """A simplified graph convolution over events and what they share, point in time.

    For the events of a day the graph holds the events of the ``window`` days before that were seen with an id, their
    cards, devices, networks, addresses and payees, and whether each was reported by the midnight. The day's events
    listen to them and nobody listens to the day's events: so an event hears nothing of its own day.
    What more than ``most`` cards share is left out. With ``hops`` 0 it is a logistic regression.

    Parameters
    ----------
    hops : int
    own : bool
        Whether the regression sees the event's own features beside what was passed to it, which mixes them with those
        of its neighbours (Rossi et al. 2020, SIGN: Scalable inception graph neural networks).
    window, most : int
        As in :func:`casebook.fraud.graph_features.graph_features`.

    Examples
    --------
    >>> GraphConvolution(hops=-1)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: hops must be 0 or more, got -1; 2 reaches the events of a shared device.
    """

    def __init__(self, hops: int = HOPS, own: bool = False, window: int = WINDOW, most: int = HUB) -> None:
        if hops < 0:
            refuse("hops", "0 or more", str(hops), "2 reaches the events of a shared device")
        self.hops, self.own, self.window, self.most = hops, own, window, most

    def fit(self, log: Log, features: pd.DataFrame, rows: Ids, y: NDArray[Any]) -> Self:
        """Fit to some rows of a log.

        Parameters
        ----------
        log : Log
        features : pandas.DataFrame, shape (m, p)
            Of the log's last m events, in its order; numbers of 0 or more but for the columns :data:`CODES`. Earlier
            events are not heard.
        rows : array of int, shape (k,)
            Rows of the log, rising.
        y : array of int, shape (k,)
            1 for fraud as it is known when the model is fitted.

        Raises
        ------
        ContractError
            Features that are not those of the log's last events, or rows without features.
        """
        offset = _offset(log, features, rows)
        codes = [name for name in CODES if name in features.columns]
        self.reader_ = make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), codes),
            remainder=make_pipeline(FunctionTransformer(np.log1p), StandardScaler()),
        ).fit(features.iloc[rows - offset])
        heard = np.concatenate(list(self._heard(log, features, rows)))
        self.model_ = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000)).fit(heard, y)
        return self

    def score(self, log: Log, features: pd.DataFrame, rows: Ids) -> Floats:
        """Return the probability of fraud of some rows, shape (k,); arguments and refusals as in :meth:`fit`."""
        _offset(log, features, rows)
        heard = self._heard(log, features, rows)  # day by day, for a bank's test days at once are gigabytes
        return np.concatenate([self.model_.predict_proba(part)[:, 1] for part in heard])

    def _heard(self, log: Log, features: pd.DataFrame, rows: Ids) -> Iterator[Floats]:
        """Give what the rows of each day hear of their past, shape (rows of the day, columns)."""
        days = log.day[rows]
        edges = np.append(np.flatnonzero(np.diff(days, prepend=-1)), len(rows))
        for low, high in pairwise(edges.tolist()):
            yield self._day(log, features, int(days[low]), rows[low:high])

    def _day(self, log: Log, features: pd.DataFrame, day: int, today: Ids) -> Floats:
        offset = len(log.day) - len(features)
        own = np.asarray(self.reader_.transform(features.iloc[today - offset]))
        if self.hops == 0:
            return own
        graph = graph_at(log, day, self.window).without_hubs(self.most)
        past = _with_ids(log, day, self.window)
        past = past[past >= offset]
        reported = np.isin(past, log.told_row[log.told_day < day])
        nodes = np.zeros((len(graph.told), own.shape[1] + 1))
        told = self.reader_.transform(features.iloc[past - offset]) if len(past) else own[:0]
        then = np.column_stack([told, reported])
        now = np.column_stack([own, np.zeros(len(today))])
        links = _listening(_incidence(log, graph, past), _incidence(log, graph, today))
        passed = propagate(links, np.concatenate([nodes, then, now]), self.hops)[-len(today) :]
        return np.column_stack([own, passed]) if self.own else passed


def _offset(log: Log, features: pd.DataFrame, rows: Ids) -> int:
    offset = len(log.day) - len(features)
    if offset < 0 or not np.array_equal(features.index.to_numpy(), log.event_id[offset:]):
        refuse("features", "those of the log's last events, in its order", "others", "index them by event_id")
    if not len(rows) or rows[0] < offset or (np.diff(rows) <= 0).any():
        refuse("rows", f"rising rows of the log from {offset} on", "others", "sort them, or pass more features")
    return offset


def _with_ids(log: Log, day: int, window: int) -> Ids:
    rows = log.rows(day - window, day - 1)
    return np.asarray(rows.start + np.flatnonzero(np.any([ids[rows] >= 0 for ids in log.ids.values()], axis=0)))


def _incidence(log: Log, graph: CardGraph, rows: Ids) -> Links:
    """Return which nodes each row was seen with, shape (rows, nodes); hubs have no row."""
    nodes = np.stack([graph.find("card", log.card[rows]), *(graph.find(key, log.ids[key][rows]) for key in KEYS)])
    linked = np.append(graph.degree > 0, False)
    linked[: len(graph.cards)] = True
    kind, row = np.nonzero(linked[nodes])
    shape = (len(rows), len(graph.told))
    return sparse.csr_array((np.ones(len(row)), (row, nodes[kind, row])), shape=shape)


def _listening(past: Links, today: Links) -> Links:
    """Return who listens to whom among nodes, past events and today's, square."""
    quiet = sparse.csr_array((today.shape[0], today.shape[0]))
    return sparse.block_array([[None, past.T, None], [past, None, None], [today, None, quiet]], format="csr")
