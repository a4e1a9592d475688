"""What pandera found, in the words of the house: what, must be, got, mend."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

Sentence = tuple[str, str, str, str]

_MANY_COLUMNS = 8
_CHECK_WORDS: Mapping[str, str] = {
    "in_range": "between {min_value} and {max_value}",
    "greater_than": "above {min_value}",
    "greater_than_or_equal_to": "at least {min_value}",
    "less_than": "below {max_value}",
    "less_than_or_equal_to": "at most {max_value}",
    "isin": "one of {allowed_values}",
    "str_matches": "text that matches {pattern}",
}


def shown(value: object) -> str:
    """Return a value as a sentence shows it: numpy's wrapping removed, text quoted."""
    return repr(value.item() if isinstance(value, np.generic) else value)


def missing_column(frame: pd.DataFrame, column: str, what: str, wanted: Collection[str]) -> Sentence:
    """Return the sentence for a column that is not there, with the likeliest misspelling.

    A column that is itself wanted is never the misspelling: cost_fp is no cost_fn.
    """
    names = [str(name) for name in frame.columns]
    lowered = {name.lower(): name for name in names if name not in wanted}
    near = get_close_matches(column.lower(), list(lowered), n=1)
    mend = f"rename {lowered[near[0]]!r} to {column!r}" if near else f"add {column!r} or rename one of yours"
    listed = ", ".join(repr(name) for name in names[:_MANY_COLUMNS]) + ", ..." * (len(names) > _MANY_COLUMNS)
    got = listed if names else "no columns"
    return what, f"a table with a column {column!r}", got, mend


def schema_sentence(error: Any, frame: pd.DataFrame, what: str) -> Sentence:
    """Return the four parts of the sentence for one pandera ``SchemaError``."""
    reason = error.reason_code.name
    row, got = _first_case(error.failure_cases)
    if reason == "COLUMN_NOT_IN_DATAFRAME":
        return missing_column(frame, str(got), what, list(error.schema.columns))
    if reason == "COLUMN_NOT_IN_SCHEMA":
        must = "a table of the contract's columns only"
        return what, must, f"a column {got!r}", f"drop {got!r}"
    column = None if hasattr(error.schema, "columns") else error.schema.name
    where = what if column is None else f"{what}, column {column!r}"
    if reason in ("WRONG_DATATYPE", "DATATYPE_COERCION"):
        return _type_sentence(error, frame, where, column)
    if row is not None:
        where = f"{where}, row {row!r}"
    if reason == "SERIES_CONTAINS_NULLS":
        return where, "filled in", "a missing value", "fill it in or drop the row"
    if reason in ("SERIES_CONTAINS_DUPLICATES", "DUPLICATES"):
        return where, "unique", f"{shown(got)} more than once", "drop the duplicate rows or aggregate them"
    mend = getattr(error.check, "description", None) or "mend or drop it"
    return where, _check_words(error.check), shown(got), mend


def _type_sentence(error: Any, frame: pd.DataFrame, where: str, column: str | None) -> Sentence:
    must = str(getattr(error.schema, "dtype", error.check))
    got = "another type" if column is None else f"type {frame[column].dtype}"
    if column is not None and pd.api.types.is_string_dtype(frame[column].dtype):
        got = "text"  # which pandas calls object or str, by version
    return where, f"of type {must}", got, "convert it with .astype(...) or pd.to_numeric"


def _check_words(check: Any) -> str:
    name, facts = getattr(check, "name", None), getattr(check, "statistics", None) or {}
    if isinstance(name, str) and name in _CHECK_WORDS:
        return _CHECK_WORDS[name].format(**facts)
    return str(getattr(check, "error", None) or name or check)


def _first_case(cases: Any) -> tuple[Any, Any]:
    """Row label (None if there is none) and value of the first failure."""
    if not isinstance(cases, pd.DataFrame):
        return None, cases
    if cases.empty:
        return None, None
    label = cases["index"].iloc[0] if "index" in cases else None
    label = label.item() if isinstance(label, np.generic) else label
    return (None if pd.isna(label) else label), cases["failure_case"].iloc[0]
