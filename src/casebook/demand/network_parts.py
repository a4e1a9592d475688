"""The parts of the network over all cells: its inputs and windows, its layers, its loss; Keras 3 on JAX.

The backend is set in this room here and nowhere else, before the import, which takes four seconds.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from casebook.contracts import refuse
from casebook.demand import nb_likelihood
from casebook.demand.panel import Array, Panel

CONTEXT, HORIZON, LAGS = 28, 10, (1, 7)  # days that are read, days ahead, lags among a day's inputs
BACK = CONTEXT + max(LAGS)  # days of y that a forecast reads
BATCH = 256
_UNITS, _WIDTH, RATE = 32, 4, 1.5e-2  # of the GRU; of the embedding of a code; step size at the start
_LEAST = 1e-3  # of mean and dispersion, so that logarithms stay finite

Rows = npt.NDArray[np.int64]


def known(panel: Panel, rows: Rows, origins: Rows) -> tuple[Array, Array]:
    """Return what is known of some cells' units at their origins, both of shape (n,).

    Returns
    -------
    past : array of float32, shape (n, 35)
        Units, NaN where not known; the last is the origin's.
    scale : array of float32, shape (n,)
        1 + mean of the last 28, as in the paper's section 3.3.
    """
    past = panel.y[rows[:, None], origins[:, None] + np.arange(1 - BACK, 1)]
    there = np.isfinite(past[:, -CONTEXT:])
    total = np.where(there, past[:, -CONTEXT:], 0).sum(axis=1)
    return past, (1 + total / np.maximum(there.sum(axis=1), 1)).astype(np.float32)


def inputs(path: Array, scale: Array, covariates: Array) -> Array:
    """Put a day's inputs beside each other: lags over the scale, whether they are known, log scale, covariates.

    Parameters
    ----------
    path : array, shape (n, 7 + days - 1) or longer
        Units from seven days before the first of ``covariates`` on; the last day's own are not read.
    scale : array, shape (n,)
    covariates : array, shape (n, days, k)

    Returns
    -------
    array of float32, shape (n, days, 5 + k)
    """
    days, first = covariates.shape[1], max(LAGS)
    lagged = np.stack([path[:, first - lag : first - lag + days] for lag in LAGS], axis=2)
    there = np.isfinite(lagged)
    ratio = np.where(there, lagged, 0) / scale[:, None, None]
    size = np.broadcast_to(np.log(scale)[:, None, None], (*ratio.shape[:2], 1))
    return np.concatenate([ratio, there, size, covariates], axis=2, dtype=np.float32)


def parameters(raw: Any, scale: Any, xp: Any) -> tuple[Any, Any]:
    """Return mean and dispersion from the network's two numbers a day, as in the paper's section 3.3.

    Parameters
    ----------
    raw : array, shape (..., 2)
    scale : array, shape (...)
        The mean grows with it, the dispersion falls with its root.
    xp : module
        numpy or jax.numpy.

    Examples
    --------
    >>> [round(float(part), 4) for part in parameters(np.zeros(2), 4.0, np)]
    [2.7736, 0.3476]
    """
    mean = scale * xp.logaddexp(raw[..., 0], 0.0)
    return mean + _LEAST, xp.logaddexp(raw[..., 1], 0.0) / xp.sqrt(scale) + _LEAST


@dataclass(frozen=True, eq=False)
class Windows:
    """All windows of a fit: a cell and an origin each, with what was known ahead then.

    Attributes
    ----------
    panel : Panel
    origins : array of int, shape (j,)
    ahead : array of float32, shape (j, cells, 10, r)
        Of the covariates that may be revised, as they were known at the origin.
    pairs : array of int, shape (n, 2)
        Place in origins and row in the panel, where at least one of the ten days is known.
    """

    panel: Panel
    origins: Rows
    ahead: Array
    pairs: Rows

    @classmethod
    def of(cls, panel: Panel, origins: Rows) -> Windows:
        """Collect the windows of some origins."""
        ahead = np.stack([panel.known_ahead(int(origin), HORIZON)[:, :, panel.revised] for origin in origins])
        there = np.isfinite(panel.y)
        some = [there[:, origin + 1 : origin + 1 + HORIZON].any(axis=1) for origin in origins]
        return cls(panel, origins, ahead, np.argwhere(some))

    def batch(self, pairs: Rows) -> tuple[list[npt.NDArray[Any]], Array]:
        """Return inputs (days and codes) and targets (units, scale and whether known) of some windows."""
        which, rows = pairs.T
        origins = self.origins[which]
        past, scale = known(self.panel, rows, origins)
        days = origins[:, None] + np.arange(1 - CONTEXT, HORIZON + 1)
        future, covariates = self.panel.y[rows[:, None], days[:, CONTEXT:]], self.panel.covariates[rows[:, None], days]
        covariates[:, CONTEXT:, self.panel.revised] = self.ahead[which, rows]
        x = inputs(np.concatenate([past, future], axis=1), scale, covariates)
        there = np.isfinite(future)
        scales = np.broadcast_to(scale[:, None], future.shape)
        target = np.stack([np.where(there, future, 0), scales, there], axis=2).astype(np.float32)
        return [x, self.panel.codes[rows]], target


def loss(target: Any, raw: Any) -> Any:
    """Return minus the mean log likelihood of the days that are known."""
    jnp, gammaln = import_module("jax.numpy"), import_module("jax.scipy.special").gammaln
    units, scale, there = target[..., 0], target[..., 1], target[..., 2]
    each = nb_likelihood.log_likelihood(units, *parameters(raw, scale, jnp), xp=jnp, gammaln=gammaln)
    return -jnp.sum(there * each) / jnp.maximum(jnp.sum(there), 1.0)


def build(covariates: int, sizes: tuple[int, ...], seed: int) -> tuple[Any, Any, Any]:
    """Return three Keras models that share their weights: for the fit, for the past, and for one day.

    Parameters
    ----------
    covariates : int
    sizes : tuple of int
        How many values each code has.
    seed : int

    Returns
    -------
    fit, encode, step : keras.Model
        (38 days, codes) to the parameters of the last ten; (28 days, codes) to the state; (one day, codes, state) to
        its parameters and the next state.
    """
    keras = _keras()
    layers, seeds = keras.layers, iter(range(1000 * seed, 1000 * seed + 1000))

    def start() -> Any:
        return keras.initializers.GlorotUniform(seed=next(seeds))

    tables = [layers.Embedding(size, _WIDTH, embeddings_initializer="zeros") for size in sizes]
    turn = keras.initializers.Orthogonal(seed=next(seeds))
    memory = layers.GRU(
        _UNITS, return_sequences=True, return_state=True, kernel_initializer=start(), recurrent_initializer=turn
    )
    leaves = layers.Dense(2, kernel_initializer=start())
    codes, state = keras.Input((len(sizes),), dtype="int32"), keras.Input((_UNITS,))

    def run(days: int, first: Any = None) -> tuple[Any, Any, Any]:
        x = keras.Input((days, 1 + 2 * len(LAGS) + covariates))
        words = [layers.RepeatVector(days)(table(codes[:, place])) for place, table in enumerate(tables)]
        states, last = memory(layers.Concatenate()([x, *words]), initial_state=first)
        return x, states, last

    whole, states, _ = run(CONTEXT + HORIZON)
    network = keras.Model([whole, codes], leaves(states[:, CONTEXT:]))
    network.compile(keras.optimizers.Adam(RATE, clipnorm=1.0), loss)
    past, _, last = run(CONTEXT)
    day, now, after = run(1, state)
    return network, keras.Model([past, codes], last), keras.Model([day, codes, state], [leaves(now), after])


def _keras() -> ModuleType:
    """Import Keras on JAX."""
    os.environ["KERAS_BACKEND"] = "jax"
    keras = import_module("keras")
    if keras.backend.backend() != "jax":
        refuse("Keras", "running on JAX", keras.backend.backend(), "restart Python and import this module first")
    return keras
