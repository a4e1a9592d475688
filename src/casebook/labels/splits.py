"""Splits by time with the gap that labels need, and cohorts with what is known of each."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import BoolArray, refuse, require_length
from casebook.labels._dates import Moment, date_column, days, moment, shown_date

Every = Literal["week", "month", "quarter", "year"]
_CODES = {"week": "W", "month": "M", "quarter": "Q", "year": "Y"}


def time_split(
    at: npt.ArrayLike, *, train_until: Moment, test_from: Moment, horizon_days: float
) -> tuple[BoolArray, BoolArray]:
    """Return which rows train and which test, with no training label's window inside the test period.

    Row i trains if at <= train_until and at + horizon < test_from, and tests if at >= test_from. The rows between
    do neither: on the day the model would have been trained, their labels were not known.

    Parameters
    ----------
    at : array_like of dates, shape (n,)
        Prediction times.
    train_until, test_from : str, date or Timestamp
        Last prediction time that may train, first that tests.
    horizon_days : float
        Length of a label's window, in days.

    Returns
    -------
    tuple of numpy.ndarray of bool, both of shape (n,)
        Train, test.

    Raises
    ------
    ContractError
        ``train_until`` not before ``test_from``, no row left on a side, bad dates or horizon.

    References
    ----------
    Lopez de Prado (2018), Advances in financial machine learning, chapter 7, calls this purging.

    Examples
    --------
    >>> at = ["2025-01-01", "2025-02-01", "2025-03-01", "2025-04-01"]
    >>> train, test = time_split(at, train_until="2025-03-01", test_from="2025-03-15", horizon_days=30)
    >>> train, test
    (array([ True,  True, False, False]), array([False, False, False,  True]))
    """
    moments, horizon = date_column(at, "at"), days(horizon_days, "horizon_days")
    last, first = moment(train_until, "train_until"), moment(test_from, "test_from")
    if last >= first:
        mend = "move train_until back, or test_from on"
        refuse("train_until", f"before {shown_date(first)} (test_from)", shown_date(last), mend)
    train, test = (moments <= last) & (moments + horizon < first), moments >= first
    if not train.any():
        must = f"a column with a window closed before {shown_date(first)} (test_from)"
        refuse("at", must, "no row left to train on", "move test_from on or shorten the horizon")
    if not test.any():
        refuse("at", f"a column that reaches {shown_date(first)} (test_from)", "no row left to test on", "move it back")
    return train, test


def cohorts(at: npt.ArrayLike, y: npt.ArrayLike, *, every: Every = "month") -> pd.DataFrame:
    """Return one row per period of prediction times: how many labels are known, and their rate.

    Parameters
    ----------
    at : array_like of dates, shape (n,)
    y : array_like, shape (n,)
        Labels, 0, 1 or missing, as :func:`casebook.labels.outcome` returns them.
    every : {"week", "month", "quarter", "year"}

    Returns
    -------
    pandas.DataFrame
        ``cohort`` (a pandas Period), ``n``, ``known`` (labels that are not missing), ``events``, ``rate`` (events
        of known; missing where nothing is known).

    Raises
    ------
    ContractError
        Bad dates, unequal lengths, a period that is not offered.

    Examples
    --------
    >>> cohorts(["2025-01-03", "2025-01-09", "2025-02-05"], [1, 0, None])
        cohort  n  known  events  rate
    0  2025-01  2      2       1   0.5
    1  2025-02  1      0       0   NaN
    """
    if every not in get_args(Every):
        refuse("every", f"one of {', '.join(map(repr, get_args(Every)))}", repr(every), "take one of these")
    periods = pd.Series(date_column(at, "at")).dt.to_period(_CODES[every])
    labels = _with_gaps(y)
    require_length(labels, len(periods), "y")
    table = pd.DataFrame({"cohort": periods, "y": labels}).groupby("cohort")["y"].agg(["size", "count", "sum", "mean"])
    table = table.reset_index().set_axis(["cohort", "n", "known", "events", "rate"], axis=1)
    return table.astype({"events": np.int64})


def _with_gaps(y: npt.ArrayLike) -> npt.NDArray[np.float64]:
    numbers = pd.to_numeric(pd.Series(y), errors="coerce").astype("Float64")
    values = np.asarray(numbers.to_numpy(dtype=float, na_value=np.nan), dtype=np.float64)
    given = pd.Series(y).notna().to_numpy()
    wrong = given & ~np.isin(values, (0.0, 1.0))
    if wrong.any():
        row = int(np.argmax(wrong))
        got = pd.Series(y).iloc[row]
        got = got.item() if isinstance(got, np.generic) else got
        refuse(f"y, row {row}", "0, 1 or missing", repr(got), "take what outcome() returns")
    return values
