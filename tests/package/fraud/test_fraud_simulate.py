"""The play: the same seed gives the same tables, no policy changes the honest stream, and the money adds up."""

import numpy as np
import pandas as pd
import pytest

from casebook.fraud.rules import Rules
from casebook.fraud.simulate import simulate
from casebook.fraud.world import ALL_KINDS, DAY, KINDS, REISSUE_DAYS, TACTICS, Friction, World

CENT = 1e-6  # sums of floats in another order
SURE = 4.0  # standard errors
BUSY = World(prevalence=0.02, delay_days=2.0, notice_days=2.0, speed=0.5)


def block_all(morning):
    return np.full(len(morning.events), 3)


def push_all(morning):
    return np.full(len(morning.events), 1)


def at_random(morning):
    return np.random.default_rng(morning.day).integers(4, size=len(morning.events))


def oracle(morning):
    return np.where(morning.fraud, 3, 0)


POLICIES = {"none": None, "block": block_all, "push": push_all, "random": at_random, "rules": Rules()}


def play(policy=None, world=BUSY, days=25, seed=0, cards=500, **more):
    return simulate(world, cards, days, np.random.default_rng(seed), policy, **more)


@pytest.fixture(scope="module")
def runs():
    return {name: play(policy) for name, policy in POLICIES.items()} | {"oracle": play(oracle, sees_truth=True)}


def honest(run):
    rows = ~run.truth.events["fraud"].to_numpy()
    return run.tables["events"][rows].drop(columns="event_id").reset_index(drop=True)


def outcomes(run):
    return run.tables["decisions"]["outcome"].astype(str).to_numpy()


@pytest.mark.parametrize("name", ["none", "rules", "random"])
def test_the_same_seed_gives_the_same_run(runs, name):
    again = play(POLICIES[name])
    for table, frame in runs[name].tables.items():
        pd.testing.assert_frame_equal(frame, again.tables[table])
    pd.testing.assert_frame_equal(runs[name].truth.events, again.truth.events)
    pd.testing.assert_frame_equal(runs[name].money, again.money)


@pytest.mark.parametrize("name", [name for name in POLICIES if name != "none"])
def test_no_policy_changes_the_honest_stream(runs, name):
    pd.testing.assert_frame_equal(honest(runs[name]), honest(runs["none"]))
    twins = [run.truth.events["twin"].to_numpy() for run in (runs[name], runs["none"])]
    np.testing.assert_array_equal(*[twin[twin >= 0] for twin in twins])


@pytest.mark.parametrize("name", POLICIES)
def test_ids_count_the_events_in_the_order_of_time(runs, name):
    events = runs[name].tables["events"]
    assert events["event_id"].tolist() == list(range(len(events)))
    assert (np.diff(events["at"]) >= 0).all()
    assert runs[name].tables["decisions"]["event_id"].tolist() == events["event_id"].tolist()


@pytest.mark.parametrize("name", POLICIES)
def test_the_money_of_the_days_is_the_sum_over_the_truth(runs, name):
    run = runs[name]
    truth, money, out = run.truth.events, run.money, outcomes(run)
    fraud, day = truth["fraud"].to_numpy(), run.tables["events"]["at"].to_numpy() // DAY
    passed = fraud & (out == "passed")
    cents = run.tables["events"]["amount_cents"].to_numpy()
    sums = {
        "events": np.ones(len(truth)),
        "attempts": fraud,
        "passed": passed,
        "loss": truth["loss_dollars"] * passed,
        "friction": truth["friction_dollars"],
        "blocked_dollars": cents / 100 * (fraud & ~passed),
        "saved": truth["loss_dollars"] * (fraud & ~passed),
    }
    for column, values in sums.items():
        np.testing.assert_allclose(money[column], np.bincount(day, values, run.days), atol=CENT)
    np.testing.assert_allclose(money[["push", "call", "block", "stopped"]].sum(axis=1), money["friction"], atol=CENT)


@pytest.mark.parametrize("name", POLICIES)
def test_episodes_add_up_to_the_events(runs, name):
    episodes, truth = runs[name].truth.episodes, runs[name].truth.events
    mine = truth[truth["fraud"]]
    assert episodes["episode_id"].is_unique
    assert episodes["arrived"].sum() == len(mine)
    assert episodes["loss_dollars"].sum() == pytest.approx(runs[name].money["loss"].sum())
    assert (episodes["arrived"] <= episodes["planned"]).all() and (episodes["passed"] <= episodes["arrived"]).all()
    of = episodes.set_index("episode_id").loc[mine["episode_id"]]
    assert (of["kind"].astype(str).to_numpy() == mine["kind"].astype(str).to_numpy()).all()


def test_who_allows_all_has_no_friction_and_who_blocks_all_no_loss(runs):
    assert runs["none"].money["friction"].sum() == 0
    assert set(outcomes(runs["none"])) == {"passed"}
    assert runs["block"].money["loss"].sum() == 0
    assert set(outcomes(runs["block"])) == {"declined", "stopped"}
    assert len(runs["block"].tables["reports"]) == 0


def test_the_oracle_disturbs_honest_holders_only_on_cards_it_stopped(runs):
    run = runs["oracle"]
    assert run.money["loss"].sum() == 0
    out = outcomes(run)[~run.truth.events["fraud"].to_numpy()]
    assert set(out) == {"passed", "stopped"}
    assert run.money["friction"].sum() < runs["rules"].money["friction"].sum()


def test_dearer_friction_never_changes_losses_under_a_fixed_policy(runs):
    costs = Friction(push=9, call=99, block=999, margin=0.5, reissue=99)
    for name in ("rules", "random"):
        dear = play(POLICIES[name], World(**{**vars(BUSY), "costs": costs}))
        np.testing.assert_array_equal(dear.money["loss"], runs[name].money["loss"])
        assert dear.money["friction"].sum() > 2 * runs[name].money["friction"].sum()


def test_a_stopped_card_is_declined_until_a_new_one_comes(runs):
    run = runs["random"]
    decided = run.tables["decisions"]["outcome"].astype(str).to_numpy()
    events = run.tables["events"]
    free = {}
    for card, at, outcome in zip(events["card_id"], events["at"], decided, strict=True):
        day = at // DAY
        assert (outcome == "stopped") == (free.get(card, 0) > day)
        if outcome == "declined":
            free[card] = day + 1 + REISSUE_DAYS
    assert len(free) > 300


def test_a_stopped_card_has_no_further_attempt_of_that_episode_from_the_next_day_on(runs):
    run = runs["random"]
    frame = run.tables["events"][["card_id", "at"]].assign(
        episode=run.truth.events["episode_id"], out=outcomes(run), day=run.tables["events"]["at"] // DAY
    )
    threads = frame[frame["episode"] >= 0].groupby(["card_id", "episode"])["day"].agg(["min", "max"])
    stops = frame[frame["out"] == "declined"].groupby("card_id")["day"].unique()
    for (card, _), (first, last) in threads.iterrows():
        assert not any(first <= day < last for day in stops.get(card, ()))
    assert (threads["max"] > threads["min"]).sum() > 5


def test_an_unstopped_episode_ends_when_it_is_noticed():
    spans = []
    for notice in (0.5, 14.0):
        run = play(world=World(prevalence=0.02, notice_days=notice), days=40)
        frame = run.tables["events"][["card_id", "at"]].assign(episode=run.truth.events["episode_id"])
        mine = frame[run.truth.events["fraud"].to_numpy()].groupby(["episode", "card_id"])["at"].agg(np.ptp)
        spans.append(mine.mean())
    assert spans[0] < 0.3 * DAY and spans[1] > DAY


@pytest.mark.slow
def test_the_share_of_fraud_is_the_prevalence_and_every_kind_has_its_share():
    world, kinds = World(prevalence=0.005, ring_share=0.3), []
    for seed in range(12):
        kind = simulate(world, 2_000, 60, np.random.default_rng(seed)).truth.events["kind"]
        kinds.append([(kind == name).mean() for name in KINDS])
    got, error = np.mean(kinds, axis=0), np.std(kinds, axis=0, ddof=1) / np.sqrt(len(kinds))
    want = world.prevalence * world.shares(0)[: len(KINDS)]
    assert (np.abs(got - want) < SURE * error).all()
    assert got.sum() == pytest.approx(world.prevalence, rel=0.1)


def test_the_novel_kind_appears_on_its_day_and_leaves_the_honest_stream_alone(runs):
    run = play(world=World(**{**vars(BUSY), "novel_share": 0.5, "novel_day": 10}))
    wallet = run.truth.events["kind"].to_numpy() == "wallet"
    day = run.tables["events"]["at"].to_numpy()[wallet] // DAY
    assert day.min() >= 10 and len(day) > 30
    pd.testing.assert_frame_equal(honest(run), honest(runs["none"]))


@pytest.mark.parametrize("speed", [0.0, 0.5])
def test_the_weights_move_with_speed_alone(speed):
    weights = play(world=World(prevalence=0.02, speed=speed)).truth.weights
    assert weights.shape == (25, len(ALL_KINDS), len(TACTICS))
    assert weights.sum(2) == pytest.approx(1.0)
    assert (np.ptp(weights, axis=0).max() > 0.01) == (speed > 0)


def test_a_tactic_that_is_always_stopped_falls_in_the_world():
    def no_large_sums(morning):
        return np.where(morning.fraud & (morning.events["amount_cents"].to_numpy() > 15_000), 3, 0)

    world = World(prevalence=0.03, speed=0.5)
    free = play(world=world, days=60).truth.weights[-1]
    watched = play(no_large_sums, world, days=60, sees_truth=True).truth.weights[-1]
    large = KINDS.index("card_not_present")
    assert watched[large, TACTICS.index("bold")] < 0.7 * free[large, TACTICS.index("bold")]


def test_with_a_still_adversary_the_plans_are_the_same_under_all_policies():
    world = World(prevalence=0.02, speed=0.0)
    free, ruled = (play(policy, world).truth.episodes for policy in (None, at_random))
    columns = ["episode_id", "kind", "tactic", "cards", "planned"]
    pd.testing.assert_frame_equal(free[columns], ruled[columns])
    assert ruled["arrived"].sum() < free["arrived"].sum()


def test_answers_are_those_of_events_that_were_asked_about(runs):
    for name in ("push", "random", "rules"):
        tables = runs[name].tables
        decided = tables["decisions"].iloc[tables["answers"]["event_id"]].reset_index(drop=True)
        assert (decided["action"].isin([1, 2])).all()
        follows = {"confirm": "passed", "deny": "declined", "none": "abandoned"}
        word = tables["answers"]["answer"].astype(str).map(follows)
        assert (word == decided["outcome"].astype(str)).all()
        asked = tables["decisions"]["action"].isin([1, 2]) & (tables["decisions"]["outcome"].astype(str) != "stopped")
        assert asked.sum() == len(tables["answers"])


def traits(events):
    """Return what each of six suspicious traits holds of, over the events of a run."""
    late, seen = (events["at"] > 25 * DAY).to_numpy(), (events["device_id"] >= 0).to_numpy()
    cards = events[seen].groupby("device_id")["card_id"].nunique()
    return {
        "magstripe abroad": ((events["entry"] == "magstripe") & (events["country"] != "US")).to_numpy(),
        "new device": late & seen & ~events.duplicated(["card_id", "device_id"]).to_numpy(),
        "shared device": seen & (events["device_id"].map(cards).to_numpy() >= 6),
        "tiny": ((events["entry"] == "typed") & (events["amount_cents"] < 300)).to_numpy(),
        "transfer": ((events["channel"] == "app") & (events["amount_cents"] > 50_000)).to_numpy(),
        "new country": late & ~events.duplicated(["card_id", "country"]).to_numpy(),
    }


def test_no_single_trait_gives_fraud_away():
    run = simulate(World(prevalence=0.002), 4_000, 75, np.random.default_rng(5))
    fraud = run.truth.events["fraud"].to_numpy()
    for name, has in traits(run.tables["events"]).items():
        assert (has & fraud).sum() > 10, name
        assert (has & fraud).sum() / has.sum() > 1.5 * fraud.mean(), name  # it is a trace
        assert (has & ~fraud).sum() > 5 * (has & fraud).sum(), name  # and no give-away


def test_ids_of_fraudsters_look_as_others_do(runs):
    events, fraud = runs["none"].tables["events"], runs["none"].truth.events["fraud"].to_numpy()
    for name in ("device_id", "ip_id", "address_id"):
        ids = events[name].to_numpy()
        theirs, ours = ids[fraud & (ids >= 0)], ids[~fraud & (ids >= 0)]
        assert ours.min() < np.median(theirs) < ours.max()
        assert np.median(theirs) == pytest.approx(np.median(ours), rel=0.4)
