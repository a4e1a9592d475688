"""The month loop against sums by hand: calls, fading, fatigue, and one luck for two policies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.churn.evaluate import once, run
from casebook.churn.latent import Months
from casebook.churn.play import STAYS, SUREST, WORST, Luck, called_hazard, nobody, play
from casebook.churn.simulate import simulate
from casebook.churn.world import World

SINGLE = 1e-6  # hazards are kept in single precision
SURE = 1.0


def months_of(p, kept=0.0, failed=0.0, length=6):
    """The same hazard and effect in every month for each person."""
    p, kept, failed = (np.broadcast_to(np.asarray(x, dtype=np.float32), np.shape(p)) for x in (p, kept, failed))
    grid = [np.repeat(x[:, None], length, axis=1) for x in (p, failed, kept)]
    still = np.zeros_like(grid[0])
    return Months(still, still.astype(bool), grid[0], grid[1], grid[2])


def luck_of(n, length, value):
    return Luck(*(np.full((n, length), value, dtype=np.float32) for _ in range(3)))


def everybody(state):
    return np.ones_like(state.here)


def carries(world, months, calls, length):
    """What is left after each month when everybody is called in the listed months and nobody leaves."""
    luck = luck_of(1, length, 0.5)
    left = []
    for months_played in range(1, length + 1):
        window = Months(**{name: part[:, :months_played] for name, part in vars(months).items()})

        def rule(state):
            return np.full_like(state.here, state.month in calls)

        left.append(float(play(world, window, luck, rule).carry[0]))
    return left


def test_a_call_fades_by_its_persistence():
    world = World(persistence=0.5, fatigue=0.1, reach=SURE)
    got = carries(world, months_of([0.0], kept=0.4), calls={1}, length=4)
    assert got == pytest.approx([0, 0.4 * 0.5, 0.4 * 0.5**2, 0.4 * 0.5**3], abs=SINGLE)


def test_each_call_of_the_last_three_months_tires():
    world = World(persistence=1.0, fatigue=0.1, reach=SURE)
    got = carries(world, months_of([0.0], kept=0.4, length=7), calls={0, 1, 2, 3, 6}, length=7)
    gains = np.diff([0.0, *got])
    # after 0, 1, 2 and 3 calls in the three months before; in month 6 that of month 3 still counts
    assert gains == pytest.approx([0.4, 0.3, 0.2, 0.1, 0.0, 0.0, 0.3], abs=SINGLE)


def test_a_call_that_fails_to_reach_tires_but_changes_nothing():
    world = World(persistence=1.0, fatigue=0.1, reach=0.5)
    months, luck = months_of([0.0], kept=0.4, length=2), luck_of(1, 2, 0.9)
    luck.answer[0, 1] = 0.1
    played = play(world, months, luck, everybody)
    assert played.called.tolist() == [[True, True]]
    assert played.reached.tolist() == [[False, True]]
    assert played.carry[0] == pytest.approx(0.3, abs=SINGLE)


def test_without_persistence_a_save_postpones_by_a_month_and_with_it_lasts():
    months, luck = months_of([0.5], kept=0.4), luck_of(1, 6, 0.4)
    left = {
        k: play(World(persistence=k, fatigue=0, reach=SURE), months, luck, once(np.array([True]))).left[0]
        for k in (0.0, 1.0)
    }
    assert play(World(), months, luck, nobody).left[0] == 0
    assert left == {0.0: 1, 1.0: STAYS}


def test_leaving_comes_before_the_failed_card_and_nobody_leaves_twice():
    months = months_of([0.5, 0.0, 0.0], failed=[0.5, 0.5, 0.0])
    played = play(World(), months, luck_of(3, 6, 0.4), everybody)
    assert played.left.tolist() == [0, 0, STAYS]
    assert played.by_card.tolist() == [False, True, False]
    assert played.called.sum(axis=1).tolist() == [1, 1, 6]
    assert [int(played.here(month).sum()) for month in (0, 1, 6)] == [3, 1, 1]


def test_who_has_not_signed_up_is_neither_called_nor_lost():
    months, luck = months_of([0.5, 0.5]), luck_of(2, 6, 0.4)
    played = play(World(), months, luck, everybody, here=lambda month: np.array([month >= 2, True]))
    assert played.left.tolist() == [2, 0]
    assert played.called.sum(axis=1).tolist() == [1, 1]


@given(st.floats(0, 1, width=32), st.floats(-8, 2, width=32))
def test_a_called_hazard_stays_within_its_bounds(p, carry):
    got = float(called_hazard(np.array([p], dtype=np.float32), np.array([carry], dtype=np.float32))[0])
    assert 0 <= got <= min(SUREST, WORST * p) + SINGLE
    if carry >= 0:
        assert got <= p + SINGLE


def test_on_the_same_luck_a_call_touches_only_whom_it_reaches():
    world = World()
    truth = simulate(world, 3_000, np.random.default_rng(1)).truth
    act = np.random.default_rng(2).random(len(truth.people)) < 0.3
    alone, called = run(world, truth, nobody, 24), run(world, truth, once(act), 24)
    reached = called.reached[:, 0]
    assert not reached[~act].any()
    np.testing.assert_array_equal(alone.left[~reached], called.left[~reached])
    helped, harmed = reached & (truth.months.kept[:, 0] >= 0), reached & (truth.months.kept[:, 0] < 0)
    assert (called.left[helped] >= alone.left[helped]).all()
    assert (called.left[harmed] <= alone.left[harmed]).all()
    assert (called.left[helped] > alone.left[helped]).any()
    assert (called.left[harmed] < alone.left[harmed]).any()
    assert reached.sum() / act.sum() == pytest.approx(world.reach, abs=0.06)  # four standard errors of 900 calls


def test_playing_in_two_spells_is_playing_in_one():
    world = World(fatigue=0.0)
    truth = simulate(world, 1_000, np.random.default_rng(3)).truth
    act = np.random.default_rng(4).random(len(truth.people)) < 0.5
    whole = run(world, truth, once(act), 8)

    def window(table, first, last):
        return type(table)(**{name: part[:, first:last] for name, part in vars(table).items()})

    first = run(world, truth, once(act), 3)
    second = play(
        world,
        window(truth.months, 3, 8),
        window(truth.luck, 3, 8),
        nobody,
        here=lambda month: first.left == STAYS,
        carry=first.carry,
    )
    joined = np.where(first.left == STAYS, np.where(second.left == STAYS, STAYS, second.left + 3), first.left)
    np.testing.assert_array_equal(joined, whole.left)
