"""How many units a comparison of two rates needs, and what a given number can see."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Literal

from scipy.optimize import brentq
from scipy.stats import norm

from casebook.contracts import refuse
from casebook.experiments._inputs import above_zero, one_number, open_share, power_normal, upper_normal

# A plan of exactly 100 units must not become 101 by the rounding of floats.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class SampleSize:
    """Units that each arm needs.

    Parameters
    ----------
    treated, control : int
        Units, not clusters.
    """

    treated: int
    control: int

    @property
    def total(self) -> int:
        """Units in both arms together."""
        return self.treated + self.control

    @classmethod
    def split(cls, total: float, allocation: float) -> SampleSize:
        """Return whole units from a total that need not be whole; each arm is rounded up.

        Examples
        --------
        >>> SampleSize.split(100.2, 0.5)
        SampleSize(treated=51, control=51)
        """
        return cls(*(ceil(total * share - _ROUNDING) for share in (allocation, 1 - allocation)))


def sample_size(
    base_rate: float,
    effect: float,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    allocation: float = 0.5,
    sides: int = 2,
    inflation: float = 1.0,
) -> SampleSize:
    """Return the units needed to see a change of a rate.

    With p the mean rate of both arms, w the treated share and N the total, N solves
    abs(effect) sqrt(N) = z_alpha sqrt(p (1 - p) / (w (1 - w))) + z_power sqrt(pt (1 - pt) / w + pc (1 - pc) / (1 - w)):
    the test's standard error pooled under no effect, unpooled under the effect, no continuity correction.
    For a rare event the sign matters: a rise brings more variance and needs more units than a fall.

    Parameters
    ----------
    base_rate : float
        Rate in the control arm, in (0, 1).
    effect : float
        Signed absolute change: -0.01 takes 0.05 to 0.04.
    power : float
        Probability of seeing the effect if it is there, from 0.5 to below 1.
    alpha : float
        Probability of seeing one if there is none.
    allocation : float
        Share of units that are treated.
    sides : int
        2, or 1 for a test in the effect's direction only.
    inflation : float
        Factor on the size: the design effect of clusters (above 1), or the share of variance that an
        adjustment leaves (below 1).

    Returns
    -------
    SampleSize

    Raises
    ------
    ContractError
        A rate, or rate plus effect, outside (0, 1); no effect; a power, alpha or share that is none.

    References
    ----------
    Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, 3rd ed., chapter 4.

    Examples
    --------
    >>> sample_size(0.05, -0.01).treated, sample_size(0.05, 0.01).treated
    (6745, 8158)
    >>> sample_size(0.05, -0.01, inflation=1.8).total
    24282
    >>> sample_size(5, -1)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: base_rate must be above 0 and below 1, got 5; divide percentages by 100.
    """
    _require_rates(base_rate, effect)
    share, factor = open_share(allocation, "allocation"), above_zero(inflation, "inflation")
    null_sd, true_sd = _spreads(base_rate, effect, share)
    root = (upper_normal(alpha, sides) * null_sd + power_normal(power) * true_sd) / effect
    return SampleSize.split(factor * root**2, share)


def power_of(
    base_rate: float,
    effect: float,
    treated: float,
    control: float,
    *,
    alpha: float = 0.05,
    sides: int = 2,
    inflation: float = 1.0,
) -> float:
    """Return the probability that two arms of this size show a change of a rate.

    The formula of :func:`sample_size`, read the other way; the chance of a significant result in the wrong
    direction does not count as power.

    Parameters
    ----------
    base_rate, effect, alpha, sides, inflation
        As in :func:`sample_size`.
    treated, control : float
        Units in each arm.

    Returns
    -------
    float
        In (0, 1).

    Raises
    ------
    ContractError
        As in :func:`sample_size`, and for an arm without units.

    Examples
    --------
    >>> round(power_of(0.05, -0.01, 6745, 6745), 3)
    0.8
    >>> round(power_of(0.05, -0.01, 6745, 6745, inflation=1.8), 3)
    0.551
    """
    _require_rates(base_rate, effect)
    critical = upper_normal(alpha, sides)
    units = above_zero(treated, "treated"), above_zero(control, "control")
    return _power(base_rate, effect, units, critical, above_zero(inflation, "inflation"))


def mde(
    base_rate: float,
    treated: float,
    control: float,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    sides: int = 2,
    direction: Literal["down", "up"] = "down",
    inflation: float = 1.0,
) -> float:
    """Return the smallest change of a rate that arms of this size see: the minimum detectable effect.

    Parameters
    ----------
    base_rate, power, alpha, sides, inflation
        As in :func:`sample_size`.
    treated, control : float
        Units in each arm.
    direction : {"down", "up"}
        Which way the rate is to move.

    Returns
    -------
    float
        Signed absolute change: below 0 for "down".

    Raises
    ------
    ContractError
        As in :func:`power_of`, and where not even a rate of 0 (or 1) would be seen.

    Examples
    --------
    >>> round(mde(0.05, 6745, 6745), 4), round(mde(0.05, 6745, 6745, direction="up"), 4)
    (-0.01, 0.011)
    """
    open_share(base_rate, "base_rate")
    power_normal(power)
    if direction not in ("down", "up"):
        refuse("direction", "'down' or 'up'", repr(direction), "say which way the rate is to move")
    critical, factor = upper_normal(alpha, sides), above_zero(inflation, "inflation")
    units = above_zero(treated, "treated"), above_zero(control, "control")
    sign, room = (-1, base_rate) if direction == "down" else (1, 1 - base_rate)

    def lacking(size: float) -> float:
        return _power(base_rate, sign * size, units, critical, factor) - power

    if lacking(room) < 0:
        best = f"{int(sign > 0)} with power {lacking(room) + power:.2f}"
        got = f"{units[0]:g} and {units[1]:g}, which see even a rate of {best}"
        refuse("treated and control", f"enough units for power {power:g}", got, "add units or ask for less power")
    return sign * float(brentq(lacking, 0.0, room, xtol=1e-14))


def _power(base_rate: float, effect: float, units: tuple[float, float], critical: float, inflation: float) -> float:
    total = sum(units)
    null_sd, true_sd = _spreads(base_rate, effect, units[0] / total)
    return float(norm.cdf((abs(effect) * sqrt(total / inflation) - critical * null_sd) / true_sd))


def _spreads(base_rate: float, effect: float, share: float) -> tuple[float, float]:
    """Standard errors of the difference times sqrt(N): with no effect (pooled), and with it."""
    moved = base_rate + effect
    pooled = share * moved + (1 - share) * base_rate
    null = pooled * (1 - pooled) / (share * (1 - share))
    true = moved * (1 - moved) / share + base_rate * (1 - base_rate) / (1 - share)
    return sqrt(null), sqrt(true)


def _require_rates(base_rate: float, effect: float) -> None:
    rate, change = open_share(base_rate, "base_rate"), one_number(effect, "effect")
    if change == 0:
        refuse("effect", "other than 0", repr(effect), "name the smallest change that would alter the decision")
    if not 0 < rate + change < 1:
        mend = "give effect as an absolute change, -0.01 for one point down"
        refuse("base_rate + effect", "above 0 and below 1", f"{rate + change:g}", mend)
