"""Derive from each py:percent chapter its output-free ``.ipynb`` twin and its exercise sheet."""

from __future__ import annotations

import argparse
import copy
import json
import os
import re
import sys
from pathlib import Path

import jupytext
import nbformat
import yaml

from tools.paths import ROOT, notebook_sources

INSTALL = """# Brings the course's package where it is missing (Colab, an empty folder); elsewhere it does nothing.
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("casebook") is None:
    package = "{requirement} @ git+{address}"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", package], check=True)"""
BLANK = "# Write your code here."
KEPT_METADATA = {"kernelspec", "language_info"}


def repository(root: Path = ROOT) -> str:
    """Return the repository's address: the fork's in its own CI, else the one in ``_config.yml``."""
    if os.environ.get("GITHUB_REPOSITORY"):
        return f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{os.environ['GITHUB_REPOSITORY']}"
    return str(yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"])


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """Return a cell's tags."""
    return list(cell.metadata.get("tags", []))


def read_chapter(source: Path, root: Path = ROOT, address: str | None = None) -> nbformat.NotebookNode:
    """Read a chapter as an output-free notebook whose install cell is stamped with the address."""
    notebook = jupytext.read(source)
    if notebook.metadata.get("kernelspec", {}).get("language") != "python":
        raise ValueError(
            f"{source.name}'s header must nest jupytext and kernelspec (name, display_name, language: python) under "
            "`jupyter:`, got no such kernelspec; copy another chapter's header."
        )
    notebook.metadata = nbformat.NotebookNode(
        {key: value for key, value in notebook.metadata.items() if key in KEPT_METADATA}
    )
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"
        if "install" in tags(cell):
            match = re.search(r"business-ml-casebook(\[[\w,]+\])?", cell.source)
            requirement = match.group(0) if match else "business-ml-casebook"
            cell.source = INSTALL.format(requirement=requirement, address=address or repository(root))
    return notebook


def sheet_heading(chapter: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return the cell that opens a sheet: the chapter's title, and what to do."""
    title = next(
        (row[2:] for cell in chapter.cells for row in cell.source.splitlines() if row.startswith("# ")
         and cell.cell_type == "markdown"), "this chapter",
    )  # fmt: skip
    text = (
        f"# Exercises: {title}\n\nReplace `...` by your answer and run the check below it. "
        "Leave `...` to see a hint; the hint goes once you answer. "
        "Numbers are right to about one percent: give three digits; write shares as 0.05, not 5."
    )
    return nbformat.v4.new_markdown_cell(text, id="sheet-heading")


def exercise_sheet(chapter: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Derive the sheet: cells tagged ``exercise`` stay, and a ``solution`` keeps only what stands above its mark."""
    sheet = copy.deepcopy(chapter)
    sheet.cells = []
    for cell in chapter.cells:
        kept = copy.deepcopy(cell)
        if "solution" in tags(cell):
            above, mark, _ = cell.source.partition("# solution\n")
            kept.source = (above if mark else "") + BLANK + "\nanswer = ..."
            sheet.cells.append(kept)
        elif {"exercise", "install"} & set(tags(cell)):
            sheet.cells.append(kept)
    if sheet.cells:
        sheet.cells.insert(0, sheet_heading(chapter))
    for cell in sheet.cells:
        cell.metadata.pop("tags", None)
        cell.metadata.pop("mystnb", None)
    return sheet


def as_text(notebook: nbformat.NotebookNode) -> str:
    """Serialise a notebook the one way in which twins are compared."""
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def derived(root: Path = ROOT) -> dict[Path, str]:
    """Return every derived notebook's path and the text that it must have."""
    texts = {}
    address = str(yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"])
    for source in notebook_sources(root):
        chapter = read_chapter(source, root, address)
        texts[source.with_suffix(".ipynb")] = as_text(chapter)
        sheet = exercise_sheet(chapter)
        if any(BLANK in cell.source for cell in sheet.cells):
            texts[source.parent / "exercises" / f"{source.stem}.ipynb"] = as_text(sheet)
    return texts


def drifted(root: Path = ROOT) -> list[str]:
    """Name each derived notebook that is missing or differs from its source, and each that has no source."""
    texts = derived(root)
    wrong = [p for p, text in texts.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    found = (p for p in (root / "notebooks").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
    orphans = [p for p in found if p not in texts and not p.name.startswith(".")]
    return [p.relative_to(root).as_posix() for p in sorted([*wrong, *orphans])]


def complaint(name: str, root: Path = ROOT) -> str:
    """Return the sentence about one drifted notebook: missing, another text, or no source."""
    if root / name not in derived(root):
        return f"{name} must have a chapter that it is derived from, got none; delete it or add the chapter."
    got = "another text" if (root / name).exists() else "no file"
    return f"{name} must equal what its .py gives, got {got}; run `make twins`."


def write(root: Path = ROOT) -> None:
    """Write every derived notebook, with the same bytes on every platform."""
    for path, text in derived(root).items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def main() -> int:
    """Write the derived notebooks, or with ``--check`` only say which have drifted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        stale = drifted()
        for name in stale:
            print(complaint(name))
        return bool(stale)
    write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
