"""What chapter 4 asks of its risk models: metrics beside money, rebalanced scores, a network that learns names."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from casebook.churn.evaluate import Worth, call_top
from casebook.churn.features import CATEGORIES, COLUMNS
from casebook.churn.models import quality
from casebook.churn.sequence import SequenceModel, Sequences, fit_sequence
from casebook.contracts import FloatArray
from casebook.worlds import captured

CALENDAR = ("is_annual", "days_to_renewal")
_STATIC = tuple(column for column in CATEGORIES["static"] if column not in CALENDAR)
_USAGE = tuple(c for kind in ("engagement_recent", "engagement_long", "trajectory") for c in CATEGORIES[kind])
_BESIDE = tuple(column for column in COLUMNS if column not in _USAGE and column not in CATEGORIES["static"])

#: Categories of :func:`casebook.churn.models.ablation` with the calendar of renewals apart from the static columns.
FINER: dict[str, tuple[str, ...]] = {
    "calendar": CALENDAR,
    "static": _STATIC,
    **{kind: CATEGORIES[kind] for kind in ("engagement_recent", "engagement_long", "trajectory")},
    **{kind: CATEGORIES[kind] for kind in ("support", "billing", "account")},
    "asked and called": CATEGORIES["engagement_asked"] + CATEGORIES["contact"],
}
#: The same columns in three parts: what usage as a whole is worth.
USAGE_APART: dict[str, tuple[str, ...]] = {
    "calendar and static": CATEGORIES["static"],
    "all usage": _USAGE,
    "the rest": _BESIDE,
}
#: And in two.
TRAJECTORY_APART: dict[str, tuple[str, ...]] = {
    "trajectory": CATEGORIES["trajectory"],
    "all others": tuple(column for column in COLUMNS if column not in CATEGORIES["trajectory"]),
}


@dataclass(frozen=True, eq=False)
class Scored:
    """One model's chances of leaving.

    Attributes
    ----------
    later : numpy.ndarray, shape (test rows,)
    today : numpy.ndarray, shape (subscribers today,)
    """

    later: FloatArray
    today: FloatArray


def score_all(
    models: Mapping[str, Any],
    train: pd.DataFrame,
    later: pd.DataFrame,
    today: pd.DataFrame,
    columns: Sequence[str] = COLUMNS,
) -> dict[str, Scored]:
    """Fit each model on the earlier months and score the later month and today's base.

    Parameters
    ----------
    models : mapping of str to classifier
        Cloned before they are fitted.
    train, later, today : pandas.DataFrame
        With ``columns``; ``train`` with ``y``.
    columns : sequence of str

    Returns
    -------
    dict of str to Scored
    """
    used, scored = list(columns), {}
    for name, model in models.items():
        fitted = clone(model).fit(train[used], train["y"].astype(int))
        scored[name] = Scored(*(fitted.predict_proba(frame[used])[:, 1] for frame in (later, today)))
    return scored


def metric_against_money(scored: Mapping[str, Scored], y: npt.ArrayLike, truth: Worth, calls: int) -> pd.DataFrame:
    """Return each model's offline metrics on the later month and what its list of today earns in truth.

    Parameters
    ----------
    scored : mapping of str to Scored
    y : array_like, shape (test rows,)
    truth : Worth
        In the order of ``Scored.today``.
    calls : int

    Returns
    -------
    pandas.DataFrame
        ``auprc``, ``auc``, ``precision`` (at the capacity); ``true_p`` (the list's mean true chance of leaving),
        ``saved`` (subscribers kept), ``captured`` (share of what the best list earns).
    """
    best = truth.gain[call_top(truth.gain, calls, least=0.0)].sum()
    rows = {}
    for name, one in scored.items():
        offline = quality(y, one.later, calls / len(truth.p))
        act = call_top(one.today, calls)
        money = {"true_p": truth.p[act].mean(), "saved": truth.uplift[act].sum()}
        money["captured"] = captured(truth.gain[act].sum(), 0.0, best)
        rows[name] = {metric: offline[metric] for metric in ("auprc", "auc", "precision")} | money
    return pd.DataFrame(rows).T


def rule_table(
    scored: Mapping[str, FloatArray], y: npt.ArrayLike, capacity: float, cuts: Sequence[float] = (0.005, 0.05)
) -> pd.DataFrame:
    """Return what rebalancing does to a score: ranking, level, calibration, and who lies above fixed cuts.

    Returns
    -------
    pandas.DataFrame
        One row a score: ``auprc``, ``precision``, ``mean_p``, ``calibration_error``, and the share of rows ``above``
        each cut; last the row ``observed`` with the base rate alone.
    """
    rows = {}
    for name, p in scored.items():
        part = quality(y, p, capacity)
        rows[name] = {"auprc": part["auprc"], "precision": part["precision"], "mean_p": float(np.mean(p))}
        rows[name] |= {"calibration_error": part["calibration_error"]}
        rows[name] |= {f"above {cut:g}": float((p > cut).mean()) for cut in cuts}
    table = pd.DataFrame(rows).T
    table.loc["observed", "mean_p"] = float(np.mean(np.asarray(y)))
    return table


def company_memory(
    train: pd.DataFrame,
    p_train: FloatArray,
    later: pd.DataFrame,
    p_later: FloatArray,
    met: npt.ArrayLike | None = None,
) -> pd.Series:
    """Return AUC on the training months, and on the later month for companies met in training and others.

    Parameters
    ----------
    train, later : pandas.DataFrame
        With ``account_id`` and ``y``; ``train`` may be a sample of what the model learnt from.
    p_train, p_later : numpy.ndarray
        Chances of leaving, row by row.
    met : array_like, optional
        Companies that the model learnt from; those of ``train`` by default.

    Returns
    -------
    pandas.Series
        ``auc_train``, ``auc_later``, ``auc_met``, ``auc_new``; ``leavers_new``, the leavers behind the last.
    """
    known = later["account_id"].isin(np.asarray(train["account_id"] if met is None else met)).to_numpy()
    y = later["y"].to_numpy()
    return pd.Series(
        {
            "auc_train": roc_auc_score(train["y"], p_train),
            "auc_later": roc_auc_score(y, p_later),
            "auc_met": roc_auc_score(y[known], p_later[known]),
            "auc_new": roc_auc_score(y[~known], p_later[~known]),
            "leavers_new": y[~known].sum(),
        }
    )


def measure_sequence(
    train: tuple[Sequences, pd.DataFrame],
    later: tuple[Sequences, pd.DataFrame],
    capacity: float,
    *,
    columns: Sequence[str] = COLUMNS,
    ids: bool = False,
    seed: int = 0,
    epochs: int = 5,
) -> tuple[dict[str, float], pd.Series]:
    """Fit the network once; return its row of :func:`casebook.churn.models.compare` and :func:`company_memory`.

    Parameters
    ----------
    train, later : tuple of numpy.ndarray of shape (n, 26, 4) and pandas.DataFrame
        Weeks and cohorts, row by row.
    capacity : float
    columns : sequence of str
        Features beside the weeks.
    ids : bool
        Whether it may learn a vector for each company.
    seed, epochs : int
    """
    (weeks, frame), (weeks_later, month) = train, later
    used, known = list(columns), frame["account_id"] if ids else None
    begin = time.perf_counter()
    model = fit_sequence(weeks, frame[used], frame["y"], ids=known, seed=seed, epochs=epochs)
    fit_seconds = time.perf_counter() - begin
    one = slice(0, 1)
    row_seconds = min(_score(model, weeks_later[one], month.iloc[one], used, ids)[1] for _ in range(3))
    p_later, base_seconds = _score(model, weeks_later, month, used, ids)
    sample = np.linspace(0, len(frame) - 1, min(len(frame), len(month))).astype(int)  # no new shape to compile
    p_train, _ = _score(model, weeks[sample], frame.iloc[sample], used, ids)
    row = quality(month["y"], p_later, capacity)
    row |= {"fit_seconds": fit_seconds, "row_ms": 1000 * row_seconds, "base_seconds": base_seconds}
    return row, company_memory(frame.iloc[sample], p_train, month, p_later, met=frame["account_id"])


def measure_apart(
    train: tuple[Sequences, pd.DataFrame],
    later: tuple[Sequences, pd.DataFrame],
    capacity: float,
    settings: Sequence[Mapping[str, Any]],
) -> list[tuple[dict[str, float], pd.Series]]:
    """Return :func:`measure_sequence` for each of several settings, in a process of its own.

    Keras and JAX hold several hundred megabytes until their process ends, and a notebook goes on.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        waiting = [process.submit(measure_sequence, train, later, capacity, **one) for one in settings]
        return [one.result() for one in waiting]


def _score(
    model: SequenceModel, weeks: Sequences, frame: pd.DataFrame, columns: list[str], ids: bool
) -> tuple[FloatArray, float]:
    begin = time.perf_counter()
    p = model.predict_proba(weeks, frame[columns], frame["account_id"] if ids else None)[:, 1]
    return p, time.perf_counter() - begin
