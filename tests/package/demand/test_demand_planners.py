"""The planner's dial: ends that are known, the skill at which he begins to help, and what the play says of it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.demand.planners import PLANNERS, flip_skill, planner_overrides, play_planner
from casebook.demand.value_added import value_added
from casebook.worlds import draw_dials

N = 400_000
SAMPLED = 0.01  # four standard errors of a mean square of N draws, relative; all dials here have about that
EVENTS = {"event_share": 0.3, "event_size": 0.6, "model_error": 0.1, "dispersion": 0.1}


def company(seed=0, n=N):
    rng = np.random.default_rng(seed)
    model = np.exp(rng.normal(1.5, 1.0, n))
    return model, model * np.exp(0.5 * rng.standard_normal(n))


def test_all_skill_is_the_truth_and_none_is_the_model():
    model, truth = company(n=500)
    rng = np.random.default_rng(0)
    np.testing.assert_allclose(planner_overrides(model, truth, 1.0, 0.0, 0.0, rng, threshold=0.0), truth, rtol=1e-12)
    np.testing.assert_array_equal(planner_overrides(model, truth, 0.0, 0.0, 0.0, rng), model)
    np.testing.assert_allclose(planner_overrides(model, truth, 0.0, 0.0, 0.3, rng), model * np.exp(0.3), rtol=1e-12)
    worse = planner_overrides(model, truth, -1.0, 0.0, 0.0, rng, threshold=0.0)
    np.testing.assert_allclose(worse * truth, model**2, rtol=1e-9)


@given(st.floats(-0.5, 1.0), st.floats(0, 0.5), st.floats(-0.3, 0.3), st.floats(0, 0.5))
def test_small_changes_are_not_made(skill, noise, bias, threshold):
    model, truth = company(n=200)
    moved = np.abs(
        np.log(planner_overrides(model, truth, skill, noise, bias, np.random.default_rng(1), threshold) / model)
    )
    assert ((moved < 1e-12) | (moved >= threshold - 1e-9)).all()


@pytest.mark.parametrize(("noise", "bias"), [(0.1, 0.0), (0.3, 0.1), (0.2, -0.2), (0.0, 0.4)])
def test_the_flip_is_where_the_squared_log_errors_are_equal(noise, bias):
    model, truth = company()
    missed = np.log(truth / model)
    flip = flip_skill(noise, bias, float(np.mean(missed**2)))
    his = planner_overrides(model, truth, flip, noise, bias, np.random.default_rng(3), threshold=0.0)
    assert np.mean(np.log(truth / his) ** 2) == pytest.approx(np.mean(missed**2), rel=SAMPLED)


def test_no_skill_mends_more_noise_than_the_model_misses():
    assert np.isnan(flip_skill(0.4, 0.4, 0.3))
    assert flip_skill(0.3, 0.4, 0.25) == 1.0
    assert flip_skill(0.0, 0.0, 0.25) == 0.0


def test_value_added_rises_with_skill_on_the_same_draws_and_changes_sign():
    rng = np.random.default_rng(5)
    model, truth = company(5, 20_000)
    y = rng.poisson(truth)
    added = []
    for skill in (-0.3, 0.0, 0.3, 0.6, 1.0):
        his = planner_overrides(model, truth, skill, 0.2, 0.0, np.random.default_rng(6))
        rows = pd.DataFrame({"override_id": "a", "author": "Ada", "mean_before": model, "mean": his, "y": y})
        added.append(value_added(rows)["added"].iloc[0])
    assert np.all(np.diff(added) > 0)
    assert added[0] < added[1] < 0 < added[3]


def test_a_play_is_the_same_again_and_its_findings_follow_from_its_numbers():
    dials = {"skill": 0.5, "noise": 0.1, "bias": 0.05, **EVENTS}
    row = play_planner(dials, np.random.default_rng(1))
    assert row == play_planner(dials, np.random.default_rng(1))
    assert row["helps"] == (row["added"] > 0) and row["helps_pinball"] == (row["added_pinball"] > 0)
    assert row["disagree"] == (row["helps"] != row["helps_pinball"])
    assert row["trust_safe"] == (row["added_trusted"] >= 0)
    assert 0 <= row["trusted"] <= 1 and 0 < row["touched"] < 1


@pytest.mark.parametrize("seed", range(4))
def test_the_flip_of_a_play_separates_harm_from_help(seed):
    dials = {"skill": 0.0, "noise": 0.15, "bias": 0.0, **EVENTS}
    flip = play_planner(dials, np.random.default_rng(seed))["flip"]
    below, above = (
        play_planner({**dials, "skill": flip + step}, np.random.default_rng(seed))["added"] for step in (-0.1, 0.1)
    )
    assert below < 0 < above


def test_the_ends_of_the_dial():
    good = {"skill": 1.0, "noise": 0.02, "bias": 0.0, **EVENTS}
    bad = {"skill": -0.3, "noise": 0.5, "bias": 0.3, **EVENTS}
    for seed in range(3):
        helped, harmed = (play_planner(dials, np.random.default_rng(seed)) for dials in (good, bad))
        assert helped["helps"] and helped["trusted"] > 0.7
        assert not harmed["helps"] and harmed["trusted"] < 0.2


def test_an_unskilled_planner_without_events_to_see_adds_nothing_by_noise():
    null = draw_dials(PLANNERS, 12, np.random.default_rng(2), null=True)
    assert (null[["skill", "event_share"]] == 0).all().all()
    rows = [
        play_planner({**dials, "bias": 0.0}, np.random.default_rng(seed))
        for seed, dials in enumerate(null.to_dict("records"))
    ]
    added = np.array([row["added"] for row in rows])
    assert added.mean() < -0.02
    assert added[null["noise"] > 0.2].max() < 0 < (null["noise"] > 0.2).sum()


def test_refusals():
    rng = np.random.default_rng(0)
    for arguments, sentence in (
        (
            ([1.0, 0.0], [1.0, 1.0], 0.5, 0.1, 0.0, rng),
            "model_forecast, row 1 must be above 0, got 0; leave the row out or raise it to 1e-09.",
        ),
        (
            ([1.0], [float("nan")], 0.5, 0.1, 0.0, rng),
            "truth_mean, row 0 must be above 0, got nan; leave the row out or raise it to 1e-09.",
        ),
        (
            ([1.0], [1.0], 0.5, -0.1, 0.0, rng),
            "noise must be 0 or more, got -0.1; give a standard deviation or size in logs.",
        ),
        (
            ([1.0], [1.0], 0.5, 0.1, 0.0, rng, -1.0),
            "threshold must be 0 or more, got -1; give a standard deviation or size in logs.",
        ),
    ):
        with pytest.raises(ContractError) as refusal:
            planner_overrides(*arguments)
        assert str(refusal.value) == sentence
    with pytest.raises(ContractError) as refusal:
        flip_skill(0.1, 0.1, 0.0)
    assert str(refusal.value) == "missed must be above 0, got 0; give the mean square of log(truth / model)."
