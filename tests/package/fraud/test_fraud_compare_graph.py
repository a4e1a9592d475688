"""The table of models with and without sharing: its numbers by hand, its labels in time, its null world."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from casebook.contracts import ContractError
from casebook.fraud import plays_graph
from casebook.fraud.compare_graph import PAIRS, graph_gaps, graph_table
from casebook.fraud.entity_features import ENTITY_FEATURES
from casebook.fraud.feature_spec import FEATURES
from casebook.fraud.graph_convolution import GraphConvolution
from casebook.fraud.graph_features import GRAPH_FEATURES
from casebook.fraud.plays_graph import DIALS, play_graph
from casebook.fraud.recorder import Recorded
from casebook.fraud.score_graph import MODELS, Days, Tabular, boosted, fit_and_score
from casebook.fraud.simulate import simulate
from casebook.fraud.world import DAY, World

DAYS = Days(12, 19, 22, 28)
RINGS = World(prevalence=0.06, ring_share=0.5, delay_days=2.0)


@pytest.fixture(scope="module")
def played():
    recorder = Recorded()
    return simulate(RINGS, 500, 29, np.random.default_rng(0), recorder), recorder.features


@pytest.fixture(scope="module")
def scored(played):
    run, base = played
    return fit_and_score(run.tables, base, DAYS, np.random.default_rng(1), every=4)


def test_every_model_is_in_the_table_with_its_counts(played, scored):
    run, _ = played
    table = graph_table(scored, run.truth)
    assert list(table.loc["all"].index) == list(table.loc["ring"].index) == list(MODELS)
    test = run.truth.events[(run.tables["events"]["at"] // DAY).between(22, 28)]
    assert (scored.scores.index == test["event_id"]).all()
    assert set(table.loc["all", "frauds"]) == {int(test["fraud"].sum())}
    assert set(table.loc["ring", "frauds"]) == {int((test["kind"] == "ring").sum())}
    assert set(table.loc["ring", "n"]) == {int((~test["fraud"]).sum() + (test["kind"] == "ring").sum())}
    np.testing.assert_allclose(table["prevalence"], table["frauds"] / table["n"])
    kept = ((test["kind"] == "ring") | ~test["fraud"]).to_numpy()
    for name in MODELS:
        score = scored.scores[name].to_numpy()
        theirs = average_precision_score(test["fraud"][kept], score[kept])
        assert table.loc[("ring", name), "ap"] == pytest.approx(theirs)
    assert (table["fit_s"] > 0).all()
    assert (table["feature_s"] > 0).tolist() == [bool(getattr(MODELS[name], "extra", ())) for _, name in table.index]


def test_gaps_are_differences_of_the_table_within_their_intervals(played, scored):
    run, _ = played
    table, gaps = graph_table(scored, run.truth), graph_gaps(scored, run.truth, np.random.default_rng(2))
    assert len(gaps) == 2 * len(PAIRS)
    for target, first, second in gaps.index:
        row = gaps.loc[(target, first, second)]
        assert row["gap"] == pytest.approx(table.loc[(target, first), "ap"] - table.loc[(target, second), "ap"])
        assert row["low"] <= row["gap"] <= row["high"]


def test_too_few_frauds_have_no_measure(played, scored):
    run, _ = played
    pair = (("base", "forest"),)
    table = graph_table(scored, run.truth, targets=("wallet", "ring"), least=100_000)
    gaps = graph_gaps(scored, run.truth, np.random.default_rng(0), ("wallet", "ring"), pair, least=100_000)
    for part in (table, gaps):
        assert set(part["note"]) == {"too few"}
    assert table["ap"].isna().all() and gaps["gap"].isna().all()
    assert set(table.loc["wallet", "frauds"]) == {0} and (table.loc["ring", "frauds"] > 0).all()


def test_models_see_their_columns_and_only_labels_that_have_come(played):
    run, base = played
    seen = {}

    def spy(name):
        def fit(x, y, rng):
            seen[name] = (x, y)
            return lambda new: new[:, 0]

        return fit

    groups = {"base": (), "entity": ENTITY_FEATURES, "both": (*ENTITY_FEATURES, *GRAPH_FEATURES)}
    models = {name: Tabular(spy(name), group) for name, group in groups.items()}
    scored = fit_and_score(run.tables, base, DAYS, np.random.default_rng(1), models=models, every=9)
    widths = np.cumsum([len(FEATURES), len(ENTITY_FEATURES), len(GRAPH_FEATURES)])
    assert [x.shape[1] for x, _ in seen.values()] == widths.tolist()
    events, reports = run.tables["events"], run.tables["reports"]
    told = reports["event_id"][reports["reported_at"] < 22 * DAY]
    known = events["event_id"].isin(told) & (events["at"] // DAY).between(12, 19)
    assert scored.known == seen["base"][1].sum() == known.sum()
    assert known.sum() < (run.truth.events["fraud"] & (events["at"] // DAY).between(12, 19)).sum()
    assert (scored.scores["both"] == base.loc[scored.scores.index].iloc[:, 0]).all()


def test_what_is_learnt_and_scored_does_not_hang_on_later_days(played):
    run, base = played
    models = {"both": Tabular(boosted, (*ENTITY_FEATURES, *GRAPH_FEATURES)), "convolution": GraphConvolution(own=True)}
    short = Days(12, 19, 22, 24)
    whole = fit_and_score(run.tables, base, short, np.random.default_rng(3), models=models, every=3)
    early = run.tables["events"]["at"] < 25 * DAY
    reports = run.tables["reports"]
    tables = {
        "events": run.tables["events"][early],
        "decisions": run.tables["decisions"][early],
        "reports": reports[reports["reported_at"] < 24 * DAY],
    }
    cut = fit_and_score(tables, base[early.to_numpy()], short, np.random.default_rng(3), models=models, every=3)
    pd.testing.assert_frame_equal(whole.scores, cut.scores)


def test_a_world_without_rings_has_no_gain_on_them_and_the_graph_adds_nothing(monkeypatch):
    monkeypatch.setattr(plays_graph, "CARDS", 600)
    monkeypatch.setattr(plays_graph, "LENGTH", 29)
    monkeypatch.setattr(plays_graph, "DAYS", DAYS)
    dials = {"ring_share": 0.0, "sharing": 0.5, "delay_days": 2.0, "prevalence": 0.04}
    row = play_graph(dials, np.random.default_rng(0))
    assert row["rings"] == 0 and row["frauds"] > 100
    assert np.isnan([value for name, value in row.items() if name.startswith("ring_")]).all()
    assert not any(value for name, value in row.items() if name.endswith(("_pays", "_leads", "_adds")))
    assert abs(row["all_added"]) < 0.06  # what one boosted model differs from another by luck
    assert row["all_added"] == pytest.approx(row["all_both"] - row["all_entity"])


def test_the_null_world_of_the_dials_has_no_rings():
    assert {dial.name: dial.null for dial in DIALS if dial.null is not None} == {"ring_share": 0.0}


def test_refusals_say_what_to_do(played, scored):
    run, _ = played
    with pytest.raises(ContractError, match=r"^pairs must be of models that were scored, got 'magic'; choose from \["):
        graph_gaps(scored, run.truth, np.random.default_rng(0), pairs=(("magic", "base"),))
    other = simulate(RINGS, 100, 5, np.random.default_rng(0)).truth
    with pytest.raises(
        ContractError, match=r"^truth must be of the run that was scored, got other event ids; pass the"
    ):
        graph_table(scored, other)
    with pytest.raises(
        ContractError, match=r"^extra must be names of entity or graph features, got 'tarot'; see their"
    ):
        Tabular(boosted, ("tarot",))
