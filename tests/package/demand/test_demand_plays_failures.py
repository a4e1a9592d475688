"""Drawn worlds of failures: played twice they are the same, and null worlds show nothing."""

import numpy as np
import pytest

from casebook.demand import plays_failures as plays
from casebook.demand.simulate import simulate
from casebook.worlds import Dial, replicate

FLAT = 0.15  # ratio of sums of some hundred noisy days


def small(world, stores, skus, rng, days):
    return simulate(world, 4, 42, rng, days=days)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(plays, "simulate", small)


@pytest.mark.parametrize("dials", [plays.DIALS_LIFT, plays.DIALS_NEW, plays.DIALS_STACKED])
def test_each_set_of_dials_has_a_null(dials):
    assert sum(dial.null is not None for dial in dials) == 1
    assert all(isinstance(dial, Dial) for dial in dials)


def middle(dials, **own):
    return {dial.name: float(dial.at(0.5)) for dial in dials} | own


def test_random_weeks_do_not_overstate(quick):
    none, much = (
        plays.play_lift(middle(plays.DIALS_LIFT, placement=place), np.random.default_rng(0)) for place in (0.0, 0.7)
    )
    assert not none["naive_overstates"] and much["naive_overstates"]
    assert much["naive_overstates"] == (much["naive"] > much["gross"] + 0.1)
    assert none["net_smaller"] == (none["net"] < none["gross"] - 0.1)


def test_a_world_is_the_same_when_played_again():
    dials = middle(plays.DIALS_STACKED)
    assert plays.play_stacked(dials, np.random.default_rng(3)) == plays.play_stacked(dials, np.random.default_rng(3))


def test_where_nothing_is_lifted_all_ways_agree():
    row = plays.play_stacked(middle(plays.DIALS_STACKED, elasticity=0.0, dispersion=0.2), np.random.default_rng(0))
    assert all(abs(row[f"ratio_{way}"] - 1) < FLAT for way in plays.WAYS)
    assert not (row["cascade_closer"] or row["capped_closer"] or row["cap_helps"])


def test_the_bend_decides_who_is_right():
    straight, flat = (
        plays.play_stacked(
            middle(plays.DIALS_STACKED, bend=bend, elasticity=3.0, dispersion=0.2), np.random.default_rng(0)
        )
        for bend in (0.0, 1.0)
    )
    assert straight["trees_short"] and straight["cascade_closer"]
    assert flat["cascade_over"] and not flat["cascade_closer"]
    assert flat["ratio_capped"] < flat["ratio_cascade"]


def test_cells_follow_their_dials():
    rng = np.random.default_rng(0)
    rows = plays._cells(middle(plays.DIALS_STACKED, promo_share=0.1), True, rng)
    assert rows["stacked"].gt(0).mean() == pytest.approx(0.1, abs=0.01)
    assert rows["demand"].mean() == pytest.approx(rows["mean"].mean(), rel=0.03)
    singles = plays._cells(middle(plays.DIALS_STACKED), False, rng)
    assert singles["stacked"].max() == 1 and singles["depth"].max() == plays.CUTS[-1]


def test_mixing_moves_the_labels_only():
    history = simulate(plays.World(), 2, 28, np.random.default_rng(0), days=84)
    rng = np.random.default_rng(0)
    assert plays._mixed(history, 1.0, rng).equals(history.tables["products"])
    mixed = plays._mixed(history, 0.0, rng)
    assert sorted(mixed["category"]) == sorted(history.tables["products"]["category"])
    assert (mixed["category"].to_numpy() != history.tables["products"]["category"].to_numpy()).mean() > 0.5
    assert mixed.drop(columns="category").equals(history.tables["products"].drop(columns="category"))


def test_new_products_can_be_replicated(quick, monkeypatch):
    monkeypatch.setattr(
        plays, "simulate", lambda world, stores, skus, rng, days: simulate(world, 3, 112, rng, days=728)
    )
    frame = replicate(plays.play_new, list(plays.DIALS_NEW), 1, seed=5)
    assert np.isfinite(frame.select_dtypes(float)).all(axis=None)
    assert frame["shrunk_beats_own"].dtype == bool
    assert (frame["weight_4"] < frame["weight_1"]).all()
