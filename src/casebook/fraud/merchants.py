"""Merchants, their terminals, and payees: who sells what where, and how often each is chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebook.fraud.stream import Codes, Floats, Ints
from casebook.fraud.world import CATEGORIES, COUNTRIES

CITIES = 10  # at home; the foreign places come after them, one a country
PLACES = CITIES + len(COUNTRIES) - 1
ONLINE, ONLINE_ABROAD, PAYEES = PLACES, PLACES + 1, PLACES + 2  # further places, in which nothing has coordinates
CITY_SHARE = 1 / np.arange(1, CITIES + 1) / np.sum(1 / np.arange(1, CITIES + 1))
CITY_SPREAD = 6.0  # kilometres, standard deviation of a home or a shop about its city's centre
_FAR = {"CA": (900, 1500), "MX": (-200, -2300), "GB": (6500, 1800), "FR": (7000, 1500), "DE": (7500, 1700)}
_FARTHER = {"JP": (-9500, 800), "BR": (5500, -6500)}
SHOPS = np.array([0.30, 0.24, 0.14, 0.08, 0.08, 0.04, 0.08, 0.04, 0.0, 0.0])  # of terminal events, by category
WEB = np.array([0.12, 0.14, 0.0, 0.05, 0.20, 0.12, 0.13, 0.06, 0.18, 0.0])  # of online events, by category
AMOUNT = np.array([38.0, 24.0, 34.0, 19.0, 48.0, 110.0, 55.0, 160.0, 7.0, 120.0])  # median dollars, by category
AMOUNT_SPREAD = np.array([0.7, 0.6, 0.4, 0.7, 0.7, 0.9, 0.8, 0.9, 0.7, 1.0])  # sd of the log within a person
TAIL = 1.1  # Pareto exponent of merchants' sizes: a few have most of the trade
THREEDS_MEAN = 0.35  # share of online events with 3-D Secure


@dataclass
class Market:
    """All merchants, sorted by place and category.

    Attributes
    ----------
    category, country, channel : int8 codes, shape (m,).
    place : int8, a city, a foreign country, or one of the three places without coordinates, shape (m,).
    x_km, y_km : float64, missing without terminals, shape (m,).
    terminals, first_terminal : how many, and the id of the first, or -1, shape (m,).
    threeds : share of its events that it sends through 3-D Secure, shape (m,).
    reach : cumulative shares within a cell plus the cell's number, shape (m,).
    """

    category: Codes
    country: Codes
    channel: Codes
    place: Codes
    x_km: NDArray[np.float64]
    y_km: NDArray[np.float64]
    terminals: Ints
    first_terminal: Ints
    threeds: Floats
    reach: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.category)

    def pick(self, place: NDArray[np.integer], category: NDArray[np.integer], luck: NDArray[np.floating]) -> Ints:
        """Return merchants of a place and a category, chosen by size with uniform draws, shape of ``luck``."""
        cell = place.astype(np.int64) * len(CATEGORIES) + category
        found = np.searchsorted(self.reach, cell + np.minimum(luck, 0.999_999), side="right")
        return np.minimum(found, len(self) - 1).astype(np.int32)

    def terminal_of(self, merchant: Ints, luck: NDArray[np.floating]) -> Ints:
        """Return one of each merchant's terminals, or -1 where there is none."""
        offset = (luck * self.terminals[merchant]).astype(np.int32)
        return np.where(self.terminals[merchant] > 0, self.first_terminal[merchant] + offset, -1).astype(np.int32)


def centres() -> NDArray[np.float64]:
    """Return the coordinates of all places with terminals, in kilometres, shape (PLACES, 2).

    Cities lie on a plane of 1,200 by 700 kilometres, always the same; foreign places are thousands away.

    Examples
    --------
    >>> centres().shape
    (17, 2)
    """
    number = np.arange(CITIES)
    golden = number * 0.618_034 % 1  # evenly spread and never on a line
    cities = np.column_stack([1_200 * golden, 700 * (number + 0.5) / CITIES])
    far = _FAR | _FARTHER
    return np.vstack([cities, [far[name] for name in COUNTRIES[1:]]])


def draw_market(cards: int, rng: np.random.Generator) -> Market:
    """Draw the merchants of a bank with so many cards: about one shop for eight cards, and one payee for three.

    Every place has every category; sizes within a place and category are Pareto.

    Examples
    --------
    >>> market = draw_market(1_000, np.random.default_rng(0))
    >>> int(market.pick(np.array([3]), np.array([0]), np.array([0.5]))[0]) < len(market)
    True
    """
    count = _counts(cards)
    cell = np.repeat(np.arange(count.size), count.ravel())
    place, category = np.divmod(cell, len(CATEGORIES))
    m = len(cell)
    shop = place < PLACES
    size = rng.pareto(TAIL, m) + 0.2
    spot = centres()[np.minimum(place, PLACES - 1)] + CITY_SPREAD * rng.standard_normal((m, 2))
    spot[~shop] = np.nan
    terminals = np.where(shop, 1 + np.minimum(rng.poisson(size), 12), 0).astype(np.int32)
    return Market(
        category=category.astype(np.int8),
        country=_countries(place, rng),
        channel=np.where(shop, 0, np.where(place == PAYEES, 2, 1)).astype(np.int8),
        place=place.astype(np.int8),
        x_km=spot[:, 0],
        y_km=spot[:, 1],
        terminals=terminals,
        first_terminal=np.where(shop, np.cumsum(terminals) - terminals, -1).astype(np.int32),
        threeds=rng.beta(1.4, 1.4 * (1 - THREEDS_MEAN) / THREEDS_MEAN, m).astype(np.float32),
        reach=_reach(cell, size),
    )


def _counts(cards: int) -> NDArray[np.int64]:
    count = np.zeros((PLACES + 3, len(CATEGORIES)))
    count[:CITIES] = cards / 8 * CITY_SHARE[:, None] * SHOPS
    count[CITIES:PLACES] = 2 + cards / 400 * SHOPS
    count[ONLINE], count[ONLINE_ABROAD] = cards / 30 * WEB, cards / 100 * WEB
    count[PAYEES, CATEGORIES.index("transfer")] = cards / 3
    sold = np.zeros_like(count, dtype=bool)
    sold[:PLACES], sold[ONLINE : ONLINE_ABROAD + 1] = SHOPS > 0, WEB > 0
    sold[PAYEES, CATEGORIES.index("transfer")] = True
    return np.where(sold, np.maximum(np.rint(count), 2), 0).astype(np.int64)


def _countries(place: NDArray[np.int64], rng: np.random.Generator) -> Codes:
    abroad = rng.integers(1, len(COUNTRIES), len(place))
    shops = np.where(place < CITIES, 0, place - CITIES + 1)
    here = np.where(place < PLACES, shops, np.where(place == ONLINE_ABROAD, abroad, 0))
    return here.astype(np.int8)


def _reach(cell: NDArray[np.int64], size: NDArray[np.float64]) -> NDArray[np.float64]:
    total = np.bincount(cell, size)
    before = np.cumsum(total) - total
    within = (np.cumsum(size) - before[cell]) / total[cell]
    return np.asarray(cell + np.minimum(within, 1.0), dtype=np.float64)
