"""Figures of chapter 7's deeper page: kinds of series, a week's paths, and what holds at which level of a hierarchy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from casebook import style
from casebook.colours import ADVISED, ADVISED_FILL, FOURTH, INK, NAIVE, SUBTLE, THIRD
from casebook.demand.croston import ADI_CUT, CV2_CUT

_COLOURS = (THIRD, NAIVE, FOURTH, ADVISED, SUBTLE)


def kinds_plot(kinds: pd.DataFrame, title: str) -> None:
    """Draw each series by how rarely it sells and how much the sizes of its sales vary, with the customary cuts.

    Parameters
    ----------
    kinds : pandas.DataFrame
        From :func:`casebook.demand.croston.classify_series`; series that never sold are left out.
    title : str
    """
    _, ax = plt.subplots(figsize=(6.4, 4.0))
    sold = kinds[kinds["kind"] != "none"]
    ax.scatter(sold["adi"], sold["cv2"], s=18, color=ADVISED, alpha=0.6, linewidth=0)
    ax.axvline(ADI_CUT, color=SUBTLE, linewidth=1)
    ax.axhline(CV2_CUT, color=SUBTLE, linewidth=1)
    ax.set(xscale="log", xlabel="days per day with a sale", ylabel="squared variation of the sizes")
    ticks = [tick for tick in (1, 1.5, 2, 3, 5, 10, 20) if tick <= sold["adi"].max() * 1.1]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    for words, x, y, ha, va in (
        *(("smooth", 0.02, 0.02, "left", "bottom"), ("erratic", 0.02, 0.98, "left", "top")),
        *(("intermittent", 0.98, 0.02, "right", "bottom"), ("lumpy", 0.98, 0.98, "right", "top")),
    ):
        ax.annotate(words, (x, y), xycoords="axes fraction", color=SUBTLE, ha=ha, va=va)
    style.finding(ax, title, "a dot a series; lines are the customary cuts")


def week_fan(
    origins: Sequence[int], sums: npt.NDArray[np.int64], came: Sequence[float], daily: Sequence[float]
) -> None:
    """Draw the paths' sums of one cell's weeks beside what came and beside the sum of the daily quantiles.

    Parameters
    ----------
    origins : sequence of int, length k
    sums : array of int, shape (k, draws)
        Units of the week in each path.
    came : sequence of float, length k
    daily : sequence of float, length k
        The sum of each week's daily quantiles.
    """
    _, ax = plt.subplots(figsize=(7.6, 4.0))
    place = np.arange(len(origins))
    low, middle, high = np.quantile(sums, [0.1, 0.5, 0.9], axis=1)
    ax.vlines(place, low, high, color=ADVISED_FILL, linewidth=9, label="paths, 10% to 90%")
    ax.plot(place, middle, "_", color=ADVISED, markersize=12, markeredgewidth=2, label="their median")
    ax.plot(place, daily, "v", color=NAIVE, label="daily quantiles, summed")
    ax.plot(place, came, "o", color=INK, label="came")
    ax.set_xticks(place, [f"{at}" for at in origins])
    ax.set(xlabel="origin, a Sunday (day)", ylabel="units of the week")
    ax.set_ylim(bottom=0)
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    inside = int(((np.asarray(came) >= low) & (np.asarray(came) <= high)).sum())
    title = f"The paths' week holds what came in {inside} of {len(origins)} weeks"
    style.finding(ax, title, "one product in one store; an eighty percent interval")


def level_changes(tables: Mapping[str, pd.DataFrame], title: str, subtitle: str) -> None:
    """Draw by level how far each way's error is from the base forecasts', one panel a kind of leaves.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        A panel's words -> one row a way, one column a level from the top, change of the error as a share.
    title, subtitle : str
    """
    _, axes = plt.subplots(1, len(tables), sharey=True, figsize=(9.4, 4.0), squeeze=False)
    for ax, (words, table) in zip(axes[0], tables.items(), strict=True):
        _lines(ax, table)
        ax.axhline(0, color=INK, linewidth=0.8)
        ax.annotate(words, (0.5, 1.02), xycoords="axes fraction", ha="center", color=INK)
        style.percent_axis(ax)
    axes[0, 0].set(ylabel="error against the base forecasts'")
    _legend(axes[0, -1], list(tables[next(iter(tables))].index))
    style.finding(axes[0, 0], title, subtitle)


def coverage_by_level(table: pd.DataFrame, target: float, title: str, subtitle: str) -> None:
    """Draw by level how often the truth lies within each way's interval.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a way, one column a level from the top; shares.
    target : float
        What the interval promises.
    title, subtitle : str
    """
    _, ax = plt.subplots(figsize=(7.2, 4.0))
    _lines(ax, table)
    ax.axhline(target, color=INK, linewidth=0.8)
    ax.annotate("promised", (0, target), (0, 3), textcoords="offset points", color=INK)
    ax.set(ylabel="truth within the interval", ylim=(0, 1.02))
    style.percent_axis(ax)
    _legend(ax, list(table.index))
    style.finding(ax, title, subtitle)


def _lines(ax: Axes, table: pd.DataFrame) -> None:
    place = np.arange(table.shape[1])
    for (_, row), colour, mark in zip(table.iterrows(), _COLOURS, "os^vD", strict=False):
        ax.plot(place, row.to_numpy(dtype=float), "-", marker=mark, markersize=5, color=colour)
    ax.set_xticks(place, [str(level).replace(" x ", "\nx ") for level in table.columns], fontsize=9)
    ax.set(xlim=(-0.3, table.shape[1] - 0.7))


def _legend(ax: Axes, words: Sequence[str]) -> None:
    for line, word in zip(ax.lines, words, strict=False):
        line.set_label(word)
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
