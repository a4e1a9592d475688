"""Class weights: what the handbook prints on a toy and on its transactions, run anew.

A weight below 1 on honest rows moves all probabilities up, so more of them pass one half. That moves the cut, and so
can the cut: with honest rows at weight w, "above one half" means about the same as "above w / (1 + w)" without.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.tree import DecisionTreeClassifier

from casebook.fraud.evaluate import average_precision
from casebook.fraud.evaluate_gap import precision_gap
from casebook.fraud.evaluate_queue import card_precision
from casebook.fraud.real import Scored, score_with

WEIGHTS = (1.0, 0.5, 0.1, 0.05, 0.01)
"""Weights of honest rows beside 1 for fraud."""

TOY_WEIGHT = 0.05 / 0.95
"""The handbook's imbalance ratio on its toy."""

_TREE, _LOGISTIC = "tree, depth 5", "logistic regression"
_Three = tuple[float, float, float]

#: Model, weight -> AUC, average precision, card precision at 100: chapter 6 of the handbook, its transactions, means
#: of four test weeks.
PUBLISHED_WEIGHTS: Mapping[tuple[str, float], _Three] = {
    (_LOGISTIC, 1.0): (0.868, 0.623, 0.297),
    (_LOGISTIC, 0.5): (0.868, 0.622, 0.298),
    (_LOGISTIC, 0.1): (0.870, 0.614, 0.296),
    (_LOGISTIC, 0.05): (0.871, 0.605, 0.297),
    (_LOGISTIC, 0.01): (0.871, 0.571, 0.294),
    (_TREE, 1.0): (0.810, 0.600, 0.284),
    (_TREE, 0.5): (0.798, 0.579, 0.278),
    (_TREE, 0.1): (0.784, 0.556, 0.272),
    (_TREE, 0.05): (0.793, 0.561, 0.274),
    (_TREE, 0.01): (0.825, 0.537, 0.289),
}

#: Model, weight -> AUC, average precision, balanced accuracy: the same chapter's toy of two features.
PUBLISHED_TOY: Mapping[tuple[str, float], _Three] = {
    (_LOGISTIC, 1.0): (0.937, 0.535, 0.641),
    (_LOGISTIC, TOY_WEIGHT): (0.937, 0.536, 0.899),
    (_TREE, 1.0): (0.906, 0.528, 0.786),
    (_TREE, TOY_WEIGHT): (0.887, 0.471, 0.898),
}


def toy_class_weights() -> pd.DataFrame:
    """Run the handbook's toy: five thousand points with two features, five folds, with and without class weights.

    Returns
    -------
    pandas.DataFrame
        Index ``model``, ``weight``: ``auc``, ``ap``, ``balanced_accuracy`` and each of them ``..._published``.

    Examples
    --------
    >>> table = toy_class_weights()
    >>> table.loc["logistic regression", ["ap", "ap_published", "balanced_accuracy"]].round(2)
              ap  ap_published  balanced_accuracy
    weight
    1.000000  0.54          0.54               0.64
    0.052632  0.54          0.54               0.90
    """
    X, y = make_classification(
        n_samples=5000, n_features=2, n_informative=2, n_redundant=0, n_clusters_per_class=1, weights=[0.95, 0.05],
        class_sep=0.5, random_state=0,
    )  # fmt: skip
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    scoring = {"auc": "roc_auc", "ap": "average_precision", "balanced_accuracy": "balanced_accuracy"}
    rows = {}
    for (name, weight), published in PUBLISHED_TOY.items():
        found = cross_validate(_models(weight, 0)[name], X, y, cv=folds, scoring=scoring)
        ours = {measure: float(found[f"test_{measure}"].mean()) for measure in scoring}
        printed = {f"{measure}_published": value for measure, value in zip(scoring, published, strict=True)}
        rows[name, weight] = ours | printed
    return _indexed(rows)


def class_weights(frame: pd.DataFrame, rng: np.random.Generator, seed: int = 0, rounds: int = 200) -> pd.DataFrame:
    """Fit both models with each weight on the handbook's transactions, beside its printed numbers.

    Ours are of the baseline's one test week, the printed ones means of four later weeks: compare how they move with
    the weight, not the levels.

    Parameters
    ----------
    frame : pandas.DataFrame
        As :func:`casebook.datasets.prepare_fraud_handbook` returns it.
    rng : numpy.random.Generator
        For the interval over cards.
    seed : int
        Of the models.
    rounds : int
        Draws of the interval.

    Returns
    -------
    pandas.DataFrame
        Index ``model``, ``weight``: ``auc``, ``ap``, ``cp`` (at 100, found cards leave), each ``..._published``;
        ``gap``, ``low``, ``high`` (average precision less that at weight 1, 95% over cards);
        ``balanced_accuracy`` at one half; ``moved_cut`` (that of weight 1, cut at w / (1 + w)).

    Raises
    ------
    ContractError
        As :func:`casebook.fraud.real.handbook_split` and :func:`casebook.fraud.evaluate_gap.precision_gap`.
    """
    rows = {}
    for name in (_LOGISTIC, _TREE):
        scored = score_with(frame, {f"{weight:g}": _models(weight, seed)[name] for weight in WEIGHTS})
        for weight in WEIGHTS:
            published = dict(zip(("auc", "ap", "cp"), PUBLISHED_WEIGHTS[name, weight], strict=True))
            row = _weight_row(scored, weight, rng, rounds)
            rows[name, weight] = row | {f"{measure}_published": value for measure, value in published.items()}
    return _indexed(rows)


def _weight_row(scored: Scored, weight: float, rng: np.random.Generator, rounds: int) -> dict[str, float]:
    test, y = scored.test, scored.test["fraud"].to_numpy()
    p, plain = (scored.score[name].to_numpy() for name in (f"{weight:g}", "1"))
    gap = precision_gap(y, p, plain, test["card_id"].to_numpy(), rng, rounds)
    return {
        "auc": float(roc_auc_score(y, p)),
        "ap": average_precision(y, p),
        "cp": card_precision(test["card_id"], test["day"], p, y, drop_found=True),
        "gap": gap.gap,
        "low": gap.low,
        "high": gap.high,
        "balanced_accuracy": float(balanced_accuracy_score(y, p > 0.5)),
        "moved_cut": float(balanced_accuracy_score(y, plain > weight / (1 + weight))),
    }


def _models(weight: float, seed: int) -> dict[str, Any]:
    honest = {0: weight, 1: 1.0}
    return {
        _LOGISTIC: LogisticRegression(class_weight=honest, random_state=seed),
        _TREE: DecisionTreeClassifier(max_depth=5, class_weight=honest, random_state=seed),
    }


def _indexed(rows: Mapping[tuple[str, float], Mapping[str, float]]) -> pd.DataFrame:
    table = pd.DataFrame(list(rows.values()))
    table.index = pd.MultiIndex.from_tuples(list(rows), names=["model", "weight"])
    return table
