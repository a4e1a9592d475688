"""Group-sequential tests: a few planned looks, each against a bound of its own."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from casebook._columns import kind_of
from casebook._schema_words import shown
from casebook.contracts import FloatArray, refuse
from casebook.experiments._crossing import first_crossings
from casebook.experiments._inputs import above_zero, one_number, power_normal, upper_normal
from casebook.experiments._looks import (
    LEAST_GROWTH,
    SPENDING,
    as_times,
    constant_bounds,
    drift_for,
    estimate_and_error,
    expected_time,
    limits,
    spending_bounds,
)
from casebook.experiments.effect import Effect

Kind = Literal["obrien-fleming", "pocock", "spending-obf", "spending-pocock"]

_MOST_LOOKS = 100
_LARGEST_ALPHA = 0.5
_ROUNDING = 1e-9


@dataclass(frozen=True)
class GroupSequential:
    """The design of a group-sequential test; tuples have one entry per look.

    Parameters
    ----------
    kind : {"obrien-fleming", "pocock", "spending-obf", "spending-pocock"}
        The family of bounds.
    fractions : tuple of float
        Information at each look as a share of the last look's, which is 1.
    critical : tuple of float
        z-statistic that stops the test.
    nominal_p : tuple of float
        The same as a p-value, of as many sides as the test has.
    spent : tuple of float
        Type I error up to and including each look.
    stop_null, stop_effect : tuple of float
        Probability of crossing first at each look, under no effect and under the effect that was planned for.
    inflation : float
        Sample size at the last look over that of a fixed test of the same alpha and power.
    expected_null, expected_effect : float
        Expected sample size over that of the fixed test, under no effect and under the planned effect.
    drift : float
        Expected z-statistic of the last look under the planned effect.
    alpha, power : float
    sides : int
    """

    kind: Kind
    fractions: tuple[float, ...]
    critical: tuple[float, ...]
    nominal_p: tuple[float, ...]
    spent: tuple[float, ...]
    stop_null: tuple[float, ...]
    stop_effect: tuple[float, ...]
    inflation: float
    expected_null: float
    expected_effect: float
    drift: float
    alpha: float
    power: float
    sides: int

    def units(self, fixed: float) -> tuple[int, ...]:
        """Return the units to have at each look, where the fixed test needs ``fixed``; each is rounded up."""
        last = above_zero(fixed, "fixed") * self.inflation
        return tuple(ceil(last * fraction - _ROUNDING) for fraction in self.fractions)


def group_sequential(
    looks: int | npt.ArrayLike,
    *,
    alpha: float = 0.05,
    kind: Kind = "obrien-fleming",
    power: float = 0.8,
    sides: int = 2,
) -> GroupSequential:
    """Return the bounds that keep the type I error at alpha over a few looks, and what they cost.

    O'Brien-Fleming asks for z above C / sqrt(t) at the share t of the information, Pocock for z above one C at
    every look. These two hold for the planned looks only. The spending functions instead fix how much error
    is spent by t, so that looks may fall where they fall: design anew with the shares that were used and 1 at
    the end, and the bounds of past looks do not move. Stopping for the effect only, never for lack of one.

    Parameters
    ----------
    looks : int or array_like, shape (looks,)
        Number of equally spaced looks, the last one at the end, or the information shares, rising to 1.
    alpha : float
        Type I error over all looks together, at most 0.5.
    kind : {"obrien-fleming", "pocock", "spending-obf", "spending-pocock"}
    power : float
        Probability of crossing, in the effect's direction, under the effect planned for.
    sides : int
        2, or 1 where only an effect above 0 can stop the test.

    Returns
    -------
    GroupSequential

    Raises
    ------
    ContractError
        Looks that are no count from 1 to 100 and no shares rising to 1 by at least a thousandth each, an
        unknown kind, an alpha, power or number of sides that is none.

    References
    ----------
    Pocock (1977), Biometrika 64; O'Brien and Fleming (1979), Biometrics 35; Lan and DeMets (1983),
    Biometrika 70; Jennison and Turnbull (2000), Group Sequential Methods with Applications to Clinical Trials.

    Examples
    --------
    >>> design = group_sequential(3)
    >>> [round(z, 3) for z in design.critical], [round(p, 4) for p in design.nominal_p]
    ([3.471, 2.454, 2.004], [0.0005, 0.0141, 0.0451])
    >>> round(design.inflation, 3), round(design.expected_effect, 3)
    (1.017, 0.856)
    >>> design.units(10_000)
    (3392, 6783, 10175)
    """
    times = as_times(looks, _MOST_LOOKS)
    one_look = upper_normal(alpha, sides)
    if alpha > _LARGEST_ALPHA:
        refuse("alpha", f"at most {_LARGEST_ALPHA}", shown(alpha), "name the error you would bear, such as 0.05")
    if kind not in get_args(Kind):
        refuse("kind", f"one of {', '.join(map(repr, get_args(Kind)))}", repr(kind), "name a family of bounds")
    needed = power_normal(power)
    critical = _critical(times, kind, alpha, sides)
    drift = drift_for(times, critical, alpha, power, sides)
    null, effect = (first_crossings(times, *limits(critical, sides), at) for at in (0.0, drift))
    inflation = (drift / (one_look + needed)) ** 2
    return GroupSequential(
        kind=kind,
        fractions=tuple(times.tolist()),
        critical=tuple(critical.tolist()),
        nominal_p=tuple((sides * norm.sf(critical)).tolist()),
        spent=tuple(np.cumsum(null.sum(axis=1)).tolist()),
        stop_null=tuple(null.sum(axis=1).tolist()),
        stop_effect=tuple(effect.sum(axis=1).tolist()),
        inflation=inflation,
        expected_null=inflation * expected_time(times, null),
        expected_effect=inflation * expected_time(times, effect),
        drift=drift,
        alpha=alpha,
        power=power,
        sides=sides,
    )


@dataclass(frozen=True)
class LookReading:
    """What one look of a group-sequential test says.

    Parameters
    ----------
    decision : {"stop", "go on", "end"}
        "stop": the bound is crossed, there is an effect of the estimate's sign. "end": that was the last look
        and none is shown.
    look : int
        Counted from 1.
    z, critical : float
        The z-statistic, and the one that stops the test here.
    estimate : float
        Biased away from 0 if the test stopped early: those that stop are those that looked large.
    low, high : float
        The repeated confidence interval; over all looks together it holds the effect with probability
        1 - alpha, whether or not the test stops by its rule. A one-sided test has no upper end.
    """

    decision: Literal["stop", "go on", "end"]
    look: int
    z: float
    critical: float
    estimate: float
    low: float
    high: float


def read_look(
    design: GroupSequential, fraction: float, estimate: float | Effect, se: float | None = None
) -> LookReading:
    """Return whether to stop at a look, with the repeated confidence interval.

    Parameters
    ----------
    design : GroupSequential
    fraction : float
        Information at this look as a share of the last look's: units so far over units planned.
    estimate : float or Effect
        Of all data so far; an Effect brings its own standard error.
    se : float, optional
        Standard error of the estimate.

    Returns
    -------
    LookReading

    Raises
    ------
    ContractError
        A look that was not planned, a standard error that is missing or not above 0.

    References
    ----------
    Jennison and Turnbull (1989), Interim analyses: the repeated confidence interval approach, Journal of the
    Royal Statistical Society B 51(3).

    Examples
    --------
    >>> got = read_look(group_sequential(3), 2 / 3, estimate=0.7, se=0.3)
    >>> got.decision, round(got.z, 2), round(got.critical, 2), round(got.low, 2), round(got.high, 2)
    ('go on', 2.33, 2.45, -0.04, 1.44)
    """
    if not isinstance(design, GroupSequential):
        refuse("design", "a GroupSequential", kind_of(design), "pass what group_sequential(...) returns")
    value, error = estimate_and_error(estimate, se)
    share = one_number(fraction, "fraction")
    near = np.abs(np.array(design.fractions) - share)
    look = int(near.argmin())
    if near[look] > LEAST_GROWTH / 2:
        mend = "for another look take a spending kind and design it anew with the shares used so far"
        planned = ", ".join(f"{planned:.4g}" for planned in design.fractions)
        refuse("fraction", f"one of the planned {planned}", shown(fraction), mend)
    critical, z = design.critical[look], value / error
    crossed = (abs(z) if design.sides == 2 else z) >= critical
    waiting: Literal["go on", "end"] = "go on" if look + 1 < len(design.fractions) else "end"
    reach = critical * error
    high = value + reach if design.sides == 2 else inf
    return LookReading("stop" if crossed else waiting, look + 1, z, critical, value, value - reach, high)


def _critical(times: FloatArray, kind: Kind, alpha: float, sides: int) -> FloatArray:
    if kind in SPENDING:
        return spending_bounds(times, SPENDING[kind](times, alpha / sides), sides)
    shape = 1 / np.sqrt(times) if kind == "obrien-fleming" else np.ones(len(times))
    return constant_bounds(times, shape, alpha, sides)
