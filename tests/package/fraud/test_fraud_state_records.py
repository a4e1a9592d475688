"""The state's records against plain lists, whatever the order in which events arrive."""

import math

from hypothesis import given
from hypothesis import strategies as st

from casebook.fraud.feature_event import Event
from casebook.fraud.state_records import (
    card_newest,
    card_past,
    card_with,
    first_sights,
    log_windows,
    log_with,
    sights_with,
)

HORIZON = 1_000


@given(
    rows=st.lists(st.tuples(st.integers(0, 900), st.integers(1, 50)), min_size=1, max_size=30), at=st.integers(0, 901)
)
def test_a_log_is_what_a_list_is_whatever_the_order(rows, at):
    log = None
    for row in rows:
        log = log_with(log, *row, HORIZON)
    windows = (1, 7, 100, 900)
    inside = [[cents for then, cents in rows if at - window <= then < at] for window in windows]
    assert log_windows(log, at, windows) == [number for kept in inside for number in (len(kept), sum(kept))]


def test_a_log_lets_go_of_what_is_too_old_and_of_what_comes_too_late():
    log = log_with(log_with(log_with(None, 0, 5, HORIZON), HORIZON, 6, HORIZON), HORIZON + 1, 7, HORIZON)
    assert log_windows(log, HORIZON + 2, (2, 2 * HORIZON)) == [2, 13, 2, 13]
    assert log_with(log, 0, 9, HORIZON) == log


@given(
    rows=st.lists(st.integers(0, 5_000), min_size=1, max_size=25), online=st.integers(0, 3), wait=st.integers(0, 300)
)
def test_a_card_is_what_a_list_is(rows, online, wait):
    """Arrivals are at most 300 seconds late, the horizon is shorter than the log, every fourth row may be online."""
    order = sorted(enumerate(rows), key=lambda row: row[1] + (row[0] * 97) % 300)
    card = None
    for event_id, at in order:
        x = math.nan if event_id % 4 == online else float(event_id)
        card = card_with(
            card, Event(event_id, at, 1, 1, -1, -1, 10 + event_id, "online", "typed", "US", "", x, x), 1_300
        )
    newest = max(rows)
    assert card_newest(card) == newest
    at = newest - wait
    past = [(then, event_id) for event_id, then in enumerate(rows) if then < at]
    stops = [(then, event_id) for then, event_id in past if event_id % 4 != online]
    found = card_past(card, at, (1_000,))
    assert (found.number, found.cents) == (len(past), sum(10 + event_id for _, event_id in past))
    assert found.largest == max((10 + event_id for _, event_id in past), default=0)
    assert found.last == max((then for then, _ in past), default=None)
    assert found.place == ((max(stops)[0], *[float(max(stops)[1])] * 2) if stops else None)
    assert found.velocity[0] == sum(then >= at - 1_000 for then, _ in past)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 99)), max_size=30))
def test_the_earliest_sight_stands(rows):
    pairs = None
    for code, at in rows:
        pairs = sights_with(pairs, [code], at)
    earliest = [min((at for other, at in rows if other == code), default=None) for code in range(10)]
    assert first_sights(pairs, range(10)) == earliest
    codes = [] if pairs is None else list(memoryview(pairs).cast("q")[::2])
    assert codes == sorted(set(codes))
