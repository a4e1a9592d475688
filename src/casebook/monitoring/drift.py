"""Whether a column has moved, and how far it seems to move when nothing has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.stats

from casebook._columns import raw_column
from casebook._schema_words import shown
from casebook.contracts import FloatArray, refuse, require_columns

# A cell that is empty on one side only counts as half a row there: the logarithm of 0 is not a number.
_EMPTY = 0.5
_MOST_LEVELS = 100


@dataclass(frozen=True)
class Ks:
    """The two-sample Kolmogorov-Smirnov test: largest gap of the two distribution functions, and its p-value."""

    statistic: float
    p_value: float
    n_reference: int
    n_current: int


def psi(reference: npt.ArrayLike, current: npt.ArrayLike, *, bins: int = 10) -> float:
    """Return the population stability index, the sum over cells of (q - p) ln(q / p).

    Parameters
    ----------
    reference, current : array_like, shapes (n,) and (m,)
        Numbers, or categories (text, bools). Numbers are cut at the reference's quantiles, categories are cells by
        themselves; missing values are a cell of their own. p and q are the two samples' shares of the cells.
    bins : int
        Quantile bins asked for; tied values give fewer.

    Returns
    -------
    float
        0 or more. A cell that is empty on one side counts as half a row there.

    Raises
    ------
    ContractError
        No rows, one side numbers and the other text, dates, more than 100 categories, fewer than 2 bins.

    Notes
    -----
    The custom that 0.1 is a warning and 0.25 an alarm ignores the counts: see :func:`psi_null`.

    References
    ----------
    Siddiqi (2006), Credit risk scorecards, Wiley.

    Examples
    --------
    >>> round(psi(["a"] * 50 + ["b"] * 50, ["a"] * 60 + ["b"] * 40), 4)
    0.0405
    """
    return psi_from_counts(*_cells(reference, current, bins, ("reference", "current")))


def psi_from_counts(reference_counts: npt.ArrayLike, current_counts: npt.ArrayLike) -> float:
    """Return the population stability index of two rows of counts over the same cells.

    Parameters
    ----------
    reference_counts, current_counts : array_like, shape (cells,)
        Swapping them does not change the result.

    Returns
    -------
    float

    Raises
    ------
    ContractError
        Unequal lengths, a negative count, or nothing counted.

    Examples
    --------
    >>> round(psi_from_counts([50, 50], [60, 40]), 4)
    0.0405
    """
    sides = {"reference_counts": reference_counts, "current_counts": current_counts}
    p, q = (_counted(counts, what) for what, counts in sides.items())
    if len(p) != len(q):
        refuse("current_counts", f"{len(p)} long", f"{len(q)} cells", "count both over the same cells")
    used = (p > 0) | (q > 0)
    p, q = (np.where(side[used] == 0, _EMPTY, side[used]) / side.sum() for side in (p, q))
    return float(((q - p) * np.log(q / p)).sum())


def psi_null(n_reference: int, n_current: int, bins: int, alpha: float = 0.05) -> float:
    """Return the PSI that a column without drift exceeds with probability alpha.

    Two samples of one distribution have a PSI of about (1/n + 1/m) times a chi-squared variable with bins - 1
    degrees of freedom. So with 200 rows a day 0.1 goes off by chance, and with a million a real shift stays far
    below it.

    Parameters
    ----------
    n_reference, n_current : int
        Rows of the two samples.
    bins : int
        Cells in use, missing values included; each should expect five rows or more.
    alpha : float
        False alarm rate of one reading. With k columns a day, alpha / k holds for the day.

    Returns
    -------
    float

    Raises
    ------
    ContractError
        Counts below 1, fewer than 2 bins, alpha not inside (0, 1).

    References
    ----------
    Yurdakul (2018), Statistical properties of population stability index, Western Michigan University.

    Examples
    --------
    >>> [round(psi_null(10_000, m, bins=10), 4) for m in (100, 1000, 100_000)]
    [0.1709, 0.0186, 0.0019]
    """
    for what, n in (("n_reference", n_reference), ("n_current", n_current)):
        if not n >= 1:
            refuse(what, "1 or more", repr(n), "give the number of rows")
    _require_bins(bins)
    if not 0 < alpha < 1:
        refuse("alpha", "above 0 and below 1", repr(alpha), "give it as a share, such as 0.05")
    return float((1 / n_reference + 1 / n_current) * scipy.stats.chi2.ppf(1 - alpha, bins - 1))


def psi_table(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    columns: Sequence[str] | None = None,
    bins: int = 10,
    *,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Return one row per column: its PSI, the threshold without drift, and whether it is above.

    Parameters
    ----------
    reference, current : pandas.DataFrame
    columns : sequence of str, optional
        All columns of ``reference`` by default; leave out identifiers and dates.
    bins : int
        As in :func:`psi`.
    alpha : float
        As in :func:`psi_null`, for one column.

    Returns
    -------
    pandas.DataFrame
        ``column``, ``cells`` (in use), ``missing_reference``, ``missing_current`` (shares), ``psi``, ``threshold``,
        ``alarm``. A column with one cell has no threshold and no alarm.

    Raises
    ------
    ContractError
        A missing column, and as :func:`psi`.

    Examples
    --------
    >>> before = pd.DataFrame({"plan": ["basic", "pro"] * 50, "visits": range(100)})
    >>> now = pd.DataFrame({"plan": ["basic"] * 80 + ["pro"] * 20, "visits": range(100)})
    >>> psi_table(before, now, bins=4)[["column", "cells", "psi", "threshold", "alarm"]].round(3)
       column  cells    psi  threshold  alarm
    0    plan      2  0.416      0.077   True
    1  visits      4  0.000      0.156  False
    """
    require_columns(reference, [], "reference")
    names = list(reference.columns) if columns is None else list(columns)
    require_columns(reference, names, "reference")
    require_columns(current, names, "current")
    return pd.DataFrame([_row(reference[name], current[name], name, bins, alpha) for name in names])


def ks(reference: npt.ArrayLike, current: npt.ArrayLike) -> Ks:
    """Return the Kolmogorov-Smirnov test of two samples of numbers; missing values are left out.

    Parameters
    ----------
    reference, current : array_like, shapes (n,) and (m,)

    Returns
    -------
    Ks
        The p-value is the large-sample one (the exact one fails on tied values); with ties it errs upwards.

    Raises
    ------
    ContractError
        No rows, no numbers, or nothing but missing values.

    References
    ----------
    Hodges (1958), The significance probability of the Smirnov two-sample test, Arkiv foer Matematik 3.

    Examples
    --------
    >>> ks([1, 2, 3, 4], [3, 4, 5, 6]).statistic
    0.5
    """
    left, right = (_present(values, what) for what, values in (("reference", reference), ("current", current)))
    result = scipy.stats.ks_2samp(left, right, method="asymp")
    return Ks(float(result.statistic), float(result.pvalue), len(left), len(right))


def _row(reference: pd.Series, current: pd.Series, name: str, bins: int, alpha: float) -> dict[str, Any]:
    whats = (f"reference, column {name!r}", f"current, column {name!r}")
    before, now = _cells(reference, current, bins, whats)
    used, value = int(((before > 0) | (now > 0)).sum()), psi_from_counts(before, now)
    threshold = psi_null(len(reference), len(current), used, alpha) if used > 1 else np.nan
    missing = {"missing_reference": reference.isna().mean(), "missing_current": current.isna().mean()}
    return {"column": name, "cells": used, **missing, "psi": value, "threshold": threshold, "alarm": value > threshold}


def _cells(
    reference: npt.ArrayLike, current: npt.ArrayLike, bins: int, whats: tuple[str, str]
) -> tuple[FloatArray, FloatArray]:
    """Return the counts of both sides by cell, the last being that of missing values."""
    _require_bins(bins)
    left, right = (_column(values, what) for values, what in zip((reference, current), whats, strict=True))
    gaps = [pd.isna(side) for side in (left, right)]
    given = [side[~gap] for side, gap in zip((left, right), gaps, strict=True)]
    numbers = [len(side) == 0 or side.dtype.kind in "iuf" for side in given]
    if numbers[0] != numbers[1] and all(len(side) for side in given):
        kinds = ["numbers" if is_number else "categories" for is_number in numbers]
        refuse(whats[1], f"{kinds[0]}, as the reference is", kinds[1], "give both sides one type")
    if all(numbers):
        cells, n_cells = _quantile_cells(given, bins)
    else:
        cells, n_cells = _category_cells(given, whats[0])
    counts = [np.bincount(side, minlength=n_cells) for side in cells]
    before, now = (np.append(c, gap.sum()).astype(float) for c, gap in zip(counts, gaps, strict=True))
    return before, now


def _column(values: npt.ArrayLike, what: str) -> npt.NDArray[Any]:
    if isinstance(values, pd.Series) and isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    raw = raw_column(values, what)
    if raw.dtype.kind in "mM":
        refuse(what, "numbers or categories", "dates", "turn them into days, or leave the column out")
    return raw


def _quantile_cells(given: list[npt.NDArray[Any]], bins: int) -> tuple[list[npt.NDArray[np.int64]], int]:
    sides = [side.astype(float) for side in given]
    if len(sides[0]) == 0:
        return [np.zeros(len(side), dtype=np.int64) for side in sides], 1
    # Edges that are values of the data move with them: any rising transformation leaves the cells as they are.
    inner = np.quantile(sides[0], np.linspace(0, 1, bins + 1)[1:-1], method="inverted_cdf")
    edges = np.unique(inner)
    return [np.searchsorted(edges, side, side="left") for side in sides], len(edges) + 1


def _category_cells(given: list[npt.NDArray[Any]], what: str) -> tuple[list[npt.NDArray[np.int64]], int]:
    codes, levels = pd.factorize(np.concatenate([side.astype(object) for side in given]))
    if len(levels) > _MOST_LEVELS:
        mend = "leave out identifiers, or group the rare ones"
        refuse(what, f"a column of at most {_MOST_LEVELS} categories", f"{len(levels)}", mend)
    return [codes[: len(given[0])], codes[len(given[0]) :]], len(levels)


def _counted(counts: npt.ArrayLike, what: str) -> FloatArray:
    array = np.asarray(counts, dtype=float)
    if array.ndim != 1 or not (array >= 0).all() or not array.sum() > 0:
        refuse(what, "a row of counts, some of them above 0", repr(array.tolist()), "count the rows of each cell")
    return array


def _require_bins(bins: int) -> None:
    if not bins >= 2:
        refuse("bins", "2 or more", repr(bins), "ask for about ten")


def _present(values: npt.ArrayLike, what: str) -> FloatArray:
    raw = raw_column(values, what)
    given = raw[~pd.isna(raw)]
    if len(given) == 0 or given.dtype.kind not in "iuf":
        got = "missing values only" if len(given) == 0 else shown(given[0])
        refuse(what, "numbers", got, "take psi for categories")
    return given.astype(float)
