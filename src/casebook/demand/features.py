"""Features as of an origin, for every day that its order covers: nothing after the origin's close is read.

The query is :func:`casebook.demand.feature_sql.feature_query`; this module gives it the tables and checks the request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pandas as pd

from casebook.contracts import refuse, require_columns
from casebook.demand.feature_spec import COLUMNS, FEATURES, IDS, READ
from casebook.demand.feature_sql import feature_query, for_warehouse
from casebook.demand.origins import HORIZONS, as_horizons, as_origins, legal_lags

__all__ = ["COLUMNS", "FEATURES", "IDS", "build", "build_from_parquet", "feature_query", "for_warehouse", "legal_lags"]

#: Tables that may have no rows: nothing was promoted, observed or forecast.
MAY_BE_EMPTY = ("promotions", "weather", "weather_forecasts")


def build(
    tables: Mapping[str, pd.DataFrame],
    origins: Iterable[int],
    horizons: Iterable[int] = HORIZONS,
    target: str = "sold",
    con: duckdb.DuckDBPyConnection | None = None,
) -> pd.DataFrame:
    """Build the features of every cell for every origin and horizon, as they stood at the origin's close.

    Of sales and weather the days up to the origin count, of forecasts those made at the origin, of promotions those
    announced by it. The calendar, the assortment and the dates on which stores open and close are plans: they are read
    for the target day. Ten million rows take 8 GB here; :func:`build_from_parquet` takes about half.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        The tables of :data:`casebook.demand.feature_spec.READ`, rows in any order; not changed. The calendar holds
        every day from the first sale to the last target.
    origins : iterable of int
        Sundays, such as :func:`casebook.demand.origins.weekly_origins` gives.
    horizons : iterable of int
        Days from the origin to the target, 1 to 14.
    target : str
        Column of ``sales`` that becomes ``y``. To train on an estimate of demand, add it to ``sales`` as a column; to
        leave days out, set them missing there. The lags are of ``sold`` in either case.
    con : duckdb.DuckDBPyConnection, optional
        To set threads or memory; by default a fresh one.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`casebook.demand.feature_spec.COLUMNS`: whole-number ids, ``y`` (float; missing where no sale is
        recorded, such as in the future), features of four bytes each, missing where there is no past. Ordered by
        store, SKU, origin and horizon; a row for each target day on which the cell is on sale.

    Raises
    ------
    ContractError
        A missing table or column, an origin or horizon that is none or before the calendar, a calendar with a gap
        or without a target day, a (store, SKU, day) that stands twice.

    Examples
    --------
    >>> import numpy as np
    >>> from casebook.demand.simulate import simulate
    >>> from casebook.demand.world import World
    >>> history = simulate(World(), 4, 12, np.random.default_rng(0), days=196)
    >>> features = build(history.tables, [181, 188])
    >>> features[["origin", "horizon", "day"]].drop_duplicates().head(2).to_numpy().tolist()
    [[181, 4, 185], [181, 5, 186]]
    """
    for name in READ:
        if name not in tables:
            refuse("tables", f"a mapping with a table {name!r}", ", ".join(map(repr, tables)), f"add {name!r}")
        if len(tables[name]) or name not in MAY_BE_EMPTY:
            require_columns(tables[name], _columns(name, target), f"table {name!r}")
    with _connection(con) as connection:
        for name in READ:
            connection.register(name, tables[name][_columns(name, target)])
        try:
            _prepare(connection, origins, horizons)
            return connection.execute(feature_query(target)).df()
        finally:
            for name in (*READ, "origins", "horizons"):
                connection.unregister(name)


def build_from_parquet(
    folder: str | Path,
    out: str | Path,
    origins: Iterable[int],
    horizons: Iterable[int] = HORIZONS,
    target: str = "sold",
    memory_limit: str = "6GB",
    threads: int = 2,
) -> int:
    """Build the features from Parquet files into a Parquet file, without holding either in memory.

    Parameters
    ----------
    folder : str or Path
        Holds ``<table>.parquet`` or ``<table>/*.parquet`` for every table of
        :data:`casebook.demand.feature_spec.READ`.
    out : str or Path
        The file to write; its folder is made. An older file of the name is replaced.
    origins, horizons, target
        As in :func:`build`, and so are the rows and their order.
    memory_limit : str
        What DuckDB may use; beyond it works on disk beside ``out``.
    threads : int
        The result does not depend on it.

    Returns
    -------
    int
        The number of rows written.

    Raises
    ------
    ContractError
        A table without a file, and what :func:`build` refuses.
    """
    source, path = Path(folder), Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    part, spill = (path.with_name(f"{path.name}.{end}") for end in ("part", "spill"))
    config: dict[str, str | bool | int | float | list[str]] = {"memory_limit": memory_limit, "threads": threads}
    config["temp_directory"] = str(spill)
    with duckdb.connect(config=config) as connection:
        for name in READ:
            connection.read_parquet(_files(source, name)).create_view(name)
        _prepare(connection, origins, horizons)
        copy = f"COPY ({feature_query(target)}) TO '{_quoted(part)}' (FORMAT parquet)"
        rows = _row(connection, copy)[0]
    part.replace(path)  # a crash half-way leaves the older file whole
    return rows


def _columns(name: str, target: str) -> list[str]:
    return list(dict.fromkeys([*READ[name], target])) if name == "sales" else list(READ[name])


def _files(folder: Path, name: str) -> list[str]:
    single = folder / f"{name}.parquet"
    found = [single] if single.exists() else sorted((folder / name).glob("*.parquet"))
    if not found:
        mend = f"write it as {name}.parquet or {name}/*.parquet"
        refuse(f"folder {folder.name!r}", f"a folder with the table {name!r}", "no such file", mend)
    return [str(path) for path in found]


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


@contextmanager
def _connection(con: duckdb.DuckDBPyConnection | None) -> Iterator[duckdb.DuckDBPyConnection]:
    if con is not None:
        yield con
        return
    with duckdb.connect() as connection:
        yield connection


def _prepare(connection: duckdb.DuckDBPyConnection, origins: Iterable[int], horizons: Iterable[int]) -> None:
    days, ahead = as_origins(origins), as_horizons(horizons)
    connection.register("origins", pd.DataFrame({"origin": days}))
    connection.register("horizons", pd.DataFrame({"horizon": ahead}))
    first, last, count = _row(connection, "SELECT MIN(day), MAX(day), COUNT(DISTINCT day) FROM calendar")
    if last - first + 1 != count:
        got = f"{last - first + 1 - count} days missing between day {first} and day {last}"
        refuse("calendar", "a table of every day", got, "add the missing days")
    if days[0] < first:
        mend = "drop the earlier origins or add the calendar's earlier days"
        refuse("origins", f"days of the calendar, which begins with day {first}", str(days[0]), mend)
    if last < days[-1] + ahead[-1]:
        refuse("calendar", f"a table up to the last target, day {days[-1] + ahead[-1]}", f"day {last}", "add the days")
    began, twice = _row(connection, _SALES)
    if began is not None and began < first:
        refuse("calendar", f"a table from the first sale on, day {began}", f"day {first}", "add the earlier days")
    if twice:
        refuse("sales", "one row a store, SKU and day", f"two on a day of week {twice - 1}", "drop the copies")


# A week's days as bits: two rows on one day count twice and set one bit.
_SALES = """
SELECT MIN(began), MAX(CASE WHEN rows > BIT_COUNT(days) THEN week + 1 END) FROM (
  SELECT day // 7 AS week, MIN(day) AS began, COUNT(*) AS rows, BIT_OR(1 << (day % 7)) AS days
  FROM sales GROUP BY store_id, sku_id, day // 7
) AS weeks"""


def _row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    row: tuple[int, ...] = connection.execute(query).fetchall()[0]
    return row
