"""The same sufficient statistics out of a Parquet file: many metrics in one pass of DuckDB."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from os import PathLike
from typing import TYPE_CHECKING

import pandas as pd

from casebook._schema_words import missing_column, shown
from casebook.contracts import refuse
from casebook.experiments.moments import ROWS, Metric, Moments, as_metric, require_arms

if TYPE_CHECKING:
    import duckdb

_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_NUMBERS = ("BOOLEAN", "FLOAT", "DOUBLE", *_WHOLE, *(f"U{kind}" for kind in _WHOLE))


def parquet_moments(
    path: str | PathLike[str],
    metrics: Sequence[str | Metric],
    arm: str,
    *,
    unit: str | None = None,
    arms: Sequence[Hashable] | None = None,
    connection: duckdb.DuckDBPyConnection | None = None,
) -> dict[str | Metric, dict[Hashable, Moments]]:
    """Return the sufficient statistics of many metrics by arm, from a file that need not fit into memory.

    One query aggregates all metrics, each sum once however many metrics share it; two short ones before it read
    the arms and the units alone. Sums of floats over several threads may differ in their last digits from run to run.

    Parameters
    ----------
    path : path-like
        A Parquet file, or a pattern such as ``"days/*.parquet"``.
    metrics : sequence of str or Metric
        As for :func:`casebook.experiments.arm_moments`, one or more.
    arm, unit, arms
        As there. ``unit`` is worth giving where each unit has one row, too: it is then checked to be so.
    connection : duckdb.DuckDBPyConnection, optional
        To bound its memory or threads, or to reach a remote file system.

    Returns
    -------
    dict of dict of Moments
        By the metric as it was passed, then by the arm's name.

    Raises
    ------
    ContractError
        As :func:`casebook.experiments.arm_moments`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     users = pd.DataFrame({"arm": ["a", "a", "b", "b"], "clicks": [1, 2, 3, 5]})
    ...     users.to_parquet(f"{folder}/users.parquet")
    ...     got = parquet_moments(f"{folder}/users.parquet", ["clicks"], "arm")
    >>> got["clicks"]["b"].sums, got["clicks"]["b"].products
    ((8.0,), ((34.0,),))
    """
    import duckdb

    wanted = {metric: as_metric(metric) for metric in metrics}
    if not wanted:
        refuse("metrics", "one or more", "none", "name the columns to read")
    own = duckdb.connect() if connection is None else connection.cursor()
    with own as cursor:
        table = f"read_parquet({_text(str(path))})"
        terms = _terms(wanted.values())
        _require_columns(cursor, table, terms, [arm] + ([] if unit is None else [unit]))
        labels = _labels(cursor, table, arm)
        require_arms(labels, arms, arm)
        repeats = unit is not None and _repeats(cursor, table, arm, unit)
        source = _per_unit(table, terms, arm, str(unit)) if repeats else _per_row(table, terms, arm)
        sums = _aggregate(cursor, source, wanted.values(), terms)
    return {key: {label: _moments(sums[label], metric, terms) for label in labels} for key, metric in wanted.items()}


# What a metric makes of a column, and the column: the key of a sum.
_Term = tuple[str, str]
_Sums = dict[tuple[int, ...], float]


def _roles(metric: Metric) -> list[_Term]:
    roles = ["y"] + ["denominator"] * (metric.denominator is not None) + ["before"] * len(metric.before)
    return list(zip(roles, metric.columns, strict=True))


def _terms(metrics: Iterable[Metric]) -> dict[_Term, int]:
    found = dict.fromkeys(term for metric in metrics for term in _roles(metric))
    return {term: i for i, term in enumerate(found)}


def _per_row(table: str, terms: dict[_Term, int], arm: str) -> str:
    values = [f"{_double(column)} AS v{i}" for (_, column), i in terms.items()]
    return f"SELECT {_name(arm)} AS arm, {', '.join(values)} FROM {table}"


def _per_unit(table: str, terms: dict[_Term, int], arm: str, unit: str) -> str:
    """Return the query of each unit's sums: NULL where a value is missing, below 0 where a denominator is."""
    values = []
    for (role, column), i in terms.items():
        value = _double(column)
        whole = {
            "y": f"sum({value})",
            "denominator": f"CASE WHEN min({value}) < 0 THEN min({value}) ELSE sum({value}) END",
            "before": f"CASE WHEN min({value}) = max({value}) THEN min({value}) END",
        }[role]
        values.append(f"CASE WHEN count({value}) = count(*) THEN {whole} END AS v{i}")
    return f"SELECT any_value({_name(arm)}) AS arm, {', '.join(values)} FROM {table} GROUP BY {_name(unit)}"


def _aggregate(
    cursor: duckdb.DuckDBPyConnection, source: str, metrics: Iterable[Metric], terms: dict[_Term, int]
) -> dict[Hashable, _Sums]:
    """Return for each arm its n, at (), the sum of each term i, at (i,), and of each needed product, at (i, j)."""
    pairs = {pair for metric in metrics for pair in _pairs(metric, terms)}
    keys: list[tuple[int, ...]] = [(i,) for i in terms.values()] + sorted(pairs)
    wanted = [f"sum({' * '.join(f'v{i}' for i in key)})" for key in keys]
    least = {i: f"min(v{i})" if role == "denominator" else "NULL" for (role, _), i in terms.items()}
    checks = [f"count(*) - count(v{i}), {least[i]}" for i in terms.values()]
    query = f"SELECT arm, count(*), {', '.join(checks + wanted)} FROM ({source}) GROUP BY arm"
    sums: dict[Hashable, _Sums] = {}
    for label, n, *rest in cursor.execute(query).fetchall():
        for (role, column), i in terms.items():
            _require_sound(role, column, missing=rest[2 * i], least=rest[2 * i + 1])
        sums[label] = {(): n, **dict(zip(keys, rest[2 * len(terms) :], strict=True))}
    return sums


def _pairs(metric: Metric, terms: dict[_Term, int]) -> list[tuple[int, int]]:
    own = sorted(terms[term] for term in _roles(metric))
    return [(i, j) for place, i in enumerate(own) for j in own[place:]]


def _moments(sums: _Sums, metric: Metric, terms: dict[_Term, int]) -> Moments:
    own = [terms[term] for term in _roles(metric)]
    products = tuple(tuple(sums[min(i, j), max(i, j)] for j in own) for i in own)
    return Moments(int(sums[()]), tuple(sums[i,] for i in own), products, metric)


def _require_sound(role: str, column: str, missing: int, least: float | None) -> None:
    what = f"column {column!r}"
    if missing and role == "before":
        refuse(what, "one value per unit", f"none or several in {missing}", "fill it in and sum it over the unit first")
    if missing:
        mend = "give every randomised unit one, for dropping some undoes the randomisation"
        refuse(what, "a finite number in every row", f"{missing} missing", mend)
    if role == "denominator" and least is not None and least < 0:
        refuse(what, "0 or more", shown(least), "take a count as denominator")


def _require_columns(
    cursor: duckdb.DuckDBPyConnection, table: str, terms: dict[_Term, int], others: Sequence[str]
) -> None:
    types = {name: kind for name, kind, *_ in cursor.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()}
    numbers = [column for _, column in terms if column != ROWS]
    for column in [*numbers, *others]:
        if column not in types:
            refuse(*missing_column(pd.DataFrame(columns=list(types)), column, "the file", [*numbers, *others]))
    for column in numbers:
        if types[column] not in _NUMBERS and not types[column].startswith("DECIMAL"):
            refuse(f"column {column!r}", "numbers or bools", types[column], "convert it before the file is written")


def _labels(cursor: duckdb.DuckDBPyConnection, table: str, arm: str) -> list[Hashable]:
    rows = cursor.execute(f"SELECT DISTINCT {_name(arm)} AS arm FROM {table} ORDER BY arm").fetchall()
    labels = [label for (label,) in rows]
    if not labels:
        refuse("the file", "a table with at least one row", "no rows", "check the filter or the join that made it")
    if None in labels:
        refuse(f"column {arm!r}", "filled in", "a missing value", "find out how a unit got no arm")
    return labels


def _repeats(cursor: duckdb.DuckDBPyConnection, table: str, arm: str, unit: str) -> bool:
    """Return whether units have several rows; each must lie in one arm."""
    key, side = _name(unit), _name(arm)
    query = f"SELECT count(*), count({key}), count(DISTINCT {key}) FROM {table}"
    rows, filled, units = cursor.execute(query).fetchall()[0]
    if filled < rows:
        refuse(f"column {unit!r}", "filled in", "a missing value", "give a unit that stands alone a label of its own")
    if units == rows:
        return False
    query = f"SELECT {key} FROM {table} GROUP BY {key} HAVING min({side}) <> max({side}) ORDER BY {key} LIMIT 1"
    mixed = cursor.execute(query).fetchall()
    if mixed:
        refuse(
            f"unit {shown(mixed[0][0])}", "in one arm", "two", "find out how it crossed over before you read any effect"
        )
    return True


def _double(column: str) -> str:
    return "CAST(1 AS DOUBLE)" if column == ROWS else f"CAST({_name(column)} AS DOUBLE)"


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
