"""Figures of chapter 5's page on operation: a week's calibration while its labels come in, and a map of refits."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from casebook import style
from casebook.colours import ADVISED, SUBTLE
from casebook.flip_figures import gain_map
from casebook.line_labels import label_lines

_LIMIT = 0.2  # share of the cost at which the map's colours are full


def weekly_calibration(weeks: pd.DataFrame, later: pd.DataFrame) -> None:
    """Draw reported over promised by week: as it stands, as mended for labels to come, and as it stood in the end.

    Parameters
    ----------
    weeks : pandas.DataFrame
        From :func:`casebook.fraud.weekly.calibration_by_week`, as of the morning.
    later : pandas.DataFrame
        The same as of a later day, with all weeks of ``weeks`` among its own.
    """
    _, ax = plt.subplots()
    ripe = weeks[weeks["note"] == ""]
    end = later.set_index("week")["naive"].reindex(weeks["week"])
    ax.plot(weeks["week"], end, label="in the end", **style.stroke("truth"))
    ax.plot(weeks["week"], weeks["naive"], label="as it stands", **style.stroke("naive"))
    ax.plot(ripe["week"], ripe["ratio"], label="mended", **style.stroke("advised"))
    ax.fill_between(ripe["week"], ripe["low"], ripe["high"], color=ADVISED, alpha=0.12, linewidth=0)
    ax.axhline(1, color=SUBTLE, linewidth=1)
    ax.set(xlabel="week of the event", ylabel="reported / promised frauds", ylim=(0, None))
    ax.set_xticks(weeks["week"])
    label_lines(ax)
    style.finding(ax, last_week_title(weeks, later), "events that passed unasked; band: 95%, cards as clusters")


def last_week_title(weeks: pd.DataFrame, later: pd.DataFrame) -> str:
    """Say what the last full week's reading is without and with the mend, and what came in the end.

    Examples
    --------
    >>> now = pd.DataFrame({"week": [7], "naive": [0.98], "ratio": [1.46]})
    >>> last_week_title(now, pd.DataFrame({"week": [7], "naive": [1.35]}))
    'The last week reads 1.0 as it stands, 1.5 mended, and 1.4 in the end'
    """
    last = weeks.iloc[-1]
    end = float(later.set_index("week")["naive"][last["week"]])
    return f"The last week reads {last['naive']:.1f} as it stands, {last['ratio']:.1f} mended, and {end:.1f} in the end"


def refit_map(cells: pd.DataFrame, title: str) -> None:
    """Draw what daily refits save over weekly ones, by the adversary's speed and the labels' delay.

    Parameters
    ----------
    cells : pandas.DataFrame
        From :func:`casebook.fraud.plays_retrain.retraining_map`.
    title : str
    """
    gain_map(
        cells,
        ("speed", "fraudsters' speed, steps in means"),
        ("delay_days", "median delay of a report, days"),
        title,
        "saved by daily over weekly refits, share of the cost; n drawn banks",
        limit=_LIMIT,
    )


def scatter_of(frame: pd.DataFrame, null: pd.DataFrame, column: str) -> tuple[float, float, float, float]:
    """Return a column's mean and standard error over drawn worlds, and the spread of drawn and of null worlds.

    Examples
    --------
    >>> one = pd.DataFrame({"a": [0.0, 0.2]})
    >>> tuple(round(value, 3) for value in scatter_of(one, one, "a"))
    (0.1, 0.1, 0.141, 0.141)
    """
    drawn, still = (table[column].to_numpy(dtype=float) for table in (frame, null))
    error = float(np.std(drawn, ddof=1) / np.sqrt(len(drawn)))
    return float(drawn.mean()), error, float(np.std(drawn, ddof=1)), float(np.std(still, ddof=1))
