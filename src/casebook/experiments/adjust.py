"""What regression on measures from before saves: CUPED with several covariates, and its worth in days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook._schema_words import shown
from casebook.contracts import FloatArray, refuse, require_length, require_same_order
from casebook.experiments._inputs import above_zero, as_arms, as_outcome, one_number
from casebook.experiments._pair import pair, theta_of
from casebook.experiments.moments import Moments
from casebook.experiments.ratio import before_columns


@dataclass(frozen=True)
class CupedGain:
    """What adjusting for measures from before did to one effect.

    Parameters
    ----------
    variance_cut : float
        1 - adjusted variance / plain variance of the difference. It may fall below 0, by chance where the
        covariates tell nothing, or where unequal arms depend on them unequally.
    theta : tuple of float, shape (k,)
        Coefficients of ``metric.before``, the same in both arms.
    """

    variance_cut: float
    theta: tuple[float, ...]

    @property
    def sample_saved(self) -> float:
        """Share of the sample that may be left out for an interval as wide as without."""
        return self.variance_cut

    @property
    def extra_traffic(self) -> float:
        """Share of traffic that would have to be added, without adjusting, for an interval as narrow."""
        return 1 / (1 - self.variance_cut) - 1


def cuped_gain(treated: Moments, control: Moments) -> CupedGain:
    """Return by how much the columns from before cut the variance of an effect.

    With one covariate and a mean it is the squared correlation within the arms; with several, or for a ratio,
    the R squared of the (linearised) metric.

    Parameters
    ----------
    treated, control : Moments
        Of one metric that has ``before``.

    Returns
    -------
    CupedGain

    Raises
    ------
    ContractError
        A metric without ``before``, a metric that varies in neither arm or that ``before`` foretells wholly.

    References
    ----------
    Deng, Xu, Kohavi and Walker (2013), WSDM; its authors cut the variance of Bing's metrics by about half.

    Examples
    --------
    >>> users = pd.DataFrame({"arm": list("aaaabbbb"), "y": [3, 5, 2, 6, 4, 7, 3, 6], "x": [1, 3, 1, 5, 1, 4, 2, 3]})
    >>> from casebook.experiments import Metric, arm_moments
    >>> arms = arm_moments(users, Metric("y", before=("x",)), "arm")
    >>> gain = cuped_gain(arms["b"], arms["a"])
    >>> f"{gain.variance_cut:.2f} of the variance, {gain.theta[0]:.2f} per unit of x"
    '0.80 of the variance, 1.00 per unit of x'
    """
    adjusted, plain = pair(treated, control), pair(treated, control, adjusted=False)
    if not treated.metric.before:
        refuse("the metric", "one with columns from before", str(treated.metric), "add before=(...) to the Metric")
    if 0 in (adjusted.variance, plain.variance):
        got = "a metric that does not vary" if plain.variance == 0 else "one that repeats the metric"
        refuse("before", "a measure that tells part of the metric", got, "see that it was measured before the test")
    return CupedGain(1 - adjusted.variance / plain.variance, tuple(adjusted.theta.tolist()))


def cuped_many(y: npt.ArrayLike, before: npt.ArrayLike, treated: npt.ArrayLike) -> FloatArray:
    """Return the outcome less what several measures from before foretold: CUPED by regression.

    y - (before - mean(before)) @ theta, theta of the regression of y on the covariates within the arms. With one
    column it is :func:`casebook.experiments.cuped`.

    Parameters
    ----------
    y : array_like, shape (n,)
        Outcome.
    before : array_like, shape (n, k)
        Measures from before assignment; a frame's rows are matched by position.
    treated : array_like, shape (n,)
        The arm, 0 or 1.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        Pass it to :func:`casebook.experiments.difference` in the place of y.

    Raises
    ------
    ContractError
        Missing values, unequal lengths, one arm only, a covariate that varies in neither arm, or that the others
        add up to.

    References
    ----------
    Deng, Xu, Kohavi and Walker (2013), WSDM; Lin (2013), Agnostic notes on regression adjustments to experimental
    data, Annals of Applied Statistics 7(1), for when one theta for both arms loses.

    Examples
    --------
    >>> before = pd.DataFrame({"visits": [1, 3, 1, 5, 2, 2], "age": [30, 20, 40, 30, 20, 50]})
    >>> cuped_many([3, 5, 2, 6, 4, 3], before, treated=[1, 1, 1, 0, 0, 0]).round(2)
    array([4.01, 3.95, 3.44, 3.76, 3.76, 4.07])
    """
    outcome = as_outcome(y, "y")
    arms = as_arms(treated, len(outcome), y)
    covariates = before_columns(before)
    for name, column in covariates.items():
        require_length(column, len(outcome), name)
    if isinstance(before, pd.DataFrame | pd.Series):
        require_same_order(y, before.iloc[:, 0] if isinstance(before, pd.DataFrame) else before, "y and before")
    x = np.column_stack(list(covariates.values()))
    within = np.where(arms[:, None], x - x[arms].mean(axis=0), x - x[~arms].mean(axis=0))
    still = (np.ptp(x[arms], axis=0) == 0) & (np.ptp(x[~arms], axis=0) == 0)
    within[:, still] = 0.0  # centring leaves rounding
    return outcome - (x - x.mean(axis=0)) @ theta_of(within.T @ within, within.T @ outcome)


def days_saved(days: float, correlation: float) -> float:
    """Return by how many days a test may be shorter, where CUPED is to give the same width.

    The share of the sample saved is the squared correlation, since a variance goes as 1 / n; in days it is
    the same share while units arrive evenly. Where the same users return, later days bring fewer new ones.

    Parameters
    ----------
    days : float
        Duration without CUPED, above 0.
    correlation : float
        Of the metric with what was measured before, in (-1, 1).

    Returns
    -------
    float
        Days.

    Raises
    ------
    ContractError
        No days, or a correlation of 1 or more.

    References
    ----------
    Deng, Xu, Kohavi and Walker (2013), WSDM, section 3.

    Examples
    --------
    >>> round(days_saved(14, correlation=0.7), 2)
    6.86
    """
    duration, rho = above_zero(days, "days"), one_number(correlation, "correlation")
    if not -1 < rho < 1:
        refuse("correlation", "above -1 and below 1", shown(correlation), "pass it as a share, not in percent")
    return duration * rho**2
