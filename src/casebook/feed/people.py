"""Who uses the feed: what the company knows of them, and what it does not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebook.contracts import refuse
from casebook.feed.world import COUNTRIES, DAYS_BEFORE, PLATFORMS, World

VISITS = 1.0  # sessions a day of the average user of a fast phone
DEPTH, DEPTH_SPREAD = 20.0, 0.3  # impressions a session, and sd of their log over users
SESSION_SHAPE = 1.0  # gamma shape of the impressions of one session
PACE = 0.2  # minutes an impression
PACE_SHAPE = 1.0  # gamma shape of the minutes of one impression
RATES = {"click": (0.04, 0.7), "like": (0.015, 0.9), "hide": (0.002, 0.5)}  # per impression; sd of the log over users
USE = np.array([1.1, 1.0, 1.0, 0.6])  # visits by platform
LOAD = np.array([700.0, 850.0, 900.0, 2200.0])  # milliseconds by platform
NEW_DAYS = 28  # who signed up so few days before the test, or in it, is new
_NEW_SHARE, _MEAN_AGE, _POWER_Z = 0.1, 600.0, 1.2
_FAST = np.array([0.40, 0.42, 0.18])  # ios, android, web among phones that are not slow
BOT = {"visits": 12.0, "depth": 60.0, "pace": 0.01, "click": 0.25, "like": 0.05, "hide": 0.0}
Floats = NDArray[np.float32]


@dataclass
class People:
    """Traits of n users, each an array of shape (n,).

    Attributes
    ----------
    platform, country, cohort : codes into ``PLATFORMS``, ``COUNTRIES``, ``COHORTS``.
    joined : day of sign-up, counted from the test's first day; negative before it.
    visits, visits_before : expected sessions a day in the test and before it.
    depth : expected impressions a session on the old ranker.
    pace : minutes an impression.
    click, like, hide : chance that an impression is clicked, liked, hidden.
    load : milliseconds until the feed shows.
    bot : not a person.
    """

    platform: NDArray[np.int8]
    country: NDArray[np.int8]
    cohort: NDArray[np.int8]
    joined: NDArray[np.int32]
    visits: Floats
    visits_before: Floats
    depth: Floats
    pace: Floats
    click: Floats
    like: Floats
    hide: Floats
    load: Floats
    bot: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.visits)

    def use(self, days: int) -> NDArray[np.float64]:
        """Return each person's share of all that is seen in ``days`` days on the old ranker, shape (n,); 0 for bots."""
        here = days - np.clip(self.joined, 0, days)
        seen = np.where(self.bot, 0.0, self.visits.astype(float) * self.depth * here)
        return np.asarray(seen / max(float(seen.sum()), 1e-12))

    def days_before(self) -> NDArray[np.int32]:
        """Return on how many of the 14 days before the test each had an account, shape (n,)."""
        return np.clip(-self.joined, 0, DAYS_BEFORE).astype(np.int32)


def draw_people(world: World, community: NDArray[np.int32], days: int, rng: np.random.Generator) -> People:
    """Draw the users of these communities; the last may sign up on the test's last day.

    Visits are log-normal in each period, with a correlation over users and between friends; sessions are Poisson
    about them, impressions of a session and minutes of an impression gamma.
    """
    n = len(community)
    country, platform = _phones(n, rng)
    joined = _sign_ups(n, days, rng)
    depth = _lognormal(DEPTH, DEPTH_SPREAD, n, rng)
    before, during = _activity(world, community, rng)
    level = VISITS * USE[platform] * np.exp(-(world.spread**2) / 2)
    rates = {name: np.minimum(_lognormal(mean, sd, n, rng), 0.5) for name, (mean, sd) in RATES.items()}
    people = People(
        platform=platform,
        country=country,
        cohort=np.where(joined >= -NEW_DAYS, 0, np.where(before > _POWER_Z, 2, 1)).astype(np.int8),
        joined=joined,
        visits=(level * np.exp(world.spread * during)).astype(np.float32),
        visits_before=(level * np.exp(world.spread * before)).astype(np.float32),
        depth=depth,
        pace=np.full(n, PACE, np.float32),
        **rates,
        load=(LOAD[platform] * _lognormal(1.0, 0.3, n, rng)).astype(np.float32),
        bot=np.zeros(n, bool),
    )
    _turn_into_bots(people, rng.random(n) < world.bots, rng)
    return people


def _phones(n: int, rng: np.random.Generator) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    shares, slow = np.array(list(COUNTRIES.values())).T
    country = np.searchsorted(np.cumsum(shares)[:-1], rng.random(n)).astype(np.int8)
    fast = np.searchsorted(np.cumsum(_FAST)[:-1], rng.random(n))
    return country, np.where(rng.random(n) < slow[country], PLATFORMS.index("slow_phone"), fast).astype(np.int8)


def _sign_ups(n: int, days: int, rng: np.random.Generator) -> NDArray[np.int32]:
    recent = rng.integers(-NEW_DAYS, days, n)
    old = -NEW_DAYS - 1 - rng.exponential(_MEAN_AGE, n)
    return np.where(rng.random(n) < _NEW_SHARE, recent, np.floor(old)).astype(np.int32)


def _lognormal(mean: float, sd: float, n: int, rng: np.random.Generator) -> Floats:
    return (mean * np.exp(sd * rng.standard_normal(n, np.float32) - sd**2 / 2)).astype(np.float32)


def _activity(world: World, community: NDArray[np.int32], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw the standard normal log visits before and during the test: friends alike, the two periods correlated."""
    own = (log_correlation(world) - world.alike) / (1 - world.alike) if world.alike < 1 else 0.0
    if not -1 <= own <= 1:
        must = f"at most {_highest_rho(world):.2f} at this spread"
        refuse("World, rho", must, str(world.rho), "lower rho or alike, or raise spread")
    shared = rng.standard_normal(int(community.max()) + 1, np.float32)[community] * np.float32(world.alike**0.5)
    first, second = rng.standard_normal((2, len(community)), np.float32)
    second = own * first + np.sqrt(1 - own**2) * second
    left = (1 - world.alike) ** 0.5
    return shared + left * first, shared + left * second


def _moments(world: World) -> tuple[float, float]:
    """Return the squared lasting part of minutes, and their variance, both in squared means."""
    shares, slow = np.array(list(COUNTRIES.values())).T
    by_phone = np.append(_FAST * (1 - shares @ slow), shares @ slow)
    mean_use = float(by_phone @ USE)
    lasting = float(by_phone @ USE**2) / mean_use**2 * float(np.exp(DEPTH_SPREAD**2))
    session = 1 + 1 / SESSION_SHAPE + (1 + 1 / PACE_SHAPE) / DEPTH
    noise = session * float(np.exp(DEPTH_SPREAD**2)) / (DAYS_BEFORE * VISITS * mean_use)
    return lasting, lasting * float(np.exp(world.spread**2)) - 1 + noise


def log_correlation(world: World) -> float:
    """Return the correlation of log visits that gives minutes the correlation ``rho``."""
    lasting, variance = _moments(world)
    inside = (1 + world.rho * variance) / lasting
    return float(np.log(inside)) / world.spread**2 if inside > 0 else -np.inf


def _highest_rho(world: World) -> float:
    lasting, variance = _moments(world)
    return (lasting * float(np.exp(world.spread**2)) - 1) / variance


def _turn_into_bots(people: People, bot: NDArray[np.bool_], rng: np.random.Generator) -> None:
    count = int(bot.sum())
    people.bot[bot] = True
    for name, value in BOT.items():
        getattr(people, name)[bot] = value
    people.visits[bot] *= rng.lognormal(0, 0.5, count)
    people.visits_before[bot] = people.visits[bot] * (rng.random(count) < 0.5)
    people.platform[bot] = PLATFORMS.index("web")
