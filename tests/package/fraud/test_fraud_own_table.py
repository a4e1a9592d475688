"""A reader's own payments: what is known at a day, the bill on labelled rows, and one sentence for each bad table."""

from __future__ import annotations

from io import StringIO

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.fraud.own_table import example_payments, read_payments, tables_of
from casebook.fraud.own_table_checks import PAYMENTS, check_payments
from casebook.fraud.prices import Asking, Prices
from casebook.fraud.tiers import SOURCE, mean_cuts
from casebook.fraud.world import Friction

AT = "2026-05-01"
CASE = "table 'payments'"
COSTS, ASKING = Friction(), Asking()


@pytest.fixture(scope="module")
def mine():
    return example_payments(4_000, np.random.default_rng(0))


@pytest.fixture(scope="module")
def reading(mine):
    return read_payments(mine, AT, COSTS, ASKING)


def payments(**columns):
    table = {
        "payment_id": list("abcdef"),
        "at": pd.to_datetime(["2026-03-01"] * 3 + ["2026-03-10", "2026-04-25", "2026-05-03"]),
        "card_id": ["x", "y", "y", "z", "z", "z"],
        "amount": [20.0, 30.0, 100.0, 40.0, 50.0, 60.0],
        "entry": "chip",
        "p": [0.001, 0.02, 0.6, 0.95, 0.1, 0.1],
        "blocked": [False, False, False, True, False, False],
        "reported_at": pd.to_datetime(["NaT", "2026-05-02", "2026-03-05", "NaT", "NaT", "2026-05-04"]),
    }
    return pd.DataFrame(table | columns)


def test_a_label_is_what_was_known_by_the_day():
    labels = read_payments(payments(), AT, COSTS, ASKING).labels
    known = {name: None if pd.isna(y) else int(y) for name, y in labels.items()}
    assert known == {"a": 0, "b": 0, "c": 1, "d": None, "e": None}  # f is later, b is reported later, e is young


def test_what_comes_after_the_day_changes_nothing():
    later = payments(reported_at=pd.to_datetime(["NaT", "NaT", "2026-03-05", "NaT", "NaT", "NaT"]), amount=99.0)
    later["amount"] = payments()["amount"].where(later["payment_id"] != "f", 7_000.0)
    first, second = (read_payments(table, AT, COSTS, ASKING) for table in (payments(), later))
    pd.testing.assert_series_equal(first.labels, second.labels)
    pd.testing.assert_frame_equal(first.money, second.money)


def test_every_payment_before_the_day_is_counted_once():
    known = read_payments(payments(), AT, COSTS, ASKING).known
    assert known["payments"].to_dict() == {"fraud": 1, "honest": 2, "blocked": 1, "too young": 1}
    assert known["dollars"].to_dict() == {"fraud": 100.0, "honest": 50.0, "blocked": 40.0, "too young": 50.0}


def test_a_young_known_fraud_has_a_label_and_stays_out_of_the_calibration():
    young = payments(reported_at=pd.to_datetime(["NaT", "NaT", "2026-03-05", "NaT", "2026-04-26", "NaT"]))
    reading = read_payments(young, AT, COSTS, ASKING)
    assert reading.labels["e"] == 1
    assert reading.calibration["n"].sum() == 3 and reading.calibration["frauds"].sum() == 1
    assert reading.factor == pytest.approx(1 / 0.621)


def test_the_bill_is_what_an_adding_up_by_hand_gives():
    reading = read_payments(payments(), AT, COSTS, ASKING)
    money = reading.money
    assert money.loc["nothing", ["loss", "friction"]].tolist() == [115.0, 0.0]  # the amount, and 15 of handling
    # The source calls at 0.6 and pushes at 0.02. Chip: all of it is the issuer's.
    stop = COSTS.margin * reading.stakes.lost_sales
    call = 0.1 * 115 + 0.9 * 0.7 * stop
    push = 0.05 + 0.015 * 30 * 0.15 + (5 + stop) * 0.004
    assert SOURCE([0.02, 0.6]).tolist() == [1, 2]
    assert money.loc["source", "loss"] == pytest.approx(call)
    assert money.loc["source", "friction"] == pytest.approx(push)
    assert money.loc["source", ["allow", "push", "call", "block"]].tolist() == [1, 1, 1, 0]


def test_the_cuts_are_those_of_the_readers_own_costs(mine, reading):
    assert reading.envelope.cuts.tolist() == mean_cuts(Prices(COSTS, ASKING, reading.stakes)).cuts.tolist()
    dear = read_payments(mine, AT, Friction(push=2.0), ASKING)
    assert dear.envelope.cuts[0] > 2 * reading.envelope.cuts[0]


def test_a_calibrated_p_is_found_calibrated_and_a_halved_one_is_not(mine, reading):
    assert reading.calibration["holds"].all() and reading.factor == pytest.approx(1, abs=0.2)
    halved = read_payments(mine.assign(p=mine["p"] / 2), AT, COSTS, ASKING)
    assert halved.factor == pytest.approx(2 * reading.factor)


def test_the_warning_names_what_no_row_holds(mine, reading):
    blocked = reading.known.loc["blocked"]
    assert f"{blocked['payments']:.0f} blocked payments, ${blocked['dollars']:,.0f}" in reading.warning
    assert f"${reading.stakes.mean_rest:,.0f} on average" in reading.warning
    assert "too few" not in reading.warning
    few = read_payments(mine.iloc[:2_000], AT, COSTS, ASKING)
    assert few.calibration["frauds"].sum() < 100
    assert few.warning.startswith(f"Only {few.calibration['frauds'].sum()} known frauds: too few to rank policies. ")


def test_the_order_of_the_rows_changes_nothing_but_the_order_of_the_labels(mine, reading):
    turned = read_payments(mine.sample(frac=1, random_state=0), AT, COSTS, ASKING)
    pd.testing.assert_frame_equal(turned.money, reading.money)
    pd.testing.assert_series_equal(turned.labels.sort_index(), reading.labels.sort_index())
    assert turned.labels.index.tolist() != reading.labels.index.tolist()


def _from_csv(table):
    return pd.read_csv(StringIO(table.to_csv(index=False)))


@pytest.mark.parametrize(
    "typed",
    [
        _from_csv,
        lambda table: table.convert_dtypes(),
        lambda table: table.assign(entry=table["entry"].astype("category"), at=table["at"].astype("datetime64[us]")),
        lambda table: table.assign(blocked=table["blocked"].astype(int), note="kept out"),
    ],
    ids=["csv", "nullable", "categories", "numbers"],
)
def test_the_same_table_in_other_types_is_read_alike(mine, reading, typed):
    given = typed(mine)
    before = given.copy()
    pd.testing.assert_frame_equal(read_payments(given, AT, COSTS, ASKING).money, reading.money)
    pd.testing.assert_frame_equal(given, before)


def test_a_parquet_file_is_read_alike(mine, reading, tmp_path):
    pytest.importorskip("pyarrow")
    mine.to_parquet(tmp_path / "mine.parquet")
    for backend in ({}, {"dtype_backend": "pyarrow"}):
        given = pd.read_parquet(tmp_path / "mine.parquet", **backend)
        pd.testing.assert_frame_equal(read_payments(given, AT, COSTS, ASKING).money, reading.money)


def test_the_rooms_tables_are_in_the_order_of_time_and_keep_every_report(mine):
    tables, midnight = tables_of(check_payments(mine.iloc[::-1]))
    assert tables["events"]["at"].is_monotonic_increasing
    assert len(tables["reports"]) == mine["reported_at"].notna().sum()
    at = midnight + pd.to_timedelta(tables["events"]["at"], unit="s")
    assert (at.to_numpy() == mine["at"].to_numpy().astype(at.dtype)).all()


BROKEN = {
    "wrong column": (
        payments().rename(columns={"entry": "entry_mode"}),
        "must be a table with a column 'entry', got 'payment_id', 'at', 'card_id', 'amount', 'entry_mode', 'p', "
        "'blocked', 'reported_at'; rename 'entry_mode' to 'entry'.",
    ),
    "cents by name": (
        payments().rename(columns={"amount": "amount_cents"}),
        "must be a table with a column 'amount', in dollars, got 'amount_cents'; add amount = amount_cents / 100 and "
        "do not just rename it.",
    ),
    "another separator": (
        pd.DataFrame({"payment_id;at;p": ["a;b;c"]}),
        "must be a table of several columns, got one column 'payment_id;at;p'; read it with sep=';'.",
    ),
    "column twice": (
        pd.concat([payments(), payments()[["p"]]], axis=1),
        ", column 'p' must be there once, got it 2 times; drop all but one.",
    ),
    "empty": (
        payments().iloc[:0],
        "must be a table with at least one row, got no rows; check the filter or the join that made it.",
    ),
    "text": (
        payments(amount="n/a"),
        ", column 'amount' must be of type float64, got text; convert it with .astype(...) or pd.to_numeric.",
    ),
    "cents": (
        payments(amount=[2_000, 3_000, 10_000, 4_000, 5_000, 6_000]),
        ", column 'amount' must be in dollars, got whole numbers with a median of 4,500; divide cents by 100, or pass "
        ".astype(float) if these are dollars.",
    ),
    "no amount": (payments(amount=0.0), ", column 'amount', row 0 must be above 0, got 0.0; mend or drop it."),
    "duplicate key": (
        payments(payment_id=7),
        ", column 'payment_id', row 0 must be unique, got 7 more than once; drop the duplicate rows or aggregate them.",
    ),
    "no card": (
        payments(card_id=["x", None, "y", "z", "z", "z"]),
        ", column 'card_id', row 1 must be filled in, got a missing value; fill it in or drop the row.",
    ),
    "percent": (
        payments(p=[0.1, 2.0, 60.0, 95.0, 10.0, 10.0]),
        ", column 'p', row 1 must be between 0 and 1, got 2.0; divide percentages by 100.",
    ),
    "entry unknown": (
        payments(entry=["chip", "Chip", "chip", "chip", "chip", "chip"]),
        ", column 'entry', row 1 must be one of ['chip', 'contactless', 'magstripe', 'wallet', 'typed', 'threeds', "
        "'app'], got 'Chip'; mend or drop it.",
    ),
    "time zone": (
        payments(at=payments()["at"].dt.tz_localize("UTC")),
        ", column 'at' must be a date without a time zone, got the zone UTC; take it to one zone and drop it: "
        ".dt.tz_convert('UTC').dt.tz_localize(None).",
    ),
    "offset in a text": (
        payments(at="2026-03-01T10:00:00+01:00"),
        ", column 'at' must be a date without a time zone, got '2026-03-01T10:00:00+01:00'; take it to one zone and "
        "cut the offset off.",
    ),
    "no time": (
        payments(at=payments()["at"].where([True, True, False, True, True, True])),
        ", column 'at', row 2 must be filled in, got a missing value; fill it in or drop the row.",
    ),
    "seconds": (
        payments(at=1_772_359_200),
        ", column 'at' must be a date without a time zone, got the number 1772359200; convert it with "
        "pd.to_datetime(..., unit='s').",
    ),
    "day first": (
        payments(at="31-03-2026"),
        ", column 'at', row 0 must be a date without a time zone, got '31-03-2026'; write it as 2026-03-31 18:05.",
    ),
    "label on a blocked row": (
        payments(blocked=True),
        ", column 'reported_at', row 1 must be empty where 'blocked' is true, got 2026-05-02 00:00:00; what was never "
        "charged cannot be disputed, so mend one of the two.",
    ),
    "reported before it was": (
        payments(reported_at=pd.to_datetime(["2026-02-01"] + ["NaT"] * 5)),
        ", column 'reported_at', row 0 must be no earlier than 'at' (2026-03-01 00:00:00), got 2026-02-01 00:00:00; "
        "mend one of the two.",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_broken_table_gets_its_one_sentence(name):
    table, words = BROKEN[name]
    with pytest.raises(ContractError) as caught:
        read_payments(table, AT, COSTS, ASKING)
    assert str(caught.value) == CASE + (words if words.startswith(",") else f" {words}")


def test_other_words_for_blocked_are_refused():
    with pytest.raises(ContractError) as caught:
        check_payments(payments(blocked="yes"))
    assert str(caught.value) == "blocked, row 0 must be 0 or 1, got 'yes'; map it with (blocked == 'yes')."
    with pytest.raises(ContractError, match="pandas DataFrame"):
        check_payments([1, 2])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"at": "soon"}, "at must be a date, got 'soon'; write it as '2026-05-01'."),
        (
            {"at": pd.Timestamp(AT, tz="UTC")},
            "at must be a date without a time zone, got Timestamp('2026-05-01 00:00:00+0000', tz='UTC'); write it as "
            "'2026-05-01', in the zone of your table.",
        ),
        (
            {"at": "2026-02-01"},
            "at must be after the first payment (2026-03-01 00:00:00), got 2026-02-01; ask as of a later day.",
        ),
        (
            {"at": "2026-03-04"},
            "reports must be of a fraud more than 14 days old, got none; ask later or lower mature_days.",
        ),
        (
            {"mature_days": 0},
            "mature_days must be 1 or more, got 0; count the days after which silence speaks.",
        ),
        ({"reported": 85}, "reported must be above 0 and at most 1, got 85; give the share that is ever reported."),
    ],
)
def test_each_setting_out_of_range_gets_its_one_sentence(settings, sentence):
    with pytest.raises(ContractError) as caught:
        read_payments(payments(), **({"at": AT, "costs": COSTS, "asking": ASKING} | settings))
    assert str(caught.value) == sentence


def test_a_day_without_an_honest_row_is_refused():
    all_fraud = payments(reported_at=payments()["at"], blocked=False)
    with pytest.raises(ContractError) as caught:
        read_payments(all_fraud, AT, COSTS, ASKING)
    assert str(caught.value) == (
        "at must be a day by which some honest payment is 14 days old, got 2026-05-01; ask later."
    )


def test_the_example_keeps_the_contract():
    table = example_payments(100, np.random.default_rng(3))
    assert set(table) == set(PAYMENTS.columns)
    pd.testing.assert_frame_equal(check_payments(table), check_payments(_from_csv(table)))
