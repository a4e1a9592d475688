"""What the bank does not know: which events are attempts, of whom, and what each costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.fraud.outcomes import PASSED
from casebook.fraud.people import People
from casebook.fraud.world import ALL_KINDS, TACTICS

TRUTH_COLUMNS = {
    "event_id": np.int64,
    "fraud": np.bool_,
    "kind": np.int8,
    "episode_id": np.int64,
    "tactic": np.int8,
    "loss_dollars": np.float64,
    "friction_dollars": np.float64,
    "twin": np.int64,
}
HONEST = "honest"


@dataclass(frozen=True)
class Truth:
    """The truth of one run.

    Attributes
    ----------
    events : pandas.DataFrame
        One row an event, in the order of table ``events``: ``fraud``; ``kind`` and ``tactic``, "honest" where there
        is no fraud; ``episode_id``, -1 there; ``loss_dollars``, what it costs the bank if it passes;
        ``friction_dollars``, what the action cost; ``twin``, the number of the honest event, which is the same
        under all policies, or -1.
    episodes : pandas.DataFrame
        One row an episode: its ``kind`` and ``tactic``, ``cards`` and ``planned`` attempts in the world's days,
        those that ``arrived`` and ``passed``, ``amount_dollars`` that arrived, ``taken_dollars`` that passed and
        ``loss_dollars`` of those.
    weights : array, shape (days, 7, 5)
        The weights of the tactics of each kind at each day's beginning.
    people : People
    """

    events: pd.DataFrame
    episodes: pd.DataFrame
    weights: NDArray[np.float64]
    people: People


def as_truth_events(columns: pd.DataFrame) -> pd.DataFrame:
    """Return the table of truths with words for codes; -1 is "honest"."""
    named: dict[str, Any] = {}
    for name, allowed in (("kind", ALL_KINDS), ("tactic", TACTICS)):
        kind = pd.CategoricalDtype([HONEST, *allowed])
        named[name] = pd.Categorical.from_codes(columns[name].to_numpy() + np.int8(1), dtype=kind)
    return columns.assign(**named)


def episode_table(
    planned: pd.DataFrame, events: pd.DataFrame, cents: NDArray[np.integer], outcome: NDArray[np.integer]
) -> pd.DataFrame:
    """Return the totals of each episode.

    Parameters
    ----------
    planned : pandas.DataFrame
        ``episode_id``, ``kind``, ``tactic`` and ``card_id``, one row for each attempt that came due.
    events : pandas.DataFrame
        As in :class:`Truth`.
    cents, outcome : array, shape (n,)
        Amount and outcome of each event.
    """
    rows = np.flatnonzero(events["fraud"].to_numpy())
    passed = outcome[rows] == PASSED
    dollars = cents[rows] / 100
    arrived = pd.DataFrame(
        {
            "episode_id": events["episode_id"].to_numpy()[rows],
            "arrived": np.ones(len(rows), np.int64),
            "passed": passed.astype(np.int64),
            "amount_dollars": dollars,
            "taken_dollars": dollars * passed,
            "loss_dollars": events["loss_dollars"].to_numpy()[rows] * passed,
        }
    )
    totals = planned.groupby("episode_id").agg(
        kind=("kind", "first"), tactic=("tactic", "first"), cards=("card_id", "nunique"), planned=("card_id", "size")
    )
    for name, allowed in (("kind", ALL_KINDS), ("tactic", TACTICS)):
        totals[name] = pd.Categorical.from_codes(totals[name].to_numpy(), dtype=pd.CategoricalDtype(list(allowed)))
    joined = totals.join(arrived.groupby("episode_id").sum()).reset_index()
    numbers = ["arrived", "passed", "amount_dollars", "taken_dollars", "loss_dollars"]
    return joined.fillna(dict.fromkeys(numbers, 0)).astype({"arrived": np.int64, "passed": np.int64})
