"""Episodes: each kind's trace, no give-away among them, and as many of them as the world says."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.fraud.adversary import AMOUNTS, GAPS
from casebook.fraud.attacks import PLANNERS, WARM_UP, Underworld, none_planned, unnoticed
from casebook.fraud.attacks_plan import Bank, Victims, running
from casebook.fraud.attacks_terminal import SKIM_DAYS, SKIM_FROM, SKIM_UNTIL
from casebook.fraud.habits import draw_habits
from casebook.fraud.merchants import CITIES, draw_market
from casebook.fraud.people import draw_people
from casebook.fraud.stream import Attempts
from casebook.fraud.world import ALL_KINDS, CATEGORIES, CHANNELS, DAY, ENTRIES, KINDS, TACTICS, World

CARDS, DAYS, TODAY = 4_000, 45, 40
HOUR = 3_600
EVEN = np.full((len(ALL_KINDS), len(TACTICS)), 1 / len(TACTICS))


def make_bank(world, cards=CARDS, days=DAYS, seed=0):
    for_market, for_people, for_habits = np.random.default_rng(seed).spawn(3)
    market = draw_market(cards, for_market)
    people = draw_people(world, cards, market, for_people)
    return Bank(world, people, market, draw_habits(world, people, market, days, for_habits), days)


@pytest.fixture(scope="module")
def bank():
    return make_bank(World())


def planned(bank, kind, tactic="plain", episodes=20, seed=1):
    codes = np.full(episodes, TACTICS.index(tactic))
    victims = Victims(len(bank.people), hold=False)
    return PLANNERS[kind](bank, victims, TODAY, codes, np.random.default_rng(seed))


def by_episode(made):
    return pd.DataFrame({"episode": made.episode, "card": made.card, "at": made.at, "merchant": made.merchant}).groupby(
        "episode"
    )


def entries(made):
    return {ENTRIES[code] for code in made.entry}


def test_card_testing_tries_tens_of_cards_on_one_digital_merchant_and_then_buys(bank):
    made = planned(bank, "card_testing")
    small = made.take(made.cents <= 300)
    tests = by_episode(small)
    assert (bank.market.category[small.merchant] == CATEGORIES.index("digital")).mean() > 0.95
    main = small.take(bank.market.category[small.merchant] == CATEGORIES.index("digital"))
    assert by_episode(main)["merchant"].nunique().max() == 1
    assert tests["card"].nunique().between(10, 30).all()
    assert tests["at"].agg(np.ptp).median() < HOUR
    buys = made.take(made.cents > 2_000)
    used = np.isin(np.unique(main.card), buys.card).mean()
    assert 0.2 < used < 0.5
    assert set(buys.card) <= set(main.card)
    assert entries(main) == {"typed"}


def test_a_stolen_card_is_used_near_home_first_small_then_large_within_hours(bank):
    made = planned(bank, "stolen_card", episodes=60)
    order = np.lexsort((made.at, made.episode))
    made = made.take(order)
    first = np.append(True, np.diff(made.episode) > 0)
    assert (bank.market.place[made.merchant] == bank.people.place[made.card]).all()
    assert {ENTRIES[code] for code in made.entry[first]} == {"contactless"}
    assert made.cents[first].max() < 4_000 < np.median(made.cents[~first])
    assert {"chip", "magstripe"} <= entries(made)
    assert by_episode(made)["at"].agg(np.ptp).median() < 8 * HOUR


def test_card_not_present_buys_a_few_times_over_days_mostly_without_threeds(bank):
    made = planned(bank, "card_not_present", episodes=150)
    assert by_episode(made).size().between(2, 6).all()
    assert by_episode(made)["card"].nunique().max() == 1
    assert 0.05 < (made.entry == ENTRIES.index("threeds")).mean() < 0.2
    assert entries(made) == {"typed", "threeds"}
    assert 8 * HOUR < by_episode(made)["at"].agg(np.ptp).median() < 3 * DAY


def test_a_compromised_merchants_cards_really_shopped_there_in_the_window(bank):
    made = planned(bank, "compromised_merchant", episodes=25)
    honest = bank.honest
    window = honest.take((honest.at >= (TODAY - SKIM_FROM) * DAY) & (honest.at < (TODAY - SKIM_UNTIL) * DAY))
    shops = pd.DataFrame({"card": window.card, "merchant": window.merchant})[window.channel == 0].drop_duplicates()
    for _, part in by_episode(made):
        cards = part["card"].unique()
        if len(cards) > 1:
            common = shops[shops["card"].isin(cards)].groupby("merchant").size()
            assert common.max() == len(cards)
    assert (made.entry == ENTRIES.index("magstripe")).mean() > 0.85
    elsewhere = bank.market.place[made.merchant] != bank.people.place[made.card]
    assert elsewhere.all()
    assert 0.3 < (bank.market.place[made.merchant] >= CITIES).mean() < 0.8


def test_before_the_log_is_long_enough_its_first_days_stand_in(bank):
    honest = bank.honest.take(bank.honest.at < SKIM_DAYS * DAY)
    made = PLANNERS["compromised_merchant"](bank, Victims(CARDS), -3, np.zeros(5, int), np.random.default_rng(2))
    assert len(made) > 20
    assert set(made.card) <= set(honest.card)


def test_a_takeover_moves_large_sums_from_one_new_device_to_strangers(bank):
    made = planned(bank, "account_takeover", episodes=150)
    assert entries(made) == {"app"}
    assert by_episode(made).size().between(1, 4).all()
    frame = pd.DataFrame({"episode": made.episode, "device": made.device, "ip": made.ip}).groupby("episode").nunique()
    assert (frame == 1).all(axis=None)
    assert not np.isin(made.device, bank.people.device).any()
    assert 0.2 < np.isin(made.ip, bank.people.ip[:, 2]).mean() < 0.4
    assert (bank.market.channel[made.merchant] == CHANNELS.index("app")).all()
    assert (bank.people.payees[made.card] == made.merchant[:, None]).any(axis=1).mean() < 0.03
    assert np.median(made.cents) > 30_000
    assert by_episode(made)["at"].agg(np.ptp).max() < 2 * DAY


def test_a_ring_works_tens_of_cards_for_weeks_from_few_devices_that_rotate(bank):
    made = planned(bank, "ring", episodes=20)
    assert entries(made) == {"threeds", "app"}
    cards = by_episode(made)["card"].nunique()
    assert cards.between(10, 30).all()
    assert (by_episode(made)["at"].agg(np.ptp) > 8 * DAY).all()
    frame = pd.DataFrame({"episode": made.episode, "device": made.device, "ip": made.ip, "address": made.address})
    delivered = frame[frame["address"] >= 0]
    assert frame.groupby("episode")["device"].nunique().max() <= 4
    assert delivered.groupby("episode")["address"].nunique().max() <= 4
    early = (made.at // DAY - TODAY) < 7
    assert frame[early].groupby("episode")["device"].nunique().max() <= 2
    honest = np.log(bank.honest.cents[bank.honest.entry == ENTRIES.index("threeds")]).mean()
    assert abs(np.log(made.cents[made.entry == ENTRIES.index("threeds")]).mean() - honest) < 0.6
    night = (made.at % DAY < 5 * HOUR).mean()
    assert night < 0.1


def test_a_wallet_pays_elsewhere_as_a_phone_does(bank):
    made = planned(bank, "wallet", episodes=60)
    assert entries(made) == {"wallet"}
    assert (bank.market.place[made.merchant] != bank.people.place[made.card]).all()


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_what_an_issuer_does_not_see_is_minus_one_and_the_rest_fits_the_merchant(bank, kind):
    made = planned(bank, kind)
    app, threeds = made.entry == ENTRIES.index("app"), made.entry == ENTRIES.index("threeds")
    np.testing.assert_array_equal(made.device >= 0, app | threeds)
    np.testing.assert_array_equal(made.ip >= 0, app | threeds)
    np.testing.assert_array_equal(made.address >= 0, threeds)
    np.testing.assert_array_equal(made.channel, bank.market.channel[made.merchant])
    np.testing.assert_array_equal(made.terminal >= 0, made.channel == CHANNELS.index("terminal"))
    assert (made.cents > 0).all() and (made.at >= TODAY * DAY).all()
    assert set(made.kind) == {ALL_KINDS.index(kind)}


@pytest.mark.parametrize("kind", ["stolen_card", "card_not_present", "account_takeover", "ring", "wallet"])
def test_tactics_change_amount_and_pace(bank, kind):
    parts = {name: planned(bank, kind, name, episodes=200) for name in TACTICS}
    level = {name: np.median(made.cents) for name, made in parts.items()}
    assert level["bold"] > level["plain"] > level["small"]
    last = {name: by_episode(made)["at"].agg(np.ptp).median() for name, made in parts.items()}
    assert last["patient"] > 1.5 * last["plain"]
    assert AMOUNTS[0] > 1 > GAPS[0]


def test_who_mimics_keeps_the_holders_hours(bank):
    night = {}
    for name in ("plain", "mimic"):
        made = planned(bank, "stolen_card", name, episodes=400)
        first = np.append(True, np.diff(made.episode) > 0)
        night[name] = (made.at[first] % DAY < 5 * HOUR).mean()
    assert night["plain"] > 0.15 > 0.1 > night["mimic"]


def test_a_card_takes_no_part_twice_at_a_time():
    bank = make_bank(World(prevalence=0.02), 1_000, 30)
    underworld = Underworld(bank, np.random.default_rng(3))
    busy = {}
    for day in range(30):
        made = underworld.plan(day, EVEN)
        frame = pd.DataFrame({"card": made.card, "thread": made.thread, "day": made.at // DAY})
        assert (frame.groupby("card")["thread"].nunique() <= 1).all()
        for card, last in frame.groupby("card")["day"].max().items():
            assert busy.get(card, -1) < day
            busy[card] = last
    assert len(busy) > 100


def test_a_busy_bank_has_only_so_many_cards():
    victims = Victims(5)
    rng = np.random.default_rng(4)
    assert sorted(victims.draw(9, 0, rng)) == [0, 1, 2, 3, 4]
    assert len(victims.draw(1, 0, rng)) == 0
    victims.release(np.array([2]), np.array([3 * DAY]))
    assert sorted(victims.draw(9, 1, rng)) == [0, 1, 3, 4]
    assert 2 in victims.draw(9, 4, rng)
    assert len(victims.draw(1, 9, rng, np.zeros(0, int))) == 0


def test_cards_among_many_are_drawn_by_how_often_they_stand_there():
    victims = Victims(3, hold=False)
    among, rng = np.array([0, 1, 1, 1, 1, 1, 1, 2]), np.random.default_rng(5)
    first = np.bincount([victims.draw(1, 0, rng, among)[0] for _ in range(2_000)], minlength=3)
    assert first / 2_000 == pytest.approx([1 / 8, 6 / 8, 1 / 8], abs=0.04)


def test_a_longer_world_plans_the_same_in_its_first_days():
    plans = []
    for days in (20, 35):
        underworld = Underworld(make_bank(World(prevalence=0.02), 500, days), np.random.default_rng(6))
        plans.append([underworld.before(EVEN), *[underworld.plan(day, EVEN) for day in range(20)]])
    for short, long in zip(*plans, strict=True):
        for name in vars(short):
            np.testing.assert_array_equal(getattr(short, name), getattr(long, name))


def test_rates_are_the_worlds_shares_of_attempts():
    bank = make_bank(World(prevalence=0.01, ring_share=0.4, novel_share=0.5, novel_day=30), 800, 40)
    underworld = Underworld(bank, np.random.default_rng(7))
    for day in (-5, 0, 30):
        attempts = underworld.rates(day) * underworld.size
        assert attempts.sum() == pytest.approx(0.01 / 0.99 * bank.daily_events)
        assert attempts / attempts.sum() == pytest.approx(bank.world.shares(max(day, 0)))


def test_a_null_world_has_no_rings():
    bank = make_bank(World(prevalence=0.02, ring_share=0.0), 500, 20)
    underworld = Underworld(bank, np.random.default_rng(8))
    made = Attempts.join([underworld.before(EVEN), *[underworld.plan(day, EVEN) for day in range(20)]])
    assert not (made.kind == KINDS.index("ring")).any()
    assert len(set(made.kind)) == 5


def test_the_first_day_has_as_many_attempts_as_any_other():
    first, later = [], []
    for seed in range(12):
        bank = make_bank(World(prevalence=0.03), 600, 20, seed)
        underworld = Underworld(bank, np.random.default_rng(seed))
        parts = [underworld.before(EVEN), *[underworld.plan(day, EVEN) for day in range(20)]]
        made = Attempts.join(parts)
        made = made.take(unnoticed(made))
        count = np.bincount(made.at[made.at >= 0] // DAY, minlength=20)[:20]
        first.append(count[:4].mean())
        later.append(count[8:].mean())
    assert np.mean(first) == pytest.approx(np.mean(later), rel=0.25)
    assert WARM_UP > 28


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4 * DAY), st.integers(1, DAY)), min_size=1, max_size=20))
def test_a_noticed_thread_ends_at_the_next_midnight(rows):
    thread, at, _ = (np.array(column) for column in zip(*rows, strict=True))
    notice = np.array([rows[int(np.flatnonzero(thread == one)[0])][2] for one in thread])
    blank = {name: np.zeros(len(at), np.int64) for name in vars(none_planned())}
    made = Attempts(**blank | {"thread": thread, "at": at, "notice": notice})
    want = []
    for one, when, after in zip(thread, at, notice, strict=True):
        begun = min(at[thread == one])
        want.append(when < begun + after or when // DAY == begun // DAY)
    assert unnoticed(made).tolist() == want


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.integers(0, 100))
def test_gaps_run_within_groups(count, seed):
    gaps = np.random.default_rng(seed).integers(1, 9, sum(count))
    want, at = [], 0
    for size in count:
        want += [int(gaps[at + 1 : at + 1 + place].sum()) for place in range(size)]
        at += size
    assert running(np.array(count), gaps).tolist() == want
