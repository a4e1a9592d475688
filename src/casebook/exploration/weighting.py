"""Importance weights, and how many rows they leave."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from casebook.contracts import FloatArray, as_costs, as_probabilities, refuse, require_length
from casebook.exploration._inputs import as_propensities


def importance_weights(target: npt.ArrayLike, propensities: npt.ArrayLike, clip: float | None = None) -> FloatArray:
    """Return how many rows of the target policy's log each logged row stands for, target / propensities.

    Parameters
    ----------
    target : array_like, shape (n,)
        Probability of the logged action under the policy to be valued, in [0, 1].
    propensities : array_like, shape (n,)
        Its probability under the policy that took it, in (0, 1].
    clip : float, optional
        Largest weight allowed, above 0. It lowers the variance, and the value is then that of a policy that does
        less of what the log holds little of; see :class:`casebook.exploration.PolicyValue` for the bias.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        Without clipping their expectation is 1 where the log supports the target.

    Raises
    ------
    ContractError
        Probabilities that are none, a propensity of 0, unequal lengths, clip not above 0.

    References
    ----------
    Horvitz and Thompson (1952), A generalization of sampling without replacement from a finite universe, JASA 47;
    Ionides (2008), Truncated importance sampling, Journal of Computational and Graphical Statistics 17.

    Examples
    --------
    >>> importance_weights([1.0, 0.5, 0.0], [0.1, 0.5, 0.4]).tolist()
    [10.0, 1.0, 0.0]
    >>> importance_weights([1.0], [0.0])
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: propensities, row 0 must be above 0 and at most 1, got 0.0; look at the log, for
    what was done had a probability.
    """
    wanted, logged = as_probabilities(target, "target"), as_propensities(propensities, "propensities")
    require_length(logged, len(wanted), "propensities")
    weights = wanted / logged
    if clip is None:
        return weights
    if not clip > 0:
        refuse("clip", "above 0", repr(clip), "take ten or more, or leave it out")
    return np.minimum(weights, clip)


def effective_sample_size(weights: npt.ArrayLike) -> float:
    """Return how many rows of equal weight would give as steady a mean, (sum w)^2 / sum w^2.

    Parameters
    ----------
    weights : array_like, shape (n,)
        0 or more, not all 0.

    Returns
    -------
    float
        From 1, where one row has all the weight, to n.

    Raises
    ------
    ContractError
        No rows, a weight that is missing or negative, all of them 0.

    References
    ----------
    Kish (1965), Survey Sampling, Wiley.

    Examples
    --------
    >>> effective_sample_size([1, 1, 1, 1]), round(effective_sample_size([100, 1, 1, 1]), 2)
    (4.0, 1.06)
    """
    given = np.atleast_1d(as_costs(weights, "weights"))
    largest = given.max()
    if largest == 0:
        refuse("weights", "above 0 in some row", "only 0", "check that the two policies share an action")
    scaled = given / largest  # the square of a large weight overflows
    return float(scaled.sum() ** 2 / (scaled**2).sum())
