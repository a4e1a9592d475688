"""Labels and features with a date: what was known when, what cannot be known yet, what came too late.

The room knows nothing of the cases: every function takes your own frames and the names of their columns. Rows are
counted from 0 by position. A case is a unit at a prediction time ``at``; features come from rows strictly before
``at``, labels from the window (at, at + horizon].

=============================  =======================================
You have                       Take
=============================  =======================================
cases, and a table of events   ``outcome``, ``mature``
events before the prediction   ``as_of``, ``window``
a year of cases to split       ``time_split``, ``cohorts``
a feature builder in doubt     ``leaking_columns``, ``shuffle_future``
events that are recorded late  ``delay_curve``
units that you met late        ``hazard_by_age``
=============================  =======================================
"""

from casebook.labels.asof import as_of, window
from casebook.labels.delay import delay_curve
from casebook.labels.leaks import leaking_columns, shuffle_future
from casebook.labels.outcome import mature, outcome
from casebook.labels.selection import hazard_by_age
from casebook.labels.splits import cohorts, time_split

__all__ = [
    "as_of",
    "cohorts",
    "delay_curve",
    "hazard_by_age",
    "leaking_columns",
    "mature",
    "outcome",
    "shuffle_future",
    "time_split",
    "window",
]
