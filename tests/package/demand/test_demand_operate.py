"""The weekly job: what it writes against the same by hand, killed anywhere, run twice, and what it refuses."""

import json

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.demand.fallbacks import CATEGORY_MEAN, LAST_ORDER, LAST_WEEK, MODEL
from casebook.demand.operate import Settings, weekly_job
from casebook.demand.overrides import Override
from casebook.demand.week_orders import day_moments, sku_taus, week_level
from casebook.jobs import check_output
from tests.package.demand.weekly_shop import FAIR, NAME, ORIGIN, STEPS, Stub, build, run, save, tree

MOMENTS = 0.06  # relative; six quantiles do not tell a distribution
EXACT = 1e-9  # the same sums in another order


class Broken(Stub):
    """It fails on one product."""

    def predict(self, X, taus):
        return super().predict(X, taus).where(X["sku_id"] != X["sku_id"].max())


def test_orders_are_what_the_steps_give_by_hand(tables, data, tmp_path):
    out = run(data, tmp_path).path
    orders = pd.read_parquet(out / "orders.parquet").set_index(["store_id", "sku_id"])
    products = tables["products"].set_index("sku_id")
    sales = tables["sales"].set_index(["store_id", "sku_id", "day"])
    taus = sku_taus(tables["products"])
    X = pd.DataFrame({"store_id": [0] * 10, "horizon": [*range(4, 11), 8, 9, 10]})
    grid = Settings().taus
    mean, sd = day_moments(Stub().predict(X, grid).to_numpy(), grid)
    for sku in orders.loc[0].index:
        row, product = orders.loc[(0, sku)], products.loc[sku]
        level = week_level(mean[None, :7], sd[None, :7], taus[sku], Settings().correlation)[0]
        left = max(sales.loc[(0, sku, ORIGIN), "stock_close"] - mean[7:].sum(), 0)
        packs = max(int(np.ceil((level - left) / product["case_pack"] - EXACT)), 0)
        assert row["forecast"] == pytest.approx(level, abs=1e-6)
        assert (row["packs"], row["order_units"]) == (packs, packs * product["case_pack"])
        assert (row["tau"], row["source"]) == (taus[sku], MODEL)
    for sku in orders.loc[1].index:  # three days late: what the same weekdays sold last, and no stock is known
        sold = [
            sales.loc[(1, sku, max(d for d in range(ORIGIN - 2) if d % 7 == day % 7)), "sold"]
            for day in range(ORIGIN + 4, ORIGIN + 11)
        ]
        row = orders.loc[(1, sku)]
        assert row["source"] == LAST_WEEK and row["forecast"] == sum(sold) and np.isnan(row["tau"])
        assert row["packs"] == int(np.ceil(sum(sold) / products.loc[sku, "case_pack"]))
    assert set(orders.loc[2, "source"]) == {CATEGORY_MEAN}
    assert set(orders.index.get_level_values("sku_id")) <= set(products.index[products["review_days"] == 7])


def test_the_report_counts_what_was_written(data, tmp_path, book):
    out = run(data, tmp_path / "job", overrides=book.path).path
    report = json.loads((out / "report.json").read_text())
    orders = pd.read_parquet(out / "orders.parquet")
    assert report["rows"]["orders"] == len(orders) == report["model"] + sum(report["fallbacks"].values())
    assert report["units"] == orders["order_units"].sum()
    assert report["late_stores"] == {"1": 3, "2": 30}
    assert report["fallbacks"][LAST_WEEK] == (orders["source"] == LAST_WEEK).sum() > 0
    assert report["fallbacks"][CATEGORY_MEAN] == (orders["source"] == CATEGORY_MEAN).sum() > 0
    assert report["model"] == orders["source"].isin([MODEL, "override"]).sum()
    assert (report["origin"], report["date"], report["covers"]) == (ORIGIN, NAME, ["2023-03-30", "2023-04-05"])
    (change,) = report["overrides"]
    assert change["units_after"] == pytest.approx(3 * change["units_before"], abs=0.01)
    assert change["cells"] == (orders["source"] == "override").sum() == (orders["store_id"] == 0).sum()
    assert {"python", "numpy", "pandas"} <= report["versions"].keys()
    assert json.loads((out / "timing.json").read_text())["seconds"].keys() == set(STEPS[:-1])


def test_without_a_model_every_cell_gets_a_fallback(data, tmp_path):
    orders = pd.read_parquet(run(data, tmp_path, model=None).path / "orders.parquet")
    assert set(orders["source"]) == {LAST_WEEK, CATEGORY_MEAN}


def test_a_forecast_that_is_no_number_is_replaced_by_name(data, tmp_path):
    orders = pd.read_parquet(run(data, tmp_path, model=Broken()).path / "orders.parquet")
    on_time = orders[orders["store_id"] == 0].set_index("sku_id")["source"]
    last = max(on_time.index)
    assert set(on_time.drop(last)) == {MODEL}
    assert on_time[last] in (LAST_WEEK, MODEL)
    assert np.isfinite(orders["forecast"]).all()


def test_a_cell_that_ends_within_the_week_keeps_the_models_forecast_for_its_days(tables, data, tmp_path):
    weekly = tables["products"].loc[tables["products"]["review_days"] == 7, "sku_id"]
    sold = pd.read_parquet(data / "sales.parquet").query("store_id == 0 and day == @ORIGIN")["sku_id"]
    sku = next(one for one in weekly if one in set(sold))
    cells, end = tables["cells"], float(ORIGIN + 6)
    hit = (cells["store_id"] == 0) & (cells["sku_id"] == sku)
    folder = save(
        {**tables, "cells": cells.assign(delisted_on=cells["delisted_on"].where(~hit, end))}, tmp_path / "data"
    )

    def on_sale(tables, origins, horizons):
        X = build(tables, origins, horizons)
        return X[(X["sku_id"] != sku) | (X["day"] < end)]  # the chapter's builder gives no row for a day off sale

    found = run(folder, tmp_path / "job", build_features=on_sale)
    days = pd.read_parquet(found.path / "forecast.parquet").query("store_id == 0 and sku_id == @sku")
    assert (days["source"] == MODEL).all()
    assert ((days["mean"] > 0) == (days["day"] < end)).all() and ((days["sd"] > 0) == (days["day"] < end)).all()


def test_an_order_of_last_week_is_repeated_where_nothing_came(data, tmp_path):
    before = weekly_job(data, tmp_path, ORIGIN - 7, model=Stub(), build_features=build)
    first = pd.read_parquet(before.path / "orders.parquet").set_index(["store_id", "sku_id"])
    second = pd.read_parquet(run(data, tmp_path).path / "orders.parquet").set_index(["store_id", "sku_id"])
    again = second[second["source"] == LAST_ORDER]
    assert len(again) and set(again.index.get_level_values("store_id")) == {2}
    assert (again["order_units"] == first.loc[again.index, "order_units"]).all()


def test_what_lies_after_the_origin_changes_no_order(tables, data, tmp_path):
    future = tables["sales"]["day"] > ORIGIN
    sold = tables["sales"]["sold"].where(~future, 77)
    late = pd.read_parquet(data / "sales.parquet")
    wild = pd.concat([late[late["day"] <= ORIGIN], tables["sales"].assign(sold=sold)[future]])
    weather = tables["weather"].assign(temperature_c=lambda f: f["temperature_c"].where(f["day"] <= ORIGIN, -9.0))
    folder = save({**tables, "sales": wild, "weather": weather}, tmp_path / "wild")
    one, other = run(data, tmp_path / "one").path, run(folder, tmp_path / "other").path
    assert (one / "orders.parquet").read_bytes() == (other / "orders.parquet").read_bytes()


@pytest.mark.slow
def test_the_chapters_own_features_and_models_fit_in(tables, data, tmp_path):
    from casebook.demand.features import build as features
    from casebook.demand.models import BoostedQuantiles

    X = features(tables, range(41, ORIGIN - 10, 7))
    model = BoostedQuantiles(trees=10, least=20).fit(X, X["y"])
    orders = pd.read_parquet(run(data, tmp_path, model=model, build_features=None).path / "orders.parquet")
    assert run(data, tmp_path, model=model, build_features=None).status == "already done"
    assert (orders.loc[orders["store_id"].isin([0, 3]), "source"] == MODEL).all()


def test_a_second_run_changes_nothing_and_other_inputs_need_replace(data, tmp_path, book):
    folder = tmp_path / "job"
    first = run(data, folder, overrides=book.path)
    before, lines = tree(folder, timing=True), book.path.read_bytes()
    assert first.ran == STEPS
    assert run(data, folder, overrides=book.path).status == "already done"
    assert tree(folder, timing=True) == before and book.path.read_bytes() == lines
    with pytest.raises(ContractError) as refusal:
        run(data, folder, overrides=book.path, settings=Settings(tau=0.95))
    assert str(refusal.value) == (
        f"the inputs of '{NAME}' must be those of its finished run, got a change in 'settings'; pass --replace to swap "
        "the output (the old one is kept)."
    )
    assert tree(folder, timing=True) == before
    assert run(data, folder, overrides=book.path, settings=Settings(tau=0.95), replace=True).status == "replaced"
    assert (pd.read_parquet(folder / NAME / "orders.parquet")["tau"].dropna() == 0.95).all()
    check_output(folder / f".replaced-{NAME}-1")


def test_an_override_of_another_week_is_no_change_and_one_of_this_week_is(tables, data, tmp_path, book):
    folder = tmp_path / "job"
    run(data, folder, overrides=book.path)
    later = Override(ORIGIN + 20, ORIGIN + 22, "set", 1.0, "fair", "Bob", ORIGIN, ORIGIN + 30, sku_id=3)
    book.add(later, tables, ORIGIN)
    assert run(data, folder, overrides=book.path).status == "already done"
    book.withdraw(FAIR.override_id, "Ada", "rain", ORIGIN)
    with pytest.raises(ContractError) as refusal:
        run(data, folder, overrides=book.path)
    assert str(refusal.value) == (
        f"the inputs of '{NAME}' must be those of its finished run, got a change in 'overrides'; pass --replace to "
        "swap the output (the old one is kept)."
    )
