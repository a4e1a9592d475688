"""Boosted trees as a function of rows to a function of rows, for policies that fit several models every few days."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from casebook.contracts import BoolArray, FloatArray

Rows = NDArray[Any]
Predict = Callable[[Rows], FloatArray]
Fit = Callable[[Rows, BoolArray, FloatArray], Predict]

_TREES = 60
_SETTINGS: dict[str, Any] = {
    **{"objective": "binary", "num_leaves": 7, "learning_rate": 0.1, "lambda_l2": 5.0, "min_data_in_leaf": 20},
    **{"feature_fraction": 0.7, "bagging_fraction": 0.8, "bagging_freq": 1, "max_bin": 63, "seed": 0},
    **{"num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1},
}


def fit_boosted(X: Rows, y: BoolArray, weight: FloatArray) -> Predict:
    """Fit a few small boosted trees on one thread, and return what predicts with them.

    Parameters
    ----------
    X : array, shape (n, k)
    y : array of bool, shape (n,)
    weight : array of float, shape (n,)
        How many rows each stands for.

    Returns
    -------
    callable
        From rows, shape (m, k), to probabilities, shape (m,). Where y has one class only, it is the weighted share of
        frauds for all rows.

    References
    ----------
    Ke et al. (2017), LightGBM: a highly efficient gradient boosting decision tree, NIPS.

    Examples
    --------
    >>> X = np.arange(200.0)[:, None]
    >>> predict = fit_boosted(X, X[:, 0] > 99, np.ones(200))
    >>> (predict(np.array([[10.0], [190.0]])) > 0.5).tolist()
    [False, True]
    """
    if y.all() or not y.any():
        share = float(np.average(y, weights=weight))
        return lambda rows: np.full(len(rows), share)
    booster = lightgbm.train(_SETTINGS, lightgbm.Dataset(X, y.astype(np.int8), weight=weight), _TREES)
    return lambda rows: np.asarray(booster.predict(rows, num_threads=1)) if len(rows) else np.empty(0)
