"""Chapter 8's figures of the pitfalls: looks, rules for stopping, the unit of analysis, a ramp."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib import pyplot as plt

from casebook import style
from casebook.colours import ADVISED, INK, NAIVE
from casebook.line_labels import label_lines


def peeking_lines(rates: pd.DataFrame) -> None:
    """Draw the chance of a false star by number of looks: in theory, drawn, and as if looks were independent.

    Parameters
    ----------
    rates : pandas.DataFrame
        Index the looks, rising; columns ``theory``, ``drawn`` and ``independent``, shares.
    """
    _, ax = plt.subplots()
    looks = rates.index.to_numpy()
    ax.plot(looks, rates["independent"], **style.stroke("naive"), label="1 - 0.95^looks")
    ax.plot(looks, rates["theory"], **style.stroke("advised"), label="theory")
    ax.plot(looks, rates["drawn"], "o", color=INK, markersize=5)
    ax.axhline(0.05, **style.stroke("truth"), linewidth=1)
    ax.annotate("the 5% promised", (looks[-1], 0.05), xytext=(0, 3), textcoords="offset points", ha="right", color=INK)
    ax.set(xlabel="looks, equally spaced", ylabel="share of A/A tests with a star", ylim=(0, 0.55))
    style.percent_axis(ax)
    label_lines(ax)
    last = rates.iloc[-1]
    style.finding(
        ax,
        f"Stopping at the first star in {looks[-1]} looks: {last['theory']:.0%} false alarms in place of 5%",
        "nothing differs; each look at 5%; dots: drawn tests",
    )


def stopping_bars(rules: pd.DataFrame) -> None:
    """Draw what each rule for stopping needs for the same power: at most, on average, and if nothing differs.

    Parameters
    ----------
    rules : pandas.DataFrame
        Index the rules; columns ``at most``, ``if it works`` and ``if nothing``, in units of the fixed test.
    """
    _, ax = plt.subplots()
    up = np.arange(len(rules))[::-1]
    for column, colour, marker in (("if it works", ADVISED, "o"), ("if nothing", NAIVE, "s"), ("at most", INK, "|")):
        ax.plot(rules[column], up, marker, color=colour, markersize=11 if marker == "|" else 8, markeredgewidth=2)
        row = rules[column].iloc[-1]
        shift = -14 if column == "if nothing" else 14
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
        place: dict[str, Any] = {
            "bbox": ground,
            "textcoords": "offset points",
            "ha": "right" if column == "at most" else "center",
            "color": INK,
        }
        ax.annotate(column, (row, up[-1]), xytext=(0, shift), va="center", **place)
    ax.axvline(1, **style.stroke("truth"), linewidth=1)
    ax.set_yticks(up, list(rules.index))
    ax.set(xlabel="users, as a multiple of the fixed test's", ylim=(-0.7, len(rules) - 0.4))
    ax.set_xlim(left=0)
    most = rules["at most"]
    style.finding(
        ax,
        f"For the same power '{rules.index[-1]}' may need {most.iloc[-1]:.1f} times the users, "
        f"'{most.index[1]}' {most.iloc[1]:.2f} times",
        "power 80% for the planned effect; dashed: the fixed test",
    )


def p_histograms(p: Mapping[str, npt.ArrayLike], alpha: float = 0.05) -> None:
    """Draw the p-values of A/A splits by analysis; a right analysis gives a flat line.

    Parameters
    ----------
    p : mapping of str to array_like
        Two analyses, the naive one first.
    alpha : float
        Level, where the share below is written.
    """
    _, axes = plt.subplots(1, len(p), figsize=(7.2, 3.8), sharey=True)
    rates = []
    for ax, (name, values), colour in zip(axes, p.items(), (NAIVE, ADVISED), strict=True):
        found = np.asarray(values, dtype=float)
        rates.append(float((found < alpha).mean()))
        bins = np.linspace(0, 1, 21)
        ax.hist(found, bins, weights=np.full(len(found), 1 / len(found)), color=colour)
        ax.axhline(0.05, **style.stroke("truth"), linewidth=1)
        ax.set(title=name, xlabel="p-value")
    axes[0].set_ylabel("share of A/A splits")
    style.percent_axis(axes[0])
    style.finding(
        axes[0],
        f"p below {alpha:g} in {rates[0]:.0%} of A/A splits by impression, in {rates[1]:.0%} by user",
        "bars of 0.05; dashed: what a right analysis gives; control users split at random",
    )


def ramp_lines(by_day: pd.DataFrame, pooled: float, within: float) -> None:
    """Draw both arms' daily means and how the ramp weighs the days.

    Parameters
    ----------
    by_day : pandas.DataFrame
        Index the day; columns ``new`` and ``control`` (minutes a user), ``new_users`` and ``control_users``.
    pooled, within : float
        The lift of all user-days thrown together, and of days compared with themselves.
    """
    _, axes = plt.subplots(1, 2, figsize=(7.2, 3.8))
    day = by_day.index.to_numpy()
    for name, look in (("control", "naive"), ("new", "advised")):
        axes[0].plot(day, by_day[name], **style.stroke(look), label=name)
        axes[1].plot(day, by_day[f"{name}_users"], **style.stroke(look), label=name)
    axes[0].set(title="minutes a user", xlabel="day of the test")
    axes[1].set(title="users in the arm", xlabel="day of the test", ylim=(0, None))
    style.count_axis(axes[1])
    for ax in axes:
        label_lines(ax)
    style.finding(
        axes[0],
        f"Thrown together {pooled:+.1%}, within days {within:+.1%}: the new arm's days are mostly a weekend",
        "a week's test whose new arm is opened to all its users on Saturday",
    )
