"""Assemble the claims ledger from executed notebooks into ``_build/report/claims.json``."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat

from casebook.claims import ledger, ledger_problems, load_claims
from tools.paths import built, notebook_sources


def write_ledger(root: Path) -> list[str]:
    """Write the ledger and return what is wrong with it, a sentence each."""
    executed = {
        source.stem: nbformat.read(built(root, "executed", f"{source.stem}.ipynb"), as_version=4)
        for source in notebook_sources(root)
    }
    entries = ledger(executed)
    built(root, "report", "claims.json").write_text(json.dumps(entries, indent=1, ensure_ascii=False))
    return ledger_problems(entries, load_claims())
