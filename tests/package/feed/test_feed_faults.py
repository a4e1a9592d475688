"""Each fault alone moves the statistic that shows it and no other; in a sound test nothing moves."""

import numpy as np
import pytest
from scipy.stats import kstest, norm

from casebook.experiments import srm
from casebook.feed.arms import draw_arms
from casebook.feed.graph import draw_communities
from casebook.feed.people import draw_people
from casebook.feed.simulate import simulate
from casebook.feed.tables import user_table
from casebook.feed.world import ARMS, FAULTS, PLATFORMS, Design, World, faults_of, null_world

QUIET, LOUD = 4.0, 4.5  # a standard normal is beyond 4 once in 16,000 times; some 200 are looked at here
TWO = Design(new=0.4, control=0.4)
N = 40_000


def z(a, b):
    return (a.mean() - b.mean()) / np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))


def signs(feed):
    users, design = user_table(feed.tables), feed.design
    arm = {name: users[users["arm"] == name] for name in ARMS}
    new, control = arm["new"], arm["control"]
    shares = [design.new, design.control, 1 - design.new - design.control]
    came = {name: frame[frame["sessions"] > 0] for name, frame in arm.items()}
    counts = srm([len(frame) for frame in arm.values()], shares)
    return {
        "counts": norm.isf(max(counts.p, 1e-300) / 2),
        "before": z(new["minutes_before"], control["minutes_before"]),
        "minutes": z(new["minutes"], control["minutes"]),
        "load": z(came["new"]["load_ms"], came["control"]["load_ms"]),
        "hides": z(*(frame["hides"] / frame["impressions"].clip(lower=1) for frame in (came["new"], came["control"]))),
        "rest": z(came["rest"]["impressions"] / came["rest"]["sessions"], depth(came["control"])),
        **by_day(feed),
        "cohort": by_cohort(came),
        "automata": ((users["impressions"] > 1_000) & (users["minutes"] < 0.1 * users["impressions"])).sum(),
        "friends": friends(feed, control),
        "tilt": tilt(feed.tables["creators"]),
    }


def depth(frame):
    return frame["impressions"] / frame["sessions"]


def log_ratio(a, b):
    """Log of the ratio of two means, and its standard error by the delta method."""
    error = np.sqrt(sum(part.var(ddof=1) / len(part) / part.mean() ** 2 for part in (a, b)))
    return np.log(a.mean() / b.mean()), error


def by_day(feed):
    daily = feed.tables["daily"].assign(depth=lambda t: t["impressions"] / t["sessions"])
    new, control = (daily[daily["arm"] == name] for name in ("new", "control"))
    early, late = daily["days_since_exposure"] < 2, daily["days_since_exposure"] >= 7
    first, after = (log_ratio(new.loc[rows, "depth"], control.loc[rows, "depth"]) for rows in (early, late))
    sizes = daily.groupby(["arm", "day"]).size()
    world = World()
    bad, good = (sum(sizes[a, d] for a in ("new", "control")) for d in (world.blackout_day, world.blackout_day - 7))
    split = [sizes["new", world.outage_day], sizes["control", world.outage_day]]
    usual = [len(new), len(control)]
    gap = split[0] / split[1] / (usual[0] / usual[1]) - 1
    return {
        "passing": (first[0] - after[0]) / np.hypot(first[1], after[1]),
        "everyone": (bad - good) / np.sqrt(bad + good),
        "one_day": gap / np.sqrt(1 / split[0] + 1 / split[1]),
    }


def by_cohort(came):
    parts = [
        [depth(frame[(frame["cohort"] == "new") == is_new]) for frame in (came["new"], came["control"])]
        for is_new in (True, False)
    ]
    gaps = [a.mean() - b.mean() for a, b in parts]
    spread = sum(part.var(ddof=1) / len(part) for pair in parts for part in pair)
    return (gaps[0] - gaps[1]) / np.sqrt(spread)


def friends(feed, control):
    """Correlation of a control user's depth with the share of friends on the new ranker, as z."""
    edges, arms = feed.tables["friendships"], feed.tables["assignment"].set_index("user_id")["arm"]
    on = (arms == "new").reindex(feed.tables["users"]["user_id"], fill_value=False).to_numpy().astype(float)
    a, b = edges["user_a"].to_numpy(), edges["user_b"].to_numpy()
    sums = np.bincount(a, on[b], len(on)) + np.bincount(b, on[a], len(on))
    degree = np.bincount(a, minlength=len(on)) + np.bincount(b, minlength=len(on))
    rows = control[(control["sessions"] > 0).to_numpy() & (degree[control["user_id"]] > 0)]
    share = (sums / np.maximum(degree, 1))[rows["user_id"]]
    return np.corrcoef(depth(rows), share)[0, 1] * np.sqrt(len(rows))


def tilt(creators):
    seen = creators[creators["impressions"] > 0]
    share = seen["impressions_new"] / seen["impressions"]
    large = seen["impressions_before"] > seen["impressions_before"].median()
    return z(share[~large], share[large])


# What each fault must show, and what it may show besides: slow phones leave with the crash, and so does their use.
SHOWS = {
    "crash": (0.5, {"counts", "load"}, {"before", "minutes"}),
    "bots": (0.01, {"automata"}, set()),
    "novelty": (0.3, {"minutes", "passing"}, set()),
    "primacy": (0.3, {"minutes", "passing"}, set()),
    "code_path": (0.08, {"rest"}, set()),
    "cohort_gap": (0.4, {"cohort"}, set()),
    "outage": (0.6, {"one_day"}, {"minutes"}),
    "blackout": (0.6, {"everyone"}, set()),
    "hide_effect": (0.5, {"hides"}, set()),
    "load_effect": (0.1, {"load"}, set()),
    "carry_over": (0.15, {"before", "minutes"}, {"passing"}),
    "reallocation": (0.5, {"tilt"}, set()),
    "spillover": (0.8, {"friends", "minutes"}, set()),
}
WAY = {
    "crash": {"load": -1},  # the slow ones are no longer there to be slow
    "novelty": {"minutes": 1, "passing": 1},
    "primacy": {"minutes": -1, "passing": -1},
    "outage": {"one_day": -1},
    "blackout": {"everyone": -1},
    "hide_effect": {"hides": 1},
    "carry_over": {"before": 1, "minutes": 1},
    "reallocation": {"tilt": 1},
    "spillover": {"friends": 1},
}
IN_TRUTH_ONLY = {"symbiosis", "appetite", "creators"}


def test_every_fault_is_tested():
    assert set(SHOWS) | IN_TRUTH_ONLY == set(FAULTS)


@pytest.mark.parametrize("seed", [0, 1])
def test_in_a_null_world_every_finding_vanishes(seed):
    feed = simulate(null_world(), N, np.random.default_rng(seed), TWO)
    assert {name: value for name, value in signs(feed).items() if abs(value) > QUIET} == {}
    assert feed.truth.total().absolute == feed.truth.direct().absolute == feed.truth.launch().absolute == 0
    assert feed.truth.contrast() == 0


@pytest.mark.parametrize("name", SHOWS)
def test_a_fault_moves_what_shows_it_and_nothing_else(name):
    size, must, may = SHOWS[name]
    world = World(effect=0.2 if name == "spillover" else 0.0, **{name: size})
    assert faults_of(world) == (name,)
    found = signs(simulate(world, N, np.random.default_rng(5), TWO))
    for key in must & set(WAY.get(name, {})):
        assert found[key] * WAY[name][key] > 0, key
    assert must <= {key for key, value in found.items() if abs(value) > LOUD}
    assert {key for key, value in found.items() if abs(value) > QUIET} <= must | may


def draw_counts(world, design, seed, n=4_000):
    rng = np.random.default_rng(seed)
    people = draw_people(world, draw_communities(n, rng), design.days, rng)
    arms = draw_arms(world, design, people, None, rng)
    return np.bincount(arms.arm[~arms.lost], minlength=3)


@pytest.mark.slow
def test_srm_p_values_are_uniform_without_the_crash_and_small_with_it():
    shares = [TWO.new, TWO.control, 1 - TWO.new - TWO.control]
    sound = [srm(draw_counts(World(), TWO, seed), shares).p for seed in range(300)]
    broken = [srm(draw_counts(World(crash=0.8), TWO, seed, 40_000), shares).p for seed in range(10)]
    assert kstest(sound, "uniform").pvalue > 0.01
    assert max(broken) < 0.01


@pytest.mark.slow
def test_the_cause_of_the_mismatch_can_be_found_and_reweighting_does_not_mend_it():
    feed = simulate(World(effect=0.0, crash=0.8), 80_000, np.random.default_rng(2), TWO)
    users = user_table(feed.tables)
    p = {
        name: srm(rows["arm"].value_counts()[list(ARMS)], [0.4, 0.4, 0.2]).p for name, rows in users.groupby("platform")
    }
    assert p["slow_phone"] < 1e-20
    assert min(p[name] for name in PLATFORMS[:3]) > 0.001
    slow = users[users["platform"] == "slow_phone"]
    new, control = (slow[slow["arm"] == name]["minutes_before"] for name in ARMS[:2])
    assert z(new, control) > LOUD  # those who are left use more: weights by platform keep that


def test_a_fault_leaves_the_draws_of_the_other_parts_alone():
    sound, faulty = (
        simulate(world, 2_000, np.random.default_rng(3)) for world in (World(), World(novelty=0.1, hide_effect=0.2))
    )
    for name in ("users", "before", "friendships"):
        assert sound.tables[name].equals(faulty.tables[name])
    assert sound.tables["assignment"]["arm"].equals(faulty.tables["assignment"]["arm"])


def test_all_faults_can_be_on_together():
    world = World(**dict.fromkeys(FAULTS, 0.05))
    feed = simulate(world, 5_000, np.random.default_rng(4))
    assert faults_of(world) == FAULTS
    assert np.isfinite(feed.tables["totals"].drop(columns="load_ms")).all(axis=None)
    assert np.isfinite(feed.truth.launch().relative)
