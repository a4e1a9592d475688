"""What chapter 4's company costs in seconds: its world, its features, its models, one night's scores."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np

from casebook.churn import features, models
from casebook.churn.operate import score_job, train_job
from casebook.churn.simulate import simulate
from casebook.churn.snapshot import draw_snapshot
from casebook.churn.warehouse_file import save_warehouse
from casebook.churn.world import World

SUBSCRIBERS = 100_000
TRAIN, NIGHT, JOB = "2025-09-01", "2025-12-01", "2026-01-01"

Task = Callable[[], object]


def tasks(subscribers: int) -> Iterator[tuple[str, Task]]:
    """Yield what is timed, each with its name; what a task needs is made before its clock starts."""
    size = f"{subscribers:,} subscribers"
    company = simulate(World(), subscribers, np.random.default_rng(0))
    warehouse = features.connect(company.tables)
    train = features.cohorts(warehouse, [TRAIN])
    X, y = train[list(features.COLUMNS)], train["y"]
    model, tonight = models.boosted().fit(X, y), features.build(warehouse, NIGHT)
    yield f"simulate 24 months, {size}", lambda: simulate(World(), subscribers, np.random.default_rng(0))
    yield f"draw_snapshot, {size}", lambda: draw_snapshot(World(), subscribers, np.random.default_rng(0))
    yield f"features.build in DuckDB, {size}", lambda: features.build(warehouse, NIGHT)
    yield f"features.label, {size}", lambda: features.label(warehouse, TRAIN)
    yield f"LightGBM fit on {X.shape[1]} features, {size}", lambda: models.boosted().fit(X, y)
    yield f"LightGBM score, {size}", lambda: model.predict_proba(tonight[X.columns])
    with tempfile.TemporaryDirectory() as place:
        folder, at = Path(place), date.fromisoformat(JOB)
        load = save_warehouse(company.tables, folder / "warehouse.duckdb")
        train_job(load, folder / "models", at)
        yield f"nightly score, {size}", lambda: score_job(load, _fresh(folder), at, models=folder / "models")


def _fresh(folder: Path) -> Path:
    """Return a new folder, since a night is written once."""
    return Path(tempfile.mkdtemp(dir=folder))
