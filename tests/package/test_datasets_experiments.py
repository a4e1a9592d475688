"""Two public sets of experiments: Upworthy's headlines and the game Cookie Cats, read and never shipped."""

import gzip
import hashlib
from pathlib import Path

import pandas as pd
import pytest

from casebook import datasets
from casebook.contracts import ContractError

COOKIE_CATS = (
    ",userid,version,sum_gamerounds,retention_1,retention_7\n"
    "0,116,gate_30,3,False,False\n1,337,gate_40,38,True,False\n2,483,gate_40,1,False,True\n"
)


def upworthy(**changed):
    columns = {
        "clickability_test_id": ["a1", "a1"],
        "eyecatcher_id": ["i1", None],
        "headline": ["You Won't Believe It", "A Calm Headline"],
        "impressions": [3052, 3033],
        "clicks": [150, 122],
        "significance": [100.0, 14.0],
        "winner": [True, False],
        "first_place": [True, False],
        "test_week": [201446, 201446],
    }
    return pd.DataFrame(columns | changed)


@pytest.mark.parametrize("packed", [False, True])
def test_cookie_cats(packed, tmp_path):
    path = tmp_path / ("cookie_cats.csv.gz" if packed else "cookie_cats.csv")
    path.write_bytes(gzip.compress(COOKIE_CATS.encode()) if packed else COOKIE_CATS.encode())
    frame = datasets.prepare_cookie_cats(path)
    assert frame.to_dict("list") == {
        "user": [116, 337, 483],
        "arm": ["gate_30", "gate_40", "gate_40"],
        "rounds": [3, 38, 1],
        "retention_1": [0, 1, 0],
        "retention_7": [0, 0, 1],
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("gate_30", "gate_3", "cookie cats, column 'arm', row 0 must be one of ['gate_30', 'gate_40'], got "),
        ("1,337", "1,116", "cookie cats, column 'user', row 0 must be unique, got 116 more than once; "),
        (",38,", ",-38,", "cookie cats, column 'rounds', row 1 must be at least 0, got -38; mend or drop it."),
        ("version", "group", "cookie cats must be a table with a column 'version', got "),
    ],
)
def test_a_wrong_cookie_cats_table_is_refused(old, new, message, tmp_path):
    path = tmp_path / "cookie_cats.csv"
    path.write_text(COOKIE_CATS.replace(old, new))
    with pytest.raises(ContractError) as caught:
        datasets.prepare_cookie_cats(path)
    assert str(caught.value).startswith(message)


def test_upworthy(tmp_path):
    path = tmp_path / "upworthy.parquet"
    upworthy().to_parquet(path)
    frame = datasets.prepare_upworthy(path)
    assert list(frame.columns) == ["test", "image", "headline", "impressions", "clicks", "winner", "week"]
    assert frame["clicks"].tolist() == [150, 122]
    assert frame["winner"].tolist() == [True, False]
    assert frame["image"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"impressions": [0, 3033]}, "upworthy, column 'impressions', row 0 must be at least 1, got 0; "),
        ({"clicks": [150, -1]}, "upworthy, column 'clicks', row 1 must be at least 0, got -1; mend or drop it."),
        ({"clicks": [150, 9999]}, "upworthy, row 1 must be no more clicks than impressions"),
        ({"test_week": [46, 46]}, "upworthy, column 'week', row 0 must be between 201301 and 201553, got 46; "),
    ],
)
def test_a_wrong_upworthy_table_is_refused(changed, message, tmp_path):
    path = tmp_path / "upworthy.parquet"
    upworthy(**changed).to_parquet(path)
    with pytest.raises(ContractError) as caught:
        datasets.prepare_upworthy(path)
    assert str(caught.value).startswith(message)


def test_an_upworthy_table_without_tests_is_refused(tmp_path):
    path = tmp_path / "upworthy.parquet"
    upworthy().drop(columns="clickability_test_id").to_parquet(path)
    with pytest.raises(ContractError) as caught:
        datasets.prepare_upworthy(path)
    assert str(caught.value).startswith("upworthy must be a table with a column 'clickability_test_id', got ")


def test_the_cookie_cats_mirror_is_the_pinned_download(monkeypatch):
    monkeypatch.setenv("CASEBOOK_OFFLINE", "1")
    path = datasets.fetch("cookie-cats")
    if path is None or path.suffix != ".gz":
        pytest.skip("mirror absent")
    unpacked = hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()
    assert unpacked == datasets.registry()["cookie-cats"].sha256


def test_upworthy_has_the_archives_numbers_of_tests_and_viewers(monkeypatch):
    monkeypatch.setenv("CASEBOOK_OFFLINE", "1")
    path = datasets.fetch("upworthy-exploratory")
    if path is None:
        pytest.skip("data absent")
    frame = datasets.prepare_upworthy(path)
    assert frame["test"].nunique() == 4_873
    assert frame["impressions"].sum() == 81_024_151


def test_neither_is_shipped_and_both_are_credited():
    assert "Licence: CC BY 4.0" in datasets.credit("upworthy-exploratory")
    assert "Licence: unclear" in datasets.credit("cookie-cats")
    shipped = {path.name for path in Path(__file__).parents[2].joinpath("data").rglob("*")}
    for slug in ("cookie-cats", "upworthy-exploratory"):
        known = datasets.registry()[slug]
        assert not shipped & {known.file, known.mirror}
