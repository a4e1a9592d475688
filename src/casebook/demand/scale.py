"""The sums of scale: cells, bytes, rows a second, core-hours and dollars, each with its unit and its source."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from casebook.contracts import refuse

SECONDS_AN_HOUR = 3_600
GIGABYTE = 1e9
DTYPES = ("float64", "float32", "float16", "uint8")
_SHARES = ("existing", "efficiency")
_UNITS = {
    "days": "days a cell",
    "quantiles": "models",
    "existing": "share of cells",
    "features": "numbers a row",
    "bytes_each": "bytes a number",
    "fit_rows": "rows a model",
    "window_hours": "hours",
    "cores_a_machine": "cores",
    "memory_a_machine": "gigabytes",
    "efficiency": "share of a core",
    "dollars_a_core_hour": "dollars",
    "runs_a_year": "runs",
}


@dataclass(frozen=True)
class Job:
    """What is assumed of the weekly job; times grow with rows in proportion.

    Parameters
    ----------
    days : int
        Days forecast for each cell.
    quantiles : int
        Quantile models that are fitted and asked.
    existing : float
        Share of the cells that exist.
    features, bytes_each : int
        Numbers in a row, and bytes of each.
    fit_rows : float
        Rows that each model is fitted on; a sample of the history.
    window_hours : float
        Hours in which the job must be done.
    cores_a_machine, memory_a_machine : int, float
        Of one machine; memory in gigabytes.
    efficiency : float
        What a core of many does of what it does alone.
    dollars_a_core_hour : float
    runs_a_year : int

    Raises
    ------
    ContractError
        A number of 0 or below, or a share above 1.

    Examples
    --------
    >>> Job(existing=3)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: Job, existing must be above 0 and at most 1, got 3; divide percentages by 100.
    """

    days: int = 7
    quantiles: int = 1
    existing: float = 1.0
    features: int = 40
    bytes_each: int = 4
    fit_rows: float = 1e8
    window_hours: float = 6.0
    cores_a_machine: int = 16
    memory_a_machine: float = 64.0
    efficiency: float = 1.0
    dollars_a_core_hour: float = 0.05
    runs_a_year: int = 52

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _SHARES and not 0 < value <= 1:
                refuse(f"Job, {field.name}", "above 0 and at most 1", f"{value:g}", "divide percentages by 100")
            _positive(value, f"Job, {field.name}")


def prompt_table(skus: float = 1e6, stores: float = 1_000, days: int = 7, history_days: int = 730) -> pd.DataFrame:
    """Return the prompt's own sums: cells, forecasts of a week, rows of its history.

    Parameters
    ----------
    skus, stores : float
    days, history_days : int
        Forecast, and of the history that the source asks for (two years at least).

    Returns
    -------
    pandas.DataFrame
        By figure: ``value``, ``unit``, ``how``.

    Examples
    --------
    >>> prompt_table()["value"].map("{:,.0f}".format).to_dict()
    {'cells': '1,000,000,000', 'forecasts': '7,000,000,000', 'history': '730,000,000,000'}
    """
    cells = _positive(skus, "skus") * _positive(stores, "stores")
    rows = [
        ("cells", cells, "cells", "skus x stores"),
        ("forecasts", cells * _positive(days, "days"), "rows a week", "cells x days"),
        ("history", cells * _positive(history_days, "history_days"), "rows", "cells x days of history"),
    ]
    return pd.DataFrame(rows, columns=["figure", "value", "unit", "how"]).set_index("figure")


def bytes_table(numbers: Mapping[str, float], dtypes: Sequence[str] = DTYPES) -> pd.DataFrame:
    """Return the gigabytes (10^9 bytes) that so many numbers fill, for each type of number.

    Parameters
    ----------
    numbers : mapping of str to float
        How many numbers, by what they are.
    dtypes : sequence of str
        Types of numpy.

    Returns
    -------
    pandas.DataFrame
        A row for each of ``numbers``, a column for each type.

    Examples
    --------
    >>> bytes_table({"forecasts": 7e9, "two years": 7.3e11}, ["float64", "float32"])
               float64  float32
    forecasts     56.0     28.0
    two years   5840.0   2920.0
    """
    count = {what: _positive(number, f"numbers, {what!r}") for what, number in numbers.items()}
    columns = {name: {what: n * np.dtype(name).itemsize / GIGABYTE for what, n in count.items()} for name in dtypes}
    return pd.DataFrame(columns)


def core_hours(rows: float, rows_per_second: float) -> float:
    """Return the hours that one core works on so many rows at a measured rate.

    Examples
    --------
    >>> round(core_hours(7e9, 100_000), 2)
    19.44
    """
    return _positive(rows, "rows") / _positive(rows_per_second, "rows_per_second") / SECONDS_AN_HOUR


def batch_table(rows: float, rates: Mapping[str, float], hours: float) -> pd.DataFrame:
    """Return what each step needs to be done with so many rows within a batch window of its own.

    Parameters
    ----------
    rows : float
    rates : mapping of str to float
        Rows a second that one core was measured to do, by step.
    hours : float
        The window.

    Returns
    -------
    pandas.DataFrame
        By step: ``rows_per_second`` (one core, measured), ``rows_per_second_needed``, ``core_hours`` and ``cores``.

    Examples
    --------
    >>> batch_table(7e9, {"predict": 100_000}, hours=6).round(1)
             rows_per_second  rows_per_second_needed  core_hours  cores
    step
    predict           100000                324074.1        19.4      4
    """
    needed = _positive(rows, "rows") / _positive(hours, "hours") / SECONDS_AN_HOUR
    work = [core_hours(rows, rate) for rate in rates.values()]
    columns = {
        "rows_per_second": list(rates.values()),
        "rows_per_second_needed": needed,
        "core_hours": work,
        "cores": [math.ceil(one / hours) for one in work],
    }
    return pd.DataFrame(columns, index=pd.Index(list(rates), name="step"))


def cost_model(
    cells: float,
    rows_per_second_features: float,
    rows_per_second_predict: float,
    rows_per_second_fit: float,
    job: Job | None = None,
) -> pd.DataFrame:
    """Return the weekly job's work, machines, memory and dollars in one table with its assumptions.

    Parameters
    ----------
    cells : float
        Pairs of product and store, existing or not.
    rows_per_second_features, rows_per_second_predict, rows_per_second_fit : float
        Measured on one core; the last is rows of the training table over the seconds of a whole fit.
    job : Job, optional
        The assumptions.

    Returns
    -------
    pandas.DataFrame
        ``part`` (assumed, measured, features, fit, predict, job), ``figure``, ``value``, ``unit``, ``how``.

    Raises
    ------
    ContractError
        A number of 0 or below.

    Examples
    --------
    >>> table = cost_model(1e9, 200_000, 100_000, 50_000, Job(existing=0.03))
    >>> table[table["part"] == "job"].set_index("figure")["value"].round(2).to_dict()
    {'core-hours': 1.57, 'cores': 1.0, 'machines for the work': 1.0, 'training table': 16.0,
     'machines for the training table': 1.0, 'rows of the week': 33.6, 'dollars a run': 0.08, 'dollars a year': 4.08}
    """
    assumed = job or Job()
    rates = {"features": rows_per_second_features, "fit": rows_per_second_fit, "predict": rows_per_second_predict}
    week = _positive(cells, "cells") * assumed.existing * assumed.days
    fit = assumed.fit_rows * assumed.quantiles
    work = {
        "features": (week + assumed.fit_rows, "rows of the week + fit_rows"),
        "fit": (fit, "fit_rows x quantiles"),
        "predict": (week * assumed.quantiles, "rows of the week x quantiles"),
    }
    lines = [("assumed", "cells", cells, "cells", "given")]
    lines += [("assumed", f.name, getattr(assumed, f.name), _UNITS[f.name], "given") for f in fields(assumed)]
    lines += [("measured", name, rate, "rows a second a core", "measured") for name, rate in rates.items()]
    total = 0.0
    for name, (rows, how) in work.items():
        hours = core_hours(rows, rates[name]) / assumed.efficiency
        total += hours
        lines += [(name, "rows", rows, "rows", how), (name, "core-hours", hours, "hours", "rows / rate / efficiency")]
    lines += [("job", *line) for line in _whole_job(assumed, total, week)]
    return pd.DataFrame(lines, columns=["part", "figure", "value", "unit", "how"]).astype({"value": float})


def _whole_job(job: Job, hours: float, week: float) -> list[tuple[str, float, str, str]]:
    cores = math.ceil(hours / job.window_hours)
    row = job.features * job.bytes_each / GIGABYTE
    train = job.fit_rows * row
    dollars = hours * job.dollars_a_core_hour
    return [
        ("core-hours", hours, "hours", "features + fit + predict"),
        ("cores", cores, "cores", "core-hours / window_hours, rounded up"),
        ("machines for the work", math.ceil(cores / job.cores_a_machine), "machines", "cores / cores_a_machine"),
        ("training table", train, "gigabytes", "fit_rows x features x bytes_each"),
        ("machines for the training table", math.ceil(train / job.memory_a_machine), "machines", "by memory_a_machine"),
        ("rows of the week", week * row, "gigabytes", "cells x existing x days x features x bytes_each"),
        ("dollars a run", dollars, "dollars", "core-hours x dollars_a_core_hour"),
        ("dollars a year", dollars * job.runs_a_year, "dollars", "dollars a run x runs_a_year"),
    ]


def _positive(value: float, what: str) -> float:
    if not (math.isfinite(value) and value > 0):
        refuse(what, "above 0", f"{value:g}", "check its sign and unit")
    return value
