"""Labels with a date against counting by hand, and the refusals' whole text."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.labels import cohorts, mature, outcome, time_split

NAMES = {"key": "unit_id", "at": "at", "happened": "left_on"}
START = pd.Timestamp("2025-01-01")
UNTIL = START + pd.Timedelta(days=100)


def tables(rng, n_units=6, n_events=15):
    days = pd.to_timedelta(rng.integers(0, 101, n_events), unit="D")
    events = pd.DataFrame({"unit_id": rng.integers(0, n_units, n_events), "left_on": START + days})
    grid = pd.MultiIndex.from_product([range(n_units + 1), range(0, 101, 9)], names=["unit_id", "day"]).to_frame(False)
    cases = pd.DataFrame({"unit_id": grid["unit_id"], "at": START + pd.to_timedelta(grid["day"], unit="D")})
    return cases.sample(frac=1, random_state=1), events


def by_hand(cases, events, horizon, count_early=False):
    labels = []
    for unit, at in zip(cases["unit_id"], cases["at"], strict=True):
        end = at + pd.Timedelta(days=horizon)
        seen = any(at < t <= end for t in events.loc[events["unit_id"] == unit, "left_on"])
        known = end <= UNTIL or (count_early and seen)
        labels.append(int(seen) if known else pd.NA)
    return pd.Series(labels, index=cases.index, dtype="Int8", name="y")


def labelled(cases, events, horizon=30, **more):
    return outcome(cases, events, **NAMES, horizon_days=horizon, **{"observed_until": UNTIL, **more})


@given(st.integers(0, 10**6), st.integers(1, 60), st.booleans())
def test_outcome_is_the_count_by_hand(seed, horizon, count_early):
    cases, events = tables(np.random.default_rng(seed))
    expected = by_hand(cases, events, horizon, count_early)
    pd.testing.assert_series_equal(labelled(cases, events, horizon, count_early=count_early), expected)


@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 40))
def test_a_longer_horizon_never_turns_a_1_into_a_0(seed, horizon, more):
    cases, events = tables(np.random.default_rng(seed))
    short, long = labelled(cases, events, horizon), labelled(cases, events, horizon + more)
    both = (short.notna() & long.notna()).to_numpy()
    assert (long.to_numpy()[both] >= short.to_numpy()[both]).all()
    assert not (long.notna() & short.isna()).any()


def test_edges_an_event_at_the_prediction_is_out_and_at_the_horizon_in():
    cases = pd.DataFrame({"unit_id": ["a", "b", "c"], "at": [START] * 3})
    left = [START, START + pd.Timedelta(days=30), START + pd.Timedelta(days=30, seconds=1)]
    events = pd.DataFrame({"unit_id": ["a", "b", "c"], "left_on": left})
    assert labelled(cases, events).tolist() == [0, 1, 0]


def test_early_positives_lift_the_rate_of_the_young():
    rng = np.random.default_rng(0)
    n = 20_000
    at = START + pd.to_timedelta(rng.integers(0, 100, n), unit="D")
    leaves = at + pd.to_timedelta(rng.exponential(100, n), unit="D")
    cases = pd.DataFrame({"unit_id": range(n), "at": at})
    events = pd.DataFrame({"unit_id": range(n), "left_on": leaves}).query("left_on <= @UNTIL")
    truth = 1 - np.exp(-0.3)
    assert labelled(cases, events).mean() == pytest.approx(truth, abs=0.015)  # four standard errors
    assert labelled(cases, events, count_early=True).mean() > truth + 0.03


def test_mature_is_where_outcome_knows_and_types_of_dates_do_not_matter():
    cases, events = tables(np.random.default_rng(2))
    y = labelled(cases, events)
    assert (mature(cases["at"], 30, UNTIL) == y.notna().to_numpy()).all()
    text = cases.assign(at=cases["at"].dt.strftime("%Y-%m-%d"))
    seconds = events.assign(left_on=events["left_on"].astype("datetime64[s]"))
    pd.testing.assert_series_equal(labelled(text, seconds, observed_until=UNTIL.date()), y)
    words = {"unit_id": cases["unit_id"].astype(str).astype("category")}
    named = events.assign(unit_id=events["unit_id"].astype(str).astype("category"))
    pd.testing.assert_series_equal(labelled(cases.assign(**words), named), y)


@given(st.lists(st.integers(0, 200), min_size=5, max_size=60), st.integers(1, 40))
def test_no_training_window_reaches_into_the_test_period(days, horizon):
    at = START + pd.to_timedelta([0, 200, *days], unit="D")
    last, first = START + pd.Timedelta(days=90), START + pd.Timedelta(days=100)
    train, test = time_split(at, train_until=last, test_from=first, horizon_days=horizon)
    assert (at[train] + pd.Timedelta(days=horizon)).max() < at[test].min()
    kept = [(t <= last and t + pd.Timedelta(days=horizon) < first, t >= first) for t in at]
    assert list(zip(train, test, strict=True)) == kept


def test_a_window_that_touches_the_test_period_is_left_out():
    at = ["2025-01-01", "2025-01-02", "2025-02-01"]
    train, test = time_split(at, train_until="2025-01-15", test_from="2025-02-01", horizon_days=30)
    assert (train.tolist(), test.tolist()) == ([True, False, False], [False, False, True])


def test_cohorts_are_a_groupby_of_known_labels():
    cases, events = tables(np.random.default_rng(3))
    y = labelled(cases, events)
    table = cohorts(cases["at"], y)
    for row in table.itertuples():
        mine = y[(cases["at"].dt.to_period("M") == row.cohort).to_numpy()]
        assert (row.n, row.known, row.events) == (len(mine), mine.notna().sum(), mine.sum())
        assert row.rate == pytest.approx(mine.mean() if row.known else np.nan, nan_ok=True)
    assert table["known"].iloc[-1] == 0
    assert len(cohorts(cases["at"], y, every="year")) == 1


def changed(of_cases=None, of_events=None, **more):
    cases = pd.DataFrame({"unit_id": ["a", "b"], "at": ["2025-01-01", "2025-01-02"], **(of_cases or {})})
    events = pd.DataFrame({"unit_id": ["a", "b"], "left_on": ["2025-01-05", "2025-01-09"], **(of_events or {})})
    arguments = {"horizon_days": 30, "observed_until": "2025-12-31", **more}
    return lambda: outcome(cases, events, **NAMES, **arguments)


def on_tables(change_cases=lambda c: c, change_events=lambda e: e):
    cases = pd.DataFrame({"unit_id": ["a"], "at": ["2025-01-01"]})
    events = pd.DataFrame({"unit_id": ["a"], "left_on": ["2025-01-05"]})
    until = "2025-12-31"
    return lambda: outcome(change_cases(cases), change_events(events), **NAMES, horizon_days=30, observed_until=until)


CUT = "cut both tables at observed_until, or move it to the last day that the export covers."
ZONE = "call .dt.tz_convert('UTC').dt.tz_localize(None)."
AWARE = pd.to_datetime(["2025-01-01", "2025-01-02"], utc=True)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            changed(of_events={"left_on": ["2025-01-05", "2026-02-01"]}),
            f"column 'left_on', row 1 must be on or before 2025-12-31 (observed_until), got 2026-02-01; {CUT}",
        ),
        (
            changed(of_cases={"at": ["2026-01-01 12:30", "2025-01-01"]}),
            f"column 'at', row 0 must be on or before 2025-12-31 (observed_until), got 2026-01-01 12:30:00; {CUT}",
        ),
        (
            changed(of_events={"left_on": [pd.Timestamp("2025-01-05"), pd.NaT]}),
            "column 'left_on', row 1 must be a date, got a missing value; drop the rows without a date.",
        ),
        (
            changed(of_cases={"at": ["2025-01-01", "soon"]}),
            "column 'at', row 1 must be a date, got 'soon'; convert the column with pd.to_datetime.",
        ),
        (
            changed(of_cases={"at": [20250101, 20250102]}),
            "column 'at' must be a column of dates, got type int64; convert it with pd.to_datetime.",
        ),
        (
            changed(of_cases={"at": AWARE.as_unit("us")}),
            f"column 'at' must be dates without a time zone, got type datetime64[us, UTC]; {ZONE}",
        ),
        (
            changed(of_cases={"at": pd.PeriodIndex(["2025-01", "2025-02"], freq="M")}),
            "column 'at' must be a column of dates, got type period[M]; call .dt.to_timestamp().",
        ),
        (
            changed(of_cases={"unit_id": ["a", "a"], "at": ["2025-01-01", "2025-01-01"]}),
            "cases, row 1 must be the only row of 'a' at 2025-01-01, got row 0 as well; "
            "call .drop_duplicates(['unit_id', 'at']).",
        ),
        (
            changed(of_events={"unit_id": [1, 2]}),
            "column 'unit_id' must be of one type in both tables, got text in cases and numbers in events; "
            "convert one with .astype.",
        ),
        (
            changed(of_events={"unit_id": ["a", None]}),
            "events, column 'unit_id', row 1 must be a unit's name or number, got a missing value; drop the row.",
        ),
        (changed(horizon_days=0), "horizon_days must be a number of days above 0, got 0; give it in days, such as 30."),
        (
            changed(horizon_days="30"),
            "horizon_days must be a number of days above 0, got '30'; give it in days, such as 30.",
        ),
        (
            changed(observed_until="later"),
            "observed_until must be one date, got 'later'; pass a date such as '2025-12-31'.",
        ),
        (
            changed(observed_until=pd.NaT),
            "observed_until must be one date, got a missing date; pass a date such as '2025-12-31'.",
        ),
        (changed(observed_until=2025), "observed_until must be one date, got int; pass a date such as '2025-12-31'."),
        (
            on_tables(change_events=lambda e: e.head(0)),
            "events must be a table with at least one row, got no rows; check the filter or the join that made it.",
        ),
        (
            on_tables(change_cases=lambda c: c.rename(columns={"at": "At"})),
            "cases must be a table with a column 'at', got 'unit_id', 'At'; rename 'At' to 'at'.",
        ),
        (
            on_tables(change_cases=lambda c: c.to_dict()),
            "cases must be a pandas DataFrame, got dict; wrap it in pd.DataFrame(...).",
        ),
        (
            lambda: time_split(["2025-01-01"], train_until="2025-02-01", test_from="2025-02-01", horizon_days=3),
            "train_until must be before 2025-02-01 (test_from), got 2025-02-01; "
            "move train_until back, or test_from on.",
        ),
        (
            lambda: time_split(["2025-01-30"], train_until="2025-01-31", test_from="2025-02-01", horizon_days=3),
            "at must be a column with a window closed before 2025-02-01 (test_from), got no row left to train on; "
            "move test_from on or shorten the horizon.",
        ),
        (
            lambda: time_split(["2025-01-01"], train_until="2025-01-31", test_from="2025-02-01", horizon_days=3),
            "at must be a column that reaches 2025-02-01 (test_from), got no row left to test on; move it back.",
        ),
        (
            lambda: cohorts(["2025-01-01"], [2]),
            "y, row 0 must be 0, 1 or missing, got 2; take what outcome() returns.",
        ),
        (
            lambda: cohorts(["2025-01-01"], [1], every="day"),
            "every must be one of 'week', 'month', 'quarter', 'year', got 'day'; take one of these.",
        ),
    ],
)
def test_refusals(call, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        call()
