"""Fraud without the card: testing of stolen numbers, and buying with them."""

from __future__ import annotations

import numpy as np

from casebook.fraud.adversary import ABROAD, AMOUNTS, GAPS
from casebook.fraud.attacks_plan import (
    Array,
    Bank,
    Sketch,
    Victims,
    draw_groups,
    hidden,
    running,
    several,
    start_second,
)
from casebook.fraud.merchants import ONLINE, ONLINE_ABROAD
from casebook.fraud.stream import Attempts, Ids, Ints, fresh_ids
from casebook.fraud.world import CATEGORIES, DAY, ENTRIES, KINDS

TESTED = (12, 26)  # cards that one tester tries
USED = 0.35  # share of them with which somebody buys afterwards
DEAR = {"electronics": 0.4, "fashion": 0.25, "travel": 0.2, "home": 0.15}
THREEDS = 0.12  # share of buys with a stolen number that meet 3-D Secure
FOREIGN_SITE = 0.3
_TYPED, _THREEDS = ENTRIES.index("typed"), ENTRIES.index("threeds")


def card_testing(bank: Bank, victims: Victims, day: int, tactic: Array, rng: np.random.Generator) -> Attempts:
    """Plan testers: one digital merchant, tens of cards, cents to three dollars within minutes, then dear buys.

    Parameters
    ----------
    bank : Bank
    victims : Victims
    day : int
        The day on which the episodes begin.
    tactic : array of int, shape (k,)
        One code into ``TACTICS`` for each of the k episodes.
    rng : numpy.random.Generator

    Returns
    -------
    Attempts
        Episodes are numbered from 0; some attempts may lie after the world's last day. All planners of kinds have
        these parameters and this result.
    """
    k = len(tactic)
    group, card = draw_groups(victims, several(*TESTED, k, rng), day, rng)
    digital = np.full(k, CATEGORIES.index("digital"))
    place = np.where(rng.random(k) < FOREIGN_SITE * ABROAD[tactic], ONLINE_ABROAD, ONLINE)
    merchant = bank.market.pick(place, digital, rng.random(k))[group]
    minutes = 6 * GAPS[tactic][group] * rng.exponential(1, len(card))
    at = day * DAY + rng.integers(DAY - 3_600, size=k)[group] + (60 * minutes).astype(np.int64)
    tests = _sketch(
        0, group, tactic[group], card, at, merchant, rng.uniform(0.3, 3, len(card)), np.zeros(len(card)), rng
    )
    bought = np.flatnonzero(rng.random(len(card)) < USED)
    count = several(1, 3, len(bought), rng)
    rows = np.repeat(bought, count)
    gap = rng.exponential(5 * 3_600, len(rows)) * GAPS[tactic][group[rows]] + 300
    later = at[rows] + running(count, gap) + np.repeat(rng.exponential(8 * 3_600, len(bought)), count).astype(np.int64)
    buys = _buys(bank, 0, group[rows], tactic[group[rows]], card[rows], later + 600, rng)
    sketches = [tests, buys]
    joined = [np.concatenate([getattr(one, name) for one in sketches]) for name in _COLUMNS]
    return Sketch(0, *joined).finish(bank, rng)


def card_not_present(bank: Bank, victims: Victims, day: int, tactic: Array, rng: np.random.Generator) -> Attempts:
    """Plan buyers with a stolen number: two to six buys over one to three days, mostly without 3-D Secure."""
    group, card = draw_groups(victims, np.ones(len(tactic), int), day, rng, _online_users(bank))
    kind, count = KINDS.index("card_not_present"), several(2, 6, len(card), rng)
    rows = np.repeat(np.arange(len(card)), count)
    plan = tactic[group]
    gap = rng.exponential(9 * 3_600, len(rows)) * GAPS[plan[rows]]
    at = day * DAY + start_second(bank.people, card, plan, rng)[rows] + running(count, gap)
    return _buys(bank, kind, group[rows], plan[rows], card[rows], at, rng).finish(bank, rng)


_COLUMNS = ("episode", "tactic", "card", "at", "merchant", "entry", "dollars", "device", "ip", "address")


def _online_users(bank: Bank) -> Array:
    """Return cards that are known to sites: each as often as it pays there in ten days, about."""
    often = np.minimum(bank.people.online * bank.people.rate * 10, 50).astype(np.int64)
    return np.repeat(np.arange(len(bank.people)), often + 1)


def _buys(
    bank: Bank, kind: int, episode: Array, tactic: Array, card: Ints, at: Ids, rng: np.random.Generator
) -> Sketch:
    n = len(card)
    what = rng.choice([CATEGORIES.index(name) for name in DEAR], n, p=list(DEAR.values()))
    place = np.where(rng.random(n) < FOREIGN_SITE * ABROAD[tactic], ONLINE_ABROAD, ONLINE)
    merchant = bank.market.pick(place, what, rng.random(n))
    dollars = 170 * rng.lognormal(0, 0.7, n) * AMOUNTS[tactic]
    return _sketch(kind, episode, tactic, card, at, merchant, dollars, rng.random(n) < THREEDS, rng)


def _sketch(
    kind: int,
    episode: Array,
    tactic: Array,
    card: Ints,
    at: Ids,
    merchant: Ints,
    dollars: Array,
    threeds: Array,
    rng: np.random.Generator,
) -> Sketch:
    """Fill in entries, and for each episode the device, network and drop address that 3-D Secure would show."""
    n = len(card)
    entry = np.where(threeds, _THREEDS, _TYPED)
    many = int(episode.max()) + 1 if n else 0
    device, ip, address = (fresh_ids(many, rng)[episode] if n else hidden(n) for _ in range(3))
    return Sketch(kind, episode, tactic, card, at, merchant, entry, dollars, device, ip, address)
