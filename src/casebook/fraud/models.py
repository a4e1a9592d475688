"""Every model of the chapter behind one interface: ``fit(X, y, keep)`` and ``predict(X)``, a number an event.

All are scikit-learn estimators as far as settings go (``get_params``, ``clone``). Columns that are not among
:data:`casebook.fraud.feature_spec.FEATURES`, such as those of a graph, are taken as numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from casebook.contracts import BoolArray, FloatArray, refuse
from casebook.decisions import undo_undersampling
from casebook.fraud.model_base import Model, by_blocks, checked_labels, columns_without
from casebook.fraud.model_inputs import AGEING, WORDS, as_numbers
from casebook.fraud.models_unlabelled import AnomalyModel, RuleModel

__all__ = ["AnomalyModel", "BoostedModel", "LogisticModel", "Model", "RuleModel"]

LEAST_TREES = 20


class LogisticModel(BaseEstimator):
    """A logistic regression on logarithms: amounts and counts have long tails, and a line follows the largest.

    Words get a column each, shares of reports their logarithm, all else the logarithm of one more (with its sign); what
    is missing gets the median; all is standardised, with an L2 penalty. It fits to eighty columns of float64: half a
    million rows take two gigabytes, a sample of one in twenty a tenth of one.

    Parameters
    ----------
    penalty : float
        Weight of the squared coefficients, above 0.
    without : sequence of str
        Columns that it does not read; by default those that grow with the log.

    Examples
    --------
    >>> X = pd.DataFrame({"amount_cents": [100.0, 90_000, 120, 80, 70_000, 300]})
    >>> model = LogisticModel().fit(X, [0, 1, 0, 0, 1, 0], keep=0.05)
    >>> model.predict(X.iloc[:2]).round(3).tolist()
    [0.008, 0.11]
    """

    is_probability = True

    def __init__(self, penalty: float = 1.0, without: Sequence[str] = AGEING) -> None:
        self.penalty, self.without = penalty, without

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike, keep: float = 1.0) -> Self:
        """Fit to rows of which a share ``keep`` of those without fraud was kept.

        Parameters
        ----------
        X : pandas.DataFrame, shape (n, k)
        y : array_like, shape (n,)
            1 for fraud, both classes present.
        keep : float
            In (0, 1].

        Raises
        ------
        ContractError
            No rows, labels that are none or of one class, unequal lengths, a share outside (0, 1].
        """
        labels = checked_labels(X, y, keep)
        self.columns_, self.keep_ = columns_without(X, self.without), keep
        learner = LogisticRegression(C=1 / self.penalty, max_iter=1_000)
        self.pipeline_: Pipeline = make_pipeline(as_numbers(self.columns_), learner)
        self.pipeline_.fit(X[self.columns_], labels)
        return self

    def predict(self, X: pd.DataFrame) -> FloatArray:
        """Return the probability of fraud of each row, shape (n,), as it is among rows that are not sampled."""
        p = by_blocks(lambda rows: self.pipeline_.predict_proba(rows)[:, 1], X, self.columns_)
        return undo_undersampling(p, self.keep_)


class BoostedModel(BaseEstimator):
    """Boosted trees (LightGBM), whose number is chosen on the last rows in time and never on a test.

    They are fitted twice: to the earlier rows, to see after how many trees the log loss of the later ones is least,
    and with so many trees to all. One thread and a seed: every run gives the same numbers.

    Parameters
    ----------
    trees : int
        The most there may be, and the number there is with ``validate=0``.
    leaves, rate, penalty : int, float, float
        Leaves of a tree, learning rate, L2 penalty of a leaf. A few hundred known frauds carry no larger trees.
    validate : float
        Share of the rows, the last ones, on which the number of trees is chosen; 0: it is not chosen.
    seed : int
    without : sequence of str
        As in :class:`LogisticModel`.

    References
    ----------
    Ke et al. (2017), LightGBM: a highly efficient gradient boosting decision tree, NIPS.

    Examples
    --------
    >>> X = pd.DataFrame({"amount_cents": np.resize([100.0, 90_000, 120, 80, 70_000, 300], 600)})
    >>> y = np.resize([0, 1, 0, 0, 1, 0], 600)
    >>> BoostedModel(trees=40).fit(X, y, keep=0.05).predict(X.iloc[:2]).round(3).tolist()
    [0.003, 0.271]
    """

    is_probability = True

    def __init__(
        self,
        trees: int = 300,
        leaves: int = 7,
        rate: float = 0.05,
        penalty: float = 5.0,
        validate: float = 0.25,
        seed: int = 0,
        without: Sequence[str] = AGEING,
    ) -> None:
        self.trees, self.leaves, self.rate, self.penalty = trees, leaves, rate, penalty
        self.validate, self.seed, self.without = validate, seed, without

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike, keep: float = 1.0) -> Self:
        """Fit to rows in the order of time; ``trees_`` is the number of trees.

        Parameters
        ----------
        X, y, keep
            As in :meth:`LogisticModel.fit`.

        Raises
        ------
        ContractError
            As there, and if ``validate`` is outside [0, 0.9], ``trees`` below 1, or the index of X is of whole numbers
            that do not rise, as event ids in the order of time do.
        """
        labels = checked_labels(X, y, keep)
        if not 0 <= self.validate <= 0.9:
            refuse("validate", "in [0, 0.9]", f"{self.validate:g}", "a quarter is a start")
        if self.trees < 1:
            refuse("trees", "1 or more", str(self.trees), "a few hundred are a start")
        if self.validate and X.index.dtype.kind in "iu" and not X.index.is_monotonic_increasing:
            refuse("X", "in the order of time", "event ids that do not rise", "sort it by its index, y as well")
        self.columns_, self.keep_ = columns_without(X, self.without), keep
        values = X[self.columns_].to_numpy()
        self.trees_ = self._choose(values, labels)
        self.booster_ = lightgbm.train(self._settings(), self._data(values, labels), self.trees_)
        return self

    def predict(self, X: pd.DataFrame) -> FloatArray:
        """Return the probability of fraud of each row, shape (n,), as it is among rows that are not sampled."""
        p = by_blocks(lambda rows: self.booster_.predict(rows.to_numpy(), num_threads=1), X, self.columns_)
        return undo_undersampling(p, self.keep_)

    def _choose(self, values: npt.NDArray[Any], labels: BoolArray) -> int:
        cut = len(values) - round(self.validate * len(values))
        if cut == len(values) or min(labels[:cut].sum(), labels[cut:].sum()) == 0:
            return self.trees  # no later fraud to choose by
        early, late = self._data(values[:cut], labels[:cut]), self._data(values[cut:], labels[cut:])
        seen: dict[str, Any] = {}
        lightgbm.train(
            self._settings(), early, self.trees, valid_sets=[late], callbacks=[lightgbm.record_evaluation(seen)]
        )
        best = int(np.argmin(seen["valid_0"]["binary_logloss"])) + 1
        return min(max(best, LEAST_TREES), self.trees)

    def _data(self, values: npt.NDArray[Any], labels: BoolArray) -> Any:
        words = [place for place, name in enumerate(self.columns_) if name in WORDS]
        return lightgbm.Dataset(values, labels.astype(np.int8), categorical_feature=words, params={"verbosity": -1})

    def _settings(self) -> dict[str, Any]:
        return {
            **{"objective": "binary", "num_leaves": self.leaves, "learning_rate": self.rate, "seed": self.seed},
            **{"lambda_l2": self.penalty, "min_data_in_leaf": 20, "feature_fraction": 0.7},
            **{"bagging_fraction": 0.8, "bagging_freq": 1, "num_threads": 1, "deterministic": True},
            **{"force_row_wise": True, "verbosity": -1},
        }
