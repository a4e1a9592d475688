"""Wins under the programme's prior: held against simulation, and against the closed forms for a normal one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.experiments import Belief, exaggeration, winners
from casebook.feed.dials import Programme
from casebook.feed.programme_wins import after_estimate, by_size, effects_of, wins_of

NEARLY_NORMAL = Programme(idle=0.7, scale=0.01, tails=1e6)
NORMAL = Belief(mean=0.0, sd=0.01, idle=0.7)


@pytest.mark.parametrize("programme", [Programme(), Programme(0.5, 0.02, 1.5), Programme(0.9, 0.002, 10.0)])
@pytest.mark.parametrize("se", [0.005, 0.03])
def test_wins_are_those_of_a_simulated_programme(programme, se):
    rng = np.random.default_rng(1)
    truth = programme.draw(1_000_000, rng)
    estimate = truth + se * rng.standard_normal(len(truth))
    won = estimate > 1.959964 * se
    got = wins_of(programme, se)
    error = (0.25 / won.sum()) ** 0.5
    assert got.win_rate == pytest.approx(won.mean(), abs=4 * (0.25 / len(truth)) ** 0.5)
    assert got.false == pytest.approx((truth[won] <= 0).mean(), abs=4 * error)
    assert got.estimate == pytest.approx(estimate[won].mean(), abs=5 * estimate[won].std() / won.sum() ** 0.5)
    assert got.truth == pytest.approx(truth[won].mean(), abs=5 * truth[won].std() / won.sum() ** 0.5)


@pytest.mark.parametrize("se", [0.002, 0.01, 0.04])
def test_a_programme_without_fat_tails_agrees_with_the_normal_belief(se):
    ours, theirs = wins_of(NEARLY_NORMAL, se), winners(NORMAL, se)
    for name in ("win_rate", "false", "estimate", "truth"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=2e-3)


@pytest.mark.parametrize(("estimate", "se"), [(0.001, 0.0005), (0.05, 0.0243), (0.02, 0.01)])
def test_what_is_known_after_an_estimate_agrees_with_the_normal_belief(estimate, se):
    got, belief = after_estimate(NEARLY_NORMAL, estimate, se), NORMAL.update(estimate, se)
    assert got.expected == pytest.approx(belief.expected, rel=5e-3)
    assert got.no_gain == pytest.approx(1 - belief.above(0.0), rel=5e-3)
    assert got.replication == pytest.approx(NORMAL.replication(estimate, se), rel=5e-3)


def test_after_an_estimate_agrees_with_the_tests_that_came_out_so():
    rng, programme, se = np.random.default_rng(2), Programme(), 0.02
    truth = programme.draw(1_000_000, rng)
    near = np.abs(truth + se * rng.standard_normal(len(truth)) - 0.05) < 0.002
    got = after_estimate(programme, 0.05, se)
    assert got.no_gain == pytest.approx((truth[near] <= 0).mean(), abs=0.03)
    assert got.expected == pytest.approx(truth[near].mean(), abs=0.001)


def test_where_nothing_works_every_win_is_false():
    got = wins_of(Programme(idle=1.0), 0.02)
    assert got.false == 1.0
    assert got.win_rate == pytest.approx(0.025)
    assert got.truth == 0.0


@settings(max_examples=25, deadline=None)
@given(st.floats(0.0, 0.95), st.floats(0.002, 0.02), st.floats(1.5, 10), st.floats(0.002, 0.05), st.floats(0.1, 10))
def test_units_of_the_effect_do_not_matter(idle, scale, tails, se, unit):
    scaled = wins_of(Programme(idle, scale, tails), se)
    other = wins_of(Programme(idle, scale / 10, tails), se / 10)  # far from where draws are cut off
    assert other.false == pytest.approx(scaled.false, abs=5e-3)
    effects, weight = effects_of(Programme(idle, scale * unit, tails))
    assert weight.sum() == pytest.approx(1)
    assert weight @ effects == pytest.approx(0, abs=1e-9)


def test_each_size_has_its_own_power_and_exaggeration():
    got = by_size(Programme(), 1.5, np.array([1_000, 100_000]), 0.02)
    for row in got.itertuples():
        assert row.se == pytest.approx(1.5 * (2 / row.users) ** 0.5)
        known = exaggeration(0.02, row.se)
        assert (row.power, row.type_m, row.type_s) == (known.power, known.type_m, known.type_s)
        assert row.false == wins_of(Programme(), row.se).false
    assert got["false"].is_monotonic_decreasing


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: wins_of(None, 0.1), "programme must be a Programme of the feed, got NoneType; pass Programme()."),
        (lambda: wins_of(Programme(), 0.0), "se must be above 0"),
        (lambda: after_estimate(Programme(), -0.01, 0.1), "estimate must be above 0"),
        (lambda: by_size(Programme(), 0.0, np.array([10]), 0.02), "spread must be above 0"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(ContractError, match=words.replace("(", r"\(").replace(")", r"\)")):
        call()
