"""The decision log: append only, read back, and sound after a crash in the middle of a line."""

import json

import pytest

from casebook.contracts import ContractError
from casebook.fraud.service_log import DecisionLog, read_log


def decided(event_id, **more):
    return {"kind": "decision", "event": {"event_id": event_id, **more}, "answer": {"action": "allow"}}


def reported(event_id):
    return {"kind": "report", "event_id": event_id, "reported_at": 60}


LINES = [decided(7, category='a "word"\nin two lines, é'), decided(8), reported(7)]


@pytest.fixture
def path(tmp_path):
    """Return the path of a log with three lines."""
    with DecisionLog(tmp_path / "log.jsonl") as log:
        for line in LINES:
            log.append(line)
    return tmp_path / "log.jsonl"


def test_what_was_appended_is_read_back_in_order(path):
    assert read_log(path) == LINES
    assert len(path.read_bytes().splitlines()) == 3


def test_a_restart_finds_what_was_there_and_goes_on(path):
    with DecisionLog(path) as log:
        assert log.find(7) == LINES[0] and log.find(8) == LINES[1] and log.find(9) is None
        assert log.is_reported(7) and not log.is_reported(8)
        assert (log.decisions, log.reports) == (2, 1)
        end = log.append(decided(9))
        assert end == log.end == path.stat().st_size
        assert log.find(9) == decided(9)
    assert read_log(path) == [*LINES, decided(9)]


def test_lines_can_be_read_from_any_end_on(path):
    with DecisionLog(path) as log:
        ends = [end for end, _ in log.lines()]
        assert [[line for _, line in log.lines(end)] for end in [0, *ends]] == [LINES, LINES[1:], LINES[2:], []]
        assert ends[-1] == log.end


def test_a_line_is_one_write(tmp_path):
    with DecisionLog(tmp_path / "log.jsonl") as log:
        writes, real = [], log._file
        log._file = Watched(real, writes)
        log.append(LINES[0])
        log._file = real
    assert len(writes) == 1 and writes[0].endswith(b"\n")


class Watched:
    """A file that counts writes and takes at most so many bytes of one."""

    def __init__(self, file, writes, most=10**9):
        self.file, self.writes, self.most = file, writes, most

    def write(self, raw):
        self.writes.append(raw)
        return self.file.write(raw[: self.most])

    def __getattr__(self, name):
        return getattr(self.file, name)


@pytest.mark.parametrize("kept", range(1, 60, 7))
def test_a_torn_last_line_is_left_out_and_cut_off(path, kept):
    whole = path.read_bytes()
    torn = whole + json.dumps(decided(9)).encode()[:kept]
    path.write_bytes(torn)
    assert read_log(path) == LINES
    with DecisionLog(path) as log:
        assert log.find(9) is None
        log.append(decided(10))
    assert read_log(path) == [*LINES, decided(10)]
    assert path.read_bytes().startswith(whole)


def test_a_whole_line_without_its_end_is_torn_too(path):
    path.write_bytes(path.read_bytes() + json.dumps(decided(9)).encode())
    assert read_log(path) == LINES
    with DecisionLog(path) as log:
        assert log.find(9) is None


@pytest.mark.parametrize("most", [0, 5])
def test_a_full_disk_leaves_the_file_as_it_was(path, most):
    before = path.read_bytes()
    with DecisionLog(path) as log:
        real = log._file
        log._file = Watched(real, [], most)
        with pytest.raises(OSError, match=r"the disk took only a part of a line of log\.jsonl"):
            log.append(decided(9))
        log._file = real
        assert path.read_bytes() == before and log.find(9) is None
        log.append(decided(9))
    assert read_log(path) == [*LINES, decided(9)]


def test_what_an_interrupt_kept_from_the_index_is_noted_later(path):
    with DecisionLog(path) as log:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(log, "_note", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                log.append(decided(9))
        assert log.find(9) == decided(9)
        log.append(decided(10))
        assert log.find(10) == decided(10)


def test_only_one_process_writes_a_log(path):
    with DecisionLog(path), pytest.raises(ContractError) as refused:
        DecisionLog(path)
    assert str(refused.value) == (
        "the log 'log.jsonl' must be written by one process, got another one at it; stop that, or begin a new log."
    )
    DecisionLog(path).close()


def test_a_closed_log_may_be_closed_again(path):
    log = DecisionLog(path, sync=True)
    log.append(decided(9))
    log.close()
    log.close()
    assert [child.name for child in path.parent.iterdir()] == ["log.jsonl"]


def test_lines_are_forced_to_the_disk_only_if_asked(path, monkeypatch):
    forced = []
    monkeypatch.setattr("casebook.fraud.service_log.os.fsync", forced.append)
    for sync, times in ((False, 0), (True, 1)):
        with DecisionLog(path, sync=sync) as log:
            log.append(decided(20 + times))
        assert len(forced) == times


@pytest.mark.parametrize(
    "line", ["no JSON", "[]", "7", '{"kind": "decision"}', '{"kind": "report"}', '{"kind": "x", "event_id": 1}']
)
def test_a_line_that_is_none_of_a_logs_is_refused_by_its_place(path, line):
    raw = path.read_bytes()
    path.write_bytes(raw + f"{line}\n".encode() + raw)
    with pytest.raises(ContractError) as refused:
        read_log(path)
    end = len(raw) + len(line) + 1
    said = str(refused.value)
    assert said.startswith(f"log.jsonl, the line that ends at byte {end} must be a decision or a report, got b'")
    with pytest.raises(ContractError):
        DecisionLog(path)
    path.write_bytes(raw)
    DecisionLog(path).close()  # the refused one has let go


def test_no_file_and_no_folder_are_refused(tmp_path):
    with pytest.raises(ContractError, match=r"the log must be a file, got .*; name the file"):
        read_log(tmp_path / "log.jsonl")
    with pytest.raises(ContractError, match=r"the log must be in a folder that exists, got .*; make the folder"):
        DecisionLog(tmp_path / "nowhere" / "log.jsonl")


def test_what_json_does_not_have_is_not_written(path):
    before = path.read_bytes()
    with DecisionLog(path) as log, pytest.raises(ValueError, match="JSON"):
        log.append(decided(9, p=float("nan")))
    assert path.read_bytes() == before
