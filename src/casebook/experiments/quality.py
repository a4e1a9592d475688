"""Is the table of a test fit to be read: gates on its users, arms and metrics, one sentence each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Literal, NoReturn

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook._schema_words import shown
from casebook.contracts import ContractError, refuse, require_columns
from casebook.experiments._inputs import as_outcome

Kind = Literal["number", "count", "share"]

#: What a metric may be, and what that allows.
KINDS: Mapping[Kind, str] = {
    "number": "any finite number",
    "count": "a whole number, 0 or more",
    "share": "in [0, 1]",
}
_WHAT = "the test's table"
_MENDS: Mapping[Kind, str] = {
    "number": "",
    "count": "look for refunds, resets or a difference taken in the wrong order",
    "share": "divide percentages by 100",
}


def quality_faults(
    frame: pd.DataFrame,
    arms: Sequence[str],
    metrics: Mapping[str, Kind] | Sequence[str],
    *,
    unit: str = "user",
    arm: str = "arm",
) -> tuple[str, ...]:
    """Return what is wrong with the table of a test, one sentence per fault that names its column.

    The table has one row per randomised unit: a filled-in key, an arm of the plan, and metrics without gaps (give 0
    to those who did nothing: to drop them undoes the randomisation). Rows are counted from 0 by position.

    Parameters
    ----------
    frame : pandas.DataFrame
    arms : sequence of str
        Arms of the plan, all of which must be there.
    metrics : mapping of str to {"number", "count", "share"}, or sequence of str
        Columns to read, and what each may hold (see :data:`KINDS`); in a sequence each is a number.
    unit, arm : str
        Columns of the unit's key and of its arm.

    Returns
    -------
    tuple of str
        Empty if the table may be read. Of several rows with one fault in one column only the first is named.

    Raises
    ------
    ContractError
        Only for a call that is wrong in itself: fewer than two arms, an unknown kind.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"user": [1, 2, 3, 3], "arm": ["new", "contrl", "control", "new"], "clicks": [1.0, -2.0, 0.0, 3.0]}
    ... )
    >>> for fault in quality_faults(table, ["control", "new"], {"clicks": "count"}):
    ...     print(fault)
    column 'arm', row 1 must be one of 'control', 'new', got 'contrl' in 1 row; rename it to 'control'.
    column 'user' must be in one arm for each unit, got 3 in 'control' and 'new' (1 such unit); find out how they
    crossed over before you read any effect.
    column 'clicks', row 1 must be a whole number, 0 or more, got -2.0; look for refunds, resets or a difference taken
    in the wrong order.
    """
    kinds = _as_kinds(arms, metrics)
    shape = _caught(lambda: _gate_columns(frame, [unit, arm, *kinds]))
    if shape:
        return shape
    gates: list[Callable[[], None]] = [
        lambda: _gate_filled(frame[unit], unit),
        lambda: _gate_arm(frame[arm], arm, list(arms)),
        lambda: _gate_unit(frame, unit, arm),
        *(_gate_of(frame[name], name, kind) for name, kind in kinds.items()),
    ]
    return tuple(text for gate in gates for text in _caught(gate))


def check_quality(
    frame: pd.DataFrame,
    arms: Sequence[str],
    metrics: Mapping[str, Kind] | Sequence[str],
    *,
    unit: str = "user",
    arm: str = "arm",
) -> None:
    """Refuse the table of a test at its first fault; the rules of :func:`quality_faults`.

    Parameters
    ----------
    frame, arms, metrics, unit, arm
        As in :func:`quality_faults`.

    Raises
    ------
    ContractError
        With that fault's sentence.

    Examples
    --------
    >>> half = pd.DataFrame({"user": [1, 2], "arm": ["new", "new"], "clicks": [1, 2]})
    >>> check_quality(half, ["old", "new"], ["clicks"])
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: column 'arm' must be every arm of the plan in some row, got none of 'old'; pass
    all arms in one table.
    """
    faults = quality_faults(frame, arms, metrics, unit=unit, arm=arm)
    if faults:
        raise ContractError(faults[0])


def _as_kinds(arms: Sequence[str], metrics: Mapping[str, Kind] | Sequence[str]) -> dict[str, Kind]:
    if isinstance(arms, str) or len(set(arms)) < 2:
        refuse("arms", "two or more names", repr(arms), "pass those of the plan, such as ['control', 'new']")
    if isinstance(metrics, str) or not metrics:
        refuse("metrics", "one or more columns", repr(metrics), "pass {'clicks': 'count'} or ['clicks']")
    kinds = dict(metrics) if isinstance(metrics, Mapping) else dict.fromkeys(metrics, "number")
    for name, kind in kinds.items():
        if kind not in KINDS:
            refuse(f"the kind of {name!r}", "one of " + ", ".join(map(repr, KINDS)), repr(kind), "take 'number'")
    return kinds  # type: ignore[return-value]


def _caught(gate: Callable[[], None]) -> tuple[str, ...]:
    try:
        gate()
    except ContractError as error:
        return (str(error),)
    return ()


def _gate_columns(frame: pd.DataFrame, columns: list[str]) -> None:
    require_columns(frame, columns, _WHAT)
    twice = next((name for name in columns if (frame.columns == name).sum() > 1), None)
    if twice is not None:
        refuse(_WHAT, f"a table with one column {twice!r}", "several", "drop or rename those that are not meant")


def _gate_filled(column: pd.Series, name: str) -> None:
    missing = column.isna().to_numpy(dtype=bool)
    if missing.any():
        row, got = int(np.argmax(missing)), f"a missing value in {_rows(missing)}"
        refuse(f"column {name!r}, row {row}", "filled in", got, "take it from the log of assignments")


def _gate_arm(column: pd.Series, name: str, arms: list[str]) -> None:
    _gate_filled(column, name)
    strange = ~column.isin(arms).to_numpy(dtype=bool)
    if strange.any():
        _refuse_arm(column, strange, name, arms)
    there = set(column.unique().tolist())
    absent = [word for word in arms if word not in there]
    if absent:
        got = "none of " + ", ".join(map(repr, absent))
        refuse(f"column {name!r}", "every arm of the plan in some row", got, "pass all arms in one table")


def _refuse_arm(column: pd.Series, strange: npt.NDArray[np.bool_], name: str, arms: list[str]) -> NoReturn:
    row = int(np.argmax(strange))
    value = column.iloc[row]
    must = "one of " + ", ".join(map(repr, arms))
    if not isinstance(value, str):
        refuse(f"column {name!r}, row {row}", must, shown(value), "map it to those names")
    same = strange & (column == value).to_numpy(dtype=bool)
    lowered = {word.lower(): word for word in arms}
    near = get_close_matches(value.strip().lower(), list(lowered), n=1)
    mend = f"rename it to {lowered[near[0]]!r}" if near else "rename it, or add it to the plan"
    refuse(f"column {name!r}, row {row}", must, f"{shown(value)} in {_rows(same)}", mend)


def _gate_unit(frame: pd.DataFrame, unit: str, arm: str) -> None:
    known = frame[[unit, arm]].dropna()
    repeated = known[known[unit].duplicated(keep=False)]
    if repeated.empty:
        return
    several = repeated.groupby(unit, sort=False, observed=True)[arm].nunique()
    both = several[several > 1]
    if both.empty:
        got = f"{shown(repeated[unit].iloc[0])} more than once ({_count(len(several), 'such unit')})"
        refuse(f"column {unit!r}", "unique", got, "add up the metrics of each unit first")
    key = both.index[0]
    words = " and ".join(map(shown, sorted(repeated.loc[repeated[unit] == key, arm].unique(), key=str)))
    got = f"{shown(key)} in {words} ({_count(len(both), 'such unit')})"
    mend = "find out how they crossed over before you read any effect"
    refuse(f"column {unit!r}", "in one arm for each unit", got, mend)


def _gate_of(column: pd.Series, name: str, kind: Kind) -> Callable[[], None]:
    return lambda: _gate_metric(column, name, kind)


def _gate_metric(column: pd.Series, name: str, kind: Kind) -> None:
    values = as_outcome(column, f"column {name!r}", "give every unit one, 0 if it did nothing")
    wrong: npt.NDArray[np.bool_] = np.zeros(len(values), dtype=bool)
    if kind == "count":
        wrong = (values < 0) | (values % 1 != 0)
    elif kind == "share":
        wrong = (values < 0) | (values > 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        mend = "add up whole events, or call it a 'number'" if kind == "count" and values[row] > 0 else _MENDS[kind]
        refuse(f"column {name!r}, row {row}", KINDS[kind], shown(values[row]), mend)


def _rows(wrong: npt.NDArray[np.bool_]) -> str:
    return _count(int(wrong.sum()), "row")


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"
