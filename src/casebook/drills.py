"""Twelve one-line drills in mental arithmetic, whose answers :mod:`casebook.arithmetic` computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from casebook.arithmetic import (
    break_even_precision,
    critical_fractile,
    false_alarms_per_hit,
    lifetime_months,
    mde_rule,
    payback_months,
    per_second,
    precision_at,
    rule_of_three,
    sample_size_rule,
    standard_error_rate,
    yearly_from_monthly,
)


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
