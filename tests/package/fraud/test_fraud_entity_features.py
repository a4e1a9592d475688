"""Counts of sharing against loops over the log, and what they may not know."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.fraud.entities import KEYS, read_log
from casebook.fraud.entity_features import AGE_CAP, ENTITY_FEATURES, WINDOWS, entity_features
from casebook.fraud.world import DAY


def log_of(day, card, device, ip, channel, delay):
    """Put a log together from columns; a delay of None means no report."""
    at = np.sort(np.asarray(day) * DAY + np.arange(len(day)) % 5)
    events = pd.DataFrame({"event_id": np.arange(len(day)) + 3, "at": at, "card_id": card})
    events["channel"] = np.array(["terminal", "online", "app"])[np.asarray(channel)]
    seen = np.asarray(channel) > 0
    events = events.assign(device_id=np.where(seen, device, -1), ip_id=np.where(seen, ip, -1))
    events = events.assign(address_id=np.where(np.asarray(channel) == 1, device, -1), merchant_id=ip)
    told = [(row + 3, when + wait) for row, (when, wait) in enumerate(zip(at, delay, strict=True)) if wait is not None]
    return events, pd.DataFrame(told, columns=["event_id", "reported_at"], dtype=np.int64)


def by_loop(events, reports, row):
    """Count for one event by reading the whole log."""
    log, told_at = events.to_dict("records"), dict(zip(reports["event_id"], reports["reported_at"], strict=True))
    event = log[row]
    midnight = event["at"] // DAY * DAY
    past = [one for one in log if one["at"] < midnight]
    told = [one for one in past if midnight - 28 * DAY <= told_at.get(one["event_id"], midnight) < midnight]
    found = {"entity_reports_card": sum(one["card_id"] == event["card_id"] for one in told)}
    for key in KEYS:
        same, heard = ([one for one in part if shown(one, key) == shown(event, key) != -1] for part in (past, told))
        for days in WINDOWS:
            late = {one["card_id"] for one in same if one["at"] >= midnight - days * DAY}
            found[f"entity_cards_{key}_{days}d"] = len(late)
        found[f"entity_events_{key}"] = sum(one["at"] >= midnight - 28 * DAY for one in same)
        found[f"entity_reports_{key}"] = len(heard)
        first = min([one["at"] // DAY for one in same], default=midnight // DAY)
        found[f"entity_age_{key}"] = min(midnight // DAY - first, AGE_CAP)
    return {name: float(value) for name, value in found.items()}


def shown(event, key):
    """Return the id that an event shows, or -1."""
    return -1 if key == "payee" and event["channel"] != "app" else event[KEYS[key]]


EVENT = st.tuples(
    st.sampled_from([0, 0, 1, 1, 2, 6, 7, 8, 27, 28, 29, 31]), st.integers(0, 2), st.integers(0, 1), st.integers(0, 2),
    st.sampled_from([0, 1, 1, 2]), st.sampled_from([None, 0, DAY - 1, DAY, 6 * DAY, 27 * DAY, 28 * DAY, 29 * DAY]),
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(drawn=st.lists(EVENT, min_size=1, max_size=14))
def test_any_log_has_the_counts_of_a_loop(drawn):
    day, *columns = zip(*drawn, strict=True)
    events, reports = log_of(np.sort(day), *columns)
    found = entity_features(events, reports, 0, 40)
    assert list(found.columns) == list(ENTITY_FEATURES)
    expected = pd.DataFrame([by_loop(events, reports, row) for row in range(len(events))], index=found.index)
    pd.testing.assert_frame_equal(found, expected[list(found.columns)])


def draw(seed, n=600):
    rng = np.random.default_rng(seed)
    delay = [int(rng.integers(0, 20 * DAY)) if rng.random() < 0.2 else None for _ in range(n)]
    columns = (rng.integers(0, 9, n), rng.integers(0, 6, n), rng.integers(0, 9, n), rng.integers(0, 3, n))
    return log_of(np.sort(rng.integers(0, 40, n)), *columns, delay)


def test_a_long_log_has_the_counts_of_a_loop_and_days_can_be_asked_apart():
    events, reports = draw(0)
    whole = entity_features(events, reports, 0, 39)
    for row in np.random.default_rng(1).choice(600, 40, replace=False):
        assert whole.iloc[row].to_dict() == by_loop(events, reports, row)
    apart = events["at"].to_numpy() // DAY // 5 == 4
    pd.testing.assert_frame_equal(entity_features(events, reports, 20, 24), whole[apart])


@pytest.mark.parametrize("seed", range(3))
def test_nothing_of_the_day_or_later_is_known(seed):
    events, reports = draw(seed)
    rng, day = np.random.default_rng(seed), 25
    later = events["at"].to_numpy() >= day * DAY
    asked = np.flatnonzero(events["at"].to_numpy() // DAY == day)[::2]
    others = np.setdiff1d(np.flatnonzero(later), asked)
    changed = events.copy()
    for column in ("card_id", "device_id", "ip_id"):
        changed.iloc[others, changed.columns.get_loc(column)] = rng.integers(0, 9, len(others))
    known = reports[reports["reported_at"] < day * DAY]
    strange = pd.DataFrame({"event_id": changed["event_id"].iloc[others], "reported_at": changed["at"].iloc[others]})
    ids = events["event_id"].iloc[asked]
    before = entity_features(events, reports, day, day).loc[ids]
    after = entity_features(changed, pd.concat([known, strange]), day, day).loc[ids]
    pd.testing.assert_frame_equal(before, after)
    assert (before.to_numpy() > 0).any()


def test_a_report_counts_from_the_midnight_after_it_came():
    events, _ = log_of([0, 5, 6], [1, 2, 3], [8, 8, 8], [4, 4, 4], [1, 1, 1], [None] * 3)
    for reported_at, counts in ((5 * DAY - 1, [1, 1]), (5 * DAY, [0, 1]), (6 * DAY, [0, 0])):
        told = pd.DataFrame({"event_id": [3], "reported_at": [reported_at]})
        assert entity_features(events, told, 5, 6)["entity_reports_device"].tolist() == counts


def test_refusals_say_what_to_do():
    events, reports = draw(0)
    with pytest.raises(ContractError, match="first_day and last_day must be days with events, got 50 to 60; pass days"):
        entity_features(events, reports, 50, 60)
    early = pd.DataFrame({"event_id": [602], "reported_at": [5]})
    with pytest.raises(
        ContractError, match=r"^reports, row 0: reported_at must be no earlier than its event, got 5 be"
    ):
        entity_features(events, early, 0, 1)
    with pytest.raises(ContractError, match="'ip_id'"):
        entity_features(events.drop(columns="ip_id"), reports, 0, 1)
    with pytest.raises(ContractError, match=r"must be in the order of \(at, event_id\)"):
        entity_features(events.iloc[::-1], reports, 0, 1)


def test_a_payee_is_seen_in_the_app_alone_and_a_strange_report_is_left_out():
    events, _ = log_of([0, 0], [1, 2], [8, 8], [4, 4], [1, 2], [None, None])
    log = read_log(events, pd.DataFrame({"event_id": [999], "reported_at": [7]}))
    assert log.ids["payee"].tolist() == [-1, 4]
    assert len(log.told_row) == 0
