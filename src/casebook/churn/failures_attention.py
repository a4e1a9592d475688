"""Attention withheld and attention repeated: the prophecy that fulfils itself, and the list that is called to death."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import NDArray

from casebook.churn.abtest import DOG_TIMES, FEEDBACK
from casebook.churn.evaluate import Dollars, call_top, once
from casebook.churn.expectation import flags, scores, soft_auc
from casebook.churn.latent import Flags
from casebook.churn.play import WORST, Luck, Played, Rule, State, called_hazard, nobody, play
from casebook.churn.simulate import Truth
from casebook.churn.world import World
from casebook.contracts import refuse
from casebook.experiments import Effect, assign, difference


@dataclass(frozen=True)
class Neglect:
    """The riskiest got less attention than before.

    Attributes
    ----------
    table : pandas.DataFrame
        Rows "equal attention" and "riskiest neglected"; ``leaving`` (expected subscribers in the month), ``auc`` and
        ``precision`` (share of the riskiest that leave), both as the company would measure them, on average.
    revealed : Effect
        What neglect did to the share that leaves, from a random hold-out of the riskiest that kept equal attention:
        one month of realised leaving, companies as clusters.
    """

    table: pd.DataFrame
    revealed: Effect


def neglect(
    truth: Truth,
    score: npt.ArrayLike,
    rng: np.random.Generator,
    harm: float = 0.3,
    share: float = 0.1,
    holdout: float = 0.5,
) -> Neglect:
    """Let the riskiest be given up as lost, and measure the model that named them.

    The table compares everybody equal with everybody neglected whom the model names; the hold-out is a month in
    which a random part of the companies among them keeps equal attention.

    Parameters
    ----------
    truth : Truth
    score : array_like of float, shape (n,)
        The model's risk.
    rng : numpy.random.Generator
        Draws the hold-out; leaving is decided by the truth's luck.
    harm : float
        By how much neglect raises the hazard, as a share of it; 0 to 3.
    share : float
        Share of the base that is neglected, in (0, 1).
    holdout : float
        Share of the companies among them that keep equal attention, in (0, 1).

    Returns
    -------
    Neglect

    Raises
    ------
    ContractError
        A score of another length, a harm or share outside its range.

    Examples
    --------
    >>> from casebook.churn.snapshot import draw_snapshot
    >>> day = draw_snapshot(World(), 4_000, np.random.default_rng(0))
    >>> told = neglect(day.truth, day.worth.p, np.random.default_rng(1)).table
    >>> bool((told.loc["riskiest neglected"] > told.loc["equal attention"]).all())
    True
    """
    if not 0 <= harm <= WORST - 1:
        refuse(
            "harm", f"between 0 and {WORST - 1:g}", repr(harm), "give it as a share of the hazard, 0.3 for 30 percent"
        )
    if not 0 < share < 1:
        refuse("share", "above 0 and below 1", repr(share), "pass 0.1 for the riskiest decile")
    risk = scores(score, truth)
    named = call_top(risk, round(share * len(risk)))
    equal, worse = _leaving(truth, 0.0 * named), _leaving(truth, harm * named)
    rows = {"equal attention": equal, "riskiest neglected": worse}
    table = pd.DataFrame(
        {
            "leaving": {name: float(p.sum()) for name, p in rows.items()},
            "auc": {name: soft_auc(p, risk) for name, p in rows.items()},
            "precision": {name: float(p[named].mean()) for name, p in rows.items()},
        }
    )
    members = np.flatnonzero(named)
    account = truth.people.account[members]
    worse_off = assign(members, rng, 1 - holdout, cluster=account).to_numpy()
    left = _flips(truth, harm * np.isin(np.arange(len(risk)), members[worse_off]))[members]
    return Neglect(table, difference(left, worse_off, cluster=account))


def _leaving(truth: Truth, raised: NDArray[np.floating[Any]]) -> Dollars:
    """Chance of leaving in the first month if hazards are raised by these shares."""
    cancel = called_hazard(truth.months.p[:, 0], (truth.carry - raised).astype(np.float32))
    return np.asarray(1 - (1.0 - cancel) * (1.0 - truth.months.failed[:, 0]), dtype=float)


def _flips(truth: Truth, raised: NDArray[np.floating[Any]]) -> Flags:
    cancel = called_hazard(truth.months.p[:, 0], (truth.carry - raised).astype(np.float32))
    leaves = truth.luck.cancel[:, 0] < cancel
    return np.asarray(leaves | (truth.luck.card[:, 0] < truth.months.failed[:, 0]))


@dataclass(frozen=True)
class Rhythm:
    """Call the same people every ``every`` months while ``until`` months last; months count from 0.

    Examples
    --------
    >>> [month for month in range(8) if Rhythm(np.array([True]), 3, 6).calls_in(month)]
    [0, 3]
    """

    act: Flags
    every: int
    until: int

    def calls_in(self, month: int) -> bool:
        """Return whether the list is called in this month."""
        return month < self.until and month % self.every == 0

    def __call__(self, state: State) -> Flags:
        """Return whom to call in the state's month, shape (n,)."""
        return self.act if self.calls_in(state.month) else np.zeros_like(self.act)


def fatigue(
    world: World,
    truth: Truth,
    listed: npt.ArrayLike,
    rng: np.random.Generator,
    levels: Sequence[float] = (0.0, 0.08, 0.15),
    horizon: int = 12,
    copies: int = 40,
) -> pd.DataFrame:
    """Call one list every month for half a year, once a quarter, and once, in worlds that tire more and less.

    Every rhythm meets the same coin flips, in ``copies`` copies of the list.

    Parameters
    ----------
    world : World
    truth : Truth
    listed : array_like of bool, shape (n,)
        The list; it stays the same.
    rng : numpy.random.Generator
        Draws the copies' luck.
    levels : sequence of float
        Values of ``World.fatigue``.
    horizon : int
        Months whose margin counts.
    copies : int

    Returns
    -------
    pandas.DataFrame
        One row a level and rhythm: ``fatigue``, ``rhythm``, ``calls``, ``saves`` (subscribers more than without calls
        after 6 months), ``earned`` (dollars within the horizon, cost of calls taken off), ``earned_se`` (of the mean
        over copies), ``complaints`` (expected, from calls only); per one list.

    Raises
    ------
    ContractError
        Nobody listed, a level below 0, fewer than two copies, a horizon under 6 months.

    Examples
    --------
    >>> from casebook.churn.snapshot import draw_snapshot
    >>> day = draw_snapshot(World(), 2_000, np.random.default_rng(0))
    >>> told = fatigue(World(), day.truth, call_top(day.worth.p, 100), np.random.default_rng(1), copies=4)
    >>> told["rhythm"].tolist()[:3]
    ['every month', 'once a quarter', 'once']
    """
    rows = np.flatnonzero(flags(listed, truth, "listed"))
    _playable(truth, levels, horizon, copies)
    flock = _copies(truth, rows, horizon, copies, rng)
    everybody = np.ones(len(flock.people), dtype=bool)
    rhythms: dict[str, Rule] = {
        "every month": Rhythm(everybody, 1, CALLED),
        "once a quarter": Rhythm(everybody, 3, CALLED),
        "once": once(everybody),
    }
    table = []
    for level in levels:
        tiring = replace(world, fatigue=float(level))
        alone = play(tiring, flock.months, flock.luck, nobody, carry=flock.carry)
        for name, rule in rhythms.items():
            played = play(tiring, flock.months, flock.luck, rule, carry=flock.carry)
            table.append({"fatigue": level, "rhythm": name} | _counted(tiring, flock, played, alone, copies))
    return pd.DataFrame(table)


CALLED = 6  # months in which the list is called


def _playable(truth: Truth, levels: Sequence[float], horizon: int, copies: int) -> None:
    longest = truth.months.p.shape[1]
    if min(levels, default=-1.0) < 0:
        refuse("levels", "0 or more, at least one", repr(tuple(levels)), "pass values of World.fatigue")
    if not CALLED <= horizon <= longest:
        refuse("horizon", f"between {CALLED} and {longest} months", repr(horizon), "pass 12")
    if copies < 2:
        refuse("copies", "2 or more", repr(copies), "pass 40")


def _copies(truth: Truth, rows: npt.NDArray[np.int64], horizon: int, copies: int, rng: np.random.Generator) -> Truth:
    many = np.tile(rows, copies)
    window = {name: part[many, :horizon] for name, part in vars(truth.months).items()}
    luck = Luck.draw(len(many), horizon, rng)
    months = replace(truth.months, **window)
    return replace(truth, people=truth.people.take(many), months=months, luck=luck, carry=truth.carry[many])


def _counted(world: World, flock: Truth, played: Played, alone: Played, copies: int) -> dict[str, float]:
    paid = world.margin * flock.people.price
    length = played.called.shape[1]
    bills = [np.minimum(one.left, length) for one in (played, alone)]
    gained = paid * (bills[0] - bills[1]) - world.call_cost * played.called.sum(axis=1)
    each = gained.reshape(copies, -1).sum(axis=1)
    angry = FEEDBACK["complaint"][1] * np.where(flock.people.dog, DOG_TIMES, 1)
    saves = (played.here(CALLED).astype(int) - alone.here(CALLED)).sum()
    return {
        "calls": played.called.sum() / copies,
        "saves": saves / copies,
        "earned": each.mean(),
        "earned_se": each.std(ddof=1) / np.sqrt(copies),
        "complaints": (played.reached * angry[:, None]).sum() / copies,
    }


def next_call(world: World, truth: Truth, listed: npt.ArrayLike, calls: int = 6) -> pd.DataFrame:
    """Return what the first, second, ... call in as many months would still take off a listed subscriber's hazard.

    A call that reaches somebody takes off ``kept`` less ``World.fatigue`` for each call of the last three months. The
    first month's ``kept`` is used throughout, so that the rows differ by tiredness alone.

    Returns
    -------
    pandas.DataFrame
        One row a call: ``call`` (1, 2, ...), ``taken_off`` (mean over the list, weighted by hazard), ``harmed`` (share
        of the list for whom the call adds to the hazard).

    Raises
    ------
    ContractError
        Nobody listed, or a list on which nobody can leave.
    """
    rows = flags(listed, truth, "listed")
    p, kept = truth.months.p[rows, 0], truth.months.kept[rows, 0]
    if p.sum() == 0:
        refuse("listed", "1 for somebody whose bill is due", "nobody's", "list subscribers who can leave this month")
    table = []
    for call in range(1, calls + 1):
        taken = kept - world.fatigue * min(call - 1, 3)
        table.append(
            {"call": call, "taken_off": float(np.average(taken, weights=p)), "harmed": float((taken < 0).mean())}
        )
    return pd.DataFrame(table)
