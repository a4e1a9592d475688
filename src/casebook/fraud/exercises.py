"""Chapter 5's exercises, with checks that know the usual wrong answers by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from casebook.contracts import refuse
from casebook.exercises import Exercise, close_to, numeric
from casebook.fraud.exercise_forms import labels, leak, prior

Check = Callable[[Any], str | None]

SUM = 1.959964 + 0.841621  # of the normal's quantiles, for 5% two-sided and a power of 80%


def _pair(first: Check, second: Check, form: str) -> Check:
    """Return a check of two numbers, the first judged first."""

    def check(answer: Any) -> str | None:
        got = np.asarray(answer, dtype=float).ravel()
        if len(got) != 2:
            refuse("the answer", "two numbers", str(len(got)), f"write {form}")
        return first(float(got[0])) or second(float(got[1]))

    return check


_FALSE, _HONEST = 2000 - 560, 4_000_000 - 800  # alarms and payments of honest holders a day
_RATE = {
    2000 / _HONEST: "the frauds that you catch are calls too; take them off the 2,000",
    (2000 - 800) / _HONEST: "you catch 560 of the 800 frauds, so only so many calls go to fraud",
    _FALSE / 2000: "that is the share of the calls; divide by the honest payments",
}
_PRECISION = {
    560 / 1440: "that is frauds for each false alarm; divide by all calls",
    0.4: "that takes all 800 for caught; 30% of them are never called about",
    0.72: "that is the share that is honest; take its complement",
}


def _false_alarms() -> Exercise:
    check = _pair(
        numeric(_FALSE / _HONEST, _RATE, "calls left for honest holders, over honest payments"),
        numeric(0.28, _PRECISION, "frauds caught over calls"),
        "(rate, precision)",
    )
    right = (_FALSE / _HONEST, 0.28)
    return Exercise(
        id="05-false-alarms",
        minutes=4,
        hint="Of 2,000 calls a day, how many go to holders of a payment that was fraud?",
        check=check,
        right=(right, list(right), np.array(right)),
        wrong=(
            ((2000 / _HONEST, 0.28), "are calls too"),
            ((1200 / _HONEST, 0.28), "560 of the 800"),
            ((0.72, 0.28), "share of the calls"),
            ((0.036, 0.28), "in percent"),
            ((right[0], 560 / 1440), "for each false alarm"),
            ((right[0], 0.4), "never called about"),
            ((right[0], 0.72), "complement"),
            (0.28, "two numbers"),
        ),
    )


def _push_cut() -> Exercise:
    wrong, right = 0.05 + 0.15 * 0.015 * 40, 0.8 * (40 + 15 + 180)
    slips = {
        wrong / (wrong + 0.8 * 55): "the rest of the episode is missing: a denial stops the card",
        wrong / (wrong + 235): "one fraudster in five passes the push, and then nothing is saved",
        0.05 / (0.05 + right): "an unanswered push loses the sale's margin as well",
        6.05 / (6.05 + right): "a lost sale costs the bank its margin, not the amount",
        right / wrong: "that is saved dollars for each lost one; the cut is lost / (lost + saved)",
    }
    return Exercise(
        id="05-push-cut",
        minutes=5,
        hint="What does the push cost if the holder is honest, and what does it save if he is not?",
        check=numeric(wrong / (wrong + right), slips, "lost if honest / (lost if honest + saved if fraud)"),
        right=(0.14 / 188.14, 0.000744, np.float64(0.14 / 188)),
        wrong=(
            (0.14 / 44.14, "rest of the episode"),
            (0.14 / 235.14, "one fraudster in five"),
            (0.05 / 188.05, "unanswered push"),
            (6.05 / 194.05, "not the amount"),
            (188 / 0.14, "for each lost one"),
            (0.0744, "in percent"),
        ),
    )


_MOST = {
    1000.0: "those are the frauds; with a p of one half each carries half of one",
    500.0: "one over 0.5 is two: divide by the cut, do not multiply",
    500_000.0: "that takes p for even between 0 and 1; its mean is 0.001",
}
_STOPPED = {
    0.3: "of the 300 blocked payments 210 are fraud, not all",
    0.7: "that is the share of the blocked that is fraud; how many of the thousand are they?",
    210.0: "that is a count; divide by all frauds expected",
}


def _how_many() -> Exercise:
    check = _pair(
        numeric(2000, _MOST, "the frauds above the cut are at most all 1,000, and at least half of those above it"),
        numeric(0.21, _STOPPED, "300 x 0.7, over the frauds in the million"),
        "(payments, share)",
    )
    return Exercise(
        id="05-how-many",
        minutes=4,
        hint="If p is calibrated, the sum of p is the number of frauds, in any part of the table.",
        check=check,
        right=((2000, 0.21), [2000.0, 0.21], np.array([2000, 0.21])),
        wrong=(
            ((1000, 0.21), "half of one"),
            ((500, 0.21), "do not multiply"),
            ((500_000, 0.21), "for even"),
            ((2000, 0.3), "not all"),
            ((2000, 0.7), "of the thousand"),
            ((2000, 210), "a count"),
        ),
    )


def _episode() -> Exercise:
    slips = {
        240.0: "those are the rows above the cut; the card is stopped at 14:13, so what follows is spared too",
        180.0: "that is the blocked payment alone; what would have come after it?",
        710.0: "the payment that is blocked does not pass either",
        891.0: "the first dollar was gone before the block",
        922.0: "the grocer at noon was paid, and by the holder",
    }
    return Exercise(
        id="05-episode",
        minutes=3,
        hint="At which payment is the card stopped, and which of the later ones are fraud?",
        check=numeric(890, slips, "the blocked payment and every fraud after it on the card", 0.001),
        right=(890, 890.0, np.float64(180 + 240 + 60 + 410)),
        wrong=tuple((slip, text.split(";")[0].split(",")[0]) for slip, text in slips.items()),
    )


_SHARE = {
    930 / 105_000: "that takes every blocked payment for a fraud; weigh each by its p",
    930 / 14_875: "do not multiply the means: where p is high the loss is high too",
    0.95: "that is the share still blocked",
    18_600: "that is what letting all through would lose; the cap is which share of it?",
}
_WEIGHT = {
    0.05: "the weight is one over the chance that the row was seen",
    1 / 0.95: "one over the chance that it was blocked; but it was seen",
    1: "then nineteen of twenty blocked payments are forgotten in the fit",
}


def _explore() -> Exercise:
    check = _pair(
        numeric(0.05, _SHARE, "930 over the expected loss if all passed, summed by band"),
        numeric(20, _WEIGHT, "one over the share let through"),
        "(share, weight)",
    )
    return Exercise(
        id="05-explore",
        minutes=5,
        hint="What would the blocked cost on an average day if all of them passed?",
        check=check,
        right=((0.05, 20), [0.05, 20.0], np.array([0.05, 20.0])),
        wrong=(
            ((930 / 105_000, 20), "for a fraud"),
            ((930 / 14_875, 20), "multiply the means"),
            ((0.95, 20), "still blocked"),
            ((18_600, 20), "which share of it"),
            ((0.05, 0.05), "chance that the row was seen"),
            ((0.05, 1 / 0.95), "but it was seen"),
            ((0.05, 1), "forgotten in the fit"),
        ),
    )


def _holdback() -> Exercise:
    gap = np.sqrt(7.8) - np.sqrt(6)  # of the square roots, for one day
    days = float((SUM / 2 / gap) ** 2)
    slips = {
        6 * days: "that is the count of episodes; at 6 a day, how many days?",
        (1.96 / 2 / gap) ** 2: "with 1.96 alone you find it one time in two; add 0.84 for the power",
        (SUM / gap) ** 2: "the square root of a Poisson count has a standard deviation of one half, not one",
        2 * days: "the other 99% are 99 times as many; their rate is as good as exact",
        days / 100: "that is for the whole bank; only 1% of the cards are held back",
        ((1.645 + 0.842) / 2 / gap) ** 2: "that is one-sided; a release may also make it better",
        days / 3: "three payments of one episode are no three findings; count episodes",
    }
    near = close_to(days, rtol=0.06)  # any of the usual approximations
    exact = numeric(days, slips, "(2.8 / 2) squared over the squared gap of the square roots of 7.8 and 6", 0.03)
    return Exercise(
        id="05-holdback",
        minutes=6,
        hint="After d days the two counts are 6 d and 7.8 d. How far apart are their square roots?",
        check=lambda answer: None if near(answer) else exact(answer),
        right=(days, 16.6, 17),
        wrong=tuple((slip, text.split(";")[0]) for slip, text in slips.items()),
    )


_MAKERS = (_false_alarms, _push_cut, _how_many, prior, labels, _episode, leak, _explore, _holdback)
EXERCISES = {exercise.id: exercise for exercise in (make() for make in _MAKERS)}
