"""What every model of the chapter has in common: an interface, checks of what it is fitted to, scoring by blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import BoolArray, FloatArray, as_labels, refuse, require_columns, require_length

BLOCK = 25_000  # rows that are scored at a time, so that no copy of all of them is made


class Model(Protocol):
    """What the chapter asks of a model.

    Attributes
    ----------
    is_probability : bool
        Whether what it predicts is one; else it only ranks.
    """

    is_probability: bool

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike, keep: float = 1.0) -> Self:
        """Learn from rows in the order of time, of which a share ``keep`` of those without fraud was kept."""
        ...

    def predict(self, X: pd.DataFrame) -> FloatArray:
        """Return a number for each row, the higher the more suspicious."""
        ...


def checked_labels(X: pd.DataFrame, y: npt.ArrayLike, keep: float) -> BoolArray:
    """Return the labels of rows to fit to, or say what is wrong with them.

    Raises
    ------
    ContractError
        No rows, labels that are none or of one class, unequal lengths, a share outside (0, 1].

    Examples
    --------
    >>> checked_labels(pd.DataFrame({"amount_cents": [1, 2]}), [0, 0], 1.0)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: y must be labels of both classes, got only 0; take more days.
    """
    require_columns(X, [], "X")
    labels = as_labels(y)
    require_length(labels, len(X), "y")
    if not 0 < keep <= 1:
        refuse("keep", "above 0 and at most 1", f"{keep:g}", "give the share of rows without fraud that was kept")
    if labels.all() or not labels.any():
        refuse("y", "labels of both classes", f"only {int(labels[0])}", "take more days")
    return labels


def columns_without(X: pd.DataFrame, without: Sequence[str]) -> list[Any]:
    """Return the names of the columns of X that a model is to read.

    Raises
    ------
    ContractError
        If none is left.

    Examples
    --------
    >>> columns_without(pd.DataFrame({"hour": [1], "card_count": [9]}), ["card_count"])
    ['hour']
    """
    left = [name for name in X.columns if name not in without]
    if not left:
        refuse("X", f"a table with a column beside {', '.join(without)}", "none", "pass the features")
    return left


def by_blocks(score: Callable[[pd.DataFrame], Any], X: pd.DataFrame, columns: list[Any]) -> FloatArray:
    """Return what ``score`` says of the rows of X, a block of them at a time, their columns in a given order.

    Raises
    ------
    ContractError
        A missing column, or no rows.

    Examples
    --------
    >>> by_blocks(lambda rows: rows["a"] - rows["b"], pd.DataFrame({"b": [1, 2], "a": [3, 5]}), ["a", "b"])
    array([2., 3.])
    """
    require_columns(X, columns, "X")
    found = np.empty(len(X))
    same = list(X.columns) == columns
    for low in range(0, len(X), BLOCK):
        rows = X.iloc[low : low + BLOCK]
        found[low : low + BLOCK] = score(rows if same else rows[columns])
    return found
