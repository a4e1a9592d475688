"""A small DeepAR-style network: one recurrent network for all cells, a negative binomial a day, forecasts as paths.

A path is one possible run of the next days: each day is drawn given the days drawn before. So a week's sum has
quantiles, which the days' quantiles do not give. What differs from the paper: 32 units in one layer, lags of one and
seven days, windows drawn evenly, a likelihood of the days ahead only, and what is not known is a 0 with a flag.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import refuse
from casebook.demand import nb_likelihood
from casebook.demand.network_parts import (
    BACK,
    BATCH,
    CONTEXT,
    HORIZON,
    LAGS,
    RATE,
    Rows,
    Windows,
    build,
    inputs,
    known,
    parameters,
)
from casebook.demand.panel import Array, Panel

_PATIENCE = 4  # epochs without a better held-out loss
_BLOCK, _HELD_OUT = 4, 16 * BATCH  # weekly origins that are kept for early stopping, and windows of them at most
_ROWS = 65_536  # paths that are drawn at a time

Paths = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Network:
    """A fitted network.

    Attributes
    ----------
    encode, step : keras.Model
        From the days that are known to a state; from a state and a day's inputs to its parameters and the next state.
    fitted_at : int
        The origin of the fit.
    losses : pandas.DataFrame
        One row an epoch: fit and held_out, minus the log likelihood of a day. The weights are those of the least
        held_out.
    """

    encode: Any
    step: Any
    fitted_at: int
    losses: pd.DataFrame

    def sample_paths(self, panel: Panel, origin: int, draws: int, rng: np.random.Generator) -> Paths:
        """Draw runs of the ten days after an origin, without fitting anew.

        Parameters
        ----------
        panel : Panel
            Of the same cells; y after the origin is not read, nor a promotion that was announced later.
        origin : int
            The fit's or a later one.
        draws : int
            Paths a cell.
        rng : numpy.random.Generator

        Returns
        -------
        array of int64, shape (cells, draws, 10)
            Units. Also of cells that are not listed then: drop them by the assortment.

        Raises
        ------
        ContractError
            An origin before the fit's or too late for the panel; draws below 1.
        """
        if origin < self.fitted_at:
            refuse("origin", f"at or after the fit's, {self.fitted_at}", f"{origin}", "fit at an earlier origin")
        if draws < 1:
            refuse("draws", "1 or more", repr(draws), "200 do")
        ahead = panel.known_ahead(origin, HORIZON)
        cells = len(panel.y)
        size = min(cells, max(1, _ROWS // draws))
        paths = np.empty((cells, draws, HORIZON), np.int64)
        for begin in range(0, cells, size):
            rows = np.arange(begin, min(begin + size, cells))
            padded = np.resize(rows, size)  # blocks of one shape: compiled once
            paths[rows] = self._block(panel, padded, origin, ahead[padded], draws, rng)[: len(rows)]
        return paths

    def _block(
        self, panel: Panel, rows: Rows, origin: int, ahead: Array, draws: int, rng: np.random.Generator
    ) -> Paths:
        past, scale = known(panel, rows, np.full(len(rows), origin))
        days = inputs(past, scale, panel.covariates[rows, origin + 1 - CONTEXT : origin + 1])
        last = self.encode.predict_on_batch([days, panel.codes[rows]])
        state = np.repeat(np.asarray(last), draws, axis=0)
        codes, scales = np.repeat(panel.codes[rows], draws, axis=0), np.repeat(scale, draws)
        seen, drawn = np.repeat(past[:, -max(LAGS) :], draws, axis=0), np.empty((len(codes), HORIZON), np.int64)
        for day in range(HORIZON):
            now = inputs(seen, scales, np.repeat(ahead[:, day : day + 1], draws, axis=0))
            raw, state = self.step.predict_on_batch([now, codes, state])
            drawn[:, day] = nb_likelihood.draw(*parameters(np.asarray(raw)[:, 0], scales, np), rng)
            seen = np.column_stack([seen[:, 1:], drawn[:, day].astype(np.float32)])
        return drawn.reshape(len(rows), draws, HORIZON)

    def predict(
        self,
        panel: Panel,
        origin: int,
        taus: Sequence[float],
        rng: np.random.Generator,
        *,
        draws: int = 200,
        horizons: Sequence[int] = range(1, HORIZON + 1),
    ) -> pd.DataFrame:
        """Return mean and quantiles of each cell and day ahead, from sampled paths.

        Parameters
        ----------
        panel, origin, rng, draws
            As :meth:`sample_paths`.
        taus : sequence of float
            Levels in (0, 1).
        horizons : sequence of int
            Days ahead, 1 to 10.

        Returns
        -------
        pandas.DataFrame
            By cell and horizon: the panel's columns of cells, origin, horizon, day, mean, and one column a level.

        Raises
        ------
        ContractError
            As :meth:`sample_paths`; a level or a horizon out of range.
        """
        for horizon in horizons:
            if not 1 <= horizon <= HORIZON:
                refuse("horizons", f"from 1 to {HORIZON}", repr(horizon), "drop it")
        paths = self.sample_paths(panel, origin, draws, rng)[:, :, np.asarray(horizons) - 1]
        out = panel.cells.loc[panel.cells.index.repeat(len(horizons))].reset_index(drop=True)
        out["origin"], out["horizon"] = origin, np.tile(np.asarray(horizons), len(panel.cells))
        out["day"], out["mean"] = origin + out["horizon"], paths.mean(axis=1).ravel()
        levels = quantiles_of_paths(paths, taus).reshape(-1, len(taus))
        return pd.concat([out, pd.DataFrame(levels, columns=list(taus))], axis=1)


def quantiles_of_paths(paths: npt.NDArray[Any], taus: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return quantiles over draws: the smallest drawn count that at least a share tau of the draws do not exceed.

    Parameters
    ----------
    paths : array, shape (cells, draws, ...)
        For the days that an order covers: ``paths[:, :, 3:].sum(axis=2)``.
    taus : sequence of float
        Levels in (0, 1).

    Returns
    -------
    array of float, shape (cells, ..., taus)

    Raises
    ------
    ContractError
        A level outside (0, 1).

    Examples
    --------
    >>> quantiles_of_paths(np.array([[3, 1, 2, 9]]), [0.5, 0.9]).tolist()
    [[2.0, 9.0]]
    """
    for tau in taus:
        if not 0 < tau < 1:
            refuse("taus", "strictly between 0 and 1", repr(tau), "divide percentages by 100")
    levels = np.quantile(paths, list(taus), axis=1, method="inverted_cdf")
    return np.moveaxis(levels, 0, -1).astype(float)


def fit(panel: Panel, origin: int, *, seed: int = 0, epochs: int = 14, windows: int = 48 * BATCH) -> Network:
    """Fit the network on what is known at an origin, and keep the weights that do best on the last four weeks.

    Windows are 28 days before an earlier origin of the same weekday and the ten days after it. Those of the last four
    weekly origins are held out: the fit stops when they have not improved for four epochs.

    Parameters
    ----------
    panel : Panel
    origin : int
        The last day that is read.
    seed : int
        Decides first weights and which windows are drawn; numpy's and Python's own generators are left alone.
    epochs : int
        At most; the step size falls to nought over them along a cosine.
    windows : int
        Windows an epoch.

    Returns
    -------
    Network

    Raises
    ------
    ContractError
        Epochs or windows below 1, no window before the held-out weeks, Keras already running on another backend.

    References
    ----------
    Salinas, Flunkert, Gasthaus and Januschowski (2020), DeepAR: probabilistic forecasting with autoregressive recurrent
    networks, International Journal of Forecasting 36.
    """
    for what, value in (("epochs", epochs), ("windows", windows)):
        if value < 1:
            refuse(what, "1 or more", repr(value), "leave the default")
    rng = np.random.default_rng(seed)
    every, early, held = _split(panel, origin)
    network, encode, step = build(panel.covariates.shape[2], panel.sizes, seed)
    kept = every.batch(held[rng.permutation(len(held))[:_HELD_OUT]])
    best, weights, since, rows = np.inf, _weights(network), 0, []
    for epoch in range(epochs):
        network.optimizer.learning_rate = RATE * (1 + np.cos(np.pi * epoch / epochs)) / 2
        x, y = every.batch(early[rng.integers(0, len(early), windows)])
        losses = network.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0).history["loss"]
        rows.append((losses[0], network.evaluate(*kept, batch_size=BATCH, verbose=0)))
        if rows[-1][1] < best:
            best, weights, since = rows[-1][1], _weights(network), epoch
        elif epoch - since >= _PATIENCE:
            break
    network.set_weights(weights)
    return Network(encode, step, origin, pd.DataFrame(rows, columns=["fit", "held_out"]))


def _split(panel: Panel, origin: int) -> tuple[Windows, Rows, Rows]:
    """Return all windows, the pairs to fit on, and the later ones: no target of the first is after those begin."""
    first = BACK - 1 + (origin - BACK + 1) % 7
    origins = np.arange(first, origin - HORIZON + 1, 7)
    if not BACK - 1 <= origin < panel.y.shape[1] or len(origins) <= _BLOCK:
        least = BACK - 1 + HORIZON + 7 * (_BLOCK + 2)
        refuse(
            "origin", f"a day from {least} to {panel.y.shape[1] - 1}", f"{origin}", "the network needs a longer past"
        )
    every = Windows.of(panel, origins)
    day, begins = origins[every.pairs[:, 0]], origins[-_BLOCK]
    early, held = every.pairs[day + HORIZON <= begins], every.pairs[day >= begins]
    if len(early) == 0 or len(held) == 0:
        refuse("y", "known before and within the last six weeks up to the origin", "not", "pass a later origin")
    return every, early, held


def _weights(network: Any) -> list[npt.NDArray[Any]]:
    # Not get_weights: numpy 2 warns of how Keras converts there.
    return [np.array(variable.value) for variable in network.weights]
