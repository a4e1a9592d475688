"""Coverage on new data, and its mend: each quantile is shifted by what later rows show it to lack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, clone

from casebook.contracts import as_amounts, refuse, require_columns, require_length
from casebook.demand.quantile_fix import by_rising_tau, checked_taus, column_of, rearrange

LEAST = 200  # rows of a group below which it is mended as all rows together are


class Conformal(BaseEstimator):
    """Shift each quantile by what later rows show it to lack, so that it covers on new data.

    For one tau with forecasts ``q`` on ``n`` rows that the model has not seen, the shift is the
    ``ceil((n + 1) tau)``-th smallest ``y - q``. A new row that is exchangeable with those is then covered with
    probability at least tau, and with at most ``1 / (n + 1)`` more where ``y - q`` has no ties. Rows of a later week
    are not exchangeable with those of an earlier one: the promise is as good as the past resembles the future.

    Parameters
    ----------
    least : int
        Rows of a group below which it gets the shift of all rows.

    References
    ----------
    Romano, Patterson and Candes (2019), Conformalized quantile regression, NeurIPS; here one-sided, per tau.

    Examples
    --------
    >>> low = pd.DataFrame({0.75: np.zeros(7)})
    >>> mend = Conformal(least=1).fit(low, [0, 1, 2, 3, 4, 5, 6])
    >>> mend.transform(low.iloc[:2])
       0.75
    0   5.0
    1   5.0
    """

    def __init__(self, least: int = LEAST) -> None:
        self.least = least

    def fit(self, forecasts: pd.DataFrame, y: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Self:
        """Learn ``shift_``, by tau, and ``shifts_``, one row a group that has enough rows; units.

        Parameters
        ----------
        forecasts : pandas.DataFrame, shape (n, t)
            Of rows later than the model's.
        y : array_like, shape (n,)
        groups : array_like, optional, shape (n,)
            Such as the category.

        Raises
        ------
        ContractError
            Unequal lengths, missing values, or too few rows for the highest tau.
        """
        rising = by_rising_tau(forecasts)
        came = np.atleast_1d(np.asarray(as_amounts(y, "y", len(rising))))
        lacks = pd.DataFrame(came[:, None] - rising.to_numpy(), columns=rising.columns)
        highest = float(rising.columns[-1])
        if len(lacks) < _needed(highest):
            need = f"at least {_needed(highest)} rows for tau {highest:g}"
            refuse("forecasts", need, f"{len(lacks)} rows", "take a longer block")
        self.shift_ = pd.Series(_shifts(lacks), index=rising.columns)
        labels = pd.Index([]) if groups is None else _labels(groups, len(lacks))
        parts = {name: lacks[labels == name] for name in labels.unique()}
        least = max(self.least, _needed(highest))
        shifts = {name: _shifts(part) for name, part in parts.items() if len(part) >= least}
        self.shifts_ = pd.DataFrame(list(shifts.values()), index=pd.Index(list(shifts)), columns=rising.columns)
        return self

    def transform(self, forecasts: pd.DataFrame, groups: npt.ArrayLike | None = None) -> pd.DataFrame:
        """Return the shifted forecasts, never below 0 and rearranged; a group that is new gets the shift of all."""
        rising = by_rising_tau(forecasts)
        places = np.full(len(rising), -1)
        if groups is not None:
            places = self.shifts_.index.get_indexer(_labels(groups, len(rising)))
        order = [column_of(self.shift_.index, float(tau)) for tau in rising.columns]
        table = np.vstack([self.shifts_.to_numpy(dtype=float), self.shift_.to_numpy()])[:, order]
        moved = rising.to_numpy() + table[places]  # place -1 is the last row, that of all
        return rearrange(pd.DataFrame(np.maximum(moved, 0.0), index=rising.index, columns=rising.columns))


class Mended(BaseEstimator):
    """A model with both mends: fitted to the earlier days, rearranged, and shifted by what the last days show.

    Parameters
    ----------
    model : a model
        Cloned; the one you pass stays unfitted. It is not fitted again to the last days.
    days : int
        Last days that are kept for the shift.
    group : str, optional
        Column by whose values the shifts differ.
    least : int
        As in :class:`Conformal`.
    """

    def __init__(self, model: Any, days: int = 56, group: str | None = "category_code", least: int = LEAST) -> None:
        self.model, self.days, self.group, self.least = model, days, group, least

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike) -> Self:
        """Fit the model to rows of the earlier days, and the shifts to the others.

        Parameters
        ----------
        X : pandas.DataFrame, shape (n, k)
            With ``day``, and the column ``group``.
        y : array_like, shape (n,)

        Raises
        ------
        ContractError
            A missing column, or no earlier day.
        """
        require_columns(X, ["day", *([self.group] if self.group else [])], "X")
        units = np.asarray(y, dtype=float)
        require_length(units, len(X), "y")
        day = X["day"].to_numpy()
        late = day > day.max() - self.days
        if late.all() or self.days < 1:
            got = f"{self.days} of {day.max() - day.min() + 1}"
            refuse("days", "1 or more and fewer than there are", got, "keep fewer for the shift")
        self.model_ = clone(self.model).fit(X[~late], units[~late])
        after = X[late]
        self.mend_ = Conformal(self.least).fit(self.model_.predict(after, self._taus()), units[late], self._of(after))
        return self

    def predict(self, X: pd.DataFrame, taus: Sequence[float] | None = None) -> pd.DataFrame:
        """Return mended quantiles, one column a tau, units; the taus are those of the model."""
        all_taus = self.mend_.transform(self.model_.predict(X, self._taus()), self._of(X))
        if taus is None:
            return all_taus
        return all_taus.iloc[:, [column_of(all_taus.columns, tau, "taus") for tau in taus]]

    def _taus(self) -> list[float]:
        return checked_taus(self.model.taus)

    def _of(self, X: pd.DataFrame) -> npt.ArrayLike | None:
        return None if self.group is None else X[self.group].to_numpy()


def _rank(n: int, tau: float) -> int:
    return int(np.ceil((n + 1) * tau - 1e-9))


def _needed(tau: float) -> int:
    """Return the rows from which on the rank is one of theirs."""
    return int(np.ceil(tau / (1 - tau) - 1e-9))


def _shifts(lacks: pd.DataFrame) -> list[float]:
    n = len(lacks)
    ordered = np.sort(lacks.to_numpy(), axis=0)
    return [float(ordered[_rank(n, float(tau)) - 1, place]) for place, tau in enumerate(lacks.columns)]


def _labels(groups: npt.ArrayLike, n: int) -> pd.Index:
    labels = np.asarray(groups)
    require_length(labels, n, "groups")
    return pd.Index(labels)
