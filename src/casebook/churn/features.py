"""Features of every subscriber as of a date, from event tables, in SQL that a warehouse can run.

Only rows strictly before the date enter: a week of usage once it is over, a ticket's resolution once it has come.
Counts are 0 where nothing happened; means, ratios and last answers stay missing where there was nothing to measure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import duckdb
import numpy as np
import pandas as pd

from casebook.churn.feature_sql import ONE_HOT, QUERIES, feature_query
from casebook.churn.tables import TABLES
from casebook.churn.world import TODAY
from casebook.contracts import refuse, require_columns

__all__ = [
    "CATEGORIES",
    "COLUMNS",
    "QUERIES",
    "TOP30",
    "build",
    "cohorts",
    "connect",
    "day",
    "label",
]

Date = str | pd.Timestamp | np.datetime64

#: The tables that the feature queries read.
READ = (
    *("customers", "cancellations", "usage_weekly", "tickets", "plan_changes", "failed_payments"),
    *("surveys", "emails", "calls"),
)

#: Category -> its columns.
CATEGORIES: dict[str, tuple[str, ...]] = {
    "static": ("price", "tenure_days", "employees", "is_annual", "days_to_renewal", *ONE_HOT),
    "engagement_recent": ("logins_7d", "logins_28d", "pages_28d", "features_used_28d", "pricing_views_28d"),
    "engagement_long": ("logins_90d", "logins_180d", "usage_slope"),
    "trajectory": (
        *("usage_vs_84d_ago", "logins_84d_ago", "logins_drop", "days_since_last_login", "usage_vs_own_year"),
    ),
    "support": (
        *("tickets_30d", "worst_severity_90d", "days_to_resolve_180d", "open_tickets", "sentiment_90d"),
        *("how_to_tickets_180d", "billing_tickets_30d"),
    ),
    "billing": ("failed_payments_180d", "failed_open", "downgrades_90d", "upgrades_180d"),
    "engagement_asked": ("last_nps", "nps_missing", "opened_90d", "opens_unknown"),
    "account": ("colleagues", "colleagues_logins_28d", "colleagues_left_90d"),
    "contact": ("calls_90d", "reached_90d"),
}
COLUMNS: tuple[str, ...] = tuple(column for columns in CATEGORIES.values() for column in columns)

#: Thirty columns for a first model, picked by hand from the categories before any outcome was looked at.
TOP30: tuple[str, ...] = (
    *("price", "tenure_days", "employees", "is_annual", "days_to_renewal"),
    *("logins_7d", "logins_28d", "pages_28d", "features_used_28d", "pricing_views_28d"),
    *("logins_90d", "usage_slope", "usage_vs_84d_ago", "logins_drop", "days_since_last_login", "usage_vs_own_year"),
    *("tickets_30d", "worst_severity_90d", "open_tickets", "sentiment_90d"),
    *("how_to_tickets_180d", "billing_tickets_30d"),
    *("failed_payments_180d", "failed_open", "downgrades_90d"),
    *("last_nps", "nps_missing", "opened_90d", "colleagues", "colleagues_left_90d"),
)


def connect(tables: Mapping[str, pd.DataFrame], threads: int = 1) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection on which every table is a view; nothing is copied.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        The event tables of :data:`casebook.churn.tables.TABLES`; others are ignored.
    threads : int
        Results do not depend on it.

    Returns
    -------
    duckdb.DuckDBPyConnection

    Raises
    ------
    ContractError
        A table or a column that the features need is not there.

    Examples
    --------
    >>> from casebook.churn.simulate import simulate
    >>> from casebook.churn.world import World
    >>> company = simulate(World(), 500, np.random.default_rng(0))
    >>> connection = connect(company.tables)
    >>> features = build(connection, "2025-06-01")
    >>> features.shape[1], features.index.name, features.index.is_monotonic_increasing
    (48, 'subscriber_id', True)
    """
    connection = duckdb.connect(config={"threads": threads})
    for name in READ:
        if name not in tables:
            refuse("tables", f"a mapping with a table {name!r}", ", ".join(map(repr, tables)), f"add {name!r}")
        columns = [column for column, kind in TABLES[name].columns.items() if kind.required]
        if len(tables[name]):
            require_columns(tables[name], columns, f"table {name!r}")
        connection.register(name, tables[name])
    return connection


def day(asof: Date, what: str = "asof") -> pd.Timestamp:
    """Return a date without a time of day, or refuse what is none.

    Raises
    ------
    ContractError

    Examples
    --------
    >>> day("2025-06-01")
    Timestamp('2025-06-01 00:00:00')
    >>> day("2025-06-01 14:30")
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: asof must be a date, got '2025-06-01 14:30'; write it as '2025-06-01'.
    """
    at = pd.to_datetime(asof, errors="coerce") if isinstance(asof, str) else pd.Timestamp(asof)
    if not isinstance(at, pd.Timestamp) or at != at.normalize() or at.tz is not None:
        refuse(what, "a date", repr(str(asof)), "write it as '2025-06-01'")
    return at


def build(connection: duckdb.DuckDBPyConnection, asof: Date) -> pd.DataFrame:
    """Return the features of everybody subscribed on ``asof``, from rows strictly before it.

    Subscribed means: signed up before ``asof``, not left before it or on it.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        From :func:`connect`.
    asof : str or datetime
        A date.

    Returns
    -------
    pandas.DataFrame
        Index ``subscriber_id``, ascending; the columns of :data:`COLUMNS`, all float.

    Raises
    ------
    ContractError
        ``asof`` is no date, or nobody is subscribed on it.
    """
    return _rows(connection, day(asof))[list(COLUMNS)]


def _rows(connection: duckdb.DuckDBPyConnection, asof: pd.Timestamp) -> pd.DataFrame:
    frame = _run(connection, feature_query(COLUMNS), asof).set_index("subscriber_id")
    if frame.empty:
        refuse("asof", "a date on which somebody is subscribed", str(asof.date()), "pick a date inside the tables")
    return frame.astype(dict.fromkeys(COLUMNS, float))


def _run(connection: duckdb.DuckDBPyConnection, query: str, asof: pd.Timestamp, **more: object) -> pd.DataFrame:
    return connection.execute(query, {"asof": asof.to_pydatetime(), **more}).df()


def label(connection: duckdb.DuckDBPyConnection, asof: Date, horizon_days: int = 30, today: Date = TODAY) -> pd.Series:
    """Return who left in the ``horizon_days`` days after ``asof``, for everybody subscribed on it.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    asof : str or datetime
    horizon_days : int
        The window is the days after ``asof`` up to ``asof + horizon_days``, both included, as in
        :func:`casebook.labels.outcome`.
    today : str or datetime
        Everything before it is known.

    Returns
    -------
    pandas.Series of float
        Named ``y``, index ``subscriber_id``, ascending; 1 if they left, 0 if not. Missing for everybody while the
        window is open, for those who have left already too: else an open cohort would seem to consist of leavers.

    Raises
    ------
    ContractError
        ``asof`` is no date, or ``horizon_days`` is below 1.
    """
    return _labels(connection, day(asof), horizon_days, day(today, "today"))["y"]


def _labels(
    connection: duckdb.DuckDBPyConnection, asof: pd.Timestamp, horizon_days: int, today: pd.Timestamp
) -> pd.DataFrame:
    if horizon_days < 1:
        refuse("horizon_days", "1 or more", repr(horizon_days), "give the length of the window in days")
    until = asof + pd.Timedelta(days=horizon_days)
    frame = _run(connection, _LABEL, asof, until=until.to_pydatetime()).set_index("subscriber_id").astype(float)
    return frame if until < today else frame * np.nan


_LABEL = f"""
WITH base AS ({QUERIES["base"]})
SELECT subscriber_id,
  CASE WHEN cancelled_on IS NULL THEN 0 ELSE 1 END AS y,
  CASE WHEN reason = 'payment_failed' THEN 1 ELSE 0 END AS by_card
FROM base LEFT JOIN (
  SELECT subscriber_id, cancelled_on, reason FROM cancellations WHERE cancelled_on > $asof AND cancelled_on <= $until
) AS leavers USING (subscriber_id)
ORDER BY subscriber_id
"""


def cohorts(
    connection: duckdb.DuckDBPyConnection, dates: Iterable[Date], horizon_days: int = 30, today: Date = TODAY
) -> pd.DataFrame:
    """Return the cohorts of several dates under each other.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    dates : iterable of str or datetime
    horizon_days, today
        As in :func:`label`.

    Returns
    -------
    pandas.DataFrame
        One row a date and subscriber, in that order: ``asof``, ``subscriber_id``, ``account_id``, the features,
        ``y``, ``by_card`` (1 if a failed card ended it; not asked of a model, but shown apart).
    """
    parts, known = [], day(today, "today")
    for date in dates:
        at = day(date)
        frame = _rows(connection, at).join(_labels(connection, at, horizon_days, known)).reset_index()
        frame.insert(0, "asof", at)
        parts.append(frame)
    if not parts:
        refuse("dates", "at least one date", "none", "pass a list such as ['2025-06-01']")
    return pd.concat(parts, ignore_index=True)
