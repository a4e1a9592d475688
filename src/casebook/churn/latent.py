"""What nobody sees: health, pull, the hazards that follow, and what a call would change.

No hazard is coded on a feature. Health drives usage, tickets and leaving alike; the warehouse shows the first two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, ndtr

from casebook.churn.world import INDUSTRIES, PLANS, ROLES, USUAL_PRICE, World

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

PULL_ENDS = 0.15  # chance a month that a pull ends; with the default onset seven percent of companies feel one
PULL_RISK = 1.6  # log-odds
PULL_KEEPS = 0.15  # what is left of a call's effect where price or a competitor is the cause
RENEWAL_RISK = 1.9  # log-odds of an annual renewal above a monthly bill: a year's decisions in one
EARLY_RISK, EARLY_MONTHS = 0.9, 3.0  # log-odds at signup, and the months over which they fade
CARD_SPREAD = 0.8  # standard deviation of the log of a card's chance to fail
DOG_CALM = -0.8  # log-odds: a sleeping dog that is left alone is quiet


@dataclass(frozen=True)
class People:
    """Who the subscribers are, arrays of shape (n,); one row for everybody who ever subscribed.

    Attributes
    ----------
    account : company that holds the subscription.
    start : month of signup, counted from the first month played; negative before it.
    day : day of the month on which the bill is due, 3 to 28: calls come on the second, before any bill.
    annual, dog, blocked : flags (``blocked``: the company hides whether e-mails are opened).
    price : dollars a month.
    plan, industry, role : positions in ``PLANS``, ``INDUSTRIES`` and ``ROLES``.
    size : employees of the company.
    frailty : the lasting part of risk, standard normal; shared in part within a company.
    level : log of the usual usage, in units of ``World.own_level``; standard normal.
    breadth : how much of the product is used, standard normal; goes with ``need``.
    need : what a call can help with, standard normal; decides the effect of a call.
    card : how badly the card behaves, standard normal.
    """

    account: Ints
    start: Ints
    day: Ints
    annual: Flags
    plan: Ints
    price: NDArray[np.float64]
    industry: Ints
    role: Ints
    size: Ints
    frailty: Floats
    level: Floats
    breadth: Floats
    need: Floats
    card: Floats
    dog: Flags
    blocked: Flags

    def __len__(self) -> int:
        return len(self.account)

    def take(self, rows: Ints) -> People:
        """Return these people, in this order."""
        return People(**{name: values[rows] for name, values in vars(self).items()})


@dataclass(frozen=True)
class Months:
    """What happens to people month by month, arrays of shape (n, months).

    Attributes
    ----------
    health : changing part of health, standard normal.
    pull : a price or a competitor pulls.
    p : chance of cancelling in the month, if still there and never called.
    failed : chance that the bill fails for good.
    kept : share of ``p`` that a call which reaches the person takes away; negative where it does harm.
    """

    health: Floats
    pull: Flags
    p: Floats
    failed: Floats
    kept: Floats

    def take(self, rows: Ints) -> Months:
        """Return the months of these people, in this order."""
        return Months(**{name: values[rows] for name, values in vars(self).items()})


def draw_people(world: World, n: int, newcomers: int, months: int, rng: np.random.Generator) -> People:
    """Draw ``n`` subscribers who are there in month 0 and ``newcomers`` for each later month.

    Returns
    -------
    People
        ``n + newcomers * (months - 1)`` rows.
    """
    total = n + newcomers * (months - 1)
    account = np.repeat(np.arange(total), rng.geometric(0.55, total))[:total]
    company = _company_traits(account[-1] + 1, rng)
    start = np.concatenate([1 - rng.geometric(1 / 20, n), np.repeat(np.arange(1, months), newcomers)])
    frailty = np.sqrt(0.4) * company["frailty"][account] + np.sqrt(0.6) * rng.normal(size=total)
    plan = rng.choice(len(PLANS), total, p=[share for _, share in PLANS.values()])
    need, level = rng.normal(size=total), rng.normal(size=total)
    return People(
        account=account,
        start=rng.permutation(start),
        day=rng.integers(3, 29, total),
        annual=rng.random(total) < world.annual_share,
        plan=plan,
        price=USUAL_PRICE
        * (np.array([price for price, _ in PLANS.values()])[plan] / USUAL_PRICE) ** world.price_spread,
        industry=company["industry"][account],
        role=rng.choice(len(ROLES), total, p=[0.25, 0.3, 0.1, 0.35]),
        size=company["size"][account],
        frailty=frailty.astype(np.float32),
        level=level.astype(np.float32),
        breadth=(-0.7 * need + np.sqrt(0.51) * rng.normal(size=total)).astype(np.float32),
        need=need.astype(np.float32),
        card=rng.standard_normal(total, dtype=np.float32),
        dog=rng.random(total) < 2 * world.dogs * ndtr(-1.5 * level),
        blocked=company["blocked"][account],
    )


def _company_traits(companies: int, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    size = np.round(np.exp(rng.normal(3.4, 1.2, companies))).astype(int) + 1
    return {
        "frailty": rng.normal(size=companies),
        "industry": rng.choice(len(INDUSTRIES), companies),
        "size": size,
        "blocked": rng.random(companies) < expit(np.log(size) - 5.5),
    }


def draw_months(world: World, people: People, first: int, months: int, rng: np.random.Generator) -> Months:
    """Let health and pull run for ``months`` months from month ``first``; both start in their long-run state."""
    n, companies = len(people), int(people.account.max()) + 1
    health = rng.normal(size=n).astype(np.float32)
    pull = rng.random(companies) < world.pull / (world.pull + PULL_ENDS)
    return _stack(world, people, first, _walk(world, health, pull, people.account, months, rng))


def continue_months(
    world: World, people: People, past: Months, first: int, months: int, rng: np.random.Generator
) -> Months:
    """Let the last month of ``past`` run on for ``months`` more; the first of them is month ``first``."""
    companies = int(people.account.max()) + 1
    pull = np.zeros(companies, dtype=bool)
    pull[people.account] = past.pull[:, -1]
    steps = _walk(world, past.health[:, -1], pull, people.account, months + 1, rng)
    next(steps)
    return _stack(world, people, first, steps)


def _walk(
    world: World, health: Floats, pull: Flags, account: Ints, months: int, rng: np.random.Generator
) -> Iterator[tuple[Floats, Flags]]:
    yield health, pull[account]
    fresh = np.float32(np.sqrt(1 - world.memory**2))
    for _ in range(months - 1):
        health = np.float32(world.memory) * health + fresh * rng.standard_normal(len(health), dtype=np.float32)
        luck = rng.random(len(pull))
        pull = np.where(pull, luck > PULL_ENDS, luck < world.pull)
        yield health, pull[account]


def _stack(world: World, people: People, first: int, steps: Iterator[tuple[Floats, Flags]]) -> Months:
    shift = base_log_odds(world)
    columns = []
    for offset, (health, pull) in enumerate(steps):
        month = first + offset
        p = cancel_chance(world, people, month, health, pull, shift)
        failed = np.where(due(people, month), failure_chance(world, people), 0.0)
        columns.append((health, pull, p, failed, kept_share(world, people, health, pull)))
    parts = [np.stack(column, axis=1) for column in zip(*columns, strict=True)]
    health, pull, p, failed, kept = parts
    return Months(health, pull, *(part.astype(np.float32) for part in (p, failed, kept)))


def risk(world: World, people: People, health: Floats) -> Floats:
    """Return risk without its level, standard normal over unselected people, shape (n,)."""
    still, moving = np.sqrt(1 - world.changing), np.sqrt(world.changing)
    return np.asarray(still * people.frailty - moving * health, dtype=np.float32)


def due(people: People, month: int) -> Flags:
    """Return who has a bill in ``month``: monthly plans always, annual ones on their anniversary; never at signup."""
    tenure = month - people.start
    return np.asarray((tenure > 0) & (~people.annual | (tenure % 12 == 0)))


def cancel_chance(world: World, people: People, month: int, health: Floats, pull: Flags, shift: float) -> Floats:
    """Return the chance of cancelling in ``month`` without any call, shape (n,)."""
    tenure = np.maximum(month - people.start, 0)
    log_odds = shift + world.spread * risk(world, people, health) + PULL_RISK * pull + RENEWAL_RISK * people.annual
    log_odds += EARLY_RISK * np.exp(-tenure / EARLY_MONTHS) + DOG_CALM * people.dog
    return np.asarray(np.where(due(people, month), expit(log_odds), 0.0), dtype=np.float32)


def kept_share(world: World, people: People, health: Floats, pull: Flags) -> Floats:
    """Return the share of the leavers whom a call keeps, shape (n,)."""
    own = world.alignment * risk(world, people, health) + np.sqrt(1 - world.alignment**2) * people.need
    kept = world.effect * (1 + world.differing * (2 * ndtr(own) - 1)) * np.where(pull, PULL_KEEPS, 1.0)
    return np.asarray(np.where(people.dog, -world.bite, kept), dtype=np.float32)


def failure_chance(world: World, people: People) -> NDArray[np.float64]:
    """Return the chance that a bill which is due fails for good, shape (n,).

    Annual plans have one bill a year; the rate is lifted so that the mean over all months is the world's.
    """
    due_share = 1 - world.annual_share * 11 / 12
    return np.asarray(world.failed_cards / due_share * np.exp(CARD_SPREAD * people.card - CARD_SPREAD**2 / 2))


def base_log_odds(world: World) -> float:
    """Return the log-odds that bring the unselected monthly rate of cancelling to ``World.leaving``."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(31)
    weights = weights / weights.sum()
    pulled = world.pull / (world.pull + PULL_ENDS)

    def rate(shift: float) -> float:
        total = 0.0
        for renewal, share in ((0.0, 1 - world.annual_share), (RENEWAL_RISK, world.annual_share / 12)):
            for extra, chance in ((0.0, 1 - pulled), (PULL_RISK, pulled)):
                total += share * chance * float(weights @ expit(shift + renewal + extra + world.spread * nodes))
        return total

    return float(brentq(lambda shift: rate(shift) - world.leaving, -15, 5))
