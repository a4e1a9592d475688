"""Chapter 4's figures of failure modes and of Hillstrom's trial: each takes a computed table and draws it by itself."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib import pyplot as plt

from casebook import style
from casebook.colours import ADVISED, FIFTH, INK, NAIVE, stroke
from casebook.contracts import refuse
from casebook.line_labels import label_lines

RHYTHMS = {"every month": "naive", "once a quarter": "advised", "once": "fifth"}
LOOKS = {"response": NAIVE, "risk": NAIVE, "random": FIFTH}  # any other score is a learner of uplift
NAMES = {
    "t": "T-learner",
    "s": "S-learner",
    "x": "X-learner",
    "dr": "DR-learner",
    "class_transformation": "class transformation",
    "forest": "uplift forest",
}


def tenure_lines(table: pd.DataFrame, truth: pd.DataFrame) -> None:
    """Draw the risk of leaving by month of tenure: counted naively, with late entry corrected, and true.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`casebook.churn.failures_survivors.tenure_hazard`.
    truth : pandas.DataFrame
        From :func:`casebook.churn.failures_survivors.true_hazard`, over the same months.
    """
    _, ax = plt.subplots()
    ax.plot(truth["month"], truth["hazard"], label="true, newcomers", **stroke("truth"))
    ax.plot(table["month"], table["hazard"], label="late entry corrected", **stroke("advised"))
    ax.plot(table["month"], table["naive"], label="as the table shows it", **stroke("naive"))
    ax.set(xlabel="month of tenure", ylabel="share that leaves in the month", ylim=(0, None), xticks=table["month"])
    style.percent_axis(ax)
    label_lines(ax)
    first = table.iloc[0]
    style.finding(
        ax,
        f"In the first month {first['hazard']:.1%} leave, and the naive count says {first['naive']:.1%}",
        "risk of leaving by month of tenure, two years of the warehouse",
    )


def rhythm_lines(table: pd.DataFrame, here: float) -> None:
    """Draw what each rhythm of calling earns against how much a call tires, with this world's tiredness dotted.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`casebook.churn.failures_attention.fatigue`, of one list.
    here : float
        ``World.fatigue``.
    """
    _, ax = plt.subplots()
    for name, look in RHYTHMS.items():
        rows = table[table["rhythm"] == name]
        ax.plot(rows["fatigue"], rows["earned"], label=name, **stroke(look))
    ax.axvline(here, color=INK, linestyle=":", linewidth=1)
    ax.annotate("this company", (here, 0), xytext=(4, 4), textcoords="offset points")
    ax.set(
        xlabel="what each recent call takes off the next one's effect",
        ylabel="dollars a list, within a year",
        ylim=(min(0.0, table["earned"].min()), None),
    )
    style.money_axis(ax)
    label_lines(ax)
    style.finding(ax, _best_rhythms(table), "one list called for half a year, by rhythm; same people, same luck")


def _best_rhythms(table: pd.DataFrame) -> str:
    """The finding in words: which rhythm is best at the least and at the most tiredness."""
    best = table.loc[table.groupby("fatigue")["earned"].idxmax()].sort_values("fatigue")["rhythm"]
    if best.nunique() == 1:
        return f"Calling {best.iloc[0]} is best at every tiredness drawn"
    return f"Calling {best.iloc[0]} is best where calls do not tire, {best.iloc[-1]} where they tire most"


def before_after_lines(months: pd.DataFrame) -> None:
    """Draw a list's churn by month, left alone and called, as a dashboard would after the calls.

    Parameters
    ----------
    months : pandas.DataFrame
        ``months`` of a :class:`casebook.churn.failures_causes.BeforeAfter`.
    """
    _, ax = plt.subplots()
    ax.plot(months["month"], months["called"], label="called", **stroke("advised"))
    ax.plot(months["month"], months["left_alone"], label="left alone", **stroke("truth"))
    ax.axvline(1, color=INK, linestyle=":", linewidth=1)
    ax.annotate("calls", (1, months["left_alone"].max()), xytext=(4, -4), textcoords="offset points", va="top")
    ax.set(xlabel="months since the list was drawn up", ylabel="share of the list that leaves", ylim=(0, None))
    ax.set_xticks(months["month"])
    style.percent_axis(ax)
    label_lines(ax)
    left, alone, called = (
        months[column].iloc[row] for column, row in (("left_alone", 0), ("left_alone", 1), ("called", 1))
    )
    style.finding(
        ax,
        f"Churn falls from {left:.1%} to {called:.1%}; with no calls it falls to {alone:.1%}",
        "expected churn of one list by month, among those still there",
    )


def qini_intervals(readings: Mapping[str, pd.DataFrame]) -> None:
    """Draw each ranking's Qini with its interval, one panel for each of two trials.

    Parameters
    ----------
    readings : mapping of str to pandas.DataFrame
        Trial in words, and per score ``qini``, ``low``, ``high``; the same scores in both.

    Raises
    ------
    ContractError
        Other than two trials.
    """
    if len(readings) != 2:
        refuse("readings", "of two trials", f"{len(readings)}", "pass one table for each of two e-mails")
    _, axes = plt.subplots(1, 2, sharex=True, sharey=True)
    for ax, (name, table) in zip(axes, readings.items(), strict=True):
        for place, (score, row) in enumerate(table.iloc[::-1].iterrows()):
            colour = LOOKS.get(str(score), ADVISED)
            ax.plot([row["low"], row["high"]], [place, place], color=colour, linestyle="-", linewidth=2)
            ax.plot(row["qini"], place, "o", color=colour)
        ax.axvline(0, color=INK, linewidth=1)
        ax.set(xlabel=f"Qini per customer, {name}", yticks=range(len(table)))
        ax.set_yticklabels([NAMES.get(str(score), str(score)) for score in table.index[::-1]])
        ax.grid(False, axis="y")
    best = {name: str(table["qini"].idxmax()) for name, table in readings.items()}
    style.finding(
        axes[0],
        "Highest Qini: " + ", ".join(f"{NAMES.get(score, score)} for {name}" for name, score in best.items()),
        "blue learns uplift, vermillion does not; lines: 95% intervals, of the ranking as fitted",
    )
