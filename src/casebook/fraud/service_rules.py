"""The hard rules for one event at a time: the thresholds of :class:`casebook.fraud.rules.Rules`, and a reason for each.

They remember what they need by themselves, so they go on when the model or the state store fails.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from casebook.contracts import refuse
from casebook.fraud.feature_event import Event
from casebook.fraud.rules import Rules
from casebook.fraud.state_records import LATENESS
from casebook.fraud.world import ACTIONS, DAY, HOME

ALLOW, PUSH, CALL, BLOCK = ACTIONS
_SWEEP = 50_000  # events between two looks for what can be forgotten


class Ruling(NamedTuple):
    """What the rules say of an event: the action with the most friction among those that hold, and every reason."""

    action: str
    reasons: list[str]


class RuleBook:
    """Rules for one event, and what they remember of the events and reports before it.

    Parameters
    ----------
    rules : Rules, optional
        The thresholds.
    cards, merchants : mapping of int to str, optional
        Known to be bad, each with the reason: blocked, whatever the reports say.
    card_burst : int, optional
        Push from so many events of one card within ``rules.burst_seconds`` on. :class:`Rules` has no such rule: in
        the chapter's world cards are tested once each, and honest bursts have up to seven events. None: never.

    Notes
    -----
    A policy on :class:`casebook.fraud.morning.Morning` hears of a report at the next midnight, this book at once;
    both count days from the midnight before the event. A burst here may cross midnight.

    Examples
    --------
    >>> book = RuleBook(cards={5: "on the scheme's list of stolen cards"})
    >>> event = Event(1, 0, 5, 7, -1, -1, 160_000, "terminal", "chip", "US", "travel", 0.0, 0.0)
    >>> book.check(event)
    Ruling(action='block', reasons=["rule: card 5 is on the scheme's list of stolen cards",
    'rule: amount of 1600.00 dollars, cap 1500.00'])
    >>> book.check(event._replace(card_id=6, amount_cents=900))
    Ruling(action='allow', reasons=[])
    """

    def __init__(
        self,
        rules: Rules | None = None,
        *,
        cards: Mapping[int, str] | None = None,
        merchants: Mapping[int, str] | None = None,
        card_burst: int | None = None,
    ) -> None:
        self.rules = rules or Rules()
        self.cards, self.merchants = dict(cards or {}), dict(merchants or {})
        if card_burst is not None and card_burst < 2:
            refuse("card_burst", "at least 2", str(card_burst), "one event is no burst")
        self.card_burst = card_burst
        self._card_reports: dict[int, int] = {}
        self._merchant_reports: dict[int, list[int]] = {}
        self._card_times: dict[int, list[int]] = {}
        self._small_times: dict[int, list[int]] = {}
        self._newest = self._taken = 0

    def add_reports(self, events: pd.DataFrame, reports: pd.DataFrame) -> None:
        """Take reports from before the service began.

        Parameters
        ----------
        events, reports : pandas.DataFrame
            Tables of these names; reports of other events are left out.
        """
        told = reports.merge(events[["event_id", "card_id", "merchant_id"]], on="event_id").sort_values("reported_at")
        columns = (told[name].tolist() for name in ("card_id", "merchant_id", "reported_at"))
        for card_id, merchant_id, reported_at in zip(*columns, strict=True):
            self.report(card_id, merchant_id, reported_at)

    def check(self, event: Event) -> Ruling:
        """Return what the rules say of an event; nothing is remembered of it."""
        rules, cents = self.rules, event.amount_cents
        midnight = event.at // DAY * DAY
        found = [*self._lists(event, midnight), *self._bursts(event)]
        if event.entry == "magstripe" and event.country != HOME and cents >= rules.stripe_cents:
            found.append((CALL, f"stripe read abroad, in {event.country}"))
        if cents >= rules.cap_cents:
            found.append((CALL, f"amount of {cents / 100:.2f} dollars, cap {rules.cap_cents / 100:.2f}"))
        if event.entry == "app" and cents >= rules.transfer_cents:
            found.append((PUSH, f"transfer of {cents / 100:.2f} dollars, cap {rules.transfer_cents / 100:.2f}"))
        action = max((action for action, _ in found), key=ACTIONS.index, default=ALLOW)
        return Ruling(action, [f"rule: {reason}" for _, reason in found])

    def take(self, event: Event) -> None:
        """Remember an event."""
        self._newest = max(self._newest, event.at)
        self._remember(self._card_times, event.card_id, event.at)
        if self._is_small(event):
            self._remember(self._small_times, event.merchant_id, event.at)
        self._taken += 1
        if self._taken % _SWEEP == 0:
            for times in (self._card_times, self._small_times):
                for key in [key for key, kept in times.items() if kept[-1] < self._oldest()]:
                    del times[key]

    def report(self, card_id: int, merchant_id: int, reported_at: int) -> None:
        """Remember that an event of this card at this merchant was reported."""
        self._card_reports[card_id] = max(reported_at, self._card_reports.get(card_id, reported_at))
        kept = self._merchant_reports.setdefault(merchant_id, [])
        insort(kept, reported_at)
        del kept[: bisect_left(kept, kept[-1] - (self.rules.merchant_days + 1) * DAY)]

    def _lists(self, event: Event, midnight: int) -> list[tuple[str, str]]:
        rules, card, merchant = self.rules, event.card_id, event.merchant_id
        found = [(BLOCK, f"card {card} is {self.cards[card]}")] if card in self.cards else []
        if merchant in self.merchants:
            found.append((BLOCK, f"merchant {merchant} is {self.merchants[merchant]}"))
        if self._card_reports.get(card, -1) >= max(midnight - rules.card_days * DAY, 0):
            found.append((BLOCK, f"card {card} was reported in the last {rules.card_days} days"))
        times = self._merchant_reports.get(merchant, [])
        late = len(times) - bisect_left(times, midnight - rules.merchant_days * DAY)
        if late >= rules.merchant_reports:
            found.append((PUSH, f"merchant {merchant} has {late} reports in {rules.merchant_days} days"))
        return found

    def _bursts(self, event: Event) -> list[tuple[str, str]]:
        rules, seconds, found = self.rules, self.rules.burst_seconds, []
        if self._is_small(event):
            many = 1 + self._within(self._small_times.get(event.merchant_id), event.at)
            if many >= rules.burst:
                said = f"merchant {event.merchant_id} has {many} small online buys in {seconds} seconds"
                found.append((BLOCK, said))
        many = 1 + self._within(self._card_times.get(event.card_id), event.at)
        if self.card_burst is not None and many >= self.card_burst:
            found.append((PUSH, f"card {event.card_id} has {many} events in {seconds} seconds"))
        return found

    def _is_small(self, event: Event) -> bool:
        return event.channel == "online" and event.amount_cents < self.rules.small_cents

    def _within(self, times: list[int] | None, at: int) -> int:
        if times is None:
            return 0
        return bisect_right(times, at) - bisect_right(times, at - self.rules.burst_seconds)

    def _remember(self, times: dict[int, list[int]], key: int, at: int) -> None:
        kept = times.setdefault(key, [])
        insort(kept, at)
        del kept[: bisect_left(kept, kept[-1] - self.rules.burst_seconds - LATENESS)]

    def _oldest(self) -> int:
        return self._newest - self.rules.burst_seconds - LATENESS
