"""What last year's calls, chosen by the reps, seem to have done: the naive answer, the adjusted one and the truth.

Reps called who grumbled, so who was called left more often. Adjusting for every feature repairs what the tables show of
that choice. It cannot repair what the reps heard and no table holds; the E-value says how much of it would be needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.churn.adjust import Effect, adjusted_effect, cross_fit, e_value, naive_effect, risk_ratio
from casebook.churn.evaluate import once, run
from casebook.churn.features import COLUMNS, Date, build, connect, day
from casebook.churn.play import RECENT, STAYS, called_hazard
from casebook.churn.reps import PILOT_ENDS, REPS_SHARE, History
from casebook.churn.simulate import Company
from casebook.churn.snapshot import draw_snapshot
from casebook.churn.warehouse import MONTH_STARTS
from casebook.churn.world import FIRST_DAY, MONTHS, MONTHS_BEFORE, World
from casebook.contracts import refuse, require_columns

__all__ = ["called_uplift", "history_effects", "history_frame", "history_snapshot"]

Floats = NDArray[np.float64]


def history_frame(company: Company, months: Sequence[Date] | None = None) -> pd.DataFrame:
    """Return one row a subscriber and month in which the reps chose whom to call.

    Who was called though no list said so is left out. Features are those of the month's first day; calls came on the
    second.

    Parameters
    ----------
    company : Company
    months : sequence of str or datetime, optional
        First days of months; by default the six before the pilot.

    Returns
    -------
    pandas.DataFrame
        ``asof``, ``subscriber_id``, ``account_id``, the features, ``called`` and ``stayed`` (bool; still there when
        the month ended), and ``uplift``, the truth: what a call in that month would have added to the chance of
        staying.
    """
    connection, tables = connect(company.tables), company.tables
    truth = called_uplift(company)
    customers = tables["customers"].set_index("subscriber_id")
    left_on = tables["cancellations"].set_index("subscriber_id")["cancelled_on"]
    parts = []
    for date in _default_months(company.world) if months is None else months:
        at = _reps_month(date, company.world)
        ends = at + pd.offsets.MonthBegin(1)
        frame = build(connection, at)
        calls = tables["calls"].loc[tables["calls"]["called_on"].between(at, ends, inclusive="left")]
        by = calls.set_index("subscriber_id")["listed_by"].reindex(frame.index)
        frame["called"] = (by == "rep").to_numpy()
        frame["stayed"] = ~(left_on.reindex(frame.index) < ends).to_numpy()
        frame["uplift"] = truth[customers.index.get_indexer(frame.index), _month_of(at)]
        frame.insert(0, "account_id", customers["account_id"].reindex(frame.index))
        frame.insert(0, "asof", at)
        parts.append(frame[(by != "off_list").to_numpy()].reset_index())
    return pd.concat(parts, ignore_index=True)


def _default_months(world: World) -> list[np.datetime64]:
    first_of_pilot = PILOT_ENDS - world.pilot_months
    return [FIRST_DAY.astype("M8[M]") + month for month in range(first_of_pilot - 6, first_of_pilot)]


def _reps_month(date: Date, world: World) -> pd.Timestamp:
    at = day(date, "months")
    month = _month_of(at)
    if at.day != 1 or not 0 <= month < PILOT_ENDS - world.pilot_months:
        last = (FIRST_DAY.astype("M8[M]") + (PILOT_ENDS - world.pilot_months - 1)).astype("M8[D]")
        refuse("months", f"first days of months from {FIRST_DAY} to {last}", str(at.date()), "drop the others")
    return at


def _month_of(date: pd.Timestamp | pd.Series) -> Any:
    """Return how many months of the warehouse were over."""
    return np.searchsorted(MONTH_STARTS, np.asarray(date, dtype="M8[D]"), side="right") - 1


def called_uplift(company: Company) -> Floats:
    """Return what a call in each past month added, or would have, to the chance of staying that month.

    What earlier calls had left behind, and the fatigue that they had caused, are counted as they were.

    Returns
    -------
    numpy.ndarray of float, shape (all customers, MONTHS)
        In the order of ``customers``; reached or not, so the chance of reaching is in it.
    """
    return _replay(company)[0]


def _replay(company: Company) -> tuple[Floats, NDArray[np.float32]]:
    """Return the uplift of every past month, and what calls still take off the hazard after the last."""
    world, past = company.world, company.truth.past
    called, reached = _calls_by_month(company)
    carry = np.zeros(len(called), dtype=np.float32)
    uplift: Floats = np.empty(called.shape)
    for month in range(MONTHS):
        tired = np.float32(world.fatigue) * called[:, max(month - RECENT, 0) : month].sum(axis=1, dtype=np.float32)
        with_call = carry + past.kept[:, month] - tired
        alone, kept = (called_hazard(past.p[:, month], left) for left in (carry, with_call))
        uplift[:, month] = world.reach * (alone - kept) * (1 - past.failed[:, month])
        carry = np.where(reached[:, month], with_call, carry) * np.float32(world.persistence)
    return uplift, carry


def _calls_by_month(company: Company) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    ids, calls = company.tables["customers"]["subscriber_id"], company.tables["calls"]
    rows = np.searchsorted(ids.to_numpy(), calls["subscriber_id"].to_numpy())
    month = _month_of(calls["called_on"])
    called, reached = (np.zeros((len(ids), MONTHS), dtype=bool) for _ in range(2))
    called[rows, month] = True
    reached[rows, month] = calls["reached"]
    return called, reached


def history_effects(frame: pd.DataFrame) -> dict[str, Effect | float]:
    """Return ``naive`` and ``adjusted`` effects of the calls in a frame, and the ``truth`` if the frame holds it.

    Parameters
    ----------
    frame : pandas.DataFrame
        From :func:`history_frame`, or a reader's own with ``asof``, ``account_id``, ``called``, ``stayed`` and the
        features.

    Raises
    ------
    ContractError
        A column is not there, or nobody was called.
    """
    require_columns(frame, ["asof", "account_id", "called", "stayed"], "frame")
    key = (frame["called"], frame["stayed"], frame["account_id"])
    X = frame[[column for column in COLUMNS if column in frame]]
    found: dict[str, Effect | float] = {"naive": naive_effect(*key, frame["asof"])}
    found["adjusted"] = adjusted_effect(*key, cross_fit(X, *key))
    if "uplift" in frame:
        found["truth"] = float(frame["uplift"][frame["called"]].mean())
    return found


def history_snapshot(world: World, n: int, rng: np.random.Generator) -> dict[str, float]:
    """Let the reps call one month's list in a snapshot and return what each analyst concludes: for studies.

    Parameters
    ----------
    world : World
    n : int
        Subscribers, about; the reps call ``World.capacity`` x 0.7 of them.
    rng : numpy.random.Generator

    Returns
    -------
    dict of str to float
        ``naive``, ``adjusted`` and ``truth`` as shares kept among those called; ``low`` and ``high`` of the adjusted
        one; ``covers`` (1.0 where its interval holds the truth); ``ratio``, the adjusted risk ratio, and ``needed``,
        the E-value that moves it to the true one; ``called``.

    Examples
    --------
    >>> found = history_snapshot(World(), 4_000, np.random.default_rng(0))
    >>> found["naive"] < 0 < found["truth"]
    True
    """
    shot = draw_snapshot(world, n, rng)
    people, months = shot.truth.people, shot.truth.months
    from_today = replace(people, start=people.start - MONTHS_BEFORE)
    reps = History(world, from_today, months, len(shot), rng)
    called = reps._top(np.ones(len(shot), dtype=bool), 0, reps.calls * REPS_SHARE)
    stayed = run(world, shot.truth, once(called), 1).left == STAYS
    key = (called, stayed, people.account)
    naive, adjusted = naive_effect(*key), adjusted_effect(*key, cross_fit(shot.features, *key))
    truth, leaving = float(shot.worth.uplift[called].mean()), float(1 - stayed[called].mean())
    found = {"naive": naive.value, "adjusted": adjusted.value, "truth": truth}
    found |= {"low": adjusted.low, "high": adjusted.high, "covers": float(adjusted.low <= truth <= adjusted.high)}
    return found | _sensitivity(adjusted, truth, leaving) | {"called": float(called.sum())}


def _sensitivity(adjusted: Effect, truth: float, leaving: float) -> dict[str, float]:
    if not 0 < leaving + adjusted.value < 1:
        return {"ratio": np.nan, "needed": np.nan}
    ratio = risk_ratio(adjusted, leaving)
    return {"ratio": ratio, "needed": e_value(ratio, leaving / (leaving + truth))}
