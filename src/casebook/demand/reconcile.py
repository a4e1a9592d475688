"""Make forecasts add up: bottom-up, top-down and MinT, which is ten lines of numpy, here beside a library's."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from casebook.contracts import FloatArray, refuse
from casebook.demand.hierarchy import Hierarchy, as_nodes

MINT = ("ols", "wls_struct", "wls_var", "mint_shrink")
SHARES = ("forecast", "average of shares", "share of averages")
RIDGE = 2e-8
"""Least variance of a base forecast's error, as in hierarchicalforecast: a leaf that never sold has none."""


def bottom_up(hierarchy: Hierarchy, base: pd.DataFrame) -> pd.DataFrame:
    """Forecast the leaves alone and add up: what was forecast above them is thrown away.

    Parameters
    ----------
    hierarchy : Hierarchy
    base : pandas.DataFrame, shape (n, horizons)
        Forecasts of every node, each made without looking at the others; index ``hierarchy.nodes``.

    Returns
    -------
    pandas.DataFrame, shape (n, horizons)

    Raises
    ------
    ContractError
        If ``base`` has not a finite number for every node.
    """
    values = as_nodes(hierarchy, base, "base")
    return _framed(hierarchy, values[hierarchy.bottom], base)


def top_down(
    hierarchy: Hierarchy, base: pd.DataFrame, shares: str = "forecast", history: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Forecast the first level alone and hand it down to the leaves by shares.

    Parameters
    ----------
    hierarchy : Hierarchy
        Its first level must be the total.
    base : pandas.DataFrame, shape (n, horizons)
    shares : {"forecast", "average of shares", "share of averages"}
        A leaf's share: of the sum of the leaves' base forecasts, horizon by horizon; the mean over the history of its
        share of the total; its mean over the total's mean. The first goes from the total to the leaves in one step;
        the proportions of the literature go level by level, which needs levels that are nested.
    history : pandas.DataFrame, shape (n, times)
        Needed by the latter two.

    Returns
    -------
    pandas.DataFrame, shape (n, horizons)

    Raises
    ------
    ContractError
        If the first level is not the total, the shares are unknown, the history is missing, or a total is 0.

    References
    ----------
    Gross and Sohl (1990), Disaggregation methods to expedite product line forecasting, Journal of Forecasting 9;
    Athanasopoulos, Ahmed and Hyndman (2009), International Journal of Forecasting 25.
    """
    values = as_nodes(hierarchy, base, "base")
    if hierarchy.at(hierarchy.levels[0]) != slice(0, 1):
        refuse("the first level", "the total, one node", repr(hierarchy.levels[0]), "put a level without columns first")
    return _framed(hierarchy, _shares(hierarchy, values, shares, history) * values[0], base)


def _shares(hierarchy: Hierarchy, base: FloatArray, shares: str, history: pd.DataFrame | None) -> FloatArray:
    if shares not in SHARES:
        refuse("shares", f"one of {', '.join(SHARES)}", repr(shares), "pick one")
    if shares == "forecast":
        leaves = base[hierarchy.bottom]
        return _divided(leaves, leaves.sum(axis=0), "the sum of the leaves' base forecasts")
    if history is None:
        refuse("history", f"given for shares by {shares!r}", "none", "pass what was sold, aggregated to all nodes")
    past = as_nodes(hierarchy, history, "history")
    if shares == "average of shares":
        return _divided(past[hierarchy.bottom], past[0], "the total of every time").mean(axis=1, keepdims=True)
    return _divided(past[hierarchy.bottom].mean(axis=1, keepdims=True), past[0].mean(keepdims=True), "the mean total")


def _divided(parts: FloatArray, whole: FloatArray, what: str) -> FloatArray:
    if (whole == 0).any():
        refuse(what, "other than 0", "0", "use other shares or longer periods")
    return parts / whole


def shrunk_covariance(residuals: FloatArray) -> tuple[FloatArray, float]:
    """Estimate the covariance of the nodes' errors, with its correlations shrunk towards 0.

    The covariance of n nodes from fewer than n times has no inverse, and with not many more a bad one. Residuals are
    centred first: **a bias is not seen**, so a node that is always 10% too high is trusted as if it were right.

    Parameters
    ----------
    residuals : numpy.ndarray, shape (n, times)
        Actual less fitted, of every node; 3 times or more.

    Returns
    -------
    covariance : numpy.ndarray, shape (n, n)
    shrinkage : float
        From 0 (correlations as found) to 1 (none); the more noise in them, the higher.

    Raises
    ------
    ContractError
        If there are fewer than 3 times, or a residual is missing.

    References
    ----------
    Schaefer and Strimmer (2005), Statistical Applications in Genetics and Molecular Biology 4(1).

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(3, 400))
    >>> round(shrunk_covariance(np.vstack([noise, noise[0] + noise[1]]))[1], 3)
    0.016
    """
    values = np.asarray(residuals, float)
    if values.ndim != 2 or values.shape[1] < 3 or not np.isfinite(values).all():
        got = f"shape {values.shape}" if np.isfinite(values).all() else "a missing one"
        refuse("residuals", "finite numbers of every node at 3 times or more", got, "drop the first times of all nodes")
    times = values.shape[1]
    centred = values - values.mean(axis=1, keepdims=True)
    scaled = centred / np.maximum(centred.std(axis=1, keepdims=True), np.sqrt(RIDGE))
    correlation = scaled @ scaled.T / times
    noise = (scaled**2 @ (scaled**2).T / times - correlation**2) / (times - 1)
    apart = ~np.eye(len(values), dtype=bool)
    found = np.square(correlation[apart]).sum()
    shrinkage = float(np.clip(noise[apart].sum() / found, 0, 1)) if found else 1.0
    covariance = centred @ centred.T / (times - 1) * np.where(apart, 1 - shrinkage, 1)
    np.fill_diagonal(covariance, np.maximum(np.diag(covariance), RIDGE))
    return covariance, shrinkage


def error_weights(hierarchy: Hierarchy, method: str, residuals: pd.DataFrame | None = None) -> FloatArray:
    """Return W, what a method takes for the covariance of the base forecasts' errors, shape (n, n).

    Parameters
    ----------
    hierarchy : Hierarchy
    method : {"ols", "wls_struct", "wls_var", "mint_shrink"}
        All nodes alike; variance as the number of leaves; the residuals' mean squares; their shrunk covariance.
    residuals : pandas.DataFrame, shape (n, times)
        Actual less fitted, in sample; needed by the latter two.

    Raises
    ------
    ContractError
        If the method is unknown, or residuals are missing.

    Examples
    --------
    >>> from casebook.demand.hierarchy import hierarchy_of
    >>> shop = hierarchy_of(pd.DataFrame({"store_id": [1, 2]}), {"total": [], "store": ["store_id"]})
    >>> np.diag(error_weights(shop, "wls_struct")).tolist()
    [2.0, 1.0, 1.0]
    """
    if method not in MINT:
        refuse("method", f"one of {', '.join(MINT)}", repr(method), "pick one")
    if method == "ols":
        return np.eye(len(hierarchy.nodes))
    if method == "wls_struct":
        return np.diag(hierarchy.summing.sum(axis=1))
    if residuals is None:
        refuse("residuals", f"given for {method}", "none", "pass what was sold less what was fitted, of every node")
    past = as_nodes(hierarchy, residuals, "residuals")
    if method == "wls_var":
        return np.diag(np.square(past).mean(axis=1) + RIDGE)
    return shrunk_covariance(past)[0]


def mint(summing: FloatArray, base: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the coherent forecasts nearest to the base forecasts, errors weighed by W: MinT, by hand.

    If W is the covariance of the errors of unbiased base forecasts, no other linear and unbiased way has a smaller sum
    of error variances.

    Parameters
    ----------
    summing : numpy.ndarray, shape (n, m)
    base : numpy.ndarray, shape (n, horizons)
    weights : numpy.ndarray, shape (n, n)
        W, positive definite.

    Returns
    -------
    numpy.ndarray, shape (n, horizons)

    References
    ----------
    Wickramasuriya, Athanasopoulos and Hyndman (2019), Journal of the American Statistical Association 114.

    Examples
    --------
    A total forecast as 10, two stores as 4 each; the gap of 2 is split in three:

    >>> mint(np.array([[1, 1], [1, 0], [0, 1]]), np.array([[10.0], [4.0], [4.0]]), np.eye(3)).ravel().round(3)
    array([9.333, 4.667, 4.667])
    """
    trusted = np.linalg.solve(weights, summing)
    leaves = np.linalg.solve(summing.T @ trusted, trusted.T @ base)
    return np.asarray(summing @ leaves)


def reconcile(
    hierarchy: Hierarchy, base: pd.DataFrame, method: str = "mint_shrink", residuals: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Reconcile forecasts by MinT in numpy.

    Parameters
    ----------
    hierarchy : Hierarchy
    base : pandas.DataFrame, shape (n, horizons)
    method, residuals
        As :func:`error_weights` takes them.

    Returns
    -------
    pandas.DataFrame, shape (n, horizons)
        Coherent; leaves may be negative, see :func:`non_negative`.
    """
    values = as_nodes(hierarchy, base, "base")
    weights = error_weights(hierarchy, method, residuals)
    return pd.DataFrame(mint(hierarchy.summing, values, weights), hierarchy.nodes, base.columns)


def reconcile_by_library(
    hierarchy: Hierarchy,
    base: pd.DataFrame,
    method: str = "mint_shrink",
    residuals: pd.DataFrame | None = None,
    nonnegative: bool = False,
) -> pd.DataFrame:
    """Reconcile forecasts by hierarchicalforecast's ``MinTrace``, or ``BottomUp`` for "bottom-up".

    Parameters
    ----------
    hierarchy, base, residuals
        As :func:`reconcile` takes them.
    method : str
        One of ``MINT`` or "bottom-up".
    nonnegative : bool
        Look for the nearest coherent forecasts without a negative leaf: a quadratic programme a horizon, whose time
        grows with the cube of the leaves.

    Returns
    -------
    pandas.DataFrame, shape (n, horizons)
    """
    methods = import_module("hierarchicalforecast.methods")
    values = as_nodes(hierarchy, base, "base")
    if method == "bottom-up":
        answer = methods.BottomUp().fit_predict(S=hierarchy.summing, y_hat=values)
        return _framed(hierarchy, answer["mean"], base, leaves=False)
    error_weights(hierarchy, method, residuals)  # for its refusals
    past: dict[str, Any] = {}
    if residuals is not None:
        errors = as_nodes(hierarchy, residuals, "residuals")
        past = {"y_insample": errors, "y_hat_insample": np.zeros_like(errors)}
    with warnings.catch_warnings():
        # It says so whenever it does what it was asked to, and its solver wants sparse matrices of it.
        warnings.filterwarnings("ignore", "Replacing negative forecasts with zero", UserWarning)
        warnings.filterwarnings("ignore", "Converted matrix '.' of your problem to scipy.sparse", UserWarning)
        answer = methods.MinTrace(method, nonnegative=nonnegative).fit_predict(
            S=hierarchy.summing, y_hat=values, **past
        )
    return _framed(hierarchy, answer["mean"], base, leaves=False)


def non_negative(hierarchy: Hierarchy, forecasts: pd.DataFrame) -> pd.DataFrame:
    """Set negative leaves to 0 and add up anew: coherent and fast, but every sum rises by what was cut.

    Examples
    --------
    >>> from casebook.demand.hierarchy import hierarchy_of
    >>> shop = hierarchy_of(pd.DataFrame({"store_id": [1, 2]}), {"total": [], "store": ["store_id"]})
    >>> non_negative(shop, pd.DataFrame({"monday": [3.0, 4.0, -1.0]}, index=shop.nodes))["monday"].tolist()
    [4.0, 4.0, 0.0]
    """
    values = as_nodes(hierarchy, forecasts)
    return _framed(hierarchy, np.maximum(values[hierarchy.bottom], 0), forecasts)


def _framed(hierarchy: Hierarchy, values: FloatArray, like: pd.DataFrame, leaves: bool = True) -> pd.DataFrame:
    return pd.DataFrame(hierarchy.summing @ values if leaves else values, hierarchy.nodes, like.columns)
