"""What the room's functions may be given: probabilities, propensities, actions, numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from casebook._columns import is_numeric, kind_of, number_column, raw_column
from casebook._schema_words import shown
from casebook.contracts import FloatArray, refuse, require_length

IntArray = npt.NDArray[np.int64]
_ROUNDING = 1e-6  # probabilities that went through float32 add up to 1 no better


def as_matrix(values: npt.ArrayLike, what: str, n: int | None = None) -> FloatArray:
    """Return one row of probabilities a case, shape (n, k); each row adds up to 1."""
    array = as_numbers(values, what, n)
    outside = ((array < 0) | (array > 1)).any(axis=1)
    if outside.any():
        row = int(np.argmax(outside))
        refuse(f"{what}, row {row}", "in [0, 1]", str(array[row].tolist()), "pass probabilities, not scores")
    off = np.abs(array.sum(axis=1) - 1) > _ROUNDING
    if off.any():
        row = int(np.argmax(off))
        got = f"a sum of {array[row].sum():g}"
        refuse(f"{what}, row {row}", "probabilities that add up to 1", got, "divide each row by its sum")
    return array


def as_numbers(values: npt.ArrayLike, what: str, n: int | None = None, k: int | None = None) -> FloatArray:
    """Return finite numbers of shape (n, k) as floats."""
    array = np.asarray(values)
    if array.ndim != 2 or array.dtype.kind not in "iuf" or array.size == 0:
        got = f"{array.dtype} of shape {array.shape}"
        refuse(what, "numbers of shape (n, k)", got, "give one column per action")
    if k is not None and array.shape[1] != k:
        refuse(what, f"{k} columns wide", f"{array.shape[1]} columns", "give one column per action")
    if not np.isfinite(array).all():
        row = int(np.argmax(~np.isfinite(array).all(axis=1)))
        refuse(f"{what}, row {row}", "finite", "a missing or infinite value", "fill it in or drop the row")
    if n is not None:
        require_length(array, n, what)
    return array.astype(float)


def as_propensities(values: npt.ArrayLike, what: str, n: int | None = None) -> FloatArray:
    """Return probabilities of actions that were taken, shape (n,), in (0, 1]."""
    array = number_column(values, what, "numbers in (0, 1]", "pass the logged probability of the action taken")
    wrong = ~((array > 0) & (array <= 1))
    if wrong.any():
        row = int(np.argmax(wrong))
        got = "a missing value" if np.isnan(array[row]) else shown(array[row])
        mend = "look at the log, for what was done had a probability"
        refuse(f"{what}, row {row}", "above 0 and at most 1", got, mend)
    if n is not None:
        require_length(array, n, what)
    return array


def as_actions(values: npt.ArrayLike, what: str, k: int, n: int | None = None) -> IntArray:
    """Return whole numbers from 0 to k - 1, shape (n,)."""
    array = raw_column(values, what)
    if not is_numeric(array) or (array != np.floor(array)).any():
        got = f"{shown(array[0])} in row 0" if not is_numeric(array) else "fractions"
        refuse(what, "whole numbers", got, "pass the column numbers of the actions")
    wrong = (array < 0) | (array >= k)
    if wrong.any():
        row = int(np.argmax(wrong))
        refuse(f"{what}, row {row}", f"in 0 to {k - 1}", shown(array[row]), "count the actions' columns from 0")
    if n is not None:
        require_length(array, n, what)
    return array.astype(np.int64)


def as_rng(rng: object) -> np.random.Generator:
    """Return a generator, or refuse what is none."""
    if not isinstance(rng, np.random.Generator):
        refuse("rng", "a numpy Generator", kind_of(rng), "pass np.random.default_rng(seed)")
    return rng


def require_share(value: float, what: str, most: float = 1.0) -> None:
    """Refuse a number outside [0, most]."""
    if not 0 <= value <= most:
        refuse(what, f"in [0, {most:g}]", shown(value), "give it as a share, such as 0.01")
