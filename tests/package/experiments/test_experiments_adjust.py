"""CUPED by regression: the cut is rho squared, several covariates are statsmodels', and what it saves."""

import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.experiments import (
    CupedGain,
    Metric,
    Moments,
    arm_moments,
    cuped,
    cuped_gain,
    cuped_many,
    days_saved,
    difference,
)

# Sums of a few hundred floats of order one, in two orders.
SUMS = 1e-8

seeds = st.integers(0, 2**32)


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def table(seed, n=80, rho=0.7):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, n))
    y = rho * x + np.sqrt(1 - rho**2) * rng.normal(size=n) + 0.5 * z
    return pd.DataFrame({"arm": rng.permutation(n) < n // 3, "y": y, "x": x, "z": x / 2 + z})


@given(seeds)
def test_several_covariates_are_the_regression_that_adjusts_for_them(seed):
    frame = table(seed)
    adjusted = cuped_many(frame["y"], frame[["x", "z"]], frame["arm"])
    fit = sm.OLS(frame["y"], sm.add_constant(frame[["arm", "x", "z"]].astype(float))).fit()
    assert difference(adjusted, frame["arm"]).estimate == pytest.approx(fit.params["arm"], abs=SUMS)
    assert adjusted.mean() == pytest.approx(frame["y"].mean(), abs=SUMS)
    sides = arm_moments(frame, Metric("y", before=("x", "z")), "arm")
    assert cuped_gain(sides[True], sides[False]).theta == pytest.approx(fit.params[["x", "z"]].tolist(), abs=SUMS)


@given(seeds)
def test_one_covariate_is_the_cuped_there_was_and_units_of_covariates_do_not_matter(seed):
    frame = table(seed)
    one = cuped(frame["y"], frame["x"], frame["arm"])
    np.testing.assert_allclose(cuped_many(frame["y"], frame["x"], frame["arm"]), one, atol=SUMS)
    both = cuped_many(frame["y"], frame[["x", "z"]], frame["arm"])
    mixed = np.column_stack([1e6 * frame["x"] + 5, frame["z"] - frame["x"]])
    np.testing.assert_allclose(cuped_many(frame["y"], mixed, frame["arm"]), both, atol=1e-7)


@given(seeds)
def test_the_gain_is_that_of_the_two_differences(seed):
    frame = table(seed)
    sides = arm_moments(frame, Metric("y", before=("x", "z")), "arm")
    plain = difference(frame["y"], frame["arm"])
    adjusted = difference(cuped_many(frame["y"], frame[["x", "z"]], frame["arm"]), frame["arm"])
    gain = cuped_gain(sides[True], sides[False])
    assert gain.variance_cut == pytest.approx(1 - (adjusted.se / plain.se) ** 2, abs=SUMS)


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.7, 0.9])
def test_the_variance_falls_by_rho_squared(rho):
    n = 40_000
    rng = np.random.default_rng(8)
    x, noise = rng.normal(size=(2, n))
    frame = pd.DataFrame({"arm": np.arange(n) % 2, "x": x, "y": rho * x + np.sqrt(1 - rho**2) * noise})
    sides = arm_moments(frame, Metric("y", before=("x",)), "arm")
    gain = cuped_gain(sides[1], sides[0])
    # In equal arms it is the squared correlation within the arms to the last digit.
    centred = frame[["x", "y"]] - frame.groupby("arm")[["x", "y"]].transform("mean")
    assert gain.variance_cut == pytest.approx(centred.corr().iloc[0, 1] ** 2, abs=SUMS)
    # And so the true one, but for four standard errors 2 rho (1 - rho^2) / sqrt(n), or 16 / n where rho is 0.
    assert gain.variance_cut == pytest.approx(rho**2, abs=8 * rho * (1 - rho**2) / 200 + 16 / n)


def test_the_saved_sample_is_the_one_that_may_be_left_out():
    rng = np.random.default_rng(9)
    frame = table(1, n=30_000, rho=0.6).drop(columns="z")
    sides = arm_moments(frame, Metric("y", before=("x",)), "arm")
    gain = cuped_gain(sides[True], sides[False])
    kept = rng.random(len(frame)) > gain.sample_saved
    few = frame[kept]
    adjusted = difference(cuped(few["y"], few["x"], few["arm"]), few["arm"])
    # A standard error from 20,000 users varies by half a hundredth.
    assert adjusted.se == pytest.approx(difference(frame["y"], frame["arm"]).se, rel=0.03)


def test_a_cut_of_a_sixth_is_a_fifth_more_traffic():
    # Microsoft (2022): "like adding 20% traffic".
    assert CupedGain(1 / 6, (1.0,)).extra_traffic == pytest.approx(0.2)
    assert CupedGain(0.5, (1.0,)).extra_traffic == pytest.approx(1)
    assert CupedGain(0.5, (1.0,)).sample_saved == 0.5


@given(st.floats(0.1, 1000), st.floats(-0.99, 0.99))
def test_days_saved_are_the_share_rho_squared(days, rho):
    assert days_saved(days, rho) == pytest.approx(days * rho * rho)
    assert days_saved(days, rho) == days_saved(days, -rho)


X = pd.DataFrame({"x": [1.0, 2, 5, 3], "z": [2.0, 4, 10, 6]})
Y, T = [1.0, 2, 3, 5], [1, 1, 0, 0]
FILL = "fill it in alike in both arms, with the mean for one."
ROWS = np.column_stack([[1, 2, 4], [3, 4, 6]])


def side(rows, *before):
    return Moments.of_rows(rows, Metric("y", before=before))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: cuped_many(Y, X, T),
            "before must be columns that do not repeat each other, got a sum of the others; drop one of them.",
        ),
        (
            lambda: cuped_many(Y, X.assign(z=[0.1, 0.1, 0.3, 0.3]), T),
            "before must be varying within the arms, got one value in each; take a measure that tells units apart.",
        ),
        (
            lambda: cuped_many(Y, X.assign(z=[1, np.nan, 2, 3]), T),
            f"before, column z, row 1 must be a finite number, got a missing value; {FILL}",
        ),
        (
            lambda: cuped_many(Y, X[:3], T),
            "before, column x must be 4 long, got 3 rows; take all arguments from one table.",
        ),
        (
            lambda: cuped_many(pd.Series(Y), X[::-1], T),
            "y and before must be in one row order, got the same index labels in two orders; "
            "reindex one, or pass .to_numpy() if positions match.",
        ),
        (
            lambda: cuped_many(Y, X["x"], [0, 0, 0, 0]),
            "treated must be 1 in some rows and 0 in others, got 0 in every row; pass both arms in one table.",
        ),
        (
            lambda: cuped_gain(side(ROWS[:, :1]), side(ROWS[:, :1])),
            f"the metric must be one with columns from before, got {Metric('y')}; add before=(...) to the Metric.",
        ),
        (
            lambda: cuped_gain(side(ROWS, "x"), side(ROWS, "x")),
            "before must be a measure that tells part of the metric, got one that repeats the metric; "
            "see that it was measured before the test.",
        ),
        (
            lambda: cuped_gain(*[side(ROWS * [0, 1], "x")] * 2),
            "before must be a measure that tells part of the metric, got a metric that does not vary; "
            "see that it was measured before the test.",
        ),
        (
            lambda: days_saved(14, 49),
            "correlation must be above -1 and below 1, got 49; pass it as a share, not in percent.",
        ),
        (lambda: days_saved(0, 0.5), "days must be above 0, got 0; pass what the plan has of it."),
    ],
)
def test_bad_covariates_are_refused_in_one_sentence(call, text):
    with says(text):
        call()
