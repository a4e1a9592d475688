"""Crossing, coverage and interpolation: properties that hold for every input, and closed forms where there are some."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.base import BaseEstimator

from casebook.contracts import ContractError
from casebook.decisions.fractile import pinball_loss
from casebook.demand.conformal import Conformal, Mended
from casebook.demand.evaluate import coverage
from casebook.demand.quantile_fix import (
    TAUS,
    at_fractile,
    by_rising_tau,
    checked_taus,
    column_of,
    crossing,
    rearrange,
    whole,
)

SAME = 1e-9  # the same sums in another order


def forecasts(seed, n=40, taus=(0.1, 0.5, 0.8, 0.95)):
    return pd.DataFrame(np.random.default_rng(seed).gamma(2, 3, (n, len(taus))), columns=list(taus))


# ---------------------------------------------------------------- crossing


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 9_999))
def test_a_row_crosses_if_any_pair_does(seed):
    table = forecasts(seed, 15).round(0)
    pairs = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    rows = [any(row[i] > row[j] for i, j in pairs) for row in table.to_numpy()]
    found = crossing(table)
    assert found.share == pytest.approx(np.mean(rows))
    assert (found.largest > 0) == any(rows)
    shuffled = table[[0.8, 0.1, 0.95, 0.5]]
    assert crossing(shuffled) == found


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 9_999))
def test_rearranging_removes_crossing_and_never_raises_a_rows_summed_loss(seed):
    table = forecasts(seed)
    mended = rearrange(table)
    assert crossing(mended) == (0.0, 0.0)
    np.testing.assert_array_equal(np.sort(table, axis=1), mended)
    y = np.random.default_rng(seed + 1).gamma(2, 3, len(table))
    before, after = (
        sum(np.asarray(pinball_loss(y, part[tau].to_numpy(), tau)) for tau in table) for part in (table, mended)
    )
    assert (after <= before + SAME).all()
    pd.testing.assert_frame_equal(rearrange(mended), mended)


def test_rearranging_may_raise_the_loss_at_one_tau():
    table = pd.DataFrame({0.5: [4.0], 0.9: [1.0]})
    y, mended = [4.0], rearrange(table)
    assert pinball_loss(y, mended[0.5], 0.5)[0] > pinball_loss(y, table[0.5], 0.5)[0]


def test_the_order_of_a_rounded_count_covers_as_the_true_quantile_does():
    rng = np.random.default_rng(0)
    y, near = rng.poisson(0.5, 5_000), pd.DataFrame({0.3: np.full(5_000, 0.02), 0.9: np.full(5_000, 1.2)})
    assert not coverage(y, near[0.3], 0.3).holds and coverage(y, whole(near)[0.3], 0.3).holds
    assert stats.poisson.ppf([0.3, 0.9], 0.5).tolist() == whole(near).iloc[0].tolist() == [0, 1]
    assert crossing(whole(forecasts(1))).largest == np.floor(crossing(whole(forecasts(1))).largest)


def test_one_column_never_crosses():
    assert crossing(pd.DataFrame({0.9: [1.0, 2.0]})) == (0.0, 0.0)


# ---------------------------------------------------------------- levels between


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 9_999))
def test_levels_between_are_numpys_interpolation(seed):
    rng = np.random.default_rng(seed)
    table = forecasts(seed)
    tau = rng.uniform(0.1, 0.95, len(table))
    tau[:4] = [0.1, 0.5, 0.8, 0.95]
    twin = [np.interp(t, list(table), np.sort(row)) for t, row in zip(tau, table.to_numpy(), strict=True)]
    np.testing.assert_allclose(at_fractile(table, tau), twin, rtol=1e-12)
    higher = at_fractile(table, np.minimum(tau + 0.02, 0.95))
    assert (higher >= at_fractile(table, tau) - SAME).all()


def test_one_level_and_one_number():
    table = forecasts(0)
    np.testing.assert_array_equal(at_fractile(table[[0.8]], 0.8), table[0.8])
    np.testing.assert_allclose(at_fractile(table, 0.5), np.sort(table, axis=1)[:, 1])
    assert at_fractile(rearrange(forecasts(0, taus=TAUS)), 0.8333333).shape == (40,)


def test_levels_are_checked_and_found():
    assert checked_taus(TAUS) == list(TAUS)
    assert column_of(TAUS, 0.714286) == 3
    assert list(by_rising_tau(pd.DataFrame({"0.9": [1.0], "0.5": [0.0]}))) == ["0.5", "0.9"]


# ---------------------------------------------------------------- coverage and its mend


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 9_999), st.integers(30, 200))
def test_the_shift_is_the_order_statistic_and_covers_its_own_rows(seed, n):
    rng = np.random.default_rng(seed)
    table, y = forecasts(seed, n), rng.gamma(3, 3, n)
    mend = Conformal().fit(table, y)
    for tau in table:
        gap = np.sort(y - table[tau])
        assert mend.shift_[tau] == gap[int(np.ceil((n + 1) * tau - 1e-9)) - 1]
        assert np.mean(y <= table[tau] + mend.shift_[tau] + SAME) >= tau


def test_coverage_on_new_rows_has_its_exact_expectation():
    """With n exchangeable rows the mean coverage is rank / (n + 1): a Beta(rank, n + 1 - rank) share for each draw."""
    rng = np.random.default_rng(0)
    n, tau, rounds = 49, 0.8, 400
    shares = []
    for _ in range(rounds):
        q = pd.DataFrame({tau: np.zeros(n)})
        mend = Conformal(least=1).fit(q, rng.normal(10, 1, n))
        shares.append(stats.norm.cdf(mend.shift_[tau], 10, 1))
    law = stats.beta(40, 10)
    assert np.mean(shares) == pytest.approx(0.8, abs=4 * law.std() / np.sqrt(rounds))
    assert stats.kstest(shares, law.cdf).pvalue > 0.001


def test_groups_get_their_own_shift_and_small_or_new_ones_that_of_all():
    rng = np.random.default_rng(1)
    group = np.repeat(["dairy", "bakery", "frozen"], [500, 500, 20])
    y = rng.normal(np.where(group == "dairy", 5.0, 20.0), 1)
    table = pd.DataFrame({0.5: np.full(1_020, 5.0), 0.9: np.full(1_020, 6.0)})
    mend = Conformal(least=100).fit(table, y, group)
    assert list(mend.shifts_.index) == ["dairy", "bakery"]
    found = mend.transform(table.iloc[[0, 600, 1_010, 0]], ["dairy", "bakery", "frozen", "new"])
    assert found[0.5].iloc[0] == pytest.approx(5, abs=0.2) and found[0.5].iloc[1] == pytest.approx(20, abs=0.2)
    together = Conformal(least=100).fit(table, y).transform(table.iloc[[0]])
    np.testing.assert_array_equal(found.iloc[2], together.iloc[0])
    np.testing.assert_array_equal(found.iloc[3], together.iloc[0])
    ungrouped = mend.transform(table.iloc[[0]])
    np.testing.assert_array_equal(ungrouped, together)


def test_shifted_forecasts_are_never_below_zero_and_do_not_cross():
    rng = np.random.default_rng(2)
    table = forecasts(3, 300)
    found = (
        Conformal(least=50).fit(table, rng.poisson(0.3, 300), np.arange(300) % 3).transform(table, np.arange(300) % 3)
    )
    assert (found.to_numpy() >= 0).all() and crossing(found).share == 0


class Flat(BaseEstimator):
    """Forecasts the quantiles of what it was fitted to, and remembers it."""

    def __init__(self, taus=(0.5, 0.9)):
        self.taus = taus

    def fit(self, X, y):
        self.days_, self.at_ = X["day"].to_numpy(), np.quantile(y, self.taus)
        return self

    def predict(self, X, taus=None):
        return pd.DataFrame(np.tile(self.at_, (len(X), 1)), index=X.index, columns=list(self.taus))


def test_a_mended_model_covers_after_a_shift_that_the_plain_one_misses():
    rng = np.random.default_rng(4)
    day = np.repeat(np.arange(200), 20)
    y = rng.normal(np.where(day < 100, 10.0, 13.0), 1)  # demand rises at day 100
    X = pd.DataFrame({"day": day, "category_code": np.arange(len(day)) % 2})
    past, future = X["day"] < 150, X["day"] >= 150
    plain = Flat().fit(X[past & (X["day"] < 100)], y[past & (X["day"] < 100)]).predict(X[future])
    mended = Mended(Flat(), days=50).fit(X[past], y[past])
    assert mended.model_.days_.max() == 99 and not hasattr(mended.model, "at_")
    found = mended.predict(X[future])
    for tau in (0.5, 0.9):
        assert coverage(y[future], found[tau], tau).holds
        assert not coverage(y[future], plain[tau], tau).holds
    pd.testing.assert_frame_equal(mended.predict(X[future], [0.9]), found[[0.9]])
    ungrouped = Mended(Flat(), days=50, group=None).fit(X[past].drop(columns="category_code"), y[past])
    assert coverage(y[future], ungrouped.predict(X[future])[0.9], 0.9).holds


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: crossing(pd.DataFrame({50: [1.0]})),
            "columns of forecasts must be between 0 and 1, got 50; divide percentages by 100.",
        ),
        (
            lambda: at_fractile(forecasts(0), 0.97),
            "tau, row 0 must be in [0.1, 0.95], got 0.97; fit a level beyond it.",
        ),
        (
            lambda: at_fractile(forecasts(0, 3), [0.5, 0.5]),
            "tau must be 3 long, got 2 rows; take all arguments from one table.",
        ),
        (
            lambda: rearrange(pd.DataFrame({0.5: []})),
            "forecasts must be a table with at least one row, got no rows; check the filter or the join that made it.",
        ),
        (
            lambda: Conformal().fit(forecasts(0, 18), np.ones(18)),
            "forecasts must be at least 19 rows for tau 0.95, got 18 rows; take a longer block.",
        ),
        (
            lambda: Conformal().fit(forecasts(0), np.ones(39)),
            "y must be 40 long, got 39 rows; take all arguments from one table.",
        ),
        (
            lambda: Conformal().fit(forecasts(0), np.ones(40), ["a"]),
            "groups must be 40 long, got 1 rows; take all arguments from one table.",
        ),
        (
            lambda: Mended(Flat(), days=9, group=None).fit(pd.DataFrame({"day": [1, 2, 3]}), [1, 2, 3]),
            "days must be 1 or more and fewer than there are, got 9 of 3; keep fewer for the shift.",
        ),
        (
            lambda: column_of([0.5], 0.9),
            "forecasts must be at tau 0.9, got 0.5; fit it or call at_fractile.",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, text):
    with pytest.raises(ContractError) as refused:
        call()
    assert str(refused.value) == text


def test_nineteen_rows_are_enough_for_the_95th_percentile():
    assert Conformal().fit(forecasts(0, 19), np.arange(19.0)).shift_.notna().all()
