"""The effect of calls that nobody randomised: the naive difference, the doubly robust estimate and its frailty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm
from sklearn.model_selection import GroupKFold

from casebook.contracts import as_labels, as_probabilities, refuse, require_length

__all__ = ["CLIP", "Effect", "Nuisance", "adjusted_effect", "cross_fit", "e_value", "naive_effect", "risk_ratio"]

Floats = NDArray[np.float64]
CLIP = (0.001, 0.95)  # the chance of a call is moved into here: near 1, one row who was not called would decide alone
FOLDS = 3
_RARE: dict[str, Any] = {"n_estimators": 120, "num_leaves": 15, "learning_rate": 0.05, "min_child_samples": 100}


class Classifier(Protocol):
    """What a nuisance model must be able to do."""

    def fit(self, X: Any, y: Any) -> Any:
        """Fit and return itself."""

    def predict_proba(self, X: Any) -> Any:
        """Return the chances of both classes, shape (n, 2)."""


@dataclass(frozen=True)
class Effect:
    """An effect of calls on the chance of staying the month, among those called, with a 95% interval.

    Attributes
    ----------
    value, low, high : share of those called; 0.01 is one in a hundred kept.
    se : standard error, clustered by company.
    n, called : rows, and how many of them were called.
    """

    value: float
    low: float
    high: float
    se: float
    n: int
    called: int

    def __str__(self) -> str:
        return f"{self.value:+.4f} ({self.low:+.4f} to {self.high:+.4f}, {self.called:,} called of {self.n:,})"


@dataclass(frozen=True)
class Nuisance:
    """Cross-fitted predictions, each from a model that saw no colleague of the row, shape (n,).

    Attributes
    ----------
    chance : chance of having been called, clipped to ``CLIP``.
    alone : chance of staying without a call.
    clipped : share of rows whose chance was moved by clipping.
    """

    chance: Floats
    alone: Floats
    clipped: float


def naive_effect(called: ArrayLike, stayed: ArrayLike, account: ArrayLike, month: ArrayLike | None = None) -> Effect:
    """Return retention of those called less that of those not called in the same months.

    Parameters
    ----------
    called, stayed : array_like of bool, shape (n,)
    account : array_like, shape (n,)
        Company: the interval is clustered by it.
    month : array_like, shape (n,), optional
        Months are weighted by their calls; by default all rows are one month.

    Returns
    -------
    Effect

    Examples
    --------
    >>> naive_effect([1, 1, 0, 0], [0, 1, 1, 1], ["a", "b", "c", "d"]).value
    -0.5
    """
    treated, y = _arms(called, stayed)
    codes = np.zeros(len(y), dtype=int) if month is None else pd.factorize(np.asarray(month))[0]
    chance = np.bincount(codes, weights=treated) / np.bincount(codes)
    alone = np.bincount(codes[~treated], weights=y[~treated]) / np.maximum(np.bincount(codes[~treated]), 1)
    return _effect(treated, y, np.asarray(account), chance[codes], alone[codes])


def adjusted_effect(called: ArrayLike, stayed: ArrayLike, account: ArrayLike, nuisance: Nuisance) -> Effect:
    """Return the doubly robust effect among those called (augmented inverse probability weighting).

    The mean, over those called, of y - alone, less the same residual of the others weighted by chance / (1 - chance).
    It is right if either model is, provided that nothing unseen moves both the call and the leaving.

    Parameters
    ----------
    called, stayed, account : as in :func:`naive_effect`
    nuisance : Nuisance
        From :func:`cross_fit`.

    Returns
    -------
    Effect

    References
    ----------
    Robins, Rotnitzky and Zhao (1994), JASA 89(427); Chernozhukov et al. (2018), Econometrics Journal 21(1), for the
    cross-fitting; Liang and Zeger (1986), Biometrika 73(1), for the clustered interval.

    Examples
    --------
    >>> flat = Nuisance(np.full(4, 0.5), np.full(4, 1.0), 0.0)
    >>> adjusted_effect([1, 1, 0, 0], [0, 1, 1, 1], ["a", "b", "c", "d"], flat).value
    -0.5
    """
    treated, y = _arms(called, stayed)
    chance, alone = as_probabilities(nuisance.chance, "chance"), as_probabilities(nuisance.alone, "alone")
    require_length(chance, len(y), "chance")
    return _effect(treated, y, np.asarray(account), chance, alone)


def _arms(called: ArrayLike, stayed: ArrayLike) -> tuple[NDArray[np.bool_], Floats]:
    treated, y = as_labels(called, "called"), as_labels(stayed, "stayed").astype(float)
    require_length(y, len(treated), "stayed")
    if treated.all() or not treated.any():
        refuse("called", "true in some rows and false in others", f"{treated[0]} in every row", "add the other group")
    return treated, y


def _effect(
    treated: NDArray[np.bool_], y: Floats, account: NDArray[np.generic], chance: Floats, alone: Floats
) -> Effect:
    odds = chance / (1 - chance)
    score = np.where(treated, 1.0, -odds) * (y - alone)
    value = float(score.sum() / treated.sum())
    groups = pd.factorize(account)[0]
    sums = np.bincount(groups, weights=score - value * treated)
    se = float(np.sqrt(len(sums) / (len(sums) - 1) * (sums @ sums)) / treated.sum())
    half = norm.ppf(0.975) * se
    return Effect(value, float(value - half), float(value + half), se, len(y), int(treated.sum()))


def cross_fit(
    X: pd.DataFrame,
    called: ArrayLike,
    stayed: ArrayLike,
    account: ArrayLike,
    folds: int = FOLDS,
    model: Callable[[], Classifier] | None = None,
) -> Nuisance:
    """Predict the call and the staying of each fold by models of the other folds; a company lies in one fold.

    Parameters
    ----------
    X : pandas.DataFrame, shape (n, k)
        Features that were known before the call.
    called, stayed, account : array_like, shape (n,)
    folds : int
    model : callable, optional
        Makes a fresh classifier with ``fit`` and ``predict_proba``; by default a small LightGBM.

    Returns
    -------
    Nuisance
    """
    treated, y = _arms(called, stayed)
    chance, alone = np.empty(len(y)), np.empty(len(y))
    for train, test in GroupKFold(folds).split(X, groups=np.asarray(account)):
        left_alone = train[~treated[train]]
        chance[test] = _fitted(model or _boosted, X.iloc[train], treated[train], X.iloc[test])
        alone[test] = _fitted(model or _boosted, X.iloc[left_alone], y[left_alone], X.iloc[test])
    kept = np.clip(chance, *CLIP)
    return Nuisance(kept, alone, float((kept != chance).mean()))


def _boosted() -> LGBMClassifier:
    return LGBMClassifier(n_jobs=1, random_state=1, deterministic=True, force_row_wise=True, verbose=-1, **_RARE)


def _fitted(model: Callable[[], Classifier], X: pd.DataFrame, y: NDArray[np.generic], new: pd.DataFrame) -> Floats:
    fitted = model().fit(X, y.astype(int))
    return np.asarray(fitted.predict_proba(new))[:, 1]


def risk_ratio(effect: Effect, leaving: float) -> float:
    """Return how many times likelier to leave the calls seem to have made those called.

    Parameters
    ----------
    effect : Effect
        On staying.
    leaving : float
        Share of those called who left.

    Examples
    --------
    >>> round(risk_ratio(Effect(-0.02, -0.03, -0.01, 0.005, 1000, 100), leaving=0.06), 2)
    1.5
    """
    alone = leaving + effect.value
    if not (0 < leaving < 1 and 0 < alone < 1):
        refuse("leaving", "a share that leaves both risks between 0 and 1", f"{leaving:g}", "pass that of those called")
    return leaving / alone


def e_value(ratio: float, target: float = 1.0) -> float:
    """Return how strong an unseen cause must be to move a risk ratio to ``target`` (the E-value).

    It must be tied to the call and to the leaving by a risk ratio of this size each, beyond the features.

    Parameters
    ----------
    ratio : float
        Estimated risk ratio, above 0.
    target : float
        Risk ratio that would be true instead; 1 is no effect.

    Raises
    ------
    ContractError
        A ratio that is not above 0.

    References
    ----------
    VanderWeele and Ding (2017), Annals of Internal Medicine 167(4); 3.9 has 7.26 in its example.

    Examples
    --------
    >>> round(e_value(3.9), 2), e_value(1.0)
    (7.26, 1.0)
    """
    for what, number in (("ratio", ratio), ("target", target)):
        if not (np.isfinite(number) and number > 0):
            refuse(what, "a finite number above 0", f"{number:g}", "pass a risk ratio, not a difference")
    away = max(ratio / target, target / ratio)
    return float(away + np.sqrt(away * (away - 1)))
