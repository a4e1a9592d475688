"""Chapter 5's exercises that are answered by a function, a column or a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from casebook.contracts import refuse
from casebook.decisions import undo_undersampling
from casebook.exercises import Exercise
from casebook.fraud.exercise_tables import DISPUTES, HUNTED, KNOWN

TRIED = np.array([0.0, 0.02, 0.3, 0.9, 1.0])  # probabilities on which a function is tried


def put_back(p: Any, kept: float) -> Any:
    """Return p with the prior put back: a second form of :func:`casebook.decisions.undo_undersampling`.

    Parameters
    ----------
    p : array_like
    kept : float
        Share of the honest rows that was kept.

    Examples
    --------
    >>> round(float(put_back(0.5, 0.05)), 4)
    0.0476
    """
    return 1 - (1 - np.asarray(p)) / (1 - np.asarray(p) * (1 - kept))


def _times_kept(p: Any, kept: float) -> Any:
    return np.asarray(p) * kept


def _upside_down(p: Any, kept: float) -> Any:
    return np.asarray(p) / (np.asarray(p) + kept * (1 - np.asarray(p)))


def _left_out(p: Any, kept: float) -> Any:
    return put_back(p, 1 - kept)


def _through_odds(p: Any, kept: float) -> Any:
    with np.errstate(all="ignore"):
        odds = kept * np.asarray(p) / (1 - np.asarray(p))
        return odds / (1 + odds)


def _fixed(p: Any, kept: float) -> Any:
    return put_back(p, 0.05)


def _no_array(p: Any, kept: float) -> Any:
    return float(np.mean(put_back(p, kept)))


_PRIOR_SLIPS: Mapping[Callable[[Any, float], Any], str] = {
    _times_kept: "a sure fraud would get 0.05: it is a factor on the odds, not a factor on p",
    _upside_down: "that raises p; in the sample fraud is frequent, so p is too high already",
    _left_out: "that uses the share of honest rows left out; odds shrink by the share that was kept",
}


def _prior_check(answer: Any) -> str | None:
    if not callable(answer):
        refuse("the answer", "a function of p and kept", type(answer).__name__, "pass its name, without brackets")
    with np.errstate(all="ignore"):
        got, again = (np.asarray(answer(TRIED.copy(), kept), dtype=float) for kept in (0.05, 0.5))
    right = put_back(TRIED, 0.05)
    if got.shape != TRIED.shape:
        return "give one number for each p; write it for arrays"
    if not np.isfinite(got).all():
        return "p = 1 divides by zero; solve it for p once more, so that no odds are left"
    for wrong, said in _PRIOR_SLIPS.items():
        if np.allclose(got, wrong(TRIED, 0.05)):
            return said
    if not np.allclose(got, right, rtol=1e-6):
        return f"at p = 0.3 and kept = 0.05 yours is {got[2]:.4g} and not {right[2]:.4g}"
    return None if np.allclose(again, put_back(TRIED, 0.5)) else "right for 0.05 and not for 0.5; use kept"


def prior() -> Exercise:
    """Return the exercise on putting the prior back after sampling.

    Examples
    --------
    >>> prior().minutes
    6
    """
    return Exercise(
        id="05-prior",
        minutes=6,
        hint="Of the honest rows a share was kept and of the frauds all: which factor did that put on the odds?",
        check=_prior_check,
        right=(undo_undersampling, put_back),
        wrong=(
            (_times_kept, "not a factor on p"),
            (_upside_down, "too high already"),
            (_left_out, "left out"),
            (_through_odds, "divides by zero"),
            (_fixed, "not for 0.5"),
            (_no_array, "one number for each p"),
            (0.047, "without brackets"),
        ),
    )


_LABEL_SLIPS: Mapping[tuple[str, int | None], str] = {
    ("c", 0): "c was declined: nobody disputes what was never charged, so silence says nothing",
    ("c", 1): "c was declined, which is our doing and no proof of fraud",
    ("d", 1): "d is reported on 3 April; on the 1st nobody knows",
    ("e", 0): "e was abandoned, so it was not charged either",
    ("f", None): "f is young, but its report is there: age matters for silence only",
    ("g", 0): "g is two days old, and half of the reports take longer than a week",
    ("h", 1): "h comes after the day; it may not be in the table at all",
    ("h", 0): "h has not happened yet on 1 April",
}


def _label_of(value: Any) -> int | None:
    return None if value is None or pd.isna(value) else int(value)


def _label_check(answer: Any) -> str | None:
    column = answer["y"] if isinstance(answer, pd.DataFrame) and "y" in answer else answer
    got = dict(column) if isinstance(column, Mapping | pd.Series) else dict(zip(KNOWN, column, strict=True))
    if unknown := [name for name in got if name not in KNOWN]:
        refuse("the answer", "a label for each payment, a to h", repr(unknown[0]), "index it by payment")
    given = {name: _label_of(got.get(name)) for name in KNOWN}
    wrong = next((name for name in KNOWN if given[name] != KNOWN[name]), None)
    return None if wrong is None else _LABEL_SLIPS.get((wrong, given[wrong]), f"look at {wrong} again")


def labels() -> Exercise:
    """Return the exercise on what a bank knows of its labels at a midnight.

    Examples
    --------
    >>> labels().check(KNOWN | {"d": 1})
    'd is reported on 3 April; on the 1st nobody knows'
    """
    right = pd.Series(list(KNOWN.values()), pd.Index(list(KNOWN), name="payment"), dtype="Int8", name="y")
    outcome, told = DISPUTES["outcome"], DISPUTES["reported_at"].notna()
    return Exercise(
        id="05-labels",
        minutes=8,
        hint="Three ways to have no label: never charged, too young and silent, not happened yet.",
        check=_label_check,
        right=(right, dict(KNOWN), right.astype(float), right.to_frame(), list(KNOWN.values()), right.dropna()),
        wrong=(
            (right.fillna(0), "silence says nothing"),
            (right.mask(outcome == "declined", 1), "our doing"),
            (told.astype("Int8").mask(outcome != "passed"), "on 3 April"),
            (right.mask(outcome == "abandoned", 0), "abandoned"),
            (right.mask(right.index == "f"), "for silence only"),
            (right.mask(right.index == "g", 0), "two days old"),
            (right.mask(right.index == "h", 1), "after the day"),
        ),
    )


_KNOWN_FEATURES = {
    "card_count_24h": "it counts the card's payments of the day before, without the payment itself",
    "amount_to_mean": "its mean is over the card's earlier payments only",
    "new_merchant": "it asks whether the card was there earlier, which is known",
    "days_to_payday": "it looks ahead, but in the calendar, which everybody knows",
}


def _leak_check(answer: Any) -> str | None:
    names = {answer} if isinstance(answer, str) else {str(name) for name in answer}
    if unknown := sorted(names - set(HUNTED)):
        refuse("the answer", f"a feature among {', '.join(HUNTED)}", repr(unknown[0]), "copy the spelling")
    if names == {"merchant_frauds"}:
        return None
    return _KNOWN_FEATURES[names.pop()] if len(names) == 1 else "exactly one knows the future"


def leak() -> Exercise:
    """Return the exercise on a feature that knows the future.

    Examples
    --------
    >>> leak().check("days_to_payday")
    'it looks ahead, but in the calendar, which everybody knows'
    """
    return Exercise(
        id="05-leak",
        minutes=6,
        hint="Take payment 6, and write down what the bank had heard by 9 March, 11:00.",
        check=_leak_check,
        right=("merchant_frauds", ["merchant_frauds"], pd.Index(["merchant_frauds"])),
        wrong=(
            ("days_to_payday", "in the calendar"),
            ("amount_to_mean", "earlier payments only"),
            ("card_count_24h", "of the day before"),
            ("new_merchant", "there earlier"),
            (["amount_to_mean", "merchant_frauds"], "exactly one"),
        ),
    )
