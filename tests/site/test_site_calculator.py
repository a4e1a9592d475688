"""The calculator on the page against its twin in Python, and every way in which a reader gets numbers into it."""

from __future__ import annotations

import itertools
import math
import re

import pytest

from casebook.decisions import operating_point

pytestmark = pytest.mark.site

PAGE = "book/calculator.html"
# Both sides work in double precision and solve the quantile to 1e-15; near an AUC of 0.5 the score's cut, which
# divides by d, and near 1 the far tails lose digits of it. The page prints three.
RELATIVE = 1e-7
TINY = 1e-12  # shares and dollars below it are nothing
GRID = list(
    itertools.product(
        [0.01, 5, 8000],
        [0.1, 500, 200_000],
        [1e-4, 0.002, 0.05, 0.5, 0.92],
        [0.5, 0.501, 0.75, 0.95, 0.999],
        [None, 0.01, 0.5],
    )
)
TWIN = {
    "threshold": "threshold",
    "precision": "precision",
    "recall": "recall",
    "fpr": "fpr",
    "actedPer1000": "acted_per_1000",
    "costPer1000": "cost_per_1000",
    "costAtHalf": "cost_per_1000_at_half",
    "costNothing": "cost_per_1000_do_nothing",
    "costAll": "cost_per_1000_act_on_all",
}
FIELDS = ("costFp", "costFn", "baseRate", "auc")
RUN = """grid => grid.map(([costFp, costFn, baseRate, auc, threshold]) =>
  casebookCalculator.operatingPoint({costFp, costFn, baseRate, auc, threshold}))"""


@pytest.fixture
def calculator(open_page):
    return open_page(PAGE)


def values(page) -> list[str]:
    return [page.locator(f"#cc-{name}").input_value() for name in FIELDS]


def shown_threshold(page) -> str:
    return page.locator(".cc-results dd").first.inner_text()


def expected_threshold(page) -> float:
    fp, fn, _, _ = map(float, values(page))
    return fp / (fp + fn)


def same(given: float | None, wanted: float) -> bool:
    if given is None:
        return math.isnan(wanted)
    return math.isclose(given, wanted, rel_tol=RELATIVE, abs_tol=TINY)


def test_page_and_package_agree_on_a_grid(calculator):
    wrong = []
    for inputs, got in zip(GRID, calculator.evaluate(RUN, GRID), strict=True):
        point = operating_point(*inputs)
        wrong += [
            (inputs, k, got[k], getattr(point, v)) for k, v in TWIN.items() if not same(got[k], getattr(point, v))
        ]
    assert wrong == []


def test_each_preset_fills_the_form_and_computes(calculator):
    options = calculator.locator("#cc-preset option").all()
    names = {o.get_attribute("value"): o.inner_text() for o in options if o.get_attribute("value") != "own"}
    assert len(names) >= 6
    for name, label in names.items():
        calculator.select_option("#cc-preset", name)
        fp, fn, base, auc = map(float, values(calculator))
        point = operating_point(fp, fn, base / 100, auc)
        assert shown_threshold(calculator) == f"{float(f'{point.threshold:.3g}'):g}"
        left, right = map(float, re.search(r"(\d+):(\d+)", label).groups())
        dearer_miss = {"a miss is dearer": fn > fp, "a false alarm is dearer": fp > fn}
        assert sorted([left / right, right / left]) == pytest.approx(sorted([fp / fn, fn / fp]))
        assert all(holds for words, holds in dearer_miss.items() if words in label)
        assert f"fp={fp:g}" in calculator.evaluate("location.hash")


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        (
            "baseRate",
            "120",
            "The base rate must be above 0 and below 100 %, got 120; enter the share of cases that are positive.",
        ),
        (
            "auc",
            "0.4",
            "The AUC must be from 0.5 to 0.999, got 0.4; below 0.5 flip the score's sign, above 0.999 look for a leak.",
        ),
        (
            "costFp",
            "-5",
            "The false-positive cost must be a number above 0, got -5; enter what one needless action costs.",
        ),
        (
            "costFn",
            "",
            "The false-negative cost must be a number above 0, got nothing; enter what one missed case costs.",
        ),
    ],
)
def test_bad_input_gets_one_sentence(calculator, field, typed, sentence):
    calculator.locator(f"#cc-{field}").fill(typed)
    assert calculator.locator(f"#cc-{field}-error").inner_text() == sentence
    assert calculator.locator(".cc-status").inner_text() == f"No result. {sentence}"
    assert calculator.locator(f"#cc-{field}").get_attribute("aria-invalid") == "true"
    assert calculator.locator(".cc-results dd").count() == 0
    calculator.select_option("#cc-preset", "fraud")
    assert not calculator.locator(f"#cc-{field}-error").is_visible()
    assert calculator.locator(".cc-results dd").count() == 4


def test_address_holds_the_state(open_page, calculator):
    for field, text in zip(FIELDS, ("2", "30", "4", "0.8"), strict=True):
        calculator.locator(f"#cc-{field}").fill(text)
    again = open_page(PAGE + calculator.evaluate("location.hash"))
    assert values(again) == ["2", "30", "4", "0.8"]
    assert again.locator("#cc-preset").input_value() == "own"
    assert shown_threshold(again) == f"{2 / 32:.3g}"


def test_keyboard_reaches_and_moves_every_control(calculator):
    calculator.locator("#cc-preset").focus()
    order = []
    for _ in range(9):
        order.append(calculator.evaluate("document.activeElement.id"))
        calculator.keyboard.press("Tab")
    assert order == ["cc-preset", *(f"cc-{n}{part}" for n in FIELDS for part in ("", "-slider"))]
    before = calculator.locator("#cc-costFn").input_value()
    calculator.locator("#cc-costFn-slider").focus()
    calculator.keyboard.press("ArrowRight")
    assert float(calculator.locator("#cc-costFn").input_value()) > float(before)
    assert float(shown_threshold(calculator)) == pytest.approx(expected_threshold(calculator), rel=5e-3)  # three digits


def test_the_curve_says_in_words_what_it_shows(calculator):
    svg = calculator.locator(".cc-curve svg")
    assert svg.get_attribute("role") == "img"
    for identity in svg.get_attribute("aria-labelledby").split():
        assert calculator.locator(f"#{identity}").text_content().strip()


def test_without_script_the_page_says_how_to_do_without(open_page):
    page = open_page(PAGE, javascript=False)
    words = page.locator("#casebook-calculator").inner_text()
    assert "This tool needs JavaScript, and it is not running here." in words
    assert "5 / 505 = 0.0099" in words
