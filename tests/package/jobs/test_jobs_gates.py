"""Gates and the command line: the whole sentence, or silence."""

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError, refuse
from casebook.jobs import check_fresh, check_loaded, guarded, job_parser, refuse_if_killed

TONIGHT = date(2026, 1, 4)
WAIT = "wait for the load or pass an earlier --date."


def sentence_of(call, *arguments, **options):
    with pytest.raises(ContractError) as refusal:
        call(*arguments, **options)
    return str(refusal.value)


@given(st.integers(-400, 400), st.integers(0, 30))
def test_a_table_is_fresh_exactly_if_it_lags_no_more_than_allowed(lag, allowed):
    latest = {"good": TONIGHT, "usage": TONIGHT - timedelta(days=lag)}
    if lag <= allowed:
        check_fresh(latest, TONIGHT, allowed)
    else:
        must = f"loaded up to {TONIGHT - timedelta(days=allowed)}, got {latest['usage']}"
        assert sentence_of(check_fresh, latest, TONIGHT, allowed) == f"table 'usage' must be {must}; {WAIT}"


def test_every_kind_of_date_counts_by_its_day():
    late = datetime(2026, 1, 4, 23, 59)
    check_fresh({"a": late, "b": pd.Timestamp(late, tz="UTC"), "c": TONIGHT}, datetime(2026, 1, 4, 1), 0)
    stale = f"table 'a' must be loaded up to 2026-01-04, got 2026-01-03; {WAIT}"
    assert sentence_of(check_fresh, {"a": pd.Timestamp("2026-01-03 23:00")}, TONIGHT, 0) == stale


@pytest.mark.parametrize("nothing", [None, pd.NaT, float("nan"), np.datetime64("NaT")])
def test_a_table_without_rows_is_stale(nothing):
    assert sentence_of(check_fresh, {"a": nothing}, TONIGHT, 7) == (
        f"table 'a' must be loaded up to 2025-12-28, got no rows; {WAIT}"
    )


def test_questions_about_freshness_that_cannot_be():
    none = "latest must be given for at least one table, got none; name the tables that the job reads."
    assert sentence_of(check_fresh, {}, TONIGHT, 0) == none
    lag = "max_lag_days must be 0 or more, got -1; count the days that a table may lag behind."
    assert sentence_of(check_fresh, {"a": TONIGHT}, TONIGHT, -1) == lag
    convert = "convert it with date.fromisoformat or pd.Timestamp."
    text = f"latest, table 'a' must be a date, got '2026-01-04'; {convert}"
    assert sentence_of(check_fresh, {"a": "2026-01-04"}, TONIGHT, 0) == text
    assert sentence_of(check_fresh, {"a": TONIGHT}, "x", 0) == f"date must be a date, got 'x'; {convert}"


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_a_table_is_loaded_exactly_if_its_count_is_within_both_bounds(count, low, width):
    expected = {"usage": (low, low + width)}
    if low <= count <= low + width:
        check_loaded({"usage": count, "other": 0}, expected=expected)
    else:
        must = f"table 'usage' must be loaded with {low} to {low + width} accounts, got {count}; "
        mend = "wait for the load or look for what doubled or dropped them."
        assert sentence_of(check_loaded, {"usage": count}, expected=expected, what="accounts") == must + mend


def test_counts_that_are_missing_or_bounds_that_cannot_be():
    must = "table 'usage' must be loaded with 1 to 2 rows, got"
    mend = "wait for the load or look for what doubled or dropped them."
    assert sentence_of(check_loaded, {}, expected={"usage": (1, 2)}) == f"{must} no count; {mend}"
    assert sentence_of(check_loaded, {"usage": float("nan")}, expected={"usage": (1, 2)}) == f"{must} nan; {mend}"
    none = "expected must be given for at least one table, got none; name the tables that the job reads."
    assert sentence_of(check_loaded, {"usage": 1}, expected={}) == none
    turned = "expected, table 'usage' must be (low, high), got (2, 1); turn the bounds round."
    assert sentence_of(check_loaded, {"usage": 1}, expected={"usage": (2, 1)}) == turned


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("labels wrong\n  since Monday\n", "one that says 'labels wrong since Monday'"),
        ("", "one with no reason in it"),
        ("word " * 100, f"one that says '{('word ' * 39).strip()} ...'"),
    ],
)
def test_the_kill_switch_gives_its_reason(tmp_path, text, got):
    refuse_if_killed(tmp_path)
    refuse_if_killed(tmp_path / "nowhere")
    (tmp_path / "HALT").write_text(text)
    refuse_if_killed(tmp_path)
    must = f"kill switch 'HALT' must be absent, got {got}; remove the file once that is mended."
    assert sentence_of(refuse_if_killed, tmp_path, "HALT") == must


def test_a_folder_called_stop_stops_too(tmp_path):
    (tmp_path / "STOP").mkdir()
    must = "kill switch 'STOP' must be absent, got one with no reason in it; remove the file once that is mended."
    assert sentence_of(refuse_if_killed, tmp_path) == must


def test_a_refusal_is_one_sentence_on_stderr_and_nothing_on_stdout(capsys):
    def main(argv):
        print("a thousand scores")
        refuse("table 'usage'", "loaded", "no rows", "wait")

    assert guarded(main, []) == 2
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "table 'usage' must be loaded, got no rows; wait.\n")


def test_another_error_goes_on_with_what_was_printed(capsys):
    def main(argv):
        print("half")
        raise KeyError("unit_id")

    with pytest.raises(KeyError, match="unit_id"):
        guarded(main, [])
    assert capsys.readouterr().out == "half\n"


def test_main_gets_the_arguments_and_its_status_is_passed_on(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["job", "--date", "2026-01-05"])
    assert guarded(lambda argv: print(*argv)) == 0
    assert capsys.readouterr().out == "--date 2026-01-05\n"
    assert guarded(lambda argv: 5, []) == 5


def test_the_parser_knows_what_the_refusals_speak_of(capsys):
    parsed = job_parser("Score.").parse_args(["--date", "2026-01-05", "--folder", "out", "--replace"])
    assert (parsed.date, parsed.folder, parsed.replace) == (date(2026, 1, 5), "out", True)
    with pytest.raises(SystemExit):
        job_parser("Score.").parse_args(["--date", "5 January", "--folder", "out"])
    assert "invalid fromisoformat value: '5 January'" in capsys.readouterr().err
