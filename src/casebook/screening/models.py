"""The desk's models behind one interface: ``fit(model, desk)`` gives a function from cases to probabilities."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from casebook.decisions import fit_platt, undo_undersampling
from casebook.screening.simulate import FEATURES, Desk

Scorer = Callable[[pd.DataFrame], NDArray[np.float64]]
_EDGE = 1e-9  # keeps a probability of exactly 0 or 1 off the ends of the log-odds


def logistic(class_weight: str | dict[int, float] | None = None) -> LogisticRegression:
    """Return an (almost) unpenalised logistic regression; C is finite because versions spell "none" differently."""
    return LogisticRegression(C=1e6, class_weight=class_weight, max_iter=1000)


def boosted(seed: int) -> LGBMClassifier:
    """Return a small boosted-tree model, one thread, the same trees on every run."""
    return LGBMClassifier(
        n_estimators=120, num_leaves=15, learning_rate=0.06, min_child_samples=60, n_jobs=1, verbose=-1,
        random_state=seed, deterministic=True, force_row_wise=True,
    )  # fmt: skip


def naive_bayes() -> GaussianNB:
    """Return a naive Bayes model: it counts a feature shown twice as two pieces of evidence."""
    return GaussianNB()


def fit(model: Any, desk: Desk) -> Scorer:
    """Fit a scikit-learn classifier on a desk and return what scores other cases.

    Parameters
    ----------
    model : estimator
        With ``fit`` and ``predict_proba``.
    desk : Desk
        Training cases.

    Returns
    -------
    callable
        From a table with the five features, n rows, to probabilities, shape (n,).
    """
    columns = list(FEATURES)
    model.fit(desk.cases[columns].to_numpy(), desk.cases["y"].to_numpy())

    def score(cases: pd.DataFrame) -> NDArray[np.float64]:
        with warnings.catch_warnings():
            # LightGBM names unnamed columns itself and scikit-learn then misses those names: nothing is wrong.
            warnings.filterwarnings("ignore", message="X does not have valid feature names", category=UserWarning)
            return np.asarray(model.predict_proba(cases[columns].to_numpy())[:, 1])

    return score


def calibrated(score: Scorer, desk: Desk) -> Scorer:
    """Return a scorer whose log-odds have been set right by Platt's curve on a desk the model has not seen."""
    curve = fit_platt(desk.cases["y"].to_numpy(), score(desk.cases))
    return lambda cases: curve(score(cases))


def stretched(score: Scorer, by: float) -> Scorer:
    """Return a scorer whose log-odds are multiplied: above one it is too sure of itself, below one too timid."""
    return lambda cases: np.asarray(expit(by * logit(np.clip(score(cases), _EDGE, 1 - _EDGE))))


def keep_negatives(desk: Desk, share: float, rng: np.random.Generator) -> Desk:
    """Return the desk with every bad case and a random ``share`` of the good ones."""
    y = desk.cases["y"].to_numpy()
    return desk.take(np.flatnonzero((y == 1) | (rng.random(len(y)) < share)))


def fit_balanced(desk: Desk) -> Scorer:
    """Fit a logistic regression with balanced class weights and undo their shift of the odds.

    Weights of 1 / (2 base rate) and 1 / (2 (1 - base rate)) act as if the good cases had been thinned to as
    many as the bad ones, so the same correction applies.
    """
    rate = desk.cases["y"].mean()
    raw = fit(logistic("balanced"), desk)
    return lambda cases: np.asarray(undo_undersampling(raw(cases), rate / (1 - rate)))


def fit_thinned(desk: Desk, share: float, rng: np.random.Generator) -> Scorer:
    """Fit a logistic regression on all bad and a ``share`` of the good cases, and undo the thinning."""
    raw = fit(logistic(), keep_negatives(desk, share, rng))
    return lambda cases: np.asarray(undo_undersampling(raw(cases), share))
