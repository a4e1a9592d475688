"""Mismatches by day and segment: every part against scipy, and injected losses found where they were put."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from casebook.contracts import ContractError
from casebook.experiments import srm_by
from casebook.experiments.srm_by import residuals


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


PARTS = {"new": 0.5, "old": 0.5}


def users(seed, n=40_000, lose=None):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"day": rng.integers(1, 8, n), "phone": rng.choice(["slow", "fast"], n, p=[0.2, 0.8])})
    frame["country"] = rng.choice(["DE", "FR", "JP"], n)
    frame["arm"] = rng.choice(["new", "old"], n)
    return frame if lose is None else frame[~(lose(frame) & (frame["arm"] == "new") & (rng.random(n) < 0.3))]


def test_every_part_is_tested_as_by_scipy_and_corrected_by_holm():
    frame = users(1, lose=lambda t: t["phone"] == "slow")
    got = srm_by(frame, PARTS, ["day", "phone"]).table
    assert len(got) == 9
    for row in got.to_dict("records"):
        inside = frame.loc[frame[row["by"]] == row["value"], "arm"]
        outside = frame.loc[frame[row["by"]] != row["value"], "arm"]
        for arms, p in ((inside, row["p"]), (outside, row["rest_p"])):
            assert p == pytest.approx(chisquare(arms.value_counts()).pvalue, rel=1e-6)
        assert row["units"] == len(inside)
    ranked = got.sort_values("p")
    expected = np.minimum(np.maximum.accumulate(ranked["p"] * np.arange(9, 0, -1)), 1)
    np.testing.assert_allclose(ranked["p_holm"], expected)


@pytest.mark.parametrize(
    ("lose", "where"),
    [
        (lambda t: t["phone"] == "slow", "The mismatch sits in phone 'slow': "),
        (lambda t: t["day"] == 3, "The mismatch sits in day 3: "),
        (lambda t: t["country"] == "JP", "The mismatch sits in country 'JP': "),
        (lambda t: t["day"] > 0, "The mismatch is spread over all parts alike, first phone 'fast': "),
        (lambda t: (t["day"] == 3) | (t["day"] == 4), "More than one part is off, first day "),
    ],
)
def test_the_injected_loss_is_found(lose, where):
    got = srm_by(users(2, lose=lose), PARTS, ["day", "phone", "country"])
    assert got.broken
    assert str(got).startswith(where)
    assert "units in arm '" in str(got)


def test_a_loss_on_slow_phones_of_one_day_is_found_in_the_crossed_cells():
    frame = users(4, lose=lambda t: (t["phone"] == "slow") & (t["day"] == 5))
    got = srm_by(frame, PARTS, ["phone", "day"], crossed=True)
    assert len(got.table) == 2 + 7 + 14
    assert got.sentence.startswith("The mismatch sits in phone x day 'slow' x 5: ")


@pytest.mark.slow
def test_sound_tests_are_called_broken_seldom_however_many_parts():
    got = [srm_by(users(seed, 4_000), PARTS, ["day", "phone", "country"]) for seed in range(100)]
    # At most alpha for the whole and alpha for the parts.
    assert sum(one.broken for one in got) <= 100 * 0.02 + 400 * np.sqrt(0.02 * 0.98 / 100)
    first = next(one for one in got if not one.broken)
    assert first.sentence == (
        f"No mismatch: p = {first.whole.p:.2g} in the whole test, and none in 12 parts after correction."
    )


def test_counts_and_rows_give_one_answer_in_any_order():
    frame = users(5, lose=lambda t: t["phone"] == "slow")
    there = srm_by(frame, PARTS, ["phone", "day"])
    counts = frame.groupby(["phone", "day", "arm"]).size().rename("n").reset_index().sample(frac=1, random_state=0)
    back = srm_by(counts, PARTS, ["phone", "day"], count="n")
    pd.testing.assert_frame_equal(there.table, back.table)
    assert there.sentence == back.sentence


def test_small_parts_are_left_out_and_an_arm_may_be_absent_from_a_part():
    frame = pd.DataFrame(
        {"kind": ["big"] * 2 + ["tiny"] + ["bot"], "arm": ["new", "old", "new", "old"], "n": [500, 505, 6, 60]}
    )
    got = srm_by(frame, PARTS, ["kind"], count="n")
    table = got.table.set_index("value")
    assert np.isnan(table.loc["tiny", "p"]) and np.isnan(table.loc["tiny", "p_holm"])
    assert table.loc["bot", "p"] == pytest.approx(chisquare([0, 60]).pvalue)
    assert got.sentence.startswith("The mismatch sits in kind 'bot': 0 units in arm 'new' where 30 were due")


def test_one_part_alone_has_no_rest():
    frame = pd.DataFrame({"all": [1, 1], "arm": ["new", "old"], "n": [900, 100]})
    got = srm_by(frame, PARTS, ["all"], count="n")
    assert np.isnan(got.table.loc[0, "rest_p"])
    assert got.sentence.startswith("The mismatch is spread over all parts alike, first all 1: 900 units in arm 'new'")


def test_a_faint_loss_in_many_parts_shows_in_the_whole_only():
    frame = pd.DataFrame({"day": np.repeat(np.arange(50), 2), "arm": ["new", "old"] * 50, "n": [480, 520] * 50})
    got = srm_by(frame, PARTS, ["day"], count="n")
    assert got.broken
    assert got.sentence == (
        f"The whole test is off (p = {got.whole.p:.2g}), but none of 50 parts alone: it is spread over all."
    )


def test_days_are_shown_as_dates():
    frame = pd.DataFrame({"day": pd.to_datetime(["2024-03-01"] * 2 + ["2024-03-02"] * 2), "arm": ["new", "old"] * 2})
    frame["n"] = [500, 500, 700, 300]
    assert srm_by(frame, PARTS, ["day"], count="n").sentence.startswith("The mismatch sits in day 2024-03-02: ")


@settings(max_examples=30)
@given(st.lists(st.integers(20, 5_000), min_size=2, max_size=4))
def test_residuals_square_to_the_chi_square_of_one_arm_against_the_rest(counts):
    shares = np.full(len(counts), 1 / len(counts))
    away = residuals(np.array(counts, dtype=float), shares)
    for k, value in enumerate(away):
        rest = [counts[k], sum(counts) - counts[k]]
        theirs = chisquare(rest, np.array([shares[k], 1 - shares[k]]) * sum(counts)).statistic
        assert value**2 == pytest.approx(theirs, abs=1e-6, rel=1e-6)
    assert np.sign(away[0]) == np.sign(round(counts[0] - sum(counts) / len(counts), 6))


FRAME = pd.DataFrame({"day": [1, 1], "arm": ["new", "old"], "n": [50, 50]})


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: srm_by(FRAME, PARTS, "day"),
            "by must be a list of one or more columns, got 'day'; write by=['day', 'platform'].",
        ),
        (
            lambda: srm_by(FRAME, PARTS, ["days"]),
            "frame must be a table with a column 'days', got 'day', 'arm', 'n'; rename 'day' to 'days'.",
        ),
        (
            lambda: srm_by(FRAME, {"new": 0.5, "olde": 0.5}, ["day"]),
            "column 'arm', row 1 must be one of 'new', 'olde', got 'old'; rename it, or give it a share.",
        ),
        (
            lambda: srm_by(FRAME.assign(day=[1, None]), PARTS, ["day"]),
            "column 'day', row 1 must be filled in, got a missing value; name it 'unknown'.",
        ),
        (
            lambda: srm_by(FRAME.assign(n=[1, 2.5]), PARTS, ["day"], count="n"),
            "column 'n', row 1 must be a whole number, got 2.5; count the units.",
        ),
        (
            lambda: srm_by(pd.DataFrame({"user": range(300), "arm": ["new", "old"] * 150}), PARTS, ["user"]),
            "column 'user' must be of at most 200 values, got 300; group it.",
        ),
    ],
)
def test_refusals(call, text):
    with says(text):
        call()
