"""What chapter 5's bank costs: its world, the replay of its log, and the service that answers its events."""

from __future__ import annotations

import http.client
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
import psutil

from casebook.fraud.feature_spec import EVENT_COLUMNS
from casebook.fraud.features import build
from casebook.fraud.rules import Rules
from casebook.fraud.scorer import Scorer
from casebook.fraud.served_model import ServedModel
from casebook.fraud.service_log import DecisionLog
from casebook.fraud.service_rules import RuleBook
from casebook.fraud.simulate import Run, simulate
from casebook.fraud.state import FeatureState, MemoryStore
from casebook.fraud.world import CARDS, DAY, DAYS, World
from tools.paths import ROOT

HANDBOOK = 1_754_155 / 70  # transactions a second that the Fraud Detection Handbook's notebook prints, on its machine
REPLAYED, SCORED, ASKED = 100_000, 20_000, 5_000
SERVED_SHARE = 8  # the service sees one card in so many, and so more days of each
TREES = 150
FRICTION = (0.99, 0.998, 0.9995)  # shares of events below the cuts
LAST_CUT = 0.999
WARM_UP = 0.1  # share of the requests that come before the clock starts
EVENTS_A_DAY = 50_000_000  # of the source's bank
PEAK, BUSY = 2.5, 0.6  # busiest hour over the mean one; of a core's time at that peak, lest queues grow

Measured = tuple[str, float, str, float | None, float | None]  # name, value, unit, low, high
Event = dict[str, Any]


def measured(
    cards: int = CARDS,
    days: int = DAYS,
    replayed: int = REPLAYED,
    scored: int = SCORED,
    asked: int = ASKED,
    repeats: int = 3,
) -> list[Measured]:
    """Measure generator, replay and service, one after the other."""
    rows, run = generator(cards, days, repeats)
    events = run.tables["events"]
    few = requests(events[events["card_id"] < max(cards // SERVED_SHARE, 50)].head(scored + asked))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        fitted(run, replayed).save(folder / "model")
        return [
            *rows,
            replay(requests(events.head(replayed))),
            in_process(few[:scored], folder),
            *over_loopback(few[scored:], folder),
        ]


def generator(cards: int, days: int, repeats: int) -> tuple[list[Measured], Run]:
    """Return events a second of a world whose fraudsters learn and whose bank answers by rules, one day a step."""
    speeds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run = simulate(World(), cards, days, np.random.default_rng(0), Rules())
        speeds.append(len(run.tables["events"]) / (time.perf_counter() - start))
    middle = float(np.median(speeds))
    name = f"simulate under rules, {cards:,} cards x {days} days"
    published = f"the same over the {HANDBOOK:,.0f} events/s that the handbook's generator prints"
    return [
        (name, middle, "events/s", min(speeds), max(speeds)),
        (published, middle / HANDBOOK, "times", None, None),
    ], run


def requests(events: pd.DataFrame) -> list[Event]:
    """Return events as a service gets them: no field where nothing is seen."""
    columns = [events[name].astype(object).where(events[name].notna(), None).tolist() for name in EVENT_COLUMNS]
    rows = (zip(EVENT_COLUMNS, row, strict=True) for row in zip(*columns, strict=True))
    return [{name: value for name, value in row if value is not None} for row in rows]


def replay(events: Sequence[Event]) -> Measured:
    """Return events a second that one core scores for features and takes into the state."""
    state = FeatureState(MemoryStore())
    start = time.perf_counter()
    for event in events:
        state.features(event)
        state.update(event)
    speed = len(events) / (time.perf_counter() - start)
    return f"FeatureState: features and update, {len(events):,} events", speed, "events/s", None, None


def fitted(run: Run, rows: int) -> ServedModel:
    """Return a model of the chapter's size, with cuts that stop about one event in a hundred."""
    events = run.tables["events"].head(rows)
    X = build(events, run.tables["reports"])
    y = run.truth.events["fraud"].to_numpy()[:rows]
    settings = {"objective": "binary", "num_threads": 1, "verbosity": -1}
    settings |= {"num_leaves": 7, "learning_rate": 0.05, "lambda_l2": 5.0}  # as many as a few hundred frauds carry
    booster = lgb.train(settings, lgb.Dataset(X, y.astype(int), params={"verbosity": -1}), TREES)
    p = np.asarray(booster.predict(X, num_threads=1))
    return ServedModel.of(booster, "bench", cuts=np.minimum(np.quantile(p, FRICTION), LAST_CUT).tolist())


def in_process(events: Sequence[Event], folder: Path) -> Measured:
    """Return the median milliseconds of one answer without the web part; its log is what the service begins with."""
    seconds = []
    with DecisionLog(folder / "log.jsonl") as log:
        model, now = ServedModel.load(folder / "model"), events[-1]["at"] + DAY
        scorer = Scorer(FeatureState(MemoryStore()), model, RuleBook(), log, lambda: now)
        for event in events:
            start = time.perf_counter()
            scorer.score(event)
            seconds.append(time.perf_counter() - start)
    name = f"Scorer.score in process, {len(events):,} events, p50"
    return name, 1e3 * float(np.median(seconds)), "ms", None, None


def over_loopback(events: Sequence[Event], folder: Path) -> list[Measured]:
    """Return the latency of the service behind uvicorn, what a core answers, and the cores that the bank needs.

    One client asks one event after another. A core's events a second are events over the CPU seconds of the server's
    process, so that neither the client nor other work on the machine counts. The records of a merchant grow with its
    traffic: a bank's largest ones cost more than the bench's.
    """
    first = int(WARM_UP * len(events))
    seconds = []
    with service(folder) as (process, line):
        for number, event in enumerate(events):
            if number == first:
                before = cpu(process)
            start = time.perf_counter()
            answer(line, event)
            seconds.append(time.perf_counter() - start)
        used = (cpu(process) - before) / (len(events) - first)
    p50, p99 = (1e3 * float(value) for value in np.quantile(seconds[first:], [0.5, 0.99]))
    size = f"{len(events) - first:,} events"
    need = f"cores for {EVENTS_A_DAY / 1e6:.0f}M events a day at {PEAK:g} times the mean, {BUSY:.0%} busy"
    return [
        (f"POST /score over loopback, {size}, p50", p50, "ms", None, None),
        (f"POST /score over loopback, {size}, p99", p99, "ms", None, None),
        ("the same, by the server's CPU time", 1 / used, "events/s a core", None, None),
        (need, cores(1 / used), "cores", None, None),
    ]


def cores(per_core: float) -> int:
    """Return the cores that the bank needs if one core at work answers so many events a second.

    Examples
    --------
    >>> cores(500.0)
    5
    """
    return math.ceil(EVENTS_A_DAY / DAY * PEAK / (per_core * BUSY))


@contextmanager
def service(folder: Path) -> Iterator[tuple[psutil.Process, http.client.HTTPConnection]]:
    """Start the service on a free port and yield its process and a connection; stop it at the end."""
    command = [sys.executable, "-m", "casebook.fraud.serve", "--port", "0"]
    command += ["--model", str(folder / "model"), "--log", str(folder / "log.jsonl")]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as child:
        try:
            said = child.stderr.readline() if child.stderr is not None else ""
            if not said.startswith("Answering at "):
                raise RuntimeError(f"the service must start, got {said!r}; run {' '.join(command[1:])}.")
            host, _, port = said.strip().rpartition("/")[2].rpartition(":")
            line = http.client.HTTPConnection(host, int(port), timeout=60)
            yield psutil.Process(child.pid), line
            line.close()
        finally:
            child.terminate()
            child.communicate()


def answer(line: http.client.HTTPConnection, event: Event) -> Event:
    """Return the service's answer; a refusal stops the bench."""
    line.request("POST", "/score", json.dumps(event))
    response = line.getresponse()
    said = json.loads(response.read())
    if response.status != 200 or said["fallback"] is not None:
        raise RuntimeError(f"the service must answer by its model, got {said}; mend it.")
    return said


def cpu(process: psutil.Process) -> float:
    """Return the CPU seconds that a process has used."""
    times = process.cpu_times()
    return times.user + times.system
