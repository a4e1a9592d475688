"""The fallback: the newest finished output, marked as such, and never a damaged one."""

from datetime import date

import pytest

from casebook.contracts import ContractError
from casebook.jobs import Step, latest_output, run_job, write_json

KEY = "2026-01-05"


def run(folder, key, **options):
    steps = [Step("cut", lambda path, done: write_json(path, 0.2), "cut.json")]
    return run_job(folder, key, steps, **({"inputs": {"model": "v1"}} | options))


def sentence_of(call, *arguments, **options):
    with pytest.raises(ContractError) as refusal:
        call(*arguments, **options)
    return str(refusal.value)


def test_the_fallback_is_the_newest_at_or_before_and_says_so(tmp_path):
    for day in ("2026-01-01", "2026-01-03", "2026-01-09", "weekly"):
        run(tmp_path, key=day)
    (tmp_path / ".partial-2026-01-05").mkdir()
    (tmp_path / "2026-13-01").mkdir()
    tonight, older = latest_output(tmp_path, "2026-01-03", 0), latest_output(tmp_path, date(2026, 1, 5), 2)
    assert (tonight.path, tonight.is_fallback, tonight.note) == (tmp_path / "2026-01-03", False, "")
    assert (older.path, older.is_fallback, older.age_days) == (tmp_path / "2026-01-03", True, 2)
    assert older.note == "Output of 2026-01-03, 2 days old, in place of 2026-01-05."
    mend = "mend and run the job, or raise max_age_days."
    must = "the finished output for 2026-01-05 must be at most 1 days old"
    old = f"{must}, got 2026-01-03 as the newest, 2 days old; {mend}"
    assert sentence_of(latest_output, tmp_path, "2026-01-05", 1) == old
    none = f"the finished output for 2025-12-31 must be at most 9 days old, got none at all; {mend}"
    assert sentence_of(latest_output, tmp_path, "2025-12-31", 9) == none
    assert sentence_of(latest_output, tmp_path / "nowhere", "2025-12-31", 9) == none


def test_a_changed_fallback_is_not_served_and_a_removed_one_does_not_come_back(tmp_path):
    run(tmp_path, key="2026-01-04")
    run(tmp_path, key="2026-01-04", inputs={"model": "v2"}, replace=True)
    (tmp_path / "2026-01-04" / "cut.json").write_text("")
    assert "as its manifest says" in sentence_of(latest_output, tmp_path, "2026-01-05", 3)
    (tmp_path / "2026-01-04").rename(tmp_path / "bad")
    assert "got none at all" in sentence_of(latest_output, tmp_path, "2026-01-05", 3)


def test_questions_about_the_fallback_that_cannot_be(tmp_path):
    must = "key must be a date, got 'weekly'; write it as year-month-day, such as '2026-01-05'."
    assert sentence_of(latest_output, tmp_path, "weekly", 3) == must
    must = "max_age_days must be 0 or more, got -1; count the days back from the date."
    assert sentence_of(latest_output, tmp_path, KEY, -1) == must
