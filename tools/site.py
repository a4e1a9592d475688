"""Build ``_build/html`` from executed notebooks, strictly, and refuse what the strict build lets through."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tools.execute import execute_all
from tools.html_check import problems as html_problems
from tools.ledger import write_ledger
from tools.paths import ROOT, built, notebook_sources
from tools.twins import repository

COPIED = ("book", "data")


def stage(root: Path = ROOT) -> Path:
    """Copy the book's tree to ``_build/stage`` with executed notebooks in the place of the twins."""
    place = built(root, "stage")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name in COPIED:
        if (root / name).exists():
            shutil.copytree(root / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    (place / "notebooks").mkdir()
    for source in notebook_sources(root):
        shutil.copy(built(root, "executed", f"{source.stem}.ipynb"), place / "notebooks")
        shutil.copy(source, place / "notebooks")
    shutil.copy(root / "_toc.yml", place)
    (place / "_config.yml").write_text(yaml.safe_dump(site_config(root), sort_keys=False), encoding="utf-8")
    return place


def site_config(root: Path = ROOT) -> dict[str, Any]:
    """Return the site's settings with execution off and the address of this checkout's repository."""
    config: dict[str, Any] = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    config["execute"] = {"execute_notebooks": "off"}
    config.setdefault("repository", {})["url"] = repository(root)
    return config


def sphinx(place: Path, root: Path) -> int:
    """Run the strict build from a clean environment of doctrees and return its exit status."""
    for old in (built(root, ".doctrees"), built(root, "html")):
        shutil.rmtree(old, ignore_errors=True)
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(place)]
    command += ["--path-output", str(root), "-W", "-n", "--keep-going", "--quiet"]
    environment = os.environ | {"CASEBOOK_REPORT": str(built(root, "report"))}
    log = built(root, "report", "sphinx.log")
    done = subprocess.run(command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    log.write_text(done.stdout)
    if done.returncode:
        print(done.stdout[-6000:], flush=True)
    return done.returncode


def build(root: Path = ROOT, refresh: bool = True) -> list[str]:
    """Execute, assemble the ledger, build and check; return what is wrong, a sentence each."""
    runs = execute_all(root) if refresh else []
    failed = [f"{run.notebook} must run from top to bottom, got an error in {run.status.splitlines()[0]}; mend the cell."
              for run in runs if run.status != "ok"]
    if failed:
        return failed
    wrong = write_ledger(root)
    print("Building the site", flush=True)
    if sphinx(stage(root), root):
        return [*wrong, "the Sphinx build must end without a warning, got some; read _build/report/sphinx.log."]
    return wrong + html_problems(built(root, "html"))


def main() -> int:
    """Build and say how to open the result."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    wrong = build()
    report = built(ROOT, "report", "site.json")
    report.write_text(json.dumps(wrong, indent=1))
    for sentence in wrong:
        print(f"not ready: {sentence}")
    if wrong:
        return 1
    print(f"\nThe site stands in {built(ROOT, 'html').relative_to(ROOT)}. Open _build/html/index.html, or run `make serve`.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
