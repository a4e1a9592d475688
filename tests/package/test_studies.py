"""Studies: the file is what a run gives, it goes stale with its code, and a false row is found."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.studies import (
    RTOL,
    Study,
    code_hash,
    discover,
    is_stale,
    load,
    run,
    staleness,
    verify,
    write,
)
from casebook.studies.__main__ import main
from casebook.worlds import Dial, replicate

DIALS = (
    Dial("lift", 0.5, 2.0, "dollars", "assumed", "treating pays", null=0.0),
    Dial("cost", 0.01, 100.0, "dollars", "assumed", "treating pays", scale="log"),
)


def treat(dials: dict[str, float], rng: np.random.Generator) -> dict[str, float | bool]:
    noise = rng.normal()
    return {
        "gain": dials["lift"] + noise,
        "pays": dials["lift"] > 0,
        "captured": np.nan if noise > 0 else 1 / 3,
    }


def explode(dials: dict[str, float], rng: np.random.Generator) -> dict[str, float | bool]:
    return {"gain": np.inf}


STUDY = Study("01_treat", treat, DIALS, n=12, seed=5, null_n=8, title="Treating pays")


def refused(text: str) -> str:
    return f"^{re.escape(text)}$"


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_written_and_loaded_is_what_was_run(tmp_path: Path) -> None:
    place = write(STUDY, tmp_path, commit="abc1234")
    result = load("01_treat", tmp_path)
    pd.testing.assert_frame_equal(result.frame, replicate(treat, DIALS, 12, 5), check_exact=True)
    pd.testing.assert_frame_equal(result.null_frame, replicate(treat, DIALS, 8, 5, null=True), check_exact=True)
    assert (result.commit, result.n, result.title) == ("abc1234", 12, "Treating pays")
    assert result.dials == DIALS
    assert place.name == "01_treat.json"


def test_file_is_strict_json_with_one_row_a_line_and_the_same_each_time(tmp_path: Path) -> None:
    first = write(STUDY, tmp_path / "a", commit="x").read_bytes()
    assert first == write(STUDY, tmp_path / "b", commit="x").read_bytes()
    assert sum(line.startswith(b"  {") for line in first.splitlines()) == 12 + 8 + len(DIALS)
    document = json.loads(first, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert document == run(STUDY, commit="x")
    assert {row["captured"] for row in document["rows"]} == {None, 1 / 3}


def test_commit_defaults_to_the_checkout_or_unknown() -> None:
    assert re.fullmatch(r"[0-9a-f]{4,40}|unknown", run(replace(STUDY, n=1))["commit"])


def test_study_without_a_null_has_no_null_rows(tmp_path: Path) -> None:
    study = replace(STUDY, null_n=0)
    write(study, tmp_path, commit="x")
    result = load(study.name, tmp_path)
    assert result.null_frame.empty
    assert not is_stale(result, study)
    assert set(verify(study, result, 2, rng())["table"]) == {"rows"}


def test_study_refuses() -> None:
    text = "study '01_treat', world must be a function of a module, got <lambda>; move it to the top level."
    with pytest.raises(ContractError, match=refused(text)):
        replace(STUDY, world=lambda dials, rng: {})
    text = "study '01_treat' must be of n >= 1 and null_n >= 0 worlds, got n = 0, null_n = 8; mend the counts."
    with pytest.raises(ContractError, match=refused(text)):
        replace(STUDY, n=0)
    text = (
        "study '01_treat', dials must be at least one with a null value, got none; "
        "give null= to the dial with the effect, or set null_n=0."
    )
    with pytest.raises(ContractError, match=refused(text)):
        replace(STUDY, dials=DIALS[1:])
    text = "study '01_treat', world 0, 'gain' must be finite or nan, got inf; return nan where there is no value."
    with pytest.raises(ContractError, match=refused(text)):
        run(replace(STUDY, world=explode))
    with pytest.raises(FrozenInstanceError):
        STUDY.n = 3  # type: ignore[misc]


def test_load_refuses_what_is_not_there(tmp_path: Path) -> None:
    text = "study 'x' must be a file of data/studies, got no x.json; run python -m casebook.studies x."
    with pytest.raises(ContractError, match=refused(text)):
        load("x", tmp_path)


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"title": "Another title"}, []),
        ({"n": 13}, ["n"]),
        ({"null_n": 7}, ["null_n"]),
        ({"seed": 6}, ["seed"]),
        ({"dials": (replace(DIALS[0], high=3.0), DIALS[1])}, ["dials"]),
    ],
)
def test_a_change_of_settings_makes_it_stale(tmp_path: Path, change: dict[str, object], names: list[str]) -> None:
    write(STUDY, tmp_path, commit="x")
    assert staleness(load("01_treat", tmp_path), replace(STUDY, **change)) == names  # type: ignore[arg-type]


def test_verify_recomputes_rows_of_both_tables(tmp_path: Path) -> None:
    write(STUDY, tmp_path, commit="x")
    result = load("01_treat", tmp_path)
    lines = verify(STUDY, result, [1, 10], rng())
    assert lines.groupby("table")["world"].unique().map(list).to_dict() == {"null_rows": [1], "rows": [1, 10]}
    assert set(lines["column"]) == {"lift", "cost", "seed", "gain", "pays", "captured"}
    drawn = verify(STUDY, result, 3, rng())
    assert drawn.groupby("table")["world"].nunique().to_dict() == {"null_rows": 3, "rows": 3}
    again = verify(STUDY, result, 3, np.random.default_rng(1))
    assert set(drawn["world"]) != set(again["world"])


@pytest.mark.parametrize("table", ["frame", "null_frame"])
@pytest.mark.parametrize("column", ["gain", "pays", "lift", "seed", "captured"])
def test_verify_names_the_row_and_column_that_disagree(tmp_path: Path, table: str, column: str) -> None:
    write(STUDY, tmp_path, commit="x")
    result = load("01_treat", tmp_path)
    frame = getattr(result, table)
    was = frame.loc[4, column]
    value = (not was) if column == "pays" else (2.0 if pd.isna(was) else was + max(abs(was), 1) * 3)
    frame.loc[4, column] = frame[column].dtype.type(value)
    name = {"frame": "rows", "null_frame": "null_rows"}[table]
    start = f"study '01_treat', {name}, world 4, column '{column}': recorded "
    with pytest.raises(AssertionError, match=f"^{re.escape(start)}"):
        verify(STUDY, result, [4], rng())
    verify(STUDY, result, [3, 5], rng())


def test_verify_tolerates_rounding_and_no_more(tmp_path: Path) -> None:
    write(STUDY, tmp_path, commit="x")
    result = load("01_treat", tmp_path)
    assert RTOL == 1e-6  # the stated tolerance; a wider one would hide a drift
    result.frame["gain"] *= 1 + RTOL / 2
    verify(STUDY, result, 12, rng())
    result.frame["gain"] *= 1 + 2 * RTOL
    with pytest.raises(AssertionError, match="column 'gain'"):
        verify(STUDY, result, 12, rng())


def test_verify_refuses_to_check_nothing(tmp_path: Path) -> None:
    write(STUDY, tmp_path, commit="x")
    result = load("01_treat", tmp_path)
    text = "rows must be some of the 12 worlds, got [99]; name one of them or a count."
    with pytest.raises(ContractError, match=refused(text)):
        verify(STUDY, result, [99], rng())


FILES = {
    "__init__.py": "",
    "shared/__init__.py": "from . import deep\n",
    "shared/deep.py": "def late():\n    from ..maths import pi\n    return pi\n",
    "maths.py": "pi = 3\n",
    "bystander.py": "x = 1\n",
    "case/__init__.py": "",
    "case/simulate.py": "import json\nfrom toypack.shared import deep\n\n\ndef world(dials, rng):\n"
    "    return {'v': deep.late() * dials['d']}\n",
    "case/studies.py": "from casebook.studies import Study\nfrom casebook.worlds import Dial\n"
    "from .simulate import world\n"
    "STUDIES = (Study('07_toy', world, (Dial('d', 1, 2, 'u', 's', 'm'),), 3, 1, 0, 'Toy'),)\n",
    "other/__init__.py": "",
    "other/studies.py": "x = 1\n",
}


@pytest.fixture
def toypack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package whose case imports a shared room, which imports another inside a function."""
    for name, text in FILES.items():
        place = tmp_path / "toypack" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield tmp_path / "toypack"
    for name in [name for name in sys.modules if name.partition(".")[0] == "toypack"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    "name",
    ["case/simulate.py", "case/__init__.py", "shared/__init__.py", "shared/deep.py", "maths.py", "__init__.py"],
)
def test_hash_changes_with_every_imported_module(toypack: Path, name: str) -> None:
    before = code_hash("toypack.case.simulate", root="toypack")
    place = toypack / name
    place.write_text(place.read_text() + "another = 1\n")
    assert code_hash("toypack.case.simulate", root="toypack") != before


def test_hash_ignores_bystanders_and_newlines(toypack: Path) -> None:
    before = code_hash("toypack.case.simulate", root="toypack")
    (toypack / "bystander.py").write_text("x = 2\n")
    place = toypack / "case" / "simulate.py"
    place.write_bytes(place.read_bytes().replace(b"\n", b"\r\n"))
    assert code_hash("toypack.case.simulate", root="toypack") == before


def test_hash_follows_a_name_through_a_package_that_passes_it_on(toypack: Path) -> None:
    (toypack / "shared" / "wide.py").write_text("def wide():\n    return 3\n")
    front = toypack / "shared" / "__init__.py"
    front.write_text("'Two rooms.'\nfrom .deep import late\nfrom .wide import wide\n__all__ = ['late', 'wide']\n")
    user = toypack / "case" / "user.py"
    user.write_text("from toypack.shared import late\n")
    before = code_hash("toypack.case.user", root="toypack")
    (toypack / "shared" / "wide.py").write_text("def wide():\n    return 4\n")
    assert code_hash("toypack.case.user", root="toypack") == before, "a neighbour of the name does not count"
    front.write_text(front.read_text().replace("from .deep", "from .wide"))
    assert code_hash("toypack.case.user", root="toypack") != before, "another module behind the name does"
    front.write_text("from .deep import late\nfrom .wide import wide\nlate = wide\n")
    own = code_hash("toypack.case.user", root="toypack")
    front.write_text("from .deep import late\nfrom .wide import wide\nlate = max\n")
    assert code_hash("toypack.case.user", root="toypack") != own, "a package with code of its own counts whole"


@pytest.mark.parametrize(
    "whole", ["import toypack.shared\n", "from toypack import shared\n", "from toypack.shared import *\n"]
)
def test_hash_counts_a_package_whole_where_it_is_imported_whole(toypack: Path, whole: str) -> None:
    (toypack / "shared" / "wide.py").write_text("x = 3\n")
    (toypack / "shared" / "__init__.py").write_text("from .wide import x\n")
    (toypack / "case" / "user.py").write_text(whole)
    before = code_hash("toypack.case.user", root="toypack")
    (toypack / "shared" / "wide.py").write_text("x = 4\n")
    assert code_hash("toypack.case.user", root="toypack") != before


def test_hash_refuses_a_module_that_is_not_there(toypack: Path) -> None:
    text = "module 'toypack.nowhere' must be importable, got no such module; mend the name or the import."
    with pytest.raises(ContractError, match=refused(text)):
        code_hash("toypack.nowhere", root="toypack")
    (toypack / "maths.py").write_text("import toypack.nowhere\n")
    with pytest.raises(ContractError, match=refused(text)):
        code_hash("toypack.case.simulate", root="toypack")


def test_hash_follows_our_own_rooms() -> None:
    from casebook.studies.hashing import _sources

    flips = {f"casebook.{name}" for name in ("contracts", "worlds.dials", "worlds.flips", "worlds.replication")}
    assert flips <= set(_sources(("casebook.worlds.flips",), "casebook"))
    trial = set(_sources(("casebook.churn.abtest",), "casebook"))
    assert "casebook.experiments.effect" in trial, "where difference stands"
    assert "casebook.experiments.sequential" not in trial, "which the trial does not read"


def test_studies_are_discovered(toypack: Path) -> None:
    found = discover("toypack")
    assert list(found) == ["07_toy"]
    assert found["07_toy"].module == "toypack.case.simulate"
    (toypack / "other" / "studies.py").write_text(FILES["case/studies.py"].replace(".simulate", "..case.simulate"))
    sys.modules.pop("toypack.other.studies", None)
    importlib.invalidate_caches()
    where = "toypack.case.simulate and toypack.case.simulate"
    text = f"study '07_toy' must be named once, got it in {where}; rename one."
    with pytest.raises(ContractError, match=refused(text)):
        discover("toypack")


def test_a_package_that_cannot_be_imported_stops_the_search(toypack: Path) -> None:
    (toypack / "other" / "__init__.py").write_text("import no_such_library\n")
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        discover("toypack")


def test_changed_code_is_stale_and_fails_the_check(toypack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    studies, folder = discover("toypack"), toypack / "out"
    assert main([], studies, folder) == 0
    assert main(["--check", "2"], studies, folder) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^rows drawn with seed \d+\n07_toy: agrees$", printed, flags=re.MULTILINE)
    (toypack / "maths.py").write_text("pi = 3.0\n")
    assert main(["--check", "2"], studies, folder) == 1
    text = "07_toy: stale (code changed); run python -m casebook.studies 07_toy\n"
    assert capsys.readouterr().err == text


def test_check_fails_on_a_false_row_a_missing_file_and_a_stranger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    studies = {STUDY.name: STUDY}
    assert main(["--check", "1"], studies, tmp_path) == 1
    assert "got no 01_treat.json" in capsys.readouterr().err
    place = write(STUDY, tmp_path, commit="x")
    place.write_text(place.read_text().replace('"pays": true', '"pays": false'))
    assert main(["--check", "1"], studies, tmp_path) == 1
    assert re.search(r"column 'pays': recorded (False|0.0), recomputed True\.", capsys.readouterr().err)
    write(STUDY, tmp_path, commit="x").rename(tmp_path / "stranger.json")
    write(STUDY, tmp_path, commit="x")
    assert main(["--check", "1"], studies, tmp_path) == 1
    assert capsys.readouterr().err == "stranger.json belongs to no study; remove it\n"
    assert main(["--check", "1", "01_treat"], studies, tmp_path) == 0


def test_command_line_refuses_an_unknown_name_and_a_count_of_zero(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["02_x"], {STUDY.name: STUDY}) == 2
    assert capsys.readouterr().err == "NAME must be a study, got '02_x'; choose from 01_treat.\n"
    with pytest.raises(SystemExit):
        main(["--check", "0"], {})
    assert "must be a count of at least 1, got '0'" in capsys.readouterr().err


def test_module_runs_from_the_command_line() -> None:
    command = [sys.executable, "-m", "casebook.studies", "--help"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "--check ROWS" in answer.stdout
