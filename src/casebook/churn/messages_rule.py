"""The targeted rule against the best single message: what a randomised run says, what is true, and the size to tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.churn.expectation import flags
from casebook.churn.latent import Flags
from casebook.churn.messages import MESSAGES, NOTHING, Arms, Offers, _require_trial, message_worth
from casebook.churn.simulate import Truth
from casebook.churn.world import World
from casebook.contracts import refuse, require_length
from casebook.experiments import Effect, cuped, difference, sample_size_mean


@dataclass(frozen=True)
class RuleValue:
    """A rule that assigns messages, against one message for all.

    Attributes
    ----------
    single : the message for all.
    differs : share of the list that the rule gives another message.
    effect : dollars per listed subscriber that the rule adds in the months watched, with its interval.
    readable : subscribers, in all four arms together, at which a difference of ``change`` dollars per listed
        subscriber is seen with power 0.8 at alpha 0.05.
    change : dollars per listed subscriber.
    """

    single: str
    differs: float
    effect: Effect
    readable: int
    change: float


def true_values(
    world: World, truth: Truth, listed: npt.ArrayLike, rule: Arms, offers: Offers, horizon: int
) -> pd.Series:
    """Return the true dollars per listed subscriber of each message for all, of the rule, and of the best for each.

    Parameters
    ----------
    world : World
    truth : Truth
    listed : array_like of bool, shape (n,)
    rule : numpy.ndarray of str, shape (n,)
        The rule's message for everybody.
    offers : Offers
    horizon : int
        Months whose margin counts.

    Returns
    -------
    pandas.Series
        Index: the three messages, "rule", "oracle" (the best of the three or nothing, for each).

    Raises
    ------
    ContractError
        Nobody listed, a rule of another length or with an unknown message.
    """
    rows = flags(listed, truth, "listed")
    require_length(np.asarray(rule), len(rows), "rule")
    worth = message_worth(world, truth, offers, horizon)[rows]
    chosen = _columns(np.asarray(rule)[rows])
    values = worth.mean()
    values["rule"] = worth.to_numpy()[np.arange(len(worth)), chosen].mean()
    values["oracle"] = np.maximum(worth.to_numpy().max(axis=1), 0.0).mean()
    return values


def _columns(rule: Arms) -> npt.NDArray[np.int64]:
    unknown = ~np.isin(rule, MESSAGES)
    if unknown.any():
        row = int(np.argmax(unknown))
        must = "'help', 'discount' or 'check-in'"
        refuse(f"rule, row {row}", must, repr(str(rule[row])), "give every listed subscriber a message")
    return np.array([MESSAGES.index(message) for message in rule])


def best_single(trial: pd.DataFrame) -> str:
    """Return the message with the highest mean dollars in the trial; the winner's own mean flatters it.

    Raises
    ------
    ContractError
        A missing column, or an arm that is not there.
    """
    _require_trial(trial)
    means = trial[trial["arm"] != NOTHING].groupby("arm")["dollars"].mean()
    return str(means.idxmax())


def rule_value(trial: pd.DataFrame, rule: Arms, single: str, change: float = 5.0) -> RuleValue:
    """Return what a rule fixed before the trial adds to one message for all, from the trial's own randomisation.

    Where both give the same message the difference is 0. Among the others, those whom chance gave the rule's message
    stand against those whom it gave the single one, adjusted for the price, which was known before.

    Parameters
    ----------
    trial : pandas.DataFrame
        From :func:`casebook.churn.messages.run_messages`; ``row`` looks up the rule.
    rule : numpy.ndarray of str, shape (n,)
        The rule's message for everybody in the truth.
    single : str
        The message for all.
    change : float
        Dollars per listed subscriber whose readability is wanted.

    Returns
    -------
    RuleValue

    Raises
    ------
    ContractError
        A missing arm, an unknown message, a rule that never differs from the single message, a change of 0.
    """
    _require_trial(trial)
    if single not in MESSAGES:
        refuse("single", "one of 'help', 'discount', 'check-in'", repr(single), "pass best_single(trial)")
    mine = np.asarray(rule)[trial["row"].to_numpy()]
    _columns(mine)
    differs: Flags = mine != single
    if not differs.any():
        refuse("rule", f"other than {single!r} for somebody", "the same for all", "compare rules that differ")
    arm = trial["arm"].to_numpy()
    used = differs & ((arm == mine) | (arm == single))
    two = trial[used]
    share = float(differs.mean())
    gained = share * cuped(two["dollars"], two["price"], (arm == mine)[used])
    found = difference(gained, (arm == mine)[used], cluster=two["account_id"])
    # A quarter of all who differ holds the rule's message and a quarter the single one.
    sizes = sample_size_mean(float(gained.std(ddof=1)), change)
    readable = int(np.ceil(sizes.total / (share * 2 / (len(MESSAGES) + 1))))
    return RuleValue(single, share, found, readable, change)
