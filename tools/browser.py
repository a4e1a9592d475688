"""Find a Chromium, and start it the one way that works in a container, as root and without a network."""

from __future__ import annotations

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MISSING = "A Chromium must be installed, got none; run `apt-get install chromium`, or name yours in CASEBOOK_BROWSER."


def find_browser() -> str | None:
    """Return the program to start: the one that CASEBOOK_BROWSER names, else the first that is installed."""
    named = os.environ.get("CASEBOOK_BROWSER")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)
