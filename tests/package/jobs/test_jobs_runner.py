"""What a run does when nobody kills it: once, gated, audited, refused in one sentence."""

import getpass
import hashlib
import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from casebook.contracts import ContractError
from casebook.jobs import Step, _points, check_fresh, check_output, latest_output, read_audit, run_job, write_json
from casebook.jobs._lock import take_lock

KEY = "2026-01-05"
SWAP = "pass --replace to swap the output (the old one is kept)"


def cut(value=0.2, name="cut", output="cut.json"):
    return Step(name, lambda path, done: write_json(path, value), output)


def run(folder, steps=None, key=KEY, **options):
    return run_job(folder, key, [cut()] if steps is None else steps, **({"inputs": {"model": "v1"}} | options))


def state(folder):
    """Bytes and the time of the last change of all but the audit."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "audit.jsonl"]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in paths}


def sentence_of(call, *arguments, **options):
    with pytest.raises(ContractError) as refusal:
        call(*arguments, **options)
    return str(refusal.value)


def test_twice_on_a_date_writes_once(tmp_path):
    calls = []
    steps = [Step("cut", lambda path, done: calls.append(path.write_text("1")), "cut.txt")]
    assert run(tmp_path, steps).status == "done"
    before = state(tmp_path)
    again = run(tmp_path, steps, key=date(2026, 1, 5))
    assert (again.status, again.path, again.ran, again.reused) == ("already done", tmp_path / KEY, (), ())
    assert state(tmp_path) == before
    assert len(calls) == 1


def test_two_folders_have_the_same_bytes_whatever_the_clock(tmp_path):
    for name, year in [("a", 2026), ("b", 2030)]:
        run(tmp_path / name, now=lambda year=year: datetime(year, 1, 1, tzinfo=UTC))
    a, b = ({path.name: path.read_bytes() for path in (tmp_path / name / KEY).iterdir()} for name in ("a", "b"))
    assert a == b
    assert sorted(a) == ["cut.json", "manifest.json"]


def test_the_audit_tells_who_ran_what_on_which_input(tmp_path):
    def noon():
        return datetime(2026, 1, 5, 12, tzinfo=UTC)

    run(tmp_path, now=noon)
    run(tmp_path, now=noon)
    sentence = sentence_of(run, tmp_path, inputs={"model": "v2"}, now=noon)
    run(tmp_path, inputs={"model": "v2"}, now=noon, replace=True)
    lines = read_audit(tmp_path)
    assert [line["status"] for line in lines] == ["done", "already done", "refused", "replaced"]
    assert [line["reason"] for line in lines] == ["", "", sentence, ""]
    assert [line["inputs"]["model"] for line in lines] == ["v1", "v1", "v2", "v2"]
    assert [line["steps_run"] for line in lines] == [["cut"], [], [], ["cut"]]
    assert {line["time"] for line in lines} == {"2026-01-05T12:00:00+00:00"}
    assert {(line["key"], line["pid"], line["user"]) for line in lines} == {(KEY, os.getpid(), getpass.getuser())}
    assert lines[3]["inputs_digest"] == check_output(tmp_path / KEY)["inputs_digest"] != lines[0]["inputs_digest"]


def test_a_refusal_or_an_error_is_audited_and_publishes_nothing(tmp_path):
    sentence = sentence_of(run, tmp_path, gates=[lambda: check_fresh({"usage": date(2026, 1, 1)}, date(2026, 1, 5), 0)])
    assert sentence.startswith("table 'usage' must be loaded up to 2026-01-05, got 2026-01-01; ")
    assert [path.name for path in tmp_path.iterdir()] == ["audit.jsonl"]
    with pytest.raises(ZeroDivisionError):
        run(tmp_path, [Step("bad", lambda path, done: 1 / 0, "bad.txt")])
    assert not (tmp_path / KEY).exists()
    told = [(line["status"], line["reason"]) for line in read_audit(tmp_path)]
    assert told == [("refused", sentence), ("failed", "ZeroDivisionError: division by zero")]


def test_gates_are_not_asked_about_an_output_that_is_there(tmp_path):
    run(tmp_path)
    asked = []
    assert run(tmp_path, gates=[lambda: asked.append(1)]).status == "already done"
    assert run(tmp_path, key="2026-01-06", gates=[lambda: asked.append(2)]).status == "done"
    assert asked == [2]


def test_the_kill_switch_stops_before_any_step_and_between_steps(tmp_path):
    def pull(path, done):
        path.write_text("1")
        (tmp_path / "STOP").write_text("bad labels")

    steps = [Step("pull", pull, "a.txt"), cut()]
    sentence = "kill switch 'STOP' must be absent, got one that says 'bad labels'; remove the file once that is mended."
    assert sentence_of(run, tmp_path, steps) == sentence
    assert not (tmp_path / KEY).exists()
    assert sentence_of(run, tmp_path, steps) == sentence
    (tmp_path / "STOP").unlink()
    result = run(tmp_path, [Step("pull", pull, "a.txt")], key="2026-01-06", switch="HALT")
    assert result.status == "done"
    (tmp_path / "STOP").unlink()
    assert (
        sentence_of(run, tmp_path, [Step("pull", pull, "a.txt")], key="2026-01-07") == sentence
    )  # after the last step
    assert not (tmp_path / "2026-01-07").exists()
    (tmp_path / "STOP").unlink()
    assert run(tmp_path, [steps[0], cut()], switch="HALT").ran == ("cut",)


def test_other_inputs_or_steps_are_refused_and_swapped_on_request(tmp_path):
    run(tmp_path)
    before = state(tmp_path)
    got = sentence_of(run, tmp_path, inputs={"model": "v2", "n": "3"})
    must = f"the inputs of '{KEY}' must be those of its finished run, got a change in 'model', 'n'; {SWAP}."
    assert got == must
    steps = [cut(output="other.json")]
    assert (
        sentence_of(run, tmp_path, steps)
        == f"the steps of '{KEY}' must be those of its finished run, got others; {SWAP}."
    )
    assert state(tmp_path) == before
    assert run(tmp_path, inputs={"model": "v1"}, replace=True).status == "already done"
    assert state(tmp_path) == before
    assert [run(tmp_path, steps, replace=True).status, run(tmp_path, replace=True).status] == ["replaced", "replaced"]
    kept = [sorted(path.name for path in (tmp_path / f".replaced-{KEY}-{n}").iterdir()) for n in (1, 2)]
    assert kept == [["cut.json", "manifest.json"], ["manifest.json", "other.json"]]
    assert [path.read_bytes() for path in (tmp_path / KEY).iterdir()] == [
        (tmp_path / f".replaced-{KEY}-1" / path.name).read_bytes() for path in (tmp_path / KEY).iterdir()
    ]


def test_a_damaged_output_is_refused_and_mended_by_replace(tmp_path):
    run(tmp_path)
    whole = check_output(tmp_path / KEY)
    what = f"output '{KEY}', file 'cut.json' must be"
    (tmp_path / KEY / "cut.json").write_bytes(b"0.3\n")
    was, now = (hashlib.sha256(raw).hexdigest()[:12] for raw in (b"0.2\n", b"0.3\n"))
    must = f"{what} of SHA-256 {was}, as its manifest says, got {now}; run the job again with --replace."
    assert sentence_of(run, tmp_path) == must
    (tmp_path / KEY / "cut.json").unlink()
    must = f"{what} there, as its manifest says, got no file; run the job again with --replace."
    assert sentence_of(run, tmp_path) == must
    assert run(tmp_path, replace=True).status == "replaced"
    assert check_output(tmp_path / KEY) == whole


@pytest.mark.parametrize(
    ("text", "got"),
    [
        (None, "none"),
        ("{", "one that cannot be read"),
        ("[]", "one that cannot be read"),
        ("{}", "one that lacks entries"),
    ],
)
def test_a_folder_that_no_job_finished_is_refused(tmp_path, text, got):
    (tmp_path / KEY).mkdir()
    if text is not None:
        (tmp_path / KEY / "manifest.json").write_text(text)
    must = f"output '{KEY}' must be a folder with a manifest.json, got {got}; move it away and run the job again."
    assert sentence_of(run, tmp_path) == must
    assert sentence_of(latest_output, tmp_path, KEY, 0) == must


def test_a_file_in_the_place_of_an_output_is_refused(tmp_path):
    (tmp_path / KEY).write_text("mine")
    must = f"output '{KEY}' must be a folder with a manifest.json, got none; move it away and run the job again."
    assert sentence_of(run, tmp_path) == must
    assert (tmp_path / KEY).read_text() == "mine"


def test_an_input_file_is_digested_missed_and_watched(tmp_path):
    usage = tmp_path / "usage.csv"
    folder = tmp_path / "job"
    missing = f"input 'usage' must be a file, got nothing at '{usage.as_posix()}'; wait for the load or mend the path."
    assert sentence_of(run, folder, inputs={"usage": usage}) == missing
    assert (read_audit(folder)[0]["status"], read_audit(folder)[0]["inputs"]) == ("refused", {"usage": "missing"})
    usage.write_text("a")
    load = Step("load", lambda path, done: (path.write_text(usage.read_text()), usage.write_text("b")), "a.txt")
    moved = "input 'usage' must be the same at the end of the run as at its start, got other bytes; run again."
    assert sentence_of(run, folder, [load], inputs={"usage": usage}) == moved
    assert sorted(path.name for path in folder.iterdir()) == ["audit.jsonl"]
    assert run(folder, [load], inputs={"usage": usage}).status == "done"
    usage.write_text("c")
    assert "got a change in 'usage'" in sentence_of(run, folder, [load], inputs={"usage": usage})


def test_a_step_that_breaks_its_promise_is_refused(tmp_path):
    lazy = [Step("lazy", lambda path, done: None, "a.txt")]
    must = "step 'lazy' must be a function that writes the file at the path it is given, got no file; "
    assert sentence_of(run, tmp_path, lazy) == must + "write to that path, under that very name."
    rude = [cut(), Step("rude", lambda path, done: (path.touch(), done["cut"].write_text("9")), "b.txt")]
    must = "step 'cut' must be the only one to write its file, got other bytes at the end of the run; "
    assert sentence_of(run, tmp_path, rude) == must + "let later steps only read it."
    assert not (tmp_path / KEY).exists()
    assert run(tmp_path, [cut(), Step("rude", lambda path, done: path.touch(), "b.txt")]).ran == ("cut",)


def test_side_files_of_a_step_are_not_published(tmp_path):
    def messy(path, done):
        path.write_text("1")
        path.with_name("scratch.tmp").write_text("2")

    run(tmp_path, [Step("messy", messy, "a.txt"), cut()])
    assert sorted(path.name for path in (tmp_path / KEY).iterdir()) == ["a.txt", "cut.json", "manifest.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [KEY, "audit.jsonl"]


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([], "steps must be at least one step, got none; add a Step."),
        ([cut(), cut(output="b")], "steps, step 1 must be named apart from the others, got 'cut'; rename it."),
        (
            [cut(output="../a")],
            "steps, step 0 must be given a plain file name, got '../a'; drop folders, spaces and leading dots.",
        ),
        (
            [cut(), cut(name="b", output="CUT.json")],
            "steps, step 1 must be writing a file of its own (and not manifest.json), got 'CUT.json'; "
            "rename its output.",
        ),
        (
            [cut(output="manifest.json")],
            "steps, step 0 must be writing a file of its own (and not manifest.json), got 'manifest.json'; "
            "rename its output.",
        ),
    ],
)
def test_steps_that_cannot_be(tmp_path, steps, sentence):
    assert sentence_of(run, tmp_path / "job", steps) == sentence
    assert not (tmp_path / "job").exists()


@pytest.mark.parametrize("key", ["../up", ".hidden", "a b", "", "dot.", datetime(2026, 1, 5, 12)])
def test_keys_that_cannot_name_a_folder(tmp_path, key):
    must = "letters, digits, '-', '_' and '.' only"
    sentence = f"key must be {must}, got {str(key)!r}; pass a date such as '2026-01-05'."
    assert sentence_of(run, tmp_path / "job", key=key) == sentence
    assert not (tmp_path / "job").exists()


def test_inputs_that_cannot_be(tmp_path):
    none = "inputs must be at least one input, got none; name what the job reads, with its digest or its path."
    assert sentence_of(run, tmp_path, inputs={}) == none
    number = "input 'n' must be text or a Path, got int; pass digest_of(...) or the file's Path."
    assert sentence_of(run, tmp_path, inputs={"n": 3}) == number


def test_an_unsigned_lock_that_is_held_is_refused_and_two_keys_do_not_collide(tmp_path):
    with take_lock(tmp_path / f".lock-{KEY}"):
        must = f"job '{KEY}' must be run by one process at a time, got another process at it; wait for it to end."
        assert sentence_of(run, tmp_path) == must
        assert run(tmp_path, key="2026-01-06").status == "done"
    assert run(tmp_path).status == "done"


def test_a_lock_that_its_owner_removes_while_one_waits_is_not_taken_for_held(tmp_path, monkeypatch):
    path, removed = tmp_path / ".lock-a", []

    def end_of_the_owner(point):
        if point == "lock" and not removed:
            removed.append(path.unlink())

    monkeypatch.setattr(_points, "reached", end_of_the_owner)
    with take_lock(path), pytest.raises(ContractError, match=r"^job 'a' must be run by one process at a time, got "):
        take_lock(path)
    assert (removed, path.exists()) == ([None], False)


def test_a_lock_file_removed_by_hand_does_no_harm(tmp_path):
    def meddle(path, done):
        path.write_text("1")
        (tmp_path / f".lock-{KEY}").unlink()
        Path(tmp_path / f".lock-{KEY}").write_text("of another process")

    run(tmp_path, [Step("meddle", meddle, "a.txt")])
    assert (tmp_path / f".lock-{KEY}").read_text() == "of another process"
