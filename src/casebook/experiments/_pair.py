"""The two arms' estimates with their covariance, from sufficient statistics: every effect is a function of these."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casebook._columns import kind_of
from casebook.contracts import FloatArray, refuse
from casebook.experiments.moments import Moments

# A variance below this share of the terms that cancel in it is rounding.
_ROUNDING = 1e-12
# Covariates whose correlation matrix has a smaller eigenvalue repeat each other.
_REPEATS = 1e-9


@dataclass(frozen=True)
class Pair:
    """Estimates of treated and control, shape (2,), and their covariance, shape (2, 2).

    ``variance`` is that of the difference, 0 where neither arm varies; ``df`` its degrees of freedom by Welch;
    ``theta`` the coefficients of the columns from before.
    """

    means: FloatArray
    cov: FloatArray
    variance: float
    df: float
    theta: FloatArray


def pair(treated: Moments, control: Moments, *, adjusted: bool = True) -> Pair:
    """Return both arms' means or ratios, adjusted for what their metric has from before.

    A ratio is linearised: it varies as the mean over units of (y - ratio * denominator) / mean(denominator).
    Adjusted, each arm moves by theta times its distance from the common mean of the covariates. Both arms'
    covariates enter both estimates, hence a covariance between them, which a lift must count.
    """
    sides = (_checked(treated, "treated"), _checked(control, "control"))
    if treated.metric != control.metric:
        refuse("control", "of treated's metric", str(control.metric), f"take {treated.metric} of both")
    estimates, slopes = zip(*map(_linear, sides), strict=True)
    k, before = len(slopes[0]), len(treated.metric.before) if adjusted else 0
    theta = np.zeros(k)
    if before:
        theta[k - before :] = _theta(sides, slopes, before)
    shift = float(theta @ (treated.means - control.means))
    share = treated.n / (treated.n + control.n)
    moves = np.array([-(1 - share) * shift, share * shift])
    weights = (
        np.vstack([slopes[0] - (1 - share) * theta, share * theta]),
        np.vstack([(1 - share) * theta, slopes[1] - share * theta]),
    )
    cov = sum(w @ side.covariance @ w.T / side.n for w, side in zip(weights, sides, strict=True))
    return Pair(np.array(estimates) + moves, cov, *_welch(weights, sides), theta[k - before :])


def theta_of(sxx: FloatArray, sxz: FloatArray) -> FloatArray:
    """Return the coefficients of z on the covariates, from sums of centred products, shapes (k, k) and (k,)."""
    scale = np.sqrt(np.diag(sxx))
    if (scale == 0).any():
        refuse("before", "varying within the arms", "one value in each", "take a measure that tells units apart")
    correlation = sxx / np.outer(scale, scale)
    if np.linalg.eigvalsh(correlation)[0] < _REPEATS:
        refuse("before", "columns that do not repeat each other", "a sum of the others", "drop one of them")
    return np.linalg.solve(correlation, sxz / scale) / scale


def _theta(sides: tuple[Moments, Moments], slopes: tuple[FloatArray, ...], before: int) -> FloatArray:
    scatter = [side.covariance * (side.n - 1) for side in sides]
    sxz = scatter[0] @ slopes[0] + scatter[1] @ slopes[1]
    return theta_of((scatter[0] + scatter[1])[-before:, -before:], sxz[-before:])


def _linear(side: Moments) -> tuple[float, FloatArray]:
    """Return the arm's estimate and its slope along each column's mean."""
    means, slope = side.means, np.zeros(len(side.sums))
    if side.metric.denominator is None:
        slope[0] = 1.0
        return float(means[0]), slope
    ratio = means[0] / means[1]
    slope[:2] = 1 / means[1], -ratio / means[1]
    return float(ratio), slope


def _welch(weights: tuple[FloatArray, FloatArray], sides: tuple[Moments, Moments]) -> tuple[float, float]:
    each, most = [], 0.0
    for (top, base), side in zip(weights, sides, strict=True):
        slope = top - base
        each.append(max(float(slope @ side.covariance @ slope) / side.n, 0.0))
        most += float(np.abs(slope) @ np.abs(side.covariance) @ np.abs(slope)) / side.n
    variance = sum(each)
    if variance <= _ROUNDING * most:
        return 0.0, float(sides[0].n + sides[1].n - 2)
    return variance, 1 / sum((part / variance) ** 2 / (side.n - 1) for part, side in zip(each, sides, strict=True))


def _checked(side: object, what: str) -> Moments:
    if not isinstance(side, Moments):
        refuse(what, "Moments", kind_of(side), "pass one arm of arm_moments(...) or Moments.of_total(...)")
    return side
