"""A table of features as plain numbers, or one sentence on why it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from casebook.contracts import FloatArray, refuse, require_columns


def as_features(X: pd.DataFrame, columns: tuple[str, ...]) -> FloatArray:
    """Return named columns as floats, shape (n, m); missing values stay missing.

    Raises
    ------
    ContractError
        No frame, no rows, no columns, a column missing, of text or dates, or with an infinite value.

    Examples
    --------
    >>> as_features(pd.DataFrame({"plan": ["a", "b"]}), ("plan",))
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: X, column 'plan' must be numbers, got 'a' in row 0; encode it as numbers.
    """
    require_columns(X, columns, "X")
    if not columns:
        refuse("X", "a table with at least one column", "no columns", "pass the features as columns")
    for column in columns:
        if not isinstance(X[column], pd.Series):
            refuse(f"X, column {column!r}", "there once", "a name that stands twice", "rename or drop one")
        _require_numbers(X[column], column)
    values = np.asarray(X[list(columns)].to_numpy(dtype=float, na_value=np.nan))
    infinite = np.isinf(values)
    if infinite.any():
        row, place = (int(at[0]) for at in np.nonzero(infinite))
        refuse(
            f"X, column {columns[place]!r}, row {row}", "finite or missing", repr(float(values[row, place])), "mend it"
        )
    return values


def require_filled(values: FloatArray, X: pd.DataFrame) -> None:
    """Refuse the first missing value, for a base that cannot take it."""
    missing = np.isnan(values)
    if missing.any():
        row, place = (int(at[0]) for at in np.nonzero(missing))
        where = f"X, column {X.columns[place]!r}, row {row}"
        refuse(where, "filled in for base='logistic'", "a missing value", "fill it in or take the default base")


def _require_numbers(column: pd.Series, name: str) -> None:
    if not (is_numeric_dtype(column.dtype) or is_bool_dtype(column.dtype)) or column.dtype.kind == "c":
        mend = "encode it as numbers"
        refuse(f"X, column {name!r}", "numbers", f"{column.iloc[0]!r} in row 0", mend)
