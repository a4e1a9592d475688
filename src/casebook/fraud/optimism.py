"""What a random split, labels from the future and a leaking feature promise beyond what time allows.

Every design scores the same test events with the same model, fitted to as many known frauds and as many other rows, so
that a gap between two of them is neither of the test nor of the amount of data. It is measured twice: on the labels
that the bank has in the end, which is what a team sees offline, and on the truth. A leak of labels wins on the former.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from casebook.contracts import FloatArray, refuse, require_length
from casebook.fraud.evaluate import average_precision
from casebook.fraud.evaluate_gap import precision_gap
from casebook.fraud.labelled import KEEP, known_labels, sample_rows
from casebook.fraud.leaked import leaked_risks, whole_table_risks
from casebook.fraud.model_base import Model
from casebook.fraud.protocol import Evidence, Origin
from casebook.fraud.world import DAY

HONEST = "time, delay"
SPLITS = ("time, no delay", "cards", "rows")
LEAKS = ("leak", "whole table")
"""Of :func:`planted_leaks`; each has two designs, "..., offline" and "..., in service"."""

Ids = npt.NDArray[np.int64]
Scored = tuple[FloatArray, float, float]


def planted_leaks(evidence: Evidence) -> dict[str, pd.DataFrame]:
    """Return both leaks of :mod:`casebook.fraud.leaked` for every event."""
    log, reports = evidence.tables["events"], evidence.tables["reports"]
    return {"leak": leaked_risks(log, reports), "whole table": whole_table_risks(log, reports)}


def optimism(
    model: Model,
    evidence: Evidence,
    origin: Origin,
    rng: np.random.Generator,
    splits: Sequence[str] = SPLITS,
    leaks: Mapping[str, pd.DataFrame] | None = None,
    keep: float = KEEP,
    folds: int = 3,
    rounds: int = 200,
) -> pd.DataFrame:
    """Score the same test events under several designs.

    ========================  ===================================================================================
    ``time, delay``           the training days of the origin, with the labels known when its test begins
    ``time, no delay``        as many days right up to the test, with the labels of the end: no bank has them
    ``cards``                 cross-validated over the days of both, no card in training and test, labels of the end
    ``rows``                  the same by rows: an episode's events fall on both sides
    ``leak, offline``         as ``time, delay``, but risk counts frauds from when they happen
    ``leak, in service``      its model with the features that there really are
    ``whole table, offline``  as ``time, delay``, but risk is the share of reports of all times, an event's own as well
    ``whole table,            its model with the features that there really are
    in service``
    ========================  ===================================================================================

    Parameters
    ----------
    model : Model
        It is cloned.
    evidence : Evidence
    origin : Origin
    rng : numpy.random.Generator
    splits : sequence of str
        Some of :data:`SPLITS`; ``time, delay`` is always there.
    leaks : mapping of str to pandas.DataFrame, optional
        Name of a leak -> the columns that it alters, for every event; by default :func:`planted_leaks`, {} for none.
    keep : float
        Share of the rows without known fraud that ``time, delay`` is fitted to; all designs get as many.
    folds : int
        Parts of the cross-validation, 2 or more.
    rounds : int
        Draws of the intervals.

    Returns
    -------
    pandas.DataFrame
        Index ``design``: ``known``, ``others`` (rows fitted to, of a fold on average). Measured on the test events that
        have a label by the last day of the tables, as a team would: ``n``, ``reported``, ``prevalence``, ``ap``,
        ``gap`` (less that of ``time, delay``; ``low``, ``high``: 95% over cards). Measured on all of them and on
        ``evidence.fraud``: ``frauds``, ``ap_true``, ``gap_true``.

    Raises
    ------
    ContractError
        An unknown split, a leak of other events, fewer than 2 folds, an origin beyond the last day, or as the functions
        that it calls.

    References
    ----------
    Kapoor and Narayanan (2023), Leakage and the reproducibility crisis in machine-learning-based science, Patterns 4.
    """
    unknown = next((name for name in splits if name not in SPLITS), None)
    if unknown is not None:
        refuse("splits", f"some of {', '.join(map(repr, SPLITS))}", repr(unknown), "correct the name")
    leaks = planted_leaks(evidence) if leaks is None else leaks
    for name, columns in leaks.items():
        require_length(columns.index.to_numpy(), len(evidence.day), f"leaks[{name!r}]")
    if folds < 2:
        refuse("folds", "2 or more", str(folds), "three are a start")
    last = int(evidence.day[-1])
    if origin.test_last > last:
        refuse("origin", f"of a test that ends by day {last}", f"one until {origin.test_last}", "shorten it")
    run = _Designs(model, evidence, origin, rng, keep, folds)
    scores = {HONEST: run.timed(delay=True)}
    for name in splits:
        scores[name] = run.timed(delay=False) if name == "time, no delay" else run.crossed(by_card=name == "cards")
    for name, columns in leaks.items():
        scores |= run.leaking(name, columns)
    return _measured(scores, run, evidence, rng, rounds)


def _measured(
    scores: dict[str, Scored],
    run: _Designs,
    evidence: Evidence,
    rng: np.random.Generator,
    rounds: int,
) -> pd.DataFrame:
    rows, y = run.labelled(*run.test_days, run.end)
    fraud, place, card = evidence.fraud[run.test], rows - run.test.start, evidence.card[rows]
    first = scores[HONEST][0]
    true = average_precision(fraud, first)
    found = {}
    for name, (p, known, others) in scores.items():
        gap = precision_gap(y, p[place], first[place], card, rng, rounds)
        ap_true = average_precision(fraud, p)
        found[name] = {
            **{"known": known, "others": others, "n": len(y), "reported": int(y.sum()), "prevalence": float(y.mean())},
            **{"ap": average_precision(y, p[place]), "gap": gap.gap, "low": gap.low, "high": gap.high},
            **{"frauds": int(fraud.sum()), "ap_true": ap_true, "gap_true": ap_true - true},
        }
    return pd.DataFrame.from_dict(found, orient="index").rename_axis("design")


class _Designs:
    """One model, one origin: rows and labels of each design, and the scores of the test events."""

    def __init__(
        self, model: Model, evidence: Evidence, origin: Origin, rng: np.random.Generator, keep: float, folds: int
    ) -> None:
        self._model, self._evidence, self._origin, self._rng = model, evidence, origin, rng
        self._keep, self._folds = keep, folds
        self.test_days = origin.test_first, origin.test_last
        self.test = evidence.rows(*self.test_days)
        self.end = int(evidence.tables["events"]["at"].iloc[-1]) + 1
        self._size: tuple[int, int] | None = None

    def timed(self, delay: bool) -> Scored:
        """Return scores of the test events by a split in time, and how many frauds and others were fitted to."""
        origin, X = self._origin, self._evidence.features
        first, last, at = origin.train_first, origin.train_last, origin.test_first * DAY
        if not delay:
            first, last, at = first + origin.gap_days, origin.test_first - 1, self.end
        rows, y, kept = self._drawn(*self.labelled(first, last, at))
        fitted = clone(self._model).fit(X.iloc[rows], y, kept)
        return fitted.predict(X.iloc[self.test]), *_sizes(y)

    def leaking(self, name: str, columns: pd.DataFrame) -> dict[str, Scored]:
        """Return the same of a model that was fitted with a leak, offline and in service."""
        origin, X = self._origin, self._evidence.features
        rows, y, kept = self._drawn(*self.labelled(origin.train_first, origin.train_last, origin.test_first * DAY))
        fitted = clone(self._model).fit(_with(X.iloc[rows], columns.iloc[rows]), y, kept)
        offline = fitted.predict(_with(X.iloc[self.test], columns.iloc[self.test]))
        service = fitted.predict(X.iloc[self.test])
        return {f"{name}, offline": (offline, *_sizes(y)), f"{name}, in service": (service, *_sizes(y))}

    def crossed(self, by_card: bool) -> Scored:
        """Return the same by cross-validation over the days of training and test."""
        X, origin = self._evidence.features, self._origin
        rows, y = self.labelled(origin.train_first, origin.test_last, self.end)
        fold = self._parts(by_card)
        p, sizes = np.empty(self.test.stop - self.test.start), []
        for part in range(self._folds):
            seen = fold[rows] != part
            chosen, labels, kept = self._drawn(rows[seen], y[seen])
            fitted = clone(self._model).fit(X.iloc[chosen], labels, kept)
            asked = np.flatnonzero(fold[self.test] == part)
            p[asked] = fitted.predict(X.iloc[self.test.start + asked])
            sizes.append(_sizes(labels))
        known, others = np.mean(sizes, axis=0)
        return p, float(known), float(others)

    def _parts(self, by_card: bool) -> Ids:
        """Return the fold of every event."""
        if not by_card:
            return self._rng.integers(self._folds, size=len(self._evidence.day))
        cards, number = np.unique(self._evidence.card, return_inverse=True)
        return np.asarray(self._rng.permutation(len(cards)) % self._folds)[number]

    def labelled(self, first: int, last: int, at: int) -> tuple[Ids, npt.NDArray[np.int8]]:
        """Return the rows of days that have a label by a second, and the labels."""
        y = known_labels(self._evidence.tables, at, first_day=first, last_day=last)
        known = np.flatnonzero(y.notna().to_numpy())
        return self._evidence.rows(first, last).start + known, y.iloc[known].to_numpy(dtype=np.int8)

    def _drawn(self, rows: Ids, y: npt.NDArray[np.int8]) -> tuple[Ids, npt.NDArray[np.int8], float]:
        """Draw as many frauds and others as the first design had, or as there are, in the order of time."""
        if self._size is None:
            sample = sample_rows(y, self._rng, self._keep)
            self._size = _sizes(y[sample.rows])
            return rows[sample.rows], y[sample.rows], sample.kept
        parts, shares = [], []
        for label, wanted in zip((1, 0), self._size, strict=True):
            there = np.flatnonzero(y == label)
            parts.append(self._rng.choice(there, min(wanted, len(there)), replace=False))
            shares.append(len(parts[-1]) / len(there))
        chosen = np.sort(np.concatenate(parts))
        return rows[chosen], y[chosen], min(shares[1] / shares[0], 1.0)


def _sizes(y: npt.NDArray[np.int8]) -> tuple[int, int]:
    return int(y.sum()), int((y == 0).sum())


def _with(rows: pd.DataFrame, columns: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(**{str(name): columns[name].to_numpy() for name in columns})
