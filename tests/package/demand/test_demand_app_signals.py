"""The app's log: sums that must be kept, recovery of the share of the unserved who try, and what stock errors do."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.demand.app_signals import demand_from_app, learn_share_seen, lost_units, received_units

COLUMNS = ["store_id", "sku_id", "day", "sold", "failed_adds", "substitutions", "stock_open", "searches"]
PRODUCTS = pd.DataFrame({"sku_id": range(6), "group_id": [0, 0, 0, 1, 1, 2]})
SUM = 1e-9


def world(rng, share=0.6, cells=60, days=364, wrong=0.0, browse=0.5):
    """Negative binomial demand; stock that does not know the day; failed adds by `share`; nobody takes another."""
    level = np.exp(rng.normal(1.3, 0.5, cells))
    cell, day = np.repeat(np.arange(cells), days), np.tile(np.arange(days), cells)
    mean = level[cell] * np.exp(0.3 * (day % 7 == 5))
    demand = rng.poisson(mean * rng.gamma(2.5, 0.4, len(mean)))
    stock = rng.poisson(1.4 * level[cell])
    sold = np.minimum(demand, stock)
    noise = rng.poisson(1.4 * level[cell])
    table = {
        "store_id": cell // 6,
        "sku_id": cell % 6,
        "day": day,
        "sold": sold,
        "failed_adds": rng.binomial(demand - sold, share),
        "substitutions": 0,
        "stock_open": np.where(rng.random(len(stock)) < wrong, noise, stock),
        "searches": demand + rng.poisson(browse * mean),
    }
    return pd.DataFrame(table), demand


@given(st.integers(0, 10_000))
def test_what_is_received_adds_up_to_what_was_accepted(seed):
    """Over a group with room; never more than was sold; nothing where nothing was accepted."""
    rng = np.random.default_rng(seed)
    sales = pd.DataFrame({"store_id": 0, "sku_id": np.tile(np.arange(6), 5), "day": np.repeat(np.arange(5), 6)})
    failed = rng.integers(0, 4, 30) * (rng.random(30) < 0.4)
    sales = sales.assign(
        sold=rng.integers(0, 30, 30), failed_adds=failed, substitutions=rng.integers(0, 2, 30) * failed
    )
    received = received_units(sales, PRODUCTS)
    assert (received <= sales["sold"]).all() and (received >= 0).all()
    group = sales["sku_id"].map(PRODUCTS.set_index("sku_id")["group_id"])
    sums = pd.DataFrame({"in": received, "out": sales["substitutions"], "sold": sales["sold"]})
    sums["room"] = sales["sold"].where(failed == 0, 0)
    table = sums.groupby([sales["day"], group]).sum()
    roomy = table["room"] >= table["out"]
    np.testing.assert_allclose(table["in"][roomy], table["out"][roomy], atol=SUM)
    assert (table["in"] <= table["out"] + SUM).all()


def test_nothing_is_received_across_groups_stores_or_days():
    base = {"sold": 9, "failed_adds": 0, "substitutions": 0}
    rows = [(0, 0, 0), (0, 1, 0), (0, 3, 0), (1, 1, 0), (0, 1, 1)]
    sales = pd.DataFrame([dict(zip(["store_id", "sku_id", "day"], r, strict=True), **base) for r in rows])
    sales.loc[0, ["failed_adds", "substitutions"]] = [3, 2]
    assert received_units(sales, PRODUCTS).tolist() == [0, 2, 0, 0, 0]


@pytest.mark.parametrize("share", [0.25, 0.6, 0.9])
def test_the_share_is_recovered_within_its_interval(share):
    """Twenty worlds: the 95% interval must cover in 16 or more (binomial, 3 sigma)."""
    hits = []
    for seed in range(20):
        sales, _ = world(np.random.default_rng(seed), share, cells=30, days=182)
        seen = learn_share_seen(sales)
        hits.append(seen.low <= share <= seen.high)
    assert sum(hits) >= 16
    assert seen.value == pytest.approx(share, rel=0.15)


@pytest.mark.parametrize("wrong", [0.0, 0.3])
def test_demand_is_recovered_also_if_stock_records_are_wrong(wrong):
    sales, demand = world(np.random.default_rng(1), wrong=wrong)
    estimate = demand_from_app(sales, learn_share_seen(sales))
    out = demand > sales["sold"]
    assert estimate.sum() == pytest.approx(demand.sum(), rel=0.02)
    assert estimate[out].sum() == pytest.approx(demand[out].sum(), rel=0.05)
    assert sales["sold"].sum() < 0.8 * demand.sum()


def test_searches_that_rise_with_a_stock_out_break_it():
    """The assumption that is stated: who cannot find it searches again, and the share is then too small."""
    sales, demand = world(np.random.default_rng(2))
    again = sales.assign(searches=sales["searches"] + (demand - sales["sold"]))
    assert learn_share_seen(again).value < 0.85 * learn_share_seen(sales).value


def test_a_split_by_stock_out_would_be_biased():
    """Units for each search on days without a stock-out are too few, since days of high demand run out."""
    sales, demand = world(np.random.default_rng(3), browse=3.0)
    full = (demand <= sales["sold"]).to_numpy()
    by_search = sales["sold"][full].sum() / sales["searches"][full].sum()
    lacking = by_search * sales["searches"][~full].sum() - sales["sold"][~full].sum()
    assert lacking < 0.5 * (demand - sales["sold"]).sum()
    assert learn_share_seen(sales).value == pytest.approx(0.6, abs=0.06)


def test_reduced_days_are_left_out():
    sales, _ = world(np.random.default_rng(4))
    promoted = np.random.default_rng(5).random(len(sales)) < 0.1
    junk = sales.assign(price_cents=np.where(promoted, 200, 300))
    junk.loc[promoted, "searches"] = 100_000
    assert learn_share_seen(junk).value == learn_share_seen(junk[~promoted]).value


def test_the_parts_are_what_they_say():
    sales, demand = world(np.random.default_rng(6), share=1.0)
    assert (demand_from_app(sales, 1.0) == demand).all()
    taken = sales.assign(substitutions=sales["failed_adds"] // 2)
    np.testing.assert_allclose(lost_units(taken, 1.0), demand - sales["sold"] - taken["substitutions"])
    less = pd.Series(np.minimum(sales["sold"], 1.0), sales.index)
    np.testing.assert_allclose(demand_from_app(sales, 1.0, less), demand - less)
    assert demand_from_app(sales, 0.5).index.equals(sales.index)


def tiny(**columns):
    return pd.DataFrame([dict.fromkeys(COLUMNS, 1) | columns] * 4)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: received_units(tiny(sku_id=9), PRODUCTS),
            "sales, sku_id must be a product of 'products', got 9; add it, or leave its sales out.",
        ),
        (
            lambda: learn_share_seen(tiny()),
            "sales must be cells with 50 searches on either side of their median stock, got none; take more days.",
        ),
        (
            lambda: learn_share_seen(world(np.random.default_rng(0), cells=6)[0].assign(failed_adds=0)),
            None,
        ),
        (
            lambda: demand_from_app(tiny(), 0.0),
            "share must be above 0, got 0; learn it with learn_share_seen.",
        ),
        (
            lambda: demand_from_app(tiny(), 0.5, pd.Series([1.0])),
            "received must be 4 long, got 1 rows; take all arguments from one table.",
        ),
    ],
)
def test_what_is_refused(call, text):
    with pytest.raises(ContractError) as error:
        call()
    if text is None:
        lacking = str(error.value).split("lack ")[1].split(" units")[0]
        text = (
            f"sales must be such that failed adds go with missing sales, got 0 more failed adds where sales lack "
            f"{lacking} units; take more days, or look at the log."
        )
    assert str(error.value) == text
