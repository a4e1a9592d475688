"""Chapter 8's exercises are proved, and its printed solutions are accepted."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, multivariate_normal, norm

from casebook import experiments
from casebook.exercises import grade, verify_exercise
from casebook.feed.exercise_tables import LAUNCHES, PAST, TEN, hunt_table
from casebook.feed.exercises import EXERCISES
from tools.paths import ROOT

CHAPTER = ROOT / "notebooks" / "08_ab_test.py"
ASKED = re.compile(r'EXERCISES\["([\w-]+)"\]')
in_chapter = pytest.mark.skipif(not CHAPTER.exists(), reason="the chapter is not there")


def cells() -> list[Any]:
    twins = pytest.importorskip("tools.twins", reason="needs jupytext", exc_type=ImportError)
    return list(twins.read_chapter(CHAPTER).cells)


def code_of(name: str) -> str:
    """Return the exercise cells above a check, solution included, from the check before it on."""
    since: list[str] = []
    for cell in cells():
        tags = cell.metadata.get("tags", [])
        if cell.cell_type != "code" or not {"exercise", "solution"} & set(tags):
            continue
        asked = ASKED.search(cell.source)
        if asked and asked.group(1) == name:
            return "\n".join(since)
        since = [] if asked else [*since, cell.source]
    raise AssertionError(f"the chapter does not ask {name!r}")


@pytest.mark.parametrize("name", EXERCISES)
def test_every_check_is_proved(name):
    assert EXERCISES[name].id == name
    assert 3 <= EXERCISES[name].minutes <= 8
    verify_exercise(EXERCISES[name])


@in_chapter
def test_the_chapter_asks_every_exercise_once_in_order():
    asked = [found.group(1) for cell in cells() if (found := ASKED.search(cell.source))]
    assert len(EXERCISES) == 7
    assert asked == list(EXERCISES)


@in_chapter
@pytest.mark.parametrize("name", EXERCISES)
def test_the_chapters_own_solution_is_accepted(name):
    namespace: dict[str, Any] = {"np": np, "pd": pd, "experiments": experiments, "TEN": TEN, "PAST": PAST}
    namespace |= {"LAUNCHES": LAUNCHES, "hunt_table": hunt_table}
    exec(code_of(name), namespace)
    assert grade(EXERCISES[name], namespace["answer"]) is None


@in_chapter
@pytest.mark.parametrize("name", EXERCISES)
def test_the_minutes_stand_in_the_chapter_as_in_the_exercise(name):
    number = list(EXERCISES).index(name) + 1
    texts = [cell.source for cell in cells() if cell.source.startswith(f"**{number}. ")]
    assert len(texts) == 1
    assert f"({EXERCISES[name].minutes} minutes)" in texts[0]


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("08-srm", (True, 0.01), "sum (seen - expected)^2 / expected over three arms"),
        (
            "08-srm",
            ("maybe", 0.002),
            "the answer's first part must be True or False, got 'maybe'; write (True, p) or (False, p).",
        ),
        ("08-size", (112_677, 12), "weeks of entering, rounded up, and two weeks of the last entrants"),
        ("08-size", (1_000, 5), "2 (1.96 + 0.84)^2 (sd / change)^2 users an arm"),
        ("08-shrink", ("ranking", 0.12), "mean + (estimate - mean) sd^2 / (sd^2 + se^2), in percent"),
        (
            "08-shrink",
            ("font", 0.26),
            "the answer's word must be one of 'ranking', 'redesign', got 'font'; copy the spelling.",
        ),
        ("08-ratio", 0.0369, "that takes views for independent; users were drawn"),
        ("08-ratio", 0.0407, "squares of five users are divided by four"),
        ("08-looks", (0.2, 3.15), "peeking_error(looks)"),
        ("08-looks", (0.166, 1.351), "bars fall with time: divide by the root of 3/7"),
        ("08-guardrail", ("not known", 30_000), "30,000 (2.8 standard errors / margin)^2"),
        ("08-hunt", ("platform", "web"), "the test without 'web' is off still, so something else carries it"),
        ("08-hunt", "IN", "the answer must be two things, got 1; write ('platform', 'web')."),
    ],
)
def test_each_known_slip_gets_its_own_words(name, wrong, message):
    assert grade(EXERCISES[name], wrong) == message


def test_the_split_is_off_in_both_arms_alike_so_that_two_arms_show_nothing():
    counts, due = np.array([24_600, 24_700, 200_700]), np.array([25_000, 25_000, 200_000])
    assert counts.sum() == 250_000
    right = EXERCISES["08-srm"].right[1][1]
    assert right == pytest.approx(chi2.sf(((counts - due) ** 2 / due).sum(), 2))
    assert right < 0.01 < experiments.srm(counts[:2], [0.5, 0.5]).p


def test_the_arms_of_the_second_exercise_have_the_power_asked_for():
    users, weeks = EXERCISES["08-size"].right[0]
    z = 0.02 * 36 / (61 * np.sqrt(2 / users))
    assert norm.sf(norm.isf(0.025) - z) == pytest.approx(0.8, abs=1e-4)
    assert 0.05 * 800_000 * (weeks - 3) < users <= 0.05 * 800_000 * (weeks - 2)


def test_the_two_launches_have_one_p_and_the_smaller_has_more_left():
    p = 2 * norm.sf(LAUNCHES["estimate"] / LAUNCHES["se"])
    np.testing.assert_allclose(p, 0.04, atol=0.0002)
    # The same by brute force: the likelihood on a grid of means and spreads, then the normal's posterior mean.
    mean, spread = np.meshgrid(np.linspace(-0.5, 0.5, 201), np.linspace(0.05, 1, 191))
    total = [np.hypot(spread, se) for se in PAST["se"]]
    fits = sum(norm.logpdf(x, mean, sd) for x, sd in zip(PAST["estimate"], total, strict=True))
    m, sd = (grid.flat[np.argmax(fits)] for grid in (mean, spread))
    left = m + (LAUNCHES["estimate"] - m) * sd**2 / (sd**2 + LAUNCHES["se"] ** 2)
    name, expected = EXERCISES["08-shrink"].right[0]
    assert left.idxmax() == name == "ranking"
    assert expected == pytest.approx(left["ranking"], rel=0.01)


def test_the_ratios_error_is_that_of_resampled_users():
    rng, views = np.random.default_rng(0), {}
    # Five users are too few for a bootstrap: take each many times over, and scale the error back.
    for arm, rows in TEN.groupby("arm"):
        clicks, shown = (np.tile(rows[name], 200) for name in ("clicks", "views"))
        drawn = rng.integers(0, 1_000, (4_000, 1_000))
        views[arm] = clicks[drawn].sum(axis=1) / shown[drawn].sum(axis=1)
    error = (views["new"] - views["control"]).std() * np.sqrt(1_000 / 5) * np.sqrt(5 / 4)
    assert EXERCISES["08-ratio"].right[0] == pytest.approx(error, rel=0.04)


def test_seven_looks_err_as_their_joint_normal_says():
    t = np.arange(1, 8) / 7
    joint = multivariate_normal(cov=np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t)))
    rate, bar = EXERCISES["08-looks"].right[0]

    def quiet(bars):
        return joint.cdf(bars, lower_limit=-np.asarray(bars), rng=np.random.default_rng(0))

    assert 1 - quiet(np.full(7, norm.isf(0.025))) == pytest.approx(rate, abs=0.002)
    assert 1 - quiet(bar * np.sqrt(3 / np.arange(1, 8))) == pytest.approx(0.05, abs=0.002)


def test_the_guardrails_users_rule_the_margin_out_in_four_of_five_tests():
    verdict, users = EXERCISES["08-guardrail"].right[0]
    se = 0.06 / norm.isf(0.025) * np.sqrt(30_000 / users)
    assert verdict == "not known"
    assert norm.cdf((0.05 - norm.isf(0.025) * se) / se) == pytest.approx(0.8)


@pytest.mark.parametrize("seed", [*range(5), 8])
def test_one_part_of_the_hunt_carries_the_mismatch_whatever_the_draw(seed):
    halves = {"new": 0.5, "control": 0.5}
    found = experiments.srm_by(hunt_table(np.random.default_rng(seed)), halves, ["platform", "country", "cohort"])
    rest = found.table.set_index(["by", "value"])["rest_p"]
    assert found.whole.broken
    assert "country 'IN'" in found.sentence
    assert rest.idxmax() == EXERCISES["08-hunt"].right[0]


def test_the_hunts_slow_phones_tempt_and_do_not_carry_it():
    halves = {"new": 0.5, "control": 0.5}
    found = experiments.srm_by(hunt_table(np.random.default_rng(8)), halves, ["platform", "country", "cohort"])
    slow = found.table.set_index("value").loc["slow_phone"]
    assert slow["p_holm"] < 0.01
    assert slow["rest_p"] < 0.01
    assert (found.table.query("value != 'IN'")["rest_p"] < 0.01).all()
