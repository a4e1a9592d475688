"""The contract of the event tables, and of a reader's own table of customers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pandera.pandas as pa

from casebook.churn.table_checks import check_known, check_order, check_past, check_subscribed
from casebook.churn.world import INDUSTRIES, PLANS, ROLES
from casebook.contracts import check_frame, refuse

__all__ = [
    "CANDIDATES",
    "TABLES",
    "check_candidates",
    "check_known",
    "check_order",
    "check_past",
    "check_subscribed",
    "check_tables",
    "contract",
]

Tables = dict[str, pd.DataFrame]

_DATE = "datetime64[s]"


def _id(unique: bool = False, meaning: str = "key of the subscriber") -> pa.Column:
    return pa.Column("int64", coerce=True, unique=unique, description=meaning)


def _count(meaning: str, least: int = 0, most: int | None = None) -> pa.Column:
    if most is None:
        check = pa.Check.ge(least, error=f"{least} or more")
    else:
        check = pa.Check.in_range(least, most, error=f"{least} to {most}")
    return pa.Column("int64", check, coerce=True, description=meaning)


def _number(meaning: str, low: float, high: float | None = None, nullable: bool = False) -> pa.Column:
    if high is None:
        check = pa.Check.ge(low, error=f"{low:g} or more")
    else:
        check = pa.Check.in_range(low, high, error=f"{low:g} to {high:g}")
    return pa.Column(float, check, coerce=True, nullable=nullable, description=meaning)


def _date(meaning: str, nullable: bool = False) -> pa.Column:
    return pa.Column(_DATE, coerce=True, nullable=nullable, description=meaning)


def _word(meaning: str, allowed: tuple[str, ...]) -> pa.Column:
    return pa.Column(checks=pa.Check.isin(list(allowed), error="one of " + ", ".join(allowed)), description=meaning)


def _table(name: str, key: list[str] | None, **columns: pa.Column) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(dict(columns), unique=key, strict=False, name=f"table '{name}'")


TABLES: dict[str, pa.DataFrameSchema] = {
    "customers": _table(
        "customers",
        None,
        subscriber_id=_id(unique=True, meaning="key of the subscriber, one row each"),
        account_id=_id(meaning="company that holds the subscription"),
        signed_up_on=_date("first day"),
        plan=_word("plan", tuple(PLANS)),
        price=_number("dollars a month", 0),
        term=_word("monthly or annual bill", ("monthly", "annual")),
        bill_day=_count("day of the month on which the bill is due", 1, 28),
        employees=_count("people at the company", 1),
        industry=_word("industry of the company", INDUSTRIES),
        role=_word("role of the contact", ROLES),
    ),
    "cancellations": _table(
        "cancellations",
        None,
        subscriber_id=_id(unique=True, meaning="who left, one row each"),
        cancelled_on=_date("first day without the subscription"),
        reason=_word("what the billing system says", ("cancelled", "payment_failed")),
    ),
    "usage_weekly": _table(
        "usage_weekly",
        ["subscriber_id", "week"],
        subscriber_id=_id(),
        week=_date("Monday of the week; a week without logins has no row"),
        logins=_count("logins in the week", 1),
        pages=_count("pages viewed"),
        features_used=_count("different features used"),
        pricing_views=_count("views of the pricing page"),
        last_login_on=_date("day of the week's last login"),
    ),
    "tickets": _table(
        "tickets",
        None,
        subscriber_id=_id(),
        opened_on=_date("day of opening"),
        topic=_word("topic", ("how_to", "bug", "billing")),
        severity=_count("1 (minor) to 4 (down)", 1, 4),
        resolved_on=_date("day of resolution; missing while open", nullable=True),
        sentiment=_number("tone of the ticket, in hundredths", -1, 1, nullable=True),
    ),
    "plan_changes": _table(
        "plan_changes",
        None,
        subscriber_id=_id(),
        changed_on=_date("day of the change"),
        kind=_word("direction", ("downgrade", "upgrade")),
    ),
    "failed_payments": _table(
        "failed_payments",
        ["subscriber_id", "failed_on"],
        subscriber_id=_id(),
        failed_on=_date("day of the bill that failed"),
        recovered_on=_date("day on which a retry went through; missing if none has", nullable=True),
    ),
    "surveys": _table(
        "surveys",
        ["subscriber_id", "sent_on"],
        subscriber_id=_id(),
        sent_on=_date("day of the NPS question, and of the answer"),
        score=_number("answer; missing if there was none", 0, 10, nullable=True),
    ),
    "emails": _table(
        "emails",
        ["subscriber_id", "sent_on"],
        subscriber_id=_id(),
        sent_on=_date("day of the newsletter"),
        opened=_number("1 if opened; missing where the company hides it", 0, 1, nullable=True),
    ),
    "calls": _table(
        "calls",
        ["subscriber_id", "called_on"],
        subscriber_id=_id(),
        called_on=_date("day of the call"),
        listed_by=_word("who chose the call", ("rep", "pilot", "off_list")),
        reached=pa.Column(bool, description="whether somebody answered"),
    ),
    "pilot": _table(
        "pilot",
        None,
        subscriber_id=_id(unique=True, meaning="who was in the pilot, one row each"),
        account_id=_id(meaning="company, which was randomised as a whole"),
        enrolled_on=_date("day of enrolment"),
        arm=_word("arm", ("call", "control")),
    ),
    "feedback": _table(
        "feedback",
        None,
        subscriber_id=_id(),
        happened_on=_date("day"),
        kind=_word("what it was", ("complaint", "unsubscribe")),
    ),
}

#: A reader's own table of customers: one row each, with what a decision needs. Other columns may stand beside these.
CANDIDATES = pa.DataFrameSchema(
    {
        "customer_id": pa.Column(unique=True, description="key of the customer, one row each"),
        "p": pa.Column(
            float,
            pa.Check.in_range(0, 1, error="0 to 1", description="divide percentages by 100"),
            coerce=True,
            description="chance of leaving in the next month if nobody calls",
        ),
        "value": _number("dollars of margin that a saved customer still brings", 0),
        "uplift": pa.Column(
            float,
            pa.Check.in_range(-1, 1, error="-1 to 1"),
            coerce=True,
            required=False,
            description="what a call adds to the chance of staying",
        ),
        "y": pa.Column(
            int, pa.Check.isin([0, 1], error="0 or 1"), required=False, description="1 if they left, once known"
        ),
        "treated": pa.Column(
            int, pa.Check.isin([0, 1], error="0 or 1"), required=False, description="1 if a coin flip gave them a call"
        ),
    },
    strict=False,
    name="table 'candidates'",
)


def contract(schema: pa.DataFrameSchema) -> list[tuple[str, str, str, str]]:
    """Return a contract's rows: column, type, allowed values, meaning.

    Examples
    --------
    >>> contract(CANDIDATES)[1]
    ('p', 'number', '0 to 1', 'chance of leaving in the next month if nobody calls')
    """
    rows = []
    for name, column in schema.columns.items():
        allowed = "; ".join(str(check.error) for check in column.checks) or ("each once" if column.unique else "any")
        notes = [word for word, on in (("optional", not column.required), ("may be missing", column.nullable)) if on]
        shown = name + (f" ({', '.join(notes)})" if notes else "")
        rows.append((shown, _kind(str(column.dtype)), allowed, column.description))
    return rows


def _kind(dtype: str) -> str:
    for start, word in (("int", "whole number"), ("float", "number"), ("datetime", "date"), ("bool", "true or false")):
        if dtype.startswith(start):
            return word
    return "any"


def check_candidates(table: pd.DataFrame) -> pd.DataFrame:
    """Hold a reader's table of customers against :data:`CANDIDATES`.

    Raises
    ------
    ContractError

    Examples
    --------
    >>> check_candidates(pd.DataFrame({"customer_id": ["a", "b"], "p": [4.0, 12.0], "value": [900, 2400]}))
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: table 'candidates', column 'p', row 0 must be between 0 and 1, got 4.0;
    divide percentages by 100.
    """
    return check_frame(table, CANDIDATES)


def check_tables(tables: Mapping[str, pd.DataFrame], today: str | pd.Timestamp | np.datetime64 | None = None) -> Tables:
    """Hold every event table against its contract and the tables against each other.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        All of :data:`TABLES`; ``customers`` must have rows. They are not changed.
    today : str or datetime, optional
        Refuse events on this day or after it.

    Returns
    -------
    dict of str to pandas.DataFrame
        The tables with the types of the contract.

    Raises
    ------
    ContractError
        At the first failure, in one sentence.
    """
    checked: Tables = {}
    for name, schema in TABLES.items():
        if name not in tables:
            refuse("tables", f"a mapping with a table {name!r}", ", ".join(map(repr, tables)), f"add {name!r}")
        empty = isinstance(tables[name], pd.DataFrame) and tables[name].empty and name != "customers"
        checked[name] = schema.validate(tables[name]) if empty else check_frame(tables[name], schema)
    check_known(checked)
    check_subscribed(checked)
    check_order(checked)
    if today is not None:
        check_past(checked, today)
    return checked
