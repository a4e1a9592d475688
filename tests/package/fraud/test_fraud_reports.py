"""Labels as a bank gets them: the delay, the share that never comes, and claims that are false."""

import numpy as np
import pytest
from scipy.stats import binom, kstest, lognorm

from casebook.fraud.reports import DELAY_SPREAD, WITHIN, delay_seconds, false_rate, hear
from casebook.fraud.rules import Rules
from casebook.fraud.simulate import simulate
from casebook.fraud.world import CHANNELS, DAY, World

MANY = 20_000


def heard(world, n=MANY, seed=0, passed=True):
    claim = np.random.default_rng(seed).random(n, np.float32)
    yes = np.ones(n, bool)
    return hear(world, np.zeros(n, np.int64), np.ones(n, np.int8), yes, yes & passed, claim, 0.0)


@pytest.mark.parametrize("median", [1.0, 7.0, 45.0])
def test_delays_are_log_normal_with_the_worlds_median(median):
    _, when = heard(World(delay_days=median))
    assert kstest(when / DAY, lognorm(DELAY_SPREAD, scale=median).cdf).pvalue > 0.01
    assert (when / DAY < WITHIN * median).mean() == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.85, 1.0])
def test_the_share_that_is_ever_reported_is_the_worlds(share):
    low, high = binom.interval(0.9999, MANY, share)
    rows, _ = heard(World(reported=share))
    assert low <= len(rows) <= high
    assert len(np.unique(rows)) == len(rows)


def test_what_did_not_pass_is_never_reported():
    assert len(heard(World(reported=1.0), passed=False)[0]) == 0


def test_an_events_delay_hangs_on_its_own_draw_alone():
    first, when = heard(World())
    some = np.arange(0, MANY, 3)
    claim = np.random.default_rng(0).random(MANY, np.float32)[some]
    yes = np.ones(len(some), bool)
    rows, later = hear(World(), np.zeros(len(some), np.int64), yes.astype(np.int8), yes, yes, claim, 0.0)
    both = np.isin(first, some[rows])
    np.testing.assert_array_equal(when[both], later)


def test_delays_rise_with_the_draw():
    draws = np.linspace(0, 1, 101)
    assert (np.diff(delay_seconds(World(), draws)) > 0).all()
    assert delay_seconds(World(), np.array([0.0, 1.0])).min() >= 1


@pytest.fixture(scope="module")
def run():
    world = World(prevalence=0.02, false_claims=0.3, delay_days=0.2, reported=0.8)
    return simulate(world, 3_000, 40, np.random.default_rng(3))


def test_claims_are_false_as_often_as_the_world_says(run):
    fraud = run.truth.events["fraud"].to_numpy()[run.tables["reports"]["event_id"]]
    low, high = binom.interval(0.999, len(fraud), 0.3)
    assert len(fraud) > 1_000
    slack = 0.1 * len(fraud)  # the fraud itself comes in episodes
    assert low - slack < (~fraud).sum() < high + slack


def test_false_claims_are_about_online_events(run):
    ids = run.tables["reports"]["event_id"].to_numpy()
    false = ids[~run.truth.events["fraud"].to_numpy()[ids]]
    assert (run.tables["events"]["channel"].to_numpy()[false] == "online").all()


def test_no_false_claims_where_there_is_no_fraud():
    assert false_rate(World(prevalence=0.0), 0.3) == 0.0
    assert false_rate(World(false_claims=0.0), 0.3) == 0.0
    assert len(CHANNELS) == 3


@pytest.mark.parametrize("policy", [Rules(), lambda morning: np.full(len(morning.events), 1)], ids=["rules", "push"])
def test_only_what_passed_is_ever_reported_and_the_bank_hears_it_later(policy):
    world = World(prevalence=0.02, delay_days=2.0, false_claims=0.2)
    tables = simulate(world, 800, 25, np.random.default_rng(4), policy).tables
    ids = tables["reports"]["event_id"].to_numpy()
    assert len(ids) > 50
    assert (tables["decisions"]["outcome"].to_numpy()[ids] == "passed").all()
    when = tables["reports"]["reported_at"].to_numpy()
    assert (when > tables["events"]["at"].to_numpy()[ids]).all()
    assert (np.diff(when) >= 0).all()
    assert when.max() < 25 * DAY
