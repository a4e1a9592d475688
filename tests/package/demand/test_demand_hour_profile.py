"""The hour of a stock-out: shares by counting, the posterior by brute force, recovery of known demand, refusals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from casebook.contracts import ContractError
from casebook.demand.hour_profile import cell_means, demand_from_hours, learn_prior, learn_profile, share_seen

HOURS = np.arange(8, 22)
SHARES = np.array([1, 2, 3, 4, 4, 3, 2, 2, 3, 5, 6, 5, 3, 1.0]) / 44
EXACT = 1e-12  # sums of a few floats
INTEGRAL = 1e-6  # what scipy's quadrature promises here
SIX_ERRORS = 6  # standard errors: a fixed seed that passes by more than luck

share = st.floats(0, 1)
units = st.integers(0, 60)


def hours(orders, category="dairy", hour=HOURS):
    return pd.DataFrame({"category": category, "hour": hour, "orders": orders})


def days(rng, mean, prior, stock, n):
    """Negative binomial days whose customers come by the profile. A shelf is out when its last unit goes."""
    demand = rng.poisson(rng.gamma(prior, mean / prior, n))
    out = demand >= stock
    when = np.ones(n)
    some = out & (stock > 0)
    when[some] = rng.beta(stock[some], demand[some] - stock[some] + 1)
    when[out & (stock == 0)] = 0
    hour = np.where(out, HOURS[np.minimum(np.searchsorted(np.cumsum(SHARES), when), 13)], 24)
    hour[out & (stock == 0)] = 0
    return demand, np.minimum(demand, stock), hour


@given(st.lists(st.integers(0, 500), min_size=14, max_size=14).filter(lambda o: sum(o) > 0))
def test_a_profile_is_the_share_of_orders_before_each_hour(orders):
    profile = learn_profile(hours(orders))
    direct = [sum(o for h, o in zip(HOURS, orders, strict=True) if h < hour) / sum(orders) for hour in range(25)]
    np.testing.assert_allclose(profile.loc["dairy"], direct, atol=EXACT)
    assert (np.diff(profile.loc["dairy"]) >= 0).all()


def test_order_of_rows_and_split_counts_do_not_matter():
    one = hours(np.arange(14) + 1)
    two = pd.concat([one, hours(np.arange(14)[::-1], "frozen")]).sample(frac=1, random_state=1)
    pd.testing.assert_series_equal(learn_profile(one).loc["dairy"], learn_profile(two).loc["dairy"])
    doubled = learn_profile(pd.concat([one, one]))
    np.testing.assert_allclose(doubled, learn_profile(one), atol=EXACT)


def test_pooling_draws_a_category_of_few_orders_to_the_others():
    table = pd.concat([hours(SHARES * 44_000), hours([1] + [0] * 13, "rare")])
    alone, pooled, all_in = (learn_profile(table, pooled=p).loc["rare", 9] for p in (0, 99, 1e12))
    assert alone == 1
    assert alone > pooled > all_in
    assert pooled == pytest.approx((1 + 99 * (1000 + 1) / 44_001) / 100, abs=EXACT)


def test_the_middle_of_the_hour_is_taken():
    profile = learn_profile(hours(SHARES * 44))
    seen = share_seen(profile, ["dairy"] * 4, [7, 8, 21, 24])
    np.testing.assert_allclose(seen, [0, SHARES[0] / 2, 1 - SHARES[13] / 2, 1], atol=EXACT)


@given(units, st.floats(0.01, 1), st.floats(0.5, 40), st.floats(0.3, 20))
def test_the_estimate_is_the_posterior_mean_of_a_gamma_poisson(sold, seen, mean, prior):
    """Twin: integrate the day's rate out by quadrature, on the scale of its own posterior."""
    posterior = stats.gamma(sold + prior, scale=1 / (seen + prior / mean))

    def weight(rate):
        log_seen = sold * np.log(rate * seen) - rate * seen if rate > 0 else -np.inf
        return np.exp(log_seen + stats.gamma.logpdf(rate, prior, scale=mean / prior) - centre)

    middle, width = posterior.mean(), posterior.std()
    centre = sold * np.log(middle * seen) - middle * seen + stats.gamma.logpdf(middle, prior, scale=mean / prior)
    ends = (posterior.ppf(1e-13), middle + 30 * width)
    options = {"points": [middle], "limit": 200}
    top = integrate.quad(lambda r: r * weight(r), *ends, **options)[0]
    rate = top / integrate.quad(weight, *ends, **options)[0]
    got = demand_from_hours([sold], [seen], mean, prior)[0]
    assert got == pytest.approx(sold + (1 - seen) * rate, rel=1e-3 if prior < 1 and sold == 0 else INTEGRAL * 10)


@given(units, share, st.floats(0, 40), st.floats(0.3, 20))
def test_never_fewer_than_sold_and_more_for_a_higher_mean(sold, seen, mean, prior):
    low, high = demand_from_hours([sold, sold], [seen, seen], [mean, mean + 1], prior)
    assert sold <= low <= high
    assert demand_from_hours([sold], [1.0], mean, prior)[0] == sold
    assert demand_from_hours([0], [0.0], mean, prior)[0] == pytest.approx(mean)


def test_without_a_stock_out_means_are_plain_means():
    rng = np.random.default_rng(0)
    cell, sold = rng.integers(0, 20, 4000), rng.poisson(5, 4000)
    plain = pd.Series(sold).groupby(cell).transform("mean")
    np.testing.assert_allclose(cell_means(sold, np.ones(4000), cell), plain, rtol=EXACT)


def test_means_are_the_maximum_of_the_likelihood():
    """Twin: a grid over the mean of one cell, each day's rate integrated out in closed form."""
    rng = np.random.default_rng(1)
    prior, stock = 2.0, rng.integers(0, 9, 300)
    _, sold, hour = days(rng, 6.0, prior, stock, 300)
    seen = share_seen(learn_profile(hours(SHARES * 44)), ["dairy"] * 300, hour)
    grid = np.linspace(4, 9, 5001)

    def value(mean):
        return (-(sold + prior) * np.log(seen + prior / mean) + prior * np.log(prior / mean)).sum()

    best = grid[int(np.argmax([value(mean) for mean in grid]))]
    assert cell_means(sold, seen, np.zeros(300), prior)[0] == pytest.approx(best, abs=0.001)  # the grid's step


def test_demand_and_prior_are_recovered():
    """Sales as they are miss more than a fifth; a prior three times too large leaves a bias."""
    rng = np.random.default_rng(2)
    n, mean = 60_000, 8.0
    demand, sold, hour = days(rng, mean, 2.0, rng.integers(0, 16, n), n)
    seen, one = share_seen(learn_profile(hours(SHARES * 44)), ["dairy"] * n, hour), np.zeros(n)
    learnt = learn_prior(sold, seen, one)
    assert learnt == pytest.approx(2.0, rel=0.05)  # five standard errors
    gaps = {}
    for prior in (learnt, 6.0):
        estimate = demand_from_hours(sold, seen, cell_means(sold, seen, one, prior), prior)
        gaps[prior] = estimate.mean() - demand.mean()
        error = (estimate - demand).std() / np.sqrt(n)
    assert abs(gaps[learnt]) < SIX_ERRORS * error
    assert gaps[6.0] < -0.05 * mean
    assert sold.mean() < 0.8 * demand.mean()


def test_a_learnt_prior_is_the_dispersion_of_a_library():
    """Without stock-outs and with one cell: statsmodels' negative binomial."""
    discrete = pytest.importorskip("statsmodels.discrete.discrete_model")
    sold = np.random.default_rng(5).negative_binomial(3, 3 / (3 + 7), 5000)
    fit = discrete.NegativeBinomial(sold, np.ones(5000)).fit(disp=0)
    assert learn_prior(sold, np.ones(5000), np.zeros(5000)) == pytest.approx(1 / fit.params[1], rel=0.01)  # xatol


def test_shrinking_is_the_better_guess_of_a_day():
    rng = np.random.default_rng(3)
    n = 20_000
    demand, sold, hour = days(rng, 8.0, 2.0, rng.integers(1, 8, n), n)
    seen = share_seen(learn_profile(hours(SHARES * 44)), ["dairy"] * n, hour)
    out = hour < 24
    shrunk, raw = (demand_from_hours(sold, seen, 8.0, prior) for prior in (2.0, 0.0))
    errors = [np.sqrt(((e - demand)[out] ** 2).mean()) for e in (shrunk, raw)]
    assert errors[0] < 0.8 * errors[1]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: learn_profile(hours([1] * 14).drop(columns="orders")),
            "hours must be a table with a column 'orders', got 'category', 'hour'; "
            "add 'orders' or rename one of yours.",
        ),
        (
            lambda: learn_profile(hours([1], hour=[24])),
            "hours, row 0, hour must be a whole hour from 0 to 23, got 24; give the hour of the day.",
        ),
        (
            lambda: learn_profile(hours([0] * 14)),
            "hours of category 'dairy' must be at least one order, got none; take more days, or leave it out.",
        ),
        (
            lambda: share_seen(learn_profile(hours([1] * 14)), ["frozen"], [9]),
            "category, row 0 must be one of dairy, got 'frozen'; learn its profile first.",
        ),
        (
            lambda: share_seen(learn_profile(hours([1] * 14)), ["dairy"], [25]),
            "stockout_hour, row 0 must be an hour, or 24 for never, got 25; mend the record.",
        ),
        (
            lambda: demand_from_hours([1, 1], [0.5, 40], 3),
            "seen, row 1 must be a share in [0, 1], got 40; divide percentages by 100.",
        ),
        (
            lambda: demand_from_hours([0], [0], 3, prior=0),
            "prior must be above 0 where nothing of a day was seen, got 0; give a small one, such as 0.5.",
        ),
        (lambda: demand_from_hours([-1], [1], 3), "sold, row 0 must be 0 or more, got -1.0; drop the minus sign."),
        (
            lambda: cell_means([1, 2], [1, 1], [0]),
            "cell must be 2 long, got 1 rows; take all arguments from one table.",
        ),
    ],
)
def test_what_is_refused(call, text):
    with pytest.raises(ContractError) as error:
        call()
    assert str(error.value) == text
