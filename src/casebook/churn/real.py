"""Chapter 4 on IBM's telephone customers: a floor for any model, a leak to find, and whom to keep for what they pay.

The table is a cross section of a fictional firm: it has no date of observation, so no split by time is possible
and no number here says what a model would do next month.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold, StratifiedKFold, cross_val_predict, cross_validate
from sklearn.model_selection import train_test_split as split_rows
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from casebook.churn.oversampling import Sample, originals, oversample, shared
from casebook.contracts import check_frame, refuse
from casebook.dataset_tables import TELCO_CHURN

_FOLDS = 5
_TESTED = 0.2
_SCORING = {"auc": "roc_auc", "ap": "average_precision", "brier": "neg_brier_score"}
_LEAST = "logistic regression"

#: AUC, average precision and Brier score that the course's authors measured earlier with five folds three times
#: over. No publication: nobody publishes a floor for this table with a split that could be repeated.
FLOOR_MEASURED_EARLIER: Mapping[str, tuple[float, float, float]] = {
    _LEAST: (0.8452, 0.655, 0.1356),
    "random forest, leaf 10": (0.8469, 0.663, 0.1346),
    "boosting, depth 3": (0.8472, 0.665, 0.1344),
    "boosting, default": (0.8356, np.nan, np.nan),
}

#: Where the minority class is multiplied, in words.
PLACES = ("nowhere", "in the training part", "in each part by itself", "before the split")


def telco_features(frame: pd.DataFrame) -> pd.DataFrame:
    """Return all columns but the customer's number and the label as numbers, words one-hot.

    Parameters
    ----------
    frame : pandas.DataFrame, shape (n, 21)
        As :func:`casebook.datasets.prepare_telco_churn` returns it.

    Returns
    -------
    pandas.DataFrame of float, shape (n, m)

    Raises
    ------
    ContractError
        If the frame breaks ``TELCO_CHURN``.

    Examples
    --------
    >>> telco_features(pd.DataFrame({"tenure": [1]}))
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: telco churn must be a table with a column 'customer_id', got 'tenure'; add
    'customer_id' or rename one of yours.
    """
    known = check_frame(frame, TELCO_CHURN).drop(columns=["customer_id", "churned"])
    return pd.get_dummies(known, dtype=float).astype(float)


def telco_floor(frame: pd.DataFrame, seed: int, repeats: int = 1) -> pd.DataFrame:
    """Cross-validate four models with nothing tuned, beside what was measured earlier.

    Parameters
    ----------
    frame : pandas.DataFrame
        As :func:`casebook.datasets.prepare_telco_churn` returns it.
    seed : int
        Of the folds, which are stratified and the same for all models, and of the models.
    repeats : int
        How often the five folds are drawn.

    Returns
    -------
    pandas.DataFrame
        Index ``model``. ``auc``, ``ap`` (average precision), ``brier``: means over folds; ``auc_sd``, ``ap_sd``,
        ``brier_sd``: standard deviations over folds, which share training rows, so they are no standard errors;
        ``folds_above``: in how many folds the AUC is above the logistic regression's, of ``folds``;
        ``auc_earlier``, ``ap_earlier``, ``brier_earlier``: :data:`FLOOR_MEASURED_EARLIER`.

    Raises
    ------
    ContractError
        If the frame breaks ``TELCO_CHURN``.

    Examples
    --------
    >>> list(FLOOR_MEASURED_EARLIER)[:2]
    ['logistic regression', 'random forest, leaf 10']
    """
    features, y = telco_features(frame), frame["churned"].to_numpy()
    folds = RepeatedStratifiedKFold(n_splits=_FOLDS, n_repeats=repeats, random_state=seed)
    scores = {name: _score(model, features, y, folds) for name, model in _models(seed).items()}
    table = pd.DataFrame({name: _mean_and_sd(found) for name, found in scores.items()}).T.rename_axis("model")
    least = scores[_LEAST]["auc"]
    table["folds_above"] = [int((scores[name]["auc"] > least).sum()) for name in table.index]
    table["folds"] = _FOLDS * repeats
    earlier = pd.DataFrame(dict(FLOOR_MEASURED_EARLIER), index=[f"{metric}_earlier" for metric in _SCORING]).T
    return table.join(earlier)


def telco_smote_like_leak(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Multiply those who left until half of the rows are theirs: nowhere, after the split, and before it.

    A random forest on four fifths of the rows is judged on the fifth. Three things can lift the numbers, and
    oversampling before the split does all three. Customers of the test part have stood model for rows of the training
    part (column ``shared``): a leak. The test part is half leavers: F1 depends on the base rate. And its leavers
    are partly made by SMOTE, which gives them values between 0 and 1 that no customer has: easily recognised.

    Parameters
    ----------
    frame : pandas.DataFrame
        As :func:`casebook.datasets.prepare_telco_churn` returns it.
    seed : int
        Of the split, the draws and the forest.

    Returns
    -------
    pandas.DataFrame
        Index ``how`` ("copies" or "SMOTE") and ``where`` (:data:`PLACES`): ``test_rows``, ``base_rate`` of the
        test part, ``auc``, ``f1`` (at p above one half), ``shared``: the share of the test part's leavers that have
        a customer in common with the training part's.

    Raises
    ------
    ContractError
        If the frame breaks ``TELCO_CHURN``.

    References
    ----------
    Chawla, Bowyer, Hall and Kegelmeyer (2002), SMOTE: synthetic minority over-sampling technique, JAIR 16.

    Examples
    --------
    >>> PLACES
    ('nowhere', 'in the training part', 'in each part by itself', 'before the split')
    """
    features, y = telco_features(frame).to_numpy(), frame["churned"].to_numpy()
    rows = {
        (how, where): _judge(*_parts(originals(features, y), where, how == "SMOTE", seed), seed)
        for how in ("copies", "SMOTE")
        for where in PLACES
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["how", "where"])


def who_to_keep(frame: pd.DataFrame, seed: int, share: float = 0.1) -> pd.DataFrame:
    """List the same number of customers by chance of leaving, by that chance times the bill, and by the bill.

    The probability is a logistic regression's, out of fold. What stands on a list is money at risk, not money
    saved: the table has no treatment, so it cannot say whom an offer would keep.

    Parameters
    ----------
    frame : pandas.DataFrame
        As :func:`casebook.datasets.prepare_telco_churn` returns it.
    seed : int
        Of the folds.
    share : float
        Length of each list as a share of the customers, in (0, 1].

    Returns
    -------
    pandas.DataFrame
        Index ``list``: ``customers``, ``left`` (of them), ``precision``, ``at_risk`` (dollars a month that those
        of them who left had paid), ``share_at_risk`` (of all that was lost), ``overlap`` (share of the list that is
        on the list by p), ``more`` (``at_risk`` less that of the list by p), ``low``, ``high`` (95% interval of it
        over customers, the lists as they are).

    Raises
    ------
    ContractError
        If the frame breaks ``TELCO_CHURN``, or a share is outside (0, 1].

    Examples
    --------
    >>> who_to_keep(pd.DataFrame(), seed=1, share=10)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: share must be above 0 and at most 1, got 10; give it as a share, such as 0.1.
    """
    if not 0 < share <= 1:
        refuse("share", "above 0 and at most 1", repr(share), "give it as a share, such as 0.1")
    features, y = telco_features(frame), frame["churned"].to_numpy()
    charges = frame["monthly_charges"].to_numpy(dtype=float)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    p = cross_val_predict(_logistic(), features, y, cv=folds, method="predict_proba")[:, 1]
    wanted = max(1, round(share * len(frame)))
    lists = {name: _top(score, wanted) for name, score in {"p": p, "p x bill": p * charges, "bill": charges}.items()}
    rows = {name: _at_stake(listed, lists["p"], y * charges, y) for name, listed in lists.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("list")


def _logistic() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))


def _models(seed: int) -> dict[str, Any]:
    return dict(
        zip(
            FLOOR_MEASURED_EARLIER,
            (
                _logistic(),
                RandomForestClassifier(100, min_samples_leaf=10, random_state=seed, n_jobs=1),
                HistGradientBoostingClassifier(max_depth=3, random_state=seed),
                HistGradientBoostingClassifier(random_state=seed),
            ),
            strict=True,
        )
    )


def _score(model: Any, features: pd.DataFrame, y: NDArray[np.int64], folds: Any) -> dict[str, NDArray[np.float64]]:
    # Boosting takes every core however n_jobs is set, and beside another notebook ten times as long for it.
    with threadpool_limits(1):
        found = cross_validate(model, features, y, cv=folds, scoring=_SCORING, n_jobs=1)
    return {"auc": found["test_auc"], "ap": found["test_ap"], "brier": -found["test_brier"]}


def _mean_and_sd(found: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    pairs = ({name: values.mean(), f"{name}_sd": values.std(ddof=1)} for name, values in found.items())
    return {name: float(value) for pair in pairs for name, value in pair.items()}


def _parts(whole: Sample, where: str, smote: bool, seed: int) -> tuple[Sample, Sample]:
    """Training and test part, with the minority multiplied where it is said."""
    rng = np.random.default_rng(seed)
    if where == "before the split":
        whole = oversample(whole, rng, smote)
    rows = split_rows(np.arange(len(whole.y)), test_size=_TESTED, random_state=seed, stratify=whole.y)
    train, test = (whole.take(part) for part in rows)
    if where in ("in the training part", "in each part by itself"):
        train = oversample(train, rng, smote)
    if where == "in each part by itself":
        test = oversample(test, rng, smote)
    return train, test


def _judge(train: Sample, test: Sample, seed: int) -> dict[str, float]:
    forest = RandomForestClassifier(100, random_state=seed, n_jobs=1).fit(train.X, train.y)
    p = forest.predict_proba(test.X)[:, 1]
    return {
        "test_rows": len(test.y),
        "base_rate": float(test.y.mean()),
        "auc": float(roc_auc_score(test.y, p)),
        "f1": float(f1_score(test.y, p > 0.5)),
        "shared": shared(train, test),
    }


def _top(score: NDArray[np.float64], wanted: int) -> NDArray[np.bool_]:
    listed = np.zeros(len(score), dtype=bool)
    listed[np.argsort(-score, kind="stable")[:wanted]] = True
    return listed


def _at_stake(
    listed: NDArray[np.bool_], by_p: NDArray[np.bool_], lost: NDArray[np.float64], y: NDArray[np.int64]
) -> dict[str, float]:
    gap = (listed.astype(float) - by_p) * lost
    reach = float(norm.ppf(0.975) * np.sqrt(len(gap)) * gap.std(ddof=1))
    return {
        "customers": int(listed.sum()),
        "left": int(y[listed].sum()),
        "precision": float(y[listed].mean()),
        "at_risk": float(lost[listed].sum()),
        "share_at_risk": float(lost[listed].sum() / lost.sum()),
        "overlap": float((listed & by_p).sum() / listed.sum()),
        "more": float(gap.sum()),
        "low": float(gap.sum() - reach),
        "high": float(gap.sum() + reach),
    }
