"""A graph's own leak: walks from reports of all times, over edges of all times, an event's own among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from casebook.fraud.entities import KEYS, Log, read_log
from casebook.fraud.evaluate import average_precision
from casebook.fraud.graph import graph_at, pagerank
from casebook.fraud.graph_features import graph_features
from casebook.fraud.labelled import KEEP, known_labels, sample_rows
from casebook.fraud.score_graph import Days, boosted
from casebook.fraud.truth import Truth
from casebook.fraud.world import DAY

DESIGNS = ("honest", "leak, offline", "leak, in service")


def whole_graph_ranks(log: Log, rows: slice) -> pd.DataFrame:
    """Return the walks' ranks of some events on the graph of the whole log, with all reports in it.

    Parameters
    ----------
    log : Log
    rows : slice
        Of the log.

    Returns
    -------
    pandas.DataFrame
        The columns ``graph_rank_...`` of :data:`casebook.fraud.graph_features.GRAPH_FEATURES`, by ``event_id``.

    Examples
    --------
    >>> events = pd.DataFrame({"event_id": [0, 1, 2], "at": [10, 20, 30], "card_id": [7, 8, 9], "channel": "online"})
    >>> events = events.assign(device_id=[5, 5, 6], ip_id=-1, address_id=-1, merchant_id=30)
    >>> log = read_log(events, pd.DataFrame({"event_id": [0], "reported_at": [900_000]}))
    >>> (whole_graph_ranks(log, slice(0, 3))["graph_rank_device"] > 0).tolist()
    [True, True, False]
    """
    end = int(max(log.day.max(initial=0), log.told_day.max(initial=0))) + 1
    graph = graph_at(log, end, end).without_hubs()
    rank = np.append(pagerank(graph.links, graph.told) / np.maximum(graph.degree, 1), 0.0)
    found = {"graph_rank_card": rank[graph.find("card", log.card[rows])]}
    found |= {f"graph_rank_{key}": rank[graph.find(key, log.ids[key][rows])] for key in KEYS}
    return pd.DataFrame(found, index=pd.Index(log.event_id[rows], name="event_id"))


def whole_graph_leak(
    tables: Mapping[str, pd.DataFrame],
    truth: Truth,
    base: pd.DataFrame,
    days: Days,
    rng: np.random.Generator,
    *,
    every: int = 1,
    keep: float = KEEP,
) -> pd.DataFrame:
    """Fit one model to the graph as of each midnight, and one to ranks of the whole graph, which no midnight has.

    Parameters
    ----------
    tables, base, days, every, keep
        As in :func:`casebook.fraud.score_graph.fit_and_score`.
    truth : Truth
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        Index ``honest``; ``leak, offline``; ``leak, in service``, which is the leaking model with the ranks of each
        midnight. Columns ``reported`` (average precision on the labels that the bank has in the end) and ``true``.

    Raises
    ------
    ContractError
        As the functions that it calls.
    """
    events, reports = tables["events"], tables["reports"]
    log = read_log(events, reports)
    y = known_labels(tables, days.first_test * DAY, first_day=days.first_train, last_day=days.last_train)
    chosen = sample_rows(y, rng, keep).rows
    midnight, whole = [], []
    for first, last in days.spans:
        features = graph_features(events, reports, first, last, rng, every=every)
        rows = log.rows(first, last)
        midnight.append(base.loc[log.event_id[rows]].join(features).astype(np.float32))
        ranks = whole_graph_ranks(log, rows).astype(np.float32)
        whole.append(midnight[-1].assign(**{str(name): ranks[name] for name in ranks}))
    labels = y.iloc[chosen].to_numpy(dtype=np.int8)
    seed = int(rng.integers(2**62))
    honest, leaking = (
        boosted(train.iloc[chosen].to_numpy(), labels, np.random.default_rng(seed)) for train, _ in (midnight, whole)
    )
    score = (honest(midnight[1].to_numpy()), leaking(whole[1].to_numpy()), leaking(midnight[1].to_numpy()))
    return _judged(dict(zip(DESIGNS, score, strict=True)), midnight[1].index, truth, reports)


def _judged(scores: Mapping[str, Any], ids: pd.Index, truth: Truth, reports: pd.DataFrame) -> pd.DataFrame:
    """Return the average precision of each design on the labels that come in the end, and on the truth."""
    fraud = truth.events.set_index("event_id").loc[ids, "fraud"].to_numpy(dtype=bool)
    told = ids.isin(reports["event_id"])
    measured = {
        name: {"reported": average_precision(told, p), "true": average_precision(fraud, p)}
        for name, p in scores.items()
    }
    return pd.DataFrame.from_dict(measured, orient="index")
