"""The telephone customers on a miniature: the floor, the leak, the lists, each against a twin; and on the original."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.preprocessing import StandardScaler

from casebook import datasets
from casebook.churn import real
from casebook.churn.oversampling import originals, oversample, shared
from casebook.contracts import ContractError, check_frame

N = 500
EXACT = 1e-12  # the same sums in another order
SOLVER = 1e-6  # the same regression fitted twice
HALF_WIDTH = 0.1  # 2,000 bootstrap draws know a standard error to 2%, and 500 rows are not yet normal
FLOOR = 0.004  # folds drawn anew moved a mean AUC by 0.002 at most (two seeds, four models): twice that


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    """Five hundred customers, of whom the dear and the new leave."""
    rng = np.random.default_rng(0)
    tenure, charges = rng.integers(0, 72, N), rng.uniform(20, 120, N).round(2)
    left = rng.random(N) < expit(-1.2 - 0.05 * (tenure - 30) + 0.02 * (charges - 70))
    words = {name: rng.choice(["Yes", "No"], N) for name in ("partner", "dependents", "phone_service")}
    online = ("online_security", "online_backup", "device_protection", "tech_support", "streaming_tv")
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{row}" for row in range(N)],
            "gender": rng.choice(["Female", "Male"], N),
            "senior_citizen": rng.integers(0, 2, N),
            **{name: words[name] for name in ("partner", "dependents")},
            "tenure": tenure,
            "phone_service": words["phone_service"],
            "multiple_lines": "No",
            "internet_service": rng.choice(["DSL", "Fiber optic"], N),
            **dict.fromkeys(online, "No"),
            "streaming_movies": rng.choice(["Yes", "No"], N),
            "contract": rng.choice(["Month-to-month", "Two year"], N),
            "paperless_billing": "Yes",
            "payment_method": "Mailed check",
            "monthly_charges": charges,
            "total_charges": charges * tenure,
            "churned": left.astype(int),
        }
    )
    return check_frame(frame, datasets.TELCO_CHURN)


@pytest.fixture(scope="module")
def floor(customers) -> pd.DataFrame:
    return real.telco_floor(customers, seed=3)


@pytest.fixture(scope="module")
def leak(customers) -> pd.DataFrame:
    """The exercise in a world without signal: labels are drawn anew."""
    noise = customers.assign(churned=(np.random.default_rng(1).random(N) < 0.25).astype(int))
    return real.telco_smote_like_leak(noise, seed=0)


def test_features_are_numbers_and_hold_neither_name_nor_label(customers):
    features = real.telco_features(customers)
    assert not [name for name in features if name.startswith(("customer_id", "churned"))]
    numeric = ["senior_citizen", "tenure", "monthly_charges", "total_charges"]
    for name in numeric:
        np.testing.assert_array_equal(features[name], customers[name])
    words = features.drop(columns=numeric)
    assert (words.sum(axis=1) == len(customers.columns) - 2 - len(numeric)).all()
    np.testing.assert_array_equal(words["contract_Two year"] == 1, customers["contract"] == "Two year")


@pytest.mark.slow
def test_the_regressions_floor_is_a_loops(customers, floor):
    X, y = real.telco_features(customers).to_numpy(), customers["churned"].to_numpy()
    found = []
    for fit, test in RepeatedStratifiedKFold(n_splits=5, n_repeats=1, random_state=3).split(X, y):
        scaler = StandardScaler().fit(X[fit])
        p = LogisticRegression(max_iter=2000).fit(scaler.transform(X[fit]), y[fit])
        p = p.predict_proba(scaler.transform(X[test]))[:, 1]
        found.append(
            [roc_auc_score(y[test], p), average_precision_score(y[test], p), float(((p - y[test]) ** 2).mean())]
        )
    row = floor.loc["logistic regression"]
    np.testing.assert_allclose(row[["auc", "ap", "brier"]].astype(float), np.mean(found, axis=0), atol=SOLVER)
    np.testing.assert_allclose(
        row[["auc_sd", "ap_sd", "brier_sd"]].astype(float), np.std(found, axis=0, ddof=1), atol=SOLVER
    )


def test_the_floor_stands_beside_what_was_measured_earlier(floor):
    assert list(floor.index) == list(real.FLOOR_MEASURED_EARLIER)
    for model, (auc, ap, brier) in real.FLOOR_MEASURED_EARLIER.items():
        np.testing.assert_array_equal(
            floor.loc[model, ["auc_earlier", "ap_earlier", "brier_earlier"]].astype(float), [auc, ap, brier]
        )
    assert floor.loc["logistic regression", "folds_above"] == 0
    assert floor["folds_above"].between(0, 5).all() and (floor["folds"] == 5).all()
    assert floor["auc"].between(0.6, 0.95).all()


def test_repeats_draw_more_folds(customers, monkeypatch):
    monkeypatch.setattr(real, "_models", lambda seed: {"logistic regression": real._logistic()})
    one, two = (real.telco_floor(customers, seed=3, repeats=repeats) for repeats in (1, 2))
    assert (one["folds"].item(), two["folds"].item()) == (5, 10)
    assert one["auc"].item() != two["auc"].item()


def test_without_signal_only_the_leak_finds_any(leak):
    honest = leak.xs("copies").drop(index="before the split")["auc"]
    assert honest.between(0.35, 0.65).all()  # 100 test rows: a standard error of 0.06
    assert leak.loc[("copies", "before the split"), "auc"] > 0.9
    assert leak.loc[("copies", "before the split"), "f1"] > 0.8


def test_a_balanced_test_part_lifts_f1_and_made_rows_lift_auc_without_a_leak(leak):
    copies, smote = leak.xs("copies"), leak.xs("SMOTE")
    assert copies.loc["in each part by itself", "f1"] > copies.loc["in the training part", "f1"]
    assert smote.loc["in each part by itself", "auc"] > copies.loc["in each part by itself", "auc"] + 0.1


def test_only_the_split_that_comes_last_shares_customers(leak):
    before = leak.index.get_level_values("where") == "before the split"
    assert (leak.loc[before, "shared"] > 0.5).all()
    assert (leak.loc[~before, "shared"] == 0).all()
    np.testing.assert_allclose(leak.loc[before, "base_rate"], 0.5, atol=0.01)
    assert (leak.xs("nowhere", level="where")["test_rows"] == N * 0.2).all()
    assert list(leak.xs("copies").index) == list(real.PLACES)


@pytest.mark.parametrize("smote", [False, True])
def test_oversampling_adds_rows_between_their_parents(smote):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), np.repeat([0, 1], [45, 15])
    more = oversample(originals(X, y), rng, smote)
    np.testing.assert_array_equal(more.X[:60], X)
    assert more.y.tolist() == [*y, *[1] * 30]
    one, other = X[more.parents[60:, 0]], X[more.parents[60:, 1]]
    assert (y[more.parents[60:]] == 1).all()
    whole = np.linalg.norm(other - one, axis=1)
    parts = np.linalg.norm(more.X[60:] - one, axis=1) + np.linalg.norm(more.X[60:] - other, axis=1)
    np.testing.assert_allclose(parts, whole, atol=EXACT * 1e3)
    assert (whole > 0).all() == smote


def test_smotes_second_parent_is_among_the_five_nearest():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)) * [1, 50], np.repeat([0, 1], [45, 15])
    more = oversample(originals(X, y), rng, smote=True)
    few = (X[45:] - X[45:].mean(axis=0)) / X[45:].std(axis=0)
    for one, other in more.parents[60:] - 45:
        distances = [(few[one] - row) @ (few[one] - row) for row in few]
        assert other in sorted(set(range(15)) - {one}, key=lambda row, far=distances: far[row])[:5]


def test_shared_is_a_loops():
    rng = np.random.default_rng(0)
    whole = oversample(originals(rng.normal(size=(60, 2)), np.repeat([0, 1], [45, 15])), rng, smote=True)
    rows = rng.permutation(len(whole.y))
    train, test = whole.take(rows[:70]), whole.take(rows[70:])
    used = {int(parent) for parents, y in zip(train.parents, train.y, strict=True) if y for parent in parents}
    hits = [bool({*parents.tolist()} & used) for parents, y in zip(test.parents, test.y, strict=True) if y]
    assert 0 < shared(train, test) == pytest.approx(np.mean(hits), abs=EXACT)


@pytest.mark.parametrize(
    ("y", "got"), [([1] * 6 + [0] * 5, "6 of 11"), ([1] * 5 + [0] * 9, "5 of 14")], ids=["larger", "few"]
)
def test_oversampling_refuses_what_is_no_minority(y, got):
    with pytest.raises(ContractError) as caught:
        oversample(originals(np.zeros((len(y), 1)), np.array(y)), np.random.default_rng(0), smote=False)
    assert (
        str(caught.value)
        == f"y must be 1 in at least 6 rows and in at most half, got {got}; pass the smaller class as 1."
    )


def test_the_list_by_the_bill_is_a_sort(customers):
    table = real.who_to_keep(customers, seed=0, share=0.1)
    dear = customers.sort_values("monthly_charges", ascending=False, kind="stable")[:50]
    gone = dear[dear["churned"] == 1]
    row = table.loc["bill"]
    assert (row["customers"], row["left"]) == (50, len(gone))
    assert row["at_risk"] == pytest.approx(gone["monthly_charges"].sum(), rel=EXACT)
    lost = customers.loc[customers["churned"] == 1, "monthly_charges"].sum()
    assert row["share_at_risk"] == pytest.approx(gone["monthly_charges"].sum() / lost, rel=EXACT)
    assert row["more"] == pytest.approx(row["at_risk"] - table.loc["p", "at_risk"], rel=1e-9)
    assert table.loc["p", "precision"] > row["precision"]
    assert table.loc["p", "overlap"] == 1 and 0 < table.loc["p x bill", "overlap"] < 1


def test_the_interval_of_the_difference_is_a_bootstraps(customers, monkeypatch):
    lists = []
    spied = real._top
    monkeypatch.setattr(real, "_top", lambda *given: lists.append(spied(*given)) or lists[-1])
    row = real.who_to_keep(customers, seed=0, share=0.2).loc["bill"]
    gap = (lists[2].astype(int) - lists[0]) * customers["churned"].to_numpy() * customers["monthly_charges"].to_numpy()
    draws = gap[np.random.default_rng(0).integers(0, N, (2_000, N))].sum(axis=1)
    assert row["more"] == pytest.approx(gap.sum(), rel=1e-9)
    assert row["high"] - row["more"] == pytest.approx(1.96 * draws.std(), rel=HALF_WIDTH)
    assert row["more"] - row["low"] == pytest.approx(row["high"] - row["more"], rel=1e-9)


def test_where_all_pay_the_same_the_bill_changes_no_list(customers):
    level = customers.assign(monthly_charges=70.0)
    table = real.who_to_keep(level, seed=0)
    assert table.loc["p x bill", "overlap"] == 1
    assert table.loc["p x bill", ["more", "low", "high"]].tolist() == [0, 0, 0]


def test_the_whole_table_as_a_list_holds_all_that_was_lost(customers):
    table = real.who_to_keep(customers, seed=0, share=1)
    assert (table["share_at_risk"] == 1).all() and (table["overlap"] == 1).all()


def test_the_table_given_is_not_changed(customers):
    kept = customers.copy(deep=True)
    real.who_to_keep(customers, seed=0)
    real.telco_features(customers)
    pd.testing.assert_frame_equal(customers, kept)


def test_a_share_in_percent_is_refused(customers):
    with pytest.raises(ContractError) as caught:
        real.who_to_keep(customers, seed=0, share=10)
    assert str(caught.value) == "share must be above 0 and at most 1, got 10; give it as a share, such as 0.1."


@pytest.mark.slow
def test_on_the_original_the_floor_is_where_it_was(monkeypatch):
    monkeypatch.setenv("CASEBOOK_OFFLINE", "1")
    path = datasets.fetch("telco-churn")
    if path is None:
        pytest.skip("data absent")
    table = real.telco_floor(datasets.prepare_telco_churn(path), seed=0)
    assert (table["auc"] - table["auc_earlier"]).abs().max() < FLOOR
    assert table.loc["boosting, default", "folds_above"] == 0
    assert table["auc"].idxmin() == "boosting, default"
