"""Chapter 7's exercises are proved, and its printed solutions are accepted."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from casebook.decisions.fractile import critical_fractile, implied_ratio, money_of_orders
from casebook.demand import exercise_tables
from casebook.demand.exercise_forms import FORECASTS, TRIED, mean_loss
from casebook.demand.exercise_tables import BREAD, HOURS, LEGAL, OVERRIDES, READS, SLOW, WEEKS
from casebook.demand.exercises import EXERCISES
from casebook.demand.hour_profile import demand_from_hours, learn_profile
from casebook.demand.order_up_to import WEEKLY
from casebook.demand.origins import legal_lags
from casebook.demand.reconcile import mint
from casebook.demand.value_added import planner_summary, value_added
from casebook.demand.wape_points import points_compared
from casebook.exercises import grade, verify_exercise
from tools.paths import ROOT

CHAPTER = ROOT / "notebooks" / "07_demand.py"
ASKED = re.compile(r'EXERCISES\["([\w-]+)"\]')
TABLES = {name: getattr(exercise_tables, name) for name in dir(exercise_tables) if name.isupper()}
ORDERS_A_COUNT = 0.01  # a normal's quantile against a count's: half a unit in seventy
in_chapter = pytest.mark.skipif(not CHAPTER.exists(), reason="the chapter is not there")


def cells() -> list[Any]:
    twins = pytest.importorskip("tools.twins", reason="needs jupytext", exc_type=ImportError)
    return list(twins.read_chapter(CHAPTER).cells)


def code_of(name: str) -> str:
    """Return the exercise cells above a check, solution included, from the check before it on."""
    since: list[str] = []
    for cell in cells():
        tags = cell.metadata.get("tags", [])
        if cell.cell_type != "code" or not {"exercise", "solution"} & set(tags):
            continue
        asked = ASKED.search(cell.source)
        if asked and asked.group(1) == name:
            return "\n".join(since)
        since = [] if asked else [*since, cell.source]
    raise AssertionError(f"the chapter does not ask {name!r}")


@pytest.mark.parametrize("name", EXERCISES)
def test_every_check_is_proved(name):
    assert EXERCISES[name].id == name
    verify_exercise(EXERCISES[name])


@in_chapter
def test_the_chapter_asks_every_exercise_once_in_order():
    asked = [found.group(1) for cell in cells() if (found := ASKED.search(cell.source))]
    assert len(EXERCISES) >= 8
    assert asked == list(EXERCISES)


@in_chapter
@pytest.mark.parametrize("name", EXERCISES)
def test_the_chapters_own_solution_is_accepted(name):
    namespace: dict[str, Any] = {"np": np, "pd": pd} | TABLES
    exec(code_of(name), namespace)
    assert grade(EXERCISES[name], namespace["answer"]) is None


@in_chapter
@pytest.mark.parametrize("name", EXERCISES)
def test_the_minutes_stand_in_the_chapter_as_in_the_exercise(name):
    number = list(EXERCISES).index(name) + 1
    texts = [cell.source for cell in cells() if cell.source.startswith(f"**{number}. ")]
    assert len(texts) == 1
    assert f"({EXERCISES[name].minutes} minutes)" in texts[0]


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("07-fractile", 1.2 / 2.7, "a customer who finds none costs more than the margin; add the dollar of goodwill"),
        ("07-fractile", 0.9, "(price - cost + goodwill) over that plus (cost - salvage)"),
        ("07-implied", (0.8, 0.9), "those are levels; a level of 0.8 is a ratio of 0.8 to 0.2"),
        ("07-implied", 9, "the answer must be 2 numbers, got 1; write (lowest, highest)."),
        (
            "07-pinball",
            1.5,
            "the answer must be a function of wanted, forecast and tau, got float; pass its name, without brackets.",
        ),
        ("07-lags", [*LEGAL, "lag_14"], "lag_14 is known up to day 14; the order covers days 15 to 17 as well"),
        ("07-lags", LEGAL[1:], "lag_21 of day 17 is four days before the forecast"),
        ("07-lags", ["lag_21", "last_weekday", "holiday", "promoted"], "mean_28 ends with the forecast's day"),
        (
            "07-lags",
            ["lag_28"],
            "the answer must be features among lag_7, lag_14, lag_21, last_weekday, mean_28, mean_7, holiday, rain, "
            "promoted, got 'lag_28'; copy the spelling.",
        ),
        ("07-up-to", (93.5, 13), "that adds up daily quantiles; add means and variances, then take the quantile"),
        ("07-up-to", (70.6, 8), "eight cases do not reach the level; the ninth does"),
        ("07-up-to", 9, "the answer must be two numbers, got 1; write (level, cases)."),
        ("07-unconstrain", (60, 23), "it was full until 11:00; the orders between ten and eleven count"),
        ("07-unconstrain", (30, 18), "that is an average day's rest; the morning has told you that this was none"),
        ("07-coherent", (112, 60, 52), "that is bottom-up: the total's own forecast is thrown away"),
        ("07-coherent", (90, 60, 30), "it adds up; is it the nearest that does?"),
        ("07-added", (1, 9.5), "Ada's rows are in it"),
        ("07-added", (-3, 82), "that is money, 12 times the loss; it is asked for in units"),
        ("07-slow", (1, 1.5, 0), "that is the median, the best for WAPE; a unit short costs five times one over"),
        (
            "07-slow",
            ("one", 1.5, 1),
            "the answer must be tuple or list or ndarray, got tuple ('one', 1.5, 1); give it in that form.",
        ),
    ],
)
def test_each_known_slip_gets_its_own_words(name, wrong, message):
    assert grade(EXERCISES[name], wrong) == message


def test_a_wrong_function_is_told_its_value():
    told = grade(EXERCISES["07-pinball"], lambda wanted, forecast, tau: np.mean((wanted - forecast) ** 2))
    assert told == f"for 'low' at tau 10/12 yours is 7 and not {mean_loss(BREAD['wanted'], BREAD['low'], TRIED):.4g}"


def test_a_function_that_fails_is_no_accident_of_the_check():
    assert grade(EXERCISES["07-pinball"], lambda wanted: wanted).startswith("the answer must be function")


def test_the_first_is_the_rooms_fractile():
    assert grade(EXERCISES["07-fractile"], critical_fractile(3.0 - 1.8 + 1.0, 1.8 - 0.3)) is None


@pytest.mark.parametrize(("ratio", "best"), [(3.9, False), (4.1, True), (5, True), (8.9, True), (9.1, False)])
def test_between_the_two_ratios_and_only_there_eighteen_is_the_best(ratio, best):
    low, high = EXERCISES["07-implied"].right[0]
    weeks = np.repeat(WEEKS.index.to_numpy(), WEEKS.to_numpy())
    costs = money_of_orders(weeks, {str(units): units for units in range(12, 22)}, ratio, 1)["cost"]
    assert (costs.idxmin() == "18") == best == (low < ratio < high)
    assert implied_ratio((weeks <= 18).mean()) == pytest.approx(high)


def test_which_of_the_three_forecasts_is_best_turns_with_tau():
    best = {tau: min(FORECASTS, key=lambda name: mean_loss(BREAD["wanted"], BREAD[name], tau)) for tau in (0.5, TRIED)}
    assert best == {0.5: "low", TRIED: "high"}


def test_the_legal_lags_are_those_of_the_room_where_the_room_goes_so_far():
    room = legal_lags(range(4, 15), lags=(7, 14, 21))
    assert (room == "legal").all().to_dict() == {"lag_7": False, "lag_14": True, "lag_21": True}
    by_hand = {f"lag_{lag}" for lag in (7, 14, 21) if all(day - lag <= 0 for day in range(4, 18))}
    assert by_hand == set(LEGAL) & {"lag_7", "lag_14", "lag_21"} == {"lag_21"}
    assert set(LEGAL) < set(READS.index)


def test_the_level_is_that_of_ten_independent_days_of_counts():
    level, cases = EXERCISES["07-up-to"].right[0]
    assert len(WEEKLY.protected) == 10
    exact = stats.nbinom(60, 0.5).ppf(10 / 12)  # mean 60, variance 120
    assert level == pytest.approx(exact, rel=ORDERS_A_COUNT)
    assert cases == np.ceil((exact - 21) / 6)


def test_half_a_day_is_repaired_as_the_room_repairs_it():
    hours = HOURS.reset_index().assign(category="dairy")
    seen = learn_profile(hours).loc["dairy", 11]
    shrunk = demand_from_hours([6], [seen], mean=15, prior=4)[0]
    assert (6 / seen, shrunk) == pytest.approx(EXERCISES["07-unconstrain"].right[0])


def test_the_nearest_that_adds_up_is_mint_with_equal_weights():
    told = mint(np.array([[1, 1], [1, 0], [0, 1]]), np.array([[100.0], [60.0], [52.0]]), np.eye(3))
    assert grade(EXERCISES["07-coherent"], told) is None
    trusted = mint(np.array([[1, 1], [1, 0], [0, 1]]), np.array([[100.0], [60.0], [52.0]]), np.diag([2.0, 1, 1]))
    assert "trusted alike" in grade(EXERCISES["07-coherent"], trusted)


@pytest.mark.parametrize(("tau", "place"), [(None, 0), (10 / 12, 1)])
def test_what_bob_added_is_what_the_room_says(tau, place):
    rows = OVERRIDES.rename(columns={"before": "mean_before", "after": "mean", "wanted": "y"})
    added = value_added(rows.assign(override_id=rows.index.astype(str)), tau)
    bob = planner_summary(added).set_index("author").loc["Bob", "added"]
    assert bob == pytest.approx(EXERCISES["07-added"].right[0][place])


def test_the_slow_seller_is_as_the_room_says():
    room = points_compared(SLOW.to_numpy(), 5, 1)
    told = (room.loc["zero", "wape"], room.loc["mean", "wape"], room.loc["fractile", "units"])
    assert told == pytest.approx(EXERCISES["07-slow"].right[0])
