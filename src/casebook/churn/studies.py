"""Chapter 4's replicated worlds: what is drawn, from which ranges, and which effect each null world switches off."""

from __future__ import annotations

from dataclasses import replace

from casebook.churn.plays import play_lists, play_pilot
from casebook.churn.plays_history import play_history
from casebook.churn.plays_models import play_models, play_trajectory
from casebook.churn.studies_watch import WATCH
from casebook.studies import Study
from casebook.worlds import Dial

LEAVING = Dial(
    "leaving", 0.025, 0.06, "share a month", "the source's 3 to 5 percent a month, and a little beyond",
    "how many leavers a list can hold",
)  # fmt: skip
EFFECT = Dial(
    "effect", 0.02, 0.45, "share of leavers kept", "assumed: from next to nothing to nearly half of those reached",
    "whether calls are worth anything",
)  # fmt: skip
ALIGNMENT = Dial(
    "alignment", -0.8, 0.8, "correlation", "assumed: the riskiest are the hardest to keep, or the easiest",
    "whether a list by risk already holds those whom a call keeps",
)  # fmt: skip
DIFFERING = Dial(
    "differing", 0.0, 1.0, "of the mean effect",
    "assumed: a call does the same to all, or nothing to some and twice as much to others",
    "whether there is anything to learn beyond risk",
)  # fmt: skip
DOGS = Dial(
    "dogs", 0.0, 0.15, "share of the base", "assumed: from none to one in seven whom a call reminds of the bill",
    "what a careless call costs",
)  # fmt: skip
PULL = Dial(
    "pull", 0.0, 0.03, "chance a month",
    "assumed: from none to a sixth of the companies pulled at by a price or a rival",
    "whether risk comes from where a call does little",
)  # fmt: skip
FAILED_CARDS = Dial(
    "failed_cards", 0.002, 0.015, "share of bills", "assumed: up to a third of all leavers leave by a failed card",
    "how many leavers no call can keep",
)  # fmt: skip
PERSISTENCE = Dial(
    "persistence", 0.2, 1.0, "share left a month later", "assumed: from a save that only postpones to one that lasts",
    "what a save is worth",
)  # fmt: skip
PRICE_SPREAD = Dial(
    "price_spread", 0.0, 1.0, "of the plans' own spread",
    "assumed: from one price for all to the chapter's three plans",
    "whether value matters beside risk", null=0.0,
)  # fmt: skip
CAPACITY = Dial(
    "capacity", 0.02, 0.10, "calls a month per subscriber",
    "around the source's 6,000 and the 4,200 of 21 working days, on 100,000",
    "how selective a list must be", scale="log",
)  # fmt: skip
PILOT_MONTHS = Dial(
    "pilot_months", 0.0, 10.0, "months of call capacity", "assumed: from no pilot to most of a year of random calls",
    "how well uplift can be learnt",
)  # fmt: skip
PILOT_AMONG = Dial(
    "pilot_among", 0.2, 1.0, "share of the base", "assumed: a pilot among the riskiest fifth, or among everybody",
    "how many of the pilot's rows can tell anything",
)  # fmt: skip
REACH = Dial(
    "reach", 0.3, 0.9, "share of calls", "assumed", "how far intention to treat falls short of the call's own effect"
)
GUT = Dial("gut", 0.0, 1.0, "weight", "assumed: reps who watch usage, or who hear who grumbles", "what no table holds")
SPREAD = Dial(
    "spread", 0.4, 1.6, "log-odds", "gives models of risk an AUC of about 0.65 to 0.9 among those whose bill is due",
    "how much there is to predict",
)  # fmt: skip
ANNUAL = Dial("annual_share", 0.0, 0.7, "share", "assumed", "how much of the risk is a date in the calendar")
CHANGING = Dial(
    "changing", 0.0, 0.9, "share of the variance of risk", "assumed: risk is lasting, or moves from month to month",
    "whether a change in usage tells more than its level",
)  # fmt: skip
MEMORY = Dial("memory", 0.5, 0.95, "correlation from month to month", "assumed", "how fast health moves")
OWN_LEVEL = Dial(
    "own_level", 0.2, 1.2, "sd of log usage", "assumed: subscribers use alike, or one in six three times as much",
    "whether a low count means low health or a small user",
)  # fmt: skip
ROWS = Dial(
    "rows", 2_000, 60_000, "rows to learn from", "a small firm's month to the source's base", "which model pays",
    scale="log",
)  # fmt: skip

_LISTS = (
    *(LEAVING, EFFECT, ALIGNMENT, PERSISTENCE, PRICE_SPREAD, CAPACITY, PILOT_MONTHS, PILOT_AMONG),
    *(replace(dial, null=0.0) for dial in (DIFFERING, DOGS, PULL, FAILED_CARDS)),
)

STUDIES = (
    Study(
        "04_lists", play_lists, _LISTS, n=160, seed=4001, null_n=40,
        title="Lists and pilots; null: a call keeps the same share of leavers everywhere, and all pay the same",
    ),
    Study(
        "04_pilot", play_pilot,
        (
            *(replace(EFFECT, null=0.0), replace(DOGS, null=0.0), replace(PILOT_MONTHS, low=1.0)),
            *(CAPACITY, REACH, ALIGNMENT),
        ),
        n=100, seed=4002, null_n=100, title="Reading the pilot; null: a call does nothing",
    ),
    Study(
        "04_trajectory", play_trajectory,
        (replace(CHANGING, null=0.0), MEMORY, SPREAD, OWN_LEVEL, ANNUAL, PULL),
        n=60, seed=4003, null_n=30, title="Trajectory features; null: nobody's risk changes",
    ),
    Study(
        "04_models", play_models,
        (ROWS, replace(SPREAD, null=0.0), ANNUAL, replace(PULL, null=0.0), CHANGING, ALIGNMENT),
        n=60, seed=4004, null_n=30, title="Models and metrics of risk; null: nothing to learn but the calendar",
    ),
    Study(
        "04_history", play_history,
        (
            *(replace(SPREAD, null=0.0), GUT, replace(EFFECT, low=0.1), ALIGNMENT),
            *(replace(dial, null=0.0) for dial in (DOGS, PULL, ANNUAL)),
        ),
        n=60, seed=4005, null_n=40, title="Last year's calls; null: nobody is riskier than another",
    ),
    WATCH,
)  # fmt: skip
