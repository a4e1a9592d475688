"""The studies of spillover, novelty and holdbacks: rows that come back, nulls that are empty, findings."""

from dataclasses import replace

import numpy as np
import pytest

from casebook.feed.morals import MORALS
from casebook.feed.plays_interference import (
    LARGE,
    SMALL,
    both_designs,
    by_modularity,
    error_at,
    pays_from,
    play_spillover,
    relative_se,
    world_of,
)
from casebook.feed.plays_novelty import MATERIAL, play_holdback, play_novelty
from casebook.feed.studies import STUDIES
from casebook.feed.world import World
from casebook.studies import load, verify

pytest.importorskip("igraph")
STUDY = {study.name: study for study in STUDIES}
MINE = ("08_holdback", "08_novelty", "08_spillover")


def findings(frame):
    return [column for column in frame if frame[column].dtype == bool]


@pytest.mark.slow
@pytest.mark.parametrize("name", MINE)
def test_rows_of_the_committed_studies_come_back(name):
    checked = verify(STUDY[name], load(name), 1, np.random.default_rng(8))
    assert checked.groupby("table")["world"].nunique().to_dict() == {"rows": 1, "null_rows": 1}


@pytest.mark.parametrize("name", MINE)
def test_a_null_world_has_no_bias_whatever_its_power(name):
    null = load(name).null_frame
    of_the_method = {
        "08_spillover": {"clusters_wider", "clusters_unbiased"},
        "08_novelty": {"week2_closer_small", "week2_closer_large", "decay_closest_small", "decay_closest_large"},
        "08_holdback": set(),
    }[name]
    assert not null[[column for column in findings(null) if column not in of_the_method]].any(axis=None)


def test_biases_vanish_with_the_fault():
    spillover, novelty, holdback = (load(name).null_frame for name in ("08_spillover", "08_novelty", "08_holdback"))
    assert spillover[["naive_bias", "cluster_bias"]].abs().max(axis=None) < 1e-9
    for frame, readings in ((novelty, ("full", "week2")), (holdback, ("test", "month", "last_week", "standing"))):
        for reading in readings:
            np.testing.assert_allclose(frame[reading], frame["launch"], atol=1e-9)


def test_a_test_of_users_shows_its_own_part_and_none_of_the_friends():
    drawn = load("08_spillover").frame
    passed = drawn["spillover"] * 0.995  # hardly anybody has no friends
    np.testing.assert_allclose(drawn["naive_bias"], -passed / (1 + passed), atol=0.025)
    assert abs(np.corrcoef(drawn["naive_bias"] + passed / (1 + passed), drawn["modularity"])[0, 1]) < 0.5
    kept = drawn["cluster_bias"] / drawn["naive_bias"]
    assert kept.corr(drawn["inside"], method="spearman") < -0.9


def test_what_week_two_keeps_rises_with_the_half_life():
    drawn = load("08_novelty").frame
    assert drawn["novelty_left"].between(0, 1).all()
    assert drawn["novelty_left"].corr(drawn["half_life"], method="spearman") > 0.99


def test_the_findings_follow_the_values():
    drawn = load("08_holdback").frame
    for reading in ("test", "month", "last_week", "standing"):
        assert (drawn[f"{reading}_misses"] == ((drawn[reading] - drawn["launch"]).abs() > MATERIAL)).all()
    novelty = load("08_novelty").frame
    assert (novelty["week2_closer_large"] == (novelty["week2_error_large"] < novelty["full_error_large"])).all()
    assert (novelty["full_overstates"] == (novelty["full"] - novelty["launch"] > MATERIAL)).all()
    spill = load("08_spillover").frame
    assert (spill["clusters_pay_large"] == (spill["gain_large"] > 0.05)).all()


def test_a_standing_holdback_misses_nothing_but_the_creators():
    dials = {"effect": 0.02, "novelty": 0.05, "half_life": 3.0, "primacy": 0.02, "primacy_half_life": 10.0}
    dials |= {"response": 0.5, "creator_half_life": 20.0}
    without, with_them = (play_holdback(dials | {"creators": size}, np.random.default_rng(1)) for size in (0.0, 0.8))
    assert without["standing_miss"] == pytest.approx(0, abs=2e-4)
    assert with_them["standing_miss"] < -MATERIAL and with_them["standing_misses"]
    assert without["last_week_misses"]


def test_error_is_bias_alone_in_a_company_without_end():
    assert error_at(0.01, 0.02, 10**15) == pytest.approx(0.01, rel=1e-6)
    assert error_at(0.0, 0.02, SMALL) == pytest.approx(0.02)
    assert error_at(0.0, 0.02, LARGE) == pytest.approx(0.02 / np.sqrt(50))


def test_clusters_pay_from_where_the_two_errors_meet():
    row = {"launch": 0.03, "user": 0.02, "cluster": 0.026, "user_se": 0.012, "cluster_se": 0.015}
    users = pays_from(row, 10_000)
    errors = [error_at(row[unit] - row["launch"], row[f"{unit}_se"], round(users)) for unit in ("user", "cluster")]
    assert errors[0] == pytest.approx(errors[1], rel=1e-4)
    assert pays_from(row | {"cluster": 0.02}, 10_000) == np.inf
    assert pays_from(row | {"cluster_se": 0.011}, 10_000) == 0


def test_the_two_designs_are_of_the_same_people():
    feeds = both_designs(World(spillover=0.3), 1_000, 5)
    before = [feed.tables["before"] for feed in feeds.values()]
    assert before[0].equals(before[1])
    assert "cluster_id" in feeds["cluster"].tables["assignment"] and relative_se(feeds["cluster"]) > 0


def test_by_modularity_keeps_the_users_bias_and_mends_more_where_friends_keep_together():
    table = by_modularity(World(spillover=0.5), (0.2, 0.8), 3, users=3_000)
    missing = 1 - table[["user", "cluster"]].div(table["launch"], axis=0)
    assert np.ptp(missing["user"]) < 0.05
    assert missing["cluster"][1] < missing["cluster"][0] < missing["user"][0]


@pytest.mark.slow
@pytest.mark.parametrize("play", [play_spillover, play_novelty])
def test_a_play_comes_again_from_its_seed(play):
    dials = {"effect": 0.02, "spillover": 0.4, "modularity": 0.6, "friends": 8.0, "alike": 0.1}
    dials |= {"novelty": 0.05, "half_life": 4.0}
    if play is play_spillover:
        dials = {name: value for name, value in dials.items() if name not in ("novelty", "half_life")}
    one, two = (play(dials, np.random.default_rng(6)) for _ in range(2))
    assert one == two


def test_dials_that_are_no_setting_are_left_out():
    assert world_of({"effect": 0.01, "users": 3.0}) == replace(World(), effect=0.01)


@pytest.mark.parametrize("claim", [name for name, moral in MORALS.items() if moral.study in MINE])
def test_every_moral_is_a_finding_that_its_null_worlds_do_not_share(claim):
    drawn, null = MORALS[claim].shares()
    assert null.holds == 0 or null.high < drawn.low
    assert drawn.n >= 20 <= null.n
