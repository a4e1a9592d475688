"""A category's mean of the target as a feature, from what was known at each row's origin and nothing later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, clone

from casebook.contracts import FloatArray, refuse, require_columns
from casebook.demand.model_inputs import checked_target


class TimeTargetEncoder(BaseEstimator):
    """The mean of y in each category, for each row from the days that were known at its origin.

    scikit-learn's ``TargetEncoder`` keeps a row's own fold out; the folds still hold later days. Here a row sees the
    targets whose *day* lies at or before its origin, shrunk towards the mean of all of these, as there.

    Parameters
    ----------
    columns : sequence of str
    prior : float
        Rows that the mean of all is worth; above 0.

    References
    ----------
    Micci-Barreca (2001), A preprocessing scheme for high-cardinality categorical attributes, SIGKDD Explorations 3.

    Examples
    --------
    >>> X = pd.DataFrame({"sku_id": [1, 1, 2, 1], "origin": [6, 13, 13, 20], "day": [10, 17, 18, 24]})
    >>> TimeTargetEncoder(["sku_id"], prior=1).fit(X, [4, 8, 2, 9]).transform(X)["sku_id_mean"].round(2).tolist()
    [nan, 4.0, 4.0, 5.56]
    """

    def __init__(self, columns: Sequence[str] = ("store_id", "sku_id"), prior: float = 20.0) -> None:
        self.columns, self.prior = columns, prior

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike) -> Self:
        """Add up y by category and day.

        Parameters
        ----------
        X : pandas.DataFrame, shape (n, k)
            With ``day`` and the columns.
        y : array_like, shape (n,)

        Raises
        ------
        ContractError
            A missing column, y that is no number or below 0, unequal lengths, a prior of 0 or less.
        """
        if not self.prior > 0:
            refuse("prior", "above 0", f"{self.prior:g}", "20 rows is a start")
        units = checked_target(X, y)
        require_columns(X, [*self.columns, "day"], "X")
        day = X["day"].to_numpy()
        self.span_ = (int(day.min()), int(day.max() - day.min()) + 2)
        self.all_ = self._sums(np.zeros(len(X), dtype=int), day, units)
        self.words_ = {name: pd.Index(np.asarray(X[name].unique())) for name in self.columns}
        self.by_ = {name: self._sums(self.words_[name].get_indexer(X[name]), day, units) for name in self.columns}
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return one column a category, such as ``sku_id_mean``; NaN where nothing at all was known yet.

        Raises
        ------
        ContractError
            A missing column.
        """
        require_columns(X, [*self.columns, "origin"], "X")
        origin, out = X["origin"].to_numpy(), {}
        units, rows = self._known(self.all_, np.zeros(len(X), dtype=int), origin)
        mean = np.divide(units, rows, out=np.full(len(X), np.nan), where=rows > 0)
        for name in self.columns:
            units, rows = self._known(self.by_[name], self.words_[name].get_indexer(X[name]), origin)
            out[f"{name}_mean"] = (units + self.prior * mean) / (rows + self.prior)
        return pd.DataFrame(out, index=X.index)

    def _sums(self, code: npt.NDArray[Any], day: npt.NDArray[Any], units: FloatArray) -> tuple[FloatArray, ...]:
        key = code.astype(np.int64) * self.span_[1] + (day - self.span_[0])
        order = np.argsort(key, kind="stable")
        return key[order], np.append(0.0, np.cumsum(units[order]))

    def _known(
        self, sums: tuple[FloatArray, ...], code: npt.NDArray[Any], origin: npt.NDArray[Any]
    ) -> tuple[FloatArray, FloatArray]:
        key, total = sums
        begin = code.astype(np.int64) * self.span_[1]
        until = begin + np.clip(origin - self.span_[0], -1, self.span_[1] - 1)
        first, last = np.searchsorted(key, begin), np.searchsorted(key, until, side="right")
        last = np.maximum(np.where(code < 0, first, last), first)
        return total[last] - total[first], (last - first).astype(float)


class TimeEncoded(BaseEstimator):
    """A model that reads the means of :class:`TimeTargetEncoder` in place of the ids.

    Parameters
    ----------
    model : a model
        Cloned; the one you pass stays unfitted.
    columns, prior
        As there; the columns themselves are taken away.
    """

    def __init__(self, model: Any, columns: Sequence[str] = ("store_id", "sku_id"), prior: float = 20.0) -> None:
        self.model, self.columns, self.prior = model, columns, prior

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike) -> Self:
        """Fit the encoder, then the model to its means; raises what they do."""
        self.encoder_ = TimeTargetEncoder(self.columns, self.prior).fit(X, y)
        self.model_ = clone(self.model).fit(self._encoded(X), y)
        return self

    def predict(self, X: pd.DataFrame, taus: Sequence[float] | None = None) -> pd.DataFrame:
        """Return what the model predicts, one column a tau."""
        out = self.model_.predict(self._encoded(X), taus)
        return pd.DataFrame(out)

    def _encoded(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([X.drop(columns=list(self.columns)), self.encoder_.transform(X)], axis=1)
