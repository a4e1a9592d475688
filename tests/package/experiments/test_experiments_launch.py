"""Values of launching and of waiting against drawn effects and the normal's closed form."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from casebook.contracts import ContractError
from casebook.experiments import Belief, launch_value, value_of_more

DRAWS = 400_000
beliefs = st.builds(Belief, st.floats(-1, 1), st.floats(0.1, 2), st.sampled_from([0.0, 0.4, 0.9]))


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def drawn(belief, rng, n=DRAWS):
    return np.where(rng.random(n) < belief.idle, 0.0, rng.normal(belief.mean, belief.sd, n))


def close(values):
    """The mean of drawn values within four of its standard errors."""
    return pytest.approx(values.mean(), abs=4 * values.std() / np.sqrt(len(values)) + 1e-12)


@pytest.mark.parametrize("belief", [Belief(0.3, 0.5), Belief(-0.2, 0.5), Belief(0.3, 0.5, idle=0.6)])
@pytest.mark.parametrize("cost", [0.0, 5.0])
def test_each_value_is_the_mean_over_drawn_effects(belief, cost):
    value = 10 * drawn(belief, np.random.default_rng(0)) - cost
    got = launch_value(belief, worth=10, to_pay=cost)
    assert got.expected == close(value)
    assert got.chance_of_loss == close((value < 0).astype(float))
    assert got.cost_of_error == close(np.maximum(-value, 0))
    # The mean of the better choice less the better mean; the latter is exact.
    best = np.maximum(value, 0)
    assert got.perfect_information == pytest.approx(
        best.mean() - max(got.expected, 0), abs=4 * best.std() / np.sqrt(DRAWS) + 1e-12
    )
    assert got.launch is (got.expected > 0)


@given(beliefs, st.floats(0.1, 100), st.floats(0, 50))
def test_perfect_information_is_never_worth_less_than_nothing_nor_more_than_the_error_it_saves(belief, worth, cost):
    got = launch_value(belief, worth, to_pay=cost)
    assert got.perfect_information >= -1e-9 and got.cost_of_error >= -1e-9
    if got.launch:
        assert got.perfect_information == pytest.approx(got.cost_of_error)
    assert got.threshold * worth == pytest.approx(cost)
    scaled = launch_value(belief, 7 * worth, to_pay=7 * cost)
    assert (scaled.expected, scaled.perfect_information) == pytest.approx(
        (7 * got.expected, 7 * got.perfect_information), rel=1e-9, abs=1e-9
    )


def test_launching_pays_from_the_threshold_on():
    cost, worth = 4_000, 2_000_000
    threshold = launch_value(Belief(0.01, 0.01), worth, to_pay=cost).threshold
    for step, launch in ((0.99, False), (1.01, True)):
        assert launch_value(Belief(step * threshold, 0.01), worth, to_pay=cost).launch is launch


def test_what_is_spent_moves_no_decision_but_the_wrong_one():
    free, sunk = (launch_value(Belief(0.01, 0.01), 1_000, to_pay=2, spent=spent) for spent in (0, 50))
    assert (free.expected, free.launch, free.threshold) == (sunk.expected, sunk.launch, sunk.threshold)
    assert free.threshold_with_sunk == free.threshold < sunk.threshold_with_sunk == 52 / 1_000
    # To count it would stop a launch that pays.
    assert sunk.launch and sunk.threshold < 0.01 < sunk.threshold_with_sunk


def test_p_and_value_may_disagree_either_way():
    flat = Belief(0.0, 1e3)
    significant = launch_value(flat.update(0.001, 0.0004), worth=1e6, to_pay=5_000)
    assert 2 * norm.sf(0.001 / 0.0004) < 0.05 and not significant.launch
    unproved = launch_value(flat.update(0.05, 0.04), worth=1e6, to_pay=5_000)
    assert 2 * norm.sf(0.05 / 0.04) > 0.05 and unproved.launch


@given(st.floats(-1, 1), st.floats(0.2, 2), st.floats(0.2, 2), st.floats(0, 2))
def test_more_data_on_a_normal_belief_is_worth_the_unit_normal_loss(mean, sd, se, cost):
    got = value_of_more(Belief(mean, sd), worth=3.0, more_se=se, to_pay=cost)
    spread, now = 3 * sd**2 / np.hypot(sd, se), 3 * mean - cost
    z = abs(now) / spread
    assert got.information == pytest.approx(spread * (norm.pdf(z) - z * norm.sf(z)), abs=1e-5)
    assert got.changes_mind == pytest.approx(norm.sf(z), abs=1e-3)
    assert got.delay == 0


@pytest.mark.parametrize("belief", [Belief(0.3, 0.5, idle=0.6), Belief(0.05, 1.0, idle=0.3)])
def test_more_data_is_worth_what_drawn_decisions_gain(belief):
    rng, se, worth, cost, lost = np.random.default_rng(1), 0.4, 10.0, 1.5, 0.1
    truth = drawn(belief, rng)
    then = belief.expected_after(rng.normal(truth, se), se)
    gained = np.where(worth * then > cost, worth * truth - cost, 0.0)
    late = np.where((1 - lost) * worth * then > cost, (1 - lost) * worth * truth - cost, 0.0)
    got = value_of_more(belief, worth, se, to_pay=cost, lost_share=lost)
    now = max(worth * belief.expected - cost, 0)
    assert got.information == pytest.approx(gained.mean() - now, abs=4 * gained.std() / np.sqrt(DRAWS))
    assert got.net == pytest.approx(late.mean() - now, abs=4 * late.std() / np.sqrt(DRAWS))
    assert got.run_on is (got.net > 0)


@given(beliefs, st.floats(0.1, 3), st.floats(0, 3))
def test_better_data_is_worth_more_up_to_perfect_information(belief, se, cost):
    better, worse = (value_of_more(belief, 2.0, error, to_pay=cost).information for error in (se / 2, se))
    assert -1e-9 <= worse <= better + 1e-6
    assert better <= launch_value(belief, 2.0, to_pay=cost).perfect_information + 1e-5


def test_what_cannot_change_the_decision_is_worth_nothing():
    got = value_of_more(Belief(5.0, 0.1), worth=1.0, more_se=0.1, lost_share=0.04)
    assert got.information == pytest.approx(0, abs=1e-6)
    assert got.changes_mind == pytest.approx(0, abs=1e-9)
    assert got.delay == pytest.approx(0.2)
    assert not got.run_on


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: launch_value(0.1, 5), "belief must be a Belief, got float; pass programme.update(estimate, se)."),
        (lambda: launch_value(Belief(0, 1), 0), "worth must be above 0, got 0; pass what the plan has of it."),
        (
            lambda: launch_value(Belief(0, 1), 1, to_pay=-3),
            "to_pay must be 0 or more, got -3.0; drop the minus sign.",
        ),
        (
            lambda: launch_value(Belief(0, 1), 1, spent=[1, 2]),
            "spent must be one number, got an array; pass the total.",
        ),
        (
            lambda: value_of_more(Belief(0, 1), 1, 1, lost_share=4),
            "lost_share must be in [0, 1), got 4; divide percentages by 100.",
        ),
        (lambda: value_of_more(Belief(0, 1), 1, 0), "more_se must be above 0, got 0; pass what the plan has of it."),
    ],
)
def test_refusals(call, text):
    with says(text):
        call()
