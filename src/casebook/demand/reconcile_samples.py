"""Quantiles do not add, sample paths do: futures drawn together, added up or reconciled, and judged level by level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import nbinom, norm

from casebook.contracts import FloatArray, refuse
from casebook.demand.hierarchy import Hierarchy, as_nodes
from casebook.demand.reconcile import mint, shrunk_covariance

HOW = ("apart", "together", "copula")


def draw_errors(residuals: FloatArray, samples: int, horizons: int, rng: np.random.Generator, how: str) -> FloatArray:
    """Draw errors of many series from their residuals.

    Parameters
    ----------
    residuals : numpy.ndarray, shape (m, times)
        Actual less fitted.
    samples, horizons : int
    rng : numpy.random.Generator
    how : {"apart", "together", "copula"}
        Each series draws a time of its own (no dependence between series); all series draw the same time (the
        dependence of the past, and no combination that the past has not had); each series keeps its own residuals and
        gets the rank correlation of a Gaussian copula, shrunk.

    Returns
    -------
    numpy.ndarray, shape (samples, m, horizons)
        Independent over horizons.

    Raises
    ------
    ContractError
        If ``how`` is unknown, or there are fewer than 3 times.

    Examples
    --------
    >>> past = np.vstack([np.arange(9.0), -np.arange(9.0)])
    >>> drawn = draw_errors(past, 4, 1, np.random.default_rng(0), "together")
    >>> drawn.sum(axis=1).ravel().tolist()
    [0.0, 0.0, 0.0, 0.0]
    """
    past = np.asarray(residuals, float)
    if how not in HOW:
        refuse("how", f"one of {', '.join(HOW)}", repr(how), "pick one")
    if past.ndim != 2 or past.shape[1] < 3:
        refuse("residuals", "of shape (series, 3 times or more)", f"shape {past.shape}", "pass more of the past")
    m, times = past.shape
    if how == "together":
        return np.moveaxis(past[:, rng.integers(times, size=(samples, horizons))], 0, 1)
    if how == "apart":
        return past[np.arange(m)[None, :, None], rng.integers(times, size=(samples, m, horizons))]
    root = np.linalg.cholesky(copula_correlation(past))
    score = np.einsum("ij,sjh->sih", root, rng.standard_normal((samples, m, horizons)))
    place = np.minimum((norm.cdf(score) * times).astype(int), times - 1)
    return np.sort(past, axis=1)[np.arange(m)[None, :, None], place]


def copula_correlation(residuals: FloatArray) -> FloatArray:
    """Return the correlations with which the copula of :func:`draw_errors` draws: of normal scores, shrunk towards 0.

    Parameters
    ----------
    residuals : numpy.ndarray, shape (m, times)

    Returns
    -------
    numpy.ndarray, shape (m, m)

    Examples
    --------
    >>> rng, pairs = np.random.default_rng(0), np.triu_indices(40, 1)
    >>> past = rng.normal(size=84) + rng.normal(size=(40, 84))  # a correlation of 0.5
    >>> [round(float(copula_correlation(past[:, :times])[pairs].mean()), 2) for times in (8, 84)]
    [0.05, 0.44]
    """
    past = np.asarray(residuals, float)
    ranks = past.argsort(axis=1, kind="stable").argsort(axis=1)
    covariance = shrunk_covariance(norm.ppf((ranks + 0.5) / past.shape[1]))[0]
    scale = np.sqrt(np.diag(covariance))
    return np.asarray(covariance / np.outer(scale, scale))


def leaf_paths(
    hierarchy: Hierarchy,
    forecasts: pd.DataFrame,
    residuals: pd.DataFrame,
    samples: int,
    rng: np.random.Generator,
    how: str = "together",
    least: float | None = 0.0,
) -> FloatArray:
    """Draw futures of all nodes by drawing those of the leaves and adding up: coherent in every single sample.

    Parameters
    ----------
    hierarchy : Hierarchy
    forecasts, residuals : pandas.DataFrame, shape (n, horizons), (n, times)
        Only the leaves' rows are used; forecasts that were reconciled give reconciled samples.
    samples : int
    rng : numpy.random.Generator
    how : str
        As :func:`draw_errors` takes it.
    least : float, optional
        Below which no leaf falls.

    Returns
    -------
    numpy.ndarray, shape (samples, n, horizons)
        8 bytes a number.

    References
    ----------
    Panagiotelis, Gamakumara, Athanasopoulos and Hyndman (2023), Probabilistic forecast reconciliation, European Journal
    of Operational Research 306.
    """
    mean = as_nodes(hierarchy, forecasts)[hierarchy.bottom]
    past = as_nodes(hierarchy, residuals, "residuals")[hierarchy.bottom]
    leaves = mean + draw_errors(past, samples, mean.shape[1], rng, how)
    return np.asarray(hierarchy.summing @ (leaves if least is None else np.maximum(leaves, least)))


def mint_paths(
    hierarchy: Hierarchy,
    base: pd.DataFrame,
    residuals: pd.DataFrame,
    samples: int,
    rng: np.random.Generator,
    how: str = "together",
    least: float | None = 0.0,
) -> FloatArray:
    """Draw futures of every node around its own forecast, and reconcile each single sample by MinT.

    Parameters
    ----------
    hierarchy : Hierarchy
    base, residuals : pandas.DataFrame, shape (n, horizons), (n, times)
        Of all nodes; the base forecasts need not add up. The residuals' shrunk covariance weighs the nodes.
    samples : int
    rng : numpy.random.Generator
    how : str
        As :func:`draw_errors` takes it: the nodes' errors of one time are drawn together, leaves and sums alike.
    least : float, optional
        Below which no leaf falls.

    Returns
    -------
    numpy.ndarray, shape (samples, n, horizons)
        8 bytes a number. The map is one matrix: without `least` the mean of the samples is MinT of their mean.

    References
    ----------
    As :func:`leaf_paths`.
    """
    mean, past = as_nodes(hierarchy, base, "base"), as_nodes(hierarchy, residuals, "residuals")
    drawn = np.moveaxis(mean + draw_errors(past, samples, mean.shape[1], rng, how), 1, 0)
    together = mint(hierarchy.summing, drawn.reshape(len(mean), -1), shrunk_covariance(past)[0])
    leaves = np.moveaxis(together[hierarchy.bottom].reshape(-1, *drawn.shape[1:]), 0, 1)
    return np.asarray(hierarchy.summing @ (leaves if least is None else np.maximum(leaves, least)))


def coverage_by_level(
    hierarchy: Hierarchy, truth: pd.DataFrame, paths: FloatArray, taus: Sequence[float]
) -> pd.DataFrame:
    """Count how often the truth is at or below each quantile of the samples, level by level.

    Parameters
    ----------
    hierarchy : Hierarchy
    truth : pandas.DataFrame, shape (n, horizons)
    paths : numpy.ndarray, shape (samples, n, horizons)
    taus : sequence of float

    Returns
    -------
    pandas.DataFrame
        Index ``level``, one column a tau: the share, which should be tau. With many zeros it may be above it even if
        all is right. Then ``pinball_*`` by tau: the mean loss of the quantile; and ``values``, nodes by horizons.

    Raises
    ------
    ContractError
        If the samples do not fit the truth.
    """
    y = as_nodes(hierarchy, truth, "truth")
    if paths.ndim != 3 or paths.shape[1:] != y.shape:
        refuse("paths", f"of shape (samples, {y.shape[0]}, {y.shape[1]})", f"shape {paths.shape}", "use leaf_paths")
    quantiles = np.quantile(paths, taus, axis=0)
    rows = {}
    for level in hierarchy.levels:
        at = hierarchy.at(level)
        below = (y[at] <= quantiles[:, at]).mean(axis=(1, 2))
        short = y[at] - quantiles[:, at]
        part = np.asarray(taus)[:, None, None]
        loss = np.maximum(part * short, (part - 1) * short).mean(axis=(1, 2))
        rows[level] = dict(zip(taus, below, strict=True)) | {
            f"pinball_{tau:g}": float(one) for tau, one in zip(taus, loss, strict=True)
        }
        rows[level]["values"] = y[at].size
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("level")


def draw_counts(
    mean: float, dispersion: float, correlation: float, leaves: int, samples: int, rng: np.random.Generator
) -> FloatArray:
    """Draw negative binomial leaves whose Gaussian copula has one correlation for all pairs.

    Parameters
    ----------
    mean, dispersion : float
        Units, and k of a variance of mean + mean^2 / k.
    correlation : float
        From 0 to 1.
    leaves, samples : int
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray, shape (samples, leaves)

    Raises
    ------
    ContractError
        If the mean or the dispersion is not positive, or the correlation not in [0, 1].

    Examples
    --------
    >>> draw_counts(2.0, 1.0, 1.0, 3, 2, np.random.default_rng(0)).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    if not (mean > 0 and dispersion > 0):
        refuse("mean and dispersion", "positive", f"{mean} and {dispersion}", "pass units and k")
    if not 0 <= correlation <= 1:
        refuse("correlation", "in [0, 1]", str(correlation), "pass a share of the variance that leaves have in common")
    common, own = rng.standard_normal((samples, 1)), rng.standard_normal((samples, leaves))
    score = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own
    return np.asarray(nbinom.ppf(norm.cdf(score), dispersion, dispersion / (dispersion + mean)))


def quantiles_do_not_add(
    correlations: Sequence[float],
    rng: np.random.Generator,
    mean: float = 4.0,
    dispersion: float = 2.0,
    leaves: int = 20,
    tau: float = 5 / 6,
    samples: int = 20_000,
) -> pd.DataFrame:
    """Hold the sum of the leaves' tau-quantiles against the tau-quantile of the total, by correlation.

    Parameters
    ----------
    correlations : sequence of float
        Of the leaves' Gaussian copula.
    rng : numpy.random.Generator
    mean, dispersion, leaves, samples
        As :func:`draw_counts` takes them.
    tau : float

    Returns
    -------
    pandas.DataFrame
        Index ``correlation``; ``sum_of_quantiles`` (exact), ``quantile_of_sum`` (of the samples), ``ratio``;
        ``covered``: how often the total stays within the sum of the leaves' quantiles, which comes down to a leaf's
        own coverage (tau, or more where counts leap) only if all leaves move as one; ``normal_ratio``: the ratio for
        normal leaves of the same mean, variance and correlation. The ratio may also be below 1: leaves that sell
        nothing on most days have a quantile of 0 each, and their total has not.

    Examples
    --------
    >>> quantiles_do_not_add([0.0, 1.0], np.random.default_rng(0)).round(2)
                 sum_of_quantiles  quantile_of_sum  ratio  covered  normal_ratio
    correlation
    0.0                     140.0             95.0   1.47     1.00          1.55
    1.0                     140.0            140.0   1.00     0.85          1.00
    """
    own = leaves * float(nbinom.ppf(tau, dispersion, dispersion / (dispersion + mean)))
    spread, score = np.sqrt(mean + mean**2 / dispersion), norm.ppf(tau)
    rows = []
    for correlation in correlations:
        total = draw_counts(mean, dispersion, correlation, leaves, samples, rng).sum(axis=1)
        of_total = float(np.quantile(total, tau, method="inverted_cdf"))
        wide = spread * np.sqrt(leaves + leaves * (leaves - 1) * correlation)
        rows.append(
            {
                "correlation": correlation,
                "sum_of_quantiles": own,
                "quantile_of_sum": of_total,
                "ratio": own / of_total if of_total else float("nan"),
                "covered": float((total <= own).mean()),
                "normal_ratio": float(leaves * (mean + score * spread) / (leaves * mean + score * wide)),
            }
        )
    return pd.DataFrame(rows).set_index("correlation")
