"""What chapter 4 asks of the company's tables before any model: what is there, who can leave, what a leak costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from casebook.churn.features import CATEGORIES, label
from casebook.churn.tables import TABLES
from casebook.contracts import refuse

#: Groups of subscribers by when their next bill, and with it the first chance to leave, falls due.
BILLS = ("monthly bill", "annual, renews in 30 days", "annual, renews later")
DUE_DAYS = 30


#: Category -> what the source lists under it; ``None`` where the category is ours.
SOURCE_FEATURES: dict[str, str | None] = {
    "static": "plan tier, signup date, company size, industry",
    "engagement_recent": "logins last 7d, 30d; sessions; pages viewed; features used count",
    "engagement_long": "usage 90d, 180d; trend (slope of weekly usage)",
    "trajectory": "usage_now / usage_90d_ago; logins_drop_pct; days_since_last_login",
    "support": "tickets in last 30d, severity, resolution time, sentiment",
    "billing": "failed payments, plan changes",
    "account": "other users from same company, their activity",
    "engagement_asked": None,
    "contact": None,
}


def feature_table() -> pd.DataFrame:
    """Return the columns of each category beside what the source lists under it.

    Examples
    --------
    >>> feature_table().loc["contact"].tolist()
    ['', 'calls_90d, reached_90d']
    """
    rows = {
        kind: {"the source lists": listed or "", "here": ", ".join(CATEGORIES[kind])}
        for kind, listed in SOURCE_FEATURES.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def inventory(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what lies in each event table: rows, what identifies one, its first and last day, what is missing.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        The tables of :data:`casebook.churn.tables.TABLES`.

    Returns
    -------
    pandas.DataFrame
        Index the table's name; ``rows``, ``one row per``, ``dated by``, ``first``, ``last``, ``missing``.

    Examples
    --------
    >>> plans = {"subscriber_id": [1, 2], "changed_on": pd.to_datetime(["2025-01-03", "2025-02-01"])}
    >>> inventory({"plan_changes": pd.DataFrame(plans | {"kind": ["upgrade", "downgrade"]})}).iloc[0].tolist()
    [2, 'subscriber_id, changed_on, kind', 'changed_on', '2025-01-03', '2025-02-01', '']
    """
    return pd.DataFrame({name: _inventory_row(name, table) for name, table in tables.items()}).T


def _inventory_row(name: str, table: pd.DataFrame) -> dict[str, Any]:
    schema = TABLES[name]
    key = schema.unique or [column for column, kind in schema.columns.items() if kind.unique]
    date = next(column for column in schema.columns if table[column].dtype.kind == "M")
    holes = table.isna().mean()
    events = ["subscriber_id", date, *(["kind"] if "kind" in table else ["topic"] if "topic" in table else [])]
    return {
        "rows": len(table),
        "one row per": ", ".join(key or events),
        "dated by": date,
        "first": str(table[date].min().date()),
        "last": str(table[date].max().date()),
        "missing": ", ".join(f"{column} {share:.1%}" for column, share in holes.items() if share > 0),
    }


def subscribed(connection: duckdb.DuckDBPyConnection, dates: Sequence[str]) -> pd.DataFrame:
    """Return one row a date and subscriber on it: ``subscriber_id``, ``asof``; the cases that a label is asked for.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        From :func:`casebook.churn.features.connect`.
    dates : sequence of str
    """
    parts = [label(connection, date).index.to_frame(index=False).assign(asof=date) for date in dates]
    return pd.concat(parts, ignore_index=True)


def some_companies(
    tables: Mapping[str, pd.DataFrame], share: float, rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """Return the event tables of a random ``share`` of the companies, colleagues together.

    Examples
    --------
    >>> customers = pd.DataFrame({"subscriber_id": [1, 2, 3], "account_id": [9, 7, 7]})
    >>> kept = some_companies({"customers": customers}, 0.5, np.random.default_rng(0))
    >>> kept["customers"]["subscriber_id"].tolist()
    [2, 3]
    """
    if not 0 < share <= 1:
        refuse("share", "above 0 and at most 1", f"{share:g}", "give a share of the companies, such as 0.2")
    customers = tables["customers"]
    companies = customers["account_id"].unique()
    kept = companies[rng.random(len(companies)) < share]
    ids = customers.loc[customers["account_id"].isin(kept), "subscriber_id"]
    return {name: table[table["subscriber_id"].isin(ids)] for name, table in tables.items()}


def bill_group(frame: pd.DataFrame) -> pd.Series:
    """Return which of :data:`BILLS` each row belongs to, as an ordered categorical.

    Parameters
    ----------
    frame : pandas.DataFrame
        With ``is_annual`` and ``days_to_renewal`` of :mod:`casebook.churn.features`.

    Examples
    --------
    >>> bill_group(pd.DataFrame({"is_annual": [0, 1, 1], "days_to_renewal": [5, 12, 200]})).tolist()
    ['monthly bill', 'annual, renews in 30 days', 'annual, renews later']
    """
    later = (frame["is_annual"] == 1) & (frame["days_to_renewal"] > DUE_DAYS)
    words = np.select([frame["is_annual"] == 0, later], [BILLS[0], BILLS[2]], BILLS[1])
    return pd.Series(pd.Categorical(words, categories=list(BILLS), ordered=True), index=frame.index)


def with_due(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the features with the interaction that a person knows: ``due``, ``due_annual``.

    ``due`` is 1 if the next bill lies in the window of the label; ``due_annual`` if it is a renewal of a year.

    Examples
    --------
    >>> with_due(pd.DataFrame({"is_annual": [0, 1, 1], "days_to_renewal": [5, 12, 200]}))[["due", "due_annual"]].T
                  0    1    2
    due         1.0  1.0  0.0
    due_annual  0.0  1.0  0.0
    """
    due = (frame["days_to_renewal"] <= DUE_DAYS).astype(float)
    return frame.assign(due=due, due_annual=due * frame["is_annual"])


def leak_prices(table: pd.DataFrame, calls: int) -> pd.DataFrame:
    """Return what each leak promised on the analyst's table and what its list delivers.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`casebook.churn.leaks.leak_table`.
    calls : int
        Length of the list.

    Returns
    -------
    pandas.DataFrame
        Rows as in ``table``; ``promised`` and ``delivered`` (AUPRC), ``false_gain`` (promised above the honest
        model's), ``price`` (delivered below it), ``leavers_promised`` and ``leavers`` on a list of that length.
    """
    honest = table.loc["honest"]
    return pd.DataFrame(
        {
            "promised": table["auprc_offline"],
            "delivered": table["auprc_deployed"],
            "false_gain": table["auprc_offline"] - honest["auprc_offline"],
            "price": honest["auprc_deployed"] - table["auprc_deployed"],
            "leavers_promised": (calls * table["precision_offline"]).round().astype(int),
            "leavers": (calls * table["precision_deployed"]).round().astype(int),
        }
    )


def downgrade_split(frame: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return how often those who left stepped down before the prediction date, and how often after it.

    Parameters
    ----------
    frame : pandas.DataFrame
        One cohort of :func:`casebook.churn.features.cohorts`.
    tables : mapping of str to pandas.DataFrame

    Returns
    -------
    pandas.DataFrame
        Rows ``left`` and ``stayed``; share with a downgrade in the 90 days ``before`` the date and in the 30 days
        ``after`` it, failed cards left out.
    """
    at = frame["asof"].iloc[0]
    changes = tables["plan_changes"]
    down = changes[changes["kind"] == "downgrade"]
    inside = down[down["changed_on"].between(at, at + pd.Timedelta(days=30))]
    chosen = frame[frame["by_card"] == 0]
    shares = pd.DataFrame(
        {
            "before": chosen["downgrades_90d"] > 0,
            "after": chosen["subscriber_id"].isin(inside["subscriber_id"]),
        }
    )
    return shares.groupby(chosen["y"].map({1.0: "left", 0.0: "stayed"})).mean().rename_axis(None)
