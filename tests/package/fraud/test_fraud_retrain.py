"""Models in force and their refits: the future is not used, equal schedules are equals, gains are counted right."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.fraud import plays_retrain, retrain
from casebook.fraud.evaluate import average_precision
from casebook.fraud.in_force import COLUMNS, MOST_WEIGHT, InForce, Schedule, standing_for
from casebook.fraud.retrain import Played, gain, play_schedules
from casebook.fraud.simulate import simulate
from casebook.fraud.world import DAY, World

WORLD, CARDS, DAYS = World(prevalence=0.03, delay_days=3.0), 400, 30
SHORT = Schedule(start=18, window=14)


def run(every, days=DAYS, seed=1, **other):
    policy = InForce(replace(SHORT, every=every, **other), np.random.default_rng(seed))
    return simulate(WORLD, CARDS, days, np.random.default_rng(0), policy), policy


@pytest.fixture(scope="module")
def weekly():
    """Play a small bank that refits weekly."""
    return run(7)


@pytest.fixture(scope="module")
def never():
    """Play the same bank without refits."""
    return run(0)


def test_all_passes_before_the_start_and_is_scored_after_it(weekly):
    played, policy = weekly
    scored = policy.scored(played.tables)
    before = scored["at"] < SHORT.start * DAY
    assert (scored.loc[before, "action"] == 0).all() and scored.loc[before, "p"].isna().all()
    assert scored.loc[~before, "p"].between(0, 1).all() and (scored.loc[~before, "action"] > 0).any()
    assert [day for day, _ in policy.models] == [18, 25]


def test_actions_follow_scores_and_the_days_cuts(weekly):
    played, policy = weekly
    scored = policy.scored(played.tables)
    for (day, model), end in zip(policy.models, (25, DAYS), strict=True):
        rows = scored[scored["at"].between(day * DAY, end * DAY - 1)]
        wanted = np.select([rows["p"] > model.block, rows["p"] > model.push], [3, 1], 0)
        assert (rows["action"] == wanted).all()


def test_a_longer_world_changes_no_earlier_score(weekly):
    _, policy = weekly
    shorter, other = run(7, days=27)
    short = other.scored(shorter.tables)
    long = policy.scored(weekly[0].tables).iloc[: len(short)]
    pd.testing.assert_frame_equal(long, short)


def test_a_schedule_changes_nothing_before_its_second_fit(weekly, never):
    scores = [policy.scored(played.tables) for played, policy in (weekly, never)]
    early = [frame[frame["at"] < 25 * DAY] for frame in scores]
    pd.testing.assert_frame_equal(*early)
    assert not np.allclose(*(frame["p"].to_numpy()[len(early[0]) : len(early[0]) + 200] for frame in scores))


def test_a_fit_is_to_known_labels_of_the_window_alone():
    seen = []

    def spy(x, y, weight, rng):
        seen.append((len(y), int(y.sum()), weight.max(), x.shape[1]))
        return lambda values: np.full(len(values), 0.5)

    policy = InForce(SHORT, np.random.default_rng(1), spy)
    played = simulate(WORLD, CARDS, 19, np.random.default_rng(0), policy)
    at, told = played.tables["events"]["at"].to_numpy(), played.tables["reports"]
    heard = told[told["reported_at"] < 18 * DAY]["event_id"].to_numpy()
    window = (at >= 4 * DAY) & (at < 18 * DAY)
    frauds = int((at[heard] >= 4 * DAY).sum())
    ((rows, known, weight, columns),) = seen
    assert known == frauds and rows == frauds + round((window.sum() - frauds) / 20)
    assert 1 < weight <= MOST_WEIGHT and columns == len(COLUMNS)


def test_a_young_fraud_stands_for_those_not_reported_yet():
    at = np.zeros(40, np.int64)
    when = np.arange(1, 41) * DAY  # one report a day for forty days
    tables = {
        "events": pd.DataFrame({"event_id": np.arange(41), "at": np.append(at, 90 * DAY)}),
        "reports": pd.DataFrame({"event_id": np.arange(40), "reported_at": when}),
    }
    weight = standing_for(tables, 100 * DAY, np.array([0, 40]))
    assert weight == pytest.approx([1.0, 4.0])  # ten of forty after ten days


def test_the_score_undoes_the_sampling(never):
    played, policy = never
    scored = policy.scored(played.tables)
    passed = scored["p"].notna() & (scored["action"] == 0)
    fraud = played.truth.events["fraud"].to_numpy()[passed]
    assert 0.3 < scored.loc[passed, "p"].sum() / (WORLD.reported * fraud.sum()) < 1.5  # 20 times as much without


def test_schedules_meet_the_same_bank_and_are_judged_on_the_days_in_force(never):
    seeds = np.random.default_rng(4).integers(2**62, size=2)
    got = play_schedules(WORLD, CARDS, DAYS, np.random.default_rng(4), SHORT, {"one": 0, "same": 0})
    assert got["one"] == got["same"]
    policy = InForce(SHORT, np.random.default_rng(int(seeds[1])))
    played = simulate(WORLD, CARDS, DAYS, np.random.default_rng(int(seeds[0])), policy)
    money = played.money[played.money["day"] >= 18]
    assert got["one"].cost == pytest.approx(money["loss"].sum() + money["friction"].sum())
    assert got["one"].caught == pytest.approx(1 - money["passed"].sum() / money["attempts"].sum())
    after = played.tables["events"]["at"] >= 18 * DAY
    truth, p = played.truth.events["fraud"][after], policy.scored(played.tables)["p"][after]
    assert got["one"].ap == pytest.approx(average_precision(truth, p))


def test_gain_by_hand():
    cheap = Played(60.0, 50.0, 10.0, 0.5, 0.7, 100, 30, 1)
    got = gain({"a": cheap, "b": replace(cheap, cost=80.0, ap=0.25, caught=0.5)}, "a", "b")
    assert got == pytest.approx({"saved": 0.25, "ap": 0.25, "caught": 0.2})
    with pytest.raises(ContractError, match=r"names out of \['a'\], got 'b'; name schedules that were played"):
        gain({"a": cheap}, "a", "b")


def test_the_map_counts_every_world():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"speed": rng.random(40), "delay_days": np.exp(rng.uniform(0, np.log(45), 40))})
    frame["saved_daily_weekly"] = np.where(frame["speed"] > 0.5, 0.1, -0.1)
    table = plays_retrain.retraining_map(frame, "saved_daily_weekly")
    assert table["n"].sum() == 40
    assert table["share_positive"].tolist() == [0.0, 0.0, 1.0, 1.0]


def test_a_play_returns_the_same_names_and_finite_numbers(monkeypatch):
    for name, value in (("CARDS", 300), ("DAYS", 17), ("PREVALENCE", 0.03)):
        monkeypatch.setattr(plays_retrain, name, value)
    monkeypatch.setattr(retrain, "START", 14)
    monkeypatch.setattr(retrain, "WINDOW", 14)
    row = plays_retrain.play_retrain({"speed": 0.5, "delay_days": 2.0}, np.random.default_rng(0))
    assert {f"{what}_{pair}" for what in ("saved", "ap", "caught") for pair in plays_retrain.PAIRS} <= set(row)
    assert np.isfinite(list(row.values())).all()
    assert row["saved_weekly_never"] == 0.0  # three days: no second weekly fit yet


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": 0}, "Schedule, start must be 1 or more, got 0; leave days from which to learn"),
        ({"window": 3}, "Schedule, window must be 7 or more, got 3; leave days"),
        ({"block": 0.2, "push": 0.1}, "Schedule, block and push must be shares with block at most push, got 0.2 and"),
    ],
)
def test_refusals(settings, message):
    with pytest.raises(ContractError, match=message):
        Schedule(**settings)


def test_a_world_that_ends_too_early_is_refused():
    with pytest.raises(ContractError, match="days after the start, and a schedule, got 18 days with the start on day"):
        play_schedules(WORLD, CARDS, 18, np.random.default_rng(0), SHORT)


def test_another_runs_tables_are_refused(weekly, never):
    with pytest.raises(ContractError, match=r"tables must be of the policy's own run of .* events"):
        weekly[1].scored({name: table.iloc[:-5] for name, table in never[0].tables.items()})
