"""Two of chapter 8's exercises: what a guardrail's interval rules out, and which users are missing."""

from __future__ import annotations

from math import ceil
from typing import Any

import pandas as pd
from scipy.stats import norm

from casebook.contracts import refuse
from casebook.exercises import Exercise, numeric
from casebook.feed.exercise_checks import Check, pair, two, word
from casebook.feed.exercise_tables import LOST_IN
from casebook.feed.world import COHORTS, COUNTRIES, PLATFORMS

_REACH = float(norm.isf(0.025) + norm.isf(0.2))


def _to_rule_out(gap: float, z: float = _REACH) -> float:
    """Users an arm whose interval, z standard errors, spans the gap; 30,000 have a half-width of 0.06."""
    return float(30_000 * (z * 0.06 / norm.isf(0.025) / gap) ** 2)


def _guardrail_check() -> Check:
    verdict = word(
        "not known",
        {
            "holds": "no significant harm is not harm ruled out: the interval goes beyond the margin",
            "broken": "harm beyond the margin is shown only if the whole interval lies there",
        },
    )
    reaches = _to_rule_out(0.05, norm.isf(0.025))
    slips = {
        reaches: "with so many the interval just reaches the margin: ruled out in half of tests",
        _to_rule_out(0.02): "that takes the estimate for the truth; plan for a change that harms nothing",
        30_000 * _REACH * 0.06 / norm.isf(0.025) / 0.05: "errors shrink with the root: square it",
        2 * _to_rule_out(0.05): "that is both arms",
    }
    number = numeric(_to_rule_out(0.05), slips, "30,000 (2.8 standard errors / margin)^2", rtol=0.02)
    return pair(verdict, number, "(verdict, users)")


def guardrail() -> Exercise:
    """Return the exercise on harm that is not ruled out."""
    need = _to_rule_out(0.05)
    return Exercise(
        id="08-guardrail",
        minutes=5,
        hint="Which loss does the interval rule out? Its half-width is 1.96 standard errors; you need 2.8.",
        check=_guardrail_check(),
        right=(("not known", need), ["not known", 88_300], pd.Series(["not known", ceil(need)])),
        wrong=(
            (("holds", 88_263), "not harm ruled out"),
            (("broken", 88_263), "lies there"),
            (("not known", 43_200), "half of tests"),
            (("not known", _to_rule_out(0.02)), "estimate for the truth"),
            (("not known", 51_460), "square it"),
            (("not known", 176_526), "both arms"),
            (("unclear", 88_263), "copy the spelling"),
        ),
    )


def hunt() -> Exercise:
    """Return the exercise on the part of the users that carries a mismatch."""
    parts = {"platform": PLATFORMS, "country": tuple(COUNTRIES), "cohort": COHORTS}

    def check(answer: Any) -> str | None:
        given = next(iter(answer.items())) if isinstance(answer, dict) and len(answer) == 1 else answer
        column, value = two(given, "('platform', 'web')")
        if value not in parts.get(column, ()):
            refuse("the answer", "a column of the table and one of its values", repr((column, value)), "look them up")
        if (column, value) == ("country", LOST_IN):
            return None
        said = f"the test without {value!r} is off still, so something else carries it"
        return _NEAR.get((column, value), said)

    return Exercise(
        id="08-hunt",
        minutes=8,
        hint="srm_by(hunted, {...}, [...]).table has rest_p: whose removal mends the rest?",
        check=check,
        right=(("country", LOST_IN), ["country", LOST_IN], {"country": LOST_IN}, pd.Series(["country", LOST_IN])),
        wrong=(
            (("platform", "slow_phone"), "that is where they live"),
            (("cohort", "casual"), "the largest cohort"),
            (("country", "BR"), "'BR' is off still"),
            (("India", "country"), "look them up"),
        ),
    )


_NEAR = {
    ("platform", "slow_phone"): "slow phones are off since many are in one country: that is where they live",
    ("cohort", "casual"): "three in four users are casual: the largest cohort shows every gap first",
}
