"""The contract of the issuer's tables: what its authorisation sees, and what it hears later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from casebook.contracts import check_frame, refuse
from casebook.fraud.world import ACTIONS, ANSWERS, CATEGORIES, CHANNELS, COUNTRIES, CURRENCIES, ENTRIES, OUTCOMES

Tables = dict[str, pd.DataFrame]

#: The fixed categories of every column of words, in the order of their codes.
WORDS: Mapping[str, tuple[str, ...]] = {
    "channel": CHANNELS,
    "entry": ENTRIES,
    "currency": tuple(dict.fromkeys(CURRENCIES.values())),
    "country": COUNTRIES,
    "category": CATEGORIES,
    "outcome": OUTCOMES,
    "answer": ANSWERS,
}
_DTYPES = {name: pd.CategoricalDtype(list(allowed)) for name, allowed in WORDS.items()}
ENTRY_CHANNEL = dict(zip(ENTRIES, ("terminal",) * 4 + ("online",) * 2 + ("app",), strict=True))
_CHANNEL_OF_ENTRY = np.array([CHANNELS.index(ENTRY_CHANNEL[name]) for name in ENTRIES])
_SEEN_WITH = {
    "device_id": ("app", "threeds"),
    "ip_id": ("app", "threeds"),
    "address_id": ("threeds",),
    "terminal_id": ENTRIES[:4],
}


def _id(meaning: str, unique: bool = False) -> pa.Column:
    return pa.Column("int64", pa.Check.ge(0, error="0 or more"), coerce=True, unique=unique, description=meaning)


def _seen(meaning: str) -> pa.Column:
    return pa.Column(
        "int64", pa.Check.ge(-1, error="an id, or -1 where it is not seen"), coerce=True, description=meaning
    )


def _number(meaning: str, nullable: bool = False) -> pa.Column:
    return pa.Column(float, coerce=True, nullable=nullable, description=meaning)


def _word(name: str, meaning: str) -> pa.Column:
    allowed = list(WORDS[name])
    return pa.Column(checks=pa.Check.isin(allowed, error="one of " + ", ".join(allowed)), description=meaning)


def _seconds(meaning: str, negative: bool = False) -> pa.Column:
    check = None if negative else pa.Check.ge(0, error="0 or more seconds since the first midnight")
    return pa.Column("int64", check, coerce=True, description=meaning)


def _action() -> pa.Column:
    check = pa.Check.isin(list(range(len(ACTIONS))))
    return pa.Column("int8", check, coerce=True, description="allow 0, push 1, call 2, block 3")


def _table(name: str, **columns: pa.Column) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(dict(columns), strict=False, name=f"table '{name}'")


TABLES: dict[str, pa.DataFrameSchema] = {
    "events": _table(
        "events",
        event_id=_id("key of the attempted transaction; ids rise with time", unique=True),
        at=_seconds("seconds since the world's first midnight"),
        card_id=_id("card"),
        merchant_id=_id("merchant; of a transfer in the app the payee's account"),
        terminal_id=_seen("terminal; -1 unless the channel is one"),
        channel=_word("channel", "where the card was used"),
        entry=_word("entry", "how its number came in"),
        amount_cents=pa.Column(
            "int64",
            pa.Check.gt(0, error="above 0"),
            coerce=True,
            description="amount in US cents, whatever the currency",
        ),
        currency=_word("currency", "the merchant's currency"),
        country=_word("country", "the merchant's country"),
        category=_word("category", "the merchant's category"),
        x_km=_number("place of the terminal, kilometres east; missing elsewhere", nullable=True),
        y_km=_number("kilometres north", nullable=True),
        device_id=_seen("device; seen in the app and with 3-D Secure"),
        ip_id=_seen("network address; seen in the app and with 3-D Secure"),
        address_id=_seen("delivery address; seen with 3-D Secure"),
    ),
    "cards": _table(
        "cards",
        card_id=_id("key of the card, one row each", unique=True),
        household_id=_id("household of its holder"),
        opened=_seconds("when the account was opened, seconds; before the first midnight below 0", negative=True),
        x_km=_number("home, kilometres east"),
        y_km=_number("home, kilometres north"),
    ),
    "merchants": _table(
        "merchants",
        merchant_id=_id("key of the merchant or payee, one row each", unique=True),
        category=_word("category", "what it sells; 'transfer' for a payee"),
        country=_word("country", "where it is"),
        channel=_word("channel", "where it sells"),
        x_km=_number("place, kilometres east; missing without terminals", nullable=True),
        y_km=_number("kilometres north", nullable=True),
    ),
    "reports": _table(
        "reports",
        event_id=_id("event that its holder disputes, at most one row each", unique=True),
        reported_at=_seconds("when the bank hears of it"),
    ),
    "answers": _table(
        "answers",
        event_id=_id("event about which the holder was asked", unique=True),
        at=_seconds("when"),
        action=_action(),
        answer=_word("answer", "what came back in time"),
    ),
    "decisions": _table(
        "decisions",
        event_id=_id("event, one row each", unique=True),
        action=_action(),
        outcome=_word("outcome", "what became of it; 'stopped' on a card already stopped"),
    ),
}

_MAY_BE_EMPTY = ("reports", "answers")


def words(name: str, codes: np.ndarray) -> Any:
    """Return a column of words with its fixed categories from int8 codes, without a copy.

    Examples
    --------
    >>> list(words("answer", np.array([0, 2], np.int8)))
    ['confirm', 'none']
    """
    return pd.Categorical.from_codes(codes, dtype=_DTYPES[name], validate=False)


def check_tables(tables: Mapping[str, pd.DataFrame]) -> Tables:
    """Hold every table against its contract, and the tables against each other.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        All of :data:`TABLES`; they are not changed.

    Returns
    -------
    dict of str to pandas.DataFrame
        The tables with the types of the contract.

    Raises
    ------
    ContractError
        At the first failure, in one sentence.

    Examples
    --------
    >>> check_tables({})
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: tables must be a mapping with a table 'events', got none; add 'events'.
    """
    checked: Tables = {}
    for name, schema in TABLES.items():
        if name not in tables:
            got = ", ".join(map(repr, tables)) or "none"
            refuse("tables", f"a mapping with a table {name!r}", got, f"add {name!r}")
        frame = tables[name]
        empty = isinstance(frame, pd.DataFrame) and frame.empty and name in _MAY_BE_EMPTY
        checked[name] = schema.validate(frame) if empty else check_frame(frame, schema)
    check_order(checked["events"])
    check_entries(checked["events"])
    for name, column, owner in (
        ("events", "card_id", "cards"),
        ("events", "merchant_id", "merchants"),
        ("reports", "event_id", "events"),
        ("answers", "event_id", "events"),
        ("decisions", "event_id", "events"),
    ):
        _check_known(checked[name][column].to_numpy(), checked[owner][column].to_numpy(), name, column, owner)
    return checked


def check_order(events: pd.DataFrame) -> None:
    """Refuse events that are not in the order of time, then id.

    Raises
    ------
    ContractError
        At the first row that is earlier than the one before it.

    Examples
    --------
    >>> check_order(pd.DataFrame({"event_id": [0, 1], "at": [9, 4]}))
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: table 'events', row 1 must be in the order of (at, event_id), got 4 after 9;
    sort it.
    """
    at, ids = events["at"].to_numpy(), events["event_id"].to_numpy()
    wrong = (np.diff(at) < 0) | ((np.diff(at) == 0) & (np.diff(ids) <= 0))
    if wrong.any():
        row = int(np.argmax(wrong)) + 1
        refuse(
            f"table 'events', row {row}", "in the order of (at, event_id)", f"{at[row]} after {at[row - 1]}", "sort it"
        )


def check_entries(events: pd.DataFrame) -> None:
    """Refuse an entry that its channel does not have, and a device or an address where an issuer sees none.

    Raises
    ------
    ContractError
        At the first such row.

    Examples
    --------
    >>> row = {"channel": ["online"], "entry": ["typed"], "device_id": [7], "ip_id": [-1], "address_id": [-1]}
    >>> check_entries(pd.DataFrame({**row, "terminal_id": [-1]}))
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: table 'events', row 0: device_id must be -1 with entry 'typed', got 7;
    take it out, for an issuer does not see it.
    """
    entry = pd.Categorical(events["entry"], categories=list(ENTRIES)).codes
    channel = pd.Categorical(events["channel"], categories=list(CHANNELS)).codes
    wrong = _CHANNEL_OF_ENTRY[entry] != channel
    if wrong.any():
        row = int(np.argmax(wrong))
        name, found = ENTRIES[entry[row]], CHANNELS[channel[row]]
        must = f"{ENTRY_CHANNEL[name]!r} with entry {name!r}"
        refuse(f"table 'events', row {row}: channel", must, repr(found), "mend one of the two")
    for column, allowed in _SEEN_WITH.items():
        values = events[column].to_numpy()
        wrong = (values >= 0) & ~np.isin(entry, [ENTRIES.index(name) for name in allowed])
        if wrong.any():
            row = int(np.argmax(wrong))
            what, must = f"table 'events', row {row}: {column}", f"-1 with entry {ENTRIES[entry[row]]!r}"
            refuse(what, must, str(values[row]), "take it out, for an issuer does not see it")


def _check_known(ids: np.ndarray, known: np.ndarray, name: str, column: str, owner: str) -> None:
    strange = ~np.isin(ids, known)
    if strange.any():
        row = int(np.argmax(strange))
        what, must = f"table '{name}', row {row}: {column}", f"one of table '{owner}'"
        refuse(what, must, str(ids[row]), f"add it to '{owner}' or drop the row")
