"""Drawn grocers in which a model is fitted once, every fourth Sunday or every Sunday: what a fresh fit is worth.

Each has five stores and 28 products. The critical fractile is forecast on twelve Sundays from the sales that the app's
log repairs, and judged by what was wanted. The null world has no drift, no shock and no promotion; its seasons, level
shifts and new cells stay.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from casebook.contracts import FloatArray
from casebook.demand.evaluate import pinball
from casebook.demand.features import build
from casebook.demand.models import BoostedQuantiles
from casebook.demand.origins import weekly_origins
from casebook.demand.rolling import last_origins, roll
from casebook.demand.simulate import simulate
from casebook.demand.unconstrain import unconstrain
from casebook.demand.world import WEEK, World
from casebook.worlds import Dial

STORES, SKUS, TRAINED, TESTED = 5, 28, 56, 12
FRACTILE = 10 / 12
MATERIAL, AGED = 0.01, 6  # share of the loss from which on a change counts; weeks that make a fit old
EVERY = {"once": 0, "monthly": 4, "weekly": 1}
_PAST = 30  # weeks before the first origin, for the features
Row = dict[str, float | bool]

DIALS = (
    Dial("drift", 0.02, 0.4, "sd of the slow movement of log demand",
         "assumed: hardly any, to three times that of the chapter's world", "whether the level moves", scale="log",
         null=0.0),
    Dial("shock", 0.0, 1.2, "log size of a shock of four weeks that begins after the third test Sunday",
         "assumed: none, to more than three times the demand", "whether effects change", null=0.0),
    Dial("promo_share", 0.02, 0.2, "share of product weeks with a promotion", "assumed: rare, to one in five",
         "whether there are effects to learn", null=0.0),
    Dial("dispersion", 0.05, 2.0, "variance of baskets over their mean, less one",
         "assumed: near Poisson, to three times its variance", "how loud the noise is", scale="log"),
)  # fmt: skip


def play_refit(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Draw one grocer, and roll the same trees over twelve Sundays with three calendars of fits.

    Parameters
    ----------
    dials : dict
        All of :data:`DIALS`.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``loss_once``, ``loss_monthly``, ``loss_weekly`` (pinball loss at 0.833), ``gain_monthly`` and ``gain_weekly``
        (share below that of the fit that is kept), ``gain_old`` (weekly, on the Sundays on which the kept fit is six
        weeks old or more), ``times`` (rows fitted to weekly over those once). The findings, a change of a
        hundredth or more: ``weekly_helps``, ``weekly_hurts``, ``monthly_does`` (within a hundredth of weekly, or
        better).
    """
    frame, wanted = _drawn(dials, rng)
    tests = last_origins(frame, TESTED)
    model, loss, work = BoostedQuantiles([FRACTILE], trees=60), {}, {}
    for name, every in EVERY.items():
        rolled = roll(model, frame, tests, [FRACTILE], refit_every=every)
        loss[name] = _by_sunday(frame, wanted, rolled, tests)
        work[name] = float(rolled.seconds["fit_rows"].where(rolled.seconds["fit_seconds"] > 0, 0).sum())
    mean = {name: float(each.mean()) for name, each in loss.items()}
    row: Row = {f"loss_{name}": value for name, value in mean.items()}
    row |= {f"gain_{name}": 1 - mean[name] / mean["once"] for name in ("monthly", "weekly")}
    row["gain_old"] = float(1 - loss["weekly"][AGED:].mean() / loss["once"][AGED:].mean())
    row["times"] = work["weekly"] / work["once"]
    return row | {
        "weekly_helps": bool(row["gain_weekly"] >= MATERIAL),
        "weekly_hurts": bool(row["gain_weekly"] <= -MATERIAL),
        "monthly_does": bool(row["gain_weekly"] - row["gain_monthly"] < MATERIAL),
    }


def _drawn(dials: dict[str, float], rng: np.random.Generator) -> tuple[pd.DataFrame, FloatArray]:
    """Return the features of all origins, and what was wanted row by row."""
    weeks = _PAST + TRAINED + TESTED + 2
    last = weeks * WEEK - 1
    world = World(
        dials["dispersion"], drift=dials["drift"], promo_share=dials["promo_share"], shock_size=dials["shock"],
        shock_day=last - 13 - WEEK * (TESTED - 3), shock_days=28,
    )  # fmt: skip
    history = simulate(world, STORES, SKUS, rng, days=weeks * WEEK)
    sales = history.tables["sales"]
    mended = unconstrain(sales, "app", products=history.tables["products"])
    tables: dict[str, Any] = {**history.tables, "sales": sales.assign(sold=mended)}
    frame = build(tables, weekly_origins(last - 10 - WEEK * (TRAINED + TESTED), last - 10))
    keys = ["store_id", "sku_id", "day"]
    true = sales[keys].assign(demand=history.truth["demand"].to_numpy())
    return frame, frame[keys].merge(true, "left", keys)["demand"].to_numpy(dtype=float)


def _by_sunday(frame: pd.DataFrame, wanted: FloatArray, rolled: Any, tests: list[int]) -> FloatArray:
    """Return the mean loss of each test origin."""
    origin, y = frame["origin"].to_numpy()[rolled.rows], wanted[rolled.rows]
    return np.array([float(pinball(y[origin == at], rolled.forecasts[origin == at]).iloc[0]) for at in tests])
