"""MinT by hand against a library and closed forms; accuracy against libraries; samples against what was asked."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, nbinom, norm
from sklearn.metrics import mean_pinball_loss

from casebook.contracts import ContractError
from casebook.demand.hierarchy import aggregate, hierarchy_of, is_coherent
from casebook.demand.reconcile import (
    MINT,
    SHARES,
    bottom_up,
    error_weights,
    mint,
    non_negative,
    reconcile,
    reconcile_by_library,
    shrunk_covariance,
    top_down,
)
from casebook.demand.reconcile_accuracy import by_level, pinball
from casebook.demand.reconcile_samples import (
    HOW,
    copula_correlation,
    coverage_by_level,
    draw_counts,
    draw_errors,
    leaf_paths,
    mint_paths,
    quantiles_do_not_add,
)

LINEAR = 1e-7  # two ways through linear equations of some tens of unknowns, in units of ten or so
SOLVER = 1e-3  # the library's quadratic programme stops at a tolerance and rounds to 32 bits
STANDARD_ERRORS = 4.0
LEVELS = {"total": [], "region": ["region"], "category": ["category"], "leaf": ["region", "category"]}
PAIRS = pd.MultiIndex.from_product([["north", "south"], ["dairy", "frozen", "pantry"]], names=["region", "category"])
SHOP = hierarchy_of(PAIRS.to_frame(index=False), LEVELS)
TREE = hierarchy_of(PAIRS.to_frame(index=False), {name: LEVELS[name] for name in ("total", "region", "leaf")})


def drawn(seed, shop=SHOP, horizons=4, times=40):
    rng = np.random.default_rng(seed)
    history = aggregate(shop, pd.DataFrame(rng.gamma(2, 5, (len(shop.leaves), times))))
    base = history.iloc[:, -horizons:] * rng.uniform(0.5, 1.5, (len(shop.nodes), horizons)) + 1
    mixing = rng.normal(size=(len(shop.nodes), len(shop.nodes)))
    residuals = pd.DataFrame(mixing @ rng.normal(size=(len(shop.nodes), times)), shop.nodes)
    return history, base, residuals


@given(seed=st.integers(0, 10_000), method=st.sampled_from(MINT))
def test_mint_adds_up_leaves_coherent_forecasts_alone_and_is_linear(seed, method):
    history, base, residuals = drawn(seed)
    ours = reconcile(SHOP, base, method, residuals)
    assert is_coherent(SHOP, ours)
    np.testing.assert_allclose(reconcile(SHOP, history, method, residuals), history, atol=LINEAR)
    both = reconcile(SHOP, base + history.iloc[:, -4:], method, residuals)
    np.testing.assert_allclose(both, ours + history.iloc[:, -4:], atol=LINEAR)


@given(seed=st.integers(0, 10_000), method=st.sampled_from(MINT))
def test_mint_in_numpy_is_hierarchicalforecasts(seed, method):
    _, base, residuals = drawn(seed)
    theirs = reconcile_by_library(SHOP, base, method, residuals)
    np.testing.assert_allclose(reconcile(SHOP, base, method, residuals), theirs, rtol=LINEAR, atol=LINEAR)


def test_mint_is_the_projection_that_no_small_step_improves():
    rng = np.random.default_rng(1)
    _, base, residuals = drawn(1)
    weights = error_weights(SHOP, "mint_shrink", residuals)
    inverse = np.linalg.inv(weights)
    found = mint(SHOP.summing, base.to_numpy(), weights)

    def distance(forecast):
        gap = base.to_numpy() - forecast
        return np.trace(gap.T @ inverse @ gap)

    for _ in range(50):
        step = SHOP.summing @ rng.normal(0, 0.01, (len(SHOP.leaves), base.shape[1]))
        assert distance(found + step) > distance(found)


def test_with_the_true_covariance_mint_has_the_least_error_and_less_than_the_base():
    rng = np.random.default_rng(5)
    n, draws = len(SHOP.nodes), 4_000
    mixing = rng.normal(size=(n, n))
    truth = SHOP.summing @ rng.normal(50, 1, (len(SHOP.leaves), 1))
    base = truth + mixing @ rng.normal(size=(n, draws))
    error = {"base": np.square(base - truth).sum()}
    weights = {"true": mixing @ mixing.T, "ols": np.eye(n), "struct": np.diag(SHOP.summing.sum(axis=1))}
    for name, one in weights.items():
        error[name] = np.square(mint(SHOP.summing, base, one) - truth).sum()
    assert error["true"] < min(error["base"], error["ols"], error["struct"])


@given(seed=st.integers(0, 10_000))
def test_ols_never_moves_away_from_a_coherent_truth(seed):
    history, base, _ = drawn(seed)
    truth = history.iloc[:, :4].to_numpy()
    moved = reconcile(SHOP, base, "ols").to_numpy()
    assert np.linalg.norm(moved - truth) <= np.linalg.norm(base.to_numpy() - truth) + LINEAR


def test_shrinkage_is_schaefer_and_strimmers_sum_over_pairs():
    rng = np.random.default_rng(2)
    values = rng.gamma(1, 1, (5, 30)) + rng.gamma(1, 1, 30)
    n, times = values.shape
    z = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
    noise = found = 0.0
    for i in range(n):
        for j in range(n):
            if i != j:
                w = z[i] * z[j]
                noise += np.square(w - w.mean()).sum() / (times * (times - 1))
                found += w.mean() ** 2
    covariance, shrinkage = shrunk_covariance(values)
    assert 0 < shrinkage < 1
    assert shrinkage == pytest.approx(noise / found)
    expected = np.cov(values) * np.where(np.eye(n) == 1, 1, 1 - shrinkage)
    np.testing.assert_allclose(covariance, expected)


def test_a_bias_is_not_seen_and_a_silent_leaf_is_no_obstacle():
    _, base, residuals = drawn(3)
    same = reconcile(SHOP, base, "mint_shrink", residuals + 100)
    np.testing.assert_allclose(same, reconcile(SHOP, base, "mint_shrink", residuals), atol=1e-6)
    silent = residuals.copy()
    silent.iloc[-1] = 0.0
    assert is_coherent(SHOP, reconcile(SHOP, base, "mint_shrink", silent))


def test_bottom_up_is_the_librarys():
    _, base, _ = drawn(4)
    np.testing.assert_allclose(bottom_up(SHOP, base), reconcile_by_library(SHOP, base, "bottom-up"))
    assert bottom_up(SHOP, base).loc["leaf"].equals(base.loc["leaf"])


@pytest.mark.parametrize(("ours", "theirs"), [(SHARES[1], "average_proportions"), (SHARES[2], "proportion_averages")])
def test_top_down_by_history_is_the_librarys(ours, theirs):
    from hierarchicalforecast.methods import TopDown

    history, base, _ = drawn(6, TREE)
    tags = {level: np.arange(len(TREE.nodes))[TREE.at(level)] for level in TREE.levels}
    expected = TopDown(theirs).fit_predict(
        S=TREE.summing, y_hat=base.to_numpy(), y_insample=history.to_numpy(), tags=tags
    )["mean"]
    np.testing.assert_allclose(top_down(TREE, base, ours, history), expected)


def test_top_down_by_forecasts_is_the_librarys_where_there_are_two_levels():
    from hierarchicalforecast.methods import TopDown

    flat = hierarchy_of(PAIRS.to_frame(index=False), {"total": [], "leaf": ["region", "category"]})
    history, base, _ = drawn(7, flat)
    tags = {"total": np.array([0]), "leaf": np.arange(1, 7)}
    expected = TopDown("forecast_proportions").fit_predict(
        S=flat.summing, y_hat=base.to_numpy(), y_insample=history.to_numpy(), tags=tags
    )["mean"]
    np.testing.assert_allclose(top_down(flat, base), expected)


@given(seed=st.integers(0, 10_000), shares=st.sampled_from(SHARES))
def test_top_down_keeps_the_total_and_adds_up(seed, shares):
    history, base, _ = drawn(seed)
    found = top_down(SHOP, base, shares, history)
    assert is_coherent(SHOP, found)
    np.testing.assert_allclose(found.iloc[0], base.iloc[0])


def test_clipping_is_coherent_and_the_programme_is_nearer():
    _, base, _ = drawn(8)
    base.iloc[-1] = -20.0
    free = reconcile(SHOP, base, "wls_struct")
    assert free.min().min() < 0
    clipped = non_negative(SHOP, free)
    nearest = reconcile_by_library(SHOP, base, "wls_struct", nonnegative=True)
    for one in (clipped, nearest):
        assert is_coherent(SHOP, one) and one.min().min() >= 0
    assert (clipped.iloc[0] >= free.iloc[0]).all()
    inverse = np.linalg.inv(error_weights(SHOP, "wls_struct"))
    start = np.maximum(base.to_numpy(), 0)  # from where the library starts
    far = [
        np.einsum("ih,ij,jh->", gap, inverse, gap) for gap in (start - clipped.to_numpy(), start - nearest.to_numpy())
    ]
    assert far[1] <= far[0] + SOLVER


def test_where_nothing_binds_the_programme_is_mint():
    history, base, _ = drawn(8)
    base = history.iloc[:, -4:] * 3 + base  # far from 0
    free = reconcile(SHOP, base, "wls_struct")
    assert free.min().min() > 0
    np.testing.assert_allclose(reconcile_by_library(SHOP, base, "wls_struct", nonnegative=True), free, rtol=SOLVER)


def test_accuracy_is_utilsforecasts_and_scikit_learns():
    from utilsforecast.losses import mase, rmse

    history, base, _ = drawn(9)
    truth = history.iloc[:, :4].set_axis(base.columns, axis=1)
    found = by_level(SHOP, truth, {"base": base}, history, season=5, tau=0.8)

    def long(frame, name):
        ids = np.repeat(np.arange(len(frame)), frame.shape[1])
        return pd.DataFrame(
            {"unique_id": ids, "ds": np.tile(frame.columns, len(frame)), name: frame.to_numpy().ravel()}
        )

    both = long(truth, "y").assign(base=long(base, "base")["base"])
    theirs = {
        "rmse": rmse(both, ["base"])["base"],
        "mase": partial(mase, seasonality=5)(both, ["base"], train_df=long(history, "y"))["base"],
    }
    for measure, each in theirs.items():
        for level in SHOP.levels:
            assert found.loc[(level, "base"), measure] == pytest.approx(each.to_numpy()[SHOP.at(level)].mean())
        assert found.loc[("overall", "base"), measure] == pytest.approx(each.mean())
    at = SHOP.at("leaf")
    y, p = truth.to_numpy()[at].ravel(), base.to_numpy()[at].ravel()
    assert found.loc[("leaf", "base"), "pinball"] == pytest.approx(mean_pinball_loss(y, p, alpha=0.8))
    assert found.loc[("leaf", "base"), "wape"] == pytest.approx(np.abs(y - p).sum() / y.sum())


def test_a_series_that_never_moved_has_no_mase():
    flat = pd.DataFrame(np.ones((len(SHOP.leaves), 8)))
    flat.iloc[0] = np.arange(8.0)
    history = aggregate(SHOP, flat)
    found = by_level(SHOP, history, {"low": history - 1}, history, season=1)
    assert found.loc[("leaf", "low"), "mase"] == pytest.approx(1.0)


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50)), min_size=1), st.floats(0.01, 0.99))
def test_pinball_is_scikit_learns(pairs, tau):
    y, p = np.array(pairs).T
    assert pinball(y, p, tau).mean() == pytest.approx(mean_pinball_loss(y, p, alpha=tau))


def correlated(rng, times=4_000, correlation=0.7):
    cover = np.full((len(SHOP.leaves),) * 2, correlation) + (1 - correlation) * np.eye(len(SHOP.leaves))
    return rng.multivariate_normal(np.zeros(len(SHOP.leaves)), cover, times).T


@pytest.mark.parametrize("how", HOW)
def test_errors_keep_their_margins_and_those_drawn_together_their_correlation(how):
    rng = np.random.default_rng(11)
    past = np.sinh(correlated(rng))
    found = draw_errors(past, 3_000, 2, rng, how)
    assert found.shape == (3_000, len(SHOP.leaves), 2)
    assert np.isin(found, past).all()
    for leaf in range(len(past)):
        share = (found[:, leaf] <= np.quantile(past[leaf], 0.8)).mean()
        assert abs(share - 0.8) < STANDARD_ERRORS * np.sqrt(0.8 * 0.2 / 6_000)
    rank = pd.DataFrame(found[:, :, 0]).corr("spearman").to_numpy()[0, 1:]
    expected = 0.0 if how == "apart" else 6 / np.pi * np.arcsin(0.7 / 2)
    assert np.abs(rank - expected).max() < STANDARD_ERRORS / np.sqrt(3_000) + 0.02  # 0.02: the past itself is a sample
    over_time = np.corrcoef(found[:, 0, 0], found[:, 0, 1])[0, 1]
    assert abs(over_time) < STANDARD_ERRORS / np.sqrt(3_000)


def test_paths_add_up_and_cover_at_every_level_only_when_drawn_together():
    rng = np.random.default_rng(12)
    horizons = 400
    mean = aggregate(SHOP, pd.DataFrame(np.full((len(SHOP.leaves), horizons), 20.0)))
    residuals = aggregate(SHOP, pd.DataFrame(correlated(rng, 500)))
    truth = mean + SHOP.summing @ correlated(rng, horizons)
    found = {}
    for how in HOW:
        paths = leaf_paths(SHOP, mean, residuals, 300, rng, how)
        assert is_coherent(SHOP, pd.DataFrame(paths[0], SHOP.nodes))
        found[how] = coverage_by_level(SHOP, truth, paths, [0.1, 0.9])
    spread = STANDARD_ERRORS * np.sqrt(0.9 * 0.1 / horizons)  # one total a horizon
    for how in ("together", "copula"):
        assert abs(found[how].loc["total", 0.9] - 0.9) < spread
        assert abs(found[how].loc["total", 0.1] - 0.1) < spread
    assert found["apart"].loc["total", 0.9] < 0.9 - spread
    assert abs(found["apart"].loc["leaf", 0.9] - 0.9) < spread
    assert found["apart"].loc["total", "pinball_0.9"] > found["together"].loc["total", "pinball_0.9"]


def test_no_leaf_falls_below_the_least():
    rng = np.random.default_rng(13)
    mean = aggregate(SHOP, pd.DataFrame(np.ones((len(SHOP.leaves), 2))))
    residuals = aggregate(SHOP, pd.DataFrame(rng.normal(0, 5, (len(SHOP.leaves), 50))))
    paths = leaf_paths(SHOP, mean, residuals, 50, rng)
    assert paths.min() == 0
    np.testing.assert_allclose(paths[:, 0], paths[:, SHOP.bottom].sum(axis=1))
    assert leaf_paths(SHOP, mean, residuals, 50, rng, least=None).min() < 0


@given(seed=st.integers(0, 1_000), how=st.sampled_from(HOW))
def test_reconciled_samples_add_up_and_each_is_mint_of_what_was_drawn(seed, how):
    _, base, residuals = drawn(seed)
    paths = mint_paths(SHOP, base, residuals, 3, np.random.default_rng(seed), how, least=None)
    weights = error_weights(SHOP, "mint_shrink", residuals)
    errors = draw_errors(residuals.to_numpy(), 3, base.shape[1], np.random.default_rng(seed), how)
    for path, error in zip(paths, errors, strict=True):
        np.testing.assert_allclose(path, mint(SHOP.summing, base.to_numpy() + error, weights), atol=LINEAR)
        np.testing.assert_allclose(path, SHOP.summing @ path[SHOP.bottom], atol=LINEAR)


def test_reconciled_samples_leave_coherent_ones_alone_but_for_the_least():
    rng = np.random.default_rng(15)
    mean = aggregate(SHOP, pd.DataFrame(np.full((len(SHOP.leaves), 2), 2.0)))
    residuals = aggregate(SHOP, pd.DataFrame(rng.normal(0, 3, (len(SHOP.leaves), 50))))
    for least in (None, 0.0):
        added, mapped = (
            draw(SHOP, mean, residuals, 20, np.random.default_rng(16), least=least) for draw in (leaf_paths, mint_paths)
        )
        np.testing.assert_allclose(mapped, added, atol=LINEAR)
    assert mapped.min() == 0


def test_a_copulas_correlation_is_of_normal_scores_whatever_the_margins():
    rng = np.random.default_rng(17)
    past = correlated(rng)
    found = copula_correlation(past)
    np.testing.assert_allclose(found, copula_correlation(np.exp(past)), atol=LINEAR)
    np.testing.assert_allclose(np.diag(found), 1)
    apart = found[~np.eye(len(found), dtype=bool)]
    assert np.abs(apart - 0.7).max() < STANDARD_ERRORS * (1 - 0.7**2) / np.sqrt(past.shape[1])


def test_coverage_pinball_is_scikit_learns():
    rng = np.random.default_rng(14)
    truth = aggregate(SHOP, pd.DataFrame(rng.gamma(2, 2, (len(SHOP.leaves), 3))))
    paths = rng.gamma(2, 2, (200, *truth.shape))
    found = coverage_by_level(SHOP, truth, paths, [0.3])
    at = SHOP.at("category")
    quantile = np.quantile(paths, 0.3, axis=0)[at].ravel()
    expected = mean_pinball_loss(truth.to_numpy()[at].ravel(), quantile, alpha=0.3)
    assert found.loc["category", "pinball_0.3"] == pytest.approx(expected)
    assert found.loc["category", "values"] == 9


def test_drawn_counts_have_the_mean_variance_and_correlation_asked_for():
    rng = np.random.default_rng(15)
    n = 40_000
    drawn_counts = draw_counts(4.0, 2.0, 0.5, 3, n, rng)
    variance = 4 + 16 / 2
    assert np.abs(drawn_counts.mean(axis=0) - 4).max() < STANDARD_ERRORS * np.sqrt(variance / n)
    assert np.abs(drawn_counts.var(axis=0) / variance - 1).max() < 0.06  # kurtosis of 6: four standard errors
    apart = draw_counts(4.0, 2.0, 0.0, 3, n, rng)
    assert np.abs(np.corrcoef(apart.T)[0, 1:]).max() < STANDARD_ERRORS / np.sqrt(n)
    assert (np.ptp(draw_counts(4.0, 2.0, 1.0, 3, 100, rng), axis=1) == 0).all()


def test_the_quantile_of_the_sum_is_the_closed_form_where_there_is_one():
    # Independent negative binomials of one k add up to a negative binomial.
    rng = np.random.default_rng(16)
    found = quantiles_do_not_add([0.0, 1.0], rng, mean=4, dispersion=2, leaves=20, tau=0.83)
    exact = nbinom.ppf(0.83, 40, 2 / 6)
    assert abs(found.loc[0.0, "quantile_of_sum"] - exact) <= 1
    assert found.loc[1.0, "ratio"] == 1
    assert found.loc[0.0, "covered"] == pytest.approx(
        nbinom.cdf(found.loc[0.0, "sum_of_quantiles"], 40, 2 / 6), abs=0.002
    )
    assert found.loc[1.0, "covered"] >= 0.83 - STANDARD_ERRORS * np.sqrt(0.83 * 0.17 / 20_000)
    score, spread = norm.ppf(0.83), np.sqrt(4 + 8)
    assert found.loc[0.0, "normal_ratio"] == pytest.approx((80 + 20 * score * spread) / (80 + score * spread * 20**0.5))


def test_the_sum_of_quantiles_is_too_much_for_fast_sellers_and_nothing_for_slow_ones():
    fast = quantiles_do_not_add([0.0, 0.3, 0.6], np.random.default_rng(17), mean=10, tau=0.83)
    assert (fast["ratio"] > 1).all() and fast["ratio"].is_monotonic_decreasing
    slow = quantiles_do_not_add([0.0, 0.3], np.random.default_rng(18), mean=0.1, tau=0.83)
    assert (slow["sum_of_quantiles"] == 0).all() and (slow["quantile_of_sum"] > 0).all()
    assert slow.loc[0.0, "covered"] < 0.83
    sold_nothing = binom.pmf(0, 20, 1 - nbinom.pmf(0, 2, 2 / 2.1))
    assert slow.loc[0.0, "covered"] == pytest.approx(sold_nothing, abs=STANDARD_ERRORS * np.sqrt(0.25 / 20_000))


def said(call):
    with pytest.raises(ContractError) as caught:
        call()
    return str(caught.value)


def test_refusals():
    history, base, residuals = drawn(0)
    rng = np.random.default_rng(0)
    assert said(lambda: reconcile(SHOP, base, "mint")) == (
        "method must be one of ols, wls_struct, wls_var, mint_shrink, got 'mint'; pick one."
    )
    assert said(lambda: reconcile_by_library(SHOP, base)) == (
        "residuals must be given for mint_shrink, got none; pass what was sold less what was fitted, of every node."
    )
    assert said(lambda: shrunk_covariance(residuals.to_numpy()[:, :2])) == (
        "residuals must be finite numbers of every node at 3 times or more, got shape (12, 2); "
        "drop the first times of all nodes."
    )
    assert said(lambda: top_down(SHOP, base, "guess")) == (
        "shares must be one of forecast, average of shares, share of averages, got 'guess'; pick one."
    )
    assert said(lambda: top_down(SHOP, base, SHARES[1])) == (
        "history must be given for shares by 'average of shares', got none; "
        "pass what was sold, aggregated to all nodes."
    )
    assert said(lambda: top_down(SHOP, base * 0)) == (
        "the sum of the leaves' base forecasts must be other than 0, got 0; use other shares or longer periods."
    )
    headless = hierarchy_of(PAIRS.to_frame(index=False), {"region": ["region"], "leaf": ["region", "category"]})
    assert said(lambda: top_down(headless, base.loc[["region", "leaf"]].set_axis(headless.nodes))) == (
        "the first level must be the total, one node, got 'region'; put a level without columns first."
    )
    assert said(lambda: by_level(SHOP, base, {"base": base.iloc[:, :2]}, history, 7)) == (
        "forecasts of 'base' must be 4 columns wide, as the truth, got 2; forecast the same times."
    )
    assert said(lambda: by_level(SHOP, base, {"base": base}, history, 40)) == (
        "history must be longer than a season of 40, got 40 times; pass more of the past."
    )
    assert said(lambda: draw_errors(residuals.to_numpy(), 2, 2, rng, "alone")) == (
        "how must be one of apart, together, copula, got 'alone'; pick one."
    )
    assert said(lambda: draw_errors(residuals.to_numpy()[0], 2, 2, rng, "apart")) == (
        "residuals must be of shape (series, 3 times or more), got shape (40,); pass more of the past."
    )
    assert said(lambda: coverage_by_level(SHOP, base, np.zeros((5, 3, 4)), [0.5])) == (
        "paths must be of shape (samples, 12, 4), got shape (5, 3, 4); use leaf_paths."
    )
    assert said(lambda: draw_counts(0.0, 1.0, 0.0, 2, 2, rng)) == (
        "mean and dispersion must be positive, got 0.0 and 1.0; pass units and k."
    )
    assert said(lambda: draw_counts(1.0, 1.0, -0.2, 2, 2, rng)) == (
        "correlation must be in [0, 1], got -0.2; pass a share of the variance that leaves have in common."
    )
