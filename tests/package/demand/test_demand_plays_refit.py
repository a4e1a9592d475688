"""Drawn grocers and three calendars of fits: each fit's own loss, found again by hand, and what a null world leaves."""

import numpy as np
import pytest

from casebook.demand import plays_refit
from casebook.demand.models import BoostedQuantiles
from casebook.demand.plays_refit import DIALS, FRACTILE, play_refit


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for name, value in (("STORES", 2), ("TRAINED", 12), ("TESTED", 7)):
        monkeypatch.setattr(plays_refit, name, value)


def middle(null=False):
    return {d.name: float(d.null if null and d.null is not None else d.at(0.5)) for d in DIALS}


def test_the_kept_fit_s_loss_is_that_of_one_model_fitted_to_what_was_known():
    row = play_refit(middle(), np.random.default_rng(3))
    frame, wanted = plays_refit._drawn(middle(), np.random.default_rng(3))
    tests = np.unique(frame["origin"])[-7:]
    known, asked = (frame["day"] <= tests[0]).to_numpy(), frame["origin"].isin(tests).to_numpy()
    model = BoostedQuantiles([FRACTILE], trees=60).fit(frame[known].drop(columns="y"), frame["y"][known])
    short = wanted[asked] - model.predict(frame[asked].drop(columns="y")).iloc[:, 0].to_numpy()
    loss = np.maximum(FRACTILE * short, (FRACTILE - 1) * short)
    sundays = frame["origin"].to_numpy()[asked]
    by_hand = np.mean([loss[sundays == at].mean() for at in tests])
    assert row["loss_once"] == pytest.approx(by_hand, rel=1e-9)


def test_a_seed_gives_one_row_and_the_findings_follow_from_it():
    row = play_refit(middle(), np.random.default_rng(5))
    assert row == play_refit(middle(), np.random.default_rng(5))
    assert row["gain_weekly"] == pytest.approx(1 - row["loss_weekly"] / row["loss_once"])
    assert row["weekly_helps"] == (row["gain_weekly"] >= 0.01)
    assert row["weekly_hurts"] == (row["gain_weekly"] <= -0.01)
    assert row["monthly_does"] == (row["gain_weekly"] - row["gain_monthly"] < 0.01)
    assert row["times"] > 7  # seven fits, each to a little more


def test_the_shock_begins_on_the_day_after_the_third_test_sunday(monkeypatch):
    drawn, simulate = [], plays_refit.simulate
    monkeypatch.setattr(
        plays_refit, "simulate", lambda world, *rest, **more: drawn.append(world) or simulate(world, *rest, **more)
    )
    frame, wanted = plays_refit._drawn(middle() | {"shock": 1.2}, np.random.default_rng(1))
    assert len(wanted) == len(frame) and np.isfinite(wanted).all()
    assert drawn[0].shock_day == np.unique(frame["origin"])[-7:][2] + 1
    assert drawn[0].shock_size == 1.2 and len(np.unique(frame["origin"])) == 12 + 7


def test_the_null_world_has_nothing_to_learn_anew():
    assert {d.name for d in DIALS if d.null == 0} == {"drift", "shock", "promo_share"}
