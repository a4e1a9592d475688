"""What tests with several looks share: the looks' times, and the search for bounds and drift."""

from __future__ import annotations

from collections.abc import Callable
from math import e, inf

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import norm

from casebook._schema_words import shown
from casebook.contracts import FloatArray, refuse, require_length
from casebook.experiments._crossing import Going, everyone, first_crossings, leaving, staying
from casebook.experiments._inputs import above_zero, as_outcome, one_number, power_normal, upper_normal
from casebook.experiments.effect import Effect

# Two looks closer than this are one; what integration costs grows with the nearness of looks.
LEAST_GROWTH = 0.001
# Error below this is too rare to integrate: the bound then ignores the looks before, which is on the safe side.
_NEGLIGIBLE = 1e-12
_ROUNDING = 1e-9
_TINY = float(np.finfo(float).tiny)
_SLACK = 0.5
_FARTHEST = 8.5

# Error that one side has spent by the share t of the information.
SPENDING: dict[str, Callable[[FloatArray, float], FloatArray]] = {
    "spending-obf": lambda t, error: 2 * norm.sf(norm.isf(error / 2) / np.sqrt(t)),
    "spending-pocock": lambda t, error: error * np.log(1 + (e - 1) * t),
}


def as_times(looks: int | npt.ArrayLike, most: int) -> FloatArray:
    """Return the information shares of the looks, shape (looks,), the last of them 1."""
    if isinstance(looks, bool):
        refuse("looks", "a number of looks or their information shares", "a bool", "pass 5, or [0.3, 0.7, 1]")
    if isinstance(looks, int | np.integer):
        if not 1 <= looks <= most:
            refuse("looks", f"from 1 to {most}", str(looks), "a test with more is better served by always_valid")
        return np.arange(1, looks + 1) / looks
    times = as_outcome(looks, "looks", "name the information share of each look")
    if abs(times[-1] - 1) > _ROUNDING:
        refuse("looks", "1 at the last", shown(times[-1]), "divide the units at each look by those at the last")
    require_rising(times, "looks")
    return times


def require_rising(times: FloatArray, what: str, least: float = LEAST_GROWTH) -> None:
    """Refuse times that are not above 0 or do not rise, by this share of themselves at least."""
    before = np.concatenate([[0.0], times[:-1]])
    wrong = (times <= before) | (times - before < least * times * (1 - _ROUNDING))
    if wrong.any():
        row = int(np.argmax(wrong))
        must = f"at least {least:.1%} above the row before" if least else "above the row before"
        got = f"{times[row]:g} after {before[row]:g}" if row else shown(times[row])
        refuse(f"{what}, row {row}", must if row else "above 0", got, "sort the looks and merge near ones")


def as_critical(critical: npt.ArrayLike, looks: int) -> FloatArray:
    """Return the z-statistic that stops at each look, above 0, shape (looks,)."""
    bounds = as_outcome(np.atleast_1d(np.asarray(critical)), "critical", "name the bound of each look")
    require_length(bounds, looks, "critical")
    if (bounds <= 0).any():
        row = int(np.argmax(bounds <= 0))
        refuse(f"critical, row {row}", "above 0", shown(bounds[row]), "pass z-statistics, not p-values")
    return bounds


def limits(critical: FloatArray, sides: int) -> tuple[FloatArray, FloatArray]:
    """Return the lower and upper bound of z at each look."""
    return (-critical if sides == 2 else np.full(len(critical), -inf)), critical


def expected_time(times: FloatArray, left: FloatArray) -> float:
    """Return the mean time of the end, given who leaves at each look, shape (looks, 2); the rest stay to the last."""
    stop = left.sum(axis=1)
    return float(stop @ times + (1 - stop.sum()) * times[-1])


def constant_bounds(times: FloatArray, shape: FloatArray, alpha: float, sides: int) -> FloatArray:
    """Return C * shape with the one C that makes the type I error alpha; the last shape is 1, none is below."""

    def excess(constant: float) -> float:
        return float(first_crossings(times, *limits(constant * shape, sides)).sum()) - alpha

    # A single look needs the least, Bonferroni's correction the most.
    least, most = upper_normal(alpha, sides), upper_normal(alpha / len(times), sides)
    return float(brentq(excess, least - _ROUNDING, most + _ROUNDING, xtol=1e-10)) * shape


def spending_bounds(times: FloatArray, spent: FloatArray, sides: int) -> FloatArray:
    """Return the bounds that spend on one side the error ``spent``, cumulative, shape (looks,)."""
    going, bounds = everyone(), []
    # A one-sided test that spends much late asks for less than z = 0.
    least = 0.0 if sides == 2 else -_FARTHEST
    for time, part, upcoming in zip(times, np.diff(spent, prepend=0.0), [*times[1:], 0.0], strict=True):

        def excess(bound: float, state: Going = going, at: float = time, goal: float = part) -> float:
            return leaving(state, at, -inf, bound)[1] - goal

        bound = float(norm.isf(max(part, _TINY)))
        if part > _NEGLIGIBLE:
            bound = float(brentq(excess, least, bound + _ROUNDING, xtol=1e-10))
        bounds.append(bound)
        going = staying(going, time, -bound if sides == 2 else -inf, bound, upcoming)
    return np.array(bounds)


def drift_for(times: FloatArray, critical: FloatArray, alpha: float, power: float, sides: int) -> float:
    """Return the expected z-statistic at time 1 that crosses upwards with this power."""
    low, high = limits(critical, sides)

    def lacking(drift: float) -> float:
        return float(first_crossings(times, low, high, drift)[:, 1].sum()) - power

    needed = power_normal(power)
    # No design beats the single look; one that waits for the last bound alone needs more than any.
    least, most = upper_normal(alpha, sides) + needed, critical[-1] + needed
    return float(brentq(lacking, least - _ROUNDING, most + _SLACK, xtol=1e-10))


def estimate_and_error(estimate: float | Effect, se: float | None) -> tuple[float, float]:
    """Return the two numbers, from an Effect or as they are given."""
    if isinstance(estimate, Effect):
        if se is not None:
            refuse("se", "left out beside an Effect", shown(se), "the Effect brings its own")
        return one_number(estimate.estimate, "the Effect's estimate"), above_zero(estimate.se, "the Effect's se")
    if se is None:
        refuse("se", "given beside a number", "nothing", "pass its standard error, or an Effect")
    return one_number(estimate, "estimate"), above_zero(se, "se")
