"""How the bank hears of fraud: late, not always, and at times of fraud that was none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from casebook.fraud.stream import Codes, Floats, Ids
from casebook.fraud.world import CHANNELS, DAY, World

WITHIN = 6.0  # medians within which 95 percent of the reports come
DELAY_SPREAD = float(np.log(WITHIN) / ndtri(0.95))  # sd of the log of the delay, about 1.09


def delay_seconds(world: World, luck: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return log-normal delays from uniform draws, at least one second, shape (n,).

    Examples
    --------
    >>> (delay_seconds(World(delay_days=7), np.array([0.5, 0.95])) / DAY).round().tolist()
    [7.0, 42.0]
    """
    inside = np.clip(np.asarray(luck, np.float64), 1e-6, 1 - 1e-6)
    return np.maximum(world.delay_days * DAY * np.exp(DELAY_SPREAD * ndtri(inside)), 1).astype(np.int64)


def false_rate(world: World, online: float) -> float:
    """Return the chance that an honest online event is claimed to be fraud.

    It is such that ``false_claims`` of all claims are false while nothing is stopped. It does not depend on what a
    policy stops: a bank that blocks most of the fraud has the larger share of false claims.

    Parameters
    ----------
    world : World
    online : float
        Share of the honest events that are online.

    Examples
    --------
    >>> round(false_rate(World(prevalence=0.001, reported=1.0, false_claims=0.5), online=0.25), 6)
    0.004004
    """
    true_claims = world.reported * world.prevalence / (1 - world.prevalence)
    return min(world.false_claims / (1 - world.false_claims) * true_claims / max(online, 1e-9), 1.0)


def hear(
    world: World,
    at: Ids,
    channel: Codes,
    fraud: NDArray[np.bool_],
    passed: NDArray[np.bool_],
    claim: Floats,
    rate: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows that will be reported, and when, in seconds.

    What did not pass is never reported: nothing was charged. Each event's own draw decides whether it is reported
    and after how long, so that two policies hear of an event at the same time if both let it pass.

    Parameters
    ----------
    world : World
    at, channel, fraud, passed, claim : array, shape (n,)
    rate : float
        See :func:`false_rate`.

    Examples
    --------
    >>> at, channel, yes = np.array([0, 0]), np.array([1, 1], np.int8), np.array([True, True])
    >>> rows, when = hear(World(reported=0.8), at, channel, yes, yes, np.array([0.4, 0.9], np.float32), 0.0)
    >>> rows.tolist(), (when / DAY).round(1).tolist()
    ([0], [7.0])
    """
    chance = np.where(fraud, world.reported, np.where(channel == CHANNELS.index("online"), rate, 0.0))
    rows = np.flatnonzero(passed & (claim < chance))
    return rows, at[rows] + delay_seconds(world, claim[rows] / chance[rows])
