"""Chapter 3's exercises are proved, its printed solutions are accepted; its drills are twelve and escaped."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import numpy as np
import pytest

from casebook.decisions import expected_cost_table
from casebook.drills import DRILLS, Drill
from casebook.exercises import grade, verify_exercise
from casebook.screening.drills import drill_html, show_drills
from casebook.screening.exercises import BOOKINGS, EXERCISES
from tools.paths import ROOT

CHAPTER = ROOT / "notebooks" / "03_cost_asymmetry.py"
ASKED = re.compile(r'EXERCISES\["([\w-]+)"\]')


def solutions() -> dict[str, str]:
    """Return the code of each cell tagged ``solution`` by the exercise that the next check cell asks for."""
    found, code = {}, None
    twins = pytest.importorskip("tools.twins", reason="needs jupytext", exc_type=ImportError)
    for cell in twins.read_chapter(CHAPTER).cells:
        if "solution" in twins.tags(cell):
            code = cell.source
        elif code is not None and (asked := ASKED.search(cell.source)):
            found[asked.group(1)], code = code, None
    assert code is None, "the last solution has no check below it"
    return found


@pytest.mark.parametrize("name", EXERCISES)
def test_every_check_is_proved(name):
    assert EXERCISES[name].id == name
    verify_exercise(EXERCISES[name])


def test_the_chapter_solves_every_exercise_once():
    assert len(EXERCISES) >= 5
    assert list(solutions()) == list(EXERCISES)


@pytest.mark.parametrize("name", EXERCISES)
def test_the_chapters_own_solution_is_accepted(name):
    namespace: dict[str, Any] = {"np": np, "BOOKINGS": BOOKINGS}
    exec(solutions()[name], namespace)
    assert grade(EXERCISES[name], namespace["answer"]) is None


@pytest.mark.parametrize("name", EXERCISES)
def test_the_minutes_stand_in_the_chapter_as_in_the_exercise(name):
    number = list(EXERCISES).index(name) + 1
    twins = pytest.importorskip("tools.twins", reason="needs jupytext", exc_type=ImportError)
    texts = [cell.source for cell in twins.read_chapter(CHAPTER).cells if cell.source.startswith(f"**{number}. ")]
    assert len(texts) == 1
    assert f"({EXERCISES[name].minutes} minutes)" in texts[0]


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("03-call", 6 / 126, "the 6 dollars are spent on the buyer too: what you forgo is 114, not 120"),
        ("03-spam", 10, "that is the ratio; a threshold is a probability"),
        ("03-thinned", 0.02, "that scales the probability; it is the odds that were multiplied"),
        ("03-tiers", 0.3, "the answer must be two numbers, got 1; give one cut between each two neighbours."),
        ("03-tiers", (0.2, 0.3), "each cut solves (1 - p) if_negative + p if_positive = the same for the next action"),
        (
            "03-flip",
            1 / 8,
            "right in misses per false alarm; we ask what a miss costs in false alarms, so turn it over",
        ),
        ("03-flip", "eight", "the answer must be one number, got str 'eight'; give the number itself."),
    ],
)
def test_each_known_slip_gets_its_own_words(name, wrong, message):
    assert grade(EXERCISES[name], wrong) == message


def test_the_hotels_neighbours_cost_the_same_at_the_cuts():
    accept, refuse_from = EXERCISES["03-tiers"].right[0]
    table = expected_cost_table([accept, refuse_from], BOOKINGS["if_negative"], BOOKINGS["if_positive"])
    assert table[0, 0] == pytest.approx(table[0, 1]) and table[0, 0] < table[0, 2]
    assert table[1, 1] == pytest.approx(table[1, 2]) and table[1, 1] < table[1, 0]


ITEM = re.compile(
    r'<li data-answer="([^"]*)"><span class="q">(.*?)</span> <details><summary>Answer</summary>'
    r'<span class="a">(.*?)</span> <span class="working">(.*?)</span></details></li>'
)


def test_the_strip_holds_twelve_drills_with_the_answers_the_package_computes():
    items = ITEM.findall(drill_html(DRILLS))
    assert len(items) == len(DRILLS) == 12
    for (answer, question, shown, working), drill in zip(items, DRILLS, strict=True):
        # Six digits in the attribute: the script allows ten percent.
        assert float(answer) == pytest.approx(drill.answer, rel=1e-5)
        assert unescape(question) == drill.question
        assert unescape(shown) == f"{drill.answer:.4g} {drill.unit}"
        assert unescape(working) == drill.working


def test_nothing_in_a_drill_becomes_markup():
    hostile = Drill("<script>a</script> & b?", 0.5, "<b>share</b>", '"x" < y')
    text = drill_html([hostile])
    assert "&lt;script&gt;a&lt;/script&gt; &amp; b?" in text
    assert "0.5 &lt;b&gt;share&lt;/b&gt;" in text
    assert "&quot;x&quot; &lt; y" in text
    assert not re.search(r"<(script|b)\b", text)


def test_no_drills_make_an_empty_list():
    assert drill_html([]) == '<ol class="casebook-drills"></ol>'


def test_show_drills_displays_the_strip(capsys):
    assert show_drills(DRILLS) is None
    assert "IPython.core.display.HTML" in capsys.readouterr().out
