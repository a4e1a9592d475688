import numpy as np
import pandas as pd
import pytest

from casebook.churn.simulate import simulate
from casebook.churn.tables import (
    CANDIDATES,
    TABLES,
    check_candidates,
    check_known,
    check_order,
    check_past,
    check_subscribed,
    check_tables,
    contract,
)
from casebook.churn.world import TODAY, World
from casebook.contracts import ContractError


@pytest.fixture(scope="module")
def tables():
    return simulate(World(), 1_000, np.random.default_rng(2)).tables


def test_the_simulators_tables_keep_the_contract(tables):
    before = {name: frame.copy() for name, frame in tables.items()}
    checked = check_tables(tables, TODAY)
    assert list(checked) == list(TABLES)
    for name, frame in checked.items():
        assert len(frame) == len(tables[name]) > 0
        pd.testing.assert_frame_equal(tables[name], before[name])


def test_an_empty_event_table_is_fine(tables):
    checked = check_tables(tables | {"feedback": tables["feedback"].iloc[:0]})
    assert checked["feedback"].empty


def test_a_readers_narrow_and_wide_types_pass(tables):
    mine = tables["calls"].assign(subscriber_id=tables["calls"]["subscriber_id"].astype("int64"), note="asked for it")
    assert check_tables(tables | {"calls": mine})["calls"].columns[-1] == "note"


def broken(tables, name, column, row, value):
    frame = tables[name].copy()
    frame[column] = frame[column].astype(object) if isinstance(value, str) else frame[column]
    frame.loc[row, column] = value
    return tables | {name: frame}


def twice(tables):
    frame = tables["customers"]
    return tables | {"customers": pd.concat([frame, frame.iloc[[0]]], ignore_index=True)}


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (
            lambda t: {name: frame for name, frame in t.items() if name != "surveys"},
            "tables must be a mapping with a table 'surveys', got 'customers', 'cancellations', 'usage_weekly', "
            "'tickets', 'plan_changes', 'failed_payments', 'emails', 'calls', 'pilot', 'feedback'; add 'surveys'.",
        ),
        (
            twice,
            "table 'customers', column 'subscriber_id', row 0 must be unique, got 1 more than once; drop the duplicate "
            "rows or aggregate them.",
        ),
        (
            lambda t: broken(t, "customers", "plan", 3, "gold"),
            "table 'customers', column 'plan', row 3 must be one of ['starter', 'team', 'business'], got 'gold'; mend "
            "or drop it.",
        ),
        (
            lambda t: broken(t, "customers", "bill_day", 0, 31),
            "table 'customers', column 'bill_day', row 0 must be between 1 and 28, got 31; mend or drop it.",
        ),
        (
            lambda t: broken(t, "tickets", "severity", 2, 9),
            "table 'tickets', column 'severity', row 2 must be between 1 and 4, got 9; mend or drop it.",
        ),
        (
            lambda t: broken(t, "customers", "price", 1, -5.0),
            "table 'customers', column 'price', row 1 must be at least 0, got -5.0; mend or drop it.",
        ),
        (
            lambda t: t | {"calls": t["calls"].rename(columns={"called_on": "call_on"})},
            "table 'calls' must be a table with a column 'called_on', got 'subscriber_id', 'call_on', 'listed_by', "
            "'reached'; rename 'call_on' to 'called_on'.",
        ),
        (
            lambda t: t | {"customers": t["customers"].assign(price="90 dollars")},
            "table 'customers', column 'price' must be of type float64, got text; convert it with .astype(...) or "
            "pd.to_numeric.",
        ),
        (
            lambda t: t | {"customers": t["customers"].iloc[:0]},
            "table 'customers' must be a table with at least one row, got no rows; check the filter or the join that "
            "made it.",
        ),
    ],
)
def test_one_sentence_per_broken_table(tables, spoil, text):
    with pytest.raises(ContractError) as error:
        check_tables(spoil(tables))
    assert str(error.value) == text


def test_one_week_twice_is_refused(tables):
    frame = pd.concat([tables["usage_weekly"], tables["usage_weekly"].iloc[[5]]], ignore_index=True)
    with pytest.raises(
        ContractError, match=r"^table 'usage_weekly', row \d+ must be unique, got .* more than once; drop"
    ):
        check_tables(tables | {"usage_weekly": frame})


def small(**more):
    customers = {"subscriber_id": [880, 881], "signed_up_on": pd.to_datetime(["2025-01-05", "2025-02-05"])}
    left = {"subscriber_id": [881], "cancelled_on": pd.to_datetime(["2025-10-17"])}
    names = {"usage_weekly": "last_login_on", "tickets": "opened_on", "plan_changes": "changed_on"}
    names |= {"failed_payments": "failed_on", "surveys": "sent_on", "emails": "sent_on", "calls": "called_on"}
    names |= {"pilot": "enrolled_on"}
    tables = {"customers": pd.DataFrame(customers), "cancellations": pd.DataFrame(left)}
    for name, column in names.items():
        tables[name] = pd.DataFrame({"subscriber_id": [880], column: pd.to_datetime([more.pop(name, "2025-06-01")])})
    return tables | more


def events(column, dates, ids):
    return pd.DataFrame({"subscriber_id": ids, column: pd.to_datetime(dates)})


def test_a_call_after_leaving_is_refused():
    calls = events("called_on", ["2025-06-01"] * 12 + ["2025-11-04"], [880] * 12 + [881])
    tables = small() | {"calls": calls}
    with pytest.raises(ContractError) as error:
        check_subscribed(tables)
    assert str(error.value) == (
        "table 'calls', row 12: subscriber 881 must be subscribed on 2025-11-04, got left on 2025-10-17; drop the call "
        "or mend the cancellation."
    )


@pytest.mark.parametrize(("day", "fine"), [("2025-10-17", True), ("2025-10-18", False)])
def test_the_day_of_leaving_bears_events_the_next_does_not(day, fine):
    tables = small() | {"tickets": events("opened_on", [day], [881])}
    if fine:
        check_subscribed(tables)
        return
    with pytest.raises(ContractError, match="subscriber 881 must be subscribed on 2025-10-18, got left on 2025-10-17;"):
        check_subscribed(tables)


def test_a_call_may_come_a_day_late():
    check_subscribed(small() | {"calls": events("called_on", ["2025-10-18"], [881])})
    with pytest.raises(ContractError, match="table 'calls', row 0: subscriber 881"):
        check_subscribed(small() | {"calls": events("called_on", ["2025-10-19"], [881])})


@pytest.mark.parametrize(
    ("name", "column", "noun"),
    [
        ("tickets", "opened_on", "ticket"),
        ("emails", "sent_on", "e-mail"),
        ("cancellations", "cancelled_on", "cancellation"),
    ],
)
def test_nothing_happens_before_signing_up(name, column, noun):
    with pytest.raises(ContractError) as error:
        check_subscribed(small() | {name: events(column, ["2025-01-04"], [880])})
    assert str(error.value) == (
        f"table '{name}', row 0: subscriber 880 must be subscribed on 2025-01-04, got signed up on 2025-01-05; "
        f"drop the {noun} or mend the date of signing up."
    )


def test_the_unknown_the_future_and_the_upside_down():
    cases = [
        (
            lambda: check_known(small() | {"tickets": events("opened_on", ["2025-06-01"], [7])}),
            "table 'tickets', row 0: subscriber_id must be one of table 'customers', got 7; add the customer or drop "
            "the row.",
        ),
        (
            lambda: check_past(small(calls="2026-01-01"), TODAY),
            "table 'calls', row 0: called_on must be before 2026-01-01, got 2026-01-01; mend the date or "
            "drop the call.",
        ),
        (
            lambda: check_order(
                small()
                | {
                    "failed_payments": pd.DataFrame(
                        {"failed_on": pd.to_datetime(["2025-05-05"]), "recovered_on": pd.to_datetime(["2025-05-04"])}
                    ),
                    "tickets": pd.DataFrame({"opened_on": pd.to_datetime([]), "resolved_on": pd.to_datetime([])}),
                }
            ),
            "table 'failed_payments', row 0: recovered_on must be on or after failed_on (2025-05-05), got 2025-05-04; "
            "mend one of the two dates.",
        ),
    ]
    for work, text in cases:
        with pytest.raises(ContractError) as error:
            work()
        assert str(error.value) == text


def test_check_tables_runs_the_rules_between_tables(tables):
    late = tables["feedback"].assign(happened_on=pd.Timestamp("2031-01-01"))
    with pytest.raises(ContractError, match="table 'feedback', row 0: happened_on must be before 2026-01-01"):
        check_tables(tables | {"feedback": late}, TODAY)
    assert len(check_tables(tables | {"feedback": late})["feedback"]) == len(late)
    stranger = tables["feedback"].assign(subscriber_id=9_999_999)
    with pytest.raises(ContractError, match="table 'feedback', row 0: subscriber_id must be one of table 'customers'"):
        check_tables(tables | {"feedback": stranger})


def candidates(**more):
    return pd.DataFrame({"customer_id": ["a", "b"], "p": [0.1, 0.4], "value": [900.0, 2_400.0]} | more)


def test_a_readers_table_passes_with_integers_and_extra_columns():
    table = check_candidates(candidates(value=[900, 2_400], uplift=[0, -1], y=[0, 1], treated=[1, 0], rep=["x", "y"]))
    assert table["value"].dtype == float and table["uplift"].tolist() == [0.0, -1.0]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (
            {"p": [4.0, 12.0]},
            "table 'candidates', column 'p', row 0 must be between 0 and 1, got 4.0; divide percentages by 100.",
        ),
        (
            {"customer_id": ["a", "a"]},
            "table 'candidates', column 'customer_id', row 0 must be unique, got 'a' more than once; drop the "
            "duplicate rows or aggregate them.",
        ),
        (
            {"value": [900.0, -1.0]},
            "table 'candidates', column 'value', row 1 must be at least 0, got -1.0; mend or drop it.",
        ),
        (
            {"uplift": [0.1, 2.0]},
            "table 'candidates', column 'uplift', row 1 must be between -1 and 1, got 2.0; mend or drop it.",
        ),
        (
            {"treated": [0, 2]},
            "table 'candidates', column 'treated', row 1 must be one of [0, 1], got 2; mend or drop it.",
        ),
        (
            {"p": [0.1, np.nan]},
            "table 'candidates', column 'p', row 1 must be filled in, got a missing value; fill it in or drop the row.",
        ),
        (
            {"p": ["low", "high"]},
            "table 'candidates', column 'p' must be of type float64, got text; convert it with .astype(...) or "
            "pd.to_numeric.",
        ),
    ],
)
def test_one_sentence_per_broken_candidate(more, text):
    with pytest.raises(ContractError) as error:
        check_candidates(candidates(**more))
    assert str(error.value) == text


def test_a_missing_column_is_named():
    with pytest.raises(ContractError) as error:
        check_candidates(candidates().rename(columns={"value": "Value"}))
    assert str(error.value) == (
        "table 'candidates' must be a table with a column 'value', got 'customer_id', 'p', 'Value'; rename 'Value' to "
        "'value'."
    )


def test_every_contract_prints():
    rows = contract(CANDIDATES)
    assert rows[0] == ("customer_id", "any", "each once", "key of the customer, one row each")
    assert rows[3][:3] == ("uplift (optional)", "number", "-1 to 1")
    assert contract(TABLES["tickets"])[4] == (
        "resolved_on (may be missing)",
        "date",
        "any",
        "day of resolution; missing while open",
    )
    for schema in TABLES.values():
        assert all(len(row) == 4 and all(row) for row in contract(schema))
