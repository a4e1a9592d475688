"""The figures of chapter 7's main page: each draws what it was given, and its title follows the numbers."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from casebook import style
from casebook.colours import ADVISED_FILL, NAIVE_FILL
from casebook.demand import figures


@pytest.fixture(autouse=True)
def styled():
    with plt.rc_context():
        style.use()
        yield
    plt.close("all")


def title():
    return plt.gcf().texts[0].get_text().replace("\n", " ")


def test_the_cost_curves_are_those_given_and_the_title_says_which_side_is_dearer():
    taus = [0.5, 0.8, 0.9]
    curves = {"narrow": pd.Series([0.6, 0.0, 0.3], taus), "wide": pd.Series([0.3, 0.0, 0.1], taus)}
    figures.cost_by_quantile(curves, 0.8, {"mark": 0.7})
    assert title() == "A tenth too high costs up to 30%, a tenth too low up to 20%"
    assert [line.get_ydata().tolist() for line in plt.gca().lines[:2]] == [[0.6, 0.0, 0.3], [0.3, 0.0, 0.1]]
    assert set(plt.gca().lines[2].get_xdata()) == {0.7}


def test_every_product_is_a_dot_in_its_category():
    ratios = pd.DataFrame({"category": ["milk", "soap", "milk"], "ratio": [0.4, 0.9, 0.5]})
    figures.ratios_by_category(ratios, 0.833)
    assert title() == "One ratio for all hides 0.40 to 0.90"
    assert sorted(np.concatenate([line.get_xdata() for line in plt.gca().lines[:2]])) == [0.4, 0.5, 0.9]
    assert [tick.get_text() for tick in plt.gca().get_yticklabels()] == ["milk", "soap"]


@pytest.mark.parametrize("kind", ["%", "$", ""])
def test_bars_stand_in_their_order_and_the_advised_in_their_colour(kind):
    figures.bars(pd.Series({"a": 0.2, "b": -0.1}), "Finding", "measure", "share", ["b"], kind)
    bars = plt.gca().patches
    assert [bar.get_width() for bar in bars] == [0.2, -0.1]
    assert bars[0].get_y() > bars[1].get_y()
    expected = [plt.matplotlib.colors.to_rgba(fill) for fill in (NAIVE_FILL, ADVISED_FILL)]
    assert [bar.get_facecolor() for bar in bars] == expected


def test_a_spiral_is_drawn_as_orders_over_demand():
    run = pd.DataFrame({"order": [10.0, 8.0, 6.0, 4.0, 2.0], "demand": 10.0})
    figures.spiral_lines({"as is": run, "truth": run.assign(order=10.0)}, "Down")
    first, second = plt.gca().lines
    assert first.get_ydata()[0] == 1.0 and first.get_ydata()[-1] == pytest.approx(0.5)
    assert set(second.get_ydata()) == {1.0} and title() == "Down"


def test_measures_are_drawn_as_shares_behind_their_own_best():
    table = pd.DataFrame({"wape": [0.5, 0.4], "money": [10.0, 20.0]}, index=["a", "b"])
    figures.measures_disagree(table, {"wape": "WAPE", "money": "money"}, "Two winners")
    left, right = plt.gcf().axes
    assert [round(bar.get_width(), 2) for bar in left.patches] == [0.25, 0.0]
    assert [bar.get_width() for bar in right.patches] == [0.0, 1.0]
