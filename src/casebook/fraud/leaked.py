"""The planted leak's four columns, for a log too large to build all features anew."""

from __future__ import annotations

import numpy as np
import pandas as pd

from casebook.fraud.day_past import Numbers, Trail
from casebook.fraud.feature_spec import RISK_KEYS, RISK_WINDOWS, Spec


def leaked_risks(
    events: pd.DataFrame, reports: pd.DataFrame, since: int = 0, until: int | None = None, spec: Spec | None = None
) -> pd.DataFrame:
    """Return the risk of merchants and terminals from frauds that have happened, reported by then or not.

    They are the risk columns of :func:`casebook.fraud.features.planted_leak`.

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
    spec = spec or Spec()
    at = events["at"].to_numpy()
    told = np.isin(events["event_id"].to_numpy(), reports["event_id"].to_numpy())
    wanted = np.flatnonzero((at >= since) & (at < (np.inf if until is None else until)))
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
