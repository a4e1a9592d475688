"""The demand features as one query: what was known at the close of each origin, and nothing after it.

Sales are first folded to one row a cell and week, with a column a weekday: a seventh of the rows. An origin is a
Sunday, so that the weeks up to its own are the past and the two that follow hold the targets. Windows run over these
rows; only then does each origin become its target days. Sums are of whole numbers: the same on one thread or on eight,
in whatever order the rows lie.
"""

from __future__ import annotations

from casebook.contracts import refuse
from casebook.demand.feature_spec import COLUMNS, IDS, YEAR
from casebook.demand.feature_sql_plans import PROMOTIONS, STATIC, TARGETS
from casebook.demand.origins import FARTHEST

_BACK = range(1, 4)  # weeks before the origin's that a lag of the target day reads
_LATE, _EARLY = YEAR // 7 - 1, YEAR // 7 - 2  # weeks back to last year's Thursday to Sunday, Monday to Wednesday


def _each(template: str, glue: str = ",\n    ") -> str:
    return glue.join(template.format(n=day) for day in range(7))


def _weekly(target: str) -> str:
    return f"""weekly AS (
  SELECT store_id, sku_id, day // 7 AS week,
    COUNT(*) AS days,
    CAST(SUM(sold) AS BIGINT) AS units,
    CAST(SUM(sold * sold) AS BIGINT) AS squares,
    COUNT(CASE WHEN sold = 0 THEN 1 END) AS zeros,
    COUNT(CASE WHEN stocked_out THEN 1 END) AS outs,
    MAX(CASE WHEN sold > 0 THEN day END) AS sold_on,
    CAST(SUM(CASE WHEN day % 7 >= 3 THEN sold ELSE 0 END) AS BIGINT) AS late_units,
    COUNT(CASE WHEN day % 7 >= 3 THEN 1 END) AS late_days,
    {_each("MAX(CASE WHEN day % 7 = {n} THEN sold END) AS d{n}")},
    {_each(f"MAX(CASE WHEN day % 7 = {{n}} THEN {target} END) AS y{{n}}")}
  FROM sales
  GROUP BY store_id, sku_id, day // 7
)"""


# Every cell has a row for every week, so that the rows beside a row are the weeks beside its own.
_GRID = f"""grid AS (
  SELECT cells.store_id, cells.sku_id, weeks.week, days, units, squares, zeros, outs, sold_on, late_units, late_days,
    {_each("d{n}, y{n}", ", ")}
  FROM cells
  CROSS JOIN (SELECT DISTINCT day // 7 AS week FROM calendar) AS weeks
  LEFT JOIN weekly
    ON weekly.store_id = cells.store_id AND weekly.sku_id = cells.sku_id AND weekly.week = weeks.week
)"""


def _frames(keys: str) -> str:
    return f"""
    w4 AS (PARTITION BY {keys} ORDER BY week ROWS BETWEEN 3 PRECEDING AND CURRENT ROW),
    w8 AS (PARTITION BY {keys} ORDER BY week ROWS BETWEEN 7 PRECEDING AND CURRENT ROW),
    w13 AS (PARTITION BY {keys} ORDER BY week ROWS BETWEEN 12 PRECEDING AND CURRENT ROW),
    b4 AS (PARTITION BY {keys} ORDER BY week ROWS BETWEEN 7 PRECEDING AND 4 PRECEDING),
    cell AS (PARTITION BY {keys} ORDER BY week)"""


def _past() -> str:
    lags = ",\n    ".join(_each(f"LAG(d{{n}}, {back}) OVER cell AS d{{n}}_{back}", ", ") for back in _BACK)
    ahead = ",\n    ".join(_each(f"LEAD(y{{n}}, {week}) OVER cell AS y{{n}}_{week}", ", ") for week in (1, 2))
    return f"""past AS (
  SELECT store_id, sku_id, week, {_each("d{n}", ", ")},
    {lags},
    {ahead},
    {_each("CAST(SUM(d{n}) OVER w8 / NULLIF(COUNT(d{n}) OVER w8, 0) AS FLOAT) AS m{n}")},
    CAST(units / NULLIF(days, 0) AS FLOAT) AS mean_7,
    CAST(SUM(units) OVER w4 / NULLIF(SUM(days) OVER w4, 0) AS FLOAT) AS mean_28,
    CAST(SUM(units) OVER w13 / NULLIF(SUM(days) OVER w13, 0) AS FLOAT) AS mean_91,
    CAST(SQRT((SUM(days) OVER w4 * SUM(squares) OVER w4 - SUM(units) OVER w4 * SUM(units) OVER w4)
      / NULLIF(SUM(days) OVER w4 * (SUM(days) OVER w4 - 1), 0)) AS FLOAT) AS std_28,
    CAST(SUM(zeros) OVER w4 / NULLIF(SUM(days) OVER w4, 0) AS FLOAT) AS zero_share_28,
    CAST(SUM(outs) OVER w4 / NULLIF(SUM(days) OVER w4, 0) AS FLOAT) AS stockout_share_28,
    week * 7 + 6 - MAX(sold_on) OVER cell AS days_since_sale,
    CAST(
      (COALESCE(LAG(late_units, {_LATE}) OVER cell, 0) + COALESCE(LAG(units - late_units, {_EARLY}) OVER cell, 0))
      / NULLIF(COALESCE(LAG(late_days, {_LATE}) OVER cell, 0)
        + COALESCE(LAG(days - late_days, {_EARLY}) OVER cell, 0), 0) AS FLOAT) AS year_ago_mean_7
  FROM grid
  WINDOW {_frames("store_id, sku_id")}
)"""


def _mean(frame: str) -> str:
    return f"SUM(units) OVER {frame} / NULLIF(SUM(days) OVER {frame}, 0)"


def _level(name: str, keys: str, column: str, value: str) -> str:
    return f"""{name} AS (
  SELECT {keys}, week, {value} AS {column}
  FROM (SELECT {keys}, week, SUM(units) AS units, SUM(days) AS days FROM shelves GROUP BY {keys}, week) AS folded
  WINDOW {_frames(keys)}
)"""


_LEVELS = ",\n".join([
    """shelves AS (
  SELECT grid.store_id, kinds.category, places.region, grid.week,
    CAST(SUM(units) AS BIGINT) AS units, CAST(SUM(days) AS BIGINT) AS days
  FROM grid
  JOIN kinds ON kinds.sku_id = grid.sku_id
  JOIN places ON places.store_id = grid.store_id
  GROUP BY grid.store_id, kinds.category, places.region, grid.week
)""",
    _level("of_store", "store_id", "store_mean_28", _mean("w4")),
    _level("of_shelf", "store_id, category", "category_store_mean_28", _mean("w4")),
    _level("of_region", "category, region", "category_region_trend", f"({_mean('w4')}) / NULLIF({_mean('b4')}, 0)"),
])  # fmt: skip


_CELLS = f"""known AS (
  SELECT past.*, origins.origin, listed_on, delisted_on, promoted_on,
    store_mean_28, category_store_mean_28, category_region_trend,
    category_code, brand_code, list_price_cents, shelf_life_days, launched_on,
    places.region, region_code, size_m2, income, opened_on, closed_on
  FROM past
  JOIN origins ON origins.origin // 7 = past.week
  JOIN cells ON cells.store_id = past.store_id AND cells.sku_id = past.sku_id
  JOIN kinds ON kinds.sku_id = past.sku_id
  JOIN places ON places.store_id = past.store_id
  LEFT JOIN of_store ON of_store.store_id = past.store_id AND of_store.week = past.week
  LEFT JOIN of_shelf ON of_shelf.store_id = past.store_id AND of_shelf.category = kinds.category
    AND of_shelf.week = past.week
  LEFT JOIN of_region ON of_region.category = kinds.category AND of_region.region = places.region
    AND of_region.week = past.week
  LEFT JOIN promoted ON promoted.sku_id = past.sku_id AND promoted.region = places.region
    AND promoted.origin = origins.origin
  WHERE listed_on <= origins.origin + {FARTHEST} AND COALESCE(delisted_on, 1e9) > origins.origin
)"""


def _pick(column: str, after: str = "") -> str:
    cases = " ".join(f"WHEN {day} THEN {column}{day}{after}" for day in range(7))
    return f"CASE weekday {cases} END"


def _lag(back: int) -> str:
    nearer = _pick("d", f"_{back - 1}" if back > 1 else "")
    return f"CASE WHEN targets.horizon <= 7 THEN {_pick('d', f'_{back}')} ELSE {nearer} END"


_VALUES = {
    "last_same_weekday": _pick("d"),
    "lag_14": _lag(1),
    "lag_21": _lag(2),
    "lag_28": _lag(3),
    "same_weekday_mean_8": _pick("m"),
    "planned_discount": "1 - EXP(COALESCE(planned.log_price, 0))",
    "planned_promotions": "COALESCE(planned.promotions, 0)",
    "planned_display": "COALESCE(planned.display, 0)",
    "days_since_promotion": "targets.day - COALESCE(promoted_by, promoted_on)",
    "days_since_listed": "targets.day - listed_on",
    "days_since_launched": "targets.day - launched_on",
    "days_since_opened": "targets.day - opened_on",
}


def feature_query(target: str = "sold") -> str:
    """Write the query of all features.

    It reads the tables of :data:`casebook.demand.feature_spec.READ` and two lists as tables: ``origins`` (column
    ``origin``) and ``horizons`` (column ``horizon``). It gives one row for every cell, origin and horizon whose target
    day the cell is on sale, ordered by store, SKU, origin and horizon.

    Parameters
    ----------
    target : str
        Column of ``sales`` that becomes ``y``.

    Returns
    -------
    str

    Raises
    ------
    ContractError
        A target that is no name of a column.

    Examples
    --------
    >>> query = feature_query()
    >>> query.count("LEAD("), query.count("FOLLOWING")  # y lies ahead; so do the calendar's holidays
    (14, 1)
    """
    if not target.isidentifier():
        refuse("target", "the name of a column", repr(target), "rename the column")
    named = {"store_id": "known.store_id", "sku_id": "known.sku_id"} | {name: f"targets.{name}" for name in IDS[2:]}
    picked = [f"CAST({expression} AS BIGINT) AS {name}" for name, expression in named.items()]
    y = f"CASE WHEN targets.horizon <= 7 THEN {_pick('y', '_1')} ELSE {_pick('y', '_2')} END"
    picked.append(f"CAST({y} AS DOUBLE) AS y")
    picked += [f"CAST({_VALUES.get(name, name)} AS FLOAT) AS {name}" for name in COLUMNS[len(IDS) + 1 :]]
    tables = ",\n".join([STATIC, _weekly(target), _GRID, _past(), _LEVELS, TARGETS, PROMOTIONS, _CELLS])
    columns = ",\n  ".join(picked)
    return f"""WITH {tables}
SELECT {columns}
FROM known
JOIN targets ON targets.region = known.region AND targets.origin = known.origin
LEFT JOIN planned ON planned.sku_id = known.sku_id AND planned.region = known.region
  AND planned.origin = known.origin AND planned.horizon = targets.horizon
WHERE listed_on <= targets.day AND COALESCE(delisted_on, 1e9) > targets.day
  AND launched_on <= targets.day AND opened_on <= targets.day AND COALESCE(closed_on, 1e9) > targets.day
ORDER BY known.store_id, known.sku_id, targets.origin, targets.horizon"""


def for_warehouse(dialect: str = "bigquery", target: str = "sold") -> str:
    """Write the query in the words of another warehouse.

    Parameters
    ----------
    dialect : str
        A name that sqlglot knows: "bigquery", "snowflake", "spark", "postgres" ...
    target : str
        As in :func:`feature_query`.

    Returns
    -------
    str

    Raises
    ------
    ContractError
        A dialect that sqlglot does not know.

    Examples
    --------
    >>> "DIV(day, 7) AS week" in for_warehouse("bigquery")
    True
    """
    import sqlglot

    known = sorted(name for name in sqlglot.Dialect.classes if name)
    if dialect not in known:
        refuse("dialect", f"one of {', '.join(known)}", repr(dialect), "take one of these")
    tree = sqlglot.parse_one(feature_query(target), read="duckdb")
    first = sqlglot.Dialect.get_or_raise(dialect).NULL_ORDERING == "nulls_are_small"
    for ordered in tree.find_all(sqlglot.exp.Ordered):  # no key is missing: each warehouse may keep its own order
        ordered.set("nulls_first", first)
    return tree.sql(dialect=dialect, pretty=True)
