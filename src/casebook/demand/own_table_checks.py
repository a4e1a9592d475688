"""What a reader's own tables are refused for, each in one sentence."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from casebook._schema_words import shown
from casebook.contracts import BoolArray, as_labels, check_frame, refuse, require_columns
from casebook.demand.own_table_contract import CELL, CONTRACTS, DATES, MONEY, Own

CENTS = 100  # whole prices with a median of so much are taken for cents


def check_own(
    sales: pd.DataFrame,
    products: pd.DataFrame,
    promotions: pd.DataFrame | None = None,
    overrides: pd.DataFrame | None = None,
    columns: Mapping[str, str] | None = None,
) -> Own:
    """Hold a reader's tables against :data:`casebook.demand.own_table_contract.CONTRACTS` and against each other.

    Parameters
    ----------
    sales, products : pandas.DataFrame
        From a CSV file dates may be text, in the order year, month, day. They are not changed.
    promotions, overrides : pandas.DataFrame, optional
    columns : mapping of str to str, optional
        Name in the contract -> name in your tables, for those that differ.

    Returns
    -------
    Own

    Raises
    ------
    ContractError
        At the first failure, in one sentence.

    Examples
    --------
    >>> mine = pd.DataFrame({"shop": ["a"] * 2, "sku_id": 7, "date": ["2026-03-02", "2026-03-04"], "sold": [3, 1]})
    >>> price = pd.DataFrame({"sku_id": [7], "price": 3.0, "cost": 1.8, "salvage": 0.3, "case_pack": 6})
    >>> check_own(mine, price, columns={"store_id": "shop"})
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: table 'sales', store 'a', product 7 must be there on every day from its first to
    its last, got no row from 2026-03-03 to 2026-03-03; write days without a sale as 0.
    """
    given = {"sales": sales, "products": products, "promotions": promotions, "overrides": overrides}
    renamed = {name: _renamed(table, name, columns or {}) for name, table in given.items() if table is not None}
    _refuse_unknown_names(given, columns or {})
    own = {name: _checked(table, name) for name, table in renamed.items()}
    for name in ("promotions", "overrides"):
        own.setdefault(name, pd.DataFrame({one: [] for one in CONTRACTS[name].columns}))
        _refuse_turned(own[name], name)
    own["sales"] = _checked_sales(own["sales"])
    _refuse_costs(own["products"])
    for name in ("sales", "promotions"):
        _refuse_strangers(own[name]["sku_id"], own["products"]["sku_id"], name)
    _refuse_closed(own["overrides"], own["sales"])
    return Own(**own)


def _renamed(table: pd.DataFrame, name: str, columns: Mapping[str, str]) -> pd.DataFrame:
    what = f"table '{name}'"
    require_columns(table, [], what)
    names = table.columns
    parted = [sep for sep in ";\t|" if len(names) == 1 and sep in str(names[0])]
    if parted:
        refuse(what, "a table of several columns", f"one column {names[0]!r}", f"read it with sep={parted[0]!r}")
    wanted = CONTRACTS[name].columns
    found = table.rename(columns={yours: ours for ours, yours in columns.items() if ours in wanted and yours in names})
    if found.columns.has_duplicates:
        twice = found.columns[found.columns.duplicated()][0]
        times = int((found.columns == twice).sum())
        refuse(f"{what}, column {twice!r}", "there once", f"it {times} times", "drop all but one")
    return found


def _refuse_unknown_names(tables: Mapping[str, pd.DataFrame | None], columns: Mapping[str, str]) -> None:
    ours = {name for contract in CONTRACTS.values() for name in contract.columns}
    theirs = {str(name) for table in tables.values() if table is not None for name in table.columns}
    for name, yours in columns.items():
        if name not in ours:
            refuse("columns", "from names of the contract to yours", f"{name!r}", "turn the pair round or correct it")
        if yours not in theirs:
            refuse(f"columns[{name!r}]", "a column of your tables", repr(yours), "copy its spelling")


def _checked(table: pd.DataFrame, name: str) -> pd.DataFrame:
    contract, what = CONTRACTS[name], f"table '{name}'"
    require_columns(table, [one for one, column in contract.columns.items() if column.required], what)
    clean = table[[one for one in contract.columns if one in table.columns]].copy()
    for one in clean.columns:
        if one in DATES:
            clean[one] = _dates(clean[one], what, one)
        elif one in MONEY:
            _refuse_cents(clean[one], f"{what}, column {one!r}")
        elif one == "stocked_out":
            clean[one] = as_labels(clean[one], one)
        elif isinstance(clean[one].dtype, pd.CategoricalDtype):
            clean[one] = clean[one].astype(object)  # as a key, a word without rows would be a cell without days
        if (gap := clean[one].isna().to_numpy()).any():
            refuse(_at(what, one, clean, gap), "filled in", "a missing value", "fill it in or drop the row")
    return check_frame(clean, contract)


def _at(what: str, column: str, table: pd.DataFrame | pd.Series, wrong: BoolArray) -> str:
    return f"{what}, column {column!r}, row {shown(table.index[wrong][0])}"


def _refuse_cents(money: pd.Series, where: str) -> None:
    if pd.api.types.is_integer_dtype(money.dtype) and money.median() >= CENTS:
        mend = "divide cents by 100, or pass .astype(float) if these are dollars"
        refuse(where, "in dollars", f"whole numbers with a median of {money.median():,.0f}", mend)


def _dates(column: pd.Series, what: str, name: str) -> pd.Series:
    where, must = f"{what}, column {name!r}", "a day without a time"
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        refuse(where, must, f"the zone {column.dtype.tz}", "drop it: .dt.tz_localize(None).dt.normalize()")
    if pd.api.types.is_numeric_dtype(column.dtype) and column.notna().any():
        got = f"the number {shown(column.dropna().iloc[0])}"
        refuse(where, must, got, "convert it with pd.to_datetime(..., format='%Y%m%d')")
    read = pd.to_datetime(column, errors="coerce", format="ISO8601", utc=True)
    if (unread := (read.isna() & column.notna()).to_numpy()).any():
        row = _at(what, name, pd.DataFrame(index=column.index), unread)
        refuse(row, must, shown(column[unread].iloc[0]), "write it as 2026-03-31")
    days = pd.Series(read.dt.tz_localize(None).astype("datetime64[s]"))
    if (timed := (days.notna() & (days != days.dt.normalize())).to_numpy()).any():
        row = _at(what, name, pd.DataFrame(index=column.index), timed)
        refuse(row, must, str(days[timed].iloc[0]), "add up each day's rows, or cut the time off")
    return days


def _refuse_turned(table: pd.DataFrame, name: str) -> None:
    wrong = (table["last_day"] < table["first_day"]).to_numpy()
    if wrong.any():
        first, last = (f"{table[day][wrong].iloc[0]:%Y-%m-%d}" for day in ("first_day", "last_day"))
        refuse(_at(f"table '{name}'", "last_day", table, wrong), f"{first} (its first day) or later", last, "swap them")


def _checked_sales(sales: pd.DataFrame) -> pd.DataFrame:
    rows = sales.sort_values([*CELL, "date"], kind="stable")
    same = (rows[CELL] == rows[CELL].shift()).all(axis=1).to_numpy()
    step = rows["date"].diff().dt.days.to_numpy()
    if (twice := same & (step == 0)).any():
        row = rows[twice].iloc[0]
        mend = "drop the copies, or add them up with groupby(...).sum()"
        refuse(f"{_cell(row)}, {row['date']:%Y-%m-%d}", "one row", "more than one", mend)
    if (gap := same & (step > 1)).any():
        place = int(np.argmax(gap))
        row, day = rows.iloc[place], pd.Timedelta(days=1)
        got = f"no row from {rows['date'].iloc[place - 1] + day:%Y-%m-%d} to {row['date'] - day:%Y-%m-%d}"
        refuse(_cell(row), "there on every day from its first to its last", got, "write days without a sale as 0")
    if {"stocked_out", "stock_close"} <= set(sales):
        left = (sales["stocked_out"] & (sales["stock_close"] > 0)).to_numpy()
        if left.any():
            got = f"true with {sales['stock_close'][left].iloc[0]:g} left"
            where = _at("table 'sales'", "stocked_out", sales, left)
            refuse(where, "false where 'stock_close' is above 0", got, "find out which of the two is wrong")
    return rows.reset_index(drop=True)


def _cell(row: pd.Series) -> str:
    return f"table 'sales', store {shown(row['store_id'])}, product {shown(row['sku_id'])}"


def _refuse_costs(products: pd.DataFrame) -> None:
    goodwill = products.get("goodwill", 0.0)
    for column, most, words, mend in (
        ("cost", products["price"] + goodwill, "below what a sale brings", "correct it, or leave the product out"),
        ("salvage", products["cost"], "below 'cost'", "take holding, space and doubt off; else no order is too large"),
    ):
        wrong = (products[column] >= most).to_numpy()
        if wrong.any():
            got, limit = products[column][wrong].iloc[0], most[wrong].iloc[0]
            refuse(_at("table 'products'", column, products, wrong), f"{words} ({limit:g})", f"{got:g}", mend)


def _refuse_strangers(keys: pd.Series, known: pd.Series, name: str) -> None:
    wrong = ~keys.isin(known).to_numpy()
    if wrong.any():
        got, mend = shown(keys[wrong].iloc[0]), "add it there, and read both keys as one type"
        refuse(f"table '{name}', column 'sku_id'", "a product of table 'products'", got, mend)


def _refuse_closed(overrides: pd.DataFrame, sales: pd.DataFrame) -> None:
    ends = sales.groupby("store_id")["date"].max()
    _refuse_unknown_store(overrides, ends)
    last = overrides["store_id"].map(ends)
    wrong = (last < sales["date"].max()).to_numpy()
    if wrong.any():
        store = shown(overrides["store_id"][wrong].iloc[0])
        got = f"store {store}, whose sales end on {last[wrong].iloc[0]:%Y-%m-%d}"
        refuse(_at("table 'overrides'", "store_id", overrides, wrong), "a store that is open", got, "drop it")


def _refuse_unknown_store(overrides: pd.DataFrame, ends: pd.Series) -> None:
    wrong = ~overrides["store_id"].isin(ends.index).to_numpy()
    if wrong.any():
        got = shown(overrides["store_id"][wrong].iloc[0])
        refuse(_at("table 'overrides'", "store_id", overrides, wrong), "a store of table 'sales'", got, "correct it")
