"""What cards share: devices, networks, delivery addresses and payees, event by event and in whole days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from casebook.contracts import refuse, require_columns
from casebook.fraud.stream import Ids
from casebook.fraud.tables import check_order
from casebook.fraud.world import DAY

WINDOW = 28
"""Days that count: as long as the longest ring works, and as the longest window of the other features."""

KEYS = {"device": "device_id", "ip": "ip_id", "address": "address_id", "payee": "merchant_id"}
"""What may be shared, and its column. A payee is the merchant of a transfer in the app; other merchants are not
counted, for half a town shares a supermarket."""

_EVENTS = ("event_id", "at", "card_id", "channel", *KEYS.values())
_REPORTS = ("event_id", "reported_at")


@dataclass(frozen=True)
class Log:
    """Events and reports as whole days: what happened or came in on day a is known from the midnight of a + 1 on.

    Attributes
    ----------
    event_id, card : array of int, shape (n,)
    day : array of int, shape (n,)
        Days since the first midnight, rising.
    ids : dict of str to array of int, shape (n,)
        By name in :data:`KEYS`; -1 where it is not seen.
    told_row, told_day : array of int, shape (reports,)
        Row of the event that was reported, and the day on which the report came in.
    """

    event_id: Ids
    card: Ids
    day: Ids
    ids: dict[str, Ids]
    told_row: Ids
    told_day: Ids

    def rows(self, first_day: int, last_day: int) -> slice:
        """Return the rows of some days, both ends included."""
        low, high = np.searchsorted(self.day, [first_day, last_day + 1])
        return slice(int(low), int(high))


def read_log(events: pd.DataFrame, reports: pd.DataFrame) -> Log:
    """Return a log of whole days.

    Parameters
    ----------
    events : pandas.DataFrame, n rows
        ``event_id``, ``at``, ``card_id``, ``channel`` and the columns of :data:`KEYS`, in the order of
        (at, event_id); not changed.
    reports : pandas.DataFrame
        ``event_id`` and ``reported_at``; a report of an event that is not in ``events`` is left out.

    Returns
    -------
    Log

    Raises
    ------
    ContractError
        A missing column, no events, events out of order, or a report that is older than its event.

    Examples
    --------
    >>> events = pd.DataFrame({"event_id": [4, 7], "at": [10, 90_000], "card_id": [1, 2], "channel": ["online", "app"]})
    >>> events = events.assign(device_id=[5, 5], ip_id=-1, address_id=-1, merchant_id=[30, 31])
    >>> log = read_log(events, pd.DataFrame({"event_id": [4], "reported_at": [200_000]}))
    >>> log.ids["payee"].tolist(), log.told_row.tolist(), log.told_day.tolist()
    ([-1, 31], [0], [2])
    """
    require_columns(events, list(_EVENTS), "events")
    check_order(events)
    ids = {name: events[column].to_numpy(dtype=np.int64) for name, column in KEYS.items()}
    ids["payee"] = np.where((events["channel"] == "app").to_numpy(), ids["payee"], -1)
    event_id, at = (events[name].to_numpy(dtype=np.int64) for name in ("event_id", "at"))
    row, day = _told(event_id, at, reports)
    return Log(event_id, events["card_id"].to_numpy(dtype=np.int64), at // DAY, ids, row, day)


def require_rows(rows: slice, first_day: int, last_day: int) -> slice:
    """Refuse days without an event.

    Examples
    --------
    >>> require_rows(slice(3, 3), 5, 6)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: first_day and last_day must be days with events, got 5 to 6; pass days of the log.
    """
    if rows.start >= rows.stop:
        refuse("first_day and last_day", "days with events", f"{first_day} to {last_day}", "pass days of the log")
    return rows


def _told(event_id: Ids, at: Ids, reports: pd.DataFrame) -> tuple[Ids, Ids]:
    if not len(reports):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    require_columns(reports, list(_REPORTS), "reports")
    row = pd.Index(event_id).get_indexer(pd.Index(reports["event_id"].to_numpy()))
    when = reports["reported_at"].to_numpy(dtype=np.int64)
    here = row >= 0
    early = here & (when < at[row])
    if early.any():
        which = int(np.argmax(early))
        got = f"{when[which]} before {at[row[which]]}"
        refuse(f"reports, row {which}: reported_at", "no earlier than its event", got, "mend or drop the report")
    return row[here].astype(np.int64), when[here] // DAY
