"""Single files and the audit: whole or absent, the same bytes everywhere."""

import csv
import hashlib
import json
import os
import stat
import sys

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.jobs import (
    _points,
    digest,
    digest_of,
    read_audit,
    write_atomic,
    write_csv,
    write_json,
    write_through,
)
from casebook.jobs.audit import append_line

JSON_WORDS = (
    "value must be text, finite numbers, bools, None, lists and mappings by text, got one that JSON does not have"
)


class KilledError(BaseException):
    """The process is gone."""


def test_a_write_killed_at_any_point_leaves_the_old_bytes_or_the_new(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    seen = []
    monkeypatch.setattr(_points, "reached", seen.append)
    write_atomic(path, "old")
    left = set()
    for at in range(len(seen)):
        path.write_text("old")
        calls = iter(range(100))

        def die(point, calls=calls, at=at):
            if next(calls) >= at:
                raise KilledError(point)

        monkeypatch.setattr(_points, "reached", die)
        with pytest.raises(KilledError):
            write_atomic(path, "new and longer")
        left.add(path.read_text())
    assert left == {"old", "new and longer"}


@pytest.mark.skipif(sys.platform == "win32", reason="a folder cannot be synced")
def test_bytes_are_on_the_disk_before_the_name_and_the_name_before_the_end(tmp_path, monkeypatch):
    calls, sync, replace = [], os.fsync, os.replace

    def noted_sync(handle):
        calls.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        sync(handle)

    def noted_replace(source, target):
        calls.append("name")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(os, "replace", noted_replace)
    write_atomic(tmp_path / "a", "x")
    assert calls == ["file", "name", "folder"]


def test_a_writer_that_fails_halfway_leaves_no_trace(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")

    def half(temp):
        temp.write_text("ha")
        assert temp.parent == tmp_path and temp.suffix == ".csv"
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_through(path, half)
    assert [(left.name, left.read_text()) for left in tmp_path.iterdir()] == [("a.csv", "old")]
    with pytest.raises(ContractError) as refusal:
        write_through(path, lambda temp: None)
    must = "write must be a function that writes the file at the path it is given, got no file; write to that path."
    assert str(refusal.value) == must


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_others_can_read_what_the_umask_lets_them(tmp_path):
    mask = os.umask(0o022)
    try:
        write_atomic(tmp_path / "a", b"")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


@given(st.binary(max_size=50), st.text(max_size=50))
def test_bytes_and_text_come_back_as_they_were(tmp_path_factory, raw, text):
    path = tmp_path_factory.getbasetemp() / "round"
    write_atomic(path, raw)
    assert path.read_bytes() == raw
    assert digest(path) == hashlib.sha256(raw).hexdigest()
    if text.isprintable():
        write_atomic(path, text + "\r\n")
        assert path.read_bytes() == text.encode() + b"\r\n"


@given(st.lists(st.tuples(st.integers(-9, 9), st.floats(allow_nan=False, allow_infinity=False)), max_size=6))
def test_a_csv_reads_back_to_the_last_bit(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "rows.csv"
    write_csv(path, ["unit_id", "score"], rows)
    with open(path, newline="") as file:
        header, *back = csv.reader(file)
    assert header == ["unit_id", "score"]
    assert [(int(unit_id), float(score)) for unit_id, score in back] == rows


def test_a_csv_quotes_what_must_be_and_refuses_a_ragged_row(tmp_path):
    write_csv(tmp_path / "a.csv", ["name"], [["a,b"], ["c\nd"]])
    assert (tmp_path / "a.csv").read_bytes() == b'name\n"a,b"\n"c\nd"\n'
    with pytest.raises(ContractError) as refusal:
        write_csv(tmp_path / "b.csv", ["a", "b"], [(1, 2), (3,)])
    assert str(refusal.value) == "rows, row 1 must be 2 values long, got 1; give one value per column."
    assert not (tmp_path / "b.csv").exists()


def test_parquet_goes_through_where_there_is_an_engine(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"unit_id": [1, 2], "score": [0.25, 0.5]})
    write_through(tmp_path / "a.parquet", frame.to_parquet)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), frame)
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


@given(
    st.dictionaries(st.text(max_size=3), st.integers() | st.booleans() | st.none() | st.text(max_size=3), max_size=5)
)
def test_a_digest_knows_no_order_of_keys_but_every_value(value):
    turned = dict(reversed(list(value.items())))
    assert digest_of(value) == digest_of(turned)
    assert digest_of(value) != digest_of(value | {"another": 1})
    plain = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert digest_of(value) == hashlib.sha256(plain.encode()).hexdigest()


def test_json_is_canonical_and_refuses_what_it_does_not_have(tmp_path):
    write_json(tmp_path / "a.json", {"b": [1, None], "a": "\u00e9"})
    assert (tmp_path / "a.json").read_bytes() == '{\n  "a": "\u00e9",\n  "b": [\n    1,\n    null\n  ]\n}\n'.encode()
    for value, why in [
        ({"x": float("inf")}, "Out of range float values are not JSON compliant"),
        ({"x": {1}}, "Object of type set is not JSON serializable"),
    ]:
        with pytest.raises(ContractError) as refusal:
            write_json(tmp_path / "b.json", value)
        assert str(refusal.value) == f"{JSON_WORDS} ({why}); turn it into text."
    assert not (tmp_path / "b.json").exists()


def test_a_line_that_was_cut_short_spoils_no_other(tmp_path):
    append_line(tmp_path, {"run": "a"}, "done")
    with open(tmp_path / "audit.jsonl", "ab") as file:
        file.write(b'{"run": "b", "sta')
    append_line(tmp_path, {"run": "c"}, "refused", "one\nreason")
    lines = read_audit(tmp_path)
    assert [line.get("run") for line in lines] == ["a", None, "c"]
    assert lines[1] == {"status": "unreadable", "reason": '{"run": "b", "sta'}
    assert lines[2]["reason"] == "one\nreason"
    assert len((tmp_path / "audit.jsonl").read_bytes().splitlines()) == 3


def test_a_write_that_the_disk_takes_in_part_is_an_error(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, raw: write(handle, raw[:5]))
    with pytest.raises(OSError, match=r"^the disk took only a part of a line of audit\.jsonl$"):
        append_line(tmp_path, {"run": "a"}, "done")
