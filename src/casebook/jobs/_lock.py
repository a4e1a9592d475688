"""One process per key: a lock of the operating system, which it drops when its owner dies.

A file that holds a process id would have to be judged stale, by an id that may since belong to another process
(in a container it is nearly always 1), and two judges can break each other's lock. So the file's text is for
people and for the audit only; what counts is the system's lock on it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from casebook.contracts import refuse
from casebook.jobs import _points

_BEYOND = 1 << 20  # Windows keeps others from reading the byte that is locked: one beyond the text


class Lock:
    """A held lock; ``left_behind`` is what an owner that died had signed with, if there was one."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path, self._handle = path, handle
        self.left_behind = _read_record(handle)

    def __enter__(self) -> Lock:
        return self

    def sign(self, record: Mapping[str, Any]) -> None:
        """Write into the file who holds it."""
        _points.reached("empty the lock")
        os.ftruncate(self._handle, 0)
        os.lseek(self._handle, 0, os.SEEK_SET)
        _points.reached("sign the lock")
        os.write(self._handle, json.dumps(record).encode())

    def __exit__(self, *_: object) -> None:
        try:
            _points.reached("unlock")
            mine = _is_current(self._handle, self._path)
            if mine and sys.platform != "win32":
                self._path.unlink()  # while it is held: whoever waits for this file sees that it is gone
        finally:
            os.close(self._handle)
        if mine and sys.platform == "win32":
            with suppress(PermissionError):  # the next owner has it open by now, and will remove it
                self._path.unlink(missing_ok=True)


def take_lock(path: Path) -> Lock:
    """Return the lock, or refuse if a living process has it."""
    while True:
        _points.reached("open the lock")
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            _points.reached("lock")
            if not _try_hold(handle):
                _refuse_busy(path, _read_record(handle))
            if _is_current(handle, path):
                return Lock(path, handle)
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _refuse_busy(path: Path, owner: Mapping[str, Any]) -> None:
    got = f"process {owner['pid']} at it since {owner['time']}" if owner else "another process at it"
    refuse(f"job {path.name.removeprefix('.lock-')!r}", "run by one process at a time", got, "wait for it to end")


def _try_hold(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, _BEYOND, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _is_current(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:  # its last owner removed it after we had opened it
        return False


def _read_record(handle: int) -> dict[str, Any]:
    os.lseek(handle, 0, os.SEEK_SET)
    try:
        record = json.loads(os.read(handle, _BEYOND))
    except ValueError:  # killed before it had signed: it had done nothing else yet
        return {}
    return record if isinstance(record, dict) and {"run", "pid", "time"} <= record.keys() else {}
