"""Ordering up to a level: the calendar, the days that the level must last for, and what is left when goods come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, refuse
from casebook.decisions._numbers import as_numbers
from casebook.decisions.fractile import best_order, money_of_orders
from casebook.demand.protection import require_paths

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Calendar:
    """When one order is placed and what it must cover, in days after the origin (the last day that is known).

    Parameters
    ----------
    order_day : int
        Day on whose morning the order is placed.
    lead_days : int
        The goods are on the shelf at the opening of ``order_day + lead_days``.
    review_days : int
        Days from one order to the next.

    Raises
    ------
    ContractError
        A number of days below 1.

    Examples
    --------
    >>> Calendar().covered, len(Calendar().protected)
    ((4, 5, 6, 7, 8, 9, 10), 10)
    """

    order_day: int = 1
    lead_days: int = 3
    review_days: int = 7

    def __post_init__(self) -> None:
        for name in ("order_day", "lead_days", "review_days"):
            if getattr(self, name) < 1:
                refuse(f"Calendar, {name}", "1 or more", f"{getattr(self, name)}", "count whole days")

    @property
    def covered(self) -> tuple[int, ...]:
        """Days from this delivery until the next one: what the order itself is sold on."""
        first = self.order_day + self.lead_days
        return tuple(range(first, first + self.review_days))

    @property
    def protected(self) -> tuple[int, ...]:
        """Lead time and review period together: days that stock and order must last for."""
        return tuple(range(self.order_day, self.covered[-1] + 1))

    def table(self, origin: int = 6) -> pd.DataFrame:
        """Return the events of one order: ``day`` and ``weekday`` by event; day 0 is a Monday.

        Examples
        --------
        >>> Calendar().table()["weekday"].to_dict()
        {'forecast': 'Sunday', 'order': 'Monday', 'delivery': 'Wednesday', 'first day covered': 'Thursday',
         'next delivery': 'Wednesday'}
        """
        after = {
            "forecast": 0,
            "order": self.order_day,
            "delivery": self.covered[0] - 1,
            "first day covered": self.covered[0],
            "next delivery": self.covered[-1],
        }
        day = origin + np.array(list(after.values()))
        columns = {"day": day, "weekday": [WEEKDAYS[one % len(WEEKDAYS)] for one in day]}
        return pd.DataFrame(columns, index=pd.Index(list(after), name="event"))


WEEKLY = Calendar()


def orders_from_stock(
    paths: npt.ArrayLike, stock: float, cost_under: float, cost_over: float, calendar: Calendar = WEEKLY
) -> pd.DataFrame:
    """Return three orders for one delivery, each judged on the days it covers, with lost sales before it comes.

    ``week alone`` orders the quantile of the days covered and forgets the stock. ``lead time + review`` orders up to
    the quantile of all protected days. ``week less leftover`` takes the quantile of what the covered days need beyond
    what is left of the stock when the goods come. The second counts sales lost during the lead time as if they were
    still to be served, so it orders no less than the third.

    Parameters
    ----------
    paths : array_like, shape (draws, days)
        Demand of the days ``calendar.protected``.
    stock : float
        Units on the shelf and on their way, on the morning of the order.
    cost_under, cost_over : float
        Money per unit short on the days covered, and left at their end.

    Returns
    -------
    pandas.DataFrame
        As :func:`casebook.decisions.fractile.money_of_orders`.

    Raises
    ------
    ContractError
        Paths of other than the protected days, or negative stock.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> paths = rng.poisson(4, (20_000, 10))
    >>> orders_from_stock(paths, 8, 10, 2)[["order", "service_level"]].round(2)
                         order  service_level
    rule
    week alone            33.0           0.85
    lead time + review    38.0           0.97
    week less leftover    33.0           0.85
    """
    daily, on_hand = _protected(paths, calendar), float(as_numbers(stock, "stock", 0))
    lead, week = daily[:, : calendar.lead_days].sum(axis=1), daily[:, calendar.lead_days :].sum(axis=1)
    need = week - np.maximum(on_hand - lead, 0)
    levels = {
        "week alone": best_order(week, cost_under, cost_over),
        "lead time + review": float(best_order(lead + week, cost_under, cost_over)) - on_hand,
        "week less leftover": best_order(need, cost_under, cost_over),
    }
    orders = {rule: max(float(order), 0.0) for rule, order in levels.items()}
    return money_of_orders(need, orders, cost_under, cost_over)


def play_level(
    demand: npt.ArrayLike, level: float, calendar: Calendar = WEEKLY, lost: bool = True, warm_up: int = 4
) -> pd.Series:
    """Return how ordering up to one level fares over many cycles: each order is ``level`` less the position.

    Parameters
    ----------
    demand : array_like, shape (draws, days)
        Daily demand; each draw starts with a full shelf on the morning of an order.
    level : float
        Units that stock and open orders are brought up to.
    lost : bool
        Whether demand that finds no stock leaves; else it waits for the next delivery.
    warm_up : int
        Cycles that do not count.

    Returns
    -------
    pandas.Series
        ``cycle_service`` (share of the times between two deliveries in which nothing was short), ``fill_rate`` (share
        of units served at once), ``stock_at_delivery`` (units left when goods come).

    Raises
    ------
    ContractError
        A lead time longer than the review period, or no cycle beyond the warm-up.

    References
    ----------
    Silver, Pyke and Thomas (2017), Inventory and production management in supply chains, 7.9 (R, S).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> week = play_level(rng.poisson(4, (200, 700)), 33, lost=False)
    >>> both = play_level(rng.poisson(4, (200, 700)), 46, lost=False)
    >>> float(round(week["cycle_service"], 2)), float(round(both["cycle_service"], 2))
    (0.15, 0.84)
    """
    days = _played(demand, calendar, warm_up)
    review, lead = calendar.review_days, calendar.lead_days
    first = warm_up * review + lead  # the first delivery that counts
    stock, due, short = np.full(len(days), float(level)), np.zeros(len(days)), np.zeros(len(days), bool)
    whole, left, units, served = [], [], 0.0, 0.0
    for day, wanted in enumerate(days.T):
        if day % review == lead % review:
            if day > first:
                whole.append(~short)
                left.append(np.maximum(stock, 0))
            stock, due, short = stock + due, np.zeros(len(days)), np.zeros(len(days), bool)
        if day % review == 0:
            due = np.maximum(level - stock, 0)
        if day >= first:
            units, served = units + wanted.sum(), served + np.minimum(wanted, np.maximum(stock, 0)).sum()
        stock = stock - wanted
        short |= stock < 0
        stock = np.maximum(stock, 0) if lost else stock
    means = {"cycle_service": np.mean(whole), "fill_rate": served / max(units, 1), "stock_at_delivery": np.mean(left)}
    return pd.Series(means, dtype=float)


def _played(demand: npt.ArrayLike, calendar: Calendar, warm_up: int) -> FloatArray:
    days, longest = as_numbers(demand, "demand", 0), calendar.review_days
    if calendar.lead_days > longest:
        got = f"{calendar.lead_days} days"
        refuse("calendar, lead_days", f"at most the {longest} days of a review period", got, "review less often")
    least = (warm_up + 1) * longest + calendar.lead_days
    if days.ndim != 2 or days.shape[1] <= least:
        refuse("demand", f"of shape (draws, more than {least} days)", f"shape {days.shape}", "draw more days")
    return days


def _protected(paths: npt.ArrayLike, calendar: Calendar) -> FloatArray:
    daily = require_paths(paths)
    if daily.shape[1] != len(calendar.protected):
        got = f"{daily.shape[1]} days"
        refuse("paths", f"the {len(calendar.protected)} days of lead time and review", got, "start on the order day")
    return daily
