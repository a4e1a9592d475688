"""How far to believe a significant result: false wins, replication, exaggeration, by the programme it comes from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from casebook._columns import kind_of
from casebook.contracts import refuse
from casebook.experiments._inputs import above_zero, one_number, open_share, upper_normal
from casebook.experiments.belief import Belief


def false_positive_risk(alpha: float, power: float, success_rate: float, *, sides: int = 2) -> float:
    """Return the chance that a change that won did nothing.

    (alpha / sides) (1 - success_rate) over that plus power x success_rate: a win is a significant rise, which an idle
    change shows in half of a two-sided test's false alarms.

    Parameters
    ----------
    alpha : float
        Level of the test.
    power : float
        To see the typical true success, in (0, 1).
    success_rate : float
        Share of the programme's changes that truly help, in (0, 1).
    sides : int
        2, or 1 for a test whose whole alpha lies on the side of a win.

    Returns
    -------
    float
        In (0, 1).

    Raises
    ------
    ContractError
        A share that is none, or another number of sides.

    References
    ----------
    Kohavi, Deng and Vermeer (2022), A/B testing intuition busters, KDD, whose table this gives.

    Examples
    --------
    >>> [round(false_positive_risk(0.05, 0.8, rate), 3) for rate in (1 / 3, 0.15, 0.10, 0.08)]
    [0.059, 0.15, 0.22, 0.264]
    """
    upper_normal(alpha, sides)
    false = alpha / sides * (1 - open_share(success_rate, "success_rate"))
    return false / (false + open_share(power, "power") * success_rate)


def chance_of_replication(p: float, *, alpha: float = 0.05, size: float = 1.0, flat: bool = False) -> float:
    """Return the chance that a repeat of a test comes out significant in the same direction, from its p-value alone.

    Both readings flatter the test: each takes its estimate for unbiased, which that of a winner is not. With a
    programme's past use :meth:`Belief.replication`.

    Parameters
    ----------
    p : float
        Two-sided p-value of the first test, in (0, 1).
    alpha : float
        Two-sided level of the repeat.
    size : float
        Units of the repeat, as a multiple of the first test's.
    flat : bool
        False takes the true effect to be the estimate; True spreads it around the estimate by its standard error (a
        flat prior).

    Returns
    -------
    float
        In (0, 1); 0.5 for p = alpha and size = 1.

    Raises
    ------
    ContractError
        A p or alpha outside (0, 1), a size of 0 or less.

    References
    ----------
    Goodman (1992), A comment on replication, p-values and evidence, Statistics in Medicine 11.

    Examples
    --------
    >>> [round(chance_of_replication(p), 2) for p in (0.05, 0.04, 0.01, 0.001)]
    [0.5, 0.54, 0.73, 0.91]
    """
    seen = float(norm.isf(open_share(p, "p") / 2)) * float(np.sqrt(above_zero(size, "size")))
    spread = float(np.sqrt(1 + size)) if flat else 1.0
    return float(norm.cdf((seen - upper_normal(alpha, 2)) / spread))


@dataclass(frozen=True)
class Exaggeration:
    """What significance does to an estimate.

    Parameters
    ----------
    power : float
        Chance of a significant result, in either direction.
    type_s : float
        Chance that a significant estimate has the wrong sign.
    type_m : float
        Mean size of a significant estimate as a multiple of the true effect.
    """

    power: float
    type_s: float
    type_m: float


def exaggeration(effect: float, se: float, *, alpha: float = 0.05) -> Exaggeration:
    """Return power, type S and type M error of a test for a supposed true effect.

    Suppose the effect from what is known outside this test: its own estimate is what is in question.

    Parameters
    ----------
    effect : float
        True effect, other than 0, in the outcome's units.
    se : float
        Standard error of the estimate.
    alpha : float
        Two-sided level.

    Returns
    -------
    Exaggeration

    Raises
    ------
    ContractError
        An effect of 0, a standard error of 0 or less, an alpha that is none.

    References
    ----------
    Gelman and Carlin (2014), Beyond power calculations, Perspectives on Psychological Science 9(6); the closed form is
    that of Lu, Qiu and Deng (2019), British Journal of Mathematical and Statistical Psychology 72.

    Examples
    --------
    >>> got = exaggeration(effect=2.0, se=8.1)
    >>> round(got.power, 2), round(got.type_s, 2), round(got.type_m, 1)
    (0.06, 0.24, 9.5)
    """
    size, critical = abs(one_number(effect, "effect")) / above_zero(se, "se"), upper_normal(alpha, 2)
    if size == 0:
        refuse("effect", "other than 0", "0", "suppose an effect, for a nil one cannot be exaggerated by a factor")
    right, wrong = norm.sf(critical - size), norm.cdf(-critical - size)
    power = right + wrong
    # Mean of abs(z) over both tails, z normal with mean ``size``.
    tails = size * (right - wrong) + norm.pdf(critical - size) + norm.pdf(critical + size)
    return Exaggeration(float(power), float(wrong / power), float(tails / power / size))


@dataclass(frozen=True)
class Winners:
    """What a programme's significant rises are worth.

    Parameters
    ----------
    win_rate : float
        Share of tests that win.
    false : float
        Share of the wins whose true effect is nil or negative.
    estimate, truth : float
        Mean estimate and mean true effect of the wins.
    """

    win_rate: float
    false: float
    estimate: float
    truth: float

    @property
    def exaggeration(self) -> float:
        """The wins' mean estimate as a multiple of their mean true effect."""
        return self.estimate / self.truth


def winners(programme: Belief, se: float, *, alpha: float = 0.05) -> Winners:
    """Return what the significant rises of a programme are worth: the winner's curse, counted.

    Parameters
    ----------
    programme : Belief
        Of the true effects, more being better.
    se : float
        Standard error of its tests.
    alpha : float
        Two-sided level; a win is a significant rise.

    Returns
    -------
    Winners

    Raises
    ------
    ContractError
        No belief, a standard error of 0 or less, an alpha that is none.

    References
    ----------
    Lee and Shen (2018), Winner's curse: bias estimation for total effects of features in online controlled
    experiments, KDD.

    Examples
    --------
    >>> got = winners(Belief(mean=0.0, sd=0.01, idle=0.8), se=0.005)
    >>> round(got.win_rate, 3), round(got.false, 2), round(got.exaggeration, 2)
    (0.058, 0.35, 1.73)
    """
    if not isinstance(programme, Belief):
        refuse("programme", "a Belief", kind_of(programme), "fit one by fit_programme(...)")
    error = above_zero(se, "se")
    x, won = programme.estimates(error, above=upper_normal(alpha, 2) * error)
    idle, pull = programme.idle_after(x, error), error**2 / (error**2 + programme.sd**2)
    slab = pull * programme.mean + (1 - pull) * x
    harmful = norm.cdf(-slab / (programme.sd * np.sqrt(pull)))
    rate = float(won.sum())
    false = float(won @ (idle + (1 - idle) * harmful)) / rate
    return Winners(rate, false, float(won @ x) / rate, float(won @ ((1 - idle) * slab)) / rate)
