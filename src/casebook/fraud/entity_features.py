"""Counts per device, network, address and payee: what a bank can know of sharing without any graph."""

from __future__ import annotations

import numpy as np
import pandas as pd

from casebook.fraud.entities import KEYS, WINDOW, read_log, require_rows
from casebook.fraud.stream import Ids

WINDOWS = (1, 7, WINDOW)
"""Days over which cards are counted."""

AGE_CAP = WINDOW
"""Days from which on older makes no difference: an age without a cap grows with the log, and a model meets in service
what it has never been fitted to."""


def _names() -> dict[str, str]:
    told = {"entity_reports_card": f"reports of the card that came in the last {WINDOW} days"}
    for key in KEYS:
        for days in WINDOWS:
            told[f"entity_cards_{key}_{days}d"] = f"cards seen with the event's {key} in the last {days} days"
        told[f"entity_events_{key}"] = f"events of the {key} in the last {WINDOW} days"
        told[f"entity_reports_{key}"] = f"reports of the {key}'s events that came in the last {WINDOW} days"
        told[f"entity_age_{key}"] = f"days since the {key} was first seen, at most {AGE_CAP}; 0 if it never was"
    return told


#: Every feature -> what it says; all as of the midnight before the event, and 0 where the issuer sees no such id.
ENTITY_FEATURES: dict[str, str] = _names()

#: Those of them that count nothing and say only how long the bank has known an id.
AGE_FEATURES = tuple(f"entity_age_{key}" for key in KEYS)


def entity_features(events: pd.DataFrame, reports: pd.DataFrame, first_day: int, last_day: int) -> pd.DataFrame:
    """Return the counts of every event of some days, as of the midnight before it.

    A count over w days at the midnight of day d takes in days d - w to d - 1, so that nothing of the event's own day
    has a part in it. The features of :mod:`casebook.fraud.features` reach to the event's second; these and those of
    :mod:`casebook.fraud.graph_features` end at the same midnight, so that the two differ in structure alone and not
    in freshness. Every card is counted in an interval of days, and what a day sees is a difference of two sorted
    searches.

    Parameters
    ----------
    events, reports : pandas.DataFrame
        As in :func:`casebook.fraud.entities.read_log`; all that is earlier serves as the past.
    first_day, last_day : int
        Both included.

    Returns
    -------
    pandas.DataFrame, shape (events of these days, len(ENTITY_FEATURES))
        Floats, indexed by ``event_id``.

    Raises
    ------
    ContractError
        As ``read_log``, and for days that hold no event.

    Examples
    --------
    >>> events = pd.DataFrame({"event_id": [0, 1, 2], "at": [10, 20, 90_000], "card_id": [1, 2, 3]})
    >>> events = events.assign(channel="online", device_id=5, ip_id=[8, 9, -1], address_id=-1, merchant_id=30)
    >>> told = pd.DataFrame({"event_id": [0], "reported_at": [70_000]})
    >>> found = entity_features(events, told, 1, 1)
    >>> found[["entity_cards_device_1d", "entity_reports_device", "entity_cards_ip_1d"]]
              entity_cards_device_1d  entity_reports_device  entity_cards_ip_1d
    event_id
    2                            2.0                    1.0                 0.0
    """
    log = read_log(events, reports)
    rows = require_rows(log.rows(first_day, last_day), first_day, last_day)
    told = log.told_row
    day = log.day[rows]
    found = {"entity_reports_card": _between(log.card[told], log.told_day, WINDOW, log.card[rows], day)}
    for key, ids in log.ids.items():
        seen, wanted = ids >= 0, ids[rows]
        own, card, when = ids[seen], log.card[seen], log.day[seen]
        for days in WINDOWS:
            found[f"entity_cards_{key}_{days}d"] = _distinct(own, card, when, days, wanted, day)
        known = ids[told] >= 0
        found[f"entity_events_{key}"] = _between(own, when, WINDOW, wanted, day)
        found[f"entity_reports_{key}"] = _between(ids[told][known], log.told_day[known], WINDOW, wanted, day)
        found[f"entity_age_{key}"] = _age(own, when, wanted, day)
    index = pd.Index(log.event_id[rows], name="event_id")
    return pd.DataFrame({name: found[name].astype(np.float64) for name in ENTITY_FEATURES}, index=index)


def _between(own: Ids, when: Ids, days: int, wanted: Ids, day: Ids) -> Ids:
    """Return how many rows of the wanted id lie in the ``days`` before each day."""
    return _covering(own, when + 1, when + days + 1, wanted, day)


def _distinct(own: Ids, card: Ids, when: Ids, days: int, wanted: Ids, day: Ids) -> Ids:
    """Return how many cards the wanted id had in the ``days`` before each day.

    A card counts from the day after it was seen until ``days`` later, or until it is seen again and counts anew.
    """
    order = np.lexsort((when, card, own))
    own, card, when = own[order], card[order], when[order]
    again = np.full(len(when), np.iinfo(np.int64).max)
    same = (own[1:] == own[:-1]) & (card[1:] == card[:-1])
    again[:-1][same] = when[1:][same]
    return _covering(own, when + 1, np.minimum(when + days, again) + 1, wanted, day)


def _covering(own: Ids, start: Ids, end: Ids, wanted: Ids, day: Ids) -> Ids:
    """Return how many intervals [start, end) of the wanted id hold each day."""
    _, number = np.unique(np.concatenate([own, wanted]), return_inverse=True)
    span = int(max(day.max(initial=0), end.max(initial=0))) + 1
    mine, asked = number[: len(own)] * span, number[len(own) :] * span
    begun, ended = (np.searchsorted(np.sort(mine + edge), asked + day, side="right") for edge in (start, end))
    return np.asarray(np.where(wanted >= 0, begun - ended, 0))


def _age(own: Ids, when: Ids, wanted: Ids, day: Ids) -> Ids:
    known, first = np.unique(own, return_index=True)  # the log is in the order of time
    if not len(known):
        return np.zeros(len(wanted), np.int64)
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    age = day - when[first][place]
    return np.where(known[place] == wanted, np.minimum(age, AGE_CAP), 0)
