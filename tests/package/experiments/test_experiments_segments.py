"""Effects by segment: statsmodels' Q and tau, a case's own shrinkage, closed forms, and coverage "
"over drawn segments."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import combine_effects

from casebook.churn.segments import shrink_effects
from casebook.contracts import ContractError
from casebook.experiments import by_segment, difference, heterogeneity, shrink

SUMS = 1e-9
# 2,000 repetitions at 0.05: three standard errors of 0.0049.
BAND, REPEATS = 0.0146, 2_000

seeds = st.integers(0, 2**32)


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def drawn(rng, k=12, tau=1.0):
    """Return true effects, estimates and standard errors of k segments; the errors differ by a factor of some three."""
    se = np.exp(0.5 * rng.normal(size=k))
    truth = 1 + tau * rng.normal(size=k)
    return truth, truth + se * rng.normal(size=k), se


@given(seeds, st.integers(2, 30), st.sampled_from([0.0, 1.0]))
def test_q_and_tau_are_statsmodels(seed, k, tau):
    _, estimate, se = drawn(np.random.default_rng(seed), k, tau)
    got = heterogeneity(estimate, se)
    with np.errstate(invalid="ignore"):  # its root of a negative tau squared, which is not read here
        theirs = combine_effects(estimate, se**2, method_re="dl")
    assert (got.q, got.df) == pytest.approx((theirs.q, k - 1), rel=SUMS)
    assert got.p == pytest.approx(theirs.test_homogeneity().pvalue, rel=1e-7, abs=1e-12)
    assert got.tau**2 == pytest.approx(max(theirs.tau2, 0), abs=SUMS)
    assert got.i2 == pytest.approx(max(theirs.i2, 0), abs=SUMS)
    assert got.common == pytest.approx(theirs.mean_effect_fe, rel=1e-7)


def test_between_and_centre_are_those_of_the_churn_cases_pilot():
    cells = pd.DataFrame(
        {"n_called": [300, 200, 250, 90], "left_called": [20, 40, 15, 9], "n_control": [310, 180, 240, 100]}
    )
    cells["left_control"] = [44, 41, 60, 12]
    theirs = shrink_effects(cells)
    got = shrink(theirs["raw"], theirs["se"])
    assert got.attrs["tau"] == pytest.approx(theirs.attrs["tau"], rel=SUMS) and got.attrs["tau"] > 0
    # Theirs keeps 1 - v / (v + tau^2); ours shrinks by (k - 3) / (k - 1) of that, as B is itself an estimate.
    ours, plain = got["shrunk"] - got["raw"], theirs["eb"] - theirs["raw"]
    np.testing.assert_allclose(ours, plain / 3, rtol=1e-7)


def test_equal_errors_give_the_positive_part_of_james_and_stein():
    rng = np.random.default_rng(1)
    estimate = rng.normal(2, 2, 9)
    got = shrink(estimate, np.ones(9))
    # Efron and Morris (1973): 1 - (k - 3) / S; S = (k - 1) (1 + tau^2) with this tau.
    factor = 1 - 6 / ((estimate - estimate.mean()) ** 2).sum()
    np.testing.assert_allclose(got["shrunk"], estimate.mean() + factor * (estimate - estimate.mean()), rtol=SUMS)
    # Morris's (1983) variance where all errors are equal.
    drawn_in = 1 - factor
    variance = 1 - 8 / 9 * drawn_in + 2 / 6 * drawn_in**2 * (estimate - estimate.mean()) ** 2
    np.testing.assert_allclose(got["se"], np.sqrt(variance), rtol=SUMS)


@given(seeds)
def test_shrunk_effects_lie_between_raw_and_centre_and_move_with_the_unit(seed):
    rng = np.random.default_rng(seed)
    _, estimate, se = drawn(rng)
    got = shrink(estimate, se)
    ends = np.sort([got["raw"], np.full(12, got.attrs["centre"])], axis=0)
    assert ((ends[0] - SUMS <= got["shrunk"]) & (got["shrunk"] <= ends[1] + SUMS)).all()
    other = shrink(5 - 3 * estimate, 3 * se)
    np.testing.assert_allclose(other["shrunk"], 5 - 3 * got["shrunk"], atol=1e-7)
    np.testing.assert_allclose(other["low"], 5 - 3 * got["high"], atol=1e-7)
    turn = rng.permutation(12)
    np.testing.assert_allclose(shrink(estimate[turn], se[turn])["low"], got["low"].iloc[turn], atol=1e-8)


def test_a_large_spread_shrinks_little_and_none_shrinks_all_alike():
    far = shrink(np.arange(10) * 100.0, np.ones(10))
    assert far["kept"].min() > 0.999 and far["se"].to_numpy() == pytest.approx(1, abs=0.01)
    near = shrink([1.0, 1.1, 0.9, 1.0, 1.0, 1.05], np.ones(6))
    assert near.attrs["tau"] == 0 and near["kept"].to_numpy() == pytest.approx(1 - 3 / 5)


@pytest.mark.slow
@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0, 2.0])
def test_shrinking_is_nearer_the_truth_and_its_intervals_hold_it(tau):
    rng = np.random.default_rng(2)
    raw, shrunk, hits, plug_in = [], [], [], []
    for _ in range(REPEATS):
        truth, estimate, se = drawn(rng, tau=tau)
        got = shrink(estimate, se)
        raw.append(np.mean((estimate - truth) ** 2))
        shrunk.append(np.mean((got["shrunk"] - truth) ** 2))
        hits.append(np.mean((got["low"] < truth) & (truth < got["high"])))
        # What is said to hold where tau and the mean pass for known.
        between = got.attrs["tau"] ** 2
        kept = between / (between + se**2)
        middle = got.attrs["centre"] + kept * (estimate - got.attrs["centre"])
        plug_in.append(np.mean(np.abs(middle - truth) < 1.96 * se * np.sqrt(kept)))
    assert np.mean(shrunk) < np.mean(raw)
    # As the docstring says: 0.93 and more, less three standard errors of 0.002.
    assert np.mean(hits) > 0.93 - 0.006
    if tau == 0:
        assert np.mean(plug_in) < 0.5 < 0.99 < np.mean(hits)


@pytest.mark.slow
def test_q_keeps_its_level_and_finds_spread():
    rng = np.random.default_rng(3)
    alarms = [[heterogeneity(*drawn(rng, tau=tau)[1:]).p < 0.05 for _ in range(REPEATS)] for tau in (0, 2)]
    assert np.mean(alarms[0]) == pytest.approx(0.05, abs=BAND)
    assert np.mean(alarms[1]) > 0.9


@given(seeds, st.booleans())
def test_each_segments_row_is_its_own_difference(seed, clustered):
    rng = np.random.default_rng(seed)
    n = 120
    user = np.arange(n) // 2
    treated = (rng.permutation(60) < 30)[user]
    segment, y = np.resize(["new", "old"], n), rng.normal(size=n)
    cluster = user if clustered else None
    got = by_segment(y, treated, segment, cluster=cluster, level=0.9)
    assert got.index.tolist() == ["new", "old"]
    for name, row in got.iterrows():
        rows = segment == name
        want = difference(y[rows], treated[rows], cluster=user[rows] if clustered else None, level=0.9)
        assert (row["estimate"], row["low"], row["p"]) == (want.estimate, want.low, want.p)


def test_an_index_goes_through():
    got = by_segment(np.arange(32) ** 2 % 11, np.arange(32) % 2, np.arange(32) // 8)
    assert shrink(got["estimate"], got["se"]).index.equals(got.index)


Y, T, S = [1, 2, 3, 4, 5, 7, 7, 9], [0, 0, 1, 1] * 2, list("aaaabbbb")
LEAVE = "leave out segments without both arms."


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: by_segment(Y, T, list("aaaabbbc")),
            "segment 'b' must be of at least two units in each arm, got 1 treated; merge it with another.",
        ),
        (
            lambda: by_segment(Y, T, S, cluster=[1, 2, 3, 4, 5, 5, 6, 7]),
            "segment 'b' must be of at least two clusters in each arm, got 1 control; merge it with another.",
        ),
        (
            lambda: by_segment([1, 2, 3, 4, 5, 5, 5, 5], T, S),
            "segment 'b' must be one in which y varies, got one value per arm; merge it with another.",
        ),
        (
            lambda: by_segment(Y, T, [*S[:7], None]),
            "segment, row 7 must be filled in, got a missing value; give a unit that stands alone a label of its own.",
        ),
        (
            lambda: shrink([1, 2, 3], [1, 1, 1]),
            "estimate must be of at least 4 segments, got 3; cut segments finer, or report each.",
        ),
        (
            lambda: heterogeneity([1], [1]),
            "estimate must be of at least 2 segments, got 1; cut segments finer, or report each.",
        ),
        (
            lambda: heterogeneity([1, 2], [1, 0]),
            "se, row 1 must be above 0, got 0; merge a segment that does not vary with another.",
        ),
        (
            lambda: heterogeneity([1, np.nan], [1, 1]),
            f"estimate, row 1 must be a finite number, got a missing value; {LEAVE}",
        ),
        (lambda: heterogeneity([1, 2], [1]), "se must be 2 long, got 1 rows; take all arguments from one table."),
    ],
)
def test_bad_segments_are_refused_in_one_sentence(call, text):
    with says(text):
        call()
