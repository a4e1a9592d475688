"""The fractile where a unit left over is sold later, as long as it keeps: neither a newspaper's nor a warehouse's."""

from __future__ import annotations

import numpy as np
from scipy import stats

from casebook.contracts import FloatArray, refuse
from casebook.demand.ledger import Costs, Whole
from casebook.demand.path_forecasts import Forecast
from casebook.demand.play import due_cells
from casebook.demand.policies import LEAST, MOST
from casebook.demand.shelf import KEEPS, Supply
from casebook.demand.week_orders import day_moments

TAUS = np.array([LEAST, 0.2, 0.35, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, MOST])


class ShelfLifeFractile:
    """Orders up to the level at which one more unit costs as much as it earns, given how long it keeps.

    One more unit saves a unit short if the days until the next delivery want more than the level S. It waits for one
    more delivery if they do not, and is thrown away only if all the days for which it keeps want no more than S:
    ``short * P(D > S) = holding * P(D <= S) + waste * P(D_life <= S)``. With a life as long as the time between two
    deliveries that is the newsvendor's fractile; with a long one, that of what keeps. The oldest unit is taken to be
    sold first, and what is left from before to be fresh.

    Only the days until the next delivery are forecast; those for which a unit keeps go on at the same rate.

    Parameters
    ----------
    forecast : Forecast
    supply : Supply
    costs : Costs
    shared : float
        Share of the forecast's variance that is one misjudged level and stays; the rest is drawn anew with the days.

    Raises
    ------
    ContractError
        A share outside [0, 1].

    References
    ----------
    Nahmias (1976), Myopic approximations for the perishable inventory problem, Management Science 22.

    Examples
    --------
    >>> from casebook.demand.path_forecasts import SamplePaths
    >>> four = np.full(4, 1)
    >>> shop = Supply(four, np.array([7, 10, 21, 365]), four, four * 7, four * 3, four * 4.0, four * 2.0, four * 0.0)
    >>> days = SamplePaths(0, np.random.default_rng(0).negative_binomial(1, 0.25, (2_000, 4, 10)))
    >>> ShelfLifeFractile(days, shop, Costs(goodwill=0.0, holding=0.005)).levels(0).tolist()
    [29.0, 35.0, 45.0, 53.0]
    """

    def __init__(self, forecast: Forecast, supply: Supply, costs: Costs, shared: float = 0.5) -> None:
        if not 0 <= shared <= 1:
            refuse("shared", "a share in [0, 1]", f"{shared:g}", "divide percentages by 100")
        self._forecast, self._supply, self._shared = forecast, supply, shared
        self._spoils = supply.shelf_life <= KEEPS
        self._short = np.maximum(supply.price - supply.cost, 0) + costs.goodwill
        self._waits = costs.holding * supply.cost * supply.review_days
        self._waste = np.where(self._spoils, np.maximum(supply.cost - supply.salvage, 0), 0.0)

    def order(self, day: int, position: Whole) -> FloatArray:
        """Return the level less what is there."""
        return self.levels(day) - position

    def alone(self, day: int) -> FloatArray:
        """Return the level for the days covered, as if no shelf held anything when the delivery comes."""
        reach = self._supply.review_days * due_cells(self._supply, day)
        return self._best(day + self._supply.lead_days, reach, self._supply.shelf_life)

    def levels(self, day: int) -> FloatArray:
        """Return units that stock and order are brought up to, shape (cells,); 0 where it is no order day."""
        supply = self._supply
        ahead, due = supply.lead_days, due_cells(supply, day)
        reach = (ahead + supply.review_days) * due  # nothing is forecast for cells that cannot order
        return self._best(day + np.zeros_like(ahead), reach, ahead + supply.shelf_life)

    def watch(self, day: int, sold: Whole) -> None:
        """Pass the day on to the forecast."""
        self._forecast.watch(day, sold)

    def _best(self, day: Whole, reach: Whole, lives: Whole) -> FloatArray:
        """Return the smallest of the tried quantiles at which another unit no longer pays."""
        tau = TAUS[:, None]
        level = np.array([self._forecast.quantile(day, reach, one) for one in TAUS])
        times = np.where(self._spoils & (reach > 0), lives, reach) / np.maximum(reach, 1)
        expires = _below(level, times, self._shared)
        loses = self._short * (1 - tau) <= self._waits * tau + self._waste * expires
        first = np.where(loses.any(axis=0), loses.argmax(axis=0), len(TAUS) - 1)
        return np.asarray(level[first, np.arange(level.shape[1])])


def _below(level: FloatArray, times: FloatArray, shared: float) -> FloatArray:
    """Return the probability that so many times the days want no more than each level, shape (taus, cells).

    Where the time is the same, it is tau itself.
    """
    mean, sd = day_moments(level.T, TAUS.tolist())
    centre = np.maximum(mean * times, 1e-9)
    variance = np.maximum(sd**2 * (shared * times**2 + (1 - shared) * times), 1e-9)
    chance = stats.gamma.cdf(level + 0.5, centre**2 / variance, scale=variance / centre)
    return np.asarray(np.where(times == 1, TAUS[:, None], chance))
