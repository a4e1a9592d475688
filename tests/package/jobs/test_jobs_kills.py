"""Killed anywhere and started again, a job ends in the bytes of an undisturbed run."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.jobs import Step, _points, latest_output, read_audit, run_job

KEY = "2026-01-05"
OLD = {"usage": "aa", "model": "v1"}
NEW = {"usage": "aa", "model": "v2"}
ENOUGH = 200  # more points than a run has


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


@pytest.fixture(autouse=True, scope="module")
def no_sync():
    """A sync guards against the loss of power, which no test brings about; hundreds of them take seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


@contextlib.contextmanager
def killed_at(at):
    killer, kept = Killer(at), _points.reached
    _points.reached = killer
    try:
        with contextlib.suppress(KilledError):
            yield killer
    finally:
        _points.reached = kept


def steps_for(model):
    def scores(path, done):
        with open(path, "wb") as file:
            file.write(b"unit_id,score\n1,")
            file.flush()
            _points.reached("half a file")
            file.write(f"0.{model[1]}\n".encode())

    def lines(path, done):
        path.write_bytes(str(done["scores"].read_bytes().count(b"\n")).encode())

    def both(path, done):
        path.write_bytes(done["scores"].read_bytes() + done["lines"].read_bytes())

    return [Step("scores", scores, "scores.csv"), Step("lines", lines, "lines.txt"), Step("both", both, "both.txt")]


def run(folder, inputs=OLD, **options):
    return run_job(folder, KEY, steps_for(inputs["model"]), inputs=inputs, **options)


def by_hand(inputs):
    """The twin: what the three steps and the manifest must be, with no runner."""
    scores = f"unit_id,score\n1,0.{inputs['model'][1]}\n".encode()
    files = {"scores.csv": scores, "lines.txt": b"2", "both.txt": scores + b"2"}
    canonical = json.dumps(inputs, sort_keys=True, separators=(",", ":")).encode()
    manifest = {
        "inputs": dict(sorted(inputs.items())),
        "inputs_digest": hashlib.sha256(canonical).hexdigest(),
        "key": KEY,
        "outputs": [
            {"file": name, "sha256": hashlib.sha256(raw).hexdigest(), "step": name.partition(".")[0]}
            for name, raw in files.items()
        ],
    }
    return files | {"manifest.json": (json.dumps(manifest, indent=2) + "\n").encode()}


def tree(folder):
    """Everything under a folder but the audit; a folder itself counts too, so that no debris hides."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
        if path.name != "audit.jsonl"
    }


def finished(inputs, under=KEY):
    return {under: None} | {f"{under}/{name}": raw for name, raw in by_hand(inputs).items()}


def points_of_a_run(folder, inputs=OLD, **options):
    with killed_at(ENOUGH) as killer:
        run(folder, inputs, **options)
    assert len(killer.seen) < ENOUGH
    return killer.seen


def test_an_undisturbed_run_writes_what_is_written_by_hand(tmp_path):
    points = points_of_a_run(tmp_path)
    assert tree(tmp_path) == finished(OLD)
    assert {"run lines", "half a file", f"move to {KEY}", "append to the audit", "unlock"} <= set(points)


def test_a_run_killed_at_any_point_ends_in_the_same_bytes_and_is_never_seen_half(tmp_path):
    statuses = set()
    total = len(points_of_a_run(tmp_path / "count"))
    for at in range(1, total + 1):
        folder = tmp_path / str(at)
        with killed_at(at) as killer:
            run(folder)
        assert len(killer.seen) >= at  # it did die
        seen = {name: raw for name, raw in tree(folder).items() if name.startswith(KEY)}
        assert seen in ({}, finished(OLD))
        published = bool(seen)
        result = run(folder)
        assert tree(folder) == finished(OLD), killer.seen[at - 1]
        assert result.status == ("already done" if published else "done")
        statuses.add(tuple(line["status"] for line in read_audit(folder)))
    assert statuses == {
        ("done",),  # killed before it had signed the lock
        ("killed", "done"),
        ("killed", "already done"),  # published, but dead before its line
        ("done", "already done"),  # dead after its line
    }


def test_a_swap_killed_at_any_point_leaves_the_old_or_the_new_output_to_read(tmp_path):
    run(tmp_path / "first")
    shutil.copytree(tmp_path / "first", tmp_path / "count")
    total = len(points_of_a_run(tmp_path / "count", NEW, replace=True))
    both = finished(NEW) | finished(OLD, f".replaced-{KEY}-1")
    served_from = set()
    for at in range(1, total + 1):
        folder = tmp_path / str(at)
        shutil.copytree(tmp_path / "first", folder)
        with killed_at(at):
            run(folder, NEW, replace=True)
        served = latest_output(folder, KEY, max_age_days=0).path
        assert tree(served) in (by_hand(OLD), by_hand(NEW))
        served_from.add(served.name)
        run(folder, NEW, replace=True)
        assert tree(folder) == both
    assert served_from == {KEY, f".replaced-{KEY}-1"}


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(1, 70), st.sampled_from(["v1", "v2"])), max_size=5))
def test_any_sequence_of_kills_even_on_other_inputs_ends_in_the_same_bytes(kills):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for at, model in kills:
            with killed_at(at):
                run(folder, OLD | {"model": model}, replace=True)
        run(folder, NEW, replace=True)
        left = {path: raw for path, raw in tree(folder).items() if not path.startswith(".replaced-")}
        assert left == finished(NEW)
        for aside in folder.glob(".replaced-*"):
            assert tree(aside) in (by_hand(OLD), by_hand(NEW))
        lines = read_audit(folder)
        assert len({line["run"] for line in lines}) == len(lines) <= len(kills) + 1


def test_finished_steps_are_reused_and_a_changed_one_is_made_again(tmp_path):
    at = points_of_a_run(tmp_path / "count").index("run both") + 1
    for name, change, ran in [
        ("as left", lambda out: None, ("both",)),
        ("tampered", lambda out: (out / "lines.txt").write_bytes(b"7"), ("lines", "both")),
        ("gone", lambda out: (out / "scores.csv").unlink(), ("scores", "both")),
        ("a folder", lambda out: [(out / "lines.txt").unlink(), (out / "lines.txt").mkdir()], ("lines", "both")),
        ("no record", lambda out: (out.parent / "progress.json").write_text("{"), ("scores", "lines", "both")),
        ("odd record", lambda out: (out.parent / "progress.json").write_text("[]"), ("scores", "lines", "both")),
        ("stray", lambda out: [(out / "x").mkdir(), (out / "x/y").touch(), (out / "z").touch()], ("both",)),
    ]:
        folder = tmp_path / name
        with killed_at(at):
            run(folder)
        change(folder / f".partial-{KEY}" / "output")
        result = run(folder)
        assert result.ran == ran, name
        assert set(result.reused) == {"scores", "lines", "both"} - set(ran)
        assert tree(folder) == finished(OLD)
        assert read_audit(folder)[-1]["steps_run"] == list(ran)


def test_a_step_made_again_with_other_bytes_has_all_later_ones_made_again(tmp_path):
    at = points_of_a_run(tmp_path / "count").index("run both") + 1
    with killed_at(at):
        run(tmp_path / "job")
    (tmp_path / "job" / f".partial-{KEY}" / "output" / "scores.csv").unlink()
    assert run_job(tmp_path / "job", KEY, steps_for("v2"), inputs=OLD).ran == ("scores", "lines", "both")


def test_with_other_inputs_nothing_of_a_killed_run_is_reused(tmp_path):
    at = points_of_a_run(tmp_path / "count").index("run both") + 1
    with killed_at(at):
        run(tmp_path / "job")
    assert run(tmp_path / "job", NEW).ran == ("scores", "lines", "both")
    assert tree(tmp_path / "job") == finished(NEW)


PROGRAM = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_jobs_kills as job
from pathlib import Path
how, folder = sys.argv[1], Path(sys.argv[2])
def reached(point):
    if how == "wait" and point == "run both":
        print("waiting", flush=True)
        sys.stdin.read()
    if point == how:
        os._exit(9)
job._points.reached = reached
job.run(folder)
"""


def start(how, folder):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, how, str(folder)], text=True, **pipes)


@pytest.mark.slow
def test_two_processes_at_once_then_a_real_kill(tmp_path):
    with start("wait", tmp_path) as other:
        assert other.stdout.readline() == "waiting\n"
        before = tree(tmp_path)
        with pytest.raises(ContractError) as refusal:
            run(tmp_path)
        assert tree(tmp_path) == before
        other.kill()
    refused = read_audit(tmp_path)[0]
    assert (refused["status"], refused["reason"]) == ("refused", str(refusal.value))
    result = run(tmp_path)
    assert (result.status, result.ran) == ("done", ("both",))
    assert tree(tmp_path) == finished(OLD)
    killed = read_audit(tmp_path)[1]
    assert (killed["status"], killed["pid"], killed["key"]) == ("killed", other.pid, KEY)
    assert killed["reason"] == "the process ended without a line of its own"
    sentence = f"job '{KEY}' must be run by one process at a time, got process {other.pid} at it since "
    assert str(refusal.value) == f"{sentence}{killed['time']}; wait for it to end."


@pytest.mark.slow
@pytest.mark.parametrize(("how", "status"), [(f"move to {KEY}", "done"), ("append to the audit", "already done")])
def test_a_process_that_exits_between_two_system_calls(tmp_path, how, status):
    with start(how, tmp_path) as other:
        assert other.wait() == 9, other.stderr.read()
    assert run(tmp_path).status == status
    assert tree(tmp_path) == finished(OLD)
    assert [line["status"] for line in read_audit(tmp_path)] == ["killed", status]
