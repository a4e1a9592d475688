"""Forecasts find the place of their cell and day, and a missing or double one is named."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.demand.grids import by_cell_and_day


def table(cells, days):
    return pd.DataFrame(
        [(store, 7, day) for store in range(cells) for day in range(days)], columns=["store_id", "sku_id", "day"]
    )


@given(st.integers(1, 4), st.integers(1, 6), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_plays_no_part(cells, days, random):
    rows = table(cells, days)
    told = pd.DataFrame({0.5: rows["store_id"] * 100.0 + rows["day"], 0.9: 1.0})
    order = list(range(len(rows)))
    random.shuffle(order)
    keys = rows[["store_id", "sku_id"]].drop_duplicates()
    grid = by_cell_and_day(told.iloc[order], rows.iloc[order], keys, 0, days)
    assert grid.shape == (cells, days, 2)
    assert (grid[:, :, 0] == np.arange(cells)[:, None] * 100 + np.arange(days)).all()


def test_rows_of_other_cells_and_days_are_left_out():
    rows = table(3, 9)
    told = pd.DataFrame({0.5: rows["day"].astype(float)})
    grid = by_cell_and_day(told, rows, pd.DataFrame({"store_id": [2], "sku_id": [7]}), 4, 3)
    assert grid[:, :, 0].tolist() == [[4.0, 5.0, 6.0]]


@pytest.mark.parametrize(("kept", "got"), [([0, 2], "none"), ([0, 1, 1, 2], "2")])
def test_a_missing_or_a_double_forecast_is_named(kept, got):
    rows = table(1, 3).iloc[kept]
    told = pd.DataFrame({0.5: np.ones(len(rows))})
    with pytest.raises(ContractError) as refused:
        by_cell_and_day(told, rows, table(1, 1), 0, 3)
    assert str(refused.value) == (
        f"forecasts of store 0, product 7, day 1 must be one, got {got}; forecast every day of the span once, from "
        "one origin."
    )
