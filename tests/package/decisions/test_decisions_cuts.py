"""The sweep over all cuts against brute force and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import make_scorer
from sklearn.model_selection import TunedThresholdClassifierCV

from casebook.decisions import Costs, best_cut, decide, money, sweep

# Few distinct probabilities, so that ties are common.
score = st.sampled_from([0.0, 0.1, 0.3, 0.30000001, 0.7, 1.0])
tied = st.lists(st.tuples(st.booleans(), score), min_size=1, max_size=25)
ROUNDING = 1e-9


def by_brute_force(y, p, costs):
    rows = []
    for at in [-np.inf, *sorted(set(p))]:
        act = p > at
        tp, fp, fn = (act & y).sum(), (act & ~y).sum(), (~act & y).sum()
        rows.append((at, act.sum(), tp, fp, fn, len(y) - tp - fp - fn, money(y, act, costs)))
    return pd.DataFrame(rows, columns=["threshold", "n_act", "tp", "fp", "fn", "tn", "cost"])


@given(tied, st.integers(1, 20), st.integers(1, 20))
def test_a_sweep_is_brute_force_over_every_cut(rows, fp, fn):
    y, p = map(np.array, zip(*rows, strict=True))
    costs = Costs(fp, fn, tp=-2, tn=-1)
    expected = by_brute_force(y, p, costs)
    pd.testing.assert_frame_equal(sweep(y, p, costs)[list(expected)], expected, check_exact=True)


@given(tied, st.integers(0, 1000))
def test_costs_per_case_are_swept_the_same(rows, seed):
    y, p = map(np.array, zip(*rows, strict=True))
    rng = np.random.default_rng(seed)
    costs = Costs(rng.uniform(1, 9, len(y)), rng.uniform(2, 9, len(y)), tp=rng.uniform(-1, 1, len(y)), tn=0.5)
    expected = by_brute_force(y, p, costs)["cost"]
    np.testing.assert_allclose(sweep(y, p, costs)["cost"], expected, rtol=ROUNDING, atol=1e-9)


@given(tied)
def test_equal_costs_given_per_case_or_once_are_one(rows):
    y, p = map(np.array, zip(*rows, strict=True))
    once, each = sweep(y, p, Costs(3, 8)), sweep(y, p, Costs([3] * len(y), 8))
    pd.testing.assert_frame_equal(once, each)


def test_rates_and_both_ends():
    table = sweep([0, 1, 1, 0], [0.2, 0.4, 0.9, 0.4], Costs(1, 1))
    assert table["n_act"].tolist() == [4, 3, 1, 0]
    np.testing.assert_allclose(table["precision"], [0.5, 2 / 3, 1, np.nan])
    np.testing.assert_allclose(table["recall"], [1, 1, 0.5, 0])
    np.testing.assert_allclose(table["fpr"], [1, 0.5, 0, 0])
    only_negatives = sweep([0, 0], [0.2, 0.4], Costs(1, 1))
    assert only_negatives["recall"].isna().all()


@given(tied, st.randoms())
def test_rows_in_another_order_give_the_same_sweep(rows, random):
    shuffled = random.sample(rows, len(rows))
    tables = [sweep(*map(np.array, zip(*some, strict=True)), Costs(3, 8)) for some in (rows, shuffled)]
    pd.testing.assert_frame_equal(*tables)


@given(tied, st.floats(0.01, 10), st.floats(0.01, 10))
def test_deciding_is_one_of_the_cuts_and_never_beats_the_best(rows, fp, fn):
    y, p = map(np.array, zip(*rows, strict=True))
    costs = Costs(fp, fn)
    table = sweep(y, p, costs)
    at = table[table["threshold"] <= costs.threshold].iloc[-1]
    act = decide(p, costs)
    assert at["n_act"] == act.sum()
    assert at["cost"] == pytest.approx(money(y, act, costs), rel=ROUNDING, abs=1e-12)
    assert best_cut(y, p, costs).cost <= at["cost"]


def test_the_best_cut_of_equal_ones_acts_on_fewest():
    cut = best_cut([0, 1], [0.5, 0.5], Costs(1, 1))
    assert (cut.threshold, cut.n_act, cut.cost) == (0.5, 0, 1.0)
    assert best_cut([1, 1], [0.2, 0.3], Costs(1, 1)).n_act == 2


def test_the_best_cut_on_many_calibrated_cases_is_the_formula():
    rng = np.random.default_rng(1)
    p = rng.beta(1, 4, 200_000)
    y = rng.random(len(p)) < p
    # The cost is flat at its minimum: with 200,000 cases the empirical cut wanders by about 0.01.
    assert best_cut(y, p, Costs(1, 4)).threshold == pytest.approx(0.2, abs=0.02)


class _Score(ClassifierMixin, BaseEstimator):
    """A fitted model whose one feature is p."""

    def fit(self, x, y):
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, x):
        return np.column_stack([1 - x[:, 0], x[:, 0]])


@pytest.mark.parametrize("fn", [1, 4, 30])
def test_scikit_learn_finds_the_same_least_cost(fn):
    rng = np.random.default_rng(2)
    p = rng.beta(1, 4, 300).round(2)
    y = (rng.random(300) < p).astype(int)
    costs = Costs(1, fn)

    def business_gain(labels, act):
        return -money(labels, act, costs)

    tuned = TunedThresholdClassifierCV(
        FrozenEstimator(_Score().fit(None, None)),
        scoring=make_scorer(business_gain),
        cv="prefit",
        refit=False,
        thresholds=np.append(np.unique(p), 1.1),  # scikit-learn acts on p >= threshold
    ).fit(p[:, None], y)
    cut = best_cut(y, p, costs)
    assert -tuned.best_score_ == pytest.approx(cut.cost, rel=ROUNDING)
    assert money(y, tuned.predict(p[:, None]), costs) == pytest.approx(cut.cost, rel=ROUNDING)
