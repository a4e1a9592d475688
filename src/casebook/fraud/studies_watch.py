"""The studies of watching and learning: the confusion matrix, retraining, the holdback, and what labels leave out."""

from __future__ import annotations

from dataclasses import replace

from casebook.fraud.dials import ADVERSARY, BANK, CHANGES
from casebook.fraud.plays_diagnose import play_diagnose
from casebook.fraud.plays_holdback import SOUND, play_holdback
from casebook.fraud.plays_push import DIALS as PUSHED
from casebook.fraud.plays_push import play_push_labels
from casebook.fraud.plays_retrain import DIALS as RETRAINING
from casebook.fraud.plays_retrain import play_retrain
from casebook.fraud.plays_selective import DIALS as SELECTED
from casebook.fraud.plays_selective import play_selective
from casebook.studies import Study
from casebook.worlds import Dial

QUIET = 79
"""Null worlds of ``05_diagnose`` that set its limits; the rest of them are judged by these."""

_DIAL = {dial.name: replace(dial, null=None) for dial in (*BANK, *ADVERSARY, *CHANGES)}
_BANKS = tuple(_DIAL[name] for name in ("speed", "delay_days", "reported", "false_claims"))
_CAUSE = Dial(
    "cause", 0.0, 4.0, "place in verdicts.CAUSES, cut to a whole number", "each of the four as often",
    "what there is to be told apart", null=0.0,
)  # fmt: skip
_FAULT = Dial(
    "fault", 0.0, SOUND, "place in holdback.FAULTS, cut to a whole number", "each of the five as often",
    "what a regression looks like", null=SOUND,
)  # fmt: skip

WATCHING = (
    Study(
        "05_diagnose", play_diagnose, (_CAUSE, _DIAL["novel_share"], _DIAL["drift"], *_BANKS),
        n=60, seed=5_092, null_n=QUIET + 20, title="New attack against decay, read by one procedure; null: no change",
    ),
    Study(
        "05_retrain", play_retrain, RETRAINING,
        n=24, seed=5_093, null_n=20, title="Refits daily, weekly and never; null: fraudsters do not move",
    ),
    Study(
        "05_holdback", play_holdback, (_FAULT, *_BANKS[:3]),
        n=20, seed=5_094, null_n=20, title="A broken release beside a holdback; null: the release is sound",
    ),
    Study(
        "05_selective", play_selective, SELECTED,
        n=24, seed=5_095, null_n=20, title="A bank that learns from what it let pass; null: nothing is blocked",
    ),
    Study(
        "05_push_labels", play_push_labels, PUSHED,
        n=24, seed=5_096, null_n=20, title="Answers to pushes and calls as labels; null: nobody is asked",
    ),
)  # fmt: skip
