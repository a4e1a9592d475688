"""What a picture of cost shows: over all cost ratios, and over all thresholds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import BoolArray, as_amounts, labels_and_probabilities, refuse
from casebook.decisions._ranked import distinct_thresholds, sums_above
from casebook.decisions.costs import Costs, require_rows


def cost_curve(y: npt.ArrayLike, p: npt.ArrayLike, n_points: int = 101) -> pd.DataFrame:
    """Return the least normalised expected cost of a score over all class mixes and cost ratios.

    On the x axis stands the probability-cost of positives, base_rate * cost_fn / (base_rate * cost_fn +
    (1 - base_rate) * cost_fp); a cut is the straight line (1 - recall) * x + fpr * (1 - x), and the score's
    curve is the lower envelope of its cuts. Cost 1 is that of the worst possible decisions.

    Parameters
    ----------
    y : array_like, shape (n,)
        Labels, 0 or 1, both present.
    p : array_like, shape (n,)
        Probabilities.
    n_points : int
        Points on the x axis.

    Returns
    -------
    pandas.DataFrame
        ``probability_cost``, ``model``, the ``threshold`` that attains it (the highest of equal ones),
        ``act_on_none``, ``act_on_all``.

    Raises
    ------
    ContractError
        One class only; otherwise as :func:`sweep`.

    References
    ----------
    Drummond and Holte (2006), Cost curves, Machine Learning 65.

    Examples
    --------
    >>> cost_curve([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.8], n_points=3)
       probability_cost  model  threshold  act_on_none  act_on_all
    0               0.0   0.00        0.8          0.0         1.0
    1               0.5   0.25        0.4          0.5         0.5
    2               1.0   0.00        0.1          1.0         0.0
    """
    labels, probabilities = labels_and_probabilities(y, p)
    if labels.all() or not labels.any():
        refuse("y", "labels of both classes", f"only {int(labels[0])}", "take cases of both")
    thresholds = distinct_thresholds(probabilities)[::-1]
    shares = np.column_stack([labels / labels.sum(), ~labels / (~labels).sum()])
    recall, fpr = sums_above(probabilities, shares, thresholds).T
    x = np.linspace(0, 1, n_points)
    best = np.array([int(np.argmin((1 - recall) * at + fpr * (1 - at))) for at in x])
    model = (1 - recall[best]) * x + fpr[best] * (1 - x)
    columns = {"probability_cost": x, "model": model, "threshold": thresholds[best]}
    return pd.DataFrame({**columns, "act_on_none": x, "act_on_all": 1 - x})


def where_money_goes(y: npt.ArrayLike, p: npt.ArrayLike, costs: Costs, thresholds: npt.ArrayLike) -> pd.DataFrame:
    """Return how the total cost divides between false alarms and misses as the threshold moves.

    Parameters
    ----------
    y, p, costs
        As in :func:`sweep`.
    thresholds : array_like, shape (t,)
        Act on p > threshold.

    Returns
    -------
    pandas.DataFrame
        ``threshold``, ``cost_fp_part``, ``cost_fn_part``, ``cost_right_part`` (of right decisions; 0 unless
        tp or tn costs something), ``total`` (what :func:`money` returns); money.

    Raises
    ------
    ContractError
        As :func:`sweep`.

    Examples
    --------
    >>> where_money_goes([0, 0, 1], [0.1, 0.6, 0.4], Costs(fp=5, fn=95), [0.05, 0.5])
       threshold  cost_fp_part  cost_fn_part  cost_right_part  total
    0       0.05          10.0           0.0              0.0   10.0
    1       0.50           5.0          95.0              0.0  100.0
    """
    labels, probabilities = labels_and_probabilities(y, p)
    require_rows(costs, len(labels))
    cuts = np.atleast_1d(as_amounts(thresholds, "thresholds"))
    weights = np.column_stack([_only(~labels, costs.fp), _only(labels, costs.fn), _only(labels, costs.tp)])
    weights = np.column_stack([weights, _only(~labels, costs.tn)])
    fp_part, fn_saved, tp_part, tn_saved = sums_above(probabilities, weights, cuts).T
    fn_part = weights[:, 1].sum() - fn_saved
    right_part = tp_part + weights[:, 3].sum() - tn_saved
    parts = {"cost_fp_part": fp_part, "cost_fn_part": fn_part, "cost_right_part": right_part}
    return pd.DataFrame({"threshold": cuts, **parts, "total": fp_part + fn_part + right_part})


def _only(where: BoolArray, cost: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return np.where(where, cost, 0.0).astype(float)
