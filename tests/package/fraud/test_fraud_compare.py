"""The table of all models: each measure against the library's or the room's own, on rows with many ties."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from casebook.contracts import ContractError
from casebook.decisions import calibration_error
from casebook.fraud import compare
from casebook.fraud.compare import Scores, comparison, gaps, listed, score_all, timed
from casebook.fraud.evaluate_queue import card_days, card_precision
from casebook.fraud.models import AnomalyModel, LogisticModel, RuleModel

KINDS = ("ring", "stolen_card", "wallet")


def drawn(seed, n=600):
    rng = np.random.default_rng(seed)
    fraud = rng.random(n) < 0.1
    kind = np.where(fraud, rng.choice(KINDS, n, p=[0.6, 0.35, 0.05]), "honest")
    test = pd.DataFrame(
        {
            "fraud": fraud,
            "kind": pd.Categorical(kind),
            "channel": pd.Categorical(rng.choice(["terminal", "online"], n), categories=["terminal", "online", "app"]),
            "card_id": rng.integers(0, 90, n),
            "day": np.sort(rng.integers(0, 4, n)),
        }
    )
    p = np.round(np.clip(0.1 + 0.3 * fraud + rng.normal(0, 0.15, n), 0, 1), 1)  # many ties
    return test, p


def as_scores(**columns):
    cost = pd.DataFrame(
        {
            "fit_seconds": 1.0,
            "seconds_per_million": 2.0,
            "is_probability": [not name.startswith("rank") for name in columns],
        },
        index=pd.Index(list(columns), name="model"),
    )
    return Scores(pd.DataFrame(columns), cost, {})


@pytest.fixture(scope="module")
def table():
    test, p = drawn(0)
    return comparison(as_scores(p=p, rank=10 * p), test, k=9, least=5), test, p


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 120))
def test_the_list_is_that_of_the_queue(seed, k):
    test, p = drawn(seed, 150)
    cards = listed(test["card_id"], test["day"], p, k)
    bad = test[test["fraud"]][["day", "card_id"]].drop_duplicates()
    twin = card_days(test["card_id"], test["day"], p, test["fraud"], k)
    assert len(bad.merge(cards)) == twin["found"].sum()
    assert len(cards) == twin["listed"].sum()


def test_all_and_channels_have_the_measures_of_the_library(table):
    found, test, p = table
    for group, where in [
        ("all", np.ones(len(p), bool)),
        *((c, (test["channel"] == c).to_numpy()) for c in ("terminal", "online")),
    ]:
        row = found.loc["p", "all" if group == "all" else "channel", group]
        fraud = test["fraud"].to_numpy()[where]
        assert (row["n"], row["frauds"]) == (where.sum(), fraud.sum())
        assert row["prevalence"] == pytest.approx(fraud.mean())
        assert row["ap"] == pytest.approx(average_precision_score(fraud, p[where]))
        own = test[where]
        assert row["card_precision"] == pytest.approx(card_precision(own["card_id"], own["day"], p[where], fraud, 9))
        ceiling = card_days(own["card_id"], own["day"], p[where], fraud, 9)["ceiling"].mean()
        assert row["ceiling"] == pytest.approx(ceiling)
        assert row["promised"] == pytest.approx(p[where].sum())
        assert row["calibration_error"] == pytest.approx(calibration_error(fraud, p[where]))


def test_kinds_are_held_against_all_honest_events(table):
    found, test, p = table
    for kind in ("ring", "stolen_card"):
        row, own = found.loc["p", "kind", kind], (test["kind"] == kind).to_numpy()
        kept = own | ~test["fraud"].to_numpy()
        assert (row["n"], row["frauds"]) == (kept.sum(), own.sum())
        assert row["ap"] == pytest.approx(average_precision_score(own[kept], p[kept]))
        assert row["card_precision"] == pytest.approx(card_precision(test["card_id"], test["day"], p, own, 9))
        assert np.isnan(row["promised"])


def test_few_frauds_are_said_to_be_few(table):
    found, test, _ = table
    assert (test["kind"] == "wallet").sum() < 5
    row = found.loc["p", "kind", "wallet"]
    assert row["note"] == "too few" and np.isnan(row["ap"]) and row["frauds"] == (test["kind"] == "wallet").sum()
    strict = comparison(as_scores(p=drawn(0)[1]), test, least=1_000)
    assert (strict["note"] == "too few").all() and (strict.loc["p", "all", "all"]["bands_hold"] == "too few")


def test_a_rank_promises_nothing_and_ranks_the_same(table):
    found, _, _ = table
    assert found.loc["rank"]["promised"].isna().all()
    for name in ("ap", "auc", "recall_at_0.01", "card_precision"):
        pd.testing.assert_series_equal(found.loc["rank"][name], found.loc["p"][name])
    assert (found["seconds_per_million"] == 2.0).all()


def test_words_and_categories_give_the_same_rows(table):
    found, test, p = table
    plain = test.astype({"kind": object, "channel": object})
    other = comparison(as_scores(p=p), plain, k=9, least=5)
    pd.testing.assert_frame_equal(other.sort_index(), found.loc[["p"]].sort_index())


def test_bands_are_counted(table):
    found, test, _ = table
    honest = np.random.default_rng(1).random(len(test)) < 0.3
    calibrated = comparison(as_scores(p=np.full(len(test), 0.3)), test.assign(fraud=honest), least=5)
    assert calibrated.loc["p", "all", "all"]["bands_hold"] == "1 of 1"
    wrong = comparison(as_scores(p=np.full(len(test), 0.9)), test, least=5)
    assert wrong.loc["p", "all", "all"]["bands_hold"] == "0 of 1"
    assert " of " in found.loc["p", "all", "all"]["bands_hold"]


def test_a_better_model_has_a_gap_that_leaves_zero_out():
    test, p = drawn(3)
    noise = np.random.default_rng(0).random(len(p))
    found = gaps(as_scores(p=p, noise=noise, again=p), test, "p", np.random.default_rng(0), 60)
    assert found["low"]["noise"] > 0
    assert found.loc["again"].tolist() == [0, 0, 0]
    with pytest.raises(ContractError, match=r"^against must be one of 'p', 'noise', got 'best'; correct the name\.$"):
        gaps(as_scores(p=p, noise=noise), test, "best", np.random.default_rng(0))


def test_models_are_cloned_fitted_and_timed(recorded_run):
    run, recorder = recorded_run
    X = recorder.features
    y = run.truth.events["fraud"].to_numpy()
    models = {"rules": RuleModel(run.tables["decisions"]), "line": LogisticModel(), "forest": AnomalyModel(trees=5)}
    scores = score_all(models, X[:4_000], y[:4_000], X[4_000:6_000], 1.0)
    assert list(scores.score) == list(models) and (scores.score.index == X.index[4_000:6_000]).all()
    assert not hasattr(models["line"], "pipeline_") and hasattr(scores.fitted["line"], "pipeline_")
    twin = LogisticModel().fit(X[:4_000], y[:4_000]).predict(X[4_000:6_000])
    np.testing.assert_allclose(scores.score["line"], twin)
    assert scores.cost["is_probability"].tolist() == [False, True, False]
    assert (scores.cost.loc[["line", "forest"], ["fit_seconds", "seconds_per_million"]] > 0).all(axis=None)


def test_bad_tables_are_refused():
    test, p = drawn(0)
    with pytest.raises(ContractError, match=r"^models must be at least one, got none; "):
        score_all({}, test, p, test)
    with pytest.raises(
        ContractError, match=r"^test must be 600 rows long, as the scores are, got 599 rows; take the same"
    ):
        comparison(as_scores(p=p), test.iloc[1:])
    with pytest.raises(ContractError, match="column 'kind'"):
        comparison(as_scores(p=p), test.drop(columns="kind"))


def test_a_call_is_timed_from_its_begin_to_its_end(monkeypatch):
    ticks = iter([100.0, 103.5])
    monkeypatch.setattr(compare.time, "perf_counter", lambda: next(ticks))
    assert timed(divmod, 17, 5) == (3.5, (3, 2))
