"""What a job consists of: its key, its inputs and its steps."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from casebook.contracts import refuse
from casebook.jobs.atomic import digest

MANIFEST = "manifest.json"
MISSING = "missing"

_PLAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9_-])?")  # Windows drops a dot at the end


@dataclass(frozen=True)
class Step:
    """One file of a job's output, and how it is made.

    Parameters
    ----------
    name : str
        By which later steps find it.
    run : callable
        ``run(path, done)`` writes one file at ``path``; ``done[name]`` is the path of an earlier step's file, to be
        read only. The same inputs must give the same bytes: no time of day in the file, rows in a fixed order, and
        any ``rng`` seeded from the inputs.
    output : str
        Plain name of the file.

    Examples
    --------
    >>> from casebook.jobs import write_json
    >>> step = Step("cut", lambda path, done: write_json(path, {"threshold": 0.2}), "cut.json")
    >>> step.name, step.output
    ('cut', 'cut.json')
    """

    name: str
    run: Callable[[Path, Mapping[str, Path]], object]
    output: str


def check_key(key: str | date) -> str:
    """Return the key as text, or refuse one that cannot name a folder on every system."""
    name = key if isinstance(key, str) else str(key)
    if not _PLAIN.fullmatch(name):
        refuse("key", "letters, digits, '-', '_' and '.' only", repr(name), "pass a date such as '2026-01-05'")
    return name


def check_steps(steps: Sequence[Step]) -> None:
    """Refuse steps that share a name or a file, or whose file has no plain name."""
    if not steps:
        refuse("steps", "at least one step", "none", "add a Step")
    names: set[str] = set()
    outputs = {MANIFEST}
    for number, step in enumerate(steps):
        what = f"steps, step {number}"
        if step.name in names:
            refuse(what, "named apart from the others", repr(step.name), "rename it")
        if not _PLAIN.fullmatch(step.output):
            refuse(what, "given a plain file name", repr(step.output), "drop folders, spaces and leading dots")
        if step.output.lower() in outputs:  # Windows and macOS do not tell A.csv from a.csv
            must = f"writing a file of its own (and not {MANIFEST})"
            refuse(what, must, repr(step.output), "rename its output")
        names.add(step.name)
        outputs.add(step.output.lower())


def input_digests(inputs: Mapping[str, str | Path]) -> dict[str, str]:
    """Return each input's text, or the digest of its file (``missing`` where there is none), by sorted name."""
    if not inputs:
        refuse("inputs", "at least one input", "none", "name what the job reads, with its digest or its path")
    known = {}
    for name in sorted(inputs):
        value = inputs[name]
        if isinstance(value, Path):
            known[name] = digest(value) if value.is_file() else MISSING
        elif isinstance(value, str):
            known[name] = value
        else:
            refuse(f"input {name!r}", "text or a Path", type(value).__name__, "pass digest_of(...) or the file's Path")
    return known


def refuse_missing_inputs(inputs: Mapping[str, str | Path], known: Mapping[str, str]) -> None:
    """Refuse an input file that is not there."""
    for name, path in inputs.items():
        if isinstance(path, Path) and known[name] == MISSING:
            refuse(f"input {name!r}", "a file", f"nothing at '{path.as_posix()}'", "wait for the load or mend the path")
