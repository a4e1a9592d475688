"""Two bars, what policies captured, five rules that read one table, and their figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from scipy.stats import norm

from casebook.contracts import ContractError
from casebook.experiments import Belief, difference, launch_value
from casebook.feed import figures_decision as figures
from casebook.feed.dials import Programme
from casebook.feed.launch_bars import bars, captured_shares, past_tests
from casebook.feed.plays_decision import POLICIES, decide, past_belief, play_decision, relative
from casebook.feed.plays_report import HALVES, judge
from casebook.feed.simulate import simulate
from casebook.feed.studies import STUDIES
from casebook.feed.tables import user_table
from casebook.feed.world import World
from casebook.studies import load, verify

BELIEF = Belief(0.0, 0.01, idle=0.7)
CALM = {"users": 3_000, "idle": 0.5, "scale": 0.01, "fault_chance": 0.0, "cost": 0.0, "harm": 0.0}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@settings(max_examples=40, deadline=None)
@given(st.integers(2_000, 10_000_000), st.floats(1e-4, 0.01), st.floats(0.5, 3.0))
def test_at_the_value_bar_a_launch_is_worth_nothing(users, cost, spread):
    row = bars(BELIEF, spread, [users], cost).iloc[0]
    se = spread * np.sqrt(2 / users)
    assert row["star"] == pytest.approx(norm.isf(0.025) * se)
    if not np.isnan(row["value"]):
        assert launch_value(BELIEF.update(row["value"], se), 1.0, to_pay=cost).expected == pytest.approx(0, abs=1e-9)
        assert row["value"] > cost


def test_with_endless_users_the_value_bar_is_the_cost_and_the_star_is_nothing():
    row = bars(BELIEF, 1.0, [10**12], 0.003).iloc[0]
    assert row["value"] == pytest.approx(0.003, rel=1e-3)
    assert row["star"] < 1e-5


def test_a_dearer_launch_has_a_higher_bar():
    cheap, dear = (bars(BELIEF, 2.0, [10_000, 1_000_000], cost)["value"] for cost in (0.001, 0.006))
    assert (dear > cheap).all()


def test_a_launch_without_cost_is_refused():
    with pytest.raises(ContractError, match=r"cost must be above 0, got 0; a launch that costs nothing"):
        bars(BELIEF, 2.0, [10_000], 0.0)


def test_past_tests_have_the_errors_of_their_sizes_and_losers_too():
    past = past_tests(Programme(idle=0.5, scale=0.01), 2.0, 5_000, np.random.default_rng(1))
    assert past["se"].between(2.0 * np.sqrt(2 / 1_000_000), 2.0 * np.sqrt(2 / 10_000)).all()
    assert 0.4 < (past["estimate"] < 0).mean() < 0.6


def paid(oracle, star, value):
    frame = pd.DataFrame({"oracle": oracle, "worth_star": star, "worth_value": value})
    for name in ("star", "value"):
        frame[f"launches_{name}"] = frame[f"worth_{name}"] != 0
        frame[f"loses_{name}"] = frame[f"worth_{name}"] < 0
    return frame


def test_captured_shares_by_hand():
    ten = np.tile([[1.0, 1.0, 0.0], [3.0, 0.0, 3.0], [0.0, -2.0, 0.0]], (10, 1)).T
    table = captured_shares(paid(*ten), ("star", "value"), np.random.default_rng(0))
    assert table["captured"].to_dict() == {"star": -0.25, "value": 0.75}
    assert table.loc["star", ["launched", "lost"]].tolist() == [20, 10]
    assert table.loc["star", "over_value_high"] < 0


def test_too_few_tests_with_a_gain_are_refused():
    text = "frame must be with 10 or more tests in which the oracle earns, got 2; draw more tests."
    with pytest.raises(ContractError, match=text):
        captured_shares(paid([1.0, 3.0, 0.0], [0.0] * 3, [0.0] * 3), ("star", "value"), np.random.default_rng(0))


def test_the_oracle_itself_captures_all_with_no_width():
    rng = np.random.default_rng(2)
    gain = rng.exponential(size=200)
    table = captured_shares(paid(gain, gain, gain), ("star", "value"), rng)
    assert np.allclose(table[["captured", "low", "high"]], 1)
    assert np.allclose(table[["over_value_low", "over_value_high"]], 0)


@pytest.mark.slow
def test_intervals_of_captured_shares_cover():
    rng, truth, held = np.random.default_rng(3), 0.5, 0
    for _ in range(200):
        gain = rng.exponential(size=300)
        got = gain * rng.binomial(1, truth, 300)
        row = captured_shares(paid(gain, got, gain), ("star", "value"), rng).loc["star"]
        held += row["low"] <= truth <= row["high"]
    assert 178 <= held <= 198


def test_a_relative_effect_is_the_effect_over_the_controls_mean():
    feed = simulate(World(), 3_000, np.random.default_rng(4), HALVES)
    users = user_table(feed.tables).query("arm != 'rest'")
    plain = difference(users["minutes"], users["arm"] == "new")
    scaled = difference(7 * users["minutes"], users["arm"] == "new")
    assert relative(plain).estimate == pytest.approx(plain.estimate / plain.control_mean)
    assert relative(scaled).low == pytest.approx(relative(plain).low)


def test_a_past_of_noise_gives_no_belief_and_one_of_effects_finds_their_spread():
    rng = np.random.default_rng(5)
    nothing = [past_belief(Programme(idle=1.0), 0.02, rng) for _ in range(30)]
    assert 5 <= sum(one is None for one in nothing) <= 25
    found = [past_belief(Programme(idle=0.0, scale=0.02, tails=30.0), 0.005, rng) for _ in range(20)]
    assert np.mean([one.sd for one in found if one]) == pytest.approx(0.02 * np.sqrt(30 / 28), rel=0.1)


def test_rules_nest_and_a_crash_stops_all_but_the_star():
    def said(**faults):
        world = World(**{"effect": 0.08, "hide_effect": -0.1, **faults})
        return decide(simulate(world, 40_000, np.random.default_rng(6), HALVES), Belief(0.0, 0.2), 0.001)

    assert all(said().values())
    assert said(crash=0.8) == {"star": True, "source": False, "report": False, "shrunk": False, "value": False}
    assert said(hide_effect=0.6) == {"star": True, "source": False, "report": False, "shrunk": False, "value": False}
    sound = simulate(World(effect=0.08), 4_000, np.random.default_rng(6), HALVES)
    assert not (decide(sound, None, 0.001)["value"] or decide(sound, None, 0.001)["shrunk"])


@pytest.mark.parametrize("seed", range(4))
def test_nobody_beats_the_oracle_and_pay_follows_the_launch(seed):
    row = play_decision(CALM | {"cost": 0.004, "fault_chance": 0.2, "harm": 0.02}, np.random.default_rng(seed))
    for name in POLICIES:
        assert row[f"worth_{name}"] == (row["launch"] if row[f"launches_{name}"] else 0)
        assert row[f"worth_{name}"] <= row["oracle"]
        assert row[f"loses_{name}"] == (row[f"worth_{name}"] < 0)


def test_cost_and_harm_come_off_the_launch():
    free = play_decision(CALM, np.random.default_rng(7))
    dear = play_decision(CALM | {"cost": 0.01}, np.random.default_rng(7))
    assert dear["launch"] == pytest.approx(free["launch"] - 0.01)
    world = World(effect=0.0, load_effect=0.15)
    assert judge(simulate(world, 2_000, np.random.default_rng(8), HALVES))["guard_harmed"]


def test_in_null_worlds_there_is_nothing_to_earn_or_lose():
    null = load("08_decision").null_frame
    assert (null["oracle"] == 0).all()
    assert not null[[name for name in null if "_beats_" in name or name.startswith("loses_")]].any(axis=None)


def test_the_star_loses_and_the_others_are_not_told_from_nothing():
    frame = load("08_decision").frame
    table = captured_shares(frame, POLICIES, np.random.default_rng(9))
    assert table.loc["star", "high"] < 0
    assert table.loc["star", "over_value_high"] < 0
    assert (table.drop("star")["low"] < 0).all()


@pytest.mark.slow
def test_rows_of_the_committed_study_come_back():
    study = next(one for one in STUDIES if one.name == "08_decision")
    result = load("08_decision")
    smallest = int(result.frame["users"].argmin())
    checked = verify(study, result, [smallest], np.random.default_rng(10))
    assert (checked["world"] == smallest).all()


def test_figures_show_what_they_are_given():
    table = bars(BELIEF, 2.0, np.geomspace(2_000, 2e7, 12).astype(int), 0.003)
    figures.two_bars(table, 0.003)
    star, value = plt.gca().get_lines()[:2]
    assert np.allclose(star.get_ydata(), table["star"])
    assert np.allclose(value.get_ydata(), table["value"])
    assert plt.gcf().texts[0].get_text().startswith("Neither bar")
    figures.two_bars(bars(None, 2.0, [5_000, 50_000, 500_000, 5_000_000, 50_000_000, 500_000_000], 0.003), 0.003)
    assert plt.gcf().texts[0].get_text().startswith("At every size")
    shares = captured_shares(load("08_decision").frame, POLICIES, np.random.default_rng(11))
    figures.policy_dots(shares, {name: name for name in POLICIES}, 600)
    texts = [text.get_text() for text in plt.gca().texts]
    assert f"{100 * shares.loc['value', 'captured']:.0f}%" in texts
    assert any("at -100%" in text for text in texts)
