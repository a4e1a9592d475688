"""The truth: total and direct effects, by cohort, by day, at launch; special cases collapse into each other."""

import numpy as np
import pytest
from scipy.optimize import brentq

from casebook.contracts import ContractError
from casebook.feed.creators import draw_creators
from casebook.feed.lifts import expected_fading, learnt
from casebook.feed.simulate import simulate
from casebook.feed.tables import user_table
from casebook.feed.world import METRICS, Design, World

EXACT = 1e-9
N = 5_000


def truth_of(design=None, seed=0, n=N, **settings):
    return simulate(World(**settings), n, np.random.default_rng(seed), design).truth


def test_without_interference_total_direct_launch_and_contrast_are_one():
    truth = truth_of(effect=0.03)
    got = [truth.total().relative, truth.direct().relative, truth.launch().relative, truth.contrast()]
    assert got == pytest.approx([0.03] * 4, abs=EXACT)


@pytest.mark.parametrize("metric", METRICS)
def test_each_metric_has_its_own_effects(metric):
    truth = truth_of(effect=0.1, click_effect=0.2, like_effect=-0.1, hide_effect=0.3, load_effect=0.05)
    more = {"sessions": 1.0, "clicks": 1.1 * 1.2, "likes": 1.1 * 0.9, "hides": 1.1 * 1.3, "load_ms": 1.05}.get(
        metric, 1.1
    )
    for change in (truth.total(metric), truth.direct(metric), truth.launch(metric=metric)):
        assert change.new / change.old == pytest.approx(more, abs=EXACT)


def test_spillover_makes_the_total_and_is_not_in_the_direct_effect():
    truth = truth_of(effect=0.1, spillover=0.5)
    friendless = 0.5 * 0.1 * 0.05  # one in fifty or so has no friends
    assert truth.total().relative == pytest.approx(0.15, abs=friendless)
    assert truth.direct().absolute / truth.total().old == pytest.approx(0.1, abs=EXACT)
    assert truth.contrast() == pytest.approx(truth.direct().relative, abs=0.003)


@pytest.mark.slow
def test_clusters_bring_part_of_the_spillover_into_the_contrast_and_more_where_friends_keep_together():
    gaps = []
    for modularity in (0.2, 0.5, 0.8):
        design = Design(new=0.5, control=0.5, unit="cluster")
        truth = truth_of(design, n=6_000, effect=0.1, spillover=0.6, modularity=modularity)
        gaps.append(truth.total().relative - truth.contrast())
    users = truth_of(Design(new=0.5, control=0.5), n=6_000, effect=0.1, spillover=0.6)
    assert gaps == sorted(gaps, reverse=True)
    assert 0 < gaps[2] < gaps[0] < users.total().relative - users.contrast()


@pytest.mark.parametrize("share", [0.3, -0.3])
def test_one_log_hides_or_adds_a_share_of_the_effect(share):
    truth = truth_of(effect=0.1, symbiosis=share)
    assert truth.total().relative == pytest.approx(0.1, abs=EXACT)
    assert truth.direct().absolute / truth.total().old == pytest.approx(0.1 * (1 - share), abs=EXACT)


def test_diverted_logs_mend_it_but_for_the_appetite():
    diverted = Design(log="diverted")
    assert truth_of(diverted, effect=0.1, symbiosis=0.6).contrast() == pytest.approx(0.1, abs=EXACT)
    assert truth_of(diverted, effect=0.1, symbiosis=0.6, appetite=0.2).contrast() == pytest.approx(0.08, abs=EXACT)
    assert truth_of(effect=0.1, appetite=0.2).contrast() == pytest.approx(0.1, abs=EXACT)


def test_a_test_of_all_users_learns_from_the_new_log():
    assert learnt(World(symbiosis=0.5), Design(new=0.999, control=0.001))["test_new"] == pytest.approx(1, abs=1e-3)


def test_creators_come_on_top_of_a_launch_and_into_both_arms_of_a_test():
    truth = truth_of(effect=0.1, creators=0.6)
    assert truth.total().relative > 0.1
    assert truth.launch(180).relative > truth.launch(30).relative > truth.total().relative
    assert truth.contrast() == pytest.approx(0.1, abs=1e-3)


def test_supply_agrees_with_a_root_finder():
    world = World(creators=0.7, response=0.5, reallocation=0.3)
    creators = draw_creators(10_000, np.random.default_rng(1))

    def excess(gain):
        posts = creators.exposure(world, 0.4, 0.1 + gain) ** world.response
        return world.creators * (creators.popularity @ posts - 1) - gain

    assert creators.supply(world, 0.4, 0.1) == pytest.approx(brentq(excess, -0.5, 0.5), abs=1e-10)


def test_a_ranker_that_moves_exposure_leaves_its_sum():
    creators = draw_creators(10_000, np.random.default_rng(2))
    moved = creators.popularity * creators.exposure(World(reallocation=0.6), 1.0, 0.0)
    assert moved.sum() == pytest.approx(1.0)
    assert creators.tilt[creators.popularity.argmin()] > 0 > creators.tilt[creators.popularity.argmax()]


def test_expected_fading_agrees_with_played_sessions():
    rng, factors = np.random.default_rng(3), np.array([1.0, 0.5, 1.2, 0.0, 1.0, 1.0])
    sessions = rng.poisson(0.6 * factors * (np.arange(6) >= 1), (200_000, 6))
    first = (sessions > 0).argmax(axis=1)
    age = np.maximum(np.arange(6) - first[:, None], 0)
    days = [1, 2, 4, 5]
    played = (sessions * 0.5 ** (age / 2.0)).mean(axis=0)[days] / sessions.mean(axis=0)[days]
    want = expected_fading(np.array([0.6]), factors, np.array([1]), 2.0)[0, days]
    np.testing.assert_allclose(want, played, atol=0.01)


def test_novelty_is_gone_and_primacy_complete_half_a_year_on():
    truth = truth_of(effect=0.02, novelty=0.1, primacy=0.03)
    assert truth.total().relative > 0.03
    assert truth.launch(180).relative == pytest.approx(0.02, abs=5e-4)
    assert truth.launch(13).relative > truth.launch(30).relative


def test_a_slow_primacy_outlasts_a_holdback_of_thirty_days():
    truth = truth_of(effect=0.05, primacy=0.05, primacy_half_life=40.0)
    assert truth.launch(30).relative < 0.03 < 0.04 < truth.launch(180).relative


def test_days_add_up_to_the_total_and_decay():
    truth = truth_of(effect=0.02, novelty=0.1)
    days = truth.by_day()
    assert len(days) == 14
    assert days["total"].min() < truth.total().relative < days["total"].max()
    assert days["total"].iloc[0] == pytest.approx(0.12, abs=EXACT)
    assert (np.diff(days["total"]) < 0).all()


def test_cohorts_differ_and_the_mean_stays():
    truth = truth_of(effect=0.01, cohort_gap=0.2)
    cohorts = truth.by_cohort().set_index("cohort")
    assert truth.total().relative == pytest.approx(0.01, abs=1e-4)  # who signs up in the test meets other weekdays
    assert cohorts.loc["new", "total"] == pytest.approx(0.21, abs=EXACT)
    assert cohorts.loc["casual", "total"] == pytest.approx(cohorts.loc["power", "total"], abs=EXACT)
    assert cohorts.loc["casual", "total"] < 0.01
    assert cohorts["persons"].sum() == N


def test_an_unmended_crash_loses_the_slow_phones_at_launch():
    truth = truth_of(effect=0.02, crash=0.5)
    gone = (truth.people.visits * truth.people.depth * truth.arms.crash).sum()
    share = gone / (truth.people.visits * truth.people.depth).sum()
    assert truth.launch().relative == pytest.approx(0.02, abs=1e-6)
    assert truth.launch(mended=False).relative == pytest.approx(1.02 * (1 - share) - 1, abs=1e-6)
    assert share > 0.01


@pytest.mark.parametrize("fault", ["bots", "crash", "code_path", "outage", "carry_over"])
def test_what_is_no_part_of_the_ranker_is_in_no_effect(fault):
    truth = truth_of(effect=0.02, **{fault: 0.05})
    assert truth.total().relative == pytest.approx(0.02, abs=EXACT)
    assert truth.contrast() == pytest.approx(0.02, abs=EXACT)


def test_bots_have_no_potential_outcomes():
    truth = truth_of(effect=0.02, bots=0.1)
    assert (truth.potential("all_new")[truth.people.bot] == 0).all()
    assert truth.people.bot.sum() > 300


def test_the_contrast_is_what_the_tables_show():
    world = World(effect=0.2, spillover=0.6, symbiosis=0.3)
    feed = simulate(world, 40_000, np.random.default_rng(4), Design(new=0.5, control=0.5))
    users = user_table(feed.tables)
    base = feed.truth.potential("all_old")
    new, control = ((users["arm"] == arm).to_numpy() for arm in ("new", "control"))
    ratio = [users["minutes"].to_numpy()[rows].sum() / base[rows].sum() for rows in (new, control)]
    assert ratio[0] / ratio[1] - 1 == pytest.approx(feed.truth.contrast(), abs=0.03)


def test_twice_the_effect_is_twice_the_truth():
    once, twice = (truth_of(effect=effect, spillover=0.4, symbiosis=0.2) for effect in (0.02, 0.04))
    assert twice.total().absolute == pytest.approx(2 * once.total().absolute)
    assert twice.direct().absolute == pytest.approx(2 * once.direct().absolute)


def test_a_mirrored_effect_mirrors_the_truth():
    settings = {"spillover": 0.4, "novelty": 0.05, "cohort_gap": 0.1}
    up = truth_of(effect=0.02, **settings)
    down = truth_of(effect=-0.02, **settings | {"novelty": -0.05, "cohort_gap": -0.1})
    assert down.total().absolute == pytest.approx(-up.total().absolute)


def test_by_age_starts_at_novelty_and_ends_at_the_effect():
    lift = truth_of(effect=0.02, novelty=0.1, primacy=0.05).by_age(120)["lift"]
    assert lift.iloc[0] == pytest.approx(0.02 + 0.1 - 0.05)
    assert lift.iloc[-1] == pytest.approx(0.02, abs=1e-4)


@pytest.mark.parametrize(
    ("ask", "text"),
    [
        (
            lambda t: t.potential("launch"),
            "regime must be one of all_old, all_new, test_old, test_new, got 'launch'; name one of them.",
        ),
        (
            lambda t: t.total("revenue"),
            "metric must be one of sessions, impressions, clicks, likes, hides, minutes, load_ms, got 'revenue'; "
            "name one of them.",
        ),
        (
            lambda t: t.total(cohort="old"),
            "cohort must be one of new, casual, power, got 'old'; name one of them.",
        ),
        (
            lambda t: t.launch(3),
            "day must be 6 or more, for a whole week, got 3; read shorter times from by_day.",
        ),
    ],
)
def test_what_it_does_not_know_it_says_in_one_sentence(ask, text):
    with pytest.raises(ContractError) as error:
        ask(truth_of())
    assert str(error.value) == text


def test_an_outage_does_not_touch_the_truth():
    base, worse = (simulate(World(effect=0.02, outage=size), N, np.random.default_rng(6)) for size in (0.0, 0.5))
    assert base.truth.total() == worse.truth.total()
    sessions = [feed.tables["daily"].groupby(["arm", "day"])["sessions"].sum()["new", 9] for feed in (base, worse)]
    assert sessions[1] < 0.8 * sessions[0]
