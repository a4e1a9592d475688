"""Censored counts against sums, scipy's optimiser and statsmodels; recovery of known effects; what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from casebook.contracts import ContractError
from casebook.demand.count_tails import expected_sales, log_likelihood, survival, tail_moments, truncated_mean
from casebook.demand.tobit import fit_counts, fit_normal

SUMMED = 1e-7  # relative; log gamma of a size of a million leaves nine digits, sums of thousands take one
OPTIMUM = 1e-4  # relative; the twins are general optimisers that stop at about this
FOUR = 4  # standard errors

mean = st.floats(0.05, 60)
dispersion = st.one_of(st.just(0.0), st.floats(1e-4, 3))
bound = st.integers(0, 80)


def masses(mu, alpha, top=6000):
    k = np.arange(top)
    return k, stats.poisson.pmf(k, mu) if alpha == 0 else stats.nbinom.pmf(k, 1 / alpha, 1 / (1 + alpha * mu))


def draw(rng, mu, alpha):
    return rng.poisson(mu if alpha == 0 else mu * rng.gamma(1 / alpha, alpha, np.shape(mu)))


def shop(rng, cells=40, days=300, alpha=0.4, tight=1.2):
    """Cells with their own level, a weekday and a promotion; stock that knows neither."""
    level = np.exp(rng.normal(1.2, 0.6, cells))
    cell, day = np.repeat(np.arange(cells), days), np.tile(np.arange(days), cells)
    x = pd.DataFrame({"saturday": (day % 7 == 5) * 1.0, "promotion": (rng.random(len(day)) < 0.1) * 1.0})
    mu = level[cell] * np.exp(x.to_numpy() @ [0.5, 0.8])
    demand, stock = draw(rng, mu, alpha), rng.poisson(tight * level[cell])
    return demand, np.minimum(demand, stock), demand >= stock, cell, x, mu


@given(mean, bound, dispersion)
def test_tail_moments_are_sums_over_the_tail(mu, at_least, alpha):
    k, p = masses(mu, alpha)
    tail = k >= at_least
    if p[tail].sum() < 1e-200 or p[-1] > 1e-14:
        return
    first = (k * p)[tail].sum() / p[tail].sum()
    second = ((k - first) ** 2 * p)[tail].sum() / p[tail].sum()
    got, variance = tail_moments(np.array([mu]), np.array([float(at_least)]), alpha)
    assert survival(mu, at_least, alpha) == pytest.approx(p[tail].sum(), rel=1e-7)
    assert got[0] == pytest.approx(first, rel=1e-7)
    assert variance[0] == pytest.approx(second, rel=1e-4, abs=1e-6)  # a difference of squares


@given(mean, bound, dispersion)
def test_expected_sales_are_a_sum(mu, stock, alpha):
    k, p = masses(mu, alpha)
    if p[-1] > 1e-14:
        return
    assert expected_sales(mu, stock, alpha) == pytest.approx((np.minimum(k, stock) * p).sum(), rel=1e-7, abs=1e-9)


@given(mean, st.floats(0, 400), st.floats(0, 3))
def test_a_truncated_mean_is_above_both_and_rises_with_both(mu, at_least, alpha):
    here, higher, busier = truncated_mean([mu, mu, mu + 1], [at_least, at_least + 1, at_least], alpha)
    assert here >= max(mu, at_least)
    assert higher >= here * (1 - SUMMED)
    assert busier >= here * (1 - SUMMED)


@pytest.mark.parametrize("alpha", [1e-300, 1e-7, 1e-6, 1e-5])
def test_small_dispersions_meet_the_poisson(alpha):
    np.testing.assert_allclose(
        truncated_mean([3, 3, 9], [0, 7, 9], alpha), truncated_mean([3, 3, 9], [0, 7, 9], 0), 2e-4
    )


def test_far_out_the_tail_is_geometric_and_finite():
    got = truncated_mean([1.0, 1.0], [5000, 300], 0.0)
    assert got[0] == pytest.approx(5000 + 1 / 5000, abs=1e-3)
    assert got[1] == pytest.approx(300 + 1 / 300, abs=1e-3)


def test_log_likelihood_is_the_sum_of_the_parts():
    mu, sold, out = np.array([3.0, 5.0, 8.0]), np.array([2.0, 4.0, 6.0]), np.array([False, True, False])
    law = [stats.nbinom(2, 2 / (2 + m)) for m in mu]
    direct = law[0].logpmf(2) + law[1].logsf(3) + law[2].logpmf(6)
    assert log_likelihood(mu, sold, out, 0.5) == pytest.approx(direct, rel=SUMMED)


@pytest.mark.parametrize("seed", [0, 1])
def test_uncensored_counts_are_the_library_s(seed):
    discrete = pytest.importorskip("statsmodels.discrete.discrete_model")
    demand, _, _, cell, x, _ = shop(np.random.default_rng(seed), cells=3, days=400)
    fit = fit_counts(demand, np.zeros(len(demand), bool), cell, x, prior_days=0)
    design = np.column_stack([x - x.mean(), np.eye(3)[cell]])
    twin = discrete.NegativeBinomial(demand, design).fit(disp=0, method="bfgs", maxiter=500, gtol=1e-8)
    np.testing.assert_allclose([*fit.effects, *fit.cells], twin.params[:-1], atol=OPTIMUM)
    assert fit.dispersion == pytest.approx(twin.params[-1], rel=1e-3)
    assert fit.log_likelihood == pytest.approx(twin.llf, rel=1e-8)
    np.testing.assert_allclose(fit.errors, twin.bse[:2], rtol=0.05)  # theirs counts the dispersion as estimated
    np.testing.assert_array_equal(fit.expected, demand)


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_without_censoring_and_covariates_means_are_means(alpha):
    rng = np.random.default_rng(2)
    cell, demand = rng.integers(0, 30, 3000), rng.poisson(4, 3000)
    fit = fit_counts(demand, np.zeros(3000, bool), cell, dispersion=alpha, prior_days=0)
    np.testing.assert_allclose(fit.mean, pd.Series(demand).groupby(cell).transform("mean"), rtol=OPTIMUM)


@pytest.mark.parametrize("seed", range(4))
def test_censored_counts_are_at_the_optimum_of_scipy(seed):
    """Twin: the log likelihood written with scipy's distributions, all parameters at once, no derivatives given."""
    _, sold, out, cell, x, _ = shop(np.random.default_rng(seed), cells=2, days=250)
    centred = (x - x.mean()).to_numpy()

    def loss(p):
        mu, alpha = np.exp(p[:2][cell] + centred @ p[2:4]), np.exp(p[4])
        law = stats.nbinom(1 / alpha, 1 / (1 + alpha * mu))
        return -np.where(out, law.logsf(sold - 1), law.logpmf(sold)).sum()

    twin = optimize.minimize(loss, [1, 1, 0, 0, -1], method="BFGS", options={"gtol": 1e-4})
    fit = fit_counts(sold, out, cell, x, prior_days=0)
    np.testing.assert_allclose([*fit.cells, *fit.effects, np.log(fit.dispersion)], twin.x, atol=2e-3)
    assert -fit.log_likelihood <= twin.fun + 1e-4


def test_effects_and_demand_are_recovered():
    rng = np.random.default_rng(3)
    demand, sold, out, cell, x, mu = shop(rng)
    fit = fit_counts(sold, out, cell, x)
    assert out.mean() > 0.4
    assert (np.abs(fit.effects - [0.5, 0.8]) < FOUR * fit.errors).all()
    assert fit.dispersion == pytest.approx(0.4, rel=0.1)
    assert fit.mean.sum() == pytest.approx(mu.sum(), rel=0.02)
    assert fit.expected.sum() == pytest.approx(demand.sum(), rel=0.02)
    assert sold.sum() < 0.75 * demand.sum()
    naive = fit_counts(sold, np.zeros(len(sold), bool), cell, x)
    assert naive.effects["promotion"] < 0.8 - 20 * naive.errors["promotion"]  # stock cuts the promotion's lift


def test_intervals_cover():
    """A hundred small shops: the 95% interval of the lift must cover in 88 to 100 of them (binomial, 3 sigma)."""
    hits = 0
    for seed in range(100):
        _, sold, out, cell, x, _ = shop(np.random.default_rng(seed), cells=6, days=150)
        fit = fit_counts(sold, out, cell, x, dispersion=0.4)
        hits += abs(fit.effects["promotion"] - 0.8) < 1.96 * fit.errors["promotion"]
    assert 88 <= hits <= 100


def test_rows_may_come_in_any_order():
    _, sold, out, cell, x, _ = shop(np.random.default_rng(4), cells=5, days=60)
    order = np.random.default_rng(0).permutation(len(sold))
    one, two = fit_counts(sold, out, cell, x), fit_counts(sold[order], out[order], cell[order], x.iloc[order])
    np.testing.assert_allclose(one.mean[order], two.mean, rtol=1e-5)
    np.testing.assert_allclose(one.expected[order], two.expected, rtol=1e-5)
    np.testing.assert_allclose(one.cells[two.cells.index], two.cells, rtol=1e-4)


def test_a_cell_without_a_whole_day_is_held_by_the_prior_days():
    rng = np.random.default_rng(5)
    sold = np.append(rng.poisson(5, 600), np.full(60, 3))
    out, cell = np.arange(660) >= 600, np.append(np.repeat(range(10), 60), np.full(60, 10))
    fit = fit_counts(sold, out, cell, dispersion=0)
    assert 3 < fit.mean[-1] < 20
    assert np.isfinite(fit.expected).all()


def test_wrong_flags_bias_it_in_the_direction_of_the_error():
    demand, sold, out, cell, x, _ = shop(np.random.default_rng(6))
    rng = np.random.default_rng(7)
    right = fit_counts(sold, out, cell, x).expected.sum() / demand.sum()
    missed = fit_counts(sold, out & (rng.random(len(out)) > 0.3), cell, x).expected.sum() / demand.sum()
    invented = fit_counts(sold, out | (rng.random(len(out)) < 0.3), cell, x).expected.sum() / demand.sum()
    assert missed < right - 0.05
    assert invented > right + 0.05


@pytest.mark.parametrize("seed", range(3))
def test_the_normal_tobit_is_at_the_optimum_of_scipy(seed):
    rng = np.random.default_rng(seed)
    x = pd.DataFrame({"a": rng.normal(size=400), "b": rng.random(400) < 0.3}).astype(float)
    demand = 20 + x.to_numpy() @ [3, -2] + rng.normal(0, 4, 400)
    stock = rng.normal(21, 5, 400)
    sold, out = np.minimum(demand, stock), demand >= stock

    def loss(p):
        middle, sigma = p[0] + x.to_numpy() @ p[1:3], np.exp(p[3])
        return -np.where(out, stats.norm.logsf(sold, middle, sigma), stats.norm.logpdf(sold, middle, sigma)).sum()

    twin = optimize.minimize(loss, [20, 0, 0, 1], method="BFGS", options={"gtol": 1e-4})
    fit = fit_normal(sold, out, x)
    np.testing.assert_allclose([*fit.effects, np.log(fit.sigma)], twin.x, atol=1e-3)
    assert fit.log_likelihood == pytest.approx(-twin.fun, rel=1e-7)
    upper = stats.truncnorm.mean((sold - fit.mean) / fit.sigma, np.inf, fit.mean, fit.sigma)
    np.testing.assert_allclose(fit.expected[out], upper[out], rtol=1e-6)


def test_the_normal_tobit_without_censoring_is_least_squares():
    rng = np.random.default_rng(8)
    x = pd.DataFrame({"a": rng.normal(size=300)})
    y = 30 + 2 * x["a"].to_numpy() + rng.normal(0, 3, 300)
    fit = fit_normal(y, np.zeros(300, bool), x)
    slope, intercept = np.polyfit(x["a"], y, 1)
    np.testing.assert_allclose(fit.effects, [intercept, slope], rtol=OPTIMUM)
    assert fit.sigma == pytest.approx((y - np.polyval([slope, intercept], x["a"])).std(), rel=OPTIMUM)


def test_the_normal_is_the_wrong_law_for_slow_sellers():
    rng = np.random.default_rng(9)
    demand = draw(rng, np.full(20_000, 1.5), 1.0)
    stock = rng.integers(0, 5, 20_000)
    sold, out = np.minimum(demand, stock), demand >= stock
    counts = fit_counts(sold, out, np.zeros(20_000), prior_days=0).mean.mean()
    normal = fit_normal(sold, out).mean.mean()
    assert counts == pytest.approx(1.5, rel=0.05)
    assert abs(normal - 1.5) > 3 * abs(counts - 1.5)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: fit_counts([1, -2], [False, True], [0, 0]),
            "sold, row 1 must be 0 or more, got -2.0; drop the minus sign.",
        ),
        (
            lambda: fit_counts([1, 2], [False], [0, 0]),
            "stocked_out must be 2 long, got 1 rows; take all arguments from one table.",
        ),
        (
            lambda: fit_counts([1, 2], [False, True], [0, 0], pd.DataFrame({"sunday": [1.0, 1.0]})),
            "covariate 'sunday' must be finite and not constant, got a gap or one value; fill it in or leave it out.",
        ),
        (
            lambda: fit_counts([1, 2], [False, True], ["a", "b"], prior_days=0),
            "cell b must be a cell with a day on which it did not run out, got none; "
            "set prior_days above 0, or leave the cell out.",
        ),
        (
            lambda: fit_counts([1, 2, 3], [False] * 3, [0] * 3, pd.DataFrame({"a": [0, 1, 2], "b": [4, 2, 0]})),
            "covariates must be 2 that differ, got 1; the others are sums of these; leave one out.",
        ),
        (lambda: truncated_mean([-1], [2], 0.1), "mean, row 0 must be 0 or more, got -1.0; drop the minus sign."),
    ],
)
def test_what_is_refused(call, text):
    with pytest.raises(ContractError) as error:
        call()
    assert str(error.value) == text
