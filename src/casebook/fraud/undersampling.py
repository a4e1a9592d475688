"""What it costs and what it saves to fit to one in twenty of the rows without fraud."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from casebook.contracts import as_labels, refuse
from casebook.fraud.compare import timed
from casebook.fraud.evaluate import average_precision
from casebook.fraud.evaluate_gap import precision_gap
from casebook.fraud.labelled import KEEP, sample_rows
from casebook.fraud.model_base import Model


def undersampled_fit(
    model: Model,
    X: pd.DataFrame,
    y: pd.Series,
    X_test: pd.DataFrame,
    y_test: npt.ArrayLike,
    card: npt.ArrayLike,
    rng: np.random.Generator,
    keeps: Sequence[float] = (1.0, KEEP),
    rounds: int = 200,
) -> pd.DataFrame:
    """Fit one model to all rows and to samples that keep every known fraud, and hold the scores against each other.

    Parameters
    ----------
    model : Model
        Of probabilities; it is cloned.
    X : pandas.DataFrame, shape (n, k)
        All rows of the training days, in the order of time.
    y : pandas.Series, shape (n,)
        1, 0 or missing, as :func:`casebook.fraud.labelled.known_labels` returns it.
    X_test : pandas.DataFrame, shape (m, k)
    y_test : array_like, shape (m,)
        1 for fraud, both classes present.
    card : array_like of int, shape (m,)
        The card of each test event.
    rng : numpy.random.Generator
    keeps : sequence of float
        Shares of the other rows; the first one is what the others are held against.
    rounds : int
        Draws of the intervals.

    Returns
    -------
    pandas.DataFrame
        Index ``keep``: ``rows``, ``frauds`` (fitted to), ``fit_seconds``, ``ap``, ``gap`` (less that of the first
        share; ``low``, ``high``: 95% over cards), ``same`` (the interval holds 0); ``promised`` (frauds among the test
        events) and ``uncorrected`` (the same without the prior correction) beside ``test_frauds``.

    Raises
    ------
    ContractError
        A score that is no probability, no share, or as the functions that it calls.
    """
    if not model.is_probability:
        refuse("model", "one of probabilities", type(model).__name__, "pass a logistic or a boosted one")
    if not keeps:
        refuse("keeps", "at least one share", "none", "pass 1 and a twentieth")
    labels, first, rows = as_labels(y_test, "y_test"), None, {}
    for keep in keeps:
        sample = sample_rows(y, rng, keep)
        seen = y.iloc[sample.rows].to_numpy(dtype=np.int8)
        seconds, fitted = timed(clone(model).fit, X.iloc[sample.rows], seen, sample.kept)
        p = fitted.predict(X_test)
        first = p if first is None else first
        found = precision_gap(labels, p, first, card, rng, rounds)
        rows[keep] = {
            **{"rows": len(sample.rows), "frauds": int(seen.sum()), "fit_seconds": seconds},
            **{"ap": average_precision(labels, p), "gap": found.gap, "low": found.low, "high": found.high},
            **{"same": found.low <= 0 <= found.high, "promised": float(p.sum())},
            **{"uncorrected": float(np.sum(p / (p + sample.kept * (1 - p)))), "test_frauds": int(labels.sum())},
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("keep")
