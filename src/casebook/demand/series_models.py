"""One model per series, by statsforecast: seasonal naive, AutoETS, and Croston and TSB for slow sellers.

Nothing here knows of promotions, holidays or other cells. Forecasts are for the days after an origin; rows after it are
cut off first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from casebook.contracts import FloatArray, refuse, require_columns
from casebook.demand.nb_likelihood import dispersion_of, quantile

SEASON, MOST_SERIES = 7, 150
MODELS = ("SeasonalNaive", "AutoETS", "CrostonSBA", "TSB")
_ALPHA = 0.1  # TSB's weights; statsforecast's Croston has the same built in
_HISTORY, _SHORTEST = 364, 2 * SEASON  # days that a fit may read at most, and must have at least


@dataclass(frozen=True, eq=False)
class SeriesModels:
    """Models of single series, fitted at one origin and rolled to later ones.

    Attributes
    ----------
    models : tuple of str
        Some of MODELS.
    first : int or timestamp
        The first day that is read.
    fitted_at : int or timestamp
        The origin of the fit.
    ets : mapping
        unique_id to a fitted statsforecast AutoETS. Only AutoETS has something that is worth keeping: form and
        smoothing weights. The others start anew from the past at every origin.
    """

    models: tuple[str, ...]
    first: Any
    fitted_at: Any
    ets: MappingProxyType[Any, Any]

    def forecast(self, sales_long: pd.DataFrame, origin: Any, horizon: int, taus: Sequence[float]) -> pd.DataFrame:
        """Forecast the days after an origin, the smoothing weights as fitted, the states brought up to the origin.

        Parameters
        ----------
        sales_long : pandas.DataFrame
            Columns unique_id, ds, y, as for :func:`fit_series`, with rows up to the origin; later ones are not read.
        origin : int or timestamp
            The fit's origin or a later one.
        horizon : int
            Days ahead.
        taus : sequence of float
            Quantile levels in (0, 1).

        Returns
        -------
        pandas.DataFrame
            As :func:`forecast_series`.

        Raises
        ------
        ContractError
            As :func:`forecast_series`; an origin before the fit's; a series that was not fitted.
        """
        if origin < self.fitted_at:
            refuse("origin", f"at or after the fit's, {self.fitted_at}", f"{origin}", "fit at an earlier origin")
        if horizon < 1:
            refuse("horizon", "1 or more", repr(horizon), "10 reaches the end of the week that an order covers")
        for tau in taus:
            if not 0 < tau < 1:
                refuse("taus", "strictly between 0 and 1", repr(tau), "mend it")
        ahead = origin + np.arange(1, horizon + 1) * _one_day(sales_long)
        frames = []
        for unique_id, y in _series(sales_long, self.first, origin):
            for model in self.models:
                mean, levels = self._one(unique_id, y, model, horizon, taus)
                frames.append(
                    pd.DataFrame(
                        {"unique_id": unique_id, "ds": ahead, "model": model, "mean": mean}
                        | dict(zip(taus, levels, strict=True))
                    )
                )
        return pd.concat(frames, ignore_index=True)

    def _one(
        self, unique_id: Any, y: FloatArray, model: str, horizon: int, taus: Sequence[float]
    ) -> tuple[FloatArray, list[FloatArray]]:
        library = import_module("statsforecast.models")
        if model in ("CrostonSBA", "TSB"):
            slow = library.CrostonSBA() if model == "CrostonSBA" else library.TSB(_ALPHA, _ALPHA)
            return _counts_around(slow.forecast(y=y, h=horizon, fitted=True), y, taus)
        levels = [abs(2 * tau - 1) * 100 for tau in taus]
        if model == "SeasonalNaive":
            out = library.SeasonalNaive(SEASON).forecast(y=y, h=horizon, level=sorted(set(levels)))
        else:
            if unique_id not in self.ets:
                refuse("sales_long", "of series that were fitted", f"also {unique_id!r}", "leave it out or fit again")
            out = self.ets[unique_id].forward(y=y, h=horizon, level=sorted(set(levels)))
        sides = ["hi" if tau >= 0.5 else "lo" for tau in taus]
        bands = [np.maximum(out[f"{side}-{level}"], 0.0) for side, level in zip(sides, levels, strict=True)]
        return np.maximum(out["mean"], 0.0), bands


def fit_series(
    sales_long: pd.DataFrame, origin: Any, models: Sequence[str] = MODELS, history: int = _HISTORY
) -> SeriesModels:
    """Fit what can be kept from one origin to the next.

    Parameters
    ----------
    sales_long : pandas.DataFrame
        Columns unique_id, ds (day number or timestamp), y (units): one row per series and day up to the origin, no gap.
    origin : int or timestamp
        The last day that is known.
    models : sequence of str
        Some of MODELS.
    history : int
        Days before the origin that are read at most; AutoETS takes about 0.07 s a series for 364.

    Returns
    -------
    SeriesModels

    Raises
    ------
    ContractError
        As :func:`forecast_series`.
    """
    for name in models:
        if name not in MODELS:
            refuse("models", f"some of {', '.join(MODELS)}", repr(name), "drop it")
    require_columns(sales_long, ["unique_id", "ds", "y"], "sales_long")
    first, fitted = origin - (history - 1) * _one_day(sales_long), {}
    for unique_id, y in _series(sales_long, first, origin):
        if "AutoETS" in models:
            fitted[unique_id] = import_module("statsforecast.models").AutoETS(season_length=SEASON).fit(y)
    return SeriesModels(tuple(models), first, origin, MappingProxyType(fitted))


def forecast_series(
    sales_long: pd.DataFrame,
    origin: Any,
    horizon: int,
    taus: Sequence[float],
    models: Sequence[str] = MODELS,
    history: int = _HISTORY,
) -> pd.DataFrame:
    """Fit each series by itself at an origin and forecast the days after it.

    Quantiles of SeasonalNaive and AutoETS are the ends of the library's normal intervals, cut at 0. Croston's method
    and TSB give a mean and nothing else: theirs are of a negative binomial with that mean, whose dispersion comes by
    moments from the series' own one-step errors.

    Parameters
    ----------
    sales_long, origin, models, history
        As :func:`fit_series`.
    horizon : int
        Days ahead.
    taus : sequence of float
        Quantile levels in (0, 1).

    Returns
    -------
    pandas.DataFrame
        By unique_id, model and day: unique_id, ds, model, mean (units), and one float column a level, named by it.

    Raises
    ------
    ContractError
        A missing column; an unknown model; a level outside (0, 1); a series with a gap, a missing or negative number, a
        day twice, fewer than 14 days, or none on the origin.

    References
    ----------
    Hyndman, Koehler, Ord and Snyder (2008), Forecasting with exponential smoothing; Garza, Canseco, Challu and Olivares
    (2022), StatsForecast.

    Examples
    --------
    >>> sales = pd.DataFrame({"unique_id": "milk", "ds": range(21), "y": [3, 3, 3, 3, 5, 9, 0] * 3})
    >>> out = forecast_series(sales, 20, 7, [0.5, 0.9], ["SeasonalNaive", "TSB"])
    >>> out.loc[out["model"] == "SeasonalNaive", 0.9].tolist()
    [3.0, 3.0, 3.0, 3.0, 5.0, 9.0, 0.0]
    """
    return fit_series(sales_long, origin, models, history).forecast(sales_long, origin, horizon, taus)


def sample_series(
    sales_long: pd.DataFrame, origin: Any, rng: np.random.Generator, most: int = MOST_SERIES, days: int = 8 * SEASON
) -> pd.DataFrame:
    """Keep the rows of a simple random sample of series that reach the origin and have some history before it.

    Parameters
    ----------
    sales_long, origin
        As :func:`fit_series`.
    rng : numpy.random.Generator
    most : int
        Series that are kept at most.
    days : int
        Rows up to the origin that a series must have: without them there is no model of its own.

    Returns
    -------
    pandas.DataFrame
        Rows of ``sales_long`` (also those after the origin), in their order.

    Raises
    ------
    ContractError
        A missing column; no series that qualifies.

    Examples
    --------
    >>> sales = pd.DataFrame({"unique_id": ["a"] * 60 + ["b"] * 9, "ds": [*range(60), *range(51, 60)], "y": 1})
    >>> sample_series(sales, 59, np.random.default_rng(0))["unique_id"].unique().tolist()
    ['a']
    """
    require_columns(sales_long, ["unique_id", "ds", "y"], "sales_long")
    past = sales_long[sales_long["ds"] <= origin].groupby("unique_id")["ds"].agg(["size", "max"])
    able = past.index[(past["size"] >= days) & (past["max"] == origin)]
    if len(able) == 0:
        refuse("sales_long", f"with a series of {days} days up to the origin", "none", "pass a later origin")
    chosen = able if len(able) <= most else able[rng.choice(len(able), most, replace=False)]
    return sales_long[sales_long["unique_id"].isin(chosen)]


def _counts_around(out: dict[str, FloatArray], y: FloatArray, taus: Sequence[float]) -> tuple[FloatArray, list[Any]]:
    """Put a negative binomial around a mean; errors of the first weeks, when the method still learns, are left out."""
    burn = min(4 * SEASON, len(y) // 2)
    dispersion = dispersion_of(y[burn:], out["fitted"][burn:])
    return out["mean"], [quantile(tau, out["mean"], dispersion) for tau in taus]


def _one_day(sales_long: pd.DataFrame) -> Any:
    return pd.Timedelta(days=1) if pd.api.types.is_datetime64_any_dtype(sales_long["ds"]) else 1


def _series(sales_long: pd.DataFrame, first: Any, origin: Any) -> Iterator[tuple[Any, FloatArray]]:
    """Yield each series' units from ``first`` (or its own first day) to the origin, or refuse it."""
    require_columns(sales_long, ["unique_id", "ds", "y"], "sales_long")
    past = sales_long[(sales_long["ds"] >= first) & (sales_long["ds"] <= origin)].sort_values(["unique_id", "ds"])
    if len(past) == 0:
        refuse("sales_long", f"with rows up to the origin, {origin}", "none", "pass a later origin")
    step = _one_day(sales_long)
    for unique_id, rows in past.groupby("unique_id", sort=False, observed=True):
        y, what = rows["y"].to_numpy(dtype=float), f"sales_long, series {unique_id!r}"
        if len(y) < _SHORTEST:
            refuse(
                what, f"{_SHORTEST} days or more", f"{len(y)}", "leave new cells to a model that shares what it learns"
            )
        if (rows["ds"].diff().iloc[1:] != step).any():
            refuse(
                what, "one row a day without a gap", "a gap or a day twice", "put a row with y = 0, or drop the copy"
            )
        if rows["ds"].iloc[-1] != origin:
            refuse(
                what,
                f"known on the origin, {origin}",
                f"{rows['ds'].iloc[-1]} as its last day",
                "leave out what closed",
            )
        if not (np.isfinite(y) & (y >= 0)).all():
            refuse(what, "finite and 0 or more in y", "a missing or negative number", "mend it")
        yield unique_id, y
