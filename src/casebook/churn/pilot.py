"""The randomised pilot as one table: features of the day of enrolment, the lot, the call, and who stayed the month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from casebook.churn.evaluate import Worth, call_top
from casebook.churn.features import build
from casebook.churn.history import called_uplift
from casebook.churn.plays import BASE
from casebook.churn.simulate import Company
from casebook.churn.warehouse import MONTH_STARTS
from casebook.contracts import refuse, require_columns, require_length
from casebook.worlds import Dial

Floats = NDArray[np.float64]

__all__ = [
    "SHARES",
    "first_months",
    "floored",
    "months_stayed",
    "pilot_frame",
    "pilot_truth",
    "played_months",
    "scores_against_truth",
    "what_moves",
]
SHARES = ("everybody", "source", "risk", "risk_value", "uplift", "uplift_value", "response")  # of study 04_lists


def pilot_frame(tables: Mapping[str, pd.DataFrame], connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return one row a subscriber of the pilot, with what was known on the day of enrolment and what came of it.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        ``pilot``, ``calls`` and ``cancellations`` are read.
    connection : duckdb.DuckDBPyConnection
        From :func:`casebook.churn.features.connect`.

    Returns
    -------
    pandas.DataFrame
        In the order of enrolment and id: ``enrolled_on``, ``subscriber_id``, ``account_id``, the features, ``treated``
        (assigned a call), ``reached`` and ``stayed`` (still there when the month ended), all three bool.

    Raises
    ------
    ContractError
        A column of the pilot is missing, or it is empty.

    Examples
    --------
    >>> from casebook.churn.features import connect
    >>> from casebook.churn.simulate import simulate
    >>> from casebook.churn.world import World
    >>> company = simulate(World(), 1_000, np.random.default_rng(0))
    >>> pilot = pilot_frame(company.tables, connect(company.tables))
    >>> bool((pilot.loc[~pilot["treated"], "reached"]).any())
    False
    """
    require_columns(tables["pilot"], ["subscriber_id", "account_id", "enrolled_on", "arm"], "table 'pilot'")
    left_on = tables["cancellations"].set_index("subscriber_id")["cancelled_on"]
    calls = tables["calls"].loc[tables["calls"]["listed_by"] == "pilot"].set_index("subscriber_id")["reached"]
    parts = []
    for key, rows in tables["pilot"].groupby("enrolled_on"):
        ids, date = rows["subscriber_id"], pd.Timestamp(str(key))
        frame = build(connection, date).loc[ids]
        ends = date + pd.offsets.MonthBegin(1)
        frame["treated"] = (rows["arm"] == "call").to_numpy()
        frame["reached"] = ids.map(calls).eq(True).to_numpy() & frame["treated"]
        frame["stayed"] = ~(ids.map(left_on) < ends).to_numpy()
        frame.insert(0, "account_id", rows["account_id"].to_numpy())
        frame.insert(0, "enrolled_on", date)
        parts.append(frame.reset_index())
    return pd.concat(parts, ignore_index=True)


def pilot_truth(company: Company, pilot: pd.DataFrame) -> Floats:
    """Return what a call at enrolment added to each pilot row's chance of staying, reached or not, shape (n,)."""
    ids = company.tables["customers"]["subscriber_id"].to_numpy()
    month = np.searchsorted(MONTH_STARTS, pilot["enrolled_on"].to_numpy("M8[D]"), side="right") - 1
    return called_uplift(company)[np.searchsorted(ids, pilot["subscriber_id"].to_numpy()), month]


def first_months(pilot: pd.DataFrame, months: int) -> pd.DataFrame:
    """Return the rows enrolled in the first months: the same pilot, had it been stopped then.

    Examples
    --------
    >>> two = pd.DataFrame({"enrolled_on": pd.to_datetime(["2025-06-01", "2025-07-01"]), "stayed": [True, False]})
    >>> first_months(two, 1)["stayed"].tolist()
    [True]
    """
    dates = np.sort(pilot["enrolled_on"].unique())
    if not 1 <= months <= len(dates):
        refuse("months", f"between 1 and {len(dates)}, the months of the pilot", repr(months), "take fewer months")
    return pilot[pilot["enrolled_on"].isin(dates[:months])].reset_index(drop=True)


def months_stayed(
    tables: Mapping[str, pd.DataFrame], ids: npt.ArrayLike, asof: str | pd.Timestamp, months: int = 12
) -> NDArray[np.int64]:
    """Return how many of the next months each subscriber of a day stayed to the end, 0 to ``months``, shape (n,).

    Examples
    --------
    >>> gone = pd.DataFrame({"subscriber_id": [1, 2], "cancelled_on": pd.to_datetime(["2025-01-09", "2025-03-20"])})
    >>> months_stayed({"cancellations": gone}, [1, 2, 3], "2025-01-01").tolist()
    [0, 2, 12]
    """
    left_on = tables["cancellations"].set_index("subscriber_id")["cancelled_on"].reindex(np.asarray(ids))
    start = pd.Timestamp(asof)
    gone = (left_on.dt.year - start.year) * 12 + left_on.dt.month - start.month
    return np.asarray(gone.fillna(months).clip(0, months).to_numpy(), dtype=np.int64)


def scores_against_truth(scores: Mapping[str, Floats], truth: Worth, capacity: int) -> pd.DataFrame:
    """Return what each score's list of ``capacity`` calls is worth by the truth of the day.

    Parameters
    ----------
    scores : mapping of str to numpy.ndarray, shape (n,)
        Higher is called first.
    truth : Worth
    capacity : int

    Returns
    -------
    pandas.DataFrame
        Index the scores; ``correlation`` (ranks, with the true uplift), ``saved`` (subscribers kept a month),
        ``earned`` (dollars, calls paid) and ``captured`` (share of what the best list of that length earns).
    """
    best = float(truth.gain[call_top(truth.gain, capacity, least=0.0)].sum())
    rank = pd.Series(truth.uplift).rank()
    rows = {}
    for name, score in scores.items():
        require_length(np.asarray(score), len(truth.p), f"score {name!r}")
        act = call_top(np.asarray(score, dtype=float), capacity)
        earned = float(truth.gain[act].sum())
        rows[name] = {
            "correlation": float(pd.Series(score).rank().corr(rank)),
            "saved": float(truth.uplift[act].sum()),
            "earned": earned,
            "captured": earned / best,
        }
    return pd.DataFrame(rows).T


def played_months(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of study 04_lists with ``pilot_months`` as they were played.

    A pilot among a fifth of the base has run out of subscribers before it has run out of months; what it took is its
    rows, half of them called, in months of call capacity.

    Parameters
    ----------
    frame : pandas.DataFrame
        With ``pilot_rows``, ``pilot_months`` and ``capacity`` (share of the base called in a month).

    Examples
    --------
    >>> worlds = pd.DataFrame({"pilot_months": [8.0, 2.0], "capacity": 0.05, "pilot_rows": [40_000.0, 20_000.0]})
    >>> played_months(worlds)["pilot_months"].round(1).tolist()
    [4.0, 2.0]
    """
    require_columns(frame, ["pilot_months", "pilot_rows", "capacity"], "frame")
    played = frame["pilot_rows"] / (2 * frame["capacity"] * BASE)
    return frame.assign(pilot_months=np.minimum(frame["pilot_months"], played))


def floored(frame: pd.DataFrame, least: float = -1.0) -> pd.DataFrame:
    """Return a frame of study 04_lists with every captured share cut off at ``least``, and the gains made of those.

    Where next to nothing can be gained, a list that wakes sleeping dogs loses many times the best list's dollars; a few
    such worlds would drown every mean. Findings, which are true or false in each world, are left as they are.

    Parameters
    ----------
    frame : pandas.DataFrame
        With the columns :data:`SHARES`.
    least : float
        The smallest share that is told apart.

    Examples
    --------
    >>> worlds = pd.DataFrame([[0.0, 0.0, -26.0, 0.1, -11.0, 0.3, 0.0]], columns=list(SHARES))
    >>> floored(worlds)[["risk", "gain_of_uplift", "gain_of_worth"]].round(1).to_numpy().tolist()
    [[-1.0, 0.0, 0.2]]
    """
    require_columns(frame, list(SHARES), "frame")
    cut = {name: frame[name].clip(lower=least) for name in SHARES}
    gains = {
        "gain_of_uplift": cut["uplift"] - cut["risk"],
        "gain_of_worth": cut["uplift_value"] - cut["risk_value"],
    }
    return frame.assign(**cut, **gains)


def what_moves(frame: pd.DataFrame, dials: Sequence[Dial], value: str) -> pd.DataFrame:
    """Return by how much a value moves with each dial of a study, all dials together: a linear regression.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a drawn world: the dials and the value.
    dials : sequence of Dial
    value : str
        A column; worlds in which it is missing are left out.

    Returns
    -------
    pandas.DataFrame
        Index ``dial``, rising by ``moves``: the change of the value from the bottom to the top of the dial's range (on
        its own scale), with ``low`` and ``high``, the 95% interval.

    Raises
    ------
    ContractError
        A column is missing, or there are no more worlds than dials.

    Examples
    --------
    >>> from casebook.worlds import Dial
    >>> dial = Dial("lift", 0.0, 2.0, "$", "assumed", "m")
    >>> frame = pd.DataFrame({"lift": [0.0, 1.0, 2.0, 1.0], "gain": [0.0, 3.0, 6.0, 3.0]})
    >>> what_moves(frame, [dial], "gain").round(1).to_dict("index")
    {'lift': {'moves': 6.0, 'low': 6.0, 'high': 6.0}}
    """
    names = [dial.name for dial in dials]
    require_columns(frame, [*names, value], "frame")
    rows = frame.dropna(subset=[value])
    places = [_place(dial, rows[dial.name].to_numpy(float)) for dial in dials]
    X, y = np.column_stack([np.ones(len(rows)), *places]), rows[value].to_numpy(float)
    left = len(rows) - X.shape[1]
    if left < 1:
        refuse("frame", f"more than {X.shape[1]} worlds", f"{len(rows)}", "play more worlds or name fewer dials")
    beta = np.linalg.lstsq(X, y, rcond=None)[0]
    scatter = float(((y - X @ beta) ** 2).sum()) / left
    reach = student.ppf(0.975, left) * np.sqrt(scatter * np.diag(np.linalg.inv(X.T @ X)))
    table = pd.DataFrame({"moves": beta, "low": beta - reach, "high": beta + reach}, index=["", *names]).iloc[1:]
    return table.rename_axis("dial").sort_values("moves")


def _place(dial: Dial, values: Floats) -> Floats:
    """Where values lie in a dial's range, 0 at its bottom and 1 at its top."""
    low, high, at = (np.log(x) if dial.scale == "log" else x for x in (dial.low, dial.high, values))
    return np.asarray((at - low) / (high - low))
