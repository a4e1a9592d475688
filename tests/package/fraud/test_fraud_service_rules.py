"""The rules for one event against the policy for a day, and what they remember."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.fraud.feature_event import Event, read_event
from casebook.fraud.feature_spec import EVENT_COLUMNS, Spec
from casebook.fraud.rules import Rules
from casebook.fraud.service_rules import RuleBook, Ruling
from casebook.fraud.simulate import simulate
from casebook.fraud.world import ACTIONS, DAY, World

PLAIN = Event(1, 10 * DAY, 1, 2, -1, -1, 4_000, "terminal", "chip", "US", "fuel", 0.0, 0.0)
SMALL = PLAIN._replace(channel="online", entry="typed", amount_cents=200)
#: Thresholds at which a small world breaks every rule now and then.
STRICT = Rules(merchant_reports=2, burst=4, burst_seconds=1_800, small_cents=600, cap_cents=60_000)


@pytest.fixture(scope="module")
def run():
    """Return a small bank under the rules, and what these said."""
    said = []

    def policy(morning):
        said.append(STRICT(morning))
        return said[-1]

    return simulate(World(prevalence=0.02), 600, 30, np.random.default_rng(3), policy), np.concatenate(said)


def test_over_a_run_the_book_says_what_the_policy_says_if_it_hears_of_reports_at_midnight(run):
    bank, wanted = run
    events, reports = bank.tables["events"], bank.tables["reports"].sort_values("reported_at")
    told = reports.merge(events[["event_id", "card_id", "merchant_id"]], on="event_id")
    waiting = told[["reported_at", "card_id", "merchant_id"]].to_numpy().tolist()[::-1]
    book, today, found = RuleBook(STRICT), 0, []
    for row in events[list(EVENT_COLUMNS)].to_dict("records"):
        event = read_event(row, Spec())
        if event.at // DAY > today:
            today = event.at // DAY
            book = forget_bursts(book)
            while waiting and waiting[-1][0] < today * DAY:
                at, card, merchant = waiting.pop()
                book.report(card, merchant, at)
        found.append(ACTIONS.index(book.check(event).action))
        book.take(event)
    assert found == wanted.tolist()
    assert (np.bincount(wanted, minlength=4) > 20).all()


def forget_bursts(book):
    """Return a book with the same reports and no events: the policy's bursts end at midnight."""
    fresh = RuleBook(book.rules)
    fresh._card_reports, fresh._merchant_reports = book._card_reports, book._merchant_reports
    return fresh


def test_reports_of_a_table_are_taken_at_once(run):
    bank, _ = run
    tables = bank.tables
    whole, one_by_one = RuleBook(STRICT), RuleBook(STRICT)
    whole.add_reports(tables["events"], tables["reports"])
    told = tables["reports"].merge(tables["events"][["event_id", "card_id", "merchant_id"]], on="event_id")
    for row in told.sample(frac=1, random_state=1)[["card_id", "merchant_id", "reported_at"]].to_numpy().tolist():
        one_by_one.report(*row)
    at = int(tables["reports"]["reported_at"].max()) + 1
    pairs = told[["card_id", "merchant_id"]].to_numpy().tolist()
    probes = [PLAIN._replace(card_id=card, merchant_id=merchant, at=at) for card, merchant in pairs]
    rulings = [whole.check(probe) for probe in probes]
    assert rulings == [one_by_one.check(probe) for probe in probes]
    assert {ruling.action for ruling in rulings} >= {"block", "push"}


def test_an_ordinary_event_is_allowed_and_a_look_changes_nothing():
    book = RuleBook()
    assert [book.check(PLAIN) for _ in range(20)] == [Ruling("allow", [])] * 20


@pytest.mark.parametrize(
    ("change", "ruling"),
    [
        ({"card_id": 66}, ("block", ["rule: card 66 is on a list of stolen cards"])),
        ({"merchant_id": 77}, ("block", ["rule: merchant 77 is a shop that sells numbers"])),
        ({"entry": "magstripe", "country": "FR", "amount_cents": 5_000}, ("call", ["rule: stripe read abroad, in FR"])),
        ({"entry": "magstripe", "country": "FR", "amount_cents": 4_999}, ("allow", [])),
        ({"entry": "magstripe", "amount_cents": 5_000}, ("allow", [])),
        ({"amount_cents": 150_000}, ("call", ["rule: amount of 1500.00 dollars, cap 1500.00"])),
        ({"amount_cents": 149_999}, ("allow", [])),
        (
            {"channel": "app", "entry": "app", "amount_cents": 60_000},
            ("push", ["rule: transfer of 600.00 dollars, cap 600.00"]),
        ),
        (
            {"card_id": 66, "amount_cents": 150_000},
            ("block", ["rule: card 66 is on a list of stolen cards", "rule: amount of 1500.00 dollars, cap 1500.00"]),
        ),
    ],
)
def test_each_rule_has_its_action_and_its_reason(change, ruling):
    book = RuleBook(cards={66: "on a list of stolen cards"}, merchants={77: "a shop that sells numbers"})
    assert book.check(PLAIN._replace(**change)) == Ruling(*ruling)


def test_a_reported_card_is_blocked_for_days_and_a_merchant_asked_about_after_many():
    book = RuleBook(Rules(card_days=3, merchant_reports=3, merchant_days=5))
    for card in range(3):
        book.report(card, 9, 10 * DAY + card)
    days = [book.check(PLAIN._replace(card_id=1, at=day * DAY + 50)).action for day in range(10, 16)]
    assert days == ["block"] * 4 + ["allow"] * 2
    asked = [book.check(PLAIN._replace(card_id=8, merchant_id=9, at=day * DAY + 50)) for day in range(10, 17)]
    assert [ruling.action for ruling in asked] == ["push"] * 6 + ["allow"]
    assert asked[0].reasons == ["rule: merchant 9 has 3 reports in 5 days"]


def test_a_burst_is_counted_within_its_seconds_whatever_the_order_of_arrival():
    book = RuleBook(Rules(burst=3, burst_seconds=600))
    for at in (400, 0, 200):  # the second is 400 seconds late, the third 200
        book.take(SMALL._replace(at=10 * DAY + at))
    actions = {at: book.check(SMALL._replace(at=10 * DAY + at)).action for at in (1, 400, 600, 799, 800, 999)}
    assert actions == {1: "allow", 400: "block", 600: "block", 799: "block", 800: "allow", 999: "allow"}
    said = book.check(SMALL._replace(at=10 * DAY + 400)).reasons
    assert said == ["rule: merchant 2 has 4 small online buys in 600 seconds"]
    far = RuleBook(Rules(burst=3, burst_seconds=600))
    for at in (0, 100, 880):
        far.take(SMALL._replace(at=10 * DAY + at))
    assert far.check(SMALL._replace(at=10 * DAY + 590)).action == "block"  # 290 seconds late, with two before it
    for other in ({"merchant_id": 3}, {"amount_cents": 400}, {"channel": "app"}):
        assert book.check(SMALL._replace(at=10 * DAY + 500, **other)).action == "allow"


def test_many_events_of_one_card_are_asked_about_only_if_that_is_set():
    book, silent = RuleBook(card_burst=3), RuleBook()
    for at in (0, 100):
        for each in (book, silent):
            each.take(PLAIN._replace(at=10 * DAY + at, merchant_id=at))
    third = PLAIN._replace(at=10 * DAY + 200)
    assert book.check(third) == Ruling("push", ["rule: card 1 has 3 events in 600 seconds"])
    assert silent.check(third) == Ruling("allow", [])
    with pytest.raises(ContractError, match="card_burst must be at least 2, got 1; one event is no burst"):
        RuleBook(card_burst=1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 1_200), min_size=1, max_size=40), st.integers(1, 300))
def test_the_burst_equals_a_count_over_all_that_came(gaps, late):
    """Hold the pruned memory against a full one, with events up to five minutes late."""
    book, came, now = RuleBook(Rules(burst=3)), [], 10 * DAY
    for place, gap in enumerate(gaps):
        now += gap // 3
        at = now - (late if place % 3 == 2 else 0)
        before = sum(at - 600 < then <= at for then in came)
        assert (book.check(SMALL._replace(at=at)).action == "block") == (before + 1 >= 3)
        book.take(SMALL._replace(at=at))
        came.append(at)


def test_what_is_over_is_forgotten(monkeypatch):
    monkeypatch.setattr("casebook.fraud.service_rules._SWEEP", 100)
    book = RuleBook()
    for number in range(5_000):
        book.take(SMALL._replace(at=10 * DAY + 60 * number, card_id=number, merchant_id=number))
    assert len(book._card_times) < 200 and len(book._small_times) < 200
    for number in range(400):
        book.report(1, 2, number * DAY)
    assert len(book._merchant_reports[2]) < 20
