"""Banks whose fraudsters move slowly or fast and whose labels come soon or late: what refits buy in each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from casebook.fraud.dials import ADVERSARY, BANK
from casebook.fraud.retrain import DAYS, gain, play_schedules
from casebook.fraud.world import World
from casebook.worlds import Dial, flip_map_of

CARDS = 2_500
PREVALENCE = 0.008  # the handbook's; a thousandth leaves three attempts a day
DIALS: tuple[Dial, ...] = (
    replace(next(dial for dial in ADVERSARY if dial.name == "speed"), null=0.0),
    next(dial for dial in BANK if dial.name == "delay_days"),
)
PAIRS = {"daily_weekly": ("daily", "weekly"), "weekly_never": ("weekly", "never"), "daily_never": ("daily", "never")}
MATERIAL = 0.02  # share of the cost from which on a saving counts
Row = dict[str, float | bool]


def play_retrain(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Play one bank three times: refitted daily, weekly and never.

    Parameters
    ----------
    dials : dict
        ``speed`` and ``delay_days``; nothing drifts.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        For each of :data:`PAIRS` ``saved_...`` (less cost, as a share of the second one's), ``ap_...`` (more average
        precision) and ``caught_...`` (more of the attempts that did not pass); ``cost_...``, ``ap_...`` and
        ``caught_...`` of each schedule; ``attempts`` and ``passed`` under "never". The findings, of ``saved_...``
        beyond :data:`MATERIAL`:

        ``daily_pays``, ``daily_costs`` : against weekly. ``weekly_pays``, ``weekly_costs`` : against never.
    """
    world = World(prevalence=PREVALENCE, speed=dials["speed"], delay_days=dials["delay_days"])
    played = play_schedules(world, CARDS, DAYS, rng)
    row: Row = {}
    for name, pair in PAIRS.items():
        row |= {f"{what}_{name}": value for what, value in gain(played, *pair).items()}
    for name, one in played.items():
        row |= {f"cost_{name}": one.cost, f"ap_{name}": one.ap, f"caught_{name}": one.caught}
    for name, against in (("daily", "daily_weekly"), ("weekly", "weekly_never")):
        saved = float(row[f"saved_{against}"])
        row |= {f"{name}_pays": saved > MATERIAL, f"{name}_costs": saved < -MATERIAL}
    return row | {"attempts": float(played["never"].attempts), "passed": float(played["never"].passed)}


def retraining_map(frame: pd.DataFrame, value: str, nx: int = 2, ny: int = 2) -> pd.DataFrame:
    """Return a value of played banks by speed and delay, as :func:`casebook.worlds.flip_map_of` does.

    Parameters
    ----------
    frame : pandas.DataFrame
        A study's frame of :func:`play_retrain`.
    value : str
        Such as ``"saved_daily_weekly"``.
    nx, ny : int
        Cells along speed and delay; with few worlds take few.

    Examples
    --------
    >>> frame = pd.DataFrame({"speed": [0.1, 0.9], "delay_days": [2.0, 40.0], "saved_daily_weekly": [0.02, -0.01]})
    >>> retraining_map(frame, "saved_daily_weekly")["n"].tolist()
    [1, 0, 0, 1]
    """
    return flip_map_of(frame, DIALS, "speed", "delay_days", nx, ny, value)
