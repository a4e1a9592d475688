"""Why a model scored somebody high: contributions to the log-odds, and the same in words for whoever calls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.pipeline import Pipeline

from casebook.churn.feature_sql import ONE_HOT
from casebook.contracts import refuse

BASE = "(base)"  # the column of what everybody has in common
_FLAG = "missingindicator_"

#: What a rep reads for each feature; the value follows in brackets.
WORDS: dict[str, str] = {
    "price": "price, dollars a month",
    "tenure_days": "days since signing up",
    "employees": "employees of the company",
    "is_annual": "annual plan",
    "days_to_renewal": "days to the next bill",
    "logins_7d": "logins last week",
    "logins_28d": "logins in four weeks",
    "pages_28d": "pages in four weeks",
    "features_used_28d": "features used",
    "pricing_views_28d": "views of the pricing page",
    "logins_90d": "logins in 13 weeks",
    "logins_180d": "logins in 26 weeks",
    "usage_slope": "trend of weekly logins",
    "usage_vs_84d_ago": "logins against twelve weeks ago",
    "logins_84d_ago": "logins twelve weeks ago",
    "logins_drop": "drop of logins on the month before",
    "days_since_last_login": "days since the last login",
    "usage_vs_own_year": "logins against the own year",
    "tickets_30d": "tickets in 30 days",
    "worst_severity_90d": "worst ticket of 90 days",
    "days_to_resolve_180d": "days until tickets were resolved",
    "open_tickets": "open tickets",
    "sentiment_90d": "tone of tickets",
    "how_to_tickets_180d": "how-to questions",
    "billing_tickets_30d": "questions about the bill",
    "failed_payments_180d": "failed payments",
    "failed_open": "payment that is failing now",
    "downgrades_90d": "downgrades in 90 days",
    "upgrades_180d": "upgrades in 180 days",
    "last_nps": "last NPS answer",
    "nps_missing": "last NPS question unanswered",
    "opened_90d": "share of e-mails opened",
    "opens_unknown": "e-mail opens hidden",
    "colleagues": "colleagues who subscribe",
    "colleagues_logins_28d": "logins of each colleague",
    "colleagues_left_90d": "colleagues who left",
    "calls_90d": "calls in 90 days",
    "reached_90d": "calls answered in 90 days",
} | {column: f"{field}: {level}" for column, (field, level) in ONE_HOT.items()}


def explain(model: Any, X: pd.DataFrame) -> pd.DataFrame:
    """Return what each feature adds to each row's log-odds of leaving.

    Parameters
    ----------
    model : Pipeline or LGBMClassifier
        From :func:`casebook.churn.models.logistic` or :func:`casebook.churn.models.boosted`, fitted.
    X : pandas.DataFrame, shape (n, columns)

    Returns
    -------
    pandas.DataFrame
        One column a feature and a last one ``(base)``; a row sums to the log-odds. A missing value's flag counts
        with its feature. In the linear model the base is the average subscriber; in trees it is the average score.

    Raises
    ------
    ContractError
        A model of another kind.

    References
    ----------
    Lundberg, Erion, Chen et al. (2020), From local explanations to global understanding with explainable AI for
    trees, Nature Machine Intelligence 2.

    Examples
    --------
    >>> from casebook.churn.models import logistic
    >>> X = pd.DataFrame({"price": [90.0, 90, 180, 420], "tenure_days": [10.0, 700, 30, 900]})
    >>> model = logistic(seed=0).fit(X, [1, 0, 1, 0])
    >>> explain(model, X).columns.tolist()
    ['price', 'tenure_days', '(base)']
    """
    if isinstance(model, LGBMClassifier):
        parts = np.asarray(model.booster_.predict(X, pred_contrib=True, num_threads=1))
        return pd.DataFrame(parts, index=X.index, columns=[*model.feature_name_, BASE])
    if isinstance(model, Pipeline):
        return _linear(model, X)
    refuse("model", "a Pipeline or an LGBMClassifier", type(model).__name__, "take the model inside the wrapper")


def _linear(model: Pipeline, X: pd.DataFrame) -> pd.DataFrame:
    names = model[:-1].get_feature_names_out()
    parts = pd.DataFrame(model[:-1].transform(X) * model[-1].coef_[0], index=X.index, columns=names)
    parts.columns = parts.columns.str.replace(_FLAG, "")
    summed = parts.T.groupby(level=0, sort=False).sum().T
    summed[BASE] = float(model[-1].intercept_[0])
    return summed


def reasons(contributions: pd.DataFrame, X: pd.DataFrame | None = None, k: int = 3) -> pd.Series:
    """Return the ``k`` features that raise each row's risk most, in words.

    Parameters
    ----------
    contributions : pandas.DataFrame
        From :func:`explain`.
    X : pandas.DataFrame, optional
        The features; if given, each reason shows the row's value.
    k : int
        Fewer are named where fewer raise the risk.

    Returns
    -------
    pandas.Series of str
        Named ``reasons``; one text a row, strongest reason first.

    Raises
    ------
    ContractError
        ``k`` below 1.

    Examples
    --------
    >>> parts = pd.DataFrame({"failed_open": [0.0, 1.4], "logins_drop": [0.3, 0.2], "(base)": [-3.0, -3.0]})
    >>> reasons(parts, pd.DataFrame({"failed_open": [0, 1], "logins_drop": [0.41, 0.38]}), k=2).tolist()
    ['drop of logins on the month before (0.41)', 'payment that is failing now (1), drop of logins on the month
    before (0.38)']
    """
    if k < 1:
        refuse("k", "1 or more", repr(k), "ask for three")
    parts = contributions.drop(columns=BASE, errors="ignore")
    values = parts.to_numpy()
    order = np.argsort(-values, axis=1, kind="stable")[:, :k]
    shown = None if X is None else X[list(parts.columns)].to_numpy(dtype=float)
    texts = []
    for row, columns in enumerate(order):
        raising = [column for column in columns if values[row, column] > 0]
        texts.append(", ".join(_words(str(parts.columns[at]), shown, row, at) for at in raising))
    return pd.Series(texts, index=contributions.index, name="reasons")


def _words(name: str, shown: np.ndarray[Any, Any] | None, row: int, at: int) -> str:
    words = WORDS.get(name, name)
    if shown is None:
        return words
    value = shown[row, at]
    return f"{words} ({'unknown' if np.isnan(value) else f'{value:.3g}'})"
