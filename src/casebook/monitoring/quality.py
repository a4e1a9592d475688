"""Calibration and precision by period, with the labels that are not known yet counted apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, as_labels, as_probabilities, refuse, require_length
from casebook.decisions import wilson_interval


def calibration_over_time(p: npt.ArrayLike, y: npt.ArrayLike, period: npt.ArrayLike) -> pd.DataFrame:
    """Return, per period, the rate that was promised and the rate that came.

    Parameters
    ----------
    p : array_like, shape (n,)
        Probabilities.
    y : array_like, shape (n,)
        Labels, 0 or 1; missing where they cannot be known yet. Those rows are counted apart, never as 0.
    period : array_like, shape (n,)
        The period of each row's prediction: anything that sorts.

    Returns
    -------
    pandas.DataFrame
        ``period``, ``n`` (rows with a known label), ``events``, ``mean_p`` (of those rows), ``rate``, ``ratio``
        (rate / mean_p: 2 means twice as many as promised), ``low, high`` (Wilson's 95 % interval of the rate),
        ``unknown`` (rows without a label). Missing where no label is known.

    Raises
    ------
    ContractError
        Bad probabilities, labels other than 0, 1 or missing, unequal lengths, a missing period.

    Examples
    --------
    >>> table = calibration_over_time([0.2, 0.2, 0.3, 0.3], [0, 1, 0, None], ["Q1", "Q1", "Q2", "Q2"])
    >>> table[["period", "n", "events", "mean_p", "rate", "ratio", "unknown"]]
      period  n  events  mean_p  rate  ratio  unknown
    0     Q1  2       1     0.2   0.5    2.5        0
    1     Q2  1       0     0.3   0.0    0.0        1
    """
    probabilities, (labels, known) = as_probabilities(p), _labels_with_gaps(y)
    periods = _periods(period)
    for what, array in (("y", labels), ("period", periods)):
        require_length(array, len(probabilities), what)
    columns = {"n": known, "events": labels & known, "sum_p": np.where(known, probabilities, 0.0), "unknown": ~known}
    table = _sums(columns, periods)
    n = table["n"].to_numpy(dtype=float)
    mean_p, rate = _share(table["sum_p"].to_numpy(dtype=float), n), _share(table["events"].to_numpy(dtype=float), n)
    low, high = _interval(rate, n)
    made = {"mean_p": mean_p, "rate": rate, "ratio": _share(rate, mean_p), "low": low, "high": high}
    return table[["period", "n", "events"]].assign(**made, unknown=table["unknown"])


def precision_over_time(listed: npt.ArrayLike, y: npt.ArrayLike, period: npt.ArrayLike) -> pd.DataFrame:
    """Return, per period, the share of listed cases that were right, among those whose label is known.

    Parameters
    ----------
    listed : array_like of bool, shape (n,)
        True where the case was put on the list (acted on).
    y : array_like, shape (n,)
        Labels, 0 or 1; missing where they cannot be known yet.
    period : array_like, shape (n,)
        Anything that sorts.

    Returns
    -------
    pandas.DataFrame
        ``period``, ``listed`` (cases), ``known``, ``unknown``, ``hits``, ``precision`` (hits / known), ``low, high``
        (Wilson's 95 % interval), ``at_least, at_most`` (hits / listed if all unknown labels turn out 0, or 1).

    Raises
    ------
    ContractError
        As :func:`calibration_over_time`.

    Examples
    --------
    >>> table = precision_over_time([1, 1, 1, 1, 0], [1, 0, 1, None, 1], ["Q1", "Q1", "Q2", "Q2", "Q2"])
    >>> table[["period", "listed", "known", "unknown", "hits", "precision", "at_least", "at_most"]]
      period  listed  known  unknown  hits  precision  at_least  at_most
    0     Q1       2      2        0     1        0.5       0.5      0.5
    1     Q2       2      1        1     1        1.0       0.5      1.0
    """
    on_list, (labels, known), periods = as_labels(listed, "listed"), _labels_with_gaps(y), _periods(period)
    for what, array in (("y", labels), ("period", periods)):
        require_length(array, len(on_list), what)
    columns = {"listed": on_list, "known": on_list & known, "unknown": on_list & ~known}
    table = _sums({**columns, "hits": on_list & known & labels}, periods)
    cases, n, hits = (table[name].to_numpy(dtype=float) for name in ("listed", "known", "hits"))
    precision = _share(hits, n)
    low, high = _interval(precision, n)
    bounds = {"at_least": _share(hits, cases), "at_most": _share(hits + cases - n, cases)}
    return table.assign(precision=precision, low=low, high=high, **bounds)


def _labels_with_gaps(y: npt.ArrayLike) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return labels (False where missing) and whether each is known."""
    values = pd.Series(y).astype(object).reset_index(drop=True)
    known = values.notna()
    return as_labels(values.where(known, 0), "y"), known.to_numpy()


def _periods(period: npt.ArrayLike) -> Any:
    values = pd.Series(period).reset_index(drop=True)
    missing = values.isna().to_numpy()
    if missing.any():
        row = int(np.argmax(missing))
        refuse(f"period, row {row}", "a period", "a missing value", "fill it in or drop the row")
    return values


def _sums(columns: dict[str, npt.NDArray[Any]], periods: pd.Series) -> pd.DataFrame:
    numbers = {name: array.astype(np.int64) if array.dtype == bool else array for name, array in columns.items()}
    return pd.DataFrame(numbers).groupby(periods.rename("period"), observed=True).sum().reset_index()


def _share(part: FloatArray, whole: FloatArray) -> FloatArray:
    share: FloatArray = np.full(len(whole), np.nan)
    return np.divide(part, whole, out=share, where=whole > 0)


def _interval(rate: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray]:
    low, high = wilson_interval(rate, np.where(n > 0, n, np.nan))
    return low, high
