"""The panel: hand-made tables, promotions as they were known, brute force for the covariates, refusals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.demand.panel import CALENDAR, PROMOTED, build_panel, calendar_covariates, panel_of_arrays

FLOAT32 = 1e-6  # covariates are kept in single precision
DAYS = 40
DISCOUNT, DISPLAY = len(CALENDAR), len(CALENDAR) + 1


def _tables(**changes: pd.DataFrame) -> dict[str, pd.DataFrame]:
    day = np.arange(DAYS)
    holiday = np.where(day == 20, "easter", "none")
    calendar = pd.DataFrame({"day": day, "weekday": day % 7, "holiday": holiday, "payday": day % 28 == 14})
    sales = [
        pd.DataFrame({"store_id": 2, "sku_id": 7, "day": np.arange(5, 30), "sold": np.arange(25)}),
        pd.DataFrame({"store_id": 1, "sku_id": 9, "day": np.arange(30), "sold": 1}),
        pd.DataFrame({"store_id": 1, "sku_id": 7, "day": np.arange(12), "sold": 2}),
    ]
    rows = pd.concat(sales, ignore_index=True)
    tables = {
        "stores": pd.DataFrame({"store_id": [1, 2], "region": pd.Categorical(["east", "north"])}),
        "products": pd.DataFrame({"sku_id": [7, 9], "category": pd.Categorical(["produce", "dairy"])}),
        "calendar": calendar,
        "sales": rows.assign(stocked_out=rows["day"] == 8, guess=rows["sold"] + 0.5),
        "promotions": _promotions([(7, "east", 10, 16, 1, 0.2, True), (7, "east", 14, 20, 12, 0.5, False)]),
    }
    return tables | changes


def _promotions(rows: list[tuple]) -> pd.DataFrame:
    columns = ["sku_id", "region", "first_day", "last_day", "announced_on", "discount", "display"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(region=pd.Categorical(frame["region"], ["north", "east", "south", "west"]))


def test_rows_are_cells_in_order_and_days_without_a_row_are_missing() -> None:
    panel = build_panel(_tables())
    assert panel.cells.to_numpy().tolist() == [[1, 7], [1, 9], [2, 7]]
    assert panel.y.shape == (3, DAYS) and panel.covariates.shape == (3, DAYS, len(CALENDAR) + 2)
    assert panel.names == (*CALENDAR, *PROMOTED)
    assert panel.y[2, 5:30].tolist() == list(range(25))
    assert np.isnan(panel.y[2, :5]).all() and np.isnan(panel.y[:, 30:]).all() and np.isnan(panel.y[0, 12:]).all()
    assert panel.codes.tolist() == [[0, 1], [0, 0], [1, 1]] and panel.sizes == (2, 2)


def test_row_order_of_the_tables_does_not_matter() -> None:
    tables, panel = _tables(), build_panel(_tables())
    shuffled = build_panel({name: table.sample(frac=1, random_state=3) for name, table in tables.items()})
    assert np.array_equal(panel.y, shuffled.y, equal_nan=True)
    assert np.array_equal(panel.covariates, shuffled.covariates)
    assert np.array_equal(panel.codes, shuffled.codes)


def test_another_target_and_a_mask() -> None:
    panel = build_panel(_tables(), target="guess", mask="stocked_out")
    assert np.isnan(panel.y[:, 8]).all()
    assert panel.y[0, 0] == 2.5 and panel.y[2, 9] == 4.5


def test_stacked_discounts_multiply_and_late_ones_are_not_known_ahead() -> None:
    panel = build_panel(_tables())
    assert panel.covariates[0, [9, 10, 14, 16, 17, 20, 21], DISCOUNT] == pytest.approx(
        [0, 0.2, 0.6, 0.6, 0.5, 0.5, 0], abs=FLOAT32
    )
    assert panel.covariates[0, [10, 16, 17], DISPLAY].tolist() == [1, 1, 0]
    assert (panel.covariates[1:, :, DISCOUNT] == 0).all()  # another product; another region
    assert panel.known_ahead(11, 6)[0, :, DISCOUNT] == pytest.approx([0.2] * 5 + [0], abs=FLOAT32)
    assert panel.known_ahead(12, 6)[0, :, DISCOUNT] == pytest.approx([0.2, 0.6, 0.6, 0.6, 0.5, 0.5], abs=FLOAT32)
    assert (panel.known_ahead(0, 12)[0, :, DISCOUNT] == 0).all()


def test_calendar_covariates_are_a_loops() -> None:
    calendar = _tables()["calendar"]
    found = calendar_covariates(calendar)
    for day in range(DAYS):
        holidays = [h - day for h in range(DAYS) if calendar["holiday"][h] != "none" and h >= day]
        paydays = [day - p for p in range(DAYS) if calendar["payday"][p] and p <= day]
        expected = [float(day % 7 == weekday) for weekday in range(7)]
        expected += [float(calendar["holiday"][day] != "none")]
        expected += [max(0, 1 - min(gaps, default=99) / 7) for gaps in (holidays, paydays)]
        angle = 2 * np.pi * day / 365.25
        assert found[day] == pytest.approx([*expected, np.sin(angle), np.cos(angle)], abs=FLOAT32)


PLAN = st.tuples(
    st.sampled_from([7, 9]), st.sampled_from(["north", "east", "west"]), st.integers(0, 45), st.integers(0, 9),
    st.integers(-20, 40), st.sampled_from([0.1, 0.25, 0.5]), st.booleans(),
)  # fmt: skip


@given(st.lists(PLAN, max_size=8), st.integers(0, 29))
def test_what_is_known_ahead_is_a_loop_over_announced_promotions(plans: list[tuple], origin: int) -> None:
    rows = [(sku, region, first, first + more, *rest) for sku, region, first, more, *rest in plans]
    tables = _tables(promotions=_promotions(rows))
    ahead = build_panel(tables).known_ahead(origin, 10)
    region = {1: "east", 2: "north"}
    for row, (store, sku) in enumerate([(1, 7), (1, 9), (2, 7)]):
        for place, day in enumerate(range(origin + 1, origin + 11)):
            on = [p for p in rows if p[:2] == (sku, region[store]) and p[2] <= day <= p[3] and p[4] <= origin]
            assert ahead[row, place, DISCOUNT] == pytest.approx(1 - np.prod([1 - p[5] for p in on]), abs=FLOAT32)
            assert ahead[row, place, DISPLAY] == float(any(p[6] for p in on))


def test_without_promotions_nothing_is_revised_but_the_columns_are_there() -> None:
    for empty in (pd.DataFrame(), _promotions([])):
        panel = build_panel(_tables(promotions=empty))
        assert (panel.covariates[:, :, DISCOUNT:] == 0).all()
    arrays = panel_of_arrays(panel.y, panel.covariates, panel.codes)
    assert arrays.revised == [] and panel.revised == [DISCOUNT, DISPLAY]
    assert np.array_equal(arrays.known_ahead(5, 10), panel.covariates[:, 6:16])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: build_panel({"stores": _tables()["stores"]}),
            "tables must be with stores, products, calendar, promotions, sales, got no products; add it.",
        ),
        (
            lambda: build_panel(_tables(calendar=_tables()["calendar"].drop(4))),
            "calendar must be every day from 0 on, once, got a gap or a day twice; put the missing day in.",
        ),
        (
            lambda: build_panel(_tables(calendar=_tables()["calendar"].iloc[:20])),
            "sales, column 'day' must be in the calendar, 0 to 19, got 20; extend the calendar.",
        ),
        (
            lambda: build_panel(_tables(stores=_tables()["stores"].iloc[:1])),
            "sales must be of stores and products in their tables, got another one; add it to stores or products.",
        ),
        (
            lambda: build_panel(_tables()).known_ahead(30, 10),
            "origin must be a day from 0 to 29, got 30; give a calendar that reaches farther.",
        ),
        (
            lambda: panel_of_arrays([1, 2]),
            "y must be an array of cells by days, got shape (2,); put one series a row.",
        ),
        (
            lambda: panel_of_arrays([[1, -2]]),
            "y must be 0 or more, or NaN where it is not known, got another number; mend it.",
        ),
        (
            lambda: panel_of_arrays([[1, 2]], [[[1.0]]]),
            "covariates must be of shape (1, 2) and k, got shape (1, 1, 1); put k numbers a cell and day.",
        ),
        (
            lambda: panel_of_arrays([[1]], [[[np.nan]]]),
            "covariates must be finite, got a missing number; fill it with what would have been assumed on the day.",
        ),
        (
            lambda: panel_of_arrays([[1]], codes=[1]),
            "codes must be of shape 1 and s, got shape (1,); put s codes a cell.",
        ),
    ],
)
def test_refusals(call, words: str) -> None:
    with pytest.raises(ContractError) as error:
        call()
    assert str(error.value) == words
