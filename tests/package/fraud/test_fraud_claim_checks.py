"""The measures of chapter 5's claims page: cuts from drawn costs, shares of a gain, days of a holdback, devices."""

import re

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.fraud import claim_checks as checks
from casebook.fraud.feature_spec import FEATURES
from casebook.fraud.holdback_scale import LONGEST
from casebook.fraud.models import LogisticModel
from casebook.fraud.reports import delay_seconds
from casebook.fraud.stakes import Stakes
from casebook.fraud.world import DAY, World
from casebook.studies import load

STAKES = Stakes(sale=60.0, loss=170.0, rest=180.0)


def refused(text, call, *arguments, **named):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}"):
        call(*arguments, **named)


def test_the_groups_are_features_and_hold_what_they_say():
    for columns in checks.GROUPS.values():
        assert columns and set(columns) <= set(FEATURES)
    assert "amount_cents" not in checks.GROUPS["velocity"] and "card_count" not in checks.GROUPS["velocity"]
    assert "new_device" in checks.GROUPS["device"]


def test_precision_lost_is_that_of_the_feature_that_tells():
    rng = np.random.default_rng(0)
    n = 4_000
    y = (rng.random(n) < 0.1).astype(np.int8)
    X = pd.DataFrame(
        {"amount_cents": y * 900.0 + rng.integers(1, 500, n), "hour": rng.integers(0, 24, n).astype(float)}
    )
    groups = {"tells": ["amount_cents"], "idle": ["hour"]}
    card = np.arange(n)
    whole, lost = checks.ap_lost(LogisticModel(), (X, y, 1.0), X, y == 1, card, rng, groups, rounds=20)
    assert whole > 0.9 and lost["tells"].low > 0.5
    assert lost["idle"].gap == pytest.approx(0, abs=0.02)
    assert lost["tells"].low <= lost["tells"].gap <= lost["tells"].high
    with pytest.raises(ContractError, match="no_such"):
        checks.ap_lost(LogisticModel(), (X, y, 1.0), X, y == 1, card, rng, {"gone": ["no_such"]})


def test_drawn_banks_cut_where_their_costs_say():
    banks = checks.drawn_costs(STAKES, 40, np.random.default_rng(1))
    assert len(banks) == 40 and banks["block"].notna().all()
    there = banks.dropna(subset=["push", "call"])
    assert (there["push"] < there["call"]).all() and (there["call"] < there["block"]).all()
    above = banks["block"] < 0.3
    cheapest = banks.filter(like="cost_").idxmin(axis=1)
    assert above.any() and (cheapest[above] == "cost_block").all() and (cheapest[~above] != "cost_block").all()
    np.testing.assert_allclose(banks["cost_allow"], 0.3 * (170.0 + 180.0))


def test_drawn_banks_refuse_what_is_none():
    rng = np.random.default_rng(1)
    refused("n must be 1 or more, got 0; draw a few hundred", checks.drawn_costs, STAKES, 0, rng)
    refused("p must be in [0, 1], got 30; divide percentages by 100", checks.drawn_costs, STAKES, 2, rng, p=30)


def test_ranges_leave_out_what_is_missing():
    assert checks.middle([np.nan, 0.0, 1.0], 1.0) == (0.0, 1.0)
    refused("values must be at least one number, got none; draw more", checks.middle, [np.nan])
    rng = np.random.default_rng(2)
    bounds = checks.median_bounds(rng.normal(3, 1, 400), rng)
    assert bounds.low < 3.1 and bounds.high > 2.9 and bounds.high - bounds.low < 0.5


def test_rank_correlation_spans_zero_where_there_is_none():
    rng = np.random.default_rng(3)
    x = rng.random(200)
    none, all_of_it = checks.rank_bounds(x, rng.random(200), rng, 200), checks.rank_bounds(x, -(x**3), rng, 50)
    assert none.low < 0 < none.high and all_of_it.high < -0.999
    holes = np.where(np.arange(200) % 3 == 0, np.nan, x)
    assert checks.rank_bounds(holes, x, rng, 20).low == pytest.approx(1.0)


def test_shares_of_the_gain_are_those_of_the_study():
    drawn = load("05_tiers").frame
    parts = checks.tier_shares(drawn)
    np.testing.assert_allclose(parts["push"], drawn["push_share"].loc[parts.index], atol=1e-9)
    one = drawn.loc[parts.index]
    gain = one["net_nothing"] - one["net_three_cuts"]
    np.testing.assert_allclose((parts["third"] + parts["fourth"]) * gain, one["net_one_cut"] - one["net_three_cuts"])
    worse = drawn.assign(net_three_cuts=drawn["net_nothing"] + 1)
    assert checks.tier_shares(worse).empty


def test_days_fall_with_the_loss_and_rise_with_what_hides_it():
    days = {loss: checks.days_until_seen(0.7, loss, 0.01, 1e7, None) for loss in (0.01, 0.02, 0.1)}
    assert days[0.1] < days[0.02] < days[0.01]
    slow = pd.DataFrame({"days": [0, 20], "known": [0.0, 1.0]})
    assert checks.days_until_seen(0.7, 0.1, 0.01, 1e7, slow) > days[0.1]
    assert checks.days_until_seen(0.7, 0.02, 0.01, 1e7, None, episode=3) > days[0.02]
    assert checks.days_until_seen(0.7, 0.02, 0.05, 1e7, None) < days[0.02]
    assert checks.days_until_seen(0.7, 0.0001, 0.01, 1e7, None) == LONGEST
    text = "loss must be above 0 and at most the recall of 0.5, got 0.6; give both as shares"
    refused(text, checks.days_until_seen, 0.5, 0.6, 0.01, 1e7, None)


def test_a_visible_rise_is_seen_four_times_in_five():
    rng, n = np.random.default_rng(4), 40_000
    for expected in (100.0, 2_500.0):
        rise = checks.visible_rise(expected)
        before, after = rng.poisson(expected, n), rng.poisson(expected * (1 + rise), n)
        seen = np.sqrt(after) - np.sqrt(before) > 1.96 * np.sqrt(0.5)
        assert seen.mean() == pytest.approx(0.8, abs=0.015)
    refused("expected must be above 0, got 0; count over a longer time", checks.visible_rise, 0.0)


def test_clusters_are_counted_in_their_days_and_where_a_device_is_seen():
    at = np.array([0, 0, 0, 5, 5, 5, 5]) * DAY
    events = pd.DataFrame({"at": at, "card_id": [1, 2, 3, 1, 2, 3, 4], "device_id": [7, 7, 7, 8, 8, 8, -1]})
    fraud = np.array([True, False, False, False, False, False, True])
    assert checks.clusters_with_fraud(events, fraud, (0, 0)) == (1, 1.0)
    assert checks.clusters_with_fraud(events, fraud, (1, 5)) == (1, 0.0)
    none, share = checks.clusters_with_fraud(events, fraud, (0, 5), least=4)
    assert none == 0 and np.isnan(share)


def test_reports_come_as_late_as_the_world_says():
    luck = (np.arange(100_000) + 0.5) / 100_000
    for median in (1.0, 7.0, 45.0):
        late = delay_seconds(World(delay_days=median), luck) / DAY
        for days in (1.0, 28.0):
            assert checks.known_after(median, days, 0.85) == pytest.approx(0.85 * (late <= days).mean(), abs=0.002)
