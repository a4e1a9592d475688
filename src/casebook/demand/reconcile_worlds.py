"""Small shops in which reconciling helps, does nothing or hurts: poor leaves, a biased top, common noise, short pasts.

A shop sells by region and category. Every node of its hierarchy is forecast one week ahead by exponential smoothing,
each with a constant of its own. If all had the same constant, forecasts would add up by themselves, for smoothing is
linear: that is the null world.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from casebook.contracts import FloatArray
from casebook.demand.hierarchy import Hierarchy, hierarchy_of
from casebook.demand.reconcile import error_weights, mint
from casebook.worlds import Dial

REGIONS, CATEGORIES = 4, 6
TEST = 52  # weeks
WARM_UP = 30  # weeks before the first residual that counts
MATERIAL = 0.01  # share of the RMSE from which on a change counts
ALPHAS = np.array([0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8])
WAYS = ("bottom_up", "top_down", "ols", "struct", "shrink")
_METHODS = {"ols": "ols", "struct": "wls_struct", "shrink": "mint_shrink"}
Row = dict[str, float | bool]

DIALS: tuple[Dial, ...] = (
    Dial(
        "leaf_error", 0.02, 1.0, "sd of an error added to each leaf's forecast, as a share of its sales",
        "assumed: none to speak of, to a forecast that is no better than a guess",
        "whether leaves need help from above", scale="log", null=0.0,
    ),
    Dial(
        "top_bias", -0.1, 0.1, "share added to the total's forecast",
        "assumed: a total planned a tenth too low, to a tenth too high; the Australian trips' total and the sum of its "
        "leaves, both forecast by AutoETS, differ by 6%", "whether reconciling spreads an error", null=0.0,
    ),
    Dial(
        "own", 0.5, 1.0, "weight of a node's own smoothing constant, in logs",
        "assumed: half the way from one constant for all, to the whole", "whether there is anything to reconcile",
        null=0.0,
    ),
    Dial(
        "correlation", 0.0, 0.8, "share of a leaf's noise that all leaves have in common",
        "assumed: weather and paydays move none, to most, of a week's sales", "whether leaves can correct each other",
    ),
    Dial(
        "noise", 0.1, 1.0, "sd of a leaf's weekly noise, as a share of its sales",
        "assumed: a fast seller, to a slow one", "whether the total is easier to forecast than its leaves", scale="log",
    ),
    Dial(
        "history", 26.0, 156.0, "weeks of residuals",
        "half a year, to the three years of this chapter's world", "whether a covariance can be estimated", scale="log",
    ),
)  # fmt: skip
"""From which shops are drawn. In the null world all nodes smooth alike and nothing is added: forecasts add up."""


@dataclass(frozen=True, eq=False)
class Shop:
    """One drawn shop: a row a node, a column a week.

    Attributes
    ----------
    hierarchy : total, region, category, leaf.
    history, residuals : before the test weeks, shape (n, weeks).
    truth, base : the test weeks, shape (n, ``TEST``).
    """

    hierarchy: Hierarchy
    history: FloatArray
    residuals: FloatArray
    truth: FloatArray
    base: FloatArray


def shop_hierarchy() -> Hierarchy:
    """Return the hierarchy of every drawn shop.

    Examples
    --------
    >>> shop_hierarchy().summing.shape
    (35, 24)
    """
    leaves = pd.MultiIndex.from_product([range(REGIONS), range(CATEGORIES)], names=["region", "category"])
    levels = {"total": [], "region": ["region"], "category": ["category"], "leaf": ["region", "category"]}
    return hierarchy_of(leaves.to_frame(index=False), levels)


def draw_shop(dials: dict[str, float], rng: np.random.Generator) -> Shop:
    """Draw a shop's sales and forecast every node.

    Parameters
    ----------
    dials : dict
        As ``DIALS``.
    rng : numpy.random.Generator

    Returns
    -------
    Shop
    """
    hierarchy, weeks = shop_hierarchy(), WARM_UP + round(dials["history"])
    m: int = hierarchy.summing.shape[1]
    size = 20 * rng.lognormal(0, 0.7, m)
    level = _walk(weeks + TEST, 1, 0.1, rng) * rng.normal(1, 0.5, (m, 1)) + _walk(weeks + TEST, m, 0.15, rng)
    noise = np.sqrt(dials["correlation"]) * rng.standard_normal((1, weeks + TEST))
    noise = noise + np.sqrt(1 - dials["correlation"]) * rng.standard_normal((m, weeks + TEST))
    sales = hierarchy.summing @ (size[:, None] * (1 + level + dials["noise"] * noise))
    base = smooth(sales, WARM_UP, weeks, dials["own"])
    base[hierarchy.bottom] += dials["leaf_error"] * size[:, None] * rng.standard_normal((m, weeks + TEST))
    base[0] *= 1 + dials["top_bias"]
    past = slice(WARM_UP, weeks)
    residuals = sales[:, past] - base[:, past]
    return Shop(hierarchy, sales[:, past], residuals, sales[:, weeks:], base[:, weeks:])


def _walk(weeks: int, series: int, spread: float, rng: np.random.Generator, memory: float = 0.95) -> FloatArray:
    """Return autoregressions of this standard deviation, shape (series, weeks)."""
    steps = rng.normal(0, spread, (weeks, series))
    steps[1:] *= np.sqrt(1 - memory**2)
    for week in range(1, weeks):
        steps[week] += memory * steps[week - 1]
    return steps.T


def smooth(sales: FloatArray, start: int, stop: int, own: float = 1.0) -> FloatArray:
    """Forecast every row one step ahead by simple exponential smoothing.

    Parameters
    ----------
    sales : numpy.ndarray, shape (n, weeks)
    start, stop : int
        Weeks, stop excluded, whose squared errors choose the constants.
    own : float
        0: one constant for all, the geometric mean; 1: each row its own out of ``ALPHAS``.

    Returns
    -------
    numpy.ndarray, shape (n, weeks)
        Of week t from the weeks before it; of week 0, week 0.

    Examples
    --------
    >>> smooth(np.array([[4.0, 8.0, 8.0, 8.0]]), 1, 4).round(1).tolist()
    [[4.0, 4.0, 7.2, 7.8]]
    """
    tried = np.stack([_smoothed(sales, np.full(len(sales), alpha)) for alpha in ALPHAS])
    error = np.square(tried - sales)[:, :, start:stop].mean(axis=2)
    best = np.log(ALPHAS[error.argmin(axis=0)])
    return _smoothed(sales, np.exp(own * best + (1 - own) * best.mean()))


def _smoothed(sales: FloatArray, alpha: FloatArray) -> FloatArray:
    ahead = np.empty_like(sales)
    ahead[:, 0] = sales[:, 0]
    for week in range(1, sales.shape[1]):
        ahead[:, week] = ahead[:, week - 1] + alpha * (sales[:, week - 1] - ahead[:, week - 1])
    return ahead


def ways(shop: Shop) -> dict[str, FloatArray]:
    """Return the base forecasts and what each of ``WAYS`` makes of them, shape (n, ``TEST``).

    Top-down hands the total down by the leaves' share of the history's sales.
    """
    own, summing, base = shop.hierarchy, shop.hierarchy.summing, shop.base
    leaves = shop.history[own.bottom].mean(axis=1, keepdims=True)
    found = {
        "base": base,
        "bottom_up": summing @ base[own.bottom],
        "top_down": summing @ leaves / leaves.sum() * base[0],
    }
    residuals = pd.DataFrame(shop.residuals, own.nodes)
    return found | {
        name: mint(summing, base, error_weights(own, method, residuals)) for name, method in _METHODS.items()
    }


def play_reconcile(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Draw one shop, reconcile its forecasts in five ways and score leaves and total.

    Parameters
    ----------
    dials : dict
        As ``DIALS``.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``rmse_leaf``, ``rmse_total`` of the base forecasts (of leaves: the mean of RMSE over the leaf's sales; of the
        total: over the total's sales); ``gap`` (mean absolute gap between the total's forecast and the sum of its
        leaves', over the total's sales); ``leaf_*`` and ``total_*`` by ``WAYS``: how much lower the RMSE is than the
        base forecasts', as a share (bottom-up leaves the leaves as they are, top-down the total). The findings, a
        change of a hundredth or more:

        ``mint_helps_leaves``, ``mint_hurts_leaves``, ``mint_helps_total``, ``mint_hurts_total`` : by "shrink".
        ``ols_helps_leaves``, ``ols_hurts_leaves``, ``ols_helps_total``, ``ols_hurts_total``.
        ``bottom_up_hurts_total``, ``bottom_up_helps_total``; ``top_down_hurts_leaves``, which does not hang on
        forecasts that disagree and so may hold in the null world too.
        ``shrink_beats_ols`` : on leaves. ``changes_nothing`` : "shrink" changes no forecast by a millionth.
    """
    shop = draw_shop(dials, rng)
    own, found = shop.hierarchy, ways(shop)
    size = shop.history.mean(axis=1)
    each = {name: np.sqrt(np.square(shop.truth - frame).mean(axis=1)) / size for name, frame in found.items()}
    leaf = {name: float(one[own.bottom].mean()) for name, one in each.items()}
    total = {name: float(one[0]) for name, one in each.items()}
    gap = np.abs(shop.base[0] - shop.base[own.bottom].sum(axis=0)).mean() / size[0]
    row: Row = {"rmse_leaf": leaf["base"], "rmse_total": total["base"], "gap": float(gap)}
    row |= {f"leaf_{name}": 1 - leaf[name] / leaf["base"] for name in WAYS if name != "bottom_up"}
    row |= {f"total_{name}": 1 - total[name] / total["base"] for name in WAYS if name != "top_down"}
    moved = np.abs(found["shrink"] - shop.base).max() / size[0]
    return row | _findings(row) | {"changes_nothing": bool(moved < 1e-6)}


def _findings(row: Row) -> Row:
    found: Row = {}
    for word, way in (("mint", "shrink"), ("ols", "ols")):
        for where, places in (("leaf", "leaves"), ("total", "total")):
            found[f"{word}_helps_{places}"] = bool(row[f"{where}_{way}"] >= MATERIAL)
            found[f"{word}_hurts_{places}"] = bool(row[f"{where}_{way}"] <= -MATERIAL)
    return found | {
        "top_down_hurts_leaves": bool(row["leaf_top_down"] <= -MATERIAL),
        "bottom_up_hurts_total": bool(row["total_bottom_up"] <= -MATERIAL),
        "bottom_up_helps_total": bool(row["total_bottom_up"] >= MATERIAL),
        "shrink_beats_ols": bool(row["leaf_shrink"] - row["leaf_ols"] >= MATERIAL),
    }
