"""Probabilities that were learned at one base rate and are used at another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from casebook.contracts import FloatArray, as_probabilities, refuse


def shift_prior(p: npt.ArrayLike, base_rate_old: float, base_rate_new: float) -> FloatArray:
    """Return p as it would be at another base rate, if each class looks as it did.

    The odds are multiplied by (odds of the new base rate) / (odds of the old one).

    Parameters
    ----------
    p : array_like, shape (n,)
        Calibrated probabilities at the old base rate.
    base_rate_old, base_rate_new : float
        Share of positives, in (0, 1).

    Returns
    -------
    numpy.ndarray of float, shape (n,)

    Raises
    ------
    ContractError
        Bad probabilities, a base rate outside (0, 1).

    References
    ----------
    Saerens, Latinne and Decaestecker (2002), Adjusting the outputs of a classifier to new a priori
    probabilities, Neural Computation 14.

    Examples
    --------
    >>> shift_prior([0.5], base_rate_old=0.5, base_rate_new=0.02)
    array([0.02])
    """
    probabilities = as_probabilities(p)
    _require_rate(base_rate_old, "base_rate_old")
    _require_rate(base_rate_new, "base_rate_new")
    return _reweighted(probabilities, base_rate_new / base_rate_old, (1 - base_rate_new) / (1 - base_rate_old))


def undo_undersampling(p: npt.ArrayLike, keep_negatives: float) -> FloatArray:
    """Return p as it would be had no negatives been dropped before the fit.

    Parameters
    ----------
    p : array_like, shape (n,)
        Probabilities from a model that was fitted with only some of the negatives.
    keep_negatives : float
        Share of negatives that were kept, in (0, 1].

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        keep * p / (keep * p + 1 - p).

    Raises
    ------
    ContractError
        Bad probabilities, a share outside (0, 1].

    References
    ----------
    Dal Pozzolo, Caelen, Johnson and Bontempi (2015), Calibrating probability with undersampling for
    unbalanced classification, IEEE SSCI; Elkan (2001), theorem 2.

    Examples
    --------
    >>> undo_undersampling([0.5], keep_negatives=0.25)
    array([0.2])
    """
    probabilities = as_probabilities(p)
    if not 0 < keep_negatives <= 1:
        refuse("keep_negatives", "above 0 and at most 1", f"{keep_negatives:g}", "give the share kept")
    return _reweighted(probabilities, keep_negatives, 1.0)


def estimate_base_rate(
    p: npt.ArrayLike, base_rate_old: float, tolerance: float = 1e-10, max_steps: int = 10_000
) -> float:
    """Return the base rate of unlabelled cases under which their probabilities are likeliest, by EM.

    It holds if only the base rate has changed and p was calibrated at the old one.

    Parameters
    ----------
    p : array_like, shape (n,)
        Probabilities of the new cases, calibrated at the old base rate.
    base_rate_old : float
        In (0, 1).
    tolerance : float
        EM stops when a step moves the rate by less.
    max_steps : int
        EM stops after so many steps in any case; near 0 or 1 it creeps.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ContractError
        Bad probabilities, a base rate outside (0, 1).

    References
    ----------
    Saerens, Latinne and Decaestecker (2002), as in :func:`shift_prior`.

    Examples
    --------
    >>> round(estimate_base_rate([0.9, 0.1, 0.1, 0.1], base_rate_old=0.5), 4)
    0.1875
    """
    probabilities = as_probabilities(p)
    _require_rate(base_rate_old, "base_rate_old")
    rate = base_rate_old
    for _ in range(max_steps):
        shifted = _reweighted(probabilities, rate / base_rate_old, (1 - rate) / (1 - base_rate_old))
        before, rate = rate, float(shifted.mean())
        if abs(rate - before) < tolerance:
            break
    return rate


def _reweighted(p: FloatArray, weight_positive: float, weight_negative: float) -> FloatArray:
    positive = weight_positive * p
    return np.asarray(positive / (positive + weight_negative * (1 - p)))


def _require_rate(value: float, what: str) -> None:
    if not 0 < value < 1:
        refuse(what, "above 0 and below 1", f"{value:g}", "give it as a share, such as 0.02")
