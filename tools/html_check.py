"""What a strict build lets through: tracebacks, empty glue, Sphinx's own error boxes, unexecuted cells."""

from __future__ import annotations

import re
from pathlib import Path

from bs4 import BeautifulSoup

SKIPPED = {"genindex.html", "search.html", "404.html"}


def page_problems(name: str, text: str) -> list[str]:
    """Return what is wrong in one built page, a sentence each."""
    page = BeautifulSoup(text, "html.parser")
    for code in page.select(".cell_input, pre, code"):  # code that is shown may contain any words
        if not code.find_parent(class_="cell_output"):
            code.extract()
    seen = page.get_text()
    found = []
    if "Traceback (most recent call last)" in seen or page.select(".output.traceback"):
        found.append("a traceback; mend the cell that raises")
    if page.select(".system-message"):
        found.append("an error box of Sphinx; mend the markup")
    if page.select(".output.stderr"):
        found.append("a library's warning; mend its cause or list it in tools/allowed_warnings.yml")
    if any(not glued.get_text(strip=True) for glued in page.select(".pasted-text, .pasted-inline:not(:has(img))")):
        found.append("an empty glued number; glue the key in an executed cell")
    if re.search(r"\{(glue|eval|cite|ref|doc|term)(:\w+)?\}`", seen):
        found.append("a role left as text; mend its markup")
    return [f"{name} must be clean, got {what}." for what in found]


def problems(html: Path) -> list[str]:
    """Return what is wrong in all pages of a built site.

    Parameters
    ----------
    html : Path
        The folder of the built site.

    Returns
    -------
    list of str
        A sentence per fault; empty when the site may be published.
    """
    pages = [p for p in sorted(html.rglob("*.html")) if p.name not in SKIPPED and "_static" not in p.parts]
    if not pages:
        return [f"{html.name} must hold the site's pages, got none; run `make site`."]
    return [w for p in pages for w in page_problems(str(p.relative_to(html)), p.read_text(encoding="utf-8"))]
