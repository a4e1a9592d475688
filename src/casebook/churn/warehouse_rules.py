"""The contract of the event tables as SQL: a warehouse can be held against it without a row leaving it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import pandera.pandas as pa

from casebook.churn.table_checks import EVENTS
from casebook.churn.tables import TABLES

_CALLED_LATE = {"calls": 1}  # days: a list is a day old when it is worked
_DAYS = {name: column for name, (column, _) in EVENTS.items()}
_DAYS |= {"cancellations": "cancelled_on", "feedback": "happened_on"}
_ORDER = {"tickets": ("opened_on", "resolved_on"), "failed_payments": ("failed_on", "recovered_on")}


def rules(today: date) -> Iterator[tuple[str, str]]:
    """Yield each rule's table and the query that counts the rows which break it.

    They are those of :func:`casebook.churn.tables.check_tables`, read off the same schemas.

    Parameters
    ----------
    today : datetime.date
        No event may lie on it or after it.

    Examples
    --------
    >>> dict(rules(date(2026, 1, 1)))["calls"]
    "SELECT COUNT(*) FROM calls WHERE called_on >= DATE '2026-01-01'"
    """
    yield "customers", "SELECT CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END FROM customers"
    for table, schema in TABLES.items():
        yield table, f"SELECT COUNT(*) FROM {table} WHERE {' OR '.join(_bad_values(schema))}"
        for key in _keys(schema):
            yield table, f"SELECT COUNT(*) FROM (SELECT {key} FROM {table} GROUP BY {key} HAVING COUNT(*) > 1)"
        yield table, f"SELECT COUNT(*) FROM {table} ANTI JOIN customers USING (subscriber_id)"
    for table, column in _DAYS.items():
        signed = f"SELECT COUNT(*) FROM {table} JOIN customers USING (subscriber_id) WHERE {column} < signed_up_on"
        left = f"SELECT COUNT(*) FROM {table} JOIN cancellations USING (subscriber_id) WHERE {column} > cancelled_on"
        if table != "feedback":
            yield table, signed
        if table in EVENTS:
            yield table, f"{left} + INTERVAL {_CALLED_LATE.get(table, 0)} DAY"
    for table, (first, second) in _ORDER.items():
        yield table, f"SELECT COUNT(*) FROM {table} WHERE {second} < {first}"
    for table, column in _DAYS.items():
        yield table, f"SELECT COUNT(*) FROM {table} WHERE {column} >= DATE '{today}'"


def _bad_values(schema: pa.DataFrameSchema) -> Iterator[str]:
    for name, rule in schema.columns.items():
        if not rule.nullable:
            yield f"{name} IS NULL"
            if str(rule.dtype).startswith("float"):
                yield f"isnan({name})"
        for check in rule.checks:
            known = check.statistics
            if "min_value" in known:
                yield f"{name} < {known['min_value']}"
            if "max_value" in known:
                yield f"({name} > {known['max_value']} AND NOT isnan({name}))"
            if "allowed_values" in known:
                yield f"{name} NOT IN ({', '.join(repr(word) for word in known['allowed_values'])})"


def _keys(schema: pa.DataFrameSchema) -> Iterator[str]:
    for name, rule in schema.columns.items():
        if rule.unique:
            yield name
    if schema.unique:
        yield ", ".join(schema.unique)


def broken_rules(connection: duckdb.DuckDBPyConnection, today: date) -> list[str]:
    """Return the tables that break a rule, one entry a rule; none if the warehouse keeps its contract.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Its tables have the columns and the types of the contract.
    today : datetime.date
    """
    return [table for table, query in rules(today) if connection.execute(query).fetchall()[0][0]]
