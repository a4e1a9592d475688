"""One table of what counts of sharing, a graph and a graph convolution are worth, on all fraud and on rings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from casebook.contracts import refuse
from casebook.fraud.evaluate_gap import precision_gap
from casebook.fraud.evaluate_groups import FPRS, LEAST, TOO_FEW, by_kind
from casebook.fraud.score_graph import MODELS, Scored, Tabular
from casebook.fraud.truth import Truth

TARGETS = ("all", "ring")
PAIRS = (
    ("base + age", "base"),
    ("base + entity", "base"),
    ("base + graph", "base"),
    ("base + graph", "base + entity"),
    ("base + age + graph", "base + entity"),
    ("base + both", "base + entity"),
    ("graph convolution", "logistic regression"),
    ("graph convolution + own", "logistic regression"),
    ("graph convolution", "forest"),
    ("graph convolution + own", "base + entity"),
)
"""Which score is held against which. The fifth is a graph against counts where both know how old an id is, the sixth
what a graph adds for a bank that counts already."""


def graph_table(scored: Scored, truth: Truth, targets: Sequence[str] = TARGETS, *, least: int = LEAST) -> pd.DataFrame:
    """Return how well each model ranks all fraud and rings on the test days.

    Weber et al. (2019, Anti-money laundering in Bitcoin) held a graph convolution against a random forest on the
    Elliptic transactions; their abstract reads "the results show the superiority of Random Forest". Read the rows
    "forest" and "graph convolution" beside that.

    Parameters
    ----------
    scored : Scored
    truth : Truth
    targets : sequence of str
        "all" or a kind; the frauds of a kind are held against all honest events.
    least : int
        Frauds below which a row's measures are missing and its note is "too few".

    Returns
    -------
    pandas.DataFrame
        Index ``target`` and ``model``: ``n``, ``frauds``, ``prevalence``, ``ap``, ``recall_at_0.01``,
        ``recall_at_0.001``, ``note``, ``feature_s`` (seconds for the columns beside the base) and ``fit_s`` (to fit
        and score).

    Raises
    ------
    ContractError
        Scores of events that the truth does not know.
    """
    fraud, kind = _truth_of(scored, truth)
    measures = ["ap", *(f"recall_at_{fpr:g}" for fpr in FPRS)]
    none = {
        "n": int((~fraud).sum()),
        "frauds": 0,
        "prevalence": 0.0,
        **dict.fromkeys(measures, np.nan),
        "note": TOO_FEW,
    }
    rows: dict[tuple[str, str], dict[Any, Any]] = {}
    for name in map(str, scored.scores.columns):
        measured = by_kind(fraud, scored.scores[name].to_numpy(), kind, least=least).to_dict("index")
        for target in targets:
            rows[(target, name)] = none | measured.get(target, {}) | _seconds(scored, name)
    order = [(target, str(name)) for target in targets for name in scored.scores.columns]
    table = pd.DataFrame.from_dict({key: rows[key] for key in order}, orient="index")
    return table.rename_axis(["target", "model"])[[*none, "feature_s", "fit_s"]]


def _seconds(scored: Scored, name: str) -> dict[str, float]:
    model = MODELS.get(name)
    sources = model.sources if isinstance(model, Tabular) else ()
    return {"feature_s": sum(scored.seconds.get(source, 0.0) for source in sources), "fit_s": scored.seconds[name]}


def graph_gaps(
    scored: Scored,
    truth: Truth,
    rng: np.random.Generator,
    targets: Sequence[str] = TARGETS,
    pairs: Sequence[tuple[str, str]] = PAIRS,
    *,
    least: int = LEAST,
) -> pd.DataFrame:
    """Return how much higher one model's average precision is than another's, with intervals over cards.

    Rings are few, and what differs from one ring to the next is not in an interval over cards: read it as the least
    that is uncertain, and hold the sign against many worlds.

    Parameters
    ----------
    scored, truth, targets, least
        As in :func:`graph_table`.
    rng : numpy.random.Generator
        All pairs of a target meet the same draws of cards.
    pairs : sequence of (str, str)

    Returns
    -------
    pandas.DataFrame
        Index ``target``, ``first`` and ``second``: ``frauds``, ``gap`` (first less second), ``low``, ``high`` (95%),
        ``note``, which says "too few" where they are missing.

    Raises
    ------
    ContractError
        As :func:`graph_table`, and for a model that was not scored.
    """
    fraud, kind = _truth_of(scored, truth)
    seed = int(rng.integers(2**62))
    rows = {}
    for target in targets:
        kept = np.ones(len(fraud), bool) if target == "all" else ~fraud | (kind == target)
        y, card, frauds = fraud[kept], scored.card[kept], int(fraud[kept].sum())
        for pair in pairs:
            first, second = (_score(scored, name)[kept] for name in pair)
            row: dict[str, float | int | str] = {"frauds": frauds, "gap": np.nan, "low": np.nan, "high": np.nan}
            if frauds >= max(least, 1):
                found = precision_gap(y, first, second, card, np.random.default_rng(seed))
                row |= {"gap": found.gap, "low": found.low, "high": found.high}
            rows[(target, *pair)] = row | {"note": "" if frauds >= max(least, 1) else TOO_FEW}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["target", "first", "second"])


def _score(scored: Scored, name: str) -> np.ndarray:
    if name not in scored.scores.columns:
        refuse("pairs", "of models that were scored", repr(name), f"choose from {list(scored.scores.columns)}")
    return scored.scores[name].to_numpy()


def _truth_of(scored: Scored, truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    events = truth.events.set_index("event_id")
    ids = scored.scores.index
    if not ids.isin(events.index).all():
        refuse("truth", "of the run that was scored", "other event ids", "pass the run's own")
    known = events.loc[ids]
    return known["fraud"].to_numpy(dtype=bool), known["kind"].astype(str).to_numpy()
