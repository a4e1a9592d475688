"""The lock: pinned, hashed, free of addresses, and equal to what Binder gets; the package's own bounds."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tools import lock
from tools.paths import ROOT

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
ENVIRONMENT = (ROOT / "environment.yml").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PIN = re.compile(r"[A-Za-z0-9_.-]+==[A-Za-z0-9.+!]+(?P<marker> ; [^\\]+)?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
CAP = re.compile(r"<|==|~=|===")
ADDRESS = re.compile(
    r"://|find-links|index-url|trusted-host|file:| @ |\b(?:[a-z0-9-]+\.)+(?:org|com|net|io|dev|local)\b|localhost", re.I
)


def rows(text: str) -> list[list[str]]:
    """Split a lock into rows: a requirement and its hashes."""
    joined = text.replace("\\\n", " ")
    return [re.split(r"\s+(?=--hash)", line.strip()) for line in joined.splitlines() if line.strip()]


def unpinned(text: str) -> list[str]:
    """Name the rows that lack a pin or a hash."""
    return [
        row[0] for row in rows(text) if not (PIN.fullmatch(row[0]) and row[1:] and all(map(HASH.fullmatch, row[1:])))
    ]


def test_every_row_is_pinned_and_hashed():
    assert len(rows(LOCK)) > 200
    assert unpinned(LOCK) == []


@pytest.mark.parametrize("row", ["numpy>=2", "numpy==2.4.6", "numpy==2.4.6 \\\n    --hash=md5:00", "-e ."])
def test_a_row_without_pin_or_hash_is_seen(row):
    assert len(unpinned(row)) == 1


@pytest.mark.parametrize("text", [LOCK, ENVIRONMENT], ids=["lock", "environment"])
def test_no_address_stands_in_lock_or_environment(text):
    assert ADDRESS.findall(text) == []


@pytest.mark.parametrize(
    "row",
    [
        "--index-url https://mirror.example/simple",
        "--find-links wheels",
        "numpy @ file:///wheels/numpy.whl",
        "--trusted-host proxy.local",
        "# from packages.org",
    ],
)
def test_an_address_is_seen(row):
    assert ADDRESS.search(row)


def test_environment_and_lock_have_not_parted():
    assert lock.environment(LOCK) == ENVIRONMENT, "environment.yml must follow from requirements.lock; run `make lock`."


def test_environment_drops_hashes_and_keeps_markers():
    text = "a==1 \\\n    --hash=sha256:00\nb==2 ; python_full_version < '3.12' \\\n    --hash=sha256:11\n# remark\n"
    assert lock.environment(text) == lock.HEAD + (
        '    - "a==1"\n    - "b==2 ; python_full_version < \'3.12\'"\n    - "-e ."\n'
    )


def test_what_is_switched_off_does_not_reach_binder():
    assert lock.pins("nvidia-nccl-cu12==2.1 ; sys_platform == 'never' \\\n    --hash=sha256:00\n") == []


def test_pandas_is_of_the_new_line():
    [version] = re.findall(r"^pandas==(\d+)\.", LOCK, re.M)
    assert int(version) >= 3


def test_no_gpu_code_is_installed():
    assert [row[0] for row in rows(LOCK) if row[0].startswith("nvidia") and "'never'" not in row[0]] == []
    assert "nvidia" not in ENVIRONMENT
    for name in ("nvidia-nccl-cu12", "nvidia-nccl-cu13"):
        assert f"{name}; sys_platform == 'never'" in PROJECT["tool"]["uv"]["override-dependencies"]


def test_every_direct_dependency_is_in_the_lock():
    groups = [PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"].values()]
    asked = {re.match(r"[\w.-]+", row)[0] for group in groups for row in group}
    assert {name.lower() for name in asked} - {row[0].split("==")[0] for row in rows(LOCK)} == set()


def test_base_dependencies_have_lower_bounds_and_no_caps():
    dependencies = PROJECT["project"]["dependencies"]
    assert [row for row in dependencies if ">=" not in row] == []
    assert [row for row in dependencies if CAP.search(row)] == []


def test_only_jupyter_book_is_capped_among_the_extras():
    extras = PROJECT["project"]["optional-dependencies"]
    capped = {(extra, row) for extra, names in extras.items() for row in names if CAP.search(row)}
    assert capped == {("site", "jupyter-book>=1.0.4,<2")}
    assert PROJECT["project"]["requires-python"] == ">=3.11,<3.14"


def test_the_wheel_holds_every_package_folder():
    source = ROOT / "src/casebook"
    folders = {path.parent.relative_to(source.parent) for path in source.rglob("*.py")}
    present = {".".join(Path(folder).parts) for folder in folders} | {"casebook.data"}
    listed = set(PROJECT["tool"]["setuptools"]["packages"])
    assert (sorted(present - listed), sorted(listed - present)) == ([], []), (
        "(missing from pyproject, without a folder)"
    )


def test_every_package_folder_has_an_init():
    folders = {path.parent for path in (ROOT / "src/casebook").rglob("*.py")} | {ROOT / "data"}
    assert [str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()] == []
