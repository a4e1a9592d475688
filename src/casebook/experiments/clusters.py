"""How alike the members of a cluster are, and what that costs an experiment randomised by cluster."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from casebook._columns import raw_column
from casebook.contracts import refuse, require_same_order
from casebook.experiments._inputs import as_groups, as_outcome, one_number


def intraclass_correlation(values: npt.ArrayLike, cluster: npt.ArrayLike) -> float:
    """Return how alike two members of one cluster are: the ANOVA estimator of the intraclass correlation.

    (MSB - MSW) / (MSB + (m0 - 1) MSW), from the mean squares between and within clusters, with
    m0 = (n - sum m^2 / n) / (clusters - 1) in place of the common size. It holds for 0/1 outcomes too.
    Measure it before treatment, or within the control arm: an effect on whole clusters looks like likeness.

    Parameters
    ----------
    values : array_like, shape (n,)
        One outcome per unit, numbers or bools.
    cluster : array_like, shape (n,)
        The cluster of each unit.

    Returns
    -------
    float
        At most 1. It falls below 0 by chance where clusters do not matter: plan with 0 then.

    Raises
    ------
    ContractError
        Missing values, unequal lengths, one cluster, clusters of one unit each, values that are all alike.

    References
    ----------
    Donner (1986), A review of inference procedures for the intraclass correlation coefficient,
    International Statistical Review 54(1).

    Examples
    --------
    >>> round(intraclass_correlation([1, 2, 5, 6, 9, 9], ["a", "a", "b", "b", "c", "c"]), 3)
    0.977
    """
    y = as_outcome(values, "values", "fill it in or drop the row")
    require_same_order(values, cluster, "values and cluster")
    codes, labels = as_groups(cluster, len(y), "cluster")
    size, n, count = np.bincount(codes), len(y), len(labels)
    if count in (1, n):
        got = "one cluster" if count == 1 else "one unit in each"
        refuse("cluster", "two or more clusters, some with two units", got, "pass the column that groups the units")
    if np.ptp(y) == 0:
        refuse("values", "varying", f"{y[0]:g} in every row", "pass an outcome that differs between units")
    centred = y - y.mean()
    means = np.bincount(codes, weights=centred) / size
    between = float(size @ means**2) / (count - 1)
    within = float(((centred - means[codes]) ** 2).sum()) / (n - count)
    typical = (n - float(size @ size) / n) / (count - 1)
    return (between - within) / (between + (typical - 1) * within)


def design_effect(cluster: npt.ArrayLike, icc: float) -> float:
    """Return by how much clusters inflate the variance of a mean, and so the size of an experiment.

    1 + (m' - 1) icc with m' = sum m^2 / sum m, the size of the cluster that the average *unit* is in:
    one account of 500 users weighs more here than in the average size.

    Parameters
    ----------
    cluster : array_like, shape (n,)
        The cluster of each unit.
    icc : float
        Intraclass correlation, in [0, 1].

    Returns
    -------
    float
        1 or more; pass it as ``inflation`` to the size functions.

    Raises
    ------
    ContractError
        A missing cluster, or an icc outside [0, 1].

    References
    ----------
    Kish (1965), Survey Sampling, section 5.4; Kish (1987), Statistical Design for Research, for unequal sizes.

    Examples
    --------
    >>> round(design_effect(["a"] * 9 + ["b"], icc=0.1), 2)
    1.72
    """
    correlation = one_number(icc, "icc")
    if not 0 <= correlation <= 1:
        refuse("icc", "in [0, 1]", f"{correlation:g}", "pass max(icc, 0), for a negative estimate is chance")
    codes, _ = as_groups(cluster, len(raw_column(cluster, "cluster")), "cluster")
    size = np.bincount(codes)
    return 1 + (float(size @ size) / len(codes) - 1) * correlation
