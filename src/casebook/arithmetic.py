"""The sums one is asked to do aloud, as functions, and twelve drills on them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

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


@dataclass(frozen=True)
class Drill:
    """One question to answer aloud; the numbers in its texts are those that its answer is computed from.

    ``unit`` is that of ``answer``, where a share is in [0, 1]; ``working`` is the way there by head.
    """

    question: str
    answer: float
    unit: str
    working: str


def _drill(function: Callable[..., float], inputs: dict[str, float], unit: str, question: str, working: str) -> Drill:
    answer = function(**inputs)
    return Drill(question.format(**inputs), answer, unit, working.format(answer=answer, **inputs))


_ROWS: tuple[tuple[Callable[..., float], dict[str, float], str, str, str], ...] = (
    (
        precision_at,
        {"base_rate": 0.005, "recall": 0.8, "fpr": 0.02},
        "share",
        "{base_rate:.1%} of orders are fraud; a model catches {recall:.0%} of it and flags {fpr:.0%} of the rest. "
        "What share of its flags is fraud?",
        "{base_rate:g} x {recall:g} hits against about {fpr:g} false alarms per order: {answer:.3f}.",
    ),
    (
        false_alarms_per_hit,
        {"base_rate": 0.001, "recall": 0.9, "fpr": 0.01},
        "false alarms per hit",
        "{base_rate:.1%} of posts break the rules; recall is {recall:.0%}, the false-positive rate {fpr:.0%}. "
        "How many good posts fall with each bad one?",
        "(1 - {base_rate:g}) x {fpr:g} over {base_rate:g} x {recall:g} = {answer:.1f}.",
    ),
    (
        lifetime_months,
        {"monthly_churn": 0.04},
        "months",
        "{monthly_churn:.0%} of subscribers leave each month. How long does one stay on average?",
        "1 / {monthly_churn:g} = {answer:.0f}.",
    ),
    (
        yearly_from_monthly,
        {"monthly": 0.03},
        "share",
        "Monthly churn is {monthly:.0%}. What share of today's customers is gone in a year?",
        "1 - (1 - {monthly:g})^12 = {answer:.2f}: less than twelve times the month, as the base shrinks.",
    ),
    (
        sample_size_rule,
        {"variance": 0.09, "delta": 0.01},
        "users per arm",
        "A metric's variance is {variance:g} and you must see a difference of {delta:g}. How many users per arm?",
        "16 x {variance:g} / {delta:g}^2 = {answer:,.0f}.",
    ),
    (
        mde_rule,
        {"variance": 0.25, "n": 10_000},
        "units of the metric",
        "You have {n:,} users per arm and a variance of {variance:g}. Which difference will you see?",
        "4 x sqrt({variance:g} / {n:,}) = {answer:.3f}.",
    ),
    (
        per_second,
        {"per_day": 50_000_000},
        "requests per second",
        "{per_day:,} requests a day are how many a second?",
        "A day has 86,400 seconds, about 10^5: {answer:,.0f}, and a peak is several times that.",
    ),
    (
        payback_months,
        {"acquisition_cost": 180, "monthly_margin": 12},
        "months",
        "A customer costs {acquisition_cost:g} dollars to win and brings {monthly_margin:g} a month. "
        "When is it paid back?",
        "{acquisition_cost:g} / {monthly_margin:g} = {answer:.0f}, before churn.",
    ),
    (
        critical_fractile,
        {"cost_under": 6, "cost_over": 2},
        "share",
        "A lost sale costs {cost_under:g} dollars, a unit left over {cost_over:g}. "
        "Which quantile of demand do you stock?",
        "{cost_under:g} / ({cost_under:g} + {cost_over:g}) = {answer:.2f}.",
    ),
    (
        rule_of_three,
        {"n": 600},
        "share",
        "{n:,} answers were checked and none was harmful. How large may the rate still be?",
        "3 / {n:,} = {answer:.3f}, the upper 95 % bound.",
    ),
    (
        break_even_precision,
        {"cost_action": 8, "value_hit": 160},
        "share",
        "A call costs {cost_action:g} dollars and a saved customer brings {value_hit:g}. "
        "From which precision on do calls pay?",
        "{cost_action:g} / {value_hit:g} = {answer:.2f}.",
    ),
    (
        standard_error_rate,
        {"p": 0.2, "n": 1600},
        "share",
        "{n:,} labelled cases show a rate of {p:.0%}. What is its standard error?",
        "sqrt({p:g} x (1 - {p:g}) / {n:,}) = {answer:.3f}; twice that on either side is the 95 % interval.",
    ),
)

DRILLS: tuple[Drill, ...] = tuple(_drill(*row) for row in _ROWS)


def drill_table() -> pd.DataFrame:
    """Return the drills as a table: ``question``, ``answer``, ``unit``, ``working``.

    Examples
    --------
    >>> drill_table()[["answer", "unit"]].head(3)
          answer                  unit
    0   0.167364                 share
    1  11.100000  false alarms per hit
    2  25.000000                months
    """
    return pd.DataFrame([vars(drill) for drill in DRILLS])
