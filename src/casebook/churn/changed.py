"""A company that changes under its model: logins vanish, more pull, a rival; and how the model does then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from scipy.optimize import brentq
from scipy.special import expit, logit

from casebook.churn.evaluate import call_top, worth
from casebook.churn.expectation import soft_auc
from casebook.churn.latent import Floats, Months, People, base_log_odds, continue_months, draw_months, draw_people
from casebook.churn.models import boosted
from casebook.churn.play import STAYS, Luck, nobody, play
from casebook.churn.simulate import SELECTED, Truth
from casebook.churn.snapshot import Snapshot, observe
from casebook.churn.world import MONTHS_BEFORE, World
from casebook.contracts import refuse

MONTH = 52 / 12  # weeks
CUSTOM = 0.1  # the PSI at which one is warned by custom


@dataclass(frozen=True)
class Change:
    """How a company changes from one day to the next; the defaults change nothing.

    Parameters
    ----------
    usage : float
        Share of all logins that vanish, in [0, 1): another way to count them, or a product that needs fewer. Nobody
        leaves the more for it.
    pull : float
        Factor on the rate at which prices or competitors begin to pull at a company.
    rival : float
        Log-odds added to the cancelling of the dearest plan: a rival has gone after it. No feature moves.
    """

    usage: float = 0.0
    pull: float = 1.0
    rival: float = 0.0


def draw_changed(world: World, change: Change, months_since: int, n: int, rng: np.random.Generator) -> Snapshot:
    """Draw about ``n`` subscribers of a day ``months_since`` months after a change.

    The law of :func:`casebook.churn.snapshot.draw_snapshot`: who has left since is gone, who has come is there. The
    ``worth`` counts the next month only.

    Parameters
    ----------
    world : World
        The company before.
    change : Change
    months_since : int
        0 (the change falls on the day itself: features are the old ones, the next month is a new one) to 11; below 0
        nothing has changed yet.
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    Snapshot

    Raises
    ------
    ContractError
        More months than are played.

    Examples
    --------
    >>> day = draw_changed(World(), Change(rival=1.0), 6, 3_000, np.random.default_rng(0))
    >>> dear = day.features["price"] > 400
    >>> bool(day.worth.p[dear].mean() > 1.5 * day.worth.p[~dear].mean())
    True
    """
    if months_since >= MONTHS_BEFORE:
        refuse("months_since", f"below {MONTHS_BEFORE}", f"{months_since}", "a year is all that is played")
    if months_since < 0:
        change, months_since = Change(), 0
    after = _after(world, change)
    people = draw_people(world, n, round(n * SELECTED * (world.leaving + world.failed_cards)), MONTHS_BEFORE + 1, rng)
    turn = MONTHS_BEFORE - months_since
    past = draw_months(world, people, 0, turn, rng)
    then = continue_months(after, people, past, turn, months_since + 1, rng)
    then = replace(then, p=_lured(people, then.p, change.rival))
    both = {name: np.concatenate([part, vars(then)[name]], axis=1) for name, part in vars(past).items()}
    old, new = (Months(**{k: v[:, cut] for k, v in both.items()}) for cut in (slice(-1), slice(-1, None)))
    played = play(world, old, Luck.draw(len(people), MONTHS_BEFORE, rng), nobody, lambda month: people.start <= month)
    rows = np.flatnonzero((played.left == STAYS) & (people.start < MONTHS_BEFORE))
    people, old, new = people.take(rows), old.take(rows), new.take(rows)
    seen = lose_usage(observe(after, people, old, new, rng), change.usage, MONTH * months_since, rng)
    carry = np.zeros(len(rows), dtype=np.float32)
    truth = Truth(rows.astype(np.int32), people, new, Luck.draw(len(rows), 1, rng), carry, old)
    return Snapshot(seen, truth, worth(after, truth, 1))


def _after(world: World, change: Change) -> World:
    """Return the world with more pull and, for whoever feels none, the old chances of leaving."""
    if change.pull == 1:
        return world
    pulled = replace(world, pull=world.pull * change.pull)
    before = base_log_odds(world)
    most = 0.9 * (1 - world.annual_share * 11 / 12)  # no more can leave than have a bill
    leaving = brentq(lambda rate: base_log_odds(replace(pulled, leaving=rate)) - before, world.leaving / 4, most)
    return replace(pulled, leaving=leaving)


def _lured(people: People, p: Floats, rival: float) -> Floats:
    dear = people.price == people.price.max()
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(dear[:, None] & (p > 0), expit(logit(p) + rival), p), dtype=np.float32)


def lose_usage(features: pd.DataFrame, share: float, weeks: float, rng: np.random.Generator) -> pd.DataFrame:
    """Return the features ``weeks`` weeks after a share of all logins has vanished.

    Counts are thinned coin by coin: last week's at once, four weeks' within a month, those of twelve weeks ago
    after three, so that the ratio of the two falls and then comes back.

    Parameters
    ----------
    features : pandas.DataFrame
        From a snapshot; it is not changed.
    share : float
        In [0, 1).
    weeks : float
        0 or more.
    rng : numpy.random.Generator

    Examples
    --------
    >>> old = pd.DataFrame({"logins_7d": [10.0], "logins_28d": [40.0], "logins_84d_ago": [39.0],
    ...                     "usage_vs_84d_ago": [1.025]})
    >>> lose_usage(old, 0.5, 4, np.random.default_rng(0))["logins_28d"].tolist()
    [18.0]
    """
    if share == 0 or weeks <= 0:
        return features
    lost = {
        "logins_7d": share * min(weeks, 1),
        "logins_28d": share * min(weeks, 4) / 4,
        "logins_84d_ago": share * np.clip(weeks - 12, 0, 4) / 4,
    }
    seen = features.copy()
    for name, part in lost.items():
        count = features[name].to_numpy()
        thinned = rng.binomial(np.nan_to_num(count).astype(int), 1 - part)
        seen[name] = np.where(np.isnan(count), np.nan, thinned)
    seen["usage_vs_84d_ago"] = (seen["logins_28d"] + 1) / (seen["logins_84d_ago"] + 1)
    return seen


def fit_risk(day: Snapshot, rng: np.random.Generator) -> LGBMClassifier:
    """Fit shallow trees to the coin flips of a day's next month."""
    left = rng.random(len(day)) < day.worth.p
    return boosted(1, n_estimators=100, num_leaves=4).fit(day.features, left.astype(int))


def judge(model: Any, day: Snapshot, capacity: float) -> dict[str, float]:
    """Return how a model does on a day, coin flips integrated out.

    Returns
    -------
    dict of str to float
        ``auc``; ``precision`` (mean chance of leaving on the list of the ``capacity`` highest scores); ``found`` (that
        list's leavers over those of a list by the true chance); ``promised`` (mean score over the mean chance).
    """
    score = np.asarray(model.predict_proba(day.features))[:, 1]
    p, calls = day.worth.p, max(round(capacity * len(day)), 1)
    precision = float(p[call_top(score, calls)].mean())
    return {
        "auc": soft_auc(p, score),
        "precision": precision,
        "found": precision / float(p[call_top(p, calls)].mean()),
        "promised": float(score.mean() / p.mean()),
    }
