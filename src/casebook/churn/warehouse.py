"""From latent months to the event tables that a warehouse holds. A week without use has no row."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from casebook.churn.latent import Flags, Floats, Ints, Months, People, risk
from casebook.churn.play import STAYS, Played
from casebook.churn.world import FIRST_DAY, INDUSTRIES, MONTHS, PLANS, ROLES, TODAY, World

Days = NDArray[np.datetime64]
DAY, WEEK = np.timedelta64(1, "D"), np.timedelta64(7, "D")
GRACE_DAYS = 14  # a failed card is retried for so long, and not beyond the month's end
UNRECOVERED = 0.45  # share of first failures that end the subscription
TOPICS = ("how_to", "bug", "billing")
MONTH_STARTS = (FIRST_DAY.astype("M8[M]") + np.arange(MONTHS + 1)).astype("M8[D]")


class Ledger:
    """Dates on which people come and go, seen from the warehouse's first month (position 0)."""

    def __init__(self, people: People, played: Played) -> None:
        self.people, self.by_card = people, played.by_card
        self.start, self.left = people.start, played.left
        self.ids = np.arange(1, len(people) + 1, dtype=np.int32)
        signup_month = FIRST_DAY.astype("M8[M]") + self.start
        self.signed_up = signup_month.astype("M8[D]") + people.day - 1
        self.leaves = self.left < MONTHS
        self.left_on = np.full(len(people), np.datetime64("NaT"), dtype="M8[D]")
        self.left_on[self.leaves] = self._leaving_dates()

    def _leaving_dates(self) -> Days:
        rows = self.leaves
        month = self.left[rows]
        bill = MONTH_STARTS[month] + self.people.day[rows] - 1
        closed = np.minimum(bill + GRACE_DAYS, MONTH_STARTS[month + 1] - DAY)
        return np.where(self.by_card[rows], closed, bill)

    def here(self, day: np.datetime64) -> Flags:
        """Return who is subscribed on ``day``: signed up on it or before, and not left before it or on it."""
        return np.asarray((self.signed_up <= day) & ~(self.left_on <= day))


def customers(ledger: Ledger) -> pd.DataFrame:
    """One row for everybody who was subscribed at some time since the warehouse began."""
    people = ledger.people
    return pd.DataFrame(
        {
            "subscriber_id": ledger.ids,
            "account_id": people.account.astype(np.int32),
            "signed_up_on": ledger.signed_up,
            "plan": np.array(list(PLANS))[people.plan],
            "price": people.price,
            "term": np.where(people.annual, "annual", "monthly"),
            "bill_day": people.day.astype(np.int8),
            "employees": people.size.astype(np.int32),
            "industry": np.array(INDUSTRIES)[people.industry],
            "role": np.array(ROLES)[people.role],
        }
    )


def cancellations(ledger: Ledger) -> pd.DataFrame:
    """One row for everybody who left, with the date and what the billing system says."""
    rows = np.flatnonzero(ledger.leaves)
    frame = {
        "subscriber_id": ledger.ids[rows],
        "cancelled_on": ledger.left_on[rows],
        "reason": np.where(ledger.by_card[rows], "payment_failed", "cancelled"),
    }
    return _sorted(pd.DataFrame(frame), "cancelled_on")


def usage(world: World, ledger: Ledger, months: Months, next_health: Floats, rng: np.random.Generator) -> pd.DataFrame:
    """One row a subscriber and week with at least one login.

    Health is interpolated between the months' first days, so the last week before a month shows what that month's
    hazard is made of.
    """
    health = np.column_stack([months.health, next_health])
    weeks = np.arange(FIRST_DAY, TODAY - WEEK + DAY, WEEK)
    parts = []
    for week in weeks:
        here = (ledger.signed_up < week + WEEK) & ~(ledger.left_on <= week)
        rows = np.flatnonzero(here)
        month = int(np.searchsorted(MONTH_STARTS, week, side="right")) - 1
        ahead = (week - MONTH_STARTS[month]) / (MONTH_STARTS[month + 1] - MONTH_STARTS[month])
        now = (1 - np.float32(ahead)) * health[rows, month] + np.float32(ahead) * health[rows, month + 1]
        rate = np.exp(usage_level(world, ledger.people.take(rows), now, months.pull[rows, month]) + season(week))
        parts.append(
            _week(ledger, rows, week, rate * _share_of_week(ledger, rows, week), months.pull[rows, month], rng)
        )
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return pd.DataFrame(columns)


def usage_level(world: World, people: People, health: Floats, pull: Flags) -> Floats:
    """Return the log of the expected logins a week, without season, shape (n,)."""
    still, moving = np.sqrt(1 - world.changing), np.sqrt(world.changing)
    wellness = moving * health - 0.4 * still * people.frailty
    return np.asarray(2.2 + world.own_level * people.level + 0.6 * wellness - 0.35 * pull, dtype=np.float32)


def season(week: np.datetime64) -> np.float32:
    """Return what the week of the year adds to the log of usage: slow growth, summer, the end of December."""
    since = (week - FIRST_DAY) / WEEK
    of_year = since % 52
    summer, holidays = -0.12 * np.exp(-(((of_year - 32) / 4) ** 2)), -0.5 * (of_year >= 51)
    return np.float32(0.002 * since + summer + holidays)


def _share_of_week(ledger: Ledger, rows: Ints, week: np.datetime64) -> Floats:
    end = np.where(np.isnat(ledger.left_on[rows]), week + WEEK, np.minimum(ledger.left_on[rows], week + WEEK))
    days = (end - np.maximum(ledger.signed_up[rows], week)) / DAY
    return np.asarray(days / 7, dtype=np.float32)


def _week(
    ledger: Ledger, rows: Ints, week: np.datetime64, rate: Floats, pull: Flags, rng: np.random.Generator
) -> dict[str, NDArray[np.generic]]:
    logins = rng.poisson(rate)
    rows, pull, logins = rows[logins > 0], pull[logins > 0], logins[logins > 0]
    last = np.floor(7 * rng.random(len(rows), dtype=np.float32) ** (1 / logins)).astype(int)
    day = np.clip(week + last, ledger.signed_up[rows], None)
    day = np.where(ledger.left_on[rows] <= day, ledger.left_on[rows] - DAY, day)
    breadth = expit(ledger.people.breadth[rows] - 0.5)
    return {
        "subscriber_id": ledger.ids[rows],
        "week": np.full(len(rows), week),
        "logins": logins.astype(np.int16),
        "pages": rng.poisson(6 * logins).astype(np.int16),
        "features_used": (1 + rng.binomial(np.minimum(logins, 11), breadth)).astype(np.int8),
        "pricing_views": rng.poisson(0.03 + 0.5 * pull).astype(np.int8),
        "last_login_on": np.maximum(day, week),
    }


def tickets(world: World, ledger: Ledger, months: Months, rng: np.random.Generator) -> pd.DataFrame:
    """One row a support ticket; ``resolved_on`` is missing while it is open, and always lies after ``opened_on``."""
    parts = []
    for month in range(MONTHS):
        ill = risk(world, ledger.people, months.health[:, month])
        drawn = rng.poisson(0.2 * np.exp(0.45 * ill) * _active(ledger, month))
        rows = np.repeat(np.arange(len(drawn)), drawn)
        severity = 1 + rng.binomial(3, expit(0.4 * ill[rows] - 0.6))
        hours = np.exp(rng.normal(2.5 + 0.3 * severity + 0.15 * ill[rows], 0.8))
        opened = _day_in(ledger, rows, month, rng)
        part = {
            "subscriber_id": ledger.ids[rows],
            "opened_on": opened,
            "topic": np.array(TOPICS)[_topics(ledger.people.need[rows], months.pull[rows, month], rng)],
            "severity": severity.astype(np.int8),
            "resolved_on": opened + 1 + (hours // 24).astype(int),
            "sentiment": np.clip(-0.3 * ill[rows] - 0.2 * severity + 0.5 + 0.4 * rng.normal(size=len(rows)), -1, 1),
        }
        parts.append(pd.DataFrame(part))
    frame = _sorted(pd.concat(parts, ignore_index=True), "opened_on")
    frame["sentiment"] = frame["sentiment"].round(2)
    frame["resolved_on"] = frame["resolved_on"].where(frame["resolved_on"] < TODAY)
    return frame


def _topics(need: Floats, pull: Flags, rng: np.random.Generator) -> Ints:
    how_to = 0.15 + 0.6 * ndtr(1.2 * need) * np.where(pull, 0.4, 1.0)
    billing = np.where(pull, 0.5, 0.1) * (1 - how_to)
    luck = rng.random(len(need))
    return np.where(luck < how_to, 0, np.where(luck < how_to + billing, 2, 1))


def plan_changes(world: World, ledger: Ledger, months: Months, rng: np.random.Generator) -> pd.DataFrame:
    """One row a change of plan. A quarter of those who cancel step down on the way out, days before they go."""
    parts = []
    for month in range(MONTHS):
        ill, active = risk(world, ledger.people, months.health[:, month]), _active(ledger, month)
        down = rng.random(len(ill)) < 0.006 * np.exp(0.5 * ill) * (1 + 2 * months.pull[:, month]) * active
        up = rng.random(len(ill)) < 0.006 * np.exp(-0.4 * ill) * active
        for kind, flags in (("downgrade", down), ("upgrade", up & ~down)):
            rows = np.flatnonzero(flags)
            parts.append(
                pd.DataFrame(
                    {"subscriber_id": ledger.ids[rows], "changed_on": _day_in(ledger, rows, month, rng), "kind": kind}
                )
            )
    rows = np.flatnonzero(ledger.leaves & ~ledger.by_card & (rng.random(len(ledger.ids)) < 0.25))
    before = ledger.left_on[rows] - rng.integers(1, 11, len(rows))
    leaving = pd.DataFrame(
        {
            "subscriber_id": ledger.ids[rows],
            "changed_on": np.maximum(before, ledger.signed_up[rows]),
            "kind": "downgrade",
        }
    )
    frame = pd.concat([*parts, leaving[leaving["changed_on"] >= FIRST_DAY]], ignore_index=True)
    return _sorted(frame, "changed_on")


def failed_payments(ledger: Ledger, months: Months, rng: np.random.Generator) -> pd.DataFrame:
    """One row a bill that failed; ``recovered_on`` is missing where the retries did not help."""
    parts = []
    for month in range(MONTHS):
        chance = months.failed[:, month] * (1 / UNRECOVERED - 1) * _active(ledger, month)
        repaired = (rng.random(len(chance)) < chance) & ~(ledger.left == month)
        rows = np.flatnonzero(repaired | (ledger.by_card & (ledger.left == month)))
        failed = MONTH_STARTS[month] + ledger.people.day[rows] - 1
        recovered = failed + rng.integers(1, GRACE_DAYS, len(rows))
        recovered[~repaired[rows]] = np.datetime64("NaT")
        parts.append(pd.DataFrame({"subscriber_id": ledger.ids[rows], "failed_on": failed, "recovered_on": recovered}))
    frame = _sorted(pd.concat(parts, ignore_index=True), "failed_on")
    frame["recovered_on"] = frame["recovered_on"].where(frame["recovered_on"] < TODAY)
    return frame


def surveys(world: World, ledger: Ledger, months: Months, rng: np.random.Generator) -> pd.DataFrame:
    """One row a quarterly NPS question; ``score`` is missing where nobody answered, and the unhappy answer less."""
    parts = []
    for month in range(2, MONTHS, 3):
        day = MONTH_STARTS[month] + 14
        rows = np.flatnonzero(ledger.here(day))
        well = -risk(world, ledger.people, months.health[:, month])[rows]
        score = np.clip(np.round(7.5 + 1.5 * well + 1.5 * rng.normal(size=len(rows))), 0, 10)
        score[rng.random(len(rows)) > expit(-0.9 + 0.5 * well)] = np.nan
        parts.append(pd.DataFrame({"subscriber_id": ledger.ids[rows], "sent_on": day, "score": score}))
    return pd.concat(parts, ignore_index=True)


def emails(world: World, ledger: Ledger, months: Months, rng: np.random.Generator) -> pd.DataFrame:
    """One row a monthly newsletter; ``opened`` is missing where the company hides it, and large ones do."""
    parts = []
    for month in range(MONTHS):
        day = MONTH_STARTS[month] + 9
        rows = np.flatnonzero(ledger.here(day))
        keen = 0.4 * ledger.people.level[rows] + 0.4 * months.health[rows, month] - 0.4
        opened = (rng.random(len(rows)) < expit(keen)).astype(np.float32)
        opened[ledger.people.blocked[rows]] = np.nan
        parts.append(pd.DataFrame({"subscriber_id": ledger.ids[rows], "sent_on": day, "opened": opened}))
    return pd.concat(parts, ignore_index=True)


def _active(ledger: Ledger, month: int) -> Flags:
    return (ledger.start <= month) & (ledger.left >= month)


def _day_in(ledger: Ledger, rows: Ints, month: int, rng: np.random.Generator) -> Days:
    """Draw a day of the month on which each person was subscribed."""
    first = np.maximum(MONTH_STARTS[month], ledger.signed_up[rows])
    past = np.where(ledger.left[rows] == month, ledger.left_on[rows], MONTH_STARTS[month + 1])
    days = np.maximum((past - first) / DAY, 1)
    return first + np.floor(rng.random(len(rows)) * days).astype(int)


def _sorted(frame: pd.DataFrame, by: str) -> pd.DataFrame:
    return frame.sort_values([by, "subscriber_id"], kind="stable", ignore_index=True)


def leaving_month(left: Ints, offset: int) -> Ints:
    """Count months of leaving from the warehouse's first; who stays keeps ``STAYS``."""
    return np.where(left == STAYS, STAYS, left - offset)
