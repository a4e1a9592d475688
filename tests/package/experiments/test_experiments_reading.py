"""Guardrails by the place of an interval, horizons against one difference at a time."""

import re
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.experiments import Effect, by_horizon, difference, non_inferior

seeds = st.integers(0, 2**32)


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def interval(low, high):
    return Effect((low + high) / 2, low, high, 1.0, 0.5, 0.0, 0.0, 10, 10)


@pytest.mark.parametrize(
    ("low", "high", "worse", "verdict"),
    [
        (-0.5, 0.5, "up", "holds"),
        (0.2, 0.9, "up", "holds"),
        (0.2, 1.0, "up", "not known"),
        (0.5, 1.5, "up", "not known"),
        (1.0, 1.5, "up", "not known"),
        (1.1, 1.5, "up", "broken"),
        (-9.0, -5.0, "up", "holds"),
        (-9.0, -5.0, "down", "broken"),
        (-0.9, 3.0, "down", "holds"),
        (-1.5, 0.0, "down", "not known"),
        (np.nan, np.nan, "up", "not known"),
    ],
)
def test_a_guardrail_is_read_off_the_whole_interval(low, high, worse, verdict):
    got = non_inferior(interval(low, high), margin=1.0, worse=worse)
    assert got.verdict == verdict
    assert (got.margin, got.worse) == (1.0, worse)


@given(st.floats(-5, 5), st.floats(0.01, 5), st.floats(0.1, 3))
def test_the_other_direction_is_the_mirrored_effect(low, width, margin):
    up = non_inferior(interval(low, low + width), margin, "up").verdict
    assert non_inferior(interval(-low - width, -low), margin, "down").verdict == up


def test_no_significant_harm_is_not_harmlessness():
    few = difference([1, 0, 0, 1, 0, 1, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0])
    assert few.p > 0.05
    assert non_inferior(few, margin=0.05).verdict == "not known"


def pilot(seed, n=120):
    rng = np.random.default_rng(seed)
    account = np.arange(n) // 3
    treated = rng.permutation(n // 3)[account] % 2 == 0
    day = np.floor(rng.exponential(np.where(treated, 60, 40)))
    return pd.DataFrame({"account": account, "treated": treated, "day": np.where(day > 90, np.nan, day)})


@given(seeds)
def test_each_row_is_the_difference_in_what_has_not_happened_yet(seed):
    table = pilot(seed)
    got = by_horizon(table["day"], table["treated"], [10, 30, 90], cluster=table["account"], level=0.9)
    for row, horizon in zip(got.to_dict("records"), [10, 30, 90], strict=True):
        left = table["day"].isna() | (table["day"] > horizon)
        expected = difference(left, table["treated"], cluster=table["account"], level=0.9)
        assert row == {"horizon": horizon, **asdict(expected)}


@given(seeds)
def test_what_has_not_happened_yet_can_only_shrink(seed):
    table = pilot(seed)
    got = by_horizon(table["day"], table["treated"], range(0, 100, 5))
    assert got["treated_mean"].is_monotonic_decreasing
    assert got["control_mean"].is_monotonic_decreasing


def test_a_treatment_that_only_postpones_fades():
    rng = np.random.default_rng(9)
    treated = np.arange(4000) % 2 == 0
    day = rng.integers(0, 30, 4000) + np.where(treated, 14, 0)
    got = by_horizon(day, treated, [14, 29, 43])
    assert got.loc[0, "low"] > 0.3
    assert got.loc[2, "estimate"] == 0


def test_the_event_on_the_day_of_the_horizon_has_happened():
    got = by_horizon([7, 8, 7, 8], [1, 1, 0, 0], [6, 7, 8])
    assert got["control_mean"].tolist() == [1.0, 0.5, 0.0]


def test_a_horizon_before_any_event_has_no_interval():
    got = by_horizon([9, np.nan, 8, 12], [1, 1, 0, 0], [3, 10])
    assert got.loc[0, "estimate"] == 0
    assert got.loc[0, ["se", "low", "high", "p"]].isna().all()
    assert got.loc[1, ["se", "low", "high", "p"]].notna().all()


def test_enough_follow_up_changes_nothing_and_days_may_be_nullable():
    table = pilot(3)
    plain = by_horizon(table["day"], table["treated"], [30, 60])
    watched = by_horizon(table["day"].astype("Int64"), table["treated"], [30, 60], follow_up=np.full(120, 91))
    pd.testing.assert_frame_equal(plain, watched)


DAY, T = [3.0, np.nan, 5.0, 9.0], [1, 1, 0, 0]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: by_horizon(DAY, T, [7, 60], follow_up=[90, 41, 70, 50]),
            "follow_up, row 1 must be at least the longest horizon of 60 days, got 41; "
            "ask for horizons up to 41 or drop the units that were assigned last.",
        ),
        (
            lambda: by_horizon(DAY, T, [7], follow_up=[90, 90, 90, 8]),
            "day, row 3 must be within follow_up, got 9 after 8; take both from one extract of the data.",
        ),
        (
            lambda: by_horizon(DAY, T, [7], follow_up=[90, 90]),
            "follow_up must be 4 long, got 2 rows; take all arguments from one table.",
        ),
        (
            lambda: by_horizon([3, -1, 5, 9], T, [7]),
            "day, row 1 must be 0 or more and finite, got -1.0; "
            "leave it missing if it never happened, and drop units that had it before assignment.",
        ),
        (
            lambda: by_horizon(["3", "4", "5", "9"], T, [7]),
            "day must be numbers of days, got '3' in row 0; subtract the assignment's date and take .dt.days.",
        ),
        (lambda: by_horizon(DAY, T, [7, -7]), "horizons must be 0 or more days, got -7.0; count days from assignment."),
        (
            lambda: by_horizon(DAY, T, []),
            "horizons must be at least one row long, got no rows; check the filter or the join that made it.",
        ),
        (lambda: by_horizon(DAY, T, 7), "horizons must be one-dimensional, got shape (); pass one column."),
        (
            lambda: by_horizon(DAY, T, [7], cluster=["A1", "A7", "A7", "A2"]),
            "cluster 'A7' must be in one arm, got both; randomise whole clusters or drop cluster=.",
        ),
        (
            lambda: by_horizon(DAY, [1, 1, 1, 1], [7]),
            "treated must be 1 in some rows and 0 in others, got 1 in every row; pass both arms in one table.",
        ),
        (lambda: non_inferior(0.1, 0.5), "effect must be an Effect, got float; pass what difference(...) returns."),
        (
            lambda: non_inferior(interval(0, 1), -0.5),
            "margin must be above 0, got -0.5; pass what the plan has of it.",
        ),
        (
            lambda: non_inferior(interval(0, 1), 0.5, "left"),
            "worse must be 'up' or 'down', got 'left'; say which way harm lies.",
        ),
    ],
)
def test_refusals(call, text):
    with says(text):
        call()
