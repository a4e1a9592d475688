"""The Fraud Detection Handbook's transactions: read from Parquet, never from a pickle, never shipped."""

from pathlib import Path

import pandas as pd
import pooch
import pytest

from casebook import datasets
from casebook.contracts import ContractError
from casebook.dataset_fraud import _NAMES


def handbook(**changed):
    columns = {name: [0.0, 0.0] for name in _NAMES} | {
        "TRANSACTION_ID": [8, 7],
        "TX_TIME_SECONDS": [90_000, 86_400],
        "TX_TIME_DAYS": [1, 1],
        "TX_AMOUNT": [57.16, 230.5],
        "TX_FRAUD": [0, 1],
        "TX_FRAUD_SCENARIO": [0, 1],
        "CUSTOMER_ID_AVG_AMOUNT_7DAY_WINDOW": [40.5, 41.5],
        "TX_DATETIME": pd.to_datetime(["2018-04-02 01:00", "2018-04-02 00:00"]),
    }
    return pd.DataFrame(columns | changed)


def test_handbook(tmp_path):
    path = tmp_path / "transactions.parquet"
    handbook().to_parquet(path)
    frame = datasets.prepare_fraud_handbook(path)
    assert list(frame.columns) == list(datasets.FRAUD_HANDBOOK.columns)
    assert frame["event_id"].tolist() == [7, 8]
    assert frame["amount"].tolist() == [230.5, 57.16]
    assert frame["fraud"].tolist() == [1, 0]
    assert frame["card_mean_7d"].tolist() == [41.5, 40.5]
    assert frame["at"].dtype == "int64"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"TRANSACTION_ID": [7, 7]}, "fraud handbook, column 'event_id', row 0 must be unique, got 7 more than once; "),
        (
            {"TX_FRAUD": [0, 2]},
            "fraud handbook, column 'fraud', row 1 must be between 0 and 1, got 2; mend or drop it.",
        ),
        ({"TX_AMOUNT": [1.0, -1.0]}, "fraud handbook, column 'amount', row 1 must be at least 0, got -1.0; "),
        ({"TX_FRAUD_SCENARIO": [3, 1]}, "fraud handbook, row 0 must be a scenario above 0 where fraud is 1 only, got "),
        ({"TERMINAL_ID_RISK_7DAY_WINDOW": [0.0, 2.0]}, "fraud handbook, column 'terminal_risk_7d', row 1 must be "),
    ],
)
def test_a_wrong_table_is_refused(changed, message, tmp_path):
    path = tmp_path / "transactions.parquet"
    handbook(**changed).to_parquet(path)
    with pytest.raises(ContractError) as caught:
        datasets.prepare_fraud_handbook(path)
    assert str(caught.value).startswith(message)


def test_a_table_without_a_column_is_refused(tmp_path):
    path = tmp_path / "transactions.parquet"
    handbook().drop(columns="CUSTOMER_ID").to_parquet(path)
    with pytest.raises(ContractError) as caught:
        datasets.prepare_fraud_handbook(path)
    assert str(caught.value).startswith("fraud handbook must be a table with a column 'CUSTOMER_ID', got ")


@pytest.mark.parametrize("name", ["2018-07-25.pkl", "day.pickle", "day.PKL"])
def test_a_pickle_is_never_opened(name, tmp_path, monkeypatch):
    path = tmp_path / name
    handbook().to_parquet(path)
    monkeypatch.setattr(pd, "read_pickle", lambda *_: pytest.fail("opened a pickle"))
    with pytest.raises(ContractError) as caught:
        datasets.prepare_fraud_handbook(path)
    assert str(caught.value) == (
        f"file {name!r} must be a Parquet file, got a pickle, which runs what its maker put into it; "
        "have somebody you trust convert it."
    )


def test_what_has_only_pickles_is_not_downloaded(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CASEBOOK_DATASETS", raising=False)
    monkeypatch.delenv("CASEBOOK_OFFLINE", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / name)
    monkeypatch.setattr(pooch, "retrieve", lambda *_, **__: pytest.fail("asked the network"))
    assert datasets.registry()["fraud-handbook"].url == ""
    assert datasets.fetch("fraud-handbook") is None
    assert capsys.readouterr().out == (
        "fraud-handbook: not here, and no download is offered; "
        "set CASEBOOK_DATASETS to a folder that holds fraud-handbook/.\n"
    )


def test_it_is_credited_and_not_shipped():
    line = datasets.credit("fraud-handbook")
    assert line.startswith("Data: Le Borgne, Siblini, Lebichot, Bontempi: ")
    assert "Licence: unclear" in line
    shipped = {path.name for path in Path(__file__).parents[2].joinpath("data").rglob("*")}
    assert datasets.registry()["fraud-handbook"].file not in shipped
