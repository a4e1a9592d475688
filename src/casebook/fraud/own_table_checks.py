"""The contract of a reader's own table of payments, and what it is refused for beyond single columns."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa

from casebook._schema_words import shown
from casebook.contracts import BoolArray, as_labels, check_frame, refuse, require_columns
from casebook.fraud.world import ENTRIES

WHAT = "table 'payments'"
CENTS = 1_000  # whole amounts with a median of so much are taken for cents
_DATE = "datetime64[s]"


def _key(meaning: str, unique: bool = False) -> pa.Column:
    return pa.Column(unique=unique, description=meaning)


PAYMENTS = pa.DataFrameSchema(
    {
        "payment_id": _key("key of the payment that was asked about, one row each", unique=True),
        "at": pa.Column(_DATE, coerce=True, description="when it was asked about, without a time zone"),
        "card_id": _key("card or account: what a block stops"),
        "amount": pa.Column(
            float, pa.Check.gt(0, error="above 0"), coerce=True, description="dollars, not cents"
        ),
        "entry": pa.Column(
            checks=pa.Check.isin(list(ENTRIES), error="one of " + ", ".join(ENTRIES)),
            description="how the number came in; liability hangs on it",
        ),
        "p": pa.Column(
            float,
            pa.Check.in_range(0, 1, error="0 to 1", description="divide percentages by 100"),
            coerce=True,
            description="the model's probability of fraud, as known then",
        ),
        "blocked": pa.Column(bool, description="whether it was not charged: declined, abandoned, on a stopped card"),
        "reported_at": pa.Column(
            _DATE, coerce=True, nullable=True, description="when its holder disputed it; missing if he has not"
        ),
    },
    strict=False,
    name=WHAT,
)  # fmt: skip


def check_payments(table: pd.DataFrame) -> pd.DataFrame:
    """Hold a reader's payments against the contract and against what no contract of single columns can say.

    Parameters
    ----------
    table : pandas.DataFrame
        As :data:`PAYMENTS`; from a CSV file dates may be text. It is not changed.

    Returns
    -------
    pandas.DataFrame
        The contract's columns with its types, in the reader's order of rows.

    Raises
    ------
    ContractError
        At the first failure, in one sentence.

    Examples
    --------
    >>> row = {"payment_id": [1], "at": ["2026-03-02 10:00"], "card_id": ["x"], "amount": [20.0], "entry": ["chip"]}
    >>> check_payments(pd.DataFrame({**row, "p": [0.9], "blocked": [True], "reported_at": ["2026-03-04"]}))
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: table 'payments', column 'reported_at', row 0 must be empty where 'blocked' is
    true, got 2026-03-04 00:00:00; what was never charged cannot be disputed, so mend one of the two.
    """
    require_columns(table, [], WHAT)
    _refuse_misread(table.columns)
    require_columns(table, list(PAYMENTS.columns), WHAT)
    _refuse_cents(table["amount"])
    dates = {name: _dates(table[name], name) for name in ("at", "reported_at")}
    blocked = as_labels(table["blocked"], "blocked")
    clean = table[list(PAYMENTS.columns)].assign(**dates, blocked=blocked)
    for name in ("payment_id", "card_id", "entry"):
        if (gap := clean[name].isna().to_numpy()).any():
            refuse(_at(name, clean.index, gap), "filled in", "a missing value", "fill it in or drop the row")
    clean["entry"] = clean["entry"].astype(object)
    checked = check_frame(clean, PAYMENTS)
    _refuse_reports(checked)
    return checked


def _at(name: str, index: pd.Index, wrong: BoolArray) -> str:
    return f"{WHAT}, column {name!r}, row {shown(index[wrong][0])}"


def _refuse_misread(names: pd.Index) -> None:
    parted = [sep for sep in ";\t|," if len(names) == 1 and sep in str(names[0])]
    if parted:
        refuse(WHAT, "a table of several columns", f"one column {names[0]!r}", f"read it with sep={parted[0]!r}")
    if names.has_duplicates:
        name = names[names.duplicated()][0]
        refuse(f"{WHAT}, column {name!r}", "there once", f"it {(names == name).sum()} times", "drop all but one")
    if "amount" not in names and "amount_cents" in names:
        mend = "add amount = amount_cents / 100 and do not just rename it"
        refuse(WHAT, "a table with a column 'amount', in dollars", "'amount_cents'", mend)


def _refuse_cents(amount: pd.Series) -> None:
    if pd.api.types.is_integer_dtype(amount.dtype) and amount.median() >= CENTS:
        got = f"whole numbers with a median of {amount.median():,.0f}"
        mend = "divide cents by 100, or pass .astype(float) if these are dollars"
        refuse(f"{WHAT}, column 'amount'", "in dollars", got, mend)


def _dates(column: pd.Series, name: str) -> pd.Series:
    """Return dates without a zone, or say why they are none; a missing one is allowed in ``reported_at`` only."""
    where, must = f"{WHAT}, column {name!r}", "a date without a time zone"
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        mend = "take it to one zone and drop it: .dt.tz_convert('UTC').dt.tz_localize(None)"
        refuse(where, must, f"the zone {column.dtype.tz}", mend)
    if pd.api.types.is_numeric_dtype(column.dtype) and column.notna().any():
        got = f"the number {shown(column.dropna().iloc[0])}"
        refuse(where, must, got, f"convert it with pd.to_datetime(..., unit={_unit(column)!r})")
    read = pd.to_datetime(column, errors="coerce", format="ISO8601", utc=True)
    if (unread := (read.isna() & column.notna()).to_numpy()).any():
        refuse(_at(name, column.index, unread), must, shown(column[unread].iloc[0]), "write it as 2026-03-31 18:05")
    if name == "at" and (gap := read.isna().to_numpy()).any():
        refuse(_at(name, column.index, gap), "filled in", "a missing value", "fill it in or drop the row")
    if _zoned(column):
        refuse(where, must, shown(column.dropna().iloc[0]), "take it to one zone and cut the offset off")
    return pd.Series(read.dt.tz_localize(None).astype("datetime64[s]"))


def _zoned(column: pd.Series) -> bool:
    texts = column.dropna().astype(str) if column.dtype.kind != "M" else column.iloc[:0].astype(str)
    return bool(texts.str.contains(r"\d:\d\d.*(?:Z|[+-]\d\d:?\d\d)$", regex=True).any())


def _unit(column: pd.Series) -> str:
    size = float(column.abs().median())
    return next((unit for unit, limit in (("s", 1e11), ("ms", 1e14), ("us", 1e17)) if size < limit), "ns")


def _refuse_reports(table: pd.DataFrame) -> None:
    told = table["reported_at"]
    blocked = (told.notna() & table["blocked"]).to_numpy()
    if blocked.any():
        mend = "what was never charged cannot be disputed, so mend one of the two"
        where = _at("reported_at", table.index, blocked)
        refuse(where, "empty where 'blocked' is true", str(told[blocked].iloc[0]), mend)
    early = (told < table["at"]).to_numpy()
    if early.any():
        must = f"no earlier than 'at' ({table['at'][early].iloc[0]})"
        refuse(_at("reported_at", table.index, early), must, str(told[early].iloc[0]), "mend one of the two")
