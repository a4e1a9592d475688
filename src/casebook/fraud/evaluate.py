"""How well a score ranks fraud, and whether its probabilities hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import (
    BoolArray,
    FloatArray,
    as_amounts,
    as_costs,
    as_labels,
    labels_and_probabilities,
    refuse,
    require_length,
    require_same_order,
)
from casebook.decisions import wilson_interval

BANDS = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Edges of the calibration bands. With one fraud in a thousand, bands of equal counts hold none but in the last."""

_ROUNDING = 1e-9  # 0.29 times 100 is a little less than 29, and must allow 29


def average_precision(
    y: npt.ArrayLike, score: npt.ArrayLike, *, prevalence: float | None = None, weight: npt.ArrayLike | None = None
) -> float:
    """Return the area under precision over recall: the mean precision as each fraud is found.

    A score that knows nothing gets the prevalence, so print the prevalence beside it. With ``prevalence`` the ROC is
    held fixed and only the mix changed: precision at a cut is then
    ``prevalence * recall / (prevalence * recall + (1 - prevalence) * fpr)``.

    Parameters
    ----------
    y : array_like, shape (n,)
        1 for fraud, both classes present.
    score : array_like, shape (n,)
        The higher the more suspicious; equal scores are cut together.
    prevalence : float, optional
        Share of fraud, in (0, 1), under which the same ROC is to be read; by default that of y.
    weight : array_like, shape (n,), optional
        How often each row counts, 0 or more; by default once.

    Returns
    -------
    float
        In (0, 1].

    Raises
    ------
    ContractError
        One class only, a score that is not finite, unequal lengths, a prevalence outside (0, 1).

    References
    ----------
    Davis and Goadrich (2006), The relationship between precision-recall and ROC curves, ICML.

    Examples
    --------
    >>> y, score = [0, 1, 0, 0, 1], [0.1, 0.9, 0.8, 0.2, 0.3]
    >>> round(average_precision(y, score), 4)
    0.8333
    >>> round(average_precision(y, score, prevalence=0.001), 4)
    0.5015
    """
    labels, scores = _both_classes(y, score)
    weights = np.ones(len(labels)) if weight is None else _weights(weight, labels)
    if prevalence is not None and not 0 < prevalence < 1:
        refuse("prevalence", "above 0 and below 1", f"{prevalence:g}", "give it as a share, such as 0.001")
    recall, fpr = roc_steps(labels, scores, weights)
    share = float(weights[labels].sum() / weights.sum()) if prevalence is None else prevalence
    caught = share * recall
    stopped = caught + (1 - share) * fpr
    precision = np.divide(caught, stopped, out=np.zeros_like(caught), where=stopped > 0)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def roc_steps(labels: BoolArray, scores: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return recall and false-positive rate after each distinct score, from the highest down.

    Parameters
    ----------
    labels, scores, weights : numpy.ndarray, shape (n,)
        Clean: both classes with weight.

    Returns
    -------
    tuple of numpy.ndarray, both of shape (number of distinct scores,)
        Both end at 1.

    Examples
    --------
    >>> recall, fpr = roc_steps(np.array([True, False, False]), np.array([0.5, 0.5, 0.1]), np.ones(3))
    >>> recall.tolist(), fpr.tolist()
    ([1.0, 1.0], [0.5, 1.0])
    """
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)
    y, weight = labels[order], weights[order]
    fraud, honest = (np.cumsum(np.where(which, weight, 0.0))[last] for which in (y, ~y))
    return fraud / fraud[-1], honest / honest[-1]


def cut_at_fpr(y: npt.ArrayLike, score: npt.ArrayLike, fpr: float) -> float:
    """Return the lowest threshold that stops at most a share ``fpr`` of the honest rows; stopping means score > cut.

    Parameters
    ----------
    y, score
        As in :func:`average_precision`.
    fpr : float
        In [0, 1].

    Returns
    -------
    float
        An honest row's score, or minus infinity if all may be stopped. Honest rows that tie with it pass.

    Raises
    ------
    ContractError
        As :func:`average_precision`, and for an fpr outside [0, 1].

    Examples
    --------
    >>> cut_at_fpr([0, 0, 0, 0, 1], [0.1, 0.2, 0.3, 0.6, 0.5], fpr=0.25)
    0.3
    """
    labels, scores = _both_classes(y, score)
    return _cut(labels, scores, fpr)


def recall_at_fpr(y: npt.ArrayLike, score: npt.ArrayLike, fpr: float) -> float:
    """Return the share of fraud above :func:`cut_at_fpr`, no point of the ROC interpolated.

    Parameters
    ----------
    y, score, fpr
        As in :func:`cut_at_fpr`.

    Returns
    -------
    float
        In [0, 1]. A score that knows nothing gets about ``fpr``.

    Raises
    ------
    ContractError
        As :func:`cut_at_fpr`.

    Examples
    --------
    >>> recall_at_fpr([0, 0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.6, 0.5, 0.7], fpr=0.1)
    0.5
    """
    labels, scores = _both_classes(y, score)
    return float(np.mean(scores[labels] > _cut(labels, scores, fpr)))


def bands(y: npt.ArrayLike, p: npt.ArrayLike, edges: Sequence[float] = BANDS) -> pd.DataFrame:
    """Return promised against observed fraud in fixed bands of the probability.

    Parameters
    ----------
    y : array_like, shape (n,)
    p : array_like, shape (n,)
        Probabilities.
    edges : sequence of float
        Rising, from 0 to 1. A p on an edge belongs to the band above it, and 1 to the last.

    Returns
    -------
    pandas.DataFrame
        One row a band that holds rows: ``p_from``, ``p_to``, ``n``, ``frauds``, ``promised`` (sum of p), ``mean_p``,
        ``observed``, ``low``, ``high`` (Wilson's 95% interval of ``observed``), ``holds`` (``mean_p`` inside it).

    Raises
    ------
    ContractError
        Bad labels or probabilities, unequal lengths, edges that do not rise from 0 to 1.

    Examples
    --------
    >>> table = bands([0, 0, 1, 1], [0.001, 0.2, 0.25, 0.9], edges=(0, 0.01, 0.5, 1))
    >>> table[["p_from", "p_to", "n", "frauds", "promised", "holds"]]
       p_from  p_to  n  frauds  promised  holds
    0    0.00  0.01  1       0     0.001   True
    1    0.01  0.50  2       1     0.450   True
    2    0.50  1.00  1       1     0.900   True
    """
    labels, probabilities = labels_and_probabilities(y, p)
    limits = np.asarray(edges, dtype=float)
    if len(limits) < 2 or limits[0] != 0 or limits[-1] != 1 or (np.diff(limits) <= 0).any():
        refuse("edges", "rising from 0 to 1", str(list(edges)), "start with 0, end with 1")
    band = np.searchsorted(limits[1:-1], probabilities, side="right")
    table = pd.DataFrame({"p": probabilities, "y": labels}).groupby(band).agg(
        n=("p", "size"), frauds=("y", "sum"), promised=("p", "sum"), mean_p=("p", "mean"), observed=("y", "mean")
    )  # fmt: skip
    low, high = wilson_interval(table["observed"].to_numpy(dtype=float), table["n"].to_numpy(dtype=float))
    table = table.assign(low=low, high=high, holds=table["mean_p"].between(low, high))
    table.insert(0, "p_from", limits[:-1][table.index])
    table.insert(1, "p_to", limits[1:][table.index])
    return table.reset_index(drop=True)


def labels_and_scores(y: npt.ArrayLike, score: npt.ArrayLike) -> tuple[BoolArray, FloatArray]:
    """Return labels and finite scores as fresh arrays of one length; a score need not be a probability.

    Examples
    --------
    >>> labels_and_scores([0, 1], [-3, 12])
    (array([False,  True]), array([-3., 12.]))
    """
    labels = as_labels(y)
    scores = np.atleast_1d(as_amounts(score, "score"))
    require_length(scores, len(labels), "score")
    require_same_order(y, score, "y and score")
    return labels, scores


def require_rate(value: float, what: str) -> None:
    """Refuse a rate outside [0, 1].

    Examples
    --------
    >>> require_rate(1, "fpr")
    """
    if not 0 <= value <= 1:
        refuse(what, "in [0, 1]", f"{value:g}", "give it as a share, such as 0.01")


def _both_classes(y: npt.ArrayLike, score: npt.ArrayLike) -> tuple[BoolArray, FloatArray]:
    labels, scores = labels_and_scores(y, score)
    if labels.all() or not labels.any():
        refuse("y", "labels of both classes", f"only {int(labels[0])}", "take rows of both")
    return labels, scores


def _weights(weight: npt.ArrayLike, labels: BoolArray) -> FloatArray:
    weights = np.broadcast_to(as_costs(weight, "weight", len(labels)), labels.shape)
    if not weights[labels].any() or not weights[~labels].any():
        refuse("weight", "above 0 in both classes", "a class without weight", "give every row its count")
    return weights


def _cut(labels: BoolArray, scores: FloatArray, fpr: float) -> float:
    require_rate(fpr, "fpr")
    honest = np.sort(scores[~labels])[::-1]
    allowed = int(np.floor(fpr * len(honest) + _ROUNDING))
    return float(honest[allowed]) if allowed < len(honest) else -np.inf
