"""What the service accepts as an event or a report, beyond what the feature state asks of one."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import Any

from casebook.contracts import ContractError, refuse
from casebook.fraud.feature_event import Event, read_event, read_whole
from casebook.fraud.feature_spec import Spec

LONGEST_WORD = 64  # characters of a category: what is accepted is logged
Fields = dict[str, Any]


def read_scored(given: Any, spec: Spec, now: int) -> tuple[Event, Fields]:
    """Read an event that is to be scored, or say what is wrong with it.

    Parameters
    ----------
    given : mapping of str
        As in :func:`casebook.fraud.feature_event.read_event`, and so are the refusals; fields beyond those are left
        out.
    spec : Spec
    now : int
        Seconds; no event can be later.

    Returns
    -------
    Event
    dict of str
        Its fields as JSON has them: what is logged, and what a repeated event is held against.

    Raises
    ------
    ContractError
        Also no mapping, a time in the future, a category as long as a page.

    Examples
    --------
    >>> event = {"event_id": 1, "at": 90, "card_id": 5, "merchant_id": 7, "amount_cents": 900, "currency": "USD"}
    >>> event |= {"channel": "online", "entry": "typed", "country": "US", "category": "digital"}
    >>> read_scored(event, Spec(), now=60)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: at must be at most now, second 60, got 90; set the clock that sent it.
    """
    if not isinstance(given, Mapping):
        refuse("the event", "an object with named fields", type(given).__name__, "send one event")
    event = read_event(given, spec)
    if len(event.category) > LONGEST_WORD:
        got = f"{len(event.category)}"
        refuse("category", f"of at most {LONGEST_WORD} characters", got, "send the category's code")
    check_past("at", event.at, now)
    place = {} if isnan(event.x_km) else {"x_km": event.x_km, "y_km": event.y_km}
    kept = {name: value for name, value in event._asdict().items() if name not in ("x_km", "y_km")}
    return event, {**kept, "currency": str(given["currency"]), **place}


def read_report(event_id: Any, reported_at: Any, now: int) -> tuple[int, int]:
    """Read a report's two fields.

    Raises
    ------
    ContractError
        The first that is missing, of a wrong type, or later than now.

    Examples
    --------
    >>> read_report(7, 61, now=60)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: reported_at must be at most now, second 60, got 61; set the clock that sent it.
    """
    event_id, reported_at = read_whole("event_id", event_id), read_whole("reported_at", reported_at)
    check_past("reported_at", reported_at, now)
    return event_id, reported_at


def check_past(what: str, at: int, now: int) -> None:
    """Refuse a second that has not come yet."""
    if at > now:
        refuse(what, f"at most now, second {now}", str(at), "set the clock that sent it")


def check_same(fields: Fields, answered: Mapping[str, Any]) -> None:
    """Refuse an event that came before under its id with other content.

    Parameters
    ----------
    fields, answered : mapping of str
        From :func:`read_scored`, and the log's.

    Examples
    --------
    >>> check_same({"event_id": 7, "card_id": 1}, {"event_id": 7, "card_id": 2})
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: event_id must be new for a new event, got 7, which was answered with another
    card_id; send the first event again or give this one its own id.
    """
    names = [name for name in {**fields, **answered} if fields.get(name) != answered.get(name)]
    if names:
        got = f"{fields['event_id']}, which was answered with another {names[0]}"
        refuse("event_id", "new for a new event", got, "send the first event again or give this one its own id")


def field_of(refusal: ContractError) -> str:
    """Return the field that a refusal names.

    Examples
    --------
    >>> field_of(ContractError("amount_cents must be a whole number from 1 to 2^50, got -5; mend it."))
    'amount_cents'
    """
    return str(refusal).partition(" must be ")[0]
