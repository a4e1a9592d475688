"""Build ``_build/html`` from executed notebooks, strictly, and refuse what the strict build lets through."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import yaml

from tools.execute import execute_all
from tools.html_check import problems as html_problems
from tools.ledger import write_ledger
from tools.paths import ROOT, built, notebook_sources
from tools.twins import repository
from tools.warnings_list import load_allowed, without_listed

COPIED = ("book", "data")


def stage(root: Path = ROOT) -> list[str]:
    """Copy the book's tree to ``_build/stage`` with executed notebooks in the place of the twins.

    What the list of warnings allows is left out of the copies, and so are papermill's notes, which name this
    machine's folders. Returns a sentence for each warning that is not on the list.
    """
    place, wrong, allowed = built(root, "stage"), [], load_allowed()
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name in COPIED:
        if (root / name).exists():
            shutil.copytree(root / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    (place / "notebooks").mkdir()
    for source in notebook_sources(root):
        notebook = nbformat.read(built(root, "executed", f"{source.stem}.ipynb"), as_version=4)
        wrong += without_listed(source.stem, notebook, allowed)
        for noted in (notebook, *notebook.cells):
            noted.metadata.pop("papermill", None)
        nbformat.write(notebook, place / "notebooks" / f"{source.stem}.ipynb")
        shutil.copy(source, place / "notebooks")
    if (root / "notebooks" / "exercises").exists():
        shutil.copytree(root / "notebooks" / "exercises", place / "notebooks" / "exercises")
    shutil.copy(root / "_toc.yml", place)
    (place / "_config.yml").write_text(yaml.safe_dump(site_config(root), sort_keys=False), encoding="utf-8")
    return wrong


def site_config(root: Path = ROOT) -> dict[str, Any]:
    """Return the site's settings with execution off and the address of this checkout's repository."""
    config: dict[str, Any] = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    config["execute"] = {"execute_notebooks": "off"}
    config.setdefault("repository", {})["url"] = repository(root)
    if os.environ.get("GITHUB_REPOSITORY"):
        owner, name = os.environ["GITHUB_REPOSITORY"].split("/")
        pages = f"https://{owner.lower()}.github.io/{name}/"
        config["html"]["baseurl"] = config["sphinx"]["config"]["ogp_site_url"] = pages
    return config


def sphinx(root: Path) -> int:
    """Run the strict build from a clean environment of doctrees and return its exit status."""
    shutil.rmtree(built(root, ".doctrees"), ignore_errors=True)
    place = str(built(root, "stage"))
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", place]
    command += ["--path-output", str(root), "-W", "-n", "--keep-going", "--quiet"]
    environment = os.environ | {"CASEBOOK_REPORT": str(built(root, "report"))}
    log = built(root, "report", "sphinx.log")
    done = subprocess.run(
        command,
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(done.stdout, encoding="utf-8")
    if done.returncode:
        print(done.stdout[-6000:], flush=True)
    return done.returncode


def build(root: Path = ROOT, refresh: bool = True) -> list[str]:
    """Execute, assemble the ledger, build and check; return what is wrong, a sentence each.

    ``_build/html`` exists afterwards only if nothing is wrong; a refused site is kept in ``_build/refused`` to look at.
    """
    html, refused = built(root, "html"), built(root, "refused")
    for old in (html, refused):
        shutil.rmtree(old, ignore_errors=True)
    wrong = assemble(root, refresh)
    if wrong and html.exists():
        html.rename(refused)
    return wrong


def assemble(root: Path, refresh: bool) -> list[str]:
    """Do the work of :func:`build`."""
    runs = execute_all(root) if refresh else []
    failed = [
        f"{run.notebook} must run from top to bottom, got an error in {run.status.splitlines()[0]}; mend the cell."
        for run in runs
        if run.status != "ok"
    ]
    if failed:
        return failed
    wrong = write_ledger(root) + stage(root)
    print("Building the site", flush=True)
    if sphinx(root):
        return [*wrong, "the Sphinx build must end without a warning, got some; read _build/report/sphinx.log."]
    return wrong + html_problems(built(root, "html"))


def main() -> int:
    """Build and say how to open the result."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    start = time.monotonic()
    wrong = build()
    built(ROOT, "report", "site_seconds.json").write_text(f"{time.monotonic() - start:.1f}")
    report = built(ROOT, "report", "site.json")
    report.write_text(json.dumps(wrong, indent=1))
    for sentence in wrong:
        print(f"not ready: {sentence}")
    if wrong:
        if built(ROOT, "refused").exists():
            print("\nThe refused site can be looked at in _build/refused.")
        return 1
    print("\nThe site stands in _build/html. Open _build/html/index.html, or run `make serve`.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
