"""Chapter 4's figures of data, features and models: each takes a computed table and draws it on a figure of its own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from casebook import style
from casebook.colours import ADVISED, FIFTH, INK, NAIVE, stroke

WORDS = {
    "calendar": "calendar of renewals",
    "engagement_recent": "engagement, recent",
    "engagement_long": "engagement, long-term",
    "asked and called": "surveys, e-mails, our calls",
}
ROWS = (2_000, 5_000, 10_000, 20_000, 50_000)
BINS = 6  # of a dial, for the line through the dots
HALF = 0.5  # of the variance of risk


def ablation_dots(table: pd.DataFrame, population: str) -> None:
    """Draw the AUC lost without each category of features, with its interval, the dearest on top.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`casebook.churn.models.ablation`.
    population : str
        Whom the test month holds, for the subtitle.
    """
    lost = table[table["kept"] == "all but"].sort_values("auc_lost", ignore_index=True)
    names = [WORDS.get(name, name) for name in lost["category"]]
    _, ax = plt.subplots()
    places = np.arange(len(lost))
    colours = np.where(lost["category"] == "trajectory", ADVISED, FIFTH).tolist()
    ax.hlines(places, lost["auc_lost_low"], lost["auc_lost_high"], colors=colours, linewidth=2)
    ax.scatter(lost["auc_lost"], places, color=colours, s=36, zorder=3)
    ax.axvline(0, color=INK, linewidth=1)
    ax.set(yticks=places, xlabel="AUC lost when the category is left out")
    ax.set_yticklabels(names)
    ax.grid(False, axis="y")
    first, trajectory = lost.iloc[-1], lost[lost["category"] == "trajectory"].iloc[0]
    style.finding(
        ax,
        f"Without the {names[-1]} AUC loses {first['auc_lost']:.3f}, without trajectory {trajectory['auc_lost']:.3f}",
        f"{population}; lines: 95% intervals over companies",
    )


def lost_by_changing(worlds: pd.DataFrame) -> None:
    """Draw the AUC that goes with the trajectory features in each drawn company, by how much of its risk changes.

    Parameters
    ----------
    worlds : pandas.DataFrame
        Rows of the study ``04_trajectory``: ``changing`` and ``lost_trajectory``.
    """
    dial, lost = worlds["changing"], worlds["lost_trajectory"]
    _, ax = plt.subplots()
    ax.scatter(dial, lost, s=14, color=ADVISED, alpha=0.6, linewidth=0)
    bins = worlds.groupby(pd.qcut(dial, BINS), observed=True)[["changing", "lost_trajectory"]].mean()
    ax.plot(bins["changing"], bins["lost_trajectory"], **stroke("truth"))
    ax.axhline(0, color=INK, linewidth=1)
    ax.set(xlabel="share of risk that changes from month to month", ylabel="AUC lost without trajectory")
    style.percent_axis(ax, "x")
    steady = dial < HALF
    style.finding(
        ax,
        f"Trajectory is worth {lost[steady].mean():.3f} of AUC where less than half of risk changes, "
        f"{lost[~steady].mean():.3f} where more does",
        f"{len(worlds)} drawn companies, one dot each; dashed: means of {BINS} groups of equal size",
    )


def reliability_curves(tables: Mapping[str, pd.DataFrame]) -> None:
    """Draw observed against predicted rates of up to three scores: the first advised, the second naive, the third grey.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        From :func:`casebook.decisions.reliability`, by the name of the score.
    """
    _, ax = plt.subplots()
    top = max(float(bins[["mean_p", "observed"]].to_numpy().max()) for bins in tables.values()) * 1.08
    for (name, bins), look in zip(tables.items(), ("advised", "naive", "fifth"), strict=False):
        across, up = bins["mean_p"], bins["observed"]
        ax.vlines(across, bins["low"], bins["high"], color=stroke(look)["color"], linewidth=1)
        ax.plot(across, up, marker="o", markersize=4, **stroke(look))
        ax.annotate(
            name, (across.iloc[-1], up.iloc[-1]), xytext=(-6, 9), textcoords="offset points", ha="right", va="bottom"
        )
    ax.plot([0, top], [0, top], **stroke("truth"))
    ax.set(xlim=(0, top), ylim=(0, top), xlabel="predicted chance of leaving", ylabel="share who left")
    style.percent_axis(ax, "x")
    style.percent_axis(ax, "y")
    errors = {
        name: float(np.average(np.abs(bins["mean_p"] - bins["observed"]), weights=bins["n"]))
        for name, bins in tables.items()
    }
    said = " and ".join(f"{100 * error:.1f} points ({name})" for name, error in errors.items())
    style.finding(ax, f"Off the diagonal by {said}, on average", "bins of equal size; lines: 95% intervals")


def gain_by_rows(worlds: pd.DataFrame, model: str, rival: str) -> None:
    """Draw what one model's risk list captures above another's in each drawn company, by rows to learn from.

    Parameters
    ----------
    worlds : pandas.DataFrame
        Rows of the study ``04_models``: ``rows`` and ``saved_*``.
    model, rival : str
        Names behind ``saved_``.
    """
    gain = worlds[f"saved_{model}"] - worlds[f"saved_{rival}"]
    _, ax = plt.subplots()
    ax.scatter(worlds["rows"], gain, s=14, color=np.where(gain > 0, ADVISED, NAIVE), alpha=0.6, linewidth=0)
    groups = gain.groupby(pd.qcut(worlds["rows"], BINS))
    ax.plot(worlds["rows"].groupby(pd.qcut(worlds["rows"], BINS)).median(), groups.mean(), **stroke("truth"))
    ax.axhline(0, color=INK, linewidth=1)
    ax.set(xscale="log", xlabel="rows to learn from (log scale)", ylabel=f"{model} less {rival}, captured")
    ax.set_xticks([rows for rows in ROWS if worlds["rows"].min() <= rows <= worlds["rows"].max()])
    style.count_axis(ax, "x")
    style.percent_axis(ax)
    means = groups.mean().iloc[[0, -1]]
    style.finding(
        ax,
        f"{model.capitalize()} less {rival}: {100 * means.iloc[0]:+.1f} points on the fewest rows, "
        f"{100 * means.iloc[1]:+.1f} on the most",
        f"captured of the best list's dollars; {len(worlds)} drawn companies, dashed: means",
    )
