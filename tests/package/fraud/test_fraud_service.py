"""The service over its addresses, in process and once as a command."""

import http.client
import json
import re
import socket
import subprocess
import sys

import pytest

from casebook.fraud import serve
from casebook.fraud.scorer import Scorer
from casebook.fraud.service import LARGEST_BODY, LocalClient, create_app
from casebook.fraud.service_log import DecisionLog, read_log
from casebook.fraud.service_rules import RuleBook
from casebook.fraud.state import FeatureState, MemoryStore
from casebook.fraud.world import DAY
from casebook.jobs import guarded

NOW = 200 * DAY
GOOD = {
    **{"event_id": 900, "at": 50 * DAY, "card_id": 3, "merchant_id": 4, "terminal_id": 8, "device_id": -1},
    **{"amount_cents": 1_250, "channel": "terminal", "entry": "chip", "currency": "USD", "country": "US"},
    **{"category": "grocery", "x_km": 10.0, "y_km": 4.0},
}


class Desk:
    """A service in this process: its client, its log's path and its store."""

    def __init__(self, model, path):
        self.path, self.store = path, MemoryStore()
        self.log = DecisionLog(path)
        self.scorer = Scorer(FeatureState(self.store), model, RuleBook(), self.log, lambda: NOW, pause=0.0)
        self.client = LocalClient(create_app(self.scorer))

    def snapshot(self):
        return dict(self.store.values), self.path.read_bytes()

    def close(self):
        self.client.close()
        self.log.close()


@pytest.fixture
def desk(toy_model, tmp_path):
    """Return a started service."""
    made = Desk(toy_model, tmp_path / "log.jsonl")
    yield made
    made.close()


def test_an_event_is_answered_with_all_that_the_architecture_promises(desk, toy_model):
    answer = desk.client.post("/score", json=GOOD | {"amount_cents": 150_000})
    assert answer.status_code == 200
    said = answer.json()
    assert list(said) == ["event_id", "action", "p", "tier", "reasons", "version", "fallback", "latency_ms"]
    assert (said["event_id"], said["action"], said["version"]) == (900, "call", toy_model.version)
    assert said["reasons"][0].startswith("rule: amount of ") and said["reasons"][1].startswith("model: ")
    assert 0 < said["p"] < 1 and said["fallback"] is None and said["latency_ms"] > 0
    assert read_log(desk.path) == [{"kind": "decision", "event": GOOD | {"amount_cents": 150_000}, "answer": said}]


def test_the_same_event_twice_gets_the_same_bytes_and_counts_once(desk):
    first, again = (desk.client.post("/score", json=GOOD) for _ in range(2))
    assert first.content == again.content
    health = desk.client.get("/health").json()
    assert health["log"]["decisions"] == 1 and health["counts"]["repeated"] == 1
    probe = desk.scorer.state.features(GOOD | {"event_id": 901, "at": GOOD["at"] + 1})
    assert probe["card_count"] == 1


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"amount_cents": -5}, "amount_cents", "must be a whole number from 1 to 2^50, got -5"),
        ({"amount_cents": "12"}, "amount_cents", "got '12'"),
        ({"currency": "XXX"}, "currency", "must be one of USD, CAD"),
        ({"at": 50 * DAY - 301}, "at", "must be at most 300 seconds before the card's last event"),
        ({"at": NOW + 1}, "at", "must be at most now"),
        ({"card_id": None}, "card_id", "got nothing; send the field."),
        ({"event_id": 900, "card_id": 4}, "event_id", "which was answered with another card_id"),
        ({"category": "x" * 10_000}, "category", "must be of at most 64 characters"),
    ],
)
def test_a_bad_event_gets_422_with_its_field_and_changes_nothing(desk, change, field, words):
    desk.client.post("/score", json=GOOD)
    before = desk.snapshot()
    bad = {name: value for name, value in (GOOD | {"event_id": 901} | change).items() if value is not None}
    answer = desk.client.post("/score", json=bad)
    assert answer.status_code == 422
    said = answer.json()
    assert list(said) == ["detail", "field"] and said["field"] == field
    assert said["detail"].startswith(f"{field} must be ") and words in said["detail"]
    assert desk.snapshot() == before


@pytest.mark.parametrize(
    "body", [b"", b"no JSON", b"[]", b"7", b"\xff", b'{"at": ' + b"9" * 9_000 + b"}", b"[" * 16_000], ids=range(7)
)
def test_a_body_that_is_no_object_gets_422(desk, body):
    answer = desk.client.post("/score", content=body)
    assert answer.status_code == 422 and answer.json()["field"] == "body"
    assert desk.store.values == {}


@pytest.mark.parametrize("chunked", [False, True], ids=["length given", "in chunks"])
def test_a_body_of_a_megabyte_gets_413_and_is_not_read_to_its_end(desk, chunked):
    desk.client.post("/score", json=GOOD)
    before = desk.snapshot()
    body = json.dumps(GOOD | {"event_id": 901, "padding": "x" * 2**20}).encode()
    taken = []

    async def parts():
        for start in range(0, len(body), 4_096):
            taken.append(start)
            yield body[start : start + 4_096]

    answer = desk.client.post("/score", content=parts() if chunked else body)
    assert answer.status_code == 413
    assert answer.json() == {"detail": "body must be at most 16384 bytes, got more; send one event.", "field": "body"}
    assert desk.snapshot() == before
    assert len(taken) < 10


def test_an_event_fits_many_times_into_the_largest_body():
    assert 20 * len(json.dumps(GOOD)) < LARGEST_BODY


def test_a_report_is_counted_once_and_a_bad_one_gets_422(desk):
    desk.client.post("/score", json=GOOD)
    told = {"event_id": 900, "reported_at": GOOD["at"] + 60}
    answers = [desk.client.post("/report", json=told).json() for _ in range(2)]
    assert answers == [{"event_id": 900, "counted": True}, {"event_id": 900, "counted": False}]
    next_event = GOOD | {"event_id": 901, "at": told["reported_at"]}
    assert desk.client.post("/score", json=next_event).json()["action"] == "block"
    before = desk.snapshot()
    for change in ({"event_id": 7}, {"reported_at": 5}, {"event_id": None}):
        answer = desk.client.post("/report", json=told | {"event_id": 901} | change)
        assert (answer.status_code, answer.json()["field"]) == (422, next(iter(change)))
    assert desk.snapshot() == before


def test_a_state_that_fails_is_said_in_the_answer_and_in_the_health(desk):
    def broken(keys):
        raise ConnectionError("no store")

    desk.store.get = broken
    said = desk.client.post("/score", json=GOOD | {"amount_cents": 150_000}).json()
    assert (said["action"], said["fallback"]) == ("call", "state: ConnectionError: no store")
    health = desk.client.get("/health").json()
    assert (health["status"], health["state"]) == ("rules only", "ConnectionError: no store")
    answer = desk.client.post("/report", json={"event_id": 7, "reported_at": 0})
    assert answer.status_code == 503 and "ConnectionError: no store" in answer.json()["detail"]
    del desk.store.get
    assert desk.client.get("/health").json()["status"] == "ok"


def test_a_log_that_cannot_be_written_gets_503_and_no_answer(desk, monkeypatch):
    monkeypatch.setattr(desk.log, "append", lambda line: (_ for _ in ()).throw(OSError("disk full")))
    answer = desk.client.post("/score", json=GOOD)
    assert answer.status_code == 503
    detail = "the log and the state must take this, got OSError: disk full; send it again later."
    assert answer.json() == {"detail": detail, "field": ""}
    assert desk.store.values == {}


def test_other_addresses_and_methods_are_unknown(desk):
    assert desk.client.get("/score").status_code == 405
    assert desk.client.get("/").status_code == 404


def refusal(capsys, *words):
    """Return what the command says as it refuses."""
    assert guarded(serve.main, list(words)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err.strip()


def test_the_command_refuses_in_one_sentence_with_status_2(toy_model, tmp_path, capsys):
    model, log = str(tmp_path / "model"), str(tmp_path / "log.jsonl")
    assert re.fullmatch(r"--model must be a folder with a manifest.json, got .*; write it with ServedModel.save.",
                        refusal(capsys, "--model", model, "--log", log))  # fmt: skip
    toy_model.save(model)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refusal(capsys, "--model", model, "--log", log, "--port", port)
        assert said.startswith(f"--port must be free, got {port} (") and said.endswith("or take another.")
    said = refusal(capsys, "--model", model, "--log", log, "--port", "99999")
    assert said == "--port must be from 0 to 65535, got 99999; take 8000, say."
    said = refusal(capsys, "--model", model, "--log", log, "--port", "0", "--redis", "redis://me:secret@127.0.0.1:1")
    assert said.startswith("--redis must be the address of a Redis server that answers, got 'redis://...@127.0.0.1:1'")
    assert "secret" not in said
    with DecisionLog(log):
        said = refusal(capsys, "--model", model, "--log", log, "--port", "0")
        assert said.startswith("the log 'log.jsonl' must be written by one process")
    with pytest.raises(SystemExit) as left:
        guarded(serve.main, ["--port", "8000"])
    assert left.value.code == 2


def test_one_command_starts_it_and_a_restart_knows_what_was_answered(toy_model, tmp_path):
    toy_model.save(tmp_path / "model")
    command = [sys.executable, "-m", "casebook.fraud.serve", "--model", str(tmp_path / "model")]
    command += ["--log", str(tmp_path / "log.jsonl"), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as service:
        try:
            address = re.fullmatch(r"Answering at http://(127\.0\.0\.1):(\d+)\n", service.stderr.readline())
            line = http.client.HTTPConnection(address[1], int(address[2]), timeout=30)
            answers = []
            for _ in range(2):
                line.request("POST", "/score", json.dumps(GOOD))
                answers.append(json.loads(line.getresponse().read()))
            line.request("GET", "/health")
            health = json.loads(line.getresponse().read())
            line.close()
        finally:
            service.terminate()
            service.communicate(timeout=30)
    assert answers[0] == answers[1] == read_log(tmp_path / "log.jsonl")[0]["answer"]
    assert health["status"] == "ok" and health["log"]["decisions"] == 1
    desk = Desk(toy_model, tmp_path / "log.jsonl")
    assert desk.client.post("/score", json=GOOD).json() == answers[0]
    desk.close()
