"""The state against the query, and what it does with late, repeated and bad events."""

import math

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.fraud.feature_spec import DAY, FEATURES
from casebook.fraud.features import build
from casebook.fraud.state import FeatureState, MemoryStore, replay
from casebook.fraud.state_records import LATENESS

ROUNDING = 1e-9  # both routes divide whole numbers, and take one square root

GOOD = {
    **{"event_id": 900, "at": 50 * DAY, "card_id": 3, "merchant_id": 4, "terminal_id": 8, "device_id": -1},
    **{"amount_cents": 1_250, "channel": "terminal", "entry": "chip", "currency": "USD", "country": "US"},
    **{"category": "grocery", "x_km": 10.0, "y_km": 4.0},
}


def rows_of(events):
    return events.to_dict("records")


def taken(events, state=None):
    """Return a state that took the events in their order."""
    state = state or FeatureState(MemoryStore())
    for row in rows_of(events):
        state.update(row)
    return state


class StrictStore(MemoryStore):
    """A store that counts its trips and takes nothing but bytes under strings."""

    def __init__(self):
        super().__init__()
        self.trips = []

    def get(self, keys):
        assert all(type(key) is str for key in keys) and len(set(keys)) == len(keys)
        self.trips.append("get")
        return super().get(keys)

    def put(self, values):
        assert all(type(key) is str and type(value) is bytes for key, value in values.items())
        self.trips.append("put")
        super().put(values)


def test_a_replay_gives_what_the_query_gives(logs):
    events, reports = logs(np.random.default_rng(1), 3_000, days=70.0, cards=30, merchants=25)
    built, replayed = build(events, reports), replay(FeatureState(MemoryStore()), events, reports)
    pd.testing.assert_frame_equal(replayed, built, rtol=ROUNDING, atol=ROUNDING)
    since = 60 * DAY
    later = replay(FeatureState(MemoryStore()), events, reports, since)
    pd.testing.assert_frame_equal(later, build(events, reports, since), rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.slow
def test_a_replay_of_two_hundred_thousand_events_gives_what_the_query_gives(logs):
    events, reports = logs(np.random.default_rng(2), 200_000, days=120.0, cards=1_500, merchants=800, repeat=0.02)
    built, replayed = build(events, reports), replay(FeatureState(MemoryStore()), events, reports)
    pd.testing.assert_frame_equal(replayed, built, rtol=ROUNDING, atol=ROUNDING)


def test_events_of_one_second_may_come_in_any_order(logs):
    events, reports = logs(np.random.default_rng(3), 400, days=4.0, cards=3, merchants=3, repeat=0.6)
    order = events.assign(tie=np.random.default_rng(4).random(len(events))).sort_values(["at", "tie"])
    assert order["event_id"].tolist() != events["event_id"].tolist()
    state, answers = FeatureState(MemoryStore()), {}
    for row in rows_of(order):
        answers[row["event_id"]] = state.features(row)
        state.update(row)
    built = build(events, reports.iloc[:0])
    same = pd.DataFrame.from_dict(answers, orient="index").loc[built.index]
    pd.testing.assert_frame_equal(same.astype(float), built, rtol=ROUNDING, atol=ROUNDING, check_names=False)


def late_order(events, rng):
    """Let each event arrive up to ``LATENESS`` seconds after its time."""
    arrival = events["at"] + rng.integers(0, LATENESS + 1, len(events))
    return events.assign(arrival=arrival).sort_values("arrival", kind="stable").reset_index(drop=True)


def test_late_events_make_no_difference_to_later_answers(logs):
    events, _ = logs(np.random.default_rng(5), 800, days=0.5, cards=4, merchants=3)
    late = late_order(events, np.random.default_rng(6))
    assert (late["at"].diff() < 0).sum() > 100
    in_time, too_late = taken(events), taken(late.drop(columns="arrival"))
    for card in range(4):
        for wait in (1, 200, 5_000, 8 * DAY):
            probe = GOOD | {"card_id": card, "at": int(events["at"].max()) + wait, "merchant_id": card % 3}
            assert in_time.features(probe) == too_late.features(probe)


def test_an_answer_equals_the_querys_unless_something_earlier_arrives_after_it(logs):
    events, reports = logs(np.random.default_rng(7), 800, days=2.0, cards=4, merchants=3)
    late = late_order(events, np.random.default_rng(8))
    state, answers = FeatureState(MemoryStore()), {}
    for row in rows_of(late):
        answers[row["event_id"]] = state.features(row)
        state.update(row)
    built = build(events, reports.iloc[:0])
    got = pd.DataFrame.from_dict(answers, orient="index").loc[built.index]
    at = late["at"].to_numpy()
    sound = late["event_id"][[bool((at[row + 1 :] >= at[row]).all()) for row in range(len(late))]]
    assert 100 < len(sound) < len(late)
    pd.testing.assert_frame_equal(
        got.loc[sound].astype(float), built.loc[sound], rtol=ROUNDING, atol=ROUNDING, check_names=False
    )
    missed = (got["merchant_count_10m"] < built["merchant_count_10m"]).loc[late["event_id"]]
    assert missed.any() and not missed.loc[sound].any()
    assert (got["merchant_count_10m"] <= built["merchant_count_10m"]).all()


def test_the_same_event_twice_counts_once_and_the_first_stands(logs):
    events, _ = logs(np.random.default_rng(9), 200)
    state = taken(events)
    before = dict(state.store.values)
    assert [state.update(row) for row in rows_of(events)] == [False] * len(events)
    assert state.update(rows_of(events)[0] | {"amount_cents": 1}) is False
    assert state.store.values == before


BAD = [
    ({"amount_cents": -5}, "amount_cents must be a whole number from 1 to 2^50, got -5; mend it."),
    ({"amount_cents": 12.5}, "amount_cents must be a whole number from 1 to 2^50, got 12.5; mend it."),
    ({"amount_cents": 10**40}, "amount_cents must be a whole number from 1 to 2^50, got int; mend it."),
    (
        {"currency": "XXX"},
        "currency must be one of USD, CAD, MXN, GBP, EUR, JPY, BRL, got 'XXX'; convert it or add it to Spec.",
    ),
    (
        {"currency": ["USD"]},
        "currency must be one of USD, CAD, MXN, GBP, EUR, JPY, BRL, got list; convert it or add it to Spec.",
    ),
    (
        {"at": 50 * DAY - 301},
        "at must be at most 300 seconds before the card's last event (second 4320000), got 4319699; "
        "send a card's events in order.",
    ),
    ({"card_id": None}, "card_id must be a whole number from 0 to 2^50, got nothing; send the field."),
    ({"card_id": -1}, "card_id must be a whole number from 0 to 2^50, got -1; mend it."),
    ({"card_id": True}, "card_id must be a whole number from 0 to 2^50, got True; mend it."),
    ({"event_id": "7"}, "event_id must be a whole number from 0 to 2^50, got '7'; mend it."),
    ({"terminal_id": -2}, "terminal_id must be a whole number from -1 to 2^50, got -2; mend it."),
    ({"channel": "atm"}, "channel must be one of terminal, online, app, got 'atm'; mend it."),
    (
        {"entry": "x" * 10**6},
        "entry must be one of chip, contactless, magstripe, wallet, typed, threeds, app, got "
        "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...; mend it.",
    ),
    ({"country": "USA"}, "country must be a code of two letters, got 'USA'; mend it."),
    ({"category": 5}, "category must be a word, got 5; mend it."),
    ({"x_km": math.inf}, "x_km must be kilometres, or absent, got inf; mend it."),
    ({"y_km": "4"}, "y_km must be kilometres, or absent, got '4'; mend it."),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_a_bad_event_is_refused_in_one_sentence_and_leaves_the_state_as_it_is(change, message):
    state = FeatureState(MemoryStore())
    state.update(GOOD)
    before = dict(state.store.values)
    bad = {name: value for name, value in (GOOD | {"event_id": 901} | change).items() if value is not None}
    for call in (state.features, state.update):
        with pytest.raises(ContractError) as refused:
            call(bad)
        assert str(refused.value) == message
    assert state.store.values == before


def test_an_event_as_late_as_allowed_is_taken():
    state = FeatureState(MemoryStore())
    state.update(GOOD)
    late = GOOD | {"event_id": 901, "at": GOOD["at"] - LATENESS}
    assert state.features(late)["card_count"] == 0
    assert state.update(late)
    probe = state.features(GOOD | {"event_id": 902, "at": GOOD["at"] + 1})
    assert probe["card_count"] == probe["card_count_10m"] == 2 and probe["card_since"] == 1


def test_a_late_event_still_sees_its_whole_longest_window():
    app = GOOD | {"channel": "app", "entry": "app", "terminal_id": -1, "device_id": 6}
    state = taken(pd.DataFrame([app | {"at": 0}, app | {"event_id": 901, "at": 7 * DAY + 200}]))
    late = state.features(app | {"event_id": 902, "at": 7 * DAY - 50})
    assert [late[f"{key}_count_7d"] for key in ("card", "merchant", "device")] == [1, 1, 1]


def test_numbers_of_numpy_and_absent_fields_are_read():
    odd = GOOD | {"card_id": np.int64(3), "at": np.int32(50 * DAY), "amount_cents": np.int64(1_250)}
    state, other = FeatureState(MemoryStore()), FeatureState(MemoryStore())
    state.update(odd)
    other.update(GOOD)
    assert state.store.values == other.store.values
    bare = {name: GOOD[name] for name in GOOD if name not in ("terminal_id", "device_id", "x_km", "y_km")}
    assert other.features(bare | {"event_id": 901})["travel_kmh"] == 0


def test_a_report_counts_once_and_from_the_second_after_it():
    state = FeatureState(MemoryStore())
    state.update(GOOD)
    told = GOOD["at"] + 100
    assert state.report(900, told) is True
    before = dict(state.store.values)
    assert state.report(900, told + 50) is False and state.store.values == before
    risks = {wait: state.features(GOOD | {"event_id": 901, "at": told + wait}) for wait in (0, 1)}
    for name in ("merchant_risk_7d", "terminal_risk_28d"):
        assert risks[0][name] == pytest.approx(0.1 / 101) and risks[1][name] == pytest.approx(1.1 / 101)


@pytest.mark.parametrize(
    ("event_id", "reported_at", "message"),
    [
        (1, 50 * DAY, "event_id must be of an event taken before, got 1; send the event first."),
        (900, 5, "reported_at must be at or after its event's second 4320000, got 5; mend the time."),
        (900, None, "reported_at must be a whole number from 0 to 2^50, got nothing; send the field."),
    ],
)
def test_a_bad_report_leaves_the_state_as_it_is(event_id, reported_at, message):
    state = FeatureState(MemoryStore())
    state.update(GOOD)
    before = dict(state.store.values)
    with pytest.raises(ContractError) as refused:
        state.report(event_id, reported_at)
    assert str(refused.value) == message and state.store.values == before


def test_everything_is_in_the_store_as_bytes_and_a_call_makes_one_trip_each_way(logs):
    events, _ = logs(np.random.default_rng(11), 150)
    store = StrictStore()
    taken(events.iloc[:75], FeatureState(store))
    taken(events.iloc[75:], FeatureState(store))  # another process on the same store
    assert store.trips == ["get", "put"] * len(events)
    store.trips.clear()
    assert FeatureState(store).features(GOOD) == taken(events).features(GOOD)
    assert store.trips == ["get"]
    assert list(FeatureState(store).features(GOOD)) == list(FEATURES)


def test_a_store_that_fails_to_put_leaves_the_event_untaken():
    class Broken(MemoryStore):
        def put(self, values):
            raise ConnectionError("no store")

    state = FeatureState(Broken())
    with pytest.raises(ConnectionError):
        state.update(GOOD)
    assert state.store.values == {} and state.features(GOOD)["card_count"] == 0


def test_records_do_not_grow_with_the_age_of_a_card():
    state = FeatureState(MemoryStore())
    sizes = []
    for day in range(200):
        state.update(GOOD | {"event_id": day, "at": day * DAY})
        sizes.append({key: len(state.store.values[key]) for key in ("card:3", "merchant:4", "terminal:8", "sights:3")})
    assert sizes[40] == sizes[-1]
    probe = state.features(GOOD | {"at": 200 * DAY})
    assert (probe["card_count"], probe["card_count_7d"]) == (200, 7)
