"""Arithmetic of subscriptions and calls: months that somebody pays, CAC payback, who can be saved at all."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.churn.evaluate import Worth
from casebook.contracts import as_amounts, as_labels, refuse, require_length

GROUPS = ("sure", "lost cause", "persuadable", "sleeping dog")


def paid_months(churn: float, horizon: int | None = None) -> float:
    """Return the bills that somebody pays on average who has just paid one, at a constant monthly churn.

    (1 - (1 - churn)^horizon) / churn, the first bill counted; without a horizon 1 / churn.

    Parameters
    ----------
    churn : float
        Share that leaves a month, in (0, 1].
    horizon : int, optional
        Months that count, the first included; at least 1.

    Raises
    ------
    ContractError
        A churn or a horizon out of range.

    Examples
    --------
    >>> paid_months(0.05)
    20.0
    >>> round(paid_months(0.05, horizon=36), 1)
    16.8
    """
    if not 0 < churn <= 1:
        refuse("churn", "above 0 and at most 1", f"{churn:g}", "divide percentages by 100")
    if horizon is None:
        return 1 / churn
    if horizon < 1:
        refuse("horizon", "1 or more", f"{horizon}", "count the month that has just been paid")
    return float((1 - (1 - churn) ** horizon) / churn)


def payback_with_churn(acquisition_cost: float, monthly_margin: float, churn: float) -> float:
    """Return the months until the margin of those who stay has paid for all who were won; infinite if it never does.

    The margin of month t is ``monthly_margin * (1 - churn)^t``, its sum a geometric series.

    Parameters
    ----------
    acquisition_cost, monthly_margin : float
        Dollars for a customer, above 0.
    churn : float
        Share that leaves a month, in [0, 1).

    Raises
    ------
    ContractError
        A number out of range.

    Examples
    --------
    >>> round(payback_with_churn(1_500, 160, churn=0.04), 1)
    11.5
    >>> payback_with_churn(1_500, 160, churn=0.0)
    9.375
    >>> payback_with_churn(1_500, 60, churn=0.05)
    inf
    """
    for what, value in (("acquisition_cost", acquisition_cost), ("monthly_margin", monthly_margin)):
        if not value > 0:
            refuse(what, "above 0", f"{value:g}", "check its sign and unit")
    if not 0 <= churn < 1:
        refuse("churn", "at least 0 and below 1", f"{churn:g}", "divide percentages by 100")
    months = acquisition_cost / monthly_margin
    if churn == 0:
        return months
    return math.log1p(-months * churn) / math.log1p(-churn) if months * churn < 1 else math.inf


def four_groups(worth: Worth, listed: npt.ArrayLike | None = None) -> pd.Series:
    """Return how many subscribers a list holds of each group that only both potential outcomes tell apart.

    Persuadable: would leave, stays if called. Sleeping dog: would stay, leaves if called. Lost cause: leaves either
    way. Sure: stays either way. Expected counts, the same coin deciding with and without a call, which makes the two
    groups that a call changes as small as the two chances allow.

    Parameters
    ----------
    worth : Worth
        Its ``p`` and ``uplift`` are used.
    listed : array_like of bool, shape (n,), optional
        Whom to count; by default everybody.

    Returns
    -------
    pandas.Series
        Expected number of subscribers, indexed by ``GROUPS``; they add up to those listed.

    Raises
    ------
    ContractError
        A list of another length.

    Examples
    --------
    >>> p, uplift = np.array([0.3, 0.0, 0.1]), np.array([0.1, 0.0, -0.1])
    >>> four_groups(Worth(p, uplift, p, p, p)).round(1).to_dict()
    {'sure': 2.5, 'lost cause': 0.3, 'persuadable': 0.1, 'sleeping dog': 0.1}
    """
    rows = np.ones(len(worth.p), dtype=bool) if listed is None else as_labels(listed, "listed")
    require_length(rows, len(worth.p), "listed")
    p, uplift = worth.p[rows], worth.uplift[rows]
    lost = np.minimum(p, p - uplift)
    sure = 1 - np.maximum(p, p - uplift)
    counts = (sure.sum(), lost.sum(), np.maximum(uplift, 0).sum(), np.maximum(-uplift, 0).sum())
    return pd.Series([float(count) for count in counts], index=list(GROUPS), name="subscribers")


def next_calls(worth: Worth, scores: Mapping[str, npt.ArrayLike], calls: int, more: int) -> pd.Series:
    """Return what a further call would earn under each ranking once ``calls`` are made: the shadow price of a call.

    Parameters
    ----------
    worth : Worth
    scores : mapping of str to array_like, shape (n,)
        What each list is ranked by, highest first; ties go by position.
    calls : int
        Calls that are made already, 0 or more.
    more : int
        Further calls over which to average, 1 or more.

    Returns
    -------
    pandas.Series
        Dollars a further call, its cost off.

    Raises
    ------
    ContractError
        Fewer subscribers than calls, a number out of range, or a score of another length.

    Examples
    --------
    >>> gain = np.array([9.0, 5.0, 1.0, -1.0])
    >>> next_calls(Worth(gain, gain, gain, gain, gain), {"best": gain}, calls=1, more=2).to_dict()
    {'best': 3.0}
    """
    if calls < 0 or more < 1 or calls + more > len(worth.gain):
        wanted = f"calls of 0 or more, more of at least 1, together at most {len(worth.gain)}"
        refuse("calls and more", wanted, f"{calls} and {more}", "there must be somebody left to call")
    found = {}
    for name, score in scores.items():
        amounts = np.atleast_1d(as_amounts(score, name))
        require_length(amounts, len(worth.gain), name)
        order = np.argsort(-amounts, kind="stable")
        found[name] = float(worth.gain[order[calls : calls + more]].mean())
    return pd.Series(found, name="dollars a further call")


def who_is_on(worth: Worth, lists: Mapping[str, npt.ArrayLike], beside: str) -> pd.DataFrame:
    """Return whom each list holds; what it earns is in :func:`casebook.churn.evaluate.money_table`.

    Parameters
    ----------
    worth : Worth
    lists : mapping of str to array_like of bool, shape (n,)
        Somebody must be on each.
    beside : str
        The list against which overlaps are counted.

    Returns
    -------
    pandas.DataFrame
        One row a list: ``mean p``, ``save rate`` (subscribers that a call keeps over those who would leave, failed
        cards included) and ``also on <beside>`` (share of the list).

    Raises
    ------
    ContractError
        ``beside`` is none of the lists, or a list has another length or nobody on it.

    Examples
    --------
    >>> p, uplift = np.array([0.4, 0.1, 0.2]), np.array([0.0, 0.05, 0.1])
    >>> told = who_is_on(Worth(p, uplift, p, p, p), {"A": [1, 0, 1], "B": [0, 1, 1]}, beside="A")
    >>> told.loc["B"].round(2).to_dict()
    {'mean p': 0.15, 'save rate': 0.5, 'also on A': 0.5}
    """
    if beside not in lists:
        refuse("beside", f"one of {', '.join(map(repr, lists))}", repr(beside), "name a list that is compared")
    acts = {name: as_labels(act, name) for name, act in lists.items()}
    rows = {}
    for name, act in acts.items():
        require_length(act, len(worth.p), name)
        if not act.any():
            refuse(name, "1 for somebody", "0 in every row", "put at least one subscriber on the list")
        leaving = float(worth.p[act].sum())
        rows[name] = {
            "mean p": leaving / int(act.sum()),
            "save rate": float(worth.uplift[act].sum()) / leaving if leaving > 0 else np.nan,
            f"also on {beside}": float(acts[beside][act].mean()),
        }
    return pd.DataFrame.from_dict(rows, orient="index")
