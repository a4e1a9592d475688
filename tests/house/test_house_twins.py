"""Twins and exercise sheets: drift is named, launch buttons and papermill keep working, solutions do not leak."""

from __future__ import annotations

import json

import jupytext
import nbformat
import pytest

from tools import twins

INSTALL = '# %% tags=["install", "remove-cell"]\n# business-ml-casebook[causal]'
PARAMETERS = '# %% tags=["parameters"]\nseed = 3\nscale = "small"'
FIGURE = '# %% mystnb={"image": {"alt": "Two curves cross at 0.2."}} tags=["hide-input"]\nplot()'
TASK = '# %% [markdown] tags=["exercise"]\n# Find the threshold. Hint: a miss costs 20.'
SOLUTION = '# %% tags=["solution", "hide-cell"]\ncosts = (1, 20)\n# solution\nanswer = 1 / 21'
CHECK = '# %% tags=["exercise"]\nassert abs(answer - 1 / 21) < 1e-9'
FLAT_HEADER = """# ---
# jupytext:
#   text_representation:
#     extension: .py
#     format_name: percent
# kernelspec:
#   display_name: Python 3
#   name: python3
# ---
"""


@pytest.fixture
def written(project):
    """Return a project of one chapter with its derived notebooks on disk."""
    project.chapter("03_x", INSTALL, PARAMETERS, FIGURE, TASK, SOLUTION, CHECK)
    twins.write(project.root)
    return project


def twin(project) -> nbformat.NotebookNode:
    return nbformat.read(project.root / "notebooks/03_x.ipynb", as_version=4)


def sheet(project) -> nbformat.NotebookNode:
    return nbformat.read(project.root / "notebooks/exercises/03_x.ipynb", as_version=4)


def test_fresh_twins_have_not_drifted(written):
    assert twins.drifted(written.root) == []


def test_an_edited_twin_is_named(written):
    path = written.root / "notebooks/03_x.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("seed = 3", "seed = 4"), encoding="utf-8")
    assert twins.drifted(written.root) == ["notebooks/03_x.ipynb"]
    assert twins.complaint("notebooks/03_x.ipynb", written.root) == (
        "notebooks/03_x.ipynb must equal what its .py gives, got another text; run `make twins`."
    )


def test_a_twin_with_outputs_has_drifted(written):
    executed = twin(written)
    executed.cells[1].execution_count = 1
    (written.root / "notebooks/03_x.ipynb").write_text(twins.as_text(executed), encoding="utf-8")
    assert twins.drifted(written.root) == ["notebooks/03_x.ipynb"]


def test_a_missing_twin_is_named(written):
    (written.root / "notebooks/exercises/03_x.ipynb").unlink()
    assert twins.drifted(written.root) == ["notebooks/exercises/03_x.ipynb"]
    assert twins.complaint("notebooks/exercises/03_x.ipynb", written.root) == (
        "notebooks/exercises/03_x.ipynb must equal what its .py gives, got no file; run `make twins`."
    )


def test_an_orphan_is_named_and_not_blamed_on_a_chapter(written):
    (written.root / "notebooks/04_gone.ipynb").write_text("{}", encoding="utf-8")
    assert twins.drifted(written.root) == ["notebooks/04_gone.ipynb"]
    assert twins.complaint("notebooks/04_gone.ipynb", written.root) == (
        "notebooks/04_gone.ipynb must have a chapter that it is derived from, got none; delete it or add the chapter."
    )


def test_a_notebook_that_is_being_executed_is_no_orphan(written):
    (written.root / "notebooks/.03_x.run.ipynb").write_text("{}", encoding="utf-8")
    assert twins.drifted(written.root) == []


def test_the_chapters_own_twins_are_fresh():
    assert [twins.complaint(name) for name in twins.drifted()] == []


def test_the_install_cell_carries_address_and_extra(written):
    cell = twin(written).cells[0]
    assert 'package = "business-ml-casebook[causal] @ git+https://github.com/owner/course"' in cell.source
    assert cell.metadata.tags == ["install", "remove-cell"]
    compile(cell.source, "install", "exec")


def test_a_chapter_without_extra_installs_the_base_package(project):
    chapter = twins.read_chapter(project.chapter("03_x", "# %% tags=['install']\n# business-ml-casebook"), project.root)
    assert 'package = "business-ml-casebook @ git+https://github.com/owner/course"' in chapter.cells[0].source


def test_a_forks_own_ci_installs_the_fork_but_its_twins_do_not_drift(written, monkeypatch):
    monkeypatch.setenv("GITHUB_REPOSITORY", "fork/course")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    chapter = twins.read_chapter(written.root / "notebooks/03_x.py", written.root)
    assert "git+https://github.com/fork/course" in chapter.cells[0].source
    assert twins.drifted(written.root) == []


def test_papermill_finds_exactly_one_parameters_cell(written):
    tagged = [cell.source for cell in twin(written).cells if "parameters" in cell.metadata.get("tags", [])]
    assert tagged == ['seed = 3\nscale = "small"']


def test_the_kernel_is_where_papermill_and_launch_buttons_look(written):
    metadata = twin(written).metadata
    assert metadata.kernelspec == {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert "jupytext" not in metadata


def test_a_header_that_is_not_nested_is_refused(project):
    source = project.chapter("03_x", PARAMETERS, header=FLAT_HEADER)
    with pytest.raises(ValueError, match="header must nest") as caught:
        twins.read_chapter(source, project.root)
    assert str(caught.value) == (
        "03_x.py's header must nest jupytext and kernelspec (name, display_name, language: python) under `jupyter:`, "
        "got no such kernelspec; copy another chapter's header."
    )


def test_the_twin_is_a_valid_notebook_without_outputs(written):
    nbformat.validate(twin(written))
    code = [cell for cell in twin(written).cells if cell.cell_type == "code"]
    assert [(cell.outputs, cell.execution_count) for cell in code] == [([], None)] * 5


def test_tags_and_alt_text_survive_the_way_there_and_back(written):
    figure = twin(written).cells[2]
    assert figure.metadata.mystnb.image.alt == "Two curves cross at 0.2."
    assert figure.metadata.tags == ["hide-input"]
    again = jupytext.reads(jupytext.writes(twin(written), fmt="py:percent"), fmt="py:percent")
    assert again.cells[2].metadata == figure.metadata


def test_the_sheet_drops_the_solution_and_keeps_task_hint_and_check(written):
    heading, install, task, blank, check = sheet(written).cells
    assert heading.source.startswith("# Exercises: ")
    assert heading.source.endswith(
        " Numbers are right to about one percent: give three digits; write shares as 0.05, not 5."
    )
    assert "business-ml-casebook[causal]" in install.source
    assert task.source == "Find the threshold. Hint: a miss costs 20."
    assert blank.source == "costs = (1, 20)\n# Write your code here.\nanswer = ..."
    assert check.source == "assert abs(answer - 1 / 21) < 1e-9"


def test_a_solution_without_a_mark_is_dropped_whole(project):
    chapter = twins.read_chapter(project.chapter("03_x", '# %% tags=["solution"]\nanswer = 1 / 21'), project.root)
    _, cell = twins.exercise_sheet(chapter).cells
    assert cell.source == "# Write your code here.\nanswer = ..."


def test_the_sheet_hides_nothing(written):
    assert [cell.metadata for cell in sheet(written).cells] == [{}] * 5


def test_a_chapter_without_exercises_has_no_sheet(project):
    project.chapter("04_y", INSTALL, PARAMETERS)
    assert [path.name for path in twins.derived(project.root)] == ["04_y.ipynb"]


def test_two_derivations_are_byte_identical(written):
    first, second = twins.derived(written.root), twins.derived(written.root)
    assert first == second
    assert len(first) == 2
    for path, text in first.items():
        assert path.read_bytes() == text.encode()


def test_cell_ids_come_from_the_order_and_not_from_chance(written):
    ids = [cell["id"] for cell in json.loads((written.root / "notebooks/03_x.ipynb").read_text())["cells"]]
    assert ids == [f"cell-{number:03d}" for number in range(6)]
