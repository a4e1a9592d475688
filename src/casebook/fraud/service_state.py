"""The feature state of a service: it follows the decision log, and may be away for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice
from typing import Any, TypeVar

from casebook.contracts import ContractError
from casebook.fraud.service_log import DECISION, DecisionLog, Line
from casebook.fraud.state import FeatureState

PAUSE = 1.0  # seconds for which a state that failed is not asked again
BATCH = 200  # lines that the state takes at most before one event is answered

T = TypeVar("T")


class StateError(RuntimeError):
    """The state failed, or does not hold all that the log holds, so that its features would be wrong."""


class FollowingState:
    """A feature state that takes what stands in the log, in its order, each line once.

    A line is in the log before the state takes it. So nothing is lost by a crash between the two, nor while the
    store is away: the state goes on where it stopped. Taking a line a second time changes nothing, so after a
    restart, when nobody knows what a store that lasts has taken, all lines are taken again.

    Parameters
    ----------
    state : FeatureState
        May hold a past that the log does not.
    log : DecisionLog
    pause : float
        Seconds for which the state is not asked again after it failed.

    Attributes
    ----------
    down : str
        How the state failed, empty while it works.
    left_out : int
        Lines that the state refused: events that were answered while it was down and came too long after their card's
        next one.
    """

    def __init__(self, state: FeatureState, log: DecisionLog, pause: float = PAUSE) -> None:
        self.state, self.log, self.pause = state, log, pause
        self.down, self.left_out = "", 0
        self._taken = 0
        self._ask_again = 0.0
        self.follow(most=None)

    @property
    def is_behind(self) -> bool:
        """Whether the log holds what the state has not taken."""
        return self._taken < self.log.end

    def features(self, fields: dict[str, Any]) -> dict[str, float]:
        """Return the features of an event, from a state that holds all that the log holds.

        Raises
        ------
        ContractError
            An event too long before its card's last.
        StateError
            The state is away, or was and still lacks a part of the log.
        """
        return self._asked(lambda: self.state.features(fields))

    def report(self, event_id: int, reported_at: int) -> bool:
        """Take the report of an event that the log does not know, with the refusals of the state."""
        return self._asked(lambda: self.state.report(event_id, reported_at))

    def follow(self, most: int | None = BATCH) -> None:
        """Take what the state lacks of the log, at most so many lines; nothing if it failed a moment ago."""
        if not self.is_behind or self._is_resting():
            return
        for end, line in islice(self.log.lines(self._taken), most):
            if not self._take(line, end):
                return

    def take_last(self, line: Line, start: int) -> None:
        """Take the line that was just written from ``start`` on, if the state has all before it."""
        if self._taken == start and not self._is_resting():
            self._take(line, self.log.end)

    def status(self) -> str:
        """Return ``ok``, or what is wrong with the state; a state that is behind goes on first."""
        try:
            self.state.store.get(["health"])
        except Exception as error:
            return said(error)
        self.follow()
        return self.down or ("behind the log" if self.is_behind else "ok")

    def _asked(self, question: Callable[[], T]) -> T:
        self.follow()
        if self.is_behind:
            raise StateError(self.down or "it has yet to take what was answered while it was down")
        try:
            return question()
        except ContractError:
            raise
        except Exception as error:
            self._fail(error)
            raise StateError(self.down) from error

    def _take(self, line: Line, end: int) -> bool:
        try:
            if line["kind"] == DECISION:
                self.state.update(line["event"])
            else:
                self.state.report(line["event_id"], line["reported_at"])
        except ContractError:
            self.left_out += 1
        except Exception as error:
            self._fail(error)
            return False
        self._taken, self.down = end, ""
        return True

    def _fail(self, error: Exception) -> None:
        self.down, self._ask_again = said(error), time.monotonic() + self.pause

    def _is_resting(self) -> bool:
        return bool(self.down) and time.monotonic() < self._ask_again


def said(error: Exception) -> str:
    """Return an error as one short line.

    Examples
    --------
    >>> said(ValueError("no number"))
    'ValueError: no number'
    """
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:200]
