"""What a run's recorder keeps: the features of the query as the bank had them each midnight, row by row."""

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.fraud.feature_spec import FEATURES
from casebook.fraud.features import build
from casebook.fraud.recorder import Recorded
from casebook.fraud.rules import Rules
from casebook.fraud.simulate import simulate
from casebook.fraud.world import DAY, World

BANK = World(prevalence=0.02, delay_days=2.0)


def played(policy, days=12):
    return simulate(BANK, 300, days, np.random.default_rng(1), policy)


@pytest.mark.parametrize("day", [0, 9, 30, 44])
def test_what_is_kept_is_what_the_query_gives_with_the_reports_of_midnight(recorded_run, day):
    run, recorder = recorded_run
    events, reports = run.tables["events"], run.tables["reports"]
    known = reports[reports["reported_at"] < day * DAY]
    built = build(events[events["at"] < (day + 1) * DAY], known, since=day * DAY)
    kept = recorder.features.loc[built.index[0] : built.index[-1]]
    assert len(built) > 300
    pd.testing.assert_index_equal(kept.index, built.index, exact=False)
    np.testing.assert_allclose(kept.to_numpy(), built.to_numpy(), rtol=1e-6, atol=0)


def test_rows_are_those_of_the_events(recorded_run):
    run, recorder = recorded_run
    kept = recorder.features
    assert list(kept.columns) == list(FEATURES)
    assert (kept.index == run.tables["events"]["event_id"]).all()
    assert set(kept.dtypes) == {np.dtype("float32")}
    assert (kept["amount_cents"] == run.tables["events"]["amount_cents"].to_numpy().astype(np.float32)).all()


def test_it_is_lean(recorded_run):
    _, recorder = recorded_run
    first, second = (recorder.features.to_numpy() for _ in range(2))
    assert np.shares_memory(first, second)
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 1


def test_recording_changes_no_decision():
    plain, watched = played(Rules()), played(Recorded.watching(Rules()))
    for name, table in plain.tables.items():
        pd.testing.assert_frame_equal(table, watched.tables[name])


def test_the_function_decides_on_the_features_it_is_given():
    recorder = Recorded(lambda morning, features: (features["card_count_1h"] > 1).astype(np.int8) * 3)
    run = played(recorder)
    expected = (recorder.features["card_count_1h"] > 1).to_numpy() * 3
    assert expected.any()
    assert (run.tables["decisions"]["action"].to_numpy() == expected).all()


@pytest.mark.parametrize("rows", [0, 10, 100_000])
def test_the_room_that_is_made_does_not_matter(rows):
    kept, other = Recorded(), Recorded(rows=rows)
    played(kept)
    played(other)
    pd.testing.assert_frame_equal(kept.features, other.features)


def test_days_before_the_first_are_seen_but_not_kept():
    whole, late = Recorded(), Recorded(first_day=8)
    run = played(whole)
    played(late)
    start = int(np.searchsorted(run.tables["events"]["at"], 8 * DAY))
    pd.testing.assert_frame_equal(late.features, whole.features.iloc[start:])


def test_it_may_be_read_before_the_end():
    lengths = []

    def decide(morning, features):
        lengths.append(len(recorder.features))
        return np.zeros(len(features), np.int8)

    recorder = Recorded(decide)
    run = played(recorder, days=3)
    assert lengths == np.searchsorted(run.tables["events"]["at"], np.array([1, 2, 3]) * DAY).tolist()


def test_bad_settings_are_refused():
    with pytest.raises(
        ContractError, match=r"^first_day must be 0 or more, got -1; count from the world's first day\.$"
    ):
        Recorded(first_day=-1)
    with pytest.raises(ContractError, match=r"^rows must be 0 or more, got -5; "):
        Recorded(rows=-5)


def test_a_second_run_is_refused():
    recorder = Recorded()
    played(recorder, days=2)
    with pytest.raises(ContractError, match="make a policy for each run"):
        played(recorder, days=2)
