"""Two public sets of demand: Australia's overnight trips, which add up, and a wholesaler's lines, most of them slow."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from casebook.contracts import check_frame, refuse, require_columns
from casebook.dataset_tables import _whole, _words

_STATES = (
    "ACT,New South Wales,Northern Territory,Queensland,South Australia,Tasmania,Victoria,Western Australia"
)  # fmt: skip
_FIRST, _LAST = pd.Timestamp("2009-12-01"), pd.Timestamp("2010-12-10")

TOURISM = pa.DataFrameSchema(
    {
        "quarter": pa.Column("datetime64[ns]"),
        "region": pa.Column(),
        "state": _words(_STATES),
        "purpose": _words("Business,Holiday,Other,Visiting"),
        "trips": pa.Column("float64", pa.Check.ge(0)),
    },
    unique=["quarter", "region", "state", "purpose"],
    name="tourism",
    strict="filter",
    coerce=True,
)
"""Contract of :func:`prepare_tourism`: ``quarter`` is its first day, ``trips`` in thousands."""

ONLINE_RETAIL = pa.DataFrameSchema(
    {
        "invoice": pa.Column(),
        "sku": pa.Column(),
        "quantity": pa.Column("int64"),
        "at": pa.Column("datetime64[ns]", pa.Check.in_range(_FIRST, _LAST, include_max=False)),
        "price": pa.Column("float64"),
        "cancelled": _whole(0, 1),
    },
    name="online retail",
    strict="filter",
    coerce=True,
)
"""Contract of :func:`prepare_online_retail`: ``price`` in pounds a unit; ``quantity`` is negative for returns."""


def prepare_tourism(path: Path) -> pd.DataFrame:
    """Read Australia's domestic overnight trips into a table, one row a quarter, region and purpose.

    Parameters
    ----------
    path : Path
        The original CSV, gzipped or not.

    Returns
    -------
    pandas.DataFrame
        ``quarter`` (its first day), ``region``, ``state``, ``purpose`` (Business, Holiday, Other, Visiting), ``trips``
        in thousands; sorted by state, region, purpose, quarter.

    Raises
    ------
    ContractError
        If the file is not that table.

    References
    ----------
    Tourism Research Australia; Hyndman and Athanasopoulos (2021), Forecasting: Principles and Practice, chapter 11.

    Examples
    --------
    What it returns:

    >>> list(TOURISM.columns)
    ['quarter', 'region', 'state', 'purpose', 'trips']
    """
    raw = pd.read_csv(Path(path))
    names = {"Quarter": "quarter", "Region": "region", "State": "state", "Purpose": "purpose", "Trips": "trips"}
    require_columns(raw, list(names), "tourism")
    wrong = ~raw["Quarter"].astype(str).str.fullmatch(r"\d{4} Q[1-4]")
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        at = f"tourism, column 'Quarter', row {row}"
        refuse(at, "a year and a quarter, such as 1998 Q1", repr(raw["Quarter"].iloc[row]), "pass the original file")
    quarters = pd.PeriodIndex(raw["Quarter"].str.replace(" ", ""), freq="Q").to_timestamp()
    frame = check_frame(raw.assign(Quarter=quarters).rename(columns=names), TOURISM)
    return frame.sort_values(["state", "region", "purpose", "quarter"], ignore_index=True)


def prepare_online_retail(path: Path) -> pd.DataFrame:
    """Read a British wholesaler's invoice lines into a table, in their order; who bought is left out.

    Parameters
    ----------
    path : Path
        The original Parquet file, or the re-encoded one.

    Returns
    -------
    pandas.DataFrame
        ``invoice``, ``sku`` (the stock code), ``quantity`` (negative for returns and write-offs), ``at``, ``price``
        (pounds a unit), ``cancelled`` (1 for a line that takes an earlier one back: its invoice starts with C). Codes
        that are no products (postage, fees, vouchers) are still in it, and nothing says when a product was out of
        stock.

    Raises
    ------
    ContractError
        If the file is not that table.

    References
    ----------
    Chen (2012), Online Retail II, UCI Machine Learning Repository, https://doi.org/10.24432/C5CG6D.

    Examples
    --------
    What it returns:

    >>> list(ONLINE_RETAIL.columns)
    ['invoice', 'sku', 'quantity', 'at', 'price', 'cancelled']
    """
    file = Path(path)
    if file.suffix != ".parquet":
        refuse(f"file {file.name!r}", "a Parquet file", file.suffix or "no suffix", "download it again")
    raw = pd.read_parquet(file)
    names = {"Invoice": "invoice", "StockCode": "sku", "Quantity": "quantity", "InvoiceDate": "at", "Price": "price"}
    require_columns(raw, list(names), "online retail")
    frame = raw[list(names)].rename(columns=names)
    frame = frame.assign(invoice=frame["invoice"].astype(str), sku=frame["sku"].astype(str))
    frame["cancelled"] = frame["invoice"].str.startswith("C").astype("int64")
    return check_frame(frame, ONLINE_RETAIL)
