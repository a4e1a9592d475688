"""As-of joins and windows against merge_asof, DuckDB and counting by hand."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.labels import as_of, window

NAMES = {"key": "unit_id", "at": "at", "happened": "on"}
START = pd.Timestamp("2025-01-01")
ROUNDING = 1e-12
seeds = st.integers(0, 10**6)


def tables(rng, n_cases=40, n_events=60, n_units=5):
    def dates(n):
        return START + pd.to_timedelta(rng.integers(0, 60, n), unit="D")

    cases = pd.DataFrame({"unit_id": rng.integers(0, n_units + 1, n_cases), "at": dates(n_cases)})
    events = pd.DataFrame({"unit_id": rng.integers(0, n_units, n_events), "on": dates(n_events)})
    events["amount"] = rng.normal(0, 50, n_events)
    events["visits"] = rng.integers(0, 9, n_events)
    return cases.set_axis(rng.permutation(n_cases)), events


@given(seeds)
def test_as_of_is_pandas_merge_asof(seed):
    cases, events = tables(np.random.default_rng(seed))
    found = as_of(cases, events, **NAMES, columns=["amount", "on"])
    left = cases.reset_index(names="row").sort_values("at", kind="stable")
    right = events.sort_values("on", kind="stable").rename(columns={"on": "time"}).assign(on=lambda t: t["time"])
    twin = pd.merge_asof(left, right, left_on="at", right_on="time", by="unit_id", allow_exact_matches=False)
    twin = twin.set_index("row").loc[cases.index, ["amount", "on"]]
    pd.testing.assert_frame_equal(found, twin, check_names=False)


def test_as_of_by_hand_takes_the_later_row_of_equal_times_and_keeps_gaps():
    cases = pd.DataFrame({"unit_id": [1, 1, 2], "at": pd.to_datetime(["2025-01-02", "2025-01-03", "2025-01-03"])})
    events = pd.DataFrame({"unit_id": [1, 1, 1], "on": pd.to_datetime(["2025-01-02"] * 2 + ["2025-01-01"])})
    events["plan"] = ["first", "second", None]
    found = as_of(cases, events, **NAMES, columns="plan")["plan"]
    assert found.isna().tolist() == [True, False, True]
    assert found[1] == "second"


def in_window(cases, events, days):
    for unit, at in zip(cases["unit_id"], cases["at"], strict=True):
        inside = (events["on"] >= at - pd.Timedelta(days=days)) & (events["on"] < at) & (events["unit_id"] == unit)
        yield events[inside]


@given(seeds, st.integers(1, 30))
def test_windows_are_the_loop_over_cases(seed, days):
    cases, events = tables(np.random.default_rng(seed))
    mine = list(in_window(cases, events, days))
    assert window(cases, events, **NAMES, days=days).tolist() == [len(rows) for rows in mine]
    for how in ("sum", "mean", "max"):
        expected = [getattr(rows["amount"], how)() for rows in mine]
        found = window(cases, events, **NAMES, days=days, column="amount", how=how)
        np.testing.assert_allclose(found, expected, rtol=ROUNDING, atol=1e-9)
        assert found.index.equals(cases.index)
    visits = window(cases, events, **NAMES, days=days, column="visits", how="sum")
    assert visits.tolist() == [rows["visits"].sum() for rows in mine]


def test_windows_are_duckdbs_range_join():
    duckdb = pytest.importorskip("duckdb")
    cases, events = tables(np.random.default_rng(1), n_cases=400, n_events=3000, n_units=20)
    query = """
        select c.row, count(e.on) as n, coalesce(sum(e.visits), 0) as visits, max(e.amount) as amount
        from c left join e on c.unit_id = e.unit_id and e.on >= c.at - interval 7 day and e.on < c.at
        group by c.row"""
    with duckdb.connect() as connection:
        connection.register("c", cases.reset_index(names="row"))
        connection.register("e", events)
        quoted = query.replace("e.on", 'e."on"')
        rows = {row: values for row, *values in connection.execute(quoted).fetchall()}
    twin = [rows[row] for row in cases.index]
    assert window(cases, events, **NAMES, days=7).tolist() == [n for n, _, _ in twin]
    assert window(cases, events, **NAMES, days=7, column="visits", how="sum").tolist() == [int(v) for _, v, _ in twin]
    largest = [np.nan if amount is None else amount for _, _, amount in twin]
    np.testing.assert_array_equal(window(cases, events, **NAMES, days=7, column="amount", how="max"), largest)


@given(seeds, st.integers(1, 20), st.integers(1, 20))
def test_adjacent_windows_add_up(seed, near, far):
    cases, events = tables(np.random.default_rng(seed))
    earlier = cases.assign(at=cases["at"] - pd.Timedelta(days=near))
    for choice in ({}, {"column": "visits", "how": "sum"}):
        whole = window(cases, events, **NAMES, days=near + far, **choice)
        parts = [window(c, events, **NAMES, days=d, **choice) for c, d in ((cases, near), (earlier, far))]
        assert whole.tolist() == (parts[0] + parts[1]).tolist()


@given(seeds)
def test_nothing_at_or_after_the_prediction_enters_to_the_last_bit(seed):
    rng = np.random.default_rng(seed)
    cases, events = tables(rng)
    at = START + pd.Timedelta(days=30)
    cases = cases.assign(at=at).drop_duplicates("unit_id")
    late = np.flatnonzero(events["on"] >= at)
    shuffled = events.copy()
    shuffled.loc[late, ["unit_id", "amount"]] = events.loc[rng.permutation(late), ["unit_id", "amount"]].to_numpy()
    shuffled["unit_id"] = shuffled["unit_id"].astype(int)
    for other in (shuffled, events[events["on"] < at]):
        for how in ("sum", "mean", "max"):
            old, new = (window(cases, e, **NAMES, days=90, column="amount", how=how) for e in (events, other))
            np.testing.assert_array_equal(old, new)
        old, new = (as_of(cases, e, **NAMES, columns=["amount"]) for e in (events, other))
        np.testing.assert_array_equal(old, new)


def test_large_integers_are_summed_exactly_and_other_units_leave_no_rounding():
    cases = pd.DataFrame({"unit_id": [2], "at": ["2025-02-01"]})
    events = pd.DataFrame({"unit_id": [1, 2, 2], "on": "2025-01-20", "cents": [1, 2**60, 1], "sum": [1e18, 0.1, 0.2]})
    assert window(cases, events, **NAMES, days=30, column="cents", how="sum").tolist() == [2**60 + 1]
    assert window(cases, events, **NAMES, days=30, column="sum", how="sum").tolist() == [0.1 + 0.2]


def test_names_empty_tables_and_bools():
    cases = pd.DataFrame({"unit_id": [1], "at": ["2025-02-01"]})
    events = pd.DataFrame({"unit_id": [1, 1], "on": "2025-01-20", "late": [True, True]})
    assert window(cases, events, **NAMES, days=30).name == "count_30d"
    counted = window(cases, events, **NAMES, days=30, column="late", how="sum")
    assert (counted.name, counted.tolist()) == ("late_sum_30d", [2])
    none = events.head(0)
    assert window(cases, none, **NAMES, days=30).tolist() == [0]
    assert window(cases, none, **NAMES, days=30, column="late", how="sum").tolist() == [0]
    assert np.isnan(window(cases, none, **NAMES, days=30, column="late", how="mean")[0])
    assert as_of(cases, none, **NAMES, columns=["late"])["late"].isna().all()


def call(**more):
    cases = pd.DataFrame({"unit_id": [1], "at": ["2025-02-01"]})
    events = pd.DataFrame({"unit_id": [1, 1], "on": "2025-01-20", "amount": [1.0, np.nan], "plan": ["basic", "pro"]})
    return lambda: window(cases, events, **NAMES, **{"days": 30, **more})


LISTED = "got 'unit_id', 'on', 'amount', 'plan'"


@pytest.mark.parametrize(
    ("calling", "text"),
    [
        (call(how="median"), "how must be one of 'count', 'sum', 'mean', 'max', got 'median'; take one of these."),
        (
            call(how="sum"),
            "column must be a column of events for how='sum', got None; name the column to be summed up.",
        ),
        (
            call(how="sum", column="amount"),
            "column 'amount', row 1 must be a finite number, got a missing value; fill it in or drop the row.",
        ),
        (
            call(how="sum", column="plan"),
            "column 'plan' must be numbers, got 'basic' in row 0; convert it with pd.to_numeric.",
        ),
        (
            call(how="sum", column="amout"),
            f"events must be a table with a column 'amout', {LISTED}; rename 'amount' to 'amout'.",
        ),
        (call(days=-1), "days must be a number of days above 0, got -1; give it in days, such as 30."),
    ],
)
def test_refusals(calling, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        calling()
