"""A capacity that does not suffice for all: whom to take, and what one more unit would bring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casebook.contracts import BoolArray, FloatArray, as_amounts, refuse

# Room for the rounding of sums: ten units of 0.1 fill a capacity of 1.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Allocation:
    """Who is taken under a capacity.

    Parameters
    ----------
    selected : numpy.ndarray of bool, shape (n,)
    value : float
        Money that the selected bring.
    used : float
        Capacity that they take.
    shadow_price : float
        Money per unit of capacity of the first item that did not fit wholly: what a little more capacity
        would bring. 0 if everything worth taking fits.
    bound : float
        No selection of whole items brings more than this (the value if items could be split).
    """

    selected: BoolArray
    value: float
    used: float
    shadow_price: float
    bound: float


def allocate(value: npt.ArrayLike, units: npt.ArrayLike, capacity: float) -> Allocation:
    """Take items by falling value per unit of capacity until it is used up.

    With items that can be split this is the optimum. With whole items the greedy choice, after which smaller
    items fill what is left, lies within one item's value of it: ``bound - value`` says how far at most. If
    all items take the same, it is the optimum again. Items with value <= 0 are never taken.

    Parameters
    ----------
    value : array_like, shape (n,)
        Expected money of acting on each item.
    units : float or array_like, shape (n,)
        Capacity that each takes (minutes, dollars, slots), above 0.
    capacity : float
        Units there are.

    Returns
    -------
    Allocation

    Raises
    ------
    ContractError
        Values or units that are no numbers, units of 0 or less, a negative capacity, unequal lengths.

    References
    ----------
    Dantzig (1957), Discrete-variable extremum problems, Operations Research 5(2).

    Examples
    --------
    >>> got = allocate(value=[60, 100, 120, -5], units=[10, 20, 30, 1], capacity=50)
    >>> got.selected.tolist(), got.value, got.shadow_price, got.bound
    ([True, True, False, False], 160.0, 4.0, 240.0)
    """
    worth, size = _items(value, units)
    room = as_amounts(capacity, "capacity")
    if not isinstance(room, float) or room < 0:
        refuse("capacity", "one number, 0 or more", repr(capacity), "give the units there are")
    order = np.argsort(-worth / size, kind="stable")
    order = order[worth[order] > 0]
    prefix = int(np.searchsorted(np.cumsum(size[order]), room + _slack(room), side="right"))
    taken = [*order[:prefix], *_fill(order[prefix:], size, room - size[order[:prefix]].sum())]
    selected = np.zeros(len(worth), dtype=bool)
    selected[taken] = True
    price, bound = _split(order, prefix, worth, size, room)
    return Allocation(selected, float(worth[selected].sum()), float(size[selected].sum()), price, bound)


def _items(value: npt.ArrayLike, units: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    worth = np.atleast_1d(as_amounts(value, "value"))
    size = as_amounts(units, "units", n=len(worth))
    size = np.full(len(worth), size) if isinstance(size, float) else size
    if (size <= 0).any():
        row = int(np.argmax(size <= 0))
        refuse(f"units, row {row}", "above 0", f"{size[row]:g}", "give what each item takes of the capacity")
    return worth, size


def _slack(room: float) -> float:
    return _ROUNDING * room


def _fill(rest: npt.NDArray[np.intp], size: FloatArray, room: float) -> list[int]:
    """Return the later items that still fit, in their order."""
    taken = []
    for item in rest[size[rest] <= room + _slack(room)]:
        if size[item] <= room + _slack(room):
            taken.append(int(item))
            room -= size[item]
    return taken


def _split(
    order: npt.NDArray[np.intp], prefix: int, worth: FloatArray, size: FloatArray, room: float
) -> tuple[float, float]:
    """Return shadow price and value of the problem in which the first item that does not fit is split."""
    whole = order[:prefix]
    if prefix == len(order):
        return 0.0, float(worth[whole].sum())
    marginal = order[prefix]
    price = worth[marginal] / size[marginal]
    return float(price), float(worth[whole].sum() + price * max(room - size[whole].sum(), 0.0))
