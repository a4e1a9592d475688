"""The study of a new kind: its row, its determinism, the null world, and the table by hand."""

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.fraud import plays_novel
from casebook.fraud.plays_novel import DIALS, Seen, play_novel, see_novel, seen_table
from casebook.fraud.protocol import Origin
from casebook.fraud.recorder import Recorded
from casebook.fraud.simulate import simulate
from casebook.fraud.world import World
from casebook.worlds import draw_dials

FINDINGS = {"forest_sees_more", "labels_see_more", "labels_see_known", "refit_sees_more", "refit_gains"}


@pytest.fixture(scope="module")
def played():
    """Return the same small world twice, and once as a null world."""
    patch = pytest.MonkeyPatch()
    short = {
        "CARDS": 600,
        "DAYS": 40,
        "NOVEL_DAY": 20,
        "BEFORE": Origin(3, 16, 20, 39),
        "LATER": Origin(11, 24, 28, 39),
    }
    for name, value in short.items():
        patch.setattr(plays_novel, name, value)
    dials = draw_dials(DIALS, 1, np.random.default_rng(0)).iloc[0].to_dict()
    dials |= {"prevalence": 0.03, "delay_days": 2.0, "novel_share": 0.5}
    rows = [play_novel(dials | {"own": own}, np.random.default_rng(4)) for own in (1.0, 1.0, 0.0)]
    patch.undo()
    return rows


def test_a_world_is_the_same_each_time(played):
    assert played[0] == played[1] != played[2]


def test_a_row_has_measures_and_findings(played):
    row = played[0]
    assert {name for name, value in row.items() if isinstance(value, bool)} == FINDINGS
    assert row["new_frauds"] >= 30 and row["known_frauds"] >= 30 and row["known_new"] > 5
    assert all(0 <= row[f"{what}_{name}"] <= 1 for what in ("new", "known") for name in ("forest", "before", "later"))
    assert row["new_later"] > row["new_before"]
    assert not (row["forest_sees_more"] and row["labels_see_more"])


def test_where_features_are_another_s_nothing_is_seen(played):
    row = played[2]
    assert row["new_frauds"] == played[0]["new_frauds"]
    assert not any(row[name] for name in FINDINGS)
    assert max(row["new_forest"], row["new_before"], row["new_later"]) < 0.08


def test_the_table_counts_recall_and_the_list_by_hand():
    test = pd.DataFrame({"kind": ["ring", "wallet", "wallet", *[""] * 7], "day": [0, 0, 1, *[0] * 4, *[1] * 3]})
    test = test.assign(fraud=test["kind"] != "", card_id=range(10))
    score = pd.DataFrame({"one": [0.9, 0.8, 0.1, *[0.5] * 7], "two": [0.1, 0.2, 0.9, *[0.5] * 7]})
    table = seen_table(Seen(test, score, 3), fpr=0.0, k=1)
    assert table["known"].tolist() == [1.0, 0.0]
    assert table["new"].tolist() == [0.5, 0.5]
    assert table["listed_known"].tolist() == [0.5, 0.0]
    assert table["listed_new"].tolist() == [0.0, 0.5]
    assert table["new_frauds"].tolist() == [2, 2]


def test_a_world_without_the_new_kind_has_no_value_for_it():
    test = pd.DataFrame({"fraud": [True, False], "kind": ["ring", ""], "card_id": [1, 2], "day": [0, 0]})
    table = seen_table(Seen(test, pd.DataFrame({"one": [0.9, 0.1]}), 0))
    assert np.isnan(table.loc["one", "new"]) and table.loc["one", "new_frauds"] == 0


def test_a_short_run_is_refused():
    recorder = Recorded()
    run = simulate(World(prevalence=0.01), 60, 5, np.random.default_rng(0), recorder)
    with pytest.raises(ContractError, match=r"run must be of 90 days or more, got 5; play it longer\."):
        see_novel(run, recorder.features, np.random.default_rng(0))


def test_only_what_can_be_seen_is_switched_off_in_the_null_world():
    drawn, null = (draw_dials(DIALS, 5, np.random.default_rng(0), null=flag) for flag in (False, True))
    assert (null["own"] == 0).all() and (drawn["own"] >= 0.95).all()
    assert (null.drop(columns="own") == drawn.drop(columns="own")).all(axis=None)
