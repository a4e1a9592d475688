"""Chapter 7's exercises, with checks that know the usual wrong answers by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from casebook.contracts import refuse
from casebook.demand.exercise_forms import coherent, implied, lags, pinball
from casebook.exercises import Exercise, numeric

Check = Callable[[Any], str | None]

_COUNTED = {2: "two numbers", 3: "three numbers"}


def _several(form: str, *checks: Check) -> Check:
    """Return a check of as many numbers, judged from the first on."""

    def check(answer: Any) -> str | None:
        got = np.asarray(answer, dtype=float).ravel()
        if len(got) != len(checks):
            refuse("the answer", _COUNTED[len(checks)], str(len(got)), f"write {form}")
        told = (one(float(number)) for one, number in zip(checks, got, strict=True))
        return next((text for text in told if text is not None), None)

    return check


def _fractile() -> Exercise:
    slips = {
        1.2 / 2.7: "a customer who finds none costs more than the margin; add the dollar of goodwill",
        4.0 / 5.5: "a unit short loses the margin, not the price: its cost was not spent",
        2.2 / 4.0: "what is left over is not worth nothing; take the salvage off",
        2.2 / 4.3: "salvage comes back; take it off the cost, do not add it",
        0.2 / 1.7: "goodwill is lost too when a unit is short; add it",
        1.5 / 3.7: "that is upside down: short over short and over",
        2.2 / 1.5: "that is the ratio of the two costs; the fractile is short / (short + over)",
    }
    return Exercise(
        id="07-fractile",
        minutes=3,
        hint="What more would you have with one unit more, if it is asked for, and what less if it is not?",
        check=numeric(2.2 / 3.7, slips, "(price - cost + goodwill) over that plus (cost - salvage)"),
        right=(2.2 / 3.7, 0.595, np.float64(22 / 37)),
        wrong=(
            (0.444, "dollar of goodwill"),
            (4 / 5.5, "not the price"),
            (0.55, "salvage off"),
            (0.512, "do not add it"),
            (0.1176, "too when a unit is short"),
            (0.405, "upside down"),
            (1.467, "ratio of the two costs"),
            (59.5, "in percent"),
        ),
    )


_SPREAD = np.sqrt(10 * 12)  # of ten independent days
_Z = 0.967422  # the normal's quantile at 10 / 12
_LEVEL = {
    7 * 6
    + _Z
    * np.sqrt(7 * 12): "that is the week alone; the order must last from Monday to the Wednesday of the week after",
    10 * (6 + _Z * np.sqrt(12)): "that adds up daily quantiles; add means and variances, then take the quantile",
    60 + _Z * 12 * np.sqrt(10): "12 is the variance of a day; take its root",
    60 + _Z * 120: "that takes the variance for the standard deviation",
    60.0: "that is the mean, which runs short every other time",
    60 + _Z * _SPREAD - 21: "what is there comes off in the second number",
    60 + 0.8333 * _SPREAD: "0.833 is the level; the normal's quantile there is 0.967",
}
_CASES = {
    8.0: "eight cases do not reach the level; the ninth does",
    12.0: "take off what is on the shelf and on its way",
    10.0: "the six on their way count too",
    11.0: "the fifteen on the shelf count too",
    54.0: "that is units; how many cases are they?",
}


def _up_to() -> Exercise:
    level = float(60 + _Z * _SPREAD)
    check = _several(
        "(level, cases)",
        numeric(level, _LEVEL, "ten days' mean plus 0.967 standard deviations of ten days"),
        numeric(9.0, _CASES, "(level - 21) over 6, rounded up", rtol=1e-6),
    )
    return Exercise(
        id="07-up-to",
        minutes=6,
        hint="From which morning to which evening must stock and order last? What adds up over days?",
        check=check,
        right=((level, 9), [70.6, 9.0], np.array([71.0, 9.0])),  # the last: the negative binomial's own quantile
        wrong=(
            ((50.87, 5), "week alone"),
            ((93.5, 13), "daily quantiles"),
            ((96.7, 13), "take its root"),
            ((176.1, 26), "for the standard deviation"),
            ((60, 7), "every other time"),
            ((49.6, 9), "in the second number"),
            ((69.13, 9), "quantile there is 0.967"),
            ((level, 8), "the ninth does"),
            ((level, 12), "on the shelf and on its way"),
            ((level, 10), "six on their way"),
            ((level, 11), "fifteen"),
            ((level, 54), "how many cases"),
            (9, "two numbers"),
        ),
    )


_RATE = 10 / (0.2 + 4 / 15)
_SCALED = {
    6 / 0.28: "the shelf was empty at 11:00, so the orders of that hour were not seen",
    6 / 0.1: "it was full until 11:00; the orders between ten and eleven count",
    6 / 0.8: "divide by the share that was seen, not by the share that was not",
    6 / (3 / 14): "that is three of fourteen hours; orders do not come evenly",
    1.2: "a day on which the shelf ran empty has more demand than sales, not less",
    6.0: "that is what was sold",
}
_SHRUNK = {
    _RATE: "that is the day's rate; the rest of the day has 80% of it, and six were sold before",
    6 + _RATE: "only 80% of the day was left",
    6 + 0.8 * 15: "that is an average day's rest; the morning has told you that this was none",
    15.0: "that forgets what was sold",
    30.0: "that is the first again; here the cell's mean has its say",
    0.8 * _RATE: "that is the rest of the day; add what was sold",
}


def _unconstrain() -> Exercise:
    shrunk = 6 + 0.8 * _RATE
    check = _several(
        "(scaled, shrunk)",
        numeric(30.0, _SCALED, "6 over the share of the orders that come before 11:00"),
        numeric(shrunk, _SHRUNK, "what was sold, plus 80% of (6 + 4) / (0.2 + 4 / 15)"),
    )
    return Exercise(
        id="07-unconstrain",
        minutes=6,
        hint="Which share of an ordinary day's orders has come by eleven?",
        check=check,
        right=((30, shrunk), [30.0, 23.14], pd.Series([30.0, shrunk])),
        wrong=(
            ((21.43, shrunk), "of that hour"),
            ((60, shrunk), "between ten and eleven"),
            ((7.5, shrunk), "share that was not"),
            ((28, shrunk), "evenly"),
            ((1.2, shrunk), "not less"),
            ((6, shrunk), "is what was sold"),
            ((30, 21.43), "six were sold before"),
            ((30, 27.43), "was left"),
            ((30, 18), "average day's rest"),
            ((30, 15), "forgets"),
            ((30, 30), "has its say"),
            ((30, 17.14), "add what was sold"),
        ),
    )


_ADDED = {
    3.0: "that is error with less error without; above 0 must mean that it helped",
    1.0: "Ada's rows are in it",
    -0.6: "that is the mean of five; add them up",
    25.0: "errors of both signs cancel there; take each one's size",
}
_ADDED_AT = {
    -3.0: "that is the absolute error again; weigh a unit short 10 / 12 and a unit over 2 / 12",
    -9.83: "you have weighed a unit over by 10 / 12; it is the unit short that costs ten",
    9.5: "Ada's rows are still in it",
    1.3667: "that is a mean; the sum is asked for",
    82.0: "that is money, 12 times the loss; it is asked for in units",
    -6.833: "with less without; turn it round",
}


def _added() -> Exercise:
    check = _several(
        "(absolute, at_fractile)",
        numeric(-3.0, _ADDED, "the sum over Bob's rows of |wanted - before| - |wanted - after|"),
        numeric(41 / 6, _ADDED_AT, "the same with 10 / 12 a unit short and 2 / 12 a unit over"),
    )
    return Exercise(
        id="07-added",
        minutes=6,
        hint="What would the forecast have missed by without him, and what did it miss by with him?",
        check=check,
        right=((-3, 41 / 6), [-3.0, 6.833], np.array([-3.0, 41 / 6])),
        wrong=(
            ((3, -41 / 6), "must mean that it helped"),
            ((1, 9.5), "rows are in it"),
            ((-0.6, 1.367), "mean of five"),
            ((25, 25), "cancel"),
            ((-3, -3), "absolute error again"),
            ((-3, -9.83), "costs ten"),
            ((-3, 9.5), "still in it"),
            ((-3, 1.367), "the sum is asked for"),
            ((-3, 82), "12 times the loss"),
            ((-3, -6.833), "turn it round"),
        ),
    )


_OF_ZERO = {
    0.35: "that is the mean absolute error; divide by mean demand",
    0.25: "that is the share of days with a sale; weigh them by their units",
    0.0: "a forecast of nothing misses every unit",
    -1.0: "that is the bias; an absolute error has no sign",
}
_OF_MEAN = {
    0.525: "that is the mean absolute error of it; divide by mean demand",
    0.0: "the errors cancel, their sizes do not",
    0.6429: "days without a sale have an error too: 0.35",
}
_CHEAPEST = {
    0.0: "that is the median, the best for WAPE; a unit short costs five times one over",
    2.0: "0.9 of the days ask for one at most, and 0.833 are enough",
    0.35: "nobody can stock a third of a unit, and the mean is not the fractile",
}


def _slow() -> Exercise:
    check = _several(
        "(wape_zero, wape_mean, order)",
        numeric(1.0, _OF_ZERO, "mean absolute error over mean demand, 0.35"),
        numeric(1.5, _OF_MEAN, "(0.75 x 0.35 + 0.15 x 0.65 + 0.10 x 1.65) over 0.35"),
        numeric(1.0, _CHEAPEST, "the least number of units that 5 / 6 of the days do not exceed", rtol=1e-6),
    )
    return Exercise(
        id="07-slow",
        minutes=5,
        hint="By how many units is each forecast off on a day with none, one and two, and how often is that?",
        check=check,
        right=((1, 1.5, 1), [1.0, 1.5, 1.0], np.array([1.0, 1.5, 1.0])),
        wrong=(
            ((0.35, 1.5, 1), "is the mean absolute error; divide"),
            ((0.25, 1.5, 1), "share of days"),
            ((0, 1.5, 1), "misses every unit"),
            ((-1, 1.5, 1), "no sign"),
            ((1, 0.525, 1), "error of it"),
            ((1, 0, 1), "their sizes"),
            ((1, 0.643, 1), "without a sale"),
            ((1, 1.5, 0), "the median"),
            ((1, 1.5, 2), "are enough"),
            ((1, 1.5, 0.35), "third of a unit"),
            ((1, 1.5), "three numbers"),
        ),
    )


_MAKERS = (_fractile, implied, pinball, lags, _up_to, _unconstrain, coherent, _added, _slow)
EXERCISES = {exercise.id: exercise for exercise in (make() for make in _MAKERS)}
