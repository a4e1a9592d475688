"""Evaluation as time runs: fit to what was known at a midnight, a gap for labels to come, test on the days after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import BoolArray, refuse, require_length
from casebook.fraud.compare import score_all
from casebook.fraud.evaluate import average_precision
from casebook.fraud.evaluate_groups import LEAST, TOO_FEW
from casebook.fraud.evaluate_queue import card_precision
from casebook.fraud.labelled import KEEP, known_labels, sample_rows
from casebook.fraud.model_base import Model
from casebook.fraud.world import DAY

TRAIN_DAYS, GAP_DAYS, TEST_DAYS = 32, 7, 10


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that an evaluation is made of, row by row.

    Parameters
    ----------
    features : pandas.DataFrame, shape (n, k)
        Of every event, as it stood when the event was decided on; such as ``Recorded.features``.
    tables : mapping of str to pandas.DataFrame
        ``events`` in the order of time, ``decisions``, ``reports``, such as ``run.tables``.
    fraud : array of bool, shape (n,)
        What the test is held against: the truth of a world, or a bank's labels of long ago.

    Raises
    ------
    ContractError
        If the three are not of the same events.
    """

    features: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    fraud: BoolArray

    def __post_init__(self) -> None:
        ids = self.tables["events"]["event_id"].to_numpy()
        require_length(np.asarray(self.fraud), len(ids), "fraud")
        if len(self.features) != len(ids) or (self.features.index.to_numpy() != ids).any():
            mend = "record from the first day on"
            refuse("features", f"indexed by the {len(ids)} event ids, in order", f"{len(self.features)} rows", mend)

    @cached_property
    def day(self) -> npt.NDArray[np.int64]:
        """Day of each event, shape (n,)."""
        return np.asarray(self.tables["events"]["at"].to_numpy() // DAY)

    @cached_property
    def card(self) -> npt.NDArray[np.int64]:
        """Card of each event, shape (n,)."""
        return np.asarray(self.tables["events"]["card_id"].to_numpy())

    def rows(self, first_day: int, last_day: int) -> slice:
        """Return the rows of days, both ends included."""
        low, high = np.searchsorted(self.day, [first_day, last_day + 1])
        return slice(int(low), int(high))


@dataclass(frozen=True)
class Origin:
    """One fit and its test; days, all ends included. The fit happens on the midnight at which the test begins.

    Parameters
    ----------
    train_first, train_last, test_first, test_last : int

    Raises
    ------
    ContractError
        If they do not rise.

    Examples
    --------
    >>> Origin(21, 52, 60, 69).gap_days
    7
    """

    train_first: int
    train_last: int
    test_first: int
    test_last: int

    def __post_init__(self) -> None:
        days = (self.train_first, self.train_last, self.test_first, self.test_last)
        rising = self.train_first <= self.train_last < self.test_first <= self.test_last
        if not (rising and self.train_first >= 0):
            must = "0 <= train_first <= train_last < test_first <= test_last"
            refuse("Origin", f"days with {must}", str(days), "test on later days than you train on")

    @property
    def gap_days(self) -> int:
        """Days between, for labels to come in."""
        return self.test_first - self.train_last - 1


def origins(
    first_day: int,
    last_day: int,
    train_days: int = TRAIN_DAYS,
    gap_days: int = GAP_DAYS,
    test_days: int = TEST_DAYS,
) -> list[Origin]:
    """Roll the protocol forward by the length of a test, so that every day after the first gap is tested once.

    Parameters
    ----------
    first_day, last_day : int
        First day to train on, last day to test on; days at the end that fill no test are left out.
    train_days, gap_days, test_days : int

    Returns
    -------
    list of Origin

    Raises
    ------
    ContractError
        If a length is below 1 (the gap below 0), or not one test fits.

    References
    ----------
    Dal Pozzolo, Boracchi, Caelen, Alippi and Bontempi (2018), Credit card fraud detection: a realistic modeling and a
    novel learning strategy, IEEE TNNLS 29; Dawid (1984), Statistical theory: the prequential approach, JRSS A 147.

    Examples
    --------
    >>> [(one.train_first, one.test_first, one.test_last) for one in origins(21, 119, 32, 7, 30)]
    [(21, 60, 89), (51, 90, 119)]
    """
    for what, days, least in (("train_days", train_days, 1), ("gap_days", gap_days, 0), ("test_days", test_days, 1)):
        if days < least:
            refuse(what, f"{least} or more", str(days), "count in days")
    found = []
    for start in range(first_day, last_day + 1, test_days):
        test = start + train_days + gap_days
        if test + test_days - 1 <= last_day:
            found.append(Origin(start, start + train_days - 1, test, test + test_days - 1))
    if not found:
        needed = train_days + gap_days + test_days
        got = f"{last_day - first_day + 1} from day {first_day} on"
        refuse("the days from first_day to last_day", f"{needed} or more", got, "shorten the periods")
    return found


def training(
    evidence: Evidence, origin: Origin, rng: np.random.Generator, keep: float = KEEP, answers: bool = False
) -> tuple[pd.DataFrame, npt.NDArray[np.int8], float]:
    """Return the rows to fit to at an origin, the labels known by then, and the share of the others that was kept.

    Parameters
    ----------
    evidence : Evidence
    origin : Origin
    rng : numpy.random.Generator
    keep, answers
        As in :func:`casebook.fraud.labelled.sample_rows` and :func:`casebook.fraud.labelled.known_labels`.

    Returns
    -------
    tuple
        Features, shape (m, k); labels, shape (m,); the share.
    """
    days = {"first_day": origin.train_first, "last_day": origin.train_last}
    y = known_labels(evidence.tables, origin.test_first * DAY, **days, answers=answers)
    sample = sample_rows(y, rng, keep)
    rows = evidence.rows(origin.train_first, origin.train_last).start + sample.rows
    return evidence.features.iloc[rows], y.iloc[sample.rows].to_numpy(dtype=np.int8), sample.kept


def rolled(
    models: Mapping[str, Model],
    evidence: Evidence,
    plan: Sequence[Origin],
    rng: np.random.Generator,
    keep: float = KEEP,
    least: int = LEAST,
    k: int = 100,
) -> pd.DataFrame:
    """Fit and test at every origin.

    Parameters
    ----------
    models : mapping of str to a model
        They are cloned.
    evidence : Evidence
    plan : sequence of Origin
        As :func:`origins` returns it.
    rng : numpy.random.Generator
    keep : float
        Share of the rows without known fraud that is fitted to.
    least : int
        Frauds below which a test reads "too few".
    k : int
        Cards on a day's list.

    Returns
    -------
    pandas.DataFrame
        One row for each origin and model: ``model``; ``train_first``, ``train_last``, ``test_first``, ``test_last``
        (days); ``known`` (frauds fitted to); ``n``, ``frauds``, ``prevalence`` (tested); ``ap``, ``card_precision``
        (at k), ``promised`` (missing for a score that is no probability); ``note``.

    Raises
    ------
    ContractError
        No model, no origin, an origin beyond the last day, or as the models themselves.
    """
    if not plan:
        refuse("plan", "at least one origin", "none", "make one with origins(...)")
    last = int(evidence.day[-1])
    rows = []
    for origin in plan:
        if origin.test_last > last:
            refuse("plan", f"of tests that end by day {last}", f"one until {origin.test_last}", "shorten it")
        rows += _tested(models, evidence, origin, rng, keep, least, k)
    return pd.DataFrame(rows)


def _tested(
    models: Mapping[str, Model],
    evidence: Evidence,
    origin: Origin,
    rng: np.random.Generator,
    keep: float,
    least: int,
    k: int,
) -> list[dict[str, object]]:
    X, y, kept = training(evidence, origin, rng, keep)
    where = evidence.rows(origin.test_first, origin.test_last)
    scores = score_all(models, X, y, evidence.features.iloc[where], kept)
    fraud, queue = evidence.fraud[where], (evidence.card[where], evidence.day[where])
    enough = fraud.sum() >= max(least, 1)
    same = {"known": int(y.sum()), "n": len(fraud), "frauds": int(fraud.sum()), "prevalence": float(fraud.mean())}
    days = {name: getattr(origin, name) for name in ("train_first", "train_last", "test_first", "test_last")}
    found: list[dict[str, object]] = []
    for name in scores.score:
        p = scores.score[name].to_numpy()
        is_probability = bool(scores.cost["is_probability"][str(name)])
        measures = {
            "ap": average_precision(fraud, p) if enough else np.nan,
            "card_precision": card_precision(*queue, p, fraud, k),
            "promised": float(p.sum()) if is_probability else np.nan,
        }
        found.append({"model": name, **days, **same, **measures, "note": "" if enough else TOO_FEW})
    return found
