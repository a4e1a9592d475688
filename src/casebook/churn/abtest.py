"""The A/B test of the list: half of it is called, and what came of that is read day by day.

===================================  =============================
You want                             Take
===================================  =============================
the rate of leaving inside the list  ``base_rate_in_list``
what a test of this list can see     ``list_power``
what a quarterly survey can see      ``nps_guardrail``
the test itself                      ``run_test``, ``read_test``
saves that last, without coin flips  ``saved_or_postponed``
===================================  =============================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import NDArray

from casebook.churn.abtest_plan import ListRate, base_rate_in_list, list_power, nps_guardrail
from casebook.churn.evaluate import once, run
from casebook.churn.expectation import flags, saved_by
from casebook.churn.play import STAYS, Played
from casebook.churn.simulate import Truth
from casebook.churn.warehouse import GRACE_DAYS
from casebook.churn.world import TODAY, World
from casebook.contracts import refuse
from casebook.experiments import Effect, assign, complier_effect, difference, non_inferior

__all__ = [
    "FEEDBACK",
    "ListRate",
    "Test",
    "base_rate_in_list",
    "day_left",
    "list_power",
    "nps_guardrail",
    "read_test",
    "run_test",
    "saved_or_postponed",
]

# Chance a month by itself, and what a call that reaches somebody adds; the law of ``simulate``'s feedback table.
FEEDBACK = {"complaint": (0.001, 0.006), "unsubscribe": (0.002, 0.004)}
DOG_TIMES = 5  # a sleeping dog complains so many times as often about a call
MARGINS = {"complaint": 0.01, "unsubscribe": 0.01}  # the largest rise that the company would accept, fixed beforehand
HORIZONS = (30, 90, 180)


@dataclass(frozen=True)
class Test:
    """A test that has run.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row a listed subscriber: ``subscriber_id``, ``account_id``, ``treated``, ``reached``, ``day_left`` (days
        from the start to the bill that was refused; missing if still there), ``complaint``, ``unsubscribe``.
    days : int
        Days for which everybody was watched.
    """

    __test__ = False  # not for pytest

    frame: pd.DataFrame
    days: int


def run_test(
    world: World,
    truth: Truth,
    listed: npt.ArrayLike,
    rng: np.random.Generator,
    share: float = 0.5,
    months: int = 6,
) -> Test:
    """Call a random share of the list's companies in the first month, nobody after it, and play on.

    Parameters
    ----------
    world : World
    truth : Truth
    listed : array_like of bool, shape (n,)
        The list.
    rng : numpy.random.Generator
        Draws the arms and the complaints; leaving is decided by the truth's own luck.
    share : float
        Share of companies to treat, in (0, 1).
    months : int
        Months to play.

    Returns
    -------
    Test

    Raises
    ------
    ContractError
        A list of another length or with nobody on it, months that the truth does not hold, a share outside (0, 1).

    Examples
    --------
    >>> from casebook.churn.evaluate import call_top
    >>> from casebook.churn.snapshot import draw_snapshot
    >>> world, rng = World(), np.random.default_rng(0)
    >>> day = draw_snapshot(world, 4_000, rng)
    >>> test = run_test(world, day.truth, call_top(day.worth.p, 400), rng)
    >>> len(test.frame), test.days
    (400, 181)
    """
    rows = np.flatnonzero(flags(listed, truth, "listed"))
    longest = truth.months.p.shape[1]
    if not 1 <= months <= longest:
        refuse("months", f"between 1 and {longest}, the months that the truth holds", repr(months), "take fewer months")
    ids, account = truth.subscriber_id[rows], truth.people.account[rows]
    treated = assign(ids, rng, share, cluster=account).to_numpy()
    act = np.zeros(len(truth.people), dtype=bool)
    act[rows[treated]] = True
    played = run(world, truth, once(act), months)
    frame = pd.DataFrame({"subscriber_id": ids, "account_id": account, "treated": treated})
    frame["reached"] = played.reached[rows, 0]
    frame["day_left"] = day_left(truth, played)[rows]
    dog = truth.people.dog[rows]
    for kind, (rare, after) in FEEDBACK.items():
        frame[kind] = rng.random(len(rows)) < rare + after * frame["reached"] * np.where(dog, DOG_TIMES, 1)
    return Test(frame, int(_month_starts(months)[-1]))


def day_left(truth: Truth, played: Played) -> NDArray[np.float64]:
    """Return the days from today to each subscriber's leaving, NaN where still there, shape (n,).

    The day of the bill; two weeks after it, and at the latest the month's last day, where a card failed.
    """
    months = played.called.shape[1]
    starts = _month_starts(months)
    month = np.where(played.left == STAYS, 0, played.left)
    bill = starts[month] + truth.people.day - 1
    closed = np.minimum(bill + GRACE_DAYS, starts[month + 1] - 1)
    day = np.where(played.by_card, closed, bill).astype(float)
    day[played.left == STAYS] = np.nan
    return day


def _month_starts(months: int) -> NDArray[np.int64]:
    starts = (TODAY.astype("M8[M]") + np.arange(months + 1)).astype("M8[D]")
    return np.asarray((starts - TODAY) / np.timedelta64(1, "D"), dtype=np.int64)


def read_test(
    test: Test, horizons: tuple[int, ...] = HORIZONS, margins: Mapping[str, float] = MARGINS, level: float = 0.95
) -> pd.DataFrame:
    """Return every number of the test with its interval, companies as clusters.

    Parameters
    ----------
    test : Test
    horizons : tuple of int
        Days; the primary one first. Each is a row "retention"; "of a reached call" is the first horizon's effect on
        those whom a call reaches.
    margins : mapping of str to float
        Guardrail -> the largest acceptable rise of its rate.
    level : float
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        Index ``metric``; ``horizon`` (days), ``treated_mean``, ``control_mean``, ``estimate``, ``low``, ``high``,
        ``p``, ``treated_n``, ``control_n``, ``clusters``, ``margin`` and ``verdict`` (guardrails only).

    Raises
    ------
    ContractError
        A horizon beyond the days watched, a margin for a column that is not there.
    """
    _readable(test, horizons, margins)
    frame = test.frame
    arms, account = frame["treated"], frame["account_id"]
    rows = []
    for horizon in horizons:
        stayed = ~(frame["day_left"] <= horizon)
        rows.append(_row("retention", horizon, difference(stayed, arms, cluster=account, level=level)))
    stayed = ~(frame["day_left"] <= horizons[0])
    reached = complier_effect(stayed, arms, frame["reached"], cluster=account, level=level)
    rows.append(_row("of a reached call", horizons[0], reached))
    for kind, margin in margins.items():
        rows.append(_guardrail(kind, frame, margin, level))
    return pd.DataFrame(rows).set_index("metric")


SHOWN = ("treated_mean", "control_mean", "estimate", "low", "high", "p", "treated_n", "control_n", "clusters")


def _row(metric: str, horizon: int, effect: Effect) -> dict[str, object]:
    fields = asdict(effect)
    return {"metric": metric, "horizon": horizon} | {name: fields[name] for name in SHOWN}


def _guardrail(kind: str, frame: pd.DataFrame, margin: float, level: float) -> dict[str, object]:
    if frame[kind].nunique() == 1:  # no complaint at all leaves no spread to build an interval from
        arms = frame["treated"]
        same = float(frame[kind].iloc[0])
        nothing = dict.fromkeys(("low", "high", "p"), np.nan)
        counts = {"treated_n": int(arms.sum()), "control_n": int((~arms).sum()), "clusters": None}
        means = {"treated_mean": same, "control_mean": same, "estimate": 0.0}
        return {"metric": kind, "horizon": 30, **means, **nothing, **counts, "margin": margin, "verdict": "not known"}
    effect = difference(frame[kind], frame["treated"], cluster=frame["account_id"], level=level)
    verdict = non_inferior(effect, margin, "up").verdict
    return _row(kind, 30, effect) | {"margin": margin, "verdict": verdict}


def _readable(test: Test, horizons: tuple[int, ...], margins: Mapping[str, float]) -> None:
    if not horizons or max(horizons) > test.days:
        mend = "ask for shorter horizons or play the test for more months"
        refuse("horizons", f"up to {test.days} days, the length of the test", repr(horizons), mend)
    unknown = [kind for kind in margins if kind not in FEEDBACK]
    if unknown:
        refuse("margins", "keyed by 'complaint' or 'unsubscribe'", repr(unknown[0]), "rename the guardrail")


def saved_or_postponed(
    world: World, truth: Truth, act: npt.ArrayLike, horizons: tuple[int, ...] = (1, 3, 6, 12)
) -> pd.DataFrame:
    """Return how many of the saves of a month's calls are still there later, coin flips integrated out.

    Parameters
    ----------
    world : World
    truth : Truth
    act : array_like of bool, shape (n,)
        Who is called.
    horizons : tuple of int
        Months from today.

    Returns
    -------
    pandas.DataFrame
        One row a horizon: ``months``, ``saves`` (expected subscribers there because of the calls), ``of_first``
        (as a share of those after the first month).

    Raises
    ------
    ContractError
        Nobody called, a horizon that the truth does not hold.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from casebook.churn.evaluate import call_top
    >>> from casebook.churn.snapshot import draw_snapshot
    >>> world = World(persistence=0.0, dogs=0.0)
    >>> day = draw_snapshot(world, 4_000, np.random.default_rng(0))
    >>> later = saved_or_postponed(world, day.truth, call_top(day.worth.p, 400))
    >>> later["of_first"].is_monotonic_decreasing
    True
    """
    rows = flags(act, truth, "act")
    longest = truth.months.p.shape[1]
    if not horizons or min(horizons) < 1 or max(horizons) > longest:
        refuse("horizons", f"whole months from 1 to {longest}", repr(horizons), "ask for months that the truth holds")
    saves = saved_by(world, truth, truth.months.kept[:, 0], max(horizons))[rows].sum(axis=0)
    table = pd.DataFrame({"months": horizons, "saves": saves[np.array(horizons) - 1]})
    return table.assign(of_first=table["saves"] / saves[0])
