"""What the claims page of chapter 7 measures of models: gains by week, groups of features, cells by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from sklearn.base import clone

from casebook.contracts import FloatArray, refuse, require_columns, require_length
from casebook.decisions.fractile import pinball_loss
from casebook.demand.evaluate import coverage
from casebook.demand.rolling import Rolled, roll
from casebook.demand.series_models import fit_series
from casebook.demand.unconstrain import SPEEDS

GROUPS: dict[str, tuple[str, ...]] = {
    "lags": ("last_same_weekday", "lag_14", "lag_21", "lag_28", "same_weekday_mean_8"),
    "rolling": ("mean_7", "mean_28", "mean_91", "std_28", "zero_share_28"),
    "calendar": (
        "weekday",
        "week_of_year",
        "holiday_code",
        "days_to_holiday",
        "days_since_holiday",
        "days_since_payday",
    ),
    "weather": ("temperature_forecast", "temperature_deviation"),
    "promotions": ("planned_discount", "planned_promotions", "planned_display", "days_since_promotion"),
    "attributes": (
        "list_price_cents",
        "shelf_life_days",
        "category_code",
        "brand_code",
        "region_code",
        "size_m2",
        "income",
    ),
}
"""The features that the source lists, by ours; attributes are those of products and stores."""


class Gain(NamedTuple):
    """What a forecast saves of a rival's loss.

    Attributes
    ----------
    mean : float
        Loss of all rows, saved, as a share of the rival's.
    low, high : float
        95% interval over the clusters, such as weeks.
    """

    mean: float
    low: float
    high: float


def gain(
    y: npt.ArrayLike, ours: npt.ArrayLike, rival: npt.ArrayLike, cluster: npt.ArrayLike, tau: float = 10 / 12
) -> Gain:
    """Return how much pinball loss one forecast saves against another, with its interval over clusters.

    Parameters
    ----------
    y, ours, rival : array_like, shape (n,)
        Units that came, and two forecasts of their quantile.
    cluster : array_like, shape (n,)
        Rows that are not independent of each other, such as those of one origin.
    tau : float

    Returns
    -------
    Gain
        Above 0: ours is better. The interval is Student's t over the clusters' parts of a ratio of sums, whose rows
        are paired.

    Raises
    ------
    ContractError
        Unequal lengths, fewer than two clusters, a rival without loss.

    Examples
    --------
    >>> found = gain([4, 4, 6, 6], [4, 4, 6, 5], [3, 3, 5, 5], [1, 1, 2, 2], tau=0.5)
    >>> round(found.mean, 2), found.low < found.mean < found.high
    (0.75, True)
    """
    units = np.asarray(y, float)
    code = pd.factorize(np.asarray(cluster))[0]
    for name, part in (("ours", ours), ("rival", rival), ("cluster", code)):
        require_length(np.asarray(part), len(units), name)
    groups = int(code.max()) + 1
    if groups < 2:
        refuse("cluster", "at least two labels", "one", "test on more weeks")
    mine, his = (np.bincount(code, np.asarray(pinball_loss(units, np.asarray(q, float), tau))) for q in (ours, rival))
    if not his.sum() > 0:
        refuse("rival", "a forecast with some loss", "none", "hold it against another one")
    share = float(1 - mine.sum() / his.sum())
    parts = (his - mine) - share * his
    spread = np.sqrt(groups / (groups - 1) * (parts**2).sum()) / his.sum()
    half = float(stats.t.ppf(0.975, groups - 1) * spread)
    return Gain(share, share - half, share + half)


def lost_without(
    model: Any,
    frame: pd.DataFrame,
    origins: Sequence[int],
    judge: npt.ArrayLike,
    whole: Rolled,
    tau: float = 10 / 12,
    groups: Mapping[str, Sequence[str]] = GROUPS,
) -> dict[str, Gain]:
    """Return what a model loses when it is fitted without a group of features.

    Parameters
    ----------
    model : a model of :mod:`casebook.demand.models`
        Cloned; its ``without`` is set.
    frame : pandas.DataFrame, n rows
        From :func:`casebook.demand.features.build`.
    origins : sequence of int
        Test origins; it is fitted once, before the first.
    judge : array_like, shape (n,)
        What forecasts are held against, such as the demand.
    whole : Rolled
        The same model's forecasts with all features, at the same origins.
    tau : float
    groups : mapping of str to sequence of str
        Names of columns.

    Returns
    -------
    dict of str to Gain
        The loss that the group saves, as a share of the loss without it.

    Raises
    ------
    ContractError
        A column that is not there.
    """
    came, when = np.asarray(judge, float)[whole.rows], frame["origin"].to_numpy()[whole.rows]
    found = {}
    for name, columns in groups.items():
        require_columns(frame, list(columns), "frame")
        part = roll(clone(model).set_params(without=tuple(columns)), frame, origins, [tau])
        found[name] = gain(came, whole.forecasts[tau], part.forecasts[tau], when, tau)
    return found


def covered_by_speed(
    y: npt.ArrayLike, q: npt.ArrayLike, usual: npt.ArrayLike, tau: float, cluster: npt.ArrayLike
) -> pd.DataFrame:
    """Return the coverage of a quantile among slow, medium and fast sellers, and among all.

    Parameters
    ----------
    y, q : array_like, shape (n,)
        Units that came, and the forecast.
    usual : array_like, shape (n,)
        Units a day by which a row is slow, medium or fast, as :data:`casebook.demand.unconstrain.SPEEDS` has it; known
        beforehand, such as the mean of the last four weeks.
    tau : float
    cluster : array_like, shape (n,)

    Returns
    -------
    pandas.DataFrame
        Index ``speed``; columns of :class:`casebook.demand.evaluate.Coverage`.

    Examples
    --------
    >>> y, usual, week = np.tile([0, 1, 2, 3], 6), np.repeat([0.2, 9.0], 12), np.tile(np.arange(4), 6)
    >>> covered_by_speed(y, np.full(24, 2.5), usual, 0.75, week)["share"].to_dict()
    {'slow': 0.75, 'fast': 0.75, 'all': 0.75}
    """
    units, said, week = np.asarray(y, float), np.asarray(q, float), np.asarray(cluster)
    place = np.searchsorted(list(SPEEDS.values()), np.asarray(usual, float), side="right") - 1
    rows = {
        name: coverage(units[place == at], said[place == at], tau, week[place == at])._asdict()
        for at, name in enumerate(SPEEDS)
        if (place == at).any()
    }
    rows["all"] = coverage(units, said, tau, week)._asdict()
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("speed")


class OneByOne(NamedTuple):
    """Forecasts of some cells by a model of each one's own.

    Attributes
    ----------
    rows : numpy.ndarray of int
        Positions in the frame, rising.
    forecast : numpy.ndarray of float
        Of the quantile, row by row.
    """

    rows: npt.NDArray[np.int64]
    forecast: FloatArray


def one_by_one(
    sales: pd.DataFrame,
    value: str,
    frame: pd.DataFrame,
    origins: Sequence[int],
    cells: pd.DataFrame,
    tau: float = 10 / 12,
) -> OneByOne:
    """Forecast some cells by AutoETS, a model for each, fitted once at the first origin and rolled.

    Parameters
    ----------
    sales : pandas.DataFrame
        ``store_id, sku_id, day`` and the column `value`, from day 0 on without a gap in these cells.
    value : str
        Column of what is forecast.
    frame : pandas.DataFrame
        From :func:`casebook.demand.features.build`.
    origins : sequence of int
    cells : pandas.DataFrame
        ``store_id, sku_id`` of the cells.
    tau : float

    Returns
    -------
    OneByOne
    """
    require_columns(sales, ["store_id", "sku_id", "day", value], "sales")
    key = ["store_id", "sku_id"]
    part = sales.merge(cells[key].drop_duplicates(), on=key)
    names = part["store_id"].astype(str) + "-" + part["sku_id"].astype(str)
    long = pd.DataFrame({"unique_id": names, "ds": part["day"], "y": part[value].astype(float)})
    fitted = fit_series(long[long["ds"] <= origins[0]], origins[0], ["AutoETS"])
    told = pd.concat(
        fitted.forecast(long[long["ds"] <= at], at, 10, [tau]).assign(origin=at) for at in origins
    ).set_index(["unique_id", "origin", "ds"])[tau]
    asked = frame[["store_id", "sku_id", "origin", "day"]].reset_index(drop=True)
    asked = asked[asked["origin"].isin(list(origins))].assign(place=lambda rows: rows.index)
    asked = asked.merge(cells[key].drop_duplicates(), on=key).sort_values("place")
    ids = asked["store_id"].astype(str) + "-" + asked["sku_id"].astype(str)
    at = pd.MultiIndex.from_arrays([ids, asked["origin"], asked["day"]])
    return OneByOne(asked["place"].to_numpy(np.int64), told.reindex(at).to_numpy(float))


def some_cells(usual: pd.Series, each: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return so many cells of each speed, or all where there are fewer.

    Parameters
    ----------
    usual : pandas.Series
        Index ``store_id``, ``sku_id``; units a day.
    each : int
        1 or more.
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        ``store_id``, ``sku_id``, ``speed``.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([[1, 2], [5, 6]], names=["store_id", "sku_id"])
    >>> some_cells(pd.Series([0.1, 0.2, 9.0, 2.0], index), 1, np.random.default_rng(0))["speed"].tolist()
    ['slow', 'medium', 'fast']
    """
    if each < 1:
        refuse("each", "1 or more", str(each), "a dozen show the order of size")
    place = np.searchsorted(list(SPEEDS.values()), usual.to_numpy(), side="right") - 1
    parts = []
    for at, name in enumerate(SPEEDS):
        rows = np.flatnonzero(place == at)
        drawn = rng.choice(rows, min(each, len(rows)), replace=False) if len(rows) else rows
        parts.append(usual.index[np.sort(drawn)].to_frame(index=False).assign(speed=name))
    return pd.concat(parts, ignore_index=True)
