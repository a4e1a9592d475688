"""The shock: rows of it are found, overrides end when they should, and last year's sales repeat it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.demand import shock
from casebook.demand.features import build
from casebook.demand.overrides import check_override
from casebook.demand.simulate import simulate
from casebook.demand.world import World

WORLD = World(shock_day=406, shock_days=28, shock_size=1.2, censored=False)
SPAN = (406, 434)
PLANNED = {"pantry": 2.0, "household": 2.0, "frozen": 1.5}


@pytest.fixture(scope="module")
def grocer():
    return simulate(WORLD, 4, 42, np.random.default_rng(1), days=504)


@pytest.fixture(scope="module")
def forecast(grocer):
    train, test = range(97, 371, 14), range(384, 490, 7)
    return shock.fit_and_forecast(grocer.tables, train, test, grocer.truth["demand"])


def test_the_span_and_the_sides_are_those_of_the_simulator(grocer):
    """Against the same world without a shock, drawn from the same seeds: which categories move, and on which days."""
    still = simulate(World(shock_day=406, shock_size=0.0, censored=False, promo_share=0.0), 2, 28,
                     np.random.default_rng(1), days=504)  # fmt: skip
    moved = simulate(World(shock_day=406, shock_size=1.2, censored=False, promo_share=0.0), 2, 28,
                     np.random.default_rng(1), days=504)  # fmt: skip
    ratio = moved.truth["mean"] / still.truth["mean"]
    day = moved.tables["sales"]["day"]
    first, end = shock.shock_span(moved.world)
    category = moved.tables["products"]["category"].to_numpy()[moved.tables["sales"]["sku_id"]]
    side = shock.side_of(category)
    inside = (day >= first) & (day < end)
    assert np.allclose(ratio[~inside], 1) and np.allclose(ratio[side == "still"], 1)
    assert (ratio[inside & (side == "up")] > 1.1).all() and (ratio[inside & (side == "down")] < 0.95).all()


def test_rows_that_look_at_the_shock_are_found_by_their_sales(grocer):
    """Twin: change all sales of the shock; rows whose features or target move are the ones that are cleaned."""
    few = {name: table.copy() for name, table in grocer.tables.items()}
    few["cells"] = few["cells"].query("store_id == 0 and sku_id < 12")
    keys = ["store_id", "sku_id", "origin", "horizon"]
    origins = [391, 398, 426, 433, 440, 454, 461, 468]
    one = build(few, origins).sort_values(keys, ignore_index=True)
    inside = few["sales"]["day"].between(SPAN[0], SPAN[1] - 1)
    few["sales"].loc[inside, "sold"] += 50
    other = build(few, origins).sort_values(keys, ignore_index=True)
    moved = ~((one["y"] == other["y"]) | one["y"].isna()) | ~np.isclose(one["mean_28"], other["mean_28"])
    kept = shock.without_shock(one, SPAN)
    assert set(one.index[~moved]) == set(kept.index)


@given(st.integers(60, 130), st.integers(-12, 12), st.integers(1, 12))
def test_a_year_later_exactly_the_orders_over_the_shock_are_flagged(week, after, length):
    origin = 6 + 7 * week
    span = (origin + 4 - 364 + after, origin + 4 - 364 + after + length)
    rows = pd.DataFrame({"origin": [origin], "day": [origin + 4], "year_ago_mean_7": [1.0]})
    found = shock.without_shock(rows, span, drop=False)["year_ago_mean_7"].isna().iloc[0]
    looked = set(range(origin + 4 - 364, origin + 11 - 364)) & set(range(*span))
    assert found == bool(looked)
    assert rows["year_ago_mean_7"].notna().all()  # the input stays


def test_the_feature_looks_where_the_flag_says(grocer):
    """Recovery: year_ago_mean_7 of an order is the mean of the seven days of the order, a year earlier."""
    rows = build(grocer.tables, [454]).query("horizon == 6").iloc[0]
    sales = grocer.tables["sales"].query("store_id == @rows.store_id and sku_id == @rows.sku_id")
    own = sales.loc[sales["day"].between(454 + 4 - 364, 454 + 10 - 364), "sold"]
    assert rows["year_ago_mean_7"] == pytest.approx(own.mean(), rel=1e-6)


def test_the_model_is_blind_first_and_too_high_afterwards(forecast):
    table = shock.by_week(forecast, SPAN)
    up = table["bias"].xs("up", level="side")
    assert up.loc[0] < -0.25  # nothing of the shock was known at its first whole order
    assert up.loc[3] > up.loc[0]  # the lags catch up
    assert up.loc[4:5].max() > 0.15  # and echo
    blind = shock.weeks_blind(table)
    assert 1 <= blind["up"] <= 4


def test_weeks_add_up(forecast):
    table = shock.by_week(forecast, SPAN)
    assert table["units"].sum() == forecast["came"].sum()
    rows = forecast.query("side == 'up' and origin == 405")
    assert table.loc[("up", 0), "bias"] == pytest.approx(rows["mean"].sum() / rows["came"].sum() - 1)
    assert table.loc[("up", 0), "wape"] == pytest.approx((rows["mean"] - rows["came"]).abs().sum() / rows["came"].sum())


def test_plans_are_valid_and_end(grocer, forecast):
    plans = shock.shock_plans(SPAN, PLANNED, noticed=409)
    for plan in plans.values():
        for override in plan:
            check_override(override, grocer.tables, 409)
    changed = {name: shock.overridden(forecast, plan, grocer.tables) for name, plan in plans.items()}
    for name, last in (("short", 419), ("whole", 426), ("forgotten", 489)):
        used = changed[name]["override_id"] != ""
        assert changed[name].loc[used, "origin"].min() == 412  # the first Sunday after it was noticed
        assert changed[name].loc[used, "origin"].max() == last
    inside = changed["whole"]["day"] < SPAN[1]
    assert (changed["whole"]["override_id"] != "")[~inside].sum() == 0


def test_a_forgotten_override_costs_after_the_shock_what_it_multiplies(grocer, forecast):
    plans = shock.shock_plans(SPAN, PLANNED, noticed=409)
    table = shock.plan_table(forecast, plans, grocer.tables, SPAN)
    assert (table.loc[["short", "whole"], "cell_after"] == table.loc["none", "cell_after"]).all()
    assert table.loc["forgotten", "total_after"] > table.loc["none", "total_after"]
    day, error = forecast["day"], (forecast["mean"] - forecast["came"]).abs()
    assert table.loc["none", "cell_during"] == pytest.approx(error[(day >= 406) & (day < 434)].sum())
    late = error[(day >= 406) & (day < 434) & (forecast["origin"] < 408)].sum()
    assert table.loc["whole", "late"] == pytest.approx(late / table.loc["none", "cell_during"])


def test_tracking_reads_the_last_week_only(forecast):
    plan = shock.tracking_plan(forecast, SPAN, 409)
    changed = forecast.assign(came=np.where(forecast["day"] > 412, 999, forecast["came"]))
    first, again = ([one for one in made if one.created_on == 412] for made in
                    (plan, shock.tracking_plan(changed, SPAN, 409)))  # fmt: skip
    assert first == again and len(first) == 5
    rows = forecast.query("category == 'pantry' and 406 <= day <= 412")
    own = next(one for one in first if one.category == "pantry")
    assert own.value == pytest.approx(rows["came"].sum() / rows["mean"].sum())
    assert (own.first_day, own.last_day, own.expires_on) == (416, 422, 413)


def test_last_year_repeats_the_shock():
    world = World(shock_day=406, shock_size=1.2, censored=False)
    history = simulate(world, 2, 28, np.random.default_rng(2), days=826)
    train, test = [398, 426, 496, 580, 699], range(727, 812, 7)
    table = shock.echo_table(history.tables, train, test, history.truth["demand"], SPAN)
    assert table.index.get_level_values("way").unique().tolist() == [
        "nothing", "dropped", "flagged", "both", "last year"
    ]  # fmt: skip
    up = table.xs("up", level="side")
    assert up.loc["last year", "echo"] > 0.4
    assert (up["echo"].drop("last year") < up.loc["last year", "echo"]).all()
    np.testing.assert_allclose(table["echo"], table["bias"] - table["usual"])


def test_refusals(grocer):
    with pytest.raises(ContractError) as e:
        shock.without_shock(pd.DataFrame({"origin": [6], "day": [10], "year_ago_mean_7": [1.0]}), (9, 9))
    assert str(e.value) == "span must be a first day and a later one after it, got 9 and 9; swap the two days."
    with pytest.raises(ContractError) as e:
        shock.fit_and_forecast(grocer.tables, [300], [307], grocer.truth["demand"])
    message = (
        "train, last origin must be 10 days or more before the first test origin, got 300 before a test from 307; "
        "leave it out."
    )
    assert str(e.value) == message
