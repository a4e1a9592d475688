"""A reader's own table: whom to call, each way to get the table wrong, and what a trial in it says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from casebook.churn.own_table import Reading, call_list, read_trial, shop_mails
from casebook.contracts import ContractError
from casebook.experiments import difference

MINE = pd.DataFrame(
    {
        "customer_id": ["ann", "bob", "cleo", "dan"],
        "p": [0.30, 0.10, 0.02, 0.45],
        "value": [900.0, 2_400.0, 600.0, 150.0],
    }
)


def test_the_list_is_that_of_a_pocket_calculator():
    out = call_list(MINE, capacity=1, call_cost=10, save_rate=0.1).set_index("customer_id")
    assert out.index.tolist() == ["ann", "bob", "dan", "cleo"]
    assert out["rank"].tolist() == [1, 2, 3, 4]
    assert out["gain"].tolist() == pytest.approx([27 - 10, 24 - 10, 6.75 - 10, 1.2 - 10])
    assert out["cut"].tolist() == pytest.approx([10 / 900, 10 / 2_400, 10 / 150, 10 / 600])
    assert out["call"].tolist() == [True, False, False, False]
    assert out["reason"].tolist() == [
        "keeps 3.0% of the time, worth 900 each",
        "keeps 1.0% of the time, worth 2400 each; pays, but the capacity ends above",
        "brings 6.75 dollars and costs 10",
        "brings 1.20 dollars and costs 10",
    ]


def test_a_call_is_made_exactly_where_uplift_is_above_the_cut_while_capacity_lasts():
    out = call_list(MINE, capacity=100, call_cost=10, save_rate=0.1)
    assert (out["call"] == (out["uplift"] > out["cut"])).all()
    assert out["call"].sum() == 2


def test_a_column_of_uplift_is_used_and_a_sleeping_dog_is_left_alone():
    table = MINE.assign(uplift=[-0.05, 0.0, 0.015, 0.2])
    out = call_list(table, capacity=4, call_cost=0).set_index("customer_id")
    assert out["uplift"].to_dict() == {"ann": -0.05, "bob": 0.0, "cleo": 0.015, "dan": 0.2}
    assert out.index[out["call"]].tolist() == ["dan", "cleo"]
    assert out.loc["ann", "reason"] == "a call makes this customer likelier to leave"
    assert out.loc["bob", "reason"] == "a call changes nothing"


def test_a_customer_without_value_has_no_cut():
    out = call_list(MINE.assign(value=0.0), capacity=4, call_cost=10, save_rate=1)
    assert np.isinf(out["cut"]).all() and not out["call"].any()


def test_the_readers_table_is_not_changed():
    before = MINE.copy()
    call_list(MINE, capacity=2, call_cost=10, save_rate=0.1)
    pd.testing.assert_frame_equal(MINE, before)


CASE = "table 'candidates'"
BROKEN = {
    "percent": (
        MINE.assign(p=MINE["p"] * 100),
        f"{CASE}, column 'p', row 0 must be between 0 and 1, got 30.0; divide percentages by 100.",
    ),
    "value as text": (
        MINE.assign(value=["900", "2,400", "n/a", "150"]),
        f"{CASE}, column 'value' must be of type float64, got text; convert it with .astype(...) or pd.to_numeric.",
    ),
    "duplicate key": (
        MINE.assign(customer_id="ann"),
        f"{CASE}, column 'customer_id', row 0 must be unique, got 'ann' more than once; drop the duplicate rows or "
        "aggregate them.",
    ),
    "missing value": (
        MINE.assign(p=[0.3, None, 0.02, 0.45]),
        f"{CASE}, column 'p', row 1 must be filled in, got a missing value; fill it in or drop the row.",
    ),
    "no value": (
        MINE.drop(columns="value"),
        f"{CASE} must be a table with a column 'value', got 'customer_id', 'p'; add 'value' or rename one of yours.",
    ),
    "empty": (
        MINE[MINE["p"] > 1],
        f"{CASE} must be a table with at least one row, got no rows; check the filter or the join that made it.",
    ),
    "negative value": (
        MINE.assign(value=-900.0),
        f"{CASE}, column 'value', row 0 must be at least 0, got -900.0; mend or drop it.",
    ),
    "no arm": (
        MINE.assign(treated=[0, 1, 2, 0]),
        f"{CASE}, column 'treated', row 2 must be one of [0, 1], got 2; mend or drop it.",
    ),
    "no frame": ([1, 2], f"{CASE} must be a pandas DataFrame, got list; wrap it in pd.DataFrame(...)."),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_broken_table_gets_its_one_sentence_from_either_function(name):
    table, sentence = BROKEN[name]
    for use in (
        lambda: call_list(table, capacity=2, call_cost=10, save_rate=0.1),
        lambda: read_trial(table, np.random.default_rng(0)),
    ):
        with pytest.raises(ContractError) as caught:
            use()
        assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"capacity": 0}, "capacity must be a whole number, 1 or more, got 0; pass the calls that can be made."),
        ({"capacity": 2.5}, "capacity must be a whole number, 1 or more, got 2.5; pass the calls that can be made."),
        ({"capacity": np.nan}, "capacity must be a finite number, got nan; pass a number."),
        ({"call_cost": np.nan}, "call_cost must be a finite number, got nan; pass a number."),
        ({"call_cost": -1}, "call_cost must be 0 or more, got -1.0; drop the minus sign."),
        ({"call_cost": [1, 2]}, "call_cost must be one number, got list; pass one number for all customers."),
        ({"save_rate": 20}, "save_rate must be above 0 and at most 1, got 20; divide percentages by 100."),
        ({"save_rate": 0}, "save_rate must be above 0 and at most 1, got 0; pass the share kept, above 0."),
        ({"save_rate": -0.1}, "save_rate must be above 0 and at most 1, got -0.1; pass the share kept, above 0."),
        ({"save_rate": np.nan}, "save_rate must be a finite number, got nan; pass a number."),
        ({"save_rate": "x"}, "save_rate must be one number, got str; pass one number for all customers."),
        (
            {"save_rate": None},
            "save_rate must be given where the table has no column 'uplift', got None; measure it in a pilot, or pass "
            "your guess and vary it.",
        ),
    ],
)
def test_each_number_out_of_range_gets_its_one_sentence(changed, sentence):
    with pytest.raises(ContractError) as caught:
        call_list(MINE, **({"capacity": 2, "call_cost": 10, "save_rate": 0.1} | changed))
    assert str(caught.value) == sentence


def test_uplift_and_a_save_rate_together_are_refused():
    with pytest.raises(ContractError) as caught:
        call_list(MINE.assign(uplift=0.01), capacity=2, call_cost=10, save_rate=0.1)
    assert str(caught.value) == (
        "save_rate must be left out where the table has its own uplift, got 0.1 beside a column 'uplift'; drop one of "
        "the two."
    )


@pytest.mark.parametrize("column", ["treated", "y"])
def test_a_trial_needs_its_arm_and_its_outcome(column):
    table = shop_mails(200, np.random.default_rng(0)).drop(columns=column)
    with pytest.raises(ContractError) as caught:
        read_trial(table, np.random.default_rng(0))
    there = ", ".join(map(repr, table.columns))
    assert str(caught.value).startswith(f"{CASE} must be a table with a column {column!r}, got ")
    assert str(caught.value).endswith(f"add {column!r} or rename one of yours.") and there[:13] in str(caught.value)


def test_the_effect_is_the_plain_difference_in_staying():
    table = shop_mails(3_000, np.random.default_rng(1))
    effect = read_trial(table, np.random.default_rng(1), draws=20).effect
    left = table.groupby("treated")["y"].mean()
    assert effect.estimate == pytest.approx(left[0] - left[1])
    assert effect == difference(1 - table["y"], table["treated"])


@pytest.mark.slow
def test_uplift_is_separable_where_it_is_apart_from_risk_and_not_where_risk_says_it_all():
    for seed in (0, 1):
        rng = np.random.default_rng(seed)
        apart = read_trial(shop_mails(20_000, rng), rng, draws=20)
        assert apart.separable
        assert apart.sentence.startswith("Uplift from p, value, recency, history, womens is separable from risk: its ")
        same = read_trial(shop_mails(20_000, rng, apart=False), rng, draws=20)
        assert not same.separable
        assert "rank by risk x value" in same.sentence


def test_the_uplift_finds_those_whom_the_mail_moves():
    rng = np.random.default_rng(2)
    table = shop_mails(20_000, rng)
    uplift = read_trial(table, rng, draws=20).uplift
    mean = pd.Series(uplift).groupby(table["womens"]).mean()
    assert mean[1] == pytest.approx(0.09, abs=0.03)
    assert mean[0] == pytest.approx(0.0, abs=0.03)


def test_no_customer_is_scored_by_a_model_that_saw_them(monkeypatch):
    from casebook.churn import own_table

    seen = []

    def remember(kind, X, y, treated, **settings):
        seen.append(set(X.index))
        return lambda asked: np.full(len(asked), float(bool(seen[-1] & set(asked.index))))

    monkeypatch.setattr(own_table, "fit_uplift", remember)
    table = shop_mails(900, np.random.default_rng(3)).assign(account_id=np.arange(900) // 3)
    table["treated"] = table["account_id"] % 2
    reading = read_trial(table, np.random.default_rng(3), cluster="account_id", draws=20)
    assert not reading.uplift.any()
    for rows in seen:
        inside = table["account_id"].isin(table.loc[sorted(rows), "account_id"])
        assert inside.sum() == len(rows)  # a company is whole on one side
    assert len(seen) == own_table.FOLDS


def test_a_company_as_the_cluster_widens_the_interval_of_copied_rows():
    one = shop_mails(2_000, np.random.default_rng(4))
    table = pd.concat([one] * 4, ignore_index=True).assign(customer_id=range(8_000), account_id=one.index.tolist() * 4)
    alone = read_trial(table, np.random.default_rng(4), draws=20).effect
    whole = read_trial(table, np.random.default_rng(4), cluster="account_id", draws=20).effect
    assert whole.clusters == 2_000 and alone.clusters is None
    assert whole.se == pytest.approx(2 * alone.se, rel=0.01)


def test_neither_the_outcome_nor_the_arm_nor_the_key_is_a_feature(monkeypatch):
    from casebook.churn import own_table

    asked = {}

    def remember(kind, X, y, treated, **settings):
        asked.update(columns=list(X.columns), base=settings["base"])
        return lambda rows: np.zeros(len(rows))

    monkeypatch.setattr(own_table, "fit_uplift", remember)
    table = shop_mails(600, np.random.default_rng(5)).assign(uplift=0.1, note="text", company=range(600))
    reading = read_trial(table, np.random.default_rng(5), cluster="company", draws=20, base="lightgbm")
    assert reading.features == ("p", "value", "recency", "history", "womens")
    assert asked == {"columns": ["p", "value", "recency", "history", "womens"], "base": "lightgbm"}


def test_gaps_among_the_features_need_the_trees():
    table = shop_mails(600, np.random.default_rng(6))
    table.loc[5, "history"] = np.nan
    with pytest.raises(ContractError, match="column 'history'"):
        read_trial(table, np.random.default_rng(6), draws=20)
    assert np.isfinite(read_trial(table, np.random.default_rng(6), base="lightgbm", draws=20).uplift).all()


def test_the_same_seed_gives_the_same_reading():
    table = shop_mails(1_000, np.random.default_rng(7))
    first, second = (read_trial(table, np.random.default_rng(8), draws=20) for _ in range(2))
    pd.testing.assert_frame_equal(first.qini, second.qini)
    assert np.array_equal(first.uplift, second.uplift)


def test_the_shops_differ_as_their_texts_say():
    rng = np.random.default_rng(9)
    for apart in (True, False):
        table = shop_mails(60_000, rng, apart=apart)
        stays = 1 - table["y"]
        assert stays[table["treated"] == 0].mean() == pytest.approx((1 - table["p"]).mean(), abs=0.006)
        assert (1 - table["p"]).mean() == pytest.approx(0.1, abs=0.03)
        by = table["womens"] if apart else (table["p"] > table["p"].median()).astype(int)
        moved = stays.groupby([by, table["treated"]]).mean().unstack().diff(axis=1)[1]
        assert moved[1] > moved[0] + 0.02
        assert table["treated"].sum() == 30_000


def test_the_order_of_rows_changes_nothing():
    turned = MINE.iloc[::-1].set_axis([7, 7, 8, 9])
    lists = [call_list(table, capacity=2, call_cost=10, save_rate=0.1) for table in (MINE, turned)]
    pd.testing.assert_frame_equal(*lists)


def test_a_uplift_of_its_own_and_the_save_rate_that_gives_it_make_one_list():
    own = call_list(MINE.assign(uplift=0.1 * MINE["p"]), capacity=2, call_cost=10)
    pd.testing.assert_frame_equal(own, call_list(MINE, capacity=2, call_cost=10, save_rate=0.1))


def test_an_endless_value_is_refused():
    with pytest.raises(ContractError) as caught:
        call_list(MINE.assign(value=[900.0, np.inf, 600.0, 150.0]), capacity=2, call_cost=10, save_rate=0.1)
    assert str(caught.value) == "column 'value', row 1 must be a finite number, got inf; fill it in or drop the row."


def test_the_sentence_says_which_of_three_it_is():
    def said(low: float, high: float, features: tuple[str, ...] = ("p", "value")) -> str:
        row = {"difference": (low + high) / 2, "difference_low": low, "difference_high": high}
        effect = difference([1, 0, 1, 0], [1, 1, 0, 0])
        return Reading(effect, np.zeros(4), pd.DataFrame({"uplift": row}).T, features).sentence

    assert said(0.001, 0.003) == (
        "Uplift from p, value is separable from risk: its Qini is +0.0020 (+0.0010 to +0.0030) above that of risk; "
        "rank by uplift x value."
    )
    assert said(-0.003, -0.001) == (
        "Risk finds who can be kept better than uplift from p, value does (-0.0020 (-0.0030 to -0.0010)): rank by risk "
        "x value."
    )
    assert said(-0.001, 0.001) == (
        "Uplift from p, value cannot be told from risk on this trial (+0.0000 (-0.0010 to +0.0010)): rank by risk x "
        "value and keep a hold-out."
    )
    assert said(0.001, 0.003, tuple("abcdefghij")).startswith(
        "Uplift from a, b, c, d, e, f, g, h, ... (10 in all) is separable"
    )


def test_a_trial_of_one_arm_is_refused():
    table = shop_mails(100, np.random.default_rng(10)).assign(treated=1)
    with pytest.raises(ContractError, match=r"^treated must be"):
        read_trial(table, np.random.default_rng(10))
