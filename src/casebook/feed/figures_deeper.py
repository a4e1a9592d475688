"""Chapter 8's figures of the second page: what CUPED saves, pooled cells, what checks find, headline tests."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from casebook import style
from casebook.colours import ADVISED, INK, NAIVE
from casebook.line_labels import label_lines


def cut_by_rho(cuts: pd.Series, apart: dict[str, float]) -> None:
    """Draw the cut of the variance against the squared correlation.

    Parameters
    ----------
    cuts : pandas.Series
        Index the squared correlation of the metric with its time before; values the variance cut.
    apart : dict of str to float
        Groups of users by name, with their cut, written at the left.
    """
    _, ax = plt.subplots()
    ends = np.array([0, 1.05 * cuts.index.max()])
    ax.plot(ends, ends, label="rho squared", **style.stroke("truth"))
    ax.plot(cuts.index, cuts, "o", color=ADVISED, markersize=8)
    for name, cut in apart.items():
        ax.plot(0, cut, "s", color=NAIVE, markersize=8, clip_on=False)
        ax.annotate(name, (0, cut), xytext=(12, 0), textcoords="offset points", va="center", color=INK)
    ax.set(xlabel="squared correlation of minutes with the 14 days before", ylabel="variance cut")
    ax.set(xlim=(0, ends[1] * 1.02), ylim=(-0.03, ends[1]))
    style.percent_axis(ax)
    label_lines(ax)
    off = float(np.abs(cuts.to_numpy() - cuts.index.to_numpy()).max())
    title = f"CUPED cuts the variance by the squared correlation, within {100 * off:.1f} points"
    style.finding(ax, title, "dots: feeds of other correlation, 10,000 users an arm")


def width_by_day(widths: pd.DataFrame) -> None:
    """Draw an interval's half-width by day of the test, plain and adjusted.

    Parameters
    ----------
    widths : pandas.DataFrame
        Index the days, from 1; ``plain``, ``cuped``, shares of the control's mean.
    """
    _, ax = plt.subplots()
    last = widths["plain"].iloc[-1]
    ax.plot(widths.index, widths["plain"], label="plain", **style.stroke("naive"))
    ax.plot(widths.index, widths["cuped"], label="CUPED", **style.stroke("advised"))
    ax.axhline(last, **style.stroke("truth"), linewidth=1)
    day = int(widths.index[(widths["cuped"] <= last).to_numpy()][0])
    ax.plot(day, widths["cuped"][day], "o", color=ADVISED, markersize=9)
    ax.annotate(f"day {day}", (day, widths["cuped"][day]), xytext=(0, -16), textcoords="offset points", ha="right")
    ax.set(xlabel="day of the test", ylabel="half of the 95% interval", ylim=(0, 1.08 * float(widths.max().max())))
    style.percent_axis(ax)
    label_lines(ax)
    title = f"With CUPED the interval is as narrow on day {day} as without on day {widths.index[-1]}"
    style.finding(ax, title, "of minutes per user, in percent of the control; dashed: plain, at the end")


def pooled_cells(cells: pd.DataFrame) -> None:
    """Draw each cell's effect, as seen and as the model of cohorts has it, with the truth.

    Parameters
    ----------
    cells : pandas.DataFrame
        Index the cells; ``estimate``, ``se``, ``posterior``, ``low``, ``high``, ``truth``, relative.
    """
    _, ax = plt.subplots(figsize=(7.2, 5.4))
    up = np.arange(len(cells))[::-1]
    reach = 1.96 * cells["se"]
    ax.hlines(up + 0.18, cells["estimate"] - reach, cells["estimate"] + reach, color=NAIVE, linewidth=1.5)
    ax.plot(cells["estimate"], up + 0.18, "s", color=NAIVE, markersize=6)
    ax.hlines(up - 0.18, cells["low"], cells["high"], color=ADVISED, linewidth=2.5)
    ax.plot(cells["posterior"], up - 0.18, "o", color=ADVISED, markersize=6)
    ax.plot(cells["truth"], up, "|", color=INK, markersize=16, markeredgewidth=2)
    ax.set_yticks(up, list(cells.index))
    ax.set(xlabel="relative effect on minutes", ylim=(-0.7, len(cells) - 0.3))
    style.percent_axis(ax, "x")
    seen, pooled = (float(np.sqrt(((cells[name] - cells["truth"]) ** 2).mean())) for name in ("estimate", "posterior"))
    style.finding(
        ax,
        f"Pooled within cohorts, cells miss the truth by {100 * pooled:.1f} points instead of {100 * seen:.1f}",
        "squares: as seen, 95%; dots: hierarchical model, 95%; bars: truth",
    )


def fault_map(found: pd.DataFrame, title: str) -> None:
    """Draw how much more often each check alarms with a fault on than with it off, in points.

    Parameters
    ----------
    found : pandas.DataFrame
        Index the faults, with the number of tests; columns the checks; shares between -1 and 1.
    title : str
    """
    _, ax = plt.subplots(figsize=(7.2, 6.2))
    values = found.to_numpy()[::-1]
    ax.pcolormesh(np.arange(found.shape[1] + 1), np.arange(len(found) + 1), values, cmap="RdBu", vmin=-1, vmax=1)
    for (row, column), value in np.ndenumerate(values):
        strong = abs(value) > 0.6
        ax.text(
            column + 0.5,
            row + 0.5,
            f"{100 * value:+.0f}",
            ha="center",
            va="center",
            fontsize=10,
            color="white" if strong else INK,
        )
    ax.set(xticks=np.arange(found.shape[1]) + 0.5, yticks=np.arange(len(found)) + 0.5)
    ax.set_xticklabels(list(found.columns))
    ax.set_yticklabels(list(found.index[::-1]))
    ax.grid(False)
    style.finding(ax, title, "alarms with the fault on less with it off, in points; in brackets: tests with it")


def mismatch_by_quarter(quarters: pd.DataFrame) -> None:
    """Draw the share of headline tests with a mismatch by quarter.

    Parameters
    ----------
    quarters : pandas.DataFrame
        From :func:`casebook.feed.headlines.by_quarter`.
    """
    _, ax = plt.subplots()
    place = np.arange(len(quarters))
    ax.bar(place, quarters["mismatch"], color=ADVISED, width=0.7)
    for at, (share, tests) in enumerate(zip(quarters["mismatch"], quarters["tests"], strict=True)):
        words = f"{share:.1%}\nof {tests:,}"
        ax.annotate(words, (at, share), xytext=(0, 3), textcoords="offset points", ha="center", fontsize=9, color=INK)
    ax.set_xticks(place, [name.replace(" ", "\n") for name in quarters.index])
    ax.set(ylabel="tests with p < 0.001", ylim=(0, 1.2 * float(quarters["mismatch"].max())))
    style.percent_axis(ax)
    worst = quarters["mismatch"].idxmax()
    title = f"{quarters['mismatch'].max():.0%} of the tests of {worst} have a sample ratio mismatch"
    style.finding(ax, title, "headline tests by quarter; one in a thousand is what luck gives")


def lifts_again(bins: pd.DataFrame) -> None:
    """Draw what winners of one half showed again in the other, and what two models of the programme foretold.

    Parameters
    ----------
    bins : pandas.DataFrame
        From :func:`casebook.feed.headlines.by_size`: mean log lifts ``seen``, ``normal``, ``spike``, ``again``.
    """
    _, ax = plt.subplots()
    rises = np.exp(bins) - 1
    ax.plot(rises["seen"], rises["seen"], label="as seen", **style.stroke("naive"))
    ax.plot(rises["seen"], rises["spike"], label="spike and slab", **style.stroke("advised"))
    ax.plot(rises["seen"], rises["normal"], label="one normal", **style.stroke("third"))
    ax.plot(rises["seen"], rises["again"], "o", color=INK, markersize=7)
    ax.set(xlabel="lift of the winner, first half of the viewers", ylabel="lift, second half", ylim=(0, None))
    style.percent_axis(ax)
    style.percent_axis(ax, "x")
    label_lines(ax)
    seen, again = np.exp(bins[["seen", "again"]].mean()) - 1
    title = f"Winners that showed +{seen:.0%} show +{again:.0%} to other viewers"
    style.finding(ax, title, "dots: second half, means of an eighth of the winners each; lines: what is foretold")
