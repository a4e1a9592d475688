"""Feeds with mixed faults, and clean ones: what each check of their tests finds, and what slips by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from casebook.experiments import (
    Margin,
    Plan,
    Report,
    adjust_p,
    by_segment,
    cuped,
    difference,
    heterogeneity,
    report,
    srm,
)
from casebook.feed.dials import draw_world
from casebook.feed.simulate import Feed, simulate
from casebook.feed.tables import user_table
from casebook.feed.world import FAULTS, Design, World, faults_of

USERS = 60_000
HALVES = Design(new=0.5, control=0.5)
PAYS_FROM, MDE = 0.005, 0.03  # of the minutes: from which a launch pays, and what the test is built to see
MARGINS = {"hides": 0.10, "waited": 0.05}  # of the old ranker's
LATE = 180  # days after the launch
ALPHA = 0.01  # of each check
VERDICTS = {
    "launch": "launch", "do not launch": "hold", "fix and rerun": "fix", "inconclusive: keep running": "keep",
}  # fmt: skip
Row = dict[str, float | bool]


def report_table(feed: Feed) -> pd.DataFrame:
    """Return one row per user of the two arms, as the plan of :func:`report_plan` reads it.

    Returns
    -------
    pandas.DataFrame
        As :func:`casebook.feed.tables.user_table`, with ``minutes`` adjusted for the 14 days before (CUPED) and
        ``waited`` (seconds in the test until the feed showed, 0 for those who never came).
    """
    users = user_table(feed.tables)
    users = users[users["arm"] != "rest"].reset_index(drop=True)
    minutes = cuped(users["minutes"], users["minutes_before"], users["arm"] == "new")
    return users.assign(minutes=minutes, waited=(users["load_ms"] * users["sessions"] / 1000).fillna(0.0))


def report_plan(feed: Feed) -> Plan:
    """Return the plan of a test of halves: its margins are shares of what users did on the old ranker.

    Examples
    --------
    >>> plan = report_plan(simulate(World(), 1_000, np.random.default_rng(0), HALVES))
    >>> [one.metric for one in plan.guardrails], plan.segments
    (['hides', 'waited'], ('platform',))
    """
    truth = feed.truth
    minutes, hides = truth.total("minutes").old, truth.total("hides").old
    visits, load = truth.potential("all_old", "sessions"), truth.potential("all_old", "load_ms")
    usual = {"hides": hides, "waited": float((visits * load).sum() / (visits > 0).sum() / 1000)}
    return Plan(
        "minutes",
        {"new": 0.5, "control": 0.5},
        treated="new",
        control="control",
        mde=MDE * minutes,
        pays_from=PAYS_FROM * minutes,
        guardrails=tuple(Margin(name, share * usual[name]) for name, share in MARGINS.items()),
        segments=("platform",),
        unit="user_id",
    )


def more_checks(feed: Feed, users: pd.DataFrame) -> dict[str, bool]:
    """Return what three checks beyond the report find, each at 1%: the time before, each day, each cohort.

    Parameters
    ----------
    feed : Feed
    users : pandas.DataFrame
        From :func:`report_table`.

    Returns
    -------
    dict of str to bool
        ``balance`` (minutes before the test differ), ``days`` (users who came differ on some day, after Holm),
        ``cohorts`` (relative effects differ between cohorts).
    """
    new = users["arm"] == "new"
    came = feed.tables["daily"].groupby(["day", "arm"]).size().unstack(fill_value=0)
    shares = [new.mean(), 1 - new.mean()]
    by_day = adjust_p([srm(row, shares).p for row in came[["new", "control"]].to_numpy()])
    parts = by_segment(users["minutes"], new, users["cohort"])
    base = parts["control_mean"]
    return {
        "balance": difference(users["minutes_before"], new).p < ALPHA,
        "days": bool(by_day.min() < ALPHA),
        "cohorts": heterogeneity(parts["estimate"] / base, parts["se"] / base).p < ALPHA,
    }


def judge(feed: Feed) -> Row:
    """Return what a launch of what was tested would do on day 180, and what it should be called.

    Returns
    -------
    dict
        ``launch`` (relative effect on minutes), ``guard_harmed`` (hides or load time beyond its margin),
        ``harmful`` (that, or minutes fall), ``worthwhile`` (not harmful, and minutes rise by ``PAYS_FROM`` or more).
    """
    truth = feed.truth
    gain, hides, load = (truth.launch(LATE, name, mended=False).relative for name in ("minutes", "hides", "load_ms"))
    guard_harmed = bool(hides > MARGINS["hides"] or load > MARGINS["waited"])
    harmful = bool(guard_harmed or gain < 0)
    return {
        "launch": gain,
        "guard_harmed": guard_harmed,
        "harmful": harmful,
        "worthwhile": not harmful and gain >= PAYS_FROM,
    }


def play_report(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Draw a feed with some faults, read its test by the report and three more checks, and hold it against the truth.

    Parameters
    ----------
    dials : dict
        ``fault_chance`` of each fault, ``effect``, ``rho``.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        Of :func:`judge`; ``shown`` (what the arms differ by but for luck); ``on_*`` for each fault; ``clean``
        (none is on); ``says_*`` for each verdict; ``ratio_stop``, ``guard_pass``, ``primary_pass``,
        ``primary_stop``; ``found_*`` of :func:`more_checks`. The findings:

        ``launched_harmful`` : the report says launch and the launch does harm.
        ``held_worthwhile`` : it says that it should not be launched, and it is worthwhile.
        ``false_alarm`` : no fault is on, and the sample ratio stops the test.
    """
    world = replace(draw_world(rng, dials["fault_chance"], base=World(rho=dials["rho"])), effect=dials["effect"])
    feed = simulate(world, USERS, np.random.default_rng(rng.integers(2**62)), HALVES)
    users = report_table(feed)
    said, on = report(users, report_plan(feed)), faults_of(world)
    row = judge(feed) | {"shown": feed.truth.contrast(), **{f"on_{name}": name in on for name in FAULTS}}
    row |= {"clean": not on} | _steps(said)
    row |= {f"found_{name}": found for name, found in more_checks(feed, users).items()}
    return row | {
        "launched_harmful": bool(row["says_launch"] and row["harmful"]),
        "held_worthwhile": bool(row["says_hold"] and row["worthwhile"]),
        "false_alarm": bool(row["clean"] and row["ratio_stop"]),
    }


def _steps(said: Report) -> Row:
    found: Row = {f"says_{short}": said.verdict == verdict for verdict, short in VERDICTS.items()}
    outcomes = [(one.step, one.outcome) for one in said.reasons]
    guards = [outcome for step, outcome in outcomes if step == "guardrail"]
    found["ratio_stop"] = ("sample ratio", "stop") in outcomes
    found["guard_pass"] = bool(guards) and set(guards) == {"pass"}
    return found | {f"primary_{word}": ("primary", word) in outcomes for word in ("pass", "stop")}
