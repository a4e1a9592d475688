"""Small drawn banks in which every model is fitted and tested as time runs, and a random split and leaks beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.fraud.compare import Scores, gaps, score_all
from casebook.fraud.dials import ADVERSARY, BANK
from casebook.fraud.evaluate import average_precision
from casebook.fraud.models import AnomalyModel, BoostedModel, LogisticModel, Model, RuleModel
from casebook.fraud.optimism import optimism, planted_leaks
from casebook.fraud.protocol import Evidence, Origin, training
from casebook.fraud.recorder import Recorded
from casebook.fraud.rules import Rules
from casebook.fraud.simulate import simulate
from casebook.fraud.world import World
from casebook.worlds import Dial

CARDS, DAYS = 2_500, 84
PLAN = Origin(14, 45, 53, 83)
FOLDS = 2
FLATTERY = {"random": "rows", "cards": "cards", "leak": "leak, offline", "whole": "whole table, offline"}
Row = dict[str, float | bool]

_DRAWN = {dial.name: dial for dial in (*BANK, *ADVERSARY)}
MODEL_DIALS = (
    replace(
        _DRAWN["prevalence"], low=0.003, source="assumed: as the bank's, but hundreds of frauds in a small bank",
    ),
    replace(_DRAWN["delay_days"], high=21.0, source="assumed: as the bank's, but a third of the labels come in time"),
    *(_DRAWN[name] for name in ("sharing", "reported", "false_claims", "notice_days", "speed")),
    replace(_DRAWN["ring_share"], null=None),
    Dial("own", 0.95, 1.0, "share of events",
         "assumed: a join that mixes up the features of no event, or of one in twenty on the same day",
         "whether there is anything to learn", null=0.0),
)  # fmt: skip


def mixed_rows(day: NDArray[np.int64], own: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return whose features each event gets: its own, or for a share of the events another's of its day.

    Parameters
    ----------
    day : array of int, shape (n,)
        Rising.
    own : float
        Share that keeps its own, in [0, 1].
    rng : numpy.random.Generator

    Returns
    -------
    array of int, shape (n,)
        A permutation.

    Examples
    --------
    >>> mixed_rows(np.array([0, 0, 1, 1]), 1.0, np.random.default_rng(0)).tolist()
    [0, 1, 2, 3]
    >>> mixed_rows(np.repeat([0, 1], 3), 0.0, np.random.default_rng(0)).tolist()
    [2, 0, 1, 5, 4, 3]
    """
    rows = np.arange(len(day))
    mixed = np.flatnonzero(rng.random(len(day)) >= own)
    drawn = np.lexsort((rng.random(len(mixed)), day[mixed]))
    rows[mixed] = mixed[drawn]
    return rows


def play_models(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Draw one small bank under its rules, fit every model to what is known on day 53, and test it on the month after.

    Average precisions of models are against the truth; those of splits and leaks against the labels that the bank has
    in the end, which is where a team would be flattered, with all designs on the same test events and as many training
    rows. A finding is true only if the 95% interval over cards leaves 0 out.

    Parameters
    ----------
    dials : dict
        ``prevalence``, ``delay_days``, ``sharing``, ``reported``, ``false_claims``, ``notice_days``, ``speed``,
        ``ring_share`` of :class:`casebook.fraud.world.World`, and ``own``, the share of events whose features are
        theirs; at 0 no feature says anything of its event.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``frauds``, ``prevalence_tested``, ``known`` (frauds fitted to); ``ap_rules``, ``ap_logistic``, ``ap_boosted``,
        ``ap_anomaly``; ``labels`` (of the test, in the end), ``ap_time`` (on them), and ``gap_random``, ``gap_cards``,
        ``gap_leak``, ``gap_whole`` (what each promises more), ``gap_served`` (what the model that was fitted with the
        whole table's leak has more in service). The findings:

        ``boosted_beats_logistic``, ``logistic_beats_boosted``, ``boosted_beats_rules``, ``boosted_beats_anomaly``
        ``random_split_flatters``, ``card_split_flatters``, ``leak_flatters``, ``whole_table_flatters``
        ``whole_table_hurts`` : in service its model is worse than the one without.
    """
    own = dials["own"]
    settings: dict[str, Any] = {name: value for name, value in dials.items() if name != "own"}
    for_world, for_mix, for_fit = rng.spawn(3)
    recorder = Recorded.watching(Rules())
    run = simulate(World(**settings), CARDS, DAYS, for_world, recorder)
    plain = Evidence(recorder.features, run.tables, run.truth.events["fraud"].to_numpy())
    mixed = mixed_rows(plain.day, own, for_mix)
    evidence = replace(plain, features=_taken(plain.features, mixed))
    leaks = {name: _taken(columns, mixed) for name, columns in planted_leaks(plain).items()}
    splits = optimism(BoostedModel(), evidence, PLAN, for_fit, ("cards", "rows"), leaks, folds=FOLDS)
    return _models(evidence, for_fit) | _splits(splits)


def _taken(table: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
    return table.take(rows).set_axis(table.index)


def _models(evidence: Evidence, rng: np.random.Generator) -> Row:
    X, y, kept = training(evidence, PLAN, rng)
    where = evidence.rows(PLAN.test_first, PLAN.test_last)
    models: dict[str, Model] = {"rules": RuleModel(evidence.tables["decisions"]), "logistic": LogisticModel()}
    models |= {"boosted": BoostedModel(), "anomaly": AnomalyModel()}
    scores = score_all(models, X, y, evidence.features.iloc[where], kept)
    fraud = evidence.fraud[where]
    row: Row = {"frauds": int(fraud.sum()), "prevalence_tested": float(fraud.mean()), "known": int(y.sum())}
    for name in scores.score:
        row[f"ap_{name}"] = average_precision(fraud, scores.score[name])
    return row | _beats(scores, pd.DataFrame({"fraud": fraud, "card_id": evidence.card[where]}), rng)


def _beats(scores: Scores, test: pd.DataFrame, rng: np.random.Generator) -> Row:
    more = gaps(scores, test, "boosted", rng)
    row: Row = {f"boosted_beats_{name}": bool(more["low"][name] > 0) for name in ("logistic", "rules", "anomaly")}
    return row | {"logistic_beats_boosted": bool(more["high"]["logistic"] < 0)}


def _splits(table: pd.DataFrame) -> Row:
    gap, low, high = (table[name] for name in ("gap", "low", "high"))
    row: Row = {"labels": int(table["reported"].iloc[0]), "ap_time": float(table["ap"].iloc[0])}
    row |= {f"gap_{name}": float(gap[design]) for name, design in FLATTERY.items()}
    words = {"random": "random_split", "cards": "card_split", "leak": "leak", "whole": "whole_table"}
    row |= {f"{words[name]}_flatters": bool(low[design] > 0) for name, design in FLATTERY.items()}
    served = "whole table, in service"
    return row | {"gap_served": float(gap[served]), "whole_table_hurts": bool(high[served] < 0)}
