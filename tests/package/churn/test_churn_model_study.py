import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from casebook.churn import figures_model, model_study
from casebook.churn.data_audit import with_due
from casebook.churn.evaluate import worth
from casebook.churn.features import CATEGORIES, COLUMNS, build, cohorts, connect
from casebook.churn.model_study import (
    FINER,
    TRAJECTORY_APART,
    USAGE_APART,
    Scored,
    company_memory,
    measure_sequence,
    metric_against_money,
    rule_table,
    score_all,
)
from casebook.churn.models import ablation, boosted, logistic
from casebook.churn.simulate import simulate
from casebook.churn.world import World
from casebook.decisions import reliability

DATES, MONTH = ["2025-08-01", "2025-10-01"], "2025-12-01"


@pytest.fixture(scope="module")
def company():
    return simulate(World(), 3_000, np.random.default_rng(43))


@pytest.fixture(scope="module")
def frames(company):
    connection = connect(company.tables)
    return cohorts(connection, DATES), cohorts(connection, [MONTH]), build(connection, "2026-01-01")


def test_every_partition_holds_every_column_once():
    for partition in (FINER, USAGE_APART, TRAJECTORY_APART):
        assert sorted(column for columns in partition.values() for column in columns) == sorted(COLUMNS)
    assert set(CATEGORIES["trajectory"]) <= set(USAGE_APART["all usage"])


def test_models_are_scored_on_both_days_and_stay_unfitted(frames):
    train, later, today = (with_due(frame) for frame in frames)
    model = logistic(0, ["due", "due_annual"])
    scored = score_all({"due": model}, train, later, today, (*COLUMNS, "due", "due_annual"))
    assert not hasattr(model, "n_features_in_")
    one = scored["due"]
    assert len(one.later) == len(later) and len(one.today) == len(today)
    assert one.later[later["due"] == 0].max() < one.later[later["due_annual"] == 1].min()


def test_the_truth_as_a_score_earns_what_its_list_earns(company):
    truth = worth(company.world, company.truth)
    n = len(truth.p)
    y = (np.random.default_rng(0).random(n) < truth.p).astype(int)
    calls = round(0.05 * n)
    table = metric_against_money(
        {"risk": Scored(truth.p, truth.p), "gain": Scored(truth.p, truth.gain)}, y, truth, calls
    )
    assert np.isclose(table.loc["gain", "captured"], 1)
    assert table.loc["risk", "captured"] < 1 and table.loc["risk", "true_p"] > table.loc["gain", "true_p"]
    top = np.argsort(-truth.p, kind="stable")[:calls]
    assert np.isclose(table.loc["risk", "saved"], truth.uplift[top].sum())
    assert np.isclose(table.loc["risk", "auc"], roc_auc_score(y, truth.p))


def test_rules_count_who_lies_above_them():
    y, p = np.array([0, 0, 0, 1]), np.array([0.001, 0.01, 0.1, 0.3])
    table = rule_table({"p": p}, y, capacity=0.5)
    assert table.loc["p", ["above 0.005", "above 0.05", "precision"]].tolist() == [0.75, 0.5, 0.5]
    assert table.loc["observed", "mean_p"] == 0.25 and np.isclose(table.loc["p", "mean_p"], p.mean())


def test_memory_tells_companies_met_from_new_ones():
    train = pd.DataFrame({"account_id": [1, 1, 2, 2], "y": [0, 1, 0, 1]})
    later = pd.DataFrame({"account_id": [1, 2, 8, 9], "y": [0, 1, 0, 1]})
    found = company_memory(train, np.array([0.1, 0.9, 0.2, 0.8]), later, np.array([0.1, 0.9, 0.9, 0.1]))
    assert found.to_dict() == {"auc_train": 1, "auc_later": 0.5, "auc_met": 1, "auc_new": 0, "leavers_new": 1}
    others = company_memory(train, np.array([0.1, 0.9, 0.2, 0.8]), later, np.array([0.1, 0.9, 0.9, 0.1]), met=[8, 9])
    assert others["auc_met"] == 0 and others["auc_new"] == 1


class Rote:
    """Stands for the network, which has tests of its own: it knows the leavers' companies, if it may."""

    def __init__(self, static, y, ids):
        self.known = set() if ids is None else set(ids[y == 1])
        self.columns = list(static.columns)

    def predict_proba(self, sequences, static, ids=None):
        assert len(sequences) == len(static) and list(static.columns) == self.columns
        due = (static["days_to_renewal"] <= 30).to_numpy() * 0.3
        p = due + (0.6 if ids is not None else 0) * np.isin(ids, list(self.known))
        return np.column_stack([1 - p, p])


def test_a_network_that_knows_names_is_measured_on_both_sides(monkeypatch, frames):
    train, later, _ = frames
    asked = {}

    def fit(sequences, static, y, *, ids, seed, epochs):
        asked.update(seed=seed, epochs=epochs, rows=len(sequences))
        return Rote(static, y, ids)

    monkeypatch.setattr(model_study, "fit_sequence", fit)
    months = (np.zeros((len(train), 26, 4)), train), (np.zeros((len(later), 26, 4)), later)
    gaps = {}
    for ids in (False, True):
        row, memory = measure_sequence(*months, 0.05, ids=ids, seed=7, epochs=2)
        assert {"auprc", "auc", "precision", "fit_seconds", "row_ms", "base_seconds"} <= set(row)
        assert np.isclose(row["auc"], memory["auc_later"])
        gaps[ids] = memory["auc_train"] - memory["auc_later"]
    assert asked == {"seed": 7, "epochs": 2, "rows": len(train)}
    assert gaps[True] > gaps[False] + 0.05


def titles():
    return [text.get_text().replace("\n", " ") for text in plt.gcf().texts]


def test_the_ablation_figure_is_titled_by_its_own_numbers(frames):
    train, later, _ = frames
    table = ablation(train, later, np.random.default_rng(0), boosted(n_estimators=10), 10, FINER)
    figures_model.ablation_dots(table, "these")
    without = table[table["kept"] == "all but"].set_index("category")["auc_lost"]
    assert without.idxmax() == "calendar"
    most, trajectory = without.max(), without["trajectory"]
    assert titles()[0] == f"Without the calendar of renewals AUC loses {most:.3f}, without trajectory {trajectory:.3f}"
    assert [label.get_text() for label in plt.gca().get_yticklabels()][-1] == "calendar of renewals"
    plt.close("all")


def test_the_study_figures_read_their_ends_off_the_worlds():
    rng = np.random.default_rng(0)
    worlds = pd.DataFrame({"changing": rng.random(60), "rows": np.exp(rng.uniform(7.6, 11, 60))})
    worlds["lost_trajectory"] = np.where(worlds["changing"] < 0.5, 0.0, 0.02)
    figures_model.lost_by_changing(worlds)
    said = "Trajectory is worth 0.000 of AUC where less than half of risk changes, 0.020 where more does"
    assert titles()[0] == said
    worlds["saved_boosted"] = np.where(worlds["rows"] < worlds["rows"].median(), 0.2, 0.3)
    worlds["saved_logistic"] = 0.25
    figures_model.gain_by_rows(worlds, "boosted", "logistic")
    assert titles()[0] == "Boosted less logistic: -5.0 points on the fewest rows, +5.0 on the most"
    plt.close("all")


def test_the_reliability_figure_says_how_far_each_score_is_off():
    rng = np.random.default_rng(0)
    p = rng.uniform(0.05, 0.3, 4_000)
    y = (rng.random(4_000) < p).astype(int)
    tables = {"right": reliability(y, p, 8), "doubled": reliability(y, 2 * p, 8)}
    figures_model.reliability_curves(tables)
    off = (tables["doubled"]["mean_p"] - tables["doubled"]["observed"]).mean()
    assert f"and {100 * off:.1f} points (doubled), on average" in titles()[0]
    plt.close("all")
