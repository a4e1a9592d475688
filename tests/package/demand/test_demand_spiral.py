"""The spiral against a plain loop and its resting point; the null world; where the fractile stops it; refusals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.demand.spiral import WAYS, resting_order, run_spiral, spiral_by_level

YEAR = 52


def draw(seed, mean=20.0, dispersion=0.2, cells=300, weeks=8 + 2 * YEAR):
    rng = np.random.default_rng(seed)
    rates = rng.gamma(1 / dispersion, dispersion, (cells, weeks)) if dispersion else np.ones((cells, weeks))
    return rng.poisson(mean * rates)


def by_hand(row, window, tau, drop):
    """One cell, in Python's own numbers."""
    believed, orders, level = [float(v) for v in row[:window]], [], float(np.mean(row[:window]))
    for asked in row[window:]:
        known = [v for v in believed[-window:] if v is not None]
        if known:
            level = float(np.mean(known) if tau is None else np.quantile(known, tau))
        order = float(np.ceil(level - 1e-9))
        orders.append(order)
        sold_out = asked >= order
        believed.append((None if drop else order) if sold_out else float(asked))
    return orders


@pytest.mark.parametrize("tau", [None, 0.5, 0.83, 1.0])
@pytest.mark.parametrize("way", ["as is", "drop"])
def test_the_loop_is_the_plain_loop(way, tau):
    demand = draw(1, cells=20, weeks=60)
    twin = np.mean([by_hand(row, 5, tau, way == "drop") for row in demand], axis=0)
    np.testing.assert_allclose(run_spiral(demand, way, window=5, tau=tau)["order"], twin)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("tau", [None, 0.8])
def test_the_null_world_has_no_spiral(way, tau):
    """Nothing is cut off: every way is the truth's, to the bit, and orders do not drift."""
    demand = draw(2)
    got = run_spiral(demand, way, tau=tau, unlimited=True, rng=np.random.default_rng(0))
    truth = run_spiral(demand, "truth", tau=tau, unlimited=True)
    pd.testing.assert_frame_equal(got, truth)
    assert (got["service"] == 1).all() and (got["sold_out"] == 0).all()
    assert got["order"].tail(YEAR).mean() == pytest.approx(got["order"].head(YEAR).mean(), rel=0.02)


@given(st.integers(0, 1000), st.integers(1, 9), st.sampled_from([None, 0.3, 0.8, 1.0]))
def test_sales_never_exceed_order_or_demand(seed, window, tau):
    demand = draw(seed, mean=4.0, cells=1, weeks=40)
    table = run_spiral(demand, "as is", window=window, tau=tau)
    assert (table["sales"] <= table[["order", "demand"]].min(axis=1)).all()


@given(st.integers(0, 1000), st.integers(1, 9))
def test_an_order_never_exceeds_the_window_s_highest_sales(seed, window):
    """Why it only turns one way: sales cannot show demand above the order."""
    demand = draw(seed, mean=6.0, cells=1, weeks=60)
    order = run_spiral(demand, "as is", window=window, tau=1.0)["order"].to_numpy()
    assert (np.diff(order[window - 1 :]) <= 0).all()


def test_low_forecasts_make_low_sales_and_dropping_makes_it_worse():
    demand = draw(3)
    end = {way: run_spiral(demand, way).tail(13) for way in WAYS}
    assert end["truth"]["order"].mean() == pytest.approx(20.5, abs=0.3)
    assert end["as is"]["order"].mean() < 0.5 * end["truth"]["order"].mean()
    assert end["drop"]["order"].mean() < 0.5 * end["as is"]["order"].mean()
    assert end["tobit"]["order"].mean() == pytest.approx(end["truth"]["order"].mean(), rel=0.05)


@pytest.mark.parametrize("dispersion", [0.0, 0.2])
def test_a_long_window_comes_to_rest_where_the_closed_form_says(dispersion):
    """From above: a window of a year has not forgotten the first weeks quite, nor does it see the limit's mean."""
    demand = draw(4, dispersion=dispersion, cells=200, weeks=YEAR * 40)
    end = run_spiral(demand, "as is", window=YEAR).tail(13)["order"].mean()
    assert resting_order(20, dispersion)[0] == pytest.approx(end, abs=2.5)


@pytest.mark.parametrize("tau", [None, 0.6, 0.9])
def test_the_resting_order_repeats_itself(tau):
    """Twin: the map with a mean over a million drawn weeks; at rest the next order is the same, and it is below."""
    from scipy import stats

    rest = resting_order(20, 0.2, tau)[0]
    sold = np.minimum(draw(5, cells=1, weeks=1_000_000)[0], rest).mean()
    following = np.ceil(sold) if tau is None else stats.nbinom.ppf(tau, 5, 1 / (1 + 0.2 * sold))
    assert following == rest
    assert rest < (20 if tau is None else stats.nbinom.ppf(tau, 5, 1 / 5))


def test_a_high_fractile_stops_the_spiral_if_the_spread_is_known():
    kept = spiral_by_level(draw(6), [0.5, 0.7, 0.95], np.random.default_rng(0), ways=["as is"], fitted=True)
    kept = kept["order_kept"].xs("as is", level="way")
    assert kept.is_monotonic_increasing
    assert kept[0.5] < 0.35
    assert kept[0.95] > 0.95


def test_a_high_fractile_of_the_sales_themselves_does_not_stop_it():
    """Eight weeks of sales hold no spread above the order: at every fractile a third of the order goes."""
    table = spiral_by_level(draw(7), [0.5, 0.83, 0.95], np.random.default_rng(0))
    kept = table["order_kept"].unstack("way")
    assert (kept["as is"] < 0.7).all()
    assert (kept["drop"] < kept["as is"]).all()
    assert (kept["tobit"] > 0.95).all()
    assert table["service"].xs("as is", level="way").is_monotonic_increasing


def test_case_packs_hold_slow_sellers():
    """Rounding up to a case of twelve leaves a slow seller with more than it can sell: nothing is cut off."""
    demand = draw(8, mean=2.0)
    single, case = (run_spiral(demand, "as is", case_pack=pack).tail(13) for pack in (1, 12))
    assert case["service"].mean() > 0.99
    assert single["service"].mean() < 0.7


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda d: run_spiral(d, "magic"),
            "way must be one of as is, drop, tobit, truth, got 'magic'; choose one of these.",
        ),
        (
            lambda d: run_spiral(d - 30, "as is"),
            "demand must be whole units, 0 or more, in cells by weeks, got other numbers; round it, fill the gaps.",
        ),
        (
            lambda d: run_spiral(d, "as is", window=112),
            "window must be from 1 to 111 weeks, got 112; take fewer, or give more weeks.",
        ),
        (
            lambda d: run_spiral(d, "as is", tau=95),
            "tau must be above 0 and at most 1, got 95; divide percentages by 100.",
        ),
        (
            lambda d: run_spiral(d, "as is", fitted=True),
            "tau must be below 1 where the quantile is fitted, got None; give a level such as 0.9.",
        ),
        (
            lambda d: run_spiral(d, "tobit", tau=0.9),
            "rng must be given for the way 'tobit' with a tau, got None; pass rng=numpy.random.default_rng(0).",
        ),
        (
            lambda d: run_spiral(d, "as is", case_pack=0),
            "case_pack must be 1 or more units, got 0; take 1 for single units.",
        ),
    ],
)
def test_what_is_refused(call, text):
    with pytest.raises(ContractError) as error:
        call(draw(0, cells=2))
    assert str(error.value) == text
