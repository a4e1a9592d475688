"""Figures of the page on operation: what they draw is what the tables hold."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from casebook.fraud.figures_operations import refit_map, scatter_of, weekly_calibration

WEEKS = pd.DataFrame(
    {
        "week": [6, 7, 8],
        "naive": [1.2, 0.9, 0.3],
        "ratio": [1.2, 1.3, 4.0],
        "low": [0.9, 1.0, 2.0],
        "high": [1.6, 1.7, 7.0],
        "note": ["", "", "too young"],
    }
)
LATER = pd.DataFrame({"week": [6, 7, 8, 9], "naive": [1.2, 1.4, 1.5, 0.1]})


def lines(ax):
    return {line.get_label(): line.get_xydata() for line in ax.lines if not line.get_label().startswith("_")}


def test_a_week_that_is_too_young_is_not_drawn_as_mended():
    weekly_calibration(WEEKS, LATER)
    drawn = lines(plt.gca())
    assert drawn["mended"].tolist() == [[6, 1.2], [7, 1.3]]
    assert drawn["as it stands"][:, 1].tolist() == [1.2, 0.9, 0.3]
    assert drawn["in the end"][:, 1].tolist() == [1.2, 1.4, 1.5]
    plt.close("all")


def test_the_map_says_gain_and_banks():
    cells = pd.DataFrame({"speed": [0.2, 0.8], "delay_days": [3.0, 3.0], "mean": [0.05, -0.01], "n": [4, 5]})
    refit_map(cells, "a title")
    words = [text.get_text() for text in plt.gca().texts]
    assert {"+0.050\nn=4", "-0.010\nn=5"} <= set(words)
    plt.close("all")


def test_the_error_is_that_of_a_mean():
    rng = np.random.default_rng(0)
    drawn, null = (pd.DataFrame({"a": rng.normal(0.1, 0.3, n)}) for n in (400, 900))
    mean, error, spread, still = scatter_of(drawn, null, "a")
    assert abs(mean - drawn["a"].mean()) < 1e-12 and abs(error - drawn["a"].sem()) < 1e-12
    assert abs(spread - drawn["a"].std()) < 1e-12 and abs(still - null["a"].std()) < 1e-12
