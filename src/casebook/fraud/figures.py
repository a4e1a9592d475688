"""Figures of chapter 5: what a ratio rewards, where cuts lie by amount, and what each policy costs."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from casebook import style
from casebook.colours import ADVISED, ADVISED_FILL, INK, NAIVE, NAIVE_FILL, SUBTLE


def ratio_against_savings(lines: pd.DataFrame) -> None:
    """Draw the source's ratio beside what is saved, cut by cut.

    Parameters
    ----------
    lines : pandas.DataFrame
        From :func:`casebook.fraud.money.frontier`: ``cut``, ``ratio``, ``saved``.
    """
    _, (left, right) = plt.subplots(1, 2, sharey=True, figsize=(7.2, 3.2))
    place = np.arange(len(lines))[::-1]
    words = [f"{cut:g}" for cut in lines["cut"]]
    left.barh(place, lines["ratio"], color=NAIVE_FILL)
    right.barh(place, lines["saved"], color=ADVISED_FILL)
    for ax in (left, right):
        ax.grid(visible=False, axis="y")
    left.set(xlabel="fraud blocked per dollar of friction", ylabel="block from p =")
    left.set_yticks(place, words)
    right.set(xlabel="saved, dollars per million honest events")
    style.money_axis(right, "x")
    best, most = (lines["cut"].iloc[int(lines[name].argmax())] for name in ("ratio", "saved"))
    style.finding(left, f"The ratio is best at {best:g}, the money at {most:g}", "one cut, played in one bank")


def cuts_by_amount(dollars: Sequence[float], cuts: pd.DataFrame, fixed: dict[str, float]) -> None:
    """Draw the probability from which a payment is pushed, and blocked, by its amount.

    Parameters
    ----------
    dollars : sequence of float, length k
    cuts : pandas.DataFrame, shape (k, 2)
        ``push`` and ``block``, the lowest probability at which it is the cheapest action; missing where it never is.
    fixed : dict of str to float
        Cuts that do not depend on the amount, by their words.
    """
    _, ax = plt.subplots()
    for name, colour in (("push", ADVISED), ("block", INK)):
        ax.plot(dollars, cuts[name], color=colour)
        known = cuts[name].last_valid_index()
        if known is not None:
            at = (list(dollars)[list(cuts.index).index(known)], cuts[name].loc[known])
            ax.annotate(f"{name} from here", at, (-4, 9), textcoords="offset points", color=colour, ha="right")
    for words, value in fixed.items():
        ax.axhline(value, color=NAIVE, linestyle=":")
        place = (next(iter(dollars)), value)
        ax.annotate(words, place, (0, 3), textcoords="offset points", color=NAIVE)
    ax.set(xscale="log", yscale="log", xlabel="amount of the payment (log scale)", ylabel="probability of fraud (log)")
    style.money_axis(ax, "x")
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    style.finding(ax, _which_way(cuts), "cheapest action by amount and probability")


def _which_way(cuts: pd.DataFrame) -> str:
    """Say where asking and blocking begin sooner."""
    push, block = (cuts[name].dropna() for name in ("push", "block"))
    if push.is_monotonic_increasing and block.is_monotonic_decreasing:
        return "Small payments are asked about sooner, large ones blocked sooner"
    if push.is_monotonic_decreasing and block.is_monotonic_decreasing:
        return "The larger the payment, the less it takes to ask and to block"
    return "No cut fits all amounts"


def money_bars(table: pd.DataFrame) -> None:
    """Draw losses and friction of each policy.

    Parameters
    ----------
    table : pandas.DataFrame
        From :attr:`casebook.fraud.money.Ledger.table`: ``loss``, ``friction``, dollars per million honest events.
    """
    _, ax = plt.subplots(figsize=(7.2, 0.42 * len(table) + 1.2))
    place = np.arange(len(table))[::-1]
    ax.barh(place, table["loss"], color=NAIVE_FILL)
    ax.barh(place, table["friction"], left=table["loss"], color=ADVISED_FILL)
    ax.set_yticks(place, [str(name) for name in table.index])
    for row, (loss, friction) in zip(place, table[["loss", "friction"]].to_numpy(), strict=True):
        ax.annotate(f"${(loss + friction) / 1e3:,.0f}K", (loss + friction, row), (4, 0), textcoords="offset points",
                    va="center", color=SUBTLE)  # fmt: skip
    top = table.iloc[0]
    ax.annotate("stolen", (top["loss"] / 2, place[0]), ha="center", va="center", color=INK)
    last = int(np.argmax(table["friction"].to_numpy()))
    middle = table["loss"].iloc[last] + table["friction"].iloc[last] / 2
    ax.annotate("friction", (middle, place[last]), ha="center", va="center", color=INK)
    ax.set(
        xlabel="dollars per million honest events", xlim=(0, 1.15 * float((table["loss"] + table["friction"]).max()))
    )
    ax.grid(visible=False, axis="y")
    style.money_axis(ax, "x")
    best = (table["loss"] + table["friction"]).iloc[1:-1].idxmin()
    style.finding(ax, f"Least of what a bank can do here: {best}", "what is stolen plus what honest holders pay for it")
