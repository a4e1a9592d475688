"""Chapter 4's exercises are proved, and its printed solutions are accepted."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from casebook import experiments, labels
from casebook.churn.exercise_tables import HUNT_TIMES, SEGMENTS, TEN, hunt_features, hunt_tables
from casebook.churn.exercises import EXERCISES
from casebook.exercises import grade, verify_exercise
from tools.paths import ROOT

CHAPTER = ROOT / "notebooks" / "04_churn.py"
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
    verify_exercise(EXERCISES[name])


@in_chapter
def test_the_chapter_asks_every_exercise_once_in_order():
    asked = [found.group(1) for cell in cells() if (found := ASKED.search(cell.source))]
    assert len(EXERCISES) >= 6
    assert asked == list(EXERCISES)


@in_chapter
@pytest.mark.parametrize("name", EXERCISES)
def test_the_chapters_own_solution_is_accepted(name):
    given = {"np": np, "pd": pd, "experiments": experiments, "labels": labels, "SEGMENTS": SEGMENTS, "TEN": TEN}
    given |= {"HUNT_TIMES": HUNT_TIMES, "hunt_tables": hunt_tables, "hunt_features": hunt_features}
    namespace: dict[str, Any] = dict(given)
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
        ("04-threshold", 1 / 40, "a call that nobody answers costs as much; put the reach into the save rate"),
        ("04-threshold", 0.5, "cost = p x reach x share kept x value, solved for p"),
        ("04-capacity", (6000, 0.084), "6,000 calls need 30 working days; a month has about 21"),
        ("04-capacity", (4000, 0.084), "people x calls a day x working days"),
        ("04-threshold", 0.038, "right method; give three digits"),
        ("04-value", 160 / 0.15, "that has no end; count 12 bills"),
        ("04-value", 888.17, "that is 11 bills; this month's is the first of the 12"),
        ("04-value", 1063.6, "that has no end; count 12 bills"),
        ("04-pilot", 6425, "that is the calls; at 200 a day, how many days?"),
        ("04-whom", "new teams", "one segment is missing: call as long as uplift x 2,000 is above 10"),
        ("04-reached", 0.02, "the control got calls too: 5% of it was reached, so divide by the difference"),
        ("04-reached", 0.022, "right method; give three digits"),
        ("04-leak", "tickets_30d", "it counts tickets opened before the date only"),
        ("04-before-after", 0.186, "that compares two months; without a call it fell too"),
        ("04-before-after", 0.39, "those are points; as a share of what would have left without the calls?"),
        ("04-before-after", "six", "the answer must be one number, got str 'six'; give the number itself."),
    ],
)
def test_each_known_slip_gets_its_own_words(name, wrong, message):
    assert grade(EXERCISES[name], wrong) == message


def test_an_unknown_name_is_answered_with_the_names_there_are():
    assert grade(EXERCISES["04-whom"], ["whales"]) == (
        "the answer must be segments among 'price shoppers', 'quiet since May', 'new teams', 'dormant', 'daily users', "
        "got 'whales'; copy the spelling."
    )


def test_the_segments_hold_a_riskiest_one_that_does_not_pay_and_a_sleeping_dog():
    alone = SEGMENTS["not_called_left"] / SEGMENTS["not_called"]
    uplift = alone - SEGMENTS["called_left"] / SEGMENTS["called"]
    assert alone.idxmax() == "price shoppers"
    assert 0 < uplift["price shoppers"] * 2_000 < 10
    assert uplift["dormant"] < 0
    assert set(uplift.index[uplift * 2_000 > 10]) == set(EXERCISES["04-whom"].right[0])


def test_the_ten_rows_give_the_qini_that_an_adding_up_by_hand_gives():
    # Ranked: called 1 0 1 1 ..., summed on paper.
    rows = sorted(TEN.itertuples(index=False), key=lambda row: -row.score)
    curve, n_t, n_c, y_t, y_c = [0.0], 0, 0, 0, 0
    for row in rows:
        n_t, n_c = n_t + row.called, n_c + 1 - row.called
        y_t, y_c = y_t + row.called * row.stayed, y_c + (1 - row.called) * row.stayed
        curve.append((y_t - (y_c * n_t / n_c if n_c else 0)) / 10)
    area = sum((a + b) / 20 for a, b in pairwise(curve)) - curve[-1] / 2
    assert EXERCISES["04-qini"].right[0] == pytest.approx(area)
    assert abs(area) > 0.01


def test_each_way_to_leave_the_start_of_the_curve_out_gets_its_own_words():
    # On paper the ten values are 1, 1, 2, 2, 3, 2, 5/3, 1, 0.6, 1, in tenths; right is 0.0977.
    values = np.array([1, 1, 2, 2, 3, 2, 5 / 3, 1, 0.6, 1]) / 10
    joined = (values[1:] + values[:-1]) / 2
    said = {
        values.mean() - 0.05: "V starts at 0 at the left end; join its eleven points by straight lines",
        joined.mean() - 0.05: "nine trapezoids leave the start out; there are ten",
        joined.sum() / 10 - 0.05: "the first trapezoid is missing; it goes from 0 to the first point",
        values.mean(): "that is the mean of the ten values; start at 0, then take off the line",
    }
    assert [round(answer, 4) for answer in said] == [0.1027, 0.1085, 0.0927, 0.1527]
    assert {answer: grade(EXERCISES["04-qini"], answer) for answer in said} == said


@pytest.mark.parametrize("seed", range(5))
def test_one_feature_of_the_hunt_leaks_whatever_the_draw(seed):
    rng = np.random.default_rng(seed)
    tables, at = hunt_tables(rng), pd.Timestamp("2025-05-01")
    found = labels.leaking_columns(hunt_features, tables, at, times=HUNT_TIMES, rng=rng)
    assert found == ["logins_vs_best_week"]


def test_the_hunts_features_are_counted_as_their_names_say():
    at = pd.Timestamp("2025-05-01")
    days = {"logins": ["2025-04-30", "2025-01-05", "2025-05-01"], "tickets": ["2025-04-01"], "plan_changes": []}
    tables = {
        name: pd.DataFrame({"user_id": np.zeros(len(on), dtype=int), "on": pd.to_datetime(on)})
        for name, on in days.items()
    }
    row = hunt_features(tables, at).loc[0]
    assert row.to_dict() == {
        "logins_90d": 1,
        "logins_vs_best_week": 0.5,
        "days_since_login": 1,
        "tickets_30d": 1,
        "downgraded_7d": 0,
    }
