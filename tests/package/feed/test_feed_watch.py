"""The morning's job: what it sees, when it stops, and that it knows no future."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.experiments import ratio_difference
from casebook.feed.simulate import Feed, simulate
from casebook.feed.watch import watch
from casebook.feed.world import Design, World

SHARES = {"new": 0.25, "control": 0.25, "rest": 0.5}
DESIGN = Design(new=0.25, control=0.25)
MARGIN = 0.10


def played(world: World, seed: int, n: int = 20_000) -> Feed:
    return simulate(world, n, np.random.default_rng(seed), DESIGN)


@pytest.mark.slow
def test_a_sound_and_harmless_test_is_left_alone_on_every_morning() -> None:
    stopped = 0
    for seed in range(30):
        tables = played(World(), seed, n=4_000).tables
        stopped += any(watch(tables, SHARES, MARGIN, day).alarm for day in range(0, 14, 3))
    assert stopped <= 2, "two alarms of 1% each over thirty tests"


def test_a_crash_and_a_harm_are_stopped_for_their_own_reason() -> None:
    crash, harm = played(World(crash=0.8), 1).tables, played(World(hide_effect=0.5), 1).tables
    assert watch(crash, SHARES, MARGIN, 5).alarm == "sample ratio"
    assert watch(harm, SHARES, MARGIN, 5).alarm == "harm"
    assert watch(crash, SHARES, MARGIN, 5).sentence.startswith("Day 6: stop, the arms' sizes contradict the plan")
    assert "switch off, hides per view rose" in watch(harm, SHARES, MARGIN, 5).sentence


def test_the_future_does_not_enter() -> None:
    feed, rng = played(World(hide_effect=0.2), 2), np.random.default_rng(0)
    daily, assigned = feed.tables["daily"].copy(), feed.tables["assignment"].copy()
    later = daily["day"] > 4
    daily.loc[later, "hides"] = rng.permutation(daily.loc[later, "hides"]) + 50
    start = assigned["assigned_on"].min()
    unseen = (assigned["exposed_on"] - start).dt.days > 4
    assigned.loc[unseen, "arm"] = "new"
    shuffled = {**feed.tables, "daily": daily, "assignment": assigned}
    assert watch(shuffled, SHARES, MARGIN, 4) == watch(feed.tables, SHARES, MARGIN, 4)
    assert watch(shuffled, SHARES, MARGIN, 9) != watch(feed.tables, SHARES, MARGIN, 9)


def test_the_same_morning_twice_says_the_same_and_rows_may_come_in_any_order() -> None:
    tables = played(World(), 3).tables
    mixed = {name: table.sample(frac=1, random_state=1) for name, table in tables.items()}
    first, again = watch(tables, SHARES, MARGIN, 6), watch(mixed, SHARES, MARGIN, 6)
    assert again.alarm == first.alarm
    assert np.allclose([again.harm, again.low, again.ratio_p], [first.harm, first.low, first.ratio_p])


def test_its_harm_is_the_delta_methods() -> None:
    tables = played(World(hide_effect=0.2), 4).tables
    users = tables["daily"].query("day <= 13").groupby("user_id").agg({"hides": "sum", "impressions": "sum"})
    arm = tables["assignment"].set_index("user_id")["arm"].reindex(users.index)
    some = users["impressions"] > 0
    moved = ratio_difference(users["hides"][some], users["impressions"][some], (arm[some] == "new").to_numpy())
    assert watch(tables, SHARES, MARGIN, 13).harm == pytest.approx(moved.estimate / moved.control_mean)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"day": -1}, "day must be 0 or more, got -1; pass the last complete day."),
        ({"margin": 0.0}, "margin must be above 0, got 0; pass the smallest rise that you would switch off for."),
    ],
)
def test_bad_input_gets_one_sentence(change: dict[str, float], text: str) -> None:
    asked = {"margin": MARGIN, "day": 3} | change
    with pytest.raises(ContractError) as refused:
        watch(played(World(), 5, n=2_000).tables, SHARES, asked["margin"], int(asked["day"]))
    assert str(refused.value) == text


def test_nobody_yet_is_said() -> None:
    tables = played(World(), 6, n=2_000).tables
    empty = {**tables, "assignment": tables["assignment"].assign(exposed_on=pd.NaT)}
    with pytest.raises(ContractError, match="with users seen up to day 0, got none; wait for the first day's log"):
        watch(empty, SHARES, MARGIN, 0)
