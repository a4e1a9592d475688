"""Execution: a failure is told and stops nobody else; an earlier run serves only while all that decides it stands."""

from __future__ import annotations

import json
import time

import nbformat
import pytest

from tools import execute

pytestmark = pytest.mark.slow

PRINT = "# %%\nprint('fine')"
BREAK = "# %% tags=['shown']\nx = 1\nx / 0  # the culprit"
IMPORT = "# %%\nimport sys\nsys.path.insert(0, '../src')\nimport aid\nprint(aid.VALUE)"
MADE = {"notebook", "seconds", "peak_mb", "status", "commit", "versions"}
ALLOCATED_MB = 200
KERNEL_ALONE_MB = 150  # an idle kernel holds 50 to 90 MB; more would mean that the reading is of something else
CELL_LIMIT = 3
NO_HANG = 60  # seconds: a kernel's start, the limit above and a shutdown, on two busy cores


@pytest.fixture
def started(monkeypatch) -> list[str]:
    """Return a list that receives the name of each notebook that is really run."""
    names: list[str] = []
    real = execute._execute
    monkeypatch.setattr(execute, "_execute", lambda name, *rest: names.append(name) or real(name, *rest))
    return names


def report(project) -> list[dict]:
    return json.loads((project.root / "_build/report/notebooks.json").read_text())


def printed(project, stem: str) -> str:
    notebook = nbformat.read(project.root / f"_build/executed/{stem}.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.text for output in outputs if output.output_type == "stream")


def test_a_failing_notebook_is_told_and_the_other_runs(project, capsys):
    project.chapter("01_bad", "# %% [markdown]\n# # Title", BREAK, "# %%\nnever = 'reached'")
    project.chapter("02_good", PRINT)
    bad, good = execute.execute_all(project.root)
    assert bad.status.startswith("cell 1: ZeroDivisionError: division by zero\n")
    assert "x / 0  # the culprit" in bad.status
    assert "Traceback (most recent call last)" in bad.status
    assert (good.status, printed(project, "02_good")) == ("ok", "fine\n")
    assert "01_bad failed at cell 1: ZeroDivisionError" in capsys.readouterr().out
    assert sorted(path.name for path in (project.root / "notebooks").iterdir()) == ["01_bad.py", "02_good.py"]
    rows = report(project)
    assert [set(row) for row in rows] == [MADE, MADE]
    assert [row["notebook"] for row in rows] == ["01_bad", "02_good"]
    assert set(rows[1]["versions"]) == {"python", *execute.REPORTED_VERSIONS}
    assert 0 < rows[1]["peak_mb"] < KERNEL_ALONE_MB
    assert 0 < rows[1]["seconds"] < NO_HANG


def test_a_changed_module_is_seen_though_the_notebook_is_the_same(project, started):
    project.chapter("01_a", IMPORT)
    for value in ("old", "new"):
        (project.root / "src/aid.py").write_text(f"VALUE = {value!r}\n", encoding="utf-8")
        execute.execute_all(project.root)
        assert printed(project, "01_a") == f"{value}\n"
    assert started == ["01_a", "01_a"]


@pytest.mark.parametrize(
    "name", ["src/a.py", "data/a.yml", "data/sample.csv", "data/sample.parquet", "requirements.lock"]
)
def test_the_fingerprint_follows_all_that_decides_the_output(project, name):
    source = project.chapter("01_a", PRINT)
    seen = [execute.fingerprint(source, {}, project.root)]
    for content in ("one", "two"):
        (project.root / name).write_text(content, encoding="utf-8")
        seen.append(execute.fingerprint(source, {}, project.root))
    assert len(set(seen)) == 3


def test_the_fingerprint_follows_text_and_parameters_and_nothing_that_python_leaves_behind(project):
    source = project.chapter("01_a", PRINT)
    before = execute.fingerprint(source, {}, project.root)
    (project.root / "src/__pycache__").mkdir()
    (project.root / "src/__pycache__/a.cpython-311.pyc").write_bytes(b"0")
    assert execute.fingerprint(source, {}, project.root) == before
    assert execute.fingerprint(source, {"scale": "full"}, project.root) != before
    assert execute.fingerprint(project.chapter("01_a", BREAK), {}, project.root) != before


def test_a_failed_run_is_never_reused_and_a_good_one_is(project, started):
    project.chapter("01_a", "# %%\nfrom pathlib import Path\nassert Path('../ready').exists()")
    assert execute.execute_all(project.root)[0].status != "ok"
    (project.root / "ready").touch()
    good = execute.execute_all(project.root)
    assert good[0].status == "ok"
    assert execute.execute_all(project.root) == good
    assert started == ["01_a", "01_a"]
    assert report(project)[0]["status"] == "ok"


def test_parameters_reach_the_notebook(project):
    project.chapter("01_a", "# %% tags=['parameters']\nscale = 'small'", "# %%\nprint(scale)")
    execute.execute_all(project.root, parameters={"scale": "full"})
    assert printed(project, "01_a") == "full\n"


def test_a_dead_kernel_and_an_endless_cell_end_as_a_status(project):
    project.chapter("01_dies", PRINT, "# %%\nimport os\nos._exit(3)")
    project.chapter("02_sleeps", PRINT, "# %%\nimport time\ntime.sleep(600)")
    start = time.monotonic()
    dead, endless = execute.execute_all(project.root, timeout=CELL_LIMIT)
    assert time.monotonic() - start < NO_HANG
    assert dead.status.startswith("DeadKernelError: ")
    assert endless.status.startswith("CellTimeoutError: ")
    assert [row["status"] for row in report(project)] == [dead.status, endless.status]
    assert [printed(project, stem) for stem in ("01_dies", "02_sleeps")] == ["fine\n", "fine\n"]


def test_peak_memory_sees_what_a_cell_allocates_and_frees(project):
    project.chapter(
        "01_a", f"# %%\nx = bytearray({ALLOCATED_MB} * 2**20)\nx[::4096] = b'1' * len(x[::4096])\ndel x", PRINT
    )
    [run] = execute.execute_all(project.root)
    assert run.status == "ok"
    assert ALLOCATED_MB < run.peak_mb < ALLOCATED_MB + KERNEL_ALONE_MB


def test_a_line_that_only_looks_like_a_report_is_no_report():
    assert execute.relay("01_a", "{'not': 'json'}\n") == {}


def test_the_runner_without_a_last_word_is_told_with_what_it_printed(project):
    program = "import sys; print('{odd'); print('no such module'); sys.exit(1)"
    run = execute._execute("01_a", [execute.sys.executable, "-c", program], project.root)
    assert run.status == "the kernel's process ended without a word:\n{odd\nno such module\n"
