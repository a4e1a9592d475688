"""What the pages say and offer: launch buttons, drills, exercises, ledger, status, dials, and the sheet on paper."""

from __future__ import annotations

import json
import os
import re
from urllib.parse import parse_qs, urljoin, urlsplit

import jupytext
import pytest

from casebook.cards import load_cards
from casebook.drills import DRILLS
from casebook.studies import discover
from tools.paths import ROOT, built, notebook_sources
from tools.twins import derived

pytestmark = pytest.mark.site

CHAPTER = "notebooks/03_cost_asymmetry.html"
FIELDS = {"id", "section", "claim", "verdict", "value", "unit", "link"}
A4_POINTS = (595, 842)  # rounded, as printed in the file
ROUNDING = 1e-5  # the page carries six significant digits of an answer


@pytest.fixture(scope="session")
def repository(site) -> str:
    """Return the address of ``_config.yml``, or the fork's where its CI builds."""
    fork = os.environ.get("GITHUB_REPOSITORY")
    return f"https://github.com/{fork}" if fork else site.config["repository"]["url"]


def hrefs(soup, selector: str) -> list[str]:
    return [link["href"] for link in soup.select(f"{selector} a[href]")]


def rows(soup, place: str = ".bd-article") -> list[list[str]]:
    return [[c.get_text(" ", strip=True) for c in row.select("td")] for row in soup.select(f"{place} tbody tr")]


def test_launch_buttons_open_the_notebook(site, repository, chapter):
    owner = repository.removeprefix("https://github.com/")
    branch = site.config["repository"]["branch"]
    file = f"notebooks/{chapter}.ipynb"
    assert hrefs(site.soup(f"notebooks/{chapter}.html"), ".dropdown-launch-buttons") == [
        f"https://mybinder.org/v2/gh/{owner}/{branch}?urlpath=lab/tree/{file}",
        f"https://colab.research.google.com/github/{owner}/blob/{branch}/{file}",
    ]
    assert ROOT / file in derived(ROOT)
    assert (ROOT / file).is_file(), f"{file} must be committed, got no file; run `make twins`"


def test_pages_without_code_have_no_launch_button(site, page_name):
    count = len(site.soup(page_name).select(".dropdown-launch-buttons"))
    assert count == page_name.startswith("notebooks/")


def test_links_to_files_of_the_repository_name_files_that_exist(site, repository, page_name):
    start = f"{repository}/blob/{site.config['repository']['branch']}/"
    linked = [h.removeprefix(start) for h in hrefs(site.soup(page_name), "body") if h.startswith(start)]
    assert [name for name in linked if not (ROOT / name.split("#")[0]).is_file()] == []


def test_downloads_are_the_sources(browser, site, chapter):
    name = f"notebooks/{chapter}.html"
    ipynb, py = (urljoin(site.url(name), h) for h in hrefs(site.soup(name), ".dropdown-download-buttons")[:2])
    page = browser.new_page()
    got = {kind: page.request.get(address) for kind, address in (("ipynb", ipynb), ("py", py))}
    assert {answer.status for answer in got.values()} == {200}
    assert got["py"].text() == (ROOT / "notebooks" / f"{chapter}.py").read_text(encoding="utf-8")
    source = [
        cell.source for cell in jupytext.read(ROOT / "notebooks" / f"{chapter}.py").cells if cell.cell_type == "code"
    ]
    sent = [cell for cell in json.loads(got["ipynb"].text())["cells"] if cell["cell_type"] == "code"]
    page.close()
    assert ["".join(cell["source"]) for cell in sent][1:] == source[1:]  # the first is the stamped install cell


def test_an_error_can_be_reported_on_every_page(site, repository, page_name):
    button = site.soup(page_name).select_one(".btn-source-issues-button")
    assert button.get_text(strip=True) == "Report an error on this page"
    assert button["href"].startswith(f"{repository}/issues/new?")
    assert page_name in parse_qs(urlsplit(button["href"]).query)["title"][0]


def test_edit_button_opens_the_source(site, repository, page_name):
    stem = page_name.removesuffix(".html")
    ending = ".py" if page_name.startswith("notebooks/") else ".md"
    branch = site.config["repository"]["branch"]
    button = site.soup(page_name).select_one(".btn-source-edit-button")
    assert button["href"] == f"{repository}/edit/{branch}/{stem}{ending}"
    assert (ROOT / f"{stem}{ending}").is_file()


def test_no_number_is_missing_or_left_as_its_key(site, page_name):
    soup = site.soup(page_name)
    prose = [text for text in soup.find_all(string=re.compile(r"\{glue")) if not text.find_parent(["code", "pre"])]
    assert prose == []
    pasted = soup.select(".pasted-text, .pasted-inline")
    assert [str(tag) for tag in pasted if not tag.get_text(strip=True) and not tag.img] == []


def test_a_chapter_cites_its_numbers(site):
    assert len(site.soup(CHAPTER).select(".pasted-text")) > 50


def cells(chapter: str, tag: str) -> list:
    found = jupytext.read(ROOT / "notebooks" / f"{chapter}.py").cells
    return [cell for cell in found if cell.cell_type == "code" and tag in cell.metadata.get("tags", [])]


def test_solutions_are_folded_until_clicked(open_page):
    page = open_page(CHAPTER)
    solutions = page.locator(".cell.tag_solution")
    assert solutions.count() == len(cells("03_cost_asymmetry", "solution")) >= 5
    for solution in solutions.all():
        code = solution.locator(".cell_input pre")
        assert not code.is_visible()
        solution.locator("summary").click()
        assert code.is_visible()
        assert "answer" in code.inner_text()


def test_checks_of_exercises_are_in_sight(open_page):
    checks = open_page(CHAPTER).locator(".cell.tag_exercise > .cell_input pre", has_text="EXERCISES[")
    assert checks.count() == sum("EXERCISES[" in cell.source for cell in cells("03_cost_asymmetry", "exercise")) >= 5
    assert all(check.is_visible() for check in checks.all())


@pytest.mark.parametrize(
    ("mark", "cell", "style"), [("core", ".tag_core > .cell_input", "solid"), ("deeper", ".tag_deeper", "dashed")]
)
def test_core_path_and_depth_are_marked(open_page, mark, cell, style):
    page = open_page(CHAPTER)
    assert page.locator(cell).count() == len(
        [c for c in cells("03_cost_asymmetry", mark) if "remove-cell" not in c.metadata["tags"]]
    )
    drawn = """(e, style) => [e, e.parentElement].some(x => {
      const s = getComputedStyle(x); return s.borderLeftStyle === style && parseFloat(s.borderLeftWidth) >= 3 })"""
    # A section of deeper cells alone carries the rule for all of them.
    assert [c.inner_text()[:80] for c in page.locator(cell).all() if not c.evaluate(drawn, style)] == []


def test_the_unmarked_cell_has_another_border(open_page):
    page = open_page(CHAPTER)
    plain = page.locator(".cell:not(.tag_core, .tag_deeper) > .cell_input").first
    core = page.locator(".cell.tag_core > .cell_input").first
    colour = "e => getComputedStyle(e).borderLeftColor + getComputedStyle(e).borderLeftWidth"
    assert plain.evaluate(colour) != core.evaluate(colour)


def test_drills_on_the_page_are_those_of_the_package(site):
    items = site.soup(CHAPTER).select("ol.casebook-drills > li")
    assert [item.select_one(".q").get_text() for item in items] == [drill.question for drill in DRILLS]
    assert len(items) == 12
    assert [float(item["data-answer"]) for item in items] == pytest.approx([d.answer for d in DRILLS], rel=ROUNDING)


def test_drills_mark_right_and_wrong(open_page):
    page = open_page(CHAPTER)
    items = page.locator("ol.casebook-drills > li")
    for number, drill in enumerate(DRILLS):
        item = items.nth(number)
        for answer, state in (
            (drill.answer * 1.12, "wrong"),
            (drill.answer * 0.88, "wrong"),
            (drill.answer * 1.09, "right"),
        ):
            item.locator("input").fill(f"{answer:.6g}")
            item.locator("input").press("Enter")
            assert item.get_attribute("data-state") == state
        assert item.locator("details .working").inner_text() == drill.working
    assert "12 of 12 right so far." in page.locator(".casebook-drills__score").inner_text()


def test_drills_refuse_what_is_no_number(open_page):
    page = open_page(CHAPTER)
    page.locator("ol.casebook-drills input").first.fill("many")
    page.locator("ol.casebook-drills button").first.click()
    assert page.locator(".casebook-drills__score").inner_text() == (
        "Drill 1: the answer must be a number, got many; type digits, a fraction or a percentage."
    )


@pytest.mark.parametrize(
    ("typed", "number"),
    [("1/101", 1 / 101), ("1 %", 0.01), ("$1,200", 1200), ("3k", 3000), ("2.5m", 2.5e6), ("−4", -4), ("1e-3", 0.001)],
)
def test_drills_read_numbers_as_people_write_them(open_page, typed, number):
    page = open_page("book/bench.html")  # the script is on every page, and this one is short
    assert page.evaluate("text => casebookDrills.read(text)", typed) == pytest.approx(number)


def test_drills_without_script_keep_their_answers_folded(open_page):
    page = open_page(CHAPTER, javascript=False)
    folded = page.locator("ol.casebook-drills > li details")
    assert folded.count() == len(DRILLS)
    assert page.locator("ol.casebook-drills input").count() == 0
    assert not folded.first.locator(".a").is_visible()
    folded.first.locator("summary").click()
    assert folded.first.locator(".a").inner_text() == f"{DRILLS[0].answer:.4g} {DRILLS[0].unit}"


WHOSE = {"document": "source", "own": "ours"}


@pytest.fixture(scope="session")
def ledger(site) -> list[dict]:
    return json.loads((site.html / "book/claims.json").read_text(encoding="utf-8"))


def test_ledger_file_has_its_fields(ledger):
    assert ledger
    assert [entry.get("id") for entry in ledger if not set(entry) >= FIELDS] == []
    assert len({entry["id"] for entry in ledger}) == len(ledger)


def test_ledger_page_shows_every_claim(site, ledger):
    shown = rows(site.soup("book/ledger.html"))
    assert shown == [
        [
            str(e["section"]),
            WHOSE[e["source"]],
            " ".join(e["claim"].split()),
            e["verdict"],
            " ".join(e["sentence"].split()),
        ]
        for e in ledger
    ]


def test_ledger_links_to_the_cell_that_proves_it(site, ledger):
    wrong = []
    for entry in ledger:
        page, _, place = entry["link"].partition("#")
        wrong += [] if place and site.soup(page).find(id=place) else [f"{entry['id']}: {entry['link']}"]
    assert wrong == []


def test_status_page_lists_every_notebook(site):
    shown = {row[0]: row[1:] for row in rows(site.soup("book/status.html"))}
    report = {
        run["notebook"]: run for run in json.loads(built(ROOT, "report", "notebooks.json").read_text(encoding="utf-8"))
    }
    assert list(shown) == [source.stem for source in notebook_sources()]
    for name, (seconds, memory, status) in shown.items():
        assert status == "ok"
        assert (seconds, memory) == (f"{report[name]['seconds']:.0f}", f"{report[name]['peak_mb']:.0f}")


def test_honesty_page_lists_every_dial_of_every_study(site):
    shown = [(row[0], row[4], row[5]) for row in rows(site.soup("book/honesty.html")) if len(row) == 6]
    wanted = [(d.name, d.source, d.moral) for study in discover().values() for d in study.dials]
    assert shown == [tuple(" ".join(text.split()) for text in row) for row in wanted]
    titles = [study.title for study in discover().values()]
    assert [h.get_text() for h in site.soup("book/honesty.html").select(".bd-article h3")] == titles


def test_withdrawn_morals_are_those_that_were_corrected(site, ledger):
    place = site.soup("book/honesty.html").find("section", id="what-did-not-hold")
    shown = [
        row.select_one("td").get_text(strip=True) for row in place.select("tbody tr") if len(row.select("td")) == 2
    ]
    gone = [e["claim"] for e in ledger if e["kind"] == "moral" and e["verdict"] == "corrected"]
    assert shown == gone
    assert gone or "None so far." in place.get_text()


def test_sheet_prints_on_one_page_a_card(open_page):
    page = open_page("book/sheets.html")
    paper = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == len(load_cards()) == page.locator(".casebook-sheet").count()
    boxes = {tuple(round(float(x)) for x in box.split()[2:]) for box in re.findall(rb"/MediaBox\s*\[([^]]+)\]", paper)}
    assert boxes == {A4_POINTS}


def test_sheet_on_paper_has_no_menus(open_page):
    page = open_page("book/sheets.html")
    page.emulate_media(media="print")
    assert page.locator(".casebook-sheet").first.is_visible()
    for menu in (".bd-sidebar-primary", ".bd-header-article", ".prev-next-footer", ".bd-footer-content"):
        assert not any(part.is_visible() for part in page.locator(menu).all())
