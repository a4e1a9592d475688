"""Survivors: who left young was never met, and whose history is too short was never scored."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.churn.evaluate import Worth
from casebook.churn.simulate import Company
from casebook.churn.world import FIRST_DAY, MONTHS, TODAY
from casebook.contracts import refuse, require_columns
from casebook.labels import hazard_by_age


def tenure_hazard(tables: dict[str, pd.DataFrame], longest: int = 12, newcomers: bool = False) -> pd.DataFrame:
    """Return the risk of leaving by month of tenure, with and without the correction for late entry.

    A subscriber who signed up before the warehouse's first day is in the tables only because of having stayed.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        ``customers`` and ``cancellations``.
    longest : int
        Last month of tenure to return.
    newcomers : bool
        Only those who signed up since the first day: nobody among them was met late.

    Returns
    -------
    pandas.DataFrame
        One row a month of tenure: ``month`` (1 is the month after signup), ``at_risk``, ``events``, ``hazard`` (late
        entry corrected), ``naive`` (as if everybody had been watched since signup).

    Raises
    ------
    ContractError
        A table or a column that is not there.
    """
    require_columns(tables["customers"], ["subscriber_id", "signed_up_on"], "customers")
    require_columns(tables["cancellations"], ["subscriber_id", "cancelled_on"], "cancellations")
    left_on = tables["cancellations"].set_index("subscriber_id")["cancelled_on"]
    people = tables["customers"].assign(left_on=tables["customers"]["subscriber_id"].map(left_on))
    start = _month(people["signed_up_on"])
    left = np.where(people["left_on"].notna(), _month(people["left_on"].fillna(pd.Timestamp(TODAY))), MONTHS - 1)
    entry, leave = np.maximum(0, -start - 1), left - start
    rows = (leave > entry) & ((start >= 0) | (not newcomers))
    table = hazard_by_age(entry[rows], leave[rows], people["left_on"].notna().to_numpy()[rows])
    table.insert(0, "month", (table.pop("age") + 1).astype(int))
    return table.head(longest)


def _month(dates: pd.Series) -> NDArray[np.int64]:
    """Months since the warehouse's first."""
    first = FIRST_DAY.astype("M8[M]").astype(int)
    return np.asarray(dates.to_numpy().astype("M8[M]").astype(int) - first)


def true_hazard(company: Company, longest: int = 12) -> pd.DataFrame:
    """Return the mean hazard of newcomers by month of tenure, from the truth: no call, no late entry.

    Parameters
    ----------
    company : Company
    longest : int
        Last month of tenure; at most 23.

    Returns
    -------
    pandas.DataFrame
        ``month``, ``at_risk`` (newcomers who got that far), ``hazard``.
    """
    customers, past = company.tables["customers"], company.truth.past
    left_on = company.tables["cancellations"].set_index("subscriber_id")["cancelled_on"]
    start = _month(customers["signed_up_on"])
    left = _month(customers["subscriber_id"].map(left_on).fillna(pd.Timestamp("2100-01-01")))
    table = []
    for month in range(1, longest + 1):
        at = start + month
        rows = np.flatnonzero((start >= 0) & (at < MONTHS) & (left >= at))
        gone = 1 - (1 - past.p[rows, at[rows]]) * (1 - past.failed[rows, at[rows]])
        table.append({"month": month, "at_risk": len(rows), "hazard": float(gone.mean()) if len(rows) else np.nan})
    return pd.DataFrame(table)


def never_seen(company: Company, worth: Worth, days: int = 90) -> pd.DataFrame:
    """Return what a model never sees whose features demand a history of ``days`` days.

    Parameters
    ----------
    company : Company
    worth : Worth
        Of the company's truth.
    days : int
        History that the features demand.

    Returns
    -------
    pandas.DataFrame
        Index: ``subscribers`` today, ``leavers next month`` (expected), ``dollars that leave`` (margin to come of
        those leavers), ``cancellations so far`` of those who signed up since the warehouse began, and ``monthly price
        lost so far`` by the same; columns ``all``, ``unseen``, ``share``.

    Raises
    ------
    ContractError
        Days not above 0.
    """
    if days <= 0:
        refuse("days", "above 0", repr(days), "pass 90")
    customers = company.tables["customers"].set_index("subscriber_id")
    today = (TODAY - customers.loc[company.truth.subscriber_id, "signed_up_on"]).dt.days.to_numpy() < days
    gone = company.tables["cancellations"].join(customers[["signed_up_on", "price"]], on="subscriber_id")
    gone = gone[gone["signed_up_on"] >= FIRST_DAY]
    young = ((gone["cancelled_on"] - gone["signed_up_on"]).dt.days < days).to_numpy()
    counted = {
        "subscribers": (np.ones(len(today)), today),
        "leavers next month": (worth.p, today),
        "dollars that leave": (worth.p * worth.saved, today),
        "cancellations so far": (np.ones(len(gone)), young),
        "monthly price lost so far": (gone["price"].to_numpy(float), young),
    }
    rows = {name: (float(amount.sum()), float(amount[unseen].sum())) for name, (amount, unseen) in counted.items()}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["all", "unseen"])
    return table.assign(share=table["unseen"] / table["all"])
