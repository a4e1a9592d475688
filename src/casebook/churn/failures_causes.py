"""Why they leave decides what a call does; and why a list's churn falls although nobody was called."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.churn.evaluate import Dollars, call_top, once, run
from casebook.churn.expectation import flags, stays
from casebook.churn.latent import Flags
from casebook.churn.simulate import Truth
from casebook.churn.snapshot import Snapshot
from casebook.churn.world import World
from casebook.contracts import refuse
from casebook.experiments import Effect, assign, difference

BINS = 10  # of p, within which the two causes are compared


def drops(day: Snapshot, most: float = 0.7) -> Flags:
    """Return whose usage fell to ``most`` of what it was twelve weeks ago or below, and who can leave this month.

    Examples
    --------
    >>> from casebook.churn.snapshot import draw_snapshot
    >>> day = draw_snapshot(World(), 2_000, np.random.default_rng(0))
    >>> bool(0.05 < drops(day).mean() < 0.4)
    True
    """
    fell = day.features["usage_vs_84d_ago"].to_numpy() <= most
    return np.asarray(fell & (day.features["days_to_renewal"].to_numpy() == 0))


def looks_like_price(features: pd.DataFrame) -> Flags:
    """Return who looked at the price list or asked about a bill in the last four weeks, shape (n,)."""
    asked = features["billing_tickets_30d"].to_numpy() > 0
    return np.asarray((features["pricing_views_28d"].to_numpy() > 0) | asked)


def same_drop(day: Snapshot, most: float = 0.7) -> pd.DataFrame:
    """Compare a call to those whose usage fell because of price with one to those who are unwell, at the same p.

    Within ten bins of p the unwell get the weights of those whom a price pulls, so that both groups have the same
    spread of risk.

    Parameters
    ----------
    day : Snapshot
    most : float
        Usage now over usage twelve weeks ago, at most.

    Returns
    -------
    pandas.DataFrame
        Rows "price or competitor" and "poor health": ``n``, ``usage_kept`` (mean usage ratio), ``p``, ``kept`` (share
        of the hazard that a reached call takes off, weighted by hazard), ``saves_per_100`` and ``per_call`` (dollars).

    Raises
    ------
    ContractError
        Fewer than 20 dropping subscribers with either cause.
    """
    rows = drops(day, most)
    pulled = day.truth.months.pull[:, 0]
    counts = [int((rows & pulled).sum()), int((rows & ~pulled).sum())]
    if min(counts) < 20:
        got = f"{counts[0]} and {counts[1]}"
        refuse("day", "at least 20 subscribers of either cause long", got, "draw more subscribers or raise most")
    weights = {"price or competitor": (rows & pulled).astype(float), "poor health": _matched(day.worth.p, rows, pulled)}
    table = {name: _weighted(day, weight) for name, weight in weights.items()}
    return pd.DataFrame.from_dict(table, orient="index").astype({"n": int})


def _matched(p: Dollars, rows: Flags, pulled: Flags) -> Dollars:
    """Weights of the rows that nothing pulls, so that they fall into the bins of p as the pulled ones do."""
    edges = np.unique(np.quantile(p[rows & pulled], np.linspace(0, 1, BINS + 1))[1:-1])
    place = np.searchsorted(edges, p)
    wanted, there = (np.bincount(place[group], minlength=len(edges) + 1) for group in (rows & pulled, rows & ~pulled))
    weight = np.divide(wanted, there, out=np.zeros(len(wanted)), where=there > 0)
    return np.where(rows & ~pulled, weight[place], 0.0)


def _weighted(day: Snapshot, weight: Dollars) -> dict[str, float]:
    worth, hazard = day.worth, day.truth.months.p[:, 0]
    ratio = day.features["usage_vs_84d_ago"].fillna(1.0).to_numpy()
    return {
        "n": int((weight > 0).sum()),
        "usage_kept": float(np.average(ratio, weights=weight)),
        "p": float(np.average(worth.p, weights=weight)),
        "kept": float(np.average(day.truth.months.kept[:, 0], weights=weight * hazard)),
        "saves_per_100": 100 * float(np.average(worth.uplift, weights=weight)),
        "per_call": float(np.average(worth.gain, weights=weight)),
    }


def by_drop(world: World, day: Snapshot, calls: int) -> pd.DataFrame:
    """Call those whose usage fell most; then leave out who looked at prices, and see what is claimed and what holds.

    Parameters
    ----------
    world : World
    day : Snapshot
    calls : int
        Calls of either list.

    Returns
    -------
    pandas.DataFrame
        Rows "usage drop alone" and "price signals left out": ``calls``, ``pulled`` (share with a price or competitor
        behind it), ``claimed_per_100`` (saves if the world's mean effect held for all), ``saves_per_100``,
        ``per_call`` and ``earned`` (dollars).

    Raises
    ------
    ContractError
        Fewer than one call, or more calls than subscribers whose bill is due.
    """
    due = day.features["days_to_renewal"].to_numpy() == 0
    fell = -day.features["usage_vs_84d_ago"].to_numpy()
    price = looks_like_price(day.features)
    known = due & ~np.isnan(fell)
    most = int((known & ~price).sum())
    if not 1 <= calls <= most:
        refuse("calls", f"between 1 and {most}, those who can be listed", repr(calls), "take fewer calls")
    lists = {
        "usage drop alone": call_top(np.where(known, fell, -np.inf), calls),
        "price signals left out": call_top(np.where(known & ~price, fell, -np.inf), calls),
    }
    return pd.DataFrame.from_dict({name: _list_row(world, day, act) for name, act in lists.items()}, orient="index")


def _list_row(world: World, day: Snapshot, act: Flags) -> dict[str, float]:
    worth = day.worth
    return {
        "calls": int(act.sum()),
        "pulled": float(day.truth.months.pull[act, 0].mean()),
        "claimed_per_100": 100 * world.reach * world.effect * float(day.truth.months.p[act, 0].mean()),
        "saves_per_100": 100 * float(worth.uplift[act].mean()),
        "per_call": float(worth.gain[act].mean()),
        "earned": float(worth.gain[act].sum()),
    }


@dataclass(frozen=True)
class BeforeAfter:
    """A list's churn before and after its calls.

    Attributes
    ----------
    months : pandas.DataFrame
        One row a month; ``left_alone`` and ``called``: expected share of those still there that leaves in it. The
        list is drawn up before month 0 and called in month 1.
    fell_alone, fell_called : float
        Relative fall from month 0 to month 1 without and with calls.
    claimed, true : float
        What before/after credits to the calls, and what they did: relative fall of month 1's churn against the same
        list left alone.
    measured : Effect
        What a random half of the list, kept uncalled, shows: difference of the share that leaves in month 1, one
        play of the coins, companies as clusters.
    """

    months: pd.DataFrame
    fell_alone: float
    fell_called: float
    claimed: float
    true: float
    measured: Effect


def before_after(
    world: World, truth: Truth, listed: npt.ArrayLike, rng: np.random.Generator, months: int = 6
) -> BeforeAfter:
    """Compare a list's churn before its calls with its churn after them, although it would have fallen anyway.

    The list was drawn up from signs that pass: health returns to its mean, the riskiest are gone, and an annual bill
    that was refused or paid is not due again next month.

    Parameters
    ----------
    world : World
    truth : Truth
    listed : array_like of bool, shape (n,)
        The list, drawn up before month 0.
    rng : numpy.random.Generator
        Draws the halves; the truth's luck decides who leaves.
    months : int
        Months to show, at least 2.

    Returns
    -------
    BeforeAfter

    Raises
    ------
    ContractError
        Nobody listed, nobody who can leave, fewer than two months.

    Examples
    --------
    >>> from casebook.churn.snapshot import draw_snapshot
    >>> day = draw_snapshot(World(effect=0.0, dogs=0.0), 4_000, np.random.default_rng(0))
    >>> told = before_after(World(effect=0.0), day.truth, call_top(day.worth.p, 400), np.random.default_rng(1))
    >>> told.claimed > 0.2, round(told.true, 9)
    (True, 0.0)
    """
    rows = flags(listed, truth, "listed")
    longest = truth.months.p.shape[1]
    if not 2 <= months <= longest:
        refuse("months", f"between 2 and {longest}", repr(months), "pass 6")
    alone = stays(world, truth.months, truth.carry, months)[rows]
    if alone[:, 0].mean() == 1.0:
        refuse("listed", "1 for somebody who can leave", "a list without risk", "list subscribers whose bill is due")
    spared = _called_in_second(world, truth, months)[rows]
    plain, worked = _monthly(alone), _monthly(spared)
    table = pd.DataFrame({"month": range(months), "left_alone": plain, "called": worked})
    fell_alone, fell_called = (float(1 - rate[1] / rate[0]) for rate in (plain, worked))
    true = float(1 - worked[1] / plain[1])
    return BeforeAfter(table, fell_alone, fell_called, fell_called, true, _halves(world, truth, rows, rng))


def _called_in_second(world: World, truth: Truth, months: int) -> Dollars:
    """Chance of staying if everybody is called in month 1, those reached and not reached averaged."""
    alone = stays(world, truth.months, truth.carry, months)
    kept = truth.months.kept[:, 1]
    later = type(truth.months)(**{name: part[:, 1:] for name, part in vars(truth.months).items()})
    carried = np.asarray(truth.carry * np.float32(world.persistence) + kept, dtype=np.float32)
    reached = alone[:, [0]] * stays(world, later, carried, months - 1)
    spared = alone.copy()
    spared[:, 1:] = world.reach * reached + (1 - world.reach) * alone[:, 1:]
    return spared


def _monthly(survival: Dollars) -> Dollars:
    there = np.concatenate([[1.0], survival.mean(axis=0)])
    return np.asarray(1 - there[1:] / there[:-1])


def _halves(world: World, truth: Truth, rows: Flags, rng: np.random.Generator) -> Effect:
    members = np.flatnonzero(rows)
    still = members[run(world, truth, months=1).here(1)[members]]
    account = truth.people.account[still]
    treated = assign(still, rng, cluster=account).to_numpy()
    act = np.isin(np.arange(len(rows)), still[treated])
    played = run(world, truth, once(act, month=1), 2)
    return difference(~played.here(2)[still], treated, cluster=account)
