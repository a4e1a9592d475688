"""Deciding while the cost ratio is not known for sure.

A ratio is cost_fn / cost_fp throughout, and costs are counted in units of cost_fp.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import (
    BoolArray,
    FloatArray,
    as_amounts,
    as_labels,
    labels_and_probabilities,
    refuse,
    require_length,
)
from casebook.decisions._ranked import distinct_thresholds, sums_above


@dataclass(frozen=True)
class RegretCut:
    """The cut whose worst regret is least.

    Parameters
    ----------
    threshold : float
        Act on p > threshold.
    regret : float
        Its largest regret over the ratios, in units of cost_fp.
    worst_ratio : float
        The ratio at which that regret occurs.
    """

    threshold: float
    regret: float
    worst_ratio: float


def threshold_range(ratio_low: float, ratio_high: float) -> tuple[float, float]:
    """Return the lowest and highest threshold that a range of cost ratios allows.

    Parameters
    ----------
    ratio_low, ratio_high : float
        Bounds of cost_fn / cost_fp, above 0.

    Returns
    -------
    tuple of float
        1 / (1 + ratio_high) and 1 / (1 + ratio_low). A case whose p lies outside is decided whatever the
        ratio.

    Raises
    ------
    ContractError
        A ratio of 0 or less, or bounds the wrong way round.

    Examples
    --------
    >>> threshold_range(9, 19)
    (0.05, 0.1)
    """
    low, high = _ratios([ratio_low, ratio_high])
    if low > high:
        refuse("ratio_low", "at most ratio_high", f"{low:g} against {high:g}", "swap the two")
    return float(1 / (1 + high)), float(1 / (1 + low))


def regret_table(y: npt.ArrayLike, p: npt.ArrayLike, ratios: npt.ArrayLike, thresholds: npt.ArrayLike) -> pd.DataFrame:
    """Return what each threshold costs above the best cut of the same cases, for each cost ratio.

    Parameters
    ----------
    y : array_like, shape (n,)
        Labels, 0 or 1.
    p : array_like, shape (n,)
        Probabilities.
    ratios : array_like, shape (r,)
        Values of cost_fn / cost_fp, above 0.
    thresholds : array_like, shape (t,)
        Act on p > threshold.

    Returns
    -------
    pandas.DataFrame, shape (r, t)
        Regret in units of cost_fp, summed over the cases; index ``ratio``, columns ``threshold``. Never
        negative.

    Raises
    ------
    ContractError
        Bad labels, probabilities or ratios, unequal lengths.

    References
    ----------
    Savage (1951), The theory of statistical decision, JASA 46.

    Examples
    --------
    >>> regret_table([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.8], ratios=[1, 9], thresholds=[0.2, 0.5])
    threshold  0.2  0.5
    ratio
    1.0        0.0  0.0
    9.0        0.0  8.0
    """
    labels, probabilities = labels_and_probabilities(y, p)
    prices = _ratios(ratios)
    cuts = np.atleast_1d(as_amounts(thresholds, "thresholds"))
    best = _costs_at(labels, probabilities, prices, distinct_thresholds(probabilities)).min(axis=1)
    regret = _costs_at(labels, probabilities, prices, cuts) - best[:, None]
    return pd.DataFrame(regret, pd.Index(prices, name="ratio"), pd.Index(cuts, name="threshold"))


def minimax_regret_cut(y: npt.ArrayLike, p: npt.ArrayLike, ratios: npt.ArrayLike) -> RegretCut:
    """Return the cut with the least worst regret over cost ratios; of equal ones the highest.

    The regret of a cut is convex in the ratio, so for a range of ratios its two ends are enough.

    Parameters
    ----------
    y, p, ratios
        As in :func:`regret_table`.

    Returns
    -------
    RegretCut

    Raises
    ------
    ContractError
        As :func:`regret_table`.

    Examples
    --------
    >>> minimax_regret_cut([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.8], ratios=[0.5, 9])
    RegretCut(threshold=0.1, regret=0.5, worst_ratio=0.5)
    """
    labels, probabilities = labels_and_probabilities(y, p)
    prices = _ratios(ratios)
    cuts = distinct_thresholds(probabilities)
    costs = _costs_at(labels, probabilities, prices, cuts)
    regret = costs - costs.min(axis=1, keepdims=True)
    worst = regret.max(axis=0)
    chosen = len(worst) - 1 - int(np.argmin(worst[::-1]))
    return RegretCut(float(cuts[chosen]), float(worst[chosen]), float(prices[np.argmax(regret[:, chosen])]))


def flip_ratio(y: npt.ArrayLike, act_a: npt.ArrayLike, act_b: npt.ArrayLike) -> float:
    """Return the cost ratio cost_fn / cost_fp at which two policies cost the same.

    Above it the policy that misses fewer positives is the cheaper, below it the other:
    (fp_a - fp_b) / (fn_b - fn_a).

    Parameters
    ----------
    y : array_like, shape (n,)
        Labels, 0 or 1.
    act_a, act_b : array_like, shape (n,)
        Decisions of the two policies.

    Returns
    -------
    float
        NaN if one policy is at least as good at every ratio.

    Raises
    ------
    ContractError
        Bad labels or decisions, unequal lengths.

    Examples
    --------
    >>> y = [0, 0, 0, 1, 1]
    >>> flip_ratio(y, act_a=[0, 0, 0, 0, 1], act_b=[1, 1, 1, 1, 1])
    3.0
    """
    labels = as_labels(y)
    a, b = as_labels(act_a, "act_a"), as_labels(act_b, "act_b")
    require_length(a, len(labels), "act_a")
    require_length(b, len(labels), "act_b")
    fewer_false_alarms = int((a & ~labels).sum() - (b & ~labels).sum())
    more_misses = int((~b & labels).sum() - (~a & labels).sum())
    if fewer_false_alarms * more_misses <= 0:
        return float("nan")
    return fewer_false_alarms / more_misses


def _costs_at(y: BoolArray, p: FloatArray, ratios: FloatArray, thresholds: FloatArray) -> FloatArray:
    """Return the cost of each threshold for each ratio, shape (r, t), in units of cost_fp."""
    hits = sums_above(p, np.column_stack([y, ~y]).astype(float), thresholds)
    return hits[:, 1] + ratios[:, None] * (y.sum() - hits[:, 0])


def _ratios(values: npt.ArrayLike) -> FloatArray:
    ratios = np.atleast_1d(as_amounts(values, "ratios"))
    if (ratios <= 0).any():
        row = int(np.argmax(ratios <= 0))
        refuse(f"ratios, row {row}", "above 0", f"{ratios[row]:g}", "divide cost_fn by cost_fp")
    return ratios
