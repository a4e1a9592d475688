"""Two leaks into the risk of merchants and terminals, for a log too large to build all features anew."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.fraud.day_past import Numbers, Trail
from casebook.fraud.feature_spec import RISK_KEYS, RISK_WINDOWS, Spec


def leaked_risks(
    events: pd.DataFrame, reports: pd.DataFrame, since: int = 0, until: int | None = None, spec: Spec | None = None
) -> pd.DataFrame:
    """Return risk from frauds that have happened, reported by then or not.

    They are the risk columns of :func:`casebook.fraud.features.planted_leak`, which knows on Monday what is reported
    on Friday.

    Parameters
    ----------
    events : pandas.DataFrame, n rows
        ``event_id``, ``at``, ``merchant_id``, ``terminal_id``.
    reports : pandas.DataFrame
        ``event_id``; when they came is not asked, which is the mistake.
    since, until : int
        Seconds from which on, and before which, rows are wanted.
    spec : Spec, optional

    Returns
    -------
    pandas.DataFrame, shape (m, 4)
        float32, indexed by ``event_id``.

    Examples
    --------
    >>> events = pd.DataFrame({"event_id": [1, 2], "at": [0, 60], "merchant_id": [7, 7], "terminal_id": [-1, -1]})
    >>> friday = pd.DataFrame({"event_id": [1], "reported_at": [400_000]})
    >>> leaked_risks(events, friday)["merchant_risk_7d"].astype(float).round(4).tolist()
    [0.001, 0.0109]
    """
    spec, wanted = spec or Spec(), _wanted(events, since, until)
    at = events["at"].to_numpy()
    told = np.isin(events["event_id"].to_numpy(), reports["event_id"].to_numpy())
    windows, found = list(RISK_WINDOWS.values()), {}
    for key, name in RISK_KEYS.items():
        number, _ = Numbers().of(events[name].to_numpy())
        both = []
        for rows in (told, np.ones(len(at), bool)):
            trail = Trail().with_rows(number[rows], at[rows], np.zeros(int(rows.sum()), np.int64))
            both.append(trail.windows(number[wanted], at[wanted], windows)[::2])
        for row, window in enumerate(RISK_WINDOWS):
            risk = (both[0][row] + spec.prior * spec.prior_rate) / (both[1][row] + spec.prior)
            found[f"{key}_risk_{window}"] = risk.astype(np.float32)
    return pd.DataFrame(found, index=pd.Index(events["event_id"].to_numpy()[wanted], name="event_id"))


def whole_table_risks(
    events: pd.DataFrame, reports: pd.DataFrame, since: int = 0, until: int | None = None, spec: Spec | None = None
) -> pd.DataFrame:
    """Return risk as a join of the table to its own means gives it: all reports per event, at any time.

    An event's own label is in it, and those of all events to come: a target encoding that was not fitted apart.

    Parameters
    ----------
    events, reports, since, until, spec
        As in :func:`leaked_risks`.

    Returns
    -------
    pandas.DataFrame, shape (m, 4)
        float32, indexed by ``event_id``; the windows of a key are all alike.

    References
    ----------
    Micci-Barreca (2001), A preprocessing scheme for high-cardinality categorical attributes, SIGKDD Explorations 3.

    Examples
    --------
    >>> events = pd.DataFrame({"event_id": [1, 2], "at": [0, 60], "merchant_id": [7, 7], "terminal_id": [-1, -1]})
    >>> friday = pd.DataFrame({"event_id": [2], "reported_at": [400_000]})
    >>> whole_table_risks(events, friday)["merchant_risk_7d"].astype(float).round(4).tolist()
    [0.0108, 0.0108]
    """
    spec, wanted = spec or Spec(), _wanted(events, since, until)
    told = np.isin(events["event_id"].to_numpy(), reports["event_id"].to_numpy())
    found: dict[str, NDArray[np.float32]] = {}
    for key, name in RISK_KEYS.items():
        number, _ = Numbers().of(events[name].to_numpy())
        seen = number >= 0
        count, reported = (np.bincount(number[rows], minlength=1) for rows in (seen, seen & told))
        reported = np.append(reported, np.zeros(len(count) - len(reported)))
        risk = (reported + spec.prior * spec.prior_rate) / (count + spec.prior)
        values = np.where(seen, risk[number], spec.prior_rate)[wanted].astype(np.float32)
        found |= {f"{key}_risk_{window}": values for window in RISK_WINDOWS}
    return pd.DataFrame(found, index=pd.Index(events["event_id"].to_numpy()[wanted], name="event_id"))


def _wanted(events: pd.DataFrame, since: int, until: int | None) -> NDArray[np.int64]:
    at = events["at"].to_numpy()
    return np.flatnonzero((at >= since) & (at < (np.inf if until is None else until)))
