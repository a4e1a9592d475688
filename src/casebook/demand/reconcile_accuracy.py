"""How good forecasts are level by level, the leaves included: RMSE, MASE, WAPE and pinball loss."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from casebook.contracts import FloatArray, refuse
from casebook.demand.hierarchy import Hierarchy, as_nodes

OVERALL = "overall"


def pinball(y: FloatArray, forecast: FloatArray, tau: float) -> FloatArray:
    """Return the pinball loss of forecasts of the tau-quantile, one number a forecast.

    Examples
    --------
    >>> pinball(np.array([10.0, 10.0]), np.array([8.0, 12.0]), 0.75)
    array([1.5, 0.5])
    """
    short = np.asarray(y, float) - np.asarray(forecast, float)
    return np.asarray(np.maximum(tau * short, (tau - 1) * short))


def by_level(
    hierarchy: Hierarchy,
    truth: pd.DataFrame,
    forecasts: Mapping[str, pd.DataFrame],
    history: pd.DataFrame,
    season: int,
    tau: float = 0.5,
) -> pd.DataFrame:
    """Score forecasts level by level.

    Parameters
    ----------
    hierarchy : Hierarchy
    truth : pandas.DataFrame, shape (n, horizons)
        What happened, at every node.
    forecasts : mapping of str to pandas.DataFrame, shape (n, horizons)
    history : pandas.DataFrame, shape (n, times)
        What happened before the forecasts, for MASE's scale.
    season : int
        Times in a season: 7 for days, 4 for quarters.
    tau : float
        Level of the pinball loss; at 0.5 it is half the absolute error.

    Returns
    -------
    pandas.DataFrame
        Index ``level`` (then "overall") and ``method``. ``rmse``, ``mase``, ``pinball``: means over the level's series;
        ``wape``: sum of absolute errors over the sum of absolute values; ``series``: how many. MASE divides by the mean
        absolute error, in the history, of the value one season ago; a series for which that is 0 has none. Its units
        differ by level, so an overall RMSE is mostly the upper levels'.

    Raises
    ------
    ContractError
        If a table does not fit the hierarchy or the truth, or the history is not longer than a season.

    References
    ----------
    Hyndman and Koehler (2006), Another look at measures of forecast accuracy, International Journal of Forecasting 22.

    Examples
    --------
    >>> from casebook.demand.hierarchy import hierarchy_of
    >>> shop = hierarchy_of(pd.DataFrame({"store_id": [1, 2]}), {"total": [], "store": ["store_id"]})
    >>> past = pd.DataFrame([[6, 8, 6], [3, 4, 3], [3, 4, 3]], index=shop.nodes)
    >>> by_level(shop, past[[0]], {"high": past[[1]].set_axis([0], axis=1)}, past, season=1).round(2)
                    rmse  mase  wape  pinball  series
    level   method
    total   high    2.00   1.0  0.33     1.00       1
    store   high    1.00   1.0  0.33     0.50       2
    overall high    1.33   1.0  0.33     0.67       3
    """
    y, past = as_nodes(hierarchy, truth, "truth"), as_nodes(hierarchy, history, "history")
    if past.shape[1] <= season:
        refuse("history", f"longer than a season of {season}", f"{past.shape[1]} times", "pass more of the past")
    scale = np.abs(past[:, season:] - past[:, :-season]).mean(axis=1)
    rows = []
    for method, frame in forecasts.items():
        own = as_nodes(hierarchy, frame, f"forecasts of {method!r}")
        if own.shape != y.shape:
            mend = "forecast the same times"
            refuse(f"forecasts of {method!r}", f"{y.shape[1]} columns wide, as the truth", str(own.shape[1]), mend)
        each = _by_series(y, own, scale, tau)
        rows += [_mean(each[hierarchy.at(level)], level, method) for level in hierarchy.levels]
        rows.append(_mean(each, OVERALL, method))
    table = pd.DataFrame(rows).set_index(["level", "method"])
    return table.loc[[(level, method) for level in [*hierarchy.levels, OVERALL] for method in forecasts]]


def _by_series(y: FloatArray, forecast: FloatArray, scale: FloatArray, tau: float) -> pd.DataFrame:
    error = np.abs(y - forecast)
    return pd.DataFrame(
        {
            "rmse": np.sqrt(np.square(error).mean(axis=1)),
            "mase": np.divide(error.mean(axis=1), scale, out=np.full(len(y), np.nan), where=scale > 0),
            "error": error.sum(axis=1),
            "size": np.abs(y).sum(axis=1),
            "pinball": pinball(y, forecast, tau).mean(axis=1),
        }
    )


def _mean(each: pd.DataFrame, level: str, method: str) -> dict[str, object]:
    size = each["size"].sum()
    return {
        "level": level,
        "method": method,
        "rmse": each["rmse"].mean(),
        "mase": each["mase"].mean(),
        "wape": each["error"].sum() / size if size else float("nan"),
        "pinball": each["pinball"].mean(),
        "series": len(each),
    }
