"""Fraud at terminals: the stolen card, the skimmed card, and the card in a stranger's phone."""

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
from casebook.fraud.merchants import CITIES, PLACES
from casebook.fraud.stream import Attempts, Ids, Ints
from casebook.fraud.world import ALL_KINDS, CATEGORIES, CHANNELS, DAY

SKIM_FROM, SKIM_UNTIL, SKIM_DAYS = 28, 7, 5  # the skimming lies between so many days before the first use
SKIMMED = (10, 30)  # cards that one skimmer uses
COUNTERFEIT_ABROAD = 0.55
_SMALL = ("grocery", "fuel", "pharmacy", "restaurant")
_LARGE = ("electronics", "fashion", "home", "grocery")
_CHIP, _CONTACTLESS, _MAGSTRIPE, _WALLET = range(4)


def stolen_card(bank: Bank, victims: Victims, day: int, tactic: Array, rng: np.random.Generator) -> Attempts:
    """Plan thieves near the holder's home: small and contactless first, then larger, within hours."""
    group, card = draw_groups(victims, np.ones(len(tactic), int), day, rng)
    small, large = several(1, 2, len(card), rng), several(2, 4, len(card), rng)
    count = small + large
    rows = np.repeat(np.arange(len(card)), count)
    plan = tactic[group][rows]
    first = running(count, np.ones(len(rows))) < small[rows]
    at = day * DAY + start_second(bank.people, card, tactic[group], rng)[rows]
    at = at + running(count, 60 + rng.exponential(2_400, len(rows)) * GAPS[plan])
    what = np.where(first, _of(_SMALL, len(rows), rng), _of(_LARGE, len(rows), rng))
    later = np.where(rng.random(len(rows)) < 0.75, _CHIP, _MAGSTRIPE)
    dollars = np.where(first, rng.uniform(6, 38, len(rows)), 140 * rng.lognormal(0, 0.6, len(rows)) * AMOUNTS[plan])
    place = bank.people.place[card][rows]
    kind = ALL_KINDS.index("stolen_card")
    return _at_terminal(
        bank, kind, group[rows], plan, card[rows], at, place, what, np.where(first, _CONTACTLESS, later), dollars, rng
    )


def compromised_merchant(bank: Bank, victims: Victims, day: int, tactic: Array, rng: np.random.Generator) -> Attempts:
    """Plan skimmers: cards that really paid at one merchant in a window of days are forged weeks later.

    The forged stripes are used elsewhere, mostly abroad. Where the window lies before the log, those who pay there
    in the log's first days stand in for those who paid there before it.
    """
    groups = [_skimmed(bank, victims, day, rng) for _ in tactic]
    group = np.repeat(np.arange(len(tactic)), [len(cards) for cards in groups])
    card = np.concatenate([*groups, np.zeros(0, np.int32)]).astype(np.int32)
    count = several(1, 3, len(card), rng)
    rows = np.repeat(np.arange(len(card)), count)
    plan = tactic[group][rows]
    wait = np.minimum(rng.exponential(3, len(card)) * GAPS[tactic[group]], 25).astype(np.int64)
    at = (day + wait[rows]) * DAY + start_second(bank.people, card, tactic[group], rng)[rows]
    at = at + running(count, 300 + rng.exponential(3 * 3_600, len(rows)) * GAPS[plan])
    away = rng.random(len(card)) < COUNTERFEIT_ABROAD * ABROAD[tactic[group]]
    where = np.where(away, rng.integers(CITIES, PLACES, len(card)), _other_city(bank, card, rng))[rows]
    dollars = 150 * rng.lognormal(0, 0.6, len(rows)) * AMOUNTS[plan]
    entry = np.where(rng.random(len(rows)) < 0.93, _MAGSTRIPE, _CHIP)  # a few terminals log a fallback as chip
    what = _of(_LARGE, len(rows), rng)
    kind = ALL_KINDS.index("compromised_merchant")
    return _at_terminal(bank, kind, group[rows], plan, card[rows], at, where, what, entry, dollars, rng)


def wallet(bank: Bank, victims: Victims, day: int, tactic: Array, rng: np.random.Generator) -> Attempts:
    """Plan strangers who have put the card into their own phone: it pays as the holder's phone does, elsewhere."""
    group, card = draw_groups(victims, np.ones(len(tactic), int), day, rng)
    count = several(3, 6, len(card), rng)
    rows = np.repeat(np.arange(len(card)), count)
    plan = tactic[group][rows]
    at = day * DAY + start_second(bank.people, card, tactic[group], rng)[rows]
    at = at + running(count, 60 + rng.exponential(2_000, len(rows)) * GAPS[plan])
    away = rng.random(len(card)) < 0.3 * ABROAD[tactic[group]]
    where = np.where(away, rng.integers(CITIES, PLACES, len(card)), _other_city(bank, card, rng))[rows]
    what = _of(("grocery", "electronics", "pharmacy"), len(rows), rng)
    dollars = 95 * rng.lognormal(0, 0.5, len(rows)) * AMOUNTS[plan]
    entry = np.full(len(rows), _WALLET)
    kind = ALL_KINDS.index("wallet")
    return _at_terminal(bank, kind, group[rows], plan, card[rows], at, where, what, entry, dollars, rng)


def _of(names: tuple[str, ...], n: int, rng: np.random.Generator) -> Array:
    return rng.choice([CATEGORIES.index(name) for name in names], n)


def _other_city(bank: Bank, card: Ints, rng: np.random.Generator) -> Array:
    return (bank.people.place[card] + rng.integers(1, CITIES, len(card))) % CITIES


def _skimmed(bank: Bank, victims: Victims, day: int, rng: np.random.Generator) -> Ints:
    """Return cards that paid at one merchant in the window; large merchants are likelier to be chosen."""
    first = max(int(rng.integers(day - SKIM_FROM, day - SKIM_UNTIL - SKIM_DAYS + 1)), 0)
    size = int(several(*SKIMMED, 1, rng)[0])
    low, high = np.searchsorted(bank.honest.at, [first * DAY, (first + SKIM_DAYS) * DAY])
    window = bank.honest.take(slice(low, high))
    shops = np.flatnonzero(
        (window.channel == CHANNELS.index("terminal")) & (bank.market.place[window.merchant] < CITIES)
    )
    if len(shops) == 0:
        return np.zeros(0, np.int32)
    merchant = window.merchant[rng.choice(shops)]
    return victims.draw(size, day, rng, np.unique(window.card[shops][window.merchant[shops] == merchant]))


def _at_terminal(
    bank: Bank,
    kind: int,
    episode: Array,
    tactic: Array,
    card: Ints,
    at: Ids,
    place: Array,
    what: Array,
    entry: Array,
    dollars: Array,
    rng: np.random.Generator,
) -> Attempts:
    merchant = bank.market.pick(place, what, rng.random(len(card)))
    none = hidden(len(card))
    return Sketch(kind, episode, tactic, card, at, merchant, entry, dollars, none, none, none).finish(bank, rng)
