"""v0 of the chapter: last week's sales, adjusted for the season, with quantiles from its own past errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator

from casebook.contracts import FloatArray, as_amounts, refuse, require_columns
from casebook.demand.feature_spec import YEAR
from casebook.demand.model_inputs import checked_target
from casebook.demand.origins import HORIZONS
from casebook.demand.quantile_fix import TAUS


class SeasonalNaive(BaseEstimator):
    """The last known sales of the same weekday, times how much the season moved from there in the year before.

    The ratio is that of a group's mean sales in last year's week that the order would have covered to those in the week
    that ended at last year's origin, from the rows of the fit. Where that year is not among them, it is 1. Errors are
    scaled by the root of the forecast, as those of counts are, and their quantiles taken among forecasts of like size.

    Parameters
    ----------
    last : str
        Column with the last sales of the target's weekday that were known at the origin; units.
    adjust : "year", tuple of str, or None
        "year": as above; two columns: their ratio, such as that of two recent means; None: no adjustment.
    group : str
        Column by which the year before is averaged, since one cell's week is mostly chance.
    prior : float
        Units a day added to both sides of a ratio, so that two small means make no large one.
    most : float
        Largest ratio; the smallest is one over it.
    bands : int
        Bands of forecast size within which errors are held to be alike.

    References
    ----------
    Hyndman and Athanasopoulos (2021), Forecasting: principles and practice, 3rd ed., section 5.2.

    Examples
    --------
    >>> X = pd.DataFrame({"last_same_weekday": [4.0, 4, 4, 4, 10], "mean_7": 3.0, "mean_28": 1.0})
    >>> plain = SeasonalNaive(adjust=None, bands=1).fit(X.iloc[:4], [2, 4, 4, 6])
    >>> plain.predict(X.iloc[[0]], [0.5, 1.0])
       0.5  1.0
    0  4.0  6.0
    >>> SeasonalNaive(adjust=("mean_7", "mean_28")).fit(X, [2, 4, 4, 6, 9]).point(X).tolist()
    [8.0, 8.0, 8.0, 8.0, 20.0]
    """

    def __init__(
        self,
        last: str = "last_same_weekday",
        adjust: str | tuple[str, str] | None = "year",
        group: str = "category_code",
        prior: float = 1.0,
        most: float = 3.0,
        bands: int = 10,
    ) -> None:
        self.last, self.adjust, self.group = last, adjust, group
        self.prior, self.most, self.bands = prior, most, bands

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike) -> Self:
        """Learn the errors and last year's season.

        Parameters
        ----------
        X : pandas.DataFrame, shape (n, k)
            With ``last``, and ``origin``, ``day`` and ``group`` or the two columns of ``adjust``.
        y : array_like, shape (n,)
            Units, 0 or more.

        Raises
        ------
        ContractError
            A missing column, y that is no number or below 0, unequal lengths, ``most`` below 1, another ``adjust``.
        """
        if not self.most >= 1:
            refuse("most", "1 or more", f"{self.most:g}", "3 lets a forecast triple")
        if not (self.adjust in (None, "year") or isinstance(self.adjust, tuple)):
            refuse("adjust", "'year', two columns or None", repr(self.adjust), "correct it")
        units = checked_target(X, y)
        require_columns(X, self._read(), "X")
        self.mean_ = float(units.mean())
        if self.adjust == "year":
            by = pd.DataFrame({"group": X[self.group].to_numpy(), "day": X["day"].to_numpy(), "y": units})
            self.season_ = by.groupby(["group", "day"], observed=True)["y"].agg(["sum", "count"])
        self.errors_ = ScaledResiduals(self.bands).fit(self.point(X), units)
        return self

    def point(self, X: pd.DataFrame) -> FloatArray:
        """Return the adjusted forecast, units, shape (n,); rows without a past get the mean of the fit."""
        require_columns(X, self._read(), "X")
        point = X[self.last].to_numpy(dtype=float) * self._ratio(X)
        return np.where(np.isnan(point), self.mean_, np.maximum(point, 0.0))

    def predict(self, X: pd.DataFrame, taus: Sequence[float] = TAUS) -> pd.DataFrame:
        """Return quantiles, one column a tau, units; any tau in [0, 1]."""
        return pd.DataFrame(self.errors_.quantiles(self.point(X), taus), index=X.index, columns=list(taus))

    def _read(self) -> list[str]:
        if self.adjust == "year":
            return [self.last, "origin", "day", self.group]
        return [self.last, *(self.adjust or ())]

    def _ratio(self, X: pd.DataFrame) -> FloatArray | float:
        if self.adjust is None:
            return 1.0
        if isinstance(self.adjust, tuple):
            up, down = (X[name].to_numpy(dtype=float) for name in self.adjust)
        else:
            of = X[[self.group, "origin"]].drop_duplicates()
            then = of["origin"].to_numpy() - YEAR
            both = (self._week(of[self.group], then + shift) for shift in (HORIZONS[-1], 0))
            of = of.assign(up=next(both), down=next(both))
            found = X[[self.group, "origin"]].merge(of, how="left", on=[self.group, "origin"])
            up, down = found["up"].to_numpy(), found["down"].to_numpy()
        share = np.divide(up + self.prior, down + self.prior, out=np.ones_like(up), where=down + self.prior > 0)
        return np.nan_to_num(np.clip(share, 1 / self.most, self.most), nan=1.0)

    def _week(self, group: pd.Series, last: npt.NDArray[np.int64]) -> FloatArray:
        """Return the mean units of a group in the seven days that end on a day; NaN where one of them is unknown."""
        units, count = np.zeros(len(last)), np.zeros(len(last))
        for back in range(7):
            keys = pd.MultiIndex.from_arrays([group.to_numpy(), last - back])
            found = self.season_.reindex(keys)
            units, count = units + found["sum"].to_numpy(), count + found["count"].to_numpy()
        return np.asarray(units / count)


class ScaledResiduals:
    """Quantiles around a point forecast from past errors, scaled by the root of the forecast, in bands of its size.

    Parameters
    ----------
    bands : int
        Bands with about as many rows each.

    Examples
    --------
    >>> ScaledResiduals(1).fit([3.0, 3, 3], [1.0, 3, 5]).quantiles([3.0, 8.0], [0.5, 1.0])
    array([[ 3.,  5.],
           [ 8., 11.]])
    """

    def __init__(self, bands: int = 10) -> None:
        self.bands = bands

    def fit(self, point: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Keep the errors of each band.

        Parameters
        ----------
        point, y : array_like, shape (n,)
            Forecasts and what came, units.

        Raises
        ------
        ContractError
            No rows, missing values or unequal lengths, fewer than one band.
        """
        if self.bands < 1:
            refuse("bands", "1 or more", str(self.bands), "10 is a start")
        of = np.atleast_1d(np.asarray(as_amounts(point, "point")))
        came = np.atleast_1d(np.asarray(as_amounts(y, "y", len(of))))
        self.edges_ = np.unique(np.quantile(of, np.arange(1, self.bands) / self.bands))
        band, error = np.searchsorted(self.edges_, of, side="right"), (came - of) / _root(of)
        everything = np.sort(error)
        parts = [np.sort(error[band == place]) for place in range(len(self.edges_) + 1)]
        self.errors_ = [part if len(part) else everything for part in parts]
        return self

    def quantiles(self, point: npt.ArrayLike, taus: Sequence[float]) -> FloatArray:
        """Return the quantiles, never below 0, shape (n, t)."""
        of = np.atleast_1d(np.asarray(point, dtype=float))
        table = np.array([np.quantile(part, np.asarray(taus, dtype=float)) for part in self.errors_])
        band = np.searchsorted(self.edges_, of, side="right")
        return np.maximum(of[:, None] + table[band] * _root(of)[:, None], 0.0)


def _root(point: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(1.0 + point))
