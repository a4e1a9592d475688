"""The contract of the feed's tables, and the one table of users that a report reads."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pandera.pandas as pa

from casebook.contracts import check_frame, refuse
from casebook.feed.world import ARMS, COHORTS, COUNTRIES, PLATFORMS

Tables = dict[str, pd.DataFrame]


def _id(meaning: str, unique: bool = False) -> pa.Column:
    return pa.Column("int64", coerce=True, unique=unique, description=meaning)


def _count(meaning: str, least: int = 0) -> pa.Column:
    check = pa.Check.ge(least, error=f"{least} or more")
    return pa.Column("int64", check, coerce=True, description=meaning)


def _number(meaning: str, nullable: bool = False) -> pa.Column:
    return pa.Column(float, pa.Check.ge(0, error="0 or more"), coerce=True, nullable=nullable, description=meaning)


def _date(meaning: str, nullable: bool = False) -> pa.Column:
    return pa.Column("datetime64[s]", coerce=True, nullable=nullable, description=meaning)


def _word(meaning: str, allowed: tuple[str, ...]) -> pa.Column:
    return pa.Column(checks=pa.Check.isin(list(allowed), error="one of " + ", ".join(allowed)), description=meaning)


def _table(name: str, key: list[str] | None, **columns: pa.Column) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(dict(columns), unique=key, strict=False, name=f"table '{name}'")


def _outcomes(least: int) -> dict[str, pa.Column]:
    return {
        "sessions": _count("visits", least),
        "impressions": _count("items shown"),
        "clicks": _count("impressions clicked"),
        "likes": _count("impressions liked"),
        "hides": _count("impressions hidden or reported"),
        "minutes": _number("minutes in the feed"),
        "load_ms": _number("mean milliseconds until the feed shows; missing without a session", nullable=True),
    }


TABLES: dict[str, pa.DataFrameSchema] = {
    "users": _table(
        "users",
        None,
        user_id=_id("key of the account, one row each", unique=True),
        platform=_word("client", PLATFORMS),
        country=_word("country", tuple(COUNTRIES)),
        cohort=_word("signed up lately, or else by use before the test", COHORTS),
        signed_up_on=_date("first day of the account"),
    ),
    "assignment": _table(
        "assignment",
        None,
        user_id=_id("account whose assignment was logged, one row each", unique=True),
        arm=_word("arm", ARMS),
        assigned_on=_date("day from which on it counts"),
        exposed_on=_date("day of the first session in the test; missing if there was none", nullable=True),
        cluster_id=pa.Column(
            "int64", coerce=True, required=False, description="what was randomised, if that was not the user"
        ),
    ),
    "before": _table(
        "before",
        None,
        user_id=_id("account", unique=True),
        sessions_before=_count("visits in the 14 days before the test"),
        impressions_before=_count("items shown then"),
        clicks_before=_count("impressions clicked then"),
        likes_before=_count("impressions liked then"),
        minutes_before=_number("minutes in the feed then"),
    ),
    "totals": _table("totals", None, user_id=_id("assigned account, one row each", unique=True), **_outcomes(0)),
    "daily": _table(
        "daily",
        ["user_id", "day"],
        user_id=_id("account in one of the two arms"),
        arm=_word("arm", ARMS[:2]),
        day=_count("day of the test, from 0"),
        days_since_exposure=_count("days since the first session in the test"),
        **_outcomes(1),
    ),
    "creators": _table(
        "creators",
        None,
        creator_id=_id("account that posts, one row each", unique=True),
        posts_before=_count("posts in the 14 days before the test"),
        impressions_before=_count("times shown then"),
        posts=_count("posts in the test"),
        impressions=_count("times shown in the test"),
        impressions_new=_count("of them by the new ranker"),
    ),
    "friendships": _table(
        "friendships",
        ["user_a", "user_b"],
        user_a=_id("one of two friends, the smaller id"),
        user_b=_id("the other"),
    ),
}

#: The column by which a row belongs to an account.
_OWNERS = {
    "assignment": ("user_id",),
    "before": ("user_id",),
    "totals": ("user_id",),
    "daily": ("user_id",),
    "creators": ("creator_id",),
    "friendships": ("user_a", "user_b"),
}


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
    """
    checked: Tables = {}
    for name, schema in TABLES.items():
        if name not in tables:
            refuse("tables", f"a mapping with a table {name!r}", ", ".join(map(repr, tables)), f"add {name!r}")
        empty = isinstance(tables[name], pd.DataFrame) and tables[name].empty and name in ("daily", "friendships")
        checked[name] = schema.validate(tables[name]) if empty else check_frame(tables[name], schema)
    known = checked["users"]["user_id"].to_numpy()
    for name, columns in _OWNERS.items():
        for column in columns:
            _check_known(checked[name][column].to_numpy(), known, f"table {name!r}", column)
    return checked


def _check_known(ids: np.ndarray, known: np.ndarray, table: str, column: str) -> None:
    strange = ~np.isin(ids, known)
    if strange.any():
        row = int(np.argmax(strange))
        must, mend = "one of table 'users'", "add the account or drop the row"
        refuse(f"{table}, row {row}: {column}", must, str(ids[row]), mend)


def user_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Join what is known of every assigned account: one row each, as a report reads it.

    Returns
    -------
    pandas.DataFrame
        The columns of ``assignment``, ``users``, ``before`` and ``totals``, in the order of ``assignment``.

    Examples
    --------
    >>> from casebook.feed.simulate import simulate
    >>> from casebook.feed.world import World
    >>> users = user_table(simulate(World(), 1_000, np.random.default_rng(0)).tables)
    >>> len(users), users.columns[:6].tolist()
    (1000, ['user_id', 'arm', 'assigned_on', 'exposed_on', 'platform', 'country'])
    """
    joined = tables["assignment"]
    for name in ("users", "before", "totals"):
        joined = joined.merge(tables[name], on="user_id", how="left", validate="one_to_one")
    return joined
