"""What a test of the list can see, reckoned before it runs: the base rate is the list's, not the company's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.churn.evaluate import Dollars, Worth
from casebook.churn.latent import Ints
from casebook.contracts import as_labels, refuse, require_columns, require_length
from casebook.experiments import design_effect, mde, mde_mean, power_of

PROMOTER, DETRACTOR = 9, 6  # Reichheld (2003): 9 and 10 promote, 0 to 6 detract


@dataclass(frozen=True)
class ListRate:
    """How often subscribers leave inside a list, and how far that is from the company's rate.

    Attributes
    ----------
    base : share of all subscribers that leave in the month without a call.
    inside : the same inside the list.
    times : inside / base.
    caught : share of all leavers that are on the list.
    size : subscribers on the list.
    uplift : what a call to everybody on the list adds to its share that stays.
    """

    base: float
    inside: float
    times: float
    caught: float
    size: int
    uplift: float


def base_rate_in_list(worth: Worth, listed: npt.ArrayLike) -> ListRate:
    """Return the rate of leaving inside a list beside the company's.

    Parameters
    ----------
    worth : Worth
    listed : array_like of bool, shape (n,)

    Raises
    ------
    ContractError
        A list of another length or with nobody on it.

    Examples
    --------
    >>> p = np.array([0.3, 0.1, 0.0, 0.0])
    >>> round(base_rate_in_list(Worth(p, p / 10, p, p, p), [1, 0, 0, 0]).caught, 3)
    0.75
    """
    rows = as_labels(listed, "listed")
    require_length(rows, len(worth.p), "listed")
    if not rows.any():
        refuse("listed", "1 for somebody", "0 in every row", "put at least one subscriber on the list")
    base, inside = float(worth.p.mean()), float(worth.p[rows].mean())
    caught = float(worth.p[rows].sum() / worth.p.sum())
    return ListRate(base, inside, inside / base, caught, int(rows.sum()), float(worth.uplift[rows].mean()))


def likeness(p: Dollars, account: Ints) -> float:
    """Return the intraclass correlation of leaving that companies of unlike risk bring, coin flips integrated out.

    The covariance of two members' chances over the variance of one member's leaving, never below 0.

    Parameters
    ----------
    p : numpy.ndarray of float, shape (n,)
        Chances of leaving.
    account : numpy.ndarray of int, shape (n,)
        The company of each.

    Examples
    --------
    >>> likeness(np.array([0.0, 0.0, 1.0, 1.0]), np.array([1, 1, 2, 2]))
    1.0
    """
    mean = p.mean()
    codes = np.unique(account, return_inverse=True)[1]
    size = np.bincount(codes)
    total, squares = np.bincount(codes, weights=p - mean), np.bincount(codes, weights=(p - mean) ** 2)
    pairs = float((size * (size - 1)).sum())
    if pairs == 0:
        return 0.0
    return max(float((total**2 - squares).sum()) / pairs / float(mean * (1 - mean)), 0.0)


def list_power(
    worth: Worth,
    listed: npt.ArrayLike,
    account: Ints,
    arms: Sequence[int] = (3_000, 6_000),
    assumed: float = 0.05,
    effect: float = 0.01,
) -> pd.DataFrame:
    """Return what an A/B test of the list can see: at the assumed base rate, and at the one inside the list.

    Parameters
    ----------
    worth : Worth
    listed : array_like of bool, shape (n,)
        A list of any size; its rates are used, its size is not.
    account : numpy.ndarray of int, shape (n,)
        Companies; assigned whole, they inflate the size.
    arms : sequence of int
        Subscribers in each of the two arms.
    assumed : float
        The base rate that was assumed.
    effect : float
        A change that was called detectable.

    Returns
    -------
    pandas.DataFrame
        One row an arm size and base rate: ``arm``, ``base_rate``, ``inflation``, ``mde`` (fall of the rate seen with
        power 0.8 at alpha 0.05, two sides), ``relative`` (mde / base_rate), ``true_effect`` (what calling the list
        does), ``power`` (of seeing it), ``power_for`` (of seeing ``effect``).

    Raises
    ------
    ContractError
        As :func:`base_rate_in_list` and :func:`casebook.experiments.mde`.
    """
    found = base_rate_in_list(worth, listed)
    rows = as_labels(listed, "listed")
    members = account[rows]
    inflation = design_effect(members, likeness(worth.p[rows], members))
    table = []
    for arm in arms:
        for rate, factor in ((assumed, 1.0), (found.inside, 1.0), (found.inside, inflation)):
            seen = -mde(rate, arm, arm, inflation=factor)
            powers = [_power(rate, change, arm, factor) for change in (found.uplift, effect)]
            table.append((arm, rate, factor, seen, seen / rate, found.uplift, *powers))
    names = ["arm", "base_rate", "inflation", "mde", "relative", "true_effect", "power", "power_for"]
    return pd.DataFrame(table, columns=names)


def _power(rate: float, change: float, arm: int, inflation: float) -> float:
    """Power of seeing a fall by ``change``: alpha / 2 where nothing falls, missing where the rate is too low for it."""
    if change >= rate:
        return float("nan")
    return 0.025 if change <= 0 else power_of(rate, -change, arm, arm, inflation=inflation)


def nps_guardrail(surveys: pd.DataFrame, arm: int = 3_000) -> pd.DataFrame:
    """Return how small a fall of NPS one quarterly survey of two arms can see.

    Parameters
    ----------
    surveys : pandas.DataFrame
        ``score``, 0 to 10, missing where nobody answered; whichever surveys are passed decide (all, or the list's).
    arm : int
        Subscribers asked in each arm.

    Returns
    -------
    pandas.DataFrame
        One row: ``nps`` (points, promoters less detractors), ``sd`` (points, of one answer), ``response`` (share
        that answers), ``answers`` (per arm), ``mde`` (points; power 0.8, alpha 0.05, two sides) and ``if_all_answer``.

    Raises
    ------
    ContractError
        No score column, no answer, scores outside 0 to 10, an arm in which fewer than two answer.

    Examples
    --------
    >>> asked = pd.DataFrame({"score": [10, 9, 7, 3, np.nan, np.nan]})
    >>> nps_guardrail(asked, arm=300)[["nps", "response", "answers"]]
        nps  response  answers
    0  25.0  0.666667    200.0
    """
    require_columns(surveys, ["score"], "surveys")
    score = surveys["score"].dropna().to_numpy(float)
    if len(score) < 2:
        refuse("surveys, column 'score'", "answered by two or more", f"{len(score)} answers", "pass more surveys")
    if score.min() < 0 or score.max() > 10:
        got = f"{score.min():g} to {score.max():g}"
        refuse("surveys, column 'score'", "between 0 and 10", got, "pass the 0-10 answers, not the NPS")
    points = 100.0 * ((score >= PROMOTER).astype(float) - (score <= DETRACTOR))
    response = len(score) / len(surveys)
    answers = arm * response
    if answers < 2:
        refuse("arm", "large enough for two answers", repr(arm), "ask more subscribers")
    sd = float(points.std(ddof=1))
    seen = [mde_mean(sd, asked, asked) for asked in (answers, arm)]
    row = {"nps": points.mean(), "sd": sd, "response": response, "answers": answers}
    return pd.DataFrame([row | {"mde": seen[0], "if_all_answer": seen[1]}])
