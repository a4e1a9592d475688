"""The hours of a shop's day: when orders come, and when a shelf runs empty."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.demand.world import CATEGORIES, CLOSES, NEVER_OUT, OPENS, in_words

HOURS = np.arange(OPENS, CLOSES)
_MORNING, _EVENING = np.exp(-0.5 * ((HOURS - 10) / 2.2) ** 2), np.exp(-0.5 * ((HOURS - 18) / 2.5) ** 2)
_EARLY = {"bakery": 0.7, "produce": 0.45, "dairy": 0.4, "drinks": 0.15, "frozen": 0.25, "pantry": 0.35,
          "household": 0.3}  # fmt: skip


def hour_shares() -> NDArray[np.float64]:
    """Return the share of a day's orders in each hour, shape (categories, 14); rows add up to 1.

    Examples
    --------
    >>> bool(np.allclose(hour_shares().sum(axis=1), 1)), hour_shares().shape
    (True, (7, 14))
    """
    early = np.array([_EARLY[name] for name in CATEGORIES])[:, None]
    curve = early * _MORNING / _MORNING.sum() + (1 - early) * _EVENING / _EVENING.sum()
    result: NDArray[np.float64] = 0.9 * curve + 0.1 / len(HOURS)
    return result


def draw_stockout_hour(
    stock: NDArray[np.int64], wanted: NDArray[np.int64], category: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int8]:
    """Draw the hour in which the last unit went, where more was wanted than was there; 24 elsewhere.

    The moment of the s-th of d orders that come by a profile F is F^-1 of a Beta(s, d - s + 1).

    Parameters
    ----------
    stock, wanted, category : numpy.ndarray of int, shape (n,)
        Units at the opening; units wanted; code of the category.

    Returns
    -------
    numpy.ndarray of int8, shape (n,)
        The opening hour if there was nothing to begin with.

    Examples
    --------
    >>> stock, wanted = np.array([0, 9, 1]), np.array([3, 9, 50])
    >>> draw_stockout_hour(stock, wanted, np.zeros(3, int), np.random.default_rng(0)).tolist()
    [8, 24, 8]
    """
    hour = np.full(len(stock), NEVER_OUT, np.int8)
    out = wanted > stock
    hour[out] = OPENS
    some = np.flatnonzero(out & (stock > 0))
    when = rng.beta(stock[some], wanted[some] - stock[some] + 1)
    ends = hour_shares().cumsum(axis=1)[category[some]]
    hour[some] += np.minimum((ends < when[:, None]).sum(axis=1), len(HOURS) - 1).astype(np.int8)
    return hour


def hours_table(units: NDArray[np.int64], rng: np.random.Generator) -> pd.DataFrame:
    """Return what the company logs of its hours: units ordered by category and hour, on days on which nothing ran out.

    Parameters
    ----------
    units : numpy.ndarray of int, shape (categories,)
        Units sold on such days.
    """
    drawn = np.array([rng.multinomial(count, row / row.sum()) for count, row in zip(units, hour_shares(), strict=True)])
    code, hour = (axis.ravel() for axis in np.indices(drawn.shape))
    words = in_words(code, CATEGORIES)
    return pd.DataFrame({"category": words, "hour": HOURS[hour], "orders": drawn.ravel()})
