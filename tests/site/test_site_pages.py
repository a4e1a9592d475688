"""Each page loads clean from one host, finds its files, and leads nowhere that does not exist."""

from __future__ import annotations

import functools
import re
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree import ElementTree

import pytest
from PIL import Image

from tools import browser, social_card
from tools.paths import ROOT

pytestmark = pytest.mark.site

STUBS = ["index.html", "search.html", "genindex.html", "py-modindex.html"]
CARD_BYTES = 100_000
CARD_SIZE = (1200, 630)


def complaints(page, address: str) -> list[str]:
    """Open an address and return each error that the browser reports, each missing file, each foreign request."""
    home, found = "{0.scheme}://{0.netloc}".format(urlsplit(address)), []

    def request(route) -> None:
        if route.request.url.startswith((home, "data:", "blob:")):
            route.continue_()
        else:
            found.append(f"asks another host: {route.request.url}")
            route.abort()

    page.route("**/*", request)
    page.on("console", lambda message: message.type == "error" and found.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: found.append(f"script: {error}"))
    page.on("response", lambda got: got.status >= 400 and found.append(f"{got.status}: {got.url}"))
    page.goto(address, wait_until="networkidle")
    return found


def test_page_loads_clean(browser, site, page_name):
    page = browser.new_page()
    assert complaints(page, site.url(page_name)) == []
    page.close()


@pytest.mark.parametrize("name", STUBS)
def test_page_that_sphinx_makes_loads_clean(browser, site, name):
    page = browser.new_page()
    assert complaints(page, site.url(name)) == []
    page.close()


def test_the_watch_sees_a_fault(browser, site):
    """A page that errs, misses a file and asks another host is caught at all three."""
    page = browser.new_page()
    faults = "fetch('gone.js'); new Image().src = 'http://example.org/x.png'; throw Error('x')"
    page.add_init_script(f"addEventListener('load', () => {{ {faults} }})")
    found = " ".join(complaints(page, site.url("book/bench.html")))
    page.close()
    assert all(
        word in found for word in ("404", "asks another host: http://example.org/x.png", "script: x", "console:")
    )


@functools.cache
def anchors(site, name: str) -> set[str]:
    return {tag.get("id") or tag.get("name") for tag in site.soup(name).select("[id], a[name]")}


def broken_links(site, name: str) -> list[str]:
    """Return each href of a page that leads to no file, or to no anchor of that file, inside the site."""
    wrong = []
    for link in site.soup(name).select("a[href]"):
        address = urljoin(site.url(name), link["href"])
        if not address.startswith(site.url("")) or link["href"] in ("#", ""):
            continue
        parts = urlsplit(address)
        target = unquote(parts.path.removeprefix(site.prefix)) or "index.html"
        if not (site.html / target).is_file():
            wrong.append(f"{link['href']}: no such file")
        elif parts.fragment and target.endswith(".html") and unquote(parts.fragment) not in anchors(site, target):
            wrong.append(f"{link['href']}: no such place on that page")
    return wrong


def test_links_inside_the_site_lead_somewhere(site, page_name):
    assert broken_links(site, page_name) == []


def test_an_unknown_address_gets_a_whole_page(browser, site):
    """GitHub Pages answers any path with 404.html, so its files must be named from the site's root."""
    page = browser.new_page()
    address = site.url("notebooks/deeper/still/gone.html")
    others = [line for line in complaints(page, address) if address not in line and "console: Failed" not in line]
    assert others == []
    assert page.locator(".bd-article h1").inner_text().startswith("Page not found")
    font = page.evaluate("getComputedStyle(document.querySelector('.bd-content')).display")
    page.close()
    assert font == "flex", "the theme's style sheet must be loaded"


def test_sitemap_lists_every_page(site):
    tree = ElementTree.parse(site.html / "sitemap.xml")
    listed = {place.text for place in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")}
    assert {site.base + name for name in site.pages} <= listed
    assert [
        a for a in listed if not (a.startswith(site.base) and (site.html / a.removeprefix(site.base)).exists())
    ] == []
    assert not [a for a in listed if a.endswith(("/404.html", "/search.html"))], "list sitemap_excludes in _config.yml"


def test_favicon_is_served(browser, site, page_name):
    icon = site.soup(page_name).select_one("link[rel='icon']")["href"]
    page = browser.new_page()
    answer = page.request.get(urljoin(site.url(page_name), icon))
    page.close()
    assert answer.status == 200
    assert answer.headers["content-type"] == "image/svg+xml"


def meta(soup, name: str) -> str:
    tag = soup.select_one(f"meta[property='og:{name}']")
    return tag["content"] if tag else ""


def test_page_says_what_a_preview_shows(site, page_name):
    soup = site.soup(page_name)
    assert meta(soup, "title") == " ".join(soup.select_one("h1").get_text().removesuffix("#").split())
    assert meta(soup, "image") == f"{site.base}_static/social_card.png"
    assert meta(soup, "image:alt")
    assert meta(soup, "description")
    assert meta(soup, "url") == site.base + page_name
    assert meta(soup, "site_name") == site.config["title"]


def test_social_card_is_what_its_drawing_gives(site):
    """The drawing's digest stands in the picture: rendered fonts differ by machine, so pixels are not compared."""
    card = ROOT / "book/_static/social_card.png"
    with Image.open(card) as picture:
        assert picture.size == CARD_SIZE
        assert picture.text["source"] == social_card.digest(), "run `python -m tools.social_card`"
    assert card.stat().st_size < CARD_BYTES
    assert (site.html / "_static/social_card.png").read_bytes() == card.read_bytes()


def test_search_page_finds_a_word(open_page):
    page = open_page("search.html?q=uplift")
    results = page.locator("#search-results li a")
    results.first.wait_for(timeout=10_000)
    assert re.search(
        r"(notebooks/\d\d_\w+|book/glossary)\.html", " ".join(a.get_attribute("href") for a in results.all())
    )


def test_search_box_leads_to_the_search_page(open_page):
    page = open_page("book/index.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("uplift")
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.wait_for(timeout=10_000)
    assert "q=uplift" in page.url


def test_search_finds_nothing_for_a_word_that_is_not_there(open_page):
    page = open_page("search.html?q=zyzzyva")
    page.get_by_text("did not match any documents").wait_for(timeout=10_000)
    assert page.locator("#search-results li").count() == 0


def test_a_browser_is_found_by_each_name_or_by_its_variable(monkeypatch, tmp_path):
    monkeypatch.delenv("CASEBOOK_BROWSER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browser.find_browser() is None
    for name in reversed(browser.NAMES):
        (tmp_path / name).touch(mode=0o755)
        assert browser.find_browser() == str(tmp_path / name)
    monkeypatch.setenv("CASEBOOK_BROWSER", "/opt/mine")
    assert browser.find_browser() == "/opt/mine"
