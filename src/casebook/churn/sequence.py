"""The second version's neural network: 26 weeks of usage as they came, the static features, and a company's id.

Keras 3 on JAX; the backend is set here and nowhere else, before the import, which takes three seconds.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from casebook.churn.feature_sql import with_queries
from casebook.churn.features import Date, day
from casebook.contracts import FloatArray, as_labels, refuse, require_length

WEEKS = 26
SIGNALS = ("logins", "pages", "features_used", "pricing_views")
_BATCH, _RATE, _FAR = 1024, 3e-3, 5.0  # rows a step, step size, standard deviations at which a feature is cut off
_ID_WIDTH = 8

Sequences = npt.NDArray[np.float32]

_WEEKS_SQL = f"""
SELECT position, weeks_ago, {", ".join(SIGNALS)}
FROM (SELECT subscriber_id, row_number() OVER (ORDER BY subscriber_id) - 1 AS position FROM base) AS places
JOIN (
  SELECT subscriber_id, {", ".join(SIGNALS)}, date_diff('day', week, $asof) // 7 AS weeks_ago
  FROM usage_weekly
  WHERE week <= $asof - INTERVAL 7 DAY AND week > $asof - INTERVAL {7 * WEEKS + 7} DAY
) AS weeks USING (subscriber_id)
ORDER BY position, weeks_ago
"""


def weekly_usage(connection: duckdb.DuckDBPyConnection, asof: Date) -> Sequences:
    """Return the last 26 whole weeks of everybody subscribed on ``asof``, oldest first, as log(1 + count).

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        From :func:`casebook.churn.features.connect`.
    asof : str or datetime

    Returns
    -------
    numpy.ndarray of float32, shape (n, 26, 4)
        Rows as in :func:`casebook.churn.features.build`; logins, pages, features used, views of the pricing page. A
        week without logins is 0, and so is one before the subscriber signed up.
    """
    values = {"asof": day(asof).to_pydatetime()}
    count = connection.execute(with_queries("SELECT COUNT(*) AS n FROM base", ("base",)), values).df()["n"]
    rows = connection.execute(with_queries(_WEEKS_SQL, ("base",)), values).df()
    sequences = np.zeros((int(count.iloc[0]), WEEKS, len(SIGNALS)), dtype=np.float32)
    sequences[rows["position"], WEEKS - rows["weeks_ago"]] = np.log1p(rows[list(SIGNALS)].to_numpy(dtype=np.float32))
    return sequences


@dataclass(frozen=True, eq=False)
class SequenceModel:
    """A fitted network with what prepares its inputs.

    Attributes
    ----------
    network : keras.Model
    scaler : sklearn.pipeline.Pipeline
    companies : numpy.ndarray or None
        Ids seen in training, ascending; None for a network without ids.
    """

    network: Any
    scaler: Pipeline
    companies: npt.NDArray[Any] | None

    def predict_proba(self, sequences: Sequences, static: pd.DataFrame, ids: npt.ArrayLike | None = None) -> FloatArray:
        """Return the chances of staying and leaving, shape (n, 2); an unknown company counts as an average one."""
        inputs = _inputs(self, sequences, static, ids)
        p = self.network.predict(inputs, batch_size=8 * _BATCH, verbose=0)[:, 0].astype(float)
        return np.column_stack([1 - p, p])


def fit_sequence(
    sequences: Sequences,
    static: pd.DataFrame,
    y: npt.ArrayLike,
    *,
    ids: npt.ArrayLike | None = None,
    seed: int = 0,
    epochs: int = 5,
) -> SequenceModel:
    """Fit two convolutions over the weeks beside the static features and, if asked, an embedding of the company.

    Parameters
    ----------
    sequences : numpy.ndarray, shape (n, 26, 4)
        From :func:`weekly_usage`, cohorts under each other.
    static : pandas.DataFrame, shape (n, columns)
    y : array_like, shape (n,)
        Labels, 0 or 1.
    ids : array_like, shape (n,), optional
        Company of each row. With them the network can learn by heart who left.
    seed : int
        Decides first weights and the order of rows; numpy's and Python's own generators are left alone.
    epochs : int

    Returns
    -------
    SequenceModel

    Raises
    ------
    ContractError
        Unequal lengths, bad labels, ``epochs`` below 1, Keras already running on another backend.
    """
    labels = as_labels(y).astype(np.float32)
    for what, part in (("sequences", sequences), ("static", static), ("ids", ids)):
        if part is not None:
            require_length(np.asarray(part), len(labels), what)
    if epochs < 1:
        refuse("epochs", "1 or more", repr(epochs), "five do")
    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    scaler = make_pipeline(imputer, StandardScaler()).fit(static)
    companies = None if ids is None else np.unique(np.asarray(ids))
    width = len(scaler.get_feature_names_out())
    network = _network(sequences.shape[1:], width, companies, float(labels.mean()), seed)
    model = SequenceModel(network, scaler, companies)
    inputs, rng = _inputs(model, sequences, static, ids), np.random.default_rng(seed)
    for _ in range(epochs):
        order = rng.permutation(len(labels))
        shuffled = [part[order] for part in inputs]
        network.fit(shuffled, labels[order], epochs=1, batch_size=_BATCH, shuffle=False, verbose=0)
    return model


def _inputs(
    model: SequenceModel, sequences: Sequences, static: pd.DataFrame, ids: npt.ArrayLike | None
) -> list[npt.NDArray[Any]]:
    parts: list[npt.NDArray[Any]] = [sequences, np.clip(model.scaler.transform(static), -_FAR, _FAR).astype(np.float32)]
    if (ids is None) != (model.companies is None):
        got, mend = ("none", "pass ids") if ids is None else ("ids", "leave them out")
        refuse("ids", "given to predict_proba if and only if they were given to fit_sequence", got, mend)
    if model.companies is not None:
        place = np.searchsorted(model.companies, np.asarray(ids)).clip(max=len(model.companies) - 1)
        known = model.companies[place] == np.asarray(ids)
        parts.append(np.where(known, place + 1, 0).astype(np.int32))
    return parts


def _keras() -> ModuleType:
    """Import Keras on JAX."""
    os.environ["KERAS_BACKEND"] = "jax"
    keras = import_module("keras")
    if keras.backend.backend() != "jax":
        refuse("Keras", "running on JAX", keras.backend.backend(), "restart Python and import this module first")
    return keras


def _network(
    shape: tuple[int, ...], width: int, companies: npt.NDArray[Any] | None, base_rate: float, seed: int
) -> Any:
    keras = _keras()
    layers, seeds = keras.layers, iter(range(1000 * seed, 1000 * seed + 1000))

    def start() -> Any:
        return keras.initializers.GlorotUniform(seed=next(seeds))

    weeks, static = keras.Input(shape), keras.Input((width,))
    hidden = layers.Conv1D(16, 4, strides=2, activation="relu", kernel_initializer=start())(weeks)
    hidden = layers.Conv1D(16, 4, strides=2, activation="relu", kernel_initializer=start())(hidden)
    inputs, parts = [weeks, static], [layers.Flatten()(hidden), static]
    if companies is not None:
        inputs.append(keras.Input((), dtype="int32"))
        table = layers.Embedding(len(companies) + 1, _ID_WIDTH, embeddings_initializer="zeros")
        parts.append(table(inputs[-1]))
    top = layers.Dense(32, activation="relu", kernel_initializer=start())(layers.Concatenate()(parts))
    bias = keras.initializers.Constant(float(np.log(base_rate / (1 - base_rate))))
    leaves = layers.Dense(1, activation="sigmoid", kernel_initializer=start(), bias_initializer=bias)(top)
    network = keras.Model(inputs, leaves)
    network.compile(keras.optimizers.Adam(_RATE), "binary_crossentropy")
    return network
