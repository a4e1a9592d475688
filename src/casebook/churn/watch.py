"""What watching a model shows and misses: PSI week by week, days to detect a fall, retraining each month or never."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.churn.changed import CUSTOM, Change, draw_changed, fit_risk, judge
from casebook.churn.features import Date, day
from casebook.churn.world import World
from casebook.contracts import BoolArray, refuse
from casebook.monitoring import cusum, days_to_detect, psi_from_counts, psi_null, psi_table

Ints = npt.NDArray[np.int64]

WEEKS = 52
SLACK, LIMIT = 0.5, 3.0  # of the CUSUM, in standard deviations of a quiet week's mean


def weekly_psi(
    connection: duckdb.DuckDBPyConnection, start: Date, weeks: int = WEEKS, bins: int = 10, alpha: float = 0.05
) -> pd.DataFrame:
    """Return the PSI of logins in each week of the warehouse against the four weeks before ``start``.

    Only who logged in has a row in the warehouse. The counting is done in SQL, a row a week and number of logins.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        From :func:`casebook.churn.features.connect`.
    start : str or datetime
        The first day watched; the week that contains it counts only if it begins on it.
    weeks : int
    bins : int
        Quantile bins asked for.
    alpha : float
        False alarm rate of a week's reading, in the threshold.

    Returns
    -------
    pandas.DataFrame
        One row a week: ``week`` (its Monday), ``rows``, ``mean`` (logins of who logged in), ``psi``, ``threshold``,
        ``alarm``. The threshold takes the samples as independent; weeks share their subscribers.

    Raises
    ------
    ContractError
        ``start`` is no date, or the warehouse lacks the four weeks before it.
    """
    at = day(start, "start")
    query = """SELECT week, logins, COUNT(*) AS n FROM usage_weekly
      WHERE week >= $first AND week < $last GROUP BY week, logins ORDER BY week, logins"""
    window = {"first": at - pd.Timedelta(weeks=4), "last": at + pd.Timedelta(weeks=weeks)}
    read = connection.execute(query, {name: when.to_pydatetime() for name, when in window.items()}).df()
    counts = read.pivot(index="week", columns="logins", values="n").fillna(0)
    before = counts.index < at
    if before.sum() < 4 or before.all():  # four weeks
        got = f"{int(before.sum())} weeks before and {int((~before).sum())} after it"
        refuse("start", "a date with four weeks of usage before it, and some after it", got, "pass another date")
    reference = counts[before].sum()
    cell = np.minimum(np.floor(bins * (reference.cumsum() - reference) / reference.sum()), bins - 1)
    cells = counts.T.groupby(cell.to_numpy()).sum().T
    expected = cells[before].sum().to_numpy()
    rows = cells[~before].sum(axis=1)
    frame = pd.DataFrame({"week": rows.index, "rows": rows.to_numpy(dtype=int)})
    frame["mean"] = (counts[~before] @ counts.columns.to_numpy() / rows).to_numpy()
    frame["psi"] = [psi_from_counts(expected, now) for now in cells[~before].to_numpy()]
    frame["threshold"] = [psi_null(int(expected.sum()), n, cells.shape[1], alpha) for n in frame["rows"]]
    return frame.assign(alarm=frame["psi"] > frame["threshold"])


def detection(
    pool: pd.DataFrame,
    shares: Sequence[float],
    rows: int,
    rng: np.random.Generator,
    runs: int = 20,
    weeks: int = 26,
    reference: int = 20_000,
) -> pd.DataFrame:
    """Return the days until each alarm sees that a share of all logins has vanished.

    Three alarms read last week's logins of ``rows`` subscribers once a week: PSI above 0.1; PSI above what chance
    exceeds once a year; a CUSUM of the mean of log(1 + logins), which rings falsely about as often.
    The change comes in the middle of a week. Each week draws its rows anew from the pool, and each run its reference,
    from which all three learn what is usual: an unlucky reference stays unlucky for all of its run.

    Parameters
    ----------
    pool : pandas.DataFrame
        Features of a quiet day, with ``logins_7d``.
    shares : sequence of float
        Shares of logins lost, in [0, 1); with 0 the alarms are false ones.
    rows : int
    rng : numpy.random.Generator
    runs, weeks : int
        Repetitions, and how long each goes on.
    reference : int
        Rows of a reference.

    Returns
    -------
    pandas.DataFrame
        Rows by share and alarm: ``lost``, ``alarm`` ("PSI > 0.1", "PSI > chance", "CUSUM"), ``found`` (share of runs
        in which it rang), ``days`` (median of those; missing if none).
    """
    logins = pool["logins_7d"].to_numpy(dtype=np.int64)
    found = []
    for share in shares:
        read = [_run(logins, share, rows, weeks, reference, rng) for _ in range(runs)]
        for name in read[0]:
            days = 7 * (np.asarray(days_to_detect(np.array([each[name] for each in read]), 0)) + 0.5)
            seen = np.isfinite(days)
            median = float(np.median(days[seen])) if seen.any() else np.nan
            found.append({"lost": share, "alarm": name, "found": float(seen.mean()), "days": median})
    return pd.DataFrame(found)


def _run(
    pool: Ints, share: float, rows: int, weeks: int, reference: int, rng: np.random.Generator
) -> dict[str, BoolArray]:
    """Return in which weeks each alarm rings, shape (weeks,)."""
    usual = pool[rng.integers(len(pool), size=reference)]
    edges = np.unique(np.quantile(usual, np.linspace(0, 1, 11)[1:-1], method="inverted_cdf"))
    expected, logs = _counted(usual, edges), np.log1p(usual)
    index, fall = np.empty(weeks), np.empty(weeks)
    for week in range(weeks):
        seen = rng.binomial(pool[rng.integers(len(pool), size=rows)], 1 - share * min(week + 0.5, 1))
        index[week] = psi_from_counts(expected, _counted(seen, edges))
        fall[week] = (logs.mean() - np.log1p(seen).mean()) / (logs.std() / np.sqrt(rows))
    chance = psi_null(reference, rows, len(edges) + 1, 1 / WEEKS)
    sums = cusum(fall, 0.0, slack=SLACK, limit=LIMIT).path
    return {"PSI > 0.1": index > CUSTOM, "PSI > chance": index > chance, "CUSUM": sums > LIMIT}


def _counted(logins: Ints, edges: npt.NDArray[Any]) -> Ints:
    return np.bincount(np.searchsorted(edges, logins, side="left"), minlength=len(edges) + 1)


def retraining_year(
    world: World, change: Change, at: int, n: int, rng: np.random.Generator, months: int = 12
) -> pd.DataFrame:
    """Score every month of a year with the model of its beginning, and with one retrained each month.

    Both learn from one month of ``n`` subscribers: the old one from the month before the year, the other from the
    month before each, since labels come 30 days late. So in a company that does not change, they are equals.

    Parameters
    ----------
    world : World
    change : Change
    at : int
        The month of the change, from 0; a month's features are drawn at its beginning.
    n : int
        Subscribers, about.
    rng : numpy.random.Generator
    months : int

    Returns
    -------
    pandas.DataFrame
        One row a month: ``month``; ``psi``, ``column`` (the feature that has moved most since the training), ``alarm``
        (any feature above what chance exceeds, at 5% for all of them together); then the values of :func:`judge` for
        ``never_`` and ``monthly_``.
    """
    first = draw_changed(world, change, -1 - at, n, rng)
    never = fit_risk(first, rng)
    last, rows = first, []
    for month in range(months):
        today = draw_changed(world, change, month - at, n, rng)
        monthly = never if month == 0 else fit_risk(last, rng)
        table = psi_table(first.features, today.features, alpha=0.05 / first.features.shape[1])
        top = table.iloc[int(table["psi"].argmax())]
        row = {"month": month, "psi": float(top["psi"]), "column": top["column"], "alarm": bool(table["alarm"].any())}
        for name, model in (("never", never), ("monthly", monthly)):
            row |= {f"{name}_{key}": value for key, value in judge(model, today, world.capacity).items()}
        rows.append(row)
        last = today
    return pd.DataFrame(rows)
