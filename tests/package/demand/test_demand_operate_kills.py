"""Killed anywhere and started again, the week ends in the orders of an undisturbed one."""

import contextlib
import os

import pytest

from casebook.demand import operate
from casebook.demand.overrides import OverrideBook
from casebook.jobs import _points, read_audit
from tests.package.demand.weekly_shop import ENOUGH, NAME, STEPS, run, tree


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
