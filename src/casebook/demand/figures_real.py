"""Figures of chapter 7's page on others' data: whom adding up helps, how slow sellers sell, what more data buy."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from casebook import style
from casebook.colours import ADVISED, INK, NAIVE, SUBTLE

_COLOURS = (NAIVE, ADVISED, INK)
_MARKS = ("o", "D", "s")


def help_title(change: pd.DataFrame, method: str, low: str, high: str) -> str:
    """Say what a method does to the error of the lowest and of the highest level.

    Parameters
    ----------
    change : pandas.DataFrame
        Index level, one column a method: change of the error as a share of the base forecasts', below 0 where it helps.
    method, low, high : str
        A column and two rows.

    Examples
    --------
    >>> change = pd.DataFrame({"MinT": [0.21, -0.08]}, ["total", "bottom"])
    >>> help_title(change, "MinT", "bottom", "total")
    'MinT: error -8% at the bottom, +21% at the total'
    """
    below, above = float(change[method][low]), float(change[method][high])
    return f"{method}: error {below:+.0%} at the {low}, {above:+.0%} at the {high}"


def help_by_level(change: pd.DataFrame, title: str, subtitle: str) -> None:
    """Draw the change of the error by level, one row a level from the top, one mark a method.

    Parameters
    ----------
    change : pandas.DataFrame
        As :func:`help_title` takes it, of three methods at most.
    title, subtitle : str
    """
    _, ax = plt.subplots(figsize=(7.2, 1.7 + 0.42 * len(change)))
    place = np.arange(len(change))[::-1]
    # Side by side, since methods that do nothing to a level would hide each other.
    shift = 0.18 * (np.arange(change.shape[1])[::-1] - (change.shape[1] - 1) / 2)
    for (words, one), colour, mark, up in zip(change.items(), _COLOURS, _MARKS, shift, strict=False):
        ax.plot(one.to_numpy(), place + up, mark, color=colour, markersize=7)
        first = float(one.iloc[0])
        left = first > 0.6 * float(change.to_numpy().max())
        at, side = (first, place[0] + up), (-8 if left else 8, 0)
        ha = "right" if left else "left"
        ax.annotate(str(words), at, side, textcoords="offset points", color=colour, va="center", ha=ha)
    ax.axvline(0, color=SUBTLE, linewidth=1)
    ax.set_yticks(place, list(change.index))
    ax.set(xlabel="error against the base forecasts' (left: better)", ylim=(-0.6, len(change) - 0.4))
    ax.grid(visible=False, axis="y")
    style.percent_axis(ax, "x")
    style.finding(ax, title, subtitle)


def kinds_title(classes: pd.DataFrame) -> str:
    """Say how many products sell seldom, and how many of all both seldom and unevenly.

    Examples
    --------
    >>> kinds_title(pd.DataFrame({"kind": ["lumpy", "intermittent", "smooth", "lumpy"]}))
    '75% of the products sell seldom, 50% seldom and unevenly too'
    """
    share = classes["kind"].value_counts(normalize=True)
    lumpy = float(share.get("lumpy", 0))
    seldom = lumpy + float(share.get("intermittent", 0))
    return f"{seldom:.0%} of the products sell seldom, {lumpy:.0%} seldom and unevenly too"


def kinds_map(classes: pd.DataFrame, long: float, wide: float) -> None:
    """Draw one dot a product by how seldom and how unevenly it sells, with the cuts and each part's share.

    Parameters
    ----------
    classes : pandas.DataFrame
        As :func:`casebook.demand.real_retail.demand_classes` returns it.
    long, wide : float
        Cuts of ``adi`` and ``cv2``.
    """
    _, ax = plt.subplots()
    floor = 0.01  # a product that always sells the same quantity has a cv2 of 0, which a log scale cannot show
    # As a picture, since there are thousands of them.
    spread = classes["cv2"].clip(lower=floor)
    ax.plot(classes["adi"], spread, ".", color=ADVISED, markersize=3, alpha=0.35, rasterized=True)
    ax.axvline(long, color=NAIVE, linestyle=":")
    ax.axhline(wide, color=NAIVE, linestyle=":")
    ax.set(xscale="log", yscale="log", xlabel="days per day with a sale (ADI)", ylabel="unevenness of quantities (CV2)")
    ax.set_ylim(floor / 4, 8 * max(float(classes["cv2"].max()), 1.0))  # room for the words
    share = classes["kind"].value_counts(normalize=True)
    corners = {"smooth": (0.02, 0.03), "erratic": (0.02, 0.94), "intermittent": (0.98, 0.03), "lumpy": (0.98, 0.94)}
    for kind, (x, y) in corners.items():
        words = f"{kind} {float(share.get(kind, 0)):.1%}"
        ax.text(x, y, words, transform=ax.transAxes, color=INK, weight="bold", ha="left" if x < 0.5 else "right")
    style.number_axis(ax, "x")
    style.number_axis(ax, "y")
    style.finding(ax, kinds_title(classes), f"a dot a product, below {floor:g} drawn there; dotted: the cuts")


def zero_title(table: pd.DataFrame, simple: list[str]) -> str:
    """Say how many simple methods a forecast of nothing beats by WAPE, and how many by pinball loss.

    Parameters
    ----------
    table : pandas.DataFrame
        Index method, with "nothing" and ``simple``; ``wape`` and ``pinball``.
    simple : list of str

    Examples
    --------
    >>> table = pd.DataFrame({"wape": [1.0, 1.3], "pinball": [7.0, 5.0]}, ["nothing", "naive"])
    >>> zero_title(table, ["naive"])
    'To forecast nothing beats 1 of 1 simple methods by WAPE, 0 by pinball loss'
    """
    beaten = {name: int((table.loc["nothing", name] < table.loc[simple, name]).sum()) for name in ("wape", "pinball")}
    of = f"{beaten['wape']} of {len(simple)}"
    return f"To forecast nothing beats {of} simple methods by WAPE, {beaten['pinball']} by pinball loss"


def data_title(learned: pd.DataFrame) -> str:
    """Say what the boosted model costs against the plain quantile with the least and with the most data.

    Examples
    --------
    >>> data_title(pd.DataFrame({"change": [0.18, -0.02]}, ["four weeks", "all"]))
    'Boosting costs +18% with the least data, -2% with the most'
    """
    first, last = learned["change"].iloc[0], learned["change"].iloc[-1]
    return f"Boosting costs {first:+.0%} with the least data, {last:+.0%} with the most"


def cost_by_data(learned: pd.DataFrame, other: Mapping[str, float], title: str, subtitle: str) -> None:
    """Draw what a model costs against a benchmark by what it has learned from, with two standard errors each way.

    Parameters
    ----------
    learned : pandas.DataFrame
        Index: words of the data, from the least; ``change`` and ``error``, shares of the benchmark's cost.
    other : mapping of str to float
        Words -> the change of another way, a thin line.
    title, subtitle : str
    """
    _, ax = plt.subplots(figsize=(7.2, 1.9 + 0.42 * len(learned)))
    place = np.arange(len(learned))[::-1]
    ax.hlines(place, learned["change"] - 2 * learned["error"], learned["change"] + 2 * learned["error"], color=ADVISED)
    ax.plot(learned["change"], place, "o", color=ADVISED, markersize=7)
    ax.axvline(0, color=INK, linewidth=1)
    for words, value in other.items():
        ax.axvline(value, color=NAIVE, linestyle=":")
        ax.annotate(words, (value, -0.55), (-4, 0), textcoords="offset points", color=NAIVE, ha="right")
    ax.set_yticks(place, list(learned.index))
    ax.set(xlabel="cost against the benchmark (left: cheaper)", ylim=(-0.9, len(learned) - 0.4))
    ax.grid(visible=False, axis="y")
    style.percent_axis(ax, "x")
    style.finding(ax, title, subtitle)


def levels_title(gains: pd.Series) -> str:
    """Say how a gain shrinks from the average over all levels to the lowest one.

    Examples
    --------
    >>> levels_title(pd.Series({"all": 0.225, "total": 0.5, "product and store": 0.034}))
    'The winner gains 22.5% on average and 3.4% where one orders'
    """
    return f"The winner gains {gains.iloc[0]:.1%} on average and {gains.iloc[-1]:.1%} where one orders"
