"""Resolve ``requirements.lock`` anew and derive ``environment.yml`` from the same pins.

The lock is universal (Python 3.11 to 3.13, every platform) and hashed, and names no address.
conda's pip section can neither read hashes beside ``-e .`` nor pass ``--no-deps``, so Binder gets the pins alone.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys

from tools.bootstrap import find_uv
from tools.paths import ROOT

LOCK = ROOT / "requirements.lock"
ENVIRONMENT = ROOT / "environment.yml"
HEAD = """# Derived from requirements.lock by `make lock`; Binder and conda read it. Do not edit.
name: business-ml-casebook
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def pins(lock: str) -> list[str]:
    """Return the pinned requirements of a hashed lock, markers kept, hashes and comments dropped."""
    rows = (line.split(" \\")[0].strip() for line in lock.splitlines() if re.match(r"[A-Za-z0-9]", line))
    return [row for row in rows if "sys_platform == 'never'" not in row]


def environment(lock: str) -> str:
    """Return the text of ``environment.yml`` for a lock."""
    rows = [*pins(lock), "-e ."]
    return HEAD + "".join(f'    - "{row}"\n' for row in rows)


def resolve(upgrade: bool) -> None:
    """Write ``requirements.lock`` with all extras."""
    command = [find_uv(), "pip", "compile", "pyproject.toml", "--all-extras", "--universal", "--generate-hashes"]
    command += ["--no-header", "--no-annotate", "--quiet", "--python-version", "3.11", "--output-file", LOCK.name]
    subprocess.run([*command, *(["--upgrade"] if upgrade else [])], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    """Resolve and derive; ``--upgrade`` takes the newest versions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upgrade", action="store_true")
    resolve(parser.parse_args().upgrade)
    ENVIRONMENT.write_text(environment(LOCK.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
