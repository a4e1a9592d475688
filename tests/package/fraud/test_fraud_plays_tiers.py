"""Drawn banks: nothing leaks into their past, equal policies cost the same, and null worlds show no finding."""

from functools import partial

import numpy as np
import pytest

from casebook.fraud import plays_tiers
from casebook.fraud.drawn_bank import WINDOW, draw_bank, false_rate, fit_claims, mend, play_chosen, told_cases
from casebook.fraud.stakes import see_stakes
from casebook.fraud.tiers import JUNIOR, SOURCE, Tiers
from casebook.fraud.world import DAY, ENTRIES
from casebook.worlds import Dial, replicate

SMALL = partial(draw_bank, cards=200, days=41, start=38)
DIALS = {"prevalence": 0.04, "push_pass": 0.1, "delay_days": 2.0, "reported": 0.9}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(plays_tiers, "draw_bank", SMALL)


@pytest.fixture(scope="module")
def drawn():
    return SMALL(DIALS | {"false_claims": 0.2}, np.random.default_rng(0))


def test_dials_take_the_place_of_what_is_drawn(drawn):
    world = drawn.past.world
    assert (world.prevalence, world.push_pass, world.delay_days, world.false_claims) == (0.04, 0.1, 2.0, 0.2)
    assert world.costs.push != 0.05  # the costs are drawn


def test_the_bank_fits_to_what_it_knew(drawn):
    """Reports of later than the start, were they read, would change the fit; the tables of the past have none."""
    assert drawn.past.tables["reports"]["reported_at"].max() < 38 * DAY
    assert len(drawn.features) == len(drawn.past.tables["events"])
    again = fit_claims(drawn.past, drawn.features, range(38 - WINDOW, 38), np.random.default_rng(5))
    p = again.predict(drawn.features)
    fraud = drawn.past.truth.events["fraud"].to_numpy()
    assert again.claims > 100
    assert p[fraud].mean() > 5 * p[~fraud].mean()


def test_the_false_rate_is_that_of_the_world(drawn):
    """Recovery: honest online events that are claimed in the end, over all honest online events."""
    run = drawn.past.go_on(None)
    online = (run.tables["events"]["channel"] == "online").to_numpy() & ~run.truth.events["fraud"].to_numpy()
    world = drawn.past.world
    claims = world.reported * world.prevalence / (1 - world.prevalence)
    true = 0.2 / 0.8 * claims / online.mean()
    assert false_rate(drawn.past) == pytest.approx(true, rel=0.25)


def test_stakes_without_the_false_claims_are_nearer_the_truth(drawn):
    truth = drawn.past.truth.events
    mean = truth.loc[truth["fraud"], "loss_dollars"].mean()
    costs = drawn.past.world.costs
    naive = see_stakes(drawn.past.tables, 38 * DAY, costs)
    known = see_stakes(drawn.past.tables, 38 * DAY, costs, false_claims=0.2)
    assert abs(known.mean_loss - mean) < abs(naive.mean_loss - mean)


def test_cases_are_those_of_the_reports(drawn):
    cases = told_cases(drawn.past)
    assert len(cases) == len(drawn.past.tables["reports"])
    assert set(cases["entry"]) <= set(ENTRIES) and "honest" not in set(cases["kind"])
    assert (cases.loc[cases["kind"] == "account_takeover", "entry"] == "app").all()


def test_equal_choices_are_played_once_and_stand_under_each_name(drawn):
    ledger = play_chosen(
        drawn, {"a": (drawn.model, SOURCE), "b": (drawn.model, Tiers(0.01, 0.5, 0.9)), "c": (drawn.model, JUNIOR)}
    )
    assert ledger.table.index.tolist() == ["nothing", "a", "b", "c", "oracle"]
    assert ledger.table.loc["a"].equals(ledger.table.loc["b"])
    assert ledger.daily.columns.tolist() == ["nothing", "a", "b", "c", "oracle"]


def test_a_mended_model_promises_as_much_as_comes(drawn):
    off = mend(drawn, 20.0).predict(drawn.features).sum()
    assert 0.5 < off / drawn.claims.predict(drawn.features).sum() < 2


@pytest.mark.slow
def test_where_every_push_is_passed_nothing_is_gained_by_it():
    row = plays_tiers.play_tiers(DIALS | {"push_pass": 1.0}, np.random.default_rng(1))
    assert row["net_two_cuts"] == row["net_one_cut"]
    assert row["net_three_cuts"] == row["net_without_push"]
    assert row["push_share"] == 0
    assert not (row["push_is_most_of_gain"] or row["push_gains"] or row["two_beat_one"])
    push = plays_tiers.play_push(DIALS | {"push_pass": 1.0}, np.random.default_rng(1))
    assert push["net_push_only"] == push["net_nothing"] and push["second_cut"] == 0 and not push["push_helps"]


def test_where_the_odds_are_true_the_distortion_has_no_price():
    row = plays_tiers.play_odds(DIALS | {"odds": 1.0}, np.random.default_rng(1))
    assert row["price"] == 0 and not row["distortion_costs"]


def test_worlds_can_be_replicated():
    dials = [Dial("prevalence", 0.03, 0.04, "share", "assumed", "m"), Dial("odds", 2.0, 20.0, "x", "assumed", "m")]
    frame = replicate(plays_tiers.play_odds, dials, 1, seed=3)
    assert frame["distortion_costs"].dtype == bool and np.isfinite(frame["price"]).all()
    assert frame["net_nothing"].iloc[0] > frame["net_oracle"].iloc[0]
