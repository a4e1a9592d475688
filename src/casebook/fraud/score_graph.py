"""Models without and with what cards share, fitted to the same rows and scored on the same days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from casebook.contracts import refuse
from casebook.fraud.entities import Log, read_log
from casebook.fraud.entity_features import AGE_FEATURES, ENTITY_FEATURES, entity_features
from casebook.fraud.graph_convolution import GraphConvolution
from casebook.fraud.graph_features import GRAPH_FEATURES, graph_features
from casebook.fraud.labelled import KEEP, known_labels, sample_rows
from casebook.fraud.stream import Ids
from casebook.fraud.world import DAY

Floats = NDArray[np.floating[Any]]
Score = Callable[[Floats], Floats]
Fit = Callable[[Floats, NDArray[Any], np.random.Generator], Score]
SOURCES = {"entity": ENTITY_FEATURES, "graph": GRAPH_FEATURES}


def boosted(x: Floats, y: NDArray[Any], rng: np.random.Generator) -> Score:
    """Fit LightGBM on one thread, with the same settings for every set of features; return its scores as a function."""
    model = lgb.LGBMClassifier(
        n_estimators=200, learning_rate=0.05, num_leaves=15, min_child_samples=20, colsample_bytree=0.7, n_jobs=1,
        deterministic=True, force_row_wise=True, random_state=int(rng.integers(2**31)), verbose=-1,
    )  # fmt: skip
    trees = model.fit(x, y).booster_
    return lambda new: np.asarray(trees.predict(new, num_threads=1), np.float64)


def forest(x: Floats, y: NDArray[Any], rng: np.random.Generator) -> Score:
    """Fit a random forest; return its scores as a function."""
    seed = int(rng.integers(2**31))
    model = RandomForestClassifier(200, min_samples_leaf=3, max_features="sqrt", n_jobs=1, random_state=seed).fit(x, y)
    return lambda new: np.asarray(model.predict_proba(new)[:, 1])


@dataclass(frozen=True)
class Tabular:
    """A model of columns: how it is fitted, and what it sees beside the base.

    Parameters
    ----------
    fit : callable
        ``fit(x, y, rng)`` gives a function from features to scores.
    extra : iterable of str
        Names out of :data:`casebook.fraud.entity_features.ENTITY_FEATURES` and
        :data:`casebook.fraud.graph_features.GRAPH_FEATURES`.

    Raises
    ------
    ContractError
        A name that is in neither.

    Examples
    --------
    >>> Tabular(boosted, ["entity_age_device", "graph_component"]).sources
    ('entity', 'graph')
    """

    fit: Fit
    extra: Iterable[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "extra", tuple(self.extra))
        for name in self.extra:
            if not any(name in names for names in SOURCES.values()):
                refuse("extra", "names of entity or graph features", repr(name), "see their dicts")

    @property
    def sources(self) -> tuple[str, ...]:
        """Which of "entity" and "graph" it needs."""
        return tuple(source for source, names in SOURCES.items() if any(name in names for name in self.extra))


Model = Tabular | GraphConvolution

MODELS: dict[str, Model] = {
    "base": Tabular(boosted),
    "base + age": Tabular(boosted, AGE_FEATURES),
    "base + entity": Tabular(boosted, ENTITY_FEATURES),
    "base + graph": Tabular(boosted, GRAPH_FEATURES),
    "base + age + graph": Tabular(boosted, (*AGE_FEATURES, *GRAPH_FEATURES)),
    "base + both": Tabular(boosted, (*ENTITY_FEATURES, *GRAPH_FEATURES)),
    "forest": Tabular(forest),
    "logistic regression": GraphConvolution(hops=0),
    "graph convolution": GraphConvolution(),
    "graph convolution + own": GraphConvolution(own=True),
}
"""What is held against each other. The first six are one boosted model on six sets of features; the ages are there by
themselves, for a graph has no time in it, and without them counts against a graph would compare two things at once."""


@dataclass(frozen=True)
class Days:
    """Days of training and of test, both ends included; on the days between them labels come in.

    Raises
    ------
    ContractError
        Days out of order.

    Examples
    --------
    >>> Days(21, 52, 50, 60)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: Days must be in the order of time, got 21, 52, 50, 60; test after training.
    """

    first_train: int = 21
    last_train: int = 52
    first_test: int = 60
    last_test: int = 119

    def __post_init__(self) -> None:
        days = (self.first_train, self.last_train, self.first_test, self.last_test)
        if not 0 <= days[0] <= days[1] < days[2] <= days[3]:
            refuse("Days", "in the order of time", ", ".join(map(str, days)), "test after training")

    @property
    def spans(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """First and last day of training, and of test."""
        return (self.first_train, self.last_train), (self.first_test, self.last_test)


@dataclass
class Scored:
    """Scores of the test days' events.

    Attributes
    ----------
    scores : pandas.DataFrame
        A column a model, indexed by ``event_id``.
    card : array of int, shape (n,)
        The card of each event.
    known : int
        Frauds of the training days that were known when the models were fitted.
    seconds : dict of str to float
        By model, for fitting and scoring; by "entity" and "graph", for their columns on all days. What a convolution
        takes to pass features on is in its own.
    """

    scores: pd.DataFrame
    card: Ids
    known: int
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the seconds of a block to those of a name."""
        start = perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - start


def fit_and_score(
    tables: Mapping[str, pd.DataFrame],
    base: pd.DataFrame,
    days: Days,
    rng: np.random.Generator,
    *,
    models: Mapping[str, Model] | None = None,
    every: int = 1,
    keep: float = KEEP,
) -> Scored:
    """Fit models with the labels known at the first test day's midnight, and score the test days.

    All are fitted to the same rows: the known frauds of the training days and a share of the others, for which ranks
    need no correction.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        ``events``, ``decisions`` and ``reports``, such as ``run.tables``.
    base : pandas.DataFrame
        :data:`casebook.fraud.feature_spec.FEATURES` of the log's last events, from the first training day or earlier
        on, indexed by ``event_id``, such as ``Recorded(...).features``. A convolution hears of no earlier event.
    days : Days
    rng : numpy.random.Generator
    models : mapping, optional
        By default :data:`MODELS`.
    every : int
        Days from one graph to the next.
    keep : float
        Share of the rows without a known fraud that is fitted to.

    Returns
    -------
    Scored

    Raises
    ------
    ContractError
        As :func:`casebook.fraud.labelled.known_labels`, ``sample_rows`` and the features.
    """
    models = MODELS if models is None else models
    for_rows, for_graph, *for_models = rng.spawn(2 + len(models))
    log = read_log(tables["events"], tables["reports"])
    train, labels = _rows_to_fit(tables, log, days, keep, for_rows)
    test = np.arange(len(log.day))[log.rows(days.first_test, days.last_test)]
    empty = pd.DataFrame(index=pd.Index(log.event_id[test], name="event_id"))
    scored = Scored(empty, log.card[test], int(labels.sum()))
    tables_of = {source for model in models.values() if isinstance(model, Tabular) for source in model.sources}
    blocks = [base.loc[log.event_id[rows]].astype(np.float32) for rows in (train, test)]  # half the memory
    for source in sorted(tables_of):
        with scored.timed(source):
            made = [_columns(source, tables, span, for_graph, every) for span in days.spans]
        blocks = [block.join(part.astype(np.float32)) for block, part in zip(blocks, made, strict=True)]
    for (name, model), own in zip(models.items(), for_models, strict=True):
        with scored.timed(name):
            if isinstance(model, Tabular):
                x, new = (block[[*base.columns, *model.extra]].to_numpy() for block in blocks)
                scored.scores[name] = model.fit(x, labels, own)(new)
            else:
                scored.scores[name] = model.fit(log, base, train, labels).score(log, base, test)
    return scored


def _rows_to_fit(
    tables: Mapping[str, pd.DataFrame], log: Log, days: Days, keep: float, rng: np.random.Generator
) -> tuple[Ids, NDArray[np.int8]]:
    y = known_labels(tables, days.first_test * DAY, first_day=days.first_train, last_day=days.last_train)
    sample = sample_rows(y, rng, keep).rows
    return log.rows(days.first_train, days.last_train).start + sample, y.iloc[sample].to_numpy(dtype=np.int8)


def _columns(
    source: str, tables: Mapping[str, pd.DataFrame], span: tuple[int, int], rng: np.random.Generator, every: int
) -> pd.DataFrame:
    events, reports = tables["events"], tables["reports"]
    if source == "entity":
        return entity_features(events, reports, *span)
    return graph_features(events, reports, *span, rng, every=every)
