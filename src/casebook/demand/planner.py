"""The planner of the past: orders up to a multiple of what he last saw sold, from records that may be wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from casebook.demand.shelf import Supply
from casebook.demand.world import WEEK, World

Whole = NDArray[np.int64]
_SEEN_DAYS = 28
_PROMO_GUESS = 1.6  # what he multiplies by on days with a promotion that he knows of
_WEEKEND_GUESS = np.array([0.8, 0.8, 0.85, 0.95, 1.2, 1.3, 1.1])
_FOUND_DAYS = 21  # days until somebody counts a shelf whose record is wrong


def in_packs(units: NDArray[np.float64], pack: Whole) -> Whole:
    """Round an order up to whole cases; a negative one is none.

    Examples
    --------
    >>> in_packs(np.array([-3.0, 0.2, 6.0, 6.1]), np.array([6, 6, 6, 6])).tolist()
    [0, 6, 6, 12]
    """
    cases = np.ceil(np.maximum(units, 0) / pack - 1e-9)
    return np.asarray(cases * pack, np.int64)


class Planner:
    """Orders for every cell on its order days.

    Parameters
    ----------
    world : World
    supply : Supply
    promoted : numpy.ndarray of bool, shape (cells, days)
        Days with a promotion that was announced two weeks before.
    first_guess : numpy.ndarray of float, shape (cells,)
        Units a day that he expects before he has seen any.
    """

    def __init__(
        self, world: World, supply: Supply, promoted: NDArray[np.bool_], first_guess: NDArray[np.float64]
    ) -> None:
        self._level, self._supply, self._promoted = world.stock_level, supply, promoted
        self._seen = np.repeat(first_guess[:, None], _SEEN_DAYS, axis=1)

    def watch(self, day: int, sold: Whole) -> None:
        """Remember what was sold on a day."""
        self._seen[:, day % _SEEN_DAYS] = sold

    def restart(self, cells: NDArray[np.bool_], guess: NDArray[np.float64]) -> None:
        """Begin anew for cells that are listed today."""
        self._seen[cells] = guess[cells, None]

    def order(self, day: int, position: Whole) -> Whole:
        """Return units to order at the opening of a day, in whole cases; none where it is not the day.

        Parameters
        ----------
        position : numpy.ndarray of int, shape (cells,)
            Units on hand, as recorded, and on order.
        """
        due = (self._supply.review_days == 1) | (day % WEEK == 0)
        reach = self._supply.review_days + self._supply.lead_days
        weekly, daily = self._factors(day, WEEK + 3), self._factors(day, 2)
        factor = np.where(self._supply.review_days == 1, daily, weekly)
        usual = self._seen.mean(axis=1) * reach
        target = np.maximum(self._level * usual * factor, 1)
        return np.where(due, in_packs(target - position, self._supply.case_pack), 0)

    def _factors(self, day: int, reach: int) -> NDArray[np.float64]:
        ahead = np.arange(day, day + reach)
        known = self._promoted[:, day : day + reach].mean(axis=1) if day < self._promoted.shape[1] else 0.0
        return np.asarray(_WEEKEND_GUESS[ahead % WEEK].mean() * (1 + (_PROMO_GUESS - 1) * known))


class Records:
    """What the stock system believes, which differs from the shelf in a share of the cells.

    A record goes wrong by some units, up (goods that were stolen or misplaced: phantom stock) or down, and stays so
    until somebody counts, three weeks later on average. DeHoratius and Raman (2008) found 65% of 370,000 records of a
    retailer wrong; Kang and Gershwin (2005) show how phantom stock stops the orders.
    """

    def __init__(self, world: World, usual: NDArray[np.float64], rng: np.random.Generator) -> None:
        share = min(world.record_error, 0.95)
        self._starts = share / (1 - share) / _FOUND_DAYS
        self._size = np.maximum(usual * 3, 1)
        self._rng = rng
        self.offset = np.zeros(len(usual), np.int64)
        wrong = rng.random(len(usual)) < share
        self.offset[wrong] = self._draw()[wrong]

    def tonight(self) -> None:
        """Let some records go wrong and some be found."""
        chance = self._rng.random(len(self.offset))
        wrong = self.offset != 0
        found, goes = wrong & (chance < 1 / _FOUND_DAYS), ~wrong & (chance < self._starts)
        self.offset[found] = 0
        if goes.any():
            self.offset[goes] = self._draw()[goes]

    def of(self, on_hand: Whole) -> Whole:
        """Return the units that the system shows for what is on the shelves."""
        return np.maximum(on_hand + self.offset, 0)

    def _draw(self) -> Whole:
        size = 1 + self._rng.poisson(self._size)
        return np.where(self._rng.random(len(size)) < 0.6, size, -size)
