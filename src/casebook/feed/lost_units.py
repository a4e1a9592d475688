"""Units that one arm has lost: what each reading of such a test makes of the effect, but for luck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from casebook.contracts import refuse
from casebook.experiments import srm_n
from casebook.feed.arms import crash_chance
from casebook.feed.truth import Truth
from casebook.feed.world import COHORTS, PLATFORMS

Floats = NDArray[np.float64]


def heavy_users_crash(truth: Truth) -> Floats:
    """Return the chances of a crash turned round within the slow phones: the most active crash most, shape (n,)."""
    slow = np.flatnonzero(truth.people.platform == PLATFORMS.index("slow_phone"))
    by_use = slow[np.argsort(truth.people.visits[slow])]
    turned = truth.arms.crash.copy()
    turned[by_use] = np.sort(truth.arms.crash[slow])
    return turned


def loss_readings(truth: Truth, crash: ArrayLike | None = None) -> pd.Series:
    """Return the relative effect on minutes that each reading of a test with a crashing arm aims at.

    Expectations over the lot and over what people do, so that only the reading's own error is left.

    Parameters
    ----------
    truth : Truth
    crash : array_like, shape (n,), optional
        Chance of each account to be lost if it is in the new arm; the truth's own by default.

    Returns
    -------
    pandas.Series
        ``as logged``: the arms' difference, which weighting the arms back to the plan leaves as it is. ``weighted by
        phone``, and ``by phone and cohort``: survivors weighted back to everybody's mix. ``without slow phones``.
        ``ranker``: what it does to people on whose phones it runs, the truth. ``launched as tested``: with those lost
        at zero, the truth of a launch that leaves the crash in.

    Raises
    ------
    ContractError
        Chances that are not one in [0, 1] for each account.
    """
    person = ~truth.people.bot
    lost = np.asarray(truth.arms.crash if crash is None else crash, dtype=float)
    if lost.shape != person.shape or not ((lost >= 0) & (lost <= 1)).all():
        refuse("crash", "a chance in [0, 1] for each account", f"shape {lost.shape}", "start from truth.arms.crash")
    keep, people = 1 - lost[person], truth.people
    old, new = (truth.potential(regime)[person] for regime in ("test_old", "test_new"))
    phone, cohort = people.platform[person].astype(int), people.cohort[person].astype(int)
    slow = phone == PLATFORMS.index("slow_phone")
    return pd.Series(
        {
            "as logged": keep @ new / keep.sum() / old.mean() - 1,
            "weighted by phone": _weighted(new, keep, phone) / old.mean() - 1,
            "weighted by phone and cohort": _weighted(new, keep, phone * len(COHORTS) + cohort) / old.mean() - 1,
            "without slow phones": new[~slow].mean() / old[~slow].mean() - 1,
            "ranker": new.mean() / old.mean() - 1,
            "launched as tested": (keep * new).mean() / old.mean() - 1,
        }
    )


def loss_by_crash(truth: Truth, crashes: Sequence[float], power: float = 0.8) -> pd.DataFrame:
    """Return, for crashes of each size in the same feed, when the counts show them and what they do to the effect.

    Parameters
    ----------
    truth : Truth
    crashes : sequence of float, shape (k,)
        Shares of the slow phones on which the new client crashes, above 0.
    power : float
        With which the alarm is to go off.

    Returns
    -------
    pandas.DataFrame
        One row per crash: ``crash``, ``new_share`` (the new arm's share of the units that are logged), ``users`` (in
        all arms, at which a sample ratio test at 0.01 finds it with that power), ``as logged``, ``ranker`` and
        ``launched as tested`` as in :func:`loss_readings`.
    """
    planned = np.array([truth.design.new, truth.design.control, 1 - truth.design.new - truth.design.control])
    rows = []
    for crash in crashes:
        chance = crash_chance(replace(truth.world, crash=crash), truth.people)
        left = planned * [1 - chance.mean(), 1.0, 1.0]
        shares = left / left.sum()
        found = loss_readings(truth, chance)[["as logged", "ranker", "launched as tested"]]
        first = {"crash": crash, "new_share": shares[0], "users": srm_n(shares, planned, power=power)}
        rows.append(first | found.to_dict())
    return pd.DataFrame(rows)


def _weighted(new: Floats, keep: Floats, group: NDArray[np.int_]) -> float:
    """Mean of the survivors' outcomes, each group at its share of everybody."""
    everybody = np.bincount(group)
    left, sums = np.bincount(group, weights=keep), np.bincount(group, weights=keep * new)
    here = left > 0
    return float((everybody[here] * sums[here] / left[here]).sum() / everybody[here].sum())
