"""Effects on quantiles against scipy's order statistics, a bootstrap of clusters, and their own coverage."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import expon, norm, quantile_test

from casebook.contracts import ContractError
from casebook.experiments import quantile_difference

SUMS = 1e-9
# 2,000 repetitions of a 0.95 interval: three standard errors of 0.0049, and the interval's own rounding outwards.
COVERAGE, REPEATS = 0.02, 2_000

seeds = st.integers(0, 2**32)


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def loads(rng, users=200, faster=0.0):
    """Return waits of page loads within users, who have slow or fast phones, with arms and users."""
    phone, size = rng.normal(size=users), 1 + rng.geometric(0.3, users)
    user = np.repeat(np.arange(users), size)
    treated = (rng.permutation(users) < users // 2)[user]
    return phone[user] + rng.normal(size=len(user)) - faster * treated, treated, user


@pytest.mark.parametrize("at", [0.1, 0.5, 0.9])
def test_an_arms_standard_error_is_that_of_scipys_order_statistics(at):
    rng = np.random.default_rng(1)
    sides = rng.exponential(size=(2, 20_000))
    got = quantile_difference(sides.ravel(), np.repeat([1, 0], 20_000), at)
    halves = []
    for side in sides:
        interval = quantile_test(side, p=at).confidence_interval(0.95)
        halves.append((interval.high - interval.low) / 2 / norm.isf(0.025))
    # Ranks are whole there and interpolated here: one in some hundred.
    assert got.se == pytest.approx(np.hypot(*halves), rel=0.03)
    # The asymptotic error, sqrt(q (1 - q) / n) / density, with the few hundredths of an estimated density.
    exact = np.sqrt(2 * at * (1 - at) / 20_000) / expon.pdf(expon.ppf(at))
    assert got.se == pytest.approx(exact, rel=0.15)
    assert (got.treated_mean, got.control_mean) == pytest.approx(tuple(np.quantile(sides, at, axis=1)), abs=SUMS)


@given(seeds, st.booleans())
def test_arms_scale_order_and_labels(seed, clustered):
    rng = np.random.default_rng(seed)
    y, treated, user = loads(rng, users=60)
    cluster = user if clustered else None
    there = quantile_difference(y, treated, 0.5, cluster=cluster)
    back = quantile_difference(3 * y + 7, ~treated, 0.5, cluster=cluster)
    assert (back.estimate, back.low, back.high) == pytest.approx(
        (-3 * there.estimate, -3 * there.high, -3 * there.low), abs=1e-7
    )
    turn = rng.permutation(len(y))
    names = None if cluster is None else [f"u{label}" for label in user[turn]]
    again = quantile_difference(y[turn], treated[turn], 0.5, cluster=names)
    assert (again.estimate, again.low, again.high) == pytest.approx((there.estimate, there.low, there.high), abs=SUMS)


def test_clusters_of_one_row_are_rows():
    y, treated, _ = loads(np.random.default_rng(2))
    plain = quantile_difference(y, treated, 0.5)
    alone = quantile_difference(y, treated, 0.5, cluster=np.arange(len(y)))
    # n / (n - 1) in the one and t for the normal: below one in a hundred for 400 rows.
    assert alone.se == pytest.approx(plain.se, rel=0.01)


def test_a_bootstrap_of_users_finds_the_same_standard_error():
    rng = np.random.default_rng(3)
    y, treated, user = loads(rng, users=600)
    got = quantile_difference(y, treated, 0.8, cluster=user)
    rows = np.split(np.arange(len(y)), np.flatnonzero(np.diff(user)) + 1)
    arm = np.array([treated[own[0]] for own in rows])
    draws = []
    for _ in range(400):
        ends = []
        for side in (arm, ~arm):
            drawn = rng.choice(np.flatnonzero(side), side.sum())
            ends.append(np.quantile(y[np.concatenate([rows[i] for i in drawn])], 0.8))
        draws.append(ends[0] - ends[1])
    # A standard deviation from 400 draws is known to 3.5 %, one by order statistics to about 10 %.
    assert got.se == pytest.approx(np.std(draws), rel=0.25)
    # Rows taken for independent find less.
    assert quantile_difference(y, treated, 0.8).se < 0.8 * got.se


@pytest.mark.slow
@pytest.mark.parametrize(("at", "clustered"), [(0.5, False), (0.9, False), (0.5, True), (0.9, True)])
def test_the_intervals_cover_as_often_as_they_say(at, clustered):
    rng, hits, naive = np.random.default_rng(4), 0, 0
    for _ in range(REPEATS):
        y, treated, user = loads(rng, faster=0.3)
        if not clustered:
            y = rng.exponential(size=len(y)) - 0.3 * treated
        got = quantile_difference(y, treated, at, cluster=user if clustered else None)
        plain = quantile_difference(y, treated, at)
        hits, naive = hits + (got.low < -0.3 < got.high), naive + (plain.low < -0.3 < plain.high)
    assert hits / REPEATS == pytest.approx(0.95, abs=COVERAGE)
    assert (naive / REPEATS < 0.92) == clustered


Y, T = np.arange(40.0), np.repeat([0, 1], 20)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: quantile_difference(Y, T, 95),
            "quantile must be above 0 and below 1, got 95; divide percentages by 100.",
        ),
        (
            lambda: quantile_difference(Y, T, 0.95),
            "quantile must be far enough from 0 and 1 for each arm, got 0.95 give or take 0.096 of 20 rows; "
            "wait for more units or take one nearer 0.5.",
        ),
        (
            lambda: quantile_difference(Y * 0, T, 0.5),
            "the quantiles must be varying, got 0 and 0 with many rows tied on them; "
            "take difference(y > limit, ...) in its place.",
        ),
        (
            lambda: quantile_difference(Y, T, 0.5, cluster=Y % 7),
            "cluster 0.0 must be in one arm, got both; randomise whole clusters or drop cluster=.",
        ),
        (
            lambda: quantile_difference(Y, T, 0.5, cluster=T),
            "the treated arm must be at least two clusters, got 1; one alone shows no spread, so wait for more.",
        ),
    ],
)
def test_quantiles_that_cannot_be_read_are_refused_in_one_sentence(call, text):
    with says(text):
        call()
