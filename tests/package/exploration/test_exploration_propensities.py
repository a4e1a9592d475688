"""Probabilities over actions against closed forms, and draws against their own probabilities."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from casebook.contracts import ContractError
from casebook.exploration import draw_actions, epsilon_greedy, propensity_of, unsupported_share, with_floor

ROUNDING = 1e-12


@st.composite
def policies(draw):
    k = draw(st.integers(2, 5))
    rows = draw(st.lists(st.lists(st.integers(0, 4), min_size=k, max_size=k).filter(any), min_size=1, max_size=8))
    table = np.array(rows, float)
    return table / table.sum(axis=1, keepdims=True)


@given(policies(), st.floats(0, 1))
def test_a_floor_is_kept_and_moves_a_policy_no_further_than_it_must(table, part):
    floor = part / table.shape[1]
    mixed = with_floor(table, floor)
    np.testing.assert_allclose(mixed.sum(axis=1), 1, atol=ROUNDING)
    assert (mixed >= floor - ROUNDING).all()
    order = np.argsort(table, axis=1, kind="stable")
    assert (np.diff(np.take_along_axis(mixed, order, axis=1), axis=1) >= -ROUNDING).all()
    np.testing.assert_allclose(with_floor(table, 0), table)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=10), st.floats(0, 1))
def test_epsilon_greedy_is_the_coin_and_then_any_action(best, epsilon):
    expected = [[(1 - epsilon) * (action == wanted) + epsilon / 4 for action in range(4)] for wanted in best]
    np.testing.assert_allclose(epsilon_greedy(best, 4, epsilon), expected, atol=ROUNDING)


def test_actions_are_drawn_as_often_as_their_probabilities_say_and_never_at_0():
    row = np.array([0.0, 0.2, 0.0, 0.5, 0.3, 0.0])
    actions, propensities = draw_actions(np.tile(row, (20_000, 1)), np.random.default_rng(0))
    counts = np.bincount(actions, minlength=6)
    assert (counts[row == 0] == 0).all()
    assert stats.chisquare(counts[row > 0], 20_000 * row[row > 0]).pvalue > 0.001
    np.testing.assert_array_equal(propensities, row[actions])


@given(policies(), st.integers(0, 100))
def test_the_propensity_is_that_of_the_action_drawn(table, seed):
    actions, propensities = draw_actions(table, np.random.default_rng(seed))
    assert (propensities > 0).all()
    expected = [row[action] for row, action in zip(table, actions, strict=True)]
    np.testing.assert_array_equal(propensity_of(table, actions), expected)
    np.testing.assert_array_equal(propensities, expected)


@given(policies(), policies(), st.floats(0.01, 1))
def test_what_is_never_done_is_unsupported_and_a_floor_supports_all(target, logged, part):
    n, k = min(len(target), len(logged)), min(target.shape[1], logged.shape[1])
    target, logged = (np.eye(k)[np.argmax(table[:n, :k], axis=1)] for table in (target, logged))
    expected = np.mean(np.argmax(target, axis=1) != np.argmax(logged, axis=1))
    assert unsupported_share(target, logged) == pytest.approx(expected)
    assert unsupported_share(target, with_floor(logged, part / k)) == 0


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: with_floor([[0.5, 0.6]], 0.1),
            "probabilities, row 0 must be probabilities that add up to 1, got a sum of 1.1; divide each row by its "
            "sum.",
        ),
        (
            lambda: with_floor([[0.5, 0.5], [-1.0, 2.0]], 0.1),
            "probabilities, row 1 must be in [0, 1], got [-1.0, 2.0]; pass probabilities, not scores.",
        ),
        (
            lambda: with_floor([0.5, 0.5], 0.1),
            "probabilities must be numbers of shape (n, k), got float64 of shape (2,); give one column per action.",
        ),
        (
            lambda: with_floor([[0.5, np.nan]], 0.1),
            "probabilities, row 0 must be finite, got a missing or infinite value; fill it in or drop the row.",
        ),
        (
            lambda: with_floor([[0.5, 0.5]], 0.6),
            "floor must be in [0, 0.5], got 0.6; give it as a share, such as 0.01.",
        ),
        (lambda: epsilon_greedy([0], 1, 0.1), "actions must be 2 or more, got 1; count them all."),
        (
            lambda: epsilon_greedy([0, 3], 3, 0.1),
            "best, row 1 must be in 0 to 2, got 3; count the actions' columns from 0.",
        ),
        (lambda: epsilon_greedy([0], 2, 5), "epsilon must be in [0, 1], got 5; give it as a share, such as 0.01."),
        (
            lambda: propensity_of([[0.5, 0.5]], [0.5]),
            "actions must be whole numbers, got fractions; pass the column numbers of the actions.",
        ),
        (
            lambda: propensity_of([[0.5, 0.5]], ["show"]),
            "actions must be whole numbers, got 'show' in row 0; pass the column numbers of the actions.",
        ),
        (
            lambda: propensity_of([[0.5, 0.5]], [0, 1]),
            "actions must be 1 long, got 2 rows; take all arguments from one table.",
        ),
        (
            lambda: draw_actions([[0.5, 0.5]], 7),
            "rng must be a numpy Generator, got int; pass np.random.default_rng(seed).",
        ),
        (
            lambda: unsupported_share([[0.5, 0.5]], [[0.2, 0.3, 0.5]]),
            "logged must be of the target's shape (1, 2), got shape (1, 3); give both policies the same cases and "
            "actions.",
        ),
    ],
)
def test_refusals(call, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        call()
