"""The settings: what they may be, from which ranges they are drawn, and the programme behind the effects."""

from dataclasses import fields

import numpy as np
import pytest
from scipy.stats import kstest
from scipy.stats import t as student

from casebook.contracts import ContractError
from casebook.feed.dials import DIALS, FAULT_DIALS, PROGRAMME, SPEEDS, Programme, draw_world
from casebook.feed.simulate import simulate
from casebook.feed.world import EFFECTS, FAULTS, WEEK, Design, World, faults_of, null_world, without_faults
from casebook.worlds import draw_dials

NAMES = {field.name for field in fields(World)}


def test_the_defaults_are_a_sound_test():
    assert faults_of(World()) == ()
    assert np.mean(WEEK) == pytest.approx(1.0)


def test_every_dial_is_a_setting_and_every_fault_has_one():
    assert {dial.name for dial in DIALS} <= NAMES
    assert {dial.name for dial in FAULT_DIALS} == set(FAULTS)
    assert {dial.name for dial in PROGRAMME} == {field.name for field in fields(Programme)}
    assert set(EFFECTS) <= NAMES


def test_the_null_of_the_dials_is_the_null_world():
    drawn = draw_dials(DIALS, 3, np.random.default_rng(0), null=True)
    for row in drawn.to_dict("records"):
        world = World(**row)
        assert null_world(world) == world
        assert faults_of(world) == ()


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_both_ends_of_all_dials_can_be_played(end):
    world = World(**{dial.name: float(dial.at(end)) for dial in DIALS})
    feed = simulate(world, 3_000, np.random.default_rng(1))
    assert np.isfinite(feed.truth.total().relative)


def test_null_and_sound_worlds_keep_all_other_settings():
    world = World(effect=0.03, rho=0.4, novelty=0.05, half_life=9.0)
    assert without_faults(world) == World(effect=0.03, rho=0.4, half_life=9.0)
    assert null_world(world) == World(effect=0.0, rho=0.4, half_life=9.0)


def test_a_drawn_world_has_each_fault_as_often_as_asked():
    rng = np.random.default_rng(2)
    drawn = [faults_of(draw_world(rng, fault_chance=0.3)) for _ in range(500)]
    share = np.array([np.mean([name in faults for faults in drawn]) for name in FAULTS])
    assert share == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / 500))


def test_drawn_faults_and_speeds_lie_in_their_ranges():
    rng = np.random.default_rng(3)
    for _ in range(50):
        world = draw_world(rng, fault_chance=1.0)
        for dial in (*FAULT_DIALS, *SPEEDS):
            assert dial.low <= getattr(world, dial.name) <= dial.high


def test_a_drawn_world_keeps_the_base():
    world = draw_world(np.random.default_rng(4), base=World(rho=0.3, modularity=0.7))
    assert (world.rho, world.modularity) == (0.3, 0.7)


def test_effects_are_a_spike_and_a_t():
    effects = Programme(idle=0.6, scale=0.01, tails=3.0).draw(20_000, np.random.default_rng(5))
    slab = effects[effects != 0]
    assert len(slab) / len(effects) == pytest.approx(0.4, abs=4 * np.sqrt(0.24 / 20_000))
    assert kstest(slab / 0.01, student(3.0).cdf).pvalue > 0.01


def test_effects_are_capped():
    effects = Programme(idle=0.0, scale=1.0, tails=1.5).draw(1_000, np.random.default_rng(6), most=0.2)
    assert np.abs(effects).max() == 0.2


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: World(effect=np.nan), "World, effect must be a finite number, got nan; fill it in."),
        (lambda: World(crash=5.0), "World, crash must be in [0, 1], got 5.0; divide percentages by 100."),
        (lambda: World(half_life=0.0), "World, half_life must be above 0, got 0.0; switch a fault off by its size."),
        (
            lambda: World(creators=2.0, response=0.6),
            "World, creators times response must be below 1, got 1.2; lower one, for the loop has no end.",
        ),
        (
            lambda: Design(new=0.6, control=0.5),
            "Design, new and control must be above 0 and at most 1 together, got 0.6 and 0.5; "
            "divide percentages by 100.",
        ),
        (
            lambda: Design(unit="session"),
            "Design, unit must be 'user' or 'cluster', got 'session'; choose one of the two.",
        ),
        (lambda: Design(log="own"), "Design, log must be 'shared' or 'diverted', got 'own'; choose one of the two."),
        (lambda: Design(cluster_size=1), "Design, cluster_size must be 2 or more, got 1; count users."),
        (lambda: Design(days=0), "Design, days must be from 1 to 400, got 0; count the days of the test."),
        (
            lambda: Design(ramp_day=14),
            "Design, ramp must be a share above 0 and a day of the test, got 1.0 until day 14; "
            "leave both out for a test without.",
        ),
        (
            lambda: Programme(idle=1.2),
            "Programme must be a share, and a scale and tails above 0, got 1.2, 0.01, 3.0; "
            "see its ranges in PROGRAMME.",
        ),
        (
            lambda: draw_world(np.random.default_rng(0), fault_chance=20),
            "fault_chance must be in [0, 1], got 20; divide percentages by 100.",
        ),
        (
            lambda: simulate(World(), 99, np.random.default_rng(0)),
            "n must be 100 or more users, got 99; draw more.",
        ),
        (
            lambda: simulate(World(rho=0.99), 500, np.random.default_rng(0)),
            "World, rho must be at most 0.92 at this spread, got 0.99; lower rho or alike, or raise spread.",
        ),
        (
            lambda: simulate(World(modularity=0.9), 300, np.random.default_rng(0)),
            "World, modularity must be at most 0.32 with 2 communities, got 0.9; lower it or draw more users.",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(make, text):
    with pytest.raises(ContractError) as error:
        make()
    assert str(error.value) == text
