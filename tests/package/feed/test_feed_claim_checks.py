"""Played tests against the room's own estimator, and stars against money by hand and by simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from casebook.contracts import ContractError
from casebook.experiments import arm_moments, relative_effect
from casebook.feed.claim_checks import lost_by_bar, play_tests, star_and_worth
from casebook.feed.dials import Programme
from casebook.feed.programme_wins import effects_of, wins_of


def minutes(n=4_000, seed=1):
    return np.random.default_rng(seed).gamma(0.8, 40.0, n)


def test_a_played_test_reads_as_relative_effect_does():
    y, size, effect = minutes(), 300, 0.07
    told = play_tests(y, effect, size, np.random.default_rng(5), tests=3)
    rng = np.random.default_rng(5)
    for row in told.itertuples():
        new, old = (y[rng.integers(len(y), size=size)] for _ in range(2))
        frame = pd.DataFrame({"y": np.append((1 + effect) * new, old), "arm": ["new"] * size + ["old"] * size})
        arms = arm_moments(frame, "y", "arm")
        read = relative_effect(arms["new"], arms["old"])
        assert (row.estimate, row.se) == pytest.approx((read.estimate, read.se))
        assert row.star == (not read.low <= 0 <= read.high)
        assert row.covers == (read.low <= effect <= read.high)


def test_its_intervals_cover_and_its_power_is_the_theorys():
    y, effect, size = minutes(40_000), 0.1, 2_000
    told = play_tests(y, effect, size, np.random.default_rng(2), tests=2_000)
    assert 0.937 < told["covers"].mean() < 0.963
    z = effect / (1 + effect) / (y.std() / y.mean() * np.sqrt(2 / size))
    assert told["star"].mean() == pytest.approx(norm.cdf(z - 1.96), abs=0.04)
    assert told["se"].mean() == pytest.approx(told["estimate"].std(), rel=0.06)


def test_without_an_effect_a_star_is_what_does_not_cover():
    told = play_tests(minutes(), 0.0, 500, np.random.default_rng(3), tests=200)
    assert (told["star"] == ~told["covers"]).all()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((-minutes(50), 0.0, 20), r"^y must be of a mean above 0, got -"),
        ((minutes(50), -1.0, 20), r"^effect must be above -1, got -1; "),
        ((minutes(50), 0.0, 1), r"^size must be 2 or more, got 1; "),
    ],
)
def test_what_cannot_be_played_is_refused(args, message):
    with pytest.raises(ContractError, match=message):
        play_tests(*args, np.random.default_rng(0), tests=2)


def test_star_and_worth_is_what_drawn_tests_show():
    programme, spread, users, cost = Programme(idle=0.6, scale=0.02), 1.5, 40_000, 0.004
    rng = np.random.default_rng(4)
    effects = programme.draw(400_000, rng)
    se = spread * np.sqrt(2 / users)
    star, pays = effects + se * rng.standard_normal(len(effects)) > norm.isf(0.025) * se, effects > cost
    told = star_and_worth(programme, spread, users, cost)
    drawn = {"star": star, "pays": pays, "star_only": star & ~pays, "pays_only": pays & ~star}
    assert told == pytest.approx({name: float(rows.mean()) for name, rows in drawn.items()}, abs=0.003)


def test_star_and_worth_agrees_with_the_programmes_wins():
    programme, users = Programme(), 10_000
    se = 1.5 * np.sqrt(2 / users)
    told = star_and_worth(programme, 1.5, users, 0.0)
    wins = wins_of(programme, se)
    assert told["star"] == pytest.approx(wins.win_rate)
    assert told["star_only"] / told["star"] == pytest.approx(wins.false)


def test_no_bar_loses_less_than_the_cost_itself():
    programme, cost = Programme(), 0.004
    assert lost_by_bar(programme, cost, cost) == 0
    above = [lost_by_bar(programme, cost, bar) for bar in (0.006, 0.02, 0.054, 0.6)]
    assert above == sorted(above) and above[0] > 0
    assert above[-1] == 1  # nothing is launched
    assert lost_by_bar(programme, cost, 0.0) > 0  # and one that is too low


def test_a_bar_that_is_too_low_by_hand():
    programme, cost = Programme(idle=0.0, scale=0.01, tails=5.0), 0.005
    effects, weight = effects_of(programme)
    between = (effects > 0) & (effects <= cost)
    thrown = -(weight * (effects - cost))[between].sum()
    best = (weight * np.maximum(effects - cost, 0)).sum()
    assert lost_by_bar(programme, cost, 0.0) == pytest.approx(thrown / best)


def test_a_programme_that_cannot_pay_is_refused():
    with pytest.raises(ContractError, match=r"^programme must be one in which a launch can pay, got none that does; "):
        lost_by_bar(Programme(), 0.9, 0.9)
