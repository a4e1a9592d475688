"""Hard rules, one by one, and that they earn their friction."""

import numpy as np
import pandas as pd
import pytest

from casebook.fraud.rules import Rules
from casebook.fraud.simulate import simulate
from casebook.fraud.tables import WORDS
from casebook.fraud.world import ACTIONS, DAY, World

ALLOW, PUSH, CALL, BLOCK = range(len(ACTIONS))


class Desk:
    """A morning with events and reports of our own."""

    def __init__(self, rows, log=(), reports=(), day=10):
        self.day = day
        self.events, self.log = table(rows), table(log)
        self.reports = pd.DataFrame(list(reports), columns=["event_id", "reported_at"], dtype=np.int64)


def event(**settings):
    plain = {"at": 0, "card_id": 1, "merchant_id": 2, "channel": "terminal", "entry": "chip", "amount_cents": 4_000}
    return plain | {"country": "US"} | settings


def table(rows):
    frame = pd.DataFrame(list(rows), columns=list(event()))
    for name in ("channel", "entry", "country"):
        frame[name] = pd.Categorical(frame[name], categories=list(WORDS[name]))
    return frame


def small(at, card, merchant=7, cents=200):
    return event(at=at, card_id=card, merchant_id=merchant, channel="online", entry="typed", amount_cents=cents)


def test_an_ordinary_event_is_allowed():
    assert Rules()(Desk([event()])).tolist() == [ALLOW]
    assert Rules()(Desk([])).tolist() == []


def test_a_card_with_a_fresh_report_is_blocked_and_with_an_old_one_not():
    log = [event(card_id=5), event(card_id=6)]
    reports = [(0, 9 * DAY), (1, 2 * DAY)]
    desk = Desk([event(card_id=5), event(card_id=6), event(card_id=7)], log, reports)
    assert Rules(card_days=3)(desk).tolist() == [BLOCK, ALLOW, ALLOW]


def test_a_merchant_with_many_reports_is_asked_about():
    log = [event(merchant_id=9, card_id=100 + row) for row in range(8)]
    desk = Desk([event(merchant_id=9), event(merchant_id=8)], log, [(row, 1 * DAY) for row in range(8)])
    assert Rules(merchant_reports=8, merchant_days=14)(desk).tolist() == [PUSH, ALLOW]
    assert Rules(merchant_reports=9, merchant_days=14)(desk).tolist() == [ALLOW, ALLOW]
    assert Rules(merchant_reports=8, merchant_days=5)(desk).tolist() == [ALLOW, ALLOW]


def test_a_stripe_abroad_is_called_about_and_one_at_home_not():
    rows = [event(entry="magstripe", country=country, amount_cents=6_000) for country in ("FR", "US")]
    assert Rules()(Desk([*rows, event(country="FR", amount_cents=6_000)])).tolist() == [CALL, ALLOW, ALLOW]


def test_amounts_and_transfers_have_caps():
    transfer = event(channel="app", entry="app", amount_cents=60_000)
    rows = [event(amount_cents=150_000), event(amount_cents=149_999), transfer]
    assert Rules()(Desk(rows)).tolist() == [CALL, ALLOW, PUSH]


def test_many_small_buys_at_one_merchant_within_minutes_are_blocked_from_the_last_on():
    rows = [small(60 * row, row) for row in range(9)]
    assert Rules(burst=8)(Desk(rows)).tolist() == [ALLOW] * 7 + [BLOCK] * 2
    slow = [small(120 * row, row) for row in range(9)]
    assert not Rules(burst=8)(Desk(slow)).any()
    spread = [small(60 * row, row, merchant=row % 2) for row in range(9)]
    assert not Rules(burst=8)(Desk(spread)).any()
    dear = [small(60 * row, row, cents=900) for row in range(9)]
    assert not Rules(burst=8)(Desk(dear)).any()


def test_the_action_with_the_most_friction_counts():
    desk = Desk([event(card_id=5, amount_cents=200_000)], [event(card_id=5)], [(0, 9 * DAY)])
    assert Rules()(desk).tolist() == [BLOCK]


@pytest.mark.slow
def test_rules_save_more_than_their_friction():
    saved, world = [], World(prevalence=0.003)
    for seed in range(6):
        free, ruled = (simulate(world, 1_500, 40, np.random.default_rng(seed), p) for p in (None, Rules()))
        saved.append(free.money["loss"].sum() - ruled.money["loss"].sum() - ruled.money["friction"].sum())
    assert np.mean(saved) > 2 * np.std(saved, ddof=1) / np.sqrt(len(saved))
