"""Chapter 4's figures of framing: risk against what a call changes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from casebook import style
from casebook.churn.evaluate import Worth, call_top
from casebook.colours import ADVISED, FIFTH, INK, NAIVE, THIRD

DOTS = 1_200  # drawn of each kind at most; more only make the picture heavy


def risk_against_uplift(worth: Worth, calls: int, rng: np.random.Generator) -> None:
    """Draw subscribers by risk and by uplift, and who is on which of the two lists of the same length.

    Parameters
    ----------
    worth : Worth
    calls : int
        Length of either list.
    rng : numpy.random.Generator
        Chooses the dots where there are more than ``DOTS`` of a kind.
    """
    risky, moved = call_top(worth.p, calls), call_top(worth.uplift, calls, least=0.0)
    _, ax = plt.subplots()
    kinds = (
        (~risky & ~moved, FIFTH, "."),
        (risky & ~moved, NAIVE, "o"),
        (moved & ~risky, ADVISED, "o"),
        (risky & moved, THIRD, "s"),
    )
    for rows, colour, marker in kinds:
        _dots(ax, rows, worth, rng, color=colour, marker=marker)
    _cut_lines(ax, worth, risky, moved)
    ax.set(xscale="log", xlabel="chance of leaving next month without a call (log scale)", ylabel="uplift of a call")
    style.percent_axis(ax, "x")
    style.percent_axis(ax, "y")
    both = (risky & moved).sum() / max(risky.sum(), 1)
    style.finding(
        ax,
        f"{both:.0%} of the riskiest are also among those whom a call changes most",
        "true risk and true uplift of subscribers with a bill next month; dashed: where each list ends",
    )


def _dots(
    ax: Axes, rows: npt.NDArray[np.bool_], worth: Worth, rng: np.random.Generator, color: str, marker: str
) -> None:
    drawn = np.flatnonzero(rows & (worth.p > 0))
    if len(drawn) > DOTS:
        drawn = rng.choice(drawn, DOTS, replace=False)
    ax.scatter(worth.p[drawn], worth.uplift[drawn], s=9, alpha=0.6, linewidth=0, color=color, marker=marker)


def _cut_lines(ax: Axes, worth: Worth, risky: npt.NDArray[np.bool_], moved: npt.NDArray[np.bool_]) -> None:
    least_risk, least_uplift = float(worth.p[risky].min()), float(worth.uplift[moved].min())
    ax.axvline(least_risk, color=INK, linestyle="--", linewidth=1)
    ax.axhline(least_uplift, color=INK, linestyle="--", linewidth=1)
    low, high = ax.get_ylim()
    ax.set_ylim(low - 0.12 * (high - low), high + 0.12 * (high - low))  # room for the words
    low, high = ax.get_ylim()
    for words, across, up, shift, ha in (
        ("uplift list only", least_risk, high, (-5, -4), "right"),
        ("on both lists", least_risk, high, (5, -4), "left"),
        ("risk list only", least_risk, low, (5, 4), "left"),
    ):
        va = "top" if up == high else "bottom"
        ax.annotate(words, (across, up), xytext=shift, textcoords="offset points", ha=ha, va=va, color=INK)
