"""``python -m casebook.studies``: run the studies, or check the committed files against the code."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np

from casebook.contracts import ContractError, refuse
from casebook.studies.model import Study, discover, load
from casebook.studies.running import staleness, verify, write


def main(
    argv: Sequence[str] | None = None,
    studies: Mapping[str, Study] | None = None,
    folder: Path | None = None,
) -> int:
    """Run or check studies; returns the exit code (1: a check failed, 2: a study that does not exist)."""
    parser = argparse.ArgumentParser(prog="python -m casebook.studies", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="studies (default: all)")
    parser.add_argument("--check", type=_positive, metavar="ROWS", help="recompute so many rows of each table")
    given = parser.parse_args(argv)
    studies = discover() if studies is None else studies
    folder = Path(str(files("casebook.data") / "studies")) if folder is None else folder
    try:
        chosen = [_pick(studies, name) for name in given.names] or list(studies.values())
    except ContractError as error:
        print(error, file=sys.stderr)
        return 2
    if given.check is None:
        return _run(chosen, folder)
    return _check(chosen, folder, given.check, strangers=[] if given.names else _strangers(studies, folder))


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a count of at least 1, got {text!r}")
    return int(text)


def _pick(studies: Mapping[str, Study], name: str) -> Study:
    if name not in studies:
        refuse("NAME", "a study", repr(name), f"choose from {', '.join(studies) or 'none: there is none yet'}")
    return studies[name]


def _strangers(studies: Mapping[str, Study], folder: Path) -> list[str]:
    return sorted(place.stem for place in folder.glob("*.json") if place.stem not in studies)


def _run(studies: Sequence[Study], folder: Path) -> int:
    for study in studies:
        start = time.perf_counter()
        place = write(study, folder)
        seconds = time.perf_counter() - start
        print(f"{place.name}: {study.n} worlds and {study.null_n} null worlds in {seconds:.1f} s")
    return 0


def _check(studies: Sequence[Study], folder: Path, rows: int, strangers: Sequence[str]) -> int:
    entropy = np.random.SeedSequence().entropy
    print(f"rows drawn with seed {entropy}")
    rng = np.random.default_rng(np.random.SeedSequence(entropy))
    faults = [f"{name}.json belongs to no study; remove it" for name in strangers]
    for study in studies:
        fault = _fault(study, folder, rows, rng)
        if fault:
            faults.append(fault)
        else:
            print(f"{study.name}: agrees")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def _fault(study: Study, folder: Path, rows: int, rng: np.random.Generator) -> str:
    try:
        result = load(study.name, folder)
        if changed := staleness(result, study):
            mend = f"run python -m casebook.studies {study.name}"
            return f"{study.name}: stale ({', '.join(changed)} changed); {mend}"
        verify(study, result, rows, rng)
    except (ContractError, AssertionError) as error:
        return str(error)
    return ""


if __name__ == "__main__":
    sys.exit(main())
