"""Every cut of a score on labelled cases, what it does and what it costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import BoolArray, FloatArray, labels_and_probabilities
from casebook.decisions._ranked import distinct_thresholds, sums_above
from casebook.decisions.costs import Costs, require_rows


@dataclass(frozen=True)
class Cut:
    """One row of :func:`sweep`: act on the cases with p > threshold."""

    threshold: float
    n_act: int
    tp: int
    fp: int
    fn: int
    tn: int
    precision: float
    recall: float
    fpr: float
    cost: float


def sweep(y: npt.ArrayLike, p: npt.ArrayLike, costs: Costs) -> pd.DataFrame:
    """Return every distinct cut of p with its counts, rates and cost, in O(n log n).

    Cases with equal p fall on one side together. Acting means p > threshold, as in :func:`decide`.

    Parameters
    ----------
    y : array_like, shape (n,)
        Labels, 0 or 1.
    p : array_like, shape (n,)
        Probabilities.
    costs : Costs
        Money per outcome, one number or one per case.

    Returns
    -------
    pandas.DataFrame
        One row per cut by rising threshold, from -inf (act on all) to the highest p (act on none):
        ``threshold, n_act, tp, fp, fn, tn, precision, recall, fpr, cost``. A rate with nothing below its
        line is NaN: precision where nobody is acted on, recall without positives, fpr without negatives.

    Raises
    ------
    ContractError
        Bad labels, probabilities or costs, or unequal lengths.

    Examples
    --------
    >>> sweep([0, 1, 1], [0.2, 0.2, 0.9], Costs(fp=1, fn=3))[["threshold", "n_act", "tp", "fp", "cost"]]
       threshold  n_act  tp  fp  cost
    0       -inf      3   2   1   1.0
    1        0.2      1   1   0   3.0
    2        0.9      0   0   0   6.0
    """
    labels, probabilities = labels_and_probabilities(y, p)
    require_rows(costs, len(labels))
    thresholds = distinct_thresholds(probabilities)
    hits = sums_above(probabilities, np.column_stack([labels, ~labels]).astype(float), thresholds)
    tp, fp = hits[:, 0], hits[:, 1]
    fn, tn = labels.sum() - tp, (~labels).sum() - fp
    if costs.n is None:
        cost = tp * costs.tp + fp * costs.fp + fn * costs.fn + tn * costs.tn
    else:
        cost = _cost_by_case(labels, probabilities, costs, thresholds)
    counts = {"n_act": tp + fp, "tp": tp, "fp": fp, "fn": fn, "tn": tn}
    rates = {"precision": _rate(tp, tp + fp), "recall": _rate(tp, tp + fn), "fpr": _rate(fp, fp + tn)}
    whole = {name: count.astype(int) for name, count in counts.items()}
    return pd.DataFrame({"threshold": thresholds, **whole, **rates, "cost": cost})


def best_cut(y: npt.ArrayLike, p: npt.ArrayLike, costs: Costs) -> Cut:
    """Return the cut that costs least on these cases; of equal ones the highest, which acts on fewest.

    The cost is that of hindsight: choose the cut on validation cases and measure it on others.

    Parameters
    ----------
    y, p, costs
        As in :func:`sweep`.

    Returns
    -------
    Cut

    Raises
    ------
    ContractError
        As :func:`sweep`.

    Examples
    --------
    >>> cut = best_cut([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.8], Costs(fp=1, fn=3))
    >>> cut.threshold, cut.fp, cut.fn, cut.cost
    (0.1, 1, 0, 1.0)
    """
    table = sweep(y, p, costs)
    last_of_least = len(table) - 1 - int(np.argmin(table["cost"].to_numpy()[::-1]))
    return Cut(**{str(name): table[name].iloc[last_of_least].item() for name in table.columns})


def _cost_by_case(y: BoolArray, p: FloatArray, costs: Costs, thresholds: FloatArray) -> FloatArray:
    acted = np.where(y, costs.tp, costs.fp)
    left = np.where(y, costs.fn, costs.tn)
    above = sums_above(p, np.column_stack([acted, left]), thresholds)
    return above[:, 0] + left.sum() - above[:, 1]


def _rate(part: FloatArray, whole: FloatArray) -> FloatArray:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)
