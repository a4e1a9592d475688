"""Which single number each measure rewards, exactly, for a distribution of one cell's daily demand."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, as_probabilities, refuse
from casebook.decisions.fractile import critical_fractile, newsvendor_cost

_TAIL = 1e-12  # probability beyond which a distribution is cut off


def count_probabilities(distribution: Any) -> FloatArray:
    """Return the probabilities of 0, 1, 2, ... of a frozen distribution of scipy, up to where nothing is left.

    Examples
    --------
    >>> from scipy import stats
    >>> count_probabilities(stats.poisson(0.4))[:3].round(3)
    array([0.67 , 0.268, 0.054])
    """
    most = int(distribution.ppf(1 - _TAIL))
    p = distribution.pmf(np.arange(most + 1))
    return np.asarray(p / p.sum())


def expected_wape(p: npt.ArrayLike, points: npt.ArrayLike) -> FloatArray:
    """Return the WAPE that a constant forecast has in the long run: mean absolute error over mean demand.

    Parameters
    ----------
    p : array_like, shape (m,)
        Probabilities of a demand of 0, 1, 2, ... units, which sum to 1.
    points : array_like, shape (k,)
        Forecasts, units.

    Returns
    -------
    numpy.ndarray of float, shape (k,)

    Raises
    ------
    ContractError
        Probabilities that do not sum to 1, or a demand that is always 0.

    Examples
    --------
    >>> expected_wape([0.7, 0.2, 0.1], [0.0, 0.4])
    array([1. , 1.4])
    """
    weights = _checked(p)
    units = np.arange(len(weights))
    error = np.abs(units[:, None] - np.atleast_1d(np.asarray(points, dtype=float)))
    return np.asarray(weights @ error / (weights @ units))


def points_compared(p: npt.ArrayLike, cost_under: float, cost_over: float) -> pd.DataFrame:
    """Return what WAPE, squared error and money say of forecasting zero, the median, the mean and the fractile.

    The median has the least absolute error of all numbers. It is 0 where more than half of the days see no demand, and
    then a forecast of nothing has the best WAPE there is: 1.

    Parameters
    ----------
    p : array_like, shape (m,)
        Probabilities of 0, 1, 2, ... units.
    cost_under, cost_over : float
        Money per unit short and per unit too many, above 0.

    Returns
    -------
    pandas.DataFrame
        Index ``forecast``: zero, median, mean, fractile. Columns ``units``, ``wape``, ``squared_error``, ``money`` (a
        day), ``bias`` (over mean demand).

    Raises
    ------
    ContractError
        As :func:`expected_wape`, or costs of 0 or less.

    Examples
    --------
    >>> points_compared([0.7, 0.2, 0.1], cost_under=5, cost_over=1).round(2)
              units  wape  squared_error  money  bias
    forecast
    zero        0.0   1.0           0.60   2.00  -1.0
    median      0.0   1.0           0.60   2.00  -1.0
    mean        0.4   1.4           0.44   1.68   0.0
    fractile    1.0   2.0           0.80   1.20   1.5
    """
    weights = _checked(p)
    units = np.arange(len(weights))
    tau, mean = float(critical_fractile(cost_under, cost_over)), float(weights @ units)
    reached = np.cumsum(weights)
    points = {"zero": 0.0, "median": _first(reached, 0.5), "mean": mean, "fractile": _first(reached, tau)}
    rows = {
        name: {
            "units": point,
            "wape": float(expected_wape(weights, point)[0]),
            "squared_error": float(weights @ (units - point) ** 2),
            "money": float(weights @ np.asarray(newsvendor_cost(units, point, cost_under, cost_over))),
            "bias": (point - mean) / mean,
        }
        for name, point in points.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("forecast")


def _first(reached: FloatArray, tau: float) -> float:
    return float(np.argmax(reached >= tau - _TAIL))


def _checked(p: npt.ArrayLike) -> FloatArray:
    weights = as_probabilities(p)
    if abs(weights.sum() - 1) > 1e-9:
        refuse("p", "probabilities that sum to 1", f"a sum of {weights.sum():g}", "divide them by their sum")
    if not weights[1:].any():
        refuse("p", "a demand that is not always 0", "no probability above 0 units", "leave the cell out")
    return weights
