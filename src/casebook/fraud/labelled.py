"""What a bank can know of its events' labels at a second, and the rows that a model is fitted to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import as_labels, refuse, require_columns
from casebook.fraud.world import DAY, FIRST_DAY
from casebook.labels import delay_curve

KEEP = 1 / 20  # of the rows that are no known fraud
LATEST = 6 * 7  # days within which 95 percent of the reports come in the chapter's world

_COLUMNS = {
    "events": ("event_id", "at"),
    "decisions": ("event_id", "outcome"),
    "reports": ("event_id", "reported_at"),
    "answers": ("event_id", "at", "answer"),
}


class Sample(NamedTuple):
    """Rows to fit a model to.

    Attributes
    ----------
    rows : array of int, shape (m,)
        Positions, rising, so that the rows stay in the order of time.
    kept : float
        Share of the rows without fraud that are among them: what :func:`casebook.decisions.undo_undersampling` asks.
    """

    rows: npt.NDArray[np.int64]
    kept: float


def known_labels(
    tables: Mapping[str, pd.DataFrame],
    at: int,
    *,
    first_day: int = 0,
    last_day: int | None = None,
    answers: bool = False,
) -> pd.Series:
    """Return each event's label as the bank knows it at a second.

    An event that passed is 1 if its holder has disputed it by then, and 0 if he has not *yet*. What was declined or
    abandoned, or fell on a stopped card, was never charged: nobody disputes it, and its label is missing for ever.
    Reports of later than ``at`` are not read, nor are later answers.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        ``events``, ``decisions``, ``reports`` and, if it is to be read, ``answers``, such as ``run.tables``;
        ``decisions`` row by row as ``events``.
    at : int
        The second as of which is asked, since the world's first midnight.
    first_day, last_day : int
        First and last day of the events that are wanted; the last ends at ``at`` at the latest.
    answers : bool
        Whether a push or a call that the holder denied counts as 1 at once, though nothing was charged.

    Returns
    -------
    pandas.Series of Int8
        Named ``y``, indexed by ``event_id``.

    Raises
    ------
    ContractError
        A missing table or column, tables that are not row by row, or no event on the days that are wanted.

    Examples
    --------
    >>> events = pd.DataFrame({"event_id": [0, 1, 2, 3], "at": [10, 20, 30, 40]})
    >>> decisions = pd.DataFrame({"event_id": [0, 1, 2, 3], "outcome": ["passed", "passed", "declined", "passed"]})
    >>> reports = pd.DataFrame({"event_id": [0, 1], "reported_at": [90, 200]})
    >>> tables = {"events": events, "decisions": decisions, "reports": reports}
    >>> known_labels(tables, at=100).tolist()
    [1, 0, <NA>, 0]
    >>> known_labels(tables, at=35).tolist()
    [0, 0, <NA>]
    """
    events, decisions, reports = (_table(tables, name) for name in ("events", "decisions", "reports"))
    ids = events["event_id"].to_numpy()
    if len(decisions) != len(events) or (decisions["event_id"].to_numpy() != ids).any():
        refuse("decisions", "row by row as events", "other ids", "join them by event_id first")
    rows = _on_days(events["at"].to_numpy(), at, first_day, last_day)
    passed = (decisions["outcome"].iloc[rows] == "passed").to_numpy()
    told = reports["event_id"].to_numpy()[reports["reported_at"].to_numpy() < at]
    fraud = np.isin(ids[rows], told)
    if answers:
        asked = _table(tables, "answers")
        denied = (asked["answer"] == "deny").to_numpy() & (asked["at"].to_numpy() < at)
        fraud |= np.isin(ids[rows], asked["event_id"].to_numpy()[denied])
    y = pd.array(fraud.astype(np.int8), dtype="Int8")
    y[~passed & ~fraud] = pd.NA
    return pd.Series(y, index=pd.Index(ids[rows], name="event_id"), name="y")


def sample_rows(y: npt.ArrayLike, rng: np.random.Generator, keep: float = KEEP) -> Sample:
    """Draw rows to fit to: all known frauds, and a share of the others; rows without a label are left out.

    Parameters
    ----------
    y : array_like, shape (n,)
        1, 0, or missing, as :func:`known_labels` returns it.
    rng : numpy.random.Generator
    keep : float
        Share of the others that is drawn, in (0, 1]. An intercept is moved by it and nothing else, which
        :func:`casebook.decisions.undo_undersampling` undoes.

    Returns
    -------
    Sample

    Raises
    ------
    ContractError
        Labels that are none, a share outside (0, 1], or no row left of a class.

    References
    ----------
    King and Zeng (2001), Logistic regression in rare events data, Political Analysis 9.

    Examples
    --------
    >>> rows, kept = sample_rows([0, 1, 0, 0, None, 0], np.random.default_rng(0), keep=0.5)
    >>> rows.tolist(), kept
    ([1, 3, 5], 0.5)
    """
    if not 0 < keep <= 1:
        refuse("keep", "above 0 and at most 1", f"{keep:g}", "give the share of rows to keep")
    column = pd.Series(y).reset_index(drop=True)
    known = np.flatnonzero(column.notna().to_numpy())
    fraud = as_labels(column.iloc[known].to_numpy(dtype=np.int8))
    others = known[~fraud]
    drawn = rng.choice(others, size=round(keep * len(others)), replace=False)
    if len(drawn) == 0 or not fraud.any():
        got = f"{int(fraud.sum())} frauds and {len(drawn)} others"
        refuse("y", "labels that leave rows of both classes", got, "take more days, or keep more")
    return Sample(np.sort(np.concatenate([known[fraud], drawn])), len(drawn) / len(others))


def report_delays(tables: Mapping[str, pd.DataFrame], at: int, longest_days: float | None = LATEST) -> pd.DataFrame:
    """Return the share of reports that have come d days after their event, corrected for those still to come.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        ``events`` and ``reports``.
    at : int
        Second as of which is asked; later reports are not read.
    longest_days : float, optional
        Delays longer than this are left out.

    Returns
    -------
    pandas.DataFrame
        As :func:`casebook.labels.delay_curve` returns it: ``days``, ``at_risk``, ``naive``, ``known``.

    Raises
    ------
    ContractError
        A missing table or column, or no report by then.

    Examples
    --------
    >>> events = pd.DataFrame({"event_id": [0, 1], "at": [0, 0]})
    >>> reports = pd.DataFrame({"event_id": [0, 1], "reported_at": [86_400, 172_800]})
    >>> report_delays({"events": events, "reports": reports}, at=10 * 86_400)["known"].tolist()
    [0.0, 0.5, 1.0]
    """
    events, reports = (_table(tables, name) for name in ("events", "reports"))
    told = reports[reports["reported_at"] < at].merge(events[["event_id", "at"]], on="event_id")
    if told.empty:
        refuse("reports", f"a table with a report before second {at}", "none", "ask later")
    happened, heard = (_dates(told[name].to_numpy()) for name in ("at", "reported_at"))
    now = pd.Timestamp(FIRST_DAY + np.timedelta64(int(at), "s"))
    return delay_curve(happened, heard, now, longest_days=longest_days)


def _dates(seconds: npt.NDArray[np.int64]) -> npt.NDArray[np.datetime64]:
    return np.asarray(FIRST_DAY + seconds.astype("timedelta64[s]"))


def _table(tables: Mapping[str, pd.DataFrame], name: str) -> pd.DataFrame:
    if name not in tables:
        got = ", ".join(map(repr, tables)) or "none"
        refuse("tables", f"a mapping with a table {name!r}", got, f"add {name!r}")
    if not (isinstance(tables[name], pd.DataFrame) and tables[name].empty):
        require_columns(tables[name], list(_COLUMNS[name]), name)
    return tables[name]


def _on_days(when: npt.NDArray[np.int64], at: int, first_day: int, last_day: int | None) -> slice:
    end = at if last_day is None else min(at, (last_day + 1) * DAY)
    low, high = np.searchsorted(when, [first_day * DAY, end])
    if low >= high:
        until = "on" if last_day is None else f"to {last_day}"
        refuse("events", f"a table with events before second {at} on days {first_day} {until}", "none", "ask later")
    return slice(int(low), int(high))
