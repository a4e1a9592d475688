"""Hillstrom's e-mail trial: read from its original form or its mirror, never shipped."""

import gzip
import hashlib
from pathlib import Path

import pytest

from casebook import datasets
from casebook.contracts import ContractError

HILLSTROM = (
    "recency,history_segment,history,mens,womens,zip_code,newbie,channel,segment,visit,conversion,spend\r\n"
    "10,2) $100 - $200,142.44,1,0,Surburban,0,Phone,Womens E-Mail,0,0,0\r\n"
    '6,"7) $1,000 +",1009.44,1,1,Rural,1,Web,No E-Mail,1,1,29.99\r\n'
)


@pytest.mark.parametrize("packed", [False, True])
def test_hillstrom(packed, tmp_path):
    path = tmp_path / ("hillstrom.csv.gz" if packed else "hillstrom.csv")
    path.write_bytes(gzip.compress(HILLSTROM.encode()) if packed else HILLSTROM.encode())
    frame = datasets.prepare_hillstrom(path)
    assert list(frame.columns) == list(datasets.HILLSTROM.columns)
    assert frame["arm"].tolist() == ["Womens E-Mail", "No E-Mail"]
    assert frame["history_segment"].tolist() == ["2) $100 - $200", "7) $1,000 +"]
    assert frame["visit"].tolist() == [0, 1]
    assert frame["spend"].tolist() == [0.0, 29.99]


def test_whole_dollars_of_hillstrom_are_converted(tmp_path):
    path = tmp_path / "hillstrom.csv"
    path.write_text("".join(HILLSTROM.splitlines(keepends=True)[:2]))
    assert datasets.prepare_hillstrom(path)["spend"].dtype == "float64"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Womens E-Mail", "E-Mail", "hillstrom, column 'arm', row 0 must be one of "),
        (",0,0,0\r", ",2,0,0\r", "hillstrom, column 'visit', row 0 must be between 0 and 1, got 2; mend or drop it."),
        (",segment,", ",cell,", "hillstrom must be a table with a column 'segment', got 'recency', "),
        ("29.99", "-29.99", "hillstrom, column 'spend', row 1 must be at least 0, got -29.99; mend or drop it."),
    ],
)
def test_a_wrong_hillstrom_table_is_refused(old, new, message, tmp_path):
    path = tmp_path / "hillstrom.csv"
    path.write_text(HILLSTROM.replace(old, new))
    with pytest.raises(ContractError) as caught:
        datasets.prepare_hillstrom(path)
    assert str(caught.value).startswith(message)


def test_the_hillstrom_mirror_is_the_pinned_download(monkeypatch):
    monkeypatch.setenv("CASEBOOK_OFFLINE", "1")
    path = datasets.fetch("hillstrom-email")
    if path is None or path.suffix != ".gz":
        pytest.skip("mirror absent")
    unpacked = hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()
    assert unpacked == datasets.registry()["hillstrom-email"].sha256


def test_what_has_no_clear_licence_is_not_shipped():
    line = datasets.credit("hillstrom-email")
    assert line.startswith("Data: Kevin Hillstrom, MineThatData ")
    assert "Licence: unclear" in line
    shipped = {path.name for path in Path(__file__).parents[2].joinpath("data").rglob("*")}
    known = datasets.registry()["hillstrom-email"]
    assert not shipped & {known.file, known.mirror}
