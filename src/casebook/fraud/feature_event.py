"""One event as the state reads it, and the sentences with which a bad one is refused."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan, nan
from numbers import Integral, Real
from typing import Any, NamedTuple

from casebook.contracts import refuse
from casebook.fraud.feature_spec import Spec
from casebook.fraud.world import CHANNELS, ENTRIES

#: Ids, seconds and cents are kept in eight bytes; running sums must fit as well.
LARGEST = 2**50


class Event(NamedTuple):
    """The fields of one event that features are made of, each of the right type."""

    event_id: int
    at: int
    card_id: int
    merchant_id: int
    terminal_id: int
    device_id: int
    amount_cents: int
    channel: str
    entry: str
    country: str
    category: str
    x_km: float
    y_km: float


def read_event(given: Mapping[str, Any], spec: Spec) -> Event:
    """Read an event, or say what is wrong with it.

    Parameters
    ----------
    given : mapping of str
        The columns of ``events`` (one row of them, or the body of a request). ``terminal_id`` and ``device_id`` may
        be absent, which is -1, and so may the place, which is NaN.
    spec : Spec
        Holds the known currencies.

    Returns
    -------
    Event

    Raises
    ------
    ContractError
        The first field that is missing, of a wrong type, out of range, or an unknown word.

    Examples
    --------
    >>> read_event({"event_id": 1, "at": 0}, Spec())
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: card_id must be a whole number from 0 to 2^50, got nothing; send the field.
    """
    get = given.get
    return Event(
        read_whole("event_id", get("event_id")),
        read_whole("at", get("at")),
        read_whole("card_id", get("card_id")),
        read_whole("merchant_id", get("merchant_id")),
        read_whole("terminal_id", get("terminal_id", -1), -1),
        read_whole("device_id", get("device_id", -1), -1),
        _amount(get("amount_cents"), get("currency"), spec),
        _word("channel", get("channel"), CHANNELS),
        _word("entry", get("entry"), ENTRIES),
        _country(get("country")),
        _category(get("category")),
        *_place(get("x_km"), get("y_km")),
    )


def read_whole(what: str, value: Any, least: int = 0) -> int:
    """Read a whole number from ``least`` to :data:`LARGEST`, or refuse it under the name ``what``."""
    if type(value) is int and least <= value <= LARGEST:  # the common case, at a fifth of the price
        return value
    whole = int(value) if isinstance(value, Integral) and not isinstance(value, bool) else None
    if whole is None or not least <= whole <= LARGEST:
        mend = "send the field" if value is None else "mend it"
        refuse(what, f"a whole number from {least} to 2^50", _shown(value), mend)
    return whole


def _amount(value: Any, currency: Any, spec: Spec) -> int:
    if currency not in spec.currencies:
        refuse("currency", "one of " + ", ".join(spec.currencies), _shown(currency), "convert it or add it to Spec")
    return read_whole("amount_cents", value, 1)


def _word(what: str, value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        refuse(what, "one of " + ", ".join(known), _shown(value), "mend it")
    return str(value)


def _country(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 2 or not value.isascii():
        refuse("country", "a code of two letters", _shown(value), "mend it")
    return value


def _category(value: Any) -> str:
    if not isinstance(value, str):
        refuse("category", "a word", _shown(value), "mend it")
    return value


def _place(x: Any, y: Any) -> tuple[float, float]:
    if type(x) is float and type(y) is float and abs(x) <= LARGEST and abs(y) <= LARGEST:
        return x, y
    for what, value in (("x_km", x), ("y_km", y)):
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, Real) or abs(float(value)) > LARGEST
        ):
            refuse(what, "kilometres, or absent", _shown(value), "mend it")
    if x is None or y is None or isnan(x) or isnan(y):
        return nan, nan
    return float(x), float(y)


def _shown(value: Any) -> str:
    """Show what was given in at most 40 characters: a refusal never repeats a megabyte."""
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, (str, bool, Real)) and not _huge(value) else type(value).__name__
    return text if len(text) <= 40 else text[:37] + "..."


def _huge(value: Any) -> bool:
    return isinstance(value, int) and abs(value) > 10**30
