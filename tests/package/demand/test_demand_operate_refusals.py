"""Bad input to the weekly job and its command: one sentence, nothing written."""

import subprocess
import sys

import joblib
import pytest

from casebook.contracts import ContractError
from casebook.demand import operate
from casebook.demand.__main__ import main
from tests.package.demand.weekly_shop import NAME, ORIGIN, build, run, save


def turned(promotions):
    return promotions.assign(first_day=9, last_day=7, announced_on=1)


BAD = {
    "a missing table": (
        lambda tables: {name: frame for name, frame in tables.items() if name != "promotions"},
        "input 'promotions' must be a file, got nothing at '{data}/promotions.parquet'; wait for the load or mend the "
        "path.",
    ),
    "a promotion that ends before it starts": (
        lambda tables: {
            **tables,
            "promotions": tables["promotions"].head(1).assign(first_day=9, last_day=7, announced_on=1),
        },
        "promotion {promotion}, last_day must be 9 (its first day) or later, got 7; swap the two days.",
    ),
    "a load that is late": (
        lambda tables: {**tables, "sales": tables["sales"][tables["sales"]["day"] < ORIGIN]},
        "table 'sales' must be complete up to day 83 for all but 50% of the stores, got 4 of 4 that are late; wait for "
        "the load or pass an earlier --origin.",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_tables_are_refused_in_one_sentence_and_nothing_is_written(tables, tmp_path, what):
    spoil, sentence = BAD[what]
    folder = save(spoil(tables), tmp_path / "data")
    with pytest.raises(ContractError) as refusal:
        run(folder, tmp_path / "job")
    assert str(refusal.value) == sentence.format(
        data=folder.as_posix(), promotion=tables["promotions"]["promotion_id"].iloc[0]
    )
    assert [path.name for path in (tmp_path / "job").iterdir()] == ["audit.jsonl"]


def test_a_model_that_is_known_by_no_bytes_is_refused(data, tmp_path):
    with pytest.raises(ContractError) as refusal:
        run(data, tmp_path, model=lambda X, taus: X)
    assert str(refusal.value) == (
        "model must be None, a file of joblib's or an object that is known by its bytes, got a function, which cannot "
        "be pickled; move its class to a module."
    )


def test_the_kill_switch_stops_the_week(data, tmp_path):
    (tmp_path / "STOP").write_text("prices are wrong since Monday")
    with pytest.raises(ContractError) as refusal:
        run(data, tmp_path)
    assert str(refusal.value) == (
        "kill switch 'STOP' must be absent, got one that says 'prices are wrong since Monday'; remove the file once "
        "that is mended."
    )


def test_the_command_writes_and_then_leaves_it(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(operate, "_builder", lambda: build)
    joblib.dump({"not": "a model"}, tmp_path / "model.joblib")
    words = ["weekly", "--data", str(data), "--out", str(tmp_path / "job"), "--origin", str(ORIGIN)]
    for said in ("written", "unchanged"):
        assert main(words) == 0
        assert capsys.readouterr().out.startswith(f"{NAME}: {said}, ")
    for extra, sentence in (
        (
            ["--origin", "84"],
            "origins must be Sundays (day % 7 == 6), got 84; take weekly_origins(first, last).",
        ),
        (
            ["--model", str(tmp_path / "model.joblib")],
            f"the inputs of '{NAME}' must be those of its finished run, got a change in 'model'; pass --replace to "
            "swap the output (the old one is kept).",
        ),
        (
            ["--origin", "Sunday"],
            "the command must be written as its --help says, got argument --origin: invalid int value: 'Sunday'; mend "
            "it.",
        ),
    ):
        assert main([*words, *extra]) == 2
        assert capsys.readouterr() == ("", sentence + "\n")
    assert main(["daily"]) == 2
    assert capsys.readouterr().err == (
        "the command must be weekly, got 'daily'; write 'weekly --help' for its arguments.\n"
    )


@pytest.mark.slow
def test_the_command_runs_as_a_process(data, tmp_path):
    words = ["weekly", "--data", str(data), "--out", str(tmp_path), "--origin", str(ORIGIN)]
    ran = subprocess.run(
        [sys.executable, "-m", "casebook.demand", *words], capture_output=True, text=True, check=False
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"{NAME}: written, ") and ran.stdout.endswith(" 0 overrides\n")
