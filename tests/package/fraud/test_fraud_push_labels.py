"""Answers as labels: each teacher row by row, answers recounted, and a world in which nobody is asked."""

import re

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from casebook.contracts import ContractError
from casebook.fraud import plays_push
from casebook.fraud.lessons import MONTH, Memory
from casebook.fraud.outcomes import ABANDONED, CONFIRM, DECLINED, DENY, NONE, PASSED, STOPPED, UNASKED
from casebook.fraud.plays_push import DIALS, play_push_labels
from casebook.fraud.push_labels import TEACHERS, answer_quality, precisions, run_push
from casebook.fraud.relearn import allow_until
from casebook.fraud.world import DAY, World
from casebook.worlds import draw_dials

#: An old denial; a denial; a slip of an honest holder; a fraudster who passed, reported since; one not reported yet; no
#: answer; a fraud that nobody asked about, reported; one on a stopped card.
MEMORY = Memory(
    age=np.array([MONTH + 1, 1, 1, 9, 9, 2, 4, 1]),
    outcome=np.array([DECLINED, DECLINED, DECLINED, PASSED, PASSED, ABANDONED, PASSED, STOPPED], np.int8),
    reported=np.array([False, False, False, True, False, False, True, False]),
    answer=np.array([DENY, DENY, DENY, CONFIRM, CONFIRM, NONE, UNASKED, UNASKED], np.int8),
    chance=np.ones(8),
    fraud=np.array([True, True, False, True, True, True, True, True]),
)


@pytest.fixture(scope="module")
def start():
    world = World(prevalence=0.05, delay_days=3.0, push_slip=0.02, push_pass=0.2)
    return allow_until(world, 300, 26, 5, day=14)


@pytest.fixture(scope="module")
def learned(start):
    return run_push(start, "answers", rivals=("reports", "trusting", "truth"), every=6)


@pytest.mark.parametrize(
    ("teacher", "rows", "frauds"),
    [
        ("reports", [3, 4, 6], [3, 6]),
        ("answers", [1, 2, 3, 4, 6], [1, 2, 3, 6]),
        ("trusting", [1, 2, 3, 4, 6], [1, 2, 6]),
        ("prompt", [3, 4, 6], [3, 4, 6]),
        ("truth", [1, 2, 3, 4, 5, 6], [1, 3, 4, 5, 6]),
    ],
)
def test_each_teacher_teaches_its_rows(teacher, rows, frauds):
    lesson = TEACHERS[teacher](MEMORY)
    assert np.flatnonzero(lesson.rows).tolist() == rows
    assert np.flatnonzero(lesson.rows & lesson.y).tolist() == frauds
    assert set(lesson.weight) == {1.0}


def test_answers_are_recounted_one_by_one(learned):
    found, tables = answer_quality(learned), learned.run.tables
    fraud = learned.run.truth.events["fraud"].to_numpy()
    told = dict(tables["reports"].itertuples(index=False))
    at = tables["events"]["at"].to_numpy()
    assert found["n"].sum() == len(tables["answers"]) > 100
    for answer, row in found.iterrows():
        ids = tables["answers"].loc[tables["answers"]["answer"] == answer, "event_id"].tolist()
        frauds = [one for one in ids if fraud[one]]
        waits = [(told[one] - at[one]) / DAY for one in frauds if one in told]
        assert (row["n"], row["frauds"]) == (len(ids), len(frauds))
        assert row["fraud_share"] == len(frauds) / len(ids)
        assert row["reported"] == len(waits) / len(frauds)
        assert waits == [] or row["days_to_report"] == pytest.approx(np.median(waits))
    assert found.loc["deny", "reported"] == 0  # what was denied was never charged


def test_precisions_are_those_of_live_cards_and_the_models_differ(learned):
    judged = learned.judged()
    live = judged[judged["live"]]
    found = precisions(learned)
    assert list(found) == ["answers", "reports", "trusting", "truth"]
    for name, value in found.items():
        assert value == pytest.approx(average_precision_score(live["fraud"], live[name]), rel=1e-9)
    assert len(set(found.values())) == 4


def test_all_four_actions_are_open_and_who_teaches_changes_what_is_done(start, learned):
    other = run_push(start, "reports", every=6)
    taken = [run.run.tables["decisions"]["action"].value_counts() for run in (learned, other)]
    assert set(taken[0].index) >= {0, 1, 3}
    assert taken[0].to_dict() != taken[1].to_dict()
    early = [run.scores[run.scores["day"] < 20] for run in (learned, other)]  # the first models know no answer yet
    np.testing.assert_array_equal(early[0]["answers"], early[0]["reports"])
    np.testing.assert_array_equal(early[0]["reports"], early[1]["reports"])


def test_where_nobody_is_asked_answers_change_nothing(monkeypatch):
    monkeypatch.setattr(plays_push, "CARDS", 150)
    monkeypatch.setattr(plays_push, "DAYS", 45)
    dials = draw_dials(DIALS, 1, np.random.default_rng(2), null=True).iloc[0].to_dict()
    assert dials["push_pass"] == dials["call_pass"] == 1
    row = play_push_labels({**dials, "prevalence": 0.03}, np.random.default_rng(3))
    assert row["attempts"] > 20 and row["cost_reports"] > 0
    assert not any(value for value in row.values() if isinstance(value, bool)), row
    assert row["denied"] == row["confirmed"] == row["saved"] == 0
    assert row["ap_reports"] == row["ap_answers"] == row["ap_trusting"] != row["ap_truth"]


def test_a_name_that_is_no_teachers_is_refused(start):
    text = "acts and rivals must be out of reports, answers, trusting, prompt, truth, got 'push'; name teachers."
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        run_push(start, "reports", rivals=("push",))
