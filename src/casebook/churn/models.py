"""The models of a first and a second version behind one interface, and what they are worth on a later month."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from casebook.churn.explain import explain, reasons
from casebook.churn.features import CATEGORIES, COLUMNS
from casebook.churn.paired import account_weights, weighted_areas
from casebook.churn.rebalance import Rebalanced, class_weighted, undersampled
from casebook.contracts import FloatArray, labels_and_probabilities, refuse, require_columns
from casebook.decisions import calibration_error

__all__ = [
    "Rebalanced",
    "ablation",
    "boosted",
    "class_weighted",
    "compare",
    "explain",
    "logistic",
    "precision_at",
    "quality",
    "reasons",
    "undersampled",
]

_EDGE = 1e-7  # no probability counts as certain in the log loss


def logistic(seed: int = 0, columns: Sequence[str] | None = None, penalty: float = 1.0) -> Pipeline:
    """Return a logistic regression: medians for what is missing, a flag that it was, standardised, L2.

    Parameters
    ----------
    seed : int
    columns : sequence of str, optional
        Columns that it looks at, such as :data:`casebook.churn.features.TOP30`; by default all it is given.
    penalty : float
        Weight of the squared coefficients, 0 or more; scikit-learn's 1 / C.

    Returns
    -------
    sklearn.pipeline.Pipeline

    Examples
    --------
    >>> X = pd.DataFrame({"logins_drop": [0.1, 0.8, np.nan, 0.0, 0.9], "price": [90.0, 90, 180, 180, 420]})
    >>> model = logistic(columns=["logins_drop"]).fit(X, [0, 1, 0, 0, 1])
    >>> model.predict_proba(X)[:, 1].round(2).tolist()
    [0.22, 0.68, 0.19, 0.17, 0.74]
    """
    steps: list[Any] = [
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=1 / penalty if penalty else np.inf, max_iter=1000, random_state=seed),
    ]
    if columns is not None:
        steps.insert(0, make_column_transformer(("passthrough", list(columns)), verbose_feature_names_out=False))
    return make_pipeline(*steps)


def boosted(seed: int = 0, **settings: Any) -> LGBMClassifier:
    """Return boosted trees that give the same numbers on every run: one thread, fixed seeds, no chatter.

    Parameters
    ----------
    seed : int
    **settings
        Overrides, by LightGBM's scikit-learn names.

    Returns
    -------
    lightgbm.LGBMClassifier

    Examples
    --------
    >>> boosted(seed=1, n_estimators=50).get_params()["n_estimators"]
    50
    """
    usual: dict[str, Any] = {
        **{"n_estimators": 150, "num_leaves": 15, "learning_rate": 0.05, "min_child_samples": 50},
        **{"colsample_bytree": 0.7, "subsample": 0.8, "subsample_freq": 1},
    }
    fixed = {"random_state": seed, "n_jobs": 1, "deterministic": True, "force_row_wise": True, "verbose": -1}
    return LGBMClassifier(**(usual | fixed | settings))


def precision_at(y: npt.ArrayLike, p: npt.ArrayLike, capacity: float) -> float:
    """Return the share of leavers among the highest ``capacity`` (a share of the rows); ties go by position.

    Examples
    --------
    >>> precision_at([0, 1, 0, 1], [0.1, 0.9, 0.8, 0.2], capacity=0.5)
    0.5
    """
    labels, probabilities = labels_and_probabilities(y, p)
    if not 0 < capacity <= 1:
        refuse("capacity", "above 0 and at most 1", f"{capacity:g}", "divide the calls by the rows")
    top = np.argsort(-probabilities, kind="stable")[: max(round(capacity * len(labels)), 1)]
    return float(labels[top].mean())


def quality(y: npt.ArrayLike, p: npt.ArrayLike, capacity: float) -> dict[str, float]:
    """Return the offline metrics of one score.

    Returns
    -------
    dict of str to float
        ``auprc`` (the base rate is what a coin gets), ``auc``, ``precision`` (at capacity), ``log_loss``,
        ``calibration_error``.

    Examples
    --------
    >>> quality([0, 1, 0, 1], [0.1, 0.9, 0.8, 0.7], capacity=0.5)["auc"]
    0.75
    """
    labels, probabilities = labels_and_probabilities(y, p)
    if labels.all() or not labels.any():
        refuse("y", "labels of both classes", f"only {int(labels[0])}", "take a month whose window has closed")
    return {
        "auprc": float(average_precision_score(labels, probabilities)),
        "auc": float(roc_auc_score(labels, probabilities)),
        "precision": precision_at(labels, probabilities, capacity),
        "log_loss": float(log_loss(labels, np.clip(probabilities, _EDGE, 1 - _EDGE))),
        "calibration_error": calibration_error(labels, probabilities),
    }


def compare(
    models: Mapping[str, Any],
    train: pd.DataFrame,
    test: pd.DataFrame,
    capacity: float,
    columns: Sequence[str] = COLUMNS,
) -> pd.DataFrame:
    """Fit each model on the earlier months and measure it on the later one.

    Parameters
    ----------
    models : mapping of str to classifier
        They are cloned; the ones you pass stay unfitted.
    train, test : pandas.DataFrame
        From :func:`casebook.churn.features.cohorts`, every window closed, the test later than the training.
    capacity : float
        Share of the base that can be called.
    columns : sequence of str

    Returns
    -------
    pandas.DataFrame
        One row a model: what :func:`quality` returns, ``fit_seconds``, ``row_ms`` (to score one row),
        ``base_seconds`` (to score all of ``test``).

    Raises
    ------
    ContractError
        A missing column or label.
    """
    for name, frame in (("train", train), ("test", test)):
        _require_labels(frame, name, columns)
    rows = {name: _measured(clone(model), train, test, capacity, list(columns)) for name, model in models.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def _measured(
    model: Any, train: pd.DataFrame, test: pd.DataFrame, capacity: float, columns: list[str]
) -> dict[str, float]:
    fit_seconds, _ = _timed(lambda: model.fit(train[columns], train["y"].astype(int)))
    one = test[columns].iloc[:1]
    row_seconds = min(_timed(lambda: model.predict_proba(one))[0] for _ in range(5))
    base_seconds, p = _timed(lambda: model.predict_proba(test[columns])[:, 1])
    speed = {"fit_seconds": fit_seconds, "row_ms": 1000 * row_seconds, "base_seconds": base_seconds}
    return quality(test["y"], p, capacity) | speed


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def _require_labels(frame: pd.DataFrame, what: str, columns: Sequence[str]) -> None:
    require_columns(frame, [*columns, "y"], what)
    if frame["y"].isna().any():
        row = int(np.argmax(frame["y"].isna()))
        refuse(f"{what}, row {row}: y", "0 or 1", "a missing value", "drop cohorts whose window is still open")


def ablation(
    train: pd.DataFrame,
    test: pd.DataFrame,
    rng: np.random.Generator,
    model: Any = None,
    resamples: int = 200,
    categories: Mapping[str, Sequence[str]] = CATEGORIES,
) -> pd.DataFrame:
    """Fit with one category of features only, and with all but that one.

    Parameters
    ----------
    train, test : pandas.DataFrame
        As in :func:`compare`.
    rng : numpy.random.Generator
        Draws the companies of each resample.
    model : classifier, optional
        Boosted trees by default.
    resamples : int
        Resamples of companies behind each interval.
    categories : mapping of str to sequence of str

    Returns
    -------
    pandas.DataFrame
        Rows ``all``, then each category twice: ``category``, ``kept`` ("only" or "all but"), ``columns`` (how
        many), ``auprc``, ``auc``, and what is lost against all features, ``auprc_lost`` and ``auc_lost``, each with
        ``_low`` and ``_high``: the 95 % interval over the test's companies, both models on the same draws. The
        interval knows nothing of the luck of the training months.
    """
    columns = [column for names in categories.values() for column in names]
    sets = {("all", "all"): columns}
    for category, names in categories.items():
        sets[category, "only"] = list(names)
        sets[category, "all but"] = [column for column in columns if column not in names]
    weights = account_weights(test["account_id"], resamples, rng)
    weights = np.vstack([np.ones(len(test)), weights])
    areas = {
        key: _areas(boosted() if model is None else model, train, test, used, weights) for key, used in sets.items()
    }
    return pd.DataFrame([_ablated(key, len(sets[key]), areas[key], areas["all", "all"]) for key in sets])


def _areas(
    model: Any, train: pd.DataFrame, test: pd.DataFrame, columns: list[str], weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    fitted = clone(model).fit(train[columns], train["y"].astype(int))
    return weighted_areas(test["y"], fitted.predict_proba(test[columns])[:, 1], weights)


def _ablated(
    key: tuple[str, str], columns: int, areas: tuple[FloatArray, FloatArray], full: tuple[FloatArray, FloatArray]
) -> dict[str, Any]:
    row: dict[str, Any] = {"category": key[0], "kept": key[1], "columns": columns}
    row |= {name: values[0] for name, values in zip(("auprc", "auc"), areas, strict=True)}
    for name, values, reference in zip(("auprc", "auc"), areas, full, strict=True):
        lost = reference - values
        low, high = np.quantile(lost[1:], [0.025, 0.975])
        row |= {f"{name}_lost": lost[0], f"{name}_lost_low": low, f"{name}_lost_high": high}
    return row
