"""How often rules for the sample ratio raise an alarm in a test that is looked at every day and in every segment."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2

from casebook.contracts import refuse
from casebook.experiments._inputs import open_share
from casebook.experiments.srm_sequential import log_e_value
from casebook.experiments.srm_size import as_shares

Floats = NDArray[np.float64]


def srm_alarms(
    units: npt.ArrayLike,
    planned: npt.ArrayLike,
    true: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    tests: int = 1_000,
    alpha: float = 0.01,
) -> pd.DataFrame:
    """Play tests and return how often each rule raises an alarm, and on which day it does.

    Every rule reads running totals of units after each day. Those by segment read every segment's own.

    Parameters
    ----------
    units : array_like of int, shape (days, segments)
        New units of each day and segment, in all arms together.
    planned : array_like, shape (arms,)
        Designed shares.
    true : array_like, shape (arms,) or (segments, arms)
        Shares with which units really reach the arms; the planned ones for a sound test.
    rng : numpy.random.Generator
    tests : int
    alpha : float
        The level of each rule.

    Returns
    -------
    pandas.DataFrame
        One row per rule: ``alarm`` (share of the tests with one on any day), ``day`` (median day of the first alarm,
        from 1; missing where fewer than half of the tests have one).

    Raises
    ------
    ContractError
        Units that are no table of whole numbers, shares that do not sum to 1.

    Examples
    --------
    >>> units, plan = np.full((14, 2), 5_000), [0.05, 0.05, 0.90]
    >>> srm_alarms(units, plan, plan, np.random.default_rng(0))["alarm"]
    once, at the end                             0.006
    every day                                    0.053
    every day and segment                        0.137
    every day and segment, Holm                  0.003
    every day, always valid                      0.001
    every day and segment, always valid, Holm    0.000
    Name: alarm, dtype: float64
    """
    cells, part, limit = _cells(units), as_shares(planned, "planned"), open_share(alpha, "alpha")
    really = np.broadcast_to(np.asarray(true, dtype=float), (cells.shape[1], len(part)))
    for row in really:
        as_shares(row, "true", empty_arms=True)
    drawn = np.stack([rng.multinomial(day, really, size=(tests, len(day))) for day in cells], axis=1)
    seen = np.cumsum(drawn, axis=1).astype(float)  # (tests, days, segments, arms)
    whole = seen.sum(axis=2)
    return _table(_alarms(whole, seen, _p(whole, part), _p(seen, part), part, limit))


def _alarms(
    whole: Floats, seen: Floats, p_whole: Floats, p_parts: Floats, part: Floats, limit: float
) -> dict[str, NDArray[np.bool_]]:
    """Return whether each rule alarms in each test and on each day, shape (tests, days) each."""
    segments = p_parts.shape[2]
    family = p_parts[0].size + p_whole[0].size
    smallest = np.minimum(p_whole, p_parts.min(axis=2))
    e_whole, e_parts = log_e_value(whole, part), log_e_value(seen, part).max(axis=2)
    at_end = np.zeros(p_whole.shape, dtype=bool)
    at_end[:, -1] = p_whole[:, -1] < limit
    return {
        "once, at the end": at_end,
        "every day": p_whole < limit,
        "every day and segment": smallest < limit,
        # Whether Holm rejects anything at all hangs on the smallest p alone, which it holds against alpha / m.
        "every day and segment, Holm": smallest < limit / family,
        "every day, always valid": e_whole > np.log(1 / limit),
        "every day and segment, always valid, Holm": np.maximum(e_whole, e_parts) > np.log((segments + 1) / limit),
    }


def _p(counts: Floats, shares: Floats) -> Floats:
    expected = counts.sum(axis=-1, keepdims=True) * shares
    statistic = ((counts - expected) ** 2 / np.where(expected > 0, expected, 1.0)).sum(axis=-1)
    return np.asarray(chi2.sf(statistic, len(shares) - 1))


def _cells(units: npt.ArrayLike) -> NDArray[np.int64]:
    cells = np.asarray(units)
    if cells.ndim != 2 or not np.issubdtype(cells.dtype, np.integer) or cells.size == 0 or cells.min() < 0:
        refuse("units", "a table of whole numbers, days by segments", f"shape {cells.shape}", "count new units")
    return cells.astype(np.int64)


def _table(alarms: dict[str, NDArray[np.bool_]]) -> pd.DataFrame:
    rows = {}
    for rule, raised in alarms.items():
        any_day = raised.any(axis=1)
        first = np.where(any_day, raised.argmax(axis=1) + 1.0, np.inf)
        middle = float(np.sort(first)[len(first) // 2])
        rows[rule] = (float(any_day.mean()), middle if np.isfinite(middle) else np.nan)
    return pd.DataFrame.from_dict(rows, orient="index", columns=["alarm", "day"])
