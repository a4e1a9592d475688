"""Effects from sums: an engine's published answers, scipy, statsmodels, numeric derivatives, and their own coverage."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import t as student
from scipy.stats import ttest_ind, ttest_ind_from_stats
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from casebook.contracts import ContractError
from casebook.experiments import Metric, Moments, absolute_effect, difference, relative_effect

# Sums of a few hundred floats of order one, in two orders.
SUMS = 1e-8
# 2,000 repetitions of a 0.95 interval: three standard errors of 0.0049.
COVERAGE = 0.0146
REPEATS = 2_000

# Of users, with the sums of their revenue and its square.
CONTROL, TREATED = Moments.of_total(3407, 1396.87, 52377.9767), Moments.of_total(3461, 2422.7, 134698.29)
KINDS = ["mean", "proportion", "ratio", "adjusted mean", "adjusted ratio"]
METRICS = {
    "mean": Metric("y"),
    "proportion": Metric("y", proportion=True),
    "ratio": Metric("y", "d"),
    "adjusted mean": Metric("y", before=("x",)),
    "adjusted ratio": Metric("y", "d", before=("x", "z")),
}

seeds = st.integers(0, 2**32)


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def rows(rng, n, kind, lift=0.0):
    """Return one arm's units: heavy and light users, who are known as such from before."""
    taste = rng.gamma(3, 1 / 3, n)
    x, z, d = rng.poisson(5 * taste), rng.poisson(3 * taste), 1 + rng.poisson(3 * taste)
    if kind == "proportion":
        return (rng.random(n) < 0.3 * (1 + lift))[:, None]
    y = rng.poisson((0.5 * d if "ratio" in kind else 4.0) * taste * (1 + lift))
    columns = {"y": y, "d": d, "x": x, "z": z}
    return np.column_stack([columns[name] for name in METRICS[kind].columns])


def arms(seed, kind, sizes=(60, 90), lift=0.2):
    rng = np.random.default_rng(seed)
    return tuple(Moments.of_rows(rows(rng, n, kind, e), METRICS[kind]) for n, e in zip(sizes, (lift, 0.0), strict=True))


def ends(effect):
    return effect.low, effect.high


def test_the_absolute_effect_is_the_engines_by_welch():
    got = absolute_effect(TREATED, CONTROL)
    assert [round(value, 5) for value in (got.estimate, got.low, got.high, got.p)] == [0.29, 0.04538, 0.53462, 0.02016]


def test_the_relative_effect_is_the_engines_by_the_delta_method_with_the_differences_df():
    got = relative_effect(TREATED, CONTROL)
    assert [round(v, 5) for v in (got.estimate, got.low, got.high, got.p)] == [0.70732, -0.03526, 1.44989, 0.06191]
    # The same statistics: one says yes at 5 %, the other no.
    assert absolute_effect(TREATED, CONTROL).p < 0.05 < got.p
    # The lift's own degrees of freedom would print another low end, and so would a normal.
    lift = [got.estimate - student.isf(0.025, df) * got.se for df in (got.df, 6814.52, np.inf)]
    assert [round(low, 5) for low in lift] == [-0.03526, -0.03524, -0.03511]


def test_the_binomial_effect_is_the_engines_with_the_variance_of_a_proportion():
    got = relative_effect(Moments.of_counts(30, 16), Moments.of_counts(28, 14))
    assert [round(v, 5) for v in (got.estimate, got.low, got.high, got.p)] == [0.06667, -0.47767, 0.61101, 0.80707]
    # With the n - 1 of a mean it is not.
    mean = relative_effect(Moments.of_total(30, 16, 16), Moments.of_total(28, 14, 14))
    assert round(mean.low, 5) != -0.47767


def test_fieller_agrees_with_the_difference_where_the_delta_method_does_not():
    got = relative_effect(TREATED, CONTROL, method="fieller")
    assert got.p == absolute_effect(TREATED, CONTROL).p
    assert 0 < got.low < relative_effect(TREATED, CONTROL).high < got.high


def test_a_mean_is_scipys_and_statsmodels_welch():
    rng = np.random.default_rng(1)
    t, c = rng.gamma(1, 2, 50), rng.gamma(1, 1, 80)
    got = absolute_effect(*(Moments.of_rows(side[:, None], Metric("y")) for side in (t, c)), level=0.9)
    theirs = ttest_ind(t, c, equal_var=False)
    assert (got.p, got.df) == pytest.approx((theirs.pvalue, theirs.df), rel=SUMS)
    assert ends(got) == pytest.approx(tuple(theirs.confidence_interval(0.9)), rel=SUMS)
    compare = CompareMeans(DescrStatsW(t), DescrStatsW(c))
    assert ends(got) == pytest.approx(compare.tconfint_diff(0.1, usevar="unequal"), rel=SUMS)
    stats = ttest_ind_from_stats(t.mean(), t.std(ddof=1), 50, c.mean(), c.std(ddof=1), 80, equal_var=False)
    assert got.p == pytest.approx(stats.pvalue, rel=SUMS)


def test_a_proportion_is_statsmodels_wald_but_for_its_t():
    got = absolute_effect(Moments.of_counts(300, 96), Moments.of_counts(250, 60))
    low, high = confint_proportions_2indep(96, 300, 60, 250, method="wald")
    assert got.se == pytest.approx((high - low) / 2 / student.isf(0.025, np.inf), rel=SUMS)
    assert got.estimate == pytest.approx((low + high) / 2, rel=SUMS)


@given(seeds, st.sampled_from(["mean", "adjusted mean"]))
def test_the_long_way_over_rows_gives_the_same(seed, kind):
    rng = np.random.default_rng(seed)
    tables = rows(rng, 40, kind, 0.2), rows(rng, 70, kind)
    got = absolute_effect(*(Moments.of_rows(table, METRICS[kind]) for table in tables))
    x, treated = np.vstack(tables).astype(float), np.arange(110) < 40
    y = x[:, 0]
    if kind != "mean":
        own = np.where(treated, x[treated, 1].mean(), x[~treated, 1].mean())
        theta = (x[:, 1] - own) @ y / ((x[:, 1] - own) @ (x[:, 1] - own))
        y = y - theta * (x[:, 1] - x[:, 1].mean())
    want = difference(y, treated)
    assert got.treated_mean == pytest.approx(want.treated_mean, rel=SUMS)
    assert (got.estimate, got.low, got.high) == pytest.approx((want.estimate, want.low, want.high), abs=1e-7)
    assert (got.df, got.treated_n, got.control_n) == pytest.approx((want.df, 40, 70), rel=1e-6)


def lift_of(means, n, theta, ratio):
    """Return the relative lift as a function of all column means of both arms, shape (2 k,)."""
    sides = np.split(means, 2)
    values = [side[0] / side[1] if ratio else side[0] for side in sides]
    shift = theta @ (sides[0] - sides[1])
    share = n[0] / sum(n)
    return (values[0] - (1 - share) * shift) / (values[1] + share * shift) - 1


def theta_by_hand(sides, kind):
    """Return the coefficient of each column, 0 for those that are not from before."""
    k, before = len(sides[0].sums), len(METRICS[kind].before)
    xx, xz = np.zeros((before, before)), np.zeros(before)
    for side in sides:
        scatter = (side.n - 1) * side.covariance
        # What the arm's units add to its ratio y / d, or to its mean.
        ratio, size = (side.sums[0] / side.sums[1], side.means[1]) if "ratio" in kind else (0.0, 1.0)
        linear = (scatter[0] - ratio * scatter[1]) / size if "ratio" in kind else scatter[0]
        xx, xz = xx + scatter[k - before :, k - before :], xz + linear[k - before :]
    return np.r_[np.zeros(k - before), np.linalg.lstsq(xx, xz)[0]] if before else np.zeros(k)


@given(seeds, st.sampled_from(KINDS))
def test_the_lifts_standard_error_is_a_numeric_delta_method_over_all_means(seed, kind):
    sides = arms(seed, kind)
    got = relative_effect(*sides)
    theta, n = theta_by_hand(sides, kind), [side.n for side in sides]
    means, k = np.concatenate([side.means for side in sides]), len(theta)
    slope = []
    for step in 1e-5 * np.eye(2 * k):
        up, down = (lift_of(means + move, n, theta, "ratio" in kind) for move in (step, -step))
        slope.append((up - down) / 2e-5)
    covariance = np.zeros((2 * k, 2 * k))
    covariance[:k, :k], covariance[k:, k:] = (side.covariance / side.n for side in sides)
    assert got.estimate == pytest.approx(lift_of(means, n, theta, "ratio" in kind), abs=SUMS)
    assert got.se == pytest.approx(np.sqrt(slope @ covariance @ slope), rel=1e-5)


@given(seeds)
def test_fiellers_ends_are_the_lifts_that_a_t_test_just_rejects(seed):
    treated, control = arms(seed, "mean")
    got = relative_effect(treated, control, method="fieller")
    m1, m0 = treated.means[0], control.means[0]
    v1, v0 = (side.covariance[0, 0] / side.n for side in (treated, control))
    critical = student.isf(0.025, got.df)

    def excess(lift):
        return abs(m1 - (1 + lift) * m0) / np.sqrt(v1 + (1 + lift) ** 2 * v0) - critical

    assert got.low == pytest.approx(brentq(excess, -1, got.estimate), abs=1e-6)
    assert got.high == pytest.approx(brentq(excess, got.estimate, 50), abs=1e-6)


@given(seeds, st.sampled_from(KINDS))
def test_swapped_arms_turn_the_sign_and_fiellers_lift_over(seed, kind):
    treated, control = arms(seed, kind)
    there, back = absolute_effect(treated, control), absolute_effect(control, treated)
    assert (back.estimate, back.low, back.high) == pytest.approx((-there.estimate, -there.high, -there.low), abs=SUMS)
    assert back.p == pytest.approx(there.p, rel=1e-6)
    there, back = (relative_effect(*pair, method="fieller") for pair in ((treated, control), (control, treated)))
    turned = (1 / (1 + value) - 1 for value in (there.estimate, there.high, there.low))
    assert (back.estimate, back.low, back.high) == pytest.approx(tuple(turned), abs=1e-7)


@given(seeds, st.sampled_from(["mean", "ratio", "adjusted ratio"]), st.floats(0.01, 100))
def test_a_unit_of_measurement_scales_the_difference_and_not_the_lift(seed, kind, scale):
    sides = arms(seed, kind)
    factor = np.r_[scale, np.ones(len(METRICS[kind].columns) - 1)]
    scaled = [
        Moments(
            side.n, tuple(factor * side.sums), tuple(map(tuple, np.outer(factor, factor) * side.products)), side.metric
        )
        for side in sides
    ]
    plain, other = absolute_effect(*sides), absolute_effect(*scaled)
    assert (other.estimate, other.se) == pytest.approx((scale * plain.estimate, scale * plain.se), rel=1e-6, abs=SUMS)
    for method in ("delta", "fieller"):
        plain, other = relative_effect(*sides, method=method), relative_effect(*scaled, method=method)
        assert ends(other) == pytest.approx(ends(plain), rel=1e-6, abs=SUMS)


def test_the_two_lifts_agree_where_the_control_is_well_known():
    gaps = []
    for n in (100, 10_000, 1_000_000):
        sides = Moments.of_counts(n, 0.36 * n), Moments.of_counts(n, 0.3 * n)
        delta, fieller = relative_effect(*sides), relative_effect(*sides, method="fieller")
        gaps.append(abs(delta.high - fieller.high) / delta.se)
    assert gaps[0] > gaps[1] > gaps[2] and gaps[2] < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_interval_covers_as_often_as_it_says(kind):
    rng = np.random.default_rng(8)
    # Poisson given taste: E(y) = 4; of a ratio E(y) / E(d) with E(taste) = 1 and E(taste^2) = 4 / 3.
    base = {"proportion": 0.3, "ratio": 0.5 * 5 / 4, "adjusted ratio": 0.5 * 5 / 4}.get(kind, 4.0)
    lift = 0.1
    hits = np.zeros(3)
    for _ in range(REPEATS):
        sides = [
            Moments.of_rows(rows(rng, n, kind, e), METRICS[kind]) for n, e in zip((400, 800), (lift, 0), strict=True)
        ]
        effects = absolute_effect(*sides), relative_effect(*sides), relative_effect(*sides, method="fieller")
        hits += [e.low < truth < e.high for e, truth in zip(effects, (lift * base, lift, lift), strict=True)]
    np.testing.assert_allclose(hits / REPEATS, 0.95, atol=COVERAGE)


MEANS = Moments.of_total(10, 20, 60), Moments.of_total(10, 10, 40)
LOST = Moments.of_total(10, -10, 40)
FLAT = Moments.of_total(10, 20, 40)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: absolute_effect([1, 2], MEANS[0]),
            "treated must be Moments, got list; pass one arm of arm_moments(...) or Moments.of_total(...).",
        ),
        (
            lambda: absolute_effect(MEANS[0], Moments.of_counts(10, 3)),
            f"control must be of treated's metric, got {Metric('y', proportion=True)}; take {Metric('y')} of both.",
        ),
        (
            lambda: absolute_effect(FLAT, FLAT),
            "the metric must be varying within an arm, got 2 and 2 throughout; wait until units differ.",
        ),
        (
            lambda: absolute_effect(*MEANS, level=95),
            "level must be above 0 and below 1, got 95; divide percentages by 100.",
        ),
        (
            lambda: relative_effect(MEANS[0], LOST),
            "the control's mean must be above 0 for a relative effect, got -1; report absolute_effect(...).",
        ),
        (
            lambda: relative_effect(*MEANS, method="Fieller"),
            "method must be 'delta' or 'fieller', got 'Fieller'; take 'fieller' where the control is noisy.",
        ),
        (
            lambda: relative_effect(*MEANS, method="fieller"),
            "the control's mean must be clearly above 0 for Fieller's interval, got 1 with a standard error of 0.577; "
            "report absolute_effect(...).",
        ),
    ],
)
def test_what_has_no_effect_is_refused_in_one_sentence(call, text):
    with says(text):
        call()
