"""Sums over the cases above a cut, for all cuts at once."""

from __future__ import annotations

import numpy as np

from casebook.contracts import FloatArray


def sums_above(p: FloatArray, weights: FloatArray, thresholds: FloatArray) -> FloatArray:
    """Return the sum of each weight over the cases with p > threshold, in O(n log n).

    Parameters
    ----------
    p : numpy.ndarray, shape (n,)
    weights : numpy.ndarray, shape (n, m)
    thresholds : numpy.ndarray, shape (t,)

    Returns
    -------
    numpy.ndarray, shape (t, m)

    Examples
    --------
    >>> sums_above(np.array([0.1, 0.9, 0.5]), np.array([[1.0], [2.0], [4.0]]), np.array([0.0, 0.5]))
    array([[7.],
           [2.]])
    """
    order = np.argsort(p, kind="stable")
    from_top = np.zeros((len(p) + 1, weights.shape[1]))
    from_top[:-1] = np.cumsum(weights[order][::-1], axis=0)[::-1]
    return from_top[np.searchsorted(p[order], thresholds, side="right")]


def distinct_thresholds(p: FloatArray) -> FloatArray:
    """Return one threshold per distinct cut, rising: -inf (act on all), then each distinct p.

    Acting means p > threshold, so the highest p acts on none.

    Examples
    --------
    >>> distinct_thresholds(np.array([0.2, 0.9, 0.2]))
    array([-inf,  0.2,  0.9])
    """
    return np.concatenate([[-np.inf], np.unique(p)])
