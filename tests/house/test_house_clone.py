"""The README, followed to the letter: a clean clone, a fresh home, no data, the same command twice."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.bootstrap import find_uv
from tools.paths import ROOT

pytestmark = pytest.mark.slow
MAY_VARY = re.compile(r"\d+")
PROGRESS = re.compile(r"^  \S+: cell \d+ of \d+, \d+ s, \d+ MB$")
MAY_PRECEDE = "uv is missing: bringing it by pip into .uv"


def promised() -> list[str]:
    """Return the lines that the README promises after ``$ make site``, numbers as ``N``."""
    block = (ROOT / "README.md").read_text(encoding="utf-8").split("$ make site\n")[1].split("```")[0]
    return [MAY_VARY.sub("N", line) for line in block.splitlines() if line]


def said(output: str) -> list[str]:
    """Return what a run printed in the README's terms: no progress lines, numbers as ``N``."""
    lines = [line for line in output.splitlines() if line and not PROGRESS.match(line) and line != MAY_PRECEDE]
    return [MAY_VARY.sub("N", line) for line in lines]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what git holds or would hold, with nothing built in it."""
    place = tmp_path_factory.mktemp("clone") / "course"
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    for name in names:
        if (ROOT / name).exists():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
    return place


def make_site(clone: Path, home: Path) -> str:
    cache = subprocess.run([find_uv(), "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SSL_CERT_FILE") if name in os.environ}
    environment = kept | {"HOME": str(home), "UV_CACHE_DIR": cache, "CASEBOOK_OFFLINE": "1"}
    done = subprocess.run(
        ["make", "site"], cwd=clone, env=environment, capture_output=True, text=True, timeout=1500, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_the_readmes_command_says_what_the_readme_says_twice_and_without_data(clone, tmp_path):
    first = make_site(clone, tmp_path)
    assert sorted(said(first)) == sorted(promised())
    again = make_site(clone, tmp_path)
    assert "unchanged, its earlier run serves" in again
    assert "Installing" not in again
    page = (clone / "_build" / "html" / "notebooks" / "03_cost_asymmetry.html").read_text(encoding="utf-8")
    assert "not run here (data absent)" in page


def test_a_number_or_a_line_of_progress_may_vary_and_nothing_else():
    assert said("  a: cell 3 of 9, 12 s, 300 MB\n  a: done in 12 s\n") == ["  a: done in N s"]
    assert said("A warning\n") == ["A warning"]
