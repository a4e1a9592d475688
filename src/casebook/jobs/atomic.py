"""Files that are there whole or not at all, and what identifies them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from casebook.contracts import refuse
from casebook.jobs import _points

StrPath = str | os.PathLike[str]


def write_atomic(path: StrPath, data: bytes | str) -> None:
    r"""Write a file so that a reader sees the old bytes or the new ones, never a mixture.

    Parameters
    ----------
    path : str or path
        In a folder that exists; an older file is replaced.
    data : bytes or str
        Text is encoded as UTF-8 and its line ends are kept, so that the bytes are the same on every system.

    Notes
    -----
    A temporary file in the same folder is filled and synced to the disk, then renamed, then the folder is synced
    (Windows offers no sync of a folder). After a kill a file ``.tmp-...`` may be left beside the target. Windows
    refuses to rename over a file that somebody has open.

    References
    ----------
    Pillai et al. (2014), All file systems are not created equal, OSDI: why the sync comes before the rename.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomic(Path(folder) / "note.txt", "one line\n")
    ...     print([path.name for path in Path(folder).iterdir()])
    ['note.txt']
    """
    raw = data.encode("utf-8") if isinstance(data, str) else data
    write_through(path, lambda temp: _fill(temp, raw))


def write_through(path: StrPath, write: Callable[[Path], object]) -> None:
    """Make any writer atomic, such as ``frame.to_parquet`` or a model's ``save``.

    Parameters
    ----------
    path : str or path
        Where the file is to appear.
    write : callable
        Called with a temporary path in the same folder and with the same suffix; it writes that one file.

    Raises
    ------
    ContractError
        ``write`` left no file at the path it was given.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"unit_id": [1], "score": [0.5]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_through(Path(folder) / "scores.csv", lambda path: frame.to_csv(path, index=False))
    ...     print((Path(folder) / "scores.csv").read_text().split())
    ['unit_id,score', '1,0.5']
    """
    target = Path(path)
    temp = target.with_name(f".tmp-{secrets.token_hex(8)}-{target.name}")
    try:
        _points.reached(f"write {target.name}")
        write(temp)
        if not temp.is_file():
            refuse("write", "a function that writes the file at the path it is given", "no file", "write to that path")
        sync_file(temp)
        move(temp, target)
    except BaseException:
        _points.reached("drop the temporary file")
        temp.unlink(missing_ok=True)
        raise


def write_csv(path: StrPath, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    r"""Write a CSV file atomically, with the same bytes on every system.

    Parameters
    ----------
    path : str or path
    header : sequence of str
        Names of the columns.
    rows : iterable of sequences
        Floats are written in full (``repr``), so that they come back the same.

    Raises
    ------
    ContractError
        A row that is not as long as the header.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_csv(Path(folder) / "scores.csv", ["unit_id", "score"], [(1, 0.1), (2, 0.25)])
    ...     print((Path(folder) / "scores.csv").read_bytes())
    b'unit_id,score\n1,0.1\n2,0.25\n'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for number, row in enumerate(rows):
        if len(row) != len(header):
            refuse(f"rows, row {number}", f"{len(header)} values long", str(len(row)), "give one value per column")
        writer.writerow(row)
    write_atomic(path, text.getvalue())


def write_json(path: StrPath, value: object) -> None:
    r"""Write JSON atomically: keys sorted, two spaces, one line end at the end.

    Parameters
    ----------
    path : str or path
    value : object
        Mappings with text keys, lists, text, finite numbers, bools, None.

    Raises
    ------
    ContractError
        A value that JSON does not have.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_json(Path(folder) / "cut.json", {"threshold": 0.2, "n": 3})
    ...     print((Path(folder) / "cut.json").read_text())
    {
      "n": 3,
      "threshold": 0.2
    }
    """
    write_atomic(path, _json(value, indent=2) + "\n")


def digest(path: StrPath) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomic(Path(folder) / "a", "abc")
    ...     print(digest(Path(folder) / "a")[:8])
    ba7816bf
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of(value: object) -> str:
    """Return the SHA-256 of a value's canonical JSON: settings, a list of ids, counts.

    Parameters
    ----------
    value : object
        Mappings with text keys (in any order), lists or tuples, text, finite numbers, bools, None.

    Raises
    ------
    ContractError
        A value that JSON does not have, such as a date or NaN.

    Examples
    --------
    >>> digest_of({"a": 1, "b": [2.5]}) == digest_of({"b": [2.5], "a": 1})
    True
    >>> digest_of({"rate": float("nan")})
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: value must be text, finite numbers, bools, None, lists and mappings by text,
    got one that JSON does not have (Out of range float values are not JSON compliant); turn it into text.
    """
    return hashlib.sha256(_json(value, separators=(",", ":")).encode("utf-8")).hexdigest()


def sync_file(path: Path) -> None:
    """Have the system put a file's bytes on the disk; Windows wants it open for writing."""
    _points.reached(f"sync {path.suffix}")
    with open(path, "r+b") as file:
        os.fsync(file.fileno())


def move(source: Path, target: Path) -> None:
    """Rename a file or folder in one call, and have the system remember it."""
    _points.reached(f"move to {target.name}")
    os.replace(source, target)
    for folder in {source.parent, target.parent}:
        _sync_folder(folder)


def remove_tree(path: Path) -> None:
    """Remove a folder and what is in it, if it is there; it can be killed between any two files."""
    if not path.is_dir():
        return
    for inside in sorted(path.iterdir()):
        if inside.is_dir() and not inside.is_symlink():
            remove_tree(inside)
        else:
            _points.reached(f"remove {inside.suffix}")
            inside.unlink()
    _points.reached("remove a folder")
    path.rmdir()


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    _points.reached("sync a folder")
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _fill(temp: Path, raw: bytes) -> None:
    with open(temp, "xb") as file:  # not mkstemp, whose files only their owner can read
        file.write(raw)


def _json(value: object, *, indent: int | None = None, separators: tuple[str, str] | None = None) -> str:
    must = "text, finite numbers, bools, None, lists and mappings by text"
    try:
        return json.dumps(
            value, sort_keys=True, allow_nan=False, ensure_ascii=False, indent=indent, separators=separators
        )
    except (TypeError, ValueError) as error:
        reason = str(error).partition(":")[0]  # Python 3.12 and later add the value
    refuse("value", must, f"one that JSON does not have ({reason})", "turn it into text")
