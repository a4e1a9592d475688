"""Overrides: what is refused, what is written down, what changes, and what it was worth."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.demand.overrides import Override, OverrideBook, apply_overrides, check_override

TODAY = 100
CLOSE = 1e-9  # the same sums in another order

TABLES = {
    "stores": pd.DataFrame(
        {
            "store_id": [1, 2, 3],
            "region": pd.Categorical(["north", "south", "north"]),
            "opened_on": [-9, -9, 104],
            "closed_on": [np.nan, 106.0, np.nan],
        }
    ),
    "products": pd.DataFrame({"sku_id": [7, 8], "category": pd.Categorical(["dairy", "drinks"])}),
}
FAIR = Override(104, 110, "multiply", 1.5, "street fair", "Ada", 98, 104, store_id=1, sku_id=7)


def clock():
    return datetime(2026, 1, 5, 6, 0, tzinfo=UTC)


def forecast(mean=10.0):
    cells = pd.MultiIndex.from_product([[1, 2, 3], [7, 8], range(104, 111)], names=["store_id", "sku_id", "day"])
    return cells.to_frame(index=False).assign(mean=mean, sd=4.0)


WRONG = {
    "a closed store": (
        replace(FAIR, store_id=2),
        "the override of store 2, product 7 must be of a store that is open on days 104 to 110, got one closed from "
        "day 106 on; end it before that day or drop it.",
    ),
    "a store that is not open yet": (
        replace(FAIR, store_id=3, first_day=103),
        "the override of store 3, product 7 must be of a store that is open on days 103 to 110, got one that opens on "
        "day 104; let it start on that day.",
    ),
    "expired": (
        replace(FAIR, expires_on=99),
        "the override of store 1, product 7, expires_on must be today or later, got day 99, and today is 100; add a "
        "new one if its reason still holds.",
    ),
    "an unknown product": (
        replace(FAIR, sku_id=9),
        "the override of store 1, product 9, sku_id must be one of table 'products', got an unknown one; look it up in "
        "table 'products'.",
    ),
    "an unknown store": (
        replace(FAIR, store_id=5),
        "the override of store 5, product 7, store_id must be one of table 'stores', got an unknown one; look it up in "
        "table 'stores'.",
    ),
    "an unknown region": (
        replace(FAIR, store_id=None, region="moon"),
        "the override of region moon, product 7, region must be one of table 'stores', got an unknown one; look it up "
        "in table 'stores'.",
    ),
    "an unknown category": (
        replace(FAIR, sku_id=None, category="cheese"),
        "the override of store 1, category cheese, category must be one of table 'products', got an unknown one; look "
        "it up in table 'products'.",
    ),
    "a negative value": (
        replace(FAIR, value=-0.5),
        "the override of store 1, product 7, value must be a finite number, 0 or more, got -0.5; use a factor below 1 "
        "for less, or 'set' with the units a day.",
    ),
    "no number": (
        replace(FAIR, value=float("nan")),
        "the override of store 1, product 7, value must be a finite number, 0 or more, got nan; use a factor below 1 "
        "for less, or 'set' with the units a day.",
    ),
    "no reason": (
        replace(FAIR, reason=" "),
        "the override of store 1, product 7, reason must be a few words, got nothing; say the reason; nobody can judge "
        "it otherwise.",
    ),
    "no author": (
        replace(FAIR, author=""),
        "the override of store 1, product 7, author must be a few words, got nothing; say the author; nobody can judge "
        "it otherwise.",
    ),
    "an end before the start": (
        replace(FAIR, last_day=103),
        "the override of store 1, product 7, last_day must be its first day 104 or later, got 103; swap the two days.",
    ),
    "another kind": (
        replace(FAIR, kind="add"),
        "the override of store 1, product 7, kind must be 'multiply' or 'set', got 'add'; choose one of the two.",
    ),
    "no scope": (
        replace(FAIR, store_id=None, sku_id=None),
        "the override of nothing named must be of a store, region, product or category, got none of them; say which "
        "cells are meant.",
    ),
    "two scopes of one side": (
        replace(FAIR, region="north"),
        "the override of store 1, region north, product 7 must be of a store or a region, got both; drop the wider "
        "one.",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_meant_is_refused_in_one_sentence(what, tmp_path):
    override, sentence = WRONG[what]
    book = OverrideBook(tmp_path / "book.jsonl", clock)
    with pytest.raises(ContractError) as refusal:
        book.add(override, TABLES, TODAY)
    assert str(refusal.value) == sentence
    assert not book.path.exists()


def test_an_overlap_of_the_same_scope_is_refused_and_others_are_not(tmp_path):
    book = OverrideBook(tmp_path / "book.jsonl", clock)
    first = book.add(FAIR, TABLES, TODAY)
    with pytest.raises(ContractError) as refusal:
        book.add(replace(FAIR, first_day=110, last_day=112, author="Bob"), TABLES, TODAY)
    assert str(refusal.value) == (
        f"the override of store 1, product 7 must be the only one on days 110 to 112, got {first} of Ada on days 104 "
        "to 110; withdraw that first."
    )
    book.add(replace(FAIR, first_day=111, last_day=112), TABLES, TODAY)
    book.add(replace(FAIR, sku_id=8), TABLES, TODAY)
    book.add(replace(FAIR, sku_id=None), TABLES, TODAY)
    check_override(replace(FAIR, author="Bob", expires_on=120), TABLES, 105, book.active())  # the first has expired
    book.withdraw(first, "Ada", "the fair is off", TODAY)
    book.add(replace(FAIR, author="Bob"), TABLES, TODAY)
    assert len(book.active()) == 4


def test_the_book_keeps_who_when_and_what_before_and_after(tmp_path):
    book = OverrideBook(tmp_path / "book.jsonl", clock)
    name = book.add(FAIR, TABLES, TODAY)
    book.record_applied([{"override_id": name, "author": "Ada", "units_before": 70, "units_after": 105}], 97)
    book.withdraw(name, "Bob", "rain", 101)
    added, applied, withdrawn = book.lines()
    assert added["after"]["reason"] == "street fair" and (added["who"], added["at"]) == ("Ada", 100)
    assert (applied["before"], applied["after"], applied["at"]) == (70, 105, 97)
    assert withdrawn["before"] == added["after"]
    assert (withdrawn["who"], withdrawn["reason"], withdrawn["at"]) == ("Bob", "rain", 101)
    assert {line["when"] for line in book.lines()} == {"2026-01-05T06:00:00+00:00"}
    assert book.active() == []


def test_what_is_written_twice_is_written_once(tmp_path):
    book = OverrideBook(tmp_path / "book.jsonl", clock)
    assert book.add(FAIR, TABLES, TODAY) == book.add(FAIR, TABLES, TODAY) == FAIR.override_id
    change = {"override_id": FAIR.override_id, "author": "Ada", "units_before": 70.0, "units_after": 105.0}
    assert [book.record_applied([change], origin) for origin in (97, 97, 104)] == [1, 0, 1]
    assert [line["event"] for line in book.lines()] == ["added", "applied", "applied"]
    assert OverrideBook(book.path).active() == [FAIR]


@pytest.mark.parametrize("cut", [1, 20, 10_000])
def test_a_line_that_a_crash_cut_short_is_passed_over_and_nothing_is_glued_to_it(tmp_path, cut):
    book = OverrideBook(tmp_path / "book.jsonl", clock)
    book.add(FAIR, TABLES, TODAY)
    book.add(replace(FAIR, sku_id=8), TABLES, TODAY)
    raw = book.path.read_bytes()
    book.path.write_bytes(raw[: max(len(raw) - cut, 0)])
    whole = 0 if cut == 10_000 else 2 if cut == 1 else 1  # without its line end a line is whole still
    assert len(book.active()) == whole
    book.add(replace(FAIR, sku_id=8), TABLES, TODAY)
    book.add(FAIR, TABLES, TODAY)
    assert {one.sku_id for one in book.active()} == {7, 8}
    for line in book.path.read_text().splitlines()[-1:]:
        json.loads(line)


def test_withdrawals_that_are_refused(tmp_path):
    book = OverrideBook(tmp_path / "book.jsonl", clock)
    with pytest.raises(ContractError) as refusal:
        book.withdraw("abc", "Ada", "off", TODAY)
    assert str(refusal.value) == (
        "override 'abc' must be an active one of the book, got none is active; name one of those."
    )
    name = book.add(FAIR, TABLES, TODAY)
    with pytest.raises(ContractError) as refusal:
        book.withdraw("abc", "Ada", "off", TODAY)
    assert str(refusal.value) == (
        f"override 'abc' must be an active one of the book, got active are {name}; name one of those."
    )
    with pytest.raises(ContractError) as refusal:
        book.withdraw(name, "Ada", " ", TODAY)
    assert str(refusal.value) == "the reason of a withdrawal must be a few words, got nothing; say why."


def test_the_narrower_scope_wins_then_the_younger_and_only_one_counts():
    wide = replace(FAIR, store_id=None, sku_id=None, region="north", value=2.0)
    dairy = replace(FAIR, store_id=None, sku_id=None, category="dairy", kind="set", value=3.0, created_on=99)
    changed = apply_overrides(forecast(), [FAIR, dairy, wide], TABLES, TODAY)
    mean = changed.groupby(["store_id", "sku_id"])["mean"].unique().map(list).to_dict()
    assert mean == {(1, 7): [15.0], (1, 8): [20.0], (2, 7): [3.0], (2, 8): [10.0], (3, 7): [3.0], (3, 8): [20.0]}
    backwards = apply_overrides(forecast(), [wide, dairy, FAIR], TABLES, TODAY)
    pd.testing.assert_frame_equal(changed, backwards)
    assert (changed["mean_before"] == 10).all()
    assert (changed["override_id"] == "").sum() == 7


@pytest.mark.parametrize(("at", "hit"), [(97, False), (98, True), (104, True), (105, False)])
def test_an_override_counts_from_its_creation_to_its_expiry(at, hit):
    changed = apply_overrides(forecast(), [FAIR], TABLES, at)
    assert ((changed["mean"] != 10).sum() == 7) == hit
    assert hit or changed[["mean", "sd"]].equals(forecast()[["mean", "sd"]])


def test_only_its_days_change_and_the_spread_keeps_its_ratio():
    changed = apply_overrides(forecast(), [replace(FAIR, first_day=106, last_day=107)], TABLES, TODAY)
    assert changed.loc[changed["mean"] != 10, "day"].tolist() == [106, 107]
    assert (changed["sd"] / changed["mean"]).round(12).eq(0.4).all()
    lifted = apply_overrides(forecast(0.0), [replace(FAIR, kind="set", value=9.0)], TABLES, TODAY)
    assert lifted.loc[lifted["override_id"] != "", "sd"].tolist() == [3.0] * 7


@given(st.floats(0, 5), st.floats(0.1, 50))
def test_a_factor_and_the_value_that_it_gives_are_the_same_override(factor, mean):
    by_factor = apply_overrides(forecast(mean), [replace(FAIR, value=factor)], TABLES, TODAY)
    by_value = apply_overrides(forecast(mean), [replace(FAIR, kind="set", value=factor * mean)], TABLES, TODAY)
    np.testing.assert_allclose(by_factor[["mean", "sd"]], by_value[["mean", "sd"]], rtol=CLOSE, atol=CLOSE)
