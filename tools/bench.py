"""Measure speed and memory into ``_build/bench.json``: the package's loops, the chapters, and those at full scale."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from casebook.decisions import Costs, allocate, best_cut, decide_frame, fit_platt, lower_envelope, sweep
from casebook.screening import models
from casebook.screening.simulate import World, simulate
from tools import bench_churn, bench_demand, bench_feed, bench_fraud
from tools.execute import execute_one, versions
from tools.paths import ROOT, built

CASES = 1_000_000
ACTIONS = 100
REPEATS = 3
PLATT_SHARE, TRAIN_SHARE = 0.2, 0.03  # of CASES: 200,000 and 30,000
FULL_TIMEOUT = 1800  # seconds for one cell at full scale
FULL = (  # pages whose prompt states a size
    "03_cost_asymmetry",
    "04_churn",
    "04_churn_operations",
    "04_churn_deeper",
    "05_fraud",
    "05_fraud_operations",
    "05_fraud_deeper",
    "07_demand",
    "08_ab_test",
    "08_ab_test_deeper",
)
IMPORT = "import time; start = time.perf_counter(); import casebook.decisions; print(time.perf_counter() - start)"
NEEDED = ("src", "data", "requirements.lock", "_config.yml")

Task = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """One measurement: the median of its runs, and the fastest and slowest where there was more than one."""

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None


def machine() -> str:
    """Return the machine in one line: processor, cores, memory, platform; never its name.

    Examples
    --------
    >>> "cores" in machine()
    True
    """
    memory = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.machine()}"
    return f"{processor()}, {os.cpu_count()} cores, {memory:.0f} GB, {system}"


def processor(table: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's model, as far as the system tells it."""
    lines = table.read_text(encoding="utf-8").splitlines() if table.exists() else []
    models_named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(models_named), "") or platform.processor() or "unknown processor"


def timed(name: str, task: Task, repeats: int) -> Row:
    """Return the seconds of a task, median of ``repeats`` runs."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        seconds.append(time.perf_counter() - start)
    return summary(name, seconds)


def summary(name: str, seconds: list[float]) -> Row:
    """Return the row of several runs.

    Examples
    --------
    >>> summary("sort", [0.3, 0.1, 0.2])
    Row(name='sort', value=0.2, unit='s', low=0.1, high=0.3)
    """
    return Row(name, statistics.median(seconds), "s", min(seconds), max(seconds))


def tasks(cases: int, actions: int) -> Iterator[tuple[str, Task]]:
    """Yield what is timed, each with its name; what a task needs is made before its clock starts."""
    rng = np.random.default_rng(0)
    desk = simulate(World(), cases, rng)
    y, p = desk.cases["y"].to_numpy(), desk.p
    costs, table = Costs(fp=1.0, fn=100.0), desk.cases.assign(p=p)[["p", "cost_fp", "cost_fn"]]
    minutes, saved = rng.uniform(2, 12, cases), p * desk.cases["cost_fn"].to_numpy() - 1
    menu = menu_of(actions)
    envelope = lower_envelope(menu)
    few, train = int(PLATT_SHARE * cases), desk.take(np.arange(int(TRAIN_SHARE * cases)))
    yield f"simulate, {cases:,} cases", lambda: simulate(World(), cases, np.random.default_rng(0))
    yield f"sweep, {cases:,} rows", lambda: sweep(y, p, costs)
    yield f"best_cut, {cases:,} rows", lambda: best_cut(y, p, costs)
    yield f"decide_frame, {cases:,} rows", lambda: decide_frame(table)
    yield f"allocate, {cases:,} items", lambda: allocate(saved, minutes, capacity=0.5 * cases)
    yield f"lower_envelope, {actions} actions", lambda: lower_envelope(menu)
    yield f"Envelope.action_at, {cases:,} rows", lambda: envelope.action_at(p)
    yield f"fit_platt, {few:,} rows", lambda: fit_platt(y[:few], p[:few])
    yield f"LightGBM fit, {len(train.p):,} rows", lambda: models.fit(models.boosted(0), train)


def menu_of(actions: int) -> pd.DataFrame:
    """Return a menu in which every action is the cheapest somewhere: tangents of a curve.

    Examples
    --------
    >>> len(lower_envelope(menu_of(5)).actions)
    5
    """
    at = (np.arange(actions) + 0.5) / actions
    return pd.DataFrame(
        {"if_negative": at**2, "if_positive": (1 - at) ** 2}, index=[f"tier {i}" for i in range(actions)]
    )


def import_seconds() -> float:
    """Return the seconds of ``import casebook.decisions`` in a fresh process."""
    done = subprocess.run([sys.executable, "-c", IMPORT], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


def functions(
    cases: int = CASES,
    actions: int = ACTIONS,
    repeats: int = REPEATS,
    subscribers: int = bench_churn.SUBSCRIBERS,
    users: int = bench_feed.USERS,
    metrics: int = bench_feed.METRICS,
) -> list[Row]:
    """Time the package's loops and its import."""
    timeable = chain(tasks(cases, actions), bench_churn.tasks(subscribers), bench_feed.tasks(users, metrics))
    rows = [timed(name, task, repeats) for name, task in timeable]
    return [*rows, summary("import casebook.decisions, fresh process", [import_seconds() for _ in range(repeats)])]


def reported(root: Path = ROOT) -> list[Row]:
    """Return the chapters' seconds and memory and the site's seconds, as the last runs left them (none if none did)."""
    chapters, site = built(root, "report", "notebooks.json"), built(root, "report", "site_seconds.json")
    runs = json.loads(chapters.read_text(encoding="utf-8")) if chapters.exists() else []
    rows = [row for run in runs if run["status"] == "ok" for row in notebook_rows(run, "small")]
    if site.exists():
        rows.append(Row("site build, notebooks already executed", json.loads(site.read_text(encoding="utf-8")), "s"))
    return rows


def notebook_rows(run: dict[str, Any], scale: str) -> list[Row]:
    """Return time and memory of one executed chapter."""
    name = f"{run['notebook']}, {scale} scale"
    return [Row(f"{name}, time", run["seconds"], "s"), Row(f"{name}, peak memory", run["peak_mb"], "MB")]


def full_scale(chapters: tuple[str, ...] = FULL, root: Path = ROOT) -> list[Row]:
    """Execute chapters at full scale in a copy of the checkout, which is removed afterwards.

    Raises
    ------
    RuntimeError
        If a chapter fails there.
    """
    rows = []
    built(root).mkdir(exist_ok=True)
    # below _build, so that a shared folder of data sets beside the checkout is found from there as well
    with tempfile.TemporaryDirectory(dir=built(root)) as place:
        copy = copied(root, Path(place))
        for chapter in chapters:
            source = copy / "notebooks" / f"{chapter}.py"
            run = execute_one(source, copy, {"scale": "full"}, FULL_TIMEOUT)
            if run.status != "ok":
                where = run.status.splitlines()[0]
                raise RuntimeError(f"{chapter} must run at full scale, got an error in {where}; mend the cell.")
            rows += notebook_rows(asdict(run), "full")
    return rows


def copied(root: Path, place: Path) -> Path:
    """Copy what decides a chapter's numbers into a folder and return it."""
    for name in (*NEEDED, "notebooks"):
        if (root / name).is_dir():
            shutil.copytree(root / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (root / name).exists():
            shutil.copy(root / name, place)
    return place


def document(rows: list[Row]) -> dict[str, Any]:
    """Return the file's content; every row names its machine and versions, so that rows of several can be joined."""
    made_by: dict[str, Any] = {"machine": machine(), "versions": versions()}
    return {**made_by, "rows": [{**asdict(row), **made_by} for row in rows]}


def write(rows: list[Row], root: Path = ROOT) -> Path:
    """Write ``_build/bench.json`` and return its path."""
    path = built(root, "bench.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document(rows), indent=1) + "\n", encoding="utf-8", newline="\n")
    return path


def line(row: Row) -> str:
    """Return a row as one printed line."""
    spread = "" if row.low is None or row.high is None else f"  ({row.low:.3g} to {row.high:.3g})"
    return f"{row.name:<50} {row.value:>10.4g} {row.unit}{spread}"


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--full", action="store_true", help="chapters and the large Parquet file at full scale too: minutes"
    )
    parser.add_argument("--peer", help="interpreter that has gbstats and pyarrow, to compare with; with --full")
    given = parser.parse_args()
    rows = functions() + [Row(*numbers) for numbers in bench_fraud.measured()]
    rows += [Row(*numbers) for numbers in bench_demand.measured()] + reported()
    if given.full:
        rows += [Row(*measured) for measured in bench_feed.full(peer=given.peer)]
        rows += [Row(*numbers) for numbers in bench_demand.full()] + full_scale()
    print("\n".join(line(row) for row in rows))
    print(f"Written to {write(rows).relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
