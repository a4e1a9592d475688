"""The features of a whole run, written down day by day as a policy sees them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.contracts import refuse
from casebook.fraud.day_features import Decide, with_features
from casebook.fraud.feature_spec import FEATURES, Spec
from casebook.fraud.morning import Morning, Policy

_DAYS = 150  # room for so many days like the first one; rows that are never written cost no memory


class Recorded:
    """A policy that hands each morning's features to a function, as :func:`with_features` does, and keeps them.

    What is kept is what the bank had at each midnight, so a model may be fitted to it without a leak. It is kept as
    float32, half of what the features take, which is exact to seven digits.

    Parameters
    ----------
    decide : callable, optional
        ``decide(morning, features)`` gives an array of actions; None allows all.
    first_day : int
        Days before it are seen but not kept.
    rows : int, optional
        Events for which to make room; by default 150 days like the first one. More events than that fit as well,
        at the price of one copy.
    spec : Spec, optional

    Raises
    ------
    ContractError
        If a day or a number of rows is below 0.

    Examples
    --------
    >>> from casebook.fraud.simulate import simulate
    >>> from casebook.fraud.world import World
    >>> recorder = Recorded(first_day=15)
    >>> run = simulate(World(prevalence=0.01), 500, 20, np.random.default_rng(0), recorder)
    >>> kept = recorder.features
    >>> len(kept) == int((run.tables["events"]["at"] >= 15 * 86_400).sum()), str(kept["card_count"].dtype)
    (True, 'float32')
    """

    def __init__(
        self, decide: Decide | None = None, first_day: int = 0, rows: int | None = None, spec: Spec | None = None
    ) -> None:
        for what, number in (("first_day", first_day), ("rows", 0 if rows is None else rows)):
            if number < 0:
                refuse(what, "0 or more", str(number), "count from the world's first day")
        self._decide, self._first_day, self._room = decide, first_day, rows
        self._policy = with_features(self._record, spec)
        self._values = np.empty((0, len(FEATURES)), np.float32)
        self._first_id, self._kept = 0, 0

    @classmethod
    def watching(
        cls, policy: Policy, first_day: int = 0, rows: int | None = None, spec: Spec | None = None
    ) -> Recorded:
        """Return a recorder beside a policy that does not ask for features, such as the rules in force.

        Examples
        --------
        >>> from casebook.fraud.rules import Rules
        >>> from casebook.fraud.simulate import simulate
        >>> from casebook.fraud.world import World
        >>> recorder = Recorded.watching(Rules())
        >>> run = simulate(World(prevalence=0.01), 500, 20, np.random.default_rng(0), recorder)
        >>> bool((recorder.features.index == run.tables["events"]["event_id"]).all())
        True
        """
        return cls(lambda morning, _: policy(morning), first_day, rows, spec)

    def __call__(self, morning: Morning) -> NDArray[Any]:
        """Return an action for each event of the day, and keep its features.

        Raises
        ------
        ContractError
            If the morning is of another run, in which less has happened.
        """
        return self._policy(morning)

    @property
    def features(self) -> pd.DataFrame:
        """Features of all events kept so far, shape (n, len(FEATURES)), float32, read only, without a copy.

        Indexed by ``event_id``; with ``first_day`` 0 row i is row i of table ``events``.
        """
        values = self._values[: self._kept]
        values.flags.writeable = False
        index = pd.RangeIndex(self._first_id, self._first_id + self._kept, name="event_id")
        return pd.DataFrame(values, index=index, columns=list(FEATURES), copy=False)

    def _record(self, morning: Morning, features: pd.DataFrame) -> NDArray[Any]:
        if morning.day >= self._first_day:
            if self._kept == 0 and len(features):
                self._first_id = int(features.index[0])
            self._write(features.to_numpy())
        if self._decide is None:
            return np.zeros(len(features), np.int8)
        return self._decide(morning, features)

    def _write(self, new: NDArray[np.float64]) -> None:
        end = self._kept + len(new)
        if end > len(self._values):
            wanted = self._room if self._room is not None and self._kept == 0 else _DAYS * len(new)
            longer = np.empty((max(wanted, end + end // 4), len(FEATURES)), np.float32)
            longer[: self._kept] = self._values[: self._kept]
            self._values = longer
        self._values[self._kept : end] = new
        self._kept = end
