"""What another policy would have earned on logged cases: three estimates, each with its standard error."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from casebook.contracts import FloatArray, as_amounts, refuse, require_length
from casebook.exploration._inputs import as_actions, as_matrix, as_numbers
from casebook.exploration.propensities import propensity_of
from casebook.exploration.weighting import effective_sample_size, importance_weights


@dataclass(frozen=True)
class PolicyValue:
    """The estimated mean reward of a policy.

    Attributes
    ----------
    value : float
        Per case, in the reward's unit.
    standard_error : float
        Of the estimate as it is, clipped if it is clipped: clipping's bias is not in it.
    n : int
        Logged cases.
    effective_n : float
        Kish's effective sample size of the weights. Where it is small the standard error is itself a guess.
    largest_weight : float
        After clipping.
    bias_bound : float
        Clipping has moved the value by no more than this, in expectation, if the rewards' range is that of the log;
        0 without clipping. It says nothing of actions that the log never takes.
    """

    value: float
    standard_error: float
    n: int
    effective_n: float
    largest_weight: float
    bias_bound: float

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the normal interval at a confidence level in (0, 1).

        Raises
        ------
        ContractError
            A level outside (0, 1).

        Examples
        --------
        >>> low, high = PolicyValue(1.0, 0.1, 500, 80.0, 20.0, 0.0).interval()
        >>> round(low, 3), round(high, 3)
        (0.804, 1.196)
        """
        if not 0 < level < 1:
            refuse("level", "above 0 and below 1", repr(level), "give it as a share, such as 0.95")
        half = NormalDist().inv_cdf((1 + level) / 2) * self.standard_error
        return self.value - half, self.value + half


def ips(
    rewards: npt.ArrayLike,
    target: npt.ArrayLike,
    propensities: npt.ArrayLike,
    *,
    clip: float | None = None,
    groups: npt.ArrayLike | None = None,
) -> PolicyValue:
    """Estimate a policy's mean reward by inverse propensity scoring: the mean of weight times reward.

    Unbiased if the propensities are right and the log takes every action that the target takes. Adding a constant to
    all rewards moves the estimate by the constant times the mean weight, which is 1 in expectation only.

    Parameters
    ----------
    rewards : array_like, shape (n,)
        What the logged action earned, or bools; costs as negative numbers, or read the value as a cost.
    target : array_like, shape (n,)
        Probability of the logged action under the policy to be valued.
    propensities : array_like, shape (n,)
        Its probability under the policy that took it.
    clip : float, optional
        Largest weight. The bias is then minus the mean of (weight - clip) times reward, over rows above it: towards 0
        where rewards have one sign.
    groups : array_like, shape (n,), optional
        Rows that are not independent of each other, such as one user's; the standard error is over groups.

    Returns
    -------
    PolicyValue

    Raises
    ------
    ContractError
        Bad numbers, a propensity of 0, unequal lengths, fewer than two rows or groups.

    References
    ----------
    Horvitz and Thompson (1952), A generalization of sampling without replacement from a finite universe, JASA 47.

    Examples
    --------
    >>> found = ips([1, 0, 1, 0], target=[1, 1, 0, 0], propensities=[0.5, 0.5, 0.5, 0.5])
    >>> found.value, found.effective_n
    (0.5, 2.0)
    """
    earned, weights, cut = _logged(rewards, target, propensities, clip)
    value = float(np.mean(weights * earned))
    bound = float(np.abs(earned).max() * cut.mean())
    return _found(value, weights * earned - value, weights, bound, groups)


def snips(
    rewards: npt.ArrayLike,
    target: npt.ArrayLike,
    propensities: npt.ArrayLike,
    *,
    clip: float | None = None,
    groups: npt.ArrayLike | None = None,
) -> PolicyValue:
    """Estimate a policy's mean reward by the weighted mean of the rewards (self-normalised IPS).

    Its bias vanishes as 1 / n. It stays within the range of the rewards, and a constant added to all of them is added
    to it. Its standard error is by the delta method.

    Parameters
    ----------
    rewards, target, propensities, clip, groups
        As in :func:`ips`.

    Returns
    -------
    PolicyValue

    Raises
    ------
    ContractError
        As :func:`ips`; no row with an action that the target takes.

    References
    ----------
    Swaminathan and Joachims (2015), The self-normalized estimator for counterfactual learning, NIPS.

    Examples
    --------
    >>> snips([1, 0, 1, 0], target=[1, 1, 0, 0], propensities=[0.5, 0.25, 0.5, 0.5]).value
    0.3333333333333333
    """
    earned, weights, cut = _logged(rewards, target, propensities, clip)
    mean = weights.mean()
    if mean == 0:
        refuse("target", "above 0 in some row", "only 0", "check that the two policies share an action")
    value = float(np.mean(weights * earned) / mean)
    bound = float(np.abs(earned - value).max() * cut.mean() / mean)
    return _found(value, weights * (earned - value) / mean, weights, bound, groups)


def doubly_robust(
    rewards: npt.ArrayLike,
    actions: npt.ArrayLike,
    propensities: npt.ArrayLike,
    target: npt.ArrayLike,
    predicted: npt.ArrayLike,
    *,
    clip: float | None = None,
    groups: npt.ArrayLike | None = None,
) -> PolicyValue:
    """Estimate a policy's mean reward by a model of it, mended by the weighted errors of the model.

    Right if either the propensities or the model are. The model must not have seen the rewards of these rows: fit it
    on others, or across folds. With predictions of 0 it is :func:`ips`.

    Parameters
    ----------
    rewards : array_like, shape (n,)
    actions : array_like of int, shape (n,)
        Logged actions, from 0 to k - 1.
    propensities : array_like, shape (n,)
        Their probabilities under the policy that took them.
    target : array_like, shape (n, k)
        Probabilities of all actions under the policy to be valued.
    predicted : array_like, shape (n, k)
        The model's expected reward of each action.
    clip, groups
        As in :func:`ips`; clipping leaves the model's own bias in part.

    Returns
    -------
    PolicyValue

    Raises
    ------
    ContractError
        As :func:`ips`; tables of another shape, rows of the target that do not add up to 1.

    References
    ----------
    Dudik, Langford and Li (2011), Doubly robust policy evaluation and learning, ICML.

    Examples
    --------
    >>> target, predicted = [[0, 1], [0, 1]], [[0.2, 0.6], [0.2, 0.6]]
    >>> round(doubly_robust([1, 0], [1, 0], [0.5, 0.5], target, predicted).value, 3)
    1.0
    """
    chances = as_matrix(target, "target")
    n, k = chances.shape
    model = as_numbers(predicted, "predicted", n, k)
    taken = as_actions(actions, "actions", k, n)
    earned, weights, cut = _logged(rewards, propensity_of(chances, taken), propensities, clip)
    missed = earned - model[np.arange(n), taken]
    by_case = (chances * model).sum(axis=1) + weights * missed
    value = float(by_case.mean())
    return _found(value, by_case - value, weights, float(np.abs(missed).max() * cut.mean()), groups)


def _logged(
    rewards: npt.ArrayLike, target: npt.ArrayLike, propensities: npt.ArrayLike, clip: float | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return rewards, weights, and what clipping cut off these."""
    full = importance_weights(target, propensities)
    yes_or_no = np.asarray(rewards).dtype == bool
    earned = np.atleast_1d(as_amounts(np.asarray(rewards, float) if yes_or_no else rewards, "rewards"))
    require_length(earned, len(full), "rewards")
    weights = full if clip is None else importance_weights(target, propensities, clip)
    return earned, weights, full - weights


def _found(
    value: float, influence: FloatArray, weights: FloatArray, bound: float, groups: npt.ArrayLike | None
) -> PolicyValue:
    n = len(influence)
    sums = influence
    if groups is not None:
        _, code = np.unique(np.asarray(groups), return_inverse=True)
        require_length(code, n, "groups")
        sums = np.bincount(code, influence).astype(float)
    if len(sums) < 2:
        what = "rewards" if groups is None else "groups"
        refuse(what, "at least two", str(len(sums)), "one alone shows no spread, so wait for more")
    error = float(np.sqrt(len(sums) / (len(sums) - 1) * (sums**2).sum()) / n)
    effective = effective_sample_size(weights) if weights.any() else 0.0
    return PolicyValue(value, error, n, effective, float(weights.max()), bound)
