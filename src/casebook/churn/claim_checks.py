"""What the claims page of chapter 4 measures and no other page needs: lists and models held against the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from casebook.churn.economics import four_groups
from casebook.churn.evaluate import Dollars, call_top
from casebook.churn.expectation import soft_auc
from casebook.churn.snapshot import Snapshot, draw_snapshot
from casebook.churn.world import World
from casebook.contracts import labels_and_probabilities, refuse, require_columns, require_length
from casebook.worlds import Interval, paired_interval

RISKIEST = 0.1  # the tenth of the base among which the best names by uplift are looked for


def list_facts(day: Snapshot, capacity: float) -> dict[str, float]:
    """Return how a list by true risk and one by true uplift, of the same length, differ.

    Parameters
    ----------
    day : Snapshot
    capacity : float
        Length of either list as a share of the subscribers, in (0, 1).

    Returns
    -------
    dict of str to float
        ``shared`` (share of the names that both hold), ``riskiest`` (share of the uplift list that stands in the
        riskiest tenth), ``gained`` (dollars of the uplift list less those of the risk list, over the oracle's),
        ``rate_risk`` and ``rate_uplift`` (subscribers kept over those who would leave, on either list), ``movable``
        (leavers whom a call would keep over all leavers).

    Raises
    ------
    ContractError
        A capacity that is no share, or a day on which no call pays.

    Examples
    --------
    >>> told = list_facts(draw_snapshot(World(), 3_000, np.random.default_rng(0)), 0.042)
    >>> told["rate_uplift"] > told["rate_risk"]
    True
    """
    if not 0 < capacity < 1:
        refuse("capacity", "above 0 and below 1", f"{capacity:g}", "divide the calls by the subscribers")
    worth, calls = day.worth, max(round(capacity * len(day)), 1)
    risk, uplift, riskiest = (
        call_top(score, length)
        for score, length in ((worth.p, calls), (worth.uplift, calls), (worth.p, round(RISKIEST * len(day))))
    )
    best = float(worth.gain[call_top(worth.gain, calls, least=0.0)].sum())
    if best <= 0:
        refuse("day", "one on which some call pays", "none that does", "raise the effect or the prices")
    groups = four_groups(worth)
    return {
        "shared": float(risk[uplift].mean()),
        "riskiest": float(riskiest[uplift].mean()),
        "gained": float(worth.gain[uplift].sum() - worth.gain[risk].sum()) / best,
        "rate_risk": float(worth.uplift[risk].sum() / worth.p[risk].sum()),
        "rate_uplift": float(worth.uplift[uplift].sum() / worth.p[uplift].sum()),
        "movable": float(groups["persuadable"] / worth.p.sum()),
    }


def model_scores(
    models: Mapping[str, Any], day: Snapshot, later: Snapshot, rng: np.random.Generator
) -> dict[str, Dollars]:
    """Fit every model on one draw of who leaves, and score other subscribers.

    Parameters
    ----------
    models : mapping of str to classifier
        They are cloned; the ones you pass stay unfitted.
    day, later : Snapshot
        To fit on, and to score.
    rng : numpy.random.Generator
        Draws who leaves.

    Returns
    -------
    dict of str to numpy.ndarray
        By model, the predicted chance of leaving, shape (len(later),).

    Examples
    --------
    >>> from casebook.churn.models import boosted
    >>> rng = np.random.default_rng(0)
    >>> day = draw_snapshot(World(), 2_000, rng)
    >>> soft_auc(day.worth.p, model_scores({"boosted": boosted()}, day, day, rng)["boosted"]) > 0.7
    True
    """
    left = (rng.random(len(day)) < day.worth.p).astype(int)
    return {
        name: np.asarray(clone(model).fit(day.features, left).predict_proba(later.features)[:, 1], dtype=float)
        for name, model in models.items()
    }


def soft_auprc(p: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """Return the average precision of a score against chances instead of labels, ties one threshold.

    Every row counts as a leaver with weight p and as a stayer with weight 1 - p.

    Parameters
    ----------
    p, score : array_like, shape (n,)
        True chances, and the score; both in [0, 1].

    Examples
    --------
    >>> soft_auprc([1.0, 0.0, 1.0, 0.0], [0.9, 0.8, 0.7, 0.1])
    0.8333333333333333
    >>> soft_auprc([0.3, 0.3], [0.1, 0.2])
    0.3
    """
    chances, scores = np.asarray(p, dtype=float), np.asarray(score, dtype=float)
    require_length(scores, len(chances), "score")
    _, place = np.unique(-scores, return_inverse=True)
    leaving, rows = np.bincount(place, weights=chances), np.bincount(place)
    precision = np.cumsum(leaving) / np.cumsum(rows)
    return float(leaving @ precision / leaving.sum())


def gain_by_rows(
    world: World, models: tuple[Any, Any], rows: Sequence[int], rng: np.random.Generator, tested: int = 20_000
) -> pd.Series:
    """Return how much AUC the second model has over the first, by the number of rows that both learn from.

    Parameters
    ----------
    world : World
    models : tuple of two classifiers
    rows : sequence of int
        Subscribers of the fit.
    rng : numpy.random.Generator
    tested : int
        Subscribers on whom they are judged, against the true chances.

    Returns
    -------
    pandas.Series
        Difference of AUC, index ``rows``.

    Examples
    --------
    >>> from casebook.churn.models import boosted
    >>> same = gain_by_rows(World(), (boosted(), boosted()), [1_000], np.random.default_rng(0), tested=1_000)
    >>> same.tolist()
    [0.0]
    """
    later, found = draw_snapshot(world, tested, rng), {}
    for n in rows:
        scores = model_scores(dict(zip("ab", models, strict=True)), draw_snapshot(world, n, rng), later, rng)
        found[n] = soft_auc(later.worth.p, scores["b"]) - soft_auc(later.worth.p, scores["a"])
    return pd.Series(found, name="AUC gained").rename_axis("rows")


def crossed(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Draw rows whose label hangs on a product of two columns and on neither by itself.

    Returns
    -------
    tuple of pandas.DataFrame and numpy.ndarray of int
        Columns ``a`` and ``b``, standard normal; labels, 1 with log-odds 2ab - 2.

    Examples
    --------
    >>> X, y = crossed(1_000, np.random.default_rng(0))
    >>> X.shape, sorted(set(y.tolist()))
    ((1000, 2), [0, 1])
    """
    X = pd.DataFrame(rng.normal(size=(n, 2)), columns=["a", "b"])
    chance = 1 / (1 + np.exp(2 - 2 * X["a"] * X["b"]))
    return X, (rng.random(n) < chance).to_numpy().astype(int)


def lift(flag: npt.ArrayLike, left: npt.ArrayLike) -> float:
    """Return how many times as often those with a flag left as those without.

    Raises
    ------
    ContractError
        Nobody with the flag, nobody without, or nobody without who left.

    Examples
    --------
    >>> lift([1, 1, 0, 0, 0, 0], [1, 0, 0, 0, 0, 1])
    2.0
    """
    gone, marked = labels_and_probabilities(left, np.asarray(flag, dtype=float))
    with_flag, without = marked > 0.5, marked <= 0.5
    if not with_flag.any() or not without.any() or not gone[without].any():
        refuse("flag", "set for some, and unset for some who left", "one side empty", "take another flag or more rows")
    return float(gone[with_flag].mean() / gone[without].mean())


def choose_by(frame: pd.DataFrame, metrics: tuple[str, str]) -> Interval:
    """Return how much more is saved if the model is picked on the first metric instead of the second.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a world: ``<metric>_<model>`` and ``saved_<model>`` for every model.
    metrics : tuple of str
        Higher is better for both.

    Returns
    -------
    Interval
        Mean over worlds of the paired difference, in the unit of ``saved_``, with its confidence interval.

    Raises
    ------
    ContractError
        No ``saved_`` column, or a metric that is not there for every model.

    Examples
    --------
    >>> worlds = {"a_x": [0.9, 0.1], "a_y": [0.1, 0.9], "b_x": [0.9, 0.9], "b_y": [0.1, 0.1]}
    >>> worlds |= {"saved_x": [0.5, 0.5], "saved_y": [0.4, 0.6]}
    >>> round(choose_by(pd.DataFrame(worlds), ("a", "b")).mean, 3)
    0.05
    """
    models = [column.removeprefix("saved_") for column in frame.columns if column.startswith("saved_")]
    if not models:
        refuse("frame", "a table with a column 'saved_<model>' a model", "none", "pass a study of models")
    saved = frame[[f"saved_{model}" for model in models]].to_numpy(float)
    picked = []
    for metric in metrics:
        names = [f"{metric}_{model}" for model in models]
        require_columns(frame, names, "frame")
        picked.append(saved[np.arange(len(frame)), frame[names].to_numpy(float).argmax(axis=1)])
    return paired_interval(*picked)
