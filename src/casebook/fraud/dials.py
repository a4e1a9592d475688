"""From which ranges banks are drawn, and where each range comes from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from casebook.fraud.world import Friction, World
from casebook.worlds import Dial

BANK = (
    Dial("prevalence", 0.0003, 0.008, "share of events",
         "three in ten thousand dollars in Europe (European Central Bank 2023) to eight in a thousand events of the "
         "handbook's generator (Le Borgne, Siblini, Lebichot and Bontempi 2022)",
         "what a precision means", scale="log"),
    Dial("ring_share", 0.05, 0.5, "share of attempts", "assumed: a few, or half",
         "whether a graph of shared devices earns its keep", null=0.0),
    Dial("sharing", 0.0, 1.0, "innocent sharing, none to most", "assumed: both ends",
         "whether a shared device says anything"),
    Dial("delay_days", 1.0, 45.0, "days, median",
         "assumed: an alert holder the next day, to one who reads the statement after next",
         "whether daily retraining buys anything", scale="log"),
    Dial("reported", 0.5, 1.0, "share of passed frauds", "assumed: half are too small to be worth a call, or none",
         "how far labels can be counted"),
    Dial("false_claims", 0.0, 0.4, "share of claims", "assumed: few, or the share that merchants complain of",
         "how far labels can be believed"),
    Dial("notice_days", 0.5, 14.0, "days, median", "assumed: a holder with notifications on his phone, or without",
         "what is left of an episode to be saved", scale="log"),
)  # fmt: skip

ADVERSARY = (
    Dial("speed", 0.0, 1.0, "steps in means", "assumed: never, to a doubling or halving of a tactic within a day",
         "how fast a policy wears out"),
)  # fmt: skip

ASKING = (
    Dial("push_pass", 0.01, 0.4, "share of pushes to fraudsters",
         "assumed: only who holds the phone, to two in five by a talk on the telephone",
         "whether a push beats a block", scale="log"),
    Dial("push_confirm", 0.6, 0.97, "share of honest pushes", "assumed: phones in bags, to phones in hands",
         "what a push costs in sales"),
    Dial("push_slip", 0.0, 0.02, "share of honest pushes", "assumed: none, to two slips of the thumb in a hundred",
         "what the push is worth as a label"),
    Dial("call_pass", 0.005, 0.15, "share of calls to fraudsters", "assumed: an agent asks more than a phone does",
         "whether calls earn their agents", scale="log"),
    Dial("call_confirm", 0.4, 0.9, "share of honest calls", "assumed: most, or the few who answer unknown numbers",
         "whether calls earn their agents"),
)  # fmt: skip

CHANGES = (
    Dial("novel_share", 0.05, 0.5, "share of attempts from its day on", "assumed: a novelty, or half of all",
         "whether a new attack can be told from decay", null=0.0),
    Dial("drift", 0.05, 0.6, "growth of the online share", "assumed: a season, or a year of lockdown",
         "whether decay can be told from a new attack", null=0.0),
)  # fmt: skip

COSTS = (
    Dial("push", 0.01, 0.5, "dollars", "assumed: a message, to a message that annoys", "where pushes begin",
         scale="log"),
    Dial("call", 2.0, 15.0, "dollars", "assumed: two to ten minutes of an agent", "where calls begin", scale="log"),
    Dial("block", 2.0, 80.0, "dollars",
         "assumed: a complaint, to one holder in twenty who leaves with a card worth a few hundred dollars a year",
         "where blocks begin", scale="log"),
    Dial("margin", 0.005, 0.03, "share of the amount", "assumed: capped interchange in Europe to a premium card's",
         "how cuts move with the amount", scale="log"),
    Dial("fee", 5.0, 40.0, "dollars", "assumed: a form, to a dispute through the scheme", "whether small frauds matter",
         scale="log"),
    Dial("reissue", 2.0, 12.0, "dollars", "assumed: plastic and post, or by courier", "what a false stop costs",
         scale="log"),
)  # fmt: skip

DIALS = (*BANK, *ADVERSARY, *ASKING)


def draw_world(rng: np.random.Generator, base: World | None = None) -> World:
    """Draw a bank: all of :data:`DIALS` and :data:`COSTS` from their ranges.

    Parameters
    ----------
    rng : numpy.random.Generator
    base : World, optional
        Holds the settings that are not drawn: the novel kind and the drift.

    Examples
    --------
    >>> world = draw_world(np.random.default_rng(0), World(drift=0.3))
    >>> world.drift, 0.0003 <= world.prevalence <= 0.008
    (0.3, True)
    """
    drawn: dict[str, Any] = {
        dial.name: float(dial.at(place)) for dial, place in zip(DIALS, rng.random(len(DIALS)), strict=True)
    }
    costs = {dial.name: float(dial.at(place)) for dial, place in zip(COSTS, rng.random(len(COSTS)), strict=True)}
    return replace(base or World(), costs=Friction(**costs), **drawn)
