"""Open one chapter live in JupyterLab."""

from __future__ import annotations

import subprocess
import sys

from tools.paths import ROOT, notebook_sources


def main(arguments: list[str]) -> int:
    """Find the chapter by its number or slug and open its ``.py`` as a notebook."""
    asked = arguments[0] if arguments else ""
    found = [
        path for path in notebook_sources() if path.stem == asked or (asked and path.stem.startswith(asked.zfill(2)))
    ]
    if not found:
        known = ", ".join(path.stem for path in notebook_sources())
        print(f"N must be a chapter's number, got {asked!r}; choose from {known}.")
        return 2
    url = f"/lab/tree/notebooks/{found[0].name}?factory=Notebook"
    return subprocess.run(
        [sys.executable, "-m", "jupyter", "lab", f"--LabApp.default_url={url}"], cwd=ROOT, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
