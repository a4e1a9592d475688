"""A shock: what a model says in its weeks, how soon its lags catch up, its echo a year later, and the overrides.

The planner knows the direction by category and roughly the size. An override multiplies a forecast, and the lags of
later origins have seen the shock already: one that keeps multiplying counts it twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import refuse, require_columns
from casebook.demand.features import build
from casebook.demand.models import BoostedMean
from casebook.demand.overrides import Override, apply_overrides
from casebook.demand.world import World

UP, DOWN = ("pantry", "household", "frozen"), ("produce", "bakery")
YEAR = 364  # the features' last year
ECHOES = ("year_ago_mean_7",)  # features that look a year back
KNOWN = 10  # days from the origin to the last day of an order
Tables = Mapping[str, pd.DataFrame]


def shock_span(world: World) -> tuple[int, int]:
    """Return the first day of the shock and the first day after it.

    Examples
    --------
    >>> shock_span(World(shock_day=700, shock_days=21))
    (700, 721)
    """
    return world.shock_day, world.shock_day + world.shock_days


def side_of(category: npt.ArrayLike) -> npt.NDArray[np.str_]:
    """Return "up", "down" or "still" for each category: who buys more in a shock, and who less.

    Examples
    --------
    >>> side_of(["pantry", "dairy", "produce"]).tolist()
    ['up', 'still', 'down']
    """
    words = np.asarray(category).astype(str)
    return np.select([np.isin(words, UP), np.isin(words, DOWN)], ["up", "down"], "still").astype(np.str_)


def without_shock(features: pd.DataFrame, span: tuple[int, int], drop: bool = True, flag: bool = True) -> pd.DataFrame:
    """Clean feature rows of a shock that has been declared.

    Parameters
    ----------
    features : pandas.DataFrame
        From :func:`casebook.demand.features.build`.
    span : tuple of int
        First day of the shock and first day after it.
    drop : bool
        Leave out rows whose target lies in the shock, and rows whose last four weeks do: for training.
    flag : bool
        Set what looks at the shock from a year later missing: for training and for forecasts.

    Returns
    -------
    pandas.DataFrame
        A copy, the index kept.

    Examples
    --------
    >>> rows = pd.DataFrame({"origin": [93, 464], "day": [100, 471], "year_ago_mean_7": [np.nan, 9.0]})
    >>> without_shock(rows, (100, 128)).to_dict("records")
    [{'origin': 464, 'day': 471, 'year_ago_mean_7': nan}]
    """
    require_columns(features, ["origin", "day", *ECHOES], "features")
    _checked(span)
    day, origin = features["day"], features["origin"]
    out = features.copy()
    if flag:
        # the feature is a mean of the seven days that the whole order covers, one year earlier
        first = origin + 4 - YEAR
        looks = (first + 6 >= span[0]) & (first < span[1])
        for name in ECHOES:
            out[name] = out[name].mask(looks)
    if drop:
        inside = (day >= span[0]) & (day < span[1])
        lagged = (origin >= span[0]) & (origin - 27 < span[1])
        out = out[~(inside | lagged)]
    return out


def fit_and_forecast(
    tables: Tables, train: Iterable[int], test: Iterable[int], target: npt.ArrayLike,
    span: tuple[int, int] | None = None, drop: bool = True, flag: bool = True,
) -> pd.DataFrame:  # fmt: skip
    """Fit a mean (LightGBM, Poisson) once to the training origins, and forecast the test origins with their own lags.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
    train, test : iterable of int
        Origins. A training origin's last target day is not after the first test origin.
    target : array_like
        Row by row as ``sales``: what the forecast is held against, such as the demand.
    span, drop, flag
        A declared shock, cleaned by :func:`without_shock`; by default nobody declares one.

    Returns
    -------
    pandas.DataFrame
        Ids, ``origin``, ``day``, ``category``, ``side``, ``mean`` (forecast), ``came``, ``last_year`` (units a day).

    Raises
    ------
    ContractError
        If a training row's target is not known at the first test origin.
    """
    older, newer = sorted(int(one) for one in train), sorted(int(one) for one in test)
    if older[-1] + KNOWN > newer[0]:
        got = f"{older[-1]} before a test from {newer[0]}"
        refuse("train, last origin", f"{KNOWN} days or more before the first test origin", got, "leave it out")
    rows, asked = build(tables, older), build(tables, newer)
    if span is not None:
        rows, asked = without_shock(rows, span, drop, flag), without_shock(asked, span, False, flag)
    rows = rows[rows["y"].notna()]
    fitted = BoostedMean(trees=120).fit(rows, rows["y"])
    keys = ["store_id", "sku_id", "day"]
    out = asked[[*keys, "origin"]].assign(mean=fitted.mean(asked).to_numpy(), last_year=asked[ECHOES[0]])
    out = out.merge(tables["sales"][keys].assign(came=np.asarray(target, dtype=float)), on=keys)
    category = tables["products"].set_index("sku_id")["category"].astype(str).loc[out["sku_id"]].to_numpy()
    return out.assign(category=category, side=side_of(category))


def by_week(forecast: pd.DataFrame, span: tuple[int, int]) -> pd.DataFrame:
    """Return errors by side and week of the order, counted from the first one that lies in the shock (0).

    Index ``side``, ``week``; ``units`` (came), ``bias`` (forecast less came, over came), ``wape``; `forecast` is from
    :func:`fit_and_forecast`.
    """
    require_columns(forecast, ["side", "origin", "mean", "came"], "forecast")
    week = (forecast["origin"] + 4 - _checked(span)[0]) // 7
    rows = pd.DataFrame({"side": forecast["side"], "week": week, "came": forecast["came"], "said": forecast["mean"]})
    rows = rows.assign(error=(rows["said"] - rows["came"]).abs())
    sums = rows.groupby(["side", "week"]).sum()
    table = pd.DataFrame({"units": sums["came"], "bias": sums["said"] / sums["came"] - 1})
    return table.assign(wape=sums["error"] / sums["came"])


def weeks_blind(table: pd.DataFrame, share: float = 0.5) -> pd.Series:
    """Return by side how many weeks of the shock pass until the bias is below a share of its first week's.

    Weeks from 0 on with a bias of the first one's sign and of that size, before the first without; `table` is from
    :func:`by_week`.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([["up"], [-1, 0, 1, 2]], names=["side", "week"])
    >>> weeks_blind(pd.DataFrame({"bias": [0.0, -0.5, -0.4, -0.1]}, index=index)).to_dict()
    {'up': 2}
    """
    found = {}
    for side, rows in table.groupby("side"):
        bias = rows["bias"].droplevel("side").loc[0:]
        seen = (np.sign(bias) == np.sign(bias.iloc[0])) & (bias.abs() > share * abs(bias.iloc[0]))
        found[str(side)] = int(np.argmin([*seen, False]))
    return pd.Series(found, name="weeks", dtype=int).rename_axis("side")


def shock_plans(
    span: tuple[int, int], factors: Mapping[str, float], noticed: int, weeks: int = 2, author: str = "planner"
) -> dict[str, list[Override]]:
    """Return three ways to override the categories of a shock: let go early, kept to its end, and forgotten.

    Parameters
    ----------
    span : tuple of int
    factors : mapping of str to float
        Category -> what the planner thinks its demand is multiplied by.
    noticed : int
        Day on which the planner writes them; orders from then on may use them.
    weeks : int
        After which the first plan expires.

    Returns
    -------
    dict of str to list of Override
        ``short`` (expires after `weeks`), ``whole`` (at the end of the shock), ``forgotten`` (never ends).

    Examples
    --------
    >>> plans = shock_plans((560, 588), {"pantry": 2.0}, noticed=562)
    >>> {name: plan[0].expires_on for name, plan in plans.items()}
    {'short': 575, 'whole': 587, 'forgotten': 926}
    """
    _, end = _checked(span)
    ends = {"short": noticed + 7 * weeks - 1, "whole": end - 1, "forgotten": noticed + YEAR}
    last = {"short": end - 1, "whole": end - 1, "forgotten": noticed + YEAR}
    return {
        name: [
            Override(noticed, last[name], "multiply", factor, "the shock", author, noticed, expires, category=category)
            for category, factor in factors.items()
        ]
        for name, expires in ends.items()
    }


def tracking_plan(forecast: pd.DataFrame, span: tuple[int, int], noticed: int) -> list[Override]:
    """Return what a planner enters who looks each Sunday: what came in the last week over what was forecast for it.

    One override a category and order, from the first Sunday after `noticed` to the last order of the shock; each
    expires with its order, so that what the lags have learned meanwhile is not counted twice.
    """
    start, end = _checked(span)
    plan, sums = [], ["came", "mean"]
    for origin in sorted(int(one) for one in forecast["origin"].unique() if noticed <= one < end - 4):
        week = forecast[(forecast["day"] > max(origin - 7, start - 1)) & (forecast["day"] <= origin)]
        for category, row in week[week["side"] != "still"].groupby("category")[sums].sum().iterrows():
            days, ratio = (origin + 4, min(origin + KNOWN, end - 1)), float(row["came"] / max(row["mean"], 1e-9))
            own = Override(*days, "multiply", ratio, "last week's ratio", "planner", origin, origin + 1)
            plan.append(replace(own, category=str(category)))
    return plan


def overridden(forecast: pd.DataFrame, overrides: Sequence[Override], tables: Tables) -> pd.DataFrame:
    """Return the forecast with the overrides that were in force on each Monday on which an order was placed."""
    rows = forecast.assign(sd=np.sqrt(forecast["mean"]))
    mondays = sorted(int(one) + 1 for one in forecast["origin"].unique())
    parts = [apply_overrides(rows[rows["origin"] == at - 1], overrides, tables, at) for at in mondays]
    return pd.concat(parts).loc[forecast.index]


def plan_table(
    forecast: pd.DataFrame, plans: Mapping[str, Sequence[Override]], tables: Tables, span: tuple[int, int]
) -> pd.DataFrame:
    """Return the errors under each plan, in the shock and after it.

    Index plan, with ``none``. Absolute errors (units) on days in the shock and later: ``cell_during``, ``cell_after``
    by cell and day; ``total_during``, ``total_after`` of each category's units in an order. ``late``: share of the
    error by cell in the shock, without overrides, on days whose order was placed before the plan's first override.
    The two levels can disagree: a mean raised to the right total misses slow sellers by more.
    """
    start, end = _checked(span)
    whole = forecast.assign(when=np.select([forecast["day"] >= end, forecast["day"] >= start], ["after", "during"], ""))
    rows = {}
    for name, overrides in {"none": [], **plans}.items():
        changed = whole.assign(mean=overridden(forecast, overrides, tables)["mean"]) if overrides else whole
        off = changed.assign(off=changed["mean"] - changed["came"])
        total = off.groupby(["when", "category", "origin"])["off"].sum().abs().groupby("when").sum()
        cell = off["off"].abs().groupby(off["when"]).sum()
        rows[name] = {f"cell_{one}": cell[one] for one in ("during", "after")}
        rows[name] |= {f"total_{one}": total[one] for one in ("during", "after")}
        missed = (whole["mean"] - whole["came"]).abs()[whole["when"] == "during"]
        first = min((one.created_on for one in overrides), default=int(whole["day"].max()))
        rows[name]["late"] = missed[whole["origin"] + 1 < first].sum() / missed.sum()
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("plan")


def echo_table(
    tables: Tables, train: Sequence[int], test: Sequence[int], target: npt.ArrayLike, span: tuple[int, int]
) -> pd.DataFrame:
    """Return what the shock does to forecasts a year later, by how it was treated.

    The training origins reach over the shock, the test origins over the same weeks of the next year. Index ``way``,
    ``side``: ``bias`` in the weeks whose last year was the shock, ``usual`` (bias in the other test weeks), ``echo``
    (their difference), ``wape`` (in the echo). Ways: ``nothing``; ``dropped`` (shock weeks left out of training);
    ``flagged`` (what looks a year back at it is set missing); ``both``; ``last year`` (no model: its sales again).
    """
    known = {"nothing": (None, False, False), "dropped": (span, True, False), "flagged": (span, False, True)}
    ways = {name: fit_and_forecast(tables, train, test, target, *how) for name, how in known.items()}
    ways["both"] = fit_and_forecast(tables, train, test, target, span)
    ways["last year"] = ways["nothing"].assign(mean=ways["nothing"]["last_year"]).dropna()
    return pd.concat({way: _echo(said, span) for way, said in ways.items()}, names=["way"])


def _echo(said: pd.DataFrame, span: tuple[int, int]) -> pd.DataFrame:
    rows = said.assign(echo=said["day"].between(span[0] + YEAR, span[1] + YEAR - 1))
    rows["error"] = (rows["mean"] - rows["came"]).abs()
    sums = rows.groupby(["side", "echo"])[["mean", "came", "error"]].sum().unstack("echo")
    bias, wape = sums["mean"] / sums["came"] - 1, sums["error"] / sums["came"]
    return pd.DataFrame(
        {"bias": bias[True], "usual": bias[False], "echo": bias[True] - bias[False], "wape": wape[True]}
    )


def _checked(span: tuple[int, int]) -> tuple[int, int]:
    if span[1] <= span[0]:
        refuse("span", "a first day and a later one after it", f"{span[0]} and {span[1]}", "swap the two days")
    return span
