"""Ways of choosing whom to call: from a probability, a value and an effect to a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier, LGBMRegressor
from numpy.typing import NDArray

from casebook.churn.evaluate import call_top
from casebook.churn.latent import Flags

Numbers = NDArray[np.float64]
SEEN_MONTHS = 12  # what two years of history can show of staying, with a year of features before it
SOURCE_CUT = 0.005  # the source's threshold: ten dollars over two thousand, without a save rate
_SMALL: dict[str, Any] = {"n_estimators": 120, "num_leaves": 15, "learning_rate": 0.05, "min_child_samples": 50}
_SAME: dict[str, Any] = {"n_jobs": 1, "deterministic": True, "force_row_wise": True, "verbose": -1}


def fit_stay(X: pd.DataFrame, stayed: NDArray[np.int64], seed: int) -> Callable[[pd.DataFrame], Numbers]:
    """Fit how many of the next 36 months somebody stays who has just been kept.

    Only those who survived the first month teach it, since a save is a survival. Twelve months can be seen; the
    two years after them are taken to go on at the same yearly rate: m + m s + m s squared, where m is the mean
    of the months stayed and s the chance of staying all twelve.

    Parameters
    ----------
    X : pandas.DataFrame, shape (n, k)
        Features at the start.
    stayed : numpy.ndarray of int, shape (n,)
        Bills paid in the twelve months that followed, 0 to 12.
    seed : int

    Returns
    -------
    callable
        From features to months, shape (n,).
    """
    kept = stayed > 0
    months = LGBMRegressor(random_state=seed, **_SMALL, **_SAME).fit(X[kept], stayed[kept])
    year = LGBMClassifier(random_state=seed, **_SMALL, **_SAME).fit(X[kept], (stayed[kept] >= SEEN_MONTHS).astype(int))

    def expected_months(new: pd.DataFrame) -> Numbers:
        mean, share = np.asarray(months.predict(new)), np.asarray(year.predict_proba(new))[:, 1]
        return np.clip(mean, 0, SEEN_MONTHS) * (1 + share + share**2)

    return expected_months


def lists(p: Numbers, uplift: Numbers, saved: Numbers, calls: int, call_cost: float) -> dict[str, Flags]:
    """Return the lists that the chapter compares, each of flags of shape (n,).

    Parameters
    ----------
    p : numpy.ndarray, shape (n,)
        Predicted chance of leaving in 30 days.
    uplift : numpy.ndarray, shape (n,)
        Predicted gain in retention from being called, reached or not.
    saved : numpy.ndarray, shape (n,)
        Predicted dollars of margin from somebody who is kept.
    calls : int
        Capacity.
    call_cost : float
        Dollars.

    Examples
    --------
    >>> p, saved = np.array([0.3, 0.1, 0.004]), np.array([500.0, 4000.0, 4000.0])
    >>> made = lists(p, p * [0.0, 0.2, 0.1], saved, calls=1, call_cost=10.0)
    >>> made["top by risk"].tolist(), made["top by uplift x value"].tolist()
    ([True, False, False], [False, True, False])
    """
    return {
        "nobody": np.zeros(len(p), dtype=bool),
        "everybody": np.ones(len(p), dtype=bool),
        "p > 0.005": p > SOURCE_CUT,
        "top by risk": call_top(p, calls),
        "top by risk x value": call_top(p * saved, calls),
        "top by uplift": call_top(uplift, calls, least=0.0),
        "top by uplift x value": call_top(uplift * saved - call_cost, calls, least=0.0),
    }
