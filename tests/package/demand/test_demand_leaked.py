"""The planted leaks against a twin that reads row by row, and against a future that is not there yet."""

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.demand.feature_spec import FEATURES
from casebook.demand.features import build
from casebook.demand.leaked import IN_PLACE_OF, LEAKS, add_leaks, swap_leaks
from casebook.demand.origins import weekly_origins
from tests.package.demand.tiny import tiny

ROUNDING = 1e-6  # columns have four bytes: seven digits
DAYS = 200
ORIGINS = weekly_origins(60, DAYS)
COLUMNS = [name for columns in LEAKS.values() for name in columns]


@pytest.fixture(scope="module")
def tables():
    return tiny(np.random.default_rng(5), DAYS)


@pytest.fixture(scope="module")
def features(tables):
    return build(tables, ORIGINS)


@pytest.fixture(scope="module")
def leaked(features, tables):
    return add_leaks(features, tables)


def twin(row, tables):
    sales, seen, ran = tables["sales"], tables["weather"], tables["promotions"]
    cell = sales[(sales["store_id"] == row.store_id) & (sales["sku_id"] == row.sku_id)].set_index("day")["sold"]
    region = tables["stores"].set_index("store_id").loc[row.store_id, "region"]
    here = ran[(ran["sku_id"] == row.sku_id) & (ran["region"] == region)]
    running = here[(here["first_day"] <= row.day) & (here["last_day"] >= row.day)]
    weather = seen.loc[(seen["region"] == region) & (seen["day"] == row.day), "temperature_c"]
    windows = {width: cell[(cell.index >= row.day - width) & (cell.index < row.day)] for width in (7, 28)}
    return {
        "leaked_lag_7": cell.get(row.day - 7, np.nan),
        "leaked_mean_7": windows[7].mean(),
        "leaked_mean_28": windows[28].mean(),
        "leaked_std_28": windows[28].std(),
        "leaked_temperature": weather.iloc[0] if len(weather) else np.nan,
        "leaked_discount": 1 - (1 - running["discount"]).prod(),
        "leaked_promotions": len(running),
        "leaked_display": running["display"].any(),
    }


def test_leaks_agree_with_a_twin_row_by_row(leaked, tables):
    some = leaked.sample(400, random_state=1)
    expected = pd.DataFrame([twin(row, tables) for row in some.itertuples()], index=some.index)
    pd.testing.assert_frame_equal(some[COLUMNS], expected.astype(np.float32), rtol=ROUNDING, atol=ROUNDING)
    assert (leaked[COLUMNS].nunique() > 1).all()


def test_features_stay_as_they_were_and_come_first(leaked, features, tables):
    pd.testing.assert_frame_equal(leaked[features.columns], features)
    assert list(leaked.columns) == [*features.columns, *COLUMNS]
    order = features.sample(frac=1, random_state=2)
    shuffled = {name: frame.sample(frac=1, random_state=3) for name, frame in tables.items()}
    again = add_leaks(order, shuffled).sort_index()
    pd.testing.assert_frame_equal(again, leaked)


def test_every_leak_reads_a_future_that_is_not_there_yet(features, leaked, tables):
    at = int(ORIGINS[10])
    time = {"promotions": "announced_on"}
    known = tables | {
        name: tables[name][tables[name][time.get(name, "day")] <= at] for name in ("sales", "weather", "promotions")
    }
    rows = features["origin"] == at
    in_service = add_leaks(features[rows], known)
    for name in COLUMNS:
        assert not np.array_equal(in_service[name], leaked.loc[rows, name], equal_nan=True), name
    near = leaked.loc[rows & (features["horizon"] <= 7), ["leaked_lag_7", "last_same_weekday"]]
    np.testing.assert_array_equal(near["leaked_lag_7"], near["last_same_weekday"])  # legal up to horizon 7
    far = in_service["horizon"] > 7
    assert in_service.loc[far, "leaked_lag_7"].isna().all() and leaked.loc[rows, "leaked_lag_7"].notna().any()
    assert in_service["leaked_temperature"].isna().all()


def test_leaks_move_with_the_future_and_features_do_not(features, leaked, tables):
    at = int(ORIGINS[10])
    sales, seen, ran = tables["sales"], tables["weather"], tables["promotions"]
    later = {
        "sales": sales.assign(sold=sales["sold"] + 3 * (sales["day"] > at)),
        "weather": seen.assign(temperature_c=seen["temperature_c"] + 9.0 * (seen["day"] > at)),
        "promotions": ran.assign(discount=ran["discount"].mask(ran["announced_on"] > at, 0.6)),
    }
    rows = features["origin"] == at
    again = add_leaks(build(tables | later, [at]), tables | later)
    kept = [name for name in features.columns if name != "y"]
    pd.testing.assert_frame_equal(again[kept], features.loc[rows, kept].reset_index(drop=True))
    for name in ("leaked_lag_7", "leaked_mean_7", "leaked_std_28", "leaked_temperature", "leaked_discount"):
        assert not np.array_equal(again[name], leaked.loc[rows, name], equal_nan=True), name


def test_swapping_leaves_the_honest_columns_out(leaked):
    swapped = swap_leaks(leaked)
    gone = {name for names in IN_PLACE_OF.values() for name in names}
    assert set(leaked.columns) - set(swapped.columns) == gone <= set(FEATURES)
    assert set(LEAKS) == set(IN_PLACE_OF)


def test_a_table_without_promotions_leaks_none(features, tables):
    bare = add_leaks(features, tables | {"promotions": tables["promotions"].iloc[:0]}, ("promotions",))
    assert (bare[list(LEAKS["promotions"])] == 0).all(axis=None)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda features, tables: add_leaks(features, tables, ("price",)),
         "leaks must be some of 'lag', 'rolling', 'weather', 'promotions', got 'price'; take some of these."),
        (lambda features, tables: add_leaks(features, {"stores": tables["stores"]}, ("lag",)),
         "tables must be a mapping with a table 'sales', got 'stores'; add 'sales'."),
        (lambda features, tables: add_leaks(features.assign(store_id=999), tables, ("weather",)),
         "features, column 'store_id' must be of a store in table 'stores', got 999; add the store."),
        (lambda features, tables: add_leaks(features.iloc[:0], tables),
         "features must be a table with at least one row, got no rows; check the filter or the join that made it."),
    ],
)  # fmt: skip
def test_what_cannot_be_leaked_is_refused(features, tables, call, message):
    with pytest.raises(ContractError) as refused:
        call(features, tables)
    assert str(refused.value) == message
