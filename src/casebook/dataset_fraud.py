"""The table of a public simulator of card fraud: three weeks of transactions with features that were made for them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from casebook.contracts import check_frame, refuse, require_columns
from casebook.dataset_tables import _REAL, _whole

_PICKLES = (".pkl", ".pickle", ".pck", ".joblib")
_WINDOWS = (1, 7, 30)  # days
_NOT_NEGATIVE = pa.Column("float64", pa.Check.ge(0))
_SHARE = pa.Column("float64", pa.Check.in_range(0, 1))


def _window(days: int, of: str, what: str, column: pa.Column) -> dict[str, pa.Column]:
    return {f"{of}_n_{days}d": _NOT_NEGATIVE, f"{of}_{what}_{days}d": column}


_NAMES = {
    "TRANSACTION_ID": "event_id",
    "TX_TIME_SECONDS": "at",
    "TX_TIME_DAYS": "day",
    "CUSTOMER_ID": "card_id",
    "TERMINAL_ID": "terminal_id",
    "TX_AMOUNT": "amount",
    "TX_FRAUD": "fraud",
    "TX_FRAUD_SCENARIO": "scenario",
    "TX_DURING_WEEKEND": "weekend",
    "TX_DURING_NIGHT": "night",
    **{
        f"CUSTOMER_ID_{theirs}_{days}DAY_WINDOW": f"card_{ours}_{days}d"
        for days in _WINDOWS
        for theirs, ours in (("NB_TX", "n"), ("AVG_AMOUNT", "mean"))
    },
    **{
        f"TERMINAL_ID_{theirs}_{days}DAY_WINDOW": f"terminal_{ours}_{days}d"
        for days in _WINDOWS
        for theirs, ours in (("NB_TX", "n"), ("RISK", "risk"))
    },
}

FRAUD_HANDBOOK = pa.DataFrameSchema(
    {
        "event_id": pa.Column("int64", pa.Check.ge(0), unique=True),
        "at": _whole(0),
        "day": _whole(0),
        "card_id": _whole(0),
        "terminal_id": _whole(0),
        "amount": _NOT_NEGATIVE,
        "fraud": _whole(0, 1),
        "scenario": _whole(0, 3),
        "weekend": _whole(0, 1),
        "night": _whole(0, 1),
        **{name: column for days in _WINDOWS for name, column in _window(days, "card", "mean", _REAL).items()},
        **{name: column for days in _WINDOWS for name, column in _window(days, "terminal", "risk", _SHARE).items()},
    },
    checks=pa.Check(
        lambda frame: (frame["fraud"] == 1) == (frame["scenario"] > 0), error="a scenario above 0 where fraud is 1 only"
    ),
    name="fraud handbook",
    strict="filter",
    coerce=True,
)
"""Contract of :func:`prepare_fraud_handbook`: ``at`` in seconds and ``day`` in days since 2018-04-01."""


def prepare_fraud_handbook(path: Path) -> pd.DataFrame:
    """Read the handbook's simulated transactions into a table, one row a transaction, in their order.

    Parameters
    ----------
    path : Path
        A Parquet file with the handbook's columns. The handbook itself gives a pickle a day.

    Returns
    -------
    pandas.DataFrame
        ``event_id``; ``at`` (seconds since 2018-04-01) and ``day``; ``card_id`` (a customer there has one card),
        ``terminal_id``, ``amount``; ``fraud``; ``scenario`` (0 honest, 1 an amount above 220, 2 a terminal that is bad
        for four weeks, 3 a customer whose amounts are five times as high for two weeks); ``weekend``, ``night`` (0/1).
        Of the past 1, 7, 30 days: ``card_n_...``, ``card_mean_...`` (transactions of the card and their mean amount,
        this one included), ``terminal_n_...``, ``terminal_risk_...`` (transactions at the terminal in such a window
        that ended a week ago, and their share of fraud).

    Raises
    ------
    ContractError
        If the file is not that table, or is a pickle.

    References
    ----------
    Le Borgne, Siblini, Lebichot and Bontempi (2022), Reproducible Machine Learning for Credit Card Fraud Detection,
    chapter 3.

    Examples
    --------
    >>> prepare_fraud_handbook(Path("2018-07-25.pkl"))
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: file '2018-07-25.pkl' must be a Parquet file, got a pickle, which runs what its
    maker put into it; have somebody you trust convert it.
    """
    file = Path(path)
    if file.suffix.lower() in _PICKLES:
        got = "a pickle, which runs what its maker put into it"
        refuse(f"file {file.name!r}", "a Parquet file", got, "have somebody you trust convert it")
    raw = pd.read_parquet(file)
    require_columns(raw, list(_NAMES), "fraud handbook")
    renamed = raw[list(_NAMES)].rename(columns=_NAMES)
    return check_frame(renamed, FRAUD_HANDBOOK).sort_values("event_id", ignore_index=True)
