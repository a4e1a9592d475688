"""The papers around the code: versions, licences, the contributing page's tables, workflows and hooks."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.__main__ import COMMANDS
from tools.paths import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SETTINGS = ("CITATION.cff", ".pre-commit-config.yaml", "_config.yml", "_toc.yml", ".github/ISSUE_TEMPLATE/erratum.yml")
YAML_FILES = [*WORKFLOWS, *(ROOT / name for name in SETTINGS)]
CFF_KEYS = {"cff-version", "message", "title", "type", "authors", "version", "date-released", "license"}
BOOK_KEYS = {"type", "title", "authors", "year", "license"}
COMMAND = re.compile(r"(?:\bmake|-m tools) +([a-z]\w*)")
MODULE = re.compile(r"-m (tools\.\w+)|from (tools\.\w+) import")
TEST_FILE = re.compile(r"\btests/[\w/]+\.py")
# Our files and folders; words such as `rng`, and globs, are neither.
PATH = re.compile(r"`([\w.]+(?:/[\w.-]+)*(?:/|\.(?:py|yml|toml|md)))`")
GITHUB_JOB_KEYS = {"runs-on", "steps"}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def load(name: str) -> Any:
    return yaml.safe_load(read(name))


def project() -> dict[str, Any]:
    return tomllib.loads(read("pyproject.toml"))["project"]


def top_release() -> tuple[str, str]:
    found = re.search(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$", read("CHANGELOG.md"), re.M)
    assert found, "CHANGELOG.md must begin with an entry '## [X.Y.Z] - YYYY-MM-DD'"
    return found[1], found[2]


def section(page: str, heading: str) -> str:
    """Return what stands under a level-two heading."""
    return read(page).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def table_rows(text: str) -> list[list[str]]:
    """Return the body of a Markdown table, a list of cells a row."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    assert len(rows) > 2, "the section must hold a table"
    return rows[2:]


def steps(workflow: Path) -> Iterator[dict[str, Any]]:
    for job in yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].values():
        yield from job["steps"]


def shell_text() -> str:
    """Return every command line of the workflows, the hooks and ``.ci/run``."""
    lines = [step.get("run", "") for workflow in WORKFLOWS for step in steps(workflow)]
    lines += [hook["entry"] for repo in load(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    ci = [line for line in read(".ci/run").splitlines() if not line.startswith("#")]
    return "\n".join([*lines, *ci])


def make_targets() -> set[str]:
    return set(re.findall(r"^(\w+):.*##", read("Makefile"), re.M))


# Versions and licences


def test_version_is_one_in_package_citation_and_changelog() -> None:
    citation = load("CITATION.cff")
    versions = {
        "pyproject.toml": project()["version"],
        "CITATION.cff": citation["version"],
        "CITATION.cff, book": citation["preferred-citation"]["edition"],
        "CHANGELOG.md": top_release()[0],
    }
    assert len(set(versions.values())) == 1, versions


def test_dates_agree() -> None:
    citation = load("CITATION.cff")
    assert str(citation["date-released"]) == top_release()[1]
    assert str(citation["preferred-citation"]["year"]) == top_release()[1][:4]


def test_citation_has_what_the_format_requires() -> None:
    citation = load("CITATION.cff")
    assert set(citation) >= CFF_KEYS
    assert set(citation["preferred-citation"]) >= BOOK_KEYS
    assert citation["cff-version"] == "1.2.0"


def test_citation_names_the_repository_and_site_of_the_settings() -> None:
    citation, config = load("CITATION.cff"), load("_config.yml")
    assert citation["repository-code"] == config["repository"]["url"]
    assert citation["url"] == citation["preferred-citation"]["url"] == config["html"]["baseurl"]


def test_both_licences_are_named_alike_everywhere() -> None:
    citation = load("CITATION.cff")
    cited = f"{citation['license']} AND {citation['preferred-citation']['license']}"
    assert cited == project()["license"]
    assert read("LICENSE").startswith("MIT License\n")
    assert "https://creativecommons.org/licenses/by/4.0/" in read("LICENSE-TEXT")
    assert all("2026 The casebook's contributors" in read(name) for name in project()["license-files"])


# The contributing page


def test_map_names_only_what_exists() -> None:
    rows = table_rows(section("CONTRIBUTING.md", "Where new code goes"))
    named = {path for row in rows for path in PATH.findall(" ".join(row))}
    assert len(named) > 10
    missing = sorted(path for path in named if not (ROOT / path).exists())
    assert not missing, f"CONTRIBUTING.md must name only what exists, got {missing}; correct the map."


def test_derived_files_name_commands_that_exist() -> None:
    rows = table_rows(section("CONTRIBUTING.md", "Derived files"))
    named = [COMMAND.findall(row[2]) for row in rows]
    assert all(len(found) == 1 for found in named), named
    assert {found[0] for found in named} <= set(COMMANDS)


def test_files_said_to_be_committed_are_there() -> None:
    rows = table_rows(section("CONTRIBUTING.md", "Derived files"))
    patterns = [row[0].strip("`") for row in rows if row[3] == "yes"]
    empty = [pattern for pattern in patterns if not any(ROOT.glob(pattern))]
    assert not empty, f"a committed derived file must exist, got none for {empty}; run its command."


def test_glossary_holds_the_words_that_pages_link_to() -> None:
    page = read("book/glossary.md")
    terms = set(re.findall(r"^([a-zA-Z][\w -]*)\n  \S", page, re.M))
    assert len(terms) > 20
    pages = sorted((ROOT / "book").glob("*.md")) + sorted((ROOT / "notebooks").glob("*.py"))
    linked = {
        (found[1] or found[2], path.name)
        for path in pages
        for found in re.finditer(r"\{term\}`(?:[^`<]*<([^>]*)>|([^`<]*))`", path.read_text(encoding="utf-8"))
    }
    assert linked
    assert not sorted(pair for pair in linked if pair[0] not in terms)


# Workflows, hooks, settings


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: path.name)
def test_settings_parse_as_a_mapping(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_has_jobs_with_steps_that_do_one_thing(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow.get("on", workflow.get(True)), "YAML 1.1 reads the key `on` as true"
    assert all(job.keys() >= GITHUB_JOB_KEYS for job in workflow["jobs"].values())
    assert all(("uses" in step) != ("run" in step) for step in steps(path))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_pins_actions_and_caches_nothing(path: Path) -> None:
    used = [step["uses"] for step in steps(path) if "uses" in step]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", action) for action in used), used
    assert not [action for action in used if "cache" in action]
    assert not [step for step in steps(path) if "cache" in step.get("with", {})]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_waits_only_for_jobs_that_it_has(path: Path) -> None:
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    needed = {name for job in jobs.values() for name in job.get("needs", [])}
    assert needed <= set(jobs)


def test_commands_of_workflows_and_hooks_exist() -> None:
    named = set(COMMAND.findall(shell_text()))
    assert {"test", "check", "site", "lock"} <= named
    assert named <= set(COMMANDS)
    assert named <= make_targets()


def test_modules_and_tests_of_workflows_and_hooks_exist() -> None:
    text = shell_text()
    files = {f"{(a or b).replace('.', '/')}.py" for a, b in MODULE.findall(text)} | set(TEST_FILE.findall(text))
    assert len(files) > 2
    assert not sorted(name for name in files if not (ROOT / name).is_file())


def test_hooks_need_no_network() -> None:
    assert {repo["repo"] for repo in load(".pre-commit-config.yaml")["repos"]} == {"local"}
    assert {hook["language"] for hook in load(".pre-commit-config.yaml")["repos"][0]["hooks"]} == {"system"}


def test_every_link_exclusion_has_a_reason() -> None:
    text = read(".github/lychee.toml")
    patterns = tomllib.loads(text)["exclude"]
    lines = [line for line in text.splitlines() if line.strip().startswith("'")]
    assert len(lines) == len(patterns)
    assert all(re.search(r"# \w+ \w+", line) for line in lines)
