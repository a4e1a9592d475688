"""When an alarm goes off, how often it does so for nothing, and how long it takes when there is a reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casebook._columns import number_column
from casebook.contracts import BoolArray, FloatArray, refuse


@dataclass(frozen=True, eq=False)
class Cusum:
    """A cumulative sum and its first alarm.

    Attributes
    ----------
    path : numpy.ndarray of float, shape (n,)
        The sum after each reading.
    alarm : int or None
        The first reading at which the sum is above its limit.
    """

    path: FloatArray
    alarm: int | None


@dataclass(frozen=True)
class RunLength:
    """Average number of readings to an alarm, its standard error, and the runs that were cut off before one."""

    mean: float
    standard_error: float
    cut_off: int


def first_alarm(values: npt.ArrayLike, threshold: float, *, patience: int = 1) -> int | None:
    """Return the reading at which an alarm rings: the last of ``patience`` in a row above the threshold.

    Parameters
    ----------
    values : array_like, shape (n,)
        Readings in order of time.
    threshold : float
    patience : int
        More than 1 pays for fewer false alarms with a later true one.

    Returns
    -------
    int or None
        Counted from 0.

    Raises
    ------
    ContractError
        No readings, not numbers, missing, patience below 1.

    Examples
    --------
    >>> first_alarm([0.1, 0.4, 0.1, 0.3, 0.5], 0.2), first_alarm([0.1, 0.4, 0.1, 0.3, 0.5], 0.2, patience=2)
    (1, 4)
    """
    if not patience >= 1:
        refuse("patience", "1 or more", repr(patience), "give the readings in a row that ring the alarm")
    above = _readings(values) > threshold
    counted = np.cumsum(above)
    streak: npt.NDArray[np.int64] = counted - np.maximum.accumulate(np.where(above, 0, counted))
    return _first(streak >= patience)


def false_alarm_rate(null_values: npt.ArrayLike, threshold: float) -> float:
    """Return the share of readings above the threshold when nothing has changed.

    Parameters
    ----------
    null_values : array_like, shape (n,)
        Readings from a quiet time, or from shuffled rows.
    threshold : float

    Returns
    -------
    float

    Raises
    ------
    ContractError
        No readings, not numbers, missing.

    Examples
    --------
    >>> false_alarm_rate([0.1, 0.4, 0.1, 0.3], 0.2)
    0.5
    """
    return float((_readings(null_values, "null_values") > threshold).mean())


def days_to_detect(alarms: npt.ArrayLike, started: int) -> float | FloatArray:
    """Return the days from the start of a change to the first alarm on or after it.

    Parameters
    ----------
    alarms : array_like of bool, shape (days,) or (runs, days)
        Whether an alarm rang on each day. Those before ``started`` are false and do not count.
    started : int
        The day of the change, counted from 0.

    Returns
    -------
    float or numpy.ndarray of float, shape (runs,)
        0 if it rang on the day itself; NaN if it never did, which a mean must not pass over in silence.

    Raises
    ------
    ContractError
        Not bools, another shape, a start outside of the days.

    Examples
    --------
    >>> days_to_detect([True, False, False, False, True], started=2)
    2.0
    """
    rang = np.asarray(alarms)
    if rang.dtype != bool or rang.ndim not in (1, 2):
        refuse(
            "alarms", "bools of shape (days,) or (runs, days)", f"{rang.dtype} of shape {rang.shape}", "compare first"
        )
    if not 0 <= started < rang.shape[-1]:
        refuse("started", f"in 0 to {rang.shape[-1] - 1}", repr(started), "give the day by its position")
    after: BoolArray = np.atleast_2d(rang)[:, started:]
    waits = np.where(after.any(axis=1), after.argmax(axis=1), np.nan)
    return float(waits[0]) if rang.ndim == 1 else waits


def cusum(values: npt.ArrayLike, target: float, *, slack: float, limit: float) -> Cusum:
    """Add up how far readings lie above target + slack, never below 0, and ring above the limit.

    S(t) = max(0, S(t - 1) + value(t) - target - slack). It finds a small lasting shift that no single reading
    shows. For a fall, pass the values and the target with a minus sign.

    Parameters
    ----------
    values : array_like, shape (n,)
        Rates, or means, one per day.
    target : float
        The mean when nothing has changed.
    slack : float
        0 or more, in the unit of the values; half of the shift that matters is the classical choice.
    limit : float
        Above 0, in the unit of the values; :func:`average_run_length` gives what it costs in false alarms.

    Returns
    -------
    Cusum

    Raises
    ------
    ContractError
        No readings, not numbers, missing, a negative slack, a limit that is not above 0.

    References
    ----------
    Page (1954), Continuous inspection schemes, Biometrika 41.

    Examples
    --------
    >>> found = cusum([0.02, 0.03, 0.05, 0.05], target=0.02, slack=0.01, limit=0.03)
    >>> found.path.round(3).tolist(), found.alarm
    ([0.0, 0.0, 0.02, 0.04], 3)
    """
    _require_rule(slack, limit)
    walk = np.cumsum(_readings(values) - target - slack)
    path = walk - np.minimum(np.minimum.accumulate(walk), 0.0)
    return Cusum(path=path, alarm=_first(path > limit))


def average_run_length(
    sample: npt.ArrayLike,
    target: float,
    *,
    slack: float,
    limit: float,
    rng: np.random.Generator,
    runs: int = 1000,
    longest: int = 10_000,
) -> RunLength:
    """Return how many readings a CUSUM takes to its alarm, drawing readings from a sample with replacement.

    On a sample from a quiet time that is the time between false alarms; on the same sample with a shift added it
    is the delay.

    Parameters
    ----------
    sample : array_like, shape (n,)
        Readings, taken as independent of each other.
    target, slack, limit
        As in :func:`cusum`.
    rng : numpy.random.Generator
    runs : int
        Simulated runs.
    longest : int
        Runs are cut off here; with any cut off the mean is too low.

    Returns
    -------
    RunLength

    Raises
    ------
    ContractError
        As :func:`cusum`; runs below 2 or longest below 1.

    References
    ----------
    Montgomery (2013), Introduction to statistical quality control, chapter 9.

    Examples
    --------
    >>> average_run_length([1.0], 0.0, slack=0.5, limit=1.2, rng=np.random.default_rng(0), runs=2).mean
    3.0
    """
    _require_rule(slack, limit)
    readings = _readings(sample, "sample")
    if not (runs >= 2 and longest >= 1):
        refuse("runs", "2 or more, with longest 1 or more", f"{runs} and {longest}", "take about a thousand runs")
    lengths = np.full(runs, longest)
    sums, going = np.zeros(runs), np.arange(runs)
    for step in range(1, longest + 1):
        drawn = readings[rng.integers(len(readings), size=len(going))]
        sums = np.maximum(sums + drawn - target - slack, 0.0)
        rings = sums > limit
        lengths[going[rings]] = step
        sums, going = sums[~rings], going[~rings]
        if len(going) == 0:
            break
    return RunLength(float(lengths.mean()), float(lengths.std(ddof=1) / np.sqrt(runs)), len(going))


def _readings(values: npt.ArrayLike, what: str = "values") -> FloatArray:
    array = number_column(values, what, "numbers", "pass one reading per day")
    wrong = ~np.isfinite(array)
    if wrong.any():
        row = int(np.argmax(wrong))
        got = "a missing value" if np.isnan(array[row]) else repr(float(array[row]))
        refuse(f"{what}, row {row}", "a finite number", got, "fill it in or drop the day")
    return array


def _require_rule(slack: float, limit: float) -> None:
    if not slack >= 0:
        refuse("slack", "0 or more", repr(slack), "take half of the shift that matters")
    if not limit > 0:
        refuse("limit", "above 0", repr(limit), "take a few standard deviations of a reading")


def _first(rings: BoolArray) -> int | None:
    return int(np.argmax(rings)) if rings.any() else None
