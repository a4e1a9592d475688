"""The negative binomial by its mean and dispersion: variance = mean + dispersion * mean ** 2; 0 is the Poisson."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from casebook.contracts import FloatArray, refuse

_POISSON = 1e-6  # below this dispersion the negative binomial is a Poisson to six digits


def log_likelihood(
    y: Any, mean: Any, dispersion: Any, xp: Any = np, gammaln: Callable[[Any], Any] = special.gammaln
) -> Any:
    """Return the log probability of each count.

    Parameters
    ----------
    y : array of counts
    mean, dispersion : arrays that broadcast with ``y``
        Both above 0.
    xp, gammaln : module and function
        numpy and scipy's, or those of JAX: the network trains on the line that the tests hold against scipy.

    Returns
    -------
    array

    References
    ----------
    Salinas, Flunkert, Gasthaus and Januschowski (2020), DeepAR, International Journal of Forecasting 36, section 3.1.

    Examples
    --------
    >>> float(log_likelihood(3, 2.0, 0.5).round(6))
    -2.079442
    """
    size = 1 / dispersion
    log_shape = gammaln(y + size) - gammaln(size) - gammaln(y + 1.0)
    spread = xp.log1p(dispersion * mean)
    return log_shape - size * spread + y * (xp.log(dispersion * mean) - spread)


def quantile(taus: npt.ArrayLike, mean: npt.ArrayLike, dispersion: npt.ArrayLike) -> FloatArray:
    """Return the smallest count whose cumulative probability reaches each level.

    Parameters
    ----------
    taus, mean, dispersion : array_like that broadcast
        Levels in (0, 1); means 0 or more (mean 0 gives 0); dispersions 0 or more.

    Returns
    -------
    numpy.ndarray of float
        Whole numbers.

    Raises
    ------
    ContractError
        A level outside (0, 1); a mean or a dispersion that is negative or missing.

    Examples
    --------
    >>> quantile([0.5, 0.9], 2.0, 0.5).tolist()
    [1.0, 5.0]
    """
    tau, m, alpha = np.broadcast_arrays(*(np.asarray(part, dtype=float) for part in (taus, mean, dispersion)))
    if not ((tau > 0) & (tau < 1)).all():
        refuse("taus", "strictly between 0 and 1", repr(float(tau.flat[_first(~((tau > 0) & (tau < 1)))])), "mend it")
    _require_not_negative(m, "mean")
    _require_not_negative(alpha, "dispersion")
    low, safe, wide = stats.poisson.ppf(tau, np.maximum(m, 1e-12)), np.maximum(m, 1e-12), np.maximum(alpha, _POISSON)
    high = stats.nbinom.ppf(tau, 1 / wide, 1 / (1 + wide * safe))
    return np.asarray(np.where(m <= 0, 0.0, np.where(alpha <= _POISSON, low, high)))


def draw(mean: npt.ArrayLike, dispersion: npt.ArrayLike, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw one count per mean: a Poisson whose rate is drawn from a gamma.

    Parameters
    ----------
    mean, dispersion : array_like that broadcast
        Means 0 or more; dispersions 0 or more.
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray of int64

    Raises
    ------
    ContractError
        A mean or a dispersion that is negative or missing.

    Examples
    --------
    >>> counts = draw(np.full(100_000, 4.0), 0.5, np.random.default_rng(0))
    >>> round(float(counts.mean()), 1), round(float(counts.var()))
    (4.0, 12)
    """
    m, alpha = np.broadcast_arrays(np.asarray(mean, dtype=float), np.asarray(dispersion, dtype=float))
    _require_not_negative(m, "mean")
    _require_not_negative(alpha, "dispersion")
    wide = np.maximum(alpha, _POISSON)
    return np.asarray(rng.poisson(rng.gamma(1 / wide, wide * m)), dtype=np.int64)


def dispersion_of(y: npt.ArrayLike, mean: npt.ArrayLike) -> float:
    """Estimate one dispersion by moments, from counts and what was forecast for them.

    The squared errors beyond what a Poisson explains, over the squared forecasts; never below 0.

    Parameters
    ----------
    y, mean : array_like, shape (n,)
        Pairs in which either is missing are left out.

    Returns
    -------
    float
        0.0 where no pair is left or all forecasts are 0.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> mean = rng.uniform(1, 9, 50_000)
    >>> round(dispersion_of(draw(mean, 0.5, rng), mean), 1)
    0.5
    """
    counts, m = np.asarray(y, dtype=float), np.asarray(mean, dtype=float)
    known = np.isfinite(counts) & np.isfinite(m)
    square = float((m[known] ** 2).sum())
    if square == 0:
        return 0.0
    return max(0.0, float(((counts[known] - m[known]) ** 2 - m[known]).sum()) / square)


def _first(wrong: npt.NDArray[np.bool_]) -> int:
    return int(np.argmax(wrong))


def _require_not_negative(values: FloatArray, what: str) -> None:
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        refuse(what, "finite and 0 or more", repr(float(values.flat[_first(wrong)])), "mend the model that made it")
