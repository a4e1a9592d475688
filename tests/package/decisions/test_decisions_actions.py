"""Several actions: the cost table and the envelope give one answer."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.decisions import Costs, decide, expected_cost_table, least_cost_action, lower_envelope, threshold

money_pairs = st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)), min_size=1, max_size=8)
grid = np.linspace(0, 1, 101)
ROUNDING = 1e-9


def table_of(pairs):
    names = [f"a{i}" for i in range(len(pairs))]
    return pd.DataFrame(pairs, columns=["if_negative", "if_positive"], index=names)


@given(money_pairs)
def test_both_routes_cost_the_same_everywhere_and_name_the_same_between_cuts(pairs):
    actions = table_of(pairs)
    envelope = lower_envelope(actions)
    chosen, looked_up = least_cost_action(grid, actions), envelope.action_at(grid)
    costs = expected_cost_table(grid, actions["if_negative"], actions["if_positive"])
    least = costs.min(axis=1)
    for names in (chosen, looked_up):
        paid = costs[np.arange(len(grid)), actions.index.get_indexer(names)]
        np.testing.assert_allclose(paid, least, atol=ROUNDING)
    away = (np.abs(grid[:, None] - np.append(envelope.cuts, 9.0)) > 1e-6).all(axis=1) & (grid > 0) & (grid < 1)
    assert chosen[away].tolist() == looked_up[away].tolist()


@given(money_pairs)
def test_an_envelope_is_in_order_and_every_action_is_in_it_or_dominated(pairs):
    actions = table_of(pairs)
    envelope = lower_envelope(actions)
    assert (np.diff(envelope.cuts) > 0).all()
    assert len(envelope.cuts) == len(envelope.actions) - 1
    assert sorted(envelope.actions + envelope.dominated) == sorted(actions.index)
    assert (np.diff(actions.loc[list(envelope.actions), "if_positive"]) < 0).all()


@given(st.integers(1, 50), st.integers(1, 50), st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_two_actions_collapse_to_the_threshold(fp, fn, p):
    actions = pd.DataFrame({"if_negative": [0, fp], "if_positive": [fn, 0]}, index=["leave", "act"])
    envelope = lower_envelope(actions)
    assert envelope.actions == ("leave", "act")
    assert envelope.cuts.tolist() == pytest.approx([threshold(fp, fn)], rel=ROUNDING)
    clear = np.abs(np.array(p) - threshold(fp, fn)) > 1e-9
    np.testing.assert_array_equal((least_cost_action(p, actions) == "act")[clear], decide(p, Costs(fp, fn))[clear])


def test_a_manual_check_earns_its_place_only_if_it_is_cheap():
    costs = pd.DataFrame({"if_negative": [0, 2, 10], "if_positive": [100, 20, 0]}, index=["pass", "check", "block"])
    envelope = lower_envelope(costs)
    # pass = check where 100 p = 2 + 18 p; check = block where 2 + 18 p = 10 - 10 p
    np.testing.assert_allclose(envelope.cuts, [2 / 82, 8 / 28])
    dear = costs.astype(float)
    dear.loc["check", "if_negative"] = 9.5
    envelope = lower_envelope(dear)
    assert (envelope.actions, envelope.dominated) == (("pass", "block"), ("check",))
    assert costs.loc["check", "if_negative"] == 2


def test_ties_fall_to_the_action_that_is_milder_on_a_negative():
    actions = pd.DataFrame({"if_negative": [4, 0], "if_positive": [0, 4]}, index=["act", "leave"])
    assert least_cost_action([0.5], actions).tolist() == ["leave"]
    assert lower_envelope(actions).action_at([0.5]).tolist() == ["leave"]


def test_one_action_has_no_cut():
    envelope = lower_envelope(table_of([(1, 2)]))
    assert (envelope.actions, envelope.cuts.size, envelope.dominated) == (("a0",), 0, ())


def test_costs_per_case_are_the_rows_one_by_one():
    rng = np.random.default_rng(0)
    p, negative, positive = rng.random(6), rng.random((6, 3)), rng.random((6, 3))
    table = expected_cost_table(p, negative, positive)
    for row in range(6):
        alone = expected_cost_table(p[[row]], negative[row], positive[row])
        np.testing.assert_allclose(table[row], alone[0], rtol=ROUNDING)
    assert table[2, 1] == pytest.approx(p[2] * positive[2, 1] + (1 - p[2]) * negative[2, 1])


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: lower_envelope(pd.DataFrame({"if_negative": [1]}, index=["a"])),
            "actions must be a table with a column 'if_positive', got 'if_negative'; "
            "add 'if_positive' or rename one of yours.",
        ),
        (
            lambda: lower_envelope(table_of([(1, 2), (3, 4)]).set_axis(["a", "a"])),
            "actions must be indexed by unique names, got 'a' twice; drop or rename one of the two.",
        ),
        (
            lambda: least_cost_action([0.1], table_of([(1, np.nan)])),
            "column 'if_positive', row 0 must be a finite number, got nan; fill it in or drop the row.",
        ),
        (
            lambda: expected_cost_table([0.1, 0.2], [[1, 2]], [1, 2]),
            "if_negative must be 2 rows long, got 1 rows; give one row per case.",
        ),
        (
            lambda: expected_cost_table([0.1], [1, 2, 3], [1, 2]),
            "if_positive must be 3 columns wide, got 2 columns; give both costs of every action.",
        ),
        (
            lambda: expected_cost_table([0.1], [1, np.inf], [1, 2]),
            "if_negative must be finite, got a missing or infinite cost; fill it in or drop the row.",
        ),
        (
            lambda: expected_cost_table([0.1], 1, [1, 2]),
            "if_negative must be numbers of shape (k,) or (n, k), got int64 of shape (); give one column per action.",
        ),
    ],
)
def test_refusals(call, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        call()


def test_an_action_that_is_only_ever_level_with_others_is_dominated():
    envelope = lower_envelope(table_of([(0, 4), (1, 3), (2, 2)]))  # all three cost 2 at p = 0.5
    assert (envelope.actions, envelope.cuts.tolist(), envelope.dominated) == (("a0", "a2"), [0.5], ("a1",))
