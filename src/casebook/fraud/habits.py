"""What honest holders do, on all days at once: no policy changes it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from casebook.fraud.extras import Extras, draw_monthly, draw_sudden
from casebook.fraud.merchants import AMOUNT, AMOUNT_SPREAD, CITIES, ONLINE, ONLINE_ABROAD, SHOPS, WEB, Market
from casebook.fraud.people import (
    ABROAD_ONLINE,
    BLOCK,
    PAYEES_LIKED,
    SHOPS_LIKED,
    SITES_LIKED,
    People,
    draw_trips,
    second_of_day,
)
from casebook.fraud.stream import Codes, Floats, Ids, Ints, Stream, fresh_ids
from casebook.fraud.world import CATEGORIES, CHANNELS, DAY, ENTRIES, World

WEEK = np.array([0.92, 0.92, 0.95, 1.00, 1.14, 1.16, 0.91])  # events of a weekday against the week's mean, Monday first
PAYDAY = 1.25  # times as many events on payday and the two days after it
LOYAL = 0.75  # share of events at a favourite merchant
LEAST_CENTS = 10
_MAGSTRIPE = np.array([0.015, 0.06])  # share of terminal events at home and abroad: readers fall back, chips fail
_CONTACTLESS = 0.55
_SHARED = {
    **{"partner": 0.15, "second": 0.08, "counter": 0.05, "office": 0.3, "carrier": 0.5},
    **{"parcel": 0.2, "desk": 0.1, "gift": 0.06},
}
"""Chances, at the most, of a partner's device, one's second, the office's, of the office's network, a carrier's, and
of a delivery to a parcel shop, to the office, to somebody else. All but the second device are multiplied by
``sharing``."""


def draw_habits(world: World, people: People, market: Market, days: int, rng: np.random.Generator) -> Stream:
    r"""Draw all honest events of so many days, in the order of time.

    Card i has Poisson many ordinary events a day, with mean :math:`\lambda_i w_d s_{id}`: its rate, the weekday's
    share, and salary days. Three in four are at one of its favourites; the others, and all on trips, at a merchant
    of the place and category chosen by size. The log of an amount is normal about the category's and the person's
    level. Recurring payments, bursts of small online buys and rushes on one online merchant come on top, see
    :mod:`casebook.fraud.extras`.

    Parameters
    ----------
    world : World
        ``sharing``, ``drift`` and ``drift_day`` are used, and nothing of the fraud.
    people : People
    market : Market
    days : int
    rng : numpy.random.Generator

    Returns
    -------
    Stream

    Examples
    --------
    >>> from casebook.fraud.merchants import draw_market
    >>> from casebook.fraud.people import draw_people
    >>> rng = np.random.default_rng(0)
    >>> market = draw_market(500, rng)
    >>> honest = draw_habits(World(), draw_people(World(), 500, market, rng), market, 10, rng)
    >>> 3_000 < len(honest) < 10_000, bool((np.diff(honest.at) >= 0).all())
    (True, True)
    """
    blocks = -(-days // BLOCK)
    for_trips, for_monthly, *for_blocks = rng.spawn(2 + blocks)
    where = draw_trips(world, people, blocks, for_trips)
    monthly = draw_monthly(people, market, blocks * BLOCK, for_monthly)
    parts = []
    for block, own in enumerate(for_blocks):
        first = block * BLOCK
        sudden = draw_sudden(people, market, first, BLOCK, own)
        extra = monthly.between(first * DAY, (first + BLOCK) * DAY).add(sudden)
        parts.append(_block(world, people, market, first, where, extra, own))
    joined = Stream.join(parts)
    return joined if days == blocks * BLOCK else joined.take(slice(0, int(np.searchsorted(joined.at, days * DAY))))


def _block(
    world: World,
    people: People,
    market: Market,
    first: int,
    where: Codes,
    extra: Extras,
    rng: np.random.Generator,
) -> Stream:
    """Draw the events of one block of days; ``where`` is each holder's place on each day of the world."""
    for_times, for_places, for_amounts, for_entries, for_devices, for_luck = rng.spawn(6)
    at, card, added, which = _in_order(people, first, extra, for_times)
    card[added] = extra.card[which]
    day = (at // DAY).astype(np.int32)
    merchant = _merchants(world, people, market, card, day, where[card, day], for_places)
    merchant[added] = extra.merchant[which]
    cents = _amounts(world, people, market, card, day, merchant, for_amounts)
    cents[added] = extra.cents[which]
    typed = np.zeros(len(at), bool)
    typed[added] = True
    entry = _entries(people, market, card, merchant, typed, for_entries)
    device, ip, address = _seen(world, people, card, at, entry, for_devices)
    terminal = market.terminal_of(merchant, for_luck.random(len(at), np.float32))
    luck, claim = for_luck.random((2, len(at)), np.float32)
    channel = market.channel[merchant]
    return Stream(at, card, merchant, terminal, channel, entry, cents, device, ip, address, luck, claim)


def _in_order(
    people: People, first: int, extra: Extras, rng: np.random.Generator
) -> tuple[Ids, Ints, NDArray[np.int64], NDArray[np.int64]]:
    """Return time and card of a block's events in the order of time, which rows are extras, and which extras."""
    card, day, second = _ordinary_times(people, first, rng)
    extras = (extra.at << 31) | (1 << 30) | np.arange(len(extra.at))
    key = np.concatenate([_packed(day, second, card), extras])
    key.sort()
    low = key & ((1 << 30) - 1)
    added = np.flatnonzero(key >> 30 & 1)
    return key >> 31, low.astype(np.int32), added, low[added]


def _packed(day: Ints, second: Ints, card: Ints) -> Ids:
    """Pack time and card into one number, which sorts much faster than rows do."""
    return ((day.astype(np.int64) * DAY + second) << 31) | card


def _ordinary_times(people: People, first: int, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    day = np.arange(first, first + BLOCK)
    paid = np.where((day[:, None] - people.payday) % 30 < 3, PAYDAY, 1.0)
    mean = people.rate * WEEK[day % 7][:, None] * paid
    cell = np.repeat(np.arange(mean.size, dtype=np.int32), rng.poisson(mean).ravel())
    when, card = np.divmod(cell, np.int32(len(people)))
    return card, when + np.int32(first), second_of_day(people.hours[card], rng.random(len(card), np.float32))


def _merchants(
    world: World, people: People, market: Market, card: Ints, day: Ints, place: Codes, rng: np.random.Generator
) -> Ints:
    n = len(card)
    channel_luck, loyal, which = rng.random(n, np.float32), rng.random(n, np.float32), rng.random(n, np.float32)
    kind_luck, size_luck = rng.random(n, np.float32), rng.random(n, np.float32)
    drift = np.where(day >= world.drift_day, np.float32(1 + world.drift), np.float32(1)).astype(np.float32)
    online = np.minimum(people.online[card] * drift, 0.9)
    is_app = channel_luck >= 1 - people.app[card] * (1 - online)
    is_online = (channel_luck < online) & ~is_app
    away = place != people.place[card]
    merchant = np.empty(n, np.int32)
    for channel, rows in enumerate((~is_online & ~is_app, is_online, is_app)):
        at = np.flatnonzero(rows)
        merchant[at] = _favourite(people, channel, card[at], which[at])
        new = at[(loyal[at] >= LOYAL) | (away[at] if channel == 0 else False)]
        where, what = _cells(channel, place[new], kind_luck[new], which[new])
        merchant[new] = market.pick(where, what, size_luck[new])
    return merchant


def _favourite(people: People, channel: int, card: Ints, luck: Floats) -> Ints:
    """Return one of the person's favourites; the first comes twice as often as the third."""
    liked = (people.shops, people.sites, people.payees)[channel]
    weight = np.cumsum(1 / np.arange(2, (SHOPS_LIKED, SITES_LIKED, PAYEES_LIKED)[channel] + 2))
    place = np.searchsorted(weight / weight[-1], np.minimum(luck, 0.999_999)).astype(np.int32)
    return liked[card, place]


def _cells(channel: int, place: Codes, kind_luck: Floats, luck: Floats) -> tuple[NDArray[np.integer], Ints]:
    if channel == CHANNELS.index("app"):
        return np.full(len(place), ONLINE_ABROAD + 1), np.full(len(place), CATEGORIES.index("transfer"), np.int32)
    share = np.cumsum((SHOPS, WEB)[channel])
    what = np.searchsorted(share / share[-1], np.minimum(kind_luck, 0.999_999), side="right").astype(np.int32)
    where = place if channel == 0 else np.where(luck < ABROAD_ONLINE, ONLINE_ABROAD, ONLINE)
    return where, what


def _amounts(
    world: World, people: People, market: Market, card: Ints, day: Ints, merchant: Ints, rng: np.random.Generator
) -> Ints:
    category = market.category[merchant]
    dearer = np.where(day >= world.drift_day, np.float32(np.log1p(world.drift / 2)), np.float32(0)).astype(np.float32)
    noise = rng.standard_normal(len(card), np.float32) * AMOUNT_SPREAD.astype(np.float32)[category]
    log = np.log(AMOUNT).astype(np.float32)[category] + people.level[card, category] + noise + dearer
    return np.maximum(np.rint(100 * np.exp(log)), LEAST_CENTS).astype(np.int32)


def _entries(
    people: People, market: Market, card: Ints, merchant: Ints, typed: NDArray[np.bool_], rng: np.random.Generator
) -> Codes:
    luck, second = rng.random(len(card), np.float32), rng.random(len(card), np.float32)
    abroad = (market.place[merchant] >= CITIES).astype(np.int8)
    chip, contactless, magstripe, wallet, by_hand, threeds, app = range(len(ENTRIES))
    at_terminal = np.where(second < _CONTACTLESS, contactless, chip)
    at_terminal = np.where(luck > 1 - people.wallet[card], wallet, at_terminal)
    at_terminal = np.where(luck < _MAGSTRIPE[abroad], magstripe, at_terminal)
    online = np.where((luck < market.threeds[merchant]) & ~typed, threeds, by_hand)
    channel = market.channel[merchant]
    return np.where(channel == 0, at_terminal, np.where(channel == 1, online, app)).astype(np.int8)


def _seen(
    world: World, people: People, card: Ints, at: Ids, entry: Codes, rng: np.random.Generator
) -> tuple[Ids, Ids, Ids]:
    """Return device, network and address of all events: -1 but for the app and 3-D Secure."""
    app, threeds = ENTRIES.index("app"), ENTRIES.index("threeds")
    rows = np.flatnonzero((entry == app) | (entry == threeds))
    device, ip, address = (np.full(len(card), -1, np.int64) for _ in range(3))
    device[rows] = own_device(world, people, card[rows], at[rows], rng)
    ip[rows] = own_ip(world, people, card[rows], at[rows], rng)
    delivered = rows[entry[rows] == threeds]
    address[delivered] = own_address(world, people, card[delivered], rng)
    return device, ip, address


def own_device(world: World, people: People, card: Ints, at: Ids, rng: np.random.Generator) -> Ids:
    """Return honest holders' devices: the first, its successor, the second, a partner's, or the office's."""
    luck = rng.random(len(card))
    usual = np.where(at // DAY >= people.new_device_day[card], people.device[card, 2], people.device[card, 0])
    second = np.where(luck > 1 - _SHARED["second"], people.device[card, 1], usual)
    partner, counter = (_SHARED[name] * world.sharing for name in ("partner", "counter"))
    partners = np.where(luck < partner, people.device[people.partner[card], 0], second)
    return np.where((luck >= partner) & (luck < partner + counter), people.device[card, 3], partners)


def own_ip(world: World, people: People, card: Ints, at: Ids, rng: np.random.Generator) -> Ids:
    """Return their networks: at home, at the office in its hours, a carrier's, or one never used before."""
    luck = rng.random(len(card))
    hour, weekday = at % DAY // 3_600, at // DAY % 7
    work = (hour >= 9) & (hour < 17) & (weekday < 5)
    office = work & (luck < _SHARED["office"] * world.sharing)
    carrier = luck > 1 - _SHARED["carrier"] * world.sharing
    new = np.abs(luck - 0.4) < 0.03
    place = np.where(office, 1, np.where(carrier, 2, 0))
    return np.where(new & ~office, fresh_ids(len(card), rng), people.ip[card, place])


def own_address(world: World, people: People, card: Ints, rng: np.random.Generator) -> Ids:
    """Return where they have things delivered: home, a parcel shop, the office, or somebody else's home."""
    luck, other = rng.random(len(card)), rng.integers(len(people), size=len(card))
    parcel, desk, gift = (np.cumsum([_SHARED[name] for name in ("parcel", "desk", "gift")]) * world.sharing).tolist()
    place = np.where(luck < parcel, 2, np.where(luck < desk, 1, 0))
    return np.where((luck >= desk) & (luck < gift), people.address[other, 0], people.address[card, place])
