"""A small world of the models' study: its row, its determinism, and a null world in which nothing is to be learnt."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.fraud import plays_models
from casebook.fraud.plays_models import MODEL_DIALS, mixed_rows, play_models
from casebook.fraud.protocol import Origin
from casebook.worlds import draw_dials

FINDINGS = {
    *("boosted_beats_logistic", "logistic_beats_boosted", "boosted_beats_rules", "boosted_beats_anomaly"),
    *("random_split_flatters", "card_split_flatters", "leak_flatters", "whole_table_flatters", "whole_table_hurts"),
}


@pytest.fixture(scope="module")
def played():
    """Return the same small world twice, and once as a null world."""
    patch = pytest.MonkeyPatch()
    for name, value in (("CARDS", 400), ("DAYS", 32), ("PLAN", Origin(3, 16, 19, 31))):
        patch.setattr(plays_models, name, value)
    dials = draw_dials(MODEL_DIALS, 1, np.random.default_rng(0)).iloc[0].to_dict()
    dials |= {"prevalence": 0.03, "delay_days": 2.0, "own": 1.0}
    rows = [play_models(dials | {"own": own}, np.random.default_rng(3)) for own in (1.0, 1.0, 0.0)]
    patch.undo()
    return rows


def test_a_world_is_the_same_each_time(played):
    assert played[0] == played[1] != played[2]


def test_a_row_has_measures_and_findings(played):
    row = played[0]
    assert {name for name, value in row.items() if isinstance(value, bool)} == FINDINGS
    assert all(np.isfinite(value) for value in row.values())
    assert row["frauds"] > 100 and row["known"] > 50 and row["labels"] < row["frauds"]
    assert row["ap_boosted"] > 3 * row["prevalence_tested"]
    assert not (row["boosted_beats_logistic"] and row["logistic_beats_boosted"])


def test_where_features_are_another_s_nothing_is_learnt(played):
    row = played[2]
    assert row["frauds"] == played[0]["frauds"] and row["ap_rules"] == played[0]["ap_rules"]
    for name in ("logistic", "boosted", "anomaly"):
        assert row[f"ap_{name}"] < 2 * row["prevalence_tested"]
    assert abs(row["gap_whole"]) < 0.02 and abs(row["gap_random"]) < 0.02


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.floats(0, 1), st.integers(0, 99))
def test_features_are_mixed_within_a_day(days, own, seed):
    day = np.sort(days)
    rows = mixed_rows(day, own, np.random.default_rng(seed))
    assert (np.sort(rows) == np.arange(len(day))).all()
    assert (day[rows] == day).all()
    assert (mixed_rows(day, 1.0, np.random.default_rng(seed)) == np.arange(len(day))).all()


def test_the_share_that_is_mixed_is_the_dial_s():
    rows = mixed_rows(np.zeros(20_000, int), 0.7, np.random.default_rng(0))
    assert abs(np.mean(rows == np.arange(20_000)) - 0.7) < 0.02  # sd 0.003


def test_only_what_can_be_learnt_is_switched_off_in_the_null_world():
    drawn, null = (draw_dials(MODEL_DIALS, 5, np.random.default_rng(0), null=flag) for flag in (False, True))
    assert (null["own"] == 0).all() and (drawn["own"] >= 0.95).all()
    assert (null.drop(columns="own") == drawn.drop(columns="own")).all(axis=None)
