"""Chapter 8's exercises, with checks that know the usual wrong answers by name."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from casebook.contracts import refuse
from casebook.exercises import Exercise, close_to, numeric
from casebook.experiments import (
    SRM,
    Belief,
    SampleSize,
    difference,
    fit_programme,
    group_sequential,
    peeking_error,
    ratio_difference,
    sample_size_mean,
    srm,
)
from casebook.feed.exercise_checks import Check, pair, two, word
from casebook.feed.exercise_readings import guardrail, hunt
from casebook.feed.exercise_tables import LAUNCHES, PAST, TEN


def _srm_check(right: SRM, counts: list[int], shares: list[float]) -> Check:
    write = "(True, p) or (False, p)"
    two_arms = srm(counts[:2], [0.5, 0.5])
    slips = {
        two_arms.p: "you compared two arms; both are short alike, so hold all three against the plan",
        srm([984, 988, 8_028], shares).p: "the chi-square needs counts; of shares it knows no n",
        float(norm.sf(sqrt(right.statistic)) * 2): "three arms have two degrees of freedom, not one",
    }
    number = numeric(right.p, slips, "sum (seen - expected)^2 / expected over three arms", rtol=0.02)

    def check(answer: Any) -> str | None:
        given = (answer.broken, answer.p) if isinstance(answer, SRM) else answer
        mismatch, p = two(given, write)
        if mismatch not in (True, False):
            refuse("the answer's first part", "True or False", repr(mismatch), f"write {write}")
        return number(p) or (
            None if mismatch else "the p is right, and it is below 0.01: it is a mismatch, so the first part is True"
        )

    return check


def _srm() -> Exercise:
    counts, shares = [24_600, 24_700, 200_700], [0.1, 0.1, 0.8]
    right = srm(counts, shares)
    return Exercise(
        id="08-srm",
        minutes=3,
        hint="How many of 250,000 does the plan give to each arm? Then chi-square over all three.",
        check=_srm_check(right, counts, shares),
        right=(right, (True, right.p), [True, 0.00198], np.array([1, 0.00198])),
        wrong=(
            ((False, 0.652), "both are short alike"),
            ((False, 0.78), "needs counts"),
            ((True, 0.000418), "degrees of freedom"),
            ((False, 0.00198), "it is a mismatch"),
            (0.00198, "two things"),
        ),
    )


def _size_check(arm: int) -> Check:
    slips = {
        2.0 * arm: "that is both arms together",
        sample_size_mean(61, 0.02).treated: "2% of 36 minutes, not 0.02 minutes",
        2 * (norm.isf(0.025) * 61 / 0.72) ** 2: "without the power's part a true 2% is seen in half of the tests",
        sample_size_mean(61**0.5, 0.72).treated: "the standard deviation enters squared",
    }
    users = numeric(arm, slips, "2 (1.96 + 0.84)^2 (sd / change)^2 users an arm")
    weeks = {
        3: "who enters last has two weeks still to be counted",
        4: "two weeks of entering hold 80,000 an arm: a third is needed; or did you count both arms as one?",
        arm / 40_000 + 2: "users enter by whole weeks: round up, then add the two",
    }
    rest = numeric(5, weeks, "weeks of entering, rounded up, and two weeks of the last entrants")

    def first(answer: Any) -> str | None:
        return users(answer.treated if isinstance(answer, SampleSize) else answer)

    return pair(first, rest, "(users an arm, weeks)")


def _size() -> Exercise:
    need = sample_size_mean(61, 0.02 * 36)
    arm = need.treated
    return Exercise(
        id="08-size",
        minutes=5,
        hint="sample_size_mean(sd, change) has the users of an arm. How many of them enter in a week?",
        check=_size_check(arm),
        right=((arm, 5), (need, 5), [float(arm), 5.0], np.array([112_700, 5])),
        wrong=(
            ((2 * arm, 5), "both arms together"),
            ((sample_size_mean(61, 0.02).treated, 5), "not 0.02"),
            ((55_149, 5), "half of the tests"),
            ((1_847, 3), "enters squared"),
            ((arm, 3), "still to be counted"),
            ((arm, 4), "a third is needed"),
            ((arm, 4.817), "whole weeks"),
        ),
    )


def _left() -> tuple[float, float, float]:
    """What is left of both launches, and of the first if the programme's noise is taken for spread."""
    programme = fit_programme(PAST["estimate"], PAST["se"])
    spread = Belief(float(PAST["estimate"].mean()), float(PAST["estimate"].std()))
    (small, large), (raw, _) = (
        [one.update(*row).expected for row in LAUNCHES.to_numpy()] for one in (programme, spread)
    )
    return small, large, raw


def _shrink_check(small: float, large: float, raw: float) -> Check:
    slips = {
        0.3: "that is the estimate; pull it to the programme's mean",
        raw: "the spread of past estimates holds their noise too; fit_programme takes it out",
        large: "that is what is left of the redesign",
    }
    number = numeric(small, slips, "mean + (estimate - mean) sd^2 / (sd^2 + se^2), in percent")

    def check(answer: Any) -> str | None:
        launch, expected = two(answer, "('ranking', percent) or ('redesign', percent)")
        said = word("ranking", {"redesign": "with so wide an error its 4% is mostly luck: what is left of it is less"})
        if launch == "redesign" and close_to(large, rtol=0.01)(expected):
            return "right number for the redesign; now shrink the other one and compare"
        return said(launch) or number(expected)

    return check


def _shrink() -> Exercise:
    small, large, raw = _left()
    return Exercise(
        id="08-shrink",
        minutes=6,
        hint="fit_programme(PAST['estimate'], PAST['se']) is a Belief; see its update(estimate, se).expected.",
        check=_shrink_check(small, large, raw),
        right=(("ranking", small), ["ranking", 0.257], pd.Series(["ranking", small])),
        wrong=(
            (("redesign", 4.0), "mostly luck"),
            (("redesign", large), "compare"),
            (("ranking", 0.3), "that is the estimate"),
            (("ranking", raw), "noise too"),
            (("ranking", large), "left of the redesign"),
        ),
    )


def _ratio() -> Exercise:
    arms = (TEN["arm"] == "new").to_numpy()
    right = ratio_difference(TEN["clicks"], TEN["views"], arms).se
    sums = TEN.groupby("arm")[["clicks", "views"]].sum()
    rate = sums["clicks"] / sums["views"]
    slips = {
        float(np.sqrt((rate * (1 - rate) / sums["views"]).sum())): "that takes views for independent; users were drawn",
        difference(TEN["clicks"] / TEN["views"], arms).se: "that is the mean of the users' rates, another metric",
        right**2: "that is the variance; take the root",
        right * sqrt(0.8): "squares of five users are divided by four",
        float(rate["new"] - rate["control"]): "that is the difference itself",
    }
    return Exercise(
        id="08-ratio",
        minutes=6,
        hint="In each arm, what varies over users is clicks - rate x views. Or ratio_difference.",
        check=numeric(right, slips, "per arm: variance of (clicks - rate x views) / users / (mean views)^2; add; root"),
        right=(right, round(right, 4), np.array([right])),
        wrong=(*((slip, text.split(";")[0]) for slip, text in slips.items()), (100 * right, "in percent")),
    )


def _looks_check(bars: tuple[float, ...], pocock: tuple[float, ...]) -> Check:
    rates = {
        1 - 0.95**7: "that holds for seven tests on separate data; looks share theirs",
        0.05: "that is one look's rate; any of seven stops the test",
    }
    heights = {
        pocock[2]: "that is Pocock's bar, the same at every look",
        bars[-1]: "that is the last look's bar; the third sees 3/7 of the data",
        1.96: "1.96 is the bar of a single look",
        float(norm.isf(0.025 / 7)): "that is Bonferroni's bar",
        bars[-1] * sqrt(3 / 7): "bars fall with time: divide by the root of 3/7",
    }
    spending = group_sequential(7, kind="spending-obf").critical
    heights[spending[2]] = (
        "that is the spending version; O'Brien and Fleming's own bar is a constant over the root of time"
    )
    # A simulation of 20,000 tests, as the chapter's, is off by 1.6% on average.
    rate = numeric(float(peeking_error(7)), rates, "peeking_error(looks)", rtol=0.06)
    bar = numeric(bars[2], heights, "group_sequential(7) has a critical value for every look")
    return pair(rate, bar, "(rate, bar)")


def _looks() -> Exercise:
    bars, pocock = group_sequential(7).critical, group_sequential(7, kind="pocock").critical
    right = (float(peeking_error(7)), bars[2])
    return Exercise(
        id="08-looks",
        minutes=4,
        hint="peeking_error for the first; group_sequential(...).critical counts from 0.",
        check=_looks_check(bars, pocock),
        right=(right, [0.166, 3.15], [0.161, 3.14], np.array(right)),
        wrong=(
            ((0.302, 3.15), "separate data"),
            ((0.05, 3.15), "one look's rate"),
            ((0.166, pocock[2]), "Pocock"),
            ((0.166, 2.063), "last look"),
            ((0.166, 1.96), "a single look"),
            ((0.166, 2.73), "critical value for every look"),
            ((0.166, 2.69), "Bonferroni"),
            ((0.166, 3.235), "the spending version"),
        ),
    )


_MAKERS = (_srm, _size, _shrink, _ratio, _looks, guardrail, hunt)
EXERCISES = {exercise.id: exercise for exercise in (make() for make in _MAKERS)}
