"""Sufficient statistics of an arm: what an effect needs of a table, however long the table is."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook._columns import kind_of
from casebook._schema_words import shown
from casebook.contracts import FloatArray, refuse, require_columns
from casebook.experiments._inputs import IntArray, as_groups, as_outcome

#: As a denominator: the number of a unit's rows.
ROWS = "*"
# A centred square below this share of the raw one is rounding; up to the second it has too few digits left.
_ROUNDING, _TOO_FEW = 1e-12, 1e-9


@dataclass(frozen=True)
class Metric:
    """What is measured of each randomised unit.

    Parameters
    ----------
    y : str
        Column of the outcome; the metric is its mean over units.
    denominator : str, optional
        The metric is then a ratio: the sum of y over the sum of this column, such as clicks per impression.
        ``"*"`` counts the unit's rows. It is never negative.
    before : tuple of str
        Columns measured before the experiment. Effects are then adjusted for them (CUPED), always.
    proportion : bool
        Whether y is 0 or 1: its variance is then p (1 - p), without the n - 1 of a mean.

    Examples
    --------
    >>> Metric("clicks", denominator="impressions", before=("clicks_before",)).columns
    ('clicks', 'impressions', 'clicks_before')
    """

    y: str
    denominator: str | None = None
    before: tuple[str, ...] = ()
    proportion: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.before, str):
            refuse("before", "a tuple of columns", repr(self.before), f"write ({self.before!r},)")
        object.__setattr__(self, "before", tuple(self.before))
        if len(set(self.columns)) < len(self.columns):
            refuse("the metric's columns", "different", ", ".join(map(repr, self.columns)), "name each of them once")
        if self.proportion and self.denominator is not None:
            refuse("a proportion", "without a denominator", repr(self.denominator), "drop one of the two")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose sums and products are kept: y, the denominator, those from before."""
        middle = () if self.denominator is None else (self.denominator,)
        return self.y, *middle, *self.before


@dataclass(frozen=True)
class Moments:
    """Sums over the units of one arm.

    Those of two parts of an arm add up, if no unit is in both.

    Parameters
    ----------
    n : int
        Randomised units, two or more.
    sums : tuple of float, shape (k,)
        Of each of ``metric.columns``.
    products : tuple of tuple of float, shape (k, k)
        Sums of squares on the diagonal, of products of two columns beside it.
    metric : Metric
        By default the mean of "y".

    Raises
    ------
    ContractError
        Fewer than two units, shapes that do not fit the metric, sums that no table can have, and such as have
        lost the variance to rounding (a mean over 30,000 standard deviations from 0).

    Examples
    --------
    >>> Moments(4, (6,), ((14,),)) == Moments.of_total(4, total=6, squares=14)
    True
    """

    n: int
    sums: tuple[float, ...]
    products: tuple[tuple[float, ...], ...]
    metric: Metric = Metric("y")

    def __post_init__(self) -> None:
        k = len(self.metric.columns)
        if self.n < 2 or self.n != int(self.n):
            refuse("n", "a whole number of at least two units", shown(self.n), "count units, and wait for more")
        if np.shape(self.sums) != (k,) or np.shape(self.products) != (k, k):
            got = f"{np.shape(self.sums)} and {np.shape(self.products)}"
            columns = ", ".join(self.metric.columns)
            refuse("sums and products", f"of shapes ({k},) and ({k}, {k})", got, f"pass one sum for each of {columns}")
        _check(self)

    @classmethod
    def of_total(cls, n: int, total: float, squares: float) -> Moments:
        """Return those of a mean, from the sum of y and of its squares."""
        return cls(n, (float(total),), ((float(squares),),))

    @classmethod
    def of_counts(cls, n: int, events: float) -> Moments:
        """Return those of a proportion, from the number of units with the event."""
        return cls(n, (float(events),), ((float(events),),), Metric("y", proportion=True))

    @classmethod
    def of_ratio(
        cls,
        n: int,
        total: float,
        denominator: float,
        *,
        squares: float,
        denominator_squares: float,
        product: float,
    ) -> Moments:
        """Return those of a ratio metric, from the sums of y, of its denominator, and of their products."""
        products = ((float(squares), float(product)), (float(product), float(denominator_squares)))
        return cls(n, (float(total), float(denominator)), products, Metric("y", "denominator"))

    @classmethod
    def of_rows(cls, values: npt.ArrayLike, metric: Metric) -> Moments:
        """Return those of an arm's units, shape (n, k): finite numbers in the order of ``metric.columns``."""
        rows = np.asarray(values, dtype=float)
        products = tuple(map(tuple, (rows.T @ rows).tolist()))
        return cls(len(rows), tuple(rows.sum(axis=0).tolist()), products, metric)

    def __add__(self, other: Moments) -> Moments:
        if not isinstance(other, Moments):
            return NotImplemented
        if self.metric != other.metric:
            refuse("the parts", "of one metric", f"{self.metric} and {other.metric}", "add like to like")
        sums = tuple(np.add(self.sums, other.sums).tolist())
        products = tuple(map(tuple, np.add(self.products, other.products).tolist()))
        return Moments(self.n + other.n, sums, products, self.metric)

    @property
    def means(self) -> FloatArray:
        """Means of the columns, shape (k,)."""
        return np.asarray(self.sums, dtype=float) / self.n

    @cached_property
    def covariance(self) -> FloatArray:
        """Covariance of the columns over units, shape (k, k); that of a proportion is p (1 - p)."""
        covariance = _scatter(self) / (self.n - (not self.metric.proportion))
        covariance.flags.writeable = False
        return covariance


def arm_moments(
    frame: pd.DataFrame,
    metric: str | Metric,
    arm: str,
    *,
    unit: str | None = None,
    arms: Sequence[Hashable] | None = None,
) -> dict[Hashable, Moments]:
    """Return the sufficient statistics of each arm of a tidy table.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per randomised unit; several where ``unit`` is given.
    metric : str or Metric
        A column whose mean is the metric, or what :class:`Metric` says.
    arm : str
        Column of the arms' names.
    unit : str, optional
        Column of what was randomised (user, account, shop). Its rows are summed first, so that the unit of
        analysis is that of randomisation; columns from before have one value per unit.
    arms : sequence, optional
        The names that there must be and no others, which catches a misspelt one.

    Returns
    -------
    dict of Moments
        By the arm's name, sorted.

    Raises
    ------
    ContractError
        A missing column or value, one arm only, other arms than ``arms``, a unit in two arms, a negative
        denominator, an arm of one unit.

    Examples
    --------
    >>> views = pd.DataFrame({"user": [1, 1, 2, 3, 4], "arm": list("aaabb"), "click": [1, 0, 0, 1, 1]})
    >>> arm_moments(views, Metric("click", denominator="*"), "arm", unit="user")["a"].sums
    (1.0, 3.0)
    """
    wanted = as_metric(metric)
    named = [column for column in wanted.columns if column != ROWS]
    require_columns(frame, [*named, arm] + ([] if unit is None else [unit]), "frame")
    codes, labels = as_groups(frame[arm], len(frame), f"column {arm!r}")
    require_arms(labels, arms, arm)
    values = np.column_stack([_column(frame, column, wanted) for column in wanted.columns])
    if unit is not None:
        values, codes = _per_unit(frame[unit], values, codes, wanted)
    return {label: Moments.of_rows(values[codes == i], wanted) for i, label in enumerate(labels)}


def as_metric(metric: object) -> Metric:
    """Return a metric, made of a column's name where only that is given."""
    if isinstance(metric, Metric):
        return metric
    if not isinstance(metric, str):
        refuse("metric", "a column's name or a Metric", kind_of(metric), "pass Metric(y, denominator=..., before=...)")
    return Metric(metric)


def require_arms(labels: Sequence[Hashable], arms: Sequence[Hashable] | None, column: str) -> None:
    """Refuse one arm alone, and other arms than those wanted."""
    what = f"column {column!r}"
    if arms is not None:
        listed = ", ".join(shown(label) for label in arms)
        strange = next((label for label in labels if label not in arms), None)
        if strange is not None:
            refuse(what, f"one of {listed}", shown(strange), "mend its spelling or add it to arms")
        absent = next((label for label in arms if label not in labels), None)
        if absent is not None:
            refuse(what, f"of all arms ({listed})", f"no row of {shown(absent)}", "check the filter or the spelling")
    if len(labels) < 2:
        refuse(what, "of two or more arms", f"{shown(labels[0])} in every row", "pass all arms in one table")


def _column(frame: pd.DataFrame, column: str, metric: Metric) -> FloatArray:
    if column == ROWS:
        return np.ones(len(frame))
    values = as_outcome(frame[column], f"column {column!r}")
    if column == metric.denominator and values.min() < 0:
        row = int(np.argmax(values < 0))
        refuse(f"column {column!r}, row {row}", "0 or more", shown(values[row]), "take a count as denominator")
    return values


def _per_unit(unit: pd.Series, values: FloatArray, codes: IntArray, metric: Metric) -> tuple[FloatArray, IntArray]:
    units, labels = as_groups(unit, len(values), f"column {unit.name!r}")
    _, first = np.unique(units, return_index=True)
    mixed = codes != codes[first][units]
    if mixed.any():
        label = shown(labels[units[int(np.argmax(mixed))]])
        refuse(f"unit {label}", "in one arm", "two", "find out how it crossed over before you read any effect")
    sums = np.column_stack([np.bincount(units, weights=column) for column in values.T]).astype(float)
    fixed = slice(len(metric.columns) - len(metric.before), None)
    varying = (values[:, fixed] != values[first][:, fixed][units]).any(axis=1)
    if varying.any():
        label = shown(labels[units[int(np.argmax(varying))]])
        refuse(f"before, unit {label}", "one value per unit", "several", "sum or average it over the unit first")
    sums[:, fixed] = values[first][:, fixed]
    return sums, codes[first]


def _scatter(moments: Moments) -> FloatArray:
    sums, raw = np.asarray(moments.sums, float), np.asarray(moments.products, float)
    centred = raw - np.outer(sums, sums) / moments.n
    still = np.diag(centred) <= _ROUNDING * np.diag(raw)
    centred[still, :] = centred[:, still] = 0.0
    return centred


def _check(moments: Moments) -> None:
    sums, raw = np.asarray(moments.sums, float), np.asarray(moments.products, float)
    for i, column in enumerate(moments.metric.columns):
        what = f"the sums of {column!r}"
        if not (np.isfinite(sums[i]) and np.isfinite(raw[i]).all()):
            refuse(what, "finite", "a missing or infinite one", "fill in its missing values")
        kept = raw[i, i] - sums[i] ** 2 / moments.n
        if kept < -_ROUNDING * raw[i, i]:
            got = f"{raw[i, i]:g} of squares against a sum of {sums[i]:g}"
            refuse(what, "those of a table", got, "take all of them over the same units, for the variance is below 0")
        if _ROUNDING * raw[i, i] < kept < _TOO_FEW * raw[i, i]:
            refuse(what, "exact enough to show the spread", "too few digits", "subtract a constant near the mean first")
    if moments.metric.proportion and raw[0, 0] != sums[0]:
        got = f"{raw[0, 0]:g} of squares against {sums[0]:g}"
        refuse("the sums of a proportion", "alike for y and its squares", got, "pass 0 and 1, or drop proportion=True")
    if moments.metric.denominator is not None and sums[1] <= 0:
        refuse("the denominator", "above 0 in sum", f"{sums[1]:g}", "take a denominator that the arm has any of")
    spread = _scatter(moments)
    most = np.sqrt(np.outer(np.diag(spread), np.diag(spread)))
    if not np.allclose(raw, raw.T) or (np.abs(spread) > most + _TOO_FEW * np.sqrt(np.outer(*[np.diag(raw)] * 2))).any():
        refuse("the sums of products", "those of a table", "ones that no table has", "take all over the same units")
