"""Chapter 8's figures of the first reading: counts, lost units, wins by size, guardrails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from casebook import style
from casebook.colours import ADVISED, INK, NAIVE, SUBTLE
from casebook.experiments import srm_n, srm_power

# How far along the axis, from 0 to 1, each rule's name stands on its line.
_NAMED_AT = {
    "false_veto": {"estimate": 0.13, "significant": 0.82, "broken": 0.2, "not held": 0.5},
    "missed": {"estimate": 0.13, "significant": 0.2, "broken": 0.48, "not held": 0.75},
}
_RULES = {"estimate": "naive", "significant": "fourth", "broken": "third", "not held": "advised"}


def srm_by_size(seen: npt.ArrayLike, planned: npt.ArrayLike, users: npt.ArrayLike, alpha: float = 0.01) -> None:
    """Draw the chance that the counts alarm, by users in all arms, for shares that are truly off by so much.

    Parameters
    ----------
    seen, planned : array_like, shape (arms,)
        Shares as they come and as they were designed.
    users : array_like, shape (k,)
        Sizes, rising.
    alpha : float
        Alarm level.
    """
    sizes = np.asarray(users, dtype=float)
    _, ax = plt.subplots()
    ax.plot(sizes, [srm_power(seen, planned, n, alpha) for n in sizes], **style.stroke("advised"))
    first, sure = srm_n(seen, planned, alpha), srm_n(seen, planned, alpha, power=0.8)
    for n, words, ha, shift, up in (
        (first, "these very shares\nreach the level", "right", -6, 0.98),
        (sure, "found in 80%", "left", 6, 0.4),
    ):
        ax.axvline(n, color=INK, linestyle=":", linewidth=1)
        place: dict[str, Any] = {"textcoords": "offset points", "ha": ha, "va": "top", "color": INK}
        ax.annotate(f"{words}\n{n:,}", (n, up), xytext=(shift, 0), **place)
    ax.set(xscale="log", xlabel="users in all arms (log scale)", ylabel=f"chance that p < {alpha:g}", ylim=(0, 1.02))
    style.count_axis(ax, "x")
    style.percent_axis(ax)
    words = " / ".join(f"{100 * share:g}" for share in np.asarray(seen, dtype=float))
    low, high = (srm_power(seen, planned, sizes[place], alpha) for place in (0, -1))
    style.finding(
        ax,
        f"{words}: {low:.0%} of such tests alarm at {sizes[0]:,.0f} users, {high:.0%} at {sizes[-1]:,.0f}",
        "chance of a sample ratio alarm; planned split "
        + " / ".join(f"{100 * share:g}" for share in np.asarray(planned, dtype=float)),
    )


def loss_dots(light: Mapping[str, float], heavy: Mapping[str, float]) -> None:
    """Draw what each reading of a test that lost units aims at, for two kinds of lost users.

    Parameters
    ----------
    light, heavy : mapping of str to float
        Relative effects by reading, as ``loss_readings`` gives them, where light or heavy users are lost.
    """
    readings = [name for name in light.keys() if name != "ranker"]  # noqa: SIM118 (a Series iterates over values)
    up = np.arange(len(readings))[::-1]
    _, ax = plt.subplots(figsize=(6.4, 3.8))
    truth = float(light["ranker"])
    ax.axvline(0, color=SUBTLE, linewidth=0.8)
    ax.axvline(truth, **style.stroke("truth"), linewidth=1.2)
    for found, colour, marker, shift in ((light, NAIVE, "o", 0.12), (heavy, ADVISED, "s", -0.12)):
        ax.plot([found[name] for name in readings], up + shift, marker, color=colour, markersize=7)
    ax.set_yticks(up, readings)
    ax.set(xlabel="relative effect on minutes", ylim=(-0.6, len(readings)))
    ax.margins(x=0.16)
    near: dict[str, Any] = {"textcoords": "offset points", "va": "center", "color": INK}
    ax.annotate(f"the ranker: {truth:+.1%}", (truth, len(readings) - 0.3), xytext=(4, 0), **near)
    row = "weighted by phone"
    ends = sorted(((light[row], "light"), (heavy[row], "heavy")))
    for (value, who), ha, shift in zip(ends, ("right", "left"), (-14, 8), strict=True):
        place = value, up[readings.index(row)]
        ax.annotate(f"{who} users\ncrash most", place, xytext=(shift, 0), ha=ha, **near)
    style.percent_axis(ax, "x")
    style.finding(ax, _loss_title(light, heavy), "expected value of each reading, luck left out")


def _loss_title(light: Mapping[str, float], heavy: Mapping[str, float]) -> str:
    pairs = (f"{found['as logged']:+.1%}, brings {found['launched as tested']:+.1%}" for found in (light, heavy))
    return "The log promises " + "; the other promises ".join(pairs)


def win_lines(by_size: pd.DataFrame, type_1: Mapping[int, float], effect: float) -> None:
    """Draw power, the false share of wins and the type I error by users in an arm.

    Parameters
    ----------
    by_size : pandas.DataFrame
        As ``programme_wins.by_size`` gives it, sizes rising.
    type_1 : mapping of int to float
        Share of A/A splits with p < 0.05, by users in an arm.
    effect : float
        The true relative effect that the power is for.
    """
    _, ax = plt.subplots()
    users = by_size["users"].to_numpy()
    ax.plot(users, by_size["power"], **style.stroke("advised"), label="power")
    ax.plot(users, by_size["false"], **style.stroke("naive"), label="false\namong wins")
    ax.axhline(0.05, **style.stroke("truth"), linewidth=1)
    sizes = np.array(list(type_1))
    ax.plot(sizes, list(type_1.values()), "o", color=INK, markersize=6)
    ax.annotate("type I error", (users[-1], 0.05), xytext=(0, 3), textcoords="offset points", ha="right", color=INK)
    ax.set(xscale="log", xlabel="users in each of the two arms (log scale)", ylabel="share of tests", ylim=(0, 1.03))
    style.count_axis(ax, "x")
    style.percent_axis(ax)
    style.label_lines(ax)
    first, last = by_size.iloc[0], by_size.iloc[-1]
    style.finding(
        ax,
        f"From {first['users']:,.0f} to {last['users']:,.0f} users an arm the false share of wins goes from "
        f"{first['false']:.0%} to {last['false']:.0%}",
        f"programme's prior; power for a true effect of {effect:+.0%}; dots: A/A splits of this feed's users",
    )


def veto_lines(vetoes: pd.DataFrame, here: float, harm: str) -> None:
    """Draw harmless launches stopped and harm let through, by users in an arm and rule.

    Parameters
    ----------
    vetoes : pandas.DataFrame
        Index of ``users`` and ``rule``; columns ``false_veto`` and ``missed``.
    here : float
        Users in an arm of the test at hand.
    harm : str
        The harm of the right-hand panel, in words.
    """
    _, axes = plt.subplots(1, 2, figsize=(7.2, 4.0), sharey=True)
    for ax, column, words in zip(
        axes, ("false_veto", "missed"), ("harmless, stopped", "harmful, let through"), strict=True
    ):
        _rule_lines(ax, vetoes[column].unstack("rule"), here, _NAMED_AT[column])
        ax.set(title=words, xlabel="users in each arm (log scale)")
    axes[0].set(ylabel="share of launches", ylim=(-0.02, 1.02))
    style.percent_axis(axes[0])
    at = vetoes.xs(min(vetoes.index.unique("users"), key=lambda n: abs(n - here)), level="users")
    strict, plain = at.loc["not held"], at.loc["estimate"]
    style.finding(
        axes[0],
        f"Here 'not held' stops {strict['false_veto']:.0%} of the harmless; "
        f"'estimate' lets {plain['missed']:.0%} of the harm through",
        f"harmless: no guardrail moves; harmful: {harm}; dotted: this test",
    )


def _rule_lines(ax: Axes, by_rule: pd.DataFrame, here: float, named_at: Mapping[str, float]) -> None:
    users = by_rule.index.to_numpy(dtype=float)
    for rule, meaning in _RULES.items():
        ax.plot(users, by_rule[rule], **style.stroke(meaning))
        spot = round(named_at[rule] * (len(users) - 1))
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        ax.text(users[spot], by_rule[rule].iloc[spot], rule, ha="center", va="center", color=INK, bbox=ground)
    ax.axvline(here, color=INK, linestyle=":", linewidth=1)
    ax.set(xscale="log")
    style.count_axis(ax, "x")
