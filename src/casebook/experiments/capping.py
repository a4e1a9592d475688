"""Heavy tails: capped means with what the cap hides, and how many units a skewed mean needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casebook._schema_words import shown
from casebook.contracts import FloatArray, refuse
from casebook.experiments._inputs import as_arms, as_clusters, as_level, as_outcome, one_number, require_two_each
from casebook.experiments.effect import Effect, difference, effect_of

_PER_SQUARED_SKEWNESS = 355


@dataclass(frozen=True)
class Capped:
    """An effect on a winsorised mean, and what that leaves out.

    Parameters
    ----------
    effect : Effect
        Of the treatment on the mean of y within the caps. It says nothing about what happens beyond them.
    hidden : Effect
        Of the treatment on the mean of what was cut off: the bias of ``effect``, with its sign turned. The two
        estimates add up to the plain difference. ``se``, ends and p are missing where nothing was cut.
    low, high : float
        The caps.
    share : float
        Of all units that were moved to a cap.
    """

    effect: Effect
    hidden: Effect
    low: float
    high: float
    share: float


def winsorise(y: npt.ArrayLike, *, lower: float = 0.0, upper: float = 0.99) -> FloatArray:
    """Return y with all beyond two of its quantiles moved to them.

    Take the quantiles over both arms together, as this does: caps of its own would move an arm's tail by itself, and
    hide an effect there or feign one.

    Parameters
    ----------
    y : array_like, shape (n,)
        Outcome of all units.
    lower, upper : float
        Quantiles in [0, 1], lower below upper: 0 and 1 leave a side as it is. An upper cap is a data point.

    Returns
    -------
    numpy.ndarray of float, shape (n,)

    Raises
    ------
    ContractError
        Missing values, quantiles out of order, or caps between which nothing varies.

    References
    ----------
    Kohavi, Deng, Longbotham and Xu (2014), Seven rules of thumb for web site experimenters, KDD, rule 7; Tukey (1962).

    Examples
    --------
    >>> winsorise([1, 2, 3, 4, 500], upper=0.75)
    array([1., 2., 3., 4., 4.])
    """
    outcome = as_outcome(y, "y")
    low, high = _caps(outcome, lower, upper)
    return np.clip(outcome, low, high)


def capped_difference(
    y: npt.ArrayLike,
    treated: npt.ArrayLike,
    *,
    lower: float = 0.0,
    upper: float = 0.99,
    cluster: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Capped:
    """Return the effect on the winsorised mean beside the effect on what winsorising cuts off.

    The caps come from both arms together. A cap buys precision with bias: an effect on the largest spenders
    beyond it is not seen, and where spending is scaled for all, part of everyone's is. Read ``hidden`` before
    you sell ``effect`` as the effect on the total.

    Parameters
    ----------
    y, treated, cluster, level
        As for :func:`casebook.experiments.difference`.
    lower, upper : float
        As for :func:`winsorise`.

    Returns
    -------
    Capped

    Raises
    ------
    ContractError
        As those two.

    References
    ----------
    Kohavi, Deng, Longbotham and Xu (2014), KDD, rule 7.

    Examples
    --------
    >>> got = capped_difference([1, 2, 3, 90, 1, 3, 5, 9], [0, 0, 0, 0, 1, 1, 1, 1], upper=0.8)
    >>> print(got.effect.estimate, got.hidden.estimate, got.high)
    0.75 -20.25 9.0
    """
    outcome = as_outcome(y, "y")
    arms = as_arms(treated, len(outcome), y)
    codes = as_clusters(cluster, arms, y)
    require_two_each(arms, codes)
    low, high = _caps(outcome, lower, upper)
    inside = np.clip(outcome, low, high)
    effect = difference(inside, arms, cluster=codes, level=level)
    hidden = effect_of(outcome - inside, arms, codes, as_level(level))
    return Capped(effect, hidden, low, high, float(np.mean(inside != outcome)))


def units_for_skew(skewness: float) -> int:
    """Return the units that each arm needs before the mean of a skewed metric is about normal.

    355 skewness^2. Below it a 95% interval misses on one side more often than on the other. Cap the metric,
    and its skewness and the number fall.

    Parameters
    ----------
    skewness : float
        Third standardised moment, such as ``scipy.stats.skew(y)``; a small sample understates a heavy tail's.

    Returns
    -------
    int
        Units per arm, at least 2.

    Raises
    ------
    ContractError
        Not one finite number.

    References
    ----------
    Kohavi, Deng, Longbotham and Xu (2014), Seven rules of thumb for web site experimenters, KDD, rule 7, who found
    17.9 for revenue per user at Bing.

    Examples
    --------
    >>> units_for_skew(17.9)
    113746
    """
    return max(2, int(np.ceil(_PER_SQUARED_SKEWNESS * one_number(skewness, "skewness") ** 2)))


def _caps(outcome: FloatArray, lower: object, upper: object) -> tuple[float, float]:
    ends = one_number(lower, "lower"), one_number(upper, "upper")
    if not 0 <= ends[0] < ends[1] <= 1:
        got = f"{shown(lower)} and {shown(upper)}"
        refuse("lower and upper", "quantiles in [0, 1] in this order", got, "pass 0 and 0.99, for one")
    low = float(np.quantile(outcome, ends[0], method="inverted_cdf"))
    high = float(np.quantile(outcome, ends[1], method="inverted_cdf"))
    if low == high:
        refuse("the caps", "apart", f"{low:g} for both", "take an upper quantile beyond the share of equal values")
    return low, high
