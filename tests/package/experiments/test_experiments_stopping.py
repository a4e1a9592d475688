"""Rules for stopping: by integration against closed forms, designs and drawn tests."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from casebook.contracts import ContractError
from casebook.experiments import always_valid_critical, expected_n, group_sequential, peeking_error, simulate_looks

FIXED = 10_000
Z = norm.isf(0.025)
# The effect that the fixed test sees with power 0.8.
PLANNED = (Z + norm.ppf(0.8)) / np.sqrt(FIXED)
ROUNDING = 1e-9
# Integration to eight digits, of shares and of units in ten thousand.
INTEGRATION = 1e-8
RUNS = 20_000


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def band(share, runs=RUNS):
    return 4 * np.sqrt(share * (1 - share) / runs)


def rules():
    """The three ways of the chapter, n and critical value at each look."""
    days = np.arange(1, 15) * FIXED / 14
    obf, pocock = (group_sequential(5, kind=kind) for kind in ("obrien-fleming", "pocock"))
    return {
        "fixed": ([FIXED], [Z]),
        "obrien-fleming": (np.array(obf.fractions) * FIXED * obf.inflation, obf.critical),
        "pocock": (np.array(pocock.fractions) * FIXED * pocock.inflation, pocock.critical),
        "always valid": (days, always_valid_critical(days)),
    }


@given(st.floats(10, 1e6), st.floats(0.5, 4), st.floats(-0.1, 0.1))
def test_one_look_is_the_normal_test(n, critical, effect):
    got, mean = expected_n([n], [critical], effect), effect * np.sqrt(n)
    assert got.stop == pytest.approx(norm.sf(critical - mean) + norm.cdf(-critical - mean), abs=INTEGRATION)
    assert (got.expected_n, got.max_n) == pytest.approx((n, n))


def test_a_design_ends_as_it_says():
    for kind in ("obrien-fleming", "pocock", "spending-obf", "spending-pocock"):
        design = group_sequential([0.25, 0.6, 1], kind=kind)
        n = np.array(design.fractions) * FIXED * design.inflation
        null, planned = (expected_n(n, design.critical, effect) for effect in (0, PLANNED))
        assert null.stop == pytest.approx(0.05, abs=INTEGRATION)
        assert planned.stop - planned.wrong == pytest.approx(0.8, abs=INTEGRATION)
        assert planned.by_look == pytest.approx(design.stop_effect, abs=INTEGRATION)
        sizes = np.array([null.expected_n, planned.expected_n]) / FIXED
        assert sizes == pytest.approx([design.expected_null, design.expected_effect], rel=INTEGRATION)


def test_peeking_is_the_rule_that_ignores_its_looks():
    n = np.arange(1, 15) * 100
    assert expected_n(n, np.full(14, Z), 0).stop == pytest.approx(peeking_error(14), abs=INTEGRATION)


@pytest.mark.parametrize("name", list(rules()))
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0, -1.5])
def test_drawn_tests_end_as_integration_says(name, share):
    n, critical = rules()[name]
    exact = expected_n(n, critical, share * PLANNED)
    drawn = simulate_looks(np.random.default_rng(8), n, critical, share * PLANNED, runs=RUNS)
    for field in ("stop", "wrong"):
        truth = getattr(exact, field)
        assert getattr(drawn, field) == pytest.approx(truth, abs=band(truth + 1 / RUNS))
    # n at the end lies in [0, max_n]: its standard deviation is at most half of that.
    assert drawn.expected_n == pytest.approx(exact.expected_n, abs=4 * exact.max_n / 2 / np.sqrt(RUNS))
    assert drawn.by_look == pytest.approx(exact.by_look, abs=band(0.5))
    assert drawn.max_n == exact.max_n


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(1.05, 3), min_size=1, max_size=5), st.floats(-4, 4), st.floats(0.5, 3))
def test_the_effects_sign_does_not_matter_and_units_scale(steps, mean, critical):
    n = 100 * np.cumprod(steps)
    effect, bounds = mean / np.sqrt(n[-1]), np.full(len(n), critical)
    got, flipped = expected_n(n, bounds, effect), expected_n(n, bounds, -effect)
    assert (flipped.stop, flipped.wrong) == pytest.approx((got.stop, got.wrong), abs=INTEGRATION)
    finer = expected_n(4 * n, bounds, effect / 2)
    assert (finer.expected_n, finer.max_n) == pytest.approx((4 * got.expected_n, 4 * got.max_n), rel=INTEGRATION)
    assert got.by_look == pytest.approx(finer.by_look, abs=INTEGRATION)
    assert got.wrong <= got.stop / 2 + INTEGRATION
    assert n[0] - ROUNDING <= got.expected_n * (1 + INTEGRATION) and got.expected_n <= n[-1] * (1 + INTEGRATION)


@pytest.mark.slow
def test_looking_after_every_unit_is_safe_only_where_it_is_allowed():
    n, runs = np.arange(1, 5001), 2000
    valid = simulate_looks(np.random.default_rng(8), n, always_valid_critical(n, tuning=2000), 0, runs=runs)
    assert 0 < valid.stop <= 0.05 + band(0.05, runs)
    naive = simulate_looks(np.random.default_rng(8), n, np.full(5000, Z), 0, runs=runs)
    assert naive.stop > 0.5


def test_what_looking_at_any_time_costs_against_five_planned_looks():
    ends = {name: expected_n(*rule, PLANNED) for name, rule in rules().items()}
    assert ends["always valid"].stop < ends["obrien-fleming"].stop - 0.2
    assert ends["pocock"].expected_n < ends["obrien-fleming"].expected_n < ends["fixed"].expected_n
    assert ends["pocock"].max_n > ends["obrien-fleming"].max_n > ends["fixed"].max_n


@pytest.mark.parametrize("call", [expected_n, lambda *rest: simulate_looks(np.random.default_rng(1), *rest, runs=10)])
@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (([0, 10], [2, 2], 0), "n, row 0 must be above 0, got 0.0; sort the looks and merge near ones."),
        (([10, 20], [2, 0], 0), "critical, row 1 must be above 0, got 0.0; pass z-statistics, not p-values."),
        (([10, 20], [2, 2], float("inf")), "effect must be a finite number, got inf; fill it in."),
        (
            ([10, 20], [2, np.nan], 0),
            "critical, row 1 must be a finite number, got a missing value; name the bound of each look.",
        ),
    ],
)
def test_bad_rules_are_refused_in_a_sentence(call, rule, text):
    with says(text):
        call(*rule)


def test_near_looks_are_drawn_but_not_integrated():
    n, critical = [10_000, 10_001], [2.0, 2.0]
    with says(
        "n, row 1 must be at least 0.1% above the row before, got 10001 after 10000; "
        "sort the looks and merge near ones."
    ):
        expected_n(n, critical, 0)
    assert simulate_looks(np.random.default_rng(1), n, critical, 0, runs=10).max_n == 10_001
    with says("n, row 1 must be above the row before, got 10 after 10; sort the looks and merge near ones."):
        simulate_looks(np.random.default_rng(1), [10, 10], critical, 0)
    with says("runs must be a whole number of 1 or more, got 0; draw some thousands."):
        simulate_looks(np.random.default_rng(1), n, critical, 0, runs=0)
