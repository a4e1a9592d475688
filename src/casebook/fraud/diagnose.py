"""A new attack or a model that wears out: readings of what the bank knows, and the procedure that tells them apart.

Two questions, asked of the last weeks against those before. *Frauds*: do those that were missed and are known by now
lie where no earlier fraud lay? *Honest traffic*: have its features, its scores, its false alarms or its calibration
moved? A new attack says yes to the first alone, decay to the second alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import xlogy
from sklearn.neighbors import NearestNeighbors

from casebook.contracts import BoolArray, FloatArray, refuse, require_columns
from casebook.fraud.outcomes import ALLOW
from casebook.fraud.weekly import known_share, maturity
from casebook.fraud.world import DAY
from casebook.monitoring import psi, psi_from_counts, psi_null

RECENT_DAYS = 28
RARE = 0.02  # share of the earlier frauds up to which a cell counts as one where none lay
WORDED = ("entry", "category", "country")
PAIRS = (("entry", "category"), ("entry", "country"), ("category", "country"))
TRAFFIC = (
    *("entry", "category", "country", "amount_cents", "hour"),
    *("amount_to_mean", "card_count_24h", "card_cents_7d", "travel_kmh", "card_since"),
)
"""Columns whose distribution an honest bank's traffic keeps; those that grow with the age of the log are left out."""
PLACED = (
    "amount_cents",
    "amount_to_mean",
    "card_count_1h",
    "card_count_24h",
    "travel_kmh",
    "new_merchant",
    "card_since",
)
FRAUD_READINGS, HONEST_READINGS = ("cells", "distance"), ("traffic", "scores", "alarms", "calibration")
READINGS = (*FRAUD_READINGS, *HONEST_READINGS)
_BINS = 10
_FAR = 0.95  # quantile of the earlier frauds' own distances from which on a fraud is far from them


@dataclass(frozen=True)
class Diagnosis:
    """What the bank reads on one morning; larger is further from a quiet time.

    Attributes
    ----------
    cells : float
        Signed root of the deviance of the cell with the largest excess of missed frauds, among cells that held at
        most ``RARE`` of the earlier frauds. One fraud a card and merchant counts: many cards at one merchant are a
        bad merchant, not a new attack.
    distance : float
        The same of the share of missed frauds that are further from the earlier ones than 95% of those are from one
        another.
    traffic, scores : float
        Largest PSI of the honest columns, and that of the scores, over what chance exceeds once in twenty.
    alarms : float
        Pushes that were confirmed, per event: log ratio to the weeks before over its standard error, whatever its
        sign: a change of the honest holders may bring more false alarms or fewer.
    calibration : float
        Reported over promised so far, outside the cell: the same, with its sign. Only a rise says that the model
        misses what it used to catch; where a new attack takes the place of old ones, fewer of these are reported.
    cell : str
        The cell by its words, such as ``"entry=wallet, category=grocery"``; empty if no fraud lies in a rare one.
    in_cell, missed, earlier : int
        Missed frauds in the cell, all of them, and the earlier frauds (cards).
    column : str
        The honest column that has moved most.
    """

    cells: float
    distance: float
    traffic: float
    scores: float
    alarms: float
    calibration: float
    cell: str = ""
    in_cell: int = 0
    missed: int = 0
    earlier: int = 0
    column: str = ""


def diagnose(
    scored: pd.DataFrame,
    reports: pd.DataFrame,
    answers: pd.DataFrame,
    now: int,
    recent_days: int = RECENT_DAYS,
) -> Diagnosis:
    """Read the last weeks against those before, from what the bank knows at a second.

    Parameters
    ----------
    scored : pandas.DataFrame
        ``event_id``, ``at``, ``card_id``, ``entry``, ``category``, ``country``, ``amount_cents``, ``action``,
        ``outcome``, ``p``, and the features that :data:`TRAFFIC` and :data:`PLACED` name; from day 0.
    reports, answers : pandas.DataFrame
        As the tables.
    now : int
    recent_days : int

    Returns
    -------
    Diagnosis

    Raises
    ------
    ContractError
        A missing column, or no scored event before the recent weeks.
    """
    since = now - recent_days * DAY
    seen = _seen(scored, now, since)
    live, late = seen["p"].notna().to_numpy(), seen["at"].to_numpy() >= since
    known = np.isin(seen["event_id"].to_numpy(), _known(reports, answers, now))
    earlier = seen[known & ~late].drop_duplicates("card_id")
    missed = _missed(seen[known & late & live])
    cell, count, excess = _fullest_cell(earlier, missed)
    honest = seen[live & ~known].assign(hour=seen["at"] % DAY // 3_600)
    before, after = honest[honest["at"] < since], honest[honest["at"] >= since]
    moved = {name: _moved(before[name], after[name]) for name in TRAFFIC}
    column = max(moved, key=lambda name: moved[name])
    return Diagnosis(
        cells=excess,
        distance=_far(earlier, missed),
        traffic=moved[column],
        scores=_moved(before["p"], after["p"]),
        alarms=_alarms(seen[live], answers, since),
        calibration=_calibration(seen[live], reports, now, since, cell),
        cell=", ".join(f"{name}={word}" for name, word in cell.items()),
        in_cell=count,
        missed=len(missed),
        earlier=len(earlier),
        column=column,
    )


Cell = dict[str, Any]


def _missed(frauds: pd.DataFrame) -> pd.DataFrame:
    """Return the frauds that were let pass unasked, one a card and one a merchant."""
    passed = frauds[frauds["action"].to_numpy() == ALLOW]
    return passed.drop_duplicates("card_id").drop_duplicates("merchant_id")


def _seen(scored: pd.DataFrame, now: int, since: int) -> pd.DataFrame:
    """Return the rows before ``now``, or say what is missing."""
    needed = {*TRAFFIC, *PLACED, *WORDED, "event_id", "at", "card_id", "merchant_id", "p", "action", "outcome"}
    require_columns(scored, sorted(needed - {"hour"}), "scored")
    seen = scored[scored["at"].to_numpy() < now]
    if not (seen["p"].notna() & (seen["at"] < since)).any():
        got = f"none before second {since}"
        refuse("scored", "a table with scored events before the recent weeks", got, "wait, or shorten recent_days")
    return seen


def _known(reports: pd.DataFrame, answers: pd.DataFrame, now: int) -> npt.NDArray[np.int64]:
    told = reports["event_id"].to_numpy()[reports["reported_at"].to_numpy() < now]
    denied = (answers["answer"] == "deny").to_numpy() & (answers["at"].to_numpy() < now)
    return np.union1d(told, answers["event_id"].to_numpy()[denied])


def _fullest_cell(earlier: pd.DataFrame, missed: pd.DataFrame) -> tuple[Cell, int, float]:
    """Return the rare cell with the largest excess of missed frauds, how many lie in it, and the excess."""
    best: tuple[Cell, int, float] = ({}, 0, 0.0)
    n, n_earlier = len(missed), len(earlier)
    for names in (*((name,) for name in WORDED), *PAIRS):
        columns = list(names)
        was = earlier.groupby(columns, observed=True).size() if n_earlier else pd.Series(dtype=float)
        for words, k in missed.groupby(columns, observed=True).size().items() if n else ():
            key = words if isinstance(words, tuple) else (words,)
            share = (float(was.get(words, 0)) + 0.5) / (n_earlier + 1)
            excess = _root_deviance(int(k), n, share)
            if share <= RARE and excess > best[2]:
                best = (dict(zip(columns, key, strict=True)), int(k), excess)
    return best


def _root_deviance(k: int, n: int, share: float) -> float:
    """Return the signed root of the deviance of k out of n against a share."""
    deviance = 2 * (xlogy(k, k / (n * share)) + xlogy(n - k, (n - k) / (n * (1 - share))))
    return float(np.sign(k / n - share) * np.sqrt(max(deviance, 0.0)))


def _far(earlier: pd.DataFrame, missed: pd.DataFrame) -> float:
    if len(missed) == 0 or len(earlier) < 20:
        return 0.0
    old, new = _placed(earlier, earlier), _placed(missed, earlier)
    near = NearestNeighbors(n_neighbors=2).fit(old)
    limit = np.quantile(near.kneighbors(old)[0][:, 1], _FAR)  # the first neighbour of a row is the row itself
    far = int((near.kneighbors(new, n_neighbors=1)[0][:, 0] > limit).sum())
    return _root_deviance(far, len(missed), 1 - _FAR)


def _placed(rows: pd.DataFrame, earlier: pd.DataFrame) -> FloatArray:
    """Return rows as points: numbers by their rank among the earlier frauds, words as one column each."""
    parts = [np.searchsorted(np.sort(earlier[name].to_numpy()), rows[name].to_numpy()) for name in PLACED]
    ranks = np.column_stack(parts) / len(earlier)
    words = [pd.get_dummies(rows[name]).to_numpy(dtype=float) for name in ("entry", "category")]
    return np.column_stack([ranks, *words])


def _moved(before: pd.Series, after: pd.Series) -> float:
    """Return a column's PSI over what chance exceeds once in twenty."""
    cells = _BINS
    if isinstance(before.dtype, pd.CategoricalDtype):
        cells = len(before.cat.categories)
        counts = [np.bincount(side.cat.codes.to_numpy(), minlength=cells) for side in (before, after)]
        return psi_from_counts(*counts) / psi_null(len(before), len(after), cells)
    return psi(before, after, bins=_BINS) / psi_null(len(before), len(after), cells)


def _alarms(live: pd.DataFrame, answers: pd.DataFrame, since: int) -> float:
    confirmed = answers["event_id"].to_numpy()[(answers["answer"] == "confirm").to_numpy()]
    false = np.isin(live["event_id"].to_numpy(), confirmed)
    return abs(_shift(false, np.ones(len(live)), live["at"].to_numpy() >= since, live["card_id"].to_numpy()))


def _calibration(live: pd.DataFrame, reports: pd.DataFrame, now: int, since: int, cell: Cell) -> float:
    """Return how far reported over promised moved between the weeks before and the recent ones, outside a cell."""
    kept = (live["action"].to_numpy() == ALLOW) & (live["outcome"] == "passed").to_numpy()
    if cell:
        kept &= ~np.logical_and.reduce([(live[name] == word).to_numpy() for name, word in cell.items()])
    rest, told = live[kept], reports["event_id"].to_numpy()[reports["reported_at"].to_numpy() < now]
    at, ids = rest["at"].to_numpy(), rest["event_id"].to_numpy()
    if not np.isin(told, live["event_id"].to_numpy()).any():
        return 0.0
    due = rest["p"].to_numpy() * known_share(maturity({"events": live, "reports": reports}, now), (now - at) / DAY)
    return _shift(np.isin(ids, told), due, at >= since, rest["card_id"].to_numpy())


def _shift(hit: BoolArray, due: FloatArray, late: BoolArray, card: npt.NDArray[np.int64]) -> float:
    """Return log of the late rate over the early one, over its standard error, with clusters; 0 without hits."""
    log, variance = 0.0, 0.0
    for sign, side in ((-1, ~late), (1, late)):
        count = int((hit & side).sum())
        if count == 0 or due[side].sum() <= 0:
            return 0.0
        _, sizes = np.unique(card[hit & side], return_counts=True)
        log += sign * np.log(count / due[side].sum())
        variance += float((sizes**2).sum()) / count**2
    return float(log / np.sqrt(variance))
