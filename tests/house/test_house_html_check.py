"""The check of built pages, on HTML as the installed myst-nb, docutils and Sphinx write it."""

from __future__ import annotations

import pytest

from tools.html_check import page_problems, problems

CELL = (
    '<div class="cell docutils container"><div class="cell_input docutils container"><div class="highlight-ipython3">'
    "<pre>{code}</pre></div></div>"
    '<div class="cell_output docutils container">{output}</div></div>'
)
TRACEBACK = (
    '<div class="output traceback highlight-ipythontb notranslate"><div class="highlight"><pre>'
    '<span class="ne">ZeroDivisionError</span>  Traceback (most recent call last)</pre></div></div>'
)
SYNTAX_ERROR = (
    '<div class="output traceback highlight-ipythontb notranslate"><pre>'
    "Cell In[1], line 1\nSyntaxError: invalid</pre></div>"
)
STDERR = '<div class="output stderr highlight-myst-ansi notranslate"><pre>UserWarning: careful</pre></div>'
STDOUT = '<div class="output stream highlight-myst-ansi notranslate"><pre>{text}</pre></div>'
CAUGHT = {
    "a traceback": CELL.format(code="1 / 0", output=TRACEBACK),
    "a traceback without the word": CELL.format(code="1 +", output=SYNTAX_ERROR),
    "a printed traceback": CELL.format(code="f()", output=STDOUT.format(text="Traceback (most recent call last)")),
    "an error box": '<aside class="system-message"><p>Unknown directive type</p></aside>',
    "stderr": CELL.format(code="f()", output=STDERR),
    "empty glue": '<p>costs <span class="pasted-text"></span></p>',
    "blank glue": '<p>costs <span class="pasted-text"> </span></p>',
    "a role in raw HTML": "<div>{glue:text}`ratio:.0f`</div>",
    "a cross-reference": "<p>see {ref}`money-table`</p>",
}
SENTENCES = {
    "a traceback": "a traceback; mend the cell that raises",
    "a traceback without the word": "a traceback; mend the cell that raises",
    "a printed traceback": "a traceback; mend the cell that raises",
    "an error box": "an error box of Sphinx; mend the markup",
    "stderr": "a library's warning; mend its cause or list it in tools/allowed_warnings.yml",
    "empty glue": "an empty glued number; glue the key in an executed cell",
    "blank glue": "an empty glued number; glue the key in an executed cell",
    "a role in raw HTML": "a role left as text; mend its markup",
    "a cross-reference": "a role left as text; mend its markup",
}
WORDS = "Traceback (most recent call last) {glue:text}`key`"
INNOCENT = {
    "code with the words": CELL.format(code=WORDS, output=STDOUT.format(text="2")),
    "a listing": f'<div class="highlight-text notranslate"><pre>{WORDS}</pre></div>',
    "a literal": f'<p>write <code class="docutils literal">{WORDS}</code></p>',
    "a filled glue": '<p>costs <span class="pasted-text">20</span></p>',
    "a glued picture": '<p><span class="pasted-inline"><img alt="a curve" src="a.png"/></span></p>',
}


@pytest.mark.parametrize("name", CAUGHT)
def test_a_fault_is_one_sentence(name):
    assert page_problems("a.html", CAUGHT[name]) == [f"a.html must be clean, got {SENTENCES[name]}."]


@pytest.mark.parametrize("name", INNOCENT)
def test_an_innocent_page_passes(name):
    assert page_problems("a.html", INNOCENT[name]) == []


def test_every_fault_of_a_page_is_named():
    assert len(page_problems("a.html", "".join(CAUGHT.values()))) == len(set(SENTENCES.values()))


def test_a_folder_without_pages_is_refused(tmp_path):
    (tmp_path / "html").mkdir()
    assert problems(tmp_path / "html") == ["html must hold the site's pages, got none; run `make site`."]


def test_pages_in_folders_are_read_and_static_files_are_not(tmp_path):
    for folder in ("notebooks", "_static"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.html").write_text(CAUGHT["stderr"], encoding="utf-8")
    assert [sentence.split(" must")[0] for sentence in problems(tmp_path)] == ["notebooks/a.html"]
