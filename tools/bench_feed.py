"""What chapter 8's feed costs: its world, and many metrics of many users out of one Parquet file."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from casebook.experiments import Metric, absolute_effect, parquet_moments
from casebook.feed.simulate import simulate, simulate_in_chunks
from casebook.feed.world import World
from tools.paths import ROOT

USERS, METRICS = 1_000_000, 20
FULL_USERS, FULL_METRICS = 10_000_000, 100  # some 3 GB on disk
WORLD_SHARE = 0.1  # of USERS: 100,000
CHUNK = 500_000
ARMS, SHARES = ("control", "new", "rest"), (0.05, 0.05, 0.9)
BEFORE = ("before_0", "before_1")
MOST_COUNTED = 255  # what a byte holds; a larger count is cut to it
WAIT = 0.02  # seconds between two looks at a process's memory
MEGABYTE = 2**20
PEER = "bench_feed_peer.py"

Task = Callable[[], object]
Measured = tuple[str, float, str]  # name, value, unit


def tasks(users: int, metrics: int) -> Iterator[tuple[str, Task]]:
    """Yield what is timed, each with its name; what a task needs is made before its clock starts."""
    few = max(int(WORLD_SHARE * users), 100)
    size = f"{metrics} metrics x {users:,} users"
    yield f"simulate a feed, {few:,} users", lambda: simulate(World(), few, np.random.default_rng(0))
    with tempfile.TemporaryDirectory() as place:
        path = write(Path(place) / "users.parquet", users, metrics)
        plain, adjusted = wanted(metrics, ()), wanted(metrics, BEFORE)
        sums = parquet_moments(path, adjusted, "arm")
        yield f"parquet_moments, {size}", lambda: parquet_moments(path, plain, "arm")
        yield f"the same with two covariates, {size}", lambda: parquet_moments(path, adjusted, "arm")
        yield (
            f"absolute_effect from sums, {metrics} metrics",
            lambda: [absolute_effect(arms["new"], arms["control"]) for arms in sums.values()],
        )


def wanted(metrics: int, before: tuple[str, ...]) -> list[str | Metric]:
    """Return the metrics, each adjusted for the columns from before."""
    return [Metric(f"metric_{i}", before=before) for i in range(metrics)]


def write(path: Path, users: int, metrics: int) -> Path:
    """Write one row a user, in chunks, in compact types: every second metric a count in a byte, the others float32.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as place:
    ...     table = pq.read_table(write(Path(place) / "users.parquet", 1_000, 3))
    >>> table.num_rows, table.column_names
    (1000, ['arm', 'before_0', 'before_1', 'metric_0', 'metric_1', 'metric_2'])
    """
    rng = np.random.default_rng(0)
    first = _rows(min(CHUNK, users), metrics, rng)
    with pq.ParquetWriter(path, first.schema) as file:
        file.write_table(first)
        for start in range(CHUNK, users, CHUNK):
            file.write_table(_rows(min(CHUNK, users - start), metrics, rng))
    return path


def _rows(n: int, metrics: int, rng: np.random.Generator) -> pa.Table:
    """Return users whose metrics and measures from before all rise with one heavy-tailed activity."""
    activity = rng.lognormal(size=n).astype(np.float32)

    def amount() -> np.ndarray:
        return activity * rng.standard_exponential(n, dtype=np.float32)

    def count() -> np.ndarray:
        return np.minimum(rng.poisson(activity), MOST_COUNTED).astype(np.uint8)

    arm = pa.DictionaryArray.from_arrays(rng.choice(len(ARMS), n, p=SHARES).astype(np.int8), list(ARMS))
    columns = {name: amount() for name in BEFORE}
    columns |= {f"metric_{i}": count() if i % 2 else amount() for i in range(metrics)}
    return pa.table({"arm": arm, **columns})


def full(users: int = FULL_USERS, metrics: int = FULL_METRICS, peer: str | None = None) -> list[Measured]:
    """Measure the large file, each reading in a fresh process, and the peer if its interpreter is given."""
    size = f"{metrics} metrics x {users:,} users"
    with tempfile.TemporaryDirectory() as place:
        path = write(Path(place) / "users.parquet", users, metrics)
        rows: list[Measured] = [(f"Parquet file, {size}", path.stat().st_size / MEGABYTE, "MB")]
        for name, covariates in (("parquet_moments", 0), ("the same with two covariates", 2)):
            said, peak = watched(reading(path, metrics, covariates))
            rows += [(f"{name}, {size}, time", said["moments"], "s"), (f"{name}, {size}, peak memory", peak, "MB")]
        if peer is not None:
            rows += against_peer(peer, path, metrics, size)
    few = int(WORLD_SHARE * users)
    start = time.perf_counter()
    for _ in simulate_in_chunks(World(), few, np.random.default_rng(0)):
        pass
    return [*rows, (f"simulate_in_chunks, {few:,} users", time.perf_counter() - start, "s")]


def reading(path: Path, metrics: int, covariates: int) -> list[str]:
    """Return the command that reads the file in a fresh process."""
    return [sys.executable, "-m", "tools.bench_feed", str(path), str(metrics), str(covariates)]


def against_peer(python: str, path: Path, metrics: int, size: str) -> list[Measured]:
    """Return how many times as long the peer takes for the same file and for the same sums, and its memory.

    gbstats takes sums and leaves them to a database; here pandas makes them for it, column by column, on one core.
    It adjusts for one covariate, hence so do we.
    """
    theirs, peak = watched([python, str(Path(__file__).with_name(PEER)), str(path), str(metrics)])
    ours, _ = watched(reading(path, metrics, 1))
    name = f"gbstats {theirs['version']}"
    return [
        (f"{name} with pandas over this package, {size}", theirs["moments"] / ours["moments"], "times"),
        (f"{name} over this package, {metrics} effects from sums", theirs["effects"] / ours["effects"], "times"),
        (f"{name} with pandas, {size}, peak memory", peak, "MB"),
    ]


def watched(command: Sequence[str]) -> tuple[dict[str, Any], float]:
    """Run a command that prints JSON; return what it said and the most memory it held, in MB."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        process, peak = psutil.Process(child.pid), 0
        while child.poll() is None:
            try:
                peak = max(peak, process.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(WAIT)
        said = child.stdout.read() if child.stdout is not None else ""
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, list(command))
    return json.loads(said), peak / MEGABYTE


def read(path: str, metrics: int, covariates: int) -> dict[str, float]:
    """Return the seconds of the sums out of the file, and of the effects out of the sums."""
    import_module("duckdb")  # the package imports it late, and the clock is to leave that out
    start = time.perf_counter()
    sums = parquet_moments(path, wanted(metrics, BEFORE[:covariates]), "arm")
    middle = time.perf_counter()
    for arms in sums.values():
        absolute_effect(arms["new"], arms["control"])
    return {"moments": middle - start, "effects": time.perf_counter() - middle}


if __name__ == "__main__":
    print(json.dumps(read(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
