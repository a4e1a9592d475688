"""The strip of one-line drills: a list on the page, which a script turns into a form."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from IPython.display import HTML, display

from casebook.drills import Drill


def drill_html(drills: Iterable[Drill]) -> str:
    """Return the strip as HTML: question, and answer and working folded away.

    Parameters
    ----------
    drills : iterable of Drill
        The drills, whose answers are computed here.

    Returns
    -------
    str
        An ordered list; each item carries its answer for the page's script.
    """
    items = "".join(
        f'<li data-answer="{drill.answer:.6g}"><span class="q">{escape(drill.question)}</span> '
        f'<details><summary>Answer</summary><span class="a">{drill.answer:.4g} {escape(drill.unit)}</span> '
        f'<span class="working">{escape(drill.working)}</span></details></li>'
        for drill in drills
    )
    return f'<ol class="casebook-drills">{items}</ol>'


def show_drills(drills: Iterable[Drill]) -> None:
    """Display the strip."""
    display(HTML(drill_html(drills)))
