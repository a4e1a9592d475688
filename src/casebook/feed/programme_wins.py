"""What a win is worth in this feed's programme of tests, whose effects have fatter tails than a normal belief."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

from casebook.contracts import refuse
from casebook.experiments import Winners, exaggeration
from casebook.experiments._inputs import above_zero, one_number, upper_normal
from casebook.feed.dials import Programme

_POINTS = 2_000  # quantiles of the effects that are not nil
_MOST = 0.5  # as in Programme.draw
Floats = NDArray[np.float64]


def effects_of(programme: Programme) -> tuple[Floats, Floats]:
    """Return the programme's true effects as points with their probabilities, both of shape (k,).

    The point 0 stands for the tests that do nothing, quantiles of equal weight for the others.

    Examples
    --------
    >>> effects, weight = effects_of(Programme(idle=0.7, scale=0.01))
    >>> round(float(weight[effects == 0].sum()), 3), round(float(weight @ (np.abs(effects) > 0.01)), 3)
    (0.7, 0.117)
    """
    if not isinstance(programme, Programme):
        refuse("programme", "a Programme of the feed", type(programme).__name__, "pass Programme()")
    place = (np.arange(_POINTS) + 0.5) / _POINTS
    others = np.clip(programme.scale * student.ppf(place, programme.tails), -_MOST, _MOST)
    weight = np.full(_POINTS, (1 - programme.idle) / _POINTS)
    return np.append(0.0, others), np.append(programme.idle, weight)


def wins_of(programme: Programme, se: float, *, alpha: float = 0.05) -> Winners:
    """Return what the significant rises of the programme are worth, as ``casebook.experiments.winners`` does.

    Parameters
    ----------
    programme : Programme
        Of relative effects.
    se : float
        Standard error of its tests, as a share of the control's mean.
    alpha : float
        Two-sided level; a win is a significant rise.

    Returns
    -------
    Winners
        ``false`` counts the wins whose true effect is nil or negative.

    Raises
    ------
    ContractError
        No programme, a standard error of 0 or less, an alpha that is none.

    References
    ----------
    Lee and Shen (2018), Winner's curse: bias estimation for total effects of features in online controlled
    experiments, KDD.

    Examples
    --------
    >>> got = wins_of(Programme(), se=0.02)
    >>> round(got.win_rate, 3), round(got.false, 2), round(got.exaggeration, 1)
    (0.035, 0.55, 4.2)
    """
    (effects, weight), critical = effects_of(programme), upper_normal(alpha, 2)
    error = above_zero(se, "se")
    win = weight * norm.sf(critical - effects / error)
    rate = float(win.sum())
    # Mean of a normal estimate beyond its bound: effect x P(win) + se x density at the bound.
    estimate = float(effects @ win + error * (weight @ norm.pdf(critical - effects / error))) / rate
    return Winners(rate, float(win[effects <= 0].sum()) / rate, estimate, float(effects @ win) / rate)


@dataclass(frozen=True)
class After:
    """What is known of one change after its estimate.

    Parameters
    ----------
    no_gain : float
        Probability that its true effect is nil or negative.
    expected : float
        Mean of the true effect: the shrunk estimate.
    replication : float
        Probability that a repeat of the same size is significant in the same direction.
    """

    no_gain: float
    expected: float
    replication: float


def after_estimate(programme: Programme, estimate: float, se: float, *, alpha: float = 0.05) -> After:
    """Return what the programme makes of one estimate: Bayes' rule over :func:`effects_of`.

    Parameters
    ----------
    programme : Programme
    estimate, se : float
        Relative effect as measured, above 0, and its standard error.
    alpha : float
        Two-sided level of the repeat.

    Raises
    ------
    ContractError
        No programme, an estimate or a standard error of 0 or less, an alpha that is none.

    Examples
    --------
    >>> got = after_estimate(Programme(), estimate=0.05, se=0.0243)
    >>> round(got.no_gain, 2), round(got.expected, 4), round(got.replication, 2)
    (0.69, 0.0051, 0.06)
    """
    (effects, weight), critical = effects_of(programme), upper_normal(alpha, 2)
    seen, error = above_zero(one_number(estimate, "estimate"), "estimate"), above_zero(se, "se")
    likely = weight * norm.pdf((seen - effects) / error)
    likely /= likely.sum()
    again = float(likely @ norm.sf(critical - effects / error))
    return After(float(likely[effects <= 0].sum()), float(likely @ effects), again)


def by_size(programme: Programme, spread: float, users: NDArray[np.int64], effect: float) -> pd.DataFrame:
    """Return what a test of each size does to one true effect, and what the programme's wins are worth then.

    Parameters
    ----------
    programme : Programme
    spread : float
        Standard deviation of the metric over users as a share of its mean.
    users : array of int, shape (k,)
        Users in each of the two arms.
    effect : float
        The true relative effect, other than 0, that power, type M and type S are for.

    Returns
    -------
    pandas.DataFrame
        One row per size: ``users``, ``se``, ``power``, ``type_m``, ``type_s``, ``win_rate``, ``false``.

    Examples
    --------
    >>> by_size(Programme(), 1.5, np.array([10_000, 160_000]), 0.02)[["power", "type_m", "false"]].round(2)
       power  type_m  false
    0   0.16    2.63   0.56
    1   0.96    1.02   0.22
    """
    rows = []
    for count in users.tolist():
        se = above_zero(spread, "spread") * float(np.sqrt(2 / above_zero(count, "users")))
        one, won = exaggeration(effect, se), wins_of(programme, se)
        rows.append((count, se, one.power, one.type_m, one.type_s, won.win_rate, won.false))
    return pd.DataFrame(rows, columns=["users", "se", "power", "type_m", "type_s", "win_rate", "false"])
