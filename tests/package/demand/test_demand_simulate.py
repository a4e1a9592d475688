"""The simulated past: what the company sees hangs together, and differs from the truth as the dials say."""

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.demand.simulate import simulate, write_parquet
from casebook.demand.world import DAYS, NEVER_OUT, World

SPAN = 364
SIGMAS = 5  # of the noise that the counts have


def past(world=None, seed=0, stores=6, skus=56, days=SPAN):
    return simulate(world or World(), stores, skus, np.random.default_rng(seed), days=days)


@pytest.fixture(scope="module")
def usual():
    return past()


def test_the_same_seed_gives_the_same_past_and_another_does_not(usual):
    again, other = past(), past(seed=1)
    for name, table in usual.tables.items():
        pd.testing.assert_frame_equal(table, again.tables[name])
    pd.testing.assert_frame_equal(usual.truth, again.truth)
    assert not usual.tables["products"].equals(other.tables["products"])


def test_units_wanted_are_served_moved_or_lost(usual):
    sales, truth = usual.tables["sales"], usual.truth
    instead = sales["substitutions"].groupby([sales["store_id"], sales["day"]]).sum()
    given = (sales["sold"] - (truth["demand"] - truth["lost"] - sales["substitutions"])).groupby(
        [sales["store_id"], sales["day"]]
    )
    assert (given.sum() == instead).all()
    assert (truth["lost"] + sales["substitutions"] <= truth["demand"]).all()


def test_a_stock_out_is_a_day_on_which_somebody_was_turned_away(usual):
    sales, truth = usual.tables["sales"], usual.truth
    turned_away = truth["lost"] + sales["substitutions"] > 0
    assert (truth["stocked_out"] == turned_away).all()
    assert (truth["stock_close"][turned_away] == 0).all()
    assert ((truth["stockout_hour"] < NEVER_OUT) == turned_away).all()
    assert (sales["failed_adds"][~turned_away] == 0).all()


def test_demand_has_its_mean(usual):
    demand, mean = usual.truth["demand"], usual.truth["mean"]
    spread = np.sqrt(((demand - mean) ** 2).sum())
    assert abs((demand - mean).sum()) < SIGMAS * spread
    assert ((demand - mean) ** 2).sum() > 1.3 * mean.sum()  # more than Poisson


def test_without_cuts_sales_are_demand():
    null = past(World.null())
    sales, truth = null.tables["sales"], null.truth
    assert (sales["sold"] == truth["demand"]).all() and not sales["stocked_out"].any()
    assert (truth["mean"] == truth["base"]).all() and (sales["stockout_hour"] == NEVER_OUT).all()
    assert len(null.tables["promotions"]) == 0 and truth["lost"].sum() == 0


def test_with_right_records_the_flag_says_when_the_shelf_is_empty():
    right = past(World(record_error=0.0))
    sales, truth = right.tables["sales"], right.truth
    assert (sales["stocked_out"] == (truth["stock_close"] == 0)).all()
    assert (sales["stock_close"] == truth["stock_close"]).all()
    assert sales["stocked_out"][truth["stocked_out"]].all()


def test_wrong_records_hide_stock_outs_and_invent_others():
    wrong = past(World(record_error=0.3))
    sales, truth = wrong.tables["sales"], wrong.truth
    assert sales["stocked_out"][truth["stocked_out"]].mean() < 0.9
    assert (sales["stocked_out"] & (truth["stock_close"] > 0)).sum() > 0
    assert not (sales["stocked_out"] & (sales["stock_close"] > 0)).any()


def test_the_dials_do_what_they_say(usual):
    low, high = past(World(stock_level=0.9)), past(World(stock_level=2.0))
    assert low.truth["stocked_out"].mean() > 1.5 * usual.truth["stocked_out"].mean()
    assert high.truth["stocked_out"].mean() < 0.7 * usual.truth["stocked_out"].mean()
    alone = past(World(recapture=0.0))
    assert alone.tables["sales"]["substitutions"].sum() == 0
    assert (alone.tables["sales"]["sold"] <= alone.truth["demand"]).all()


def test_stock_outs_are_as_frequent_as_in_shops(usual):
    assert 0.04 < usual.truth["stocked_out"].mean() < 0.16  # 8.3% worldwide, Gruen, Corsten and Bharadwaj (2002)


def test_the_shock_moves_the_shelves_that_it_should():
    calm = past(World(shock_day=280, shock_size=0.0))
    shocked = past(World(shock_day=280))
    category = calm.tables["products"]["category"].to_numpy()[calm.tables["sales"]["sku_id"]]
    ratio = shocked.truth["base"].to_numpy() / np.maximum(calm.truth["base"].to_numpy(), 1e-12)
    day = calm.tables["sales"]["day"].to_numpy()
    assert np.allclose(ratio[day < 280], 1, atol=1e-3)
    assert np.median(ratio[(day == 280) & (category == "pantry")]) == pytest.approx(np.exp(0.9), rel=1e-3)
    assert np.median(ratio[(day == 280) & (category == "produce")]) == pytest.approx(np.exp(-0.45), rel=1e-3)


def test_only_listed_and_open_cells_have_rows(usual):
    sales = usual.tables["sales"]
    span = sales.groupby(["store_id", "sku_id"])["day"].agg(["min", "max", "size"])
    cells = usual.tables["cells"].set_index(["store_id", "sku_id"]).loc[span.index]
    assert (span["min"] == cells["listed_on"].clip(lower=0)).all()
    assert (span["max"] == cells["delisted_on"].fillna(SPAN).clip(upper=SPAN) - 1).all()
    assert (span["size"] == span["max"] - span["min"] + 1).all()


def test_parquet_holds_the_same_past(tmp_path):
    kept, rng = past(stores=9, days=84), np.random.default_rng(0)
    rows = write_parquet(World(), tmp_path / "past", 9, 56, rng, days=84)
    assert rows == len(kept.tables["sales"]) == len(pd.read_parquet(tmp_path / "past" / "truth"))
    for name, table in kept.tables.items():
        place = tmp_path / "past" / (name if name == "sales" else f"{name}.parquet")
        pd.testing.assert_frame_equal(pd.read_parquet(place), table, check_dtype=False)
    with pytest.raises(ContractError) as refused:
        write_parquet(World(), tmp_path / "past", 1, 4, rng)
    assert str(refused.value) == "folder must be empty, got 10 files; remove them or name another."


@pytest.mark.parametrize(("days", "got"), [(83, "83"), (77, "77"), (DAYS + 1, str(DAYS + 1))])
def test_days_must_be_whole_weeks(days, got):
    with pytest.raises(ContractError) as refused:
        past(days=days)
    assert str(refused.value) == f"days must be whole weeks, at least 84, got {got}; take a multiple of 7."


@pytest.mark.parametrize(
    ("dials", "sentence"),
    [
        ({"record_error": 4.0}, "record_error must be a share in [0, 1], got 4; divide percentages by 100."),
        ({"dispersion": -1.0}, "dispersion must be 0 or more, got -1; give a finite number."),
        ({"drift": float("nan")}, "drift must be 0 or more, got nan; give a finite number."),
    ],
)
def test_impossible_dials_are_refused(dials, sentence):
    with pytest.raises(ContractError) as refused:
        World(**dials)
    assert str(refused.value) == sentence
