"""A screening desk: cases come in, each is stopped or let through, and some of those let through turn out bad."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

FEATURES = ("device_age", "velocity", "distance", "velocity_daily", "basket")


@dataclass(frozen=True)
class World:
    """Settings of one desk.

    Parameters
    ----------
    base_rate : float
        Share of cases that are bad.
    ratio : float
        Cost of a miss on a case of average amount, in false alarms.
    strength : float
        How far risk spreads the log-odds (standard deviations of the log-odds).
    bend : float
        Weight of the curved part of risk, which no straight line in the features can follow; 0 is straight.
    noise : float
        Error with which the features show the latent traits, in standard deviations of a trait.
    amount_spread : float
        Standard deviation of the logarithm of the amount at stake; 0 makes all amounts equal.
    amount_risk : float
        Correlation of the log amount with risk, in [-1, 1].
    fp_scales : float
        Share of the cost of stopping a good case that grows with its amount (a margin does), in [0, 1].
    cost_fp : float
        Cost of stopping a good case of average amount, in dollars.
    """

    base_rate: float = 0.01
    ratio: float = 100.0
    strength: float = 2.0
    bend: float = 0.5
    noise: float = 0.4
    amount_spread: float = 1.0
    amount_risk: float = 0.0
    fp_scales: float = 0.0
    cost_fp: float = 1.0


@dataclass(frozen=True)
class Desk:
    """What a desk sees and, apart from it, the truth.

    Attributes
    ----------
    cases : pandas.DataFrame
        One row a case: ``case_id``, the five features, ``cost_fp`` and ``cost_fn`` in dollars, ``y``.
    p : numpy.ndarray of float, shape (n,)
        The true probability that the case is bad; no policy but the oracle may look at it.
    """

    cases: pd.DataFrame
    p: NDArray[np.float64]

    def split(self, *shares: float) -> list[Desk]:
        """Cut the cases, in their order, into consecutive desks of the given shares (the rest is the last)."""
        cuts = (np.cumsum(shares) * len(self.p)).astype(int)
        edges = [0, *cuts, len(self.p)]
        return [Desk(self.cases.iloc[a:b].reset_index(drop=True), self.p[a:b]) for a, b in pairwise(edges)]

    def take(self, rows: NDArray[np.int64]) -> Desk:
        """Return the desk that holds these rows, in this order."""
        return Desk(self.cases.iloc[rows].reset_index(drop=True), self.p[rows])


def risk_index(traits: NDArray[np.float64], bend: float) -> NDArray[np.float64]:
    """Return the risk that three latent traits carry, shape (n,): straight, plus ``bend`` times a curved part.

    Each part has variance one over standard normal traits, and so has the whole: the curve takes the straight
    part's place, it does not come on top.
    """
    straight = (traits[:, 0] + 0.6 * traits[:, 1]) / np.sqrt(1.36)
    curved = (traits[:, 0] * traits[:, 2] + (traits[:, 1] ** 2 - 1)) / np.sqrt(3.0)
    return np.asarray((straight + bend * curved) / np.sqrt(1 + bend**2))


def simulate(world: World, n: int, rng: np.random.Generator, trait_shift: float = 0.0) -> Desk:
    r"""Draw ``n`` cases.

    Three latent traits :math:`u \sim N(0, I)` make risk :math:`g(u)`, see :func:`risk_index`; a case is bad with
    probability :math:`p = \mathrm{expit}(a + s\,g)`, where :math:`a` brings the mean to the base rate. Features
    show the traits with noise, one of them twice. The amount at stake is log-normal (where risk is straight) with
    mean one before it is multiplied by ``ratio * cost_fp``; a share ``fp_scales`` of the cost of a false alarm grows
    with it too.

    A naive reader errs twice here, by as much as the dials say: the default threshold of one half ignores
    ``ratio``, and a threshold for the average case ignores ``amount_spread``.

    Parameters
    ----------
    world : World
        The settings.
    n : int
        Number of cases.
    rng : numpy.random.Generator
        Source of all randomness.
    trait_shift : float
        Moves the first trait's mean, in standard deviations, without touching p given the traits: other cases
        come in, and the base rate moves because of that alone.

    Returns
    -------
    Desk
        Cases and the truth.

    Examples
    --------
    >>> desk = simulate(World(base_rate=0.05), 20_000, np.random.default_rng(0))
    >>> round(float(desk.p.mean()), 3)
    0.05
    """
    traits = rng.normal(size=(n, 3))
    slope = world.strength
    intercept = _intercept(slope * risk_index(traits, world.bend), world.base_rate)
    traits[:, 0] += trait_shift
    risk = risk_index(traits, world.bend)
    p = expit(intercept + slope * risk)
    shown = traits[:, [0, 1, 2, 1]] + world.noise * rng.normal(size=(n, 4))
    cases = pd.DataFrame(np.column_stack([shown, rng.normal(size=n)]), columns=list(FEATURES))
    cases.insert(0, "case_id", np.arange(n))
    amount = _amounts(world, risk, rng)
    cases["cost_fp"] = world.cost_fp * (1 - world.fp_scales + world.fp_scales * amount)
    cases["cost_fn"] = world.ratio * world.cost_fp * amount
    cases["y"] = (rng.random(n) < p).astype(int)
    return Desk(cases, p)


def _intercept(log_odds: NDArray[np.float64], base_rate: float) -> float:
    return float(brentq(lambda a: expit(a + log_odds).mean() - base_rate, -60, 60))


def shift_for(world: World, base_rate: float, rng: np.random.Generator, n: int = 50_000) -> float:
    """Return the ``trait_shift`` that brings the base rate from the world's own to another one.

    Parameters
    ----------
    world : World
        A straight world (``bend`` 0), where the rate rises with the shift.
    base_rate : float
        The wanted rate.
    rng : numpy.random.Generator
        Source of all randomness.
    n : int
        Cases by which the rate is measured.

    Returns
    -------
    float
        In standard deviations of the first trait.
    """
    traits = rng.normal(size=(n, 3))
    log_odds = world.strength * risk_index(traits, world.bend)
    start = _intercept(log_odds, world.base_rate)
    slope = world.strength * float(risk_index(np.array([[1.0, 0.0, 0.0]]), world.bend)[0])
    return float(brentq(lambda shift: expit(start + log_odds + slope * shift).mean() - base_rate, -30, 30))


def _amounts(world: World, risk: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    own = rng.normal(size=len(risk))
    mixed = world.amount_risk * risk + np.sqrt(1 - world.amount_risk**2) * own
    amounts = np.exp(world.amount_spread * mixed)
    return np.asarray(amounts / amounts.mean())


def resample_to(desk: Desk, base_rate: float, n: int, rng: np.random.Generator) -> Desk:
    """Draw ``n`` cases with replacement so that the base rate is ``base_rate`` and each class looks as before.

    This is label shift: more of the same kind of bad case. ``p`` is corrected by the odds of the two rates.

    Parameters
    ----------
    desk : Desk
        Where the cases are drawn from; it must hold both classes.
    base_rate : float
        The wanted share of bad cases.
    n : int
        Number of cases.
    rng : numpy.random.Generator
        Source of all randomness.

    Returns
    -------
    Desk
        The drawn cases, with the true probability under the new base rate.
    """
    y = desk.cases["y"].to_numpy()
    bad = rng.random(n) < base_rate
    rows = np.where(bad, rng.choice(np.flatnonzero(y == 1), n), rng.choice(np.flatnonzero(y == 0), n))
    drawn, old = desk.take(rows), desk.p.mean()
    odds = drawn.p / (1 - drawn.p) * (base_rate / (1 - base_rate)) / (old / (1 - old))
    return replace(drawn, p=odds / (1 + odds))


def binormal_cases(
    base_rate: float, auc: float, n: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw labels and calibrated probabilities of a score that is normal within each class.

    The model of :func:`casebook.decisions.operating_point`, drawn case by case.

    Parameters
    ----------
    base_rate : float
        Share of bad cases.
    auc : float
        Area under the ROC curve, above 0.5.
    n : int
        Number of cases.
    rng : numpy.random.Generator
        Source of all randomness.

    Returns
    -------
    tuple of numpy.ndarray, each of shape (n,)
        Labels, 0 or 1, and probabilities.
    """
    distance = np.sqrt(2) * norm.ppf(auc)
    y = (rng.random(n) < base_rate).astype(int)
    score = rng.normal(size=n) + distance * y
    log_odds = np.log(base_rate / (1 - base_rate)) + distance * score - distance**2 / 2
    return y, expit(log_odds)
