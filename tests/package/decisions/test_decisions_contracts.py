"""Every refusal's whole text, and what is let through unchanged."""

import re

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import (
    ContractError,
    as_amounts,
    as_costs,
    as_labels,
    as_probabilities,
    check_frame,
    labels_and_probabilities,
    require_columns,
)

try:
    import pandera.pandas as pandera
except ModuleNotFoundError:  # before 0.24
    import pandera


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0.1, np.nan], "p, row 1 must be a number in [0, 1], got a missing value; fill it in or drop the row."),
        ([0.1, None], "p, row 1 must be a number in [0, 1], got a missing value; fill it in or drop the row."),
        ([20.0, 70.0], "p, row 0 must be in [0, 1], got 20.0; divide percentages by 100."),
        ([0.2, -1.5], "p, row 1 must be in [0, 1], got -1.5; pass predict_proba, not a margin or a score."),
        ([0.2, 700.0], "p, row 1 must be in [0, 1], got 700.0; pass predict_proba, not a margin or a score."),
        ([], "p must be at least one row long, got no rows; check the filter or the join that made it."),
        (["a", "b"], "p must be numbers in [0, 1], got 'a' in row 0; pass column 1 of predict_proba."),
        ([True, False], "p must be numbers in [0, 1], got bools; pass column 1 of predict_proba."),
        (np.zeros((3, 2)), "p must be one-dimensional, got shape (3, 2); pass one column, such as [:, 1]."),
        (0.5, "p must be one-dimensional, got shape (); pass one column."),
    ],
)
def test_bad_probabilities(values, text):
    with says(text):
        as_probabilities(values)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0, np.nan], "y, row 1 must be 0 or 1, got a missing value; fill it in or drop the row."),
        (["no", None], "y, row 1 must be 0 or 1, got a missing value; fill it in or drop the row."),
        ([1, -1], "y, row 1 must be 0 or 1, got -1; map it with (y == 1)."),
        ([0, 2], "y, row 1 must be 0 or 1, got 2; put 1 where the event happened and 0 elsewhere."),
        (["no", "yes"], "y, row 0 must be 0 or 1, got 'no'; map it with (y == 'yes')."),
        (["a", "b"], "y, row 0 must be 0 or 1, got 'a'; compare it with the word that means 1."),
        (["0", "1"], "y, row 0 must be 0 or 1, got '0'; convert it with .astype(int)."),
        ([], "y must be at least one row long, got no rows; check the filter or the join that made it."),
    ],
)
def test_bad_labels(values, text):
    with says(text):
        as_labels(values)


@pytest.mark.parametrize("values", [[0, 1], [False, True], [0.0, 1.0], np.array([0, 1], dtype="int8")])
@pytest.mark.parametrize("wrap", [lambda v: v, pd.Series, lambda v: pd.Series(v, dtype=object)])
def test_labels_of_every_kind_become_one(values, wrap):
    np.testing.assert_array_equal(as_labels(wrap(values)), np.array([False, True]))


def test_nullable_pandas_types_are_read_and_their_gaps_refused():
    np.testing.assert_array_equal(as_labels(pd.Series([0, 1], dtype="Int64")), np.array([False, True]))
    np.testing.assert_array_equal(as_labels(pd.Series([0, 1], dtype="boolean")), np.array([False, True]))
    np.testing.assert_array_equal(as_probabilities(pd.Series([0.2, 0.3], dtype="Float64")), np.array([0.2, 0.3]))
    with says("y, row 1 must be 0 or 1, got a missing value; fill it in or drop the row."):
        as_labels(pd.Series([0, None], dtype="Int64"))


@pytest.mark.parametrize(
    ("values", "n", "text"),
    [
        (-1.0, None, "c must be 0 or more, got -1.0; drop the minus sign."),
        ([1.0, -2.0], None, "c, row 1 must be 0 or more, got -2.0; drop the minus sign."),
        ([1.0, 2.0], 3, "c must be 3 long, got 2 rows; take all arguments from one table."),
        (np.inf, None, "c must be a finite number, got inf; fill it in or drop the row."),
        ([1.0, np.nan], None, "c, row 1 must be a finite number, got nan; fill it in or drop the row."),
        ("5", None, "c must be a number or one number per row, got str; pass one number, or one per row."),
        (["5"], None, "c must be a number or one number per row, got '5' in row 0; pass one number, or one per row."),
    ],
)
def test_bad_costs(values, n, text):
    with says(text):
        as_costs(values, "c", n)


def test_amounts_may_be_negative_and_numbers_stay_numbers():
    assert as_amounts(np.float32(-2), "a") == -2.0
    np.testing.assert_array_equal(as_amounts([1, -1], "a", 2), np.array([1.0, -1.0]))


def test_lengths_and_orders_of_a_pair():
    with says("p must be 3 long, got 2 rows; take all arguments from one table."):
        labels_and_probabilities([0, 1, 1], [0.1, 0.2])
    y = pd.Series([0, 1], index=["u1", "u2"])
    p = pd.Series([0.9, 0.1], index=["u2", "u1"])
    with says(
        "y and p must be in one row order, got the same index labels in two orders; "
        "reindex one, or pass .to_numpy() if positions match."
    ):
        labels_and_probabilities(y, p)
    np.testing.assert_array_equal(labels_and_probabilities(y, p.reindex(y.index))[1], np.array([0.1, 0.9]))


def test_results_are_copies():
    p, y, c = np.array([0.1, 0.2]), np.array([True, False]), np.array([1.0, 2.0])
    for result in (as_probabilities(p), as_labels(y), as_costs(c, "c")):
        result[0] = 0
    assert (p[0], y[0], c[0]) == (0.1, True, 1.0)


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (
            pd.DataFrame({"cost_FP": [1]}),
            "t must be a table with a column 'cost_fp', got 'cost_FP'; rename 'cost_FP' to 'cost_fp'.",
        ),
        (
            pd.DataFrame({"zzz": [1]}),
            "t must be a table with a column 'cost_fp', got 'zzz'; add 'cost_fp' or rename one of yours.",
        ),
        (
            pd.DataFrame({"cost_fp": []}),
            "t must be a table with at least one row, got no rows; check the filter or the join that made it.",
        ),
        ([1, 2], "t must be a pandas DataFrame, got list; wrap it in pd.DataFrame(...)."),
    ],
)
def test_bad_tables(frame, text):
    with says(text):
        require_columns(frame, ["cost_fp"], "t")


SCHEMA = pandera.DataFrameSchema(
    {
        "unit_id": pandera.Column(int, unique=True),
        "p": pandera.Column(float, pandera.Check.in_range(0, 1)),
        "amount": pandera.Column(
            float,
            pandera.Check(lambda s: s < 1e5, error="dollars below 100,000", description="divide cents by 100"),
        ),
        "kind": pandera.Column(object, pandera.Check.isin(["a", "b"]), required=False),
    },
    name="orders",
    strict=True,
)
GOOD = {"unit_id": [1, 2], "p": [0.1, 0.2], "amount": [5.0, 6.0]}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"unit_id": [7, 7]},
            "orders, column 'unit_id', row 0 must be unique, got 7 more than once; "
            "drop the duplicate rows or aggregate them.",
        ),
        ({"p": [0.1, 1.5]}, "orders, column 'p', row 1 must be between 0 and 1, got 1.5; mend or drop it."),
        (
            {"p": [0.1, np.nan]},
            "orders, column 'p', row 1 must be filled in, got a missing value; fill it in or drop the row.",
        ),
        (
            {"amount": [5, 6]},
            "orders, column 'amount' must be of type float64, got type int64; "
            "convert it with .astype(...) or pd.to_numeric.",
        ),
        (
            {"amount": [5.0, 2e5]},
            "orders, column 'amount', row 1 must be dollars below 100,000, got 200000.0; divide cents by 100.",
        ),
        (
            {"kind": np.array(["a", "c"], dtype=object)},
            "orders, column 'kind', row 1 must be one of ['a', 'b'], got 'c'; mend or drop it.",
        ),
        (
            {"extra": [1, 2]},
            "orders must be a table of the contract's columns only, got a column 'extra'; drop 'extra'.",
        ),
    ],
)
def test_the_first_broken_rule_of_a_schema_becomes_a_sentence(change, text):
    columns = {**GOOD, **change}
    frame = pd.DataFrame(
        {name: pd.Series(column, dtype=getattr(column, "dtype", None)) for name, column in columns.items()}
    )
    with says(text):
        check_frame(frame, SCHEMA)


def test_a_schema_refuses_a_missing_column_and_an_empty_table():
    with says("orders must be a table with a column 'p', got 'unit_id', 'amount'; add 'p' or rename one of yours."):
        check_frame(pd.DataFrame(GOOD).drop(columns="p"), SCHEMA)
    with says("orders must be a table with at least one row, got no rows; check the filter or the join that made it."):
        check_frame(pd.DataFrame(GOOD).iloc[:0], SCHEMA)


def test_a_schema_that_coerces_says_what_it_could_not_convert():
    schema = pandera.DataFrameSchema({"n": pandera.Column(float)}, coerce=True, name="t")
    assert check_frame(pd.DataFrame({"n": ["1", "2"]}), schema)["n"].tolist() == [1.0, 2.0]
    frame = pd.DataFrame({"n": np.array(["1", "x"], dtype=object)})
    with says("t, column 'n' must be of type float64, got text; convert it with .astype(...) or pd.to_numeric."):
        check_frame(frame, schema)


def test_a_schema_check_of_the_whole_table_names_the_table():
    check = pandera.Check(lambda frame: frame["low"] <= frame["high"], error="low at most high")
    schema = pandera.DataFrameSchema({"low": pandera.Column(int), "high": pandera.Column(int)}, checks=check)
    with says("the table, row 1 must be low at most high, got 3; mend or drop it."):
        check_frame(pd.DataFrame({"low": [1, 3], "high": [2, 2]}), schema)
