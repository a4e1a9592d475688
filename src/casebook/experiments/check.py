"""Was the experiment run as designed: the counts, the balance before it, the delivery of the treatment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2

from casebook._columns import kind_of
from casebook._schema_words import shown
from casebook.contracts import (
    BoolArray,
    FloatArray,
    as_labels,
    refuse,
    require_columns,
    require_length,
    require_same_order,
)
from casebook.experiments._contrast import contrast
from casebook.experiments._inputs import IntArray, as_arms, as_clusters, as_outcome, open_share

# A rule of thumb as old as the test (Cochran 1954): with fewer expected the p-value is off.
_LEAST_EXPECTED = 5
_MANY_WORDS = 20
_ROUNDING = 1e-9


@dataclass(frozen=True)
class SRM:
    """A test for a sample ratio mismatch.

    Parameters
    ----------
    p : float
        Probability of counts as far off or farther if assignment and logging are sound.
    statistic : float
        Chi-square, with one degree of freedom less than there are arms.
    expected : tuple of float
        Units that each arm should have.
    alpha : float
        Below it the experiment counts as broken.
    """

    p: float
    statistic: float
    expected: tuple[float, ...]
    alpha: float = 0.01

    @property
    def broken(self) -> bool:
        """Whether the counts contradict the design: find the cause before you read any effect."""
        return self.p < self.alpha


def srm(counts: npt.ArrayLike, shares: npt.ArrayLike, *, alpha: float = 0.01) -> SRM:
    """Test whether the arms' sizes agree with the shares that were designed.

    Count what was randomised: with clusters, clusters and not their members, whose numbers vary more than
    the test allows for.

    Parameters
    ----------
    counts : array_like, shape (arms,)
        Whole numbers.
    shares : array_like, shape (arms,)
        Designed shares, above 0; they sum to 1.
    alpha : float
        Kept strict, for the test is run on every experiment.

    Returns
    -------
    SRM

    Raises
    ------
    ContractError
        Counts that are none, shares that do not sum to 1, unequal lengths, fewer than 5 expected in an arm.

    References
    ----------
    Kohavi, Tang and Xu (2020), Trustworthy Online Controlled Experiments, chapter 21, whose example this is.

    Examples
    --------
    >>> got = srm([821_588, 815_482], [0.5, 0.5])
    >>> got.broken, f"{got.p:.1e}"
    (True, '1.8e-06')
    """
    seen, part = as_outcome(counts, "counts", "pass 0"), as_outcome(shares, "shares", "pass the design's")
    limit = open_share(alpha, "alpha")
    require_length(part, len(seen), "shares")
    require_same_order(counts, shares, "counts and shares")
    wrong = (seen < 0) | (seen != np.floor(seen))
    if len(seen) < 2 or wrong.any():
        got = shown(seen[int(np.argmax(wrong))]) if wrong.any() else "one count"
        refuse("counts", "a whole number for each of two or more arms", got, "count the units or clusters of each arm")
    if (part <= 0).any() or abs(part.sum() - 1) > _ROUNDING:
        refuse("shares", "above 0 and 1 in sum", str(part.tolist()), "divide them by their sum")
    expected = part * seen.sum()
    if expected.min() < _LEAST_EXPECTED:
        got = f"{expected.min():g} expected in one"
        refuse("counts", f"large enough to expect {_LEAST_EXPECTED} in each arm", got, "wait for more units")
    statistic = float(((seen - expected) ** 2 / expected).sum())
    return SRM(float(chi2.sf(statistic, len(seen) - 1)), statistic, tuple(expected.tolist()), limit)


def balance(
    frame: pd.DataFrame,
    treated: str | npt.ArrayLike,
    columns: Sequence[str],
    cluster: str | npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Compare the arms on what was known before treatment.

    Of many rows, one in twenty shows abs(z) above 1.96 if all is well: look for a pattern and for large
    values, not for one star. Missing values are left out of the means and counted beside them.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per unit.
    treated : str or array_like, shape (n,)
        A column of the frame, or the arms.
    columns : sequence of str
        Numbers, bools, or text of at most 20 values, each of which gets a row.
    cluster : str or array_like, shape (n,), optional
        What was randomised whole; z then allows for it.

    Returns
    -------
    pandas.DataFrame
        One row per column (or value of a text column): ``treated_mean``, ``control_mean``, ``smd`` (difference
        over the root of the arms' mean variance), ``z`` (difference over its standard error; missing where an
        arm has too few values), ``treated_missing`` and ``control_missing`` (shares).

    Raises
    ------
    ContractError
        A missing column, one arm only, a cluster in both arms, infinite values, text of many values.

    References
    ----------
    Austin (2009), Balance diagnostics for comparing the distribution of baseline covariates, Statistics in
    Medicine 28(25).

    Examples
    --------
    >>> users = pd.DataFrame({"seats": [3, 5, 4, 6], "plan": ["pro", "free", "free", "pro"], "treated": [1, 1, 0, 0]})
    >>> balance(users, "treated", ["seats", "plan"])[["treated_mean", "control_mean", "smd"]].round(2)
                   treated_mean  control_mean   smd
    seats                   4.0           5.0 -0.71
    plan = 'free'           0.5           0.5  0.00
    plan = 'pro'            0.5           0.5  0.00
    """
    if isinstance(columns, str):
        refuse("columns", "a list of names", repr(columns), f"write [{columns!r}]")
    named = [name for name in (treated, cluster) if isinstance(name, str)]
    require_columns(frame, [*columns, *named], "frame")
    arm_values = frame[treated] if isinstance(treated, str) else treated
    group_values = frame[cluster] if isinstance(cluster, str) else cluster
    arms = as_arms(arm_values, len(frame), None)
    codes = as_clusters(group_values, arms, None)
    rows = {
        label: _compare(values, arms, codes) for column in columns for label, values in _numbers(frame[column], column)
    }
    return pd.DataFrame.from_dict(rows, orient="index")


@dataclass(frozen=True)
class Delivery:
    """Who received the treatment, by what was assigned.

    Parameters
    ----------
    contact_rate : float
        Share of the treated arm that received it.
    contamination : float
        Share of the control arm that received it all the same.
    treated_n, control_n : int
        Units assigned to each arm.
    """

    contact_rate: float
    contamination: float
    treated_n: int
    control_n: int

    @property
    def gap(self) -> float:
        """By how much assignment moved receipt; the effect of assignment is diluted by this factor."""
        return self.contact_rate - self.contamination


def delivery(assigned: npt.ArrayLike, received: npt.ArrayLike) -> Delivery:
    """Return how far assignment decided who received the treatment.

    Parameters
    ----------
    assigned : array_like, shape (n,)
        The arm of each unit as it was drawn, 0 or 1.
    received : array_like, shape (n,)
        Whether the treatment reached the unit, 0 or 1.

    Returns
    -------
    Delivery

    Raises
    ------
    ContractError
        Values other than 0 and 1, one arm only, unequal lengths.

    Examples
    --------
    >>> delivery(assigned=[1, 1, 1, 1, 0, 0], received=[1, 1, 1, 0, 0, 0]).contact_rate
    0.75
    """
    got = as_labels(received, "received")
    arms = as_arms(assigned, len(got), received, ("received", "assigned"))
    return Delivery(float(got[arms].mean()), float(got[~arms].mean()), int(arms.sum()), int((~arms).sum()))


def _numbers(column: pd.Series, name: str) -> Iterator[tuple[str, FloatArray]]:
    """Yield one labelled float column, missing as NaN, or one 0/1 column per word."""
    if pd.api.types.is_numeric_dtype(column):
        values: FloatArray = np.asarray(column.astype("Float64").to_numpy(dtype=float, na_value=np.nan))
        if np.isinf(values).any():
            row = int(np.argmax(np.isinf(values)))
            refuse(f"column {name!r}, row {row}", "finite", shown(values[row]), "cap it or make it missing")
        yield name, values
        return
    words = sorted(column.dropna().unique().tolist(), key=str)
    if not words or not isinstance(words[0], str | bool) or len(words) > _MANY_WORDS:
        got = f"{len(words)} different values of type {kind_of(words[0])}" if words else "nothing but missing values"
        refuse(f"column {name!r}", f"numbers, bools or at most {_MANY_WORDS} words", got, "group it or leave it out")
    for word in words:
        yield f"{name} = {word!r}", _indicator(column, word)


def _indicator(column: pd.Series, word: object) -> FloatArray:
    missing = column.isna().to_numpy(dtype=bool)
    same = np.array([value == word for value in column.where(~missing, None).tolist()], dtype=np.float64)
    return np.where(missing, np.nan, same)


def _compare(values: FloatArray, arms: BoolArray, codes: IntArray | None) -> dict[str, float]:
    known = ~np.isnan(values)
    sides = values[known & arms], values[known & ~arms]
    means = [float(side.mean()) if len(side) else np.nan for side in sides]
    groups = np.arange(len(arms)) if codes is None else codes
    spread = error = np.nan
    if all(len(side) >= 2 for side in sides):
        spread = float(np.sqrt(np.mean([side.var(ddof=1) for side in sides])))
    if all(len(np.unique(groups[known & rows])) >= 2 for rows in (arms, ~arms)):
        error = contrast(values[known], arms[known], None if codes is None else codes[known]).se
    gap = means[0] - means[1]
    return {
        "treated_mean": means[0],
        "control_mean": means[1],
        "smd": _ratio(gap, spread),
        "z": _ratio(gap, error),
        "treated_missing": float(1 - known[arms].mean()),
        "control_missing": float(1 - known[~arms].mean()),
    }


def _ratio(gap: float, spread: float) -> float:
    if spread > 0 or np.isnan(spread):
        return gap / spread
    return 0.0 if gap == 0 else float(np.copysign(np.inf, gap))
