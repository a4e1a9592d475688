"""Figures of chapter 7's page on operation: a planner's worth by skill, a day's update by hour, and a watch by week."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd

from casebook import style
from casebook.colours import ADVISED, INK, NAIVE, SUBTLE
from casebook.flip_figures import gain_map
from casebook.line_labels import label_lines

_LIMIT = 0.25  # share of the error at which the map's colours are full


def skill_curve(added: pd.DataFrame, title: str) -> None:
    """Draw forecast value added by a planner's skill, one line a kind of planner.

    Parameters
    ----------
    added : pandas.DataFrame
        Index skill, one column a kind: value added as a share of the error without him. The first is the careful one.
    title : str
    """
    _, ax = plt.subplots()
    for (words, curve), colour in zip(added.items(), (ADVISED, INK, NAIVE), strict=False):
        ax.plot(curve.index, curve.to_numpy(), color=colour, label=str(words))
    ax.axhline(0, color=SUBTLE, linewidth=1)
    ax.axvline(0, color=SUBTLE, linewidth=1, linestyle=":")
    ax.set(xlabel="share of what the model misses that he sees", ylabel="forecast value added")
    style.percent_axis(ax)
    label_lines(ax)
    style.finding(ax, title, "share of the absolute error without him; the same draws along a line")


def planner_map(cells: pd.DataFrame, title: str) -> None:
    """Draw what overrides add, by the planner's skill and his optimism.

    Parameters
    ----------
    cells : pandas.DataFrame
        From :func:`casebook.worlds.flip_map_of`: ``skill``, ``bias``, ``mean``, ``n``.
    title : str
    """
    across, up = ("skill", "share of what the model misses that he sees"), ("bias", "his optimism, logs")
    gain_map(cells, across, up, title, "forecast value added, share of the error; n drawn companies", limit=_LIMIT)


def update_by_hour(gains: Mapping[str, pd.DataFrame], title: str) -> None:
    """Draw how much better the rest of a day is foreseen, and how much of the day is left to use it on.

    Parameters
    ----------
    gains : mapping of str to pandas.DataFrame
        Category -> what :func:`casebook.demand.part_day.gain_by_hour` returns. Of the first what is left is drawn too.
    title : str
    """
    _, ax = plt.subplots()
    for (words, table), colour in zip(gains.items(), (ADVISED, INK), strict=False):
        ax.plot(table.index, table["gain"], color=colour, label=str(words))
    words, first = next(iter(gains.items()))
    ax.plot(first.index, first["share_left"], color=SUBTLE, linestyle=":")
    at = len(first) // 4
    place = (float(first.index[at]), float(first["share_left"].iloc[at]))
    ax.annotate(f"{words} still to come", place, (6, 2), textcoords="offset points", color=INK)
    ax.set(xlabel="hour of the update", ylabel="share", ylim=(0, 1))
    style.percent_axis(ax)
    label_lines(ax)
    style.finding(ax, title, "gain: share of the pinball loss of the rest of the day that the update saves")


def watch_lines(covered: pd.DataFrame, tau: float, since: float, title: str) -> None:
    """Draw coverage by week, all products in one line and some categories in others.

    Parameters
    ----------
    covered : pandas.DataFrame
        Index week, one column a line; the column ``all`` is drawn as the naive one.
    tau : float
        The level that was promised.
    since : float
        Week from which the shock is in the readings.
    title : str
    """
    _, ax = plt.subplots()
    colours = iter((ADVISED, INK, SUBTLE))
    for words in covered:
        naive = words == "all"
        colour, width = (NAIVE, 2.4) if naive else (next(colours), 1.4)
        label = "all products" if naive else str(words)
        ax.plot(covered.index, covered[words], color=colour, linewidth=width, label=label)
    ax.axhline(tau, color=SUBTLE, linewidth=1)
    ax.axvline(since, color=SUBTLE, linewidth=1, linestyle=":")
    ax.set(xlabel="Sunday of the forecast, day", ylabel="coverage")
    style.percent_axis(ax)
    label_lines(ax)
    style.finding(ax, title, f"demand at or below the {tau:.3f} quantile; dotted: the shock's first week")
