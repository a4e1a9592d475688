"""How much to stock: the critical fractile, the pinball loss, and the money of ordering at another quantile.

``cost_under`` is the money lost for a unit short, ``cost_over`` for a unit too many. Costs per SKU are arrays, and
arguments broadcast against each other as numpy's do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, refuse, require_same_order
from casebook.decisions._numbers import Numbers, as_numbers, levels, plain, require_fit, unit_costs

_TAIL = 1e-12  # probability beyond each end at which a distribution's outcomes are cut off
_ULP = 1e-12  # 0.07 * 100 is a little above 7 in floats, and rank 8 would be one too high


def critical_fractile(cost_under: npt.ArrayLike, cost_over: npt.ArrayLike) -> Numbers:
    """Return the quantile of demand to stock: cost_under / (cost_under + cost_over).

    Parameters
    ----------
    cost_under, cost_over : float or array_like
        Money per unit short and per unit too many.

    Returns
    -------
    float or numpy.ndarray of float
        In (0, 1).

    Raises
    ------
    ContractError
        A cost of 0 or less: the best order would be nothing, or without end.

    References
    ----------
    Arrow, Harris and Marschak (1951), Optimal inventory policy, Econometrica 19.

    Examples
    --------
    >>> round(critical_fractile(10, 2), 3), round(critical_fractile(5, 2), 3)
    (0.833, 0.714)
    >>> critical_fractile([9, 1], 1)
    array([0.9, 0.5])
    """
    under, over = unit_costs(cost_under, "cost_under"), unit_costs(cost_over, "cost_over")
    require_fit(cost_under=under, cost_over=over)
    return plain(under / (under + over))


def implied_ratio(tau: npt.ArrayLike) -> Numbers:
    """Return how many units too many one unit short is worth to who orders at quantile tau: tau / (1 - tau).

    Raises
    ------
    ContractError
        A tau outside (0, 1).

    Examples
    --------
    >>> round(implied_ratio(0.95), 6)
    19.0
    """
    level = levels(tau)
    return plain(level / (1 - level))


def newsvendor_cost(
    demand: npt.ArrayLike, order: npt.ArrayLike, cost_under: npt.ArrayLike, cost_over: npt.ArrayLike
) -> Numbers:
    """Return the money lost on each row: cost_under a unit short, cost_over a unit too many.

    Parameters
    ----------
    demand, order : array_like
        Units, row by row.
    cost_under, cost_over : float or array_like
        Money per unit, 0 or more.

    Returns
    -------
    float or numpy.ndarray of float
        Money, of the broadcast shape; ``.sum()`` is the total.

    Raises
    ------
    ContractError
        Missing numbers, negative costs, or shapes that do not fit.

    Examples
    --------
    >>> newsvendor_cost([3, 8], 5, cost_under=10, cost_over=2)
    array([ 4., 30.])
    """
    units, ordered = as_numbers(demand, "demand"), as_numbers(order, "order")
    under, over = as_numbers(cost_under, "cost_under", 0), as_numbers(cost_over, "cost_over", 0)
    require_fit(demand=units, order=ordered, cost_under=under, cost_over=over)
    require_same_order(demand, order, "demand and order")
    return plain(under * np.maximum(units - ordered, 0) + over * np.maximum(ordered - units, 0))


def pinball_loss(y: npt.ArrayLike, q: npt.ArrayLike, tau: npt.ArrayLike) -> Numbers:
    """Return the pinball loss of each row: tau a unit below y, 1 - tau a unit above it.

    The newsvendor's cost is (cost_under + cost_over) times the pinball loss at the critical fractile.

    Parameters
    ----------
    y, q : array_like
        Outcomes and forecasts of their quantile.
    tau : float or array_like
        Quantile level in (0, 1), one or one per row.

    Returns
    -------
    float or numpy.ndarray of float
        In the unit of y, of the broadcast shape; ``.mean()`` is scikit-learn's ``mean_pinball_loss``.

    Raises
    ------
    ContractError
        Missing numbers, a tau outside (0, 1), or shapes that do not fit.

    References
    ----------
    Koenker and Bassett (1978), Regression quantiles, Econometrica 46.

    Examples
    --------
    >>> pinball_loss([3, 8], 5, 0.75)
    array([0.5 , 2.25])
    """
    outcome, forecast, level = as_numbers(y, "y"), as_numbers(q, "q"), levels(tau)
    require_fit(y=outcome, q=forecast, tau=level)
    require_same_order(y, q, "y and q")
    error = outcome - forecast
    return plain(np.maximum(level * error, (level - 1) * error))


def best_order(samples: npt.ArrayLike, cost_under: npt.ArrayLike, cost_over: npt.ArrayLike) -> Numbers:
    """Return the order with the least mean cost over samples of demand: their quantile at the fractile.

    Parameters
    ----------
    samples : array_like, shape (draws,) or (draws, cells)
        Units; each column is one cell's distribution.
    cost_under, cost_over : float or array_like, shape (cells,)
        Money per unit.

    Returns
    -------
    float or numpy.ndarray of float, shape (cells,)
        The smallest sample that reaches the fractile (numpy's ``inverted_cdf``), thus a whole number of units if the
        samples are.

    Raises
    ------
    ContractError
        As :func:`critical_fractile`, and costs that are neither one nor one per cell.

    Examples
    --------
    >>> best_order([1, 2, 3, 4, 5, 6], cost_under=10, cost_over=2)
    5.0
    """
    drawn = np.sort(as_numbers(samples, "samples"), axis=0)
    tau = np.asarray(critical_fractile(cost_under, cost_over))
    if drawn.ndim == 0 or drawn.ndim > 2:
        refuse("samples", "of shape (draws,) or (draws, cells)", f"shape {drawn.shape}", "put draws in rows")
    if tau.ndim and tau.shape != drawn.shape[1:]:
        refuse("costs", f"one number or of shape {drawn.shape[1:]}", f"shape {tau.shape}", "give one for each cell")
    rank = np.broadcast_to(_rank(len(drawn), tau), drawn.shape[1:])
    return plain(np.take_along_axis(drawn, rank[np.newaxis], axis=0)[0] if drawn.ndim == 2 else drawn[int(rank)])


def money_of_orders(demand: Any, orders: Mapping[str, float], cost_under: float, cost_over: float) -> pd.DataFrame:
    """Return what each of several orders is expected to cost against one distribution of demand.

    Parameters
    ----------
    demand : array_like, shape (draws,), or a frozen discrete distribution of scipy
        Units. Samples may be negative where stock is left over: then no order is needed.
    orders : mapping of str to float
        Units, by the name of the rule.
    cost_under, cost_over : float
        Money per unit.

    Returns
    -------
    pandas.DataFrame
        By rule: ``order``, ``service_level`` (probability that nothing is short), ``units_short``, ``units_over``,
        ``cost`` (all expected), and ``cost_above_best``, the money lost against the best order of 0 or more.

    Raises
    ------
    ContractError
        A continuous distribution, bad samples or costs.

    Examples
    --------
    >>> money_of_orders([1, 2, 3, 4, 5, 6], {"three": 3, "five": 5}, 10, 2)[["order", "cost", "cost_above_best"]]
           order  cost  cost_above_best
    rule
    three    3.0  11.0              6.0
    five     5.0   5.0              0.0
    """
    values, weights = _outcomes(demand)
    at = as_numbers(list(orders.values()), "orders")
    tau = float(critical_fractile(cost_under, cost_over))
    tried = np.append(at, max(_quantile(values, weights, tau), 0.0))
    short = np.array([weights @ np.maximum(values - order, 0) for order in tried])
    over = np.array([weights @ np.maximum(order - values, 0) for order in tried])
    cost = cost_under * short + cost_over * over
    columns = {
        "order": at,
        "service_level": [float(weights[values <= order].sum()) for order in at],
        "units_short": short[:-1],
        "units_over": over[:-1],
        "cost": cost[:-1],
        "cost_above_best": cost[:-1] - cost[-1],
    }
    return pd.DataFrame(columns, index=pd.Index(list(orders), name="rule"))


def money_by_quantile(
    demand: Any, cost_under: float, cost_over: float, taus: Sequence[float] = (0.5, 0.95), whole: bool = True
) -> pd.DataFrame:
    """Return the expected cost of ordering the mean, several quantiles and the fractile of one demand.

    Parameters
    ----------
    demand, cost_under, cost_over
        As in :func:`money_of_orders`.
    taus : sequence of float
        Quantile levels in (0, 1) to try.
    whole : bool
        Whether the mean is rounded to a unit (halves up), as one cannot order 0.4 of a loaf.

    Returns
    -------
    pandas.DataFrame
        As :func:`money_of_orders`; rules ``mean``, one ``quantile 0.95`` for each of ``taus``, and ``fractile``.

    Raises
    ------
    ContractError
        As :func:`money_of_orders`, and a tau outside (0, 1).

    Examples
    --------
    >>> from scipy import stats
    >>> money_by_quantile(stats.poisson(4), 10, 2)[["order", "cost"]].round(2)
                   order   cost
    rule
    mean             4.0   9.38
    quantile 0.5     4.0   9.38
    quantile 0.95    8.0   8.40
    fractile         6.0   6.35
    """
    values, weights = _outcomes(demand)
    mean = float(weights @ values)
    orders = {"mean": float(np.floor(mean + 0.5)) if whole else mean}
    orders |= {f"quantile {tau:.4g}": _quantile(values, weights, tau) for tau in levels(list(taus)).tolist()}
    orders["fractile"] = _quantile(values, weights, float(critical_fractile(cost_under, cost_over)))
    return money_of_orders(demand, orders, cost_under, cost_over)


def _outcomes(demand: Any) -> tuple[FloatArray, FloatArray]:
    """Return the outcomes of demand, rising, and their probabilities."""
    if not hasattr(demand, "ppf"):
        values = np.sort(as_numbers(demand, "demand"))
        if values.ndim != 1:
            refuse("demand", "of shape (draws,)", f"shape {values.shape}", "pass one cell's samples")
        return values, np.full(len(values), 1 / len(values))
    if not hasattr(demand, "pmf"):
        refuse("demand", "a discrete distribution", "a continuous one", "pass samples, demand.rvs(...)")
    low, high = demand.ppf([_TAIL, 1 - _TAIL])
    values = np.arange(low, high + 1)
    weights = demand.pmf(values)
    return values, weights / weights.sum()


def _quantile(values: FloatArray, weights: FloatArray, tau: float) -> float:
    reached = np.cumsum(weights) >= tau * (1 - _ULP)
    return float(values[np.argmax(reached)] if reached.any() else values[-1])


def _rank(n: int, tau: FloatArray) -> npt.NDArray[np.int64]:
    """Return the place, from 0, of the smallest of n samples that reaches tau."""
    return np.clip(np.ceil(n * tau * (1 - _ULP)).astype(np.int64) - 1, 0, n - 1)
