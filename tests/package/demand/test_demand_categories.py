"""LightGBM's first split against all partitions, its order for a quantile, and encodings that see no later day."""

from itertools import combinations

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold
from sklearn.preprocessing import TargetEncoder

from casebook.contracts import ContractError
from casebook.demand.categories import (
    UNSMOOTHED,
    best_cut,
    cut_at,
    first_splits,
    gradient_order,
    lightgbm_cut,
    out_of_fold,
)
from casebook.demand.models import BoostedQuantiles
from casebook.demand.target_encoding import TimeEncoded, TimeTargetEncoder
from tests.package.demand.frames import frame

SAME = 1e-9  # the same sums in another order
FLOAT32 = 1e-4  # relative: LightGBM sums gradients of four bytes, and near ties may go either way
QUICK = {"trees": 30, "leaves": 7, "least": 20}


def drawn(seed, k=6, n=400):
    rng = np.random.default_rng(seed)
    category = np.concatenate([np.arange(k), rng.integers(0, k, n)])
    return category, rng.poisson(rng.permutation(np.arange(k)) * 1.5 + 0.5)[category] + rng.poisson(2, n + k)


# ---------------------------------------------------------------- splits


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 9_999), st.integers(2, 7))
def test_fishers_cut_is_the_best_of_all_partitions(seed, k):
    rng = np.random.default_rng(seed)
    category, y = np.concatenate([np.arange(k), rng.integers(0, k, 60)]), rng.gamma(1, 5, 60 + k)
    sides = [side for size in range(1, k) for side in combinations(range(k), size)]
    assert best_cut(category, y).loss == pytest.approx(min(cut_at(category, y, side).loss for side in sides), rel=SAME)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 9_999), st.integers(5, 9))
def test_lightgbm_unsmoothed_finds_it(seed, k):
    category, y = drawn(seed, k)
    found = lightgbm_cut(category, category, y, True, **UNSMOOTHED)
    assert found.loss == pytest.approx(best_cut(category, y).loss, rel=FLOAT32)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 9_999), st.permutations(range(6)))
def test_renaming_changes_the_split_of_codes_and_not_that_of_categories(seed, names):
    category, y = drawn(seed)
    renamed = np.array(names)[category]
    one, two = (lightgbm_cut(part, category, y, True, **UNSMOOTHED) for part in (category, renamed))
    assert one.loss == pytest.approx(two.loss, rel=FLOAT32)
    code = lightgbm_cut(renamed, category, y, False)
    assert code.loss >= one.loss * (1 - FLOAT32)


def test_codes_cut_by_rank_and_need_more_splits():
    sku = np.repeat(np.arange(6), 200)
    y = np.tile([0, 2], 600) + np.repeat([1, 9, 2, 8, 0, 9], 200)
    table = first_splits(sku, y)
    assert table["low"]["best partition"] == table["low"]["category, unsmoothed"] == (0, 2, 4)
    assert table["low"]["target encoding"] == (0, 2, 4)
    assert table["loss"]["integer codes"] > 5 * table["loss"]["best partition"]


def test_for_a_quantile_the_order_is_of_shares_above_and_not_of_means():
    """Category 0 has the higher mean through a few large days; more of category 1's days lie above the median."""
    category = np.repeat([0, 1], 1_000)
    y = np.concatenate([np.where(np.arange(1_000) % 5 == 0, 100.0, 1.0), np.linspace(10, 11, 1_000)])
    assert gradient_order(category, y).index.tolist() == [1, 0]
    assert gradient_order(category, y, tau=0.5).index.tolist() == [0, 1]


@pytest.mark.parametrize("tau", [0.3, 0.5, 0.8])
def test_lightgbms_quantile_split_is_the_best_cut_of_that_order(tau):
    category, y = drawn(3, 7, 4_000)
    y = y + np.random.default_rng(0).random(len(y))  # no ties at the quantile
    settings_ = {"objective": "quantile", "alpha": tau, "num_leaves": 2, "learning_rate": 1.0, "num_threads": 1}
    known = {**settings_, **UNSMOOTHED, "min_data_in_leaf": 1, "verbosity": -1}
    data = lightgbm.Dataset(category[:, None].astype(float), y, categorical_feature=[0], params=known)
    leaf = lightgbm.train(known, data, 1).predict(np.arange(7)[:, None])
    order = gradient_order(category, y, tau)
    pull = np.where(y > np.quantile(y, tau), tau, tau - 1)
    gains = []
    for size in range(1, 7):
        inside = np.isin(category, order.index[:size])
        gains.append(sum(pull[side].sum() ** 2 / side.sum() for side in (inside, ~inside)))
    best = set(order.index[: int(np.argmax(gains)) + 1])
    assert set(np.flatnonzero(leaf == leaf.min())) == best


def test_lightgbm_leaves_a_rare_category_with_the_others():
    """With fewer rows than cat_smooth (10 by default) it is not sorted at all, however far off it is."""

    def far_off(rows):
        category = np.concatenate([np.repeat(np.arange(6), rows), np.full(8, 6)])
        y = np.concatenate([np.repeat([5.0, 6, 5, 6, 5, 6], rows), np.full(8, 500.0)])
        smoothed = lightgbm_cut(category, category, y, True, min_data_per_group=1)
        return best_cut(category, y).low, smoothed.low, lightgbm_cut(category, category, y, True, **UNSMOOTHED).low

    apart = (0, 1, 2, 3, 4, 5)
    best, smoothed, plain = far_off(rows=50)
    assert best == plain == apart and smoothed != apart
    best, smoothed, plain = far_off(rows=300)  # 8 of 1808 rows: the last hundredth of rows gets no bin of its own
    assert best == apart and plain != apart and smoothed != apart


# ---------------------------------------------------------------- encodings


def test_out_of_fold_is_scikit_learns_and_in_sample_leaks_noise():
    rng = np.random.default_rng(0)
    category, y = rng.integers(0, 300, 1_500), rng.normal(size=1_500)
    folds = KFold(5, shuffle=True, random_state=0)
    found = out_of_fold(category, y, folds)
    train, test = next(folds.split(y))
    twin = TargetEncoder(target_type="continuous").fit(category[train, None], y[train]).transform(category[test, None])
    np.testing.assert_allclose(found[test], twin[:, 0])
    inside = TargetEncoder(target_type="continuous", smooth=0.0).fit(category[:, None], y).transform(category[:, None])
    assert np.corrcoef(inside[:, 0], y)[0, 1] > 0.3 and abs(np.corrcoef(found, y)[0, 1]) < 0.15


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 999), st.sampled_from([0.5, 5.0, 50.0]))
def test_by_time_it_is_scikit_learns_on_the_days_that_were_known(seed, prior):
    X = frame(seed, weeks=8)
    found = TimeTargetEncoder(["sku_id", "store_id"], prior).fit(X, X["y"]).transform(X)
    for origin in (13, 34, 55):
        known, asked = X[X["day"] <= origin], X[X["origin"] == origin]
        if known.empty:
            continue
        twin = TargetEncoder(target_type="continuous", smooth=prior).fit(known[["sku_id", "store_id"]], known["y"])
        np.testing.assert_allclose(found.loc[asked.index], twin.transform(asked[["sku_id", "store_id"]]), rtol=1e-9)


def test_by_time_no_later_day_counts_and_later_rows_know_more():
    X = frame(0)
    encoder = TimeTargetEncoder(["sku_id"], prior=2.0)
    at = 76
    torn = X["y"] + 50 * (X["day"] > at)
    one, two = (encoder.fit(X, y).transform(X)["sku_id_mean"] for y in (X["y"], torn))
    early = (X["origin"] <= at).to_numpy()
    np.testing.assert_array_equal(one[early], two[early])
    assert (two[~early] > one[~early]).all()
    assert one[X["origin"] == 6].isna().all() and one[X["origin"] >= 13].notna().all()


def test_new_categories_get_the_mean_of_all_and_later_origins_all_of_the_fit():
    X = frame(0)
    encoder = TimeTargetEncoder(["sku_id"], prior=2.0).fit(X, X["y"])
    later = X.iloc[:2].assign(origin=9_999, sku_id=[0, 77])
    rows = X[X["sku_id"] == 0]["y"]
    mean = X["y"].mean()
    want = [(rows.sum() + 2 * mean) / (len(rows) + 2), mean]
    np.testing.assert_allclose(encoder.transform(later)["sku_id_mean"], want)


def test_an_encoded_model_reads_the_means_and_not_the_ids():
    X = frame(0)
    model = TimeEncoded(BoostedQuantiles([0.5], ids="none", **QUICK)).fit(X, X["y"])
    columns = model.model_.inputs_.columns
    assert {"store_id_mean", "sku_id_mean"} <= set(columns) and not {"store_id", "sku_id"} & set(columns)
    found = model.predict(X, [0.5])[0.5]
    assert np.corrcoef(found, X["mean_28"])[0, 1] > 0.9


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: best_cut(["a", "a"], [1, 2]),
            "category must be of two values or more, got one; a single category cannot be split.",
        ),
        (
            lambda: best_cut(["a"], [1, 2]),
            "category must be 2 long, got 1 rows; take all arguments from one table.",
        ),
        (
            lambda: lightgbm_cut([0, 1] * 50, [0, 1] * 50, [3] * 100, True),
            "y must be different between the categories, got no split; take more rows, or less smoothing.",
        ),
        (
            lambda: TimeTargetEncoder(["sku_id"], prior=0).fit(frame(), frame()["y"]),
            "prior must be above 0, got 0; 20 rows is a start.",
        ),
        (
            lambda: TimeTargetEncoder(["sku"]).fit(frame()[["sku_id", "day"]], frame()["y"]),
            "X must be a table with a column 'sku', got 'sku_id', 'day'; rename 'sku_id' to 'sku'.",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, text):
    with pytest.raises(ContractError) as refused:
        call()
    assert str(refused.value) == text
