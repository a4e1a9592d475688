"""The list of warnings: what is on it goes, what is not stays and fails, and nothing is silenced wholesale."""

from __future__ import annotations

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools.warnings_list import LIST, Allowed, Notice, load_allowed, module_of, notices, without_listed

HOME = "/env/lib/python3.11/site-packages"
TREE = f"{HOME}/causalml/inference/tree.py:12: FutureWarning: The alias is gone in 2.0.\n  tree.fit(x)\n"
ENTRY = Allowed("FutureWarning", r"The alias is gone", "causalml", "causalml 0.18 has no newer release")
LOG = Allowed("log", r"Sampling 2 chains", "pymc", "PyMC says so on every fit")


def loud(text: str) -> nbformat.NotebookNode:
    outputs = [new_output("stream", name="stdout", text="kept"), new_output("stream", name="stderr", text=text)]
    return new_notebook(cells=[new_markdown_cell("# Title"), new_code_cell("f()", outputs=outputs)])


def streams(notebook: nbformat.NotebookNode) -> list[str]:
    return [output.name for output in notebook.cells[1].outputs]


def test_a_listed_warning_leaves_the_page_and_the_rest_stays():
    notebook = loud(TREE)
    assert without_listed("05_a", notebook, [ENTRY]) == []
    assert streams(notebook) == ["stdout"]


def test_an_unlisted_warning_fails_and_stays():
    notebook = loud(TREE)
    assert without_listed("05_a", notebook, []) == [
        "05_a, cell 1, must print no warning that is not on the list, got FutureWarning from causalml.inference.tree: "
        "The alias is gone in 2.0.; mend its cause or list it in tools/allowed_warnings.yml."
    ]
    assert streams(notebook) == ["stdout", "stderr"]


@pytest.mark.parametrize(
    "entry",
    [
        Allowed("UserWarning", ENTRY.message, ENTRY.module, "another class"),
        Allowed(ENTRY.category, "alias is gone", ENTRY.module, "not its beginning"),
        Allowed(ENTRY.category, ENTRY.message, "causal", "another package with the same beginning"),
        Allowed(ENTRY.category, ENTRY.message, "causalml.inference.tree.deeper", "a module below"),
        Allowed("log", ENTRY.message, ENTRY.module, "a warning is no log line"),
    ],
    ids=lambda entry: entry.reason,
)
def test_each_field_of_an_entry_counts(entry):
    assert len(without_listed("05_a", loud(TREE), [entry])) == 1


def test_a_stream_goes_only_if_all_of_it_is_listed():
    notebook = loud(TREE + "loss is nan\n")
    [wrong] = without_listed("05_a", notebook, [ENTRY])
    assert "got log: loss is nan; " in wrong
    assert streams(notebook) == ["stdout", "stderr"]


def test_a_log_line_is_listed_by_its_beginning():
    assert without_listed("05_a", loud("Sampling 2 chains for 500 draws\n"), [LOG]) == []
    assert len(without_listed("05_a", loud("There were 3 divergences\n"), [LOG])) == 1


def test_a_notebooks_own_warning_comes_from_main():
    [notice] = notices("/tmp/ipykernel_77/1234.py:3: UserWarning: careful\n  warnings.warn('careful')\n")
    assert (notice.category, notice.message, notice.module) == ("UserWarning", "careful", "__main__")


@pytest.mark.parametrize(
    ("path", "module"),
    [
        (f"{HOME}/arviz/__init__.py", "arviz"),
        ("C:\\env\\site-packages\\keras\\src\\ops.py", "keras.src.ops"),
        ("/anywhere/src/casebook/claims/model.py", "casebook.claims.model"),
        ("<string>", "__main__"),
    ],
)
def test_a_file_becomes_its_module(path, module):
    assert module_of(path) == module


def test_an_entry_lacks_nothing(tmp_path):
    path = tmp_path / "list.yml"
    path.write_text("- {category: UserWarning, message: careful, module: a, reason: ''}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="fill each in") as caught:
        load_allowed(path)
    assert str(caught.value) == (
        "Entry 1 of list.yml must have the texts category, message, module, reason, "
        "got category, message, module, reason; fill each in."
    )
    path.write_text("- {category: UserWarning, message: careful}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="got category, message; fill each in"):
        load_allowed(path)


def wholesale(entry: Allowed) -> bool:
    """Tell whether an entry lets another message of its class and module through."""
    other = notices(f"{HOME}/{entry.module.replace('.', '/')}.py:1: {entry.category}: something else\n")[0]
    return entry.covers(other if entry.category != "log" else Notice("log", "something else"))


def test_the_courses_own_list_silences_nothing_wholesale():
    assert wholesale(Allowed("UserWarning", ".*", "arviz", "any"))
    assert wholesale(Allowed("log", "", "pymc", "any"))
    assert [entry for entry in load_allowed(LIST) if wholesale(entry)] == []
