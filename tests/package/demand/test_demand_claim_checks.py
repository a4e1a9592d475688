"""The measures of chapter 7's claims page, each held against a twin, and each shown to come out the other way."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from casebook.contracts import ContractError
from casebook.decisions.fractile import critical_fractile, newsvendor_cost
from casebook.demand import claim_checks as checks
from casebook.demand import claim_checks_job as job
from casebook.demand import claim_checks_levels as levels
from casebook.demand import claim_checks_models as fits
from casebook.demand.feature_spec import FEATURES
from casebook.demand.models import BoostedQuantiles
from casebook.demand.order_up_to import Calendar
from casebook.demand.protection import daily_paths
from casebook.demand.reconcile_worlds import shop_hierarchy
from casebook.demand.rolling import last_origins, roll
from tests.package.demand.frames import frame

TAU = 10 / 12
EXACT = 1e-9  # the same arithmetic in another order


def refused(text, call, *arguments, **named):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        call(*arguments, **named)


def test_money_lost_is_that_of_every_order_tried():
    one = checks.counts(50.0, 1.0)
    units = np.arange(600)
    cost = one.pmf(units) @ newsvendor_cost(units[:, None], units, 10, 2)
    lost = cost[int(one.ppf(0.95))] / cost.min() - 1
    assert checks.lost_by_order(0.95, dispersions=[1.0]).loc[1.0] == pytest.approx(lost, rel=1e-6)  # tails cut off
    assert checks.lost_by_order(None, dispersions=[1.0]).loc[1.0] == pytest.approx(cost[50] / cost.min() - 1, rel=1e-6)


def test_a_quantile_costs_nothing_where_the_costs_ask_for_it():
    asked = critical_fractile(38, 2)
    assert (checks.lost_by_order(asked, (38, 2)) < EXACT).all() and (checks.lost_by_order(asked) > 0.15).all()
    assert (checks.lost_by_order(None, (2, 2)) < 0.02).all() and (checks.lost_by_order(None) > 0.4).all()
    refused("dispersion must be above 0, got 0; give units, or a small dispersion.", checks.counts, 4, 0)
    refused("mean must be above 0, got -1; give units, or a small dispersion.", checks.counts, -1, 1)


def test_wape_costs_nothing_where_both_costs_are_alike_and_tells_a_fast_seller_from_none():
    assert checks.best_by_wape(costs=(2, 2))["lost"].max() < EXACT < checks.best_by_wape()["lost"].min()
    over = checks.best_by_wape((0.3, 20.0))["over_nothing"]
    assert over.loc[0.3] == pytest.approx(1) and over.loc[20.0] < 0.3


def test_least_squares_find_the_mean_and_not_the_median():
    y = np.array([0, 0, 0, 1, 9])
    assert checks.least_squares_point(y) == pytest.approx(2.0, abs=9 / 2_000)  # a step of the search
    assert checks.least_squares_point(y) != pytest.approx(np.median(y), abs=0.5)


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_the_correlation_of_days_is_the_one_drawn(share):
    rng, groups, days = np.random.default_rng(0), 4_000, 7
    own, shared = rng.standard_normal((groups, days)), rng.standard_normal((groups, 1))
    error = np.sqrt(share) * shared + np.sqrt(1 - share) * own
    found = checks.day_correlation(
        (9 + 3 * error).ravel(), np.full(groups * days, 9.0), np.repeat(np.arange(groups), days)
    )
    assert found == pytest.approx(share, abs=0.03)  # three standard errors, about 0.008 at 0.4
    text = "mean must be above 0, got 0; leave out what is not expected to sell."
    refused(text, checks.day_correlation, [1], [0], [1])
    text = "group must be labels that two rows or more share, got none; group the days of one order."
    refused(text, checks.day_correlation, [1, 2], [1, 1], [1, 2])


def test_seven_days_do_not_last_for_ten_unless_there_is_no_lead_time_to_speak_of():
    found = checks.cycle_service(5.0, 0.6, TAU, np.random.default_rng(0))
    assert found["covered"] < 0.4 < TAU - 0.03 < found["protected"]
    short = checks.cycle_service(5.0, 0.6, TAU, np.random.default_rng(0), Calendar(1, 1, 7))
    assert short["covered"] > found["covered"] + 0.2


def test_ranks_span_zero_where_there_is_nothing_and_agree_with_a_bootstrap():
    rng = np.random.default_rng(1)
    x = rng.random(200)
    none, some = checks.rank_interval(x, rng.random(200)), checks.rank_interval(x, x + rng.random(200))
    assert none.low < 0 < none.high and some.low > 0.4
    y = x + rng.random(200)
    drawn = [stats.spearmanr(x[rows], y[rows]).statistic for rows in rng.integers(200, size=(400, 200))]
    np.testing.assert_allclose(checks.rank_interval(x, y), np.quantile(drawn, [0.025, 0.975]), atol=0.06)
    refused("x must be ten or more, got 3; draw more worlds.", checks.rank_interval, [1, 2, 3], [1, 2, 3])


def test_an_interval_over_clusters_is_students_where_each_row_is_one():
    values = np.random.default_rng(2).normal(size=12)
    ours = checks.mean_interval(values, np.arange(12))
    np.testing.assert_allclose(ours, stats.ttest_1samp(values, 0).confidence_interval(), rtol=EXACT)
    whole = checks.mean_interval(np.repeat(values, 5), np.repeat(np.arange(12), 5))
    np.testing.assert_allclose(whole, ours, rtol=EXACT)  # copies of a row are no news
    refused("cluster must be at least two labels, got one; take more weeks.", checks.mean_interval, [1, 2], [1, 1])


def test_days_are_covered_once_unless_orders_are_for_more_days_than_a_week():
    assert set(job.orders_of_day(6, 9)) == {1}
    assert job.orders_of_day(6, 9, Calendar(1, 3, 8)).max() == 2
    assert job.orders_of_day(6, 9, Calendar(1, 3, 6)).min() == 0


def test_promotions_are_known_from_the_day_of_their_announcement_on():
    runs = pd.DataFrame({"first_day": [10, 10], "last_day": [16, 16], "announced_on": [6, 7]})
    assert job.known_share(runs, [6])["known"].tolist() == [0.5] * 7
    assert job.known_share(runs.assign(announced_on=-50), [6])["known"].eq(1).all()
    none = job.known_share(runs.assign(last_day=3, first_day=1), [6])
    assert none["ran"].eq(0).all() and none["known"].isna().all()


def test_machines_grow_with_series_and_seconds_and_shrink_with_the_night():
    night = job.Night(hours=1, cores=1)
    assert night.machines(3_600, 1.0) == pytest.approx(1.0) and job.Night(2, 2).machines(3_600, 1.0) == 0.25
    assert job.Night().machines(1e9, 0.07) > 100 > job.Night().machines(3e7, 0.07)
    refused("seconds must be above 0, got 0; measure one fit.", night.machines, 10, 0)
    text = "series must be two or more, got 1; the first is left out, as it may compile."
    refused(text, job.seconds_each, [np.arange(30.0)])
    assert np.iinfo(np.int32).max == job.MOST_ROWS


def test_methods_that_are_linear_with_one_set_of_weights_add_up_and_the_others_do_not():
    table = levels.gaps_by_method(np.random.default_rng(5))
    linear = ["last week", "mean of eight weeks", "least squares", "smoothing, one constant"]
    assert (table.loc[linear, "gap"] < EXACT).all() and (table["gap"].drop(linear) > 0.001).all()
    assert (table["after"] < EXACT).all()


def test_a_network_adds_up_only_without_its_squashing():
    hierarchy, rng = shop_hierarchy(), np.random.default_rng(6)
    sales = pd.DataFrame(levels.drawn_sales(rng, 40), hierarchy.nodes)
    assert levels.recurrent_gaps(hierarchy, sales, rng, draws=5, linear=True).max() < EXACT
    assert levels.recurrent_gaps(hierarchy, sales, rng, draws=5).max() > 0.01


def test_the_sum_of_quantiles_serves_all_unless_stores_move_as_one():
    rng = np.random.default_rng(7)
    served = [
        levels.served_by_sums(daily_paths(np.full(20, 5.0), 0.3, rho, 20_000, rng), TAU)["sum of quantiles"]
        for rho in (0.0, 1.0)
    ]
    assert served[0] > 0.99 and served[1] == pytest.approx(0.85, abs=0.02)  # whole units overshoot 0.833


def test_lightgbm_splits_by_gradients_and_by_means_only_where_their_order_is_one():
    found = levels.split_alike(np.random.default_rng(8), tables=12)
    assert found["gradients"].all() and found["means"].mean() < 0.5
    sku = np.repeat(np.arange(6), 200)
    sold = np.random.default_rng(9).normal(10 * sku, 1.0)  # each category apart: every order is that of the means
    cut = levels.gradient_cut(sku, sold, 0.5)
    means = pd.Series(sold).groupby(sku).transform("mean")
    assert cut.low == (0, 1, 2) == levels.lightgbm_cut(means, sku, sold, False, objective="quantile", alpha=0.5).low
    refused("category must be of two values or more, got one; a single category cannot be split.",
            levels.gradient_cut, [1, 1], [0, 1], 0.5)  # fmt: skip


def test_lags_are_known_as_far_as_they_reach():
    assert levels.lags_known((7, 14), range(4, 11)).tolist() == [4 / 7, 1.0]
    assert levels.lags_known((7, 14), range(1, 8)).tolist() == [1.0, 1.0]


def test_mean_encoding_reads_no_later_row():
    rows = frame(weeks=6)
    coded = levels.mean_encoded(rows, 30)
    later = levels.mean_encoded(rows.assign(y=np.where(rows["day"] > 30, 1e6, rows["y"])), 30)
    pd.testing.assert_frame_equal(coded.drop(columns="y"), later.drop(columns="y"))
    past = rows[rows["day"] <= 30]
    assert coded["sku_id_mean"].iloc[0] == pytest.approx(past[past["sku_id"] == rows["sku_id"].iloc[0]]["y"].mean())


def test_a_gain_has_its_sign_and_an_interval_that_holds_the_truth():
    rng, week, held = np.random.default_rng(10), np.repeat(np.arange(10), 30), []
    for _ in range(200):
        luck = np.repeat(rng.normal(0, 0.3, 10), 30)  # a week in which both are off by less, or by more
        ours, rival = (-np.abs(off + luck + rng.normal(0, 0.3, 300)) for off in (3.0, 4.0))
        found = fits.gain(np.zeros(300), ours, rival, week)
        held.append(found.low <= 0.25 <= found.high)
    assert 180 <= sum(held) <= 200  # 190 are promised; three standard errors
    assert found.mean == pytest.approx(0.25, abs=0.05)


def test_a_gain_turns_with_its_sides_and_refuses_what_has_no_loss():
    y, week = np.arange(40.0), np.repeat(np.arange(4), 10)
    assert fits.gain(y, y - 1, y - 2, week).low > 0 > fits.gain(y, y - 2, y - 1, week).high
    refused("rival must be a forecast with some loss, got none; hold it against another one.", fits.gain, y, y, y, week)
    refused("cluster must be at least two labels, got one; test on more weeks.", fits.gain, y, y, y - 1, week * 0)


def test_a_group_that_tells_is_missed_and_one_that_does_not_is_not():
    rows = frame(weeks=30)
    rows["noise"] = np.random.default_rng(11).random(len(rows))
    tests, model = last_origins(rows, 4), BoostedQuantiles([TAU], trees=30, ids="none")
    groups = {"tells": ("mean_28", "last_same_weekday", "category_code"), "idle": ("noise",)}
    whole = roll(model, rows, tests, [TAU])
    lost = fits.lost_without(model, rows, tests, rows["y"], whole, TAU, groups)
    assert lost["tells"].low > 0.05 and abs(lost["idle"].mean) < 0.05
    with pytest.raises(ContractError, match="'gone'"):
        fits.lost_without(model, rows, tests, rows["y"], whole, TAU, {"x": ("gone",)})


def test_the_groups_are_features_and_none_is_in_two():
    named = [name for columns in fits.GROUPS.values() for name in columns]
    assert set(named) <= set(FEATURES) and len(named) == len(set(named))


def test_coverage_by_speed_tells_a_quantile_that_covers_from_one_that_does_not():
    rng = np.random.default_rng(12)
    usual = np.repeat([0.4, 3.0, 12.0], 4_000)
    y, week = rng.poisson(usual), np.tile(np.arange(20), 600)
    right = fits.covered_by_speed(y, stats.poisson.ppf(TAU, usual), usual, TAU, week)
    low = fits.covered_by_speed(y, stats.poisson.ppf(0.5, usual), usual, TAU, week)
    assert right["holds"].all() and not low.loc["all", "holds"]
    assert right["rows"].tolist() == [4_000, 4_000, 4_000, 12_000]


def test_cells_are_drawn_by_speed():
    index = pd.MultiIndex.from_product([range(6), range(6)], names=["store_id", "sku_id"])
    cells = fits.some_cells(pd.Series(np.repeat([0.2, 2.0, 9.0], 12), index), 5, np.random.default_rng(13))
    assert cells["speed"].value_counts().to_dict() == {"slow": 5, "medium": 5, "fast": 5}
    refused("each must be 1 or more, got 0; a dozen show the order of size.", fits.some_cells, pd.Series(1.0, index), 0,
            np.random.default_rng(0))  # fmt: skip


def test_models_one_by_one_forecast_their_own_cells_and_see_no_later_day():
    rows = frame(weeks=26, stores=2, skus=3)
    sales = rows[["store_id", "sku_id", "day", "y"]].rename(columns={"y": "wanted"})
    pairs = rows[["store_id", "sku_id"]].drop_duplicates()
    first = pairs.merge(pd.DataFrame({"day": np.arange(10), "wanted": 3.0}), "cross")
    sales = pd.concat([first, sales]).sort_values(["store_id", "sku_id", "day"], ignore_index=True)
    cells, tests = pairs.iloc[:2], [160, 167]
    found = fits.one_by_one(sales, "wanted", rows, tests, cells)
    asked = rows.iloc[found.rows]
    assert set(asked["origin"]) == set(tests) and len(asked[["store_id", "sku_id"]].drop_duplicates()) == 2
    assert np.isfinite(found.forecast).all() and (np.diff(found.rows) > 0).all()
    shuffled = sales.assign(wanted=np.where(sales["day"] > 167, 99.0, sales["wanted"]))
    np.testing.assert_array_equal(fits.one_by_one(shuffled, "wanted", rows, tests, cells).forecast, found.forecast)
    came = rows["y"].to_numpy()[found.rows]
    assert fits.gain(came, found.forecast, np.zeros(len(came)), asked["origin"]).mean > 0.3
