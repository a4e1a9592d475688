"""A flip map's picture says what the cells hold, and how many worlds lie behind each."""

import pandas as pd
import pytest
from matplotlib import pyplot as plt

from casebook.flip_figures import gain_map

CELLS = pd.DataFrame(
    {
        "users": [100.0, 20_000.0, 100.0, 20_000.0],
        "scale": [0.1, 0.1, 0.5, 0.5],
        "mean": [0.25, -0.004, -0.9, float("nan")],
        "n": [3, 4, 5, 0],
    }
)


def drawn(**more):
    gain_map(CELLS, ("users", "users"), ("scale", "scale"), "title", "measure", **more)
    return plt.gca()


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({}, ["+25\nn=3", "+0\nn=4", "-90\nn=5", "none"]),
        ({"limit": 0.1}, ["+0.250\nn=3", "-0.004\nn=4", "-0.900\nn=5", "none"]),
    ],
)
def test_each_cell_says_its_gain_and_its_worlds(limit, words):
    ax = drawn(**limit)
    assert [text.get_text() for text in ax.texts if "\n" in text.get_text() or text.get_text() == "none"] == words
    assert [label.get_text() for label in ax.get_xticklabels()] == ["100", "20,000"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0.1", "0.5"]
    plt.close("all")


def test_words_on_a_full_colour_are_white():
    colours = [text.get_color() for text in drawn().texts if "\n" in text.get_text()]
    assert [colour == "white" for colour in colours] == [False, False, True]
    plt.close("all")
