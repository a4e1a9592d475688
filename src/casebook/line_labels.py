"""Names at the ends of lines instead of a legend, moved apart where they would touch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from scipy.optimize import isotonic_regression

from casebook.colours import INK

_LABEL = "casebook-line-label"


def label_lines(ax: Axes, pad: float = 6.0) -> list[Annotation]:
    """Name each line at its right end, in ink; labels that would touch are moved apart.

    Call it when the axes' limits stand. Lines without a label, or whose label begins with ``_``, get none.

    Parameters
    ----------
    ax : Axes
        Its visible lines are labelled with what ``label=`` said.
    pad : float
        Points between a line's end and its label.

    Returns
    -------
    list of Annotation
        One per labelled line, in drawing order.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> line = ax.plot([0, 1], [0, 1], label="advised")
    >>> [label.get_text() for label in label_lines(ax)]
    ['advised']
    >>> plt.close(fig)
    """
    labels = []
    for line in ax.get_lines():
        name, ends = str(line.get_label()), _last_point(line.get_xydata())
        if line.get_visible() and not name.startswith("_") and ends is not None:
            label = ax.annotate(name, ends, (pad, 0.0), textcoords="offset points", va="center", color=INK)
            label.set(gid=_LABEL, parse_math=False, annotation_clip=False)
            labels.append(label)
    spread(ax)
    return labels


def _last_point(points: npt.ArrayLike) -> tuple[float, float] | None:
    drawn = np.asarray(points, dtype=float)
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    return (float(drawn[-1, 0]), float(drawn[-1, 1])) if len(drawn) else None


def spread(ax: Axes) -> None:
    """Move an axes' line labels up or down until their boxes no longer touch.

    Parameters
    ----------
    ax : Axes
        One whose lines :func:`label_lines` has named; any other is left as it is.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> line = ax.plot([0, 1], [0, 1], label="one"), ax.plot([0, 1], [0, 1], label="two")
    >>> upper, lower = label_lines(ax)
    >>> bool(upper.xyann[1] > 0 > lower.xyann[1])
    True
    >>> plt.close(fig)
    """
    labels = [text for text in ax.texts if isinstance(text, Annotation) and text.get_gid() == _LABEL]
    if not labels:
        return
    fig = ax.figure if isinstance(ax.figure, Figure) else ax.figure.figure
    for label in labels:
        label.set_position((label.get_position()[0], 0.0))
    fig.draw_without_rendering()
    extents = [Text.get_window_extent(label) for label in labels]
    wanted = [(extent.y0 + extent.y1) / 2 for extent in extents]
    placed = apart(wanted, [extent.height for extent in extents])
    for label, before, after in zip(labels, wanted, placed, strict=True):
        label.set_position((label.get_position()[0], (after - before) * 72.0 / fig.dpi))


def apart(centres: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Move intervals as little as a least-squares fit allows until none overlap, keeping their order.

    Parameters
    ----------
    centres, heights : sequences of equal length
        Middle and length of each interval, in one unit.

    Returns
    -------
    list of float
        New middles, in the order given; of two equal ones the first comes out on top.

    Notes
    -----
    Isotonic regression on the middles less the room that the intervals below need.

    Examples
    --------
    >>> apart([1.0, 1.0, 9.0], [2.0, 2.0, 2.0])
    [2.0, 0.0, 9.0]
    """
    order = np.lexsort((-np.arange(len(centres)), np.asarray(centres, dtype=float)))
    middle, height = np.asarray(centres, dtype=float)[order], np.asarray(heights, dtype=float)[order]
    room = np.concatenate([[0.0], np.cumsum((height[1:] + height[:-1]) / 2)])
    moved = np.empty(len(middle))
    moved[order] = isotonic_regression(middle - room).x + room
    return [float(value) for value in moved]
