"""Costs, thresholds and the money of decisions."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.decisions import Costs, case_money, decide, decide_frame, expected_money, money, threshold

price = st.floats(0.01, 1e4)
probability = st.floats(0, 1)
cases = st.lists(st.tuples(st.booleans(), probability, price, price, st.booleans()), min_size=1, max_size=30)
# Sums of up to thirty products in double precision.
ROUNDING = 1e-9


@given(price, price)
def test_a_threshold_is_a_probability_and_scaling_all_costs_changes_nothing(fp, fn):
    assert 0 < threshold(fp, fn) < 1
    assert threshold(4 * fp, 4 * fn) == threshold(fp, fn)


@given(price)
def test_equal_costs_give_one_half(cost):
    assert threshold(cost, cost) == 0.5


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        (Costs(5, 95), 0.05),
        (Costs.from_ratio(19), 0.05),
        # Elkan (2001), section 1, with benefits as negative costs: a refused loan, the interest, the loss.
        (Costs(fp=0, fn=1000, tp=0, tn=-100), 100 / 1100),
        (Costs(fp=10, fn=100, tp=10, tn=0), 0.1),
    ],
)
def test_known_thresholds(costs, expected):
    assert costs.threshold == pytest.approx(expected, rel=ROUNDING)


@given(price, price, st.floats(0, 0.99), st.floats(0, 0.99), probability)
def test_the_threshold_is_where_the_two_expected_costs_cross(fp, fn, tp_share, tn_share, p):
    costs = Costs(fp, fn, tp=tp_share * fn, tn=tn_share * fp)
    at = costs.threshold
    acted, left = expected_money([at], [True], costs), expected_money([at], [False], costs)
    assert acted == pytest.approx(left, rel=1e-6)
    assert expected_money([p], decide([p], costs), costs) <= min(
        expected_money([p], [True], costs), expected_money([p], [False], costs)
    ) * (1 + ROUNDING)


@given(cases)
def test_deciding_on_the_true_p_expects_the_least_cost_of_all_policies(rows):
    _, p, fp, fn, other = map(np.array, zip(*rows, strict=True))
    costs = Costs(fp, fn)
    assert expected_money(p, decide(p, costs), costs) <= expected_money(p, other, costs) * (1 + ROUNDING)


@given(st.lists(probability, min_size=1, max_size=30), price, price, st.floats(1, 100))
def test_a_dearer_false_alarm_never_acts_on_more(p, fp, fn, factor):
    assert not np.any(decide(p, Costs(factor * fp, fn)) & ~decide(p, Costs(fp, fn)))


@given(cases, st.randoms())
def test_the_order_of_rows_does_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    totals = []
    for some in (rows, shuffled):
        y, p, fp, fn, _ = map(np.array, zip(*some, strict=True))
        costs = Costs(fp, fn)
        totals.append(money(y, decide(p, costs), costs))
    assert totals[0] == pytest.approx(totals[1], rel=ROUNDING)


@given(cases)
def test_money_is_what_a_loop_over_the_rows_adds_up(rows):
    y, _, fp, fn, act = map(np.array, zip(*rows, strict=True))
    by_hand = sum(
        a * (1 - t) * c1 + (1 - a) * t * c2 + a * t * 0.5 * c2
        for t, c1, c2, a in zip(y.astype(int), fp, fn, act.astype(int), strict=True)
    )
    assert money(y, act, Costs(fp, fn, tp=0.5 * fn)) == pytest.approx(by_hand, rel=ROUNDING)


def test_expected_money_is_the_mean_of_money_over_labels():
    rng = np.random.default_rng(0)
    p, act, costs = rng.random(5), np.array([1, 0, 1, 0, 1]), Costs(5, [10, 20, 30, 40, 50], tp=-3, tn=1)
    draws = np.array([money(rng.random(5) < p, act, costs) for _ in range(4000)])
    standard_error = draws.std() / np.sqrt(len(draws))
    assert abs(draws.mean() - expected_money(p, act, costs)) < 4 * standard_error


def test_at_equality_the_case_is_left_alone():
    np.testing.assert_array_equal(decide([0.05, np.nextafter(0.05, 1)], Costs(5, 95)), [False, True])


def test_each_case_gets_its_own_threshold():
    np.testing.assert_array_equal(decide([0.3, 0.3], Costs([1, 1], [9, 1])), [True, False])
    np.testing.assert_allclose(threshold([1, 1], [9, 1]), [0.1, 0.5])
    np.testing.assert_array_equal(case_money([0, 1], [1, 0], Costs([1, 2], [9, 8])), [1, 8])


def test_a_frame_is_decided_like_its_columns_and_left_unchanged():
    frame = pd.DataFrame({"p": [0.2, 0.6, 0.1], "block": [5.0, 5.0, 5.0], "loss": [20.0, 5.0, 95.0]}, index=list("abc"))
    before = frame.copy()
    decided = decide_frame(frame, cost_fp="block", cost_fn="loss")
    costs = Costs(frame["block"], frame["loss"])
    np.testing.assert_array_equal(decided["act"], decide(frame["p"], costs))
    assert decided["expected_cost"].sum() == pytest.approx(expected_money(frame["p"], decided["act"], costs))
    assert list(decided.columns) == ["p", "block", "loss", "threshold", "act", "expected_cost"]
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(decide_frame(decided, cost_fp="block", cost_fn="loss"), decided)
    assert decide_frame(frame, cost_fp=5, cost_fn=95)["threshold"].tolist() == [0.05] * 3


def test_costs_cannot_be_changed_from_outside():
    fn = np.array([9.0, 8.0])
    costs = Costs(1, fn)
    fn[0] = 100
    assert costs.fn[0] == 9
    with pytest.raises(ValueError, match="read-only"):
        costs.fn[0] = 3


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: Costs(0, 5),
            "cost_fp must be above cost_tn, got 0 against 0; make the mistake dearer than the right decision.",
        ),
        (
            lambda: Costs(1, [5, 2], tp=3),
            "cost_fn, row 1 must be above cost_tp, got 2 against 3; make the mistake dearer than the right decision.",
        ),
        (lambda: Costs(-1, 5), "cost_fp must be 0 or more, got -1.0; drop the minus sign."),
        (lambda: Costs([1, 2], [1, 2, 3]), "cost_fn must be 2 long, got 3 rows; take all arguments from one table."),
        (
            lambda: decide([0.1], Costs([1, 2], 3)),
            "costs must be one number or 1 long, got 2 rows; take all arguments from one table.",
        ),
        (lambda: money([0, 1], [1], Costs(1, 2)), "act must be 2 long, got 1 rows; take all arguments from one table."),
        (
            lambda: expected_money([0.1], [1, 0], Costs(1, 2)),
            "act must be 1 long, got 2 rows; take all arguments from one table.",
        ),
        (
            lambda: decide_frame(pd.DataFrame({"p": [50], "cost_fp": [1], "cost_fn": [2]})),
            "column 'p', row 0 must be in [0, 1], got 50.0; divide percentages by 100.",
        ),
        (
            lambda: decide_frame(pd.DataFrame({"p": [0.5], "cost_fp": [1]})),
            "frame must be a table with a column 'cost_fn', got 'p', 'cost_fp'; add 'cost_fn' or rename one of yours.",
        ),
    ],
)
def test_refusals(call, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        call()
