"""Several futures of one past: equal to a whole run, repeatable, paired, and without a trace in one another."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.fraud.branch import play_until
from casebook.fraud.day_features import with_features
from casebook.fraud.recorder import Recorded
from casebook.fraud.rules import Rules
from casebook.fraud.simulate import simulate
from casebook.fraud.world import DAY, World

WORLD = World(prevalence=0.01, novel_share=0.3, novel_day=13)
CARDS, DAYS, START = 300, 20, 12


def decide(morning, features):
    return np.where(features["card_count_1h"] > 3, 3, np.where(features["amount_to_mean"] > 6, 1, 0))


def blocks(morning):
    return np.full(len(morning.events), 3)


POLICIES = {"nothing": lambda: None, "rules": Rules, "features": lambda: with_features(decide)}


@cache
def begin(name="nothing"):
    return play_until(WORLD, CARDS, DAYS, np.random.default_rng(0), POLICIES[name](), day=START)


def assert_same(one, other):
    for name in one.tables:
        pd.testing.assert_frame_equal(one.tables[name], other.tables[name])
    pd.testing.assert_frame_equal(one.truth.events, other.truth.events)
    pd.testing.assert_frame_equal(one.truth.episodes, other.truth.episodes)
    np.testing.assert_array_equal(one.truth.weights, other.truth.weights)


@pytest.mark.parametrize("name", POLICIES)
def test_a_branch_under_the_same_policy_is_the_whole_run(name):
    whole = simulate(WORLD, CARDS, DAYS, np.random.default_rng(0), POLICIES[name]())
    past = begin(name)
    for other in (blocks, None, past.in_force()):  # what another branch does leaves no trace
        past.go_on(other)
    branch = past.go_on(past.in_force())
    assert_same(whole, branch)
    later = whole.money[whole.money["day"] >= START].reset_index(drop=True)
    pd.testing.assert_frame_equal(later, branch.money)


def test_what_holders_notice_in_one_branch_is_unknown_in_the_next():
    past = play_until(WORLD, 1_000, DAYS, np.random.default_rng(0), day=START)
    alone = past.go_on(blocks)
    past.go_on(None)
    assert_same(alone, past.go_on(blocks))


def test_a_policy_of_features_may_begin_at_the_branch():
    past = begin("rules")
    known = past.featured(decide)
    new = past.go_on(with_features(decide))  # reads the whole log on its first morning
    assert_same(new, past.go_on(known))
    assert_same(new, past.go_on(past.featured(decide)))


def test_a_branch_sees_the_features_that_a_whole_run_sees():
    whole, branched = Recorded(decide), []
    simulate(WORLD, CARDS, DAYS, np.random.default_rng(0), whole)

    def watch(morning, features):
        branched.append(features)
        return decide(morning, features)

    past = begin("features")
    past.go_on(past.featured(watch))
    seen = pd.concat(branched).astype(np.float32)
    pd.testing.assert_frame_equal(seen, whole.features.iloc[-len(seen) :], check_index_type=False)


def test_a_policy_that_has_gone_on_is_refused_a_second_time():
    past = begin()
    policy = past.featured(decide)
    past.go_on(policy)
    with pytest.raises(ContractError, match="make a policy for each run"):
        past.go_on(policy)


def test_branches_are_paired():
    past = begin()
    free, blocked = past.go_on(None), past.go_on(blocks)
    twins = [run.truth.events.loc[lambda t: t["twin"] >= 0, "twin"].to_numpy() for run in (free, blocked)]
    np.testing.assert_array_equal(*twins)
    first = free.money["day"] == START
    assert free.money.loc[first, "attempts"].tolist() == blocked.money.loc[first, "attempts"].tolist()
    assert free.money["attempts"].sum() > blocked.money["attempts"].sum()


def test_the_past_is_shared_and_cannot_be_changed_by_a_branch():
    past = begin()
    before = {name: table.copy() for name, table in past.tables.items()}
    past.go_on(blocks)
    past.go_on(None)
    for name, table in before.items():
        pd.testing.assert_frame_equal(table, past.tables[name])
    free, blocked = past.go_on(None), past.go_on(blocks)
    assert free.truth.people is blocked.truth.people
    known = len(past.tables["events"])
    pd.testing.assert_frame_equal(free.tables["events"].iloc[:known], blocked.tables["events"].iloc[:known])


def test_the_tables_of_the_past_hold_nothing_of_later_days():
    past = begin("rules")
    run = past.go_on(past.in_force())
    assert past.tables["events"]["at"].max() < START * DAY
    reports = run.tables["reports"]
    known = reports[reports["reported_at"] < START * DAY].reset_index(drop=True)
    pd.testing.assert_frame_equal(past.tables["reports"], known)
    answers = run.tables["answers"]
    pd.testing.assert_frame_equal(past.tables["answers"], answers[answers["at"] < START * DAY].reset_index(drop=True))


def test_only_a_branch_that_may_is_shown_the_truth():
    seen = {}

    def look(morning):
        seen[morning.day] = morning.fraud is not None
        return np.zeros(len(morning.events), np.int8)

    past = begin()
    past.go_on(look, sees_truth=True)
    assert all(seen.values()) and list(seen) == list(range(START, DAYS))
    past.go_on(look)
    assert not any(seen.values())


@pytest.mark.parametrize("day", [0, DAYS, DAYS + 3, -1])
def test_days_must_be_left_on_both_sides(day):
    with pytest.raises(ContractError, match=r"day must be from 1 to days - 1 = 19, got .*; leave days on both sides."):
        play_until(WORLD, CARDS, DAYS, np.random.default_rng(0), day=day)


def test_a_branch_is_refused_what_a_run_is():
    with pytest.raises(ContractError, match=r"rng must be a numpy\.random\.Generator, got nothing"):
        play_until(WORLD, CARDS, DAYS, day=3)
    with pytest.raises(ContractError, match=r"shape \(3,\)"):
        begin().go_on(lambda morning: np.zeros(3, np.int8))
