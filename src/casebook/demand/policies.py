"""Policies that turn a forecast into an order: which quantile, of which days, less what is there already.

An order of day d arrives after the lead time and must last until the next one arrives. Stock and order together are
therefore brought up to a level for ``lead_days + review_days`` days: for a weekly order, from the Monday on which it is
placed to the Wednesday of the week after, ten days. What is on the shelf counts in full, though some of it may spoil
before it is sold.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from casebook.contracts import FloatArray, refuse
from casebook.decisions._numbers import as_numbers, levels
from casebook.decisions.fractile import critical_fractile
from casebook.demand.ledger import Costs, Whole
from casebook.demand.path_forecasts import Forecast
from casebook.demand.play import due_cells
from casebook.demand.shelf import KEEPS, Supply
from casebook.demand.world import WEEK

LEAST, MOST = 0.05, 0.995  # a margin or a loss of almost nothing would ask for no stock, or for stock without end


def unit_costs(supply: Supply, costs: Costs) -> tuple[FloatArray, FloatArray]:
    """Return each cell's dollars a unit short, and a unit too many.

    Short: the margin and the goodwill. Too many, of what spoils: cost less salvage, as if it were thrown away when the
    next delivery comes; of what keeps: its holding until then, since it is sold later. The first is too harsh where
    the shelf life is longer than the time between two deliveries, and neither knows of substitutes.

    Parameters
    ----------
    supply : Supply
    costs : Costs

    Returns
    -------
    cost_under, cost_over : numpy.ndarray of float, shape (cells,)

    Examples
    --------
    >>> two = np.ones(2, int)
    >>> shop = Supply(two, np.array([4, 365]), two, two * 7, two * 3, two * 5.0, two * 3.0, two * 1.0)
    >>> [part.round(3).tolist() for part in unit_costs(shop, Costs(goodwill=1, holding=0.001))]
    [[3.0, 3.0], [2.0, 0.021]]
    """
    short = np.maximum(supply.price - supply.cost, 0) + costs.goodwill
    spoils = supply.shelf_life <= KEEPS
    waits = costs.holding * supply.cost * supply.review_days
    return short, np.where(spoils, np.maximum(supply.cost - supply.salvage, 0), waits)


def sku_fractiles(supply: Supply, costs: Costs) -> FloatArray:
    """Return each cell's critical fractile of :func:`unit_costs`, kept within :data:`LEAST` and :data:`MOST`.

    Examples
    --------
    >>> two = np.ones(2, int)
    >>> shop = Supply(two, np.array([4, 365]), two, two * 7, two * 3, two * 5.0, two * 3.0, two * 1.0)
    >>> sku_fractiles(shop, Costs(goodwill=1, holding=0.001)).round(3).tolist()
    [0.6, 0.993]
    """
    short, over = unit_costs(supply, costs)
    floor = 1e-9
    return np.clip(critical_fractile(np.maximum(short, floor), np.maximum(over, floor)), LEAST, MOST)


class Nothing:
    """Orders nothing."""

    def order(self, day: int, position: Whole) -> FloatArray:
        """Return no unit."""
        return np.zeros(len(position))

    def watch(self, day: int, sold: Whole) -> None:
        """Look away."""


class LastWeek:
    """Orders as if every day sold what it last sold on that weekday.

    What it sells is cut off by what it ordered, so a week with an empty shelf makes a small order.

    Parameters
    ----------
    supply : Supply
    sold : array_like, shape (cells, 7)
        Units sold in the week, Monday to Sunday, before the first day.

    Raises
    ------
    ContractError
        Another shape.

    Examples
    --------
    >>> one = np.array([1])
    >>> shop = Supply(one, one * 30, one, one * 7, one * 3, one * 1.0, one * 0.5, one * 0.0)
    >>> LastWeek(shop, [[1, 2, 3, 4, 5, 6, 7]]).order(0, np.array([10])).tolist()
    [24.0]
    """

    def __init__(self, supply: Supply, sold: npt.ArrayLike) -> None:
        seen = np.array(sold, float)
        if seen.shape != (len(supply), WEEK):
            refuse("sold", f"of shape ({len(supply)}, 7)", f"shape {seen.shape}", "pass the week before the first day")
        self._supply, self._seen = supply, seen

    def order(self, day: int, position: Whole) -> FloatArray:
        """Return last week's sales of the days that stock and order must last for, less what is there."""
        return self._sum(day + np.zeros_like(position), self._supply.lead_days + self._supply.review_days) - position

    def alone(self, day: int) -> FloatArray:
        """Return last week's sales of the days covered."""
        return self._sum(day + self._supply.lead_days, self._supply.review_days)

    def watch(self, day: int, sold: Whole) -> None:
        """Remember the day."""
        self._seen[:, day % WEEK] = sold

    def _sum(self, day: Whole, reach: Whole) -> FloatArray:
        ahead = np.arange(int(reach.max()))
        days = self._seen[np.arange(len(day))[:, None], (day[:, None] + ahead) % WEEK]
        return np.asarray((days * (ahead < reach[:, None])).sum(axis=1))


class UpTo:
    """Orders up to a quantile of what the days from the order to the next delivery want together.

    Parameters
    ----------
    forecast : Forecast
    supply : Supply
    tau : float or array_like, shape (cells,), optional
        The quantile; None is the mean.
    daily : bool
        Add up the days' own quantiles instead of taking that of their sum.

    Raises
    ------
    ContractError
        A tau outside (0, 1), or of another number of cells.

    Examples
    --------
    >>> from casebook.demand.path_forecasts import SamplePaths
    >>> one = np.array([1])
    >>> shop = Supply(one, one * 30, one, one * 7, one * 3, one * 1.0, one * 0.5, one * 0.0)
    >>> four = SamplePaths(0, np.random.default_rng(0).poisson(4, (4_000, 1, 14)))
    >>> [UpTo(four, shop, 0.9, daily).order(0, np.array([8])).tolist() for daily in (False, True)]
    [[40.0], [62.0]]
    """

    def __init__(
        self, forecast: Forecast, supply: Supply, tau: npt.ArrayLike | None = None, daily: bool = False
    ) -> None:
        level = None if tau is None else levels(tau)
        if level is not None and level.shape not in ((), (len(supply),)):
            refuse("tau", f"one number or {len(supply)}", f"shape {level.shape}", "give one for each cell")
        self._forecast, self._supply, self._tau, self._daily = forecast, supply, level, daily

    def order(self, day: int, position: Whole) -> FloatArray:
        """Return the level less what is there."""
        days = (self._supply.lead_days + self._supply.review_days) * due_cells(self._supply, day)
        return self._level(day, days) - position  # nothing is forecast for cells that cannot order

    def alone(self, day: int) -> FloatArray:
        """Return the quantile of the days covered."""
        return self._level(day + self._supply.lead_days, self._supply.review_days * due_cells(self._supply, day))

    def watch(self, day: int, sold: Whole) -> None:
        """Pass the day on to the forecast."""
        self._forecast.watch(day, sold)

    def _level(self, day: int | Whole, reach: Whole) -> FloatArray:
        if self._tau is None:
            return self._forecast.mean(day, reach)
        ask = self._forecast.sum_of_quantiles if self._daily else self._forecast.quantile
        return ask(day, reach, self._tau)


class MeanForecast(UpTo):
    """Orders up to the mean."""

    def __init__(self, forecast: Forecast, supply: Supply) -> None:
        super().__init__(forecast, supply)


class GlobalFractile(UpTo):
    """Orders up to one quantile for all products; by default that of the source, 10 / (10 + 2)."""

    def __init__(self, forecast: Forecast, supply: Supply, tau: float = 10 / 12) -> None:
        super().__init__(forecast, supply, tau)


class PerSkuFractile(UpTo):
    """Orders up to each product's own critical fractile, :func:`sku_fractiles`."""

    def __init__(self, forecast: Forecast, supply: Supply, costs: Costs) -> None:
        super().__init__(forecast, supply, sku_fractiles(supply, costs))


class P95(UpTo):
    """Orders up to the 95th percentile, being averse to stock-outs."""

    def __init__(self, forecast: Forecast, supply: Supply) -> None:
        super().__init__(forecast, supply, 0.95)


class SumOfDaily(UpTo):
    """Orders up to the sum of the days' own quantiles, which is far above the quantile of their sum."""

    def __init__(self, forecast: Forecast, supply: Supply, tau: npt.ArrayLike = 10 / 12) -> None:
        super().__init__(forecast, supply, tau, daily=True)


class ForecastIsOrder(UpTo):
    """Orders the sum of the covered days' quantiles whatever is on the shelf: the forecast is the order."""

    def __init__(self, forecast: Forecast, supply: Supply, tau: npt.ArrayLike = 10 / 12) -> None:
        super().__init__(forecast, supply, tau, daily=True)

    def order(self, day: int, position: Whole) -> FloatArray:
        """Return what the days covered want, as if nothing were there."""
        return self.alone(day)


class Level:
    """Orders up to fixed levels, or the levels themselves whatever is there.

    Parameters
    ----------
    units : array_like, shape (cells,)
    forgets : bool
        Order the level itself.
    """

    def __init__(self, units: npt.ArrayLike, forgets: bool = False) -> None:
        self._units, self._forgets = as_numbers(units, "units", 0), forgets

    def order(self, day: int, position: Whole) -> FloatArray:
        """Return the level, less what is there unless it is forgotten."""
        return np.asarray(self._units - (0 if self._forgets else position))

    def alone(self, day: int) -> FloatArray:
        """Return the level."""
        return self._units

    def watch(self, day: int, sold: Whole) -> None:
        """Look away."""
