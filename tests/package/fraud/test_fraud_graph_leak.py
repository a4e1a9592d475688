"""The graph's leak: what the whole graph knows that no midnight does, and what is left of it in service."""

import numpy as np
import pandas as pd
import pytest

from casebook.fraud.entities import read_log
from casebook.fraud.graph_features import graph_features
from casebook.fraud.graph_leak import DESIGNS, whole_graph_leak, whole_graph_ranks
from casebook.fraud.recorder import Recorded
from casebook.fraud.score_graph import Days
from casebook.fraud.simulate import simulate
from casebook.fraud.world import DAY, World


def test_the_whole_graph_knows_a_report_that_comes_after_all_events():
    events = pd.DataFrame({"card_id": [1, 2, 3], "device_id": [11, 11, 12], "at": [0, DAY, DAY + 1]})
    events = events.assign(event_id=range(3), channel="online", ip_id=-1, address_id=-1, merchant_id=5)
    told = pd.DataFrame({"event_id": [1], "reported_at": [40 * DAY]})
    honest = graph_features(events, told, 1, 1, np.random.default_rng(0))
    leaking = whole_graph_ranks(read_log(events, told), slice(1, 3))
    assert (honest[leaking.columns] == 0).all(axis=None)
    assert (leaking["graph_rank_device"] > 0).tolist() == [True, False]
    assert (leaking["graph_rank_card"] > 0).tolist() == [True, False]


@pytest.fixture(scope="module")
def leaked():
    recorder = Recorded()
    world = World(prevalence=0.02, ring_share=0.5, delay_days=3.0)
    run = simulate(world, 800, 45, np.random.default_rng(2), recorder)
    days = Days(14, 28, 33, 44)
    both = [
        whole_graph_leak(run.tables, run.truth, recorder.features, days, np.random.default_rng(1), every=7)
        for _ in range(2)
    ]
    return both


def test_the_leak_is_the_same_each_time(leaked):
    pd.testing.assert_frame_equal(*leaked)
    assert list(leaked[0].index) == list(DESIGNS)


def test_it_wins_on_labels_and_has_little_left_in_service(leaked):
    reported = leaked[0]["reported"]
    assert reported["leak, offline"] > reported["honest"]
    assert reported["leak, in service"] < reported["honest"]
