"""The figures of the first reading: each draws what it was given, and its title follows the numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from casebook.experiments import srm_power, veto_rules
from casebook.feed import figures

PLAN, SEEN = [0.05, 0.05, 0.90], [0.047, 0.052, 0.901]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def title(fig: Figure) -> str:
    return fig.texts[0].get_text().replace("\n", " ")


def subtitle(fig: Figure) -> str:
    return fig.texts[1].get_text().replace("\n", " ")


def words(place: int = 0) -> list[str]:
    return [text.get_text() for text in plt.gcf().axes[place].texts]


def test_the_alarm_curve_is_the_power_and_names_both_sizes():
    figures.srm_by_size(SEEN, PLAN, [1_000, 50_000, 1_000_000])
    drawn = plt.gcf().axes[0].get_lines()[0].get_ydata()
    np.testing.assert_allclose(drawn, [srm_power(SEEN, PLAN, n) for n in (1_000, 50_000, 1_000_000)])
    assert title(plt.gcf()) == "4.7 / 5.2 / 90.1: 2% of such tests alarm at 1,000 users, 100% at 1,000,000"
    assert subtitle(plt.gcf()) == "chance of a sample ratio alarm; planned split 5 / 5 / 90"
    assert words() == ["these very shares\nreach the level\n35,274", "found in 80%\n53,161"]


def test_another_level_moves_the_sizes_and_the_axis():
    figures.srm_by_size(SEEN, PLAN, [1_000, 20_000], alpha=0.001)
    assert words()[0].endswith("52,911")
    assert plt.gcf().axes[0].get_ylabel() == "chance that p < 0.001"
    assert "100%" not in title(plt.gcf())


@pytest.mark.parametrize("series", [dict, pd.Series])
def test_lost_units_are_drawn_reading_by_reading(series):
    light = {"as logged": 0.05, "weighted by phone": 0.04, "ranker": 0.02, "launched as tested": -0.01}
    heavy = {"as logged": 0.03, "weighted by phone": 0.00, "ranker": 0.02, "launched as tested": -0.03}
    figures.loss_dots(series(light), series(heavy))
    ax = plt.gcf().axes[0]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == [
        "as logged",
        "weighted by phone",
        "launched as tested",
    ]
    dots = [line for line in ax.get_lines() if len(line.get_xdata()) == 3]
    np.testing.assert_array_equal(dots[0].get_xdata(), [0.05, 0.04, -0.01])
    np.testing.assert_array_equal(dots[1].get_xdata(), [0.03, 0.00, -0.03])
    assert title(plt.gcf()) == "The log promises +5.0%, brings -1.0%; the other promises +3.0%, brings -3.0%"
    assert words() == ["the ranker: +2.0%", "heavy users\ncrash most", "light users\ncrash most"]


def test_the_names_follow_the_dots_when_the_error_turns():
    light = {"as logged": 0.01, "weighted by phone": 0.00, "ranker": 0.02, "launched as tested": -0.01}
    heavy = {"as logged": 0.03, "weighted by phone": 0.04, "ranker": 0.02, "launched as tested": -0.03}
    figures.loss_dots(light, heavy)
    assert words()[1:] == ["light users\ncrash most", "heavy users\ncrash most"]


def test_wins_show_power_false_share_and_the_played_type_1_error():
    table = pd.DataFrame({"users": [1_000, 50_000], "power": [0.1, 0.9], "false": [0.7, 0.2]})
    figures.win_lines(table, {1_000: 0.04, 2_500: 0.06}, effect=-0.03)
    power, false, level, dots = plt.gcf().axes[0].get_lines()
    np.testing.assert_array_equal(power.get_ydata(), table["power"])
    np.testing.assert_array_equal(false.get_ydata(), table["false"])
    assert set(level.get_ydata()) == {0.05}
    assert (list(dots.get_xdata()), list(dots.get_ydata())) == ([1_000, 2_500], [0.04, 0.06])
    assert title(plt.gcf()) == "From 1,000 to 50,000 users an arm the false share of wins goes from 70% to 20%"
    assert "power for a true effect of -3%" in subtitle(plt.gcf())


def test_vetoes_name_what_the_rules_do_at_this_tests_size():
    sizes = (2_500, 10_000, 40_000)
    ses, margins, harm = np.array([1.0, 2.0]), [0.02, 0.05], [0.04, 0.0]
    vetoes = pd.concat({n: veto_rules(ses / n**0.5, margins, harm) for n in sizes}, names=["users", "rule"])
    figures.veto_lines(vetoes, here=9_000, harm="visits fall")
    here = vetoes.xs(10_000, level="users")
    stopped, missed = here.loc["not held", "false_veto"], here.loc["estimate", "missed"]
    assert (
        title(plt.gcf())
        == f"Here 'not held' stops {stopped:.0%} of the harmless; 'estimate' lets {missed:.0%} of the harm through"
    )
    assert subtitle(plt.gcf()) == "harmless: no guardrail moves; harmful: visits fall; dotted: this test"
    for place, column in enumerate(("false_veto", "missed")):
        lines = plt.gcf().axes[place].get_lines()[:4]
        for rule, line in zip(words(place), lines, strict=True):
            np.testing.assert_array_equal(line.get_ydata(), vetoes.xs(rule, level="rule")[column])
