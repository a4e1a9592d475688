"""The decision log: one JSON line for every answer and every report, only ever appended.

The log is what the service knows for certain. An answer is given after its line is written, so whoever was answered
can be answered the same again; what the state lacks after a crash is taken from here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

from casebook.contracts import ContractError, refuse
from casebook.jobs._lock import Lock, take_lock
from casebook.jobs.atomic import StrPath

DECISION, REPORT = "decision", "report"
Line = dict[str, Any]


def read_log(path: StrPath) -> list[Line]:
    """Read a decision log, which may be one that a service is writing.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    list of dict
        Oldest first: ``kind`` is ``decision`` (with ``event``, its fields, and ``answer``) or ``report`` (with
        ``event_id`` and ``reported_at``). A last line without its end is left out: nobody was answered from it.

    Raises
    ------
    ContractError
        No file, or a whole line that is none of a log's.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, DecisionLog(Path(folder) / "log.jsonl") as log:
    ...     _ = log.append({"kind": "report", "event_id": 1, "reported_at": 60})
    ...     print(read_log(Path(folder) / "log.jsonl"))
    [{'kind': 'report', 'event_id': 1, 'reported_at': 60}]
    """
    if not Path(path).is_file():
        refuse("the log", "a file", f"{str(path)!r}", "name the file that the service was given as --log")
    with open(path, "rb") as file:
        return [line for _, line in _lines(file, Path(path), 0)]


class DecisionLog:
    """A log that one process appends to, and an index of the events it has answered.

    Parameters
    ----------
    path : str or path
        In a folder that exists; an older log is read and continued.
    sync : bool
        Whether each line is forced to the disk. Without it a line outlives this process but not a loss of power.

    Raises
    ------
    ContractError
        Another process writes it, or a whole line is none of a log's.

    Notes
    -----
    A line is one write. A last line without its end is the trace of a crash in that write: it is cut off, since
    nobody was answered from it.
    """

    def __init__(self, path: StrPath, *, sync: bool = False) -> None:
        self.path, self.sync = Path(path), sync
        if not self.path.parent.is_dir():
            refuse("the log", "in a folder that exists", f"{str(path)!r}", "make the folder")
        self._lock = _alone(self.path)
        self._starts: dict[int, int] = {}
        self._reported: set[int] = set()
        self.end = 0
        self._file = FileIO(self.path, "a+")
        try:
            self._catch_up()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> DecisionLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; a second time does nothing."""
        if not self._file.closed:
            self._file.close()
            self._lock.__exit__()

    def append(self, line: Mapping[str, Any]) -> int:
        """Write a line and return where it ends; a line that cannot be written whole leaves the file as it was.

        Raises
        ------
        OSError
            The disk does not take it.
        """
        self._catch_up()
        raw = (json.dumps(line, allow_nan=False, separators=(",", ":")) + "\n").encode()
        start = self.end
        try:
            if self._file.write(raw) != len(raw):
                raise OSError(f"the disk took only a part of a line of {self.path.name}")
            if self.sync:
                os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(start)
            raise
        self._note(start, line)
        self.end = start + len(raw)
        return self.end

    def find(self, event_id: int) -> Line | None:
        """Return the decision about an event, None if there is none."""
        self._catch_up()
        start = self._starts.get(event_id)
        return None if start is None else next(self.lines(start))[1]

    def is_reported(self, event_id: int) -> bool:
        """Tell whether the log holds a report of an event."""
        return event_id in self._reported

    @property
    def decisions(self) -> int:
        """How many events have an answer."""
        return len(self._starts)

    @property
    def reports(self) -> int:
        """How many events have a report."""
        return len(self._reported)

    def lines(self, start: int = 0) -> Iterator[tuple[int, Line]]:
        """Yield where each line ends, and the line, from the byte ``start`` on."""
        with open(self.path, "rb") as file:
            yield from _lines(file, self.path, start)

    def _catch_up(self) -> None:
        """Note what the file holds beyond ``end``: all at first, later what an interrupt kept from being noted."""
        if self._file.seek(0, os.SEEK_END) == self.end:
            return
        for end, line in self.lines(self.end):
            self._note(self.end, line)
            self.end = end
        self._file.truncate(self.end)

    def _note(self, start: int, line: Mapping[str, Any]) -> None:
        if line["kind"] == DECISION:
            self._starts[line["event"]["event_id"]] = start
        else:
            self._reported.add(line["event_id"])


def _alone(path: Path) -> Lock:
    try:
        return take_lock(path.with_name(f".lock-{path.name}"))
    except ContractError:
        refuse(f"the log {path.name!r}", "written by one process", "another one at it", "stop that, or begin a new log")


def _lines(file: BinaryIO, path: Path, start: int) -> Iterator[tuple[int, Line]]:
    file.seek(start)
    for raw in file:
        if not raw.endswith(b"\n"):
            return
        start += len(raw)
        yield start, _parsed(raw, path, start)


def _parsed(raw: bytes, path: Path, end: int) -> Line:
    line = _line_of(raw)
    if line is None:
        where = f"{path.name}, the line that ends at byte {end}"
        refuse(where, "a decision or a report", f"{raw[:40]!r}", "restore the file, or begin a new log")
    return line


def _line_of(raw: bytes) -> Line | None:
    """Return a line's fields with their types, or None if it is neither a decision nor a report."""
    try:
        line = json.loads(raw)
        if line["kind"] == DECISION:
            return {"kind": DECISION, "event": dict(line["event"]), "answer": dict(line["answer"])}
        if line["kind"] == REPORT:
            return {"kind": REPORT, "event_id": int(line["event_id"]), "reported_at": int(line["reported_at"])}
    except (ValueError, KeyError, TypeError):
        return None
    return None
