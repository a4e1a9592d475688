"""The state in a real Redis server: the same bytes and features as in memory, and what an outage looks like."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import redis

from casebook.contracts import ContractError
from casebook.fraud.redis_store import RedisStore
from casebook.fraud.scorer import Scorer
from casebook.fraud.service_log import DecisionLog
from casebook.fraud.service_rules import RuleBook
from casebook.fraud.state import FeatureState, MemoryStore, replay

SERVER = shutil.which("redis-server")
pytestmark = pytest.mark.skipif(SERVER is None, reason="redis-server must be installed; apt-get install redis-server")


class Server:
    """A server at a socket of its own, which keeps nothing on the disk."""

    def __init__(self, folder):
        self.path = Path(folder) / "redis.sock"
        self.url = f"unix://{self.path}"
        self.start()

    def start(self):
        words = ["--port", "0", "--unixsocket", str(self.path), "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen([SERVER, *words], stdout=subprocess.DEVNULL, cwd=self.path.parent)
        self.client = redis.Redis(unix_socket_path=str(self.path))
        for _ in range(200):
            try:
                self.client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.05)
        raise AssertionError("redis-server must answer within ten seconds, got none; run it by hand")

    def stop(self):
        self.client.close()
        self.process.terminate()
        self.process.wait(timeout=30)

    def content(self, prefix):
        keys = self.client.keys(f"{prefix}*")
        values = self.client.mget(keys)
        return {key.decode().removeprefix(prefix): value for key, value in zip(keys, values, strict=True)}

    def calls(self, kind):
        return self.client.info("commandstats").get(f"cmdstat_{kind}", {"calls": 0})["calls"]


@pytest.fixture(scope="module")
def server():
    """Return a running server; its socket's path must be short."""
    with tempfile.TemporaryDirectory(prefix="rds") as folder:
        made = Server(folder)
        yield made
        made.stop()


@pytest.fixture
def store(server, request):
    """Return a store with a prefix of its own."""
    made = RedisStore(server.url, prefix=f"{request.node.name}:")
    yield made
    made.close()


@pytest.mark.slow
def test_twenty_thousand_events_give_what_they_give_in_memory(server, store, logs):
    events, reports = logs(np.random.default_rng(31), 20_000, days=60.0, cards=400, merchants=250, repeat=0.02)
    since = int(events["at"].quantile(0.75))  # both take all of them; the features of a quarter are compared
    memory = MemoryStore()
    wanted = replay(FeatureState(memory), events, reports, since)
    got = replay(FeatureState(store), events, reports, since)
    pd.testing.assert_frame_equal(got, wanted, check_exact=True)
    assert len(got) > 4_500
    assert server.content(store.prefix) == memory.values


def test_a_thousand_events_give_what_they_give_in_memory(server, store, logs):
    events, reports = logs(np.random.default_rng(30), 1_000)
    memory = MemoryStore()
    wanted = replay(FeatureState(memory), events, reports)
    pd.testing.assert_frame_equal(replay(FeatureState(store), events, reports), wanted, check_exact=True)
    assert server.content(store.prefix) == memory.values


def test_a_state_goes_on_where_another_process_left_it(server, store, logs):
    events, reports = logs(np.random.default_rng(32), 600)
    half = int(events["at"].iloc[300])
    early, late = events[events["at"] < half], events[events["at"] >= half]
    wanted = replay(FeatureState(MemoryStore()), events, reports.iloc[:0], half)
    replay(FeatureState(store), early, reports.iloc[:0])
    again = RedisStore(server.url, prefix=store.prefix)
    pd.testing.assert_frame_equal(replay(FeatureState(again), late, reports.iloc[:0]), wanted, check_exact=True)
    again.close()


def test_get_and_put_are_one_trip_each_and_keep_to_their_prefix(server, store):
    server.client.set("somebody", b"else's")
    before = {kind: server.calls(kind) for kind in ("mget", "mset")}
    store.put({"a": b"1", "b": b"\x00\xff"})
    assert store.get(["b", "absent", "a"]) == [b"\x00\xff", None, b"1"]
    assert store.get([]) == [] and store.put({}) is None
    calls = {kind: server.calls(kind) - before[kind] for kind in before}
    assert calls == {"mget": 1, "mset": 1}
    assert server.content(store.prefix) == {"a": b"1", "b": b"\x00\xff"}
    assert server.client.get("somebody") == b"else's"


def test_put_is_all_or_nothing(server, store):
    store.put({"a": b"old", "b": b"old"})
    server.client.config_set("maxmemory", "1")
    try:
        with pytest.raises(ConnectionError, match="Redis failed"):
            store.put({"a": b"new", "b": b"new", "c": b"new"})
    finally:
        server.client.config_set("maxmemory", "0")
    assert server.content(store.prefix) == {"a": b"old", "b": b"old"}


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "unix:///no/such/socket", "http://127.0.0.1", "nonsense"])
def test_a_server_that_cannot_be_reached_is_refused_in_one_sentence(url):
    with pytest.raises(ContractError) as refused:
        RedisStore(url)
    said = str(refused.value)
    assert said.startswith(f"--redis must be the address of a Redis server that answers, got '{url}' (")
    assert said.endswith("; start redis-server or mend the address.") and "\n" not in said


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("casebook.fraud.redis_store.redis", None)
    with pytest.raises(ContractError) as refused:
        RedisStore("redis://127.0.0.1:6379/0")
    mend = "run pip install 'business-ml-casebook[redis]'"
    assert str(refused.value) == f"the library redis must be installed, got none; {mend}."


def test_a_server_that_hangs_is_given_up(server):
    slow = RedisStore(server.url, prefix="slow:", timeout=0.1)
    server.client.execute_command("CLIENT", "PAUSE", "1000", "ALL")
    began = time.monotonic()
    with pytest.raises(TimeoutError, match="Redis did not answer in time"):
        slow.get(["a"])
    assert time.monotonic() - began < 0.8
    server.client.execute_command("CLIENT", "UNPAUSE")
    assert slow.get(["a"]) == [None]
    slow.close()


def test_the_service_outlives_its_redis_and_a_restart_fills_an_empty_one(toy_model, logs, tmp_path):
    events, _ = logs(np.random.default_rng(33), 90, days=2.0)
    rows = events.to_dict("records")
    memory = FeatureState(MemoryStore())
    for row in rows:
        memory.update(row)
    with tempfile.TemporaryDirectory(prefix="rds") as folder, DecisionLog(tmp_path / "log.jsonl") as log:
        server = Server(folder)
        store = RedisStore(server.url)
        scorer = Scorer(FeatureState(store), toy_model, RuleBook(), log, lambda: 10**9, pause=0.0)
        first = [scorer.score(row).fallback for row in rows[:30]]
        server.stop()
        during = [scorer.score(row).fallback for row in rows[30:60]]
        server.start()  # and it has lost all it held
        scorer = Scorer(FeatureState(store), toy_model, RuleBook(), log, lambda: 10**9, pause=0.0)
        after = [scorer.score(row).fallback for row in rows[60:]]
        assert server.content(store.prefix) == memory.store.values
        store.close()
        server.stop()
    assert first == [None] * 30 and after == [None] * 30
    assert all(said.startswith("state: ConnectionError: Redis failed (") for said in during)
