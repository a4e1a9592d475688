"""The graph convolution against dense matrices, a plain logistic regression and a scrambled future."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from casebook.contracts import ContractError
from casebook.fraud.entities import KEYS, read_log
from casebook.fraud.graph_convolution import GraphConvolution, propagate
from casebook.fraud.world import DAY


def draw(seed=0, n=500, days=20, devices=30):
    """Draw a log in which all show a device, a network or both, and two features."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"event_id": np.arange(n) + 5, "at": np.sort(rng.integers(0, days * DAY, n))})
    frame = frame.assign(card_id=rng.integers(0, 60, n), channel="online", merchant_id=0, address_id=-1)
    frame["device_id"] = np.where(rng.random(n) < 0.8, rng.integers(0, devices, n), -1)
    frame["ip_id"] = rng.integers(0, 3 * devices, n)
    told = np.sort(rng.choice(n, n // 10, replace=False))
    delay = rng.integers(0, 4 * DAY, len(told))
    reports = pd.DataFrame({"event_id": told + 5, "reported_at": frame["at"].to_numpy()[told] + delay})
    features = pd.DataFrame(rng.exponential(size=(n, 2)), columns=["a", "b"], index=frame["event_id"])
    return frame, reports, features


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 8), hops=st.integers(0, 4), seed=st.integers(0, 99))
def test_propagation_is_the_power_of_a_dense_matrix(n, hops, seed):
    rng = np.random.default_rng(seed)
    links = np.triu(rng.random((n, n)) < 0.4, 1).astype(float)
    links += links.T
    features = rng.normal(size=(n, 3))
    heard = links + np.eye(n)
    step = heard / np.sqrt(np.outer(heard.sum(axis=1), heard.sum(axis=1)))
    expected = np.linalg.matrix_power(step, hops) @ features
    np.testing.assert_allclose(propagate(sparse.csr_array(links), features, hops), expected, atol=1e-10)


def test_a_star_has_a_known_answer_and_many_hops_forget_who_was_who():
    star = sparse.csr_array([[0.0, 1, 1], [1, 0, 0], [1, 0, 0]])
    one = propagate(star, np.array([[6.0], [0.0], [0.0]]), hops=1)
    np.testing.assert_allclose(one.ravel(), [2, np.sqrt(6), np.sqrt(6)])  # 6 / 3, and 6 / sqrt(3 * 2)
    far = propagate(star, np.eye(3), hops=200)
    root = np.sqrt([3, 2, 2])
    np.testing.assert_allclose(far, np.outer(root, root) / 7, atol=1e-10)


def heard_by_hand(events, reports, values, event, window):
    """Return what one event hears in two hops, from a dense matrix that it alone is added to."""
    day = int(event["at"] // DAY)
    past = events[(events["at"] < day * DAY) & (events["at"] >= (day - window) * DAY)]
    told = reports["event_id"][reports["reported_at"] < day * DAY]
    rows = [*past.to_dict("records"), event]
    named = [[("card", row["card_id"]), *((key, row[KEYS[key]]) for key in ("device", "ip"))] for row in rows]
    nodes = sorted({node for row in named[:-1] for node in row if node[1] >= 0})
    size = len(rows) + len(nodes)
    links, x = np.zeros((size, size)), np.zeros((size, values.shape[1] + 1))
    for number, (row, seen) in enumerate(zip(rows, named, strict=True)):
        x[number, :-1] = values.loc[row["event_id"]]
        x[number, -1] = row["event_id"] in set(told) and number < len(rows) - 1
        for node in set(seen) & set(nodes):
            links[number, len(rows) + nodes.index(node)] = 1
            if number < len(rows) - 1:
                links[len(rows) + nodes.index(node), number] = 1
    heard = links + np.eye(size)
    step = heard / np.sqrt(np.outer(heard.sum(axis=1), heard.sum(axis=1)))
    return (step @ step @ x)[len(rows) - 1]


def test_an_event_hears_what_a_dense_matrix_with_itself_alone_says():
    events, reports, features = draw()
    log, rows = read_log(events, reports), np.arange(300, 500, 17)
    model = GraphConvolution(window=6).fit(log, features, np.arange(100, 300), np.arange(200) % 2)
    values = pd.DataFrame(model.reader_.transform(features), index=features.index)
    found = np.concatenate(list(model._heard(log, features, rows)))
    for row, line in zip(rows, found, strict=True):
        expected = heard_by_hand(events, reports, values, events.iloc[row].to_dict(), 6)
        np.testing.assert_allclose(line, expected, atol=1e-9)


def test_nothing_of_the_day_or_later_is_heard():
    events, reports, features = draw(1)
    day, rng = 15, np.random.default_rng(3)
    later = np.flatnonzero(events["at"] >= day * DAY)
    asked = np.flatnonzero(events["at"] // DAY == day)[::2]
    other = np.setdiff1d(later, asked)
    changed, moved = events.copy(), features.copy()
    for column in ("card_id", "device_id", "ip_id"):
        changed.iloc[other, changed.columns.get_loc(column)] = events[column].iloc[rng.permutation(other)].to_numpy()
    moved.iloc[other] = rng.exponential(size=(len(other), 2))
    strange = pd.DataFrame({"event_id": events["event_id"].iloc[other], "reported_at": events["at"].iloc[other]})
    known = pd.concat([reports[reports["reported_at"] < day * DAY], strange])
    train, y = np.arange(100, later[0]), np.arange(later[0] - 100) % 2
    scores = []
    for tables, x in (((events, reports), features), ((changed, known), moved)):
        log = read_log(*tables)
        scores.append(GraphConvolution(own=True).fit(log, x, train, y).score(log, x, asked))
    np.testing.assert_allclose(*scores, rtol=1e-12)  # sums are in another order, which older versions round otherwise
    assert scores[0].std() > 0


def test_without_hops_it_is_a_logistic_regression():
    events, reports, features = draw(2)
    log, train, test = read_log(events, reports), np.arange(200), np.arange(300, 500)
    y = (features["a"].to_numpy()[train] > 1).astype(int)
    ours = GraphConvolution(hops=0).fit(log, features, train, y).score(log, features, test)
    scaler = StandardScaler().fit(np.log1p(features.to_numpy()[train]))
    model = LogisticRegression(max_iter=1_000).fit(scaler.transform(np.log1p(features.to_numpy()[train])), y)
    theirs = model.predict_proba(scaler.transform(np.log1p(features.to_numpy()[test])))[:, 1]
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_it_finds_what_only_the_neighbours_show():
    events, reports, features = draw(3, n=3_000, devices=40)
    events["device_id"] = np.random.default_rng(8).integers(0, 40, 3_000)
    bad = (events["device_id"] < 10).to_numpy()
    reports = pd.DataFrame({"event_id": events["event_id"][bad], "reported_at": events["at"][bad]})
    log, train, test = read_log(events, reports), np.arange(600, 1_800), np.arange(2_000, 3_000)
    area = {}
    for hops in (0, 2):
        model = GraphConvolution(hops=hops, most=70).fit(log, features, train, bad[train])
        area[hops] = roc_auc_score(bad[test], model.score(log, features, test))
    assert area[0] < 0.6 and area[2] > 0.9


def test_what_was_reported_is_heard_from_the_midnight_after_it_came():
    events, _, features = draw(4, n=60, days=3)
    events = events.assign(card_id=1, device_id=1, ip_id=1, at=[*range(59), DAY + 5])
    for reported_at, heard in ((DAY - 1, True), (DAY, False)):
        log = read_log(events, pd.DataFrame({"event_id": [5], "reported_at": [reported_at]}))
        model = GraphConvolution().fit(log, features, np.arange(59), np.arange(59) % 2)
        assert (next(model._heard(log, features, np.array([59])))[0, -1] > 0) == heard


def test_a_card_hears_its_own_past_though_its_device_is_a_hub():
    events, reports, features = draw(5, n=60, days=3)
    events = events.assign(card_id=[*range(58), 7, 99], device_id=1, ip_id=-1, at=[*range(58), DAY + 5, DAY + 6])
    log = read_log(events, reports)
    model = GraphConvolution(most=5).fit(log, features, np.arange(58), np.arange(58) % 2)
    values = model.reader_.transform(features)
    heard = next(model._heard(log, features, np.array([58, 59])))[:, :2]
    weights = np.array([1 / 4, 1 / np.sqrt(2 * 2) / np.sqrt(2 * 2)])  # two hops: by itself, and over the card
    np.testing.assert_allclose(heard[0], weights @ values[[58, 7]])
    np.testing.assert_allclose(heard[1], values[59])  # a stranger hears itself alone


def test_refusals_say_what_to_do():
    events, reports, features = draw()
    log, y = read_log(events, reports), np.arange(100) % 2
    with pytest.raises(ContractError, match=r"^features must be those of the log's last events, in its order, got oth"):
        GraphConvolution().fit(log, features.iloc[::-1], np.arange(100), y)
    with pytest.raises(ContractError, match=r"^rows must be rising rows of the log from 200 on, got others; sort them"):
        GraphConvolution().fit(log, features.iloc[200:], np.arange(100), y)
    with pytest.raises(ContractError, match=r"^rows must be rising rows of the log from 0 on, got others; sort them"):
        GraphConvolution().fit(log, features, np.arange(100)[::-1], y)
