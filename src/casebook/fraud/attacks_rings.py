"""Fraud with the holder's access: accounts taken over, and rings that work many of them for weeks."""

from __future__ import annotations

import numpy as np

from casebook.fraud.adversary import AMOUNTS, GAPS
from casebook.fraud.attacks_plan import Array, Bank, Sketch, Victims, draw_groups, running, several, start_second
from casebook.fraud.merchants import AMOUNT, ONLINE, PAYEES
from casebook.fraud.people import second_of_day
from casebook.fraud.stream import Attempts, Ids, Ints, fresh_ids
from casebook.fraud.world import CATEGORIES, DAY, ENTRIES, KINDS

RING_CARDS, RING_DAYS = (12, 30), (14, 28)
POOL = 4  # devices, networks and drop addresses of a ring, of which two are in use in a week
CARRIED = 0.3  # share of fraudsters who come through a carrier's network, as thousands of honest phones do
TRANSFERS = 0.3  # share of a ring's attempts in the app
PARCELS = 0.25  # share of a ring's drop addresses that are parcel shops
_BOUGHT = {"fashion": 0.35, "electronics": 0.25, "home": 0.25, "digital": 0.15}
_TRANSFER = CATEGORIES.index("transfer")
_THREEDS, _APP = ENTRIES.index("threeds"), ENTRIES.index("app")


def account_takeover(bank: Bank, victims: Victims, day: int, tactic: Array, rng: np.random.Generator) -> Attempts:
    """Plan takeovers: the app on a new device and network, one to four large transfers to strangers within hours."""
    group, card = draw_groups(victims, np.ones(len(tactic), int), day, rng)
    k, count = len(card), several(1, 4, len(card), rng)
    rows = np.repeat(np.arange(k), count)
    plan = tactic[group][rows]
    at = day * DAY + start_second(bank.people, card, tactic[group], rng)[rows]
    at = at + running(count, 60 + rng.exponential(2_700, len(rows)) * GAPS[plan])
    mules = _payees(bank, (k, 2), rng)
    payee = mules[rows, rng.integers(2, size=len(rows))] if k else np.zeros(0, np.int32)
    dollars = 520 * rng.lognormal(0, 0.7, len(rows)) * AMOUNTS[plan]
    entry = np.full(len(rows), _APP)
    device, address = fresh_ids(k, rng)[rows], fresh_ids(k, rng)[rows]
    ip = _networks(bank, (k,), rng)[rows]
    kind = KINDS.index("account_takeover")
    return Sketch(kind, group[rows], plan, card[rows], at, payee, entry, dollars, device, ip, address).finish(bank, rng)


def ring(bank: Bank, victims: Victims, day: int, tactic: Array, rng: np.random.Generator) -> Attempts:
    """Plan rings: tens of cards over weeks, ordinary amounts and hours, few devices and drop addresses that rotate."""
    k = len(tactic)
    group, card = draw_groups(victims, several(*RING_CARDS, k, rng), day, rng)
    count = several(1, 4, len(card), rng)
    rows = np.repeat(np.arange(len(card)), count)
    n, of = len(rows), group[rows]
    plan = tactic[of]
    since = (rng.random(n) * several(*RING_DAYS, k, rng)[of] * np.sqrt(GAPS[plan])).astype(np.int64)
    at = (day + since) * DAY + second_of_day(bank.people.hours[card[rows]], rng.random(n))
    transfer = rng.random(n) < TRANSFERS
    what = np.where(transfer, _TRANSFER, _bought(n, rng))
    merchant = bank.market.pick(np.full(n, ONLINE), np.where(transfer, 0, what), rng.random(n))
    if n:
        mules = _payees(bank, (k, POOL), rng)
        merchant = np.where(transfer, mules[of, rng.integers(POOL, size=n)], merchant)
    dollars = (
        1.2 * AMOUNT[what] * np.exp(bank.people.level[card[rows], what]) * rng.lognormal(0, 0.6, n) * AMOUNTS[plan]
    )
    slot = (since // 7 + rng.integers(2, size=n)) % POOL
    device, ip = fresh_ids((k, POOL), rng)[of, slot], _networks(bank, (k, POOL), rng)[of, slot]
    address = _drops(bank, (k, POOL), rng)[of, slot]
    entry = np.where(transfer, _APP, _THREEDS)
    kind = KINDS.index("ring")
    return Sketch(kind, of, plan, card[rows], at, merchant, entry, dollars, device, ip, address).finish(bank, rng)


def _bought(n: int, rng: np.random.Generator) -> Array:
    return rng.choice([CATEGORIES.index(name) for name in _BOUGHT], n, p=list(_BOUGHT.values()))


def _payees(bank: Bank, shape: tuple[int, int], rng: np.random.Generator) -> Ints:
    """Return accounts of money mules: any payees, and so mostly small ones."""
    first = int(np.searchsorted(bank.market.place, PAYEES))  # they come last
    return rng.integers(first, len(bank.market), shape).astype(np.int32)


def _networks(bank: Bank, shape: tuple[int, ...], rng: np.random.Generator) -> Ids:
    carriers = bank.people.ip[rng.integers(len(bank.people), size=shape), 2]
    return np.where(rng.random(shape) < CARRIED, carriers, fresh_ids(shape, rng))


def _drops(bank: Bank, shape: tuple[int, ...], rng: np.random.Generator) -> Ids:
    shops = bank.people.address[rng.integers(len(bank.people), size=shape), 2]
    return np.where(rng.random(shape) < PARCELS, shops, fresh_ids(shape, rng))
