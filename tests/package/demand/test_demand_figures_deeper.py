"""The figures of chapter 7's deeper page: each draws what it was given, and its title follows the numbers."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from casebook import style
from casebook.colours import ADVISED, INK, NAIVE
from casebook.demand import figures_deeper
from casebook.demand.croston import ADI_CUT, CV2_CUT

LEVELS = ["total", "category x region", "leaf"]


@pytest.fixture(autouse=True)
def styled():
    with plt.rc_context():
        style.use()
        yield
    plt.close("all")


def title():
    return plt.gcf().texts[0].get_text().replace("\n", " ")


def lines(ax):
    return {line.get_label(): line.get_ydata().tolist() for line in ax.lines if not line.get_label().startswith("_")}


def test_each_series_is_a_dot_between_the_customary_cuts():
    kinds = pd.DataFrame(
        {"adi": [1.0, 4.0, np.inf], "cv2": [0.2, 0.8, np.nan], "kind": pd.Categorical(["smooth", "lumpy", "none"])}
    )
    figures_deeper.kinds_plot(kinds, "1 of 3 series are lumpy")
    ax = plt.gca()
    assert title() == "1 of 3 series are lumpy"
    assert ax.collections[0].get_offsets().tolist() == [[1.0, 0.2], [4.0, 0.8]]
    assert [line.get_xdata()[0] for line in ax.lines][:1] == [ADI_CUT]
    assert ax.lines[1].get_ydata()[0] == CV2_CUT
    assert [text.get_text() for text in ax.texts] == ["smooth", "erratic", "intermittent", "lumpy"]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "1.5", "2", "3"]


def test_a_week_s_fan_counts_the_weeks_whose_interval_holds_what_came():
    sums = np.array([np.arange(0, 101), np.arange(100, 201)])
    figures_deeper.week_fan([6, 13], sums, [50, 199], [80, 180])
    ax = plt.gca()
    assert title() == "The paths' week holds what came in 1 of 2 weeks"
    assert [part[:, 1].tolist() for part in ax.collections[0].get_segments()] == [[10, 90], [110, 190]]
    assert lines(ax) == {"their median": [50, 150], "daily quantiles, summed": [80, 180], "came": [50, 199]}
    assert ax.lines[2].get_color() == INK
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["6", "13"]
    assert ax.get_ylim()[0] == 0


def test_an_edge_of_the_interval_still_holds():
    figures_deeper.week_fan([6], np.array([np.arange(0, 101)]), [90], [90])
    assert title().endswith("in 1 of 1 weeks")


def test_changes_by_level_have_a_panel_for_each_kind_of_leaves():
    ways = ["bottom-up", "top-down"]
    good = pd.DataFrame([[-0.5, -0.2, 0.0], [0.0, 0.1, 0.3]], ways, LEVELS)
    figures_deeper.level_changes({"good leaves": good, "poor leaves": -good}, "Bottom-up is best", "RMSE by level")
    first, second = plt.gcf().axes
    assert title() == "Bottom-up is best"
    assert [ax.texts[0].get_text() for ax in (first, second)] == ["good leaves", "poor leaves"]
    assert first.lines[0].get_ydata().tolist() == [-0.5, -0.2, 0.0]
    assert lines(second) == {"bottom-up": [0.5, 0.2, 0.0], "top-down": [0.0, -0.1, -0.3]}
    assert first.lines[1].get_color() == NAIVE
    assert [tick.get_text() for tick in first.get_xticklabels()] == ["total", "category\nx region", "leaf"]
    assert first.get_ylabel() == "error against the base forecasts'"


def test_the_fourth_way_is_the_advised_one():
    table = pd.DataFrame(np.zeros((4, 3)), list("abcd"), LEVELS)
    figures_deeper.level_changes({"leaves": table}, "No change", "RMSE")
    assert plt.gcf().axes[0].lines[3].get_color() == ADVISED


def test_coverage_by_level_shows_what_is_promised():
    table = pd.DataFrame([[0.5, 0.7, 0.8], [0.7, 0.75, 0.8]], ["apart", "together"], LEVELS)
    figures_deeper.coverage_by_level(table, 0.8, "Apart holds 50%", "by level")
    ax = plt.gca()
    assert title() == "Apart holds 50%"
    assert lines(ax) == {"apart": [0.5, 0.7, 0.8], "together": [0.7, 0.75, 0.8]}
    assert ax.lines[2].get_ydata()[0] == 0.8 and ax.texts[0].get_text() == "promised"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["apart", "together"]
