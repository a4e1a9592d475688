"""The report on effects: each rule at its borders, by look, direction, margin and threshold."""

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from casebook.contracts import ContractError
from casebook.experiments import (
    Belief,
    Effect,
    Margin,
    Plan,
    group_sequential,
    report,
    report_effects,
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


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


COUNTS = {"new": 5_000, "old": 5_000, "rest": 90_000}


def effect(estimate, se):
    reach = norm.isf(0.025) * se
    return Effect(estimate, estimate - reach, estimate + reach, se, 2 * norm.sf(abs(estimate) / se), 0, 0, 5_000, 5_000)


def read(clicks, plan=PLAN, hides=(0.0, 0.01), sessions=(0.0, 0.01), look=None):
    effects = {"clicks": effect(*clicks), "hides": effect(*hides), "sessions": effect(*sessions)}
    return report_effects(effects, COUNTS, plan, look=look)


def test_the_source_s_split_is_stopped_from_some_ten_thousands_on():
    verdicts = []
    for n in (10_000, 100_000):
        counts = dict(zip(SHARES, np.rint(np.multiply(n, [0.047, 0.052, 0.901])), strict=True))
        effects = {"clicks": effect(0.3, 0.05), "hides": effect(0, 0.01), "sessions": effect(0, 0.01)}
        verdicts.append(report_effects(effects, counts, PLAN).verdict)
    assert verdicts == ["launch", "fix and rerun"]


@pytest.mark.parametrize(
    ("guardrail", "outcome", "verdict"),
    [
        ({"hides": (0.02, 0.03)}, "pass", "launch"),
        ({"hides": (0.08, 0.03)}, "unknown", "inconclusive: keep running"),
        ({"hides": (0.2, 0.03)}, "stop", "do not launch"),
        ({"hides": (-0.5, 0.03)}, "pass", "launch"),
        ({"sessions": (-0.05, 0.05)}, "pass", "launch"),
        ({"sessions": (-0.2, 0.05)}, "unknown", "inconclusive: keep running"),
        ({"sessions": (-0.5, 0.05)}, "stop", "do not launch"),
        ({"sessions": (0.5, 0.05)}, "pass", "launch"),
        ({"hides": (0.2, 0.03), "sessions": (-0.2, 0.05)}, "stop", "do not launch"),
    ],
)
def test_a_guardrail_stops_leaves_open_or_passes_whatever_the_primary(guardrail, outcome, verdict):
    got = read((0.3, 0.05), **guardrail)
    assert got.verdict == verdict
    name = next(iter(guardrail))
    (reason,) = (one for one in got.reasons if one.text.startswith(name))
    assert reason.outcome == outcome
    words = {"pass": " is excluded.", "stop": " is shown.", "unknown": " is neither shown nor excluded."}[outcome]
    assert reason.text.endswith(words)
    if outcome != "pass":
        assert reason.text in got.sentence


@pytest.mark.parametrize(
    ("clicks", "primary", "practical", "verdict"),
    [
        ((0.30, 0.05), "pass", "pass", "launch"),
        ((-0.30, 0.05), "stop", "stop", "do not launch"),
        # The interval holds 0 and not the effect that the test was built to see.
        ((0.06, 0.05), "stop", "pass", "do not launch"),
        # It holds both.
        ((0.15, 0.10), "unknown", "pass", "inconclusive: keep running"),
        ((0.00, 0.20), "unknown", "unknown", "inconclusive: keep running"),
        # Better, and too small to pay: certainly so, or as estimated.
        ((0.02, 0.005), "pass", "stop", "do not launch"),
        ((0.04, 0.015), "pass", "stop", "do not launch"),
    ],
)
def test_the_primary_is_read_by_its_interval_and_then_for_its_size(clicks, primary, practical, verdict):
    got = read(clicks)
    assert (got.reasons[-2].outcome, got.reasons[-1].outcome) == (primary, practical)
    assert got.verdict == verdict


def test_the_source_s_two_launches_at_one_p_part_on_size():
    plan = replace(PLAN, mde=0.5, pays_from=1.0)
    barely, huge = (read((lift, lift / norm.isf(0.02)), plan) for lift in (0.1, 5.0))
    assert barely.effects["clicks"].p == pytest.approx(huge.effects["clicks"].p) == pytest.approx(0.04)
    assert (barely.verdict, huge.verdict) == ("do not launch", "launch")
    assert barely.reasons[-1].text.startswith("Even the better end of clicks's interval, +0.1954, falls short of the 1")


def test_where_down_is_better_everything_mirrors():
    down = replace(PLAN, better="down")
    for clicks in ((0.3, 0.05), (-0.3, 0.05), (0.06, 0.05), (0.15, 0.1), (0.02, 0.005), (0.04, 0.015)):
        there, back = read(clicks), read((-clicks[0], clicks[1]), down)
        assert there.verdict == back.verdict
        assert [one.outcome for one in there.reasons] == [one.outcome for one in back.reasons]


def test_a_programme_s_past_shrinks_what_is_held_against_the_threshold():
    past = Belief(0.0, 0.05, idle=0.8)
    plain, shrunk = read((0.12, 0.05)), read((0.12, 0.05), replace(PLAN, programme=past))
    assert (plain.verdict, shrunk.verdict) == ("launch", "do not launch")
    value = past.update(0.12, 0.05).expected
    assert shrunk.reasons[-1].text == (
        f"The estimate, shrunk by the programme's past to {value:+.4g}, falls short of the 0.05 from which it pays, "
        "though clicks is better."
    )
    down = read((-0.12, 0.05), replace(PLAN, programme=past, better="down"))
    assert f"shrunk by the programme's past to {-value:+.4g}," in down.reasons[-1].text


def test_without_a_threshold_any_gain_pays_and_the_report_says_so():
    got = read((0.3, 0.05), replace(PLAN, pays_from=0.0))
    assert got.verdict == "launch"
    assert "reaches 0 (the plan names no effect that pays)" in got.sentence


def test_an_early_look_asks_for_more_and_leaves_the_small_effect_open():
    plan = replace(PLAN, looks=2)
    # Two looks: alpha is split, so that z = 2.1 is not enough, and 97.5% intervals are told.
    early = read((0.21, 0.1), plan, look=1)
    assert early.verdict == "inconclusive: keep running"
    assert "97.5% interval" in early.sentence and "last look" not in early.sentence
    assert read((0.21, 0.1)).verdict == "launch"
    small = (0.04, 0.015)
    assert read(small, plan, look=1).verdict == "inconclusive: keep running"
    last = read(small, plan, look=2)
    assert last.verdict == read(small, plan).verdict == "do not launch"
    sentence = read((0.15, 0.1), plan).sentence
    assert sentence.startswith("Not known: ")
    assert sentence.endswith("That was the plan's last look, so running on needs a new plan.")


def test_bounds_of_a_group_sequential_design_set_the_level_of_each_look():
    bounds = group_sequential(3, kind="obrien-fleming").critical
    plan = replace(PLAN, looks=3, critical=bounds)
    for look, z in enumerate(bounds, start=1):
        assert norm.isf((1 - plan.level(look)) / 2) == pytest.approx(z)
        below, above = (read((0.5, 0.5 / (factor * z)), plan, look=look) for factor in (0.99, 1.01))
        assert (below.verdict, above.verdict) == ("inconclusive: keep running", "launch")


@pytest.mark.slow
def test_looking_often_launches_the_idle_no_oftener_than_alpha():
    draws, looks = 2_000, 5
    plan = Plan("clicks", {"new": 0.5, "old": 0.5}, "new", "old", mde=10.0, looks=looks)
    sums = np.random.default_rng(1).normal(size=(draws, looks)).cumsum(axis=1)
    estimates = sums / np.arange(1, looks + 1)

    def launched(row):
        return any(
            report_effects(
                {"clicks": effect(row[k], 1 / np.sqrt(k + 1))}, {"new": 99, "old": 99}, plan, look=k + 1
            ).verdict
            == "launch"
            for k in range(looks)
            if row[k] > 0
        )

    share = np.mean([launched(row) for row in estimates])
    # A launch is a rise: half of alpha.
    assert 0 < share <= 0.025 + 4 * np.sqrt(0.025 * 0.975 / draws)


def test_an_effect_of_another_level_gets_its_interval_anew():
    wide = replace(effect(0.3, 0.05), level=0.99, low=0.1, high=0.5, df=20.0)
    got = report_effects(
        {"clicks": wide}, {"new": 99, "old": 99}, Plan("clicks", {"new": 0.5, "old": 0.5}, "new", "old", 1.0)
    )
    assert got.effects["clicks"].level == 0.95
    assert got.effects["clicks"].low == pytest.approx(0.3 - 2.085963 * 0.05, abs=1e-6)


def test_an_effect_without_a_standard_error_is_left_open():
    nothing = replace(effect(0.3, 0.05), se=np.nan, low=np.nan, high=np.nan, p=np.nan)
    effects = {"clicks": effect(0.3, 0.05), "hides": nothing, "sessions": effect(0, 0.01)}
    assert report_effects(effects, COUNTS, PLAN).verdict == "inconclusive: keep running"


HALVES = {"new": 0.5, "old": 0.5}


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: report(None, "clicks"),
            "plan must be a Plan, got str; write Plan(primary, shares, treated, control, mde).",
        ),
        (
            lambda: report(None, PLAN, look=2),
            "look must be 1 to the plan's 1, got 2; a look that was not planned needs a new plan.",
        ),
        (
            lambda: report_effects({"clicks": effect(1, 1)}, COUNTS, PLAN),
            "effects['hides'] must be an Effect, got none; estimate every metric of the plan.",
        ),
        (
            lambda: report_effects({"y": effect(1, 1)}, {"new": 9}, Plan("y", HALVES, "new", "old", 1.0)),
            "counts must be a mapping with an arm 'old', got 'new'; count every arm.",
        ),
        (
            lambda: Plan("y", {"new": 5, "old": 95}, "new", "old", 1.0),
            "shares must be above 0 and 1 in sum, got [5.0, 95.0]; divide them by their sum.",
        ),
        (
            lambda: Plan("y", HALVES, "treatment", "old", 1.0),
            "treated must be one of 'new', 'old', got 'treatment'; name an arm that has a share.",
        ),
        (
            lambda: Plan("y", HALVES, "new", "new", 1.0),
            "treated must be another arm than control, got 'new'; name the two arms to compare.",
        ),
        (lambda: Plan("y", HALVES, "new", "old", 0), "mde must be above 0, got 0; pass what the plan has of it."),
        (
            lambda: Plan("y", HALVES, "new", "old", 1.0, pays_from=-1),
            "pays_from must be 0 or more, got -1; give the size of the change; better says which way.",
        ),
        (
            lambda: Plan("y", HALVES, "new", "old", 1.0, better="left"),
            "better must be 'up' or 'down', got 'left'; say which way it lies.",
        ),
        (
            lambda: Plan("y", HALVES, "new", "old", 1.0, looks=0),
            "looks must be a whole number, 1 or more, got 0; count the times the test will be read.",
        ),
        (
            lambda: Plan("y", HALVES, "new", "old", 1.0, looks=3, critical=(2.0,)),
            "critical must be one bound for each look, got 1 for 3; pass group_sequential(looks).critical.",
        ),
        (
            lambda: Plan("y", HALVES, "new", "old", 1.0, guardrails=("hides",)),
            "guardrails must be Margins, got str; write Margin('hides', 0.01, worse='up').",
        ),
        (
            lambda: Plan("y", HALVES, "new", "old", 1.0, guardrails=Margin("hides", 0.1)),
            "guardrails must be a tuple of Margins, got one Margin; write (Margin(...),), with the comma.",
        ),
        (
            lambda: Plan("y", HALVES, "new", "old", 1.0, segments=("phone")),
            "segments must be a tuple of columns, got 'phone'; write ('phone',).",
        ),
        (
            lambda: Plan("y", HALVES, "new", "old", 1.0, kinds={"hide": "count"}),
            "a key of kinds must be one of 'y', got 'hide'; name a metric of the plan.",
        ),
        (
            lambda: Plan("y", HALVES, "new", "old", 1.0, kinds={"y": "money"}),
            "the kind of 'y' must be one of 'number', 'count', 'share', got 'money'; take 'number'.",
        ),
        (
            lambda: Plan("y", HALVES, "new", "old", 1.0, programme=0.1),
            "programme must be a Belief, got float; fit one by fit_programme(...).",
        ),
        (
            lambda: Margin("hides", -0.1),
            "the margin of 'hides' must be above 0, got -0.1; pass what the plan has of it.",
        ),
        (
            lambda: Margin("hides", 0.1, "left"),
            "worse of 'hides' must be 'up' or 'down', got 'left'; say which way it lies.",
        ),
    ],
)
def test_refusals(call, text):
    with says(text):
        call()
