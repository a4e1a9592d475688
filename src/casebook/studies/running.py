"""Run a study, write it down, and hold the file against the code."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from casebook.contracts import refuse
from casebook.studies.hashing import code_hash
from casebook.studies.model import Study, StudyResult
from casebook.worlds import plan, recompute, replicate
from casebook.worlds.replication import records

RTOL = 1e-6  # other processors and library versions round sums in float64 differently, well below this
ATOL = 1e-12  # a value that is zero but for rounding has no relative error to speak of


def study_hash(study: Study) -> str:
    """Hash of the world's module with all that it imports, and of the rooms that draw and play the worlds."""
    return code_hash(study.module, "casebook.worlds", root=study.module.partition(".")[0])


def current_commit() -> str:
    """Short hash of the checked-out commit, or "unknown" outside of a repository or without git."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    command = [git, "rev-parse", "--short", "HEAD"]
    answer = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else "unknown"


def run(study: Study, commit: str | None = None) -> dict[str, Any]:
    """Play all worlds of a study.

    Parameters
    ----------
    study : Study
    commit : str, optional
        Recorded as given; by default the checked-out commit, or "unknown".

    Returns
    -------
    dict
        Fit for JSON: name, title, commit, code_hash, n, null_n, seed, dials, columns, rows, null_rows (one
        dict a world; a nan is None).

    Raises
    ------
    ContractError
        If a value is infinite, or the null worlds return other names than the drawn ones.
    """
    frame = replicate(study.world, study.dials, study.n, study.seed)
    null_frame = (
        replicate(study.world, study.dials, study.null_n, study.seed, null=True) if study.null_n else frame.iloc[:0]
    )
    columns = [str(column) for column in frame.columns]
    if set(null_frame.columns) != set(columns):
        got = repr(sorted(null_frame.columns))
        refuse(f"study {study.name!r}, null worlds", "named as the drawn ones", got, "return the same names")
    return {
        "name": study.name,
        "title": study.title,
        "commit": current_commit() if commit is None else commit,
        "code_hash": study_hash(study),
        "n": study.n,
        "null_n": study.null_n,
        "seed": study.seed,
        "dials": [asdict(dial) for dial in study.dials],
        "columns": columns,
        "rows": [_plain(row, f"study {study.name!r}, world {i}") for i, row in enumerate(records(frame))],
        "null_rows": [
            _plain(row, f"study {study.name!r}, null world {i}") for i, row in enumerate(records(null_frame))
        ],
    }


def _plain(row: Mapping[str, Any], where: str) -> dict[str, int | float | bool | None]:
    plain: dict[str, int | float | bool | None] = {}
    for name, value in row.items():
        if isinstance(value, bool | np.bool_):
            plain[name] = bool(value)
        elif name == "seed":
            plain[name] = int(value)
        elif math.isinf(value):
            refuse(f"{where}, {name!r}", "finite or nan", str(value), "return nan where there is no value")
        else:
            plain[name] = None if math.isnan(value) else float(value)
    return plain


def write(study: Study, folder: Path, commit: str | None = None) -> Path:
    """Run a study and write ``folder/NAME.json``: one row a line, floats with all their digits.

    Returns
    -------
    pathlib.Path
        The file.
    """
    document = run(study, commit)
    parts = []
    for key, value in document.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines = ",\n".join("  " + json.dumps(row, allow_nan=False) for row in value)
            parts.append(f' "{key}": [\n{lines}\n ]')
        else:
            parts.append(f' "{key}": {json.dumps(value, allow_nan=False)}')
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{study.name}.json"
    place.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8", newline="\n")
    return place


def staleness(result: StudyResult, study: Study) -> list[str]:
    """In what a committed study differs from what its code would now run; empty if in nothing.

    Returns
    -------
    list of str
        Out of "code", "dials", "n", "null_n", "seed".
    """
    pairs: dict[str, tuple[object, object]] = {
        "code": (result.code_hash, study_hash(study)),
        "dials": (result.dials, study.dials),
        "n": ((result.n, len(result.frame)), (study.n, study.n)),
        "null_n": (len(result.null_frame), study.null_n),
        "seed": (result.seed, study.seed),
    }
    return [name for name, (recorded, now) in pairs.items() if recorded != now]


def is_stale(result: StudyResult, study: Study) -> bool:
    """Whether a committed study must be run again, since its code or its settings have changed."""
    return bool(staleness(result, study))


def verify(study: Study, result: StudyResult, rows: int | Sequence[int], rng: np.random.Generator) -> pd.DataFrame:
    """Recompute some rows live and hold them against the record: dials and seed as well as values.

    Parameters
    ----------
    study : Study
    result : StudyResult
    rows : int or sequence of int
        How many to draw from each of the two tables, or which world numbers (in each table that has them).
    rng : numpy.random.Generator
        Draws the rows; unused when they are named.

    Returns
    -------
    pandas.DataFrame
        Columns `table` ("rows" or "null_rows"), `world`, `column`, `recorded`, `recomputed`; a line a number.

    Raises
    ------
    AssertionError
        Naming row and column, if they disagree beyond ``RTOL`` (1e-6, relative).
    ContractError
        If no row would be checked.
    """
    lines: list[dict[str, Any]] = []
    for table, frame, null in (("rows", result.frame, False), ("null_rows", result.null_frame, True)):
        chosen = _choose(rows, len(frame), rng)
        if not chosen:
            continue
        settings = plan(study.dials, max(chosen) + 1, study.seed, null)
        for world in chosen:
            setting = records(settings.iloc[[world]])[0]
            lines += _compare(study, table, world, records(frame.iloc[[world]])[0], setting)
    if not lines:
        refuse("rows", f"some of the {len(result.frame)} worlds", repr(rows), "name one of them or a count")
    return pd.DataFrame(lines)


def _choose(rows: int | Sequence[int], n: int, rng: np.random.Generator) -> list[int]:
    if isinstance(rows, int | np.integer):
        return sorted(int(world) for world in rng.choice(n, size=min(int(rows), n), replace=False)) if n else []
    return [int(world) for world in rows if 0 <= world < n]


def _compare(
    study: Study, table: str, world: int, recorded: Mapping[str, Any], setting: Mapping[str, Any]
) -> list[dict[str, Any]]:
    live = {**setting, **recompute(study.world, setting)}
    lines = []
    for column in [*recorded, *(name for name in live if name not in recorded)]:
        was, now = recorded.get(column), live.get(column)
        if was is None or now is None or not np.isclose(now, was, rtol=RTOL, atol=ATOL, equal_nan=True):
            where = f"study {study.name!r}, {table}, world {world}, column {column!r}"
            raise AssertionError(f"{where}: recorded {was}, recomputed {now}.")
        lines.append({"table": table, "world": world, "column": column, "recorded": was, "recomputed": now})
    return lines
