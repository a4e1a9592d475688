"""Run every test: lint, types, site, pytest. ``--fast`` leaves out what executes notebooks or needs a browser."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from tools.paths import ROOT

LINT = (
    ("ruff check", ["-m", "ruff", "check", "."]),
    ("ruff format", ["-m", "ruff", "format", "--check", "."]),
    ("mypy", ["-m", "mypy"]),
)
FAST = ["-m", "pytest", "-m", "not slow and not site and not notebooks", "src", "tests"]
WHOLE = ["-m", "pytest", "src", "tests"]


def steps(fast: bool) -> list[tuple[str, list[str]]]:
    """Return what is run, in order: a name and the interpreter's arguments."""
    if fast:
        return [*LINT, ("pytest (fast)", FAST)]
    return [*LINT, ("site", ["-m", "tools.site"]), ("pytest", WHOLE)]


def main() -> int:
    """Run all steps, each even if an earlier one failed, and say at the end which did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true")
    failed = []
    for name, arguments in steps(parser.parse_args().fast):
        print(f"\n== {name}", flush=True)
        start = time.monotonic()
        code = subprocess.run([sys.executable, *arguments], cwd=ROOT, check=False).returncode
        print(f"== {name}: {'ok' if code == 0 else 'FAILED'} in {time.monotonic() - start:.0f} s", flush=True)
        failed += [name] if code else []
    print(f"\nFailed: {', '.join(failed)}." if failed else "\nAll of it passed.")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
