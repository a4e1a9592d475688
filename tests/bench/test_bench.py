"""The bench at toy sizes: what the file holds, never how fast the machine is."""

from __future__ import annotations

import importlib.util
import json
import platform
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow.parquet as pq
import pytest

from tools import bench, bench_feed, bench_fraud
from tools.execute import versions
from tools.paths import ROOT, built

pytestmark = pytest.mark.slow

CASES, ACTIONS, SUBSCRIBERS, USERS, METRICS = 3_000, 7, 1_000, 5_000, 4
KEYS = ["name", "value", "unit", "low", "high", "machine", "versions"]
RUN = {"notebook": "01_a", "seconds": 4.2, "peak_mb": 310.0, "status": "ok", "commit": "abc", "versions": {}}


@pytest.fixture(scope="module")
def rows() -> list[bench.Row]:
    sizes = {"cases": CASES, "actions": ACTIONS, "subscribers": SUBSCRIBERS, "users": USERS, "metrics": METRICS}
    return bench.functions(repeats=2, **sizes)


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    """Return the site's extension, which is no installed module."""
    spec = importlib.util.spec_from_file_location("casebook_pages", ROOT / "book/_ext/casebook_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_loop_is_timed_under_a_name_that_says_its_size(rows):
    assert [row.name for row in rows] == [
        "simulate, 3,000 cases",
        "sweep, 3,000 rows",
        "best_cut, 3,000 rows",
        "decide_frame, 3,000 rows",
        "allocate, 3,000 items",
        "lower_envelope, 7 actions",
        "Envelope.action_at, 3,000 rows",
        "fit_platt, 600 rows",
        "LightGBM fit, 90 rows",
        "simulate 24 months, 1,000 subscribers",
        "draw_snapshot, 1,000 subscribers",
        "features.build in DuckDB, 1,000 subscribers",
        "features.label, 1,000 subscribers",
        "LightGBM fit on 48 features, 1,000 subscribers",
        "LightGBM score, 1,000 subscribers",
        "nightly score, 1,000 subscribers",
        "simulate a feed, 500 users",
        "parquet_moments, 4 metrics x 5,000 users",
        "the same with two covariates, 4 metrics x 5,000 users",
        "absolute_effect from sums, 4 metrics",
        "import casebook.decisions, fresh process",
    ]
    assert all(row.unit == "s" and 0 < row.low <= row.value <= row.high for row in rows)


def test_the_sizes_of_the_real_run_are_those_promised():
    assert (bench.CASES, bench.ACTIONS, bench.REPEATS) == (1_000_000, 100, 3)
    assert (bench_feed.USERS, bench_feed.METRICS) == (1_000_000, 20)
    assert (bench_feed.FULL_USERS, bench_feed.FULL_METRICS) == (10_000_000, 100)
    assert (bench.PLATT_SHARE * bench.CASES, bench.TRAIN_SHARE * bench.CASES) == (200_000, 30_000)


def test_the_large_file_is_read_in_fresh_processes_and_weighed():
    rows = bench_feed.full(5_000, 3)
    assert [(name, unit) for name, _, unit in rows] == [
        ("Parquet file, 3 metrics x 5,000 users", "MB"),
        ("parquet_moments, 3 metrics x 5,000 users, time", "s"),
        ("parquet_moments, 3 metrics x 5,000 users, peak memory", "MB"),
        ("the same with two covariates, 3 metrics x 5,000 users, time", "s"),
        ("the same with two covariates, 3 metrics x 5,000 users, peak memory", "MB"),
        ("simulate_in_chunks, 500 users", "s"),
    ]
    assert all(value > 0 for _, value, _ in rows)


def test_the_bank_is_simulated_replayed_and_asked_over_loopback():
    rows = [bench.Row(*row) for row in bench_fraud.measured(800, 10, 2_000, scored=300, asked=100, repeats=2)]
    assert [(row.name, row.unit) for row in rows] == [
        ("simulate under rules, 800 cards x 10 days", "events/s"),
        ("the same over the 25,059 events/s that the handbook's generator prints", "times"),
        ("FeatureState: features and update, 2,000 events", "events/s"),
        ("Scorer.score in process, 300 events, p50", "ms"),
        ("POST /score over loopback, 90 events, p50", "ms"),
        ("POST /score over loopback, 90 events, p99", "ms"),
        ("the same, by the server's CPU time", "events/s a core"),
        ("cores for 50M events a day at 2.5 times the mean, 60% busy", "cores"),
    ]
    values = {row.name: row.value for row in rows}
    assert all(value > 0 for value in values.values())
    assert rows[0].low <= rows[0].value <= rows[0].high
    assert rows[1].value == pytest.approx(rows[0].value / (1_754_155 / 70))
    assert rows[4].value <= rows[5].value
    assert rows[7].value == bench_fraud.cores(rows[6].value)


def test_the_bench_of_the_bank_has_the_sizes_promised_and_refuses_an_answer_of_the_rules_alone():
    assert (bench_fraud.CARDS, bench_fraud.DAYS) == (15_000, 120)
    assert bench_fraud.EVENTS_A_DAY == 50_000_000
    assert [bench_fraud.cores(speed) for speed in (50_000_000 / 86_400 * 2.5 / 0.6, 1.0)] == [1, 2_412]

    class Line:
        status = 200

        def request(self, *_):
            pass

        def getresponse(self):
            return self

        def read(self):
            return b'{"fallback": "model: ValueError: none"}'

    with pytest.raises(RuntimeError, match="the service must answer by its model, got"):
        bench_fraud.answer(Line(), {})


def test_the_peer_is_told_as_its_time_over_ours(monkeypatch, tmp_path):
    said = {"theirs": {"version": "1.2", "moments": 6.0, "effects": 3.0}, "ours": {"moments": 2.0, "effects": 0.5}}
    commands = []

    def watched(command):
        commands.append(command)
        return said["theirs" if command[0] == "peer" else "ours"], 70.0

    monkeypatch.setattr(bench_feed, "watched", watched)
    assert bench_feed.against_peer("peer", tmp_path / "a.parquet", 3, "3 metrics x 9 users") == [
        ("gbstats 1.2 with pandas over this package, 3 metrics x 9 users", 3.0, "times"),
        ("gbstats 1.2 over this package, 3 effects from sums", 6.0, "times"),
        ("gbstats 1.2 with pandas, 3 metrics x 9 users, peak memory", 70.0, "MB"),
    ]
    assert Path(commands[0][1]).exists()
    assert commands[1] == bench_feed.reading(tmp_path / "a.parquet", 3, 1)


def test_a_command_that_fails_stops_the_bench():
    with pytest.raises(subprocess.CalledProcessError):
        bench_feed.watched([sys.executable, "-c", "raise SystemExit(3)"])


def test_the_file_has_compact_types_and_both_covariates(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench_feed, "CHUNK", 400)
        table = pq.read_table(bench_feed.write(tmp_path / "users.parquet", 1_000, 2))
    kinds = {field.name: str(field.type) for field in table.schema if field.name != "arm"}
    assert kinds == {"before_0": "float", "before_1": "float", "metric_0": "float", "metric_1": "uint8"}
    assert table.num_rows == 1_000
    correlations = np.corrcoef([table[name].to_numpy() for name in kinds])
    assert (correlations > 0.2).all()


def test_a_row_is_the_median_with_its_range():
    ticks = iter([0.0, 3.0, 10.0, 11.0, 20.0, 22.0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench.time, "perf_counter", lambda: next(ticks))
        assert bench.timed("x", lambda: None, 3) == bench.Row("x", 2.0, "s", 1.0, 3.0)


def test_the_file_has_the_form_that_the_page_reads(rows, tmp_path):
    path = bench.write(rows, tmp_path)
    assert path == tmp_path / "_build" / "bench.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    assert list(document) == ["machine", "versions", "rows"]
    assert document["versions"] == versions()
    for row in document["rows"]:
        assert list(row) == KEYS
        assert (row["machine"], row["versions"]) == (document["machine"], document["versions"])
        assert row["value"] > 0


def test_the_machine_is_one_line_without_its_name():
    line = bench.machine()
    assert "\n" not in line
    assert " cores, " in line and " GB, " in line
    assert line.endswith(f"{platform.system()} {platform.machine()}")
    assert platform.node() not in line


def test_the_processor_is_read_where_the_system_tells_it(tmp_path):
    table = tmp_path / "cpuinfo"
    table.write_text("processor : 0\nmodel name\t: Sample 9000 @ 2GHz\nmodel name\t: Sample 9000 @ 2GHz\n")
    assert bench.processor(table) == "Sample 9000 @ 2GHz"
    assert bench.processor(tmp_path / "absent")


def test_chapters_and_site_are_taken_from_the_last_report(tmp_path):
    assert bench.reported(tmp_path) == []
    report = built(tmp_path, "report")
    report.mkdir(parents=True)
    failed = RUN | {"notebook": "02_b", "status": "cell 3: ValueError"}
    (report / "notebooks.json").write_text(json.dumps([RUN, failed]))
    (report / "site_seconds.json").write_text("12.5")
    assert bench.reported(tmp_path) == [
        bench.Row("01_a, small scale, time", 4.2, "s"),
        bench.Row("01_a, small scale, peak memory", 310.0, "MB"),
        bench.Row("site build, notebooks already executed", 12.5, "s"),
    ]


CHAPTER = """# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["parameters"]
scale = "small"

# %%
{cell}
"""


def checkout(root: Path, cell: str) -> Path:
    (root / "notebooks").mkdir()
    (root / "notebooks" / "01_a.py").write_text(CHAPTER.format(cell=cell), encoding="utf-8")
    (root / "requirements.lock").write_text("", encoding="utf-8")
    (root / "_config.yml").write_text("repository: {url: 'https://example.org/a'}\n", encoding="utf-8")
    for name in ("src", "data"):
        (root / name).mkdir()
    return root


def test_the_full_scale_reaches_the_notebook_and_nothing_is_left_behind(tmp_path):
    root = checkout(tmp_path, 'assert scale == "full"')
    rows = bench.full_scale(("01_a",), root)
    assert [(row.name, row.unit) for row in rows] == [
        ("01_a, full scale, time", "s"),
        ("01_a, full scale, peak memory", "MB"),
    ]
    assert all(row.value > 0 for row in rows)
    assert list(built(root).iterdir()) == []
    assert [path.name for path in (root / "notebooks").iterdir()] == ["01_a.py"]


def test_a_chapter_that_fails_at_full_scale_stops_the_bench(tmp_path):
    with pytest.raises(RuntimeError) as caught:
        bench.full_scale(("01_a",), checkout(tmp_path, "1 / 0"))
    # Cell 2, since the parameters are written into a cell of their own.
    where = "cell 2: ZeroDivisionError: division by zero"
    assert str(caught.value) == f"01_a must run at full scale, got an error in {where}; mend the cell."
    assert list(built(tmp_path).iterdir()) == []


def test_the_full_scale_chapters_exist():
    assert all((ROOT / "notebooks" / f"{chapter}.py").exists() for chapter in bench.FULL)


def test_the_page_shows_every_row_and_reads_the_file_beside_the_report(pages, monkeypatch):
    rows = [bench.Row("sort <a>", 0.5, "s", 0.25, 12.0), bench.Row("01_a, peak memory", 1310.4, "MB")]
    directive = pages.BenchTable.__new__(pages.BenchTable)
    text = directive.show(bench.document(rows))
    cells = "<td>sort &lt;a&gt;</td><td>0.5</td><td>0.25 to 12</td><td>s</td>"
    assert cells in text
    assert "<td>01_a, peak memory</td><td>1,310</td><td></td><td>MB</td>" in text
    assert bench.machine() in text
    monkeypatch.setenv("CASEBOOK_REPORT", str(built(ROOT, "report")))
    path = pages.report_folder("elsewhere") / pages.BenchTable.file
    assert path.resolve() == built(ROOT, "bench.json").resolve()
