"""Lift of promotions: the fit equals Poisson regressions, states equal a count by hand, and the truth is recovered."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import PoissonRegressor

from casebook.contracts import ContractError
from casebook.demand import promo_lift as pl
from casebook.demand.simulate import simulate
from casebook.demand.world import World

SOLVER = 1e-3  # relative; two iterative solvers of one convex problem, each with its own stopping rule
NOISE = 0.1  # of a lift near 0.75: the cells it is held against lose a few percent to the promoted ones


@pytest.fixture(scope="module")
def random_weeks():
    history = simulate(World(placement=0.0), 4, 84, np.random.default_rng(3), days=728)
    return history, pl.promotion_states(history.tables)


@pytest.fixture(scope="module")
def best_weeks():
    history = simulate(World(placement=0.6), 4, 84, np.random.default_rng(3), days=728)
    return history, pl.promotion_states(history.tables)


def test_the_fit_is_a_poisson_regression_on_dummies():
    rng = np.random.default_rng(0)
    cell, day, own = rng.integers(0, 6, 900), rng.integers(0, 9, 900), rng.integers(0, 2, 900)
    y = rng.poisson(np.exp(0.3 * cell + 0.1 * day + 0.7 * own))
    fitted = pl.fit_factors(y, {"cell": cell, "day": day, "own": own}, tolerance=1e-9)
    dummies = np.hstack([np.eye(6)[cell], np.eye(9)[day][:, 1:], own[:, None]])
    twin = PoissonRegressor(alpha=0, fit_intercept=False, tol=1e-10, max_iter=10_000).fit(dummies, y)
    assert fitted.levels["own"][1] == pytest.approx(np.exp(twin.coef_[-1]), rel=SOLVER)
    np.testing.assert_allclose(fitted.mean, twin.predict(dummies), rtol=SOLVER)


@given(st.integers(0, 2**32 - 1))
def test_fitted_units_add_up_to_the_observed_of_every_level(seed):
    rng = np.random.default_rng(seed)
    codes = {name: rng.integers(0, 3, 60) for name in "ab"}
    y = rng.poisson(2.0, 60)
    fitted = pl.fit_factors(y, codes, tolerance=1e-9, most=5_000)
    for code in codes.values():
        np.testing.assert_allclose(np.bincount(code, fitted.mean), np.bincount(code, y), rtol=1e-6, atol=1e-6)


def test_states_by_hand():
    frame = pd.DataFrame
    tables = {
        "sales": frame({"store_id": 7, "sku_id": np.repeat([0, 1, 2], 25), "day": np.tile(np.arange(25), 3)}),
        "stores": frame({"store_id": [7], "region": ["east"]}),
        "products": frame({"sku_id": [0, 1, 2], "group_id": [0, 0, 1], "category": "dairy"}),
        "promotions": frame({"sku_id": [0, 0, 1], "region": ["east", "east", "west"],
                             "first_day": [3, 5, 3], "last_day": [6, 7, 9]}),
    }  # fmt: skip
    states = pl.promotion_states(tables)
    first, second, third = (states[tables["sales"]["sku_id"] == sku].reset_index(drop=True) for sku in range(3))
    assert np.flatnonzero(first["own"]).tolist() == [3, 4, 5, 6, 7]
    assert np.flatnonzero(first["after"] == 1).tolist() == list(range(8, 15))
    assert np.flatnonzero(first["after"] == 2).tolist() == list(range(15, 22))
    assert first["after"].isin([0, 1, 2]).all()
    assert not second["own"].any()  # its promotion runs in another region
    assert np.flatnonzero(second["rivals"]).tolist() == [3, 4, 5, 6, 7] and not first["rivals"].any()
    assert np.flatnonzero(third["others"]).tolist() == [3, 4, 5, 6, 7] and not second["others"].any()


def test_at_random_places_no_method_is_far_off(random_weeks):
    history, states = random_weeks
    true, found = pl.true_lift(history.truth, states), pl.estimated_lifts(history.truth["mean"], states)
    assert (found["gross"] - true["gross"]).abs().max() < NOISE
    assert found["net"]["spillovers"] == pytest.approx(true["net"], abs=NOISE)


def test_in_the_best_weeks_the_naive_lift_is_far_off_and_season_is_not(best_weeks):
    history, states = best_weeks
    true, found = pl.true_lift(history.truth, states), pl.estimated_lifts(history.truth["demand"], states)
    assert found["gross"]["naive"] > true["gross"] + 2 * NOISE
    assert abs(found["gross"]["season"] - true["gross"]) < NOISE


def test_net_is_gross_and_its_parts(best_weeks):
    history, states = best_weeks
    true = pl.true_lift(history.truth, states)
    assert sum(true[name] for name in ("gross", "after", "rivals", "others")) == pytest.approx(true["net"], abs=1e-5)
    assert true["net"] < true["gross"] and true["after"] < 0 and true["rivals"] < 0


def test_without_promotions_nothing_is_lifted():
    history = simulate(World.null(), 4, 14, np.random.default_rng(0), days=182)
    states = pl.promotion_states(history.tables)
    assert not states[["own", "rivals", "others", "after"]].to_numpy().any()
    assert pl.margin_of_promotions(history.tables, history.truth)["units_gained"] == 0
    with pytest.raises(ContractError) as e:
        pl.true_lift(history.truth, states)
    message = "states, own must be 1 in some rows that sell, got none; take a world with promotions."
    assert str(e.value) == message


def test_margin_by_hand():
    tables = {
        "sales": pd.DataFrame({"sku_id": [5, 5], "price_cents": [200, 150]}),
        "products": pd.DataFrame({"sku_id": [5], "price_cents": [200], "cost_cents": [100]}),
    }
    truth = pd.DataFrame({"mean": [3.0, 6.0], "base": [4.0, 4.0]})
    assert pl.margin_of_promotions(tables, truth) == {
        "with": 6.0, "without": 8.0, "gained": -2.0, "units_gained": 1.0
    }  # fmt: skip


def test_refusals():
    with pytest.raises(ContractError) as e:
        pl.fit_factors([1.0], {})
    assert str(e.value) == "factors must be at least one, got none; name the cells at least."
    with pytest.raises(ContractError) as e:
        pl.fit_factors([1.0, 2.0], {"cell": [0, -1]})
    assert str(e.value) == "factor 'cell' must be codes from 0 on, got -1; take pandas.factorize."
    rng = np.random.default_rng(0)
    codes = {name: rng.integers(0, 9, 200) for name in "ab"}
    with pytest.raises(ContractError) as e:
        pl.fit_factors(rng.poisson(3, 200), codes, tolerance=1e-12, most=1)
    assert str(e.value).startswith("factors must be told apart within 1 rounds, got a change of ")
    assert str(e.value).endswith("; raise most or drop a factor.")
    tables = {"sales": pd.DataFrame({"store_id": [0], "sku_id": [3], "day": [0]}), "promotions": None,
              "products": pd.DataFrame({"sku_id": [3]})}  # fmt: skip
    with pytest.raises(ContractError) as e:
        pl.promotion_states(tables)
    message = "products, sku_id must be numbered from 0 in the order of rows, got other numbers; recode them."
    assert str(e.value) == message
