"""A/A splits: each p-value is that of ``difference``; the right analysis keeps its level, the wrong one does not."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, kstest, mannwhitneyu

from casebook.contracts import ContractError
from casebook.experiments import aa_test, difference
from casebook.experiments.aa import _p_values, _split, _sums

ROUNDING = 1e-9


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def impressions(seed, users=300, mean=10):
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(users), 1 + rng.poisson(rng.gamma(1.0, mean, users)))
    return user, rng.poisson(rng.gamma(2.0, size=users)[user]).astype(float)


@pytest.mark.parametrize("robust", [True, False])
def test_each_split_is_analysed_as_by_difference(robust):
    user, y = impressions(1)
    arms = next(_split(300, 120, 20, np.random.default_rng(2)))
    got = _p_values(arms, _sums(1_000 + y, user), robust)
    for split, p in zip(arms, got, strict=True):
        assert p == pytest.approx(difference(y, split[user], cluster=user if robust else None).p, rel=1e-6)
    assert (arms.sum(axis=1) == 120).all()


def test_without_clusters_each_row_is_split():
    y = np.random.default_rng(3).exponential(size=200)
    got = aa_test(y, np.random.default_rng(4), splits=100)
    arms = next(_split(200, 100, 100, np.random.default_rng(4)))
    np.testing.assert_allclose(got.p, [difference(y, split).p for split in arms], rtol=1e-6)


def test_the_level_is_kept_by_users_and_broken_by_impressions():
    user, y = impressions(5)
    aware = aa_test(y, np.random.default_rng(6), cluster=user)
    blind = aa_test(y, np.random.default_rng(6), cluster=user, aware=False)
    assert aware.sound and aware.uniform_p > 0.001
    assert blind.rate > 0.3 and not blind.sound and blind.uniform_p < 1e-6
    assert str(aware).endswith("the analysis keeps its level.")
    assert str(blind).endswith("do not trust its p-values, for it takes dependent rows for independent.")


def test_band_and_uniformity_are_those_of_scipy():
    got = aa_test(np.random.default_rng(7).normal(size=400), np.random.default_rng(8), splits=2_000)
    low, high = binom.interval(0.99, 2_000, 0.05)
    assert (got.low, got.high) == (low / 2_000, high / 2_000)
    assert got.uniform_p == kstest(got.p, "uniform").pvalue
    assert got.rate == np.mean(got.p < 0.05)
    assert got.sound and got.low < 0.05 < got.high


def test_another_analysis_is_given_the_arm_of_every_row():
    user, y = impressions(9, users=100)
    seen = []

    def ranks(arms):
        seen.append(arms)
        return float(mannwhitneyu(y[arms], y[~arms]).pvalue)

    got = aa_test(y, np.random.default_rng(10), cluster=user, analysis=ranks, splits=200)
    assert all(len(arms) == len(y) for arms in seen)
    assert all(pd.Series(arms).groupby(user).nunique().max() == 1 for arms in seen[:5])
    assert got.rate > got.high


def test_an_analysis_that_never_alarms_is_not_sound():
    got = aa_test(np.arange(100.0), np.random.default_rng(11), analysis=lambda arms: 1.0)
    assert not got.sound
    assert str(got).endswith("for it finds less than it could.")


def test_scale_and_names_of_clusters_do_not_matter():
    user, y = impressions(12, users=60)
    there = aa_test(y, np.random.default_rng(13), cluster=user, splits=100)
    back = aa_test(-1e6 * y + 5e9, np.random.default_rng(13), cluster=[f"u{k:04d}" for k in user], splits=100)
    np.testing.assert_allclose(there.p, back.p, rtol=1e-5)


def test_uneven_shares_are_drawn_as_asked():
    got = aa_test(np.random.default_rng(14).normal(size=1_000), np.random.default_rng(15), share=0.1, alpha=0.1)
    assert got.sound
    assert got.alpha == 0.1


Y, RNG = np.arange(30.0), np.random.default_rng(0)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: aa_test(Y, 7),
            "rng must be a numpy Generator, got int; pass np.random.default_rng(seed).",
        ),
        (lambda: aa_test(Y, RNG, splits=10), "splits must be a whole number, 100 or more, got 10; take 1000."),
        (
            lambda: aa_test(Y[:10], RNG),
            "y must be 20 or more units or clusters, two of them in each arm, got 5 of 10; "
            "pass more data or move share towards 0.5.",
        ),
        (
            lambda: aa_test(Y, RNG, share=0.01),
            "y must be 20 or more units or clusters, two of them in each arm, got 0 of 30; "
            "pass more data or move share towards 0.5.",
        ),
        (
            lambda: aa_test(np.ones(30), RNG),
            "y must be varying, got 1 in every row; pass an outcome that differs between units.",
        ),
        (
            lambda: aa_test(Y, RNG, cluster=Y[:5]),
            "cluster must be 30 long, got 5 rows; take all arguments from one table.",
        ),
        (
            lambda: aa_test(np.where(Y == 3, np.nan, Y), RNG),
            "y, row 3 must be a finite number, got a missing value; "
            "give every randomised unit one, for dropping some undoes the randomisation.",
        ),
        (
            lambda: aa_test(Y, RNG, analysis=lambda arms: 3.0),
            "what analysis returns must be a p-value in [0, 1], got 3; return the p-value alone.",
        ),
        (
            lambda: aa_test(Y, RNG, analysis=lambda arms: None),
            "what analysis returns must be one number, got NoneType; pass a single number.",
        ),
    ],
)
def test_refusals(call, text):
    with says(text):
        call()
