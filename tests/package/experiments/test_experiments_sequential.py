"""Peeking against the literature, the joint normal and draws; always-valid intervals against GrowthBook's engine,
the mixture they come from, and continuous looking at skewed data."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import multivariate_normal, norm

from casebook.contracts import ContractError
from casebook.experiments import always_valid, always_valid_critical, difference, expected_n, peeking_error

# The table has three decimals.
PRINTED = 0.0005
# scipy's multivariate normal is itself a simulation.
GENZ = 2e-4
# Numbers printed with five decimals.
FIVE_DECIMALS = 5e-6
ROUNDING = 1e-9
QUADRATURE = 1e-6

numbers = st.floats(-50, 50)
errors = st.floats(0.01, 50)
units = st.floats(10, 1e7)
levels = st.floats(0.5, 0.999)


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def band(share, runs):
    return 4 * np.sqrt(share * (1 - share) / runs)


def running(values):
    """Return means and variances of the first 2, 3, ... values in each row."""
    count = np.arange(1, values.shape[1] + 1)
    mean = np.cumsum(values, axis=1) / count
    spread = np.cumsum(values**2, axis=1) / count - mean**2
    return mean[:, 1:], (spread * count / np.maximum(count - 1, 1))[:, 1:]


@pytest.mark.parametrize(
    ("looks", "error"),
    [(1, 0.05), (2, 0.083), (3, 0.107), (4, 0.126), (5, 0.142), (10, 0.193), (20, 0.248), (50, 0.320)],
)
def test_peeking_errs_as_armitage_mcpherson_and_rowe_tabled(looks, error):
    assert peeking_error(looks) == pytest.approx(error, abs=PRINTED)


def test_peeking_errs_as_200_000_drawn_paths_of_others():
    looks, drawn = [1, 2, 3, 5, 10, 20, 50, 100], np.array([5.0, 8.4, 10.7, 14.1, 19.2, 24.8, 32.1, 37.2]) / 100
    assert (np.abs(peeking_error(looks) - drawn) < band(drawn, 200_000) + PRINTED).all()


def test_looks_at_independent_data_would_err_far_more_often():
    blogs = np.array([0.098, 0.226, 0.401])
    looks = np.array([2, 5, 10])
    assert np.abs(1 - 0.95**looks - blogs).max() < PRINTED
    assert (blogs - peeking_error(looks) > [0.01, 0.08, 0.2]).all()


def test_a_vendors_alarms_are_those_of_5_000_visitors_in_each_arm():
    # 20% with a look every 1,000 visitors, 26% every 500: theory has 10 and 20 looks there, not 5 and 10.
    vendor = np.array([0.20, 0.26])
    assert np.abs(peeking_error([10, 20]) - vendor).max() < 0.015
    assert np.abs(peeking_error([5, 10]) - vendor).min() > 0.05


@pytest.mark.parametrize("looks", [2, 3, 5])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.3])
def test_peeking_errs_as_the_joint_normal_says(looks, alpha):
    times = np.arange(1, looks + 1)
    joint = multivariate_normal(cov=np.sqrt(np.minimum.outer(times, times) / np.maximum.outer(times, times)), seed=1)
    corner = np.full(looks, norm.isf(alpha / 2))
    assert peeking_error(looks, alpha) == pytest.approx(1 - joint.cdf(corner, lower_limit=-corner), abs=GENZ)


def test_peeking_errs_as_daily_looks_at_drawn_arms_do():
    rng, runs = np.random.default_rng(8), 20_000
    gap = np.cumsum(rng.normal(size=(runs, 14)) - rng.normal(size=(runs, 14)), axis=1)
    wrong = (np.abs(gap) / np.sqrt(2 * np.arange(1, 15)) > norm.isf(0.025)).any(axis=1).mean()
    assert peeking_error(14) == pytest.approx(wrong, abs=band(wrong, runs))


@given(st.integers(1, 25), st.integers(1, 25), st.floats(0.001, 0.4))
def test_more_looks_err_more_and_never_above_independence(few, more, alpha):
    one, other = sorted([few, few + more])
    low, high = peeking_error([one, other], alpha)
    assert alpha - ROUNDING <= low < high <= 1 - (1 - alpha) ** other + ROUNDING
    assert peeking_error(one, alpha) == pytest.approx(low, abs=1e-7)


def growthbook():
    """The engine's own test: sums and sums of squares of 3,000 and 3,461 users, as a relative effect."""
    (control, treated), n = (1396.87 / 3000, 2422.7 / 3461), (3000, 3461)
    variance = [
        (ss - mean**2 * m) / (m - 1) for ss, mean, m in zip((52377.9767, 134698.29), (control, treated), n, strict=True)
    ]
    relative = variance[1] / n[1] / control**2 + variance[0] / n[0] * treated**2 / control**4
    absolute = variance[1] / n[1] + variance[0] / n[0]
    return treated / control - 1, np.sqrt(relative), treated - control, np.sqrt(absolute), sum(n)


def test_the_interval_of_growthbooks_engine():
    # The engine reports the relative effect, its variance by the delta method, with n of both arms together.
    relative, se, *_, n = growthbook()
    got = always_valid(relative, se, n, tuning=1000)
    assert (got.estimate, got.low, got.high) == pytest.approx((0.50336, -0.55844, 1.56516), abs=FIVE_DECIMALS)
    assert got.p == 1


def test_the_engines_relative_interval_is_not_the_absolute_one_rescaled():
    relative, se, gap, absolute_se, n = growthbook()
    whole = always_valid(gap, absolute_se, n, tuning=1000)
    control = gap / relative
    assert whole.high / control < always_valid(relative, se, n, tuning=1000).high - 0.05


def test_the_price_in_width_at_10_000_units():
    ratio = [always_valid_critical([10_000], tuning=tuning)[0] / norm.isf(0.025) for tuning in (1000, 5000, 10_000)]
    assert ratio == pytest.approx([1.65, 1.56, 1.55], abs=0.005)
    # Width falls with the root of n: as narrow as the fixed interval takes some 2.4 times the sample.
    assert ratio[2] ** 2 == pytest.approx(2.4, abs=0.05)


def test_false_positives_of_100_looks_are_those_of_4_000_drawn_paths():
    n = np.arange(1, 101) * 100
    for tuning, drawn in ((1000, 0.021), (5000, 0.018), (10_000, 0.014)):
        wrong = expected_n(n, always_valid_critical(n, tuning=tuning), effect=0).stop
        assert wrong == pytest.approx(drawn, abs=band(drawn, 4000) + PRINTED)
        assert wrong < 0.05
    assert peeking_error(100) == pytest.approx(0.375, abs=band(0.375, 4000) + PRINTED)


def evidence(z, k):
    """Integrate the likelihood ratio over the mixing prior: effects in standard errors, variance k."""
    effect = z * k / (k + 1) + np.linspace(-12, 12, 2001)
    return np.trapezoid(np.exp(effect * z - effect**2 / 2) * norm.pdf(effect, scale=np.sqrt(k)), effect)


@given(st.floats(-5, 5), st.floats(0.1, 30), levels)
def test_p_is_one_over_the_mixtures_evidence(z, scale, level):
    twice = -2 * np.log(1 - level)
    k = scale * (twice + np.log(1 + twice))
    got = always_valid(z, 1.0, 1000 * scale, tuning=1000, level=level)
    assert got.p == pytest.approx(min(1, 1 / evidence(z, k)), rel=QUADRATURE)
    # At the interval's ends the evidence against the true effect is 1 / alpha.
    assert evidence(got.high - z, k) == pytest.approx(1 / (1 - level), rel=QUADRATURE)


@given(st.floats(100, 1e6), st.floats(0.8, 0.999))
def test_it_is_nearly_tightest_where_it_is_tuned(n, level):
    alpha = 1 - level
    width = lambda log_tuning: always_valid_critical([n], tuning=np.exp(log_tuning), alpha=alpha)[0]  # noqa: E731
    best = minimize_scalar(width, bounds=(np.log(n) - 4, np.log(n) + 4), method="bounded").fun
    assert best <= always_valid_critical([n], tuning=n, alpha=alpha)[0] + ROUNDING
    assert always_valid_critical([n], tuning=n, alpha=alpha)[0] < 1.001 * best


@given(numbers, errors, units, units, levels)
def test_swapped_arms_flip_the_sign_and_scales_scale(estimate, se, n, tuning, level):
    got = always_valid(estimate, se, n, tuning=tuning, level=level)
    swapped = always_valid(-estimate, se, n, tuning=tuning, level=level)
    scaled = always_valid(3 * estimate, 3 * se, 7 * n, tuning=7 * tuning, level=level)
    assert (swapped.low, swapped.high, swapped.p) == (-got.high, -got.low, got.p)
    assert (scaled.low, scaled.high, scaled.p) == pytest.approx((3 * got.low, 3 * got.high, got.p), rel=ROUNDING)


@given(numbers, errors, units, units, levels)
def test_interval_p_and_critical_value_agree(estimate, se, n, tuning, level):
    got = always_valid(estimate, se, n, tuning=tuning, level=level)
    critical = always_valid_critical([n], tuning=tuning, alpha=1 - level)[0]
    assert got.high - got.low == pytest.approx(2 * critical * se, rel=ROUNDING)
    assert critical > norm.isf((1 - level) / 2)
    if abs(abs(estimate / se) - critical) > QUADRATURE:
        assert (abs(estimate / se) > critical) == (got.p < 1 - level) == (not got.low <= 0 <= got.high)


def test_an_effect_brings_its_numbers():
    y, arms, shops = np.arange(12.0) ** 2 % 7, np.arange(12) % 2, np.arange(12) % 6
    effect = difference(y, arms, level=0.9)
    assert always_valid(effect) == always_valid(effect.estimate, effect.se, 12, level=0.9)
    assert always_valid(effect, level=0.95).level == 0.95
    whole = difference(y, arms, cluster=shops)
    assert always_valid(whole).n == whole.clusters == 6


@pytest.mark.slow
def test_looking_after_every_pair_of_users_errs_at_most_alpha():
    # Skewed outcomes, estimated variances, a look at each of 200 to 3,000 pairs; p and interval are one test.
    rng, runs, first = np.random.default_rng(8), 2000, 200
    sides = [running(rng.exponential(size=(runs, 3000))) for _ in range(2)]
    z = (sides[0][0] - sides[1][0]) / np.sqrt((sides[0][1] + sides[1][1]) / np.arange(2, 3001))
    pairs = np.arange(2, 3001)
    for tuning in (1000, 5000):
        crossed = np.abs(z) > always_valid_critical(2 * pairs, tuning=tuning)
        wrong = crossed[:, pairs >= first].any(axis=1).mean()
        assert 0 < wrong <= 0.05 + band(0.05, runs)
    # The same looks with the fixed test's bound: the test above can fail.
    assert (np.abs(z[:, pairs >= first]) > norm.isf(0.025)).any(axis=1).mean() > 0.25


@pytest.mark.slow
def test_intervals_hold_the_effect_when_one_stops_at_the_first_significance():
    rng, runs, n = np.random.default_rng(9), 2000, np.arange(100, 5001, 10)
    effect, se = 0.03, 1 / np.sqrt(n)
    fresh = rng.normal(size=(runs, len(n))) * np.sqrt(np.diff(n, prepend=0))
    estimate = np.cumsum(fresh, axis=1) / n + effect
    covered = {}
    for name, critical in (("fixed", np.full(len(n), norm.isf(0.025))), ("valid", always_valid_critical(n))):
        crossed = np.abs(estimate) > critical * se
        stop = np.where(crossed.any(axis=1), crossed.argmax(axis=1), len(n) - 1)
        found = estimate[np.arange(runs), stop]
        covered[name] = (np.abs(found - effect) <= (critical * se)[stop]).mean()
    assert covered["valid"] >= 0.95 - band(0.95, runs)
    assert covered["fixed"] < 0.95 - 2 * band(0.95, runs)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: peeking_error(0),
            "looks must be whole numbers from 1 to 1000, got 0.0; count how often the test is read.",
        ),
        (
            lambda: peeking_error([2, 2.5]),
            "looks must be whole numbers from 1 to 1000, got 2.5; count how often the test is read.",
        ),
        (lambda: peeking_error(5, 5), "alpha must be above 0 and below 1, got 5; divide percentages by 100."),
        (
            lambda: always_valid(1.0),
            "se must be given beside a number, got nothing; pass its standard error, or an Effect.",
        ),
        (lambda: always_valid(1.0, 0, 10), "se must be above 0, got 0; pass what the plan has of it."),
        (
            lambda: always_valid(1.0, 1),
            "n must be given beside a number, got nothing; pass the units in all arms together, or an Effect.",
        ),
        (lambda: always_valid(float("nan"), 1, 9), "estimate must be a finite number, got nan; fill it in."),
        (lambda: always_valid(1, 1, 9, tuning=0), "tuning must be above 0, got 0; pass what the plan has of it."),
        (
            lambda: always_valid(1, 1, 9, level=95),
            "level must be above 0 and below 1, got 95; divide percentages by 100.",
        ),
        (
            lambda: always_valid_critical([10, 0]),
            "n, row 1 must be above 0, got 0.0; begin with the first look that has data.",
        ),
    ],
)
def test_bad_numbers_are_refused_in_a_sentence(call, text):
    with says(text):
        call()


def test_an_effect_takes_no_second_error_or_count():
    effect = difference([1, 2, 3, 5], [0, 1, 0, 1])
    with says("se must be left out beside an Effect, got 1; the Effect brings its own."):
        always_valid(effect, 1)
    with says("n must be left out beside an Effect, got 4; the Effect brings its own."):
        always_valid(effect, n=4)
    with says("the Effect's se must be a finite number, got nan; fill it in."):
        always_valid(replace(effect, se=float("nan")))
