"""Effects from sufficient statistics: the difference, and the relative lift with two intervals."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import stdtr, stdtrit

from casebook.contracts import FloatArray, refuse
from casebook.experiments._inputs import as_level
from casebook.experiments._pair import Pair, pair
from casebook.experiments.effect import Effect
from casebook.experiments.moments import Moments


def absolute_effect(treated: Moments, control: Moments, *, level: float = 0.95) -> Effect:
    """Return treated less control for a mean, a proportion or a ratio metric, adjusted for what was before.

    Welch's t on the units' variances. A ratio's variance is the delta method's over units, whatever the number of
    its rows. Columns in ``metric.before`` are always adjusted for (CUPED), with one theta for both arms: for a
    ratio they explain its linearised form, (y - ratio * denominator) / mean(denominator).

    Parameters
    ----------
    treated, control : Moments
        Of one metric. Units are what was randomised.
    level : float
        Of the interval.

    Returns
    -------
    Effect

    Raises
    ------
    ContractError
        Other than Moments, two metrics, a metric or a covariate that varies in neither arm.

    References
    ----------
    Welch (1947), Biometrika 34; Deng, Knoblich and Lu (2018), Applying the delta method in metric analytics, KDD;
    Deng, Xu, Kohavi and Walker (2013), WSDM, with its appendix on ratios.

    Examples
    --------
    >>> control, treated = Moments.of_total(3407, 1396.87, 52377.9767), Moments.of_total(3461, 2422.7, 134698.29)
    >>> print(absolute_effect(treated, control))
    +0.29 (95% interval +0.04538 to +0.5346, p = 0.02)
    """
    both = _varying(pair(treated, control))
    gap, se, share = float(both.means[0] - both.means[1]), float(np.sqrt(both.variance)), as_level(level)
    reach = float(stdtrit(both.df, (1 + share) / 2)) * se
    return _effect(both, (treated, control), share, (gap, gap - reach, gap + reach, se), _p(gap / se, both.df))


def relative_effect(
    treated: Moments, control: Moments, *, method: Literal["delta", "fieller"] = "delta", level: float = 0.95
) -> Effect:
    """Return the relative lift, treated / control - 1, by the delta method or by Fieller's.

    Both take Welch's degrees of freedom of the *difference*. The delta method's interval is symmetric and its p
    tests the lift against its own standard error, to which a noisy control adds: it may lie above 0.05 where the
    difference's lies below. Fieller's interval holds every lift that a t test does not reject. Its p is the
    difference's, so the two never disagree; swapping the arms turns 1 + lift into 1 / (1 + lift), ends included.

    Parameters
    ----------
    treated, control : Moments
        As for :func:`absolute_effect`; the control's mean is above 0.
    method : {"delta", "fieller"}
        They agree where the control's mean is many standard errors from 0.
    level : float
        Of the interval.

    Returns
    -------
    Effect
        ``estimate``, ``low``, ``high`` and ``se`` are shares of the control's mean; ``se`` is the delta method's.

    Raises
    ------
    ContractError
        As :func:`absolute_effect`; a control of 0 or less; for Fieller's, a control that is not clearly above 0
        at this level, for the interval is then unbounded.

    References
    ----------
    Deng, Knoblich and Lu (2018), KDD, section 2; Fieller (1954), Some problems in interval estimation, JRSS B 16(2).

    Examples
    --------
    >>> control, treated = Moments.of_total(3407, 1396.87, 52377.9767), Moments.of_total(3461, 2422.7, 134698.29)
    >>> print(relative_effect(treated, control))
    +0.7073 (95% interval -0.03526 to +1.45, p = 0.062)
    >>> print(relative_effect(treated, control, method="fieller"))
    +0.7073 (95% interval +0.09406 to +1.709, p = 0.02)
    """
    if method not in ("delta", "fieller"):
        refuse("method", "'delta' or 'fieller'", repr(method), "take 'fieller' where the control is noisy")
    both, share = _varying(pair(treated, control)), as_level(level)
    top, base = both.means.tolist()
    if base <= 0:
        refuse("the control's mean", "above 0 for a relative effect", f"{base:g}", "report absolute_effect(...)")
    slope = np.array([1.0, -top / base]) / base
    lift, se = top / base - 1, float(np.sqrt(slope @ both.cov @ slope))
    critical = float(stdtrit(both.df, (1 + share) / 2))
    if method == "fieller":
        low, high = _fieller(both.means, both.cov, critical)
        p = _p((top - base) / float(np.sqrt(both.variance)), both.df)
    else:
        low, high, p = lift - critical * se, lift + critical * se, _p(lift / se, both.df)
    return _effect(both, (treated, control), share, (lift, low, high, se), p)


def _fieller(means: FloatArray, cov: FloatArray, critical: float) -> tuple[float, float]:
    """Return the lifts between the roots r of (top - r base)^2 = critical^2 Var(top - r base), less 1."""
    square = np.outer(means, means) - critical**2 * cov
    a, b, c = square[1, 1], square[0, 1], square[0, 0]
    if a <= 0:
        got = f"{means[1]:g} with a standard error of {np.sqrt(cov[1, 1]):.3g}"
        refuse("the control's mean", "clearly above 0 for Fieller's interval", got, "report absolute_effect(...)")
    root = float(np.sqrt(b**2 - a * c))
    return float((b - root) / a) - 1, float((b + root) / a) - 1


def _p(score: float, df: float) -> float:
    return float(2 * stdtr(df, -abs(score)))


def _varying(both: Pair) -> Pair:
    if both.variance == 0:
        got = f"{both.means[0]:g} and {both.means[1]:g} throughout"
        refuse("the metric", "varying within an arm", got, "wait until units differ")
    return both


def _effect(
    both: Pair,
    arms: tuple[Moments, Moments],
    level: float,
    numbers: tuple[float, float, float, float],
    p: float,
) -> Effect:
    top, base = both.means.tolist()
    estimate, low, high, se = numbers
    counts = arms[0].n, arms[1].n
    return Effect(estimate, low, high, se, p, top, base, *counts, level=level, df=both.df)
