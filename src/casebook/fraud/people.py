"""Card-holders: how often, when, where and for how much each one pays, and what each shares with whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebook.fraud.merchants import (
    CITIES,
    CITY_SHARE,
    CITY_SPREAD,
    ONLINE,
    ONLINE_ABROAD,
    PAYEES,
    PLACES,
    SHOPS,
    WEB,
    Market,
    centres,
)
from casebook.fraud.stream import Codes, Floats, Ids, Ints, fresh_ids
from casebook.fraud.world import CATEGORIES, DAY, World

RATE, RATE_SPREAD = 1.1, 0.7  # ordinary events a day: mean, and sd of the log over cards
ONLINE_SHARE, APP_SHARE = 0.26, 0.05  # means over cards
ABROAD_ONLINE = 0.12  # of online favourites
SHOPS_LIKED, SITES_LIKED, PAYEES_LIKED = 8, 6, 4  # favourites a card
HOUSEHOLD = np.array([0.35, 0.40, 0.15, 0.10])  # share of households with 1 to 4 cards
OFFICE, CARRIER, PARCEL_SHOP = 40, 2_500, 120  # cards that share one
NEW_DEVICE_DAYS = 600.0  # mean days until a holder has a new phone
BLOCK = 10  # days whose draws are their own, so that a longer world begins as a shorter one does
TRIPS = 1 / 75  # a day
TRIP_DAYS = 10  # longest
TRIP_ABROAD = 0.4
_HOURS = np.array(
    [
        [1, 1, 1, 1, 2, 6, 14, 22, 26, 26, 26, 30, 34, 30, 26, 26, 30, 34, 30, 22, 14, 8, 4, 2],
        [3, 2, 1, 1, 1, 2, 6, 14, 22, 26, 26, 30, 38, 30, 26, 26, 30, 38, 42, 38, 28, 20, 12, 6],
        [16, 10, 6, 4, 3, 2, 3, 6, 10, 14, 18, 22, 26, 26, 24, 24, 26, 30, 36, 40, 40, 36, 30, 24],
    ],
    float,
)  # relative frequency by hour: early, usual and late people
_STEPS = 2_048


@dataclass
class People:
    """Traits of n card-holders, one card each; arrays of shape (n,) unless another is given.

    Attributes
    ----------
    household, place : household, and home city.
    x_km, y_km : home.
    opened : when the account was opened, seconds.
    rate : expected ordinary events a day.
    hours : 0 early, 1 usual, 2 late.
    payday : day of the month, 0 to 29.
    online, app, wallet : shares of events online and in the app, and of phone payments at terminals.
    level : log of the person's amounts against the usual ones, by category, shape (n, 10).
    shops, sites, payees : favourites, shape (n, 8), (n, 6) and (n, 4).
    device : first, second, next, and the office's, shape (n, 4); the next replaces the first on ``new_device_day``,
        and the second may be a whole household's.
    partner : another card of the household, or the card itself.
    ip : at home, at the office, the carrier's, shape (n, 3).
    address : at home, at the office, the parcel shop, shape (n, 3).
    """

    household: Ints
    place: Codes
    x_km: NDArray[np.float64]
    y_km: NDArray[np.float64]
    opened: Ids
    rate: Floats
    hours: Codes
    payday: Codes
    online: Floats
    app: Floats
    wallet: Floats
    level: Floats
    shops: Ints
    sites: Ints
    payees: Ints
    device: Ids
    new_device_day: Ints
    partner: Ints
    ip: Ids
    address: Ids

    def __len__(self) -> int:
        return len(self.rate)


def draw_people(world: World, cards: int, market: Market, rng: np.random.Generator) -> People:
    """Draw the holders of so many cards, household by household.

    Events a day are log-normal over cards. Households live at one place, and at ``sharing`` s a share
    :math:`1 - (1 - s)^3` of them has one network and one address.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> from casebook.fraud.merchants import draw_market
    >>> people = draw_people(World(), 1_000, draw_market(1_000, rng), rng)
    >>> people.shops.shape
    (1000, 8)
    """
    household, first = _households(cards, rng)
    place = rng.choice(CITIES, cards, p=CITY_SHARE).astype(np.int8)[first]
    home = centres()[place] + CITY_SPREAD * rng.standard_normal((cards, 2))[first]
    categories = len(CATEGORIES)
    own, by_category = rng.standard_normal((cards, 1), np.float32), rng.standard_normal((cards, categories), np.float32)
    online = rng.beta(1.5, 1.5 * (1 - ONLINE_SHARE) / ONLINE_SHARE, cards)
    together = (rng.random(cards) < 1 - (1 - world.sharing) ** 3)[first]
    ip, address = _networks(first, together, place, rng)
    last = np.append(first[1:] != first[:-1], True)
    return People(
        household=household,
        place=place,
        x_km=home[:, 0],
        y_km=home[:, 1],
        opened=(-DAY * (30 + rng.exponential(1_200, cards))).astype(np.int64),
        rate=(RATE * np.exp(RATE_SPREAD * rng.standard_normal(cards) - RATE_SPREAD**2 / 2)).astype(np.float32),
        hours=rng.choice(3, cards, p=[0.3, 0.5, 0.2]).astype(np.int8),
        payday=rng.choice([0, 14, 24, 29], cards, p=[0.4, 0.3, 0.15, 0.15]).astype(np.int8),
        online=online.astype(np.float32),
        app=rng.beta(1.0, (1 - APP_SHARE) / APP_SHARE, cards).astype(np.float32),
        wallet=(rng.random(cards) < 0.4).astype(np.float32) * rng.random(cards, np.float32),
        level=(0.35 * own + 0.3 * by_category).astype(np.float32),
        **_favourites(place, market, rng),
        device=_devices(first, together, place, rng),
        new_device_day=rng.exponential(NEW_DEVICE_DAYS, cards).astype(np.int32),
        partner=np.where(last, first, np.arange(1, cards + 1)).astype(np.int32),
        ip=ip,
        address=address,
    )


def _households(cards: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return the household of each card, and the number of the household's first card."""
    sizes = rng.choice(len(HOUSEHOLD), cards, p=HOUSEHOLD) + 1
    household = np.repeat(np.arange(cards), sizes)[:cards].astype(np.int32)
    starts = np.cumsum(sizes) - sizes
    return household, starts[household].astype(np.int32)


def _favourites(place: Codes, market: Market, rng: np.random.Generator) -> dict[str, Ints]:
    n = len(place)
    shop_kind = rng.choice(len(SHOPS), (n, SHOPS_LIKED), p=SHOPS)
    site_kind = rng.choice(len(WEB), (n, SITES_LIKED), p=WEB)
    site_place = np.where(rng.random((n, SITES_LIKED)) < ABROAD_ONLINE, ONLINE_ABROAD, ONLINE)
    payee_place = np.full((n, PAYEES_LIKED), PAYEES)
    transfer = np.full((n, PAYEES_LIKED), CATEGORIES.index("transfer"))
    return {
        "shops": market.pick(place[:, None], shop_kind, rng.random((n, SHOPS_LIKED))),
        "sites": market.pick(site_place, site_kind, rng.random((n, SITES_LIKED))),
        "payees": market.pick(payee_place, transfer, rng.random((n, PAYEES_LIKED))),
    }


def _networks(first: Ints, together: NDArray[np.bool_], place: Codes, rng: np.random.Generator) -> tuple[Ids, Ids]:
    n = len(first)
    home = np.where(together, first, np.arange(n))
    office = _group(place, OFFICE, rng)
    shop = _group(place, PARCEL_SHOP, rng)
    carrier = rng.integers(max(2, n // CARRIER), size=n)
    ip = np.column_stack([fresh_ids(n, rng)[part] for part in (home, office, carrier)])
    address = np.column_stack([fresh_ids(n, rng)[part] for part in (home, office, shop)])
    return ip, address


def _devices(first: Ints, together: NDArray[np.bool_], place: Codes, rng: np.random.Generator) -> Ids:
    device = fresh_ids((len(first), 4), rng)
    device[:, 1] = device[np.where(together, first, np.arange(len(first))), 1]
    device[:, 3] = device[_group(place, OFFICE, rng), 3]
    return device


def _group(place: Codes, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return a group's number for each card: groups lie within a city and have about ``size`` cards."""
    here = np.bincount(place, minlength=CITIES)
    groups = np.maximum(here // size, 1)
    start = np.cumsum(groups) - groups
    return start[place] + (rng.random(len(place)) * groups[place]).astype(np.int64)


def second_of_day(hours: Codes, luck: NDArray[np.floating]) -> Ints:
    """Return seconds after midnight at which such people pay, from uniform draws, shape (n,).

    Examples
    --------
    >>> int(second_of_day(np.array([0], np.int8), np.array([0.5]))[0]) // 3600
    13
    """
    at = np.minimum(luck, 0.999_999) * _STEPS
    step = at.astype(np.int32)
    low, high = _QUANTILES[hours, step], _QUANTILES[hours, step + 1]
    return (low + (at - step) * (high - low)).astype(np.int32)


def _quantiles() -> Floats:
    edges = np.arange(25) * 3_600.0
    rows = [np.append(0, np.cumsum(row / row.sum())) for row in _HOURS]
    grid = np.linspace(0, 1, _STEPS + 1)
    return np.minimum([np.interp(grid, row, edges) for row in rows], DAY - 1).astype(np.float32)


_QUANTILES = _quantiles()


def draw_trips(world: World, people: People, blocks: int, rng: np.random.Generator) -> Codes:
    """Return where each holder is on each day of so many blocks of days, shape (n, days): mostly at home.

    Trips last 2 to 10 days. From ``drift_day`` on there are more of them by twice the ``drift``.
    """
    days = blocks * BLOCK
    where = np.repeat(people.place[:, None], days, axis=1)
    for block, source in enumerate(rng.spawn(blocks + 1)):
        usual, more = source.spawn(2)
        for rate, since, own in ((TRIPS, 0, usual), (TRIPS * 2 * world.drift, world.drift_day, more)):
            card, start, length, target = _trips(people, rate, own)
            start = start + (block - 1) * BLOCK  # the first block is the one before the world's first day
            for step in range(TRIP_DAYS):
                on = (length > step) & (start + step >= since) & (start + step < days)
                where[card[on], start[on] + step] = target[on]
    return where


def _trips(people: People, rate: float, rng: np.random.Generator) -> tuple[Ids, Ids, Ids, Ids]:
    """Draw the trips that begin in one block of days: card, first day, length and place."""
    card = np.repeat(np.arange(len(people)), rng.poisson(rate * BLOCK, len(people)))
    n = len(card)
    start, length = rng.integers(BLOCK, size=n), rng.integers(2, TRIP_DAYS + 1, n)
    away, abroad, city = rng.random(n) < TRIP_ABROAD, rng.integers(CITIES, PLACES, n), rng.integers(CITIES, size=n)
    return card, start, length, np.where(away, abroad, city)
