import random

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from casebook.churn.explain import BASE, WORDS, explain, reasons
from casebook.churn.features import CATEGORIES, COLUMNS, TOP30, cohorts, connect
from casebook.churn.models import (
    Rebalanced,
    ablation,
    boosted,
    class_weighted,
    compare,
    logistic,
    precision_at,
    quality,
    undersampled,
)
from casebook.churn.paired import account_weights, weighted_areas
from casebook.churn.sequence import fit_sequence, weekly_usage
from casebook.churn.simulate import simulate
from casebook.churn.world import World
from casebook.contracts import ContractError

# Sums of the same numbers in another order.
ROUNDING = 1e-9
# The solver stops when the gradient is small, not when it is nothing.
SOLVER = 1e-3
ALL = list(COLUMNS)
TRAIN, TEST = ["2025-07-31", "2025-08-31", "2025-09-30"], "2025-11-30"


@pytest.fixture(scope="module")
def connection():
    return connect(simulate(World(), 5_000, np.random.default_rng(31)).tables)


@pytest.fixture(scope="module")
def train(connection):
    return cohorts(connection, TRAIN)


@pytest.fixture(scope="module")
def test(connection):
    return cohorts(connection, [TEST])


def drawn(n, shift=-2.0, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, 3)), columns=["price", "tenure_days", "logins_28d"])
    p = expit(shift + 1.0 * X["price"] - 0.5 * X["tenure_days"])
    return X, (rng.random(n) < p).astype(int), p.to_numpy()


def test_logistic_and_trees_recover_the_truth():
    X, y, p = drawn(30_000)
    model = logistic(penalty=0).fit(X, y)
    slopes = model[-1].coef_[0] / model[1].scale_
    np.testing.assert_allclose(slopes, [1.0, -0.5, 0.0], atol=0.08)  # four standard errors
    for fitted in (model, boosted().fit(X, y)):
        assert np.corrcoef(fitted.predict_proba(X)[:, 1], p)[0, 1] > 0.95


def test_logistic_is_medians_flags_and_a_penalty():
    X, y, _ = drawn(500)
    X.loc[X.index % 7 == 0, "price"] = np.nan
    by_hand = X.fillna(X.median()).assign(flag=X["price"].isna().astype(float))
    by_hand = (by_hand - by_hand.mean()) / by_hand.std(ddof=0)
    twin = LogisticRegression(C=0.5, max_iter=1000).fit(by_hand, y).predict_proba(by_hand)[:, 1]
    np.testing.assert_allclose(logistic(penalty=2).fit(X, y).predict_proba(X)[:, 1], twin, atol=ROUNDING)


def test_logistic_sees_only_its_columns(train, test):
    model = logistic(columns=TOP30).fit(train[ALL], train["y"])
    other = test[ALL].copy()
    other[[column for column in ALL if column not in TOP30]] = 0.0
    np.testing.assert_array_equal(model.predict_proba(test[ALL]), model.predict_proba(other))


def test_the_same_seed_gives_the_same_trees(train, test):
    first, again, other = (
        boosted(seed, n_estimators=20).fit(train[ALL], train["y"]).predict_proba(test[ALL]) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("make", [logistic, boosted])
@pytest.mark.parametrize("how", [class_weighted, undersampled])
def test_rebalancing_shifts_the_odds_and_the_correction_takes_it_back(make, how):
    X, y, _ = drawn(20_000, shift=-3.5)
    right, raw = (how(make(), corrected=flag).fit(X, y) for flag in (True, False))
    p, high = right.predict_proba(X)[:, 1], raw.predict_proba(X)[:, 1]
    shift = np.log(y.mean() / (1 - y.mean()))
    np.testing.assert_allclose(logit(p) - logit(high), shift, atol=1e-6)
    assert p.mean() == pytest.approx(y.mean(), rel=0.12)
    assert high.mean() > 4 * y.mean()
    np.testing.assert_allclose(right.predict_proba(X).sum(axis=1), 1)


def test_uncorrected_weights_are_scikit_learns_balanced():
    X, y, _ = drawn(2_000)
    twin = logistic().set_params(logisticregression__class_weight="balanced").fit(X, y)
    got = class_weighted(logistic(), corrected=False).fit(X, y)
    np.testing.assert_array_equal(got.predict_proba(X), twin.predict_proba(X))
    assert set(got.predict(X)) == {0, 1}


def test_undersampling_keeps_every_leaver():
    X, y, _ = drawn(2_000)
    seen = {}

    class Spy(LogisticRegression):
        def fit(self, X, y):
            seen["y"] = y
            return super().fit(X, y)

    undersampled(Spy()).fit(X, y)
    assert seen["y"].sum() == y.sum()
    assert (seen["y"] == 0).sum() == pytest.approx(y.sum(), rel=0.25)


@pytest.mark.parametrize("digits", [1, 6])
def test_weighted_areas_are_scikit_learns(digits):
    rng = np.random.default_rng(4)
    y, p = rng.random(300) < 0.2, rng.random(300).round(digits)
    weights = rng.poisson(1, size=(5, 300)).astype(float)
    auprc, auc = weighted_areas(y, p, weights)
    for row, weight in enumerate(weights):
        assert auprc[row] == pytest.approx(average_precision_score(y, p, sample_weight=weight), abs=ROUNDING)
        assert auc[row] == pytest.approx(roc_auc_score(y, p, sample_weight=weight), abs=ROUNDING)


def test_companies_are_drawn_whole_and_as_often_as_there_are_companies():
    account = np.repeat(np.arange(40), np.arange(1, 41))
    weights = account_weights(account, 200, np.random.default_rng(0))
    for one in range(40):
        assert (weights[:, account == one] == weights[:, [np.argmax(account == one)]]).all()
    first = [np.argmax(account == one) for one in range(40)]
    np.testing.assert_array_equal(weights[:, first].sum(axis=1), 40)


def test_compare_measures_a_later_month(train, test):
    table = compare({"v0": logistic(columns=TOP30), "v1": boosted()}, train, test, capacity=0.042)
    assert (table["auc"] > 0.75).all() and (table["auprc"] > 3 * test["y"].mean()).all()
    assert (table["precision"] > 3 * test["y"].mean()).all() and (table["calibration_error"] < 0.02).all()
    assert (table[["fit_seconds", "row_ms", "base_seconds"]] > 0).all(axis=None)
    p = boosted().fit(train[ALL], train["y"]).predict_proba(test[ALL])[:, 1]
    for name, value in quality(test["y"], p, 0.042).items():
        assert table.loc["v1", name] == value
    top = test["y"].to_numpy()[np.argsort(-p)[: round(0.042 * len(p))]]
    assert precision_at(test["y"], p, 0.042) == pytest.approx(top.mean())


def test_ablation_finds_the_category_that_matters_and_clears_the_ones_that_do_not(train, test):
    some = {name: CATEGORIES[name] for name in ("static", "engagement_recent", "contact")}
    table = ablation(train, test, np.random.default_rng(0), boosted(n_estimators=40), 60, some)
    assert table["columns"].tolist() == [22, 15, 7, 5, 17, 2, 20]
    full, rows = table.iloc[0], table.set_index(["category", "kept"])
    assert full["auprc_lost"] == full["auprc_lost_low"] == full["auprc_lost_high"] == 0
    np.testing.assert_allclose(table["auprc"] + table["auprc_lost"], full["auprc"])
    assert rows.loc[("static", "all but"), "auc_lost_low"] > 0.05
    spared = rows.loc[("contact", "all but")]
    assert spared["auc_lost_low"] - 0.02 < 0 < spared["auc_lost_high"] + 0.02
    again = ablation(train, test, np.random.default_rng(0), boosted(n_estimators=40), 60, some)
    pd.testing.assert_frame_equal(table, again)


@pytest.mark.parametrize("model", [logistic(columns=TOP30), logistic(), boosted(n_estimators=30)])
def test_contributions_add_up_to_the_log_odds(train, test, model):
    fitted = model.fit(train[ALL], train["y"].astype(int))
    parts = explain(fitted, test[ALL].head(200))
    expected = logit(fitted.predict_proba(test[ALL].head(200))[:, 1])
    np.testing.assert_allclose(parts.sum(axis=1), expected, atol=1e-6)
    assert parts.columns[-1] == BASE and set(parts.columns[:-1]) <= set(COLUMNS)


def test_reasons_name_what_raises_the_risk_and_show_the_value(train, test):
    fitted = boosted(n_estimators=30).fit(train[ALL], train["y"].astype(int))
    rows = test[ALL].head(50)
    parts = explain(fitted, rows)
    texts = reasons(parts, rows, k=2)
    for at in (0, 17, 49):
        best = parts.iloc[at].drop(BASE).idxmax()
        assert texts.iloc[at].startswith(f"{WORDS[best]} (")
    assert set(WORDS) == set(COLUMNS)
    missing = reasons(pd.DataFrame({"last_nps": [0.4], BASE: [-3.0]}), pd.DataFrame({"last_nps": [np.nan]}))
    assert missing.tolist() == ["last NPS answer (unknown)"]
    assert reasons(pd.DataFrame({"last_nps": [-0.4], BASE: [-3.0]})).tolist() == [""]


def test_weeks_of_usage_add_up_to_the_features(connection, test):
    weeks = np.expm1(weekly_usage(connection, TEST))
    assert weeks.shape == (len(test), 26, 4)
    for column, back, signal in (
        ("logins_7d", 1, 0),
        ("logins_28d", 4, 0),
        ("logins_180d", 26, 0),
        ("pages_28d", 4, 1),
    ):
        np.testing.assert_allclose(weeks[:, -back:, signal].sum(axis=1), test[column], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(weeks[:, -4:, 2].max(axis=1), test["features_used_28d"], rtol=1e-4)


@pytest.mark.slow
def test_the_network_learns_repeats_itself_and_learns_companies_by_heart(connection, train, test):
    weeks, later = np.concatenate([weekly_usage(connection, date) for date in TRAIN]), weekly_usage(connection, TEST)
    first = fit_sequence(weeks, train[ALL], train["y"], seed=3, epochs=6)  # imports Keras, which may draw
    state = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    fits = [first, fit_sequence(weeks, train[ALL], train["y"], seed=3, epochs=6)]
    p, again = (fit.predict_proba(later, test[ALL])[:, 1] for fit in fits)
    np.testing.assert_array_equal(p, again)
    np.testing.assert_array_equal(np.random.get_state()[1], state[0])  # noqa: NPY002
    assert random.getstate() == state[1]
    assert roc_auc_score(test["y"], p) > 0.7
    fit = fit_sequence(weeks, train[ALL], train["y"], ids=train["account_id"], seed=3, epochs=20)
    seen = roc_auc_score(train["y"], fit.predict_proba(weeks, train[ALL], train["account_id"])[:, 1])
    unseen = roc_auc_score(test["y"], fit.predict_proba(later, test[ALL], test["account_id"])[:, 1])
    assert seen > 0.95 > unseen + 0.1
    strangers = np.full(len(test), -1)
    assert np.isfinite(fit.predict_proba(later, test[ALL], strangers)).all()


@pytest.mark.parametrize(
    ("work", "text"),
    [
        (
            lambda t: compare({"v1": boosted()}, t.drop(columns="price"), t, 0.04),
            None,
        ),
        (
            lambda t: compare({"v1": boosted()}, t, t.assign(y=t["y"].where(t.index > 0)), 0.04),
            "test, row 0: y must be 0 or 1, got a missing value; drop cohorts whose window is still open.",
        ),
        (
            lambda t: precision_at([0, 1], [0.1, 0.2], 4.2),
            "capacity must be above 0 and at most 1, got 4.2; divide the calls by the rows.",
        ),
        (
            lambda t: quality([0, 0], [0.1, 0.2], 0.5),
            "y must be labels of both classes, got only 0; take a month whose window has closed.",
        ),
        (
            lambda t: Rebalanced(logistic(), "smote").fit(t[ALL], t["y"]),
            "how must be 'weights' or 'undersample', got 'smote'; take one of the two.",
        ),
        (
            lambda t: explain(Rebalanced(logistic()), t[ALL]),
            "model must be a Pipeline or an LGBMClassifier, got Rebalanced; take the model inside the wrapper.",
        ),
        (
            lambda t: reasons(pd.DataFrame({"price": [1.0]}), k=0),
            "k must be 1 or more, got 0; ask for three.",
        ),
        (
            lambda t: account_weights([1, 2], 1, np.random.default_rng(0)),
            "resamples must be 2 or more, got 1; a few hundred give an interval.",
        ),
        (
            lambda t: fit_sequence(np.zeros((2, 26, 4), dtype=np.float32), t[ALL], t["y"]),
            None,
        ),
        (
            lambda t: fit_sequence(np.zeros((len(t), 26, 4), dtype=np.float32), t[ALL], t["y"], epochs=0),
            "epochs must be 1 or more, got 0; five do.",
        ),
    ],
)
def test_refusals(test, work, text):
    with pytest.raises(ContractError) as error:
        work(test)
    if text is None:
        rows = f"sequences must be {len(test)} long, got 2 rows; take all arguments from one table."
        column = "train must be a table with a column 'price', got "
        assert str(error.value) == rows or str(error.value).startswith(column)
    else:
        assert str(error.value) == text
