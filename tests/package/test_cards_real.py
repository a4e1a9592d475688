"""The cards that ship: complete, linked to cells that exist, with thresholds that follow from their ratios."""

import re
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import casebook.data
import pytest

from casebook import cards

ROOT = Path(__file__).parents[2]
SLUGS = sorted(path.stem for path in Path(casebook.data.__file__).parent.glob("cards/*.yml"))
HALF_A_DIGIT = Fraction(1, 2)  # a threshold may differ from its ratio's by rounding, no more
LABEL = re.compile(r"^# \(([a-z0-9-]+)\)=$", re.MULTILINE)
ADDRESS = re.compile(r"https://[a-z0-9.-]+\.[a-z]+/\S+")
THIS_YEAR = datetime.now(tz=UTC).year


def labels_of(chapter):
    """The MyST labels of all pages of a chapter."""
    pages = sorted((ROOT / "notebooks").glob(f"{chapter}*.py"))
    return [label for page in pages for label in LABEL.findall(page.read_text(encoding="utf-8"))]


def anchors_of(card):
    """Each anchor that a card names, with the field that names it."""
    for field in ("failures", "senior_signals", "follow_ups", "flash_cards"):
        for number, part in enumerate(getattr(card, field), start=1):
            if part.cell is not None:
                yield f"{field} {number}", part.cell


def rounding_of(threshold):
    """Half a unit of the last decimal in which a threshold is written."""
    return HALF_A_DIGIT / 10 ** len(str(threshold).partition(".")[2])


def test_there_is_a_card_and_all_of_them_load_in_order():
    assert "14_threshold" in SLUGS
    assert list(cards.load_cards()) == SLUGS


@pytest.mark.parametrize("slug", SLUGS)
def test_every_anchor_is_a_label_of_the_chapter(slug):
    card = cards.load_card(slug)
    labels = set(labels_of(card.chapter))
    assert {where: cell for where, cell in anchors_of(card) if cell not in labels} == {}


@pytest.mark.parametrize("slug", SLUGS)
def test_the_chapter_has_each_label_once(slug):
    labels = labels_of(cards.load_card(slug).chapter)
    assert sorted(labels) == sorted(set(labels))


def test_the_chapter_shows_the_threshold_card_and_says_its_prompt():
    card = cards.load_card("14_threshold")
    text = (ROOT / "notebooks" / f"{card.chapter}.py").read_text(encoding="utf-8")
    assert f'load_card("{card.slug}")' in text
    assert card.prompt in " ".join(text.replace("\n# > ", " ").split())


@pytest.mark.parametrize("slug", SLUGS)
def test_the_threshold_is_the_price_of_acting_wrongly_over_both_prices(slug):
    costs = cards.load_card(slug).cost_asymmetry
    ratio = Fraction(str(costs.ratio))
    false_alarm, miss = (1, ratio) if costs.direction == "fn" else (ratio, 1)
    exact = Fraction(false_alarm) / (false_alarm + miss)
    assert abs(Fraction(str(costs.threshold)) - exact) <= rounding_of(costs.threshold)


@pytest.mark.parametrize("slug", SLUGS)
def test_what_is_drilled_or_asked_is_asked_once(slug):
    card = cards.load_card(slug)
    for asked in (
        [question.question for question in card.questions],
        [follow_up.question for follow_up in card.follow_ups],
        [flash.front for flash in card.flash_cards],
    ):
        assert sorted(asked) == sorted(set(asked))


@pytest.mark.parametrize("slug", SLUGS)
def test_published_systems_have_an_address_and_a_year_that_has_come(slug):
    for system in cards.load_card(slug).published:
        assert ADDRESS.fullmatch(system.url), system.url
        assert system.year <= THIS_YEAR


def test_the_numbers_said_aloud_in_the_threshold_card_follow_from_the_desk():
    """Two dollars against the loss, 20,000 orders a day, one percent bad: recomputed, not copied."""
    card = cards.load_card("14_threshold")
    said = {number.what: number.value for number in card.numbers_to_remember}
    bad = 20_000 * 30 // 100
    assert said["Price at 100 to 1"] == f"1/101 = {2 / 202:.4f}"
    assert said["Loss of $20; of $2,000"] == f"stop above {2 / 22:.3f}; above {2 / 2002:.3f}"
    assert said["Ratio 30; ratio 300"] == f"{1 / 31:.3f}; {1 / 301:.4f}"
    assert said["Pass, code, stop at $200"] == f"cuts at {0.3 / 180.3:.4f} and {1.7 / 21.7:.3f}"
    assert said["5 percent of good orders kept"].endswith(f"0.5 means {0.05 / 1.05:.3f}")
    assert said["A month of the desk"] == (
        f"{bad:,} bad orders, ${bad * 200 / 1e6:.1f} million if all pass; "
        f"stopping all costs ${(600_000 - bad) * 2 / 1e6:.2f} million"
    )
    ask_above = 0.3 * 0.99 / (0.01 * 0.9)  # a code stops nine frauds in ten, p is the base rate
    assert card.operations.fallback.endswith(f"a loss of ${ask_above:.0f}")
