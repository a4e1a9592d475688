"""The settings of one home feed and of the test that it runs."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from casebook.contracts import refuse

FIRST_DAY = np.datetime64("2026-03-02")  # a Monday, the first day of the test
DAYS_BEFORE = 14  # days of the table of the time before
ARMS = ("new", "control", "rest")
PLATFORMS = ("ios", "android", "web", "slow_phone")
COHORTS = ("new", "casual", "power")
COUNTRIES = {"US": (0.30, 0.04), "IN": (0.25, 0.30), "BR": (0.20, 0.22), "DE": (0.15, 0.05), "JP": (0.10, 0.02)}
"""Share of the users, and share of slow phones among them."""
WEEK = (0.96, 0.95, 0.95, 0.97, 1.02, 1.10, 1.05)  # visits of a weekday against the week's mean, Monday first
METRICS = ("sessions", "impressions", "clicks", "likes", "hides", "minutes", "load_ms")
_HALF_LIVES = ("half_life", "primacy_half_life", "creator_half_life")
_SHARES = ("crash", "bots", "outage", "blackout", "alike", "modularity", "spillover", "appetite")


@dataclass(frozen=True)
class World:
    """Settings of one feed; the defaults are a sound test of a ranker that gains two percent.

    Effects are relative: 0.02 is two percent of what the user would do on the old ranker. All of them act on the
    impressions of a session and hence on minutes, clicks, likes and hides; none acts on whether a user comes.

    Parameters
    ----------
    effect : float
        What the new ranker adds for good to a user's impressions and minutes, once everybody is on it and it has
        learnt from its own log; friends and creators come on top.
    click_effect, like_effect : float
        What it adds to the chance that an impression is clicked or liked.
    spread : float
        Standard deviation of the log of a user's visits a day.
    rho : float
        Correlation of an established user's minutes in the 14 days before with those of the test's 14 days.
    alike : float
        Share of the variance of log visits that lies between communities of friends, in [0, 1).
    modularity : float
        Newman's modularity of the planted communities in the friendship graph, in [0, 0.9].
    friends : float
        Mean number of friends.
    crash : float
        Share of the slow phones on which the new ranker's client crashes before it has logged anything; those who
        use the feed least crash most.
    bots : float
        Share of accounts that are bots.
    novelty, half_life : float
        What the new ranker adds on a user's first day with it, beyond `effect`; and days until half of it is gone.
    primacy, primacy_half_life : float
        What is missing from `effect` on that first day; and days until half of it has come.
    spillover : float
        Share of a friend's lasting gain that reaches a user, averaged over the user's friends, in [0, 1].
    symbiosis : float
        Share of `effect` that hangs on the log from which a ranker learns: it goes over to the old ranker as far as
        that one learns from the new one's log, and is missing from the new one as far as it learns from the old's.
        Below zero the new ranker gains from the old one's log.
    appetite : float
        Share of `effect` that the new ranker loses, beyond what the old one loses, if it learns from a small
        diverted log alone.
    code_path : float
        By how much impressions differ in the 90 percent because another code path serves them.
    cohort_gap : float
        What the new ranker adds for new users beyond the mean; the others have so much less that the mean over all
        minutes stays `effect`.
    outage, outage_day : float, int
        Share of the new arm's sessions that its service drops on that day of the test.
    blackout, blackout_day : float, int
        Share of everybody's sessions that are lost on that day.
    hide_effect, load_effect : float
        What the new ranker adds to hides per impression and to load time: harmed guardrails.
    carry_over : float
        What an earlier test, whose treated users are this test's new arm again, had added to their impressions: all
        of it in the 14 days before, half of it gone after a week of this test.
    creators : float
        What one percent more to see adds to everybody's impressions, in percent.
    response : float
        By how many percent creators post more for one percent more exposure, in the end.
    creator_half_life : float
        Days until half of that response has come.
    reallocation : float
        By how much the new ranker moves exposure from the largest creators to the smallest, in [0, 1).
    """

    effect: float = 0.02
    click_effect: float = 0.0
    like_effect: float = 0.0
    spread: float = 1.0
    rho: float = 0.65
    alike: float = 0.05
    modularity: float = 0.5
    friends: float = 10.0
    crash: float = 0.0
    bots: float = 0.0
    novelty: float = 0.0
    half_life: float = 4.0
    primacy: float = 0.0
    primacy_half_life: float = 10.0
    spillover: float = 0.0
    symbiosis: float = 0.0
    appetite: float = 0.0
    code_path: float = 0.0
    cohort_gap: float = 0.0
    outage: float = 0.0
    outage_day: int = 9
    blackout: float = 0.0
    blackout_day: int = 8
    hide_effect: float = 0.0
    load_effect: float = 0.0
    carry_over: float = 0.0
    creators: float = 0.0
    response: float = 0.3
    creator_half_life: float = 21.0
    reallocation: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not np.isfinite(value):
                refuse(f"World, {field.name}", "a finite number", str(value), "fill it in")
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                refuse(f"World, {name}", "in [0, 1]", str(getattr(self, name)), "divide percentages by 100")
        for name in ("spread", "friends", *_HALF_LIVES):
            if getattr(self, name) <= 0:
                refuse(f"World, {name}", "above 0", str(getattr(self, name)), "switch a fault off by its size")
        if not self.creators * self.response < 1:
            got = f"{self.creators * self.response:g}"
            refuse("World, creators times response", "below 1", got, "lower one, for the loop has no end")


@dataclass(frozen=True)
class Design:
    """How the test is run.

    Parameters
    ----------
    days : int
        Length of the test.
    new, control : float
        Shares of the two arms; the rest stays on the old ranker outside the test.
    unit : {"user", "cluster"}
        What is randomised: users, or clusters that Leiden finds in the friendship graph.
    log : {"shared", "diverted"}
        Whether all rankers learn from one log, or each arm's ranker from its own.
    ramp_day, ramp_from : int, float
        Before that day only this share of the new arm is in the test; the others join it then.
    cluster_size : float
        Users below which clusters stay, see :func:`casebook.feed.graph.find_clusters`.

    Examples
    --------
    >>> Design(new=5, control=5)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: Design, new and control must be above 0 and at most 1 together, got 5 and 5;
    divide percentages by 100.
    """

    days: int = 14
    new: float = 0.05
    control: float = 0.05
    unit: str = "user"
    log: str = "shared"
    ramp_day: int = 0
    ramp_from: float = 1.0
    cluster_size: float = 1_000.0

    def __post_init__(self) -> None:
        if not (self.new > 0 and self.control > 0 and self.new + self.control <= 1):
            got = f"{self.new} and {self.control}"
            refuse("Design, new and control", "above 0 and at most 1 together", got, "divide percentages by 100")
        for name, allowed in (("unit", ("user", "cluster")), ("log", ("shared", "diverted"))):
            if getattr(self, name) not in allowed:
                must = " or ".join(map(repr, allowed))
                refuse(f"Design, {name}", must, repr(getattr(self, name)), "choose one of the two")
        if not self.cluster_size >= 2:
            refuse("Design, cluster_size", "2 or more", str(self.cluster_size), "count users")
        if not 1 <= self.days <= 400:
            refuse("Design, days", "from 1 to 400", str(self.days), "count the days of the test")
        if not (0 <= self.ramp_day < self.days and 0 < self.ramp_from <= 1):
            got = f"{self.ramp_from} until day {self.ramp_day}"
            refuse("Design, ramp", "a share above 0 and a day of the test", got, "leave both out for a test without")


FAULTS = (
    *("crash", "bots", "novelty", "primacy", "spillover", "symbiosis", "appetite", "code_path", "cohort_gap"),
    *("outage", "blackout", "hide_effect", "load_effect", "carry_over", "creators", "reallocation"),
)
EFFECTS = ("effect", "click_effect", "like_effect")


def without_faults(world: World) -> World:
    """Return the same feed with every fault off.

    Examples
    --------
    >>> without_faults(World(crash=0.1)) == World()
    True
    """
    off: dict[str, Any] = dict.fromkeys(FAULTS, 0.0)
    return replace(world, **off)


def null_world(world: World | None = None) -> World:
    """Return the feed in which there is nothing to find: no effect and no fault.

    Examples
    --------
    >>> null_world().effect, faults_of(null_world())
    (0.0, ())
    """
    off: dict[str, Any] = dict.fromkeys(EFFECTS, 0.0)
    return replace(without_faults(World() if world is None else world), **off)


def faults_of(world: World) -> tuple[str, ...]:
    """Return the names of the faults that are on.

    Examples
    --------
    >>> faults_of(World(novelty=0.03, outage=0.5))
    ('novelty', 'outage')
    """
    return tuple(name for name in FAULTS if getattr(world, name) != 0)
