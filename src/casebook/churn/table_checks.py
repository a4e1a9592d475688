"""Rules between the event tables: nobody unknown, nothing after leaving, nothing from the future."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from casebook.contracts import refuse

#: The day of each event, and what one row of the table is called in a refusal.
EVENTS: dict[str, tuple[str, str]] = {
    "usage_weekly": ("last_login_on", "week of usage"),
    "tickets": ("opened_on", "ticket"),
    "plan_changes": ("changed_on", "plan change"),
    "failed_payments": ("failed_on", "payment"),
    "surveys": ("sent_on", "survey"),
    "emails": ("sent_on", "e-mail"),
    "calls": ("called_on", "call"),
    "pilot": ("enrolled_on", "enrolment"),
}
_LATE = {"calls": np.timedelta64(1, "D")}  # a list is a day old when it is worked
_DATED = EVENTS | {"cancellations": ("cancelled_on", "cancellation"), "feedback": ("happened_on", "feedback")}
_SECOND = {"tickets": ("opened_on", "resolved_on"), "failed_payments": ("failed_on", "recovered_on")}


def check_known(tables: Mapping[str, pd.DataFrame]) -> None:
    """Refuse a row of a subscriber who is not in ``customers``.

    Raises
    ------
    ContractError

    Examples
    --------
    >>> calls = pd.DataFrame({"subscriber_id": [1, 7]})
    >>> check_known({"customers": pd.DataFrame({"subscriber_id": [1]}), "calls": calls})
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: table 'calls', row 1: subscriber_id must be one of table 'customers', got 7;
    add the customer or drop the row.
    """
    known = tables["customers"]["subscriber_id"].to_numpy()
    for name, frame in tables.items():
        ids = frame["subscriber_id"].to_numpy()
        if (row := _first(~np.isin(ids, known))) is not None:
            must, mend = "one of table 'customers'", "add the customer or drop the row"
            refuse(f"table {name!r}, row {row}: subscriber_id", must, str(ids[row]), mend)


def check_subscribed(tables: Mapping[str, pd.DataFrame]) -> None:
    """Refuse an event of somebody who had not signed up yet, or had left before it.

    The day of leaving itself may bear events, and a call may come a day later: its list is a day old.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        ``customers``, ``cancellations`` and the tables of :data:`EVENTS`.

    Raises
    ------
    ContractError
    """
    signed_up = tables["customers"].set_index("subscriber_id")["signed_up_on"]
    left = tables["cancellations"].set_index("subscriber_id")["cancelled_on"]
    checks = ("left", left, "cancellation"), ("signed up", signed_up, "date of signing up")
    for name, (column, noun) in ({"cancellations": _DATED["cancellations"]} | EVENTS).items():
        frame = tables[name]
        happened = frame[column].to_numpy()
        for verb, dates, other in checks:
            if name == "cancellations" and verb == "left":
                continue
            theirs = dates.reindex(frame["subscriber_id"]).to_numpy()
            late = theirs + _LATE.get(name, np.timedelta64(0, "D"))
            row = _first(late < happened if verb == "left" else theirs > happened)
            if row is not None:
                what = f"table {name!r}, row {row}: subscriber {frame['subscriber_id'].iloc[row]}"
                got, mend = f"{verb} on {_date_of(theirs[row])}", f"drop the {noun} or mend the {other}"
                refuse(what, f"subscribed on {_date_of(happened[row])}", got, mend)


def check_order(tables: Mapping[str, pd.DataFrame]) -> None:
    """Refuse a ticket resolved before it was opened, and a payment recovered before it failed.

    Raises
    ------
    ContractError
    """
    for name, (first, second) in _SECOND.items():
        begun, ended = (tables[name][column].to_numpy() for column in (first, second))
        if (row := _first(ended < begun)) is not None:
            must = f"on or after {first} ({_date_of(begun[row])})"
            refuse(f"table {name!r}, row {row}: {second}", must, _date_of(ended[row]), "mend one of the two dates")


def check_past(tables: Mapping[str, pd.DataFrame], today: str | pd.Timestamp | np.datetime64) -> None:
    """Refuse events on ``today`` or after it: an export that reaches into the future has wrong dates.

    Raises
    ------
    ContractError

    Examples
    --------
    >>> calls = pd.DataFrame({"called_on": pd.to_datetime(["2025-11-04", "2052-11-04"])})
    >>> check_past({"calls": calls}, "2026-01-01")
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: table 'calls', row 1: called_on must be before 2026-01-01, got 2052-11-04;
    mend the date or drop the call.
    """
    limit = np.datetime64(pd.Timestamp(today), "s")
    for name, (column, noun) in _DATED.items():
        if name not in tables:
            continue
        dates = tables[name][column].to_numpy()
        if (row := _first(dates >= limit)) is not None:
            mend = f"mend the date or drop the {noun}"
            refuse(f"table {name!r}, row {row}: {column}", f"before {_date_of(limit)}", _date_of(dates[row]), mend)


def _first(wrong: np.ndarray[Any, Any]) -> int | None:
    return int(np.argmax(wrong)) if wrong.any() else None


def _date_of(moment: np.datetime64) -> str:
    return str(moment.astype("M8[D]"))
