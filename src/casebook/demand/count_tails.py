"""Negative binomial tails: what is to be expected of demand of which only a lower bound was seen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from casebook.contracts import BoolArray, FloatArray, as_costs

_TINY = 1e-280  # a tail probability below it has lost its digits
_POISSON = 1e-6  # below this dispersion the negative binomial is a Poisson to six digits


def survival(mean: npt.ArrayLike, at_least: npt.ArrayLike, dispersion: float) -> FloatArray:
    """Return the probability of `at_least` units or more; the variance is mean + dispersion mean².

    Parameters
    ----------
    mean, at_least : array_like, shape (n,)
        Units.
    dispersion : float
        0 is the Poisson.

    Returns
    -------
    numpy.ndarray of float, shape (n,)

    Examples
    --------
    >>> survival([5, 5], [0, 3], dispersion=0).round(4).tolist()
    [1.0, 0.8753]
    """
    mean, k = np.asarray(mean, float), np.asarray(at_least, float)
    positive = np.maximum(k, 1)
    if dispersion < _POISSON:
        tail = special.gammainc(positive, mean)
    else:
        tail = special.betainc(positive, 1 / dispersion, dispersion * mean / (1 + dispersion * mean))
    return np.asarray(np.where(k <= 0, 1.0, tail))


def _log_mass(mean: FloatArray, k: FloatArray, dispersion: float) -> FloatArray:
    mean = np.maximum(mean, 1e-300)
    values = k * np.log(mean) - special.gammaln(k + 1)
    if dispersion < _POISSON:
        return values - mean
    size = 1 / dispersion
    values += special.gammaln(k + size) - special.gammaln(size) + k * np.log(dispersion)
    return values - (k + size) * np.log1p(dispersion * mean)


def truncated_mean(mean: npt.ArrayLike, at_least: npt.ArrayLike, dispersion: float) -> FloatArray:
    """Return the expected demand of a day on which it is known to be `at_least` so many units.

    ``E[D | D >= s] = mean + s (1 + dispersion mean) P(D = s) / P(D >= s)``.

    Parameters
    ----------
    mean, at_least : array_like, shape (n,)
        Units; the mean of all days, and what was sold before the shelf ran empty.
    dispersion : float
        The variance is mean + dispersion mean²; 0 is the Poisson.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        Units, never below `at_least` nor below `mean`.

    Raises
    ------
    ContractError
        Something negative or missing.

    Examples
    --------
    >>> truncated_mean([5, 5, 5], [0, 5, 50], dispersion=0.2).round(2).tolist()
    [5.0, 7.46, 51.16]
    """
    mean, k = np.asarray(as_costs(mean, "mean")), np.asarray(as_costs(at_least, "at_least"))
    return tail_moments(mean, k, float(as_costs(dispersion, "dispersion")))[0]


def tail_moments(mean: FloatArray, k: FloatArray, dispersion: float) -> tuple[FloatArray, FloatArray]:
    """Return mean and variance of D given D >= k, each of shape (n,); mean and k are arrays of shape (n,).

    In ``theta = log(success odds)`` the family is exponential: the variance is the derivative of the mean.

    Examples
    --------
    >>> mean, variance = tail_moments(np.array([5.0]), np.array([5.0]), dispersion=0.0)
    >>> mean.round(3).tolist(), variance.round(3).tolist()
    ([6.568], [2.541])
    """
    tail = survival(mean, k, dispersion)
    spread = 1 + dispersion * mean
    next_over_this = np.where(k > 0, mean * (1 + dispersion * k) / ((k + 1) * spread), 0.0)
    lost = tail < _TINY  # so far out, the tail is as good as geometric
    hazard = np.exp(_log_mass(mean, k, dispersion)) / np.where(lost, 1.0, tail)
    hazard = np.where(lost, 1 - np.minimum(next_over_this, 0.999), hazard)
    first = np.maximum(np.maximum(mean + k * spread * hazard, k), mean)
    variance = mean * spread * (1 + k * dispersion * hazard) + k * spread * hazard * (k - first)
    return first, np.maximum(variance, 0.0)


def expected_sales(mean: npt.ArrayLike, stock: npt.ArrayLike, dispersion: float) -> FloatArray:
    """Return the expected sales E[min(D, stock)] of a shelf that is filled once.

    Parameters
    ----------
    mean, stock : array_like, shape (n,)
        Expected demand and whole units on the shelf.
    dispersion : float
        The variance of demand is mean + dispersion mean²; 0 is the Poisson.

    Returns
    -------
    numpy.ndarray of float, shape (n,)

    Raises
    ------
    ContractError
        Something negative or missing.

    Examples
    --------
    >>> expected_sales([5, 5, 5], [0, 5, 100], dispersion=0).round(3).tolist()
    [0.0, 4.123, 5.0]
    """
    mean, k = np.asarray(as_costs(mean, "mean")), np.asarray(as_costs(stock, "stock"))
    dispersion = float(as_costs(dispersion, "dispersion"))
    return mean - survival(mean, k, dispersion) * (tail_moments(mean, k, dispersion)[0] - k)


def log_likelihood(mean: FloatArray, sold: FloatArray, out: BoolArray, dispersion: float) -> float:
    """Return the log likelihood of sales, of which those on stock-out days (`out`) only bound demand from below.

    Parameters
    ----------
    mean, sold, out : array, shape (n,)
        Expected demand, units sold, and whether the shelf ran empty.
    dispersion : float
        The variance of demand is mean + dispersion mean²; 0 is the Poisson.

    Examples
    --------
    >>> two = np.array([2.0, 2.0])
    >>> round(log_likelihood(two, np.array([1.0, 1.0]), np.array([False, True]), dispersion=0), 4)
    -1.4523
    """
    tail = np.maximum(survival(mean[out], sold[out], dispersion), _TINY)
    return float(_log_mass(mean[~out], sold[~out], dispersion).sum() + np.log(tail).sum())
