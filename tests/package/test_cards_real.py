"""The cards that ship: complete, linked to cells that exist, with thresholds that follow from their ratios."""

import re
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import casebook.data
import numpy as np
import pytest
from scipy import stats

from casebook import cards, experiments

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


@pytest.mark.parametrize("slug", ["02_fraud", "04_demand", "13_ab_test", "14_threshold"])
def test_the_chapter_shows_its_card_and_says_the_prompt(slug):
    card = cards.load_card(slug)
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


def test_the_numbers_said_aloud_in_the_launch_card_follow_from_its_feed():
    """A split, a spread of one and a half means, two weeks: recomputed, not copied."""
    card = cards.load_card("13_ab_test")
    said = {number.what: number.value for number in card.numbers_to_remember}
    planned, came = np.array([0.05, 0.05, 0.90]), np.array([0.047, 0.052, 0.901])
    gap = ((came - planned) ** 2 / planned).sum()
    first = int(np.ceil(stats.chi2.isf(0.01, 2) / gap))
    assert said["4.7 / 5.2 / 90.1 for 5 / 5 / 90"] == (
        f"chi-square is {gap:.6f} n: p < 0.01 from {first:,} users on, chance at 10,000"
    )
    assert said["Users an arm, 80% power"].endswith(f"at 1.5 and 2%, {16 * 1.5**2 / 0.02**2:,.0f}")
    power = stats.norm.sf(1.96 - 0.02 / (1.5 * np.sqrt(2 / 10_000)))
    seen = 4 * 1.5 / 100
    assert said["What 10,000 an arm see"].endswith(f"= {seen:.0%}; a true 2% in {100 * power:.0f} of 100 tests")
    looks = [f"{100 * experiments.peeking_error(k):.1f}" for k in (1, 2, 5, 10, 14)]
    blog = 1 - 0.95**14
    assert said["Looks 1, 2, 5, 10, 14"] == f"{', '.join(looks)}% false stars, not 1 - 0.95^14 = {blog:.0%}"
    assert said["20 metrics, nothing changed"] == f"1 - 0.95^20 = {1 - 0.95**20:.0%} with a star somewhere"


def test_the_launch_cards_effect_past_and_price_follow_too():
    card = cards.load_card("13_ab_test")
    said = {number.what: number.value for number in card.numbers_to_remember}
    backs = {flash.front: flash.back for flash in card.flash_cards}
    z = stats.norm.isf(0.02)
    low, high = 5 * (1 - 1.96 / z), 5 * (1 + 1.96 / z)
    again = experiments.chance_of_replication(0.04)
    assert said["5% at p = 0.04"] == f"{low:.1f}% to {high:.1f}%; again significant in {again:.0%}, at its word"
    assert said["CUPED at rho = 0.7"] == f"variance x {1 - 0.49:.2f}, worth {1 / (1 - 0.49):.2f} times the users"
    false = 0.7 * 0.025 / (0.7 * 0.025 + 0.3 * 0.1)
    (wins,) = (back for front, back in backs.items() if front.startswith("70% of ideas"))
    assert wins.endswith(f"= {false:.0%}.")
    narrower = np.sqrt((1 / 5 + 1 / 90) / (2 / 5))
    (ninety,) = (back for front, back in backs.items() if front.startswith("5 / 5 / 90"))
    assert f"= {1 - narrower:.0%}, worth {narrower**-2:.1f} times" in ninety
    (cats,) = (back for front, back in backs.items() if front.startswith("44,700"))
    assert cats.startswith(f"p = {stats.chisquare([44_700, 45_489]).pvalue:.4f}:")
    wider = float(experiments.always_valid_critical([10_000], tuning=10_000)[0]) / 1.96
    (no_end,) = (back for front, back in backs.items() if front.startswith("Length known"))
    assert f"{wider:.2f} times as wide, so worth {wider**2:.1f} times" in no_end
    # A launch that works adds the hoped-for 2 percent and costs 0.4, an idle one only costs.
    assert card.cost_asymmetry.ratio == pytest.approx((2 - 0.4) / 0.4)
    missing = 3 * 0.5 ** (30 / 20)
    assert f"{missing:.1f} percent is still missing on day 30" in card.follow_ups[6].answer


def test_the_numbers_said_aloud_in_the_fraud_card_follow_from_the_prompt():
    """Fifty million payments a day, ten million holders, one fraud in a thousand: recomputed, not copied."""
    card = cards.load_card("02_fraud")
    said = {number.what: number.value for number in card.numbers_to_remember}
    backs = {flash.front: flash.back for flash in card.flash_cards}
    a_day, holders, fraud = 50_000_000, 10_000_000, Fraction(1, 1000)
    frauds = a_day * fraud
    wrong = {fpr: (a_day - frauds) * fpr for fpr in (Fraction(1, 100), Fraction(1, 1000))}
    best = {fpr: float(frauds / (frauds + alarms)) for fpr, alarms in wrong.items()}
    used = 23 * 12 / 365  # debit card payments of an American a day, 2012
    assert said["50 million a day"].startswith(f"{a_day / 86_400:.0f} a second; {a_day // holders} a holder and day")
    assert f"paid {used:.1f} times a day" in said["50 million a day"]
    a_year = float(365 * frauds / holders)
    assert said["0.1% of them"] == f"{int(frauds):,} frauds a day, {a_year:.1f} a holder and year"
    loose, strict = best.values()
    first = int(wrong[Fraction(1, 100)])
    assert said["1% false positives"] == (
        f"{first:,} a day, {first / float(frauds):.0f} for each fraud; precision at most {loose:.1%}"
    )
    assert said["0.1% false positives (Stripe's figure)"] == f"precision at most {strict:.0%}"
    calls = 40 * 60
    rate = 100 * calls / float(a_day - frauds)
    assert said["Forty agents, sixty calls a day"] == f"{calls:,} calls, a false-positive rate of {rate:.4f}%"
    assert said["A push: 20 cents wrong, $200 saved"].endswith(f"= {0.2 / 200.2:.3f}")
    assert backs["What must a wrong push cost for 0.01 to be right, if a right one saves $198?"].endswith(
        f"= ${0.01 / 0.99 * 198:.0f}."
    )


def test_the_numbers_said_aloud_in_the_demand_card_follow_from_the_prompt():
    """A million products, a thousand stores, two costs, and an order on Monday: recomputed, not copied."""
    card = cards.load_card("04_demand")
    said = {number.what: number.value for number in card.numbers_to_remember}
    assert said["$10 short, $2 left over"].startswith(f"10 / 12 = {10 / 12:.3f}: one more while its chance")
    assert said["$5 and $2"].startswith(f"5 / 7 = {5 / 7:.3f}")
    odds = Fraction("0.95") / (1 - Fraction("0.95"))
    assert said["P95"] == f"{odds} to 1: ${2 * odds} short against $2"
    cells, six_hours = 1_000_000 * 1_000, 6 * 3_600
    assert said["1M products x 1,000 stores"] == (
        f"{cells // 10**9} billion cells, {7 * cells // 10**9} billion forecasts a week, "
        f"{round(7 * cells / six_hours, -3):,.0f} a second in six hours"
    )
    assert said["Two years of them"].startswith(f"{730 * cells // 10**9} billion rows")
    lead, review = 3, 7
    assert f"days {lead + 1} to {lead + review}" in said["Sunday's order"] and "3 + 7 = 10" in said["Sunday's order"]
    assert said["The lag of 7 days"] == "known for days 4 to 7, a leak for 8 to 10"
    assert said["Seven daily quantiles added"].startswith(f"7 / sqrt(7) = {7 / 7**0.5:.2f} times")
