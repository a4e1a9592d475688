"""Sample ratios against scipy and a published example, balance against statsmodels, delivery by hand."""

import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, ttest_ind

from casebook.contracts import ContractError
from casebook.experiments import Delivery, assign, balance, delivery, srm

ROUNDING = 1e-9
# Four standard errors of a share of one hundredth over 5,000 draws.
FALSE_ALARMS = 4 * np.sqrt(0.01 * 0.99 / 5000)


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def test_the_ratio_in_the_book_of_kohavi_and_others_is_a_mismatch():
    got = srm([821_588, 815_482], [0.5, 0.5])
    assert got.p == pytest.approx(1.8e-6, abs=0.05e-6)
    assert got.expected == (818_535.0, 818_535.0)
    assert got.alpha == 0.01
    assert got.broken is True
    assert srm([821_588, 815_482], [0.5, 0.5], alpha=1e-6).broken is False


@given(st.lists(st.tuples(st.integers(30, 10_000), st.floats(0.2, 1)), min_size=2, max_size=5))
def test_ratios_are_tested_as_by_scipy(rows):
    counts, weights = map(np.array, zip(*rows, strict=True))
    shares = weights / weights.sum()
    got = srm(counts, shares)
    theirs = chisquare(counts, shares * counts.sum())
    assert got.statistic == pytest.approx(theirs.statistic, rel=ROUNDING, abs=ROUNDING)
    assert got.p == pytest.approx(theirs.pvalue, rel=1e-6, abs=ROUNDING)


def test_sound_counts_are_called_broken_one_time_in_a_hundred():
    treated = np.random.default_rng(5).binomial(10_000, 0.3, 5000)
    alarms = np.mean([srm([t, 10_000 - t], [0.3, 0.7]).broken for t in treated])
    assert alarms == pytest.approx(0.01, abs=FALSE_ALARMS)


@pytest.fixture
def users():
    rng = np.random.default_rng(6)
    account = np.repeat(np.arange(60), rng.integers(2, 9, 60))
    seats = rng.normal(10, 3, 60)[account] + rng.normal(size=len(account))
    seats[rng.random(len(account)) < 0.1] = np.nan
    table = pd.DataFrame({"account": account, "seats": seats, "plan": rng.choice(["free", "pro"], len(account))})
    table["mobile"] = rng.random(len(account)) < 0.4
    table["treated"] = assign(table.index, rng, cluster=account).to_numpy()
    return table


def test_balance_is_that_of_welch_and_of_austin(users):
    got = balance(users, "treated", ["seats"]).loc["seats"]
    known = users.dropna()
    treated, control = known.loc[known["treated"], "seats"], known.loc[~known["treated"], "seats"]
    assert got["z"] == pytest.approx(ttest_ind(treated, control, equal_var=False).statistic, rel=ROUNDING)
    spread = np.sqrt((treated.var() + control.var()) / 2)
    assert got["smd"] == pytest.approx((treated.mean() - control.mean()) / spread, rel=ROUNDING)
    missing = users["seats"].isna().groupby(users["treated"]).mean()
    assert got["treated_missing"] == pytest.approx(missing[True])
    assert got["control_missing"] == pytest.approx(missing[False])


def test_balance_by_cluster_is_that_of_statsmodels(users):
    got = balance(users, "treated", ["seats"], cluster="account").loc["seats", "z"]
    known = users.dropna()
    design = sm.add_constant(known["treated"].astype(float))
    fit = sm.OLS(known["seats"], design).fit(cov_type="cluster", cov_kwds={"groups": known["account"]})
    assert got == pytest.approx(fit.tvalues["treated"], rel=1e-8)
    assert abs(got) < abs(balance(users, "treated", ["seats"]).loc["seats", "z"])


def test_words_and_bools_become_shares(users):
    got = balance(users, users["treated"].to_numpy(), ["plan", "mobile"])
    assert got.index.tolist() == ["plan = 'free'", "plan = 'pro'", "mobile"]
    expected = (users["plan"] == "pro").groupby(users["treated"]).mean()
    assert got.loc["plan = 'pro'", "treated_mean"] == pytest.approx(expected[True])
    assert got.loc["plan = 'free'", "smd"] == pytest.approx(-got.loc["plan = 'pro'", "smd"])
    assert got.loc["mobile", "control_mean"] == pytest.approx(users.loc[~users["treated"], "mobile"].mean())


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "boolean", "category", "object"])
def test_columns_of_every_type_count_their_missing_values(dtype):
    frame = pd.DataFrame({"x": pd.Series([1, 0, 1, None, 0, 1], dtype=dtype), "t": [1, 1, 1, 0, 0, 0]})
    if dtype in ("category", "object"):
        frame["x"] = frame["x"].map({1: "yes", 0: "no"}).astype(dtype)
    got = balance(frame, "t", ["x"]).iloc[-1]
    assert got["treated_mean"] == pytest.approx(2 / 3)
    assert got["control_mean"] == pytest.approx(1 / 2)
    assert (got["treated_missing"], got["control_missing"]) == (0, pytest.approx(1 / 3))


def test_columns_without_spread_are_balanced_or_infinitely_not():
    frame = pd.DataFrame({"same": [0.1] * 4, "apart": [0.1, 0.1, 0.2, 0.2], "gone": [np.nan, np.nan, 1.0, 2.0]})
    got = balance(frame, [1, 1, 0, 0], ["same", "apart", "gone"])
    assert got.loc["same", ["smd", "z"]].tolist() == [0, 0]
    assert got.loc["apart", ["smd", "z"]].tolist() == [-np.inf, -np.inf]
    assert got.loc["gone", ["treated_mean", "smd", "z"]].isna().all()


def test_z_is_missing_where_an_arm_has_one_cluster():
    frame = pd.DataFrame({"x": [1.0, 2.0, 4.0, 3.0, 5.0], "c": list("aabbc"), "t": [1, 1, 0, 0, 0]})
    got = balance(frame, "t", ["x"], cluster="c").loc["x"]
    assert np.isnan(got["z"])
    assert got["smd"] < 0


def test_swapped_arms_swap_the_signs(users):
    there, back = (balance(users, arms, ["seats", "mobile"]) for arms in (users["treated"], ~users["treated"]))
    np.testing.assert_allclose(there[["smd", "z"]], -back[["smd", "z"]])


def test_delivery_counts_contact_and_contamination():
    got = delivery([1, 1, 1, 1, 0, 0], [1, 1, 1, 0, 1, 0])
    assert got == Delivery(contact_rate=0.75, contamination=0.5, treated_n=4, control_n=2)
    assert got.gap == 0.25


FRAME = pd.DataFrame({"x": [1.0, np.inf], "t": [1, 0], "word": ["a", "b"], "gone": [None, None]})
MANY = pd.DataFrame({"id": [f"u{i}" for i in range(30)], "t": [0, 1] * 15})


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: srm([10, -1], [0.5, 0.5]),
            "counts must be a whole number for each of two or more arms, got -1.0; "
            "count the units or clusters of each arm.",
        ),
        (
            lambda: srm([10], [1.0]),
            "counts must be a whole number for each of two or more arms, got one count; "
            "count the units or clusters of each arm.",
        ),
        (
            lambda: srm([100, 100], [50, 50]),
            "shares must be above 0 and 1 in sum, got [50.0, 50.0]; divide them by their sum.",
        ),
        (lambda: srm([10, 10], [1.0]), "shares must be 2 long, got 1 rows; take all arguments from one table."),
        (
            lambda: srm([4, 4], [0.5, 0.5]),
            "counts must be large enough to expect 5 in each arm, got 4 expected in one; wait for more units.",
        ),
        (
            lambda: srm([10, np.nan], [0.5, 0.5]),
            "counts, row 1 must be a finite number, got a missing value; pass 0.",
        ),
        (
            lambda: srm([10, 20], [0.5, 0.5], alpha=1),
            "alpha must be above 0 and below 1, got 1; pass a share.",
        ),
        (lambda: balance(FRAME, "t", "x"), "columns must be a list of names, got 'x'; write ['x']."),
        (
            lambda: balance(FRAME, "t", ["y"]),
            "frame must be a table with a column 'y', got 'x', 't', 'word', 'gone'; add 'y' or rename one of yours.",
        ),
        (lambda: balance([1], "t", ["y"]), "frame must be a pandas DataFrame, got list; wrap it in pd.DataFrame(...)."),
        (
            lambda: balance(FRAME.iloc[:0], "t", ["x"]),
            "frame must be a table with at least one row, got no rows; check the filter or the join that made it.",
        ),
        (lambda: balance(FRAME, "t", ["x"]), "column 'x', row 1 must be finite, got inf; cap it or make it missing."),
        (
            lambda: balance(FRAME, "t", ["gone"]),
            "column 'gone' must be numbers, bools or at most 20 words, got nothing but missing values; "
            "group it or leave it out.",
        ),
        (
            lambda: balance(MANY, "t", ["id"]),
            "column 'id' must be numbers, bools or at most 20 words, got 30 different values of type str; "
            "group it or leave it out.",
        ),
        (
            lambda: delivery([1, 1], [1, 0]),
            "assigned must be 1 in some rows and 0 in others, got 1 in every row; pass both arms in one table.",
        ),
        (
            lambda: delivery([1, 0], [2, 0]),
            "received, row 0 must be 0 or 1, got 2; put 1 where the event happened and 0 elsewhere.",
        ),
        (
            lambda: delivery([1, 0, 1], [1, 0]),
            "assigned must be 2 long, got 3 rows; take all arguments from one table.",
        ),
    ],
)
def test_refusals(call, text):
    with says(text):
        call()
