"""The model behind the page's calculator: a score whose two classes are normal, and its money.

Scores are N(0, 1) among negatives and N(d, 1) among positives, with d = sqrt(2) * inverse_normal(auc), and p
is the true posterior. Nothing but the normal distribution function and its inverse is needed, so that the
page's script can hold the same few lines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from casebook.contracts import refuse
from casebook.decisions.costs import Costs

_NORMAL = NormalDist()
_CASES = 1000


@dataclass(frozen=True)
class OperatingPoint:
    """What a threshold does to a thousand cases.

    Parameters
    ----------
    threshold : float
        On p: act on p > threshold.
    precision : float
        NaN if nobody is acted on.
    recall, fpr : float
        Shares of positives and of negatives acted on.
    acted_per_1000 : float
        Cases.
    cost_per_1000, cost_per_1000_at_half, cost_per_1000_do_nothing, cost_per_1000_act_on_all : float
        Money at this threshold, at 0.5, and of the two policies that need no model.
    """

    threshold: float
    precision: float
    recall: float
    fpr: float
    acted_per_1000: float
    cost_per_1000: float
    cost_per_1000_at_half: float
    cost_per_1000_do_nothing: float
    cost_per_1000_act_on_all: float


def operating_point(
    cost_fp: float, cost_fn: float, base_rate: float, auc: float, threshold: float | None = None
) -> OperatingPoint:
    """Return what a calibrated binormal score does and costs at a threshold.

    Parameters
    ----------
    cost_fp, cost_fn : float
        Money per mistake, above 0.
    base_rate : float
        Share of positives, in (0, 1).
    auc : float
        Area under the ROC curve, in [0.5, 1); at 0.5 every case has p = base_rate.
    threshold : float, optional
        On p, in [0, 1]; by default the one that costs least, cost_fp / (cost_fp + cost_fn).

    Returns
    -------
    OperatingPoint

    Raises
    ------
    ContractError
        A number outside of its range.

    References
    ----------
    Green and Swets (1966), Signal detection theory and psychophysics, on the equal-variance binormal model.

    Examples
    --------
    >>> point = operating_point(cost_fp=5, cost_fn=95, base_rate=0.02, auc=0.9)
    >>> point.threshold, round(point.recall, 3), round(point.precision, 3), round(point.cost_per_1000)
    (0.05, 0.649, 0.148, 1041)
    """
    _require_between(base_rate, 0, 1, "base_rate", "give it as a share, such as 0.02")
    if not 0.5 <= auc < 1:  # NaN fails as well
        refuse("auc", "at least 0.5 and below 1", f"{auc:g}", "turn the score round if it is below 0.5")
    best = Costs(cost_fp, cost_fn).threshold
    at = float(best if threshold is None else threshold)
    if not 0 <= at <= 1:
        refuse("threshold", "in [0, 1]", f"{at:g}", "give it on the scale of p")
    recall, fpr = rates_at(at, base_rate, auc)
    hits, false_alarms = base_rate * recall, (1 - base_rate) * fpr
    acted = hits + false_alarms

    def cost(rates: tuple[float, float]) -> float:
        return _CASES * (base_rate * (1 - rates[0]) * cost_fn + (1 - base_rate) * rates[1] * cost_fp)

    return OperatingPoint(
        threshold=at,
        precision=hits / acted if acted > 0 else math.nan,
        recall=recall,
        fpr=fpr,
        acted_per_1000=_CASES * acted,
        cost_per_1000=cost((recall, fpr)),
        cost_per_1000_at_half=cost(rates_at(0.5, base_rate, auc)),
        cost_per_1000_do_nothing=cost((0.0, 0.0)),
        cost_per_1000_act_on_all=cost((1.0, 1.0)),
    )


def rates_at(threshold: float, base_rate: float, auc: float) -> tuple[float, float]:
    """Return recall and false-positive rate of acting on p > threshold in the binormal model.

    Examples
    --------
    >>> recall, fpr = rates_at(0.5, base_rate=0.5, auc=0.9)
    >>> round(recall, 4), round(fpr, 4)
    (0.8176, 0.1824)
    """
    distance = math.sqrt(2) * _NORMAL.inv_cdf(auc)
    gap = _log_odds(threshold) - _log_odds(base_rate)
    if distance == 0 or math.isinf(gap):
        everyone = 1.0 if gap < 0 else 0.0
        return everyone, everyone
    cut = gap / distance + distance / 2
    return _upper_tail(cut - distance), _upper_tail(cut)


def _upper_tail(z: float) -> float:
    """Share of a standard normal above z; erfc keeps the digits of a far tail, which ``NormalDist.cdf`` loses."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def _log_odds(p: float) -> float:
    if p in (0, 1):
        return math.inf if p else -math.inf
    return math.log(p / (1 - p))


def _require_between(value: float, low: float, high: float, what: str, mend: str) -> None:
    if not low < value < high:
        refuse(what, f"above {low} and below {high}", f"{value:g}", mend)
