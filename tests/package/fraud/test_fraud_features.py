"""The features of the query against a twin that reads the whole log for each event, and against a changed future."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.fraud import feature_spec
from casebook.fraud.feature_spec import CATEGORIES, DAY, FEATURES, RISK_WINDOWS, WINDOWS, Spec
from casebook.fraud.feature_sql import feature_query
from casebook.fraud.features import build, planted_leak
from casebook.fraud.state import FeatureState, MemoryStore, replay
from casebook.fraud.world import CHANNELS, ENTRIES, FIRST_DAY
from casebook.labels import shuffle_future

ROUNDING = 1e-9  # both routes divide whole numbers, and take one square root
#: Gaps at which a window's edge lies, one second to either side of it, and none.
GAPS = [0, 0, 1, 2, 599, 600, 601, 3_600, DAY, 7 * DAY - 1, 7 * DAY, 28 * DAY, 95 * DAY]
SPEC = Spec(prior=10.0, prior_rate=0.02)


def code(words, word):
    return list(words).index(word) if word in words else -1


def twin(events, reports, spec=SPEC):
    """Compute every feature by reading the log anew for every event."""
    rows = events.to_dict("records")
    return pd.DataFrame([twin_row(row, rows, reports, spec) for row in rows], index=events["event_id"])[list(FEATURES)]


def twin_row(row, rows, reports, spec):
    past = [other for other in rows if other["at"] < row["at"]]
    card = [other for other in past if other["card_id"] == row["card_id"]]
    cents = [other["amount_cents"] for other in card]
    told = {
        "amount_cents": row["amount_cents"],
        "hour": row["at"] // 3_600 % 24,
        "weekday": row["at"] // DAY % 7,
        "channel": code(CHANNELS, row["channel"]),
        "entry": code(ENTRIES, row["entry"]),
        "country_home": row["country"] == "US",
        "category": code(CATEGORIES, row["category"]),
        "card_count": len(card),
        "card_mean_cents": np.mean(cents) if card else 0,
        "card_max_cents": max(cents, default=0),
        "amount_to_mean": row["amount_cents"] / np.mean(cents) if card else 1,
        "card_since": min([row["at"] - other["at"] for other in card] + [90 * DAY]),
        "travel_kmh": twin_speed(row, card),
    }
    for name in ("merchant", "country", "device"):
        column = "country" if name == "country" else f"{name}_id"
        told[f"new_{name}"] = row[column] != -1 and all(other[column] != row[column] for other in card)
    for key in ("card", "merchant", "device"):
        for name, seconds in WINDOWS.items():
            same = [
                other["amount_cents"]
                for other in past
                if other[f"{key}_id"] == row[f"{key}_id"] != -1 and other["at"] >= row["at"] - seconds
            ]
            told |= {f"{key}_count_{name}": len(same), f"{key}_cents_{name}": sum(same)}
    return told | twin_risks(row, rows, reports, spec)


def twin_speed(row, card):
    stops = [other for other in card if not math.isnan(other["x_km"])]
    if not stops or math.isnan(row["x_km"]):
        return 0
    last = max(stops, key=lambda other: (other["at"], other["event_id"]))
    far = math.hypot(row["x_km"] - last["x_km"], row["y_km"] - last["y_km"])
    return min(far / (row["at"] - last["at"]) * 3_600, 10_000)


def twin_risks(row, rows, reports, spec):
    when = dict(zip(reports["event_id"], reports["reported_at"], strict=True))
    told = {}
    for key in ("merchant_id", "terminal_id"):
        there = [other for other in rows if other[key] == row[key] != -1]
        for name, seconds in RISK_WINDOWS.items():
            happened = sum(row["at"] - seconds <= other["at"] < row["at"] for other in there)
            known = sum(row["at"] - seconds <= when.get(other["event_id"], math.inf) < row["at"] for other in there)
            told[f"{key[:-3]}_risk_{name}"] = (known + spec.prior * spec.prior_rate) / (happened + spec.prior)
    return told


def same(left, right):
    pd.testing.assert_frame_equal(left, right.astype(float), rtol=ROUNDING, atol=ROUNDING, check_names=False)


EVENT = st.tuples(
    st.sampled_from(GAPS), st.integers(0, 1), st.integers(0, 2), st.integers(0, 1), st.integers(0, 1),
    st.integers(1, 500), st.integers(0, 6), st.integers(0, 1), st.integers(-300, 300),
    st.one_of(st.none(), st.sampled_from(GAPS)),
)  # fmt: skip


@settings(max_examples=20)  # a query takes a quarter of a second to plan
@given(drawn=st.lists(EVENT, min_size=1, max_size=12), start=st.integers(0, DAY))
def test_query_and_state_agree_with_a_twin_that_reads_the_whole_log(frames, drawn, start):
    gaps, *columns, delays = zip(*drawn, strict=True)
    events = frames(start + np.cumsum(gaps), *columns)
    told = [(row, at + wait) for row, at, wait in zip(events["event_id"], events["at"], delays, strict=True) if wait]
    reports = pd.DataFrame(told, columns=["event_id", "reported_at"])
    expected = twin(events, reports)
    same(build(events, reports, spec=SPEC), expected)
    same(replay(FeatureState(MemoryStore(), SPEC), events, reports), expected)


def test_a_denser_log_agrees_with_the_twin_too(logs):
    events, reports = logs(np.random.default_rng(1), 250, days=4.0, cards=4, merchants=3, repeat=0.3)
    reports["reported_at"] -= (reports["reported_at"] - events["at"].to_numpy()[reports["event_id"] - 10]) // 2
    built = build(events, reports, spec=SPEC)
    same(built, twin(events, reports))
    moves = built.nunique() > 1
    assert moves.all(), built.columns[~moves]


def test_the_order_of_rows_and_later_rows_are_irrelevant_and_inputs_stay(logs):
    rng = np.random.default_rng(2)
    events, reports = logs(rng, 400)
    before = events.copy(), reports.copy()
    built = build(events, reports)
    pd.testing.assert_frame_equal(build(events.sample(frac=1, random_state=3), reports.iloc[::-1]), built)
    half = events.iloc[:200]
    half = half[half["at"] < events["at"].iloc[200]]
    pd.testing.assert_frame_equal(build(half, reports), built.loc[half["event_id"]])
    pd.testing.assert_frame_equal(events, before[0])
    pd.testing.assert_frame_equal(reports, before[1])
    assert built.index.tolist() == events["event_id"].tolist()
    assert (
        list(built.columns) == list(FEATURES)
        and set(built.dtypes) == {np.dtype(float)}
        and built.notna().all(axis=None)
    )


def test_since_gives_the_same_rows_and_no_others(logs):
    events, reports = logs(np.random.default_rng(4), 600, days=60.0)
    since = int(events["at"].iloc[450])
    pd.testing.assert_frame_equal(
        build(events, reports, since), build(events, reports).loc[events.loc[events["at"] >= since, "event_id"]]
    )
    assert build(events, reports, int(events["at"].max()) + 1).empty


def changed_after(events, reports, cut, how):
    """Return both tables with everything at or after second ``cut`` shuffled or gone."""
    dated = {
        name: table.assign(on=FIRST_DAY + table[time].to_numpy().astype("timedelta64[s]"))
        for name, table, time in (("events", events, "at"), ("reports", reports, "reported_at"))
    }
    at, times = pd.Timestamp(FIRST_DAY + np.timedelta64(cut, "s")), {"events": "on", "reports": "on"}
    changed = shuffle_future(dated, at, times=times, rng=np.random.default_rng(6), how=how)
    return changed["events"], changed["reports"]


@pytest.mark.parametrize("how", ["permute", "drop"])
def test_another_future_changes_no_row_before_it(logs, how):
    events, reports = logs(np.random.default_rng(5), 500)
    cut = 20 * DAY + 77
    past = events.loc[events["at"] < cut, "event_id"]
    changed = changed_after(events, reports, cut, how)
    assert not changed[0]["card_id"].equals(events["card_id"]) and not changed[1]["event_id"].equals(
        reports["event_id"]
    )
    pd.testing.assert_frame_equal(build(*changed).loc[past], build(events, reports).loc[past])


def test_the_planted_leak_reads_a_future_that_is_not_there_yet(logs):
    events, reports = logs(np.random.default_rng(5), 500)
    cut = 20 * DAY + 77
    past = events.loc[events["at"] < cut, "event_id"]
    leak = planted_leak(events, reports).loc[past]
    in_service = planted_leak(*changed_after(events, reports, cut, "drop")).loc[past]
    risks = [name for name in FEATURES if "_risk_" in name]
    assert (leak[risks] > in_service[risks]).any().all() and (leak[risks] >= in_service[risks]).all(axis=None)
    pd.testing.assert_frame_equal(leak.drop(columns=risks), in_service.drop(columns=risks))


def test_the_planted_leak_is_the_risk_of_reports_that_come_at_once(logs):
    events, reports = logs(np.random.default_rng(7), 200, days=12.0, cards=4, merchants=3)
    at_once = reports.assign(reported_at=events.set_index("event_id").loc[reports["event_id"], "at"].to_numpy())
    same(planted_leak(events, reports, spec=SPEC), twin(events, at_once))
    assert (build(events, at_once, spec=SPEC) != build(events, reports, spec=SPEC)).any(axis=None)


def test_reports_may_be_none_and_may_be_of_events_elsewhere(logs):
    events, reports = logs(np.random.default_rng(8), 60)
    none = build(events, reports.iloc[:0])
    assert none.filter(like="risk").to_numpy().max() <= Spec().prior_rate
    strange = reports.assign(event_id=reports["event_id"] + 10_000)
    pd.testing.assert_frame_equal(build(events, strange), none)
    pd.testing.assert_frame_equal(planted_leak(events, strange), none)


def test_a_category_with_an_apostrophe_has_its_code(logs):
    events, reports = logs(np.random.default_rng(9), 30)
    events["category"] = "men's wear"
    spec = Spec(categories=("shoes", "men's wear"))
    assert (build(events, reports, spec=spec)["category"] == 1).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda events: events.drop(columns="card_id"), "column 'card_id'"),
        (lambda events: events.assign(amount_cents=events["amount_cents"] / 100),
         "events, column 'amount_cents' must be of whole numbers, got float64; pass whole seconds, cents and ids."),
        (lambda events: events.assign(event_id=events["event_id"].clip(upper=12)),
         "events, row 3: event_id must be of no other row, got 12; drop the copy."),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_refused(logs, change, message):
    events, reports = logs(np.random.default_rng(10), 30)
    with pytest.raises(ContractError) as refused:
        build(change(events), reports)
    assert message in str(refused.value)


def test_a_report_twice_is_refused(logs):
    events, reports = logs(np.random.default_rng(10), 30)
    with pytest.raises(ContractError, match=r"^reports, row \d: event_id must be of no other row, got "):
        build(events, pd.concat([reports, reports]))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"prior": -1}, "Spec.prior must be above 0, got -1; 100 events is a start."),
        ({"prior_rate": 2}, "Spec.prior_rate must be in [0, 1], got 2; divide percentages by 100."),
    ],
)
def test_a_spec_that_is_none_is_refused(given, message):
    with pytest.raises(ContractError) as refused:
        Spec(**given)
    assert str(refused.value) == message


def test_every_frame_of_the_query_ends_before_the_rows_own_second():
    query = feature_query(Spec())
    frames = query.count("RANGE BETWEEN")
    assert frames == query.count("AND 1 PRECEDING") == 4 + 1 + 5 + 4 + 2
    assert len(FEATURES) == len(set(FEATURES)) and set(feature_spec.KEYS) == {"card", "merchant", "device"}
