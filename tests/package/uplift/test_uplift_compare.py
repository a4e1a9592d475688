"""Paired bootstrap and calibration by bins."""

import numpy as np
import pandas as pd
import pytest

from casebook.uplift import paired_qini, qini, uplift_by_bin

ROUNDING = 1e-9  # another order of summation


def scores_of(world, seed=0):
    return {"risk": world.X["risk"], "tau": world.tau, "coin": np.random.default_rng(seed).random(len(world.y))}


@pytest.mark.parametrize("definition", ["qini", "gain", "ips"])
def test_a_draw_is_the_qini_of_the_rows_drawn(toy, definition):
    world, draws = toy(0, 400), 25
    table = paired_qini(
        world.y, world.treated, scores_of(world), rng=np.random.default_rng(1), draws=draws, definition=definition
    )
    rng, brute = np.random.default_rng(1), []
    for _ in range(draws):
        rows = rng.integers(0, 400, 400)
        drawn = [
            qini(world.y[rows], world.treated[rows], np.asarray(score)[rows], definition=definition).value
            for score in scores_of(world).values()
        ]
        brute.append(drawn)
    brute = np.array(brute)
    np.testing.assert_allclose(table[["low", "high"]].T, np.quantile(brute, [0.025, 0.975], axis=0), atol=ROUNDING)
    gaps = np.quantile(brute - brute[:, [0]], [0.025, 0.975], axis=0)
    np.testing.assert_allclose(table[["difference_low", "difference_high"]].T, gaps, atol=ROUNDING)
    for name, score in scores_of(world).items():
        own = qini(world.y, world.treated, score, definition=definition)
        assert table.loc[name, "qini"] == pytest.approx(own.value, abs=ROUNDING)
        assert table.attrs["formula"] == own.formula
    np.testing.assert_allclose(table["difference"], table["qini"] - table.loc["risk", "qini"], atol=ROUNDING)


def test_clusters_are_drawn_whole(toy):
    world, draws = toy(1, 300), 20
    household = np.array([f"h{i // 3}" for i in range(300)])
    table = paired_qini(
        world.y, world.treated, {"tau": world.tau}, rng=np.random.default_rng(2), draws=draws, cluster=household
    )
    rng, brute = np.random.default_rng(2), []
    for _ in range(draws):
        rows = np.concatenate([np.arange(3 * h, 3 * h + 3) for h in rng.integers(0, 100, 100)])
        brute.append(qini(world.y[rows], world.treated[rows], world.tau[rows]).value)
    np.testing.assert_allclose(table.loc["tau", ["low", "high"]], np.quantile(brute, [0.025, 0.975]), atol=ROUNDING)


def test_copied_rows_narrow_the_interval_unless_clusters_say_so(toy):
    world = toy(2, 500)
    copies = [np.repeat(c, 4) for c in (world.y, world.treated, world.tau)]
    person = np.repeat(np.arange(500), 4)

    def width(*trial, cluster=None):
        y, treated, score = trial
        table = paired_qini(y, treated, {"tau": score}, rng=np.random.default_rng(0), draws=400, cluster=cluster)
        return table.loc["tau", "high"] - table.loc["tau", "low"]

    honest = width(world.y, world.treated, world.tau)
    assert width(*copies) == pytest.approx(honest / 2, rel=0.2)  # four copies: half the width, by mistake
    assert width(*copies, cluster=person) == pytest.approx(honest, rel=0.2)  # 400 draws know a width to some 10%


def test_a_pair_is_known_better_than_its_parts(toy):
    world = toy(3, 3000)
    near = world.tau + np.random.default_rng(0).normal(0, 0.02, 3000)
    scores = {"tau": world.tau, "near": near, "risk": world.X["risk"]}
    table = paired_qini(world.y, world.treated, scores, rng=np.random.default_rng(0), reference="near")
    assert table["difference"].loc["near"] == 0
    paired = table.loc["tau", "difference_high"] - table.loc["tau", "difference_low"]
    assert paired < 0.5 * (table.loc["tau", "high"] - table.loc["tau", "low"])
    assert table.loc["risk", "difference_high"] < 0


def test_the_same_generator_gives_the_same_table(toy):
    world = toy(4, 300)
    one, two = (
        paired_qini(world.y, world.treated, scores_of(world), rng=np.random.default_rng(5), draws=10) for _ in "ab"
    )
    pd.testing.assert_frame_equal(one, two)


def test_a_draw_that_loses_an_arm_is_drawn_again():
    table = paired_qini([0, 1, 1], [1, 0, 0], {"a": [3, 2, 1]}, rng=np.random.default_rng(0), draws=50)
    assert np.isfinite(table.to_numpy()).all()


@pytest.mark.slow
def test_intervals_of_a_coin_hold_zero_as_often_as_they_say(toy):
    worlds, outside = 200, 0
    for seed in range(worlds):
        world = toy(seed, 400)
        coin = np.random.default_rng(10_000 + seed).random(400)
        row = paired_qini(world.y, world.treated, {"coin": coin}, rng=np.random.default_rng(seed), draws=100).iloc[0]
        outside += int(row["low"] > 0 or row["high"] < 0)
    # 5% of 200 is 10, with a standard deviation of 3; 100 draws blur the ends a little more.
    assert 1 <= outside <= 22


def test_a_score_that_is_the_effect_is_calibrated(toy):
    world = toy(5, 40_000)
    table = uplift_by_bin(world.y, world.treated, world.tau)
    gap = (table["realised"] - table["predicted"]) / table["se"]
    assert np.abs(gap).max() < 4
    assert table["n"].tolist() == [4000] * 10
    assert (np.diff(table["predicted"]) < 0).all()
    doubled = uplift_by_bin(world.y, world.treated, 2 * world.tau)
    assert ((doubled["realised"] - doubled["predicted"]) / doubled["se"]).abs().max() > 4


def test_bins_are_counted_as_a_loop_counts_them(toy):
    world = toy(6, 1003)
    outcome = world.y * 2.5 + world.X["risk"].to_numpy()
    table = uplift_by_bin(outcome, world.treated, world.tau, bins=7)
    start = 0
    order = np.argsort(-world.tau)
    for row in table.itertuples():
        rows = order[start : start + row.n]
        start += row.n
        a, b = outcome[rows][world.treated[rows]], outcome[rows][~world.treated[rows]]
        assert (row.n_treated, row.n_control) == (len(a), len(b))
        assert row.predicted == pytest.approx(world.tau[rows].mean(), abs=ROUNDING)
        assert row.realised == pytest.approx(a.mean() - b.mean(), abs=ROUNDING)
        assert row.se == pytest.approx(np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)), abs=ROUNDING)
        assert (row.events_treated, row.events_control) == pytest.approx((a.sum(), b.sum()), abs=1e-8)
    assert start == 1003
    assert table["n"].max() - table["n"].min() <= 1


def test_equal_scores_share_a_bin_and_row_order_does_not_matter(toy):
    world = toy(7, 900)
    coarse = np.round(world.X["lever"].to_numpy(), 0)
    table = uplift_by_bin(world.y, world.treated, coarse)
    assert table["predicted"].tolist() == [1.0, 0.0, -1.0]
    back = slice(None, None, -1)
    pd.testing.assert_frame_equal(table, uplift_by_bin(world.y[back], world.treated[back], coarse[back]))


def test_a_bin_with_one_arm_says_so():
    table = uplift_by_bin([1, 0, 1, 0], [1, 1, 0, 0], [4, 3, 2, 1], bins=2)
    assert table[["realised", "se"]].isna().all(axis=None)
    assert table["n_control"].tolist() == [0, 2]
