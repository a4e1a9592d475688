"""Public data sets: found, downloaded or said to be absent; never opened unverified."""

import gzip
import hashlib
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pooch
import pytest
import requests

from casebook import datasets
from casebook.contracts import ContractError

BANK_HEADER = (
    '"age";"job";"marital";"education";"default";"housing";"loan";"contact";"month";"day_of_week";"duration";'
    '"campaign";"pdays";"previous";"poutcome";"emp.var.rate";"cons.price.idx";"cons.conf.idx";"euribor3m";'
    '"nr.employed";"y"\n'
)
BANK_ROWS = [
    ""
    '56;"housemaid";"married";"basic.4y";"no";"no";"no";"telephone";"may";"mon";261;1;999;0;"nonexistent";1.1;93.994;'
    '-36.4;4.857;5191;"no"\n',
    ""
    '41;"admin.";"single";"university.degree";"unknown";"yes";"no";"cellular";"nov";"fri";0;3;6;2;"success";-1.1;'
    '94.767;-50.8;1.028;4963.6;"yes"\n',
]
BANK = BANK_HEADER + "".join(BANK_ROWS)
TELCO = (
    "customerID,gender,SeniorCitizen,Partner,Dependents,tenure,PhoneService,MultipleLines,InternetService,"
    "OnlineSecurity,OnlineBackup,DeviceProtection,TechSupport,StreamingTV,StreamingMovies,Contract,PaperlessBilling,"
    "PaymentMethod,MonthlyCharges,TotalCharges,Churn\n"
    "7590-VHVEG,Female,0,Yes,No,1,No,No phone "
    "service,DSL,No,Yes,No,No,No,No,Month-to-month,Yes,Electronic check,"
    "29.85,29.85,Yes\n"
    "4472-LVYGI,Male,1,No,Yes,0,Yes,No,No,No internet service,No internet service,No internet service,"
    "No internet service,No internet service,No internet service,Two year,No,Bank "
    "transfer (automatic),52.55, ,No\n"
)
MEMBER = "bank-additional/bank-additional-full.csv"


def bank_zip(path, text=BANK, member=MEMBER):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, text)
    return path


def bank_gz(path, text=BANK):
    path.write_bytes(gzip.compress(text.encode()))
    return path


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A working directory with no data near, an empty cache, and no network."""
    home = tmp_path / "a" / "b" / "c" / "d" / "e" / "work"
    home.mkdir(parents=True)
    monkeypatch.chdir(home)
    monkeypatch.delenv("CASEBOOK_DATASETS", raising=False)
    monkeypatch.setenv("CASEBOOK_OFFLINE", "1")
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    return tmp_path


def pin(monkeypatch, **facts):
    """The registry, with the bank's facts replaced by a miniature's."""
    mini = replace(datasets.registry()["bank-marketing"], **facts)
    monkeypatch.setattr(datasets, "registry", lambda: {"bank-marketing": mini})


def test_registry_is_pinned():
    for slug, known in datasets.registry().items():
        pinned = re.search(r"/[0-9a-f]{40}/", known.url) and known.url.endswith(known.file)
        assert pinned or slug == "fraud-handbook", slug  # whose original is pickles
        assert re.fullmatch(r"[0-9a-f]{64}", known.sha256)
        assert bool(known.mirror) == bool(known.mirror_sha256)


def test_zip_and_gz_give_the_same_table(tmp_path):
    one = datasets.prepare_bank_marketing(bank_zip(tmp_path / "bank-additional.zip"))
    other = datasets.prepare_bank_marketing(bank_gz(tmp_path / "bank-additional-full.csv.gz"))
    assert one.equals(other)
    assert list(one.columns) == list(datasets.BANK_MARKETING.columns)
    assert one["subscribed"].tolist() == [0, 1]
    assert one["row"].tolist() == [0, 1]
    assert one["nr_employed"].tolist() == [5191.0, 4963.6]
    assert one["duration"].tolist() == [261, 0]


def test_whole_numbers_in_a_real_column_are_converted(tmp_path):
    frame = datasets.prepare_bank_marketing(bank_gz(tmp_path / "mini.csv.gz", BANK_HEADER + BANK_ROWS[0]))
    assert frame["nr_employed"].dtype == "float64"


def test_telco(tmp_path):
    path = tmp_path / "Telco-Customer-Churn.csv"
    path.write_text(TELCO)
    frame = datasets.prepare_telco_churn(path)
    assert list(frame.columns) == list(datasets.TELCO_CHURN.columns)
    assert frame["churned"].tolist() == [1, 0]
    assert frame["total_charges"].tolist() == [29.85, 0.0]


def test_telco_with_no_blank_total(tmp_path):
    path = tmp_path / "telco.csv"
    path.write_text("".join(TELCO.splitlines(keepends=True)[:2]))
    assert datasets.prepare_telco_churn(path)["total_charges"].tolist() == [29.85]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            BANK_HEADER + BANK_ROWS[0].replace('"no"\n', '"maybe"\n'),
            "bank marketing, column 'y', row 0 must be one of no, yes, got 'maybe'; correct the row or drop it.",
        ),
        (
            BANK_HEADER.replace(";", ",") + BANK_ROWS[0],
            'bank marketing must be a table with a column \'y\', got age,"job","marital","education"',
        ),
        (BANK_HEADER + BANK_ROWS[0].replace("56;", "-1;"), "bank marketing, column 'age', row 0 must be "),
        (
            BANK_HEADER + BANK_ROWS[0].replace('"may"', '"May"'),
            "bank marketing, column 'month', row 0 must be ",
        ),
        (BANK_HEADER, "bank marketing must be a table with at least one row"),
    ],
)
def test_a_wrong_bank_table_is_refused(text, message, tmp_path):
    with pytest.raises(ContractError) as caught:
        datasets.prepare_bank_marketing(bank_gz(tmp_path / "mini.csv.gz", text))
    assert str(caught.value).startswith(message)


def test_a_blank_total_of_a_billed_customer_is_refused(tmp_path):
    path = tmp_path / "telco.csv"
    path.write_text(TELCO.replace(",Yes,0,Yes,", ",Yes,5,Yes,").replace("Yes,0,Yes,No,No,", "Yes,5,Yes,No,No,"))
    with pytest.raises(ContractError) as caught:
        datasets.prepare_telco_churn(path)
    assert str(caught.value).startswith("telco churn, column 'total_charges', row 1 must be filled in")


def test_a_zip_without_the_table_is_refused(tmp_path):
    with pytest.raises(ContractError) as caught:
        datasets.prepare_bank_marketing(bank_zip(tmp_path / "other.zip", member="readme.txt"))
    assert str(caught.value) == f"file 'other.zip' must be a zip with {MEMBER}, got one without; download it again."


@pytest.mark.parametrize("form", ["zip", "gz"])
def test_the_named_folder_comes_first(form, elsewhere, monkeypatch):
    folder = elsewhere / "named" / "bank-marketing"
    folder.mkdir(parents=True)
    if form == "zip":
        path = bank_zip(folder / "bank-additional.zip")
        pin(monkeypatch, sha256=digest(path))
    else:
        path = bank_gz(folder / "bank-additional-full.csv.gz")
        pin(monkeypatch, mirror_sha256=digest(path))
    monkeypatch.setenv("CASEBOOK_DATASETS", str(elsewhere / "named"))
    assert datasets.fetch("bank-marketing") == path


@pytest.mark.parametrize("depth", [0, 4])
def test_a_shared_folder_is_found_from_below(depth, elsewhere, monkeypatch):
    beside = (
        elsewhere / "a" / "b" / "c" / "d" / "e" / "work",
        *(elsewhere / "a" / "b" / "c" / "d" / "e" / "work").parents,
    )
    folder = beside[depth].parent / "shared" / "datasets" / "bank-marketing"
    folder.mkdir(parents=True)
    path = bank_gz(folder / "bank-additional-full.csv.gz")
    pin(monkeypatch, mirror_sha256=digest(path))
    assert datasets.fetch("bank-marketing") == path


def test_a_shared_folder_five_levels_up_is_not_ours(elsewhere, monkeypatch, capsys):
    folder = elsewhere / "shared" / "datasets" / "bank-marketing"
    folder.mkdir(parents=True)
    pin(monkeypatch, mirror_sha256=digest(bank_gz(folder / "bank-additional-full.csv.gz")))
    assert datasets.fetch("bank-marketing") is None
    assert capsys.readouterr().out.count("\n") == 1


def test_an_altered_file_is_refused(elsewhere, monkeypatch):
    folder = elsewhere / "named" / "bank-marketing"
    folder.mkdir(parents=True)
    path = bank_gz(folder / "bank-additional-full.csv.gz")
    monkeypatch.setenv("CASEBOOK_DATASETS", str(elsewhere / "named"))
    with pytest.raises(ContractError) as caught:
        datasets.fetch("bank-marketing")
    assert str(caught.value) == (
        f"file 'bank-additional-full.csv.gz' must be the pinned one, SHA-256 19d160205359, got "
        f"{digest(path)[:12]}; "
        "delete it and let fetch download it again."
    )


def test_offline_says_so_in_one_line(elsewhere, capsys):
    assert datasets.fetch("telco-churn") is None
    assert capsys.readouterr().out == (
        "telco-churn: not here, and downloads are off; set CASEBOOK_DATASETS to a folder that holds telco-churn/.\n"
    )


def test_a_failed_download_is_tried_once_and_said_in_one_line(elsewhere, monkeypatch, capsys):
    tries = []

    def fail(url, **options):
        tries.append((url, options["timeout"]))
        raise requests.exceptions.ConnectTimeout("slow")

    monkeypatch.delenv("CASEBOOK_OFFLINE")
    monkeypatch.setattr(requests, "get", fail)
    assert datasets.fetch("telco-churn") is None
    assert tries == [(datasets.registry()["telco-churn"].url, 10.0)]
    shown = capsys.readouterr()
    assert shown.out == (
        "telco-churn: not here, and the download failed with ConnectTimeout; "
        "set CASEBOOK_DATASETS to a folder that holds telco-churn/.\n"
    )
    assert shown.err == ""


@pytest.mark.parametrize("honest", [True, False])
def test_a_download_is_verified_and_kept(honest, elsewhere, monkeypatch):
    served = bank_zip(elsewhere / "served.zip")
    pin(monkeypatch, **({"sha256": digest(served)} if honest else {}))
    monkeypatch.delenv("CASEBOOK_OFFLINE")

    def serve(url, out, _):
        Path(out).write_bytes(served.read_bytes())

    monkeypatch.setattr(pooch, "HTTPDownloader", lambda timeout: serve)
    kept = elsewhere / "cache" / "casebook" / "bank-additional.zip"
    if honest:
        assert datasets.fetch("bank-marketing") == kept
        monkeypatch.setenv("CASEBOOK_OFFLINE", "1")
        assert datasets.fetch("bank-marketing") == kept
    else:
        with pytest.raises(
            ContractError,
            match=r"^file 'bank-additional.zip' must be the pinned one, SHA-256 d7872ede7e2e, got ",
        ):
            datasets.fetch("bank-marketing")
        assert not kept.exists()


def test_an_unknown_slug_is_refused():
    for call in (datasets.fetch, datasets.credit):
        with pytest.raises(ContractError) as caught:
            call("bank")
        assert str(caught.value) == (
            "slug must be one of bank-marketing, cookie-cats, fraud-handbook, hillstrom-email, "
            "online-retail-ii-2009-2010, telco-churn, tourism-australia, upworthy-exploratory, got 'bank'; pick one."
        )


def test_credit_names_makers_and_licence():
    line = datasets.credit("bank-marketing")
    assert line.startswith("Data: Moro, Cortez, Rita: ")
    assert line.endswith(
        "Licence: CC BY 4.0 (UCI Machine Learning Repository, Bank Marketing, id 222); the mirror states none."
    )


@pytest.mark.parametrize(
    ("slug", "prepare", "label", "positives"),
    [
        ("bank-marketing", datasets.prepare_bank_marketing, "subscribed", 4640),
        ("cookie-cats", datasets.prepare_cookie_cats, "retention_7", 16781),
        ("fraud-handbook", datasets.prepare_fraud_handbook, "fraud", 1792),
        ("hillstrom-email", datasets.prepare_hillstrom, "visit", 9394),
        ("telco-churn", datasets.prepare_telco_churn, "churned", 1869),
        ("upworthy-exploratory", datasets.prepare_upworthy, "clicks", 1_231_208),
    ],
)
def test_the_originals_have_their_published_counts(slug, prepare, label, positives, monkeypatch):
    monkeypatch.setenv("CASEBOOK_OFFLINE", "1")
    path = datasets.fetch(slug)
    if path is None:
        pytest.skip("data absent")
    frame = prepare(path)
    assert len(frame) == datasets.registry()[slug].rows
    assert frame[label].sum() == positives


def test_the_mirror_is_the_zips_member(monkeypatch):
    monkeypatch.setenv("CASEBOOK_OFFLINE", "1")
    path = datasets.fetch("bank-marketing")
    if path is None or path.suffix != ".gz":
        pytest.skip("mirror absent")
    unpacked = hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()
    assert unpacked == datasets.registry()["bank-marketing"].member_sha256
