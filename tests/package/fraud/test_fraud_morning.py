"""What a bank knows as it decides: no more than had come by then, and nothing that it could write to."""

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.fraud.morning import Columns, checked_actions
from casebook.fraud.simulate import simulate
from casebook.fraud.world import DAY, World

BUSY = World(prevalence=0.02, delay_days=2.0, notice_days=2.0, speed=0.5)


def at_random(morning):
    return np.random.default_rng(morning.day).integers(4, size=len(morning.events))


def play(policy=None, world=BUSY, days=25):
    return simulate(world, 500, days, np.random.default_rng(0), policy)


@pytest.fixture(scope="module")
def free():
    return play()


def test_first_days_do_not_change_with_later_ones():
    seen = {}

    def watch(days):
        def policy(morning):
            if morning.day == 13:
                parts = (morning.events, morning.log, morning.reports, morning.answers, morning.decisions)
                seen[days] = [part.copy() for part in parts]
            return at_random(morning)

        return policy

    for days in (14, 31):
        play(watch(days), days=days, world=World(**{**vars(BUSY), "drift": 0.3, "drift_day": 5}))
    for short, long in zip(seen[14], seen[31], strict=True):
        assert len(short) > 5
        pd.testing.assert_frame_equal(short, long)


def test_a_morning_holds_what_was_known_and_no_more():
    mornings = []

    def policy(morning):
        mornings.append(morning)
        return at_random(morning)

    final = play(policy, days=6).tables
    for morning in mornings:
        now = morning.day * DAY
        assert (morning.events["at"] >= now).all() and (morning.events["at"] < now + DAY).all()
        assert len(morning.log) == morning.events["event_id"].iloc[0]
        assert morning.fraud is None and morning.loss_dollars is None
        pd.testing.assert_frame_equal(morning.answers, final["answers"][final["answers"]["at"] < now])
    last = mornings[-1]
    pd.testing.assert_frame_equal(last.log, final["events"].iloc[: len(last.log)])
    pd.testing.assert_frame_equal(last.decisions, final["decisions"].iloc[: len(last.log)])


def test_the_reports_of_a_morning_are_those_that_had_come_by_then(free):
    known, final = {}, free.tables["reports"]

    def policy(morning):
        known[morning.day] = morning.reports
        return np.zeros(len(morning.events), np.int8)

    play(policy)
    for day in (0, 5, 24):
        pd.testing.assert_frame_equal(known[day], final[final["reported_at"] < day * DAY])
    assert len(known[24]) > 50


def test_tables_cannot_be_written_to(free):
    def vandal(morning):
        morning.log["amount_cents"].to_numpy()[:] = 1
        return np.zeros(len(morning.events), np.int8)

    with pytest.raises(ValueError, match="read-only"):
        play(vandal)
    with pytest.raises(ValueError, match="read-only"):
        free.tables["events"]["amount_cents"].to_numpy()[0] = 1


def test_columns_grow():
    columns = Columns({"at": np.int64, "answer": np.int8}, 2)
    for start in range(0, 90, 30):
        part = columns.extend(30)
        part["at"][:], part["answer"][:] = np.arange(start, start + 30), start // 30
    got = columns.read()
    assert got["at"].tolist() == list(range(90))
    assert got["answer"].tolist() == ["confirm"] * 30 + ["deny"] * 30 + ["none"] * 30
    assert columns.read(20, 25).index.tolist() == [20, 21, 22, 23, 24]


@pytest.mark.parametrize(
    ("actions", "text"),
    [
        (
            np.zeros(3, int),
            "policy must be a function that returns an array of shape (2,), got shape (3,); "
            "return one action an event.",
        ),
        (
            np.array([0.0, 1.0]),
            "policy must be a function that returns whole numbers, got type float64; use .astype(np.int8).",
        ),
        (np.array([-1, 0]), "policy, row 0 must be one of 0, 1, 2, 3, got -1; use the positions of ACTIONS."),
        (
            None,
            "policy must be a function that returns an array of shape (2,), got shape (); return one action an event.",
        ),
    ],
)
def test_a_policy_that_returns_something_else_is_refused(actions, text):
    with pytest.raises(ContractError) as error:
        checked_actions(actions, 2)
    assert str(error.value) == text
