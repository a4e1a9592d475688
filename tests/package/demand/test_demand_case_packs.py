"""Rounding to case packs: against every number of packs tried in turn, and against whole-number arithmetic."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.decisions.fractile import best_order
from casebook.demand.case_packs import (
    best_packs,
    fixed_by_change,
    fixed_by_tau,
    fixed_share,
    packs,
    quantiles,
    rounding_table,
)

# Sums of a thousand products in double precision.
ROUNDING = 1e-9
whole = st.integers(0, 300)
size = st.integers(1, 48)


@given(whole, size, st.integers(0, 60))
def test_packs_are_those_of_whole_number_arithmetic(level, pack, stock):
    need = max(level - stock, 0)
    assert packs([level], pack, "up", stock)[0] == -(-need // pack)
    assert packs([level], pack, "down", stock)[0] == need // pack
    assert packs([level], pack, "nearest", stock)[0] == (2 * need + pack) // (2 * pack)


@given(whole)
def test_where_products_come_singly_all_ways_give_the_units(level):
    assert {int(packs([level], 1, how)[0]) for how in ("up", "nearest", "down")} == {level}


def test_a_sum_of_floats_does_not_open_a_new_pack():
    assert packs([0.1 * 3 * 40], 12).tolist() == [1]  # 12.000000000000002


def test_levels_of_several_quantiles_take_their_cells_pack():
    levels = np.array([[1, 7, 13], [1, 7, 13]])
    assert packs(levels, [6, 12]).tolist() == [[1, 2, 3], [1, 1, 2]]
    assert packs(levels, [6, 12], stock=[1, 7]).tolist() == [[0, 1, 2], [0, 0, 1]]


@given(st.integers(0, 10_000), size, st.integers(1, 20), st.integers(1, 20), st.integers(0, 30))
def test_no_number_of_packs_costs_less_than_the_best(seed, pack, under, over, stock):
    samples = np.random.default_rng(seed).negative_binomial(1.2, 0.08, (60, 1))

    def cost(number):
        gap = samples[:, 0] - stock - number * pack
        return (under * np.maximum(gap, 0) + over * np.maximum(-gap, 0)).mean()

    tried = [cost(number) for number in range(int(samples.max() // pack) + 2)]
    found = int(best_packs(samples, pack, under, over, stock)[0])
    assert cost(found) == pytest.approx(min(tried), rel=ROUNDING)
    assert all(one > cost(found) * (1 - ROUNDING) for one in tried[:found])


def test_cells_are_rounded_each_on_its_own():
    rng = np.random.default_rng(1)
    samples, pack = rng.poisson([0.3, 4, 25], (800, 3)), np.array([6, 12, 10])
    under, stock = np.array([10, 3, 1]), np.array([0, 2, 30])
    alone = [best_packs(samples[:, [i]], pack[i], under[i], 2, stock[i])[0] for i in range(3)]
    assert best_packs(samples, pack, under, 2, stock).tolist() == alone


def test_with_single_units_rounding_costs_nothing():
    samples = np.random.default_rng(2).poisson([0.5, 3, 20], (500, 3))
    table = rounding_table(samples, 1, 10, 2)
    assert (table["cost_of_packs"] == 0).all()
    assert table["units"].nunique() == 1 and table.loc["units", "units"] == best_order(samples, 10, 2).sum()


@pytest.mark.parametrize(("under", "over"), [(10, 2), (1, 8), (3, 3)])
def test_the_least_cost_is_no_dearer_than_any_rule_and_no_cheaper_than_units(under, over):
    samples = np.random.default_rng(3).negative_binomial(0.8, [0.5, 0.2, 0.05, 0.01], (2_000, 4))
    cost = rounding_table(samples, [6, 12, 12, 24], under, over, stock=[0, 1, 5, 9])["cost"]
    assert cost["least cost"] <= cost[["up", "nearest", "down"]].min() * (1 + ROUNDING)
    assert cost["units"] <= cost["least cost"] * (1 + ROUNDING)


def test_what_is_dear_to_run_out_of_is_rounded_up_and_what_spoils_down():
    samples = np.random.default_rng(4).poisson(6, (5_000, 1))
    assert best_packs(samples, 12, 10, 1).tolist() == [1]
    assert best_packs(samples, 12, 1, 10).tolist() == [0]


def test_quantiles_are_numpys():
    samples = np.random.default_rng(5).poisson([1, 9], (501, 2))
    table = quantiles(samples, [0.5, 0.83, 0.95])
    for tau in table.columns:
        assert table[tau].tolist() == np.quantile(samples, tau, axis=0, method="inverted_cdf").tolist()


@given(st.lists(st.tuples(whole, whole, whole), min_size=1, max_size=20), size)
def test_fixed_cells_are_those_with_one_number_of_packs(rows, pack):
    expected = [len({-(-level // pack) for level in row}) == 1 for row in rows]
    assert fixed_by_tau(rows, pack).tolist() == expected
    assert fixed_by_tau(pd.DataFrame(rows, columns=[0.5, 0.8, 0.95]), pack).tolist() == expected


@given(st.lists(st.integers(0, 200), min_size=1, max_size=20), size)
def test_a_forecast_that_is_off_changes_the_order_where_the_packs_differ(levels, pack):
    """In fifths of a unit, so that whole-number arithmetic is exact."""
    expected = [len({-(-level * fifths // (5 * pack)) for fifths in (4, 5, 6)}) == 1 for level in levels]
    assert fixed_by_change(levels, pack).tolist() == expected


@given(st.lists(st.integers(0, 200), min_size=1, max_size=10), size)
def test_the_larger_the_error_the_fewer_orders_are_fixed(levels, pack):
    shares = [fixed_by_change(levels, pack, [-error, 0, error]).mean() for error in (0.0, 0.1, 0.2, 0.5)]
    assert shares[0] == 1 and shares == sorted(shares, reverse=True)


def test_single_units_of_a_fast_seller_are_fixed_nowhere_and_a_gross_of_a_slow_one_everywhere():
    rng = np.random.default_rng(6)
    fast, slow = rng.poisson(50, (2_000, 30)), rng.poisson(3, (2_000, 30))
    assert fixed_by_tau(quantiles(fast), 1).mean() == 0
    assert fixed_by_tau(quantiles(slow), 144).mean() == 1


def test_shares_by_group():
    levels = [[0, 0], [1, 3], [1, 13], [5, 5], [20, 30]]
    table = fixed_share(levels, 12, by=["a", "a", "a", "b", "b"])
    assert table.index.tolist() == ["a", "b", "all"] and table["cells"].tolist() == [3, 2, 5]
    np.testing.assert_allclose(table["fixed"], [2 / 3, 1 / 2, 3 / 5])
    np.testing.assert_allclose(table["fixed_at_none"], [1 / 3, 0, 1 / 5])
    np.testing.assert_allclose(table["fixed_at_one"], [1 / 3, 1 / 2, 2 / 5])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: packs([1], 6, "half"),
            "how must be one of up, nearest, down, got 'half'; use best_packs for the number that costs least.",
        ),
        (lambda: packs([1], 0), "case_pack must be 1 unit or more, got 0; put 1 where a product comes singly."),
        (
            lambda: packs([1, 2], [6, 6, 6]),
            "case_pack must be one number or 2 long, got shape (3,); give one for each cell.",
        ),
        (lambda: packs([1, 2], 6, stock=[-1, 0]), "stock must be numbers of 0 or more, got -1; check its sign."),
        (
            lambda: best_packs([1, 2], 6, 10, 2),
            "samples must be of shape (draws, cells), got shape (2,); put draws in rows, cells in columns.",
        ),
        (
            lambda: fixed_by_tau([1, 2], 6),
            "levels must be of shape (cells, 2 or more quantiles), got shape (2,); pass a column for each tau.",
        ),
        (lambda: fixed_by_change([1], 6, [-2]), "changes must be numbers of -1 or more, got -2; check its sign."),
    ],
)
def test_bad_input_is_refused_in_one_sentence(make, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        make()
