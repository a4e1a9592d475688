"""Chapter 4's worlds: the same again from a seed, empty where the effect is off, findings that follow the values."""

from dataclasses import fields

import numpy as np
import pytest

from casebook.churn import plays, plays_history, plays_models
from casebook.churn.evaluate import call_top
from casebook.churn.latent import CARD_SPREAD
from casebook.churn.plays import (
    BASE,
    LEAST_PILOT,
    MATERIAL,
    Pilot,
    draw_pilot,
    learn,
    pilot_rows,
    with_risk,
    world_of,
)
from casebook.churn.snapshot import draw_snapshot
from casebook.churn.studies import STUDIES
from casebook.churn.world import World
from casebook.studies import load
from casebook.worlds import plan, recompute
from casebook.worlds.replication import records

STUDY = {study.name: study for study in STUDIES if study.name != "04_watch"}
OF_THE_PLAY = {"pilot_months", "pilot_among", "rows"}  # dials that are no setting of a world
SMALL = 6_000
ROUNDING = 1e-6  # hazards and effects are float32
LISTS = ("everybody", "source", "risk", "risk_value", "uplift", "uplift_value", "response")
MODELS = ("logistic", "logistic_balanced", "boosted", "boosted_small", "forest")
KINDS = ("static", "recent", "trajectory", "support", "billing")
COLUMNS = {
    "04_lists": {
        *LISTS,
        *("pilot_rows", "gain_of_uplift", "gain_of_worth", "save_rate", "uplift_beats_risk", "risk_beats_uplift"),
        *("worth_beats_risk_value", "risk_value_beats_worth", "value_pays", "everybody_loses", "source_loses"),
    },
    "04_pilot": {"itt", "itt_low", "itt_high", "true_itt", "pilot_shows_effect", "covers"},
    "04_trajectory": {
        *(f"{how}_{kind}" for how in ("lost", "only") for kind in KINDS),
        *("trajectory_matters_most", "trajectory_best_alone", "trajectory_pays"),
    },
    "04_models": {
        *(f"{what}_{model}" for what in ("auprc", "auc", "precision", "saved") for model in MODELS),
        *("boosted_beats_logistic", "logistic_beats_boosted", "weights_move_ranking"),
        *("auprc_misleads", "auc_misleads", "precision_misleads"),
    },
    "04_history": {
        *("naive", "adjusted", "truth", "covers", "needed"),
        *("naive_wrong_sign", "adjusted_wrong_sign", "adjusted_covers"),
    },
}


@pytest.fixture
def small(monkeypatch):
    """Play a tenth of the subscribers: the code is the same, the findings are noisier."""
    monkeypatch.setattr(plays, "HISTORY", SMALL)
    monkeypatch.setattr(plays, "TEST", SMALL)
    monkeypatch.setattr(
        plays_models, "draw_snapshot", lambda world, n, rng, **how: draw_snapshot(world, SMALL, rng, **how)
    )
    monkeypatch.setattr(plays_history, "SUBSCRIBERS", SMALL)


def setting(name, null=False, **moved):
    """Return the first world of a study with some dials moved."""
    row = records(plan(STUDY[name].dials, 1, STUDY[name].seed, null))[0]
    assert set(moved) <= set(row), f"{name} has no dial {set(moved) - set(row)}"
    return row | moved


CHEAP = {"04_lists": {"pilot_months": 1.0, "capacity": 0.02, "pilot_among": 1.0}, "04_pilot": {"pilot_months": 1.0}}


@pytest.mark.parametrize("name", STUDY)
def test_a_world_plays_again_and_has_the_columns_that_pages_read(name, small):
    world = setting(name, **CHEAP.get(name, {}))
    one, two = (recompute(STUDY[name].world, world) for _ in range(2))
    assert one == two
    assert set(one) >= COLUMNS[name]
    findings = {column for column, value in one.items() if isinstance(value, bool | np.bool_)}
    assert findings >= {column for column in COLUMNS[name] if column.endswith(("beats_risk", "misleads", "_sign"))}


@pytest.mark.parametrize("name", STUDY)
def test_the_committed_file_has_the_columns_that_pages_read(name):
    assert set(load(name).frame.columns) >= COLUMNS[name]


@pytest.mark.parametrize("name", STUDY)
def test_every_dial_reaches_the_world_or_the_play(name):
    settings = {field.name for field in fields(World)} | OF_THE_PLAY
    for dial in STUDY[name].dials:
        assert dial.name in settings, f"dial {dial.name!r} of {name} would be ignored"
        if dial.name not in OF_THE_PLAY:
            assert getattr(world_of({dial.name: dial.high}), dial.name) == dial.high


def test_shares_are_at_most_the_oracles_and_everybody_is_counted(small):
    row = recompute(STUDY["04_lists"].world, setting("04_lists", **CHEAP["04_lists"]))
    assert row["pilot_rows"] > 0
    assert row["uplift"] != row["risk"]
    capped = [row[name] for name in LISTS if name not in ("everybody", "source")]
    assert max(capped) <= 1 + ROUNDING
    assert 0 < row["save_rate"] < 0.45
    assert row["gain_of_uplift"] == row["uplift"] - row["risk"]
    assert row["gain_of_worth"] == row["uplift_value"] - row["risk_value"]


def test_without_a_pilot_uplift_is_risk(small):
    row = recompute(STUDY["04_lists"].world, setting("04_lists", pilot_months=0.0))
    assert row["pilot_rows"] == 0
    assert row["uplift"] == row["response"] == row["risk"]


def test_a_pilot_takes_its_months_of_calls_twice_and_no_more_than_there_are():
    world = World(capacity=0.05)
    assert pilot_rows(world, 0.0) == 0
    assert pilot_rows(world, 2.0) == 2 * 2 * 0.05 * BASE
    assert pilot_rows(world, 10.0, among=0.2) == 2 * 0.2 * BASE
    assert pilot_rows(world, 2.0, among=0.2) == pilot_rows(world, 2.0)


def test_the_pilot_draws_lots_by_company_and_a_call_changes_what_happens():
    pilot = draw_pilot(World(effect=0.45, dogs=0.0, reach=1.0), 30_000, np.random.default_rng(1))
    arms = np.bincount(pilot.account, weights=pilot.treated) / np.maximum(np.bincount(pilot.account), 1)
    assert set(np.unique(arms)) == {0.0, 1.0}
    assert pilot.treated.mean() == pytest.approx(0.5, abs=0.02)
    assert pilot.stayed[pilot.treated].mean() > pilot.stayed[~pilot.treated].mean()
    part = pilot.take(pilot.treated)
    assert isinstance(part, Pilot) and len(part) == pilot.treated.sum() and part.treated.all()


@pytest.mark.slow
def test_below_the_risk_of_the_pilot_nobody_is_put_on_a_list_by_uplift(small):
    world, rng = World(capacity=0.05), np.random.default_rng(2)
    day = draw_snapshot(world, SMALL, rng)
    known = learn(world, 1.0, 0.3, day, rng)
    beyond = known.uplift == -1.0
    assert beyond.mean() == pytest.approx(0.7, abs=0.05)
    assert known.p[beyond].max() < known.p[~beyond].min()
    assert not call_top(known.uplift, len(day), least=0.0)[beyond].any()
    assert known.rows >= LEAST_PILOT


def test_the_log_odds_stand_beside_the_features_and_stay_finite():
    day = draw_snapshot(World(), 500, np.random.default_rng(3))
    p = np.full(len(day), 0.2)
    p[0] = 0.0
    told = with_risk(day.features, p)["log_odds"]
    assert told.iloc[1] == pytest.approx(np.log(0.25))
    assert np.isfinite(told.iloc[0])
    assert "log_odds" not in day.features


# Null worlds: what they switch off is off in the truth, not only in what a model finds.


def truth_of(name, null, n=20_000, **moved):
    world = world_of(setting(name, null=null, **moved))
    return world, draw_snapshot(world, n, np.random.default_rng(4), months=2)


def test_in_the_null_world_of_lists_risk_ranks_as_uplift_does():
    for null, same in ((True, True), (False, False)):
        _, day = truth_of("04_lists", null, effect=0.3)
        at_risk = day.worth.p > ROUNDING
        rate = day.worth.uplift[at_risk] / day.worth.p[at_risk]
        assert (np.ptp(rate) < 1e-4) == same
        assert (len(np.unique(day.truth.people.price)) == 1) == same


def test_in_the_null_world_of_the_pilot_a_call_does_nothing():
    for null in (True, False):
        _, day = truth_of("04_pilot", null)
        assert (not day.worth.uplift.any()) == null
    row = recompute(STUDY["04_pilot"].world, setting("04_pilot", null=True, pilot_months=1.0))
    assert row["true_itt"] == 0.0


def test_in_the_null_world_of_trajectory_health_says_nothing_of_risk():
    for null in (True, False):
        _, day = truth_of("04_trajectory", null, spread=1.5, pull=0.0, **({} if null else {"changing": 0.9}))
        monthly = (day.features["is_annual"] == 0).to_numpy() & (day.truth.people.start < -6)
        told = np.corrcoef(day.truth.months.health[monthly, 0], np.log(day.truth.months.p[monthly, 0]))[0, 1]
        assert (abs(told) < 0.1) == null


def test_in_the_null_world_of_models_only_calendar_tenure_and_cards_differ():
    spread = {}
    for null in (True, False):
        _, day = truth_of("04_models", null)
        people, p = day.truth.people, day.truth.months.p[:, 0]
        old = (people.start < -12) & ~people.dog & (p > 0)
        spread[null] = max(np.std(np.log(p[old & (people.annual == annual)])) for annual in (True, False))
    assert spread[True] < 0.05 < CARD_SPREAD / 4 < spread[False]


def test_in_the_null_world_of_history_the_reps_choice_says_nothing_of_risk(monkeypatch):
    monkeypatch.setattr(plays_history, "SUBSCRIBERS", 12_000)
    found = {}
    for null in (True, False):
        row = recompute(STUDY["04_history"].world, setting("04_history", null=null, gut=1.0))
        found[null] = row["naive"] - row["truth"]
    # some 300 called, of whom one in twenty leaves: a standard error of 0.012
    assert abs(found[True]) < 0.04 < -found[False]


# Findings: each turns where its values do.


def shares(**moved):
    return dict.fromkeys(LISTS, 0.5) | moved


def earned(everybody=1.0, source=1.0):
    return {"everybody": everybody, "p > 0.005": source}


def true_findings(row):
    return {name for name, value in row.items() if value is True}


def test_findings_of_lists_turn_at_two_percent_of_the_oracles():
    for step, expected in ((1.5, True), (0.5, False)):
        by = step * MATERIAL
        for moved, finding in (
            ({"uplift": 0.5 + by}, "uplift_beats_risk"),
            ({"uplift": 0.5 - by}, "risk_beats_uplift"),
            ({"uplift_value": 0.5 + by}, "worth_beats_risk_value"),
            ({"uplift_value": 0.5 - by}, "risk_value_beats_worth"),
        ):
            found = true_findings(plays._findings(shares(**moved), earned()))
            assert found == ({finding} if expected else set())
        assert ("value_pays" in true_findings(plays._findings(shares(risk=0.5 - by), earned()))) == expected
    assert true_findings(plays._findings(shares(), earned(everybody=-1.0))) == {"everybody_loses"}
    assert true_findings(plays._findings(shares(), earned(source=-1.0))) == {"source_loses"}


def models_row(**moved):
    row = {f"{metric}_{name}": 0.5 for metric in ("auprc", "auc", "precision", "saved") for name in MODELS}
    return row | moved


def test_findings_of_models_follow_money_and_a_metric_misleads_where_its_pick_earns_less():
    ranks = dict.fromkeys(MODELS, 0.7)
    assert true_findings(plays_models._model_findings(models_row(), ranks)) == set()
    best = plays_models._model_findings(models_row(saved_boosted=0.6, auprc_boosted=0.6, auc_forest=0.6), ranks)
    assert true_findings(best) == {"boosted_beats_logistic", "auc_misleads", "precision_misleads"}
    worse = plays_models._model_findings(models_row(saved_boosted=0.4), ranks)
    assert true_findings(worse) == {"logistic_beats_boosted"}
    moved = plays_models._model_findings(models_row(), ranks | {"logistic_balanced": 0.7 - 1.5 * MATERIAL})
    assert true_findings(moved) == {"weights_move_ranking"}


def test_every_column_of_a_snapshot_is_in_one_category():
    listed = [column for columns in plays_models.CATEGORIES.values() for column in columns]
    day = draw_snapshot(World(), 500, np.random.default_rng(5), months=1)
    assert sorted(listed) == sorted(day.features.columns)


def test_what_a_category_loses_is_what_the_ranking_loses_without_it():
    day = draw_snapshot(World(), 500, np.random.default_rng(6), months=1)

    def rank(columns):
        return (0.5 + 0.2 * ("usage_vs_84d_ago" in columns) + 0.1 * ("is_annual" in columns), 0.5)

    row = plays_models._by_category(rank, day.features)
    assert row["auc"] == pytest.approx(0.8)
    assert row["lost_trajectory"] == pytest.approx(0.2)
    assert row["lost_calendar"] == pytest.approx(0.1)
    assert (row["lost_support"], row["only_support"]) == (0.0, 0.5)
    assert row["only_trajectory"] == pytest.approx(0.7)
    assert true_findings(row) == {"trajectory_matters_most", "trajectory_best_alone", "trajectory_pays"}


@pytest.mark.parametrize(
    ("naive", "low", "high", "truth", "expected"),
    [
        (0.02, 0.01, 0.03, 0.02, {"adjusted_covers"}),
        (-0.05, 0.01, 0.03, 0.02, {"naive_wrong_sign", "adjusted_covers"}),
        (-0.05, -0.04, -0.02, 0.02, {"naive_wrong_sign", "adjusted_wrong_sign"}),
        (-0.005, -0.02, 0.01, 0.02, set()),  # both answers are negative within their error: no sign is claimed
        (-0.05, -0.04, -0.02, -0.03, {"adjusted_covers"}),  # the calls harm, and the answers say so
    ],
)
def test_a_wrong_sign_is_one_that_the_interval_insists_on(monkeypatch, naive, low, high, truth, expected):
    found = {"naive": naive, "adjusted": (low + high) / 2, "truth": truth, "low": low, "high": high}
    found |= {"covers": float(low <= truth <= high), "needed": 1.5}
    monkeypatch.setattr(plays_history, "history_snapshot", lambda world, n, rng: found)
    row = plays_history.play_history({"gut": 0.5}, np.random.default_rng(7))
    assert true_findings(row) == expected
