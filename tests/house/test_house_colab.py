"""One click in Colab: nothing that is imported there is replaced, and a lone notebook runs in a bare folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import lock, twins
from tools.paths import ROOT, notebook_sources

pytestmark = pytest.mark.slow

CONSTRAINTS = Path(__file__).with_name("colab_constraints.txt")
IMPORTED_THERE = {"numpy", "pandas", "scipy", "scikit-learn", "matplotlib", "lightgbm"}
CHAPTERS = [source.stem for source in notebook_sources()]
RUNNER = ["ipykernel", "nbclient", "nbformat"]
ROOMS_EXTRAS = "[bayes,causal,forecast,graph,neural,redis,scale,serve,sql]"  # what the rooms' own tests import
PEERS = ["pytest", "hypothesis", "statsmodels"]  # what tests/package holds the package's own numbers against
RUN = """
import sys
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
"""
WHERE = "import casebook, casebook.data, sys; print(casebook.__file__, casebook.data.__file__, sys.version_info[:2])"


def pinned(text: str) -> dict[str, str]:
    """Return the versions of a list of pins."""
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s;]+)", text, re.M))


def interpreter(version: str) -> str | None:
    """Return a working Python of a version: this one, one on the path, or one of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = [sys.executable, shutil.which(f"python{version}"), *sorted(pyenv.glob(f"versions/{version}.*/bin/python"))]
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    for path in filter(None, found):
        done = subprocess.run([str(path), "-c", ask], capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return str(path)
    return None


def needed(version: str) -> str:
    """Return the interpreter or skip; in CI a missing one is a failure."""
    path = interpreter(version)
    sentence = f"Python {version} must be on the path or under pyenv, got none; run `pyenv install {version}`."
    if path is None and os.environ.get("CI") == "true":
        pytest.fail(sentence)
    return path or pytest.skip(sentence)


def extras(chapter: str) -> str:
    """Return the extras that a chapter's install cell asks for, as ``[causal]``, or nothing."""
    text = (ROOT / "notebooks" / f"{chapter}.py").read_text(encoding="utf-8")
    return re.search(r"business-ml-casebook(\[[\w,]+\])?", text)[1] or ""


# The site executes every chapter on these very versions: here one of each set of extras shows that the set is enough.
LONGEST_FIRST = sorted(CHAPTERS, key=lambda chapter: -(ROOT / "notebooks" / f"{chapter}.py").stat().st_size)
ONE_OF_EACH = sorted({extras(chapter): chapter for chapter in LONGEST_FIRST}.values())


@pytest.fixture(scope="session")
def bare(uv, wheel, tmp_path_factory) -> Callable[[str, str, Path], Path]:
    """Return a function that makes an environment of the wheel with extras, once each, and returns its Python."""
    made: dict[tuple[str, str], Path] = {}

    def make(version: str, extra: str, constraints: Path) -> Path:
        if (version, extra) not in made:
            folder = tmp_path_factory.mktemp("bare")
            python = folder / "venv/bin/python"
            uv("venv", "--quiet", "--no-python-downloads", "--python", needed(version), folder / "venv", cwd=folder)
            asked = [f"business-ml-casebook{extra} @ {wheel.as_uri()}", *RUNNER]
            uv("pip", "install", "--quiet", "--python", python, "--constraint", constraints, *asked, cwd=folder)
            made[version, extra] = python
        return made[version, extra]

    return make


@pytest.fixture(scope="session")
def locked(tmp_path_factory) -> Path:
    """Return the lock's pins as constraints."""
    path = tmp_path_factory.mktemp("pins") / "constraints.txt"
    path.write_text("\n".join(lock.pins((ROOT / "requirements.lock").read_text(encoding="utf-8"))), encoding="utf-8")
    return path


def alone(folder: Path, **more: str) -> dict[str, str]:
    """Return the variables of a machine that knows nothing of this checkout and its network."""
    kept = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    return kept | {"CASEBOOK_OFFLINE": "1", "MPLBACKEND": "agg"} | more


def run_alone(python: Path, chapter: str, folder: Path) -> None:
    """Execute a chapter's twin, the only file of its folder, from top to bottom."""
    work = folder / "content"
    work.mkdir()
    twin = ROOT / "notebooks" / f"{chapter}.ipynb"
    (work / twin.name).write_text(twins.derived()[twin], encoding="utf-8")
    where = subprocess.run(
        [python, "-c", WHERE], cwd=work, env=alone(folder), capture_output=True, text=True, check=True
    )
    assert where.stdout.count("site-packages") == 2, where.stdout
    done = subprocess.run(
        [python, "-c", RUN, twin.name], cwd=work, env=alone(folder), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{chapter} must run alone in an empty folder, got:\n{done.stderr[-4000:]}"


def resolve(uv, folder: Path, *requirements: str) -> dict[str, str]:
    """Resolve requirements for Colab's Python under Colab's versions."""
    (folder / "in.txt").write_text("\n".join(requirements), encoding="utf-8")
    words = ["--python-version", "3.13", "--no-python-downloads", "--constraint", CONSTRAINTS, "--quiet"]
    return pinned(uv("pip", "compile", *words, "in.txt", cwd=folder).stdout)


def test_the_constraints_say_what_they_are():
    text = CONSTRAINTS.read_text(encoding="utf-8")
    assert text.startswith("# The versions that Colab has preinstalled")
    assert "Origin: Colab's public pip freeze (Python 3.13), dated 2026-11." in text
    assert set(pinned(text)) >= IMPORTED_THERE
    assert [line for line in text.splitlines() if line[0] != "#" and not pinned(line)] == []


@pytest.mark.parametrize("extra", sorted({"", *map(extras, CHAPTERS)}))
def test_one_click_replaces_nothing_that_is_imported_there(uv, wheel, extra, tmp_path):
    got = resolve(uv, tmp_path, f"business-ml-casebook{extra} @ {wheel.as_uri()}")
    there = pinned(CONSTRAINTS.read_text(encoding="utf-8"))
    assert {name: got[name] for name in IMPORTED_THERE} == {name: there[name] for name in IMPORTED_THERE}
    assert {name: got[name] for name in there if name in got} == {name: there[name] for name in there if name in got}
    assert set(there) - set(got) == set(), "a pin that the package does not need"


def test_a_bound_that_colab_cannot_meet_is_seen(uv, wheel, tmp_path):
    with pytest.raises(AssertionError, match="pandas"):
        resolve(uv, tmp_path, f"business-ml-casebook @ {wheel.as_uri()}", "pandas>=3")


def test_there_are_chapters():
    assert CHAPTERS != []


@pytest.mark.parametrize("chapter", ONE_OF_EACH)
def test_a_lone_twin_runs_in_a_bare_folder(bare, locked, chapter, tmp_path):
    run_alone(bare("3.11", extras(chapter), locked), chapter, tmp_path)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_lone_twin_runs_on_colabs_older_versions(bare, chapter, tmp_path):
    run_alone(bare("3.13", extras(chapter), CONSTRAINTS), chapter, tmp_path)


def test_the_packages_own_fast_tests_pass_on_colabs_older_versions(bare, uv, tmp_path):
    python = bare("3.13", ROOMS_EXTRAS, CONSTRAINTS)
    uv("pip", "install", "--quiet", "--python", python, "--constraint", CONSTRAINTS, *PEERS, cwd=tmp_path)
    where = subprocess.run(
        [python, "-c", WHERE], cwd=ROOT, env=alone(tmp_path), capture_output=True, text=True, check=True
    )
    assert where.stdout.count("site-packages") == 2, where.stdout
    words = ["-m", "pytest", "-m", "not slow and not site and not notebooks", "-p", "no:cacheprovider", "tests/package"]
    words += ["-o", "filterwarnings=default"]
    done = subprocess.run(
        [python, "-B", *words], cwd=ROOT, env=alone(tmp_path), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_a_missing_python_is_skipped_with_its_mend_and_fails_in_ci(monkeypatch):
    sentence = "Python 3.99 must be on the path or under pyenv, got none; run `pyenv install 3.99`."
    monkeypatch.setenv("CI", "false")
    with pytest.raises(pytest.skip.Exception, match=re.escape(sentence)):
        needed("3.99")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=re.escape(sentence)):
        needed("3.99")
