"""How many units a comparison of two means needs, and what a given number can see."""

from __future__ import annotations

from math import sqrt

from scipy.stats import norm

from casebook.contracts import refuse
from casebook.experiments._inputs import above_zero, one_number, open_share, power_normal, upper_normal
from casebook.experiments.design import SampleSize


def sample_size_mean(
    sd: float,
    effect: float,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    allocation: float = 0.5,
    sides: int = 2,
    inflation: float = 1.0,
) -> SampleSize:
    """Return the units needed to see a change of a mean.

    N = inflation ((z_alpha + z_power) sd / effect)^2 / (w (1 - w)), w the treated share: the normal
    approximation, which asks for one or two units an arm less than Student's t does.

    Parameters
    ----------
    sd : float
        Standard deviation of one unit's outcome, alike in both arms.
    effect : float
        Change of the mean, in the outcome's units; its sign does not matter.
    power, alpha, allocation, sides, inflation
        As in :func:`casebook.experiments.sample_size`.

    Returns
    -------
    SampleSize

    Raises
    ------
    ContractError
        An sd of 0 or less, no effect, a power, alpha or share that is none.

    References
    ----------
    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, 2nd ed., chapter 2.

    Examples
    --------
    >>> sample_size_mean(sd=40, effect=2)
    SampleSize(treated=6280, control=6280)
    """
    share, factor = open_share(allocation, "allocation"), above_zero(inflation, "inflation")
    root = (upper_normal(alpha, sides) + power_normal(power)) * above_zero(sd, "sd") / _change(effect)
    return SampleSize.split(factor * root**2 / (share * (1 - share)), share)


def power_of_mean(
    sd: float,
    effect: float,
    treated: float,
    control: float,
    *,
    alpha: float = 0.05,
    sides: int = 2,
    inflation: float = 1.0,
) -> float:
    """Return the probability that two arms of this size show a change of a mean.

    Parameters
    ----------
    sd, effect, alpha, sides, inflation
        As in :func:`sample_size_mean`.
    treated, control : float
        Units in each arm.

    Returns
    -------
    float
        In (0, 1); results in the wrong direction do not count.

    Raises
    ------
    ContractError
        As in :func:`sample_size_mean`, and for an arm without units.

    Examples
    --------
    >>> round(power_of_mean(sd=40, effect=2, treated=6280, control=6280), 3)
    0.8
    """
    error = _standard_error(sd, treated, control, inflation)
    return float(norm.cdf(abs(_change(effect)) / error - upper_normal(alpha, sides)))


def mde_mean(
    sd: float,
    treated: float,
    control: float,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    sides: int = 2,
    inflation: float = 1.0,
) -> float:
    """Return the smallest change of a mean, up or down, that arms of this size see.

    Parameters
    ----------
    sd, power, alpha, sides, inflation
        As in :func:`sample_size_mean`.
    treated, control : float
        Units in each arm.

    Returns
    -------
    float
        Above 0, in the outcome's units.

    Raises
    ------
    ContractError
        As in :func:`power_of_mean`.

    Examples
    --------
    >>> round(mde_mean(sd=40, treated=6280, control=6280), 2)
    2.0
    """
    return (upper_normal(alpha, sides) + power_normal(power)) * _standard_error(sd, treated, control, inflation)


def _standard_error(sd: float, treated: float, control: float, inflation: float) -> float:
    per_unit = 1 / above_zero(treated, "treated") + 1 / above_zero(control, "control")
    return above_zero(sd, "sd") * sqrt(per_unit * above_zero(inflation, "inflation"))


def _change(effect: float) -> float:
    change = one_number(effect, "effect")
    if change == 0:
        refuse("effect", "other than 0", repr(effect), "name the smallest change that would alter the decision")
    return change
