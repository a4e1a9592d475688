"""Light and dark, wide and narrow: legible, nothing cut, and no fault that axe finds in markup of ours."""

from __future__ import annotations

import functools
import io
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageStat

pytestmark = pytest.mark.site

PHONE = 390
READABLE = 4.5  # WCAG 2.1, 1.4.3, level AA, for text of ordinary size
CHAPTER = "notebooks/03_cost_asymmetry.html"
CLAIMS = "notebooks/03_cost_asymmetry_claims.html"
BOXES = {
    ".admonition.say-it": CHAPTER,
    ".admonition.they-push-back": CHAPTER,
    ".admonition.did-otherwise": CHAPTER,
    ".admonition.go-deeper": CHAPTER,
    ".admonition.memo": CHAPTER,
    ".admonition.step": CHAPTER,
    ".casebook-card": CHAPTER,
    ".casebook-drills": CHAPTER,
    ".casebook-claim--confirmed": CLAIMS,
    ".casebook-claim--corrected": CLAIMS,
    ".casebook-claim--depends": CLAIMS,
    ".casebook-verdict": "book/ledger.html",
    "#casebook-calculator": "book/calculator.html",
    "#casebook-ab": "book/ab_calculator.html",
    ".casebook-sheet": "book/sheets.html",
}
# What axe finds in markup that is not ours, by rule: where, and whose it is. Anything else fails.
THEME = {
    "region": (".bd-sidebar-primary", "sphinx-book-theme: the sidebar's logo stands outside of its nav"),
    "summary-name": (
        ".bd-sidebar-primary",
        "pydata-sphinx-theme: the arrow that unfolds a chapter is an icon without a name",
    ),
    "empty-table-header": ("table:is(.dataframe, [id^='T_']) thead", "pandas: the corner above an index has no text"),
    "aria-allowed-role": (".citation", "docutils: doc-biblioentry on a div"),
    "aria-deprecated-role": (".citation", "docutils: doc-biblioentry on a div"),
    "aria-required-children": (".citation-list", "docutils: a list whose items have the role doc-biblioentry"),
}
VIOLATIONS = {"resultTypes": ["violations"]}  # the page of what passed is megabytes long
TALL = {"book/api.html"}  # axe scrolls to each text to see its ground: minutes; test_body_is_legible covers this page
COLOUR_ONLY = VIOLATIONS | {"runOnly": {"type": "rule", "values": ["color-contrast"]}}

CONTRASTS = """selector => {
  const parse = c => { const n = c.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const over = (top, under) => top.slice(0, 3).map((v, i) => v * top[3] + under[i] * (1 - top[3]));
  const ground = e => { const chain = [];
    for (; e; e = e.parentElement) chain.push(parse(getComputedStyle(e).backgroundColor));
    return chain.reverse().reduce((under, top) => over(top, under), [255, 255, 255]); };
  const light = rgb => { const [r, g, b] = rgb.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b; };
  const ratio = e => { const under = ground(e), ink = over(parse(getComputedStyle(e).color), under);
    const [a, b] = [light(ink), light(under)].sort((x, y) => y - x); return (a + .05) / (b + .05); };
  const speaks = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  const found = [];
  for (const box of document.querySelectorAll(selector))
    for (const e of [box, ...box.querySelectorAll("*")])
      if (speaks(e) && !e.closest("mjx-container, svg, .headerlink"))
        found.push([ratio(e), e.textContent.trim().slice(0, 40)]);
  return found;
}"""
CUT = """() => {
  const width = document.scrollingElement.clientWidth;
  const scrolls = e => { for (let p = e; p && p !== document.body; p = p.parentElement)
    if (/auto|scroll/.test(getComputedStyle(p).overflowX)) return true; return false; };
  const cut = [...document.querySelectorAll(".bd-article *")].filter(e => {
    const box = e.getBoundingClientRect();
    const outside = box.width > 1 && box.height > 1 && (box.right > width + 1 || box.left < -1);
    return outside && !scrolls(e.parentElement) && e.checkVisibility(); });
  return cut.map(e => `${e.tagName} ${e.className}: ${e.textContent.trim().slice(0, 40)}`);
}"""
TABLES = """() => [...document.querySelectorAll(".bd-article table")].filter(t => t.checkVisibility()).map(table => {
  let box = table;
  while (box && !/auto|scroll/.test(getComputedStyle(box).overflowX)) box = box.parentElement;
  const wide = table.getBoundingClientRect().right > document.scrollingElement.clientWidth;
  return {wide, own: Boolean(box) && box.matches(".bd-article *"), text: table.textContent.trim().slice(0, 40)};
})"""


def turn(page, theme: str) -> None:
    """Show the page in a theme, at once: halfway through a transition a colour is neither."""
    page.add_style_tag(content="* { transition: none !important }")
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")


def pale(page, selector: str) -> list:
    """Return each text below the readable contrast, in light and in dark; fail where there is no text."""
    found = []
    for theme in ("light", "dark"):
        turn(page, theme)
        pairs = page.evaluate(CONTRASTS, selector)
        assert pairs, f"{selector} must stand on {page.url}"
        found += [(theme, *pair) for pair in pairs if pair[0] < READABLE]
    return found


@pytest.mark.parametrize("box", BOXES)
def test_box_is_legible(open_page, box):
    assert pale(open_page(BOXES[box]), box) == []


def test_body_is_legible(open_page, page_name):
    assert pale(open_page(page_name), ".bd-article") == []


def test_contrast_is_measured(open_page):
    """Known answers: grey #777 on white is 4.48 to 1, and black through a half-transparent white is its ground's."""
    page = open_page("book/bench.html")
    page.evaluate("document.body.innerHTML = '<p id=a style=\"color:#777;background:#fff\">x</p>'")
    assert page.evaluate(CONTRASTS, "#a")[0][0] == pytest.approx(4.478, abs=1e-3)


@functools.cache
def brightness(picture: bytes) -> float:
    return float(ImageStat.Stat(Image.open(io.BytesIO(picture)).convert("L")).mean[0])


def test_dark_page_is_dark_and_its_figures_are_turned(open_page):
    light, dark = open_page(CHAPTER), open_page(CHAPTER, "dark")
    filters = "[...document.querySelectorAll('.cell_output img')].map(e => getComputedStyle(e).filter)"
    assert set(light.evaluate(filters)) == {"none"}
    assert set(dark.evaluate(filters)) == {"invert(1) hue-rotate(180deg)"}
    assert brightness(light.screenshot()) > 200
    assert brightness(dark.screenshot()) < 60
    ground = "getComputedStyle(document.querySelector('.cell_output img')).backgroundColor"
    assert dark.evaluate(ground) == "rgba(0, 0, 0, 0)"


def test_the_button_changes_the_theme_and_the_page_remembers(browser, site):
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    page.goto(site.url(CHAPTER))
    seen = {}
    for _ in range(3):
        page.locator(".theme-switch-button:visible").first.click()
        mode = page.evaluate("localStorage.getItem('mode')")
        seen[mode] = page.evaluate("document.documentElement.dataset.theme")
    assert seen == {"light": "light", "dark": "dark", "auto": "light"}
    while page.evaluate("localStorage.getItem('mode')") != "dark":
        page.locator(".theme-switch-button:visible").first.click()
    page.goto(site.url("book/index.html"))
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    context.close()


def test_phone_does_not_scroll_sideways(open_page, page_name):
    page = open_page(page_name, width=PHONE)
    wide, seen = page.evaluate("[document.scrollingElement.scrollWidth, document.scrollingElement.clientWidth]")
    assert wide <= seen
    assert page.evaluate(CUT) == []
    assert [table["text"] for table in page.evaluate(TABLES) if table["wide"] and not table["own"]] == []


def test_wide_screen_cuts_nothing(open_page, page_name):
    assert open_page(page_name).evaluate(CUT) == []


def test_a_cut_line_is_seen(open_page):
    page = open_page("book/bench.html", width=PHONE)
    page.evaluate("document.querySelector('.bd-article p').style.width = '600px'")
    assert page.evaluate(CUT)


def test_a_chapters_wide_table_scrolls_in_its_box(open_page):
    tables = open_page(CHAPTER, width=PHONE).evaluate(TABLES)
    assert [table for table in tables if table["wide"]], "one table at least must be wider than a phone"
    assert all(table["own"] for table in tables if table["wide"])


def test_pictures_say_what_they_show(site, page_name):
    pictures = site.soup(page_name).select(".bd-article img")
    assert [picture["src"] for picture in pictures if not picture.get("alt", "").strip()] == []
    figures = site.soup(page_name).select(".cell_output img")
    assert [f["alt"] for f in figures if re.search(r"\d", f["alt"])] == [], (
        "a number in an alt text is typed, not computed"
    )
    assert [
        str(d)[:80]
        for d in site.soup(page_name).select(".bd-article svg[role='img']:not([aria-label], [aria-labelledby])")
    ] == []


def test_a_chapter_has_figures(site):
    assert len(site.soup(CHAPTER).select(".cell_output img[src$='.svg']")) >= 5


def ours(page, options=VIOLATIONS) -> list[str]:
    """Run axe and return the faults that the list above does not cover: rule, where, and the markup."""
    left = []
    for fault in Axe().run(page, options=options).response["violations"]:
        for node in fault["nodes"]:
            place, selector = node["target"][-1], THEME.get(fault["id"], ("no-such-element", ""))[0]
            inside = page.evaluate("([e, s]) => Boolean(document.querySelector(e)?.closest(s))", [place, selector])
            left += [] if inside else [f"{fault['id']}: {place}: {node['html'][:120]}"]
    return left


def test_axe_finds_no_fault_of_ours(open_page, page_name):
    """All rules on the light page; on the dark one the one about colour, since nothing else differs."""
    page = open_page(page_name)
    tall = page_name in TALL
    assert ours(page, VIOLATIONS | {"rules": {"color-contrast": {"enabled": not tall}}}) == []
    turn(page, "dark")
    assert tall or ours(page, COLOUR_ONLY) == []


def test_axe_finds_a_planted_fault(open_page):
    page = open_page("book/bench.html")
    planted = "<img src='x.png'><p style='color:#ccc'>pale</p>"
    page.evaluate("html => document.querySelector('.bd-article').insertAdjacentHTML('beforeend', html)", planted)
    found = " ".join(ours(page))
    assert "image-alt" in found
    assert "color-contrast" in found
