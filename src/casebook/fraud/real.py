"""The Fraud Detection Handbook's baseline on its own days: its split, its five models, its three measures.

Its data are simulated, with three kinds of fraud: a high amount, a bad terminal, a card that spends five times as much.
Terminal risk is known there exactly seven days after each event, and no fraud stays unreported.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from casebook.contracts import check_frame, refuse
from casebook.dataset_fraud import FRAUD_HANDBOOK
from casebook.fraud.evaluate import average_precision
from casebook.fraud.evaluate_queue import card_precision

#: AUC, average precision and card precision at 100, as printed: chapter 3 of the handbook, baseline system, test set.
PUBLISHED: Mapping[str, tuple[float, float, float]] = {
    "logistic regression": (0.871, 0.606, 0.291),
    "tree, depth 2": (0.763, 0.496, 0.241),
    "full tree": (0.788, 0.309, 0.243),
    "random forest": (0.867, 0.658, 0.287),
    "boosting": (0.862, 0.639, 0.273),
}
MODELS = tuple(PUBLISHED)

#: Printed with three digits: half a unit of the last, and as much for ties and solvers of another version.
SAME = 0.0015

_LABELS = ("event_id", "at", "day", "card_id", "terminal_id", "fraud", "scenario")
FEATURES = tuple(str(name) for name in FRAUD_HANDBOOK.columns if name not in _LABELS)

_WHY = {
    "boosting": (
        "LightGBM with its defaults for XGBoost with those of 2020, whose exact splits and base score of 0.5 give the "
        "published row"
    ),
}
_WHY_ELSE = "another version of the library"


@dataclass(frozen=True, eq=False)
class Scored:
    """Test events and what each model says of them.

    Attributes
    ----------
    test : table of test events, shape (n, m).
    score : one column a model, shape (n, models), rows as in ``test``.
    seconds : model -> seconds to fit and to score.
    """

    test: pd.DataFrame
    score: pd.DataFrame
    seconds: dict[str, float]


def handbook_split(
    frame: pd.DataFrame, train_days: int = 7, delay_days: int = 7, test_days: int = 7
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the training and the test events, the latter without the cards that are known to be compromised.

    The label of an event is known ``delay_days`` later. So on a test day a card is known, and left out, if it had a
    fraud in the training days or in those days of the delay that are by then old enough; the list grows day by day.

    Parameters
    ----------
    frame : pandas.DataFrame
        As :func:`casebook.datasets.prepare_fraud_handbook` returns it; training starts on its first day.
    train_days, delay_days, test_days : int
        Days, 1 or more.

    Returns
    -------
    tuple of pandas.DataFrame
        Train, test.

    Raises
    ------
    ContractError
        If the frame breaks ``FRAUD_HANDBOOK`` or is shorter than the three periods.

    Examples
    --------
    >>> handbook_split(pd.DataFrame({"day": [115]}))
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: fraud handbook must be a table with a column 'event_id', got 'day'; add 'event_id'
    or rename one of yours.
    """
    events = check_frame(frame, FRAUD_HANDBOOK)
    start, needed = int(events["day"].min()), train_days + delay_days + test_days
    held = int(events["day"].max()) - start + 1
    if held < needed:
        refuse("the days of the table", f"{needed} or more", str(held), "shorten the periods or take more days")
    day, first_test = events["day"], start + train_days + delay_days
    first_fraud = events[events["fraud"] == 1].groupby("card_id")["day"].min()
    known_since = events["card_id"].map(first_fraud) + delay_days
    tests = (day >= first_test) & (day < start + needed) & ~(known_since < day)
    return events[day < start + train_days], events[tests]


def handbook_models(seed: int = 0, jobs: int = 1) -> dict[str, Any]:
    """Return the handbook's five models, unfitted, with LightGBM for XGBoost.

    Examples
    --------
    >>> list(handbook_models())
    ['logistic regression', 'tree, depth 2', 'full tree', 'random forest', 'boosting']
    """
    models = (
        LogisticRegression(random_state=seed),
        DecisionTreeClassifier(max_depth=2, random_state=seed),
        DecisionTreeClassifier(random_state=seed),
        RandomForestClassifier(100, random_state=seed, n_jobs=jobs),
        LGBMClassifier(random_state=seed, n_jobs=jobs, verbose=-1),
    )
    return dict(zip(MODELS, models, strict=True))


def score_with(frame: pd.DataFrame, models: Mapping[str, Any]) -> Scored:
    """Fit models on the training days and score the test events.

    Parameters
    ----------
    frame : pandas.DataFrame
        As :func:`handbook_split` takes it.
    models : mapping of str to a classifier with ``fit`` and ``predict_proba``
        They see standardised features; they are fitted in place.

    Returns
    -------
    Scored

    Raises
    ------
    ContractError
        As :func:`handbook_split`.
    """
    train, test = handbook_split(frame)
    scaler = StandardScaler().fit(train[list(FEATURES)].to_numpy())
    seen, new = (scaler.transform(part[list(FEATURES)].to_numpy()) for part in (train, test))
    y, score, seconds = train["fraud"].to_numpy(), {}, {}
    for name, model in models.items():
        start = time.perf_counter()
        model.fit(pd.DataFrame(seen, columns=list(FEATURES)), y)
        score[name] = model.predict_proba(pd.DataFrame(new, columns=list(FEATURES)))[:, 1]
        seconds[name] = time.perf_counter() - start
    return Scored(test, pd.DataFrame(score, index=test.index), seconds)


def handbook_scores(frame: pd.DataFrame, seed: int = 0, models: Sequence[str] = MODELS, jobs: int = 1) -> Scored:
    """Fit the handbook's models on its training days and score its test events.

    Parameters
    ----------
    frame : pandas.DataFrame
        As :func:`casebook.datasets.prepare_fraud_handbook` returns it.
    seed : int
        Of the models; the handbook's is 0.
    models : sequence of str
        Some of :data:`MODELS`; the forest takes most of the time.
    jobs : int
        Cores for the forest and the boosting; the scores do not depend on it.

    Returns
    -------
    Scored

    Raises
    ------
    ContractError
        As :func:`handbook_split`, and for an unknown model.

    Examples
    --------
    >>> handbook_scores(pd.DataFrame(), models=["network"])
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: models must be some of logistic regression, tree, depth 2, full tree, random
    forest, boosting, got 'network'; correct the name.
    """
    unknown = next((name for name in models if name not in MODELS), None)
    if unknown is not None:
        refuse("models", f"some of {', '.join(MODELS)}", repr(unknown), "correct the name")
    built = handbook_models(seed, jobs)
    return score_with(frame, {name: built[name] for name in models})


def handbook_table(scored: Scored, k: int = 100) -> pd.DataFrame:
    """Hold our run against the handbook's printed numbers.

    Parameters
    ----------
    scored : Scored
        As :func:`handbook_scores` returns it.
    k : int
        Cards on the day's list; the printed numbers are for 100.

    Returns
    -------
    pandas.DataFrame
        Index ``model``: ``auc``, ``auc_published``, ``ap``, ``ap_published``, ``cp`` (card precision as the handbook
        has it: found cards leave the later days), ``cp_published``, ``cp_kept`` (the cards stay), ``seconds``,
        ``why`` ("the same" within :data:`SAME`, else the reason). The prevalence is that of ``scored.test``.
    """
    test, rows = scored.test, {}
    y, queue = test["fraud"].to_numpy(), (test["card_id"], test["day"])
    for name, column in scored.score.items():
        p = column.to_numpy()
        ours = (
            float(roc_auc_score(y, p)),
            average_precision(y, p),
            card_precision(*queue, p, y, k, drop_found=True),
        )
        kept = card_precision(*queue, p, y, k)
        rows[name] = _beside(str(name), ours) | {"cp_kept": kept, "seconds": scored.seconds[str(name)]}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")
    return table[[name for name in table if name != "why"] + ["why"]]


def _beside(name: str, ours: tuple[float, float, float]) -> dict[str, float | str]:
    row: dict[str, float | str] = {}
    for measure, value, published in zip(("auc", "ap", "cp"), ours, PUBLISHED[name], strict=True):
        row |= {measure: value, f"{measure}_published": published}
    near = all(abs(value - published) <= SAME for value, published in zip(ours, PUBLISHED[name], strict=True))
    return row | {"why": "the same" if near else _WHY.get(name, _WHY_ELSE)}
