"""Forecasts of slow sellers' next week: statsforecast's simple methods, and one boosted quantile model for all."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMRegressor

from casebook.contracts import FloatArray, refuse

WEEK = 6  # trading days
ERRORS = 12 * WEEK  # one-step errors from which a simple method's quantile is taken
LEAST_PAST = 26 * WEEK
BASELINES = ("seasonal naive", "Croston SBA", "TSB", "AutoETS")
BOOSTED = "boosted quantile"
SMOOTHING = 0.1
FEATURES = (
    "horizon", "weekday", "week ago", "two weeks ago", "mean 6", "mean 24", "mean 72", "largest 24", "zeros 24",
    "zeros 72", "days since sale", "level", "house 6 over 72",
)  # fmt: skip


def simple_model(name: str) -> Any:
    """Return statsforecast's model of that name, unfitted.

    Exponential smoothing chooses whether there is a weekly season; multiplicative parts cannot be fitted to zeros, and
    no trend is looked for.

    Raises
    ------
    ContractError
        If the name is unknown.

    Examples
    --------
    >>> simple_model("TSB")
    TSB
    >>> simple_model("naive")
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: name must be one of seasonal naive, Croston SBA, TSB, AutoETS, got 'naive'; pick
    one.
    """
    if name not in BASELINES:
        refuse("name", f"one of {', '.join(BASELINES)}", repr(name), "pick one")
    models = import_module("statsforecast.models")
    if name == "seasonal naive":
        return models.SeasonalNaive(WEEK)
    if name == "Croston SBA":
        return models.CrostonSBA()
    if name == "TSB":
        return models.TSB(SMOOTHING, SMOOTHING)
    return models.AutoETS(season_length=WEEK, model="ANZ")


def baselines(history: FloatArray, name: str, tau: float, horizon: int = WEEK) -> tuple[FloatArray, FloatArray]:
    """Forecast every row by a simple method.

    Parameters
    ----------
    history : numpy.ndarray, shape (products, days)
    name : str
        One of ``BASELINES``.
    tau : float
    horizon : int

    Returns
    -------
    point : numpy.ndarray, shape (products, horizon)
    quantile : numpy.ndarray, shape (products, horizon)
        The point plus the tau-quantile of the one-step errors of the last ``ERRORS`` days. Both are 0 or more.

    Examples
    --------
    >>> point, quantile = baselines(np.tile([0.0, 2.0, 0.0, 4.0, 0.0, 1.0], (1, 26)), "seasonal naive", 0.8)
    >>> point.tolist() == quantile.tolist() == [[0.0, 2.0, 0.0, 4.0, 0.0, 1.0]]
    True
    """
    products, days = history.shape
    long = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(products), days),
            "ds": np.tile(np.arange(days), products),
            "y": history.ravel(),
        }
    )
    engine = import_module("statsforecast").StatsForecast(models=[simple_model(name)], freq=1, n_jobs=1)
    ahead = engine.forecast(df=long, h=horizon, fitted=True)
    inside = engine.forecast_fitted_values()
    column = str(ahead.columns[-1])
    point = ahead[column].to_numpy(float).reshape(products, horizon)
    fitted = inside[column].to_numpy(float).reshape(products, days)
    errors = (history - fitted)[:, -ERRORS:]
    quantile = point + np.quantile(errors, tau, axis=1)[:, None]
    return np.maximum(point, 0), np.maximum(quantile, 0)


def features(units: FloatArray, origin: int) -> pd.DataFrame:
    """Return what is known at the close of a day of each product and each of the six days after it.

    Parameters
    ----------
    units : numpy.ndarray, shape (products, days)
    origin : int
        Column of the last known day, 72 or more; later columns are not read.

    Returns
    -------
    pandas.DataFrame
        ``FEATURES``, one row a product and horizon (1 to 6, the product's rows together). Quantities are divided by
        ``level``, one tenth and the mean of the last 72 days, so that products of all sizes look alike.

    Examples
    --------
    >>> features(np.ones((1, 80)), 77).iloc[0][["horizon", "weekday", "mean 6", "days since sale"]].round(2).tolist()
    [1.0, 0.0, 0.91, 0.0]
    """
    past = units[:, : origin + 1]
    level = 0.1 + past[:, -72:].mean(axis=1)
    seen = past > 0
    since = np.where(seen.any(axis=1), seen[:, ::-1].argmax(axis=1), past.shape[1])
    house = past[:, -6:].mean() / max(past[:, -72:].mean(), 1e-9)
    of_product = {
        "mean 6": past[:, -6:].mean(axis=1) / level,
        "mean 24": past[:, -24:].mean(axis=1) / level,
        "mean 72": past[:, -72:].mean(axis=1) / level,
        "largest 24": past[:, -24:].max(axis=1) / level,
        "zeros 24": 1 - seen[:, -24:].mean(axis=1),
        "zeros 72": 1 - seen[:, -72:].mean(axis=1),
        "days since sale": since,
        "level": level,
        "house 6 over 72": np.full(len(units), house),
    }
    table = {name: np.repeat(column, WEEK) for name, column in of_product.items()}
    table["horizon"] = np.tile(np.arange(1, WEEK + 1), len(units))
    table["weekday"] = (origin + table["horizon"]) % WEEK
    table["week ago"] = (past[:, -WEEK:] / level[:, None]).ravel()
    table["two weeks ago"] = (past[:, -2 * WEEK : -WEEK] / level[:, None]).ravel()
    return pd.DataFrame(table)[list(FEATURES)].astype(float)


def boost(units: FloatArray, origins: list[int], tau: float, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Fit one boosted model a quantile to all products before the first origin, and predict the week after each.

    Parameters
    ----------
    units : numpy.ndarray, shape (products, days)
    origins : list of int
        Columns of the last known days, ascending.
    tau : float
    seed : int

    Returns
    -------
    point, quantile : numpy.ndarray, shape (products, origins, 6)
        The median and the tau-quantile, 0 or more.
    """
    trained = range(72 + WEEK - 1 - 72 % WEEK, origins[0] - WEEK + 1, WEEK)
    X = pd.concat([features(units, origin) for origin in trained], ignore_index=True)
    y = np.concatenate([units[:, origin + 1 : origin + 1 + WEEK].ravel() for origin in trained])
    new = pd.concat([features(units, origin) for origin in origins], ignore_index=True)
    shape = (len(origins), len(units), WEEK)
    found = []
    for level in (0.5, tau):
        model = LGBMRegressor(
            objective="quantile", alpha=level, n_estimators=150, learning_rate=0.05, num_leaves=15,
            min_child_samples=100, random_state=seed, n_jobs=1, verbose=-1,
        )  # fmt: skip
        # Loss in units: what is divided by the product's level gets the level as its weight.
        model.fit(X, y / X["level"], sample_weight=X["level"])
        predicted = np.asarray(model.predict(new)) * new["level"].to_numpy()
        found.append(np.moveaxis(np.maximum(predicted, 0).reshape(shape), 0, 1))
    return found[0], found[1]
