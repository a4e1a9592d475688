"""Which of the source's numbers fit together: every cost, ratio and quantile it states, as a critical fractile.

A stated figure stands for all that round to it: "0.83" is anything from 0.825 up to 0.835, "5:1" any ratio from 4.5 up
to 5.5. Two statements fit if such ranges meet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from casebook.contracts import refuse
from casebook.decisions._numbers import as_numbers
from casebook.decisions.fractile import critical_fractile, implied_ratio, money_by_quantile, money_of_orders

_FORMS = ("costs", "ratio", "tau")
_ULP = 1e-12


@dataclass(frozen=True)
class Statement:
    """One thing that is said about the costs, in one of three forms.

    Parameters
    ----------
    words : str
        What is said.
    costs : tuple of float, optional
        Dollars a unit short and a unit too many, taken as exact.
    ratio : float, optional
        Cost of a unit short over that of one too many.
    tau : float, optional
        Quantile of demand to stock.
    unit : float
        Of the last digit stated: 0.01 for 0.83, 1 for 5:1; 0 is exact.
    raises : bool, optional
        True if the words add a cost to a stock-out, so that the ratio may not fall below that of the costs.

    Raises
    ------
    ContractError
        None or several of the three forms.

    Examples
    --------
    >>> Statement("P95", tau=0.95, unit=0.01).range
    (0.945, 0.955)
    """

    words: str
    costs: tuple[float, float] | None = None
    ratio: float | None = None
    tau: float | None = None
    unit: float = 0.0
    raises: bool = False

    def __post_init__(self) -> None:
        given = [name for name in _FORMS if getattr(self, name) is not None]
        if len(given) != 1:
            refuse("Statement", "one of costs, ratio and tau", " and ".join(given) or "none", "split what says several")

    @property
    def fractile(self) -> float:
        """The critical fractile that the figure implies."""
        if self.costs is not None:
            return float(critical_fractile(*self.costs))
        return _fractile(self.ratio) if self.ratio is not None else float(self.tau or 0)

    @property
    def range(self) -> tuple[float, float]:
        """Fractiles that round to the figure: from the first up to, but without, the second."""
        if self.costs is not None:
            return self.fractile, self.fractile
        half = self.unit / 2
        if self.ratio is not None:
            return _fractile(self.ratio - half), _fractile(self.ratio + half)
        return self.fractile - half, self.fractile + half

    def fits(self, other: Statement) -> bool:
        """Return whether some fractile rounds to both figures.

        Examples
        --------
        >>> ten = Statement("$10 and $2", costs=(10, 2))
        >>> ten.fits(Statement("0.83", tau=0.83, unit=0.01)), ten.fits(Statement("2:1", ratio=2, unit=1))
        (True, False)
        """
        (low, high), (other_low, other_high) = self.range, other.range
        if low == high or other_low == other_high:  # an exact figure must lie within the other's range
            exact, (start, end) = (low, other.range) if low == high else (other_low, self.range)
            return abs(exact - start) <= _ULP or start <= exact < end - _ULP
        return max(low, other_low) < min(high, other_high) - _ULP


#: Section 7's statements, in its order. Its two amounts per unit are lost in the text and stand in its formulas.
SOURCE: dict[str, Statement] = {
    "costs": Statement("a stock-out costs $10 a unit, overstock $2", costs=(10, 2)),
    "raw": Statement("5:1 by raw cost", ratio=5, unit=1),
    "trust": Statement("2:1 if you weight customer-trust loss", ratio=2, unit=1, raises=True),
    "metric": Statement("total cost = $5 x units short + $2 x units too many", costs=(5, 2)),
    "P95": Statement("P95 demand, since one is averse to stock-outs", tau=0.95, unit=0.01),
    "tau": Statement("tau = 0.83", tau=0.83, unit=0.01),
    "sum": Statement("5 / (5 + 2)", costs=(5, 2)),
    "83rd": Statement("the 83rd percentile of demand", tau=0.83, unit=0.01),
}


def statements_table(statements: Mapping[str, Statement] | None = None, against: str = "costs") -> pd.DataFrame:
    """Return each statement's fractile and ratio, and whether it fits the one held to be true.

    Parameters
    ----------
    statements : mapping of str to Statement, optional
        The source's by default.
    against : str
        Key of the statement that the others are held against.

    Returns
    -------
    pandas.DataFrame
        By key: ``words``, ``fractile``, ``ratio``, ``cost_under_at`` (dollars a unit short that the statement implies
        if a unit too many costs what ``against`` says, or 1 if that states no costs), ``fits`` and ``verdict``: "fits",
        "too high", "too low", or "wrong direction" for words that raise a cost and a ratio that falls.

    Raises
    ------
    ContractError
        A key that is not there.

    Examples
    --------
    >>> statements_table()[["fractile", "ratio", "verdict"]].round(3)
            fractile  ratio          verdict
    key
    costs      0.833  5.000             fits
    raw        0.833  5.000             fits
    trust      0.667  2.000  wrong direction
    metric     0.714  2.500          too low
    P95        0.950 19.000         too high
    tau        0.830  4.882             fits
    sum        0.714  2.500          too low
    83rd       0.830  4.882             fits
    """
    said = SOURCE if statements is None else statements
    truth = _member(said, against, "against")
    over = truth.costs[1] if truth.costs else 1.0
    fractile = np.array([one.fractile for one in said.values()])
    columns = {
        "words": [one.words for one in said.values()],
        "fractile": fractile,
        "ratio": implied_ratio(fractile),
        "cost_under_at": over * np.asarray(implied_ratio(fractile)),
        "fits": [one.fits(truth) for one in said.values()],
        "verdict": [_verdict(one, truth) for one in said.values()],
    }
    return pd.DataFrame(columns, index=pd.Index(list(said), name="key"))


def fit_matrix(statements: Mapping[str, Statement] | None = None) -> pd.DataFrame:
    """Return which statements fit which: a symmetric table of bools.

    Examples
    --------
    >>> fit_matrix().loc["tau", ["costs", "sum", "P95"]].to_dict()
    {'costs': True, 'sum': False, 'P95': False}
    """
    said = SOURCE if statements is None else statements
    rows = [[one.fits(other) for other in said.values()] for one in said.values()]
    return pd.DataFrame(rows, index=list(said), columns=list(said))


def trust_ratio(cost_under: float, cost_over: float, trust: Sequence[float]) -> pd.DataFrame:
    """Return how the ratio and the fractile move as lost trust is added to the cost of a unit short.

    Parameters
    ----------
    cost_under, cost_over : float
        Dollars a unit, without trust.
    trust : sequence of float
        Dollars of lost trust a unit short, 0 or more.

    Returns
    -------
    pandas.DataFrame
        By trust: ``ratio`` and ``fractile``; both rise.

    Examples
    --------
    >>> trust_ratio(10, 2, [0, 6, 28])["ratio"].tolist()
    [5.0, 8.0, 19.0]
    """
    added = as_numbers(list(trust), "trust", 0)
    fractile = np.asarray(critical_fractile(cost_under + added, cost_over))
    columns = {"ratio": (cost_under + added) / cost_over, "fractile": fractile}
    return pd.DataFrame(columns, index=pd.Index(added, name="trust"))


def trust_implied(ratio: float, cost_under: float, cost_over: float) -> float:
    """Return the dollars of trust a unit short that would turn the costs into a ratio; below 0: it cannot be trust.

    Examples
    --------
    >>> trust_implied(2, cost_under=10, cost_over=2), trust_implied(19, cost_under=10, cost_over=2)
    (-6, 28)
    """
    return ratio * cost_over - cost_under


def belief_table(demand: Any, statements: Mapping[str, Statement] | None = None) -> pd.DataFrame:
    """Return the share of cost lost by ordering as one statement says where another one's costs are true.

    Parameters
    ----------
    demand : array_like, shape (draws,), or a frozen discrete distribution of scipy
        Units.
    statements : mapping of str to Statement, optional

    Returns
    -------
    pandas.DataFrame
        A row for what is believed, a column for what is true: cost above the best, as a share of the best.

    Examples
    --------
    >>> from scipy import stats
    >>> belief_table(stats.nbinom(2, 0.1)).loc[["tau", "metric", "P95"], ["costs", "metric"]].round(2)
              costs  metric
    believed
    tau        0.00    0.07
    metric     0.09    0.00
    P95        0.25    0.64
    """
    said = SOURCE if statements is None else statements
    orders = {name: _order(demand, one.fractile) for name, one in said.items()}
    columns = {}
    for name, truth in said.items():
        money = money_of_orders(demand, orders, truth.fractile, 1 - truth.fractile)
        columns[name] = money["cost_above_best"] / (money["cost"] - money["cost_above_best"])
    return pd.DataFrame(columns).rename_axis("believed")


def _order(demand: Any, tau: float) -> float:
    return float(money_by_quantile(demand, tau, 1 - tau)["order"].to_numpy()[-1])


def _verdict(one: Statement, truth: Statement) -> str:
    if one.raises and one.fractile < truth.fractile:
        return "wrong direction"
    if one.fits(truth):
        return "fits"
    return "too high" if one.fractile > truth.fractile else "too low"


def _fractile(ratio: float) -> float:
    return float(critical_fractile(ratio, 1.0))


def _member(said: Mapping[str, Statement], key: str, what: str) -> Statement:
    if key not in said:
        refuse(what, f"one of {', '.join(said)}", repr(key), "name a statement")
    return said[key]
