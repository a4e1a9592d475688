"""Chapter 4's exercises, with checks that know the usual wrong answers by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from casebook.churn.economics import paid_months
from casebook.churn.exercise_tables import SEGMENTS, TEN
from casebook.contracts import refuse
from casebook.exercises import Exercise, numeric
from casebook.experiments import sample_size
from casebook.uplift.curves import qini, uplift_curve

Check = Callable[[Any], str | None]

RTOL = 0.01  # an answer rounded to three digits is right
ROUNDED = "right method; give three digits"


def _words(answer: Any, allowed: Sequence[str], what: str) -> set[str]:
    """The names in an answer: one text, or any collection of texts."""
    names = {answer} if isinstance(answer, str) else {str(name) for name in answer}
    unknown = sorted(names - set(allowed))
    if unknown:
        refuse("the answer", f"{what} among {', '.join(map(repr, allowed))}", repr(unknown[0]), "copy the spelling")
    return names


def _threshold() -> Exercise:
    slips = {
        0.005: "that takes every call for a save; most calls save nobody",
        0.025: "a call that nobody answers costs as much; put the reach into the save rate",
        0.00065: "you multiplied by the save rate: the rarer a save, the higher the cut",
        0.038: ROUNDED,
    }
    return Exercise(
        id="04-threshold",
        minutes=3,
        hint="A call earns p x save rate x 2,000; what is the save rate of a call, answered or not?",
        check=numeric(10 / (0.65 * 0.2 * 2000), slips, "cost = p x reach x share kept x value, solved for p"),
        right=(1 / 26, Fraction(1, 26), 0.0385),
        wrong=(
            (0.005, "for a save"),
            (0.025, "nobody answers"),
            (0.00065, "multiplied"),
            (3.85, "percent"),
            (0.038, "three digits"),
        ),
    )


def _capacity() -> Exercise:
    def check(answer: Any) -> str | None:
        got = np.asarray(answer, dtype=float).ravel()
        if len(got) != 2:
            refuse("the answer", "two numbers", str(len(got)), "write (calls, share)")
        calls, share = (float(value) for value in got)
        if np.isclose(calls, 6000):
            return "6,000 calls need 30 working days; a month has about 21"
        if not np.isclose(calls, 4200, rtol=RTOL):
            return "people x calls a day x working days"
        slips = {
            0.042: "that is the share called; the list also holds those who are held back",
            0.021: "the capacity is not halved: the list is doubled",
            8.4: "that is in percent; write 0.05 and not 5",
        }
        return numeric(0.084, slips, "the list is twice the calls; divide by the base")(share)

    return Exercise(
        id="04-capacity",
        minutes=3,
        hint="How many working days has a month? And of two on the list, how many are called?",
        check=check,
        right=((4200, 0.084), [4200.0, 0.084], np.array([4200, 0.084])),
        wrong=(
            ((6000, 0.12), "30 working days"),
            ((4200, 0.042), "held back"),
            ((4200, 0.021), "doubled"),
            ((4200, 8.4), "in percent"),
            (4200, "two numbers"),
        ),
    )


def _pilot() -> Exercise:
    effect = -0.12 * 0.65 * 0.2
    arm = sample_size(0.12, effect).treated
    slips = {
        sample_size(0.12, -0.12 * 0.2).treated / 200: "that is the effect of an answered call; you compare all called",
        2 * arm / 200: "that counts both arms; whoever is held back needs no call",
        sample_size(0.05, -0.05 * 0.13).treated / 200: "that is the company's churn; inside the list 12% leave",
        arm: "that is the calls; at 200 a day, how many days?",
        arm / 4200: "that is in months; the question asks for working days",
    }
    return Exercise(
        id="04-pilot",
        minutes=6,
        hint="By how many points do the called, answered or not, leave less? Then experiments.sample_size.",
        check=numeric(arm / 200, slips, "the units of one arm over 200; the effect is 12% x reach x share kept", 0.035),
        right=(arm / 200, float(np.ceil(arm / 200)), 32),
        wrong=(
            (13.1, "an answered call"),
            (64.25, "both arms"),
            (82.8, "inside the list"),
            (6425, "how many days"),
            (1.53, "in months"),
        ),
    )


def _whom() -> Exercise:
    def check(answer: Any) -> str | None:
        names = _words(answer, list(SEGMENTS.index), "segments")
        wrong = {
            "dormant": "more of the dormant leave when called: sleeping dogs, never call them",
            "price shoppers": "price shoppers are the riskiest, but a call brings 2,000 x 0.001 = 2 dollars for 10",
            "daily users": "nobody among the daily users is kept by a call",
        }
        text = next((said for name, said in wrong.items() if name in names), None)
        if text is None and names != {"quiet since May", "new teams"}:
            return "one segment is missing: call as long as uplift x 2,000 is above 10"
        return text

    return Exercise(
        id="04-whom",
        minutes=4,
        hint="Uplift is the share that left uncalled less the share that left called. What is one point of it worth?",
        check=check,
        right=(["new teams", "quiet since May"], {"quiet since May", "new teams"}, SEGMENTS.index[1:3]),
        wrong=(
            (["price shoppers", "quiet since May"], "the riskiest"),
            (["new teams", "quiet since May", "dormant"], "sleeping dogs"),
            (["new teams"], "one segment is missing"),
            (["daily users", "new teams"], "nobody among"),
        ),
    )


def _leak() -> Exercise:
    def check(answer: Any) -> str | None:
        names = _words(answer, ["logins_90d", "logins_vs_best_week", *_HONEST], "a feature")
        if names == {"logins_vs_best_week"}:
            return None
        if len(names) != 1:
            return "exactly one knows the future; shuffle it and see which column changes"
        honest = "it counts the 90 days before the date, so it does not move when the future is shuffled"
        return _HONEST.get(names.pop(), honest)

    return Exercise(
        id="04-leak",
        minutes=6,
        hint="labels.leaking_columns(hunt_features, tables, at, times=HUNT_TIMES, rng=...) needs no model.",
        check=check,
        right=("logins_vs_best_week", ["logins_vs_best_week"], pd.Index(["logins_vs_best_week"])),
        wrong=(
            ("downgraded_7d", "looks like the churn itself"),
            ("logins_90d", "90 days before the date"),
            (["logins_90d", "logins_vs_best_week"], "exactly one"),
        ),
    )


_HONEST = {
    "downgraded_7d": "it looks like the churn itself, but these seven days lie before the date",
    "tickets_30d": "it counts tickets opened before the date only",
    "days_since_login": "it takes the last login before the date",
}


def _complier() -> Exercise:
    slips = {
        0.013 / 0.65: "the control got calls too: 5% of it was reached, so divide by the difference",
        0.013 * 0.6: "the effect of being listed is diluted by those not reached: divide, do not multiply",
        0.013 / 0.7: "subtract the 5%: they are reached in either arm",
        0.022: ROUNDED,
    }
    return Exercise(
        id="04-reached",
        minutes=3,
        hint="By how much did the list move the share of those reached?",
        check=numeric(0.013 / 0.6, slips, "the difference in staying over the difference in being reached"),
        right=(0.013 / 0.6, Fraction(13, 600), 0.0217),
        wrong=(
            (0.02, "control got calls"),
            (0.0078, "do not multiply"),
            (0.0186, "subtract the 5%"),
            (2.17, "percent"),
            (0.022, "three digits"),
        ),
    )


def _qini() -> Exercise:
    y, treated, score = (TEN[name].to_numpy() for name in ("stayed", "called", "score"))
    right = qini(y, treated, score).value
    curve = uplift_curve(y, treated, score)["gain"].to_numpy()
    half, joined = curve[-1] / 2, (curve[1:] + curve[:-1]) / 2
    slips = {
        float(np.mean(joined)): "that is the whole area; take off the line of random calls",
        10 * right: "that is in subscribers; divide by the ten",
        qini(y, treated, score, definition="gain").value: "that scales both arms up to all; here only the called count",
        qini(y, treated, -score).value: "sort from the highest score down",
        float(np.mean(curve[1:]) - half): "V starts at 0 at the left end; join its eleven points by straight lines",
        float(np.mean(joined[1:]) - half): "nine trapezoids leave the start out; there are ten",
        float(np.sum(joined[1:]) / 10 - half): "the first trapezoid is missing; it goes from 0 to the first point",
        float(np.mean(curve[1:])): "that is the mean of the ten values; start at 0, then take off the line",
    }
    return Exercise(
        id="04-qini",
        minutes=10,
        hint="Make four running sums from the highest score down: called, stayed among them, and both for the others.",
        check=numeric(right, slips, "trapezoids below V, less half of its last value"),
        right=(right, round(right, 4), np.array([right])),
        wrong=tuple((slip, text.split(";")[0]) for slip, text in slips.items()),
    )


def _value() -> Exercise:
    right = 160 * paid_months(0.15, 12)
    slips = {
        160 / 0.04: "4% is the company's average; who was about to leave goes on at 15%",
        160 * paid_months(0.04, 12): "the bills end at 12, right; but the hazard is the saved one's own, 15%",
        200 * paid_months(0.15, 12): "that is revenue; 160 of the 200 are margin",
        200 / 0.04: "price over average churn: wrong numerator, wrong denominator",
        160 * 12: "not everybody stays for 12 bills: each month 15% of the rest leave",
        160 / 0.15: "that has no end; count 12 bills",
        160 * paid_months(0.15, 11): "that is 11 bills; this month's is the first of the 12",
    }
    return Exercise(
        id="04-value",
        minutes=4,
        hint="The first bill is paid for sure, the second with chance 0.85, the third with 0.85 squared, ...",
        check=numeric(right, slips, "margin x (1 + 0.85 + 0.85 squared + ...), 12 terms"),
        right=(160 * (1 - 0.85**12) / 0.15, 915, np.float64(914.9)),
        wrong=(
            (4000, "goes on at 15%"),
            (160 * paid_months(0.04, 12), "the bills end at 12"),
            (1143.7, "that is revenue"),
            (5000, "wrong numerator"),
            (1920, "not everybody stays"),
            (1066.7, "that has no end"),
            (888.2, "that is 11 bills"),
        ),
    )


def _before_after() -> Exercise:
    points = "those are points; as a share of what would have left without the calls?"
    slips = {
        1 - 6.51 / 8: "that compares two months; without a call it fell too",
        1 - 6.9 / 8: "that is what happened without calls; the calls did the rest",
        0.0039: points,
        0.39: points,
        6.51 / 6.9 - 1: "the size is right; the question asks by which share it fell, so no minus sign",
    }
    return Exercise(
        id="04-before-after",
        minutes=3,
        hint="What would the called have lost this month without the call? A lot decided who was not called.",
        check=numeric(1 - 6.51 / 6.9, slips, "one less the called's rate over the rate of those held back, this month"),
        right=(1 - 6.51 / 6.9, Fraction(39, 690), 0.0565),
        wrong=(
            (0.186, "compares two months"),
            (0.1375, "without calls"),
            (0.0039, "points"),
            (-0.0565, "no minus"),
            (5.65, "percent"),
        ),
    )


_MAKERS = (_threshold, _capacity, _value, _pilot, _whom, _complier, _qini, _leak, _before_after)
EXERCISES = {exercise.id: exercise for exercise in (make() for make in _MAKERS)}
