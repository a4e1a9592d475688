"""The shelf keeps count of every unit, sells the oldest first, and lets people take another product."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.demand.shelf import KEEPS, Shelf, Supply, substitute


def supply(shelf_life, group=None):
    life = np.asarray(shelf_life)
    one = np.ones(len(life), int)
    group = np.arange(len(life)) if group is None else np.asarray(group)
    return Supply(group, life, one, one * 7, one * 3, one * 2.0, one * 1.0, one * 0.1)


@given(st.integers(1, 40), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=15))
def test_every_unit_is_sold_wasted_or_left(life, days):
    shelf = Shelf(supply([life]), np.array([4]))
    came, sold, waste = 4, 0, 0
    for delivered, wanted in days:
        shelf.deliver(np.array([delivered]))
        came += delivered
        sold += int(shelf.serve(np.array([wanted])).sold[0])
        waste += int(shelf.close()[0])
    assert came == sold + waste + int(shelf.on_hand[0])
    assert waste == 0 or life <= KEEPS


@settings(max_examples=50)
@given(st.integers(1, 6), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12))
def test_the_oldest_goes_first_as_in_a_list_of_batches(life, days):
    shelf, batches = Shelf(supply([life])), []
    for delivered, wanted in days:
        shelf.deliver(np.array([delivered]))
        batches.append([life, delivered])
        sold = 0
        for batch in batches:
            taken = min(batch[1], wanted - sold)
            batch[1] -= taken
            sold += taken
        assert int(shelf.serve(np.array([wanted])).sold[0]) == sold
        waste = sum(units for left, units in batches if left == 1)
        batches = [[left - 1, units] for left, units in batches if left > 1]
        assert int(shelf.close()[0]) == waste
        assert int(shelf.on_hand[0]) == sum(units for _, units in batches)


def test_what_is_delivered_keeps_for_as_many_days_as_it_says():
    shelf = Shelf(supply([3]), np.array([5]))
    assert [int(shelf.close()[0]) for _ in range(4)] == [0, 0, 5, 0]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 3)), min_size=1, max_size=12))
def test_substitutes_add_up_within_each_group(rows):
    would, spare, group = (np.array(column) for column in zip(*rows, strict=True))
    instead, moved = substitute(would, spare, group)
    for one in np.unique(group):
        mine = group == one
        done = min(would[mine].sum(), spare[mine].sum())
        assert instead[mine].sum() == moved[mine].sum() == done
    assert (instead >= 0).all() and (moved >= 0).all()
    assert (instead <= spare).all() and (moved <= would).all()


def test_who_finds_nothing_takes_another_or_leaves():
    shelf = Shelf(supply([5, 5, 5], group=[0, 0, 1]), np.array([0, 2, 9]))
    day = shelf.serve(np.array([6, 1, 0]), np.array([4, 0, 0]))
    assert day.own.tolist() == [0, 1, 0] and day.instead.tolist() == [0, 1, 0]
    assert day.moved.tolist() == [1, 0, 0] and day.lost.tolist() == [5, 0, 0]
    assert day.sold.tolist() == [0, 2, 0] and shelf.on_hand.tolist() == [0, 0, 9]


def test_no_more_take_another_than_were_not_served():
    shelf = Shelf(supply([5, 5], group=[0, 0]), np.array([3, 9]))
    day = shelf.serve(np.array([4, 0]), np.array([100, 0]))
    assert day.moved.tolist() == [1, 0]


def test_supply_reads_the_cells_own_products():
    products = pd.DataFrame({"sku_id": [7, 3], "group_id": [0, 0], "shelf_life_days": [2, 9], "case_pack": [6, 4],
                             "review_days": [1, 7], "lead_days": [1, 3], "price_cents": [300, 150],
                             "cost_cents": [200, 100], "salvage_cents": [20, 90]})  # fmt: skip
    cells = pd.DataFrame({"store_id": [0, 0, 1], "sku_id": [3, 7, 7]})
    read = Supply.of(cells, products)
    assert read.shelf_life.tolist() == [9, 2, 2] and read.price.tolist() == [1.5, 3.0, 3.0]
    assert read.substitutes.tolist() == [0, 0, 1]
    with pytest.raises(ContractError) as refused:
        Supply.of(cells.iloc[::-1], products)
    assert str(refused.value) == (
        "cells must be sorted by store_id, sku_id, got another order; sort them and reset the index."
    )


@pytest.mark.parametrize("units", [np.array([1, 2]), np.array([-1])])
def test_a_delivery_must_fit_the_cells(units):
    with pytest.raises(ContractError) as refused:
        Shelf(supply([3])).deliver(units)
    assert str(refused.value) == (f"units must be 1 counts, 0 or more, got shape {units.shape}; deliver to every cell.")
