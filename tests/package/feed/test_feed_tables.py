"""The contract: the simulator keeps it, and a broken table is refused in one sentence."""

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.feed.simulate import simulate
from casebook.feed.tables import TABLES, check_tables, user_table
from casebook.feed.world import FAULTS, Design, World


@pytest.fixture(scope="module")
def tables():
    return simulate(World(), 1_000, np.random.default_rng(0)).tables


@pytest.mark.parametrize("design", [Design(), Design(unit="cluster"), Design(ramp_day=3, ramp_from=0.5)])
def test_the_simulators_tables_keep_the_contract(design):
    world = World(**dict.fromkeys(FAULTS, 0.02))
    tables = simulate(world, 2_000, np.random.default_rng(1), design).tables
    before = {name: frame.copy() for name, frame in tables.items()}
    checked = check_tables(tables)
    assert list(checked) == list(TABLES)
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(frame, before[name])
        assert set(frame.columns) <= set(TABLES[name].columns)


def test_empty_user_days_are_fine(tables):
    assert check_tables(tables | {"daily": tables["daily"].iloc[:0]})["daily"].empty


def test_nothing_that_only_the_simulator_knows_is_in_a_table(tables):
    columns = {column for frame in tables.values() for column in frame.columns}
    assert not columns & {"community", "lost", "bot", "visits", "crash", "lift"}


def test_the_table_of_users_has_one_row_for_each_assigned_account(tables):
    users = user_table(tables)
    assert users["user_id"].tolist() == tables["assignment"]["user_id"].tolist()
    assert users["minutes"].tolist() == tables["totals"]["minutes"].tolist()
    some = users.set_index("user_id").loc[tables["users"]["user_id"].iloc[17]]
    assert some["minutes_before"] == tables["before"]["minutes_before"].iloc[17]


def broken(tables, name, column, row, value):
    frame = tables[name].copy()
    frame[column] = frame[column].astype(object)
    frame.loc[row, column] = value
    return tables | {name: frame}


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (
            lambda t: {name: frame for name, frame in t.items() if name != "totals"},
            "tables must be a mapping with a table 'totals', got 'users', 'assignment', 'before', 'daily', 'creators', "
            "'friendships'; add 'totals'.",
        ),
        (
            lambda t: broken(t, "assignment", "arm", 2, "treatment"),
            "table 'assignment', column 'arm', row 2 must be one of ['new', 'control', 'rest'], got 'treatment'; mend "
            "or drop it.",
        ),
        (
            lambda t: broken(t, "totals", "clicks", 4, -1),
            "table 'totals', column 'clicks', row 4 must be at least 0, got -1; mend or drop it.",
        ),
        (
            lambda t: t | {"assignment": pd.concat([t["assignment"], t["assignment"].iloc[[5]]], ignore_index=True)},
            "table 'assignment', column 'user_id', row 5 must be unique, got 5 more than once; drop the duplicate "
            "rows or aggregate them.",
        ),
        (
            lambda t: broken(t, "totals", "minutes", 3, np.nan),
            "table 'totals', column 'minutes', row 3 must be filled in, got a missing value; "
            "fill it in or drop the row.",
        ),
        (
            lambda t: broken(t, "creators", "creator_id", 0, 99_999),
            "table 'creators', row 0: creator_id must be one of table 'users', got 99999; add the account or drop the "
            "row.",
        ),
    ],
)
def test_a_broken_table_is_refused_in_one_sentence(tables, spoil, text):
    with pytest.raises(ContractError) as error:
        check_tables(spoil(tables))
    assert str(error.value) == text
