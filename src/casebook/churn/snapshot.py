"""One month of many companies' subscribers at once: the same law as the warehouse, without its events.

Studies need hundreds of pilots of up to a hundred thousand rows. A snapshot draws the subscribers, plays a year so
that they are survivors, and draws the counts that the warehouse would show instead of the events behind them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from casebook.churn.evaluate import Worth, worth
from casebook.churn.latent import Months, People, continue_months, draw_months, draw_people, due, risk
from casebook.churn.play import STAYS, Luck, nobody, play
from casebook.churn.simulate import SELECTED, Truth
from casebook.churn.warehouse import usage_level
from casebook.churn.world import FUTURE, MONTHS_BEFORE, World


@dataclass(frozen=True)
class Snapshot:
    """Subscribers of one day.

    Attributes
    ----------
    features : pandas.DataFrame
        What the company sees, named as :mod:`casebook.churn.features` names it.
    truth : Truth
    worth : Worth
    """

    features: pd.DataFrame
    truth: Truth
    worth: Worth

    def __len__(self) -> int:
        return len(self.features)


def draw_snapshot(world: World, n: int, rng: np.random.Generator, months: int = FUTURE) -> Snapshot:
    """Draw about ``n`` subscribers of one day whom nobody has called yet.

    Parameters
    ----------
    world : World
    n : int
        Wanted rows; what is drawn differs by a few percent.
    rng : numpy.random.Generator
    months : int
        How far the truth looks ahead; the dollars of ``worth`` count no further.

    Examples
    --------
    >>> day = draw_snapshot(World(), 3_000, np.random.default_rng(0))
    >>> bool(0.02 < day.worth.p.mean() < 0.06)
    True
    """
    length = MONTHS_BEFORE + 1
    people = draw_people(world, n, round(n * SELECTED * (world.leaving + world.failed_cards)), length, rng)
    past = draw_months(world, people, 0, length - 1, rng)
    luck = Luck.draw(len(people), length - 1, rng)
    played = play(world, past, luck, nobody, here=lambda month: people.start <= month)
    rows = np.flatnonzero((played.left == STAYS) & (people.start < MONTHS_BEFORE))
    people, past = people.take(rows), past.take(rows)
    future = continue_months(world, people, past, MONTHS_BEFORE, months, rng)
    carry = np.zeros(len(rows), dtype=np.float32)
    truth = Truth(rows.astype(np.int32), people, future, Luck.draw(len(rows), months, rng), carry, past)
    return Snapshot(observe(world, people, past, future, rng), truth, worth(world, truth, months))


def observe(world: World, people: People, past: Months, future: Months, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the counts that the warehouse would show of these people on the first day of the future.

    Returns
    -------
    pandas.DataFrame
        One row a person, all columns float.
    """
    months_here = np.maximum(MONTHS_BEFORE - people.start, 0)
    health = np.column_stack([past.health, future.health[:, 0]])
    pull = np.column_stack([past.pull, future.pull[:, 0]])
    logins = _logins(world, people, health, pull, rng)
    old = months_here >= 3
    frame = {
        "logins_7d": rng.poisson(logins[:, -1] / 4).astype(float),
        "logins_28d": logins[:, -1],
        "logins_84d_ago": np.where(old, logins[:, -4], np.nan),
        "usage_vs_84d_ago": np.where(old, (logins[:, -1] + 1) / (logins[:, -4] + 1), np.nan),
        "features_used": 1 + rng.binomial(10, expit(people.breadth - 0.5)).astype(float),
        "pricing_views_28d": rng.poisson(4 * (0.03 + 0.5 * pull[:, -2])).astype(float),
        "tenure_days": 30.4 * months_here,
        "price": people.price,
        "is_annual": people.annual.astype(float),
        "days_to_renewal": 30.4 * _until_due(people),
        "employees": people.size.astype(float),
        "failed_payments_180d": rng.poisson(np.minimum(months_here, 6) * 1.2 * past.failed[:, -1]).astype(float),
    }
    return pd.DataFrame(frame | _tickets(world, people, health, pull, months_here, rng))


def _logins(
    world: World, people: People, health: NDArray[np.float32], pull: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Logins of each of the last four spells of four weeks, oldest first."""
    spells = []
    for back in range(4, 0, -1):
        middle = np.asarray((health[:, -back] + health[:, -back - 1]) / 2, dtype=np.float32)
        spells.append(rng.poisson(4 * np.exp(usage_level(world, people, middle, pull[:, -back - 1]))))
    return np.column_stack(spells).astype(float)


def _tickets(
    world: World,
    people: People,
    health: NDArray[np.float32],
    pull: NDArray[np.bool_],
    months_here: NDArray[np.int64],
    rng: np.random.Generator,
) -> dict[str, NDArray[np.float64]]:
    ill = risk(world, people, health[:, -2])
    recent = rng.poisson(0.2 * np.exp(0.45 * ill))
    older = rng.poisson(0.2 * np.exp(0.45 * np.sqrt(1 - world.changing) * people.frailty) * np.minimum(months_here, 5))
    how_to = 0.15 + 0.6 * ndtr(1.2 * people.need) * np.where(pull[:, -2], 0.4, 1.0)
    billing = np.where(pull[:, -2], 0.5, 0.1) * (1 - how_to)
    down = 0.006 * np.exp(0.5 * ill) * (1 + 2 * pull[:, -2])
    return {
        "tickets_30d": recent.astype(float),
        "how_to_tickets_180d": rng.binomial(recent + older, how_to).astype(float),
        "billing_tickets_30d": rng.binomial(recent, billing).astype(float),
        "downgrades_90d": rng.poisson(3 * down).astype(float),
    }


def _until_due(people: People) -> NDArray[np.int64]:
    """Months until the next bill that can be refused; 0 if it falls due this month."""
    wait = np.zeros(len(people), dtype=np.int64)
    for ahead in range(11, -1, -1):
        wait[due(people, MONTHS_BEFORE + ahead)] = ahead
    return wait
