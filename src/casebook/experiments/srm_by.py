"""Where a sample ratio mismatch sits: day by day and segment by segment, corrected for looking so often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2, chi2_contingency

from casebook._schema_words import shown
from casebook.contracts import FloatArray, refuse, require_columns
from casebook.experiments._inputs import as_outcome, open_share
from casebook.experiments.check import SRM, srm
from casebook.experiments.multiple import adjust_p
from casebook.experiments.srm_size import as_shares

_LEAST_EXPECTED = 5.0
_MOST_VALUES = 200


@dataclass(frozen=True)
class Mismatch:
    """Sample ratios in the whole test and in its parts.

    Parameters
    ----------
    whole : SRM
        Of all units together.
    table : pandas.DataFrame
        One row per part: ``by`` (column or columns), ``value``, ``units``, ``p``, ``p_holm`` (corrected over all
        parts; both missing where an arm expects fewer than 5), ``arm`` (farthest from its plan), ``residual`` (that
        arm's standardised residual, below 0 if units are missing), ``rest_p`` (of the test without this part).
    alpha : float
        Below it a (corrected) p-value counts as a mismatch.
    broken : bool
        Whether the whole or, after Holm's correction, any part contradicts the design.
    sentence : str
        Where the mismatch sits.
    """

    whole: SRM
    table: pd.DataFrame
    alpha: float
    broken: bool
    sentence: str

    def __str__(self) -> str:
        """Return the sentence."""
        return self.sentence


def srm_by(
    frame: pd.DataFrame,
    shares: Mapping[str, float],
    by: Sequence[str],
    *,
    arm: str = "arm",
    count: str | None = None,
    alpha: float = 0.01,
    crossed: bool = False,
) -> Mismatch:
    """Test the arms' sizes in every day and segment, and say which of them carries a mismatch.

    Each part is tested against the plan, with Holm's correction over all parts. A part carries the mismatch if the
    parts of its column differ from each other and the test without it agrees with the plan. Take columns that were
    known before assignment, such as the phone or the day of first exposure: a treatment may move the others.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per randomised unit, or one per group of them with their number in column ``count``.
    shares : mapping of str to float
        Planned share of each arm; they sum to 1.
    by : sequence of str
        Columns whose values are the parts, 200 at most in each.
    arm : str
        The column of the arm.
    count : str, optional
        The column of whole numbers of units, as a query that groups gives it.
    alpha : float
        For the whole test, and for all parts together.
    crossed : bool
        Whether to test each combination of the columns' values too.

    Returns
    -------
    Mismatch

    Raises
    ------
    ContractError
        A missing column, an arm that is not planned, missing values, shares that do not sum to 1, a column of too
        many values.

    References
    ----------
    Fabijan et al. (2019), Diagnosing sample ratio mismatch in online controlled experiments, KDD; Holm (1979).

    Examples
    --------
    >>> users = pd.DataFrame(
    ...     {"phone": ["fast"] * 2 + ["slow"] * 2, "arm": ["new", "old"] * 2, "users": [40_100, 39_900, 9_200, 10_000]}
    ... )
    >>> print(srm_by(users, {"new": 0.5, "old": 0.5}, ["phone"], count="users"))
    The mismatch sits in phone 'slow': 9200 units in arm 'new' where 9600 were due (standardised residual -5.8,
    corrected p = 1.6e-08); without it the test agrees with its plan (p = 0.48).
    """
    limit, part = open_share(alpha, "alpha"), as_shares(list(shares.values()), "shares")
    cells = _cells(frame, list(shares), by, arm, count)
    totals = cells.sum().to_numpy(dtype=float)
    whole = srm(totals, part, alpha=limit)
    names = [[name] for name in by] + ([list(by)] if crossed and len(by) > 1 else [])
    table = pd.concat([_parts(cells, name, part) for name in names], ignore_index=True)
    tested = table["p"].notna().to_numpy()
    table["p_holm"] = np.nan
    if tested.any():
        table.loc[tested, "p_holm"] = adjust_p(table.loc[tested, "p"], "holm")
    broken = whole.broken or bool((table["p_holm"] < limit).any())
    order = ["by", "value", "units", "p", "p_holm", "arm", "residual", "rest_p"]
    return Mismatch(whole, table[order], limit, broken, _sentence(whole, table, limit))


def residuals(counts: FloatArray, shares: FloatArray) -> FloatArray:
    """Return each arm's standardised residual, about normal with variance 1, shapes (..., arms) and (arms,)."""
    expected = counts.sum(axis=-1, keepdims=True) * shares
    return np.asarray((counts - expected) / np.sqrt(np.where(expected > 0, expected, 1.0) * (1 - shares)))


def _cells(frame: pd.DataFrame, arms: list[str], by: Sequence[str], arm: str, count: str | None) -> pd.DataFrame:
    """Return units by arm (columns), one row per combination of the columns' values."""
    if isinstance(by, str) or len(by) == 0:
        refuse("by", "a list of one or more columns", repr(by), "write by=['day', 'platform']")
    require_columns(frame, [*by, arm, *([count] if count else [])], "frame")
    for name in (*by, arm):
        _require_parts(frame[name], name, arms if name == arm else None)
    units = pd.Series(1.0, index=frame.index)
    if count is not None:
        units = pd.Series(as_outcome(frame[count], f"column {count!r}", "pass 0"), index=frame.index)
        wrong = ((units < 0) | (units % 1 != 0)).to_numpy()
        if wrong.any():
            row = int(np.argmax(wrong))
            refuse(f"column {count!r}, row {row}", "a whole number", shown(units.iloc[row]), "count the units")
    keys = [frame[name].astype(object) for name in (*by, arm)]
    grouped = units.groupby(keys, observed=True).sum().unstack(arm, fill_value=0)
    return grouped.reindex(columns=arms, fill_value=0)


def _require_parts(column: pd.Series, name: str, arms: list[str] | None) -> None:
    missing = column.isna().to_numpy()
    if missing.any():
        refuse(f"column {name!r}, row {int(np.argmax(missing))}", "filled in", "a missing value", "name it 'unknown'")
    if arms is None:
        if column.nunique() > _MOST_VALUES:
            refuse(f"column {name!r}", f"of at most {_MOST_VALUES} values", str(column.nunique()), "group it")
        return
    strange = ~column.isin(arms).to_numpy()
    if strange.any():
        row = int(np.argmax(strange))
        planned = ", ".join(map(repr, arms))
        mend = "rename it, or give it a share"
        refuse(f"column {name!r}, row {row}", f"one of {planned}", shown(column.iloc[row]), mend)


def _parts(cells: pd.DataFrame, names: list[str], shares: FloatArray) -> pd.DataFrame:
    parts = cells.groupby(level=names).sum()
    counts, totals = parts.to_numpy(dtype=float), cells.to_numpy(dtype=float).sum(axis=0)
    away = residuals(counts, shares)
    worst = np.abs(away).argmax(axis=1)
    rows = np.arange(len(parts))
    return pd.DataFrame(
        {
            "by": " x ".join(names),
            "value": list(parts.index),
            "units": counts.sum(axis=1).astype(int),
            "p": _p_of(counts, shares),
            "statistic": _chi_square(counts, shares),
            "arm": parts.columns.to_numpy()[worst],
            "residual": away[rows, worst],
            "rest_p": _p_of(totals - counts, shares),
            "seen": counts[rows, worst],
            "due": counts.sum(axis=1) * shares[worst],
            "differ_p": _differ(counts),
        }
    )


def _p_of(counts: FloatArray, shares: FloatArray) -> FloatArray:
    """Return the chi-square p-value of each row, missing where an arm expects fewer than 5."""
    expected = counts.sum(axis=1, keepdims=True) * shares
    enough = expected.min(axis=1) >= _LEAST_EXPECTED
    return np.where(enough, chi2.sf(_chi_square(counts, shares), len(shares) - 1), np.nan)


def _chi_square(counts: FloatArray, shares: FloatArray) -> FloatArray:
    expected = counts.sum(axis=1, keepdims=True) * shares
    return np.asarray(((counts - expected) ** 2 / np.where(expected > 0, expected, 1.0)).sum(axis=1))


def _differ(counts: FloatArray) -> float:
    """Return the p-value of "the arms' shares are alike in all parts"."""
    filled = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    return float(chi2_contingency(filled, correction=False).pvalue) if min(filled.shape) > 1 else 1.0


def _sentence(whole: SRM, table: pd.DataFrame, alpha: float) -> str:
    found = table[table["p_holm"] < alpha].sort_values("statistic", ascending=False, kind="stable")
    if found.empty:
        parts = int(table["p"].notna().sum())
        if not whole.broken:
            return f"No mismatch: p = {whole.p:.2g} in the whole test, and none in {parts} parts after correction."
        return f"The whole test is off (p = {whole.p:.2g}), but none of {parts} parts alone: it is spread over all."
    # The part that leaves the cleanest test behind explains most; a wider part leaves less to be off.
    alone = found[(found["differ_p"] < alpha) & ~(found["rest_p"] < alpha)]
    row = (found if alone.empty else alone).iloc[0]
    facts = _facts(row)
    if not alone.empty:
        known = row["rest_p"] >= alpha  # False where nothing is left to test
        rest = f"; without it the test agrees with its plan (p = {row['rest_p']:.2g})" if known else ""
        return f"The mismatch sits in {facts}{rest}."
    if (found["differ_p"] < alpha).any():
        return f"More than one part is off, first {facts}; without it the test is off still (p = {row['rest_p']:.2g})."
    return f"The mismatch is spread over all parts alike, first {facts}: look at assignment or logging itself."


def _facts(row: Any) -> str:
    value = " x ".join(shown(v) for v in row["value"]) if isinstance(row["value"], tuple) else _named(row["value"])
    return (
        f"{row['by']} {value}: {row['seen']:.0f} units in arm {row['arm']!r} where {row['due']:.0f} were due "
        f"(standardised residual {row['residual']:+.1f}, corrected p = {row['p_holm']:.1e})"
    )


def _named(value: Any) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else shown(value)
