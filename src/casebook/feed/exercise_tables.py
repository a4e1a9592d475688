"""The small tables of chapter 8's exercises: past tests, two launches, ten users, and a split that is off."""

from __future__ import annotations

import numpy as np
import pandas as pd

from casebook.feed.simulate import simulate
from casebook.feed.tables import user_table
from casebook.feed.world import Design, World

USERS = 30_000  # of the hunt
LOST_IN, LOST = "IN", 0.5  # whose logs of the new arm are lost, and which share of them

#: Twenty past tests of a programme, losers too: relative effects and their standard errors, in percent.
PAST = pd.DataFrame(
    {
        "estimate": [
            *(0.20, -0.29, -1.15, 0.27, 0.00, 0.11, -0.16, -1.36, 0.22, 0.66),
            *(0.61, -0.62, -0.05, 0.31, 0.05, -0.89, 0.76, -0.25, 0.33, 0.15),
        ],
        "se": [
            *(0.40, 0.27, 0.55, 0.18, 0.46, 0.54, 0.25, 0.55, 0.54, 0.16),
            *(0.47, 0.15, 0.38, 0.35, 0.24, 0.30, 0.51, 0.29, 0.22, 0.46),
        ],
    }
)

#: Two results of that programme with one p-value, in percent.
LAUNCHES = pd.DataFrame(
    {"estimate": [0.3, 4.0], "se": [0.146, 1.947]}, index=pd.Index(["ranking", "redesign"], name="launch")
)

#: Ten users of a test, for the exercise on clicks per view.
TEN = pd.DataFrame(
    {
        "arm": ["new"] * 5 + ["control"] * 5,
        "clicks": [12, 1, 0, 26, 1, 2, 0, 3, 18, 4],
        "views": [30, 12, 5, 120, 20, 40, 3, 8, 160, 15],
    }
)


def hunt_table(rng: np.random.Generator) -> pd.DataFrame:
    """Return a test of two equal arms in which some users of the new arm are missing: whose, is the exercise.

    Parameters
    ----------
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        One row a user whose assignment was logged: ``user_id``, ``arm`` and what was known before the test.

    Examples
    --------
    >>> hunt_table(np.random.default_rng(0)).columns.tolist()
    ['user_id', 'arm', 'platform', 'country', 'cohort']
    """
    users = user_table(simulate(World(), USERS, rng, Design(new=0.5, control=0.5)).tables)
    at_risk = (users["arm"] == "new") & (users["country"] == LOST_IN)
    kept = users[~(at_risk & (rng.random(len(users)) < LOST))]
    return kept[["user_id", "arm", "platform", "country", "cohort"]].reset_index(drop=True)
