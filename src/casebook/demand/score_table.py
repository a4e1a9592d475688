"""One table of all models, and where WAPE, pinball loss and money disagree about the best of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import refuse, require_columns, require_length
from casebook.decisions.fractile import critical_fractile
from casebook.demand.evaluate import bias, coverage_table, money, pinball, wape
from casebook.demand.quantile_fix import at_fractile

#: Measures that are compared; less is better in each.
MEASURES = ("wape", "pinball", "money")


class Disagreement(NamedTuple):
    """Which model each measure calls the best.

    Attributes
    ----------
    best : pandas.DataFrame
        Index ``measure``: ``best``, ``value``, ``runner_up``, ``behind`` (the runner-up's value over the best's, less
        1), and the place that every measure's best has by the others, ``place_by_wape`` and so on.
    disagree : bool
        Whether they name more than one model.
    """

    best: pd.DataFrame
    disagree: bool


def score_table(
    y: npt.ArrayLike,
    forecasts: Mapping[str, pd.DataFrame],
    cost_under: npt.ArrayLike,
    cost_over: npt.ArrayLike,
    *,
    category: npt.ArrayLike | None = None,
    week: pd.DataFrame | None = None,
    clusters: npt.ArrayLike | None = None,
    seconds: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return every measure of every model on the same rows.

    Parameters
    ----------
    y : array_like, shape (n,)
        Units that came.
    forecasts : mapping of str to pandas.DataFrame, shape (n, t)
        Model -> one column a tau; 0.5 and the critical fractile within their range. A model of the mean has the mean in
        every column, so that its WAPE is the mean's and its order is the mean.
    cost_under, cost_over : float or array_like, shape (n,)
        Money per unit; each row is ordered at its own fractile.
    category : array_like, optional, shape (n,)
    week : pandas.DataFrame, optional
        As in :func:`casebook.demand.evaluate.money`.
    clusters : array_like, optional, shape (n,)
        As in :func:`casebook.demand.evaluate.coverage`.
    seconds : pandas.DataFrame, optional
        Index model; ``fit_seconds``, ``predict_seconds``, or other columns to be added.

    Returns
    -------
    pandas.DataFrame
        Index ``model``. ``pinball_0.5`` and so on at every tau that all models have, ``pinball`` their mean; ``wape``
        of the median, ``wape_dairy`` and so on; ``coverage_0.5`` and so on, ``coverage_holds`` (such as "3 of 5");
        ``bias`` of the median and ``bias_order`` of the order; ``money_day``, as if each day were ordered for alone,
        which is the pinball loss at each row's fractile in money; ``money``, of the week where ``week`` is given; the
        columns of ``seconds``.

    Raises
    ------
    ContractError
        No model, unequal lengths, missing numbers, no tau in common, or a fractile beyond a model's taus.

    Examples
    --------
    >>> flat = {"low": pd.DataFrame({0.5: [2.0] * 4, 0.9: [3.0] * 4}), "high": pd.DataFrame({0.5: [3.0] * 4, 0.9: 6.0})}
    >>> score_table([1, 2, 3, 6], flat, 9, 1)[["pinball", "wape", "bias", "money"]].round(3)
           pinball  wape   bias  money
    model
    low      0.750   0.5 -0.333   30.0
    high     0.525   0.5  0.000   12.0
    """
    if not forecasts:
        refuse("forecasts", "at least one model's", "none", "pass a name and a table for each")
    shared, tau, rows = _shared(forecasts), critical_fractile(cost_under, cost_over), {}
    covered = coverage_table(y, {name: shared[name] for name in forecasts}, clusters)
    for name, frame in forecasts.items():
        order, median = at_fractile(frame, tau), at_fractile(frame, 0.5)
        loss, cover = pinball(y, shared[name]), covered.loc[name]
        rows[name] = {
            **{f"pinball_{level:.3g}": value for level, value in loss.items()},
            **{"pinball": float(loss.mean()), "wape": wape(y, median)},
            **({} if category is None else {f"wape_{g}": v for g, v in wape(y, median, category).items()}),
            **{f"coverage_{level:.3g}": value for level, value in cover["share"].items()},
            "coverage_holds": f"{int(cover['holds'].sum())} of {len(cover)}",
            **{"bias": bias(y, median), "bias_order": bias(y, order)},
            "money_day": money(y, order, cost_under, cost_over),
            "money": money(y, order, cost_under, cost_over, week),
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")
    return table if seconds is None else table.join(seconds)


def disagreement(table: pd.DataFrame, measures: tuple[str, ...] = MEASURES) -> Disagreement:
    """Return which model is best by each measure, and whether they disagree.

    A lead says nothing of chance: hold the gap in money against its spread over origins before you act on it.

    Parameters
    ----------
    table : pandas.DataFrame
        As :func:`score_table` returns it, of two models or more.
    measures : tuple of str
        Columns of which less is better.

    Returns
    -------
    Disagreement

    Raises
    ------
    ContractError
        A missing column, or fewer than two models.

    Examples
    --------
    >>> table = pd.DataFrame({"wape": [0.5, 0.6], "pinball": [1.0, 1.1], "money": [30.0, 20.0]}, index=["mean", "q"])
    >>> found = disagreement(table)
    >>> found.disagree, found.best["best"].to_dict()
    (True, {'wape': 'mean', 'pinball': 'mean', 'money': 'q'})
    """
    require_columns(table, list(measures), "table")
    if len(table) < 2:
        refuse("table", "of two models or more", f"{len(table)}", "score another one beside it")
    places = table[list(measures)].rank(method="min").astype(int)
    rows = {}
    for measure in measures:
        ordered = table[measure].sort_values(kind="stable")
        behind = float(ordered.iloc[1] / ordered.iloc[0] - 1) if ordered.iloc[0] else float("nan")
        named = {"best": ordered.index[0], "value": float(ordered.iloc[0]), "runner_up": ordered.index[1]}
        elsewhere = {f"place_by_{other}": int(places[other][ordered.index[0]]) for other in measures}
        rows[measure] = {**named, "behind": behind, **elsewhere}
    best = pd.DataFrame.from_dict(rows, orient="index").rename_axis("measure")
    return Disagreement(best, bool(best["best"].nunique() > 1))


def by_origin(
    y: npt.ArrayLike,
    forecasts: Mapping[str, pd.DataFrame],
    origin: npt.ArrayLike,
    cost_under: npt.ArrayLike,
    cost_over: npt.ArrayLike,
    week: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return pinball loss, WAPE and money of every model at every origin, to see how far a lead is chance.

    Parameters
    ----------
    y, forecasts, cost_under, cost_over, week
        As in :func:`score_table`.
    origin : array_like, shape (n,)

    Returns
    -------
    pandas.DataFrame
        Index ``model``, ``origin``; columns of :data:`MEASURES`.

    Examples
    --------
    >>> flat = {"flat": pd.DataFrame({0.5: [2.0] * 4, 0.9: [3.0] * 4})}
    >>> by_origin([1, 2, 3, 6], flat, [6, 6, 13, 13], 9, 1)["money"].tolist()
    [3.0, 27.0]
    """
    units, when = np.asarray(y), np.asarray(origin)
    require_length(when, len(units), "origin")
    under, over = (np.broadcast_to(np.asarray(cost), len(units)) for cost in (cost_under, cost_over))
    parts = {}
    for at in np.unique(when):
        rows = np.flatnonzero(when == at)
        some = {name: frame.iloc[rows] for name, frame in forecasts.items()}
        keys = None if week is None else week.iloc[rows]
        parts[at] = score_table(units[rows], some, under[rows], over[rows], week=keys)[list(MEASURES)]
    return pd.concat(parts, names=["origin", "model"]).swaplevel().sort_index()


def _shared(forecasts: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return each model's columns at the taus that all of them have, under the first model's names."""
    first = next(iter(forecasts.values()))
    out: dict[str, pd.DataFrame] = {}
    levels = [tau for tau in first.columns if all(_place(frame, tau) is not None for frame in forecasts.values())]
    if not levels:
        refuse("forecasts", "at one tau at least that all models have", "none in common", "fit them at the same taus")
    for name, frame in forecasts.items():
        places: list[Any] = [_place(frame, tau) for tau in levels]
        out[name] = frame.iloc[:, places].set_axis(levels, axis=1)
    return out


def _place(frame: pd.DataFrame, tau: Any) -> int | None:
    near: Iterator[int] = (at for at, level in enumerate(frame.columns) if abs(float(level) - float(tau)) < 1e-6)
    return next(near, None)
