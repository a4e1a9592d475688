"""An issuer and its fraudsters, day by day: what the bank sees, what it decides, and, apart from it, the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from casebook.contracts import refuse
from casebook.fraud.attacks_plan import Bank
from casebook.fraud.frames import card_table, merchant_table
from casebook.fraud.habits import draw_habits
from casebook.fraud.merchants import draw_market
from casebook.fraud.morning import Policy
from casebook.fraud.people import draw_people
from casebook.fraud.play import Play
from casebook.fraud.truth import Truth
from casebook.fraud.world import CARDS, DAYS, World


@dataclass(frozen=True)
class Run:
    """One world played under one policy.

    Attributes
    ----------
    world : World
    days : int
    tables : dict of str to pandas.DataFrame
        What the bank has at the end, see :data:`casebook.fraud.tables.TABLES`.
    truth : Truth
    money : pandas.DataFrame
        One row a day: ``events``, ``attempts`` that arrived, ``passed`` of them; ``loss``; ``friction`` and its parts
        ``push``, ``call``, ``block``, ``stopped``; ``blocked_dollars``, the amounts of attempts that did not pass,
        and ``saved``, what these would have cost. Dollars.
    """

    world: World
    days: int
    tables: dict[str, pd.DataFrame]
    truth: Truth
    money: pd.DataFrame


def simulate(
    world: World,
    cards: int = CARDS,
    days: int = DAYS,
    rng: np.random.Generator | None = None,
    policy: Policy | None = None,
    *,
    sees_truth: bool = False,
) -> Run:
    r"""Play a bank for so many days, one day a step.

    Honest events are those of :func:`casebook.fraud.habits.draw_habits`, the same under every policy. On each day
    new episodes begin as Poisson processes, a kind's tactic by weights :math:`w_k` that move by the replicator
    equation with the dollars that passed (:mod:`casebook.fraud.adversary`). The policy sees the day's events, the
    log and what has been reported, and returns an action an event; what comes of it is in
    :mod:`casebook.fraud.outcomes`. A card that was stopped has no further attempt from the next midnight on, and an
    episode that was noticed ends on that card.

    Who sums labelled rows errs here: labels are late, are missing where the policy blocked, and where an early stop
    spared the rest of an episode.

    Parameters
    ----------
    world : World
    cards, days : int
        At least 50 cards and 1 day; the defaults make two million events.
    rng : numpy.random.Generator
    policy : callable, optional
        From :class:`casebook.fraud.morning.Morning` to an array of n codes into ``ACTIONS``; None allows all.
    sees_truth : bool
        Whether the mornings hold ``fraud`` and ``loss_dollars``: for oracles only.

    Returns
    -------
    Run

    Raises
    ------
    ContractError
        If there are too few cards or days, no generator, or the policy returns something else.

    Examples
    --------
    >>> run = simulate(World(prevalence=0.01), 500, 20, np.random.default_rng(0))
    >>> sorted(run.tables)
    ['answers', 'cards', 'decisions', 'events', 'merchants', 'reports']
    >>> blocks = lambda morning: np.full(len(morning.events), 3)
    >>> run = simulate(World(prevalence=0.01), 500, 20, np.random.default_rng(0), blocks)
    >>> float(run.money["loss"].sum())
    0.0
    """
    bank, for_fraud = open_bank(world, cards, days, rng)
    play = Play(bank, for_fraud, sees_truth)
    for day in range(days):
        play.one_day(day, policy)
    return as_run(play, bank)


def open_bank(world: World, cards: int, days: int, rng: np.random.Generator | None) -> tuple[Bank, np.random.Generator]:
    """Return a bank with all that its holders will do, and the generator of its fraudsters."""
    if rng is None:
        refuse("rng", "a numpy.random.Generator", "nothing", "pass np.random.default_rng(seed)")
    if cards < 50 or days < 1:
        refuse("cards and days", "at least 50 and 1", f"{cards} and {days}", "play a larger bank")
    for_market, for_people, for_habits, for_fraud = rng.spawn(4)
    market = draw_market(cards, for_market)
    people = draw_people(world, cards, market, for_people)
    honest = draw_habits(world, people, market, days, for_habits)
    return Bank(world, people, market, honest, days), for_fraud


def as_run(play: Play, bank: Bank, first_day: int = 0) -> Run:
    """Return what has been played, with the money of the days from the first one on."""
    tables = play.tables() | {"cards": card_table(bank.people), "merchants": merchant_table(bank.market)}
    money = play.money()
    return Run(bank.world, bank.days, tables, play.truth(), money[money["day"] >= first_day].reset_index(drop=True))
