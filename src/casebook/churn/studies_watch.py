"""The study of watching a model: what is drawn, and from which ranges."""

from __future__ import annotations

from casebook.churn.plays_watch import play_watch
from casebook.studies import Study
from casebook.worlds import Dial

_DIALS = (
    Dial(
        "rows", 3_000, 12_000, "subscribers", "a small firm, or one segment of the source's base, in a month",
        "how far luck moves a PSI and a model", scale="log",
    ),
    Dial(
        "months_since", 1.0, 11.0, "months", "assumed: the change is one month old, or nearly a year",
        "whether the features have caught up",
    ),
    Dial(
        "usage_shift", 0.05, 0.6, "share of logins", "assumed: a page less to load, or half of the logins gone",
        "whether PSI rings where little is amiss", null=0.0,
    ),
    Dial(
        "pull_shift", 1.0, 4.0, "factor", "assumed: prices or rivals pull at up to four times as many",
        "whether a change that features half show is seen", null=1.0,
    ),
    Dial(
        "rival", 0.2, 1.8, "log-odds", "assumed: the dearest plan's odds of leaving rise by a fifth, or sixfold",
        "whether a change that no feature shows is seen", null=0.0,
    ),
    Dial("spread", 0.7, 1.5, "log-odds", "as in the study of models", "how much a model has to lose"),
    Dial("annual_share", 0.0, 0.7, "share", "assumed", "how much of the risk is a date in the calendar"),
)  # fmt: skip

WATCH = Study(
    "04_watch", play_watch, _DIALS, n=60, seed=4006, null_n=30,
    title="Watching a model for a year; null: logins, pull and rival stay as they were",
)  # fmt: skip
