"""The small tables of chapter 4's exercises: a pilot by segment, ten rows of a trial, and a hunt for a leak."""

from __future__ import annotations

import numpy as np
import pandas as pd

Tables = dict[str, pd.DataFrame]

USERS = 200  # of the leak hunt

#: A pilot by segment, for the exercise on whom to call: subscribers and leavers in both arms.
SEGMENTS = pd.DataFrame(
    {
        "called": 2_000,
        "called_left": [398, 208, 140, 130, 20],
        "not_called": 2_000,
        "not_called_left": [400, 232, 200, 80, 20],
    },
    index=pd.Index(["price shoppers", "quiet since May", "new teams", "dormant", "daily users"], name="segment"),
)

#: Ten subscribers of a trial, for the exercise on the Qini.
TEN = pd.DataFrame(
    {
        "score": [0.02, 0.31, 0.12, 0.25, 0.07, 0.40, 0.16, 0.04, 0.22, 0.10],
        "called": [1, 0, 0, 1, 0, 1, 1, 0, 0, 1],
        "stayed": [1, 0, 1, 1, 1, 1, 1, 1, 0, 0],
    }
)

#: The date column of each table of the leak hunt.
HUNT_TIMES = {"logins": "on", "tickets": "on", "plan_changes": "on"}


def hunt_tables(rng: np.random.Generator) -> Tables:
    """Return the event tables of the leak hunt: 200 users in 200 days of 2025, one row an event.

    Parameters
    ----------
    rng : numpy.random.Generator

    Examples
    --------
    >>> sorted(hunt_tables(np.random.default_rng(0)))
    ['logins', 'plan_changes', 'tickets']
    """
    return {name: _events(rng, each * USERS) for name, each in {"logins": 40, "tickets": 3, "plan_changes": 1}.items()}


def _events(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    days = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 200, rows), unit="D")
    return pd.DataFrame({"user_id": rng.integers(0, USERS, rows), "on": days})


def hunt_features(tables: Tables, at: pd.Timestamp) -> pd.DataFrame:
    """Return five features of each user as of ``at``. One of them knows the future: which one is the exercise.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        As :func:`hunt_tables`.
    at : pandas.Timestamp

    Returns
    -------
    pandas.DataFrame
        Index ``user_id``, five columns.

    Examples
    --------
    >>> hunt_features(hunt_tables(np.random.default_rng(0)), pd.Timestamp("2025-05-01")).shape
    (200, 5)
    """
    logins, tickets, changes = (tables[name] for name in HUNT_TIMES)
    weekly = logins.groupby(["user_id", pd.Grouper(key="on", freq="W")]).size()
    features = {
        "logins_90d": _in_days(logins, at, 90),
        "logins_vs_best_week": _in_days(logins, at, 7) / weekly.groupby("user_id").max(),
        "days_since_login": (at - logins[logins["on"] < at].groupby("user_id")["on"].max()).dt.days,
        "tickets_30d": _in_days(tickets, at, 30),
        "downgraded_7d": _in_days(changes, at, 7).clip(upper=1),
    }
    return pd.DataFrame(features).reindex(range(USERS)).rename_axis("user_id").fillna(0)


def _in_days(events: pd.DataFrame, at: pd.Timestamp, days: int) -> pd.Series:
    recent = events[(events["on"] < at) & (events["on"] >= at - pd.Timedelta(days=days))]
    return recent.groupby("user_id").size().reindex(range(USERS), fill_value=0)
