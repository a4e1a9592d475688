"""Looking again and again: the error of a fixed test, and intervals that allow it at any time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casebook._schema_words import shown
from casebook.contracts import FloatArray, refuse
from casebook.experiments._crossing import first_crossings
from casebook.experiments._inputs import above_zero, as_level, as_outcome, open_share, upper_normal
from casebook.experiments._looks import estimate_and_error, limits
from casebook.experiments.effect import Effect

_MOST_LOOKS = 1000
_LEVEL = 0.95


def peeking_error(looks: int | npt.ArrayLike, alpha: float = 0.05) -> float | FloatArray:
    """Return the type I error of a fixed test that is read at every look and stopped at the first "significant".

    A two-sided z-test at equally spaced looks, by integrating the joint normal of its statistics. Looks share
    data, so the error is well below 1 - (1 - alpha)^looks, which holds for looks at independent data.

    Parameters
    ----------
    looks : int or array_like of int, shape (k,)
        How often the test is read, the last time at its planned end; from 1 to 1000.
    alpha : float
        Error of a single look.

    Returns
    -------
    float or numpy.ndarray of float, shape (k,)

    Raises
    ------
    ContractError
        Looks that are no whole numbers from 1 to 1000, an alpha outside (0, 1).

    References
    ----------
    Armitage, McPherson and Rowe (1969), Repeated significance tests on accumulating data, Journal of the Royal
    Statistical Society A 132(2).

    Examples
    --------
    >>> round(peeking_error(14), 3)
    0.22
    >>> peeking_error([1, 2, 5, 10]).round(3)
    array([0.05 , 0.083, 0.142, 0.193])
    """
    counts = as_outcome(np.atleast_1d(np.asarray(looks)), "looks", "name how often the test is read")
    wrong = (counts != np.floor(counts)) | (counts < 1) | (counts > _MOST_LOOKS)
    if wrong.any():
        got = shown(counts[int(np.argmax(wrong))])
        refuse("looks", f"whole numbers from 1 to {_MOST_LOOKS}", got, "count how often the test is read")
    most = int(counts.max())
    critical = np.full(most, upper_normal(alpha, 2))
    # The looks up to the k-th correlate alike however many follow: one pass serves every k.
    error = np.cumsum(first_crossings(np.arange(1, most + 1) / most, *limits(critical, 2)).sum(axis=1))
    found: FloatArray = error[counts.astype(int) - 1]
    return float(found[0]) if np.ndim(looks) == 0 else found


@dataclass(frozen=True)
class AlwaysValid:
    """An interval and a p-value that may be read at any time and as often as one likes.

    Parameters
    ----------
    estimate : float
    low, high : float
        Ends of the interval at this n; all n together hold the effect with probability ``level``.
    p : float
        Below 1 - level exactly where the interval leaves out 0.
    se : float
        Standard error of the estimate, as for a fixed test.
    n : float
        Units so far.
    tuning : float
        Units at which the interval is tightest against a fixed one.
    level : float
    """

    estimate: float
    low: float
    high: float
    p: float
    se: float
    n: float
    tuning: float
    level: float

    def __str__(self) -> str:
        """Return estimate, interval and p in one line."""
        span = f"always-valid {100 * self.level:.4g}% interval {self.low:+.4g} to {self.high:+.4g}"
        return f"{self.estimate:+.4g} ({span}, p = {self.p:.2g})"


def always_valid(
    estimate: float | Effect,
    se: float | None = None,
    n: float | None = None,
    *,
    tuning: float = 5000,
    level: float | None = None,
) -> AlwaysValid:
    """Return the normal-mixture confidence sequence at n units, with its p-value.

    With k = rho^2 n the interval is estimate +/- se sqrt(2 (k + 1) / k log(sqrt(k + 1) / alpha)) and p is
    sqrt(k + 1) exp(-z^2 / 2 k / (k + 1)), at most 1: one over the evidence of a normal prior for the effect
    against none. rho^2 = (-2 log(alpha) + log(1 - 2 log(alpha))) / tuning makes it nearly tightest at
    n = tuning. Asymptotic: begin to look when a fixed test's normal approximation would be trusted, which the
    *smaller* arm decides: some twenty events in it, or some hundreds of units of a skewed metric. (With a tenth of
    the units in one arm and 3 events in a hundred units, looks from the 500th unit on alarm in a fifth of idle tests
    instead of 5 percent.) Fix the tuning before the data, near the n at which you expect to decide; any keeps the
    error, a poor one costs width. The p-value of a past look stays valid, so you may report the smallest.

    Parameters
    ----------
    estimate : float or Effect
        Of all data so far, on whatever scale; an Effect brings se, n and level.
    se : float, optional
        Standard error of the estimate.
    n : float, optional
        Units in all arms together, clusters where these were randomised whole.
    tuning : float
        In the same units.
    level : float, optional
        0.95, or the Effect's.

    Returns
    -------
    AlwaysValid

    Raises
    ------
    ContractError
        A number beside an Effect that brings it, one that is missing without, a standard error, n or tuning
        that is not above 0, a level outside (0, 1).

    References
    ----------
    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), Time-uniform central limit theory and asymptotic
    confidence sequences, Annals of Statistics 52(6); the tuning as in GrowthBook's engine. Robbins (1970),
    Statistical methods related to the law of the iterated logarithm.

    Examples
    --------
    >>> print(always_valid(0.29, se=0.1, n=6868))
    +0.29 (always-valid 95% interval -0.01405 to +0.5941, p = 0.073)
    >>> from casebook.experiments import difference
    >>> effect = difference([1, 1, 0, 1] * 100 + [0, 1, 0, 0] * 100, [1] * 400 + [0] * 400)
    >>> print(always_valid(effect, tuning=1000))
    +0.5 (always-valid 95% interval +0.4068 to +0.5932, p = 3.4e-50)
    """
    value, error = estimate_and_error(estimate, se)
    units = _units(estimate, n)
    wanted = (estimate.level if isinstance(estimate, Effect) else _LEVEL) if level is None else as_level(level)
    alpha, tune = 1 - wanted, above_zero(tuning, "tuning")
    ratio = _evidence_ratio(np.array([units]), tune, alpha)
    k = float(ratio[0])
    p = min(1.0, float(np.exp(np.log1p(k) / 2 - (value / error) ** 2 / 2 * k / (k + 1))))
    reach = float(_critical(ratio, alpha)[0]) * error
    return AlwaysValid(value, value - reach, value + reach, p, error, units, tune, wanted)


def always_valid_critical(n: npt.ArrayLike, *, tuning: float = 5000, alpha: float = 0.05) -> FloatArray:
    """Return the z-statistic at which :func:`always_valid` leaves out 0.

    Parameters
    ----------
    n : array_like, shape (looks,)
        Units at each look, above 0.
    tuning : float
        Units at which it is tightest.
    alpha : float
        1 - level.

    Returns
    -------
    numpy.ndarray of float, shape (looks,)
        Over 1.96 it is the factor by which the 95% interval is wider than a fixed one.

    Raises
    ------
    ContractError
        Units or a tuning not above 0, an alpha outside (0, 1).

    Examples
    --------
    >>> (always_valid_critical([1000, 5000, 10_000, 100_000]) / 1.96).round(2)
    array([1.72, 1.55, 1.56, 1.7 ])
    """
    units = as_outcome(n, "n", "name the units at each look")
    if (units <= 0).any():
        row = int(np.argmax(units <= 0))
        refuse(f"n, row {row}", "above 0", shown(units[row]), "begin with the first look that has data")
    error = open_share(alpha, "alpha")
    return _critical(_evidence_ratio(units, above_zero(tuning, "tuning"), error), error)


def _evidence_ratio(n: FloatArray, tuning: float, alpha: float) -> FloatArray:
    """Return k = rho^2 n: the data's information over the mixing prior's."""
    twice = -2 * np.log(alpha)
    return n * (twice + np.log1p(twice)) / tuning


def _critical(k: FloatArray, alpha: float) -> FloatArray:
    return np.sqrt((k + 1) / k * (np.log1p(k) - 2 * np.log(alpha)))


def _units(estimate: float | Effect, n: float | None) -> float:
    if isinstance(estimate, Effect):
        if n is not None:
            refuse("n", "left out beside an Effect", shown(n), "the Effect brings its own")
        return float(estimate.clusters or estimate.treated_n + estimate.control_n)
    if n is None:
        refuse("n", "given beside a number", "nothing", "pass the units in all arms together, or an Effect")
    return above_zero(n, "n")
