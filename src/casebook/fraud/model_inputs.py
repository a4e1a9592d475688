"""Features as a linear model and a forest of random cuts can use them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

WORDS = ("channel", "entry", "category")
"""Features whose numbers are names."""

AGEING = ("card_count", "card_max_cents")
"""Features that grow as the log does, so that a fitted model has never met tomorrow's values."""

_CLOCK = ("hour", "weekday")  # names as well to a line; to trees their order says something
_SHARE = "_risk_"
_LEAST = 1e-6  # of a share, before its logarithm


def signed_log(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return log(1 + x) with the sign of x, for amounts and counts with long tails.

    Examples
    --------
    >>> signed_log(np.array([-1.0, 0.0, np.e - 1])).round(2).tolist()
    [-0.69, 0.0, 1.0]
    """
    wide = np.asarray(values, np.float64)
    return np.asarray(np.sign(wide) * np.log1p(np.abs(wide)))


def log_share(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return log(x) of shares, of which a millionth is the least.

    Examples
    --------
    >>> log_share(np.array([0.0, 1.0])).round(1).tolist()
    [-13.8, 0.0]
    """
    return np.asarray(np.log(np.maximum(np.asarray(values, np.float64), _LEAST)))


def as_numbers(columns: Sequence[str]) -> ColumnTransformer:
    """Return what turns a table of features into standardised numbers.

    Parameters
    ----------
    columns : sequence of str
        Those of the table. ``channel``, ``entry``, ``category``, ``hour`` and ``weekday`` become a column for each
        value seen in the fit; names with ``_risk_`` are shares; all others are numbers.

    Returns
    -------
    sklearn.compose.ColumnTransformer

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"channel": [0, 1], "amount_cents": [100.0, np.nan], "terminal_risk_7d": [0.001, 0.1]})
    >>> as_numbers(list(table)).fit_transform(table)
    array([[ 1.,  0., -1.,  0.],
           [ 0.,  1.,  1.,  0.]])
    """
    words = [name for name in columns if name in WORDS or name in _CLOCK]
    shares = [name for name in columns if name not in words and _SHARE in name]
    others = [name for name in columns if name not in words and name not in shares]
    parts = [("words", OneHotEncoder(handle_unknown="ignore", sparse_output=False), words)]
    for name, change, chosen in (("shares", log_share, shares), ("numbers", signed_log, others)):
        steps = (FunctionTransformer(change), SimpleImputer(strategy="median", keep_empty_features=True))
        parts.append((name, make_pipeline(*steps, StandardScaler()), chosen))
    return ColumnTransformer([part for part in parts if part[2]], sparse_threshold=0)
