"""The play: the same seed gives the same tables, moments are the dials', and the arms differ by the truth."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, ks_2samp, skew

from casebook.experiments import cuped, difference, intraclass_correlation
from casebook.feed.simulate import simulate, simulate_in_chunks
from casebook.feed.tables import check_tables, user_table
from casebook.feed.world import ARMS, FIRST_DAY, METRICS, Design, World

HALF = Design(new=0.5, control=0.5)
RHO = 0.05  # a correlation of heavy-tailed minutes at 40,000
SURE = 4.0  # standard errors


@pytest.fixture(scope="module")
def feed():
    return simulate(World(), 40_000, np.random.default_rng(0), Design(new=0.3, control=0.3))


@pytest.fixture(scope="module")
def users(feed):
    return user_table(feed.tables)


def test_the_same_seed_gives_the_same_tables():
    first, again = (simulate(World(bots=0.01, crash=0.2), 1_000, np.random.default_rng(7)) for _ in range(2))
    for name, frame in first.tables.items():
        pd.testing.assert_frame_equal(frame, again.tables[name])


def test_arms_have_their_shares(users):
    count = users["arm"].value_counts()
    for name, share in zip(ARMS, (0.3, 0.3, 0.4), strict=True):
        low, high = binom.interval(0.9999, len(users), share)
        assert low < count[name] < high


def test_the_arms_user_days_add_up_to_the_totals(feed, users):
    daily = feed.tables["daily"].groupby("user_id")[["sessions", "impressions", "clicks", "minutes"]].sum()
    both = users[(users["arm"] != "rest") & (users["sessions"] > 0)].set_index("user_id")[daily.columns]
    np.testing.assert_allclose(daily.loc[both.index], both)
    assert len(daily) == len(both)


def test_days_since_exposure_count_from_the_first_session(feed):
    daily, assigned = feed.tables["daily"], feed.tables["assignment"].set_index("user_id")
    first = daily.groupby("user_id")["day"].transform("min")
    assert (daily["days_since_exposure"] == daily["day"] - first).all()
    exposed = assigned["exposed_on"].reindex(daily["user_id"]).to_numpy().astype("M8[D]")
    assert (exposed == FIRST_DAY + first.to_numpy().astype("m8[D]")).all()


def test_who_never_came_has_no_exposure_and_no_minutes(users):
    absent = users["exposed_on"].isna()
    assert 0.01 < absent.mean() < 0.2
    assert (users.loc[absent, ["sessions", "impressions", "minutes"]] == 0).all(axis=None)
    assert (users.loc[~absent, "sessions"] > 0).all()
    assert (users["load_ms"].isna() == absent).all()


def test_nobody_comes_before_signing_up(users):
    late = users[users["signed_up_on"] > FIRST_DAY]
    assert len(late) > 500
    assert (late["minutes_before"] == 0).all()
    seen = late.dropna(subset="exposed_on")
    assert (seen["exposed_on"] >= seen["signed_up_on"]).all()
    assert (late["cohort"] == "new").all()


@pytest.mark.parametrize("column", ["sessions", "impressions", "clicks", "likes", "hides", "minutes", "load_ms"])
def test_totals_of_the_rest_and_of_the_control_have_one_distribution(users, column):
    control, rest = (users.loc[users["arm"] == name, column].dropna() for name in ("control", "rest"))
    assert ks_2samp(control, rest).pvalue > 1e-3


def test_first_days_of_the_rest_and_of_the_control_have_one_distribution(users):
    days = (users["exposed_on"] - pd.Timestamp(FIRST_DAY)).dt.days
    control, rest = (days[users["arm"] == name].dropna() for name in ("control", "rest"))
    shares = [np.bincount(part.astype(int), minlength=14) / len(part) for part in (control, rest)]
    assert np.abs(shares[0] - shares[1]).max() < SURE * np.sqrt(2 * 0.25 / len(control))


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.65, 0.85])
def test_minutes_before_and_during_the_test_correlate_as_asked(rho):
    frame = user_table(simulate(World(effect=0.0, rho=rho), 40_000, np.random.default_rng(1)).tables)
    old = frame[frame["cohort"] != "new"]
    assert np.corrcoef(old["minutes"], old["minutes_before"])[0, 1] == pytest.approx(rho, abs=RHO)


def test_use_is_heavy_tailed_and_more_so_with_the_spread():
    tails = []
    for spread in (0.7, 1.3):
        frame = user_table(simulate(World(spread=spread, rho=0.5), 20_000, np.random.default_rng(2)).tables)
        tails.append(skew(frame["minutes"]))
    assert 2 < tails[0] < tails[1]


def test_impressions_of_one_user_are_alike(users):
    seen = users[users["impressions"] > 0]
    rate = seen["clicks"].sum() / seen["impressions"].sum()
    excess = (seen["clicks"] - rate * seen["impressions"]) ** 2 / (rate * (1 - rate) * seen["impressions"])
    assert excess.mean() > 2  # 1 if impressions were independent


def test_friends_are_alike_as_asked():
    alike = []
    for dial in (0.0, 0.2):
        feed = simulate(World(alike=dial), 20_000, np.random.default_rng(3))
        log_visits = np.log(feed.truth.people.visits)
        alike.append(intraclass_correlation(log_visits, feed.truth.community))
    assert alike[0] == pytest.approx(0.0, abs=0.01)
    assert alike[1] == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize("unit", ["user", "cluster"])
def test_the_unit_of_assignment_is_the_designs(unit):
    feed = simulate(World(), 4_000, np.random.default_rng(4), Design(new=0.3, control=0.3, unit=unit))
    assigned = feed.tables["assignment"]
    if unit == "cluster":
        assert (assigned.groupby("cluster_id")["arm"].nunique() == 1).all()
    else:
        assert "cluster_id" not in assigned


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"effect": 0.1, "click_effect": 0.1, "like_effect": -0.1, "hide_effect": 0.2, "load_effect": 0.1},
        {"effect": 0.0, "novelty": 0.2, "half_life": 3.0},
        {"effect": 0.1, "primacy": 0.2, "primacy_half_life": 5.0},
        {"effect": 0.2, "spillover": 0.5, "symbiosis": 0.4},
        {"effect": 0.2, "creators": 0.7, "cohort_gap": 0.2},
    ],
    ids=str,
)
def test_the_arms_differ_by_the_direct_effect(settings):
    feed = simulate(World(**settings), 40_000, np.random.default_rng(5), HALF)
    frame, truth = user_table(feed.tables), feed.truth
    treated = (frame["arm"] == "new").to_numpy()
    for metric in METRICS:
        rows = frame[metric].notna().to_numpy()
        got = difference(frame.loc[rows, metric], treated[rows])
        want = truth.direct(metric).absolute
        assert abs(got.estimate - want) < SURE * got.se, metric


@pytest.mark.slow
def test_what_each_arm_does_is_what_the_truth_expects():
    world = World(effect=0.1, novelty=0.1, spillover=0.3, creators=0.9, response=0.8, creator_half_life=2.0)
    feed = simulate(world, 40_000, np.random.default_rng(6), Design(new=0.4, control=0.3))
    frame = user_table(feed.tables).set_index("user_id")
    assert feed.truth.lifts.supply["test_old"] > 0.1  # so that an arm without it would stand out
    for arm, regime in (("new", "test_new"), ("control", "test_old"), ("rest", "test_old")):
        rows = (frame["arm"] == arm).to_numpy()
        for metric in ("sessions", "impressions", "clicks", "likes", "hides", "minutes"):
            gap = frame.loc[rows, metric] - feed.truth.potential(regime, metric)[rows]
            assert abs(gap.mean()) < SURE * gap.std() / np.sqrt(rows.sum()), (arm, metric)


@pytest.mark.slow
def test_by_age_novelty_is_what_the_truth_says():
    feed = simulate(World(effect=0.05, novelty=0.4, half_life=3.0), 40_000, np.random.default_rng(7), HALF)
    daily = feed.tables["daily"].assign(depth=lambda t: t["impressions"] / t["sessions"])
    sums = daily.groupby(["arm", "days_since_exposure"])["depth"].agg(["mean", "var", "size"])
    new, control = sums.loc["new"], sums.loc["control"]
    lift = new["mean"] / control["mean"] - 1
    error = sum(np.sqrt(part["var"] / part["size"]) / part["mean"] for part in (new, control)) * (1 + lift)
    want = feed.truth.by_age(14).set_index("days_since_exposure")["lift"]
    assert ((lift - want).abs() < SURE * error).all()
    assert lift[0] > 0.3 > 0.15 > lift[9]


def test_cuped_cuts_the_variance_by_rho_squared(users):
    old = users[(users["cohort"] != "new") & (users["arm"] != "rest")]
    rho = np.corrcoef(old["minutes"], old["minutes_before"])[0, 1]
    adjusted = cuped(old["minutes"], old["minutes_before"], (old["arm"] == "new").to_numpy())
    assert np.var(adjusted) / np.var(old["minutes"]) == pytest.approx(1 - rho**2, abs=1e-3)
    assert 0.3 < rho**2 < 0.55  # the world's rho is 0.65


def test_users_of_the_ramp_join_on_its_day():
    feed = simulate(World(), 20_000, np.random.default_rng(8), Design(ramp_day=5, ramp_from=0.2))
    counts = feed.tables["daily"].groupby(["arm", "day"]).size()
    before, after = (
        counts["new"].loc[days].sum() / counts["control"].loc[days].sum() for days in (range(5), range(5, 14))
    )
    assert before == pytest.approx(0.2, abs=0.06)
    assert after == pytest.approx(1.0, abs=0.15)
    late = feed.tables["assignment"].query("assigned_on >= '2026-03-07' and arm == 'new'")
    assert (late["exposed_on"].dropna() >= late["assigned_on"][late["exposed_on"].notna()]).all()


def test_a_holdback_runs_by_the_same_design():
    feed = simulate(World(), 3_000, np.random.default_rng(9), Design(days=30, new=0.95, control=0.05))
    assert set(feed.tables["assignment"]["arm"]) == {"new", "control"}
    assert feed.tables["daily"]["day"].max() == 29


def test_creators_post_more_when_all_are_on_a_ranker_that_shows_more():
    world = World(effect=0.4, response=0.6, creators=0.1, creator_half_life=7.0)
    few, many = (
        simulate(world, 20_000, np.random.default_rng(10), design).tables["creators"]["posts"].sum()
        for design in (Design(), Design(new=0.95, control=0.05))
    )
    assert many / few > 1.05


def test_who_crashed_is_in_no_table_of_the_test():
    feed = simulate(World(crash=0.8), 10_000, np.random.default_rng(11))
    lost = np.flatnonzero(feed.truth.arms.lost)
    assert len(lost) > 20
    for name in ("assignment", "totals", "daily"):
        assert not np.isin(lost, feed.tables[name]["user_id"]).any()
    assert np.isin(lost, feed.tables["users"]["user_id"]).all()


def test_chunks_are_feeds_of_their_own_with_ids_that_run_on():
    parts = list(simulate_in_chunks(World(), 5_000, np.random.default_rng(12), chunk=2_000))
    ids = np.concatenate([part.tables["users"]["user_id"] for part in parts])
    assert ids.tolist() == list(range(5_000))
    for part in parts:
        check_tables(part.tables)
    assert not parts[0].tables["totals"]["minutes"].equals(parts[1].tables["totals"]["minutes"])
