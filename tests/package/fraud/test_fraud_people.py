"""Card-holders and merchants: moments, households, sharing, hours, and trips."""

import numpy as np
import pytest
from scipy.stats import chisquare, skew

from casebook.fraud.merchants import CITIES, ONLINE, PAYEES, PLACES, SHOPS, centres, draw_market
from casebook.fraud.people import (
    _HOURS,
    BLOCK,
    CARRIER,
    HOUSEHOLD,
    RATE,
    draw_people,
    draw_trips,
    second_of_day,
)
from casebook.fraud.world import CATEGORIES, COUNTRIES, DAY, World

CARDS = 8_000
SURE = 4.0  # standard errors


@pytest.fixture(scope="module")
def market():
    return draw_market(CARDS, np.random.default_rng(0))


@pytest.fixture(scope="module")
def people(market):
    return draw_people(World(), CARDS, market, np.random.default_rng(1))


def test_activity_is_log_normal_with_its_mean(people):
    assert people.rate.mean() == pytest.approx(RATE, abs=SURE * people.rate.std() / np.sqrt(CARDS))
    assert skew(people.rate) > 1 > abs(skew(np.log(people.rate))) * 5


def test_households_have_their_sizes(people):
    sizes = np.bincount(np.bincount(people.household)[:-1], minlength=5)[1:]
    assert chisquare(sizes, HOUSEHOLD * sizes.sum()).pvalue > 1e-3


def test_a_household_lives_at_one_place(people):
    first = np.concatenate([[True], np.diff(people.household) > 0])
    start = np.flatnonzero(first)[people.household]
    for trait in (people.place, people.x_km, people.y_km):
        np.testing.assert_array_equal(trait, trait[start])
    assert (people.household[people.partner] == people.household).all()
    alone = np.bincount(people.household)[people.household] == 1
    assert ((people.partner == np.arange(CARDS)) == alone).all()


@pytest.mark.parametrize("sharing", [0.0, 0.5, 1.0])
def test_households_share_as_much_as_the_world_says(market, sharing):
    people = draw_people(World(sharing=sharing), CARDS, market, np.random.default_rng(2))
    mates = people.partner != np.arange(CARDS)
    want = 1 - (1 - sharing) ** 3
    for trait in (people.ip[:, 0], people.address[:, 0], people.device[:, 1]):
        same = (trait == trait[people.partner])[mates]
        assert same.mean() == pytest.approx(want, abs=0.04)


def test_first_devices_are_ones_own(people):
    assert len(np.unique(people.device[:, [0, 2]])) == 2 * CARDS


def test_carriers_and_offices_are_shared_by_many(people):
    assert len(np.unique(people.ip[:, 2])) == CARDS // CARRIER
    of_office = np.unique(people.ip[:, 1], return_counts=True)[1]
    assert 20 < of_office.mean() < 80


def test_every_place_sells_every_category_and_sizes_are_heavy_tailed(market):
    for place in range(PLACES):
        assert set(market.category[market.place == place]) == set(np.flatnonzero(SHOPS))
    assert (market.channel[market.place == PAYEES] == 2).all()
    assert (market.country[market.place < CITIES] == 0).all()
    assert set(market.country[market.place < PLACES]) == set(range(len(COUNTRIES)))
    assert np.bincount(market.place)[0] > 3 * np.bincount(market.place)[CITIES - 1]


def test_merchants_are_picked_by_their_shares(market):
    place, category, n = 0, CATEGORIES.index("grocery"), 50_000
    picked = market.pick(np.full(n, place), np.full(n, category), np.random.default_rng(3).random(n))
    cell = np.flatnonzero((market.place == place) & (market.category == category))
    assert set(picked) <= set(cell)
    share = np.diff(np.concatenate([[0], market.reach[cell] - (place * len(CATEGORIES) + category)]))
    assert share.sum() == pytest.approx(1.0)
    assert chisquare(np.bincount(picked, minlength=len(market))[cell], share * n).pvalue > 1e-3


def test_the_ends_of_the_draw_stay_in_the_cell(market):
    ends = market.pick(np.full(2, ONLINE), np.full(2, CATEGORIES.index("digital")), np.array([0.0, 1.0]))
    assert (market.place[ends] == ONLINE).all()
    assert (market.category[ends] == CATEGORIES.index("digital")).all()


def test_terminals_have_their_own_ids(market):
    owners = np.flatnonzero(market.terminals)
    ids = [range(market.first_terminal[m], market.first_terminal[m] + market.terminals[m]) for m in owners]
    flat = [one for part in ids for one in part]
    assert len(set(flat)) == len(flat) == market.terminals.sum()
    n = 2_000
    merchant = np.random.default_rng(4).integers(len(market), size=n).astype(np.int32)
    terminal = market.terminal_of(merchant, np.random.default_rng(5).random(n))
    assert ((terminal < 0) == (market.terminals[merchant] == 0)).all()
    assert all(one in ids[np.searchsorted(owners, m)] for one, m in zip(terminal, merchant, strict=True) if one >= 0)


def test_foreign_places_are_thousands_of_kilometres_away():
    spots = centres()
    gaps = np.linalg.norm(spots[CITIES:, None] - spots[None, :CITIES], axis=2)
    assert gaps.min() > 500
    assert np.linalg.norm(spots[:CITIES, None] - spots[None, :CITIES], axis=2).max() < 1_500


@pytest.mark.parametrize("hours", [0, 1, 2])
def test_people_pay_at_their_hours(hours):
    n = 50_000
    second = second_of_day(np.full(n, hours, np.int8), np.random.default_rng(6).random(n, np.float32))
    assert second.min() >= 0 and second.max() < DAY
    want = _HOURS[hours] / _HOURS[hours].sum()
    assert np.bincount(second // 3_600, minlength=24) / n == pytest.approx(want, abs=0.01)


def test_trips_are_few_and_a_longer_world_begins_as_a_shorter_one(people):
    short, long = (draw_trips(World(), people, blocks, np.random.default_rng(7)) for blocks in (3, 6))
    np.testing.assert_array_equal(short, long[:, : 3 * BLOCK])
    away = long != people.place[:, None]
    assert 0.04 < away.mean() < 0.11
    assert away[:, 0].mean() == pytest.approx(away.mean(), abs=0.02)


def test_drift_brings_trips_from_its_day_on(people):
    usual, more = (draw_trips(World(drift=d, drift_day=30), people, 6, np.random.default_rng(8)) for d in (0.0, 0.5))
    np.testing.assert_array_equal(usual[:, :30], more[:, :30])
    share = [(where[:, 40:] != people.place[:, None]).mean() for where in (usual, more)]
    assert share[1] == pytest.approx(2 * share[0], rel=0.15)


def test_the_same_seed_draws_the_same_people(market, people):
    again = draw_people(World(), CARDS, market, np.random.default_rng(1))
    for name, trait in vars(people).items():
        np.testing.assert_array_equal(trait, getattr(again, name))
