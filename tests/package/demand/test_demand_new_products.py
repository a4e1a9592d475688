"""New products: the prior is recovered, updating equals numerical integration, and nothing is read before its day."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import minimize

from casebook.contracts import ContractError
from casebook.demand import new_products as new
from casebook.demand.simulate import simulate
from casebook.demand.world import World

GRID = 1e-4  # relative error of a trapezoid over 20,000 points of a smooth density
SEARCH = 5e-3  # relative; two searches stop at their own tolerances on a flat top
DRAWS = 0.1  # relative standard error of a shape from 3,000 gamma draws is about 0.03


@pytest.fixture(scope="module")
def grocer():
    history = simulate(World(censored=False), 6, 84, np.random.default_rng(4), days=546)
    return history, new.find_launches(history.tables)


def test_the_prior_is_that_of_a_negative_binomial_likelihood():
    rng = np.random.default_rng(1)
    exposure = rng.uniform(1, 30, 3_000)
    units = rng.poisson(rng.gamma(1.7, 0.8 / 1.7, 3_000) * exposure)

    def loss(log):
        shape, mean = np.exp(log)
        return -stats.nbinom.logpmf(units, shape, shape / (shape + mean * exposure)).sum()

    twin = np.exp(minimize(loss, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-6}).x)
    found = new.fit_gamma(units, exposure)
    assert (found.shape, found.mean) == pytest.approx(tuple(twin), rel=SEARCH)
    assert (found.shape, found.mean) == pytest.approx((1.7, 0.8), rel=DRAWS)


def test_equal_rates_have_no_spread():
    rng = np.random.default_rng(0)
    assert new.fit_gamma(rng.poisson(20, 500), np.ones(500)).shape > 100


@settings(max_examples=40, deadline=None)
@given(st.floats(0.3, 20), st.floats(0.1, 5), st.integers(0, 60), st.floats(0.1, 40))
def test_updating_equals_integration(shape, mean, units, exposure):
    found = new.posterior(shape, mean, units, exposure)
    middle, spread = float(found.mean), np.sqrt(float(found.shape)) / (shape / mean + exposure)
    rate = np.linspace(max(middle - 12 * spread, 0), middle + 40 * spread, 20_001)[1:]
    log = stats.gamma.logpdf(rate, shape, scale=mean / shape) + stats.poisson.logpmf(units, rate * exposure)
    weight = np.exp(log - log.max())
    if float(found.shape) > 1:  # below, the density has a pole at 0 that a grid does not integrate
        assert float(found.mean) == pytest.approx((rate * weight).sum() / weight.sum(), rel=10 * GRID)
    own = units / exposure
    assert float(found.mean) == pytest.approx(float(found.weight) * mean + (1 - float(found.weight)) * own)


def test_a_prior_without_sales_is_the_prior_and_much_sales_are_their_rate():
    none, much = (new.posterior(2.0, 1.5, 3 * size, size) for size in (0, 1e9))
    assert (float(none.mean), float(none.weight)) == (1.5, 1.0)
    assert float(much.mean) == pytest.approx(3.0) and float(much.weight) < 1e-8


def test_quantiles_are_those_of_a_gamma_mixture_of_poissons(grocer):
    _, launches = grocer
    said = new.forecast_launches(launches, 0.8)
    own = said.query("method == 'nothing' and mean > 0")
    np.testing.assert_array_equal(own["quantile"], stats.poisson.ppf(0.8, own["mean"]))
    prior = new.NewProductPrior().fit(launches.shelves[launches.cells["sku_id"].iloc[0]])
    shape = prior.predict(launches.cells.iloc[:1])["shape"].iloc[0]
    row = said.query("method == 'category' and place == 0 and week == 5").iloc[0]
    drawn = np.random.default_rng(0).gamma(shape, row["mean"] / shape, 400_000)
    units = np.random.default_rng(1).poisson(drawn)
    assert (units <= row["quantile"]).mean() >= 0.799 and (units < row["quantile"]).mean() <= 0.801


def test_nothing_after_the_origin_is_read(grocer):
    history, launches = grocer
    sku, origin = int(launches.cells["sku_id"].iloc[0]), int(launches.cells["listed_on"].iloc[0]) - 4
    later = history.tables["sales"].copy()
    after = (later["day"] > origin).to_numpy()
    later.loc[after, "sold"] = np.random.default_rng(0).permutation(later.loc[after, "sold"].to_numpy())
    shuffled = new.find_launches({**history.tables, "sales": later})
    pd.testing.assert_frame_equal(shuffled.shelves[sku], launches.shelves[sku])
    first, again = (new.forecast_launches(one).query("week == 0 and place == 0") for one in (launches, shuffled))
    pd.testing.assert_frame_equal(first, again)


def test_week_by_week_only_the_days_before_the_origin_count(grocer):
    _, launches = grocer
    cut = new.Launches(launches.cells, launches.sold.copy(), launches.seen, launches.shelves)
    cut.sold[:, 11:] = 0  # known at the origin of week 2: days 0 to 10
    kept = launches.cells["listed_on"].min() + 91  # launches before any other was over, which therefore have no ramp
    early = np.flatnonzero(launches.cells["listed_on"] < kept)
    ours, theirs = (new.forecast_launches(one) for one in (launches, cut))
    known = ours["place"].isin(early) & (ours["week"] <= 2)
    np.testing.assert_array_equal(ours.loc[known, "mean"], theirs.loc[known, "mean"])
    assert not np.array_equal(ours.loc[ours["week"] == 3, "mean"], theirs.loc[ours["week"] == 3, "mean"])


def test_a_ramp_is_learned_from_launches_that_are_over(grocer):
    _, launches = grocer
    assert (new.ramp_at(launches, 0) == 1).all()
    ramp = new.ramp_at(launches, 10_000)
    assert len(ramp) == 91 and ramp[-28:].mean() == pytest.approx(1, rel=1e-9)
    assert 0.15 < ramp[0] < 0.45  # a fifth on the first day, growing to all within eight weeks


def test_a_shelf_leaves_the_cell_itself_out():
    rows = pd.DataFrame({"store_id": 0, "sku_id": [0, 1, 2], "units": [10.0, 20, 60], "days": 10.0})
    tables = {
        "products": pd.DataFrame({"sku_id": [0, 1, 2], "category": "dairy", "group_id": [0, 0, 1],
                                  "price_cents": [100, 200, 400], "brand": "own"}),
        "stores": pd.DataFrame({"store_id": [0], "size_m2": [900.0], "income": [1.0]}),
    }  # fmt: skip
    found = new.beside(rows, rows, tables)
    assert found["shelf"].tolist() == [4.0, 3.5, 1.5]
    np.testing.assert_allclose(found["group_ratio"], np.log([2.1 / 4.1, 1.1 / 3.6, 1.0]))
    np.testing.assert_allclose(found["price_ratio"], np.log([0.5, 1, 2]))


def test_a_category_with_few_rows_gets_the_prior_of_all(grocer):
    _, launches = grocer
    shelf = next(iter(launches.shelves.values()))
    rare = shelf.assign(category=np.where(np.arange(len(shelf)) < 3, "rare", shelf["category"]))
    prior = new.NewProductPrior().fit(rare)
    asked = prior.predict(rare.iloc[:1])
    assert (asked["shape"].iloc[0], asked["mean"].iloc[0]) == (prior.all_.shape, prior.all_.mean)


def test_known_sales_help_and_the_weight_falls(grocer):
    history, launches = grocer
    wanted = new.by_day(launches.cells, history.tables["sales"], history.truth["demand"])
    np.testing.assert_array_equal(wanted, launches.sold)  # nothing is cut off in this world
    table = new.launch_table(launches, new.forecast_launches(launches), wanted)
    weight = table["weight"].xs("shrunk", level="method")
    assert weight.iloc[0] == 1 and (np.diff(weight) < 0).all()
    wape = table["wape"].unstack("method")
    assert wape.loc[0, "nothing"] == 1 and (wape.loc[0, "shrunk"] == wape.loc[0, "category"])
    assert (wape["shrunk"].loc[2:] < wape["category"].loc[2:]).all()


def test_refusals(grocer):
    history, _ = grocer
    with pytest.raises(ContractError) as e:
        new.fit_gamma([1, 2], [1.0, 0.0])
    assert str(e.value) == "exposure must be above 0 in every row, got 0; leave such rows out."
    short = {**history.tables, "sales": history.tables["sales"].query("day < 100")}
    with pytest.raises(ContractError) as e:
        new.find_launches(short)
    message = (
        "tables must be with a product launched 13 weeks before their end, got none; take longer or larger tables."
    )
    assert str(e.value) == message
