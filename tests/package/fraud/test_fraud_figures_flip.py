"""The flip map of the tiers: what it counts, and a title that says no more than the banks do."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from casebook import style
from casebook.fraud import figures_flip
from casebook.worlds import Dial

DIALS = (
    Dial("push_pass", 0.01, 0.64, "share", "assumed", "m", scale="log"),
    Dial("prevalence", 0.002, 0.008, "share", "assumed", "m", scale="log"),
)


@pytest.fixture
def banks():
    return pd.DataFrame(
        {
            "push_pass": [0.02, 0.02, 0.05, 0.3, 0.5],
            "prevalence": [0.003, 0.006, 0.003, 0.006, 0.006],
            "captured_three_cuts": [0.5, 0.4, 0.7, 0.6, 0.8],
            "captured_source": [0.6, 0.3, 0.5, 0.5, 0.4],
        }
    )


def test_each_bank_falls_into_its_cell_with_what_own_costs_keep_beyond_the_sources(banks):
    before = banks.copy()
    cells = figures_flip.over_source(banks, DIALS, across=2, up=2)
    assert cells["n"].tolist() == [2, 1, 0, 2]
    assert cells["mean"].dropna().tolist() == pytest.approx([0.05, 0.1, 0.25])
    assert cells["share_positive"].dropna().tolist() == [0.5, 1.0, 1.0]
    pd.testing.assert_frame_equal(banks, before)


def test_the_title_counts_the_banks_at_either_end(banks):
    cells = figures_flip.over_source(banks, DIALS, across=2, up=2)
    assert figures_flip.words_of(cells) == (
        "Own costs win in 2 of 3 banks where few pushes are passed, in 2 of 2 where many are"
    )


def test_the_map_is_drawn_in_percent_with_the_banks_behind_each_cell(banks):
    with plt.rc_context():
        style.use()
        figures_flip.over_source_map(figures_flip.over_source(banks, DIALS, across=2, up=2))
        ax = plt.gca()
        assert [text.get_text() for text in ax.texts] == ["+5\nn=2", "none", "+10\nn=1", "+25\nn=2"]
        assert plt.gcf().texts[0].get_text().replace("\n", " ").startswith("Own costs win in 2 of 3")
        labels = [float(label.get_text()) for label in ax.get_xticklabels()]
        assert labels == pytest.approx([100 * value for value in DIALS[0].at(np.array([0.25, 0.75]))], rel=0.05)
    plt.close("all")
