"""Worth against a thousand lives played out, policies against the oracle, and dollars by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from casebook.churn.evaluate import Worth, call_top, dollars, money_table, once, run, worth
from casebook.churn.play import Luck, nobody
from casebook.churn.simulate import simulate
from casebook.churn.world import FUTURE, World

SINGLE = 2e-5  # hazards are in single precision and multiply over 36 months
LIVES, SUBJECTS = 4_000, 24
ERRORS = 4.5  # standard errors: 96 comparisons miss together less than once in a thousand
gains = arrays(float, st.integers(1, 12), elements=st.floats(-100, 100, allow_subnormal=False))


@pytest.fixture(scope="module")
def world():
    return World()


@pytest.fixture(scope="module")
def truth(world):
    return simulate(world, 2_000, np.random.default_rng(5)).truth


def lives(truth, rows, rng):
    """The same people many times over, each life with its own luck."""
    many = np.repeat(rows, LIVES)
    luck = Luck.draw(len(many), FUTURE, rng)
    return replace(
        truth,
        people=truth.people.take(many),
        months=truth.months.take(many),
        luck=luck,
        carry=truth.carry[many],
        subscriber_id=truth.subscriber_id[many],
    )


def margins(world, truth, rule):
    played = run(world, truth, rule, FUTURE)
    paid_months = np.minimum(played.left, FUTURE)
    return paid_months, world.margin * truth.people.price * paid_months


def within(sample, expected):
    sample = sample.reshape(SUBJECTS, LIVES)
    error = np.maximum(sample.std(axis=1) / np.sqrt(LIVES), 1e-9)
    return np.abs(sample.mean(axis=1) - expected) / error


def test_worth_is_the_mean_of_many_lives_played_with_and_without_the_call(world, truth):
    told = worth(world, truth)
    keepable = truth.months.kept[:, 0] > 0.1  # a call that changes ten lives of 4,000 has no normal error
    risky = np.argsort(np.where(keepable, -told.p, 0))[: SUBJECTS - 8]
    dogs = np.flatnonzero(truth.people.dog & (told.p > 0))[:8]
    rows = np.concatenate([risky, dogs])
    many = lives(truth, rows, np.random.default_rng(6))
    months, alone = margins(world, many, nobody)
    called_months, called = margins(world, many, once(np.ones(len(many.people), dtype=bool)))
    stays, stays_called = (months > 0).astype(float), (called_months > 0).astype(float)
    assert within(1 - stays, told.p[rows]).max() < ERRORS
    assert within(stays_called - stays, told.uplift[rows]).max() < ERRORS
    assert within(alone, told.value[rows]).max() < ERRORS
    assert within(called - alone - world.call_cost, told.gain[rows]).max() < ERRORS


def test_with_no_persistence_a_call_is_worth_its_uplift_times_what_a_save_is_worth():
    world = World(persistence=0.0)
    truth = simulate(world, 1_000, np.random.default_rng(7)).truth
    told = worth(world, truth)
    after = told.value / (1 - told.p)  # margin to come of somebody who got through the month
    np.testing.assert_allclose(told.gain + world.call_cost, told.uplift * after, rtol=1e-3, atol=1e-3)


def test_with_full_persistence_the_hazard_is_lower_by_the_same_share_for_ever():
    world = World(persistence=1.0, dogs=0.0)
    truth = simulate(world, 500, np.random.default_rng(8)).truth
    truth = replace(truth, carry=np.zeros(len(truth.people), dtype=np.float32))
    p, failed, kept = (getattr(truth.months, name).astype(float) for name in ("p", "failed", "kept"))
    stays = np.cumprod((1 - p) * (1 - failed), axis=1)
    called = np.cumprod((1 - p * (1 - kept[:, :1])) * (1 - failed), axis=1)
    by_hand = world.reach * world.margin * truth.people.price * (called - stays).sum(axis=1) - world.call_cost
    np.testing.assert_allclose(worth(world, truth).gain, by_hand, rtol=1e-3, atol=1e-3)


def test_a_shorter_horizon_counts_fewer_months_and_more_persistence_is_worth_more(world, truth):
    short, long = worth(world, truth, 1), worth(world, truth, 36)
    np.testing.assert_allclose(short.p, long.p, atol=SINGLE)
    np.testing.assert_allclose(short.value, world.margin * truth.people.price * (1 - short.p), rtol=SINGLE)
    np.testing.assert_allclose(
        short.gain + world.call_cost, short.uplift * world.margin * truth.people.price, atol=1e-2
    )
    lasting = worth(replace(world, persistence=0.9), truth)
    helped = (truth.months.kept[:, 0] > 0) & (truth.carry == 0) & (truth.months.p[:, 0] > 0)
    assert helped.sum() > 500
    assert (lasting.gain[helped] >= long.gain[helped] - SINGLE).all()


def test_saved_is_what_is_to_come_once_this_months_decision_is_made(world, truth):
    told = worth(world, truth)
    first = 1 - truth.months.p[:, 0] * np.clip(1 - truth.carry, 0, 4)
    np.testing.assert_allclose(told.saved * first, told.value, rtol=SINGLE)
    assert (told.saved >= told.value - SINGLE).all()


@given(gains, st.integers(0, 12), st.data())
def test_no_list_within_the_budget_beats_the_oracle(gain, budget, data):
    order = data.draw(st.permutations(range(len(gain))))
    act = np.zeros(len(gain), dtype=bool)
    act[order[: data.draw(st.integers(0, min(budget, len(gain))))]] = True
    table = money_table(Worth(gain, gain, gain, gain, gain), {"mine": act}, budget)
    assert table.index[-1] == "oracle"
    assert table.loc["mine", "earned"] <= table.loc["oracle", "earned"] + 1e-9
    assert 0 <= table.loc["oracle", "calls"] <= budget
    assert not table.loc["mine", "captured"] > 1 + 1e-9


@given(gains, st.integers(-1, 15), st.floats(-100, 100))
def test_call_top_takes_the_best_and_no_more_than_it_may(score, calls, least):
    act = call_top(score, calls, least)
    assert act.sum() == min(max(calls, 0), int((score > least).sum()))
    assert (score[act] > least).all()
    if act.any() and (~act & (score > least)).any():
        assert score[act].min() >= score[~act & (score > least)].max()


def test_ties_go_by_position_and_no_budget_calls_nobody():
    assert call_top(np.array([1.0, 2.0, 1.0, 1.0]), 2).tolist() == [True, True, False, False]
    assert not call_top(np.array([1.0, 2.0]), 0).any()


def test_a_money_table_of_three_people():
    gain, kept = np.array([30.0, -10.0, 5.0]), np.array([0.3, 0.0, 0.1])
    told = Worth(kept, kept, gain, gain, gain)
    table = money_table(told, {"nobody": np.zeros(3, bool), "all": np.ones(3, bool)}, budget=1)
    assert table["calls"].tolist() == [0, 3, 1]
    assert table["saved"].tolist() == pytest.approx([0, 0.4, 0.3])
    assert table["earned"].tolist() == [0, 25, 30]
    assert table["captured"].tolist() == pytest.approx([0, 25 / 30, 1])
    assert np.isnan(table.loc["nobody", "per_call"])
    assert table.loc["all", "per_call"] == pytest.approx(25 / 3)


def test_dollars_are_bills_paid_less_calls_made(world, truth):
    act = np.arange(len(truth.people)) % 5 == 0
    played = run(world, truth, once(act, month=2), 6)
    paid = world.margin * truth.people.price
    by_hand = [
        sum(paid[played.left > month]) - 10.0 * (month == 2) * (act & (played.left >= 2)).sum() for month in range(6)
    ]
    np.testing.assert_allclose(dollars(world, truth, played), by_hand)


def test_the_realised_gain_of_a_list_lies_about_the_expected_one(world, truth):
    told = worth(world, truth, 12)
    act = call_top(told.gain, 300)
    rng = np.random.default_rng(9)
    differences = []
    for _ in range(60):
        fresh = replace(truth, luck=Luck.draw(len(truth.people), FUTURE, rng))
        called, alone = (dollars(world, fresh, run(world, fresh, rule)).sum() for rule in (once(act), nobody))
        differences.append(called - alone)
    error = np.std(differences) / np.sqrt(60)
    assert np.mean(differences) == pytest.approx(told.gain[act].sum(), abs=4 * error)
