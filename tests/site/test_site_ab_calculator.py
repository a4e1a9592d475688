"""The page of the A/B test calculator: published numbers, every way to type into it, and who can use it."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from scipy.stats import chi2

from casebook.experiments import mde, mde_mean, power_of, sample_size, sample_size_mean, srm

pytestmark = pytest.mark.site

PAGE = "book/ab_calculator.html"
RESULTS = ("size", "mde", "time", "srm")
# Change of a rate from a base, and the users in each arm that are published for the pooled z-test.
KNOWN = [(0.20, 0.05, 1_094), (0.10, 0.01, 14_751), (0.05, 0.005, 31_233), (0.03, 0.003, 53_210), (0.02, 0.002, 80_681)]
HUNDRED = "enter the part of the test's users that the plan gives to it"
ASSIGNED = "enter how many users were assigned to it"
DECIDES = "name the smallest that would alter the decision"
REFUSED = [
    ("base", "120", "The base rate must be above 0 and below 100 %, got 120; enter the rate of control."),
    ("base", "a fifth", "The base rate must be above 0 and below 100 %, got a fifth; enter the rate of control."),
    ("effect", "0", f"The change must be a number other than 0, got 0; {DECIDES}."),
    ("effect", "85", "The base rate plus the change must be above 0 and below 100 %, got 105; enter a smaller change."),
    ("alpha", "", "Alpha must be from 0.0001 to 50 %, got nothing; take 5 or 1."),
    ("power", "100", "The power must be at least 50 and below 100 %, got 100; ask for 80 or 90."),
    ("s0", "-50", f"The share of control must be above 0 and below 100 %, got -50; {HUNDRED}."),
    ("s1", "40", "The sum of the shares must be 100 %, got 90; divide each share by their sum."),
    ("users", "none", "The number of users must be above 0, got none; enter how many the test will have."),
    ("day", "-3", "The number of new users a day must be above 0, got -3; count each user on the first day only."),
    ("part", "101", "The share in the test must be above 0 and at most 100 %, got 101; enter 100 if all take part."),
    ("c0", "-1", f"The count of control must be a whole number, 0 or more, got -1; {ASSIGNED}."),
    ("c1", "", f"The count of treatment must be a whole number, 0 or more, got nothing; {ASSIGNED}."),
]  # fmt: skip
AFFECTED = {
    "users": {"mde"},
    "day": {"time"},
    "part": {"time"},
    "c0": {"srm"},
    "c1": {"srm"},
    "effect": {"size", "time"},
}
MEAN_FIELDS = {"kind": "mean", "unit": "relative", "mean": "30", "sd": "40", "effect": "2"}


# Each text into each field that is shown, one after another: what the page then says, without what was typed.
TYPE_EACH = """texts => [...document.querySelectorAll("#casebook-ab input")].flatMap(e => {
  if (!e.checkVisibility()) return [];
  const kept = e.value, put = text => { e.value = text; e.dispatchEvent(new Event("input", {bubbles: true})); };
  const said = texts.map(text => { put(text);
    return [e.id, text, document.querySelector("#casebook-ab").innerText.replaceAll(`got ${text};`, "")]; });
  put(kept);
  return said; })"""
TYPED = ["", "x", "-1", "0", "1e400", "1e308", "1e-320", "1e-12", "99.9999999999", "NaN", "1,2"]
NOT_FOR_READERS = re.compile(r"NaN|undefined|null|\u221e|Infinity")


@pytest.fixture
def calculator(open_page):
    return open_page(PAGE)


def put(page, **fields: str) -> None:
    for name, text in fields.items():
        place = page.locator(f"#ab-{name}")
        if place.evaluate("e => e.tagName") == "SELECT":
            place.select_option(text)
        else:
            place.fill(text)


def status(page, part: str) -> str:
    return page.locator(f"#ab-part-{part} .cc-status").inner_text()


def tiles(page, part: str) -> list[str]:
    return page.locator(f"#ab-part-{part} dd").all_inner_texts()


@pytest.mark.parametrize(("base", "change", "per_arm"), KNOWN)
def test_published_sizes_of_the_pooled_z_test(calculator, base, change, per_arm):
    put(calculator, base=f"{100 * base:g}", effect=f"{100 * change:g}")
    control, treatment, total = (int(text.replace(",", "")) for text in tiles(calculator, "size"))
    assert control == treatment == total / 2
    assert control - per_arm in (0, 1)  # the published ones are rounded to the nearest, an arm is rounded up


def test_published_sample_ratio(calculator):
    calculator.select_option("#ab-preset", "eye")
    assert tiles(calculator, "srm") == ["1.8e-06", "alarm", "alarm"]
    assert status(calculator, "srm") == "The arms' sizes contradict the plan (p = 1.8e-06): find the cause."


def test_alarm_levels_differ(calculator):
    put(calculator, c0="50,460", c1="49,540")
    assert tiles(calculator, "srm") == [f"{srm([50_460, 49_540], [0.5, 0.5]).p:.2g}", "alarm", "no alarm"]
    assert calculator.locator("#ab-part-srm .cc-alarm").count() == 1


def test_three_arms_are_as_many_as_the_smallest_needs(calculator):
    put(calculator, arms="3", s0="30", s1="20", s2="50", c0="300", c1="200", c2="501")
    *arms, total = (int(text.replace(",", "")) for text in tiles(calculator, "size"))
    assert total == sum(arms)
    for least, treated in ((0.8, arms[1]), (0.85, arms[2])):
        assert power_of(0.2, 0.05, treated, arms[0]) >= least
    assert power_of(0.2, 0.05, arms[1] - 1, arms[0] - 1) < 0.8
    assert tiles(calculator, "srm")[0] == f"{srm([300, 200, 501], [0.3, 0.2, 0.5]).p:.2g}"


def test_duration_is_raw_days_and_whole_weeks(calculator):
    put(calculator, day="200", part="50")
    assert tiles(calculator, "time") == ["21.9", "4 whole weeks"]  # 2 x 1,094 users at 100 a day


def test_page_shows_the_detectable_change(calculator):
    down, up = (mde(0.2, 2500, 2500, direction=way) for way in ("down", "up"))
    assert tiles(calculator, "mde")[:2] == [f"\u2212{-100 * down:.3g} points", f"+{100 * up:.3g} points"]
    put(calculator, **MEAN_FIELDS)
    least = mde_mean(40, 2500, 2500)
    assert tiles(calculator, "mde") == [f"{least:.3g}", f"{100 * least / 30:.3g}\u00a0%"]
    size = sample_size_mean(40, 0.6)
    assert tiles(calculator, "size")[0] == f"{size.control:,}"
    put(calculator, kind="rate", unit="absolute", base="1", users="40")
    assert tiles(calculator, "mde")[0] == "not even 0\u00a0%"


def test_relative_and_absolute_changes_agree(calculator):
    absolute = tiles(calculator, "size")
    put(calculator, unit="relative", effect="25")
    assert tiles(calculator, "size") == absolute
    assert "% become 25" in status(calculator, "size")


@pytest.mark.parametrize(("field", "typed", "sentence"), REFUSED)
def test_bad_input_gets_one_sentence(calculator, field, typed, sentence):
    before = {part: tiles(calculator, part) for part in RESULTS}
    put(calculator, **{field: typed})
    assert calculator.locator(".cc-error:visible").all_inner_texts() == [sentence]
    assert calculator.locator("[aria-invalid=true]").evaluate_all("all => all.map(e => e.id)") == [f"ab-{field}"]
    silent = {part for part in RESULTS if not tiles(calculator, part)}
    every = set(RESULTS) if field.startswith("s") else {"size", "mde", "time"}
    assert silent == AFFECTED.get(field, every)
    assert all(status(calculator, part).startswith("No result") for part in silent)
    assert all(sentence in status(calculator, part) for part in silent)
    assert all(tiles(calculator, part) == before[part] for part in RESULTS if part not in silent)
    assert "NaN" not in calculator.locator("#casebook-ab").inner_html()


def test_no_text_in_any_field_breaks_the_page(calculator):
    put(calculator, arms="3", s0="30", s1="30", s2="40", c2="900", **MEAN_FIELDS)
    for kind in ("mean", "rate"):
        put(calculator, kind=kind)
        answers = calculator.evaluate(TYPE_EACH, TYPED)
        assert len(answers) >= 13 * len(TYPED)
        wrong = [(name, typed, words) for name, typed, words in answers if NOT_FOR_READERS.search(words)]
        assert wrong == []


def test_address_holds_the_state(open_page, calculator):
    given = {"arms": "3", "s0": "30", "s1": "30", "s2": "40", **MEAN_FIELDS, "users": "12,000", "c2": "1,500"}
    put(calculator, **given)
    again = open_page(PAGE + calculator.evaluate("location.hash"))
    assert {name: again.locator(f"#ab-{name}").input_value() for name in given} == given
    assert again.locator("#ab-preset").input_value() == "own"
    assert [tiles(again, part) for part in RESULTS] == [tiles(calculator, part) for part in RESULTS]
    hostile = open_page(PAGE + "#kind=<b>&base=<img src=x onerror=alert(1)>")
    assert hostile.locator("#casebook-ab img").count() == 0
    assert "got <img" in status(hostile, "size")


def test_each_example_computes_and_can_be_linked(open_page, calculator):
    options = calculator.locator("#ab-preset option").evaluate_all("all => all.map(e => e.value)")
    assert len(options) == 5
    for name in options[:-1]:
        calculator.select_option("#ab-preset", name)
        assert all(tiles(calculator, part) for part in RESULTS)
        if name != options[0]:
            again = open_page(PAGE + calculator.evaluate("location.hash"))
            assert again.locator("#ab-preset").input_value() == name


def test_keyboard_reaches_every_control_and_each_has_a_label(calculator):
    put(calculator, arms="3", **MEAN_FIELDS)
    controls = calculator.locator("#casebook-ab :is(input, select):visible")
    wanted = controls.evaluate_all("all => all.map(e => e.id)")
    assert controls.evaluate_all("all => all.every(e => e.labels.length === 1 && e.labels[0].textContent.trim())")
    calculator.locator("#ab-preset").focus()
    reached = []
    for _ in wanted:
        reached.append(calculator.evaluate("document.activeElement.id"))
        calculator.keyboard.press("Tab")
    assert reached == wanted
    assert len(wanted) >= 18


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("fields", [{"c0": "90"}, {"base": "x", "c1": "x"}, {"arms": "3", **MEAN_FIELDS}])
def test_axe_finds_no_fault_in_alarms_errors_and_three_arms(open_page, theme, fields):
    page = open_page(PAGE, theme)
    put(page, **fields)
    found = Axe().run(page, context="#casebook-ab", options={"resultTypes": ["violations"]}).response["violations"]
    assert [(fault["id"], node["html"][:120]) for fault in found for node in fault["nodes"]] == []


def test_results_are_announced(calculator):
    live = calculator.locator("#casebook-ab [role=status][aria-live=polite]")
    assert live.count() == len(RESULTS)


@pytest.mark.parametrize("preset", ["feed", "eye"])
def test_phone_holds_the_form(open_page, preset):
    page = open_page(PAGE, width=390)
    page.select_option("#ab-preset", preset)
    wide, seen = page.evaluate("[document.scrollingElement.scrollWidth, document.scrollingElement.clientWidth]")
    assert wide <= seen
    edge = page.locator("#casebook-ab").evaluate("e => e.getBoundingClientRect().right")
    inner = page.locator("#casebook-ab *:visible")
    assert (
        inner.evaluate_all("(all, edge) => all.filter(e => e.getBoundingClientRect().right > edge).length", edge) == 0
    )


def test_the_words_beside_the_form_name_its_own_numbers(open_page, calculator):
    words = calculator.locator(".bd-article").inner_text()
    assert f"{sample_size(0.2, 0.05).control:,} users in each arm" in words
    bare = open_page(PAGE, javascript=False).locator("#casebook-ab").inner_text()
    statistic = srm([821_588, 815_482], [0.5, 0.5]).statistic
    for number in (
        f"= {16 * 0.2 * 0.8 / 0.05**2:,.0f}",
        f"give {statistic:.1f}",
        *(f"{chi2.isf(0.01, k):.2f}" for k in (1, 2)),
    ):
        assert number in bare
    assert "This tool needs JavaScript, and it is not running here." in bare


def test_the_calculators_lead_to_each_other(site):
    for here, there in (("calculator", "ab_calculator"), ("ab_calculator", "calculator")):
        links = [link["href"] for link in site.soup(f"book/{here}.html").select(".bd-article a[href]")]
        assert f"{there}.html" in links
