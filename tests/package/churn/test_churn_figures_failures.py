"""The figures of failure modes: each draws what it was given, and its title follows the numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from casebook.churn import figures_failures
from casebook.contracts import ContractError


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def title(fig: Figure) -> str:
    return fig.texts[0].get_text().replace("\n", " ")


def lines(fig: Figure, place: int = 0) -> dict[str, np.ndarray]:
    return {str(line.get_label()): np.asarray(line.get_ydata()) for line in fig.axes[place].get_lines()}


def test_the_first_month_is_read_off_the_table():
    table = pd.DataFrame({"month": [1, 2], "hazard": [0.08, 0.06], "naive": [0.04, 0.03]})
    truth = pd.DataFrame({"month": [1, 2], "hazard": [0.081, 0.059]})
    figures_failures.tenure_lines(table, truth)
    assert title(plt.gcf()) == "In the first month 8.0% leave, and the naive count says 4.0%"
    drawn = lines(plt.gcf())
    np.testing.assert_array_equal(drawn["late entry corrected"], table["hazard"])
    np.testing.assert_array_equal(drawn["as the table shows it"], table["naive"])
    np.testing.assert_array_equal(drawn["true, newcomers"], truth["hazard"])


@pytest.mark.parametrize(
    ("monthly", "words"),
    [
        ((9.0, 1.0), "Calling every month is best where calls do not tire, once a quarter where they tire most"),
        ((9.0, 8.0), "Calling every month is best at every tiredness drawn"),
        ((0.0, -5.0), "Calling once a quarter is best at every tiredness drawn"),
    ],
)
def test_the_best_rhythm_is_named(monthly, words):
    earned = {"every month": monthly, "once a quarter": (5.0, 4.0), "once": (3.0, 3.0)}
    rows = [
        {"fatigue": level, "rhythm": name, "earned": values[place]}
        for name, values in earned.items()
        for place, level in enumerate((0.0, 0.1))
    ]
    figures_failures.rhythm_lines(pd.DataFrame(rows), here=0.05)
    assert title(plt.gcf()) == words
    assert tuple(lines(plt.gcf())["every month"]) == monthly
    assert plt.gcf().axes[0].get_ylim()[0] == min(0.0, *monthly)


def test_before_and_after_says_what_would_have_happened_anyway():
    months = pd.DataFrame({"month": [0, 1, 2], "left_alone": [0.2, 0.05, 0.04], "called": [0.2, 0.04, 0.03]})
    figures_failures.before_after_lines(months)
    assert title(plt.gcf()) == "Churn falls from 20.0% to 4.0%; with no calls it falls to 5.0%"
    drawn = lines(plt.gcf())
    np.testing.assert_array_equal(drawn["called"], months["called"])
    np.testing.assert_array_equal(drawn["left alone"], months["left_alone"])


def readings(*qini: float) -> pd.DataFrame:
    return pd.DataFrame({"qini": qini, "low": np.subtract(qini, 1), "high": np.add(qini, 1)}, index=["response", "s"])


def test_the_highest_qini_of_either_trial_is_named():
    figures_failures.qini_intervals({"one": readings(3.0, 1.0), "two": readings(1.0, 2.0)})
    assert title(plt.gcf()) == "Highest Qini: response for one, S-learner for two"
    left = plt.gcf().axes[0]
    spans = [list(line.get_xdata()) for line in left.get_lines() if len(line.get_xdata()) == 2]
    assert spans[:2] == [[0.0, 2.0], [2.0, 4.0]]  # from below: the learner, then the response ranking
    assert [label.get_text() for label in left.get_yticklabels()] == ["S-learner", "response"]


def test_three_trials_are_refused():
    with pytest.raises(ContractError) as caught:
        figures_failures.qini_intervals({"one": readings(3.0, 1.0)})
    assert str(caught.value) == "readings must be of two trials, got 1; pass one table for each of two e-mails."
