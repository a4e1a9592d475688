"""Finished outputs: what their manifest promises, and which one to serve tonight."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from casebook.contracts import refuse
from casebook.jobs.atomic import StrPath, digest
from casebook.jobs.steps import MANIFEST, check_key

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Output:
    """A finished output, marked with the date that it is of and the date that it is served for.

    Parameters
    ----------
    path : pathlib.Path
        Its folder.
    key, wanted : datetime.date
        The date it was computed for, and the one that was asked for.
    """

    path: Path
    key: date
    wanted: date

    @property
    def age_days(self) -> int:
        """Days between the two dates."""
        return (self.wanted - self.key).days

    @property
    def is_fallback(self) -> bool:
        """Whether it is an older output in the place of the one that was asked for."""
        return self.age_days > 0

    @property
    def note(self) -> str:
        """One sentence for the head of whatever shows the output; empty if it is the one that was asked for."""
        days = f"{self.age_days} day" + "s" * (self.age_days > 1)
        return f"Output of {self.key}, {days} old, in place of {self.wanted}." if self.is_fallback else ""


def latest_output(folder: StrPath, key: str | date, max_age_days: int) -> Output:
    """Return the newest finished output at or before a date: tonight's, or the fallback.

    Parameters
    ----------
    folder : str or path
        The job's folder, whose keys are dates (others are passed over).
    key : str or datetime.date
        The date that is wanted.
    max_age_days : int
        How old the fallback may be; 0 allows the date itself only.

    Returns
    -------
    Output
        Its files agree with its manifest. If a run with ``replace=True`` was killed between its two renames, this is
        the old one until the job is run again.

    Raises
    ------
    ContractError
        No such output, or a newest one that was changed after it was finished.

    Examples
    --------
    >>> import tempfile
    >>> from casebook.jobs import Step, run_job, write_json
    >>> step = Step("cut", lambda path, done: write_json(path, 0.2), "cut.json")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = run_job(folder, "2026-01-04", [step], inputs={"model": "v2"})
    ...     print(latest_output(folder, "2026-01-05", max_age_days=2).note)
    Output of 2026-01-04, 1 day old, in place of 2026-01-05.
    """
    wanted = _as_date(key)
    if max_age_days < 0:
        refuse("max_age_days", "0 or more", str(max_age_days), "count the days back from the date")
    there = {
        day: path for day in _dates(Path(folder)) if day <= wanted and (path := find_output(Path(folder), str(day)))
    }
    found = max(there, default=None)
    if found is None or (wanted - found).days > max_age_days:
        got = "none at all" if found is None else f"{found} as the newest, {(wanted - found).days} days old"
        must = f"at most {max_age_days} days old"
        refuse(f"the finished output for {wanted}", must, got, "mend and run the job, or raise max_age_days")
    check_output(there[found])
    return Output(there[found], found, wanted)


def check_output(path: StrPath) -> dict[str, Any]:
    """Hold a finished output against its manifest, and return the manifest.

    Parameters
    ----------
    path : str or path
        The folder of one key.

    Returns
    -------
    dict
        ``key``; ``inputs`` (digest by name); ``inputs_digest``; ``outputs``, a list of ``step``, ``file``, ``sha256``.

    Raises
    ------
    ContractError
        No manifest, or a file that is missing or changed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "2026-01-05").mkdir()
    ...     check_output(Path(folder) / "2026-01-05")
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: output '2026-01-05' must be a folder with a manifest.json, got none; move it
    away and run the job again.
    """
    place = Path(path)
    manifest = read_manifest(place)
    for output in manifest["outputs"]:
        file = place / output["file"]
        what, again = f"output {place.name!r}, file {output['file']!r}", "run the job again with --replace"
        if not file.is_file():
            refuse(what, "there, as its manifest says", "no file", again)
        if (now := digest(file)) != output["sha256"]:
            refuse(what, f"of SHA-256 {output['sha256'][:12]}, as its manifest says", now[:12], again)
    return manifest


def read_manifest(place: Path) -> dict[str, Any]:
    """Return the manifest of one key's folder, or refuse a folder that no job has finished."""
    try:
        manifest: dict[str, Any] = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        whole = {"key", "inputs", "inputs_digest", "outputs"} <= manifest.keys()
    except (FileNotFoundError, NotADirectoryError):
        got = "none"
    except (ValueError, AttributeError):
        got = "one that cannot be read"
    else:
        if whole:
            return manifest
        got = "one that lacks entries"
    refuse(f"output {place.name!r}", f"a folder with a {MANIFEST}", got, "move it away and run the job again")


def find_output(folder: Path, key: str) -> Path | None:
    """Return the folder of a key: the published one, else the newest one set aside by a swap under way."""
    published = folder / key
    if published.is_dir():
        return published
    numbers = [int(path.name.rpartition("-")[2]) for path in folder.glob(f".replaced-{key}-[0-9]*")]
    if numbers:
        return folder / f".replaced-{key}-{max(numbers)}"
    return published if published.is_dir() else None  # a swap may have ended since


def next_aside(folder: Path, key: str) -> Path:
    """Return the first free name for an output that is to be set aside."""
    number = 1
    while (folder / f".replaced-{key}-{number}").exists():
        number += 1
    return folder / f".replaced-{key}-{number}"


def _dates(folder: Path) -> set[date]:
    """Return the dates published or at work; one that was set aside only is not: somebody removed its output."""
    names = {path.name.removeprefix(".partial-") for path in folder.iterdir()} if folder.is_dir() else set()
    return {day for name in names if (day := _date_or_none(name))}


def _date_or_none(name: str) -> date | None:
    try:
        return date.fromisoformat(name) if _DATE.fullmatch(name) else None
    except ValueError:
        return None


def _as_date(key: str | date) -> date:
    day = _date_or_none(check_key(key))
    if day is None:
        refuse("key", "a date", repr(str(key)), "write it as year-month-day, such as '2026-01-05'")
    return day
