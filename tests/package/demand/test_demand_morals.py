"""The morals of chapter 7: each has its worlds and a section, and its ranges hold or are refused as the page says."""

import re
from pathlib import Path

import pytest

from casebook.claims import Verdict, load_claims
from casebook.claims.verdicts import edges, judge_moral
from casebook.demand.morals import MORALS
from casebook.studies import discover, load

NOTEBOOKS = Path(__file__).parents[3] / "notebooks"
#: Morals that the worlds refused when they were first counted; their ranges stay where they were.
WITHDRAWN = {
    "7.mint-helps-leaves": Verdict.CORRECTED,
    "7.ols-hurts-leaves": Verdict.CORRECTED,
    "7.shrink-beats-ols": Verdict.CORRECTED,
    "7.planner-helps": Verdict.DEPENDS,
    "7.per-sku-pays": Verdict.CORRECTED,
    "7.per-sku-beats-all": Verdict.CORRECTED,
    "7.p95-loses": Verdict.DEPENDS,
    "7.own-count-picks": Verdict.DEPENDS,
    "7.refit-weekly": Verdict.CORRECTED,
    "7.naive-lift-overstates": Verdict.CORRECTED,
    "7.adjusted-lift-closer": Verdict.CORRECTED,
    "7.regions-lift-closer": Verdict.DEPENDS,
    "7.net-lift-smaller": Verdict.CORRECTED,
    "7.promotions-cost": Verdict.CORRECTED,
    "7.category-beats-global": Verdict.CORRECTED,
    "7.late-alike": Verdict.CORRECTED,
    "7.content-helps": Verdict.CORRECTED,
    "7.product-helps": Verdict.CORRECTED,
}


@pytest.mark.parametrize("claim", MORALS)
def test_every_moral_has_its_worlds(claim):
    moral = MORALS[claim]
    result = load(moral.study)
    assert result.frame[moral.finding].dtype == bool
    picked = result.frame if moral.only is None else result.frame.query(moral.only)
    drawn, null = moral.shares()
    assert (drawn.holds, drawn.n) == (int(picked[moral.finding].sum()), len(picked))
    assert (null.holds, null.n) == (int(result.null_frame[moral.finding].sum()), len(result.null_frame))
    assert drawn.n >= 20 <= null.n, f"{claim} must rest on 20 worlds or more, got {drawn.n}; widen `only` or draw more."


@pytest.mark.parametrize("claim", [name for name in MORALS if name not in WITHDRAWN])
def test_a_morals_shares_lie_inside_the_figures_stated_for_them(claim):
    stated, (drawn, null) = load_claims()[claim], MORALS[claim].shares()
    for share, figure, which in ((drawn, stated.figure, "drawn"), (null, stated.null_figure, "null")):
        low, high = edges(figure)
        assert low <= share.share <= high, f"{claim} must hold in {figure} of {which} worlds, got {share}; withdraw it."


@pytest.mark.parametrize("claim", WITHDRAWN)
def test_a_withdrawn_moral_is_still_refused(claim):
    stated = load_claims()[claim]
    assert judge_moral(stated.figure, stated.null_figure, *MORALS[claim].shares()) is WITHDRAWN[claim]


def test_the_page_has_the_withdrawn_apart_from_the_others():
    page = (NOTEBOOKS / "07_demand_claims.py").read_text(encoding="utf-8")
    held, refused = page.split("## What the worlds refused")
    names = [re.findall(r'^moral\("(7\.[a-z0-9-]+)"\)$', part, re.MULTILINE) for part in (held, refused)]
    assert set(names[0]) == set(MORALS) - set(WITHDRAWN) and set(names[1]) == set(WITHDRAWN)


def test_every_study_of_the_chapter_speaks_for_a_moral():
    studies = {name for name in discover() if name.startswith("07_")}
    assert {moral.study for moral in MORALS.values()} == studies


def test_every_section_that_the_page_points_at_is_there():
    pages = {place.stem: place.read_text(encoding="utf-8") for place in NOTEBOOKS.glob("07_demand*.py")}
    there = set(re.findall(r"^# \((ch7-[a-z0-9-]+)\)=$", "\n".join(pages.values()), re.MULTILINE))
    named = set(re.findall(r'cell="(ch7-[a-z0-9-]+)"', pages["07_demand_claims"]))
    assert named | {moral.cell for moral in MORALS.values()} <= there
