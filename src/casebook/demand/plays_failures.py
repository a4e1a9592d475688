"""Drawn worlds of three failures: what a promotion brought, what a new product sells, what two discounts do at once.

Each function plays one world in a few seconds and returns numbers and findings; the dials say from where worlds come.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from casebook.demand.new_products import by_day, find_launches, forecast_launches, launch_table
from casebook.demand.promo_lift import estimated_lifts, margin_of_promotions, promotion_states, true_lift
from casebook.demand.simulate import History, simulate
from casebook.demand.stacked import WAYS, never_seen
from casebook.demand.world import World
from casebook.worlds import Dial

Row = dict[str, float | bool]
MATERIAL = 0.1
"""Lift (of a half or so) from which on an error counts, and share of the units by which a forecast is off."""
GAIN = 0.02  # share of the pinball loss from which on a gain counts
TAU = 0.8

DIALS_LIFT: tuple[Dial, ...] = (
    Dial("placement", 0.1, 0.9, "random weeks to the best weeks",
         "assumed: a buyer who fills gaps in a leaflet, to one who promotes beer before each holiday",
         "whether promoted weeks can be held against others", null=0.0),
    Dial("promo_share", 0.03, 0.2, "share of product weeks",
         "assumed: a product is promoted once or twice a year, to ten times", "how clean the other weeks are"),
    Dial("promo_lift", 0.1, 0.7, "log lift of a display",
         "assumed: a tenth, to a doubling",
         "how large what is measured is"),
    Dial("stock_level", 1.05, 1.6, "orders over expected sales", "assumed: a lean planner, to one who fills the shelf",
         "how much of the lift the shelf cuts off"),
    Dial("dispersion", 0.0, 2.0, "variance over mean, less 1", "assumed: Poisson, to thrice its variance",
         "how noisy a week is"),
)  # fmt: skip

DIALS_NEW: tuple[Dial, ...] = (
    Dial("own", 0.9, 1.0, "share of products", "assumed: nearly every product stands in its own category",
         "whether a category says anything of its new product", null=0.0),
    Dial("dispersion", 0.0, 2.0, "variance over mean, less 1", "assumed: Poisson, to thrice its variance",
         "how fast own sales tell"),
    Dial("stock_level", 1.05, 1.6, "orders over expected sales", "assumed: a lean planner, to one who fills the shelf",
         "how much own sales hide"),
    Dial("drift", 0.0, 0.3, "log units", "assumed: none, to a third up and down",
         "how long own sales stay true"),
)  # fmt: skip

DIALS_STACKED: tuple[Dial, ...] = (
    Dial("elasticity", 1.0, 4.0, "of units to price, without its sign",
         "around the mean of 2.6 over 1,851 estimates (Bijmolt, van Heerde and Pieters 2005); the ends are assumed",
         "how much there is to reach", null=0.0),
    Dial("bend", -0.3, 1.0, "share of the slope lost beyond the largest cut seen",
         "deal curves with thresholds and with saturation (Gupta and Cooper 1992; van Heerde, Leeflang and Wittink "
         "2001); the ends are assumed",
         "whether a straight line goes on or too far"),
    Dial("promo_share", 0.03, 0.2, "share of cell days", "assumed", "how well the slope is known"),
    Dial("dispersion", 0.1, 1.0, "of a day's rate", "assumed: a coefficient of variation of a third, to 1",
         "how well the slope is known", scale="log"),
)  # fmt: skip


def _world(dials: dict[str, float], **fixed: Any) -> World:
    settings: dict[str, Any] = {name: value for name, value in dials.items() if name != "own"}
    return World(**settings, **fixed)


def play_lift(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Play two years of a small grocer, and measure the lift of its promotions by every method.

    A category has three groups of four products: were there fewer, every product that is held against another would
    be its substitute.

    Parameters
    ----------
    dials : dict
        Those of :data:`DIALS_LIFT`.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``gross``, ``net`` (true); ``naive``, ``season``, ``regions``, ``spillovers``, ``spillovers_net`` (estimated
        from demand, so that stock-outs play no part), ``sold`` (season's estimate from sales); ``margin_gained``
        (dollars, all demand served). Findings, from a lift of a tenth on:

        ``naive_overstates`` : the naive lift is above the true one. ``adjusted_closer`` : season's is closer to it than
        the naive one. ``regions_closer`` : that of regions is. ``net_smaller`` : true net below true gross.
        ``stock_hides`` : season's from sales is below season's from demand. ``margin_falls`` : promotions cost margin.
    """
    history = simulate(_world(dials, stacked_from=10**6), 5, 84, rng, days=728)
    states = promotion_states(history.tables)
    truth, found = true_lift(history.truth, states), estimated_lifts(history.truth["demand"], states)
    sold = estimated_lifts(history.tables["sales"]["sold"], states, ["season"])
    row: Row = {"gross": truth["gross"], "net": truth["net"], "spillovers_net": float(found["net"]["spillovers"])}
    row |= {str(name): float(found["gross"].to_numpy()[at]) for at, name in enumerate(found.index)}
    row |= {"sold": float(sold["gross"].iloc[-1])}
    row["margin_gained"] = margin_of_promotions(history.tables, history.truth)["gained"]
    off = {name: abs(row[name] - row["gross"]) for name in ("naive", "season", "regions")}
    return row | {
        "naive_overstates": bool(row["naive"] > row["gross"] + MATERIAL),
        "adjusted_closer": bool(off["season"] < off["naive"] - MATERIAL),
        "regions_closer": bool(off["regions"] < off["naive"] - MATERIAL),
        "net_smaller": bool(row["net"] < row["gross"] - MATERIAL),
        "stock_hides": bool(row["sold"] < row["season"] - MATERIAL),
        "margin_falls": bool(row["margin_gained"] < 0),
    }


def play_new(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Play thirty months of a small grocer, and forecast the first weeks of the products that it launches.

    Only launches count before which two others were over, so that the ramp is known.

    Parameters
    ----------
    dials : dict
        Those of :data:`DIALS_NEW`; ``own`` is the share of products whose category is told, the others' are mixed up.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``launches`` (products), ``cells`` (that count); pinball losses (units a cell and week, tau 0.8) against demand
        in week 0 ``first_nothing``, ``first_mean`` and ``first_ramp`` (an average cell of any category, without and
        with the ramp), ``first_category``, ``first_content``; in weeks 1 to 4
        ``early_nothing``, ``early_shrunk``, ``early_product``, ``early_content``; in weeks 9 to 12 ``late_nothing``,
        ``late_shrunk``;
        ``weight_1``, ``weight_4`` (of the prior, mean over cells). Findings, from a fiftieth of the loss on:

        ``category_beats_global`` (with the ramp), ``category_beats_nothing``, ``ramp_helps`` (the average cell with it
        against without) : in week 0. ``shrunk_beats_own`` : in weeks 1 to 4.
        ``late_alike`` : in weeks 9 to 12 the two differ by less than a tenth. ``content_helps`` : in week 0.
        ``product_helps`` : pooling over stores, in weeks 1 to 4.
    """
    for_world, for_mix = rng.spawn(2)
    history = simulate(_world(dials), 5, 112, for_world, days=910)
    tables = {**history.tables, "products": _mixed(history, dials["own"], for_mix)}
    launches = find_launches(tables)
    wanted = by_day(launches.cells, tables["sales"], history.truth["demand"])
    said = forecast_launches(launches, TAU)
    table = launch_table(launches, said[said["learned"]], wanted, TAU)
    loss, weight = table["pinball"].unstack("method"), table["weight"].unstack("method")["shrunk"]
    first, early, late = loss.iloc[0], loss.iloc[1:5].mean(), loss.iloc[9:13].mean()
    row: Row = {"launches": float(len(launches.shelves)), "cells": float(said.loc[said["learned"], "place"].nunique())}
    for name in ("nothing", "global mean", "global ramp", "category", "content"):
        row[f"first_{name.split()[-1]}"] = float(first[name])
    row |= {f"early_{name}": float(early[name]) for name in ("nothing", "shrunk", "product", "content")}
    row |= {f"late_{name}": float(late[name]) for name in ("nothing", "shrunk")}
    row |= {f"weight_{week}": float(weight.iloc[week]) for week in (1, 4)}
    return row | {
        "category_beats_global": bool(first["category"] < (1 - GAIN) * first["global ramp"]),
        "ramp_helps": bool(first["global ramp"] < (1 - GAIN) * first["global mean"]),
        "category_beats_nothing": bool(first["category"] < (1 - GAIN) * first["nothing"]),
        "shrunk_beats_own": bool(early["shrunk"] < (1 - GAIN) * early["nothing"]),
        "late_alike": bool(abs(late["shrunk"] / late["nothing"] - 1) < MATERIAL),
        "content_helps": bool(first["content"] < (1 - GAIN) * first["category"]),
        "product_helps": bool(early["product"] < (1 - GAIN) * early["shrunk"]),
    }


def _mixed(history: History, own: float, rng: np.random.Generator) -> pd.DataFrame:
    products = history.tables["products"]
    place = np.arange(len(products))
    some = np.flatnonzero(rng.random(len(products)) >= own)
    place[some] = rng.permutation(some)
    return products.assign(category=products["category"].iloc[place].set_axis(products.index))


def play_stacked(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Play cells with single promotions and then with stacked ones, whose effect bends, and forecast by four ways.

    Not the grocer's simulator, in which log demand is a straight line in log price: here the bend is a dial.

    Parameters
    ----------
    dials : dict
        Those of :data:`DIALS_STACKED`.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``ratio_trees``, ``ratio_linear``, ``ratio_cascade``, ``ratio_capped`` (forecast over expected units on stacked
        days), ``one_trees``, ``one_cascade`` (the same on days with one promotion). Findings, from a tenth on:

        ``trees_short`` : trees forecast too little. ``cascade_over``, ``cascade_short`` : the cascade too much or
        little. ``cascade_closer``, ``capped_closer`` : closer to the truth than trees by more than that.
        ``cap_helps`` : the cap closer than the cascade.
    """
    train, test = (_cells(dials, stacked, rng) for stacked in (False, True))
    kind = np.select([test["stacked"] > 1, test["stacked"] == 1], ["stacked", "one"], "none")
    table = never_seen(train, test, kind)["ratio"]
    stacked, one = (table.xs(name, level="kind") for name in ("stacked", "one"))
    row: Row = {f"ratio_{way}": float(stacked[way]) for way in WAYS}
    row |= {f"one_{way}": float(one[way]) for way in ("trees", "cascade")}
    off = {way: abs(float(stacked[way]) - 1) for way in WAYS}
    return row | {
        "trees_short": bool(row["ratio_trees"] < 1 - MATERIAL),
        "cascade_over": bool(row["ratio_cascade"] > 1 + MATERIAL),
        "cascade_short": bool(row["ratio_cascade"] < 1 - MATERIAL),
        "cascade_closer": bool(off["cascade"] < off["trees"] - MATERIAL),
        "capped_closer": bool(off["capped"] < off["trees"] - MATERIAL),
        "cap_helps": bool(off["capped"] < off["cascade"] - MATERIAL),
    }


CUTS = -np.log1p(-np.array([0.1, 0.15, 0.2, 0.25, 0.33]))  # depths of one promotion, as in the grocer's world


def _cells(dials: dict[str, float], stacked: bool, rng: np.random.Generator, cells: int = 80, days: int = 300) -> Any:
    """Return rows of cells and days as :func:`casebook.demand.stacked.never_seen` reads them."""
    cell, day = (axis.ravel() for axis in np.indices((cells, days)))
    group, level = np.arange(cells) % 7, np.exp(rng.normal(np.log(4), 0.7, cells))
    promoted = rng.random(len(cell)) < dials["promo_share"]
    second = promoted & stacked & (rng.random(len(cell)) < 0.25)
    depth = rng.choice(CUTS, len(cell)) * promoted + rng.choice(CUTS, len(cell)) * second
    shown = promoted & (rng.random(len(cell)) < 0.4)
    # the slope differs between groups by a quarter, the same in training and test
    slope = dials["elasticity"] * (0.75 + 0.5 * np.arange(7) / 6)[group[cell]]
    beyond = np.maximum(depth - CUTS[-1], 0.0)
    season = 0.2 * np.cos(2 * np.pi * day / 364) + 0.3 * (day % 7 > 4)
    lift = slope * (depth - dials["bend"] * beyond) + 0.3 * shown * (dials["elasticity"] > 0)
    mean = level[cell] * np.exp(season + lift)
    rate = mean * rng.gamma(1 / dials["dispersion"], dials["dispersion"], len(cell))
    demand = rng.poisson(rate)
    usual = level[cell] * np.exp(season + rng.normal(0, 0.1, len(cell)))
    return pd.DataFrame(
        {"usual": usual, "depth": depth, "shown": shown.astype(float), "group": group[cell], "weekday": day % 7,
         "season": day // 7 % 52, "near": 14, "stacked": promoted.astype(int) + second, "y": demand, "demand": demand,
         "mean": mean}
    )  # fmt: skip
