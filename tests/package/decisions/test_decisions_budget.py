"""Allocation under a capacity against linear programming and brute force."""

import re
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from casebook.contracts import ContractError
from casebook.decisions import allocate

items = st.lists(st.tuples(st.floats(-5, 50), st.floats(0.5, 10)), min_size=1, max_size=10)
# HiGHS stops at a feasibility of 1e-7.
SOLVER = 1e-6
ROUNDING = 1e-9


def fractional(value, units, capacity):
    return linprog(-value, A_ub=units[None, :], b_ub=[capacity], bounds=(0, 1), method="highs")


def best_by_brute_force(value, units, capacity):
    choices = np.array(list(product([0, 1], repeat=len(value))))
    return (choices @ value)[choices @ units <= capacity + ROUNDING].max()


@given(items, st.floats(0, 60))
def test_the_bound_is_the_linear_programme_and_whole_items_lie_within_one_of_the_best(rows, capacity):
    value, units = map(np.array, zip(*rows, strict=True))
    got = allocate(value, units, capacity)
    best = best_by_brute_force(value, units, capacity)
    assert got.bound == pytest.approx(-fractional(value, units, capacity).fun, abs=SOLVER)
    assert got.value <= best + ROUNDING <= got.bound + 2 * ROUNDING
    assert got.value >= best - max(value.max(), 0) - ROUNDING
    assert got.used <= capacity + ROUNDING
    assert not got.selected[value <= 0].any()
    assert got.value == pytest.approx(value[got.selected].sum(), abs=ROUNDING)


@pytest.mark.parametrize("seed", range(10))
def test_the_shadow_price_is_the_dual_of_the_linear_programme(seed):
    rng = np.random.default_rng(seed)
    value, units = rng.lognormal(0, 1, 50) - 0.3, rng.uniform(0.5, 3, 50)
    for capacity in (5.0, 20.0, 1000.0):
        dual = -fractional(value, units, capacity).ineqlin.marginals[0]
        assert allocate(value, units, capacity).shadow_price == pytest.approx(dual, abs=SOLVER)


def test_the_shadow_price_is_what_one_more_slot_brings():
    value = np.array([9.0, 7.0, 4.0, -1.0])
    got, more = allocate(value, 1, 2), allocate(value, 1, 3)
    assert got.shadow_price == 4.0
    assert more.value - got.value == got.shadow_price
    assert allocate(value, 1, 3).shadow_price == 0.0


@given(st.lists(st.floats(-5, 50), min_size=1, max_size=12), st.integers(0, 12))
def test_with_equal_units_the_best_k_are_taken_exactly(value, k):
    best = sum(sorted((v for v in value if v > 0), reverse=True)[:k])
    assert allocate(value, 1, k).value == pytest.approx(best, abs=ROUNDING)


def test_ten_tenths_fill_one():
    assert allocate(np.ones(12), 0.1, 1.0).selected.sum() == 10


def test_small_items_fill_what_a_large_one_leaves():
    got = allocate([10, 9, 1], [6, 6, 2], 8)
    assert got.selected.tolist() == [True, False, True]
    assert (got.value, got.used, got.shadow_price) == (11, 8, 1.5)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (([1, 2], [1, 0], 5), "units, row 1 must be above 0, got 0; give what each item takes of the capacity."),
        (([1, 2], 1, -1), "capacity must be one number, 0 or more, got -1; give the units there are."),
        (([1, 2], [1, 2, 3], 5), "units must be 2 long, got 3 rows; take all arguments from one table."),
        (([1, np.nan], 1, 5), "value, row 1 must be a finite number, got nan; fill it in or drop the row."),
    ],
)
def test_refusals(arguments, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        allocate(*arguments)
