"""What the site adds to Jupyter Book: pages made from the last run's report, and a chapter's ``.py`` to download."""

from __future__ import annotations

import html
import json
import os
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from casebook.cards import load_cards, sheet_html
from casebook.studies import discover
from casebook.worlds import Dial

NO_REPORT = "There is no report of a run yet: run <code>make site</code>."
THEME_OPTIONS = {"show_toc_level": 2, "use_fullscreen_button": False}


def report_folder(source_directory: str) -> Path:
    """Return where the last run left its report: named by the build, or below the checkout."""
    return Path(os.environ.get("CASEBOOK_REPORT") or Path(source_directory, "_build", "report"))


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return an HTML table; cells are HTML already."""
    top = "".join(f"<th scope='col'>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    inner = f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody>"
    return f"<div class='casebook-scroll' tabindex='0'><table class='table'>{inner}</table></div>"


def badge(verdict: str) -> str:
    """Return a verdict as a badge."""
    return f"<span class='casebook-verdict casebook-verdict--{verdict.replace(' ', '-')}'>{verdict}</span>"


class ReportPage(SphinxDirective):
    """A directive that shows one file of the report, or says how to make it."""

    file = ""
    missing = NO_REPORT

    def run(self) -> list[nodes.Node]:
        """Return the file as HTML."""
        path = report_folder(str(self.env.app.srcdir)) / self.file
        self.env.note_dependency(str(path))
        text = self.show(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else f"<p>{self.missing}</p>"
        return [nodes.raw("", text, format="html")]

    def show(self, report: Any) -> str:
        """Turn the report into HTML."""
        raise NotImplementedError


class StatusTable(ReportPage):
    """``{casebook-status}``: each notebook's time, memory and verdict, and the versions that made the numbers."""

    file = "notebooks.json"

    def show(self, report: Any) -> str:
        """Turn the runs into a table."""
        rows = [
            [
                f"<a href='../notebooks/{run['notebook']}.html'>{run['notebook']}</a>",
                f"{run['seconds']:.0f}",
                f"{run['peak_mb']:.0f}",
                html.escape(run["status"].splitlines()[0]),
            ]
            for run in report
        ]
        versions = ", ".join(f"{name} {number}" for name, number in report[0]["versions"].items())
        made = f"<p>Commit <code>{report[0]['commit']}</code>; {versions}.</p>"
        return table(["Notebook", "Seconds", "Peak memory (MB)", "Status"], rows) + made


class LedgerTable(ReportPage):
    """``{casebook-ledger}``: every claim that an executed cell has judged."""

    file = "claims.json"

    def show(self, report: Any) -> str:
        """Turn the ledger into a table, with the file itself beside the page."""
        rows = [
            [
                str(entry["section"]),
                "source" if entry["source"] == "document" else "ours",
                f"<a href='../{entry['link']}'>{html.escape(entry['claim'])}</a>",
                badge(entry["verdict"]),
                html.escape(entry["sentence"]),
            ]
            for entry in report
        ]
        count = f"<p>{len(rows)} claims; the same as a file: <a href='claims.json'>claims.json</a>.</p>"
        return count + table(["Section", "Whose", "Claim", "Verdict", "What the run found"], rows)


class WithdrawnList(ReportPage):
    """``{casebook-withdrawn}``: morals of ours that the worlds refused."""

    file = "claims.json"

    def show(self, report: Any) -> str:
        """List every moral whose verdict is "corrected"."""
        gone = [entry for entry in report if entry["kind"] == "moral" and entry["verdict"] == "corrected"]
        if not gone:
            return "<p>None so far.</p>"
        rows = [
            [f"<a href='../{entry['link']}'>{html.escape(entry['claim'])}</a>", html.escape(entry["sentence"])]
            for entry in gone
        ]
        return table(["What we believed", "What the worlds said"], rows)


class WorldsTable(SphinxDirective):
    """``{casebook-worlds}``: every dial of every study, from the code itself."""

    def run(self) -> list[nodes.Node]:
        """Return a table per study."""
        parts = []
        for study in discover().values():
            rows = [[html.escape(str(cell)) for cell in dial_row(dial)] for dial in study.dials]
            head = ["Dial", "Range", "Unit", "Null", "Where the range comes from", "What it decides"]
            counts = f"{study.n} drawn worlds, {study.null_n} null worlds."
            parts.append(f"<h3>{html.escape(study.title)}</h3><p>{counts}</p>" + table(head, rows))
        return [nodes.raw("", "".join(parts), format="html")]


def dial_row(dial: Dial) -> list[str]:
    """Return a dial's row: name, range with its scale, unit, null value, source, moral."""
    scale = " (log)" if dial.scale == "log" else ""
    null = "drawn" if dial.null is None else f"{dial.null:g}"
    return [dial.name, f"{dial.low:g} to {dial.high:g}{scale}", dial.unit, null, dial.source, dial.moral]


class Sheets(SphinxDirective):
    """``{casebook-sheets}``: the printable sheet of every card."""

    def run(self) -> list[nodes.Node]:
        """Return the sheets, one after the other."""
        return [nodes.raw("", sheet_html(card), format="html") for card in load_cards().values()]


class BenchTable(ReportPage):
    """``{casebook-bench}``: speed and memory as last measured; the file lies beside the report, see ``make bench``."""

    file = "../bench.json"
    missing = "Nothing has been measured on this machine yet: run <code>make bench</code>."

    def show(self, report: Any) -> str:
        """Turn the measurements into a table."""
        rows = [[html.escape(row["name"]), shown(row["value"]), spread(row), row["unit"]] for row in report["rows"]]
        head = ["What", "Value", "Fastest to slowest of three runs", "Unit"]
        return table(head, rows) + f"<p>Machine: {html.escape(report['machine'])}.</p>"


def shown(number: float) -> str:
    """Return a measurement in three digits."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def spread(row: dict[str, Any]) -> str:
    """Return the range of a row's runs; nothing where it ran once."""
    return "" if row.get("low") is None else f"{shown(row['low'])} to {shown(row['high'])}"


def mend_header(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Name the errata button, let "suggest edit" open the ``.py``, and offer the ``.py`` for download."""
    source = Path(app.srcdir, f"{page}.py")
    # sphinx-thebe puts its loader on every page, twice, whether or not it is used, and names another host in it.
    context["script_files"] = [s for s in context.get("script_files", []) if "thebe" not in str(vars(s)).lower()]
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", []):
            if button.get("label") == "source-issues-button":
                button["text"] = button["tooltip"] = "Report an error on this page"
            if button.get("label") == "source-edit-button" and source.exists():
                button["url"] = button["url"].replace(".ipynb", ".py")
        if group.get("label") == "download-buttons" and source.exists():
            group["buttons"].insert(1, python_download(app, page, source))


def python_download(app: Sphinx, page: str, source: Path) -> dict[str, str]:
    """Copy a chapter's ``.py`` beside its notebook and return the button that downloads it."""
    target = Path(app.outdir, "_sources", f"{page}.py")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    return {
        "type": "link",
        "url": f"{'../' * page.count('/')}_sources/{page}.py",
        "text": ".py",
        "icon": "fab fa-python",
        "tooltip": "Download the notebook as a Python script",
        "label": "download-python-button",
    }


def settle(app: Sphinx, config: Any) -> None:
    """Set what depends on where the site will stand, and what the theme takes from no key of its own."""
    config.html_theme_options.update(THEME_OPTIONS)
    config.html_context["default_mode"] = "auto"
    config.notfound_urls_prefix = urlsplit(config.html_baseurl).path
    home = f"{config.notfound_urls_prefix}book/index.html"
    config.notfound_context = {
        "title": "Page not found",
        "body": f"<h1>Page not found</h1><p><a href='{home}'>Start from the first page</a>.</p>",
    }


FRONT_DOOR = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="refresh" content="0; url=book/index.html">
<meta property="og:title" content="{title}"><meta property="og:type" content="website">
<meta property="og:url" content="{base}"><meta property="og:image" content="{base}_static/social_card.png">
<link rel="canonical" href="{base}book/index.html"></head>
<body><a href="book/index.html">{title}</a></body></html>
"""


def finish(app: Sphinx, error: Exception | None) -> None:
    """Put the ledger's file beside its page, and a front door at the root that a shared link can show."""
    if error is not None or app.builder.format != "html":
        return
    ledger = report_folder(str(app.srcdir)) / "claims.json"
    if ledger.exists():
        shutil.copy(ledger, Path(app.outdir, "book", "claims.json"))
    door = FRONT_DOOR.format(
        title=html.escape(app.config.html_title or app.config.project), base=app.config.html_baseurl
    )
    Path(app.outdir, "index.html").write_text(door, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives and hooks."""
    app.add_directive("casebook-status", StatusTable)
    app.add_directive("casebook-ledger", LedgerTable)
    app.add_directive("casebook-bench", BenchTable)
    app.add_directive("casebook-withdrawn", WithdrawnList)
    app.add_directive("casebook-worlds", WorldsTable)
    app.add_directive("casebook-sheets", Sheets)
    app.connect("config-inited", settle)
    app.connect("html-page-context", mend_header, priority=900)
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
