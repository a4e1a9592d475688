"""One software company: two years of event tables as its warehouse holds them and, apart from them, the truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.churn import warehouse
from casebook.churn.latent import Months, People, continue_months, draw_months, draw_people
from casebook.churn.play import STAYS, Luck, Played, play
from casebook.churn.reps import History
from casebook.churn.world import FUTURE, MONTHS, MONTHS_BEFORE, World

SELECTED = 0.73  # those who stay are the loyal: the rate among them is so much of the unselected one
LISTED = np.array(["", "rep", "pilot", "off_list"])


@dataclass(frozen=True)
class Truth:
    """What no company knows, for those subscribed today, in the order of their ids.

    Attributes
    ----------
    subscriber_id : numpy.ndarray of int, shape (n,)
    people : People
        Traits; ``people.start`` counts months from the warehouse's first.
    months : Months
        Hazards and effects of the ``FUTURE`` months from today on, shape (n, FUTURE).
    luck : Luck
        The coin flips of those months; whoever runs a policy meets the same ones.
    carry : numpy.ndarray of float, shape (n,)
        What earlier calls still take off each hazard.
    past : Months
        The ``MONTHS`` months of the warehouse, for everybody in ``customers`` (shape (all, MONTHS)).
    """

    subscriber_id: NDArray[np.int32]
    people: People
    months: Months
    luck: Luck
    carry: NDArray[np.float32]
    past: Months


@dataclass(frozen=True)
class Company:
    """What the company sees (tables) and what it does not (truth)."""

    world: World
    tables: dict[str, pd.DataFrame]
    truth: Truth


def simulate(world: World, n: int, rng: np.random.Generator) -> Company:
    """Draw a company with about ``n`` subscribers and play it to today.

    Twelve months are played before the warehouse begins, so that its first subscribers are survivors. Leavers are
    replaced at the rate at which they go. Naive readers err here by as much as the dials say: the riskiest are not
    the most persuadable, last year's calls went to those who were leaving anyway, a dormant subscriber is woken by
    a call, and a save may be a postponement.

    Parameters
    ----------
    world : World
    n : int
        Subscribers at any time, about.
    rng : numpy.random.Generator

    Returns
    -------
    Company

    Examples
    --------
    >>> company = simulate(World(), 2_000, np.random.default_rng(0))
    >>> sorted(company.tables)[:4]
    ['calls', 'cancellations', 'customers', 'emails']
    """
    length = MONTHS_BEFORE + MONTHS
    people = draw_people(world, n, round(n * SELECTED * (world.leaving + world.failed_cards)), length, rng)
    months = draw_months(world, people, 0, length, rng)
    history = History(world, people, months, n, rng)
    luck = Luck.draw(len(people), length, rng)
    played = play(world, months, luck, history, here=lambda month: people.start <= month)
    seen = np.flatnonzero(played.left >= MONTHS_BEFORE)
    return _open_warehouse(world, _Past(people, months, played, history).take(seen), rng)


@dataclass(frozen=True)
class _Past:
    people: People
    months: Months
    played: Played
    history: History

    def take(self, rows: NDArray[np.int64]) -> _Past:
        history, played = self.history, self.played
        history.arm, history.enrolled = history.arm[rows], history.enrolled[rows]
        history.listed = history.listed[rows, MONTHS_BEFORE:]
        window = slice(MONTHS_BEFORE, None)
        months = Months(**{name: part[rows, window] for name, part in vars(self.months).items()})
        kept = Played(
            warehouse.leaving_month(played.left[rows], MONTHS_BEFORE),
            played.by_card[rows],
            played.called[rows, window],
            played.reached[rows, window],
            played.carry[rows],
        )
        people = self.people.take(rows)
        return _Past(replace(people, start=people.start - MONTHS_BEFORE), months, kept, history)


def _open_warehouse(world: World, past: _Past, rng: np.random.Generator) -> Company:
    ledger = warehouse.Ledger(past.people, past.played)
    active = np.flatnonzero(past.played.left == STAYS)
    people = past.people.take(active)
    future = continue_months(world, people, past.months.take(active), MONTHS, FUTURE, rng)
    next_health = past.months.health[:, -1].copy()
    next_health[active] = future.health[:, 0]
    truth = Truth(
        ledger.ids[active], people, future, Luck.draw(len(active), FUTURE, rng), past.played.carry[active], past.months
    )
    tables = _event_tables(world, past, ledger, next_health, rng)
    return Company(world, tables, truth)


def _event_tables(
    world: World, past: _Past, ledger: warehouse.Ledger, next_health: NDArray[np.float32], rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    months = past.months
    return {
        "customers": warehouse.customers(ledger),
        "cancellations": warehouse.cancellations(ledger),
        "usage_weekly": warehouse.usage(world, ledger, months, next_health, rng),
        "tickets": warehouse.tickets(world, ledger, months, rng),
        "plan_changes": warehouse.plan_changes(world, ledger, months, rng),
        "failed_payments": warehouse.failed_payments(ledger, months, rng),
        "surveys": warehouse.surveys(world, ledger, months, rng),
        "emails": warehouse.emails(world, ledger, months, rng),
        "calls": _calls(past, ledger),
        "pilot": _pilot(past.history, ledger),
        "feedback": _feedback(past, ledger, rng),
    }


def _calls(past: _Past, ledger: warehouse.Ledger) -> pd.DataFrame:
    rows, month = np.nonzero(past.played.called)
    frame = pd.DataFrame(
        {
            "subscriber_id": ledger.ids[rows],
            "called_on": warehouse.MONTH_STARTS[month] + 1,
            "listed_by": LISTED[past.history.listed[rows, month]],
            "reached": past.played.reached[rows, month],
        }
    )
    return frame.sort_values(["called_on", "subscriber_id"], ignore_index=True)


def _pilot(history: History, ledger: warehouse.Ledger) -> pd.DataFrame:
    rows = np.flatnonzero(history.arm >= 0)
    frame = pd.DataFrame(
        {
            "subscriber_id": ledger.ids[rows],
            "account_id": ledger.people.account[rows].astype(np.int32),
            "enrolled_on": warehouse.MONTH_STARTS[history.enrolled[rows] - MONTHS_BEFORE],
            "arm": np.where(history.arm[rows] == 1, "call", "control"),
        }
    )
    return frame.sort_values(["enrolled_on", "subscriber_id"], ignore_index=True)


def _feedback(past: _Past, ledger: warehouse.Ledger, rng: np.random.Generator) -> pd.DataFrame:
    """Complaints and unsubscribes: rare by themselves, likelier after a call, likeliest from a sleeping dog."""
    parts = []
    for kind, rare, after in (("complaint", 0.001, 0.006), ("unsubscribe", 0.002, 0.004)):
        for month in range(MONTHS):
            reached = past.played.reached[:, month]
            chance = rare + after * reached * np.where(past.people.dog, 5, 1)
            rows = _happens(chance, ledger, month, rng)
            offset = np.minimum(rng.integers(2, 9, len(rows)), past.people.day[rows] - 1)
            day = warehouse.MONTH_STARTS[month] + offset
            parts.append(pd.DataFrame({"subscriber_id": ledger.ids[rows], "happened_on": day, "kind": kind}))
    frame = pd.concat(parts, ignore_index=True)
    return frame.sort_values(["happened_on", "subscriber_id", "kind"], ignore_index=True)


def _happens(
    chance: NDArray[np.floating[Any]], ledger: warehouse.Ledger, month: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    here = (ledger.start < month) & (ledger.left >= month)
    return np.flatnonzero((rng.random(len(chance)) < chance) & here).astype(np.int64)
