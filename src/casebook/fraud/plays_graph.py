"""One bank with rings: what a graph of shared devices finds beyond what counts of cards per device find."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd

from casebook.fraud.compare_graph import graph_table
from casebook.fraud.dials import BANK
from casebook.fraud.recorder import Recorded
from casebook.fraud.score_graph import MODELS, Days, fit_and_score
from casebook.fraud.simulate import simulate
from casebook.fraud.world import World
from casebook.worlds import Dial, flip_map_of

CARDS, LENGTH = 3_000, 85
DAYS = Days(first_train=21, last_train=49, first_test=57, last_test=84)
LEAST = 30
"""Frauds below which a world has no value. A page asks for 100; here no single world is read, but their mean."""

MATERIAL = 0.02  # average precision from which on a gain counts
SETS = {
    "base": "base",
    "age": "base + age",
    "entity": "base + entity",
    "graph": "base + graph",
    "age_graph": "base + age + graph",
    "both": "base + both",
}
Row = dict[str, float | bool]

_DIAL = {dial.name: dial for dial in BANK}
DIALS: tuple[Dial, ...] = (
    _DIAL["ring_share"],
    _DIAL["sharing"],
    _DIAL["delay_days"],
    replace(
        _DIAL["prevalence"], low=0.002,
        source="a quarter of what the handbook's generator has (Le Borgne, Siblini, Lebichot and Bontempi 2022) to all "
        "of it; a bank of three thousand cards with less has too few rings to count",
    ),
)  # fmt: skip
"""From which banks of this study are drawn; the null world is without rings."""


def world_of(dials: dict[str, float]) -> World:
    """Return the world with these dials.

    Examples
    --------
    >>> world_of({"sharing": 0.1, "ring_share": 0.0}) == World(sharing=0.1, ring_share=0.0)
    True
    """
    settings: dict[str, Any] = {part.name: dials[part.name] for part in fields(World) if part.name in dials}
    return World(**settings)


def play_graph(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Fit one boosted model on six sets of features in one bank, and hold its ranks against the truth.

    Nothing is stopped, so that every fraud of the test days is there to be ranked.

    Parameters
    ----------
    dials : dict
        ``ring_share``, ``sharing``, ``delay_days``, ``prevalence``.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``frauds`` and ``rings`` (events of the test days), ``known`` (frauds known of the training days), for "all"
        and "ring" the average precision ``*_base``, ``*_age``, ``*_entity``, ``*_graph``, ``*_age_graph``, ``*_both``
        and

        ``*_age_gain``, ``*_entity_gain``, ``*_graph_gain`` : of the base with ages, counts and ages, or the graph,
        less the base.
        ``*_lead`` : the graph less the counts and ages.
        ``*_structure`` : the graph and ages less the counts and ages: walks and communities against counts alone.
        ``*_added`` : all, less the counts and ages: what the graph adds for a bank that counts already.

        All are missing with fewer than ``LEAST`` frauds. The findings hold of rings, by more than a fiftieth:
        ``age_pays``, ``entity_pays``, ``graph_pays``, ``graph_leads``, ``entity_leads``, ``structure_leads``,
        ``graph_adds``; a world without enough rings counts as one where they do not hold.
    """
    for_world, for_models = rng.spawn(2)
    recorder = Recorded()
    run = simulate(world_of(dials), CARDS, LENGTH, for_world, recorder)
    models = {name: MODELS[name] for name in SETS.values()}
    scored = fit_and_score(run.tables, recorder.features, DAYS, for_models, models=models)
    table = graph_table(scored, run.truth, least=LEAST)
    counts = table["frauds"].xs("base", level="model")
    row: Row = {"frauds": float(counts["all"]), "rings": float(counts["ring"]), "known": float(scored.known)}
    for target in ("all", "ring"):
        row |= _gains(table["ap"].xs(target, level="target"), target)
    return row | _findings(row)


def _gains(ap: pd.Series, target: str) -> Row:
    own = {name: float(ap[model]) for name, model in SETS.items()}
    gains = {f"{name}_gain": own[name] - own["base"] for name in ("age", "entity", "graph")}
    gains |= {"lead": own["graph"] - own["entity"], "structure": own["age_graph"] - own["entity"]}
    gains |= {"added": own["both"] - own["entity"]}
    return {f"{target}_{name}": value for name, value in (own | gains).items()}


def _findings(row: Row) -> Row:
    found: Row = {f"{name}_pays": bool(row[f"ring_{name}_gain"] > MATERIAL) for name in ("age", "entity", "graph")}
    return found | {
        "graph_leads": bool(row["ring_lead"] > MATERIAL),
        "entity_leads": bool(row["ring_lead"] < -MATERIAL),
        "structure_leads": bool(row["ring_structure"] > MATERIAL),
        "graph_adds": bool(row["ring_added"] > MATERIAL),
    }


def earns_its_keep(frame: pd.DataFrame, value: str = "ring_added", cells: int = 3) -> pd.DataFrame:
    """Return the flip map of innocent sharing against the share of rings, from worlds already played.

    Parameters
    ----------
    frame : pandas.DataFrame
        A study's frame: a row a world, with the dials and what :func:`play_graph` returns.
    value : str
        Which of the gains; by default what the graph adds for a bank that counts already.
    cells : int
        Along each dial.

    Returns
    -------
    pandas.DataFrame
        As :func:`casebook.worlds.flip_map_of`: ``sharing``, ``ring_share``, ``mean``, ``share_positive``, ``n``;
        worlds with too few rings do not count.

    Examples
    --------
    >>> worlds = pd.DataFrame({"sharing": [0.1, 0.9], "ring_share": [0.4, 0.4], "ring_added": [0.03, -0.01]})
    >>> earns_its_keep(worlds, cells=2).query("n > 0")[["sharing", "mean", "n"]]
       sharing  mean  n
    1     0.25  0.03  1
    3     0.75 -0.01  1
    """
    return flip_map_of(frame, DIALS, "sharing", "ring_share", cells, cells, value)
