"""The features of the query against a twin that reads the tables anew for every row, and against a changed future."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.demand.feature_spec import COLUMNS, FEATURES, IDS
from casebook.demand.features import build, build_from_parquet
from casebook.demand.origins import HORIZONS, weekly_origins
from tests.package.demand.feature_twin import Twin
from tests.package.demand.tiny import tiny

ROUNDING = 1e-6  # features have four bytes: seven digits
DAYS = 480
ORIGINS = weekly_origins(DAYS - 130, DAYS)
PAST = ("sales", "weather")  # tables whose rows are of a day


@pytest.fixture(scope="module")
def tables():
    return tiny(np.random.default_rng(1), DAYS)


@pytest.fixture(scope="module")
def built(tables):
    return build(tables, ORIGINS)


def same(left, right):
    right = right.astype(left.dtypes)
    pd.testing.assert_frame_equal(left, right, rtol=ROUNDING, atol=ROUNDING)


def with_gaps(tables, rng):
    """Leave out a tenth of the sales, a whole week of a store, and some forecasts: data that came late."""
    sales, told = tables["sales"], tables["weather_forecasts"]
    lost = (rng.random(len(sales)) < 0.1) | ((sales["store_id"] == 10) & (sales["day"] // 7 == (DAYS - 40) // 7))
    return tables | {"sales": sales[~lost], "weather_forecasts": told[rng.random(len(told)) < 0.8]}


def test_query_agrees_with_a_twin_that_reads_the_tables_row_by_row(tables, built):
    few = ORIGINS[::4]
    same(built[built["origin"].isin(few)].reset_index(drop=True), Twin(tables).frame(few))
    same(build(tables, [6, 27]), Twin(tables).frame([6, 27]))  # hardly any past
    moves = built.nunique() > 1
    assert moves.all(), built.columns[~moves]
    assert list(built.columns) == list(COLUMNS) and len(COLUMNS) == len(IDS) + 1 + len(FEATURES) - 1


def test_twin_agrees_where_rows_are_lost_and_at_every_horizon(tables):
    torn, few, horizons = with_gaps(tables, np.random.default_rng(2)), ORIGINS[[-7, -6, -1]], [1, 3, 7, 8, 12]
    torn["calendar"] = tiny(np.random.default_rng(1), DAYS, ahead=21)["calendar"]
    found = build(torn, few, horizons)
    same(found, Twin(torn).frame(few, horizons))
    assert found["mean_7"].isna().sum() > found["mean_28"].isna().sum() > 0


def test_another_column_of_sales_is_the_target_and_moves_nothing_else(tables, built):
    sales = tables["sales"].assign(
        wanted=np.where(tables["sales"]["stocked_out"], np.nan, tables["sales"]["sold"] + 0.25)
    )
    found = build(tables | {"sales": sales}, ORIGINS, target="wanted")
    pd.testing.assert_frame_equal(found.drop(columns="y"), built.drop(columns="y"))
    y = built[["store_id", "sku_id", "day"]].merge(sales[["store_id", "sku_id", "day", "wanted"]], how="left")["wanted"]
    np.testing.assert_array_equal(found["y"], y)
    assert 0.02 < np.isnan(found["y"]).mean() - np.isnan(built["y"]).mean() < 0.2


def changed_future(tables, at, rng):
    """Scramble all that is not known at the close of day ``at``; dates of rows and plans stay."""
    changed = dict(tables)
    for name in PAST:
        later = np.flatnonzero(tables[name]["day"] > at)
        order = np.arange(len(tables[name]))
        order[later] = rng.permutation(later)
        keys = ["store_id", "sku_id", "region", "day"]
        scrambled = tables[name].drop(columns=keys, errors="ignore").iloc[order].reset_index(drop=True)
        changed[name] = pd.concat([tables[name].filter(keys), scrambled], axis=1)
    told, promotions = tables["weather_forecasts"], tables["promotions"]
    changed["weather_forecasts"] = told.assign(temperature_c=told["temperature_c"].where(told["made_on"] <= at, 99.0))
    late = promotions["announced_on"] > at
    skus = np.random.default_rng(9).permutation(promotions["sku_id"])
    changed["promotions"] = promotions.assign(
        sku_id=promotions["sku_id"].mask(late, skus), discount=promotions["discount"].mask(late, 0.5)
    )
    return changed


@pytest.mark.parametrize("at", [ORIGINS[0], ORIGINS[7], ORIGINS[-2]])
def test_another_future_changes_no_feature(tables, built, at):
    changed = changed_future(tables, at, np.random.default_rng(3))
    assert not changed["sales"]["sold"].equals(tables["sales"]["sold"])
    again, before = build(changed, ORIGINS), built["origin"] <= at
    pd.testing.assert_frame_equal(again[before].drop(columns="y"), built[before].drop(columns="y"))
    known = built["day"] <= at
    pd.testing.assert_series_equal(again.loc[known, "y"], built.loc[known, "y"])
    assert not again.loc[~before, "mean_7"].equals(built.loc[~before, "mean_7"])
    assert not again.loc[~known, "y"].equals(built.loc[~known, "y"])


@pytest.mark.parametrize("name", ["sales", "weather", "promotions", "weather_forecasts"])
def test_a_future_that_is_not_there_yet_changes_no_feature(tables, built, name):
    at = int(ORIGINS[9])
    time = {"promotions": "announced_on", "weather_forecasts": "made_on"}.get(name, "day")
    cut = tables | {name: tables[name][tables[name][time] <= at]}
    again, expected = build(cut, [at]), built[built["origin"] == at].reset_index(drop=True)
    pd.testing.assert_frame_equal(again.drop(columns="y"), expected.drop(columns="y"))
    assert again["y"].isna().all() == (name == "sales")


def test_every_part_of_the_past_matters(tables, built):
    at, last = int(ORIGINS[9]), built["origin"] == ORIGINS[9]
    sales, seen = tables["sales"], tables["weather"]
    changed = {
        "sales": sales.assign(sold=sales["sold"] + (sales["day"] == at)),
        "weather": seen.assign(temperature_c=seen["temperature_c"] + (seen["day"] == at + 6 - 364)),
        "promotions": tables["promotions"].assign(announced_on=at + 1),
        "weather_forecasts": tables["weather_forecasts"].assign(temperature_c=5.0),
    }
    moved = {"sales": "mean_7", "weather": "temperature_deviation", "promotions": "days_since_promotion"}
    moved["weather_forecasts"] = "temperature_forecast"
    for name, column in moved.items():
        again = build(tables | {name: changed[name]}, [at])
        assert not np.array_equal(again[column], built.loc[last, column], equal_nan=True), name


def test_order_of_rows_threads_and_other_origins_are_irrelevant_and_inputs_stay(tables, built):
    before = {name: frame.copy() for name, frame in tables.items()}
    shuffled = {name: frame.sample(frac=1, random_state=4) for name, frame in tables.items()}
    pd.testing.assert_frame_equal(build(shuffled, ORIGINS[::-1], list(HORIZONS)[::-1]), built)
    for threads in (1, 4):
        with duckdb.connect(config={"threads": threads}) as connection:
            pd.testing.assert_frame_equal(build(tables, ORIGINS, con=connection), built)
            assert not connection.execute("SHOW TABLES").fetchall()
    some = built["origin"].isin(ORIGINS[3:5]) & built["horizon"].isin([5, 9])
    pd.testing.assert_frame_equal(build(tables, ORIGINS[3:5], [5, 9]), built[some].reset_index(drop=True))
    for name, frame in before.items():
        pd.testing.assert_frame_equal(tables[name], frame)


def test_a_region_alone_has_the_same_features(tables, built):
    north = tables["stores"].query("region == 'north'")["store_id"]
    part = {
        name: frame[frame["store_id"].isin(north)] if "store_id" in frame else frame for name, frame in tables.items()
    }
    expected = built[built["store_id"].isin(north)].reset_index(drop=True)
    pd.testing.assert_frame_equal(build(part, ORIGINS), expected)


def test_weekly_origins_make_every_day_the_target_of_one_row(tables, built):
    sales = tables["sales"]
    rows = sales[sales["day"].between(ORIGINS[0] + 4, ORIGINS[-1] + 10)]
    joined = built.dropna(subset="y").merge(rows, on=["store_id", "sku_id", "day"], how="outer", validate="1:1")
    np.testing.assert_array_equal(joined["y"], joined["sold"])


def test_a_cell_without_a_past_has_a_row_and_missing_features(tables):
    at, cells, sales = int(ORIGINS[9]), tables["cells"], tables["sales"]
    whole = cells["delisted_on"].isna() & (cells["listed_on"] < 0) & (cells["store_id"] == 10)
    store, sku = cells.loc[whole, ["store_id", "sku_id"]].iloc[0]
    here = (cells["store_id"] == store) & (cells["sku_id"] == sku)
    gone = (sales["store_id"] == store) & (sales["sku_id"] == sku) & (sales["day"] < at + 6)
    cells = cells.assign(listed_on=cells["listed_on"].mask(here, at + 6))
    found = build(tables | {"cells": cells, "sales": sales[~gone]}, [at])
    found = found[(found["store_id"] == store) & (found["sku_id"] == sku)]
    assert found["horizon"].tolist() == [6, 7, 8, 9, 10] and found["days_since_listed"].tolist() == [0, 1, 2, 3, 4]
    own = ["last_same_weekday", "lag_14", "mean_7", "mean_28", "mean_91", "std_28", "zero_share_28", "days_since_sale"]
    assert (
        found[own].isna().all(axis=None) and found["category_store_mean_28"].notna().all() and found["y"].notna().all()
    )


def test_null_world_without_promotions_and_other_words_can_be_built(tables):
    products = tables["products"].assign(brand="unheard of", category=tables["products"]["category"].astype(str))
    bare = build(tables | {"promotions": tables["promotions"].iloc[:0], "products": products}, ORIGINS[:2])
    assert (bare[["planned_discount", "planned_promotions", "planned_display"]] == 0).all(axis=None)
    assert bare["days_since_promotion"].isna().all() and (bare["brand_code"] == -1).all()


def test_parquet_in_and_out_gives_the_same_rows(tables, built, tmp_path):
    for name, frame in tables.items():
        if name == "sales":
            (tmp_path / "in" / "sales").mkdir(parents=True)
            for part, rows in frame.groupby(frame["store_id"]):
                rows.to_parquet(tmp_path / "in" / "sales" / f"{part}.parquet")
        else:
            (tmp_path / "in").mkdir(exist_ok=True)
            frame.to_parquet(tmp_path / "in" / f"{name}.parquet")
    out = tmp_path / "it's out" / "features.parquet"
    for _ in range(2):  # the second run replaces the first
        assert build_from_parquet(tmp_path / "in", out, ORIGINS, memory_limit="1GB") == len(built)
    pd.testing.assert_frame_equal(pd.read_parquet(out), built)
    assert [path.name for path in out.parent.iterdir()] == ["features.parquet"]
    (tmp_path / "in" / "weather.parquet").unlink()
    with pytest.raises(ContractError) as refused:
        build_from_parquet(tmp_path / "in", out, ORIGINS)
    assert str(refused.value) == (
        "folder 'in' must be a folder with the table 'weather', got no such file; "
        "write it as weather.parquet or weather/*.parquet."
    )
