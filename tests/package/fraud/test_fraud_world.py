"""The settings: what they may be, from which ranges they are drawn, and the null world."""

from dataclasses import fields

import numpy as np
import pytest

from casebook.contracts import ContractError
from casebook.fraud.dials import ADVERSARY, ASKING, BANK, CHANGES, COSTS, DIALS, draw_world
from casebook.fraud.rules import Rules
from casebook.fraud.simulate import simulate
from casebook.fraud.world import ALL_KINDS, ENTRIES, KINDS, LIABILITY, NOVEL, Friction, World, null_world
from casebook.worlds import draw_dials

NAMES = {field.name for field in fields(World)}


def test_every_dial_is_a_setting():
    assert {dial.name for dial in (*BANK, *ADVERSARY, *ASKING, *CHANGES)} <= NAMES
    assert {dial.name for dial in COSTS} == {field.name for field in fields(Friction)}


@pytest.mark.parametrize("dial", COSTS + BANK + ASKING, ids=lambda dial: dial.name)
def test_the_defaults_lie_in_the_ranges(dial):
    default = getattr(Friction() if dial in COSTS else World(), dial.name)
    assert dial.low <= default <= dial.high


def test_the_null_of_the_dials_is_a_world_without_rings():
    for row in draw_dials(DIALS, 3, np.random.default_rng(0), null=True).to_dict("records"):
        world = World(**row)
        assert null_world(world) == world
        assert world.shares(0)[KINDS.index("ring")] == 0


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_both_ends_of_all_dials_can_be_played(end):
    settings = {dial.name: float(dial.at(end)) for dial in (*DIALS, *CHANGES)}
    costs = Friction(**{dial.name: float(dial.at(end)) for dial in COSTS})
    world = World(**settings, costs=costs, novel_day=5, drift_day=5)
    run = simulate(world, 300, 15, np.random.default_rng(1), Rules())
    assert np.isfinite(run.money.to_numpy()).all()


def test_drawn_worlds_lie_in_the_ranges_and_keep_the_base():
    rng = np.random.default_rng(2)
    for _ in range(30):
        world = draw_world(rng, World(novel_share=0.4, novel_day=9))
        assert (world.novel_share, world.novel_day) == (0.4, 9)
        assert all(dial.low <= getattr(world, dial.name) <= dial.high for dial in DIALS)
        assert all(dial.low <= getattr(world.costs, dial.name) <= dial.high for dial in COSTS)


@pytest.mark.parametrize("ring_share", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("day", [0, 60, 61])
def test_shares_of_the_kinds_add_up_to_one(ring_share, day):
    world = World(ring_share=ring_share, novel_share=0.3, novel_day=60)
    shares = world.shares(day)
    assert shares.sum() == pytest.approx(1.0)
    assert shares[ALL_KINDS.index(NOVEL)] == (0.3 if day >= 60 else 0.0)
    assert shares[KINDS.index("ring")] == pytest.approx(ring_share * (1 - shares[-1]))
    assert len(set(shares[:5])) == 1


def test_every_entry_has_a_liability():
    assert set(LIABILITY) == set(ENTRIES)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: World(speed=np.nan), "World, speed must be a finite number, got nan; fill it in."),
        (lambda: World(reported=85), "World, reported must be in [0, 1], got 85; divide percentages by 100."),
        (
            lambda: World(prevalence=0.5),
            "World, prevalence must be in [0, 0.3], got 0.5; a world with more fraud is none of an issuer's.",
        ),
        (
            lambda: World(false_claims=0.95),
            "World, false_claims must be in [0, 0.9], got 0.95; leave some claims true.",
        ),
        (lambda: World(speed=9.0), "World, speed must be in [0, 5], got 9.0; slow the fraudsters down."),
        (lambda: World(drift=-0.1), "World, drift must be in [0, 1], got -0.1; state the growth as a share."),
        (lambda: World(delay_days=0.0), "World, delay_days must be above 0, got 0.0; state a median in days."),
        (lambda: World(novel_day=-1), "World, novel_day must be 0 or more, got -1; switch it off by its size."),
        (
            lambda: World(push_confirm=0.99, push_slip=0.02),
            "World, push_confirm and push_slip must be at most 1 together, got 1.01; lower one of them.",
        ),
        (
            lambda: World(costs=5.0),  # type: ignore[arg-type]
            "World, costs must be a Friction, got float; write costs=Friction(...).",
        ),
        (lambda: Friction(fee=np.inf), "Friction, fee must be 0 or more, got inf; state costs as positive dollars."),
        (
            lambda: simulate(World(), 10, 5, np.random.default_rng(0)),
            "cards and days must be at least 50 and 1, got 10 and 5; play a larger bank.",
        ),
        (
            lambda: simulate(World(), 100, 5),
            "rng must be a numpy.random.Generator, got nothing; pass np.random.default_rng(seed).",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(make, text):
    with pytest.raises(ContractError) as error:
        make()
    assert str(error.value) == text
