"""Whether a probability means what it says, and two ways to make it so."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from casebook.contracts import BoolArray, FloatArray, as_probabilities, labels_and_probabilities, refuse

# A probability of exactly 0 or 1 has no finite log odds; it is taken as this far from the end.
_CLIP = 1e-6
# sklearn's default stops 1e-3 short of the maximum on easy problems.
_SOLVER = {"tol": 1e-8, "max_iter": 1000}


@dataclass(frozen=True)
class PlattCalibrator:
    """A logistic curve on the log odds of p: new log odds = intercept + slope * old log odds."""

    slope: float
    intercept: float

    def __call__(self, p: npt.ArrayLike) -> FloatArray:
        """Return calibrated probabilities, shape (n,)."""
        return _expit(self.intercept + self.slope * _logit(as_probabilities(p)))


@dataclass(frozen=True, eq=False)
class IsotonicCalibrator:
    """A rising broken line through (knots_p, knots_rate), flat beyond its ends."""

    knots_p: FloatArray
    knots_rate: FloatArray

    def __call__(self, p: npt.ArrayLike) -> FloatArray:
        """Return calibrated probabilities, shape (n,)."""
        return np.interp(as_probabilities(p), self.knots_p, self.knots_rate)


def reliability(y: npt.ArrayLike, p: npt.ArrayLike, n_bins: int = 10) -> pd.DataFrame:
    """Return predicted against observed rates in bins of about equal counts.

    Parameters
    ----------
    y : array_like, shape (n,)
        Labels, 0 or 1.
    p : array_like, shape (n,)
        Probabilities.
    n_bins : int
        Bins asked for; equal p stay together, so that tied p give fewer.

    Returns
    -------
    pandas.DataFrame
        ``bin_low, bin_high`` (smallest and largest p inside), ``n, mean_p, observed, low, high``: the last
        two are Wilson's 95 % interval of the observed rate.

    Raises
    ------
    ContractError
        Bad labels or probabilities, unequal lengths, n_bins below 1.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.

    Examples
    --------
    >>> reliability([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.6, 0.7, 0.8], n_bins=2).round(2)
       bin_low  bin_high  n  mean_p  observed   low  high
    0      0.1       0.3  3     0.2      0.33  0.06  0.79
    1      0.6       0.8  3     0.7      0.67  0.21  0.94
    """
    labels, probabilities = labels_and_probabilities(y, p)
    if n_bins < 1:
        refuse("n_bins", "1 or more", repr(n_bins), "ask for about ten")
    inner = np.unique(np.quantile(probabilities, np.linspace(0, 1, n_bins + 1)[1:-1]))
    groups = pd.DataFrame({"p": probabilities, "y": labels}).groupby(np.searchsorted(inner, probabilities))
    table = groups.agg(
        bin_low=("p", "min"), bin_high=("p", "max"), n=("p", "size"), mean_p=("p", "mean"), observed=("y", "mean")
    ).reset_index(drop=True)
    low, high = wilson_interval(table["observed"].to_numpy(dtype=float), table["n"].to_numpy(dtype=float))
    return table.assign(low=low, high=high)


def wilson_interval(rate: FloatArray, n: FloatArray, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Return Wilson's interval for observed rates out of n cases each.

    Examples
    --------
    >>> low, high = wilson_interval(np.array([0.0]), np.array([10.0]))
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.0], [0.278])
    """
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    middle = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (rate * (1 - rate) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


def calibration_error(y: npt.ArrayLike, p: npt.ArrayLike, n_bins: int = 10) -> float:
    """Return the expected calibration error: the mean gap between predicted and observed rate.

    It is above 0 even for perfect probabilities, as observed rates are noisy: compare it with that of labels
    drawn from p.

    Parameters
    ----------
    y, p, n_bins
        As in :func:`reliability`.

    Returns
    -------
    float
        In [0, 1]; each bin weighs by its count.

    References
    ----------
    Naeini, Cooper and Hauskrecht (2015), Obtaining well calibrated probabilities using Bayesian binning,
    AAAI.

    Examples
    --------
    >>> calibration_error([0, 1, 0, 1], [0.4, 0.4, 0.9, 0.9], n_bins=2)
    0.25
    """
    table = reliability(y, p, n_bins)
    gap = (table["observed"] - table["mean_p"]).abs()
    return float(np.average(gap, weights=table["n"]))


def fit_platt(y: npt.ArrayLike, p: npt.ArrayLike) -> PlattCalibrator:
    """Fit a logistic curve to labels over the log odds of p, without a penalty.

    Platt's smoothing of the labels is left out. Fit it on cases that the model has not seen.

    Parameters
    ----------
    y : array_like, shape (n,)
        Labels, 0 or 1, both present and not perfectly separated by p.
    p : array_like, shape (n,)
        Probabilities to be calibrated.

    Returns
    -------
    PlattCalibrator

    Raises
    ------
    ContractError
        One class only, bad labels or probabilities, unequal lengths.

    References
    ----------
    Platt (1999), Probabilistic outputs for support vector machines.

    Examples
    --------
    >>> calibrate = fit_platt([0, 0, 0, 1, 0, 1], [0.3, 0.3, 0.3, 0.3, 0.6, 0.6])
    >>> calibrate([0.3, 0.6]).round(3)
    array([0.25, 0.5 ])
    """
    labels, probabilities = _both_classes(y, p)
    model = LogisticRegression(C=np.inf, **_SOLVER).fit(_logit(probabilities)[:, None], labels)
    return PlattCalibrator(slope=float(model.coef_[0, 0]), intercept=float(model.intercept_[0]))


def fit_isotonic(y: npt.ArrayLike, p: npt.ArrayLike) -> IsotonicCalibrator:
    """Fit the best rising curve to labels over p.

    It needs more cases than :func:`fit_platt` (a thousand, as a rule) and ties neighbours in p together.

    Parameters
    ----------
    y, p
        As in :func:`fit_platt`.

    Returns
    -------
    IsotonicCalibrator

    Raises
    ------
    ContractError
        As :func:`fit_platt`.

    References
    ----------
    Zadrozny and Elkan (2002), Transforming classifier scores into accurate multiclass probability estimates,
    KDD.

    Examples
    --------
    >>> calibrate = fit_isotonic([0, 1, 0, 1], [0.1, 0.3, 0.4, 0.9])
    >>> calibrate([0.1, 0.3, 0.4, 0.9])
    array([0. , 0.5, 0.5, 1. ])
    """
    labels, probabilities = _both_classes(y, p)
    model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    model.fit(probabilities, labels.astype(float))
    return IsotonicCalibrator(model.X_thresholds_.astype(float), model.y_thresholds_.astype(float))


def _both_classes(y: npt.ArrayLike, p: npt.ArrayLike) -> tuple[BoolArray, FloatArray]:
    labels, probabilities = labels_and_probabilities(y, p)
    if labels.all() or not labels.any():
        refuse("y", "labels of both classes", f"only {int(labels[0])}", "take cases of both")
    return labels, probabilities


def _logit(p: FloatArray) -> FloatArray:
    inside = np.clip(p, _CLIP, 1 - _CLIP)
    return np.log(inside / (1 - inside))


def _expit(log_odds: FloatArray) -> FloatArray:
    return 0.5 * (1 + np.tanh(log_odds / 2))
