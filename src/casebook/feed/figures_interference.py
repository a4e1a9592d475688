"""Chapter 8's figures of spillover, novelty and holdbacks: each takes a computed table and draws it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from casebook import style
from casebook.colours import ADVISED, INK, NAIVE
from casebook.feed.decay import Decay, Lifts
from casebook.line_labels import label_lines


def bias_by_modularity(table: pd.DataFrame) -> None:
    """Draw the share of a launch's effect that each design shows, by the graph's modularity.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`casebook.feed.plays_interference.by_modularity`.
    """
    _, ax = plt.subplots()
    for unit, words, look in (("cluster", "by cluster", "advised"), ("user", "by user", "naive")):
        ax.plot(table["modularity"], table[unit] / table["launch"], marker="o", label=words, **style.stroke(look))
    ax.axhline(1, **style.stroke("truth"))
    ax.annotate(
        "the launch", (table["modularity"].min(), 1), xytext=(0, 4), textcoords="offset points", color=INK, va="bottom"
    )
    ax.set(xlabel="modularity of the friendship graph", ylabel="share of the launch's effect", ylim=(0.5, 1.08))
    style.percent_axis(ax)
    label_lines(ax)
    user, cluster = (table[unit] / table["launch"] for unit in ("user", "cluster"))
    style.finding(
        ax,
        f"Randomised by user, {user.min():.0%} of the launch at any modularity; "
        f"by cluster, {cluster.iloc[0]:.0%} to {cluster.iloc[-1]:.0%}",
        "expected difference of the arms over the effect of a launch to all; half of the users in each arm",
    )


def two_clocks(by_day: Lifts, by_age: Lifts, truth: pd.DataFrame, ramp_day: int) -> None:
    """Draw the same test's lifts by calendar day and by days since exposure, and the truth of the latter.

    Parameters
    ----------
    by_day, by_age : Lifts
    truth : pandas.DataFrame
        ``days_since_exposure`` and ``lift``.
    ramp_day : int
        Day of the calendar on which the others joined.
    """
    _, axs = plt.subplots(1, 2, sharey=True)
    for ax, lifts, words, colour in (
        (axs[0], by_day, "day of the test", NAIVE),
        (axs[1], by_age, "days since exposure", ADVISED),
    ):
        ax.errorbar(lifts.day, lifts.lift, 1.96 * lifts.se, fmt="o", color=colour, markersize=4, linewidth=1)
        ax.axhline(0, color=INK, linewidth=1)
        ax.set(xlabel=words)
    axs[0].axvline(ramp_day - 0.5, color=INK, linestyle=":", linewidth=1)
    axs[1].plot(truth["days_since_exposure"], truth["lift"], **style.stroke("truth"))
    axs[0].set_ylabel("lift of minutes per session")
    style.percent_axis(axs[0])
    style.finding(
        axs[0],
        "The calendar shows the ramp; days since exposure show the fading",
        "new against control, 95% intervals; dotted: the ramp's second step; dashed: the truth",
    )


def decay_fit(lifts: Lifts, fit: Decay, launch: float, late: int = 30) -> None:
    """Draw the fitted decay through the lifts by days since exposure, and the interval of what lasts.

    Parameters
    ----------
    lifts : Lifts
    fit : Decay
    launch : float
        The truth half a year after a launch.
    late : int
        Last day drawn.
    """
    _, ax = plt.subplots()
    day = np.linspace(0, late, 200)
    ax.errorbar(lifts.day, lifts.lift, 1.96 * lifts.se, fmt="o", color=NAIVE, markersize=4, linewidth=1)
    ax.plot(day, fit.at(day), label="fitted", **style.stroke("advised"))
    ax.plot(day, np.full_like(day, launch), label="day 180", **style.stroke("truth"))
    ax.axhspan(fit.low, fit.high, color=style.ADVISED_FILL, alpha=0.25, linewidth=0)
    ax.axhline(0, color=INK, linewidth=1)
    ax.set(xlabel="days since exposure", ylabel="lift of minutes per session")
    style.percent_axis(ax)
    label_lines(ax)
    style.finding(
        ax,
        f"The fit says that {fit.lasting:+.1%} lasts, or anything from {fit.low:+.1%} to {fit.high:+.1%}",
        "points: each day with its 95% interval; band: 95% interval of the lasting lift",
    )


def novelty_left(frame: pd.DataFrame) -> None:
    """Draw what week 2 still holds of the novelty in the whole test, a dot a drawn world.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``half_life`` and ``novelty_left``.
    """
    _, ax = plt.subplots()
    ax.plot(frame["half_life"], frame["novelty_left"], "o", color=NAIVE, markersize=5)
    ax.axhline(0, color=INK, linewidth=1)
    ax.set(xscale="log", xlabel="half-life of the novelty, days (log scale)", ylabel="left in week 2, of the test's")
    ax.set_xticks([1, 2, 4, 7, 14])
    style.number_axis(ax, "x")
    style.percent_axis(ax)
    ends = frame.sort_values("half_life")["novelty_left"]
    style.finding(
        ax,
        f"Week 2 keeps {ends.head(10).mean():.0%} of the novelty if half is gone in a day, "
        f"{ends.tail(10).mean():.0%} if in two weeks",
        "what novelty adds in days 8 to 14, over what it adds in all 14 days; a dot a drawn feed",
    )


def holdback_lines(lines: Mapping[str, pd.Series], marks: Mapping[str, int]) -> None:
    """Draw what a holdback shows and what a launch does, by days since the launch.

    Parameters
    ----------
    lines : mapping of str to pandas.Series
        "launch" and "holdback", each indexed by day.
    marks : mapping of str to int
        Days to mark, by name.
    """
    _, ax = plt.subplots()
    for name, look in (("launch", "truth"), ("holdback", "advised")):
        ax.plot(lines[name].index, lines[name], label=name, **style.stroke(look))
    for words, day in marks.items():
        ax.axvline(day, color=INK, linestyle=":", linewidth=1)
        ax.annotate(
            words, (day, 0.96), xycoords=("data", "axes fraction"), xytext=(3, 0), textcoords="offset points",
            color=INK, rotation=90, va="top",
        )  # fmt: skip
    ax.set(xlabel="days since the launch", ylabel="lift of minutes", xticks=range(0, 181, 30))
    style.percent_axis(ax)
    label_lines(ax)
    early, late = lines["holdback"].loc[marks["30 days"]], lines["launch"].iloc[-1]
    style.finding(
        ax,
        f"On day 30 the holdback says {early:+.1%}; on day {lines['launch'].index[-1]} the launch is worth {late:+.1%}",
        "expected lift of a week's minutes; holdback: new against held back, launch: against never launched",
    )
