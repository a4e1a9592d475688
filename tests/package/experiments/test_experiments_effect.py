"""Effects against statsmodels, scipy, two-stage least squares by hand, a published trial, and their own coverage."""

import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from casebook.contracts import ContractError
from casebook.experiments import complier_effect, cuped, difference

# Sums of a few hundred floats of order one, in two orders.
SUMS = 1e-8
# 2,000 repetitions of a 0.95 interval: three standard errors of 0.0049.
COVERAGE, REPEATS = 0.0146, 2_000

seeds = st.integers(0, 2**32)


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def world(seed, clusters=30, effect=0.5, biggest=6, compliance=0.7):
    """Return a table of clusters of unequal size with arms, receipt, a past measure and an outcome."""
    rng = np.random.default_rng(seed)
    account = np.repeat(np.arange(clusters), rng.integers(1, biggest + 1, clusters))
    n = len(account)
    treated = (rng.permutation(clusters) < clusters // 2)[account]
    willing = rng.random(n) < compliance
    before = rng.normal(size=clusters)[account] + rng.normal(size=n)
    received = np.where(treated, willing, rng.random(n) < 0.05)
    y = before + effect * received + willing + rng.normal(size=n) * np.where(treated, 1.5, 1)
    return pd.DataFrame({"account": account, "treated": treated, "received": received, "before": before, "y": y})


def by_statsmodels(y, treated, **how):
    return sm.OLS(np.asarray(y, float), sm.add_constant(np.asarray(treated, float))).fit(use_t=True, **how)


@given(seeds, st.booleans())
def test_without_clusters_it_is_welch(seed, binary):
    table = world(seed)
    y = table["y"] > 0.5 if binary else table["y"]
    assume(y[table["treated"]].nunique() > 1 or y[~table["treated"]].nunique() > 1)
    assume(2 <= table["treated"].sum() <= len(y) - 2)
    got = difference(y, table["treated"], level=0.9)
    sides = y[table["treated"]].astype(float), y[~table["treated"]].astype(float)
    theirs = ttest_ind(*sides, equal_var=False)
    interval = theirs.confidence_interval(0.9)
    assert got.p == pytest.approx(theirs.pvalue, rel=SUMS, abs=SUMS)
    assert (got.low, got.high) == pytest.approx((interval.low, interval.high), abs=SUMS)
    assert got.df == pytest.approx(theirs.df, rel=SUMS)
    assert (got.treated_mean, got.control_mean) == pytest.approx([side.mean() for side in sides])
    assert (got.treated_n, got.control_n) == tuple(len(side) for side in sides)
    assert got.clusters is None


@given(seeds)
def test_the_standard_error_is_that_of_hc2(seed):
    table = world(seed)
    theirs = by_statsmodels(table["y"], table["treated"], cov_type="HC2")
    assert difference(table["y"], table["treated"]).se == pytest.approx(theirs.bse[1], rel=SUMS)


@given(seeds)
def test_with_clusters_it_is_the_sandwich_of_statsmodels(seed):
    table = world(seed)
    got = difference(table["y"], table["treated"], cluster=table["account"])
    theirs = by_statsmodels(table["y"], table["treated"], cov_type="cluster", cov_kwds={"groups": table["account"]})
    assert got.estimate == pytest.approx(theirs.params[1], abs=SUMS)
    assert got.se == pytest.approx(theirs.bse[1], rel=SUMS)
    assert got.p == pytest.approx(theirs.pvalues[1], rel=1e-6, abs=SUMS)
    assert (got.low, got.high) == pytest.approx(tuple(theirs.conf_int()[1]), abs=SUMS)
    assert got.clusters == 30


@given(seeds)
def test_clusters_of_one_are_hc1_and_in_equal_arms_neyman(seed):
    table = world(seed)
    n = len(table)
    got = difference(table["y"], table["treated"], cluster=np.arange(n))
    assert got.se == pytest.approx(by_statsmodels(table["y"], table["treated"], cov_type="HC1").bse[1], rel=SUMS)
    rng = np.random.default_rng(seed)
    y, arms = rng.normal(size=40), np.arange(40) % 2
    assert difference(y, arms, cluster=np.arange(40)).se == pytest.approx(difference(y, arms).se, rel=SUMS)


@given(seeds, st.booleans())
def test_swapped_arms_swap_the_sign_and_a_constant_does_nothing(seed, clustered):
    table = world(seed)
    cluster = table["account"] if clustered else None
    there = difference(table["y"], table["treated"], cluster=cluster)
    back = difference(table["y"], ~table["treated"], cluster=cluster)
    moved = difference(table["y"] + 1000, table["treated"], cluster=cluster)
    assert (back.estimate, back.low, back.high) == pytest.approx((-there.estimate, -there.high, -there.low), abs=SUMS)
    assert (moved.estimate, moved.se, moved.p) == pytest.approx((there.estimate, there.se, there.p), abs=1e-7)
    doubled = difference(-2 * table["y"], table["treated"], cluster=cluster)
    assert (doubled.estimate, doubled.se) == pytest.approx((-2 * there.estimate, 2 * there.se), abs=SUMS)


@given(seeds)
def test_copies_of_rows_tell_nothing_to_clusters_and_too_much_without(seed):
    table = world(seed)
    twice, n = pd.concat([table, table]), len(table)
    once = difference(table["y"], table["treated"], cluster=table["account"])
    same = difference(twice["y"], twice["treated"], cluster=twice["account"])
    factor = np.sqrt((2 * n - 1) / (2 * n - 2) / ((n - 1) / (n - 2)))
    assert same.se == pytest.approx(once.se * factor, rel=SUMS)
    # Copies halve the variance, up to the n - 1 of each arm.
    naive = difference(twice["y"], twice["treated"]).se / difference(table["y"], table["treated"]).se
    assert naive == pytest.approx(np.sqrt(0.5), rel=0.05)


@given(seeds)
def test_the_order_of_rows_and_the_names_of_clusters_do_not_matter(seed):
    table = world(seed)
    turned = table.sample(frac=1, random_state=seed % 1000)
    named = turned["account"].map(lambda account: f"A{account}")
    first = difference(table["y"], table["treated"], cluster=table["account"])
    second = difference(turned["y"], turned["treated"], cluster=named)
    assert (first.estimate, first.se) == pytest.approx((second.estimate, second.se), abs=SUMS)


def test_rows_are_matched_by_position_whatever_the_index():
    table = world(1)
    odd = pd.Series(table["y"].to_numpy(), index=[f"u{i}" for i in table.index])
    assert difference(odd, table["treated"]) == difference(table["y"].to_numpy(), table["treated"].to_numpy())


@pytest.mark.parametrize("clustered", [False, True])
def test_the_intervals_cover_as_often_as_they_say(clustered):
    hits, units = 0, 0
    for seed in range(REPEATS):
        table = world(seed, clusters=80, effect=0.5, biggest=4)
        noise = table["before"] if clustered else np.random.default_rng(seed).normal(size=len(table))
        y = noise + 0.5 * table["treated"]
        got = difference(y, table["treated"], cluster=table["account"] if clustered else None)
        hits, units = hits + (got.low < 0.5 < got.high), units + 1
    assert hits / units == pytest.approx(0.95, abs=COVERAGE)


def test_intervals_that_forget_the_clusters_cover_too_seldom():
    tables = [world(seed, clusters=80, biggest=8) for seed in range(200)]
    effects = [difference(table["before"], table["treated"]) for table in tables]
    assert np.mean([effect.low < 0 < effect.high for effect in effects]) < 0.9


def test_the_vitamin_trial_has_the_complier_effect_that_was_published():
    # Sommer and Zeger's trial as in Imbens and Rubin (1997), who print an effect of assignment on deaths of
    # -0.0026 and on compliers of -0.0032.
    cells = [(1, 1, 9675, 12), (1, 0, 2419, 34), (0, 0, 11_588, 74)]
    rows = [(z, d, y) for z, d, n, deaths in cells for y, m in ((1, deaths), (0, n - deaths)) for _ in range(m)]
    assigned, received, died = np.array(rows).T
    got = complier_effect(died, assigned, received)
    assert difference(died, assigned).estimate == pytest.approx(-0.0026, abs=5e-5)
    assert got.estimate == pytest.approx(-0.0032, abs=5e-5)
    assert got.treated_mean == pytest.approx(12 / 9675)


def two_stages(table, cluster):
    """Return coefficient and CR1 standard error of two-stage least squares, by matrices."""
    z, d, y = (table[name].to_numpy(float) for name in ("treated", "received", "y"))
    x, w = np.column_stack([np.ones(len(y)), d]), np.column_stack([np.ones(len(y)), z])
    inverse = np.linalg.inv(w.T @ x)
    beta = inverse @ w.T @ y
    scores = w * (y - x @ beta)[:, None]
    sums = np.array([scores[cluster == g].sum(axis=0) for g in np.unique(cluster)])
    n, g = len(y), len(sums)
    covariance = inverse @ (sums.T @ sums) @ inverse.T * g / (g - 1) * (n - 1) / (n - 2)
    return beta[1], np.sqrt(covariance[1, 1])


@given(seeds)
def test_the_complier_effect_is_two_stage_least_squares(seed):
    table = world(seed)
    cluster = table["account"].to_numpy()
    got = complier_effect(table["y"], table["treated"], table["received"], cluster=cluster)
    assert (got.estimate, got.se) == pytest.approx(two_stages(table, cluster), rel=1e-6)
    assert got.treated_mean - got.control_mean == pytest.approx(got.estimate, abs=SUMS)


@given(seeds)
def test_its_standard_error_is_the_delta_method_of_a_ratio(seed):
    table = world(seed)
    got = complier_effect(table["y"], table["treated"], table["received"])
    ratio, covariance = [], np.zeros((2, 2))
    for arm, sign in ((True, 1), (False, -1)):
        rows = table.loc[table["treated"] == arm, ["y", "received"]].astype(float)
        ratio.append(sign * rows.mean().to_numpy())
        covariance += np.cov(rows.T) / len(rows)
    effect, gap = np.sum(ratio, axis=0)
    slope = np.array([1 / gap, -effect / gap**2])
    assert got.se == pytest.approx(np.sqrt(slope @ covariance @ slope), rel=1e-6)
    assert got.estimate == pytest.approx(effect / gap, rel=SUMS)


@given(seeds)
def test_the_complier_effect_does_not_depend_on_which_arm_is_called_treated(seed):
    table = world(seed)
    there, back = (
        complier_effect(table["y"], arms, table["received"]) for arms in (table["treated"], ~table["treated"])
    )
    assert (back.estimate, back.low, back.high) == pytest.approx((there.estimate, there.low, there.high), abs=SUMS)


def test_full_delivery_collapses_to_the_difference():
    table = world(3)
    plain = difference(table["y"], table["treated"], cluster=table["account"])
    assert complier_effect(table["y"], table["treated"], table["treated"], cluster=table["account"]) == plain


def test_the_complier_effect_finds_the_truth_where_comparing_the_reached_does_not():
    table = world(11, clusters=4000, effect=0.5)
    got = complier_effect(table["y"], table["treated"], table["received"], cluster=table["account"])
    assert got.low < 0.5 < got.high
    # The willing fare better by one anyway; of those not reached 53 % are willing too, so the naive answer is 0.95.
    assert difference(table["y"], table["received"]).estimate == pytest.approx(0.95, abs=0.1)


@given(seeds)
def test_cuped_is_the_regression_that_adjusts_for_before(seed):
    table = world(seed)
    x = np.column_stack([np.ones(len(table)), table["treated"], table["before"]]).astype(float)
    fit = sm.OLS(table["y"].to_numpy(), x).fit()
    adjusted = cuped(table["y"], table["before"], table["treated"])
    assert difference(adjusted, table["treated"]).estimate == pytest.approx(fit.params[1], abs=SUMS)
    assert adjusted.mean() == pytest.approx(table["y"].mean())
    np.testing.assert_allclose(cuped(table["y"], 7 - 3 * table["before"], table["treated"]), adjusted, atol=1e-7)


def test_cuped_removes_the_share_of_variance_that_was_foreseeable():
    rng = np.random.default_rng(8)
    before, arms = rng.normal(size=40_000), np.arange(40_000) % 2
    y = 0.8 * before + 0.6 * rng.normal(size=40_000) + 0.1 * arms
    plain, adjusted = difference(y, arms), difference(cuped(y, before, arms), arms)
    # Correlation 0.8: the variance falls to 0.36; 0.02 is four standard errors of a squared correlation here.
    assert (adjusted.se / plain.se) ** 2 == pytest.approx(0.36, abs=0.02)
    assert adjusted.low < 0.1 < adjusted.high


def test_an_effect_prints_in_one_line():
    got = difference([1, 1, 1, 0, 1, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0])
    assert str(got) == "+0.5 (95% interval -0.3651 to +1.365, p = 0.21)"


def test_inputs_are_left_as_they_were():
    table = world(2)
    copy = table.copy()
    difference(table["y"], table["treated"], cluster=table["account"])
    complier_effect(table["y"], table["treated"], table["received"])
    cuped(table["y"], table["before"], table["treated"])
    pd.testing.assert_frame_equal(table, copy)


Y, T = [1.0, 2.0, 3.0, 5.0], [1, 1, 0, 0]
KEEP = "give every randomised unit one, for dropping some undoes the randomisation."


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: difference([1, np.nan, 2, 3], T), f"y, row 1 must be a finite number, got a missing value; {KEEP}"),
        (lambda: difference([1, None, 2, 3], T), f"y, row 1 must be a finite number, got a missing value; {KEEP}"),
        (
            lambda: difference([1, True, "a", 3], T),
            "y must be numbers or bools, got '1' in row 0; strip signs and units, or read a decimal comma with "
            "pandas.read_csv(..., decimal=',').",
        ),
        (lambda: difference([1, 2, np.inf, 3], T), f"y, row 2 must be a finite number, got inf; {KEEP}"),
        (
            lambda: difference([], []),
            "y must be at least one row long, got no rows; check the filter or the join that made it.",
        ),
        (
            lambda: difference(pd.DataFrame({"a": Y, "b": Y}), T),
            "y must be one-dimensional, got shape (4, 2); pass one column, such as [:, 1].",
        ),
        (
            lambda: difference(Y, [1, 2, 0, 0]),
            "treated, row 1 must be 0 or 1, got 2; put 1 where the event happened and 0 elsewhere.",
        ),
        (
            lambda: difference(Y, [0, 0, 0, 0]),
            "treated must be 1 in some rows and 0 in others, got 0 in every row; pass both arms in one table.",
        ),
        (lambda: difference(Y, [1, 0, 0]), "treated must be 4 long, got 3 rows; take all arguments from one table."),
        (
            lambda: difference(pd.Series(Y), pd.Series(T, index=[3, 2, 1, 0])),
            "y and treated must be in one row order, got the same index labels in two orders; "
            "reindex one, or pass .to_numpy() if positions match.",
        ),
        (
            lambda: difference(Y, [1, 0, 0, 0]),
            "the treated arm must be at least two units, got 1; one alone shows no spread, so wait for more.",
        ),
        (
            lambda: difference(Y, T, cluster=["a", "b", "c", "c"]),
            "the control arm must be at least two clusters, got 1; one alone shows no spread, so wait for more.",
        ),
        (
            lambda: difference(Y, T, cluster=["A1", "A7", "A7", "A2"]),
            "cluster 'A7' must be in one arm, got both; randomise whole clusters or drop cluster=.",
        ),
        (
            lambda: difference(Y, T, cluster=["a", "b", None, "d"]),
            "cluster, row 2 must be filled in, got a missing value; give a unit that stands alone a label of its own.",
        ),
        (lambda: difference(Y, T, level=95), "level must be above 0 and below 1, got 95; divide percentages by 100."),
        (
            lambda: difference([0.1, 0.1, 0.2, 0.2], T),
            "y must be varying within an arm, got 0.1 and 0.2 throughout; "
            "wait until outcomes differ, or compare the counts.",
        ),
        (
            lambda: complier_effect(Y * 2, T * 2, [1, 0, 0, 1] * 2),
            "received must be moved by assigned, got a rate of 0.5 against 0.5; "
            "report difference(y, assigned) instead.",
        ),
        (
            lambda: complier_effect(Y, T, [0, 0, 0, 0]),
            "received must be moved by assigned, got a rate of 0 against 0; report difference(y, assigned) instead.",
        ),
        (
            lambda: complier_effect(Y, T, [1, 0, 0, 0]),
            "received must be moved by assigned, got a rate of 0.5 against 0; report difference(y, assigned) instead.",
        ),
        (
            lambda: complier_effect(Y, T, [1, 0]),
            "received must be 4 long, got 2 rows; take all arguments from one table.",
        ),
        (
            lambda: complier_effect(Y, [1, 1, 1, 1], T),
            "assigned must be 1 in some rows and 0 in others, got 1 in every row; pass both arms in one table.",
        ),
        (
            lambda: cuped(Y, [1, 1, 2, 2], T),
            "before must be varying within the arms, got one value in each; take a measure that tells units apart.",
        ),
        (
            lambda: cuped(Y, [1, np.nan, 2, 2], T),
            "before, row 1 must be a finite number, got a missing value; "
            "fill it in alike in both arms, with the mean for one.",
        ),
        (lambda: cuped(Y, [1, 2], T), "before must be 4 long, got 2 rows; take all arguments from one table."),
    ],
)
def test_refusals(call, text):
    with says(text):
        call()
