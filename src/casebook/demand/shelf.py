"""The shelf: deliveries come, people take, what is too old goes, and who finds nothing takes another or leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.contracts import refuse

Whole = NDArray[np.int64]
KEEPS = 22  # days; what has a longer shelf life is kept as if it never went bad


@dataclass(frozen=True, eq=False)
class Supply:
    """How the cells (store, product) are supplied, one entry a cell; cells are sorted by store, then product.

    Attributes
    ----------
    substitutes : number of the group, within the store, whose products replace each other
    shelf_life, case_pack, review_days, lead_days : days, units, days, days
    price, cost, salvage : dollars a unit
    """

    substitutes: Whole
    shelf_life: Whole
    case_pack: Whole
    review_days: Whole
    lead_days: Whole
    price: NDArray[np.float64]
    cost: NDArray[np.float64]
    salvage: NDArray[np.float64]

    @classmethod
    def of(cls, cells: pd.DataFrame, products: pd.DataFrame) -> Supply:
        """Read it from the company's tables.

        Raises
        ------
        ContractError
            If the cells are not sorted.
        """
        keys = cells[["store_id", "sku_id"]].to_numpy()
        if (np.lexsort(keys.T[::-1]) != np.arange(len(keys))).any():
            refuse("cells", "sorted by store_id, sku_id", "another order", "sort them and reset the index")
        rows = products.set_index("sku_id").loc[cells["sku_id"]]
        group = cells["store_id"].to_numpy() * (int(products["group_id"].max()) + 1) + rows["group_id"].to_numpy()
        whole = [rows[name].to_numpy(np.int64) for name in ("shelf_life_days", "case_pack", "review_days", "lead_days")]
        money = [rows[f"{name}_cents"].to_numpy() / 100 for name in ("price", "cost", "salvage")]
        return cls(np.unique(group, return_inverse=True)[1], *whole, *money)

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.shelf_life)


@dataclass(frozen=True, eq=False)
class Served:
    """What a day did, one entry a cell.

    Attributes
    ----------
    own : units served of what was wanted as first choice
    instead : units sold to people who had wanted another product of the group
    moved : people of this cell who accepted another product
    lost : units neither served nor moved
    """

    own: Whole
    instead: Whole
    moved: Whole
    lost: Whole

    @property
    def sold(self) -> Whole:
        """Units that left the shelf by the till."""
        return self.own + self.instead


class Shelf:
    """Stock of all cells by the days that it keeps.

    Parameters
    ----------
    supply : Supply
    stock : numpy.ndarray of int, shape (cells,), optional
        Units on the shelf at the start, all fresh; by default none.

    Examples
    --------
    >>> one = np.array([1])
    >>> supply = Supply(one * 0, one * 2, one, one * 7, one * 3, one * 1.0, one * 0.5, one * 0.1)
    >>> shelf = Shelf(supply, np.array([5]))
    >>> day = shelf.serve(np.array([3]))
    >>> day.sold.tolist(), shelf.close().tolist(), shelf.on_hand.tolist()
    ([3], [0], [2])
    >>> shelf.close().tolist()
    [2]
    """

    def __init__(self, supply: Supply, stock: Whole | None = None) -> None:
        self._supply = supply
        self._spoils = supply.shelf_life <= KEEPS
        self._life = np.where(self._spoils, supply.shelf_life, KEEPS) - 1
        self._width = int(self._life.max()) + 1
        self._units = np.zeros((len(supply), self._width), np.int64)
        if stock is not None:
            self.deliver(stock)

    @property
    def on_hand(self) -> Whole:
        """Units on each shelf, shape (cells,)."""
        return np.asarray(self._units.sum(axis=1))

    def deliver(self, units: Whole) -> None:
        """Put a delivery on the shelves.

        Raises
        ------
        ContractError
            Another number of cells, or a negative delivery.
        """
        units = np.asarray(units)
        if units.shape != (len(self._supply),) or (units < 0).any():
            refuse("units", f"{len(self._supply)} counts, 0 or more", f"shape {units.shape}", "deliver to every cell")
        self._units[np.arange(len(units)), self._life] += units

    def clear(self, cells: NDArray[np.bool_]) -> None:
        """Take everything away from cells that are no longer on sale."""
        self._units[cells] = 0

    def serve(self, wanted: Whole, chance: Whole | None = None) -> Served:
        """Serve what is wanted, oldest units first, then those who take another product of the group.

        Parameters
        ----------
        wanted : numpy.ndarray of int, shape (cells,)
        chance : numpy.ndarray of int, shape (cells,), optional
            Of the unserved, how many would take another product; by default none.
        """
        stock = self.on_hand
        own = np.minimum(wanted, stock)
        unserved = wanted - own
        would = np.zeros_like(own) if chance is None else np.minimum(chance, unserved)
        instead, moved = substitute(would, stock - own, self._supply.substitutes)
        self._take(own + instead)
        return Served(own, instead, moved, unserved - moved)

    def close(self) -> Whole:
        """Throw away what is too old tomorrow, let the rest age by a day, and return the units thrown away."""
        waste: Whole = np.where(self._spoils, self._units[:, 0], 0)
        aged = np.zeros_like(self._units)
        aged[:, :-1] = self._units[:, 1:]
        self._units = np.where(self._spoils[:, None], aged, self._units)
        return waste

    def _take(self, units: Whole) -> None:
        left = np.maximum(self._units.cumsum(axis=1) - units[:, None], 0)
        self._units = np.diff(left, axis=1, prepend=0)


def substitute(would: Whole, spare: Whole, group: Whole) -> tuple[Whole, Whole]:
    """Let people take another product of the group, as far as there are any.

    Parameters
    ----------
    would : numpy.ndarray of int, shape (cells,)
        Of each cell's customers, those who would take another.
    spare : numpy.ndarray of int, shape (cells,)
        Units left on each shelf. A cell whose customers look elsewhere has none.
    group : numpy.ndarray of int, shape (cells,)

    Returns
    -------
    instead, moved : numpy.ndarray of int, shape (cells,)
        Units that each cell gives to others' customers, and how many of each cell's customers were given another
        product. Both add up to the same number in every group; within it both are shared out in proportion.

    Examples
    --------
    >>> substitute(np.array([4, 0, 0]), np.array([0, 1, 2]), np.array([0, 0, 0]))
    (array([0, 1, 2]), array([3, 0, 0]))
    """
    wish, have = np.bincount(group, would), np.bincount(group, spare)
    done = np.minimum(wish, have)
    share_have = np.divide(done, have, out=np.zeros_like(done), where=have > 0)
    share_wish = np.divide(done, wish, out=np.zeros_like(done), where=wish > 0)
    return _whole_parts(spare * share_have[group], group), _whole_parts(would * share_wish[group], group)


def _whole_parts(parts: NDArray[Any], group: Whole) -> Whole:
    """Round parts to whole numbers that add up to their group's (whole) sum, none above its part rounded up."""
    order = np.argsort(group, kind="stable")
    ends = np.floor(np.cumsum(parts[order]) + 0.5 - 1e-9)
    result = np.empty(len(parts), np.int64)
    result[order] = np.diff(ends, prepend=0.0)
    return result
