"""Figures of the page on others' data: what they draw is what the tables hold, and titles follow the numbers."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from casebook import style
from casebook.demand import figures_real

CHANGE = pd.DataFrame(
    {"bottom-up": [0.7, 0.1, 0.0], "MinT": [0.2, -0.1, -0.08], "ols": [0.04, -0.1, -0.06]},
    index=["total", "region", "bottom"],
)
LEARNED = pd.DataFrame(
    {"change": [0.06, 0.02, -0.01], "error": [0.02, 0.01, 0.005]}, index=["4 weeks", "8 weeks", "all"]
)


@pytest.fixture(autouse=True)
def styled():
    with plt.rc_context():
        style.use()
        yield
    plt.close("all")


def title():
    return plt.gcf().texts[0].get_text().replace("\n", " ")


def written():
    return [text.get_text() for text in plt.gca().texts]


def test_each_method_has_a_mark_a_level_and_its_name_at_the_first():
    words = figures_real.help_title(CHANGE, "MinT", "bottom", "total")
    figures_real.help_by_level(CHANGE, words, "RMSE")
    ax = plt.gca()
    assert title() == words == "MinT: error -8% at the bottom, +20% at the total"
    assert [label.get_text() for label in ax.get_yticklabels()] == list(CHANGE.index)
    marks = [line.get_xdata().tolist() for line in ax.lines if line.get_marker() != "None"]
    assert marks == [CHANGE[name].tolist() for name in CHANGE]
    rows = [np.round(line.get_ydata()).tolist() for line in ax.lines if line.get_marker() != "None"]
    assert rows == [[2, 1, 0]] * 3
    assert written() == list(CHANGE.columns)
    for text, name in zip(ax.texts, CHANGE, strict=True):
        assert text.xy[0] == CHANGE[name].iloc[0]
    assert [text.get_ha() for text in ax.texts] == ["right", "left", "left"]


def test_marks_of_one_level_do_not_hide_each_other():
    figures_real.help_by_level(CHANGE * 0, "a title", "RMSE")
    heights = [line.get_ydata()[0] for line in plt.gca().lines if line.get_marker() != "None"]
    assert min(np.abs(np.diff(sorted(heights)))) > 0.1


def test_the_map_of_kinds_writes_each_share_and_shows_products_without_spread():
    kinds = ["lumpy", "lumpy", "intermittent", "smooth"]
    classes = pd.DataFrame({"adi": [5.0, 9.0, 30.0, 1.1], "cv2": [2.0, 1.0, 0.0, 0.2], "kind": kinds})
    before = classes.copy()
    figures_real.kinds_map(classes, 1.32, 0.49)
    ax = plt.gca()
    assert title() == "75% of the products sell seldom, 50% seldom and unevenly too"
    assert written() == ["smooth 25.0%", "erratic 0.0%", "intermittent 25.0%", "lumpy 50.0%"]
    dots = ax.lines[0].get_xydata()
    assert dots[:, 0].tolist() == classes["adi"].tolist() and dots[:, 1].tolist() == [2.0, 1.0, 0.01, 0.2]
    low, high = ax.get_ylim()
    assert low < dots[:, 1].min() and high > dots[:, 1].max()
    assert (ax.lines[1].get_xdata()[0], ax.lines[2].get_ydata()[0]) == (1.32, 0.49)
    pd.testing.assert_frame_equal(classes, before)


@pytest.mark.parametrize(
    ("wape", "pinball", "words"),
    [
        ([1.0, 1.2, 1.3, 0.9], [7, 5, 5, 5], "2 of 3 simple methods by WAPE, 0 by pinball loss"),
        ([1.0, 1.0, 1.3, 1.1], [4, 5, 5, 3], "2 of 3 simple methods by WAPE, 2 by pinball loss"),
    ],
)
def test_zero_beats_whom_it_beats(wape, pinball, words):
    table = pd.DataFrame({"wape": wape, "pinball": pinball}, ["nothing", "a", "b", "c"])
    assert figures_real.zero_title(table, ["a", "b", "c"]) == f"To forecast nothing beats {words}"


def test_what_data_buy_is_drawn_with_two_errors_each_way():
    words = figures_real.data_title(LEARNED)
    figures_real.cost_by_data(LEARNED, {"the whole past": 0.13}, words, "against twelve weeks")
    ax = plt.gca()
    assert title() == words == "Boosting costs +6% with the least data, -1% with the most"
    spans = [segment[:, 0].tolist() for segment in ax.collections[0].get_segments()]
    assert np.allclose(spans, [[0.02, 0.10], [0.0, 0.04], [-0.02, 0.0]])
    dots = next(line for line in ax.lines if line.get_marker() == "o")
    assert dots.get_xdata().tolist() == LEARNED["change"].tolist() and dots.get_ydata().tolist() == [2, 1, 0]
    assert [label.get_text() for label in ax.get_yticklabels()] == list(LEARNED.index)
    assert written() == ["the whole past"] and ax.texts[0].xy[0] == 0.13


def test_the_levels_title_names_the_first_and_the_last():
    gains = pd.Series({"mean": 0.2, "all": 0.5, "product": 0.031})
    assert figures_real.levels_title(gains) == "The winner gains 20.0% on average and 3.1% where one orders"
