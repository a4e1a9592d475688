"""Honest events: order, moments, what an issuer does not see, sharing, drift, and the look of fraud without any."""

import numpy as np
import pandas as pd
import pytest

from casebook.fraud.habits import WEEK, draw_habits
from casebook.fraud.merchants import CITIES, THREEDS_MEAN, draw_market
from casebook.fraud.people import APP_SHARE, ONLINE_SHARE, RATE, draw_people
from casebook.fraud.stream import Attempts, Stream, fresh_ids
from casebook.fraud.world import CATEGORIES, CHANNELS, DAY, ENTRIES, World

CARDS, DAYS = 3_000, 60
TERMINAL, ONLINE, APP = range(3)
THREEDS = ENTRIES.index("threeds")


def bank(world, cards=CARDS, days=DAYS, seed=0):
    for_market, for_people, for_habits = np.random.default_rng(seed).spawn(3)
    market = draw_market(cards, for_market)
    people = draw_people(world, cards, market, for_people)
    return market, people, draw_habits(world, people, market, days, for_habits)


@pytest.fixture(scope="module")
def usual():
    return bank(World())


def test_events_come_in_the_order_of_time_and_within_the_days(usual):
    _, _, honest = usual
    assert (np.diff(honest.at) >= 0).all()
    assert honest.at.min() >= 0 and honest.at.max() < DAYS * DAY


def test_each_card_has_about_its_own_rate(usual):
    _, people, honest = usual
    count = np.bincount(honest.card, minlength=CARDS)
    assert count.mean() / DAYS == pytest.approx(RATE * 1.03 + 0.07, rel=0.05)
    assert np.corrcoef(count, people.rate)[0, 1] > 0.95


def test_weekdays_have_their_shares(usual):
    _, _, honest = usual
    weeks = DAYS // 7
    by_day = np.bincount(honest.at // DAY)[: 7 * weeks].reshape(weeks, 7).sum(0)
    assert by_day / by_day.mean() == pytest.approx(WEEK / WEEK.mean(), abs=0.05)


def test_channels_have_their_shares(usual):
    market, _, honest = usual
    share = np.bincount(honest.channel, minlength=3) / len(honest)
    assert share[ONLINE] == pytest.approx(ONLINE_SHARE + 0.05, abs=0.03)
    assert share[APP] == pytest.approx(APP_SHARE * (1 - ONLINE_SHARE), abs=0.02)
    np.testing.assert_array_equal(honest.channel, market.channel[honest.merchant])
    threeds = (honest.entry == THREEDS)[honest.channel == ONLINE].mean()
    assert THREEDS_MEAN - 0.15 < threeds < THREEDS_MEAN + 0.05


def test_what_an_issuer_does_not_see_is_minus_one(usual):
    _, _, honest = usual
    app, threeds = honest.channel == APP, honest.entry == THREEDS
    np.testing.assert_array_equal(honest.device >= 0, app | threeds)
    np.testing.assert_array_equal(honest.ip >= 0, app | threeds)
    np.testing.assert_array_equal(honest.address >= 0, threeds)
    np.testing.assert_array_equal(honest.terminal >= 0, honest.channel == TERMINAL)


def test_entries_belong_to_their_channels(usual):
    _, _, honest = usual
    for channel, entries in ((TERMINAL, ENTRIES[:4]), (ONLINE, ENTRIES[4:6]), (APP, ENTRIES[6:])):
        found = set(honest.entry[honest.channel == channel])
        assert found == {ENTRIES.index(name) for name in entries}


def test_a_longer_world_begins_as_a_shorter_one():
    short, long = (bank(World(drift=0.2, drift_day=15), 300, days)[2] for days in (23, 47))
    for name in vars(short):
        np.testing.assert_array_equal(getattr(short, name), getattr(long, name)[: len(short)])
    assert long.at[len(short)] >= 23 * DAY


def test_fraud_settings_change_nothing_honest():
    one, other = (bank(world, 300, 20)[2] for world in (World(), World(prevalence=0.1, ring_share=0.5, speed=2)))
    for name in vars(one):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_people_mostly_pay_where_they_paid_before(usual):
    _, _, honest = usual
    pair = honest.card.astype(np.int64) * 10**6 + honest.merchant
    late = honest.at > DAYS // 2 * DAY
    new = ~pd.Series(pair).duplicated().to_numpy()
    assert 0.08 < new[late].mean() < 0.35


def test_the_amounts_of_one_person_are_alike(usual):
    market, people, honest = usual
    rows = market.category[honest.merchant] == CATEGORIES.index("grocery")
    level = pd.Series(np.log(honest.cents[rows])).groupby(honest.card[rows]).mean()
    assert np.corrcoef(level, people.level[level.index, CATEGORIES.index("grocery")])[0, 1] > 0.7


def test_some_payments_recur(usual):
    _, _, honest = usual
    same = pd.DataFrame({"card": honest.card, "merchant": honest.merchant, "cents": honest.cents}).value_counts()
    months = DAYS // 30
    assert CARDS * 1.5 < (same >= months).sum() < CARDS * 3
    assert months == 2


def test_bursts_and_rushes_happen_without_fraud(usual):
    market, _, honest = usual
    rows = np.flatnonzero(
        (honest.channel == ONLINE) & (market.category[honest.merchant] == CATEGORIES.index("digital"))
    )
    frame = pd.DataFrame({"card": honest.card, "merchant": honest.merchant, "slot": honest.at // 1_200}).iloc[rows]
    assert (frame.groupby(["card", "slot"]).size() >= 3).sum() > 100
    everything = pd.DataFrame({"card": honest.card, "merchant": honest.merchant, "slot": honest.at // 1_200})
    online = everything[honest.channel == ONLINE]
    assert (online.groupby(["merchant", "slot"])["card"].nunique() >= 12).sum() >= 2


def test_holders_travel(usual):
    market, people, honest = usual
    at = honest.channel == TERMINAL
    place = market.place[honest.merchant]
    assert 0.01 < (place[at] >= CITIES).mean() < 0.06
    assert 0.02 < ((place != people.place[honest.card]) & (place < CITIES))[at].mean() < 0.10


@pytest.mark.parametrize(("field", "least"), [("device", 1.15), ("ip", 1.3), ("address", 1.5)])
def test_sharing_brings_more_cards_an_id(field, least):
    cards = []
    for sharing in (0.0, 0.3, 1.0):
        _, _, honest = bank(World(sharing=sharing), 1_500, 30)
        seen = getattr(honest, field) >= 0
        ids = pd.Series(honest.card[seen]).groupby(getattr(honest, field)[seen]).nunique()
        cards.append((ids**2).sum() / ids.sum())  # cards on the id of a random card
    assert cards[0] == pytest.approx(1.0, abs=0.01)
    assert cards[2] > cards[1] > least


def test_drift_changes_what_comes_after_its_day():
    (market, people, plain), (_, _, drifted) = (bank(World(drift=d, drift_day=30)) for d in (0.0, 0.4))
    before = [stream.take(stream.at < 30 * DAY) for stream in (plain, drifted)]
    for name in vars(before[0]):
        np.testing.assert_array_equal(getattr(before[0], name), getattr(before[1], name))
    after = [stream.take(stream.at >= 30 * DAY) for stream in (plain, drifted)]
    online = [(part.channel == ONLINE).mean() for part in after]
    assert online[1] / online[0] == pytest.approx(1.35, abs=0.08)
    grocery = [np.log(part.cents[market.category[part.merchant] == 0]).mean() for part in after]
    assert grocery[1] - grocery[0] == pytest.approx(np.log(1.2), abs=0.03)
    assert len(people) == CARDS


def test_streams_are_taken_and_joined(usual):
    _, _, honest = usual
    parts = [honest.take(slice(0, 5)), honest.take(np.arange(len(honest)) >= 5)]
    joined = Stream.join(parts)
    for name in vars(honest):
        np.testing.assert_array_equal(getattr(joined, name), getattr(honest, name))
        assert getattr(joined, name).dtype == getattr(honest, name).dtype
    assert issubclass(Attempts, Stream)


def test_fresh_ids_are_new():
    assert len(np.unique(fresh_ids(5_000, np.random.default_rng(0)))) == 5_000
    assert len(CHANNELS) == 3
