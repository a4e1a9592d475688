"""Every chapter as it was executed: no error, in order, in its time and memory, and the same numbers twice."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from casebook.claims import MIME
from tools import execute, ledger, twins, warnings_list
from tools.paths import ROOT, built, notebook_sources

CHAPTERS = [source.stem for source in notebook_sources()]
CLAIMS = [name for name in CHAPTERS if name.endswith("_claims")]
SECONDS, CLAIMS_SECONDS = 120, 60
PEAK_MB = 1500
LINES = 20
FOLDED = ("hide", "remove", "exercise", "solution", "install")
GLUED = "application/papermill.record/"


@dataclass(frozen=True)
class Executed:
    """A chapter's row of the report and its executed notebook."""

    row: dict[str, Any]
    notebook: nbformat.NotebookNode


@pytest.fixture(scope="session")
def report() -> dict[str, dict[str, Any]]:
    """Execute what has changed and return the report's rows by name."""
    execute.execute_all()
    rows = json.loads(built(ROOT, "report", "notebooks.json").read_text(encoding="utf-8"))
    return {row["notebook"]: row for row in rows}


@pytest.fixture
def done(report, chapter) -> Executed:
    """Return one executed chapter; all tests of a chapter that failed say where it did."""
    status = report[chapter]["status"]
    assert status == "ok", f"{chapter} must run from top to bottom, got {status}"
    return Executed(report[chapter], read(chapter))


def read(chapter: str) -> nbformat.NotebookNode:
    return nbformat.read(built(ROOT, "executed", f"{chapter}.ipynb"), as_version=4)


def code(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def long_cells(notebook: nbformat.NotebookNode) -> dict[int, int]:
    """Return the lines of each unfolded cell that has too many (blank lines and remarks do not count)."""
    found = {}
    for number, cell in enumerate(notebook.cells):
        lines = [line for line in cell.source.splitlines() if line.strip() and not line.strip().startswith("#")]
        folded = any(tag.startswith(FOLDED) for tag in twins.tags(cell))
        if cell.cell_type == "code" and len(lines) > LINES and not folded:
            found[number] = len(lines)
    return found


def styled(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the cells that use pandas' Styler: it needs jinja2, which a lone notebook's folder lacks."""
    return [
        cell.source for cell in notebook.cells if cell.cell_type == "code" and re.search(r"\w\.style\b", cell.source)
    ]


def findings(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """Return all that a notebook glued and all that it recorded as claims."""
    found = {}
    for output in (output for cell in code(notebook) for output in cell.outputs):
        name = output.get("metadata", {}).get("scrapbook", {}).get("name")
        data = {kind.removeprefix(GLUED): value for kind, value in output.get("data", {}).items()}
        if name:
            found[f"glue {name}"] = {kind: value for kind, value in data.items() if kind.startswith("text/")}
        claim = output.get("metadata", {}).get(MIME)
        if claim:
            found[f"claim {claim['id']}"] = claim
    return found


def alike(first: Any, second: Any) -> bool:
    """Say whether two findings agree: text to the letter, floats to a billionth, since threads add in any order."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(alike(first[name], second[name]) for name in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(alike, first, second))
    if isinstance(first, float) and isinstance(second, float):
        return first == pytest.approx(second, rel=1e-9, abs=1e-9, nan_ok=True)
    return type(first) is type(second) and first == second


def differing(first: dict[str, Any], second: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the findings that two runs do not share, each as both runs have it."""
    return {
        name: (first.get(name), second.get(name))
        for name in first | second
        if not alike(first.get(name), second.get(name))
    }


def again(chapter: str, target) -> nbformat.NotebookNode:
    """Execute a chapter once more, elsewhere than where the site reads it."""
    fresh = ROOT / "notebooks" / f".{chapter}.again.ipynb"
    nbformat.write(twins.read_chapter(fresh.with_name(f"{chapter}.py")), fresh)
    command = [execute.sys.executable, "-m", "tools.run_one", str(fresh), str(target)]
    try:
        run = execute._execute(chapter, command, ROOT)
    finally:
        fresh.unlink()
    assert run.status == "ok", run.status
    return nbformat.read(target, as_version=4)


@pytest.mark.notebooks
def test_there_are_chapters_and_claims_pages():
    assert set(CHAPTERS) - set(CLAIMS) != set()
    assert CLAIMS != []


@pytest.mark.notebooks
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_runs_from_top_to_bottom_in_order(done):
    counts = [cell.execution_count for cell in code(done.notebook)]
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.notebooks
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_keeps_to_its_time(done, chapter):
    allowed = CLAIMS_SECONDS if chapter in CLAIMS else SECONDS
    assert done.row["seconds"] <= allowed, f"{chapter} must take at most {allowed} s; shrink its small scale."


@pytest.mark.notebooks
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_keeps_to_its_memory(done, chapter):
    assert 0 < done.row["peak_mb"] <= PEAK_MB, f"{chapter} must hold at most {PEAK_MB} MB; shrink its small scale."


@pytest.mark.notebooks
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_has_one_cell_of_parameters_with_seed_and_scale(chapter):
    source = twins.read_chapter(ROOT / "notebooks" / f"{chapter}.py")
    [cell] = [cell for cell in source.cells if "parameters" in twins.tags(cell)]
    names = [line.split("=")[0].strip() for line in cell.source.splitlines() if "=" in line.split("#")[0]]
    assert names[:2] == ["seed", "scale"]


@pytest.mark.notebooks
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_has_no_cell_that_is_too_long_to_read(chapter):
    assert long_cells(twins.read_chapter(ROOT / "notebooks" / f"{chapter}.py")) == {}


@pytest.mark.notebooks
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_formats_no_table_with_what_a_lone_notebook_lacks(chapter):
    assert styled(twins.read_chapter(ROOT / "notebooks" / f"{chapter}.py")) == []


@pytest.mark.notebooks
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_has_no_digit_in_an_alt_text(chapter):
    cells = twins.read_chapter(ROOT / "notebooks" / f"{chapter}.py").cells
    alts = [cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "") for cell in cells]
    assert [alt for alt in alts if re.search(r"\d", alt)] == [], "a number in an alt text is typed, not computed"


@pytest.mark.notebooks
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_prints_no_warning_that_is_not_on_the_list(done, chapter):
    assert warnings_list.without_listed(chapter, done.notebook, warnings_list.load_allowed()) == []


@pytest.mark.notebooks
def test_the_ledger_is_complete(report):
    assert [row["status"] for row in report.values() if row["status"] != "ok"] == []
    assert ledger.write_ledger(ROOT) == []


@pytest.mark.notebooks
@pytest.mark.parametrize("chapter", CLAIMS)
def test_two_runs_give_the_same_numbers(done, chapter, tmp_path):
    first, second = findings(done.notebook), findings(again(chapter, tmp_path / "again.ipynb"))
    assert first != {}
    assert differing(first, second) == {}


def test_a_last_bit_is_the_same_number_and_all_else_is_not():
    first = {"a": {"value": 0.1 + 0.2, "values": [1.0, None], "sentence": "up"}}
    assert differing(first, {"a": {"value": 0.3, "values": [1.0, None], "sentence": "up"}}) == {}
    for other in ({"value": 0.3001}, {"values": [1.0]}, {"values": [1.0, 0.0]}, {"sentence": "down"}, {"more": 1}):
        assert set(differing(first, {"a": first["a"] | other})) == {"a"}
    assert set(differing(first, {})) == set(differing({}, first)) == {"a"}


def test_a_styled_table_is_seen():
    cells = [new_code_cell(line) for line in ("table.style.format(precision=1)", "style.finding(ax, title)")]
    assert styled(new_notebook(cells=cells)) == [cells[0].source]


def test_a_long_cell_is_seen_unless_folded():
    text = "\n".join(["# remark", "", *["x = 1"] * (LINES + 1)])
    assert long_cells(new_notebook(cells=[new_code_cell(text)])) == {0: LINES + 1}
    for tag in ("hide-input", "remove-cell", "exercise"):
        assert long_cells(new_notebook(cells=[new_code_cell(text, metadata={"tags": [tag]})])) == {}


def test_what_is_glued_and_what_is_claimed_is_found():
    glued = new_output("display_data", {f"{GLUED}text/plain": "'20'"}, metadata={"scrapbook": {"name": "ratio"}})
    claimed = new_output("display_data", metadata={MIME: {"id": "3.ratio", "verdict": "confirmed"}})
    notebook = new_notebook(cells=[new_code_cell("f()", outputs=[glued, claimed])])
    assert findings(notebook) == {
        "glue ratio": {"text/plain": "'20'"},
        "claim 3.ratio": {"id": "3.ratio", "verdict": "confirmed"},
    }
