"""Hard rules: what an issuer has before it has a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.fraud.morning import Morning
from casebook.fraud.tables import WORDS
from casebook.fraud.world import ACTIONS, DAY, HOME

_PUSH, _CALL, _BLOCK = ACTIONS.index("push"), ACTIONS.index("call"), ACTIONS.index("block")


@dataclass(frozen=True)
class Rules:
    """A policy of five rules, each with its own action; where several hold, the one with the most friction counts.

    Parameters
    ----------
    card_days : int
        Cards with a report in so many days are known to be bad: block. No longer than a new card takes, for the
        block stops the card, and the new one is as good as any.
    merchant_reports, merchant_days : int
        Merchants with so many reports in so many days are known to be bad: push.
    burst, burst_seconds, small_cents : int
        So many online buys below this amount at one merchant in this time of one day: block from the last of them on.
    stripe_cents : int
        Read by the stripe abroad at this amount or more: call.
    cap_cents : int
        Any amount from here on: call.
    transfer_cents : int
        A transfer from here on: push.

    Examples
    --------
    >>> from casebook.fraud.simulate import simulate
    >>> from casebook.fraud.world import World
    >>> free, ruled = (simulate(World(prevalence=0.01), 500, 20, np.random.default_rng(0), p) for p in (None, Rules()))
    >>> bool(ruled.money["loss"].sum() < free.money["loss"].sum())
    True
    """

    card_days: int = 3
    merchant_reports: int = 8
    merchant_days: int = 14
    burst: int = 8
    burst_seconds: int = 600
    small_cents: int = 350
    stripe_cents: int = 5_000
    cap_cents: int = 150_000
    transfer_cents: int = 60_000

    def __call__(self, morning: Morning) -> NDArray[np.int8]:
        """Return an action for each event of the day."""
        events = morning.events
        cents, entry = events["amount_cents"].to_numpy(), events["entry"].cat.codes.to_numpy()
        abroad = events["country"].cat.codes.to_numpy() != WORDS["country"].index(HOME)
        cards, merchants = self._known_bad(morning)
        action = np.zeros(len(events), np.int8)
        transfer = (entry == WORDS["entry"].index("app")) & (cents >= self.transfer_cents)
        stripe = (entry == WORDS["entry"].index("magstripe")) & abroad & (cents >= self.stripe_cents)
        action[transfer | np.isin(events["merchant_id"].to_numpy(), merchants)] = _PUSH
        action[stripe | (cents >= self.cap_cents)] = _CALL
        action[np.isin(events["card_id"].to_numpy(), cards) | self._bursts(events)] = _BLOCK
        return action

    def _known_bad(self, morning: Morning) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return cards and merchants that are bad by the reports of late."""
        now = morning.day * DAY
        ids, when = (morning.reports[name].to_numpy() for name in ("event_id", "reported_at"))
        late = ids[when >= now - self.card_days * DAY]
        recent = ids[when >= now - self.merchant_days * DAY]
        if len(ids) == 0:
            return late, recent
        cards = morning.log["card_id"].to_numpy()[late]
        merchants, count = np.unique(morning.log["merchant_id"].to_numpy()[recent], return_counts=True)
        return np.unique(cards), merchants[count >= self.merchant_reports]

    def _bursts(self, events: pd.DataFrame) -> NDArray[np.bool_]:
        """Return the events that are a merchant's eighth small online buy within ten minutes, or a later one."""
        online = events["channel"].cat.codes.to_numpy() == WORDS["channel"].index("online")
        rows = np.flatnonzero(online & (events["amount_cents"].to_numpy() < self.small_cents))
        merchant, at = events["merchant_id"].to_numpy()[rows], events["at"].to_numpy()[rows]
        order = np.argsort(merchant, kind="stable")
        back = self.burst - 1
        found = np.zeros(len(events), bool)
        if len(rows) > back:
            late, early = order[back:], order[: len(order) - back]
            near = (merchant[late] == merchant[early]) & (at[late] - at[early] < self.burst_seconds)
            found[rows[late[near]]] = True
        return found
