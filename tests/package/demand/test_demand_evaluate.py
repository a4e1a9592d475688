"""Every measure against scikit-learn, scipy or a sum by hand; true quantiles cover; where the measures disagree."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import mean_pinball_loss

from casebook.contracts import ContractError
from casebook.demand.evaluate import bias, coverage, coverage_table, money, pinball, wape
from casebook.demand.quantile_fix import at_fractile
from casebook.demand.score_table import by_origin, disagreement, score_table
from casebook.demand.wape_points import count_probabilities, expected_wape, points_compared

SAME = 1e-9  # the same sums in another order
TAUS = (0.1, 0.5, 10 / 12, 0.95)


def drawn(seed, n=300):
    rng = np.random.default_rng(seed)
    mean = rng.gamma(2, 3, n)
    truth = pd.DataFrame({tau: stats.poisson.ppf(tau, mean) for tau in TAUS})
    return rng.poisson(mean).astype(float), truth, mean


# ---------------------------------------------------------------- single measures


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 9_999))
def test_pinball_is_scikit_learns(seed):
    y, table, _ = drawn(seed)
    table += np.random.default_rng(seed).normal(0, 1, table.shape)
    found = pinball(y, table)
    for tau in TAUS:
        assert found[tau] == pytest.approx(mean_pinball_loss(y, table[tau], alpha=tau), rel=SAME)
    pd.testing.assert_series_equal(pinball(y, table[[0.95, 0.1, 10 / 12, 0.5]]), found)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 9_999))
def test_wape_is_a_weighted_mean_of_percentage_errors(seed):
    rng = np.random.default_rng(seed)
    y, point, group = rng.integers(1, 20, 60), rng.gamma(2, 3, 60), rng.integers(0, 4, 60)
    percentage = np.abs(y - point) / y
    assert wape(y, point) == pytest.approx(np.average(percentage, weights=y), rel=SAME)
    by = wape(y, point, group)
    for name, value in by.items():
        assert value == pytest.approx(wape(y[group == name], point[group == name]), rel=SAME)
    assert wape(3 * y, 3 * point) == pytest.approx(wape(y, point), rel=SAME)
    assert bias(y, point) == pytest.approx(point.sum() / y.sum() - 1, rel=1e-6, abs=SAME)


def test_where_nothing_came_there_is_no_percentage():
    assert np.isnan(wape([0, 0], [1, 1])) and np.isnan(bias([0, 0], [1, 1]))
    assert wape([0, 4], [1, 4], ["a", "b"]).isna().to_dict() == {"a": True, "b": False}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 9_999), st.integers(2, 200))
def test_coverages_interval_is_scipys(seed, n):
    rng = np.random.default_rng(seed)
    y, q = rng.poisson(4, n), rng.poisson(5, n)
    found = coverage(y, q, 0.7)
    twin = stats.binomtest(int((y <= q).sum()), n).proportion_ci(0.95, method="exact")
    assert found.share == np.mean(y <= q)
    assert (found.low, found.high) == pytest.approx((twin.low, twin.high), rel=1e-6, abs=SAME)
    assert found.below == np.mean(y < q) and found.rows == n


@pytest.mark.parametrize("tau", TAUS)
def test_true_quantiles_cover_within_their_interval(tau):
    """The interval is missed one time in twenty at most, by binomial chance; ties make it rarer."""
    held = [coverage(y, truth[tau], tau).holds for y, truth, _ in map(drawn, range(100))]
    assert np.mean(held) >= stats.binom.ppf(0.001, 100, 0.95) / 100
    normal = np.random.default_rng(0).normal(size=(100, 300))
    held = [coverage(row, np.full(300, stats.norm.ppf(tau)), tau).holds for row in normal]
    assert stats.binom.ppf(0.001, 100, 0.95) / 100 <= np.mean(held)


def test_false_quantiles_are_found_out():
    y, truth, mean = drawn(0, 3_000)
    assert not coverage(y, truth[0.5], 0.95).holds and not coverage(y, truth[0.95], 0.5).holds
    assert not coverage(y, mean, 0.95).holds


def test_rows_that_hang_together_have_a_wider_interval():
    rng = np.random.default_rng(1)
    plain, clustered = [], []
    for _ in range(100):
        week = np.repeat(np.arange(12), 50)
        y = rng.normal(0, 1, 600) + np.repeat(rng.normal(0, 1, 12), 50)
        q = np.full(600, stats.norm.ppf(0.8) * np.sqrt(2))
        one, other = coverage(y, q, 0.8), coverage(y, q, 0.8, week)
        assert one.share == other.share and other.low <= one.low and other.high >= one.high
        plain.append(one.holds)
        clustered.append(other.holds)
    assert np.mean(plain) < 0.5 and np.mean(clustered) > 0.85


def test_the_cluster_interval_is_students_t_on_equal_clusters():
    rng = np.random.default_rng(2)
    week = np.repeat(np.arange(10), 40)
    y = rng.normal(0, 1, 400) + np.repeat(rng.normal(0, 2, 10), 40)
    found = coverage(y, np.zeros(400), 0.5, week)
    means = pd.Series(y <= 0).groupby(week).mean()
    low, high = stats.t.interval(0.95, 9, means.mean(), means.std() / np.sqrt(10))
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-6)


def test_money_by_row_and_by_week_is_a_sum_by_hand():
    rng = np.random.default_rng(3)
    week = pd.DataFrame({"sku_id": rng.permutation(np.repeat(range(10), 7)), "origin": 6})
    y, order = rng.poisson(5, 70).astype(float), rng.poisson(6, 70).astype(float)
    under, over = rng.gamma(2, 1, 10)[week["sku_id"]], rng.gamma(1, 1, 10)[week["sku_id"]]
    by_row = sum(u * max(a - b, 0) + o * max(b - a, 0) for a, b, u, o in zip(y, order, under, over, strict=True))
    assert money(y, order, under, over) == pytest.approx(by_row)
    hand = 0.0
    for _, rows in week.groupby("sku_id").groups.items():
        gap = y[rows].sum() - order[rows].sum()
        hand += under[rows[0]] * max(gap, 0) + over[rows[0]] * max(-gap, 0)
    assert money(y, order, under, over, week) == pytest.approx(hand)
    assert hand <= by_row + SAME  # within a week, days make up for each other
    assert money(y, order, 10.0, 2.0) == pytest.approx(12 * 70 * pinball(y, pd.DataFrame({10 / 12: order})).iloc[0])


# ---------------------------------------------------------------- the table


def models():
    y, truth, mean = drawn(5, 2_000)
    low = pd.DataFrame({tau: stats.poisson.ppf(tau, 0.7 * mean) for tau in TAUS})
    return y, {"truth": truth, "low": low, "mean": pd.DataFrame(dict.fromkeys(TAUS, mean))}


def test_the_table_has_every_measure_of_every_model():
    y, forecasts = models()
    rng = np.random.default_rng(0)
    category, origin = rng.choice(["dairy", "bakery"], len(y)), rng.integers(0, 8, len(y))
    week = pd.DataFrame({"sku_id": np.arange(len(y)) // 7})
    under, over = np.where(category == "dairy", 5.0, 1.0), np.ones(len(y))
    seconds = pd.DataFrame({"fit_seconds": [1.0, 2, 3]}, index=list(forecasts))
    table = score_table(y, forecasts, under, over, category=category, week=week, clusters=origin, seconds=seconds)
    assert list(table.index) == ["truth", "low", "mean"] and table["fit_seconds"].tolist() == [1, 2, 3]
    for name, frame in forecasts.items():
        row, order = table.loc[name], at_fractile(frame, under / (under + over))
        assert row["pinball_0.833"] == pytest.approx(mean_pinball_loss(y, frame[10 / 12], alpha=10 / 12))
        assert row["pinball"] == pytest.approx(np.mean([mean_pinball_loss(y, frame[tau], alpha=tau) for tau in TAUS]))
        assert row["wape"] == pytest.approx(wape(y, frame[0.5])) and row["bias"] == pytest.approx(bias(y, frame[0.5]))
        assert row["wape_dairy"] == pytest.approx(wape(y[category == "dairy"], frame[0.5][category == "dairy"]))
        assert row["coverage_0.95"] == np.mean(y <= frame[0.95])
        assert row["money"] == pytest.approx(money(y, order, under, over, week))
        assert row["money_day"] == pytest.approx(money(y, order, under, over))
        assert row["bias_order"] == pytest.approx(bias(y, order))
    assert table["coverage_holds"][["truth", "low"]].tolist() == ["4 of 4", "0 of 4"]
    assert table.loc["mean", [f"coverage_{tau:.3g}" for tau in TAUS]].nunique() == 1
    assert table["pinball"].idxmin() == table["money"].idxmin() == "truth"


def test_models_are_compared_at_the_taus_they_share():
    y, forecasts = models()
    forecasts["low"] = forecasts["low"].rename(columns={10 / 12: 0.8333333}).drop(columns=0.1)
    table = score_table(y, forecasts, 5, 1)
    assert "pinball_0.1" not in table and "pinball_0.833" in table and table.notna().all(axis=None)


def test_money_is_least_for_the_truth_at_every_price():
    y, forecasts = models()
    for under in (1.0, 5.0, 15.0):
        assert score_table(y, forecasts, under, 1.0)["money"].idxmin() == "truth"


def test_the_origins_add_up_to_the_table():
    y, forecasts = models()
    origin = np.arange(len(y)) % 8
    parts = by_origin(y, forecasts, origin, 5.0, 1.0)
    table = score_table(y, forecasts, 5.0, 1.0)
    np.testing.assert_allclose(parts["money"].groupby("model").sum()[table.index], table["money"])
    np.testing.assert_allclose(parts["pinball"].groupby("model").mean()[table.index], table["pinball"])  # equal sizes
    assert parts.index.names == ["model", "origin"] and len(parts) == 24


def test_measures_disagree_about_slow_sellers_and_agree_where_one_is_better_in_all():
    """Forecasting nothing has the best WAPE there; the upper quantile the least money."""
    rng = np.random.default_rng(6)
    y = rng.poisson(0.4, 4_000).astype(float)
    zero = pd.DataFrame(0.0, index=range(4_000), columns=list(TAUS))
    mean = zero + 0.4
    honest = pd.DataFrame({tau: np.full(4_000, max(stats.poisson.ppf(tau, 0.4), 0.45)) for tau in TAUS})
    found = disagreement(score_table(y, {"zero": zero, "mean": mean, "quantiles": honest}, 10.0, 2.0))
    assert found.disagree and found.best["best"].to_dict()["wape"] == "zero"
    assert found.best["best"]["money"] == "quantiles" and found.best["place_by_money"]["wape"] == 3
    table = pd.DataFrame({"wape": [1.0, 2], "pinball": [1.0, 2], "money": [2.0, 3]}, index=["a", "b"])
    same = disagreement(table)
    assert not same.disagree and set(same.best["best"]) == {"a"} and same.best["behind"].tolist() == [1, 1, 0.5]


# ---------------------------------------------------------------- WAPE and slow sellers, exactly


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=12), st.floats(0, 11))
def test_no_point_has_a_better_wape_than_the_median(weights, point):
    p = np.array(weights) / np.sum(weights)
    table = points_compared(p, 5, 2)
    assert table["wape"]["median"] <= expected_wape(p, point)[0] + SAME
    assert table["squared_error"].idxmin() == "mean" or np.isclose(*table["squared_error"].nsmallest(2))
    assert table["money"]["fractile"] <= table["money"].min() + SAME


@pytest.mark.parametrize("mean", [0.05, 0.4, 0.69])
def test_below_ln_2_a_poisson_seller_is_best_forecast_as_nothing(mean):
    """P(0) = exp(-mean) is above one half there; WAPE of nothing is 1, of the mean 2 exp(-mean)."""
    table = points_compared(count_probabilities(stats.poisson(mean)), 10, 2)
    assert table["units"]["median"] == 0 and table["wape"]["zero"] == pytest.approx(1)
    assert table["wape"]["mean"] == pytest.approx(2 * np.exp(-mean)) and table["wape"]["mean"] > 1
    assert table["bias"]["zero"] == -1


def test_above_ln_2_it_is_not():
    table = points_compared(count_probabilities(stats.poisson(0.71)), 10, 2)
    assert table["units"]["median"] == 1 and table["wape"]["median"] < 1


def test_the_long_run_is_what_is_drawn():
    distribution = stats.nbinom(0.5, 0.4)
    y = distribution.rvs(200_000, random_state=np.random.default_rng(0))
    found = points_compared(count_probabilities(distribution), 5, 2)
    for _, row in found.iterrows():
        assert wape(y, np.full(len(y), row["units"])) == pytest.approx(row["wape"], rel=0.02)
        assert money(y, np.full(len(y), row["units"]), 5, 2) / len(y) == pytest.approx(row["money"], rel=0.02)


# ---------------------------------------------------------------- refusals

FLAT = pd.DataFrame({0.5: [1.0, 2.0], 0.9: [3.0, 4.0]})


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: pinball([1, 2, 3], FLAT), "y must be 2 long, got 3 rows; take all arguments from one table."),
        (lambda: pinball([1, np.nan], FLAT), "y, row 1 must be a finite number, got nan; fill it in or drop the row."),
        (
            lambda: pinball(pd.Series([1, 2], index=[1, 0]), FLAT),
            "y and forecasts must be in one row order, got the same index labels in two orders; "
            "reindex one, or pass .to_numpy() if positions match.",
        ),
        (lambda: wape([1, 2], [1]), "point must be 2 long, got 1 rows; take all arguments from one table."),
        (lambda: wape([1, 2], [1, 2], ["a"]), "by must be 2 long, got 1 rows; take all arguments from one table."),
        (lambda: coverage([1], [1], 95), "tau must be between 0 and 1, got 95; divide percentages by 100."),
        (
            lambda: coverage([1, 2], [1, 2], 0.9, [6, 6]),
            "clusters must be at least two, got one; take more weeks, or leave it out.",
        ),
        (lambda: money([1], [1], -1, 1), "cost_under must be 0 or more, got -1.0; drop the minus sign."),
        (
            lambda: score_table([1, 2], {}, 1, 1),
            "forecasts must be at least one model's, got none; pass a name and a table for each.",
        ),
        (
            lambda: score_table([1, 2], {"a": FLAT[[0.5]], "b": FLAT[[0.9]]}, 1, 1),
            "forecasts must be at one tau at least that all models have, got none in common; "
            "fit them at the same taus.",
        ),
        (
            lambda: score_table([1, 2], {"a": FLAT}, 99, 1),
            "tau, row 0 must be in [0.5, 0.9], got 0.99; fit a level beyond it.",
        ),
        (
            lambda: disagreement(pd.DataFrame({"wape": [1], "pinball": [1], "money": [1]})),
            "table must be of two models or more, got 1; score another one beside it.",
        ),
        (
            lambda: points_compared([0.5, 0.4], 1, 1),
            "p must be probabilities that sum to 1, got a sum of 0.9; divide them by their sum.",
        ),
        (
            lambda: points_compared([1.0, 0.0], 1, 1),
            "p must be a demand that is not always 0, got no probability above 0 units; leave the cell out.",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, text):
    with pytest.raises(ContractError) as refused:
        call()
    assert str(refused.value) == text


def test_the_coverage_table_is_coverage_row_by_row():
    y, forecasts = models()
    table = coverage_table(y, forecasts)
    for (name, tau), row in table.iterrows():
        assert tuple(row) == tuple(coverage(y, forecasts[name][tau], tau))
