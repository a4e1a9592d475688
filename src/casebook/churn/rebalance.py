"""Rare leavers: weigh or thin the stayers for the fit, then put the odds right."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from casebook.contracts import FloatArray, refuse
from casebook.decisions import undo_undersampling


class Rebalanced(ClassifierMixin, BaseEstimator):
    """A model fitted as if leavers were as common as stayers, with the odds put right afterwards.

    Both ways of rebalancing multiply the odds by (1 - base_rate) / base_rate; without the correction every
    probability is that much too high, while the order of the rows is untouched.

    Parameters
    ----------
    model : classifier
        Anything with ``fit``, ``predict_proba`` and, for weights, a parameter ``class_weight``.
    how : {"weights", "undersample"}
        Weigh the classes alike, or keep only as many stayers as there are leavers.
    corrected : bool
        Whether to put the odds right.
    seed : int
        Decides which stayers are kept.

    Attributes
    ----------
    keep_ : float
        Leavers per stayer; the share of stayers that were kept, or what weighing them is worth.
    model_ : classifier
        The fitted model; its own probabilities are not corrected.
    """

    def __init__(self, model: Any, how: str = "weights", corrected: bool = True, seed: int = 0) -> None:
        self.model, self.how, self.corrected, self.seed = model, how, corrected, seed

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike) -> Self:
        """Fit on rows with labels 0 and 1."""
        if self.how not in ("weights", "undersample"):
            refuse("how", "'weights' or 'undersample'", repr(self.how), "take one of the two")
        labels = np.asarray(y) == 1
        self.classes_ = np.array([0, 1])
        self.keep_ = float(labels.sum() / (~labels).sum())
        self.model_ = clone(self.model)
        if self.how == "weights":
            name = next(name for name in self.model_.get_params() if name.endswith("class_weight"))
            self.model_.set_params(**{name: "balanced"}).fit(X, labels.astype(int))
            return self
        luck = np.random.default_rng(self.seed).random(len(labels))
        rows = np.flatnonzero(labels | (luck < self.keep_))
        self.model_.fit(X.iloc[rows], labels[rows].astype(int))
        return self

    def predict_proba(self, X: pd.DataFrame) -> FloatArray:
        """Return the chances of staying and leaving, shape (n, 2)."""
        p = self.model_.predict_proba(X)[:, 1]
        if self.corrected:
            p = undo_undersampling(p, min(self.keep_, 1.0))
        return np.column_stack([1 - p, p])

    def predict(self, X: pd.DataFrame) -> npt.NDArray[np.int64]:
        """Return who is likelier to leave than to stay."""
        return (self.predict_proba(X)[:, 1] > 0.5).astype(np.int64)


def class_weighted(model: Any, corrected: bool = True) -> Rebalanced:
    """Return the model with classes weighed alike and, unless told otherwise, the odds put right."""
    return Rebalanced(model, "weights", corrected)


def undersampled(model: Any, corrected: bool = True, seed: int = 0) -> Rebalanced:
    """Return the model fitted on as many stayers as leavers and, unless told otherwise, the odds put right."""
    return Rebalanced(model, "undersample", corrected, seed)
