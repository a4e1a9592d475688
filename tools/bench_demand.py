"""What chapter 7's grocer costs: its world as Parquet, features, fit and forecasts of one file, and those on Dask."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from casebook.demand.features import build_from_parquet
from casebook.demand.models import BoostedQuantiles
from casebook.demand.origins import HORIZONS, weekly_origins
from casebook.demand.scale_out import predict_file
from casebook.demand.scale_out_compare import compare
from casebook.demand.simulate import write_parquet
from casebook.demand.world import DAYS, World
from tools.bench_feed import watched

STORES, SKUS, YEAR = 8, 120, 371
FULL_STORES, FULL_SKUS = 24, 660  # some 10 million rows in three years
DASK_STORES, DASK_SKUS = 24, 150  # of these, some 2 million; a worker holds its rows twice while it fits
TREES, TAU, THREADS, WORKERS = 150, 0.83, 2, (1, 2)
TEST_DAYS = 28
MEGABYTE = 2**20

Measured = tuple[str, float, str]  # name, value, unit


def measured(stores: int = STORES, skus: int = SKUS, days: int = YEAR, trees: int = TREES) -> list[Measured]:
    """Measure generator, features, fit and forecasts in fresh processes, then the same steps on Dask."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "tables"
        rows = [*generator(folder, stores, skus, days), *job(folder, Path(place), days, trees)]
        return rows + on_dask(folder, Path(place) / "dask", days, trees)


def full(trees: int = TREES) -> list[Measured]:
    """Measure ten million rows, and two million on Dask."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "tables"
        rows = [*generator(folder, FULL_STORES, FULL_SKUS, DAYS), *job(folder, Path(place), DAYS, trees)]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "tables"
        write_parquet(World(), folder, DASK_STORES, DASK_SKUS, np.random.default_rng(0))
        return rows + on_dask(folder, Path(place) / "dask", DAYS, trees)


def generator(folder: Path, stores: int, skus: int, days: int) -> list[Measured]:
    """Return the rows a second of the world on its way into Parquet, and what it fills."""
    said, peak = watched(command("write", folder, stores, skus, days))
    size = sum(path.stat().st_size for path in (folder / "sales").iterdir()) / MEGABYTE
    name = f"write_parquet, {said['rows']:,} rows of sales"
    return [
        (name, said["rows"] / said["write"], "rows/s"),
        (f"{name}, time", said["write"], "s"),
        (f"{name}, CPU time", said["write_cpu"], "s"),
        (f"{name}, peak memory", peak, "MB"),
        (f"{name}, size of the sales", size, "MB"),
    ]


def job(folder: Path, place: Path, days: int, trees: int) -> list[Measured]:
    """Return the seconds and memory of features, fit and forecasts on one file, as one fresh process does them."""
    said, peak = watched(command("job", folder, place, days, trees))
    size = f"{said['rows']:,} rows"
    whole = f"features, fit of one quantile, forecasts, {size}, {THREADS} threads"
    steps = ("features", "fit", "predict")
    return [
        (f"build_from_parquet, {size}, {THREADS} threads, time", said["features"], "s"),
        (f"build_from_parquet, {size}, CPU time", said["features_cpu"], "s"),
        (f"BoostedQuantiles.fit, {size}, {trees} trees, time", said["fit"], "s"),
        (f"BoostedQuantiles.fit, {size}, CPU time", said["fit_cpu"], "s"),
        (f"forecasts from file to file, {size}, time", said["predict"], "s"),
        ("the same, by CPU time", said["rows"] / said["predict_cpu"], "rows/s a core"),
        (f"{whole}, time", sum(said[step] for step in steps), "s"),
        (f"{whole}, CPU time", sum(said[f"{step}_cpu"] for step in steps), "s"),
        (f"{whole}, peak memory", peak, "MB"),
    ]


def on_dask(folder: Path, place: Path, days: int, trees: int) -> list[Measured]:
    """Return the rows a second of each step in one process of one thread and on clusters of such processes."""
    model = BoostedQuantiles([TAU], trees=trees)
    until = days - TEST_DAYS
    rates = compare(folder, place, origins_of(days), until, model, WORKERS, seeds=(0,)).rates
    found: list[Measured] = []
    for (way, stage), rate in zip(rates.index, rates.to_dict("records"), strict=True):
        if stage == "start":
            found.append((f"Dask, {way}: start", float(rate["seconds"]), "s"))
            continue
        name = f"{way if way == 'one process' else f'Dask, {way}'}: {stage}, {rate['rows']:,.0f} rows"
        found.append((name, float(rate["rows_per_second"]), "rows/s"))
        found.append((f"{name}, by CPU time", float(rate["rows_per_cpu_second"]), "rows/s a core"))
    return found


def origins_of(days: int) -> list[int]:
    """Return all Sundays whose order is covered by the calendar.

    Examples
    --------
    >>> origins_of(35)
    [6, 13, 20]
    """
    found: list[int] = weekly_origins(0, days - 1 - max(HORIZONS)).tolist()
    return found


def command(step: str, *given: object) -> list[str]:
    """Return the command that does a step in a fresh process."""
    return [sys.executable, "-m", "tools.bench_demand", step, *map(str, given)]


def write(folder: str, stores: str, skus: str, days: str) -> dict[str, float]:
    """Write the world and say how long it took."""
    said: dict[str, float] = {}
    rng = np.random.default_rng(0)
    rows = timed(said, "write", lambda: write_parquet(World(), Path(folder), int(stores), int(skus), rng, int(days)))
    return {"rows": rows, **said}


def steps(folder: str, place: str, days: str, trees: str) -> dict[str, float]:
    """Build the features, fit one quantile on all rows with a target, forecast all rows; say how long each took."""
    features, forecasts = (str(Path(place) / f"{name}.parquet") for name in ("features", "forecasts"))
    model = BoostedQuantiles([TAU], trees=int(trees), threads=THREADS)
    said: dict[str, float] = {}
    origins = origins_of(int(days))
    rows = timed(said, "features", lambda: build_from_parquet(folder, features, origins, threads=THREADS))
    timed(said, "fit", lambda: fit(model, features))
    timed(said, "predict", lambda: predict_file(model, features, forecasts, [TAU]))
    return {"rows": rows, **said}


def fit(model: BoostedQuantiles, features: str) -> None:
    """Fit a model on the rows of a file that have a target."""
    with duckdb.connect(config={"threads": THREADS}) as con:
        X = con.execute("SELECT * FROM read_parquet(?) WHERE y IS NOT NULL", [features]).df()
    y = X.pop("y").to_numpy()
    model.fit(X, y)


def timed(said: dict[str, float], name: str, task: Callable[[], Any]) -> Any:
    """Do a task, note its seconds and CPU seconds, and return what it gave."""
    start, used = time.perf_counter(), time.process_time()
    given = task()
    said[name], said[f"{name}_cpu"] = time.perf_counter() - start, time.process_time() - used
    return given


if __name__ == "__main__":
    print(json.dumps({"write": write, "job": steps}[sys.argv[1]](*sys.argv[2:])))
