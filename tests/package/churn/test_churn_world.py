"""The world: how many leave and when, whose card fails, and that the dials do what they say."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from casebook.churn.evaluate import once, run, worth
from casebook.churn.latent import base_log_odds as shift_of
from casebook.churn.latent import cancel_chance, draw_months, draw_people, due, failure_chance, kept_share, risk
from casebook.churn.play import nobody
from casebook.churn.simulate import simulate
from casebook.churn.world import FIRST_DAY, MONTHS, TODAY, World
from casebook.experiments.clusters import intraclass_correlation

LOW, HIGH = 0.03, 0.05  # what software companies of this kind lose a month
SURE = 0.999  # of 24 months' intervals at this level, none misses by luck
DRIFT = 0.006  # between the two years: survivors are more loyal, and the standard error is 0.001
VARIANCE = 0.05  # three standard errors of a variance from 20,000 people who come in companies
CORRELATION = 0.03  # four standard errors at 20,000
PEOPLE = 20_000


@pytest.fixture(scope="module")
def company():
    return simulate(World(), 8_000, np.random.default_rng(4))


@pytest.fixture(scope="module")
def months(company):
    """Start, month of leaving, term and reason of everybody, counted from the warehouse's first month."""
    frame = company.tables["customers"].merge(company.tables["cancellations"], how="left")
    frame["start"], frame["left"] = (
        (frame[column].to_numpy().astype("M8[M]") - FIRST_DAY.astype("M8[M]")).astype(float)
        for column in ("signed_up_on", "cancelled_on")
    )
    frame.loc[frame["cancelled_on"].isna(), "left"] = np.inf
    return frame


def here(months, month):
    return months[(months["start"] < month) & (months["left"] >= month)]


def test_three_to_five_percent_leave_in_every_month(months):
    for month in range(MONTHS):
        base = here(months, month)
        interval = binomtest(int((base["left"] == month).sum()), len(base)).proportion_ci(SURE)
        assert interval.high > LOW, month
        assert interval.low < HIGH, month


def test_the_rate_and_the_base_stay_where_they_are(months):
    rates = [(here(months, month)["left"] == month).mean() for month in range(MONTHS)]
    size = [len(here(months, month)) for month in range(MONTHS)]
    first, second = np.mean(rates[:12]), np.mean(rates[12:])
    assert LOW < second <= first + DRIFT
    assert LOW < first < HIGH
    assert abs(first - second) < DRIFT
    assert size[-1] / size[0] == pytest.approx(1.0, abs=0.2)


def test_annual_plans_leave_on_an_anniversary_only_also_by_card(months):
    annual = months[(months["term"] == "annual") & np.isfinite(months["left"])]
    tenure = annual["left"] - annual["start"]
    assert set(annual["reason"]) == {"cancelled", "payment_failed"}
    assert (tenure % 12 == 0).all()
    assert (tenure >= 12).all()
    monthly = months[(months["term"] == "monthly") & np.isfinite(months["left"])]
    assert len(set((monthly["left"] - monthly["start"]) % 12)) == 12


def test_anniversaries_come_in_every_month(company, months):
    annual = (months["term"] == "annual").to_numpy()
    for month in range(MONTHS):
        rows = annual & ((months["start"] < month) & (months["left"] >= month)).to_numpy()
        assert (company.truth.past.failed[rows, month] > 0).mean() > 0.05, month


def test_a_sixth_of_the_leavers_go_by_a_failed_card(months):
    gone = months[np.isfinite(months["left"])]
    by_card = int((gone["reason"] == "payment_failed").sum())
    interval = binomtest(by_card, len(gone)).proportion_ci(SURE)
    assert 0.12 < interval.low < interval.high < 0.22


@pytest.mark.parametrize("annual_share", [0.0, 0.35, 1.0])
def test_the_rate_of_failed_cards_is_the_worlds(annual_share):
    world = World(annual_share=annual_share)
    people = draw_people(world, PEOPLE, 0, 1, np.random.default_rng(0))
    rate = np.mean([np.where(due(people, month), failure_chance(world, people), 0).mean() for month in range(1, 13)])
    # three standard errors of the mean of a lognormal with spread 0.8
    assert rate == pytest.approx(world.failed_cards, rel=0.03)


@pytest.mark.parametrize(("annual_share", "leaving"), [(0.0, 0.03), (0.35, 0.045), (1.0, 0.02)])
def test_the_unselected_rate_of_cancelling_is_the_dial(annual_share, leaving):
    world = World(annual_share=annual_share, leaving=leaving, dogs=0.0)
    rng = np.random.default_rng(1)
    people = draw_people(world, 3 * PEOPLE, 0, 1, rng)
    people = replace(people, start=-120 - rng.integers(0, 12, len(people)))  # nobody is new
    months = draw_months(world, people, 0, 12, rng)
    assert months.p.mean() == pytest.approx(leaving, rel=0.03)


@pytest.mark.parametrize("changing", [0.0, 0.5, 1.0])
def test_the_variance_of_risk_is_one(changing):
    world, rng = World(changing=changing), np.random.default_rng(2)
    people = draw_people(world, PEOPLE, 0, 1, rng)
    months = draw_months(world, people, 0, 6, rng)
    for month in (0, 5):
        assert np.var(risk(world, people, months.health[:, month])) == pytest.approx(1, abs=VARIANCE)


@pytest.mark.parametrize("alignment", [-0.8, 0.0, 0.5, 1.0])
def test_effect_and_alignment_are_recovered_from_the_kept_share(alignment):
    world, rng = World(alignment=alignment, dogs=0.0), np.random.default_rng(3)
    people = draw_people(world, PEOPLE, 0, 1, rng)
    health, calm = rng.normal(size=PEOPLE).astype(np.float32), np.zeros(PEOPLE, dtype=bool)
    kept = kept_share(world, people, health, calm)
    own = norm.ppf(np.clip((kept / world.effect - 1) / 2 + 0.5, 1e-6, 1 - 1e-6))
    standard_error = world.effect / np.sqrt(3 * PEOPLE)
    assert kept.mean() == pytest.approx(world.effect, abs=5 * standard_error)
    assert np.corrcoef(own, risk(world, people, health))[0, 1] == pytest.approx(alignment, abs=CORRELATION)


def test_without_differences_everybody_has_the_same_share_and_a_pull_leaves_little():
    world, rng = World(differing=0.0, dogs=0.0), np.random.default_rng(4)
    people = draw_people(world, 500, 0, 1, rng)
    health = rng.normal(size=500).astype(np.float32)
    calm, pulled = np.zeros(500, dtype=bool), np.ones(500, dtype=bool)
    np.testing.assert_allclose(kept_share(world, people, health, calm), world.effect, rtol=1e-6)
    np.testing.assert_allclose(kept_share(world, people, health, pulled), 0.15 * world.effect, rtol=1e-6)


def test_sleeping_dogs_are_as_many_as_the_dial_says_and_a_call_bites():
    world, rng = World(dogs=0.1, bite=0.7), np.random.default_rng(5)
    people = draw_people(world, PEOPLE, 0, 1, rng)
    kept = kept_share(world, people, np.zeros(PEOPLE, dtype=np.float32), np.zeros(PEOPLE, dtype=bool))
    assert binomtest(int(people.dog.sum()), PEOPLE, 0.1).pvalue > 1 - SURE
    np.testing.assert_allclose(kept[people.dog], -0.7, rtol=1e-6)
    assert people.level[people.dog].mean() < people.level[~people.dog].mean() - 0.5


def test_colleagues_share_their_frailty():
    world, rng = World(), np.random.default_rng(6)
    people = draw_people(world, PEOPLE, 0, 1, rng)
    months = draw_months(world, people, 24, 1, rng)
    shift = shift_of(world)
    log_odds = cancel_chance(
        world, replace(people, annual=np.zeros(PEOPLE, bool)), 24, months.health[:, 0], months.pull[:, 0], shift
    )
    assert intraclass_correlation(people.frailty, people.account) == pytest.approx(0.4, abs=0.03)
    assert intraclass_correlation(log_odds, people.account) > 0.1


def test_in_the_null_world_a_call_costs_its_price_and_changes_nothing():
    world = World(effect=0.0, dogs=0.0)
    truth = simulate(world, 1_500, np.random.default_rng(7)).truth
    np.testing.assert_array_equal(worth(world, truth).gain, -world.call_cost)
    np.testing.assert_array_equal(worth(world, truth).uplift, 0.0)
    everybody = np.ones(len(truth.people), dtype=bool)
    with_calls, without = run(world, truth, once(everybody)), run(world, truth, nobody)
    np.testing.assert_array_equal(with_calls.left, without.left)
    assert with_calls.called.any()


def test_the_same_seed_gives_the_same_bytes_and_another_does_not():
    first, again, other = (simulate(World(), 600, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert sorted(first.tables) == sorted(again.tables)
    for name, table in first.tables.items():
        assert table.equals(again.tables[name]), name
        assert not table.equals(other.tables[name]), name
    np.testing.assert_array_equal(first.truth.luck.cancel, again.truth.luck.cancel)
    assert first.truth.months.p.tobytes() == again.truth.months.p.tobytes()


def test_the_calendar_holds_two_years_from_a_monday():
    assert FIRST_DAY.item().weekday() == 0
    assert FIRST_DAY.astype("M8[M]") + MONTHS == TODAY.astype("M8[M]")
