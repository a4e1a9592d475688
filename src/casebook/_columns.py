"""Turn whatever a reader passes into one plain numpy column."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook._refusal import refuse
from casebook._schema_words import shown

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_POSITIVE_WORDS = ("yes", "y", "true", "t", "positive", "pos")


def is_numeric(array: npt.NDArray[Any]) -> bool:
    """Return whether an array holds integers or floats (bools do not count)."""
    return array.dtype.kind in "iuf"


def kind_of(values: object) -> str:
    """Return the name of a value's type."""
    return type(values).__name__


def raw_column(values: npt.ArrayLike, what: str) -> npt.NDArray[Any]:
    """Return a one-dimensional, non-empty array; nullable pandas types become plain ones."""
    if isinstance(values, pd.Series) and pd.api.types.is_extension_array_dtype(values.dtype):
        values = values.to_numpy(dtype=object, na_value=np.nan)
    array = np.asarray(values)
    if array.ndim != 1:
        two = array.ndim == 2
        refuse(what, "one-dimensional", f"shape {array.shape}", f"pass one column{', such as [:, 1]' * two}")
    if array.size == 0:
        refuse(what, "at least one row long", "no rows", "check the filter or the join that made it")
    if array.dtype == object:
        array = _plain(array)
    return array


def _plain(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    filled = pd.Series(array, dtype=object)
    filled = filled.where(filled.notna(), np.nan)
    return np.asarray(filled.infer_objects())


def number_column(values: npt.ArrayLike, what: str, must: str, mend: str) -> FloatArray:
    """Return a fresh float column, or refuse what is not numbers."""
    raw = raw_column(values, what)
    if is_numeric(raw):
        return raw.astype(float)
    if raw.dtype == object and pd.isna(raw).any():
        row = int(np.argmax(pd.isna(raw)))
        refuse(f"{what}, row {row}", must, "a missing value", "fill it in or drop the row")
    got = "bools" if raw.dtype == bool else f"{shown(raw[0])} in row 0"
    refuse(what, must, got, mend)


def refuse_missing(array: FloatArray, what: str, must: str) -> None:
    """Refuse the first NaN."""
    missing = np.isnan(array)
    if missing.any():
        row = int(np.argmax(missing))
        refuse(f"{what}, row {row}", must, "a missing value", "fill it in or drop the row")


def refuse_words(raw: npt.NDArray[Any], what: str) -> NoReturn:
    """Refuse text where 0/1 labels belong, with the mapping that mends it."""
    missing = pd.isna(raw)
    if missing.any():
        row = int(np.argmax(missing))
        refuse(f"{what}, row {row}", "0 or 1", "a missing value", "fill it in or drop the row")
    words = list(dict.fromkeys(str(word) for word in raw))
    positive = next((word for word in words if word.lower() in _POSITIVE_WORDS), None)
    mend = f"map it with ({what} == {positive!r})" if positive else "compare it with the word that means 1"
    if set(words) <= {"0", "1"}:
        mend = "convert it with .astype(int)"
    refuse(f"{what}, row 0", "0 or 1", shown(raw[0]), mend)


def require_length(array: npt.NDArray[Any], n: int, what: str) -> None:
    """Refuse an array that has another number of rows than its partner.

    Raises
    ------
    ContractError
        If ``len(array) != n``.

    Examples
    --------
    >>> require_length(np.zeros(3), 3, "cost_fp")
    """
    if len(array) != n:
        refuse(what, f"{n} long", f"{len(array)} rows", "take all arguments from one table")


def require_same_order(left: object, right: object, what: str) -> None:
    """Refuse two Series with the same index labels in different orders.

    Rows are matched by position, so such a pair would be matched wrongly without a word.

    Raises
    ------
    ContractError
        If both are Series whose indexes hold the same labels, differently ordered.

    Examples
    --------
    >>> a = pd.Series([0, 1], index=["u1", "u2"])
    >>> require_same_order(a, a * 2, "y and p")
    """
    if not (isinstance(left, pd.Series) and isinstance(right, pd.Series)):
        return
    if len(left) != len(right) or left.index.equals(right.index):
        return
    if left.index.sort_values().equals(right.index.sort_values()):
        got = "the same index labels in two orders"
        refuse(what, "in one row order", got, "reindex one, or pass .to_numpy() if positions match")
