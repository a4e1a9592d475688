"""Sufficient statistics against numpy and pandas, and the tables and sums that they refuse."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.experiments import Metric, Moments, absolute_effect, arm_moments, difference

# Raw sums of some hundred numbers of order one lose no more.
SUMS = 1e-9
RATIO = Metric("clicks", "views", before=("clicks_before", "views_before"))

seeds = st.integers(0, 2**32)


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def impressions(seed, users=40):
    """Return one row per impression: clicks and views within users in three arms, with measures from before."""
    rng = np.random.default_rng(seed)
    taste, arm = rng.gamma(2, 1, users), rng.permutation(np.resize(["a", "b", "c"], users))
    user = np.repeat(np.arange(users), rng.integers(1, 6, users))
    before = rng.poisson(5 * taste)
    views = rng.integers(0, 4, len(user)) + (user == 0)
    clicks = rng.poisson(taste[user]).astype(float)
    columns = {"user": user, "arm": arm[user], "clicks": clicks, "views": views}
    return pd.DataFrame(columns | {"clicks_before": rng.poisson(before)[user], "views_before": before[user]})


@given(seeds)
def test_means_and_covariance_are_those_of_numpy_over_units(seed):
    table = impressions(seed)
    got = arm_moments(table, RATIO, "arm", unit="user")
    how = {"clicks": "sum", "views": "sum", "clicks_before": "first", "views_before": "first"}
    units = table.groupby(["arm", "user"]).agg(how)
    assert list(got) == ["a", "b", "c"]
    for arm, moments in got.items():
        own = units.loc[arm]
        assert moments.n == len(own)
        np.testing.assert_allclose(moments.means, own.mean(), rtol=SUMS)
        np.testing.assert_allclose(moments.covariance, np.cov(own.T), atol=SUMS * own.to_numpy().max() ** 2)


@given(seeds)
def test_parts_of_an_arm_add_up_and_the_order_of_rows_does_not_matter(seed):
    table = impressions(seed).sort_values("user")
    whole = arm_moments(table, RATIO, "arm", unit="user")
    turned = arm_moments(table.sample(frac=1, random_state=seed % 1000), RATIO, "arm", unit="user")
    early = table["user"] < 20
    parts = [arm_moments(table[rows], RATIO, "arm", unit="user") for rows in (early, ~early)]
    for arm, moments in whole.items():
        # Whole numbers in floats: nothing is lost.
        assert moments == turned[arm]
        assert moments == parts[0][arm] + parts[1][arm]


def test_a_star_counts_rows_and_one_row_per_unit_needs_no_unit():
    table = impressions(3)
    counted = arm_moments(table, Metric("clicks", "*"), "arm", unit="user")
    ones = arm_moments(table.assign(one=1), Metric("clicks", "one"), "arm", unit="user")
    assert [m.sums for m in counted.values()] == [m.sums for m in ones.values()]
    assert [m.products for m in counted.values()] == [m.products for m in ones.values()]
    single = table.groupby("user", as_index=False).first()
    assert arm_moments(single, "clicks", "arm") == arm_moments(single, "clicks", "arm", unit="user")


def test_the_named_constructors_are_the_general_one():
    rows = np.array([[1, 2], [0, 5], [3, 4]])
    assert Moments.of_total(3, 4, 10) == Moments.of_rows(rows[:, :1], Metric("y"))
    assert Moments.of_counts(3, 2) == Moments.of_rows([[1], [0], [1]], Metric("y", proportion=True))
    sums = {"squares": 10, "denominator_squares": 45, "product": 14}
    assert Moments.of_ratio(3, 4, 11, **sums) == Moments.of_rows(rows, Metric("y", "denominator"))


def test_a_proportion_has_its_own_variance():
    assert Moments.of_counts(10, 4).covariance == pytest.approx(0.24)
    assert Moments.of_total(10, 4, 4).covariance == pytest.approx(0.24 * 10 / 9)


def test_a_constant_arm_has_no_variance_whatever_its_sums_round_to():
    assert Moments.of_rows(np.full((7, 1), 0.1), Metric("y")).covariance == 0


def test_sums_keep_enough_digits_or_say_so():
    rng = np.random.default_rng(4)
    y, arms = 1e3 + rng.normal(size=400), np.arange(400) % 2
    sides = arm_moments(pd.DataFrame({"y": y, "arm": arms}), "y", "arm")
    assert absolute_effect(sides[1], sides[0]).se == pytest.approx(difference(y, arms).se, rel=1e-7)
    far = pd.DataFrame({"y": y + 1e6, "arm": arms})
    with says(
        "the sums of 'y' must be exact enough to show the spread, got too few digits; "
        "subtract a constant near the mean first."
    ):
        arm_moments(far, "y", "arm")


def test_inputs_are_left_as_they_were():
    table = impressions(5)
    copy = table.copy()
    moments = arm_moments(table, RATIO, "arm", unit="user")["a"]
    pd.testing.assert_frame_equal(table, copy)
    with pytest.raises(ValueError, match="read-only"):
        moments.covariance[0, 0] = 1


T = pd.DataFrame({"u": [1, 2, 3, 4], "arm": ["old", "old", "new", "new"], "y": [1.0, 2, 3, 5], "d": [1, 2, 1, 2]})
KEEP = "give every randomised unit one, for dropping some undoes the randomisation."
SAME = "take all of them over the same units, for the variance is below 0."


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: arm_moments(T, "Y", "arm"),
            "frame must be a table with a column 'Y', got 'u', 'arm', 'y', 'd'; rename 'y' to 'Y'.",
        ),
        (
            lambda: arm_moments(T[:0], "y", "arm"),
            "frame must be a table with at least one row, got no rows; check the filter or the join that made it.",
        ),
        (
            lambda: arm_moments(T[:2], "y", "arm"),
            "column 'arm' must be of two or more arms, got 'old' in every row; pass all arms in one table.",
        ),
        (
            lambda: arm_moments(T, "y", "arm", arms=["old", "knew"]),
            "column 'arm' must be one of 'old', 'knew', got 'new'; mend its spelling or add it to arms.",
        ),
        (
            lambda: arm_moments(T, "y", "arm", arms=["old", "new", "next"]),
            "column 'arm' must be of all arms ('old', 'new', 'next'), got no row of 'next'; "
            "check the filter or the spelling.",
        ),
        (
            lambda: arm_moments(T.assign(y=[1, np.nan, 2, 3]), "y", "arm"),
            f"column 'y', row 1 must be a finite number, got a missing value; {KEEP}",
        ),
        (
            lambda: arm_moments(T.assign(arm=["a", None, "b", "b"]), "y", "arm"),
            "column 'arm', row 1 must be filled in, got a missing value; "
            "give a unit that stands alone a label of its own.",
        ),
        (
            lambda: arm_moments(T.assign(u=1), "y", "arm", unit="u"),
            "unit 1 must be in one arm, got two; find out how it crossed over before you read any effect.",
        ),
        (
            lambda: arm_moments(T.assign(d=-1), Metric("y", "d"), "arm"),
            "column 'd', row 0 must be 0 or more, got -1.0; take a count as denominator.",
        ),
        (
            lambda: arm_moments(T.assign(d=0), Metric("y", "d"), "arm"),
            "the denominator must be above 0 in sum, got 0; take a denominator that the arm has any of.",
        ),
        (
            lambda: arm_moments(T.assign(u=[1, 1, 2, 3]), Metric("y", before=("d",)), "arm", unit="u"),
            "before, unit 1 must be one value per unit, got several; sum or average it over the unit first.",
        ),
        (
            lambda: arm_moments(T[:3], "y", "arm"),
            "n must be a whole number of at least two units, got 1; count units, and wait for more.",
        ),
        (
            lambda: arm_moments(T, Metric("y", proportion=True), "arm"),
            "the sums of a proportion must be alike for y and its squares, got 34 of squares against 8; "
            "pass 0 and 1, or drop proportion=True.",
        ),
        (
            lambda: arm_moments(T, 3, "arm"),
            "metric must be a column's name or a Metric, got int; pass Metric(y, denominator=..., before=...).",
        ),
        (lambda: Metric("y", before="x"), "before must be a tuple of columns, got 'x'; write ('x',)."),
        (
            lambda: Metric("y", before=("y",)),
            "the metric's columns must be different, got 'y', 'y'; name each of them once.",
        ),
        (
            lambda: Metric("y", "d", proportion=True),
            "a proportion must be without a denominator, got 'd'; drop one of the two.",
        ),
        (
            lambda: Moments.of_total(5, 10, 19),
            f"the sums of 'y' must be those of a table, got 19 of squares against a sum of 10; {SAME}",
        ),
        (
            lambda: Moments.of_total(5, float("nan"), 19),
            "the sums of 'y' must be finite, got a missing or infinite one; fill in its missing values.",
        ),
        (
            lambda: Moments.of_counts(5, 6),
            f"the sums of 'y' must be those of a table, got 6 of squares against a sum of 6; {SAME}",
        ),
        (
            lambda: Moments(5, (1.0,), ((1.0,),), Metric("y", "d")),
            "sums and products must be of shapes (2,) and (2, 2), got (1,) and (1, 1); pass one sum for each of y, d.",
        ),
        (
            lambda: Moments.of_ratio(3, 4, 11, squares=10, denominator_squares=45, product=24),
            "the sums of products must be those of a table, got ones that no table has; take all over the same units.",
        ),
        (
            lambda: Moments.of_total(5, 10, 30) + Moments.of_counts(5, 3),
            f"the parts must be of one metric, got {Metric('y')} and {Metric('y', proportion=True)}; add like to like.",
        ),
    ],
)
def test_bad_tables_and_sums_are_refused_in_one_sentence(call, text):
    with says(text):
        call()
