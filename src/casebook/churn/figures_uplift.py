"""Chapter 4's figures of uplift, money and the test: each takes a computed table and draws it on its own figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from casebook import style
from casebook.colours import ADVISED, FIFTH, INK, NAIVE, stroke
from casebook.line_labels import label_lines

WORDS = {
    "dogs": "sleeping dogs", "pull": "price or rival pulls", "pilot_months": "months of pilot",
    "pilot_among": "share of base in pilot", "persistence": "a save lasts", "leaving": "monthly leavers",
    "effect": "strength of a call", "differing": "effects differ", "alignment": "risk goes with effect",
}  # fmt: skip
LIMIT = 0.3  # share of the best list's dollars at which a flip map's colour is full


def uplift_curves(curves: Mapping[str, pd.DataFrame], rows: int) -> None:
    """Draw uplift curves of a held-out part of the pilot, in points of retention.

    Parameters
    ----------
    curves : mapping of str to pandas.DataFrame
        From :func:`casebook.uplift.uplift_curve`, definition "gain"; at most five.
    rows : int
        Rows behind each, for the subtitle.
    """
    _, ax = plt.subplots()
    for (name, curve), kind in zip(curves.items(), ("naive", "advised", "third", "fifth", "truth"), strict=False):
        ax.plot(curve["share"], 100 * curve["gain"], label=name, **stroke(kind))
    whole = 100 * next(iter(curves.values()))["gain"].iloc[-1]
    ax.plot([0, 1], [0, whole], color=INK, linewidth=1)
    ax.set(xlabel="share of the pilot called, best first", ylabel="retention gained, points of all")
    style.percent_axis(ax, "x")
    # all lines end in one point, so no label fits there
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize=11)
    style.finding(
        ax, "Uplift curves of the held-out companies", f"{rows:,} rows of the pilot; thin line: calling at random"
    )


def flip_heat(cells: pd.DataFrame, across: tuple[str, str], up: tuple[str, str], title: str, measure: str) -> None:
    """Draw a flip map with the mean gain and the number of worlds written into each cell.

    Parameters
    ----------
    cells : pandas.DataFrame
        From :func:`casebook.worlds.flip_map_of`.
    across, up : tuple of str
        Name of the dial, and what the axis says.
    title, measure : str
    """
    _, ax = plt.subplots()
    _heat(ax, cells, across, up)
    style.finding(ax, title, measure)


def flip_pair(
    maps: Sequence[tuple[pd.DataFrame, tuple[str, str]]], across: tuple[str, str], title: str, measure: str
) -> None:
    """Draw flip maps above each other that share what stands across.

    Parameters
    ----------
    maps : sequence of (pandas.DataFrame, tuple of str)
        Cells as for :func:`flip_heat`, and the dial that goes up.
    across : tuple of str
    title, measure : str
    """
    fig, axs = plt.subplots(len(maps), squeeze=False)
    fig.set_figheight(len(maps) * 3.2)
    for ax, (cells, up) in zip(axs[:, 0], maps, strict=True):
        _heat(ax, cells, across, up)
    style.finding(axs[0, 0], title, measure)


def _heat(ax: Axes, cells: pd.DataFrame, across: tuple[str, str], up: tuple[str, str]) -> None:
    grid = cells.pivot(index=up[0], columns=across[0], values="mean")
    counts = cells.pivot(index=up[0], columns=across[0], values="n").to_numpy()
    rows, columns = grid.shape
    ax.pcolormesh(range(columns + 1), range(rows + 1), grid, cmap="RdBu", vmin=-LIMIT, vmax=LIMIT)
    for (row, column), value in np.ndenumerate(grid.to_numpy()):
        gain = f"{100 * value:+z.0f}" if counts[row, column] else "none"
        words = f"{gain}\nn={counts[row, column]}"
        ax.text(column + 0.5, row + 0.5, words, ha="center", va="center", fontsize=9, color=INK)
    ax.set(xticks=np.arange(columns) + 0.5, yticks=np.arange(rows) + 0.5)
    ax.set_xticklabels([f"{value:.3g}" for value in grid.columns])
    ax.set_yticklabels([f"{value:.2g}" for value in grid.index])
    ax.set(xlabel=across[1], ylabel=up[1])
    ax.grid(False)


def dial_dots(moves: pd.DataFrame, title: str, measure: str) -> None:
    """Draw by how many points a gain moves from the bottom to the top of each dial's range, with its interval.

    Parameters
    ----------
    moves : pandas.DataFrame
        From :func:`casebook.churn.pilot.what_moves`.
    title, measure : str
    """
    _, ax = plt.subplots()
    places = np.arange(len(moves))
    apart = (moves["low"] > 0) | (moves["high"] < 0)
    for rows, colour in ((apart, ADVISED), (~apart, FIFTH)):
        ax.hlines(places[rows], 100 * moves["low"][rows], 100 * moves["high"][rows], colors=colour, linewidth=2)
        ax.scatter(100 * moves["moves"][rows], places[rows], color=colour, s=40, zorder=3)
    ax.axvline(0, color=INK, linewidth=1)
    ax.set(yticks=places, xlabel="change of the gain over the dial's range, points")
    ax.set_yticklabels([WORDS.get(str(name), str(name).replace("_", " ")) for name in moves.index])
    ax.grid(False, axis="y")
    style.finding(ax, title, measure)


def promise_lines(tenths: pd.DataFrame) -> None:
    """Draw promised against true uplift by tenth of a score.

    Parameters
    ----------
    tenths : pandas.DataFrame
        Index 1 (best) to 10; ``promised`` and ``true``, shares.
    """
    _, ax = plt.subplots()
    for name, kind in (("promised", "naive"), ("true", "truth")):
        ax.plot(tenths.index, 100 * tenths[name], marker="o", label=name, **stroke(kind))
    ax.axhline(0, color=INK, linewidth=1)
    ax.set(xticks=tenths.index, xlabel="tenth of the base, best score first", ylabel="uplift, points of retention")
    label_lines(ax)
    times = tenths["promised"].iloc[0] / tenths["true"].iloc[0]
    style.finding(
        ax,
        f"The best tenth was promised {times:.0f} times what a call does there",
        "mean uplift of today's subscribers by tenth of the T-learner's score",
    )


def list_dots(table: pd.DataFrame, title: str, measure: str) -> None:
    """Draw what each list captures, with a line from its low to its high where the table has them.

    Parameters
    ----------
    table : pandas.DataFrame
        Index the lists, best last; ``captured`` and, if known, ``low`` and ``high``.
    title, measure : str
    """
    _, ax = plt.subplots()
    places = np.arange(len(table))
    colours = [NAIVE if "risk" in name else ADVISED if "uplift" in name else FIFTH for name in table.index]
    if {"low", "high"} <= set(table):
        ax.hlines(places, table["low"], table["high"], colors=colours, linewidth=2)
    ax.scatter(table["captured"], places, color=colours, s=40, zorder=3)
    ax.axvline(0, color=INK, linewidth=1)
    ax.set(yticks=places, xlabel="share of the best list's dollars")
    ax.set_yticklabels(table.index)
    ax.grid(False, axis="y")
    style.percent_axis(ax, "x")
    style.finding(ax, title, measure)


def effect_by_day(read: pd.DataFrame, true: Mapping[int, float]) -> None:
    """Draw the effect of a test on retention by day, its interval, and the truth.

    Parameters
    ----------
    read : pandas.DataFrame
        Rows "retention" of :func:`casebook.churn.abtest.read_test`.
    true : mapping of int to float
        Day -> true effect, a share.
    """
    _, ax = plt.subplots()
    days = read["horizon"].to_numpy(float)
    ax.errorbar(
        days, 100 * read["estimate"], 100 * np.array([read["estimate"] - read["low"], read["high"] - read["estimate"]]),
        color=ADVISED, marker="o", capsize=4, linewidth=2, label="measured",
    )  # fmt: skip
    ax.plot(list(true), 100 * np.array(list(true.values())), label="truth", **stroke("truth"))
    ax.axhline(0, color=INK, linewidth=1)
    ax.set(xlabel="days after the call", ylabel="called less held back, points", xticks=days)
    label_lines(ax)
    style.finding(
        ax, "What the test of the list saw, and what was there", "one run; lines: 95% intervals, companies as clusters"
    )
