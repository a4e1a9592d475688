"""The figures: legible on both pages, nothing cut, nothing overlapping, the same bytes every time."""

from io import BytesIO
from itertools import pairwise

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread

from casebook import style
from casebook.contracts import ContractError

LINE_CONTRAST = 3.0  # WCAG 2.1, 1.4.11: graphical objects
TEXT_CONTRAST = 4.5  # WCAG 2.1, 1.4.3: text
ROUNDING = 1e-9  # floats summed in another order
PIXEL = 1.0  # hinting moves an edge by less than one

channels = st.floats(0, 1)
colours = st.tuples(channels, channels, channels)


@pytest.fixture(autouse=True)
def styled():
    with matplotlib.rc_context():
        style.use()
        yield
        plt.close("all")


def hue_rotate_matrix(degrees):
    """Filter Effects Module Level 1, feColorMatrix type hueRotate, written out as the standard has it."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    fixed = np.array([[0.213, 0.715, 0.072]] * 3)
    with_cos = np.array([[0.787, -0.715, -0.072], [-0.213, 0.285, -0.072], [-0.213, -0.715, 0.928]])
    with_sin = np.array([[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]])
    return fixed + cos * with_cos + sin * with_sin


@given(colours)
def test_dark_filter_is_the_standards_matrix(rgb):
    expected = np.clip(hue_rotate_matrix(180) @ (1 - np.array(rgb)), 0, 1)
    np.testing.assert_allclose(style.dark_filter(rgb), expected, atol=ROUNDING)


@given(channels)
def test_dark_filter_turns_a_grey_into_its_opposite(grey):
    np.testing.assert_allclose(style.dark_filter((grey, grey, grey)), [1 - grey] * 3, atol=ROUNDING)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#FFFFFF", "#000000", 21.0),
        ("#767676", "#FFFFFF", 4.54),
        ("#FF0000", "#FFFFFF", 4.00),
        ("#777777", "#777777", 1.0),
    ],
)
def test_contrast_has_the_published_values(one, other, ratio):
    assert style.contrast(one, other) == pytest.approx(ratio, abs=0.005)
    assert style.contrast(other, one) == style.contrast(one, other)


@pytest.mark.parametrize("colour", style.PALETTE.values(), ids=style.PALETTE)
def test_lines_stand_out_on_both_pages(colour):
    assert style.contrast(colour, style.LIGHT_PAGE) >= LINE_CONTRAST
    assert style.contrast(style.dark_filter(colour), style.DARK_PAGE) >= LINE_CONTRAST


@pytest.mark.parametrize("colour", [style.INK, style.SUBTLE])
def test_text_reads_on_both_pages(colour):
    assert style.contrast(colour, style.LIGHT_PAGE) >= TEXT_CONTRAST
    assert style.contrast(style.dark_filter(colour), style.DARK_PAGE) >= TEXT_CONTRAST


@pytest.mark.parametrize("fill", style.FILLS.values(), ids=style.FILLS)
def test_ink_reads_on_every_fill(fill):
    assert style.contrast(style.INK, fill) >= TEXT_CONTRAST
    assert style.contrast(style.dark_filter(style.INK), style.dark_filter(fill)) >= TEXT_CONTRAST


def test_the_cycle_is_the_palette_without_the_truth():
    cycle = [entry["color"] for entry in plt.rcParams["axes.prop_cycle"]]
    assert cycle == [style.PALETTE[name] for name in ("advised", "naive", "third", "fourth", "fifth")]


def test_two_lines_are_never_told_apart_by_colour_alone_in_a_contrast():
    assert style.stroke("advised")["linestyle"] != style.stroke("naive")["linestyle"]
    assert style.stroke("truth") == {"color": style.INK, "linestyle": "--"}


def test_an_unknown_meaning_is_refused():
    with pytest.raises(ContractError) as caught:
        style.stroke("winner")
    assert str(caught.value) == (
        "meaning must be one of advised, naive, truth, third, fourth, fifth, got 'winner'; "
        "choose what the line stands for."
    )


def sample(title, subtitle, names=("advised", "naive")):
    fig, ax = plt.subplots()
    x = np.linspace(0, 1, 20)
    for step, name in enumerate(names):
        ax.plot(x, 1e6 * x * (1 + 0.01 * step), label=name)
    style.money_axis(ax)
    style.percent_axis(ax, "x")
    ax.set_xlabel("threshold (probability)")
    labels = style.label_lines(ax)
    style.finding(ax, title, subtitle)
    fig.draw_without_rendering()
    return fig, ax, labels


SHORT = "Half of the margin is given away"
LONG = "A threshold of one half costs $3M a year against $1M, since a missed churner is twenty times as dear"


@pytest.mark.parametrize("title", [SHORT, LONG])
@pytest.mark.parametrize("subtitle", ["", "Profit in dollars per month", "Profit in $ per month against $0, " * 3])
def test_no_text_leaves_the_figure_or_lies_on_another(title, subtitle):
    fig, ax, _ = sample(title, subtitle)
    page = fig.bbox
    extents = [text.get_window_extent() for text in fig.texts]
    extents += [ax.get_tightbbox()]
    for extent in extents:
        assert extent.x0 >= page.x0 - PIXEL
        assert extent.y0 >= page.y0 - PIXEL
        assert extent.x1 <= page.x1 + PIXEL
        assert extent.y1 <= page.y1 + PIXEL
    for upper, lower in pairwise(extents):
        assert upper.y0 >= lower.y1 - PIXEL


def test_no_ink_touches_the_edge_of_the_rendered_figure():
    fig, _, _ = sample(LONG, "Profit per month, 20,000 simulated accounts, mean of 20 worlds")
    file = BytesIO()
    fig.savefig(file, format="png")
    file.seek(0)
    opacity = imread(file)[:, :, 3]
    border = np.concatenate([opacity[0], opacity[-1], opacity[:, 0], opacity[:, -1]])
    assert border.max() == 0
    assert opacity.max() == 1


def test_a_long_title_wraps_and_keeps_every_word():
    fig, _, _ = sample(LONG, "Profit")
    title = fig.texts[0].get_text()
    assert "\n" in title
    assert title.split() == LONG.split()


def test_two_dollar_signs_do_not_start_a_formula():
    fig, _, labels = sample("From $1M to $3M", "In $ and $", names=("$1 a call", "$5 and $6"))
    assert [text.get_parse_math() for text in [*fig.texts, *labels]] == [False] * 4


def test_a_second_finding_is_refused():
    _, ax, _ = sample(SHORT, "")
    with pytest.raises(ContractError) as caught:
        style.finding(ax, SHORT)
    assert (
        str(caught.value)
        == "finding must be given once for a figure, got a second one; give each finding its own figure."
    )


def test_an_essay_above_the_plot_is_refused():
    _, ax = plt.subplots()
    with pytest.raises(
        ContractError,
        match=r"^title and subtitle must be at most half of the figure, got \d+% of it; shorten them\.$",
    ):
        style.finding(ax, LONG * 5)


def test_labels_of_lines_that_meet_do_not_overlap():
    _, _, labels = sample(SHORT, "", names=("one", "two", "three", "four"))
    extents = sorted((label.get_window_extent() for label in labels), key=lambda extent: extent.y0)
    for below, above in pairwise(extents):
        assert above.y0 >= below.y1 - PIXEL
    assert [label.get_color() for label in labels] == [style.INK] * 4


def test_a_label_alone_sits_at_its_lines_last_finite_point():
    _, ax = plt.subplots()
    ax.plot([0, 1, 2], [0.0, 5.0, np.nan], label="cut short")
    ax.plot([0, 1], [0, 1])
    (label,) = style.label_lines(ax)
    assert tuple(label.xy) == (1.0, 5.0)
    assert label.xyann == (6.0, pytest.approx(0.0, abs=ROUNDING))


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(0.1, 10)), min_size=1, max_size=8))
def test_apart_leaves_no_overlap_and_keeps_the_mean(intervals):
    centres, heights = map(list, zip(*intervals, strict=True))
    moved = np.array(style.apart(centres, heights))
    order = np.argsort(moved)
    gaps = np.diff(moved[order]) - (np.array(heights)[order][1:] + np.array(heights)[order][:-1]) / 2
    assert gaps.min(initial=0.0) >= -1e-6  # centres of 100 in double precision
    np.testing.assert_allclose(moved.mean(), np.mean(centres), atol=1e-6)


def test_apart_moves_nothing_that_stands_free():
    np.testing.assert_allclose(style.apart([0.0, 5.0, 9.0], [1.0, 1.0, 1.0]), [0.0, 5.0, 9.0], atol=ROUNDING)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "$0"),
        (-35, "-$35"),
        (999, "$999"),
        (1000, "$1k"),
        (2_500_000, "$2.5M"),
        (3e9, "$3B"),
        (999_999.99999, "$1M"),
        (0.5, "$0.5"),
    ],
)
def test_money_ticks(value, text):
    _, ax = plt.subplots()
    style.money_axis(ax)
    assert ax.yaxis.get_major_formatter()(value) == text


def test_a_log_axis_is_written_without_formulas():
    fig, ax = plt.subplots()
    ax.plot([1, 10_000], [1, 2])
    ax.set_xscale("log")
    style.count_axis(ax, "x")
    fig.draw_without_rendering()
    assert {"1", "100", "10,000"} <= {label.get_text() for label in ax.get_xticklabels()}


def test_an_axis_that_is_none_is_refused():
    _, ax = plt.subplots()
    with pytest.raises(ContractError) as caught:
        style.money_axis(ax, "z")
    assert str(caught.value) == "axis must be 'x' or 'y', got 'z'; name the axis to format."


def test_the_same_figure_is_the_same_svg_without_a_ground():
    def svg():
        file = BytesIO()
        sample(SHORT, "Profit")[0].savefig(file, format="svg", metadata={"Date": None})
        return file.getvalue().decode()

    first = svg()
    assert svg() == first
    assert "fill: #ffffff" not in first


def test_inline_figures_are_svg_in_a_notebook(monkeypatch):
    asked = []
    monkeypatch.setattr(style, "get_ipython", object)
    monkeypatch.setattr(
        "matplotlib_inline.backend_inline.set_matplotlib_formats",
        lambda *formats, **kwargs: asked.append((formats, kwargs)),
    )
    style.use()
    assert asked == [(("svg",), {"metadata": {"Date": None}})]
