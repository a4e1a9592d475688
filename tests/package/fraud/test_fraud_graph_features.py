"""What the graph says of events: known answers, two routes to one number, and nothing of the day itself."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from casebook.contracts import ContractError
from casebook.fraud.entities import KEYS
from casebook.fraud.entity_features import entity_features
from casebook.fraud.graph_features import GRAPH_FEATURES, graph_features
from casebook.fraud.simulate import simulate
from casebook.fraud.world import DAY, World

RINGS = World(prevalence=0.02, ring_share=0.5, sharing=0.2, delay_days=2.0)


@pytest.fixture(scope="module")
def run():
    return simulate(RINGS, 700, 45, np.random.default_rng(0))


def rng():
    return np.random.default_rng(7)


def scrambled(events, reports, day, asked, seed=0):
    """Change everything at or after a midnight but the events that are asked about, and all that is reported then."""
    other = np.flatnonzero((events["at"] >= day * DAY).to_numpy() & ~events["event_id"].isin(asked).to_numpy())
    order = np.random.default_rng(seed).permutation(len(other))
    changed = events.copy()
    for column in ("card_id", "channel", *KEYS.values()):
        changed.iloc[other, changed.columns.get_loc(column)] = events[column].iloc[other[order]].to_numpy()
    then = changed.iloc[other[::3]]
    strange = pd.DataFrame({"event_id": then["event_id"], "reported_at": then["at"]})
    return changed, pd.concat([reports[reports["reported_at"] < day * DAY], strange])


@pytest.mark.parametrize("every", [1, 4])
def test_nothing_of_the_day_or_later_is_known(run, every):
    events, reports = run.tables["events"], run.tables["reports"]
    day, until = 35, 35 + every - 1
    asked = events["event_id"][(events["at"] // DAY).between(day, until)].to_numpy()[::2]
    changed = scrambled(events, reports, day, asked)
    before = graph_features(events, reports, day, until, rng(), every=every).loc[asked]
    after = graph_features(*changed, day, until, rng(), every=every).loc[asked]
    pd.testing.assert_frame_equal(before, after)
    assert (before > 0).any().all()


def test_yesterday_is_known(run):
    events, reports = run.tables["events"], run.tables["reports"]
    asked = events["event_id"][events["at"] // DAY == 35].to_numpy()
    changed = scrambled(events, reports, 34, asked)
    before, after = (graph_features(*tables, 35, 35, rng()).loc[asked] for tables in ((events, reports), changed))
    assert (before != after).any().all()


def test_a_week_on_one_graph_is_its_first_day_and_a_day_is_the_same_in_any_span(run):
    events, reports = run.tables["events"], run.tables["reports"]
    weekly = graph_features(events, reports, 28, 41, rng(), every=7)
    for day in (28, 35):
        alone = graph_features(events, reports, day, day, rng())
        pd.testing.assert_frame_equal(weekly.loc[alone.index], alone)
    days = events.set_index("event_id")["at"].loc[weekly.index] // DAY
    assert days.min() == 28 and days.max() == 41


def test_neighbours_are_the_cards_that_the_rival_counts(run):
    events, reports = run.tables["events"], run.tables["reports"]
    graph = graph_features(events, reports, 30, 33, rng())
    counts = entity_features(events, reports, 30, 33)
    for key in KEYS:
        assert (graph[f"graph_cards_{key}"] == counts[f"entity_cards_{key}_28d"]).all()


def small_log():
    """Cards 1, 2, 3 in a chain over two devices, 4 and 5 apart, and all at one network that is a hub at ``most`` 4."""
    rows = [(1, 10, -1), (2, 10, -1), (2, 11, -1), (3, 11, -1), (4, 12, -1), (5, 13, -1)]
    rows += [(card, -1, 50) for card in range(1, 6)]
    today = [(6, 11, 50), (6, 99, -1), (4, -1, -1)]
    frame = pd.DataFrame(rows + today, columns=["card_id", "device_id", "ip_id"])
    frame["at"] = [*range(len(rows)), *(DAY + np.arange(3))]
    frame = frame.assign(event_id=np.arange(len(frame)), channel="online", address_id=-1, merchant_id=0)
    return frame, pd.DataFrame({"event_id": [0, 4], "reported_at": [500, 600]})


def test_a_small_graph_has_the_answers_of_networkx():
    events, reports = small_log()
    found = graph_features(events, reports, 1, 1, rng(), most=4)
    chain = nx.Graph([("c1", "d10"), ("c2", "d10"), ("c2", "d11"), ("c3", "d11"), ("c4", "d12"), ("c5", "d13")])
    restart = {"c1": 1, "d10": 1, "c4": 1, "d12": 1}
    rank = nx.pagerank(chain, 0.85, restart, tol=1e-13, max_iter=500)
    per_neighbour = {node: 4 * rank[node] / chain.degree[node] for node in chain}
    assert found["graph_cards_device"].tolist() == [2, 0, 0]
    assert found["graph_cards_ip"].tolist() == [5, 0, 0]
    assert found["graph_component"].tolist() == [3, 0, 1]
    np.testing.assert_allclose(found["graph_rank_device"], [per_neighbour["d11"], 0, 0], atol=1e-7)
    np.testing.assert_allclose(found["graph_rank_card"], [0, 0, per_neighbour["c4"]], atol=1e-7)
    at_hub = pd.concat([reports, pd.DataFrame({"event_id": [6], "reported_at": [700]})])
    assert graph_features(events, at_hub, 1, 1, rng(), most=5)["graph_rank_ip"].iloc[0] > 0
    assert graph_features(events, at_hub, 1, 1, rng(), most=4)["graph_rank_ip"].tolist() == [0, 0, 0]
    assert found["graph_community_reported"].tolist()[1:] == [0, 1]
    assert list(found.columns) == list(GRAPH_FEATURES)


def test_a_report_is_known_from_the_midnight_after_it_came():
    events, reports = small_log()
    late = reports.assign(reported_at=[DAY - 1, DAY])
    assert graph_features(events, late, 1, 1, rng(), most=4)["graph_rank_card"].iloc[2] == 0
    found = graph_features(events, reports.assign(reported_at=[DAY, DAY - 1]), 1, 1, rng(), most=4)
    assert found["graph_rank_device"].tolist() == [0, 0, 0]
    assert found["graph_rank_card"].iloc[2] > 0


def test_the_measures_point_to_rings(run):
    found = graph_features(run.tables["events"], run.tables["reports"], 30, 44, rng())
    kind = run.truth.events.set_index("event_id")["kind"].astype(str).loc[found.index]
    kept = kind.isin(["ring", "honest"]).to_numpy() & (found["graph_cards_device"] > 0).to_numpy()
    assert (kind[kept] == "ring").sum() > 50
    for name in ("graph_component", "graph_community_reported", "graph_rank_device"):
        assert roc_auc_score(kind[kept] == "ring", found.loc[kept, name]) > 0.6, name


def test_tables_are_not_changed_and_a_seed_gives_the_same_again(run):
    events, reports = run.tables["events"].copy(), run.tables["reports"].copy()
    first = graph_features(events, reports, 40, 41, rng())
    assert events.equals(run.tables["events"]) and reports.equals(run.tables["reports"])
    pd.testing.assert_frame_equal(first, graph_features(events, reports, 40, 41, rng()))


def test_refusals_say_what_to_do():
    events, reports = small_log()
    with pytest.raises(ContractError, match=r"^every must be 1 day or more, got 0; 7 builds a graph a week.$"):
        graph_features(events, reports, 1, 1, rng(), every=0)
    with pytest.raises(ContractError, match="must be days with events, got 5 to 6; pass days of the log"):
        graph_features(events, reports, 5, 6, rng())
