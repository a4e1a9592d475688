"""What the service does when its model, its state, its log or its process fails."""

from dataclasses import asdict

import numpy as np
import pytest

from casebook.fraud.scorer import Decision
from casebook.fraud.service_log import read_log
from casebook.fraud.state import FeatureState, MemoryStore
from casebook.fraud.state_records import LATENESS

GOOD = {
    **{"event_id": 900, "at": 50 * 86_400, "card_id": 3, "merchant_id": 4, "terminal_id": 8, "device_id": -1},
    **{"amount_cents": 1_250, "channel": "terminal", "entry": "chip", "currency": "USD", "country": "US"},
    **{"category": "grocery", "x_km": 10.0, "y_km": 4.0},
}
CAPPED = GOOD | {"amount_cents": 150_000}


class Kill(BaseException):
    """The process dies here."""


def without_latency(decision):
    return {name: value for name, value in asdict(decision).items() if name != "latency_ms"}


def plain_state(rows):
    """Return the values of a store whose state took events one after another, without a service."""
    state = FeatureState(MemoryStore())
    for row in rows:
        state.update(row)
    return state.store.values


def test_when_the_model_fails_the_rules_decide_and_the_answer_says_so(bank):
    bank.model.error = ValueError("no\nmodel today")
    answers = [bank.scorer.score(row) for row in (GOOD, CAPPED | {"event_id": 901, "at": GOOD["at"] + 1})]
    assert [answer.action for answer in answers] == ["allow", "call"]
    assert [answer.fallback for answer in answers] == ["model: ValueError: no model today"] * 2
    assert [(answer.p, answer.tier) for answer in answers] == [(None, None)] * 2
    assert answers[1].reasons == ["rule: amount of 1500.00 dollars, cap 1500.00"]
    health = bank.scorer.health()
    assert health["status"] == "rules only" and health["model"]["failed"] == "ValueError: no model today"
    bank.model.error = None
    assert bank.scorer.score(GOOD | {"event_id": 902, "at": GOOD["at"] + 2}).fallback is None
    assert bank.scorer.health()["status"] == "ok"
    assert bank.scorer.score(GOOD) == answers[0]  # the fallback's answer stands
    assert bank.store.values == plain_state([line["event"] for line in read_log(bank.path)])


@pytest.mark.parametrize("fails", [("get", "put"), ("put",), ("get",)], ids="-".join)
@pytest.mark.parametrize("error", [ConnectionError("no store"), RuntimeError("a bug")], ids=["away", "bug"])
def test_when_the_state_fails_the_rules_decide_and_afterwards_nothing_is_missing(bank, toy_model, rows, error, fails):
    bank.store.fails = fails
    answers = [bank.scorer.score(row) for row in rows[:50]]
    bank.store.error = error
    during = [bank.scorer.score(row) for row in rows[50:80]]
    health = bank.scorer.health()
    bank.store.error = None
    answers += during + [bank.scorer.score(row) for row in rows[80:]]
    # Where only writing fails, the first answer still has its features; the state has been behind from then on.
    said = f"state: {type(error).__name__}: {error}"
    assert [answer.fallback for answer in during[1:]] == [said] * 29
    assert during[0].fallback == (None if fails == ("put",) else said)
    assert health["status"] == "rules only" and health["state"] == said.removeprefix("state: ")
    assert all(answer.fallback is None for answer in answers[80:])
    never = FeatureState(MemoryStore())
    for row, answer in zip(rows, answers, strict=True):
        if answer.fallback is None:
            assert answer.p == toy_model.p(never.features(row))
        never.update(row)
    assert bank.store.values == never.store.values
    assert bank.scorer.health()["status"] == "ok" and bank.scorer.health()["counts"]["left_out"] == 0


def test_a_state_that_failed_is_left_in_peace_for_a_while(bank, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("casebook.fraud.service_state.time.monotonic", lambda: clock[0])
    bank.start(pause=5.0)
    bank.store.error = TimeoutError("slow")
    bank.scorer.score(GOOD)
    trips = bank.store.trips
    clock[0] += 4.9
    bank.store.error = None
    assert bank.scorer.score(GOOD | {"event_id": 901}).fallback == "state: TimeoutError: slow"
    assert bank.store.trips == trips
    clock[0] += 0.2
    assert bank.scorer.score(GOOD | {"event_id": 902}).fallback is None
    assert bank.scorer.health()["status"] == "ok"


def test_after_a_long_outage_the_state_catches_up_in_parts(bank, rows, monkeypatch):
    monkeypatch.setattr("casebook.fraud.service_state.FollowingState.follow.__defaults__", (10,))
    bank.store.error = ConnectionError("no store")
    for row in rows[:35]:
        bank.scorer.score(row)
    bank.store.error = None
    fallbacks = [bank.scorer.score(row).fallback for row in rows[35:41]]
    behind = "state: it has yet to take what was answered while it was down"
    assert fallbacks == [behind] * 3 + [None] * 3
    assert bank.store.values == plain_state(rows[:41])


def test_a_failure_while_it_catches_up_leaves_no_gap(bank, rows):
    bank.store.error = ConnectionError("no store")
    for row in rows[:20]:
        bank.scorer.score(row)
    bank.store.error, puts, real = None, [], bank.store.put

    def fails_once(values):
        puts.append(values)
        if len(puts) == 6:
            raise ConnectionError("again")
        real(values)

    bank.store.put = fails_once
    assert bank.scorer.score(rows[20]).fallback == "state: ConnectionError: again"
    assert bank.scorer.score(rows[21]).fallback is None
    assert bank.store.values == plain_state(rows[:22])


def test_an_event_that_came_too_late_during_an_outage_is_answered_and_left_out_of_the_state(bank):
    bank.scorer.score(GOOD)
    bank.store.error = ConnectionError("no store")
    too_late = GOOD | {"event_id": 901, "at": GOOD["at"] - LATENESS - 1}
    assert bank.scorer.score(too_late).fallback == "state: ConnectionError: no store"
    bank.store.error = None
    assert bank.scorer.score(GOOD | {"event_id": 902}).fallback is None
    assert bank.scorer.health()["counts"]["left_out"] == 1
    assert "event:901" not in bank.store.values
    assert bank.scorer.score(too_late).action == "allow"  # its answer stands


def test_a_log_that_cannot_be_written_gives_no_answer_and_changes_nothing(bank, monkeypatch):
    bank.scorer.score(GOOD)
    before = bank.snapshot()
    monkeypatch.setattr(bank.log, "append", lambda line: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        bank.scorer.score(GOOD | {"event_id": 901})
    assert bank.snapshot() == before
    monkeypatch.undo()
    assert bank.scorer.score(GOOD | {"event_id": 901}).fallback is None


def test_killed_between_log_and_state_the_answer_stands_and_the_state_takes_the_event_at_the_next_start(bank, rows):
    for row in rows[:60]:
        bank.scorer.score(row)
    bank.store.error, bank.store.fails = Kill(), ("put",)
    with pytest.raises(Kill):
        bank.scorer.score(rows[60])
    bank.store.error = None
    assert len(read_log(bank.path)) == 61 and bank.store.values == plain_state(rows[:60])
    scorer = bank.start()
    assert bank.store.values == plain_state(rows[:61])
    size = bank.path.stat().st_size
    assert scorer.score(rows[60]) == Decision(**read_log(bank.path)[60]["answer"])
    assert bank.path.stat().st_size == size and bank.store.values == plain_state(rows[:61])


def test_killed_in_the_middle_of_a_line_the_event_was_never_answered(bank, rows):
    answers = [bank.scorer.score(row) for row in rows[:61]]
    raw = bank.path.read_bytes()
    bank.log.close()
    bank.path.write_bytes(raw[:-20])
    bank.store.values = dict(plain_state(rows[:60]))
    again = bank.start().score(rows[60])
    assert without_latency(again) == without_latency(answers[60])
    assert len(read_log(bank.path)) == 61 and bank.store.values == plain_state(rows[:61])


@pytest.mark.parametrize("lost", [False, True], ids=["store lasts", "store is lost"])
def test_killed_anywhere_and_sent_again_every_event_counts_once(new_bank, rows, lost):
    rows, bank, quiet = rows[:60], new_bank(), new_bank()
    rng = np.random.default_rng(5)
    answers, kills = [], 0
    bank.start()
    for row in rows:
        bank.store.fails = ("get",) if rng.random() < 0.5 else ("put",)
        bank.store.error = Kill() if rng.random() < 0.4 else None
        try:
            answers.append(bank.scorer.score(row))
        except Kill:
            kills += 1
            bank.store.error = None
            if lost:
                bank.store = type(bank.store)()
            answers.append(bank.start().score(row))
    bank.store.error = None
    scorer = quiet.start()
    wanted = [scorer.score(row) for row in rows]
    assert kills > 10
    assert [without_latency(answer) for answer in answers] == [without_latency(answer) for answer in wanted]
    assert [line["event"] for line in read_log(bank.path)] == [line["event"] for line in read_log(quiet.path)]
    assert bank.store.values == quiet.store.values
    assert vars(bank.start().rules)["_card_times"] == vars(quiet.scorer.rules)["_card_times"]


def test_reports_during_an_outage_are_taken_up_afterwards(bank):
    bank.scorer.score(GOOD)
    bank.store.error = ConnectionError("no store")
    assert bank.scorer.report(900, GOOD["at"] + 60) is True
    assert bank.scorer.score(GOOD | {"event_id": 901, "at": GOOD["at"] + 61}).action == "block"
    bank.store.error = None
    assert bank.scorer.health()["status"] == "ok"
    direct = FeatureState(MemoryStore())
    direct.update(GOOD)
    direct.report(900, GOOD["at"] + 60)
    direct.update(GOOD | {"event_id": 901, "at": GOOD["at"] + 61})
    assert bank.store.values == direct.store.values
