"""Evaluation as time runs: what may enter, what a random split gives away, and what leaks do."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.fraud.evaluate import average_precision
from casebook.fraud.features import planted_leak
from casebook.fraud.labelled import known_labels
from casebook.fraud.leaked import leaked_risks, whole_table_risks
from casebook.fraud.models import AnomalyModel, LogisticModel, RuleModel
from casebook.fraud.optimism import SPLITS, optimism, planted_leaks
from casebook.fraud.protocol import Evidence, Origin, origins, rolled, training
from casebook.fraud.world import DAY

PLAN = Origin(5, 20, 24, 35)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 40), st.integers(30, 150), st.integers(1, 30), st.integers(0, 10), st.integers(1, 20))
def test_every_day_is_tested_once_after_a_gap(first, last, train, gap, test):
    if last - first + 1 < train + gap + test:
        with pytest.raises(ContractError, match=r"^the days from first_day to last_day must be "):
            origins(first, last, train, gap, test)
        return
    plan = origins(first, last, train, gap, test)
    tested = np.concatenate([np.arange(one.test_first, one.test_last + 1) for one in plan])
    assert (tested == np.arange(first + train + gap, first + train + gap + len(tested))).all()
    assert last - test < tested[-1] <= last
    assert {(one.gap_days, one.train_last - one.train_first + 1) for one in plan} == {(gap, train)}


def test_bad_days_are_refused():
    with pytest.raises(ContractError, match=r"^Origin must be days with 0 <= train_first .* got \(5, 9, 9, 12\); "):
        Origin(5, 9, 9, 12)
    with pytest.raises(ContractError, match=r"^gap_days must be 0 or more, got -1; count in days\.$"):
        origins(0, 90, gap_days=-1)


def test_rows_are_those_of_the_days(recorded_evidence):
    day = recorded_evidence.day
    assert (day[recorded_evidence.rows(7, 9)] >= 7).all() and (day[recorded_evidence.rows(7, 9)] <= 9).all()
    assert len(day[recorded_evidence.rows(7, 9)]) == np.isin(day, [7, 8, 9]).sum()


def test_training_knows_what_the_midnight_of_the_test_knows(recorded_evidence):
    X, y, kept = training(recorded_evidence, PLAN, np.random.default_rng(0), 0.2)
    known = known_labels(recorded_evidence.tables, 24 * DAY)
    assert (known.loc[X.index] == y).all()
    inside = known.loc[recorded_evidence.features.index[recorded_evidence.rows(5, 20)]]
    assert y.sum() == (inside == 1).sum() > 50
    assert kept == pytest.approx(0.2, abs=0.01)
    late = known_labels(recorded_evidence.tables, 45 * DAY).loc[inside.index]
    assert (late == 1).sum() > y.sum()  # so that the midnight matters


def scrambled_after(evidence, day, rng):
    """Return the evidence with all that is of a later day made up."""
    later = evidence.day >= day
    features = evidence.features.copy()
    features.loc[later] = rng.permutation(features.loc[later].to_numpy())
    reports = evidence.tables["reports"]
    come = (reports["reported_at"] >= day * DAY).to_numpy()
    ids = np.setdiff1d(np.arange(len(later)), reports["event_id"][~come])
    other = reports.assign(event_id=np.where(come, rng.permutation(ids)[: len(reports)], reports["event_id"]))
    fraud = np.where(later, rng.permutation(evidence.fraud), evidence.fraud)
    return Evidence(features, {**evidence.tables, "reports": other}, fraud)


@pytest.mark.slow
def test_an_origin_does_not_know_what_comes_after_it(recorded_evidence):
    plan = origins(9, 44, 14, 4, 5)
    assert len(plan) == 3
    after = scrambled_after(recorded_evidence, plan[1].test_last + 1, np.random.default_rng(1))
    models = {"line": LogisticModel()}
    found, other = (rolled(models, one, plan, np.random.default_rng(0), 0.05, 20) for one in (recorded_evidence, after))
    pd.testing.assert_frame_equal(found.iloc[:2], other.iloc[:2])
    assert found["ap"].iloc[2] != other["ap"].iloc[2]


def test_a_late_report_changes_no_score_of_the_test(recorded_evidence):
    """Within a test's days only what it is held against may change, not what the model was fitted to."""
    after = scrambled_after(recorded_evidence, PLAN.test_first, np.random.default_rng(1))
    one, other = (training(each, PLAN, np.random.default_rng(0), 0.2) for each in (recorded_evidence, after))
    pd.testing.assert_frame_equal(one[0], other[0])
    assert (one[1] == other[1]).all()


def test_a_rolled_row_is_a_fit_and_a_score(recorded_evidence):
    rules = RuleModel(recorded_evidence.tables["decisions"])
    models = {"line": LogisticModel(), "rules": rules}
    table = rolled(models, recorded_evidence, [PLAN], np.random.default_rng(4), 0.2, 20).set_index("model")
    X, y, kept = training(recorded_evidence, PLAN, np.random.default_rng(4), 0.2)
    where = recorded_evidence.rows(24, 35)
    p = LogisticModel().fit(X, y, kept).predict(recorded_evidence.features[where])
    fraud = recorded_evidence.fraud[where]
    assert table["ap"]["line"] == pytest.approx(average_precision(fraud, p))
    assert table["promised"]["line"] == pytest.approx(p.sum()) and np.isnan(table["promised"]["rules"])
    assert (table["n"]["line"], table["frauds"]["line"], table["known"]["line"]) == (len(p), fraud.sum(), y.sum())
    few = rolled(models, recorded_evidence, [PLAN], np.random.default_rng(4), 0.2, 10_000)
    assert (few["note"] == "too few").all() and few["ap"].isna().all()


def test_bad_plans_and_evidence_are_refused(recorded_evidence):
    rng, models = np.random.default_rng(0), {"line": LogisticModel()}
    with pytest.raises(ContractError, match=r"^plan must be at least one origin, got none; make one with origins"):
        rolled(models, recorded_evidence, [], rng)
    with pytest.raises(ContractError, match=r"^plan must be of tests that end by day 44, got one until 60; shorten it"):
        rolled(models, recorded_evidence, [Origin(1, 20, 25, 60)], rng)
    with pytest.raises(ContractError, match=r"^features must be indexed by the \d+ event ids, in order, got "):
        replace(recorded_evidence, features=recorded_evidence.features.iloc[1:])
    with pytest.raises(ContractError, match=r"^fraud must be \d+ long, got 3 rows; "):
        replace(recorded_evidence, fraud=np.zeros(3, bool))


def test_the_leak_is_the_planted_one(recorded_run):
    run, _ = recorded_run
    log, reports = run.tables["events"][:9_000], run.tables["reports"]
    built = planted_leak(log, reports, since=4 * DAY)
    found = leaked_risks(log, reports, since=4 * DAY)
    np.testing.assert_allclose(found.to_numpy(), built[list(found)].to_numpy(), rtol=1e-6)
    assert (found.index == built.index).all()
    assert len(leaked_risks(log, reports, 4 * DAY, 5 * DAY)) == ((log["at"] // DAY) == 4).sum()


def test_the_whole_table_s_risk_is_a_mean_over_all_of_it(recorded_run):
    run, _ = recorded_run
    log, reports = run.tables["events"], run.tables["reports"]
    told = log["event_id"].isin(reports["event_id"])
    for key in ("merchant", "terminal"):
        groups = told.groupby(log[f"{key}_id"])
        twin = (groups.transform("sum") + 0.1) / (groups.transform("size") + 100)
        twin = twin.where(log[f"{key}_id"] >= 0, 0.001)
        np.testing.assert_allclose(whole_table_risks(log, reports)[f"{key}_risk_28d"], twin, rtol=1e-6)


@pytest.fixture(scope="module")
def made_up():
    """Events whose fraud is a matter of the card alone, which three features name; nothing carries over to another."""
    rng = np.random.default_rng(0)
    n, days = 24_000, 40
    at = np.sort(rng.integers(0, days * DAY, n))
    card = rng.integers(0, 400, n)
    fraud = (card % 8 == 0) & (rng.random(n) < 0.5)
    ids = np.arange(n)
    features = pd.DataFrame(rng.normal(size=(n, 2)), index=pd.Index(ids, name="event_id"), columns=["noise", "more"])
    for name in ("first", "second", "third"):  # each card has a number, at random, that says nothing of its neighbours
        features[name] = rng.permutation(400)[card] * 1.0
    tables = {
        "events": pd.DataFrame({"event_id": ids, "at": at, "card_id": card}),
        "decisions": pd.DataFrame({"event_id": ids, "outcome": "passed"}),
        "reports": pd.DataFrame({"event_id": ids[fraud], "reported_at": at[fraud] + DAY}),
    }
    return Evidence(features, tables, fraud)


@pytest.fixture(scope="module")
def splits(made_up):
    from casebook.fraud.models import BoostedModel

    leaks = {"answer": pd.DataFrame({"noise": made_up.fraud * 1.0}, index=made_up.features.index)}
    model = BoostedModel(trees=40, leaves=63, rate=0.3, validate=0)
    return optimism(model, made_up, PLAN, np.random.default_rng(0), SPLITS, leaks, 0.3, rounds=40)


def test_a_card_that_is_known_by_heart_flatters_a_split_of_rows_and_not_one_of_cards(splits):
    assert splits["ap"]["rows"] > 3 * splits["ap"]["cards"]
    assert splits["ap"]["cards"] < 2 * splits["prevalence"]["cards"]
    assert splits["low"]["cards"] < splits["high"]["cards"] < 0 < splits["ap"]["time, delay"]


def test_a_label_among_the_features_wins_offline_and_not_in_service(splits):
    assert splits["ap"]["answer, offline"] > 0.95
    assert splits["ap"]["answer, in service"] < splits["ap"]["time, delay"]
    assert splits["low"]["answer, offline"] > 0


def test_designs_have_one_test_and_as_many_rows(splits, made_up):
    assert splits.index.tolist() == ["time, delay", *SPLITS, "answer, offline", "answer, in service"]
    for column in ("known", "others", "n", "reported", "prevalence", "frauds"):
        assert splits[column].nunique() == 1
    where = made_up.rows(24, 35)
    assert splits["n"].iloc[0] == where.stop - where.start
    assert splits["gap"]["time, delay"] == splits["gap_true"]["time, delay"] == 0


def test_labels_and_truth_are_both_held_against(recorded_evidence):
    table = optimism(LogisticModel(), recorded_evidence, PLAN, np.random.default_rng(0), (), {}, 0.2, rounds=20)
    row, where = table.loc["time, delay"], recorded_evidence.rows(24, 35)
    y = known_labels(recorded_evidence.tables, 45 * DAY, first_day=24, last_day=35)
    assert (row["n"], row["reported"]) == (y.notna().sum(), (y == 1).sum())
    assert row["frauds"] == recorded_evidence.fraud[where].sum() > row["reported"]
    X, seen, kept = training(recorded_evidence, PLAN, np.random.default_rng(0), 0.2)
    p = LogisticModel().fit(X, seen, kept).predict(recorded_evidence.features[where])
    assert row["ap_true"] == pytest.approx(average_precision(recorded_evidence.fraud[where], p))


def test_planted_leaks_have_a_row_an_event(recorded_evidence):
    leaks = planted_leaks(recorded_evidence)
    assert set(leaks) == {"leak", "whole table"}
    assert all((columns.index == recorded_evidence.features.index).all() for columns in leaks.values())


def test_bad_designs_are_refused(recorded_evidence):
    rng = np.random.default_rng(0)
    with pytest.raises(
        ContractError, match=r"^splits must be some of 'time, no delay', 'cards', 'rows', got 'weeks'; "
    ):
        optimism(AnomalyModel(), recorded_evidence, PLAN, rng, ["weeks"])
    with pytest.raises(ContractError, match=r"^folds must be 2 or more, got 1; three are a start\.$"):
        optimism(AnomalyModel(), recorded_evidence, PLAN, rng, folds=1)
    with pytest.raises(ContractError, match=r"^origin must be of a test that ends by day 44, got one until 90; "):
        optimism(AnomalyModel(), recorded_evidence, Origin(1, 9, 11, 90), rng, leaks={})
    with pytest.raises(ContractError, match=r"^leaks\['x'\] must be \d+ long, got 2 rows; "):
        optimism(AnomalyModel(), recorded_evidence, PLAN, rng, leaks={"x": pd.DataFrame({"hour": [1, 2]})})
