"""Ways in which the future gets into a training table, and what each seems to gain.

All but the last are a window that ends too late; the last is a split. The night the model goes live the future is not
in the tables, and the same query returns something else. Not every leak flatters: the window at the end of each
subscriber's own record gains nothing offline, so that no metric raises suspicion, and still spoils the list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import duckdb
import numpy as np
import pandas as pd

from casebook.churn.feature_sql import with_queries
from casebook.churn.features import COLUMNS, READ, Date, build, cohorts, connect, day
from casebook.churn.models import boosted, quality
from casebook.contracts import refuse
from casebook.labels import leaking_columns

DOWNGRADES = "downgrade in the churn window"
TIMELINE = "aggregate over the whole timeline"
RECORD = "aggregate at the end of each record"
RANDOM = "random instead of time split"

_LATE_DOWNGRADES = """
SELECT subscriber_id, COUNT(*) AS leaky
FROM plan_changes
WHERE kind = 'downgrade' AND changed_on >= $asof - INTERVAL 90 DAY
  AND changed_on < $asof + INTERVAL 30 DAY AND changed_on < $known
GROUP BY subscriber_id
"""
_LAST_QUARTER = """
SELECT subscriber_id, SUM(logins) AS leaky
FROM usage_weekly
WHERE week <= $known - INTERVAL 7 DAY AND week > $known - INTERVAL 98 DAY
GROUP BY subscriber_id
"""
_LAST_RECORDS = """
SELECT subscriber_id, SUM(logins) AS leaky
FROM usage_weekly LEFT JOIN cancellations USING (subscriber_id)
WHERE week <= $known - INTERVAL 7 DAY
  AND week > LEAST(COALESCE(cancelled_on, $known), $known) - INTERVAL 98 DAY
GROUP BY subscriber_id
"""

LABEL_KNOWN = pd.Timedelta(days=31)  # after a window of 30 days

#: Name -> the column that it falsifies and the query that does it; ``None`` where the split is at fault.
LEAKS: dict[str, tuple[str, str] | None] = {
    DOWNGRADES: ("downgrades_90d", _LATE_DOWNGRADES.strip()),
    TIMELINE: ("logins_90d", _LAST_QUARTER.strip()),
    RECORD: ("logins_90d", _LAST_RECORDS.strip()),
    RANDOM: None,
}

#: The day on which a row of each event table comes into being; a cancellation counts as known on its own day.
TIMES = {
    **{"usage_weekly": "week", "tickets": "opened_on", "plan_changes": "changed_on", "failed_payments": "failed_on"},
    **{"surveys": "sent_on", "emails": "sent_on", "calls": "called_on"},
}


def leaky_column(connection: duckdb.DuckDBPyConnection, asof: Date, leak: str, known: Date | None = None) -> pd.Series:
    """Return the falsified column of everybody subscribed on ``asof``.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    asof : str or datetime
    leak : str
        ``DOWNGRADES`` (counted up to 30 days too far), ``TIMELINE`` (the last 90 days of the tables) or ``RECORD``
        (the last 90 days before each subscriber left, or of the tables).
    known : str or datetime, optional
        The tables reach up to here. By default the day on which the label is known, when an analyst joins both;
        on the night of deployment it is ``asof``.

    Returns
    -------
    pandas.Series of float
        Index ``subscriber_id``, named as the column it replaces.

    Raises
    ------
    ContractError
        Another leak.
    """
    found = LEAKS.get(leak)
    if found is None:
        queries = ", ".join(repr(name) for name, fault in LEAKS.items() if fault)
        refuse("leak", f"one of {queries}", repr(leak), "take one whose fault is a query")
    column, query = found
    select = f"SELECT subscriber_id, COALESCE(leaky, 0) AS leaky FROM base LEFT JOIN ({query}) AS late"
    select = with_queries(f"{select} USING (subscriber_id) ORDER BY subscriber_id", ("base",))
    until = day(asof) + LABEL_KNOWN if known is None else day(known, "known")
    values = {"asof": day(asof).to_pydatetime(), "known": until.to_pydatetime()}
    return connection.execute(select, values).df().set_index("subscriber_id")["leaky"].astype(float).rename(column)


def leaky_build(
    connection: duckdb.DuckDBPyConnection, asof: Date, leak: str, known: Date | None = None
) -> pd.DataFrame:
    """Return the features with one column falsified; parameters as in :func:`leaky_column`."""
    column = leaky_column(connection, asof, leak, known)
    return build(connection, asof).assign(**{str(column.name): column})


def detect(tables: Mapping[str, pd.DataFrame], asof: Date, leak: str | None, rng: np.random.Generator) -> list[str]:
    """Return the columns that notice when the future of the tables is scrambled; none for the honest builder.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
    asof : str or datetime
    leak : str or None
        A leak of a query, or None for :func:`casebook.churn.features.build`.
    rng : numpy.random.Generator

    Returns
    -------
    list of str
    """

    def from_tables(changed: dict[str, pd.DataFrame], at: pd.Timestamp) -> pd.DataFrame:
        with connect(changed) as connection:
            return build(connection, at) if leak is None else leaky_build(connection, at, leak)

    read = {name: tables[name] for name in READ}
    return leaking_columns(from_tables, read, day(asof), times=TIMES, rng=rng)


def leak_table(
    connection: duckdb.DuckDBPyConnection,
    train_dates: Iterable[Date],
    test_date: Date,
    capacity: float = 0.042,
    seed: int = 0,
) -> pd.DataFrame:
    """Fit the same boosted trees honestly and with each leak, and measure both ways.

    Offline is what the analyst sees: the falsified column on both sides, or random rows held out. Deployed is the
    later month with what is known on its first night.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    train_dates : iterable of str or datetime
        Dates whose windows close before ``test_date``. The closer they lie, the more the random split leaks: a
        subscriber's neighbouring weeks share features and, where windows overlap, the very same departure.
    test_date : str or datetime
    capacity : float
        Share of the base that can be called.
    seed : int

    Returns
    -------
    pandas.DataFrame
        Rows ``honest`` and each leak; ``auc``, ``auprc`` and ``precision``, each ``_offline`` and ``_deployed``.
    """
    train, test = cohorts(connection, train_dates), cohorts(connection, [test_date])
    honest = _scores(train, test, capacity, seed)
    rows = {"honest": _side_by_side(honest, honest)}
    for leak, found in LEAKS.items():
        if found is None:
            held_out = np.random.default_rng(seed).random(len(train)) < 0.25
            offline = _scores(train[~held_out], train[held_out], capacity, seed)
            rows[leak] = _side_by_side(offline, _scores(train[~held_out], test, capacity, seed))
            continue
        leaky = _falsified(connection, train, leak)
        deployed = _falsified(connection, test, leak, known=test_date)
        offline = _scores(leaky, _falsified(connection, test, leak), capacity, seed)
        rows[leak] = _side_by_side(offline, _scores(leaky, deployed, capacity, seed))
    return pd.DataFrame.from_dict(rows, orient="index")


def _falsified(
    connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame, leak: str, known: Date | None = None
) -> pd.DataFrame:
    columns = [leaky_column(connection, asof, leak, known) for asof in frame["asof"].drop_duplicates()]
    return frame.assign(**{str(columns[0].name): pd.concat(columns).to_numpy()})


def _scores(train: pd.DataFrame, test: pd.DataFrame, capacity: float, seed: int) -> dict[str, float]:
    columns = list(COLUMNS)
    model = boosted(seed).fit(train[columns], train["y"].astype(int))
    p = np.asarray(model.predict_proba(test[columns]))[:, 1]
    return quality(test["y"], p, capacity)


def _side_by_side(offline: dict[str, float], deployed: dict[str, float]) -> dict[str, float]:
    names = ("auc", "auprc", "precision")
    return {
        f"{name}_{when}": part[name] for name in names for when, part in (("offline", offline), ("deployed", deployed))
    }
