"""Features offline: a table of one row an event, from the log and the reports, through DuckDB."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd

from casebook.contracts import refuse, require_columns
from casebook.fraud.feature_spec import EVENT_COLUMNS, FEATURES, Spec
from casebook.fraud.feature_sql import feature_query

REPORT_COLUMNS = ("event_id", "reported_at")


def build(
    events: pd.DataFrame, reports: pd.DataFrame, since: int | None = None, spec: Spec | None = None
) -> pd.DataFrame:
    """Build the features of every event as they stood in the second it happened.

    Nothing of the same second or later counts, and a report counts from the second after it came.
    :class:`casebook.fraud.state.FeatureState` gives the same numbers event by event.

    Parameters
    ----------
    events : pandas.DataFrame, n rows
        Columns :data:`casebook.fraud.feature_spec.EVENT_COLUMNS`; in any order; not changed.
    reports : pandas.DataFrame
        ``event_id`` and ``reported_at`` (seconds); a report of an event that is not in ``events`` is left out.
    since : int, optional
        Second from which on rows are wanted; what is earlier serves as the past. By default all rows.
    spec : Spec, optional

    Returns
    -------
    pandas.DataFrame, shape (m, len(FEATURES))
        Floats, indexed by ``event_id`` in (at, event_id) order.

    Raises
    ------
    ContractError
        No events, a missing column, an event that stands in a table twice, a time or an amount that is no whole number.

    Examples
    --------
    >>> event = {"event_id": 1, "at": 0, "card_id": 5, "merchant_id": 7, "terminal_id": -1, "device_id": -1}
    >>> event |= {"amount_cents": 900, "channel": "online", "entry": "typed", "currency": "USD", "country": "US"}
    >>> event |= {"category": "digital", "x_km": float("nan"), "y_km": float("nan")}
    >>> log = pd.DataFrame([event, event | {"event_id": 2, "at": 60}, event | {"event_id": 3, "at": 60}])
    >>> build(log, pd.DataFrame({"event_id": [1], "reported_at": [30]}))[["card_count_10m", "merchant_risk_7d"]]
              card_count_10m  merchant_risk_7d
    event_id
    1                    0.0          0.001000
    2                    1.0          0.010891
    3                    1.0          0.010891
    """
    spec = spec or Spec()
    _check(events, EVENT_COLUMNS, ("event_id", "at", "amount_cents"), "events")
    if len(reports):
        _check(reports, REPORT_COLUMNS, REPORT_COLUMNS, "reports")
    first = int(events["at"].min()) if since is None else int(since)
    told = {
        name: reports[name].to_numpy(dtype=np.int64) if len(reports) else np.empty(0, np.int64)
        for name in REPORT_COLUMNS
    }
    with duckdb.connect() as connection:
        connection.register("events", events[list(EVENT_COLUMNS)])
        connection.register("reports", pd.DataFrame(told))
        settings = {"since": first, "home": spec.home, "prior": spec.prior, "prior_rate": spec.prior_rate}
        built = connection.execute(feature_query(spec), settings).df()
    return built.set_index("event_id")[list(FEATURES)].astype(np.float64)


def planted_leak(
    events: pd.DataFrame, reports: pd.DataFrame, since: int | None = None, spec: Spec | None = None
) -> pd.DataFrame:
    """Build the features with a mistake: risk from the time of the *event* rather than of its report.

    It is what a join of labels to events gives by itself, and it says on Monday what the holder reports on Friday.
    All other columns are right. Offline the model looks better; in service the columns are nearly empty of what it
    has learnt from.

    Parameters
    ----------
    events, reports, since, spec
        As in :func:`build`, and so are the refusals.

    Returns
    -------
    pandas.DataFrame
        The columns of :func:`build`; those with ``_risk_`` know too much.

    Examples
    --------
    >>> event = {"event_id": 1, "at": 0, "card_id": 5, "merchant_id": 7, "terminal_id": -1, "device_id": -1}
    >>> event |= {"amount_cents": 900, "channel": "online", "entry": "typed", "currency": "USD", "country": "US"}
    >>> event |= {"category": "digital", "x_km": float("nan"), "y_km": float("nan")}
    >>> log = pd.DataFrame([event, event | {"event_id": 2, "at": 60}])
    >>> friday = pd.DataFrame({"event_id": [1], "reported_at": [400_000]})
    >>> [round(float(make(log, friday).loc[2, "merchant_risk_7d"]), 4) for make in (build, planted_leak)]
    [0.001, 0.0109]
    """
    happened = events.set_index("event_id")["at"]
    known = reports[reports["event_id"].isin(happened.index)]
    return build(events, known.assign(reported_at=happened.loc[known["event_id"]].to_numpy()), since, spec)


def _check(table: pd.DataFrame, columns: tuple[str, ...], whole: tuple[str, ...], what: str) -> None:
    require_columns(table, list(columns), what)
    for name in whole:
        if not pd.api.types.is_integer_dtype(table[name].dtype):
            mend = "pass whole seconds, cents and ids"
            refuse(f"{what}, column {name!r}", "of whole numbers", str(table[name].dtype), mend)
    twice = table["event_id"].duplicated().to_numpy()
    if twice.any():
        row = int(np.argmax(twice))
        refuse(f"{what}, row {row}: event_id", "of no other row", str(table["event_id"].iloc[row]), "drop the copy")
