"""The traps of the site's toolchain, each built for real: nothing broken, stale or empty is published."""

from __future__ import annotations

import nbformat
import pytest

from tools import html_check, site, warnings_list

pytestmark = pytest.mark.slow

TITLE = "# %% [markdown]\n# # A chapter\n#\n# {text}"
GLUE = "# %%\nfrom myst_nb import glue\nglue('ratio', 20.0, display=False)"
IMPORT = "# %%\nimport sys\nsys.path.insert(0, '../src')\nimport aid\nprint(aid.VALUE)"
INNOCENT = "# %%\nwords = 'Traceback (most recent call last)', '{glue:text}`key`'\nlen(words)"
WARN = "# %%\nimport warnings\nwarnings.warn('careful', FutureWarning)\nprint('kept')"
SPHINX_SAYS = "the Sphinx build must end without a warning, got some; read _build/report/sphinx.log."
LOUD = "# %%\nimport sys\nprint('careful', file=sys.stderr)"
CLEAN = "a misses cost {glue:text}`ratio:.0f`, written ``{glue:text}`key` ``"


@pytest.fixture
def book(project, monkeypatch):
    """Return a tiny project whose site is built without the course's own ledger."""
    monkeypatch.setattr(site, "write_ledger", lambda root: [])
    return project


def published(book) -> bool:
    return (book.root / "_build/html").exists()


def test_a_raising_notebook_fails_cold_and_warm_and_takes_the_old_site_down(book):
    book.chapter("01_a", TITLE.format(text="Fine."), "# %%\n1 + 1")
    assert (site.build(book.root), published(book)) == ([], True)
    book.chapter("01_a", TITLE.format(text="Not fine."), "# %%\n1 / 0")
    expected = [
        "01_a must run from top to bottom, got an error in cell 1: ZeroDivisionError: division by zero; mend the cell."
    ]
    for _ in ("cold", "warm"):
        assert (site.build(book.root), published(book)) == (expected, False)
        assert not (book.root / "_build/refused").exists(), "the old good site is not what was refused"


def test_a_published_traceback_is_refused_twice_though_the_run_was_called_good(book, monkeypatch):
    book.chapter("01_a", TITLE.format(text="Not fine."), "# %%\n1 / 0")
    site.build(book.root)
    monkeypatch.setattr(site, "execute_all", lambda root: [])
    for _ in ("cold", "warm"):
        wrong = site.build(book.root)
        assert "notebooks/01_a.html must be clean, got a traceback; mend the cell that raises." in wrong
        assert not published(book)
        assert (book.root / "_build/refused/notebooks/01_a.html").exists()


def test_a_changed_module_shows_on_the_page(book):
    book.chapter("01_a", TITLE.format(text="Text."), IMPORT)
    for value in ("older", "newer"):
        (book.root / "src/aid.py").write_text(f"VALUE = '{value} words'\n", encoding="utf-8")
        assert site.build(book.root) == []
        assert f"{value} words" in book.page("01_a")
    assert "older words" not in book.page("01_a")


def test_an_unknown_glue_key_and_an_unknown_role_fail_cold_and_warm(book):
    book.index("# Tiny\n\nA page that does not change, as {noted}`there`.\n")
    book.chapter("01_a", TITLE.format(text="A ratio of {glue:text}`ratoi`."), GLUE)
    for _ in ("cold", "warm"):
        assert site.build(book.root) == [SPHINX_SAYS]
        log = (book.root / "_build/report/sphinx.log").read_text(encoding="utf-8")
        assert "No key 'ratoi' found in glue data" in log
        assert 'Unknown interpreted text role "noted"' in log
        assert not published(book)


def test_what_the_toolchain_really_emits_is_found(book):
    """Build one page with all that a strict build lets through: the selectors fit this myst-nb and this Sphinx."""
    book.chapter(
        "01_a",
        TITLE.format(text="Empty {glue:text}`nothing`.\n#\n# <div>{glue:text}`raw`</div>"),
        "# %%\nfrom myst_nb import glue\nglue('nothing', '', display=False)",
        LOUD,
    )
    wrong = site.build(book.root)
    page = "notebooks/01_a.html must be clean, got"
    assert wrong == [
        "01_a, cell 2, must print no warning that is not on the list, got log: careful; "
        "mend its cause or list it in tools/allowed_warnings.yml.",
        f"{page} a library's warning; mend its cause or list it in tools/allowed_warnings.yml.",
        f"{page} an empty glued number; glue the key in an executed cell.",
        f"{page} a role left as text; mend its markup.",
    ]


def test_a_clean_page_passes_and_names_no_folder_of_this_machine(book, tmp_path, monkeypatch):
    listed = warnings_list.Allowed("FutureWarning", "care", "__main__", "a test")
    monkeypatch.setattr(site, "load_allowed", lambda: [listed])
    book.chapter("01_a", TITLE.format(text=CLEAN), GLUE, INNOCENT, WARN)
    assert site.build(book.root) == []
    page = book.page("01_a")
    assert "a misses cost" in page
    assert '<span class="pasted-text">20</span>' in page
    assert "kept" in page
    assert "output stderr" not in page
    assert "colab.research.google.com/github/owner/course/blob/main/notebooks/01_a.ipynb" in page
    executed = nbformat.read(book.root / "_build/executed/01_a.ipynb", as_version=4)
    assert any(output.get("name") == "stderr" for cell in executed.cells for output in cell.get("outputs", []))
    texts = {path: path.read_bytes() for path in (book.root / "_build/html").rglob("*") if path.is_file()}
    assert [path.name for path, text in texts.items() if str(tmp_path).encode() in text] == []
    assert html_check.problems(book.root / "_build/html") == []
