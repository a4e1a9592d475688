"""Models behind one interface: prior correction, recovery of a known line, determinism, refusals."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from casebook.contracts import ContractError
from casebook.decisions import undo_undersampling
from casebook.fraud import model_base
from casebook.fraud.labelled import sample_rows
from casebook.fraud.models import AnomalyModel, BoostedModel, LogisticModel, RuleModel
from casebook.fraud.undersampling import undersampled_fit

LEARNERS = [LogisticModel(), BoostedModel(trees=60), AnomalyModel(trees=20)]
NAMES = [type(model).__name__ for model in LEARNERS]


@pytest.fixture(scope="module")
def rows():
    """Rows whose log odds are a line in the logarithm of the amount and in a flag."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "amount_cents": np.exp(rng.normal(8, 1, 40_000)),
            "new_merchant": rng.integers(0, 2, 40_000).astype(float),
            "channel": rng.integers(0, 3, 40_000).astype(float),
            "card_count": np.arange(40_000.0),
        },
        dtype=np.float32,
    )
    odds = -6.5 + 1.2 * (np.log1p(X["amount_cents"]) - 8) + 1.5 * X["new_merchant"]
    p = 1 / (1 + np.exp(-odds.to_numpy(dtype=float)))
    return X, (rng.random(40_000) < p).astype(np.int8), p


@pytest.mark.parametrize("keep", [1.0, 0.1])
def test_a_line_in_logarithms_is_recovered_and_its_prior_restored(rows, keep):
    X, y, p = rows
    sample = sample_rows(y, np.random.default_rng(1), keep)
    model = LogisticModel().fit(X.iloc[sample.rows], y[sample.rows], sample.kept)
    found = model.predict(X)
    assert found.sum() == pytest.approx(p.sum(), rel=4 / np.sqrt(y.sum()))  # four standard errors of the count
    slope = np.polyfit(np.log(p / (1 - p)), np.log(found / (1 - found)), 1)[0]
    assert slope == pytest.approx(1, abs=0.12)


def test_the_trees_restore_the_prior_as_well(rows):
    X, y, p = rows
    sample = sample_rows(y, np.random.default_rng(1), 0.1)
    model = BoostedModel().fit(X.iloc[sample.rows], y[sample.rows], sample.kept)
    found = model.predict(X)
    assert 0.6 * p.sum() < found.sum() < 1.2 * p.sum()  # without the correction it is ten times as much
    assert roc_auc_score(y, found) > roc_auc_score(y, p) - 0.02


def test_prior_correction_is_that_of_the_shared_room(rows):
    X, y, _ = rows
    for model in (LogisticModel(), BoostedModel(trees=40)):
        plain, told = clone(model).fit(X, y), clone(model).fit(X, y, 0.05)
        np.testing.assert_allclose(told.predict(X), undo_undersampling(plain.predict(X), 0.05), rtol=1e-12)


def test_the_logistic_model_is_the_library_s_on_these_inputs(rows):
    X, y, _ = rows
    inputs = pd.get_dummies(X["channel"].astype(int)).astype(float)
    for name in ("amount_cents", "new_merchant"):
        values = np.log1p(X[name].astype(float))
        inputs[name] = (values - values.mean()) / values.std(ddof=0)
    twin = LogisticRegression(max_iter=1_000).fit(inputs.to_numpy(), y).predict_proba(inputs.to_numpy())[:, 1]
    np.testing.assert_allclose(LogisticModel().fit(X, y).predict(X), twin, rtol=1e-3)


@pytest.mark.parametrize("model", LEARNERS, ids=NAMES)
def test_every_run_gives_the_same_numbers(rows, model):
    X, y, _ = rows
    first, second = (clone(model).fit(X[:4_000], y[:4_000]).predict(X[:500]) for _ in range(2))
    assert (first == second).all()


@pytest.mark.parametrize("model", LEARNERS, ids=NAMES)
def test_columns_go_by_name_and_rows_by_blocks(rows, model, monkeypatch):
    X, y, _ = rows
    fitted = clone(model).fit(X[:4_000], y[:4_000])
    whole = fitted.predict(X[:500])
    monkeypatch.setattr(model_base, "BLOCK", 77)
    np.testing.assert_allclose(fitted.predict(X[:500][X.columns[::-1]]), whole, rtol=1e-12)


@pytest.mark.parametrize("model", LEARNERS, ids=NAMES)
def test_columns_that_grow_with_the_log_are_not_read(rows, model):
    X, y, _ = rows
    fitted = clone(model).fit(X[:4_000], y[:4_000])
    assert (fitted.predict(X[:500].assign(card_count=9e9)) == fitted.predict(X[:500])).all()
    read = clone(model).set_params(without=()).fit(X[:4_000], y[:4_000])
    assert "card_count" in read.columns_


@pytest.mark.parametrize("model", LEARNERS, ids=NAMES)
def test_what_is_missing_is_borne_and_what_is_passed_stays(rows, model):
    X, y, _ = rows
    gaps = X[:4_000].mask(np.random.default_rng(0).random((4_000, 4)) < 0.1)
    before = gaps.copy()
    found = clone(model).fit(gaps, y[:4_000]).predict(gaps)
    assert np.isfinite(found).all()
    pd.testing.assert_frame_equal(gaps, before)


def test_another_column_is_taken_as_a_number(rows):
    X, y, _ = rows
    told = X.assign(graph_score=y + np.random.default_rng(0).normal(0, 0.1, len(y)))
    assert roc_auc_score(y, LogisticModel().fit(told, y).predict(told)) > 0.99


def test_the_number_of_trees_is_that_of_the_least_loss_on_the_last_rows(rows):
    X, y, _ = rows
    X, y = X[:12_000], y[:12_000]
    model = BoostedModel(trees=80).fit(X, y)
    early = BoostedModel(trees=80, validate=0).fit(X[:9_000], y[:9_000])
    losses = {}
    for trees in range(20, 81):
        p = early.booster_.predict(X[9_000:][early.columns_].to_numpy(), num_iteration=trees)
        losses[trees] = -np.mean(np.log(np.where(y[9_000:] == 1, p, 1 - p)))
    assert model.trees_ == min(losses, key=losses.get)
    assert BoostedModel(trees=33, validate=0).fit(X, y).trees_ == 33


def test_noise_gets_few_trees(rows):
    X, y, _ = rows
    X, y = X[:12_000], y[:12_000]
    noise = np.random.default_rng(2).permutation(y)
    assert BoostedModel(trees=200).fit(X, noise).trees_ < BoostedModel(trees=200).fit(X, y).trees_


def test_without_a_late_fraud_the_number_stays_as_it_is_set(rows):
    X, y, _ = rows
    early = np.where(np.arange(len(y)) < len(y) // 2, y, 0)
    assert BoostedModel(trees=25).fit(X, early).trees_ == 25


def test_the_forest_asks_no_label_and_says_that_it_gives_no_probability(rows):
    X, y, _ = rows
    seen = X[:3_000]
    odd = pd.concat([seen, seen.iloc[:1].assign(amount_cents=1e9)])
    blind, told = AnomalyModel(trees=30).fit(odd), AnomalyModel(trees=30).fit(odd, y[: len(odd)])
    assert (blind.predict(odd) == told.predict(odd)).all()
    assert (blind.predict(odd) > blind.predict(odd)[-1]).mean() < 0.01
    assert not AnomalyModel.is_probability and not RuleModel.is_probability and LogisticModel.is_probability


def test_rules_score_what_they_did(recorded_run):
    run, recorder = recorded_run
    asked = recorder.features.iloc[::-7]
    found = RuleModel(run.tables["decisions"]).fit(asked).predict(asked)
    assert (found == run.tables["decisions"]["action"].to_numpy()[asked.index]).all() and found.max() == 3
    with pytest.raises(ContractError, match=r"^X, row 0 must be indexed by an event of decisions, got -4; "):
        RuleModel(run.tables["decisions"]).predict(pd.DataFrame({"hour": [1]}, index=[-4]))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda m, X, y: m.fit(X, y, 20), r"^keep must be above 0 and at most 1, got 20; give the share of rows"),
        (lambda m, X, y: m.fit(X, 0 * y), r"^y must be labels of both classes, got only 0; take more days\.$"),
        (lambda m, X, y: m.fit(X[:9], y), r"^y must be 9 long, got 40000 rows; "),
        (lambda m, X, y: m.fit(X[["card_count"]], y), r"^X must be a table with a column beside card_count, card_max"),
        (lambda m, X, y: m.fit(X[:400], y[:400]).predict(X[["channel"]]), r"column 'amount_cents'"),
    ],
)
@pytest.mark.parametrize("model", LEARNERS[:2], ids=NAMES[:2])
def test_bad_rows_are_refused(rows, model, call, text):
    X, y, _ = rows
    with pytest.raises(ContractError, match=text):
        call(clone(model), X, np.where(np.arange(len(y)) % 50 == 0, 1, y) if "predict" in text else y)


def test_bad_trees_are_refused(rows):
    X, y, _ = rows
    with pytest.raises(ContractError, match=r"^X must be in the order of time, got event ids that do not rise; "):
        BoostedModel().fit(X[::-1], y[::-1])
    with pytest.raises(ContractError, match=r"^validate must be in \[0, 0\.9\], got 1; a quarter is a start\.$"):
        BoostedModel(validate=1).fit(X, y)
    with pytest.raises(ContractError, match=r"^trees must be 1 or more, got 0; "):
        BoostedModel(trees=0).fit(X, y)


def test_one_in_ten_costs_less_and_finds_about_as_much(rows):
    X, y, p = rows
    y_test = (np.random.default_rng(5).random(len(p)) < p).astype(int)
    labels, card = pd.Series(y, dtype="Int8"), np.arange(len(y)) // 2
    table = undersampled_fit(LogisticModel(), X, labels, X, y_test, card, np.random.default_rng(0), (1.0, 0.1), 50)
    assert table["frauds"].tolist() == [y.sum()] * 2
    assert table["rows"].iloc[1] == pytest.approx(y.sum() + 0.1 * (y == 0).sum(), abs=1)
    assert table.loc[1.0, ["gap", "low", "high"]].tolist() == [0, 0, 0]
    assert abs(table["gap"][0.1]) < 0.02
    assert table["same"].tolist() == [low <= 0 <= high for low, high in zip(table["low"], table["high"], strict=True)]
    assert table["promised"][0.1] == pytest.approx(p.sum(), rel=4 / np.sqrt(y.sum()))
    assert table["uncorrected"][0.1] > 4 * table["promised"][0.1]
    assert table["uncorrected"][1.0] == pytest.approx(table["promised"][1.0])


def test_a_score_needs_no_sample(rows):
    X, y, _ = rows
    with pytest.raises(ContractError, match=r"^model must be one of probabilities, got AnomalyModel; "):
        undersampled_fit(AnomalyModel(), X, pd.Series(y), X, y, y, np.random.default_rng(0))
    with pytest.raises(ContractError, match=r"^keeps must be at least one share, got none; "):
        undersampled_fit(LogisticModel(), X, pd.Series(y), X, y, y, np.random.default_rng(0), ())
