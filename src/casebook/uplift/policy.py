"""What acting by a rule is worth, from a randomised trial that did not act by it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from casebook.contracts import BoolArray, FloatArray, as_amounts, as_labels, refuse, require_length
from casebook.uplift._trial import IntArray, Trial, as_clusters, as_level, as_score, as_trial


@dataclass(frozen=True)
class Estimate:
    """A number from a trial, with its normal interval.

    Attributes
    ----------
    value, se, low, high : float
        In units of the outcome per row.
    n_treated, n_control : int
        Rows behind it: treated and controls that it uses.
    """

    value: float
    se: float
    low: float
    high: float
    n_treated: int
    n_control: int

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        counts = f"{self.n_treated:,} treated, {self.n_control:,} controls"
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}] ({counts})"


def policy_value(
    y: npt.ArrayLike,
    treated: npt.ArrayLike,
    act: npt.ArrayLike,
    *,
    propensity: npt.ArrayLike = 0.5,
    cost: npt.ArrayLike = 0.0,
    value: npt.ArrayLike = 1.0,
    cluster: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return what acting by a rule would earn per row, from rows whose arm was drawn by a coin.

    Rows whose arm happens to agree with the rule stand for the rest, weighted by the inverse of the chance
    that they would: with weights g = [treated == act] / P(treated = act), the estimate is
    sum(g value y) / sum(g) - mean(cost act). The cost needs no weights, as the rule says for each row
    whether it is paid.

    Parameters
    ----------
    y, treated
        As in :func:`uplift_curve`.
    act : array_like, shape (n,)
        The rule: 1 where it would treat. It must not have been made from these rows' outcomes.
    propensity : float or array_like, shape (n,)
        Known probability of treatment.
    cost : float or array_like, shape (n,)
        Paid for each row acted on, whatever comes of it; money.
    value : float or array_like, shape (n,)
        Worth of one unit of y; money.
    cluster : array_like, shape (n,), optional
        The unit that was randomised, if it has several rows: the standard error is then between units.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        Counts are of rows whose arm agrees with the rule.

    Raises
    ------
    ContractError
        As :func:`qini`; no row's arm agrees with the rule; fewer than two clusters.

    Notes
    -----
    The intervals of two rules share their rows, so whether they overlap says little. Compare two rules on the
    rows where they differ: elsewhere they earn the same.

    References
    ----------
    Hajek (1971), comment in Foundations of statistical inference; Swaminathan and Joachims (2015), The
    self-normalized estimator for counterfactual learning, NeurIPS 28.

    Examples
    --------
    >>> y, treated = [1, 1, 0, 0, 1, 0, 0, 0], [1, 1, 0, 0, 1, 1, 0, 0]
    >>> print(policy_value(y, treated, [1, 1, 1, 1, 0, 0, 0, 0], value=100, cost=5))
    47.5 [-3.589, 98.59] (2 treated, 2 controls)
    """
    trial = as_trial(y, treated, propensity)
    rule = as_labels(act, "act")
    require_length(rule, trial.n, "act")
    units = as_clusters(cluster, trial.n)
    chance = np.where(rule, trial.propensity, 1 - np.asarray(trial.propensity))
    agrees = trial.treated == rule
    if not agrees.any():
        refuse("act", "the arm of some rows", "a rule that agrees with none", "check that act is not turned round")
    weights = agrees / chance
    earned = as_amounts(value, "value", trial.n) * trial.y
    paid = as_amounts(cost, "cost", trial.n) * rule
    mean_earned = weights @ earned / weights.sum()
    influence = weights * (earned - mean_earned) / weights.mean() - (paid - paid.mean())
    se = _standard_error(influence if units is None else _by_unit(influence, units), trial.n)
    return _estimate(float(mean_earned - paid.mean()), se, level, agrees & rule, agrees & ~rule)


def uplift_at(
    y: npt.ArrayLike, treated: npt.ArrayLike, score: npt.ArrayLike, share: float, *, level: float = 0.95
) -> Estimate:
    """Return the realised uplift among the top share of a score: treated mean less control mean.

    Parameters
    ----------
    y, treated, score
        As in :func:`uplift_curve`.
    share : float
        Share of the rows, in (0, 1]. If the cut falls into a block of equal scores, each row of the block
        counts in part, so row order cannot matter.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        Its counts are of rows that count at all.

    Raises
    ------
    ContractError
        As :func:`qini`; share outside (0, 1]; an arm with fewer than two rows above the cut.

    Examples
    --------
    >>> uplift_at([1, 1, 0, 1, 0, 0, 0, 1], [1, 1, 0, 0, 1, 1, 0, 0], [8, 7, 6, 5, 4, 3, 2, 1], 0.5).value
    0.5
    """
    trial = as_trial(y, treated)
    ranking = as_score(score, trial)
    if not 0 < share <= 1:
        refuse("share", "above 0 and at most 1", repr(share), "give it as a share, such as 0.3")
    weights = _top_weights(ranking, share * trial.n)
    top_t, top_c = trial.treated & (weights > 0), ~trial.treated & (weights > 0)
    if min(top_t.sum(), top_c.sum()) < 2:
        got = f"{share!r}, which holds {top_t.sum()} and {top_c.sum()}"
        refuse("share", "large enough for two treated rows and two controls", got, "take a larger share")
    mean_t, variance_t = _mean_and_variance(trial, weights, top_t)
    mean_c, variance_c = _mean_and_variance(trial, weights, top_c)
    return _estimate(mean_t - mean_c, float(np.sqrt(variance_t + variance_c)), level, top_t, top_c)


def _top_weights(score: FloatArray, wanted: float) -> FloatArray:
    """1 for rows surely within the top, the same fraction for each row of the block at the cut, 0 below."""
    falling = -np.sort(-score)
    # Without the guard 0.1 * 30 = 3.0000000000000004 would reach for a fourth row.
    cut = falling[min(int(np.ceil(wanted - 1e-9)), len(score)) - 1]
    above, block = (score > cut), (score == cut)
    return above + block * ((wanted - above.sum()) / block.sum())


def _mean_and_variance(trial: Trial, weights: FloatArray, rows: BoolArray) -> tuple[float, float]:
    w, y = weights[rows], trial.y[rows]
    mean = w @ y / w.sum()
    return float(mean), float((w**2 @ (y - mean) ** 2) / w.sum() ** 2 * len(y) / (len(y) - 1))


def _by_unit(values: FloatArray, units: IntArray) -> FloatArray:
    return np.bincount(units, weights=values).astype(float)


def _standard_error(influence: FloatArray, n: int) -> float:
    units = len(influence)
    return float(np.sqrt(units / (units - 1) * influence @ influence) / n)


def _estimate(value: float, se: float, level: float, treated: BoolArray, control: BoolArray) -> Estimate:
    reach = float(norm.ppf((1 + as_level(level)) / 2)) * se
    return Estimate(value, se, value - reach, value + reach, int(treated.sum()), int(control.sum()))
