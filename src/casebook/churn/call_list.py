"""From chances of leaving to the names of a day: who may be called, who is held out, who comes first, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.churn.artefact import Artefact
from casebook.churn.explain import reasons
from casebook.contracts import as_probabilities, refuse, require_length
from casebook.experiments import assign_by_hash

A_DAY = 0.002  # 20 people x 10 calls on 100,000 subscribers
#: Why somebody is not called today, the gravest first.
UNSUBSCRIBED, COMPLAINED = "has unsubscribed", "complained lately"
FAILING, CALLED = "a card is failing: the retries come first", "called in the last 90 days"


@dataclass(frozen=True)
class Settings:
    """What the owner of the list may choose.

    Parameters
    ----------
    capacity : int, optional
        Calls a day; by default 0.2% of the base, which is 20 people x 10 calls on 100,000.
    holdout : float
        Share of the companies that are never called: the standing control group. In (0, 1).
    salt : str
        Names the hold-out; the same one keeps it for ever.
    complaint_days : int
        For so long after a complaint nobody calls. Who has unsubscribed is never called.
    seed : int
        Of the model, where it is trained within the job.
    """

    capacity: int | None = None
    holdout: float = 0.1
    salt: str = "standing hold-out"
    complaint_days: int = 180
    seed: int = 0

    def calls(self, base: int) -> int:
        """Return the calls of a day among ``base`` subscribers, or refuse a capacity below 1."""
        if self.capacity is None:
            return max(round(A_DAY * base), 1)
        if self.capacity < 1:
            refuse("--capacity", "1 or more", str(self.capacity), "give the calls that the team can make in a day")
        return self.capacity


def score_base(
    connection: duckdb.DuckDBPyConnection, features: pd.DataFrame, p: npt.ArrayLike, at: date, settings: Settings
) -> pd.DataFrame:
    """Return everybody subscribed, those who may be called first, by the dollars a month at risk.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Of the warehouse.
    features : pandas.DataFrame
        From :func:`casebook.churn.features.build`.
    p : array_like, shape (n,)
        Chance of leaving in 30 days, in the order of ``features``.
    at : datetime.date
    settings : Settings

    Returns
    -------
    pandas.DataFrame
        ``subscriber_id``, ``account_id``, ``p``, ``at_risk`` (p times the price), ``excluded`` (why not to be called;
        empty if they may be), ``held_out``, ``place`` (from 1; 0 if excluded). Equal dollars go by the id.

    Raises
    ------
    ContractError
        Unequal lengths, or no probabilities.
    """
    chances = as_probabilities(p)
    require_length(chances, len(features), "p")
    ids = features.index.to_numpy()
    accounts = connection.execute("SELECT subscriber_id, account_id FROM customers").df().set_index("subscriber_id")
    frame = pd.DataFrame({"subscriber_id": ids, "account_id": accounts["account_id"].loc[ids].to_numpy("int64")})
    frame["p"] = chances
    frame["at_risk"] = chances * features["price"].to_numpy()
    frame["excluded"] = _excluded(connection, features, at, settings)
    frame["held_out"] = assign_by_hash(frame["account_id"], settings.salt, settings.holdout)
    frame["barred"] = frame["excluded"] != ""
    frame = frame.sort_values(["barred", "at_risk", "subscriber_id"], ascending=[True, False, True], ignore_index=True)
    frame["place"] = np.where(frame.pop("barred"), 0, np.arange(1, len(frame) + 1))
    return frame


def _excluded(
    connection: duckdb.DuckDBPyConnection, features: pd.DataFrame, at: date, settings: Settings
) -> npt.NDArray[np.object_]:
    since = at - timedelta(days=settings.complaint_days)
    query = """SELECT subscriber_id, kind FROM feedback
      WHERE happened_on < $at AND (kind = 'unsubscribe' OR (kind = 'complaint' AND happened_on >= $since))"""
    said = connection.execute(query, {"at": at, "since": since}).df()
    who = {kind: said.loc[said["kind"] == kind, "subscriber_id"] for kind in ("unsubscribe", "complaint")}
    why = np.full(len(features), "", dtype=object)
    for flags, words in (  # the gravest last, so that it stands
        (features["calls_90d"] > 0, CALLED),
        (features["failed_open"] > 0, FAILING),
        (features.index.isin(who["complaint"]), COMPLAINED),
        (features.index.isin(who["unsubscribe"]), UNSUBSCRIBED),
    ):
        why[np.asarray(flags)] = words
    return why


def pick(scored: pd.DataFrame, calls: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return whom to call today, and the control group: whoever would have been called and is held out.

    Parameters
    ----------
    scored : pandas.DataFrame
        From :func:`score_base`.
    calls : int
        Calls that can be made. Held-out subscribers take no place of them.

    Returns
    -------
    tuple of pandas.DataFrame
        The list and the control group, both by place. Nothing marks who is held out as contacted, so the same names
        come up every night: count each from its first night on.

    Examples
    --------
    >>> scored = pd.DataFrame({"subscriber_id": [7, 8, 9, 5], "held_out": [False, True, False, False],
    ...                        "place": [1, 2, 3, 0]})
    >>> listed, control = pick(scored, calls=2)
    >>> listed["subscriber_id"].tolist(), control["subscriber_id"].tolist()
    ([7, 9], [8])
    """
    allowed = scored[scored["place"] > 0].sort_values("place")
    listed = allowed[~allowed["held_out"]].head(calls)
    last = listed["place"].max() if len(listed) else 0
    control = allowed[allowed["held_out"] & (allowed["place"] <= last)]
    return listed.reset_index(drop=True), control.reset_index(drop=True)


def with_reasons(listed: pd.DataFrame, features: pd.DataFrame, model: Artefact, k: int = 3) -> pd.DataFrame:
    """Return the list as the team reads it: names, numbers they can read, and the ``k`` strongest reasons in words."""
    frame = listed[["subscriber_id", "account_id"]].copy()
    frame["p"], frame["at_risk"] = listed["p"].round(3), listed["at_risk"].round(2)
    rows = features.loc[listed["subscriber_id"]]
    frame["reasons"] = reasons(model.contributions(rows), rows[model.card["columns"]], k).to_numpy()
    return frame
