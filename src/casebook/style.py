"""The look of every figure: one style file, one palette with one meaning, and the furniture around a plot.

One picture serves both themes of the site: it is transparent, and the dark theme shows it through the CSS
filter ``invert(1) hue-rotate(180deg)``. :func:`contrast` and :func:`dark_filter` state that in numbers.
"""

from __future__ import annotations

from importlib import import_module
from importlib.resources import as_file, files
from typing import Literal

import matplotlib.pyplot as plt
from IPython.core.getipython import get_ipython
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import Formatter, FuncFormatter, NullFormatter, PercentFormatter

from casebook.colours import (
    ADVISED,
    ADVISED_FILL,
    DARK_PAGE,
    FIFTH,
    FILLS,
    FOURTH,
    INK,
    LIGHT_PAGE,
    NAIVE,
    NAIVE_FILL,
    NEUTRAL_FILL,
    PALETTE,
    SUBTLE,
    THIRD,
    THIRD_FILL,
    TRUTH,
    contrast,
    dark_filter,
    stroke,
)
from casebook.contracts import refuse
from casebook.line_labels import apart, label_lines, spread

__all__ = [
    "ADVISED",
    "ADVISED_FILL",
    "DARK_PAGE",
    "FIFTH",
    "FILLS",
    "FOURTH",
    "INK",
    "LIGHT_PAGE",
    "NAIVE",
    "NAIVE_FILL",
    "NEUTRAL_FILL",
    "PALETTE",
    "SUBTLE",
    "THIRD",
    "THIRD_FILL",
    "TRUTH",
    "apart",
    "contrast",
    "count_axis",
    "dark_filter",
    "finding",
    "label_lines",
    "money_axis",
    "percent_axis",
    "stroke",
    "use",
]

_EDGE = 0.0125  # of the figure's width: what stays free at either side of the title


def use() -> None:
    """Apply the course's figure style; in a notebook, also draw inline figures as SVG.

    Call it once, in a notebook's first cell. Two runs write the same SVG, byte for byte.

    Examples
    --------
    >>> use()
    >>> [float(side) for side in plt.rcParams["figure.figsize"]]
    [6.4, 4.0]
    """
    with as_file(files("casebook") / "casebook.mplstyle") as path:
        plt.style.use(path)
    if get_ipython() is not None:
        # Its import touches the shell, so it waits until there is one.
        backend_inline = import_module("matplotlib_inline.backend_inline")
        backend_inline.set_matplotlib_formats("svg", metadata={"Date": None})


def finding(ax: Axes, title: str, subtitle: str = "") -> None:
    """Put the finding above a figure, and the measure below it in grey; both wrap to the figure's width.

    Parameters
    ----------
    ax : Axes
        Any axes of the figure; a figure has one finding.
    title : str
        The finding as a sentence, built from computed values; at most 15 words read well.
    subtitle : str, optional
        Measure, unit, population and period.

    Raises
    ------
    ContractError
        If the figure has a finding already, or if title and subtitle would take more than half of it.

    Examples
    --------
    >>> use()
    >>> fig, ax = plt.subplots()
    >>> finding(ax, "A threshold of 0.5 gives away half of the margin", "Profit per month, 20,000 accounts")
    >>> [text.get_text() for text in fig.texts]  # doctest: +NORMALIZE_WHITESPACE
    ['A threshold of 0.5 gives away half of the margin', 'Profit per month, 20,000 accounts']
    >>> plt.close(fig)
    """
    fig = ax.figure if isinstance(ax.figure, Figure) else ax.figure.figure
    if any(text.get_gid() == "casebook-finding" for text in fig.texts):
        refuse("finding", "given once for a figure", "a second one", "give each finding its own figure")
    top = 1.0 - _EDGE
    for words, size, weight, colour in ((title, 14, "bold", INK), (subtitle, 12, "normal", SUBTLE)):
        if words:
            text = fig.text(_EDGE, top, "", size=size, weight=weight, color=colour, va="top", parse_math=False)
            text.set(gid="casebook-finding", linespacing=1.15, text=_wrapped(text, words, fig))
            top = _box(text, fig)[1] - 0.015
    if top < 0.5:
        refuse("title and subtitle", "at most half of the figure", f"{1 - top:.0%} of it", "shorten them")
    fig.set_layout_engine("constrained", rect=(0.0, 0.0, 1.0, top))
    for other in fig.axes:
        spread(other)


def _wrapped(text: Text, words: str, fig: Figure) -> str:
    """Break lines by measured width, not by a count of letters."""
    lines: list[str] = []
    for word in words.split():
        joined = f"{lines[-1]} {word}" if lines else word
        text.set_text(joined)
        fits = _box(text, fig)[2] <= 1.0 - _EDGE
        lines = [*lines[:-1], joined] if fits or not lines else [*lines, word]
    return "\n".join(lines)


def _box(text: Text, fig: Figure) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of a text in shares of the figure."""
    left, bottom, right, top = fig.transFigure.inverted().transform_bbox(text.get_window_extent()).extents
    return float(left), float(bottom), float(right), float(top)


def money_axis(ax: Axes, axis: Literal["x", "y"] = "y") -> None:
    """Write an axis in dollars, with k, M and B.

    Parameters
    ----------
    ax : Axes
        Its data are dollars.
    axis : {"x", "y"}
        Which axis.

    Examples
    --------
    >>> fig, ax = plt.subplots()
    >>> money_axis(ax)
    >>> [ax.yaxis.get_major_formatter()(value) for value in (-35, 1_500, 1_200_000)]
    ['-$35', '$1.5k', '$1.2M']
    >>> plt.close(fig)
    """
    _write(ax, axis, FuncFormatter(lambda value, _: _money(value)))


def _money(value: float) -> str:
    size, unit = abs(value), ""
    for scale, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if float(f"{size:.6g}") >= scale:
            size, unit = size / scale, letter
            break
    shown = f"{size:.6g}"
    return f"{'-' if value < 0 and shown != '0' else ''}${shown}{unit}"


def percent_axis(ax: Axes, axis: Literal["x", "y"] = "y") -> None:
    """Write an axis of shares, 0 to 1, in percent.

    Parameters
    ----------
    ax : Axes
        Its data are shares: 0.25 is shown as 25%.
    axis : {"x", "y"}
        Which axis.

    Examples
    --------
    >>> fig, ax = plt.subplots()
    >>> percent_axis(ax, "x")
    >>> ax.xaxis.get_major_formatter().format_pct(0.25, 1.0)
    '25%'
    >>> plt.close(fig)
    """
    _write(ax, axis, PercentFormatter(xmax=1.0))


def count_axis(ax: Axes, axis: Literal["x", "y"] = "y") -> None:
    """Write an axis of counts with commas; also right for a log scale.

    Parameters
    ----------
    ax : Axes
        Its data are counts.
    axis : {"x", "y"}
        Which axis.

    Examples
    --------
    >>> fig, ax = plt.subplots()
    >>> count_axis(ax)
    >>> ax.yaxis.get_major_formatter()(20_000)
    '20,000'
    >>> plt.close(fig)
    """
    _write(ax, axis, FuncFormatter(lambda value, _: f"{value:,.10g}"))


def number_axis(ax: Axes, axis: Literal["x", "y"] = "y") -> None:
    """Write an axis in plain numbers, 0.001 and not 10 to the minus 3; for log scales of probabilities.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    axis : {"x", "y"}
        Which axis.

    Raises
    ------
    ContractError
        If axis is neither.
    """
    _write(ax, axis, FuncFormatter(lambda value, _: f"{value:g}"))


def _write(ax: Axes, axis: str, formatter: Formatter) -> None:
    if axis not in ("x", "y"):
        refuse("axis", "'x' or 'y'", repr(axis), "name the axis to format")
    target = ax.xaxis if axis == "x" else ax.yaxis
    target.set_major_formatter(formatter)
    target.set_minor_formatter(NullFormatter())
