"""The pinball loss is least at the quantile: on a grid, by hand, and by LightGBM."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_pinball_loss

from casebook.demand.pinball_demo import demonstration, lightgbm_constant, loss_curve, minimiser

SAME = 1e-9  # the same sums in another order


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=60), st.floats(0.02, 0.98))
def test_the_minimiser_is_the_quantile(y, tau):
    best = minimiser(y, tau)
    grid = np.linspace(-1, 31, 321)  # finer than the values, so that it could find a better point
    assert loss_curve(y, tau, [best])[0] <= loss_curve(y, tau, grid).min() + SAME
    below, at_most = np.mean(np.array(y) < best), np.mean(np.array(y) <= best)
    assert below <= tau + SAME and at_most >= tau - SAME


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 9_999), st.sampled_from([0.1, 0.5, 5 / 7, 10 / 12, 0.95]), st.integers(5, 80))
def test_lightgbms_constant_is_the_empirical_quantile_to_one_place(seed, tau, n):
    y = np.sort(np.random.default_rng(seed).normal(20, 5, n))
    place = int(np.ceil(n * tau)) - 1
    low, high = y[max(place - 1, 0)], y[min(place + 1, n - 1)]
    assert low - 1e-4 <= lightgbm_constant(y, tau) <= high + 1e-4


def test_lightgbms_constant_for_squared_error_is_the_mean():
    y = np.random.default_rng(0).poisson(3, 500)
    assert lightgbm_constant(y, None) == pytest.approx(y.mean(), abs=1e-4)


def test_the_demonstration_on_counts_has_one_answer_in_three_ways():
    y = np.random.default_rng(1).poisson(6, 5_000)
    table = demonstration(y, [0.5, 10 / 12, 0.95])
    assert (table["quantile"] == table["minimiser"]).all() and (table["quantile"] == table["lightgbm"]).all()
    assert (table["loss"] <= table["loss_mean"]).all() and table["loss"].iloc[1:].lt(table["loss_mean"].iloc[1:]).all()
    for tau, row in table.iterrows():
        assert row["loss"] == pytest.approx(mean_pinball_loss(y, np.full(5_000, row["minimiser"]), alpha=tau))
