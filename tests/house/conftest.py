"""A tiny project in a temporary folder: what the workshop's tools need of a checkout, and nothing of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tools.bootstrap import find_uv
from tools.paths import ROOT

HEADER = """# ---
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
"""
ADDRESS = "https://github.com/owner/course"
CONFIG = {
    "title": "Tiny",
    "only_build_toc_files": True,
    "exclude_patterns": ["_build", "notebooks/*.py"],
    "execute": {"execute_notebooks": "off"},
    "repository": {"url": ADDRESS, "branch": "main", "path_to_book": ""},
    "launch_buttons": {"colab_url": "https://colab.research.google.com", "thebe": False},
    "sphinx": {"config": {"language": "en", "nb_ipywidgets_js": {}}},
}


@dataclass(frozen=True)
class Project:
    """A checkout in small."""

    root: Path

    def chapter(self, stem: str, *cells: str, header: str = HEADER) -> Path:
        """Write ``notebooks/{stem}.py`` from cells, each with its ``# %%`` line, and put it into the contents."""
        path = self.root / "notebooks" / f"{stem}.py"
        path.write_text(header + "".join(f"\n{cell.strip()}\n" for cell in cells), encoding="utf-8")
        chapters = [{"file": f"notebooks/{p.stem}"} for p in sorted((self.root / "notebooks").glob("[0-9]*.py"))]
        toc = {"format": "jb-book", "root": "book/index", "chapters": chapters}
        (self.root / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
        return path

    def index(self, text: str) -> None:
        """Write the landing page."""
        (self.root / "book" / "index.md").write_text(text, encoding="utf-8")

    def page(self, stem: str) -> str:
        """Return a chapter's built page."""
        return (self.root / "_build/html/notebooks" / f"{stem}.html").read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return an empty tiny project; no CI variable reaches it."""
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    root = tmp_path / "course"
    for folder in ("notebooks", "book", "src", "data"):
        (root / folder).mkdir(parents=True)
    (root / "requirements.lock").write_text("numpy==2.4.6\n", encoding="utf-8")
    (root / "_config.yml").write_text(yaml.safe_dump(CONFIG), encoding="utf-8")
    made = Project(root)
    made.index("# Tiny\n\nA landing page.\n")
    return made


@pytest.fixture(scope="session")
def uv() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs uv and fails with all that it said."""
    program = find_uv()

    def run(*words: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
        done = subprocess.run(
            [program, *map(str, words)], check=False, cwd=cwd, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"uv {' '.join(map(str, words))}\n{done.stdout}{done.stderr}"
        return done

    return run


@pytest.fixture(scope="session")
def wheel(uv: Callable[..., subprocess.CompletedProcess[str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the package's wheel once, from a copy that holds no earlier build's leavings."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT"):
        shutil.copy(ROOT / name, copy)
    for name in ("src", "data"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    uv("build", "--wheel", "--quiet", "--out-dir", copy / "dist", copy)
    [made] = (copy / "dist").glob("*.whl")
    return made
