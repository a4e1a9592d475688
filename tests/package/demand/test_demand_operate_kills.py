"""Killed anywhere and started again, the week ends in the orders of an undisturbed one."""

import contextlib
import json
import os

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from casebook.demand import operate
from casebook.demand.operate import weekly_job
from casebook.demand.overrides import Override, OverrideBook
from casebook.demand.simulate import simulate
from casebook.demand.world import World
from casebook.jobs import _points, read_audit

ORIGIN = 83
NAME = "2023-03-26"
ENOUGH = 600  # more points than a run has
STEPS = ("read", "features", "forecast", "overrides", "orders", "report", "timing")


class Stub:
    """A model that knows only the horizon and the store: gamma quantiles."""

    def predict(self, X, taus):
        mean = 2.0 + X["store_id"].to_numpy() + X["horizon"].to_numpy() / 10
        return pd.DataFrame({tau: stats.gamma.ppf(tau, 4, scale=mean / 4) for tau in taus}, index=X.index)


def build(tables, origins, horizons):
    """Every cell, origin and horizon; nothing else."""
    cells = tables["cells"][["store_id", "sku_id"]]
    when = pd.MultiIndex.from_product([origins, horizons], names=["origin", "horizon"]).to_frame(index=False)
    return cells.merge(when, how="cross").assign(day=lambda frame: frame["origin"] + frame["horizon"])


@pytest.fixture(scope="module")
def tables():
    return simulate(World(), 4, 14, np.random.default_rng(3), days=98).tables


def save(tables, folder):
    folder.mkdir(exist_ok=True, parents=True)
    for name, frame in tables.items():
        frame.to_parquet(folder / f"{name}.parquet")
    return folder


@pytest.fixture(scope="module")
def data(tables, tmp_path_factory):
    """Store 1 is three days late, store 2 thirty."""
    sales = tables["sales"]
    late = (sales["store_id"] == 1) & (sales["day"] > ORIGIN - 3) | (sales["store_id"] == 2) & (
        sales["day"] > ORIGIN - 30
    )
    return save({**tables, "sales": sales[~late]}, tmp_path_factory.mktemp("data"))


FAIR = Override(ORIGIN + 5, ORIGIN + 6, "multiply", 3.0, "street fair", "Ada", ORIGIN - 3, ORIGIN + 6, store_id=0)


@pytest.fixture
def book(tables, tmp_path):
    book = OverrideBook(tmp_path / "book.jsonl")
    book.add(FAIR, tables, ORIGIN - 3)
    return book


def run(data, folder, **options):
    options = {"model": Stub(), "build_features": build, **options}
    return weekly_job(data, folder, ORIGIN, **options)


def tree(folder, timing=False):
    """Everything under a folder but the audit, and but the one file that says how long it took, and its digest."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.name == "audit.jsonl" or (path.name == "timing.json" and not timing):
            continue
        raw = path.read_bytes() if path.is_file() else None
        if path.name == "manifest.json" and not timing:
            manifest = json.loads(raw)
            manifest["outputs"] = [one for one in manifest["outputs"] if one["step"] != "timing"]
            raw = manifest
        found[name] = raw
    return found


@pytest.fixture(autouse=True, scope="module")
def cheap():
    """Hundreds of runs: no syncs, which guard against the loss of power; one check of the tables, tested elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        patch.setattr(operate, "check_tables", lambda tables: tables)
        yield


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


@pytest.fixture(scope="module")
def undisturbed(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    run(data, folder)
    return tree(folder)


def points_of_a_run(data, folder):
    with killed_at(ENOUGH) as killer:
        run(data, folder)
    assert len(killer.seen) < ENOUGH
    return killer.seen


@pytest.fixture(scope="module")
def points(data, tmp_path_factory):
    return points_of_a_run(data, tmp_path_factory.mktemp("count"))


@pytest.mark.parametrize("step", STEPS)
def test_killed_before_a_step_the_earlier_ones_are_kept_and_the_orders_are_the_same(
    data, undisturbed, points, tmp_path, step
):
    at = points.index(f"run {step}") + 1
    with killed_at(at):
        run(data, tmp_path / "job")
    assert not (tmp_path / "job" / NAME).exists()
    result = run(data, tmp_path / "job")
    assert (result.reused, result.ran) == (STEPS[: STEPS.index(step)], STEPS[STEPS.index(step) :])
    assert tree(tmp_path / "job") == undisturbed
    assert [line["status"] for line in read_audit(tmp_path / "job")] == ["killed", "done"]


@pytest.mark.slow
def test_killed_at_any_point_the_orders_are_the_same_and_never_seen_half(data, undisturbed, points, tmp_path):
    for at in range(1, len(points) + 1):
        folder = tmp_path / str(at)
        with killed_at(at) as killer:
            run(data, folder)
        assert len(killer.seen) >= at  # it did die
        seen = {name for name in tree(folder) if name.startswith(NAME)}
        assert seen in (set(), {name for name in undisturbed if name.startswith(NAME)})
        assert run(data, folder).status == ("already done" if seen else "done")
        assert tree(folder) == undisturbed, killer.seen[at - 1]


def test_killed_between_the_orders_and_the_book_the_change_is_written_down_once(data, tmp_path, book, monkeypatch):
    folder = tmp_path / "job"
    with monkeypatch.context() as patch:
        patch.setattr(OverrideBook, "record_applied", lambda *_: (_ for _ in ()).throw(KilledError()))
        with pytest.raises(KilledError):
            run(data, folder, overrides=book.path)
    assert [line["event"] for line in book.lines()] == ["added"]
    for _ in range(2):
        assert run(data, folder, overrides=book.path).status == "already done"
        assert [line["event"] for line in book.lines()] == ["added", "applied"]
