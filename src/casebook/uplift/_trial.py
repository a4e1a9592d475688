"""A randomised trial's columns, checked once for the whole room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook._columns import raw_column
from casebook.contracts import (
    BoolArray,
    FloatArray,
    as_amounts,
    as_labels,
    refuse,
    require_length,
    require_same_order,
)

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Trial:
    """What a randomised trial leaves: an outcome, an arm and the chance of that arm.

    Attributes
    ----------
    y : numpy.ndarray of float, shape (n,)
    treated : numpy.ndarray of bool, shape (n,)
    propensity : float or numpy.ndarray of float, shape (n,)
        The known probability of treatment.
    """

    y: FloatArray
    treated: BoolArray
    propensity: float | FloatArray = 0.5

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.y)


def as_trial(y: npt.ArrayLike, treated: npt.ArrayLike, propensity: npt.ArrayLike = 0.5) -> Trial:
    """Return the columns of a trial as fresh arrays, or say in one sentence what is wrong with them.

    Raises
    ------
    ContractError
        y missing, infinite or no number; treated not 0/1 or of one arm only; lengths or row orders that
        differ; a propensity that is not strictly between 0 and 1.

    Examples
    --------
    >>> as_trial([0, 1], [1, 1])
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: treated must be 1 in some rows and 0 in others, got only 1; keep both arms.
    """
    arm = as_labels(treated, "treated")
    outcome = as_column(y, "y", len(arm))
    require_same_order(y, treated, "y and treated")
    if arm.all() or not arm.any():
        refuse("treated", "1 in some rows and 0 in others", f"only {int(arm[0])}", "keep both arms")
    return Trial(outcome, arm, as_propensity(propensity, len(arm)))


def as_column(values: npt.ArrayLike, what: str, n: int) -> FloatArray:
    """Return one finite number a row; bools count as 0 and 1."""
    raw = raw_column(values, what)
    column = np.asarray(as_amounts(raw.astype(float) if raw.dtype == bool else values, what))
    require_length(column, n, what)
    return column


def as_propensity(values: npt.ArrayLike, n: int) -> float | FloatArray:
    """Return the known probability of treatment, one or one per row, strictly between 0 and 1."""
    chance = as_amounts(values, "propensity", n)
    outside = (np.atleast_1d(chance) <= 0) | (np.atleast_1d(chance) >= 1)
    if outside.any():
        row = int(np.argmax(outside))
        where = "propensity" if isinstance(chance, float) else f"propensity, row {row}"
        got = repr(float(np.atleast_1d(chance)[row]))
        refuse(where, "above 0 and below 1", got, "leave out rows that could never be in the other arm")
    return chance


def as_score(values: npt.ArrayLike, trial: Trial, what: str = "score") -> FloatArray:
    """Return a score, one finite number per row of the trial."""
    return as_column(values, what, trial.n)


def as_clusters(values: npt.ArrayLike | None, n: int) -> IntArray | None:
    """Return cluster numbers 0, 1, ... one per row, or None where rows are their own clusters."""
    if values is None:
        return None
    codes, labels = pd.factorize(np.asarray(values))
    require_length(codes, n, "cluster")
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        refuse(f"cluster, row {row}", "a label", "a missing value", "fill it in or drop the row")
    if len(labels) < 2:
        refuse("cluster", "at least two labels", "one", "leave cluster out or pass the unit that was randomised")
    return codes.astype(np.int64)


def as_level(level: float) -> float:
    """Return the coverage of an interval, strictly between 0 and 1."""
    if not 0 < level < 1:
        refuse("level", "above 0 and below 1", repr(level), "give it as a share, such as 0.95")
    return float(level)


def require_binary(trial: Trial, what: str) -> None:
    """Refuse an outcome that is not 0/1 where the formula needs one."""
    wrong = (trial.y != 0) & (trial.y != 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        refuse(f"y, row {row}", f"0 or 1 for {what}", repr(float(trial.y[row])), "take another or cut y at a level")


def one_of(value: object, allowed: list[str], what: str) -> str:
    """Return a word if it is allowed, or list those that are."""
    if not isinstance(value, str) or value not in allowed:
        refuse(what, f"one of {', '.join(map(repr, allowed))}", repr(value), "choose from the list")
    return value
