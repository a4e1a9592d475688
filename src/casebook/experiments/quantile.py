"""The treatment's effect on a quantile, such as the slowest twentieth of page loads, within users."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import norm
from scipy.stats import t as student

from casebook.contracts import FloatArray, refuse
from casebook.experiments._inputs import (
    IntArray,
    as_arms,
    as_clusters,
    as_level,
    as_outcome,
    open_share,
    require_two_each,
)
from casebook.experiments.effect import Effect


def quantile_difference(
    y: npt.ArrayLike,
    treated: npt.ArrayLike,
    quantile: float,
    *,
    cluster: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Effect:
    """Return the difference of a quantile between the arms, by the outer confidence interval.

    In each arm the share of rows at or below the quantile varies by s, which is the delta method's over clusters;
    the quantiles at shares q - z s and q + z s are the arm's interval, and their distance over 2 z its
    standard error. No density is estimated and nothing is drawn. It is the difference of quantiles, not the
    quantile of the differences: no unit need have changed by it.

    Parameters
    ----------
    y : array_like, shape (n,)
        Numbers: one per row, be it a unit or one of its impressions.
    treated : array_like, shape (n,)
        The arm, 0 or 1.
    quantile : float
        Between 0 and 1, such as 0.95.
    cluster : array_like, shape (n,), optional
        What was randomised, where it has several rows.
    level : float
        Of the interval.

    Returns
    -------
    Effect
        ``treated_mean`` and ``control_mean`` are the arms' quantiles. With clusters its t has clusters - 1
        degrees of freedom.

    Raises
    ------
    ContractError
        As :func:`casebook.experiments.difference`; a quantile too far out for the rows or clusters there are; one on
        which so many rows are tied that it cannot be seen to vary.

    References
    ----------
    Deng, Knoblich and Lu (2018), Applying the delta method in metric analytics, KDD, section 4. Liu, Sun, Varshney
    and Xu (2019), Large-scale online experimentation with quantile metrics, take a density in place of the interval.

    Examples
    --------
    >>> waits = np.arange(200.0)
    >>> print(quantile_difference(np.r_[waits, waits + 30], [0] * 200 + [1] * 200, 0.5))
    +30 (95% interval +10.5 to +49.5, p = 0.0026)
    """
    outcome = as_outcome(y, "y")
    arms = as_arms(treated, len(outcome), y)
    codes = as_clusters(cluster, arms, y)
    require_two_each(arms, codes)
    share, at = as_level(level), open_share(quantile, "quantile")
    z = float(norm.isf((1 - share) / 2))
    sides = [_side(outcome[rows], None if codes is None else codes[rows], at, z) for rows in (arms, ~arms)]
    (top, top_se), (base, base_se) = sides
    se = float(np.hypot(top_se, base_se))
    if se == 0:
        got = f"{top:g} and {base:g} with many rows tied on them"
        refuse("the quantiles", "varying", got, "take difference(y > limit, ...) in its place")
    clusters = None if codes is None else len(np.unique(codes))
    df = float("inf") if clusters is None else clusters - 1.0
    reach, gap = float(student.isf((1 - share) / 2, df)) * se, top - base
    p = float(2 * student.sf(abs(gap) / se, df))
    counts = int(arms.sum()), int((~arms).sum())
    return Effect(gap, gap - reach, gap + reach, se, p, top, base, *counts, clusters, share, df)


def _side(y: FloatArray, codes: IntArray | None, at: float, z: float) -> tuple[float, float]:
    """Return an arm's quantile and its standard error."""
    middle = float(np.quantile(y, at))
    spread = z * _share_error(y <= middle, codes, at)
    low, high = at - spread, at + spread
    if low <= 0 or high >= 1:
        got = f"{at:g} give or take {spread:.2g} of {len(y)} rows"
        refuse("quantile", "far enough from 0 and 1 for each arm", got, "wait for more units or take one nearer 0.5")
    ends = np.quantile(y, [low, high])
    return middle, float(ends[1] - ends[0]) / (2 * z)


def _share_error(below: npt.NDArray[np.bool_], codes: IntArray | None, at: float) -> float:
    if codes is None:
        return float(np.sqrt(at * (1 - at) / len(below)))
    _, own = np.unique(codes, return_inverse=True)
    residual = np.bincount(own, weights=below - below.mean())
    count = len(residual)
    return float(np.sqrt(count / (count - 1) * (residual @ residual))) / len(below)
