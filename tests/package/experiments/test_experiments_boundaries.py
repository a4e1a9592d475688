"""Group-sequential bounds against the tables of Jennison and Turnbull, the joint normal and drawn experiments."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from casebook.contracts import ContractError
from casebook.experiments import difference, group_sequential, read_look

# The tables have three decimals.
PRINTED = 0.00051
# scipy's multivariate normal is itself a simulation.
GENZ = 2e-4
SOLVER = 1e-7
ROUNDING = 1e-9

KINDS = ["obrien-fleming", "pocock", "spending-obf", "spending-pocock"]


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def band(share, runs):
    return 4 * np.sqrt(share * (1 - share) / runs)


@st.composite
def shares(draw, most=5):
    """Information shares that rise to 1."""
    steps = np.array(draw(st.lists(st.floats(0.05, 1), min_size=1, max_size=most)))
    return [*np.cumsum(steps)[:-1] / steps.sum(), 1.0]


# Looks: the constant, and the inflation for power 0.8 and 0.9.
POCOCK = {2: (2.178, 1.110, 1.100), 3: (2.289, 1.166, 1.151), 4: (2.361, 1.202, 1.183), 5: (2.413, 1.229, 1.207)}
POCOCK[10] = (2.555, 1.301, 1.271)
OBRIEN = {2: (1.977, 1.008, 1.007), 3: (2.004, 1.017, 1.016), 4: (2.024, 1.024, 1.022), 5: (2.040, 1.028, 1.026)}
OBRIEN[10] = (2.087, 1.040, 1.037)


@pytest.mark.parametrize(("kind", "table"), [("pocock", POCOCK), ("obrien-fleming", OBRIEN)])
@pytest.mark.parametrize("looks", [2, 3, 4, 5, 10])
def test_constants_and_inflation_are_those_of_jennison_and_turnbull(kind, table, looks):
    constant, at_80, at_90 = table[looks]
    design = group_sequential(looks, kind=kind)
    assert design.critical[-1] == pytest.approx(constant, abs=PRINTED)
    assert design.inflation == pytest.approx(at_80, abs=PRINTED)
    assert group_sequential(looks, kind=kind, power=0.9).inflation == pytest.approx(at_90, abs=PRINTED)
    shape = np.sqrt(looks / np.arange(1, looks + 1)) if kind == "obrien-fleming" else np.ones(looks)
    assert design.critical == pytest.approx(design.critical[-1] * shape, rel=ROUNDING)


def test_spending_bounds_of_five_looks_are_those_in_print():
    obf = group_sequential(5, kind="spending-obf").critical
    assert obf == pytest.approx([4.877, 3.357, 2.680, 2.290, 2.031], abs=PRINTED)
    pocock = group_sequential(5, kind="spending-pocock").critical
    assert pocock == pytest.approx([2.438, 2.427, 2.410, 2.397, 2.386], abs=PRINTED)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sides", [1, 2])
def test_one_look_is_the_fixed_test(kind, sides):
    design = group_sequential(1, kind=kind, alpha=0.03, power=0.7, sides=sides)
    assert design.critical == pytest.approx([norm.isf(0.03 / sides)], abs=SOLVER)
    assert design.nominal_p == pytest.approx([0.03], abs=SOLVER)
    # A two-sided test also crosses on the wrong side, by a trifle that counts for the end but not as power.
    assert (design.inflation, design.expected_null) == pytest.approx((1, 1), abs=SOLVER)
    assert design.stop_effect[0] == pytest.approx(0.7 + (sides - 1) * norm.sf(design.critical[0] + design.drift))


def joint_stops(design, drift):
    """Probability of a first crossing at each look, upwards and downwards together, by the joint normal."""
    times = np.array(design.fractions)
    cov = np.sqrt(np.minimum.outer(times, times) / np.maximum.outer(times, times))
    high = np.array(design.critical)
    low = -high if design.sides == 2 else np.full(len(high), -40.0)
    inside = [1.0]
    for k in range(1, len(times) + 1):
        joint = multivariate_normal(mean=drift * np.sqrt(times[:k]), cov=cov[:k, :k], seed=1)
        inside.append(joint.cdf(high[:k], lower_limit=low[:k]))
    return -np.diff(inside)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sides", [1, 2])
def test_unequal_looks_stop_as_the_joint_normal_says(kind, sides):
    design = group_sequential([0.2, 0.5, 0.6, 1], kind=kind, sides=sides, power=0.85)
    assert design.stop_null == pytest.approx(joint_stops(design, 0.0), abs=GENZ)
    assert design.stop_effect == pytest.approx(joint_stops(design, design.drift), abs=GENZ)
    assert sum(design.stop_effect) == pytest.approx(0.85, abs=GENZ)
    stop = np.array(design.stop_effect)
    mean = stop @ design.fractions + (1 - stop.sum())
    assert design.expected_effect == pytest.approx(design.inflation * mean, rel=ROUNDING)
    fixed = norm.isf(0.05 / sides) + norm.ppf(0.85)
    assert design.inflation == pytest.approx((design.drift / fixed) ** 2, rel=ROUNDING)


@settings(deadline=None, max_examples=40)
@given(shares(), st.sampled_from(KINDS), st.floats(0.001, 0.2), st.floats(0.5, 0.95), st.sampled_from([1, 2]))
def test_every_design_spends_alpha_and_costs_at_most_its_inflation(looks, kind, alpha, power, sides):
    design = group_sequential(looks, kind=kind, alpha=alpha, power=power, sides=sides)
    assert design.spent[-1] == pytest.approx(alpha, abs=SOLVER)
    assert (np.diff(design.spent, prepend=0) >= 0).all()
    assert (np.array(design.nominal_p) <= alpha + SOLVER).all()
    assert design.inflation >= 1 - SOLVER
    assert design.expected_effect <= design.expected_null + SOLVER <= design.inflation + 2 * SOLVER


@pytest.mark.parametrize("kind", ["spending-obf", "spending-pocock"])
@pytest.mark.parametrize("sides", [1, 2])
def test_error_is_spent_by_the_function_of_lan_and_demets(kind, sides):
    looks, error = np.array([0.1, 0.45, 0.8, 1]), 0.05 / sides
    obf = 2 * (1 - norm.cdf(norm.ppf(1 - error / 2) / np.sqrt(looks)))
    wanted = sides * (obf if kind == "spending-obf" else error * np.log(1 + (np.e - 1) * looks))
    assert group_sequential(looks, kind=kind, sides=sides).spent == pytest.approx(wanted, abs=SOLVER)


def test_later_looks_do_not_move_the_bounds_of_past_ones():
    past = [0.15, 0.4]
    plans = [group_sequential([*past, *rest], kind="spending-obf").critical for rest in ([1], [0.5, 0.9, 1])]
    assert plans[0][:2] == pytest.approx(plans[1][:2], abs=SOLVER)
    fixed = [group_sequential([*past, *rest]).critical for rest in ([1], [0.5, 0.9, 1])]
    assert fixed[1][0] > fixed[0][0] + 0.05


def test_a_look_too_early_to_spend_anything_is_no_obstacle():
    design = group_sequential([0.0005, 0.001, 0.3, 1], kind="spending-obf")
    assert np.isfinite(design.critical).all() and design.critical[0] > 30
    assert design.critical[2:] == pytest.approx(group_sequential([0.3, 1], kind="spending-obf").critical, abs=SOLVER)


@pytest.mark.parametrize("kind", KINDS)
def test_two_drawn_arms_err_and_win_as_designed(kind):
    # Looks at a third, half and all of 1,800 units in each arm; skewed outcomes, estimated variances.
    rng, runs = np.random.default_rng(8), 4000
    design = group_sequential([1 / 3, 0.5, 1], kind=kind)
    n = (np.array(design.fractions) * 1800).round().astype(int)
    control = rng.exponential(size=(runs, n[-1]))
    stopped = {}
    for name, effect in (("null", 0.0), ("effect", design.drift * np.sqrt(2 / n[-1]))):
        treated = rng.exponential(size=(runs, n[-1])) + effect
        z = np.column_stack([welch(treated[:, :m], control[:, :m]) for m in n])
        crossed = np.abs(z) >= design.critical
        first = np.where(crossed.any(axis=1), crossed.argmax(axis=1), 3)
        stopped[name] = np.bincount(first, minlength=4)[:3] / runs
    assert (np.abs(stopped["null"] - design.stop_null) <= band(np.array(design.stop_null) + 1 / runs, runs)).all()
    assert stopped["null"].sum() <= 0.05 + band(0.05, runs)
    assert (np.abs(stopped["effect"] - design.stop_effect) <= band(np.array(design.stop_effect), runs)).all()


def welch(treated, control):
    error = treated.var(axis=1, ddof=1) / treated.shape[1] + control.var(axis=1, ddof=1) / control.shape[1]
    return (treated.mean(axis=1) - control.mean(axis=1)) / np.sqrt(error)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("effect", [0.0, 2.0])
def test_repeated_intervals_hold_the_effect_at_all_looks_together(kind, effect):
    rng, runs, times = np.random.default_rng(3), 20_000, np.arange(1, 6) / 5
    design = group_sequential(5, kind=kind)
    walk = np.cumsum(rng.normal(size=(runs, 5)) * np.sqrt(0.2), axis=1)
    estimate = effect + walk / times
    reads = [read_look(design, t, effect, 1 / np.sqrt(t)) for t in times]
    reach = np.array([(got.high - got.low) / 2 for got in reads])
    covered = (np.abs(estimate - effect) <= reach).all(axis=1).mean()
    assert covered == pytest.approx(0.95, abs=band(0.05, runs))


@given(st.integers(0, 4), st.floats(-9, 9), st.floats(0.1, 10), st.sampled_from(KINDS))
def test_a_look_stops_exactly_where_its_interval_leaves_out_0(look, z, se, kind):
    design = PLANS[kind]
    got = read_look(design, design.fractions[look], z * se, se)
    swapped = read_look(design, design.fractions[look], -z * se, se)
    assert (got.look, got.critical) == (look + 1, design.critical[look])
    assert (swapped.decision, swapped.low, swapped.high) == (got.decision, -got.high, -got.low)
    if abs(abs(z) - got.critical) > ROUNDING:
        assert (got.decision == "stop") == (not got.low <= 0 <= got.high)
    assert got.decision in ({"stop", "end"} if look == 4 else {"stop", "go on"})


PLANS = {kind: group_sequential(5, kind=kind) for kind in KINDS}


def test_a_one_sided_test_stops_for_a_gain_only():
    design = group_sequential(3, sides=1)
    assert read_look(design, 1, -9, 1).decision == "end"
    gain = read_look(design, 1 / 3, 9, 1)
    assert (gain.decision, gain.high) == ("stop", np.inf)
    assert gain.low == 9 - design.critical[0]


def test_an_effect_is_read_like_its_numbers():
    effect = difference([1, 2, 3, 5, 4, 9], [0, 1, 0, 1, 0, 1])
    design = PLANS["pocock"]
    assert read_look(design, 0.4, effect) == read_look(design, 0.4, effect.estimate, effect.se)


def test_units_are_whole_and_grow_with_the_fixed_tests():
    design = group_sequential(4, kind="pocock")
    assert design.units(1000) == tuple(int(np.ceil(250 * k * design.inflation)) for k in range(1, 5))
    assert group_sequential(1).units(500) in {(500,), (501,)}


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: group_sequential(0),
            "looks must be from 1 to 100, got 0; a test with more is better served by always_valid.",
        ),
        (
            lambda: group_sequential(True),
            "looks must be a number of looks or their information shares, got a bool; pass 5, or [0.3, 0.7, 1].",
        ),
        (
            lambda: group_sequential([0.5, 0.9]),
            "looks must be 1 at the last, got 0.9; divide the units at each look by those at the last.",
        ),
        (
            lambda: group_sequential([0.5, 0.4, 1]),
            "looks, row 1 must be at least 0.1% above the row before, got 0.4 after 0.5; "
            "sort the looks and merge near ones.",
        ),
        (
            lambda: group_sequential([0, 1]),
            "looks, row 0 must be above 0, got 0.0; sort the looks and merge near ones.",
        ),
        (
            lambda: group_sequential(3, kind="obf"),
            "kind must be one of 'obrien-fleming', 'pocock', 'spending-obf', 'spending-pocock', got 'obf'; "
            "name a family of bounds.",
        ),
        (
            lambda: group_sequential(3, alpha=0.6),
            "alpha must be at most 0.5, got 0.6; name the error you would bear, such as 0.05.",
        ),
        (
            lambda: group_sequential(3, power=0.3),
            "power must be at least 0.5 and below 1, got 0.3; ask for 0.8 or 0.9.",
        ),
        (
            lambda: group_sequential(3, sides=3),
            "sides must be 1 or 2, got 3; take 2 unless only one direction can lead to an action.",
        ),
        (lambda: group_sequential(3).units(0), "fixed must be above 0, got 0; pass what the plan has of it."),
        (
            lambda: read_look("pocock", 0.5, 1, 1),
            "design must be a GroupSequential, got str; pass what group_sequential(...) returns.",
        ),
        (
            lambda: read_look(PLANS["pocock"], 0.5, 1, 1),
            "fraction must be one of the planned 0.2, 0.4, 0.6, 0.8, 1, got 0.5; for another look take a spending kind "
            "and design it anew with the shares used so far.",
        ),
        (
            lambda: read_look(PLANS["pocock"], 0.4, 1),
            "se must be given beside a number, got nothing; pass its standard error, or an Effect.",
        ),
        (lambda: read_look(PLANS["pocock"], 0.4, 1, -1), "se must be above 0, got -1; pass what the plan has of it."),
    ],
)
def test_bad_plans_are_refused_in_a_sentence(call, text):
    with says(text):
        call()
