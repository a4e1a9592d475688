"""What was drawn in tests that lost money, and how far readings of cells miss over many lots."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from casebook import studies
from casebook.feed.cohort_model import cells_of, redrawn_misses
from casebook.feed.dials import Programme, draw_world
from casebook.feed.plays_decision import POLICIES
from casebook.feed.simulate import simulate
from casebook.feed.why_lost import drawn_of, losers
from casebook.feed.world import Design, World, faults_of

# Over 400 lots of six cells a mean of squares has a standard error of 3.4%; three times that.
LOTS, NEAR = 400, 0.1


def test_worlds_are_drawn_again_as_the_study_drew_them():
    tests = studies.load("08_decision").frame.head(20)
    drawn = drawn_of(tests)
    for name, row in tests.iterrows():
        world = draw_world(
            np.random.default_rng(int(row["seed"])), row["fault_chance"], Programme(row["idle"], row["scale"])
        )
        assert drawn.loc[name, "effect"] == world.effect
        assert drawn.loc[name, "faults"] == set(faults_of(world))


def test_what_a_clean_launch_is_worth_is_its_effect_less_its_cost():
    tests = studies.load("08_decision").frame
    drawn = drawn_of(tests)
    clean = drawn["faults"].map(len) == 0
    assert clean.sum() > 100
    # What the study paid hangs on the very world that is drawn again here; friends and creators add to no clean one.
    np.testing.assert_allclose(
        tests.loc[clean, "launch"] + tests.loc[clean, "cost"], drawn.loc[clean, "effect"], atol=1e-9
    )


def test_losers_are_counted_by_what_was_drawn():
    tests = studies.load("08_decision").frame
    counted = losers(tests, drawn_of(tests), POLICIES)
    for policy in POLICIES:
        assert counted.loc[policy, "lost"] == tests[f"loses_{policy}"].sum()
    parts = counted.drop(columns="lost")
    assert (parts.le(counted["lost"], axis=0)).all(axis=None) and (parts.to_numpy() >= 0).all()


def test_a_cells_truth_is_what_its_users_rankers_do():
    feed = simulate(World(effect=0.05), 4_000, np.random.default_rng(0), Design(new=0.5, control=0.5))
    cells = cells_of(feed)
    assert len(cells) == 15 and cells["truth"].to_numpy() == pytest.approx(0.05, abs=1e-9)
    assert (cells["estimate"] - cells["truth"]).abs().lt(5 * cells["se"]).all()


def test_misses_are_those_of_theory():
    cells = pd.DataFrame(
        {"cohort": ["a"] * 3 + ["b"] * 3, "se": [0.02, 0.02, 0.02, 0.05, 0.05, 0.05], "truth": [0.2] * 3 + [0.0] * 3}
    )
    misses = redrawn_misses(cells, np.random.default_rng(1), lots=LOTS)
    assert len(misses) == LOTS
    square = (misses**2).mean()
    assert square["raw"] == pytest.approx((cells["se"] ** 2).mean(), rel=NEAR)
    assert square["cohort means"] == pytest.approx((cells["se"] ** 2).mean() / 3, rel=2 * NEAR)
    alike = redrawn_misses(cells.assign(truth=0.1), np.random.default_rng(1), lots=LOTS).mean()
    assert alike["one mean"] < alike["raw"]
