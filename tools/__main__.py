"""``python -m tools COMMAND``: what the Makefile calls, and what Windows uses in its place.

Standard library only: it runs before the environment exists, makes it, and goes on inside it.
"""

from __future__ import annotations

import subprocess
import sys

from tools import bootstrap
from tools.paths import ROOT

COMMANDS = {
    "site": ("execute every notebook, build _build/html, say how to open it", ["-m", "tools.site"]),
    "test": ("run every test: lint, types, notebooks, package, site", ["-m", "tools.test"]),
    "check": ("lint, types and the fast tests, in at most three minutes", ["-m", "tools.test", "--fast"]),
    "serve": ("serve _build/html at http://localhost:8000", ["-m", "tools.serve"]),
    "notebook": ("open one chapter in JupyterLab: notebook 03", ["-m", "tools.live"]),
    "studies": ("run the slow studies and write data/studies", ["-m", "casebook.studies"]),
    "bench": ("measure speed and memory into _build/bench.json", ["-m", "tools.bench"]),
    "twins": ("derive the .ipynb twins and the exercises from the .py chapters", ["-m", "tools.twins"]),
    "card": ("draw the social card from its SVG (needs Chromium)", ["-m", "tools.social_card"]),
    "lock": ("resolve requirements.lock anew and derive environment.yml", ["-m", "tools.lock"]),
}


def main(arguments: list[str]) -> int:
    """Run one command inside the locked environment and return its exit status."""
    if not arguments or arguments[0] not in COMMANDS:
        print("usage: python -m tools COMMAND\n")
        for name, (purpose, _) in COMMANDS.items():
            print(f"  {name:<10} {purpose}")
        return 0 if not arguments or arguments[0] in {"help", "-h", "--help"} else 2
    python = bootstrap.ensure()
    command = [str(python), *COMMANDS[arguments[0]][1], *arguments[1:]]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
