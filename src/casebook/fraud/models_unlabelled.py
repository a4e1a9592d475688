"""Models that no label teaches: an isolation forest, and the rules in force as a score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import Pipeline, make_pipeline

from casebook.contracts import FloatArray, refuse, require_columns
from casebook.fraud.model_base import by_blocks, columns_without
from casebook.fraud.model_inputs import AGEING, as_numbers


class AnomalyModel(BaseEstimator):
    """An isolation forest: how few random cuts set an event apart. It asks for no label and gives no probability.

    Parameters
    ----------
    trees : int
    sample : int
        Rows for each tree.
    seed : int
    without : sequence of str
        Columns that it does not read; by default those that grow with the log.

    References
    ----------
    Liu, Ting and Zhou (2008), Isolation forest, ICDM.

    Examples
    --------
    >>> X = pd.DataFrame({"amount_cents": [100.0, 110, 120, 90, 105, 900_000]})
    >>> int(AnomalyModel(trees=20).fit(X).predict(X).argmax())
    5
    """

    is_probability = False

    def __init__(self, trees: int = 50, sample: int = 1_024, seed: int = 0, without: Sequence[str] = AGEING) -> None:
        self.trees, self.sample, self.seed, self.without = trees, sample, seed, without

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike | None = None, keep: float = 1.0) -> Self:
        """Fit to rows, whatever their labels; ``y`` and ``keep`` are not read."""
        if len(X) == 0:
            refuse("X", "a table of at least one row", "no rows", "check the filter that made it")
        self.columns_ = columns_without(X, self.without)
        forest = IsolationForest(
            n_estimators=self.trees, max_samples=min(self.sample, len(X)), random_state=self.seed, n_jobs=1
        )
        self.pipeline_: Pipeline = make_pipeline(as_numbers(self.columns_), forest)
        self.pipeline_.fit(X[self.columns_])
        return self

    def predict(self, X: pd.DataFrame) -> FloatArray:
        """Return how odd each row is, shape (n,), in (0, 1]: no probability of anything."""
        return by_blocks(lambda rows: -self.pipeline_.score_samples(rows), X, self.columns_)


class RuleModel(BaseEstimator):
    """The rules in force as a score: the action they chose, 0 to 3. Most events tie at 0.

    Parameters
    ----------
    decisions : pandas.DataFrame
        ``event_id`` and ``action``, such as table ``decisions`` of a run under the rules.

    Examples
    --------
    >>> rules = RuleModel(pd.DataFrame({"event_id": [7, 8], "action": [3, 0]}))
    >>> rules.predict(pd.DataFrame(index=[8, 7])).tolist()
    [0.0, 3.0]
    """

    is_probability = False

    def __init__(self, decisions: pd.DataFrame) -> None:
        self.decisions = decisions

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike | None = None, keep: float = 1.0) -> Self:
        """Do nothing: rules were written, not fitted."""
        return self

    def predict(self, X: pd.DataFrame) -> FloatArray:
        """Return the action on each row's event, by the index of X, shape (n,).

        Raises
        ------
        ContractError
            An event about which nothing was decided.
        """
        require_columns(self.decisions, ["event_id", "action"], "decisions")
        rows = pd.Index(self.decisions["event_id"]).get_indexer(X.index)
        if (rows < 0).any():
            row = int(np.argmax(rows < 0))
            refuse(f"X, row {row}", "indexed by an event of decisions", str(X.index[row]), "pass that run's decisions")
        return self.decisions["action"].to_numpy(dtype=np.float64)[rows]
