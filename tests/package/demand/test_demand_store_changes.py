"""Stores that open or close: the ramp is recovered, weeks add up, closings cost what a count by hand says."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.demand import store_changes as change
from casebook.demand.overrides import apply_overrides
from casebook.demand.simulate import simulate
from casebook.demand.world import World


@pytest.fixture(scope="module")
def grocer():
    history = simulate(World(censored=False), 48, 14, np.random.default_rng(2), days=728)
    return history, change.store_weeks(history.tables, history.truth["mean"])


def made(weeks=40, start=10, shape=None):
    """Return three mature stores and one that opens in a week, growing by a shape."""
    shape = np.minimum((np.arange(weeks) + 1) / 20, 1) if shape is None else shape
    season = 100 + 10 * np.sin(np.arange(weeks))
    units = np.vstack([season, season, season, np.where(np.arange(weeks) < start, np.nan, season * 0.5)])
    units[3, start:] *= shape[: weeks - start]
    age = 7 * np.arange(weeks) + np.array([[900], [900], [900], [-7 * start]])
    return change.StoreWeeks(np.arange(4), units, age.astype(float))


def test_weeks_add_up_to_sales(grocer):
    history, _ = grocer
    sales = history.tables["sales"]
    weeks = change.store_weeks(history.tables, sales["sold"])
    assert weeks.store_id.tolist() == history.tables["stores"]["store_id"].tolist()
    for row in (0, 5):
        own = sales[(sales["store_id"] == row) & sales["day"].between(3 + 7 * 30, 9 + 7 * 30)]
        assert weeks.units[row, 30] == own["sold"].sum()
    closed = history.tables["stores"].query("closed_on < 700")
    for store, day in zip(closed["store_id"], closed["closed_on"].astype(int), strict=True):
        assert np.isnan(weeks.units[store, (day - 3) // 7 :]).all()
        assert np.isfinite(weeks.units[store, (day - 3) // 7 - 1])


def test_the_ramp_is_recovered():
    shape = np.minimum((np.arange(60) + 1) / 20, 1)
    ramp = change.ramp_of_openings(made(60, 10, shape))
    level = made(60, 10, shape).relative()[3, 10:36]
    np.testing.assert_allclose(ramp, level / level[-8:].mean())
    np.testing.assert_allclose(ramp, shape[:26] / shape[18:26].mean())  # it is not mature, so not in the chain


def test_stores_of_the_simulator_grow_after_their_opening(grocer):
    _, weeks = grocer
    ramp = change.ramp_of_openings(weeks)
    assert ramp[:4].mean() < 0.8 and ramp[-8:].mean() == pytest.approx(1)


def test_without_noise_the_trend_is_right_and_the_mean_is_late():
    weeks = made()
    ramp = np.minimum((np.arange(26) + 1) / 20, 1)
    said = change.forecast_openings(weeks, ramp)
    scale = weeks.chain()[said["week"]] / weeks.chain()[said["week"] - 2]
    np.testing.assert_allclose(said["ramp"] * scale, said["came"])
    growing = said["age"] < 20
    assert (said["mean"] * scale < said["came"])[growing].all()
    assert (said["last"] > said["mean"] * 0.99)[growing].all()


def test_only_weeks_known_at_the_origin_are_read():
    weeks = made()
    said = change.forecast_openings(weeks).set_index("week")
    later = weeks.units.copy()
    later[:, 19:] *= np.random.default_rng(0).uniform(0.5, 2, later[:, 19:].shape)
    again = change.forecast_openings(weeks._replace(units=later)).set_index("week")
    rules = ["last", "mean", "ramp", "learned"]
    pd.testing.assert_frame_equal(said.loc[:20, rules], again.loc[:20, rules])  # week 20 knows weeks up to 18
    assert (said.loc[21, rules] != again.loc[21, rules]).any()


def test_a_ramp_is_known_only_when_an_opening_is_over():
    weeks = made(weeks=60)
    assert (change.ramp_of_openings(weeks, 36 - 1) == 1).all()
    np.testing.assert_allclose(change.ramp_of_openings(weeks, 36)[:3], np.array([1, 2, 3]) / 20 / 0.99375, rtol=0.05)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 10))
def test_forecasts_scale_with_the_units(factor):
    weeks = made()
    one, other = (change.forecast_openings(weeks._replace(units=weeks.units * size)) for size in (1.0, factor))
    np.testing.assert_allclose(other[["last", "mean", "ramp"]], factor * one[["last", "mean", "ramp"]])


def closing(closed_on):
    """Return a store that sold four units a day of one product until its closing."""
    sales = pd.DataFrame({"store_id": 1, "sku_id": 0, "day": np.arange(closed_on), "sold": 4, "stock_close": 9})
    products = pd.DataFrame({"sku_id": [0], "cost_cents": [300], "salvage_cents": [100], "review_days": [7]})
    stores = pd.DataFrame({"store_id": [1, 2], "closed_on": [float(closed_on), np.nan]})
    return {"sales": sales, "products": products, "stores": stores}


@pytest.mark.parametrize("closed_on", range(70, 77))
def test_a_closing_costs_what_a_loop_over_mondays_says(closed_on):
    row = change.closing_orders(closing(closed_on), stock=1.0).iloc[0]
    over, forgotten, orders = 0, 0.0, 0
    for sunday in range(6, closed_on + 60, 7):
        recent = sum(4 for day in range(sunday - 27, sunday + 1) if day < closed_on) / 28
        after = sum(day >= closed_on for day in range(sunday + 4, sunday + 11))
        if sunday + 1 < closed_on:
            over += after
            forgotten += after * 4 * 2.0  # blind: at the rate of the last 28 open days
        elif recent > 0:
            orders += 1
            forgotten += after * recent * 2.0
    assert (row["days_over"], row["orders_after"]) == (over, orders)
    assert row["blind_dollars"] == pytest.approx(over * 4 * 2.0)
    assert row["forgotten_dollars"] == pytest.approx(forgotten)
    assert (row["left_units"], row["left_dollars"], row["weekly_share"]) == (9, 18.0, 1.0)


def test_the_override_sets_the_forecast_to_nothing_from_the_closing_on():
    tables = closing(75)
    tables["stores"]["region"], tables["products"]["category"] = "east", "dairy"
    forecast = pd.DataFrame({"store_id": [1, 1, 2], "sku_id": 0, "day": [74, 75, 75], "mean": 4.0, "sd": 2.0})
    overrides = change.closing_overrides(tables["stores"])
    assert apply_overrides(forecast, overrides, tables, 70)["mean"].tolist() == [4.0, 0.0, 4.0]
    assert apply_overrides(forecast, overrides, tables, 46)["mean"].tolist() == [4.0, 4.0, 4.0]  # not told yet


def test_a_model_of_all_stores_speaks_of_one(grocer):
    history, _ = grocer
    few = {name: history.tables[name] for name in history.tables}
    few["cells"] = few["cells"].query("store_id < 12")
    few["sales"] = few["sales"].query("store_id < 12")
    target = history.truth["demand"].to_numpy()[few["sales"].index]
    found = change.model_weeks(few, target, 3, [300, 328, 356], [370, 377], ["days_since_opened"])
    assert found["week"].tolist() == [53, 54]  # the order of day 370 begins on day 374 = 3 + 7 * 53
    units = change.store_weeks(history.tables, history.truth["demand"]).units[3, 53:55]
    np.testing.assert_allclose(found["came"], units)
    np.testing.assert_allclose(found["said"], units, rtol=0.5)


def test_refusals():
    with pytest.raises(ContractError) as e:
        change.forecast_openings(made(start=0)._replace(age=np.full((4, 40), 900.0)))
    message = "tables must be with a store that opens after their first day, got none; take more stores or more years."
    assert str(e.value) == message
