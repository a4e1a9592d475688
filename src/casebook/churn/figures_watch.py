"""Chapter 4's figures of watching: drift through a year, retraining against never, the precision of a worked list."""

from __future__ import annotations

import pandas as pd
from matplotlib import dates
from matplotlib import pyplot as plt

from casebook import style
from casebook.churn.changed import CUSTOM
from casebook.colours import INK, stroke
from casebook.line_labels import label_lines


def psi_year(weeks: pd.DataFrame) -> None:
    """Draw the PSI of each week, and the two lines at which one may be warned.

    Parameters
    ----------
    weeks : pandas.DataFrame
        From :func:`casebook.churn.watch.weekly_psi`.
    """
    _, ax = plt.subplots()
    ax.plot(weeks["week"], weeks["psi"], marker="o", markersize=3, **stroke("advised"))
    ax.plot(weeks["week"], weeks["threshold"], label="what chance exceeds", **stroke("truth"))
    ax.plot(weeks["week"], 0 * weeks["psi"] + CUSTOM, label="warned by custom", **stroke("naive"))
    ax.set(yscale="log", ylabel="PSI of weekly logins (log scale)")
    ax.xaxis.set_major_locator(dates.MonthLocator(interval=2))
    ax.xaxis.set_major_formatter(dates.DateFormatter("%b %y"))
    style.number_axis(ax, "y")
    label_lines(ax)
    chance, custom = int(weeks["alarm"].sum()), int((weeks["psi"] > CUSTOM).sum())
    style.finding(
        ax,
        f"With nothing amiss one line rings in {chance} of {len(weeks)} weeks, the other in {custom}",
        "logins of each week against the four weeks before the first; the law of leaving is the same all along",
    )


def retraining_lines(year: pd.DataFrame, changed_in: int) -> None:
    """Draw what the list finds and what the scores promise, month by month, for both models.

    Parameters
    ----------
    year : pandas.DataFrame
        From :func:`casebook.churn.watch.retraining_year`.
    changed_in : int
        The month of the change.
    """
    _, axs = plt.subplots(1, 2)
    for ax, key, words in zip(
        axs, ("promised", "found"), ("predicted over true rate", "leavers listed, of the best list's"), strict=True
    ):
        for name, look in (("monthly", "advised"), ("never", "naive")):
            ax.plot(year["month"], year[f"{name}_{key}"], label=name, **stroke(look))
        ax.axvline(changed_in, color=INK, linewidth=1, linestyle=":")
        ax.set(xlabel="month", ylabel=words)
        label_lines(ax)
    axs[0].axhline(1, color=INK, linewidth=1, linestyle="--")
    after = year[year["month"] > changed_in].mean(numeric_only=True)
    style.finding(
        axs[0],
        f"After the rival the old model promises {after['never_promised']:.0%} of those who leave",
        f"retrained monthly: {after['monthly_promised']:.0%}; dotted: the month of the change",
    )


def precision_lines(table: pd.DataFrame) -> None:
    """Draw the precision that a dashboard shows, and that of the standing hold-out.

    Parameters
    ----------
    table : pandas.DataFrame
        ``month``, ``naive``, ``holdout``, as :func:`casebook.churn.failures.list_precision` returns it.
    """
    _, ax = plt.subplots()
    for column, words, look in (("holdout", "hold-out", "advised"), ("naive", "dashboard", "naive")):
        ax.plot(table["month"] + 1, table[column], label=words, **stroke(look))
    ax.set_ylim(0, 1.1 * ax.get_ylim()[1])
    style.percent_axis(ax)
    ax.set(xlabel="month in which the list is worked", ylabel="precision of the list")
    label_lines(ax)
    gap = float((table["holdout"] - table["naive"]).mean())
    style.finding(
        ax,
        f"The dashboard shows {100 * gap:.1f} points less than the hold-out, and the calls are why",
        "mean chance of leaving of those on the list, given who was called",
    )
