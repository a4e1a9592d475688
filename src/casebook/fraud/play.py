"""The course of a world: each day's events, the policy's answer to them, and what follows from both."""

from __future__ import annotations

from copy import copy
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.fraud.adversary import Adversary
from casebook.fraud.attacks import Underworld
from casebook.fraud.attacks_plan import Bank
from casebook.fraud.mail import Mail
from casebook.fraud.morning import (
    DECISION_COLUMNS,
    EVENT_COLUMNS,
    Columns,
    Morning,
    Policy,
    checked_actions,
    fill_events,
    fill_merchants,
)
from casebook.fraud.outcomes import PASSED, STOPPED, Played, friction, loss_if_passed, play
from casebook.fraud.stream import Attempts
from casebook.fraud.truth import TRUTH_COLUMNS, Truth, as_truth_events, episode_table
from casebook.fraud.world import ACTIONS, ALL_KINDS, DAY, REISSUE_DAYS, TACTICS

_NEVER = np.iinfo(np.int64).max


class Play:
    """One world under way.

    Parameters
    ----------
    bank : Bank
    rng : numpy.random.Generator
        For the fraudsters' plans.
    sees_truth : bool
        Whether the policy is shown the truth.
    """

    def __init__(self, bank: Bank, rng: np.random.Generator, sees_truth: bool) -> None:
        self._bank, self._sees_truth = bank, sees_truth
        self._underworld = Underworld(bank, rng)
        self._adversary = Adversary.start(bank.world.speed)
        self._pending = self._underworld.before(self._adversary.weights)
        self._alive = np.ones(len(self._pending), bool)
        self._noticed = np.full(1_024, _NEVER)
        self._new_card = np.full(len(bank.people), -1, np.int64)  # the day from which on a stopped card works again
        self._edges = np.searchsorted(bank.honest.at, np.arange(bank.days + 1) * DAY)
        room = int(len(bank.honest) * (1 + 2 * bank.world.prevalence)) + 1_000
        self._events, self._decisions = Columns(EVENT_COLUMNS, room), Columns(DECISION_COLUMNS, room)
        self._truths = Columns(TRUTH_COLUMNS, room)
        self._mail = Mail(bank)
        self._planned: list[pd.DataFrame] = []
        self._weights: list[NDArray[np.float64]] = []
        self._money: list[dict[str, float]] = []

    def copy(self, sees_truth: bool = False) -> Self:
        """Return the same world at the same point, which goes on without a trace in this one; the bank is shared."""
        new = copy(self)
        new._sees_truth = sees_truth
        new._underworld, new._mail = self._underworld.copy(), self._mail.copy()
        new._adversary = copy(self._adversary)
        for name in ("_alive", "_noticed", "_new_card", "_events", "_decisions", "_truths"):
            setattr(new, name, getattr(self, name).copy())
        new._planned, new._weights, new._money = [*self._planned], [*self._weights], [*self._money]
        return new

    def morning(self, day: int) -> Morning:
        """Return what the bank knows at a day's first second, with no event to decide about."""
        rows = self._events.rows
        return Morning(day, self._events.read(rows), self._events, self._decisions, self._mail, rows)

    def one_day(self, day: int, policy: Policy | None) -> None:
        """Play one day: attempts come due, the policy decides, outcomes, labels and lessons follow."""
        self._weights.append(self._adversary.weights.copy())
        new = self._underworld.plan(day, self._adversary.weights)
        due, arriving = self._due(day, new)
        before = self._events.rows
        arrived = due.take(np.flatnonzero(arriving)[np.argsort(due.at[arriving], kind="stable")])
        truth = self._write(day, arrived)
        kind, luck, claim = truth.pop("kind_code"), truth.pop("luck"), truth.pop("claim")
        today = self._events.read(before)
        action = self._decide(day, policy, today, before, truth)
        card = today["card_id"].to_numpy()
        played = play(self._bank.world, action, card, kind, luck, self._new_card[card] > day)
        self._settle(day, played, today, truth, before)
        self._mail.post(before, today, truth["fraud"], played, claim)
        self._learn(due, arrived, played.outcome[truth["fraud"]])
        self._end(day, arrived, played.outcome[truth["fraud"]], card[played.stops])

    def _due(self, day: int, new: Attempts) -> tuple[Attempts, NDArray[np.bool_]]:
        """Return the attempts planned for the day, and which of them are still made; keep the later ones."""
        pool = Attempts.join([self._pending, new])
        alive = np.append(self._alive, np.ones(len(new), bool))
        today = pool.at // DAY == day
        later = pool.at // DAY > day
        self._pending, self._alive = pool.take(later), alive[later]
        due, arriving = pool.take(today), alive[today]
        self._planned.append(
            pd.DataFrame({"episode_id": due.episode, "kind": due.kind, "tactic": due.tactic, "card_id": due.card})
        )
        return due, arriving

    def _write(self, day: int, arrived: Attempts) -> dict[str, Any]:
        """Write the day's events in the order of time, and return the truth about them."""
        low, high = self._edges[day : day + 2]
        honest = self._bank.honest.take(slice(low, high))
        count = len(honest) + len(arrived)
        rows = np.searchsorted(honest.at, arrived.at, side="right") + np.arange(len(arrived))
        fraud = np.zeros(count, bool)
        fraud[rows] = True
        others = np.flatnonzero(~fraud)
        first = self._events.rows
        events = self._events.extend(count)
        events["event_id"][:] = np.arange(first, first + count)
        fill_events(events, others, honest)
        fill_events(events, rows, arrived)
        fill_merchants(events, self._bank.market)
        truth = self._truths.extend(count)
        truth["event_id"][:], truth["fraud"][:] = events["event_id"], fraud
        for name, own in (("kind", "kind"), ("episode_id", "episode"), ("tactic", "tactic")):
            truth[name][:] = -1
            truth[name][rows] = getattr(arrived, own)
        truth["twin"][others], truth["twin"][rows] = np.arange(low, high), -1
        costs = self._bank.world.costs
        truth["loss_dollars"][:] = loss_if_passed(costs, events["amount_cents"], events["entry"], events["channel"])
        luck, claim = np.empty((2, count), np.float32)
        luck[others], luck[rows] = honest.luck, arrived.luck
        claim[others], claim[rows] = honest.claim, arrived.claim
        return truth | {"kind_code": truth["kind"], "luck": luck, "claim": claim}

    def _decide(
        self, day: int, policy: Policy | None, today: pd.DataFrame, before: int, truth: dict[str, Any]
    ) -> NDArray[np.int8]:
        if policy is None:
            return np.zeros(len(today), np.int8)
        shown = (truth["fraud"].copy(), truth["loss_dollars"].copy()) if self._sees_truth else (None, None)
        morning = Morning(day, today, self._events, self._decisions, self._mail, before, *shown)
        return checked_actions(policy(morning), len(today))

    def _settle(self, day: int, played: Played, today: pd.DataFrame, truth: dict[str, Any], before: int) -> None:
        decided = self._decisions.extend(len(today))
        decided["event_id"][:] = np.arange(before, before + len(today))
        decided["action"][:], decided["outcome"][:] = played.action, played.outcome
        cents, fraud = today["amount_cents"].to_numpy(), truth["fraud"]
        channel = today["channel"].cat.codes.to_numpy().astype(np.int8)
        cost = friction(self._bank.world.costs, played, cents, channel, ~fraud)
        truth["friction_dollars"][:] = cost
        stopped = played.outcome == STOPPED
        by_action = np.bincount(played.action, np.where(stopped, 0, cost), len(ACTIONS))
        passed = played.outcome == PASSED
        loss = truth["loss_dollars"]
        self._money.append(
            {
                "day": day,
                "events": len(today),
                "attempts": int(fraud.sum()),
                "passed": int((fraud & passed).sum()),
                "loss": float(loss[fraud & passed].sum()),
                "friction": float(cost.sum()),
                **{name: float(by_action[code]) for code, name in enumerate(ACTIONS) if code},
                "stopped": float(cost[stopped].sum()),
                "blocked_dollars": float(cents[fraud & ~passed].sum() / 100),
                "saved": float(loss[fraud & ~passed].sum()),
            }
        )

    def _learn(self, due: Attempts, arrived: Attempts, outcome: NDArray[np.int8]) -> None:
        cells = len(ALL_KINDS) * len(TACTICS)
        took = arrived.cents / 100 * (outcome == PASSED)
        take = np.bincount(arrived.kind * len(TACTICS) + arrived.tactic, took, cells)
        planned = np.bincount(due.kind * len(TACTICS) + due.tactic, minlength=cells)
        self._adversary.learn(*(part.reshape(-1, len(TACTICS)).astype(float) for part in (take, planned)))

    def _end(self, day: int, arrived: Attempts, outcome: NDArray[np.int8], stopped: NDArray[np.int64]) -> None:
        """Let threads end that have been noticed, and those on cards that were stopped, from the next midnight on."""
        most = max((int(part.thread.max()) for part in (arrived, self._pending) if len(part)), default=0)
        if most >= len(self._noticed):
            more = np.full(2 * most - len(self._noticed), _NEVER)
            self._noticed = np.concatenate([self._noticed, more])
        took = outcome == PASSED
        np.minimum.at(self._noticed, arrived.thread[took], arrived.at[took] + arrived.notice[took])
        self._new_card[stopped] = day + 1 + REISSUE_DAYS
        dead = (self._pending.at >= self._noticed[self._pending.thread]) | np.isin(self._pending.card, stopped)
        self._alive &= ~dead

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return what the bank has at the end but for cards and merchants."""
        end = self._bank.days * DAY
        events, decisions = self._events.read(), self._decisions.read()
        return {
            "events": events,
            "reports": self._mail.reports(end),
            "answers": self._mail.answers(end),
            "decisions": decisions,
        }

    def truth(self) -> Truth:
        """Return the truth about all of it."""
        events = as_truth_events(self._truths.read())
        cents = self._events.read()["amount_cents"].to_numpy()
        outcome = self._decisions.read()["outcome"].cat.codes.to_numpy()
        planned = pd.concat(self._planned, ignore_index=True)
        episodes = episode_table(planned, events, cents, outcome)
        return Truth(events, episodes, np.array(self._weights), self._bank.people)

    def money(self) -> pd.DataFrame:
        """Return the money of each day."""
        return pd.DataFrame(self._money)
