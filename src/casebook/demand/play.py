"""From orders to money: a policy's orders become stock, stock becomes sales, and a ledger says what came of it.

A day goes: lorries are unpacked, orders are placed, customers come, what is too old is thrown away. An order of day d
is on the shelf at the opening of day ``d + lead_days``. All policies meet the same customers, who would take another
product, or would not, whichever policy is played.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import BoolArray, refuse
from casebook.decisions.fractile import newsvendor_cost
from casebook.demand.ledger import UNITS, Costs, Ledger, Whole, make_ledger
from casebook.demand.planner import in_packs
from casebook.demand.shelf import Served, Shelf, Supply
from casebook.demand.world import WEEK


class Policy(Protocol):
    """What orders, and is shown each day's sales after the close."""

    def order(self, day: int, position: Whole) -> npt.ArrayLike:
        """Return units to order at the opening of a day, shape (cells,); below 0 is none.

        They are rounded up to cases, and are ignored where the day is no order day of the cell. `position` is what is
        on the shelves and on its way.
        """

    def watch(self, day: int, sold: Whole) -> None:
        """Take note of what was sold on a day."""


class Fresh(Policy, Protocol):
    """A policy that can also say what it would order for the days covered alone."""

    def alone(self, day: int) -> npt.ArrayLike:
        """Return units for the days from this order's delivery to the next one's, as if no shelf held anything."""


def due_cells(supply: Supply, day: int) -> BoolArray:
    """Return which cells are ordered on a day: those reviewed daily, and on a Monday those reviewed weekly."""
    return np.asarray((supply.review_days == 1) | (day % WEEK == 0))


def play(
    wanted: Whole,
    supply: Supply,
    policy: Policy,
    first_day: int,
    stock: Whole,
    rng: np.random.Generator,
    recapture: float,
    costs: Costs | None = None,
    lead_in: int = 0,
    price: npt.ArrayLike | None = None,
) -> Ledger:
    """Let a policy order for some days.

    Parameters
    ----------
    wanted : numpy.ndarray of int, shape (cells, days)
        Units wanted as first choice, from `first_day` on.
    supply : Supply
    policy : Policy
        A new one: policies remember what they were shown.
    first_day : int
        A Monday.
    stock : numpy.ndarray of int, shape (cells,)
        Units on the shelves at its opening, all fresh; nothing is on its way.
    rng : numpy.random.Generator
        Draws which of the customers would take another product. It makes the same draws for every policy.
    recapture : float
        Share of them.
    costs : Costs, optional
    lead_in : int
        First days that are played and do not count: until the first delivery all policies sell the same stock.
    price : array_like, shape (cells, days), optional
        Dollars asked; by default the list price.

    Returns
    -------
    Ledger

    Raises
    ------
    ContractError
        Shapes that do not fit, a first day that is no Monday, a recapture outside [0, 1], no day that counts, or a
        policy that orders something else than a finite number for each cell.

    Examples
    --------
    >>> class Dozen:
    ...     def order(self, day, position): return 12 - position
    ...     def watch(self, day, sold): pass
    >>> one = np.array([1])
    >>> shop = Supply(one * 0, one * 30, one * 6, one, one, one * 2.0, one * 1.5, one * 1.0)
    >>> ledger = play(np.full((1, 7), 5), shop, Dozen(), 0, one * 12, np.random.default_rng(0), 0.0)
    >>> ledger.course["ordered"].tolist(), ledger.course["stock"].tolist()
    ([[0, 6, 6, 6, 6, 6, 0]], [[7, 2, 3, 4, 5, 6, 7]])
    >>> ledger.cells[["sold", "lost", "margin", "net"]].round(2).to_dict("records")
    [{'sold': 35, 'lost': 0, 'margin': 17.5, 'net': 17.45}]
    """
    units = _checked(wanted, supply, first_day, stock, recapture, lead_in)
    shelf, days = Shelf(supply, np.asarray(stock)), units.shape[1]
    course = {name: np.zeros(units.shape, np.int64) for name in (*UNITS, "stock", "ordered")}
    coming = np.zeros((len(supply), days + int(supply.lead_days.max())), np.int64)  # by the day of arrival
    for at in range(days):
        shelf.deliver(coming[:, at])
        ordered = _order(policy, supply, first_day + at, shelf.on_hand + coming[:, at + 1 :].sum(axis=1))
        coming[np.arange(len(supply)), at + supply.lead_days] += ordered
        served = _serve(shelf, units[:, at], recapture, rng)
        rows = {name: getattr(served, name) for name in ("sold", "own", "instead", "moved", "lost")}
        rows |= {"wanted": units[:, at], "delivered": coming[:, at], "ordered": ordered}
        for name, values in (rows | {"waste": shelf.close(), "stock": shelf.on_hand}).items():
            course[name][:, at] = values
        policy.watch(first_day + at, served.sold)
    asked = supply.price[:, None] if price is None else np.asarray(price, float)
    return make_ledger(
        course, supply, np.asarray(stock), np.broadcast_to(asked, units.shape), costs or Costs(), lead_in
    )


def fresh_newsvendor(
    wanted: Whole,
    supply: Supply,
    policy: Fresh,
    first_day: int,
    cost_under: npt.ArrayLike,
    cost_over: npt.ArrayLike,
) -> pd.DataFrame:
    """Count as the source does: each day or week anew, the forecast is the order, and nothing is left from before.

    There is no lead time either: the days until the delivery are served by nobody. The policy is shown what was wanted,
    since without a shelf nothing is cut off.

    Parameters
    ----------
    wanted, supply, policy, first_day
        As in :func:`play`; the policy can say what it orders for the days covered ``alone``.
    cost_under, cost_over : float or array_like, shape (cells,)
        Dollars a unit short and a unit too many, at the end of each day or week.

    Returns
    -------
    pandas.DataFrame
        One row a cell: ``periods`` (days, or weeks from delivery to delivery, that lie within the days played),
        ``wanted``, ``short``, ``over`` (units), ``cost`` (dollars).

    Raises
    ------
    ContractError
        As :func:`play`, and costs below 0.

    Examples
    --------
    >>> class Five:
    ...     def watch(self, day, sold): pass
    ...     def order(self, day, position): return 5 - position
    ...     def alone(self, day): return 5
    >>> one = np.array([1])
    >>> shop = Supply(one * 0, one * 30, one, one, one, one * 2.0, one * 1.5, one * 1.0)
    >>> fresh_newsvendor(np.array([[9, 3, 8]]), shop, Five(), 0, 10, 2).to_dict("records")
    [{'periods': 2, 'wanted': 11.0, 'short': 3.0, 'over': 2.0, 'cost': 34.0}]
    """
    units = _checked(wanted, supply, first_day, np.zeros(len(supply), np.int64), 0.0, 0)
    days, until = units.shape[1], np.concatenate([np.zeros((len(supply), 1)), units.cumsum(axis=1)], axis=1)
    sums = {name: np.zeros(len(supply)) for name in ("periods", "wanted", "short", "over", "cost")}
    row = np.arange(len(supply))
    for at in range(days):
        start = at + supply.lead_days
        whole = due_cells(supply, first_day + at) & (start + supply.review_days <= days)
        if whole.any():
            ends = (np.minimum(edge, days) for edge in (start, start + supply.review_days))
            low, high = (until[row, end] for end in ends)
            order, need = np.broadcast_to(np.asarray(policy.alone(first_day + at), float), row.shape), high - low
            parts = {
                "periods": np.ones(len(row)),
                "wanted": need,
                "short": np.maximum(need - order, 0),
                "over": np.maximum(order - need, 0),
                "cost": np.asarray(newsvendor_cost(need, order, cost_under, cost_over)),
            }
            for name, values in parts.items():
                sums[name] += np.where(whole, values, 0)
        policy.watch(first_day + at, units[:, at])
    return pd.DataFrame(sums).astype({"periods": np.int64})


def _order(policy: Policy, supply: Supply, day: int, position: Whole) -> Whole:
    due = due_cells(supply, day)
    if not due.any():
        return np.zeros(len(due), np.int64)
    units = np.asarray(policy.order(day, position.copy()), float)
    if units.shape not in ((), due.shape) or not np.isfinite(units).all():
        got = f"shape {units.shape}" if np.isfinite(units).all() else "a missing or infinite one"
        refuse(f"the order of day {day}", f"{len(due)} finite numbers", got, "return units for every cell")
    return np.where(due, in_packs(np.broadcast_to(units, due.shape), supply.case_pack), 0)


def _serve(shelf: Shelf, wanted: Whole, recapture: float, rng: np.random.Generator) -> Served:
    """Serve a day; each customer's readiness to take another product is drawn whether or not he needs it."""
    ready = np.concatenate([[0], np.cumsum(rng.random(int(wanted.sum())) < recapture)])
    last = wanted.cumsum()
    unserved = np.maximum(wanted - shelf.on_hand, 0)
    return shelf.serve(wanted, ready[last] - ready[last - unserved])


def _checked(
    wanted: Whole, supply: Supply, first_day: int, stock: Whole, recapture: float, lead_in: int
) -> Whole:  # fmt: skip
    units, cells = np.asarray(wanted), len(supply)
    if units.ndim != 2 or len(units) != cells or units.dtype.kind not in "iu" or (units < 0).any():
        got = f"{units.dtype} of shape {units.shape}"
        refuse("wanted", f"whole units, 0 or more, of shape ({cells}, days)", got, "give one row a cell of the supply")
    if first_day % WEEK:
        refuse("first_day", "a Monday, a multiple of 7", str(first_day), "start on an order day")
    if np.shape(stock) != (cells,):
        refuse("stock", f"of shape ({cells},)", f"shape {np.shape(stock)}", "give one count a cell")
    if not 0 <= recapture <= 1:
        refuse("recapture", "a share in [0, 1]", f"{recapture:g}", "divide percentages by 100")
    if not 0 <= lead_in < units.shape[1]:
        refuse("lead_in", f"0 or more and below the {units.shape[1]} days played", str(lead_in), "play more days")
    return units.astype(np.int64)
