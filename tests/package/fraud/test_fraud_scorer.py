"""One answer an event: what it is made of, what is refused, what is repeated, and reports."""

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.fraud.feature_event import read_event
from casebook.fraud.feature_spec import DAY, Spec
from casebook.fraud.features import build
from casebook.fraud.rules import Rules
from casebook.fraud.service_rules import RuleBook
from casebook.fraud.service_state import StateError
from casebook.fraud.state import FeatureState, MemoryStore
from casebook.fraud.state_records import LATENESS
from casebook.fraud.world import ACTIONS

NOW = 200 * DAY
GOOD = {
    **{"event_id": 900, "at": 50 * DAY, "card_id": 3, "merchant_id": 4, "terminal_id": 8, "device_id": -1},
    **{"amount_cents": 1_250, "channel": "terminal", "entry": "chip", "currency": "USD", "country": "US"},
    **{"category": "grocery", "x_km": 10.0, "y_km": 4.0},
}
CAPPED = GOOD | {"amount_cents": 150_000}


def plain_state(rows):
    """Return the values of a store whose state took events one after another, without a service."""
    state = FeatureState(MemoryStore())
    for row in rows:
        state.update(row)
    return state.store.values


def test_an_answer_is_the_stronger_of_the_rules_and_the_models_tier(bank, toy_model, rows):
    answers = [bank.scorer.score(row) for row in rows]
    p = toy_model.predict(build(pd.DataFrame(rows), pd.DataFrame()))
    np.testing.assert_allclose([answer.p for answer in answers], p, rtol=1e-12)
    book, wanted = RuleBook(Rules(card_days=3)), []
    for row, each in zip(rows, p, strict=True):
        event = read_event(row, Spec())
        said = [book.check(event).action, toy_model.tier(each)]
        wanted.append(max(said, key=ACTIONS.index))
        book.take(event)
    assert [answer.action for answer in answers] == wanted
    assert len(set(wanted)) >= 3
    assert all(answer.fallback is None and answer.version == toy_model.version for answer in answers)
    assert all(any(why.startswith("model: ") for why in a.reasons) == (a.tier != "allow") for a in answers)
    assert bank.store.values == plain_state(rows)


def test_rules_and_model_each_give_their_reasons(bank):
    answer = bank.scorer.score(CAPPED)
    assert answer.action == "call" and answer.reasons[0] == "rule: amount of 1500.00 dollars, cap 1500.00"
    assert answer.tier != "allow" and any(why.startswith("model: amount_cents = 150000 (+") for why in answer.reasons)
    assert answer.latency_ms > 0


BAD = [
    ({"amount_cents": -5}, "amount_cents must be a whole number from 1 to 2^50, got -5; mend it."),
    (
        {"currency": "XXX"},
        "currency must be one of USD, CAD, MXN, GBP, EUR, JPY, BRL, got 'XXX'; convert it or add it to Spec.",
    ),
    (
        {"at": 50 * DAY - LATENESS - 1},
        "at must be at most 300 seconds before the card's last event (second 4320000), got 4319699; "
        "send a card's events in order.",
    ),
    ({"at": NOW + 1}, f"at must be at most now, second {NOW}, got {NOW + 1}; set the clock that sent it."),
    ({"card_id": None}, "card_id must be a whole number from 0 to 2^50, got nothing; send the field."),
    ({"category": "x" * 10**6}, "category must be of at most 64 characters, got 1000000; send the category's code."),
    (
        {"entry": "x" * 10**6},
        "entry must be one of chip, contactless, magstripe, wallet, typed, threeds, app, got "
        "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...; mend it.",
    ),
    (
        {"event_id": 900, "amount_cents": 1_251},
        "event_id must be new for a new event, got 900, which was answered with another amount_cents; "
        "send the first event again or give this one its own id.",
    ),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_a_bad_event_is_refused_in_one_sentence_and_changes_nothing(bank, change, message):
    bank.scorer.score(GOOD)
    before = bank.snapshot()
    bad = {name: value for name, value in (GOOD | {"event_id": 901} | change).items() if value is not None}
    with pytest.raises(ContractError) as refused:
        bank.scorer.score(bad)
    assert str(refused.value) == message
    assert bank.snapshot() == before
    counts = bank.scorer.health()["counts"]
    assert (counts["scored"], counts["refused"]) == (1, 1)


def test_what_is_no_mapping_is_refused(bank):
    with pytest.raises(ContractError) as refused:
        bank.scorer.score([GOOD])
    assert str(refused.value) == "the event must be an object with named fields, got list; send one event."


def test_an_event_of_this_second_is_answered_and_one_of_the_next_when_its_time_has_come(bank):
    assert bank.scorer.score(GOOD | {"at": NOW}).fallback is None
    with pytest.raises(ContractError, match="at must be at most now"):
        bank.scorer.score(GOOD | {"event_id": 901, "at": NOW + 1})
    bank.now = NOW + 1
    assert bank.scorer.score(GOOD | {"event_id": 901, "at": NOW + 1}).fallback is None


def test_the_same_event_again_gets_the_same_answer_and_counts_once(bank, rows):
    first = [bank.scorer.score(row) for row in rows[:100]]
    before = bank.snapshot()
    assert [bank.scorer.score(row) for row in rows[:100]] == first
    restarted = bank.start()
    assert [restarted.score(row) for row in rows[:100]] == first
    assert bank.store.values == before[0] and bank.path.read_bytes() == before[1]
    health = bank.scorer.health()
    assert health["log"]["decisions"] == 100 and health["counts"]["repeated"] == 100


def test_the_same_event_in_other_types_is_the_same_event(bank):
    first = bank.scorer.score(GOOD)
    odd = GOOD | {"card_id": np.int64(3), "x_km": np.float64(10.0), "an unknown field": 7}
    assert bank.scorer.score(odd) == first
    bare = {name: value for name, value in GOOD.items() if name not in ("device_id", "x_km", "y_km")}
    with pytest.raises(ContractError, match="got 900, which was answered with another x_km"):
        bank.scorer.score(bare)


def test_a_late_event_is_answered_as_of_its_second_and_later_ones_as_if_it_had_come_in_time(bank, toy_model):
    at = GOOD["at"]
    rows = [GOOD | {"amount_cents": 10_000}, GOOD | {"event_id": 901, "at": at + 200, "amount_cents": 20_000}]
    late = GOOD | {"event_id": 902, "at": at + 200 - LATENESS, "amount_cents": 70_000, "merchant_id": 5}
    probe = GOOD | {"event_id": 903, "at": at + 201}
    first = [bank.scorer.score(row) for row in rows]
    answer = bank.scorer.score(late)
    state = FeatureState(MemoryStore())
    assert answer.p == toy_model.p(state.features(late))  # nothing lies before its second
    for row in (late, *rows):
        state.update(row)
    assert bank.scorer.score(probe).p == toy_model.p(state.features(probe))
    assert [bank.scorer.score(row) for row in rows] == first  # what was answered stands


def test_a_report_reaches_rules_and_risk_counts_once_and_outlives_a_restart(bank, toy_model):
    bank.scorer.score(GOOD)
    told = GOOD["at"] + 60
    assert bank.scorer.report(900, told) is True
    before = bank.snapshot()
    assert bank.scorer.report(900, told + 5) is False and bank.snapshot() == before
    for scorer in (bank.scorer, bank.start()):
        ruling = scorer.rules.check(read_event(GOOD | {"at": told + 1}, Spec()))
        assert (ruling.action, ruling.reasons) == ("block", ["rule: card 3 was reported in the last 3 days"])
        features = scorer.state.features(GOOD | {"event_id": 901, "at": told + 1})
        assert features["merchant_risk_7d"] == pytest.approx(1.1 / 101)
        assert scorer.report(900, told) is False
    assert bank.snapshot()[:2] == before[:2]


def test_a_report_of_an_event_from_before_the_log_reaches_the_state(bank):
    FeatureState(bank.store).update(GOOD)
    assert bank.scorer.report(900, GOOD["at"] + 60) is True
    features = bank.scorer.state.features(GOOD | {"event_id": 901, "at": GOOD["at"] + 61})
    assert features["merchant_risk_7d"] == pytest.approx(1.1 / 101)
    assert bank.start().report(900, GOOD["at"] + 60) is False
    bank.store.error = ConnectionError("no store")
    with pytest.raises(StateError, match="ConnectionError: no store"):
        bank.scorer.report(901, GOOD["at"] + 60)


@pytest.mark.parametrize(
    ("event_id", "reported_at", "message"),
    [
        (1, 50 * DAY, "event_id must be of an event taken before, got 1; send the event first."),
        (None, 50 * DAY, "event_id must be a whole number from 0 to 2^50, got nothing; send the field."),
        (900, 5, "reported_at must be at or after its event's second 4320000, got 5; mend the time."),
        (900, NOW + 1, f"reported_at must be at most now, second {NOW}, got {NOW + 1}; set the clock that sent it."),
    ],
)
def test_a_bad_report_changes_nothing(bank, event_id, reported_at, message):
    bank.scorer.score(GOOD)
    before = bank.snapshot()
    with pytest.raises(ContractError) as refused:
        bank.scorer.report(event_id, reported_at)
    assert str(refused.value) == message and bank.snapshot() == before


def test_health_tells_the_model_the_state_and_the_counts(bank, toy_model):
    bank.scorer.score(GOOD)
    bank.scorer.score(GOOD)
    bank.scorer.report(900, GOOD["at"])
    assert bank.scorer.health() == {
        "status": "ok",
        "model": {"name": "toy", "version": toy_model.version, "cuts": [0.1, 0.3, 0.9], "failed": ""},
        "state": "ok",
        "log": {"decisions": 1, "reports": 1},
        "counts": {"scored": 1, "repeated": 1, "refused": 0, "fallback": 0, "reports": 1, "left_out": 0},
    }
