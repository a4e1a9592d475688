"""Numbers for the page: rounded as people round, and found by the book's own reader."""

import subprocess
import sys
from decimal import Decimal

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbclient import NotebookClient

from casebook import page
from casebook.contracts import ContractError

glue = pytest.importorskip("myst_nb.ext.glue")
format_plain_text = pytest.importorskip("myst_nb.core.variables").format_plain_text

TEXTS = {
    "saved": "$1,234",
    "pair": "1,234",
    "trailing": "0.10",
    "quote": 'it\'s "so"',
    "word": "None",
    "signed": "-$35",
}


@pytest.fixture(scope="module")
def run():
    cells = [
        f"from casebook.page import numbers, absent\nnumbers(**{TEXTS!r})",
        "absent(['auc', 'lift'])",
        f"from myst_nb import glue\nfor key, text in {TEXTS!r}.items():\n    glue(key, text, display=False)",
        "import casebook.style as style; style.use()\nimport matplotlib.pyplot as plt\n"
        "fig, ax = plt.subplots(); ax.plot([0, 1]); plt.show()",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    return NotebookClient(notebook, kernel_name="python3", timeout=120).execute()


def cited(cell):
    return {
        key: format_plain_text(output["data"]["text/plain"], "") for key, output in glue.extract_glue_data_cell(cell)
    }


def test_the_outputs_are_those_of_myst_nb(run):
    ours, theirs = ([o for o in run.cells[i].outputs if "scrapbook" in o.get("metadata", {})] for i in (0, 2))
    assert len(ours) == len(TEXTS)
    assert ours == theirs


def test_the_books_reader_gets_every_text_back(run):
    assert cited(run.cells[0].copy()) == TEXTS


def test_absent_glues_every_key(run):
    assert cited(run.cells[1].copy()) == dict.fromkeys(["auc", "lift"], "not run here (data absent)")


def test_a_reader_without_the_book_sees_the_numbers(run):
    shown = [o.data["text/plain"] for o in run.cells[0].outputs if "text/html" in o.get("data", {})]
    assert shown == ["\n".join(f"{key} = {text}" for key, text in TEXTS.items())]


def test_figures_in_a_notebook_are_svg(run):
    (picture,) = [o for o in run.cells[3].outputs if o.output_type == "display_data"]
    assert picture.data["image/svg+xml"].startswith("<?xml")
    assert "image/png" not in picture.data


def test_the_page_needs_no_myst_nb():
    code = "import sys; sys.modules['myst_nb'] = None; from casebook.page import numbers; numbers(a='1')"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "a = 1\n"


@given(st.text(min_size=1))
def test_any_text_survives_the_books_formatting(text):
    assert format_plain_text(repr(text), "") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "'key' must be formatted text, got float 1.5; format it."),
        (np.float64(2), "'key' must be formatted text, got float64 2.0; format it."),
        (None, "'key' must be formatted text, got NoneType None; format it."),
        (" ", "'key' must be formatted text, got an empty one; say what it is, or do not glue it."),
    ],
)
def test_what_is_not_text_is_refused_before_anything_is_glued(value, text, capsys):
    with pytest.raises(ContractError) as caught:
        page.numbers(first="1", key=value)
    assert str(caught.value) == text
    assert capsys.readouterr().out == ""


def test_one_text_is_no_list_of_keys():
    with pytest.raises(ContractError) as caught:
        page.absent("auc")
    assert str(caught.value) == "keys must be a list of keys, got the text 'auc'; write ['auc']."


def test_absent_prints_one_line(capsys):
    page.absent(["auc", "lift"], reason="no")
    assert capsys.readouterr().out == "no: auc, lift\n"


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (1_200_000, "$1.2M"),
        (1234, "$1,234"),
        (-35, "-$35"),
        (0.5, "$1"),
        (2.5, "$3"),
        (-2.5, "-$3"),
        (-0.4, "$0"),
        (999_999.4, "$999,999"),
        (999_999.5, "$1.0M"),
        (1_250_000, "$1.3M"),
        (999_950_000, "$1.0B"),
        (-2e9, "-$2.0B"),
        (np.int64(12_345), "$12,345"),
        (np.float32(0.5), "$1"),
        (Decimal("1.5"), "$2"),
    ],
)
def test_dollars(x, text):
    assert page.dollars(x) == text


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (page.dollars(2.675, digits=2), "$2.68"),
        (page.percent(0.125), "13%"),
        (page.percent(0.145), "15%"),
        (page.percent(0.285, 1), "28.5%"),
        (page.percent(-0.0001, 1), "0.0%"),
        (page.percent(np.float32(0.1125), 1), "11.3%"),
        (page.percent(12.5), "1,250%"),
        (page.probability(0.045), "0.05"),
        (page.probability(0), "0.00"),
        (page.probability(1), "1.00"),
        (page.probability(1e-9, 3), "<0.001"),
        (page.probability(0.99999, 3), ">0.999"),
        (page.count(0.5), "1"),
        (page.count(-0.2), "0"),
        (page.count(np.int64(1_234_567)), "1,234,567"),
    ],
)
def test_rounding_is_half_up(shown, text):
    assert shown == text


@given(st.integers(0, 10**6))
def test_halves_never_round_to_even(whole):
    assert page.count(whole + 0.5) == f"{whole + 1:,}"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: page.dollars("5"), "dollars must be one number, got str '5'; pass the number itself."),
        (lambda: page.count(True), "count must be one number, got bool True; pass the number itself."),
        (
            lambda: page.percent(float("nan")),
            "percent must be a finite number, got nan; find out where it was lost.",
        ),
        (lambda: page.probability(7), "probability must be in [0, 1], got 7; divide percentages by 100."),
    ],
)
def test_bad_numbers_are_refused(call, text):
    with pytest.raises(ContractError) as caught:
        call()
    assert str(caught.value) == text
