"""Bad input to the nightly job: one sentence on stderr, exit status 2, nothing written."""

from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pytest

from casebook.churn.__main__ import main
from casebook.churn.simulate import simulate
from casebook.churn.tables import TABLES, check_tables
from casebook.churn.warehouse_file import open_warehouse, save_warehouse
from casebook.churn.warehouse_rules import broken_rules
from casebook.churn.world import World
from casebook.contracts import ContractError
from casebook.jobs import read_audit

SAME = ["score", "--date", "2026-01-01"]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    path = tmp_path_factory.mktemp("load") / "week.duckdb"
    return save_warehouse(simulate(World(), 800, np.random.default_rng(3)).tables, path)


LEFT = "(SELECT subscriber_id FROM cancellations WHERE cancelled_on = DATE '2025-06-03' ORDER BY ALL LIMIT 1)"
BROKEN = {
    "a missing column": (
        "ALTER TABLE usage_weekly DROP COLUMN pages",
        "table 'usage_weekly' must be a table with a column 'pages', got 'subscriber_id', 'week', 'logins', "
        "'features_used', 'pricing_views', 'last_login_on'; add 'pages' or rename one of yours.",
    ),
    "a missing table": (
        "DROP TABLE surveys",
        "the warehouse must be one with a table 'surveys', got calls, cancellations, customers, emails, "
        "failed_payments, feedback, loads, pilot, plan_changes, tickets, usage_weekly; load it.",
    ),
    "a wrong type": (
        "ALTER TABLE customers ALTER price TYPE VARCHAR",
        "table 'customers', column 'price' must be of numbers, got the type VARCHAR; cast it in the load.",
    ),
    "a date as text": (
        "ALTER TABLE usage_weekly ALTER week TYPE VARCHAR",
        "table 'usage_weekly', column 'week' must be of dates, got the type VARCHAR; cast it in the load.",
    ),
    "a missing label": (
        "UPDATE cancellations SET cancelled_on = NULL WHERE rowid = 4",
        "table 'cancellations', column 'cancelled_on', row 4 must be filled in, got a missing value; fill it in or "
        "drop the row.",
    ),
    "a missing value": (
        "UPDATE customers SET price = NULL WHERE rowid = 2",
        "table 'customers', column 'price', row 2 must be filled in, got a missing value; fill it in or drop the row.",
    ),
    "a duplicate customer": (
        "INSERT INTO customers SELECT * FROM customers WHERE subscriber_id = 7",
        "table 'customers', column 'subscriber_id', row 6 must be unique, got 7 more than once; drop the duplicate "
        "rows or aggregate them.",
    ),
    "a date in the future": (
        "UPDATE feedback SET happened_on = DATE '2052-03-02' WHERE rowid = 0",
        "table 'feedback', row 0: happened_on must be before 2026-01-01, got 2052-03-02; mend the date or drop the "
        "feedback.",
    ),
    "an empty table of customers": (
        "DELETE FROM customers",
        "table 'customers' must be a table with at least one row, got no rows; check the filter or the join that made "
        "it.",
    ),
    "an empty table of usage": (
        "DELETE FROM usage_weekly",
        "table 'usage_weekly' must be loaded up to 2025-12-22, got no rows; wait for the load or pass an earlier "
        "--date.",
    ),
    "a load without its day": (
        "DELETE FROM loads",
        "table 'loads' must be one row with one date, got 0 rows; write the day of the load into it.",
    ),
    "a stale day": (
        "DELETE FROM usage_weekly WHERE week >= DATE '2025-12-15'",
        "table 'usage_weekly' must be loaded up to 2025-12-22, got 2025-12-08; wait for the load or pass an earlier "
        "--date.",
    ),
    "a stale table of tickets": (
        "DELETE FROM tickets WHERE opened_on > DATE '2025-12-05'",
        "table 'tickets' must be loaded up to 2025-12-25, got 2025-12-04; wait for the load or pass an earlier --date.",
    ),
}


def refused(words, capsys):
    assert main(words) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.endswith(".\n") and error.count("\n") == 1
    return error[:-1]


def files(folder):
    return sorted(path.name for path in Path(folder).rglob("*")) if Path(folder).exists() else []


def spoilt(warehouse, tmp_path, statement):
    path = tmp_path / "week.duckdb"
    path.write_bytes(warehouse.read_bytes())
    with duckdb.connect(path) as connection:
        connection.execute(statement)
    return path


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_warehouse_is_refused_in_one_sentence(warehouse, tmp_path, capsys, what):
    statement, sentence = BROKEN[what]
    path, out = spoilt(warehouse, tmp_path, statement), tmp_path / "lists"
    assert refused([*SAME, "--warehouse", str(path), "--folder", str(out)], capsys) == sentence
    assert files(out) == ["audit.jsonl"]
    assert [(line["status"], line["reason"]) for line in read_audit(out)] == [("refused", sentence)]


def test_no_model_is_trained_on_a_broken_warehouse_either(warehouse, tmp_path, capsys):
    statement, sentence = BROKEN["a missing label"]
    path, out = spoilt(warehouse, tmp_path, statement), tmp_path / "models"
    words = ["train", "--date", "2026-01-01", "--warehouse", str(path), "--folder", str(out)]
    assert refused(words, capsys) == sentence
    assert files(out) == ["audit.jsonl"]


def test_a_model_that_cannot_rank_is_not_published(warehouse, tmp_path, capsys):
    out = tmp_path / "models"
    words = ["train", "--date", "2026-01-01", "--warehouse", str(warehouse), "--folder", str(out)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("casebook.churn.artefact.roc_auc_score", lambda y, p: 0.52)
        assert refused(words, capsys) == (
            "the AUC on the newest cohort must be 0.6 or more, got 0.520; look for what has changed in the labels or "
            "the features."
        )
    assert "2026-01-01" not in files(out)


def test_a_call_for_somebody_who_had_left_is_refused(warehouse, tmp_path, capsys):
    path = spoilt(
        warehouse, tmp_path, f"INSERT INTO calls SELECT subscriber_id, DATE '2025-10-02', 'rep', true FROM {LEFT}"
    )
    with duckdb.connect(path, read_only=True) as connection:
        (who,), (rows,) = (connection.execute(q).fetchone() for q in (LEFT[1:-1], "SELECT count(*) - 1 FROM calls"))
    sentence = (
        f"table 'calls', row {rows}: subscriber {who} must be subscribed on 2025-10-02, got left on 2025-06-03; drop "
        "the call or mend the cancellation."
    )
    out = tmp_path / "lists"
    assert refused([*SAME, "--warehouse", str(path), "--folder", str(out)], capsys) == sentence
    assert files(out) == ["audit.jsonl"]


def test_a_half_loaded_week_is_refused(warehouse, tmp_path, capsys):
    half = "DELETE FROM usage_weekly WHERE week = DATE '2025-12-22' AND subscriber_id % 2 = 0"
    path, out = spoilt(warehouse, tmp_path, half), tmp_path / "lists"
    with duckdb.connect(path, read_only=True) as connection:
        weeks = connection.execute("SELECT count(*) FROM usage_weekly GROUP BY week ORDER BY week").df().iloc[:, 0]
    usual = weeks.iloc[-9:-1].median()
    assert refused([*SAME, "--warehouse", str(path), "--folder", str(out)], capsys) == (
        f"table 'usage_weekly' must be loaded with {round(0.8 * usual)} to {round(1.25 * usual)} rows in the week of "
        f"2025-12-22, got {weeks.iloc[-1]}; wait for the load or look for what doubled or dropped them."
    )
    assert files(out) == ["audit.jsonl"]


@pytest.mark.parametrize(
    ("date", "sentence"),
    [
        (
            "2026-02-01",
            "table 'usage_weekly' must be loaded up to 2026-01-19, got 2025-12-22; wait for the load or pass an "
            "earlier --date.",
        ),
        (
            "2026-01-03",  # no week has ended since
            "--date must be at most 2026-01-01, before which the warehouse is loaded, got 2026-01-03; wait for the "
            "load or pass an earlier date.",
        ),
        (
            "2024-03-01",
            "the cohorts to train on must be preceded by 182 days of usage, got 2023-11-01 as the oldest, and usage "
            "from 2024-01-01 on; pass a later --date.",
        ),
        (
            "2019-03-01",
            "table 'usage_weekly' must be loaded up to 2019-02-18, got no rows; wait for the load or pass an earlier "
            "--date.",
        ),
        (
            "2026-01-32",
            "the command must be written as its --help says, got argument --date: invalid fromisoformat value: "
            "'2026-01-32'; mend it.",
        ),
    ],
)
def test_a_date_that_cannot_be_scored_is_refused(warehouse, tmp_path, capsys, date, sentence):
    words = ["score", "--date", date, "--warehouse", str(warehouse), "--folder", str(tmp_path / "lists")]
    assert refused(words, capsys) == sentence
    assert files(tmp_path / "lists") in ([], ["audit.jsonl"])


def test_what_is_no_warehouse_or_no_command_is_refused(warehouse, tmp_path, capsys):
    (tmp_path / "notes.duckdb").write_text("not a database")
    out = tmp_path / "lists"
    for words, sentence in (
        (
            [*SAME, "--warehouse", "gone.duckdb", "--folder", str(out)],
            "input 'warehouse' must be a file, got nothing at 'gone.duckdb'; wait for the load or mend the path.",
        ),
        (
            [*SAME, "--warehouse", str(tmp_path / "notes.duckdb"), "--folder", str(out)],
            "the warehouse must be a DuckDB file, got 'notes.duckdb', which DuckDB cannot open; wait until its load is "
            "over, or write it anew with save_warehouse.",
        ),
        (
            [*SAME, "--warehouse", str(warehouse), "--folder", str(out), "--models", str(tmp_path / "none")],
            "the finished output for 2026-01-01 must be at most 35 days old, got none at all; mend and run the job, or "
            "raise max_age_days.",
        ),
        (
            [*SAME, "--warehouse", str(warehouse), "--folder", str(out), "--capacity", "0"],
            "--capacity must be 1 or more, got 0; give the calls that the team can make in a day.",
        ),
        (
            [*SAME, "--folder", str(out)],
            "the command must be written as its --help says, got the following arguments are required: --warehouse; "
            "mend it.",
        ),
        (
            ["rank", *SAME[1:]],
            "the command must be one of train, score, show, got 'rank'; write 'score --help' for its arguments.",
        ),
    ):
        assert refused(words, capsys) == sentence
    assert files(out) == ["audit.jsonl"]


SPOILT = {
    "customers": ("price = -1", "plan = 'gold'", "bill_day = 31", "price = 'nan'", "role = NULL"),
    "usage_weekly": ("logins = 0", "week = week - 7", "last_login_on = DATE '2023-01-01'"),
    "tickets": ("severity = 5", "sentiment = 1.5", "resolved_on = opened_on - 1", "sentiment = 'nan'"),
    "surveys": ("score = 11", "score = NULL", "subscriber_id = -4"),
    "calls": ("called_on = called_on + 40", "listed_by = 'boss'", "reached = NULL"),
    "feedback": ("happened_on = DATE '2026-01-01'", "happened_on = DATE '2019-01-01'"),
    "failed_payments": ("recovered_on = failed_on - 3", "failed_on = NULL"),
    "pilot": ("subscriber_id = 1", "arm = ''", "enrolled_on = DATE '2031-02-03'"),
}


@pytest.mark.parametrize(("table", "change"), [(table, change) for table in SPOILT for change in SPOILT[table]])
def test_the_rules_in_sql_find_what_the_contract_in_pandas_finds(warehouse, table, change):
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{warehouse}' AS kept (READ_ONLY)")
        for name in TABLES:
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM kept.{name}")
        where = "" if change.startswith("called_on") or change == "subscriber_id = 1" else "WHERE rowid % 50 = 3"
        connection.execute(f"UPDATE {table} SET {change} {where}")
        in_sql = broken_rules(connection, date(2026, 1, 1))
        try:
            check_tables({name: connection.execute(f"FROM {name}").df() for name in TABLES}, today="2026-01-01")
            in_pandas = False
        except ContractError:
            in_pandas = True
    assert bool(in_sql) == in_pandas
    assert in_pandas or change in {"score = NULL", "sentiment = 'nan'", "happened_on = DATE '2019-01-01'"}


def test_a_sound_warehouse_breaks_no_rule(warehouse):
    with open_warehouse(warehouse) as connection:
        assert broken_rules(connection, date(2026, 1, 1)) == []
        assert set(broken_rules(connection, date(2025, 12, 1))) > {"usage_weekly", "tickets", "cancellations"}
