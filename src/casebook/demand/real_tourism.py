"""Australia's overnight trips: 425 series that must add up, forecast alone and reconciled, beside a published table."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

import numpy as np
import pandas as pd

from casebook.contracts import check_frame, refuse
from casebook.dataset_demand import TOURISM
from casebook.demand.hierarchy import Hierarchy, aggregate, hierarchy_of, leaf_panel
from casebook.demand.reconcile import bottom_up, reconcile, top_down
from casebook.demand.reconcile_accuracy import OVERALL, by_level

SEASON, TEST = 4, 8  # quarters
LEVELS: Mapping[str, tuple[str, ...]] = {
    "total": (),
    "purpose": ("purpose",),
    "state": ("state",),
    "region": ("state", "region"),
    "state and purpose": ("state", "purpose"),
    "bottom": ("state", "region", "purpose"),
}
"""As in the published example, which reconciles six levels and shows five."""

SHOWN = ("total", "purpose", "state", "region", "bottom")
METHODS = ("base", "bottom-up", "MinT shrink", "MinT ols")

#: RMSE as printed for METHODS, level by level, in hierarchicalforecast's example of Australian domestic tourism.
PUBLISHED: Mapping[str, tuple[float, float, float, float]] = {
    "total": (1743.29, 3028.62, 2112.73, 1818.94),
    "purpose": (534.75, 791.19, 577.14, 515.53),
    "state": (308.15, 413.39, 316.82, 287.32),
    "region": (51.66, 55.13, 46.55, 46.28),
    "bottom": (19.37, 19.37, 17.80, 18.19),
    OVERALL: (41.12, 49.82, 40.47, 38.75),
}

#: Printed with two digits: half a unit of the last.
PRINTED = 0.005

#: As a share: smoothing parameters are found by a search that stops a little elsewhere in another version.
SEARCHED = 0.005


@dataclass(frozen=True, eq=False)
class Forecasts:
    """Base forecasts of all nodes, all of shape (n, times) with index ``hierarchy.nodes``.

    Attributes
    ----------
    hierarchy : levels of ``LEVELS``.
    history, truth : trips in thousands, before and in the test quarters.
    base : forecasts of the test quarters, each series alone.
    residuals : history less what was fitted.
    seconds : to fit and forecast all series on one core.
    """

    hierarchy: Hierarchy
    history: pd.DataFrame
    truth: pd.DataFrame
    base: pd.DataFrame
    residuals: pd.DataFrame
    seconds: float


def tourism_nodes(frame: pd.DataFrame) -> tuple[Hierarchy, pd.DataFrame]:
    """Return the hierarchy and the trips of every node, quarter by quarter.

    Parameters
    ----------
    frame : pandas.DataFrame
        As :func:`casebook.datasets.prepare_tourism` returns it.

    Returns
    -------
    Hierarchy
    pandas.DataFrame, shape (n, quarters)

    Raises
    ------
    ContractError
        If the frame breaks ``TOURISM`` or a series has a gap.

    Examples
    --------
    >>> tourism_nodes(pd.DataFrame({"trips": [1.0]}))
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: tourism must be a table with a column 'quarter', got 'trips'; add 'quarter' or
    rename one of yours.
    """
    trips = check_frame(frame, TOURISM)
    leaves = trips[["state", "region", "purpose"]].drop_duplicates()
    hierarchy = hierarchy_of(leaves, LEVELS)
    return hierarchy, aggregate(hierarchy, leaf_panel(hierarchy, trips, "quarter", "trips"))


def forecast_tourism(frame: pd.DataFrame, test: int = TEST, model: str = "ZZA") -> Forecasts:
    """Fit an exponential smoothing to every series by itself and forecast the last quarters.

    Parameters
    ----------
    frame : pandas.DataFrame
        As :func:`tourism_nodes` takes it.
    test : int
        Quarters.
    model : str
        As statsforecast's ``AutoETS`` takes it: error and trend are chosen, the season is additive, as published.

    Returns
    -------
    Forecasts

    Raises
    ------
    ContractError
        As :func:`tourism_nodes`, and if fewer than four seasons come before the test quarters.
    """
    hierarchy, nodes = tourism_nodes(frame)
    past = nodes.shape[1] - test
    if past < 4 * SEASON:
        refuse("the quarters before the test", f"{4 * SEASON} or more", str(past), "pass a longer table")
    history, truth = nodes.iloc[:, :past], nodes.iloc[:, past:]
    start = time.perf_counter()
    base, fitted = smooth(history, test, model)
    seconds = time.perf_counter() - start
    return Forecasts(hierarchy, history, truth, base.set_axis(truth.columns, axis=1), history - fitted, seconds)


def smooth(history: pd.DataFrame, horizon: int, model: str = "ZZA") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run statsforecast's ``AutoETS`` over the rows of a table, on one core.

    Parameters
    ----------
    history : pandas.DataFrame, shape (n, times)
        Columns: first days of quarters.
    horizon : int
    model : str

    Returns
    -------
    forecasts : pandas.DataFrame, shape (n, horizon)
    fitted : pandas.DataFrame, shape (n, times)
    """
    long = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(len(history)), history.shape[1]),
            "ds": np.tile(history.columns.to_numpy(), len(history)),
            "y": history.to_numpy(float).ravel(),
        }
    )
    ets = import_module("statsforecast.models").AutoETS(season_length=SEASON, model=model)
    engine = import_module("statsforecast").StatsForecast(models=[ets], freq="QS", n_jobs=1)
    ahead = engine.forecast(df=long, h=horizon, fitted=True)
    inside = engine.forecast_fitted_values()
    wide = [part.pivot(index="unique_id", columns="ds", values="AutoETS") for part in (ahead, inside)]
    return wide[0].set_axis(history.index, axis=0), wide[1].set_axis(history.index, axis=0)


def reconciled(forecasts: Forecasts) -> dict[str, pd.DataFrame]:
    """Return the base forecasts and what four ways of reconciling make of them, by name.

    The published table's ``METHODS``, and "top-down" by the history's average shares.
    """
    own, base, errors = forecasts.hierarchy, forecasts.base, forecasts.residuals
    return {
        "base": base,
        "bottom-up": bottom_up(own, base),
        "MinT shrink": reconcile(own, base, "mint_shrink", errors),
        "MinT ols": reconcile(own, base, "ols"),
        "top-down": top_down(own, base, "average of shares", forecasts.history),
    }


def accuracy(forecasts: Forecasts, by_name: Mapping[str, pd.DataFrame] | None = None) -> pd.DataFrame:
    """Score all ways level by level, as :func:`casebook.demand.reconcile_accuracy.by_level` does.

    Parameters
    ----------
    forecasts : Forecasts
    by_name : mapping of str to pandas.DataFrame, optional
        By default :func:`reconciled`.
    """
    ways = reconciled(forecasts) if by_name is None else by_name
    return by_level(forecasts.hierarchy, forecasts.truth, ways, forecasts.history, SEASON)


def beside_published(table: pd.DataFrame) -> pd.DataFrame:
    """Hold our RMSE against the published one.

    Parameters
    ----------
    table : pandas.DataFrame
        As :func:`accuracy` returns it, with ``METHODS`` and ``LEVELS``.

    Returns
    -------
    pandas.DataFrame
        Index ``level`` and ``method``; ``published``, ``ours``, ``difference`` (a share of the published), ``why``:
        "rounding" if the difference is no larger than the printed digits, "search" if within ``SEARCHED``, else
        "unexplained". The published overall is the mean over the five levels that it shows, not over the sixth, which
        it reconciles too; so is ours here.
    """
    rows = []
    for level, printed in PUBLISHED.items():
        for method, theirs in zip(METHODS, printed, strict=True):
            ours = _overall(table, method) if level == OVERALL else float(table["rmse"][level, method])
            rows.append((level, method, theirs, ours, ours / theirs - 1, _why(theirs, ours)))
    names = ["level", "method", "published", "ours", "difference", "why"]
    return pd.DataFrame(rows, columns=names).set_index(["level", "method"])


def _overall(table: pd.DataFrame, method: str) -> float:
    own = table.xs(method, level="method").loc[list(SHOWN)]
    return float((own["rmse"] * own["series"]).sum() / own["series"].sum())


def _why(theirs: float, ours: float) -> str:
    if abs(ours - theirs) <= PRINTED * (1 + 1e-9):
        return "rounding"
    return "search" if abs(ours - theirs) <= SEARCHED * theirs else "unexplained"


def help_and_harm(table: pd.DataFrame) -> pd.DataFrame:
    """Return how much lower the RMSE of each way is than the base forecasts', as a share, level by method.

    Returns
    -------
    pandas.DataFrame
        Positive where reconciling helps.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([["total"], ["base", "bottom-up"]], names=["level", "method"])
    >>> help_and_harm(pd.DataFrame({"rmse": [100.0, 150.0]}, index))
    method  bottom-up
    level
    total        -0.5
    """
    rmse = table["rmse"].unstack("method", sort=False)
    others = rmse.columns.drop("base")
    return (1 - rmse[others].div(rmse["base"], axis=0)).loc[table.index.get_level_values("level").unique()]
