"""The warehouse as a DuckDB file: written by the load, read by the job, held against its contract before it is used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pandas as pd

from casebook.churn.features import Date, day
from casebook.churn.tables import TABLES, check_tables
from casebook.churn.warehouse_rules import broken_rules
from casebook.churn.world import TODAY
from casebook.contracts import refuse, require_columns
from casebook.jobs import check_fresh, check_loaded, write_through

LOADS = "loads"  # one row: the day before which everything is loaded
MAX_LAG = {"cancellations": ("cancelled_on", 10), "tickets": ("opened_on", 7)}  # no bill falls on the 29th to the 2nd
USUAL_WEEKS, USUAL = 8, (0.8, 1.25)  # a week's rows against the median of the weeks before it
_KINDS = {
    "int": ("INT", "HUGEINT"),  # all of TINYINT, UBIGINT and so on
    "float": ("INT", "FLOAT", "DOUBLE", "DECIMAL"),
    "datetime": ("DATE", "TIMESTAMP"),
    "bool": ("BOOL",),
    "None": ("VARCHAR", "ENUM"),
}
_SAID = {"int": "whole numbers", "float": "numbers", "datetime": "dates", "bool": "true or false", "None": "text"}


def save_warehouse(tables: Mapping[str, pd.DataFrame], path: str | Path, known_before: Date = TODAY) -> Path:
    """Write the event tables into a DuckDB file, whole or not at all; an older file is replaced.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        Those of :data:`casebook.churn.tables.TABLES`; they are not checked here, which is the reader's part.
    path : str or path
        In a folder that exists.
    known_before : str or datetime
        Everything before this day is loaded.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ContractError
        ``known_before`` is no date.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save_warehouse({"customers": pd.DataFrame({"subscriber_id": [7]})}, Path(folder) / "week.duckdb")
    ...     with open_warehouse(path) as connection:
    ...         print(connection.execute("SELECT * FROM customers").fetchall())
    [(7,)]
    """
    loaded = day(known_before, "known_before").date()

    def write(temp: Path) -> None:
        with duckdb.connect(temp, config={"threads": 1}) as connection:
            for name, frame in tables.items():
                connection.register("frame", frame)
                connection.execute(f'CREATE TABLE "{name}" AS SELECT {_dated(frame)} FROM frame')
                connection.unregister("frame")
            connection.execute(f"CREATE TABLE {LOADS} AS SELECT CAST(? AS DATE) AS known_before", [loaded])

    write_through(path, write)
    return Path(path)


def _dated(frame: pd.DataFrame) -> str:
    """Return the columns of a select that turns times of pandas into dates."""
    dates = set(frame.select_dtypes("datetime").columns)
    return ", ".join(f'CAST("{name}" AS DATE) AS "{name}"' if name in dates else f'"{name}"' for name in frame.columns)


def open_warehouse(path: str | Path, threads: int = 1) -> duckdb.DuckDBPyConnection:
    """Return a connection that can only read.

    Raises
    ------
    ContractError
        No file, or one that DuckDB cannot open.

    Examples
    --------
    >>> open_warehouse("nowhere.duckdb")
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: the warehouse must be a DuckDB file, got nothing at 'nowhere.duckdb'; wait for
    the load or mend the path.
    """
    place = Path(path)
    if not place.is_file():
        refuse(
            "the warehouse", "a DuckDB file", f"nothing at '{place.as_posix()}'", "wait for the load or mend the path"
        )
    try:
        return duckdb.connect(place, read_only=True, config={"threads": threads})
    except duckdb.Error:
        got = f"'{place.name}', which DuckDB cannot open"
    refuse("the warehouse", "a DuckDB file", got, "wait until its load is over, or write it anew with save_warehouse")


def check_schema(connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse a warehouse that lacks a table or a column, or has one of another type; no row is read but the first.

    Raises
    ------
    ContractError
    """
    there = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    for table in (*TABLES, LOADS):
        if table not in there:
            refuse("the warehouse", f"one with a table {table!r}", ", ".join(sorted(there)) or "none", "load it")
    for table, schema in TABLES.items():
        first = connection.execute(f"SELECT * FROM {table} LIMIT 1").df()
        kinds = {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE {table}").fetchall()}
        if len(first) or table == "customers" or set(schema.columns) - set(kinds):
            require_columns(first, list(schema.columns), f"table {table!r}")
        for column, rule in schema.columns.items():
            said = next(name for name in _KINDS if str(rule.dtype).startswith(name))
            if not any(part in kinds[column] for part in _KINDS[said]):
                what, mend = f"table {table!r}, column {column!r}", "cast it in the load"
                refuse(what, f"of {_SAID[said]}", f"the type {kinds[column]}", mend)


def check_day(connection: duckdb.DuckDBPyConnection, at: date) -> None:
    """Refuse a day up to which the warehouse is not loaded, or whose last whole week is loaded in part.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Of a warehouse that has passed :func:`check_schema`.
    at : datetime.date
        The day to be scored; it may lie in the past, and rows on it or after it are not looked at.

    Raises
    ------
    ContractError
        A table that ends too early, a week with far fewer rows than usual, or a day that has not been loaded.
    """
    week = last_week(at)
    newest = connection.execute("SELECT max(week) FROM usage_weekly WHERE week <= ?", [week]).fetchall()[0][0]
    check_fresh({"usage_weekly": newest}, week, max_lag_days=0)
    for table, (column, lag) in MAX_LAG.items():
        newest = connection.execute(f"SELECT max({column}) FROM {table} WHERE {column} < ?", [at]).fetchall()[0][0]
        check_fresh({table: newest}, at, max_lag_days=lag)
    query = "SELECT week, COUNT(*) AS n FROM usage_weekly WHERE week <= ? AND week >= ? GROUP BY week ORDER BY week"
    rows = connection.execute(query, [week, week - timedelta(weeks=USUAL_WEEKS)]).df()["n"]
    if len(rows) > 1:
        usual = rows.iloc[:-1].median()
        bounds = (round(USUAL[0] * usual), round(USUAL[1] * usual))
        counted = {"usage_weekly": int(rows.iloc[-1])}
        check_loaded(counted, expected={"usage_weekly": bounds}, what=f"rows in the week of {week}")
    if at > (known := known_before(connection)):
        must, mend = (
            f"at most {known}, before which the warehouse is loaded",
            "wait for the load or pass an earlier date",
        )
        refuse("--date", must, str(at), mend)


def last_week(at: date) -> date:
    """Return the Monday of the last week that is over on ``at``.

    Examples
    --------
    >>> str(last_week(date(2026, 1, 1))), str(last_week(date(2026, 1, 5)))
    ('2025-12-22', '2025-12-29')
    """
    return at - timedelta(days=at.weekday() + 7)


def known_before(connection: duckdb.DuckDBPyConnection) -> date:
    """Return the day before which everything is loaded, as the load has written it down.

    Raises
    ------
    ContractError
        Not one row, or no date in it.
    """
    rows = connection.execute(f"SELECT * FROM {LOADS}").fetchall()
    if len(rows) != 1 or type(rows[0][0]) is not date:
        refuse(f"table {LOADS!r}", "one row with one date", f"{len(rows)} rows", "write the day of the load into it")
    loaded: date = rows[0][0]
    return loaded


def check_rows(connection: duckdb.DuckDBPyConnection) -> None:
    """Hold every row against the contract of :func:`casebook.churn.tables.check_tables`; nothing may be in the future.

    Raises
    ------
    ContractError
    """
    today = known_before(connection)
    if broken_rules(connection, today):  # in SQL, which is fast; the sentence is then found in pandas
        tables = {table: connection.execute(f"SELECT * FROM {table}").df() for table in TABLES}
        check_tables(tables, today=today.isoformat())
