"""Chapter 7's exercises that are answered by a range, a function, names or a whole hierarchy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import mean_pinball_loss

from casebook.contracts import FloatArray, refuse
from casebook.decisions.fractile import pinball_loss
from casebook.demand.exercise_tables import BREAD, LEGAL, READS
from casebook.exercises import Exercise

Numbers = tuple[float, ...]

FORECASTS = ("low", "middle", "high")
TRIED = 10 / 12  # the level on which a function is tried first; then at one half


def _numbers(answer: Any, count: int, form: str) -> FloatArray:
    got = np.asarray(answer, dtype=float).ravel()
    if len(got) != count:
        refuse("the answer", f"{count} numbers", str(len(got)), f"write {form}")
    return got


def _told(got: FloatArray, slips: Mapping[Numbers, str], otherwise: str) -> str:
    return next((text for slip, text in slips.items() if np.allclose(got, slip, rtol=0.003)), otherwise)


_RATIOS: Mapping[Numbers, str] = {
    (0.8, 0.9): "those are levels; a level of 0.8 is a ratio of 0.8 to 0.2",
    (0.25, 1 / 9): "those are units short for one over; turn them round",
    (9.0, 4.0): "right, but the lower one first",
    (9.0, 19.0): "that is who orders 19; the eighteenth unit is the last that she finds worth it",
    (5 / 3, 4.0): "that is who orders 17; she also takes the eighteenth",
    (9.0, 9.0): "9 is the most; at which ratio would 17 have been as good?",
}


def _implied_check(answer: Any) -> str | None:
    got = _numbers(answer, 2, "(lowest, highest)")
    if np.allclose(got, (4.0, 9.0), rtol=0.01):
        return None
    return _told(got, _RATIOS, "the level of 17 and of 18, each over what is left of 1")


def implied() -> Exercise:
    """Return the exercise on the costs that an order betrays.

    Examples
    --------
    >>> implied().check((0.8, 0.9))
    'those are levels; a level of 0.8 is a ratio of 0.8 to 0.2'
    """
    return Exercise(
        id="07-implied",
        minutes=5,
        hint="The eighteenth unit is sold in weeks of 18 or more. What was it worth, and the nineteenth not?",
        check=_implied_check,
        right=((4, 9), [4.0, 9.0], np.array([0.8 / 0.2, 0.9 / 0.1])),
        wrong=(
            ((0.8, 0.9), "are levels"),
            ((0.25, 0.111), "turn them round"),
            ((9, 4), "lower one first"),
            ((9, 19), "who orders 19"),
            ((1.667, 4), "who orders 17"),
            ((9, 9), "is the most"),
            (9, "2 numbers"),
        ),
    )


def mean_loss(wanted: Any, forecast: Any, tau: float) -> float:
    """Return the mean pinball loss in a second form: half the absolute error, tilted by the signed one.

    Parameters
    ----------
    wanted, forecast : array_like, shape (n,)
        Units.
    tau : float

    Examples
    --------
    >>> mean_loss([3, 8], [5, 5], 0.75)
    1.375
    """
    error = np.asarray(wanted, dtype=float) - np.asarray(forecast, dtype=float)
    return float(np.mean(np.abs(error) / 2 + (tau - 0.5) * error))


def _by_library(wanted: Any, forecast: Any, tau: float) -> Any:
    return mean_pinball_loss(wanted, forecast, alpha=tau)


def _by_rows(wanted: Any, forecast: Any, tau: float) -> Any:
    return np.mean(pinball_loss(wanted, forecast, tau))


def _swapped(wanted: Any, forecast: Any, tau: float) -> Any:
    return mean_loss(wanted, forecast, 1 - tau)


def _absolute(wanted: Any, forecast: Any, tau: float) -> Any:
    return float(np.mean(np.abs(np.asarray(wanted) - np.asarray(forecast))))


def _signed(wanted: Any, forecast: Any, tau: float) -> Any:
    return float(np.mean(tau * (np.asarray(wanted) - np.asarray(forecast))))


def _summed(wanted: Any, forecast: Any, tau: float) -> Any:
    return len(np.asarray(wanted)) * mean_loss(wanted, forecast, tau)


def _money(wanted: Any, forecast: Any, tau: float) -> Any:
    return 12 * mean_loss(wanted, forecast, tau)


def _fixed(wanted: Any, forecast: Any, tau: float) -> Any:
    return mean_loss(wanted, forecast, TRIED)


def _each(wanted: Any, forecast: Any, tau: float) -> Any:
    return pinball_loss(wanted, forecast, tau)


_LOSSES: Mapping[Callable[[Any, Any, float], Any], str] = {
    _swapped: "you charge tau for a unit over; tau is for the unit short",
    _absolute: "that is the absolute error, whatever tau",
    _signed: "a forecast that is too high has a loss too, and not a gain",
    _summed: "that is the sum over the days; return the mean",
    _money: "that is the money at ten against two; the loss is a twelfth of it",
}


def _loss_check(answer: Any) -> str | None:
    if not callable(answer):
        must = "a function of wanted, forecast and tau"
        refuse("the answer", must, type(answer).__name__, "pass its name, without brackets")
    wanted = BREAD["wanted"].to_numpy()
    told = {
        tau: [np.asarray(answer(wanted, BREAD[name].to_numpy(), tau)) for name in FORECASTS] for tau in (TRIED, 0.5)
    }
    if any(one.size != 1 for one in told[TRIED]):
        return "return one number for a forecast: the mean over its days"
    got, right = (np.array(v, dtype=float).ravel() for v in (told[TRIED], _losses(mean_loss, TRIED)))
    for wrong, said in _LOSSES.items():
        if np.allclose(got, _losses(wrong, TRIED)):
            return said
    if not np.allclose(got, right, rtol=1e-6):
        at = int(np.argmax(~np.isclose(got, right, rtol=1e-6)))
        return f"for {FORECASTS[at]!r} at tau 10/12 yours is {got[at]:.4g} and not {right[at]:.4g}"
    again = np.array(told[0.5], dtype=float).ravel()
    return None if np.allclose(again, _losses(mean_loss, 0.5)) else "right for 10/12 and not for 0.5; use tau"


def _losses(function: Callable[[Any, Any, float], Any], tau: float) -> list[float]:
    return [float(function(BREAD["wanted"], BREAD[name], tau)) for name in FORECASTS]


def pinball() -> Exercise:
    """Return the exercise on the pinball loss as a function.

    Examples
    --------
    >>> pinball().check(mean_loss) is None
    True
    """
    return Exercise(
        id="07-pinball",
        minutes=5,
        hint="Split wanted - forecast into what is above 0 and what is below; each part has its own price.",
        check=_loss_check,
        right=(mean_loss, _by_library, _by_rows),
        wrong=(
            (_swapped, "tau is for the unit short"),
            (_absolute, "absolute error"),
            (_signed, "not a gain"),
            (_summed, "return the mean"),
            (_money, "a twelfth"),
            (_fixed, "not for 0.5"),
            (_each, "one number for a forecast"),
            (1.5, "without brackets"),
        ),
    )


_NOT_LEGAL = {
    "lag_7": "lag_7 of day 8 is day 1, and that is yet to come",
    "lag_14": "lag_14 is known up to day 14; the order covers days 15 to 17 as well",
    "mean_7": "mean_7 ends the day before the day, at the earliest on day 3",
    "rain": "nobody has measured the rain of a day to come; take its forecast",
}
_IS_LEGAL = {
    "lag_21": "lag_21 of day 17 is four days before the forecast",
    "last_weekday": "last_weekday never reads beyond the forecast's day",
    "mean_28": "mean_28 ends with the forecast's day",
    "holiday": "holiday looks ahead, but in the calendar, which everybody has",
    "promoted": "promoted looks ahead, but only at what was announced",
}


def _lags_check(answer: Any) -> str | None:
    if isinstance(answer, pd.Series) and answer.dtype == bool:
        answer = answer.index[answer]
    names = {answer} if isinstance(answer, str) else {str(name) for name in answer}
    if unknown := sorted(names - set(READS.index)):
        refuse("the answer", f"features among {', '.join(READS.index)}", repr(unknown[0]), "copy the spelling")
    wrong = next((name for name in READS.index if (name in names) != (name in LEGAL)), None)
    return None if wrong is None else (_NOT_LEGAL | _IS_LEGAL)[wrong]


def lags() -> Exercise:
    """Return the exercise on which features are known for all days of a longer order.

    Examples
    --------
    >>> lags().check(["lag_21", "rain"])
    "last_weekday never reads beyond the forecast's day"
    """
    right = set(LEGAL)
    return Exercise(
        id="07-lags",
        minutes=5,
        hint="A lag of so many days is known for day h only if it is at least h.",
        check=_lags_check,
        right=(list(LEGAL), right, pd.Index(LEGAL), pd.Series(READS.index.isin(LEGAL), READS.index)),
        wrong=(
            (sorted(right | {"lag_7"}), "lag_7 of day 8"),
            (sorted(right | {"lag_14"}), "days 15 to 17"),
            (sorted(right | {"mean_7"}), "the day before the day"),
            (sorted(right | {"rain"}), "take its forecast"),
            (sorted(right - {"holiday"}), "in the calendar"),
            (sorted(right - {"promoted"}), "was announced"),
            (sorted(right - {"last_weekday"}), "never reads beyond"),
            (["lag_28"], "copy the spelling"),
        ),
    )


_HIERARCHIES: Mapping[Numbers, str] = {
    (112.0, 60.0, 52.0): "that is bottom-up: the total's own forecast is thrown away",
    (100.0, 100 * 60 / 112, 100 * 52 / 112): "that is top-down by shares: the total is believed in full",
    (100.0, 54.0, 46.0): "that gives the whole gap to the stores; the total takes its third",
    (106.0, 57.0, 49.0): "that weighs the total's error by its two stores; here all three are trusted alike",
    (120.0, 64.0, 56.0): "the stores promise too much, so they come down",
}


def _coherent_check(answer: Any) -> str | None:
    got = _numbers(answer, 3, "(total, first, second)")
    if np.allclose(got, (104.0, 56.0, 48.0), rtol=1e-4):
        return None
    adds_up = np.isclose(got[0], got[1] + got[2], rtol=1e-4)
    return _told(got, _HIERARCHIES, "it adds up; is it the nearest that does?") if adds_up else "it does not add up"


def coherent() -> Exercise:
    """Return the exercise on the nearest forecasts that add up.

    Examples
    --------
    >>> coherent().check((100, 60, 52))
    'it does not add up'
    """
    return Exercise(
        id="07-coherent",
        minutes=5,
        hint="The gap is 12, and three numbers can give way. Which shift of each is the least in squares?",
        check=_coherent_check,
        right=((104, 56, 48), [104.0, 56.0, 48.0], np.array([[104.0], [56.0], [48.0]])),
        wrong=(
            ((112, 60, 52), "bottom-up"),
            ((100, 53.571, 46.429), "top-down"),
            ((100, 54, 46), "takes its third"),
            ((106, 57, 49), "trusted alike"),
            ((120, 64, 56), "come down"),
            ((108, 58, 50), "the nearest that does"),
            ((104, 60, 52), "does not add up"),
            ((56, 48), "3 numbers"),
        ),
    )
