"""Figures of chapter 7's main page: what a quantile costs, what is repaired, and what orders earn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from casebook import style
from casebook.colours import ADVISED, ADVISED_FILL, INK, NAIVE, NAIVE_FILL, SUBTLE

MISSED, LINE = 0.1, 0.09  # of a quantile; a line of text, as a share of the axis


def cost_by_quantile(curves: Mapping[str, pd.Series], best: float, marks: Mapping[str, float]) -> None:
    """Draw what ordering at each quantile costs above the best one, for several spreads of demand.

    Parameters
    ----------
    curves : mapping of str to pandas.Series
        Words of the spread -> cost above the least, as a share of it, indexed by tau.
    best : float
        The critical fractile.
    marks : mapping of str to float
        Words -> tau, drawn as thin lines.
    """
    _, ax = plt.subplots()
    top = max(float(curve.max()) for curve in curves.values())
    for line, ((words, curve), colour) in enumerate(zip(curves.items(), (SUBTLE, ADVISED, INK), strict=False)):
        ax.plot(curve.index, curve.to_numpy(), color=colour)
        place = (curve.index[0], top * (1.0 - LINE * line))  # the curves lie on each other, so their names stand apart
        ax.annotate(words, place, (28, 0), textcoords="offset points", color=colour, va="center")
    for height, (words, tau) in enumerate(marks.items()):
        ax.axvline(tau, color=NAIVE, linestyle=":")
        place = (tau, top * (1.0 - LINE * height))
        ax.annotate(words, place, (-3, 0), textcoords="offset points", color=NAIVE, ha="right")
    ax.set(xlabel="quantile that is ordered", ylabel="cost above the least")
    style.percent_axis(ax)
    missed = {
        side: max(float(np.interp(best + step, curve.index, curve)) for curve in curves.values())
        for side, step in (("high", MISSED), ("low", -MISSED))
    }
    words = f"A tenth too high costs up to {missed['high']:.0%}, a tenth too low up to {missed['low']:.0%}"
    style.finding(ax, words, f"one product, one day; all spreads cost least near {best:.2f}")


def ratios_by_category(ratios: pd.DataFrame, one_for_all: float) -> None:
    """Draw every product's critical ratio by category, beside the one for all.

    Parameters
    ----------
    ratios : pandas.DataFrame
        One row a product: ``category``, ``ratio``.
    one_for_all : float
    """
    _, ax = plt.subplots()
    order = ratios.groupby("category", observed=True)["ratio"].median().sort_values().index
    for place, name in enumerate(order):
        mine = np.sort(ratios.loc[ratios["category"] == name, "ratio"].to_numpy())
        ax.plot(mine, place + np.linspace(-0.22, 0.22, len(mine)), "o", color=ADVISED, markersize=4, alpha=0.7)
    ax.axvline(one_for_all, color=NAIVE, linestyle=":")
    label = (one_for_all, len(order) - 0.6)
    ax.annotate("one for all", label, (4, 0), textcoords="offset points", color=NAIVE)
    ax.set_yticks(range(len(order)), list(order))
    ax.grid(visible=False, axis="y")
    ax.set(xlabel="critical ratio: cost of a unit short over both costs")
    low, high = ratios["ratio"].min(), ratios["ratio"].max()
    style.finding(ax, f"One ratio for all hides {low:.2f} to {high:.2f}", "a dot a product")


def bars(
    values: pd.Series, title: str, subtitle: str, xlabel: str, advised: Sequence[str] = (), kind: str = "%"
) -> None:
    """Draw one bar a name, in the order given from the top, with the advised ones in their colour.

    Parameters
    ----------
    values : pandas.Series
        Indexed by the words of each bar.
    kind : {"%", "$", ""}
        Shares, dollars, or plain numbers.
    """
    _, ax = plt.subplots(figsize=(6.4, 0.8 + 0.42 * len(values)))
    place = np.arange(len(values))[::-1]
    fill = [ADVISED_FILL if name in advised else NAIVE_FILL for name in values.index]
    ax.barh(place, values.to_numpy(), color=fill)
    ax.set_yticks(place, list(values.index))
    ax.grid(visible=False, axis="y")
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set(xlabel=xlabel)
    {"%": style.percent_axis, "$": style.money_axis, "": style.number_axis}[kind](ax, "x")
    style.finding(ax, title, subtitle)


def spiral_lines(runs: Mapping[str, pd.DataFrame], title: str) -> None:
    """Draw the order of each way week by week, as a share of what was wanted.

    Parameters
    ----------
    runs : mapping of str to pandas.DataFrame
        Words -> what :func:`casebook.demand.spiral.run_spiral` returns. The first is the naive one.
    """
    _, ax = plt.subplots()
    colours = dict(zip(runs, [NAIVE, SUBTLE, ADVISED, INK], strict=False))
    shares = {words: (run["order"] / run["demand"]).rolling(4, min_periods=1).mean() for words, run in runs.items()}
    for words, share in shares.items():
        ax.plot(share.index, share, color=colours[words], linestyle="--" if colours[words] == INK else "-")
    lowest = -np.inf
    for words, share in sorted(shares.items(), key=lambda item: float(item[1].iloc[-1])):
        lowest = max(float(share.iloc[-1]), lowest + LINE)
        at = (share.index[-1], lowest)
        ax.annotate(words, at, (4, 0), textcoords="offset points", color=colours[words], va="center")
    ax.set(xlabel="week", ylabel="order over demand, four weeks' mean")
    ax.set_xlim(0, next(iter(runs.values())).index[-1] * 1.3)
    style.percent_axis(ax)
    style.finding(ax, title, "mean over cells")


def measures_disagree(table: pd.DataFrame, measures: Mapping[str, str], title: str) -> None:
    """Draw how far each model is behind the best, measure by measure.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a model, one column a measure, less is better.
    measures : mapping of str to str
        Column -> words.
    """
    _, axes = plt.subplots(1, len(measures), sharey=True, figsize=(7.2, 0.9 + 0.4 * len(table)))
    place = np.arange(len(table))[::-1]
    for ax, (name, words) in zip(axes, measures.items(), strict=True):
        behind = table[name] / table[name].min() - 1
        ax.barh(place, behind, color=[ADVISED_FILL if value == 0 else NAIVE_FILL for value in behind])
        best = place[int(np.argmin(behind.to_numpy()))]
        ax.annotate("best", (0, best), (4, 0), textcoords="offset points", color=ADVISED, va="center")
        ax.set(xlabel=words)
        ax.grid(visible=False, axis="y")
        style.percent_axis(ax, "x")
    axes[0].set_yticks(place, list(table.index))
    style.finding(axes[0], title, "how far behind the best")
