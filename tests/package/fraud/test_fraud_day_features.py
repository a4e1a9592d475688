"""The features of whole days against those of the query, however a log is cut into days."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.fraud.day_features import DayFeatures, with_features
from casebook.fraud.day_past import Numbers, Pairs, Pasts, Trail
from casebook.fraud.feature_spec import DAY, FEATURES, Spec
from casebook.fraud.features import build
from casebook.fraud.simulate import simulate
from casebook.fraud.state import FeatureState, MemoryStore, replay
from casebook.fraud.world import World

ROUNDING = 1e-9  # both routes divide whole numbers, and take one square root
#: Gaps at which a window's edge lies, one second to either side of it, and none.
GAPS = [0, 0, 1, 2, 599, 600, 601, 3_600, DAY, 7 * DAY - 1, 7 * DAY, 28 * DAY, 28 * DAY + 1, 95 * DAY]
SPEC = Spec(prior=10.0, prior_rate=0.02)
BUSY = World(prevalence=0.02, delay_days=2.0, notice_days=2.0)


def by_days(events, reports, cuts, at_once=False, spec=SPEC):
    """Feed a log cut before the rows ``cuts``; reports come at once, or in the table of the day they come in."""
    past, parts = DayFeatures(spec), []
    edges = [0, *sorted(cuts), len(events)]
    for low, high in pairwise(edges):
        day = events.iloc[low:high]
        until = np.inf if at_once or not len(day) else day["at"].iloc[-1]
        past.add_reports(reports[reports["reported_at"] < until])
        parts.append(past.features(day))
        past.add(day)
    return pd.concat([part for part in parts if len(part)])


def midnights(events):
    return np.flatnonzero(np.diff(events["at"] // DAY)) + 1


def same(left, right):
    pd.testing.assert_frame_equal(left, right, rtol=ROUNDING, atol=ROUNDING)


EVENT = st.tuples(
    st.sampled_from(GAPS), st.integers(0, 1), st.integers(0, 2), st.integers(0, 1), st.integers(0, 1),
    st.integers(1, 500), st.integers(0, 6), st.integers(0, 1), st.integers(-300, 300),
    st.one_of(st.none(), st.sampled_from(GAPS)),
)  # fmt: skip


@settings(max_examples=20, deadline=None)  # a query takes a quarter of a second to plan
@given(
    drawn=st.lists(EVENT, min_size=1, max_size=14),
    start=st.integers(0, DAY),
    cuts=st.sets(st.integers(0, 14)),
    at_once=st.booleans(),
)
def test_any_cut_of_a_log_gives_the_features_of_the_query(frames, drawn, start, cuts, at_once):
    gaps, *columns, delays = zip(*drawn, strict=True)
    events = frames(start + np.cumsum(gaps), *columns)
    told = [(row, at + wait) for row, at, wait in zip(events["event_id"], events["at"], delays, strict=True) if wait]
    reports = pd.DataFrame(told, columns=["event_id", "reported_at"], dtype=np.int64)
    cuts = {cut for cut in cuts if cut <= len(events)}
    same(by_days(events, reports, cuts, at_once), build(events, reports, spec=SPEC))


@pytest.mark.parametrize(("n", "days", "cards"), [(1_500, 40.0, 12), (1_500, 3.0, 4), (600, 200.0, 15)])
@pytest.mark.parametrize("at_once", [False, True])
def test_a_dense_log_by_days_agrees_with_query_and_state(logs, n, days, cards, at_once):
    events, reports = logs(np.random.default_rng(n + cards), n, days=days, cards=cards, repeat=0.3)
    daily = by_days(events, reports, midnights(events), at_once)
    same(daily, build(events, reports, spec=SPEC))
    same(daily, replay(FeatureState(MemoryStore(), SPEC), events, reports))
    still = daily.columns[daily.nunique() < 2]
    assert days > 7 or not len(still), list(still)  # a sparse log has no two events in ten minutes


def test_ids_need_be_neither_small_nor_rising_and_words_may_be_categories_of_any_order(logs):
    events, reports = logs(np.random.default_rng(3), 600)
    for name in ("card_id", "merchant_id", "terminal_id", "device_id"):
        events[name] = events[name].where(events[name] < 0, (events[name] * 7_919 + 13) * 2**33 % (2**40 - 87))
    for name in ("country", "category", "entry"):
        words = sorted({"US", "fuel", "chip", *events[name].astype(str)}, reverse=True)
        events[name] = pd.Categorical(events[name].astype(str), categories=words)
    new = np.random.default_rng(4).permutation(len(events)) + 50
    events["event_id"], reports["event_id"] = new[events["event_id"] - 10], new[reports["event_id"] - 10]
    happened = events.set_index("event_id")["at"][reports["event_id"]].to_numpy()
    reports["reported_at"] -= 3 * (reports["reported_at"] - happened) // 4
    events = events.sort_values(["at", "event_id"])
    for at_once in (False, True):
        same(by_days(events, reports, [150, 300], at_once, Spec()), build(events, reports))


def test_a_question_changes_nothing_and_inputs_stay(logs):
    events, reports = logs(np.random.default_rng(4), 500)
    past, day = DayFeatures(), events.iloc[300:400]
    before = events.copy(), reports.copy()
    past.add(events.iloc[:300])
    past.add_reports(reports)
    first = past.features(day)
    past.features(events.iloc[350:])
    pd.testing.assert_frame_equal(past.features(day), first)
    pd.testing.assert_frame_equal(past.features(events.iloc[300:]).loc[first.index], first)
    pd.testing.assert_frame_equal(events, before[0])
    pd.testing.assert_frame_equal(reports, before[1])
    assert list(first.columns) == list(FEATURES) and first.index.tolist() == day["event_id"].tolist()
    assert set(first.dtypes) == {np.dtype(float)} and first.notna().all(axis=None)


def test_days_without_events_or_reports_are_days(logs):
    events, reports = logs(np.random.default_rng(5), 100)
    past = DayFeatures()
    past.add(events.iloc[:0])
    past.add_reports(reports.iloc[:0])
    none = past.features(events.iloc[:0])
    assert none.shape == (0, len(FEATURES)) and none.index.name == "event_id"
    past.add(events.iloc[:60])
    past.add(events.iloc[:0])
    same(past.features(events.iloc[60:]), build(events, reports.iloc[:0]).iloc[60:])


def test_a_second_report_and_one_of_an_event_elsewhere_change_nothing(logs):
    events, reports = logs(np.random.default_rng(6), 400, merchants=3)
    past = DayFeatures()
    past.add(events.iloc[:300])
    past.add_reports(reports)
    first = past.features(events.iloc[300:])
    past.add_reports(reports.assign(reported_at=reports["reported_at"] + 5))
    past.add_reports(reports.assign(event_id=reports["event_id"] + 10_000))
    pd.testing.assert_frame_equal(past.features(events.iloc[300:]), first)
    assert first["merchant_risk_28d"].max() > Spec().prior_rate


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda day: day.iloc[::-1],
         "events, row 1 must be later by (at, event_id) than the event before it, (200, 14), got (150, 13); pass the "
         "days in order and each day sorted."),
        (lambda day: day.assign(at=day["at"] - 100),
         "events, row 0 must be later by (at, event_id) than the event before it, (100, 12), got (50, 13); pass the "
         "days in order and each day sorted."),
        (lambda day: day.assign(at=100, event_id=[12, 15]),
         "events, row 0 must be later by (at, event_id) than the event before it, (100, 12), got (100, 12); pass the "
         "days in order and each day sorted."),
        (lambda day: day.assign(event_id=13),
         "events, row 1: event_id must be of no other row, got 13; drop the copy."),
        (lambda day: day.assign(amount_cents=0.5),
         "events, column 'amount_cents' must be of whole numbers, got float64; pass whole seconds, cents and ids."),
        (lambda day: day.assign(at=[150, 2**32]),
         "events, column 'at', row 1 must be from 0 to 4294967295, got 4294967296; mend it."),
        (lambda day: day.assign(card_id=-1), "events, column 'card_id', row 0 must be 0 or more, got -1; mend it."),
        (lambda day: day.assign(country=["US", "USA"]),
         "events, column 'country', row 1 must be a code of two letters, got 'USA'; mend it."),
        (lambda day: day.drop(columns="entry"),
         "events must be a table with a column 'entry', got 'event_id', 'at', 'card_id', 'merchant_id', "),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_and_leaves_what_is_known(frames, change, message):
    events = frames([0, 50, 100, 150, 200], [0] * 5, [1] * 5, [2] * 5, [3] * 5, [90] * 5, [0, 1, 0, 6, 6], [0] * 5, 5)
    past, day = DayFeatures(), events.iloc[3:]
    past.add(events.iloc[:3])
    first = past.features(day)
    for ask in (past.features, past.add):
        with pytest.raises(ContractError) as refused:
            ask(change(day))
        assert str(refused.value).startswith(message)
    pd.testing.assert_frame_equal(past.features(day), first)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"event_id": [1]}, "reports must be a table with a column 'reported_at', got 'event_id'; "),
        ({"event_id": [1], "reported_at": [0.5]},
         "reports, column 'reported_at' must be of whole numbers, got float64; pass whole seconds, cents and ids."),
        ({"event_id": [1], "reported_at": [-5]},
         "reports, column 'reported_at', row 0 must be from 0 to 4294967295, got -5; mend it."),
    ],
)  # fmt: skip
def test_reports_that_cannot_be_read_are_refused(given, message):
    with pytest.raises(ContractError) as refused:
        DayFeatures().add_reports(pd.DataFrame(given))
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("first_day", [0, 9])
def test_a_policy_is_handed_the_features_of_what_the_bank_knows(first_day):
    seen = {}

    def decide(morning, features):
        if morning.day in (first_day, 10, 13):
            log = pd.concat([morning.log, morning.events], ignore_index=True)
            seen[morning.day] = features, build(log, morning.reports, morning.day * DAY, SPEC)
        return np.where(features["merchant_risk_28d"] > 0.05, 1, 0) + np.where(features["card_count_1h"] > 4, 2, 0)

    policy = with_features(decide, SPEC)

    def late(morning):
        return policy(morning) if morning.day >= first_day else np.zeros(len(morning.events), int)

    run = simulate(BUSY, 300, 14, np.random.default_rng(7), late)
    assert set(seen) == {first_day, 10, 13} and run.tables["decisions"]["action"].nunique() >= 3
    for features, expected in seen.values():
        same(features, expected)
    assert (seen[13][1]["merchant_risk_28d"] > SPEC.prior_rate).any()


def test_a_policy_serves_one_run():
    policy = with_features(lambda morning, features: np.zeros(len(features), int))
    run = simulate(BUSY, 60, 3, np.random.default_rng(8), policy)
    earlier = int((run.tables["events"]["at"] < 2 * DAY).sum())
    with pytest.raises(ContractError) as refused:
        simulate(BUSY, 60, 3, np.random.default_rng(8), policy)
    assert str(refused.value) == (
        f"morning must be of a day with {earlier} earlier events or more, got day 0 with 0; make a policy for each run."
    )


def test_rows_are_let_go_once_no_window_reaches_them():
    day = np.arange(40) * DAY
    trail = Trail()
    for at in day:
        trail = trail.with_rows(np.array([0]), np.array([at]), np.array([5]), int(at) - 7 * DAY)
    assert trail.marks.tolist() == day[-8:].tolist() and trail.before.tolist() == list(range(0, 45, 5))


def test_a_window_that_begins_before_second_0_finds_no_row_of_another_key():
    last = 2**32 - 1
    trail = Trail().with_rows(np.array([0, 1]), np.array([last, 3]), np.array([7, 9]))
    assert trail.windows(np.array([1, 0]), np.array([5, last]), (3_600,)).tolist() == [[1, 0], [9, 0]]


def test_parts_that_know_nothing_answer_and_taking_in_leaves_the_old_object():
    key, at = np.array([2, -1]), np.array([5, 5])
    trail, pairs, pasts, numbers = Trail(), Pairs(), Pasts(), Numbers()
    assert not trail.windows(key, at, (3, 9)).any() and pairs.new(key, np.array([-1, -1]), at).tolist() == [False] * 2
    assert pasts.take(np.array([3])).last.tolist() == [-1]
    nowhere = np.full(1, np.nan)
    trail.with_rows(key, at, at), pairs.with_pairs(key, key), numbers.of(key)
    grown = pasts.with_rows(key[:1], at[:1], at[:1], nowhere, nowhere)
    grown.with_rows(key[:1], at[:1] + 1, at[:1], nowhere, nowhere)
    assert grown.count.tolist() == [0, 0, 1] and grown.last.tolist() == [-1, -1, 5]
    assert len(trail.marks) == len(pairs.marks) == len(numbers.ids) == len(pasts.count) == 0
