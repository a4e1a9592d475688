"""An oracle that knows what will be wanted: the mark against which policies are held.

It is no optimum: each cell follows that one of some rules, all with perfect knowledge, which earns it most.
"""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt

from casebook.demand.ledger import Costs, Whole
from casebook.demand.play import due_cells, play
from casebook.demand.shelf import Shelf, Supply

COVERS = (1, 2, 3)  # review periods that an order may be meant for
SHARES = (0.0, 0.3, 0.6, 0.9)  # of a case that must be needed for it to be ordered


class Knowing:
    """Orders what will be missing, exactly, as long as enough of a case is needed.

    It counts its own shelf, units by age, and lets the days to come run over it: what would be missing from its
    delivery on is needed.

    Parameters
    ----------
    wanted : numpy.ndarray of int, shape (cells, days)
        From `first_day` on.
    supply : Supply
    first_day : int
    stock : numpy.ndarray of int, shape (cells,)
        As :func:`casebook.demand.play.play` starts with.
    cover : int or array_like of int, shape (cells,)
        Review periods that an order is to last for.
    share : float or array_like, shape (cells,)
        Of a case, above which it is ordered; at infinity nothing is.

    Examples
    --------
    >>> one = np.array([1])
    >>> shop = Supply(one * 0, one * 3, one * 4, one, one, one * 2.0, one * 1.0, one * 0.0)
    >>> wanted = np.array([[1, 1, 1, 0, 5]])
    >>> orders = play(wanted, shop, Knowing(wanted, shop, 0, one, 2, 0.3), 0, one, np.random.default_rng(0), 0.0)
    >>> orders.course["ordered"].tolist(), orders.course["lost"].tolist()
    ([[4, 0, 0, 4, 0]], [[0, 0, 0, 0, 1]])
    """

    def __init__(
        self,
        wanted: Whole,
        supply: Supply,
        first_day: int,
        stock: Whole,
        cover: npt.ArrayLike = 1,
        share: npt.ArrayLike = 0.0,
    ) -> None:
        self._wanted, self._supply, self._first = np.asarray(wanted, np.int64), supply, first_day
        self._shelf = Shelf(supply, np.asarray(stock))
        self._until = supply.lead_days + supply.review_days * np.asarray(cover)
        self._share = np.broadcast_to(np.asarray(share, float), len(supply))
        self._due: dict[int, Whole] = {}

    def order(self, day: int, position: Whole) -> Whole:
        """Return whole cases for what would be missing."""
        soon, need = self._missing(day)
        cases = np.ceil(need / self._supply.case_pack - np.minimum(self._share, 1e9) - 1e-9)
        units = np.where((soon > 0) & (cases > 0) & due_cells(self._supply, day), cases, 0) * self._supply.case_pack
        whole = units.astype(np.int64)
        for lead in np.unique(self._supply.lead_days):
            arrives = day + int(lead)
            part = np.where(self._supply.lead_days == lead, whole, 0)
            self._due[arrives] = self._due.get(arrives, 0) + part
        return whole

    def watch(self, day: int, sold: Whole) -> None:
        """Take the day's sales off the shelf, and put tomorrow's delivery on it."""
        self._shelf.serve(sold)
        self._shelf.close()
        if day + 1 in self._due:
            self._shelf.deliver(self._due.pop(day + 1))

    def _missing(self, day: int) -> tuple[Whole, Whole]:
        """Return the units that would be missing until the next delivery, and over the whole cover."""
        lead, review = self._supply.lead_days, self._supply.review_days
        soon, need = np.zeros(len(lead), np.int64), np.zeros(len(lead), np.int64)
        due = due_cells(self._supply, day)
        shelf = copy.deepcopy(self._shelf, {id(self._supply): self._supply})
        for ahead in range(int(self._until[due].max())):
            if ahead and day + ahead in self._due:
                shelf.deliver(self._due[day + ahead])
            short = shelf.serve(self._on(day + ahead)).lost
            shelf.close()
            need += np.where((ahead >= lead) & (ahead < self._until), short, 0)
            soon += np.where((ahead >= lead) & (ahead < lead + review), short, 0)
        return soon, need

    def _on(self, day: int) -> Whole:
        at = day - self._first
        return self._wanted[:, at] if at < self._wanted.shape[1] else np.zeros(len(self._wanted), np.int64)


class Oracle(Knowing):
    """Knows what will be wanted, and follows in each cell the rule that earns most in hindsight.

    Parameters
    ----------
    wanted, supply, first_day, stock
        As :func:`casebook.demand.play.play` has them.
    costs : Costs, optional
        By which the rules are compared. Substitutes are left out of account.
    covers, shares : sequences
        The rules: every pair of them, and to order nothing.

    Examples
    --------
    >>> one = np.array([1])
    >>> dear = Supply(one * 0, one * 2, one * 12, one, one, one * 2.0, one * 1.0, one * 0.0)
    >>> wanted = np.ones((1, 14), int)
    >>> oracle = Oracle(wanted, dear, 0, one, Costs(goodwill=0))  # a case of which ten would be thrown away
    >>> int(play(wanted, dear, oracle, 0, one, np.random.default_rng(0), 0.0).course["ordered"].sum())
    0
    """

    def __init__(
        self,
        wanted: Whole,
        supply: Supply,
        first_day: int,
        stock: Whole,
        costs: Costs | None = None,
        covers: tuple[int, ...] = COVERS,
        shares: tuple[float, ...] = SHARES,
    ) -> None:
        rules = [(cover, share) for cover in covers for share in shares] + [(1, np.inf)]
        net = np.array([_net(wanted, supply, first_day, stock, costs, rule) for rule in rules])
        best = np.array(rules)[net.argmax(axis=0)]
        super().__init__(wanted, supply, first_day, stock, best[:, 0].astype(np.int64), best[:, 1])


def _net(
    wanted: Whole, supply: Supply, first_day: int, stock: Whole, costs: Costs | None, rule: tuple[int, float]
) -> npt.NDArray[np.float64]:
    knowing = Knowing(wanted, supply, first_day, stock, *rule)
    ledger = play(wanted, supply, knowing, first_day, stock, np.random.default_rng(0), 0.0, costs)
    return ledger.cells["net"].to_numpy()
