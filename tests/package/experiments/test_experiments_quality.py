"""Gates on a test's table: each fault gives its one sentence, a clean table gives none."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.experiments import check_quality, quality_faults

ARMS = ["control", "treatment"]
KINDS = {"clicks": "count", "bounce": "share", "revenue": "number"}


def table(n=8):
    return pd.DataFrame(
        {
            "user": [f"u{i}" for i in range(n)],
            "arm": ARMS * (n // 2),
            "clicks": np.arange(n),
            "bounce": np.linspace(0, 1, n),
            "revenue": np.linspace(-3, 9, n),
        }
    )


def put(column, row, value):
    frame = table()
    frame[column] = frame[column].astype(object)
    frame.loc[row, column] = value
    return frame


def twice(arm):
    return pd.concat([table(), table().iloc[[2]].assign(arm=arm)])


FAULTS = [
    (
        "one arm only",
        table().assign(arm="control"),
        "column 'arm' must be every arm of the plan in some row, got none of 'treatment'; pass all arms in one table.",
    ),
    (
        "a user in two arms",
        twice("treatment"),
        "column 'user' must be in one arm for each unit, got 'u2' in 'control' and 'treatment' (1 such unit); "
        "find out how they crossed over before you read any effect.",
    ),
    (
        "a user twice",
        twice("control"),
        "column 'user' must be unique, got 'u2' more than once (1 such unit); add up the metrics of each unit first.",
    ),
    (
        "NaN in a metric",
        put("clicks", 3, np.nan),
        "column 'clicks', row 3 must be a finite number, got a missing value; "
        "give every unit one, 0 if it did nothing.",
    ),
    (
        "infinity in a metric",
        put("revenue", 3, np.inf),
        "column 'revenue', row 3 must be a finite number, got inf; give every unit one, 0 if it did nothing.",
    ),
    (
        "negative counts",
        put("clicks", 5, -2),
        "column 'clicks', row 5 must be a whole number, 0 or more, got -2.0; "
        "look for refunds, resets or a difference taken in the wrong order.",
    ),
    (
        "fractional counts",
        put("clicks", 5, 1.5),
        "column 'clicks', row 5 must be a whole number, 0 or more, got 1.5; "
        "add up whole events, or call it a 'number'.",
    ),
    (
        "percentages",
        put("bounce", 1, 40.0),
        "column 'bounce', row 1 must be in [0, 1], got 40.0; divide percentages by 100.",
    ),
    (
        "misspelt arms",
        put("arm", 4, "contrl"),
        "column 'arm', row 4 must be one of 'control', 'treatment', got 'contrl' in 1 row; rename it to 'control'.",
    ),
    (
        "arms in capitals",
        table().replace({"arm": {"treatment": "Treatment "}}),
        "column 'arm', row 1 must be one of 'control', 'treatment', got 'Treatment ' in 4 rows; "
        "rename it to 'treatment'.",
    ),
    (
        "an arm that was not planned",
        put("arm", 4, "holdout"),
        "column 'arm', row 4 must be one of 'control', 'treatment', got 'holdout' in 1 row; "
        "rename it, or add it to the plan.",
    ),
    (
        "arms as numbers",
        table().assign(arm=[0, 1] * 4),
        "column 'arm', row 0 must be one of 'control', 'treatment', got 0; map it to those names.",
    ),
    (
        "a missing arm",
        put("arm", 6, None),
        "column 'arm', row 6 must be filled in, got a missing value in 1 row; take it from the log of assignments.",
    ),
    (
        "a missing user",
        put("user", 6, None),
        "column 'user', row 6 must be filled in, got a missing value in 1 row; take it from the log of assignments.",
    ),
    (
        "text in a metric",
        table().assign(clicks=[f"{i} clicks" for i in range(8)]),
        "column 'clicks' must be numbers or bools, got '0 clicks' in row 0; strip signs and units, or read a decimal "
        "comma with pandas.read_csv(..., decimal=',').",
    ),
    (
        "dates in a metric",
        table().assign(clicks=pd.Timestamp("2026-01-01")),
        "column 'clicks' must be numbers or bools, got datetime.datetime(2026, 1, 1, 0, 0) in row 0; "
        "convert it with .astype(float).",
    ),
    (
        "two columns of one name",
        pd.concat([table(), table()[["arm"]]], axis=1),
        "the test's table must be a table with one column 'arm', got several; drop or rename those that are not meant.",
    ),
    (
        "no rows",
        table().iloc[:0],
        "the test's table must be a table with at least one row, got no rows; "
        "check the filter or the join that made it.",
    ),
    (
        "a missing column",
        table().rename(columns={"clicks": "Click"}),
        "the test's table must be a table with a column 'clicks', got 'user', 'arm', 'Click', 'bounce', 'revenue'; "
        "rename 'Click' to 'clicks'.",
    ),
    (
        "no table",
        [1, 2],
        "the test's table must be a pandas DataFrame, got list; wrap it in pd.DataFrame(...).",
    ),
]


@pytest.mark.parametrize(("frame", "text"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS])
def test_each_fault_has_its_sentence(frame, text):
    assert quality_faults(frame, ARMS, KINDS) == (text,)
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        check_quality(frame, ARMS, KINDS)


def test_a_clean_table_has_no_fault_and_is_not_changed():
    frame = table()
    before = frame.copy()
    assert quality_faults(frame, ARMS, KINDS) == ()
    assert check_quality(frame, ARMS, KINDS) is None
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "int32", "float32", "bool"])
def test_metrics_of_every_numeric_type_pass(dtype):
    frame = table().assign(clicks=pd.Series([0, 1] * 4).astype(dtype))
    assert quality_faults(frame, ARMS, KINDS) == ()


@pytest.mark.parametrize("dtype", ["category", "string", "object"])
def test_arms_and_users_of_every_text_type_pass(dtype):
    frame = table().astype({"arm": dtype, "user": dtype})
    assert quality_faults(frame, ARMS, KINDS) == ()


def test_all_faults_are_told_in_order():
    frame = put("clicks", 5, -2).drop(columns="bounce").assign(revenue="9 EUR")
    frame.loc[4, "arm"] = "treatmnt"
    found = quality_faults(frame, ARMS, {"clicks": "count", "revenue": "number"})
    assert [text.split(" must ")[0] for text in found] == [
        "column 'arm', row 4",
        "column 'clicks', row 5",
        "column 'revenue'",
    ]


@given(st.permutations(range(8)))
def test_rows_are_counted_by_position_in_any_order(order):
    frame = put("clicks", 5, -2).iloc[list(order)]
    found = quality_faults(frame, ARMS, KINDS)
    assert len(found) == 1
    assert found[0].startswith(f"column 'clicks', row {list(order).index(5)} must ")


def test_how_many_units_crossed_over_is_counted():
    crossed = table().iloc[:3].assign(arm=["treatment", "control", "treatment"])
    (fault,) = quality_faults(pd.concat([table(), crossed]), ARMS, KINDS)
    assert "got 'u0' in 'control' and 'treatment' (3 such units);" in fault


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: quality_faults(table(), ["control"], KINDS),
            "arms must be two or more names, got ['control']; pass those of the plan, such as ['control', 'new'].",
        ),
        (
            lambda: quality_faults(table(), ARMS, "clicks"),
            "metrics must be one or more columns, got 'clicks'; pass {'clicks': 'count'} or ['clicks'].",
        ),
        (
            lambda: quality_faults(table(), ARMS, {"clicks": "money"}),
            "the kind of 'clicks' must be one of 'number', 'count', 'share', got 'money'; take 'number'.",
        ),
    ],
)
def test_refusals(call, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        call()
