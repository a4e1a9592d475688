"""The job that reads a running test every morning and may stop it on any of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from casebook.contracts import refuse
from casebook.experiments import always_valid, ratio_difference, srm_sequential


@dataclass(frozen=True)
class Morning:
    """What the job saw of the days so far.

    Parameters
    ----------
    day : int
        Last day that is complete, 0 the first.
    ratio_p : float
        Of the arms' sizes, always valid.
    harm, low, high : float
        Relative change of hides per view with its always-valid interval.
    alarm : {"", "sample ratio", "harm"}
        Why the test is to be stopped; empty to go on.
    """

    day: int
    ratio_p: float
    harm: float
    low: float
    high: float
    alarm: str

    @property
    def sentence(self) -> str:
        """What the job writes to those on call; its days count from 1."""
        if self.alarm == "sample ratio":
            why = f"stop, the arms' sizes contradict the plan (p = {self.ratio_p:.2g}); find the cause"
        elif self.alarm == "harm":
            why = f"switch off, hides per view rose by {self.harm:.0%} (at least {self.low:.0%})"
        else:
            why = "go on"
        return f"Day {self.day + 1}: {why}."


def watch(
    tables: Mapping[str, pd.DataFrame],
    shares: Mapping[str, float],
    margin: float,
    day: int,
    *,
    alpha: float = 0.01,
    tuning: float = 20_000,
) -> Morning:
    """Read a running test up to the end of a day, at error rates that hold for all mornings together.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        The feed's, with arms "new" and "control". Rows of later days are not read.
    shares : mapping of str to float
        Planned share of each arm; they sum to 1.
    margin : float
        Relative rise of hides per view from which on the test is switched off, above 0.
    day : int
        Last complete day, 0 or more.
    alpha : float
        Chance that a sound and harmless test is ever stopped by each of the two; by either, at most the sum.
    tuning : float
        Users at which the harm's interval is tightest.

    Returns
    -------
    Morning

    Raises
    ------
    ContractError
        A day before the first, a margin of 0 or less, or nobody in the feed yet.

    References
    ----------
    As :func:`casebook.experiments.srm_sequential` and :func:`casebook.experiments.always_valid`.
    """
    if day < 0:
        refuse("day", "0 or more", str(day), "pass the last complete day")
    if margin <= 0:
        refuse("margin", "above 0", f"{margin:g}", "pass the smallest rise that you would switch off for")
    arrivals = _arrivals(tables, list(shares), day)
    ratio_p = float(srm_sequential(arrivals.to_numpy(), list(shares.values()), alpha=alpha)["p"].iloc[-1])
    harm, low, high = _harm(tables, day, 1 - alpha, tuning)
    alarm = "sample ratio" if ratio_p < alpha else "harm" if low > margin else ""
    return Morning(day, ratio_p, harm, low, high, alarm)


def _arrivals(tables: Mapping[str, pd.DataFrame], arms: list[str], day: int) -> pd.DataFrame:
    """Users first seen on each day so far, one column an arm."""
    assigned = tables["assignment"].dropna(subset="exposed_on")
    on_day = (assigned["exposed_on"] - tables["assignment"]["assigned_on"].min()).dt.days
    first = assigned.assign(day=on_day)[on_day <= day]
    if first.empty:
        refuse("tables['assignment']", f"with users seen up to day {day}", "none", "wait for the first day's log")
    return first.groupby(["day", "arm"]).size().unstack(fill_value=0).reindex(columns=arms, fill_value=0)


def _harm(tables: Mapping[str, pd.DataFrame], day: int, level: float, tuning: float) -> tuple[float, float, float]:
    so_far = tables["daily"].query("day <= @day and arm in ('new', 'control')")
    users = so_far.groupby("user_id").agg({"hides": "sum", "impressions": "sum", "arm": "first"})
    seen = users[users["impressions"] > 0]
    moved = ratio_difference(seen["hides"], seen["impressions"], seen["arm"] == "new")
    base = moved.control_mean
    held = always_valid(moved.estimate / base, moved.se / base, len(seen), tuning=tuning, level=level)
    return held.estimate, held.low, held.high
