"""What replicated worlds say: share of the oracle captured, share of worlds that hold, paired intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from casebook.contracts import refuse

CAPTURED_RTOL = 1e-9  # money summed in float64 over a million cases is exact to about 1e-10 of its size


def captured(value: ArrayLike, nothing: ArrayLike, oracle: ArrayLike) -> NDArray[np.float64]:
    """Share of (oracle less do nothing) that a policy captures.

    Dollars of different worlds do not compare; this share does. Values and costs both work, since both
    differences change sign together.

    Parameters
    ----------
    value, nothing, oracle : array_like
        Money under the policy, under doing nothing and under the oracle; shapes that broadcast.

    Returns
    -------
    numpy.ndarray
        The broadcast shape (a numpy float for scalars). 1 for the oracle, 0 for doing nothing, negative for
        worse than nothing; nan where oracle and nothing differ by no more than ``CAPTURED_RTOL`` (1e-9) of
        the larger of the two in size, since there is nothing to capture.

    Examples
    --------
    >>> captured([50.0, 120.0, 10.0], [20.0, 100.0, 10.0], [120.0, 120.0, 10.0]).tolist()
    [0.3, 1.0, nan]
    """
    value, nothing, oracle = (np.asarray(money, dtype=np.float64) for money in (value, nothing, oracle))
    room = oracle - nothing
    empty = np.abs(room) <= CAPTURED_RTOL * np.maximum(np.abs(oracle), np.abs(nothing))
    share: NDArray[np.float64] = np.where(empty, np.nan, (value - nothing) / np.where(empty, 1.0, room))
    return share[()]


@dataclass(frozen=True)
class Share:
    """In how many worlds a finding holds, with a Wilson interval.

    Examples
    --------
    >>> str(Share(19, 20, 0.95, 0.764, 0.991))
    '19 of 20'
    """

    holds: int
    n: int
    share: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.holds} of {self.n}"


def share_holding(flags: ArrayLike, level: float = 0.95) -> Share:
    """Share of worlds in which a finding holds, with Wilson's interval (Wilson 1927).

    Parameters
    ----------
    flags : array_like of bool, shape (n,)
        True where the finding holds; 0 and 1 are accepted.
    level : float
        Confidence level in (0, 1).

    Raises
    ------
    ContractError
        If there are no flags, or one of them is neither true nor false.

    Examples
    --------
    >>> share = share_holding([True] * 19 + [False])
    >>> print(share, f"({share.low:.2f} to {share.high:.2f})")
    19 of 20 (0.76 to 0.99)
    """
    _check_level(level)
    array = np.asarray(flags)
    if array.ndim != 1 or array.size == 0:
        refuse("flags", "a column of at least one flag", f"shape {array.shape}", "pass one flag a world")
    strange = [f for f in array.tolist() if not isinstance(f, bool | int | float) or f not in (0, 1)]
    if strange:
        refuse(
            "flags",
            "true or false in every world",
            str(strange[0]),
            "decide what a world without a value counts as",
        )
    n, holds = array.size, int(array.astype(bool).sum())
    interval = stats.binomtest(holds, n).proportion_ci(confidence_level=level, method="wilson")
    return Share(holds, n, holds / n, float(interval.low), float(interval.high))


@dataclass(frozen=True)
class Interval:
    """A mean over worlds with its confidence interval, in the unit of the values.

    Examples
    --------
    >>> print(Interval(2.0, 1.5, 2.5, 20))
    2 (1.5 to 2.5, n = 20)
    """

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.mean:.4g} ({self.low:.4g} to {self.high:.4g}, n = {self.n})"


def paired_interval(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> Interval:
    """Mean of the differences ``a - b`` with a t interval; both played in the same worlds (Student 1908).

    Parameters
    ----------
    a, b : array_like, shape (n,)
        Values of two policies, row by row in the same world and on the same random draws.
    level : float
        Confidence level in (0, 1).

    Raises
    ------
    ContractError
        If the lengths differ, there are fewer than two worlds, or a value is missing.

    Examples
    --------
    >>> print(paired_interval([3.0, 5.0, 7.0], [1.0, 2.0, 6.0]))
    2 (-0.4841 to 4.484, n = 3)
    """
    _check_level(level)
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape or a.size < 2:
        refuse(
            "a and b",
            "two columns of one length, at least two worlds",
            f"shapes {a.shape} and {b.shape}",
            "pass one value a world for each policy",
        )
    difference = a - b
    if not np.isfinite(difference).all():
        row = int(np.flatnonzero(~np.isfinite(difference))[0])
        refuse(f"a and b, row {row}", "finite", f"{a[row]} and {b[row]}", "drop the world from both and say so")
    mean, n = float(difference.mean()), difference.size
    half = float(stats.t.ppf((1 + level) / 2, n - 1) * difference.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half, n)


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        refuse("level", "a confidence level between 0 and 1", str(level), "write 95 % as 0.95")
