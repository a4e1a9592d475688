"""The report on tables: each fault with its sentence, sound tests drawn good, harmful, and broken."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from casebook.experiments import (
    Margin,
    Plan,
    difference,
    quality_faults,
    report,
)

SHARES = {"new": 0.05, "old": 0.05, "rest": 0.90}


PLAN = Plan(
    "clicks",
    SHARES,
    treated="new",
    control="old",
    mde=0.2,
    pays_from=0.05,
    guardrails=(Margin("hides", 0.1, worse="up"), Margin("sessions", 0.2, worse="down")),
    kinds={"clicks": "count", "hides": "count"},
    segments=("phone", "day"),
)


def users(seed=0, n=60_000, clicks=0.3, hides=0.0, sessions=0.0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"user": np.arange(n), "arm": rng.choice(list(SHARES), n, p=list(SHARES.values()))})
    new = frame["arm"] == "new"
    frame["clicks"] = rng.poisson(2 + clicks * new)
    frame["hides"] = rng.poisson(0.5 + hides * new)
    frame["sessions"] = rng.normal(5 + sessions * new, 2)
    frame["phone"] = rng.choice(["fast", "slow"], n, p=[0.8, 0.2])
    frame["day"] = rng.integers(1, 15, n)
    return frame


def put(row, column, value):
    frame = users()
    frame[column] = frame[column].astype(object)
    frame.loc[row, column] = value
    return frame


def lost(frame):
    """New users on slow phones crash before they are logged."""
    crash = (frame["arm"] == "new") & (frame["phone"] == "slow") & (frame["user"] % 3 == 0)
    return frame[~crash]


def test_a_sound_win_is_launched_with_every_step_told_in_order():
    got = report(users(), PLAN)
    assert got.verdict == "launch"
    assert [one.step for one in got.reasons] == [
        "quality",
        "sample ratio",
        "guardrail",
        "guardrail",
        "primary",
        "practical",
    ]
    assert {one.outcome for one in got.reasons} == {"pass"}
    assert got.sentence == (
        f"Launch: clicks moves by {got.effects['clicks']}, which reaches the 0.05 from which it pays, "
        "and no guardrail suffers beyond its margin."
    )
    assert got.table["step"].tolist() == [one.step for one in got.reasons]
    assert str(got).splitlines()[0] == got.sentence
    assert len(str(got).splitlines()) == 7


def test_effects_are_those_of_difference_between_the_two_arms():
    frame = users()
    two = frame[frame["arm"] != "rest"]
    got = report(frame, PLAN).effects
    for name in ("clicks", "hides", "sessions"):
        assert got[name] == difference(two[name].to_numpy(), (two["arm"] == "new").to_numpy())


TABLES = {
    "empty": users().iloc[:0],
    "no table": None,
    "one arm only": users().assign(arm="new"),
    "an arm is missing": users().query("arm != 'old'"),
    "a user in two arms": pd.concat([users(), users().query("arm == 'new'").head(2).assign(arm="old")]),
    "a user twice": pd.concat([users(), users().head(1)]),
    "NaN in the primary": put(7, "clicks", np.nan),
    "NaN in a guardrail": put(7, "sessions", np.nan),
    "negative counts": put(7, "clicks", -1),
    "misspelt arms": users().replace({"arm": {"old": "odl"}}),
    "text in a metric": users().assign(hides="two"),
    "a column is missing": users().drop(columns="hides"),
}


@pytest.mark.parametrize("fault", TABLES)
def test_a_fault_of_the_table_is_mended_first_and_no_effect_is_read(fault):
    got = report(TABLES[fault], PLAN)
    texts = quality_faults(TABLES[fault], list(SHARES), PLAN.metrics)
    assert got.verdict == "fix and rerun"
    assert got.effects == {}
    assert tuple(one.text for one in got.reasons) == texts
    assert len(texts) == 1
    assert got.sentence == f"Fix and rerun, and read no effect until then: {texts[0]}"


@pytest.mark.parametrize(
    ("frame", "plan", "text"),
    [
        (
            put(7, "phone", None),
            PLAN,
            "column 'phone', row 7 must be filled in, got a missing value; name it 'unknown'.",
        ),
        (
            users().drop(columns="day"),
            replace(PLAN, segments=("day",)),
            "frame must be a table with a column 'day', got 'user', 'arm', 'clicks', 'hides', 'sessions', 'phone'; "
            "add 'day' or rename one of yours.",
        ),
        (
            users(n=60),
            replace(PLAN, segments=()),
            "counts must be large enough to expect 5 in each arm, got 3 expected in one; wait for more units.",
        ),
        (
            users().assign(hides=0),
            PLAN,
            "column 'hides' must be varying within an arm, got 0 and 0 throughout; "
            "wait until outcomes differ, or compare the counts.",
        ),
        (
            users().assign(shop=1),
            replace(PLAN, cluster="shop", shares={"new": 0.3, "old": 0.3, "rest": 0.4}, segments=()),
            "counts must be large enough to expect 5 in each arm, got 0.9 expected in one; wait for more units.",
        ),
        (
            users().assign(shop=lambda t: t["user"] // 6),
            # Shops of six users have users of all arms, so that the shops look evenly split.
            replace(PLAN, cluster="shop", segments=(), srm_alpha=1e-300, shares={"new": 0.2, "old": 0.2, "rest": 0.6}),
            "cluster 25 must be in one arm, got both; randomise whole clusters or drop cluster=.",
        ),
        (
            users(),
            replace(PLAN, cluster="shop"),
            "the test's table must be a table with a column 'shop', got 'user', 'arm', 'clicks', 'hides', 'sessions', "
            "'phone', 'day'; add 'shop' or rename one of yours.",
        ),
    ],
)
def test_faults_that_only_show_in_use_are_told_too(frame, plan, text):
    got = report(frame, plan)
    assert got.verdict == "fix and rerun"
    assert got.effects == {}
    assert [one.step for one in got.reasons] == ["quality"]
    assert got.reasons[0].text == text


def test_a_mismatch_is_told_with_its_place_before_any_effect():
    got = report(lost(users()), PLAN)
    assert got.verdict == "fix and rerun"
    assert got.effects == {}
    assert [(one.step, one.outcome) for one in got.reasons] == [("quality", "pass"), ("sample ratio", "stop")]
    assert "The mismatch sits in phone 'slow': " in got.sentence
    assert report(lost(users()), replace(PLAN, segments=())).sentence.endswith(": find the cause.")


@pytest.mark.slow
def test_verdicts_over_drawn_tests_fit_what_was_drawn():
    kinds = {
        "good": (lambda s: users(s, 100_000, clicks=0.4), "launch"),
        "harmful": (lambda s: users(s, 100_000, clicks=-0.3), "do not launch"),
        "guardrail": (lambda s: users(s, 100_000, clicks=0.4, hides=0.3), "do not launch"),
        "loss": (lambda s: lost(users(s, 100_000, clicks=0.4)), "fix and rerun"),
    }
    for draw, verdict in kinds.values():
        right = sum(report(draw(seed), PLAN).verdict == verdict for seed in range(10))
        assert right >= 9


def test_rows_in_any_order_give_one_report_and_the_table_is_not_changed():
    frame = users()
    before = frame.copy()
    there, back = report(frame, PLAN), report(frame.sample(frac=1, random_state=0), PLAN)
    pd.testing.assert_frame_equal(frame, before)
    assert there.verdict == back.verdict
    for name, one in there.effects.items():
        assert back.effects[name].estimate == pytest.approx(one.estimate)
    assert [one.outcome for one in there.reasons] == [one.outcome for one in back.reasons]


def test_clusters_are_what_is_counted_and_what_the_interval_allows_for():
    frame = users(2, 60_000)
    shop = np.arange(60_000) // 20
    frame["arm"] = np.random.default_rng(3).choice(list(SHARES), 3_000, p=list(SHARES.values()))[shop]
    frame["clicks"] = np.random.default_rng(4).poisson(np.random.default_rng(5).gamma(2, 1, 3_000)[shop])
    frame["shop"] = shop
    plan = replace(PLAN, segments=(), cluster="shop")
    got = report(frame, plan)
    two = frame[frame["arm"] != "rest"]
    expected = difference(two["clicks"].to_numpy(), (two["arm"] == "new").to_numpy(), cluster=two["shop"].to_numpy())
    assert got.effects["clicks"] == expected
    # Users by the shop vary more than the test for a mismatch allows for.
    assert got.verdict != "fix and rerun"
