"""From a claimed figure and computed values to a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.contracts import refuse
from casebook.worlds import Share

EDGE_RTOL = 1e-9  # 0.7 + 0.05 and 0.75 differ in float64 by some 1e-16; a figure's edge belongs to it


class Verdict(StrEnum):
    """What the cells say of a claim."""

    CONFIRMED = "confirmed"
    CORRECTED = "corrected"
    DEPENDS = "depends"
    NOT_TESTABLE = "not testable"
    NOT_RUN = "not run"


class Bounds(NamedTuple):
    """An interval: the value lies somewhere from `low` to `high`."""

    low: float
    high: float


@runtime_checkable
class _Bounded(Protocol):
    @property
    def low(self) -> float: ...

    @property
    def high(self) -> float: ...


Values: TypeAlias = float | _Bounded | Sequence[float] | NDArray[Any] | pd.Series
"""A number; an interval (`Bounds`, or anything with `low` and `high`); or a list, one value an assumption."""


def judge(figure: float | tuple[float, float] | None, rounding: float, values: Values | None) -> Verdict:
    """Hold computed values against a claimed figure.

    Parameters
    ----------
    figure : float, (low, high) or None
        What is claimed; None if it cannot be tested.
    rounding : float
        Half-width by which the figure is widened on both sides, zero or more.
    values : float, Bounds, list or array, or None
        A number; an interval (:class:`Bounds`, or :class:`~casebook.worlds.Interval` and
        :class:`~casebook.worlds.Share` of `worlds`); or a list, array or Series with one
        value for each of the stated assumptions, shape (k,).

    Returns
    -------
    Verdict
        "confirmed" if all lies inside the figure, "corrected" if nothing does, "depends" if part does. An
        interval that spans the figure depends, though neither end lies inside; a list of two values on either
        side of it is corrected, since neither assumption gives it.

    Raises
    ------
    ContractError
        If values are missing, empty, not finite, a bare tuple, or given for a claim that cannot be tested.

    Examples
    --------
    >>> str(judge(0.7, 0.05, 0.72)), str(judge(0.7, 0.05, [0.72, 0.9])), str(judge((1, 2), 0, Bounds(0, 3)))
    ('confirmed', 'depends', 'depends')
    >>> judge(0.7, 0.05, float("nan"))
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: values must be finite, got nan; drop it or mend its cell.
    """
    if figure is None:
        if values is not None:
            refuse("values", "None for a claim without a figure", repr(values), "leave them out")
        return Verdict.NOT_TESTABLE
    if values is None:
        refuse("values", "what a cell computed", "None", "pass a number, Bounds(low, high) or a list")
    if not (np.isfinite(rounding) and rounding >= 0):
        refuse("rounding", "zero or more", str(rounding), "give the half-width of the figure's rounding")
    low, high = edges(figure, rounding)
    if isinstance(values, _Bounded):
        ends = _finite([values.low, values.high])
        if ends[0] > ends[1]:
            refuse("values", "an interval with low <= high", f"{ends[0]} to {ends[1]}", "swap its ends")
        return _verdict(whole=low <= ends[0] and ends[1] <= high, part=ends[0] <= high and low <= ends[1])
    if isinstance(values, tuple):
        refuse("values", "a number, Bounds(low, high) or a list", "a bare tuple", "say whether it is an interval")
    inside = [low <= value <= high for value in _finite(values)]
    return _verdict(whole=all(inside), part=any(inside))


def judge_moral(
    figure: float | tuple[float, float] | None,
    null_figure: float | tuple[float, float] | None,
    share: Share,
    null_share: Share,
) -> Verdict:
    """Hold a moral's share of worlds against its stated range, and its share of null worlds against theirs.

    A finding that does not vanish in the null worlds is corrected, whatever the drawn worlds say. Otherwise
    it is confirmed if the share lies in its range, depends if only part of its Wilson interval does, and
    corrected if none of that does.

    Examples
    --------
    >>> from casebook.worlds import share_holding
    >>> often, never = share_holding([True] * 19 + [False]), share_holding([False] * 20)
    >>> str(judge_moral((0.9, 1.0), (0.0, 0.1), often, never))
    'confirmed'
    >>> str(judge_moral((0.9, 1.0), (0.0, 0.1), often, often))
    'corrected'
    """
    if figure is None or null_figure is None:
        refuse("claim", "a moral with figure and null_figure", "none", "state both ranges in claims.yml")
    if judge(null_figure, 0.0, null_share.share) is not Verdict.CONFIRMED:
        return Verdict.CORRECTED
    if judge(figure, 0.0, share.share) is Verdict.CONFIRMED:
        return Verdict.CONFIRMED
    return judge(figure, 0.0, share)


def edges(figure: float | tuple[float, float], rounding: float = 0.0) -> Bounds:
    """The figure as a range, widened by its rounding (and by ``EDGE_RTOL`` of its size).

    Examples
    --------
    >>> [round(edge, 6) for edge in edges(0.7, 0.05)]
    [0.65, 0.75]
    """
    low, high = figure if isinstance(figure, tuple | list) else (figure, figure)
    slack = EDGE_RTOL * max(abs(low), abs(high), rounding)
    return Bounds(float(low) - rounding - slack, float(high) + rounding + slack)


def _finite(values: float | Sequence[float] | NDArray[Any] | pd.Series) -> list[float]:
    flat = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if flat.ndim != 1 or flat.size == 0:
        refuse("values", "a number or a list of at least one", f"shape {flat.shape}", "pass one an assumption")
    if not np.isfinite(flat).all():
        got = str(flat[~np.isfinite(flat)][0])
        refuse("values", "finite", got, "drop it or mend its cell")
    return [float(value) for value in flat]


def _verdict(whole: bool, part: bool) -> Verdict:
    if whole:
        return Verdict.CONFIRMED
    return Verdict.DEPENDS if part else Verdict.CORRECTED
