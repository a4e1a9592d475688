"""The handbook's protocol: on a miniature against its loop written out, on the original against what it prints."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from casebook import datasets
from casebook.contracts import ContractError, check_frame
from casebook.fraud import real, real_prevalence, real_weights
from casebook.fraud.evaluate import average_precision
from casebook.fraud.evaluate_groups import TOO_FEW, by_kind
from casebook.fraud.evaluate_queue import card_precision

EXACT = 1e-12  # the same sums in another order
PRINTED = 0.0006  # three digits are printed: half a unit, and what floats add
SOLVER = 0.004  # solvers of several versions stopped within this of each other on the toy's balanced accuracy
CARDS, A_DAY, DAYS = 150, 120, 21


@pytest.fixture(scope="module")
def week() -> pd.DataFrame:
    """Three weeks of 150 cards, of which some go bad for good on a day of their own."""
    rng = np.random.default_rng(0)
    n = A_DAY * DAYS
    at = np.sort(rng.integers(0, DAYS * 86_400, n))
    day, card = at // 86_400, rng.integers(0, CARDS, n)
    goes_bad = np.where(rng.random(CARDS) < 0.5, rng.integers(0, 3 * DAYS, CARDS), 10**6)
    fraud = (day >= goes_bad[card]) & (rng.random(n) < 0.3)
    scenario = np.where(fraud, 1 + card % 3, 0)
    columns = {name: rng.random(n) for name in real.FEATURES}
    columns |= {
        "amount": rng.gamma(2, 20, n) * (1 + 2 * fraud),
        "weekend": day % 7 // 5,
        "night": at % 86_400 // 21_600 == 0,
    }
    columns |= {"event_id": np.arange(n), "at": at, "day": day, "card_id": card, "terminal_id": card % 9}
    frame = pd.DataFrame(
        columns | {"fraud": fraud.astype(int), "scenario": scenario, "night": columns["night"].astype(int)}
    )
    return check_frame(frame, datasets.FRAUD_HANDBOOK)


@pytest.fixture(scope="module")
def scored(week) -> real.Scored:
    return real.handbook_scores(week, models=["logistic regression", "tree, depth 2", "boosting"])


@pytest.fixture(scope="module")
def original() -> pd.DataFrame:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEBOOK_OFFLINE", "1")
        path = datasets.fetch("fraud-handbook")
    if path is None:
        pytest.skip("data absent")
    return datasets.prepare_fraud_handbook(path)


def split_as_the_handbook_does(frame, train=7, delay=7, test=7):
    """Its loop over test days: known cards are those of the training days and of each day that turns old enough."""
    start = frame["day"].min()
    trained = frame[frame["day"] < start + train]
    known, parts = set(trained.loc[trained["fraud"] == 1, "card_id"]), []
    for ahead in range(test):
        fresh = frame[frame["day"] == start + train + ahead - 1]
        known |= set(fresh.loc[fresh["fraud"] == 1, "card_id"])
        today = frame[frame["day"] == start + train + delay + ahead]
        parts.append(today[~today["card_id"].isin(known)])
    return trained, pd.concat(parts)


@pytest.mark.parametrize("test_days", [7, 3, 1])
def test_the_split_is_the_handbooks(week, test_days):
    kept = week.copy()
    for got, want in zip(
        real.handbook_split(week, test_days=test_days), split_as_the_handbook_does(week, test=test_days), strict=True
    ):
        pd.testing.assert_frame_equal(got, want)
    pd.testing.assert_frame_equal(week, kept)


def test_the_split_knows_a_label_after_the_delay_and_not_before(week):
    train, test = real.handbook_split(week)
    first = week[week["fraud"] == 1].groupby("card_id")["day"].min()
    since = test["card_id"].map(first)
    assert train["day"].max() == 6
    assert test["day"].min() == 14
    assert not (since + 7 < test["day"]).any()
    assert ((since >= 7) & (since < 14)).any()  # compromised in the delay and not yet known


def test_labels_of_the_delay_and_the_test_change_no_score(week, scored):
    later = week.copy()
    moved = later["day"] >= 7
    kept = real.handbook_split(week)[1].index
    later.loc[moved, ["fraud", "scenario"]] = 0
    again = real.handbook_scores(later, models=["logistic regression", "tree, depth 2", "boosting"])
    pd.testing.assert_frame_equal(again.score.loc[kept], scored.score, rtol=1e-9)


def test_features_hold_neither_label_nor_key():
    assert len(real.FEATURES) == 15
    assert not set(real.FEATURES) & {"fraud", "scenario", "card_id", "terminal_id", "event_id", "day", "at"}


def test_the_table_holds_ours_beside_the_printed(scored):
    table, y = real.handbook_table(scored, k=5), scored.test["fraud"]
    p = scored.score["boosting"]
    row = table.loc["boosting"]
    assert row["auc"] == pytest.approx(roc_auc_score(y, p), abs=EXACT)
    assert row["ap"] == pytest.approx(average_precision_score(y, p), abs=EXACT)
    assert row["cp"] == card_precision(scored.test["card_id"], scored.test["day"], p, y, 5, drop_found=True)
    assert row["cp_kept"] == card_precision(scored.test["card_id"], scored.test["day"], p, y, 5)
    assert tuple(row[["auc_published", "ap_published", "cp_published"]]) == real.PUBLISHED["boosting"]
    assert row["why"].startswith("LightGBM")
    assert table.loc["tree, depth 2", "why"] == "another version of the library"


def test_what_is_near_the_printed_is_called_the_same(scored, monkeypatch):
    ours = real.handbook_table(scored).loc["boosting", ["auc", "ap", "cp"]].to_numpy(dtype=float)
    for off, why in ((0.001, "the same"), (0.002, "LightGBM")):
        monkeypatch.setattr(real, "PUBLISHED", dict(real.PUBLISHED) | {"boosting": tuple(ours + off)})
        assert real.handbook_table(scored).loc["boosting", "why"].startswith(why)


def test_prevalences_part_is_a_reading_of_the_same_roc(scored):
    table, y = real_prevalence.prevalence_part(scored), scored.test["fraud"].to_numpy()
    assert table.index.tolist() == ["logistic regression", "boosting"]
    p = scored.score["boosting"].to_numpy()
    weight = np.where(y == 1, 0.0025 / y.sum(), 0.9975 / (y == 0).sum())
    row = table.loc["boosting"]
    assert row["ap_at_real"] == pytest.approx(average_precision_score(y, p, sample_weight=weight), abs=EXACT)
    assert row["fall"] == pytest.approx(0.687 / 0.095)
    assert row["fall"] ** row["share"] == pytest.approx(row["ap"] / row["ap_at_real"])
    assert row["fall"] ** row["share_most"] == pytest.approx(row["most"])
    assert (table["by_prevalence"] <= table["most"]).all()


def test_at_its_own_prevalence_nothing_is_explained_and_a_flat_roc_loses_nearly_all_that_it_can(scored):
    same = real_prevalence.prevalence_part(scored, prevalence=scored.test["fraud"].mean())
    np.testing.assert_allclose(same["share"], 0, atol=1e-9)
    flat = scored.score.assign(boosting=0.5)
    row = real_prevalence.prevalence_part(real.Scored(scored.test, flat, scored.seconds)).loc["boosting"]
    assert row["by_prevalence"] == pytest.approx(scored.test["fraud"].mean() / 0.0025)
    assert 0.9 * row["most"] < row["by_prevalence"] < row["most"]


def test_the_queues_part_counts_found_cards(scored):
    row = real_prevalence.queue_part(scored, k=5, fraud_cards=50).loc["boosting"]
    assert row["cp"] <= row["ceiling"] <= 1
    assert row["found"] <= 1
    assert row["ceiling_real"] == 1
    assert row["found_real"] == pytest.approx(0.235 * 5 / 50)
    assert row["found_fall"] == pytest.approx(row["found"] / row["found_real"])


def test_known_cards_count_where_the_real_ones_do(scored):
    known = scored.test[scored.test["fraud"] == 1]
    raw = pd.concat([scored.test, known.assign(card_id=known["card_id"] + 10**6)])  # as many known cards again
    row = real_prevalence.queue_part(scored, k=5, fraud_cards=50, raw=raw).loc["boosting"]
    cards = known.groupby("day")["card_id"].nunique().mean()
    assert row["all_fraud_cards"] == pytest.approx(2 * cards)
    assert row["found"] == pytest.approx(row["cp"] * 5 / (2 * cards))
    table = real_prevalence.prevalence_part(scored, prevalence=0.0025, raw=raw)
    odds = raw["fraud"].sum() / (1 - raw["fraud"]).sum()
    assert table["most"].to_numpy() == pytest.approx(odds * 0.9975 / 0.0025)
    plain = real_prevalence.prevalence_part(scored, prevalence=0.0025)
    assert (table["by_prevalence"] > plain["by_prevalence"]).all()


def test_class_weights_move_the_cut(week):
    table = real_weights.class_weights(week, np.random.default_rng(0), rounds=20)
    assert table.index.tolist() == list(real_weights.PUBLISHED_WEIGHTS)
    one = table.xs(1.0, level="weight")
    assert (one[["gap", "low", "high"]] == 0).all(axis=None)
    assert (one["balanced_accuracy"] == one["moved_cut"]).all()
    train, test = real.handbook_split(week)
    seen, new = (part[list(real.FEATURES)] for part in (train, test))
    scaled = (new - seen.mean()) / seen.std(ddof=0)
    model = LogisticRegression(class_weight={0: 0.01}).fit((seen - seen.mean()) / seen.std(ddof=0), train["fraud"])
    twin = average_precision_score(test["fraud"], model.predict_proba(scaled)[:, 1])
    assert table.loc[("logistic regression", 0.01), "ap"] == pytest.approx(twin, abs=1e-6)
    again = real_weights.class_weights(week, np.random.default_rng(0), rounds=20)
    pd.testing.assert_frame_equal(table, again)


def test_the_toy_is_the_handbooks():
    table = real_weights.toy_class_weights()
    for measure in ("auc", "ap"):
        assert (table[measure] - table[f"{measure}_published"]).abs().max() < PRINTED
    assert (table["balanced_accuracy"] - table["balanced_accuracy_published"]).abs().max() < SOLVER
    plain, weighted = (table.xs(weight, level="weight") for weight in (1.0, real_weights.TOY_WEIGHT))
    assert (weighted["balanced_accuracy"] > plain["balanced_accuracy"] + 0.1).all()
    assert weighted.loc["tree, depth 5", "ap"] < plain.loc["tree, depth 5", "ap"] - 0.04


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda week, _: real.handbook_split(week, test_days=8),
            "the days of the table must be 22 or more, got 21; shorten the periods or take more days.",
        ),
        (
            lambda week, _: real.handbook_split(week.drop(columns="fraud")),
            "fraud handbook must be a table with a column 'fraud', got ",
        ),
        (
            lambda week, _: real.handbook_scores(week, models=["net"]),
            "models must be some of logistic regression, tree, depth 2, full tree, random forest, boosting, got 'net'; "
            "correct the name.",
        ),
        (
            lambda _, scored: real_prevalence.queue_part(real.Scored(scored.test, scored.score[["tree, depth 2"]], {})),
            "scored must be scores of one of logistic regression, random forest, boosting, got tree, depth 2; "
            "fit one of these.",
        ),
    ],
)
def test_refusals(call, message, week, scored):
    with pytest.raises(ContractError) as caught:
        call(week, scored)
    assert str(caught.value).startswith(message)


def test_the_original_has_the_handbooks_counts(original):
    train, test = real.handbook_split(original)
    assert (len(train), train["fraud"].sum()) == (67_240, 598)
    assert (len(test), test["fraud"].sum()) == (58_264, 385)
    assert (original["card_n_1d"] >= 1).all()  # windows hold the transaction itself
    kinds = by_kind(test["fraud"], test["amount"], test["scenario"])
    assert kinds["frauds"].tolist() == [385, 20, 281, 84]
    assert kinds["note"].tolist() == ["", TOO_FEW, "", TOO_FEW]


@pytest.mark.slow
def test_on_the_original_four_rows_are_the_printed_ones(original):
    scored = real.handbook_scores(original)
    table = real.handbook_table(scored)
    assert table["why"].drop("boosting").tolist() == ["the same"] * 4
    assert table.loc["boosting", "ap"] < table.loc["boosting", "ap_published"] - 0.02
    part = real_prevalence.prevalence_part(scored)
    assert (part["share"] < 0.1).all()
    assert (part["share_most"] < 0.5).all()
    queue = real_prevalence.queue_part(scored)
    assert (queue["cp_fall"] < 1.5).all()
    assert (queue["found_fall"] > 5).all()
    assert (queue["ceiling"] < 0.5).all()


@pytest.mark.slow
def test_on_the_original_class_weights_cost_average_precision(original):
    table = real_weights.class_weights(original, np.random.default_rng(0))
    lightest = table.xs(0.01, level="weight")
    assert (lightest["high"] < 0).all()
    logistic = table.loc["logistic regression"]
    assert (logistic["auc"] - logistic.loc[1.0, "auc"]).abs().max() < 0.005
    assert (logistic["balanced_accuracy"] - logistic["moved_cut"]).abs().max() < 0.005
    assert lightest.loc["logistic regression", "ap_published"] < 0.623 - 0.05


@pytest.mark.slow
def test_xgboost_with_the_defaults_of_2020_gives_the_printed_row(original):
    xgboost = pytest.importorskip("xgboost")
    old = xgboost.XGBClassifier(tree_method="exact", base_score=0.5, random_state=0, n_jobs=1)
    scored = real.score_with(original, {"old": old, "new": xgboost.XGBClassifier(random_state=0, n_jobs=1)})
    y = scored.test["fraud"]
    ours = roc_auc_score(y, scored.score["old"]), average_precision(y, scored.score["old"])
    assert np.abs(np.subtract(ours, real.PUBLISHED["boosting"][:2])).max() < real.SAME
    assert average_precision(y, scored.score["new"]) < ours[1] - 0.03


def test_a_tree_fitted_by_hand_has_the_same_scores(week, scored):
    train, test = real.handbook_split(week)
    tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit(train[list(real.FEATURES)], train["fraud"])
    p = tree.predict_proba(test[list(real.FEATURES)])[:, 1]
    np.testing.assert_allclose(scored.score["tree, depth 2"], p, atol=EXACT)
