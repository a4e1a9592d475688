"""Low forecasts make low sales make low forecasts: a weekly loop of forecast, order and what the order let be sold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, as_costs, refuse
from casebook.demand.count_tails import expected_sales, survival, truncated_mean
from casebook.demand.nb_likelihood import quantile

WAYS = ("as is", "drop", "tobit", "truth")
WINDOW = 8  # weeks that a forecast looks back
_ALMOST = 1e-9  # so that 12.000000001 units do not become 13


def run_spiral(
    demand: npt.ArrayLike,
    way: str,
    *,
    window: int = WINDOW,
    tau: float | None = None,
    fitted: bool = False,
    case_pack: int = 1,
    unlimited: bool = False,
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """Let last weeks' sales set the next order, week after week.

    The first `window` weeks are seen in full. From then on a week's forecast is the mean, or the quantile `tau`, of
    what the last `window` weeks are believed to have asked for; the order is the forecast, rounded up to whole cases;
    nothing is kept over the week; sales are the smaller of demand and order. The ways differ in what they believe of a
    week that sold out: ``as is``, its sales; ``drop``, nothing, and if all weeks of the window sold out, the last
    forecast stays; ``tobit``, E[D | D >= sold] of a negative binomial round the present forecast, or for a quantile a
    draw of it, since a mean has no spread; ``truth``, its demand.

    Parameters
    ----------
    demand : array_like of int, shape (cells, weeks)
        True demand; give all ways the same.
    way : str
        One of :data:`WAYS`.
    window : int
        Weeks.
    tau : float, optional
        Quantile that is ordered; the mean by default.
    fitted : bool
        Take the quantile of a negative binomial round the window's mean, whose dispersion is that of the first weeks,
        when shelves were full, and not that of the window's weeks themselves.
    case_pack : int
        Units in a case.
    unlimited : bool
        The null world: the order is written down, and nothing is ever cut off.
    rng : numpy.random.Generator, optional
        For ``tobit`` with a `tau`.

    Returns
    -------
    pandas.DataFrame
        One row a week from 0, the first week that was ordered for: ``order``, ``sales``, ``demand`` (means over cells,
        units), ``service`` (sales over demand), ``sold_out`` (share of cells that sold out).

    Raises
    ------
    ContractError
        A way that is none, negative or fractional demand, fewer weeks than the window and one, a level outside (0, 1],
        or no `rng` where one is needed.

    References
    ----------
    Cooper, Homem-de-Mello and Kleywegt (2006), Models of the spiral-down effect in revenue management, Operations
    Research 54.

    Examples
    --------
    >>> demand = np.tile([4, 6, 8, 2], (1, 5))
    >>> run_spiral(demand, "as is", window=4)["order"].iloc[[0, 4, 15]].tolist()
    [5.0, 4.0, 4.0]
    >>> run_spiral(demand, "truth", window=4)["order"].iloc[[0, 4, 15]].tolist()
    [5.0, 5.0, 5.0]
    """
    wanted = _checked(demand, way, window, tau, fitted)
    draws = rng if way == "tobit" and tau is not None and not fitted else None
    if way == "tobit" and tau is not None and not fitted and rng is None:
        refuse("rng", "given for the way 'tobit' with a tau", "None", "pass rng=numpy.random.default_rng(0)")
    if case_pack < 1:
        refuse("case_pack", "1 or more units", str(case_pack), "take 1 for single units")
    believed = wanted.copy()
    spread = _dispersion(wanted[:, :window])
    level, rows = believed[:, :window].mean(axis=1), []
    for week in range(window, wanted.shape[1]):
        level = _level(believed[:, week - window : week], None if fitted else tau, level)
        aim = quantile(tau, level, spread) if fitted and tau is not None else level
        order = np.ceil(aim / case_pack - _ALMOST) * case_pack
        asked = wanted[:, week]
        out = np.zeros(len(asked), bool) if unlimited else asked >= order
        sales = np.where(out, order, asked)
        if way != "truth":
            believed[:, week] = sales
            centre = np.nanmean(believed[:, week - window : week], axis=1) if way == "tobit" else level
            believed[out, week] = _belief(way, sales[out], centre[out], spread, draws)
        rows.append((order.mean(), sales.mean(), asked.mean(), sales.sum() / max(asked.sum(), 1), out.mean()))
    return pd.DataFrame(rows, columns=["order", "sales", "demand", "service", "sold_out"]).rename_axis("week")


def _checked(demand: npt.ArrayLike, way: str, window: int, tau: float | None, fitted: bool) -> FloatArray:
    wanted = np.atleast_2d(np.asarray(demand, float))
    if way not in WAYS:
        refuse("way", "one of " + ", ".join(WAYS), repr(way), "choose one of these")
    if wanted.ndim != 2 or not (np.isfinite(wanted) & (wanted >= 0) & (wanted == np.floor(wanted))).all():
        refuse("demand", "whole units, 0 or more, in cells by weeks", "other numbers", "round it, fill the gaps")
    if not 1 <= window < wanted.shape[1]:
        refuse("window", f"from 1 to {wanted.shape[1] - 1} weeks", str(window), "take fewer, or give more weeks")
    if tau is not None and not 0 < tau <= 1:
        refuse("tau", "above 0 and at most 1", f"{tau:g}", "divide percentages by 100")
    if fitted and (tau is None or tau == 1):
        refuse("tau", "below 1 where the quantile is fitted", f"{tau}", "give a level such as 0.9")
    return wanted


def _dispersion(opening: FloatArray) -> float:
    """Dispersion within cells by moments, from the weeks that were seen in full."""
    if opening.shape[1] < 2:
        return 0.0
    mean, variance = opening.mean(axis=1), opening.var(axis=1, ddof=1)
    square = float((mean**2 - variance / opening.shape[1]).sum())
    return max(0.0, float((variance - mean).sum()) / square) if square > 0 else 0.0


def _level(window: FloatArray, tau: float | None, last: FloatArray) -> FloatArray:
    """Return mean or quantile of each row's weeks that are not missing, or the last level where all are."""
    known = window.shape[1] - np.isnan(window).sum(axis=1)
    some = known > 0
    if tau is None:
        level = np.nansum(window, axis=1) / np.maximum(known, 1)
    else:  # numpy's nanquantile goes row by row
        rising, place = np.sort(window, axis=1), tau * np.maximum(known - 1, 0)  # missing ones come last
        row, low = np.arange(len(window)), np.floor(place).astype(int)
        below, above = rising[row, low], rising[row, np.ceil(place).astype(int)]
        level = below + (above - below) * (place - low)
    return np.where(some, level, last)


def _belief(way: str, sold: FloatArray, mean: FloatArray, spread: float, rng: np.random.Generator | None) -> FloatArray:
    if way == "as is":
        return sold
    if way == "drop" or len(sold) == 0:
        return np.full(len(sold), np.nan)
    if rng is None:
        return truncated_mean(mean, sold, spread)
    above = survival(mean, sold, spread) * rng.uniform(size=len(sold))
    drawn = quantile(np.clip(1 - above, _ALMOST, 1 - _ALMOST), mean, spread)
    return np.maximum(drawn, sold)


def resting_order(mean: npt.ArrayLike, dispersion: float, tau: float | None = None) -> FloatArray:
    """Return the order at which the spiral stops, where a forecast sees very many weeks.

    An order S makes a forecast of E[min(D, S)]. Without a `tau` that, rounded up, is the next order, which falls while
    a week leaves a unit or more on the shelf on average and stops where nobody sees any more that something is missing;
    nothing ever raises it. With a `tau` the next order is the quantile of a negative binomial round that forecast, with
    the true dispersion (`fitted` in :func:`run_spiral`): the higher the fractile, the less is cut off.

    Parameters
    ----------
    mean : array_like, shape (n,)
        Mean demand a week, units.
    dispersion : float
        The variance is mean + dispersion mean²; 0 is the Poisson.
    tau : float, optional
        Fractile in (0, 1).

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        Units.

    Raises
    ------
    ContractError
        Something negative or missing, or a fractile outside (0, 1).

    Examples
    --------
    >>> resting_order([0.5, 5, 20, 80], dispersion=0.2).tolist()
    [1.0, 4.0, 12.0, 38.0]
    >>> [float(resting_order(20, 0.2, tau)[0]) for tau in (0.5, 0.6, 0.7, 0.8, 0.95)]
    [4.0, 13.0, 19.0, 25.0, 38.0]
    """
    centre = np.atleast_1d(as_costs(mean, "mean"))

    def order_for(forecast: FloatArray) -> FloatArray:
        return np.ceil(forecast - _ALMOST) if tau is None else quantile(tau, forecast, dispersion)

    order = order_for(centre)
    while True:
        lower = np.minimum(order, order_for(np.maximum(expected_sales(centre, order, dispersion), 0)))
        if (lower == order).all():
            return order
        order = lower


def spiral_by_level(
    demand: npt.ArrayLike,
    taus: Sequence[float],
    rng: np.random.Generator,
    *,
    window: int = WINDOW,
    ways: Sequence[str] = ("as is", "drop", "tobit"),
    fitted: bool = False,
    last: int = 13,
) -> pd.DataFrame:
    """Run the loop at several fractiles: how much of the truthful order is left at the end, and of the service.

    Parameters
    ----------
    demand, window, fitted
        As in :func:`run_spiral`.
    taus : sequence of float
        Fractiles that are ordered.
    rng : numpy.random.Generator
    ways : sequence of str
        Of :data:`WAYS`.
    last : int
        Weeks at the end that are averaged.

    Returns
    -------
    pandas.DataFrame
        One row a fractile and way (index ``tau, way``): ``order_kept`` (order over the one that is made with the true
        demand), ``service``, ``service_truth``.

    Raises
    ------
    ContractError
        As :func:`run_spiral`.

    Examples
    --------
    >>> demand = np.random.default_rng(0).poisson(20, (50, 60))
    >>> kept = spiral_by_level(demand, [0.5, 0.9], np.random.default_rng(1), ways=["as is"], fitted=True)["order_kept"]
    >>> bool(kept.iloc[0] < kept.iloc[1])
    True
    """
    rows = {}
    for tau in taus:
        truth = run_spiral(demand, "truth", window=window, tau=tau, fitted=fitted).tail(last)
        for way in ways:
            end = run_spiral(demand, way, window=window, tau=tau, fitted=fitted, rng=rng).tail(last)
            rows[tau, way] = {
                "order_kept": float(end["order"].mean() / max(truth["order"].mean(), _ALMOST)),
                "service": float(end["sales"].sum() / max(end["demand"].sum(), _ALMOST)),
                "service_truth": float(truth["sales"].sum() / max(truth["demand"].sum(), _ALMOST)),
            }
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.set_axis(pd.MultiIndex.from_tuples(rows, names=["tau", "way"]))
