"""Run every test: lint, types, site, pytest. ``--fast`` leaves out what executes notebooks or needs a browser."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time

from tools.paths import ROOT

LINT = (
    ("ruff check", ["-m", "ruff", "check", "."]),
    ("ruff format", ["-m", "ruff", "format", "--check", "."]),
    ("mypy", ["-m", "mypy"]),
)
SITE = ("site", ["-m", "tools.site"])
FAST = ["-m", "pytest", "-m", "not slow and not site and not notebooks", "src", "tests"]
# Two halves that share no file and take about as long: they run side by side, for few machines have one core.
PAGES = ["tests/notebooks", "tests/site"]
PACKAGE = ("pytest (package, notebooks, site)", ["-m", "pytest", "src", "tests/package", "tests/bench", *PAGES])
HOUSE = ("pytest (house)", ["-m", "pytest", "-p", "no:cacheprovider", "tests/house"])


def steps(fast: bool) -> list[tuple[str, list[str]]]:
    """Return what is run, in the order of the headings: a name and the interpreter's arguments."""
    return [*LINT, ("pytest (fast)", FAST)] if fast else [*LINT, SITE, HOUSE, PACKAGE]


def run(name: str, arguments: list[str]) -> bool:
    """Run one step with its output on the screen; return whether it went well."""
    print(f"\n== {name}", flush=True)
    start = time.monotonic()
    code = subprocess.run([sys.executable, *arguments], cwd=ROOT, check=False).returncode
    return said(name, code, start)


def run_beside(hidden: tuple[str, list[str]], shown: tuple[str, list[str]]) -> list[str]:
    """Run two steps at once, the output of the first kept until the second is done; return those that failed."""
    start = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as kept:
        child = subprocess.Popen([sys.executable, *hidden[1]], cwd=ROOT, stdout=kept, stderr=subprocess.STDOUT)
        try:
            failed = [] if run(*shown) else [shown[0]]
            code = child.wait()
        finally:
            child.kill()
        kept.seek(0)
        print(f"\n== {hidden[0]}\n{kept.read()}", flush=True)
    return failed + ([] if said(hidden[0], code, start) else [hidden[0]])


def said(name: str, code: int, start: float) -> bool:
    """Print how a step went; return whether it went well."""
    print(f"== {name}: {'ok' if code == 0 else 'FAILED'} in {time.monotonic() - start:.0f} s", flush=True)
    return code == 0


def main() -> int:
    """Run all steps, each even if an earlier one failed, and say at the end which did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true")
    fast = parser.parse_args().fast
    beside = [] if fast else [HOUSE, PACKAGE]
    failed = [name for name, arguments in steps(fast) if name not in dict(beside) and not run(name, arguments)]
    failed += run_beside(PACKAGE, HOUSE) if beside else []
    print(f"\nFailed: {', '.join(failed)}." if failed else "\nAll of it passed.")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
