"""Base models that forecast the mean of an outcome, be they classifiers or regressors."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from casebook.contracts import FloatArray, refuse

BASES = ("lightgbm", "logistic")
_SMALL: dict[str, Any] = {"n_estimators": 100, "num_leaves": 15, "learning_rate": 0.05, "min_child_samples": 50}
# One thread and one histogram layout: sums of floats then add up in one order on every machine.
_SAME_AGAIN: dict[str, Any] = {"n_jobs": 1, "deterministic": True, "force_row_wise": True, "verbose": -1}


class MeanModel:
    """Fit any scikit-learn-like model; ``predict`` returns the expected outcome, never a hard label.

    Columns get names of their own, so that a model fitted on a frame and asked with an array, as causal
    libraries do, does not complain. An outcome with a single value is forecast as that value.

    Parameters
    ----------
    model : object
        An unfitted classifier with ``predict_proba`` (outcome 0/1), or a regressor.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, X: Any, y: npt.ArrayLike) -> MeanModel:
        """Fit a clone of the model."""
        outcome = np.asarray(y, dtype=float)
        self.constant_ = float(outcome[0]) if np.ptp(outcome) == 0 else None
        if self.constant_ is None:
            target = outcome.astype(int) if is_classifier(self.model) else outcome
            self.fitted_ = clone(self.model).fit(_named(X), target)
        return self

    def predict(self, X: Any) -> FloatArray:
        """Return the expected outcome, shape (n,)."""
        if self.constant_ is not None:
            return np.full(len(X), self.constant_)
        if is_classifier(self.model):
            return np.asarray(self.fitted_.predict_proba(_named(X))[:, 1], dtype=float)
        return np.asarray(self.fitted_.predict(_named(X)), dtype=float)


def outcome_model(base: Any, binary: bool, seed: int) -> MeanModel:
    """Return the model of the outcome: the named one for 0/1 or for numbers, or the reader's own."""
    if base is None or base == "lightgbm":
        return MeanModel(_lightgbm(binary, seed))
    if isinstance(base, str) and base == "logistic":
        if binary:
            return MeanModel(make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, random_state=seed)))
        return MeanModel(make_pipeline(StandardScaler(), LinearRegression()))
    if isinstance(base, str) or not (hasattr(base, "fit") and hasattr(base, "get_params")):
        allowed = f"{', '.join(map(repr, BASES))} or an unfitted scikit-learn model"
        refuse("base", allowed, repr(base), "choose one of them or leave it out")
    if is_classifier(base) and not binary:
        refuse("base", "a regressor where y is not 0/1", f"the classifier {type(base).__name__}", "pass a regressor")
    return MeanModel(base)


def effect_model(base: Any, seed: int) -> MeanModel:
    """Return the model of an effect, always a regressor: the base's own kind, or LightGBM for a classifier."""
    if isinstance(base, str) and base == "logistic":
        return outcome_model(base, False, seed)
    if base is None or isinstance(base, str) or is_classifier(base):
        return MeanModel(_lightgbm(False, seed))
    return MeanModel(base)


def _lightgbm(binary: bool, seed: int) -> Any:
    import lightgbm  # takes seconds

    maker = lightgbm.LGBMClassifier if binary else lightgbm.LGBMRegressor
    return maker(**_SMALL, **_SAME_AGAIN, random_state=seed)


def _named(X: Any) -> pd.DataFrame:
    values = np.asarray(X, dtype=float)
    return pd.DataFrame(values, columns=[f"x{column}" for column in range(values.shape[1])])
