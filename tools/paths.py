"""Where things stand in a checkout; standard library only."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BUILD = ROOT / "_build"


def notebook_sources(root: Path = ROOT) -> list[Path]:
    """Return the py:percent chapters of a checkout, in reading order."""
    return sorted((root / "notebooks").glob("[0-9][0-9]_*.py"))


def built(root: Path, *parts: str) -> Path:
    """Return a path below ``_build`` of a checkout."""
    return root.joinpath("_build", *parts)
