"""The model as a file that a job can trust: one JSON with the trees as text, what it learnt from and how it did."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import lightgbm
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from casebook.churn.explain import BASE
from casebook.churn.features import COLUMNS, cohorts
from casebook.churn.models import boosted
from casebook.contracts import FloatArray, refuse, require_columns
from casebook.jobs import write_json

HORIZON = 30  # days in which somebody leaves or not
COHORTS = 3  # months of labels; the newest one judges the fit on the others, then joins in
HISTORY = 182  # days of usage that a cohort's features look back on
LEAST_AUC = 0.6  # a model below it has been fed something wrong, and does not replace the last one
_FIELDS = {"trained_for", "cohorts", "rows", "leavers", "called_left_out", "auc", "columns", "seed", "trees"}


@dataclass(frozen=True)
class Artefact:
    """A fitted model with its card.

    Attributes
    ----------
    card : dict
        ``trained_for`` (a date), ``cohorts`` (dates), ``rows``, ``leavers``, ``called_left_out`` (rows dropped since
        a call had changed their outcome), ``auc`` (of the fit without the newest cohort, on that cohort),
        ``columns``, ``seed``.
    booster : lightgbm.Booster
    """

    card: dict[str, Any]
    booster: lightgbm.Booster

    def predict(self, features: pd.DataFrame) -> FloatArray:
        """Return the chance of leaving within 30 days, shape (n,)."""
        require_columns(features, self.card["columns"], "features")
        return np.asarray(self.booster.predict(features[self.card["columns"]], num_threads=1), dtype=float)

    def contributions(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return what each feature adds to the log-odds, as :func:`casebook.churn.explain.explain` does."""
        columns = self.card["columns"]
        parts = np.asarray(self.booster.predict(features[columns], pred_contrib=True, num_threads=1))
        return pd.DataFrame(parts, index=features.index, columns=[*columns, BASE])

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        write_json(path, self.card | {"trees": self.booster.model_to_string()})


def load_artefact(path: str | Path) -> Artefact:
    """Read a model's file.

    Raises
    ------
    ContractError
        No file, or one that :meth:`Artefact.save` has not written.

    Examples
    --------
    >>> load_artefact("model.json")
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: the model must be a file that the command 'train' wrote, got nothing at
    'model.json'; run it, or mend the path.
    """
    place = Path(path)
    must, mend = "a file that the command 'train' wrote", "run it, or mend the path"
    if not place.is_file():
        refuse("the model", must, f"nothing at '{place.as_posix()}'", mend)
    try:
        card = json.loads(place.read_text(encoding="utf-8"))
    except ValueError:
        card = None
    if not isinstance(card, dict) or _FIELDS - card.keys():
        refuse("the model", must, f"'{place.name}', which is none", mend)
    trees = card.pop("trees")
    return Artefact(card, lightgbm.Booster(model_str=trees))


def training_dates(at: date, months: int = COHORTS) -> list[date]:
    """Return the last first days of months whose 30 days were over before ``at``, oldest first.

    Examples
    --------
    >>> [str(day) for day in training_dates(date(2026, 1, 1), months=2)]
    ['2025-11-01', '2025-12-01']
    >>> [str(day) for day in training_dates(date(2026, 3, 2), months=1)]
    ['2026-01-01']
    """
    dates: list[date] = []
    first = at.replace(day=1)
    while len(dates) < months:
        if first + timedelta(days=HORIZON) < at:
            dates.append(first)
        first = (first - timedelta(days=1)).replace(day=1)
    return dates[::-1]


def check_history(connection: duckdb.DuckDBPyConnection, at: date) -> None:
    """Refuse a day before which too little has happened to train on.

    Raises
    ------
    ContractError
        The oldest cohort has not got half a year of usage before it.
    """
    oldest = training_dates(at)[0]
    first = connection.execute("SELECT CAST(min(week) AS DATE) FROM usage_weekly").fetchall()[0][0]
    if first is None or oldest - timedelta(days=HISTORY) < first:
        got = f"{oldest} as the oldest, and usage from {first or 'no day'} on"
        refuse("the cohorts to train on", f"preceded by {HISTORY} days of usage", got, "pass a later --date")


def train_artefact(connection: duckdb.DuckDBPyConnection, at: date, seed: int = 0) -> Artefact:
    """Fit the boosted model of risk on what was known before ``at``.

    Who was called within a cohort's 30 days is left out: their outcome is that of a called subscriber, and the model
    is asked what happens without a call.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Of the warehouse.
    at : datetime.date
    seed : int

    Returns
    -------
    Artefact

    Raises
    ------
    ContractError
        Too little history before ``at``, or a fit that cannot rank the newest cohort.
    """
    check_history(connection, at)
    dates = training_dates(at)
    frame = cohorts(connection, [str(each) for each in dates], HORIZON, today=str(at))
    called = _called_within(connection, dates)
    kept = frame[~frame.set_index(["asof", "subscriber_id"]).index.isin(called)]
    newest = kept["asof"] == kept["asof"].max()
    trial = boosted(seed).fit(kept.loc[~newest, list(COLUMNS)], kept.loc[~newest, "y"].astype(int))
    auc = _rank(trial, kept[newest])
    if not auc >= LEAST_AUC:
        what, mend = "the AUC on the newest cohort", "look for what has changed in the labels or the features"
        refuse(what, f"{LEAST_AUC} or more", f"{auc:.3f}", mend)
    model = boosted(seed).fit(kept[list(COLUMNS)], kept["y"].astype(int))
    card = {
        "trained_for": str(at),
        "cohorts": [str(each) for each in dates],
        "rows": len(kept),
        "leavers": int(kept["y"].sum()),
        "called_left_out": len(frame) - len(kept),
        "auc": auc,
        "columns": list(COLUMNS),
        "seed": seed,
    }
    return Artefact(card, model.booster_)


def _rank(model: lightgbm.LGBMClassifier, frame: pd.DataFrame) -> float:
    if frame["y"].nunique() < 2:
        return float("nan")
    return float(roc_auc_score(frame["y"], np.asarray(model.predict_proba(frame[list(COLUMNS)]))[:, 1]))


def _called_within(connection: duckdb.DuckDBPyConnection, dates: list[date]) -> pd.MultiIndex:
    pairs = []
    for asof in dates:
        until = asof + timedelta(days=HORIZON)
        query = "SELECT DISTINCT subscriber_id FROM calls WHERE called_on >= ? AND called_on <= ?"
        pairs += [(pd.Timestamp(asof), who) for (who,) in connection.execute(query, [asof, until]).fetchall()]
    return pd.MultiIndex.from_tuples(pairs, names=["asof", "subscriber_id"])
