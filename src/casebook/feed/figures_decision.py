"""Figures of chapter 8's decision."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from casebook import style
from casebook.colours import ADVISED, INK, NAIVE, SUBTLE


def two_bars(table: pd.DataFrame, cost: float) -> None:
    """Draw from which estimate on a test has its star, and from which on a launch pays, by users.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`casebook.feed.launch_bars.bars`.
    cost : float
        Of the launch, as a relative effect.
    """
    _, ax = plt.subplots()
    for name, colour, words, above in (("star", NAIVE, "p < 0.05", -1), ("value", ADVISED, "a launch pays", 1)):
        ax.plot(table["users"], table[name], color=colour)
        place = len(table) // (6 if above > 0 else 2)
        at = table.iloc[place]
        offset, side = ((6, 4), "left") if above > 0 else ((-6, -4), "right")
        ax.annotate(
            words, (at["users"], at[name]), offset, textcoords="offset points", color=colour, ha=side,
            va="bottom" if above > 0 else "top",
        )  # fmt: skip
    ax.axhline(cost, color=SUBTLE, linestyle=":")
    ax.annotate("the launch's cost", (table["users"].iloc[0], cost), (0, -4), textcoords="offset points", va="top")
    ax.set(xscale="log", yscale="log", xlabel="users in each arm", ylabel="estimate, share of minutes")
    style.count_axis(ax, "x")
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")
    first = table["star"] < table["value"].fillna(np.inf)
    if first.all():
        title = "At every size a star comes before a launch that pays"
    else:
        title = "Neither bar lies above the other at every size"
    style.finding(ax, title, "smallest estimate with a star, and smallest that pays; log scales")


def policy_dots(shares: pd.DataFrame, names: dict[str, str], tests: int) -> None:
    """Draw what each policy captured of the oracle's gains, with its interval.

    Parameters
    ----------
    shares : pandas.DataFrame
        From :func:`casebook.feed.launch_bars.captured_shares`.
    names : dict of str to str
        What to call each policy, in the order in which they are drawn from the top.
    tests : int
    """
    _, ax = plt.subplots()
    table = shares.loc[list(names)]
    place = np.arange(len(table))[::-1]
    low = np.maximum(table["low"], -1.0)
    ax.hlines(place, low, table["high"], color=ADVISED)
    ax.plot(np.maximum(table["captured"], -1.0), place, "o", color=ADVISED)
    for y, (value, least, most) in zip(place, table[["captured", "low", "high"]].to_numpy(), strict=True):
        drawn = " (drawn at -100%)" if value < -1 else ", interval cut at -100%" if least < -1 else ""
        words = f"{100 * value:.0f}%{drawn}"
        ax.annotate(words, (max(most, -1.0), y), (8, 0), textcoords="offset points", color=INK, va="center")
    ax.axvline(0, color=SUBTLE, linestyle=":")
    ax.set_yticks(place, list(names.values()))
    ax.set(ylim=(-0.6, len(table) - 0.3), xlabel=f"share of what the oracle earned, {tests} tests")
    style.percent_axis(ax, "x")
    style.finding(ax, "What a rule earns hangs on what it stops", "95% intervals over drawn tests")
