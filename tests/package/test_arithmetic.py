"""The sums for the head against counts, simulation, and exact formulas."""

import math
import re

import numpy as np
import pytest

from casebook import arithmetic
from casebook.contracts import ContractError
from casebook.drills import DRILLS, drill_table

ROUNDING = 1e-9
# The rule says 16 for 2 (1.96 + 0.84)^2 = 15.7: 2 % above.
RULE = 0.03


def test_alarms_are_counted():
    # 100,000 cases: 500 bad, 400 caught; 99,500 good, 1,990 flagged.
    assert arithmetic.precision_at(0.005, 0.8, 0.02) == pytest.approx(400 / 2390, rel=ROUNDING)
    assert arithmetic.false_alarms_per_hit(0.005, 0.8, 0.02) == pytest.approx(1990 / 400, rel=ROUNDING)


def test_precision_and_false_alarms_per_hit_are_one_fact():
    precision = arithmetic.precision_at(0.03, 0.7, 0.1)
    assert 1 / precision - 1 == pytest.approx(arithmetic.false_alarms_per_hit(0.03, 0.7, 0.1), rel=ROUNDING)


def test_churn_by_month_and_year():
    draws = np.random.default_rng(0).geometric(0.04, 200_000)
    standard_error = draws.std() / math.sqrt(len(draws))
    assert abs(draws.mean() - arithmetic.lifetime_months(0.04)) < 4 * standard_error
    assert (draws <= 12).mean() == pytest.approx(arithmetic.yearly_from_monthly(0.04), abs=0.005)


@pytest.mark.parametrize(("variance", "delta"), [(1.0, 0.1), (0.09, 0.01), (25.0, 0.5)])
def test_the_sample_size_rule_is_the_exact_power_to_three_percent(variance, delta):
    power = pytest.importorskip("statsmodels.stats.power")
    exact = power.TTestIndPower().solve_power(delta / math.sqrt(variance), alpha=0.05, power=0.8)
    assert arithmetic.sample_size_rule(variance, delta) == pytest.approx(exact, rel=RULE)


def test_sample_size_and_smallest_difference_undo_each_other():
    assert arithmetic.mde_rule(0.09, arithmetic.sample_size_rule(0.09, 0.01)) == pytest.approx(0.01, rel=ROUNDING)
    assert arithmetic.sample_size_rule(0.09, -0.01) == arithmetic.sample_size_rule(0.09, 0.01)


def test_the_rule_of_three_is_the_exact_bound_to_two_percent():
    for n in (100, 600, 10_000):
        assert arithmetic.rule_of_three(n) == pytest.approx(1 - 0.05 ** (1 / n), rel=0.02)


def test_the_fractile_minimises_the_cost_of_a_stock():
    demand = np.random.default_rng(1).integers(0, 101, 50_000)
    cost = [6 * np.maximum(demand - q, 0).mean() + 2 * np.maximum(q - demand, 0).mean() for q in range(101)]
    assert int(np.argmin(cost)) == pytest.approx(100 * arithmetic.critical_fractile(6, 2), abs=1.5)


def test_the_remaining_sums():
    assert arithmetic.per_second(86_400) == 1
    assert arithmetic.payback_months(180, 12) == 15
    assert arithmetic.break_even_precision(8, 160) == 0.05
    rates = np.random.default_rng(2).binomial(1600, 0.2, 20_000) / 1600
    assert rates.std() == pytest.approx(arithmetic.standard_error_rate(0.2, 1600), rel=0.02)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: arithmetic.precision_at(5, 0.8, 0.1),
            "base_rate must be in [0, 1], got 5; divide percentages by 100.",
        ),
        (
            lambda: arithmetic.precision_at(0.1, 0, 0),
            "recall and fpr must be not both without alarms, got no alarm at all; give a cut that acts on someone.",
        ),
        (lambda: arithmetic.lifetime_months(0), "monthly_churn must be above 0, got 0; check its sign and unit."),
        (
            lambda: arithmetic.sample_size_rule(1, 0),
            "delta must be a difference other than 0, got 0; name the smallest effect that matters.",
        ),
        (lambda: arithmetic.mde_rule(1, -5), "n must be above 0, got -5; check its sign and unit."),
    ],
)
def test_refusals(call, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        call()


# Worked with pencil and paper, to three digits.
ANSWERS = (0.167, 11.1, 25, 0.306, 14_400, 0.02, 579, 15, 0.75, 0.005, 0.05, 0.01)


def test_the_twelve_drills_have_the_pencils_answers():
    assert [drill.answer for drill in DRILLS] == pytest.approx(ANSWERS, rel=3e-3)


def test_every_drill_is_filled_in_and_asks_something():
    table = drill_table()
    assert list(table.columns) == ["question", "answer", "unit", "working"]
    assert table["question"].is_unique
    assert table["question"].str.endswith("?").all()
    assert table["working"].str.endswith(".").all()
    assert not table["unit"].str.contains(r"[?{}]").any()
    assert not (table["question"] + table["working"]).str.contains(r"[{}]").any()
