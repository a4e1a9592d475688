"""One bank that learns only from what it let pass: what it forgets, what a little exploration gives back, what pays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from casebook.fraud.dials import ADVERSARY, BANK, COSTS
from casebook.fraud.relearn import Learned
from casebook.fraud.selective import Exploration, arms, run_arms
from casebook.fraud.selective_rounds import audit_blocks, by_round
from casebook.fraud.world import Friction, World
from casebook.worlds import Dial

CARDS, DAYS = 2_000, 120
NEVER = 1e9  # dollars for a false block: nothing is ever worth one
_NAMED = {dial.name: dial for dial in (*BANK, *ADVERSARY, *COSTS)}
DIALS: tuple[Dial, ...] = (
    replace(_NAMED["prevalence"], low=0.004),  # with less, a small bank has no hundred attempts a month
    *(_NAMED[name] for name in ("ring_share", "delay_days", "reported", "false_claims", "notice_days", "speed")),
    replace(_NAMED["block"], null=NEVER),
    Dial("share", 0.01, 0.5, "share of the blocked", "one in a hundred by custom, to a half", "what exploration gives",
         scale="log"),
    Dial("event_cap", 100.0, 2_000.0, "dollars", "assumed: a small loss, to any", "what exploration reaches",
         scale="log"),
)  # fmt: skip
Row = dict[str, float | bool]


def play_selective(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Play one bank five times: after a free month it blocks for three and fits its model anew each month.

    The arms are those of :func:`casebook.fraud.selective.arms`. What exploration may lose in a day is what it
    may lose in one event. Precisions are of the last month, of models that were fitted to a month of blocking; money is
    of all three.

    Parameters
    ----------
    dials : dict
        Those of :data:`DIALS`. In the null world a false block costs so much that nothing is blocked.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``attempts`` and ``blocked_frauds`` (of the first month with a model, without exploration); ``ap_seen``,
        ``ap_told``, ``ap_kept``, ``ap_all`` without exploration, on one log; ``explored_seen``, ``explored_weighted``,
        ``explored_told`` with it, on another; ``true_ap`` and ``passed_ap`` of the models that decided; in the bank
        that explores ``explored_true_ap`` and ``explored_passed_ap`` (weighted); ``explored``, ``explored_frauds``,
        ``price`` (their loss less the false blocks they spared), ``unreached`` (frauds blocked that a cap kept from
        it); ``cost_*`` of each arm (loss and friction) and ``saved_*`` against "none";
        ``block_precision``, its ``..._estimate`` and ``..._error``. Dollars. The findings:

        ``forgets`` : who is told about the blocked has the better model.
        ``forgets_though_kept`` : also where both keep all old labels.
        ``keeping_mends`` : who keeps all old labels falls less far behind.
        ``looks_worse`` : over what passed, the bank's own model looks worse than it is.
        ``weighing_mends`` : weighted by exploration it looks nearer to what it is.
        ``exploration_mends`` : who explores falls less far behind who is told.
        ``weights_help`` : on the explorer's log the weighted model is better than the unweighted.
        ``labels_pay``, ``keeping_pays``, ``exploration_pays``, ``weighted_pays`` : ``saved_*`` above 0.
    """
    others = {"block", "share", "event_cap"}
    settings: dict[str, Any] = {dial.name: dials[dial.name] for dial in DIALS if dial.name not in others}
    world = World(costs=Friction(block=dials["block"]), **settings)
    exploration = Exploration(dials["share"], dials["event_cap"], dials["event_cap"])
    played = run_arms(world, arms(exploration), int(rng.integers(2**53)), CARDS, DAYS)
    rounds = {name: by_round(learned) for name, learned in played.items()}
    row = _models(rounds["none"], rounds["unweighted"]) | _audit(played["unweighted"], rounds["unweighted"])
    cost = {name: float(table[["loss", "friction"]].to_numpy().sum()) for name, table in rounds.items()}
    row |= {f"cost_{name}": dollars for name, dollars in cost.items()}
    row |= {f"saved_{name}": cost["none"] - dollars for name, dollars in cost.items() if name != "none"}
    return row | _findings(row)


def _models(none: pd.DataFrame, explorer: pd.DataFrame) -> Row:
    last, explored = none.iloc[-1], explorer.iloc[-1]
    blocked = (none["stopped_share"] * none["attempts"]).iloc[0]
    return {
        "attempts": float(last["attempts"]),
        "blocked_frauds": float(blocked),
        **{f"ap_{name}": float(last[f"ap_{name}"]) for name in ("seen", "told", "kept", "all")},
        **{f"explored_{name}": float(explored[f"ap_{name}"]) for name in ("seen", "weighted", "told")},
        "true_ap": float(none["ap_seen"].mean()),
        "passed_ap": float(none["passed_ap"].mean()),
        "explored_true_ap": float(explorer["ap_seen"].mean()),
        "explored_passed_ap": float(explorer["passed_ap_weighted"].mean()),
    }


def _audit(explorer: Learned, rounds: pd.DataFrame) -> Row:
    """Return what exploration reached and cost, and what it tells of the blocks; missing where nothing was explored."""
    total = rounds.sum()
    truth, found = audit_blocks(explorer) if total["explored"] else (np.nan, None)
    return {
        "explored": float(total["explored"]),
        "explored_frauds": float(total["explored_frauds"]),
        "price": float(total["explored_loss"] - total["explored_spared"]),
        "unreached": float(total["unreached"]),
        "block_precision": truth,
        "block_precision_estimate": found.value if found else np.nan,
        "block_precision_error": found.standard_error if found else np.nan,
    }


def _findings(row: Row) -> Row:
    forgotten, though_kept = row["ap_told"] - row["ap_seen"], row["ap_all"] - row["ap_kept"]
    explored = row["explored_told"] - row["explored_seen"]
    off, weighed_off = row["passed_ap"] - row["true_ap"], row["explored_passed_ap"] - row["explored_true_ap"]
    return {
        "forgets": bool(forgotten > 0),
        "forgets_though_kept": bool(though_kept > 0),
        "keeping_mends": bool(though_kept < forgotten),
        "looks_worse": bool(off < 0),
        "weighing_mends": bool(abs(weighed_off) < abs(off)),
        "exploration_mends": bool(explored < forgotten),
        "weights_help": bool(row["explored_weighted"] > row["explored_seen"]),
        "labels_pay": bool(row["saved_told"] > 0),
        "keeping_pays": bool(row["saved_kept"] > 0),
        "exploration_pays": bool(row["saved_unweighted"] > 0),
        "weighted_pays": bool(row["saved_weighted"] > 0),
    }
