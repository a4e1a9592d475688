"""Chapter 8's replicated worlds: what is drawn, from which ranges, and which effect each null world switches off."""

from __future__ import annotations

from dataclasses import replace

from casebook.feed.dials import EFFECT, FAULT_DIALS, FEED, PROGRAMME, SPEEDS
from casebook.feed.plays_decision import play_decision
from casebook.feed.plays_interference import play_spillover
from casebook.feed.plays_novelty import play_holdback, play_novelty
from casebook.feed.plays_report import play_report
from casebook.studies import Study
from casebook.worlds import Dial

DIAL = {dial.name: dial for dial in (*FEED, *FAULT_DIALS, *SPEEDS)}
FAULT_CHANCE = Dial(
    "fault_chance", 0.03, 0.25, "chance of each of sixteen faults",
    "assumed: a test with no fault or one, up to one with several", "what there is to be found", null=0.0,
)  # fmt: skip
IDLE, SCALE, _ = PROGRAMME
DECISION = (
    Dial("users", 5_000, 100_000, "users in each arm", "assumed: from half of this chapter's arms to ten times them",
         "whether waiting for proof is dear", scale="log"),
    replace(IDLE, null=1.0), SCALE,
    Dial("fault_chance", 0.0, 0.2, "chance of each of sixteen faults", "assumed: none, up to three in a test",
         "whether a table may be believed", null=0.0),
    Dial("cost", 0.0, 0.01, "share of minutes", "assumed: built and free to run, up to a team kept busy",
         "whether a small gain pays", null=0.0),
    Dial("harm", 0.0, 0.04, "share of minutes",
         "assumed: hides or waiting beyond the margin drive some away, or none", "what a guardrail is worth"),
)  # fmt: skip
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
    Study(
        "08_report", play_report, (FAULT_CHANCE, EFFECT, *_dials("rho")),
        n=150, seed=8004, null_n=50, title="Tests with mixed faults, read end to end; null: clean and without effect",
    ),
    Study(
        "08_decision", play_decision, DECISION,
        n=600, seed=8005, null_n=40, title="Five ways to decide on a launch; null: nothing works, costs or breaks",
    ),
)  # fmt: skip
