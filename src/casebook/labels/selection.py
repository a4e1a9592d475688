"""Risk by age when some units came under observation late: those that had left before are not in the table."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook._columns import number_column
from casebook.contracts import BoolArray, FloatArray, as_labels, refuse, require_length

_MOST_BINS = 10_000


def hazard_by_age(
    age_at_entry: npt.ArrayLike, age_at_exit: npt.ArrayLike, event: npt.ArrayLike, *, width: float = 1.0
) -> pd.DataFrame:
    """Return the hazard by age with late entry taken into account, and the naive one beside it.

    A table that begins today holds an old customer only because it stayed. Counted from age 0 on it adds years in
    which it could not have left, and the risk at young ages comes out too low. So a unit is at risk from its age
    at entry to its age at exit, and at no other.

    Parameters
    ----------
    age_at_entry : array_like, shape (n,)
        Age at which observation of the unit began, 0 or more; any unit of time (months, days).
    age_at_exit : array_like, shape (n,)
        Age at the event, or at the end of observation; above the age at entry.
    event : array_like, shape (n,)
        1 if the event ended it, 0 if observation did (right censoring).
    width : float
        Width of a bin (age, age + width], in the unit of the ages.

    Returns
    -------
    pandas.DataFrame
        ``age`` (the bin's lower end), ``at_risk`` (units under observation in the bin, each counted by the part of
        the bin that it was), ``events``, ``hazard`` (events / at_risk, so per ``width``; missing where nobody was at
        risk), ``naive`` (the same with everybody at risk from age 0).

    Raises
    ------
    ContractError
        Not numbers, missing or infinite, unequal lengths, an entry below 0, an exit that is not above its entry, a
        width that is not above 0 or that gives more than 10,000 bins.

    References
    ----------
    Klein and Moeschberger (2003), Survival analysis, section 4.6, on left-truncated risk sets.

    Examples
    --------
    Two join at age 0; the third is observed from age 1 on:

    >>> hazard_by_age([0, 0, 1], [1, 2, 2], [1, 0, 1])
       age  at_risk  events  hazard     naive
    0  0.0      2.0       1     0.5  0.333333
    1  1.0      2.0       1     0.5  0.500000
    """
    entry, leave, ended = _checked(age_at_entry, age_at_exit, event)
    edges = _edges(float(leave.max()), width)
    at_risk, naive = _exposure(entry, leave, edges), _exposure(np.zeros_like(entry), leave, edges)
    place = np.searchsorted(edges, leave[ended], side="left") - 1
    events = np.bincount(place, minlength=len(edges) - 1)
    table = {"age": edges[:-1], "at_risk": at_risk, "events": events}
    return pd.DataFrame({**table, "hazard": _ratio(events, at_risk), "naive": _ratio(events, naive)})


def _exposure(entry: FloatArray, leave: FloatArray, edges: FloatArray) -> FloatArray:
    """Return the time that units were observed in each bin, in widths of the bin; shape (bins,)."""
    spent = [
        np.maximum(np.minimum(leave, high) - np.maximum(entry, low), 0.0).sum() / (high - low)
        for low, high in pairwise(edges)
    ]
    return np.array(spent)


def _ratio(events: npt.NDArray[np.int64], at_risk: FloatArray) -> FloatArray:
    hazard: FloatArray = np.full(len(events), np.nan)
    return np.divide(events, at_risk, out=hazard, where=at_risk > 0)


def _edges(oldest: float, width: float) -> FloatArray:
    if isinstance(width, bool) or not isinstance(width, (int, float, np.number)) or not 0 < width < np.inf:
        refuse("width", "a number above 0", repr(width), "give it in the unit of the ages, such as 1")
    bins = int(np.ceil(oldest / width))
    if bins > _MOST_BINS:
        must = f"at least {oldest / _MOST_BINS:g}, a ten-thousandth of the oldest age"
        refuse("width", must, f"{width:g}", "take wider bins")
    edges = np.multiply(np.arange(bins + 2), width, dtype=np.float64)
    return edges[: bins + 1] if edges[bins] >= oldest else edges


def _checked(
    age_at_entry: npt.ArrayLike, age_at_exit: npt.ArrayLike, event: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, BoolArray]:
    ages = {"age_at_entry": age_at_entry, "age_at_exit": age_at_exit}
    mend = "convert it with pd.to_numeric"
    entry, leave = (number_column(values, what, "numbers", mend) for what, values in ages.items())
    ended = as_labels(event, "event")
    require_length(leave, len(entry), "age_at_exit")
    require_length(ended, len(entry), "event")
    for what, array in (("age_at_entry", entry), ("age_at_exit", leave)):
        wrong = ~np.isfinite(array) | (array < 0)
        if wrong.any():
            row = int(np.argmax(wrong))
            refuse(f"{what}, row {row}", "a finite number, 0 or more", repr(float(array[row])), "mend or drop the row")
    unseen = leave <= entry
    if unseen.any():
        row = int(np.argmax(unseen))
        must = f"above {entry[row]:g} (age_at_entry)"
        refuse(f"age_at_exit, row {row}", must, f"{leave[row]:g}", "drop units that were never under observation")
    return entry, leave, ended
