"""The settings of one software company: how its subscribers leave, and what a call does about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MONTHS_BEFORE = 12  # months played before the warehouse begins, so that its first subscribers are survivors
MONTHS = 24  # months that the warehouse holds
FIRST_DAY = np.datetime64("2024-01-01")  # a Monday
TODAY = np.datetime64("2026-01-01")  # everything before it is known
FUTURE = 36  # months after today that the truth knows
PLANS = {"starter": (90.0, 0.35), "team": (180.0, 0.45), "business": (420.0, 0.20)}  # dollars a month, share
USUAL_PRICE = 200.0  # dollars a month
INDUSTRIES = ("software", "retail", "health", "finance", "education", "other")
ROLES = ("admin", "manager", "executive", "user")


@dataclass(frozen=True)
class World:
    """Settings of one company; the defaults are the chapter's company.

    Parameters
    ----------
    leaving : float
        Share of all subscribers that would cancel in a month if nobody had yet been selected; with failed cards
        and after selection the company loses 3 to 5 percent a month.
    spread : float
        Standard deviation of the log-odds of cancelling over subscribers.
    annual_share : float
        Share on annual plans, which can cancel at their renewal date only.
    own_level : float
        Standard deviation of the log of a subscriber's usual usage, which says nothing about leaving.
    memory : float
        Correlation of the changing part of health from month to month, in [0, 1).
    changing : float
        Share of the variance of risk that changes from month to month; the rest is the subscriber's own.
    pull : float
        Chance a month that a price rise or a competitor begins to pull at a company; a call does little there.
    failed_cards : float
        Share of bills that fail and are not recovered.
    effect : float
        Mean share of the leavers whom a call that reaches them keeps, where neither price nor a sleeping dog
        stands against it; at most 0.45.
    alignment : float
        Correlation of that share with risk, in [-1, 1]: below zero the riskiest are the hardest to keep.
    differing : float
        How far that share differs from person to person, in [0, 1]: at 0 everybody has the same one.
    dogs : float
        Share of sleeping dogs: dormant subscribers whom a call reminds of the bill.
    bite : float
        By how much a call raises a sleeping dog's hazard, as a share of it.
    persistence : float
        Share of a call's effect that is left a month later, in [0, 1]. Near 1 a save lasts; near 0 leaving is
        only postponed.
    fatigue : float
        What each call of the last three months takes off the effect of the next.
    reach : float
        Share of calls that reach a person.
    capacity : float
        Calls a month, as a share of the base; 0.042 is 20 people x 10 calls x 21 days on 100,000.
    gut : float
        Weight of what the reps know and no table holds, in last year's choice of whom to call.
    pilot_months : int
        Months of call capacity that the randomised pilot took, 0 to 10.
    price_spread : float
        1 for the plans' own prices; at 0 every plan costs ``USUAL_PRICE``.
    margin : float
        Share of the price that is margin.
    call_cost : float
        Dollars a call, reached or not.
    """

    leaving: float = 0.045
    spread: float = 1.1
    annual_share: float = 0.35
    own_level: float = 0.8
    memory: float = 0.75
    changing: float = 0.5
    pull: float = 0.012
    failed_cards: float = 0.009
    effect: float = 0.22
    alignment: float = 0.0
    differing: float = 1.0
    dogs: float = 0.07
    bite: float = 1.0
    persistence: float = 0.6
    fatigue: float = 0.08
    reach: float = 0.65
    capacity: float = 0.042
    gut: float = 0.8
    pilot_months: int = 5
    price_spread: float = 1.0
    margin: float = 0.8
    call_cost: float = 10.0
