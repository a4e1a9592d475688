"""Many readings of one A/A test: how often at least one of them is significant."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from casebook.contracts import refuse

_CHUNK = 4_000_000  # numbers in memory at a time
_FEWEST = 20
Floats = NDArray[np.float64]


def aa_readings(readings: pd.DataFrame, rng: np.random.Generator, splits: int = 500) -> Floats:
    """Split untreated users at random into two halves and return each reading's p-value.

    Parameters
    ----------
    readings : pandas.DataFrame, shape (n, k)
        A row a user, a column a reading: a metric, a cleaned metric, or a metric within a segment. Missing where the
        user is not part of that reading.
    rng : numpy.random.Generator
    splits : int
        How many, 1 or more.

    Returns
    -------
    numpy.ndarray of float, shape (splits, k)
        Two-sided, by a z-test on the two means with their own variances.

    Raises
    ------
    ContractError
        A reading of fewer than 20 users or one that does not vary, splits below 1.

    References
    ----------
    Gelman and Loken (2014), The statistical crisis in science, American Scientist 102(6).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> p = aa_readings(pd.DataFrame(rng.normal(size=(400, 10))), rng, splits=400)
    >>> p.shape, round(float((p < 0.05).mean()), 2)
    ((400, 10), 0.05)
    """
    y = readings.to_numpy(dtype=float)
    here = ~np.isnan(y)
    _check(readings, here, splits)
    filled = np.where(here, y - np.nanmean(y, axis=0), 0.0)
    sums = np.hstack([here, filled, filled**2])
    found = [_p_values(arms, sums) for arms in _halves(len(y), int(splits), rng)]
    return np.concatenate(found)


def within_segments(metric: pd.Series, segments: pd.DataFrame, depth: int = 1, fewest: int = 200) -> pd.DataFrame:
    """Return a metric once whole and once within every segment, as readings for :func:`aa_readings`.

    Parameters
    ----------
    metric : pandas.Series, shape (n,)
    segments : pandas.DataFrame, shape (n, c)
        Labels, a column a way of cutting.
    depth : int
        How many columns are crossed at most.
    fewest : int
        Segments with fewer users are left out.

    Returns
    -------
    pandas.DataFrame, shape (n, k)
        The first column is ``whole``.

    Examples
    --------
    >>> cut = pd.DataFrame({"phone": list("aabb"), "land": list("xyxy")})
    >>> within_segments(pd.Series([1.0, 2, 3, 4]), cut, fewest=2).columns.tolist()
    ['whole', 'phone a', 'phone b', 'land x', 'land y']
    """
    columns = {"whole": metric.astype(float)}
    for size in range(1, depth + 1):
        for names in combinations(segments.columns, size):
            for label, rows in segments.groupby(list(names), observed=True):
                if len(rows) >= fewest:
                    words = ", ".join(f"{name} {part}" for name, part in zip(names, label, strict=True))
                    columns[words] = columns["whole"].where(metric.index.isin(rows.index))
    return pd.DataFrame(columns)


def _check(readings: pd.DataFrame, here: NDArray[np.bool_], splits: int) -> None:
    if splits < 1:
        refuse("splits", "1 or more", str(splits), "take some hundreds")
    for name, column, inside in zip(readings.columns, readings.to_numpy(dtype=float).T, here.T, strict=True):
        if inside.sum() < _FEWEST or np.ptp(column[inside]) == 0:
            got = f"{inside.sum()} that have it"
            refuse(f"reading {name!r}", f"of {_FEWEST} users or more who differ", got, "leave it out")


def _halves(n: int, splits: int, rng: np.random.Generator) -> Iterator[Floats]:
    base, step = (np.arange(n) < n // 2).astype(float), max(1, _CHUNK // n)
    for start in range(0, splits, step):
        yield rng.permuted(np.tile(base, (min(step, splits - start), 1)), axis=1)


def _p_values(arms: Floats, sums: Floats) -> Floats:
    inside = arms @ sums
    mean_in, var_in = _moments(inside)
    mean_out, var_out = _moments(sums.sum(axis=0) - inside)
    return np.asarray(2 * norm.sf(np.abs(mean_in - mean_out) / np.sqrt(var_in + var_out)))


def _moments(sums: Floats) -> tuple[Floats, Floats]:
    """Return each reading's mean and that mean's variance, from counts, sums and sums of squares side by side."""
    count, total, square = np.split(sums, 3, axis=1) if sums.ndim == 2 else np.split(sums, 3)
    mean = total / count
    return mean, (square / count - mean**2) / (count - 1)
