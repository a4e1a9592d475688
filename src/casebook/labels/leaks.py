"""A leakage test that needs no model: change the future, and see which features notice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

import numpy as np
import pandas as pd

from casebook._schema_words import shown
from casebook.contracts import refuse, require_columns
from casebook.labels._dates import Moment, date_column, moment, shown_date

Tables = dict[str, pd.DataFrame]
Build = Callable[[Tables, pd.Timestamp], pd.DataFrame]
Future = Literal["permute", "drop"]

ROWS = "(rows)"
# A running sum over all rows rounds differently when later rows go; no leak worth finding is this small.
_ROUNDING = 1e-9


def shuffle_future(
    tables: Mapping[str, pd.DataFrame],
    at: Moment,
    *,
    times: Mapping[str, str],
    rng: np.random.Generator,
    how: Future = "permute",
) -> Tables:
    """Return copies of event tables whose rows at or after ``at`` are scrambled or gone.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        Event tables by name; they are not changed.
    at : str, date or Timestamp
        The prediction time.
    times : mapping of str to str
        The time column of each table that has one. A table that is not named is passed on as it is.
    rng : numpy.random.Generator
    how : {"permute", "drop"}
        ``"permute"`` shuffles each column but the time, on its own, among the rows at or after ``at``: values
        change their units. ``"drop"`` leaves those rows out.

    Returns
    -------
    dict of str to pandas.DataFrame
        Rows before ``at`` are as they were.

    Raises
    ------
    ContractError
        A time column of no table, a missing column or date, a ``how`` that is not offered.

    Examples
    --------
    >>> visits = pd.DataFrame({"unit_id": [1, 2, 3], "on": ["2025-01-01", "2025-01-05", "2025-01-09"]})
    >>> rng = np.random.default_rng(0)
    >>> shuffle_future({"visits": visits}, "2025-01-05", times={"visits": "on"}, rng=rng, how="drop")["visits"]
       unit_id          on
    0        1  2025-01-01
    """
    if how not in get_args(Future):
        refuse("how", f"one of {', '.join(map(repr, get_args(Future)))}", repr(how), "take one of these")
    future = _future_rows(tables, moment(at, "at"), times)
    changed = {name: frame.copy() for name, frame in tables.items()}
    for name, rows in future.items():
        if how == "drop":
            changed[name] = changed[name].loc[~rows]
        else:
            changed[name] = _permuted(changed[name], np.flatnonzero(rows), times[name], rng)
    return changed


def leaking_columns(
    build: Build,
    tables: Mapping[str, pd.DataFrame],
    at: Moment,
    *,
    times: Mapping[str, str],
    rng: np.random.Generator,
) -> list[str]:
    """Return the feature columns that change when rows at or after ``at`` are dropped or permuted.

    A feature that knows nothing of the future is the same on both. The test sees what reaches a feature through
    dated rows; a value that was overwritten in place after ``at`` bears no date and goes unseen.

    Parameters
    ----------
    build : callable
        ``build(tables, at)`` returns the features, one row per unit, with the units as index.
    tables, at, times, rng
        As in :func:`shuffle_future`.

    Returns
    -------
    list of str
        In the order of the features, those that appear only on changed tables last. ``"(rows)"`` comes first if
        the future decides which units are there at all.

    Raises
    ------
    ContractError
        As :func:`shuffle_future`; no rows at or after ``at``; ``build`` returns no frame, a unit twice, or
        something else on a second call.

    References
    ----------
    Kaufman, Rosset, Perlich and Stitelman (2012), Leakage in data mining, ACM TKDD 6.

    Examples
    --------
    >>> visits = pd.DataFrame({"unit_id": [1, 2, 2], "on": pd.to_datetime(["2025-01-01", "2025-01-02", "2025-01-09"])})
    >>> def build(tables, at):
    ...     rows = tables["visits"]
    ...     past = rows[rows["on"] < at].groupby("unit_id").size()
    ...     return pd.DataFrame({"past": past, "ever": rows.groupby("unit_id").size()})
    >>> leaking_columns(build, {"visits": visits}, "2025-01-05", times={"visits": "on"}, rng=np.random.default_rng(0))
    ['ever']
    """
    cut = moment(at, "at")
    if not any(rows.any() for rows in _future_rows(tables, cut, times).values()):
        must = f"tables with rows at or after {shown_date(cut)} (at)"
        refuse("tables", must, "none", "take an earlier time, or no leak can show")
    when = pd.Timestamp(cut)
    truth = _features(build, {name: frame.copy() for name, frame in tables.items()}, when)
    again = _features(build, {name: frame.copy() for name, frame in tables.items()}, when)
    if unstable := _differing(truth, again):
        mend = "give its random generator a fixed seed"
        refuse("build", "the same on the same tables", f"another {unstable[0]!r} on a second call", mend)
    found: set[str] = set()
    order = [ROWS, *map(str, truth.columns)]
    for how in get_args(Future):
        other = _features(build, shuffle_future(tables, at, times=times, rng=rng, how=how), when)
        changed = _differing(truth, other)
        order += [name for name in changed if name not in order]
        found.update(changed)
    return [name for name in order if name in found]


def _future_rows(
    tables: Mapping[str, pd.DataFrame], cut: np.datetime64, times: Mapping[str, str]
) -> dict[str, np.ndarray]:
    for name in times:
        if name not in tables:
            refuse(f"times[{name!r}]", "of a table in tables", f"tables {list(tables)}", "mend the name")
        if len(tables[name]):
            require_columns(tables[name], [times[name]], name)
    return {name: date_column(tables[name][time], f"{name}, column {time!r}") >= cut for name, time in times.items()}


def _permuted(frame: pd.DataFrame, rows: np.ndarray, time: str, rng: np.random.Generator) -> pd.DataFrame:
    columns = {}
    for place, name in enumerate(frame.columns):
        source = np.arange(len(frame))
        if name != time:
            source[rows] = rng.permutation(rows)
        columns[name] = frame.iloc[:, place].array.take(source)
    return pd.DataFrame(columns, index=frame.index)


def _features(build: Build, tables: Tables, at: pd.Timestamp) -> pd.DataFrame:
    features = build(tables, at)
    if not isinstance(features, pd.DataFrame):
        refuse("what build returns", "a pandas DataFrame", type(features).__name__, "return the feature table")
    twice = features.index.duplicated()
    if twice.any():
        unit = features.index[int(np.argmax(twice))]
        refuse(
            "what build returns", "indexed by unit, one row each", f"{shown(unit)} twice", "set the unit as its index"
        )
    return features


def _differing(truth: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    shared = truth.index.intersection(other.index, sort=False)
    rows = [ROWS] if len(shared) < max(len(truth), len(other)) else []
    left, right = truth.loc[shared], other.loc[shared]
    changed = [str(name) for name in truth.columns if name not in other.columns or not _same(left[name], right[name])]
    return rows + changed + [str(name) for name in other.columns if name not in truth.columns]


def _same(left: pd.Series, right: pd.Series) -> bool:
    if not left.isna().equals(right.isna()):
        return False
    given = left.notna()
    if all(pd.api.types.is_numeric_dtype(side) for side in (left, right)):
        a, b = (side[given].to_numpy(dtype=float) for side in (left, right))
        return bool(np.allclose(a, b, rtol=_ROUNDING, atol=_ROUNDING))
    return bool((left[given].astype(object) == right[given].astype(object)).all())
