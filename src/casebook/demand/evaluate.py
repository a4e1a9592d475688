"""How good forecasts are: pinball loss, WAPE, coverage, bias and money, one row a model, and where they disagree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from casebook.contracts import FloatArray, as_amounts, as_costs, refuse, require_length, require_same_order
from casebook.decisions.fractile import newsvendor_cost, pinball_loss
from casebook.demand.quantile_fix import by_rising_tau

LEVEL = 0.95


class Coverage(NamedTuple):
    """How often what came was at most the forecast quantile.

    Attributes
    ----------
    rows : int
    share : float
        Of rows with y <= q.
    below : float
        Of rows with y < q; less than ``share`` where counts meet the forecast exactly.
    low, high : float
        95% interval of ``share``.
    holds : bool
        Whether tau is a possible level: the true quantile of a count has P(y < q) <= tau <= P(y <= q), so tau may be
        neither below the interval of ``below`` nor above that of ``share``.
    """

    rows: int
    share: float
    below: float
    low: float
    high: float
    holds: bool


def pinball(y: npt.ArrayLike, forecasts: pd.DataFrame) -> pd.Series:
    """Return the mean pinball loss at each tau, units.

    Parameters
    ----------
    y : array_like, shape (n,)
    forecasts : pandas.DataFrame, shape (n, t)
        One column a tau.

    Returns
    -------
    pandas.Series
        Index ``tau``, rising.

    Raises
    ------
    ContractError
        Unequal lengths, missing numbers, columns that are no taus.

    Examples
    --------
    >>> pinball([3, 8], pd.DataFrame({0.5: [3.0, 3.0], 0.9: [5.0, 9.0]}))
    tau
    0.5    1.25
    0.9    0.15
    Name: pinball, dtype: float64
    """
    units, rising = _pair(y, forecasts)
    table = rising.to_numpy()
    found = [float(np.mean(pinball_loss(units, table[:, at], float(tau)))) for at, tau in enumerate(rising.columns)]
    return pd.Series(found, index=pd.Index(rising.columns, name="tau", dtype=float), name="pinball")


def wape(y: npt.ArrayLike, point: npt.ArrayLike, by: npt.ArrayLike | None = None) -> Any:
    """Return the weighted absolute percentage error: the sum of absolute errors over the sum of y.

    Parameters
    ----------
    y, point : array_like, shape (n,)
        What came and its forecast, units.
    by : array_like, optional, shape (n,)
        Such as the category.

    Returns
    -------
    float, or pandas.Series by the groups of ``by``
        NaN where nothing came.

    Raises
    ------
    ContractError
        Missing numbers or unequal lengths.

    Examples
    --------
    >>> wape([4, 6], [5, 6])
    0.1
    >>> wape([4, 6], [5, 6], by=["dairy", "bakery"]).to_dict()
    {'bakery': 0.0, 'dairy': 0.25}
    """
    units, said = _columns(y, point)
    error = np.abs(units - said)
    if by is None:
        return float(error.sum() / units.sum()) if units.sum() > 0 else float("nan")
    sums = pd.DataFrame({"error": error, "y": units}).groupby(_groups(by, len(units)), observed=True).sum()
    return (sums["error"] / sums["y"].where(sums["y"] > 0)).rename("wape")


def bias(y: npt.ArrayLike, point: npt.ArrayLike) -> float:
    """Return the sum of forecasts less the sum of y, over the sum of y; NaN where nothing came.

    Examples
    --------
    >>> bias([4, 6], [5, 6])
    0.1
    """
    units, said = _columns(y, point)
    return float((said.sum() - units.sum()) / units.sum()) if units.sum() > 0 else float("nan")


def coverage(y: npt.ArrayLike, q: npt.ArrayLike, tau: float, clusters: npt.ArrayLike | None = None) -> Coverage:
    """Return the share of rows with y <= q, with its 95% interval.

    Without ``clusters`` the interval is the exact binomial one, which takes rows for independent. They are not: the
    days of a cell share its level, the cells of a week its weather. With ``clusters`` the interval is that of Student's
    t over the clusters' sums, and never narrower than the binomial one.

    Parameters
    ----------
    y, q : array_like, shape (n,)
        What came, and its quantile forecast.
    tau : float
        The level that was forecast.
    clusters : array_like, optional, shape (n,)
        Such as the week or the cell of each row.

    Returns
    -------
    Coverage

    Raises
    ------
    ContractError
        Missing numbers, unequal lengths, a tau outside (0, 1), fewer than two clusters.

    References
    ----------
    Clopper and Pearson (1934), The use of confidence or fiducial limits, Biometrika 26; Liang and Zeger (1986),
    Longitudinal data analysis using generalized linear models, Biometrika 73, for clusters.

    Examples
    --------
    >>> found = coverage(range(10), [7.5] * 10, tau=0.8)
    >>> found.share, round(found.low, 3), round(found.high, 3), found.holds
    (0.8, 0.444, 0.975, True)
    """
    units, said = _columns(y, q, "q")
    if not 0 < tau < 1:
        refuse("tau", "between 0 and 1", f"{tau:g}", "divide percentages by 100")
    code = None if clusters is None else pd.factorize(_groups(clusters, len(units)))[0]
    if code is not None and code.max() < 1:
        refuse("clusters", "at least two", "one", "take more weeks, or leave it out")
    most, least = units <= said, units < said
    low, high = _interval(most, code)
    holds = _interval(least, code)[0] <= tau <= high
    return Coverage(len(units), float(most.mean()), float(least.mean()), low, high, bool(holds))


def coverage_table(
    y: npt.ArrayLike, forecasts: Mapping[str, pd.DataFrame], clusters: npt.ArrayLike | None = None
) -> pd.DataFrame:
    """Return the coverage of every model at every tau.

    Returns
    -------
    pandas.DataFrame
        Index ``model``, ``tau``; columns of :class:`Coverage`.

    Examples
    --------
    >>> coverage_table(range(10), {"flat": pd.DataFrame({0.8: [7.5] * 10})})[["rows", "share", "holds"]]
               rows  share  holds
    model tau
    flat  0.8    10    0.8   True
    """
    rows = {}
    for name, frame in forecasts.items():
        units, rising = _pair(y, frame)
        for tau in rising.columns:
            rows[name, float(tau)] = coverage(units, rising[tau].to_numpy(), float(tau), clusters)._asdict()
    table = pd.DataFrame(list(rows.values()), index=pd.MultiIndex.from_tuples(rows))
    return table.rename_axis(["model", "tau"])


def money(
    y: npt.ArrayLike,
    order: npt.ArrayLike,
    cost_under: npt.ArrayLike,
    cost_over: npt.ArrayLike,
    week: pd.DataFrame | None = None,
) -> float:
    """Return the money that a newsvendor loses: on each row, or on the sums of each week's rows.

    A week's order is here the sum of its daily orders, which is no quantile of the week: the chapter's inventory
    orders for the protection interval, and with carry-over, shelf life and case packs.

    Parameters
    ----------
    y, order : array_like, shape (n,)
        Units wanted and ordered.
    cost_under, cost_over : float or array_like, shape (n,)
        Money per unit short and per unit too many; within a week the first row's.
    week : pandas.DataFrame, optional, shape (n, k)
        What a row's week is known by, such as ``X[["store_id", "sku_id", "origin"]]``.

    Raises
    ------
    ContractError
        Missing numbers, negative costs, unequal lengths.

    Examples
    --------
    >>> money([3, 8], [5, 5], cost_under=10, cost_over=2)
    34.0
    >>> money([3, 8], [5, 5], 10, 2, week=pd.DataFrame({"origin": [6, 6]}))
    10.0
    """
    units, said = _columns(y, order, "order")
    n = len(units)
    under, over = (
        np.broadcast_to(as_costs(c, w, n), n) for c, w in ((cost_under, "cost_under"), (cost_over, "cost_over"))
    )
    if week is not None:
        require_length(week.to_numpy(), n, "week")
        code, first = _codes(week)
        units, said = (np.bincount(code, column).astype(float) for column in (units, said))
        under, over = under[first], over[first]
    return float(np.sum(newsvendor_cost(units, said, under, over)))


def _codes(week: pd.DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    code = week.groupby(list(week.columns), sort=False, observed=True).ngroup().to_numpy()
    return code.astype(np.int64), np.unique(code, return_index=True)[1].astype(np.int64)


def _interval(hit: npt.NDArray[np.bool_], code: npt.NDArray[np.int64] | None) -> tuple[float, float]:
    n, share = len(hit), float(hit.mean())
    k, tail = int(hit.sum()), (1 - LEVEL) / 2
    low = float(stats.beta.ppf(tail, k, n - k + 1)) if k else 0.0
    high = float(stats.beta.ppf(1 - tail, k + 1, n - k)) if k < n else 1.0
    if code is None:
        return low, high
    sums = np.bincount(code, hit - share)
    groups = len(sums)
    half = float(stats.t.ppf((1 + LEVEL) / 2, groups - 1) * np.sqrt(groups / (groups - 1) * (sums**2).sum()) / n)
    return max(min(low, share - half), 0.0), min(max(high, share + half), 1.0)


def _columns(y: npt.ArrayLike, point: npt.ArrayLike, what: str = "point") -> tuple[FloatArray, FloatArray]:
    units = np.atleast_1d(np.asarray(as_amounts(y, "y")))
    said = np.asarray(as_amounts(point, what, len(units)))
    require_same_order(y, point, f"y and {what}")
    return units, np.broadcast_to(said, len(units))


def _pair(y: npt.ArrayLike, forecasts: pd.DataFrame) -> tuple[FloatArray, pd.DataFrame]:
    rising = by_rising_tau(forecasts)
    units = np.atleast_1d(np.asarray(as_amounts(y, "y", len(rising))))
    if isinstance(y, pd.Series):
        require_same_order(y, rising.iloc[:, 0], "y and forecasts")
    return units, rising


def _groups(by: npt.ArrayLike, n: int) -> npt.NDArray[Any]:
    labels = np.asarray(by)
    require_length(labels, n, "by")
    return labels
