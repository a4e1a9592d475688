"""Chapter 5's replicated banks: what is drawn, from which ranges, and what each null bank switches off."""

from __future__ import annotations

from dataclasses import replace

from casebook.fraud.dials import ASKING, BANK
from casebook.fraud.plays_graph import DIALS as GRAPHED
from casebook.fraud.plays_graph import play_graph
from casebook.fraud.plays_models import MODEL_DIALS, play_models
from casebook.fraud.plays_novel import DIALS as NOVELTY
from casebook.fraud.plays_novel import play_novel
from casebook.fraud.plays_tiers import play_odds, play_push, play_tiers
from casebook.fraud.studies_watch import WATCHING
from casebook.studies import Study
from casebook.worlds import Dial

_DIAL = {dial.name: dial for dial in (*BANK, *ASKING)}
_PREVALENCE = replace(
    _DIAL["prevalence"], low=0.002,
    source="a quarter of what the handbook's generator has (Le Borgne, Siblini, Lebichot and Bontempi 2022) to all "
    "of it; a bank of two thousand cards with less has too few frauds to count",
)  # fmt: skip
_ANY_PASS = Dial(
    "push_pass", 0.02, 0.98, "share of pushes to fraudsters", "assumed: nearly none, to nearly all",
    "whether a push beats a block", null=1.0,
)  # fmt: skip
_ODDS = Dial(
    "odds", 2.0, 40.0, "factor on the odds", "honest rows kept one in two, to one in forty, and never put back",
    "what a p that promises too much costs", scale="log", null=1.0,
)  # fmt: skip

STUDIES = (
    Study(
        "05_tiers", play_tiers, (_PREVALENCE, replace(_DIAL["push_pass"], null=1.0)),
        n=24, seed=5_001, null_n=20, title="Actions chosen by costs, played; null: fraudsters pass every push",
    ),
    Study(
        "05_push", play_push, (_PREVALENCE, _ANY_PASS),
        n=24, seed=5_002, null_n=20, title="Pushes against blocks by how many fraudsters pass; null: all do",
    ),
    Study(
        "05_odds", play_odds, (_PREVALENCE, _ODDS),
        n=20, seed=5_003, null_n=20, title="Odds that are off by a factor, and mended; null: by a factor of one",
    ),
    Study(
        "05_graph", play_graph, GRAPHED,
        n=48, seed=5_101, null_n=20, title="A graph of shared devices against counts per device; null: no rings",
    ),
    Study(
        "05_models", play_models, MODEL_DIALS,
        n=20, seed=5_102, null_n=20, title="Models, splits and leaks as time runs; null: features say nothing",
    ),
    Study(
        "05_novel", play_novel, NOVELTY,
        n=24, seed=5_103, null_n=20,
        title="A seventh kind of fraud, looked for with and without labels; null: features say nothing",
    ),
    *WATCHING,
)  # fmt: skip
