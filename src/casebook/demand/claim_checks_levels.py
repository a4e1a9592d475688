"""What the claims page of chapter 7 measures of levels and ids: which forecasts add up, and how LightGBM splits ids."""

from __future__ import annotations

from collections.abc import Sequence

import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, refuse, require_columns
from casebook.demand.categories import UNSMOOTHED, Cut, cut_at, gradient_order, lightgbm_cut
from casebook.demand.hierarchy import Hierarchy, as_nodes
from casebook.demand.protection import quantile_of_sum, require_paths, sum_of_quantiles
from casebook.demand.reconcile import error_weights, mint
from casebook.demand.reconcile_worlds import shop_hierarchy, smooth

TEST = 26  # last weeks, which are forecast one week ahead
LAGS = 4
_TREES = {"objective": "regression", "num_leaves": 15, "min_data_in_leaf": 20, "verbosity": -1, "num_threads": 1,
          "seed": 0, "deterministic": True, "force_row_wise": True}  # fmt: skip


def drawn_sales(rng: np.random.Generator, weeks: int = 130) -> FloatArray:
    """Return the weekly sales of a small shop's total, regions, categories and leaves.

    Parameters
    ----------
    rng : numpy.random.Generator
    weeks : int

    Returns
    -------
    numpy.ndarray, shape (n, weeks)
        Rows as the nodes of :func:`casebook.demand.reconcile_worlds.shop_hierarchy`; upper rows are sums of leaves.
    """
    hierarchy = shop_hierarchy()
    leaves: int = hierarchy.summing.shape[1]
    level = 20 * rng.lognormal(0, 0.7, (leaves, 1))
    wave = 1 + 0.3 * np.sin(2 * np.pi * (np.arange(weeks) / 52 + rng.random((leaves, 1))))
    walk = np.exp(np.cumsum(rng.normal(0, 0.03, (leaves, weeks)), axis=1))
    return np.asarray(hierarchy.summing @ rng.poisson(level * wave * walk))


def forecasts_by_method(sales: FloatArray, test: int = TEST) -> dict[str, FloatArray]:
    """Forecast every row one week ahead by methods that add up by themselves, and by others.

    Parameters
    ----------
    sales : numpy.ndarray, shape (n, weeks)
        Above 0 in the mean.
    test : int
        Last weeks, which are forecast.

    Returns
    -------
    dict of str to numpy.ndarray, shape (n, test)
        By what each node is forecast with, each without a look at the others.
    """
    weeks = sales.shape[1]
    start = weeks - test
    last = np.stack([sales[:, start - lag : weeks - lag] for lag in range(1, LAGS + 1)])
    windows = np.stack([sales[:, week - 8 : week] for week in range(start, weeks)], axis=1)
    time = np.arange(weeks)
    features = np.column_stack([np.ones(weeks), time, np.sin(time * 2 * np.pi / 52), np.cos(time * 2 * np.pi / 52)])
    weights = np.linalg.lstsq(features[:start], sales[:, :start].T, rcond=None)[0]
    logs = np.linalg.lstsq(features[:start], np.log1p(sales[:, :start]).T, rcond=None)[0]
    return {
        "last week": last[0],
        "mean of eight weeks": windows.mean(axis=2),
        "least squares": (features[start:] @ weights).T,
        "smoothing, one constant": smooth(sales, 20, start, own=0.0)[:, start:],
        "smoothing, own constants": smooth(sales, 20, start, own=1.0)[:, start:],
        "least squares in logs": np.expm1(features[start:] @ logs).T,
        "median of eight weeks": np.median(windows, axis=2),
        "quantile of eight weeks": np.quantile(windows, 10 / 12, axis=2),
        "one boosted model": _boosted(sales, start, last),
    }


def _boosted(sales: FloatArray, start: int, last: FloatArray) -> FloatArray:
    """One global model on lags, scaled by each node's own mean, so that all levels can share it."""
    size = sales[:, :start].mean(axis=1, keepdims=True)
    known = np.stack([sales[:, LAGS - lag : start - lag] / size for lag in range(1, LAGS + 1)])
    data = lightgbm.Dataset(known.reshape(LAGS, -1).T, (sales[:, LAGS:start] / size).ravel(), params=_TREES)
    said = lightgbm.train(_TREES, data, 60).predict((last / size).reshape(LAGS, -1).T, num_threads=1)
    return np.asarray(said).reshape(last.shape[1:]) * size


def gap(hierarchy: Hierarchy, forecasts: npt.ArrayLike) -> float:
    """Return the mean absolute gap between the first node's forecast and the sum of its leaves', over that forecast.

    Examples
    --------
    >>> from casebook.demand.hierarchy import hierarchy_of
    >>> shop = hierarchy_of(pd.DataFrame({"store_id": [1, 2]}), {"total": [], "store": ["store_id"]})
    >>> gap(shop, [[10.0], [4.0], [5.0]]), gap(shop, [[9.0], [4.0], [5.0]])
    (0.1, 0.0)
    """
    values = np.asarray(forecasts, float)
    apart = np.abs(values[0] - values[hierarchy.bottom].sum(axis=0))
    return float(apart.mean() / np.abs(values[0]).mean())


def gaps_by_method(rng: np.random.Generator) -> pd.DataFrame:
    """Return how far each method's forecasts of a total and of its leaves are apart, before and after MinT.

    Returns
    -------
    pandas.DataFrame
        Index ``method``: ``gap`` and ``after`` (reconciled with the structural weights), shares of the total.

    Examples
    --------
    >>> table = gaps_by_method(np.random.default_rng(0))
    >>> (table["gap"] < 1e-9).sum().item(), len(table), bool((table["after"] < 1e-9).all())
    (4, 9, True)
    """
    hierarchy, found = shop_hierarchy(), forecasts_by_method(drawn_sales(rng))
    weights = error_weights(hierarchy, "wls_struct")
    rows = {
        name: {"gap": gap(hierarchy, said), "after": gap(hierarchy, mint(hierarchy.summing, said, weights))}
        for name, said in found.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


def recurrent_gaps(
    hierarchy: Hierarchy, sales: pd.DataFrame, rng: np.random.Generator, draws: int = 20, units: int = 16,
    linear: bool = False,
) -> FloatArray:  # fmt: skip
    """Return how far a recurrent network's means of a total and of its leaves are apart, for weights drawn at random.

    The network reads each series by itself, divided by one plus its mean as DeepAR does, and multiplies its output by
    that again. Nothing in it knows that one series is the sum of others.

    Parameters
    ----------
    hierarchy : Hierarchy
    sales : pandas.DataFrame, shape (n, weeks)
        Of every node.
    rng : numpy.random.Generator
    draws, units : int
        Networks that are drawn, and units of each.
    linear : bool
        Leave the squashing and the scaling out: what is left adds up.

    Returns
    -------
    numpy.ndarray of float, shape (draws,)
        As :func:`gap`.

    References
    ----------
    Salinas, Flunkert, Gasthaus and Januschowski (2020), DeepAR: probabilistic forecasting with autoregressive recurrent
    networks, International Journal of Forecasting 36.
    """
    past = as_nodes(hierarchy, sales, "sales")
    scale = np.ones((len(past), 1)) if linear else 1 + past.mean(axis=1, keepdims=True)
    found = []
    for _ in range(draws):
        into, kept = rng.normal(0, 1, (1, units)), rng.normal(0, 1 / np.sqrt(units), (units, units))
        out = rng.normal(0, 1 / np.sqrt(units), (units, 1))
        state = np.zeros((len(past), units))
        for week in range(past.shape[1]):
            state = past[:, [week]] / scale @ into + state @ kept
            state = 0.5 * state if linear else np.tanh(state)
        raw = state @ out
        found.append(gap(hierarchy, scale * (raw if linear else np.logaddexp(0, raw))))
    return np.array(found)


def served_by_sums(paths: npt.ArrayLike, tau: float) -> pd.Series:
    """Return the service of a warehouse that stocks the sum of its stores' quantiles, beside the quantile of the sum.

    Parameters
    ----------
    paths : array_like, shape (draws, stores)
        Demand of every store; a row is one possible week.
    tau : float

    Returns
    -------
    pandas.Series
        ``sum of quantiles`` and ``quantile of the sum``: share of draws in which nothing is short.

    Examples
    --------
    >>> served_by_sums(np.random.default_rng(0).poisson(5, (20_000, 20)), 0.8).round(2).to_dict()
    {'sum of quantiles': 1.0, 'quantile of the sum': 0.8}
    """
    total = require_paths(paths).sum(axis=1)
    orders = {"sum of quantiles": sum_of_quantiles(paths, tau), "quantile of the sum": quantile_of_sum(paths, tau)}
    return pd.Series({name: float((total <= order).mean()) for name, order in orders.items()})


def gradient_cut(category: npt.ArrayLike, y: npt.ArrayLike, tau: float) -> Cut:
    """Return the cut of the order of gradients with the greatest gain, by trying every one.

    Parameters
    ----------
    category, y : array_like, shape (n,)
    tau : float
        Level of the pinball loss.

    Raises
    ------
    ContractError
        One category only.

    Examples
    --------
    >>> gradient_cut(["a"] * 4 + ["b"] * 4, [0, 1, 0, 1, 0, 0, 9, 9], 0.7).low
    ('a',)
    """
    pull, size = gradient_order(category, y, tau), pd.Series(1, index=np.asarray(category)).groupby(level=0).sum()
    if len(pull) < 2:
        refuse("category", "of two values or more", "one", "a single category cannot be split")
    n = size.loc[pull.index].to_numpy()
    left, rows = np.cumsum(pull.to_numpy() * n), np.cumsum(n)
    whole, total = left[-1], rows[-1]
    gain = left[:-1] ** 2 / rows[:-1] + (whole - left[:-1]) ** 2 / (total - rows[:-1])
    return cut_at(category, y, list(pull.index[: int(np.argmax(gain)) + 1]))


def split_alike(
    rng: np.random.Generator, tables: int = 40, categories: int = 12, rows: int = 150, tau: float = 10 / 12
) -> pd.DataFrame:
    """Draw tables of one category and hold LightGBM's first split at a quantile against two explanations of it.

    Categories differ in mean and in spread, so that the order of their means is not that of their high quantiles.

    Parameters
    ----------
    rng : numpy.random.Generator
    tables, categories, rows : int
        Tables; categories of each; rows of a category.
    tau : float

    Returns
    -------
    pandas.DataFrame
        One row a table: ``gradients`` (it splits as the order of mean gradients is best cut) and ``means`` (as it
        splits a column that holds each category's mean of y).
    """
    found = []
    for _ in range(tables):
        sku = np.repeat(np.arange(categories), rows)
        mean, shape = rng.uniform(4, 8, categories), rng.choice([0.4, 8.0], categories)
        sold = rng.gamma(shape[sku], mean[sku] / shape[sku])
        encoded = pd.Series(sold).groupby(sku).transform("mean")
        told = {"objective": "quantile", "alpha": tau}
        split = lightgbm_cut(sku, sku, sold, True, **UNSMOOTHED, **told).low
        by_mean = lightgbm_cut(encoded, sku, sold, False, **told).low
        found.append({"gradients": split == gradient_cut(sku, sold, tau).low, "means": split == by_mean})
    return pd.DataFrame(found)


def lags_known(lags: Sequence[int], horizons: Sequence[int]) -> pd.Series:
    """Return for each lag the share of horizons at which it is known at the origin.

    Examples
    --------
    >>> lags_known((7, 14, 28), range(4, 11)).round(2).to_dict()
    {7: 0.57, 14: 1.0, 28: 1.0}
    """
    days = np.asarray(list(horizons))
    return pd.Series({lag: float((days <= lag).mean()) for lag in lags}, name="known").rename_axis("lag")


def mean_encoded(frame: pd.DataFrame, origin: int, names: Sequence[str] = ("store_id", "sku_id")) -> pd.DataFrame:
    """Return a table with a column for each id that holds the mean of its rows' y, of days up to an origin.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``day``, ``y`` and the ids.
    origin : int
        Rows of later days are encoded, and not read.
    names : sequence of str

    Returns
    -------
    pandas.DataFrame
        The frame with ``store_id_mean`` and so on; the mean of all rows for an id that has none.

    Examples
    --------
    >>> rows = pd.DataFrame({"sku_id": [1, 1, 2, 1], "day": [1, 2, 2, 9], "y": [4.0, 6.0, 1.0, 90.0]})
    >>> mean_encoded(rows, 2, ["sku_id"])["sku_id_mean"].tolist()
    [5.0, 5.0, 1.0, 5.0]
    """
    require_columns(frame, ["day", "y", *names], "frame")
    past = frame[frame["day"] <= origin]
    means = {name: past.groupby(name)["y"].mean() for name in names}
    columns = {f"{name}_mean": frame[name].map(mean).fillna(past["y"].mean()) for name, mean in means.items()}
    return frame.assign(**columns)
