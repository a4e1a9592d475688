"""Killed anywhere and started again, the night ends in the bytes of an undisturbed one."""

import contextlib
import functools
import os
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from casebook.churn import operate
from casebook.churn.operate import score_job, train_job
from casebook.churn.simulate import simulate
from casebook.churn.warehouse_file import save_warehouse
from casebook.churn.world import World
from casebook.jobs import _points, read_audit

DAY = date(2026, 1, 1)
ENOUGH = 400  # more points than a run has
STEPS = ("features", "model", "scores", "calls", "holdout", "report")


class KilledError(BaseException):
    """The process is gone: nothing that catches errors may see it."""


class Killer:
    """Stands in for ``_points.reached``: dies at one point and stays dead, so that nothing more is written."""

    def __init__(self, at):
        self.at, self.seen = at, []

    def __call__(self, point):
        self.seen.append(point)
        if len(self.seen) >= self.at:
            raise KilledError(point)


@contextlib.contextmanager
def killed_at(at):
    killer, kept = Killer(at), _points.reached
    _points.reached = killer
    try:
        with contextlib.suppress(KilledError):
            yield killer
    finally:
        _points.reached = kept


@pytest.fixture(autouse=True, scope="module")
def cheap():
    """Hundreds of runs: no syncs, which guard against the loss of power; no gates and one query, tested elsewhere."""
    once = functools.cache(operate._features)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        patch.setattr(operate, "check_warehouse", lambda path, at, to_train=False: None)
        patch.setattr(operate, "_features", once)
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("job")
    save_warehouse(simulate(World(), 1_000, np.random.default_rng(3)).tables, folder / "week.duckdb")
    train_job(folder / "week.duckdb", folder / "models", DAY)
    run(folder, folder / "undisturbed")
    return folder


def run(place, folder):
    return score_job(place / "week.duckdb", folder, DAY, models=place / "models")


def tree(folder):
    """Everything under a folder but the audit; a folder itself counts too, so that no debris hides."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(Path(folder).rglob("*"))
        if path.name != "audit.jsonl"
    }


def points_of_a_run(place, folder):
    with killed_at(ENOUGH) as killer:
        run(place, folder)
    assert len(killer.seen) < ENOUGH
    return killer.seen


@pytest.mark.parametrize("step", STEPS)
def test_killed_before_a_step_the_earlier_ones_are_kept(place, tmp_path, step):
    at = points_of_a_run(place, tmp_path / "count").index(f"run {step}") + 1
    with killed_at(at):
        run(place, tmp_path / "job")
    assert not (tmp_path / "job" / "2026-01-01").exists()
    result = run(place, tmp_path / "job")
    assert (result.reused, result.ran) == (STEPS[: STEPS.index(step)], STEPS[STEPS.index(step) :])
    assert tree(tmp_path / "job") == tree(place / "undisturbed")
    assert [line["status"] for line in read_audit(tmp_path / "job")] == ["killed", "done"]


@pytest.mark.slow
def test_killed_at_any_point_it_ends_in_the_same_bytes_and_is_never_seen_half(place, tmp_path):
    expected = tree(place / "undisturbed")
    total = len(points_of_a_run(place, tmp_path / "count"))
    for at in range(1, total + 1):
        folder = tmp_path / str(at)
        with killed_at(at) as killer:
            run(place, folder)
        assert len(killer.seen) >= at  # it did die
        seen = {name: raw for name, raw in tree(folder).items() if name.startswith("2026-01-01")}
        assert seen in ({}, expected)
        result = run(place, folder)
        assert result.status == ("already done" if seen else "done")
        assert tree(folder) == expected, killer.seen[at - 1]


@pytest.mark.slow
def test_a_training_killed_at_any_point_ends_in_the_same_model(place, tmp_path):
    expected = tree(place / "models")
    with killed_at(ENOUGH) as killer:
        train_job(place / "week.duckdb", tmp_path / "count", DAY)
    for at in range(1, len(killer.seen) + 1, 3):
        with killed_at(at):
            train_job(place / "week.duckdb", tmp_path / str(at), DAY)
        train_job(place / "week.duckdb", tmp_path / str(at), DAY)
        assert tree(tmp_path / str(at)) == expected
