"""The query's text, its version for other warehouses, and the tables that it refuses."""

import re

import duckdb
import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.demand.feature_spec import COLUMNS, FEATURES
from casebook.demand.feature_sql import feature_query, for_warehouse
from casebook.demand.features import build
from casebook.demand.origins import HORIZONS, weekly_origins
from tests.package.demand.tiny import tiny

ROUNDING = 1e-6  # features have four bytes, the other warehouse's have eight
DAYS = 480
ORIGINS = weekly_origins(DAYS - 130, DAYS)


@pytest.fixture(scope="module")
def tables():
    return tiny(np.random.default_rng(1), DAYS)


def without(table, column):
    return lambda tables: tables | {table: tables[table].drop(columns=column)}


def rows_of(table, choose):
    return lambda tables: tables | {table: choose(tables[table])}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("sales", "stocked_out"),
         "table 'sales' must be a table with a column 'stocked_out', got "),
        (lambda tables: {name: frame for name, frame in tables.items() if name != "weather"},
         "tables must be a mapping with a table 'weather', got 'stores', 'products', 'calendar', 'weather_forecasts', "
         "'cells', 'promotions', 'sales'; add 'weather'."),
        (rows_of("cells", lambda cells: cells.iloc[:0]),
         "table 'cells' must be a table with at least one row, got no rows; "
         "check the filter or the join that made it."),
        (rows_of("calendar", lambda days: days[(days["day"] < 70) | (days["day"] > 71)]),
         "calendar must be a table of every day, got 2 days missing between day 0 and day 493; add the missing days."),
        (rows_of("calendar", lambda days: days[days["day"] < 480]),
         "calendar must be a table up to the last target, day 485, got day 479; add the days."),
        (rows_of("calendar", lambda days: days[days["day"] >= 70]),
         "calendar must be a table from the first sale on, day 0, got day 70; add the earlier days."),
        (rows_of("sales", lambda sales: pd.concat([sales, sales[sales["day"] == 75].iloc[:1]])),
         "sales must be one row a store, SKU and day, got two on a day of week 10; drop the copies."),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_read_are_refused(tables, change, message):
    with pytest.raises(ContractError) as refused:
        build(change(tables), [ORIGINS[-1]])
    assert str(refused.value).startswith(message) if message.endswith(" ") else str(refused.value) == message


def test_an_origin_before_the_first_day_is_refused(tables):
    with pytest.raises(ContractError) as refused:
        build(tables, [-1, 6])
    assert str(refused.value) == (
        "origins must be days of the calendar, which begins with day 0, got -1; "
        "drop the earlier origins or add the calendar's earlier days."
    )


def test_a_target_that_is_none_is_refused(tables):
    with pytest.raises(ContractError, match=r"^table 'sales' must be a table with a column 'wanted', got "):
        build(tables, [ORIGINS[0]], target="wanted")
    with pytest.raises(ContractError) as refused:
        feature_query("sold; DROP TABLE sales")
    assert str(refused.value) == (
        "target must be the name of a column, got 'sold; DROP TABLE sales'; rename the column."
    )


def test_the_query_looks_ahead_only_for_y_and_the_calendar():
    query = feature_query()
    assert re.findall(r"LEAD\((\w)\d", query) == ["y"] * 14
    assert query.count("FOLLOWING") == 1 and "lag_7" not in query and "lag_7" not in FEATURES
    assert set(re.findall(r"\by\d_\d", query.split(" AS y,")[0].rsplit("CAST(", 1)[1])) <= set(
        re.findall(r"\by\d_\d", query)
    )


@pytest.mark.parametrize("dialect", ["bigquery", "snowflake"])
def test_the_query_has_a_version_for_other_warehouses(dialect):
    import sqlglot

    text = for_warehouse(dialect)
    assert sqlglot.parse_one(text, read=dialect).named_selects == list(COLUMNS)
    assert "NULLS" not in text.upper().replace("IGNORE_NULLS", "")


def test_the_warehouse_version_gives_the_same_rows_when_it_comes_back(tables):
    import sqlglot

    built = build(tables, ORIGINS)
    back = sqlglot.transpile(for_warehouse("bigquery"), read="bigquery", write="duckdb")[0]
    with duckdb.connect() as connection:
        for name, frame in tables.items():
            connection.register(name, frame)
        connection.register("origins", pd.DataFrame({"origin": ORIGINS}))
        connection.register("horizons", pd.DataFrame({"horizon": list(HORIZONS)}))
        found = connection.execute(back).df()
    found = found.astype(built.dtypes)
    pd.testing.assert_frame_equal(found, built, rtol=ROUNDING, atol=ROUNDING)


def test_a_dialect_that_is_none_is_refused():
    with pytest.raises(ContractError, match=r"^dialect must be one of .*bigquery.*, got 'cobol'; take one of these\.$"):
        for_warehouse("cobol")
