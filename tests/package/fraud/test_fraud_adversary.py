"""Fraudsters who learn: the replicator's properties, and a twin that is written down row by row."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from casebook.fraud.adversary import LEAST, MOST, MUTATION, Adversary, replicate
from casebook.fraud.world import ALL_KINDS, TACTICS

SHAPE = (3, 4)
ROUNDING = 1e-12
weights_of = arrays(float, SHAPE, elements=st.floats(0.01, 1)).map(lambda w: w / w.sum(1, keepdims=True))
takes = arrays(float, SHAPE, elements=st.floats(0, 1e5))
counts = arrays(float, SHAPE, elements=st.integers(0, 300))


def twin(weights, take, planned, speed):
    """One row after the other, as it is said in the docstring."""
    out = []
    for row, taken, made in zip(weights, take, planned, strict=True):
        mean = sum(taken) / max(sum(made), 1e-12)
        fitness = [(t + LEAST * mean) / (n + LEAST) for t, n in zip(taken, made, strict=True)]
        centre = sum(w * f for w, f in zip(row, fitness, strict=True))
        step = [min(max((f - centre) / max(centre, 1e-12), -MOST), MOST) for f in fitness]
        grown = [w * math.exp(speed * z) for w, z in zip(row, step, strict=True)]
        out.append([(1 - MUTATION) * g / sum(grown) + MUTATION / len(row) for g in grown])
    return np.array(out)


@given(weights_of, takes, counts, st.floats(0.01, 3))
def test_the_step_is_its_twins(weights, take, planned, speed):
    got = replicate(weights, take, planned, speed)
    np.testing.assert_allclose(got, twin(weights, take, planned, speed), rtol=1e-9)
    assert got.sum(1) == pytest.approx(1.0)
    assert (got > 0).all()


@given(weights_of, takes, counts)
def test_at_speed_zero_nothing_moves(weights, take, planned):
    np.testing.assert_array_equal(replicate(weights, take, planned, 0.0), weights)


@given(weights_of, takes, counts, st.permutations(range(SHAPE[1])))
def test_swapping_names_swaps_weights(weights, take, planned, order):
    plain = replicate(weights, take, planned, 0.5)
    swapped = replicate(weights[:, order], take[:, order], planned[:, order], 0.5)
    np.testing.assert_allclose(swapped, plain[:, order], rtol=1e-9)


@given(weights_of, takes, counts)
def test_dollars_or_cents_are_the_same(weights, take, planned):
    take = take + 1.0  # for nothing taken has no unit
    got = replicate(weights, take, planned, 0.5)
    np.testing.assert_allclose(replicate(weights, 100 * take, planned, 0.5), got, rtol=1e-9)


def test_a_tactic_that_is_always_stopped_falls_to_its_mutants():
    crew = Adversary.start(0.3)
    shape = crew.weights.shape
    take = np.full(shape, 1_000.0)
    take[:, TACTICS.index("bold")] = 0.0
    shares = [crew.weights[0, 0]]
    for _ in range(60):
        crew.learn(take, np.full(shape, 10.0))
        shares.append(crew.weights[0, 0])
    assert (np.diff(shares) <= ROUNDING).all()
    assert shares[-1] < 0.03
    others = np.delete(crew.weights, TACTICS.index("bold"), axis=1)
    assert others == pytest.approx((1 - shares[-1]) / 4)


def test_what_pays_most_takes_over_and_the_others_stay_as_mutants():
    crew = Adversary.start(0.5)
    take = np.outer(np.ones(len(ALL_KINDS)), [900.0, 500.0, 100.0, 400.0, 300.0])
    for _ in range(300):
        crew.learn(take, np.full(take.shape, 1.0) * 20)
    assert crew.weights.argmax(1).tolist() == [0] * len(ALL_KINDS)
    assert crew.weights[0, 0] > 0.75
    assert crew.weights.min() >= MUTATION / len(TACTICS) - ROUNDING


def test_a_kind_without_attempts_stays():
    crew = Adversary.start(0.5)
    planned = np.zeros(crew.weights.shape)
    planned[2] = 10
    crew.learn(planned * np.arange(len(TACTICS)) * 50, planned)
    still = np.delete(crew.weights, 2, axis=0)
    assert still == pytest.approx(1 / len(TACTICS))
    assert crew.weights[2].argmax() == 4


def test_one_lucky_attempt_moves_less_than_a_hundred():
    weights = np.full((1, 2), 0.5)
    one = replicate(weights, np.array([[300.0, 0.0]]), np.array([[1.0, 1.0]]), 0.5)
    many = replicate(weights, np.array([[30_000.0, 0.0]]), np.array([[100.0, 100.0]]), 0.5)
    assert 0.5 < one[0, 0] < many[0, 0]
