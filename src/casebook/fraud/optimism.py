"""What a random split, labels from the future and a leaking feature promise beyond what time allows.

Every design scores the same test events with the same model, fitted to as many known frauds and as many other rows, so
that a gap between two of them is neither of the test nor of the amount of data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from casebook.contracts import FloatArray, refuse
from casebook.fraud.evaluate import average_precision
from casebook.fraud.evaluate_gap import precision_gap
from casebook.fraud.labelled import KEEP, known_labels, sample_rows
from casebook.fraud.leaked import leaked_risks
from casebook.fraud.model_base import Model
from casebook.fraud.protocol import Evidence, Origin
from casebook.fraud.world import DAY

Design = Literal["time, delay", "time, no delay", "cards", "rows", "leak, offline", "leak, in service"]
DESIGNS: tuple[Design, ...] = get_args(Design)
HONEST: Design = "time, delay"

Ids = npt.NDArray[np.int64]


def optimism(
    model: Model,
    evidence: Evidence,
    origin: Origin,
    rng: np.random.Generator,
    designs: Sequence[Design] = DESIGNS,
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
    ``leak, in service``      the model of ``leak, offline`` with the features that there really are
    ========================  ===================================================================================

    Parameters
    ----------
    model : Model
        It is cloned.
    evidence : Evidence
    origin : Origin
    rng : numpy.random.Generator
    designs : sequence of str
        Some of :data:`DESIGNS`; ``time, delay`` is always among them.
    keep : float
        Share of the rows without known fraud that ``time, delay`` is fitted to; all designs get as many.
    folds : int
        Parts of the cross-validation, 2 or more.
    rounds : int
        Draws of the intervals.

    Returns
    -------
    pandas.DataFrame
        Index ``design``: ``known``, ``others`` (rows fitted to, of a fold on average), ``n``, ``frauds``,
        ``prevalence`` (tested), ``ap``, ``gap`` (less that of ``time, delay``; ``low``, ``high``: 95% over cards).

    Raises
    ------
    ContractError
        An unknown design, fewer than 2 folds, an origin beyond the last day, or as the functions that it calls.

    References
    ----------
    Kapoor and Narayanan (2023), Leakage and the reproducibility crisis in machine-learning-based science, Patterns 4.
    """
    unknown = next((name for name in designs if name not in DESIGNS), None)
    if unknown is not None:
        refuse("designs", f"some of {', '.join(map(repr, DESIGNS))}", repr(unknown), "correct the name")
    if folds < 2:
        refuse("folds", "2 or more", str(folds), "three are a start")
    last = int(evidence.day[-1])
    if origin.test_last > last:
        refuse("origin", f"of a test that ends by day {last}", f"one until {origin.test_last}", "shorten it")
    run = _Designs(model, evidence, origin, rng, keep, folds)
    wanted = [HONEST, *(name for name in DESIGNS if name in designs and name != HONEST)]
    scores = {name: run.score(name) for name in wanted}
    fraud, card = evidence.fraud[run.test], evidence.card[run.test]
    rows = {}
    for name, (p, known, others) in scores.items():
        found = precision_gap(fraud, p, scores[HONEST][0], card, rng, rounds)
        rows[name] = {
            **{"known": known, "others": others, "n": len(fraud), "frauds": int(fraud.sum())},
            **{"prevalence": float(fraud.mean()), "ap": average_precision(fraud, p)},
            **{"gap": found.gap, "low": found.low, "high": found.high},
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("design")


class _Designs:
    """One model, one origin: rows and labels of each design, and the scores of the test events."""

    def __init__(
        self, model: Model, evidence: Evidence, origin: Origin, rng: np.random.Generator, keep: float, folds: int
    ) -> None:
        self._model, self._evidence, self._origin, self._rng = model, evidence, origin, rng
        self._keep, self._folds = keep, folds
        self.test = evidence.rows(origin.test_first, origin.test_last)
        self._end = int(evidence.tables["events"]["at"].iloc[-1]) + 1
        self._size: tuple[int, int] | None = None

    def score(self, design: Design) -> tuple[FloatArray, float, float]:
        """Return scores of the test events, and how many frauds and others were fitted to."""
        X, origin = self._evidence.features, self._origin
        if design in ("rows", "cards"):
            return self._crossed(by_card=design == "cards")
        first, last, at = origin.train_first, origin.train_last, origin.test_first * DAY
        if design == "time, no delay":
            first, last, at = first + origin.gap_days, origin.test_first - 1, self._end
        rows, y, kept = self._drawn(*self._labelled(first, last, at))
        seen, asked = X.iloc[rows], X.iloc[self.test]
        if design.startswith("leak"):
            seen = self._with_leak(seen, first, last)
        if design == "leak, offline":
            asked = self._with_leak(asked, origin.test_first, origin.test_last)
        fitted = clone(self._model).fit(seen, y, kept)
        return fitted.predict(asked), int(y.sum()), int((y == 0).sum())

    def _crossed(self, by_card: bool) -> tuple[FloatArray, float, float]:
        X, origin = self._evidence.features, self._origin
        rows, y = self._labelled(origin.train_first, origin.test_last, self._end)
        fold = self._parts(by_card)
        p, sizes = np.empty(self.test.stop - self.test.start), []
        for part in range(self._folds):
            seen = fold[rows] != part
            chosen, labels, kept = self._drawn(rows[seen], y[seen])
            fitted = clone(self._model).fit(X.iloc[chosen], labels, kept)
            asked = np.flatnonzero(fold[self.test] == part)
            p[asked] = fitted.predict(X.iloc[self.test.start + asked])
            sizes.append((labels.sum(), (labels == 0).sum()))
        known, others = np.mean(sizes, axis=0)
        return p, float(known), float(others)

    def _parts(self, by_card: bool) -> Ids:
        """Return the fold of every event."""
        if not by_card:
            return self._rng.integers(self._folds, size=len(self._evidence.day))
        cards, number = np.unique(self._evidence.card, return_inverse=True)
        return np.asarray(self._rng.permutation(len(cards)) % self._folds)[number]

    def _labelled(self, first: int, last: int, at: int) -> tuple[Ids, npt.NDArray[np.int8]]:
        """Return the rows of days that have a label by a second, and the labels."""
        y = known_labels(self._evidence.tables, at, first_day=first, last_day=last)
        known = np.flatnonzero(y.notna().to_numpy())
        return self._evidence.rows(first, last).start + known, y.iloc[known].to_numpy(dtype=np.int8)

    def _drawn(self, rows: Ids, y: npt.NDArray[np.int8]) -> tuple[Ids, npt.NDArray[np.int8], float]:
        """Draw as many frauds and others as the first design had, or as there are, in the order of time."""
        if self._size is None:
            sample = sample_rows(y, self._rng, self._keep)
            self._size = int(y[sample.rows].sum()), int((y[sample.rows] == 0).sum())
            return rows[sample.rows], y[sample.rows], sample.kept
        parts, shares = [], []
        for label, wanted in zip((1, 0), self._size, strict=True):
            there = np.flatnonzero(y == label)
            parts.append(self._rng.choice(there, min(wanted, len(there)), replace=False))
            shares.append(len(parts[-1]) / len(there))
        chosen = np.sort(np.concatenate(parts))
        return rows[chosen], y[chosen], min(shares[1] / shares[0], 1.0)

    def _with_leak(self, rows: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
        tables = self._evidence.tables
        risks = leaked_risks(tables["events"], tables["reports"], first * DAY, (last + 1) * DAY)
        return rows.assign(**{str(name): risks[name].loc[rows.index].to_numpy() for name in risks})
