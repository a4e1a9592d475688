"""The figures of chapter 5's deeper page: each draws what it was given, and its title follows the numbers."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from casebook import style
from casebook.fraud import figures_deeper
from casebook.fraud.entities import read_log
from casebook.fraud.graph import graph_at


@pytest.fixture(autouse=True)
def styled():
    with plt.rc_context():
        style.use()
        yield
    plt.close("all")


def title():
    return plt.gcf().texts[0].get_text().replace("\n", " ")


def test_a_row_of_dots_holds_each_world_and_its_mean():
    frame = pd.DataFrame({"a": [0.1, 0.3, np.nan], "b": [0.0, -0.2, -0.1]})
    figures_deeper.world_dots(frame, {"a": "first", "b": "second"}, "Worlds differ", "dots", "gain")
    ax = plt.gca()
    assert title() == "Worlds differ" and ax.get_xlabel() == "gain"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["first", "second"]
    dots = [part.get_offsets()[:, 0] for part in ax.collections if len(part.get_offsets()) == 3]
    assert [np.nansum(part) for part in dots] == pytest.approx([0.4, -0.3])
    means = [part.get_segments()[0][:, 0] for part in ax.collections if hasattr(part, "get_segments")]
    assert [part[0] for part in means] == pytest.approx([0.2, -0.1])


@pytest.mark.parametrize(
    ("b", "words"),
    [
        ([0.3, 0.2], "B promises most: too much in 2 of 2 banks"),
        ([0.5, -0.1], "B promises most: too much in 1 of 2 banks"),
        ([-0.3, 0.2], "A promises most: too much in 2 of 2 banks"),
    ],
)
def test_the_flattery_counts_the_banks_of_the_worst_design(b, words):
    frame = pd.DataFrame({"a": [0.1, 0.1], "b": b})
    assert figures_deeper.flattery_title(frame, {"a": "a", "b": "b"}) == words


def test_a_ring_s_drawing_names_whom_the_walks_reach():
    events = pd.DataFrame({"card_id": [1, 2, 8], "device_id": [11, 11, 21]})
    events = events.assign(event_id=range(3), at=range(3), channel="online", ip_id=-1, address_id=-1, merchant_id=5)
    told = pd.DataFrame({"event_id": [0], "reported_at": [90_000]})
    graph = graph_at(read_log(events, told), 2)
    rank = np.array([0.4, 0.2, 0.0, 0.3, 0.0])
    names = {"card": {1: "card 1", 2: "card 2", 8: "card 8", 77: "nobody"}, "device": {11: "phone", 21: "tablet"}}
    figures_deeper.ring_drawing(graph, rank, names)
    ax = plt.gca()
    assert title() == "From 1 reported card the walks reach 1 of 2 others"
    assert [text.get_text() for text in ax.texts] == [
        *("card 1: 0.400", "card 2: 0.200", "card 8: 0.000", "phone: 0.300", "tablet: 0.000"),
    ]
    assert len(ax.lines) == 3


def test_the_map_writes_gain_and_banks_into_each_cell():
    cells = pd.DataFrame(
        {
            "sharing": [0.25, 0.25, 0.75, 0.75],
            "ring_share": [0.1, 0.3, 0.1, 0.3],
            "mean": [0.001, -0.004, np.nan, 0.09],
            "n": [5, 6, 0, 7],
        }
    )
    words = figures_deeper.map_title(cells)
    figures_deeper.graph_map(cells, words, "average precision")
    assert title() == words
    assert words == "The graph adds +0.00 to +0.09 to what counts find, a fiftieth or more in 1 of 3 parts"
    written = [text.get_text() for text in plt.gca().texts]
    assert written == ["+0.001\nn=5", "no bank", "-0.004\nn=6", "+0.090\nn=7"]


def test_a_map_of_small_gains_says_so():
    cells = pd.DataFrame({"mean": [0.01, -0.01], "n": [3, 3]})
    assert figures_deeper.map_title(cells).endswith("to what counts find, nowhere a fiftieth")


@pytest.mark.parametrize(
    ("means", "way"),
    [([-0.1, -0.2], "lower where"), ([-0.2, 0.1], "higher where"), ([-0.1], "whatever")],
)
def test_the_lead_s_title_says_which_way_sharing_goes(means, way):
    cells = pd.DataFrame({"sharing": [0.2, 0.8][: len(means)], "mean": means, "n": 3})
    words = figures_deeper.lead_title(cells)
    assert way in words and f"{max(means):+.2f}" in words


def test_an_empty_cell_has_no_part_in_the_lead():
    cells = pd.DataFrame({"sharing": [0.2, 0.5, 0.8], "mean": [-0.1, np.nan, -0.3], "n": [2, 0, 2]})
    assert figures_deeper.lead_title(cells).endswith("against counts, lower where more is shared")
