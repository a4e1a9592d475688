"""Rolling-origin evaluation: at each origin a forecast from what was known then, and the seconds that it took."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from casebook.contracts import refuse, require_columns
from casebook.demand.origins import as_origins

WEEKS = 8  # origins from which on a comparison is more than an anecdote


@dataclass(frozen=True, eq=False)
class Rolled:
    """Forecasts of several origins.

    Attributes
    ----------
    forecasts : pandas.DataFrame, shape (n, t)
        One column a tau; index that of the frame's rows.
    rows : array of int, shape (n,)
        Their positions in the frame, rising: ``frame["y"].to_numpy()[rolled.rows]`` is what came.
    seconds : pandas.DataFrame
        Index ``origin``: ``fitted_at`` (the origin of the fit in use), ``fit_rows``, ``fit_seconds`` (0 where an older
        fit is used), ``rows``, ``predict_seconds``.
    model : the model of the last fit
    """

    forecasts: pd.DataFrame
    rows: npt.NDArray[np.int64]
    seconds: pd.DataFrame
    model: Any


def last_origins(frame: pd.DataFrame, weeks: int = WEEKS) -> list[int]:
    """Return the last origins of a frame, rising.

    Raises
    ------
    ContractError
        No column ``origin``, or not more origins than asked for, so that none is left to fit to.

    Examples
    --------
    >>> last_origins(pd.DataFrame({"origin": [6, 13, 20, 27]}), weeks=2)
    [20, 27]
    """
    require_columns(frame, ["origin"], "frame")
    found = np.unique(frame["origin"].to_numpy())
    if not 1 <= weeks < len(found):
        refuse("weeks", f"from 1 to {len(found) - 1}", str(weeks), "ask for fewer, or build more")
    return [int(origin) for origin in found[-weeks:]]


def roll(
    model: Any, frame: pd.DataFrame, origins: Sequence[int], taus: Sequence[float], refit_every: int = 0
) -> Rolled:
    """Forecast each origin's rows with a model fitted to what was known by it, or by an earlier one.

    At origin ``t`` a row is fitted to if its *day* is at most ``t``. That its own origin lies before ``t`` is not
    enough: with horizons up to 10, the last days of the week before's rows are yet to come. The model never sees
    ``y`` among its columns.

    Parameters
    ----------
    model : a model
        With ``fit(X, y)`` and ``predict(X, taus)``; cloned (deep-copied if it is no scikit-learn estimator).
    frame : pandas.DataFrame
        What :func:`casebook.demand.features.build` returns: ``origin``, ``day``, ``y`` and features. Rows whose ``y``
        is missing are forecast and not fitted to.
    origins : sequence of int
        Test origins, such as :func:`last_origins`.
    taus : sequence of float
    refit_every : int
        0: fit once, at the first origin, and roll; 1: fit at each; 4: at every fourth.

    Returns
    -------
    Rolled

    Raises
    ------
    ContractError
        A missing column, an origin without rows, nothing known by the first origin, ``refit_every`` below 0.

    Examples
    --------
    >>> from casebook.demand.models import SeasonalNaive
    >>> days = np.arange(10, 80)
    >>> frame = pd.DataFrame({"origin": (days - 4) // 7 * 7 - 1, "day": days, "y": days % 7, "last": days % 7})
    >>> rolled = roll(SeasonalNaive("last", adjust=None), frame, [55, 62], [0.5])
    >>> rolled.seconds[["fitted_at", "fit_rows", "rows"]]
            fitted_at  fit_rows  rows
    origin
    55             55        46     7
    62             55        46     7
    """
    require_columns(frame, ["origin", "day", "y"], "frame")
    if refit_every < 0:
        refuse("refit_every", "0 or more", str(refit_every), "0 fits once, 1 at each origin")
    origin, X = frame["origin"].to_numpy(), frame.drop(columns="y")
    parts, told, places = [], {}, []
    fitted: Any = None
    for step, at in enumerate(as_origins(origins).tolist()):
        row: dict[str, float] = {"fit_seconds": 0.0}
        if step == 0 or (refit_every and step % refit_every == 0):
            fitted, row = _fit(model, frame, X, at)
            known = {name: row[name] for name in ("fitted_at", "fit_rows")}
        rows = np.flatnonzero(origin == at)
        if not len(rows):
            refuse("origins", "origins of the frame", str(at), "build its features")
        begin = time.perf_counter()
        parts.append(fitted.predict(X.iloc[rows], list(taus)))
        told[at] = {**known, **row, "rows": len(rows), "predict_seconds": time.perf_counter() - begin}
        places.append(rows)
    order = np.argsort(np.concatenate(places), kind="stable")
    table = pd.DataFrame.from_dict(told, orient="index").rename_axis("origin")
    columns = ["fitted_at", "fit_rows", "fit_seconds", "rows", "predict_seconds"]
    return Rolled(pd.concat(parts).iloc[order], np.concatenate(places)[order], table[columns], fitted)


def _fit(model: Any, frame: pd.DataFrame, X: pd.DataFrame, at: int) -> tuple[Any, dict[str, float]]:
    known = (frame["day"].to_numpy() <= at) & frame["y"].notna().to_numpy()
    if not known.any():
        refuse("frame", f"a table with rows whose day is at most {at}", "none", "build the features of earlier origins")
    learner = clone(model, safe=False)
    begin = time.perf_counter()
    learner.fit(X[known], frame["y"].to_numpy(dtype=float)[known])
    return learner, {"fit_seconds": time.perf_counter() - begin, "fitted_at": at, "fit_rows": int(known.sum())}


def seconds_of(rolled: Rolled) -> dict[str, float]:
    """Return the seconds of all fits and of all predictions, as a row of the score table has them.

    Examples
    --------
    >>> told = pd.DataFrame({"fit_seconds": [2.0, 0.0], "predict_seconds": [0.5, 0.25]})
    >>> seconds_of(Rolled(pd.DataFrame(), np.arange(0), told, None))
    {'fit_seconds': 2.0, 'predict_seconds': 0.75}
    """
    return {name: float(rolled.seconds[name].sum()) for name in ("fit_seconds", "predict_seconds")}
