"""The hidden folder in which an output grows, and the renames that publish it.

``.partial-<key>/output`` holds finished files, ``.partial-<key>/writing`` the one that a step is writing, and
``.partial-<key>/progress.json`` what is known of the finished ones. Only ``output`` is ever published.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from casebook.contracts import refuse
from casebook.jobs import _points
from casebook.jobs.atomic import digest, digest_of, move, remove_tree, sync_file, write_json
from casebook.jobs.outputs import next_aside
from casebook.jobs.steps import MANIFEST, Step

_PROGRESS = "progress.json"


def partial_folder(folder: Path, key: str) -> Path:
    """Return where the output of a key grows."""
    return folder / f".partial-{key}"


def run_steps(work: Path, steps: Sequence[Step], inputs_digest: str, guard: Callable[[], None]) -> tuple[str, ...]:
    """Run the steps whose file is not there yet as they left it; return their names.

    A step's recipe covers the inputs, its name and file, and all files before it: if any of those change, its
    file is made again.
    """
    out = work / "output"
    _points.reached("make the partial folder")
    out.mkdir(parents=True, exist_ok=True)
    progress = _read_progress(work)
    recipe, ran = inputs_digest, []
    done: dict[str, Path] = {}
    for step in steps:
        guard()
        file = out / step.output
        recipe = digest_of([recipe, step.name, step.output])
        if not (file.is_file() and progress.get(step.name) == {"recipe": recipe, "sha256": digest(file)}):
            _run_step(work, step, done)
            progress[step.name] = {"recipe": recipe, "sha256": digest(file)}
            write_json(work / _PROGRESS, progress)
            ran.append(step.name)
        recipe = digest_of([recipe, progress[step.name]["sha256"]])
        done[step.name] = file
    guard()
    return tuple(ran)


def seal(work: Path, steps: Sequence[Step], key: str, inputs: Mapping[str, str]) -> None:
    """Write the manifest, and drop what is no step's file."""
    out, progress = work / "output", _read_progress(work)
    outputs = []
    for step in steps:
        sha256 = digest(out / step.output)
        if sha256 != progress[step.name]["sha256"]:
            got = "other bytes at the end of the run"
            refuse(f"step {step.name!r}", "the only one to write its file", got, "let later steps only read it")
        outputs.append({"step": step.name, "file": step.output, "sha256": sha256})
    manifest = {"key": key, "inputs": dict(inputs), "inputs_digest": digest_of(inputs), "outputs": outputs}
    write_json(out / MANIFEST, manifest)
    for path in sorted(out.iterdir()):
        if path.name not in {MANIFEST, *(step.output for step in steps)}:
            _remove(path)


def publish(work: Path, target: Path) -> bool:
    """Rename the sealed output to its key, an older one set aside first; return whether there was an older one."""
    older = target.exists()
    if older:
        move(target, next_aside(target.parent, target.name))
    move(work / "output", target)
    return older


def _run_step(work: Path, step: Step, done: Mapping[str, Path]) -> None:
    writing = work / "writing"
    remove_tree(writing)
    _points.reached("make the writing folder")
    writing.mkdir()
    path = writing / step.output
    _points.reached(f"run {step.name}")
    step.run(path, dict(done))
    if not path.is_file():
        must = "a function that writes the file at the path it is given"
        refuse(f"step {step.name!r}", must, "no file", "write to that path, under that very name")
    sync_file(path)
    file = work / "output" / step.output
    if file.is_dir():
        remove_tree(file)
    move(path, file)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        remove_tree(path)
    else:
        _points.reached("remove a stray file")
        path.unlink()


def _read_progress(work: Path) -> dict[str, Any]:
    try:
        progress = json.loads((work / _PROGRESS).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # nothing that can be trusted: every step is run again
        return {}
    return progress if isinstance(progress, dict) else {}
