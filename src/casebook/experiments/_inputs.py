"""What the room's functions may be given: arms, outcomes, clusters, and the numbers of a plan."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from casebook._columns import is_numeric, kind_of, raw_column
from casebook._schema_words import shown
from casebook.contracts import (
    BoolArray,
    FloatArray,
    as_labels,
    refuse,
    require_length,
    require_same_order,
)

IntArray = npt.NDArray[np.intp]

_KEEP_ALL = "give every randomised unit one, for dropping some undoes the randomisation"


def as_outcome(values: npt.ArrayLike, what: str, mend: str = _KEEP_ALL) -> FloatArray:
    """Return finite numbers (bools become 0 and 1) as a fresh float array, shape (n,)."""
    raw = raw_column(values, what)
    if raw.dtype == object and pd.isna(raw).any():
        refuse(f"{what}, row {int(np.argmax(pd.isna(raw)))}", "a finite number", "a missing value", mend)
    if not (is_numeric(raw) or raw.dtype == bool):
        _refuse_words(raw, what)
    array = raw.astype(float)
    wrong = ~np.isfinite(array)
    if wrong.any():
        row = int(np.argmax(wrong))
        got = "a missing value" if np.isnan(array[row]) else shown(array[row])
        refuse(f"{what}, row {row}", "a finite number", got, mend)
    return array


def _refuse_words(raw: npt.NDArray[Any], what: str) -> NoReturn:
    row = next((row for row, value in enumerate(raw) if isinstance(value, str)), None)
    if row is None:
        refuse(what, "numbers or bools", f"{shown(raw[0])} in row 0", "convert it with .astype(float)")
    mend = "strip signs and units, or read a decimal comma with pandas.read_csv(..., decimal=',')"
    refuse(what, "numbers or bools", f"{shown(raw[row])} in row {row}", mend)


def as_arms(treated: npt.ArrayLike, n: int, partner: object, names: tuple[str, str] = ("y", "treated")) -> BoolArray:
    """Return the arm of each of n units, True = treated; both arms must be there."""
    arms = as_labels(treated, names[1])
    require_length(arms, n, names[1])
    require_same_order(partner, treated, " and ".join(names))
    if arms.all() or not arms.any():
        got = f"{int(arms[0])} in every row"
        refuse(names[1], "1 in some rows and 0 in others", got, "pass both arms in one table")
    return arms


def as_groups(values: npt.ArrayLike, n: int, what: str) -> tuple[IntArray, list[Hashable]]:
    """Return a code of each row, shape (n,), and the labels the codes stand for, sorted."""
    raw = raw_column(values, what)
    require_length(raw, n, what)
    missing = pd.isna(raw)
    if missing.any():
        row = int(np.argmax(missing))
        refuse(f"{what}, row {row}", "filled in", "a missing value", "give a unit that stands alone a label of its own")
    codes, labels = pd.factorize(raw, sort=True)
    return codes, list(labels)


def as_clusters(cluster: npt.ArrayLike | None, arms: BoolArray, partner: object) -> IntArray | None:
    """Return the cluster code of each unit, or None; each cluster must lie in one arm."""
    if cluster is None:
        return None
    require_same_order(partner, cluster, "y and cluster")
    codes, labels = as_groups(cluster, len(arms), "cluster")
    size = np.bincount(codes)
    mixed = (np.bincount(codes, weights=arms) % size) > 0
    if mixed.any():
        label = shown(labels[int(np.argmax(mixed))])
        refuse(f"cluster {label}", "in one arm", "both", "randomise whole clusters or drop cluster=")
    return codes


def require_two_each(arms: BoolArray, codes: IntArray | None) -> None:
    """Refuse an arm that is too small to show its own spread."""
    unit = "units" if codes is None else "clusters"
    for name, rows in (("treated", arms), ("control", ~arms)):
        count = int(rows.sum()) if codes is None else len(np.unique(codes[rows]))
        if count < 2:
            refuse(f"the {name} arm", f"at least two {unit}", str(count), "one alone shows no spread, so wait for more")


def one_number(value: object, what: str) -> float:
    """Return one finite number."""
    good = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not good:
        refuse(what, "one number", kind_of(value), "pass a single number")
    number = float(value)  # type: ignore[arg-type]
    if not np.isfinite(number):
        refuse(what, "a finite number", shown(number), "fill it in")
    return number


def above_zero(value: object, what: str) -> float:
    """Return one number above 0."""
    number = one_number(value, what)
    if number <= 0:
        refuse(what, "above 0", shown(value), "pass what the plan has of it")
    return number


def open_share(value: object, what: str) -> float:
    """Return one number strictly between 0 and 1."""
    number = one_number(value, what)
    if not 0 < number < 1:
        mend = "divide percentages by 100" if 1 < number < 100 else "pass a share"
        refuse(what, "above 0 and below 1", shown(value), mend)
    return number


def as_level(level: object) -> float:
    """Return the confidence level of an interval."""
    return open_share(level, "level")


def upper_normal(alpha: object, sides: object) -> float:
    """Return the critical value of a normal test with one or two sides."""
    error = open_share(alpha, "alpha")
    if sides not in (1, 2):
        refuse("sides", "1 or 2", shown(sides), "take 2 unless only one direction can lead to an action")
    return float(norm.isf(error / int(sides)))


def power_normal(power: object) -> float:
    """Return the normal quantile of a power, from one half up."""
    number = one_number(power, "power")
    if not 0.5 <= number < 1:
        refuse("power", "at least 0.5 and below 1", shown(power), "ask for 0.8 or 0.9")
    return float(norm.ppf(number))
