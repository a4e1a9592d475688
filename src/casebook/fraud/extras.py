"""Honest events that look like something: recurring payments, bursts of small buys, rushes on one merchant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebook.fraud.merchants import AMOUNT, ONLINE, PAYEES, WEB, Market
from casebook.fraud.people import People
from casebook.fraud.stream import Ids, Ints
from casebook.fraud.world import CATEGORIES, DAY

RECURRING = 2.0  # mean number of monthly payments of a card
TRANSFERRED = 0.15  # share of them that are transfers, such as rent
BURSTS = 0.002  # bursts a card and day: games, tickets, apps
RUSHES = 0.35  # rushes a day for 15,000 cards: a sale or a concert opens
_DIGITAL, _TRANSFER = CATEGORIES.index("digital"), CATEGORIES.index("transfer")


@dataclass
class Extras:
    """Such events, in no order; arrays of shape (n,)."""

    at: Ids
    card: Ints
    merchant: Ints
    cents: Ints

    def between(self, start: int, end: int) -> Extras:
        """Return those from a second up to another."""
        rows = (self.at >= start) & (self.at < end)
        return Extras(self.at[rows], self.card[rows], self.merchant[rows], self.cents[rows])

    def add(self, other: Extras) -> Extras:
        """Return these and others."""
        return Extras(
            np.concatenate([self.at, other.at]),
            np.concatenate([self.card, other.card]),
            np.concatenate([self.merchant, other.merchant]),
            np.concatenate([self.cents, other.cents]),
        )


def _cents(dollars: NDArray[np.floating]) -> Ints:
    return np.maximum(np.rint(100 * dollars), 10).astype(np.int32)


def draw_monthly(people: People, market: Market, days: int, rng: np.random.Generator) -> Extras:
    """Draw monthly payments: the same merchant, amount and day of the month, in the small hours.

    They are typed in online, or transfers in the app, as rent is.

    Examples
    --------
    >>> from casebook.fraud.merchants import draw_market
    >>> from casebook.fraud.people import draw_people
    >>> from casebook.fraud.world import World
    >>> rng = np.random.default_rng(0)
    >>> market = draw_market(500, rng)
    >>> monthly = draw_monthly(draw_people(World(), 500, market, rng), market, 60, rng)
    >>> 1_500 < len(monthly.at) < 2_500
    True
    """
    for_payments, for_times = rng.spawn(2)
    card = np.repeat(np.arange(len(people), dtype=np.int32), for_payments.poisson(RECURRING, len(people)))
    n = len(card)
    transfer = for_payments.random(n) < TRANSFERRED
    category = np.where(transfer, _TRANSFER, for_payments.choice(len(WEB), n, p=WEB))
    merchant = market.pick(np.where(transfer, PAYEES, ONLINE), category, for_payments.random(n))
    dollars = AMOUNT[category] * np.where(transfer, 5.0, 0.6) * for_payments.lognormal(0, 0.5, n)
    first = for_payments.integers(30, size=n)
    months = -(-days // 30)
    day = first + 30 * np.arange(months)[:, None]
    at = day * DAY + for_times.integers(6 * 3_600, size=day.shape)
    return Extras(at.ravel(), np.tile(card, months), np.tile(merchant, months), np.tile(_cents(dollars), months))


def draw_sudden(people: People, market: Market, first: int, days: int, rng: np.random.Generator) -> Extras:
    """Draw the bursts and rushes of some days from ``first`` on; they are typed in online."""
    both = _bursts(people, market, days, rng).add(_rushes(people, market, days, rng)).between(0, days * DAY)
    both.at = both.at + first * DAY
    return both


def _bursts(people: People, market: Market, days: int, rng: np.random.Generator) -> Extras:
    """Draw one person's three to seven small buys at one digital merchant within minutes."""
    n = rng.poisson(BURSTS * len(people) * days)
    size = rng.integers(3, 8, n)
    of = np.repeat(np.arange(n), size)
    card = rng.integers(len(people), size=n).astype(np.int32)[of]
    merchant = market.pick(np.full(n, ONLINE), np.full(n, _DIGITAL), rng.random(n))[of]
    start = rng.integers(days * DAY, size=n)[of]
    at = start + rng.exponential(150, len(of)).astype(np.int64)
    return Extras(at, card, merchant, _cents(rng.lognormal(np.log(2.0), 0.8, len(of))))


def _rushes(people: People, market: Market, days: int, rng: np.random.Generator) -> Extras:
    """Draw many people's buys at one online merchant within twenty minutes."""
    n = rng.poisson(RUSHES * days * len(people) / 15_000)
    size = rng.integers(15, 50, n)
    of = np.repeat(np.arange(n), size)
    category = rng.choice(len(WEB), n, p=WEB)
    merchant = market.pick(np.full(n, ONLINE), category, rng.random(n))[of]
    start = rng.integers(days * DAY, size=n)[of]
    at = start + rng.exponential(400, len(of)).astype(np.int64)
    dollars = (AMOUNT[category] * rng.lognormal(-0.7, 0.7, n))[of] * rng.lognormal(0, 0.3, len(of))
    return Extras(at, rng.integers(len(people), size=len(of)).astype(np.int32), merchant, _cents(dollars))
