"""What an action does to an event, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebook.fraud.stream import Codes, Floats, Ints
from casebook.fraud.world import (
    ACTIONS,
    ALL_KINDS,
    CHANNELS,
    ENTRIES,
    LIABILITY,
    RECOVERY,
    Friction,
    World,
)

HOLD = {"account_takeover": 18.0, "ring": 4.0, "wallet": 2.0}
"""By how much the odds that a fraudster passes a push are higher where he has a hold of the holder's phone."""
DENIED = 0.7  # share of the pushes and calls he does not pass that the holder answers with no; the rest is unanswered
ALLOW, PUSH, CALL, BLOCK = range(len(ACTIONS))
PASSED, DECLINED, ABANDONED, STOPPED = range(4)
CONFIRM, DENY, NONE = range(3)
UNASKED = -1
Bools = NDArray[np.bool_]
Dollars = NDArray[np.float64]


@dataclass(frozen=True)
class Played:
    """What became of a day's events; arrays of shape (n,).

    Attributes
    ----------
    action : what the policy chose, also where the card was stopped already.
    outcome : code into ``OUTCOMES``.
    answer : code into ``ANSWERS``; -1 if nobody was asked.
    stops : whether this event stopped its card.
    """

    action: Codes
    outcome: Codes
    answer: Codes
    stops: Bools


def pass_shares(share: float) -> NDArray[np.float64]:
    """Return the share of pushes that a fraudster of each kind passes, shape (7,).

    Examples
    --------
    >>> dict(zip(ALL_KINDS, pass_shares(0.08).round(2).tolist()))["account_takeover"]
    0.61
    """
    odds = np.array([HOLD.get(kind, 1.0) for kind in ALL_KINDS])
    return np.asarray(odds * share / (1 - share + odds * share))


def answers(world: World, action: Codes, kind: Codes, luck: Floats) -> Codes:
    """Return what comes back from pushes and calls, -1 for other actions, shape (n,).

    An honest holder confirms, denies by mistake, or does not answer in time. A fraudster passes, which looks like a
    confirmation, or the holder denies, or nobody answers. The smaller an event's luck, the sooner it is confirmed:
    so a call confirms an honest event whenever a push that confirms less would have.

    Examples
    --------
    >>> push, honest = np.array([1, 1], np.int8), np.array([-1, -1], np.int8)
    >>> answers(World(push_confirm=0.9), push, honest, np.array([0.5, 0.95])).tolist()
    [0, 2]
    """
    found = np.full(len(action), UNASKED, np.int8)
    for way, confirm, slip, passes in (
        (PUSH, world.push_confirm, world.push_slip, world.push_pass),
        (CALL, world.call_confirm, world.call_slip, world.call_pass),
    ):
        asked = np.flatnonzero(action == way)
        fraud = kind[asked] >= 0
        yes = np.where(fraud, pass_shares(passes)[kind[asked]], confirm)
        no = yes + np.where(fraud, (1 - yes) * DENIED, slip)
        found[asked] = np.where(luck[asked] < yes, CONFIRM, np.where(luck[asked] < no, DENY, NONE))
    return found


def play(world: World, action: Codes, card: Ints, kind: Codes, luck: Floats, stopped: Bools) -> Played:
    """Play a day's events in their order.

    The first block or denial stops its card: all later events on it that day are declined, whatever the action.

    Parameters
    ----------
    world : World
    action : array of int8, shape (n,)
        Codes into ``ACTIONS``, in the order of time.
    card : array of int, shape (n,)
    kind : array of int8, shape (n,)
        Code into ``ALL_KINDS``; -1 for honest events.
    luck : array of float, shape (n,)
    stopped : array of bool, shape (n,)
        Whether the card was stopped before the day began.

    Returns
    -------
    Played

    Examples
    --------
    >>> action, honest = np.array([3, 0, 0], np.int8), np.full(3, -1, np.int8)
    >>> played = play(World(), action, np.array([7, 7, 8]), honest, np.zeros(3, np.float32), np.zeros(3, bool))
    >>> played.outcome.tolist()
    [1, 3, 0]
    """
    answer = answers(world, action, kind, luck)
    would_stop = ((action == BLOCK) | (answer == DENY)) & ~stopped
    rows = np.flatnonzero(would_stop)
    _, first = np.unique(card[rows], return_index=True)
    stops = np.zeros(len(action), bool)
    stops[rows[first]] = True
    is_stopped = stopped | _after(card, rows[first])
    outcome = np.where(answer == NONE, ABANDONED, np.where(would_stop, DECLINED, PASSED))
    outcome = np.where(is_stopped, STOPPED, outcome).astype(np.int8)
    return Played(action, outcome, np.where(is_stopped, UNASKED, answer).astype(np.int8), stops)


def _after(card: Ints, stop: NDArray[np.int64]) -> Bools:
    """Return which rows come after the row, in ``stop``, that stopped their card."""
    if len(stop) == 0:
        return np.zeros(len(card), bool)
    since = np.full(int(card.max()) + 1, len(card))
    since[card[stop]] = stop
    return np.asarray(np.arange(len(card)) > since[card])


def loss_if_passed(costs: Friction, cents: NDArray[np.integer], entry: Codes, channel: Codes) -> Dollars:
    """Return what a fraud costs the issuer if it passes, dollars, shape (n,).

    The amount times the issuer's liability, less what is recovered, plus the fee.

    Examples
    --------
    >>> app = np.array([ENTRIES.index("app")], np.int8), np.array([CHANNELS.index("app")], np.int8)
    >>> loss_if_passed(Friction(fee=15.0), np.array([10_000]), *app).tolist()
    [95.0]
    """
    liable = np.array([LIABILITY[name] for name in ENTRIES])[entry]
    kept = 1 - np.array([RECOVERY[name] for name in CHANNELS])[channel]
    return np.asarray(cents / 100 * liable * kept + costs.fee)


def friction(costs: Friction, played: Played, cents: NDArray[np.integer], channel: Codes, honest: Bools) -> Dollars:
    """Return what the actions cost on honest events, dollars, shape (n,); 0 for attempts.

    A push or a call costs itself; a block its complaint; a sale that does not happen its margin, of which a transfer
    has none; a stopped card a new one. Of an event on a card already stopped nobody is asked anything: it costs its
    margin.

    Examples
    --------
    >>> played = Played(np.array([3, 0], np.int8), np.array([1, 3], np.int8), np.full(2, -1, np.int8), np.array([1, 0]))
    >>> costs = Friction(block=10, margin=0.02, reissue=5)
    >>> friction(costs, played, np.array([5_000, 5_000]), np.zeros(2, np.int8), np.ones(2, bool)).tolist()
    [16.0, 1.0]
    """
    own = np.array([0.0, costs.push, costs.call, costs.block])[played.action]
    own = np.where(played.outcome == STOPPED, 0.0, own)
    sale = (played.outcome != PASSED) & (channel != CHANNELS.index("app"))
    lost = np.where(sale, costs.margin * cents / 100, 0.0)
    return np.where(honest, own + lost + costs.reissue * played.stops, 0.0)
