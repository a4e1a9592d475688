"""The ledger: what the executed notebooks recorded, and what is amiss with it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from casebook.claims.boxes import MIME
from casebook.claims.model import Claim


def collect(notebook: Mapping[str, Any] | str | Path) -> list[dict[str, Any]]:
    """Recorded claims of one executed notebook, in the order of its cells.

    Parameters
    ----------
    notebook : nbformat node, dict, or path of an .ipynb

    Examples
    --------
    >>> output = {"output_type": "display_data", "metadata": {MIME: {"id": "3.ratio", "verdict": "confirmed"}}}
    >>> collect({"cells": [{"cell_type": "code", "outputs": [output]}]})
    [{'id': '3.ratio', 'verdict': 'confirmed'}]
    """
    if isinstance(notebook, str | Path):
        node: Mapping[str, Any] = json.loads(Path(notebook).read_text(encoding="utf-8"))
    else:
        node = notebook
    outputs = [output for cell in node["cells"] for output in cell.get("outputs", [])]
    return [dict(output["metadata"][MIME]) for output in outputs if MIME in output.get("metadata", {})]


def ledger(executed: Mapping[str, Mapping[str, Any] | str | Path]) -> list[dict[str, Any]]:
    """All recorded claims of executed notebooks, by section and id, each with its notebook and link.

    Parameters
    ----------
    executed : mapping of str to notebook
        By name without ending, such as "03_thresholds"; notebooks as :func:`collect` takes them.

    Examples
    --------
    >>> output = {"metadata": {MIME: {"id": "3.ratio", "section": 3, "anchor": "claim-3-ratio"}}}
    >>> ledger({"03_x": {"cells": [{"cell_type": "code", "outputs": [output]}]}})[0]["link"]
    'notebooks/03_x.html#claim-3-ratio'
    """
    entries = [
        {**entry, "notebook": name, "link": f"notebooks/{name}.html#{entry['anchor']}"}
        for name, notebook in executed.items()
        for entry in collect(notebook)
    ]
    return sorted(entries, key=lambda entry: (entry["section"], entry["id"], entry["notebook"]))


def ledger_problems(entries: Sequence[Mapping[str, Any]], claims: Mapping[str, Claim]) -> list[str]:
    """What is amiss, one sentence each; empty if nothing is.

    Parameters
    ----------
    entries : sequence of dict
        From :func:`ledger`.
    claims : mapping of str to Claim
        From :func:`load_claims`.

    Examples
    --------
    >>> ledger_problems([{"id": "3.ratio", "verdict": "confirmed", "notebook": "03_x"}], {})
    ["03_x records claim '3.ratio', which claims.yml does not have; add it or mend the id."]
    """
    recorded: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in entries:
        recorded[entry["id"]].append(entry)
    problems = [
        f"No cell records claim {claim.id!r} of the finished section {claim.section}; record it."
        for claim in claims.values()
        if claim.finished and claim.id not in recorded
    ]
    for claim_id, group in recorded.items():
        if claim_id not in claims:
            mend = "which claims.yml does not have; add it or mend the id."
            problems.append(f"{_places(group)} records claim {claim_id!r}, {mend}")
        if len(group) > 1:
            problems.append(_repeated(claim_id, group))
    return problems


def _repeated(claim_id: str, group: Sequence[Mapping[str, Any]]) -> str:
    if len({entry["verdict"] for entry in group}) == 1:
        where = f"{len(group)} cells ({_places(group)})"
        return f"Claim {claim_id!r} is recorded by {where}, each {group[0]['verdict']!r}; keep one."
    verdicts = ", ".join(f"{entry['verdict']!r} in {entry['notebook']}" for entry in group)
    count = "Two" if len(group) == 2 else str(len(group))
    return f"{count} cells judge claim {claim_id!r} differently ({verdicts}); keep the one that is right."


def _places(group: Sequence[Mapping[str, Any]]) -> str:
    return " and ".join(dict.fromkeys(str(entry["notebook"]) for entry in group))
