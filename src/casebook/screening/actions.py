"""A world in which acting changes the outcome: a call may save an account, and risk is not what it saves."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit


def simulate_calls(
    n: int, alignment: float, save_rate: float, value_spread: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw accounts that may leave, and what a call would change.

    Risk and persuadability are correlated normal scores. An account leaves with probability expit(-3 + 1.2 z) uncalled,
    z its score of risk, and with a share of that less if called: twice the save rate times the account's rank in
    persuadability, so that the mean share is the save rate. No call does harm here.

    Parameters
    ----------
    n : int
        Accounts.
    alignment : float
        Correlation of risk and persuadability, in [-1, 1].
    save_rate : float
        Mean share of leavers that a call keeps, in [0, 0.5].
    value_spread : float
        Standard deviation of the log value of an account; 0 makes all worth the same.
    rng : numpy.random.Generator
        Source of all randomness.

    Returns
    -------
    pandas.DataFrame
        ``risk`` (probability of leaving uncalled), ``kept`` (share of that which a call removes), ``value`` (dollars
        if the account stays), ``risk_value``, ``uplift`` (risk x kept: the fall of the probability of leaving),
        ``gain`` (uplift x value: the expected dollars of a call).
    """
    z = rng.normal(size=(n, 2))
    persuadable = alignment * z[:, 0] + np.sqrt(1 - alignment**2) * z[:, 1]
    rank = (np.argsort(np.argsort(persuadable)) + 0.5) / n
    risk, kept = expit(-3 + 1.2 * z[:, 0]), 2 * save_rate * rank
    value = 3_000 * np.exp(value_spread * rng.normal(size=n) - value_spread**2 / 2)
    frame = pd.DataFrame({"risk": risk, "kept": kept, "value": value})
    return frame.assign(risk_value=risk * value, uplift=risk * kept, gain=risk * kept * value)


def called_gain(accounts: pd.DataFrame, rank_by: str, capacity: int) -> float:
    """Return the expected dollars saved by calling the ``capacity`` accounts that are highest in a column."""
    return float(accounts.nlargest(capacity, rank_by)["gain"].sum())
