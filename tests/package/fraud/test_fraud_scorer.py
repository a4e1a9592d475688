"""One answer an event: what it is made of, what is refused, what fails, and what a crash leaves."""

import copy
from dataclasses import asdict

import numpy as np
import pytest

from casebook.contracts import ContractError
from casebook.fraud.feature_event import read_event
from casebook.fraud.feature_spec import DAY, Spec
from casebook.fraud.features import build
from casebook.fraud.rules import Rules
from casebook.fraud.scorer import Decision, Scorer
from casebook.fraud.service_log import DecisionLog, read_log
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


class Kill(BaseException):
    """The process dies here."""


class FailingStore(MemoryStore):
    """A store that raises what it is told to, before its next calls."""

    def __init__(self):
        super().__init__()
        self.error, self.fails, self.trips = None, ("get", "put"), 0

    def _trip(self, kind):
        self.trips += 1
        if self.error is not None and kind in self.fails:
            raise self.error

    def get(self, keys):
        self._trip("get")
        return super().get(keys)

    def put(self, values):
        self._trip("put")
        super().put(values)


class FailingModel:
    """A model that raises while it is told to, and else asks the one it was made of."""

    def __init__(self, model):
        self.model, self.error = model, None

    def __getattr__(self, name):
        return getattr(self.model, name)

    def p(self, features):
        if self.error is not None:
            raise self.error
        return self.model.p(features)


class Bank:
    """Scorers on one log and one store, begun anew as often as asked."""

    def __init__(self, model, path):
        self.model, self.path, self.store = FailingModel(model), path, FailingStore()
        self.log = self.scorer = None
        self.now = NOW

    def start(self, **settings):
        if self.log is not None:
            self.log.close()
        self.log = DecisionLog(self.path)
        state, rules = FeatureState(self.store), RuleBook(Rules(card_days=3))
        settings = {"pause": 0.0} | settings
        self.scorer = Scorer(state, self.model, rules, self.log, lambda: self.now, **settings)
        return self.scorer

    def snapshot(self):
        """Return all that a refusal must leave as it is."""
        memory = {name: value for name, value in vars(self.scorer.rules).items() if name.startswith("_")}
        return dict(self.store.values), self.path.read_bytes(), copy.deepcopy(memory)


@pytest.fixture
def bank(toy_model, tmp_path):
    """Return a bank with a started scorer."""
    made = Bank(toy_model, tmp_path / "log.jsonl")
    made.start()
    yield made
    made.log.close()


@pytest.fixture(scope="module")
def events(logs):
    """Return 400 events of few cards, in order, as requests."""
    table, _ = logs(np.random.default_rng(21), 400, days=3.0, cards=12, merchants=60)
    return table.to_dict("records"), table


def without_latency(decision):
    return {name: value for name, value in asdict(decision).items() if name != "latency_ms"}


def plain_state(rows):
    """Return the values of a store whose state took events one after another, without a service."""
    state = FeatureState(MemoryStore())
    for row in rows:
        state.update(row)
    return state.store.values


def test_an_answer_is_the_stronger_of_the_rules_and_the_models_tier(bank, toy_model, events, logs):
    rows, table = events
    answers = [bank.scorer.score(row) for row in rows]
    _, reports = logs(np.random.default_rng(21), 400)
    p = toy_model.predict(build(table, reports.iloc[:0]))
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


def test_the_same_event_again_gets_the_same_answer_and_counts_once(bank, events):
    rows, _ = events
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
def test_when_the_state_fails_the_rules_decide_and_afterwards_nothing_is_missing(bank, toy_model, events, error, fails):
    rows, _ = events
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


def test_after_a_long_outage_the_state_catches_up_in_parts(bank, events, monkeypatch):
    rows, _ = events
    monkeypatch.setattr("casebook.fraud.service_state.FollowingState.follow.__defaults__", (10,))
    bank.store.error = ConnectionError("no store")
    for row in rows[:35]:
        bank.scorer.score(row)
    bank.store.error = None
    fallbacks = [bank.scorer.score(row).fallback for row in rows[35:41]]
    behind = "state: it has yet to take what was answered while it was down"
    assert fallbacks == [behind] * 3 + [None] * 3
    assert bank.store.values == plain_state(rows[:41])


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


def test_killed_between_log_and_state_the_answer_stands_and_the_state_takes_the_event_at_the_next_start(bank, events):
    rows, _ = events
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


def test_killed_in_the_middle_of_a_line_the_event_was_never_answered(bank, events):
    rows, _ = events
    answers = [bank.scorer.score(row) for row in rows[:61]]
    raw = bank.path.read_bytes()
    bank.log.close()
    bank.path.write_bytes(raw[:-20])
    bank.store.values = dict(plain_state(rows[:60]))
    again = bank.start().score(rows[60])
    assert without_latency(again) == without_latency(answers[60])
    assert len(read_log(bank.path)) == 61 and bank.store.values == plain_state(rows[:61])


@pytest.mark.parametrize("lost", [False, True], ids=["store lasts", "store is lost"])
def test_killed_anywhere_and_sent_again_every_event_counts_once(toy_model, tmp_path, events, lost):
    rows, bank = events[0][:60], Bank(toy_model, tmp_path / "log.jsonl")
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
                bank.store = FailingStore()
            answers.append(bank.start().score(row))
    bank.store.error = None
    quiet = Bank(toy_model, tmp_path / "quiet.jsonl")
    wanted = [quiet.start().score(row) if not place else quiet.scorer.score(row) for place, row in enumerate(rows)]
    assert kills > 10
    assert [without_latency(answer) for answer in answers] == [without_latency(answer) for answer in wanted]
    assert [line["event"] for line in read_log(bank.path)] == [line["event"] for line in read_log(quiet.path)]
    assert bank.store.values == quiet.store.values
    assert vars(bank.start().rules)["_card_times"] == vars(quiet.scorer.rules)["_card_times"]
    bank.log.close()
    quiet.log.close()


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
