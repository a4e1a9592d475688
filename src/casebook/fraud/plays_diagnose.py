"""Banks to which a new attack comes, whose holders change, both or neither: what the procedure reads in each."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd

from casebook.fraud.diagnose import PLACED, READINGS, RECENT_DAYS, TRAFFIC, diagnose
from casebook.fraud.in_force import InForce, Schedule
from casebook.fraud.simulate import Run, simulate
from casebook.fraud.verdicts import CAUSES
from casebook.fraud.world import DAY, World

CARDS, DAYS, START = 3_000, 98, 42
CHANGE = (63, 78)  # days among which a change's is drawn; the bank, which does not know it, reads its last four weeks
BANK = World(prevalence=0.006)
DRAWN = ("speed", "delay_days", "reported", "false_claims")  # dials of the bank that the world takes as they are
Row = dict[str, float | bool]


def scored_with_features(run: Run, policy: InForce) -> pd.DataFrame:
    """Return the log with scores, decisions and the features that :func:`casebook.fraud.diagnose.diagnose` reads."""
    scored = policy.scored(run.tables)
    wanted = [name for name in policy.features.columns if name in {*TRAFFIC, *PLACED} and name not in scored.columns]
    wanted = [name for name in wanted if name != "hour"]
    return scored.assign(**{name: policy.features[name].to_numpy() for name in wanted})


def world_of(dials: dict[str, float], rng: np.random.Generator) -> World:
    """Return the bank that the dials describe; days of change are drawn even where nothing changes."""
    novel_day, drift_day = (int(day) for day in rng.integers(*CHANGE, size=2))
    cause = CAUSES[int(dials.get("cause", 0.0))]
    own: dict[str, Any] = {name: dials[name] for name in DRAWN if name in dials}
    return replace(
        BANK,
        **own,
        novel_share=dials["novel_share"] if cause in ("novel attack", "both") else 0.0,
        drift=dials["drift"] if cause in ("decay", "both") else 0.0,
        novel_day=novel_day,
        drift_day=drift_day,
    )


def play_diagnose(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Play one bank for fourteen weeks, and read its last four against the four before.

    A model fitted on day 42 is in force from then on, unchanged, so that fraudsters answer it at the world's speed.

    Parameters
    ----------
    dials : dict
        ``cause`` (0 to 4, cut to a place in ``CAUSES``; absent: none), ``novel_share``, ``drift``, and any of
        ``DRAWN``.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        :data:`casebook.fraud.diagnose.READINGS`; ``missed``, ``in_cell`` and ``earlier`` (counts of frauds);
        ``novel`` and ``decay`` (the truth: what changed), ``change_days`` (since the later change, 0 if none).
        For the truth about the model: ``recall_before``, ``recall_recent`` (share of attempts that met an alert),
        and ``attempts_recent``, ``novel_recent`` (attempts of the new kind) behind it.
    """
    world = world_of(dials, rng)
    for_run, for_model = rng.spawn(2)
    policy = InForce(Schedule(start=START), for_model)
    run = simulate(world, CARDS, DAYS, for_run, policy)
    now = DAYS * DAY
    found = diagnose(scored_with_features(run, policy), run.tables["reports"], run.tables["answers"], now)
    read = asdict(found)
    row: Row = {name: float(read[name]) for name in (*READINGS, "missed", "in_cell", "earlier")}
    novel, decay = world.novel_share > 0, world.drift > 0
    changed = max(novel * world.novel_day, decay * world.drift_day)
    row |= {"novel": novel, "decay": decay, "change_days": float(DAYS - changed if changed else 0)}
    return row | _truth(run)


def cause_of(row: pd.Series | Row) -> str:
    """Return which of ``CAUSES`` a played row had.

    Examples
    --------
    >>> cause_of({"novel": True, "decay": False})
    'novel attack'
    """
    return CAUSES[int(row["novel"]) + 2 * int(row["decay"])]


def _truth(run: Run) -> Row:
    fraud = run.truth.events["fraud"].to_numpy()
    day = run.tables["events"]["at"].to_numpy()[fraud] // DAY
    met = run.tables["decisions"]["action"].to_numpy()[fraud] > 0
    late = day >= DAYS - RECENT_DAYS
    before = (day >= START) & ~late
    novel = (run.truth.events["kind"] == "wallet").to_numpy()[fraud]
    return {
        "recall_before": float(met[before].mean()) if before.any() else np.nan,
        "recall_recent": float(met[late].mean()) if late.any() else np.nan,
        "attempts_recent": float(late.sum()),
        "novel_recent": float((late & novel).sum()),
    }
