"""Models that are fitted anew: what they may know, which rows they take, and that the draw of these is undone."""

import re
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.fraud.boosted import fit_boosted
from casebook.fraud.feature_spec import FEATURES
from casebook.fraud.features import build
from casebook.fraud.in_force import COLUMNS
from casebook.fraud.lessons import MONTH, Lesson, Memory
from casebook.fraud.outcomes import BLOCK, CALL, PUSH
from casebook.fraud.relearn import KEEP, Decision, allow_until, learn
from casebook.fraud.world import ANSWERS, DAY, OUTCOMES, World

WORLD = World(prevalence=0.03, delay_days=2.0, notice_days=2.0)
FIRST, EVERY, DAYS, CARDS = 9, 4, 18, 250


@pytest.fixture(scope="module")
def start():
    return allow_until(WORLD, CARDS, DAYS, 3, day=FIRST)


def mixed(morning, p):
    """Ask about some, block some, by the amount alone."""
    cents = morning.events["amount_cents"].to_numpy()
    action = np.select([cents % 50 == 1, cents % 10 == 2, cents % 11 == 3], [BLOCK, PUSH, CALL], 0)
    return Decision(action.astype(np.int8), np.where(action == BLOCK, 0.2, 1.0))


def allow(morning, p):
    return Decision(np.zeros(len(p), np.int8), np.ones(len(p)))


def everything(memory):
    return Lesson(memory.passed, memory.reported, np.ones(len(memory.age)))


class Spy:
    """A teacher that keeps what it was shown."""

    def __init__(self):
        self.seen = []

    def __call__(self, memory):
        self.seen.append(memory)
        return everything(memory)


def constant(X, y, weight):
    share = np.average(y, weights=weight)
    return lambda rows: np.full(len(rows), share)


def test_a_memory_is_what_the_tables_say_by_that_midnight_and_nothing_later(start):
    spy = Spy()
    found = learn(start, mixed, {"spy": spy}, EVERY, sees_truth=True, fit=constant)
    tables, fraud = found.run.tables, found.run.truth.events["fraud"].to_numpy()
    reported_at = dict(tables["reports"].itertuples(index=False))
    answers = {row.event_id: row.answer for row in tables["answers"].itertuples()}
    assert [len(memory.age) for memory in spy.seen] == [
        int((tables["events"]["at"] < day * DAY).sum()) for day in (9, 13, 17)
    ]
    for memory, day in zip(spy.seen, (9, 13, 17), strict=True):
        n = len(memory.age)
        known = tables["events"].iloc[:n].assign(outcome=tables["decisions"]["outcome"].iloc[:n])
        for row in known.itertuples():
            i = row.event_id
            assert memory.age[i] == day - row.at // DAY
            assert OUTCOMES[memory.outcome[i]] == row.outcome
            assert memory.reported[i] == (reported_at.get(i, np.inf) < day * DAY)
            assert (ANSWERS[memory.answer[i]] if memory.answer[i] >= 0 else None) == answers.get(i)
        np.testing.assert_array_equal(memory.fraud, fraud[:n])
        assert set(memory.chance) == ({1.0} if day == 9 else {0.2, 1.0})
    assert (spy.seen[-1].answer >= 0).any() and (~spy.seen[-1].live).any()


def test_a_shorter_world_shows_the_same_past(start):
    long, short = Spy(), Spy()
    learn(start, mixed, {"spy": long}, EVERY, fit=constant)
    learn(allow_until(WORLD, CARDS, 14, 3, day=FIRST), mixed, {"spy": short}, EVERY, fit=constant)
    for one, other in zip(long.seen[:2], short.seen, strict=True):
        for part in fields(Memory):
            if part.name != "fraud":
                np.testing.assert_array_equal(getattr(one, part.name), getattr(other, part.name))
    assert all(memory.fraud is None for memory in long.seen)


def test_who_may_see_the_truth_and_does_not_use_it_decides_the_same(start):
    shown, not_shown = (
        learn(start, by_score, {"reports": everything}, EVERY, sees_truth=shown) for shown in (True, False)
    )
    pd.testing.assert_frame_equal(shown.scores, not_shown.scores)
    pd.testing.assert_frame_equal(shown.run.tables["decisions"], not_shown.run.tables["decisions"])


def by_score(morning, p):
    action = np.where(p > np.quantile(p, 0.97), BLOCK, 0).astype(np.int8)
    return Decision(action, np.where(action > 0, 0.0, 1.0))


def test_models_are_fitted_to_the_features_of_their_events(start):
    shown = []

    def spying(X, y, weight):
        shown.append(X)
        return constant(X, y, weight)

    found = learn(start, allow, {"all": everything}, EVERY, fit=spying)
    tables = found.run.tables
    built = build(tables["events"], tables["reports"]).to_numpy(np.float32)[:, COLUMNS]
    assert len(shown) == 3
    by_hour = [place for place, column in enumerate(COLUMNS) if "risk" in list(FEATURES)[column]]
    without = np.delete(np.arange(len(COLUMNS)), by_hour)  # a day's risks are of the reports at its midnight
    rows = {row.tobytes() for row in built[:, without]}
    assert {row.tobytes() for row in shown[-1][:, without]} <= rows
    assert len(shown[0]) < len(shown[1]) < len(shown[2])


def test_teachers_who_say_the_same_make_the_same_model_and_the_first_decides(start):
    decided = []

    def noting(morning, p):
        decided.append(p)
        return allow(morning, p)

    found = learn(start, noting, {"one": everything, "other": Spy()}, EVERY)
    np.testing.assert_array_equal(found.scores["one"], found.scores["other"])
    np.testing.assert_array_equal(np.concatenate(decided), found.scores["one"])
    assert found.teachers == ["one", "other"]
    judged = found.judged()
    assert judged.groupby("round")["day"].agg(["min", "max"]).to_numpy().tolist() == [[9, 12], [13, 16], [17, 17]]
    assert judged["live"].all() and judged["passed"].all()


def test_rows_that_were_left_out_are_made_up_for(start):
    """A model that knows nothing promises the share of labels, whatever the draw."""
    spy, taken = Spy(), []

    def fit(X, y, weight):
        taken.append((y, weight))
        return constant(X, y, weight)

    found = learn(start, mixed, {"spy": spy}, EVERY, fit=fit)
    memory, (y, weight) = spy.seen[-1], taken[-1]
    rows, labels = memory.passed, memory.reported & memory.passed
    promised = found.scores["spy"].iloc[-1]
    spread = np.sqrt((1 / KEEP - 1) / rows.sum())  # of the share of the others that was drawn, relative
    assert promised == pytest.approx(labels.sum() / rows.sum(), rel=4 * spread)
    assert y.sum() == labels.sum() and set(weight) == {1.0}


def test_explored_rows_are_all_kept_each_for_what_the_draw_leaves(start):
    taken = []

    def fit(X, y, weight):
        taken.append((y, weight))
        return constant(X, y, weight)

    def unlikely(morning, p):
        return Decision(np.zeros(len(p), np.int8), np.full(len(p), 0.5))

    spy = Spy()
    learn(start, unlikely, {"spy": spy}, EVERY, fit=fit)
    memory, (y, weight) = spy.seen[-1], taken[-1]
    rare = memory.chance < 1
    assert (weight == KEEP).sum() == (rare & ~memory.reported).sum() > 0
    assert set(weight[y]) == {1.0}


def test_a_lesson_of_the_last_month_leaves_older_events_out():
    memory = Memory(*(np.zeros(3, np.int8) for _ in range(6)))
    memory = Memory(np.array([1, MONTH, MONTH + 1]), *(getattr(memory, part.name) for part in fields(Memory)[1:]))
    lesson = Lesson(np.array([True, True, True]), np.zeros(3, bool), np.ones(3)).of_last_month(memory)
    assert lesson.rows.tolist() == [True, True, False]


def test_one_class_only_gives_its_share():
    assert fit_boosted(np.zeros((3, 1)), np.zeros(3, bool), np.ones(3))(np.zeros((2, 1))).tolist() == [0, 0]
    assert fit_boosted(np.zeros((3, 1)), np.ones(3, bool), np.ones(3))(np.zeros((0, 1))).shape == (0,)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda start: learn(start, allow, {}, 3), "teachers must be one or more, got none; give a dict of functions."),
        (lambda start: learn(start, allow, {"a": everything}, 0), "every must be 1 or more, got 0; count in days."),
        (
            lambda start: learn(start, allow, {"a": lambda memory: memory.truth()}, 3),
            "sees_truth must be True for a teacher who knows the truth, got False; pass sees_truth=True.",
        ),
    ],
)
def test_refusals(start, call, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        call(start)
