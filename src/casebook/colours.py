"""The palette: one colour, one meaning, and the arithmetic that proves it legible on both pages.

The dark theme shows a figure through the CSS filter ``invert(1) hue-rotate(180deg)``, so that one picture
serves both. Every line colour keeps 3:1 on the light page and, filtered, on the dark one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import to_rgb

from casebook.contracts import refuse

ADVISED = "#0072B2"
NAIVE = "#D55E00"
INK = "#1A1A1A"
TRUTH = INK
THIRD = "#009E73"
FOURTH = "#CC79A7"
FIFTH = "#767676"
SUBTLE = "#595959"
PALETTE = {
    "advised": ADVISED,
    "naive": NAIVE,
    "truth": TRUTH,
    "third": THIRD,
    "fourth": FOURTH,
    "fifth": FIFTH,
}
"""Line colours by meaning; each keeps 3:1 on the light page and, filtered, on the dark one."""
ADVISED_FILL = "#56B4E9"
NAIVE_FILL = "#F0B13C"
THIRD_FILL = "#F0E442"
NEUTRAL_FILL = "#CFCFCF"
FILLS = {"advised": ADVISED_FILL, "naive": NAIVE_FILL, "third": THIRD_FILL, "neutral": NEUTRAL_FILL}
"""Colours of areas and bars only: too light for lines, dark enough a ground for ink."""
LIGHT_PAGE = "#FFFFFF"
DARK_PAGE = "#14181E"

# Blue and vermillion are alike in grey print, hence a dash for each meaning as well.
_DASHES = {"advised": "-", "naive": "-.", "truth": "--", "third": ":", "fourth": "--", "fifth": "-"}

Colour = str | tuple[float, float, float] | tuple[float, float, float, float]


def stroke(meaning: str) -> dict[str, Any]:
    """Colour and dash of a line by its meaning, ready for ``ax.plot(x, y, **stroke("truth"))``.

    Parameters
    ----------
    meaning : str
        One of advised, naive, truth, third, fourth, fifth.

    Returns
    -------
    dict
        Keys ``color`` and ``linestyle``.

    Raises
    ------
    ContractError
        For a meaning that the palette does not have.

    Examples
    --------
    >>> stroke("truth")
    {'color': '#1A1A1A', 'linestyle': '--'}
    """
    if meaning not in PALETTE:
        refuse("meaning", f"one of {', '.join(PALETTE)}", repr(meaning), "choose what the line stands for")
    return {"color": PALETTE[meaning], "linestyle": _DASHES[meaning]}


def contrast(rgb_a: Colour, rgb_b: Colour) -> float:
    """Contrast ratio of two opaque colours, from 1 (same) to 21 (black on white).

    Parameters
    ----------
    rgb_a, rgb_b : str or tuple of three floats
        Anything that matplotlib takes as a colour; floats are sRGB in [0, 1].

    Returns
    -------
    float
        WCAG 2.1 (2018) contrast ratio; lines and marks need 3, text 4.5.

    Examples
    --------
    >>> round(contrast("black", "white"), 1)
    21.0
    """
    lighter, darker = sorted((_luminance(rgb_a), _luminance(rgb_b)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    channel = np.asarray(to_rgb(colour))
    linear = np.where(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))


def dark_filter(rgb: Colour) -> tuple[float, float, float]:
    """What ``filter: invert(1) hue-rotate(180deg)`` makes of a colour.

    Parameters
    ----------
    rgb : str or tuple of three floats
        A colour as drawn, sRGB in [0, 1].

    Returns
    -------
    tuple of three floats
        The colour as shown by the dark theme, clipped to [0, 1].

    Notes
    -----
    The matrix is that of Filter Effects Module Level 1 (W3C, 2018), type hueRotate, at cosine -1 and sine 0;
    shorthand filters work on sRGB as it is, without linearising, and clip after each step.

    Examples
    --------
    >>> [round(channel, 3) for channel in dark_filter("white")]
    [0.0, 0.0, 0.0]
    """
    inverted = 1.0 - np.asarray(to_rgb(rgb))
    weights = np.array([0.213, 0.715, 0.072])
    red, green, blue = np.clip(2.0 * (weights @ inverted) - inverted, 0.0, 1.0)
    return float(red), float(green), float(blue)
