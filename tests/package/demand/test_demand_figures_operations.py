"""Figures of chapter 7's page on operation: what they draw is what the tables hold."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from casebook.demand.figures_operations import planner_map, skill_curve, update_by_hour, watch_lines


def lines(ax):
    return {line.get_label(): line.get_xydata() for line in ax.lines if not line.get_label().startswith("_")}


def words_of(ax):
    return {text.get_text() for text in ax.texts}


def test_each_kind_of_planner_is_a_line_that_is_named():
    added = pd.DataFrame({"careful": [-0.1, 0.2], "rough": [-0.4, 0.1]}, index=[-0.3, 1.0])
    skill_curve(added, "a title")
    drawn = lines(plt.gca())
    assert drawn["careful"].tolist() == [[-0.3, -0.1], [1.0, 0.2]]
    assert drawn["rough"].tolist() == [[-0.3, -0.4], [1.0, 0.1]]
    assert {"careful", "rough"} <= words_of(plt.gca())
    plt.close("all")


def test_the_map_says_gain_and_companies():
    cells = pd.DataFrame({"skill": [0.0, 0.5], "bias": [0.1, 0.1], "mean": [0.05, -0.11], "n": [4, 5]})
    planner_map(cells, "a title")
    assert {"+0.050\nn=4", "-0.110\nn=5"} <= words_of(plt.gca())
    plt.close("all")


def test_gain_and_what_is_left_are_drawn_by_hour():
    gains = {"produce": pd.DataFrame({"gain": [0.0, 0.3], "share_left": [1.0, 0.5]}, index=[8, 14])}
    update_by_hour(gains, "a title")
    ax = plt.gca()
    assert lines(ax)["produce"].tolist() == [[8, 0.0], [14, 0.3]]
    assert [[8, 1.0], [14, 0.5]] in [line.get_xydata().tolist() for line in ax.lines]
    assert {"produce", "produce still to come"} <= words_of(ax)
    plt.close("all")


def test_all_products_are_the_thick_line_and_the_promise_is_drawn():
    covered = pd.DataFrame({"all": [0.83, 0.81], "pantry": [0.8, 0.4], "produce": [0.85, 0.95]}, index=[867, 874])
    watch_lines(covered, 0.833, 874, "a title")
    ax = plt.gca()
    drawn = lines(ax)
    assert drawn["all products"][:, 1].tolist() == [0.83, 0.81]
    assert drawn["pantry"][:, 1].tolist() == [0.8, 0.4]
    widths = {line.get_label(): line.get_linewidth() for line in ax.lines}
    assert widths["all products"] > widths["pantry"] == widths["produce"]
    flat = [line for line in ax.lines if np.ptp(np.asarray(line.get_ydata(), float)) == 0]
    assert [float(line.get_ydata()[0]) for line in flat] == [0.833]
    plt.close("all")
