"""What a programme of tests expects of a change, and what one estimate makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm

from casebook.contracts import FloatArray, refuse, require_length, require_same_order
from casebook.experiments._inputs import above_zero, as_outcome, one_number, upper_normal

_REACH = 9.0  # standard deviations; what lies beyond weighs less than rounding
_GRID = 20_001


@dataclass(frozen=True)
class Belief:
    """A distribution of true effects: exactly none with probability ``idle``, else normal.

    It serves as the prior of a programme of tests (most changes do nothing) and, after an estimate, as the posterior
    of one change.

    Parameters
    ----------
    mean, sd : float
        Of the effects that are not nil, in the outcome's units; sd above 0.
    idle : float
        Probability of no effect at all, in [0, 1); 0 gives the plain normal.

    Examples
    --------
    >>> programme = Belief(mean=0.0, sd=0.01, idle=0.8)
    >>> after = programme.update(estimate=0.02, se=0.01)
    >>> round(after.idle, 2), round(after.expected, 4)
    (0.68, 0.0032)
    """

    mean: float
    sd: float
    idle: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no distribution."""
        one_number(self.mean, "mean")
        above_zero(self.sd, "sd")
        if not 0 <= one_number(self.idle, "idle") < 1:
            refuse("idle", "in [0, 1)", f"{self.idle:g}", "pass the share of changes that do nothing")

    @property
    def expected(self) -> float:
        """The mean of all effects: after an estimate, the shrunk effect."""
        return (1 - self.idle) * self.mean

    def above(self, effect: float = 0.0) -> float:
        """Return the probability that the true effect is larger than this."""
        return float((1 - self.idle) * norm.sf((effect - self.mean) / self.sd) + self.idle * (effect < 0))

    def excess(self, effect: float = 0.0) -> float:
        """Return the expected amount by which the true effect is above this one, nothing where it is below."""
        gap = (self.mean - effect) / self.sd
        slab = self.sd * (gap * norm.cdf(gap) + norm.pdf(gap))
        return float((1 - self.idle) * slab + self.idle * max(-effect, 0.0))

    def update(self, estimate: float, se: float) -> Belief:
        """Return the belief after an unbiased, normal estimate with this standard error.

        The estimate of the effect is pulled to the mean by se^2 / (se^2 + sd^2), and to 0 by the probability that the
        change is idle.
        """
        seen, error = one_number(estimate, "estimate"), above_zero(se, "se")
        pull = error**2 / (error**2 + self.sd**2)
        mean = float(pull * self.mean + (1 - pull) * seen)
        return Belief(mean, self.sd * float(np.sqrt(pull)), float(self.idle_after(np.array([seen]), error)[0]))

    def idle_after(self, estimates: FloatArray, se: float) -> FloatArray:
        """Return the probability of no effect after each estimate, shape (k,)."""
        if self.idle == 0:
            return np.zeros_like(estimates)
        wide = float(np.hypot(self.sd, se))
        odds = norm.logpdf(estimates, 0, se) - norm.logpdf(estimates, self.mean, wide)
        # Kept below 1, for a Belief must have a slab.
        return np.minimum(expit(odds + np.log(self.idle / (1 - self.idle))), np.nextafter(1, 0))

    def estimates(self, se: float, above: float = -np.inf) -> tuple[FloatArray, FloatArray]:
        """Return a grid of the estimates that tests of this standard error give, and the probability of each.

        With ``above`` only of those beyond it; sums over the grid are integrals by the trapezoid rule.
        """
        error = above_zero(se, "se")
        wide = float(np.hypot(self.sd, error))
        low, high = min(self.mean - _REACH * wide, -_REACH * error), max(self.mean + _REACH * wide, _REACH * error)
        low = max(low, above)
        x = np.linspace(low, max(high, low + _REACH * error), _GRID)
        density = (1 - self.idle) * norm.pdf(x, self.mean, wide) + self.idle * norm.pdf(x, 0, error)
        density[[0, -1]] /= 2
        return x, density * (x[1] - x[0])

    def expected_after(self, estimates: FloatArray, se: float) -> FloatArray:
        """Return the shrunk effect after each estimate, shape (k,)."""
        pull = se**2 / (se**2 + self.sd**2)
        return (1 - self.idle_after(estimates, se)) * (pull * self.mean + (1 - pull) * estimates)

    def replication(self, estimate: float, se: float, *, alpha: float = 0.05, size: float = 1.0) -> float:
        """Return the chance that a repeat, ``size`` times as large, is significant in the estimate's direction."""
        after, again = self.update(estimate, se), se / float(np.sqrt(above_zero(size, "size")))
        direction = 1.0 if estimate >= 0 else -1.0
        least = upper_normal(alpha, 2) * again
        slab = norm.sf((least - direction * after.mean) / np.hypot(after.sd, again))
        return float((1 - after.idle) * slab + after.idle * norm.sf(least / again))


def fit_programme(estimates: npt.ArrayLike, ses: npt.ArrayLike, *, spike: bool = False) -> Belief:
    """Return the distribution of true effects that best explains a programme's past estimates: empirical Bayes.

    Maximum likelihood: an estimate is normal with variance sd^2 + se^2 around the mean or, with ``spike``, with
    variance se^2 around 0 for the share of changes that do nothing. Pass all tests, not the winners alone, in one unit
    and with one direction for better.

    Parameters
    ----------
    estimates, ses : array_like, shape (tests,)
        Effect and standard error of each past test, three or more; with ``spike`` take some hundreds.
    spike : bool
        Whether to fit a share of changes without any effect.

    Returns
    -------
    Belief

    Raises
    ------
    ContractError
        Fewer than three tests, missing values, a standard error of 0 or less, unequal lengths, estimates that vary no
        more than their errors explain.

    References
    ----------
    Robbins (1956); Efron and Morris (1973), Stein's estimation rule and its competitors, JASA 68; Azevedo et al.
    (2019), Empirical Bayes estimation of treatment effects with many A/B tests, AEA Papers and Proceedings 109.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(0.002, 0.01, 400)
    >>> fitted = fit_programme(rng.normal(truth, 0.008), np.full(400, 0.008))
    >>> round(fitted.mean, 3), round(fitted.sd, 3)
    (0.002, 0.011)
    """
    x, errors = _read_tests(estimates, ses)
    # In units of the typical error the fit does not depend on whether effects are cents or millions.
    unit = float(np.median(errors))
    fitted = _fit_normal(x / unit, errors / unit)
    if spike:
        fitted = _fit_spike(x / unit, errors / unit, fitted)
    return Belief(unit * fitted.mean, unit * fitted.sd, fitted.idle)


def _read_tests(estimates: npt.ArrayLike, ses: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    x, errors = as_outcome(estimates, "estimates", "drop the test"), as_outcome(ses, "ses", "drop the test")
    require_length(errors, len(x), "ses")
    require_same_order(estimates, ses, "estimates and ses")
    if len(x) < 3:
        refuse("estimates", "of three or more tests", str(len(x)), "collect more of the programme's tests")
    wrong = errors <= 0
    if wrong.any():
        row = int(np.argmax(wrong))
        refuse(f"ses, row {row}", "above 0", f"{errors[row]:g}", "pass standard errors")
    return x, errors


def _fit_normal(x: FloatArray, errors: FloatArray) -> Belief:
    def loss(free: FloatArray) -> float:
        return -float(norm.logpdf(x, free[0], np.hypot(np.exp(free[1]), errors)).sum())

    weight = errors**-2.0
    pooled = float(weight @ x / weight.sum())
    # The likelihood's slope in sd^2 at 0: unless it rises there, no spread explains the estimates better than none.
    if weight**2 @ (x - pooled) ** 2 <= weight.sum():
        got = f"a spread of {x.std():.3g} typical errors"
        refuse("estimates", "more varied than their errors explain", got, "add tests, or take every effect to be alike")
    start = np.array([pooled, np.log(x.std())])
    best = _least(loss, [start, start - [0, 2]], [(None, None), (np.log(1e-4), None)])
    return Belief(float(best[0]), float(np.exp(best[1])))


def _fit_spike(x: FloatArray, errors: FloatArray, plain: Belief) -> Belief:
    def loss(free: FloatArray) -> float:
        slab = norm.logpdf(x, free[0], np.hypot(np.exp(free[1]), errors)) + _log_share(-free[2])
        return -float(np.logaddexp(slab, norm.logpdf(x, 0, errors) + _log_share(free[2])).sum())

    wide = np.log(plain.sd)
    starts = [np.array([plain.mean, wide + extra, idle]) for extra in (0.0, 1.0) for idle in (-3.0, 0.0, 2.0)]
    best = _least(loss, starts, [(None, None), (np.log(1e-2), None), (-12.0, 7.0)])
    return Belief(float(best[0]), float(np.exp(best[1])), float(expit(best[2])))


def _log_share(logit: float) -> float:
    return -float(np.logaddexp(0.0, -logit))


def _least(loss: Callable[[FloatArray], float], starts: list[FloatArray], bounds: list[tuple]) -> FloatArray:
    """Return the best end of several starts."""
    found = [minimize(loss, start, method="L-BFGS-B", bounds=bounds) for start in starts]
    return np.asarray(min(found, key=lambda one: one.fun).x)
