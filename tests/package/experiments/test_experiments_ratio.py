"""Ratio metrics: the delta method against cluster-robust regression and jackknife, with "
"covariates, and rows read naively."""

import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.experiments import (
    Metric,
    Moments,
    absolute_effect,
    arm_moments,
    cuped_gain,
    difference,
    ratio_difference,
)

# Sums of a few hundred floats of order one, in two orders.
SUMS = 1e-8
# 2,000 repetitions at 0.05: three standard errors of 0.0049.
BAND, REPEATS = 0.0146, 2_000

RATIO = Metric("click", "one")

seeds = st.integers(0, 2**32)


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def columns(rng, users=60):
    """Return arrays of impressions: users differ in how much they see and how much of it they click."""
    taste, size = rng.beta(1, 3, users), 1 + rng.geometric(0.2, users)
    user = np.repeat(np.arange(users), size)
    treated = (rng.permutation(users) < users // 2)[user]
    before = rng.binomial(20, taste)
    click = (rng.random(len(user)) < taste[user]).astype(float)
    return {"user": user, "treated": treated, "click": click, "before": before[user], "one": np.ones(len(user))}


def impressions(rng, users=60):
    return pd.DataFrame(columns(rng, users))


def arms_of(world, metric):
    """Return the arms' sums by bincount, for the long runs."""
    _, first = np.unique(world["user"], return_index=True)
    sums = [np.bincount(world["user"], weights=world[name]) for name in ("click", "one")]
    rows = np.column_stack([*sums, world["before"][first]])[:, : len(metric.columns)]
    treated = world["treated"][first]
    return Moments.of_rows(rows[treated], metric), Moments.of_rows(rows[~treated], metric)


def per_user(table):
    how = {"treated": "first", "click": "sum", "before": "first", "one": "sum"}
    return table.groupby("user").agg(how)


@given(seeds)
def test_the_delta_method_is_the_sandwich_over_users_up_to_its_small_sample_factor(seed):
    table = impressions(np.random.default_rng(seed))
    got = ratio_difference(table["click"], table["one"], table["treated"], unit=table["user"])
    robust = difference(table["click"], table["treated"], cluster=table["user"])
    # CR1: G / (G - 1) (n - 1) / (n - 2) for both arms together; the delta method: g / (g - 1) for each of 30 users.
    n, users = len(table), 60
    factor = 30 / 29 / (users / (users - 1) * (n - 1) / (n - 2))
    assert got.estimate == pytest.approx(robust.estimate, abs=SUMS)
    assert got.se == pytest.approx(robust.se * np.sqrt(factor), rel=1e-6)
    # The same against another program.
    fit = sm.OLS(table["click"], sm.add_constant(table["treated"].astype(float)))
    theirs = fit.fit(cov_type="cluster", cov_kwds={"groups": table["user"]})
    assert got.se == pytest.approx(theirs.bse.iloc[1] * np.sqrt(factor), rel=1e-6)


@given(seeds)
def test_users_summed_by_hand_or_by_unit_are_one(seed):
    table = impressions(np.random.default_rng(seed))
    rows = ratio_difference(table["click"], table["one"], table["treated"], before=table["before"], unit=table["user"])
    units = per_user(table)
    assert ratio_difference(units["click"], units["one"], units["treated"], before=units["before"]) == rows
    turned = units.sample(frac=1, random_state=1)
    again = ratio_difference(turned["click"], turned["one"], turned["treated"], before=turned[["before"]])
    assert (again.low, again.high) == pytest.approx((rows.low, rows.high), abs=SUMS)


def test_the_jackknife_over_users_gives_the_standard_error():
    units = per_user(impressions(np.random.default_rng(3), users=400))
    got = ratio_difference(units["click"], units["one"], units["treated"])
    variance = 0.0
    for _, side in units.groupby("treated"):
        left = (side["click"].sum() - side["click"]) / (side["one"].sum() - side["one"])
        variance += (len(side) - 1) * left.var(ddof=0)
    # The jackknife's and the delta method's errors differ by the order of 1 / users.
    assert got.se == pytest.approx(np.sqrt(variance), rel=0.02)


def test_a_ratio_over_ones_is_a_mean_with_and_without_covariates():
    units = per_user(impressions(np.random.default_rng(4)))
    for before in ((), ("before",)):
        covariates = units[list(before)] if before else None
        got = ratio_difference(units["click"], np.ones(60), units["treated"], before=covariates)
        sides = arm_moments(units, Metric("click", before=before), "treated")
        want = absolute_effect(sides[True], sides[False])
        assert (got.estimate, got.se, got.df) == pytest.approx((want.estimate, want.se, want.df), rel=SUMS)


@given(seeds)
def test_adjusting_a_ratio_is_regressing_its_linear_form(seed):
    units = per_user(impressions(np.random.default_rng(seed), users=80))
    units["other"] = np.random.default_rng(seed).normal(size=80)
    got = ratio_difference(units["click"], units["one"], units["treated"], before=units[["before", "other"]])
    linear = pd.Series(0.0, index=units.index)
    for _, side in units.groupby("treated"):
        ratio = side["click"].sum() / side["one"].sum()
        linear[side.index] = ratio + (side["click"] - ratio * side["one"]) / side["one"].mean()
    x = sm.add_constant(units[["treated", "before", "other"]].astype(float))
    fit = sm.OLS(linear, x).fit()
    assert got.estimate == pytest.approx(fit.params["treated"], abs=SUMS)
    residual = fit.resid.groupby(units["treated"]).var(ddof=1) / units.groupby("treated").size()
    assert got.se == pytest.approx(np.sqrt(residual.sum()), rel=1e-6)


@pytest.mark.slow
def test_covariates_narrow_a_ratios_interval_and_leave_it_true():
    rng = np.random.default_rng(5)
    adjusted = Metric("click", "one", before=("before",))
    cut, hits = [], 0
    for _ in range(REPEATS):
        sides = arms_of(columns(rng, users=200), adjusted)
        effect = absolute_effect(*sides)
        cut.append(cuped_gain(*sides).variance_cut)
        hits += effect.low < 0 < effect.high
    # Twenty looks before the test tell much of a taste; no draw of 200 users makes them useless.
    assert min(cut) > 0.1
    assert hits / REPEATS == pytest.approx(0.95, abs=BAND)


def test_the_short_way_to_an_arms_sums_is_the_functions():
    world = columns(np.random.default_rng(7))
    got = absolute_effect(*arms_of(world, RATIO))
    assert got == ratio_difference(world["click"], world["one"], world["treated"], unit=world["user"])


@pytest.mark.slow
def test_impressions_taken_for_independent_cry_wolf_and_the_mends_do_not():
    rng = np.random.default_rng(6)
    alarms = np.zeros(3)
    for _ in range(REPEATS):
        world = columns(rng, users=200)
        y, treated = world["click"], world["treated"]
        naive, robust = difference(y, treated), difference(y, treated, cluster=world["user"])
        delta = absolute_effect(*arms_of(world, RATIO))
        alarms += [effect.p < 0.05 for effect in (naive, robust, delta)]
    rates = alarms / REPEATS
    assert rates[0] > 0.1
    np.testing.assert_allclose(rates[1:], 0.05, atol=BAND)


N, D, T = [3.0, 1, 0, 6], [10, 4, 1, 12], [1, 1, 0, 0]
FILL = "fill it in alike in both arms, with the mean for one."


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: ratio_difference(N, [10, 4, -1, 12], T),
            "column 'denominator', row 2 must be 0 or more, got -1.0; take a count as denominator.",
        ),
        (
            lambda: ratio_difference(N, [0, 0, 1, 12], T),
            "the denominator must be above 0 in sum, got 0; take a denominator that the arm has any of.",
        ),
        (
            lambda: ratio_difference(N, D[:3], T),
            "denominator must be 4 long, got 3 rows; take all arguments from one table.",
        ),
        (
            lambda: ratio_difference(N, D, T, unit=[1, 2, 2, 3]),
            "unit 2 must be in one arm, got two; find out how it crossed over before you read any effect.",
        ),
        (
            lambda: ratio_difference(N, D, T, before=[1, np.nan, 2, 3]),
            f"before, row 1 must be a finite number, got a missing value; {FILL}",
        ),
        (
            lambda: ratio_difference(N, D, T, before=pd.DataFrame({"x": [1, 2, np.inf, 3]})),
            f"before, column x, row 2 must be a finite number, got inf; {FILL}",
        ),
        (
            lambda: ratio_difference(N, D, T, before=[5, 5, 1, 1]),
            "before must be varying within the arms, got one value in each; take a measure that tells units apart.",
        ),
        (
            lambda: ratio_difference(N, D, T, before=np.zeros((2, 2, 2))),
            "before must be one column or a table, got 3 dimensions; pass numbers of shape (n, k).",
        ),
        (
            lambda: ratio_difference(N, D, T, before=pd.DataFrame(index=range(4))),
            "before must be one column or more, got none; name a measure from before, or leave it out.",
        ),
        (
            lambda: ratio_difference(N, D, [1, 1, 1, 1]),
            "treated must be 1 in some rows and 0 in others, got 1 in every row; pass both arms in one table.",
        ),
        (
            lambda: ratio_difference([5, 2, 1, 6], [10, 4, 2, 12], T),
            "the metric must be varying within an arm, got 0.5 and 0.5 throughout; wait until units differ.",
        ),
        (
            lambda: ratio_difference(pd.Series(N), pd.Series(D, index=[3, 2, 1, 0]), T),
            "numerator and denominator must be in one row order, got the same index labels in two orders; "
            "reindex one, or pass .to_numpy() if positions match.",
        ),
    ],
)
def test_bad_columns_are_refused_in_one_sentence(call, text):
    with says(text):
        call()
