"""What a function may be given: validators that return clean arrays or refuse in one sentence.

Rows are matched by position and counted from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandera.errors import SchemaError, SchemaErrors

from casebook._columns import (
    BoolArray,
    FloatArray,
    is_numeric,
    kind_of,
    number_column,
    raw_column,
    refuse_missing,
    refuse_words,
    require_length,
    require_same_order,
)
from casebook._refusal import ContractError, refuse
from casebook._schema_words import missing_column, schema_sentence, shown

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema

__all__ = [
    "BoolArray",
    "ContractError",
    "FloatArray",
    "as_amounts",
    "as_costs",
    "as_labels",
    "as_probabilities",
    "check_frame",
    "labels_and_probabilities",
    "refuse",
    "require_columns",
    "require_length",
    "require_same_order",
]

_PERCENT = 100.0


def as_probabilities(values: npt.ArrayLike, what: str = "p") -> FloatArray:
    """Return probabilities as a fresh float array, or say what is wrong with them.

    Parameters
    ----------
    values : array_like, shape (n,)
        A list, array or pandas Series; rows are counted from 0 by position.
    what : str
        The name that a refusal uses, here and below.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        A copy; the input is never changed.

    Raises
    ------
    ContractError
        Empty, not numbers, not one-dimensional, missing, or outside [0, 1].

    Examples
    --------
    >>> as_probabilities([0.1, 0.9])
    array([0.1, 0.9])
    >>> as_probabilities([10, 90])
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: p, row 0 must be in [0, 1], got 10.0; divide percentages by 100.
    """
    array = number_column(values, what, "numbers in [0, 1]", "pass column 1 of predict_proba")
    refuse_missing(array, what, "a number in [0, 1]")
    outside = (array < 0) | (array > 1)
    if outside.any():
        row = int(np.argmax(outside))
        percent = array.min() >= 0 and array.max() <= _PERCENT
        mend = "divide percentages by 100" if percent else "pass predict_proba, not a margin or a score"
        refuse(f"{what}, row {row}", "in [0, 1]", shown(array[row]), mend)
    return array


def as_labels(values: npt.ArrayLike, what: str = "y") -> BoolArray:
    """Return 0/1 labels (or act/leave decisions) as a fresh bool array.

    Parameters
    ----------
    values : array_like, shape (n,)
        Bools, or numbers that are 0 or 1.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)

    Raises
    ------
    ContractError
        Empty, text, not one-dimensional, missing, or neither 0 nor 1.

    Examples
    --------
    >>> as_labels([0, 1, 1])
    array([False,  True,  True])
    >>> as_labels([-1, 1])
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: y, row 0 must be 0 or 1, got -1; map it with (y == 1).
    """
    raw = raw_column(values, what)
    if raw.dtype == bool:
        return raw.copy()
    if not is_numeric(raw):
        refuse_words(raw, what)
    array = raw.astype(float)
    refuse_missing(array, what, "0 or 1")
    wrong = (array != 0) & (array != 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        signs = set(np.unique(array)) <= {-1.0, 1.0}
        mend = f"map it with ({what} == 1)" if signs else "put 1 where the event happened and 0 elsewhere"
        refuse(f"{what}, row {row}", "0 or 1", shown(raw[row]), mend)
    return array == 1


def as_amounts(values: npt.ArrayLike, what: str, n: int | None = None) -> float | FloatArray:
    """Return one finite number, or one per row; negative amounts (benefits) are allowed.

    Parameters
    ----------
    values : float or array_like, shape (n,)
    n : int, optional
        The number of rows that an array must have.

    Returns
    -------
    float or numpy.ndarray of float, shape (n,)

    Raises
    ------
    ContractError
        Empty, not numbers, missing, infinite, or of another length than n.
    """
    mend = "pass one number, or one per row"
    if np.ndim(values) == 0:
        if isinstance(values, bool) or not isinstance(values, (int, float, np.number)):
            refuse(what, "a number or one number per row", kind_of(values), mend)
        array = np.array([values], dtype=float)
    else:
        array = number_column(values, what, "a number or one number per row", mend)
    wrong = ~np.isfinite(array)
    if wrong.any():
        row = int(np.argmax(wrong))
        where = what if np.ndim(values) == 0 else f"{what}, row {row}"
        refuse(where, "a finite number", shown(array[row]), "fill it in or drop the row")
    if np.ndim(values) == 0:
        return float(array[0])
    if n is not None:
        require_length(array, n, what)
    return array


def as_costs(values: npt.ArrayLike, what: str, n: int | None = None) -> float | FloatArray:
    """Return one cost, or one per row: finite and not negative.

    Parameters
    ----------
    values, n
        As in :func:`as_amounts`, and so are the refusals, with one more for a negative cost.

    Returns
    -------
    float or numpy.ndarray of float, shape (n,)

    Examples
    --------
    >>> as_costs(5, "cost_fp")
    5.0
    >>> as_costs([5, -2], "cost_fp")
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: cost_fp, row 1 must be 0 or more, got -2.0; drop the minus sign.
    """
    costs = as_amounts(values, what, n)
    negative = np.atleast_1d(costs) < 0
    if negative.any():
        row = int(np.argmax(negative))
        where = what if isinstance(costs, float) else f"{what}, row {row}"
        got = shown(np.atleast_1d(costs)[row])
        refuse(where, "0 or more", got, "drop the minus sign")
    return costs


def labels_and_probabilities(y: npt.ArrayLike, p: npt.ArrayLike) -> tuple[BoolArray, FloatArray]:
    """Return y and p as fresh arrays of one length.

    Parameters
    ----------
    y, p : array_like, shape (n,)
        Labels (0 or 1) and probabilities.

    Returns
    -------
    tuple of numpy.ndarray
        Bool and float, both of shape (n,).

    Raises
    ------
    ContractError
        As :func:`as_labels` and :func:`as_probabilities`, and for unequal lengths or row orders.

    Examples
    --------
    >>> labels_and_probabilities([0, 1], [0.2, 0.7])
    (array([False,  True]), array([0.2, 0.7]))
    """
    labels, probabilities = as_labels(y), as_probabilities(p)
    require_length(probabilities, len(labels), "p")
    require_same_order(y, p, "y and p")
    return labels, probabilities


def require_columns(frame: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    """Refuse a table that is empty or lacks a column.

    Parameters
    ----------
    frame : pandas.DataFrame
    columns : sequence of str
        Names that must be there.

    Raises
    ------
    ContractError
        Not a frame, no rows, or a missing column.

    Examples
    --------
    >>> require_columns(pd.DataFrame({"P": [0.1]}), ["p"], "orders")
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: orders must be a table with a column 'p', got 'P'; rename 'P' to 'p'.
    """
    if not isinstance(frame, pd.DataFrame):
        refuse(what, "a pandas DataFrame", kind_of(frame), "wrap it in pd.DataFrame(...)")
    missing = next((column for column in columns if column not in frame.columns), None)
    if missing is not None:
        refuse(*missing_column(frame, missing, what, columns))
    if len(frame) == 0:
        refuse(what, "a table with at least one row", "no rows", "check the filter or the join that made it")


def check_frame(frame: pd.DataFrame, schema: DataFrameSchema) -> pd.DataFrame:
    """Hold a table against a pandera schema; the first failure becomes one sentence.

    Parameters
    ----------
    frame : pandas.DataFrame
        The reader's table; it is not changed.
    schema : pandera.pandas.DataFrameSchema
        Its ``name`` names the table in a refusal. A check's ``error`` is read as what the column must be, its
        ``description`` as the mend.

    Returns
    -------
    pandas.DataFrame
        The validated table, with types converted if the schema says ``coerce=True``.

    Raises
    ------
    ContractError
        At the first failure.

    Examples
    --------
    >>> import pandera.pandas as pandera
    >>> p = pandera.Column(float, pandera.Check.in_range(0, 1))
    >>> check_frame(pd.DataFrame({"p": [0.1, 1.2]}), pandera.DataFrameSchema({"p": p}, name="ad"))
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: ad, column 'p', row 1 must be between 0 and 1, got 1.2; mend or drop it.
    """
    what = schema.name or "the table"
    require_columns(frame, [], what)
    try:
        return schema.validate(frame)
    except SchemaErrors as several:
        first = several.schema_errors[0]
    except SchemaError as one:
        first = one
    refuse(*schema_sentence(first, frame, what))
