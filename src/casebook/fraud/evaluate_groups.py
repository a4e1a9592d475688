"""The measures of :mod:`casebook.fraud.evaluate` by group, each with the counts behind it, or the words "too few"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_auc_score

from casebook.contracts import BoolArray, FloatArray, refuse
from casebook.fraud.evaluate import average_precision, labels_and_scores, recall_at_fpr, require_rate

LEAST = 100
"""Frauds below which a row's measures are left out and its note reads "too few"."""

FPRS = (0.01, 0.001)
"""Shares of honest events that may be stopped, at which recall is read."""

TOO_FEW = "too few"

Row = dict[str, float | int | str]


def by_group(
    y: npt.ArrayLike, score: npt.ArrayLike, group: npt.ArrayLike, *, fprs: Sequence[float] = FPRS, least: int = LEAST
) -> pd.DataFrame:
    """Return the measures of each group of rows, such as a channel, each with the counts behind it.

    Each group is ranked by itself, so its recall is at its own cut; a bank with one cut for all has other rates of
    false alarms in each group.

    Parameters
    ----------
    y, score
        As in :func:`average_precision`, but a group, or all, may lack a class.
    group : array_like, shape (n,)
        The group of each row.
    fprs : sequence of float
        For the columns of recall.
    least : int
        Frauds, and honest rows, below which a row's measures are missing and its note is "too few".

    Returns
    -------
    pandas.DataFrame
        Index ``group``, "all" first: ``n``, ``frauds``, ``prevalence``, ``ap``, ``lift`` (``ap / prevalence``),
        ``auc``, ``recall_at_...`` (one for each of ``fprs``), ``note`` ("" or "too few").

    Raises
    ------
    ContractError
        Bad labels, a score that is not finite, unequal lengths, an fpr outside [0, 1].

    Examples
    --------
    >>> table = by_group([0, 1, 0, 1, 0], [0.1, 0.9, 0.8, 0.7, 0.2], ["app"] * 3 + ["online"] * 2, least=1, fprs=[0])
    >>> table[["n", "frauds", "ap", "recall_at_0", "note"]].round(2)
            n  frauds    ap  recall_at_0 note
    group
    all     5       2  0.83          0.5
    app     3       1  1.00          1.0
    online  2       1  1.00          1.0
    """
    labels, scores = _checked(y, score, fprs)
    groups = _group_column(group, len(labels), "group")
    rows = {"all": _row(labels, scores, fprs, least)}
    for name, where in groups.groupby(groups, observed=True).indices.items():
        rows[str(name)] = _row(labels[where], scores[where], fprs, least)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("group")


def by_kind(
    y: npt.ArrayLike, score: npt.ArrayLike, kind: npt.ArrayLike, *, fprs: Sequence[float] = FPRS, least: int = LEAST
) -> pd.DataFrame:
    """Return the measures of each kind of fraud, its frauds held against all honest rows.

    All kinds share the honest rows, hence one cut for each of ``fprs``: the recalls of the kinds average, by their
    counts, to that of "all". The prevalence is the kind's own, and so the average precisions of kinds do not compare
    unless ``lift`` is read beside them.

    Parameters
    ----------
    y, score, fprs, least
        As in :func:`by_group`.
    kind : array_like, shape (n,)
        The kind of each fraud; what it says of honest rows is not read.

    Returns
    -------
    pandas.DataFrame
        Index ``kind``, "all" first; columns as in :func:`by_group`.

    Raises
    ------
    ContractError
        As :func:`by_group`.

    Examples
    --------
    >>> table = by_kind([0, 1, 0, 1, 0], [0.1, 0.9, 0.8, 0.7, 0.2], ["", "ring", "", "test", ""], least=1, fprs=[0])
    >>> table[["n", "frauds", "ap", "recall_at_0"]].round(2)
          n  frauds    ap  recall_at_0
    kind
    all   5       2  0.83          0.5
    ring  4       1  1.00          1.0
    test  4       1  0.50          0.0
    """
    labels, scores = _checked(y, score, fprs)
    kinds = _group_column(kind, len(labels), "kind").where(labels)
    rows = {"all": _row(labels, scores, fprs, least)}
    for name in sorted(kinds.dropna().unique(), key=str):
        kept = ~labels | (kinds == name).to_numpy()
        rows[str(name)] = _row(labels[kept], scores[kept], fprs, least)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("kind")


def _checked(y: npt.ArrayLike, score: npt.ArrayLike, fprs: Sequence[float]) -> tuple[BoolArray, FloatArray]:
    for fpr in fprs:
        require_rate(fpr, "fprs")
    return labels_and_scores(y, score)


def _group_column(group: npt.ArrayLike, n: int, what: str) -> pd.Series:
    if isinstance(group, pd.Series) and isinstance(group.dtype, pd.CategoricalDtype):
        column = group.reset_index(drop=True)  # a million words as objects take a second
    else:
        column = pd.Series(np.asarray(group, dtype=object))
    if len(column) != n:
        refuse(what, f"{n} rows long, as y is", f"{len(column)} rows", "take both from one table")
    return column


def _row(labels: BoolArray, scores: FloatArray, fprs: Sequence[float], least: int) -> Row:
    frauds, n = int(labels.sum()), len(labels)
    enough = min(frauds, n - frauds) >= max(least, 1)
    ap = average_precision(labels, scores) if enough else np.nan
    prevalence = frauds / n
    row: Row = {"n": n, "frauds": frauds, "prevalence": prevalence, "ap": ap}
    row["lift"] = ap / prevalence if enough else np.nan
    row["auc"] = float(roc_auc_score(labels, scores)) if enough else np.nan
    for fpr in fprs:
        row[f"recall_at_{fpr:g}"] = recall_at_fpr(labels, scores, fpr) if enough else np.nan
    return row | {"note": "" if enough else TOO_FEW}
