"""Chapter 8's replicated worlds: what is drawn, from which ranges, and which effect each null world switches off."""

from __future__ import annotations

from dataclasses import replace

from casebook.feed.dials import EFFECT, FAULT_DIALS, FEED, SPEEDS
from casebook.feed.plays_interference import play_spillover
from casebook.feed.plays_novelty import play_holdback, play_novelty
from casebook.studies import Study
from casebook.worlds import Dial

DIAL = {dial.name: dial for dial in (*FEED, *FAULT_DIALS, *SPEEDS)}
ANY_EFFECT = replace(EFFECT, null=None)  # the null worlds of these studies switch off the fault, not the effect


def _dials(*names: str) -> tuple[Dial, ...]:
    return tuple(DIAL[name] for name in names)


STUDIES = (
    Study(
        "08_spillover", play_spillover, (ANY_EFFECT, *_dials("spillover", "modularity", "friends", "alike")),
        n=80, seed=8001, null_n=24, title="Spillover along friendships; null: nothing spills over",
    ),
    Study(
        "08_novelty", play_novelty, (ANY_EFFECT, *_dials("novelty", "half_life")),
        n=100, seed=8002, null_n=40, title="Novelty, read in three ways; null: nothing fades",
    ),
    Study(
        "08_holdback", play_holdback,
        (
            ANY_EFFECT,
            *(replace(DIAL[name], low=0.0) for name in ("novelty", "primacy", "creators")),
            *_dials("half_life", "primacy_half_life", "response", "creator_half_life"),
        ),
        n=200, seed=8003, null_n=40, title="A 30-day holdback against day 180; null: nothing fades, grows or answers",
    ),
)  # fmt: skip
