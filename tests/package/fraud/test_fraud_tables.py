"""The contract: the simulator keeps it, and a broken table is refused in one sentence."""

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.fraud.rules import Rules
from casebook.fraud.simulate import simulate
from casebook.fraud.tables import ENTRY_CHANNEL, TABLES, WORDS, check_tables, words
from casebook.fraud.world import CURRENCIES, ENTRIES, World


@pytest.fixture(scope="module")
def tables():
    return simulate(World(prevalence=0.02), 300, 12, np.random.default_rng(0), Rules()).tables


@pytest.mark.parametrize(
    "world", [World(), World(prevalence=0.05, novel_share=0.5, novel_day=3, drift=0.5, drift_day=4)]
)
def test_the_simulators_tables_keep_the_contract(world):
    tables = simulate(world, 300, 14, np.random.default_rng(1), Rules()).tables
    before = {name: frame.copy() for name, frame in tables.items()}
    checked = check_tables(tables)
    assert list(checked) == list(TABLES)
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(frame, before[name])
        pd.testing.assert_frame_equal(checked[name], frame)  # nothing had to be converted
        assert list(frame.columns) == list(TABLES[name].columns)


def test_words_have_fixed_categories(tables):
    for frame in tables.values():
        for name in set(WORDS) & set(frame.columns):
            assert frame[name].cat.categories.tolist() == list(WORDS[name])


def test_currencies_are_the_countries(tables):
    events = tables["events"]
    assert (events["country"].astype(str).map(CURRENCIES) == events["currency"].astype(str)).all()


def test_a_row_of_the_log_agrees_with_the_merchants_table(tables):
    events, merchants = tables["events"], tables["merchants"]
    for name in ("category", "country", "channel"):
        assert (
            events[name].astype(str).to_numpy() == merchants[name].astype(str).to_numpy()[events["merchant_id"]]
        ).all()
    at = events["x_km"].notna().to_numpy()
    assert (at == (events["channel"] == "terminal").to_numpy()).all()
    np.testing.assert_array_equal(events["x_km"][at], merchants["x_km"].to_numpy()[events["merchant_id"][at]])


def test_a_terminal_stands_at_one_merchant(tables):
    at = tables["events"][tables["events"]["terminal_id"] >= 0]
    assert (at.groupby("terminal_id")["merchant_id"].nunique() == 1).all()


def test_nothing_that_only_the_simulator_knows_is_in_a_table(tables):
    columns = {column for frame in tables.values() for column in frame.columns}
    assert not columns & {"fraud", "kind", "tactic", "episode_id", "luck", "claim", "twin", "loss_dollars"}


def test_no_reports_and_no_answers_are_fine(tables):
    assert check_tables(tables | {"reports": tables["reports"].iloc[:0]})["reports"].empty


def test_words_are_read_from_codes():
    codes = np.arange(len(ENTRIES), dtype=np.int8)
    assert words("entry", codes).tolist() == list(ENTRIES) == list(ENTRY_CHANNEL)


def broken(tables, name, column, row, value):
    frame = tables[name].copy()
    frame[column] = frame[column].astype(object)
    frame.loc[row, column] = value
    return tables | {name: frame}


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (
            lambda t: broken(t, "events", "amount_cents", 3, -5),
            "table 'events', column 'amount_cents', row 3 must be above 0, got -5; mend or drop it.",
        ),
        (
            lambda t: broken(t, "events", "currency", 3, "XXX"),
            "table 'events', column 'currency', row 3 must be one of ['USD', 'CAD', 'MXN', 'GBP', 'EUR', 'JPY', "
            "'BRL'], got 'XXX'; mend or drop it.",
        ),
        (
            lambda t: broken(t, "events", "event_id", 4, 3),
            "table 'events', column 'event_id', row 3 must be unique, got 3 more than once; "
            "drop the duplicate rows or aggregate them.",
        ),
        (
            lambda t: broken(t, "events", "card_id", 4, 999_999),
            "table 'events', row 4: card_id must be one of table 'cards', got 999999; "
            "add it to 'cards' or drop the row.",
        ),
        (
            lambda t: broken(t, "decisions", "action", 0, 4),
            "table 'decisions', column 'action', row 0 must be one of [0, 1, 2, 3], got 4; mend or drop it.",
        ),
        (
            lambda t: broken(t, "reports", "event_id", 0, 10**9),
            "table 'reports', row 0: event_id must be one of table 'events', got 1000000000; "
            "add it to 'events' or drop the row.",
        ),
        (
            lambda t: {name: frame for name, frame in t.items() if name != "answers"},
            "tables must be a mapping with a table 'answers', got 'events', 'reports', 'decisions', 'cards', "
            "'merchants'; add 'answers'.",
        ),
    ],
)
def test_a_broken_table_is_refused_in_one_sentence(tables, spoil, text):
    with pytest.raises(ContractError) as error:
        check_tables(spoil(tables))
    assert str(error.value) == text


def test_an_entry_of_another_channel_is_refused(tables):
    row = int(np.flatnonzero(tables["events"]["channel"] == "terminal")[0])
    entry = tables["events"]["entry"].iloc[row]
    with pytest.raises(ContractError) as error:
        check_tables(broken(tables, "events", "channel", row, "online"))
    assert str(error.value) == (
        f"table 'events', row {row}: channel must be 'terminal' with entry '{entry}', got 'online'; "
        "mend one of the two."
    )
