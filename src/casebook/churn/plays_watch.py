"""One world of the study of watching: three changes, each by itself; what PSI says of it, and what retraining mends."""

from __future__ import annotations

import numpy as np
import pandas as pd

from casebook.churn.changed import CUSTOM, Change, draw_changed, fit_risk, judge
from casebook.churn.world import World
from casebook.monitoring import psi_null, psi_table

QUIET_WEEKS = 12  # readings of a company that does not change
WOLF = 0.25  # an alarm that rings in more than a quarter of quiet weeks is not looked at any more
MATERIAL = 0.02  # of the leavers that the best list holds
HURT = 0.1  # a promise that has moved by a tenth
Row = dict[str, float | bool]


def _changes(dials: dict[str, float]) -> dict[str, Change]:
    return {
        "quiet": Change(),
        "usage": Change(usage=dials["usage_shift"]),
        "pull": Change(pull=dials["pull_shift"]),
        "rival": Change(rival=dials["rival"]),
    }


def play_watch(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Play a company four times from one day on: nothing changes, logins vanish, pull grows, a rival comes.

    Each time the model of the first day scores a later one, beside a model fitted on the month before that day. All
    four meet the same people and the same luck, so what they differ in is the change's doing.

    Parameters
    ----------
    dials : dict
        ``rows``, ``months_since``, ``usage_shift``, ``pull_shift``, ``rival``, ``spread``, ``annual_share``.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        For ``quiet``, ``usage``, ``pull`` and ``rival``, each with its prefix: ``psi`` (of the feature that moved
        most), ``alarms`` (features above what chance exceeds, at 5% for all together), ``promise`` and ``mended``
        (predicted over true rate, of the old and the new model, each over the same in the quiet company), ``gained``
        (leavers on the new model's list less the old one's, as a share of the best list's, beyond what the quiet
        company gained: for ``quiet`` itself all of it, which is luck), ``auc_gained``. Then
        ``psi_alarm_weeks`` and ``psi_alarm_weeks_all`` (share of quiet weeks with an alarm, at 5% for each feature and
        for all together) and the findings:

        ``psi_sees`` : logins vanish, and a feature's PSI is above 0.1.
        ``psi_cries_wolf`` : the alarm at 5% a feature rings in more than a quarter of quiet weeks.
        ``psi_misses`` : a rival moves the promise by a tenth, and no PSI is above 0.1.
        ``chance_misses`` : the same, and no feature is above what chance exceeds.
        ``usage_hurts``, ``pull_hurts``, ``rival_hurts`` : the promise has moved by a tenth.
        ``retraining_pays``, ``usage_pays``, ``pull_pays``, ``quiet_pays`` : a new model's list finds 2% more of the
        leavers, after the rival, the loss of logins, the pull, and nothing.
        ``retraining_hurts`` : it finds 2% fewer in the quiet company, by luck as ``quiet_pays`` is.
    """
    world = World(spread=dials["spread"], annual_share=dials["annual_share"])
    rows, since = round(dials["rows"]), round(dials["months_since"])
    first = draw_changed(world, Change(), -1, rows, rng)
    old, seed = fit_risk(first, rng), int(rng.integers(2**32))
    row: Row = {}
    luck: dict[str, float] = {}
    for name, change in _changes(dials).items():
        draws, flips = np.random.default_rng(seed).spawn(2)
        new = fit_risk(draw_changed(world, change, since - 1, rows, draws), flips)
        today = draw_changed(world, change, since, rows, draws)
        table = psi_table(first.features, today.features, alpha=0.05 / first.features.shape[1])
        was, now = (judge(model, today, world.capacity) for model in (old, new))
        read = {f"was_{key}": value for key, value in was.items()} | {f"now_{key}": value for key, value in now.items()}
        luck = luck or read
        gained, auc = (_gain(read, key) - (name != "quiet") * _gain(luck, key) for key in ("found", "auc"))
        row |= {
            f"{name}_psi": float(table["psi"].max()),
            f"{name}_alarms": float(table["alarm"].sum()),
            f"{name}_promise": read["was_promised"] / luck["was_promised"],
            f"{name}_mended": read["now_promised"] / luck["now_promised"],
            f"{name}_gained": gained,
            f"{name}_auc_gained": auc,
        }
    row |= _quiet_weeks(first.features, rng)
    return row | _findings(row)


def _gain(read: dict[str, float], key: str) -> float:
    return read[f"now_{key}"] - read[f"was_{key}"]


def _quiet_weeks(features: pd.DataFrame, rng: np.random.Generator) -> Row:
    """Read PSI between random halves of one day: whatever rings is chance."""
    each, together = [], []
    for _ in range(QUIET_WEEKS):
        order = rng.permutation(len(features))
        left, right = (features.iloc[part] for part in np.array_split(order, 2))
        table = psi_table(left, right, alpha=0.05)
        strict = [psi_null(len(left), len(right), cells, 0.05 / len(table)) for cells in table["cells"]]
        each.append(table["alarm"].any())
        together.append((table["psi"] > strict).any())
    return {"psi_alarm_weeks": float(np.mean(each)), "psi_alarm_weeks_all": float(np.mean(together))}


def _findings(row: Row) -> Row:
    hurts = {name: abs(np.log(row[f"{name}_promise"])) > np.log1p(HURT) for name in ("usage", "pull", "rival")}
    pays = {name: row[f"{name}_gained"] > MATERIAL for name in ("quiet", "usage", "pull")}
    unseen = hurts["rival"] and row["rival_psi"] <= CUSTOM
    return {
        "psi_sees": bool(row["usage_psi"] > CUSTOM),
        "psi_cries_wolf": bool(row["psi_alarm_weeks"] > WOLF),
        "psi_misses": bool(unseen),
        "chance_misses": bool(unseen and row["rival_alarms"] == 0),
        **{f"{name}_hurts": bool(flag) for name, flag in hurts.items()},
        **{f"{name}_pays": bool(flag) for name, flag in pays.items()},
        "retraining_pays": bool(row["rival_gained"] > MATERIAL),
        "retraining_hurts": bool(row["quiet_gained"] < -MATERIAL),
    }
