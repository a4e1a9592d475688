"""Precision-recall and ROC areas under many sets of weights at once, so that a bootstrap costs no more than a sort."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, labels_and_probabilities, refuse


def weighted_areas(y: npt.ArrayLike, p: npt.ArrayLike, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return average precision and ROC AUC under each row of weights; equal p count as one threshold.

    Parameters
    ----------
    y, p : array_like, shape (n,)
        Labels and probabilities.
    weights : numpy.ndarray, shape (resamples, n)
        How often each row counts.

    Returns
    -------
    tuple of numpy.ndarray, both of shape (resamples,)
        Average precision, AUC; missing where a class has no weight.

    Examples
    --------
    >>> areas = weighted_areas([0, 1, 1, 0], [0.1, 0.4, 0.8, 0.6], np.array([[1.0, 1, 1, 1], [1, 1, 1, 0]]))
    >>> [area.round(3).tolist() for area in areas]
    [[0.833, 1.0], [0.75, 1.0]]
    """
    labels, probabilities = labels_and_probabilities(y, p)
    order = np.argsort(-probabilities, kind="stable")
    starts = np.flatnonzero(np.diff(probabilities[order], prepend=np.inf))
    sorted_weights = weights[:, order]
    good = np.add.reduceat(sorted_weights * labels[order], starts, axis=1)
    bad = np.add.reduceat(sorted_weights * ~labels[order], starts, axis=1)
    hits, alarms = np.cumsum(good, axis=1), np.cumsum(bad, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(hits + alarms > 0, hits / (hits + alarms), 0.0)
        auprc = (good * precision).sum(axis=1) / hits[:, -1]
        auc = (bad * (hits - good / 2)).sum(axis=1) / (hits[:, -1] * alarms[:, -1])
    return auprc, auc


def account_weights(account: npt.ArrayLike, resamples: int, rng: np.random.Generator) -> FloatArray:
    """Return how often each row counts when whole companies are drawn with replacement.

    Parameters
    ----------
    account : array_like, shape (n,)
        Company of each row.
    resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray of float, shape (resamples, n)

    Raises
    ------
    ContractError
        ``resamples`` below 2.

    References
    ----------
    Davison and Hinkley (1997), Bootstrap methods and their application, section 3.8.

    Examples
    --------
    >>> account_weights([7, 7, 9], 2, np.random.default_rng(4)).tolist()
    [[2.0, 2.0, 0.0], [1.0, 1.0, 1.0]]
    """
    if resamples < 2:
        refuse("resamples", "2 or more", repr(resamples), "a few hundred give an interval")
    codes, names = pd.factorize(np.asarray(account))
    draws = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
    return draws[:, codes].astype(float)
