"""What comes back to the bank: reports of fraud, and answers to pushes and calls."""

from __future__ import annotations

from copy import copy
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.fraud.attacks_plan import Bank
from casebook.fraud.outcomes import PASSED, UNASKED, Played
from casebook.fraud.reports import false_rate, hear
from casebook.fraud.stream import Floats
from casebook.fraud.tables import words

_NO_REPORTS = np.zeros((0, 2), np.int64)


class Mail:
    """All reports and answers of a world under way.

    Parameters
    ----------
    bank : Bank
    """

    def __init__(self, bank: Bank) -> None:
        self._world = bank.world
        self._rate = false_rate(bank.world, bank.online_share)
        self._reports = _NO_REPORTS
        self._answers: list[NDArray[np.int64]] = []

    def copy(self) -> Self:
        """Return the same mail, to which a branch of the world adds its own."""
        new = copy(self)
        new._answers = [*self._answers]
        return new

    def post(self, before: int, today: pd.DataFrame, fraud: NDArray[np.bool_], played: Played, claim: Floats) -> None:
        """Send off the reports and answers that a day's events bring."""
        at = today["at"].to_numpy()
        channel = today["channel"].cat.codes.to_numpy().astype(np.int8)
        rows, when = hear(self._world, at, channel, fraud, played.outcome == PASSED, claim, self._rate)
        new = np.column_stack([rows + before, when])
        both = np.concatenate([self._reports, new])
        self._reports = both[np.lexsort((both[:, 0], both[:, 1]))]
        asked = np.flatnonzero(played.answer != UNASKED)
        self._answers.append(np.column_stack([asked + before, at[asked], played.action[asked], played.answer[asked]]))

    def reports(self, now: int) -> pd.DataFrame:
        """Return the table ``reports`` of what came in before a second."""
        end = np.searchsorted(self._reports[:, 1], now)
        return pd.DataFrame({"event_id": self._reports[:end, 0], "reported_at": self._reports[:end, 1]})

    def answers(self, now: int) -> pd.DataFrame:
        """Return the table ``answers`` of what was asked before a second."""
        rows = np.concatenate([*self._answers, np.zeros((0, 4), np.int64)])
        rows = rows[rows[:, 1] < now]
        action, answer = rows[:, 2].astype(np.int8), words("answer", rows[:, 3].astype(np.int8))
        return pd.DataFrame({"event_id": rows[:, 0], "at": rows[:, 1], "action": action, "answer": answer})
