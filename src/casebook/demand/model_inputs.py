"""From a frame of features to the numbers that LightGBM reads, the same at the fit and at the forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, as_costs, refuse, require_columns, require_length

IDS = ("store_id", "sku_id")
#: Columns that are never features: two that grow with time, and the answer.
NO_FEATURES = ("origin", "day", "y")

_WAYS = ("category", "code", "none")


@dataclass(frozen=True, eq=False)
class Inputs:
    """Which columns are read, and the words that each category had at the fit.

    Attributes
    ----------
    columns : tuple of str
    words : dict of str to pandas.Index
        Column -> its values at the fit, whose places are their codes; a value that is new gets a missing code, which
        LightGBM sends the way of the unlisted.
    """

    columns: tuple[str, ...]
    words: dict[str, pd.Index]

    @classmethod
    def of(cls, X: pd.DataFrame, ids: str = "category", without: Sequence[str] = ()) -> Self:
        """Learn the columns and words of a frame.

        Text, categories and columns whose name ends in ``_code`` are read as unordered categories.

        Parameters
        ----------
        X : pandas.DataFrame, shape (n, k)
        ids : {"category", "code", "none"}
            How ``store_id`` and ``sku_id`` are read.
        without : sequence of str
            Columns that are not read, besides ``origin``, ``day`` and ``y``.

        Raises
        ------
        ContractError
            Another word for ``ids``, a column that is neither number nor word, or none left.

        Examples
        --------
        >>> X = pd.DataFrame({"sku_id": [7, 9], "category": ["dairy", "bakery"], "horizon": [4, 5], "y": [1, 2]})
        >>> Inputs.of(X).matrix(X)
        array([[0., 1., 4.],
               [1., 0., 5.]], dtype=float32)
        """
        if ids not in _WAYS:
            refuse("ids", f"one of {', '.join(map(repr, _WAYS))}", repr(ids), "correct the word")
        left_out = {*NO_FEATURES, *without, *(IDS if ids == "none" else ())}
        columns = tuple(str(name) for name in X.columns if name not in left_out)
        if not columns:
            refuse("X", "a table with a column to learn from", "none", "add features, or leave fewer out")
        words = {}
        for name in columns:
            if _is_word(X[name]) or name.endswith("_code") or (ids == "category" and name in IDS):
                words[name] = pd.Index(np.asarray(X[name].dropna().unique())).sort_values()
            elif X[name].dtype.kind not in "biuf":
                mend = "drop it or turn it into a number"
                refuse(f"X, column {name!r}", "numbers, bools, text or categories", str(X[name].dtype), mend)
        return cls(columns, words)

    @property
    def categorical_positions(self) -> list[int]:
        """Places of the columns that are read as unordered categories."""
        return [place for place, name in enumerate(self.columns) if name in self.words]

    def matrix(self, X: pd.DataFrame) -> npt.NDArray[np.float32]:
        """Return the numbers, shape (n, k); four bytes each, and whole numbers exact up to 16 million.

        Raises
        ------
        ContractError
            A column of the fit that is not there, or a frame without rows.
        """
        require_columns(X, list(self.columns), "X")
        out = np.empty((len(X), len(self.columns)), dtype=np.float32)
        for place, name in enumerate(self.columns):
            words = self.words.get(name)
            column = X[name]
            out[:, place] = column.to_numpy(np.float32, na_value=np.nan) if words is None else _codes(column, words)
        return out


def checked_target(X: pd.DataFrame, y: npt.ArrayLike) -> FloatArray:
    """Return y as floats, or refuse what is no column of units beside X."""
    require_columns(X, [], "X")
    units = np.atleast_1d(as_costs(np.asarray(y), "y"))
    require_length(units, len(X), "y")
    return units


def _is_word(column: pd.Series) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype) or bool(
        pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype)
    )


def _codes(column: pd.Series, words: pd.Index) -> FloatArray:
    if isinstance(column.dtype, pd.CategoricalDtype):  # by its words, not its rows: a hundred times fewer
        codes = np.append(words.get_indexer(column.cat.categories), -1)[column.cat.codes.to_numpy()]
    else:
        codes = words.get_indexer(pd.Index(column))
    return np.where(codes < 0, np.nan, codes.astype(float))
