"""What a policy's days come to: units and dollars by cell, totals, and policies side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, refuse
from casebook.demand.shelf import Supply
from casebook.worlds import captured

Whole = npt.NDArray[np.int64]
NOTHING, WEEK_AGO, ORACLE = "nothing", "last week", "oracle"
UNITS = ("wanted", "sold", "own", "instead", "moved", "lost", "delivered", "waste")
MONEY = ("revenue", "margin", "waste_cost", "holding_cost", "goodwill_cost", "net")


@dataclass(frozen=True)
class Costs:
    """What is lost beside the margin.

    Parameters
    ----------
    goodwill : float
        Dollars for a unit that was wanted and not had, nor replaced.
    holding : float
        Capital and space: share of a unit's cost for each night on the shelf.

    Raises
    ------
    ContractError
        A negative or infinite number.

    Examples
    --------
    >>> Costs().goodwill, Costs(holding=0.0).holding
    (1.0, 0.0)
    """

    goodwill: float = 1.0
    holding: float = 0.001

    def __post_init__(self) -> None:
        for name in ("goodwill", "holding"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                refuse(f"Costs, {name}", "0 or more", f"{value:g}", "give dollars, or a share of the cost a day")


@dataclass(frozen=True, eq=False)
class Ledger:
    """What a policy did.

    Attributes
    ----------
    cells : pandas.DataFrame
        One row a cell, over the days that count. Units: ``wanted``, ``sold`` (``own`` to who wanted it first, and
        ``instead`` to who had wanted another), ``moved`` (its customers who took another), ``lost`` (wanted, not had,
        not replaced), ``delivered``, ``waste``, ``stock_start``, ``stock_end``, ``nights`` (units times nights on the
        shelf); ``out_days`` (days on which somebody did not find it), ``days``. Dollars: ``revenue``, ``margin`` (what
        was sold, less its cost), ``waste_cost`` (cost less salvage of what was thrown away), ``holding_cost``,
        ``goodwill_cost``, and ``net``, the margin less the three. What is left at the end is carried at its cost.
    course : dict of str to numpy.ndarray of int, shape (cells, days)
        :data:`UNITS`, ``stock`` at the close, and ``ordered`` (units, in whole cases) day by day, the lead-in too.
    daily_net : numpy.ndarray of float, shape (days that count,)
        Net dollars of each day, over all cells.
    """

    cells: pd.DataFrame
    course: dict[str, Whole]
    daily_net: FloatArray

    @property
    def totals(self) -> pd.Series:
        """Sums over cells, and the shares of them.

        ``out_rate`` is of the days, those on which somebody did not find it; ``fill_rate`` of the units wanted, those
        had as first choice; ``waste_share`` of the units that left the shelf, those thrown away.
        """
        total = self.cells.sum()
        total["out_rate"] = total["out_days"] / total["days"]
        total["fill_rate"] = total["own"] / total["wanted"] if total["wanted"] else np.nan
        gone = total["sold"] + total["waste"]
        total["waste_share"] = total["waste"] / gone if gone else np.nan
        return total


def make_ledger(
    course: dict[str, Whole], supply: Supply, stock: Whole, price: FloatArray, costs: Costs, lead_in: int
) -> Ledger:
    """Turn a course into units and dollars.

    Parameters
    ----------
    course : dict of str to numpy.ndarray of int, shape (cells, days)
        As :attr:`Ledger.course`.
    supply : Supply
    stock : numpy.ndarray of int, shape (cells,)
        At the start.
    price : numpy.ndarray of float, shape (cells, days)
        Dollars asked.
    costs : Costs
    lead_in : int
        First days that do not count.
    """
    seen = {name: values[:, lead_in:] for name, values in course.items()}
    cost = supply.cost[:, None]
    money = {
        "revenue": seen["sold"] * price[:, lead_in:],
        "margin": seen["sold"] * (price[:, lead_in:] - cost),
        "waste_cost": seen["waste"] * (cost - supply.salvage[:, None]),
        "holding_cost": seen["stock"] * cost * costs.holding,
        "goodwill_cost": seen["lost"] * costs.goodwill,
    }
    money["net"] = money["margin"] - money["waste_cost"] - money["holding_cost"] - money["goodwill_cost"]
    columns: dict[str, Any] = {name: seen[name].sum(axis=1) for name in UNITS}
    columns |= {"stock_start": course["stock"][:, lead_in - 1] if lead_in else stock, "stock_end": seen["stock"][:, -1]}
    columns |= {"nights": seen["stock"].sum(axis=1), "out_days": (seen["own"] < seen["wanted"]).sum(axis=1)}
    columns["days"] = seen["wanted"].shape[1]
    table = pd.DataFrame(columns | {name: dollars.sum(axis=1) for name, dollars in money.items()})
    return Ledger(table, course, np.asarray(money["net"].sum(axis=0)))


def money_table(ledgers: Mapping[str, Ledger], weeks: float | None = None) -> pd.DataFrame:
    """Return policies side by side.

    Parameters
    ----------
    ledgers : mapping of str to Ledger
        By the policies' names; ``nothing``, ``last week`` and ``oracle`` are the marks of what is captured.
    weeks : float, optional
        Money and units are divided by it.

    Returns
    -------
    pandas.DataFrame
        By policy: :data:`MONEY` in dollars; ``sold``, ``lost``, ``waste`` in units; ``out_rate``, ``fill_rate``,
        ``waste_share``; ``captured``, the share of what the oracle has more than who orders nothing, and
        ``captured_week``, of what it has more than who goes by last week's sales (missing without those marks).
    """
    rows = {name: ledger.totals for name, ledger in ledgers.items()}
    table = pd.DataFrame(rows).T[[*MONEY, "sold", "lost", "waste", "out_rate", "fill_rate", "waste_share"]]
    net = table["net"]
    for column, mark in (("captured", NOTHING), ("captured_week", WEEK_AGO)):
        known = mark in net.index and ORACLE in net.index
        table[column] = captured(net.to_numpy(), net[mark], net[ORACLE]) if known else np.nan
    table[[*MONEY, "sold", "lost", "waste"]] /= weeks or 1
    return table.rename_axis("policy")
