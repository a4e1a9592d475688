"""What a reader's table is refused for beyond its contract: each sentence, and what just passes."""

from __future__ import annotations

from io import StringIO

import numpy as np
import pandas as pd
import pytest

from casebook.churn.own_table import call_list
from casebook.churn.own_table_checks import check_own
from casebook.contracts import ContractError

CASE = "table 'candidates'"
UNKNOWN = "must be 0 or 1, got a missing value; drop the"


def candidates(**more):
    return pd.DataFrame({"customer_id": ["a", "b"], "p": [0.1, 0.4], "value": [900.0, 2_400.0]} | more)


def refused(table: pd.DataFrame) -> str:
    with pytest.raises(ContractError) as caught:
        check_own(table)
    return str(caught.value)


@pytest.mark.parametrize(
    ("uplift", "sentence"),
    [
        ([0.9, 0.1], "row 0 must be at most p (0.1), got 0.9; a call cannot keep more than would leave."),
        ([-0.9, -0.7], "row 1 must be at least p - 1 (-0.6), got -0.7; a call cannot drive away more than would stay."),
    ],
)
def test_an_uplift_that_cannot_be_is_refused(uplift, sentence):
    assert refused(candidates(uplift=uplift)) == f"{CASE}, column 'uplift', {sentence}"
    with pytest.raises(ContractError) as caught:
        call_list(candidates(uplift=uplift), capacity=1, call_cost=10)
    assert str(caught.value) == f"{CASE}, column 'uplift', {sentence}"


def test_an_uplift_may_reach_either_bound_up_to_rounding():
    one = candidates(p=[0.3, 0.7], uplift=[0.1 + 0.2, 0.1 - 0.4])
    assert one["uplift"][0] > one["p"][0]
    assert check_own(one)["uplift"].tolist() == one["uplift"].tolist()


@pytest.mark.parametrize(
    ("y", "row"), [([0, np.nan], 1), ([None, 1], 0), (pd.array([pd.NA, 1], dtype="Int8"), 0)], ids=str
)
def test_an_outcome_not_known_yet_costs_a_trial_the_row_and_a_list_the_column(y, row):
    assert refused(candidates(y=y)) == f"{CASE}, column 'y', row {row} {UNKNOWN} row until it is known."
    with pytest.raises(ContractError) as caught:
        call_list(candidates(y=y), capacity=1, call_cost=10, save_rate=0.1)
    assert str(caught.value) == f"{CASE}, column 'y', row {row} {UNKNOWN} column, which a list does not need."


@pytest.mark.parametrize("sep", [";", "\t", "|"])
def test_a_file_read_with_another_separator_is_told_so(sep):
    text = f"customer_id{sep}p{sep}value\na{sep}0.1{sep}900\n"
    header = f"customer_id{sep}p{sep}value"
    assert refused(pd.read_csv(StringIO(text))) == (
        f"{CASE} must be a table with columns 'customer_id', 'p', 'value', got one column {header!r}; "
        f"read it with sep={sep!r}."
    )
    assert len(check_own(pd.read_csv(StringIO(text), sep=sep))) == 1


def test_one_column_of_a_plain_name_is_no_question_of_separators():
    assert refused(candidates()[["customer_id"]]) == (
        f"{CASE} must be a table with a column 'p', got 'customer_id'; add 'p' or rename one of yours."
    )


@pytest.mark.parametrize("column", ["p", "note"])
def test_a_doubled_column_is_named(column):
    table = candidates(note="text")
    assert refused(pd.concat([table, table[[column]]], axis=1)) == (
        f"{CASE}, column {column!r} must be there once, got it 2 times; drop all but one."
    )
