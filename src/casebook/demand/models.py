"""The chapter's models of daily demand behind one interface: ``fit(X, y)`` and ``predict(X, taus)``.

X is what :func:`casebook.demand.features.build` returns, one row per store, SKU, origin and horizon. Columns
``origin``, ``day`` and ``y`` are never read as features: the first two grow with time, the third is the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self

import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from sklearn.base import BaseEstimator

from casebook.contracts import FloatArray, refuse
from casebook.demand.model_inputs import Inputs, checked_target
from casebook.demand.quantile_fix import TAUS, checked_taus, column_of
from casebook.demand.seasonal_naive import SeasonalNaive

__all__ = ["TAUS", "BoostedMean", "BoostedQuantiles", "Model", "SeasonalNaive"]

BLOCK = 200_000  # rows that are predicted at a time, so that no copy of all of them is made
_SPREADS = ("point", "poisson", "negative_binomial")
_MEANS = ("poisson", "tweedie", "regression")


class Model(Protocol):
    """What the chapter asks of a model."""

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike) -> Self:
        """Learn from rows whose target is known."""
        ...

    def predict(self, X: pd.DataFrame, taus: Sequence[float]) -> pd.DataFrame:
        """Return one column a tau, row by row as X."""
        ...


class _Boosted(BaseEstimator):
    """What both boosted models share: inputs, training, and prediction by blocks."""

    trees: int
    leaves: int
    rate: float
    least: int
    ids: str
    without: Sequence[str]
    threads: int
    seed: int

    def _start(self, X: pd.DataFrame, y: npt.ArrayLike) -> lightgbm.Dataset:
        if self.trees < 1:
            refuse("trees", "1 or more", str(self.trees), "a few hundred are a start")
        units = checked_target(X, y)
        self.inputs_ = Inputs.of(X, self.ids, self.without)
        words = self.inputs_.categorical_positions
        settings = {"verbosity": -1, "max_bin": 127, "num_threads": self.threads, "seed": self.seed}
        return lightgbm.Dataset(self.inputs_.matrix(X), units, categorical_feature=words, params=settings)

    def _settings(self, **objective: Any) -> dict[str, Any]:
        return {
            **{"num_leaves": self.leaves, "learning_rate": self.rate, "min_data_in_leaf": self.least},
            **{"feature_fraction": 0.8, "bagging_fraction": 0.8, "bagging_freq": 1, "max_bin": 127},
            **{"num_threads": self.threads, "seed": self.seed, "deterministic": True, "force_row_wise": True},
            **{"verbosity": -1, **objective},
        }

    def _train(self, data: lightgbm.Dataset, **objective: Any) -> lightgbm.Booster:
        return lightgbm.train(self._settings(**objective), data, self.trees)

    def _by_blocks(self, X: pd.DataFrame, boosters: Sequence[lightgbm.Booster]) -> FloatArray:
        out = np.empty((len(X), len(boosters)))
        for begin in range(0, len(X), BLOCK):
            rows = self.inputs_.matrix(X.iloc[begin : begin + BLOCK])
            for place, booster in enumerate(boosters):
                out[begin : begin + BLOCK, place] = booster.predict(rows, num_threads=self.threads)
        return np.maximum(out, 0.0)


class BoostedQuantiles(_Boosted):
    """v1: one global LightGBM model per tau for all stores, SKUs and horizons.

    The rows are binned once for all taus. A model per tau knows nothing of the others, so their forecasts may cross
    (:func:`casebook.demand.quantile_fix.crossing`), and nothing holds their coverage on new data
    (:class:`casebook.demand.quantile_fix.Conformal`). Forecasts below 0 are set to 0.

    Parameters
    ----------
    taus : sequence of float
        Levels that are fitted, each in (0, 1).
    trees, leaves, rate, least : int, int, float, int
        Trees, leaves of a tree, learning rate, rows of a leaf.
    ids : {"category", "code", "none"}
        How ``store_id`` and ``sku_id`` are read: as unordered categories, as numbers, or not at all.
    without : sequence of str
        Further columns that are not read.
    threads, seed : int
        One thread and a seed: every run gives the same numbers.

    References
    ----------
    Koenker and Bassett (1978), Regression quantiles, Econometrica 46; Ke et al. (2017), LightGBM: a highly efficient
    gradient boosting decision tree, NIPS.

    Examples
    --------
    >>> X = pd.DataFrame({"weekday": np.resize([0, 1], 400), "horizon": 4})
    >>> y = 3 * X["weekday"] + np.resize(np.arange(10), 400)
    >>> BoostedQuantiles([0.5, 0.8], trees=50).fit(X, y).predict(X.iloc[:2], [0.8]).round(1)
        0.8
    0   7.0
    1  10.9
    """

    def __init__(
        self,
        taus: Sequence[float] = TAUS,
        trees: int = 150,
        leaves: int = 31,
        rate: float = 0.1,
        least: int = 50,
        ids: str = "category",
        without: Sequence[str] = (),
        threads: int = 1,
        seed: int = 0,
    ) -> None:
        self.taus, self.trees, self.leaves, self.rate, self.least = taus, trees, leaves, rate, least
        self.ids, self.without, self.threads, self.seed = ids, without, threads, seed

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike) -> Self:
        """Fit a model per tau.

        Parameters
        ----------
        X : pandas.DataFrame, shape (n, k)
        y : array_like, shape (n,)
            Units, 0 or more.

        Raises
        ------
        ContractError
            Taus outside (0, 1) or not rising, y that is no number or below 0, unequal lengths, no column to learn from.
        """
        levels = checked_taus(self.taus, "taus")
        data = self._start(X, y)
        self.boosters_ = pd.Series([self._train(data, objective="quantile", alpha=tau) for tau in levels], index=levels)
        return self

    def predict(self, X: pd.DataFrame, taus: Sequence[float] | None = None) -> pd.DataFrame:
        """Return quantiles, one column a tau, units.

        Parameters
        ----------
        X : pandas.DataFrame, shape (m, k)
        taus : sequence of float, optional
            Among those fitted; by default all.

        Raises
        ------
        ContractError
            A tau that was not fitted, or a column of the fit that is not there.
        """
        wanted = list(self.boosters_.index if taus is None else taus)
        chosen = [self.boosters_.iloc[column_of(self.boosters_.index, tau, "taus")] for tau in wanted]
        return pd.DataFrame(self._by_blocks(X, chosen), index=X.index, columns=wanted)


class BoostedMean(_Boosted):
    """The rival that minimises squared error or a count's deviance: it learns the mean, whatever tau is asked.

    Parameters
    ----------
    objective : {"poisson", "tweedie", "regression"}
        LightGBM's; all three aim at the mean.
    spread : {"point", "poisson", "negative_binomial"}
        What every tau gets: the mean itself; or the quantile of a count distribution with that mean, the second with
        variance ``mean + dispersion_ * mean**2`` and a dispersion by moments from the rows of the fit.
    trees, leaves, rate, least, ids, without, threads, seed
        As in :class:`BoostedQuantiles`.

    Examples
    --------
    >>> X = pd.DataFrame({"weekday": np.resize([0, 1], 400), "horizon": 4})
    >>> y = 3 * X["weekday"] + np.resize([0, 0, 0, 0, 10], 400)
    >>> BoostedMean(trees=100).fit(X, y).predict(X.iloc[:2], [0.5, 0.95]).round(1)
       0.50  0.95
    0   2.0   2.0
    1   5.0   5.0
    """

    def __init__(
        self,
        objective: str = "poisson",
        spread: str = "point",
        trees: int = 150,
        leaves: int = 31,
        rate: float = 0.1,
        least: int = 50,
        ids: str = "category",
        without: Sequence[str] = (),
        threads: int = 1,
        seed: int = 0,
    ) -> None:
        self.objective, self.spread = objective, spread
        self.trees, self.leaves, self.rate, self.least = trees, leaves, rate, least
        self.ids, self.without, self.threads, self.seed = ids, without, threads, seed

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike) -> Self:
        """Fit the mean, and the dispersion around it if it is asked for.

        Parameters
        ----------
        X, y
            As in :meth:`BoostedQuantiles.fit`.

        Raises
        ------
        ContractError
            As there, and another objective or spread, or y of zeros only.
        """
        _among(self.objective, _MEANS, "objective")
        _among(self.spread, _SPREADS, "spread")
        data = self._start(X, y)
        units = np.asarray(y, dtype=float)
        if not units.any():
            refuse("y", "a column with a sale in it", "zeros only", "take more rows")
        self.booster_ = self._train(data, objective=self.objective)
        if self.spread == "negative_binomial":
            mean = self.mean(X).to_numpy()
            self.dispersion_ = max(float(((units - mean) ** 2 - mean).sum() / (mean**2).sum()), 1e-6)
        return self

    def mean(self, X: pd.DataFrame) -> pd.Series:
        """Return the expected units of each row, row by row as X."""
        return pd.Series(self._by_blocks(X, [self.booster_])[:, 0], index=X.index, name="mean")

    def predict(self, X: pd.DataFrame, taus: Sequence[float] = TAUS) -> pd.DataFrame:
        """Return what ``spread`` says of each tau, one column a tau, units."""
        mean = self.mean(X).to_numpy()
        at = self._quantile(np.maximum(mean, 1e-9))
        return pd.DataFrame({tau: at(tau) for tau in taus}, index=X.index)

    def _quantile(self, mean: FloatArray) -> Callable[[float], FloatArray]:
        if self.spread == "point":
            return lambda tau: mean
        if self.spread == "poisson":
            return lambda tau: np.asarray(stats.poisson.ppf(tau, mean))
        size = 1 / self.dispersion_
        return lambda tau: np.asarray(stats.nbinom.ppf(tau, size, size / (size + mean)))


def _among(got: str, known: Sequence[str], what: str) -> None:
    if got not in known:
        refuse(what, f"one of {', '.join(map(repr, known))}", repr(got), "correct the name")
