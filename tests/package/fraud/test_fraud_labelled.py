"""What the bank knows of labels at a second: against a loop over events, and with the future scrambled."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.fraud.labelled import known_labels, report_delays, sample_rows
from casebook.fraud.reports import DELAY_SPREAD
from casebook.fraud.world import DAY

NOW = 30 * DAY + 5_000


@pytest.fixture(scope="module")
def tables(recorded_run):
    return recorded_run[0].tables


def by_hand(tables, at, answers):
    """Label events one by one."""
    told = {row.event_id for row in tables["reports"].itertuples() if row.reported_at < at}
    denied = {row.event_id for row in tables["answers"].itertuples() if row.at < at and row.answer == "deny"}
    outcome = dict(zip(tables["decisions"]["event_id"], tables["decisions"]["outcome"], strict=True))
    labels = []
    for row in tables["events"].itertuples():
        if row.at >= at:
            break
        if row.event_id in told or (answers and row.event_id in denied):
            labels.append(1)
        else:
            labels.append(0 if outcome[row.event_id] == "passed" else None)
    return labels


@pytest.mark.parametrize("answers", [False, True])
def test_labels_are_those_of_a_loop(tables, answers):
    found = known_labels(tables, NOW, answers=answers)
    expected = pd.Series(by_hand(tables, NOW, answers), dtype="Int8")
    assert {1, 0} <= set(expected.dropna()) and expected.isna().any()
    pd.testing.assert_series_equal(found, expected, check_index=False, check_names=False)
    assert (found.index == tables["events"]["event_id"].iloc[: len(found)]).all()


@pytest.mark.parametrize("answers", [False, True])
def test_nothing_after_the_second_enters(tables, answers):
    rng = np.random.default_rng(0)
    late = tables["reports"]["reported_at"] >= NOW
    assert late.any()
    scrambled = tables["reports"].copy()
    scrambled.loc[late, "event_id"] = rng.permutation(len(tables["events"]))[: late.sum()]
    scrambled.loc[late, "reported_at"] += rng.integers(0, 9 * DAY, late.sum())
    asked_late = tables["answers"]["at"] >= NOW
    turned = tables["answers"].assign(answer=tables["answers"]["answer"].astype(str))
    turned.loc[asked_late, "answer"] = "deny"
    happened_late = (tables["events"]["at"] >= NOW).to_numpy()
    outcomes = tables["decisions"].assign(outcome=tables["decisions"]["outcome"].astype(str))
    outcomes.loc[happened_late, "outcome"] = "declined"
    other = tables | {"reports": scrambled, "answers": turned, "decisions": outcomes}
    pd.testing.assert_series_equal(
        known_labels(tables, NOW, answers=answers), known_labels(other, NOW, answers=answers)
    )


def test_a_label_once_known_stays(tables):
    early = known_labels(tables, 20 * DAY)
    late = known_labels(tables, 44 * DAY).loc[early.index]
    assert (late[early == 1] == 1).all()
    assert (early.isna() == late.isna()).all()
    assert (late == 1).sum() > (early == 1).sum()


def test_what_did_not_pass_has_no_label(tables):
    labels = known_labels(tables, 45 * DAY)
    passed = (tables["decisions"]["outcome"] == "passed").to_numpy()
    assert (labels.notna().to_numpy() == passed).all()
    with_answers = known_labels(tables, 45 * DAY, answers=True)
    more = with_answers.notna().to_numpy() & ~passed
    assert more.any() and (with_answers[more] == 1).all()


def test_days_cut_the_table_and_nothing_else(tables):
    whole, part = known_labels(tables, NOW), known_labels(tables, NOW, first_day=10, last_day=12)
    pd.testing.assert_series_equal(part, whole.loc[part.index])
    day = tables["events"]["at"].to_numpy()[part.index] // DAY
    assert set(day) == {10, 11, 12}
    assert len(known_labels(tables, NOW, first_day=30, last_day=30)) < len(known_labels(tables, 31 * DAY, first_day=30))


def test_bad_tables_are_refused(tables):
    with pytest.raises(
        ContractError, match=r"^tables must be a mapping with a table 'reports', got 'events', 'decisions'; "
    ):
        known_labels({name: tables[name] for name in ("events", "decisions")}, NOW)
    with pytest.raises(ContractError, match=r"^decisions must be row by row as events, got other ids; "):
        known_labels(tables | {"decisions": tables["decisions"].iloc[::-1]}, NOW)
    with pytest.raises(
        ContractError, match=r"^events must be a table with events before second 0 on days 0 on, got none; "
    ):
        known_labels(tables, 0)
    with pytest.raises(ContractError, match="column 'outcome'"):
        known_labels(tables | {"decisions": tables["decisions"].drop(columns="outcome")}, NOW)


def test_no_reports_yet_are_no_frauds(tables):
    quiet = tables | {"reports": tables["reports"].iloc[:0]}
    assert (known_labels(quiet, NOW).dropna() == 0).all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([0, 0, 0, 0, 1, None]), min_size=30, max_size=200),
    st.floats(0.05, 1.0),
    st.integers(0, 9),
)
def test_a_sample_keeps_every_fraud_and_states_its_share(y, keep, seed):
    column = pd.Series(y, dtype="Int8")
    others = int((column == 0).sum())
    if not (column == 1).any() or round(keep * others) == 0:
        return
    rows, kept = sample_rows(column, np.random.default_rng(seed), keep)
    assert (np.diff(rows) > 0).all()
    assert column.iloc[rows].notna().all()
    assert set(np.flatnonzero((column == 1).fillna(False))) <= set(rows)
    assert kept == pytest.approx((len(rows) - (column == 1).sum()) / others)
    assert abs(kept - keep) <= 0.5 / others + 1e-12


def test_the_others_are_drawn_at_random():
    y = np.zeros(2_000, np.int8)
    y[::100] = 1
    rows, _ = sample_rows(y, np.random.default_rng(0), 0.5)
    other = rows[y[rows] == 0]
    assert abs(np.mean(other < 1_000) - 0.5) < 0.05  # sd 0.011
    assert (sample_rows(y, np.random.default_rng(1), 0.5).rows != rows).any()


def test_bad_samples_are_refused():
    with pytest.raises(
        ContractError, match=r"^keep must be above 0 and at most 1, got 5; give the share of rows to keep\.$"
    ):
        sample_rows([0, 1], np.random.default_rng(0), 5)
    with pytest.raises(ContractError, match=r"got 0 frauds and 1 others; take more days, or keep more\.$"):
        sample_rows([0, 0, None], np.random.default_rng(0), 0.5)


def test_the_delay_is_recovered_from_what_has_come_by_then():
    rng = np.random.default_rng(3)
    at = np.sort(rng.integers(0, 80 * DAY, 6_000))
    heard = at + (7 * DAY * np.exp(DELAY_SPREAD * rng.standard_normal(6_000))).astype(np.int64)
    tables = {
        "events": pd.DataFrame({"event_id": np.arange(6_000), "at": at}),
        "reports": pd.DataFrame({"event_id": np.arange(6_000), "reported_at": heard}),
    }
    curve = report_delays(tables, 80 * DAY).set_index("days")
    # within six weeks, that is 95 percent of all: half of them within seven days
    assert curve["known"][7] == pytest.approx(0.5 / 0.95, abs=0.025)
    assert curve["naive"][7] > curve["known"][7] + 0.03
    scrambled = tables["reports"].assign(reported_at=np.where(heard < 80 * DAY, heard, heard + 9 * DAY))
    pd.testing.assert_frame_equal(curve, report_delays(tables | {"reports": scrambled}, 80 * DAY).set_index("days"))


def test_no_report_yet_is_said(tables):
    with pytest.raises(
        ContractError, match=r"^reports must be a table with a report before second 1, got none; ask later\.$"
    ):
        report_delays(tables, 1)
