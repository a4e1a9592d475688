"""Who ran what on which input: one JSON line per attempt, only ever appended."""

from __future__ import annotations

import getpass
import json
import os
import platform
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from casebook.jobs import _points
from casebook.jobs.atomic import StrPath, digest_of

AUDIT = "audit.jsonl"


def read_audit(folder: StrPath) -> list[dict[str, Any]]:
    """Return the lines of a job's audit, oldest first.

    Parameters
    ----------
    folder : str or path
        The job's folder.

    Returns
    -------
    list of dict
        With ``run`` (an id), ``time`` (of the start), ``key``, ``status`` (done, replaced, already done, refused,
        failed, killed), ``reason`` (the sentence or the error), ``user``, ``host``, ``pid``, ``inputs`` (digest
        by name), ``inputs_digest`` and ``steps_run``. Empty if the job was never run; a line that a full disk cut
        short comes back with the status "unreadable" and its text as the reason.

    Examples
    --------
    >>> read_audit("no such folder")
    []
    """
    path = Path(folder) / AUDIT
    if not path.exists():
        return []
    return [_parsed(line) for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line]


def new_attempt(key: str, inputs: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """Return what is known of an attempt before it starts."""
    return {
        "run": secrets.token_hex(8),
        "time": now.isoformat(timespec="seconds"),
        "key": key,
        "user": _user(),
        "host": platform.node(),
        "pid": os.getpid(),
        "inputs": dict(inputs),
        "inputs_digest": digest_of(inputs),
    }


def append_line(
    folder: Path, attempt: Mapping[str, Any], status: str, reason: str = "", ran: tuple[str, ...] = ()
) -> None:
    """Append an attempt's line in one write, so that lines of two processes never mix."""
    line = json.dumps({**attempt, "status": status, "reason": reason, "steps_run": list(ran)}, sort_keys=True)
    path = folder / AUDIT
    glue = "" if _ends_whole(path) else "\n"
    _points.reached("append to the audit")
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
    try:
        raw = f"{glue}{line}\n".encode()
        if os.write(handle, raw) < len(raw):
            raise OSError(f"the disk took only a part of a line of {AUDIT}")
        _points.reached("sync the audit")
        os.fsync(handle)
    finally:
        os.close(handle)


def append_killed(folder: Path, attempt: Mapping[str, Any]) -> None:
    """Append the line of an attempt that died before it could, unless it got as far as that."""
    if all(line.get("run") != attempt.get("run") for line in read_audit(folder)):
        append_line(folder, attempt, "killed", "the process ended without a line of its own")


def _ends_whole(path: Path) -> bool:
    if not path.exists() or path.stat().st_size == 0:
        return True
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _parsed(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"status": "unreadable", "reason": line}


def _user() -> str:
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # a container's user need not have a name
        return "unknown"
