"""The studies of watching: quiet banks that set the limits, the confusion matrix, retraining, and the holdback."""

from __future__ import annotations

from dataclasses import replace

from casebook.fraud.dials import ADVERSARY, BANK, CHANGES
from casebook.fraud.plays_diagnose import play_diagnose
from casebook.fraud.plays_holdback import play_holdback
from casebook.fraud.plays_retrain import DIALS as RETRAINING
from casebook.fraud.plays_retrain import play_retrain
from casebook.studies import Study
from casebook.worlds import Dial

_DIAL = {dial.name: replace(dial, null=None) for dial in (*BANK, *ADVERSARY, *CHANGES)}
_BANKS = tuple(_DIAL[name] for name in ("speed", "delay_days", "reported", "false_claims"))
_CAUSE = Dial(
    "cause", 0.0, 4.0, "place in verdicts.CAUSES, cut to a whole number", "each of the four as often",
    "what there is to be told apart", null=0.0,
)  # fmt: skip
_FAULT = Dial("fault", 0.0, 5.0, "place in holdback.FAULTS, cut to a whole number", "each of the five as often",
              "what a regression looks like")  # fmt: skip

QUIET = Study(
    "05_quiet", play_diagnose, _BANKS,
    n=79, seed=5_091, null_n=0, title="Quiet banks, from which the limits of the diagnosis come",
)  # fmt: skip
DIAGNOSE = Study(
    "05_diagnose", play_diagnose, (_CAUSE, _DIAL["novel_share"], _DIAL["drift"], *_BANKS),
    n=60, seed=5_092, null_n=12, title="New attack against decay, read by one procedure; null: nothing changes",
)  # fmt: skip
RETRAIN = Study(
    "05_retrain", play_retrain, RETRAINING,
    n=20, seed=5_093, null_n=20, title="Refits daily, weekly and never; null: fraudsters do not move",
)  # fmt: skip
HOLDBACK = Study(
    "05_holdback", play_holdback, (_FAULT, *_BANKS[:3]),
    n=20, seed=5_094, null_n=0, title="A broken release beside a holdback; its null is played in each world",
)  # fmt: skip
WATCHING = (QUIET, DIAGNOSE, RETRAIN, HOLDBACK)
