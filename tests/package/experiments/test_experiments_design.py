"""Sizes and powers against statsmodels, simulation and one another; clusters against matrices and the literature."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.power import NormalIndPower, TTestIndPower
from statsmodels.stats.proportion import power_proportions_2indep, samplesize_proportions_2indep_onetail

from casebook.contracts import ContractError
from casebook.experiments import (
    SampleSize,
    design_effect,
    intraclass_correlation,
    mde,
    mde_mean,
    power_of,
    power_of_mean,
    sample_size,
    sample_size_mean,
)

# Rounding up to whole units: statsmodels leaves fractions.
ONE_UNIT = 1.0
# statsmodels counts significant results in the wrong direction as power; at power one half or more they are this rare.
FAR_TAIL = 1e-4
ROUNDING = 1e-9
# Four standard errors of a share estimated from 20,000 draws.
SIMULATION = 4 * np.sqrt(0.25 / 20_000)
# One unit more moves the power of 50 units or more by less than this.
WHOLE_UNITS = 0.02
# brentq's tolerance on the effect, times the steepest slope of power met here.
SOLVER = 1e-6

rates = st.floats(0.01, 0.99)
effects = st.floats(-0.5, 0.5).filter(lambda effect: abs(effect) > 0.005)
powers = st.floats(0.5, 0.99)
shares = st.floats(0.05, 0.95)


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def test_the_textbook_sizes_of_a_rare_event_depend_on_the_sign():
    assert sample_size(0.05, -0.01) == SampleSize(6745, 6745)
    assert sample_size(0.05, 0.01) == SampleSize(8158, 8158)
    assert sample_size(0.05, 0.01).total == 16_316


@pytest.mark.parametrize(("rate", "effect"), [(0.05, -0.01), (0.05, 0.01), (0.3, 0.1), (0.5, -0.2), (0.9, 0.05)])
@pytest.mark.parametrize("power", [0.6, 0.8, 0.95])
def test_sizes_are_those_of_statsmodels(rate, effect, power):
    theirs = samplesize_proportions_2indep_onetail(effect, rate, power, alpha=0.05, alternative="two-sided")
    assert sample_size(rate, effect, power=power).treated == pytest.approx(theirs, abs=ONE_UNIT)


@pytest.mark.parametrize(("treated", "control"), [(3000, 8000), (9000, 4000), (7000, 7000)])
def test_powers_are_those_of_statsmodels(treated, control):
    theirs = power_proportions_2indep(-0.01, 0.05, treated, ratio=control / treated, return_results=False)
    assert power_of(0.05, -0.01, treated, control) == pytest.approx(theirs, abs=FAR_TAIL)


@pytest.mark.parametrize("effect", [-0.06, 0.06])
@pytest.mark.parametrize("treated", [300, 600, 900])
def test_power_is_the_share_of_drawn_experiments_that_find_the_effect(effect, treated):
    rng, control = np.random.default_rng(4), 1200 - treated
    seen_t, seen_c = rng.binomial(treated, 0.2 + effect, 20_000), rng.binomial(control, 0.2, 20_000)
    pooled = (seen_t + seen_c) / 1200
    error = np.sqrt(pooled * (1 - pooled) * (1 / treated + 1 / control))
    found = ((seen_t / treated - seen_c / control) / error * np.sign(effect) > norm.isf(0.025)).mean()
    # Half a point more for the counts being whole numbers.
    assert power_of(0.2, effect, treated, control) == pytest.approx(found, abs=SIMULATION + 0.005)


@given(rates, effects, powers, shares, st.sampled_from([1, 2]), st.floats(0.2, 20))
def test_size_and_power_invert(rate, effect, power, share, sides, inflation):
    assume(0 < rate + effect < 1)
    got = sample_size(rate, effect, power=power, allocation=share, sides=sides, inflation=inflation)
    reached = power_of(rate, effect, got.treated, got.control, sides=sides, inflation=inflation)
    assume(min(got.treated, got.control) >= 50)
    assert reached == pytest.approx(power, abs=WHOLE_UNITS)


@given(rates, st.integers(200, 10_000), st.integers(200, 10_000), st.floats(0.5, 0.95), st.sampled_from(["down", "up"]))
def test_the_smallest_effect_is_seen_with_exactly_the_power_asked_for(rate, treated, control, power, direction):
    edge = {"down": -rate, "up": 1 - rate}[direction] * (1 - ROUNDING)
    assume(power_of(rate, edge, treated, control) > power + SOLVER)
    effect = mde(rate, treated, control, power=power, direction=direction)
    assert np.sign(effect) == {"down": -1, "up": 1}[direction]
    assert power_of(rate, effect, treated, control) == pytest.approx(power, abs=SOLVER)


def test_the_effect_that_planned_a_size_is_the_smallest_that_the_size_sees():
    # Rounding 6744.9 up to 6745 units moves the effect in the seventh digit.
    assert mde(0.05, 6745, 6745) == pytest.approx(-0.01, abs=1e-6)
    assert mde(0.05, 8158, 8158, direction="up") == pytest.approx(0.01, abs=1e-6)


@given(st.floats(0.1, 100), st.floats(0.01, 1), powers, shares, st.floats(0.2, 20))
def test_sizes_for_means_invert(sd, relative, power, share, inflation):
    got = sample_size_mean(sd, relative * sd, power=power, allocation=share, inflation=inflation)
    smallest = mde_mean(sd, got.treated, got.control, power=power, inflation=inflation)
    assert smallest <= relative * sd * (1 + ROUNDING)
    assert power_of_mean(sd, smallest, got.treated, got.control, inflation=inflation) == pytest.approx(
        power, abs=ROUNDING
    )
    assert power_of_mean(sd, -smallest, got.treated, got.control, inflation=inflation) == pytest.approx(
        power, abs=ROUNDING
    )


@pytest.mark.parametrize("relative", [0.05, 0.2, 0.5])
def test_sizes_for_means_are_those_of_statsmodels(relative):
    ours = sample_size_mean(10, 10 * relative).treated
    assert ours == pytest.approx(NormalIndPower().solve_power(relative, power=0.8, alpha=0.05), abs=ONE_UNIT)
    students = TTestIndPower().solve_power(relative, power=0.8, alpha=0.05)
    assert 0 <= students - ours + ONE_UNIT <= 3


def test_rates_and_means_agree_where_variance_does_not_move():
    # From 0.49 to 0.51 the variance of a 0/1 outcome is the same in both arms and nearly that of the pool.
    rate, mean = sample_size(0.49, 0.02).treated, sample_size_mean(np.sqrt(0.49 * 0.51), 0.02).treated
    assert rate == pytest.approx(mean, rel=5e-4)


def test_inflation_multiplies_units_and_power_divides_them():
    plain, inflated = sample_size(0.05, -0.01, power=0.9), sample_size(0.05, -0.01, power=0.9, inflation=2.5)
    assert inflated.treated == pytest.approx(2.5 * plain.treated, abs=2.5)
    assert power_of(0.05, -0.01, 5000, 5000, inflation=2.5) == pytest.approx(power_of(0.05, -0.01, 2000, 2000))
    assert mde(0.05, 5000, 5000, inflation=2.5) == pytest.approx(mde(0.05, 2000, 2000))


def test_one_side_needs_fewer_units_and_is_two_sides_at_twice_the_alpha():
    assert sample_size(0.05, -0.01, sides=1) == sample_size(0.05, -0.01, alpha=0.1)
    assert mde(0.05, 900, 900, sides=1) == pytest.approx(mde(0.05, 900, 900, alpha=0.1))


def test_whole_units_are_not_rounded_up_by_the_noise_of_floats():
    assert SampleSize.split(0.1 * 3 * 1000, 0.5) == SampleSize(150, 150)
    assert SampleSize.split(301, 0.5) == SampleSize(151, 151)


def test_likeness_of_raters_is_that_of_shrout_and_fleiss():
    # Shrout and Fleiss (1979), table 2: six targets, four judges; ICC(1,1) is printed as .17.
    table = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    got = intraclass_correlation(np.ravel(table), np.repeat(range(6), 4))
    assert got == pytest.approx(0.17, abs=0.005)


@given(st.lists(st.integers(1, 6), min_size=3, max_size=8), st.integers(0, 10_000), st.floats(-1e3, 1e3))
def test_likeness_is_the_naive_analysis_of_variance(sizes, seed, shift):
    assume(max(sizes) > 1)
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"c": np.repeat(np.arange(len(sizes)), sizes)})
    table["v"] = rng.normal(size=len(table)) + rng.normal(size=len(sizes))[table["c"]]
    between = within = 0.0
    for _, group in table.groupby("c")["v"]:
        between += len(group) * (group.mean() - table["v"].mean()) ** 2
        within += sum((value - group.mean()) ** 2 for value in group)
    between, within = between / (len(sizes) - 1), within / (len(table) - len(sizes))
    typical = (len(table) - sum(m * m for m in sizes) / len(table)) / (len(sizes) - 1)
    expected = (between - within) / (between + (typical - 1) * within)
    got = intraclass_correlation(table["v"] + shift, table["c"])
    assert got == pytest.approx(expected, abs=ROUNDING)
    assert intraclass_correlation(-3 * table["v"], table["c"]) == pytest.approx(expected, abs=ROUNDING)


def test_members_that_are_copies_are_wholly_alike():
    assert intraclass_correlation([1, 1, 1, 5, 5, 2, 2], list("aaabbcc")) == 1.0


def test_likeness_finds_the_one_that_was_drawn():
    rng = np.random.default_rng(7)
    cluster = np.repeat(np.arange(2000), rng.integers(1, 9, 2000))
    values = np.sqrt(0.2) * rng.normal(size=2000)[cluster] + np.sqrt(0.8) * rng.normal(size=len(cluster))
    # Four standard errors, each about 0.012 at this size.
    assert intraclass_correlation(values, cluster) == pytest.approx(0.2, abs=0.05)


@given(st.lists(st.integers(1, 7), min_size=1, max_size=8), st.floats(0, 1))
def test_the_design_effect_is_the_variance_of_a_mean_over_that_of_independent_units(sizes, icc):
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    correlation = np.where(cluster[:, None] == cluster, icc, 0.0)
    np.fill_diagonal(correlation, 1.0)
    assert design_effect(cluster, icc) == pytest.approx(correlation.sum() / len(cluster), abs=ROUNDING)


def test_clusters_of_one_cost_nothing():
    assert design_effect(["a", "b", "c"], 0.9) == 1.0


RATE = "above 0 and below 1"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: sample_size(5, -1), f"base_rate must be {RATE}, got 5; divide percentages by 100."),
        (lambda: sample_size(0, 0.1), f"base_rate must be {RATE}, got 0; pass a share."),
        (lambda: sample_size("5%", 0.1), "base_rate must be one number, got str; pass a single number."),
        (lambda: sample_size(np.nan, 0.1), "base_rate must be a finite number, got nan; fill it in."),
        (
            lambda: sample_size(0.05, -0.05),
            f"base_rate + effect must be {RATE}, got 0; give effect as an absolute change, -0.01 for one point down.",
        ),
        (
            lambda: power_of(0.05, 1, 10, 10),
            f"base_rate + effect must be {RATE}, got 1.05; "
            "give effect as an absolute change, -0.01 for one point down.",
        ),
        (
            lambda: sample_size(0.05, 0),
            "effect must be other than 0, got 0; name the smallest change that would alter the decision.",
        ),
        (
            lambda: sample_size_mean(2, 0.0),
            "effect must be other than 0, got 0.0; name the smallest change that would alter the decision.",
        ),
        (
            lambda: sample_size(0.05, 0.01, power=0.3),
            "power must be at least 0.5 and below 1, got 0.3; ask for 0.8 or 0.9.",
        ),
        (lambda: mde(0.05, 9, 9, power=80), "power must be at least 0.5 and below 1, got 80; ask for 0.8 or 0.9."),
        (lambda: sample_size(0.05, 0.01, alpha=5), f"alpha must be {RATE}, got 5; divide percentages by 100."),
        (lambda: sample_size(0.05, 0.01, allocation=1), f"allocation must be {RATE}, got 1; pass a share."),
        (
            lambda: sample_size(0.05, 0.01, sides=3),
            "sides must be 1 or 2, got 3; take 2 unless only one direction can lead to an action.",
        ),
        (
            lambda: sample_size(0.05, 0.01, inflation=0),
            "inflation must be above 0, got 0; pass what the plan has of it.",
        ),
        (lambda: power_of(0.05, 0.01, 0, 10), "treated must be above 0, got 0; pass what the plan has of it."),
        (lambda: mde_mean(-1, 10, 10), "sd must be above 0, got -1; pass what the plan has of it."),
        (
            lambda: mde(0.05, 10, 10, direction="left"),
            "direction must be 'down' or 'up', got 'left'; say which way the rate is to move.",
        ),
        (
            lambda: mde(0.05, 20, 20),
            "treated and control must be enough units for power 0.8, got 20 and 20, "
            "which see even a rate of 0 with power 0.17; add units or ask for less power.",
        ),
        (
            lambda: intraclass_correlation([1, 2, 3], ["a", "b", "c"]),
            "cluster must be two or more clusters, some with two units, got one unit in each; "
            "pass the column that groups the units.",
        ),
        (
            lambda: intraclass_correlation([1, 2, 3], ["a", "a", "a"]),
            "cluster must be two or more clusters, some with two units, got one cluster; "
            "pass the column that groups the units.",
        ),
        (
            lambda: intraclass_correlation([2, 2, 2], ["a", "a", "b"]),
            "values must be varying, got 2 in every row; pass an outcome that differs between units.",
        ),
        (
            lambda: intraclass_correlation([2, None, 2], ["a", "a", "b"]),
            "values, row 1 must be a finite number, got a missing value; fill it in or drop the row.",
        ),
        (
            lambda: intraclass_correlation([2, 3], ["a", "a", "b"]),
            "cluster must be 2 long, got 3 rows; take all arguments from one table.",
        ),
        (
            lambda: design_effect(["a", None], 0.1),
            "cluster, row 1 must be filled in, got a missing value; give a unit that stands alone a label of its own.",
        ),
        (
            lambda: design_effect(["a", "a"], -0.02),
            "icc must be in [0, 1], got -0.02; pass max(icc, 0), for a negative estimate is chance.",
        ),
    ],
)
def test_refusals(call, text):
    with says(text):
        call()
