"""What a call is worth in dollars, and what each way of choosing whom to call earns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.churn.latent import Flags, Floats, Months
from casebook.churn.play import Played, Rule, State, called_hazard, nobody, play
from casebook.churn.simulate import Truth
from casebook.churn.world import World
from casebook.worlds import captured

Dollars = NDArray[np.float64]


@dataclass(frozen=True)
class Worth:
    """The truth of one call to each subscriber today, arrays of shape (n,).

    Attributes
    ----------
    p : chance of leaving in the next month without a call, failed cards included.
    uplift : what a call adds to the chance of still being there a month from now, reached or not.
    value : dollars of margin still to come without a call.
    saved : dollars of margin still to come from somebody who was about to leave this month and stayed.
    gain : dollars that a call adds, less its cost.
    """

    p: Dollars
    uplift: Dollars
    value: Dollars
    saved: Dollars
    gain: Dollars


def worth(world: World, truth: Truth, horizon: int = 36) -> Worth:
    """Return what a call today is worth for everybody, coin flips integrated out.

    The margin of the ``horizon`` months from today counts, month by month along each subscriber's own later
    hazard; what a call takes off the hazard fades by ``World.persistence`` a month. So a save that only
    postpones is worth the months that it bought and no more.

    Parameters
    ----------
    world : World
    truth : Truth
    horizon : int
        Months that count, at most those which the truth holds.

    Returns
    -------
    Worth
    """
    months, carry = truth.months, truth.carry
    paid = world.margin * truth.people.price
    with_call = carry + months.kept[:, 0]
    alone, reached = (_stays(world, months, start, horizon) for start in (carry, with_call))
    first = 1 - called_hazard(months.p[:, 0], carry)
    value = paid * alone.sum(axis=1)
    gain = world.reach * paid * (reached.sum(axis=1) - alone.sum(axis=1)) - world.call_cost
    return Worth(
        p=1 - alone[:, 0],
        uplift=world.reach * (reached[:, 0] - alone[:, 0]),
        value=value,
        saved=value / np.maximum(first, 1e-6),
        gain=gain,
    )


def _stays(world: World, months: Months, carry: Floats, horizon: int) -> Dollars:
    """Chance of having paid the bill of each month, shape (n, horizon)."""
    left = carry[:, None] * np.float32(world.persistence) ** np.arange(horizon, dtype=np.float32)
    hazard = called_hazard(months.p[:, :horizon], left)
    return np.cumprod((1.0 - hazard) * (1.0 - months.failed[:, :horizon]), axis=1, dtype=np.float64)


def call_top(score: Dollars, calls: int, least: float = -np.inf) -> Flags:
    """Return whom to call: the ``calls`` highest scores above ``least``; ties go by position, shape (n,).

    Examples
    --------
    >>> call_top(np.array([0.1, 0.4, -0.2, 0.3]), calls=3, least=0.2).tolist()
    [False, True, False, True]
    """
    order = np.argsort(-np.asarray(score), kind="stable")[: max(calls, 0)]
    act = np.zeros(len(score), dtype=bool)
    act[order] = True
    return act & (np.asarray(score) > least)


def money_table(truth: Worth, acts: Mapping[str, Flags], budget: int) -> pd.DataFrame:
    """Return what each policy's calls earn: calls made, saves, dollars, and the share of the oracle's.

    Parameters
    ----------
    truth : Worth
    acts : mapping of str to numpy.ndarray of bool, shape (n,)
        Whom each policy calls.
    budget : int
        Calls that the oracle may make: the best ones with a gain above zero.

    Returns
    -------
    pandas.DataFrame
        One row a policy, ``oracle`` last: ``calls``, ``saved`` (subscribers kept a month), ``earned`` (dollars,
        cost included), ``per_call``, ``captured``.
    """
    rows = dict(acts) | {"oracle": call_top(truth.gain, budget, least=0.0)}
    table = pd.DataFrame(
        {
            "calls": {name: int(act.sum()) for name, act in rows.items()},
            "saved": {name: float(truth.uplift[act].sum()) for name, act in rows.items()},
            "earned": {name: float(truth.gain[act].sum()) for name, act in rows.items()},
        }
    )
    table["per_call"] = table["earned"] / table["calls"].where(table["calls"] > 0)
    table["captured"] = captured(table["earned"], 0.0, table["earned"].iloc[-1])
    return table


def run(world: World, truth: Truth, rule: Rule = nobody, months: int = 12) -> Played:
    """Run a policy in the world for ``months`` months from today, on the truth's own coin flips.

    Two rules meet the same luck, so the difference of their dollars is theirs and not luck's.
    """
    window = Months(**{name: part[:, :months] for name, part in vars(truth.months).items()})
    return play(world, window, truth.luck, rule, carry=truth.carry)


def dollars(world: World, truth: Truth, played: Played) -> Dollars:
    """Return realised margin less the cost of calls, month by month, shape (months,)."""
    paid = world.margin * truth.people.price
    length = played.called.shape[1]
    margin = [float(paid[played.here(month + 1)].sum()) for month in range(length)]
    return np.asarray(margin) - world.call_cost * played.called.sum(axis=0)


def once(act: Flags, month: int = 0) -> Rule:
    """Return the rule that calls these people in one month and nobody after it."""

    def rule(state: State) -> Flags:
        return act if state.month == month else np.zeros_like(act)

    return rule
