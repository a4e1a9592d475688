"""Execute every chapter, two at a time, into ``_build/executed``; tests and site both use what comes out."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat

from tools.paths import ROOT, built, notebook_sources
from tools.twins import read_chapter, repository

WORKERS = 2
DECIDES_RESULTS = ("src", "data", "requirements.lock")
NO_CONTENT = {"__pycache__", ".ipynb_checkpoints"}
REPORTED_VERSIONS = ("numpy", "pandas", "scikit-learn", "lightgbm", "matplotlib")


@dataclass(frozen=True)
class Run:
    """One notebook's execution: seconds, peak memory in MB, and "ok" or the error with its traceback."""

    notebook: str
    seconds: float
    peak_mb: float
    status: str
    commit: str
    versions: dict[str, str]


def fingerprint(source: Path, parameters: dict[str, Any], root: Path = ROOT) -> str:
    """Digest all that decides a notebook's output: its text, the package, the data, the lock, Python, parameters."""
    digest = hashlib.sha256(f"{platform.python_version()}|{json.dumps(parameters, sort_keys=True)}".encode())
    digest.update(source.read_bytes())
    for name in DECIDES_RESULTS:
        place = root / name
        files = sorted(p for p in place.rglob("*") if p.is_file() and not NO_CONTENT & set(p.parts))
        for path in files if place.is_dir() else [place]:
            digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()


def commit(root: Path = ROOT) -> str:
    """Return the checkout's short commit, with ``+`` where files differ from it."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False).stdout.strip()

    head = git("rev-parse", "--short", "HEAD") or "unknown"
    return head + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")


def versions() -> dict[str, str]:
    """Return Python's version and those of the libraries that make the numbers."""
    return {"python": platform.python_version()} | {name: version(name) for name in REPORTED_VERSIONS}


def relay(name: str, line: str) -> dict[str, Any]:
    """Print a child's progress line and return its facts; none where the line is another program's."""
    try:
        facts: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError:
        return {}
    if "cell" in facts:
        print(
            f"  {name}: cell {facts['cell']} of {facts['cells']}, {facts['seconds']:.0f} s, {facts['peak_mb']:.0f} MB",
            flush=True,
        )
    return facts


def execute_one(source: Path, root: Path, parameters: dict[str, Any], timeout: int) -> Run:
    """Execute one chapter unless a run with the same fingerprint is at hand."""
    out = built(root, "executed")
    out.mkdir(parents=True, exist_ok=True)
    target, record = out / f"{source.stem}.ipynb", out / f"{source.stem}.json"
    mark = fingerprint(source, parameters, root)
    if record.exists() and target.exists():
        earlier = json.loads(record.read_text())
        if earlier["fingerprint"] == mark and earlier["run"]["status"] == "ok":
            print(f"  {source.stem}: unchanged, its earlier run serves", flush=True)
            return Run(**earlier["run"])
    record.unlink(missing_ok=True)
    fresh = root / "notebooks" / f".{source.stem}.run.ipynb"
    nbformat.write(read_chapter(source, root, repository(root)), fresh)
    try:
        command = [sys.executable, "-m", "tools.run_one", str(fresh), str(target)]
        command += ["--parameters", json.dumps(parameters), "--timeout", str(timeout)]
        run = _execute(source.stem, command, root)
    finally:
        fresh.unlink(missing_ok=True)
    record.write_text(json.dumps({"fingerprint": mark, "run": asdict(run)}, indent=1))
    return run


def _execute(name: str, command: list[str], root: Path) -> Run:
    print(f"  {name}: started", flush=True)
    start = time.monotonic()
    facts: dict[str, Any] = {}
    chatter: list[str] = []
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace"
    ) as child:
        for line in child.stdout or ():
            said = relay(name, line) if line.startswith("{") else {}
            facts |= said
            chatter += [] if said else [line]
    status = facts.get("status", "the kernel's process ended without a word:\n" + "".join(chatter))
    seconds, peak = time.monotonic() - start, facts.get("peak_mb", 0.0)
    print(f"  {name}: {'done' if status == 'ok' else 'FAILED'} in {seconds:.0f} s, peak {peak:.0f} MB", flush=True)
    return Run(name, round(seconds, 1), round(peak, 1), status, commit(root), versions())


def execute_all(
    root: Path = ROOT,
    sources: Iterable[Path] | None = None,
    parameters: dict[str, Any] | None = None,
    timeout: int = 600,
) -> list[Run]:
    """Execute the chapters, two at a time; one that fails does not stop the others.

    Parameters
    ----------
    root : Path
        The checkout.
    sources : iterable of Path, optional
        The chapters; all of them by default.
    parameters : dict, optional
        Papermill parameters, for example ``{"scale": "full"}``.
    timeout : int
        Seconds allowed for one cell.

    Returns
    -------
    list of Run
        In reading order; written to ``_build/report/notebooks.json`` as well.
    """
    chapters = list(notebook_sources(root) if sources is None else sources)
    print(f"Executing {len(chapters)} notebooks, {WORKERS} at a time", flush=True)
    with ThreadPoolExecutor(WORKERS) as pool:
        runs = list(pool.map(lambda source: execute_one(source, root, parameters or {}, timeout), chapters))
    report = built(root, "report", "notebooks.json")
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps([asdict(run) for run in runs], indent=1))
    for run in runs:
        if run.status != "ok":
            print(f"\n{run.notebook} failed at {run.status}\n", flush=True)
    return runs


if __name__ == "__main__":
    sys.exit(any(run.status != "ok" for run in execute_all()))
