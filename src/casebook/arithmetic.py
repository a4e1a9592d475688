"""The sums one is asked to do aloud, as functions; :mod:`casebook.drills` asks for them."""

from __future__ import annotations

import math

from casebook.contracts import refuse

_SECONDS_PER_DAY = 24 * 60 * 60
_MONTHS_PER_YEAR = 12


def _share(value: float, what: str) -> float:
    if not 0 <= value <= 1:  # NaN fails as well
        refuse(what, "in [0, 1]", f"{value:g}", "divide percentages by 100")
    return value


def _above_zero(value: float, what: str) -> float:
    if not value > 0:
        refuse(what, "above 0", f"{value:g}", "check its sign and unit")
    return value


def _not_zero(value: float, what: str) -> float:
    if value == 0 or math.isnan(value):
        refuse(what, "a difference other than 0", f"{value:g}", "name the smallest effect that matters")
    return value


def precision_at(base_rate: float, recall: float, fpr: float) -> float:
    """Return the share of alarms that are right.

    Examples
    --------
    >>> round(precision_at(base_rate=0.01, recall=0.8, fpr=0.02), 3)
    0.288
    """
    hits = _share(base_rate, "base_rate") * _share(recall, "recall")
    false_alarms = (1 - base_rate) * _share(fpr, "fpr")
    if hits + false_alarms == 0:
        refuse("recall and fpr", "not both without alarms", "no alarm at all", "give a cut that acts on someone")
    return hits / (hits + false_alarms)


def false_alarms_per_hit(base_rate: float, recall: float, fpr: float) -> float:
    """Return how many false alarms come with each right one.

    Examples
    --------
    >>> round(false_alarms_per_hit(base_rate=0.01, recall=0.8, fpr=0.02), 3)
    2.475
    """
    hits = _share(base_rate, "base_rate") * _share(recall, "recall")
    return (1 - base_rate) * _share(fpr, "fpr") / _above_zero(hits, "base_rate x recall")


def lifetime_months(monthly_churn: float) -> float:
    """Return the mean customer lifetime under a constant monthly churn: 1 / churn.

    Examples
    --------
    >>> lifetime_months(0.05)
    20.0
    """
    return 1 / _above_zero(_share(monthly_churn, "monthly_churn"), "monthly_churn")


def yearly_from_monthly(monthly: float) -> float:
    """Return the share lost in a year at a constant monthly share: 1 - (1 - monthly)^12.

    Examples
    --------
    >>> round(yearly_from_monthly(0.05), 2)
    0.46
    """
    return 1 - (1 - _share(monthly, "monthly")) ** _MONTHS_PER_YEAR


def sample_size_rule(variance: float, delta: float) -> float:
    """Return units per arm for 80 % power at the 5 % level: 16 variance / delta^2.

    For a rate the variance is p * (1 - p). The exact factor is 15.7 (2 * (1.96 + 0.84)^2); round the result
    up.

    ``delta`` is the smallest absolute difference to be found, in the metric's unit.

    References
    ----------
    van Belle (2008), Statistical rules of thumb, 2.1; Kohavi, Tang and Xu (2020), Trustworthy online
    controlled experiments, chapter 17.

    Examples
    --------
    >>> round(sample_size_rule(variance=0.05 * 0.95, delta=0.005))
    30400
    """
    return 16 * _above_zero(variance, "variance") / _not_zero(delta, "delta") ** 2


def mde_rule(variance: float, n: float) -> float:
    """Return the smallest difference that n units per arm find: 4 * sqrt(variance / n), as above.

    Examples
    --------
    >>> round(mde_rule(variance=0.05 * 0.95, n=30_400), 4)
    0.005
    """
    return 4 * math.sqrt(_above_zero(variance, "variance") / _above_zero(n, "n"))


def per_second(per_day: float) -> float:
    """Return a daily count as a mean rate per second (a peak is several times that).

    Examples
    --------
    >>> per_second(86_400_000)
    1000.0
    """
    return per_day / _SECONDS_PER_DAY


def payback_months(acquisition_cost: float, monthly_margin: float) -> float:
    """Return the months until a customer's margin has paid for winning it, before any churn.

    Examples
    --------
    >>> payback_months(acquisition_cost=120, monthly_margin=15)
    8.0
    """
    return acquisition_cost / _above_zero(monthly_margin, "monthly_margin")


def critical_fractile(cost_under: float, cost_over: float) -> float:
    """Return the quantile of demand to stock: cost_under / (cost_under + cost_over).

    References
    ----------
    Arrow, Harris and Marschak (1951), Optimal inventory policy, Econometrica 19.

    Examples
    --------
    >>> critical_fractile(cost_under=9, cost_over=1)
    0.9
    """
    under = _above_zero(cost_under, "cost_under")
    return under / (under + _above_zero(cost_over, "cost_over"))


def rule_of_three(n: float) -> float:
    """Return the 95 % upper bound of a rate after n cases without an event: 3 / n.

    References
    ----------
    Hanley and Lippman-Hand (1983), If nothing goes wrong, is everything all right?, JAMA 249.

    Examples
    --------
    >>> rule_of_three(1500)
    0.002
    """
    return 3 / _above_zero(n, "n")


def break_even_precision(cost_action: float, value_hit: float) -> float:
    """Return the precision at which acting pays for itself; above 1, acting never pays.

    ``cost_action`` is spent on hits and false alarms alike, ``value_hit`` comes in with hits only.

    Examples
    --------
    >>> break_even_precision(cost_action=5, value_hit=100)
    0.05
    """
    return cost_action / _above_zero(value_hit, "value_hit")


def standard_error_rate(p: float, n: float) -> float:
    """Return the standard error of a rate: sqrt(p * (1 - p) / n).

    Examples
    --------
    >>> round(standard_error_rate(p=0.1, n=900), 3)
    0.01
    """
    return math.sqrt(_share(p, "p") * (1 - p) / _above_zero(n, "n"))
