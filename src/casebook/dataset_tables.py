"""The tables inside the public data sets: from the original's format to a frame that keeps a contract."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa

from casebook.contracts import check_frame, refuse, require_columns

_BANK_MEMBER = "bank-additional/bank-additional-full.csv"
_JOBS = (
    "admin.,blue-collar,entrepreneur,housemaid,management,retired,self-employed,services,student,technician,"
    "unemployed,unknown"
)
_EDUCATION = "basic.4y,basic.6y,basic.9y,high.school,illiterate,professional.course,university.degree,unknown"


def _words(allowed: str) -> pa.Column:
    return pa.Column(checks=pa.Check.isin(allowed.split(",")))


def _whole(least: int, most: int | None = None) -> pa.Column:
    return pa.Column("int64", pa.Check.ge(least) if most is None else pa.Check.in_range(least, most))


_FLAG = "Yes,No"
_ONLINE = "Yes,No,No internet service"
_REAL = pa.Column("float64")

BANK_MARKETING = pa.DataFrameSchema(
    {
        "row": _whole(0),
        "age": _whole(16, 120),
        "job": _words(_JOBS),
        "marital": _words("divorced,married,single,unknown"),
        "education": _words(_EDUCATION),
        "default": _words("yes,no,unknown"),
        "housing": _words("yes,no,unknown"),
        "loan": _words("yes,no,unknown"),
        "contact": _words("cellular,telephone"),
        "month": _words("jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec"),
        "day_of_week": _words("mon,tue,wed,thu,fri"),
        "duration": _whole(0),
        "campaign": _whole(1),
        "pdays": _whole(0, 999),
        "previous": _whole(0),
        "poutcome": _words("failure,nonexistent,success"),
        "emp_var_rate": _REAL,
        "cons_price_idx": _REAL,
        "cons_conf_idx": _REAL,
        "euribor3m": _REAL,
        "nr_employed": _REAL,
        "subscribed": _whole(0, 1),
    },
    name="bank marketing",
    strict=True,
    coerce=True,
)
"""Contract of :func:`prepare_bank_marketing`: ``duration`` in seconds, ``pdays`` 999 for never contacted."""

TELCO_CHURN = pa.DataFrameSchema(
    {
        "customer_id": pa.Column(unique=True),
        "gender": _words("Female,Male"),
        "senior_citizen": _whole(0, 1),
        "partner": _words(_FLAG),
        "dependents": _words(_FLAG),
        "tenure": _whole(0),
        "phone_service": _words(_FLAG),
        "multiple_lines": _words("Yes,No,No phone service"),
        "internet_service": _words("DSL,Fiber optic,No"),
        "online_security": _words(_ONLINE),
        "online_backup": _words(_ONLINE),
        "device_protection": _words(_ONLINE),
        "tech_support": _words(_ONLINE),
        "streaming_tv": _words(_ONLINE),
        "streaming_movies": _words(_ONLINE),
        "contract": _words("Month-to-month,One year,Two year"),
        "paperless_billing": _words(_FLAG),
        "payment_method": _words("Electronic check,Mailed check,Bank transfer (automatic),Credit card (automatic)"),
        "monthly_charges": pa.Column("float64", pa.Check.ge(0)),
        "total_charges": pa.Column("float64", pa.Check.ge(0)),
        "churned": _whole(0, 1),
    },
    name="telco churn",
    strict=True,
    coerce=True,
)
"""Contract of :func:`prepare_telco_churn`: ``tenure`` in months, charges in dollars."""

_SPENT_BEFORE = (
    "1) $0 - $100", "2) $100 - $200", "3) $200 - $350", "4) $350 - $500", "5) $500 - $750", "6) $750 - $1,000",
    "7) $1,000 +",
)  # fmt: skip

HILLSTROM = pa.DataFrameSchema(
    {
        "recency": _whole(1, 12),
        "history_segment": pa.Column(checks=pa.Check.isin(_SPENT_BEFORE)),
        "history": pa.Column("float64", pa.Check.ge(0)),
        "mens": _whole(0, 1),
        "womens": _whole(0, 1),
        "zip_code": _words("Rural,Surburban,Urban"),
        "newbie": _whole(0, 1),
        "channel": _words("Multichannel,Phone,Web"),
        "arm": _words("Mens E-Mail,No E-Mail,Womens E-Mail"),
        "visit": _whole(0, 1),
        "conversion": _whole(0, 1),
        "spend": pa.Column("float64", pa.Check.ge(0)),
    },
    name="hillstrom",
    strict=True,
    coerce=True,
)
"""Contract of :func:`prepare_hillstrom`: ``recency`` in months, ``history`` and ``spend`` in dollars."""


def prepare_bank_marketing(path: Path) -> pd.DataFrame:
    """Read the bank's calls into a table, one row a contact, oldest first.

    Parameters
    ----------
    path : Path
        The original zip, or its semicolon CSV, gzipped or not.

    Returns
    -------
    pandas.DataFrame
        The original's columns in snake_case; ``subscribed`` (1 if the client took the deposit) for ``y``;
        ``row``, 0, 1, ..., the order of the file, which is the order of dates (May 2008 to November 2010).
        ``duration``, the seconds of the call, is known only after the call: no model that decides whom to
        call may use it.

    Raises
    ------
    ContractError
        If the file is not that table.

    References
    ----------
    Moro, Cortez, Rita (2014), A data-driven approach to predict the success of bank telemarketing, Decision
    Support Systems 62.

    Examples
    --------
    What it returns:

    >>> [name for name in BANK_MARKETING.columns if name in ("row", "y", "subscribed", "emp_var_rate")]
    ['row', 'emp_var_rate', 'subscribed']
    """
    raw = _coded(_read_bank(Path(path)), "y", {"no": 0, "yes": 1}, "bank marketing")
    frame = raw.rename(columns=lambda name: str(name).replace(".", "_")).rename(columns={"y": "subscribed"})
    frame.insert(0, "row", np.arange(len(frame)))
    return check_frame(frame, BANK_MARKETING)


def prepare_telco_churn(path: Path) -> pd.DataFrame:
    """Read IBM's fictional telephone company into a table, one row a customer.

    Parameters
    ----------
    path : Path
        The original CSV, gzipped or not.

    Returns
    -------
    pandas.DataFrame
        The original's columns in snake_case; ``churned`` (0/1) for ``Churn``; ``tenure`` in months;
        ``total_charges`` in dollars, 0 where the original is blank, which is where tenure is 0. It is a cross
        section: no date of observation, hence no honest split by time.

    Raises
    ------
    ContractError
        If the file is not that table.

    Examples
    --------
    What it returns:

    >>> list(TELCO_CHURN.columns)[-3:]
    ['monthly_charges', 'total_charges', 'churned']
    """
    raw = _coded(pd.read_csv(Path(path)), "Churn", {"No": 0, "Yes": 1}, "telco churn")
    frame = raw.rename(columns=_snake).rename(columns={"churn": "churned"})
    if "total_charges" in frame and not pd.api.types.is_numeric_dtype(frame["total_charges"]):
        text = frame["total_charges"].str.strip()
        never_billed = (text == "") & (frame["tenure"] == 0)
        frame["total_charges"] = pd.to_numeric(text.mask(never_billed, "0"), errors="coerce")
    return check_frame(frame, TELCO_CHURN)


def prepare_hillstrom(path: Path) -> pd.DataFrame:
    """Read Hillstrom's e-mail trial into a table, one row a customer.

    Parameters
    ----------
    path : Path
        The original CSV, gzipped or not.

    Returns
    -------
    pandas.DataFrame
        The original's columns and words ("Surburban" is the original's); ``arm`` for ``segment``, drawn at
        random: no e-mail, or one with men's or women's merchandise. Known before: ``recency`` (months since the
        last purchase), ``history`` (dollars of the past year) and its ``history_segment``, ``mens`` and
        ``womens`` (bought such merchandise), ``zip_code``, ``newbie``, ``channel``. Outcomes of the two weeks
        after: ``visit``, ``conversion`` (0/1) and ``spend`` (dollars).

    Raises
    ------
    ContractError
        If the file is not that table.

    References
    ----------
    Hillstrom (2008), The MineThatData E-Mail Analytics And Data Mining Challenge.

    Examples
    --------
    What it returns:

    >>> list(HILLSTROM.columns)[-4:]
    ['arm', 'visit', 'conversion', 'spend']
    """
    raw = pd.read_csv(Path(path))
    require_columns(raw, ["segment"], "hillstrom")
    return check_frame(raw.rename(columns={"segment": "arm"}), HILLSTROM)


def _read_bank(path: Path) -> pd.DataFrame:
    if path.suffix != ".zip":
        return pd.read_csv(path, sep=";")
    with zipfile.ZipFile(path) as archive:
        if _BANK_MEMBER not in archive.namelist():
            refuse(f"file {path.name!r}", f"a zip with {_BANK_MEMBER}", "one without", "download it again")
        with archive.open(_BANK_MEMBER) as table:
            return pd.read_csv(table, sep=";")


def _coded(raw: pd.DataFrame, label: str, codes: Mapping[str, int], what: str) -> pd.DataFrame:
    """The label's two words as 0 and 1."""
    if label not in raw:
        columns = ", ".join(map(str, raw.columns[:3]))
        refuse(what, f"a table with a column {label!r}", f"{columns}, ...", "pass the original file")
    unknown = raw.loc[~raw[label].isin(list(codes)), label]
    if len(unknown):
        at = f"{what}, column {label!r}, row {unknown.index[0]}"
        refuse(at, f"one of {', '.join(codes)}", repr(unknown.iloc[0]), "correct the row or drop it")
    return raw.assign(**{label: raw[label].map(codes).astype("int64")})


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
