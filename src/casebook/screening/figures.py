"""Chapter 3's figures: each takes a computed table and draws it on a figure of its own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from casebook import style
from casebook.colours import ADVISED, ADVISED_FILL, INK, NAIVE, NAIVE_FILL, stroke
from casebook.decisions import Envelope
from casebook.line_labels import label_lines


def money_by_threshold(parts: pd.DataFrame, marks: Mapping[str, float]) -> None:
    """Draw the two parts of the bill, stacked, against the threshold, with named thresholds marked.

    Parameters
    ----------
    parts : pandas.DataFrame
        As :func:`casebook.decisions.where_money_goes` returns it.
    marks : mapping of str to float
        Thresholds to mark, by name.
    """
    _, ax = plt.subplots()
    at = parts["threshold"]
    ax.stackplot(at, parts["cost_fp_part"], parts["cost_fn_part"], colors=[ADVISED_FILL, NAIVE_FILL])
    for words, where in marks.items():
        ax.axvline(where, color=INK, linestyle="--", linewidth=1.5)
        ax.annotate(
            words, (where, parts["total"].max()), xytext=(-5, -4), textcoords="offset points", ha="right", va="top"
        )
    ax.text(at.iloc[0] * 1.2, parts["cost_fp_part"].iloc[0] * 0.2, "false alarms")
    ax.text(at.iloc[-1] * 0.07, parts["cost_fn_part"].iloc[-1] * 0.3, "misses")
    ax.set(xscale="log", xlabel="threshold on p (log scale)", ylabel="bill on the validation orders")
    style.number_axis(ax, "x")
    style.money_axis(ax)
    style.finding(ax, "Where the money goes as the threshold moves", "two kinds of mistake, stacked, validation orders")


def action_lines(actions: pd.DataFrame, envelope: Envelope, p: np.ndarray) -> None:
    """Draw the expected cost of up to four actions against p, with the envelope's cuts dotted."""
    _, ax = plt.subplots()
    for name, look in zip(actions.index, ("naive", "third", "fifth", "advised"), strict=True):
        cost = (1 - p) * actions.loc[name, "if_negative"] + p * actions.loc[name, "if_positive"]
        ax.plot(p, cost, label=name, **stroke(look))
    ax.set(xscale="log", yscale="log", xlabel="probability that the order is bad", ylabel="expected cost per order")
    style.number_axis(ax, "x")
    style.money_axis(ax)
    label_lines(ax)
    for cut in envelope.cuts:
        ax.axvline(cut, color=INK, linewidth=1, linestyle=":")
    style.finding(ax, "The lowest line is the policy", "expected dollars per order by action, log scales, cuts dotted")


def reliability_lines(tables: Mapping[str, pd.DataFrame]) -> None:
    """Draw observed against predicted rates of two scores, the first advised, the second naive."""
    _, ax = plt.subplots()
    for (name, bins), look in zip(tables.items(), ("advised", "naive"), strict=True):
        seen = bins[bins["observed"] > 0]
        ax.plot(seen["mean_p"], seen["observed"], marker="o", **stroke(look))
        last = seen.iloc[-1]
        ha, shift = ("right", (-8, 8)) if look == "advised" else ("left", (10, -3))
        ax.annotate(name, (last["mean_p"], last["observed"]), xytext=shift, textcoords="offset points", ha=ha)
    ax.plot([1e-4, 1], [1e-4, 1], **stroke("truth"))
    ax.set(xscale="log", yscale="log", xlim=(1e-4, 1), ylim=(1e-4, 1), xlabel="predicted p", ylabel="observed rate")
    style.number_axis(ax, "x")
    style.number_axis(ax, "y")
    style.finding(ax, "Does p mean what it says?", "observed rate by predicted p, twelve bins of equal size")


def correction_scatter(worlds: pd.DataFrame) -> None:
    """Draw what correcting the odds gained in each world, by the share of the move that other cases explain."""
    _, ax = plt.subplots()
    gain = worlds["gain_of_correction"]
    size = 8 + 40 * np.log(worlds["drift"]).abs()
    for keep, colour in ((gain >= 0, ADVISED), (gain < 0, NAIVE)):
        ax.scatter(worlds.loc[keep, "other_cases"], gain[keep], s=size[keep], color=colour, alpha=0.8, linewidth=0)
    ax.axhline(0, color=INK, linewidth=1)
    ax.set(xlabel="share of the move that other cases explain", ylabel="gain of correcting")
    style.finding(
        ax, "What correcting the odds gains, by why the rate moved",
        "share of the oracle's gain; one dot a drawn world, larger where the rate moved more",
    )  # fmt: skip


def cost_curve_lines(curve: pd.DataFrame, here: float) -> None:
    """Draw a cost curve below the two trivial policies, with this desk's place dotted."""
    _, ax = plt.subplots()
    trivial = curve[["act_on_none", "act_on_all"]].min(axis=1)
    ax.plot(curve["probability_cost"], trivial, **stroke("naive"))
    ax.plot(curve["probability_cost"], curve["model"], **stroke("advised"))
    for y, words in ((trivial, "best without a model"), (curve["model"], "model")):
        ax.annotate(words, (0.7, y.iloc[int(0.7 * (len(y) - 1))]), xytext=(6, 4), textcoords="offset points")
    ax.axvline(here, color=INK, linestyle=":")
    ax.annotate("this desk", (here, 0.02), xytext=(4, 0), textcoords="offset points")
    ax.set(xlabel="probability-cost of a miss", ylabel="normalised expected cost", xlim=(0, 1), ylim=(0, None))
    style.finding(ax, "What the model leaves to pay at every price", "lower envelope over all cuts, validation orders")


def flip_heat(cells: pd.DataFrame) -> None:
    """Draw a flip map of cost ratio (across) and stretch (up) with mean gain and worlds written into each cell."""
    grid = cells.pivot(index="stretch", columns="ratio", values="mean")
    counts = cells.pivot(index="stretch", columns="ratio", values="n").to_numpy()
    rows, columns = grid.shape
    _, ax = plt.subplots()
    ax.pcolormesh(range(columns + 1), range(rows + 1), grid, cmap="RdBu", vmin=-1.6, vmax=1.6)
    for (row, column), value in np.ndenumerate(grid.to_numpy()):
        words = f"{value:+.2f}\nn={counts[row, column]}"
        ax.text(column + 0.5, row + 0.5, words, ha="center", va="center", fontsize=8.5, color=INK)
    ax.set(xticks=np.arange(columns) + 0.5, yticks=np.arange(rows) + 0.5)
    ax.set_xticklabels([f"{ratio:.3g}" for ratio in grid.columns])
    ax.set_yticklabels([f"{stretch:.2g}" for stretch in grid.index])
    ax.set(xlabel="cost of a miss, in false alarms", ylabel="stretch of the log-odds")
    ax.grid(False)
    style.finding(
        ax,
        "Gain of the cost threshold over one half",
        "scores as delivered; share of the oracle's gain; n worlds a cell",
    )


def drift_lines(tenths: pd.DataFrame) -> None:
    """Draw the observed and the mean predicted share of subscribers by tenth of the calls."""
    _, ax = plt.subplots()
    ax.plot(tenths["tenth"], tenths["observed"], label="observed", **stroke("truth"))
    ax.plot(tenths["tenth"], tenths["predicted"], label="predicted", **stroke("naive"))
    ax.set(xlabel="tenth of the calls, in time", ylabel="share who subscribe", xticks=range(1, 11))
    style.percent_axis(ax)
    label_lines(ax)
    style.finding(
        ax,
        "The base rate did not stay where the model learnt it",
        "observed and mean predicted share, by tenth of calls",
    )
