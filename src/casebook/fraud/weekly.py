"""A week's calibration while its labels are still coming in, and how many events each tier meets a day.

Everything here is what the bank knows at a second ``now``: later events, reports and decisions are not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.stats

from casebook.contracts import FloatArray, as_probabilities, refuse, require_columns
from casebook.fraud.labelled import LATEST, report_delays
from casebook.fraud.outcomes import ALLOW
from casebook.fraud.world import ACTIONS, DAY

WEEK = 7 * DAY
LEAST_KNOWN = 0.25  # share of a week's reports that must have come for the week to be read
COLUMNS = ("event_id", "at", "card_id", "action", "outcome", "p")
TOO_YOUNG = "too young"
_LEVEL = 0.95
_ROUNDING = 1e-9


def maturity(tables: Mapping[str, pd.DataFrame], now: int, longest_days: float = LATEST) -> pd.DataFrame:
    """Return the share of reports that the bank has by the age of the event, with its interval.

    Of a month's reports, those known so far are the fast ones, so the plain share of delays up to d is too high; this
    one is corrected for it (Lagakos, Barraj and De Gruttola 1988). It is the share of what is reported within
    ``longest_days``: of slower reports a young table knows nothing.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        ``events`` and ``reports``.
    now : int
        Second as of which is asked.
    longest_days : float

    Returns
    -------
    pandas.DataFrame
        ``days`` (whole days of age), ``at_risk``, ``naive``, ``known`` as :func:`casebook.labels.delay_curve`, and
        ``low``, ``high``: a 95% interval of ``known`` by Greenwood's formula on the log, run backwards in time.

    Raises
    ------
    ContractError
        A missing table or column, or no report by then.

    Examples
    --------
    >>> events = pd.DataFrame({"event_id": [0, 1, 2], "at": [0, 0, 0]})
    >>> reports = pd.DataFrame({"event_id": [0, 1], "reported_at": [43_200, 216_000]})
    >>> maturity({"events": events, "reports": reports}, now=10 * 86_400)[["days", "known"]].values.tolist()
    [[0.0, 0.0], [1.0, 0.5], [2.0, 0.5], [3.0, 1.0]]
    """
    curve = report_delays(tables, now, longest_days)
    known, at_risk = curve["known"].to_numpy(dtype=float), curve["at_risk"].to_numpy(dtype=float)
    came = np.append(0.0, 1 - np.divide(known[:-1], known[1:], out=np.ones(len(known) - 1), where=known[1:] > 0))
    between = np.maximum((at_risk + np.append(at_risk[0], at_risk[:-1])) / 2, 1)  # at risk during the day, about
    counted = came < 1 - _ROUNDING  # a day on which all at risk came says nothing of the days before it
    spread = np.where(counted, came / np.maximum(between * (1 - came), _ROUNDING), 0.0)
    later = np.append(np.cumsum(spread[::-1])[::-1][1:], 0.0)  # sum over the days after each
    half = scipy.stats.norm.ppf((1 + _LEVEL) / 2) * np.sqrt(later)
    return curve.assign(low=known * np.exp(-half), high=np.minimum(known * np.exp(half), 1.0))


def known_share(curve: pd.DataFrame, age_days: npt.ArrayLike) -> FloatArray:
    """Return the share of its reports that has come at each age, shape (n,); 1 beyond the curve's end.

    Parameters
    ----------
    curve : pandas.DataFrame
        From :func:`maturity`.
    age_days : array_like, shape (n,)

    Examples
    --------
    >>> known_share(pd.DataFrame({"days": [0, 1, 2], "known": [0.0, 0.5, 1.0]}), [0.5, 2, 9]).tolist()
    [0.25, 1.0, 1.0]
    """
    return np.interp(np.asarray(age_days, dtype=float), curve["days"], curve["known"])


def calibration_by_week(
    scored: pd.DataFrame, reports: pd.DataFrame, now: int, curve: pd.DataFrame, longest_days: float = LATEST
) -> pd.DataFrame:
    """Return, for each week, what the model promised of the events that it let pass unasked, and what was reported.

    Only these can be held against a promise: what was blocked is never reported, and who passed a push has answered
    a question that the score did not know of. A young week's reports are held against what should have come by its
    age, so that it does not read as a fall in fraud.

    Parameters
    ----------
    scored : pandas.DataFrame
        ``event_id``, ``at``, ``card_id``, ``action``, ``outcome``, ``p`` (missing where no model was in force), such
        as :meth:`casebook.fraud.in_force.InForce.scored` returns.
    reports : pandas.DataFrame
        ``event_id`` and ``reported_at``.
    now : int
        Second as of which is asked.
    curve : pandas.DataFrame
        From :func:`maturity`, as of ``now`` or earlier.
    longest_days : float
        That of the curve; slower reports do not count.

    Returns
    -------
    pandas.DataFrame
        One row a week: ``week`` (0 the world's first), ``n``, ``promised`` (sum of p), ``known`` (share of what was
        promised that should have been reported by now), ``reported`` so far, ``naive`` (reported / promised),
        ``ratio`` (reported / (promised * known)), ``low``, ``high`` (95%, widened for cards with several reports,
        the curve taken as known), ``note`` ("too young" while under a quarter is known, else "").

    Raises
    ------
    ContractError
        A missing column, probabilities that are none, or no scored event before ``now``.

    Notes
    -----
    A ratio above 1 in all weeks alike is no drift: of the events it lets pass a model that picks the highest scores
    promises too little, and false claims are reported as well.
    """
    require_columns(scored, list(COLUMNS), "scored")
    passed = _passed(scored, now)
    told = _reported(passed, reports, now, longest_days)
    share = known_share(curve, (now - passed["at"].to_numpy()) / DAY)
    p = as_probabilities(passed["p"].to_numpy(dtype=float), "scored, column 'p'")
    counted = pd.DataFrame({"week": passed["at"].to_numpy() // WEEK, "p": p, "due": p * share, "told": told})
    table = counted.groupby("week").agg(
        n=("p", "size"), promised=("p", "sum"), due=("due", "sum"), told=("told", "sum")
    )
    by_card = counted["told"].groupby([counted["week"], passed["card_id"].to_numpy()]).sum()
    square = (by_card**2).groupby("week").sum()
    return _read(table.assign(square=square).reset_index())


def _passed(scored: pd.DataFrame, now: int) -> pd.DataFrame:
    kept = (scored["at"].to_numpy() < now) & (scored["action"].to_numpy() == ALLOW)
    kept &= (scored["outcome"] == "passed").to_numpy() & scored["p"].notna().to_numpy()
    if not kept.any():
        got = f"none before second {now}"
        refuse("scored", "a table with scored events that passed unasked", got, "wait until a model is in force")
    return scored.loc[kept, list(COLUMNS)]


def _reported(passed: pd.DataFrame, reports: pd.DataFrame, now: int, longest_days: float) -> npt.NDArray[np.bool_]:
    known = reports[reports["reported_at"] < now].set_index("event_id")["reported_at"]
    when = known.reindex(passed["event_id"].to_numpy()).to_numpy(dtype=float)
    return np.asarray((when - passed["at"].to_numpy()) <= longest_days * DAY)


def _read(table: pd.DataFrame) -> pd.DataFrame:
    told, due, promised = (table[name].to_numpy(dtype=float) for name in ("told", "due", "promised"))
    low, high = clustered_interval(told, table["square"].to_numpy(dtype=float))
    known = due / promised
    made: dict[str, Any] = {"promised": promised, "known": known, "reported": table["told"].astype(int)}
    made |= {"naive": told / promised, "ratio": _over(told, due), "low": _over(low, due), "high": _over(high, due)}
    return table[["week", "n"]].assign(**made, note=np.where(known < LEAST_KNOWN, TOO_YOUNG, ""))


def clustered_interval(count: FloatArray, square: FloatArray, level: float = _LEVEL) -> tuple[FloatArray, FloatArray]:
    """Return an interval of the mean of a count whose events come in clusters.

    The exact Poisson interval of count / d clusters, times d, where d is the sum of squared cluster sizes over the
    count: with one event a cluster it is the plain one.

    Parameters
    ----------
    count, square : array, shape (n,)
        Events, and the sum of the squares of the events of each cluster.
    level : float

    References
    ----------
    Garwood (1936), Fiducial limits for the Poisson distribution, Biometrika 28; the scaling as in quasi-Poisson
    models.

    Examples
    --------
    >>> low, high = clustered_interval(np.array([10.0, 20.0]), np.array([10.0, 40.0]))
    >>> low.round(1).tolist(), high.round(1).tolist()
    ([4.8, 9.6], [18.4, 36.8])
    """
    design = np.divide(square, count, out=np.ones(len(count)), where=count > 0)
    events, tail = count / design, (1 - level) / 2
    low = np.where(count > 0, scipy.stats.chi2.ppf(tail, 2 * np.maximum(events, 1e-9)) / 2, 0.0)
    return design * low, design * scipy.stats.chi2.ppf(1 - tail, 2 * events + 2) / 2


def alert_rates(scored: pd.DataFrame, now: int) -> pd.DataFrame:
    """Return how many events each tier meets a day.

    Parameters
    ----------
    scored : pandas.DataFrame
        ``at`` and ``action``; a column ``p`` leaves out the days before a model was in force.
    now : int
        Second as of which is asked.

    Returns
    -------
    pandas.DataFrame
        One row a day and tier: ``day``, ``tier`` (a word of ``ACTIONS``), ``n``, ``share`` of the day's events.

    Examples
    --------
    >>> scored = pd.DataFrame({"at": [0, 5, 9, 86_400], "action": [0, 1, 0, 3]})
    >>> alert_rates(scored, now=86_400)
       day   tier  n     share
    0    0  allow  2  0.666667
    1    0   push  1  0.333333
    2    0   call  0  0.000000
    3    0  block  0  0.000000
    """
    require_columns(scored, ["at", "action"], "scored")
    kept = scored["at"].to_numpy() < now
    if "p" in scored.columns:
        kept &= scored["p"].notna().to_numpy()
    day, action = scored["at"].to_numpy()[kept] // DAY, scored["action"].to_numpy()[kept].astype(int)
    days, place = np.unique(day, return_inverse=True)
    counts = np.bincount(place * len(ACTIONS) + action, minlength=len(days) * len(ACTIONS))
    total = np.repeat(counts.reshape(-1, len(ACTIONS)).sum(axis=1), len(ACTIONS))
    return pd.DataFrame(
        {"day": np.repeat(days, len(ACTIONS)), "tier": list(ACTIONS) * len(days), "n": counts, "share": counts / total}
    )


def _over(part: FloatArray, whole: FloatArray) -> FloatArray:
    share: FloatArray = np.full(len(whole), np.nan)
    return np.divide(part, whole, out=share, where=whole > 0)
