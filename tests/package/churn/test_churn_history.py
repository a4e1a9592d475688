"""What the reps' calls seem to have done: the estimate against DoubleML and by hand, and against the truth."""

import re

import doubleml
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from casebook.churn.adjust import (
    CLIP,
    Effect,
    Nuisance,
    adjusted_effect,
    cross_fit,
    e_value,
    naive_effect,
    risk_ratio,
)
from casebook.churn.evaluate import worth
from casebook.churn.history import _replay, called_uplift, history_effects, history_frame, history_snapshot
from casebook.churn.simulate import simulate
from casebook.churn.world import World
from casebook.contracts import ContractError

ROUNDING = 1e-9
SINGLE = 1e-6  # the play keeps hazards in single precision
RUNS = 60  # of the coverage test: at 95% fewer than 51 hits have a chance below 0.001


def drawn(n, rng, effect=0.05, unseen=0.0):
    """A month in which x decides calls and leaving, and so may something that x does not show."""
    x, hidden = rng.normal(size=(n, 2)), rng.normal(size=n)
    called = rng.random(n) < 1 / (1 + np.exp(1.5 - x[:, 0] - unseen * hidden))
    stays = 1 / (1 + np.exp(-1.5 + x[:, 0] + unseen * hidden))
    stayed = rng.random(n) < np.where(called, stays + effect * (1 - stays), stays)
    truth = float((effect * (1 - stays))[called].mean())
    return pd.DataFrame(x, columns=["a", "b"]), called, stayed, np.arange(n) // 2, truth


@pytest.fixture(scope="module")
def company():
    return simulate(World(), 5_000, np.random.default_rng(4))


@pytest.fixture(scope="module")
def frame(company):
    return history_frame(company)


def test_the_estimate_is_doublemls_on_the_same_predictions():
    x, called, stayed, account, _ = drawn(1_500, np.random.default_rng(0))
    fitted = cross_fit(x, called, stayed, account, model=LogisticRegression)
    nuisance = Nuisance(np.clip(fitted.chance, 0.02, 0.9), fitted.alone, 0.0)  # DoubleML clips at 0.01
    data = doubleml.DoubleMLData(x.assign(d=called.astype(float), y=stayed.astype(float)), y_col="y", d_cols="d")
    twin = doubleml.DoubleMLIRM(data, LogisticRegression(), LogisticRegression(), score="ATTE", n_folds=2)
    given_predictions = {
        "d": {"ml_g0": nuisance.alone[:, None], "ml_g1": nuisance.alone[:, None], "ml_m": nuisance.chance[:, None]}
    }
    twin.fit(external_predictions=given_predictions)
    got = adjusted_effect(called, stayed, np.arange(1_500), nuisance)
    assert got.value == pytest.approx(float(twin.coef[0]), abs=ROUNDING)
    # DoubleML divides by n where the clustered variance divides by n - 1
    assert got.se * np.sqrt(1499 / 1500) == pytest.approx(float(twin.se[0]), rel=1e-6)


@pytest.mark.slow
def test_with_its_own_folds_doubleml_agrees_within_noise():
    x, called, stayed, account, _ = drawn(3_000, np.random.default_rng(1))
    data = doubleml.DoubleMLData.from_arrays(x.to_numpy(), stayed.astype(float), called.astype(float))
    np.random.seed(1)  # noqa: NPY002 - DoubleML draws its folds from numpy's global state
    models = LogisticRegression(), LogisticRegression()
    twin = doubleml.DoubleMLIRM(data, *models, score="ATTE", n_folds=3, n_rep=7).fit()
    got = adjusted_effect(called, stayed, account, cross_fit(x, called, stayed, account, model=LogisticRegression))
    assert got.value == pytest.approx(float(twin.coef[0]), abs=0.5 * got.se)  # other folds
    assert got.se == pytest.approx(float(twin.se[0]), rel=0.1)


def test_the_naive_difference_is_that_of_means_and_months_are_weighted_by_their_calls():
    rng = np.random.default_rng(2)
    called, stayed, month = rng.random(400) < 0.3, rng.random(400) < 0.8, rng.integers(0, 3, 400)
    plain = naive_effect(called, stayed, np.arange(400))
    assert plain.value == pytest.approx(stayed[called].mean() - stayed[~called].mean(), abs=ROUNDING)
    p1, p0, n1, n0 = stayed[called].mean(), stayed[~called].mean(), called.sum(), (~called).sum()
    welch = np.sqrt(p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0)
    assert plain.se == pytest.approx(welch, rel=0.01)  # n - 1 against n
    rows = [(month == m) for m in range(3)]
    by_month = [stayed[r & called].mean() - stayed[r & ~called].mean() for r in rows]
    weighted = np.average(by_month, weights=[(r & called).sum() for r in rows])
    assert naive_effect(called, stayed, np.arange(400), month).value == pytest.approx(weighted, abs=ROUNDING)


def test_the_interval_is_clustered_by_company():
    rng = np.random.default_rng(3)
    called, stayed = rng.random(300) < 0.4, rng.random(300) < 0.7
    once_each = naive_effect(called, stayed, np.arange(300))
    twins = naive_effect(np.repeat(called, 2), np.repeat(stayed, 2), np.repeat(np.arange(300), 2))
    assert twins.value == pytest.approx(once_each.value, abs=ROUNDING)
    assert twins.se == pytest.approx(once_each.se, rel=ROUNDING)
    assert once_each.low < once_each.value < once_each.high


def test_it_is_doubly_robust():
    """Either model may be wrong by as much as it likes."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=200_000)
    chance, alone = 1 / (1 + np.exp(1.5 - x)), 1 / (1 + np.exp(-1.5 + x))
    called = rng.random(len(x)) < chance
    stayed = rng.random(len(x)) < np.where(called, alone + 0.1 * (1 - alone), alone)
    truth, nobody, flat = (0.1 * (1 - alone))[called].mean(), np.arange(len(x)), np.full(len(x), 0.5)
    naive = naive_effect(called, stayed, nobody)
    assert naive.high < 0 < truth
    for nuisance in (Nuisance(chance, flat, 0.0), Nuisance(flat, alone, 0.0), Nuisance(chance, alone, 0.0)):
        got = adjusted_effect(called, stayed, nobody, nuisance)
        assert abs(got.value - truth) < 4 * got.se
    both_wrong = adjusted_effect(called, stayed, nobody, Nuisance(flat, flat, 0.0))
    assert abs(both_wrong.value - truth) > 10 * both_wrong.se


@pytest.mark.slow
def test_the_interval_covers_where_the_features_hold_the_choice_and_misses_where_they_do_not():
    hits = {0.0: 0, 1.0: 0}
    for unseen in hits:
        for seed in range(RUNS):
            x, called, stayed, account, truth = drawn(1_200, np.random.default_rng(seed), unseen=unseen)
            got = adjusted_effect(
                called, stayed, account, cross_fit(x, called, stayed, account, model=LogisticRegression)
            )
            hits[unseen] += got.low <= truth <= got.high
    assert hits[0.0] >= 51
    assert hits[1.0] < 30


def test_no_row_is_predicted_by_a_model_that_saw_its_company_and_chances_are_clipped():
    class Memory:
        """Predicts 1 for the companies that it saw and 0 for others."""

        def fit(self, X, y):
            self.seen = set(X["company"])
            return self

        def predict_proba(self, X):
            p = X["company"].isin(self.seen).to_numpy(float)
            return np.column_stack([1 - p, p])

    account = np.arange(60) // 3
    x = pd.DataFrame({"company": account})
    called = np.arange(60) % 2 == 0
    got = cross_fit(x, called, called, account, model=Memory)
    np.testing.assert_array_equal(got.alone, 0.0)
    np.testing.assert_array_equal(got.chance, CLIP[0])
    assert got.clipped == 1.0


def test_the_history_is_what_the_tables_say(company, frame):
    calls, gone = company.tables["calls"], company.tables["cancellations"].set_index("subscriber_id")["cancelled_on"]
    assert frame["asof"].nunique() == 6
    assert not frame.duplicated(["asof", "subscriber_id"]).any()
    for at, rows in frame.groupby("asof"):
        ends = at + pd.offsets.MonthBegin(1)
        month = calls[calls["called_on"].between(at, ends, inclusive="left")].set_index("subscriber_id")["listed_by"]
        assert set(rows.loc[rows["called"], "subscriber_id"]) <= set(month.index[month == "rep"])
        assert not rows["subscriber_id"].isin(month.index[month == "off_list"]).any()
        assert (rows["stayed"] == ~(rows["subscriber_id"].map(gone) < ends)).all()
    # those whose bill falls on the first leave before the features' day ends
    assert (
        frame["called"].sum()
        / (
            (calls["listed_by"] == "rep")
            & calls["called_on"].between(frame["asof"].min(), frame["asof"].max() + pd.Timedelta(days=27))
        ).sum()
        > 0.98
    )


def test_replaying_the_calls_leaves_what_the_simulator_left(company):
    uplift, carry = _replay(company)
    ids = company.tables["customers"]["subscriber_id"].to_numpy()
    today = np.searchsorted(ids, company.truth.subscriber_id)
    np.testing.assert_allclose(carry[today], company.truth.carry, atol=SINGLE)
    assert np.abs(company.truth.carry).max() > 0
    assert uplift.shape == company.truth.past.p.shape


def test_without_calls_the_uplift_of_the_past_is_share_times_hazard_times_reach():
    world = World(capacity=0.0, pilot_months=0, dogs=0.0)
    quiet = simulate(world, 500, np.random.default_rng(5))
    quiet.tables["calls"] = quiet.tables["calls"].iloc[:0]  # those off the list
    past = quiet.truth.past
    np.testing.assert_allclose(called_uplift(quiet), world.reach * past.p * past.kept * (1 - past.failed), atol=SINGLE)
    assert worth(world, quiet.truth).uplift.mean() == pytest.approx(called_uplift(quiet)[:, -6:].mean(), abs=0.002)


@pytest.mark.slow
def test_the_reps_look_harmful_and_adjusting_does_not_mend_what_no_table_holds(frame):
    found = history_effects(frame)
    assert found["naive"].high < 0 < found["truth"]
    assert found["adjusted"].high < found["truth"]
    assert found["naive"].value < found["adjusted"].value
    assert found["adjusted"].called == frame["called"].sum()


def test_a_readers_frame_without_the_truth_gets_no_truth(frame):
    mine = frame[["asof", "account_id", "called", "stayed", "tenure_days", "price"]].iloc[:4_000]
    assert sorted(history_effects(mine)) == ["adjusted", "naive"]


def test_the_snapshot_tells_the_same_story_and_the_same_seed_the_same_numbers():
    first, again = (history_snapshot(World(), 12_000, np.random.default_rng(6)) for _ in range(2))
    assert first == again
    assert first["naive"] < first["adjusted"] + 0.03
    assert first["adjusted"] < 0 < first["truth"]
    assert first["covers"] == 0.0
    assert first["needed"] > e_value(first["ratio"])
    assert first["called"] == pytest.approx(0.042 * 0.7 * 12_000, rel=0.1)


@pytest.mark.slow
def test_the_more_the_reps_hear_the_further_the_adjusted_answer_lies_from_the_truth():
    gap = {}
    for gut in (0.0, 1.0):
        runs = [history_snapshot(World(gut=gut), 15_000, np.random.default_rng(seed)) for seed in range(2)]
        gap[gut] = np.mean([run["truth"] - run["adjusted"] for run in runs])
    assert gap[1.0] > gap[0.0] + 0.02


@pytest.mark.slow
def test_reps_who_only_watch_health_still_see_more_than_usage_shows():
    runs = [history_snapshot(World(gut=0.0), 12_000, np.random.default_rng(seed)) for seed in range(5)]
    naive, adjusted, truth = (np.mean([run[name] for run in runs]) for name in ("naive", "adjusted", "truth"))
    assert naive < adjusted < truth


@pytest.mark.slow
def test_where_nobody_is_riskier_than_another_the_naive_answer_is_right():
    world = World(spread=0.0, pull=0.0, annual_share=0.0, dogs=0.0)
    runs = [history_snapshot(world, 12_000, np.random.default_rng(seed)) for seed in range(5)]
    miss = np.mean([run["naive"] - run["truth"] for run in runs])
    error = np.sqrt(np.mean([((run["high"] - run["low"]) / 3.92) ** 2 for run in runs]) / len(runs))
    assert abs(miss) < 2.5 * error


def test_the_e_value_of_the_papers_example():
    assert e_value(3.9) == pytest.approx(7.26, abs=0.005)  # VanderWeele and Ding (2017): 3.9 (1.8 to 8.7)
    assert e_value(1.8) == pytest.approx(3.0, abs=0.005)


@given(st.floats(0.05, 20), st.floats(0.05, 20))
def test_the_e_value_bounds_the_bias_it_stands_for(ratio, target):
    strength = e_value(ratio, target)
    away = max(ratio / target, target / ratio)
    assert strength >= 1
    # the bounding factor of two risk ratios of this size is the distance itself
    assert strength**2 / (2 * strength - 1) == pytest.approx(away, rel=1e-6)
    assert strength == pytest.approx(e_value(1 / ratio, 1 / target))


def refusal(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def test_what_cannot_be_used_is_refused_in_one_sentence(company, frame):
    with refusal("called must be true in some rows and false in others, got False in every row; add the other group."):
        naive_effect([0, 0], [1, 1], [1, 2])
    with refusal("ratio must be a finite number above 0, got -1; pass a risk ratio, not a difference."):
        e_value(-1.0)
    with refusal(
        "leaving must be a share that leaves both risks between 0 and 1, got 0.01; pass that of those called."
    ):
        risk_ratio(Effect(-0.02, -0.03, -0.01, 0.005, 10, 5), 0.01)
    with refusal("months must be first days of months from 2024-01-01 to 2025-05-01, got 2025-06-01; drop the others."):
        history_frame(company, ["2025-06-01"])
    with pytest.raises(ContractError, match=r"^frame must be a table with a column 'called'"):
        history_effects(frame.drop(columns="called"))


def test_the_staying_without_a_call_is_learnt_from_those_who_were_not_called():
    class Mean:
        """Predicts the mean of what it was fitted on."""

        def fit(self, X, y):
            self.mean = float(np.mean(y))
            return self

        def predict_proba(self, X):
            return np.tile([1 - self.mean, self.mean], (len(X), 1))

    called = np.arange(60) % 4 == 0
    got = cross_fit(pd.DataFrame({"x": np.zeros(60)}), called, ~called, np.arange(60), model=Mean)
    np.testing.assert_array_equal(got.alone, 1.0)  # nobody called stayed, everybody else did
    np.testing.assert_allclose(got.chance, 0.25, atol=0.1)
