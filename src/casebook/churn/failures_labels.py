"""The feedback of the calls: they prevent the churn that the list is judged by, and that the next model learns from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from casebook.churn.evaluate import Dollars, Worth, call_top
from casebook.churn.expectation import soft_auc
from casebook.churn.latent import Flags, Months
from casebook.churn.play import RECENT, State, called_hazard, play
from casebook.churn.snapshot import Snapshot, observe
from casebook.churn.world import World
from casebook.contracts import refuse
from casebook.experiments import assign


def list_precision(
    world: World, day: Snapshot, model: Any, rng: np.random.Generator, share: float, calls: int, months: int = 6
) -> pd.DataFrame:
    """Work one model's list for months, and measure its precision as a dashboard would and in a standing hold-out.

    Each month the model scores features of that month; whoever was listed in the last three months rests. Precision is
    the mean chance of leaving given who was called, so the coin flips of one month do not blur it.

    Parameters
    ----------
    world : World
    day : Snapshot
    model : fitted classifier
        Its ``predict_proba`` takes ``day.features``; it is never refitted.
    rng : numpy.random.Generator
        Draws the hold-out and the features of later months.
    share : float
        Share of companies whose listed subscribers are called; the others are the standing hold-out. In [0, 1].
    calls : int
        Length of a month's list.
    months : int

    Returns
    -------
    pandas.DataFrame
        One row a month: ``month``, ``listed``, ``called``, ``naive`` (precision of the whole list), ``holdout``
        (precision of its uncalled part; missing if all are called), ``predicted`` (the model's mean on the list).

    Raises
    ------
    ContractError
        A share outside [0, 1], a list without places, too many months.
    """
    if not 0 <= share <= 1:
        refuse("share", "in [0, 1]", repr(share), "pass 0.5 to call half of the list")
    longest = day.truth.months.p.shape[1]
    if calls < 1 or not 1 <= months <= longest:
        got = f"{calls} and {months}"
        refuse("calls and months", f"1 or more, and up to {longest} months", got, "pass 800 and 6, say")
    arms, counts = rng.spawn(2)  # two shares meet the same features
    rule = _Worked(world, day, model, counts, _treated(day, share, arms), calls)
    window = Months(**{name: part[:, :months] for name, part in vars(day.truth.months).items()})
    play(world, window, day.truth.luck, rule, carry=day.truth.carry)
    return pd.DataFrame(rule.rows)


def _treated(day: Snapshot, share: float, rng: np.random.Generator) -> Flags:
    if share in (0, 1):
        return np.full(len(day), bool(share))
    return assign(np.arange(len(day)), rng, share, cluster=day.truth.people.account).to_numpy()


@dataclass
class _Worked:
    """The rule of a list with a rest; after the play ``rows`` holds what each month measured."""

    world: World
    day: Snapshot
    model: Any
    rng: np.random.Generator
    treated: Flags
    calls: int
    rows: list[dict[str, float]] = field(default_factory=list)
    listings: list[Flags] = field(default_factory=list)

    def __call__(self, state: State) -> Flags:
        """Return whom to call in the state's month, shape (n,)."""
        score = self.model.predict_proba(features_in(self.world, self.day, state.month, self.rng))[:, 1]
        resting = np.zeros_like(state.here)
        for recent in self.listings[-RECENT:]:
            resting |= recent
        listed = call_top(np.where(state.here & ~resting, score, -np.inf), self.calls)
        self.listings.append(listed)
        act = listed & self.treated
        p = self._leaving(state, act)
        free = listed & ~act
        self.rows.append(
            {
                "month": state.month,
                "listed": int(listed.sum()),
                "called": int(act.sum()),
                "naive": float(p[listed].mean()),
                "holdout": float(p[free].mean()) if free.any() else np.nan,
                "predicted": float(score[listed].mean()),
            }
        )
        return act

    def _leaving(self, state: State, act: Flags) -> Dollars:
        months = self.day.truth.months
        p, failed = months.p[:, state.month], months.failed[:, state.month]
        tired = np.float32(self.world.fatigue) * state.calls.sum(axis=1, dtype=np.float32)
        alone = called_hazard(p, state.carry)
        answered = called_hazard(p, state.carry + months.kept[:, state.month] - tired)
        reached = self.world.reach * act
        return np.asarray(1 - (1 - (reached * answered + (1 - reached) * alone)) * (1 - failed), dtype=float)


def features_in(world: World, day: Snapshot, month: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return the features as the warehouse will show them ``month`` months from the snapshot; 0 gives its own."""
    if month == 0:
        return day.features
    truth = day.truth
    past, future = {}, {}
    for name, part in vars(truth.months).items():
        both = np.column_stack([vars(truth.past)[name], part])
        past[name], future[name] = both[:, month : month + truth.past.p.shape[1]], part[:, month:]
    people = replace(truth.people, start=truth.people.start - month)
    return observe(world, people, Months(**past), Months(**future), rng)


def retrained(
    day: Snapshot, later: Snapshot, listed: Flags, model: Any, rng: np.random.Generator, share: float = 0.5
) -> pd.DataFrame:
    """Retrain on the month after part of a list was called, in three ways, and score other subscribers.

    The labels are chances, not coin flips: each row counts as a leaver with weight p and as a stayer with 1 - p, where
    p is the chance after the call that was made. So what differs between the rows is the treatment of the calls. The
    flag of the call is no free repair: where most of the list is called, it also says "was on the list", and 0 then
    says that the subscriber was not.

    Parameters
    ----------
    day, later : Snapshot
        To train on, and to score; of one world.
    listed : numpy.ndarray of bool, shape (n,)
        The list of ``day``; part of its companies is called, the others are the hold-out.
    model : classifier
        Unfitted; its ``fit`` takes ``sample_weight``.
    rng : numpy.random.Generator
        Draws the hold-out.
    share : float
        Share of the listed companies that is called, in (0, 1).

    Returns
    -------
    pandas.DataFrame
        Rows "nobody called", "calls not known", "hold-out only", "call as a feature"; ``auc`` (against the true p of
        ``later``), ``movable`` (predicted over true p among the tenth of ``later`` that a call keeps best),
        ``risky`` (the same among the tenth with the highest p), ``found`` (share of that tenth's p that the model's
        own tenth holds).

    Raises
    ------
    ContractError
        Nobody listed.
    """
    if not np.any(listed):
        refuse("listed", "1 for somebody", "0 in every row", "put at least one subscriber on the list")
    called = np.zeros(len(day), dtype=bool)
    members = np.flatnonzero(listed)
    called[members] = assign(members, rng, share, cluster=day.truth.people.account[members]).to_numpy()
    weight = np.where(called, 0.0, np.where(listed, 1 / (1 - share), 1.0))
    after, even = day.worth.p - day.worth.uplift * called, np.ones(len(day))
    flagged, unflagged = day.features.assign(called=1.0 * called), later.features.assign(called=0.0)
    fits = {
        "nobody called": (day.features, day.worth.p, even, later.features),
        "calls not known": (day.features, after, even, later.features),
        "hold-out only": (day.features, after, weight, later.features),
        "call as a feature": (flagged, after, even, unflagged),
    }
    rows = {name: _judged(later.worth, _softly(model, *parts)) for name, parts in fits.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def _softly(model: Any, features: pd.DataFrame, p: Dollars, weight: Dollars, new: pd.DataFrame) -> Dollars:
    """Fit on chances and predict."""
    from sklearn.base import clone

    rows = weight > 0
    doubled = pd.concat([features[rows], features[rows]], ignore_index=True)
    y = np.repeat([1, 0], rows.sum())
    weights = np.concatenate([(weight * p)[rows], (weight * (1 - p))[rows]])
    fitted = clone(model).fit(doubled, y, sample_weight=weights)
    return np.asarray(fitted.predict_proba(new)[:, 1], dtype=float)


def _judged(worth: Worth, score: Dollars) -> dict[str, float]:
    tenth = len(score) // 10
    movable, risky, named = (call_top(rank, tenth) for rank in (worth.uplift, worth.p, score))
    return {
        "auc": soft_auc(worth.p, score),
        "movable": float(score[movable].mean() / worth.p[movable].mean()),
        "risky": float(score[risky].mean() / worth.p[risky].mean()),
        "found": float(worth.p[named].sum() / worth.p[risky].sum()),
    }
