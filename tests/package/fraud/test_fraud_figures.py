"""The figures of chapter 5: each draws what it was given, and its title follows the numbers."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from casebook import style
from casebook.fraud import figures


@pytest.fixture(autouse=True)
def styled():
    with plt.rc_context():
        style.use()
        yield
    plt.close("all")


def title():
    return plt.gcf().texts[0].get_text().replace("\n", " ")


def test_the_ratio_and_the_money_name_their_own_best_cut():
    lines = pd.DataFrame({"cut": [0.9, 0.5, 0.1], "ratio": [0.0, 22.0, 3.0], "saved": [0.0, 200.0, 9_000.0]})
    figures.ratio_against_savings(lines)
    assert title() == "The ratio is best at 0.5, the money at 0.1"
    left, right = plt.gcf().axes
    assert [bar.get_width() for bar in left.patches] == [0.0, 22.0, 3.0]
    assert [bar.get_width() for bar in right.patches] == [0.0, 200.0, 9_000.0]


@pytest.mark.parametrize(
    ("push", "words"),
    [
        ([0.001, 0.01, 0.1], "Small payments are asked about sooner, large ones blocked sooner"),
        ([0.1, 0.01, 0.001], "The larger the payment, the less it takes to ask and to block"),
        ([0.1, 0.2, 0.05], "No cut fits all amounts"),
    ],
)
def test_the_cuts_title_is_about_the_lines_that_are_drawn(push, words):
    cuts = pd.DataFrame({"push": push, "block": [np.nan, 0.5, 0.2]})
    figures.cuts_by_amount([10, 100, 1_000], cuts, {"fixed": 0.01})
    assert title() == words
    first, second, third = plt.gca().lines
    assert first.get_ydata().tolist() == push
    assert np.isnan(second.get_ydata()[0]) and second.get_ydata()[1:].tolist() == [0.5, 0.2]
    assert set(third.get_ydata()) == {0.01}


def test_the_money_names_the_cheapest_that_a_bank_can_do_and_not_the_oracle():
    table = pd.DataFrame(
        {"loss": [100.0, 20.0, 60.0, 0.0], "friction": [0.0, 30.0, 5.0, 1.0]}, ["nothing", "own", "source", "oracle"]
    )
    figures.money_bars(table)
    assert title() == "Least of what a bank can do here: own"
    assert sum(bar.get_width() for bar in plt.gca().patches) == pytest.approx(216.0)
