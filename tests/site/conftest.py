"""The built site on a local port, as GitHub Pages would serve it, and a real browser that looks at it."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page, sync_playwright

from tools.browser import ARGUMENTS, MISSING, find_browser
from tools.paths import ROOT, built, notebook_sources

# A copy can be tested while the site is being built anew.
HTML = Path(os.environ.get("CASEBOOK_HTML") or built(ROOT, "html"))
MADE_BY_SPHINX = {"genindex.html", "search.html", "py-modindex.html", "404.html", "index.html"}
NO_SITE = f"The site must be built, got no index.html in {HTML.name}; run `make site`."


def page_names() -> list[str]:
    """Return the pages that we wrote, as paths below the site's root."""
    every = (p.relative_to(HTML).as_posix() for p in HTML.rglob("*.html") if "_static" not in p.parts)
    return sorted(name for name in every if name not in MADE_BY_SPHINX)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for ``page_name`` or ``chapter`` once for each."""
    if "page_name" in metafunc.fixturenames:
        metafunc.parametrize("page_name", page_names() or ["no page"])
    if "chapter" in metafunc.fixturenames:
        metafunc.parametrize("chapter", [source.stem for source in notebook_sources()])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once, not once a test, why the browser's tests were left out."""
    left_out = sum(MISSING in str(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
    if left_out:
        terminalreporter.write_line(f"{left_out} tests of the site were skipped. {MISSING}")


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder below a prefix; anything else is answered with 404.html, as GitHub Pages does."""

    prefix = "/"

    def send_head(self) -> Any:
        path = urlsplit(self.path).path
        if path.startswith(self.prefix):
            self.path = "/" + self.path.removeprefix(self.prefix)
            if Path(self.translate_path(self.path)).exists():
                return super().send_head()
        body = (Path(self.directory) / "404.html").open("rb")
        self.send_response(404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        return body

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


@dataclass(frozen=True, eq=False)
class Site:
    """The built site: its folder, its address here, and the address that it is built for."""

    html: Path
    origin: str
    config: dict[str, Any]

    @cached_property
    def base(self) -> str:
        """The published address, ending in a slash."""
        return str(self.config["html"]["baseurl"])

    @property
    def prefix(self) -> str:
        return urlsplit(self.base).path

    def url(self, name: str) -> str:
        return f"{self.origin}{self.prefix}{name}"

    @property
    def pages(self) -> list[str]:
        return page_names()

    @cached_property
    def soup(self) -> Callable[[str], BeautifulSoup]:
        """Return the function that parses a page, once."""
        return functools.cache(
            lambda name: BeautifulSoup((self.html / name).read_text(encoding="utf-8"), "html.parser")
        )


@pytest.fixture(scope="session", autouse=True)
def chromium() -> str:
    """Return the browser's program; without one every test here is skipped, and in CI is an error."""
    program = find_browser()
    if program is None and os.environ.get("CI") == "true":
        pytest.fail(MISSING, pytrace=False)
    if program is None:
        pytest.skip(MISSING)
    return program


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """Serve the built site on a free port, below the path that it will have when published."""
    if not (HTML / "index.html").exists():
        pytest.fail(NO_SITE, pytrace=False)
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    prefix = urlsplit(config["html"]["baseurl"]).path
    handler = type("SiteHandler", (Handler,), {"prefix": prefix})
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(HTML)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Site(HTML, f"http://127.0.0.1:{server.server_port}", config)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """Start the browser once."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page in a theme, at a width, with or without JavaScript."""
    contexts = []

    def open_one(name: str, theme: str = "light", width: int = 1280, javascript: bool = True) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=javascript)
        contexts.append(context)
        context.add_init_script(f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')")
        page = context.new_page()
        page.goto(site.url(name))
        if javascript:
            page.evaluate("window.MathJax?.startup?.promise.then(() => true)")
        return page

    yield open_one
    for context in contexts:
        context.close()
