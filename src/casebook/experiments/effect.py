"""What the treatment did: differences with their intervals, on all units or on those it reached."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from casebook.contracts import BoolArray, FloatArray, as_labels, refuse, require_length, require_same_order
from casebook.experiments._contrast import Contrast, contrast
from casebook.experiments._inputs import (
    IntArray,
    as_arms,
    as_clusters,
    as_level,
    as_outcome,
    require_two_each,
)


@dataclass(frozen=True)
class Effect:
    """An estimated effect with its interval.

    Parameters
    ----------
    estimate : float
        treated_mean - control_mean, in the outcome's units.
    low, high : float
        Ends of the interval.
    se : float
        Standard error.
    p : float
        Two-sided p-value of no effect.
    treated_mean, control_mean : float
        Means of the outcome by arm.
    treated_n, control_n : int
        Units, not clusters.
    clusters : int or None
        Clusters in both arms together, None where units were randomised one by one.
    level : float
        Confidence level of the interval.
    df : float
        Degrees of freedom of the t distribution behind p and the interval.
    """

    estimate: float
    low: float
    high: float
    se: float
    p: float
    treated_mean: float
    control_mean: float
    treated_n: int
    control_n: int
    clusters: int | None = None
    level: float = 0.95
    df: float = float("inf")

    def __str__(self) -> str:
        """Return estimate, interval and p in one line."""
        span = f"{100 * self.level:.4g}% interval {self.low:+.4g} to {self.high:+.4g}"
        return f"{self.estimate:+.4g} ({span}, p = {self.p:.2g})"


def difference(
    y: npt.ArrayLike, treated: npt.ArrayLike, *, cluster: npt.ArrayLike | None = None, level: float = 0.95
) -> Effect:
    """Return the difference of means or proportions between the arms, by intention to treat.

    One by one: Neyman's variance with Welch's t. Clusters: the regression of y on the arm with the
    cluster-robust sandwich CR1 and t with clusters - 1 degrees of freedom; every unit, not every cluster,
    counts alike. Below some 40 clusters, or with a few huge ones, that interval is too short.

    Parameters
    ----------
    y : array_like, shape (n,)
        Outcome of every randomised unit: numbers or bools.
    treated : array_like, shape (n,)
        The arm as it was assigned, 0 or 1. A Series may have any index: rows are matched by position.
    cluster : array_like, shape (n,), optional
        What was randomised whole.
    level : float
        Of the interval.

    Returns
    -------
    Effect

    Raises
    ------
    ContractError
        Missing outcomes, arms other than 0 and 1, an arm of fewer than two units or clusters, unequal
        lengths, a cluster in both arms, an outcome that varies in neither arm.

    References
    ----------
    Welch (1947), Biometrika 34; Liang and Zeger (1986), Biometrika 73; Cameron and Miller (2015), A
    practitioner's guide to cluster-robust inference, Journal of Human Resources 50(2).

    Examples
    --------
    >>> retained = [1, 1, 0, 1, 1, 0, 1, 0, 0, 0]
    >>> print(difference(retained, treated=[1, 1, 1, 1, 1, 0, 0, 0, 0, 0]))
    +0.6 (95% interval -0.05224 to +1.252, p = 0.067)
    """
    outcome, arms, codes = _read(y, treated, cluster, ("y", "treated"))
    return _varying(effect_of(outcome, arms, codes, as_level(level)))


def complier_effect(
    y: npt.ArrayLike,
    assigned: npt.ArrayLike,
    received: npt.ArrayLike,
    *,
    cluster: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Effect:
    """Return the effect of receipt on those whom assignment moved to receive: the Wald estimator.

    The effect of assignment on y over its effect on receipt, with the delta method's standard error. Valid
    if assignment works through receipt alone and makes nobody refuse. Comparing those reached with those not
    reached is no substitute: who can be reached is not drawn at random.

    Parameters
    ----------
    y : array_like, shape (n,)
        Outcome of every randomised unit.
    assigned : array_like, shape (n,)
        The arm as it was drawn, 0 or 1.
    received : array_like, shape (n,)
        Whether the treatment reached the unit, 0 or 1.
    cluster, level
        As in :func:`difference`.

    Returns
    -------
    Effect
        ``treated_mean`` and ``control_mean`` are the compliers' (Abadie 2002), the counts those assigned.

    Raises
    ------
    ContractError
        As :func:`difference`, and if assignment does not move receipt: the interval of its effect on receipt
        holds 0. Where that effect is within about three standard errors of 0, this interval is too short.

    References
    ----------
    Imbens and Angrist (1994), Identification and estimation of local average treatment effects,
    Econometrica 62(2).

    Examples
    --------
    >>> assigned, received = [1] * 8 + [0] * 8, [1] * 6 + [0] * 10
    >>> y = [1, 1, 1, 0, 1, 1, 0, 0] + [1, 0, 1, 0, 0, 0, 0, 0]
    >>> got = complier_effect(y, assigned, received)
    >>> round(got.estimate, 3), round(difference(y, assigned).estimate, 3)
    (0.5, 0.375)
    """
    outcome, arms, codes = _read(y, assigned, cluster, ("y", "assigned"))
    got = as_labels(received, "received")
    require_length(got, len(arms), "received")
    require_same_order(y, received, "y and received")
    share = as_level(level)
    gap = _moved(got.astype(float), arms, codes, share)
    wald = contrast(outcome, arms, codes).estimate / gap
    # The delta method: the ratio varies as the arms' difference in y - wald * received, over the gap.
    residual = contrast(outcome - wald * got, arms, codes)
    whole = effect_of(outcome, arms, codes, share)
    reached = contrast(outcome * got, arms, codes).estimate / gap
    shape = replace(whole, treated_mean=reached, control_mean=reached - wald)
    return _varying(_infer(shape, Contrast(wald, residual.se / abs(gap), residual.df)))


def cuped(y: npt.ArrayLike, before: npt.ArrayLike, treated: npt.ArrayLike) -> FloatArray:
    """Return the outcome less what was foreseeable from a measure taken before the experiment.

    y - theta (before - mean(before)), theta pooled within the arms, so that the difference of the adjusted
    means is the regression's that adjusts for ``before``. The variance falls by the share that the square
    of the correlation explains.

    Parameters
    ----------
    y : array_like, shape (n,)
        Outcome.
    before : array_like, shape (n,)
        The same or a related measure before assignment; treatment cannot have moved it.
    treated : array_like, shape (n,)
        The arm, 0 or 1.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        Pass it to :func:`difference` in the place of y, with ``cluster`` if there are clusters.

    Raises
    ------
    ContractError
        Missing values, unequal lengths, one arm only, a ``before`` that varies in neither arm.

    References
    ----------
    Deng, Xu, Kohavi and Walker (2013), Improving the sensitivity of online controlled experiments by
    utilizing pre-experiment data, WSDM.

    Examples
    --------
    >>> cuped([3, 5, 2, 6], before=[1, 3, 1, 5], treated=[1, 1, 0, 0])
    array([4.5, 4.5, 3.5, 3.5])
    """
    outcome, arms, _ = _read(y, treated, None, ("y", "treated"), least=False)
    past = as_outcome(before, "before", "fill it in alike in both arms, with the mean for one")
    require_length(past, len(outcome), "before")
    require_same_order(y, before, "y and before")
    centred = past - np.where(arms, past[arms].mean(), past[~arms].mean())
    spread = float(centred @ centred)
    if all(np.ptp(past[rows]) == 0 for rows in (arms, ~arms)):
        refuse("before", "varying within the arms", "one value in each", "take a measure that tells units apart")
    theta = float(centred @ outcome) / spread
    return outcome - theta * (past - past.mean())


def effect_of(y: FloatArray, arms: BoolArray, codes: IntArray | None, level: float) -> Effect:
    """Return the effect from clean arrays; se, low, high and p are NaN where the outcome varies in neither arm."""
    clusters = None if codes is None else len(np.unique(codes))
    means = float(y[arms].mean()), float(y[~arms].mean())
    counts = int(arms.sum()), int((~arms).sum())
    nothing = float("nan")
    shape = Effect(nothing, nothing, nothing, nothing, nothing, *means, *counts, clusters, level)
    return _infer(shape, contrast(y, arms, codes))


def _infer(shape: Effect, found: Contrast) -> Effect:
    if found.se == 0:
        return replace(shape, estimate=found.estimate, df=found.df)
    reach = float(student.isf((1 - shape.level) / 2, found.df)) * found.se
    p = float(2 * student.sf(abs(found.estimate) / found.se, found.df))
    low, high = found.estimate - reach, found.estimate + reach
    return replace(shape, estimate=found.estimate, low=low, high=high, se=found.se, p=p, df=found.df)


def _read(
    y: npt.ArrayLike,
    treated: npt.ArrayLike,
    cluster: npt.ArrayLike | None,
    names: tuple[str, str],
    least: bool = True,
) -> tuple[FloatArray, BoolArray, IntArray | None]:
    outcome = as_outcome(y, names[0])
    arms = as_arms(treated, len(outcome), y, names)
    codes = as_clusters(cluster, arms, y)
    if least:
        require_two_each(arms, codes)
    return outcome, arms, codes


def _moved(received: FloatArray, arms: BoolArray, codes: IntArray | None, level: float) -> float:
    """Return by how much assignment moved receipt, or refuse where it cannot be told from nothing."""
    first = effect_of(received, arms, codes, level)
    if first.estimate == 0 or first.low <= 0 <= first.high:
        got = f"a rate of {first.treated_mean:.3g} against {first.control_mean:.3g}"
        refuse("received", "moved by assigned", got, "report difference(y, assigned) instead")
    return first.estimate


def _varying(effect: Effect) -> Effect:
    if np.isnan(effect.se):
        got = f"{effect.treated_mean:g} and {effect.control_mean:g} throughout"
        refuse("y", "varying within an arm", got, "wait until outcomes differ, or compare the counts")
    return effect
