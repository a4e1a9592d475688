"""The contract of a reader's own tables: sales and products always, promotions and overrides if there are any."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pandera.pandas as pa

DATE = "datetime64[s]"
DATES = ("date", "first_day", "last_day", "announced_on")
MONEY = ("price", "cost", "salvage", "goodwill")


CELL = ["store_id", "sku_id"]


def _key(meaning: str, unique: bool = False) -> pa.Column:
    return pa.Column(unique=unique, description=meaning)


def _date(meaning: str, required: bool = True) -> pa.Column:
    return pa.Column(DATE, coerce=True, required=required, description=meaning)


def _number(meaning: str, *checks: pa.Check, required: bool = True) -> pa.Column:
    return pa.Column(float, list(checks), coerce=True, required=required, description=meaning)


def _least(least: float, mend: str | None = None) -> pa.Check:
    return pa.Check.ge(least, error=f"{least:g} or more", description=mend)


def _whole(mend: str) -> pa.Check:
    return pa.Check(lambda units: units % 1 == 0, name="whole", error="a whole number", description=mend)


_ABOVE = pa.Check.gt(0, error="above 0")
_SHARE = pa.Check.in_range(0, 0.9, error="0 to 0.9", description="divide percentages by 100")
_UNITS = _whole("count units, or choose a smaller one, such as 100 grams")

#: Table -> its columns.
CONTRACTS: dict[str, pa.DataFrameSchema] = {
    name: pa.DataFrameSchema(columns, strict=False, name=f"table '{name}'")
    for name, columns in {
        "sales": {
            "store_id": _key("store"),
            "sku_id": _key("product"),
            "date": _date("day, without a time; a row for every day from a cell's first to its last"),
            "sold": _number("units", _least(0, "put returns into a column of their own"), _UNITS),
            "stocked_out": pa.Column(bool, required=False, description="the shelf ran empty on that day"),
            "stock_close": _number("units at the close", _least(0), required=False),
        },
        "products": {
            "sku_id": _key("key, one row each", unique=True),
            "price": _number("dollars, not cents", _ABOVE),
            "cost": _number("what a unit costs you, dollars", _ABOVE),
            "salvage": _number("what a unit left at the next delivery is worth then, dollars", _least(0)),
            "goodwill": _number("what a customer who finds none costs besides the margin", _least(0), required=False),
            "case_pack": _number("units in a case", _least(1), _whole("count whole units")),
            "category": pa.Column(required=False, description="its shelf"),
        },
        "promotions": {
            "sku_id": _key("product"),
            "first_day": _date("first day"),
            "last_day": _date("last day"),
            "announced_on": _date("day by which it was known; else two weeks before it starts", required=False),
            "discount": _number("share off the price", _SHARE),
        },
        "overrides": {
            "store_id": _key("store"),
            "first_day": _date("first day of demand that it is about"),
            "last_day": _date("last day"),
            "factor": _number("what the forecast is multiplied by", _least(0)),
        },
    }.items()
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Own:
    """Checked tables with the contract's names and types.

    Attributes
    ----------
    sales : pandas.DataFrame
        Sorted by store, product and date; ``stocked_out`` and ``stock_close`` only if they were given.
    products : pandas.DataFrame
    promotions, overrides : pandas.DataFrame
        Without rows if there were none.
    """

    sales: pd.DataFrame
    products: pd.DataFrame
    promotions: pd.DataFrame
    overrides: pd.DataFrame
