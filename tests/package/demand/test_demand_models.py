"""v1 and the mean: against linear programming, empirical quantiles and known distributions; and no leaks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, QuantileRegressor

from casebook.contracts import ContractError
from casebook.decisions.fractile import pinball_loss
from casebook.demand import models
from casebook.demand.model_inputs import Inputs
from casebook.demand.models import BoostedMean, BoostedQuantiles
from tests.package.demand.frames import frame

SAME = 1e-9  # the same sums in another order
FLOAT32 = 2e-6  # LightGBM keeps targets and gradients in four bytes
LEAF = 0.35  # units: 400 rows a group, so a group's quantile is known to about one place in the order
QUICK = {"trees": 40, "leaves": 7, "least": 20}


def test_each_leaf_is_the_quantile_of_linear_programming():
    rng = np.random.default_rng(2)
    group = np.repeat([0, 1, 2], 400)
    y = rng.gamma(2, 3, 1_200) + 5 * group
    X = pd.DataFrame({"group": group, "horizon": 4})
    ours = BoostedQuantiles([0.5, 0.9], trees=150, leaves=4, least=50, rate=0.2).fit(X, y).predict(X)
    dummies = pd.get_dummies(pd.Series(group)).to_numpy(dtype=float)
    for tau in (0.5, 0.9):
        twin = QuantileRegressor(quantile=tau, alpha=0, fit_intercept=False, solver="highs").fit(dummies, y)
        loss, best = (np.mean(pinball_loss(y, q, tau)) for q in (ours[tau].to_numpy(), twin.predict(dummies)))
        assert best <= loss + SAME and loss <= best * 1.002  # the program's is the least there is
        assert np.abs(ours[tau].to_numpy() - twin.predict(dummies)).max() < LEAF


def test_v1_beats_the_constant_and_orders_its_taus():
    X, later = frame(0), frame(1, start=140)
    taus = [0.1, 0.5, 0.9]
    found = BoostedQuantiles(taus, **QUICK).fit(X, X["y"]).predict(later)
    assert list(found) == taus and (found.index == later.index).all() and (found.to_numpy() >= 0).all()
    for tau in taus:
        flat = np.quantile(X["y"], tau)
        assert np.mean(pinball_loss(later["y"], found[tau], tau)) < np.mean(pinball_loss(later["y"], flat, tau))
    assert found[0.1].mean() < found[0.5].mean() < found[0.9].mean()


def test_true_quantiles_are_recovered_from_many_rows():
    rng = np.random.default_rng(3)
    mean = np.repeat([2.0, 6.0, 20.0], 4_000)
    X = pd.DataFrame({"mean_28": mean, "horizon": 4})
    found = BoostedQuantiles([0.5, 10 / 12, 0.95], trees=80, leaves=4).fit(X, rng.poisson(mean)).predict(X)
    truth = np.column_stack([stats.poisson.ppf(tau, mean) for tau in found])
    # a count's sample quantile misses by a unit where the distribution function is near tau
    assert np.abs(found.to_numpy() - truth).max() <= 1.0
    assert np.abs(found.to_numpy() - truth).mean() < 0.3


def test_the_answer_the_day_and_the_origin_are_not_read():
    X = frame(0)
    model = BoostedQuantiles([0.5], **QUICK).fit(X, X["y"])
    rng = np.random.default_rng(9)
    shuffled = X.assign(y=rng.permutation(X["y"]), day=rng.permutation(X["day"]), origin=rng.permutation(X["origin"]))
    pd.testing.assert_frame_equal(model.predict(shuffled), model.predict(X))
    assert "y" not in model.inputs_.columns and "horizon" in model.inputs_.columns
    refit = BoostedQuantiles([0.5], **QUICK).fit(shuffled, X["y"])
    pd.testing.assert_frame_equal(refit.predict(X), model.predict(X))


def test_two_fits_are_one_and_rows_do_not_depend_on_their_neighbours(monkeypatch):
    X = frame(0)
    model = BoostedQuantiles([0.5, 0.9], **QUICK)
    first = model.fit(X, X["y"]).predict(X)
    pd.testing.assert_frame_equal(clone(model).fit(X, X["y"]).predict(X), first)
    pd.testing.assert_frame_equal(model.predict(X.iloc[100:110]), first.iloc[100:110])
    monkeypatch.setattr(models, "BLOCK", 97)
    pd.testing.assert_frame_equal(model.predict(X), first)
    other = clone(model).set_params(seed=1).fit(X, X["y"]).predict(X)
    assert not other.equals(first)


def test_taus_share_their_bins_and_stay_what_each_alone_would_be():
    X = frame(0)
    both = BoostedQuantiles([0.5, 0.9], **QUICK).fit(X, X["y"]).predict(X)
    alone = BoostedQuantiles([0.9], **QUICK).fit(X, X["y"]).predict(X)
    np.testing.assert_array_equal(both[0.9], alone[0.9])
    assert list(BoostedQuantiles([0.5, 10 / 12], **QUICK).fit(X, X["y"]).predict(X, [0.8333333])) == [0.8333333]


def test_scaled_targets_scale_the_forecast():
    X = frame(0)
    one = BoostedQuantiles([0.8], **QUICK).fit(X, X["y"]).predict(X)
    four = BoostedQuantiles([0.8], **QUICK).fit(X, 4 * X["y"]).predict(X)
    np.testing.assert_allclose(four, 4 * one, rtol=FLOAT32, atol=1e-5)


def test_ids_are_read_as_asked_and_words_keep_their_codes():
    X = frame(0).assign(brand=pd.Categorical(["own", "premium"] * 1_680), shop=["b", "a"] * 1_680)
    by = {way: Inputs.of(X, way) for way in ("category", "code", "none")}
    names = {way: {inputs.columns[place] for place in inputs.categorical_positions} for way, inputs in by.items()}
    words = {"category_code", "brand", "shop"}
    assert names == {"category": words | {"store_id", "sku_id"}, "code": words, "none": words}
    assert "sku_id" in by["code"].columns and "sku_id" not in by["none"].columns
    later = X.iloc[:3].assign(
        brand=pd.Categorical(["premium", "new", "own"], categories=["premium", "own", "new"]),
        shop=["a", None, "b"],
        sku_id=[7, 99, 0],
    )
    matrix = pd.DataFrame(by["category"].matrix(later), columns=by["category"].columns)
    np.testing.assert_array_equal(matrix["brand"], [1, np.nan, 0])
    np.testing.assert_array_equal(matrix["shop"], [0, np.nan, 1])
    np.testing.assert_array_equal(matrix["sku_id"], [7, np.nan, 0])


def test_a_new_sku_is_forecast_by_its_features():
    X = frame(0)
    model = BoostedQuantiles([0.5], **QUICK).fit(X, X["y"])
    new = X.assign(sku_id=999)
    found = model.predict(new)[0.5]
    assert np.isfinite(found).all() and np.corrcoef(found, new["mean_28"])[0, 1] > 0.8


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(6)), st.integers(0, 999))
def test_names_of_categories_do_not_matter(names, seed):
    rng = np.random.default_rng(seed)
    sku = rng.integers(0, 6, 600)
    y = rng.poisson(1 + 3 * sku)
    X = pd.DataFrame({"sku_id": sku, "horizon": 4})
    renamed = X.assign(sku_id=np.array(names)[sku])
    one, two = (BoostedMean("regression", trees=5, least=5).fit(rows, y).mean(rows) for rows in (X, renamed))
    np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("objective", ["poisson", "regression", "tweedie"])
def test_every_objective_aims_at_the_mean(objective):
    rng = np.random.default_rng(4)
    group = np.repeat([0, 1, 2], 3_000)
    y = rng.negative_binomial(1, 1 / (1 + 2 + 3 * group))
    X = pd.DataFrame({"group": group, "horizon": 4})
    found = BoostedMean(objective, trees=150, leaves=4).fit(X, y).mean(X)
    twin = LinearRegression(fit_intercept=False).fit(pd.get_dummies(pd.Series(group)), y).coef_
    np.testing.assert_allclose(found.to_numpy()[[0, 3_000, 6_000]], twin, rtol=0.02)


def test_the_mean_says_the_same_at_every_tau_unless_it_is_given_a_spread():
    X = frame(0)
    taus = [0.3, 0.5, 0.95]
    point = BoostedMean(**QUICK).fit(X, X["y"])
    found = point.predict(X, taus)
    assert all((found[tau] == point.mean(X)).all() for tau in taus)
    poisson = BoostedMean(spread="poisson", **QUICK).fit(X, X["y"])
    np.testing.assert_array_equal(poisson.predict(X, taus)[0.95], stats.poisson.ppf(0.95, poisson.mean(X)))


def test_the_dispersion_is_recovered_and_widens_the_quantiles():
    rng = np.random.default_rng(5)
    mean = np.repeat([3.0, 12.0], 6_000)
    y = rng.negative_binomial(1 / 0.5, 1 / (1 + 0.5 * mean))  # variance mean + 0.5 mean ** 2
    X = pd.DataFrame({"mean_28": mean, "horizon": 4})
    wide = BoostedMean(spread="negative_binomial", trees=60, leaves=4).fit(X, y)
    assert wide.dispersion_ == pytest.approx(0.5, rel=0.1)
    narrow = BoostedMean(spread="poisson", trees=60, leaves=4).fit(X, y)
    assert (wide.predict(X, [0.95])[0.95] > narrow.predict(X, [0.95])[0.95]).all()
    assert np.mean(y <= wide.predict(X, [0.95])[0.95]) == pytest.approx(0.95, abs=0.015)
    assert np.mean(y <= narrow.predict(X, [0.95])[0.95]) < 0.88


X0 = frame(0, weeks=3)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: BoostedQuantiles([0.5, 83]).fit(X0, X0["y"]),
            "taus must be between 0 and 1, got 83; divide percentages by 100.",
        ),
        (
            lambda: BoostedQuantiles([0.9, 0.5]).fit(X0, X0["y"]),
            "taus must be rising, got 0.9, 0.5; sort them and drop what is twice there.",
        ),
        (
            lambda: BoostedQuantiles([]).fit(X0, X0["y"]),
            "taus must be at least one level, got none; 0.5 is the median.",
        ),
        (
            lambda: BoostedQuantiles([0.5], trees=0).fit(X0, X0["y"]),
            "trees must be 1 or more, got 0; a few hundred are a start.",
        ),
        (
            lambda: BoostedQuantiles([0.5], ids="words").fit(X0, X0["y"]),
            "ids must be one of 'category', 'code', 'none', got 'words'; correct the word.",
        ),
        (
            lambda: BoostedQuantiles([0.5]).fit(X0[["day", "y"]], X0["y"]),
            "X must be a table with a column to learn from, got none; add features, or leave fewer out.",
        ),
        (
            lambda: BoostedQuantiles([0.5]).fit(X0, X0["y"][:-1]),
            "y must be 504 long, got 503 rows; take all arguments from one table.",
        ),
        (
            lambda: BoostedQuantiles([0.5], **QUICK).fit(X0, X0["y"]).predict(X0, [0.9]),
            "taus must be at tau 0.9, got 0.5; fit it or call at_fractile.",
        ),
        (
            lambda: BoostedMean("mse").fit(X0, X0["y"]),
            "objective must be one of 'poisson', 'tweedie', 'regression', got 'mse'; correct the name.",
        ),
        (
            lambda: BoostedMean(spread="normal").fit(X0, X0["y"]),
            "spread must be one of 'point', 'poisson', 'negative_binomial', got 'normal'; correct the name.",
        ),
        (
            lambda: BoostedMean().fit(X0, 0 * X0["y"]),
            "y must be a column with a sale in it, got zeros only; take more rows.",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, text):
    with pytest.raises(ContractError) as refused:
        call()
    assert str(refused.value) == text


def test_refusals_whose_text_depends_on_the_table():
    few = X0[["horizon", "mean_28"]]
    with pytest.raises(ContractError) as refused:
        BoostedQuantiles([0.5], **QUICK).fit(few, X0["y"]).predict(few[["horizon"]])
    assert str(refused.value) == (
        "X must be a table with a column 'mean_28', got 'horizon'; add 'mean_28' or rename one of yours."
    )
    with pytest.raises(ContractError) as refused:
        BoostedQuantiles([0.5]).fit(X0, np.where(np.arange(504) == 3, -2.0, 1.0))
    assert str(refused.value) == "y, row 3 must be 0 or more, got -2.0; drop the minus sign."
    with pytest.raises(ContractError) as refused:
        Inputs.of(X0[["horizon"]].assign(date=pd.Timedelta(days=1).to_pytimedelta()).astype({"date": "m8[ns]"}))
    assert str(refused.value) == (
        "X, column 'date' must be numbers, bools, text or categories, got timedelta64[ns]; "
        "drop it or turn it into a number."
    )
