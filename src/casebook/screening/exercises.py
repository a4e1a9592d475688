"""Chapter 3's exercises, with checks that know the usual wrong answers by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from casebook.contracts import refuse
from casebook.decisions import flip_ratio, lower_envelope, threshold, undo_undersampling
from casebook.exercises import Exercise, numeric

RTOL = 0.01  # an answer rounded to three digits is right

#: Three ways to treat a booking, for the exercise on tiers: dollars if it is good, dollars if it is bad.
BOOKINGS = pd.DataFrame(
    {"if_negative": [0.0, 1.0, 30.0], "if_positive": [300.0, 75.0, 0.0]},
    index=["accept", "ask for a deposit", "refuse"],
)


def _pair(right: Sequence[float]) -> Callable[[Any], str | None]:
    def check(answer: Any) -> str | None:
        try:
            got = np.sort(np.asarray(answer, dtype=float).ravel())
        except (TypeError, ValueError):
            refuse("the answer", "two numbers", "something else", "write (a, b), without quotes")
        if len(got) != len(right) or np.isnan(got).any():
            refuse("the answer", "two numbers", f"{np.isfinite(got).sum()}", "give one cut between each two neighbours")
        if np.allclose(got, right, rtol=RTOL):
            return None
        if np.allclose(got, 100 * np.asarray(right), rtol=RTOL):
            return "that is in percent; write 0.05 and not 5"
        if np.isclose(got, 30 / 330, rtol=RTOL).any():
            return "that compares accepting with refusing; between them lies the deposit, so compare neighbours"
        if np.isclose(got, 0.5).any():
            return "a half is nobody's cut here; set two neighbouring actions' expected losses equal"
        return "each cut solves (1 - p) if_negative + p if_positive = the same for the next action"

    return check


def _call() -> Exercise:
    slips = {
        6 / 114: "that is the ratio of the two costs; the threshold is the first over their sum",
        6 / 126: "the 6 dollars are spent on the buyer too: what you forgo is 114, not 120",
        0.95: "that is the complement: you call when p is above it, and a call is cheap",
    }
    otherwise = "write both mistakes in dollars against the right decision on the person; the first over their sum"
    return Exercise(
        id="03-call",
        minutes=3,
        hint="Calling a non-buyer costs 6 dollars; not calling a buyer forgoes 120 less the 6.",
        check=numeric(float(threshold(6, 114)), slips, otherwise),
        right=(0.05, Fraction(1, 20), np.float64(0.05)),
        wrong=(
            (6 / 126, "spent on the buyer too"),
            (0.95, "complement"),
            (6 / 114, "ratio of the two"),
            (5.0, "percent"),
            (0.5, "against the right decision"),
        ),
    )


def _spam() -> Exercise:
    slips = {
        1 / 11: "upside down: losing a letter is the dear mistake, so you block only when nearly sure",
        0.5: "a half is for equal costs, and these are ten to one",
        0.9: "that is 1 - 1/10; the denominator is the sum of both costs, 10 + 1",
        10.0: "that is the ratio; a threshold is a probability",
    }
    otherwise = "the cost of a false positive over the sum of both costs"
    return Exercise(
        id="03-spam",
        minutes=2,
        hint="Which mistake is the dear one? It pulls the threshold towards the side that avoids it.",
        check=numeric(float(threshold(10, 1)), slips, otherwise, rtol=0.005),
        right=(10 / 11, Fraction(10, 11), pd.Series([0.909])),
        wrong=(
            (1 / 11, "upside down"),
            (0.5, "equal costs"),
            (10.0, "that is the ratio"),
            (0.9, "1 - 1/10"),
        ),
    )


def _thinned() -> Exercise:
    slips = {
        0.02: "that scales the probability; it is the odds that were multiplied",
        0.04: "that is the share kept; put it on the odds of the model's answer",
        0.96: "wrong way: the true base rate is lower than the model's, so p must fall",
    }
    otherwise = "odds of 0.5 are 1; times the share kept; back to a probability"
    return Exercise(
        id="03-thinned",
        minutes=4,
        hint="Dropping negatives multiplied the odds by 1/0.04. Undo that, then turn odds back into p.",
        check=numeric(float(undo_undersampling([0.5], 0.04)[0]), slips, otherwise, rtol=0.015),
        right=(1 / 26, 0.038, np.array([0.0385])),
        wrong=(
            (0.02, "scales the probability"),
            (0.04, "put it on the odds"),
            (0.96, "wrong way"),
            (0.5, "odds of 0.5"),
        ),
    )


def _tiers() -> Exercise:
    cuts = tuple(float(cut) for cut in lower_envelope(BOOKINGS).cuts)
    return Exercise(
        id="03-tiers",
        minutes=6,
        hint="Set the expected losses of accept and deposit equal, then those of deposit and refuse.",
        check=_pair(cuts),
        right=(cuts, [round(cut, 4) for cut in reversed(cuts)], np.array(cuts)),
        wrong=(([0.5, 0.5], "nobody's cut"), ([30 / 330, 0.5], "compare neighbours"), ([0.1], "two numbers")),
    )


def _flip() -> Exercise:
    bad = np.repeat([1, 0], [100, 900])
    cautious = np.arange(1000) < 60
    wide = (np.arange(1000) < 90) | (np.arange(1000) >= 760)
    flip = flip_ratio(bad, cautious, wide)
    slips = {
        1 / flip: "right in misses per false alarm; we ask what a miss costs in false alarms, so turn it over",
        90 / 60: "that compares how many bad ones each stops; compare what each gets wrong",
    }
    return Exercise(
        id="03-flip",
        minutes=4,
        hint="The wide rule buys fewer misses with more false alarms: at what price is it fair?",
        check=numeric(flip, slips, "extra false alarms divided by misses avoided"),
        right=(flip, Fraction(240, 30), 8),
        wrong=((1 / 8, "turn it over"), (1.5, "gets wrong"), (240.0, "divided by misses")),
    )


EXERCISES = {exercise.id: exercise for exercise in (_call(), _spam(), _thinned(), _tiers(), _flip())}
