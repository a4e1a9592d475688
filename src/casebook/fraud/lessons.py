"""What a bank has of its past events on the day of a fit, and the rows and labels that are made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from casebook.contracts import BoolArray, FloatArray, refuse
from casebook.fraud.morning import Morning
from casebook.fraud.outcomes import PASSED, STOPPED, UNASKED
from casebook.fraud.stream import Codes, Ids
from casebook.fraud.world import DAY

MONTH = 30  # days of events that a model is fitted to, unless its teacher says otherwise


@dataclass(frozen=True)
class Memory:
    """What the bank has of each event so far; arrays of shape (n,).

    Attributes
    ----------
    age : days since, at least 1.
    outcome : codes into ``OUTCOMES``.
    reported : whether a report has come by now.
    answer : codes into ``ANSWERS``; -1 where nobody was asked.
    chance : with which the event was to pass when it was decided about, before any coin was thrown.
    fraud : the truth; None unless the run shows it.
    """

    age: Ids
    outcome: Codes
    reported: BoolArray
    answer: Codes
    chance: FloatArray
    fraud: BoolArray | None

    @property
    def passed(self) -> BoolArray:
        """Events that were charged, and so can be reported."""
        return np.asarray(self.outcome == PASSED)

    @property
    def live(self) -> BoolArray:
        """Events on cards that were not stopped already: those about which something was decided."""
        return np.asarray(self.outcome != STOPPED)

    def truth(self) -> BoolArray:
        """Return the truth.

        Raises
        ------
        ContractError
            If the run does not show it.
        """
        if self.fraud is None:
            refuse("sees_truth", "True for a teacher who knows the truth", "False", "pass sees_truth=True")
        return self.fraud


class Lesson(NamedTuple):
    """Which events a model is fitted to; arrays of shape (n,).

    Attributes
    ----------
    rows : bool
    y : bool, the label; of no account where ``rows`` is false.
    weight : float, how many events each stands for.
    """

    rows: BoolArray
    y: BoolArray
    weight: FloatArray

    def of_last_month(self, memory: Memory) -> Lesson:
        """Return the lesson without events that are older than :data:`MONTH`."""
        return self._replace(rows=self.rows & (memory.age <= MONTH))


Teach = Callable[[Memory], Lesson]


def remember(morning: Morning, chance: FloatArray, fraud: BoolArray | None) -> Memory:
    """Return what the bank has of all events before a morning.

    Parameters
    ----------
    morning : Morning
    chance : array of float, shape (n,)
        As in :class:`Memory`, of the n events of the log.
    fraud : array of bool, shape (n,), optional
    """
    answer = np.full(len(morning.log), UNASKED, np.int8)
    answer[morning.answers["event_id"].to_numpy()] = morning.answers["answer"].cat.codes.to_numpy()
    reported = np.zeros(len(morning.log), bool)
    reported[morning.reports["event_id"].to_numpy()] = True
    return Memory(
        age=morning.day - morning.log["at"].to_numpy() // DAY,
        outcome=morning.decisions["outcome"].cat.codes.to_numpy().astype(np.int8),
        reported=reported,
        answer=answer,
        chance=chance,
        fraud=fraud,
    )
