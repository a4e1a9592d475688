"""Why not squared error: the number that the pinball loss is least at, by hand and by LightGBM."""

from __future__ import annotations

from collections.abc import Sequence

import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, as_amounts
from casebook.decisions.fractile import pinball_loss
from casebook.demand.quantile_fix import checked_taus

_SETTINGS = {"num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1, "seed": 0}


def loss_curve(y: npt.ArrayLike, tau: float, points: npt.ArrayLike) -> FloatArray:
    """Return the mean pinball loss of each of several numbers as the forecast of all y.

    Parameters
    ----------
    y : array_like, shape (n,)
    tau : float
        In (0, 1).
    points : array_like, shape (m,)

    Returns
    -------
    numpy.ndarray of float, shape (m,)

    Examples
    --------
    >>> loss_curve([0, 1, 2, 3, 4], 0.8, [2, 3, 4])
    array([0.6, 0.4, 0.4])
    """
    units = np.atleast_1d(np.asarray(as_amounts(y, "y")))
    tried = np.atleast_1d(np.asarray(as_amounts(points, "points")))
    return np.array([np.mean(pinball_loss(units, point, tau)) for point in tried])


def minimiser(y: npt.ArrayLike, tau: float) -> float:
    """Return the smallest number at which the mean pinball loss of y is least, by trying every value of y.

    The loss is straight between two values of y, so that no other number can be better.

    Examples
    --------
    >>> minimiser([0, 1, 2, 3, 4, 5, 6], 0.8)
    5.0
    """
    values = np.unique(np.asarray(as_amounts(y, "y")))
    return float(values[int(np.argmin(np.round(loss_curve(y, tau, values), 12)))])


def lightgbm_constant(y: npt.ArrayLike, tau: float | None) -> float:
    """Return what LightGBM forecasts where no feature tells anything, for a tau or, with None, for squared error.

    Its quantile of n sorted values lies on a straight line between two neighbours, which two depends on its version: at
    most one place away from the smallest value that reaches tau, and the same number for counts with many ties.

    Parameters
    ----------
    y : array_like, shape (n,)
    tau : float or None

    Examples
    --------
    >>> counts = np.repeat([0, 1, 5], [50, 30, 20])
    >>> lightgbm_constant(counts, 0.7), lightgbm_constant(counts, None)
    (1.0, 1.3)
    """
    units = np.atleast_1d(np.asarray(as_amounts(y, "y")))
    objective = {"objective": "regression"} if tau is None else {"objective": "quantile", "alpha": tau}
    data = lightgbm.Dataset(np.zeros((len(units), 1)), units, params={"verbosity": -1})
    model = lightgbm.train({**_SETTINGS, **objective}, data, 1)
    return round(float(model.predict(np.zeros((1, 1)), num_threads=1)[0]), 4)


def demonstration(y: npt.ArrayLike, taus: Sequence[float]) -> pd.DataFrame:
    """Return, by tau, the empirical quantile, the pinball loss's minimiser, LightGBM's constant, and their losses.

    Parameters
    ----------
    y : array_like, shape (n,)
    taus : sequence of float

    Returns
    -------
    pandas.DataFrame
        Index ``tau``: ``quantile`` (the smallest value that a share tau of y does not exceed), ``minimiser``,
        ``lightgbm``; ``loss`` of the minimiser, ``loss_lightgbm``, ``loss_mean`` of the mean of y.

    Raises
    ------
    ContractError
        Taus that are none, or y that is no column of numbers.

    Examples
    --------
    >>> demonstration(np.repeat([0, 1, 5], [50, 30, 20]), [0.7, 0.9]).round(3)
         quantile  minimiser  lightgbm  loss  loss_lightgbm  loss_mean
    tau
    0.7       1.0        1.0       1.0  0.71           0.71       0.74
    0.9       5.0        5.0       5.0  0.37           0.37       0.74
    """
    units, rows = np.atleast_1d(np.asarray(as_amounts(y, "y"))), {}
    for tau in checked_taus(taus):
        points = [minimiser(units, tau), lightgbm_constant(units, tau), float(units.mean())]
        at = float(np.quantile(units, tau, method="inverted_cdf"))
        rows[tau] = [at, *points[:2], *loss_curve(units, tau, points)]
    columns = ["quantile", "minimiser", "lightgbm", "loss", "loss_lightgbm", "loss_mean"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("tau")
