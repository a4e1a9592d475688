"""Values of a policy against a small bandit whose truth is a sum, against statsmodels, and against loops."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.linear_model import WLS

from casebook.contracts import ContractError
from casebook.exploration import (
    doubly_robust,
    draw_actions,
    effective_sample_size,
    importance_weights,
    ips,
    propensity_of,
    snips,
)

ROUNDING = 1e-9
#: Four kinds of cases, three actions: chance of a reward, logging policy, target policy, a model that errs.
REWARD = np.array([[0.1, 0.5, 0.3], [0.6, 0.2, 0.4], [0.3, 0.3, 0.9], [0.8, 0.5, 0.1]])
LOGGED = np.array([[0.6, 0.2, 0.2], [0.3, 0.4, 0.3], [0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
TARGET = np.array([[0.0, 0.9, 0.1], [0.8, 0.1, 0.1], [0.1, 0.1, 0.8], [0.7, 0.3, 0.0]])
MODEL = np.clip(REWARD + np.array([0.3, -0.2, 0.1]), 0, 1)
TRUTH = float((TARGET * REWARD).sum(axis=1).mean())  # kinds are equally many
RUNS, N = 1_000, 300


def draw_log(rng, n=N):
    kind = rng.integers(0, 4, n)
    actions, propensities = draw_actions(LOGGED[kind], rng)
    rewards = (rng.random(n) < REWARD[kind, actions]).astype(float)
    return kind, actions, propensities, rewards


def estimates(rng):
    kind, actions, propensities, rewards = draw_log(rng)
    target = propensity_of(TARGET[kind], actions)
    wrong = np.full(N, 1 / 3)
    return {
        "ips": ips(rewards, target, propensities),
        "snips": snips(rewards, target, propensities),
        "dr": doubly_robust(rewards, actions, propensities, TARGET[kind], MODEL[kind]),
        "dr_right_model": doubly_robust(rewards, actions, propensities, TARGET[kind], REWARD[kind]),
        "dr_wrong_propensities": doubly_robust(rewards, actions, wrong, TARGET[kind], REWARD[kind]),
        "ips_wrong_propensities": ips(rewards, target, wrong),
        "clipped": ips(rewards, target, propensities, clip=2.5),
    }


@pytest.fixture(scope="module")
def runs():
    rng = np.random.default_rng(0)
    return [estimates(rng) for _ in range(RUNS)]


def values_of(runs, name):
    return np.array([run[name].value for run in runs])


@pytest.mark.parametrize("name", ["ips", "dr", "dr_right_model", "dr_wrong_propensities"])
def test_the_mean_over_logs_is_the_truth_within_four_standard_errors(runs, name):
    found = values_of(runs, name)
    assert abs(found.mean() - TRUTH) < 4 * stats.sem(found)
    assert stats.sem(found) < 0.003  # so that a bias of a percentage point would be seen


def test_self_normalised_is_off_by_less_than_a_tenth_of_its_spread(runs):
    found = values_of(runs, "snips")
    assert abs(found.mean() - TRUTH) < 0.1 * found.std()


def test_wrong_propensities_are_seen_where_no_model_mends_them(runs):
    found = values_of(runs, "ips_wrong_propensities")
    assert abs(found.mean() - TRUTH) > 20 * stats.sem(found)


@pytest.mark.parametrize("name", ["ips", "snips", "dr", "dr_right_model"])
def test_intervals_cover_and_standard_errors_are_the_spread(runs, name):
    covered = [low <= TRUTH <= high for low, high in (run[name].interval() for run in runs)]
    assert 0.93 < np.mean(covered) < 0.97  # 95% +- 3 standard errors of a share of 1,000
    errors = np.array([run[name].standard_error for run in runs])
    assert errors.mean() == pytest.approx(values_of(runs, name).std(), rel=0.06)


def test_a_model_makes_the_estimate_steadier_the_better_it_is(runs):
    spread = {name: values_of(runs, name).std() for name in ("ips", "dr", "dr_right_model")}
    assert spread["dr_right_model"] < spread["dr"] < spread["ips"]


def exact(weights, clip):
    """Expectation of weight times reward, clipped, over kinds and logged actions."""
    return float((LOGGED * np.minimum(weights, clip) * REWARD).sum(axis=1).mean())


def test_clipping_is_biased_by_what_it_cuts_off_and_within_its_bound(runs):
    weights = TARGET / LOGGED
    assert exact(weights, np.inf) == pytest.approx(TRUTH)
    bias = exact(weights, 2.5) - TRUTH
    found = values_of(runs, "clipped")
    assert abs(found.mean() - TRUTH - bias) < 4 * stats.sem(found)
    cut = float((LOGGED * np.maximum(weights - 2.5, 0)).sum(axis=1).mean())  # times the largest reward, 1
    bounds = np.array([run["clipped"].bias_bound for run in runs])
    assert abs(bounds.mean() - cut) < 4 * stats.sem(bounds)
    assert -cut < bias < -0.05
    assert all(run["ips"].bias_bound == 0 for run in runs)
    assert max(run["clipped"].largest_weight for run in runs) == 2.5


logs = st.integers(0, 10_000).map(lambda seed: draw_log(np.random.default_rng(seed), 40))


@given(logs, st.sampled_from([None, 1.5]))
def test_every_estimate_is_its_loop(log, clip):
    kind, actions, propensities, rewards = log
    target = propensity_of(TARGET[kind], actions)
    weight = [min(t / p, clip or np.inf) for t, p in zip(target, propensities, strict=True)]
    assert ips(rewards, target, propensities, clip=clip).value == pytest.approx(
        sum(w * r for w, r in zip(weight, rewards, strict=True)) / 40, rel=ROUNDING
    )
    assert snips(rewards, target, propensities, clip=clip).value == pytest.approx(
        sum(w * r for w, r in zip(weight, rewards, strict=True)) / sum(weight), rel=ROUNDING
    )
    total = 0.0
    for k, a, w, r in zip(kind, actions, weight, rewards, strict=True):
        total += sum(TARGET[k, b] * MODEL[k, b] for b in range(3)) + w * (r - MODEL[k, a])
    found = doubly_robust(rewards, actions, propensities, TARGET[kind], MODEL[kind], clip=clip)
    assert found.value == pytest.approx(total / 40, rel=ROUNDING)


@given(logs)
def test_self_normalised_error_is_that_of_a_weighted_regression(log):
    kind, actions, propensities, rewards = log
    target = propensity_of(TARGET[kind], actions)
    weights = importance_weights(target, propensities)
    model = WLS(rewards, np.ones(40), weights=weights)
    found = snips(rewards, target, propensities)
    twin = model.fit(cov_type="HC1")
    np.testing.assert_allclose([found.value, found.standard_error], [twin.params[0], twin.bse[0]], rtol=1e-7)
    by_kind = snips(rewards, target, propensities, groups=kind)
    twin = model.fit(cov_type="cluster", cov_kwds={"groups": kind})
    assert by_kind.standard_error == pytest.approx(twin.bse[0], rel=1e-7)


@given(logs)
def test_on_its_own_log_a_policy_has_the_mean_reward(log):
    _, _, propensities, rewards = log
    for estimate in (ips, snips):
        found = estimate(rewards, propensities, propensities)
        assert found.value == pytest.approx(rewards.mean())
        assert found.standard_error == pytest.approx(stats.sem(rewards))
        assert found.effective_n == pytest.approx(40)


@given(logs, st.floats(-5, 5))
def test_special_cases_collapse(log, constant):
    kind, actions, propensities, rewards = log
    target = propensity_of(TARGET[kind], actions)
    plain = ips(rewards, target, propensities)
    assert ips(rewards.astype(bool), target, propensities) == plain
    assert doubly_robust(rewards, actions, propensities, TARGET[kind], np.zeros((40, 3))) == plain
    moved = snips(rewards + constant, target, propensities)
    assert moved.value == pytest.approx(snips(rewards, target, propensities).value + constant)
    assert moved.standard_error == pytest.approx(snips(rewards, target, propensities).standard_error)
    known = doubly_robust(rewards + constant, actions, propensities, TARGET[kind], REWARD[kind] + constant)
    assert known.value == pytest.approx(
        doubly_robust(rewards, actions, propensities, TARGET[kind], REWARD[kind]).value + constant
    )
    np.testing.assert_array_equal(
        ips(rewards, target, propensities, clip=1e9).interval(), plain.interval()
    )  # nothing to clip


def test_the_same_rows_twice_tell_nothing_new_if_they_are_grouped():
    kind, actions, propensities, rewards = draw_log(np.random.default_rng(3))
    target, twice = propensity_of(TARGET[kind], actions), np.tile(np.arange(N), 2)
    once = ips(rewards, target, propensities)
    again = ips(*(np.tile(part, 2) for part in (rewards, target, propensities)), groups=twice)
    assert again.standard_error == pytest.approx(once.standard_error)


weights = st.lists(st.floats(0, 1e200), min_size=1, max_size=30).filter(lambda given: max(given) > 1e-100)


@given(weights)
def test_effective_sample_size_lies_between_one_and_n_and_has_no_unit(given_weights):
    found = effective_sample_size(given_weights)
    assert 1 - ROUNDING <= found <= len(given_weights) + ROUNDING
    assert effective_sample_size([w * 3e-7 for w in given_weights]) == pytest.approx(found)
    assert effective_sample_size([*given_weights, 0.0]) == pytest.approx(found)
    assert effective_sample_size([2.0] * 7) == pytest.approx(7)


def test_a_mean_with_weights_spreads_as_one_of_so_many_rows():
    rng = np.random.default_rng(4)
    drawn = rng.exponential(size=50)
    means = (rng.normal(size=(20_000, 50)) * drawn).sum(axis=1) / drawn.sum()
    assert 1 / means.var() == pytest.approx(effective_sample_size(drawn), rel=0.05)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: ips([1, 0], [0.5, 0.5], [0.5, 0.0]),
            "propensities, row 1 must be above 0 and at most 1, got 0.0; look at the log, for what was done had a "
            "probability.",
        ),
        (
            lambda: ips([1, 0], [0.5, 0.5], [0.5, None]),
            "propensities, row 1 must be above 0 and at most 1, got a missing value; look at the log, for what was "
            "done had a probability.",
        ),
        (
            lambda: ips([1, 0], [0.5, 20], [0.5, 0.5]),
            "target, row 1 must be in [0, 1], got 20.0; divide percentages by 100.",
        ),
        (
            lambda: snips([1], [0.5, 0.5], [0.5, 0.5]),
            "rewards must be 2 long, got 1 rows; take all arguments from one table.",
        ),
        (
            lambda: snips([1, 0], [0.0, 0.0], [0.5, 0.5]),
            "target must be above 0 in some row, got only 0; check that the two policies share an action.",
        ),
        (
            lambda: ips([1], [0.5], [0.5]),
            "rewards must be at least two, got 1; one alone shows no spread, so wait for more.",
        ),
        (
            lambda: ips([1, 2], [0.5, 0.5], [0.5, 0.5], groups=["a", "a"]),
            "groups must be at least two, got 1; one alone shows no spread, so wait for more.",
        ),
        (
            lambda: ips([1, 2], [0.5, 0.5], [0.5, 0.5], groups=["a"]),
            "groups must be 2 long, got 1 rows; take all arguments from one table.",
        ),
        (
            lambda: ips([1, 0], [0.5, 0.5], [0.5, 0.5], clip=0),
            "clip must be above 0, got 0; take ten or more, or leave it out.",
        ),
        (
            lambda: doubly_robust([1, 0], [0, 1], [0.5, 0.5], [[0.5, 0.5]] * 2, [[1.0]] * 2),
            "predicted must be 2 columns wide, got 1 columns; give one column per action.",
        ),
        (
            lambda: doubly_robust([1, 0], [0, 2], [0.5, 0.5], [[0.5, 0.5]] * 2, [[1.0, 0.0]] * 2),
            "actions, row 1 must be in 0 to 1, got 2; count the actions' columns from 0.",
        ),
        (
            lambda: ips([1, 0], [0.5, 0.5], [0.5, 0.5]).interval(95),
            "level must be above 0 and below 1, got 95; give it as a share, such as 0.95.",
        ),
        (
            lambda: effective_sample_size([1, -1]),
            "weights, row 1 must be 0 or more, got -1.0; drop the minus sign.",
        ),
        (
            lambda: effective_sample_size([0, 0]),
            "weights must be above 0 in some row, got only 0; check that the two policies share an action.",
        ),
    ],
)
def test_refusals(call, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        call()
