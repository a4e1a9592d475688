"""Policies of a model and a choice: what they do, cuts found on the past, and models that are off and mended."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.decisions import fit_platt, undo_undersampling
from casebook.fraud.branch import play_until
from casebook.fraud.drawn_bank import Unclaimed
from casebook.fraud.policies import (
    Distorted,
    Mended,
    by_model,
    choices,
    cut_for_fpr,
    cut_for_ratio,
    oracle,
)
from casebook.fraud.prices import Asking, Prices
from casebook.fraud.rules import Rules
from casebook.fraud.stakes import Stakes
from casebook.fraud.tiers import SOURCE, Tiers, mean_cuts
from casebook.fraud.world import CHANNELS, Friction, World


class Given:
    """A model of given probabilities."""

    def __init__(self, p):
        self.p = np.asarray(p, float)

    def predict(self, features):
        return np.resize(self.p, len(features))


@pytest.fixture(scope="module")
def past():
    return play_until(World(prevalence=0.02), 300, 14, np.random.default_rng(0), day=10)


def test_a_policy_acts_on_the_models_probability_of_each_event(past):
    model = Given([0.005, 0.2, 0.7, 0.95])
    run = past.go_on(past.featured(by_model(model, SOURCE)))
    later = run.tables["decisions"].iloc[len(past.tables["events"]) :]
    first_day = run.money["events"].iloc[0]
    assert later["action"].iloc[:first_day].tolist() == np.resize([0, 1, 2, 3], first_day).tolist()


def test_rules_beside_a_model_take_the_harder_action(past):
    model, rules = Given([0.005, 0.2, 0.005, 0.005, 0.005, 0.7]), Rules(transfer_cents=100, cap_cents=5_000)
    seen = []

    def watch(morning, features):
        both, ruled = by_model(model, SOURCE, rules)(morning, features), rules(morning)
        seen.append((both, np.maximum(SOURCE(model.predict(features)), ruled), ruled))
        return both

    past.go_on(past.featured(watch))
    for both, harder, ruled in seen:
        np.testing.assert_array_equal(both, harder)
        assert (both > ruled).any() and (ruled > 0).any()


def test_an_oracle_without_the_truth_is_refused(past):
    with pytest.raises(ContractError, match="oracle must be in force where sees_truth=True"):
        past.go_on(oracle)


def test_choices_have_the_actions_they_name():
    prices = Prices(Friction(call=0.5), Asking(), Stakes(60.0, 170.0, 180.0))
    ways = choices(prices)
    assert list(ways["one cut"].cuts) == ["block"]
    assert list(ways["two cuts"].cuts) == ["push", "block"]
    assert list(ways["without push"].cuts) == ["call", "block"]
    assert list(ways["three cuts"].cuts) == ["push", "call", "block"]
    assert list(ways["push only"].cuts) == ["push"]
    assert ways["three cuts"] == Tiers.of(mean_cuts(prices))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 8), st.integers(1, 90), st.integers(1, 20)), min_size=2, max_size=12
    ).filter(lambda rows: any(row[0] for row in rows)),
    st.integers(1, 3),
)
def test_the_cut_for_the_ratio_is_the_best_of_all_cuts(rows, least):
    y, p, dollars, friction = (np.array(column) for column in zip(*rows, strict=True))
    p = p / 10
    least = min(least, int(y.sum()))
    best = -1.0
    for cut in [0.0, *np.unique(p)[:-1]]:
        above = p > cut
        if (above & y).sum() >= least and above.any():
            paid = friction[above & ~y].sum()
            best = max(best, dollars[above & y].sum() / paid if paid else np.inf)
    if best < 0:  # a fraud of p = 0 is above no cut
        return
    above = p > cut_for_ratio(y, p, dollars, friction, least).block
    paid = friction[above & ~y].sum()
    found = dollars[above & y].sum() / paid if paid else np.inf
    if (above & y).sum() >= least:
        assert found == pytest.approx(best)


def test_the_ratio_alone_wants_next_to_nothing_blocked():
    rng = np.random.default_rng(0)
    n = 200_000
    p = rng.beta(0.05, 3, n)
    y = rng.random(n) < p
    cut = cut_for_ratio(y, p, np.full(n, 100.0), np.full(n, 16.0), least=20)
    caught = y & (p > cut.block)
    assert 20 <= caught.sum() < 0.05 * y.sum()


def test_more_frauds_than_there_are_cannot_be_asked_for():
    with pytest.raises(ContractError, match="least must be from 1 to the number of frauds, got 2 of 1"):
        cut_for_ratio([1, 0], [0.5, 0.4], [1, 1], [1, 1], least=2)


def test_the_guardrail_is_spent_and_not_broken():
    rng = np.random.default_rng(0)
    p = rng.random(50_000) ** 6
    y = rng.random(50_000) < p / 50
    blocked = cut_for_fpr(y, p, 0.01)(p) > 0
    assert 0.0099 < blocked[~y].mean() <= 0.01


def test_distorted_odds_are_those_of_a_sample_that_was_not_corrected_for():
    p = np.linspace(0.001, 0.999, 50)
    rows = pd.DataFrame(index=range(50))
    sampled = Distorted(Given(p), 20).predict(rows)
    np.testing.assert_allclose(undo_undersampling(sampled, 1 / 20), p)
    np.testing.assert_allclose(Distorted(Given(p), 1).predict(rows), p)
    with pytest.raises(ContractError, match="Distorted, odds must be above 0, got 0; give the factor of the odds"):
        Distorted(Given(p), 0)


def test_a_platt_curve_mends_what_a_factor_of_the_odds_broke():
    rng = np.random.default_rng(0)
    p = rng.beta(0.3, 20, 120_000)
    y = rng.random(len(p)) < p
    rows = pd.DataFrame(index=range(len(p)))
    off = Distorted(Given(p), 20)
    mended = Mended(off, fit_platt(y, off.predict(rows))).predict(rows)
    assert abs(mended.mean() / p.mean() - 1) < 0.05
    high = p > 0.1
    assert abs(mended[high].mean() / p[high].mean() - 1) < 0.1


def test_probabilities_of_claims_become_those_of_frauds():
    rng = np.random.default_rng(0)
    p, online = rng.random(1_000) * 0.5, rng.random(1_000) < 0.3
    false = np.where(online, 0.02, 0.0)
    claims = 0.6 * p + false * (1 - p)
    rows = pd.DataFrame({"channel": np.where(online, CHANNELS.index("online"), CHANNELS.index("terminal"))})
    np.testing.assert_allclose(Unclaimed(Given(claims), 0.6, 0.02).predict(rows), p)
    assert Unclaimed(Given([0.0]), 0.6, 0.02).predict(rows).min() == 0
