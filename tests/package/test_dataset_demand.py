"""Two public sets of demand, Australian trips and a wholesaler's lines: read, never shipped."""

import gzip
import hashlib
from pathlib import Path

import pandas as pd
import pytest

from casebook import datasets
from casebook.contracts import ContractError

TOURISM = (
    '"rownames","Quarter","Region","State","Purpose","Trips"\n'
    '1,"1998 Q2","Adelaide","South Australia","Business",109.987316\n'
    '2,"1998 Q1","Adelaide","South Australia","Business",135.0776903\n'
    '3,"1998 Q1","Canberra","ACT","Holiday",0\n'
)
SLUGS = ("online-retail-ii-2009-2010", "tourism-australia")


def retail(customer="Customer ID", as_text=False, **changed):
    dates = ["2009-12-01 07:45:00", "2009-12-01 09:06:00", "2010-12-09 20:01:00"]
    columns = {
        "Invoice": ["489434", "C489449", "538171"],
        "StockCode": ["85048", "79323P", "POST"],
        "Description": ["CHRISTMAS GLASS BALL", None, "POSTAGE"],
        "Quantity": [12, -12, 1],
        "InvoiceDate": dates if as_text else pd.to_datetime(dates),
        "Price": [6.95, 2.1, 18.0],
        customer: [13085, None, 12345],
        "Country": ["United Kingdom", "Australia", "France"],
    }
    return pd.DataFrame(columns | changed)


@pytest.mark.parametrize("packed", [False, True])
def test_tourism(packed, tmp_path):
    path = tmp_path / ("tourism.csv.gz" if packed else "tourism.csv")
    path.write_bytes(gzip.compress(TOURISM.encode()) if packed else TOURISM.encode())
    frame = datasets.prepare_tourism(path)
    assert frame.to_dict("list") == {
        "quarter": list(pd.to_datetime(["1998-01-01", "1998-01-01", "1998-04-01"])),
        "region": ["Canberra", "Adelaide", "Adelaide"],
        "state": ["ACT", "South Australia", "South Australia"],
        "purpose": ["Holiday", "Business", "Business"],
        "trips": [0.0, 135.0776903, 109.987316],
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "1998 Q2",
            "1998-04-01",
            "tourism, column 'Quarter', row 0 must be a year and a quarter, such as 1998 Q1, got '1998-04-01'; "
            "pass the original file.",
        ),
        ('"ACT"', '"Canberra"', "tourism, column 'state', row 2 must be one of ['ACT', 'New South Wales', "),
        ("109.987316", "-1", "tourism, column 'trips', row 0 must be at least 0, got -1"),
        ("1998 Q2", "1998 Q1", "tourism, "),
        ("Trips", "Nights", "tourism must be a table with a column 'Trips', got "),
    ],
)
def test_a_wrong_tourism_table_is_refused(old, new, message, tmp_path):
    path = tmp_path / "tourism.csv"
    path.write_text(TOURISM.replace(old, new))
    with pytest.raises(ContractError) as caught:
        datasets.prepare_tourism(path)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(("customer", "as_text"), [("Customer ID", True), ("CustomerID", False)])
def test_online_retail_in_both_packings(customer, as_text, tmp_path):
    path = tmp_path / "online_retail.parquet"
    retail(customer, as_text).to_parquet(path)
    frame = datasets.prepare_online_retail(path)
    assert frame.to_dict("list") == {
        "invoice": ["489434", "C489449", "538171"],
        "sku": ["85048", "79323P", "POST"],
        "quantity": [12, -12, 1],
        "at": list(pd.to_datetime(["2009-12-01 07:45", "2009-12-01 09:06", "2010-12-09 20:01"])),
        "price": [6.95, 2.1, 18.0],
        "cancelled": [0, 1, 0],
    }


def test_whole_invoice_numbers_become_words(tmp_path):
    path = tmp_path / "online_retail.parquet"
    retail(Invoice=[489434, 489449, 538171], StockCode=[85048, 79323, 22423]).to_parquet(path)
    assert datasets.prepare_online_retail(path)["sku"].tolist() == ["85048", "79323", "22423"]


def test_a_wrong_online_retail_table_is_refused(tmp_path):
    path = tmp_path / "online_retail.parquet"
    retail(InvoiceDate=pd.to_datetime(["2009-12-01", "2009-01-12", "2010-12-09"])).to_parquet(path)
    with pytest.raises(ContractError) as caught:
        datasets.prepare_online_retail(path)
    start = "online retail, column 'at', row 1 must be between 2009-12-01 00:00:00 and 2010-12-10 00:00:00, got "
    assert str(caught.value).startswith(start)
    retail().drop(columns="Price").to_parquet(path)
    with pytest.raises(ContractError) as caught:
        datasets.prepare_online_retail(path)
    assert str(caught.value).startswith("online retail must be a table with a column 'Price', got ")
    with pytest.raises(ContractError) as caught:
        datasets.prepare_online_retail(tmp_path / "online_retail.xlsx")
    assert str(caught.value) == "file 'online_retail.xlsx' must be a Parquet file, got .xlsx; download it again."


@pytest.mark.parametrize(
    ("slug", "prepare", "column", "total"),
    [
        ("tourism-australia", datasets.prepare_tourism, "region", 76),
        ("online-retail-ii-2009-2010", datasets.prepare_online_retail, "sku", 4_632),
    ],
)
def test_the_originals_have_their_documented_size(slug, prepare, column, total, monkeypatch):
    monkeypatch.setenv("CASEBOOK_OFFLINE", "1")
    path = datasets.fetch(slug)
    if path is None:
        pytest.skip("data absent")
    frame = prepare(path)
    assert len(frame) == datasets.registry()[slug].rows
    assert frame[column].nunique() == total


def test_the_tourism_mirror_is_the_pinned_download(monkeypatch):
    monkeypatch.setenv("CASEBOOK_OFFLINE", "1")
    path = datasets.fetch("tourism-australia")
    if path is None or path.suffix != ".gz":
        pytest.skip("mirror absent")
    unpacked = hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()
    assert unpacked == datasets.registry()["tourism-australia"].sha256


def test_neither_is_shipped_and_both_are_credited():
    assert "Licence: CC BY 4.0 (UCI " in datasets.credit("online-retail-ii-2009-2010")
    assert "GPL-3" in datasets.credit("tourism-australia")
    shipped = {path.name for path in Path(__file__).parents[2].joinpath("data").rglob("*")}
    for slug in SLUGS:
        known = datasets.registry()[slug]
        assert not shipped & {known.file, known.mirror}
