"""The contract of a screening table: the same for the simulator's cases and for a reader's own."""

from __future__ import annotations

import pandera.pandas as pa


def _number(check: pa.Check, meaning: str) -> pa.Column:
    return pa.Column(float, check, coerce=True, description=meaning)


#: One row a case. A reader's own table needs these columns and may hold any others.
CASES = pa.DataFrameSchema(
    {
        "case_id": pa.Column(unique=True, description="key of the case, one row each"),
        "p": _number(pa.Check.in_range(0, 1, error="0 to 1"), "model's probability that the case is bad"),
        "cost_fp": _number(pa.Check.ge(0, error="0 or more"), "dollars lost by stopping it if it is good"),
        "cost_fn": _number(pa.Check.ge(0, error="0 or more"), "dollars lost by passing it if it is bad"),
        "y": pa.Column(
            int, pa.Check.isin([0, 1], error="0 or 1"), required=False, description="1 if it turned out bad, once known"
        ),
    },
    strict=False,
)


def contract() -> list[tuple[str, str, str, str]]:
    """Return the contract's rows: column, type, allowed values, meaning.

    Examples
    --------
    >>> contract()[1]
    ('p', 'number', '0 to 1', "model's probability that the case is bad")
    """
    rows = []
    for name, column in CASES.columns.items():
        allowed = "; ".join(str(check.error) for check in column.checks) or "each once"
        kind = "whole number" if str(column.dtype).startswith("int") else "number" if column.dtype else "any"
        rows.append((name + ("" if column.required else " (optional)"), kind, allowed, column.description))
    return rows
